"""Who of a cohort was offered and got which programme, as a register would have it: read off the log of deliveries."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.cohort_columns import level_codes
from fitss_abm.study.cohort_fields import ANSWERS, LEFT
from fitss_abm.study.cohort_part import date_of

if TYPE_CHECKING:
    from fitss_abm.model.delivery_log import DeliveryLog
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Simulation

Ids = Callable[[NDArray[np.int64]], NDArray[np.int64]]


def treatments(
    log: DeliveryLog, programmes: Sequence[Programme], wanted: NDArray[np.int64], ids: Ids, start: datetime.date
) -> dict[str, Any]:
    """One row a course of treatment of the persons `wanted` (sorted)."""
    from fitss_abm.model.delivery_log import Event

    person, programme, day, event = _ordered(log, wanted)
    began = np.flatnonzero(event == Event.STARTED)
    after = np.minimum(began + 1, max(event.size - 1, 0))
    same = (after > began) & (person[after] == person[began]) & (programme[after] == programme[began])
    names = {Event.ENDED: 0, Event.DROPPED: 1, Event.STOPPED_SIDE_EFFECTS: 2, Event.DIED: 3}
    left = np.full(began.size, LEFT.index("still treated"))
    for kind, number in names.items():
        left[same & (event[after] == kind)] = number
    over = left != LEFT.index("still treated")
    ended = date_of(start, day[after] if after.size else day[:0])
    ended[~over] = np.datetime64("NaT", "D")
    return {
        **_columns(person[began], programme[began], programmes, ids), "started": date_of(start, day[began]),
        "ended": ended, "left": level_codes(LEFT, left),
    }  # fmt: skip


def offers(
    log: DeliveryLog, programmes: Sequence[Programme], wanted: NDArray[np.int64], ids: Ids, start: datetime.date
) -> dict[str, Any]:
    """One row an offer to the persons `wanted` (sorted), with what became of it."""
    from fitss_abm.model.delivery_log import Event

    person, programme, day, event = _ordered(log, wanted)
    first = event == Event.OFFERED
    which = np.cumsum(first) - 1  # the offer that an event belongs to
    count = int(first.sum())

    def any_of(kind: Event) -> NDArray[np.bool_]:
        return np.bincount(which[(event == kind) & (which >= 0)], minlength=count)[:count] > 0

    started, screened, positive = any_of(Event.STARTED), any_of(Event.SCREENED), any_of(Event.POSITIVE)
    answer = np.select(
        [started, any_of(Event.DECLINED), any_of(Event.UNSERVED), any_of(Event.DIED), screened & ~positive],
        [ANSWERS.index(name) for name in ("started", "declined", "unserved", "died", "cleared by screening")],
        ANSWERS.index("waiting"),
    )
    return {
        **_columns(person[first], programme[first], programmes, ids), "offered": date_of(start, day[first]),
        "answer": level_codes(ANSWERS, answer),
    }  # fmt: skip


def started_by(simulation: Simulation, persons: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these have begun any treatment by now."""
    from fitss_abm.model.delivery_log import Event

    if not simulation.interventions:
        return np.zeros(persons.size, np.bool_)
    return np.isin(persons, simulation.delivery_log.persons(Event.STARTED))


def _ordered(log: DeliveryLog, wanted: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
    """Person, programme, day and event of these people, all of one person and programme together, in order."""
    chosen = np.flatnonzero(np.isin(log.person, wanted))
    chosen = chosen[np.lexsort((chosen, log.programme[chosen], log.person[chosen]))]
    return log.person[chosen], log.programme[chosen], log.day[chosen], log.event[chosen]


def _columns(
    person: NDArray[np.int64], programme: NDArray[Any], programmes: Sequence[Programme], ids: Ids
) -> dict[str, Any]:
    names = [one.name for one in programmes]
    kinds = list(dict.fromkeys(one.kind for one in programmes))
    kind = np.array([kinds.index(one.kind) for one in programmes], np.int64)
    return {
        "person_id": ids(person), "programme": level_codes(names, programme),
        "kind": level_codes(kinds, kind[programme.astype(np.int64)]),
    }  # fmt: skip

"""The log of deliveries: what happened to whom in which programme, when; and what that cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.programmes import Programme


class Event(IntEnum):
    """What the log tells of a person and a programme."""

    OFFERED = 0
    DECLINED = 1
    SCREENED = 2
    POSITIVE = 3
    WAITING = 4
    STARTED = 5
    DROPPED = 6
    STOPPED_SIDE_EFFECTS = 7
    ENDED = 8  # the course or the programme
    UNSERVED = 9  # still waiting when the programme ended
    DIED = 10  # while waiting or treated


class Record:
    """What happened to whom in one programme, in order."""

    def __init__(self) -> None:
        self.rows: list[tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint8]]] = []
        self.counts = dict.fromkeys(Event, 0)

    def add(self, day: int, persons: NDArray[np.int64], event: Event) -> None:
        """An event of these people on a day."""
        self.counts[event] += persons.size
        if persons.size:
            self.rows.append((np.full(persons.size, day, np.int32), persons, np.full(persons.size, event, np.uint8)))

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint8]]:
        """Day, person, event."""
        nothing = (np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.uint8))
        day, person, event = (np.concatenate(column) for column in zip(nothing, *self.rows, strict=True))
        return day, person, event

    def restore(self, day: NDArray[np.int32], person: NDArray[np.int64], event: NDArray[np.uint8]) -> None:
        """Take back what `arrays` gave."""
        self.rows = [(day, person, event)]
        self.counts = {kind: int(np.count_nonzero(event == kind)) for kind in Event}


@dataclass(frozen=True, eq=False)
class DeliveryLog:
    """All events of all programmes, in order of days, then of programmes."""

    day: NDArray[np.int32]
    """Days since the start."""
    person: NDArray[np.int64]
    """The person's number, founder x 65536 + generation."""
    programme: NDArray[np.int16]
    """Position in `names`."""
    event: NDArray[np.uint8]
    """An `Event`."""
    names: tuple[str, ...]

    def __len__(self) -> int:
        return self.day.size

    def persons(self, event: Event, programme: str | None = None) -> NDArray[np.int64]:
        """Whom an event happened to, in order; of one programme or of all."""
        chosen = self.event == event
        if programme is not None:
            chosen &= self.programme == self.names.index(programme)
        persons: NDArray[np.int64] = self.person[chosen]
        return persons

    @classmethod
    def of(cls, records: Iterable[Record], names: Iterable[str]) -> DeliveryLog:
        """The records of several programmes as one log."""
        each = [record.arrays() for record in records]
        number = np.repeat(np.arange(len(each), dtype=np.int16), [day.size for day, _, _ in each])
        day, person, event = (np.concatenate(column) for column in zip(*each, strict=True))
        order = np.argsort(day, kind="stable")
        return cls(day[order], person[order], number[order], event[order], tuple(names))


def account(programme: Programme, record: Record, person_weeks: int) -> dict[str, Any]:
    """How many of each event there were in one programme, person-weeks of treatment, and the cost (international dollars)."""
    counts = {event.name.lower(): record.counts[event] for event in Event}
    cost = programme.cost_per_start * counts["started"] + programme.cost_per_week * person_weeks
    if programme.screening is not None:
        cost += programme.screening.cost * counts["screened"]
    return {"programme": programme.name, "kind": programme.kind, **counts, "person_weeks": person_weeks, "cost": cost}

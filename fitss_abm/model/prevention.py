"""Prevention of childhood adversity: it reaches people still to come, those who enter the model at 12, and nobody who lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.delivery import adherence_of, grown, left_of
from fitss_abm.model.delivery_log import Event, Record
from fitss_abm.model.programmes import Programme
from fitss_abm.model.randomness import Decision
from fitss_abm.model.view import View, Who, chance, draws, key_of


class Prevention:
    """One programme. `next` (people,) is what it takes off the continuation of adversity of who is born next in each place.

    `onset_weeks` says how long it takes until a newcomer has had it through all of childhood.
    """

    def __init__(self, programme: Programme, people: int) -> None:
        self.programme = programme
        self.record = Record()
        self.person_weeks = 0
        self.next = np.zeros(people, np.float32)
        self.generation = np.zeros(people, np.uint16)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state, for a checkpoint."""
        day, person, event = self.record.arrays()
        return {
            "next": self.next,
            "generation": self.generation,
            "log_day": day,
            "log_person": person,
            "log_event": event,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `arrays` gave."""
        self.record.restore(arrays["log_day"], arrays["log_person"], arrays["log_event"])
        self.next[:], self.generation[:] = arrays["next"], arrays["generation"]

    @property
    def treated(self) -> NDArray[np.int64]:
        """Nobody: what was prevented is over."""
        return np.zeros(0, np.int64)

    def step(self, view: View, taken: Who | None) -> None:
        """Note whom it has reached since the last time, and what it will do for the next newcomer of each place."""
        p, today, now = self.programme, view.day, view.population["generation"]
        reached = np.flatnonzero((self.generation != now) & (self.next > 0))
        self.record.add(today, view.population.person(reached), Event.STARTED)
        self.generation[:] = now
        if today < p.start:
            return
        until = today if p.end is None else min(today, p.end)
        strength = p.acts[0].size * float(grown(np.float64(until - p.start), p.onset_weeks))
        if p.end is not None and today >= p.end:
            strength *= float(left_of(np.float64(today - p.end), p.waning_weeks))
        if strength == 0.0:
            self.next[:] = 0
            return
        key = key_of(view.key, p.name)
        words = draws(np.arange(now.size), now + np.uint16(1), 0, int(Decision.OFFER), *key)
        chosen = chance(words[:, 0], p.coverage) & chance(words[:, 1], p.uptake)
        self.next[:] = np.where(chosen, adherence_of(words[:, 2], p.adherence) * np.float32(strength), 0)

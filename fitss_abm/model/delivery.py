"""Delivery of one programme: who is offered it, waits, is treated, stops, and when. Once a week, by keyed luck.

What is decided of a person hangs on the person, the programme's name and the day alone, so another programme, or more people,
change nobody's luck. Only the queue of a programme with limited capacity ties people together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.arithmetic import exp, log
from fitss_abm.model.caching import compiled
from fitss_abm.model.delivery_log import Event, Record
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.programmes import Programme
from fitss_abm.model.randomness import Decision, uniform
from fitss_abm.model.view import View, Who, chance, draws, key_of

WEEK = 7
_MIDDLE = WEEK / 2  # an effect that grows or fades is that of the middle of the coming week
Slots = NDArray[np.int64]


class Stage(IntEnum):
    """Where a person stands in one programme."""

    FREE = 0  # not yet eligible when it was offered
    OUT = 1  # not covered, declined, cleared by screening, unserved, or long done
    WAITING = 2
    TREATED = 3
    LEFT = 4  # no longer treated; the effect wanes


@compiled()
def adherences(words, mean):  # type: ignore[no-untyped-def]
    """u^(1/mean - 1): between 0 and 1 with this mean, for a mean between 0 and 1 that is neither."""
    made = np.empty(words.shape[0], np.float32)
    power = np.float32(np.float32(1.0) / mean - np.float32(1.0))
    for k in range(words.shape[0]):
        made[k] = exp(power * log(uniform(words[k])))
    return made


COMPILED = (adherences,)
"""Every compiled entry point of this file, for the engine's cache."""


def adherence_of(words: NDArray[np.uint32], mean: float) -> NDArray[np.float32]:
    """Each person's adherence, from a word of theirs."""
    if mean in (0.0, 1.0):
        return np.full(words.size, mean, np.float32)
    made: NDArray[np.float32] = adherences(words, np.float32(mean))
    return made


def grown(days: Any, weeks: float) -> Any:
    """How much of an effect that grows evenly over so many weeks is there after so many days."""
    return np.minimum(1.0, days / (WEEK * weeks)) if weeks > 0 else np.ones_like(days, np.float64)


def left_of(days: Any, weeks: float | None) -> Any:
    """How much of an effect that fades evenly over so many weeks is left after so many days; None: all."""
    if weeks is None:
        return np.ones_like(days, np.float64)
    return np.maximum(0.0, 1.0 - days / (WEEK * weeks)) if weeks > 0 else np.zeros_like(days, np.float64)


class Delivery:
    """One programme among people. `step` on each seventh day; `doses` says how strongly it acts on whom."""

    def __init__(self, programme: Programme, people: int) -> None:
        self.programme = programme
        self.record = Record()
        self.person_weeks = 0
        self.stage = np.zeros(people, np.uint8)
        self.generation = np.zeros(people, np.uint16)
        self.since = np.zeros(people, np.int32)
        """Day of joining the queue or of the start."""
        self.left = np.zeros(people, np.int32)
        self.adherence = np.zeros(people, np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state, for a checkpoint."""
        day, person, event = self.record.arrays()
        return {
            "stage": self.stage, "generation": self.generation, "since": self.since, "left": self.left,
            "adherence": self.adherence, "log_day": day, "log_person": person, "log_event": event,
            "person_weeks": np.array(self.person_weeks),
        }  # fmt: skip

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `arrays` gave."""
        self.record.restore(arrays["log_day"], arrays["log_person"], arrays["log_event"])
        self.person_weeks = int(arrays["person_weeks"])
        for name in ("stage", "generation", "since", "left", "adherence"):
            getattr(self, name)[...] = arrays[name]

    @property
    def busy(self) -> Who:
        """Who waits or is treated."""
        busy: Who = (self.stage == Stage.WAITING) | (self.stage == Stage.TREATED)
        return busy

    @property
    def treated(self) -> Slots:
        """Slots of those in treatment."""
        return np.flatnonzero(self.stage == Stage.TREATED)

    def step(self, view: View, taken: Who | None) -> None:
        """The deliveries of a day. `view` has the programme's name; who is `taken` is not offered it."""
        p, today = self.programme, view.day
        self._moved_in(view)
        if today < p.start:
            return
        over = p.end is not None and today >= p.end
        self._leave(view, over=over)
        if not over:
            if p.recruit_weeks is None or today < p.start + WEEK * p.recruit_weeks:
                self._offer(view, taken)
            self._start(view)
        self.person_weeks += self.treated.size

    def doses(self, today: int) -> tuple[Slots, NDArray[np.float32]]:
        """Who is under the effect, and the share of its full size: adherence x onset x fading x waning."""
        p = self.programme
        slots = np.flatnonzero((self.stage == Stage.TREATED) | (self.stage == Stage.LEFT))
        gone = self.stage[slots] == Stage.LEFT
        until = np.where(gone, self.left[slots], today + _MIDDLE)
        dose = self.adherence[slots] * grown(until - self.since[slots], p.onset_weeks)
        dose *= left_of(today + _MIDDLE - self.since[slots], p.fading_weeks)
        dose *= np.where(gone, left_of(today + _MIDDLE - self.left[slots], p.waning_weeks), 1.0)
        return slots, dose.astype(np.float32)

    def words(self, view: View, slots: Slots, decision: Decision, *, day: int = 0) -> NDArray[np.uint32]:
        """Four words of a decision for these people."""
        key = key_of(view.key, self.programme.name)
        words: NDArray[np.uint32] = draws(slots, view.population["generation"][slots], day, int(decision), *key)
        return words

    def _moved_in(self, view: View) -> None:
        """Places whose people have died begin anew."""
        now = view.population["generation"]
        moved = np.flatnonzero(self.generation != now)
        dead = moved[self.busy[moved]]
        self.record.add(view.day, dead * 65536 + self.generation[dead], Event.DIED)
        self.stage[moved] = Stage.FREE
        self.generation[moved] = now[moved]

    def _tell(self, view: View, slots: Slots, event: Event) -> None:
        self.record.add(view.day, view.population.person(slots), event)

    def _leave(self, view: View, *, over: bool) -> None:
        """Courses end, people drop out or stop because of side effects; effects that have waned are over."""
        p, today = self.programme, view.day
        slots = self.treated
        weeks = (today - self.since[slots]) // WEEK
        ended = np.full(slots.size, over) if p.course_weeks is None else over | (weeks >= p.course_weeks)
        words = self.words(view, slots, Decision.STOPPING, day=today)
        weekly = 1.0 - (1.0 - p.side_effects) ** (1 / p.side_effect_weeks)
        suffers = ~ended & (weeks <= p.side_effect_weeks) & chance(words[:, 1], weekly)
        drops = ~ended & ~suffers & chance(words[:, 0], 1.0 - math.exp(-p.dropout_per_year * WEEK / DAYS_IN_YEAR))
        for chosen, event in ((ended, Event.ENDED), (suffers, Event.STOPPED_SIDE_EFFECTS), (drops, Event.DROPPED)):
            self._tell(view, slots[chosen], event)
        gone = slots[ended | suffers | drops]
        self.stage[gone], self.left[gone] = Stage.LEFT, today
        waned = (self.stage == Stage.LEFT) & (today - self.left >= WEEK * p.waning_weeks)
        self.stage[waned] = Stage.OUT
        if over:
            waiting = np.flatnonzero(self.stage == Stage.WAITING)
            self._tell(view, waiting, Event.UNSERVED)
            self.stage[waiting] = Stage.OUT

    def _offer(self, view: View, taken: Who | None) -> None:
        """Whoever has become eligible is covered or not, accepts or not, is screened, and joins the queue."""
        p = self.programme
        free = self.stage == Stage.FREE
        if taken is not None:
            free &= ~taken
        if not free.any():
            return
        slots = np.flatnonzero(free & p.eligible.reaches(view) & p.target.reaches(view))
        words = self.words(view, slots, Decision.OFFER)
        self.stage[slots] = Stage.OUT
        covered = chance(words[:, 0], p.coverage)
        slots, words = slots[covered], words[covered]
        self._tell(view, slots, Event.OFFERED)
        accepts = chance(words[:, 1], p.uptake)
        self._tell(view, slots[~accepts], Event.DECLINED)
        slots, words = slots[accepts], words[accepts]
        if p.screening is not None:
            has = p.screening.finds.reaches(view)[slots]
            luck = self.words(view, slots, Decision.SCREENING)[:, 0]
            positive = np.where(has, chance(luck, p.screening.sensitivity), ~chance(luck, p.screening.specificity))
            self._tell(view, slots, Event.SCREENED)
            self._tell(view, slots[positive], Event.POSITIVE)
            slots, words = slots[positive], words[positive]
        self.stage[slots], self.since[slots] = Stage.WAITING, view.day
        self.adherence[slots] = adherence_of(words[:, 2], p.adherence)

    def _start(self, view: View) -> None:
        """Those who wait start while there is room: first come, first served, and by luck within a week."""
        p, today = self.programme, view.day
        waiting = np.flatnonzero(self.stage == Stage.WAITING)
        luck = self.words(view, waiting, Decision.OFFER)[:, 3]
        waiting = waiting[np.lexsort((waiting, luck, self.since[waiting]))]
        room = waiting.size if p.capacity is None else max(0, p.capacity - self.treated.size)
        starts, waits = waiting[:room], waiting[room:]
        self._tell(view, waits[self.since[waits] == today], Event.WAITING)
        self._tell(view, starts, Event.STARTED)
        self.stage[starts], self.since[starts] = Stage.TREATED, today

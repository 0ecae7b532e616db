"""Streamed counts: how many adults have what, on the first of each month, as the simulation goes.

An observation is a filter and strata (`Strata`: who is counted, and in which cell), what people are seen to have (`seen.py`),
and aggregates (`_tally`: sums of whole numbers over the people of a cell, so the number of threads cannot change them). Other
strata and other ways to see can be had without touching the aggregates.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from fitss_abm.measurement.diagnosis import TRUTH
from fitss_abm.measurement.seen import Clinic, Look, Truth
from fitss_abm.model.arithmetic import count_bits
from fitss_abm.model.caching import compiled
from fitss_abm.model.conditions import MOST_CONDITIONS, Catalogue
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.simulation import Simulation

Counts64 = NDArray[np.int64]

ADULT_AGE = 18
SEXES = ("female", "male")
AGE_GROUPS = ("18-19", *(f"{low}-{low + 4}" for low in range(20, 85, 5)), "85+")
COUNTED_ONCE = ("fibromyalgia", "chronic_widespread_pain")
"""Fibromyalgia is widespread pain with more: the two make one condition in numbers of conditions."""

_LANES = MOST_CONDITIONS  # always all bits of the word: a loop of fixed length is vectorised
_CHUNKS = 64  # parts that are summed apart; fixed, but sums of whole numbers would be the same with any
_CASES, _RECENT, _EVER, _FIRST, _EPISODES, _ELIGIBLE = range(6)
_NUMBERS = _LANES + 1
_RECORDS = (
    "ever", "first_onsets", "episodes", "held_quarter", "held_quarter_1", "held_quarter_2", "held_quarter_3",
)  # fmt: skip


@dataclass(frozen=True)
class Strata:
    """Who is counted, and in which cell: `assign(simulation, cell)` writes everybody's cell, or -1, into `cell`
    (people,).

    Cells are numbered in row-major order of `levels`.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    assign: Callable[[Simulation, NDArray[np.int16]], None]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many levels each stratum has."""
        return tuple(len(levels) for levels in self.levels)


@compiled(parallel=True)
def _sex_and_age_group(female, birth_day, day, bands, cell):  # type: ignore[no-untyped-def]
    for i in prange(cell.shape[0]):
        age = (day - birth_day[i]) / DAYS_IN_YEAR
        band = min(max(int(age) // 5 - 3, 0), bands - 1)
        cell[i] = (0 if female[i] else bands) + band if age >= ADULT_AGE else -1


def _adults(simulation: Simulation, cell: NDArray[np.int16]) -> None:
    who = simulation.population
    _sex_and_age_group(who["female"], who["birth_day"], simulation.day, len(AGE_GROUPS), cell)


ADULTS_BY_SEX_AND_AGE = Strata(("sex", "age_group"), (SEXES, AGE_GROUPS), _adults)
"""People aged 18 or more (to the day) by sex and five-year age group."""


@compiled(parallel=True)
def _tally(  # type: ignore[no-untyped-def]
    cell, female, birth_day, menopause_age, conditions, ever, first_onsets, episodes,
    recent_0, recent_1, recent_2, recent_3,
    day, of_sex, until_menopause, late_bits, late_ages, counted, counted_once, with_pairs, sums, people, numbers, pairs,
):  # fmt: skip
    """Sums by chunk: `sums` (chunks, 6, cells, 32), `people` (chunks, cells), `numbers` (chunks, cells, 33), `pairs`
    (chunks, 3, 32, 32).

    Of a pair (a, b): eligible for both; a case of a, eligible for b; a case of both.
    """
    chunks = people.shape[0]
    size = (cell.shape[0] + chunks - 1) // chunks
    for chunk in prange(chunks):
        words = np.empty(6, np.uint32)
        for i in range(chunk * size, min((chunk + 1) * size, cell.shape[0])):
            c = cell[i]
            if c < 0:
                continue
            age = (day - birth_day[i]) / DAYS_IN_YEAR
            eligible = of_sex[0 if female[i] else 1]
            if age >= menopause_age[i]:
                eligible &= ~until_menopause
            for k in range(late_bits.shape[0]):
                if age < late_ages[k]:
                    eligible &= ~late_bits[k]
            held = conditions[i] & eligible
            words[_CASES] = held
            words[_RECENT] = (held | recent_0[i] | recent_1[i] | recent_2[i] | recent_3[i]) & eligible
            words[_EVER] = ever[i] & eligible
            words[_FIRST] = first_onsets[i] & eligible
            words[_EPISODES] = episodes[i] & eligible
            words[_ELIGIBLE] = eligible
            for k in range(6):
                word = words[k]
                for lane in range(_LANES):
                    sums[chunk, k, c, lane] += (word >> np.uint32(lane)) & np.uint32(1)
            people[chunk, c] += 1
            number = count_bits(held & counted)
            if counted_once != 0 and (held & counted_once) == counted_once:
                number -= 1
            numbers[chunk, c, number] += 1
            if with_pairs:
                for a in range(_LANES):
                    bit = np.uint32(1) << np.uint32(a)
                    if eligible & bit:
                        for lane in range(_LANES):
                            pairs[chunk, 0, a, lane] += (eligible >> np.uint32(lane)) & np.uint32(1)
                    if held & bit:
                        for lane in range(_LANES):
                            pairs[chunk, 1, a, lane] += (eligible >> np.uint32(lane)) & np.uint32(1)
                            pairs[chunk, 2, a, lane] += (held >> np.uint32(lane)) & np.uint32(1)


@dataclass(frozen=True, eq=False)
class Counts:
    """What was counted: T dates, strata of shape S (two sexes, fifteen age groups), C conditions, P dates with pairs.

    `eligible`, `cases`, `recent`, `ever`, `first_onsets`, `episodes`: (T, *S, C). Eligible are those whose sex and age
    (and, where it matters, menopause) let them have the condition. `recent`: cases at some time in the last nine to
    twelve months (this quarter of a year and the three before it; at first those of the pre-history).
    `first_onsets` and `episodes` are since the date before; of people who died meanwhile they are not seen (half a
    month of about 1 % a year).
    """

    strata: Strata
    conditions: tuple[str, ...]
    dates: tuple[datetime.date, ...]
    people: Counts64
    """(T, *S)"""
    eligible: Counts64
    cases: Counts64
    recent: Counts64
    ever: Counts64
    first_onsets: Counts64
    episodes: Counts64
    numbers: Counts64
    """(T, *S, 33): people by number of conditions; those of the catalogue's `counted`, COUNTED_ONCE as one."""
    pair_dates: tuple[datetime.date, ...]
    pairs: Counts64
    """(P, 3, C, C) of conditions a and b: eligible for both; of these, cases of a; cases of both."""


class Observer:
    """Counts the people of a running simulation. `observe` as often as wanted; `counts` gives everything observed.

    Seen as truth, it clears the columns `first_onsets` and `episodes`, so a simulation has one such observer. Seen as a clinic
    does, `ever` is what is on record and `first_onsets` and `episodes` what came there since the observation before; a survey knows
    of none of these (they are 0).
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        start: datetime.date,
        strata: Strata = ADULTS_BY_SEX_AND_AGE,
        look: Look | None = None,
    ) -> None:
        self._simulation = simulation
        self._look = look or Truth(simulation)
        self._before: tuple[Any, Any] | None = None
        self._start = start
        self._strata = strata
        self._cell = np.empty(simulation.people, dtype=np.int16)
        self._masks = _masks(simulation.catalogue)
        self._seen: list[tuple[datetime.date, dict[str, Counts64]]] = []
        self._pairs: list[tuple[datetime.date, Counts64]] = []

    def observe(self, *, pairs: bool) -> None:
        """Count everybody as they are now; with `pairs`, also who has two conditions at once."""
        simulation = self._simulation
        who = simulation.population
        date = self._start + datetime.timedelta(days=simulation.day)
        self._strata.assign(simulation, self._cell)
        cells = int(np.prod(self._strata.shape))
        chunks = min(_CHUNKS, -(-simulation.people // 1024))
        sums = np.zeros((chunks, 6, cells, _LANES), dtype=np.int64)
        people = np.zeros((chunks, cells), dtype=np.int64)
        numbers = np.zeros((chunks, cells, _NUMBERS), dtype=np.int64)
        both = np.zeros((chunks, 3, _LANES, _LANES), dtype=np.int64)
        _tally(
            self._cell, who["female"], who["birth_day"], who["menopause_age"], *self._words(), simulation.day,
            *self._masks, pairs, sums, people, numbers, both,
        )  # fmt: skip
        if self._look.name == TRUTH:
            who["first_onsets"][:] = 0
            who["episodes"][:] = 0
        known = len(simulation.catalogue)
        total = sums.sum(axis=0)[:, :, :known]
        names = ("cases", "recent", "ever", "first_onsets", "episodes", "eligible")
        found = {name: total[k].reshape(*self._strata.shape, known) for k, name in enumerate(names)}
        found["people"] = people.sum(axis=0).reshape(self._strata.shape)
        found["numbers"] = numbers.sum(axis=0).reshape(*self._strata.shape, _NUMBERS)
        self._seen.append((date, found))
        if pairs:
            self._pairs.append((date, both.sum(axis=0)[:, :known, :known]))

    def _words(self) -> list[NDArray[np.uint32]]:
        """Conditions, ever, first_onsets, episodes and the four quarters, as they are seen."""
        who = self._simulation.population
        if isinstance(self._look, Clinic):
            present, ever = self._look.records()
            new, living = np.zeros_like(ever), who["generation"].copy()
            if self._before is not None:
                before, lived = self._before
                new = ever & ~np.where(lived == living, before, np.uint32(0))
            self._before = ever, living
            return [present, ever, new, new, *[present] * 4]
        seen = self._look.words()
        if self._look.name == TRUTH:
            return [seen, *(who[name] for name in _RECORDS)]
        return [seen, *[np.zeros_like(seen)] * len(_RECORDS)]

    def counts(self) -> Counts:
        """Everything observed so far."""
        known = len(self._simulation.catalogue)
        stacked = {name: np.stack([found[name] for _, found in self._seen]) for name in self._seen[0][1]}
        return Counts(
            strata=self._strata,
            conditions=self._simulation.catalogue.ids,
            dates=tuple(date for date, _ in self._seen),
            pair_dates=tuple(date for date, _ in self._pairs),
            pairs=np.array([table for _, table in self._pairs], dtype=np.int64).reshape(-1, 3, known, known),
            **stacked,
        )


def _masks(catalogue: Catalogue) -> tuple[Any, ...]:
    """Who may have what, as `_tally` reads it: words by sex, until menopause, from which age; which conditions are
    counted.
    """

    def word(ids: Sequence[str]) -> np.uint32:
        return np.uint32(catalogue.mask(ids))

    late = [c for c in catalogue.conditions if c.age_from > ADULT_AGE]
    once = COUNTED_ONCE if set(COUNTED_ONCE) <= set(catalogue.counted) else ()
    return (
        np.array(
            [word([c.id for c in catalogue.conditions if c.sex in (None, sex)]) for sex in SEXES], dtype=np.uint32
        ),
        word([c.id for c in catalogue.conditions if c.until_menopause]),
        np.array([word([c.id]) for c in late], dtype=np.uint32),
        np.array([c.age_from for c in late], dtype=np.float64),
        word(catalogue.counted),
        word(once),
    )


def observation_days(start: datetime.date, days: int) -> dict[int, bool]:
    """Days of a run of `days` days from `start` on which to count: the first, the first of each month, the last.

    The value says whether to count pairs too: on the first day, each 1 January and the last day.
    """
    chosen = {}
    for day in range(days + 1):
        date = start + datetime.timedelta(days=day)
        if date.day == 1 or day in (0, days):
            chosen[day] = day in (0, days) or date.month == 1
    return chosen

"""A simulated cohort: the same people seen on several days, as the studies saw theirs with whom they are compared."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study import survey_answers
from fitss_abm.study.targets import ADULT_AGE, OPEN_AGE

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

Bools = NDArray[np.bool_]
Numbers = NDArray[Any]

YEAR = 365.25
BASELINE, FOLLOW_UP, SURVEY, LAST = 0, 475, 727, 1455
"""Days seen in full: 0; 1.3, 2 and 4 years. The last two end a quarter of a year, so that the record of the last four
quarters then covers 364 days and that of the present one 91."""
HALF_YEARS = (0, 182, 364, 546, 727, 909, 1091, 1273, 1455)
"""Days on which a cohort that is followed is asked."""
DAYS = tuple(sorted({FOLLOW_UP, *HALF_YEARS}))
_FULL = (BASELINE, FOLLOW_UP, SURVEY, LAST)
_COLUMNS = (
    "conditions", "ever", "episodes", "female", "age", "adversity", "loneliness", "stressors", "felt_support",
    "poor_sleep",
)  # fmt: skip
_QUARTERS = ("held_quarter", "held_quarter_1", "held_quarter_2", "held_quarter_3")
_PAIN_WEEKS = 3  # the row of `weeks_met` with the weeks in which something hurt
_WEAK_TIE = 0
_OFFER_BITS, _OFFER_UNIT = np.uint32(16), 16384.0


@dataclass(frozen=True, eq=False)
class Visit:
    """Everybody as they were on one day: columns of the population, and a few made of them, each (people,)."""

    day: int
    columns: Mapping[str, Numbers]
    bit: Mapping[str, int]

    def __getitem__(self, name: str) -> Numbers:
        return self.columns[name]

    def has(self, *ids: str, column: str = "conditions") -> Bools:
        """Who has any of these conditions now; `column`: ever, episodes (since the start), quarter (in the last 91
        days), year (in the last 364), present_on_record or on_record (where records are kept).
        """
        mask = np.uint32(sum(1 << self.bit[id] for id in ids))
        return np.asarray((self.columns[column] & mask) != 0)

    @property
    def women(self) -> Bools:
        return np.asarray(self.columns["female"] > 0)

    def aged(self, low: float = ADULT_AGE, high: float = OPEN_AGE) -> Bools:
        """Who is `low` years old or more and not yet `high`."""
        age = self.columns["age"]
        return np.asarray((age >= low) & (age < high))

    def strata(self, *, years: float = 10.0) -> NDArray[np.int64]:
        """A number for each sex and age band of so many years."""
        return np.asarray(self.columns["age"] // years * 2 + self.women, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Cohort:
    """People seen on several days; `replicate` says in which run each lived. `network`: statistics of each run's ties."""

    visits: Mapping[int, Visit]
    replicate: NDArray[np.int64]
    network: tuple[Mapping[str, float], ...] = ()

    @property
    def baseline(self) -> Visit:
        return self.visits[BASELINE]

    @property
    def survey(self) -> Visit:
        """The visit at two years, when cross-sections are taken."""
        return self.visits[SURVEY]

    def alive(self, day: int) -> Bools:
        """Who of the people of the first day is still there."""
        return np.asarray(self.visits[day]["person"] == self.baseline["person"])

    def first_time(self, happened: Callable[[Visit], Bools], at_risk: Bools) -> tuple[Bools, NDArray[np.float64]]:
        """Of those at risk at baseline: to whom it had happened at a later half-yearly visit, and for how many years
        each was at risk. The year in which it happened, or somebody died, counts to the middle of the half-year.
        """
        still, event = at_risk.copy(), np.zeros_like(at_risk)
        years = np.zeros(at_risk.size)
        days = [day for day in HALF_YEARS if day in self.visits]
        for before, day in itertools.pairwise(days):
            alive = self.alive(day)
            new = still & alive & happened(self.visits[day])
            going = still & alive & ~new
            step = (day - before) / YEAR
            years += step * (going + 0.5 * (still & ~going))
            event |= new
            still = going
        return event, years


def follow(simulation: Simulation, *, replicate: int = 0, tell: Callable[[float], None] | None = None) -> Cohort:
    """Live through the four years of a new simulation and keep what is seen; at the survey everybody is asked, and some keep a
    diary afterwards. `tell` hears how much is done, 0 to 1.
    """
    from fitss_abm.model.network_statistics import statistics

    tell = tell or (lambda fraction: None)
    half = 0.5
    simulation.prepare(lambda done, days: tell(half * done / days))
    visits = {}
    ties: dict[str, float] = {}
    for day in DAYS:
        simulation.advance(day - simulation.day)
        visits[day] = seen(simulation, full=day in _FULL)
        if day == SURVEY:
            answers = survey_answers.told(simulation)
            answers |= survey_answers.kept(simulation)
            visits[day] = replace(visits[day], columns={**visits[day].columns, **answers})
        if day == BASELINE:
            who = simulation.population
            ties = statistics(simulation.network, who["birth_day"], day, who["female"].astype(bool))
        tell(half + half * day / LAST)
    return Cohort(visits, np.full(simulation.people, replicate), (ties,))


def pooled(cohorts: Iterable[Cohort]) -> Cohort:
    """Cohorts of several runs as one."""
    parts = list(cohorts)
    visits = {}
    for day, first in parts[0].visits.items():
        columns = {name: np.concatenate([part.visits[day][name] for part in parts]) for name in first.columns}
        visits[day] = Visit(day, columns, first.bit)
    replicate = np.concatenate([part.replicate for part in parts])
    return Cohort(visits, replicate, tuple(ties for part in parts for ties in part.network))


def seen(simulation: Simulation, *, full: bool) -> Visit:
    """Everybody as they are today; `full`: with all columns, else only what they have and had, and what is on record."""
    who = simulation.population
    columns: dict[str, Numbers] = {"person": who.person(), "conditions": who["conditions"].copy()}
    columns["ever"] = who["ever"].copy()
    if "care_time" in who:
        from fitss_abm.measurement.seen import Clinic

        columns["present_on_record"], columns["on_record"] = Clinic(simulation).records()
    if full:
        columns |= {name: who[name].copy() for name in _COLUMNS}
        columns["age"] = ((simulation.day - who["birth_day"]) / YEAR).astype(np.float32)
        columns["quarter"] = who["conditions"] | who["held_quarter"]
        columns["year"] = np.bitwise_or.reduce([who["conditions"], *(who[name] for name in _QUARTERS)])
        columns["painful_weeks"] = np.bitwise_count(who["weeks_met"][_PAIN_WEEKS])
        columns["pain"] = _pain(simulation)
        columns["offer"] = (simulation.offers[(simulation.day - 1) % 2] >> _OFFER_BITS) / _OFFER_UNIT
        columns["ties"] = _ties(simulation)
    return Visit(simulation.day, columns, simulation.catalogue.bit)


def _pain(simulation: Simulation) -> Numbers:
    from fitss_abm.model.pain import pain_intensity

    who = simulation.population
    gain = np.float32(simulation.parameters["pain_gain"])
    states = (who[name] for name in ("body_map", "sensitization", "variation", "central_gain", "reported_relief"))
    rated = (pain_intensity(*person, gain, relief) for *person, relief in zip(*states, strict=True))
    return np.fromiter(rated, dtype=np.float32, count=simulation.people)


def _ties(simulation: Simulation) -> Numbers:
    network = simulation.network
    ego = np.repeat(np.arange(network.people), np.diff(network.start))
    return np.bincount(ego[network.weight > _WEAK_TIE], minlength=network.people)

"""The same people in two arms: what became different for whom, as sums over groups, never as rows of people.

An effect is the value in the other arm less that in the baseline, so what averts something is below 0. Compared is whoever is an
adult in both arms on the last day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.measurement.arm_tally import People, number_of, view_of
from fitss_abm.measurement.observers import ADULT_AGE, SEXES
from fitss_abm.measurement.reach import UNREACHABLE, ordinary_ties
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.simulation import Simulation

OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "number": "conditions",
        "any": "people with any condition",
        "pain": "points of rated pain, 0 to 10",
        "severity": "points of the symptom severity scale, 0 to 12",
        "disability": "years lived with disability",
    }
)
"""What is compared person by person, with its unit."""
LATER = "entered later"
"""The level of whoever was not there, or not yet adult, on the first day."""
_THIRDS = ("lowest third", "middle third", "highest third")
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "everybody": ("all",),
        "reached": ("treated", "not treated"),
        "distance": ("0", "1", "2", "3", "4+", "no tie leads there", LATER),
        "sex": SEXES,
        "age": ("18-39", "40-59", "60+", LATER),
        "adversity": ("0", "1-3", "4+"),
        "loneliness": (*_THIRDS, LATER),
        "symptoms": (*_THIRDS, LATER),
        "conditions": ("0", "1", "2+", LATER),
    }
)
"""Groups of people by what they were on the first day in the baseline arm; `symptoms`: WPI plus symptom severity,
equals by central sensitization."""
_FAR = 4
_BREAKS_TIES = 0.9  # of a point, at most
PAIN_EDGES = tuple(np.arange(-10.25, 10.5, 0.5).tolist())
NUMBER_EDGES = tuple(np.arange(-6.5, 7.0, 1.0).tolist())
_KINDS = ("sex", "age", "adversity", "loneliness", "symptoms")


@dataclass(frozen=True, eq=False)
class Start:
    """Everybody on the first day: their number, the level of each group that they belong to (-1 is LATER), and their ties."""

    person: NDArray[np.int64]
    levels: Mapping[str, NDArray[np.int64]]
    ties: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Places at both ends."""


def start_of(simulation: Simulation) -> Start:
    """Groups of the first day of the baseline arm."""
    who, view = simulation.population, view_of(simulation)
    age = (simulation.day - who["birth_day"]) / DAYS_IN_YEAR
    adult = age >= ADULT_AGE
    number = number_of(who["conditions"], simulation.catalogue)
    symptoms = view.measure("wpi").astype(np.float64) + who["somatic_severity"] + _BREAKS_TIES * who["sensitization"]
    levels = {
        "sex": np.where(who["female"] == 1, 0, 1),
        "age": np.digitize(age, (40, 60)),
        "adversity": np.digitize(who["adversity"], (1, 4)),
        "loneliness": _thirds(who["loneliness"].astype(np.float64), adult),
        "symptoms": _thirds(symptoms, adult),
        "conditions": np.minimum(number, 2),
    }
    changing = ("age", "loneliness", "symptoms", "conditions")
    levels |= {name: np.where(adult, levels[name], -1) for name in changing}
    return Start(who.person(), levels, ordinary_ties(simulation.network))


def contrasts(
    start: Start,
    baseline: People,
    arm: People,
    now: Simulation,
    *,
    reached: NDArray[np.int64],
    steps: NDArray[np.int64],
) -> dict[str, Any]:
    """Sums over the levels of each of GROUPS and, in `kinds`, over all of _KINDS at once; histograms of single effects.

    `reached`: numbers of those who were treated in one arm only. `steps`: distance of each place from them.
    For each group: n (L,), sum and square (L, outcomes). `now`: either arm on the last day, for sex and adversity of newcomers.
    """
    both = baseline.adult & arm.adult & (baseline.person == arm.person)
    effects = np.stack(
        [
            arm.number - baseline.number,
            (arm.number > 0).astype(np.int64) - (baseline.number > 0),
            arm.pain - baseline.pain,
            arm.severity - baseline.severity,
            arm.disability - baseline.disability,
        ],
        axis=1,
    ).astype(np.float64)[both]
    levels = _levels(start, baseline, now, reached, steps)
    made: dict[str, Any] = {}
    for name, known in GROUPS.items():
        level = levels[name][both]
        level = np.where(level < 0, len(known) - 1, level)
        made[name] = _sums(level, len(known), effects)
    shape = [len(GROUPS[name]) for name in _KINDS]
    parts = [np.where(levels[name][both] < 0, len(GROUPS[name]) - 1, levels[name][both]) for name in _KINDS]
    cell = np.ravel_multi_index(parts, shape)
    made["kinds"] = _sums(cell, int(np.prod(shape)), effects)
    made["histograms"] = {
        "number": np.histogram(effects[:, 0], NUMBER_EDGES)[0],
        "pain": np.histogram(effects[:, 2], PAIN_EDGES)[0],
    }
    return made


def _levels(
    start: Start, people: People, now: Simulation, reached: NDArray[np.int64], steps: NDArray[np.int64]
) -> dict[str, NDArray[np.int64]]:
    who = now.population
    there = people.person == start.person
    levels = {name: np.where(there, level, -1) for name, level in start.levels.items()}
    levels["sex"] = np.where(who["female"] == 1, 0, 1)
    levels["adversity"] = np.digitize(who["adversity"], (1, 4))
    treated = np.isin(people.person, reached)
    distance = np.where(steps == UNREACHABLE, _FAR + 1, np.minimum(steps, _FAR))
    distance = np.where(steps == 0, 1, distance)  # lives where somebody treated lived
    distance = np.where(there, distance, -1)
    levels["distance"] = np.where(treated, 0, distance)
    levels["reached"] = np.where(treated, 0, 1)
    levels["everybody"] = np.zeros(treated.size, np.int64)
    return levels


def _sums(level: NDArray[np.int64], levels: int, effects: NDArray[np.float64]) -> dict[str, Any]:
    n = np.bincount(level, minlength=levels)
    by = [[np.bincount(level, weights=column**power, minlength=levels) for column in effects.T] for power in (1, 2)]
    return {"n": n, "sum": np.array(by[0]).T, "square": np.array(by[1]).T}


def _thirds(values: NDArray[np.float64], among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The third of `among` in which a value lies; equals stay together."""
    if not among.any():
        return np.zeros(values.size, np.int64)
    return np.searchsorted(np.quantile(values[among], (1 / 3, 2 / 3)), values, side="left")

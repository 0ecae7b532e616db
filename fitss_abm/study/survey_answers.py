"""What the people of a followed cohort say when asked: questionnaires at the survey, and a diary of some after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.targets import ADULT_AGE

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

SCORES = ("csi", "fiqr", "sss", "phq9", "ibs_rome3", "events_year", "adversity_reported")
DIARY_PEOPLE, DIARY_DAYS = 2_000, 42
"""At most so many adults of a run, for as long as in Bolger 1989."""
_FEWEST_PAIRS = 10

Numbers = NDArray[Any]


def told(simulation: Simulation) -> dict[str, Numbers]:
    """The scores of everybody today, by instrument, and the states that the threat x soothing row needs."""
    from fitss_abm.measurement.instruments import administer

    everybody = np.arange(simulation.people, dtype=np.int64)
    states = {name: simulation.population[name].copy() for name in ("threat", "soothing")}
    return administer(simulation, everybody, scores=SCORES) | states


def kept(simulation: Simulation) -> dict[str, Numbers]:
    """What DIARY_DAYS of diary say of each person, (people,), NaN for who keeps none; the simulation goes on by so many days.

    inertia: autocorrelation of negative affect from one day to the next about the person's own mean, of the pairs of days
    that were both answered. hassles_affect, hassles_square, affect_square: sums over days of products of deviations from the
    person's means of the number of hassles and negative affect.
    """
    from fitss_abm.measurement.diary import day_of_diary

    adults = np.flatnonzero(simulation.population["age"] >= ADULT_AGE)
    if adults.size > DIARY_PEOPLE:
        adults = adults[np.linspace(0, adults.size - 1, DIARY_PEOPLE).astype(np.int64)]
    person = simulation.population.person(adults)
    affect, hassles = (np.full((DIARY_DAYS, adults.size), np.nan) for _ in range(2))
    for day in range(DIARY_DAYS):
        simulation.advance(1)
        here = simulation.population.person(adults) == person
        today = day_of_diary(simulation, adults[here]).to_pandas()
        affect[day, here] = today["negative_affect"]
        hassles[day, here] = today["hassles"].astype(float)
    days = np.maximum(np.isfinite(affect).sum(axis=0), 1)
    y = affect - np.nansum(affect, axis=0) / days
    x = hassles - np.nansum(hassles, axis=0) / days
    products = y[1:] * y[:-1]
    pairs = np.isfinite(products).sum(axis=0)
    variance = np.nansum(y**2, axis=0) / days
    enough = (pairs >= _FEWEST_PAIRS) & (variance > 0)
    covariance = np.nansum(products, axis=0) / np.maximum(pairs, 1)
    found = {
        "inertia": np.where(enough, covariance / np.where(enough, variance, 1.0), np.nan),
        "hassles_affect": np.nansum(x * y, axis=0),
        "hassles_square": np.nansum(x**2, axis=0),
        "affect_square": np.nansum(y**2, axis=0),
    }
    columns = {}
    for name, values in found.items():
        columns[name] = np.full(simulation.people, np.nan)
        columns[name][adults] = values
    return columns

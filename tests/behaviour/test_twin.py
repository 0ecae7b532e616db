"""The engine against a twin of the day written from docs/model.md: after a day, a month, a year, and a pre-history.

Both use float32, but the twin has NumPy's exp and log, so numbers differ in the last bits (1e-7), and what compares a number
with a threshold or a random word may fall the other way for a person once in many years. Such a flip changes a whole-number
column of that person. FLIPPED people are allowed to differ; of the others every number must agree.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fitss_abm.model import history
from fitss_abm.model.conditions import Catalogue, shipped
from fitss_abm.model.demography import Demography, load
from fitss_abm.model.network import Layer, Network
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.simulation import Seeds, Simulation

PEOPLE = 70  # two units of 64: two weekdays
FLIPPED = 1  # people; in a year of 70 about 0.1 are to be expected, and here there is none
# More of what is rare, so that a year of 70 people passes through every rule and both sides of its conditions.
EAGER = {
    "injury_rate": 1.0, "infection_rate": 2.0, "life_event_rate": 6.0, "trauma_share": 0.2, "soothing_floor": 0.5,
    "care_rate": 3.0, "recognition": 0.1, "recognition_tender_points": 2.0,
}  # fmt: skip
SHIPPED: dict[str, float] = {}


def _twin() -> ModuleType:
    """The module beside this one, which is no package."""
    spec = importlib.util.spec_from_file_location("fitss_twin", Path(__file__).with_name("twin.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


twin = _twin()


def deadly(times: float) -> Demography:
    demography = load("Germany")
    return dataclasses.replace(demography, death_rate=demography.death_rate * times)


def busy() -> Catalogue:
    """Conditions that come and go quickly; rare ones are not rare."""
    return Catalogue(
        dataclasses.replace(
            c,
            onset_per_1000_person_years=8 * c.onset_per_1000_person_years + (30 if c.has_hazard else 0),
            remission_per_year=6 * c.remission_per_year,
        )
        for c in shipped().conditions
    )


def ties() -> Network:
    """Random ties of every layer, directed, of strengths on both sides of what is close."""
    rng = np.random.default_rng(4)
    pairs = np.argwhere(np.triu(rng.random((PEOPLE, PEOPLE)) < 0.08, 1))
    layer = rng.integers(0, Layer.GIVEN + 1, len(pairs))
    forth, back = rng.gamma(2.0, 0.6, (2, len(pairs)))
    return Network.from_edges(
        people=PEOPLE,
        source=np.concatenate([pairs[:, 0], pairs[3:, 1]]),  # the first three support in one direction only
        target=np.concatenate([pairs[:, 1], pairs[3:, 0]]),
        weight=np.concatenate([forth, back[3:]]),
        layer=np.concatenate([layer, layer[3:]]),
        directed=True,
    )


def simulated(**arguments: Any) -> Simulation:
    return Simulation(
        people=PEOPLE, demography=deadly(20.0), network=ties(), seeds=Seeds(master=11), threads=1, **arguments
    )


def treat(simulation: Simulation) -> None:
    """What programmes may add and take off, here of everybody: other numbers for each, some of them 0."""
    rng = np.random.default_rng(8)
    who = simulation.population
    for name in ("added_weight", "added_support", "sleep_relief", "reported_relief"):
        who[name][:] = rng.gamma(0.7, 1.0, simulation.people)
    for name in ("stress_relief", "peripheral_relief"):
        who[name][:] = rng.choice([0.0, 0.3, 1.0], simulation.people)
    simulation.prevention[:] = rng.choice([0.0, 0.5, 1.0], simulation.people)


def disagreement(simulation: Simulation, by_hand: Any) -> tuple[set[int], dict[str, float]]:
    """People who differ in a whole-number column; of the rest, the largest relative difference of each float column.

    A number near 0 is held against a hundredth: columns are of order one.
    """
    columns = by_hand.columns()
    assert set(columns) == set(simulation.population)
    flipped = np.zeros(simulation.people, dtype=bool)
    for name, column in columns.items():
        if column.dtype.kind in "iu":
            differs = column != simulation.population[name]
            flipped |= differs if differs.ndim == 1 else differs.any(axis=0)
    apart = {}
    for name, column in columns.items():
        if column.dtype.kind == "f":
            mine, engine = (array[..., ~flipped].astype(float) for array in (column, simulation.population[name]))
            apart[name] = float(np.max(np.abs(mine - engine) / np.maximum(np.abs(engine), 0.01)))
    return set(np.flatnonzero(flipped).tolist()), apart


def beyond(apart: dict[str, float], relative: float) -> dict[str, float]:
    return {name: largest for name, largest in apart.items() if not largest <= relative}


def held(simulation: Simulation, name: str) -> int:
    return int(np.count_nonzero(simulation.population["conditions"] & (1 << simulation.catalogue.bit[name])))


@pytest.mark.parametrize(
    ("parameters", "slow_days", "days"),
    [(SHIPPED, 7, 365), (EAGER, 7, 365), (EAGER | {"hassle_rate": 2.0}, 1, 60)],
    ids=["as shipped", "with more of what is rare", "many hassles, onset and remission drawn daily"],
)
def test_the_engine_does_what_the_document_says(parameters: dict[str, float], slow_days: int, days: int) -> None:
    catalogue = busy() if parameters else shipped()
    simulation = simulated(parameters=Parameters(**parameters), slow_days=slow_days, catalogue=catalogue)
    simulation.prepare()
    # nobody is diagnosed yet, so that there is somebody left to be
    conditions = simulation.population["conditions"]
    conditions &= ~np.uint32(1 << simulation.catalogue.bit["fibromyalgia_diagnosed"])
    if parameters:
        treat(simulation)
    by_hand = twin.Twin(simulation, slow_days=slow_days)
    ever_flipped: set[int] = set()
    for day in (1, 30, *range(33, days, 14), days):
        by_hand.advance(day - by_hand.day)
        simulation.advance(day - simulation.day)
        flipped, apart = disagreement(simulation, by_hand)
        ever_flipped |= flipped
        allowed = 1e-5 if day == 1 else 1e-4
        assert not beyond(apart, allowed), f"numbers that differ after {day} days"
        assert len(ever_flipped) <= (0 if day == 1 else FLIPPED), f"people whose states differ after {day} days"
    assert (by_hand.words == simulation.offers[simulation.day % 2]).mean() > 0.9, "what everybody offers"

    # the time has passed through what it is to test
    who = simulation.population
    assert by_hand.deaths == who["generation"].sum() > 0
    assert who["episodes"].any()
    assert (who["stressors"] & 15).any()
    if days == 365 and parameters:
        assert (who["weeks_since"].min(axis=1) < 9).all(), "each trigger must have happened"
        assert who["soothing"].min() == np.float32(0.5), "the floor of soothing must have been reached"
        assert held(simulation, "fibromyalgia_diagnosed") > 0


def test_the_pre_history_is_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    # a stage slower than life too: what has no time to happen at pace 0.4 is a case of its own
    stages = (history.Stage(3652.5, 1e9, 200), history.Stage(100.0, 3552.5, 100), history.Stage(0.0, 100.0, 240))
    monkeypatch.setattr(history, "STAGES", stages)
    monkeypatch.setattr(history, "DAYS", sum(stage.days for stage in stages))
    simulation = simulated(parameters=Parameters(**EAGER), catalogue=busy())
    by_hand = twin.Twin(simulation)
    simulation.prepare()
    by_hand.prepare(twin.Stage(stage.later, stage.span, stage.days) for stage in stages)
    flipped, apart = disagreement(simulation, by_hand)
    assert not beyond(apart, 1e-4)
    assert len(flipped) <= FLIPPED


def test_people_are_born_as_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "STAGES", ())
    simulation = Simulation(
        people=500, demography=load("Japan"), network=Network.empty(people=500), seeds=Seeds(master=5), threads=1
    )
    by_hand = twin.Twin(simulation)
    simulation.prepare()
    by_hand.prepare(())
    flipped, apart = disagreement(simulation, by_hand)
    assert not beyond(apart, 1e-5)
    assert len(flipped) <= FLIPPED

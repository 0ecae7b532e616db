"""A population that begins as a survey says: people of the records' sex and age, with lives that fit what else they say.

A pool of donors, several times as many people of the same sexes and ages, lives through the pre-history. Each person takes the
whole state of the donor who fits best (records_matching.py), in ties of its own. A condition that a record states and the donor
contradicts is imposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.imposing import impose
from fitss_abm.model.population import Founders
from fitss_abm.study.arms import view_of
from fitss_abm.study.records import Records
from fitss_abm.study.records_mapping import DONORS
from fitss_abm.study.records_matching import Floats, Side, Slots, contradictions, match
from fitss_abm.study.records_people import Drawn

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

LEAST_DONORS = 20_000
"""People in the pool at the least, unless `donors` is given. Assumed: rare conditions must be among them when records are few."""


@dataclass(frozen=True, eq=False)
class Matched:
    """What came of matching. Arrays of shape (people,)."""

    donor: Slots
    imposed: Mapping[str, NDArray[np.bool_]]
    """By condition: who holds it, or is free of it, only because the record says so."""
    said: Mapping[str, Floats]
    """What the record says, by mapped name; NaN: nothing. Loneliness: on the model's scale."""
    own: Mapping[str, tuple[float, float, float]]
    """What the model has without the records' word, in people of these sexes and ages: all, women, men."""


class RecordsBeginning:
    """What a simulation does on `prepare` when its people come from records. Afterwards `matched` says what came of it."""

    def __init__(self, records: Records, drawn: Drawn) -> None:
        self.records, self.drawn = records, drawn
        self.matched: Matched | None = None

    def __call__(self, simulation: Simulation, progress: Callable[[int, int], None] | None) -> None:
        """Fill the columns and words of everybody."""
        people, founders = simulation.people, self.drawn.founders
        copies = copies_of(people, self.records.donors)
        tiled = Founders(np.tile(founders.female, copies), np.tile(founders.birth_day, copies))
        pool = simulation.alike(people=people * copies, founders=tiled)
        pool.prepare(progress)
        said = {
            name: values[self.drawn.record]
            for name, values in (*self.records.scores.items(), *self.records.conditions.items())
        }
        if "loneliness" in said:
            simulated = pool.population["loneliness"].astype(np.float64)
            said["loneliness"] = _on_scale_of(simulated, self.records.scores["loneliness"], self.records.weight)[
                self.drawn.record
            ]
        conditions, scores = list(self.records.conditions), list(self.records.scores)
        wanted, offered = _sides(simulation, pool, said, conditions, scores)
        catalogue = simulation.catalogue
        donor = match(
            wanted, offered, definitions=catalogue.mask(one.id for one in catalogue.conditions if one.definition)
        )
        for name, array in simulation.population.items():
            if simulation.population.declared[name].kind != "identity":
                array[...] = pool.population[name][..., donor]
        simulation.offers[...] = pool.offers[:, donor]
        imposed = {}
        wrong = contradictions(wanted, offered, donor)
        for id in conditions:
            imposed[id] = (wrong >> np.uint32(simulation.catalogue.bit[id]) & np.uint32(1)).astype(bool)
            for held in (False, True):
                slots = np.flatnonzero(imposed[id] & (said[id] == held))
                impose(simulation.population, simulation.catalogue, id, slots, held=held)
        self.matched = Matched(donor, imposed, said, {name: _own(pool, name) for name in (*scores, *conditions)})


def copies_of(people: int, donors: int | None) -> int:
    """How many donors there are for each of so many people."""
    return donors if donors is not None else max(DONORS, -(-LEAST_DONORS // people))


def values_of(simulation: Simulation, name: str) -> Floats:
    """What the people of a simulation have now of something that can be mapped: a score, or 1 for a condition held."""
    if name in simulation.catalogue.bit:
        held = simulation.population["conditions"] >> np.uint32(simulation.catalogue.bit[name]) & np.uint32(1)
        return held.astype(np.float64)
    return view_of(simulation).measure(name).astype(np.float64)


def _own(pool: Simulation, name: str) -> tuple[float, float, float]:
    values, women = values_of(pool, name), pool.population["female"] == 1
    parts = (values, values[women], values[~women])
    every, of_women, of_men = (float(part.mean()) if part.size else np.nan for part in parts)
    return every, of_women, of_men


def _sides(
    simulation: Simulation, pool: Simulation, said: Mapping[str, Floats], conditions: list[str], scores: list[str]
) -> tuple[Side, Side]:
    """The people, of whom the records tell, and the donors, as matching wants them."""
    held, known = (np.zeros(simulation.people, np.uint32) for _ in range(2))
    for id in conditions:
        bit = np.uint32(1 << simulation.catalogue.bit[id])
        held |= np.where(said[id] == 1, bit, np.uint32(0))
        known |= np.where(np.isfinite(said[id]), bit, np.uint32(0))
    simulated = [values_of(pool, name) for name in scores]
    spread = [max(float(values.std()), 1e-9) for values in simulated]
    ties = [_strength(one) for one in (simulation, pool)]
    of_ties = max(float(ties[1].std()), 1e-9)
    wanted = [said[name] / sd for name, sd in zip(scores, spread, strict=True)]
    offered = [values / sd for values, sd in zip(simulated, spread, strict=True)]
    ages = [-one.population["birth_day"] / 365.25 for one in (simulation, pool)]
    return (
        Side(simulation.population["female"], ages[0], held, known, _stacked(wanted, simulation.people), ties[0] / of_ties),
        Side(
            pool.population["female"], ages[1], pool.population["conditions"], np.full(pool.people, 0xFFFFFFFF, np.uint32),
            _stacked(offered, pool.people), ties[1] / of_ties,
        ),
    )  # fmt: skip


def _stacked(rows: list[Floats], people: int) -> Floats:
    return np.stack(rows) if rows else np.empty((0, people))


def _strength(simulation: Simulation) -> Floats:
    """Summed weight of the ties of each person."""
    network = simulation.network
    summed = np.concatenate([[0], np.cumsum(network.weight, dtype=np.int64)])
    strength: Floats = (summed[network.start[1:]] - summed[network.start[:-1]]).astype(np.float64)
    return strength


def _on_scale_of(simulated: Floats, said: Floats, weight: Floats) -> Floats:
    """Values of another scale at the simulated values of the same rank: quantile by quantile, of weighted mid-ranks."""
    some = np.isfinite(said)
    levels, which = np.unique(said[some], return_inverse=True)
    each = np.bincount(which, weight[some], levels.size)
    middle = (np.cumsum(each) - each / 2) / max(each.sum(), 1e-300)
    ordered = np.sort(simulated)
    places = np.minimum((middle * ordered.size).astype(int), ordered.size - 1)
    found = np.full(said.size, np.nan)
    found[some] = ordered[places][which]
    return found

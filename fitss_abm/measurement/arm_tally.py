"""What one arm of a comparison leaves: counts of adults by sex and age at each stop, and what each person lived through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.measurement.observers import ADULT_AGE, COUNTED_ONCE, SEXES
from fitss_abm.model.conditions import Catalogue
from fitss_abm.model.network import Layer
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Simulation
from fitss_abm.model.view import View

ANY = "any"
"""Instead of a condition: at least one of the catalogue's `counted`."""
AGES = ("18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+")
_CELLS = len(SEXES) * len(AGES)
_SHAPE = (len(SEXES), len(AGES))
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class People:
    """Everybody at one time, by place. `person`: founder x 65536 + generation."""

    person: NDArray[np.int64]
    adult: NDArray[np.bool_]
    number: NDArray[np.int64]
    """Conditions of the catalogue's `counted`, fibromyalgia and widespread pain as one."""
    pain: Floats
    """As rated, 0 to 10."""
    severity: Floats
    """Symptom severity scale, 0 to 12."""
    disability: Floats
    """Years lived with disability since the first day (or since they entered)."""


class Tally:
    """Watches one arm. `observe` on each of the days given, the first and the last of the run among them.

    Years are sums over the times between stops, with what holds at both ends counted half each.
    """

    def __init__(self, simulation: Simulation, kept: Iterable[int]) -> None:
        self._simulation = simulation
        self._kept = frozenset(kept)
        self.conditions = (*simulation.catalogue.ids, ANY)
        self._before: dict[str, Any] | None = None
        self._disability = np.zeros(simulation.people)
        shape = (len(self.conditions), *_SHAPE)
        self._since = {name: np.zeros(shape) for name in ("onsets", "risk_years", "case_years")}
        self._since["disability_years"] = np.zeros(_SHAPE)
        self._rows: dict[str, list[NDArray[Any]]] = {}
        self._ties: set[tuple[int, int]] = set()

    def observe(self) -> None:
        """Look at everybody now; on a day that is kept, note a row of the table."""
        simulation, who = self._simulation, self._simulation.population
        cell = self._cells()
        weight = disability_weight(who["conditions"], simulation.catalogue)
        eligible, cases, at_risk, onsets = self._counted(cell)
        adults = np.bincount(cell[cell >= 0], minlength=_CELLS).reshape(_SHAPE)
        total = np.bincount(cell[cell >= 0], weights=weight[cell >= 0], minlength=_CELLS).reshape(_SHAPE)
        now = {"day": simulation.day, "weight": weight, "person": who.person(), "at_risk": at_risk, "cases": cases}
        now["total"] = total
        if self._before is not None:
            years = (simulation.day - self._before["day"]) / DAYS_IN_YEAR
            self._since["onsets"] += onsets
            for name, what in (("risk_years", "at_risk"), ("case_years", "cases"), ("disability_years", "total")):
                self._since[name] += (self._before[what] + now[what]) / 2 * years
            same = now["person"] == self._before["person"]
            lived = (np.where(same, self._before["weight"], weight) + weight) / 2 * years
            self._disability = np.where(same, self._disability, 0.0) + lived
        who["first_onsets"][:] = 0
        who["episodes"][:] = 0
        self._note_ties()
        self._before = now
        if simulation.day in self._kept:
            row = {"people": adults, "eligible": eligible, "cases": cases, **self._since}
            for name, values in row.items():
                self._rows.setdefault(name, []).append(np.array(values))
            self._since = {name: np.zeros_like(values) for name, values in self._since.items()}

    def table(self) -> dict[str, NDArray[Any]]:
        """By date kept (T), then condition (C, the last is ANY), sex and age group.

        people (T, 2, 7) adults; eligible, cases (T, C, 2, 7); of the time since the date before: onsets (first ones of a life),
        risk_years (of those who never had it), case_years (T, C, 2, 7), disability_years (T, 2, 7).
        """
        return {name: np.stack(rows) for name, rows in self._rows.items()}

    def people(self) -> People:
        """Everybody as at the last observation."""
        simulation, who = self._simulation, self._simulation.population
        pain = view_of(simulation).measure("pain")
        return People(
            person=who.person(), adult=self._cells() >= 0, number=number_of(who["conditions"], simulation.catalogue),
            pain=pain.astype(np.float64), severity=who["somatic_severity"].astype(np.float64),
            disability=self._disability.copy(),
        )  # fmt: skip

    @property
    def programme_ties(self) -> NDArray[np.int64]:
        """Pairs of places that programmes tied at any time seen, shape (pairs, 2)."""
        return np.array(sorted(self._ties), np.int64).reshape(-1, 2)

    def _cells(self) -> NDArray[np.int64]:
        who = self._simulation.population
        age = (self._simulation.day - who["birth_day"]) / DAYS_IN_YEAR
        band = np.clip(age // 10 - 2, 0, len(AGES) - 1).astype(np.int64)
        return np.where(age >= ADULT_AGE, np.where(who["female"] == 1, 0, len(AGES)) + band, -1)

    def _counted(self, cell: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Eligible, cases, those who never had it, first onsets; each (C, 2, 7)."""
        simulation, who = self._simulation, self._simulation.population
        age = (simulation.day - who["birth_day"]) / DAYS_IN_YEAR
        found = np.zeros((4, len(self.conditions), _CELLS), np.int64)
        everybody = cell >= 0
        mask = np.uint32(simulation.catalogue.mask(simulation.catalogue.counted))
        for k, one in enumerate((*simulation.catalogue.conditions, None)):
            bits = mask if one is None else np.uint32(1 << k)
            may = everybody
            if one is not None:
                if one.sex is not None:
                    may = may & (who["female"] == (1 if one.sex == "female" else 0))
                if one.until_menopause:
                    may = may & (age < who["menopause_age"])
                if one.age_from > ADULT_AGE:
                    may = may & (age >= one.age_from)
            began = (who["first_onsets"] & bits) != 0
            if one is None:  # the first of a life: nothing of them before
                began &= (who["ever"] & bits & ~who["first_onsets"]) == 0
            chosen = (may, may & ((who["conditions"] & bits) != 0), may & ((who["ever"] & bits) == 0), may & began)
            for row, each in enumerate(chosen):
                found[row, k] = np.bincount(cell[each], minlength=_CELLS)
        eligible, cases, at_risk, onsets = found.reshape(4, len(self.conditions), *_SHAPE)
        return eligible, cases, at_risk, onsets

    def _note_ties(self) -> None:
        network = self._simulation.network
        chosen = (network.layer == Layer.PROGRAMME) & (network.weight > 0)
        if chosen.any():
            ego = np.repeat(np.arange(network.people), np.diff(network.start))[chosen]
            self._ties.update(zip(ego.tolist(), network.neighbour[chosen].tolist(), strict=True))


def view_of(simulation: Simulation) -> View:
    """What can be measured of everybody now."""
    key = simulation.seeds.key(Stream.DELIVERY)
    gain = simulation.parameters["pain_gain"]
    return View(simulation.population, simulation.network, simulation.catalogue, gain, simulation.day, key)


def number_of(held: NDArray[np.uint32], catalogue: Catalogue) -> NDArray[np.int64]:
    """Conditions of the catalogue's `counted` among those held, fibromyalgia and widespread pain as one."""
    number = np.bitwise_count(held & np.uint32(catalogue.mask(catalogue.counted))).astype(np.int64)
    if set(COUNTED_ONCE) <= set(catalogue.counted):
        both = np.uint32(catalogue.mask(COUNTED_ONCE))
        number -= (held & both) == both
    return number


def disability_weight(held: NDArray[np.uint32], catalogue: Catalogue) -> Floats:
    """Disability weight of all conditions held together: 1 - the product of what each leaves; definitions once."""
    left = np.ones(held.size)
    worst = np.zeros(held.size)
    for one in catalogue.conditions:
        if one.disability:
            has = (held & np.uint32(1 << catalogue.bit[one.id])) != 0
            if one.has_hazard:
                left[has] *= 1.0 - one.disability
            else:
                worst[has] = np.maximum(worst[has], one.disability)
    return np.asarray(1.0 - left * (1.0 - worst))

"""Which conditions somebody is seen to have: in truth, by a survey that asks, or by a clinic that keeps records.

A look reads the state and changes nothing. Its luck is a lasting fact of person and condition (stream of measurement), so that
an answer stays the same from month to month and a diagnosis, once on record, stays there. Criteria computed from a questionnaire
have the error of the day on which it is filled in (`instruments.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numba import prange
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.measurement.diagnosis import (
    CLINIC,
    ELSEWHERE,
    MODEL,
    SEEN_AS,
    SURVEY,
    TRUTH,
    ClinicOf,
    Diagnosis,
    SurveyOf,
    shipped,
)
from fitss_abm.measurement.instruments import administer
from fitss_abm.model.arithmetic import F, exp, log
from fitss_abm.model.caching import compiled
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.randomness import Decision, Stream, draw, happens, uniform
from fitss_abm.model.simulation import Simulation
from fitss_abm.model.view import key_of

Words = NDArray[np.uint32]
_SELF_REPORT, _DIAGNOSIS = np.uint32(Decision.SELF_REPORT), np.uint32(Decision.DIAGNOSIS)
_FIBROMYALGIA_ON_RECORD = "fibromyalgia_diagnosed"
_ADULT_AGE = 18.0
_BY_MODEL = -1
_QUARTERS = ("held_quarter", "held_quarter_1", "held_quarter_2", "held_quarter_3")


class Look(Protocol):
    """A way to see people. `conditions`: ids that can be seen this way, in the order of the catalogue."""

    name: str
    conditions: tuple[str, ...]

    def words(self) -> Words:
        """What everybody is seen to have today: a bit a condition, as in the column `conditions`; shape (people,)."""
        ...


class Truth:
    """The state itself."""

    name = TRUTH

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.conditions = simulation.catalogue.ids

    def words(self) -> Words:
        """The column `conditions`."""
        held: Words = self._simulation.population["conditions"]
        return held


class Survey:
    """What people say when asked: those who have a condition with its sensitivity, others with 1 less its specificity, day after
    day the same; of conditions with an `instrument`, the criterion computed from what it gives on the day.
    """

    name = SURVEY

    def __init__(self, simulation: Simulation, numbers: Mapping[str, SurveyOf] | None = None) -> None:
        catalogue = simulation.catalogue
        numbers = shipped().survey if numbers is None else numbers
        self._simulation = simulation
        self.conditions = tuple(id for id in catalogue.ids if id in numbers)
        key = simulation.seeds.key(Stream.MEASUREMENT)
        self._keys = _keys(key, "survey", self.conditions)
        self._bits = np.array([1 << catalogue.bit[id] for id in self.conditions], dtype=np.uint32)
        self._sensitivity = np.array([numbers[id].sensitivity for id in self.conditions], dtype=np.float32)
        self._falsely = np.array([1.0 - numbers[id].specificity for id in self.conditions], dtype=np.float32)
        self._of_sex = _of_sex(simulation)
        criteria = {id: numbers[id].instrument for id in self.conditions}
        self._scores = {id: score for id, score in criteria.items() if score is not None}

    def words(self) -> Words:
        """What everybody would say today."""
        who = self._simulation.population
        said = np.zeros(self._simulation.people, dtype=np.uint32)
        _said(
            who["conditions"], who["female"], who["generation"], self._of_sex, self._bits, self._sensitivity,
            self._falsely, *self._keys, said,
        )  # fmt: skip
        if self._scores:
            slots = np.arange(self._simulation.people, dtype=np.int64)
            found = administer(self._simulation, slots, scores=tuple(self._scores.values()))
            for id, score in self._scores.items():
                bit = np.uint32(1 << self._simulation.catalogue.bit[id])
                said = np.where(found[score], said | bit, said & ~bit)
        return said


class Clinic:
    """What medical records say. The simulation must have been made with `care_records` (a scenario that asks to be seen as
    clinic is).

    A diagnosis, once on record, stays there. It is shown as present while its condition has been there in the last nine to
    twelve months, that of fibromyalgia for life, as in the model.
    """

    name = CLINIC

    def __init__(self, simulation: Simulation, numbers: Mapping[str, ClinicOf] | None = None) -> None:
        catalogue, who = simulation.catalogue, simulation.population
        if "care_time" not in who:
            faults = Faults()
            faults.add("seen_as", CLINIC, "needs a simulation that keeps time with each condition (care_records)")
            faults.raise_if_any()
        numbers = shipped().clinic if numbers is None else numbers
        hazards = [c.id for c in catalogue.conditions if c.has_hazard]
        asked = [id for id in catalogue.ids if id in numbers]
        asked = [id for id in asked if id in hazards or numbers[id].rule == MODEL]
        chosen = [numbers[id] for id in asked]
        self._simulation = simulation
        self.conditions = tuple(asked)
        self._keys = _keys(simulation.seeds.key(Stream.MEASUREMENT), "clinic", asked)
        self._row = np.array(
            [_BY_MODEL if one.rule == MODEL else hazards.index(id) for id, one in zip(asked, chosen, strict=True)]
        )
        self._bits = np.array([1 << catalogue.bit[id] for id in asked], dtype=np.uint32)
        self._recognised = np.array([_by_sex(one.recognised, one.female) for one in chosen], dtype=np.float32)
        self._delay = np.array([one.delay for one in chosen], dtype=np.float32)
        self._falsely = np.array([one.false_per_1000_years / 1000.0 for one in chosen], dtype=np.float32)
        most = max((len(one.miscoded) for one in chosen), default=0)
        self._shares = np.ones((len(asked), most), dtype=np.float32)
        self._instead = np.zeros((len(asked), most), dtype=np.uint32)
        for k, one in enumerate(chosen):
            edges = np.cumsum(list(one.miscoded.values())) if one.miscoded else np.empty(0)
            self._shares[k, : edges.size] = edges
            self._shares[k, edges.size :] = -1.0
            self._instead[k, : edges.size] = [
                0 if other == ELSEWHERE or other not in catalogue.bit else 1 << catalogue.bit[other]
                for other in one.miscoded
            ]
        self._model_bit = np.uint32(1 << catalogue.bit.get(_FIBROMYALGIA_ON_RECORD, 31))
        self._of_sex = _of_sex(simulation)
        # as on the first day: were it to fall later, records would lose what they hold
        self._care_female = np.float32(simulation.parameters["care_female"])

    def words(self) -> Words:
        """What everybody's records show as present today."""
        return self.records()[0]

    def records(self) -> tuple[Words, Words]:
        """What everybody's records show as present, and all they hold; what they hold stays. Shapes (people,)."""
        who, simulation = self._simulation.population, self._simulation
        present, on_record = np.zeros((2, simulation.people), dtype=np.uint32)
        lately = np.bitwise_or.reduce([who["conditions"], *(who[name] for name in _QUARTERS)])
        _recorded(
            who["conditions"], lately, who["female"], who["generation"], who["birth_day"], who["care_time"],
            simulation.day, self._of_sex, self._care_female, self._model_bit, self._row, self._bits,
            self._recognised, self._delay, self._falsely, self._shares, self._instead, *self._keys, present, on_record,
        )  # fmt: skip
        return present, on_record


def look(simulation: Simulation, seen_as: str, *, numbers: Diagnosis | None = None) -> Look:
    """The way to see people that bears this name. Raises InputError where there is none."""
    given = numbers or shipped()
    if seen_as == TRUTH:
        return Truth(simulation)
    if seen_as == SURVEY:
        return Survey(simulation, given.survey)
    faults = Faults()
    if seen_as != CLINIC:
        faults.unknown("seen_as", seen_as, "way to see people", SEEN_AS)
    faults.raise_if_any()
    return Clinic(simulation, given.clinic)


def _keys(key: tuple[np.uint32, np.uint32], what: str, ids: Sequence[str]) -> tuple[Words, Words]:
    """A key for each condition, so that its luck is its own whatever else is seen."""
    made = np.array([key_of(key, f"{what} {id}") for id in ids], dtype=np.uint32).reshape(-1, 2)
    return np.ascontiguousarray(made[:, 0]), np.ascontiguousarray(made[:, 1])


def _of_sex(simulation: Simulation) -> Words:
    """Conditions that women, and that men can have, as words."""
    catalogue = simulation.catalogue
    return np.array(
        [catalogue.mask(c.id for c in catalogue.conditions if c.sex in (None, sex)) for sex in ("female", "male")],
        dtype=np.uint32,
    )


def _by_sex(share: float, female: float) -> tuple[float, float]:
    """The share recognised in men, and in women at those log odds more."""
    if share in (0.0, 1.0):
        return share, share
    odds = share / (1.0 - share) * float(np.exp(female))
    return share, odds / (1.0 + odds)


@compiled(parallel=True)
def _said(conditions, female, generation, of_sex, bits, sensitivity, falsely, k0, k1, said):  # type: ignore[no-untyped-def]
    for i in prange(said.shape[0]):
        word = np.uint32(0)
        for k in range(bits.shape[0]):
            a, _b, _c, _d = draw(np.uint32(i), np.uint32(generation[i]), np.uint32(0), _SELF_REPORT, k0[k], k1[k])
            if happens(a, sensitivity[k] if conditions[i] & bits[k] else falsely[k]):
                word |= bits[k]
        said[i] = word & of_sex[0 if female[i] else 1]


@compiled(parallel=True)
def _recorded(  # type: ignore[no-untyped-def]
    conditions, lately, female, generation, birth_day, time, day, of_sex, care_female, model_bit, row, bits, recognised,
    delay, falsely, shares, instead, k0, k1, present, on_record,
):  # fmt: skip
    """Recognised when the years with the condition, times exp(care_female) in women, exceed delay times a unit exponential
    variate, in those in whom it ever is; under another name in some; falsely at a rate from 18 on.
    """
    for i in prange(on_record.shape[0]):
        word, now = np.uint32(0), np.uint32(0)
        woman = 1 if female[i] else 0
        sooner = exp(care_female * F(woman))
        adult = F((day - birth_day[i]) / DAYS_IN_YEAR - _ADULT_AGE)
        for k in range(bits.shape[0]):
            by_model = row[k] == _BY_MODEL
            years = F(0.0) if by_model else time[row[k], i]
            known = by_model and (conditions[i] & model_bit) != 0
            if not known and not years > F(0.0) and not falsely[k] > F(0.0):
                continue
            a, b, c, d = draw(np.uint32(i), np.uint32(generation[i]), np.uint32(0), _DIAGNOSIS, k0[k], k1[k])
            if years > F(0.0):
                known = happens(a, recognised[k, woman]) and years * sooner >= -log(uniform(b)) * delay[k]
            if known:
                name = bits[k]
                for m in range(shares.shape[1] - 1, -1, -1):
                    if uniform(c) < shares[k, m]:
                        name = instead[k, m]
                word |= name
                if by_model or lately[i] & bits[k]:
                    now |= name
            if falsely[k] > F(0.0) and adult * falsely[k] >= -log(uniform(d)):
                word |= bits[k]
                now |= bits[k]
        on_record[i] = word & of_sex[1 - woman]
        present[i] = now & of_sex[1 - woman]

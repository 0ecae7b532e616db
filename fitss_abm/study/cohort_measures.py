"""What a visit asks: scores of instruments, plain questions of a survey, and what is recorded of conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort_columns import Field
    from fitss_abm.study.scenario import Scenario

PAIN = "pain_average"
"""The score that counts as pain where a rule names none."""
STRESSORS = ("job_strain", "bullying", "caregiving", "poverty")
"""In the order of the bits of the column `stressors`."""
_SAID = {
    "job_strain": "high strain at work", "bullying": "bullied at work", "caregiving": "cares for somebody who needs it",
    "poverty": "short of money",
}  # fmt: skip
CRITERIA = {
    "fm_acr2016": "fibromyalgia", "cwp": "chronic_widespread_pain", "ibs_rome4": "irritable_bowel_syndrome",
    "fm_acr1990": "fibromyalgia_acr_1990", "fm_acr2010": "fibromyalgia_acr_2010", "fm_mod2010": "fibromyalgia_modified_2010",
}  # fmt: skip
"""Conditions that the study records by criteria of its own: score and condition."""
INGREDIENTS = {
    "psd": ("wpi", "sss"), "fm_acr1990": ("wpi", "tender_points"), "fm_acr2010": ("wpi", "sss"),
    "fm_mod2010": ("wpi", "sss"), "fm_acr2016": ("wpi", "sss"), "cwp": ("wpi",),
}  # fmt: skip
"""Scores that are worked out from others, and are missing when one of those is."""


def scores() -> tuple[str, ...]:
    """Every score that can be asked for."""
    from fitss_abm.measurement.instruments import names

    return names()


def asked_alone(names: Sequence[str]) -> tuple[str, ...]:
    """Of these scores those that are answers of their own."""
    return tuple(name for name in names if not set(INGREDIENTS.get(name, ())) & set(names))


def score_fields(names: Sequence[str]) -> tuple[Field, ...]:
    """The columns of these scores."""
    from fitss_abm.measurement.instruments import catalogue
    from fitss_abm.study.cohort_columns import Field

    made = []
    for name in names:
        one = catalogue()[name]
        title = f"{one.title}; {one.period}"
        source = one.source + (f", doi:{one.doi}" if one.doi else "")
        if one.is_criterion:
            made.append(Field(name, "bool", f"{title}: met", source=source))
        else:
            kind = "float" if name == "fiqr" else "int"
            made.append(Field(name, kind, title, one.unit, low=one.low, high=one.high, source=source))
    return tuple(made)


def recordable(world: Scenario) -> tuple[str, ...]:
    """Conditions that medical records of this world can hold."""
    from fitss_abm.measurement.diagnosis import MODEL, made_of

    catalogue = world.catalogue()
    numbers = made_of(world.diagnosis, Faults(), catalogue=catalogue).clinic
    return tuple(
        one.id
        for one in catalogue.conditions
        if one.id in numbers and (one.has_hazard or numbers[one.id].rule == MODEL)
    )


def survey_fields(world: Scenario) -> tuple[Field, ...]:
    """The columns of plain questions, which are answered without error (assumed): stressors, and diagnoses by a doctor, as
    medical records hold them.
    """
    from fitss_abm.study.cohort_columns import Field

    asked, catalogue = "asked plainly, answered without error (assumed)", world.catalogue()
    stressors = (Field(name, "bool", _SAID[name], source=asked) for name in STRESSORS)
    diagnoses = (
        Field(
            f"diagnosed_{id}",
            "bool",
            f"a doctor has ever diagnosed: {catalogue[id].label}",
            source=f"diagnosis.toml; {asked}",
        )
        for id in recordable(world)
    )
    return (*stressors, *diagnoses)


def administer(simulation: Simulation, slots: NDArray[np.int64], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The scores of these people today, with the error that each instrument has."""
    from fitss_abm.measurement import instruments

    return instruments.administer(simulation, slots, scores=names)


class Records:
    """What medical records hold of everybody on a day."""

    def __init__(self, world: Scenario, simulation: Simulation) -> None:
        (self._clinic,) = world.replace(seen_as=("clinic",)).looks(simulation)
        self._simulation = simulation
        self._day: int | None = None
        self._words: tuple[NDArray[np.uint32], NDArray[np.uint32]] | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        """Conditions that they can hold."""
        return self._clinic.conditions

    def shown(self, id: str) -> NDArray[np.bool_]:
        """In whose records a condition is present now."""
        return self._bits(0, id)

    def held(self, id: str) -> NDArray[np.bool_]:
        """In whose records it has ever been."""
        return self._bits(1, id)

    def _bits(self, which: int, id: str) -> NDArray[np.bool_]:
        if self._words is None or self._day != self._simulation.day:
            self._words, self._day = self._clinic.records(), self._simulation.day  # type: ignore[attr-defined]
        bit = np.uint32(1 << self._simulation.catalogue.bit[id])
        return np.asarray((self._words[which] & bit) != 0)


def survey(simulation: Simulation, slots: NDArray[np.int64], records: Records) -> dict[str, NDArray[Any]]:
    """The answers of these people today to plain questions."""
    on = simulation.population["stressors"][slots]
    found: dict[str, NDArray[Any]] = {
        name: (on >> np.uint8(bit) & np.uint8(1)).astype(bool) for bit, name in enumerate(STRESSORS)
    }
    return found | {f"diagnosed_{id}": records.held(id)[slots] for id in records.conditions}


Recorded = dict[tuple[str, str], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


def recorded(
    shown: Mapping[str, NDArray[Any]],
    hidden: Mapping[str, NDArray[np.bool_]],
    records: Records,
    slots: NDArray[np.int64],
) -> Recorded:
    """What a visit records of conditions, by condition and how it was seen: who has it, and of whom that is known.

    'clinic': it stands in their medical records now; 'criteria': by the study's own, of the answers `shown` less those `hidden`.
    """
    found: Recorded = {
        (id, "clinic"): (records.shown(id)[slots], np.ones(slots.size, np.bool_)) for id in records.conditions
    }
    for score, condition in CRITERIA.items():
        if score in shown:
            found[condition, "criteria"] = (np.asarray(shown[score], dtype=bool), ~hidden[score])
    return found

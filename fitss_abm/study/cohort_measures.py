"""What a visit asks: scores of instruments, plain questions of a survey, and what is recorded of conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort_fields import Field

PAIN = "pain_average"
"""The score that counts as pain where a rule names none."""
STRESSORS = ("job_strain", "bullying", "caregiving", "poverty")
"""In the order of the bits of the column `stressors`."""
_SAID = {
    "job_strain": "high strain at work", "bullying": "bullied at work", "caregiving": "cares for somebody who needs it",
    "poverty": "short of money",
}  # fmt: skip
DIAGNOSED = {"fibromyalgia": "fibromyalgia_diagnosed"}
"""Conditions of which a survey asks whether a doctor has diagnosed them, and the bit that says so."""
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
    from fitss_abm.study.cohort_fields import Field

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


def survey_fields() -> tuple[Field, ...]:
    """The columns of plain questions, which are answered without error (assumed)."""
    from fitss_abm.study.cohort_fields import Field

    asked = "asked plainly, answered without error (assumed)"
    stressors = (Field(name, "bool", _SAID[name], source=asked) for name in STRESSORS)
    diagnoses = (Field(f"diagnosed_{id}", "bool", f"a doctor has diagnosed {id}", source=asked) for id in DIAGNOSED)
    return (*stressors, *diagnoses)


def administer(simulation: Simulation, slots: NDArray[np.int64], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The scores of these people today, with the error that each instrument has."""
    from fitss_abm.measurement import instruments

    return instruments.administer(simulation, slots, scores=names)


def survey(simulation: Simulation, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The answers of these people today to plain questions."""
    on = simulation.population["stressors"][slots]
    held = simulation.population["conditions"][slots]
    found: dict[str, NDArray[Any]] = {
        name: (on >> np.uint8(bit) & np.uint8(1)).astype(bool) for bit, name in enumerate(STRESSORS)
    }
    for id, condition in DIAGNOSED.items():
        mask = np.uint32(simulation.catalogue.mask([condition]))
        found[f"diagnosed_{id}"] = (held & mask) != 0
    return found


Recorded = dict[tuple[str, str], tuple[NDArray[np.bool_], NDArray[np.bool_]]]


def recorded(shown: Mapping[str, NDArray[Any]], hidden: Mapping[str, NDArray[np.bool_]]) -> Recorded:
    """What a visit records of conditions, by condition and how it was seen ('clinic', 'criteria'): who has it, of whom that is
    known. `shown`: answers; `hidden`: which of them the study does not get.
    """
    asked = {(id, "clinic"): f"diagnosed_{id}" for id in DIAGNOSED}
    asked |= {(condition, "criteria"): score for score, condition in CRITERIA.items()}
    return {key: (np.asarray(shown[name], dtype=bool), ~hidden[name]) for key, name in asked.items() if name in shown}

"""What a visit asks: scores of instruments, and plain questions of a survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort_fields import Field

STRESSORS = ("job_strain", "bullying", "caregiving", "poverty")
"""In the order of the bits of the column `stressors`."""
_SAID = {
    "job_strain": "high strain at work", "bullying": "bullied at work", "caregiving": "cares for somebody who needs it",
    "poverty": "short of money",
}  # fmt: skip
DIAGNOSED = {"fibromyalgia": "fibromyalgia_diagnosed"}
"""Conditions of which a survey asks whether a doctor has diagnosed them, and the bit that says so."""
_SCORES = {
    "pain": ("float", "average pain of the past week, numeric rating", "points", 0, 10),
    "wpi": ("int", "widespread pain index", "sites", 0, 19),
    "sss": ("int", "symptom severity scale", "points", 0, 12),
}


def scores() -> tuple[str, ...]:
    """Every score that can be asked for."""
    return tuple(_SCORES)


def pain_of(names: Sequence[str]) -> str:
    """The score that counts as pain where a rule names none."""
    return next(name for name in ("pain_average", "pain", *scores()) if name in names or name in scores())


def score_fields(names: Sequence[str]) -> tuple[Field, ...]:
    """The columns of these scores."""
    from fitss_abm.study.cohort_fields import Field

    return tuple(
        Field(name, _SCORES[name][0], _SCORES[name][1], _SCORES[name][2], low=_SCORES[name][3], high=_SCORES[name][4])
        for name in names
    )


def survey_fields() -> tuple[Field, ...]:
    """The columns of plain questions, which are answered without error (assumed)."""
    from fitss_abm.study.cohort_fields import Field

    asked = "asked plainly, answered without error (assumed)"
    stressors = (Field(name, "bool", _SAID[name], source=asked) for name in STRESSORS)
    diagnoses = (Field(f"diagnosed_{id}", "bool", f"a doctor has diagnosed {id}", source=asked) for id in DIAGNOSED)
    return (*stressors, *diagnoses)


def administer(simulation: Simulation, slots: NDArray[np.int64], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The scores of these people today."""
    from fitss_abm.study.arms import view_of

    view = view_of(simulation)
    return {name: view.measure(name)[slots] for name in names}


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
    found: Recorded = {}
    for id in DIAGNOSED:
        name = f"diagnosed_{id}"
        found[id, "clinic"] = (np.asarray(shown[name], dtype=bool), ~hidden[name])
    if "wpi" in shown and "sss" in shown:
        wpi, sss = shown["wpi"], shown["sss"]
        met = ((wpi >= 7) & (sss >= 5)) | ((wpi >= 4) & (wpi <= 6) & (sss >= 9))
        found["fibromyalgia", "criteria"] = (met, ~(hidden["wpi"] | hidden["sss"]))
    return found

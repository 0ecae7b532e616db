"""One run in which the same people are judged by every definition, and what is kept of it: counts by sex and overlaps."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.measurement.diagnosis import CLINIC, SEEN_AS, SURVEY, TRUTH
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.study.scenario import Scenario

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

Bools = NDArray[np.bool_]

CALL = "fitss_abm.study.definitions_runs:judged"
_ADULT_AGE = 18.0


@dataclass(frozen=True)
class Definition:
    """A definition of a case. `bits`: the condition whose bit says who is a case, by the way people are seen (truth, survey,
    clinic); where there is none it cannot be seen so. `published`: ids of targets.csv, of prevalence and of the sex ratio or
    women's share, and how its sources saw people (`compared`). `score`: the criterion of an instrument that a survey computes,
    where the model has no such condition.
    """

    id: str
    label: str
    bits: Mapping[str, str]
    compared: str = TRUTH
    prevalence: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    score: str | None = None


def _asked(id: str) -> dict[str, str]:
    return {TRUTH: id, SURVEY: id}


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "acr_1990", "ACR 1990 (tender points)", _asked("fibromyalgia_acr_1990"), TRUTH, ("fm_prev_acr1990",),
        ("fm_fm_ratio_acr1990",),
    ),
    Definition(
        "acr_2010", "ACR 2010 (clinician)", _asked("fibromyalgia_acr_2010"), TRUTH, ("fm_prev_acr2010",),
        ("fm_fm_ratio_acr2010",),
    ),
    Definition(
        "modified_2010", "Modified 2010 (self-report)", _asked("fibromyalgia_modified_2010"), TRUTH, ("fm_prev_mod2010",),
        ("fm_fm_ratio_mod2010",),
    ),
    Definition("acr_2016", "ACR 2016", _asked("fibromyalgia"), TRUTH, ("fm_prev_2016_gps",), ("fm_female_share_gps",)),
    Definition(
        "diagnosed", "Diagnosed with fibromyalgia",
        {TRUTH: "fibromyalgia_diagnosed", SURVEY: "fibromyalgia_diagnosed", CLINIC: "fibromyalgia"}, CLINIC, (),
        ("fm_female_share_clinic",),
    ),
    Definition(
        "widespread_pain", "Chronic widespread pain", _asked("chronic_widespread_pain"), TRUTH, ("cwp_prev_meta",),
    ),
    Definition(
        "ibs_rome_4", "IBS, Rome IV", dict.fromkeys(SEEN_AS, "irritable_bowel_syndrome"), TRUTH, ("ibs_prev_rome4_meta",),
        ("ibs_fm_or_2024",),
    ),
    Definition("ibs_rome_3", "IBS, Rome III", {}, SURVEY, ("ibs_prev_rome3",), ("ibs_fm_ratio_rome3",), "ibs_rome3"),
)  # fmt: skip
MEETS, SEEKS, RECOGNISED, RECORDED = "meets criteria", "sought care", "recognised", "on record"
STEPS = (MEETS, SEEKS, RECOGNISED, RECORDED)
"""From the population to the clinic, each among those of the step before."""


def judged(*, scenario: str) -> dict[str, Any]:
    """What a worker does: live to the last day of the scenario (TOML text) and judge all adults by every definition.

    adults: women, men. cases: [definition, seen_as, women, men]. both: how many are cases by row and by column. steps: women,
    men by step of STEPS, among adults who meet the modified 2010 criteria. waited: years with the criteria before the diagnosis,
    of the diagnosed.
    """
    from fitss_abm.measurement.instruments import administer

    asked = Scenario(**tomllib.loads(scenario)).replace(threads=1, snapshot_every=None, seen_as=SEEN_AS)
    simulation = asked.simulation()
    looks = asked.looks(simulation)
    simulation.prepare()
    simulation.advance(asked.days)
    who, bit = simulation.population, simulation.catalogue.bit
    adult = (simulation.day - who["birth_day"]) / DAYS_IN_YEAR >= _ADULT_AGE
    woman = (who["female"] > 0)[adult]
    words = {look.name: look.words()[adult] for look in looks}
    known = {look.name: look.conditions for look in looks}

    def has(seen_as: str, condition: str) -> Bools:
        held: Bools = (words[seen_as] >> np.uint32(bit[condition]) & np.uint32(1)) > 0
        return held

    found: dict[tuple[str, str], Bools] = {}
    for each in DEFINITIONS:
        for seen_as, condition in each.bits.items():
            if condition in known[seen_as]:
                found[each.id, seen_as] = has(seen_as, condition)
        if each.score is not None:
            slots = np.flatnonzero(adult)
            found[each.id, SURVEY] = administer(simulation, slots, scores=(each.score,))[each.score]
    together = np.array(list(found.values()), dtype=np.float64)
    return {
        "adults": [int(woman.sum()), int((~woman).sum())],
        "cases": [[*key, int((case & woman).sum()), int((case & ~woman).sum())] for key, case in found.items()],
        "both": (together @ together.T).astype(np.int64).tolist(),
        "steps": _steps(simulation, adult, has),
        "waited": np.round(who["care_waited"][adult][has(TRUTH, "fibromyalgia_diagnosed")], 2).tolist(),
    }


def _steps(simulation: Simulation, adult: Bools, has: Any) -> list[list[int]]:
    who = simulation.population
    woman = (who["female"] > 0)[adult]
    going = has(TRUTH, "fibromyalgia_modified_2010")
    counts = []
    for also in (
        going,
        (who["care_sought"] > 0)[adult],
        has(TRUTH, "fibromyalgia_diagnosed"),
        has(CLINIC, "fibromyalgia"),
    ):
        going = going & also
        counts.append([int((going & woman).sum()), int((going & ~woman).sum())])
    return counts

"""Each published fact as a question to a simulated cohort, or the reason why the cohort cannot answer it yet.

To extend: add an entry to CROSS_SECTIONS, FOLLOWED, ASKED or DIAGNOSIS, whichever it belongs to (and take its reason out of
REASONS). Numbers are in the unit of targets.csv.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from fitss_abm.study.validation_cross_sections import CROSS_SECTIONS, SET_IN_THE_MODEL, prevalences, sex_ratios
from fitss_abm.study.validation_diagnosis import DIAGNOSIS
from fitss_abm.study.validation_estimand import Estimand
from fitss_abm.study.validation_follow_up import FOLLOWED
from fitss_abm.study.validation_instruments import ASKED, SET
from fitss_abm.study.validation_reasons import REASONS

NOT_FITTED = ("work_or_fm_load",)
"""Rows of role fit that no parameter was fitted to: like all rows of other roles they are emergent."""

INFORMED = (
    "cm_fm_ratio", "ptsd_fm_ratio", "rls_fm_ratio", "fm_fm_ratio_acr1990", "tmd_incidence_oppera", "mcs_dx_de",
    "fm_female_share_clinic", *SET,
)  # fmt: skip
"""Rows for which a number about nearly the same was put in: from another source the women's terms of migraine, PTSD and
restless legs, women's tender points, how soon a new TMD is over (another paper on the same cohort), and how much commoner IBS is
by Rome III than by Rome IV. From the row itself: how often MCS is recognised (data/diagnosis.toml), chosen with it in view; and
that doctors recognise women more readily, whose size is assumed but whose reason is that finding."""

ESTIMANDS: dict[str, Estimand] = {**CROSS_SECTIONS, **FOLLOWED, **ASKED, **SET_IN_THE_MODEL, **DIAGNOSIS}
"""By target id: what is no plain prevalence or sex ratio."""


@cache
def estimands() -> Mapping[str, Estimand]:
    """Every fact that can be estimated, by target id."""
    return MappingProxyType({**prevalences(), **sex_ratios(), **ESTIMANDS})


__all__ = ["ESTIMANDS", "INFORMED", "NOT_FITTED", "REASONS", "Estimand", "estimands"]

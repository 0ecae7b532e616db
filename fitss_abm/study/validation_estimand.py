"""What an estimand is, and the names of conditions that several of them speak of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fitss_abm.study.estimators import Estimate
from fitss_abm.study.follow_up import Cohort

DIAGNOSED, SURVEYED = "fibromyalgia_diagnosed", "fibromyalgia_modified_2010"
TMD, IBS, CWP = "temporomandibular_disorder", "irritable_bowel_syndrome", "chronic_widespread_pain"

Estimator = Callable[[Cohort], Estimate]


@dataclass(frozen=True)
class Estimand:
    """How a fact is read off a cohort, and in words: what, in whom, over what time, and what had to be assumed."""

    estimator: Estimator
    words: str

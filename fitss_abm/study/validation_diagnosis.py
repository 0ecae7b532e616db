"""Published facts about diagnoses, as questions to the medical records of a simulated cohort.

Records are kept only where a cohort was made to be seen as a clinic does; others have no answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from fitss_abm.measurement.diagnosis import SEEN_AS, TRUTH
from fitss_abm.study.estimators import NOTHING, Estimate, rate, share
from fitss_abm.study.follow_up import Cohort
from fitss_abm.study.validation_estimand import Estimand

_RECORDS = "on_record"


def seen_for(names: Iterable[str]) -> tuple[str, ...]:
    """How a cohort must be seen to answer these facts (and whatever else is among the names)."""
    return SEEN_AS if any(name in DIAGNOSIS for name in names) else (TRUTH,)


def _incidence_of_ibs(cohort: Cohort) -> Estimate:
    start = cohort.baseline
    if _RECORDS not in start.columns:
        return NOTHING
    at_risk = start.aged() & ~start.has("irritable_bowel_syndrome", column=_RECORDS)
    events, years = cohort.first_time(lambda seen: seen.has("irritable_bowel_syndrome", column=_RECORDS), at_risk)
    return rate(events, years).times(1000.0)


def _mcs(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    if _RECORDS not in seen.columns:
        return NOTHING
    return share(seen.has("multiple_chemical_sensitivity", column="present_on_record"), seen.aged())


DIAGNOSIS: dict[str, Estimand] = {
    "ibs_incidence_dx": Estimand(
        _incidence_of_ibs, "adults without IBS on record, asked each half-year for 4 years: first time on record"
    ),
    "mcs_dx_de": Estimand(_mcs, "adults: MCS on record and there within the last 9 to 12 months"),
}

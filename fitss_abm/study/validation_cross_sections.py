"""Published facts about one time: prevalences, sex ratios, what goes together, and what is set in the model."""

from __future__ import annotations

from functools import partial

import numpy as np

from fitss_abm.study.estimators import (
    Estimate,
    adjusted_odds_ratio,
    difference,
    mean_of_runs,
    odds_ratio,
    share,
    share_ratio,
    tetrachoric_mean,
)
from fitss_abm.study.follow_up import Bools, Cohort, Visit
from fitss_abm.study.targets import ADULT_AGE, OPEN_AGE, load_targets, published_prevalence, published_sex_ratio
from fitss_abm.study.validation_estimand import CWP, DIAGNOSED, IBS, SURVEYED, TMD, Estimand

_HASSLE = np.uint8(128)
_TWINS_FEMALE = 0.87
_SYNDROMES = ("chronic_widespread_pain", "irritable_bowel_syndrome", "temporomandibular_disorder", "me_cfs")


def _period(quantity: str) -> str:
    if quantity.startswith(("12-month", "1-year")):
        return "year"
    return "quarter" if "(3-mo)" in quantity else "conditions"


_SAYS = {"year": "held within the last 12 months", "quarter": "held within the last 3 months", "conditions": "held now"}
# Sources of the ratios that say 12-month or 3-month prevalence in their prevalence rows only.
_RATIO_PERIODS = {
    "tmd_fm_ratio": "quarter", "ctth_fm_ratio": "year", "cm_fm_ratio": "year", "ptsd_fm_ratio": "year",
}  # fmt: skip
_MORE_PREVALENCES = {
    "ibs_prev_rome4_us_ca_uk": (IBS, "all", ADULT_AGE, OPEN_AGE),
    "fm_prev_olmsted_survey_vs_dx": (SURVEYED, "all", 21, OPEN_AGE),
}
_MORE_RATIOS = {"ibs_fm_ratio_rome4": (IBS, "prevalence ratio", ADULT_AGE, OPEN_AGE)}


def _prevalence(cohort: Cohort, id: str, *, sex: str, low: float, high: float, period: str) -> Estimate:
    seen = cohort.survey
    among = seen.aged(low, high) & (seen.women if sex == "female" else True)
    return share(seen.has(id, column=period), among)


def prevalences() -> dict[str, Estimand]:
    """Published prevalences, in the sex and ages and over the period of the source."""
    quantity = load_targets().set_index("id")["quantity"]
    facts = published_prevalence()
    rows = {
        fact["id"]: (fact["condition"], fact["sex"], fact["age_low"], fact["age_high"]) for _, fact in facts.iterrows()
    }
    made = {}
    for name, (id, sex, low, high) in (rows | _MORE_PREVALENCES).items():
        period = _period(str(quantity[name]))
        estimator = partial(_prevalence, id=id, sex=sex, low=low, high=high, period=period)
        made[name] = Estimand(estimator, f"{_whom(sex, low, high)}: {id}, {_SAYS[period]}")
    return made


def _sex_ratio(cohort: Cohort, id: str, *, measure: str, low: float, high: float, period: str) -> Estimate:
    seen = cohort.survey
    cases, among = seen.has(id, column=period), seen.aged(low, high)
    if measure == "case ratio":
        return share(seen.women, among & cases)
    return (odds_ratio if measure == "odds ratio" else share_ratio)(cases, seen.women, among)


def sex_ratios() -> dict[str, Estimand]:
    """Published sex ratios, but for those of incidence."""
    facts = published_sex_ratio()
    rows = {
        fact["id"]: (fact["condition"], fact["measure"], fact["age_low"], fact["age_high"])
        for _, fact in facts.iterrows()
    }
    made = {}
    for name, (id, measure, low, high) in (rows | _MORE_RATIOS).items():
        if measure == "incidence ratio":
            continue
        period = _RATIO_PERIODS.get(name, "conditions")
        estimator = partial(_sex_ratio, id=id, measure=measure, low=low, high=high, period=period)
        says = "share of women among cases" if measure == "case ratio" else f"women against men, {measure}"
        made[name] = Estimand(estimator, f"{_whom('all', low, high)}: {id}, {_SAYS[period]}; {says}, crude")
    return made


def _whom(sex: str, low: float, high: float) -> str:
    who = "women" if sex == "female" else "people"
    return f"{who} of {low:g}" + (" or more" if high == OPEN_AGE else f" to {high - 1:g}")


def _any_of_four(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    return odds_ratio(seen.has(*_SYNDROMES), seen.women, seen.aged())


def _correlation_of_four(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    return tetrachoric_mean([seen.has(id) for id in _SYNDROMES], seen.aged())


def _twins(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    adults = seen.aged()
    women = max(float(seen.women[adults].mean()), 1e-9)
    weights = np.where(seen.women, _TWINS_FEMALE / women, (1 - _TWINS_FEMALE) / max(1 - women, 1e-9))
    return tetrachoric_mean([seen.has(CWP), seen.has(IBS)], adults, weights)


def _adversity(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    return adjusted_odds_ratio(seen.has("chronic_pain"), seen["adversity"] > 0, seen.aged(), seen.strata())


def _comorbid(cohort: Cohort, *ids: str, column: str = "conditions") -> Estimate:
    seen = cohort.survey
    return share(seen.has(*ids, column=column), seen.aged() & seen.has(DIAGNOSED) & seen.has(SURVEYED))


def _ever(cohort: Cohort, id: str, *, low: float, high: float) -> Estimate:
    seen = cohort.survey
    return share(seen.has(id, column="ever"), seen.women & seen.aged(low, high))


# What is set in the model


def _stressor_days(seen: Visit) -> tuple[Bools, Bools]:
    return np.asarray((seen["stressors"] & _HASSLE) > 0), seen.aged(25, 75)


def _network(cohort: Cohort, statistic: str) -> Estimate:
    return mean_of_runs([ties[statistic] for ties in cohort.network])


def _of_women(cohort: Cohort, column: str) -> Estimate:
    return difference(cohort.survey[column], cohort.survey.women, cohort.survey.aged())


_CLINIC = "diagnosed adults who meet the modified 2010 criteria now"
CROSS_SECTIONS: dict[str, Estimand] = {
    "d_equicorr_4synd": Estimand(
        _correlation_of_four,
        "adults: mean tetrachoric correlation of widespread pain, IBS, TMD (for orofacial pain), ME/CFS (for fatigue)",
    ),
    "twin_r_cwp_ibs": Estimand(_twins, "adults weighted to 87 % women: tetrachoric correlation within a person"),
    "nsynd_or_female": Estimand(
        _any_of_four, "adults: any of widespread pain, IBS, TMD, ME/CFS now; women against men, odds ratio"
    ),
    "ace_or_chronicpain": Estimand(
        _adversity, "adults: chronic pain now by any adversity; odds ratio within sex and ten years of age"
    ),
    "fm_comorb_tmd": Estimand(lambda c: _comorbid(c, TMD), f"{_CLINIC}: TMD now"),
    "fm_comorb_ptsd": Estimand(
        lambda c: _comorbid(c, "ptsd", column="ever"), f"{_CLINIC}: PTSD ever (source: current or lifetime)"
    ),
    "fm_comorb_mps": Estimand(lambda c: _comorbid(c, "myofascial_pain_syndrome"), f"{_CLINIC}: myofascial pain now"),
    "fm_comorb_cfs": Estimand(lambda c: _comorbid(c, "me_cfs"), f"{_CLINIC}: ME/CFS now"),
    "fm_comorb_ic": Estimand(lambda c: _comorbid(c, "interstitial_cystitis"), f"{_CLINIC}: IC/BPS now"),
    "fm_comorb_mcs": Estimand(lambda c: _comorbid(c, "multiple_chemical_sensitivity"), f"{_CLINIC}: MCS now"),
    "vulv_cuminc40": Estimand(lambda c: _ever(c, "vulvodynia", low=38, high=42), "women of 38 to 41: vulvodynia ever"),
}
"""By target id."""

_TIES = "adults on the first day, network statistics"
SET_IN_THE_MODEL: dict[str, Estimand] = {
    "daily_stressor_any": Estimand(
        lambda c: share(*_stressor_days(c.survey)), "people of 25 to 74: share with any hassle on one day"
    ),
    "daily_stress_sex": Estimand(
        lambda c: share_ratio(_stressor_days(c.survey)[0], c.survey.women, _stressor_days(c.survey)[1]),
        "people of 25 to 74: share with any hassle on one day, women against men",
    ),
    "ace_prev_ge1": Estimand(lambda c: share(c.survey["adversity"] > 0, c.survey.aged()), "adults: any adversity"),
    "support_sex_give": Estimand(
        lambda c: _of_women(c, "offer"), "adults: support offered on one day (source: online), women less men"
    ),
    "support_sex_receive": Estimand(
        lambda c: _of_women(c, "felt_support"), "adults: support felt on one day (source: online), women less men"
    ),
    "confid_1985": Estimand(lambda c: _network(c, "confidants"), _TIES),
    "confid_2004": Estimand(lambda c: _network(c, "confidants"), _TIES),
    "confid_zero_2004": Estimand(lambda c: _network(c, "zero_confidants"), _TIES),
    "support_clique": Estimand(lambda c: _network(c, "support_clique"), _TIES),
    "sympathy_group": Estimand(lambda c: _network(c, "sympathy_group"), _TIES),
    "net_density": Estimand(lambda c: _network(c, "density"), _TIES),
    "net_sex_homophily": Estimand(lambda c: _network(c, "same_sex"), _TIES),
    "net_age_assort": Estimand(lambda c: _network(c, "age_correlation"), _TIES),
}
"""By target id: what a parameter says outright or nearly so."""

"""Each published fact as a question to a simulated cohort, or the reason why the cohort cannot answer it yet.

To extend: add an entry to ESTIMANDS (and take its reason out of REASONS). Numbers are in the unit of targets.csv.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.estimators import (
    Estimate,
    adjusted_odds_ratio,
    difference,
    hazard_ratio,
    mean_of_runs,
    odds_ratio,
    rate,
    share,
    share_ratio,
    tetrachoric_mean,
    yearly,
)
from fitss_abm.study.follow_up import FOLLOW_UP, LAST, SURVEY, YEAR, Bools, Cohort, Visit
from fitss_abm.study.targets import ADULT_AGE, OPEN_AGE, load_targets, published_prevalence, published_sex_ratio
from fitss_abm.study.validation_reasons import REASONS

NOT_FITTED = ("work_or_fm_load",)
"""Rows of role fit that no parameter was fitted to: like all rows of other roles they are emergent."""

INFORMED = ("cm_fm_ratio", "ptsd_fm_ratio", "rls_fm_ratio", "fm_fm_ratio_acr1990", "tmd_incidence_oppera")
"""Rows for which a number about nearly the same was put in from another source: the women's terms of migraine, PTSD and
restless legs, women's tender points, and how soon a new TMD is over (another paper on the same cohort)."""

_JOB_STRAIN, _BULLYING = np.uint8(1), np.uint8(2)
_HASSLE = np.uint8(128)
_TOP_TENTH, _TOP_FIFTH, _HALF = 90.0, 80.0, 50.0
_MODERATE_PAIN = 4.0
_RETIREMENT = 65
_TWINS_FEMALE = 0.87
_SYNDROMES = ("chronic_widespread_pain", "irritable_bowel_syndrome", "temporomandibular_disorder", "me_cfs")
_DIAGNOSED, _SURVEYED = "fibromyalgia_diagnosed", "fibromyalgia_modified_2010"
_TMD, _IBS, _CWP = "temporomandibular_disorder", "irritable_bowel_syndrome", "chronic_widespread_pain"
_PELVIS = ("vulvodynia", "interstitial_cystitis", "female_urethral_syndrome")

Estimator = Callable[[Cohort], Estimate]


@dataclass(frozen=True)
class Estimand:
    """How a fact is read off a cohort, and in words: what, in whom, over what time, and what had to be assumed."""

    estimator: Estimator
    words: str


@cache
def estimands() -> Mapping[str, Estimand]:
    """Every fact that can be estimated, by target id."""
    return MappingProxyType({**_prevalences(), **_sex_ratios(), **ESTIMANDS})


# Cross-sections, in the sex and ages and over the period of the source


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
    "ibs_prev_rome4_us_ca_uk": (_IBS, "all", ADULT_AGE, OPEN_AGE),
    "fm_prev_olmsted_survey_vs_dx": (_SURVEYED, "all", 21, OPEN_AGE),
}
_MORE_RATIOS = {"ibs_fm_ratio_rome4": (_IBS, "prevalence ratio", ADULT_AGE, OPEN_AGE)}


def _prevalence(cohort: Cohort, id: str, *, sex: str, low: float, high: float, period: str) -> Estimate:
    seen = cohort.survey
    among = seen.aged(low, high) & (seen.women if sex == "female" else True)
    return share(seen.has(id, column=period), among)


def _prevalences() -> dict[str, Estimand]:
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


def _sex_ratios() -> dict[str, Estimand]:
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
    return tetrachoric_mean([seen.has(_CWP), seen.has(_IBS)], adults, weights)


def _adversity(cohort: Cohort) -> Estimate:
    seen = cohort.survey
    return adjusted_odds_ratio(seen.has("chronic_pain"), seen["adversity"] > 0, seen.aged(), seen.strata())


def _comorbid(cohort: Cohort, *ids: str, column: str = "conditions") -> Estimate:
    seen = cohort.survey
    return share(seen.has(*ids, column=column), seen.aged() & seen.has(_DIAGNOSED) & seen.has(_SURVEYED))


def _ever(cohort: Cohort, id: str, *, low: float, high: float) -> Estimate:
    seen = cohort.survey
    return share(seen.has(id, column="ever"), seen.women & seen.aged(low, high))


# Follow-up


def _still(cohort: Cohort, day: int) -> Bools:
    return cohort.alive(day) & cohort.baseline.aged()


def _onset_of_chronic_pain(cohort: Cohort) -> Estimate:
    among = _still(cohort, FOLLOW_UP) & (cohort.baseline["painful_weeks"] == 0)
    return yearly(cohort.visits[FOLLOW_UP].has("chronic_pain"), among, years=FOLLOW_UP / YEAR)


def _persistence_of_chronic_pain(cohort: Cohort) -> Estimate:
    among = _still(cohort, FOLLOW_UP) & cohort.baseline.has("chronic_pain")
    return yearly(cohort.visits[FOLLOW_UP].has("chronic_pain"), among, years=FOLLOW_UP / YEAR)


def _patients(cohort: Cohort) -> Bools:
    start = cohort.baseline
    return start.aged() & start.has(_DIAGNOSED) & start.has(_SURVEYED)


def _loss_of_criteria(cohort: Cohort) -> Estimate:
    events, years = cohort.first_time(lambda seen: ~seen.has(_SURVEYED), _patients(cohort))
    return rate(events, years).times(100.0)


def _ever_negative(cohort: Cohort) -> Estimate:
    patients = _patients(cohort)
    events, _ = cohort.first_time(lambda seen: ~seen.has(_SURVEYED), patients)
    return share(events, patients & cohort.alive(LAST))


def _crps(cohort: Cohort) -> tuple[Bools, NDArray[np.float64]]:
    """New episodes in adults, and years at risk; half of the time for who died (and left no record of episodes)."""
    at_risk = cohort.baseline.aged() & ~cohort.baseline.has("crps")
    alive = cohort.alive(LAST)
    events = cohort.visits[LAST].has("crps", column="episodes") & at_risk & alive
    return events, at_risk * LAST / YEAR * np.where(alive & ~events, 1.0, 0.5)


def _incidence_of_crps(cohort: Cohort) -> Estimate:
    return rate(*_crps(cohort)).times(1e5)


def _sex_ratio_of_crps(cohort: Cohort) -> Estimate:
    return hazard_ratio(*_crps(cohort), cohort.baseline.women)


def _first_tmd(cohort: Cohort) -> tuple[Bools, NDArray[np.float64]]:
    start = cohort.baseline
    return cohort.first_time(
        lambda seen: seen.has(_TMD, column="ever"), start.aged(18, 45) & ~start.has(_TMD, column="ever")
    )


def _incidence_of_tmd(cohort: Cohort) -> Estimate:
    return rate(*_first_tmd(cohort)).times(100.0)


def _tmd_after(cohort: Cohort, *ids: str) -> Estimate:
    return hazard_ratio(*_first_tmd(cohort), cohort.baseline.has(*ids))


def _new(cohort: Cohort, id: str, at_risk: Bools) -> tuple[Bools, NDArray[np.float64]]:
    return cohort.first_time(lambda seen: seen.has(id), at_risk & ~cohort.baseline.has(id))


def _ibs_after_fibromyalgia(cohort: Cohort) -> Estimate:
    start = cohort.baseline
    return hazard_ratio(*_new(cohort, _IBS, start.aged()), start.has(_DIAGNOSED), start.strata())


def _new_at_second_survey(cohort: Cohort) -> Estimate:
    """As in Forseth 1997: asked twice, and examined if free of pain the first time but not the second."""
    start = cohort.baseline
    among = start.women & start.aged(26, 56) & ~start.has("chronic_pain") & cohort.alive(LAST)
    return share(cohort.visits[LAST].has("fibromyalgia_acr_1990"), among).times(1000.0 * YEAR / LAST)


def _hunt_women(start: Visit) -> Bools:
    """As in HUNT: without the diagnosis and without pain that lasted 3 months in the last year."""
    return np.asarray(start.women & start.aged(20) & ~start.has(_DIAGNOSED) & ~start.has("chronic_pain", column="year"))


def _work(cohort: Cohort, stressor: np.uint8) -> Estimate:
    start = cohort.baseline
    among = start.aged(ADULT_AGE, _RETIREMENT) & cohort.alive(SURVEY) & ~start.has(_DIAGNOSED)
    return odds_ratio(cohort.survey.has(_DIAGNOSED), (start["stressors"] & stressor) > 0, among)


def _older(cohort: Cohort) -> tuple[Bools, NDArray[np.int64]]:
    """People of 50 or more who are there four years later; strata of sex, age, and pain at baseline (none, less than
    moderate, more; on most days or not).
    """
    start = cohort.baseline
    pain = (start["pain"] > 0) + (start["pain"] >= _MODERATE_PAIN) * 1 + start.has("chronic_pain") * 3
    return start.aged(50) & cohort.alive(LAST), start.strata() * 6 + pain


def _at_top(values: NDArray[np.float32], among: Bools, per_cent: float) -> Bools:
    return values > (np.percentile(values[among], per_cent) if among.any() else np.inf)


def _pain_of_the_lonely(cohort: Cohort) -> Estimate:
    among, strata = _older(cohort)
    lonely = _at_top(cohort.baseline["loneliness"], among, _TOP_FIFTH)
    return adjusted_odds_ratio(cohort.visits[LAST]["pain"] >= _MODERATE_PAIN, lonely, among, strata)


def _pain_of_the_isolated(cohort: Cohort) -> Estimate:
    among, strata = _older(cohort)
    few = cohort.baseline["ties"] <= np.percentile(cohort.baseline["ties"][among], 20.0) if among.any() else among
    return adjusted_odds_ratio(cohort.visits[LAST]["pain"] >= _MODERATE_PAIN, few, among, strata)


def _poor_sleep_and_diagnosis(cohort: Cohort) -> Estimate:
    sleep, among = cohort.baseline["poor_sleep"], _hunt_women(cohort.baseline) & cohort.alive(LAST)
    poor, good = _at_top(sleep, among, _TOP_TENTH), ~_at_top(sleep, among, _HALF)
    return share_ratio(cohort.visits[LAST].has(_DIAGNOSED), poor, among & (poor | good))


def _insomnia_and_widespread_pain(cohort: Cohort, measure: Callable[[Bools, Bools, Bools], Estimate]) -> Estimate:
    start = cohort.baseline
    among = start.aged(20) & cohort.alive(LAST) & ~start.has(_CWP)
    return measure(cohort.visits[LAST].has(_CWP), _at_top(start["poor_sleep"], among, _TOP_TENTH), among)


# What is set in the model


def _stressor_days(seen: Visit) -> tuple[Bools, Bools]:
    return np.asarray((seen["stressors"] & _HASSLE) > 0), seen.aged(25, 75)


def _network(cohort: Cohort, statistic: str) -> Estimate:
    return mean_of_runs([ties[statistic] for ties in cohort.network])


def _of_women(cohort: Cohort, column: str) -> Estimate:
    return difference(cohort.survey[column], cohort.survey.women, cohort.survey.aged())


_CLINIC = "diagnosed adults who meet the modified 2010 criteria now"
_TIES = "adults on the first day, network statistics"
ESTIMANDS: dict[str, Estimand] = {
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
    "fm_comorb_tmd": Estimand(lambda c: _comorbid(c, _TMD), f"{_CLINIC}: TMD now"),
    "fm_comorb_ptsd": Estimand(
        lambda c: _comorbid(c, "ptsd", column="ever"), f"{_CLINIC}: PTSD ever (source: current or lifetime)"
    ),
    "fm_comorb_mps": Estimand(lambda c: _comorbid(c, "myofascial_pain_syndrome"), f"{_CLINIC}: myofascial pain now"),
    "fm_comorb_cfs": Estimand(lambda c: _comorbid(c, "me_cfs"), f"{_CLINIC}: ME/CFS now"),
    "fm_comorb_ic": Estimand(lambda c: _comorbid(c, "interstitial_cystitis"), f"{_CLINIC}: IC/BPS now"),
    "fm_comorb_mcs": Estimand(lambda c: _comorbid(c, "multiple_chemical_sensitivity"), f"{_CLINIC}: MCS now"),
    "vulv_cuminc40": Estimand(lambda c: _ever(c, "vulvodynia", low=38, high=42), "women of 38 to 41: vulvodynia ever"),
    "cp_incidence": Estimand(
        _onset_of_chronic_pain,
        "adults without pain in the 13 weeks before baseline: chronic pain 1.3 years later, per 1000 person-years",
    ),
    "cp_persistence": Estimand(
        _persistence_of_chronic_pain,
        "adults with chronic pain at baseline: chronic pain 1.3 years later, per 1000 person-years",
    ),
    "fm_loss_of_criteria": Estimand(
        _loss_of_criteria,
        "diagnosed adults who meet the modified 2010 criteria, asked each half-year for 4 years: first time without them",
    ),
    "fm_persist_end": Estimand(
        _ever_negative, "the same patients: without criteria at any half-yearly visit of 4 years"
    ),
    "crps_inc_nl": Estimand(
        _incidence_of_crps, "adults over 4 years: onsets, recognised or not, among those without CRPS"
    ),
    "crps_fm_ratio": Estimand(_sex_ratio_of_crps, "adults over 4 years: rate of onset, women against men"),
    "tmd_incidence_oppera": Estimand(
        _incidence_of_tmd,
        "people of 18 to 44 who never had TMD: first onset within 4 years (source: 2.8), per cent a year",
    ),
    "tmd_inc_hr_lbp": Estimand(
        lambda c: _tmd_after(c, "chronic_low_back_pain"),
        "the same people: with chronic low back pain at baseline or without",
    ),
    "tmd_inc_hr_genital": Estimand(
        lambda c: _tmd_after(c, *_PELVIS),
        "the same people: with vulvodynia, IC/BPS or urethral syndrome at baseline or without",
    ),
    "ibs_after_fm_hr": Estimand(
        _ibs_after_fibromyalgia,
        "adults without IBS: onset within 4 years (recognised or not), with diagnosed fibromyalgia or without; within "
        "sex and ten years of age",
    ),
    "fm_incidence_women": Estimand(
        _new_at_second_survey,
        "women of 26 to 55 without chronic pain at baseline: with the ACR 1990 criteria at the one examination 4 years later "
        "(source: 5.5), a year",
    ),
    "fm_inc_hunt_women": Estimand(
        lambda c: rate(*_new(c, _DIAGNOSED, _hunt_women(c.baseline))).times(1000.0),
        "women of 20 or more without diagnosis and without chronic pain in the last year: diagnosed within 4 years "
        "(source: 11)",
    ),
    "work_or_fm_load": Estimand(
        lambda c: _work(c, _JOB_STRAIN),
        "undiagnosed people of 18 to 64: diagnosed within 2 years, by job strain at baseline",
    ),
    "work_or_fm_bully": Estimand(
        lambda c: _work(c, _BULLYING),
        "undiagnosed people of 18 to 64: diagnosed within 2 years, by bullying at baseline",
    ),
    "lonely_or_pain": Estimand(
        _pain_of_the_lonely,
        "people of 50 or more: pain of 4 or more of 10 four years later, by being among the fifth who are loneliest "
        "(assumed cut); within sex, ten years of age and pain at baseline",
    ),
    "lonely_isolation_null": Estimand(
        _pain_of_the_isolated,
        "people of 50 or more: pain of 4 or more of 10 four years later, by being among the fifth with fewest ties "
        "(assumed cut); within sex, ten years of age and pain at baseline",
    ),
    "sleep_rr_fm": Estimand(
        _poor_sleep_and_diagnosis,
        "women of 20 or more without diagnosis and without chronic pain in the last year: diagnosed 4 years later "
        "(source: 11), worst tenth of sleep against best half (assumed cuts)",
    ),
    "insomnia_rr_cwp": Estimand(
        lambda c: _insomnia_and_widespread_pain(c, share_ratio),
        "people of 20 or more without widespread pain: with it 4 years later (source: 11), worst tenth of sleep against "
        "the rest (assumed cut)",
    ),
    "sleep_or_cwp": Estimand(
        lambda c: _insomnia_and_widespread_pain(c, odds_ratio),
        "people of 20 or more without widespread pain: with it 4 years later (source: 5), worst tenth of sleep against "
        "the rest (assumed cut), odds ratio",
    ),
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

__all__ = ["ESTIMANDS", "INFORMED", "NOT_FITTED", "REASONS", "Estimand", "estimands"]

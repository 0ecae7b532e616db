"""Published facts about what becomes of people: onsets, persistence, and who is at risk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.estimators import (
    Estimate,
    adjusted_odds_ratio,
    hazard_ratio,
    odds_ratio,
    rate,
    share,
    share_ratio,
    yearly,
)
from fitss_abm.study.follow_up import FOLLOW_UP, LAST, SURVEY, YEAR, Bools, Cohort, Visit
from fitss_abm.study.targets import ADULT_AGE
from fitss_abm.study.validation_estimand import CWP, DIAGNOSED, IBS, SURVEYED, TMD, Estimand

_JOB_STRAIN, _BULLYING = np.uint8(1), np.uint8(2)
_TOP_TENTH, _TOP_FIFTH, _HALF = 90.0, 80.0, 50.0
_MODERATE_PAIN = 4.0
_RETIREMENT = 65
_PELVIS = ("vulvodynia", "interstitial_cystitis", "female_urethral_syndrome")


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
    return start.aged() & start.has(DIAGNOSED) & start.has(SURVEYED)


def _loss_of_criteria(cohort: Cohort) -> Estimate:
    events, years = cohort.first_time(lambda seen: ~seen.has(SURVEYED), _patients(cohort))
    return rate(events, years).times(100.0)


def _ever_negative(cohort: Cohort) -> Estimate:
    patients = _patients(cohort)
    events, _ = cohort.first_time(lambda seen: ~seen.has(SURVEYED), patients)
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
        lambda seen: seen.has(TMD, column="ever"), start.aged(18, 45) & ~start.has(TMD, column="ever")
    )


def _incidence_of_tmd(cohort: Cohort) -> Estimate:
    return rate(*_first_tmd(cohort)).times(100.0)


def _tmd_after(cohort: Cohort, *ids: str) -> Estimate:
    return hazard_ratio(*_first_tmd(cohort), cohort.baseline.has(*ids))


def _new(cohort: Cohort, id: str, at_risk: Bools) -> tuple[Bools, NDArray[np.float64]]:
    return cohort.first_time(lambda seen: seen.has(id), at_risk & ~cohort.baseline.has(id))


def _ibs_after_fibromyalgia(cohort: Cohort) -> Estimate:
    start = cohort.baseline
    return hazard_ratio(*_new(cohort, IBS, start.aged()), start.has(DIAGNOSED), start.strata())


def _new_at_second_survey(cohort: Cohort) -> Estimate:
    """As in Forseth 1997: asked twice, and examined if free of pain the first time but not the second."""
    start = cohort.baseline
    among = start.women & start.aged(26, 56) & ~start.has("chronic_pain") & cohort.alive(LAST)
    return share(cohort.visits[LAST].has("fibromyalgia_acr_1990"), among).times(1000.0 * YEAR / LAST)


def _hunt_women(start: Visit) -> Bools:
    """As in HUNT: without the diagnosis and without pain that lasted 3 months in the last year."""
    return np.asarray(start.women & start.aged(20) & ~start.has(DIAGNOSED) & ~start.has("chronic_pain", column="year"))


def _work(cohort: Cohort, stressor: np.uint8) -> Estimate:
    start = cohort.baseline
    among = start.aged(ADULT_AGE, _RETIREMENT) & cohort.alive(SURVEY) & ~start.has(DIAGNOSED)
    return odds_ratio(cohort.survey.has(DIAGNOSED), (start["stressors"] & stressor) > 0, among)


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
    return share_ratio(cohort.visits[LAST].has(DIAGNOSED), poor, among & (poor | good))


def _insomnia_and_widespread_pain(cohort: Cohort, measure: Callable[[Bools, Bools, Bools], Estimate]) -> Estimate:
    start = cohort.baseline
    among = start.aged(20) & cohort.alive(LAST) & ~start.has(CWP)
    return measure(cohort.visits[LAST].has(CWP), _at_top(start["poor_sleep"], among, _TOP_TENTH), among)


FOLLOWED: dict[str, Estimand] = {
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
        lambda c: rate(*_new(c, DIAGNOSED, _hunt_women(c.baseline))).times(1000.0),
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
}
"""By target id."""

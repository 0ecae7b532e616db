"""Published facts that need a questionnaire, a diary or memory: each as a question to a cohort, by target id."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.estimators import (
    NOTHING,
    Estimate,
    correlation,
    difference,
    explained_within,
    interaction,
    mean,
    odds_ratio,
    percentile,
    share,
    share_ratio,
)
from fitss_abm.study.follow_up import Bools, Cohort
from fitss_abm.study.validation_estimand import DIAGNOSED, SURVEYED, Estimand

_PAIN = "chronic_pain"
_SYNDROMES = ("chronic_widespread_pain", "irritable_bowel_syndrome", "temporomandibular_disorder", "me_cfs")
_CUT = 40  # of the CSI
_THREE_QUARTERS = 75.0


def _patients(cohort: Cohort) -> Bools:
    seen = cohort.survey
    return seen.aged() & seen.has(DIAGNOSED) & seen.has(SURVEYED)


def _any_condition(cohort: Cohort) -> Bools:
    from fitss_abm.model.conditions import shipped

    return cohort.survey.has(*shipped().counted)


def _controls(cohort: Cohort) -> Bools:
    return cohort.survey.aged() & ~cohort.survey.has(_PAIN) & ~_any_condition(cohort)


def _score(cohort: Cohort, name: str) -> NDArray[np.float64]:
    return np.asarray(cohort.survey[name], dtype=np.float64)


def _by_events(cohort: Cohort) -> Estimate:
    return odds_ratio(cohort.survey.has(*_SYNDROMES), _score(cohort, "events_year") > 0, cohort.survey.aged())


def _by_adversity(cohort: Cohort) -> Estimate:
    return odds_ratio(cohort.survey.has(*_SYNDROMES), _score(cohort, "adversity_reported") > 0, cohort.survey.aged())


def _patients_by_events(cohort: Cohort) -> Estimate:
    patients = _patients(cohort)
    return odds_ratio(patients, _score(cohort, "events_year") > 0, patients | _controls(cohort))


def _clinic_and_controls(cohort: Cohort) -> Estimate:
    clinic = cohort.survey.aged() & cohort.survey.has(_PAIN) & _any_condition(cohort)
    return difference(_score(cohort, "csi"), clinic, clinic | _controls(cohort))


def _rome3(cohort: Cohort) -> Bools:
    return np.asarray(cohort.survey["ibs_rome3"], dtype=bool)


def _affect(cohort: Cohort) -> Estimate:
    inertia = _score(cohort, "inertia")
    return mean(inertia, np.isfinite(inertia))


def _inertia_and_mood(cohort: Cohort) -> Estimate:
    inertia = _score(cohort, "inertia")
    return correlation(inertia, _score(cohort, "phq9"), np.isfinite(inertia))


def _mood_by_hassles(cohort: Cohort) -> Estimate:
    names = ("hassles_affect", "hassles_square", "affect_square")
    return explained_within(*(_score(cohort, name) for name in names)).times(100.0)


def _threat_and_soothing(cohort: Cohort) -> Estimate:
    patients = _patients(cohort)
    if patients.sum() < 10:
        return NOTHING
    threat, soothing = (np.log(np.maximum(_score(cohort, name), 0.01)) for name in ("threat", "soothing"))
    return interaction(_score(cohort, "sss"), threat, soothing, patients)


_CLINIC = "diagnosed adults who meet the modified 2010 criteria now"
_FOUR = "any of widespread pain, IBS, TMD, ME/CFS now"
_CONTROLS = "adults without chronic pain and any counted condition"
_KEEPERS = "up to 2,000 adults a run, 42 evenings"
ASKED: dict[str, Estimand] = {
    "fiqr_fm_mean": Estimand(lambda c: mean(_score(c, "fiqr"), _patients(c)), f"{_CLINIC}: mean FIQR"),
    "csi_fiqr_r": Estimand(
        lambda c: correlation(_score(c, "csi"), _score(c, "fiqr"), _patients(c), ranks=True),
        f"{_CLINIC}: rank correlation of CSI and FIQR",
    ),
    "csi_fm_ge40": Estimand(lambda c: share(_score(c, "csi") >= _CUT, _patients(c)), f"{_CLINIC}: CSI of 40 or more"),
    "csi_cut": Estimand(
        lambda c: percentile(_score(c, "csi"), _controls(c), _THREE_QUARTERS),
        f"{_CONTROLS}: the score below which 75 % lie (specificity 75 %)",
    ),
    "d_csi_cohens_d": Estimand(
        _clinic_and_controls,
        f"adults with chronic pain and a counted condition now (source: patients of a pain clinic) against {_CONTROLS}: CSI, d",
    ),
    "nsynd_or_lifeevents": Estimand(
        _by_events,
        f"adults: {_FOUR}, by life events told of the last year (any or none; assumed cut), odds ratio",
    ),
    "trauma_or_fss": Estimand(
        _by_adversity,
        f"adults: {_FOUR}, by childhood adversity told (any or none; source: any trauma), odds ratio",
    ),
    "stress_or_fm_other": Estimand(
        _patients_by_events,
        f"{_CLINIC} against {_CONTROLS}: life events told of the last year (source: of a lifetime), odds ratio",
    ),
    "ibs_prev_rome3": Estimand(lambda c: share(_rome3(c), c.survey.aged()), "adults: IBS by Rome III questionnaire"),
    "ibs_prev_rome3_us_ca_uk": Estimand(
        lambda c: share(_rome3(c), c.survey.aged()), "adults: IBS by Rome III questionnaire"
    ),
    "ibs_fm_ratio_rome3": Estimand(
        lambda c: share_ratio(_rome3(c), c.survey.women, c.survey.aged()),
        "adults: IBS by Rome III questionnaire; women against men, prevalence ratio, crude",
    ),
    "fm_comorb_ibs": Estimand(lambda c: share(_rome3(c), _patients(c)), f"{_CLINIC}: IBS by Rome III questionnaire"),
    "na_ar1": Estimand(
        _affect, f"{_KEEPERS}: mean autocorrelation of a person's negative affect from day to day, about the own mean"
    ),
    "emo_inertia_wellbeing": Estimand(
        _inertia_and_mood, f"{_KEEPERS}: correlation of that autocorrelation with depressive symptoms (PHQ-9-like)"
    ),
    "stress_mood_var": Estimand(
        _mood_by_hassles,
        f"{_KEEPERS}: variance of negative affect within a person that goes with the number of hassles of the day",
    ),
    "fitss_soother_null": Estimand(
        _threat_and_soothing,
        f"{_CLINIC}: threat x soothing (logs, standardised) on the symptom severity scale (source: PHQ-15), "
        "standard deviations",
    ),
}
"""By target id."""

SET = ("ibs_prev_rome3", "ibs_prev_rome3_us_ca_uk")
"""Of these, rows about nearly the same as what the instrument was set from: how much commoner Rome III is than Rome IV."""

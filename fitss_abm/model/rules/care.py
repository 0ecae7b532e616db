"""Care seeking, recognition and diagnosis of fibromyalgia."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, count_bits, exp, jit, log, logistic, one_minus_exp
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.conditions import DEFINITIONS
from fitss_abm.model.randomness import Decision, draw, happens
from fitss_abm.model.rules.case_definitions import tender_points
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule
from fitss_abm.model.rules.symptoms import pain_drive

_CARE = np.uint32(Decision.CARE)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_D_MODIFIED = DEFINITIONS.index("fibromyalgia_modified_2010")
_D_DIAGNOSED = DEFINITIONS.index("fibromyalgia_diagnosed")
_YEAR = F(365.25)
_CUT = F(12.0)


@jit
def visit_probability(
    woman: float, wpi: int, severity: int, days: float, care_rate: float, care_female: float, care_distress: float
) -> float:
    """That somebody who meets the criteria sees a doctor about it within so many days."""
    distress = F(wpi) + F(severity) - _CUT
    return one_minus_exp(care_rate * exp(care_female * woman + care_distress * distress) * days / _YEAR)


@rule(every="week")
def care(  # type: ignore[no-untyped-def]
    conditions, female, sensitization, alert_mean, personal, variation, central_gain, body_map, somatic_severity,
    generation, birth_day, day, first, life_0, life_1, pace_from, pace_span, pace_days, definition_bit,
    pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
    tender_point_drive, tender_point_female, tender_point_threshold,
    care_rate, care_female, care_distress, recognition, recognition_female, recognition_tender_points,
) -> None:  # fmt: skip
    """Who meets the modified 2010 criteria sees a doctor at a yearly rate r exp(b female + c (WPI + SSS - 12)) and is
    recognised with a probability. WPI + SSS is polysymptomatic distress, 12 its usual cut (Wolfe 2015).

    logit(recognition) rises for women and with 11 tender points. A diagnosis, once made, stays.
    """
    base = min(max(recognition, F(1e-6)), F(1.0 - 1e-6))
    intercept = log(base / (F(1.0) - base))
    diagnosed = definition_bit[_D_DIAGNOSED]
    for i in range(conditions.shape[0]):
        if conditions[i] & definition_bit[_D_MODIFIED] and not conditions[i] & diagnosed:
            founder = np.uint32(first + np.uint32(i))
            days = F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days)
            woman = F(female[i])
            visit = visit_probability(
                woman, count_bits(body_map[i]), somatic_severity[i], days, care_rate, care_female, care_distress
            )
            drive = pain_drive(
                sensitization[i], alert_mean[i], F(personal[0, i]) * _PER_UNIT, variation[i], central_gain[i],
                pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
            )  # fmt: skip
            tender = tender_points(
                drive, F(personal[3, i]) * _PER_UNIT, female[i],
                tender_point_drive, tender_point_female, tender_point_threshold,
            )  # fmt: skip
            log_odds = intercept + recognition_female * woman + (recognition_tender_points if tender else F(0.0))
            a, _b, _c, _d = draw(founder, np.uint32(generation[i]), day, _CARE, life_0, life_1)
            if happens(a, visit * logistic(log_odds)):
                conditions[i] |= diagnosed

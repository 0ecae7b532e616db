"""What a case is: criteria on the body map and the symptom severity scale, held when met in most of the last 13 weeks."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, count_bits, jit
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.conditions import DEFINITIONS, EXPLAINS_PAIN
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule
from fitss_abm.model.rules.symptoms import pain_drive

_ACR_2016, _CWP, _MODIFIED_2010, _PAIN, _ACR_1990 = 0, 1, 2, 3, 4  # columns of `weeks_met`
_THIRTEEN = np.uint32(0x1FFF)
_MOST_WEEKS = F(13.0)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_TENDERNESS = 3  # column of `personal`
_D_2016 = DEFINITIONS.index("fibromyalgia_acr_2016")
_D_CWP = DEFINITIONS.index("chronic_widespread_pain")
_D_PAIN = DEFINITIONS.index("chronic_pain_item")
_D_1990 = DEFINITIONS.index("fibromyalgia_acr_1990")
_D_2010 = DEFINITIONS.index("fibromyalgia_acr_2010")
_D_MODIFIED = DEFINITIONS.index("fibromyalgia_modified_2010")
# ACR 2010, its 2011 modification and ACR 2016 (Wolfe 2016, doi:10.1016/j.semarthrit.2016.08.012).
_WPI_MANY, _SSS_MANY = 7, 5
_WPI_FEW_2010, _WPI_FEW_2016, _SSS_FEW = 3, 4, 9
_GENERALIZED_REGIONS = 4


@jit
def severe_enough(wpi: int, severity: int, few: int) -> bool:
    """(WPI >= 7 and SSS >= 5) or (few <= WPI <= 6 and SSS >= 9)."""
    return (wpi >= _WPI_MANY and severity >= _SSS_MANY) or (few <= wpi < _WPI_MANY and severity >= _SSS_FEW)


@jit
def widespread(painful: int, masks) -> bool:  # type: ignore[no-untyped-def]
    """ACR 1990: axial pain, pain on both sides, above and below the waist."""
    return (
        (painful & masks[0]) != 0
        and (painful & masks[1]) != 0
        and (painful & masks[2]) != 0
        and (painful & masks[3]) != 0
        and (painful & masks[4]) != 0
    )


@jit
def regions_painful(painful: int, masks) -> int:  # type: ignore[no-untyped-def]
    """How many of the five regions of generalized pain hurt (ACR 2016)."""
    count = 0
    for k in range(5):
        if painful & masks[5 + k]:
            count += 1
    return count


@jit
def tender_points(
    drive: float, tenderness: float, female: int, per_logit: float, women: float, threshold: float
) -> bool:
    """Whether at least 11 of 18 tender points hurt to pressure."""
    return per_logit * drive + women * F(female) + tenderness > threshold


@jit
def _remember(weeks_met, criterion: int, i: int, weeks: int, met: bool) -> None:  # type: ignore[no-untyped-def]
    """Shift a criterion's thirteen weeks and put this week in, or the `weeks` that a step of the pre-history stands for."""
    now = (np.uint32(1) << weeks) - np.uint32(1) if met else np.uint32(0)
    weeks_met[criterion, i] = np.uint16(((np.uint32(weeks_met[criterion, i]) << weeks) | now) & _THIRTEEN)


@rule(every="week")
def case_definitions(  # type: ignore[no-untyped-def]
    conditions, weeks_met, body_map, somatic_severity, sensitization, alert_mean,
    personal, variation, central_gain, female, birth_day, pace_from, pace_span, pace_days,
    site_masks, definition_bit, condition_masks,
    pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
    weeks_held, pain_weeks_chronic, tender_point_drive, tender_point_female, tender_point_threshold,
) -> None:  # fmt: skip
    """Each criterion is held when met in `weeks_held` of the last 13 weekly assessments.

    ACR 2016: severe enough and pain in 4 of 5 regions. Modified 2010: severe enough, by self-report. ACR 2010: the same,
    unless the clinician finds nociceptive pain that explains it. ACR 1990: widespread pain and 11 of 18 tender points.
    Chronic pain: some pain in most of the 13 weeks.
    """
    for i in range(conditions.shape[0]):
        painful = body_map[i]
        wpi = count_bits(painful)
        severity = np.int64(somatic_severity[i])
        now_2016 = severe_enough(wpi, severity, _WPI_FEW_2016) and (
            regions_painful(painful, site_masks) >= _GENERALIZED_REGIONS
        )
        now_2010 = severe_enough(wpi, severity, _WPI_FEW_2010)
        now_widespread = widespread(painful, site_masks)
        drive = pain_drive(
            sensitization[i], alert_mean[i], F(personal[0, i]) * _PER_UNIT, variation[i], central_gain[i],
            pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
        )  # fmt: skip
        tender = tender_points(
            drive, F(personal[_TENDERNESS, i]) * _PER_UNIT, female[i],
            tender_point_drive, tender_point_female, tender_point_threshold,
        )  # fmt: skip
        paced = pace(birth_day[i], pace_from, pace_span, pace_days)
        weeks = np.uint32(min(max(paced + F(0.5), F(1.0)), _MOST_WEEKS))
        _remember(weeks_met, _ACR_2016, i, weeks, now_2016)
        _remember(weeks_met, _CWP, i, weeks, now_widespread)
        _remember(weeks_met, _MODIFIED_2010, i, weeks, now_2010)
        _remember(weeks_met, _PAIN, i, weeks, wpi > 0)
        _remember(weeks_met, _ACR_1990, i, weeks, now_widespread and tender)
        old = conditions[i]
        new = old
        for k in range(definition_bit.shape[0] - 1):  # the last one, diagnosis, is a rule of its own
            new &= ~definition_bit[k]
        if F(count_bits(np.uint32(weeks_met[_ACR_2016, i]))) >= weeks_held:
            new |= definition_bit[_D_2016]
        if F(count_bits(np.uint32(weeks_met[_MODIFIED_2010, i]))) >= weeks_held:
            new |= definition_bit[_D_MODIFIED]
            if not old & condition_masks[EXPLAINS_PAIN]:
                new |= definition_bit[_D_2010]
        if F(count_bits(np.uint32(weeks_met[_PAIN, i]))) >= pain_weeks_chronic:
            new |= definition_bit[_D_PAIN]
        if F(count_bits(np.uint32(weeks_met[_CWP, i]))) >= weeks_held:
            new |= definition_bit[_D_CWP]
        if F(count_bits(np.uint32(weeks_met[_ACR_1990, i]))) >= weeks_held:
            new |= definition_bit[_D_1990]
        conditions[i] = new

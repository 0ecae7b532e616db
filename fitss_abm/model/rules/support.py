"""The support network: what reaches a person, what it is worth, what a person offers, and withdrawal under lasting alert."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, one_minus_exp
from fitss_abm.model.rules.pace import pace, quickened
from fitss_abm.model.rules.rule import rule

# A person's word for tomorrow: offer (16 bits, unit 1/16384), openness (8 bits, 1/255), distress = alert (8 bits, 1/255).
# Integers, so that a sum over ties is exact in any order.
_OFFER_UNIT = F(1.0 / 16384.0)
_OFFER_MAX = F(65535.0)
_BYTE = F(255.0)
_PER_BYTE = F(1.0 / 255.0)
_WEIGHT_UNIT = F(1.0 / 4096.0)
_HALF = F(0.5)


@rule(every="day")
def support(  # type: ignore[no-untyped-def]
    felt_support, loneliness, openness, support_uptake, soothing, added_support, added_weight, birth_day,
    words_before, tie_start, tie_neighbour, tie_weight,
    pace_from, pace_span, pace_days, support_baseline, support_baseline_weight, support_need, loneliness_rate,
    helping_cost, soothing_rate, soothing_floor,
) -> None:  # fmt: skip
    """Support received H = (h B + o_i sum w_ij o_j offer_j + E_i) / (h + o_i sum w_ij o_j + e_i), with yesterday's offers;
    felt support u_i H.

    o is openness after withdrawal, B what comes without ties, h its weight; e is the weight of support that programmes add,
    E that weight times the support. Weights carry strength and offers are not divided
    among ties, so few ties are no risk by themselves, poor ties are. Loneliness follows need less felt support. A helper pays
    for ties in distress, each as strong as it is to the helper: S falls by k_S cost (o_i sum w_ij o_j A_j) / (h +
    o_i sum w_ij o_j + e_i).
    """
    for i in range(felt_support.shape[0]):
        total = np.uint64(0)
        offered = np.uint64(0)
        distress = np.uint64(0)
        for k in range(tie_start[i], tie_start[i + 1]):
            word = words_before[tie_neighbour[k]]
            w = np.uint64(tie_weight[k]) * np.uint64((word >> np.uint32(8)) & np.uint32(255))
            total += w
            offered += w * np.uint64(word >> np.uint32(16))
            distress += w * np.uint64(word & np.uint32(255))
        own = openness[i] * _WEIGHT_UNIT * _PER_BYTE
        weight = own * F(total)
        share = F(1.0) / (support_baseline_weight + weight + added_weight[i])
        through_ties = own * F(offered) * _OFFER_UNIT
        received = (support_baseline_weight * support_baseline + through_ties + added_support[i]) * share
        felt = support_uptake[i] * received
        felt_support[i] = felt
        loneliness[i] += loneliness_rate * (support_need - felt - loneliness[i])
        rate = quickened(soothing_rate, pace(birth_day[i], pace_from, pace_span, pace_days))
        paid = rate * helping_cost * own * F(distress) * _PER_BYTE * share
        soothing[i] = max(soothing[i] - paid, soothing_floor)


@rule(every="week")
def withdrawal(  # type: ignore[no-untyped-def]
    openness, alert_mean, birth_day, pace_from, pace_span, pace_days, withdrawal_depth, withdrawal_rate
) -> None:
    """Openness o follows 1 - depth x mean alert: ties loosen slowly under lasting alert, and mend as slowly."""
    for i in range(openness.shape[0]):
        days = F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days)
        target = F(1.0) - withdrawal_depth * alert_mean[i]
        openness[i] += one_minus_exp(withdrawal_rate * days) * (target - openness[i])


@rule(every="day")
def offer(words, giving, alert, soothing, openness) -> None:  # type: ignore[no-untyped-def]
    """Offer for tomorrow = giving_i (1 - A) 2 S / (1 + S), with openness and distress beside it; bounded by 4."""
    for i in range(words.shape[0]):
        s = soothing[i]
        given = giving[i] * (F(1.0) - alert[i]) * F(2.0) * s / (F(1.0) + s)
        fixed = np.uint32(min(given / _OFFER_UNIT + _HALF, _OFFER_MAX))
        open_byte = np.uint32(openness[i] * _BYTE + _HALF)
        alert_byte = np.uint32(min(max(alert[i], F(0.0)), F(1.0)) * _BYTE + _HALF)
        words[i] = (fixed << np.uint32(16)) | (open_byte << np.uint32(8)) | alert_byte

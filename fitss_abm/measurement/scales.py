"""Compiled: the state as questionnaires see it, and the answers on a bounded scale with error of the day."""

from __future__ import annotations

import numpy as np
from numba import prange

from fitss_abm.model.arithmetic import F, count_bits, log, logistic
from fitss_abm.model.caching import compiled
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.conditions import SOMATIC
from fitss_abm.model.pain import pain_intensity
from fitss_abm.model.randomness import Decision, draw, normal
from fitss_abm.model.rules.symptoms import pain_drive, somatic_drive

_HABIT = np.uint32(Decision.HABIT)
_ANSWER = np.uint32(Decision.ANSWER)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_LEAST = F(0.01)  # of threat and soothing, which enter as logarithms
_STRESSORS = 4


@compiled(parallel=True)
def features(  # type: ignore[no-untyped-def]
    slots, threat, soothing, alert_mean, sensitization, personal, variation, body_map, conditions, central_gain,
    poor_sleep, loneliness, sensory_sensitivity, event_load, stressors, stress_relief, reported_relief, female, masks,
    numbers, levels, out,
) -> None:  # fmt: skip
    """The columns of `instrument_table.FEATURES` for the people in `slots`, float32 (slots, features), not centred.

    balance log(threat / soothing); alert its slow mean; sensitization; somatic the drive of the severity items (logits);
    sleep logit(poor sleep); loneliness; pain of the week (0 to 10); senses log sensory sensitivity; exposure
    log(1 + stress of life events and chronic stressors); soothing log; tenderness what eleven tender points need (0) or
    more (probits).
    """
    (
        pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
        somatic_intercept, somatic_sensitization, somatic_alert, somatic_person_sd, correlation,
        somatic_per_site, somatic_per_condition, somatic_variation,
        tender_drive, tender_female, tender_threshold,
    ) = numbers  # fmt: skip
    rest = np.sqrt(F(1.0) - correlation * correlation)
    for k in prange(slots.shape[0]):
        i = slots[k]
        calm = max(soothing[i], _LEAST)
        out[k, 0] = log(max(threat[i], _LEAST) / calm)
        out[k, 1] = alert_mean[i]
        out[k, 2] = sensitization[i]
        out[k, 3] = somatic_drive(
            sensitization[i], alert_mean[i], F(personal[0, i]), F(personal[1, i]), variation[i],
            F(count_bits(body_map[i])), F(count_bits(conditions[i] & masks[SOMATIC])), central_gain[i],
            somatic_intercept, somatic_sensitization, somatic_alert, somatic_person_sd,
            somatic_variation, somatic_per_site, somatic_per_condition, pain_gain, correlation, rest,
        )  # fmt: skip
        poor = min(max(poor_sleep[i], F(0.001)), F(0.999))
        out[k, 4] = log(poor / (F(1.0) - poor))
        out[k, 5] = loneliness[i]
        out[k, 6] = pain_intensity(
            body_map[i], sensitization[i], variation[i], central_gain[i], pain_gain, reported_relief[i]
        )
        out[k, 7] = log(max(sensory_sensitivity[i], _LEAST))
        load = event_load[i]
        for bit in range(_STRESSORS):
            if stressors[i] & np.uint8(1 << bit):
                load += levels[bit] * (F(1.0) - stress_relief[i]) if bit < 2 else levels[bit]
        out[k, 8] = log(F(1.0) + load)
        out[k, 9] = log(calm)
        drive = pain_drive(
            sensitization[i], alert_mean[i], F(personal[0, i]) * _PER_UNIT, variation[i], central_gain[i],
            pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
        )  # fmt: skip
        out[k, 10] = (
            tender_drive * drive + tender_female * F(female[i]) + F(personal[3, i]) * _PER_UNIT - tender_threshold
        )


@compiled(parallel=True)
def habits(slots, generation, k0, k1, out) -> None:  # type: ignore[no-untyped-def]
    """A lasting standard normal difference of each person under this key, float32 (slots,)."""
    for k in prange(slots.shape[0]):
        word, _b, _c, _d = draw(np.uint32(slots[k]), np.uint32(generation[slots[k]]), np.uint32(0), _HABIT, k0, k1)
        out[k] = normal(word)


@compiled(parallel=True)
def latents(  # type: ignore[no-untyped-def]
    features, weights, centre, style, by_style, slots, generation, by_own, k0, k1, out
) -> None:
    """sum of weight x feature - centre, plus style and what is the person's own on this scale; float32 (slots,)."""
    for k in prange(slots.shape[0]):
        value = -centre
        for column in range(weights.shape[0]):
            value += weights[column] * features[k, column]
        word, _b, _c, _d = draw(np.uint32(slots[k]), np.uint32(generation[slots[k]]), np.uint32(0), _HABIT, k0, k1)
        out[k] = value + by_style * style[k] + by_own * normal(word)


@compiled(parallel=True)
def answers(  # type: ignore[no-untyped-def]
    latent, location, slope, error, low, high, slots, generation, day, k0, k1, out
) -> None:
    """low + (high - low) logistic(location + slope (latent + error N)), rounded; the error is of the day."""
    for k in prange(slots.shape[0]):
        word, _b, _c, _d = draw(np.uint32(slots[k]), np.uint32(generation[slots[k]]), day, _ANSWER, k0, k1)
        share = logistic(location + slope * (latent[k] + error * normal(word)))
        out[k] = np.int32(low + (high - low) * share + F(0.5))


@compiled(parallel=True)
def shares(latent, location, slope, out) -> None:  # type: ignore[no-untyped-def]
    """logistic(location + slope latent): the answer without error as a share of the range."""
    for k in prange(out.shape[0]):
        out[k] = logistic(location + slope * latent[k])


COMPILED = (features, habits, latents, answers, shares)
"""Every compiled entry point of this file."""

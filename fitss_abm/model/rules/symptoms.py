"""Symptoms of the week: sleep, the body map of 19 sites, the symptom severity scale."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, count_bits, exp, jit, log, logistic
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.conditions import DISTURBS_SLEEP, SITES, SOMATIC
from fitss_abm.model.randomness import Decision, draw, normal, small_noise, uniform
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_NOISE = np.uint32(Decision.SYMPTOM_NOISE)
_BODY = np.uint32(Decision.BODY_MAP)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_PAIN, _SOMATIC, _SLEEP = 0, 1, 2  # columns of `personal`
_SITES = len(SITES)
_ABDOMEN = np.uint32(1 << SITES.index("abdomen"))
_NEGLIGIBLE = F(-9.2)  # logits below which a site does not hurt: probability one in ten thousand
# Steps of the four-point items (0 no problem .. 3 severe) and thresholds of the three yes/no items, logits (assumed).
_SLIGHT, _MODERATE, _SEVERE = F(-3.5), F(1.5), F(3.0)
_COGNITION_OFFSET = F(0.5)
_EXTRA = F(2.5)
_DEPRESSION_ALERT = F(2.0)
_SLEEP_NOISE = F(0.5)
_SOMATIC_NOISE = F(0.5)
_MID = F(0.5)


@jit
def pain_drive(
    sensitization: float, alert_mean: float, trait: float, variation: float, gain: float,
    pain_intercept: float, pain_sensitization: float, pain_alert: float, pain_person_sd: float, variation_weight: float,
    pain_gain: float,
) -> float:  # fmt: skip
    """Logits of pain common to all sites: a + b_C C + b_A A + sd z + w nu + b_g log g."""
    return (
        pain_intercept
        + pain_sensitization * sensitization
        + pain_alert * alert_mean
        + pain_person_sd * trait
        + variation_weight * variation
        + pain_gain * log(gain)
    )


@jit
def _site_drive(drive: float, term: float, trait: int, local: int, site_sd: float, local_pain: float) -> float:
    return drive + term + site_sd * F(trait) * _PER_UNIT + (local_pain if local else F(0.0))


@jit
def _hurts(word: int, x: float, least: float, noise: float, bit: int) -> int:
    """The site's bit if it hurts, else 0."""
    return bit if x > least and uniform(word) < logistic(x / noise) else np.uint32(0)


@jit
def _level(x: float) -> int:
    """A four-point item, 0 to 3."""
    return (1 if x > _SLIGHT else 0) + (1 if x > _MODERATE else 0) + (1 if x > _SEVERE else 0)


@rule(every="week")
def sleep(  # type: ignore[no-untyped-def]
    poor_sleep, variation, alert_mean, personal, conditions, sleep_relief, generation, birth_day, day, first, life_0, life_1,
    pace_from, pace_span, pace_days, condition_masks,
    sleep_intercept, sleep_alert, sleep_person_sd, sleep_condition, variation_days,
) -> None:  # fmt: skip
    """Poor sleep = logistic(a + b A + sd z + c n + noise - relief), n conditions that disturb sleep, relief by
    programmes. Slow variation nu is an AR(1) with sd 1.

    nu' = phi nu + sqrt(1 - phi^2) N(0, 1), phi = exp(-days / variation_days).
    """
    for i in range(poor_sleep.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        days = F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days)
        a, b, _c, _d = draw(founder, np.uint32(generation[i]), day, _NOISE, life_0, life_1)
        phi = exp(-days / variation_days)
        variation[i] = phi * variation[i] + np.sqrt(F(1.0) - phi * phi) * normal(a)
        disturbed = F(count_bits(conditions[i] & condition_masks[DISTURBS_SLEEP]))
        poor_sleep[i] = logistic(
            sleep_intercept
            + sleep_alert * alert_mean[i]
            + sleep_person_sd * F(personal[_SLEEP, i]) * _PER_UNIT
            + sleep_condition * disturbed
            + _SLEEP_NOISE * normal(b)
            - sleep_relief[i]
        )


@rule(every="week")
def body_map(  # type: ignore[no-untyped-def]
    body_map, sensitization, alert_mean, personal, variation, central_gain, site_trait, conditions, peripheral_relief,
    generation, day, first, life_0, life_1, site_term, susceptibility, condition_bit, condition_sites, condition_sites_mirrored,
    pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
    site_sd, site_noise, local_pain,
) -> None:  # fmt: skip
    """Site s hurts this week with probability logistic((drive_i + term_s + sd z_is + local_s) / noise).

    `local_s` is the pain of a condition on its own sites, less what programmes take off; which side is left to chance
    (the last bit of the susceptibility). The widespread pain index is the number of painful sites.
    """
    # The painful local sites stand in the body map until their turn comes: no array beside it is needed.
    for i in range(body_map.shape[0]):
        body_map[i] = 0
    for h in range(condition_bit.shape[0]):
        if condition_sites[h]:
            for i in range(body_map.shape[0]):
                sites = condition_sites_mirrored[h] if susceptibility[h, i] & np.int8(1) else condition_sites[h]
                body_map[i] |= sites if conditions[i] & condition_bit[h] else np.uint32(0)
    least = _NEGLIGIBLE * site_noise
    for group in range((_SITES + 3) // 4):
        s = 4 * group
        last = min(s + 3, _SITES - 1)  # the last group has three sites: its fourth is computed and dropped
        shift = np.uint32(s)
        keep = np.uint32(0xF if s + 3 < _SITES else 0x7)
        for i in range(body_map.shape[0]):
            founder = np.uint32(first + np.uint32(i))
            a, b, c, d = draw(
                founder, np.uint32(generation[i]), day, np.uint32(_BODY + np.uint32(group)), life_0, life_1
            )
            drive = pain_drive(
                sensitization[i], alert_mean[i], F(personal[_PAIN, i]) * _PER_UNIT, variation[i], central_gain[i],
                pain_intercept, pain_sensitization, pain_alert, pain_person_sd, variation_weight, pain_gain,
            )  # fmt: skip
            local = np.uint32(body_map[i] >> shift)
            sore = local_pain * (F(1.0) - peripheral_relief[i])
            x0 = _site_drive(drive, site_term[s], site_trait[s, i], local & np.uint32(1), site_sd, sore)
            x1 = _site_drive(drive, site_term[s + 1], site_trait[s + 1, i], local & np.uint32(2), site_sd, sore)
            x2 = _site_drive(drive, site_term[s + 2], site_trait[s + 2, i], local & np.uint32(4), site_sd, sore)
            x3 = _site_drive(drive, site_term[last], site_trait[last, i], local & np.uint32(8), site_sd, sore)
            hurts = (
                _hurts(a, x0, least, site_noise, np.uint32(1))
                | _hurts(b, x1, least, site_noise, np.uint32(2))
                | _hurts(c, x2, least, site_noise, np.uint32(4))
                | _hurts(d, x3, least, site_noise, np.uint32(8))
            ) & keep
            body_map[i] = (body_map[i] & ~np.uint32(np.uint32(0xF) << shift)) | np.uint32(hurts << shift)


@jit
def somatic_drive(
    sensitization: float, alert_mean: float, pain_trait: float, somatic_trait: float, variation: float,
    wpi: float, held: float, gain: float,
    somatic_intercept: float, somatic_sensitization: float, somatic_alert: float, somatic_person_sd: float,
    somatic_variation: float, somatic_per_site: float, somatic_per_condition: float, pain_gain: float,
    correlation: float, rest: float,
) -> float:  # fmt: skip
    """Logits common to the items of somatic severity; traits as bytes, `rest` = sqrt(1 - correlation^2)."""
    own = correlation * pain_trait + rest * somatic_trait
    return (
        somatic_intercept
        + somatic_sensitization * sensitization
        + somatic_alert * alert_mean
        + somatic_person_sd * own * _PER_UNIT
        + somatic_variation * variation
        + somatic_per_site * wpi
        + somatic_per_condition * held
        + pain_gain * log(gain)
    )


@jit
def unrefreshed(poor_sleep: float, sleep_reference: float) -> float:
    """What sleep adds to its item: half of how much worse than usual it is (logits)."""
    usual_sleep = log(sleep_reference / (F(1.0) - sleep_reference)) if F(0.0) < sleep_reference < F(1.0) else F(0.0)
    poor = min(max(poor_sleep, F(0.001)), F(0.999))
    return _MID * (log(poor / (F(1.0) - poor)) - usual_sleep)


@jit
def somatic_items(
    drive: float, unrested: float, alert_mean: float, painful: int, noise: float,
    fatigue: int, sleep: int, cognition: int, headache: int, abdomen: int, depression: int,
) -> int:  # fmt: skip
    """The symptom severity scale of a somatic drive: six items, each with its word of luck and noise of this sd (logits)."""
    tired = _level(drive + noise * small_noise(fatigue))
    sleeping = _level(drive + unrested + noise * small_noise(sleep))
    thinking = _level(drive - _COGNITION_OFFSET + noise * small_noise(cognition))
    aching = drive + noise * small_noise(headache) > _EXTRA
    abdominal = (painful & _ABDOMEN) != 0 or drive + noise * small_noise(abdomen) > _EXTRA
    depressed = drive + _DEPRESSION_ALERT * alert_mean + noise * small_noise(depression) > _EXTRA
    extras = (1 if aching else 0) + (1 if abdominal else 0) + (1 if depressed else 0)
    return tired + sleeping + thinking + extras


@rule(every="week")
def somatic_severity(  # type: ignore[no-untyped-def]
    somatic_severity, body_map, sensitization, alert_mean, personal, variation, central_gain, poor_sleep, conditions,
    generation, day, first, life_0, life_1, condition_masks,
    somatic_intercept, somatic_sensitization, somatic_alert, somatic_person_sd, somatic_pain_correlation,
    somatic_per_site, somatic_per_condition, somatic_variation, pain_gain, sleep_reference,
) -> None:  # fmt: skip
    """Symptom severity scale (0-12): fatigue, unrefreshing sleep, cognition (0-3 each), headache, abdominal pain,
    depression (0-1 each).

    All read one somatic drive D = a + b_C C + b_A A + sd e + w_s nu + c1 WPI + c2 conditions + b_g log g, where e is
    correlated with the
    lasting difference in pain; sleep adds half of how much worse than usual
    it is (logits), cognition is half a logit harder.
    """
    correlation = somatic_pain_correlation
    rest = np.sqrt(F(1.0) - correlation * correlation)
    for i in range(somatic_severity.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        lived = np.uint32(generation[i])
        held = F(count_bits(conditions[i] & condition_masks[SOMATIC]))
        drive = somatic_drive(
            sensitization[i], alert_mean[i], F(personal[_PAIN, i]), F(personal[_SOMATIC, i]), variation[i],
            F(count_bits(body_map[i])), held, central_gain[i],
            somatic_intercept, somatic_sensitization, somatic_alert, somatic_person_sd,
            somatic_variation, somatic_per_site, somatic_per_condition, pain_gain, correlation, rest,
        )  # fmt: skip
        _a, _b, c, d = draw(founder, lived, day, _NOISE, life_0, life_1)
        a, b, e, f = draw(founder, lived, day, _NOISE + np.uint32(1), life_0, life_1)
        unrested = unrefreshed(poor_sleep[i], sleep_reference)
        severity = somatic_items(drive, unrested, alert_mean[i], body_map[i], _SOMATIC_NOISE, c, d, a, b, e, f)
        somatic_severity[i] = np.uint8(severity)

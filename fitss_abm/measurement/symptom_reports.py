"""Compiled: the body map, severity items and tender points as reported, criteria on them, the FIQR."""

from __future__ import annotations

import numpy as np
from numba import prange

from fitss_abm.model.arithmetic import F, count_bits, jit
from fitss_abm.model.caching import compiled
from fitss_abm.model.conditions import SITES
from fitss_abm.model.randomness import Decision, draw, normal
from fitss_abm.model.rules.case_definitions import regions_painful, severe_enough, widespread
from fitss_abm.model.rules.symptoms import somatic_items, unrefreshed

_ANSWER = np.uint32(Decision.ANSWER)
_ITEMS = np.uint32(Decision.ANSWER + 3)  # and + 4
_EXAMINED = np.uint32(Decision.ANSWER + 5)
_SITES = len(SITES)
_POINTS = 18
_SIXTEEN = F(65536.0)
ACR_1990, ACR_2010, MODIFIED_2010, ACR_2016, CWP = 0, 1, 2, 3, 4
"""Bits of the criteria in what `reports` fills."""
_FATIGUE_MILD, _FATIGUE_MODERATE, _FATIGUE_SEVERE = F(-3.5), F(1.5), F(3.0)  # thresholds of the severity items, logits


@compiled(parallel=True)
def reports(  # type: ignore[no-untyped-def]
    slots, generation, day, k0, k1, body_map, drive, tenderness, poor_sleep, alert_mean, long_pain, explained,
    site_masks, missed, added, item_noise, sleep_reference, point_error, point_thresholds, wpi, severity, points, criteria,
) -> None:  # fmt: skip
    """WPI, severity, tender points and criteria (bits) of the day, each with its error.

    A painful site is left out with probability `missed`, another marked with `added`; items have noise `item_noise`
    (logits); the examiner finds point p if tenderness + error N > `point_thresholds`[p]. Criteria on what was reported:
    of at least three months where `long_pain`; ACR 2010 where nothing else explains the pain.
    """
    lost, false = np.uint32(missed * _SIXTEEN), np.uint32(added * _SIXTEEN)
    for k in prange(slots.shape[0]):
        i = slots[k]
        founder, lived = np.uint32(i), np.uint32(generation[i])
        true = np.uint32(body_map[i])
        marked = np.uint32(0)
        for group in range(3):  # eight sites a draw, sixteen bits each
            words = draw(founder, lived, day, np.uint32(_ANSWER + np.uint32(group)), k0, k1)
            for part in range(8):
                s = 8 * group + part
                if s < _SITES:
                    chance = (words[part // 2] >> np.uint32(16 * (part % 2))) & np.uint32(0xFFFF)
                    hurts = (true >> np.uint32(s)) & np.uint32(1)
                    marked |= np.uint32(chance >= lost if hurts else chance < false) << np.uint32(s)
        a, b, c, d = draw(founder, lived, day, _ITEMS, k0, k1)
        e, f, _g, _h = draw(founder, lived, day, np.uint32(_ITEMS + np.uint32(1)), k0, k1)
        unrested = unrefreshed(poor_sleep[i], sleep_reference)
        items = somatic_items(drive[k], unrested, alert_mean[i], marked, item_noise, a, b, c, d, e, f)
        examined, _b, _c, _d = draw(founder, lived, day, _EXAMINED, k0, k1)
        pressed = tenderness[k] + point_error * normal(examined)
        tender = 0
        for p in range(_POINTS):
            tender += 1 if pressed > point_thresholds[p] else 0
        sites = count_bits(marked)
        wide = widespread(marked, site_masks)
        met = np.uint8(0)
        if long_pain[k]:
            enough = severe_enough(sites, items, 3)
            met |= np.uint8(1 << MODIFIED_2010) if enough else np.uint8(0)
            met |= np.uint8(1 << ACR_2010) if enough and not explained[k] else np.uint8(0)
            if severe_enough(sites, items, 4) and regions_painful(marked, site_masks) >= 4:
                met |= np.uint8(1 << ACR_2016)
            met |= np.uint8(1 << CWP) if wide else np.uint8(0)
            met |= np.uint8(1 << ACR_1990) if wide and tender >= 11 else np.uint8(0)
        wpi[k], severity[k], points[k], criteria[k] = sites, items, tender, met


@jit
def rating(logits):  # type: ignore[no-untyped-def]
    """A severity item as a rating of 0 to 10: its thresholds are where ratings become mild (1), moderate (5), severe (7)."""
    if logits < _FATIGUE_MODERATE:
        value = F(1.0) + F(4.0) * (logits - _FATIGUE_MILD) / (_FATIGUE_MODERATE - _FATIGUE_MILD)
    else:
        value = F(5.0) + F(2.0) * (logits - _FATIGUE_MODERATE) / (_FATIGUE_SEVERE - _FATIGUE_MODERATE)
    return min(max(value, F(0.0)), F(10.0))


@compiled(parallel=True)
def impact(  # type: ignore[no-untyped-def]
    slots, generation, day, k0, k1, pain, drive, tenderness, point_thresholds, poor_sleep, sleep_reference, sensitization,
    sensory_sensitivity, depressed, anxious, error, out,
) -> None:  # fmt: skip
    """FIQR 0 to 100, a decimal: function (of 90) / 3 + overall impact (of 20) + ten symptoms (of 100) / 2, plus error N.

    `depressed`, `anxious`: shares of the ranges of PHQ-9 and GAD-7 without error. Other items: pain; the severity items as
    ratings (energy; cognition for memory and balance); stiffness between pain and energy; unrefreshing sleep; tender points
    of 18; sensitivity C x sensory sensitivity. Function is limited by pain and fatigue alike.
    """
    for k in prange(slots.shape[0]):
        i = slots[k]
        energy, thinking = rating(drive[k]), rating(drive[k] - F(0.5))
        resting = rating(drive[k] + unrefreshed(poor_sleep[i], sleep_reference))
        tender = 0
        for p in range(_POINTS):
            tender += 1 if tenderness[k] > point_thresholds[p] else 0
        stiff = F(0.5) * (pain[k] + energy)
        touchy = min(F(10.0) * sensory_sensitivity[i] * sensitization[i], F(10.0))
        mood = F(10.0) * (depressed[k] + anxious[k])
        symptoms = (
            pain[k] + energy + stiff + resting + F(2.0) * thinking + touchy + mood + F(10.0 / _POINTS) * F(tender)
        )
        limited = F(0.5) * (pain[k] + energy)
        overwhelmed = F(0.5) * limited + F(0.25) * mood
        word, _b, _c, _d = draw(np.uint32(i), np.uint32(generation[i]), day, _ANSWER, k0, k1)
        total = F(3.0) * limited + (limited + overwhelmed) + F(0.5) * symptoms + error * normal(word)
        out[k] = F(np.int32(min(max(total, F(0.0)), F(100.0)) * F(10.0) + F(0.5))) / F(10.0)


COMPILED = (reports, impact)
"""Every compiled entry point of this file."""

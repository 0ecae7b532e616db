"""Stress of the day: hassles, chronic stressors, life events, sensory stimuli, symptom burden."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, exp, jit, log
from fitss_abm.model.columns import NORMAL_UNIT, PERSONAL
from fitss_abm.model.randomness import Decision, draw, uniform
from fitss_abm.model.rules.rule import rule

_HASSLES = np.uint32(Decision.HASSLES)
_INTERPERSONAL = np.uint32(Decision.HASSLES + 2)
_REFERENCE_AGE = F(45.0)
_DECADE = F(0.1)
_INVERSE = tuple(F(1.0 / max(k, 1)) for k in range(8))
_HALF = F(0.5)
_HASSLE_PRONENESS = PERSONAL.index("hassles")
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_YESTERDAY = np.uint8(128)
_STRESSOR_BITS = np.uint8(15)


@jit
def hassle_load(rate: float, founder: int, generation: int, day: int, decision: int, k0: int, k1: int) -> float:
    """Sum of a Poisson(rate) number of unit exponential severities (float32); 0 when there is none; seven at most.

    Written without a branch, so that many people go through it at once: -log of a product with a factor u_k where the count
    reaches k and 1 where it does not.
    """
    w0, w1, w2, w3 = draw(founder, generation, day, decision, k0, k1)
    w4, w5, w6, w7 = draw(founder, generation, day, np.uint32(decision + np.uint32(1)), k0, k1)
    u = uniform(w0)
    term = exp(-rate)
    below = term
    product = uniform(w1) if u > below else F(1.0)
    term *= rate
    below += term
    product *= uniform(w2) if u > below else F(1.0)
    term *= rate * _INVERSE[2]
    below += term
    product *= uniform(w3) if u > below else F(1.0)
    term *= rate * _INVERSE[3]
    below += term
    product *= uniform(w4) if u > below else F(1.0)
    term *= rate * _INVERSE[4]
    below += term
    product *= uniform(w5) if u > below else F(1.0)
    term *= rate * _INVERSE[5]
    below += term
    # a product of seven uniforms could leave float32's normal range, so the last two are held apart
    last = uniform(w6) if u > below else F(1.0)
    term *= rate * _INVERSE[6]
    below += term
    last *= uniform(w7) if u > below else F(1.0)
    return -log(product) - log(last)


@rule(every="day")
def exposure(  # type: ignore[no-untyped-def]
    stress, stressors, age, female, personal, generation, sensory_sensitivity, sensitization, event_load, burden,
    stress_relief,
    day, first, life_0, life_1,
    hassle_rate, hassle_rate_sd, hassle_rate_female, hassle_rate_per_decade, hassle_interpersonal_share,
    hassle_interpersonal_severity, hassle_habituation, hassle_weight,
    job_strain_level, bullying_level, caregiving_level, poverty_level, sensory_weight, burden_weight,
) -> None:  # fmt: skip
    """Stress of the day x = hassles + chronic stressors + life-event load + sensory stimuli + symptom burden.

    hassles: two independent Poisson counts, interpersonal and other, with mean rate exp(sd z_i - sd^2/2 +- sex/2 +
    slope (age - 45)/10) in all; each hassle's severity is Exp(1); interpersonal ones weigh more and do not
    habituate, others weigh less on the day after a
    hassle (Bolger 1989). chronic: sum of the levels of those that are on, less what programmes take off job strain and
    bullying. sensory: weight x sensitivity_i x C.
    burden: weight x B. Unit: stress units, about one for a mean hassle.
    """
    for i in range(stress.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        lived = np.uint32(generation[i])
        rate = hassle_rate * exp(
            hassle_rate_sd * (F(personal[_HASSLE_PRONENESS, i]) * _PER_UNIT - _HALF * hassle_rate_sd)
            + hassle_rate_female * (F(female[i]) - _HALF)
            + hassle_rate_per_decade * (age[i] - _REFERENCE_AGE) * _DECADE
        )
        other = hassle_load(rate * (F(1.0) - hassle_interpersonal_share), founder, lived, day, _HASSLES, life_0, life_1)
        interpersonal = hassle_load(
            rate * hassle_interpersonal_share, founder, lived, day, _INTERPERSONAL, life_0, life_1
        )
        on = stressors[i]
        felt = other * (F(1.0) - hassle_habituation) if on & _YESTERDAY else other
        chronic = (
            (F(on & np.uint8(1)) * job_strain_level + F((on >> np.uint8(1)) & np.uint8(1)) * bullying_level)
            * (F(1.0) - stress_relief[i])
            + F((on >> np.uint8(2)) & np.uint8(1)) * caregiving_level
            + F((on >> np.uint8(3)) & np.uint8(1)) * poverty_level
        )
        stress[i] = (
            hassle_weight * (felt + hassle_interpersonal_severity * interpersonal)
            + chronic
            + event_load[i]
            + sensory_weight * sensory_sensitivity[i] * sensitization[i]
            + burden_weight * burden[i]
        )
        hassled = other + interpersonal > F(0.0)
        stressors[i] = (on & _STRESSOR_BITS) | (_YESTERDAY if hassled else np.uint8(0))

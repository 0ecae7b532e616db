"""Intensity of pain, 0 to 10, as a person would rate the week."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, count_bits, jit, log, logistic

# Assumed: chosen so that a week with one painful site is rated 2 to 3 and one with twelve 6 to 7, in people of the
# sensitization usual for so many sites (about 0.25 and 0.55); no published figure stands behind them.
_INTERCEPT = F(-1.4)
_PER_SITE = F(0.13)
_PER_SENSITIZATION = F(1.0)
_PER_VARIATION = F(0.3)
_MOST = F(10.0)
_NONE = F(0.0)


@jit
def pain_intensity(painful, sensitization, variation, central_gain, pain_gain, reported_relief=_NONE):  # type: ignore[no-untyped-def]
    """Pain of the week, 0 to 10: 0 if no site hurts, else 10 logistic(a + b WPI + c C + d nu + b_g log g - relief).

    `painful`: the body map (a bit a site); C: central sensitization (0 to 1); nu: slow ups and downs (normal variate);
    g: central gain (1 in a median man), b_g the parameter `pain_gain`; relief: what a placebo takes off the rating (logits).
    """
    if painful == np.uint32(0):
        return F(0.0)
    return _MOST * logistic(
        _INTERCEPT
        + _PER_SITE * F(count_bits(painful))
        + _PER_SENSITIZATION * sensitization
        + _PER_VARIATION * variation
        + pain_gain * log(central_gain)
        - reported_relief
    )

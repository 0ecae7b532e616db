"""From runs to an effect with its uncertainty: means, ratios, numbers needed to treat, and how many runs a width needs.

Each run is a pair (or more) of arms with the same luck, so a run's own difference is one observation. With replicates at one
point of the parameters the interval is that of the mean over luck, by Student's t. With a run at each of several draws of the
posterior it holds what calibration left open as well as luck: it covers 95 % of draws, and more runs of the same draws do not
shrink it. The Monte Carlo error is the standard error of the mean in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from fitss_abm.study.intervals import CONFIDENCE

Floats = NDArray[np.float64]
_MOST_RUNS = 10_000_000
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval and the standard error that finitely many runs leave; NaN where runs cannot tell."""

    value: float
    low: float
    high: float
    monte_carlo_error: float
    runs: int

    @property
    def sure(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return bool(self.low > 0 or self.high < 0)


def student(runs: int) -> float:
    """Half-width of a 95 % interval in standard errors; NaN with fewer than two runs."""
    return float(stdtrit(runs - 1, 0.5 + CONFIDENCE / 2)) if runs > 1 else math.nan


def mean_of(values: ArrayLike, *, drawn: bool = False) -> Estimate:
    """The mean over runs. `drawn`: each run is another draw, and the interval is to hold 95 % of draws."""
    x = np.asarray(values, np.float64)
    n = x.size
    sd = float(x.std(ddof=1)) if n > 1 else math.nan
    half = student(n) * sd * math.sqrt(1 + 1 / n if drawn else 1 / n) if n > 1 else math.nan
    mean = float(x.mean()) if n else math.nan
    return Estimate(mean, mean - half, mean + half, sd / math.sqrt(n) if n > 1 else math.nan, n)


def ratio_of(above: ArrayLike, below: ArrayLike, *, drawn: bool = False) -> Estimate:
    """Mean over mean of two quantities of the same runs, with Fieller's interval (J R Stat Soc B 1954).

    Where the mean below cannot be told from 0 the interval has no bounds: low and high are infinite.
    """
    a, b = (np.asarray(values, np.float64) for values in (above, below))
    n, top, bottom = a.size, float(a.mean()), float(b.mean())
    if n < 2 or (bottom == 0 and not b.any()):
        value = top / bottom if bottom else math.nan
        return Estimate(value, math.nan, math.nan, math.nan, n)
    share = 1 + 1 / n if drawn else 1 / n
    variance_a, variance_b = (float(v.var(ddof=1)) * share for v in (a, b))
    both = float(np.cov(a, b)[0, 1]) * share
    t2 = student(n) ** 2
    value = top / bottom if bottom else math.nan
    error = (
        math.sqrt(max(variance_a - 2 * value * both + value**2 * variance_b, 0.0)) / abs(bottom) if bottom else math.nan
    )
    error *= math.sqrt(1 / n / share)
    spread = bottom**2 - t2 * variance_b
    if spread <= 0:
        return Estimate(value, -math.inf, math.inf, error, n)
    middle = top * bottom - t2 * both
    root = math.sqrt(max(middle**2 - spread * (top**2 - t2 * variance_a), 0.0))
    return Estimate(value, (middle - root) / spread, (middle + root) / spread, error, n)


def group_mean_of(total: ArrayLike, people: ArrayLike, *, drawn: bool = False) -> Estimate:
    """Sum over people of all runs, for groups whose size differs a little from run to run (linearised ratio)."""
    a, b = (np.asarray(values, np.float64) for values in (total, people))
    if not b.any():
        return Estimate(math.nan, math.nan, math.nan, math.nan, a.size)
    value = float(a.mean() / b.mean())
    around = mean_of((a - value * b) / b.mean(), drawn=drawn)
    return Estimate(value, value + around.low, value + around.high, around.monte_carlo_error, a.size)


def log_ratio_of(above: ArrayLike, below: ArrayLike, *, drawn: bool = False) -> Estimate:
    """Ratio of two means that are above 0, with an interval on the logarithmic scale (delta method)."""
    a, b = (np.asarray(values, np.float64) for values in (above, below))
    n, top, bottom = a.size, float(a.mean()), float(b.mean())
    if top <= 0 or bottom <= 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, n)
    value = top / bottom
    if n < 2:
        return Estimate(value, math.nan, math.nan, math.nan, n)
    sd = float(np.std(a / top - b / bottom, ddof=1))
    factor = math.exp(student(n) * sd * math.sqrt(1 + 1 / n if drawn else 1 / n))
    return Estimate(value, value / factor, value * factor, value * sd / math.sqrt(n), n)


def needed_to_treat(started: ArrayLike, fewer: ArrayLike, *, drawn: bool = False) -> Estimate:
    """People started per case fewer. Where the interval of cases fewer holds 0 there is no such number: the value is NaN.

    Then `low` (below 0: for one case more) and `high` are the ends of an interval that goes through infinity (Altman, BMJ 1998).
    """
    people, gain = mean_of(started), mean_of(fewer, drawn=drawn)
    if not gain.sure and not math.isnan(gain.low):
        ends = [people.value / end if abs(end) > _NEGLIGIBLE else math.inf for end in (gain.low, gain.high)]
        return Estimate(math.nan, ends[0], ends[1], math.nan, gain.runs)
    value = people.value / gain.value if gain.value else math.nan
    ends = sorted(people.value / end for end in (gain.low, gain.high)) if gain.sure else [math.nan, math.nan]
    error = value * gain.monte_carlo_error / abs(gain.value) if gain.value else math.nan
    return Estimate(value, ends[0], ends[1], abs(error), gain.runs)


def advice(estimate: Estimate, half_width: float) -> int | None:
    """How many runs give the mean over luck an interval of plus or minus `half_width`; None where that cannot be said.

    From the spread between the runs made: the smallest n of at least 2 with t(n - 1) sd / sqrt(n) <= half_width.
    """
    if not half_width > 0:
        raise ValueError(f"half_width = {half_width} must be above 0")
    sd = estimate.monte_carlo_error * math.sqrt(estimate.runs)
    if not math.isfinite(sd):
        return None
    low, high = 1, 2
    while student(high) * sd / math.sqrt(high) > half_width:
        low, high = high, high * 2
        if high > _MOST_RUNS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if student(middle) * sd / math.sqrt(middle) > half_width else (low, middle)
    return high


def jackknife_of(function: Callable[..., float], *values: ArrayLike, drawn: bool = False) -> Estimate:
    """A function of the means of several quantities of the same runs, with the standard error of leaving out each run in turn."""
    each = [np.asarray(one, np.float64) for one in values]
    n = each[0].size
    value = float(function(*(one.mean() for one in each)))
    if n < 2:
        return Estimate(value, math.nan, math.nan, math.nan, n)
    without = np.array([function(*((one.sum() - one[k]) / (n - 1) for one in each)) for k in range(n)])
    error = math.sqrt((n - 1) / n * float(((without - without.mean()) ** 2).sum()))
    half = student(n) * error * (math.sqrt(n + 1) if drawn else 1.0)
    return Estimate(value, value - half, value + half, error, n)

"""Intervals and correlations from counts, for whole arrays at once. `low` and `high` bound 95 % intervals.

Where there is nothing to estimate from (nobody at risk, no cases to compare) the answer is NaN, never a made-up number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtr, ndtri, owens_t

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
_Z = float(ndtri(0.5 + CONFIDENCE / 2))
_HALVINGS = 45  # of the interval (-1, 1): to 1e-13
_JUST_BELOW_ONE = 1.0 - 1e-9
_NEARLY_ZERO = 1e-12


def wilson(cases: ArrayLike, people: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Proportion, low, high: Wilson's score interval (JASA 1927). `people` may be an effective number."""
    x, n = (np.asarray(values, dtype=np.float64) for values in (cases, people))
    n = np.where(n > 0, n, np.nan)
    p = x / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    # by hand at the ends, where rounding would leave 1e-18 instead of 0
    return p, np.where(x == 0, 0.0 * p, middle - half), np.where(x == n, 0.0 * p + 1.0, middle + half)


def poisson_rate(events: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Rate per unit of exposure, low, high: the exact interval of a Poisson count (Garwood, Biometrika 1936)."""
    x, t = (np.asarray(values, dtype=np.float64) for values in (events, exposure))
    t = np.where(t > 0, t, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low = np.where(x > 0, chdtri(2 * np.maximum(x, 1.0), 1 - tail) / 2, 0.0)
    return x / t, low / t, chdtri(2 * x + 2, tail) / 2 / t


def log_normal_ratio(of: Floats, against: Floats, variance: Floats) -> tuple[Floats, Floats, Floats]:
    """of / against, low, high; `variance` is that of the ratio's logarithm. NaN unless both are above 0."""
    usable = (of > 0) & (against > 0)
    ratio = np.where(usable, of, np.nan) / np.where(usable, against, np.nan)
    factor = np.exp(_Z * np.sqrt(variance))
    return ratio, ratio / factor, ratio * factor


def odds_ratio(
    both: ArrayLike, first: ArrayLike, second: ArrayLike, people: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Odds ratio, low, high of two conditions by Woolf (1955). Where a cell is empty each gets a half (Haldane 1956).

    `both`: people with both; `first`, `second`: with the one, with the other. NaN where nobody or everybody has one.
    """
    a, b, c, d = fourfold(both, first, second, people)
    return log_normal_ratio(a * d, b * c, 1 / a + 1 / b + 1 / c + 1 / d)


def tetrachoric(both: ArrayLike, first: ArrayLike, second: ArrayLike, people: ArrayLike) -> Floats:
    """Correlation of the two normal liabilities whose thresholds give the fourfold table (Pearson 1900).

    Arguments, empty cells and NaN as in `odds_ratio`. Found by halving: the probability of both rises with the
    correlation.
    """
    a, b, c, d = fourfold(both, first, second, people)
    n = a + b + c + d
    h, k = ndtri((a + b) / n), ndtri((a + c) / n)
    low, high = np.full(np.shape(a), -_JUST_BELOW_ONE), np.full(np.shape(a), _JUST_BELOW_ONE)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_few = bivariate_normal(h, k, middle) < a / n
        low, high = np.where(too_few, middle, low), np.where(too_few, high, middle)
    return np.where(np.isfinite(h + k), (low + high) / 2, np.nan)


def bivariate_normal(h: ArrayLike, k: ArrayLike, correlation: ArrayLike) -> Floats:
    """P(X < h, Y < k) of standard normal X and Y with that correlation, by Owen's T (Ann Math Stat 1956)."""
    x, y, r = (np.asarray(values, dtype=np.float64) for values in (h, k, correlation))
    x, y = (np.where(np.abs(v) < _NEARLY_ZERO, _NEARLY_ZERO, v) for v in (x, y))
    rest = np.sqrt((1 - r) * (1 + r))
    both_signs = np.where(x * y < 0, 0.5, 0.0)
    return np.asarray(
        (ndtr(x) + ndtr(y)) / 2 - owens_t(x, (y / x - r) / rest) - owens_t(y, (x / y - r) / rest) - both_signs
    )


def fourfold(
    both: ArrayLike, first: ArrayLike, second: ArrayLike, people: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    """Cells (both, first only, second only, neither), each with a half more where any is empty; NaN where a margin
    is.
    """
    x, f, s, n = (np.asarray(values, dtype=np.float64) for values in (both, first, second, people))
    cells = np.array(np.broadcast_arrays(x, f - x, s - x, n - f - s + x), dtype=np.float64)
    cells = cells + np.where((cells == 0).any(axis=0), 0.5, 0.0)
    empty = (f == 0) | (s == 0) | (f == n) | (s == n)
    a, b, c, d = np.where(empty, np.nan, cells)
    return a, b, c, d

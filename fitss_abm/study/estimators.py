"""Small estimators over people: shares, rates, ratios, correlations, each with its 95 % interval from chance alone.

People are boolean arrays: who is a case, who is exposed, who is asked. Where there is nothing to estimate from, value
and interval are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from fitss_abm.study import intervals

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_Z = float(norm.ppf(0.5 + intervals.CONFIDENCE / 2))
_BLOCKS = 20
_HALF = 0.5
ENOUGH_RUNS = 5
"""Fewer do not tell how much runs differ."""


@dataclass(frozen=True)
class Estimate:
    """What was found, its 95 % interval, and of how many cases (None where there are none to count)."""

    value: float
    low: float
    high: float
    cases: int | None = None

    def times(self, factor: float) -> Estimate:
        """In another unit."""
        return replace(self, value=self.value * factor, low=self.low * factor, high=self.high * factor)


NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0)


def _made(numbers: tuple[Any, Any, Any], cases: Any = None) -> Estimate:
    value, low, high = (float(number) for number in numbers)
    return Estimate(value, low, high, None if cases is None else int(cases))


def share(cases: Bools, among: Bools) -> Estimate:
    """Per cent of `among` who are cases; Wilson's interval."""
    found = int((cases & among).sum())
    return _made(intervals.wilson(found, among.sum()), found).times(100.0)


def rate(events: Bools, years: Floats) -> Estimate:
    """Events a person-year; the exact Poisson interval."""
    found = int(events.sum())
    return _made(intervals.poisson_rate(found, years.sum()), found)


def yearly(cases: Bools, among: Bools, *, years: float) -> Estimate:
    """Per 1000 person-years when those who became cases within `years` are counted over all of that time."""
    return share(cases, among).times(10.0 / years)


def share_ratio(cases: Bools, exposed: Bools, among: Bools) -> Estimate:
    """Share of cases among the exposed against that among the others; half a case more in each where either has none."""
    x, n = np.array([((cases & g).sum(), g.sum()) for g in (exposed & among, ~exposed & among)], dtype=float).T
    if not n.all() or not x.any():
        return NOTHING
    found = int(x.sum())
    if not x.all():
        x, n = x + _HALF, n + 1.0
    variance = np.asarray((1 / x - 1 / n).sum())
    return _made(intervals.log_normal_ratio(np.asarray(x[0] / n[0]), np.asarray(x[1] / n[1]), variance), found)


def odds_ratio(cases: Bools, exposed: Bools, among: Bools) -> Estimate:
    """Odds of being a case among the exposed against the others (Woolf)."""
    both = (cases & exposed & among).sum()
    found = (cases & among).sum()
    return _made(intervals.odds_ratio(both, (exposed & among).sum(), found, among.sum()), found)


def adjusted_odds_ratio(cases: Bools, exposed: Bools, among: Bools, strata: NDArray[np.int64]) -> Estimate:
    """Odds ratio within strata (Mantel and Haenszel 1959; variance of Robins, Breslow and Greenland 1986)."""
    a, b, c, d = _by_stratum([cases & exposed, ~cases & exposed, cases & ~exposed, ~cases & ~exposed], among, strata)
    n = a + b + c + d
    p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
    if not r.sum() > 0 or not s.sum() > 0:
        return NOTHING
    variance = (p * r).sum() / (2 * r.sum() ** 2) + (q * s).sum() / (2 * s.sum() ** 2)
    variance += (p * s + q * r).sum() / (2 * r.sum() * s.sum())
    return _made(
        intervals.log_normal_ratio(np.asarray(r.sum()), np.asarray(s.sum()), np.asarray(variance)),
        (cases & among).sum(),
    )


def hazard_ratio(events: Bools, years: Floats, exposed: Bools, strata: NDArray[np.int64] | None = None) -> Estimate:
    """Events a person-year among the exposed against the others, within strata (Mantel and Haenszel for rates; variance
    of Greenland and Robins 1985). Who is not at risk has no years.
    """
    strata = np.zeros(events.size, dtype=np.int64) if strata is None else strata
    at_risk = years > 0
    a, b = _by_stratum([events & exposed, events & ~exposed], at_risk, strata)
    t1, t0 = _by_stratum([exposed * years, ~exposed * years], at_risk, strata)
    t = t1 + t0
    of, against = (a * t0 / t).sum(), (b * t1 / t).sum()
    if not of > 0 or not against > 0:
        return NOTHING
    variance = ((a + b) * t1 * t0 / t**2).sum() / (of * against)
    return _made(
        intervals.log_normal_ratio(np.asarray(of), np.asarray(against), np.asarray(variance)), (events & at_risk).sum()
    )


def difference(values: NDArray[Any], exposed: Bools, among: Bools) -> Estimate:
    """Cohen's d: mean of the exposed less that of the others, in pooled standard deviations."""
    one, two = (values[group & among].astype(float) for group in (exposed, ~exposed))
    n1, n2 = one.size, two.size
    if min(n1, n2) < 2:
        return NOTHING
    spread = np.sqrt(((n1 - 1) * one.var(ddof=1) + (n2 - 1) * two.var(ddof=1)) / (n1 + n2 - 2))
    if not spread > 0:
        return NOTHING
    d = (one.mean() - two.mean()) / spread
    error = _Z * np.sqrt(1 / n1 + 1 / n2 + d**2 / (2 * (n1 + n2)))
    return _made((d, d - error, d + error))


def mean(values: NDArray[Any], among: Bools) -> Estimate:
    """Mean of a number over people; normal interval."""
    x = values[among].astype(float)
    if x.size < 2:
        return NOTHING
    error = _Z * x.std(ddof=1) / np.sqrt(x.size)
    return _made((x.mean(), x.mean() - error, x.mean() + error), x.size)


def percentile(values: NDArray[Any], among: Bools, per_cent: float) -> Estimate:
    """The value below which so many per cent lie; interval from the order statistics of a binomial count."""
    x = np.sort(values[among].astype(float))
    if x.size < 2:
        return NOTHING
    p = per_cent / 100
    error = _Z * np.sqrt(p * (1 - p) / x.size)
    value, low, high = np.quantile(x, np.clip([p, p - error, p + error], 0, 1))
    return _made((value, low, high), x.size)


def correlation(x: NDArray[Any], y: NDArray[Any], among: Bools, *, ranks: bool = False) -> Estimate:
    """Pearson's correlation, or Spearman's with `ranks`; interval by Fisher's z."""
    one, two = (rankdata(values[among]) if ranks else values[among].astype(float) for values in (x, y))
    if one.size < 5 or not (one.std() > 0 and two.std() > 0):
        return NOTHING
    z, error = np.arctanh(np.corrcoef(one, two)[0, 1]), _Z / np.sqrt(one.size - 3)
    return _made((np.tanh(z), np.tanh(z - error), np.tanh(z + error)), one.size)


def explained_within(products: Floats, x_squares: Floats, y_squares: Floats) -> Estimate:
    """Share of the variance of y within people that goes with x, from each person's sums of products and squares about the
    own means (NaN: not asked); interval of r by the delta method over people.
    """
    xy, xx, yy = (values[np.isfinite(products)] for values in (products, x_squares, y_squares))
    if xy.size < 5 or not (xx.sum() > 0 and yy.sum() > 0):
        return NOTHING
    scale = np.sqrt(xx.sum() * yy.sum())
    r = xy.sum() / scale
    error = _Z * np.sqrt(((xy / scale - r / 2 * (xx / xx.sum() + yy / yy.sum())) ** 2).sum())
    low, high = np.clip([r - error, r + error], 0.0 if r > 0 else -1.0, 1.0 if r > 0 else 0.0)
    return _made((r**2, min(low**2, high**2), max(low**2, high**2)), xy.size)


def interaction(y: NDArray[Any], a: NDArray[Any], b: NDArray[Any], among: Bools) -> Estimate:
    """Coefficient of a x b in the regression of y on a, b and their product, all standardised; normal interval."""
    z = [(v[among] - v[among].mean()) / max(float(v[among].std()), 1e-12) for v in (y, a, b)]
    design = np.column_stack([np.ones(z[0].size), z[1], z[2], z[1] * z[2]])
    solved, *_ = np.linalg.lstsq(design, z[0], rcond=None)
    rest = z[0] - design @ solved
    variance = np.linalg.pinv(design.T @ design) * (rest @ rest) / max(rest.size - design.shape[1], 1)
    value, error = solved[3], _Z * np.sqrt(variance[3, 3])
    return _made((value, value - error, value + error), rest.size)


def tetrachoric_mean(conditions: list[Bools], among: Bools, weights: Floats | None = None) -> Estimate:
    """Mean tetrachoric correlation of all pairs of conditions; interval by a jackknife over 20 blocks of people."""
    who = np.flatnonzero(among)
    held = np.array([condition[who] for condition in conditions], dtype=float)
    weight = np.ones(who.size) if weights is None else weights[who]
    block = np.arange(who.size) * _BLOCKS // max(who.size, 1)  # neighbours, who may share ties, stay together
    first, second = np.triu_indices(len(conditions), 1)

    def sums(w: Floats) -> tuple[Floats, Floats, Floats]:
        """By block: weight of who has both, of who has each, of all."""
        both = np.array(
            [np.bincount(block, w * held[i] * held[j], _BLOCKS) for i, j in zip(first, second, strict=True)]
        )
        each = np.array([np.bincount(block, w * one, _BLOCKS) for one in held])
        return both, each, np.bincount(block, w, _BLOCKS).astype(float)

    both, each, people = sums(weight)

    def mean(keep: Bools) -> float:
        x, e, n = both[:, keep].sum(axis=1), each[:, keep].sum(axis=1), people[keep].sum()
        return float(intervals.tetrachoric(x, e[first], e[second], n).mean())

    everybody = np.ones(_BLOCKS, dtype=bool)
    value = mean(everybody)
    left = np.array([mean(np.arange(_BLOCKS) != k) for k in range(_BLOCKS)])
    error = _Z * np.sqrt((_BLOCKS - 1) / _BLOCKS * ((left - left.mean()) ** 2).sum())
    return _made((value, value - error, value + error), held.any(axis=0).sum())


def mean_of_runs(values: list[float]) -> Estimate:
    """A number that each run gives once: the mean; chance within a run is too small to count."""
    mean = float(np.mean(values)) if values else float("nan")
    return Estimate(mean, mean, mean)


def widened(estimate: Estimate, of_runs: list[float]) -> Estimate:
    """The interval, made as wide as runs differ among themselves where that is wider and there are enough of them."""
    values = np.array([value for value in of_runs if np.isfinite(value)])
    if values.size < ENOUGH_RUNS:
        return estimate
    error = _Z * float(values.std(ddof=1)) / np.sqrt(values.size)
    return replace(
        estimate, low=min(estimate.low, estimate.value - error), high=max(estimate.high, estimate.value + error)
    )


def spread(estimate: Estimate, of_runs: list[float]) -> Estimate:
    """Median and central 95 % of runs that differ in more than luck."""
    values = np.array([value for value in of_runs if np.isfinite(value)])
    if values.size < ENOUGH_RUNS:
        return estimate
    low, middle, high = (
        float(x) for x in np.quantile(values, [0.5 - intervals.CONFIDENCE / 2, 0.5, 0.5 + intervals.CONFIDENCE / 2])
    )
    return replace(estimate, value=middle, low=low, high=high)


def _by_stratum(values: list[NDArray[Any]], among: Bools, strata: NDArray[np.int64]) -> list[Floats]:
    _, index = np.unique(strata[among], return_inverse=True)
    return [np.bincount(index, value[among].astype(float)) for value in values]

"""Weighted sums over columns with gaps, added up batch by batch: means, standard deviations, correlations, distributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEP = 1e-3
"""Distributions of what is not whole are known to this step."""


class Sums:
    """Of columns of shape (rows, columns) with NaN where a value is missing."""

    def __init__(self, columns: Sequence[str], *, whole: Sequence[bool]) -> None:
        size = len(columns)
        self.columns = tuple(columns)
        self.people = 0
        self.weight = 0.0
        """People, and their weights, whether they have values or not."""
        self.count = np.zeros(size, np.int64)
        """Values known."""
        self._plain, self._squares = np.zeros(size), np.zeros(size)
        # [i, j]: over rows in which both are known, of weight; of weight x_i; of weight x_i^2; of weight x_i x_j
        self._both, self._first, self._second, self._product = (np.zeros((size, size)) for _ in range(4))
        self._histograms = [Histogram(1.0 if one else _STEP) for one in whole]

    def add(self, values: Floats, weight: Floats) -> None:
        """Add rows; `weight` of shape (rows,), 0 where somebody stands for nobody."""
        known = np.isfinite(values)
        filled, mask = np.where(known, values, 0.0), known.astype(np.float64)
        weighted = mask * weight[:, None]
        self.people += len(values)
        self.weight += float(weight.sum())
        self.count += known.sum(axis=0)
        self._plain += filled.sum(axis=0)
        self._squares += (mask * (weight**2)[:, None]).sum(axis=0)
        self._both += mask.T @ weighted
        self._first += filled.T @ weighted
        self._second += (filled**2).T @ weighted
        self._product += (filled * weight[:, None]).T @ filled
        for k, histogram in enumerate(self._histograms):
            histogram.add(values[known[:, k], k], weight[known[:, k]])

    @property
    def mean(self) -> Floats:
        """Weighted; NaN where nothing is known."""
        return _ratio(np.diag(self._first), np.diag(self._both))

    @property
    def plain_mean(self) -> Floats:
        """Of those seen, everybody counting alike."""
        return _ratio(self._plain, self.count.astype(np.float64))

    @property
    def sd(self) -> Floats:
        """Weighted standard deviation, of the population (divided by n)."""
        found: Floats = np.sqrt(np.maximum(_ratio(np.diag(self._second), np.diag(self._both)) - self.mean**2, 0.0))
        return found

    @property
    def effective(self) -> Floats:
        """Kish's effective number of values, (sum w)^2 / sum w^2 (Kish 1965, Survey Sampling)."""
        return _ratio(np.diag(self._both) ** 2, self._squares)

    @property
    def correlation(self) -> Floats:
        """Weighted correlations over rows in which both are known; NaN where one of them does not vary."""
        mean = _ratio(self._first, self._both)
        spread = np.sqrt(np.maximum(_ratio(self._second, self._both) - mean**2, 0.0))
        spread[spread < 1e-9] = np.nan  # rounding leaves a constant a little
        covariance = _ratio(self._product, self._both) - mean * mean.T
        found: Floats = covariance / (spread * spread.T)
        return found

    def distance(self, other: Sums) -> Floats:
        """Greatest difference of the two cumulative distributions of each column (Kolmogorov-Smirnov, weighted). Of yes and no
        it is the total variation.
        """
        pairs = zip(self._histograms, other._histograms, strict=True)
        return np.array([one.distance(two) for one, two in pairs])


class Histogram:
    """Weights of values, to a step."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._low = 0
        self.weights = np.zeros(0)

    def add(self, values: Floats, weight: Floats) -> None:
        """Add values."""
        if not values.size:
            return
        codes = np.rint(values / self._step).astype(np.int64)
        self._cover(int(codes.min()), int(codes.max()))
        self.weights += np.bincount(codes - self._low, weights=weight, minlength=self.weights.size)

    def distance(self, other: Histogram) -> float:
        """Greatest difference of cumulative shares; NaN where one of them is empty."""
        if not (self.weights.sum() > 0 and other.weights.sum() > 0):
            return float("nan")
        low, high = min(self._low, other._low), max(self._high, other._high)
        for one in (self, other):
            one._cover(low, high)
        shares = [np.cumsum(one.weights) / one.weights.sum() for one in (self, other)]
        return float(np.abs(shares[0] - shares[1]).max())

    @property
    def _high(self) -> int:
        return self._low + self.weights.size - 1

    def _cover(self, low: int, high: int) -> None:
        """Grow to hold these codes."""
        if not self.weights.size:
            self._low = low
        below, above = max(0, self._low - low), max(0, high - self._high)
        if below or above:
            self.weights = np.pad(self.weights, (below, above))
            self._low -= below


def _ratio(one: Floats, other: Floats) -> Floats:
    found: Floats = np.divide(one, other, out=np.full(one.shape, np.nan), where=other > 0)
    return found

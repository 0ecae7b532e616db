"""A cheap stand-in for the simulation: each output as a straight line in the numbers plus a Gaussian process on what is left."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults

Floats = NDArray[np.float64]

_RIDGE = 1e-3
_LENGTHS = (0.3, 30.0)  # in units of the prior's width
_ENOUGH = 3  # points for each number, at least, less that are missing


def _one_thread() -> Any:
    """Small matrices are slower on several threads, and much slower on a busy machine."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


@dataclass
class _Output:
    coefficients: Floats
    spread: float
    process: Any

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        mean, sd = self.process.predict(x, return_std=True)
        line = np.column_stack([np.ones(len(x)), x - 0.5]) @ self.coefficients
        noise = float(np.exp(self.process.kernel_.k2.theta[0]))  # the noise of a run is not uncertainty of its mean
        variance = np.maximum(sd**2 - noise, 0.0) * self.spread**2
        return line + mean * self.spread, variance


class Emulator:
    """Fitted to runs: `x` (runs, numbers) in the unit cube, `y` (runs, outputs), NaN where a run gave no estimate.

    `predict` gives the mean of each output and the variance of that mean, both (points, outputs); `noise` (outputs,) is the
    variance of a single run about its mean, as the fit finds it. Deterministic for a seed. Raises InputError with the `names`
    of the outputs for which too few runs gave an estimate.
    """

    def __init__(self, x: Floats, y: Floats, *, names: Sequence[str], seed: int = 0) -> None:
        _check(x, y, names)
        with _one_thread():
            self.outputs = [self._fitted(x, y[:, k], seed) for k in range(y.shape[1])]
        self.noise = np.array(
            [float(np.exp(o.process.kernel_.k2.theta[0])) * o.spread**2 for o in self.outputs], dtype=float
        )

    def predict(self, x: Floats) -> tuple[Floats, Floats]:
        """Means and variances of the means, both (points, outputs)."""
        with _one_thread():
            return self._predicted(x)

    def _predicted(self, x: Floats) -> tuple[Floats, Floats]:
        found = [output.predict(np.atleast_2d(x)) for output in self.outputs]
        return np.column_stack([mean for mean, _ in found]), np.column_stack([variance for _, variance in found])

    @staticmethod
    def _fitted(x: Floats, y: Floats, seed: int) -> _Output:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

        there = np.isfinite(y)
        x, y = x[there], y[there]
        design = np.column_stack([np.ones(len(x)), x - 0.5])
        penalty = _RIDGE * len(x) * np.diag([0.0, *np.ones(x.shape[1])])
        coefficients = np.linalg.solve(design.T @ design + penalty, design.T @ y)
        rest = y - design @ coefficients
        spread = float(rest.std()) or 1.0
        kernel = ConstantKernel(0.5, (1e-3, 10.0)) * RBF(np.full(x.shape[1], 2.0), _LENGTHS) + WhiteKernel(
            0.5, (1e-4, 2.0)
        )
        process = GaussianProcessRegressor(kernel, random_state=seed, normalize_y=False)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ConvergenceWarning
            )  # lengths at a bound: an output that is straight or inert
            process.fit(x, rest / spread)
        return _Output(coefficients, spread, process)


def _check(x: Floats, y: Floats, names: Sequence[str]) -> None:
    faults, least = Faults(), _ENOUGH * x.shape[1]
    for name, count in zip(names, np.isfinite(y).sum(axis=0), strict=True):
        if count < least:
            problem = f"so many of {len(x)} candidates gave an estimate, {least} are needed: take more people, or leave it out"
            faults.add(f"fact {name}", int(count), problem)
    faults.raise_if_any()

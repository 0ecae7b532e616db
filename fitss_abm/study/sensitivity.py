"""Which parameters move which outputs: Morris's screening, then Sobol's shares of variance, both by SALib.

What is evaluated is a function given by the caller, from a table of points (a row a point, a column a parameter) to a
table of outputs (a column an output), so that the same code analyses a population or a formula.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from fitss_abm.errors import Faults
from fitss_abm.study.calibration_plan import shipped_plan
from fitss_abm.study.intervals import CONFIDENCE
from fitss_abm.study.numbers import bounds_of, default_of, known_names

MORRIS, SOBOL = "morris", "sobol"
COLUMNS = ("method", "output", "parameter", "index", "value", "low", "high")
AROUND = 0.25
"""A range that nobody gave: so far to either side of the default, as a part of it."""
_LEVELS = 4  # of Morris's grid
_RESAMPLES = 1000
_UNITS = {
    "age_from": "years", "onset_per_1000_person_years": "per 1000 person-years", "remission_per_year": "per year",
    "onset_per_decade": "log units per decade", "female_onset": "log units", "female_remission": "log units",
    "trigger_days": "days", "trigger_ratio": "hazard ratio",
}  # fmt: skip
_Z = float(ndtri(0.5 + CONFIDENCE / 2))

Evaluate = Callable[[pd.DataFrame], pd.DataFrame]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Range:
    """Over which values a parameter is varied, uniformly, and where the range is from. `default`: outside the analysis."""

    name: str
    low: float
    high: float
    default: float = math.nan
    basis: str = "given"
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Analysis:
    """`table`: one row an index: method, output, parameter, index, value, low, high (95 % interval by the bootstrap).

    Of Morris: mu_star (mean size of the change in the output, in its unit, for the parameter's whole range), mu (the same
    with its sign), sigma (how much that change differs between places; no interval). Of Sobol: S1 (share of the output's
    variance that the parameter explains by itself), ST (with its interactions). `points`: the design and what was found
    at each point. `left_out`: outputs without indices, and why.
    """

    table: pd.DataFrame
    points: pd.DataFrame
    left_out: Mapping[str, str] = field(default_factory=dict)


def screen(ranges: Sequence[Range], evaluate: Evaluate, *, trajectories: int, seed: int) -> Analysis:
    """Elementary effects on a grid of four levels (Morris 1991; mu_star of Campolongo 2007).

    Each of the `trajectories` changes every parameter once: parameters + 1 points.
    """
    problem, (design_seed, analysis_seed) = _problem(ranges), _seeds(seed, MORRIS)
    design = _salib("sample.morris").sample(problem, trajectories, num_levels=_LEVELS, seed=design_seed)
    points, found = _evaluated(MORRIS, ranges, design, evaluate)
    rows: list[tuple[Any, ...]] = []
    left_out = {}
    for output in found.columns:
        values = found[output].to_numpy(dtype=float)
        if reason := _undefined(values):
            left_out[output] = reason
            continue
        indices = _salib("analyze.morris").analyze(
            problem, design, values, num_resamples=_RESAMPLES, conf_level=CONFIDENCE, num_levels=_LEVELS,
            seed=analysis_seed,
        )  # fmt: skip
        for k, range in enumerate(ranges):
            star, error, mu, sigma = (float(indices[n][k]) for n in ("mu_star", "mu_star_conf", "mu", "sigma"))
            half = _Z * sigma / math.sqrt(trajectories)
            rows += [
                (MORRIS, output, range.name, "mu_star", star, max(0.0, star - error), star + error),
                (MORRIS, output, range.name, "mu", mu, mu - half, mu + half),
                (MORRIS, output, range.name, "sigma", sigma, math.nan, math.nan),
            ]
    return Analysis(pd.DataFrame(rows, columns=list(COLUMNS)), points, left_out)


def decompose(ranges: Sequence[Range], evaluate: Evaluate, *, samples: int, seed: int) -> Analysis:
    """First-order and total shares of variance (Saltelli 2010) from a scrambled Sobol sequence.

    `samples`, a power of two, times (parameters + 2) points.
    """
    problem, (design_seed, analysis_seed) = _problem(ranges), _seeds(seed, SOBOL)
    design = _salib("sample.sobol").sample(problem, samples, calc_second_order=False, scramble=True, seed=design_seed)
    points, found = _evaluated(SOBOL, ranges, design, evaluate)
    rows: list[tuple[Any, ...]] = []
    left_out = {}
    for output in found.columns:
        values = found[output].to_numpy(dtype=float)
        reason = _undefined(values) or ("is the same at all points" if np.ptp(values) == 0.0 else "")
        if reason:
            left_out[output] = reason
            continue
        indices = _salib("analyze.sobol").analyze(
            problem, values, calc_second_order=False, num_resamples=_RESAMPLES, conf_level=CONFIDENCE,
            seed=analysis_seed,
        )  # fmt: skip
        for k, range in enumerate(ranges):
            for index in ("S1", "ST"):
                value, error = float(indices[index][k]), float(indices[f"{index}_conf"][k])
                rows.append((SOBOL, output, range.name, index, value, value - error, value + error))
    return Analysis(pd.DataFrame(rows, columns=list(COLUMNS)), points, left_out)


def shares(screening: pd.DataFrame) -> pd.DataFrame:
    """Each parameter's part of all mu_star of an output: a row a parameter, a column an output that anything moves."""
    stars = screening[screening["index"] == "mu_star"]
    wide = stars.pivot_table(index="parameter", columns="output", values="value", sort=False)
    return wide.loc[:, wide.sum() > 0] / wide.sum()[wide.sum() > 0]


def ranked(screening: pd.DataFrame) -> list[str]:
    """The parameters, first the one that has the largest share in any output."""
    largest = shares(screening).max(axis=1)
    return [str(name) for name in largest.sort_values(ascending=False, kind="stable").index]


def ranges_of(chosen: Mapping[str, tuple[float, float] | None] | None = None, *, faults: Faults) -> tuple[Range, ...]:
    """Where to vary which parameters: the ranges given; without one the prior range of the calibration where it has
    one, else a quarter of the default to either side, within the declared bounds. None: all that the calibration frees.

    `conditions.<id>.<field>` is a number of a condition. Adds a fault for everything that cannot be used.
    """
    priors, known = _priors(), known_names()
    made = []
    for name, given in (dict.fromkeys(priors) if chosen is None else chosen).items():
        if name not in known:
            faults.unknown("parameters", name, "parameter", known)
            continue
        (low, high), basis = given or priors.get(name) or _around(name), "given"
        if given is None:
            basis = "prior of the calibration" if name in priors else f"default ± {100 * AROUND:g} %"
        least, most = bounds_of(name)
        text = f"{name}={low:g}:{high:g}"
        if given is None and low == high:
            faults.add(
                "parameters", name, f"is 0 by default, so it has no range of its own; give one, as {name}=low:high"
            )
        elif not low < high:
            faults.add("parameters", text, "the low end must be below the high one")
        elif not least <= low < high <= most:
            faults.add("parameters", text, f"must lie between {least:g} and {most:g} {_unit(name)}")
        made.append(Range(name, low, high, default_of(name), basis, _unit(name)))
    if not made and not faults.found:
        faults.add("parameters", "", "at least one must be named")
    return tuple(made)


def _priors() -> dict[str, tuple[float, float]]:
    """Prior ranges of the calibration's free parameters."""
    return {name: (free.low, free.high) for name, free in shipped_plan().free.items()}


def _around(name: str) -> tuple[float, float]:
    default, (least, most) = default_of(name), bounds_of(name)
    low, high = sorted((default * (1 - AROUND), default * (1 + AROUND)))
    return max(low, least), min(high, most)


def _unit(name: str) -> str:
    from fitss_abm.model.parameters import declared

    return declared()[name].unit if name in declared() else _UNITS.get(name.rpartition(".")[2], "1")


def _problem(ranges: Sequence[Range]) -> dict[str, Any]:
    """For SALib: every parameter from 0 (low) to 1 (high), so that effects are those of the whole range."""
    return {
        "num_vars": len(ranges),
        "names": [range.name for range in ranges],
        "bounds": [[0.0, 1.0]] * len(ranges),
    }


def _evaluated(
    method: str, ranges: Sequence[Range], design: Floats, evaluate: Evaluate
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The points with what was found there, and what was found."""
    low, high = (np.array([getattr(range, end) for range in ranges]) for end in ("low", "high"))
    points = pd.DataFrame(low + design * (high - low), columns=[range.name for range in ranges])
    found = evaluate(points).reset_index(drop=True)
    numbered = points.assign(method=method, point=np.arange(len(points)))
    return pd.concat([numbered[["method", "point", *points.columns]], found], axis=1), found


def _undefined(values: Floats) -> str:
    without = int((~np.isfinite(values)).sum())
    return f"has no value at {without:,} of {values.size:,} points" if without else ""


def _seeds(seed: int, method: str) -> tuple[int, int]:
    """Of the design and of the bootstrap; none is 0, which SALib takes for no seed."""
    words = np.random.SeedSequence([seed, (MORRIS, SOBOL).index(method)]).generate_state(2)
    return int(words[0]) or 1, int(words[1]) or 1


def _salib(module: str) -> Any:
    faults = Faults()
    faults.needs("SALib", extra="sensitivity")
    faults.raise_if_any()
    return importlib.import_module(f"SALib.{module}")

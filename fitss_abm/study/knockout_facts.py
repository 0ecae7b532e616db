"""The facts by which knock-outs are compared, what one run says of them, and how far that is from what was published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from fitss_abm.study.calibration_plan import LINEAR_UNITS, Row
from fitss_abm.study.estimators import Estimate
from fitss_abm.study.numbers import as_scenario
from fitss_abm.study.targets import load_targets
from fitss_abm.study.validation_instruments import ASKED
from fitss_abm.study.validation_rows import estimands

CALL = "fitss_abm.study.knockout_facts:answers"
ROLES = ("fit", "check")


@cache
def facts() -> tuple[tuple[dict[str, Any], Row], ...]:
    """Facts of role fit and check that a run can estimate and that have a range, each with its scale.

    Not those that are asked with instruments: their rulers were set in the whole theory, and would judge the others by it.
    """
    found = []
    for _, row in load_targets().iterrows():
        fact = {str(name): value for name, value in row.items()}
        low, high, log = float(fact["low"]), float(fact["high"]), fact["unit"] not in LINEAR_UNITS
        ranged = np.isfinite([low, high]).all() and low < high and (low > 0 or not log)
        if fact["role"] in ROLES and fact["id"] in estimands() and fact["id"] not in ASKED and ranged:
            found.append((fact, Row(str(fact["id"]), low, high, log)))
    return tuple(found)


def answers(
    *, people: int, location: str, seed: int, replicate: int, values: Mapping[str, float]
) -> dict[str, list[float]]:
    """One run, followed for four years: value, low, high of every fact, in its unit."""
    from fitss_abm.study.follow_up import LAST, YEAR, follow
    from fitss_abm.study.scenario import Scenario

    scenario = Scenario(
        name="knockout", people=people, years=LAST / YEAR, location=location, seed=seed, replicate=replicate, threads=1,
        **as_scenario(values),
    )  # fmt: skip
    cohort = follow(scenario.simulation(), replicate=replicate)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {row.id: estimands()[row.id].estimator(cohort) for _, row in facts()}
    return {id: [estimate.value, estimate.low, estimate.high] for id, estimate in found.items()}


def combined(row: Row, estimates: Sequence[Sequence[float]]) -> Estimate:
    """Replicates as one: the mean on the row's scale (where a share or ratio is 0, that of the numbers themselves), each
    counting the same, with the interval of chance. Replicates without an estimate do not count.
    """
    numbers = np.array(estimates, dtype=float)
    numbers = numbers[np.isfinite(numbers).all(axis=1)]
    if not numbers.size:
        return Estimate(float("nan"), float("nan"), float("nan"))
    plain = bool(row.log and (numbers <= 0).any())
    scaled = numbers if plain else np.asarray(row.scaled(numbers), dtype=float)
    value = float(scaled[:, 0].mean())
    # apart below and above: intervals of shares are not symmetric
    below, above = (np.sqrt((np.abs(scaled[:, k] - scaled[:, 0]) ** 2).sum()) / len(scaled) for k in (1, 2))
    ends = np.array([value, value - below, value + above])
    middle, low, high = np.maximum(ends, 0.0) if plain else row.unscaled(ends)
    return Estimate(float(middle), float(low), float(high))


def distance(row: Row, value: float) -> float:
    """From the middle of the range, in standard deviations of the range."""
    return float((row.scaled(value) - row.centre) / row.sd)

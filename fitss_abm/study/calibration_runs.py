"""One candidate of a calibration: the numbers that can be solved are solved, then the rows are estimated.

Given the shared parameters a condition's prevalence rises with its own rate and hardly depends on the other rates, so the
rates are found inside the run by a secant on the logit of prevalence at the first day, and the emulator need not see them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fitss_abm.study.follow_up import LAST, SURVEY, YEAR, Cohort, follow, seen
from fitss_abm.study.numbers import as_scenario, bounds_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.validation_diagnosis import seen_for
from fitss_abm.study.validation_rows import estimands

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

CALL = "fitss_abm.study.calibration_runs:candidate"
_LEAST, _MOST = 0.25, 3.0
_LONGEST_STEP = 1.5  # log units or logits in one round
_FEW = 0.5  # cases taken for none


def candidate(
    *,
    people: int,
    location: str,
    seed: int,
    replicate: int,
    values: Mapping[str, float],
    start: Mapping[str, float],
    solved: Mapping[str, Mapping[str, Any]],
    rounds: int,
    rows: Sequence[str],
    fixed: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Estimates of `rows` (value and 95 % interval of chance, in the row's unit) in people with these values.

    `start`: where the solved numbers begin; `solved`: row, step and aim of each; `rounds` pre-histories are lived, the last of
    them followed for four years; with 1 the solved numbers stay as they are. `fixed`: other numbers that differ from the
    defaults. Returns {"solved": {name: value}, "estimates": {row: [value, low, high]}, "prevalence": {row: value}}.
    """
    x = {name: float(start[name]) for name in solved}
    slope = dict.fromkeys(solved, 1.0)
    before: dict[str, tuple[float, float]] = {}
    for rest in reversed(range(rounds)):
        numbers = {**(fixed or {}), **values, **x}
        simulation = Scenario(
            name="candidate", people=people, years=LAST / YEAR, location=location, seed=seed, replicate=replicate,
            threads=1, seen_as=seen_for(rows), **as_scenario(numbers),
        ).simulation()  # fmt: skip
        if rest == 0:
            cohort = follow(simulation, replicate=replicate)
            break
        simulation.prepare()
        found = _prevalences(simulation, [str(each["row"]) for each in solved.values()])
        for name, each in solved.items():
            x[name] = _stepped(name, x[name], found[str(each["row"])], float(each["aim"]), each["step"], slope, before)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates = {id: estimands()[id].estimator(cohort) for id in {*rows, *(str(s["row"]) for s in solved.values())}}
    return {
        "solved": x,
        "estimates": {id: [estimates[id].value, estimates[id].low, estimates[id].high] for id in rows},
        "prevalence": {str(each["row"]): estimates[str(each["row"])].value for each in solved.values()},
    }


def _prevalences(simulation: Simulation, rows: Sequence[str]) -> dict[str, float]:
    """Prevalences of the first day, per cent. A quarter of a year has just begun then, so the record of the last is used."""
    today, who = seen(simulation, full=True), simulation.population
    today = replace(today, columns={**today.columns, "quarter": today["conditions"] | who["held_quarter_1"]})
    cohort = Cohort({SURVEY: today}, np.zeros(simulation.people, dtype=np.int64))
    estimates = {id: estimands()[id].estimator(cohort) for id in set(rows)}
    return {id: found.value if found.cases else 100 * _FEW / simulation.people for id, found in estimates.items()}


def _stepped(
    name: str,
    x: float,
    found: float,
    aim: float,
    step: str,
    slope: dict[str, float],
    before: dict[str, tuple[float, float]],
) -> float:
    """The next value by a secant: `slope` is d logit(prevalence) / d log rate, or per logit of an intercept."""
    low, high = bounds_of(name)
    position = math.log(x) if step == "factor" else x
    outcome, wanted = _logit(found), _logit(aim)
    if name in before and abs(position - before[name][0]) > 1e-3:
        seen_slope = (outcome - before[name][1]) / (position - before[name][0])
        slope[name] = min(max(seen_slope, _LEAST), _MOST)
    before[name] = (position, outcome)
    move = min(max((wanted - outcome) / slope[name], -_LONGEST_STEP), _LONGEST_STEP)
    moved = math.exp(position + move) if step == "factor" else position + move
    least = 1e-6 if step == "factor" else low
    return min(max(moved, low, least), high)


def _logit(per_cent: float) -> float:
    share = min(max(per_cent / 100.0, 1e-6), 1 - 1e-6)
    return math.log(share / (1.0 - share))

"""Numbers from which targets were made are found again, in a world whose outcomes are known formulas with noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.study.calibration import Calibration, Calibrator, Settings, calibrate, write
from fitss_abm.study.calibration_plan import Free, Plan, Row
from fitss_abm.study.calibration_runs import candidate
from fitss_abm.study.many import Job, Outcome
from fitss_abm.study.numbers import default_of

NAMES = ("gain_sd", "gain_female", "onset_sensitization", "support_weight", "variation_weight")
NOISE, RANGE = 0.05, 0.1
POLISH = 25  # runs at the point, so that what is left of their noise is small against the ranges
LEVEL = 0.9  # of the intervals of the posterior


def world(u: Any) -> Any:
    """Four outcomes, on the log scale, of five numbers; the last number does nothing."""
    return np.array(
        [
            0.5 + 0.8 * (u[0] - 0.5) + 0.3 * u[1] ** 2,
            -0.2 + 0.9 * u[1] + 0.4 * u[2] * u[0],
            0.1 + 1.2 * (u[2] - 0.5) + 0.2 * np.sin(4 * u[3]),
            0.3 + 0.5 * u[0] - 0.5 * u[3],
        ]
    )


def run(jobs: Sequence[Job], **_: object) -> Outcome:
    results = {}
    for job in jobs:
        u = np.array(list(job.arguments["values"].values()))
        luck = np.random.default_rng([job.arguments["replicate"], 5]).normal(0.0, NOISE, 4)
        found = world(u) + luck
        around = 1.96 * NOISE
        results[job.key] = {
            "solved": {},
            "prevalence": {},
            "estimates": {
                f"row{k}": [float(np.exp(y)), float(np.exp(y - around)), float(np.exp(y + around))]
                for k, y in enumerate(found)
            },
        }
    return Outcome(results, {})


def found_from(truth: Any, seed: int) -> Calibration:
    """Ranges are as published ones: their middles are off the truth by as much as their width says."""
    middle = world(truth) + np.random.default_rng([seed, 9]).normal(0.0, RANGE / 1.96, 4)
    rows = {
        f"row{k}": Row(f"row{k}", float(np.exp(y - RANGE)), float(np.exp(y + RANGE)), True)
        for k, y in enumerate(middle)
    }
    plan = Plan(
        MappingProxyType({name: Free(0.0, 1.0) for name in NAMES}), MappingProxyType({}), MappingProxyType(rows), {}
    )
    return calibrate(
        Calibrator(plan, Settings(first=40, later=(16,), checks=12, draws=8, polish_runs=POLISH, seed=seed), run=run)
    )


def test_numbers_are_found_again() -> None:
    worlds = 5
    covered, widths = [], []
    for seed in range(worlds):
        truth = np.random.default_rng(100 + seed).uniform(0.15, 0.85, len(NAMES))
        numbers = found_from(truth, seed).numbers
        covered.append((truth >= numbers["low"]) & (truth <= numbers["high"]))
        widths.append((numbers["high"] - numbers["low"]).to_numpy())
    share, count = float(np.mean(covered)), worlds * len(NAMES)
    # four binomial standard errors; numbers of one world are not independent, so this is wide rather than narrow
    assert share >= LEVEL - 4 * np.sqrt(LEVEL * (1 - LEVEL) / count), share
    assert np.mean(widths, axis=0)[:3].max() < 0.6, "what the targets hold must be held"
    assert np.mean(widths, axis=0)[4] > 0.75, "what does nothing must stay at its prior"


def test_the_point_meets_the_targets_and_the_tables_say_what_is_held(tmp_path: Path) -> None:
    truth = np.array([0.7, 0.3, 0.6, 0.4, 0.5])
    found = found_from(truth, 1)
    assert (found.rows["emulated"] > found.rows["published_low"]).all()
    assert (found.rows["emulated"] < found.rows["published_high"]).all()
    held = found.numbers.set_index("name")["held_by_data"]
    assert held["onset_sensitization"] > 0.7
    assert held["variation_weight"] < 0.3
    assert found.space[-1] < 0.2
    # at the point the rows are what large fresh runs found there, without what candidates elsewhere gave
    point = np.array([found.point[name] for name in NAMES])
    chance = 4 * NOISE / np.sqrt(POLISH)
    assert np.abs(np.log(found.rows["emulated"]) - world(point)).max() < chance
    plan = Plan(
        MappingProxyType({name: Free(0.0, 1.0) for name in NAMES}), MappingProxyType({}), MappingProxyType({}), {}
    )
    write(found, plan, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"runs.parquet", "draws.parquet", "point.toml", "numbers.csv"}


def test_the_same_seed_finds_the_same() -> None:
    truth = np.array([0.7, 0.3, 0.6, 0.4, 0.5])
    first, second = found_from(truth, 3), found_from(truth, 3)
    assert first.point == second.point


def test_failed_runs_are_listed_and_too_many_are_an_error() -> None:
    def broken(share: float) -> Any:
        def some(jobs: Sequence[Job], **_: object) -> Outcome:
            outcome = run(jobs)
            lost = [job.key for job in jobs if hash_of(job.key) < share]
            return Outcome(
                {key: value for key, value in outcome.results.items() if key not in lost}, dict.fromkeys(lost, "killed")
            )

        return some

    def hash_of(key: str) -> float:
        return np.random.default_rng([ord(letter) for letter in key]).uniform()

    rows = {f"row{k}": Row(f"row{k}", 0.5, 3.0, True) for k in range(4)}
    plan = Plan(
        MappingProxyType({name: Free(0.0, 1.0) for name in NAMES}), MappingProxyType({}), MappingProxyType(rows), {}
    )
    settings = Settings(first=40, later=(), checks=0, draws=0, polish=0)
    found = calibrate(Calibrator(plan, settings, run=broken(0.1)))
    assert found.failed
    with pytest.raises(InputError, match="killed"):
        calibrate(Calibrator(plan, settings, run=broken(0.6)))


def test_a_rate_is_solved_inside_the_run() -> None:
    name = "conditions.chronic_low_back_pain.onset_per_1000_person_years"
    asked = {name: {"row": "clbp_prev", "step": "factor", "aim": 6.0}}
    off = candidate(
        people=3000, location="Germany", seed=1, replicate=0, values={}, start={name: default_of(name) * 2}, solved=asked,
        rounds=1, rows=["clbp_prev"],
    )  # fmt: skip
    met = candidate(
        people=3000, location="Germany", seed=1, replicate=0, values={}, start={name: default_of(name) * 2}, solved=asked,
        rounds=3, rows=["clbp_prev"],
    )  # fmt: skip
    error = 100 * np.sqrt(0.06 * 0.94 / 2800)  # of a share of so many adults; the same luck leaves less
    assert abs(met["prevalence"]["clbp_prev"] - 6.0) < 3 * error < abs(off["prevalence"]["clbp_prev"] - 6.0)

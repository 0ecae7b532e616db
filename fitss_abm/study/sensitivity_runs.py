"""A sensitivity analysis of the population: what is asked, the runs that answer it, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from fitss_abm.errors import Fault, InputError
from fitss_abm.measurement.results import write_provenance
from fitss_abm.study import sensitivity
from fitss_abm.study.many import Job, run_many
from fitss_abm.study.missing_runs import MissingRuns
from fitss_abm.study.sensitivity import MORRIS, SOBOL, Analysis, Evaluate
from fitss_abm.study.sensitivity_outputs import outputs, plain
from fitss_abm.study.sensitivity_plan import CHANCE_RUNS, Plan

TABLE, POINTS = "sensitivity", "points"
_CALL = "fitss_abm.study.sensitivity_outputs:outcome"

Progress = Callable[[str, float], None]


class Index(NamedTuple):
    """An index and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What was found. `table`: as of `sensitivity.Analysis`, both methods; `points`: every design point with its outputs;
    `reference`: output, label, unit, value (at the defaults), low, high (the lowest and highest of runs that differ in luck
    alone); `left_out`: (method, output, reason).
    """

    plan: Plan
    table: pd.DataFrame
    points: pd.DataFrame
    reference: pd.DataFrame
    decomposed: tuple[str, ...]
    left_out: tuple[tuple[str, str, str], ...] = field(default=())

    def indices(self, method: str, output: str) -> dict[str, dict[str, Index]]:
        """By parameter, then by index; empty where the output has none."""
        rows = self.table[(self.table["method"] == method) & (self.table["output"] == output)]
        found: dict[str, dict[str, Index]] = {}
        for name, index, *numbers in rows[["parameter", "index", "value", "low", "high"]].itertuples(index=False):
            found.setdefault(str(name), {})[str(index)] = Index(*map(float, numbers))
        return found

    def write(self, folder: Path) -> None:
        """Write tables, and what they were made from, into an existing folder."""
        from importlib.metadata import version

        for name, table in ((TABLE, self.table), (POINTS, self.points)):
            table.to_parquet(folder / f"{name}.parquet", index=False)
            table.to_csv(folder / f"{name}.csv", index=False)
        self.reference.to_csv(folder / "reference.csv", index=False)
        pd.DataFrame([vars(range) for range in self.plan.ranges]).to_csv(folder / "ranges.csv", index=False)
        made: dict[str, Any] = {"SALib": version("SALib")}
        made |= {k: v for k, v in vars(self.plan).items() if k != "ranges"}
        made |= {"ranges": {range.name: [range.low, range.high] for range in self.plan.ranges}}
        write_provenance(folder, made)


def analyse(
    plan: Plan,
    *,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Screen all parameters, decompose the most influential. Every point is a run with the same luck.

    `folder`: where each run's numbers are kept; runs that are there already are not made again. Raises MissingRuns.
    """
    made = partial(_run, plan, folder=folder, workers=workers, cluster=cluster, progress=progress)
    chance = made([({}, replicate) for replicate in range(CHANCE_RUNS)], phase="runs at the defaults")
    screening = sensitivity.screen(
        plan.ranges, _evaluator(plan, partial(made, phase="screening")), trajectories=plan.trajectories, seed=plan.seed
    )
    if screening.table.empty:
        raise InputError([Fault("outputs", name, why) for name, why in screening.left_out.items()])
    parts, decomposed = [screening], tuple[str, ...]()
    if plan.decomposed:
        best = sensitivity.ranked(screening.table)[: plan.decomposed]
        ranges = [range for name in best for range in plan.ranges if range.name == name]
        decomposed = tuple(best)
        evaluate = _evaluator(plan, partial(made, phase="decomposition"))
        parts.append(sensitivity.decompose(ranges, evaluate, samples=plan.samples, seed=plan.seed))
    left_out = [
        (m, name, why) for m, part in zip((MORRIS, SOBOL), parts, strict=False) for name, why in part.left_out.items()
    ]
    return Sensitivity(
        plan,
        pd.concat([part.table for part in parts if len(part.table)], ignore_index=True),
        _all_points(plan, parts),
        _reference(plan, chance),
        decomposed,
        tuple(left_out),
    )


def _evaluator(plan: Plan, made: Callable[[list[tuple[dict[str, float], int]]], list[dict[str, float]]]) -> Evaluate:
    """Points to the mean of their replicates' outputs."""

    def evaluate(points: pd.DataFrame) -> pd.DataFrame:
        wanted = [
            (dict(zip(points.columns, map(float, row), strict=True)), replicate)
            for row in points.to_numpy()
            for replicate in range(plan.replicates)
        ]
        found = pd.DataFrame(made(wanted), columns=list(plan.outputs)).to_numpy(dtype=float)
        mean = found.reshape(len(points), plan.replicates, len(plan.outputs)).mean(axis=1)
        return pd.DataFrame(mean, columns=list(plan.outputs))

    return evaluate


def _run(
    plan: Plan,
    wanted: list[tuple[dict[str, float], int]],
    *,
    phase: str,
    folder: Path | None,
    workers: int | None,
    cluster: str | None,
    progress: Progress | None,
) -> list[dict[str, float]]:
    """The outputs of runs, each a point and a replicate; a run that is wanted twice is made once."""
    jobs, keys = {}, []
    for point, replicate in wanted:
        arguments = {
            "people": plan.people, "day": plan.day, "seed": plan.seed, "replicate": replicate,
            "values": point, "outputs": list(plan.outputs),
        }  # fmt: skip
        key = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:24]
        jobs[key] = Job(key=key, call=_CALL, arguments=arguments)
        keys.append(key)
    outcome = run_many(
        list(jobs.values()), folder=folder, workers=workers, cluster=cluster, progress=progress, phase=phase
    )
    missing = [key for key in jobs if key not in outcome.results]
    if missing:
        said = {_say(jobs[key].arguments): outcome.failed.get(key, "did not end") for key in missing}
        raise MissingRuns(said, len(jobs), loss="and without them there are no indices")
    return [plain(outcome.results[key]) for key in keys]


def _say(arguments: Mapping[str, Any]) -> str:
    point = ", ".join(f"{name} = {value:.6g}" for name, value in arguments["values"].items()) or "defaults"
    return f"{point} (replicate {arguments['replicate']})"


def _all_points(plan: Plan, parts: list[Analysis]) -> pd.DataFrame:
    """The designs below each other; what was not varied is at its default."""
    names = [range.name for range in plan.ranges]
    defaults = {range.name: range.default for range in plan.ranges}
    points = pd.concat([part.points for part in parts], ignore_index=True)[["method", "point", *names, *plan.outputs]]
    return points.fillna(defaults)


def _reference(plan: Plan, chance: list[dict[str, float]]) -> pd.DataFrame:
    found = pd.DataFrame(chance, columns=list(plan.outputs))
    known = outputs()
    return pd.DataFrame(
        {
            "output": list(plan.outputs),
            "label": [known[name].label for name in plan.outputs],
            "unit": [known[name].unit for name in plan.outputs],
            "value": found.iloc[: plan.replicates].mean().to_numpy(),
            "low": found.min().to_numpy(),
            "high": found.max().to_numpy(),
        }
    )

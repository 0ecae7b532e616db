"""Many replicates of a trial, each in people of its own: how far estimates lie from the truth, and power by simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import write_provenance
from fitss_abm.study import intervals
from fitss_abm.study.many import Job, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.simulate import check_memory
from fitss_abm.study.trial import Trial
from fitss_abm.study.trial_analysis import analyse, check_statsmodels
from fitss_abm.study.trial_run import run_trial

TABLE, PEOPLE, POWER = "trial", "participants", "power"
SIGNIFICANT = 0.05
_CALL = "fitss_abm.study.trial_runs:one_replicate"
_MOST = 10_000
Progress = Callable[[str, float], None]


@dataclass
class Trials:
    """What came of a trial.

    `table`: one row a replicate, size, outcome and visit: `replicate`, `size` (participants) and the columns of
    `trial_analysis.analyse`. `about`: one row a replicate and size: eligible, consented, clusters, error_sd (points), crossing_ties
    (share of ties between participants that join the treated and the untreated). `people`: the participants of a single trial.
    """

    trial: Trial
    table: pd.DataFrame
    about: pd.DataFrame
    people: pd.DataFrame | None = None
    sizes: tuple[int, ...] = ()

    @property
    def primary(self) -> pd.DataFrame:
        """The rows of the primary visit."""
        rows: pd.DataFrame = self.table[self.table["week"] == self.table["week"].min()]
        return rows

    def summary(self) -> pd.DataFrame:
        """Over replicates, by size, outcome and visit: mean estimate, mean truth, mean bias and its standard error, mean
        contamination, spread of estimates, share of intervals that hold the truth, number of trials with an estimate.
        """
        rows = []
        for (size, week, outcome), group in self.table.groupby(["size", "week", "outcome"], sort=False):
            told = group[group["estimate"].notna()]
            bias = told["bias"].to_numpy(dtype=float)
            held = ((told["low"] <= told["truth"]) & (told["high"] >= told["truth"])).to_numpy(dtype=float)
            many = bias.size
            rows.append(
                {
                    "size": size, "week": week, "outcome": outcome, "trials": many, "estimate": told["estimate"].mean(),
                    "truth": told["truth"].mean(), "bias": bias.mean() if many else np.nan,
                    "bias_se": bias.std(ddof=1) / np.sqrt(many) if many > 1 else np.nan,
                    "contamination": told["contamination"].mean(), "spread": told["estimate"].std(ddof=1),
                    "holds_truth": held.mean() if many and told["truth"].notna().all() else np.nan,
                }
            )  # fmt: skip
        return pd.DataFrame(rows)

    def power(self) -> pd.DataFrame:
        """By size and outcome at the primary visit: `trials`, how many had p < 0.05, that share (`power`), its Wilson interval. A
        trial without an estimate found nothing.
        """
        rows = []
        for (size, outcome), group in self.primary.groupby(["size", "outcome"], sort=False):
            found = int((group["p"] < SIGNIFICANT).sum())
            share, low, high = (float(x) for x in intervals.wilson(found, len(group)))
            rows.append(
                {"size": size, "outcome": outcome, "trials": len(group), "significant": found}
                | {"power": share, "low": low, "high": high}
            )
        return pd.DataFrame(rows)

    def write(self, folder: Path) -> None:
        """Write tables, the trial and what they were made with into an existing folder."""
        tables = {TABLE: self.table, "about": self.about, PEOPLE: self.people}
        tables |= {"summary": self.summary(), POWER: self.power() if self.sizes else None}
        for name, table in tables.items():
            if table is not None:
                table.to_parquet(folder / f"{name}.parquet", index=False)
        self.table.to_csv(folder / f"{TABLE}.csv", index=False)
        (folder / "trial.toml").write_text(self.trial.to_toml(), encoding="utf-8")
        replicates = int(self.table["replicate"].nunique())
        write_provenance(folder, {"trial": self.trial.name, "replicates": replicates, "sizes": list(self.sizes)})


def one_replicate(
    *, trial: Mapping[str, Any], replicate: int, sizes: Sequence[int] = (), truth: bool = True
) -> dict[str, Any]:
    """One world, prepared, and the trial in it once for each size: rows of `Trials.table` and of `Trials.about`."""
    asked = Trial(**trial)
    simulation = asked.world(replicate, threads=1).simulation()
    simulation.prepare()
    rows: list[dict[str, Any]] = []
    about: list[dict[str, Any]] = []
    for happened in run_trial(asked, simulation, truth=truth, sizes=tuple(sizes)):
        many = happened.enrolled.slots.size
        head = {"replicate": replicate, "size": many}
        rows += [head | {str(k): v for k, v in row.items()} for row in analyse(happened).to_dict("records")]
        about.append(head | _about(happened))
    return {"rows": [_without_nan(row) for row in rows], "about": [_without_nan(row) for row in about]}


def single(trial: Trial, *, progress: Progress | None = None) -> Trials:
    """One trial, with its participants."""
    tell = progress or (lambda phase, fraction: None)
    check_statsmodels()
    scenario = trial.world()
    check_memory(scenario)
    simulation = scenario.simulation()
    if simulation.engine.must_compile:
        tell("compiling", 0.0)
    simulation.prepare(lambda done, days: tell("pre-history", done / days))
    tell("the trial", 0.0)
    (happened,) = run_trial(trial, simulation)
    many = happened.enrolled.slots.size
    head = {"replicate": [0], "size": [many]}
    table, about = analyse(happened), pd.DataFrame([_about(happened)])
    for name, values in reversed(list(head.items())):
        table.insert(0, name, values * len(table))
        about.insert(0, name, values)
    return Trials(trial, table, about, people=happened.table)


def replicated(
    trial: Trial, replicates: int, *, folder: Path | None = None, workers: int | None = None, cluster: str | None = None,
    progress: Progress | None = None,
) -> Trials:  # fmt: skip
    """The trial in so many worlds, each with people and luck of its own. `folder`, `workers`, `cluster`: as in `run_many`."""
    return _many(trial, (), replicates, folder=folder, workers=workers, cluster=cluster, progress=progress)


def power(
    trial: Trial, sizes: Sequence[int], runs: int, *, folder: Path | None = None, workers: int | None = None,
    cluster: str | None = None, progress: Progress | None = None,
) -> Trials:  # fmt: skip
    """Trials of each size in so many worlds; `Trials.power()` says how many found something. Their truth is not simulated."""
    check_plan(runs, sizes)
    return _many(trial, tuple(sizes), runs, folder=folder, workers=workers, cluster=cluster, progress=progress)


def check_plan(replicates: Any, sizes: Sequence[Any] = ()) -> None:
    """Raise InputError with everything that is wrong with how many trials are asked for, and of which sizes."""
    faults = Faults()
    faults.whole("replicates", replicates, 1, _MOST)
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or size < 2:
            faults.add("power", size, "sizes must be whole numbers, 2 or more")
    if len(set(sizes)) < len(sizes):
        faults.add("power", list(sizes), "names a size twice")
    faults.raise_if_any()


def _many(trial: Trial, sizes: tuple[int, ...], replicates: int, *, progress: Progress | None, **how: Any) -> Trials:
    check_plan(replicates)
    check_statsmodels()
    check_memory(trial.world())
    if sizes:
        sizes = tuple(sorted(sizes))
    told = trial.model_dump()
    jobs = [
        Job(f"replicate-{k}", _CALL, {"trial": told, "replicate": k, "sizes": list(sizes), "truth": not sizes})
        for k in range(replicates)
    ]
    results = all_of(jobs, run_many, progress=progress, phase="trials", **how)
    rows = [row for job in jobs for row in results[job.key]["rows"]]
    about = [row for job in jobs for row in results[job.key]["about"]]
    numbers = ["estimate", "low", "high", "p", "truth", "bias", "contamination", "own"]
    table = pd.DataFrame(rows).astype(dict.fromkeys(numbers, float))
    if not sizes:  # who is enrolled differs between worlds where nobody says how many
        table["size"] = trial.wanted or 0
    return Trials(trial, table, pd.DataFrame(about), sizes=sizes)


def _about(happened: Any) -> dict[str, Any]:
    enrolled = happened.enrolled
    return {
        "participants": int(enrolled.slots.size), "eligible": enrolled.eligible, "consented": enrolled.consented,
        "clusters": int(np.unique(enrolled.cluster).size), "error_sd": enrolled.error, "crossing_ties": enrolled.crossing,
    }  # fmt: skip


def _without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {name: None if isinstance(value, float) and not np.isfinite(value) else value for name, value in row.items()}

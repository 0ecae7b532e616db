"""Where the sex ratio comes from: each mechanism through which sex acts is switched off in turn, in the same people."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import write_provenance
from fitss_abm.model.parameters import sex_mechanisms
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.numbers import as_scenario

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]

CALL = "fitss_abm.study.sex_decomposition:ratios"
TABLE, RUNS = "sex_decomposition", "sex_ratios"
PEOPLE, REPLICATES = 5_000, 12
"""Many small runs rather than few large ones: the interval comes from how they differ."""
NONE, ALL, INTERACTION = "none", "all", "interaction"
"""No mechanism off; all of them off; what they do only together."""
_START = datetime.date(2025, 1, 1)  # only names the first day


@dataclass(frozen=True, eq=False)
class Decomposition:
    """What was found.

    `table`, one a condition and mechanism (also `all`, and `interaction`: all less the sum of the single ones): condition,
    mechanism, ratio (women : men, prevalence, standardised for age, with all mechanisms on), ratio_off (with this one off),
    contribution (of the natural logarithm of the ratio: on less off), low, high (95 %, from replicates, paired), share (of the
    contribution of all; NaN where that is not clearly different from 0). Replicates are pooled; NaN where a sex has no case in
    them. `runs`: off, replicate, condition, women, men, ratio, low, high.
    """

    table: pd.DataFrame
    runs: pd.DataFrame
    mechanisms: tuple[str, ...]
    people: int
    replicates: int
    seed: int

    def write(self, folder: Path) -> None:
        """Write both tables into an existing folder."""
        for name, table in ((TABLE, self.table), (RUNS, self.runs)):
            table.to_parquet(folder / f"{name}.parquet", index=False)
            table.to_csv(folder / f"{name}.csv", index=False)

    def write_provenance(self, folder: Path) -> None:
        """Write what the tables were made from."""
        made = {"people": self.people, "replicates": self.replicates, "seed": self.seed}
        write_provenance(folder, made | {"mechanisms": list(self.mechanisms)})


def ratios(
    *, people: int, location: str, seed: int, replicate: int, off: Sequence[str], values: Mapping[str, float]
) -> dict[str, list[float]]:
    """One pre-history with mechanisms off: women, men (prevalence, standardised for age), ratio, low, high by condition."""
    from fitss_abm.measurement.observers import Observer
    from fitss_abm.study.estimands import sex_ratio
    from fitss_abm.study.scenario import Scenario

    scenario = Scenario(
        name="sex", people=people, location=location, seed=seed, replicate=replicate, threads=1,
        sex_mechanisms_off=tuple(off), **as_scenario(values),
    )  # fmt: skip
    simulation = scenario.simulation()
    simulation.prepare()
    observer = Observer(simulation, start=_START)
    observer.observe(pairs=False)
    table = sex_ratio(observer.counts(), simulation.catalogue, run={"scenario": "", "replicate": replicate})
    found = table[table["standardised"]].set_index("condition")[["women", "men", "ratio", "low", "high"]]
    return {str(id): [float(x) for x in row] for id, row in zip(found.index, found.to_numpy(dtype=float), strict=True)}


def decompose(
    *,
    people: int = PEOPLE,
    replicates: int = REPLICATES,
    seed: int = 1,
    location: str = "Germany",
    values: Mapping[str, float] | None = None,
    mechanisms: Sequence[str] | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Decomposition:
    """Runs with nothing off, with each of `mechanisms` off (all there are), and with all off, on the first day.

    `values`: numbers that differ from the defaults, by name. Raises MissingRuns.
    """
    known = sex_mechanisms()
    asked = tuple(known if mechanisms is None else mechanisms)
    faults = Faults()
    for name in asked:
        if name not in known:
            faults.unknown("mechanisms", name, "sex mechanism", known)
    for name, number in (("people", people), ("replicates", replicates)):
        if number < 1:
            faults.add(name, number, "must be 1 or more")
    faults.raise_if_any()
    arms: dict[str, tuple[str, ...]] = {NONE: (), **{name: (name,) for name in asked}, ALL: known}
    jobs = [
        Job(
            f"{name}-{k}",
            CALL,
            {
                "people": people, "location": location, "seed": seed, "replicate": k, "off": list(off),
                "values": dict(values or {}),
            },
        )
        for name, off in arms.items()
        for k in range(replicates)
    ]  # fmt: skip
    found = all_of(
        jobs, run, folder=folder, workers=workers, cluster=cluster, progress=progress, phase="sex mechanisms"
    )
    rows = [
        {"off": name, "replicate": k, "condition": id}
        | dict(zip(("women", "men", "ratio", "low", "high"), numbers, strict=True))
        for name in arms
        for k in range(replicates)
        for id, numbers in found[f"{name}-{k}"].items()
    ]
    runs = pd.DataFrame(rows)
    return Decomposition(_table(runs, asked), runs, asked, people, replicates, seed)


def _table(runs: pd.DataFrame, mechanisms: Sequence[str]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for id, own in runs.groupby("condition", sort=False):
        women, men = (own.pivot(index="replicate", columns="off", values=sex) for sex in ("women", "men"))
        logs = _jackknifed(women.to_numpy(dtype=float), men.to_numpy(dtype=float))
        of_arm = dict(zip(women.columns, logs.T, strict=True))
        parts = {name: of_arm[NONE] - of_arm[name] for name in (*mechanisms, ALL)}
        whole = parts[ALL]
        parts[INTERACTION] = whole - sum(parts[name] for name in mechanisms)
        total, total_low, total_high = _estimate(whole)
        sure = total_low > 0 or total_high < 0
        on = float(np.exp(of_arm[NONE][0]))
        for name, each in parts.items():
            value, low, high = _estimate(each)
            rows.append(
                {
                    "condition": id, "mechanism": name, "ratio": on, "ratio_off": on * float(np.exp(-value)),
                    "contribution": value, "low": low, "high": high, "share": value / total if sure else float("nan"),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _jackknifed(women: Floats, men: Floats) -> Floats:
    """Logarithm of mean prevalence in women over that in men, by arm, from prevalences (runs, arms): (1 + runs, arms), first from
    all runs, then with each run left out. NaN where either sex has no case.
    """
    sums = np.array([[part.sum(axis=0), *(part.sum(axis=0) - part)] for part in (women, men)])
    sums = np.where(sums > 1e-12, sums, np.nan)
    found: Floats = np.log(sums[0] / sums[1])
    return found


def _estimate(values: Floats) -> tuple[float, float, float]:
    """From all runs and from all but each: value and 95 % interval (jackknife, Student's t); none of fewer than two runs."""
    left, count = values[1:], values.size - 1
    if count < 2:
        return float(values[0]), float("nan"), float("nan")
    error = float(np.sqrt((count - 1) / count * ((left - left.mean()) ** 2).sum()))
    half = float(stats.t.ppf(0.975, count - 1)) * error
    return float(values[0]), float(values[0]) - half, float(values[0]) + half

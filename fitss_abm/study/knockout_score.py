"""Knock-outs held against the published facts: which version of the theory is nearer to them, row by row and in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import write_provenance
from fitss_abm.study.calibration_plan import shipped_plan
from fitss_abm.study.calibrator import FRESH
from fitss_abm.study.estimators import ENOUGH_RUNS
from fitss_abm.study.knockout import FULL, Record
from fitss_abm.study.knockout_facts import CALL, ROLES, combined, distance, facts
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.validation import within

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]

TABLE, SCORES = "knockout_rows", "knockout_scores"
PEOPLE, REPLICATES = 20_000, ENOUGH_RUNS
CAP = 5.0
"""Standard deviations beyond which a row counts no further, so that one row does not decide."""
SMALL = 0.1
"""A difference of the root-mean-square distance below which nothing is said to be worse or better."""
LARGE = 0.5
"""A difference that chance must leave out before two variants are said to do as well."""
WORSE, BETTER, ALIKE, UNCLEAR = "worse", "better", "no different", "unclear"
_FIRST = 100 * FRESH  # replicates of luck that no refit has seen, whatever the seed


@dataclass(frozen=True, eq=False)
class Knockout:
    """What was found.

    `rows`, one a variant and fact: variant, id, role, how (solved inside the fit, fitted, left out, or emergent), condition,
    quantity, criterion, population, unit, published_low, published_high, value, low, high (95 % interval of chance), within,
    distance (of the value from the middle of the range in standard deviations of the range, on the row's scale; not capped),
    compared (all variants have an estimate). `scores`, one a variant and role: rows, within, median, rms (of the sizes of
    capped distances), within_more, median_more, rms_more (than the full model), low, high (of rms_more, 95 %, from
    replicates), verdict.
    """

    rows: pd.DataFrame
    scores: pd.DataFrame
    records: Mapping[str, Record]
    people: int
    replicates: int
    seed: int

    @property
    def left_out(self) -> list[str]:
        """Facts that some variant cannot answer in these runs."""
        return list(self.rows.loc[~self.rows["compared"], "id"].unique())

    def of(self, variant: str, role: str) -> dict[str, Any]:
        """The row of `scores`."""
        found = self.scores[(self.scores["variant"] == variant) & (self.scores["role"] == role)]
        return {str(name): value for name, value in found.iloc[0].items()}

    def write(self, folder: Path) -> None:
        """Write both tables, and what they were made from, into an existing folder."""
        for name, table in ((TABLE, self.rows), (SCORES, self.scores)):
            table.to_parquet(folder / f"{name}.parquet", index=False)
            table.to_csv(folder / f"{name}.csv", index=False)
        made: dict[str, Any] = {"people": self.people, "replicates": self.replicates, "seed": self.seed}
        write_provenance(folder, made | {"refits": {name: asdict(record) for name, record in self.records.items()}})


def score(
    records: Mapping[str, Record],
    *,
    people: int = PEOPLE,
    replicates: int = REPLICATES,
    seed: int = 1,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Knockout:
    """Run each variant `replicates` times, all with the same luck, and hold it against the facts. Raises MissingRuns."""
    faults = Faults()
    for name, number in (("people", people), ("replicates", replicates)):
        if number < 1:
            faults.add(name, number, "must be 1 or more")
    if FULL not in records:
        faults.add("refits", ", ".join(records), f"must hold '{FULL}', with which the others are compared")
    faults.raise_if_any()
    jobs = [
        Job(
            f"{name}-{k}",
            CALL,
            {
                "people": people, "location": record.settings["location"], "seed": seed, "replicate": _FIRST + k,
                "values": dict(record.values),
            },
        )
        for name, record in records.items()
        for k in range(replicates)
    ]  # fmt: skip
    found = all_of(jobs, run, folder=folder, workers=workers, cluster=cluster, progress=progress, phase="scoring")
    estimates = {name: [found[f"{name}-{k}"] for k in range(replicates)] for name in records}
    rows = _rows(estimates)
    return Knockout(rows, _scores(rows, estimates), records, people, replicates, seed)


def _rows(estimates: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    plan = shipped_plan()
    how = {s.row: "solved" for s in plan.solved.values()} | dict.fromkeys(plan.rows, "fitted")
    how |= dict.fromkeys(plan.left_out, "left out")
    rows = []
    for name, runs in estimates.items():
        for fact, row in facts():
            found = combined(row, [run[row.id] for run in runs])
            says = {key: fact[key] for key in ("condition", "quantity", "criterion", "population", "unit")}
            rows.append(
                {"variant": name, "id": row.id, "role": fact["role"], "how": how.get(row.id, "emergent"), **says}
                | {"published_low": row.low, "published_high": row.high}
                | {"value": found.value, "low": found.low, "high": found.high}
                | {"within": within(found, row.low, row.high), "distance": distance(row, found.value)}
            )
    table = pd.DataFrame(rows)
    answered = table["value"].notna().groupby(table["id"]).transform("all")
    return table.assign(compared=answered).astype({"within": "boolean", "role": str})


def _scores(rows: pd.DataFrame, estimates: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    made: list[dict[str, Any]] = []
    for role in ROLES:
        chosen = rows[(rows["role"] == role) & rows["compared"]]
        of_runs = _rms_of_runs(estimates, set(chosen["id"]))
        first: dict[str, Any] = {}
        for name in [FULL, *(name for name in estimates if name != FULL)]:
            own = chosen[chosen["variant"] == name]
            size = capped(own["distance"]).abs()
            score: dict[str, Any] = {
                "variant": name,
                "role": role,
                "rows": len(own),
                "within": int(own["within"].sum()),
            }
            score |= {"median": float(size.median()), "rms": _rms(size.to_numpy(dtype=float))}
            first = first or score
            more = {f"{key}_more": score[key] - first[key] for key in ("within", "median", "rms")}
            half = _half_width(of_runs[name] - of_runs[FULL])
            middle = more["rms_more"]
            verdict = _verdict(middle, half) if name != FULL else ""
            made.append(score | more | {"low": middle - half, "high": middle + half, "verdict": verdict})
    order = {name: k for k, name in enumerate(estimates)}
    return pd.DataFrame(made).sort_values(
        "variant", key=lambda names: names.map(order), kind="stable", ignore_index=True
    )


def capped(distances: Any) -> Any:
    """Distances held within CAP, as they enter the scores."""
    return distances.clip(-CAP, CAP)


def _rms(sizes: Floats) -> float:
    return float(np.sqrt((sizes**2).mean())) if sizes.size else float("nan")


def _rms_of_runs(estimates: Mapping[str, Sequence[Mapping[str, Any]]], ids: set[str]) -> dict[str, Floats]:
    """Of each replicate by itself, over the rows that all variants answer in it."""
    scales = [row for _, row in facts() if row.id in ids]
    distances = np.array(
        [
            [[distance(row, combined(row, [run[row.id]]).value) for row in scales] for run in runs]
            for runs in estimates.values()
        ],
        dtype=float,
    )
    known = ~np.isnan(distances).any(axis=0)
    sizes = np.clip(distances, -CAP, CAP)
    return {
        name: np.array([_rms(size[there]) for size, there in zip(runs, known, strict=True)])
        for name, runs in zip(estimates, sizes, strict=True)
    }


def _half_width(differences: Floats) -> float:
    """Half the 95 % interval of the mean of paired differences; NaN of fewer than two."""
    count = differences.size
    if count < 2:
        return float("nan")
    return float(stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count))


def _verdict(middle: float, half: float) -> str:
    if not np.isfinite([middle, half]).all():
        return UNCLEAR
    if abs(middle) >= max(half, SMALL):
        return WORSE if middle > 0 else BETTER
    return ALIKE if abs(middle) + half < LARGE else UNCLEAR

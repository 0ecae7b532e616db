"""The same people, several definitions: prevalence, sex ratio and overlap of each, as truth, by survey and in the clinic."""

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
from fitss_abm.study.definitions_runs import CALL, DEFINITIONS, STEPS, Definition
from fitss_abm.study.estimators import Estimate, spread, widened
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.numbers import ensemble
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.targets import load_targets
from fitss_abm.study.validation import origin, within

TABLE, OVERLAP, STEP, PUBLISHED = "definitions", "overlap", "steps", "published"
PEOPLE, YEARS, REPLICATES = 20_000, 1.0, 5
_MOST = 10_000
_QUARTILES = (25.0, 50.0, 75.0)
Progress = Callable[[str, float], None]
Sums = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Definitions:
    """What was found in adults of the last day. Intervals are 95 %.

    `table`, a row a definition and way to see people: definition, seen_as, label, adults, women, men (cases), prevalence (%),
    low, high, ratio (women's prevalence to men's), ratio_low, ratio_high, share (women among cases, %), share_low, share_high.

    `overlap`: definition, seen_as, other, other_seen_as, cases, both, share (of the cases by the first, % who are cases by the
    other), low, high.

    `steps`: step, women, men, of_first (% of those who meet the modified 2010 criteria), low, high, share (women, %),
    share_low, share_high.

    `published`: definition, seen_as, measure (prevalence, ratio, share), id, origin (fitted, emergent, informed), role,
    verified, value, published_low, published_high, population, source, year, doi, simulated, low, high, within.

    `waited`: quartiles of the years that the diagnosed met criteria before their diagnosis.
    """

    table: pd.DataFrame
    overlap: pd.DataFrame
    steps: pd.DataFrame
    published: pd.DataFrame
    waited: tuple[float, float, float]
    scenario: Scenario
    runs: int
    drawn: bool = False

    def row(self, definition: str, seen_as: str) -> dict[str, Any] | None:
        """One row of `table`; None where the definition cannot be seen so."""
        rows = self.table[(self.table["definition"] == definition) & (self.table["seen_as"] == seen_as)]
        return None if rows.empty else {str(name): value for name, value in rows.iloc[0].items()}

    def write(self, folder: Path) -> None:
        """Write tables, scenario and what they were made from into an existing folder."""
        tables = {TABLE: self.table, OVERLAP: self.overlap, STEP: self.steps, PUBLISHED: self.published}
        for name, table in tables.items():
            table.to_parquet(folder / f"{name}.parquet", index=False)
            table.to_csv(folder / f"{name}.csv", index=False)
        (folder / "scenario.toml").write_text(self.scenario.to_toml(), encoding="utf-8")
        made = {"scenario": self.scenario.name, "people": self.scenario.people, "runs": self.runs}
        write_provenance(folder, made | {"seed": self.scenario.seed, "drawn": self.drawn, "waited": list(self.waited)})


def scenarios(base: Scenario, *, replicates: Any = REPLICATES, draws: Any = None) -> list[Scenario]:
    """The runs: `replicates` of the scenario, each with people and luck of its own, or one at each of `draws` draws of the
    posterior. Raises InputError with everything that is wrong.
    """
    faults = Faults()
    faults.whole("replicates", replicates, 1, _MOST)
    if draws is not None:
        faults.whole("draws", draws, 1, len(ensemble()))
    faults.raise_if_any()
    if draws is not None:
        return [base.replace(draw=number * len(ensemble()) // draws, replicate=number) for number in range(draws)]
    return [base.replace(replicate=number) for number in range(replicates)]


def compare_definitions(
    base: Scenario,
    *,
    replicates: int = REPLICATES,
    draws: int | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Definitions:
    """Judge the same people by every definition in each way. `folder`, `workers`, `cluster`: as in `run_many`.

    Raises MissingRuns.
    """
    runs = scenarios(base, replicates=replicates, draws=draws)
    jobs = [Job(f"definitions-{number}", CALL, {"scenario": each.to_toml()}) for number, each in enumerate(runs)]
    done = all_of(jobs, run, folder=folder, workers=workers, cluster=cluster, progress=progress, phase="runs")
    return assembled([done[job.key] for job in jobs], base, drawn=draws is not None)


def assembled(found: Sequence[Sums], base: Scenario, *, drawn: bool = False) -> Definitions:
    """The tables from what runs have found (`definitions_runs.judged`)."""
    judge = _Judge(found, drawn)
    keys = [(str(one), str(seen_as)) for one, seen_as, *_ in found[0]["cases"]]
    table = pd.DataFrame([_row(judge, k, *key) for k, key in enumerate(keys)])
    waited = [years for each in found for years in each["waited"]]
    quartiles = np.percentile(waited, _QUARTILES) if waited else np.full(3, np.nan)
    low, middle, high = (float(years) for years in quartiles)
    return Definitions(
        table=table,
        overlap=pd.DataFrame([_pair(judge, keys, i, j) for i in range(len(keys)) for j in range(len(keys)) if i != j]),
        steps=pd.DataFrame([_step(judge, k) for k in range(len(STEPS))]),
        published=_published(table),
        waited=(low, middle, high),
        scenario=base,
        runs=len(found),
        drawn=drawn,
    )


class _Judge:
    """Estimates from the runs together, with intervals as wide as runs differ."""

    def __init__(self, found: Sequence[Sums], drawn: bool) -> None:
        self.drawn = drawn
        self.adults = np.array([each["adults"] for each in found])  # (runs, sexes)
        self.cases = np.array([[row[2:] for row in each["cases"]] for each in found])  # (runs, definitions, sexes)
        self.both = np.array([each["both"] for each in found])
        self.steps = np.array([each["steps"] for each in found])

    def share(self, cases: Any, among: Any) -> Estimate:
        """Per cent, from counts by run."""
        return self._of(intervals.wilson, cases, among).times(100.0)

    def ratio(self, cases: Any, people: Any) -> Estimate:
        """Women's share against men's, from counts by run and sex."""

        def of(x: Any, n: Any) -> tuple[Any, Any, Any]:
            p = x / n
            with np.errstate(divide="ignore", invalid="ignore"):
                variance = (1 / x - 1 / n).sum()
            return intervals.log_normal_ratio(np.asarray(p[0]), np.asarray(p[1]), np.asarray(variance))

        return self._of(of, cases, people)

    def _of(self, estimator: Callable[[Any, Any], tuple[Any, Any, Any]], x: Any, n: Any) -> Estimate:
        with np.errstate(divide="ignore", invalid="ignore"):
            value, low, high = (float(part) for part in estimator(x.sum(axis=0), n.sum(axis=0)))
            runs = [float(estimator(*one)[0]) for one in zip(x, n, strict=True)]
        return (spread if self.drawn else widened)(Estimate(value, low, high), runs)


def _named(estimate: Estimate, value: str, prefix: str = "") -> dict[str, float]:
    return {value: estimate.value, f"{prefix}low": estimate.low, f"{prefix}high": estimate.high}


def _row(judge: _Judge, k: int, definition: str, seen_as: str) -> dict[str, Any]:
    cases, adults = judge.cases[:, k], judge.adults
    women, men = (int(x) for x in cases.sum(axis=0))
    head = {"definition": definition, "seen_as": seen_as, "label": of(definition).label, "adults": int(adults.sum())}
    row = head | {"women": women, "men": men}
    row |= _named(judge.share(cases.sum(axis=1), adults.sum(axis=1)), "prevalence")
    row |= _named(judge.ratio(cases, adults), "ratio", "ratio_")
    return row | _named(judge.share(cases[:, 0], cases.sum(axis=1)), "share", "share_")


def _pair(judge: _Judge, keys: Sequence[tuple[str, str]], i: int, j: int) -> dict[str, Any]:
    (one, seen_as), (other, other_seen_as) = keys[i], keys[j]
    cases, both = judge.both[:, i, i], judge.both[:, i, j]
    row = {"definition": one, "seen_as": seen_as, "other": other, "other_seen_as": other_seen_as}
    counts = {"cases": int(cases.sum()), "both": int(both.sum())}
    return row | counts | _named(judge.share(both, cases), "share")


def _step(judge: _Judge, k: int) -> dict[str, Any]:
    here, first = judge.steps[:, k], judge.steps[:, 0]
    women, men = (int(x) for x in here.sum(axis=0))
    row: dict[str, Any] = {"step": STEPS[k], "women": women, "men": men}
    row |= _named(judge.share(here.sum(axis=1), first.sum(axis=1)), "of_first")
    return row | _named(judge.share(here[:, 0], here.sum(axis=1)), "share", "share_")


def of(id: str) -> Definition:
    """The definition of this id."""
    return next(each for each in DEFINITIONS if each.id == id)


_MEASURES = {"female share of cases": "share", "point prevalence": "prevalence"}


def _published(table: pd.DataFrame) -> pd.DataFrame:
    """Published ranges of each definition beside what it gives in the way in which sources saw people."""
    facts = {str(fact["id"]): fact for fact in load_targets().to_dict("records")}
    seen = {(row["definition"], row["seen_as"]): row for row in table.to_dict("records")}
    rows = []
    for each in DEFINITIONS:
        for id in (*each.prevalence, *each.sexes):
            here, fact = seen.get((each.id, each.compared)), facts[id]
            if here is None:
                continue
            measure = _MEASURES.get(str(fact["quantity"]), "ratio")
            prefix = "" if measure == "prevalence" else f"{measure}_"
            simulated, low, high = (float(here[name]) for name in (measure, f"{prefix}low", f"{prefix}high"))
            found = Estimate(simulated, low, high)
            rows.append(
                {
                    "definition": each.id, "seen_as": each.compared, "measure": measure, "id": id,
                    "origin": origin(id, str(fact["role"])), "role": str(fact["role"]), "verified": bool(fact["verified"]),
                    "value": float(fact["value"]), "published_low": float(fact["low"]), "published_high": float(fact["high"]),
                    "population": fact["population"], "source": fact["source"], "year": fact["year"], "doi": fact["doi"],
                    "simulated": found.value, "low": found.low, "high": found.high,
                    "within": within(found, float(fact["low"]), float(fact["high"])),
                }
            )  # fmt: skip
    return pd.DataFrame(rows).astype({"within": "boolean"})

"""The model held against every published fact: simulated value and interval, published range, within or how far out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.errors import Faults, InputError
from fitss_abm.measurement.diagnosis import SEEN_AS
from fitss_abm.measurement.results import write_provenance
from fitss_abm.study.estimators import ENOUGH_RUNS, Estimate, spread, widened
from fitss_abm.study.follow_up import LAST, YEAR, Cohort, follow, pooled
from fitss_abm.study.numbers import ensemble
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.simulate import check_memory
from fitss_abm.study.targets import load_targets
from fitss_abm.study.treatment_contrast import Measured, measure
from fitss_abm.study.treatment_contrast import pooled as pooled_patients
from fitss_abm.study.treatment_rows import FACTS as TREATMENTS
from fitss_abm.study.treatment_rows import KINDS, estimate, scored
from fitss_abm.study.validation_rows import INFORMED, NOT_FITTED, REASONS, estimands

TABLE = "validation"
PEOPLE, REPLICATES = 20_000, 3
_MOST_REPLICATES = 10_000
_PUBLISHED = ("role", "quantity", "condition", "population", "criterion", "unit")
_CITED = ("source", "year", "doi", "range_basis", "verified")

Progress = Callable[[str, float], None]


@dataclass
class Validation:
    """`table`: one row a published fact, in the order of targets.csv.

    id; role; quantity, condition, population, criterion, unit (as published); origin (fitted, emergent, informed, or set,
    of what the model is given); published, published_low, published_high (of treatments: of what is scored, say a difference
    against placebo); simulated, low, high (95 % interval of chance in
    populations and seeds); cases; within (the intervals overlap; <NA> where there is nothing to compare); outside (how
    far the simulated value is beyond the nearer bound, in the unit, negative below it; 0 inside), outside_percent (of
    that bound); estimand (in words); reason (why there is no estimate, or nothing to compare it with); source, year,
    doi, range_basis, verified.
    """

    table: pd.DataFrame
    people: int
    replicates: int
    seed: int
    drawn: bool = False
    """Whether each run was at a draw of the posterior: then values are medians, and intervals 95 % of the runs."""
    patients: int = 0
    """In whom treatments were compared."""

    @property
    def missed(self) -> pd.DataFrame:
        """Fitted rows that are not within their range."""
        fitted = self.table[self.table["origin"] == "fitted"]
        missed: pd.DataFrame = fitted[~fitted["within"].fillna(True).astype(bool)]
        return missed

    def write(self, folder: Path) -> None:
        """Write the table, and what it was made from, into an existing folder."""
        self.table.to_parquet(folder / f"{TABLE}.parquet", index=False)
        self.table.to_csv(folder / f"{TABLE}.csv", index=False)
        write_provenance(
            folder, {"people": self.people, "runs": self.replicates, "seed": self.seed, "drawn": self.drawn}
        )


def scenarios(
    *, people: Any = PEOPLE, replicates: Any = REPLICATES, draws: Any = None, seed: Any = 1, threads: Any = None
) -> list[Scenario]:
    """The runs of a validation: `replicates` at the calibrated point, or one at each of `draws` draws of the posterior, spread
    over the shipped ones. Raises InputError with everything that cannot be used.
    """
    faults = Faults()
    faults.whole("replicates", replicates, 1, _MOST_REPLICATES)
    shipped = len(ensemble())
    if draws is not None and (
        isinstance(draws, bool) or not isinstance(draws, int) or not ENOUGH_RUNS <= draws <= shipped
    ):
        faults.add("draws", draws, f"must be a whole number between {ENOUGH_RUNS} and {shipped}, which are shipped")
    values = {"people": people, "seed": seed, "threads": threads}
    try:
        first = Scenario(name="validation", years=LAST / YEAR, seen_as=SEEN_AS, **values)
        check_memory(first)
    except InputError as error:
        raise InputError([*error.faults, *faults.found]) from None
    faults.raise_if_any()
    if draws is not None:
        return [first.replace(draw=number * shipped // draws, replicate=number) for number in range(draws)]
    return [first.replace(replicate=replicate) for replicate in range(replicates)]


def validate(
    runs: Sequence[Scenario], *, targets: pd.DataFrame | None = None, progress: Progress | None = None
) -> Validation:
    """Simulate the runs and hold them against the published facts."""
    facts = _known(load_targets() if targets is None else targets)
    tell = progress or (lambda phase, fraction: None)
    cohorts = []
    treated = []
    for number, run in enumerate(runs, 1):
        simulation = run.simulation()
        phase = f"run {number} of {len(runs)}"
        tell("compiling" if simulation.engine.must_compile else phase, 0.0)
        cohorts.append(follow(simulation, replicate=run.replicate, tell=partial(tell, phase)))
        treated.append(measure(simulation, KINDS))  # arms part from the day on which the follow-up ends
    tell("comparing", 0.0)
    drawn = runs[0].draw is not None
    table = compare(facts, cohorts, treated, drawn=drawn)
    patients = sum(each.patients for each in treated)
    return Validation(table, runs[0].people, len(runs), runs[0].seed, drawn, patients)


def compare(
    facts: pd.DataFrame, cohorts: Sequence[Cohort], treated: Sequence[Measured] = (), *, drawn: bool = False
) -> pd.DataFrame:
    """The table of `Validation` from cohorts that were followed, and arms of patients; `drawn`: each at a draw of its own."""
    together = pooled(cohorts)
    patients = pooled_patients(treated) if treated else Measured(np.empty(0), {})
    rows = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for _, fact in _known(facts).iterrows():
            if str(fact["id"]) in TREATMENTS:
                rows.append(_treatment_row(fact, patients, treated, drawn))
            else:
                rows.append(_row(fact, together, cohorts, drawn))
    table = pd.DataFrame(rows)
    return table.astype({"within": "boolean", "cases": "Int64", "year": "Int64"})


def within(estimate: Estimate, low: float, high: float) -> bool | None:
    """Whether the interval of the estimate overlaps the range; None where either is missing."""
    if not all(np.isfinite(number) for number in (estimate.value, estimate.low, estimate.high, low, high)):
        return None
    return bool(estimate.low <= high and estimate.high >= low)


def outside(value: float, low: float, high: float) -> tuple[float, float]:
    """How far a value is beyond the nearer bound of a range (0 inside), and that in per cent of the bound."""
    if not all(np.isfinite(number) for number in (value, low, high)):
        return float("nan"), float("nan")
    bound = low if value < low else high
    beyond = 0.0 if low <= value <= high else value - bound
    share = 0.0 if beyond == 0 else 100 * beyond / abs(bound) if bound else float("nan")
    return beyond, share


def _row(fact: pd.Series, together: Cohort, cohorts: Sequence[Cohort], drawn: bool) -> dict[str, Any]:
    estimand = estimands().get(str(fact["id"]))
    found = Estimate(float("nan"), float("nan"), float("nan"))
    if estimand is not None:
        found = _found(estimand.estimator, together, cohorts, drawn)
    published = (float(fact["value"]), float(fact["low"]), float(fact["high"]))
    return _compared(fact, found, published, estimand.words if estimand else "")


def _treatment_row(fact: pd.Series, together: Measured, treated: Sequence[Measured], drawn: bool) -> dict[str, Any]:
    id = str(fact["id"])
    found = _found(partial(estimate, id), together, treated, drawn)
    row = _compared(fact, found, scored(id), TREATMENTS[id].words)
    return row | ({"unit": "points"} if TREATMENTS[id].number == "difference" else {})


def _found(estimator: Callable[[Any], Estimate], together: Any, runs: Sequence[Any], drawn: bool) -> Estimate:
    found = estimator(together)
    if len(runs) < ENOUGH_RUNS:
        return found
    of_runs = [estimator(run).value for run in runs]
    return spread(found, of_runs) if drawn else widened(found, of_runs)


def _compared(fact: pd.Series, found: Estimate, published: tuple[float, float, float], words: str) -> dict[str, Any]:
    id, (value, low, high) = str(fact["id"]), published
    row: dict[str, Any] = {"id": id} | {name: fact[name] for name in _PUBLISHED}
    row["origin"] = origin(id, str(fact["role"]))
    row |= {"published": value, "published_low": low, "published_high": high}
    beyond, percent = outside(found.value, low, high)
    row |= {"simulated": found.value, "low": found.low, "high": found.high, "cases": found.cases}
    row |= {"within": within(found, low, high), "outside": beyond, "outside_percent": percent}
    row |= {"estimand": words, "reason": _reason(id, found, low, high)}
    return row | {name: fact[name] for name in _CITED}


def origin(id: str, role: str) -> str:
    """How the model came to the fact of this target id and role: fitted, emergent, informed or set."""
    if role == "input":
        return "set"
    if id in INFORMED:
        return "informed"
    return "fitted" if role == "fit" and id not in NOT_FITTED else "emergent"


def _reason(id: str, found: Estimate, low: float, high: float) -> str:
    if id in REASONS:
        return REASONS[id]
    if not (np.isfinite(low) and np.isfinite(high)):
        return "no published range to compare with"
    return "" if np.isfinite(found.value) else "too few people or cases in these runs"


def _known(facts: pd.DataFrame) -> pd.DataFrame:
    """The facts, if for each there is an estimand or a reason: none is dropped in silence."""
    faults = Faults()
    known = [*estimands(), *TREATMENTS, *REASONS]
    for id in facts["id"]:
        if id not in known:
            faults.unknown("targets.id", id, "estimand, and no reason why it has none", known)
    faults.raise_if_any()
    return facts

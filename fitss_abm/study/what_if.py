"""The what-if study: arms beside a baseline in the same people with the same luck, run many times, as effects."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fitss_abm.errors import Faults
from fitss_abm.study.effects import Estimate, advice
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.numbers import ensemble
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.what_if_run import paired

REPLICATES = 8
DISCOUNT = 0.03
"""Of costs, per year."""
TABLE = "effects"
_CALL = "fitss_abm.study.what_if_run:run"
_PER_DRAW = 10_000  # replicates that a draw may have, so that a run's luck does not hang on how many there are
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What came of it. `effects`: one row an estimate (`fitss_abm.study.effect_tables`); the baseline is the first scenario."""

    scenarios: tuple[Scenario, ...]
    effects: pd.DataFrame
    """scenario, estimand, condition, sex, age_group, subgroup, date, value, low, high, monte_carlo_error, runs, unit."""
    people_effects: pd.DataFrame
    """Effects on people: scenario, kind ('one life': single people under one luck; 'kind of person': means over luck), outcome,
    low, high (bounds of the class), share."""
    programmes: pd.DataFrame
    """scenario, programme, offered, screened, started, person_weeks, cost, discounted: means over runs."""
    replicates: int
    draws: int | None
    discount: float
    unpaired: tuple[str, ...] = ()
    """Arms that do not hold the same people as the baseline."""

    @property
    def baseline(self) -> Scenario:
        """With which the others are compared."""
        return self.scenarios[0]

    @property
    def alternatives(self) -> tuple[Scenario, ...]:
        """The others."""
        return self.scenarios[1:]

    @property
    def runs(self) -> int:
        """How many worlds were simulated, each with all arms."""
        return self.replicates * (self.draws or 1)

    def row(self, estimand: str, scenario: str, **where: Any) -> pd.Series | None:
        """The row of an estimate on the last date that has it; `where` defaults to everybody. None if there is none."""
        wanted = {"condition": "any", "sex": "all", "age_group": "all", "subgroup": "all"} | where
        table = self.effects
        chosen = (table["estimand"] == estimand) & (table["scenario"] == scenario)
        for name, value in wanted.items():
            chosen &= table[name] == value
        rows = table[chosen]
        return None if rows.empty else rows.iloc[-1]

    def advice(
        self, half_width: float, *, estimand: str = "risk_difference", condition: str = "any"
    ) -> dict[str, int | None]:
        """For each alternative, how many runs give the mean an interval of plus or minus `half_width`, in the estimand's unit.

        None where the runs made cannot say.
        """
        rows = {one.name: self.row(estimand, one.name, condition=condition) for one in self.alternatives}
        return {name: None if row is None else advice(_estimate(row), half_width) for name, row in rows.items()}

    def write(self, folder: Path) -> None:
        """Tables as Parquet and CSV, scenarios as run, provenance."""
        from fitss_abm.measurement.results import write_provenance

        for name in (TABLE, "people_effects", "programmes"):
            getattr(self, name).to_parquet(folder / f"{name}.parquet", index=False)
        self.effects.to_csv(folder / f"{TABLE}.csv", index=False)
        for number, one in enumerate(self.scenarios):
            (folder / f"scenario-{number}.toml").write_text(one.to_toml(), encoding="utf-8")
        made = {
            "baseline": self.baseline.name, "alternatives": [one.name for one in self.alternatives],
            "people": self.baseline.people, "years": self.baseline.years, "replicates": self.replicates,
            "draws": self.draws, "seed": self.baseline.seed, "discount": self.discount, "not_paired": list(self.unpaired),
        }  # fmt: skip
        write_provenance(folder, made)


def _estimate(row: pd.Series) -> Estimate:
    value, low, high, error = (float(row[key]) for key in ("value", "low", "high", "monte_carlo_error"))
    return Estimate(value, low, high, error, int(row["runs"]))


def without_intervention(scenario: Scenario) -> Scenario:
    """The same world without programmes and dated changes: the baseline where none is given."""
    name = "usual" if scenario.name != "usual" else "baseline"
    return scenario.replace(name=name, programmes=(), changes=())


def compare(
    baseline: Scenario,
    alternatives: Sequence[Scenario],
    *,
    replicates: int | None = None,
    draws: int | None = None,
    discount: float = DISCOUNT,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Comparison:
    """Simulate all arms `replicates` times (8; with `draws`, once at each of so many draws of the posterior) and compare them.

    Arms with the same people, place, seed and start are paired: same people, same luck. `folder` keeps runs as they end.
    Raises InputError for arms that cannot be compared, MissingRuns where runs failed (they alone are done the next time).
    """
    from fitss_abm.study.effect_tables import tables

    replicates = replicates if replicates is not None else 1 if draws else REPLICATES
    arms = (baseline, *alternatives)
    check(arms, replicates=replicates, draws=draws, discount=discount)
    jobs = jobs_of(arms, replicates=replicates, draws=draws, discount=discount)
    results = all_of(jobs, run, folder=folder, workers=workers, cluster=cluster, progress=progress)
    effects, people_effects, programmes = tables(arms, [results[job.key] for job in jobs], replicates, draws)
    unpaired = tuple(arm.name for arm in alternatives if not paired(baseline, arm))
    return Comparison(tuple(arms), effects, people_effects, programmes, replicates, draws, discount, unpaired)


def jobs_of(arms: Sequence[Scenario], *, replicates: int, draws: int | None, discount: float) -> list[Job]:
    """One job a run, in order of draws, then of replicates. What a run gives hangs on its number alone."""
    texts = [arm.replace(threads=None).to_toml() for arm in arms]
    jobs = []
    for draw in range(draws) if draws else (None,):
        for number in range(replicates):
            luck = number if draw is None else draw * _PER_DRAW + number
            key = f"run-{number}" if draw is None else f"draw-{draw}-run-{number}"
            told = {"scenarios": texts, "replicate": luck, "draw": draw, "discount": discount}
            jobs.append(Job(key, _CALL, told))
    return jobs


def check(arms: Sequence[Scenario], *, replicates: int, draws: int | None, discount: float) -> None:
    """Raise InputError with everything for which these cannot be compared."""
    faults = Faults()
    if len(arms) < 2:
        faults.add("alternatives", 0, "there must be at least one")
    seen: set[str] = set()
    for arm in arms:
        if arm.name in seen:
            faults.add("name", arm.name, "two arms have this name")
        seen.add(arm.name)
        for name in ("start", "years"):
            if getattr(arm, name) != getattr(arms[0], name):
                value = getattr(arm, name)
                faults.add(f"{arm.name}.{name}", value, f"must be the baseline's, {getattr(arms[0], name)}")
        if draws is not None and arm.draw is not None:
            faults.add(f"{arm.name}.draw", arm.draw, "is one draw; leave it out where --draws asks for several")
    if not 1 <= replicates < _PER_DRAW:
        faults.add("replicates", replicates, f"must be a whole number from 1 to {_PER_DRAW - 1}")
    if draws is not None and not 1 <= draws <= len(ensemble()):
        faults.add("draws", draws, f"must be a whole number from 1 to {len(ensemble())}: so many are shipped")
    if not (math.isfinite(discount) and 0 <= discount <= 1):
        faults.add("discount", discount, "must be a rate per year between 0 and 1")
    faults.raise_if_any()

"""Runs of a comparison as arrays over runs; runs of one draw of the posterior are averaged first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitss_abm.study import effects
from fitss_abm.study.effects import Estimate

Floats = NDArray[np.float64]
PER = 1000.0
ALL = "all"
COLUMNS = (
    "scenario", "estimand", "condition", "sex", "age_group", "subgroup", "date", "value", "low", "high",
    "monte_carlo_error", "runs", "unit",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Arm:
    """One arm: `table` by name, (runs, ...) as in `Tally.table`; programmes and contrasts of each run as they came."""

    name: str
    conditions: tuple[str, ...]
    table: Mapping[str, Floats]
    programmes: Sequence[Sequence[Mapping[str, Any]]]
    contrasts: Sequence[Mapping[str, Any]]
    replicates: int
    drawn: bool

    def summed(self, name: str) -> Floats:
        """A quantity of the log of deliveries, over programmes, per 1000 adults of the first day; (runs,)."""
        total = np.array([sum(float(one[name]) for one in run) for run in self.programmes])
        return self.of_draws(total) / self.adults * PER

    @property
    def adults(self) -> Floats:
        """Adults on the first day, (runs,)."""
        return np.asarray(self.table["people"][:, 0].sum(axis=(1, 2)))

    def of_draws(self, values: ArrayLike) -> Floats:
        """Values by run, averaged over the runs of each draw."""
        x = np.asarray(values, np.float64)
        return x.reshape(-1, self.replicates, *x.shape[1:]).mean(axis=1) if self.drawn else x

    def contrast(self, group: str, what: str) -> Floats:
        """n (runs, levels), or sum or square (runs, levels, outcomes), of a group of people."""
        return self.of_draws([run[group][what] for run in self.contrasts])

    def at(self, name: str, condition: str) -> Floats:
        """Of a condition: (runs, dates, sexes, ages)."""
        return self.table[name][:, :, self.conditions.index(condition)]


def arms_of(results: Sequence[Mapping[str, Any]], replicates: int, draws: int | None) -> list[Arm]:
    """The arms of all runs."""
    made = []
    for k, first in enumerate(results[0]["arms"]):
        each = [run["arms"][k] for run in results]
        bare = Arm(first["name"], tuple(first["conditions"]), {}, (), (), replicates, draws is not None)
        table = {name: bare.of_draws([one["table"][name] for one in each]) for name in first["table"]}
        contrasts = [one["contrasts"] for one in each] if "contrasts" in first else []
        made.append(
            Arm(
                bare.name,
                bare.conditions,
                table,
                [one["programmes"] for one in each],
                contrasts,
                replicates,
                bare.drawn,
            )
        )
    return made


@dataclass
class Rows:
    """Collects rows of the table of effects."""

    drawn: bool
    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, scenario: str, estimand: str, made: Estimate, unit: str, date: Any, **where: str) -> None:
        """One estimate; `where`: condition, sex, age_group, subgroup that it is of, if not of all."""
        row = {"condition": ALL, "sex": ALL, "age_group": ALL, "subgroup": ALL} | where
        numbers = {
            "value": made.value, "low": made.low, "high": made.high, "monte_carlo_error": made.monte_carlo_error, "runs": made.runs,
        }  # fmt: skip
        self.found.append({"scenario": scenario, "estimand": estimand, **row, "date": date, **numbers, "unit": unit})

    @property
    def mean(self) -> Callable[[ArrayLike], Estimate]:
        """The estimator of means, for these runs."""
        return partial(effects.mean_of, drawn=self.drawn)

    @property
    def ratio(self) -> Callable[[ArrayLike, ArrayLike], Estimate]:
        """The estimator of ratios, for these runs."""
        return partial(effects.ratio_of, drawn=self.drawn)


def share(above: Floats, below: Floats) -> Floats:
    """above / below; NaN where nobody is below."""
    whole = np.full(np.broadcast(above, below).shape, np.nan)
    return np.asarray(np.divide(above, below, out=whole, where=below > 0))

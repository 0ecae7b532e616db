"""What a calibration may move, within which prior, and which facts decide: read from a TOML file and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.study.numbers import bounds_of, known_names
from fitss_abm.study.scenario_checks import read_toml
from fitss_abm.study.validation_rows import estimands

STEPS = ("factor", "shift")
_SECTIONS = ("free", "solved", "left_out")
LINEAR_UNITS = ("rho", "r", "SMD", "Hedges g", "d", "Cohen d")
_Z = 1.959964


@dataclass(frozen=True)
class Free:
    """A number that calibration may move: uniform between low and high."""

    low: float
    high: float


@dataclass(frozen=True)
class Solved:
    """A number found inside each run so that the row meets `aim` (in the row's unit)."""

    row: str
    step: str
    aim: float


@dataclass(frozen=True)
class Row:
    """A fact to be met, on the scale on which it is compared: `centre` and `sd` (the range taken as its central 95 %)."""

    id: str
    low: float
    high: float
    log: bool

    @property
    def centre(self) -> float:
        return float((self.scaled(self.low) + self.scaled(self.high)) / 2)

    @property
    def sd(self) -> float:
        return float((self.scaled(self.high) - self.scaled(self.low)) / (2 * _Z))

    def scaled(self, value: Any) -> Any:
        """Natural logarithm, but of correlations and differences, which are left as they are."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(value) if self.log else np.asarray(value, dtype=float)

    def unscaled(self, value: Any) -> Any:
        return np.exp(value) if self.log else value


@dataclass(frozen=True)
class Plan:
    """Free numbers, solved numbers, and the rows that decide, each by name."""

    free: Mapping[str, Free]
    solved: Mapping[str, Solved]
    rows: Mapping[str, Row]
    left_out: Mapping[str, str]

    def without(self, names: Mapping[str, float] | set[str]) -> Plan:
        """The same plan in which these numbers are no longer free."""
        return Plan(
            MappingProxyType({k: v for k, v in self.free.items() if k not in names}),
            MappingProxyType({k: v for k, v in self.solved.items() if k not in names}),
            self.rows,
            self.left_out,
        )

    def values(self, unit: Any) -> dict[str, float]:
        """The free numbers at a point of the unit cube."""
        return {
            name: prior.low + float(u) * (prior.high - prior.low)
            for (name, prior), u in zip(self.free.items(), unit, strict=True)
        }

    def unit(self, values: Mapping[str, float]) -> Any:
        """The point of the unit cube of these values."""
        return np.array([(values[name] - prior.low) / (prior.high - prior.low) for name, prior in self.free.items()])


@cache
def shipped_plan() -> Plan:
    """The plan of `data/calibration.toml` for the packaged facts."""
    with as_file(files("fitss_abm.data").joinpath("calibration.toml")) as path:
        return read_plan(path)


def read_plan(path: str | Path | None = None, targets: pd.DataFrame | None = None) -> Plan:
    """The plan in a TOML file (or the packaged one) for the facts in `targets` (or the packaged ones).

    Raises InputError with everything that is wrong: a number that does not exist, one without a prior or with one outside
    its bounds, a row that no run can estimate or that has no range, a row that decides two things.
    """
    from fitss_abm.study.targets import load_targets

    if path is None and targets is None:
        return shipped_plan()
    faults = Faults(file=str(path) if path is not None else "calibration.toml")
    if path is None:
        with as_file(files("fitss_abm.data").joinpath("calibration.toml")) as packaged:
            whole = read_toml(packaged, "plan")
    else:
        whole = read_toml(Path(path), "plan")
    facts = (load_targets() if targets is None else targets).set_index("id")
    for section in whole:
        if section not in _SECTIONS:
            faults.unknown(section, "", "section of a plan", _SECTIONS)
    free = {name: _free(name, entry, faults) for name, entry in _table(whole, "free", faults).items()}
    solved = {name: _solved(name, entry, facts, faults) for name, entry in _table(whole, "solved", faults).items()}
    left_out = {str(id): str(why) for id, why in _table(whole, "left_out", faults).items()}
    for name in free.keys() & solved.keys():
        faults.add(f"free.{name}", "", "is solved as well")
    rows = _rows(facts, {s.row for s in solved.values() if s}, left_out, faults)
    if not rows:
        faults.add("targets", len(facts), "hold no row of role fit that is neither solved nor left out")
    if not free:
        faults.add("free", "", "names no number to calibrate")
    faults.raise_if_any()
    good_free = {name: f for name, f in free.items() if f}
    good_solved = {name: s for name, s in solved.items() if s}
    return Plan(*(MappingProxyType(part) for part in (good_free, good_solved, rows, left_out)))  # type: ignore[arg-type]


def _table(whole: Mapping[str, Any], section: str, faults: Faults) -> Mapping[str, Any]:
    entries = whole.get(section, {})
    if not isinstance(entries, Mapping):
        faults.add(section, entries, "must be a table")
        return {}
    return entries


def _known(place: str, name: str, faults: Faults) -> tuple[float, float] | None:
    try:
        return bounds_of(name)
    except (KeyError, ValueError):
        faults.add(place, name, "no such parameter or number of a condition", nearest_name(name, known_names()))
        return None


def _number(place: str, value: object, faults: Faults) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        faults.add(place, value, "must be a number")
        return None
    return float(value)


def _free(name: str, entry: object, faults: Faults) -> Free | None:
    bounds = _known(f"free.{name}", name, faults)
    if not isinstance(entry, Mapping) or not {"low", "high"} <= set(entry):
        faults.add(f"free.{name}", entry, "has no prior: it needs low and high")
        return None
    for key in set(entry) - {"low", "high"}:
        faults.unknown(f"free.{name}.{key}", entry[key], "key of a prior", ("low", "high"))
    low, high = (_number(f"free.{name}.{key}", entry[key], faults) for key in ("low", "high"))
    if low is None or high is None or bounds is None:
        return None
    if low >= high:
        faults.add(f"free.{name}.low", low, f"must be below high, {high:g}")
    for key, value in (("low", low), ("high", high)):
        if not bounds[0] <= value <= bounds[1]:
            faults.add(f"free.{name}.{key}", value, f"must lie between {bounds[0]:g} and {bounds[1]:g}")
    return Free(low, high)


def _solved(name: str, entry: object, facts: pd.DataFrame, faults: Faults) -> Solved | None:
    bounds = _known(f"solved.{name}", name, faults)
    place = f"solved.{name}"
    if not isinstance(entry, Mapping) or not {"row", "step"} <= set(entry):
        faults.add(place, entry, "needs row and step")
        return None
    for key in set(entry) - {"row", "step", "aim"}:
        faults.unknown(f"{place}.{key}", entry[key], "key", ("row", "step", "aim"))
    row, step = str(entry["row"]), str(entry["step"])
    if step not in STEPS:
        faults.unknown(f"{place}.step", step, "step", STEPS)
    if row not in estimands():
        faults.unknown(f"{place}.row", row, "row that a run can estimate", estimands())
        return None
    if row not in facts.index:
        return None  # the user's facts do not hold it: the shipped value stays
    low, value, high = (float(x) for x in facts.loc[row, ["low", "value", "high"]].to_numpy(dtype=float))
    aim = _number(f"{place}.aim", entry.get("aim", value), faults)
    if aim is None or bounds is None:
        return None
    if not low <= aim <= high:
        # the packaged plan's aim may lie outside a user's range: then their value is taken
        if low <= value <= high:
            aim = value
        else:
            faults.add(f"{place}.aim", aim, f"must lie within the row's range, {low:g} to {high:g}")
    return Solved(row, step, aim)


def _rows(facts: pd.DataFrame, solved: set[str], left_out: Mapping[str, str], faults: Faults) -> dict[str, Row]:
    rows = {}
    for id, fact in facts[facts["role"] == "fit"].to_dict("index").items():
        if id in solved or id in left_out:
            continue
        low, high = float(fact["low"]), float(fact["high"])
        log = str(fact["unit"]) not in LINEAR_UNITS
        if id not in estimands():
            faults.unknown(f"targets.{id}", id, "row that a run can estimate", estimands())
        elif not (math.isfinite(low) and math.isfinite(high)) or low >= high:
            faults.add(f"targets.{id}", f"{low:g} to {high:g}", "has no range to be met")
        elif log and low <= 0:
            faults.add(f"targets.{id}.low", low, "must be above 0")
        else:
            rows[str(id)] = Row(str(id), low, high, log)
    return rows

"""Every number of the model that is not a condition's own, with its unit, bounds, role and source."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults, nearest_name

Role = Literal["measured", "fit", "assumed", "scenario"]


@dataclass(frozen=True)
class Parameter:
    """One number: default value, unit, inclusive bounds, what it means and where it comes from."""

    name: str
    value: float
    unit: str
    low: float
    high: float
    role: Role
    source: str
    meaning: str
    sex_mechanism: str | None = None


@cache
def declared() -> Mapping[str, Parameter]:
    """The parameters declared in `data/parameters.toml`, by name, in file order."""
    text = files("fitss_abm.data").joinpath("parameters.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: Parameter(name=name, **entry) for name, entry in tomllib.loads(text).items()})


def check(values: Mapping[str, object], faults: Faults, *, prefix: str = "parameters") -> dict[str, float]:
    """Overrides of declared parameters as floats; adds a fault for each unknown name, wrong type or value out of bounds."""
    known = declared()
    checked: dict[str, float] = {}
    for name, value in values.items():
        place = f"{prefix}.{name}"
        if name not in known:
            faults.add(place, value, "no such parameter", nearest_name(name, known))
        elif isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
            faults.add(place, value, f"must be a number ({known[name].unit})")
        elif not (math.isfinite(value) and known[name].low <= value <= known[name].high):
            entry = known[name]
            faults.add(place, value, f"must lie between {entry.low:g} and {entry.high:g} {entry.unit}")
        else:
            checked[name] = float(value)
    return checked


class Parameters(Mapping[str, float]):
    """The parameters of one world: the declared defaults with some of them replaced. Immutable.

    >>> Parameters(support_weight=0.0)["support_weight"]
    0.0
    """

    def __init__(self, **overrides: float) -> None:
        faults = Faults()
        checked = check(overrides, faults)
        faults.raise_if_any()
        self._values = {name: entry.value for name, entry in declared().items()} | checked

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def replace(self, **overrides: float) -> Parameters:
        """A copy with some values replaced."""
        return Parameters(**(self.changed() | overrides))

    def without_sex_mechanisms(self, mechanisms: Iterable[str]) -> Parameters:
        """A copy in which the named sex mechanisms (see `sex_mechanisms`) no longer act."""
        off = set(mechanisms)
        return self.replace(**{name: 0.0 for name, entry in declared().items() if entry.sex_mechanism in off})

    def changed(self) -> dict[str, float]:
        """The values that differ from the defaults."""
        return {name: value for name, value in self._values.items() if value != declared()[name].value}

    def as_array(self) -> NDArray[np.float32]:
        """The values as float32 in declared order, as compiled rules read them."""
        return np.array(list(self._values.values()), dtype=np.float32)


def sex_mechanisms() -> tuple[str, ...]:
    """The named mechanisms through which sex acts: those of the parameters and the three of the catalogue."""
    named = dict.fromkeys(entry.sex_mechanism for entry in declared().values() if entry.sex_mechanism)
    return (*cast("dict[str, None]", named), "condition_onset", "condition_remission", "female_only_spillover")

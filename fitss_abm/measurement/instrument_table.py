"""The instruments as data: what each asks, its range, reliability and source, and how it is made from the state."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

FILE = "instruments.toml"
FEATURES = (
    "balance", "alert", "sensitization", "somatic", "sleep", "loneliness", "pain", "senses", "exposure", "soothing",
    "tenderness",
)  # fmt: skip
"""What scores are made from, in the order of the array that `scales.features` fills."""


@dataclass(frozen=True)
class Feature:
    """A state as scales read it: (value - centre) / spread, both of adults of the default population."""

    meaning: str
    centre: float
    spread: float


@dataclass(frozen=True)
class Number:
    """A number of a report: value, unit, whether it was `sourced`, `derived` (from a norm) or `assumed`, and from what."""

    value: float
    unit: str
    role: Literal["sourced", "derived", "assumed"]
    source: str
    meaning: str


@dataclass(frozen=True)
class Scale:
    """How a scale follows the state: weights of features, shares of variance, and constants set from a norm.

    latent = sqrt(state) (sum of weight x feature) / state_sd + sqrt(style) style + sqrt(1 - state - style) own, sd about 1;
    answer = low + (high - low) logistic(location + slope (latent + error N)), rounded.
    """

    weights: Mapping[str, float]
    state: float
    style: float
    state_sd: float
    location: float
    slope: float
    error: float


@dataclass(frozen=True)
class Instrument:
    """One score. `kind`: a scale of feelings, symptoms counted or rated, a criterion met or not, or what is remembered.

    `low` and `high` bound the score; `period` is what the question asks about. `norm`: mean and sd (or other numbers) by
    name, in people of `among`; `reliability` holds in people of `reliability_in` (measurement/groups.py).
    """

    id: str
    title: str
    kind: Literal["scale", "symptoms", "criterion", "recall"]
    low: float
    high: float
    unit: str
    items: str
    period: str
    scoring: str
    from_state: str
    role: str
    source: str
    doi: str = ""
    reliability: float | None = None
    reliability_source: str = ""
    reliability_in: str = "adults"
    norm: Mapping[str, float] = field(default_factory=dict)
    norm_source: str = ""
    among: str = "adults"
    scale: Scale | None = None

    @property
    def is_criterion(self) -> bool:
        """Whether the score is yes or no."""
        return self.kind == "criterion"


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(files("fitss_abm.data").joinpath(FILE).read_text(encoding="utf-8"))


@cache
def catalogue() -> Mapping[str, Instrument]:
    """Every instrument by id, in the order of `data/instruments.toml`."""
    made = {}
    for id, entry in _file()["instruments"].items():
        scale = Scale(**entry["scale"]) if "scale" in entry else None
        made[id] = Instrument(id=id, **entry | {"scale": scale})
    return MappingProxyType(made)


def names() -> tuple[str, ...]:
    """The ids of all scores."""
    return tuple(catalogue())


@cache
def features() -> Mapping[str, Feature]:
    """Centre and spread of what scales are made from, by name, in the order of FEATURES."""
    return MappingProxyType({name: Feature(**_file()["features"][name]) for name in FEATURES})


@cache
def numbers() -> Mapping[str, Number]:
    """The other numbers of reports, by name."""
    return MappingProxyType({name: Number(**entry) for name, entry in _file()["numbers"].items()})

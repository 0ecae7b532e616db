"""Numbers of surveys and clinics: how well each condition is reported, and how often, how late and under which name recorded."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fitss_abm.errors import Faults
from fitss_abm.measurement.instrument_table import names
from fitss_abm.model.conditions import Catalogue

TRUTH, SURVEY, CLINIC = "truth", "survey", "clinic"
SEEN_AS = (TRUTH, SURVEY, CLINIC)
"""The ways in which people can be seen; see `seen.py`."""
ELSEWHERE = "elsewhere"
MODEL = "model"
_FILE = "diagnosis.toml"


@dataclass(frozen=True)
class SurveyOf:
    """How a condition is reported. `instrument`: instead, the criterion that is computed from the answers of that day."""

    sensitivity: float = 1.0
    specificity: float = 1.0
    instrument: str | None = None
    source: Any = ""


@dataclass(frozen=True)
class ClinicOf:
    """How a condition comes to be on record; `data/diagnosis.toml` says what each number means."""

    recognised: float = 0.0
    female: float = 0.0
    delay: float = 0.0
    rule: str | None = None
    miscoded: Mapping[str, float] = field(default_factory=dict)
    false_per_1000_years: float = 0.0
    source: Any = ""


@dataclass(frozen=True)
class Diagnosis:
    """By condition id, in the order of the file."""

    survey: Mapping[str, SurveyOf]
    clinic: Mapping[str, ClinicOf]


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "sensitivity": (0.0, 1.0),
    "specificity": (0.0, 1.0),
    "recognised": (0.0, 1.0),
    "female": (-4.0, 4.0),
    "delay": (0.0, 50.0),
    "false_per_1000_years": (0.0, 1000.0),
}
_VIEWS: Mapping[str, type[SurveyOf] | type[ClinicOf]] = {SURVEY: SurveyOf, CLINIC: ClinicOf}


@cache
def shipped() -> Diagnosis:
    """The numbers of `data/diagnosis.toml`."""
    faults = Faults(_FILE)
    made = made_of({}, faults)
    faults.raise_if_any()
    return made


def made_of(entries: Mapping[str, Any], faults: Faults, *, catalogue: Catalogue | None = None) -> Diagnosis:
    """The shipped numbers with some replaced or added: `{"vulvodynia": {"clinic": {"recognised": 0.2}}}`.

    Adds a fault for everything that cannot be used; with `catalogue`, also for conditions that are not in it.
    """
    text = files("fitss_abm.data").joinpath(_FILE).read_text(encoding="utf-8")
    together: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(text)
    for id, views in entries.items():
        if not isinstance(views, Mapping) or not all(isinstance(view, Mapping) for view in views.values()):
            faults.add(f"diagnosis.{id}", views, "must hold tables survey or clinic")
            continue
        if catalogue is not None and id not in catalogue.bit:
            faults.unknown(f"diagnosis.{id}", id, "condition", catalogue.ids)
            continue
        for view, numbers in views.items():
            here = together.setdefault(id, {}).setdefault(view, {})
            if {"sensitivity", "specificity"} & set(numbers):
                here.pop("instrument", None)  # whoever says how well it is reported means these numbers
            here.update(numbers)
    found: dict[str, dict[str, Any]] = {view: {} for view in _VIEWS}
    known = together if catalogue is None else catalogue.ids
    for id, views in together.items():
        for view, numbers in views.items():
            place = f"diagnosis.{id}.{view}"
            if view not in _VIEWS:
                faults.unknown(place, view, "way to see a condition with numbers of its own", _VIEWS)
                continue
            _check(place, numbers, _VIEWS[view], known, faults)
            fields = _VIEWS[view].__dataclass_fields__
            found[view][id] = _VIEWS[view](**{name: value for name, value in numbers.items() if name in fields})
    return Diagnosis(MappingProxyType(found["survey"]), MappingProxyType(found["clinic"]))


def _check(place: str, numbers: Mapping[str, Any], kind: Any, known: Any, faults: Faults) -> None:
    for name, value in numbers.items():
        if name not in kind.__dataclass_fields__:
            faults.unknown(f"{place}.{name}", name, "number of a survey or clinic", kind.__dataclass_fields__)
        elif name in _BOUNDS and not _within(value, *_BOUNDS[name]):
            low, high = _BOUNDS[name]
            faults.add(f"{place}.{name}", value, f"must be a number between {low:g} and {high:g}")
        elif name == "rule" and value != MODEL:
            faults.add(f"{place}.rule", value, f"must be '{MODEL}' or be left out")
    if numbers.get("instrument") is not None and numbers["instrument"] not in names():
        faults.unknown(f"{place}.instrument", numbers["instrument"], "score of an instrument", names())
    miscoded = numbers.get("miscoded", {})
    if not isinstance(miscoded, Mapping) or not all(_within(share, 0.0, 1.0) for share in miscoded.values()):
        faults.add(f"{place}.miscoded", miscoded, "must be a table of shares between 0 and 1, by condition")
        return
    for other in miscoded:
        if other != ELSEWHERE and other not in known:
            faults.unknown(f"{place}.miscoded", other, "condition", [*known, ELSEWHERE])
    if sum(miscoded.values()) > 1.0:
        faults.add(f"{place}.miscoded", dict(miscoded), "must add up to 1 at most")


def _within(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

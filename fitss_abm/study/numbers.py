"""Numbers of the model by one name: a parameter's own, or `conditions.<id>.<field>`; and the shipped ensemble of them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any


@cache
def ensemble() -> tuple[Mapping[str, float], ...]:
    """The shipped draws of the calibration's posterior: for each, the value of every number that was fitted."""
    text = files("fitss_abm.data").joinpath("ensemble.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(MappingProxyType({name: float(value) for name, value in row.items()}) for row in rows)


def bounds_of(name: str) -> tuple[float, float]:
    """Declared bounds of a parameter or of a number of a condition. Raises KeyError where there is no such number."""
    from fitss_abm.model.conditions import BOUNDS, shipped
    from fitss_abm.model.parameters import declared

    if name in declared():
        return declared()[name].low, declared()[name].high
    _, id, field = name.split(".")
    if id not in shipped().ids or field not in BOUNDS:
        raise KeyError(name)
    return BOUNDS[field]


def default_of(name: str) -> float:
    """The shipped value of a number that a plan may name."""
    from fitss_abm.model.conditions import shipped
    from fitss_abm.model.parameters import declared

    if name in declared():
        return declared()[name].value
    _, id, field = name.split(".")
    return float(getattr(shipped()[id], field))


def known_names() -> list[str]:
    """Every number that a plan may name."""
    from fitss_abm.model.conditions import BOUNDS, shipped
    from fitss_abm.model.parameters import declared

    hazards = [c.id for c in shipped().conditions if c.has_hazard]
    return [*declared(), *(f"conditions.{id}.{field}" for id in hazards for field in BOUNDS)]


def as_scenario(values: Mapping[str, float]) -> dict[str, Any]:
    """Values by name as the fields `parameters` and `conditions` of a scenario."""
    parameters: dict[str, float] = {}
    conditions: dict[str, dict[str, float]] = {}
    for name, value in values.items():
        if name.startswith("conditions."):
            _, id, field = name.split(".")
            conditions.setdefault(id, {})[field] = value
        else:
            parameters[name] = value
    return {"parameters": parameters, "conditions": conditions}

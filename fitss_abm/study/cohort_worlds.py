"""The world of a cohort, and the other world that its truth is about."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults, InputError
from fitss_abm.study.scenario import Scenario

WITHOUT = "without programmes"
SAME = ("people", "location", "seed", "start", "population", "records", "seeds", "replicate")
"""What must be equal for two scenarios to hold the same people with the same luck (as in what_if_run)."""
_HORIZON = ("years", "threads", "snapshot_every", "seen_as")
"""Of a scenario: what a cohort sets itself, so that worlds may differ in it."""


def world_of(values: Mapping[str, Any] | str) -> Scenario:
    """The scenario of a table, or of a file. Raises InputError."""
    return Scenario.read(values) if isinstance(values, str) else Scenario(**({"name": "cohort"} | dict(values)))


def other_of(world: Scenario, given: Mapping[str, Any] | None) -> Scenario | None:
    """The other world: the scenario with these values, or (None) without its programmes and dated changes, if it has any."""
    if given is not None:
        return world.replace(**({"name": "counterfactual"} | dict(given)))
    return world.replace(name=WITHOUT, programmes=(), changes=()) if world.programmes or world.changes else None


def read_other(path: str, world: Scenario) -> dict[str, Any]:
    """What a scenario's file differs in from the world. It has the world's people and seed, and its place and start unless it
    names others. Raises InputError.
    """
    said = told_in(path)
    own = {name: getattr(world, name) for name in SAME if name in ("people", "seed") or name not in said}
    other = Scenario.read(path, **own)
    return {name: value for name, value in other.differences(world).items() if name not in _HORIZON}


def told_in(given: Any) -> Mapping[str, Any]:
    """What a scenario's table or file says itself."""
    if isinstance(given, Mapping):
        return given
    try:
        return tomllib.loads(Path(given).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, TypeError):
        return {}


def check_other(values: Mapping[str, Any], world: Scenario, faults: Faults) -> None:
    """Add what is wrong with the other world, which must hold the same people with the same luck."""
    given = values.get("counterfactual")
    if given is None:
        return
    if values.get("truth") is not True:
        said = given if isinstance(given, str) else "a table"
        faults.add("counterfactual", said, "is part of the truth: ask for it (truth)")
    try:
        table = read_other(given, world) if isinstance(given, str) else given
        other = world.replace(**({"name": "counterfactual"} | dict(table))) if isinstance(table, Mapping) else world
    except InputError as error:
        faults.found += [
            one if one.file else dataclasses.replace(one, field=f"counterfactual.{one.field}") for one in error.faults
        ]
        return
    for name in SAME:
        if getattr(other, name) != getattr(world, name):
            faults.add(
                f"counterfactual.{name}", getattr(other, name), f"must be the scenario's, {getattr(world, name)!r}"
            )

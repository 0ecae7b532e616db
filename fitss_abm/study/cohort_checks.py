"""What of a cohort does not fit its world: too many participants, a visit after the horizon, another world's people."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults, InputError
from fitss_abm.study.scenario import Scenario

if TYPE_CHECKING:
    from fitss_abm.study.cohort_visits import Visit


def check_people(values: Mapping[str, Any], world: Scenario, faults: Faults) -> None:
    """Participants and parts against the people there are."""
    wanted, size = values.get("participants"), values.get("part_people", 1_000_000)
    if isinstance(wanted, int) and wanted > world.people:
        faults.add("participants", wanted, f"are more than live in the population, {world.people:,}")
    if "edges" in world.network and isinstance(size, int) and world.people > size:
        said = f"an edge list is one population of {world.people:,}; give part_people = {world.people} or more"
        faults.add("part_people", size, said)


def check_horizon(given: Any, world: Scenario, visits: Sequence[Visit], faults: Faults) -> None:
    """Visits after the end of a scenario that says how long it lasts, and dates that are no dates."""
    last = datetime.date.max
    if "years" in told_in(given):
        try:
            last = world.end
        except (OverflowError, ValueError):
            faults.add("scenario.years", world.years, "ends beyond the year 9999")
    for visit in visits:
        if visit.date > last:
            faults.add("visits", str(visit.date), f"is after the horizon, {last}: the scenario's {world.years:g} years")


def told_in(given: Any) -> Mapping[str, Any]:
    """What a scenario's table or file says itself."""
    if isinstance(given, Mapping):
        return given
    try:
        return tomllib.loads(Path(given).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, TypeError):
        return {}


def check_counterfactual(values: Mapping[str, Any], world: Scenario, same: Sequence[str], faults: Faults) -> None:
    """The other world must hold the same people with the same luck."""
    given = values.get("counterfactual")
    if given is None:
        return
    if values.get("truth") is not True:
        faults.add(
            "counterfactual", given if isinstance(given, str) else "a table", "is part of the truth: ask for it (truth)"
        )
    try:
        if isinstance(given, str):
            other = Scenario.read(given, people=world.people)
        elif isinstance(given, Mapping):
            other = world.replace(**{"name": "counterfactual", **given})
        else:
            return  # told as a fault of its type
    except InputError as error:
        faults.found += error.faults
        return
    for name in same:
        if getattr(other, name) != getattr(world, name):
            faults.add(
                f"counterfactual.{name}", getattr(other, name), f"must be the scenario's, {getattr(world, name)!r}"
            )

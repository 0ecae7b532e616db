"""What of a cohort does not fit its world: too many participants, a visit after the horizon, another world's people."""

from __future__ import annotations

import csv
import datetime
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, Faults, InputError, nearest_name
from fitss_abm.study.scenario import Scenario

if TYPE_CHECKING:
    from fitss_abm.study.cohort_visits import Visit

_MOST_TOLD = 10


def check_people(values: Mapping[str, Any], world: Scenario, faults: Faults) -> None:
    """Participants and parts against the people there are."""
    wanted, size = values.get("participants"), values.get("part_people", 1_000_000)
    if isinstance(wanted, int) and wanted > world.people:
        faults.add("participants", wanted, f"are more than live in the population, {world.people:,}")
    if "edges" in world.network and isinstance(size, int) and world.people > size:
        said = f"an edge list is one population of {world.people:,}; give part_people = {world.people} or more"
        faults.add("part_people", size, said)


def check_diary(values: Mapping[str, Any], visits: Sequence[Visit], faults: Faults) -> None:
    """A diary is kept between the first visit and the last, by participants."""
    many, days = values.get("diary"), values.get("diary_days", 28)
    if many is None:
        for name in ("diary_days", "diary_prompts"):
            if name in values and values[name] != {"diary_days": 28, "diary_prompts": 1}[name]:
                faults.add(name, values[name], "is of a diary, and nobody keeps one: say how many (diary)")
        return
    if visits and isinstance(days, int) and visits[0].day + days > visits[-1].day:
        followed = visits[-1].day - visits[0].day
        faults.add("diary_days", days, f"is longer than the {followed} days from the first visit to the last")
    wanted = values.get("participants")
    if isinstance(wanted, int) and isinstance(many, int) and many > wanted:
        faults.add("diary", many, f"are more than take part, {wanted:,}")


def check_persons(path: Any, world: Scenario, faults: Faults) -> None:
    """A file of persons can be read, names each once, and nobody who could never live in this population."""
    if not isinstance(path, str):
        return
    ids = faults.gather(lambda: read_persons(path))
    for one in () if ids is None else ids[ids >= world.people << 16][:_MOST_TOLD]:
        said = f"lives nowhere in a population of {world.people:,}"
        faults.found.append(Fault("person_id", int(one), said, path))


def read_persons(path: str) -> NDArray[np.int64]:
    """The person_id column of a CSV table, sorted. Raises InputError for every line that has none, and for each named twice."""
    faults = Faults(file=path)
    found: dict[int, int] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "person_id" not in (rows.fieldnames or ()):
                faults.add(
                    "person_id", None, "is no column of the table", nearest_name("person_id", rows.fieldnames or ())
                )
                faults.raise_if_any()
            for row in rows:
                text = (row["person_id"] or "").strip()
                if not text.isascii() or not text.isdigit():
                    faults.add(f"line {rows.line_num}", text, "is no person_id")
                elif int(text) in found:
                    faults.add(f"line {rows.line_num}", int(text), f"is named before, in line {found[int(text)]}")
                else:
                    found[int(text)] = rows.line_num
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.add("persons_file", path, f"cannot be read ({error})")
    if not found and not faults.found:
        faults.add("persons_file", path, "names nobody")
    if len(faults.found) > _MOST_TOLD:
        more = len(faults.found) - _MOST_TOLD
        faults.found = faults.found[:_MOST_TOLD]
        faults.add("persons_file", path, f"has {more} more such lines")
    faults.raise_if_any()
    return np.array(sorted(found), np.int64)


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

"""What is wrong with a cohort: its design, what it asks, and what does not fit its world; every fault at once."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from fitss_abm.errors import Faults, InputError
from fitss_abm.study import cohort_measures as measures
from fitss_abm.study.cohort_missing import read_rule
from fitss_abm.study.cohort_persons import check_persons
from fitss_abm.study.cohort_visits import Visit, visits_of
from fitss_abm.study.cohort_worlds import check_other, told_in, world_of
from fitss_abm.study.scenario import Scenario

DESIGNS = ("population", "clinic", "case-control", "panel", "birth-adversity")
YOUNGEST, ADULT, OLDEST, GROWN = 12, 18, 120, 25
_BELONGS = {
    "controls": "case-control", "match_years": "case-control", "exposed_from": "birth-adversity",
    "exposed_share": "birth-adversity",
}  # fmt: skip


def ages_of(design: str) -> tuple[int, int]:
    """Youngest and oldest whom a design recruits, where nothing else is said."""
    return (YOUNGEST, GROWN) if design == "birth-adversity" else (ADULT, OLDEST)


def check_design(values: Mapping[str, Any], defaults: Mapping[str, Any], faults: Faults) -> None:
    """The design is one, and has what is said of it."""
    design = values.get("design", "population")
    if isinstance(design, str) and design not in DESIGNS:
        faults.found = [one for one in faults.found if one.field != "design"]
        faults.unknown("design", design, "design", DESIGNS)
    low, high = values.get("age_from"), values.get("age_to")
    usual = ages_of(str(design))
    low, high = low if low is not None else usual[0], high if high is not None else usual[1]
    if isinstance(low, int) and isinstance(high, int) and low > high:
        faults.add("age_to", high, f"must not be below the youngest age, {low}")
    for name, wanted in _BELONGS.items():
        if values.get(name, defaults[name]) != defaults[name] and design != wanted:
            faults.add(name, values[name], f"is of the design {wanted}, and this is {design}")


def check_asked(values: Mapping[str, Any], faults: Faults) -> None:
    """Scores are known and named once; rules of what is missing can be used."""
    known = measures.scores()
    asked = values.get("instruments", ())
    asked = asked if isinstance(asked, tuple) else ()
    for name in asked:
        if name not in known:
            faults.unknown("instruments", name, "score", known)
    for name in dict.fromkeys(one for one in asked if asked.count(one) > 1):
        faults.add("instruments", name, "is named twice")
    rules = values.get("missing", ())
    names = [name for name in asked if name in known] or list(known)
    for number, table in enumerate(rules if isinstance(rules, tuple) else ()):
        if isinstance(table, dict):
            read_rule(table, names, f"missing[{number}]", faults)


def check_world(values: Mapping[str, Any], defaults: Mapping[str, Any], faults: Faults) -> None:
    """The scenario is one, and visits, people and the other world fit it."""
    given = values.get("scenario", {})
    world = _world(given, faults) if isinstance(given, dict | str) else None
    start = world.start if world is not None else _start_of(given)
    asked = values.get("visits", defaults["visits"])
    visits = visits_of(asked, start, faults) if isinstance(asked, tuple) else []
    if world is None:
        return
    check_people(values, world, faults)
    check_diary(values, visits, faults)
    check_persons(values.get("persons_file"), world, faults)
    check_horizon(given, world, visits, faults)
    case, known = values.get("case"), world.catalogue().ids
    if isinstance(case, str) and case not in known:
        faults.unknown("case", case, "condition", known)
    check_other(values, world, faults)


def _world(given: Mapping[str, Any] | str, faults: Faults) -> Scenario | None:
    try:
        return world_of(given)
    except InputError as error:
        faults.found += [
            one if one.file else dataclasses.replace(one, field=f"scenario.{one.field}") for one in error.faults
        ]
        return None


def _start_of(given: Any) -> datetime.date:
    start = given.get("start") if isinstance(given, dict) else None
    default: datetime.date = Scenario.model_fields["start"].default
    return start if isinstance(start, datetime.date) else default


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

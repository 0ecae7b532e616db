"""Programmes and their kinds as files write them, checked as a whole: every fault at once."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.programmes import ACT_NUMBERS, ACTS, NUMBERS, Act, Programme, Screening
from fitss_abm.model.target_tables import apart, read_target
from fitss_abm.model.targeting import All, Everyone

ABOUT = ("label", "role", "rows", "source", "note")
"""What a kind says about itself: not read by the model."""
_WHOLE = ("capacity", "recruit_weeks", "course_weeks", "side_effect_weeks")


def read_programme(
    values: Mapping[str, Any], kinds: Mapping[str, Mapping[str, Any]], place: str, faults: Faults
) -> Programme:
    """The programme of a table: `kind` of `kinds`, `name`, `start` and `end` in days, and whatever differs from the kind.

    `sizes`, a table, sets the size of single acts by what they act on. Every fault is added under `place`.
    """
    kind = values.get("kind")
    if kind not in kinds:
        faults.unknown(f"{place}.kind", kind, "kind of programme", kinds)
    own = {name: value for name, value in values.items() if name not in ("sizes", "kind")}
    told = {name: value for name, value in kinds.get(str(kind), {}).items() if name not in ABOUT} | own
    fields = read_fields(told, place, faults)
    sizes = values.get("sizes", {})
    if isinstance(sizes, Mapping) and "acts" in fields:
        acted = {act.on for act in fields["acts"]}
        resized = [{"on": on, "size": size} for on, size in sizes.items() if on in acted]
        by_name = {act.on: act.size for act in _acts(resized, f"{place}.sizes", faults)}
        for on in set(sizes) - acted:
            faults.unknown(f"{place}.sizes", on, "act of this programme", acted)
        fields["acts"] = tuple(dataclasses.replace(act, size=by_name.get(act.on, act.size)) for act in fields["acts"])
    elif not isinstance(sizes, Mapping):
        faults.add(f"{place}.sizes", sizes, "must be a table such as { central_gain = -0.3 }")
    name = values.get("name", kind)
    if not isinstance(name, str) or not name:
        faults.add(f"{place}.name", name, "must be a name")
    if fields.get("end") is not None and fields["end"] <= fields.get("start", 0):
        faults.add(f"{place}.end", fields.pop("end"), "must be after the start")
    made = Programme(**fields | {"name": str(name), "kind": str(kind)})
    if made.prevents and (made.eligible, made.target) != (Everyone(), Everyone()):
        faults.add(
            f"{place}.target", values.get("target"), "nothing is known of those still to come; set coverage instead"
        )
    if made.prevents and (len(made.acts) > 1 or made.screening or made.capacity is not None):
        faults.add(
            f"{place}.acts", values.get("acts"), "prevention of adversity stands alone, without screening or capacity"
        )
    return made


def read_fields(told: Mapping[str, Any], place: str, faults: Faults) -> dict[str, Any]:
    """Fields of a programme from a table, in their types; every fault is added."""
    fields: dict[str, Any] = {}
    known = {field.name for field in dataclasses.fields(Programme)}
    for name, value in told.items():
        at = f"{place}.{name}"
        if name not in known:
            faults.add(at, value, "no such key of a programme", nearest_name(str(name), [*known, "sizes"]))
        elif name in NUMBERS:
            unit, low, high = NUMBERS[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                faults.add(at, value, f"must be a number between {low:g} and {high:g} ({unit})")
            elif name in _WHOLE and value != int(value):
                faults.add(at, value, "must be a whole number")
            else:
                fields[name] = int(value) if name in _WHOLE else float(value)
        elif name in ("target", "eligible"):
            fields[name] = read_target(value, at, faults)
        elif name == "acts":
            fields[name] = _acts(value, at, faults)
        elif name == "screening":
            fields[name] = _screening(value, at, faults)
        elif name == "exclusive_with":
            fields[name] = tuple(value) if isinstance(value, list | tuple) else (value,)
        else:
            fields[name] = value
    return fields


def _acts(value: object, place: str, faults: Faults) -> tuple[Act, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, Mapping) for each in value):
        faults.add(place, value, "must be a list of acts such as { on = 'central_gain', size = -0.3 }")
        return ()
    acts = []
    for each in value:
        on, before = each.get("on"), len(faults.found)
        if on not in ACTS:
            faults.unknown(f"{place}.on", on, "input that a programme can act on", ACTS)
            continue
        numbers: dict[str, Any] = {"size": None} | {name: number for name, number in each.items() if name != "on"}
        for name, number in numbers.items():
            if name not in ("size", *ACT_NUMBERS):
                faults.add(
                    f"{place}.{name}", number, "no such key of an act", nearest_name(str(name), ("size", *ACT_NUMBERS))
                )
            elif isinstance(number, bool) or not isinstance(number, int | float):
                faults.add(f"{place}.{on}.{name}", number, "must be a number")
        if len(faults.found) > before:
            continue
        act = Act(on, **numbers)
        for name, number, problem in act.problems():
            faults.add(f"{place}.{on}.{name}", number, problem)
        if len(faults.found) == before:
            acts.append(act)
    return tuple(acts)


def _screening(value: object, place: str, faults: Faults) -> Screening | None:
    keys = tuple(field.name for field in dataclasses.fields(Screening))
    if not isinstance(value, Mapping) or "finds" not in value:
        faults.add(place, value, "must be a table of finds (a target), sensitivity, specificity and cost")
        return None
    numbers = {}
    for name, number in value.items():
        most = 1.0 if name in ("sensitivity", "specificity") else 1e9
        if name not in keys:
            faults.add(f"{place}.{name}", number, "no such key of a screening", nearest_name(str(name), keys))
        elif name != "finds" and (not isinstance(number, int | float) or not 0 <= number <= most):
            faults.add(f"{place}.{name}", number, f"must be a number between 0 and {most:g}")
        elif name != "finds":
            numbers[name] = float(number)
    return Screening(read_target(value["finds"], f"{place}.finds", faults), **numbers)


def check_together(programmes: Iterable[Programme], places: Iterable[str], faults: Faults) -> None:
    """Add a fault for each name that two programmes share, and for exclusive ones that may treat a person at the same time."""
    placed = list(zip(programmes, places, strict=True))
    for k, (one, place) in enumerate(placed):
        for other, _ in placed[:k]:
            if one.name == other.name:
                faults.add(f"{place}.name", one.name, "two programmes have this name")
            both = one.start < (other.end or math.inf) and other.start < (one.end or math.inf)
            ours, theirs = (All((each.eligible, each.target)) for each in (one, other))
            if one.excludes(other) and both and not apart(ours, theirs):
                problem = (
                    f"nobody may have {one.kind} and {other.kind} ('{other.name}') at once: part their dates or targets"
                )
                faults.add(place, one.name, problem)


def with_kinds(
    kinds: Mapping[str, Mapping[str, Any]],
    entries: Mapping[str, object],
    faults: Faults,
    *,
    place: str = "programme_kinds",
) -> dict[str, Mapping[str, Any]]:
    """Kinds with some added or changed; `entries` maps a kind to its fields."""
    made = dict(kinds)
    for kind, entry in entries.items():
        at = f"{place}.{kind}"
        if not isinstance(entry, Mapping):
            faults.add(at, entry, "must be a table of fields")
            continue
        read_fields({name: value for name, value in entry.items() if name not in ABOUT}, at, faults)
        for name in set(entry) & {"name", "kind", "start", "end", "target"}:
            faults.add(f"{at}.{name}", entry[name], "belongs to a programme of a scenario, not to a kind")
        if kind not in made and "acts" not in entry:
            faults.unknown(at, kind, "kind of programme (a new one needs acts)", kinds)
        made[kind] = {**made.get(kind, {}), **entry}
    for kind in entries:
        for other in made.get(kind, {}).get("exclusive_with", ()):
            if other not in made:
                faults.unknown(f"{place}.{kind}.exclusive_with", other, "kind of programme", made)
    return made


@cache
def shipped_kinds() -> Mapping[str, Mapping[str, Any]]:
    """The kinds of `data/programmes.toml`."""
    text = files("fitss_abm.data").joinpath("programmes.toml").read_text(encoding="utf-8")
    faults = Faults("programmes.toml")
    kinds = with_kinds({}, tomllib.loads(text), faults)
    faults.raise_if_any()
    return MappingProxyType(kinds)

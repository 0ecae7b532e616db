"""Targets as a file writes them.

`"all"`, or a table of conditions that must all hold:

    all = [target, ...]   any = [target, ...]   not = target
    sex = "female"        age, adversity, loneliness, felt_support, pain, wpi, sss, poor_sleep, alert_mean,
                          sensitization = { from = 18, to = 65 }, both included, either may be left out
    holds = "fibromyalgia_diagnosed"   ever = ["ptsd", "fibromyalgia"]: any of them
    random = 0.2, or { share = 0.2, draw = "trial" }: conditions of one draw share their luck
    isolated, hubs, bridges = 0.1: that share of all people who are most so
    ties_of, partners_of = target
    groups = { kind = "work", share = 0.1, of = target, draw = "trial" }: whole groups
    persons = [numbers]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.conditions import Catalogue
from fitss_abm.model.positions import GROUPS
from fitss_abm.model.positions import MEASURES as POSITIONS
from fitss_abm.model.targeting import (
    All,
    AnyOf,
    Everyone,
    Groups,
    Holds,
    Not,
    Persons,
    Position,
    Random,
    Sex,
    Target,
    TiesOf,
    Within,
)
from fitss_abm.model.view import MEASURES

Reader = Callable[[str, Any, Faults], Target]


def read_target(value: object, place: str, faults: Faults) -> Target:
    """The target that `value` describes; whatever is wrong with it is added to `faults` under `place`."""
    if isinstance(value, Target):
        return value
    if value == "all":
        return Everyone()
    if not isinstance(value, Mapping) or not value:
        faults.add(place, value, "must be 'all' or a table of conditions such as { sex = 'female' }")
        return Everyone()
    found = []
    for name, told in value.items():
        if name in MEASURES:
            found.append(_within(name, told, f"{place}.{name}", faults))
        elif name in POSITIONS:
            found.append(Position(name, _share(told, f"{place}.{name}", faults)))
        elif name in _READERS:
            found.append(_READERS[name](f"{place}.{name}", told, faults))
        else:
            known = (*MEASURES, *POSITIONS, *_READERS)
            faults.add(f"{place}.{name}", told, "no such target", nearest_name(str(name), known))
    return found[0] if len(found) == 1 else All(tuple(found))


def check_conditions(target: Target, catalogue: Catalogue, place: str, faults: Faults) -> None:
    """Add a fault for each condition that the target names and the catalogue does not have."""
    for part in target.parts():
        for id in part.conditions if isinstance(part, Holds) else ():
            if id not in catalogue.bit:
                faults.unknown(place, id, "condition", catalogue.ids)


def apart(one: Target, other: Target) -> bool:
    """Whether it is plain that nobody can be in both: of opposite sexes, of ages that do not meet, one not the other.

    False means that they may share people, not that they do.
    """
    if other == Not(one) or one == Not(other):
        return True
    if isinstance(one, All) or isinstance(other, All):
        return any(apart(a, b) for a in _conjuncts(one) for b in _conjuncts(other))
    if isinstance(one, Sex) and isinstance(other, Sex):
        return one.sex != other.sex
    if isinstance(one, Within) and isinstance(other, Within) and one.what == other.what:
        return one.high < other.low or other.high < one.low
    if isinstance(one, Persons) and isinstance(other, Persons):
        return not set(one.persons) & set(other.persons)
    return False


def _conjuncts(target: Target) -> Iterable[Target]:
    return (inner for part in target.of for inner in _conjuncts(part)) if isinstance(target, All) else (target,)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _share(value: object, place: str, faults: Faults) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    faults.add(place, value, "must be a share between 0 and 1")
    return 0.0


def _within(what: str, value: object, place: str, faults: Faults) -> Target:
    unit, least, most = MEASURES[what]
    given = dict(zip(("from", "to"), value, strict=False)) if isinstance(value, list | tuple) else value
    if not isinstance(given, Mapping) or not given:
        faults.add(place, value, f"must be a table such as {{ from = {least:g}, to = {most:g} }} ({unit})")
        return Everyone()
    ends = {"from": -math.inf, "to": math.inf}
    for name, end in given.items():
        if name not in ends:
            faults.add(f"{place}.{name}", end, "no such key of a range", nearest_name(str(name), ends))
        elif not _number(end) or not least <= end <= most:
            faults.add(f"{place}.{name}", end, f"must lie between {least:g} and {most:g} {unit}")
        else:
            ends[name] = float(end)
    if ends["from"] > ends["to"]:
        faults.add(place, value, "ends before it begins")
    return Within(what, ends["from"], ends["to"])


def _several(kind: Callable[[tuple[Target, ...]], Target]) -> Reader:
    def read(place: str, value: Any, faults: Faults) -> Target:
        if not isinstance(value, list | tuple) or not value:
            faults.add(place, value, "must be a list of targets")
            return Everyone()
        return kind(tuple(read_target(each, f"{place}[{k}]", faults) for k, each in enumerate(value)))

    return read


def _sex(place: str, value: Any, faults: Faults) -> Target:
    if value in ("female", "male"):
        return Sex(value)
    faults.add(place, value, "must be 'female' or 'male'")
    return Everyone()


def _holds(*, ever: bool) -> Reader:
    def read(place: str, value: Any, faults: Faults) -> Target:
        ids = [value] if isinstance(value, str) else value
        if not isinstance(ids, list | tuple) or not ids or not all(isinstance(id, str) for id in ids):
            faults.add(place, value, "must be a condition or a list of conditions")
            return Everyone()
        return Holds(tuple(ids), ever=ever)

    return read


def _table(place: str, value: Any, keys: tuple[str, ...], faults: Faults) -> dict[str, Any]:
    """A table of some of these keys, with a share and a name of luck checked."""
    given = dict(value)
    for name in set(given) - set(keys):
        faults.add(f"{place}.{name}", given[name], "no such key here", nearest_name(str(name), keys))
    given["share"] = _share(given.get("share", 1.0), f"{place}.share", faults)
    if not isinstance(given.get("draw", ""), str):
        faults.add(f"{place}.draw", given["draw"], "must be a name")
    return given


def _random(place: str, value: Any, faults: Faults) -> Target:
    if not isinstance(value, Mapping):
        return Random(_share(value, place, faults))
    given = _table(place, value, ("share", "draw"), faults)
    return Random(given["share"], given.get("draw"))


def _groups(place: str, value: Any, faults: Faults) -> Target:
    if not isinstance(value, Mapping):
        faults.add(place, value, "must be a table such as { kind = 'work', share = 0.1 }")
        return Everyone()
    given = _table(place, value, ("kind", "share", "of", "draw"), faults)
    if given.get("kind") not in GROUPS:
        faults.unknown(f"{place}.kind", given.get("kind"), "kind of group", GROUPS)
    of = read_target(given["of"], f"{place}.of", faults) if "of" in given else None
    return Groups(str(given.get("kind")), given["share"], of, given.get("draw"))


def _persons(place: str, value: Any, faults: Faults) -> Target:
    if not isinstance(value, list | tuple) or not all(_number(each) and int(each) == each >= 0 for each in value):
        faults.add(place, value, "must be a list of people's numbers")
        return Everyone()
    return Persons(tuple(int(each) for each in value))


_READERS: Mapping[str, Reader] = {
    "all": _several(All),
    "any": _several(AnyOf),
    "not": lambda place, value, faults: Not(read_target(value, place, faults)),
    "sex": _sex,
    "holds": _holds(ever=False),
    "ever": _holds(ever=True),
    "random": _random,
    "ties_of": lambda place, value, faults: TiesOf(read_target(value, place, faults)),
    "partners_of": lambda place, value, faults: TiesOf(read_target(value, place, faults), partners=True),
    "groups": _groups,
    "persons": _persons,
}

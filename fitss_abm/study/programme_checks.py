"""The programmes of a scenario: kinds from the package and the user's own, dates turned into days, every fault at once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults, InputError

if TYPE_CHECKING:
    from fitss_abm.model.conditions import Catalogue
    from fitss_abm.model.programmes import Programme

Kinds = Mapping[str, Mapping[str, Any]]


def kinds_of(values: Mapping[str, Any], faults: Faults) -> Kinds:
    """The kinds of programme that a scenario knows: those of the package, of its `programmes_file`, of its own table."""
    from fitss_abm.model.programme_tables import shipped_kinds, with_kinds
    from fitss_abm.study.scenario_checks import read_toml

    kinds: Kinds = shipped_kinds()
    path, own = values.get("programmes_file"), values.get("programme_kinds")
    if isinstance(path, str) and Path(path).is_file():
        try:
            entries = read_toml(Path(path), "programmes")
        except InputError as error:
            faults.found += error.faults
        else:
            before, faults.file = faults.file, path
            kinds = with_kinds(kinds, entries, faults, place="programmes")
            faults.file = before
    if isinstance(own, Mapping):
        kinds = with_kinds(kinds, own, faults)
    return kinds


def programmes_of(values: Mapping[str, Any], catalogue: Catalogue, faults: Faults) -> list[Programme]:
    """The programmes of a scenario's values; whatever is wrong with them, with their kinds or among them is added."""
    if not any(values.get(name) for name in ("programmes", "programmes_file", "programme_kinds")):
        return []
    from fitss_abm.model.programme_tables import check_together, read_programme
    from fitss_abm.model.target_tables import check_conditions

    kinds = kinds_of(values, faults)
    tables = values.get("programmes")
    made, places = [], []
    for number, table in enumerate(tables if isinstance(tables, list | tuple) else ()):
        if not isinstance(table, Mapping):
            continue  # told as a fault of its type
        place = f"programmes[{number}]"
        dated = _in_days(table, values, place, faults)
        programme = read_programme(dated, kinds, place, faults)
        for target in programme.targets:
            check_conditions(target, catalogue, place, faults)
        made.append(programme)
        places.append(place)
    check_together(made, places, faults)
    return made


def _in_days(table: Mapping[str, Any], values: Mapping[str, Any], place: str, faults: Faults) -> dict[str, Any]:
    """The table with the dates of `start` and `end` as days from the start of the run."""
    start, years = values.get("start", datetime.date(2025, 1, 1)), values.get("years", 10.0)
    dated = dict(table)
    if not isinstance(start, datetime.date) or not isinstance(years, int | float) or not 0 < years < 10_000:
        return {name: value for name, value in dated.items() if name not in ("start", "end")}  # that is told elsewhere
    for name in ("start", "end"):
        date = dated.pop(name, None)
        if date is None:
            continue
        if not isinstance(date, datetime.date) or isinstance(date, datetime.datetime):
            faults.add(f"{place}.{name}", date, "must be a date such as 2030-01-01")
        elif name == "start" and not 0 <= (date - start).days < years * 365.25:
            faults.add(f"{place}.start", date, f"must be within the run of {years:g} years from {start}")
        else:
            dated[name] = (date - start).days
    begins = dated.get("start", 0)
    if "end" in dated and dated["end"] <= begins:
        faults.add(f"{place}.end", table["end"], f"must be after the start, {start + datetime.timedelta(days=begins)}")
        del dated["end"]
    return dated

"""What can be wrong with the dated changes of a scenario."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from fitss_abm.errors import Faults, nearest_name

_KEYS = ("date", "parameters", "times")
_LAST_YEAR = 9700  # so that the calendar does not end within the longest run


def check_changes(values: Mapping[str, Any], faults: Faults) -> None:
    """Each change has a date within the run, later than that of the change before, and parameters or factors of them."""
    from fitss_abm.model.parameters import check

    start, years = values.get("start", datetime.date(2025, 1, 1)), values.get("years", 10)
    known = isinstance(start, datetime.date) and isinstance(years, int | float) and 0 < years < _LAST_YEAR
    if known and start.year > _LAST_YEAR:
        faults.add("start", start, f"must be before the year {_LAST_YEAR}")
        return
    before = start
    changes = values.get("changes")
    for number, change in enumerate(changes if isinstance(changes, list | tuple) else ()):
        place = f"changes[{number}]"
        if not isinstance(change, Mapping):
            continue
        for name, value in change.items():
            if name not in _KEYS:
                faults.add(f"{place}.{name}", value, "no such key of a change", nearest_name(str(name), _KEYS))
        date = change.get("date")
        if not isinstance(date, datetime.date) or isinstance(date, datetime.datetime):
            faults.add(f"{place}.date", date, "must be a date such as 2030-01-01")
        elif known:
            end = start + datetime.timedelta(days=years * 365.25)
            if not start <= date < end:
                faults.add(f"{place}.date", date, f"must be within the run, from {start} to before {end}")
            elif date < before or (number > 0 and date == before):
                faults.add(f"{place}.date", date, f"must be after {before}, the date of the change before")
            before = date
        given = [name for name in ("parameters", "times") if name in change] or ["parameters"]
        for name in given:
            if not isinstance(change.get(name), Mapping) or not change[name]:
                faults.add(f"{place}.{name}", change.get(name), "must be a table of parameters")
        if isinstance(change.get("parameters"), Mapping):
            check(change["parameters"], faults, prefix=f"{place}.parameters")
        _check_times(values.get("parameters"), change.get("times"), f"{place}.times", faults)


def _check_times(given: object, times: object, place: str, faults: Faults) -> None:
    """Each factor is a number, and what it makes of the scenario's own or the shipped value is within bounds."""
    from fitss_abm.model.parameters import check, declared

    made, own = {}, given if isinstance(given, Mapping) else {}
    for name, factor in times.items() if isinstance(times, Mapping) else ():
        usual = own.get(name, declared()[name].value) if name in declared() else 1.0
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (factor, usual))
        made[name] = usual * factor if numbers else factor
    check(made, faults, prefix=place)

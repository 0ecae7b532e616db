"""When a cohort is seen: times after the start such as 0, 6m, 1y, 90d, or dates, as days of the run."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fitss_abm.errors import Faults

_TIME = re.compile(r"(?P<number>\d{1,6})\s*(?P<unit>[dwmy]?)", re.IGNORECASE)
_WORDS = "must be a time after the start such as 0, 90d, 12w, 6m, 1y, or a date such as 2026-01-01"
MOST_VISITS = 100


@dataclass(frozen=True)
class Visit:
    """One visit: its number from 0, its date, and the day of the run (days since the start)."""

    number: int
    date: datetime.date
    day: int


def visits_of(values: Sequence[Any], start: datetime.date, faults: Faults, *, field: str = "visits") -> list[Visit]:
    """The visits in order; what is no time, lies before the start, or comes twice is added to `faults`."""
    dates: list[datetime.date] = []
    for value in values:
        date = _date_of(value, start)
        if isinstance(date, str):
            faults.add(field, value, date)
        elif date < start:
            faults.add(field, value, f"lies before the start, {start}")
        elif dates and date == dates[-1]:
            faults.add(field, value, f"is the date of another visit, {date}")
        elif dates and date < dates[-1]:
            faults.add(field, value, f"comes before the visit of {dates[-1]}; visits are given in order")
        else:
            dates.append(date)
    if not values:
        faults.add(field, (), "there must be at least one")
    if len(values) > MOST_VISITS:
        faults.add(field, len(values), f"must be {MOST_VISITS} or fewer")
    return [Visit(number, date, (date - start).days) for number, date in enumerate(dates)]


def _date_of(value: Any, start: datetime.date) -> datetime.date | str:
    """The date that a value says, or what is wrong with it."""
    if isinstance(value, datetime.date):
        return value
    text = str(value).strip()
    match = _TIME.fullmatch(text)
    if isinstance(value, bool) or match is None:
        try:
            return datetime.date.fromisoformat(text)
        except ValueError as error:
            looks = re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", text)
            return f"is no date ({error})" if looks else _WORDS
    number, unit = int(match["number"]), match["unit"].lower()
    if not unit and number:
        return f"needs a unit: {number}d, {number}w, {number}m or {number}y"
    try:
        if unit in ("", "d", "w"):
            return start + datetime.timedelta(days=number * (7 if unit == "w" else 1))
        return _months_later(start, number * (12 if unit == "y" else 1))
    except (OverflowError, ValueError):
        return "lies beyond the year 9999"


def _months_later(start: datetime.date, months: int) -> datetime.date:
    """So many months later; the last day of a shorter month, and 1 March for 29 February of a common year (as `years`)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    month += 1
    if (start.month, start.day) == (2, 29) and month == 2 and not calendar.isleap(year):
        return datetime.date(year, 3, 1)
    return datetime.date(year, month, min(start.day, calendar.monthrange(year, month)[1]))

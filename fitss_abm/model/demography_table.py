"""Reading a table of people and death rates that a user wrote, and telling every fault in it at once."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import numpy as np

from fitss_abm.errors import Faults, nearest_name

SEXES = ("female", "male")
COLUMNS = ("sex", "age_from", "age_to", "population", "death_rate_per_person_year")
OLDEST = 150
"""No age in a table may be above this, in years."""
MOST_PEOPLE = 1e12
SHARE_TOLERANCE = 0.005
"""By how much shares that a user rounded may miss 1."""
HIGHEST_RATE = 10.0
"""Deaths per person-year. A higher rate (a mean survival below five weeks) is a table in deaths per 1000."""

_LABEL = re.compile(r"([0-9]{1,3})\s*(?:\+|[-\u2013]\s*([0-9]{1,3}))")


@dataclass(frozen=True)
class Row:
    """One line of the table. A field is None where it could not be read; `age_to` is infinite in an open band."""

    line: int
    sex: str | None
    age_from: float | None
    age_to: float | None
    people: float | None
    death_rate: float | None


def read_rows(path: Path, faults: Faults) -> tuple[list[Row], str]:
    """The rows of the CSV at `path` and its location (the file's stem where it names none); faults go to `faults`."""
    rows: list[Row] = []
    location = ""
    for line, cell in read_cells(path, COLUMNS, faults).items():
        here = cell.get("location", "")
        if location and here and here != location:
            problem = f"a table is of one location, and this one began with '{location}'"
            faults.add(f"line {line}, location", here, problem)
        location = location or here
        rows.append(_row(line, cell, faults))
    return rows, location or path.stem


def read_cells(path: Path, columns: Sequence[str], faults: Faults) -> dict[int, dict[str, str]]:
    """The text of a CSV's rows by column, by the number of the row's first line; faults go to `faults`.

    Text is stripped, column names are in lower case, blank lines are passed over, and of
    columns with one name the first counts. `columns` must all be there.
    """
    records = _records(path, faults)
    if not records:
        return {}
    first, names = records[0]
    header = [name.strip().lower() for name in names]
    absent = [name for name in columns if name not in header]
    for name in absent:
        near = nearest_name(name, [other for other in header if other and other not in columns])
        faults.add(f"line {first}", name, "this column is missing" + (f" (there is '{near}')" if near else ""))
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        faults.add(f"line {first}", name, "this column comes more than once")
    if len(records) == 1:
        faults.add("file", str(path), "holds no rows, only a header")
    rows = {}
    for line, cells in records[1:]:
        if len(cells) != len(header):
            faults.add(f"line {line}", ",".join(cells), f"has {len(cells)} cells where the header has {len(header)}")
            continue
        rows[line] = {name: text.strip() for name, text in reversed(list(zip(header, cells, strict=True)))}
    return rows


def check_bands(rows: Sequence[Row], faults: Faults) -> None:
    """Bands must follow one another without overlap or gap to an open end, and be the same in both sexes."""
    own: dict[str, list[tuple[float, float, int]]] = {sex: [] for sex in SEXES}
    for row in rows:
        if row.sex is None or row.age_from is None or row.age_to is None:
            return  # a gap that is only an unread line would mislead
        own[row.sex].append((row.age_from, row.age_to, row.line))
    for sex, bands in own.items():
        if not bands:
            faults.add("sex", sex, "has no rows; give rows with a population of 0 if there are none")
            continue
        bands.sort()
        reached, reached_by = bands[0][0] - 1, bands[0][2]
        for low, high, line in bands:
            if low <= reached:
                faults.add(f"line {line}, age_from", int(low), f"overlaps the {sex} band of line {reached_by}")
            elif low > reached + 1:
                gap = band_label(reached + 1, low - 1)
                faults.add(f"line {line}, age_from", int(low), f"no {sex} band holds the ages {gap} before it")
            if high > reached:
                reached, reached_by = high, line
        if math.isfinite(reached):
            problem = f"the last {sex} band must be open: leave its age_to empty"
            faults.add(f"line {reached_by}, age_to", int(reached), problem)
    if all(own.values()):
        for sex, other in (SEXES, SEXES[::-1]):
            for low, high in sorted({band[:2] for band in own[sex]} - {band[:2] for band in own[other]}):
                faults.add("sex", other, f"has no band {band_label(low, high)}, which {sex} has")


def read_age_shares(age_shares: Mapping[str, object], faults: Faults) -> list[tuple[float, float, float]]:
    """(low, high, share) of each band, by age; `high` (years) is excluded, and infinite in an open band.

    A label is "18-29" (both ages included) or "65+".
    """
    bands: list[tuple[float, float, float]] = []
    shares: list[float] = []
    for label, share in age_shares.items():
        field = f"age_shares['{label}']"
        match = _LABEL.fullmatch(str(label).strip())
        low, high = (float(match[1]), float(match[2]) + 1 if match[2] else math.inf) if match else (0.0, -1.0)
        if match is None:
            faults.add(field, share, "the band must be written like '18-29' or '65+'")
        elif low >= high or low > OLDEST:
            faults.add(field, share, f"the band must rise, and start at {OLDEST} at most")
        if not is_share(share):
            faults.add(field, share, "must be a number from 0 to 1")
            continue
        shares.append(float(share))
        if low < high:
            bands.append((low, high, float(share)))
    total = math.fsum(shares)
    if len(shares) == len(age_shares) and abs(total - 1.0) > SHARE_TOLERANCE:
        faults.add("age_shares", round(total, 6), f"the shares must sum to 1 (within {SHARE_TOLERANCE})")
    bands.sort()
    if len(bands) == len(age_shares):  # a gap that is only an unread label would mislead
        reached = bands[0][0] if bands else 0.0
        for low, high, _ in bands:
            label = band_label(low, high - 1)
            if low < reached:
                faults.add("age_shares", label, "overlaps the bands before it")
            elif low > reached:
                gap = band_label(reached, low - 1)
                faults.add("age_shares", label, f"no band holds the ages {gap} before it; give 0 if nobody is")
            reached = max(reached, high)
    return bands


def is_share(value: object) -> TypeGuard[float]:
    """Whether `value` is a number from 0 to 1 (true and false are no numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating):
        return False
    return bool(0 <= value <= 1)


def band_label(low: float, high: float) -> str:
    """ "18-29", or "65+" when `high` is infinite; both ages in whole years and included."""
    return f"{low:g}-{high:g}" if math.isfinite(high) else f"{low:g}+"


def _records(path: Path, faults: Faults) -> list[tuple[int, list[str]]]:
    """The file's records that are not blank, each with the number of its first line."""
    records: list[tuple[int, list[str]]] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            line = 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    records.append((line, cells))
                line = reader.line_num + 1
    except OSError as error:
        faults.add("file", str(path), f"cannot be read ({error.strerror})")
        return []
    except UnicodeDecodeError as error:
        faults.add("file", str(path), f"is not UTF-8 text (byte {error.start})")
        return []
    except csv.Error as error:
        faults.add(f"line {line}", str(path), f"is not CSV ({error})")
        return []
    if not records:
        faults.add("file", str(path), "is empty")
    return records


def _row(line: int, cell: dict[str, str], faults: Faults) -> Row:
    def number(column: str, highest: float, *, whole: bool = False) -> float | None:
        if column not in cell:
            return None  # told already, of the header
        try:
            value = float(cell[column])
        except ValueError:
            value = math.nan
        if not 0 <= value <= highest or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            faults.add(f"line {line}, {column}", cell[column], f"must be a {kind} from 0 to {highest:g}")
            return None
        return value

    sex: str | None = None
    if "sex" in cell:
        sex = cell["sex"].lower()
        if sex not in SEXES:
            faults.unknown(f"line {line}, sex", cell["sex"], "sex (female or male)", SEXES)
            sex = None
    age_from = number("age_from", OLDEST, whole=True)
    age_to = math.inf if cell.get("age_to") == "" else number("age_to", OLDEST, whole=True)
    if age_from is not None and age_to is not None and age_to < age_from:
        faults.add(f"line {line}, age_to", cell["age_to"], f"is below age_from, {age_from:g}")
        age_to = None
    people = number("population", MOST_PEOPLE)
    return Row(line, sex, age_from, age_to, people, number("death_rate_per_person_year", HIGHEST_RATE))

"""The rows of a user's survey, read and checked: who the records are, what they say, how much each counts."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Fault, Faults, InputError, nearest_name
from fitss_abm.study.records_mapping import SCORES, Mapped, check_mapping, level_names, mapped, usable

if TYPE_CHECKING:
    from fitss_abm.model.conditions import Catalogue

YOUNGEST, OLDEST = 12.0, 120.0
"""Years. Nobody younger is simulated; nobody older is believed."""
_YEAR = 365.25
_TOLD = 5  # rows that a fault names

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Records:
    """A survey as the model can use it. Arrays have shape (records,); NaN says that a value is missing."""

    file: Path
    donors: int | None
    person: NDArray[np.object_] | None
    """The survey's own ids; they enter no output unless a link is asked for."""
    female: Floats
    age: Floats
    """Years."""
    whole_years: bool
    """Whether ages are at the last birthday: then the day within the year is drawn."""
    weight: Floats
    weighted: bool
    scores: Mapping[str, Floats]
    conditions: Mapping[str, Floats]
    """1 held, 0 not, by id of the catalogue."""

    def __len__(self) -> int:
        return int(self.female.size)

    @property
    def effective(self) -> float:
        """Kish's effective number of records, (sum w)^2 / sum w^2 (Kish 1965, Survey Sampling)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum())


def read_records(table: Mapping[str, Any], catalogue: Catalogue, *, start: datetime.date) -> Records:
    """The survey of a table `records`; `start`: the day on which people without a date of survey are taken to be asked.

    Raises InputError with every fault of the mapping and of the file, with the rows in which it stands.
    """
    faults = Faults()
    check_mapping(table, catalogue, faults)
    if faults.found:
        faults.found += file_faults(table, catalogue, start=start)
    faults.raise_if_any()
    return _checked(table, catalogue, start)


def file_faults(table: Mapping[str, Any], catalogue: Catalogue, *, start: datetime.date) -> list[Fault]:
    """Everything that is wrong with the survey itself, as far as the mapping says what its columns are."""
    faults = Faults()
    if isinstance(table.get("file"), str):
        faults.gather(lambda: _checked(usable(table, catalogue), catalogue, start))
    return faults.found


def _checked(table: Mapping[str, Any], catalogue: Catalogue, start: datetime.date) -> Records:
    file = Path(table["file"])
    faults = Faults(str(file))
    try:
        state = file.stat()
    except OSError as error:
        faults.add("records.file", str(file), f"cannot be read ({error.strerror})")
        raise InputError(faults.found) from None
    sexes = tuple((one.id, one.sex) for one in catalogue.conditions)
    return _read(json.dumps(table, sort_keys=True), (state.st_mtime_ns, state.st_size), sexes, start)


@lru_cache(maxsize=2)
def _read(
    text: str, state: tuple[int, int], sexes: tuple[tuple[str, str | None], ...], start: datetime.date
) -> Records:
    """Kept: a scenario is checked before it is run. `text`: the mapping; `state`: tells whether the file is still the same."""
    how = mapped(json.loads(text))
    faults = Faults(str(how.file))
    names = faults.gather(lambda: names_of(how.file)) or []
    if names:
        how = _found(how, names, faults)
    cells, first_row = _cells(how, faults) if how.columns and names else (pd.DataFrame(), 0)
    if cells.empty:
        faults.raise_if_any()
    reader = _Reader(how, cells, first_row, faults)
    found = reader.records(dict(sexes), start)
    faults.raise_if_any()
    return found


def _cells(how: Mapped, faults: Faults) -> tuple[pd.DataFrame, int]:
    """The mapped columns as text without blanks around it, and the row of the file in which the first record stands."""
    wanted, parquet = list(how.columns.values()), _is_parquet(how.file)
    separator = "" if parquet else _separator(how.file)
    try:
        if parquet:
            import pyarrow.parquet as pq

            told = pq.read_table(how.file, columns=wanted)
        else:
            import pyarrow as pa
            import pyarrow.csv as pc

            told = pc.read_csv(  # strict: a line with more or fewer cells than the first is an error
                how.file,
                parse_options=pc.ParseOptions(delimiter=separator, newlines_in_values=True),
                convert_options=pc.ConvertOptions(
                    include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
                ),
            )
    except (OSError, ValueError) as error:  # pyarrow raises kinds of both
        faults.add("records.file", str(how.file), f"cannot be read as a table ({str(error).splitlines()[0]})")
        return pd.DataFrame(), 0
    frame = told.to_pandas(ignore_metadata=True)
    if separator == ";":
        frame = frame.apply(lambda column: column.str.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True))
    if frame.empty:
        faults.add("records.file", str(how.file), "holds no record")
    cells = frame.apply(_text)
    for name, column in how.columns.items():  # 1.0 is what whole numbers become beside gaps
        if name != "person":
            cells[column] = cells[column].str.replace(r"^(-?\d+)\.0+$", r"\1", regex=True)
    return cells, 1 if parquet else 2


def names_of(file: Path) -> list[str]:
    """The names of the columns of a survey. Raises InputError where it cannot be read."""
    faults = Faults(str(file))
    try:
        if _is_parquet(file):
            import pyarrow.parquet as pq

            return list(pq.read_schema(file).names)
        with open(file, encoding="utf-8-sig", newline="") as opened:
            return next(csv.reader([opened.readline().rstrip("\r\n")], delimiter=_separator(file)), [])
    except OSError as error:
        faults.add("records.file", str(file), f"cannot be read ({error.strerror or error})")
    except (ValueError, csv.Error) as error:  # pyarrow raises kinds of ValueError
        faults.add("records.file", str(file), f"cannot be read as a table ({str(error).splitlines()[0]})")
    raise InputError(faults.found)


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() in (".parquet", ".pq")


def _separator(file: Path) -> str:
    """What stands between the columns of a CSV file: comma, semicolon or tab, whichever its first line has most of."""
    with open(file, encoding="utf-8-sig", newline="") as opened:
        return max(",;\t", key=opened.readline().count)


def _found(how: Mapped, names: list[str], faults: Faults) -> Mapped:
    """The mapping to those columns that the survey has."""
    columns = {}
    for name, column in how.columns.items():
        if column not in names:
            problem = f"no such column of the survey ('{name}' is mapped to it)"
            faults.add(column, None, problem, nearest_name(column, names) or nearest_name(name, names))
        elif names.count(column) > 1:
            faults.add(column, None, f"is the name of {names.count(column)} columns of the survey")
        else:
            columns[name] = column
    return dataclasses.replace(how, columns=columns)


def _text(column: pd.Series) -> pd.Series:
    """A column as text; whole numbers without a point, gaps as nothing."""
    if pd.api.types.is_datetime64_any_dtype(column):
        dates: pd.Series = column.dt.strftime("%Y-%m-%d").fillna("")
        return dates
    if pd.api.types.is_float_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        said = [("" if np.isnan(v) else str(int(v)) if v.is_integer() else repr(v)) for v in values.tolist()]
        return pd.Series(said, index=column.index, dtype=object)
    return column.astype(object).where(column.notna(), "").astype(str).str.strip()


class _Reader:
    """Turns cells into numbers and gathers what cannot be turned."""

    def __init__(self, how: Mapped, cells: pd.DataFrame, first_row: int, faults: Faults) -> None:
        self.how, self.cells, self.faults, self.first_row = how, cells, faults, first_row
        self.rows = len(cells)

    def records(self, sexes: Mapping[str, str | None], start: datetime.date) -> Records:
        columns = self.how.columns
        person = self._person() if "person" in columns else None
        unknown = np.full(self.rows, np.nan)  # only while the faults of a mapping are told
        female = self._level("sex") if "sex" in columns else unknown
        age = self._number("age", YOUNGEST, OLDEST) if "age" in columns else unknown
        if "birth_date" in columns and "age" not in columns:
            age = self._age_of_birth(start)
        weight = self._number("weight", 0.0, np.inf) if "weight" in columns else np.ones(self.rows)
        if "weight" in columns:
            self._wrong("weight", np.isnan(weight) & self._missing("weight"), "must be given for every record")
            if np.nansum(weight) <= 0:
                self.faults.add(columns["weight"], None, "must be above 0 in at least one record")
        for name, values in (("sex", female), ("age", age)):
            column = columns.get(name) or (columns.get("birth_date") if name == "age" else None)
            if column and np.isnan(values).all() and not self.faults.found:
                self.faults.add(column, None, f"says nobody's {name}")
        scores = {name: self._number(name, *SCORES[name]) for name in SCORES if name in columns}
        conditions = {name: self._level(name) for name in columns if name in sexes}
        for name, values in conditions.items():
            if sexes[name] is not None:
                other = (values == 1) & (female == (0.0 if sexes[name] == "female" else 1.0))
                self._wrong(
                    name, other, f"is held by {'men' if sexes[name] == 'female' else 'women'}, whom the model excludes"
                )
        known = age[np.isfinite(age)]
        whole = "age" in columns and bool((known == np.floor(known)).all())
        return Records(
            self.how.file, self.how.donors, person, female, age, whole, weight, "weight" in columns, scores, conditions
        )

    def _said(self, name: str) -> pd.Series:
        return self.cells[self.how.columns[name]]

    def _missing(self, name: str) -> NDArray[np.bool_]:
        return self._said(name).str.lower().isin(self.how.missing).to_numpy()

    def _person(self) -> NDArray[np.object_]:
        said = self._said("person")
        self._wrong("person", self._missing("person"), "is missing")
        self._wrong("person", said.duplicated(keep=False).to_numpy() & ~self._missing("person"), "is a duplicate id")
        return said.to_numpy(dtype=object)

    def _level(self, name: str) -> Floats:
        first, second = level_names(name)
        levels = self._said(name).str.lower().map(self.how.levels[name])
        missing = self._missing(name)
        hint = f"no level of {name} (records.levels.{name} = {{ {first} = [...], {second} = [...] }} tells them)"
        self._wrong(name, levels.isna().to_numpy() & ~missing, hint)
        values = levels.map({first: 1.0, second: 0.0}).to_numpy(dtype=float)
        return np.where(missing, np.nan, values)

    def _number(self, name: str, low: float, high: float) -> Floats:
        said, missing = self._said(name), self._missing(name)
        values = pd.to_numeric(said.where(~missing), errors="coerce").to_numpy(dtype=float)
        self._wrong(name, ~missing & ~np.isfinite(values), "is not a number")
        bounds = f"{low:g} or more" if not np.isfinite(high) else f"between {low:g} and {high:g}"
        with np.errstate(invalid="ignore"):
            self._wrong(name, (values < low) | (values > high), f"must be {bounds}")
        return values

    def _age_of_birth(self, start: datetime.date) -> Floats:
        born, asked = self._date("birth_date"), np.full(self.rows, np.datetime64(start, "D"))
        if "survey_date" in self.how.columns:
            given = self._date("survey_date")
            asked = np.where(np.isnat(given), asked, given)
        years = (asked - born).astype("timedelta64[D]").astype(float) / _YEAR
        years[np.isnat(born)] = np.nan
        with np.errstate(invalid="ignore"):
            self._wrong("birth_date", years < 0, "is after the survey")
            self._wrong("birth_date", (years >= 0) & (years < YOUNGEST), f"makes the person younger than {YOUNGEST:g}")
            self._wrong("birth_date", years > OLDEST, f"makes the person older than {OLDEST:g}")
        return years

    def _date(self, name: str) -> NDArray[np.datetime64]:
        said, missing = self._said(name), self._missing(name)
        dates = pd.to_datetime(said.where(~missing), format="%Y-%m-%d", errors="coerce")
        self._wrong(name, dates.isna().to_numpy() & ~missing, "is not a date such as 1970-12-31")
        return dates.to_numpy().astype("datetime64[D]")

    def _wrong(self, name: str, which: NDArray[np.bool_], problem: str) -> None:
        """Add one fault for all records in which something is wrong, naming the first few rows of the file."""
        found = np.flatnonzero(which)
        if found.size == 0:
            return
        rows = ", ".join(str(k + self.first_row) for k in found[:_TOLD]) + (", ..." if found.size > _TOLD else "")
        where = f"in 1 record (row {rows})" if found.size == 1 else f"in {found.size:,} records (rows {rows})"
        self.faults.add(self.how.columns[name], self._said(name).iloc[found[0]], f"{problem}, {where}")

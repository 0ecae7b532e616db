"""How the columns of a survey are mapped to what the model knows of a person: the table `records` of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults, nearest_name

if TYPE_CHECKING:
    from fitss_abm.model.conditions import Catalogue

DONORS = 3
"""Simulated people among whom matches are looked for, for each person of the population, where it is not said: 3, or more when
people are few (`records_start.LEAST_DONORS`). Assumed: see docs/records.md."""
MOST_DONORS = 100
KEYS = ("file", "columns", "levels", "missing", "donors")
PEOPLE = ("person", "sex", "age", "birth_date", "survey_date", "weight")
SCORES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "adversity": (0.0, 10.0),
        "pain": (0.0, 10.0),
        "wpi": (0.0, 19.0),
        "sss": (0.0, 12.0),
        "loneliness": (-1e9, 1e9),
    }
)
"""Numbers that can be mapped, with their bounds. Loneliness may be of any scale: its order among the records is what counts."""
MISSING = ("", "NA", "N/A", "NaN", "null", ".")
LEVELS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sex": {"female": ("female", "f", "woman", "women"), "male": ("male", "m", "man", "men")},
        "condition": {"yes": ("1", "true", "t", "yes", "y"), "no": ("0", "false", "f", "no", "n")},
    }
)
"""What cells say where the mapping does not tell; capitals do not matter."""


@dataclass(frozen=True)
class Mapped:
    """A checked mapping: `columns` from our names to the survey's, `levels` from a name and a cell in small letters to a level."""

    file: Path
    columns: Mapping[str, str]
    levels: Mapping[str, Mapping[str, str]]
    missing: frozenset[str]
    donors: int | None


def level_names(name: str) -> tuple[str, str]:
    """The two levels of a mapped name: the one that counts as 1 first."""
    return ("female", "male") if name == "sex" else ("yes", "no")


def mapped(table: Mapping[str, Any]) -> Mapped:
    """The mapping of a table in which `check_mapping` found no fault."""
    columns = dict(table["columns"])
    given = table.get("levels", {})
    levels = {}
    for name in columns:
        if name not in (*PEOPLE, *SCORES) or name == "sex":
            usual = LEVELS["sex" if name == "sex" else "condition"]
            levels[name] = {
                _small(cell): level for level in level_names(name) for cell in given.get(name, usual).get(level, ())
            }
    missing = frozenset(_small(cell) for cell in (*table.get("missing", MISSING), ""))
    return Mapped(Path(table["file"]), columns, levels, missing, table.get("donors"))


def usable(table: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """The part of a table in which `check_mapping` finds no fault, so that the survey's own faults can be told beside it."""
    columns = table.get("columns")
    valid = (*PEOPLE, *SCORES, *catalogue.ids)
    good: dict[str, str] = {}
    for name, column in columns.items() if isinstance(columns, Mapping) else ():
        if name in valid and isinstance(column, str) and column and column not in good.values():
            good[name] = column
    levels = table.get("levels", {})
    made: dict[str, Any] = {"file": table.get("file"), "columns": good, "levels": {}}
    for name, given in levels.items() if isinstance(levels, Mapping) else ():
        found = Faults()
        _check_levels({name: given}, good, found)
        if found.found:
            good.pop(name, None)  # its cells cannot be read
        else:
            made["levels"][name] = given
    if _cells(table.get("missing", MISSING)):
        made["missing"] = table.get("missing", MISSING)
    return made


def check_mapping(table: Mapping[str, Any], catalogue: Catalogue | None, faults: Faults) -> None:
    """Add everything that is wrong with the table itself; `catalogue`: None while its conditions are unknown."""
    for key in table:
        if key not in KEYS:
            faults.add(f"records.{key}", table[key], "no such key of records", nearest_name(str(key), KEYS))
    file, donors, missing = table.get("file"), table.get("donors", DONORS), table.get("missing", ())
    if not isinstance(file, str) or not file:
        faults.add("records.file", file, "must be the path of a survey (CSV or Parquet)")
    if isinstance(donors, bool) or not isinstance(donors, int) or not 1 <= donors <= MOST_DONORS:
        faults.add("records.donors", donors, f"must be a whole number from 1 to {MOST_DONORS}")
    if not _cells(missing):
        faults.add("records.missing", missing, 'must be a list of cells such as ["", "NA", -9]')
    columns = table.get("columns")
    if not isinstance(columns, Mapping):
        faults.add("records.columns", columns, "must be a table such as { sex = 'gender', age = 'age_years' }")
        return
    valid = (*PEOPLE, *SCORES, *(catalogue.ids if catalogue else ()))
    by_definition = {one.definition: one.id for one in catalogue.conditions} if catalogue else {}
    used: dict[str, str] = {}
    for name, column in columns.items():
        if name not in valid and catalogue is not None:
            nearest = by_definition.get(str(name)) or nearest_name(str(name), valid)
            faults.add(f"records.columns.{name}", column, "no such thing to map a column to", nearest)
        if not isinstance(column, str) or not column:
            faults.add(f"records.columns.{name}", column, "must be the name of a column of the survey")
        elif column in used:
            faults.add(f"records.columns.{name}", column, f"is mapped to {used[column]} too")
        else:
            used[column] = name
    if "sex" not in columns:
        faults.add("records.columns.sex", None, "is missing", _given_as("sex", columns))
    if "age" not in columns and "birth_date" not in columns:
        faults.add("records.columns.age", None, "is missing; give age or birth_date", _given_as("age", columns))
    if "age" in columns and "birth_date" in columns:
        faults.add("records.columns.birth_date", columns["birth_date"], "is given beside age; leave one out")
    if "survey_date" in columns and "birth_date" not in columns:
        faults.add("records.columns.survey_date", columns["survey_date"], "is of use only beside birth_date")
    _check_levels(table.get("levels", {}), columns, faults)


def _check_levels(levels: object, columns: Mapping[str, Any], faults: Faults) -> None:
    if not isinstance(levels, Mapping):
        faults.add("records.levels", levels, "must be a table such as { sex = { female = [2], male = [1] } }")
        return
    for name, given in levels.items():
        place = f"records.levels.{name}"
        if name not in columns:
            faults.unknown(
                place, name, "column that is mapped", [key for key in columns if key == "sex" or key not in PEOPLE]
            )
            continue
        if name in SCORES or (name in PEOPLE and name != "sex"):
            faults.add(place, given, "has no levels: it is a number, a date or an id")
            continue
        valid = level_names(name)
        if not isinstance(given, Mapping) or not given:
            faults.add(place, given, f"must be a table of {valid[0]} and {valid[1]}")
            continue
        seen: dict[str, str] = {}
        for level, cells in given.items():
            if level not in valid:
                faults.add(f"{place}.{level}", cells, f"no such level of {name}", nearest_name(str(level), valid))
            elif not _cells(cells):
                faults.add(f"{place}.{level}", cells, "must be a list of cells")
            else:
                for cell in cells:
                    if seen.setdefault(_small(cell), level) != level:
                        faults.add(f"{place}.{level}", cell, f"is {seen[_small(cell)]} too")


def _cells(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str | int | float) for each in value)


def _small(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return str(cell).strip().lower()


def _given_as(name: str, columns: Mapping[str, Any]) -> str | None:
    """The key under which a required one may have been meant."""
    return nearest_name(name, [str(key) for key in columns if key not in (*PEOPLE, *SCORES)])

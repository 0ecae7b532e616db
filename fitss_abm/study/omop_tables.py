"""The OMOP CDM 5.4 tables that a cohort fills: columns in order, types, which are required, keys (`data/omop_cdm54.csv`).

Source: OHDSI, Common Data Model 5.4 (https://ohdsi.github.io/CommonDataModel/cdm54.html), held against the tables of the package
`omop-cdm` in the tests.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

MOST_INTEGER = 2**31 - 1
"""The largest id that an OMOP `integer` holds."""


@dataclass(frozen=True)
class Column:
    """One column of a table. `references`: (table, column) of its foreign key."""

    name: str
    type: str
    required: bool
    primary: bool
    references: tuple[str, str] | None


@cache
def tables() -> Mapping[str, tuple[Column, ...]]:
    """The tables in an order in which they can be loaded: each after those that it refers to, as far as that is possible.

    `concept` and the tables of its vocabulary, domain and class refer to each other.
    """
    text = files("fitss_abm.data").joinpath("omop_cdm54.csv").read_text(encoding="utf-8")
    found: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        keys = row["key"].split()
        target = next((key for key in keys if key != "primary"), None)
        table, _, column = (target or "").partition(".")
        found.setdefault(row["table"], []).append(
            Column(
                row["column"],
                row["type"],
                row["required"] == "yes",
                "primary" in keys,
                (table, column) if target else None,
            )
        )
    return MappingProxyType({name: tuple(columns) for name, columns in found.items()})


def select(table: str, values: Mapping[str, str], source: str) -> str:
    """SQL that gives every column of a table in order: an expression where `values` has one, else null.

    Raises ValueError for a column that the table lacks, and for a required one that has no value.
    """
    columns = tables()[table]
    unknown = set(values) - {column.name for column in columns}
    missing = [column.name for column in columns if column.required and column.name not in values]
    if unknown or missing:
        raise ValueError(f"{table}: no such columns {sorted(unknown)}; required but not given {missing}")
    chosen = ",\n  ".join(f"{_typed(column, values.get(column.name))} AS {column.name}" for column in columns)
    return f"SELECT\n  {chosen}\n{source}"


def _typed(column: Column, value: str | None) -> str:
    if value is None:
        return f"CAST(NULL AS {duckdb_type(column)})"
    if column.type == "numeric":  # a 32-bit number stays one: as 64 bits 3.1 would be written as 3.0999999046
        return value
    if column.type == "integer":
        return f"CAST({value} AS BIGINT)"
    if column.type.startswith("varchar"):
        return f"CAST({value} AS VARCHAR)[1:{_length(column)}]"
    return f"CAST({value} AS {duckdb_type(column)})"


def _length(column: Column) -> int:
    return int(column.type.removeprefix("varchar(").removesuffix(")"))


def duckdb_type(column: Column, *, wide: bool = False) -> str:
    """The type in DuckDB. `wide`: ids are larger than an `integer` holds. Numbers are DOUBLE: its NUMERIC has three places."""
    if column.type == "integer":
        return "BIGINT" if wide else "INTEGER"
    return {"numeric": "DOUBLE", "text": "VARCHAR"}.get(column.type, column.type.upper())


def nothing(table: str) -> str:
    """SQL that gives the columns of a table and no row."""
    columns = ", ".join(f"CAST(NULL AS {duckdb_type(column)}) AS {column.name}" for column in tables()[table])
    return f"SELECT {columns} WHERE false"


def literal(value: str | float | None) -> str:
    """A value as SQL."""
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def identifier(name: str) -> str:
    """The name of a column as SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'

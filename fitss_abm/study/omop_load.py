"""Loading a cohort's OMOP tables into DuckDB with their keys: the script that is written beside them, and a call that runs it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults
from fitss_abm.study.omop_tables import Column, duckdb_type, tables

LOAD = "load.sql"
# Filled before `concept`, which refers to them; DuckDB adds no key to a table that is there, so these are checked at the end.
_BEFORE_CONCEPT = ("domain", "vocabulary", "concept_class")
_HEAD = """\
-- Makes the OMOP CDM 5.4 tables of this folder in DuckDB, with primary and foreign keys, and fills them; whole or not at all.
-- Run it in this folder:  duckdb cohort.duckdb -c ".read load.sql"
-- Columns that refer to tables not written here (location, provider, ...) are empty and have no key.
BEGIN TRANSACTION;
"""


def load_script(*, suffix: str, wide: Collection[str] = ()) -> str:
    """The SQL that makes and fills all tables. `suffix`: 'csv' or 'parquet'; `wide`: tables whose ids need 64 bits."""
    parts = [_HEAD]
    for name, columns in tables().items():
        lines = [_column(column, wide) for column in columns]
        lines += [f"PRIMARY KEY ({column.name})" for column in columns if column.primary]
        lines += [
            f"FOREIGN KEY ({column.name}) REFERENCES {column.references[0]} ({column.references[1]})"
            for column in columns
            if column.references and _has_key(name, column)
        ]
        parts.append(f"CREATE TABLE {name} (\n  " + ",\n  ".join(lines) + "\n);")
    for name in tables():
        options = "FORMAT csv, HEADER, NULLSTR ''" if suffix == "csv" else "FORMAT parquet"
        parts.append(f"COPY {name} FROM '{name}.{suffix}' ({options});")
    parts += [_checked(name, column) for name in _BEFORE_CONCEPT for column in tables()[name] if column.references]
    return "\n".join([*parts, "COMMIT;", ""])


def _has_key(table: str, column: Column) -> bool:
    """Whether DuckDB can hold the key: the table is written, is there already, and is another one."""
    assert column.references is not None
    return column.references[0] in tables() and column.references[0] != table and table not in _BEFORE_CONCEPT


def _column(column: Column, wide: Collection[str]) -> str:
    of = {column.name.removesuffix("_id")} | ({column.references[0]} if column.references else set())
    type_ = duckdb_type(column, wide=bool(of & set(wide)))
    return f"{column.name} {type_}{' NOT NULL' if column.required else ''}"


def _checked(table: str, column: Column) -> str:
    assert column.references is not None
    target, key = column.references
    return (
        f"SELECT CASE WHEN count(*) > 0 THEN error('{table}.{column.name} refers to no {target}') END AS checked\n"
        f"FROM {table} WHERE {column.name} NOT IN (SELECT {key} FROM {target});"
    )


def load_omop(folder: str | Path, database: str | Path = ":memory:") -> Any:
    """Run `load.sql` of a folder of OMOP tables; the open DuckDB connection. `database`: a file that is made, or in memory.

    Raises InputError where DuckDB is not installed, the folder has no script, or the file exists; duckdb.Error where the tables
    break a key or lack a required value.
    """
    faults = Faults()
    faults.needs("duckdb", extra="cohort")
    script = Path(folder) / LOAD
    if not script.is_file():
        faults.add("folder", str(folder), f"has no {LOAD}")
    if str(database) != ":memory:" and Path(database).exists():
        faults.add("database", str(database), "exists already; choose another")
    faults.raise_if_any()
    import duckdb

    connection = duckdb.connect(str(database))
    try:
        connection.execute("SET file_search_path = ?", [str(Path(folder).absolute())])
        connection.execute(script.read_text(encoding="utf-8"))
    except BaseException:
        connection.close()
        raise
    return connection

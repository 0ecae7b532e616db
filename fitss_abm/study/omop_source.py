"""A cohort's Parquet tables as DuckDB sees them: opened, and refused with every fault at once where they do not fit together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults
from fitss_abm.study.omop_tables import identifier, literal

# Columns that must be there; those that may be null come after the bar.
_NEEDED = {
    "persons": ("person_id", "sex", "birth_year", "group", "recruited", "weight", "ended", "end_reason", "|"),
    "visits": ("person_id", "visit", "date", "status", "|"),
    "conditions": ("person_id", "condition", "started", "seen_as", "|", "ended"),
    "treatments": ("person_id", "programme", "kind", "started", "|", "ended"),
}
_KNOWN = {
    ("persons", "sex"): ("female", "male"),
    ("persons", "end_reason"): ("end of study", "death", "lost"),
    ("visits", "status"): ("seen", "missed", "lost", "dead"),
    ("conditions", "seen_as"): ("clinic", "criteria"),
}
_DATES = {"persons": ("recruited", "ended"), "conditions": ("started", "ended"), "treatments": ("started", "ended")}
_KEYS = {"persons": ("person_id",), "visits": ("person_id", "visit")}
# A world without programmes has no treatments.
_NO_TREATMENTS = (
    "SELECT 0::BIGINT AS person_id, '' AS programme, '' AS kind, DATE '2000-01-01' AS started, NULL::DATE AS ended,"
    " NULL::VARCHAR AS reason WHERE false"
)


def open_tables(connection: Any, folders: Sequence[Path]) -> None:
    """Make tables of a cohort's files: `people` and `seen` (visits seen), in order, and views `conditions` and `treatments`.

    People are numbered from 1 in the order of person_id; all have `number`.
    """
    faults = Faults(file=str(folders[0]) if len(folders) == 1 else None)
    opened = [table for table in _NEEDED if _open(connection, folders, table, faults)]
    for table in opened:
        _check_values(connection, table, faults)
    if "persons" in opened and not faults.found:
        for table in opened:
            _check_fit(connection, table, faults)
    faults.raise_if_any()
    # DuckDB's joins keep no order, its other steps do: whatever is large is joined here, once, and sorted.
    connection.execute(
        "CREATE TABLE people AS SELECT *, row_number() OVER (ORDER BY person_id) AS number FROM persons ORDER BY number"
    )
    connection.execute(
        "CREATE TABLE seen AS SELECT visits.* EXCLUDE (person_id, status), number"
        " FROM visits JOIN people USING (person_id) WHERE visits.status = 'seen' ORDER BY number, visit"
    )


def row(connection: Any, query: str) -> tuple[Any, ...]:
    """The first row that a query gives; empty where it gives none."""
    rows = connection.execute(query).fetchall()  # all of them: a result half read would hold the connection
    return tuple(rows[0]) if rows else ()


def _open(connection: Any, folders: Sequence[Path], table: str, faults: Faults) -> bool:
    import duckdb

    paths = [folder / f"{table}.parquet" for folder in folders]
    missing = [path for path in paths if not path.is_file()]
    if table == "treatments" and len(missing) == len(paths):
        connection.execute(f"CREATE VIEW treatments AS {_NO_TREATMENTS}")
        return False
    for path in missing:
        faults.add("file", str(path), "is not there")
    if missing:
        return False
    quoted = ", ".join(_file(path) for path in paths)
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM read_parquet([{quoted}])").fetchall()
    except duckdb.Error as error:
        faults.add("file", f"{table}.parquet", f"cannot be read ({error})")
        return False
    types = {row[0]: row[1] for row in found}
    lacking = [column for column in _NEEDED[table] if column != "|" and column not in types]
    for column in lacking:
        faults.add(f"{table}.{column}", None, "is not there")
    # Levels come as dictionaries; here they are words.
    chosen = [
        f"{identifier(name)}::VARCHAR AS {identifier(name)}" if type_.startswith("ENUM") else identifier(name)
        for name, type_ in types.items()
    ]
    if table == "treatments":
        chosen.append('"left"::VARCHAR AS reason' if "left" in types else "NULL::VARCHAR AS reason")
    connection.execute(f"CREATE VIEW {table} AS SELECT {', '.join(chosen)} FROM read_parquet([{quoted}])")
    return not lacking


def _file(path: Path) -> str:
    """A path as SQL, in which no character stands for others."""
    return literal(re.sub(r"[*?\[]", r"[\g<0>]", str(path)))


def _check_values(connection: Any, table: str, faults: Faults) -> None:
    """No null where a value is needed, no unknown name, nothing that ends before it begins."""
    needed = _NEEDED[table][: _NEEDED[table].index("|")]
    nulls = ", ".join(f'count(*) FILTER ("{column}" IS NULL)' for column in needed)
    for column, count in zip(needed, row(connection, f"SELECT {nulls} FROM {table}"), strict=True):
        if count:
            faults.add(f"{table}.{column}", None, f"is empty in {count:,} rows")
    for (of, column), known in _KNOWN.items():
        if of == table:
            names = ", ".join(f"'{name}'" for name in known)
            rows = connection.execute(
                f'SELECT DISTINCT "{column}" FROM {table} WHERE "{column}" NOT IN ({names}) ORDER BY 1 LIMIT 10'
            ).fetchall()
            for (value,) in rows:
                faults.unknown(f"{table}.{column}", value, f"{column.replace('_', ' ')} ({', '.join(known)})", known)
    if table in _DATES:
        first, last = _DATES[table]
        (count,) = row(connection, f"SELECT count(*) FROM {table} WHERE {last} < {first}")
        if count:
            faults.add(f"{table}.{last}", None, f"comes before {first} in {count:,} rows")
    if table == "visits":
        (lowest,) = row(connection, "SELECT min(visit) FROM visits")
        if lowest is not None and lowest < 0:
            faults.add("visits.visit", lowest, "must be 0 or more")


def _check_fit(connection: Any, table: str, faults: Faults) -> None:
    """One row a key, and nobody who is not among the persons."""
    if table in _KEYS:
        key = ", ".join(_KEYS[table])
        twice = row(connection, f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1 LIMIT 1")
        if twice:
            faults.add(f"{table}.{key.replace(', ', ' and ')}", ", ".join(map(str, twice)), "is there more than once")
    if table != "persons":
        stranger = row(
            connection,
            f"SELECT person_id FROM {table} WHERE person_id NOT IN (SELECT person_id FROM persons) LIMIT 1",
        )
        if stranger:
            faults.add(f"{table}.person_id", stranger[0], "is nobody in persons")

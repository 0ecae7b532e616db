"""A cohort's tables as an OMOP Common Data Model 5.4 database: one CSV (or Parquet) file a table, and a script that loads them.

DuckDB reads the cohort's Parquet files, joins and writes; what does not fit in the memory it may take goes to disk meanwhile.
docs/omop.md says what is mapped where.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import fresh_folder
from fitss_abm.study.omop_answers import Named, Shape
from fitss_abm.study.omop_concepts import DRUG_KINDS, VOCABULARY, Concepts, standard_id, sure_codes
from fitss_abm.study.omop_load import LOAD, load_script
from fitss_abm.study.omop_rows import queries
from fitss_abm.study.omop_source import open_tables, row
from fitss_abm.study.omop_tables import MOST_INTEGER, literal, nothing, select, tables

_NOT_ASKED = ("number", "visit", "date", "age")
_ABOUT_PEOPLE = {"group": "How the person came into the study", "weight": "Sampling weight"}
_NUMBERS = (
    "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "FLOAT", "DOUBLE",
)  # fmt: skip
# Yes or no from an instrument is a set of criteria reckoned from its answers.
_HOW = {"instrument": "type:criteria", "question": "type:self-report", "study": "type:study"}


@dataclass(frozen=True)
class Asked:
    """What a column of `visits` is: its title, unit and range; `by`: a measured score, a question, or reckoned by the study."""

    title: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    by: Literal["instrument", "question", "study"] = "instrument"


def write_omop(
    folder: str | Path | Sequence[Path],
    out: str | Path,
    *,
    asked: Mapping[str, Asked],
    name: str = "cohort",
    description: str = "",
    labels: Mapping[str, str] | None = None,
    suffix: Literal["csv", "parquet"] = "csv",
    memory: str = "2GB",
    threads: int = 1,
) -> Path:
    """Write the OMOP tables of a cohort into a fresh folder `out`; its path. `load_omop` or its `load.sql` loads them.

    `folder` has persons.parquet, visits.parquet, conditions.parquet and perhaps treatments.parquet; of several folders each has a
    part of the people. `asked`: what columns of visits are; one that is not named is taken for a plain question. `labels`: names
    of conditions and kinds of programme that are not shipped. `memory`: what DuckDB may take, as it says it ('500MB');
    `threads`: each more wants some 300 MB. The same tables give the same files, whatever the number of threads.

    Raises InputError, with nothing written, where DuckDB is not installed, a table or column is missing, a needed value is null,
    a name unknown, or rows do not fit together.
    """
    faults = Faults()
    faults.needs("duckdb", extra="cohort")
    faults.raise_if_any()
    import duckdb

    with fresh_folder(out) as scratch:
        spill = scratch.path / ".spill"
        spill.mkdir()
        with duckdb.connect(":memory:") as connection:
            # Small groups of rows: DuckDB holds a group's rows, twentyfold, while it writes them in order.
            work = literal(str(spill / "work.duckdb"))
            connection.execute(f"ATTACH {work} AS work (ROW_GROUP_SIZE 8192)")
            connection.execute("USE work")
            connection.execute("SET temp_directory = ?", [str(spill)])
            connection.execute("SET memory_limit = ?", [memory])
            connection.execute("SET threads = ?", [threads])
            open_tables(connection, [Path(folder)] if isinstance(folder, str | Path) else folder)
            concepts = Concepts()
            shape = _named(connection, concepts, asked, _labels() | dict(labels or {}))
            rows = concepts.rows() | {"cdm_source": [_source(connection, name, description)]}
            wanted = {table: _of_rows(connection, table, found) for table, found in rows.items()} | queries(shape)
            for table in tables():
                _copy(connection, wanted.get(table, nothing(table)), scratch.path / f"{table}.{suffix}")
        shutil.rmtree(spill, ignore_errors=True)
        wide = [table for table, largest in shape.largest().items() if largest > MOST_INTEGER]
        (scratch.path / LOAD).write_text(load_script(suffix=suffix, wide=wide), encoding="utf-8")
    return scratch.target


def _copy(connection: Any, query: str, path: Path) -> None:
    options = "FORMAT csv, HEADER" if path.suffix == ".csv" else "FORMAT parquet, COMPRESSION zstd"
    connection.execute(f"COPY ({query}) TO {literal(str(path))} ({options})")


def _labels() -> dict[str, str]:
    """What conditions and kinds of programme are called."""
    from fitss_abm.model.conditions import shipped
    from fitss_abm.model.programme_tables import shipped_kinds

    return {one.id: one.label for one in shipped().conditions} | {
        id: kind["label"] for id, kind in shipped_kinds().items()
    }


def _named(connection: Any, concepts: Concepts, asked: Mapping[str, Asked], labels: Mapping[str, str]) -> Shape:
    """Make the small tables of names that the queries join; the cohort's shape."""
    conditions = _distinct(connection, "condition", "conditions")
    _table(connection, "condition_names", [_condition(concepts, id, labels.get(id, id)) for id in conditions])
    kinds = _distinct(connection, "kind", "treatments")
    _table(connection, "kind_names", [_kind(concepts, id, labels.get(id, id)) for id in kinds])

    about: dict[str, Named] = {}
    for name, title in _ABOUT_PEOPLE.items():
        code = f"person:{name}"
        type_ = _types(connection, "people")[name]
        source = concepts.local(code, title, "Observation")
        about[name] = Named(type_, f"{VOCABULARY}:{code}", source, standard_id("type:study"))
    scores: dict[str, Named] = {}
    answers: dict[str, Named] = {}
    for name, type_ in _types(connection, "seen").items():
        if name in _NOT_ASKED:
            continue
        one = asked.get(name, Asked(name.replace("_", " "), by="question"))
        score = one.by == "instrument" and type_ not in ("BOOLEAN", "VARCHAR")
        how = "type:study" if score else _HOW[one.by]
        source = concepts.local(name, one.title, "Measurement" if score else "Observation")
        made = Named(type_, f"{VOCABULARY}:{name}", source, standard_id(how), one.unit or None, one.low, one.high)
        (scores if score else answers)[name] = made
    (visits,) = row(connection, "SELECT coalesce(max(visit), 0) + 1 FROM visits")
    people, treatments = (row(connection, f"SELECT count(*) FROM {table}")[0] for table in ("people", "treatments"))
    return Shape(people, visits, treatments, about, scores, answers)


def _types(connection: Any, table: str) -> dict[str, str]:
    """The columns of a table with their types; dates and other rare things count as words."""
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    return {name: type_ if type_ in _NUMBERS else "VARCHAR" for name, type_, *_ in described}


def _distinct(connection: Any, column: str, table: str) -> list[str]:
    return [row[0] for row in connection.execute(f"SELECT DISTINCT {column} FROM {table} ORDER BY 1").fetchall()]


def _condition(concepts: Concepts, id: str, label: str) -> tuple[str, int, str, int]:
    """A condition's names: the standard concept and a published code where they are sure, else its own."""
    from fitss_abm.model.conditions import shipped

    code = f"condition:{id}"
    sure = sure_codes(shipped()[id].codes) if id in shipped().ids else {}
    published = next((f"{system}:{code}" for system, code in sure.items()), f"{VOCABULARY}:{code}")
    return id, standard_id(code), published, concepts.local(code, label, "Condition")


def _kind(concepts: Concepts, id: str, label: str) -> tuple[str, int, str, int, bool]:
    """The names of a kind of programme, and whether it is a drug."""
    drug, code = id in DRUG_KINDS, f"programme:{id}"
    source = concepts.local(code, label, "Drug" if drug else "Observation")
    return id, standard_id(f"kind:{id}"), f"{VOCABULARY}:{code}", source, drug


_NAMES = {"condition_names": "condition VARCHAR", "kind_names": "kind VARCHAR"}


def _table(connection: Any, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    drug = ", drug BOOLEAN" if name == "kind_names" else ""
    connection.execute(
        f"CREATE TABLE {name} ({_NAMES[name]}, concept BIGINT, source_value VARCHAR, source BIGINT{drug})"
    )
    for values in rows:
        connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' for _ in values)})", values)


def _of_rows(connection: Any, table: str, rows: list[dict[str, object]]) -> str:
    """A query that gives rows as they are, in the table's columns."""
    import pyarrow as pa

    connection.register(f"own_{table}", pa.Table.from_pylist(rows))
    return select(table, {column: f'"{column}"' for column in rows[0]}, f"FROM own_{table}")


def _source(connection: Any, name: str, description: str) -> dict[str, object]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("fitss_abm")
    except PackageNotFoundError:
        installed = "0+uninstalled"
    (last,) = row(connection, "SELECT coalesce(max(ended), DATE '1970-01-01') FROM persons")
    said = f"{description} " if description else ""
    return {
        "cdm_source_name": f"fitss_abm: {name}",
        "cdm_source_abbreviation": "FITSS",
        "cdm_holder": "whoever ran the simulation",
        "source_description": f"{said}Simulated people; no row describes a real person. Dates are dates of the simulation.",
        "source_documentation_reference": "docs/omop.md of fitss_abm",
        "cdm_etl_reference": f"fitss_abm {installed}",
        "source_release_date": last,  # the last day of the study: the same tables give the same files
        "cdm_release_date": last,
        "cdm_version": "v5.4",
        "cdm_version_concept_id": standard_id("cdm version"),
        "vocabulary_version": "own excerpt",
    }

"""A cohort's files: the parts put together as Parquet or CSV, in bounded memory; other formats register here."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import free_bytes
from fitss_abm.study.cohort_columns import Table
from fitss_abm.study.cohort_fields import answers, tables

if TYPE_CHECKING:
    import pyarrow as pa

    from fitss_abm.study.cohort import Cohort

COHORT, SUMMARY, EFFECTS, README = "cohort.toml", "summary.json", "effects.csv", "README.md"
DATA, TRUTH = "data", "truth"
"""Folders within the cohort's: what an analyst gets, and what nobody could know."""
_BATCH = 100_000
_PARQUET_ROW, _CSV_ROW, _FIXED = 45, 300, 2_000_000
"""Bytes a row of visits, at most, as measured with all instruments; and of everything else."""
_OMOP_ROW = 140
"""Bytes of each answer as a row of its own, at most (105 as measured), and of the tables while they are sorted."""
_TRUTH_ROW = 190


@dataclass(frozen=True)
class Format:
    """One format in which a cohort can be written."""

    name: str
    title: str
    write: Callable[[Cohort, Sequence[Path], Path], list[Path]]
    """(cohort, folders of the parts in order, folder to write into) -> files written. Each part's folder has
    `<table>.parquet` of every table of `cohort_fields.tables`; called once, in a folder that is put in place when all is done."""
    check: Callable[[Cohort], None] = lambda cohort: None
    """Raises InputError, before anything is simulated, where this format cannot have such a cohort."""


def formats() -> Mapping[str, Format]:
    """Every format by name."""
    from fitss_abm.study import cohort_omop

    known = [
        Format("csv", "CSV: UTF-8, ISO dates, levels as text, empty where missing", _write_csv),
        Format("parquet", "Parquet with types", write_parquet),
        Format("omop", "OMOP CDM 5.4 as CSV, with a script that loads it", cohort_omop.write, cohort_omop.check),
    ]
    return {one.name: one for one in known}


def of_part(folder: Path, table: Table) -> Path:
    """The file of a table in a part's folder."""
    return folder / f"{table.name}.parquet"


def batches(parts: Sequence[Path], table: Table) -> Iterator[pa.RecordBatch]:
    """The rows of a table in all parts, a batch at a time, in order of parts."""
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(of_part(part, table)) as file:
            yield from file.iter_batches(_BATCH)


def place_of(folder: Path, table: Table, suffix: str) -> Path:
    """Where a table of a finished cohort is."""
    return folder / (TRUTH if table.truth else DATA) / f"{table.file}.{suffix}"


def _each(cohort: Cohort, folder: Path, suffix: str, truth_only: bool = False) -> Iterator[tuple[Table, Path]]:
    for table in tables(cohort, cohort.world().catalogue()).values():
        if truth_only and not table.truth:
            continue
        path = place_of(folder, table, suffix)
        path.parent.mkdir(exist_ok=True)
        yield table, path


def write_parquet(cohort: Cohort, parts: Sequence[Path], folder: Path, *, truth_only: bool = False) -> list[Path]:
    """Write all tables, or those of the truth alone, as Parquet; the files."""
    import pyarrow.parquet as pq

    made = []
    for table, path in _each(cohort, folder, "parquet", truth_only):
        if len(parts) == 1:
            shutil.copyfile(of_part(parts[0], table), path)
        else:
            with pq.ParquetWriter(path, table.schema(), compression="zstd") as writer:
                for part in parts:
                    with pq.ParquetFile(of_part(part, table)) as file:
                        for group in range(file.num_row_groups):
                            writer.write_table(file.read_row_group(group).cast(table.schema()))
        made.append(path)
    return made


def _write_csv(cohort: Cohort, parts: Sequence[Path], folder: Path) -> list[Path]:
    import pyarrow as pa
    from pyarrow import csv

    made = []
    for table, path in _each(cohort, folder, "csv"):
        plain = pa.schema([(one.name, pa.string()) if one.type == "level" else one.arrow() for one in table.fields])
        options = csv.WriteOptions(quoting_style="needed")
        with csv.CSVWriter(path, plain, write_options=options) as writer:
            for batch in batches(parts, table):
                writer.write_table(pa.Table.from_batches([batch]).cast(plain))
        made.append(path)
    return made


def truth_suffix(format: str) -> str:
    """How files of the truth end: OMOP has no place for it, so that it is Parquet there."""
    return "parquet" if format == "omop" else format


def check_format(name: str, cohort: Cohort | None, faults: Faults) -> None:
    """Add a fault for a format that does not exist or cannot have this cohort."""
    known = formats()
    if name not in known:
        faults.unknown("format", name, "format", known)
    elif cohort is not None:
        known[name].check(cohort)


def expected_bytes(cohort: Cohort, format: str) -> int:
    """Disk that the export needs at most, its parts and its files together, foretold from everybody taking part."""
    people = cohort.participants if cohort.participants is not None else cohort.world().people
    rows = people * len(cohort.visits)
    written = {"csv": _CSV_ROW, "omop": _OMOP_ROW * (len(answers(cohort)) + 4)}.get(format, _PARQUET_ROW)
    answered = rows * (_PARQUET_ROW + written)
    true = rows * _TRUTH_ROW * (4 if format == "csv" else 2) if cohort.truth else 0
    return answered + true + _FIXED


def check_room(folder: Path, cohort: Cohort, format: str, faults: Faults) -> None:
    """Add a fault where the files would not fit on the disk of `folder`."""
    wanted, free = expected_bytes(cohort, format), free_bytes(folder)
    if wanted > free:
        said = f"would write about {wanted / 1e9:,.1f} GB where {free / 1e9:,.1f} GB are free ('{folder}')"
        faults.add("people", cohort.world().people, said)

"""One part of a cohort: a population that lives, the study that visits it, and its rows as Parquet files in a kept folder."""

from __future__ import annotations

import datetime
import gc
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, InputError
from fitss_abm.study.cohort import Cohort

if TYPE_CHECKING:
    import pyarrow as pa

    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort_columns import Table

TELL: ContextVar[Callable[[float], None] | None] = ContextVar("cohort_progress", default=None)
"""Is told how much of the part that this process is in is done."""
QUARTER = 91
"""Days between looks, from which years lived with disability are summed."""
_ROWS = 250_000
"""Rows of a row group."""
_HISTORY = 0.5
"""Share of a part's work that the pre-history is, about: 5.6 of 8 or so years."""


def run(*, cohort: str, part: int, folder: str, reads: str = "") -> dict[str, Any]:
    """What a worker does: live through a part and write `<folder>/part-<n>/*.parquet`. `reads`: hash of the file of persons, on
    which a kept part hangs too.

    Returns rows and hash by table, and the sums that the summary needs; or, under `faults`, why it cannot be done.
    """
    from fitss_abm.study.cohort_lives import live

    asked = Cohort.from_toml(cohort)
    try:
        with _written(Path(folder) / folder_name(part), asked) as files:
            told = live(asked, part, files, tell=TELL.get() or (lambda done: None))
    except InputError as error:
        return {"faults": [[one.field, plain_value(one.value), one.problem] for one in error.faults]}
    finally:
        gc.collect()  # a part's worlds refer to themselves: without this the next part would find them still in memory
    return told | {"files": files.told()}


def faults_of(result: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a part that could not be done."""
    return [Fault(field, value, problem) for field, value, problem in result.get("faults", ())]


def folder_name(part: int) -> str:
    """Where the rows of a part are, within the kept folder."""
    return f"part-{part}"


def plain_value(value: object) -> object:
    """A fault's value as JSON can hold it."""
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


class Files:
    """The Parquet files of a part, a writer a table."""

    def __init__(self, folder: Path, tables: Mapping[str, Table]) -> None:
        self.folder, self.tables = folder, tables
        self._writers: dict[str, Any] = {}
        self._rows = dict.fromkeys(tables, 0)
        self._told: dict[str, Any] = {}

    def __contains__(self, table: str) -> bool:
        return table in self.tables

    def write(self, table: str, columns: dict[str, Any]) -> None:
        """Add rows."""
        import pyarrow.parquet as pq

        made: pa.Table = self.tables[table].made(columns)
        if table not in self._writers:
            self._writers[table] = pq.ParquetWriter(self.folder / f"{table}.parquet", made.schema, compression="zstd")
        self._writers[table].write_table(made, row_group_size=_ROWS)
        self._rows[table] += made.num_rows

    def close(self) -> None:
        """End all files; a table without rows has one too."""
        import pyarrow.parquet as pq

        for name, table in self.tables.items():
            if name in self._writers:
                self._writers[name].close()
            else:
                pq.write_table(table.schema().empty_table(), self.folder / f"{name}.parquet")
            self._told[name] = {"rows": self._rows[name], "sha256": sha256_of(self.folder / f"{name}.parquet")}

    def abandon(self) -> None:
        """Let go of files that will be removed."""
        for writer in self._writers.values():
            writer.close()

    def told(self) -> dict[str, Any]:
        """Rows and hash of each file, once closed."""
        return self._told


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _written(folder: Path, cohort: Cohort) -> Iterator[Files]:
    """Files of a part in a hidden folder, put in place of `folder` when the block ends well, else removed."""
    from fitss_abm.study.cohort_fields import tables

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    files = Files(scratch, tables(cohort, cohort.world().catalogue()))
    try:
        try:
            yield files
        except BaseException:
            files.abandon()
            raise
        files.close()
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def date_of(start: datetime.date, days: NDArray[Any]) -> NDArray[np.datetime64]:
    """Days of the run as dates."""
    made: NDArray[np.datetime64] = np.datetime64(start, "D") + np.asarray(days).astype("timedelta64[D]")
    return made


def walk(
    simulation: Simulation, days: list[int], tell: Callable[[float], None], *, diary: range = range(0)
) -> Iterator[int]:
    """Advance to each of these days, looking on the way once in QUARTER days and at the end of each day of the diary; yields
    the day whenever it stops.
    """
    last = days[-1]
    stops = sorted({*days, *range(0, last, QUARTER), *(day + 1 for day in diary)})
    for day in stops:
        simulation.advance(day - simulation.day)
        tell(day / last if last else 1.0)
        yield day


def threads_here() -> int | None:
    """Threads of a part: one in a worker process, beside others; all cores in the process that was begun by the user."""
    import multiprocessing

    return None if multiprocessing.parent_process() is None else 1

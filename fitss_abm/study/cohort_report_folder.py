"""An exported cohort opened again: its tables as views of DuckDB, which reads and joins them in bounded memory."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_columns import Table
from fitss_abm.study.cohort_fields import tables
from fitss_abm.study.cohort_files import COHORT, place_of

SUFFIXES = ("parquet", "csv")
_TYPES = {
    "id": "BIGINT", "int": "SMALLINT", "float": "FLOAT", "bool": "BOOLEAN", "date": "DATE", "level": "VARCHAR",
    "text": "VARCHAR",
}  # fmt: skip
_MEMORY = "1GB"
"""Beyond this DuckDB goes on on disk."""
_BATCH = 100_000


@dataclass(frozen=True, eq=False)
class CohortFolder:
    """A finished cohort on disk, checked: every table that it must have is there."""

    folder: Path
    cohort: Cohort
    suffix: str
    truth: bool
    """Whether the truth is there."""
    survey: dict[str, Any] | None
    """The table `records` of its scenario: the survey that its people began from. None: they were generated."""

    @classmethod
    def read(cls, folder: str | Path) -> CohortFolder:
        """The cohort in a folder. Raises InputError with everything for which it is none that can be reported on."""
        folder = Path(folder).absolute()
        faults = Faults()
        if not (folder / COHORT).is_file():
            problem = "is no folder of a cohort" if folder.is_dir() else "is not there"
            faults.add("folder", str(folder), f"{problem}: `fitss cohort --out FOLDER` makes one, with {COHORT} in it")
            faults.raise_if_any()
        faults.needs("duckdb", "statsmodels", extra="cohort")
        told = faults.gather(lambda: _cohort_of(folder / COHORT))
        faults.raise_if_any()
        assert told is not None
        cohort, survey = told
        known = tables(cohort, cohort.world().catalogue())
        suffix = next((one for one in SUFFIXES if place_of(folder, known["visits"], one).is_file()), None)
        if suffix is None:
            said = "holds no data/visits.parquet or .csv; of a cohort in OMOP, export the same one as parquet and report on that"
            raise InputError([Fault("folder", str(folder), said)])
        truth = place_of(folder, known["truth_visits"], suffix).is_file() if cohort.truth else False
        for table in known.values():
            path = place_of(folder, table, suffix)
            if (truth or not table.truth) and not path.is_file():
                faults.add("file", str(path.relative_to(folder)), f"is missing in '{folder}'")
        faults.raise_if_any()
        return cls(folder, cohort, suffix, truth, survey)

    @property
    def panel(self) -> bool:
        """Whether people are recruited at every visit, so that weights of recruitment do not add up to one population."""
        return self.cohort.design == "panel"

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Its tables, to be asked in SQL while the block lasts."""
        import duckdb

        with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
            connection.execute(f"set memory_limit = '{_MEMORY}'")
            connection.execute(f"set temp_directory = {_quoted(scratch)}")
            connection.execute("set preserve_insertion_order = true")
            for table in tables(self.cohort, self.cohort.world().catalogue()).values():
                if self.truth or not table.truth:
                    connection.execute(f"create view {table.name} as select * from {self._file(table)}")
            yield Opened(connection)

    def _file(self, table: Table) -> str:
        path = _quoted(place_of(self.folder, table, self.suffix).as_posix())
        if self.suffix == "parquet":
            return f"read_parquet({path})"
        types = ", ".join(f"{_quoted(one.name)}: '{_TYPES[one.type]}'" for one in table.fields)
        return f"read_csv({path}, header = true, columns = {{{types}}})"


@dataclass(frozen=True)
class Opened:
    """A cohort's tables in SQL."""

    connection: Any

    def table(self, sql: str) -> pd.DataFrame:
        """A small result as a table."""
        found: pd.DataFrame = self.connection.execute(sql).df()
        return found

    def batches(self, sql: str) -> Iterator[dict[str, NDArray[Any]]]:
        """A large result, of numbers without gaps or floats whose gaps are NaN, as columns of so many rows at a time."""
        result = self.connection.sql(sql)
        read = (
            result.to_arrow_reader if hasattr(result, "to_arrow_reader") else result.fetch_arrow_reader
        )  # of DuckDB 1
        for batch in read(_BATCH):
            yield {name: batch.column(k).to_numpy(zero_copy_only=False) for k, name in enumerate(batch.schema.names)}


def quoted_name(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def stacked(batch: dict[str, NDArray[Any]], prefix: str, names: Sequence[str]) -> NDArray[np.float64]:
    """These columns of a batch as an array of shape (rows, columns)."""
    return np.column_stack([batch[prefix + name] for name in names]).astype(np.float64)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _cohort_of(path: Path) -> tuple[Cohort, dict[str, Any] | None]:
    """The cohort as run, and the survey of its people. Neither the survey nor a file of persons need still be there."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError([Fault("file", path.name, f"cannot be read ({error})", str(path.parent))]) from None
    values.pop("persons_file", None)
    survey = values.get("scenario", {}).pop("records", None)
    if isinstance(values.get("counterfactual"), dict):
        values["counterfactual"].pop("records", None)
    return Cohort(**values), survey or None

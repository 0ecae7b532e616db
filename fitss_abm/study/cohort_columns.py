"""Columns and tables as data: type, unit, levels, bounds, source; and the same as Parquet has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_WITH_GAPS = {"int": "Int16", "bool": "boolean"}
_SYNTHETIC = "the simulation"


@dataclass(frozen=True)
class Field:
    """One column."""

    name: str
    type: str
    """id, int, float, bool, date, level (text of a few kinds) or text."""
    title: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    source: str = _SYNTHETIC
    required: bool = False

    def arrow(self) -> pa.Field:
        """The column's type in Parquet."""
        import pyarrow as pa

        types = {
            "id": pa.int64(), "int": pa.int16(), "float": pa.float32(), "bool": pa.bool_(), "date": pa.date32(),
            "level": pa.dictionary(pa.int8(), pa.string()), "text": pa.string(),
        }  # fmt: skip
        return pa.field(self.name, types[self.type], nullable=not self.required)


@dataclass(frozen=True)
class Table:
    """One table: a row is one of its `key`."""

    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    truth: bool = False
    refers: bool = field(default=True)
    """Whether its person_id is one of `persons`."""

    @property
    def file(self) -> str:
        """Its name within the folder of data or of the truth."""
        return self.name.removeprefix("truth_") if self.truth else self.name

    def schema(self) -> pa.Schema:
        """As Parquet has it."""
        import pyarrow as pa

        # What tells pandas to read a column with gaps as Int16 and boolean, not as floats and objects.
        gaps = [
            {"name": one.name, "field_name": one.name, "pandas_type": one.type, "numpy_type": numpy, "metadata": None}
            for one in self.fields if (numpy := _WITH_GAPS.get(one.type)) and not one.required
        ]  # fmt: skip
        told = {"index_columns": [], "column_indexes": [], "columns": gaps}
        return pa.schema([one.arrow() for one in self.fields], metadata={"pandas": json.dumps(told)})

    def made(self, columns: dict[str, Any]) -> pa.Table:
        """Rows from arrays; the columns must be exactly those of the table."""
        import pyarrow as pa

        if set(columns) != {one.name for one in self.fields}:
            raise ValueError(f"{self.name}: {sorted(set(columns) ^ {one.name for one in self.fields})}")
        return pa.table([_typed(columns[one.name], one.arrow().type) for one in self.fields], schema=self.schema())


def _typed(values: Any, type: pa.DataType) -> pa.Array:
    """A column in its type; what is no number or no date is empty."""
    import pyarrow as pa

    made = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
    return made if made.type == type else made.cast(type, safe=False)


def level_codes(levels: Sequence[str], codes: Any) -> pa.Array:
    """A column of levels from their numbers (-1: none)."""
    import numpy as np
    import pyarrow as pa

    numbers = np.asarray(codes, dtype=np.int8)
    return pa.DictionaryArray.from_arrays(pa.array(numbers, mask=numbers < 0), pa.array(levels, pa.string()))

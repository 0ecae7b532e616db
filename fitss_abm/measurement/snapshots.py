"""Person-level rows: everybody every so many days, and each death, written as they come."""

from __future__ import annotations

import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import prange
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import free_bytes
from fitss_abm.model.arithmetic import count_bits
from fitss_abm.model.caching import compiled
from fitss_abm.model.pain import pain_intensity
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.simulation import Simulation

BYTES_PER_ROW = 55
"""Of the compressed file; measured (49 to 53), rounded up."""
_ROWS_AT_A_TIME = 1_000_000
_DEATHS_PER_YEAR = 0.015
_STATES = ("felt_support", "loneliness", "threat", "soothing", "alert", "sensitization")


def expected_bytes(*, people: int, days: int, every: int) -> int:
    """Size of the file of person-level rows of a run of `days` days, foretold."""
    snapshots = days // every + 1
    deaths = people * _DEATHS_PER_YEAR * days / DAYS_IN_YEAR
    return int((people * snapshots + deaths) * BYTES_PER_ROW)


def check_room(folder: str | Path, *, people: int, days: int, every: int) -> None:
    """Raise InputError when the rows of a run would not fit on the disk of `folder`."""
    wanted, free = expected_bytes(people=people, days=days, every=every), free_bytes(folder)
    faults = Faults()
    if wanted > free:
        problem = f"would write about {wanted / 1e9:,.1f} GB where {free / 1e9:,.1f} GB are free ('{folder}')"
        faults.add("snapshot_every", every, problem)
    faults.raise_if_any()


class Snapshots:
    """Writes person-level rows of a running simulation to one Parquet file; use it in a `with` block.

    Columns: date, person (never reused), sex, age (years), adversity, ties (people who give support), felt_support,
    loneliness, threat, soothing, alert, sensitization, pain (0 to 10), wpi, sss, a boolean for each condition, alive. A
    date means the morning of that day, and of somebody who died the morning after: one row with `alive` false, then
    none.
    """

    def __init__(self, simulation: Simulation, path: str | Path, *, start: datetime.date) -> None:
        self._simulation = simulation
        self._start = start
        self._schema = _schema(simulation.catalogue.ids)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._deaths: list[pa.Table] = []
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._write_deaths()
        self._writer.close()

    def take(self) -> None:
        """Write a row for everybody as they are now."""
        self._write_deaths()
        people = self._simulation.people
        for low in range(0, people, _ROWS_AT_A_TIME):
            slots = np.arange(low, min(people, low + _ROWS_AT_A_TIME), dtype=np.int64)
            self._writer.write_table(self._rows(slots, alive=True))

    def on_death(self, slots: NDArray[np.int64]) -> None:
        """Keep a row for each of the dead; hand this to `Simulation.advance`."""
        self._deaths.append(self._rows(slots, alive=False))
        self._waiting += slots.size
        if self._waiting >= _ROWS_AT_A_TIME:
            self._write_deaths()

    def _write_deaths(self) -> None:
        if self._deaths:
            self._writer.write_table(pa.concat_tables(self._deaths))
        self._deaths, self._waiting = [], 0

    def _rows(self, slots: NDArray[np.int64], *, alive: bool) -> pa.Table:
        simulation = self._simulation
        who = simulation.population
        pain, wpi, ties = (
            np.empty(slots.size, np.float32),
            np.empty(slots.size, np.uint8),
            np.empty(slots.size, np.uint16),
        )
        network = simulation.network
        _computed(
            slots,
            who["body_map"],
            who["sensitization"],
            who["variation"],
            who["central_gain"],
            who["reported_relief"],
            np.float32(simulation.parameters["pain_gain"]),
            network.start,
            network.weight,
            pain,
            wpi,
            ties,
        )
        date = self._start + datetime.timedelta(days=simulation.day)
        sex = pa.DictionaryArray.from_arrays(pa.array(who["female"][slots].astype(np.int8)), ["male", "female"])
        columns: dict[str, Any] = {
            "date": np.full(slots.size, date, dtype="datetime64[ms]"),
            "person": who.person(slots),
            "sex": sex,
            "age": ((simulation.day - who["birth_day"][slots]) / DAYS_IN_YEAR).astype(np.float32),
            "adversity": who["adversity"][slots],
            "ties": ties,
        }
        columns |= {name: who[name][slots] for name in _STATES}
        columns |= {"pain": pain, "wpi": wpi, "sss": who["somatic_severity"][slots]}
        held = who["conditions"][slots]
        columns |= {
            id: (held >> np.uint32(bit) & np.uint32(1)).astype(bool) for id, bit in simulation.catalogue.bit.items()
        }
        columns["alive"] = np.full(slots.size, alive)
        return pa.table(columns, schema=self._schema)


def _schema(conditions: tuple[str, ...]) -> pa.Schema:
    types = {
        "date": pa.timestamp("ms"),
        "person": pa.int64(),
        "sex": pa.dictionary(pa.int8(), pa.string()),
        "age": pa.float32(),
    }
    types |= {"adversity": pa.uint8(), "ties": pa.uint16()} | dict.fromkeys((*_STATES, "pain"), pa.float32())
    types |= {"wpi": pa.uint8(), "sss": pa.uint8()} | dict.fromkeys((*conditions, "alive"), pa.bool_())
    return pa.schema(list(types.items()))


@compiled(parallel=True)
def _computed(  # type: ignore[no-untyped-def]
    slots, body_map, sensitization, variation, central_gain, relief, pain_gain, start, weight, pain, wpi, ties
):
    for k in prange(slots.shape[0]):
        i = slots[k]
        pain[k] = pain_intensity(body_map[i], sensitization[i], variation[i], central_gain[i], pain_gain, relief[i])
        wpi[k] = count_bits(body_map[i])
        held = 0
        for tie in range(start[i], start[i + 1]):
            held += 1 if weight[tie] > 0 else 0
        ties[k] = held

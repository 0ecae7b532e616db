"""People as columns of arrays: who there is on the first day, and views by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from fitss_abm.model.arithmetic import F
from fitss_abm.model.caching import compiled
from fitss_abm.model.columns import COLUMNS, Column, column_shape
from fitss_abm.model.demography import Demography
from fitss_abm.model.randomness import Decision, draw

DAYS_IN_YEAR = 365.25
ENTRY_AGE = 12.0
_DEMOGRAPHY = np.uint32(Decision.DEMOGRAPHY)
_PER_WORD = 2.0**-32


class Population(Mapping[str, NDArray[Any]]):
    """The people of a simulation: `population["threat"]` is the array of everybody's threat, shape (people,).

    Slots hold people; who lives in a slot is (founder = slot, generation). `person` numbers them for tables.
    """

    def __init__(self, *, people: int, hazards: int, columns: Iterable[Column] = COLUMNS) -> None:
        self.people = people
        self.declared = {column.name: column for column in columns}
        self._arrays = {
            name: np.full(column_shape(column, people, hazards), column.newborn, dtype=column.dtype)
            for name, column in self.declared.items()
        }

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    @property
    def bytes_per_person(self) -> float:
        """Memory of the columns, bytes a person."""
        return sum(array.nbytes for array in self._arrays.values()) / max(self.people, 1)

    def person(self, slots: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.int64]:
        """Ids of the people who live in `slots` now: founder x 65536 + generation, never reused."""
        founders = np.arange(self.people, dtype=np.int64)[slots]
        ids: NDArray[np.int64] = founders * 65536 + self["generation"][slots]
        return ids


@compiled(parallel=True)
def _draw_people(female, birth_day, cumulative, low, high, k0, k1):  # type: ignore[no-untyped-def]
    bands = low.shape[0]
    for i in prange(female.shape[0]):
        a, b, _c, _d = draw(np.uint32(i), np.uint32(0), np.uint32(0), _DEMOGRAPHY, k0, k1)
        cell = np.searchsorted(cumulative, np.float64(a) * _PER_WORD, side="right")
        female[i] = 1 if cell < bands else 0
        band = cell % bands
        age = low[band] + (high[band] - low[band]) * (np.float64(b) * _PER_WORD)
        birth_day[i] = -np.int32(age * DAYS_IN_YEAR)


def populate(population: Population, demography: Demography, key: tuple[np.uint32, np.uint32]) -> None:
    """Give everybody sex and date of birth by keyed draws from the age-sex structure of people aged 12 or more.

    Draws are independent, so one more person leaves all others as they are. `key`: two words of the population stream.
    """
    low, high = demography.age_bounds(ENTRY_AGE)
    _draw_people(population["female"], population["birth_day"], demography.cumulative(ENTRY_AGE), low, high, *key)
    population["age"][:] = (-population["birth_day"] / DAYS_IN_YEAR).astype(F)


@dataclass(frozen=True, eq=False)
class Founders:
    """Who there is on the first day, where that is known instead of drawn: arrays of shape (people,)."""

    female: NDArray[np.uint8]
    """1 female, 0 male."""
    birth_day: NDArray[np.int32]
    """Days from the start of the run; nobody is younger than 12 years."""

    def settle(self, population: Population) -> None:
        """Give everybody this sex and date of birth."""
        population["female"][:], population["birth_day"][:] = self.female, self.birth_day
        population["age"][:] = (-population["birth_day"] / DAYS_IN_YEAR).astype(F)

"""Those who take part in a cohort, as arrays over people; what the study knows of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study.cohort_fields import TRAITS

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort_recruit import Recruited

NEVER = -1
YEAR = 365.25
_NEWCOMER_DAYS = 4383  # whoever takes a place over is 12 years old that day (model/driver.py)


class People:
    """Those who took part so far; arrays that grow with each recruitment."""

    def __init__(self) -> None:
        nobody = np.zeros(0, np.int64)
        self.person, self.slot, self.group, self.entered = nobody, nobody, nobody, nobody
        """Number in this population, place, position in the design's groups, visit of recruitment."""
        self.birth_day, self.last_seen, self.died, self.lost = nobody, nobody, nobody, nobody
        """Days of birth, of the last visit seen, of death, of the visit by which they were lost (-1: not)."""
        self.female = np.zeros(0, np.bool_)
        self.weight = np.zeros(0)
        self.first: dict[str, NDArray[np.float64]] = {}
        """Scores at the first visit that rules hang on."""

    def __len__(self) -> int:
        return self.person.size

    def add(self, found: Recruited, birth_day: NDArray[Any], visit: int, day: int) -> None:
        """Take in the participants of a recruitment."""
        new = found.people[found.takes_part]
        count = new.slots.size
        grown = {
            "person": new.persons, "slot": new.slots, "group": new.stratum, "entered": np.full(count, visit),
            "birth_day": birth_day[new.slots].astype(np.int64), "last_seen": np.full(count, day),
            "died": np.full(count, NEVER), "lost": np.full(count, NEVER), "female": new.female,
            "weight": found.weight[found.takes_part],
        }  # fmt: skip
        for name, values in grown.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        self.first = {name: np.concatenate([values, np.full(count, np.nan)]) for name, values in self.first.items()}

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Who lives."""
        return np.asarray(self.died == NEVER)

    @property
    def followed(self) -> NDArray[np.bool_]:
        """Who lives and is not lost."""
        return np.asarray((self.died == NEVER) & (self.lost == NEVER))

    def notice_deaths(self, simulation: Simulation) -> None:
        """Note the day of death of whose place has been taken over since the last look."""
        who = simulation.population
        gone = self.alive & (who.person(self.slot) != self.person)
        self.died[gone] = who["birth_day"][self.slot[gone]] + _NEWCOMER_DAYS


def traits_of(simulation: Simulation, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Lasting traits of people on this day, by name (with whatever a programme has added to them)."""
    return {name: simulation.population[name][slots].astype(np.float32) for name in TRAITS}

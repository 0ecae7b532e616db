"""Arms of one world: each goes on from the same day with the same people, the same ties and the same luck."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fitss_abm.errors import Faults
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.model.view import View

WEEK = 7
"""Days; programmes act on days divisible by it, so arms begin on such a day."""
_EVERYBODY_STARTS = {"coverage": 1.0, "uptake": 1.0, "recruit_weeks": 1, "eligible": "all"}


class Arms:
    """`begin` puts the simulation back to the day on which arms part, with other programmes.

    The simulation must have been prepared, without programmes and dated changes of its own.
    """

    def __init__(self, simulation: Simulation, folder: Path) -> None:
        simulation.advance(-simulation.day % WEEK)
        self.simulation = simulation
        self.day = simulation.day
        self.persons = simulation.population.person()
        """Who lived in each place on that day (founder x 65536 + generation)."""
        self._state = simulation.save(folder / "parting.npz")

    def begin(self, programmes: Iterable[Programme] = ()) -> Simulation:
        """The simulation on the day of parting; days of the programmes count from that day."""
        from fitss_abm.model.interventions import Interventions

        here = (
            dataclasses.replace(one, start=one.start + self.day, end=None if one.end is None else one.end + self.day)
            for one in programmes
        )
        self.simulation.interventions = Interventions(here, self.simulation.people)
        self.simulation.restore(self._state)
        return self.simulation

    def pain(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Rated pain now of those who lived in these places on the day of parting (0 to 10); NaN of the dead."""
        pain = view_of(self.simulation).measure("pain")[slots].astype(np.float64)
        return np.where(self.alive(slots), pain, np.nan)

    def alive(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of those who lived in these places on the day of parting still do."""
        return np.asarray(self.simulation.population.person(slots) == self.persons[slots])


@contextmanager
def parting(simulation: Simulation) -> Iterator[Arms]:
    """Arms of a prepared simulation from its day on, or from the next day divisible by 7."""
    with tempfile.TemporaryDirectory() as folder:
        yield Arms(simulation, Path(folder))


def view_of(simulation: Simulation) -> View:
    """What programmes may see of a simulation now."""
    from fitss_abm.model.randomness import Stream
    from fitss_abm.model.view import View

    return View(
        simulation.population, simulation.network, simulation.catalogue, simulation.parameters["pain_gain"],
        simulation.day, simulation.seeds.key(Stream.DELIVERY),
    )  # fmt: skip


def in_trial(table: Mapping[str, Any], kinds: Mapping[str, Mapping[str, Any]], place: str, faults: Faults) -> Programme:
    """The programme of a table as a trial gives it: all whom it is for are offered it in its first week and accept, whoever is
    eligible otherwise; adherence, stopping and course are those of the kind. What the table itself says has the last word.
    """
    from fitss_abm.model.programme_tables import read_programme

    made = read_programme(_EVERYBODY_STARTS | dict(table), kinds, place, faults)
    return dataclasses.replace(made, screening=None, capacity=made.capacity if "capacity" in table else None)

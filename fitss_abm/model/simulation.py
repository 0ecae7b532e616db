"""One run: people, their ties, the rules of the day, and the world's parameters with their dated changes."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import numba
import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model import checkpoint, history
from fitss_abm.model.circles import generate
from fitss_abm.model.columns import COLUMNS, Column
from fitss_abm.model.conditions import Catalogue, body_map, shipped
from fitss_abm.model.delivery import WEEK
from fitss_abm.model.delivery_log import DeliveryLog
from fitss_abm.model.demography import Demography
from fitss_abm.model.engine import BLOCK, Bindings, Clock, Engine
from fitss_abm.model.history import QUARTER
from fitss_abm.model.interventions import Interventions
from fitss_abm.model.network import Network
from fitss_abm.model.network_parameters import NetworkParameters
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.population import DAYS_IN_YEAR, ENTRY_AGE, Founders, Population, populate
from fitss_abm.model.programme_tables import check_together
from fitss_abm.model.programmes import Programme
from fitss_abm.model.randomness import Stream, stream_key
from fitss_abm.model.rules import DAY, Day
from fitss_abm.model.target_tables import check_conditions

_PEOPLE_PER_THREAD = 20_000
_BANDS = 22  # five-year bands from 0, the last open
MOST_PEOPLE = 2**31 - 1


@dataclass(frozen=True)
class Seeds:
    """The master seed, and streams pinned apart from it (by name: population, network, life, delivery, measurement)."""

    master: int = 1
    pinned: Mapping[str, int] = field(default_factory=dict)

    def key(self, stream: Stream) -> tuple[np.uint32, np.uint32]:
        """The two words of a stream's key."""
        return stream_key(self.pinned.get(stream.name.lower(), self.master), stream)


@dataclass(frozen=True)
class Change:
    """From the morning of day `day` on (days since the start) these parameters hold."""

    day: int
    parameters: Parameters


class Beginning(Protocol):
    """What `prepare` does instead of the pre-history: it fills all columns, and the words to ties, of the first day."""

    def __call__(self, simulation: Simulation, progress: Callable[[int, int], None] | None) -> None: ...


class Simulation:
    """People of one world, day by day. Deterministic: the same arguments give the same bits on any number of threads.

    >>> simulation = Simulation(people=1000, demography=load("Germany"))
    >>> simulation.prepare()
    >>> simulation.advance(365)
    >>> float(simulation.population["alert"].mean())  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        people: int,
        demography: Demography,
        network: Network | None = None,
        network_parameters: NetworkParameters | None = None,
        parameters: Parameters | None = None,
        catalogue: Catalogue | None = None,
        day: Day = DAY,
        columns: Iterable[Column] = (),
        changes: Iterable[Change] = (),
        programmes: Iterable[Programme] = (),
        seeds: Seeds | None = None,
        threads: int | None = None,
        block: int = BLOCK,
        slow_days: int = 7,
        founders: Founders | None = None,
        beginning: Beginning | None = None,
    ) -> None:
        """`network`: given ties; otherwise they are generated. `columns`: what user rules need besides the shipped columns.

        `threads` defaults to all cores that have enough people to walk. `slow_days`, 1 or 7: how often onset and
        remission are drawn. `founders`: sex and date of birth of everybody, instead of draws from the demography; `beginning`:
        what `prepare` does instead of the pre-history.
        """
        faults = Faults()
        if not 1 <= people <= MOST_PEOPLE:
            faults.add("people", people, f"must be between 1 and {MOST_PEOPLE}")
        if slow_days not in (1, 7):
            faults.add("slow_days", slow_days, "must be 1 or 7")
        if threads is not None and not 1 <= threads <= numba.config.NUMBA_NUM_THREADS:
            faults.add(
                "threads", threads, f"must be between 1 and {numba.config.NUMBA_NUM_THREADS}, the cores of this machine"
            )
        if founders is not None and founders.female.size != people:
            faults.add("founders", founders.female.size, f"must be as many as the population, {people}")
        if network is not None and network.people != people:
            faults.add("network", network.people, f"must have as many people as the population, {people}")
        self.catalogue = catalogue or shipped()
        programmes = tuple(programmes)
        check_together(programmes, (f"programme '{one.name}'" for one in programmes), faults)
        for one in programmes:
            for target in one.targets:
                check_conditions(target, self.catalogue, f"programme '{one.name}'", faults)
        faults.raise_if_any()
        self.seeds = seeds or Seeds()
        self.parameters = parameters or Parameters()
        self.demography = demography
        self.day = 0
        self._threads = threads
        self._block = block
        self._changes = sorted(changes, key=lambda change: change.day)
        self.interventions = Interventions(programmes, people)
        columns = tuple(columns)
        declared = (*COLUMNS, *columns)
        arrays = {**self.catalogue.arrays(), **body_map()}
        self.population = Population(people=people, hazards=arrays["condition_bit"].size, columns=declared)
        self.beginning = beginning
        if founders is not None:
            founders.settle(self.population)
        else:
            populate(self.population, demography, self.seeds.key(Stream.POPULATION))
        self._network_parameters = network_parameters or NetworkParameters()
        self._own_columns, self._slow_days = columns, slow_days
        self.network = copy.deepcopy(network) if network is not None else self._generated(self._network_parameters)
        self.engine = Engine(day, self.population.declared, arrays)
        self._bindings = self._bind(arrays, slow_days)
        self._bind_ties()

    @property
    def people(self) -> int:
        """How many places there are; each always has somebody living in it."""
        return self.population.people

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Draw traits and live through the pre-history. `progress` is told simulated days done and in all."""
        if self.beginning is not None:
            self.beginning(self, progress)
            return
        threads = self.use_threads()
        self.engine.born(self._bindings, threads=threads)
        self.population["age"][:] = ENTRY_AGE

        def after_quarter(done: int) -> None:
            self._turn_record()
            if progress:
                progress(done, history.DAYS)

        history.live_through(
            self.engine, self._bindings, after_quarter=after_quarter, block=self._block, threads=threads
        )
        self.population["age"][:] = (-self.population["birth_day"] / DAYS_IN_YEAR).astype(np.float32)
        for name in ("first_onsets", "episodes"):
            self.population[name][:] = 0

    def advance(self, days: int, *, on_death: Callable[[NDArray[np.int64]], None] | None = None) -> None:
        """Walk everybody through `days` more days. `on_death` is told the slots of the dead before others take their places."""
        threads = self.use_threads()
        end = self.day + days
        while self.day < end:
            if self.day % QUARTER == 0 and self.day > 0:
                self._new_quarter()
            while self._changes and self._changes[0].day <= self.day:
                self.parameters = self._changes.pop(0).parameters
                self._bindings["parameters"] = self.parameters.as_array()
            stop = min(end, (self.day // QUARTER + 1) * QUARTER, *(change.day for change in self._changes[:1]))
            if self.interventions:
                if self.day % WEEK == 0 and self.interventions.step(self):
                    self._bind_ties()
                stop = min(stop, (self.day // WEEK + 1) * WEEK)
            clock = Clock(self.day, self.day)
            walked = self.engine.walk(
                self._bindings,
                clock,
                stop - self.day,
                block=self._block,
                threads=threads,
                wait_at_death=on_death is not None,
            )
            self.day += abs(walked)
            if walked < 0 and on_death is not None:
                on_death(np.flatnonzero(self.population["died"]))
                self.engine.night(self._bindings, Clock(self.day - 1, self.day - 1), block=self._block)

    def alike(self, *, people: int, founders: Founders | None = None) -> Self:
        """The same world with other people, who have ties generated for them: no programmes, no dated changes, not prepared."""
        return type(self)(
            people=people, demography=self.demography, network_parameters=self._network_parameters,
            parameters=self.parameters, catalogue=self.catalogue, day=self.engine.day, columns=self._own_columns,
            seeds=self.seeds, threads=self._threads, block=self._block, slow_days=self._slow_days, founders=founders,
        )  # fmt: skip

    @property
    def offers(self) -> NDArray[np.uint32]:
        """Everybody's word to their ties, of even and of odd days, shape (2, people): see rules/support.py."""
        offers: NDArray[np.uint32] = self._bindings["offers"]
        return offers

    @property
    def prevention(self) -> NDArray[np.float32]:
        """What programmes take off the continuation of adversity of whoever is born next in each place (proportion)."""
        prevention: NDArray[np.float32] = self._bindings["all_prevention"]
        return prevention

    @property
    def delivery_log(self) -> DeliveryLog:
        """Who was offered, got and left which programme, when."""
        return self.interventions.log

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the state to a file from which `restore` goes on with the same bits."""
        return checkpoint.save(self, path)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Go on from a saved state. This simulation must have been built with the same arguments; do not call `prepare`."""
        self.interventions = Interventions(self.interventions.programmes, self.people)
        self.day = checkpoint.restore(self, path)
        self._bind_ties()

    def use_threads(self) -> int:
        """How many threads walk people; Numba's own parallel loops (ties, counts) are given as many."""
        # Below so many people each, threads would spend longer waiting for one another than walking people.
        useful = max(1, self.people // _PEOPLE_PER_THREAD)
        threads = self._threads or min(int(numba.config.NUMBA_NUM_THREADS), useful)
        numba.set_num_threads(threads)
        return threads

    def _generated(self, parameters: NetworkParameters) -> Network:
        self.use_threads()
        k0, k1 = self.seeds.key(Stream.NETWORK)
        who = self.population
        return generate(
            birth_day=who["birth_day"], day=0, female=who["female"].astype(bool), generation=who["generation"],
            k0=k0, k1=k1, parameters=parameters,
        )  # fmt: skip

    def _new_quarter(self) -> None:
        """Once in 91 days: ties are renewed, and the record of the last four quarters moves on."""
        who = self.population
        k0, k1 = self.seeds.key(Stream.NETWORK)
        self.network.renew(
            quarter=self.day // QUARTER, birth_day=who["birth_day"], day=self.day, female=who["female"].astype(bool),
            generation=who["generation"], k0=k0, k1=k1,
        )  # fmt: skip
        self.interventions.renewed()
        self._bind_ties()
        self._turn_record()

    def _turn_record(self) -> None:
        """The record of the last four quarters moves on."""
        who = self.population
        who["held_quarter_3"][:] = who["held_quarter_2"]
        who["held_quarter_2"][:] = who["held_quarter_1"]
        who["held_quarter_1"][:] = who["held_quarter"]
        who["held_quarter"][:] = who["conditions"]

    def _bind(self, arrays: Mapping[str, Any], slow_days: int) -> Bindings:
        ages = np.arange(_BANDS) * 5.0 + 2.5
        rates = self.demography.death_rate[:, self.demography.band_of(ages)] / DAYS_IN_YEAR
        bindings: Bindings = dict(self.population)
        bindings |= arrays
        bindings |= {
            "people": self.people,
            "parameters": self.parameters.as_array(),
            "offers": np.zeros((2, self.people), dtype=np.uint32),
            "all_birth_day": self.population["birth_day"],
            "all_female": self.population["female"],
            "all_prevention": np.zeros(self.people, dtype=np.float32),
            "death_rate": rates.astype(np.float32),
            "female_share": np.float32(self._newcomers_female_share()),
            "slow_days": np.float32(slow_days),
            "sliced": frozenset(self.population),
        }
        for name, stream in (("life", Stream.LIFE), ("population", Stream.POPULATION)):
            bindings[f"{name}_0"], bindings[f"{name}_1"] = self.seeds.key(stream)
        return bindings

    def _newcomers_female_share(self) -> float:
        """Share of girls among the people around 12, or among the youngest there are."""
        band = int(self.demography.band_of([ENTRY_AGE])[0])
        women, men = self.demography.people[:, band]
        return float(women / (women + men)) if women + men > 0 else 0.5

    def _bind_ties(self) -> None:
        for name in ("start", "neighbour", "weight", "layer"):
            self._bindings[f"tie_{name}"] = getattr(self.network, name)

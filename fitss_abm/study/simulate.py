"""Scenario in, results out."""

from __future__ import annotations

import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults
from fitss_abm.measurement.observers import Observer, observation_days
from fitss_abm.measurement.results import PEOPLE, Results, fresh_folder
from fitss_abm.measurement.snapshots import Snapshots, check_room
from fitss_abm.measurement.trajectory import Trajectory, sample_plane
from fitss_abm.study import delivery_tables
from fitss_abm.study.records_mapping import DONORS
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.seen_tables import tables

if TYPE_CHECKING:
    from fitss_abm.model.network import Network
    from fitss_abm.model.simulation import Simulation

Progress = Callable[[str, float], None]
"""Is told the name of a phase (network, compiling, pre-history, years) and how much of it is done, 0 to 1."""

_WEEK = 7
_BYTES_PER_PERSON = 300
"""At least so much memory: columns and ties."""


def check_memory(scenario: Scenario) -> None:
    """Raise InputError when this machine cannot hold so many people, rather than have it run out of memory."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    donors = scenario.records.get("donors", DONORS) if scenario.records else 0
    wanted = scenario.people * (1 + donors) * _BYTES_PER_PERSON
    faults = Faults()
    if wanted > memory > 0:
        problem = f"need {wanted / 1e9:,.1f} GB of memory or more where this machine has {memory / 1e9:,.1f} GB"
        faults.add("people", scenario.people, problem)
    faults.raise_if_any()


def simulate(
    scenario: Scenario,
    *,
    network: Network | None = None,
    progress: Progress | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    command: Sequence[str] | None = None,
) -> Results:
    """Run a scenario and return its tables; the same scenario gives the same numbers on any machine and any threads.

    `network`: ties made in Python, such as `Network.from_networkx(graph)`, instead of the scenario's. `out`: a fresh
    folder to which everything is saved, whole or not at all (`overwrite`: an earlier run may be there). `command`: for
    provenance. Raises InputError, before anything is simulated, when an input cannot be used.
    """
    from fitss_abm.model.engine import compiled_before

    tell = progress or (lambda phase, fraction: None)
    watch = _Watch()
    check_memory(scenario)
    with ExitStack() as stack:
        folder, kept, scratch = None, None, None
        if out is not None:
            scratch = stack.enter_context(fresh_folder(out, overwrite=overwrite))
            folder = scratch.path
        elif scenario.snapshot_every is not None:
            kept = tempfile.TemporaryDirectory(prefix="fitss_abm_")
            folder = Path(kept.name)
        if folder is not None and scenario.snapshot_every is not None:
            check_room(folder, people=scenario.people, days=scenario.days, every=scenario.snapshot_every)
        tell("network" if compiled_before() else "compiling", 0.0)
        with watch("network"):
            simulation = scenario.simulation(network=network)
            looked = [
                (look, Observer(simulation, start=scenario.start, look=look)) for look in scenario.looks(simulation)
            ]
        tell("network", 1.0)
        compiling = simulation.engine.must_compile
        tell("compiling" if compiling else "pre-history", 0.0)

        def lived(done: int, days: int) -> None:
            tell("pre-history", done / days)

        with watch("pre-history, with compiling" if compiling else "pre-history"):
            simulation.prepare(lived)
        people_file = folder / PEOPLE if folder is not None and scenario.snapshot_every is not None else None
        with watch("years"):
            trajectory = _live(simulation, scenario, [observer for _, observer in looked], people_file, tell)
        run = {"scenario": scenario.name, "replicate": scenario.replicate}
        catalogue = simulation.catalogue
        programmed = bool(simulation.interventions)
        with watch("tables"):
            seen = tables([(look, observer.counts()) for look, observer in looked], catalogue, run=run)
            results = Results(
                prevalence=seen["prevalence"],
                period_prevalence=seen["period_prevalence"],
                sex_ratio=seen["sex_ratio"],
                incidence=seen["incidence"],
                comorbidity=seen["comorbidity"],
                counts=seen["counts"],
                plane=sample_plane(simulation),
                trajectory=trajectory.frame(),
                delivery=delivery_tables.delivery(simulation, scenario.start, run) if programmed else None,
                programmes=delivery_tables.programmes(simulation, run) if programmed else None,
                scenario_text=scenario.to_toml(),
                provenance={},
                people_file=people_file,
                kept=kept,
            )
        results.provenance = _provenance(scenario, simulation, watch, command, given=network is not None)
        if scratch is not None:
            results.write(scratch.path)
    if scratch is not None:
        results.folder = scratch.target
        results.people_file = scratch.target / PEOPLE if people_file is not None else None
    return results


def _live(
    simulation: Simulation, scenario: Scenario, observers: Sequence[Observer], people_file: Path | None, tell: Progress
) -> Trajectory:
    """Walk through the years of the scenario, stopping wherever something is to be seen."""
    days, every = scenario.days, scenario.snapshot_every
    trajectory = Trajectory(simulation)
    counted = observation_days(scenario.start, days)
    snapped = set(range(0, days + 1, every)) if every is not None else set()
    followed = set(range(0, days + 1, _WEEK))
    with ExitStack() as stack:
        snapshots = None
        if people_file is not None:
            snapshots = stack.enter_context(Snapshots(simulation, people_file, start=scenario.start))
        for day in sorted(snapped.union(counted, followed)):
            simulation.advance(day - simulation.day, on_death=snapshots.on_death if snapshots else None)
            if day in counted:
                for observer in observers:
                    observer.observe(pairs=counted[day])
            if day in followed:
                trajectory.record(scenario.start + datetime.timedelta(days=day))
            if snapshots is not None and day in snapped:
                snapshots.take()
            tell("years", day / days)
    return trajectory


class _Watch:
    """Wall seconds by phase."""

    def __init__(self) -> None:
        self.started = datetime.datetime.now(datetime.UTC)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[phase] = time.perf_counter() - begin


def _provenance(
    scenario: Scenario, simulation: Simulation, watch: _Watch, command: Sequence[str] | None, *, given: bool
) -> dict[str, Any]:
    import numba
    import numpy

    from fitss_abm.model.caching import sources_hash

    seconds = max(watch.seconds["years"], 1e-9)
    return {
        "program": "fitss_abm",
        "version": _version(),
        "code": sources_hash(),
        "command": list(command) if command is not None else None,
        "started": watch.started.isoformat(timespec="seconds"),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "scenario": scenario.name,
        "replicate": scenario.replicate,
        "seeds": {"master": scenario.master_seed, **scenario.seeds},
        "people": scenario.people,
        "days": scenario.days,
        "ties": int(simulation.network.neighbour.size // 2),
        "network": "given in Python" if given else "given as edges" if "edges" in scenario.network else "generated",
        "rules": [rule.name for rule in simulation.engine.day],
        "rules_not_compiled": list(simulation.engine.unfused),
        "parameters": dict(simulation.parameters),
        "conditions": list(simulation.catalogue.ids),
        "programmes": [one.name for one in simulation.interventions.programmes],
        "seconds": {phase: round(value, 3) for phase, value in watch.seconds.items()},
        "person_days_per_second": round(scenario.people * scenario.days / seconds),
        "peak_memory_bytes": _peak_memory(),
        "threads": scenario.threads or numba.config.NUMBA_NUM_THREADS,
        "platform": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {"numba": numba.__version__, "numpy": numpy.__version__},
    }


def _version() -> str:
    try:
        return version("fitss_abm")
    except PackageNotFoundError:  # used from a folder that was never installed
        return "0+uninstalled"


def _peak_memory() -> int | None:
    """Greatest memory that this process has had, bytes; None where the platform does not tell."""
    if os.name != "posix":
        return None
    import resource

    greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(greatest if sys.platform == "darwin" else greatest * 1024)

"""How fast the engine is, how much memory it takes, and whether cost grows in proportion to people.

    python benchmarks/engine.py [--large] [--threads 1 2]

The whole day of the model is timed, on people who have lived through the pre-history. For the larger populations the
state of 100,000 prepared people is copied as often as needed: it is the days that are timed. A day is timed without the
renewal of ties, which comes once in 91; the ten-year run below has it.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import numba
import numpy as np

from fitss_abm.model import history
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.simulation import QUARTER, Simulation

SIZES = (10_000, 100_000, 1_000_000)
LARGE = 10_000_000
PREPARED = 100_000
TEN_YEARS = 3652
SECONDS = 4.0  # for each population and number of threads


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="10 million people as well (about 4 GB)")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[n for n in (1, 2) if n <= numba.config.NUMBA_NUM_THREADS]
    )
    asked = parser.parse_args()
    sizes = (*SIZES, LARGE) if asked.large else SIZES
    _say_what_runs()

    warm = Simulation(people=2000, demography=load("Germany"), threads=max(asked.threads))
    begun = time.perf_counter()
    warm.prepare()
    warm.advance(QUARTER + 1)
    print(f"first use (compile, or load from the cache; 2,000 people prepared): {time.perf_counter() - begun:.1f} s\n")
    before = _resident()

    prepared, set_up = _prepare(max(asked.threads))
    ns: dict[tuple[int, int], float] = {}
    print(f"{'people':>12} {'threads':>8} {'M person-days/s':>16} {'ns a person-day':>16}")
    for people in sizes:
        network: Network | None = prepared.network if people == PREPARED else None
        for threads in asked.threads:
            simulation = _filled(people, prepared, network, threads)
            network = simulation.network
            seconds = _a_day(simulation)
            ns[people, threads] = 1e9 * seconds / people
            print(f"{people:>12,} {threads:>8} {people / seconds / 1e6:>16.1f} {ns[people, threads]:>16.1f}")
    _linearity(ns, sizes, asked.threads)
    _memory(simulation, before)
    _set_up(set_up, prepared)


def _say_what_runs() -> None:
    model = next((x.split(":")[1].strip() for x in _lines("/proc/cpuinfo") if x.startswith("model name")), "unknown")
    load_average = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    versions = f"Python {sys.version.split()[0]}, Numba {numba.__version__}, NumPy {np.__version__}"
    print(f"{model}, {os.cpu_count()} cores; {versions}")
    print(f"load average before this began: {load_average} (above 0.5 something else runs: two threads are not two)\n")


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def _prepare(threads: int) -> tuple[Simulation, dict[str, float]]:
    """The people whose state is copied, and what it took to make them."""
    begun = time.perf_counter()
    simulation = Simulation(people=PREPARED, demography=load("Germany"), threads=threads)
    made = time.perf_counter()
    simulation.prepare()
    return simulation, {"people and network": made - begun, "pre-history": time.perf_counter() - made}


def _filled(people: int, prepared: Simulation, network: Network | None, threads: int) -> Simulation:
    simulation = Simulation(people=people, demography=prepared.demography, network=network, threads=threads)
    for name, column in prepared.population.items():
        target = simulation.population[name]
        for low in range(0, people, PREPARED):
            part = target[..., low : low + PREPARED]
            part[...] = column[..., : part.shape[-1]]
    return simulation


def _a_day(simulation: Simulation) -> float:
    """Seconds a day: the best of many stretches of weeks, since others may use the machine; without renewal of ties."""
    days = 28 if simulation.people < PREPARED else 7
    simulation.advance(days)
    begun, best, stretches = time.perf_counter(), float("inf"), 0
    while stretches < 3 or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        simulation.advance(days)
        best = min(best, (time.perf_counter() - start) / days)
        stretches += 1
    return best


def _linearity(ns: dict[tuple[int, int], float], sizes: tuple[int, ...], threads: list[int]) -> None:
    for number in threads:
        ratios = ", ".join(f"{people:,}: {ns[people, number] / ns[sizes[0], number]:.2f}" for people in sizes)
        print(f"cost of a person-day against {sizes[0]:,} people, {number} thread(s): {ratios} (1 is linear)")


def _memory(simulation: Simulation, before: int) -> None:
    network, people = simulation.network, simulation.people
    sides = len(network.neighbour)  # each tie stands in two rows
    a_side = sum(getattr(network, name).nbytes for name in ("neighbour", "weight", "layer")) / sides
    columns = simulation.population.bytes_per_person
    total = columns + 8 + network.start.nbytes / people + a_side * sides / people
    print(f"\nmemory at {people:,} people, bytes a person: columns {columns:.0f}, words for tomorrow 8,", end=" ")
    print(f"where ties begin {network.start.nbytes / people:.0f},", end=" ")
    print(f"ties {a_side:.0f} each of {sides / people:.1f}; arrays {total:.0f} in all;", end=" ")
    print(f"peak resident above the start {(_peak() - before) / people:.0f} (set-up and the copied 100,000 included)")


def _set_up(spent: dict[str, float], prepared: Simulation) -> None:
    begun = time.perf_counter()
    prepared.advance(365)
    ten_years = (time.perf_counter() - begun) * TEN_YEARS / 365
    parts = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in spent.items())
    print(f"\nset-up at {PREPARED:,} people: {parts} ({history.DAYS} simulated days)")
    print(f"ten years, ties renewed, by the pace of the first: {ten_years:.1f} s", end="; ")
    print(f"set-up / run = {sum(spent.values()) / ten_years:.2f}")


def _resident() -> int:
    pages = _lines("/proc/self/statm")
    return int(pages[0].split()[1]) * resource.getpagesize() if pages else 0


def _peak() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()

"""The workings of a calibration: waves of runs, the emulator's table, how plausible a point is, and samples of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study.calibration_plan import Plan
from fitss_abm.study.calibration_runs import CALL
from fitss_abm.study.emulator import Emulator
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.numbers import default_of

Floats = NDArray[np.float64]
Progress = Callable[[str, float], None]
Density = Callable[[Floats], Floats]

FRESH = 1000
"""Replicates from this number on are those of fresh runs: candidates of the waves use 0, 1, ..."""
_Z = 1.959964
_WALKERS, _STEPS, _BURN = 4, 1500, 500  # walkers a free number
_MOST_FAILED = 0.2


@dataclass(frozen=True)
class Settings:
    """How much is spent. `first` candidates in the first wave, `later` in each further one, each in `replicates` runs of
    `people`; `checks` fresh runs, then `draws` of the posterior, each in one fresh run of `people` times `replicates`; the
    point is moved `polish` times by what `polish_runs` fresh runs of `polish_people` find at it, and run once more.
    """

    people: int = 6000
    replicates: int = 2
    first: int = 128
    later: tuple[int, ...] = (64,)
    checks: int = 48
    draws: int = 100
    polish: int = 3
    polish_people: int = 40_000
    polish_runs: int = 4
    seed: int = 1
    location: str = "Germany"
    rounds: int = 3


@dataclass
class Calibrator:
    """Runs, emulator and posterior of one plan. `run` may be replaced (in tests, or to run elsewhere)."""

    plan: Plan
    settings: Settings
    folder: Path | None = None
    workers: int | None = None
    cluster: str | None = None
    fixed: Mapping[str, float] = field(default_factory=dict)
    call: str = CALL
    run: Callable[..., Outcome] = run_many
    progress: Progress | None = None
    failed: dict[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    start: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = Faults()
        faults.needs("sklearn", "emcee", extra="calibration")
        faults.raise_if_any()
        if not self.start:
            self.start = {name: float(self.fixed.get(name, default_of(name))) for name in self.plan.solved}

    # Runs

    def wave(self, number: int, points: Floats) -> None:
        """Run these points of the unit cube with the luck that all waves share."""
        rounds = self.settings.rounds if number == 1 else max(2, self.settings.rounds - 1)
        tasks = [
            (f"wave{number}-{k:04d}-{replicate}", number, k, point, replicate, self.settings.people, rounds)
            for k, point in enumerate(points)
            for replicate in range(self.settings.replicates)
        ]
        self._runs(tasks, f"wave {number}")

    def fresh(
        self,
        name: str,
        points: Floats,
        *,
        first: int = FRESH,
        people: int | None = None,
        start: Mapping[str, float] | None = None,
        rounds: int | None = None,
    ) -> None:
        """Run each point once, with luck of its own, in as many people as a candidate had in all. `start`: where the solved
        numbers begin."""
        people = people or self.settings.people * self.settings.replicates
        rounds = rounds or max(2, self.settings.rounds - 1)
        tasks = [(f"{name}-{k:04d}", name, k, point, first + k, people, rounds) for k, point in enumerate(points)]
        self._runs(tasks, name, start)

    def _runs(self, tasks: Sequence[tuple[Any, ...]], phase: str, start: Mapping[str, float] | None = None) -> None:
        solved = {name: {"row": s.row, "step": s.step, "aim": s.aim} for name, s in self.plan.solved.items()}
        jobs = []
        for key, _, _, point, replicate, people, rounds in tasks:
            arguments = {
                "people": people, "location": self.settings.location, "seed": self.settings.seed, "replicate": replicate,
                "values": self.plan.values(point), "start": dict(start or self.guess(point)), "solved": solved, "rounds": rounds,
                "rows": list(self.plan.rows), "fixed": dict(self.fixed),
            }  # fmt: skip
            jobs.append(Job(key, self.call, arguments))
        outcome = self.run(
            jobs, folder=self.folder, workers=self.workers, cluster=self.cluster, progress=self.progress, phase=phase
        )
        self.failed |= outcome.failed
        if len(outcome.failed) > _MOST_FAILED * len(jobs):
            why = next(iter(outcome.failed.values()))
            problem = f"more than {_MOST_FAILED:.0%} failed, the first with: {why}"
            raise InputError([Fault(f"runs of {phase}", len(outcome.failed), problem)])
        for key, wave, k, point, replicate, people, _ in tasks:
            if key in outcome.results:
                found = outcome.results[key]
                self.records.append(
                    {"wave": wave, "candidate": k, "replicate": replicate, "people": people, "point": point, **found}
                )

    def guess(self, point: Floats) -> dict[str, float]:
        """Where the solved numbers begin: at those of the nearest candidate that has been run (log scale for rates)."""
        earlier = [r for r in self.records if isinstance(r["wave"], int)]
        if not earlier:
            return self.start
        known = [r for r in earlier if r["replicate"] == 0] or earlier
        x = np.array([np.append(1.0, r["point"] - 0.5) for r in known])
        guess = {}
        for name, each in self.plan.solved.items():
            y = np.array([r["solved"][name] for r in known], dtype=float)
            y = np.log(np.maximum(y, 1e-9)) if each.step == "factor" else y
            penalty = 0.01 * len(x) * np.diag([0.0, *np.ones(x.shape[1] - 1)])
            line = np.linalg.solve(x.T @ x + penalty, x.T @ y)
            value = float(np.clip(np.append(1.0, point - 0.5) @ line, y.min(), y.max()))
            guess[name] = float(np.exp(value)) if each.step == "factor" else value
        return guess

    # Emulator and posterior

    def table(self, waves: Callable[[Any], bool]) -> tuple[Floats, Floats, Floats]:
        """Points (runs, numbers), estimates on the rows' scales (runs, rows), and their variances of chance, replicates
        averaged."""
        by_candidate: dict[tuple[Any, int], list[dict[str, Any]]] = {}
        for record in self.records:
            if waves(record["wave"]):
                by_candidate.setdefault((record["wave"], record["candidate"]), []).append(record)
        x, y, v = [], [], []
        for records in by_candidate.values():
            scaled = np.array([[self._scaled(record, row) for row in self.plan.rows] for record in records])
            there = np.isfinite(scaled[:, :, 0])
            count = there.sum(axis=0)
            mean = np.where(there, scaled[:, :, 0], 0.0).sum(axis=0) / np.where(count, count, np.nan)
            chance = np.where(there, scaled[:, :, 1], 0.0).sum(axis=0) / np.where(count, count, np.nan) ** 2
            x.append(records[0]["point"])
            y.append(mean)
            v.append(chance)
        return np.array(x), np.array(y), np.array(v)

    def _scaled(self, record: Mapping[str, Any], row: str) -> tuple[float, float]:
        scale = self.plan.rows[row]
        value, low, high = (float(scale.scaled(number)) for number in record["estimates"][row])
        return (value, ((high - low) / (2 * _Z)) ** 2) if np.isfinite([value, low, high]).all() else (np.nan, np.nan)

    def log_likelihood(self, emulator: Emulator, x: Floats, chance: Floats, offset: Floats, spare: Floats) -> Floats:
        """Of points of the unit cube; variances of range, emulator, chance in the runs it was fitted to, and offsets add."""
        mean, variance = emulator.predict(x)
        total = self.sd**2 + variance + chance + spare
        return -0.5 * (((mean + offset - self.centre) ** 2) / total + np.log(total)).sum(axis=1)

    def implausibility(self, emulator: Emulator, x: Floats, chance: Floats) -> Floats:
        """The largest distance of any row from its centre, in standard deviations."""
        mean, variance = emulator.predict(x)
        distance: Floats = np.abs(mean - self.centre) / np.sqrt(self.sd**2 + variance + chance)
        return distance.max(axis=1)

    @property
    def centre(self) -> Floats:
        return np.array([row.centre for row in self.plan.rows.values()])

    @property
    def sd(self) -> Floats:
        return np.array([row.sd for row in self.plan.rows.values()])

    def sampled(
        self, log_density: Callable[[Floats], Floats], count: int, *, seed: int, temperature: float = 1.0
    ) -> Floats:
        """`count` points of the unit cube with this log density (emcee's ensemble sampler)."""
        import emcee

        numbers = len(self.plan.free)
        walkers = _WALKERS * numbers
        start = qmc.LatinHypercube(numbers, rng=np.random.default_rng([seed, 7])).random(40 * walkers)
        start = start[np.argsort(-log_density(start), kind="stable")[:walkers]]

        def tempered(x: Floats) -> Floats:
            inside = ((x >= 0) & (x <= 1)).all(axis=1)
            value = np.full(len(x), -np.inf)
            if inside.any():
                value[inside] = log_density(x[inside]) / temperature
            return value

        sampler = emcee.EnsembleSampler(walkers, numbers, tempered, vectorize=True)
        sampler.random_state = np.random.RandomState(seed).get_state()
        sampler.run_mcmc(start, _STEPS, progress=False)
        flat: Floats = sampler.get_chain(discard=_BURN, flat=True)
        chosen = np.random.default_rng([seed, 8]).choice(len(flat), count, replace=False)
        return flat[np.sort(chosen)]

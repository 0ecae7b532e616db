"""The engine: fuses the rules of a day into one compiled driver, and walks people through it block by block.

The driver is written as Python source from the rules' own argument names (see `driver.py`) and compiled by Numba. Within a day
people are independent, since from others only yesterday's words are read, so blocks and threads change no bit.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import itertools
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model.caching import cache_folder, compiled
from fitss_abm.model.columns import Column
from fitss_abm.model.driver import UNIT, Driver, write_driver
from fitss_abm.model.parameters import declared
from fitss_abm.model.rules import ENGINE_WORDS, Day, Rule

BLOCK = 1024  # people walked through the whole day while they are in cache; a multiple of UNIT
_MANY_PEOPLE = 200_000
IN_PREHISTORY = 2**31  # added to the day's part of a draw's key
_PACKAGE = __name__.split(".", maxsplit=1)[0] + "."

Bindings = dict[str, Any]


@dataclass(frozen=True)
class Clock:
    """When a stretch of days takes place: `day` keys the luck; `today` is the date, or -1 in the pre-history; pace
    as in pace.py."""

    day: int
    today: int
    pace_from: float = -1e9
    pace_span: float = 1.0
    pace_days: float = 1.0

    def after(self, days: int) -> Clock:
        """The clock so many days later, in the same stage."""
        return replace(self, day=self.day + days, today=self.today + days if self.today >= 0 else -1)


class Engine:
    """One day's rules, compiled. Rules that are plain Python split the day: those before and after them are fused apart."""

    def __init__(self, day: Day, columns: Mapping[str, Column], arrays: Mapping[str, Any]) -> None:
        """`arrays`: the catalogue's and the body map's arrays by name. Raises InputError for an argument nobody declares."""
        self.day = day
        _check_arguments(day, columns, arrays)
        walked = [rule for rule in day if rule.every != "birth"]
        for rule in day:
            if rule.every == "birth" and not rule.compiled:
                faults = Faults()
                faults.add(f"rule {rule.name}", "compiled=False", "a rule of birth must be compiled")
                faults.raise_if_any()
        self.births = tuple(rule for rule in day if rule.every == "birth")
        self._parts: list[Rule | Any] = []
        for fused, group in itertools.groupby(walked, key=lambda rule: rule.compiled):
            rules = tuple(group)
            if fused:
                self._parts.append(_load(write_driver(rules, self.births, columns, tuple(declared()))))
            else:
                self._parts.extend(rules)
        self._pool: ThreadPoolExecutor | None = None
        self._pool_threads = 0
        if not any(isinstance(part, _Loaded) for part in self._parts):
            self._parts.append(_load(write_driver((), self.births, columns, tuple(declared()))))
        self._first_loaded = next(part for part in self._parts if isinstance(part, _Loaded))

    @property
    def unfused(self) -> tuple[str, ...]:
        """Names of the rules that are plain Python and therefore slow."""
        return tuple(part.name for part in self._parts if isinstance(part, Rule))

    @property
    def must_compile(self) -> bool:
        """Whether the next call will compile (some twenty seconds, once for these sources)."""
        return any(part.must_compile for part in self._parts if isinstance(part, _Loaded))

    def born(self, bindings: Bindings, *, threads: int = 1) -> None:
        """Draw the traits of everybody."""
        driver = self._first_loaded
        given = driver.collect(bindings, Clock(0, -1))
        people = bindings["people"]
        self._in_parts(threads, people, BLOCK, lambda low, high: driver.born(low, high, people, BLOCK, *given))

    def walk(
        self,
        bindings: Bindings,
        clock: Clock,
        days: int,
        *,
        block: int = BLOCK,
        threads: int = 1,
        wait_at_death: bool = False,
    ) -> int:
        """Walk everybody through `days` days; returns how many were walked.

        The night after each day takes the dead away and puts newcomers in their places. With `wait_at_death` it stops after
        the first day on which somebody died, before the night, so that the caller can look at the dead, and returns the
        negative of the days walked; call `night` then.
        """
        if block % UNIT or block < UNIT:
            faults = Faults()
            faults.add("block", block, f"must be a multiple of {UNIT}")
            faults.raise_if_any()
        people = bindings["people"]
        deaths = np.zeros(-(-people // block), dtype=np.int64)
        if len(self._parts) == 1 and threads == 1:
            driver = self._first_loaded
            done, died = driver.drive(
                days, clock.day, clock.today, 0, deaths.size, people, block, wait_at_death, True, deaths,
                *driver.collect(bindings, clock),
            )  # fmt: skip
            return -int(done) if wait_at_death and died else int(done)
        for step in range(days):
            now = clock.after(step)
            for part in self._parts:
                if isinstance(part, Rule):
                    _walk_plain(part, bindings, now)
                else:
                    self._walk_part(part, bindings, now, block, threads, deaths)
            if bindings["died"].any() if self.unfused else deaths.any():
                if wait_at_death:
                    return -(step + 1)
                self.night(bindings, now, block=block)
        return days

    def _walk_part(
        self, part: _Loaded, bindings: Bindings, now: Clock, block: int, threads: int, deaths: NDArray[np.int64]
    ) -> None:
        """One day of one driver, its blocks dealt out to the threads."""
        given = part.collect(bindings, now)
        people = bindings["people"]

        def walk(low: int, high: int) -> None:
            part.drive(1, now.day, now.today, low, high, people, block, False, False, deaths, *given)

        self._in_parts(threads, people, block, walk)

    def _in_parts(self, threads: int, people: int, block: int, work: Callable[[int, int], None]) -> None:
        """Do `work(first block, end)` for all blocks, on so many threads."""
        blocks = -(-people // block)
        if threads == 1:
            work(0, blocks)
            return
        if self._pool is None or self._pool_threads != threads:
            self._pool, self._pool_threads = ThreadPoolExecutor(threads, thread_name_prefix="fitss"), threads
        # several parts a thread even out a busy core, where a part is long enough to be worth a call
        parts = threads * (4 if people >= _MANY_PEOPLE else 1)
        edges = [blocks * part // parts for part in range(parts + 1)]
        for done in [self._pool.submit(work, *edge) for edge in itertools.pairwise(edges)]:
            done.result()

    def night(self, bindings: Bindings, clock: Clock, *, block: int = BLOCK) -> None:
        """Take the dead of `clock.today` away, end their ties, let the bereaved know, and put newcomers in their places."""
        driver = self._first_loaded
        died = bindings["died"].astype(np.int64)
        deaths = np.add.reduceat(died, np.arange(0, died.size, block))
        driver.night(np.int32(clock.today), bindings["people"], block, deaths, *driver.collect(bindings, clock))


def compiled_before() -> bool:
    """Whether these sources have been compiled on this machine before, so that a run begins at once."""
    return any(cache_folder(Path(__file__)).glob("driver_*"))


@dataclass(frozen=True)
class _Loaded:
    """A compiled driver: its functions and the names of the arrays and numbers they take, in order."""

    drive: Any
    night: Any
    born: Any
    needs: tuple[str, ...]
    must_compile_check: Path | None

    @property
    def must_compile(self) -> bool:
        if self.drive.signatures:
            return False
        return self.must_compile_check is None or not any(self.must_compile_check.glob("**/*.nbi"))

    def collect(self, bindings: Bindings, clock: Clock) -> list[Any]:
        words = {
            "pace_from": np.float32(clock.pace_from),
            "pace_span": np.float32(clock.pace_span),
            "pace_days": np.float32(clock.pace_days),
        }
        return [words[name] if name in words else bindings[name] for name in self.needs]


def _load(driver: Driver) -> _Loaded:
    """Compile a driver's source; kept on disk unless a rule comes from a place whose source cannot be hashed."""
    sources = [driver.source]
    keep = True
    for rule in driver.rules:
        plain = getattr(rule.function, "py_func", rule.function)
        if not plain.__module__.startswith(_PACKAGE):
            # A user's rule: its file is part of the key; what a closure holds cannot be seen, so it is not kept.
            written_in = inspect.getsourcefile(plain)
            keep = keep and plain.__closure__ is None and written_in is not None and Path(written_in).is_file()
            sources.append(Path(written_in).read_text(encoding="utf-8") if keep and written_in else "")
    name = "driver_" + hashlib.sha256("\n".join(sources).encode()).hexdigest()[:20]
    folder = cache_folder(Path(__file__)) / name
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    if not path.exists():
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(driver.source, encoding="utf-8")
        os.replace(scratch, path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"cannot load {path}")
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Numba finds the module by name when it loads compiled code from disk
    spec.loader.exec_module(module)
    for number, rule in enumerate(driver.rules):
        setattr(module, f"rule_{number}", rule.function)
    for helper in ("walk_block", "born_block"):
        setattr(module, helper, numba.njit(error_model="numpy")(getattr(module, helper)))
    module.night = compiled(keep=keep)(module.night)
    return _Loaded(
        drive=compiled(keep=keep)(module.drive),
        night=module.night,
        born=compiled(keep=keep)(module.born),
        needs=driver.needs,
        must_compile_check=cache_folder(path) if keep else None,
    )


def _check_arguments(day: Day, columns: Mapping[str, Column], arrays: Mapping[str, Any]) -> None:
    valid = {*columns, *arrays, *declared(), *ENGINE_WORDS}
    faults = Faults()
    for rule in day:
        for name in rule.arguments:
            if name not in valid:
                faults.unknown(f"rule {rule.name}, argument", name, "column, parameter or engine word", valid)
    faults.raise_if_any()


def _walk_plain(rule: Rule, bindings: Bindings, clock: Clock) -> None:
    """Apply a plain Python rule: daily to everybody, weekly and slow ones to the units whose day it is."""
    people = bindings["people"]
    if rule.every == "day":
        _call_plain(rule, bindings, clock, 0, people)
        return
    each_day = rule.every == "slow" and bindings["slow_days"] == 1
    for unit in range(-(-people // UNIT)):
        if each_day or (unit + clock.day) % 7 == 0:
            _call_plain(rule, bindings, clock, unit * UNIT, min(people, (unit + 1) * UNIT))


def _call_plain(rule: Rule, bindings: Bindings, clock: Clock, low: int, high: int) -> None:
    parity = clock.day & 1
    words: Bindings = {
        "day": np.uint32(clock.day),
        "today": np.int32(clock.today),
        "first": np.uint32(low),
        "pace_from": np.float32(clock.pace_from),
        "pace_span": np.float32(clock.pace_span),
        "pace_days": np.float32(clock.pace_days),
        "words_before": bindings["offers"][parity],
        "words": bindings["offers"][1 - parity][low:high],
        "tie_start": bindings["tie_start"][low : high + 1],
    }
    names = list(declared())
    given: Bindings = {}
    for name in rule.arguments:
        if name in words:
            given[name] = words[name]
        elif name in names:
            given[name] = bindings["parameters"][names.index(name)]
        elif name in bindings["sliced"]:
            given[name] = bindings[name][..., low:high]
        else:
            given[name] = bindings[name]
    rule.function(**given)

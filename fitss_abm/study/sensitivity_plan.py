"""What a sensitivity analysis is asked: parameters and ranges, outputs, how many runs; read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitss_abm.errors import Faults, InputError
from fitss_abm.study import sensitivity
from fitss_abm.study.follow_up import LAST, SURVEY, YEAR
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.sensitivity import MORRIS, SOBOL, Range
from fitss_abm.study.sensitivity_outputs import DEFAULT, followed, outputs
from fitss_abm.study.simulate import check_memory
from fitss_abm.study.validation_reasons import REASONS

PEOPLE, TRAJECTORIES, SAMPLES, TOP, REPLICATES = 5_000, 20, 128, 6, 1
CHANCE_RUNS = 5
"""Runs at the defaults, each with its own luck."""
_MOST = 2**20


@dataclass(frozen=True)
class Plan:
    """What is varied, what is looked at, and by how many runs; `planned` makes one and checks it."""

    ranges: tuple[Range, ...]
    outputs: tuple[str, ...] = DEFAULT
    people: int = PEOPLE
    day: int = SURVEY
    trajectories: int = TRAJECTORIES
    samples: int = SAMPLES
    top: int = TOP
    replicates: int = REPLICATES
    seed: int = 1
    asked_years: float | None = None

    @property
    def decomposed(self) -> int:
        """How many parameters are decomposed."""
        return min(self.top, len(self.ranges))

    @property
    def runs(self) -> dict[str, int]:
        """How many runs each part takes (fewer where points coincide)."""
        return {
            "chance": CHANCE_RUNS,
            MORRIS: self.trajectories * (len(self.ranges) + 1) * self.replicates,
            SOBOL: self.samples * (self.decomposed + 2) * self.replicates if self.decomposed else 0,
        }

    @property
    def years(self) -> float:
        """For how long each run goes on after the pre-history."""
        return self.day / YEAR


def planned(
    *,
    parameters: str | Mapping[str, tuple[float, float] | None] | None = None,
    outputs: str | None = None,
    people: Any = PEOPLE,
    years: Any = None,
    trajectories: Any = TRAJECTORIES,
    samples: Any = SAMPLES,
    top: Any = TOP,
    replicates: Any = REPLICATES,
    seed: Any = 1,
) -> Plan:
    """The plan of an analysis. Raises InputError with everything that cannot be used.

    `parameters`: names, each with =low:high or without, with commas between them, or ranges by name; None: those that the
    calibration frees. `outputs`: names with commas between them.
    """
    faults = Faults()
    faults.needs("SALib", extra="sensitivity")
    chosen = _ranges_in(parameters, faults) if isinstance(parameters, str) else parameters
    ranges = sensitivity.ranges_of(chosen, faults=faults) if chosen is None or chosen else ()
    names = _outputs_in(outputs, faults)
    for name, value, least in (
        ("trajectories", trajectories, 2), ("top", top, 0), ("replicates", replicates, 1), ("samples", samples, 2),
    ):  # fmt: skip
        faults.whole(name, value, least, _MOST)
    if isinstance(samples, int) and 2 <= samples <= _MOST and samples & (samples - 1):
        below = 1 << (samples.bit_length() - 1)
        problem = f"must be a power of two, as Sobol's sequence needs, such as {below} or {2 * below}"
        faults.add("samples", samples, problem)
    given = {} if years is None else {"years": years}
    day = SURVEY
    try:
        scenario = Scenario(people=people, seed=seed, **given)
        check_memory(scenario)
        day = scenario.days if given else SURVEY
    except InputError as error:
        faults.found += error.faults
    if followed(names):
        day = LAST
        if given:
            facts = ", ".join(name for name in names if followed([name]))
            faults.add(
                "years", years, f"cannot be chosen: published facts ({facts}) come from a cohort followed for 4 years"
            )
    faults.raise_if_any()
    return Plan(ranges, names, people, day, trajectories, samples, top, replicates, seed, years)


def _outputs_in(text: str | None, faults: Faults) -> tuple[str, ...]:
    if text is None:
        return DEFAULT
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        faults.add("outputs", text, "at least one must be named")
    for name in names:
        if name in REASONS:
            faults.add("outputs", name, f"cannot be read off a run: {REASONS[name]}")
        elif name not in outputs():
            faults.unknown("outputs", name, "output", outputs())
    return tuple(name for name in names if name in outputs())


def _ranges_in(text: str, faults: Faults) -> dict[str, tuple[float, float] | None]:
    """`name`, or `name=low:high`, with commas between them."""
    found: dict[str, tuple[float, float] | None] = {}
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        name, _, ends = (piece.strip() for piece in part.partition("="))
        if name in found:
            faults.add("parameters", part, "is named twice")
        found[name] = None
        if "=" in part:
            try:
                low, high = (float(end) for end in ends.split(":"))
                if not np.isfinite([low, high]).all():
                    raise ValueError
                found[name] = low, high
            except ValueError:
                faults.add("parameters", part, "must be name=low:high with two numbers")
    if not found:
        faults.add("parameters", text, "at least one must be named")
    return found

"""The experiments that come with the package: a question, what was expected, what may not be claimed, and the arms.

`data/experiments/<name>.toml`: question, expected, limits, people, years, replicates, main (the figure that answers), a table
`baseline` and a list `arms` of scenarios that are laid over it. Capacities are those for `people` and grow with them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.scenario_extends import merged

_KEYS = ("question", "expected", "limits", "people", "years", "replicates", "main", "baseline", "arms")


@dataclass(frozen=True)
class Experiment:
    """One of them, ready to be run by `fitss_abm.study.what_if.compare`."""

    name: str
    question: str
    expected: str
    limits: tuple[str, ...]
    replicates: int
    main: str
    """Name of the figure that answers the question, without its ending."""
    arms: tuple[Scenario, ...]
    """The baseline first."""

    @property
    def words(self) -> str:
        """Question, expectation and limits in sentences."""
        limits = "\n".join(f"- {line}" for line in self.limits)
        return f"{self.question}\n\nExpected before it was run: {self.expected}\n\nWhat it may not claim:\n\n{limits}"


def names() -> tuple[str, ...]:
    """The experiments there are."""
    folder = files("fitss_abm.data").joinpath("experiments")
    return tuple(sorted(path.name.removesuffix(".toml") for path in folder.iterdir() if path.name.endswith(".toml")))


def read(name: str, **overrides: Any) -> Experiment:
    """An experiment; `overrides`: people, years, seed or other values of all its scenarios.

    Raises InputError for a name that is not there, with the nearest one, and for whatever is wrong with the scenarios.
    """
    faults = Faults()
    if name not in names():
        faults.unknown("experiment", name, "experiment", names())
    faults.raise_if_any()
    text = files("fitss_abm.data").joinpath("experiments", f"{name}.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    for key in (*(key for key in told if key not in _KEYS), *(key for key in _KEYS if key not in told)):
        faults.add(key, told.get(key), "is missing" if key in _KEYS else "no such key of an experiment")
    faults.file = f"{name}.toml"
    faults.raise_if_any()
    base = {"people": told["people"], "years": told["years"]} | told["baseline"]
    people = overrides.get("people", base["people"])
    growth = people / base["people"] if isinstance(people, int | float) else 1.0
    wrong, arms = list[Fault](), list[Scenario]()
    for values in (base, *(merged(base, arm) for arm in told["arms"])):
        try:
            arms.append(Scenario(**(_grown(values, growth) | overrides)))
        except InputError as error:
            wrong += [fault for fault in error.faults if fault not in wrong]
    if wrong:
        raise InputError(wrong)
    limits = tuple(told["limits"])
    return Experiment(name, told["question"], told["expected"], limits, told["replicates"], told["main"], tuple(arms))


def _grown(values: dict[str, Any], growth: float) -> dict[str, Any]:
    """Capacities times `growth`."""
    programmes = [
        one | {"capacity": max(1, round(one["capacity"] * growth))} if "capacity" in one else one
        for one in values.get("programmes", ())
    ]
    return {**values, "programmes": programmes} if programmes else values

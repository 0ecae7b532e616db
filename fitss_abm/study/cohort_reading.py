"""A cohort from a file and what was said besides: options on the command line have the last word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_worlds import told_in
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.scenario_checks import read_toml


def read(file: Path | None, values: Mapping[str, Any], world: Mapping[str, Any]) -> Cohort:
    """The cohort of a TOML file (None: of nothing but defaults), with some of its values and of its scenario's replaced.

    Raises InputError with everything that is wrong.
    """
    given: dict[str, Any] = dict(values)
    if world:
        base = given.get("scenario")
        if base is None and file is not None:
            base = read_toml(file, "cohort").get("scenario", {})
            base = str(file.parent / base) if isinstance(base, str) else base
        if isinstance(base, str):
            given["scenario"] = _of_file(base, world)
        elif base is None or isinstance(base, Mapping):
            given["scenario"] = {**(base or {}), **world}
    return Cohort.read(file, **given) if file is not None else Cohort(**given)


def _of_file(path: str, world: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario's file with some values replaced, as a table; how long it lasts only if it says so."""
    read = Scenario.read(path, **world)
    table = {"name": read.name, **read.differences()}
    return table | ({"years": read.years} if "years" in told_in(path) else {})

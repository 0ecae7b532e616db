"""A pulse of stress for everybody: the same people with the same luck with it and without it, and how the excess goes back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from fitss_abm.study.intervals import CONFIDENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.scenario import Scenario

_YEAR, _WEEK = 365.25, 7
_Z = float(ndtri(0.5 + CONFIDENCE / 2))


@dataclass(frozen=True, eq=False)
class Pulse:
    """`excess`: alert and sensitization with the pulse less without, in points of 100, mean of a group with a 95 % interval, by
    day. `recovery`: by variable and group the excess when the pulse ends, its half-time (days from then; NaN if not
    reached) and what is left after each whole year from then, per cent.
    """

    excess: pd.DataFrame
    recovery: pd.DataFrame


def pulse(
    scenario: Scenario,
    control: Simulation,
    groups: Mapping[str, NDArray[np.bool_]],
    *,
    load: float,
    days: int = 182,
    years: int = 4,
) -> Pulse:
    """The same people with the same luck twice, once with so much more stress (stress units) every day of the first `days`.

    `control`: the scenario's simulation, prepared, on day 0; it is walked on. `groups`: of places; who dies on the way is left
    out. The load is added to that of life events, above the control's, and taken away at the end.
    """
    struck = scenario.simulation()
    with tempfile.TemporaryDirectory() as folder:
        struck.restore(control.save(Path(folder) / "start.npz"))
    lived = control.population["generation"].copy()
    seen: dict[int, dict[str, NDArray[np.float64]]] = {}
    while control.day <= days + years * _YEAR + _WEEK:
        if control.day % _WEEK == 0:
            seen[control.day] = {
                name: 100 * (struck.population[name].astype(np.float64) - control.population[name])
                for name in ("alert", "sensitization")
            }
        under = control.day < days
        step = 1 if under else _WEEK - control.day % _WEEK
        struck.population["event_load"][:] = control.population["event_load"] + np.float32(load if under else 0.0)
        for arm in (control, struck):
            arm.advance(step)
    alive = control.population["generation"] == lived
    rows = []
    for day, excess in seen.items():
        for variable, points in excess.items():
            for group, member in groups.items():
                some = points[member & alive]
                if not some.size:
                    continue
                half = _Z * some.std() / np.sqrt(some.size)
                rows.append((variable, group, day, some.size, some.mean(), some.mean() - half, some.mean() + half))
    table = pd.DataFrame(rows, columns=["variable", "group", "day", "people", "value", "low", "high"])
    lines = table.groupby(["variable", "group"], sort=False)
    return Pulse(table, pd.DataFrame([recovery(key, line, days, years) for key, line in lines]))


def recovery(key: Any, line: pd.DataFrame, end: int, years: int) -> dict[str, Any]:
    """How fast the excess of one group goes back from day `end` on: a row of `Pulse.recovery`."""
    day, value = line["day"].to_numpy(dtype=np.float64), line["value"].to_numpy(dtype=np.float64)
    peak = float(np.interp(end, day, value))
    later = np.arange(end, day[-1] + 0.5)
    fallen = np.flatnonzero(np.interp(later, day, value) <= peak / 2)
    row = {"variable": key[0], "group": key[1], "people": int(line["people"].iloc[0]), "peak": peak}
    row["half_time"] = float(fallen[0]) if fallen.size else np.nan
    left = {f"left_{k}": float(np.interp(end + k * _YEAR, day, value)) for k in range(1, years + 1)}
    return row | {name: 100 * points / peak if peak else np.nan for name, points in left.items()}

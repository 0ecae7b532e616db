"""Figures of a virtual trial: estimates beside the truth, and power by size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitss_abm.presentation.style import (
    BLACK,
    GREEN,
    GREY,
    MEN,
    ORANGE,
    house_style,
    legend_below,
    sheet,
    whisker_bounds,
)
from fitss_abm.study.trial_analysis import OUTCOMES
from fitss_abm.study.trial_runs import Trials

_MOST_ROWS = 40
_SHORT = {
    "pain": "pain (points)", "smd": "pain (SMD)", "half": "half the pain (% points)", "criteria_lost": "criteria lost (% points)",
}  # fmt: skip
_COLOURS = {"pain": MEN, "half": ORANGE, "criteria_lost": GREEN}


def draw_trial(found: Trials, path: Path) -> None:
    """Draw the forest of estimates beside the truth, or the curve of power, into a PNG file."""
    with house_style():
        figure = _power(found) if found.sizes else _forest(found)
        figure.savefig(path)


def _forest(found: Trials) -> Figure:
    table = found.primary
    replicates = sorted(table["replicate"].unique())[:_MOST_ROWS]
    many = "" if len(replicates) == found.table["replicate"].nunique() else f", the first {_MOST_ROWS} replicates"
    height = 2.6 + 0.16 * max(len(replicates), 4)
    figure = sheet(
        f"{found.trial.name}: estimates beside the truth",
        f"treated less untreated in week {table['week'].iloc[0]}, 95 % intervals{many}; orange: the interval misses the truth",
        width=11.0, height=height,
    )  # fmt: skip
    keys: list[Any] = []
    for axes, outcome in zip(figure.subplots(1, len(OUTCOMES), sharey=True), OUTCOMES, strict=True):
        rows = table[(table["outcome"] == outcome) & table["replicate"].isin(replicates)]
        keys = _rows(axes, rows, 100.0 if outcome in ("half", "criteria_lost") else 1.0)
        axes.set_xlabel(_SHORT[outcome])
        axes.set_yticks(range(len(replicates)), [str(k) for k in replicates])
        axes.set_ylim(len(replicates) - 0.5, -0.5)
    figure.axes[0].set_ylabel("replicate")
    legend_below(figure, keys)
    return figure


def _rows(axes: Axes, rows: pd.DataFrame, factor: float) -> list[Any]:
    y = np.arange(len(rows))
    value, low, high, truth = (
        factor * rows[name].to_numpy(dtype=float) for name in ("estimate", "low", "high", "truth")
    )
    axes.axvline(0.0, color=GREY, linewidth=0.8, zorder=0)
    drawn: list[Any] = []
    misses = (truth < low) | (truth > high)
    for some, colour, label in ((~misses, MEN, "estimate"), (misses, ORANGE, "estimate that misses")):
        drawn.append(
            axes.errorbar(
                value[some], y[some], xerr=whisker_bounds(value[some], low[some], high[some]), fmt="o", color=colour,
                markersize=4.5, elinewidth=1.2, zorder=2, gid="estimate", label=label,
            )
        )  # fmt: skip
    drawn += axes.plot(truth, y, "D", color=BLACK, markersize=4.5, zorder=3, gid="truth", label="truth")
    return drawn


def _power(found: Trials) -> Figure:
    table = found.power()
    trials = int(table["trials"].max())
    figure = sheet(
        f"{found.trial.name}: power by simulation",
        f"share of {trials} trials of each size with p < 0.05, with Wilson's 95 % intervals",
        width=8.0, height=5.0,
    )  # fmt: skip
    axes = figure.subplots()
    keys: list[Any] = []
    for outcome, colour in _COLOURS.items():
        rows = table[table["outcome"] == outcome]
        value, low, high = (100 * rows[name].to_numpy(dtype=float) for name in ("power", "low", "high"))
        keys.append(
            axes.errorbar(
                rows["size"].to_numpy(dtype=float), value, yerr=whisker_bounds(value, low, high), fmt="o-", color=colour,
                markersize=4.5, capsize=2, gid=f"power {outcome}", label=OUTCOMES[outcome].split(",")[0],
            )
        )  # fmt: skip
    axes.axhline(80, color=GREY, linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 101)
    axes.set_xlim(left=0)
    axes.set_xlabel("people in the trial")
    axes.set_ylabel("power (%)")
    legend_below(figure, keys)
    return figure

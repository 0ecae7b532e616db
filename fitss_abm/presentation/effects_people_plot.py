"""The figure of effects on people: single lives beside what people of a kind may expect."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fitss_abm.presentation import style
from fitss_abm.study.effect_people import KIND, ONE_LIFE
from fitss_abm.study.what_if import Comparison

_CLASSES = 31


def people_sheet(found: Comparison) -> Figure | None:
    """For each scenario: change in the number of conditions in single lives, and its mean in kinds of people."""
    table = found.people_effects
    if table.empty:
        return None
    rows = table[table["outcome"] == "number"]
    names = list(dict.fromkeys(rows["scenario"]))
    figure = style.sheet(
        "Effects on people: one life, and the mean over luck",
        "Number of conditions on the last day in the alternative less that in the baseline; fewer lies to the left\n"
        "Left: single people under one luck. Right: means of people alike in sex, age, adversity, loneliness and symptoms on the "
        "first day,\nover all runs, drawn towards the common mean by as much as chance spreads them",
        width=10,
        height=1.9 + 2.3 * len(names),
    )
    grid = figure.subplots(len(names), 2, squeeze=False)
    for axes, name in zip(grid, names, strict=True):
        mine = rows[rows["scenario"] == name]
        _lives(axes[0], mine[mine["view"] == ONE_LIFE])
        _kinds(axes[1], mine[mine["view"] == KIND])
        axes[0].set_title(fill(name, 60), loc="left", fontweight="bold")
    return figure


def _lives(axes: Axes, rows: pd.DataFrame) -> None:
    middle = (rows["low"] + rows["high"]) / 2
    some = rows["share"] > 0
    axes.bar(middle[some], rows["share"][some] * 100, 0.8, color=[_colour(x) for x in middle[some]])
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} %"))
    furthest = max(2.0, float(middle[some].abs().max()) if some.any() else 2.0)
    axes.set_xlim(-furthest - 0.7, furthest + 0.7)
    axes.set_xticks(np.arange(-int(furthest), int(furthest) + 1))
    axes.set_xlabel("change in the number of conditions, one life")
    axes.set_ylabel("share of adults (log)")


def _kinds(axes: Axes, rows: pd.DataFrame) -> None:
    value, share = rows["low"].to_numpy(float), rows["share"].to_numpy(float)
    furthest = float(np.abs(value).max()) if value.size else 0.0
    furthest = furthest * 1.05 if furthest > 0 else 0.01
    edges = np.linspace(-furthest, furthest, _CLASSES + 1)
    height, _ = np.histogram(value, edges, weights=share * 100)
    middle = (edges[1:] + edges[:-1]) / 2
    axes.bar(middle, height, edges[1] - edges[0], color=[_colour(x) for x in middle], edgecolor="white", linewidth=0.4)
    axes.axvline(0, color=style.GREY, linewidth=0.9)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda height, _: f"{height:g} %"))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("mean change in the number of conditions of people of a kind")
    axes.set_ylabel("share of adults")


def _colour(change: float) -> str:
    return style.MEN if change < -1e-12 else style.WOMEN if change > 1e-12 else style.GREY

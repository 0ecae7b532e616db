"""Figures of alert as an attractor: loops of hysteresis, how many are bistable, and how an excess goes back after a pulse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fitss_abm.presentation import style
from fitss_abm.study.attractor import TOLERANCE

_DASHED = (0, (3, 2))
_SYSTEMS = {"fast": style.ORANGE, "slow": style.GREEN, "slow with sleep": style.MEN}
_SAYS = {
    "fast": "sensitization and sleep held",
    "slow": "sensitization follows alert",
    "slow with sleep": "sensitization and sleep follow alert",
}
_WORLDS = (style.BLACK, style.SKY, style.ORANGE, style.PURPLE, style.GREEN)
_DAYS = 365.25
_FEEDBACK = "chi: how much alert blunts soothing; gamma: how much sensitization adds to threat"


def save(draw: Callable[[], Figure], path: str | Path) -> None:
    """Draw in our style to a PNG."""
    with style.house_style():
        draw().savefig(path)


def draw_loops(loops: pd.DataFrame, people: pd.DataFrame) -> Figure:
    """Alert of a few people as load rises and falls (above) and as soothing falls and rises (below).

    `loops`: person, sweep (load or soothing), system, value, up (the calm branch), down (the branch from alert).
    `people`: person, load.
    """
    persons = list(people["person"])
    figure = style.sheet(
        "Alert under a load that slowly rises and falls, and with soothing that slowly falls and rises",
        "Three people of the simulated population; steady states of the mean-field equations, each sought from the last "
        "one. Dotted: the person as now",
        width=10.0,
        height=6.6,
    )
    grid = figure.subplots(2, len(persons), sharey=True, squeeze=False)
    for row, sweep in zip(grid, ("load", "soothing"), strict=True):
        for axes, person in zip(row, persons, strict=True):
            part = loops[(loops["person"] == person) & (loops["sweep"] == sweep)]
            for system, line in part.groupby("system", sort=False):
                colour = _SYSTEMS[str(system)]
                apart = np.abs(line["down"] - line["up"]) > 0
                axes.fill_between(
                    line["value"], line["up"], line["down"], where=apart, color=colour, alpha=0.12, linewidth=0
                )
                axes.plot(line["value"], line["up"], color=colour, gid=f"{system} from calm")
                axes.plot(line["value"], line["down"], color=colour, linestyle=_DASHED, gid=f"{system} from alert")
            now = float(people.loc[people["person"] == person, "load"].iloc[0]) if sweep == "load" else 100.0
            axes.axvline(now, color=style.GREY, linewidth=1.0, linestyle=":")
            axes.set_ylim(-0.03, 1.03)
            axes.set_xlim(part["value"].min(), part["value"].max())
            axes.set_xlabel(
                "Constant load (stress units a day)"
                if sweep == "load"
                else "Sources of soothing (% of the person's own)"
            )
            if sweep == "load":
                axes.set_title(person, loc="left")
        row[0].set_ylabel("Alert (proportion of full alert)")
    shown = [system for system in _SYSTEMS if (loops["system"] == system).any()]
    handles = [Line2D([], [], color=_SYSTEMS[system], label=_SAYS[system]) for system in shown]
    handles += [
        Line2D([], [], color=style.GREY, label="from calm"),
        Line2D([], [], color=style.GREY, linestyle=_DASHED, label="from alert"),
    ]
    style.legend_below(figure, [*handles])
    return figure


def draw_shares(shares: pd.DataFrame) -> Figure:
    """Adults who are bistable at their own present load: women, men and all, by world and by what follows alert.

    `shares`: world, system, group, what, value, low, high (per cent).
    """
    now = shares[shares["what"] == "now"]
    rows = list(now[["world", "system"]].drop_duplicates().itertuples(index=False, name=None))
    worlds = list(dict.fromkeys(world for world, _ in rows))
    figure = style.sheet(
        "How many adults are bistable at their own present load",
        f"Two steady states of alert that differ by more than {100 * TOLERANCE:g} points of 100; 95 % intervals\n{_FEEDBACK}",
        height=2.1 + 0.3 * len(rows),
    )
    axes = figure.subplots()
    place = {row: k + 0.6 * worlds.index(row[0]) for k, row in enumerate(rows)}
    marks = (("women", style.WOMEN, "o", -0.22), ("all", style.BLACK, "D", 0.0), ("men", style.MEN, "o", 0.22))
    for group, colour, marker, shift in marks:
        part = now[now["group"] == group]
        y = np.array([place[row] for row in zip(part["world"], part["system"], strict=True)]) + shift
        bounds = style.whisker_bounds(part["value"], part["low"], part["high"])
        axes.errorbar(
            part["value"], y, xerr=bounds, fmt=marker, color=colour, markersize=4.2, elinewidth=1.2, gid=group,
            clip_on=False,
        )  # fmt: skip
    axes.set_yticks(list(place.values()), [_SAYS[system] for _, system in rows])
    for world in worlds:
        first = min(y for (name, _), y in place.items() if name == world)
        axes.annotate(
            world, (1.0, first), xycoords=("axes fraction", "data"), xytext=(0, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8.5, fontweight="bold",
        )  # fmt: skip
        if first > 0:
            axes.axhline(first - 0.8, color="#DDDDDD", linewidth=0.8)
    axes.set_ylim(max(place.values()) + 0.6, -0.6)
    axes.set_xlim(0.0, max(1.0, 1.25 * float(now["high"].max())))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#EBEBEB", linewidth=0.7)
    axes.set_xlabel("Bistable (% of adults)")
    style.legend_below(figure, [Line2D([], [], color=c, marker=m, linestyle="", label=g) for g, c, m, _ in marks])
    return figure


def draw_pulse(excess: pd.DataFrame, *, days: int, load: float) -> Figure:
    """What a pulse of stress leaves behind in adults, above the same people without it.

    `excess`: world, variable (alert or sensitization), group, day, value, low, high (points of 100).
    """
    rows = excess[excess["group"] == "all"]
    worlds = list(rows["world"].unique())
    figure = style.sheet(
        "What a pulse of stress leaves behind",
        f"{load:g} stress units a day more for everybody, for {days} days (grey); adults, less the same people with the same "
        f"luck without it; bands: 95 % intervals\n{_FEEDBACK}",
        width=10.0,
        height=4.8,
    )
    grid: list[Axes] = list(figure.subplots(1, 2))
    for axes, variable in zip(grid, ("alert", "sensitization"), strict=True):
        axes.axvspan(0, days / _DAYS, color="#E9E9E9", linewidth=0)
        for world, colour in zip(worlds, _WORLDS, strict=False):
            line = rows[(rows["world"] == world) & (rows["variable"] == variable)]
            years = line["day"] / _DAYS
            axes.fill_between(years, line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
            axes.plot(years, line["value"], color=colour, gid=f"{world} {variable}")
        axes.axhline(0.0, color=style.GREY, linewidth=0.8)
        axes.set_xlim(0.0, rows["day"].max() / _DAYS)
        axes.set_xlabel("Years since the pulse began")
        axes.set_ylabel(f"Excess {variable} (points of 100)")
    handles = [Line2D([], [], color=colour, label=world) for world, colour in zip(worlds, _WORLDS, strict=False)]
    style.legend_below(figure, [*handles, Patch(color="#E9E9E9", label="pulse")])
    return figure

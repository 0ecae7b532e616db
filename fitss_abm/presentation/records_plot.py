"""Asked against obtained: who there is, what they hold and how they score, beside the model alone and what time makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.presentation import style
from fitss_abm.presentation.records_page import called
from fitss_abm.study.records_report import StartingPopulation

_ROW = 0.24  # inches


def draw_records(found: StartingPopulation, path: str | Path) -> None:
    """Draw to a PNG."""
    with style.house_style():
        asked_against_obtained(found).savefig(path)


def asked_against_obtained(found: StartingPopulation) -> Figure:
    """A panel each for sex and age, conditions, and scores; a row each for what is mapped."""
    rows = found.marginals[found.marginals["sex"] == "all"].assign(per_cent=lambda t: t["kind"] == "share")
    who = rows["measure"].str.startswith(("age ", "women"))
    parts = [
        ("Women, and ages, % of people", rows[who]),
        ("Conditions held, % of people", rows[~who & rows["per_cent"]]),
        ("Scores, means", rows[~rows["per_cent"]]),
    ]
    parts = [(title, part) for title, part in parts if len(part)]
    most = max(len(part) for _title, part in parts)
    last = int(found.drift["year"].max()) if len(found.drift) else 0
    figure = style.sheet(
        "What the records ask, and what the population has",
        f"{found.counts['people']:,} people from {found.counts['records']:,} records; lines: 95 % intervals of sampling",
        width=4.2 * len(parts),
        height=1.7 + _ROW * most,
    )
    for axes, (title, part) in zip(np.ravel(figure.subplots(1, len(parts), squeeze=False)), parts, strict=True):
        _panel(axes, part.reset_index(drop=True), title, found.drift, last)
    marks = [
        ("asked", style.BLACK, "|", None),
        ("obtained", style.MEN, "o", None),
        ("the model alone", style.GREY, "o", "white"),
        *([(f"after {last} years", style.ORANGE, "D", None)] if last else []),
    ]
    handles: list[Artist] = [
        Line2D(
            [], [], color=colour, marker=marker, markerfacecolor=fill or colour, linestyle="", markersize=6, label=label
        )
        for label, colour, marker, fill in marks
    ]
    style.legend_below(figure, handles)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, title: str, drift: pd.DataFrame, last: int) -> None:
    y = np.arange(len(rows))
    scale = np.where(rows["per_cent"], 100.0, 1.0)
    asked, obtained, own = (rows[name].to_numpy(float) * scale for name in ("asked", "obtained", "own"))
    reach = 1.96 * rows["standard_error"].to_numpy(float) * scale
    axes.errorbar(
        asked, y, xerr=reach, fmt="|", color=style.BLACK, markersize=11, elinewidth=1.3, zorder=2, gid="asked"
    )
    axes.plot(own, y, "o", color=style.GREY, markerfacecolor="white", markersize=5.5, zorder=3, gid="own")
    if last:
        later = drift[drift["year"] == last].set_index("measure")["value"].reindex(rows["measure"]).to_numpy(float)
        axes.plot(later * scale, y, "D", color=style.ORANGE, markersize=4.2, zorder=4, gid="later")
    axes.plot(obtained, y, "o", color=style.MEN, markersize=4.6, zorder=5, gid="obtained")
    axes.set_yticks(y, [called(name) for name in rows["measure"]])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_title(title, loc="left")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#EBEBEB", linewidth=0.7)
    if bool(rows["per_cent"].all()):
        axes.set_xlim(left=0)

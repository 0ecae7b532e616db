"""Figures of a comparison: effects over time, scenarios side by side, benefit by distance, cost and effect, single people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from fitss_abm.measurement.contrasts import GROUPS, LATER
from fitss_abm.presentation import style
from fitss_abm.presentation.effects_people_plot import people_sheet
from fitss_abm.presentation.effects_words import SPOKEN, name_of, years_said
from fitss_abm.study.what_if import Comparison

COLOURS = (style.MEN, style.WOMEN, style.GREEN, style.PURPLE, style.ORANGE, style.SKY, style.BLACK, style.GREY)
MARKERS = "osD^vPX*"
_FOREST = (
    ("risk_difference", "any", "Difference in any condition\nof the family (per 1000 adults)"),
    ("risk_difference", "fibromyalgia", "Difference in fibromyalgia\n(per 1000 adults)"),
    ("yld_averted", "all", "Years lived with disability averted\n(per 1000 adults)"),
    ("sex_ratio_change", "any", "Change of the ratio women : men\nof any condition"),
)


def draw_comparison(found: Comparison, folder: Path) -> list[Path]:
    """Draw every figure that the comparison has something for; their paths, the main one first."""
    sheets: Mapping[str, Callable[[Comparison], Figure | None]] = {
        "effect_over_time": over_time_sheet,
        "forest": forest_sheet,
        "benefit_by_distance": distance_sheet,
        "cost_effectiveness": cost_sheet,
        "person_effects": people_sheet,
    }
    paths = []
    with style.house_style():
        for name, sheet in sheets.items():
            figure = sheet(found)
            if figure is not None:
                paths.append(folder / f"{name}.png")
                figure.savefig(paths[-1])
    return paths


def runs_said(found: Comparison) -> str:
    """What the intervals are of."""
    draws = f" at each of {found.draws} draws of the posterior" if found.draws else ""
    base = found.baseline
    runs = f"{found.replicates} run{'s' if found.replicates > 1 else ''}"
    return f"against {base.name}; {runs}{draws} of {base.people:,} people; 95 % intervals"


def over_time_sheet(found: Comparison) -> Figure:
    """Differences in prevalence from the first day to the last."""
    figure = style.sheet("What changes, and when", f"Difference in prevalence {runs_said(found)}", width=10, height=7.2)
    grid = figure.subplots(2, 2, sharex=True).ravel()
    table = found.effects
    rows = table[(table["estimand"] == "risk_difference") & (table["sex"] == "all") & (table["age_group"] == "all")]
    for axes, condition in zip(grid, SPOKEN, strict=True):
        axes.axhline(0, color=style.GREY, linewidth=0.9)
        for k, one in enumerate(found.alternatives):
            mine = rows[(rows["scenario"] == one.name) & (rows["condition"] == condition)]
            date = pd.to_datetime(mine["date"])
            colour = COLOURS[k % len(COLOURS)]
            axes.plot(
                date, mine["value"], color=colour, marker=MARKERS[k % len(MARKERS)], markersize=3.5, label=one.name
            )
            axes.fill_between(date, mine["low"], mine["high"], color=colour, alpha=0.18, linewidth=0)
        axes.set_title(name_of(condition)[0].upper() + name_of(condition)[1:], loc="left")
        axes.set_ylabel("more or fewer per 1000 adults")
        style.date_axis(axes)
        axes.tick_params(labelbottom=True)
    handles = grid[0].get_legend_handles_labels()[0]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def forest_sheet(found: Comparison) -> Figure:
    """Each scenario a row: differences on the last day and years averted."""
    names = [one.name for one in found.alternatives]
    figure = style.sheet(
        "Scenarios side by side",
        f"On the last day, after {years_said(found.baseline)}, {runs_said(found)}",
        width=13,
        height=2.3 + 0.5 * len(names),
    )
    for axes, (estimand, condition, label) in zip(figure.subplots(1, len(_FOREST), sharey=True), _FOREST, strict=True):
        axes.axvline(0, color=style.GREY, linewidth=0.9)
        for y, name in enumerate(names):
            row = found.row(estimand, name, condition=condition)
            if row is None:
                continue
            whisker = style.whisker_bounds(row["value"], row["low"], row["high"])
            colour, marker = COLOURS[y % len(COLOURS)], MARKERS[y % len(MARKERS)]
            axes.errorbar(
                [row["value"]], [y], xerr=whisker, fmt=marker, color=colour, markersize=6, gid=f"{estimand} {name}"
            )
        axes.set_xlabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_yticks(range(len(names)), [fill(name, 34) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color="#EBEBEB", linewidth=0.7)
    return figure


def distance_sheet(found: Comparison) -> Figure | None:
    """Who is how far from the treated, what it does to them, and whose benefit it is."""
    table = found.effects
    near = table[table["subgroup"].str.startswith("distance: ")]
    names = [one.name for one in found.alternatives if (near["scenario"] == one.name).any()]
    if not names:
        return None
    figure = style.sheet(
        "Benefit by distance in the network",
        f"Steps along ties of the first day from whoever was treated; {runs_said(found)}\nMiddle: the same as on the left, without "
        "the treated themselves",
        width=11,
        height=1.6 + 2.6 * len(names),
    )
    grid = figure.subplots(len(names), 3, squeeze=False)
    for axes, name in zip(grid, names, strict=True):
        mine = near[near["scenario"] == name]
        levels = [one for one in GROUPS["distance"] if one != LATER and (mine["subgroup"] == f"distance: {one}").any()]
        says = [{"0": "treated", "no tie leads there": "no tie\nleads there"}.get(one, one) for one in levels]
        for panel, first in ((axes[0], 0), (axes[1], 1)):
            _effects_at(panel, mine, levels, first)
            panel.set_xticks(range(first, len(levels)), says[first:])
            panel.set_xlabel("steps from the treated")
            panel.set_ylabel("years lived with disability\naverted per 1000 people")
        _shares_at(axes[2], mine, levels)
        axes[2].set_xticks(range(len(levels)), says)
        axes[2].set_xlabel("steps from the treated")
        axes[0].set_title(name, loc="left", fontweight="bold")
    style.legend_below(figure, list(grid[0][2].get_legend_handles_labels()[0]))
    return figure


def _effects_at(axes: Axes, mine: pd.DataFrame, levels: list[str], first: int) -> None:
    rows = mine[mine["estimand"] == "yld_averted_in_people"].set_index("subgroup")
    axes.axhline(0, color=style.GREY, linewidth=0.9)
    for x, level in enumerate(levels):
        if x >= first:
            row = rows.loc[f"distance: {level}"]
            whisker = style.whisker_bounds(row["value"], row["low"], row["high"])
            axes.errorbar([x], [row["value"]], yerr=whisker, fmt="o", color=style.MEN, markersize=5)


def _shares_at(axes: Axes, mine: pd.DataFrame, levels: list[str]) -> None:
    kinds = (
        ("people_share", "share of adults", style.GREY, -0.2),
        ("benefit_share_yld", "share of the benefit", style.MEN, 0.2),
    )
    for estimand, label, colour, shift in kinds:
        rows = mine[mine["estimand"] == estimand].set_index("subgroup")
        value = [float(rows["value"].get(f"distance: {level}", np.nan)) for level in levels]
        ends = [[float(rows[end].get(f"distance: {level}", np.nan)) for level in levels] for end in ("low", "high")]
        known = np.isfinite(ends).all()
        if estimand == "benefit_share_yld" and not known and len(levels) and not np.isfinite(ends[0]).any():
            axes.set_title("shares of the benefit cannot be told", loc="right", fontsize=8, color=style.GREY)
            axes.bar([0], [0], 0.4, color=colour, label=label)
            continue
        places = np.arange(len(levels)) + shift
        axes.bar(places, value, 0.4, color=colour, label=label)
        ends = np.where(np.isfinite(ends), ends, np.nan).tolist()
        whisker = style.whisker_bounds(value, *ends)
        axes.errorbar(places, value, yerr=whisker, fmt="none", ecolor=style.BLACK, elinewidth=1)
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.3), min(high, 1.3))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("share of all")


def cost_sheet(found: Comparison) -> Figure | None:
    """The cost-effectiveness plane: years averted against cost."""
    rows = [
        (one.name, found.row("yld_averted", one.name, condition="all"), found.row("cost", one.name, condition="all"))
        for one in found.alternatives
    ]
    points = [
        (name, years, cost) for name, years, cost in rows if years is not None and cost is not None and cost["value"]
    ]
    if not points:
        return None
    figure = style.sheet(
        "Cost and effect",
        f"Costs discounted at {found.discount:.1%} a year, health not; {runs_said(found)}",
        width=9,
        height=6,
    )
    axes = figure.subplots()
    axes.axhline(0, color=style.GREY, linewidth=0.9)
    axes.axvline(0, color=style.GREY, linewidth=0.9)
    for k, (name, years, cost) in enumerate(points):
        assert years is not None
        assert cost is not None
        across = style.whisker_bounds(years["value"], years["low"], years["high"])
        up = style.whisker_bounds(cost["value"], cost["low"], cost["high"])
        axes.errorbar(
            [years["value"]], [cost["value"]], xerr=across, yerr=up, fmt=MARKERS[k % len(MARKERS)], markersize=6,
            color=COLOURS[k % len(COLOURS)], label=fill(name, 40), zorder=3,
        )  # fmt: skip
    right, top = axes.get_xlim()[1], axes.get_ylim()[1]
    axes.set_autoscale_on(False)
    for price in (1_000, 10_000, 50_000, 200_000):
        if right <= 0 or top <= 0:
            break
        end = min(right, top / price)
        axes.plot([0, end], [0, end * price], color=style.PALE, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        side = "right" if end == right else "center"
        axes.annotate(f"${price:,} a year", (end, end * price), fontsize=7.5, color=style.GREY, ha=side, va="bottom")
    axes.set_xlabel("years lived with disability averted per 1000 adults")
    axes.set_ylabel("cost, international dollars per 1000 adults")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.legend_below(figure, list(axes.get_legend_handles_labels()[0]))
    return figure

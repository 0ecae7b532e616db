"""The figure of a sensitivity analysis: effects of the screening above, shares of variance below, a column an output."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.presentation import style
from fitss_abm.presentation.sensitivity_page import direction, in_unit, measured, order
from fitss_abm.study.sensitivity import MORRIS, SOBOL
from fitss_abm.study.sensitivity_runs import Index, Sensitivity

_ACROSS = 6  # outputs side by side
_ROW, _PANEL = 0.24, 1.95  # inches
_WAYS = {"↑": ("^", style.GREEN), "↓": ("v", style.PURPLE), "↕": ("o", style.BLACK), "": ("o", style.PALE)}
_SAYS = {"↑": "effect: raises the output", "↓": "lowers it", "↕": "raises here, lowers there"}
_INDICES = (
    ("S1", -0.17, "o", style.BLACK, "by itself (S1)"),
    ("ST", 0.17, "D", style.ORANGE, "with interactions (ST)"),
)
_SHARES = (-0.3, 1.3)  # the axis of shares ends here however wide an interval is


def draw_sensitivity(found: Sensitivity, path: str | Path) -> None:
    """Draw to a PNG."""
    with style.house_style():
        sensitivity_sheet(found).savefig(path)


def sensitivity_sheet(found: Sensitivity) -> Figure:
    """Effects (mu_star) of all parameters, and S1 and ST of those decomposed, with 95 % intervals."""
    names = order(found)
    rows = [row for row in found.reference.to_dict("records") if found.indices(MORRIS, row["output"])]
    bands = -(-len(rows) // _ACROSS)
    across = -(-len(rows) // bands)
    below = len(found.decomposed)
    heights = ([len(names), below] if below else [len(names)]) * bands
    plan = found.plan
    figure = style.sheet(
        "What moves the outputs",
        f"{len(names)} parameters over their ranges; runs of {plan.people:,} people, all with the same luck; 95 % intervals by "
        f"the bootstrap\nEffects: {plan.trajectories} trajectories (Morris)"
        + (f"; shares: {plan.samples} samples (Sobol), the other parameters at their defaults" if below else ""),
        width=max(7.5, 2.6 + _PANEL * across),
        height=1.6 + bands * (_ROW * (len(names) + below) + (2.2 if below else 1.2)),
    )
    grid = figure.subplots(
        len(heights), across, squeeze=False, gridspec_kw={"height_ratios": [n + 1.5 for n in heights]}
    )
    step, span = len(heights) // bands, _share_span(found)
    for k, row in enumerate(rows):
        band, column = divmod(k, across)
        output, unit = str(row["output"]), str(row["unit"])
        axes = grid[band * step, column]
        _effects(axes, found.indices(MORRIS, output), names, labelled=column == 0)
        label = "\n".join(textwrap.wrap(str(row["label"]), 30, max_lines=3, placeholder=" …"))
        axes.set_title(f"{label}\n{measured(row['value'], unit)} at the defaults", loc="left", fontsize=8.5)
        axes.set_xlabel(f"Effect ({in_unit(unit)})", fontsize=8)
        if below:
            shares = found.indices(SOBOL, output)
            lower = grid[band * step + 1, column]
            _shares(lower, shares, list(found.decomposed), span=span, labelled=column == 0)
    for axes in grid[-step:, len(rows) - (bands - 1) * across :].ravel():
        axes.remove()
    style.legend_below(figure, [*_keys(), *(_share_keys() if below else [])])
    return figure


def _effects(axes: Axes, effects: Mapping[str, Mapping[str, Index]], names: list[str], *, labelled: bool) -> None:
    for y, name in enumerate(names):
        marker, colour = _WAYS[direction(effects[name])]
        _dot(axes, effects[name]["mu_star"], y, marker=marker, colour=colour, gid=f"effect {name}")
    right = axes.get_xlim()[1]
    axes.set_xlim(-0.03 * right, right)  # room for the marker of no effect
    _named_rows(axes, names, labelled=labelled)


def _shares(
    axes: Axes,
    explained: Mapping[str, Mapping[str, Index]],
    names: list[str],
    *,
    span: tuple[float, float],
    labelled: bool,
) -> None:
    if explained:
        for index, shift, marker, colour, _ in _INDICES:
            for y, name in enumerate(names):
                held = Index(*(min(max(number, _SHARES[0]), _SHARES[1]) for number in explained[name][index]))
                _dot(axes, held, y + shift, marker=marker, colour=colour, gid=f"{index} {name}")
    else:
        axes.text(0.5, 0.5, "not analysed", transform=axes.transAxes, ha="center", va="center", color=style.GREY)
    axes.axvline(0.0, color=style.GREY, linewidth=0.8, zorder=1)
    axes.set_xlabel("Share of variance", fontsize=8)
    _named_rows(axes, names, labelled=labelled)
    axes.set_xlim(*span)


def _share_span(found: Sensitivity) -> tuple[float, float]:
    """Ends of the axis of shares, the same for all outputs."""
    rows = found.table[found.table["method"] == SOBOL]
    low, high = min(-0.05, rows["low"].min(skipna=True)), max(1.02, rows["high"].max(skipna=True))
    return max(low, _SHARES[0]), min(high, _SHARES[1])


def _dot(axes: Axes, index: Index, y: float, *, marker: str, colour: str, gid: str) -> None:
    whisker = style.whisker_bounds(*index)
    axes.errorbar(
        index.value, y, xerr=whisker, fmt=marker, color=colour, markersize=4.2, elinewidth=1.1, zorder=3, gid=gid
    )


def _named_rows(axes: Axes, names: list[str], *, labelled: bool) -> None:
    axes.set_yticks(
        range(len(names)), [_brief(name) for name in names] if labelled else [""] * len(names), fontsize=7.5
    )
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color="#EBEBEB", linewidth=0.7)
    for edge in np.arange(0.5, len(names) - 1):
        axes.axhline(edge, color="#EFEFEF", linewidth=0.6, zorder=0)


def _brief(name: str) -> str:
    """conditions.<id>.<field> as two lines without its first word."""
    return "\n".join(name.removeprefix("conditions.").rsplit(".", 1))


def _keys() -> list[Line2D]:
    marks = [(*_WAYS[way], says) for way, says in _SAYS.items()]
    return [Line2D([], [], color=colour, marker=marker, markersize=4.5, label=says) for marker, colour, says in marks]


def _share_keys() -> list[Line2D]:
    return [Line2D([], [], color=c, marker=m, markersize=4.5, label=f"share: {s}") for _, _, m, c, s in _INDICES]

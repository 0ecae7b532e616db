"""The figure of the sex-ratio decomposition: a row a condition, a panel a mechanism."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fitss_abm.presentation import style
from fitss_abm.presentation.sex_decomposition_page import mechanism_label, sure
from fitss_abm.study.sex_decomposition import ALL, INTERACTION, Decomposition

_ROW, _PANEL = 0.27, 1.05  # inches
_ENDS = (0.72, 3.1)  # of the axis of factors; what goes further is said in words
_WHOLE_ENDS = (0.7, 12.0)
_NOTABLE = 1.05


def draw_sex_decomposition(found: Decomposition, path: str | Path) -> bool:
    """Draw to a PNG; False where there is no ratio at all."""
    with style.house_style():
        figure = sex_sheet(found)
        if figure is None:
            return False
        figure.savefig(path)
    return True


def sex_sheet(found: Decomposition) -> Figure | None:
    """The ratio of every condition, and the factor that each mechanism brings to it, with 95 % intervals."""
    table = found.table[np.isfinite(found.table["ratio"])]
    if table.empty:
        return None
    whole = table[table["mechanism"] == ALL].sort_values("ratio", ascending=False)
    ids = [str(id) for id in whole["condition"]]
    shown = [*found.mechanisms, INTERACTION]
    figure = style.sheet(
        "Where the sex ratio comes from",
        f"Factor by which each mechanism raises women : men, found by switching it off in the same people; {found.replicates} "
        f"runs of {found.people:,} people, 95 % intervals; logarithmic axes\n"
        "Prevalence on the first day, standardised for age. Interaction: what mechanisms do only together; grey: the interval "
        "holds 1",
        width=3.6 + 1.5 + _PANEL * len(shown),
        height=2.0 + _ROW * len(ids),
    )
    axes = figure.subplots(1, 1 + len(shown), sharey=True, gridspec_kw={"width_ratios": [1.5] + [1.0] * len(shown)})
    _whole(axes[0], [dict(row) for _, row in whole.iterrows()])
    for panel, name in zip(axes[1:], shown, strict=True):
        rows = {row["condition"]: row for row in table[table["mechanism"] == name].to_dict("records")}
        _factors(panel, [rows[id] for id in ids], name)
    style.rows_of(axes[0], ids)
    for panel in axes[1:]:
        panel.tick_params(axis="y", length=0)
        for edge in np.arange(0.5, len(ids) - 1):
            panel.axhline(edge, color="#EFEFEF", linewidth=0.6, zorder=0)
    return figure


def _whole(axes: Axes, rows: list[dict[Any, Any]]) -> None:
    """The ratio with everything on, as a bar from 1, and with everything off, as a ring."""
    y = np.arange(len(rows))
    ratio = np.array([row["ratio"] for row in rows], dtype=float)
    off = np.array([row["ratio_off"] for row in rows], dtype=float)
    axes.barh(y, np.clip(ratio, *_WHOLE_ENDS) - 1, left=1.0, color=style.GREY, height=0.6, gid="ratio")
    axes.plot(
        np.clip(off, *_WHOLE_ENDS),
        y,
        "o",
        markerfacecolor="white",
        markeredgecolor=style.BLACK,
        markersize=4.5,
        gid="off",
    )
    for k, value in enumerate(ratio):
        at = max(min(value, _WHOLE_ENDS[1]), off[k], 1.0)
        axes.annotate(
            f"{value:.1f}" if value >= 2 else f"{value:.2f}", (at, k), xytext=(5, 0), textcoords="offset points", va="center",
            fontsize=7.5,
        )  # fmt: skip
    _axis(axes, _WHOLE_ENDS, (1, 2, 4, 8))
    axes.set_xlim(_WHOLE_ENDS[0], _WHOLE_ENDS[1] * 1.9)
    axes.set_title("women : men\n○ all off", loc="left", fontsize=8.5)


def _factors(axes: Axes, rows: list[dict[Any, Any]], name: str) -> None:
    colour = style.PALE if name == INTERACTION else style.WOMEN
    for k, row in enumerate(rows):
        clear = sure(row)
        factor, low, high = (float(np.exp(row[key])) for key in ("contribution", "low", "high"))
        held = float(np.clip(factor, *_ENDS))
        axes.barh(
            k, held - 1, left=1.0, color=colour if clear else "#E6E6E6", height=0.6, gid=f"{row['condition']} {name}"
        )
        if row["contribution"] and np.isfinite([low, high]).all():
            axes.hlines(k, *np.clip([low, high], *_ENDS), color=style.BLACK, linewidth=0.9)
        if clear and (factor > _NOTABLE or factor < 1 / _NOTABLE):
            end = min(max(high if factor > 1 else 1.0, held, 1.0), _ENDS[1])
            inside = end > _ENDS[1] * 0.8
            axes.annotate(
                f"{factor:.1f}" if factor >= 10 else f"{factor:.2f}", (1.0 if inside else end, k), xytext=(3, 0),
                textcoords="offset points", va="center", fontsize=6.8, color="white" if inside else style.BLACK,
                fontweight="bold" if inside else "normal",
            )  # fmt: skip
    _axis(axes, _ENDS, (1, 1.5, 2, 3))
    axes.set_title("\n".join(textwrap.wrap(mechanism_label(name), 13)), loc="left", fontsize=8.5)


def _axis(axes: Axes, ends: tuple[float, float], ticks: tuple[float, ...]) -> None:
    axes.set_xscale("log")
    axes.set_xlim(*ends)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], fontsize=7.5)
    axes.minorticks_off()
    axes.axvline(1.0, color=style.BLACK, linewidth=0.8, zorder=1)

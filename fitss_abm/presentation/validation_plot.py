"""The forest plot of a validation: published ranges as bars, simulated values with their intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.presentation import style
from fitss_abm.presentation.validation_page import comparable, figures, names
from fitss_abm.study.validation import Validation

_ROLES = ("fit", "check", "context")
_MOST = 12.0  # times the published value, or a part of it as small: the ends of the axis
_MARKERS = {"fitted": "o", "emergent": "D", "informed": "s"}
_ROW = 0.21  # inches


def draw_validation(validation: Validation, path: str | Path) -> bool:
    """Draw to a PNG; False where no row can be compared."""
    with style.house_style():
        figure = forest(validation)
        if figure is None:
            return False
        figure.savefig(path)
    return True


def forest(validation: Validation) -> Figure | None:
    """Each row that can be compared, as a multiple of the published value (of the middle of the range without one)."""
    table = validation.table.assign(name=names(validation.table))
    rows = comparable(table[table["role"].isin(_ROLES)])
    rows = rows[rows["published_low"] > 0]
    if rows.empty:
        return None
    rows = rows.assign(order=rows["role"].map(_ROLES.index).astype(int)).sort_values("order", kind="stable")
    scaled = _scaled(rows)
    ids = list(scaled["condition"])
    many = "s" if validation.replicates > 1 else ""
    figure = style.sheet(
        "The model beside what has been published",
        f"{validation.replicates} run{many} of {validation.people:,} people; simulated values with 95 % intervals, as "
        "multiples of the published value; logarithmic axis",
        width=11.5,
        height=2.2 + _ROW * len(ids),
    )
    axes = figure.subplots()
    style.per_cent_log_axis(axes)
    axes.set_xlim(1 / _MOST, _MOST)
    ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    keys = style.draw_published(axes, scaled.assign(value=scaled["published"]), ids)
    for inside, colour in ((True, style.BLACK), (False, style.PURPLE)):
        for origin, marker in _MARKERS.items():
            chosen = scaled[(scaled["within"] == inside) & (scaled["origin"] == origin)]
            chosen = chosen.assign(low=chosen["sim_low"], high=chosen["sim_high"])
            gid = f"{origin} {'within' if inside else 'outside'}"
            style.draw_estimates(axes, chosen, ids, shift=0.0, colour=colour, gid=gid, marker=marker)
    axes.set_yticks(range(len(ids)), [_brief(id) for id in ids], fontsize=7.5)
    axes.set_ylim(len(ids) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for edge in np.cumsum(rows.groupby("order").size().to_numpy())[:-1]:
        axes.axhline(edge - 0.5, color=style.GREY, linewidth=0.8)
    axes.set_xlabel("Simulated / published value")
    marks = [
        ("fitted, within", style.BLACK, "o"),
        ("emergent, within", style.BLACK, "D"),
        ("informed, within", style.BLACK, "s"),
        ("outside", style.PURPLE, "D"),
    ]
    handles = [Line2D([], [], color=c, marker=m, markersize=4.5, label=label) for label, c, m in marks]
    style.legend_below(figure, [*handles, *keys], columns=4)
    return figure


def _scaled(rows: pd.DataFrame) -> pd.DataFrame:
    """Everything divided by the published value and held within the axis, as figures want it."""
    low, high = rows["published_low"], rows["published_high"]
    unit = rows["published"].where(rows["published"] > 0, np.sqrt(low * high))
    ends = {name: (rows[name] / unit).clip(1 / _MOST, _MOST) for name in ("low", "high")}
    made = pd.DataFrame(
        {
            "condition": rows["name"],
            "role": rows["role"].astype(str),
            "origin": rows["origin"],
            "within": rows["within"].astype(bool),
            "published": 1.0,
            "value": (rows["simulated"] / unit).clip(0.0, _MOST),
            "low": low / unit,
            "high": high / unit,
            "remark": [
                f"{figures(row['simulated'])}  ({figures(row['published_low'])} to {figures(row['published_high'])})"
                for _, row in rows.iterrows()
            ],
        }
    )
    return made.assign(sim_low=ends["low"], sim_high=ends["high"])


def _brief(name: str, most: int = 72) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"

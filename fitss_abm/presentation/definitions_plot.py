"""Two figures of definitions: prevalence and sex ratio side by side, and the way from the population to the clinic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.measurement.diagnosis import CLINIC, SEEN_AS, SURVEY, TRUTH
from fitss_abm.presentation import style
from fitss_abm.study.definitions import Definitions, of

FIGURES = ("definitions.png", "population_to_clinic.png")
_WAYS = {TRUTH: (style.BLACK, "o"), SURVEY: (style.MEN, "D"), CLINIC: (style.WOMEN, "s")}
_WORDS = {TRUTH: "truth", SURVEY: "by survey", CLINIC: "in the clinic"}
_PREVALENCE_ENDS, _RATIO_ENDS = (0.25, 20.0), (0.7, 25.0)


def draw_definitions(found: Definitions, folder: Path) -> tuple[str, ...]:
    """Draw both figures as PNG into an existing folder; their names."""
    with style.house_style():
        definitions_sheet(found).savefig(folder / FIGURES[0])
        steps_sheet(found).savefig(folder / FIGURES[1])
    return FIGURES


def definitions_sheet(found: Definitions) -> Figure:
    """A row a definition; left per cent of adults, right women to a man; published ranges behind."""
    ids = list(dict.fromkeys(found.table["definition"]))
    figure = style.sheet(
        "The same people, several definitions",
        f"{int(found.table['adults'].max()):,} adults; {found.runs} run{'s' if found.runs > 1 else ''} of "
        f"{found.scenario.people:,} people; 95 % intervals; logarithmic axes; bands: published ranges",
        width=11.0,
        height=2.3 + 0.56 * len(ids),
    )
    left, right = figure.subplots(1, 2, sharey=True)
    keys: list[Artist] = []
    for axes, measure, ends, ticks, label in (
        (left, "prevalence", _PREVALENCE_ENDS, (0.5, 1, 2, 5, 10, 20), "Per cent of adults"),
        (right, "ratio", _RATIO_ENDS, (1, 2, 5, 10, 20), "Women affected for each man affected (ratio of prevalences)"),
    ):
        style.per_cent_log_axis(axes)
        axes.set_xlim(*ends)
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        keys += style.draw_published(axes, _facts(found, measure, ends), ids)
        _points(axes, found, ids, measure)
        axes.set_xlabel(label)
        for edge in np.arange(0.5, len(ids) - 1):
            axes.axhline(edge, color="#E4E4E4", linewidth=0.7, zorder=0)
    right.axvline(1.0, color=style.BLACK, linewidth=0.8, zorder=1)
    left.set_yticks(range(len(ids)), [of(id).label for id in ids])
    left.set_ylim(len(ids) - 0.5, -0.5)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
    marks = [
        Line2D([], [], color=colour, marker=marker, markersize=5, label=_WORDS[way])
        for way, (colour, marker) in _WAYS.items()
        if (found.table["seen_as"] == way).any()
    ]
    style.legend_below(figure, [*marks, *{str(key.get_label()): key for key in keys}.values()])
    return figure


def _points(axes: Axes, found: Definitions, ids: list[str], measure: str) -> None:
    prefix = "" if measure == "prevalence" else f"{measure}_"
    for k, way in enumerate(SEEN_AS):
        rows = found.table[(found.table["seen_as"] == way) & np.isfinite(found.table[measure])]
        shown = pd.DataFrame(
            {
                "condition": rows["definition"],
                "value": rows[measure],
                "low": rows[f"{prefix}low"],
                "high": rows[f"{prefix}high"],
            }
        )
        colour, marker = _WAYS[way]
        style.draw_estimates(
            axes, shown, ids, shift=0.22 * (k - 1), colour=colour, gid=f"{measure} {way}", marker=marker
        )


def _facts(found: Definitions, measure: str, ends: tuple[float, float]) -> pd.DataFrame:
    """Published ranges as bands within the axis; a share s of women as s / (100 - s) women to a man."""
    rows = found.published[(found.published["measure"] == "prevalence") == (measure == "prevalence")]
    share = rows["measure"] == "share"
    made = {"condition": rows["definition"], "role": rows["role"], "remark": rows["origin"]}
    for name, column in (("low", "published_low"), ("value", "value"), ("high", "published_high")):
        made[name] = rows[column].where(~share, rows[column] / (100.0 - rows[column])).clip(*ends)
    return pd.DataFrame(made)


def steps_sheet(found: Definitions) -> Figure:
    """Of those who meet criteria, how many are left at each step; and which share of them are women."""
    steps = found.steps
    figure = style.sheet(
        "From the population to the clinic",
        "Fibromyalgia by the modified 2010 criteria: who of those that meet them sought care, was recognised, is on record; "
        f"95 % intervals.\n{int(steps['women'].iloc[0] + steps['men'].iloc[0]):,} of "
        f"{int(found.table['adults'].max()):,} adults meet them",
        width=9.0,
        height=4.2,
    )
    left, right = figure.subplots(1, 2, sharey=True)
    y = np.arange(len(steps))
    total = float(steps["women"].iloc[0] + steps["men"].iloc[0]) or np.nan
    women, men = (100 * steps[sex].to_numpy(dtype=float) / total for sex in ("women", "men"))
    left.barh(y, women, color=style.WOMEN, height=0.6, gid="women")
    left.barh(y, men, left=women, color=style.MEN, height=0.6, gid="men")
    for k, step in enumerate(steps.to_dict("records")):
        left.annotate(
            f"{step['of_first']:.0f} %", (women[k] + men[k], k), xytext=(4, 0), textcoords="offset points", va="center",
            fontsize=8,
        )  # fmt: skip
    left.set_xlim(0, 112)
    left.set_xlabel("Per cent of those who meet criteria")
    left.set_yticks(y, [str(step).capitalize() for step in steps["step"]])
    left.set_ylim(len(steps) - 0.5, -0.5)
    share, low, high = (steps[name].to_numpy(dtype=float) for name in ("share", "share_low", "share_high"))
    known = found.published[found.published["id"] == "fm_female_share_clinic"]
    bands: list[Artist] = []
    if len(known):
        fact = known.iloc[0]
        facts = pd.DataFrame(
            {
                "condition": ["last"],
                "role": [fact["role"]],
                "remark": [fact["origin"]],
                "low": [fact["published_low"]],
                "value": [fact["value"]],
                "high": [fact["published_high"]],
            }
        )
        names = [*(str(k) for k in y[:-1]), "last"]
        bands = style.draw_published(right, facts, names)
    right.errorbar(
        share, y, xerr=style.whisker_bounds(share, low, high), fmt="o", color=style.BLACK, markersize=5, elinewidth=1.3,
        zorder=3, gid="share of women",
    )  # fmt: skip
    right.axvline(50, color=style.GREY, linewidth=0.8, zorder=1)
    right.set_xlim(40, 100)
    right.set_xlabel("Women, per cent")
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
    marks: list[Artist] = [
        Line2D([], [], color=colour, marker="s", linestyle="none", markersize=8, label=label)
        for colour, label in ((style.WOMEN, "women"), (style.MEN, "men"))
    ]
    style.legend_below(figure, [*marks, *bands])
    return figure

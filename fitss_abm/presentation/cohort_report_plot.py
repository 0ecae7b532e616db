"""Figures of a cohort's report: differences column by column, correlations, survival, sizes of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.presentation import style
from fitss_abm.presentation.cohort_report_tables import called, score_pairs
from fitss_abm.study.cohort_report import CohortReport
from fitss_abm.study.cohort_report_disclosure import SMALL
from fitss_abm.study.cohort_report_fidelity import ANSWERS, BEYOND, STATES
from fitss_abm.study.cohort_report_survival import EXPORT, SIMULATION

_ROW = 0.21  # inches
_MOST = 30  # columns drawn of a kind
_VISITS = (style.BLACK, style.MEN, style.ORANGE, style.GREEN)
_MARKS = "osD^"


def draw_report(found: CohortReport, folder: Path) -> tuple[str, ...]:
    """Draw as PNG into an existing folder; the names, in order."""
    made = {}
    with style.house_style():
        if len(found.columns):
            made["differences.png"] = differences_sheet(found)
        if len(score_pairs(found)):
            made["correlations.png"] = correlations_sheet(found)
        made["survival.png"] = survival_sheet(found)
        made["classes.png"] = classes_sheet(found)
        for name, figure in made.items():
            figure.savefig(folder / name)
    return tuple(made)


def differences_sheet(found: CohortReport) -> Figure:
    """Standardised differences of answers and of true states: a row a column, a mark a visit (four of them at most)."""
    visits = sorted(found.columns["visit"].unique())
    shown = [visits[k] for k in dict.fromkeys(np.linspace(0, len(visits) - 1, min(4, len(visits))).astype(int))]
    kinds = {kind: _worst(found.columns[found.columns["of"] == kind]) for kind in (ANSWERS, STATES)}
    rows = max(len(names) for names in kinds.values())
    figure = style.sheet(
        "How far the export is from the simulation",
        "Standardised differences: export less simulation, in standard deviations; where there are many columns, those that differ "
        f"most.\nGrey bars: ± {BEYOND:.0f} standard errors at the last visit, had as much been lost by chance",
        width=11.0,
        height=1.9 + _ROW * rows,
    )
    titles = (
        "Answers, beside those of the same people had nothing been lost",
        "True states of those seen, beside all invited",
    )
    for axes, (_kind, names), title in zip(figure.subplots(1, 2), kinds.items(), titles, strict=True):
        table = found.columns[(found.columns["of"] == _kind) & found.columns["column"].isin(names)]
        _differences(axes, table, names, shown)
        axes.set_title(title, loc="left")
    marks: list[Artist] = [
        Line2D([], [], color=colour, marker=mark, linestyle="", markersize=5, label=f"visit {visit}")
        for visit, colour, mark in zip(shown, _VISITS, _MARKS, strict=False)
    ]
    style.legend_below(figure, marks)
    return figure


def _worst(rows: pd.DataFrame) -> list[str]:
    """At most so many columns in their order, those that differ most."""
    greatest = rows.assign(size=rows["smd"].abs()).groupby("column", sort=False)["size"].max().dropna()
    chosen = set(greatest.sort_values(ascending=False, kind="stable").index[:_MOST])
    return [name for name in greatest.index if name in chosen]


def _differences(axes: Axes, table: pd.DataFrame, names: list[str], shown: list[int]) -> None:
    y = np.arange(len(names))
    last = table[table["visit"] == shown[-1]].set_index("column").reindex(names)
    axes.barh(y, 2 * BEYOND * last["chance"], left=-BEYOND * last["chance"], height=0.8, color="#E3E3E3", gid="chance")
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    for visit, colour, mark in zip(shown, _VISITS, _MARKS, strict=False):
        rows = table[table["visit"] == visit].set_index("column").reindex(names)
        axes.plot(rows["smd"], y, mark, color=colour, markersize=4, gid=f"visit {visit}")
    axes.set_yticks(y, [name.replace("_", " ") for name in names], fontsize=7.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    reach = max(0.05, 1.1 * float(np.nanmax(np.abs(table["smd"].replace([np.inf, -np.inf], np.nan)), initial=0.0)))
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("Export less simulation (standard deviations)")
    axes.tick_params(axis="y", length=0)


def correlations_sheet(found: CohortReport) -> Figure:
    """Correlations of scores at the last visit: in the export below the diagonal, in the simulation above; and the difference."""
    pairs = score_pairs(found)
    last = int(pairs["visit"].max())
    pairs = pairs[pairs["visit"] == last]
    names = list(dict.fromkeys([*pairs["one"], *pairs["other"]]))
    size = len(names)
    matrices = {name: np.full((size, size), np.nan) for name in ("both", "difference")}
    for row in pairs.to_dict("records"):
        i, j = names.index(row["one"]), names.index(row["other"])
        matrices["both"][j, i], matrices["both"][i, j] = row["export"], row["simulation"]
        matrices["difference"][j, i] = row["difference"]
    side = 1.5 + 0.27 * size
    figure = style.sheet(
        "Correlations of scores",
        f"At visit {last}, weighted. Left: below the diagonal the export, above it the simulation. Right: export less simulation",
        width=2 * side + 2.6,
        height=side + 1.4,
    )
    reach = max(0.05, float(np.nanmax(np.abs(matrices["difference"]))))
    limits = {"both": 1.0, "difference": reach}
    labels = {"both": "Correlation", "difference": "Difference of correlations"}
    for axes, (name, matrix) in zip(figure.subplots(1, 2), matrices.items(), strict=True):
        image = axes.imshow(matrix, cmap="PuOr", vmin=-limits[name], vmax=limits[name], gid=name)
        said = [each.replace("_", " ") for each in names]
        axes.set_xticks(range(size), said, rotation=90, fontsize=7.5)
        axes.set_yticks(range(size), said, fontsize=7.5)
        axes.tick_params(length=0)
        figure.colorbar(image, ax=axes, shrink=0.75, label=labels[name])
    return figure


def survival_sheet(found: CohortReport) -> Figure:
    """A panel an event; share without it by years since recruitment."""
    events = list(dict.fromkeys(found.survival["event"]))
    columns = min(3, len(events))
    lines = -(-len(events) // columns)
    figure = style.sheet(
        "Time to death, loss and first answers",
        "Kaplan-Meier, weighted as recruited, events dated to visits; bars: 95 % intervals. "
        "First answers: of those whose first known answer was no",
        width=3.6 * columns,
        height=1.5 + 2.6 * lines,
    )
    reach = 0.012 * float(found.survival["years"].max())
    looks: dict[str, tuple[str, Any, str, float]] = {
        SIMULATION: (style.BLACK, "--", "D", -reach),
        EXPORT: (style.MEN, "-", "o", reach),
    }
    panels = np.ravel(figure.subplots(lines, columns, squeeze=False))
    for axes in panels[len(events) :]:
        axes.remove()
    for axes, event in zip(panels, events, strict=False):
        for side, (colour, line, mark, shift) in looks.items():
            rows = found.survival[(found.survival["event"] == event) & (found.survival["side"] == side)]
            years, alive, low, high = (rows[name].to_numpy(float) for name in ("years", "surviving", "low", "high"))
            bars = 100 * style.whisker_bounds(alive, low, high)
            axes.step(years, 100 * alive, where="post", color=colour, linestyle=line, gid=f"{event} {side}")
            axes.errorbar(years + shift, 100 * alive, bars, fmt=mark, color=colour, markersize=4, elinewidth=1.1)
        axes.set_title(called(event).replace("_", " "), loc="left")
        axes.set_xlabel("Years since recruitment")
        axes.set_ylabel("Without it (% of people)")
        axes.margins(x=0.05)
    sides = list(dict.fromkeys(found.survival["side"]))
    marks: list[Artist] = [
        Line2D([], [], color=colour, linestyle=line, marker=mark, markersize=4, label=side)
        for side, (colour, line, mark, _shift) in looks.items()
        if side in sides
    ]
    style.legend_below(figure, marks)
    return figure


def classes_sheet(found: CohortReport) -> Figure:
    """Share of people in classes of at most so many."""
    told = found.disclosure
    known = " and ".join(", ".join(told.quasi).rsplit(", ", 1)).replace("_", " ")
    meaning = (
        "Nobody's privacy hangs on it: these people were generated, from no records"
        if found.cohort.survey is None
        else "The population was built from records"
    )
    figure = style.sheet(
        f"How many share {known}",
        f"{told.people:,} participants in {told.classes:,} classes; the smallest has {told.smallest:,}.\n{meaning}",
        width=7.6,
        height=4.0,
    )
    axes = figure.subplots()
    sizes = told.sizes
    share = 100 * sizes["people"].cumsum() / max(1, told.people)
    axes.step(sizes["size"], share, where="post", color=style.MEN, gid="people")
    axes.plot(sizes["size"].iloc[:1], share.iloc[:1], "o", color=style.MEN, markersize=4)
    for size in SMALL:
        axes.axvline(size, color=style.GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"k = {size}",
            (size, 100),
            xytext=(3, -2),
            textcoords="offset points",
            fontsize=8,
            color=style.GREY,
            va="top",
        )
    axes.set_xscale("log")
    axes.set_xlim(0.9, max(20.0, 1.15 * float(sizes["size"].max())))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(0, 102)
    axes.set_xlabel("People alike in these (size of the class, logarithmic)")
    axes.set_ylabel("Participants in classes of\nat most that size (%)")
    return figure

"""How figures look: colours, plain names, and sheets that leave the caller's matplotlib as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter

from fitss_abm.measurement.diagnosis import TRUTH
from fitss_abm.model.conditions import shipped
from fitss_abm.study.seen_tables import SEEN, first_seen

# Okabe and Ito's palette: told apart with any kind of colour vision.
WOMEN, MEN = "#D55E00", "#0072B2"
ORANGE, SKY, GREEN, PURPLE, BLACK = "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#000000"
GREY, PALE = "#6F6F6F", "#C9C9C9"
DPI = 120
_RC = {
    "figure.dpi": DPI, "savefig.dpi": DPI, "figure.facecolor": "white", "savefig.facecolor": "white",
    "font.size": 9.0, "axes.labelsize": 9.0, "axes.titlesize": 9.5, "xtick.labelsize": 8.0, "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5, "legend.frameon": False, "figure.constrained_layout.use": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True, "axes.linewidth": 0.8,
    "xtick.major.width": 0.8, "ytick.major.width": 0.8, "lines.linewidth": 1.5, "text.usetex": False,
}  # fmt: skip

_BANDS: dict[str, dict[str, Any]] = {
    "fit": {"facecolor": "#D2D2D2", "edgecolor": "none"},
    "check": {"facecolor": "white", "edgecolor": "#8C8C8C", "hatch": "//////", "linewidth": 0.7},
    "context": {"facecolor": "white", "edgecolor": "#8C8C8C", "linestyle": (0, (3, 2)), "linewidth": 0.9},
}
_BAND_SAYS = {
    "fit": "published range, model fitted to it",
    "check": "published range, not fitted",
    "context": "published range, background",
}


class Drawable(Protocol):
    """What figures are drawn from: the tables of a run, and the scenario whose parameters it had."""

    @property
    def prevalence(self) -> pd.DataFrame: ...
    @property
    def sex_ratio(self) -> pd.DataFrame: ...
    @property
    def comorbidity(self) -> pd.DataFrame: ...
    @property
    def plane(self) -> pd.DataFrame: ...
    @property
    def trajectory(self) -> pd.DataFrame: ...
    @property
    def scenario(self) -> Any: ...


@contextmanager
def house_style() -> Iterator[None]:
    """Within it matplotlib draws in our style, whatever the user's settings; afterwards all is as it was before."""
    with mpl.rc_context():
        mpl.rcdefaults()  # leaves the backend alone
        mpl.rcParams.update(sns.axes_style("ticks") | _RC)
        yield


def sheet(title: str, subtitle: str, *, width: float = 10.0, height: float = 7.5) -> Figure:
    """An empty figure of `width` x `height` inches that no figure manager knows of, headed by two lines."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)  # type: ignore[union-attr,call-arg]
    figure.suptitle(f"{title}\n" + "\n" * (1 + subtitle.count("\n")), x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.text(0.01, 1.0 - 0.40 / height, subtitle, ha="left", va="top", fontsize=9, color=GREY)
    return figure


def legend_below(figure: Figure, handles: list[Artist], *, columns: int | None = None) -> None:
    """One legend for the whole sheet, under it, in so many columns (all in one row if not said)."""
    ncols = columns or len(handles)
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols, handletextpad=0.5, columnspacing=1.6)


def plain_name(id: str, *, brief: bool = True) -> str:
    """A condition's label in the catalogue, if `brief` without brackets and second names; else its id in words."""
    catalogue = shipped()
    label = catalogue[id].label if id in catalogue.bit else id.replace("_", " ").capitalize()
    return label.split(" (")[0].split(" / ")[0] if brief else label


def one_run(table: pd.DataFrame) -> pd.DataFrame:
    """The first scenario's first replicate, as truth if it was seen so, dates as timestamps: figures show one run."""
    table = first_seen(table)
    for key in ("scenario", "replicate"):
        if key in table.columns and len(table):
            table = table.loc[table[key] == table[key].iloc[0]]
    return table.assign(date=pd.to_datetime(table["date"]))


def said_seen(table: pd.DataFrame) -> str:
    """ ", seen as clinic" and the like; nothing where the table is of the truth."""
    way = str(table[SEEN].iloc[0]) if SEEN in table.columns and len(table) else TRUTH
    return "" if way == TRUTH else f", seen as {way}"


def last_date(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last date."""
    newest: pd.DataFrame = table[table["date"] == table["date"].max()]
    return newest


def conditions_in(table: pd.DataFrame, *, beside: tuple[str, ...] = ("chronic_pain",)) -> list[str]:
    """Ids in the table that figures show: the family in the catalogue's order, the user's own, and those `beside`."""
    catalogue = shipped()
    outside = {c.id for c in catalogue.conditions if not c.family} - set(beside)
    found = [id for id in table["condition"].unique() if id not in outside]
    return sorted(found, key=lambda id: (id in beside, catalogue.bit.get(id, len(catalogue))))


def say_day(date: pd.Timestamp) -> str:
    """A date as a reader says it, in any locale."""
    return f"{date.day} {date.month_name()} {date.year}"


def per_cent_log_axis(axes: Axes) -> None:
    """A logarithmic axis of per cent with plain numbers."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", which="major", color="#EBEBEB", linewidth=0.7)


def date_axis(axes: Axes, *, ticks: int = 5) -> None:
    """Short dates."""
    locator = AutoDateLocator(minticks=2, maxticks=ticks)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def whisker_bounds(value: Any, low: Any, high: Any) -> Any:
    """Lengths of error bars below and above, as matplotlib wants them; none where a bound is missing."""
    below = np.nan_to_num(np.asarray(value, float) - np.asarray(low, float), nan=0.0)
    above = np.nan_to_num(np.asarray(high, float) - np.asarray(value, float), nan=0.0)
    return np.maximum(np.vstack([np.atleast_1d(below), np.atleast_1d(above)]), 0.0)


def panels(figure: Figure, count: int, *, columns: int) -> list[Axes]:
    """So many small axes, row by row, side by side with the same horizontal axis."""
    columns = min(columns, count)
    grid = figure.subplots(-(-count // columns), columns, sharex=True, squeeze=False).ravel()
    for axes in grid[count:]:
        axes.remove()
    for axes in grid[max(0, count - columns) : count]:
        axes.tick_params(labelbottom=True)
    return list(grid[:count])


def rows_of(axes: Axes, ids: list[str]) -> None:
    """One row a condition, the first on top, faintly separated."""
    brief = [plain_name(id) for id in ids]
    # where a condition stands among its other criteria its own are said too
    several = [any(other.startswith(f"{name},") for other in brief) for name in brief]
    names = [plain_name(id, brief=not more) for id, more in zip(ids, several, strict=True)]
    axes.set_yticks(range(len(ids)), names)
    axes.set_ylim(len(ids) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    for edge in np.arange(0.5, len(ids) - 1):
        axes.axhline(edge, color="#EFEFEF", linewidth=0.6, zorder=0)


def draw_published(axes: Axes, facts: pd.DataFrame, ids: list[str]) -> list[Artist]:
    """Published ranges as bands, a line at the value, `remark` beside; returns keys to the roles drawn."""
    for fact in facts.itertuples(index=False):
        row = ids.index(str(fact.condition))
        low, high = float(fact.low), float(fact.high)  # type: ignore[arg-type]
        axes.add_patch(
            Rectangle((low, row - 0.36), high - low, 0.72, zorder=1, gid="published", **_BANDS[str(fact.role)])
        )
        axes.vlines(fact.value, row - 0.36, row + 0.36, color=GREY, linewidth=1.2, zorder=1.5, gid="published value")  # type: ignore[arg-type]
        axes.annotate(
            str(fact.remark), (1.0, row), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=7.5, color=GREY,
        )  # fmt: skip
    return [Patch(label=_BAND_SAYS[role], **_BANDS[role]) for role in _BANDS if (facts["role"] == role).any()]


def draw_estimates(
    axes: Axes, rows: pd.DataFrame, ids: list[str], *, shift: float, colour: str, gid: str, marker: str = "o"
) -> None:
    """Points with intervals in the conditions' rows; an arrow to the axis where the estimate is 0.

    `rows`: condition, value, low, high.
    """
    y = np.array([ids.index(id) for id in rows["condition"]]) + shift
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
    some = value > 0
    size = 4.2 if marker == "D" else 5.0
    axes.errorbar(
        value[some], y[some], xerr=whisker_bounds(value[some], low[some], high[some]), fmt=marker, color=colour,
        markersize=size, elinewidth=1.3, zorder=3, gid=gid,
    )  # fmt: skip
    left = axes.get_xlim()[0]
    for k in np.flatnonzero(~some & np.isfinite(high) & (high > left)):
        axes.plot([left, high[k]], [y[k]] * 2, color=colour, linewidth=1.3, zorder=3, gid=f"{gid} none")
        axes.plot([left], [y[k]], "<", color=colour, markersize=5, clip_on=False, zorder=3, gid=f"{gid} none")

"""Figures of persons: all on the plane of threat and soothing, one person's course, conditions in the same person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from fitss_abm.model.parameters import Parameters
from fitss_abm.presentation import style

_LEAST = 1e-3  # smaller activities are drawn here: the axes are logarithmic
_SPREAD = 5  # different values that a density needs
_GROUPS = ((False, style.MEN, "without fibromyalgia"), (True, style.WOMEN, "with fibromyalgia"))
_MEASURES = (
    ("Stress\n(stress units)", [
        ("stress", style.PALE, "on the day"), ("event_load", style.BLACK, "of it life events"),
    ]),
    ("Alert,\nsensitization\n(proportion)", [
        ("alert", style.ORANGE, "alert"), ("sensitization", style.PURPLE, "sensitization"),
    ]),
    ("Support\n(support units)", [
        ("felt_support", style.GREEN, "felt support"), ("loneliness", style.BLACK, "loneliness"),
    ]),
    ("Symptoms\n(points)", [
        ("wpi", style.SKY, "widespread pain\nindex (0–19)"), ("sss", style.WOMEN, "symptom severity\nscale (0–12)"),
    ]),
)  # fmt: skip


def balance(results: style.Drawable) -> float:
    """Threat per unit of soothing at which alert is half of full, with the parameters of this run."""
    scenario = results.scenario  # as an object, or as its file says it
    changed = scenario.get("parameters", {}) if isinstance(scenario, Mapping) else scenario.parameters
    return float(changed.get("alert_threshold", Parameters()["alert_threshold"]))


def draw_plane(results: style.Drawable) -> Figure | None:
    """Persons by soothing and threat, coloured by alert; the line of balance; fibromyalgia marked."""
    people = results.plane
    if people.empty:
        return None
    people = people.assign(threat=people["threat"].clip(lower=_LEAST), soothing=people["soothing"].clip(lower=_LEAST))
    cases = people[people["fibromyalgia"]]
    figure = style.sheet(
        "Alert follows the balance of threat and soothing",
        f"{len(people):,} adults on the last day, {len(cases):,} of them with fibromyalgia; logarithmic axes",
        height=8.0,
    )
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 1), height_ratios=(1, 5))
    axes = figure.add_subplot(grid[1, 0])
    # most alert last would hide the others where persons lie close: a fixed shuffle
    order = np.random.default_rng(0).permutation(len(people))
    points = axes.scatter(
        people["soothing"].to_numpy()[order], people["threat"].to_numpy()[order], c=people["alert"].to_numpy()[order],
        cmap="cividis", vmin=0.0, vmax=1.0, s=9, linewidths=0, alpha=0.75, gid="people", rasterized=True,
    )  # fmt: skip
    axes.scatter(
        cases["soothing"], cases["threat"], s=22, facecolors="none", edgecolors=style.WOMEN, linewidths=0.8, gid="cases"
    )
    axes.set(xscale="log", yscale="log", xlabel="Soothing (soothing units)", ylabel="Threat (threat units)")
    limits, ratio = axes.get_xlim(), balance(results)
    axes.set(xlim=limits, ylim=axes.get_ylim())
    axes.plot(limits, ratio * np.array(limits), color=style.BLACK, linewidth=1.4, gid="balance")
    for side, place in (("x", grid[0, 0]), ("y", grid[1, 1])):
        _margin(figure.add_subplot(place, **{f"share{side}": axes}), people, side)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    corner = figure.add_subplot(grid[0, 1])
    corner.axis("off")
    bar = figure.colorbar(points, cax=corner.inset_axes((0.05, 0.4, 0.9, 0.14)), orientation="horizontal")
    bar.set_label("Alert (proportion)", fontsize=8)
    bar.set_ticks([0.0, 0.5, 1.0])
    key: list[Artist] = [Line2D([], [], color=style.BLACK, label=f"alert half of full: threat = {ratio:g} × soothing")]
    if len(cases):
        ring = {"marker": "o", "markerfacecolor": "none", "markeredgecolor": style.WOMEN, "linestyle": ""}
        key.append(Line2D([], [], label="person with fibromyalgia", **ring))  # type: ignore[arg-type]
    key += [
        Patch(facecolor=c, alpha=0.3, label=f"distribution {say}") for ill, c, say in _GROUPS if _dense(people, ill)
    ]
    style.legend_below(figure, key)
    return figure


def _margin(axes: Axes, people: pd.DataFrame, side: str) -> None:
    """Densities of threat or soothing in those with and without fibromyalgia, each of area one."""
    name = "soothing" if side == "x" else "threat"
    for ill, colour, label in _GROUPS:
        if _dense(people, ill):
            values = people.loc[people["fibromyalgia"] == ill, name].to_numpy()
            sns.kdeplot(**{side: values}, ax=axes, color=colour, fill=True, alpha=0.3, log_scale=True, cut=1, gid=label)
    sns.despine(ax=axes, left=side == "x", bottom=side == "y")
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelbottom=False, labelleft=False, which="both")
    (axes.yaxis if side == "x" else axes.xaxis).set_ticks([])


def _dense(people: pd.DataFrame, ill: bool) -> bool:
    return bool((people.loc[people["fibromyalgia"] == ill, ["threat", "soothing"]].nunique() >= _SPREAD).all())


def draw_one_person(results: style.Drawable) -> Figure | None:
    """One person's years: stress, threat against soothing, alert, sensitization, support, symptoms, conditions held."""
    rows = results.trajectory
    if rows.empty:
        return None
    dates = pd.to_datetime(rows["date"])
    years = (dates.iloc[-1] - dates.iloc[0]).days / 365.25
    held = rows["conditions"].fillna("").str.split(",").map(set)
    ids = style.conditions_in(pd.DataFrame({"condition": sorted(set().union(*held) - {""})}, dtype=object))
    who = {"female": "woman", "male": "man"}.get(str(rows["sex"].iloc[0]), "person")
    figure = style.sheet(
        f"One person, {years:.0f} years: how stress, support, alert, symptoms and conditions go together",
        f"A {who} of {int(rows['age'].iloc[0])} at the start, week by week: an illustration, not an average",
        height=8.0 + 0.16 * max(0, len(ids) - 6),
    )
    stacked = figure.subplots(
        6 if ids else 5, 1, sharex=True, height_ratios=[1.0] * 5 + [0.2 + 0.19 * len(ids)] * bool(ids)
    )
    ratio = balance(results)
    _lines(stacked[1], dates, "Threat\n(threat units)", (
        (rows["threat"], style.WOMEN, "threat"),
        (ratio * rows["soothing"], style.MEN, f"soothing × {ratio:g}:\nalert rises where\nthreat is above"),
    ), log=True)  # fmt: skip
    for axes, (label, drawn) in zip(stacked[[0, 2, 3, 4]], _MEASURES, strict=True):
        _lines(axes, dates, label, [(rows[name], colour, say) for name, colour, say in drawn if name in rows])
    if ids:
        _bars(stacked[5], dates, held, ids)
    figure.align_ylabels(stacked[:5])
    style.date_axis(stacked[-1], ticks=12)
    stacked[-1].set_xlim(dates.iloc[0], max(dates.iloc[-1], dates.iloc[0] + pd.Timedelta(days=7)))
    return figure


def _lines(
    axes: Axes, dates: pd.Series, label: str, drawn: Iterable[tuple[pd.Series, str, str]], *, log: bool = False
) -> None:
    for values, colour, say in drawn:
        axes.plot(dates.to_numpy(), values.to_numpy(), color=colour, linewidth=1.1, label=say, gid=str(values.name))
    axes.set_ylabel(label, fontsize=8)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0.0)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)


def _bars(axes: Axes, dates: pd.Series, held: pd.Series, ids: list[str]) -> None:
    """A bar from the first week to the last of each spell of a condition; a spell of one record is a week."""
    numbers = date2num(dates)  # type: ignore[no-untyped-call]
    for row, id in enumerate(ids):
        has = np.array([id in now for now in held], dtype=np.int8)
        turns = np.diff(np.concatenate(([0], has, [0])))
        begin, end = np.flatnonzero(turns > 0), np.flatnonzero(turns < 0)
        until = np.append(numbers, numbers[-1] + 7.0)[end]
        spells = [(numbers[a], b - numbers[a]) for a, b in zip(begin, until, strict=True)]
        axes.broken_barh(spells, (row - 0.35, 0.7), color=style.GREY, gid=id)
    axes.set_yticks(range(len(ids)), [style.plain_name(id) for id in ids])
    axes.set_ylim(len(ids) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def draw_comorbidity(results: style.Drawable) -> Figure | None:
    """Which conditions go together: tetrachoric correlations below the diagonal, odds ratios above it."""
    table = style.last_date(style.one_run(results.comorbidity))
    table = table[np.isfinite(table["odds_ratio"]) | np.isfinite(table["tetrachoric"])]
    ids = style.conditions_in(pd.concat([table["condition_a"], table["condition_b"]]).to_frame("condition"), beside=())
    if not ids:
        return None
    correlation, odds = np.full((2, len(ids), len(ids)), np.nan)
    sure = np.zeros((len(ids), len(ids)), dtype=bool)
    for pair in table[table["condition_a"].isin(ids) & table["condition_b"].isin(ids)].to_dict("records"):
        upper, lower = sorted((ids.index(pair["condition_a"]), ids.index(pair["condition_b"])))
        correlation[lower, upper] = pair["tetrachoric"]
        odds[upper, lower] = np.log2(pair["odds_ratio"]) if pair["odds_ratio"] > 0 else np.nan
        sure[lower, upper] = sure[upper, lower] = pair["low"] > 1.0 or pair["high"] < 1.0
    day = style.say_day(table["date"].iloc[0]) + style.said_seen(table)
    figure = style.sheet(
        "Which conditions occur in the same people",
        f"Below the diagonal tetrachoric correlation, above it odds ratio; adults on {day}. Small squares: the "
        "95 % interval of the\nodds ratio takes in 1. Blank: too few cases to tell, or no person can have both.",
        height=8.8,
    )
    axes = figure.subplots()
    names = [style.plain_name(id) for id in ids]
    ticks = {"xticklabels": names, "yticklabels": names}
    _triangle(axes, correlation, sure, "RdBu_r", 0.8, _say_correlation, "Tetrachoric correlation", ticks)
    bar = _triangle(axes, odds, sure, "PuOr_r", 4.0, _say_odds, "Odds ratio", ticks)
    bar.set_ticks(list(range(-4, 5)), labels=["1/16", "1/8", "1/4", "1/2", "1", "2", "4", "8", "16"])
    for k in range(len(ids)):
        axes.add_patch(Rectangle((k, k), 1, 1, facecolor="#EDEDED", edgecolor="white", linewidth=0.8, gid="diagonal"))
    axes.set_xticks(axes.get_xticks(), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    sns.despine(ax=axes, left=True, bottom=True)
    return figure


def _triangle(
    axes: Axes, values: NDArray[Any], sure: NDArray[Any], colours: str, most: float,
    say: Callable[[float], str], label: str, ticks: dict[str, Any],
) -> Colorbar:  # fmt: skip
    """Cells with their numbers where `sure`, small squares elsewhere, and the colour bar; `values` is NaN: blank."""
    said = np.array([[say(v) if np.isfinite(v) else "" for v in row] for row in values])
    sns.heatmap(
        values, mask=~(np.isfinite(values) & sure), cmap=colours, vmin=-most, vmax=most, annot=said, fmt="", ax=axes,
        cbar=False, linewidths=0.8, linecolor="white", annot_kws={"fontsize": 7}, **ticks,
    )  # fmt: skip
    norm = Normalize(-most, most)
    row, column = np.nonzero(np.isfinite(values) & ~sure)
    axes.scatter(column + 0.5, row + 0.5, c=values[row, column], cmap=colours, norm=norm, marker="s", s=42, gid=label)
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(
        ScalarMappable(cmap=colours, norm=norm), ax=axes, shrink=0.5, aspect=26, pad=0.01, label=label, extend="both"
    )
    bar.outline.set_visible(False)
    return bar


def _say_correlation(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1).replace("-", "−")


def _say_odds(log2: float) -> str:
    ratio = 2.0**log2
    if ratio > 99.5:
        return "≥100"
    return f"{ratio:.{2 if ratio < 0.995 else 1 if ratio < 9.95 else 0}f}"

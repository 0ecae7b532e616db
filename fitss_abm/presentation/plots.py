"""The figures of a run; here those of prevalence: by sex beside published ranges, sex ratios, by age, over time."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fitss_abm.presentation import style
from fitss_abm.presentation.trajectory import draw_comorbidity, draw_one_person, draw_plane
from fitss_abm.study.estimands import standardise
from fitss_abm.study.intervals import wilson
from fitss_abm.study.targets import ADULT_AGE, OPEN_AGE, published_prevalence, published_sex_ratio

_PANELS = 12
_DASHED = (0, (2, 1.5))


def draw_all(results: style.Drawable, folder: str | Path) -> list[Path]:
    """Draw every figure that the results have data for as PNG into `folder` (made if need be); the files, in order.

    The user's matplotlib settings, backend and open figures stay as they are.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in FIGURES.items():
        with style.house_style():
            figure = draw(results)
            if figure is not None:
                drawn.append(folder / f"{name}.png")
                figure.savefig(drawn[-1])
    return drawn


def draw_prevalence(results: style.Drawable) -> Figure | None:
    """Prevalence in adult women and men on the last date, and in the sex and ages of a published range beside it."""
    last = style.last_date(style.one_run(results.prevalence))
    last = last[last["people"] > 0]
    adults = last[last["age_group"] == "all"]
    everybody = adults[adults["sex"] == "all"].set_index("condition")["prevalence"]
    ids = sorted(style.conditions_in(adults), key=lambda id: (id == "chronic_pain", -everybody.get(id, 0.0)))
    if not ids:
        return None
    figure = style.sheet(
        "How common each condition is: simulated women and men beside published ranges",
        f"Adults on {_day(last)}, n = {adults['people'].max():,}; 95 % intervals; logarithmic axis",
        height=8.4,
    )
    axes = figure.subplots()
    facts = published_prevalence()
    facts = facts[facts["condition"].isin(ids)]
    facts = facts.assign(remark=[_about(fact, sex=fact["sex"]) for _, fact in facts.iterrows()])
    alike = pd.DataFrame([_alike(last, fact) for _, fact in facts.iterrows()], columns=last.columns)
    shown = [
        (adults[adults["sex"] == sex], sex, colour) for sex, colour in (("female", style.WOMEN), ("male", style.MEN))
    ]
    shown.append((alike[alike["people"] > 0], "as published", style.BLACK))
    style.per_cent_log_axis(axes)
    positive = 100 * adults.loc[adults["cases"] > 0, "prevalence"]
    axes.set_xlim(10.0 ** np.floor(np.log10(0.9 * min([1.0, *positive, *facts["low"]]))), 100.0)
    roles = style.draw_published(axes, facts, ids)
    for (rows, gid, colour), shift in zip(shown, (-0.24, 0.24, 0.0), strict=True):
        drawn = rows[rows["condition"].isin(ids)]
        drawn = drawn.assign(value=100 * drawn["prevalence"], low=100 * drawn["low"], high=100 * drawn["high"])
        marker = "D" if gid == "as published" else "o"
        style.draw_estimates(axes, drawn, ids, shift=shift, colour=colour, gid=gid, marker=marker)
    style.rows_of(axes, ids)
    axes.set_xlabel("Prevalence (% of adults who can have it)")
    markers = [
        Line2D([], [], color=style.WOMEN, marker="o", markersize=5, label="women"),
        Line2D([], [], color=style.MEN, marker="o", markersize=5, label="men"),
        Line2D([], [], color=style.BLACK, marker="D", markersize=4, label="same sex and ages as published"),
    ]
    style.legend_below(figure, [*markers, *roles])
    return figure


def draw_sex_ratio(results: style.Drawable) -> Figure | None:
    """Female-to-male prevalence ratios of adults on the last date beside published ratios."""
    last = style.one_run(results.sex_ratio)
    if "standardised" in last.columns:
        last = last[~last["standardised"].astype(bool)]  # as published ratios are
    last = style.last_date(last)
    last = last[np.isfinite(last["ratio"]) & (last["ratio"] > 0)].rename(columns={"ratio": "value"})
    facts = published_sex_ratio()
    ratio = last.set_index("condition")["value"]
    ids = sorted(style.conditions_in(last, beside=("chronic_pain", *facts["condition"])), key=lambda id: -ratio[id])
    if not ids:
        return None
    facts = facts[facts["condition"].isin(ids)]
    remarks = ["" if fact["measure"] == "prevalence ratio" else fact["measure"] for _, fact in facts.iterrows()]
    facts = facts.assign(remark=[_about(fact, what) for what, (_, fact) in zip(remarks, facts.iterrows(), strict=True)])
    figure = style.sheet(
        "Women affected for each man affected: simulated ratios beside published ones",
        f"Ratio of prevalences in adults on {_day(last)}; 95 % intervals; logarithmic axis",
        height=8.4,
    )
    axes = figure.subplots()
    style.per_cent_log_axis(axes)
    ends = pd.concat([last[["value", "low", "high"]].stack(), facts[["low", "high"]].stack()]).clip(0.1, 50.0)
    left, right = min(0.5, 0.85 * ends.min()), max(4.0, 1.15 * ends.max())
    axes.set_xlim(left, right)
    axes.set_xticks([tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if left <= tick <= right])
    axes.minorticks_off()
    axes.axvline(1.0, color=style.GREY, linewidth=1.0)
    roles = style.draw_published(axes, facts, ids)
    rows = last[last["condition"].isin(ids)]
    style.draw_estimates(axes, rows, ids, shift=0.0, colour=style.BLACK, gid="ratio")
    style.rows_of(axes, ids)
    axes.set_xlabel("Female-to-male ratio (1: as common in women as in men)")
    style.legend_below(figure, [Line2D([], [], color=style.BLACK, marker="o", markersize=5, label="simulated"), *roles])
    return figure


def draw_ages(results: style.Drawable) -> Figure | None:
    """Prevalence by age, women and men, on the first and the last date, for the dozen conditions with most cases."""
    table = style.one_run(results.prevalence)
    table = table[(table["age_group"] != "all") & (table["sex"] != "all") & (table["people"] > 0)]
    table = table.assign(middle=table["age_group"].map(_middle))
    last = style.last_date(table)
    first = table[table["date"] == table["date"].min()]
    cases = last.groupby("condition")["cases"].sum()
    ids = [id for id in style.conditions_in(last) if cases[id] > 0]
    common = set(cases[ids].nlargest(_PANELS).index)
    ids = [id for id in ids if id in common]
    if not ids:
        return None
    begin, end = (style.say_day(t["date"].iloc[0]) for t in (first, last))
    drift = begin != end
    figure = style.sheet(
        "Prevalence by age" + (" at the beginning and the end of the run" if drift else ""),
        "The conditions with most cases; bands: 95 % intervals"
        + (f", {end}. The run begins on {begin}" if drift else "")
        + style.said_seen(last),
    )
    for axes, id in zip(style.panels(figure, len(ids), columns=4), ids, strict=True):
        for sex, colour in (("female", style.WOMEN), ("male", style.MEN)):
            now, then = (t[(t["condition"] == id) & (t["sex"] == sex)].sort_values("middle") for t in (last, first))
            if not now["cases"].any() and not then["cases"].any():
                continue
            axes.fill_between(now["middle"], 100 * now["low"], 100 * now["high"], color=colour, alpha=0.18, linewidth=0)
            axes.plot(now["middle"], 100 * now["prevalence"], color=colour, label=f"{sex} last")
            if drift:
                axes.plot(
                    then["middle"], 100 * then["prevalence"], color=colour, linestyle=_DASHED, linewidth=1.1,
                    label=f"{sex} first",
                )  # fmt: skip
        axes.set_title(style.plain_name(id), loc="left", fontsize=9)
        axes.set_ylim(bottom=0.0)
        axes.set_xlim(18, 91)
        axes.set_xticks([20, 40, 60, 80])
    for axes in figure.axes[-4:]:
        axes.set_xlabel("Age (years)")
    figure.supylabel("Prevalence (%)", fontsize=9)
    handles = [Line2D([], [], color=c, label=n) for c, n in ((style.WOMEN, "women"), (style.MEN, "men"))]
    if drift:
        handles += [Line2D([], [], color=style.GREY, label=f"on {end}")]
        handles += [Line2D([], [], color=style.GREY, linestyle=_DASHED, label=f"on {begin}")]
    style.legend_below(figure, [*handles])
    return figure


def draw_over_time(results: style.Drawable) -> Figure | None:
    """Standardised prevalence in adults at every date, against a tenth more or less than on the first."""
    table = style.one_run(results.prevalence)
    start = table[(table["date"] == table["date"].min()) & (table["sex"] != "all") & (table["age_group"] != "all")]
    # conditions that not everybody can have count fewer people: the most is everybody
    structure = start.groupby(["sex", "age_group"], as_index=False)["people"].max()
    table = standardise(table, structure=structure)
    table = table[table.groupby("condition")["cases"].transform("sum") > 0]
    ids = style.conditions_in(table)
    if not ids or table["date"].nunique() < 2:
        return None
    figure = style.sheet(
        "How prevalence moves over the run",
        "Adults, standardised for age and sex to those of the first day; blue: 95 % intervals, grey: within a tenth of "
        "the first value" + style.said_seen(table),
        height=8.0,
    )
    for axes, id in zip(style.panels(figure, len(ids), columns=5), ids, strict=True):
        rows = table[table["condition"] == id].sort_values("date")
        dates = rows["date"].to_numpy()
        value, low, high = (100 * rows[name].to_numpy(dtype=float) for name in ("prevalence", "low", "high"))
        axes.axhspan(0.9 * value[0], 1.1 * value[0], color="#E2E2E2", linewidth=0, gid="a tenth")
        axes.fill_between(dates, low, high, color=style.MEN, alpha=0.25, linewidth=0)
        axes.plot(dates, value, color=style.MEN, linewidth=1.3, gid=id)
        axes.set_title(textwrap.fill(style.plain_name(id), 24), loc="left", fontsize=8)
        axes.set_ylim(0.0, 1.15 * max(np.nanmax(high), 1.1 * value[0]))
        style.date_axis(axes, ticks=4)
    figure.supylabel("Prevalence (% of adults who can have it)", fontsize=9)
    return figure


def _alike(table: pd.DataFrame, fact: pd.Series) -> dict[str, Any]:
    """The prevalence of `table` in the sex and ages of a published fact."""
    rows = table[(table["condition"] == fact["condition"]) & (table["sex"] == fact["sex"])]
    rows = rows[rows["age_group"] != "all"]
    start = rows["age_group"].str.extract(r"^(\d+)", expand=False).astype(float)
    inside = rows[(start >= fact["age_low"]) & (start < fact["age_high"])]
    people, cases = int(inside["people"].sum()), int(inside["cases"].sum())
    share, low, high = (float(bound) for bound in wilson(cases, people))
    return {
        "condition": fact["condition"], "sex": fact["sex"], "people": people, "cases": cases,
        "prevalence": share, "low": low, "high": high,
    }  # fmt: skip


def _about(fact: pd.Series, what: str = "", *, sex: str = "all") -> str:
    """What is particular about a published range: what it measures, in whom, whether it is still to be verified."""
    ages = ""
    if fact["age_low"] != ADULT_AGE:
        ages = f"ages {fact['age_low']}" + ("+" if fact["age_high"] == OPEN_AGE else f"–{fact['age_high'] - 1}")
    provisional = "" if fact["verified"] else "provisional"
    return ", ".join(part for part in (what, "women" if sex == "female" else "", ages, provisional) if part)


def _middle(age_group: str) -> float:
    """The middle of an age group, years: "20-24" is from 20 up to 25; "85+" is taken as ten years wide."""
    low, _, high = age_group.rstrip("+").partition("-")
    return (float(low) + (float(high) + 1 if high else float(low) + 10)) / 2


def _day(table: pd.DataFrame) -> str:
    return style.say_day(table["date"].iloc[0]) + style.said_seen(table)


FIGURES = {
    "prevalence_by_sex": draw_prevalence,
    "sex_ratio": draw_sex_ratio,
    "prevalence_by_age": draw_ages,
    "comorbidity": draw_comorbidity,
    "threat_soothing_plane": draw_plane,
    "one_person": draw_one_person,
    "prevalence_over_time": draw_over_time,
}

"""A comparison as a page and on the terminal: words first, then tables, then what differs and how it was made."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rich.console import Console

from fitss_abm.measurement.contrasts import GROUPS
from fitss_abm.presentation.effects_words import between, differences, head, name_of, said, sentences
from fitss_abm.study.what_if import Comparison

_LEGEND = (
    "Intervals are 95 %. Those of replicates say how far luck in so many runs of so many people reaches, those of draws also what "
    "calibration left open; none says how far the model is from the world.",
    "A programme's size, uptake and cost are in `fitss describe programmes`, each with its source or the word 'assumed'. What the "
    "model says of a programme is what follows from these and from the theory, not evidence that it works.",
    "Years lived with disability: disability weights of all conditions held, 1 - the product of what each leaves. Health is not "
    "discounted, costs are. Distance is counted along the ties of the first day and those that programmes made.",
    "Several groups and conditions are looked at: one interval in twenty misses by luck alone.",
)
_CONDITIONS = (
    "risk_difference",
    "risk_difference_standardised",
    "risk_ratio",
    "incidence_averted",
    "number_needed_to_treat",
)
_CONDITION_HEADS = (
    "condition", "baseline, per 1000", "alternative, per 1000", "difference, per 1000", "standardised for age and sex", "ratio",
    "first onsets averted per 1000 person-years", "treated per case fewer",
)  # fmt: skip
_GROUP = ("people_share", "yld_averted_in_people", "conditions_averted", "pain_averted")
_GROUP_HEADS = (
    "group on the first day", "share of adults", "years with disability averted per 1000", "conditions averted per 1000",
    "points of pain averted",
)  # fmt: skip


def page(found: Comparison, figures: tuple[str, ...] = ()) -> str:
    """The whole as Markdown."""
    parts = ["# What if", "", f"{head(found)}.", ""]
    for one in found.alternatives:
        parts += [f"## {one.name}", "", f"Against {found.baseline.name}: {differences(one, found.baseline)}.", ""]
        parts += [f"- {line}." for line in sentences(found, one.name)] + [""]
    parts += [f"![{name.removesuffix('.png').replace('_', ' ')}]({name})" for name in figures]
    parts += [""] if figures else []
    for one in found.alternatives:
        parts += [f"## Tables: {one.name}", ""]
        for title, heads, rows in tables(found, one.name):
            parts += [f"### {title}", "", _row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows), ""]
    parts += ["## How to read this", "", *(f"- {line}" for line in _LEGEND), ""]
    differs = differences(found.baseline, type(found.baseline)())
    return (
        "\n".join([*parts, f"The baseline, {found.baseline.name}, differs from the model as shipped: {differs}."])
        + "\n"
    )


def show(found: Comparison, console: Console) -> None:
    """Print the words."""
    console.print(head(found))
    for one in found.alternatives:
        console.print(f"\n{one.name}", style="bold")
        console.print(f"against {found.baseline.name}: {differences(one, found.baseline)}", markup=False)
        for line in sentences(found, one.name):
            console.print(f"- {line}", markup=False)
    console.print()


def tables(found: Comparison, name: str) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Title, heads and rows of each table of an alternative."""
    table = found.effects
    mine = table[table["scenario"] == name]
    conditions = list(dict.fromkeys(mine.loc[mine["estimand"] == "risk_difference", "condition"]))
    yield "Conditions on the last day", list(_CONDITION_HEADS), [_condition(found, name, one) for one in conditions]
    grouped = [f"{group}: {level}" for group in GROUPS for level in GROUPS[group]]
    rows = [_group(found, name, one) for one in grouped if (mine["subgroup"] == one).any()]
    if rows:
        yield "Who benefits, averaged over luck", list(_GROUP_HEADS), rows
    reached = [one for one in grouped if one.startswith(("reached", "distance")) and (mine["subgroup"] == one).any()]
    if reached:
        shares = [
            [one, *(_cell(found, name, what, one) for what in ("benefit_share_yld", "benefit_share_conditions"))]
            for one in reached
        ]
        yield "Through whom: share of the whole benefit", ["group", "in years with disability", "in conditions"], shares
    costs = [
        (what, row) for what in ("started", "cost", "cost_per_yld_averted", "cost_per_case_year_averted")
        for condition in ("all", "any") if (row := found.row(what, name, condition=condition)) is not None
    ]  # fmt: skip
    if costs:
        lines = [
            [what.replace("_", " "), f"{said(row['value'])} ({between(row)})", str(row["unit"])] for what, row in costs
        ]
        yield "Cost", ["", "estimate", "unit"], lines
    ratios = []
    for one in conditions:
        change = found.row("sex_ratio_change", name, condition=one)
        each = [found.row("sex_ratio", arm, condition=one) for arm in (found.baseline.name, name)]
        if change is not None and all(row is not None for row in each):
            ratios.append([name_of(one), *(_told(row) for row in each), _told(change)])
    yield "Women to men", ["condition", found.baseline.name, name, "change"], ratios


def _condition(found: Comparison, name: str, condition: str) -> list[str]:
    levels = [found.row("prevalence", arm, condition=condition) for arm in (found.baseline.name, name)]
    rest = [found.row(what, name, condition=condition) for what in _CONDITIONS]
    return [
        name_of(condition),
        *("" if row is None else said(row["value"]) for row in levels),
        *(_told(row) for row in rest),
    ]


def _group(found: Comparison, name: str, subgroup: str) -> list[str]:
    share = found.row("people_share", name, condition="all", subgroup=subgroup)
    rest = [found.row(what, name, condition="all", subgroup=subgroup) for what in _GROUP[1:]]
    return [subgroup, "100 %" if share is None else f"{share['value']:.1%}", *(_told(row) for row in rest)]


def _cell(found: Comparison, name: str, what: str, subgroup: str) -> str:
    row = found.row(what, name, condition="all", subgroup=subgroup)
    if row is None or math.isinf(row["low"]):
        return "cannot be told"
    return (
        f"{row['value']:.0%} ({row['low']:.0%} to {row['high']:.0%})"
        if math.isfinite(row["low"])
        else f"{row['value']:.0%}"
    )


def _told(row: Any) -> str:
    if row is None:
        return ""
    low, high = float(row["low"]), float(row["high"])
    if row["estimand"] == "number_needed_to_treat" and math.isnan(row["value"]):
        if not (math.isfinite(low) and math.isfinite(high)):
            return "cannot be told"
        return f"cannot be told (one fewer for {said(high)} to ∞ to one more for {said(-low)})"
    if math.isnan(low) or math.isinf(low):
        return said(row["value"])
    return f"{said(row['value'])} ({said(low)} to {said(high)})"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

"""Knock-outs in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.knockout import FULL, VARIANTS, Record, plan_of
from fitss_abm.study.knockout_facts import ROLES
from fitss_abm.study.knockout_score import ALIKE, BETTER, CAP, LARGE, SMALL, UNCLEAR, WORSE, Knockout, capped

MOST_DIFFERENT = 12
"""Rows that are shown of those in which the variants differ."""
_MET = {
    WORSE: "worse than by full FITSS", BETTER: "better than by full FITSS", ALIKE: "as well as by full FITSS",
    UNCLEAR: "neither clearly better nor clearly worse",
}  # fmt: skip
_KINDS = {
    WORSE: "Versions that do worse than full FITSS, so that the facts need what they lack",
    BETTER: "Versions that do better, so that the facts speak against what they lack",
    "mixed": "Versions that do worse with some facts and better with others",
    ALIKE: "Versions that do as well, so that these facts do not need what they lack",
    UNCLEAR: "Versions of which these runs cannot tell",
}
_HEADS = (
    "", "free", "fit within", "check within", "fit median", "fit rms", "more than full", "check median", "check rms",
    "more than full",
)  # fmt: skip
_READ = (
    "every variant was fitted anew, with the same seed and as many runs, and so was the full model: no variant has the better "
    "of it by having been tuned longer",
    "fit: facts that decide in the refits (prevalences are met by solving base rates, in all variants alike); check: facts that "
    "decide nothing",
    "within: the 95 % interval of chance of the simulated value overlaps the published range; median and rms (root mean square): "
    f"of the distance from the middle of the range in its standard deviations, the range taken as its central 95 %; beyond {CAP:g} "
    "a row counts no further, so that one row does not decide",
    "more than full: difference of the rms from that of the full model (95 % interval from replicates, paired: all "
    f"variants have the same luck); worse and better are said where the interval leaves out 0 and the difference is {SMALL:g} or "
    f"more, as well where it leaves out differences of {LARGE:g} or more",
    "a version in which few fall ill has wide intervals and is within more easily: the distance tells more",
    "only facts for which every variant has an estimate are compared",
    "what is not in the intervals: each variant was fitted once, and another seed would find another point; the facts are few, "
    "come from many countries, and are not independent of each other",
)


def command(found: Knockout) -> str:
    """The command that gives these numbers again."""
    return f"fitss knockout --people {found.people} --replicates {found.replicates} --seed {found.seed}"


def words(found: Knockout) -> list[str]:
    """What the epidemiology needs: which versions do how, then a line a version."""
    by_kind: dict[str, list[str]] = {}
    for name in (name for name in found.records if name != FULL):
        by_kind.setdefault(_kind({found.of(name, role)["verdict"] for role in ROLES}), []).append(VARIANTS[name].label)
    lines = [f"{says}: {', '.join(by_kind[kind]).lower()}." for kind, says in _KINDS.items() if kind in by_kind]
    fit, check = found.of(FULL, "fit"), found.of(FULL, "check")
    lines.append(
        f"Full FITSS: {fit['within']} of {fit['rows']} fit rows and {check['within']} of {check['rows']} check rows within; "
        f"distance {_two(fit['rms'])} and {_two(check['rms'])} standard deviations of the range (root mean square)."
    )
    for name in (name for name in found.records if name != FULL):
        fit, check = found.of(name, "fit"), found.of(name, "check")
        lines.append(
            f"{VARIANTS[name].label}: fit rows are met {_MET[fit['verdict']]} ({_met(fit)}), check rows {_MET[check['verdict']]} "
            f"({_met(check)})."
        )
    return lines


def _kind(verdicts: set[str]) -> str:
    if {WORSE, BETTER} <= verdicts:
        return "mixed"
    return next(kind for kind in (WORSE, BETTER, UNCLEAR, ALIKE) if kind in verdicts)


def score_cells(found: Knockout) -> Iterator[tuple[str, ...]]:
    """A line a variant."""
    for name in found.records:
        fit, check = found.of(name, "fit"), found.of(name, "check")
        cells = [VARIANTS[name].label, str(len(plan_of(VARIANTS[name]).free))]
        cells += [f"{row['within']} of {row['rows']}" for row in (fit, check)]
        for row in (fit, check):
            cells += [_two(row["median"]), _two(row["rms"]), "" if name == FULL else _interval(row)]
        yield tuple(cells)


def most_different(found: Knockout, count: int | None = MOST_DIFFERENT) -> pd.DataFrame:
    """Compared facts, those first in which the variants' capped distances are furthest apart: a row a fact, with `spread`."""
    rows = found.rows[found.rows["compared"]]
    held = rows.assign(held=capped(rows["distance"]))
    spread = held.groupby("id")["held"].agg(lambda each: each.max() - each.min())
    first = rows.drop_duplicates("id").assign(spread=lambda table: table["id"].map(spread))
    ordered: pd.DataFrame = first.sort_values("spread", ascending=False, kind="stable", ignore_index=True)
    return ordered if count is None else ordered.head(count)


def row_cells(found: Knockout, count: int | None = MOST_DIFFERENT) -> Iterator[tuple[str, ...]]:
    """A line a fact: what it is, its range, and what each variant says, marked where it is outside."""
    by = {(row["id"], row["variant"]): row for row in found.rows.to_dict("records")}
    for _, fact in most_different(found, count).iterrows():
        cells = [
            f"{fact['id']} ({fact['role']})",
            f"{figures(fact['published_low'])} to {figures(fact['published_high'])}",
        ]
        for name in found.records:
            row = by[(fact["id"], name)]
            cells.append(figures(row["value"]) + ("" if bool(row["within"]) else " !"))
        yield tuple(cells)


def show(found: Knockout, console: Console) -> None:
    """Print words and tables."""
    console.print("What the epidemiology needs", style="bold")
    for line in words(found):
        console.print(line)
    _table(console, "\nScores", _HEADS, score_cells(found))
    _table(console, "\nWhere the variants differ most (!: outside)", _row_heads(found), row_cells(found))


def page(found: Knockout) -> str:
    """The same as Markdown, with all facts, what each variant takes out, and how to read the numbers."""
    parts = ["# Knock-outs", "", f"Made by `{command(found)}`; do not edit.", ""]
    parts += [f"- {line}" for line in words(found)]
    parts += ["", "## What is taken out", ""]
    parts += [f"Each refit: {budget_words(found.records[FULL].settings)}.", ""]
    parts += [f"- **{VARIANTS[n].label}** (`{n}`): {_taken(n, record)}" for n, record in found.records.items()]
    parts += ["", "## Scores", "", *markdown(_HEADS, score_cells(found))]
    parts += ["", *(f"- {line}" for line in _READ)]
    if found.left_out:
        parts += [
            "",
            f"Not compared, for want of cases in some variant: {', '.join(f'`{id}`' for id in found.left_out)}.",
        ]
    parts += [
        "",
        "## Every fact, those first in which the variants differ most",
        "",
        "!: outside the published range.",
        "",
    ]
    parts += markdown(_row_heads(found), row_cells(found, None))
    return "\n".join(parts) + "\n"


def budget_words(settings: Mapping[str, Any]) -> str:
    """What each refit is allowed."""
    waves = " + ".join(str(count) for count in (settings["first"], *settings["later"]))
    polish = settings["polish_runs"] * (settings["polish"] + 1) if settings["polish"] else 0
    return (
        f"{waves} candidates in {settings['replicates']} runs of {settings['people']:,} people, {settings['checks']} fresh runs, "
        f"{polish} of {settings['polish_people']:,} people at the point; seed {settings['seed']}, {settings['location']}"
    )


def refit_words(record: Record) -> str:
    """What came of a refit."""
    variant = VARIANTS[record.variant]
    failed = f", {record.failed} of them failed" if record.failed else ""
    return (
        f"{variant.label}: misfit {figures(record.misfit)} (sum of squared distances of the fitted facts, by the emulator); "
        f"{len(plan_of(variant).free)} free numbers, {record.runs} runs{failed}"
    )


def markdown(heads: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> list[str]:
    """A table."""
    rows = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    return rows + ["| " + " | ".join(line) + " |" for line in lines]


def _taken(name: str, record: Record) -> str:
    said = f"{VARIANTS[name].out}."
    if record.fixed:
        said += " Fixed: " + ", ".join(f"`{number}` = {value:g}" for number, value in record.fixed.items()) + "."
    freed = VARIANTS[name].freed
    if freed:
        said += " Freed here alone: " + ", ".join(
            f"`{number}` ({prior.low:g} to {prior.high:g}, found {figures(record.values[number])})"
            for number, prior in freed.items()
        ) + "."  # fmt: skip
    failed = f", {record.failed} failed" if record.failed else ""
    return (
        said
        + f" Refit: {record.runs} runs{failed}; misfit of the fitted rows by the emulator {figures(record.misfit)}."
    )


def _met(row: Mapping[str, Any]) -> str:
    return f"distance {_two(row['rms'])}, {_interval(row)}; {row['within']} of {row['rows']} within, {row['within_more']:+d}"


def _interval(row: Mapping[str, Any]) -> str:
    said = f"{row['rms_more']:+.2f}"
    return said if not np.isfinite(row["low"]) else f"{said}, {row['low']:+.2f} to {row['high']:+.2f}"


def _row_heads(found: Knockout) -> tuple[str, ...]:
    return ("fact", "published", *(VARIANTS[name].label for name in found.records))


def _two(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def _table(console: Console, title: str, heads: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> None:
    console.print(title, style="bold")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for k, head in enumerate(heads):
        table.add_column(head, justify="right" if k else "left", overflow="fold")
    for line in lines:
        table.add_row(*line)
    console.print(table)

"""A calibration in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.calibration import Calibration
from fitss_abm.study.calibration_plan import Plan

HELD = 0.5
"""Share of the prior's variance that the data must take away for a number to count as held by them."""
_NOTABLE = 0.5  # correlation
_ROW_HEADS = (
    "fact",
    "published range",
    "prior runs, 95 %",
    "at the point (emulated)",
    "fresh runs at draws, median (95 %)",
)
_NUMBER_HEADS = ("number", "prior", "posterior, median (90 %)", "at the point", "held by the data", "moves with")


def words(found: Calibration) -> list[str]:
    """What was found, in sentences."""
    s, rows, numbers = found.settings, found.rows, found.numbers
    runs = len(found.runs)
    inside = ((rows["emulated"] >= rows["published_low"]) & (rows["emulated"] <= rows["published_high"])).sum()
    held = numbers.loc[numbers["held_by_data"] >= HELD, "name"]
    loose = numbers.loc[numbers["held_by_data"] < HELD, "name"]
    lines = [
        f"{runs:,} runs of {s.people:,} people and more; of the prior space {found.space[-1]:.2%} is not ruled out.",
        f"At the calibrated point {inside} of {len(rows)} facts lie within their ranges, by the emulator, which fresh runs have "
        "corrected.",
        f"The data hold {len(held)} of {len(numbers)} numbers: {', '.join(held) or 'none'}.",
    ]
    if len(loose):
        lines.append(f"They leave near their priors: {', '.join(loose)}.")
    bound = numbers.loc[numbers["at_bound"], "name"]
    if len(bound):
        lines.append(f"At a bound of the prior, which should be looked at: {', '.join(bound)}.")
    if found.failed:
        lines.append(f"{len(found.failed)} runs failed twice and are missing: {', '.join(sorted(found.failed)[:10])}.")
    return lines


def row_cells(found: Calibration) -> Iterator[tuple[str, ...]]:
    """A line a fact."""
    for _, row in found.rows.iterrows():
        yield (
            str(row["id"]),
            f"{figures(row['published_low'])} to {figures(row['published_high'])}",
            f"{figures(row['prior_low'])} to {figures(row['prior_high'])}",
            figures(row["emulated"]),
            _with_interval(row["posterior"], row["posterior_low"], row["posterior_high"]),
        )


def number_cells(found: Calibration) -> Iterator[tuple[str, ...]]:
    """A line a free number."""
    for _, row in found.numbers.iterrows():
        tied = abs(row["correlation"]) >= _NOTABLE
        yield (
            str(row["name"]),
            f"{figures(row['prior_low'])} to {figures(row['prior_high'])}",
            _with_interval(row["median"], row["low"], row["high"]),
            figures(row["point"]),
            f"{max(float(row['held_by_data']), 0.0):.0%}",
            f"{row['moves_with']} ({row['correlation']:+.2f})" if tied else "",
        )


def show(found: Calibration, console: Console) -> None:
    """Print the words and both tables."""
    for line in words(found):
        console.print(line)
    for title, heads, cells in _tables(found):
        console.print(f"\n{title}", style="bold")
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for k, head in enumerate(heads):
            table.add_column(head, justify="left" if k == 0 else "right", overflow="fold")
        for each in cells:
            table.add_row(*each)
        console.print(table)


def page(found: Calibration, plan: Plan) -> str:
    """The same as Markdown."""
    s = found.settings
    lines = ["# Calibration", "", *words(found), ""]
    lines.append(
        f"People {s.people:,}, replicates {s.replicates}, candidates {s.first} + {' + '.join(map(str, s.later))}, checks "
        f"{s.checks}, draws {s.draws}, seed {s.seed}, {s.location}."
    )
    for title, heads, cells in _tables(found):
        lines += ["", f"## {title}", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(line) + " |" for line in cells]
    lines += ["", "## Solved inside each run", "", "| number | so that | is | at the point |", "|---|---|---|---|"]
    lines += [f"| {n} | {s.row} | {figures(s.aim)} | {figures(found.point[n])} |" for n, s in plan.solved.items()]
    if plan.left_out:
        lines += ["", "## Left out", ""] + [f"- `{id}`: {why}" for id, why in plan.left_out.items()]
    if found.failed:
        lines += ["", "## Runs that failed", ""] + [f"- `{key}`: {why}" for key, why in found.failed.items()]
    return "\n".join(lines) + "\n"


def _tables(found: Calibration) -> list[tuple[str, tuple[str, ...], Iterator[tuple[str, ...]]]]:
    return [
        ("Facts", _ROW_HEADS, row_cells(found)),
        ("Free numbers", _NUMBER_HEADS, number_cells(found)),
    ]


def _with_interval(value: float, low: float, high: float) -> str:
    if not np.isfinite(value) or pd.isna(value):
        return "–"
    return f"{figures(value)} ({figures(low)} to {figures(high)})"

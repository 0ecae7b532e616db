"""The sex-ratio decomposition in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.knockout_page import markdown
from fitss_abm.presentation.style import plain_name
from fitss_abm.study.sex_decomposition import ALL, INTERACTION, Decomposition

_MOST_WORDS = 8
_LONGEST = 9  # letters of a word in the head of a column
_LEAST = 0.05  # of the whole, that a mechanism is named
_READ = (
    "women : men: ratio of prevalences on the first day, standardised for age",
    "a factor: what the ratio is divided by when the mechanism is off, in the same people with the same luck; in brackets, or "
    "marked by ·, where its 95 % interval (jackknife over runs) holds 1",
    "all: with all mechanisms off, after which the ratio is 1 but for chance; interaction: all, divided by the product of the "
    "single factors (a loop makes more of two mechanisms than of each)",
)


def mechanism_label(name: str) -> str:
    """In words."""
    return name.replace("_", " ")


def sure(row: Mapping[Any, Any]) -> bool:
    """Whether the interval of a contribution leaves out none."""
    return bool(row["low"] > 0 or row["high"] < 0)


def sex_words(found: Decomposition) -> list[str]:
    """For each condition with a clear difference: the ratio and which mechanisms make it, largest first."""
    rows = found.table.to_dict("records")
    lines = []
    for whole in sorted((row for row in rows if row["mechanism"] == ALL), key=lambda row: -row["contribution"]):
        if not sure(whole):
            continue
        own = [row for row in rows if row["condition"] == whole["condition"] and row["mechanism"] != ALL]
        named = sorted(
            (row for row in own if sure(row) and abs(row["share"]) >= _LEAST), key=lambda row: -abs(row["share"])
        )
        parts = ", ".join(f"{mechanism_label(row['mechanism'])} {row['share']:.0%}" for row in named)
        lines.append(
            f"{plain_name(whole['condition'], brief=False)}: {whole['ratio']:.2f} women to a man"
            + (f"; of the logarithm {parts}" if parts else "; no mechanism by itself clearly")
        )
    return lines


def sex_cells(found: Decomposition, *, full: bool = False) -> Iterator[tuple[str, ...]]:
    """A line a condition; `full`: with numbers also where the interval holds 1."""
    for id, own in found.table.groupby("condition", sort=False):
        by = {row["mechanism"]: row for row in own.to_dict("records")}
        cells = [plain_name(str(id), brief=not full), _number(by[ALL]["ratio"])]
        for name in (*found.mechanisms, INTERACTION, ALL):
            row = by[name]
            factor = _number(float(np.exp(row["contribution"])))
            cells.append(factor if sure(row) else f"({factor})" if full and row["contribution"] else "·")
        yield tuple(cells)


def show_sex(found: Decomposition, console: Console) -> None:
    """Print words and the table."""
    console.print("\nWhere the sex ratio comes from", style="bold")
    for line in sex_words(found)[:_MOST_WORDS]:
        console.print(line)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for k, head in enumerate(_narrow(head) for head in _heads(found)):
        table.add_column(head, justify="right" if k else "left", overflow="fold", no_wrap=not k)
    for cells in sex_cells(found):
        table.add_row(*cells)
    console.print()
    console.print(table)
    console.print("Factors by which each mechanism multiplies the ratio; ·: the 95 % interval holds 1.")


def sex_page(found: Decomposition, *, head: str = "#") -> str:
    """The same as Markdown."""
    parts = [f"{head} Where the sex ratio comes from", ""]
    parts += [
        f"Each mechanism through which sex acts off in turn: {found.replicates} runs of {found.people:,} people, seed "
        f"{found.seed}, the shipped defaults.", ""
    ]  # fmt: skip
    parts += [f"- {line}" for line in sex_words(found)]
    parts += ["", *markdown(_heads(found), sex_cells(found, full=True)), "", *(f"- {line}" for line in _READ)]
    return "\n".join(parts) + "\n"


def _heads(found: Decomposition) -> tuple[str, ...]:
    return ("", "women : men", *(mechanism_label(name) for name in (*found.mechanisms, INTERACTION, ALL)))


def _narrow(head: str) -> str:
    """With long words cut, so that the table fits a screen."""
    return " ".join(word if len(word) <= _LONGEST else f"{word[: _LONGEST - 2]}." for word in head.split())


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"

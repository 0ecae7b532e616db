"""The contrast of treatments as a table: inputs, which set sizes, told apart from checks, which set nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.validation_page import figures

_HEADS = {
    "input": "Published contrasts that set a treatment's size: agreement is by construction",
    "check": "Published contrasts that set nothing",
    "context": "Background",
    None: "Treatments without a published contrast",
}
_NUMBERS = {"smd": "SMD of pain", "difference": "half the pain or less, points", "half": "half the pain or less, %"}
_COLUMNS = (
    "",
    "patients",
    "SMD of pain (95 %)",
    "half the pain, against placebo (points, 95 %)",
    "published",
    "within",
)
_WORDS = (
    "each treatment is given beside placebo and compared with placebo alone, in the same diagnosed patients (pain of 4 or more of "
    "10) with the same luck; of the placebo: against no treatment",
    "within: the 95 % interval, which is that of which patients there are, overlaps the published range",
)


def show(table: pd.DataFrame, console: Console) -> None:
    """Print a table for each role."""
    for line in _WORDS:
        console.print(line)
    for head, rows in _sections(table):
        console.print(f"\n{head}", style="bold")
        drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for k, name in enumerate(_COLUMNS):
            drawn.add_column(name, justify="left" if k in (0, 4, 5) else "right")
        for row in rows:
            drawn.add_row(*row)
        console.print(drawn)


def page(table: pd.DataFrame, *, people: int, replicates: int, seed: int, weeks: int) -> str:
    """The same as Markdown."""
    command = f"fitss trial --contrast --people {people} --replicates {replicates} --seed {seed}"
    parts = ["# Treatments against placebo", "", f"Made by `{command}` ({weeks} weeks); do not edit.", ""]
    parts += [f"- {line}" for line in _WORDS]
    for head, rows in _sections(table):
        parts += ["", f"## {head}", "", _row(_COLUMNS), _row(("---",) * len(_COLUMNS)), *(_row(row) for row in rows)]
    return "\n".join(parts) + "\n"


def _sections(table: pd.DataFrame) -> list[tuple[str, list[list[str]]]]:
    role = table["role"].where(table["role"].notna(), None)
    found = []
    for name, head in _HEADS.items():
        rows = table[role.isna() if name is None else role == name]
        if len(rows):
            found.append((head, [_cells(row) for row in rows.to_dict("records")]))
    return found


def _cells(row: dict[Any, Any]) -> list[str]:
    cells = [str(row["kind"]).replace("_", " "), f"{row['patients']:,}"]
    cells += [
        f"{figures(row[n])} ({figures(row[f'{n}_low'])} to {figures(row[f'{n}_high'])})" for n in ("smd", "difference")
    ]
    if row["row"] is None or pd.isna(row["row"]):
        return [*cells, "", ""]
    said = f"{figures(row['published'])} ({figures(row['published_low'])} to {figures(row['published_high'])})"
    own = f"; here {figures(row['half'])}" if row["number"] == "half" else ""
    inside = "" if pd.isna(row["within"]) else "yes" if row["within"] else "NO"
    return [*cells, f"{_NUMBERS[row['number']]}: {said}{own}", inside]


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"

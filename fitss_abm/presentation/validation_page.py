"""A validation in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.study.follow_up import LAST, YEAR
from fitss_abm.study.treatment_contrast import WEEKS
from fitss_abm.study.validation import Validation

FEW = 20
"""Cases; with fewer the interval is so wide that lying within says little."""
_HEADS = {
    "fit": "Facts that may be used in calibration",
    "check": "Facts that are never fitted",
    "input": "What the model is given",
    "context": "Background: other criteria and other populations",
}
_COLUMNS = ("published", "simulated (95 %)", "origin", "within", "outside by")
_LEGEND = (
    "within: the 95 % interval of the simulated value, which is that of chance in so many people, overlaps the published "
    "range; outside by: from the simulated value to the nearer bound",
    "fitted: the model's numbers were chosen with this row in view; emergent: they were not; informed: nor were they, but a number "
    "from another source about nearly the same was put in; set: given to the model; "
    f"(?): not verified at the source; *: fewer than {FEW} cases",
)


def comparable(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that can be compared."""
    rows: pd.DataFrame = table[table["within"].notna()]
    return rows


def names(table: pd.DataFrame) -> pd.Series:
    """What each row is about; with criterion, population and source as far as that alone is not unique."""
    name = table["condition"].astype(str) + ": " + table["quantity"].astype(str)
    for column in ("criterion", "population", "id"):
        again = name.duplicated(keep=False)
        name = name.where(~again, name + ", " + table[column].astype(str))
    return name


def show(validation: Validation, console: Console) -> None:
    """Print the tables: fit rows, check rows, the others, and what cannot be compared."""
    for line in _words(validation):
        console.print(line, style="bold" if line.startswith("The model") else None)
    for head, rows in _sections(validation.table):
        console.print(f"\n{head}", style="bold")
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("", min_width=24, overflow="fold")
        for column in _COLUMNS:
            table.add_column(column, justify="left" if column in ("origin", "within") else "right")
        for cells in rows:
            table.add_row(*cells)
        console.print(table)
    console.print("\nWhat cannot be compared, and why", style="bold")
    for reason, group in _not_compared(validation.table):
        console.print(f"{reason}: {', '.join(group)}")
    console.print()
    for line in _LEGEND:
        console.print(line)


def page(validation: Validation) -> str:
    """The same as Markdown, with how each row is read off the model and from which source it comes."""
    table = validation.table
    words = _words(validation)
    parts = ["# Validation", "", f"Made by `{command(validation)}`; do not edit.", "", words[0] + "."]
    parts += ["", *(f"- {line}" for line in words[1:]), "", *(f"{line[0].upper()}{line[1:]}.\n" for line in _LEGEND)]
    for head, rows in _sections(table):
        parts += [f"## {head}", "", _markdown_row(["", *_COLUMNS]), _markdown_row(["---"] * (len(_COLUMNS) + 1))]
        parts += [*(_markdown_row(cells) for cells in rows), ""]
    parts += ["## What cannot be compared, and why", ""]
    parts += [f"- {reason}: {', '.join(f'`{id}`' for id in ids)}" for reason, ids in _not_compared(table)]
    parts += ["", "## How each row is read off the model", "", _markdown_row(["row", "in the model", "source"])]
    parts += [_markdown_row(["---"] * 3)]
    for row in table[table["estimand"] != ""].to_dict("records"):
        parts.append(_markdown_row([f"`{row['id']}`", row["estimand"], _source(row)]))
    return "\n".join(parts) + "\n"


def command(validation: Validation) -> str:
    """The command that gives these numbers again."""
    runs = f"--{'draws' if validation.drawn else 'replicates'} {validation.replicates}"
    return f"fitss validate --people {validation.people} {runs} --seed {validation.seed}"


def _words(validation: Validation) -> list[str]:
    table = validation.table
    runs = f"{validation.replicates} run{'s' if validation.replicates > 1 else ''} of {validation.people:,} people"
    runs += (
        ", each at a draw of the posterior (medians, and intervals that hold 95 % of the runs)"
        if validation.drawn
        else ""
    )
    years = round(LAST / YEAR)
    lines = [
        f"The model beside {len(table)} published facts: {runs}, followed for {years} years, seed {validation.seed}"
    ]
    if validation.patients:
        lines.append(
            f"treatments were given to {validation.patients:,} diagnosed adults with pain of 4 or more of 10, for {WEEKS} "
            "weeks from the end of the follow-up, each beside placebo; rows of shares are scored as differences in points"
        )
    for role, what in (("fit", "fitted"), ("fit", "emergent"), ("check", "emergent"), ("check", "informed")):
        rows = table[(table["role"] == role) & (table["origin"] == what)]
        seen = comparable(rows)
        sure = seen[seen["within"].astype(bool)]
        few = int((sure["cases"] < FEW).sum())
        said = f"{role} rows, {what}: {len(sure)} of {len(seen)} within"
        said += f", {few} of them on fewer than {FEW} cases" if few else ""
        lines.append(said + (f"; {len(rows) - len(seen)} cannot be compared" if len(rows) > len(seen) else ""))
    missed = validation.missed
    if len(missed):
        which = [f"{id} ({_by(row)})" for id, row in missed.set_index("id").iterrows()]
        lines.append(f"fitted rows that miss: {', '.join(which)}")
    return lines


def _sections(table: pd.DataFrame) -> Iterator[tuple[str, list[list[str]]]]:
    name = names(table)
    for role, head in _HEADS.items():
        rows = comparable(table[table["role"] == role])
        if len(rows):
            yield (
                f"{head} ({role})",
                [[str(name[index]), *_cells(row)] for index, (_, row) in zip(rows.index, rows.iterrows(), strict=True)],
            )


def _cells(row: pd.Series) -> list[str]:
    unit = str(row["unit"])
    unit = unit if unit == "%" or unit.startswith(("per", "%")) else ""
    published = f"{figures(row['published_low'])} to {figures(row['published_high'])} {unit}".strip()
    published += "" if row["verified"] else " (?)"
    few = "*" if pd.notna(row["cases"]) and row["cases"] < FEW else ""
    simulated = f"{figures(row['simulated'])} ({figures(row['low'])} to {figures(row['high'])}){few}"
    inside = "yes" if row["within"] else "NO"
    return [published, simulated, str(row["origin"]), inside, _by(row)]


def _by(row: Any) -> str:
    if not row["outside"]:
        return ""
    share = float(row["outside_percent"])
    percent = f" ({share:+.{0 if abs(share) >= 2 else 1}f} %)" if np.isfinite(share) else ""
    return f"{'+' if row['outside'] > 0 else ''}{figures(row['outside'])}{percent}"


def _not_compared(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    rest = table[table["within"].isna()]
    for reason, group in rest.groupby("reason", sort=False):
        yield str(reason), list(group["id"])


def _source(row: Any) -> str:
    year = "" if pd.isna(row["year"]) else f" {row['year']}"
    doi = f", doi:{row['doi']}" if row["doi"] else ""
    return f"{row['source']}{year}{doi}"


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in cells) + " |"


def figures(value: float) -> str:
    """Three figures."""
    size = abs(value)
    if not np.isfinite(value):
        return "–"
    if size == 0 or size >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.095 else f"{value:.2g}"

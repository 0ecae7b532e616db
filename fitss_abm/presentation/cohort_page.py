"""A cohort on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fitss_abm.study.cohort_fields import STATUSES
from fitss_abm.study.cohort_files import DATA
from fitss_abm.study.cohort_package import PACKAGE

if TYPE_CHECKING:
    from rich.console import Console

    from fitss_abm.study.cohort_run import Exported


def show(found: Exported, screen: Console) -> None:
    """Print what the cohort came to."""
    from rich.table import Table as Rows

    cohort, summary = found.cohort, found.summary
    groups = ", ".join(f"{group} {count:,}" for group, count in summary.participants.items())
    screen.print(
        f"{cohort.name}: {summary.total:,} participants of {summary.invited:,} invited ({groups})", markup=False
    )
    rows = Rows(box=None, pad_edge=False)
    for name in ("visit", "date", *STATUSES):
        rows.add_column(name, justify="right")
    for row in summary.visits:
        rows.add_row(str(row["visit"]), row["date"], *(f"{row[name]:,}" for name in STATUSES))
    screen.print(rows)
    last = [row for row in summary.effects if row["visit"] == len(summary.visits) - 1 and row["outcome"] == "pain"]
    for row in last:
        if row["effect"] is not None:
            screen.print(
                f"mean true effect on rated pain at the last visit, {row['among']}: {row['effect']:+.3f} points",
                markup=False,
            )
    screen.print(f"Cohort: {folder_text(found.folder)} (README.md, {DATA}/{PACKAGE})", soft_wrap=True, markup=False)


def folder_text(folder: Path) -> str:
    """A folder as a user would type it."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)

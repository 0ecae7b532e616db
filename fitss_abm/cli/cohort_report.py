"""`fitss cohort-report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fitss_abm.cli.common import console, progress, told
from fitss_abm.cli.options import Overwrite, Quiet
from fitss_abm.errors import Faults

PAGE, FOLDER = "report.md", "report"


def cohort_report(
    folder: Annotated[
        Path, typer.Argument(help="The folder of an exported cohort (CSV or Parquet).", metavar="FOLDER")
    ],
    quasi: Annotated[
        str, typer.Option(help="Columns that somebody else may know, with commas.", metavar="COLUMNS")
    ] = "sex,birth_year",
    sensitive: Annotated[
        str | None,
        typer.Option(help="What they would like to know. [the diagnosis of the study's case]", metavar="COLUMN"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report. [FOLDER/report]", metavar="FOLDER")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Report how true an exported cohort is to the simulation it came from, and whether anybody could be found in it.

    Fidelity needs the cohort's truth (`fitss cohort --truth`): means, shares, distributions, correlations and survival beside
    those of complete people. Disclosure: k-anonymity and uniqueness; of a population from records, how near rows come to records.

    Examples:

    `fitss cohort-report mine`

    `fitss cohort-report mine --quasi sex,birth_year,adversity_reported --sensitive fm_mod2010`
    """
    names = tuple(name.strip() for name in quasi.split(",") if name.strip())
    with told():
        _report(folder, names, sensitive, out if out is not None else folder / FOLDER, overwrite=overwrite, quiet=quiet)


def _report(
    folder: Path, quasi: tuple[str, ...], sensitive: str | None, out: Path, *, overwrite: bool, quiet: bool
) -> None:
    from fitss_abm.measurement.results import check_folder, fresh_folder
    from fitss_abm.presentation.cohort_report_page import report_page, show_report
    from fitss_abm.presentation.cohort_report_plot import draw_report
    from fitss_abm.study.cohort_report import checked, report_on

    faults = Faults()
    faults.gather(lambda: checked(folder, quasi=quasi, sensitive=sensitive))
    if folder.is_dir() or out.parent != folder:
        faults.gather(lambda: check_folder(out, overwrite=overwrite))
    faults.raise_if_any()
    with progress(quiet) as tell:
        found = report_on(folder, quasi=quasi, sensitive=sensitive, progress=tell)
        tell("drawing", 0.0)
        with fresh_folder(out, overwrite=overwrite) as scratch:
            found.write(scratch.path)
            drawn = draw_report(found, scratch.path)
            (scratch.path / PAGE).write_text(report_page(found, drawn=drawn), encoding="utf-8")
    if not quiet:
        screen = console()
        show_report(found, screen)
        screen.print(f"\nReport, tables and figures: {scratch.target}", soft_wrap=True, markup=False)

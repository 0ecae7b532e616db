"""`fitss validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import FAILED, console, fresh_name, number, progress, told
from fitss_abm.errors import Fault, InputError

if TYPE_CHECKING:
    from fitss_abm.study.scenario import Scenario


def validate(
    people: Annotated[str | None, typer.Option(help="How many people in each run. [20000]", metavar="N")] = None,
    replicates: Annotated[
        str | None, typer.Option(help="How many runs, each with its own luck. [3]", metavar="R")
    ] = None,
    draws: Annotated[
        str | None,
        typer.Option(
            help="Instead of runs at the calibrated point, one at each of so many draws of its posterior: intervals then hold "
            "what calibration left open.",
            metavar="N",
        ),
    ] = None,
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same numbers. [1]", metavar="N")] = None,
    threads: Annotated[
        str | None, typer.Option(help="At most so many cores; changes no number. [all]", metavar="N")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what comes out. [a fresh one in runs/]", metavar="FOLDER")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the validation that is in the folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
) -> None:
    """Hold the model against every published fact: simulated value and interval, range, within or how far outside.

    The exit code is 1 when a fact to which the model was fitted is missed.

    Examples:

    `fitss validate --people 20000 --replicates 5`

    `fitss validate --draws 20`
    """
    from fitss_abm.measurement.results import fresh_folder
    from fitss_abm.presentation.validation_page import page, show
    from fitss_abm.presentation.validation_plot import draw_validation
    from fitss_abm.study import validation as study

    given = {"people": people, "replicates": replicates, "draws": draws, "seed": seed, "threads": threads}
    with told():
        runs, folder = _validation_checked({k: number(v) for k, v in given.items() if v is not None}, out, overwrite)
        with progress(quiet) as tell, fresh_folder(folder, overwrite=overwrite) as scratch:
            found = study.validate(runs, progress=tell)
            found.write(scratch.path)
            (scratch.path / "validation.md").write_text(page(found), encoding="utf-8")
            tell("drawing", 0.0)
            draw_validation(found, scratch.path / "validation.png")
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"Tables, page and figure: {scratch.target}", soft_wrap=True)
    if len(found.missed):
        raise typer.Exit(FAILED)


def _validation_checked(given: dict[str, Any], out: Path | None, overwrite: bool) -> tuple[list[Scenario], Path]:
    """The runs of a validation and the folder for what comes out; everything that is wrong with either at once."""
    from fitss_abm.measurement.results import check_folder
    from fitss_abm.study.validation import scenarios

    faults: list[Fault] = []
    runs: list[Scenario] = []
    folder = out if out is not None else fresh_name("validation")
    try:
        runs = scenarios(**given)
    except InputError as error:
        faults += error.faults
    try:
        check_folder(folder, overwrite=overwrite)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    return runs, folder

"""`fitss validate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import FAILED, console, fresh_name, numbers, progress, told
from fitss_abm.cli.options import Out, Overwrite, Quiet, Seed, Threads
from fitss_abm.errors import Faults

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
    seed: Seed = None,
    threads: Threads = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
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
        runs, folder = _validation_checked(numbers(given), out, overwrite)
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

    faults = Faults()
    folder = out if out is not None else fresh_name("validation")
    runs = faults.gather(lambda: scenarios(**given))
    faults.gather(lambda: check_folder(folder, overwrite=overwrite))
    faults.raise_if_any()
    assert runs is not None
    return runs, folder

"""`fitss sensitivity`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import FAILED, STOPPED, console, fresh_name, number, progress, told
from fitss_abm.errors import Faults, InputError

if TYPE_CHECKING:
    from fitss_abm.study.sensitivity_plan import Plan


def sensitivity(
    parameters: Annotated[
        str | None,
        typer.Option(
            help="What is varied: names with commas between them, each with =low:high or without. [what the calibration "
            "frees, over its prior ranges]",
            metavar="NAMES",
        ),
    ] = None,
    outputs: Annotated[
        str | None,
        typer.Option(
            help="What is looked at: prevalence.CONDITION, sex_ratio.CONDITION, mean.STATE, or ids of published facts. "
            "[prevalence of fibromyalgia, of any condition and of chronic pain, the sex ratio of fibromyalgia, mean alert "
            "and sensitization]",
            metavar="NAMES",
        ),
    ] = None,
    people: Annotated[str | None, typer.Option(help="How many people in each run. [5000]", metavar="N")] = None,
    years: Annotated[
        str | None, typer.Option(help="For how long each run goes on. [2; 4 for published facts]", metavar="Y")
    ] = None,
    trajectories: Annotated[
        str | None, typer.Option(help="Of the screening; each takes a run more than parameters. [20]", metavar="N")
    ] = None,
    samples: Annotated[
        str | None,
        typer.Option(
            help="Of the decomposition, a power of two; each takes two runs more than parameters. [128]", metavar="N"
        ),
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(help="How many parameters are decomposed, the most influential; 0: none. [6]", metavar="N"),
    ] = None,
    replicates: Annotated[
        str | None, typer.Option(help="Average so many runs a point, each with its own luck. [1]", metavar="R")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same numbers. [1]", metavar="N")] = None,
    workers: Annotated[
        str | None, typer.Option(help="How many runs at a time; 0: in this process. [a run a core]", metavar="N")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that hands the runs out.", metavar="ADDRESS")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what comes out. [a fresh one in runs/]", metavar="FOLDER")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results that are in the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
) -> None:
    """Find out which parameters move which outputs, and by how much.

    First a screening of all parameters (Morris: mean effect of each over its whole range), then a decomposition of the
    variance of each output into the shares of the most influential ones (Sobol), all with intervals. A parameter without a
    range of its own gets its prior range of the calibration, else a quarter of its default to either side, within its
    bounds.

    The numbers of each run are kept in FOLDER/runs as it ends. The same command with the same --out goes on where it was
    stopped, and with more samples or trajectories makes only the runs that are new (as long as the model is the same).

    Examples:

    `fitss sensitivity --out runs/sensitivity`

    `fitss sensitivity --parameters support_weight,hassle_rate=0.2:0.6 --outputs prevalence.fibromyalgia,mean.alert`
    """
    from fitss_abm.presentation.sensitivity_page import cost, page, show
    from fitss_abm.presentation.sensitivity_plot import draw_sensitivity
    from fitss_abm.study import sensitivity_runs as study
    from fitss_abm.study.kept_folder import make_kept, results_into

    numbers = {
        "people": people, "years": years, "trajectories": trajectories, "samples": samples, "top": top,
        "replicates": replicates, "seed": seed,
    }  # fmt: skip
    given: dict[str, Any] = {name: number(text) for name, text in numbers.items() if text is not None}
    folder = out if out is not None else fresh_name("sensitivity")
    at_once: Any = None if workers is None else number(workers)
    with told():
        plan = _checked(given | {"parameters": parameters, "outputs": outputs}, at_once, folder, overwrite)
        if not quiet:
            for line in cost(plan):
                typer.echo(line)
            typer.echo(f"Runs are kept in {folder}; with --out {folder} the same command goes on where it was stopped.")
        runs = make_kept(folder)
        try:
            with progress(quiet) as tell:
                found = study.analyse(plan, folder=runs, workers=at_once, cluster=cluster, progress=tell)
        except study.MissingRuns as error:
            typer.echo(str(error), err=True)
            typer.echo(f"the others are kept; with --out {folder} the same command tries these again", err=True)
            raise typer.Exit(FAILED) from None
        except KeyboardInterrupt:
            typer.echo(f"stopped; with --out {folder} the same command goes on from here", err=True)
            raise typer.Exit(STOPPED) from None
        with results_into(folder) as scratch:
            found.write(scratch)
            (scratch / "sensitivity.md").write_text(page(found), encoding="utf-8")
            draw_sensitivity(found, scratch / "sensitivity.png")
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"Tables, page and figure: {folder}", soft_wrap=True)


def _checked(given: dict[str, Any], workers: Any, folder: Path, overwrite: bool) -> Plan:
    """The plan; everything that is wrong with it, with the workers and with the folder at once."""
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.sensitivity_plan import planned
    from fitss_abm.study.sensitivity_runs import TABLE

    faults = Faults()
    plan = None
    try:
        plan = planned(**given)
    except InputError as error:
        faults.found += error.faults
    if workers is not None and (not isinstance(workers, int) or workers < 0):
        faults.add("workers", workers, "must be a whole number, 0 or more")
    try:
        check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite)
    except InputError as error:
        faults.found += error.faults
    faults.raise_if_any()
    assert plan is not None
    return plan

"""`fitss sensitivity`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import begin_kept, console, fresh_name, kept_runs, numbers, progress, told
from fitss_abm.cli.options import Cluster, Out, Overwrite, Quiet, Seed, Workers
from fitss_abm.errors import Faults

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
    seed: Seed = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
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
    from fitss_abm.study.kept_folder import results_into

    given = numbers(
        {
            "people": people, "years": years, "trajectories": trajectories, "samples": samples, "top": top,
            "replicates": replicates, "seed": seed,
        }
    )  # fmt: skip
    hands = numbers({"workers": workers})
    folder = out if out is not None else fresh_name("sensitivity")
    with told():
        plan = _checked(given | {"parameters": parameters, "outputs": outputs}, hands, folder, overwrite)
        if not quiet:
            for line in cost(plan):
                typer.echo(line)
        runs = begin_kept(folder, quiet=quiet)
        with kept_runs(folder):
            with progress(quiet) as tell:
                found = study.analyse(plan, folder=runs, cluster=cluster, progress=tell, **hands)
            with results_into(folder) as scratch:
                found.write(scratch)
                (scratch / "sensitivity.md").write_text(page(found), encoding="utf-8")
                draw_sensitivity(found, scratch / "sensitivity.png")
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"Tables, page and figure: {folder}", soft_wrap=True)


def _checked(given: dict[str, Any], hands: dict[str, Any], folder: Path, overwrite: bool) -> Plan:
    """The plan; everything that is wrong with it, with the workers and with the folder at once."""
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.sensitivity_plan import planned
    from fitss_abm.study.sensitivity_runs import TABLE

    faults = Faults()
    plan = faults.gather(lambda: planned(**given))
    faults.whole("workers", hands.get("workers", 0), 0)
    faults.gather(lambda: check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite))
    faults.raise_if_any()
    assert plan is not None
    return plan

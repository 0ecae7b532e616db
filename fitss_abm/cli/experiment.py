"""`fitss experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import console, fresh_name, told
from fitss_abm.cli.comparing import carry_out, check_settings, numbers
from fitss_abm.errors import Fault, InputError

if TYPE_CHECKING:
    from fitss_abm.study.experiments import Experiment


def experiment(
    name: Annotated[str | None, typer.Argument(help="Which one; `--list` tells them.", metavar="[NAME]")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say which experiments there are, and stop.")] = False,
    replicates: Annotated[
        str | None,
        typer.Option(help="How many runs, each with its own people and luck. [the experiment's]", metavar="R"),
    ] = None,
    draws: Annotated[
        str | None, typer.Option(help="Runs at each of so many draws of the calibration's posterior.", metavar="D")
    ] = None,
    people: Annotated[str | None, typer.Option(help="How many people. [the experiment's]", metavar="N")] = None,
    years: Annotated[str | None, typer.Option(help="For how long. [the experiment's]", metavar="Y")] = None,
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same numbers. [1]", metavar="N")] = None,
    discount: Annotated[
        str | None, typer.Option(help="Rate per year at which costs are discounted. [0.03]", metavar="RATE")
    ] = None,
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
    """Run one of the experiments that come with the package: a question, what was expected, and what the model answers.

    Examples:

    `fitss experiment --list`

    `fitss experiment whom_to_support --people 5000 --replicates 4`
    """
    overrides = numbers({"people": people, "years": years, "seed": seed})
    settings = numbers({"replicates": replicates, "draws": draws, "discount": discount, "workers": workers})
    with told():
        if listed:
            _list()
            return
        folder = out if out is not None else fresh_name(name or "experiment")
        asked = _asked(name, overrides, settings, folder, overwrite=overwrite)
        if draws is None:
            settings = {"replicates": asked.replicates} | settings
        carry_out(asked.arms, settings, folder, cluster=cluster, quiet=quiet, words=asked.words)


def _asked(
    name: str | None, overrides: dict[str, Any], settings: dict[str, Any], folder: Path, *, overwrite: bool
) -> Experiment:
    from fitss_abm.study.experiments import names, read

    faults: list[Fault] = []
    found = None
    try:
        if name is None:
            faults.append(Fault("experiment", None, f"name one of {', '.join(names())}"))
        else:
            found = read(name, **overrides)
    except InputError as error:
        faults += error.faults
    check_settings(settings, folder, overwrite=overwrite, faults=faults)
    if faults or found is None:
        raise InputError(faults)
    return found


def _list() -> None:
    from fitss_abm.study.experiments import names, read

    screen = console()
    for name in names():
        screen.print(f"[bold]{name}[/bold]: {read(name).question}")

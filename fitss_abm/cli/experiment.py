"""`fitss experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import console, fresh_name, numbers, told
from fitss_abm.cli.comparing import carry_out, check_settings
from fitss_abm.cli.options import Cluster, Discount, Draws, Out, Overwrite, Quiet, Seed, Workers
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.experiments import Experiment


def experiment(
    name: Annotated[str | None, typer.Argument(help="Which one; `--list` tells them.", metavar="[NAME]")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Say which experiments there are, and stop.")] = False,
    replicates: Annotated[
        str | None,
        typer.Option(help="How many runs, each with its own people and luck. [the experiment's]", metavar="R"),
    ] = None,
    draws: Draws = None,
    people: Annotated[str | None, typer.Option(help="How many people. [the experiment's]", metavar="N")] = None,
    years: Annotated[str | None, typer.Option(help="For how long. [the experiment's]", metavar="Y")] = None,
    seed: Seed = None,
    discount: Discount = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
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

    faults = Faults()
    found = None
    if name is None:
        faults.add("experiment", None, f"name one of {', '.join(names())}")
    else:
        found = faults.gather(lambda: read(name, **overrides))
    check_settings(settings, folder, overwrite=overwrite, faults=faults)
    faults.raise_if_any()
    assert found is not None
    return found


def _list() -> None:
    from fitss_abm.study.experiments import names, read

    screen = console()
    for name in names():
        screen.print(f"[bold]{name}[/bold]: {read(name).question}")

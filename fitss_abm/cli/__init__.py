"""The command `fitss`: thin, one file a command. Everything heavy is imported where it is used."""

from __future__ import annotations

from typing import Annotated

import typer

from fitss_abm.cli.calibrate import calibrate
from fitss_abm.cli.cohort import cohort
from fitss_abm.cli.cohort_report import cohort_report
from fitss_abm.cli.compare import compare
from fitss_abm.cli.definitions import definitions
from fitss_abm.cli.describe import describe, locations
from fitss_abm.cli.experiment import experiment
from fitss_abm.cli.knockout import knockout
from fitss_abm.cli.population import population
from fitss_abm.cli.run import run
from fitss_abm.cli.sensitivity import sensitivity
from fitss_abm.cli.trial import trial
from fitss_abm.cli.validate import validate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    app()


@app.callback(invoke_without_command=True)
def _options(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Simulate the adult population of a country under the FITSS model of central sensitivity syndromes. For research
    only.

    Examples:

    `fitss run` simulates 100,000 people of Germany for ten years.

    `fitss run --people 10000 --years 5 --location Japan` simulates others.

    `fitss describe parameters` lists every number of the model with unit, bounds and source.
    """
    if version:
        import fitss_abm

        typer.echo(f"fitss_abm {fitss_abm.__version__}")
        raise typer.Exit


for _command in (
    run,
    compare,
    cohort,
    cohort_report,
    experiment,
    definitions,
    validate,
    calibrate,
    sensitivity,
    knockout,
    trial,
    population,
    describe,
    locations,
):
    app.command()(_command)

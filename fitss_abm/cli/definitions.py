"""`fitss definitions`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import begin_kept, console, fresh_name, kept_runs, numbers, progress, told
from fitss_abm.cli.options import Cluster, Draws, Location, Out, Overwrite, Quiet, SeedOfFile, Workers
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.scenario import Scenario

PAGE = "definitions.md"


def definitions(
    scenario: Annotated[
        Path | None, typer.Argument(help="A TOML file; without one, the model as shipped.", metavar="[SCENARIO.toml]")
    ] = None,
    people: Annotated[
        str | None, typer.Option(help="How many people in each run. [the file's; 20000]", metavar="N")
    ] = None,
    years: Annotated[
        str | None, typer.Option(help="How long they live before they are looked at. [the file's; 1]", metavar="Y")
    ] = None,
    replicates: Annotated[
        str | None, typer.Option(help="How many runs, each with its own people and luck. [5]", metavar="R")
    ] = None,
    draws: Draws = None,
    location: Location = None,
    seed: SeedOfFile = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """The same people by several definitions of a case (ACR 1990, 2010, modified 2010, 2016, diagnosed; widespread pain; IBS):
    prevalence and sex ratio of each, as truth, by survey and in the clinic, beside published ranges; who is a case by which.

    Prints words and tables and writes a page, tables and figures. Each run is kept in FOLDER/runs as it ends: the same command
    with the same --out goes on where it was stopped.

    Examples:

    `fitss definitions`

    `fitss definitions lonely.toml --people 50000 --out runs/definitions`
    """
    overrides = numbers({"people": people, "years": years, "seed": seed})
    overrides |= {"location": location} if location is not None else {}
    settings = numbers({"replicates": replicates, "draws": draws, "workers": workers})
    folder = out if out is not None else fresh_name("definitions")
    with told():
        base = _checked(scenario, overrides, settings, folder, overwrite=overwrite)
        _run(base, settings, folder, cluster=cluster, quiet=quiet)


def _checked(
    path: Path | None, overrides: dict[str, Any], settings: dict[str, Any], folder: Path, *, overwrite: bool
) -> Scenario:
    """The scenario; everything that is wrong with file, options and folder is told at once."""
    from fitss_abm.study.definitions import PEOPLE, TABLE, YEARS, scenarios
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.simulate import check_memory

    faults = Faults()
    if path is None:
        shipped: dict[str, Any] = {"name": "definitions", "people": PEOPLE, "years": YEARS}
        base = faults.gather(lambda: Scenario(**(shipped | overrides)))
    else:
        base = faults.gather(partial(Scenario.read, path, **overrides))
    faults.whole("workers", settings.get("workers", 1), 0)
    how = {name: value for name, value in settings.items() if name != "workers"}
    faults.gather(lambda: scenarios(base or Scenario(), **how))
    faults.gather(lambda: check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite))
    if base is not None:
        faults.gather(partial(check_memory, base))
    faults.raise_if_any()
    assert base is not None
    return base


def _run(base: Scenario, settings: dict[str, Any], folder: Path, *, cluster: str | None, quiet: bool) -> None:
    from fitss_abm.presentation.definitions_page import definitions_page, show_definitions
    from fitss_abm.presentation.definitions_plot import draw_definitions
    from fitss_abm.study.definitions import compare_definitions
    from fitss_abm.study.kept_folder import results_into

    kept = begin_kept(folder, quiet=quiet)
    with kept_runs(folder), progress(quiet) as tell:
        found = compare_definitions(base, folder=kept, cluster=cluster, progress=tell, **settings)
        tell("drawing", 0.0)
        with results_into(folder) as scratch:
            found.write(scratch)
            drawn = draw_definitions(found, scratch)
            (scratch / PAGE).write_text(definitions_page(found, drawn=drawn), encoding="utf-8")
    if not quiet:
        screen = console()
        show_definitions(found, screen)
        screen.print(f"\nPage, tables and figures: {folder}", soft_wrap=True)

"""`fitss run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import STOPPED, console, fresh_name, numbers, progress, told
from fitss_abm.cli.options import Location, Out, Overwrite, Quiet, Seed, Threads
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.measurement.results import Results
    from fitss_abm.study.scenario import Scenario


def run(
    scenario: Annotated[
        Path | None,
        typer.Argument(help="A scenario file; options below have the last word.", metavar="[SCENARIO.toml]"),
    ] = None,
    people: Annotated[str | None, typer.Option(help="How many people of 12 or more. [100000]", metavar="N")] = None,
    years: Annotated[str | None, typer.Option(help="For how long. [10]", metavar="Y")] = None,
    location: Location = None,
    seed: Seed = None,
    draw: Annotated[
        str | None,
        typer.Option(help="A draw of the calibration's posterior instead of its point, 0 to 99.", metavar="K"),
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day. [2025-01-01]", metavar="DATE")] = None,
    threads: Threads = None,
    out: Out = None,
    overwrite: Overwrite = False,
    snapshot_every: Annotated[
        str | None, typer.Option(help="Also write a row for each person every so many days.", metavar="DAYS")
    ] = None,
    seen_as: Annotated[
        list[str] | None,
        typer.Option(
            "--seen-as",
            help="How people are seen in tables: truth, survey or clinic; several with commas or by giving it again. [truth]",
            metavar="HOW",
        ),
    ] = None,
    quiet: Quiet = False,
    no_figures: Annotated[bool, typer.Option("--no-figures", help="Draw no figures.")] = False,
) -> None:
    """Simulate a population, print how common each condition is, and write tables and figures.

    Examples:

    `fitss run --people 10000 --years 5 --location Japan --seed 7`

    `fitss run lonely.toml --out runs/lonely --overwrite` where lonely.toml may hold as little as

        people = 20_000
        [parameters]
        support_weight = 0.3
    """
    given = {
        "years": years,
        "people": people,
        "seed": seed,
        "draw": draw,
        "threads": threads,
        "snapshot_every": snapshot_every,
    }
    overrides = numbers(given)
    overrides |= {name: text for name, text in {"location": location, "start": start}.items() if text is not None}
    overrides |= {"seen_as": ",".join(seen_as)} if seen_as else {}
    with told():
        asked, folder = _checked(scenario, overrides, out, overwrite)
        results, figures = _run(asked, folder, overwrite=overwrite, quiet=quiet, draw=not no_figures)
    if not quiet:
        _report(results, figures)


def _checked(path: Path | None, overrides: dict[str, Any], out: Path | None, overwrite: bool) -> tuple[Scenario, Path]:
    """The scenario, and the folder for what comes out of it; everything that is wrong with either is told at once."""
    from fitss_abm.measurement.results import check_folder
    from fitss_abm.measurement.snapshots import check_room
    from fitss_abm.study.scenario import Scenario

    faults = Faults()
    asked = faults.gather(lambda: Scenario.read(path, **overrides) if path is not None else Scenario(**overrides))
    folder = out if out is not None else fresh_name(asked.name if asked else "run")

    def check_place() -> None:
        check_folder(folder, overwrite=overwrite)
        if asked and asked.snapshot_every is not None:
            check_room(folder, people=asked.people, days=asked.days, every=asked.snapshot_every)

    faults.gather(check_place)
    faults.raise_if_any()
    assert asked is not None
    return asked, folder


def _run(asked: Scenario, folder: Path, *, overwrite: bool, quiet: bool, draw: bool) -> tuple[Results, list[Path]]:
    from fitss_abm.measurement.results import fresh_folder
    from fitss_abm.study.simulate import simulate

    with progress(quiet) as tell:
        results = simulate(asked, progress=tell, out=folder, overwrite=overwrite, command=sys.argv)
    if not draw or results.folder is None:
        return results, []
    from fitss_abm.presentation.plots import draw_all

    try:
        with progress(quiet) as tell, fresh_folder(results.folder / "figures") as scratch:
            tell("drawing", 0.0)
            names = [path.relative_to(scratch.path) for path in draw_all(results, scratch.path)]
    except KeyboardInterrupt:
        typer.echo(f"stopped while drawing; the tables are complete in {results.folder}", err=True)
        raise typer.Exit(STOPPED) from None
    return results, [results.folder / "figures" / name for name in names]


def _report(results: Results, figures: list[Path]) -> None:
    from fitss_abm.presentation.summary import show_summary

    screen = console()
    show_summary(results, screen)
    screen.print(f"Tables: {results.folder}", soft_wrap=True, highlight=False)
    if figures:
        screen.print(f"Figures: {figures[0].parent} ({', '.join(path.name for path in figures)})", highlight=False)

"""The command `fitss`: thin, one function a command. Everything heavy is imported where it is used."""

from __future__ import annotations

import datetime
import errno
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.errors import Fault, InputError, nearest_name

if TYPE_CHECKING:
    from rich.console import Console

    from fitss_abm.measurement.results import Results
    from fitss_abm.study.scenario import Scenario

FAILED, BAD_INPUT, STOPPED, TERMINATED = 1, 2, 130, 143
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_WIDE = 150  # characters, where nobody's screen says how wide a line may be
_PHASES = {
    "compiling": "compiling the model, once on this machine, about half a minute",
    "network": "people and their ties",
    "pre-history": "their lives before the first day",
    "years": "the years of the run",
}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How `describe` answers."""

    TEXT = "text"
    MD = "md"


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


@app.command()
def run(
    scenario: Annotated[
        Path | None,
        typer.Argument(help="A scenario file; options below have the last word.", metavar="[SCENARIO.toml]"),
    ] = None,
    people: Annotated[str | None, typer.Option(help="How many people of 12 or more. [100000]", metavar="N")] = None,
    years: Annotated[str | None, typer.Option(help="For how long. [10]", metavar="Y")] = None,
    location: Annotated[
        str | None,
        typer.Option(help="Whose ages and death rates; `fitss locations` lists them. [Germany]", metavar="NAME"),
    ] = None,
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same numbers. [1]", metavar="N")] = None,
    start: Annotated[str | None, typer.Option(help="First day. [2025-01-01]", metavar="DATE")] = None,
    threads: Annotated[
        str | None, typer.Option(help="At most so many cores; changes no number. [all]", metavar="N")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what comes out. [a fresh one in runs/]", metavar="FOLDER")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that is in the folder.")] = False,
    snapshot_every: Annotated[
        str | None, typer.Option(help="Also write a row for each person every so many days.", metavar="DAYS")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
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
    given = {"years": years, "people": people, "seed": seed, "threads": threads, "snapshot_every": snapshot_every}
    overrides: dict[str, Any] = {name: _number(text) for name, text in given.items() if text is not None}
    overrides |= {name: text for name, text in {"location": location, "start": start}.items() if text is not None}
    with _told():
        asked, folder = _checked(scenario, overrides, out, overwrite)
        results, figures = _run(asked, folder, overwrite=overwrite, quiet=quiet, draw=not no_figures)
    if not quiet:
        _report(results, figures)


@app.command()
def validate(
    people: Annotated[str | None, typer.Option(help="How many people in each run. [20000]", metavar="N")] = None,
    replicates: Annotated[
        str | None, typer.Option(help="How many runs, each with its own luck. [3]", metavar="R")
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

    Example: `fitss validate --people 20000 --replicates 5`
    """
    from fitss_abm.measurement.results import fresh_folder
    from fitss_abm.presentation.validation_page import page, show
    from fitss_abm.presentation.validation_plot import draw_validation
    from fitss_abm.study import validation as study

    given = {"people": people, "replicates": replicates, "seed": seed, "threads": threads}
    with _told():
        runs, folder = _validation_checked({k: _number(v) for k, v in given.items() if v is not None}, out, overwrite)
        with _progress(quiet) as tell, fresh_folder(folder, overwrite=overwrite) as scratch:
            found = study.validate(runs, progress=tell)
            found.write(scratch.path)
            (scratch.path / "validation.md").write_text(page(found), encoding="utf-8")
            tell("drawing", 0.0)
            draw_validation(found, scratch.path / "validation.png")
    if not quiet:
        console = _console()
        show(found, console)
        console.print(f"Tables, page and figure: {scratch.target}", soft_wrap=True)
    if len(found.missed):
        raise typer.Exit(FAILED)


@app.command()
def describe(
    what: Annotated[
        str | None,
        typer.Argument(help="rules, parameters, conditions, columns or network. [all of them]", metavar="[WHAT]"),
    ] = None,
    format: Annotated[Format, typer.Option(help="For the terminal, or as Markdown.")] = Format.TEXT,
) -> None:
    """Print the model as it is declared: the rules of a day in order, every number with unit and source, the
    conditions.

    Example: `fitss describe parameters --format md > parameters.md`
    """
    from fitss_abm.presentation.describe import SECTIONS, markdown, show

    with _told():
        if what is not None and what not in SECTIONS:
            problem = f"can be described are {', '.join(SECTIONS)}"
            raise InputError([Fault("describe", what, problem, nearest=nearest_name(what, SECTIONS))])
        sections = [section() for name, section in SECTIONS.items() if what in (None, name)]
    if format is Format.MD:
        typer.echo(markdown(sections))
    else:
        show(sections, _console())


@app.command()
def locations(
    text: Annotated[str | None, typer.Argument(help="Only those whose name holds this.", metavar="[TEXT]")] = None,
) -> None:
    """List the locations of the UN table, or those whose name, or another name of theirs, holds TEXT.

    Example: `fitss locations korea`
    """
    from fitss_abm.model.demography import ALIASES, locations

    wanted = (text or "").lower()
    found = [name for name in locations() if any(wanted in each.lower() for each in (name, *ALIASES.get(name, ())))]
    with _told():
        if not found:
            raise InputError([Fault("locations", text, "no such location", nearest=nearest_name(wanted, locations()))])
    for name in found:
        typer.echo(name)


def _checked(path: Path | None, overrides: dict[str, Any], out: Path | None, overwrite: bool) -> tuple[Scenario, Path]:
    """The scenario, and the folder for what comes out of it; everything that is wrong with either is told at once."""
    from fitss_abm.measurement.results import check_folder
    from fitss_abm.measurement.snapshots import check_room
    from fitss_abm.study.scenario import Scenario

    faults: list[Fault] = []
    asked = None
    try:
        asked = Scenario.read(path, **overrides) if path is not None else Scenario(**overrides)
    except InputError as error:
        faults += error.faults
    folder = out if out is not None else _fresh_name(asked.name if asked else "run")
    try:
        check_folder(folder, overwrite=overwrite)
        if asked and asked.snapshot_every is not None:
            check_room(folder, people=asked.people, days=asked.days, every=asked.snapshot_every)
    except InputError as error:
        faults += error.faults
    if faults or asked is None:
        raise InputError(faults)
    return asked, folder


def _validation_checked(given: dict[str, Any], out: Path | None, overwrite: bool) -> tuple[list[Scenario], Path]:
    """The runs of a validation and the folder for what comes out; everything that is wrong with either at once."""
    from fitss_abm.measurement.results import check_folder
    from fitss_abm.study.validation import scenarios

    faults: list[Fault] = []
    runs: list[Scenario] = []
    folder = out if out is not None else _fresh_name("validation")
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


def _fresh_name(name: str) -> Path:
    """runs/<name>-<date>-<n>, the first that is not there yet."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    today = datetime.date.today().isoformat()
    number = 1
    while (folder := Path("runs") / f"{plain}-{today}-{number}").exists():
        number += 1
    return folder


def _run(asked: Scenario, folder: Path, *, overwrite: bool, quiet: bool, draw: bool) -> tuple[Results, list[Path]]:
    from fitss_abm.measurement.results import fresh_folder
    from fitss_abm.study.simulate import simulate

    with _progress(quiet) as tell:
        results = simulate(asked, progress=tell, out=folder, overwrite=overwrite, command=sys.argv)
    if not draw or results.folder is None:
        return results, []
    from fitss_abm.presentation.plots import draw_all

    try:
        with _progress(quiet) as tell, fresh_folder(results.folder / "figures") as scratch:
            tell("drawing", 0.0)
            names = [path.relative_to(scratch.path) for path in draw_all(results, scratch.path)]
    except KeyboardInterrupt:
        typer.echo(f"stopped while drawing; the tables are complete in {results.folder}", err=True)
        raise typer.Exit(STOPPED) from None
    return results, [results.folder / "figures" / name for name in names]


def _report(results: Results, figures: list[Path]) -> None:
    from fitss_abm.presentation.summary import show_summary

    console = _console()
    show_summary(results, console)
    console.print(f"Tables: {results.folder}", soft_wrap=True, highlight=False)
    if figures:
        console.print(f"Figures: {figures[0].parent} ({', '.join(path.name for path in figures)})", highlight=False)


def _number(text: str) -> int | float | str:
    """The number that a text says; the text itself where it says none, so that it is told with all other faults."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number  # 1e6 people are welcome


def _console() -> Console:
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with an input, or that the run was stopped, and leave with the right exit code."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_INPUT) from None
    except MemoryError:
        typer.echo("not enough memory for so many people; nothing was written", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        typer.echo(f"the disk is full ({error.strerror}); nothing was written", err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        typer.echo("stopped; nothing was written", err=True)
        raise typer.Exit(STOPPED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: object) -> None:
    raise SystemExit(TERMINATED)


@contextmanager
def _progress(quiet: bool) -> Iterator[Any]:
    """Shows on a terminal which phase the run is in and how long it still takes; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left:"),
        TimeRemainingColumn(),
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:

        def tell(phase: str, fraction: float) -> None:
            if phase not in tasks:
                for name, task in tasks.items():
                    bars.update(task, total=1.0, completed=1.0, visible=name != "compiling")
                tasks[phase] = bars.add_task(_PHASES.get(phase, phase), total=None if phase == "compiling" else 1.0)
            if phase != "compiling":
                bars.update(tasks[phase], completed=fraction)

        yield tell


if __name__ == "__main__":
    main()

"""`fitss population`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import console, fresh_name, numbers, progress, told
from fitss_abm.cli.options import Location, Out, Overwrite, Quiet, Seed, Threads
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.scenario import Scenario

_SCENARIO, _FIGURE, _PAGE = "scenario.toml", "asked_and_obtained.png", "population.md"


def population(
    survey: Annotated[Path, typer.Argument(help="The records: a table, one row a person.", metavar="SURVEY.csv")],
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="A TOML file that says what the survey's columns are. [columns that have our names]",
            metavar="MAPPING.toml",
        ),
    ] = None,
    people: Annotated[
        str | None, typer.Option(help="How many people, drawn by weight. [as many as records]", metavar="N")
    ] = None,
    location: Location = None,
    start: Annotated[str | None, typer.Option(help="First day. [2025-01-01]", metavar="DATE")] = None,
    seed: Seed = None,
    years: Annotated[
        str | None, typer.Option(help="For how long to watch how far it drifts; 0: not. [2]", metavar="Y")
    ] = None,
    link: Annotated[
        bool, typer.Option("--link", help="Also write which record each person is, with the survey's ids.")
    ] = False,
    threads: Threads = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Make a population that begins as a survey says, and report how near it comes: asked against obtained.

    The mapping names columns: sex, age (or birth_date and survey_date), person, weight, adversity, pain, wpi, sss, loneliness
    and any condition of `fitss describe conditions`. What is missing is filled in and flagged. Out comes a scenario file for
    `fitss run`, `compare` and `cohort`. The survey's ids are in no output unless asked for.

    Examples:

    `fitss population survey.csv --map mapping.toml --out runs/survey` where mapping.toml may hold as little as

        columns = { sex = "gender", age = "age_years", fibromyalgia = "fm" }

    `fitss population survey.parquet --map mapping.toml --people 20000 --location Japan`
    """
    values = numbers({"people": people, "seed": seed, "threads": threads})
    values |= {name: text for name, text in {"location": location, "start": start}.items() if text is not None}
    with told():
        _make(survey, mapping, values, numbers({"years": years}), out, overwrite=overwrite, quiet=quiet, link=link)


def _make(
    survey: Path, mapping: Path | None, values: dict[str, Any], watched: dict[str, Any], out: Path | None, *,
    overwrite: bool, quiet: bool, link: bool,
) -> None:  # fmt: skip
    from fitss_abm.measurement.results import fresh_folder
    from fitss_abm.presentation.records_page import page, show
    from fitss_abm.presentation.records_plot import draw_records
    from fitss_abm.study.records_report import population_from_records
    from fitss_abm.study.simulate import check_memory

    asked, folder = _checked(survey, mapping, values, watched, out, overwrite=overwrite)
    check_memory(asked)
    with progress(quiet) as tell:
        found = population_from_records(asked, progress=tell, **watched)
    with fresh_folder(folder, overwrite=overwrite) as scratch:
        found.write(scratch.path, link=link)
        (scratch.path / _SCENARIO).write_text(found.scenario_text(scratch.target), encoding="utf-8")
        (scratch.path / _PAGE).write_text(page(found, scenario=_SCENARIO, figure=_FIGURE), encoding="utf-8")
        draw_records(found, scratch.path / _FIGURE)
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"\nScenario, page, tables and figure: {scratch.target}", soft_wrap=True)


def _checked(
    survey: Path, mapping: Path | None, values: dict[str, Any], watched: dict[str, Any], out: Path | None, *,
    overwrite: bool,
) -> tuple[Scenario, Path]:  # fmt: skip
    """The scenario and the folder for what comes out; everything that is wrong at once."""
    from fitss_abm.measurement.results import check_folder
    from fitss_abm.study.records_report import MOST_YEARS, scenario_of

    faults = Faults()
    if "years" in watched:
        faults.whole("years", watched["years"], 0, MOST_YEARS)
    asked = faults.gather(lambda: scenario_of(survey, mapping, values))
    folder = out if out is not None else fresh_name(survey.stem)
    faults.gather(lambda: check_folder(folder, overwrite=overwrite))
    faults.raise_if_any()
    assert asked is not None
    return asked, folder

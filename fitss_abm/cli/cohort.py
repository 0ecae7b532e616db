"""`fitss cohort`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import console, fresh_name, kept_runs, numbers, progress, told
from fitss_abm.cli.options import Cluster, Location, Out, Overwrite, Quiet, SeedOfFile
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.cohort import Cohort


def cohort(
    file: Annotated[
        Path | None,
        typer.Argument(help="A cohort as a TOML file; options have the last word.", metavar="[COHORT.toml]"),
    ] = None,
    people: Annotated[
        str | None,
        typer.Option(
            help="How many people live in the simulated population, from whom the study recruits. [100000]", metavar="N"
        ),
    ] = None,
    participants: Annotated[
        str | None, typer.Option(help="How many of them take part. [all who can be had]", metavar="N")
    ] = None,
    visits: Annotated[
        str | None,
        typer.Option(help="Times after the start (0, 90d, 6m, 1y) or dates, with commas. [0,1y,2y]", metavar="TIMES"),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(help="population, clinic, case-control, panel or birth-adversity. [population]", metavar="DESIGN"),
    ] = None,
    persons: Annotated[
        Path | None,
        typer.Option(help="Recruit among these alone: a CSV table with a column person_id.", metavar="PERSONS.csv"),
    ] = None,
    diary: Annotated[
        str | None, typer.Option(help="So many participants keep a daily diary from the first visit on.", metavar="N")
    ] = None,
    diary_days: Annotated[str | None, typer.Option(help="For so many days. [28]", metavar="DAYS")] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            help="What gets lost: mcar, mar or mnar with a share; of items, or as participation=, dropout= (a year), "
            "visits=; with commas. [none]",
            metavar="RULES",
        ),
    ] = None,
    format: Annotated[str | None, typer.Option(help="csv, parquet or omop. [csv]", metavar="FORMAT")] = None,
    truth: Annotated[
        bool | None,
        typer.Option(
            "--truth",
            help="Write apart what nobody could know: latent states, the counterfactual, each person's effect.",
            show_default=False,
        ),
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="The world in which the study takes place, as a scenario file.", metavar="FILE")
    ] = None,
    counterfactual: Annotated[
        Path | None,
        typer.Option(
            help="The other world of --truth, as a scenario file. [the scenario without programmes]", metavar="FILE"
        ),
    ] = None,
    part_people: Annotated[
        str | None,
        typer.Option(
            help="A larger population is made of parts of this size, which bounds memory. [1000000]", metavar="N"
        ),
    ] = None,
    location: Location = None,
    start: Annotated[str | None, typer.Option(help="First day. [2025-01-01]", metavar="DATE")] = None,
    seed: SeedOfFile = None,
    workers: Annotated[
        str | None,
        typer.Option(
            help="Parts at a time, each with one core; 0: one after the other, with all. Changes no number. [0]",
            metavar="N",
        ),
    ] = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Recruit a study from the simulated population, visit it, and write what it got to see, person by person.

    `--people` is the population that is simulated, `--participants` how many of it take part. What gets lost, by whom and why, is
    asked with `--missing`; with `--truth` the right answer is written beside it, in a folder of its own. Parts of a large
    population are kept in DIR/runs as they end: the same command goes on where it was stopped.

    Examples:

    `fitss cohort --people 50000 --visits 0,1y,2y --participants 2000`

    `fitss cohort --design case-control --missing participation=mar:0.3,dropout=mnar:0.05,mar:0.1 --format parquet`

    `fitss cohort --scenario befriending.toml --truth`
    """
    values: dict[str, Any] = numbers(
        {"participants": participants, "part_people": part_people, "diary": diary, "diary_days": diary_days}
    )
    texts = {"design": design, "scenario": scenario, "counterfactual": counterfactual, "persons_file": persons}
    values |= {name: str(text) for name, text in texts.items() if text is not None}
    if visits is not None:
        values["visits"] = [part.strip() for part in visits.split(",") if part.strip()]
    if truth:
        values["truth"] = True
    world = numbers({"people": people, "seed": seed})
    world |= {name: text for name, text in {"location": location, "start": start}.items() if text is not None}
    how = {"format": format or "csv", "cluster": cluster} | {"workers": 0} | numbers({"workers": workers})
    with told():
        _export(file, values, world, missing, how, out, overwrite=overwrite, quiet=quiet)


def _export(
    file: Path | None, values: dict[str, Any], world: dict[str, Any], missing: str | None, how: dict[str, Any],
    out: Path | None, *, overwrite: bool, quiet: bool,
) -> None:  # fmt: skip
    from fitss_abm.presentation.cohort_page import show
    from fitss_abm.study.cohort_run import export

    asked, folder = _checked(file, values, world, missing, how, out, overwrite=overwrite)
    if not quiet and asked.parts > 1:
        typer.echo(
            f"{asked.parts} parts are kept in {folder}; with --out {folder} the same command goes on from there."
        )
    with kept_runs(folder), progress(quiet) as tell:
        found = export(asked, folder, overwrite=overwrite, progress=tell, **how)
    if not quiet:
        show(found, console())


def _checked(
    file: Path | None, values: dict[str, Any], world: dict[str, Any], missing: str | None, how: dict[str, Any],
    out: Path | None, *, overwrite: bool,
) -> tuple[Cohort, Path]:  # fmt: skip
    """The cohort and its folder; everything that is wrong at once."""
    from fitss_abm.study.cohort_missing import parse
    from fitss_abm.study.cohort_reading import read
    from fitss_abm.study.cohort_run import check

    faults = Faults()
    if missing is not None:
        values["missing"] = parse(missing, "missing", faults)
    faults.whole("workers", how["workers"], 0)
    folder = out if out is not None else fresh_name(file.stem if file is not None else "cohort")
    asked = faults.gather(lambda: read(file, values, world))
    faults.gather(lambda: check(asked, folder, format=how["format"], overwrite=overwrite))
    faults.raise_if_any()
    assert asked is not None
    return asked, folder

"""`fitss trial`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import FAILED, STOPPED, console, fresh_name, number, progress, told
from fitss_abm.cli.trial_contrast import contrast_command
from fitss_abm.errors import Faults, InputError

if TYPE_CHECKING:
    from fitss_abm.study.trial import Trial


def trial(
    file: Annotated[Path | None, typer.Argument(help="A trial as a TOML file.", metavar="TRIAL.toml")] = None,
    contrast: Annotated[
        bool,
        typer.Option(
            "--contrast",
            help="Instead of a file: every treatment of the package against placebo in diagnosed patients, over 12 weeks, beside "
            "published trials.",
        ),
    ] = False,
    replicates: Annotated[
        str | None,
        typer.Option(
            help="So many trials, each in people of its own. [1; with --power 100; with --contrast 2]", metavar="R"
        ),
    ] = None,
    power: Annotated[
        str | None,
        typer.Option(
            help="Numbers of participants, with commas: how often would a trial of that size find something?",
            metavar="N",
        ),
    ] = None,
    people: Annotated[
        str | None,
        typer.Option(help="How many people in each population. [the file's; with --contrast 40000]", metavar="N"),
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="The same seed gives the same numbers. [the file's; 1]", metavar="N")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(help="How many trials at a time; 0: in this process. [a trial a core]", metavar="N")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that hands the trials out.", metavar="ADDRESS")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what comes out. [a fresh one in runs/]", metavar="FOLDER")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the results that are in the folder.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")] = False,
) -> None:
    """Carry out a trial in simulated patients and analyse it as a trialist would, beside the truth that only a model knows.

    A file names the treatment (a kind of programme) and the control, whom to recruit, the design (individual, cluster,
    waiting_list, stepped_wedge), drop-out and the error of the instrument. The shortest one:

    `treatment = { kind = "snri" }` and `control = "placebo"`.

    Results of many trials are kept in FOLDER/runs as they end: the same command with the same --out goes on where it was stopped.

    Examples:

    `fitss trial snri.toml --people 20000`

    `fitss trial snri.toml --power 50,100,200 --replicates 200`

    `fitss trial --contrast`
    """
    values = {"replicates": replicates, "people": people, "seed": seed, "workers": workers}
    given: dict[str, Any] = {name: number(text) for name, text in values.items() if text is not None}
    sizes = [number(size.strip()) for size in power.split(",")] if power is not None else []
    with told():
        faults = Faults()
        if contrast == (file is not None):
            faults.add(
                "TRIAL.toml", None if file is None else str(file), "give either the file of a trial or --contrast"
            )
        if contrast and (power is not None or cluster is not None or workers is not None):
            faults.add("contrast", True, "goes without --power, --workers and --cluster")
        faults.raise_if_any()
        if contrast:
            contrast_command(given, out, overwrite=overwrite, quiet=quiet)
            return
        assert file is not None
        _trial(file, given, sizes, cluster, out, overwrite=overwrite, quiet=quiet)


def _trial(
    file: Path, given: dict[str, Any], sizes: list[Any], cluster: str | None, out: Path | None, *, overwrite: bool, quiet: bool
) -> None:  # fmt: skip
    from fitss_abm.presentation.trial_page import page, show
    from fitss_abm.presentation.trial_plot import draw_trial
    from fitss_abm.study import trial_runs as study
    from fitss_abm.study.kept_folder import make_kept, results_into
    from fitss_abm.study.missing_runs import MissingRuns

    count = given.get("replicates", 100 if sizes else 1)
    asked, folder = _checked(file, given, sizes, count, out, overwrite=overwrite)
    how: dict[str, Any] = {"workers": given.get("workers"), "cluster": cluster}
    try:
        with progress(quiet) as tell:
            if not sizes and count == 1:
                found = study.single(asked, progress=tell)
                runs = make_kept(folder)
            elif sizes:
                runs = make_kept(folder)
                found = study.power(asked, sizes, count, folder=runs, progress=tell, **how)
            else:
                runs = make_kept(folder)
                found = study.replicated(asked, count, folder=runs, progress=tell, **how)
    except MissingRuns as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        if folder.exists():
            typer.echo(f"stopped; with --out {folder} the same command goes on from here", err=True)
            raise typer.Exit(STOPPED) from None
        raise
    with results_into(folder) as scratch:
        found.write(scratch)
        (scratch / "trial.md").write_text(page(found), encoding="utf-8")
        draw_trial(found, scratch / "trial.png")
    if not any(runs.iterdir()):
        runs.rmdir()
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"Tables, page and figure: {folder}", soft_wrap=True)


def _checked(
    file: Path, given: dict[str, Any], sizes: list[Any], count: Any, out: Path | None, *, overwrite: bool
) -> tuple[Trial, Path]:
    """The trial and the folder for what comes out; everything that is wrong at once."""
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.scenario_checks import read_toml
    from fitss_abm.study.trial import Trial
    from fitss_abm.study.trial_analysis import check_statsmodels
    from fitss_abm.study.trial_runs import TABLE, check_plan

    faults = Faults()
    asked = None
    folder = out if out is not None else fresh_name("trial")

    def read() -> None:
        nonlocal asked
        scenario = read_toml(file, "trial").get("scenario", {})
        over = {name: given[name] for name in ("people", "seed") if name in given}
        asked = Trial.read(file, **({"scenario": {**scenario, **over}} if over and isinstance(scenario, dict) else {}))

    workers = given.get("workers")
    if workers is not None and (not isinstance(workers, int) or workers < 0):
        faults.add("workers", workers, "must be a whole number, 0 or more")
    for step in (
        read,
        check_statsmodels,
        lambda: check_plan(count, sizes),
        lambda: check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite),
    ):
        try:
            step()
        except InputError as error:
            faults.found += error.faults
    faults.raise_if_any()
    assert asked is not None
    return asked, folder

"""`fitss trial`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import console, fresh_name, kept_runs, number, numbers, progress, told
from fitss_abm.cli.options import Cluster, Out, Overwrite, Quiet, SeedOfFile, Workers
from fitss_abm.cli.trial_contrast import contrast_command
from fitss_abm.errors import Faults

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
    seed: SeedOfFile = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
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
    given = numbers({"replicates": replicates, "people": people, "seed": seed, "workers": workers})
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

    count = given.get("replicates", 100 if sizes else 1)
    asked, folder = _checked(file, given, sizes, count, out, overwrite=overwrite)
    how: dict[str, Any] = {"workers": given.get("workers"), "cluster": cluster}
    with kept_runs(folder):
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
    folder = out if out is not None else fresh_name("trial")

    def read() -> Trial:
        scenario = read_toml(file, "trial").get("scenario", {})
        over = {name: given[name] for name in ("people", "seed") if name in given}
        return Trial.read(file, **({"scenario": {**scenario, **over}} if over and isinstance(scenario, dict) else {}))

    faults.whole("workers", given.get("workers", 0), 0)
    asked = faults.gather(read)
    faults.gather(check_statsmodels)
    faults.gather(lambda: check_plan(count, sizes))
    faults.gather(lambda: check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite))
    faults.raise_if_any()
    assert asked is not None
    return asked, folder

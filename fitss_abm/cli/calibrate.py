"""`fitss calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import FAILED, begin_kept, console, fresh_name, kept_runs, numbers, progress, told
from fitss_abm.cli.options import Cluster, Location, Out, Overwrite, Quiet, Seed, Workers
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.calibration import Settings
    from fitss_abm.study.calibration_plan import Plan

_BOUNDS = {
    "people": (100, 2**31 - 1), "replicates": (1, 100), "first": (20, 100_000), "later": (0, 100_000), "waves": (1, 20),
    "checks": (0, 100_000), "draws": (0, 100_000), "seed": (0, 2**63 - 1),
}  # fmt: skip


def calibrate(
    targets: Annotated[
        Path | None,
        typer.Argument(
            help="Facts to meet, with the columns of the packaged targets.csv: your own country's values and ranges under the "
            "ids of the facts. Those of role fit decide. [the packaged facts]",
            metavar="[TARGETS.csv]",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="What may be moved and how far (priors), and what is solved inside each run. [the packaged plan]",
            metavar="PLAN.toml",
        ),
    ] = None,
    people: Annotated[str | None, typer.Option(help="In each run. [6000]", metavar="N")] = None,
    replicates: Annotated[str | None, typer.Option(help="Runs for each candidate. [2]", metavar="R")] = None,
    first: Annotated[str | None, typer.Option(help="Candidates in the first wave. [128]", metavar="N")] = None,
    later: Annotated[str | None, typer.Option(help="Candidates in each later wave. [64]", metavar="N")] = None,
    waves: Annotated[str | None, typer.Option(help="Waves in all. [2]", metavar="N")] = None,
    checks: Annotated[str | None, typer.Option(help="Fresh runs that correct the emulator. [48]", metavar="N")] = None,
    draws: Annotated[
        str | None, typer.Option(help="Draws of the posterior, each with a fresh run. [100]", metavar="N")
    ] = None,
    location: Location = None,
    seed: Seed = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Fit the model to published facts: to those of the package, or to your own country's.

    History matching on an emulator, a posterior on the emulator, and fresh runs that check and correct it. The rates that fix
    each condition's prevalence are solved inside every run. Out come a calibrated point (`point.toml`, a scenario file), draws
    of the posterior, and which numbers the facts hold and which they leave at their priors.

    The numbers of each run are kept in FOLDER/runs as it ends: the same command with the same --out goes on where it was
    stopped. A run that fails is tried again, then listed.

    Examples:

    `fitss calibrate --out runs/calibration`

    `fitss calibrate japan.csv --location Japan --out runs/japan` and then `fitss run runs/japan/point.toml`
    """
    from fitss_abm.presentation.calibration_page import page, show
    from fitss_abm.presentation.calibration_plot import draw_calibration
    from fitss_abm.study import calibration as study
    from fitss_abm.study.kept_folder import results_into

    given = numbers(
        {
            "people": people, "replicates": replicates, "first": first, "later": later, "waves": waves, "checks": checks,
            "draws": draws, "seed": seed,
        }
    )  # fmt: skip
    hands = numbers({"workers": workers})
    folder = out if out is not None else fresh_name("calibration")
    with told():
        settings, chosen = _checked(given, location, targets, plan, hands, folder, overwrite)
        if not quiet:
            typer.echo(_cost(settings, chosen))
        runs = begin_kept(folder, quiet=quiet)
        with kept_runs(folder):
            with progress(quiet) as tell:
                found = study.calibrate(
                    study.Calibrator(chosen, settings, folder=runs, cluster=cluster, progress=tell, **hands)
                )
            with results_into(folder) as scratch:
                study.write(found, chosen, scratch)
                (scratch / "calibration.md").write_text(page(found, chosen), encoding="utf-8")
                draw_calibration(found, scratch / "calibration.png")
    if not quiet:
        screen = console()
        show(found, screen)
        screen.print(f"Point, draws, tables, page and figure: {folder}", soft_wrap=True)
    if found.failed:
        typer.echo(f"{len(found.failed)} runs failed and are listed in {folder}/failed.json", err=True)
        raise typer.Exit(FAILED)


def _cost(settings: Settings, plan: Plan) -> str:
    candidates = settings.first + sum(settings.later)
    runs = candidates * settings.replicates + settings.checks + settings.draws
    return (
        f"{len(plan.free)} numbers free, {len(plan.solved)} solved inside each run, {len(plan.rows)} facts; {candidates} "
        f"candidates and {settings.checks + settings.draws} fresh runs: {runs:,} runs"
    )


def _checked(
    given: dict[str, Any],
    location: str | None,
    targets: Path | None,
    plan: Path | None,
    hands: dict[str, Any],
    folder: Path,
    overwrite: bool,
) -> tuple[Settings, Plan]:
    """Settings and plan; everything that is wrong with them, with the files and with the folder at once."""
    from fitss_abm.study.calibration import POINT, Settings
    from fitss_abm.study.calibration_plan import read_plan
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.targets import load_targets

    faults = Faults()
    faults.needs("sklearn", "emcee", extra="calibration")
    for name, value in given.items():
        faults.whole(name, value, *_BOUNDS[name])
    faults.whole("workers", hands.get("workers", 0), 0)
    chosen = None
    faults.gather(lambda: Scenario() if location is None else Scenario(location=location))
    facts = faults.gather(lambda: load_targets(targets)) if targets is not None else None
    if targets is None or facts is not None:
        chosen = faults.gather(lambda: read_plan(plan, facts))
    faults.gather(lambda: check_kept(folder, result=POINT, overwrite=overwrite))
    counts = {name: value for name, value in given.items() if name not in ("later", "waves")}
    if chosen is not None and not faults.found:
        least = 3 * len(chosen.free)
        if given.get("first", Settings.first) < least:
            faults.add("first", given["first"], f"must be {least} or more for {len(chosen.free)} free numbers")
    faults.raise_if_any()
    assert chosen is not None
    later = (int(given.get("later", Settings.later[0])),) * (int(given.get("waves", 2)) - 1)
    return Settings(**counts, later=later, location=location or "Germany"), chosen

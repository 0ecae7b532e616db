"""`fitss compare`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import fresh_name, numbers, told
from fitss_abm.cli.comparing import carry_out, check_settings
from fitss_abm.cli.options import Cluster, Discount, Draws, Out, Overwrite, Quiet, SeedOfFile, Workers
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.scenario import Scenario


def compare(
    scenarios: Annotated[
        list[Path],
        typer.Argument(
            help="The baseline, then alternatives. A single file is compared with itself without programmes and dated changes.",
            metavar="BASELINE.toml [ALTERNATIVE.toml ...]",
        ),
    ],
    replicates: Annotated[
        str | None, typer.Option(help="How many runs, each with its own people and luck. [8; 1 a draw]", metavar="R")
    ] = None,
    draws: Draws = None,
    people: Annotated[str | None, typer.Option(help="How many people, instead of what files say.", metavar="N")] = None,
    years: Annotated[str | None, typer.Option(help="For how long, instead of what files say.", metavar="Y")] = None,
    seed: SeedOfFile = None,
    discount: Discount = None,
    half_width: Annotated[
        str | None,
        typer.Option(
            "--half-width", help="Also say how many runs give this half-width (any condition, per 1000).", metavar="X"
        ),
    ] = None,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Compare what-ifs: the same people with the same luck in each, run many times; who benefits, through whom, at what cost.

    Prints sentences with intervals and writes a page, tables and figures. Each run is kept in FOLDER/runs as it ends: the same
    command with the same --out goes on where it was stopped, and tries again only what failed.

    Examples:

    `fitss compare befriending.toml` compares it with the same world without programmes and dated changes.

    `fitss compare usual.toml drug.toml group.toml --draws 20 --people 20000 --out runs/three`
    """
    overrides = numbers({"people": people, "years": years, "seed": seed})
    settings = numbers(
        {"replicates": replicates, "draws": draws, "discount": discount, "workers": workers, "half_width": half_width}
    )
    folder = out if out is not None else fresh_name("compare")
    with told():
        arms = _arms(scenarios, overrides, settings, folder, overwrite=overwrite)
        carry_out(arms, settings, folder, cluster=cluster, quiet=quiet)


def _arms(
    paths: list[Path], overrides: dict[str, Any], settings: dict[str, Any], folder: Path, *, overwrite: bool
) -> list[Scenario]:
    """The arms, the baseline first; everything that is wrong with files, options and folder is told at once."""
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.what_if import without_intervention

    faults = Faults()
    read = [faults.gather(partial(Scenario.read, path, **overrides)) for path in paths]
    arms = [arm for arm in read if arm is not None]
    check_settings(settings, folder, overwrite=overwrite, faults=faults)
    if not faults.found and len(arms) == 1:
        if not arms[0].programmes and not arms[0].changes:
            problem = "has neither programmes nor dated changes, so name another scenario to compare it with"
            faults.add("scenarios", str(paths[0]), problem)
        else:
            arms = [without_intervention(arms[0]), *arms]
    faults.raise_if_any()
    return arms

"""What `fitss compare` and `fitss experiment` share: options checked, arms run, page, tables and figures written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fitss_abm.cli.common import begin_kept, console, kept_runs, progress
from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.what_if import Comparison

PAGE = "effects.md"
FIGURES = ("effect_over_time", "forest", "benefit_by_distance", "cost_effectiveness", "person_effects")
_WHOLE = {"replicates": 1, "draws": 1, "workers": 0}  # and the least of each


def check_settings(settings: Mapping[str, Any], folder: Path, *, overwrite: bool, faults: Faults) -> None:
    """Add what is wrong with numbers and folder, so that all is told at once."""
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.what_if import TABLE

    for name, least in _WHOLE.items():
        faults.whole(name, settings.get(name, 1), least)
    if not isinstance(settings.get("discount", 0.0), int | float):
        faults.add("discount", settings["discount"], "must be a rate per year between 0 and 1")
    width = settings.get("half_width", 1)
    if not isinstance(width, int | float) or not width > 0:
        faults.add("half-width", width, "must be a number above 0 (people per 1000)")
    faults.gather(lambda: check_kept(folder, result=f"{TABLE}.parquet", overwrite=overwrite))


def carry_out(
    arms: Sequence[Scenario],
    settings: Mapping[str, Any],
    folder: Path,
    *,
    cluster: str | None,
    quiet: bool,
    words: str = "",
) -> Comparison:
    """Run all arms, write page, tables and figures into the folder, and print the words."""
    from fitss_abm.presentation.effects_page import show
    from fitss_abm.study.simulate import check_memory
    from fitss_abm.study.what_if import check, compare

    how = {name: settings[name] for name in ("replicates", "draws", "discount", "workers") if name in settings}
    check(arms, replicates=how.get("replicates", 1), draws=how.get("draws"), discount=float(how.get("discount", 0)))
    for arm in arms:
        check_memory(arm)
    kept = begin_kept(folder, quiet=quiet)
    with kept_runs(folder), progress(quiet) as tell:
        found = compare(arms[0], arms[1:], folder=kept, cluster=cluster, progress=tell, **how)
        tell("drawing", 0.0)
        names = _write(found, folder, words)
    if not quiet:
        screen = console()
        if words:
            screen.print(words, markup=False)
        show(found, screen)
        if "half_width" in settings:
            _advise(found, float(settings["half_width"]))
        screen.print(f"Page, tables and figures: {folder} ({PAGE}, {', '.join(names)})", soft_wrap=True)
    return found


def _write(found: Comparison, folder: Path, words: str) -> list[str]:
    from fitss_abm.presentation.effects_page import page
    from fitss_abm.presentation.effects_plot import draw_comparison
    from fitss_abm.study.kept_folder import results_into

    for name in FIGURES:
        (folder / f"{name}.png").unlink(missing_ok=True)  # of an earlier comparison
    with results_into(folder) as scratch:
        found.write(scratch)
        names = [path.name for path in draw_comparison(found, scratch)]
        text = page(found, tuple(names))
        (scratch / PAGE).write_text(text.replace("\n\n", f"\n\n{words}\n\n", 1) if words else text, encoding="utf-8")
    return names


def _advise(found: Comparison, half_width: float) -> None:
    """So many runs give a half-width of x."""
    for name, wanted in found.advice(half_width).items():
        said = f"about {wanted:,}" if wanted is not None else "more runs than these are needed to say how many"
        typer.echo(f"{name}: runs for a half-width of {half_width:g} per 1000 in any condition: {said}")

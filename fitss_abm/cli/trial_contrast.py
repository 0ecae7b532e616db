"""`fitss trial --contrast`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fitss_abm.cli.common import console, fresh_name, progress
from fitss_abm.errors import Faults

_PEOPLE, _REPLICATES = 40_000, 2


def contrast_command(given: dict[str, Any], out: Path | None, *, overwrite: bool, quiet: bool) -> None:
    """Every treatment of the package against placebo in simulated patients, beside published trials."""
    from fitss_abm.measurement.results import check_folder, fresh_folder, write_provenance
    from fitss_abm.presentation.contrast_page import page, show
    from fitss_abm.study import treatment_contrast as study
    from fitss_abm.study.scenario import Scenario
    from fitss_abm.study.trial_runs import check_plan

    people, replicates, seed = (
        given.get(name, default) for name, default in (("people", _PEOPLE), ("replicates", _REPLICATES), ("seed", 1))
    )
    folder = out if out is not None else fresh_name("contrast")
    faults = Faults()
    faults.gather(lambda: check_plan(replicates))
    world = faults.gather(lambda: Scenario(name="contrast", people=people, seed=seed, years=1.0))
    faults.gather(lambda: check_folder(folder, overwrite=overwrite))
    faults.raise_if_any()
    assert world is not None
    kinds = study.kinds()
    parts = []
    with progress(quiet) as tell, fresh_folder(folder, overwrite=overwrite) as scratch:
        for number in range(replicates):
            tell("worlds and arms", number / replicates)
            simulation = world.replace(replicate=number).simulation()
            simulation.prepare()
            parts.append(study.measure(simulation, [study.NOTHING, *kinds]))
        measured = study.pooled(parts)
        table = study.table(
            {kind: (study.programme(kind).acts[0].size, study.contrast(measured, kind)) for kind in kinds}
        )
        table.to_parquet(scratch.path / "contrast.parquet", index=False)
        table.to_csv(scratch.path / "contrast.csv", index=False)
        about = {"people": people, "replicates": replicates, "seed": seed, "weeks": study.WEEKS}
        (scratch.path / "contrast.md").write_text(page(table, **about), encoding="utf-8")
        write_provenance(scratch.path, about)
    if not quiet:
        screen = console()
        show(table, screen)
        screen.print(f"Tables and page: {scratch.target}", soft_wrap=True)

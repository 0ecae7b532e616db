"""What `fitss knockout` was given, checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults

if TYPE_CHECKING:
    from fitss_abm.study.calibration import Settings
    from fitss_abm.study.knockout import Record, Variant

_BOUNDS = {"people": (100, 2**31 - 1), "replicates": (1, 10_000), "seed": (0, 2**63 - 1)}


def settings_of(given: dict[str, Any]) -> Settings:
    """The budget of a refit."""
    from fitss_abm.study.knockout import BUDGET

    share = given.get("budget", 1)
    return replace(
        BUDGET,
        people=round(BUDGET.people * share),
        polish_people=round(BUDGET.polish_people * share),
        seed=given.get("seed", BUDGET.seed),
    )


def checked(
    given: dict[str, Any],
    folder: Path,
    *,
    refit: str | None,
    refits: Path | None,
    no_sex: bool,
    sex_only: bool,
    overwrite: bool,
) -> tuple[list[Variant], dict[str, Record] | None]:
    """Variants to fit, or refits to score (None: only the decomposition); everything that is wrong at once."""
    from fitss_abm.study import knockout as study
    from fitss_abm.study.kept_folder import check_kept
    from fitss_abm.study.knockout_score import TABLE
    from fitss_abm.study.sex_decomposition import TABLE as SEX_TABLE

    faults = Faults()
    for name, (low, high) in _BOUNDS.items():
        faults.whole(name, given.get(name, low), low, high)
    faults.whole("workers", given.get("workers", 0), 0)
    budget = given.get("budget", 1)
    if not isinstance(budget, int | float) or not 0.05 <= budget <= 1000:
        faults.add("budget", budget, "must be a number between 0.05 and 1000")
    asked = {"refits": refits is not None, "no-sex": no_sex, "sex-only": sex_only}
    for name in (name for name, there in asked.items() if there and refit is not None):
        faults.add(name, "given", "says how to score, and --refit scores nothing")
    if refit is not None:
        for name in ("people", "replicates"):
            if name in given:
                faults.add(name, given[name], "is of the scoring; a refit's size is --budget")
    elif "budget" in given:
        faults.add("budget", budget, "is of a refit, and there is no --refit")
    if refits is not None and sex_only:
        faults.add("refits", str(refits), "are not looked at with --sex-only")
    if no_sex and sex_only:
        faults.add("no-sex", "given", "leaves nothing beside --sex-only")
    result = study.RECORDS if refit is not None else f"{SEX_TABLE if sex_only else TABLE}.parquet"
    variants = faults.gather(lambda: study.chosen(refit)) if refit is not None else None
    score = refit is None and not sex_only
    records = faults.gather(lambda: study.read_records(refits)) if score else None
    faults.gather(lambda: check_kept(folder, result=result, overwrite=overwrite))
    faults.raise_if_any()
    return variants or [], records

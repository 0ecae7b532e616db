"""What `fitss knockout` was given, checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Faults, InputError

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
        if name in given and (not isinstance(given[name], int) or not low <= given[name] <= high):
            faults.add(name, given[name], f"must be a whole number between {low} and {high}")
    workers, budget = given.get("workers", 0), given.get("budget", 1)
    if not isinstance(workers, int) or workers < 0:
        faults.add("workers", workers, "must be a whole number, 0 or more")
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
    variants: list[Variant] = []
    records = None
    result = study.RECORDS if refit is not None else f"{SEX_TABLE if sex_only else TABLE}.parquet"
    try:
        if refit is not None:
            variants = study.chosen(refit)
        elif not sex_only:
            records = study.read_records(refits)
    except InputError as error:
        faults.found += error.faults
    try:
        check_kept(folder, result=result, overwrite=overwrite)
    except InputError as error:
        faults.found += error.faults
    faults.raise_if_any()
    return variants, records

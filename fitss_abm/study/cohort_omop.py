"""A cohort as an OMOP database: its columns and names as `omop.py` wants them; what nobody could know stays apart, as Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fitss_abm.errors import Faults
from fitss_abm.study.cohort_measures import score_fields, survey_fields
from fitss_abm.study.omop import Asked, write_omop

if TYPE_CHECKING:
    from fitss_abm.study.cohort import Cohort


def check(cohort: Cohort) -> None:
    """Raise InputError where the library that writes it is not installed."""
    faults = Faults()
    faults.needs("duckdb", extra="cohort")
    faults.raise_if_any()


def write(cohort: Cohort, parts: Sequence[Path], folder: Path) -> list[Path]:
    """Write the tables and `load.sql` into `folder`/data; the truth, if asked for, into `folder`/truth."""
    from fitss_abm.study.cohort_fields import tables
    from fitss_abm.study.cohort_files import DATA, write_parquet

    world = cohort.world()
    catalogue = world.catalogue()
    scores = {one.name for one in score_fields(cohort.instruments)}
    questions = {one.name for one in survey_fields(world)}
    asked = {
        one.name: Asked(
            one.title, one.unit, one.low, one.high,
            "instrument" if one.name in scores else "question" if one.name in questions else "study",
        )
        for one in tables(cohort, catalogue)["visits"].fields
    }  # fmt: skip
    labels = {one.id: one.label for one in catalogue.conditions}
    labels |= {id: str(kind["label"]) for id, kind in world.programme_kinds.items() if "label" in kind}
    out = write_omop(
        list(parts),
        folder / DATA,
        asked=asked,
        name=cohort.name,
        description=f"Design: {cohort.design}, among {world.people:,} simulated people, from {world.start}; seed {world.seed}.",
        labels=labels,
    )
    truth = write_parquet(cohort, parts, folder, truth_only=True) if cohort.truth else []
    return [*sorted(out.iterdir()), *truth]

"""Each estimate as truth, as a survey would give it, as a clinic would: the same tables with a column that says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from fitss_abm.measurement.diagnosis import CLINIC, SURVEY, TRUTH
from fitss_abm.measurement.observers import Counts
from fitss_abm.measurement.seen import Look
from fitss_abm.model.conditions import Catalogue
from fitss_abm.study import estimands

SEEN = "seen_as"


def tables(
    looked: Sequence[tuple[Look, Counts]], catalogue: Catalogue, *, run: estimands.Run
) -> dict[str, pd.DataFrame]:
    """prevalence, period_prevalence, sex_ratio, incidence, comorbidity, counts, each with `seen_as` after `replicate`.

    Rows of conditions that cannot be seen in a way are left out. A survey asks about the present: it has no period prevalence
    and no incidence. A record does not say when a condition ended or began again: a clinic has prevalence "ever" (on record)
    alone, and of incidence the first diagnosis.
    """
    parts = [_of(look, counts, catalogue, run) for look, counts in looked]
    return {name: pd.concat([part[name] for part in parts], ignore_index=True) for name in parts[0]}


def _of(look: Look, counts: Counts, catalogue: Catalogue, run: estimands.Run) -> dict[str, pd.DataFrame]:
    made = {
        "prevalence": estimands.prevalence(counts, catalogue, run=run),
        "period_prevalence": estimands.period_prevalence(counts, catalogue, run=run),
        "sex_ratio": estimands.sex_ratio(counts, catalogue, run=run),
        "incidence": estimands.incidence(counts, catalogue, run=run),
        "comorbidity": estimands.comorbidity(counts, catalogue, run=run),
        "counts": estimands.condition_numbers(counts, run=run),
    }
    for name, table in made.items():
        kept = table
        if look.name != TRUTH:
            for column in ("condition", "condition_a", "condition_b"):
                if column in kept.columns:
                    kept = kept[kept[column].isin(look.conditions)]
        if look.name == SURVEY and name in ("period_prevalence", "incidence"):
            kept = kept.iloc[:0]
        if look.name == CLINIC and name in ("period_prevalence", "incidence"):
            column, known = _KNOWN[name]
            kept = kept[kept[column] == known]
        kept = kept.reset_index(drop=True)
        kept.insert(list(kept.columns).index("replicate") + 1, SEEN, look.name)
        made[name] = kept
    return made


_KNOWN: Mapping[str, tuple[str, str]] = {"period_prevalence": ("period", "ever"), "incidence": ("onset", "first")}


def first_seen(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of one way to see people: truth if it is there, else the first."""
    if SEEN not in table.columns or table.empty:
        return table
    ways = list(table[SEEN].unique())
    return table[table[SEEN] == (TRUTH if TRUTH in ways else ways[0])]

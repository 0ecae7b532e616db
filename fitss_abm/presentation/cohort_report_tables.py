"""The tables of a cohort's report: greatest differences, correlations, survival, classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.cohort_report import CohortReport
from fitss_abm.study.cohort_report_fidelity import ANSWERS, STATES
from fitss_abm.study.cohort_report_survival import DEATH, LOSS

Cells = tuple[str, ...]
Shown = tuple[str, Cells, list[Cells]]
_MOST = 15  # rows of a table
_FEW = 10  # people in a class of its own row
_KINDS = {ANSWERS: "What was answered", STATES: "Who was seen: true states"}
_HEADS = ("", "visit", "missing", "export", "simulation", "difference, SD", "chance", "distance")


def tables(found: CohortReport) -> Iterator[Shown]:
    """Title, heads and rows of each."""
    for kind, title in _KINDS.items():
        rows = found.columns[found.columns["of"] == kind]
        rows = rows[rows["smd"].notna()]
        if (rows["difference"] != 0).any():
            cells = [_difference(row) for row in _greatest(rows, "smd").to_dict("records")]
            yield f"{title}: the greatest differences of {len(rows):,}", _HEADS, cells
    pairs = score_pairs(found)
    if (pairs["difference"] != 0).any():
        heads = ("", "", "visit", "export", "simulation", "difference")
        cells = [_correlation(row) for row in _greatest(pairs, "difference").to_dict("records")]
        yield f"Correlations of scores: the greatest differences of {len(pairs):,}", heads, cells
    ends = found.survival.groupby(["event", "side"], sort=False).tail(1)
    heads = ("", "", "people", "events", "years", "without, 95 % interval")
    yield "Survival: still without it at the end", heads, [_survived(row) for row in ends.to_dict("records")]
    told = found.disclosure
    last = ("people alike", "classes", "people in them")
    yield f"Classes by {', '.join(told.quasi)}", last, list(_sizes(told.sizes))


def score_pairs(found: CohortReport) -> pd.DataFrame:
    """Correlations among scores; those of rare diagnoses hang on a few people."""
    columns, pairs = found.columns, found.correlations
    scores = set(columns.loc[(columns["of"] == ANSWERS) & (columns["kind"] == "mean"), "column"])
    return pairs[pairs["one"].isin(scores) & pairs["other"].isin(scores) & pairs["difference"].notna()]


def said(row: Any, name: str) -> str:
    """A share in per cent, a mean as it is."""
    value = float(row[name])
    return per_cent(value) if row["kind"] == "share" else figures(value)


def per_cent(share: float) -> str:
    """Three figures; a dash where there is none."""
    return f"{figures(100 * share)} %" if np.isfinite(share) else "–"


def called(event: str) -> str:
    """What an event of survival is called."""
    return event.capitalize() if event in (DEATH, LOSS) else f"First {event}"


def _greatest(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    order = np.argsort(-rows[by].abs().to_numpy(float), kind="stable")
    return rows.iloc[order[:_MOST]]


def _difference(row: dict[Any, Any]) -> Cells:
    smd = f"{row['smd']:+.3f}" + (" *" if row["beyond_chance"] else "")
    return (
        row["column"], str(row["visit"]), per_cent(row["missing"]), said(row, "export"), said(row, "simulation"), smd,
        f"{row['chance']:.3f}", f"{row['distance']:.3f}",
    )  # fmt: skip


def _correlation(row: dict[Any, Any]) -> Cells:
    values = (f"{row['export']:.2f}", f"{row['simulation']:.2f}", f"{row['difference']:+.3f}")
    return (row["one"], row["other"], str(row["visit"]), *values)


def _survived(row: dict[Any, Any]) -> Cells:
    without, low, high = (f"{100 * row[name]:.1f}" for name in ("surviving", "low", "high"))
    counts = (f"{row['people']:,}", f"{row['events']:,}", f"{row['years']:.1f}")
    return (called(row["event"]), row["side"], *counts, f"{without} % ({low} to {high})")


def _sizes(sizes: pd.DataFrame) -> Iterator[Cells]:
    for row in sizes[sizes["size"] <= _FEW].to_dict("records"):
        yield f"{row['size']:,}", f"{row['classes']:,}", f"{row['people']:,}"
    rest = sizes[sizes["size"] > _FEW]
    yield f"more than {_FEW}", f"{rest['classes'].sum():,}", f"{rest['people'].sum():,}"

"""The sex-ratio decomposition: nothing is left with all mechanisms off, and each reaches what it can reach and nothing else.

Tolerances are four standard errors of the pooled log ratio (binomial within ages; a chance of 6e-5 for each condition).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.presentation.sex_decomposition_page import sex_page, sex_words
from fitss_abm.presentation.sex_decomposition_plot import sex_sheet
from fitss_abm.study.sex_decomposition import ALL, INTERACTION, NONE, Decomposition, decompose

LIMIT = 4.0
_Z = 1.959964


@pytest.fixture(scope="module")
def found() -> Decomposition:
    """Small, with three mechanisms."""
    return decompose(
        people=2500,
        replicates=4,
        seed=3,
        mechanisms=("central_gain", "tender_points", "condition_remission"),
        workers=0,
    )


def log_ratio(runs: pd.DataFrame, off: str, condition: str) -> tuple[float, float]:
    """Mean log ratio of the runs of an arm, weighted by its precision, and its standard error."""
    own = runs[(runs["off"] == off) & (runs["condition"] == condition)]
    own = own[np.isfinite(own["low"]) & np.isfinite(own["high"]) & (own["low"] > 0)]
    error = np.log(own["high"] / own["low"]) / (2 * _Z)
    weight = 1 / error**2
    return float((weight * np.log(own["ratio"])).sum() / weight.sum()), float(weight.sum() ** -0.5)


def test_with_all_mechanisms_off_women_and_men_fare_alike(found: Decomposition) -> None:
    common = [id for id, own in found.runs.groupby("condition") if (own["men"] > 0.01).all()]
    assert len(common) >= 8
    for id in common:
        ratio, error = log_ratio(found.runs, ALL, str(id))
        assert abs(ratio) < LIMIT * error, f"{id}: {np.exp(ratio):.2f}"
    ratio, error = log_ratio(found.runs, NONE, "chronic_widespread_pain")
    assert ratio > LIMIT * error, "with them on there is a difference to explain"


def test_a_mechanism_reaches_what_it_can_reach_and_nothing_else(found: Decomposition) -> None:
    table = found.table.set_index(["condition", "mechanism"])
    tender = found.table[(found.table["mechanism"] == "tender_points") & (found.table["contribution"] != 0.0)]
    assert set(tender["condition"]) == {"fibromyalgia_acr_1990", "fibromyalgia_diagnosed"}
    assert table.loc[("fibromyalgia_acr_1990", "tender_points"), "low"] > 0.3
    assert table.loc[("temporomandibular_disorder", "condition_remission"), "low"] > 0.0
    assert table.loc[("chronic_widespread_pain", "central_gain"), "low"] > 0.0
    assert table.loc[("fibromyalgia_acr_1990", ALL), "share"] == 1.0


def test_parts_add_up_to_the_whole(found: Decomposition) -> None:
    wide = found.table.pivot(index="condition", columns="mechanism", values="contribution")
    parts = wide[[*found.mechanisms, INTERACTION]].sum(axis=1)
    there = wide[ALL].notna()
    assert there.sum() >= 12
    assert parts[there].to_numpy() == pytest.approx(wide.loc[there, ALL].to_numpy())
    row = found.table.iloc[0]
    assert row["ratio_off"] == pytest.approx(row["ratio"] * np.exp(-row["contribution"]))


def test_words_page_and_figure(found: Decomposition) -> None:
    assert any(line.startswith("Fibromyalgia, ACR 1990") and "tender points" in line for line in sex_words(found))
    text = sex_page(found)
    figure = sex_sheet(found)
    assert figure is not None
    assert len(figure.axes) == len(found.mechanisms) + 2
    for id in ("Restless legs", "Temporomandibular"):
        assert id in text


def test_an_unknown_mechanism_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'central_gain'"):
        decompose(mechanisms=["central_gian"])

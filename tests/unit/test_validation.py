"""The model against published facts: estimators by hand, no row dropped, what counts as within, and the command."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fitss_abm.cli import app
from fitss_abm.study import estimators
from fitss_abm.study.estimators import Estimate
from fitss_abm.study.targets import load_targets
from fitss_abm.study.treatment_rows import FACTS
from fitss_abm.study.validation import outside, within
from fitss_abm.study.validation_reasons import REASONS
from fitss_abm.study.validation_rows import estimands


def people(**groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Cases and exposure of so many: `ce` exposed cases, `cn` other cases, `ne` exposed others, `nn` the rest."""
    cases = np.repeat([True, True, False, False], [groups[name] for name in ("ce", "cn", "ne", "nn")])
    exposed = np.repeat([True, False, True, False], [groups[name] for name in ("ce", "cn", "ne", "nn")])
    return cases, exposed


def test_odds_and_share_ratios_by_hand() -> None:
    cases, exposed = people(ce=20, cn=30, ne=80, nn=270)
    among = np.ones(cases.size, dtype=bool)
    assert estimators.odds_ratio(cases, exposed, among).value == pytest.approx(20 * 270 / (30 * 80), rel=0.05)
    assert estimators.share_ratio(cases, exposed, among).value == pytest.approx((20 / 100) / (30 / 300))
    assert estimators.share(cases, among).value == pytest.approx(12.5)


def test_strata_remove_confounding() -> None:
    # In each stratum exposure does nothing; pooled, it seems to.
    low = people(ce=1, cn=9, ne=10, nn=90)
    high = people(ce=45, cn=5, ne=45, nn=5)
    cases, exposed = (np.concatenate(pair) for pair in zip(low, high, strict=True))
    strata = np.repeat([0, 1], [110, 100])
    among = np.ones(cases.size, dtype=bool)
    assert estimators.odds_ratio(cases, exposed, among).value > 2
    found = estimators.adjusted_odds_ratio(cases, exposed, among, strata)
    assert found.value == pytest.approx(1.0)
    assert found.low < 1 < found.high


def test_hazard_ratio_and_rate_by_hand() -> None:
    events = np.array([True] * 6 + [False] * 4 + [True] * 2 + [False] * 8)
    exposed = np.repeat([True, False], 10)
    years = np.full(20, 2.0)
    assert estimators.hazard_ratio(events, years, exposed).value == pytest.approx(3.0)
    assert estimators.rate(events, years).value == pytest.approx(8 / 40)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(1.0, 2.0, True), (2.9, 5.0, True), (3.1, 4.0, False), (0.1, 0.9, False), (math.nan, 4, None)],
)
def test_within_is_overlap_of_the_interval_with_the_range(low: float, high: float, said: bool | None) -> None:
    assert within(Estimate(2.0, 1.0, 3.0), low, high) is said


def test_outside_is_told_to_the_nearer_bound() -> None:
    assert outside(3.0, 1.0, 2.0) == (1.0, 50.0)
    assert outside(0.5, 1.0, 2.0) == (-0.5, -50.0)
    assert outside(1.5, 1.0, 2.0) == (0.0, 0.0)


def test_no_published_row_is_dropped() -> None:
    ids = set(load_targets()["id"])
    told = [*estimands(), *FACTS, *REASONS]
    assert ids == set(told)
    assert len(told) == len(ids), "each has an estimand, a contrast of treatments, or a reason"


def test_the_command_holds_every_row_against_its_range(tmp_path: Path) -> None:
    out = tmp_path / "v"
    done = CliRunner().invoke(
        app, ["validate", "--people", "2000", "--replicates", "1", "--out", str(out), "--threads", "1"]
    )
    table = pd.read_parquet(out / "validation.parquet")
    missed = table[
        (table["role"] == "fit") & (table["origin"] == "fitted") & ~table["within"].fillna(True).astype(bool)
    ]
    assert done.exit_code == (1 if len(missed) else 0), done.output
    assert list(table["id"]) == list(load_targets()["id"])
    told = table["within"].isna()
    assert (table.loc[told, "reason"] != "").all()
    assert table.loc[~told, "simulated"].notna().all()
    prevalence = table.set_index("id").loc["cwp_prev_meta"]
    assert 5 < prevalence["simulated"] < 20
    snri = table.set_index("id").loc["tx_snri_50"]
    assert (snri["published_low"], snri["published"], snri["published_high"]) == (6, 10, 14), "of the difference"
    assert snri["cases"] > 5, "patients"
    assert table.set_index("id").loc["tx_opioid", "simulated"] == 0, "no effect is known, and luck is shared"
    assert prevalence["low"] < prevalence["simulated"] < prevalence["high"]
    for name in ("validation.csv", "validation.md", "validation.png", "provenance.json"):
        assert (out / name).stat().st_size > 0, name


def test_bad_input_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a").write_text("mine")
    done = CliRunner().invoke(
        app, ["validate", "--people", "0", "--replicates", "-1", "--out", str(tmp_path / "there")]
    )
    assert done.exit_code == 2, done.output
    assert "people" in done.stderr
    assert (tmp_path / "there" / "a").read_text() == "mine"

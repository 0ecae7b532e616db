"""Contrasts of treatments: numbers by hand, rows and their signs, one file per question, and the search for a size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fitss_abm import Scenario
from fitss_abm.cli import app
from fitss_abm.model.programme_tables import shipped_kinds
from fitss_abm.study.targets import load_targets
from fitss_abm.study.treatment_contrast import NOTHING, PLACEBO, Measured, contrast, kinds, measure, pooled
from fitss_abm.study.treatment_rows import FACTS, estimate, published, scored, wanted

BEFORE = np.array([8.0, 8.0, 6.0, 6.0, 4.0])
AFTER_PLACEBO = np.array([8.0, 4.0, 6.0, 5.0, 4.0])
AFTER_DRUG = np.array([4.0, 4.0, 3.0, 5.0, np.nan])


@pytest.fixture
def by_hand() -> Measured:
    return Measured(BEFORE, {NOTHING: BEFORE, PLACEBO: AFTER_PLACEBO, "tramadol": AFTER_DRUG})


def test_a_contrast_by_hand(by_hand: Measured) -> None:
    found = contrast(by_hand, "tramadol")  # the fifth has died
    assert found["half"].value == pytest.approx(75)
    assert found["difference"].value == pytest.approx(75 - 25)
    spread = np.sqrt((np.var([4, 4, 3, 5]) + np.var([8, 4, 6, 5])) / 2)
    assert found["smd"].value == pytest.approx((4 - 5.75) / spread)
    assert found["smd"].cases == 4
    less = np.array([-4, 0, -3, 0]) / spread
    assert found["smd"].high - found["smd"].low == pytest.approx(2 * 1.959964 * less.std() / 2)
    assert contrast(by_hand, PLACEBO)["difference"].value == pytest.approx(20), "one in five, against nothing"


def test_where_relief_counts_as_positive_the_sign_turns_with_the_interval(by_hand: Measured) -> None:
    found, plain = estimate("tx_tramadol", by_hand), contrast(by_hand, "tramadol")["smd"]
    assert (found.value, found.low, found.high) == (-plain.value, -plain.high, -plain.low)
    (row,) = published("tramadol")
    assert (row["published"], row["published_low"], row["published_high"]) == (-0.657, -1.0, -0.3)
    assert wanted("tramadol") == ("tx_tramadol", "smd", -0.657)


def test_worlds_are_pooled_patient_by_patient(by_hand: Measured) -> None:
    twice = pooled([by_hand, by_hand])
    assert twice.patients == 10
    assert contrast(twice, "tramadol")["difference"].value == contrast(by_hand, "tramadol")["difference"].value


def test_without_patients_there_is_no_number(by_hand: Measured) -> None:
    assert np.isnan(contrast(Measured(BEFORE[:0], {PLACEBO: BEFORE[:0]}), PLACEBO)["half"].value)
    assert np.isnan(estimate("tx_snri_50", by_hand).value), "that arm was not lived through"


def test_scored_differences_are_of_the_published_arms_and_only_inputs_set_sizes() -> None:
    facts = load_targets().set_index("id")
    for id in ("tx_snri_50", "tx_pgb_50", "tx_ami_50"):
        control = float(facts.loc[id, "unit"].split("placebo ")[1].rstrip("%)"))
        assert scored(id)[0] == facts.loc[id, "value"] - control
    for kind in shipped_kinds():
        found = wanted(kind)
        assert (found is None) == (shipped_kinds()[kind]["role"] != "input")
        assert found is None or facts.loc[found[0], "role"] == "input"
    assert {fact.kind for fact in FACTS.values()} <= set(kinds())


def test_arms_share_people_and_luck_and_leave_no_trace() -> None:
    simulation = Scenario(people=1500, years=1, threads=1).simulation()
    simulation.prepare()
    one = measure(simulation, [NOTHING, "strong_opioid", "tramadol"], weeks=3)
    again = measure(Scenario(people=1500, years=1, threads=1).simulation(), [NOTHING], weeks=3)
    assert one.patients > 5
    assert np.array_equal(one.after["strong_opioid"], one.after[PLACEBO], equal_nan=True), "no effect is known"
    assert not np.array_equal(one.after["tramadol"], one.after[PLACEBO], equal_nan=True)
    assert again.patients == 0, "nobody is a patient before the pre-history"


def test_the_command_tells_inputs_from_checks(tmp_path: Path) -> None:
    out = tmp_path / "c"
    done = CliRunner().invoke(app, ["trial", "--contrast", "--people", "1500", "--replicates", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.index("set a treatment's size") < done.stdout.index("set nothing")
    table = pd.read_csv(out / "contrast.csv")
    assert set(table.loc[table["role"] == "check", "row"]) == {"tx_snri_50", "tx_nsaid_50"}
    assert set(table["kind"]) == set(kinds())
    assert (table["patients"] > 5).all()
    refused = CliRunner().invoke(app, ["trial", "--contrast", "--people", "0", "--replicates", "0", "--out", str(out)])
    assert refused.exit_code == 2
    for word in ("people", "replicates", "out"):
        assert word in refused.stderr


def test_the_search_for_a_size_finds_what_gives_the_row(tmp_path: Path) -> None:
    run = Path(__file__).parents[2] / "experiments" / "treatment_contrast" / "run.py"
    out = tmp_path / "sizes.csv"
    subprocess.run(
        [sys.executable, str(run), "--people", "1500", "--seeds", "1", "--kinds", "snri", "--size", "--out", str(out)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["smd"] == pytest.approx(row["wanted"], rel=0.03)
    assert row["row"] == "tx_dlx120_smd"

"""What-ifs run: what changes nothing has no effect, a strong programme helps those it reaches first, runs are the same anywhere."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from fitss_abm import Scenario
from fitss_abm.cli import app
from fitss_abm.measurement.arm_tally import number_of
from fitss_abm.measurement.delivery_costs import costs
from fitss_abm.measurement.reach import UNREACHABLE, distances
from fitss_abm.model.delivery_log import Event
from fitss_abm.presentation.effects_page import page
from fitss_abm.study.effect_tables import tables
from fitss_abm.study.what_if import Comparison, compare
from fitss_abm.study.what_if_run import run

STRONG = {
    "strong": {
        "acts": [
            {"on": "threat_reactivity", "size": -3.0},
            {"on": "central_gain", "size": -4.0},
            {"on": "giving", "size": 0.6},
        ],
        "cost_per_start": 100.0,
    }
}
BASE = Scenario(people=1200, years=2.0, seed=5)
HELP = BASE.replace(name="help", programme_kinds=STRONG, programmes=[{"kind": "strong", "target": {"random": 0.06}}])
IDLE = BASE.replace(
    name="idle", programmes=[{"kind": "cbt", "sizes": {"reported_relief": 0.0, "threat_reactivity": 0.0}}]
)
NO_EFFECT = ("prevalence", "risk_ratio", "sex_ratio", "people_share", "started", "cost")


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(BASE, [HELP, IDLE], replicates=3, workers=0)


def rows(found: Comparison, name: str, estimand: str) -> pd.DataFrame:
    table = found.effects
    return table[(table["scenario"] == name) & (table["estimand"] == estimand)]


def test_what_changes_nothing_has_exactly_no_effect(found: Comparison) -> None:
    table = found.effects[(found.effects["scenario"] == "idle") & ~found.effects["estimand"].isin(NO_EFFECT)]
    told = table[~table["estimand"].str.startswith(("benefit_share", "cost_per", "number_needed"))]
    told = told[
        told["value"].isna() | told["low"].notna()
    ]  # a rare condition may have no man left without one of the runs
    assert len(told) > 500
    assert (told[["value", "low", "high", "monte_carlo_error"]] == 0).all(axis=None)
    assert rows(found, "idle", "number_needed_to_treat")["value"].isna().all()
    assert (rows(found, "idle", "risk_ratio")["value"].dropna() == 1).all()
    lives = found.people_effects[
        (found.people_effects["scenario"] == "idle") & (found.people_effects["view"] == "one life")
    ]
    assert (lives.loc[lives["share"] > 0, "share"] == 1).all()


def test_a_strong_programme_has_fewer_cases_and_most_for_the_treated(found: Comparison) -> None:
    difference = found.row("risk_difference", "help", condition="chronic_pain")
    assert difference is not None
    assert difference["value"] < 0
    by = {
        level: found.row("yld_averted_in_people", "help", condition="all", subgroup=f"distance: {level}")["value"]  # type: ignore[index]
        for level in ("0", "1", "2", "3")
    }
    assert by["0"] > by["1"] > by["2"] >= by["3"]
    assert by["1"] > 0
    direct = found.row("benefit_share_yld", "help", condition="all", subgroup="reached: treated")
    spilled = found.row("benefit_share_yld", "help", condition="all", subgroup="reached: not treated")
    assert direct is not None
    assert spilled is not None
    assert 0 < spilled["value"] < direct["value"]
    assert direct["value"] + spilled["value"] == pytest.approx(1)


def test_costs_are_those_of_the_log(found: Comparison) -> None:
    programme = found.programmes.set_index("scenario").loc["help"]
    assert programme["cost"] == pytest.approx(100 * programme["started"])
    assert programme["discounted"] <= programme["cost"]
    free = costs_of(HELP, 0.0)
    assert free["discounted"] == pytest.approx(free["cost"])


def costs_of(scenario: Scenario, discount: float) -> dict[str, Any]:
    simulation = scenario.replace(threads=1).simulation()
    simulation.prepare()
    simulation.advance(300)
    return costs(simulation, discount=discount)[0]


def test_costs_by_week_add_up_and_shrink_by_the_rate() -> None:
    many = BASE.replace(people=400, programmes=[{"kind": "exercise", "start": BASE.start.replace(month=3)}])
    exact, half = costs_of(many, 0.0), costs_of(many, 1.0)
    assert exact["person_weeks"] > 0
    assert exact["discounted"] == pytest.approx(exact["cost"])
    assert exact["cost"] * 0.5 < half["discounted"] < exact["cost"] * 0.93


def test_two_runs_combined_are_their_mean_and_spread() -> None:
    texts = [one.replace(people=300, years=0.5).to_toml() for one in (BASE, HELP)]
    runs = [
        json.loads(
            json.dumps(run(scenarios=texts, replicate=k, draw=None, discount=0.03), default=lambda v: v.tolist())
        )
        for k in (0, 1)
    ]
    effects, _, _ = tables([BASE, HELP], runs, 2, None)
    last = effects["date"].max()
    row = effects[
        (effects["estimand"] == "risk_difference")
        & (effects["condition"] == "chronic_pain")
        & (effects["date"] == last)
    ]
    row = row[(row["sex"] == "all") & (row["age_group"] == "all")].iloc[0]
    each = []
    for one in runs:
        k = one["arms"][0]["conditions"].index("chronic_pain")
        parts = [np.array(arm["table"][what])[-1, k].sum() for arm in one["arms"] for what in ("cases", "eligible")]
        each.append(1000 * (parts[2] / parts[3] - parts[0] / parts[1]))
    assert row["value"] == pytest.approx(np.mean(each))
    assert row["monte_carlo_error"] == pytest.approx(abs(each[1] - each[0]) / 2)


def test_workers_and_resuming_change_nothing(tmp_path: Path) -> None:
    arms = [one.replace(people=200, years=0.5) for one in (BASE, HELP)]
    here = compare(arms[0], arms[1:], replicates=2, workers=0, folder=tmp_path)
    for path in sorted(tmp_path.glob("run-0.json")):
        path.unlink()
    kept = (tmp_path / "run-1.json").stat().st_mtime_ns
    there = compare(arms[0], arms[1:], replicates=2, workers=2, folder=tmp_path)
    assert (tmp_path / "run-1.json").stat().st_mtime_ns == kept
    pd.testing.assert_frame_equal(here.effects, there.effects)
    pd.testing.assert_frame_equal(here.people_effects, there.people_effects)


def test_arms_sharing_a_state_are_as_if_alone() -> None:
    texts = [one.replace(people=300, years=0.5).to_toml() for one in (BASE, HELP, BASE.replace(name="again"))]
    together = run(scenarios=texts, replicate=3, draw=2, discount=0.0)["arms"]
    alone = run(scenarios=[texts[1]], replicate=3, draw=2, discount=0.0)["arms"][0]
    for name, values in alone["table"].items():
        np.testing.assert_array_equal(together[1]["table"][name], values, err_msg=name)


def test_other_people_are_compared_without_pairs() -> None:
    other = BASE.replace(name="fewer", people=250, years=0.5)
    made = compare(BASE.replace(people=300, years=0.5), [other], replicates=2, workers=0)
    assert made.unpaired == ("fewer",)
    assert rows(made, "fewer", "conditions_averted").empty
    assert "does not hold the same people" in page(made)


def test_distances_are_steps_along_ties_from_the_nearest_source() -> None:
    one, other = np.array([0, 1, 2, 5]), np.array([1, 2, 3, 6])
    steps = distances(one, other, np.array([0, 3]), 8)
    assert steps.tolist() == [0, 1, 1, 0, UNREACHABLE, UNREACHABLE, UNREACHABLE, UNREACHABLE]


def test_numbers_of_conditions_count_fibromyalgia_once() -> None:
    catalogue = BASE.catalogue()
    held = [
        catalogue.mask(ids)
        for ids in (("fibromyalgia", "chronic_widespread_pain"), ("ptsd", "fibromyalgia"), ("chronic_pain",))
    ]
    assert number_of(np.array(held, np.uint32), catalogue).tolist() == [1, 2, 0]


def test_who_started_is_who_was_reached() -> None:
    simulation = HELP.replace(threads=1).simulation()
    simulation.prepare()
    simulation.advance(30)
    assert simulation.delivery_log.persons(Event.STARTED).size == pytest.approx(0.06 * 1200, rel=0.35)


def test_draws_of_the_posterior_are_the_unit_of_the_interval() -> None:
    arms = [one.replace(people=200, years=0.25) for one in (BASE, HELP)]
    made = compare(arms[0], arms[1:], draws=2, replicates=2, workers=0)
    assert made.runs == 4
    assert set(made.effects["runs"]) == {2}
    assert set(made.advice(1.0)) == {"help"}


# The command


def fitss(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


TEN_LINES = """name = "befriending for the loneliest fifth"
people = 200
years = 1
[[programmes]]
kind = "befriending"
start = 2025-01-15
target = { isolated = 0.2 }
"""


def test_a_file_alone_is_compared_with_itself_without_its_programmes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lonely.toml").write_text(TEN_LINES, encoding="utf-8")
    done = fitss("compare", "lonely.toml", "--replicates", "2", "--workers", "0", "--out", "o", "--half-width", "5")
    assert done.exit_code == 0, done.output
    for words in (
        "befriending for the loneliest fifth",
        "of 1000",
        "95 %",
        "programme starts per 1000 adults",
        "half-width of 5",
    ):
        assert words in " ".join(done.stdout.split()), words
    files = {path.name for path in Path("o").iterdir()}
    assert {
        "effects.md",
        "effects.parquet",
        "effects.csv",
        "provenance.json",
        "effect_over_time.png",
        "forest.png",
    } <= files
    assert {"benefit_by_distance.png", "cost_effectiveness.png", "person_effects.png"} <= files
    assert "programmes" not in tomllib.loads(Path("o/scenario-0.toml").read_text(encoding="utf-8"))
    text = Path("o/effects.md").read_text(encoding="utf-8")
    assert text.index("After 1 year") < text.index("| condition |")
    again = fitss("compare", "lonely.toml", "--replicates", "2", "--workers", "0", "--out", "o", "--quiet")
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_faults_of_files_and_options_are_told_together_with_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("typo.toml").write_text("[parameters]\nsuport_weight = 0.1\n", encoding="utf-8")
    ends = TEN_LINES + "end = 2025-01-01\n"
    Path("ends.toml").write_text(ends, encoding="utf-8")
    done = fitss("compare", "typo.toml", "ends.toml", "--replicates", "0", "--out", "o")
    assert done.exit_code == 2
    for words in ("Did you mean 'support_weight'", "typo.toml", "must be after the start", "replicates = 0"):
        assert words in done.stderr, words
    assert not Path("o").exists()
    Path("plain.toml").write_text("people = 100\n", encoding="utf-8")
    done = fitss("compare", "plain.toml")
    assert done.exit_code == 2
    assert "neither programmes nor dated changes" in done.stderr

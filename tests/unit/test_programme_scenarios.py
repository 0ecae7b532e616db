"""Scenarios with programmes: kinds of a user's own, the tables they leave, costs, and TOML there and back."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from fitss_abm import Results, Scenario, simulate
from fitss_abm.model.delivery_log import Event
from fitss_abm.presentation.describe import SECTIONS, markdown

SCENARIO = """
people = 600
years = 1
programmes_file = "kinds.toml"

[[programmes]]
kind = "walks"
name = "north"
start = 2025-02-01
target = { sex = "female", age = { from = 30 }, any = [{ isolated = 0.5 }, { wpi = [3, 19] }] }
uptake = 0.5
sizes = { soothing_capacity = 0.4 }

[[programmes]]
kind = "walks"
name = "south"
target = { not = { sex = "female" } }

[programme_kinds.walks]
course_weeks = 10
cost_per_start = 7
"""
KINDS = """
[walks]
label = "Walking together"
acts = [{ on = "soothing_capacity", size = 0.1 }, { on = "ties", size = 0.3, group = 5 }]
eligible = { age = { from = 18 } }
cost_per_week = 3
source = { acts = "assumed" }

[snri]
uptake = 0.1
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("scenario")
    (folder / "kinds.toml").write_text(KINDS, encoding="utf-8")
    (folder / "walks.toml").write_text(SCENARIO, encoding="utf-8")
    return Scenario.read(folder / "walks.toml")


@pytest.fixture(scope="module")
def results(scenario: Scenario) -> Results:
    return simulate(scenario)


def test_a_kind_of_ones_own_needs_no_change_of_the_package(scenario: Scenario) -> None:
    north, south = scenario.delivered()
    assert (north.kind, north.start, north.uptake, north.course_weeks, north.cost_per_week) == ("walks", 31, 0.5, 10, 3)
    assert [(act.on, act.size) for act in north.acts] == [("soothing_capacity", 0.4), ("ties", 0.3)]
    assert [act.size for act in south.acts] == [0.1, 0.3]
    assert scenario.replace(programmes=({"kind": "snri"},)).delivered()[0].uptake == 0.1


def test_the_log_says_who_got_what_when(scenario: Scenario, results: Results) -> None:
    log = results.delivery
    assert log is not None
    assert list(log.columns) == ["scenario", "replicate", "date", "person", "programme", "event"]
    assert set(log["event"].cat.categories) == {event.name.lower() for event in Event}
    north = log[log["programme"] == "north"]
    assert north["date"].min() == np.datetime64("2025-02-05"), (
        "the first day after its start that is divisible by seven"
    )
    started = north[north["event"] == "started"]
    assert started["person"].is_unique
    assert 0.3 < len(started) / (north["event"] == "offered").sum() < 0.7


def test_costs_are_those_of_starts_and_person_weeks(results: Results) -> None:
    table = results.programmes
    assert table is not None
    assert list(table["programme"]) == ["north", "south"]
    assert (table["cost"] == 7 * table["started"] + 3 * table["person_weeks"]).all()
    log = results.delivery
    assert log is not None
    assert table["started"].sum() == (log["event"] == "started").sum()
    assert (table["person_weeks"] <= 10 * table["started"]).all()
    assert (table["person_weeks"] > 9 * table["started"] * 0.9).all()


def test_tables_of_programmes_are_saved_and_loaded(results: Results, tmp_path: Path) -> None:
    loaded = Results.load(results.save(tmp_path / "run"))
    for name in ("delivery", "programmes"):
        saved, again = getattr(results, name), getattr(loaded, name)
        assert again.astype(str).equals(saved.astype(str)), name
    assert loaded.provenance["programmes"] == ["north", "south"]


def test_without_programmes_there_are_no_such_tables(tmp_path: Path) -> None:
    plain = simulate(Scenario(people=100, years=0.05))
    assert plain.delivery is None
    folder = plain.save(tmp_path / "run")
    assert not (folder / "delivery.parquet").exists()
    assert Results.load(folder).programmes is None


def test_a_scenario_with_programmes_goes_to_toml_and_back(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "again.toml").write_text(scenario.to_toml(), encoding="utf-8")
    again = Scenario.read(tmp_path / "again.toml")
    assert again == scenario
    assert again.delivered() == scenario.delivered()


def test_a_programme_may_begin_on_any_day_and_last_beyond_the_run() -> None:
    late = {"kind": "cbt", "start": datetime.date(2025, 12, 31), "end": datetime.date(2040, 1, 1)}
    (programme,) = Scenario(people=100, years=1, programmes=(late,)).delivered()
    assert (programme.start, programme.end) == (364, 5478)


def test_programmes_are_described_with_their_sources() -> None:
    page = markdown([SECTIONS["programmes"]()])
    for words in ("befriending", "tx_dlx120_smd", "central_gain -", "international dollars", "log units"):
        assert words in page

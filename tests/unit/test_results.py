"""Results: a folder whole or not at all, person-level rows, and provenance."""

import datetime
import json
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.measurement import snapshots
from fitss_abm.measurement.observers import Observer
from fitss_abm.measurement.results import TABLES, Results, check_folder, fresh_folder
from fitss_abm.model.pain import pain_intensity
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.simulate import simulate

SCENARIO = Scenario(people=2000, years=1, snapshot_every=91, name="test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "deep" / "run"


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return simulate(SCENARIO, out=folder, command=["fitss", "run"])


@pytest.fixture(scope="module")
def people(results: Results) -> pd.DataFrame:
    frame = results.people
    assert frame is not None
    return frame


def test_a_folder_holds_everything_and_nothing_beside_it_is_left(results: Results, folder: Path) -> None:
    names = {f"{name}.parquet" for name in (*TABLES, "people")} | {"scenario.toml", "provenance.json"}
    assert {path.name for path in folder.iterdir()} == names
    assert [path.name for path in folder.parent.iterdir()] == ["run"]
    assert results.folder == folder


def test_what_was_saved_is_loaded(results: Results, folder: Path) -> None:
    loaded = Results.load(folder)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(results, name), check_dtype=False)
    assert loaded.provenance == results.provenance
    assert Scenario(**loaded.scenario) == SCENARIO
    assert loaded.people is not None


def test_provenance_says_what_was_run_with_what(results: Results) -> None:
    said = results.provenance
    assert said["seeds"] == {"master": 1}
    assert said["command"] == ["fitss", "run"]
    assert (said["people"], said["days"]) == (2000, 365)
    assert said["person_days_per_second"] > 0
    assert {"network", "years", "tables"} < set(said["seconds"])
    for name in ("version", "code", "python", "platform", "threads", "started", "finished", "peak_memory_bytes"):
        assert said[name], name
    assert json.loads(json.dumps(said)) == said


def test_dates_are_the_first_of_each_month_and_both_ends(results: Results) -> None:
    dates = results.prevalence["date"].drop_duplicates()
    assert list(dates) == list(pd.date_range("2025-01-01", "2026-01-01", freq="MS"))
    assert set(results.comorbidity["date"]) == {pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")}
    assert len(results.comorbidity) == 2 * 153


def test_adults_of_the_tables_are_the_adults_of_the_rows(results: Results, people: pd.DataFrame) -> None:
    first = people[(people["date"] == people["date"].min()) & (people["age"] >= 18)]
    table = results.prevalence
    table = table[(table["date"] == pd.Timestamp("2025-01-01")) & (table["age_group"] == "all")]
    for id in ("fibromyalgia", "irritable_bowel_syndrome", "vulvodynia", "chronic_pain"):
        women = table[(table["condition"] == id) & (table["sex"] == "female")].iloc[0]
        here = first[first["sex"] == "female"]
        assert (women["people"], women["cases"]) == (len(here), here[id].sum())


def test_person_level_rows_have_the_stated_columns(people: pd.DataFrame) -> None:
    assert list(people.columns[:15]) == [
        "date", "person", "sex", "age", "adversity", "ties", "felt_support", "loneliness", "threat", "soothing",
        "alert", "sensitization", "pain", "wpi", "sss",
    ]  # fmt: skip
    assert people.columns[-1] == "alive"
    assert people["fibromyalgia"].dtype == people["alive"].dtype == np.dtype(bool)
    assert set(people["sex"]) == {"female", "male"}
    assert people["wpi"].between(0, 19).all()
    assert people["sss"].between(0, 12).all()
    assert people["pain"].between(0, 10).all()
    assert ((people["pain"] == 0) == (people["wpi"] == 0)).all()
    assert people["ties"].mean() > 5


def test_everybody_has_a_row_a_snapshot_and_the_dead_one_more_and_then_none(people: pd.DataFrame) -> None:
    assert not people.duplicated(["person", "date"]).any()
    alive = people[people["alive"]]
    assert alive.groupby("date").size().tolist() == [2000] * 5
    dead = people[~people["alive"]].set_index("person")["date"]
    assert 5 < len(dead) < 60
    assert dead.index.is_unique
    last = alive.groupby("person")["date"].max()
    seen = last.reindex(dead.index).dropna()
    assert (seen < dead[seen.index]).all()
    newcomers = set(alive.loc[alive["date"] == alive["date"].max(), "person"]) - set(alive["person"][:2000])
    assert len(newcomers) == pytest.approx(len(dead), abs=3)
    assert alive.set_index("person").loc[sorted(newcomers), "age"].max() < 14


def test_looking_at_people_changes_nothing(results: Results) -> None:
    unseen = simulate(SCENARIO.replace(snapshot_every=None))
    pd.testing.assert_frame_equal(unseen.prevalence, results.prevalence)
    pd.testing.assert_frame_equal(unseen.trajectory, results.trajectory)
    assert unseen.people is None


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_threads_change_nothing(results: Results, people: pd.DataFrame) -> None:
    for threads in (1, 2):
        again = simulate(SCENARIO.replace(threads=threads))
        for name in ("prevalence", "incidence", "comorbidity", "counts", "plane", "trajectory", "people"):
            pd.testing.assert_frame_equal(getattr(again, name), getattr(results, name))


def test_without_a_folder_people_can_be_read_and_saved_later(tmp_path: Path) -> None:
    made = simulate(SCENARIO.replace(people=200, years=0.1, snapshot_every=10))
    assert made.people is not None
    assert made.people["date"].nunique() == 4
    made.save(tmp_path / "later")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "later" / "people.parquet"), made.people)


def test_the_size_of_person_level_rows_is_foretold(results: Results, people: pd.DataFrame) -> None:
    assert results.people_file is not None
    foretold = snapshots.expected_bytes(people=2000, days=365, every=91)
    assert foretold / 2 < results.people_file.stat().st_size < foretold


def test_more_rows_than_the_disk_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "free_bytes", lambda folder: 10_000)
    with pytest.raises(InputError, match=r"snapshot_every = 1: would write about 0\.0 GB where 0\.0 GB are free"):
        simulate(SCENARIO.replace(snapshot_every=1), out=tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Scenario, **_: Any) -> None:
        raise AssertionError("the simulation was begun")

    monkeypatch.setattr(Scenario, "simulation", refuse)


@pytest.mark.usefixtures("nothing_is_run")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_exists_is_refused_before_the_run(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="mine"):
        simulate(SCENARIO, out=tmp_path / "mine", overwrite=overwrite)
    assert (tmp_path / "mine" / "thesis.tex").read_text(encoding="utf-8") == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.usefixtures("nothing_is_run")
def test_a_place_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        simulate(SCENARIO, out=tmp_path / "file" / "run")


def test_an_earlier_run_is_replaced_when_asked(tmp_path: Path) -> None:
    short = Scenario(people=50, years=0.05)
    simulate(short, out=tmp_path / "run")
    again = simulate(short.replace(seed=2), out=tmp_path / "run", overwrite=True)
    assert Results.load(tmp_path / "run").provenance == again.provenance
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_run_that_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0

    def stop(self: Observer, *, pairs: bool) -> None:
        nonlocal seen
        seen += 1
        if seen == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Observer, "observe", stop)
    with pytest.raises(KeyboardInterrupt):
        simulate(SCENARIO.replace(people=100), out=tmp_path / "a" / "b" / "run")
    assert seen == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_made_by_another_meanwhile_is_left_alone(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "run") as scratch:
        (scratch.path / "mine").write_text("", encoding="utf-8")
        (tmp_path / "run").mkdir()
    assert scratch.target == tmp_path / "run-2"
    assert (tmp_path / "run-2" / "mine").exists()


def test_an_empty_folder_may_be_overwritten_and_a_link_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty", overwrite=True)
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    with pytest.raises(InputError, match="not the folder of a run"):
        check_folder(tmp_path / "link", overwrite=True)


def test_what_is_missing_of_a_run_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "provenance.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Results.load(tmp_path)
    assert len(caught.value.faults) == len(TABLES) + 2
    assert "cannot be read" in str(caught.value)


def test_a_dated_change_acts_from_its_date_on(results: Results) -> None:
    date = datetime.date(2025, 7, 1)
    changed = simulate(SCENARIO.replace(changes=({"date": date, "parameters": {"pain_intercept": 0.0}},)))
    usual, other = (r.prevalence[r.prevalence["condition"] == "chronic_pain"] for r in (results, changed))
    before = usual["date"] <= pd.Timestamp(date)
    pd.testing.assert_frame_equal(usual[before], other[before])
    both = [table[(table["sex"] == "all") & (table["age_group"] == "all")].iloc[-1] for table in (usual, other)]
    assert both[1]["prevalence"] > 2 * both[0]["prevalence"]


def test_the_first_day_can_be_any_day() -> None:
    made = simulate(Scenario(people=100, years=0.2, start=datetime.date(2024, 2, 20)))
    dates = [f"{date:%Y-%m-%d}" for date in made.prevalence["date"].drop_duplicates()]
    assert dates == ["2024-02-20", "2024-03-01", "2024-04-01", "2024-05-01", "2024-05-03"] or dates[-1] == "2024-05-03"
    assert dates[:2] == ["2024-02-20", "2024-03-01"]


@pytest.mark.parametrize(("sites", "sensitization", "low", "high"), [(0, 1.0, 0, 0), (1, 0.25, 2, 3), (12, 0.55, 6, 7)])
def test_pain_is_rated_as_stated(sites: int, sensitization: float, low: float, high: float) -> None:
    rated = pain_intensity(
        np.uint32(2**sites - 1), np.float32(sensitization), np.float32(0.0), np.float32(1.0), np.float32(0.0)
    )
    assert low <= rated <= high


def test_a_network_made_in_python_is_used() -> None:
    from fitss_abm.model.network import Network

    made = simulate(Scenario(people=100, years=0.05), network=Network.empty(people=100))
    assert made.provenance["network"] == "given in Python"
    assert made.provenance["ties"] == 0

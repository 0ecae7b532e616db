"""Populations from records: what is asked is obtained, gaps are filled and flagged, luck is the person's, ids stay at home."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.presentation.records_page import sentences
from fitss_abm.presentation.records_plot import asked_against_obtained
from fitss_abm.study.records_report import StartingPopulation, population_from_records, scenario_of
from fitss_abm.study.records_start import RecordsBeginning, values_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.what_if import compare
from fitss_abm.study.what_if_run import paired

N = 2000
SCORES = ("adversity", "pain", "wpi", "sss", "loneliness")
CONDITIONS = ("fibromyalgia", "irritable_bowel_syndrome", "temporomandibular_disorder", "chronic_pain")


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    """A simulated population as a survey would describe it."""
    simulation = Scenario(people=N, seed=11).simulation()
    simulation.prepare()
    who = simulation.population
    columns: dict[str, Any] = {
        "id": [f"patient-{k}-secret" for k in range(N)],
        "sex": np.where(who["female"] == 1, "f", "m"),
        "age": np.floor(-who["birth_day"] / 365.25).astype(int),
    }
    columns |= {name: values_of(simulation, name).round(4) for name in SCORES}
    return pd.DataFrame(columns | {name: values_of(simulation, name).astype(int) for name in CONDITIONS})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


def build(folder: Path, frame: pd.DataFrame, *, years: int = 0, donors: int = 4, **values: Any) -> StartingPopulation:
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    frame.to_csv(path, index=False)
    scenario = scenario_of(path, None, {"seed": 5} | values)
    table = scenario.records | {"donors": donors}
    columns = scenario.records["columns"] | ({"person": "id"} if "id" in frame else {})
    return population_from_records(scenario.replace(records=table | {"columns": columns}), years=years)


@pytest.fixture(scope="module")
def same(folder: Path, survey: pd.DataFrame) -> StartingPopulation:
    return build(folder, survey, years=1, donors=10)


def test_what_is_asked_is_obtained(same: StartingPopulation, survey: pd.DataFrame) -> None:
    who = same.people
    assert (who["sex"] == "female").sum() == (survey["sex"] == "f").sum()
    np.testing.assert_array_equal(np.sort(np.floor(who["age"])), np.sort(survey["age"]))
    for name in CONDITIONS:
        assert who[name].sum() == survey[name].sum()
    rows = same.marginals.set_index(["measure", "sex"])
    for name in SCORES:
        row = rows.loc[(name, "all")]
        assert abs(row["obtained"] - row["asked"]) < 2 * row["standard_error"]
        assert row["apart"] < 0.3 * survey[name].std()  # by person; two people at random are 1.1 sd apart
        assert who[name].std() == pytest.approx(survey[name].std(), rel=0.06)
    assert set(same.marginals["sex"]) == {"all", "women", "men"}


def test_correlations_of_what_is_mapped_are_kept(same: StartingPopulation, survey: pd.DataFrame) -> None:
    assert len(same.correlations) == 36
    # as near as those of two samples of the same people: each has a standard error of about 1 / sqrt(n)
    assert (same.correlations["asked"] - same.correlations["obtained"]).abs().max() < 3 * np.sqrt(2 / N)
    said = same.correlations.set_index(["one", "other"])["asked"]
    assert said["pain", "wpi"] == pytest.approx(survey["pain"].corr(survey["wpi"]), abs=1e-6)
    assert said["pain", "wpi"] > 0.5


def test_a_population_as_the_model_has_it_does_not_drift(same: StartingPopulation) -> None:
    table = same.drift.pivot_table(index="measure", columns="year", values="value")
    for name in CONDITIONS:
        # a year brings each person's luck anew at most, so it is within the error between two populations
        reach = 4 * np.sqrt(2 * table.loc[name, 0] * (1 - table.loc[name, 0]) / N)
        assert abs(table.loc[name, 1] - table.loc[name, 0]) < reach
    assert abs(table.loc["pain", 1] - table.loc["pain", 0]) < 0.25


def test_gaps_are_filled_from_people_alike_and_flagged(folder: Path, survey: pd.DataFrame) -> None:
    frame = survey.astype(object)
    gaps = np.random.default_rng(4).random((N, 4)) < 0.25
    for k, name in enumerate(("sex", "age", "pain", "fibromyalgia")):
        frame.loc[gaps[:, k], name] = "NA"
    found = build(folder, frame)
    who, counts = found.people, found.counts
    assert counts["sex_drawn"] == gaps[:, 0].sum() == (who["sex_from"] == "drawn").sum()
    assert counts["age_drawn"] == gaps[:, 1].sum() == (who["age_from"] == "drawn").sum()
    assert counts["imputed"]["pain"] == gaps[:, 2].sum() == (who["pain_from"] == "imputed").sum()
    filled = who[who["pain_from"] == "imputed"]
    in_pain = filled["chronic_pain"]
    assert filled["pain"][in_pain].mean() > filled["pain"][~in_pain].mean() + 2.0
    assert filled["pain"].mean() == pytest.approx(survey["pain"][gaps[:, 2]].mean(), abs=4 * 2.7 / np.sqrt(len(filled)))
    rows = found.marginals.set_index(["measure", "sex"])
    assert rows.loc[("pain", "all"), "records"] == N - gaps[:, 2].sum()
    assert any("fits the rest of the record" in line for line in sentences(found))


def test_what_the_model_contradicts_is_imposed_and_told(folder: Path) -> None:
    luck = np.random.default_rng(1)
    n = 800
    frame = pd.DataFrame(
        {
            "sex": np.where(luck.random(n) < 0.5, "f", "m"),
            "age": luck.integers(20, 70, n),
            "crps": np.arange(n) % 10 == 0,
            "fibromyalgia": np.arange(n) % 4 == 1,
        }
    )
    found = build(folder, frame, years=2)
    assert found.people["crps"].sum() == n / 10
    assert found.people["fibromyalgia"].sum() == n / 4
    assert 0 < found.counts["imposed"]["crps"] == (found.people["crps_from"] == "imposed").sum()
    assert found.counts["imposed"]["fibromyalgia"] < found.counts["imposed"]["crps"]  # its donors are given to many
    assert found.counts["most_people_from_a_donor"] > 1
    text = " ".join(sentences(found))
    assert "imposed" in text
    assert "Fibromyalgia is far from the model: 25.0 % asked" in text
    later = found.drift.set_index(["measure", "year"])["value"]
    assert later["fibromyalgia", 2] < 0.22  # it goes back towards the model
    figure = asked_against_obtained(found)
    assert [axes.get_title(loc="left")[:5] for axes in figure.axes] == ["Women", "Condi"]
    marks = {line.get_gid(): line for line in figure.axes[1].lines if line.get_gid()}
    np.testing.assert_allclose(sorted(marks["obtained"].get_xdata()), [10, 25])
    assert marks["later"].get_xdata().max() < 22


def test_imposing_is_no_onset(folder: Path) -> None:
    frame = pd.DataFrame(
        {"sex": ["f", "m"] * 20, "age": [50] * 40, "crps": [1] * 40, "chronic_pain": [1, 1, 0, 0] * 10}
    )
    path = folder / "imposing.csv"
    frame.to_csv(path, index=False)
    asked = scenario_of(path)
    simulation = asked.replace(records=asked.records | {"donors": 5}).simulation()
    simulation.prepare()
    who, bit = simulation.population, np.uint32(1 << simulation.catalogue.bit["crps"])
    for name in ("conditions", "conditions_before", "ever", "held_quarter"):
        assert (who[name] & bit).all()
    simulation.advance(14)
    assert not (who["first_onsets"] & bit).any()


def test_threads_change_no_bit_and_weights_hold(folder: Path, survey: pd.DataFrame) -> None:
    frame = survey.head(600).assign(weight=np.where(survey["sex"].head(600) == "f", 3.0, 1.0))
    path = folder / "weights.csv"
    frame.to_csv(path, index=False)
    made = []
    for threads in (1, None):
        asked = scenario_of(path, None, {"people": 1500, "threads": threads, "seed": 9})
        simulation = asked.replace(records=asked.records | {"donors": 2}).simulation()
        simulation.prepare()
        simulation.advance(40)
        made.append(simulation)
    for name, array in made[0].population.items():
        np.testing.assert_array_equal(array, made[1].population[name])
    start = made[0].beginning
    assert isinstance(start, RecordsBeginning)
    women = (frame["sex"] == "f").to_numpy()
    share = frame["weight"][women].sum() / frame["weight"].sum()
    assert made[0].population["female"].mean() == pytest.approx(
        share, abs=1 / 1500 + 2 * 14 / 1500
    )  # two weeks of deaths
    assert women[start.drawn.record].mean() == pytest.approx(share, abs=1.5 / 1500)


def test_arms_have_the_same_people_and_an_idle_programme_does_nothing(folder: Path, survey: pd.DataFrame) -> None:
    path = folder / "arms.csv"
    survey.head(500).to_csv(path, index=False)
    base = scenario_of(path, None, {"years": 0.5}).replace(name="base")
    base = base.replace(records=base.records | {"donors": 3})
    idle = base.replace(
        name="idle", programmes=[{"kind": "cbt", "sizes": {"reported_relief": 0.0, "threat_reactivity": 0.0}}]
    )
    found = compare(base, [idle], replicates=1, workers=0)
    assert found.unpaired == ()
    rows = found.effects[(found.effects["scenario"] == "idle") & found.effects["estimand"].eq("risk_difference")]
    assert len(rows) > 0
    assert (rows["value"] == 0).all()
    assert found.programmes["started"].sum() > 0
    other = base.replace(name="other", records=base.records | {"donors": 4})
    assert not paired(base, other)


def test_the_command_writes_a_scenario_that_runs_and_no_id(tmp_path: Path, survey: pd.DataFrame) -> None:
    path, mapping, out = tmp_path / "survey.csv", tmp_path / "map.toml", tmp_path / "out"
    survey.head(300).to_csv(path, index=False)
    mapping.write_text(
        'columns = { person = "id", sex = "sex", age = "age", pain = "pain" }\ndonors = 5', encoding="utf-8"
    )
    ran = CliRunner().invoke(app, ["population", str(path), "--map", str(mapping), "--years", "0", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    assert "300 people from the 300 records of survey.csv" in ran.output
    for file in out.iterdir():
        assert b"secret" not in file.read_bytes()
    assert "secret" not in pd.read_parquet(out / "people.parquet").to_csv()
    values = tomllib.loads((out / "scenario.toml").read_text(encoding="utf-8"))
    assert values["records"]["file"] == "../survey.csv"
    again = Scenario.read(out / "scenario.toml").simulation()
    again.prepare()
    table = pd.read_parquet(out / "people.parquet")
    np.testing.assert_allclose(values_of(again, "pain"), table["pain"], atol=1e-5)


def test_a_link_is_written_only_where_it_is_asked_for(
    same: StartingPopulation, survey: pd.DataFrame, tmp_path: Path
) -> None:
    same.write(tmp_path)
    assert not (tmp_path / "link.csv").exists()
    same.write(tmp_path, link=True)
    link = pd.read_csv(tmp_path / "link.csv").merge(same.people, on="person")
    said = link.merge(survey, left_on="record", right_on="id", suffixes=("", "_said"))
    assert len(said) == N
    np.testing.assert_array_equal(np.floor(said["age"]), said["age_said"])
    np.testing.assert_array_equal(said["fibromyalgia"], said["fibromyalgia_said"] == 1)


def test_a_scenario_without_records_has_none_to_report() -> None:
    with pytest.raises(InputError, match="has none"):
        population_from_records(Scenario(people=100))

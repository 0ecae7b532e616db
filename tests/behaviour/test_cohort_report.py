"""A report on an exported cohort: nothing lost, nothing different; what is lost for a reason is seen; classes counted by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner, Result

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_report import CohortReport, report_on
from fitss_abm.study.cohort_report_fidelity import ANSWERS, STATES
from fitss_abm.study.cohort_report_sums import Sums
from fitss_abm.study.cohort_run import export

PEOPLE = 900
VISITS = ("0", "6m", "1y")
FEW = ("pain_average", "wpi", "sss", "phq9", "fm_mod2010", "cwp", "adversity_reported")
LOST: tuple[dict[str, Any], ...] = (
    {"of": "dropout", "mechanism": "mnar", "share": 0.3},
    {"mechanism": "mnar", "share": 0.3, "items": ["pain_average"], "slope": 2.0},
    {"mechanism": "mcar", "share": 0.2, "items": ["phq9"]},
)


def made(folder: Path, *, format: str = "parquet", people: int = PEOPLE, **values: Any) -> Path:
    asked: dict[str, Any] = {"visits": VISITS, "truth": True, "instruments": FEW} | values
    scenario = {"people": people} | asked.pop("scenario", {})
    return export(Cohort(scenario=scenario, **asked), folder, format=format).folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    return made(folder / "whole", format="csv")


@pytest.fixture(scope="module")
def lossy(folder: Path) -> Path:
    return made(folder / "lossy", missing=LOST, people=3000)


@pytest.fixture(scope="module")
def lossy_report(lossy: Path) -> CohortReport:
    return report_on(lossy)


def fitss(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cohort-report", *arguments])


# Fidelity


def test_a_census_from_which_nothing_is_lost_is_exactly_the_simulation(whole: Path) -> None:
    found = report_on(whole)
    columns = found.columns
    assert set(columns["of"]) == {ANSWERS, STATES}
    assert len(columns[columns["of"] == ANSWERS]) == 3 * len(
        columns[(columns["of"] == ANSWERS) & (columns["visit"] == 0)]
    )
    assert (columns["missing"] == 0).all()
    assert (columns["difference"] == 0).all()
    assert (columns["distance"] == 0).all()
    assert not columns["beyond_chance"].any()
    assert (found.correlations["difference"].dropna() == 0).all()
    assert found.correlations["difference"].notna().sum() > 50
    for event, rows in found.survival.groupby("event"):
        sides = {side: part.drop(columns="side").reset_index(drop=True) for side, part in rows.groupby("side")}
        if event != "loss to follow-up":
            pd.testing.assert_frame_equal(sides["export"], sides["simulation"])
        else:
            assert (sides["export"]["surviving"] == 1).all()


def test_a_sample_from_which_nothing_is_lost_differs_by_rounding_alone(tmp_path: Path) -> None:
    columns = report_on(made(tmp_path / "sample", participants=200)).columns
    answers = columns[columns["of"] == ANSWERS]
    assert answers["difference"].abs().max() < 1e-5
    assert not columns["beyond_chance"].any()
    states = columns[(columns["of"] == STATES) & (columns["visit"] == 0) & (columns["column"] == "female")]
    assert 0 < states["chance"].iloc[0] < 0.08  # 200 of some 850 adults


def test_what_is_lost_for_its_own_sake_is_seen_as_a_shift_and_what_is_lost_by_chance_is_not(
    lossy_report: CohortReport,
) -> None:
    first = lossy_report.columns[lossy_report.columns["visit"] == 0].set_index(["of", "column"])
    pain, mood = first.loc[(ANSWERS, "pain_average")], first.loc[(ANSWERS, "phq9")]
    assert pain["beyond_chance"]
    assert pain["smd"] < -5 * pain["chance"]
    assert pain["missing"] == pytest.approx(0.3, abs=0.05)
    assert mood["missing"] == pytest.approx(0.2, abs=0.03)  # 2,800 answers: standard error 0.008
    assert not mood["beyond_chance"]
    assert abs(mood["smd"]) < 3 * mood["chance"]
    assert first.loc[(STATES, "pain"), "smd"] == 0  # everybody was seen at first
    last = lossy_report.columns[lossy_report.columns["visit"] == 2].set_index(["of", "column"])
    assert last.loc[(STATES, "pain"), "smd"] < -3 * last.loc[(STATES, "pain"), "chance"]
    assert last.loc[(STATES, "pain"), "missing"] == pytest.approx(0.3, abs=0.06)


def test_numbers_are_those_of_pandas_and_scipy(lossy: Path, lossy_report: CohortReport) -> None:
    visits, truth = pd.read_parquet(lossy / "data/visits.parquet"), pd.read_parquet(lossy / "truth/complete.parquet")
    seen, everybody = visits[visits["visit"] == 0], truth[truth["visit"] == 0]
    rows = lossy_report.columns[(lossy_report.columns["of"] == ANSWERS) & (lossy_report.columns["visit"] == 0)]
    for name in ("pain_average", "phq9"):
        row = rows.set_index("column").loc[name]
        one, other = seen[name].dropna().astype(float), everybody[name].astype(float)
        assert row["export"] == pytest.approx(one.mean())
        assert row["simulation_sd"] == pytest.approx(other.std(ddof=0))
        assert row["distance"] == pytest.approx(stats.ks_2samp(one, other).statistic)
    pairs = lossy_report.correlations.query("visit == 0").set_index(["one", "other"])
    among = seen[["wpi", "pain_average"]].dropna().astype(float)
    assert pairs.loc[("pain_average", "wpi"), "export"] == pytest.approx(among.corr().iloc[0, 1])


def test_sums_weigh_and_leave_gaps_out() -> None:
    rng = np.random.default_rng(1)
    values, weight = rng.normal(size=(500, 2)).round(3), rng.uniform(0.5, 3, 500)
    values[:50, 0] = np.nan
    found = Sums(("a", "b"), whole=(False, False))
    for part in np.array_split(np.arange(500), 7):
        found.add(values[part], weight[part])
    known = np.isfinite(values[:, 0])
    cov = np.cov(values[known].T, aweights=weight[known], ddof=0)
    assert found.mean[0] == pytest.approx(np.average(values[known, 0], weights=weight[known]))
    assert found.sd[0] == pytest.approx(cov[0, 0] ** 0.5)
    assert found.correlation[0, 1] == pytest.approx(cov[0, 1] / (cov[0, 0] * cov[1, 1]) ** 0.5)
    assert found.effective[1] == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    other = Sums(("a", "b"), whole=(False, False))
    other.add(values + np.array([0.0, 10.0]), weight)
    assert found.distance(other) == pytest.approx([0.0, 1.0])


def test_survival_by_hand(lossy: Path, lossy_report: CohortReport) -> None:
    visits = pd.read_parquet(lossy / "data/visits.parquet").pivot(index="person_id", columns="visit", values="status")
    first = (visits[1] == "lost").sum() / (visits[1] != "dead").sum()  # who died before could not be lost then
    at_risk = visits[1].isin(["seen", "missed"]) & (visits[2] != "dead")
    second = (visits.loc[at_risk, 2] == "lost").mean()
    curve = lossy_report.survival.query("event == 'loss to follow-up' and side == 'export'")
    assert curve["surviving"].tolist() == pytest.approx([1, 1 - first, (1 - first) * (1 - second)])
    died = lossy_report.survival.query("event == 'death' and side == 'simulation'")
    truth = pd.read_parquet(lossy / "truth/visits.parquet")
    assert died["surviving"].iloc[-1] == pytest.approx((truth["visit"] == 2).sum() / (truth["visit"] == 0).sum())


def test_first_answers_by_hand(lossy: Path, lossy_report: CohortReport) -> None:
    visits = pd.read_parquet(lossy / "data/visits.parquet").pivot(index="person_id", columns="visit", values="cwp")
    no = visits[visits.bfill(axis=1)[0].eq(False)]
    at_first = no[no[1].notna() | no[2].notna()]
    first = at_first[1].eq(True).sum() / len(at_first)
    at_second = no[no[1].ne(True).fillna(True) & no[2].notna()]
    second = at_second[2].eq(True).sum() / len(at_second)
    curve = lossy_report.survival.query("event == 'cwp' and side == 'export'")
    assert 0.01 < second < 0.2
    assert curve["surviving"].tolist() == pytest.approx([1, 1 - first, (1 - first) * (1 - second)])


def test_memory_is_not_needed_for_batches(
    lossy: Path, lossy_report: CohortReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fitss_abm.study.cohort_report_folder._BATCH", 2048)
    again = report_on(lossy)
    pd.testing.assert_frame_equal(again.columns, lossy_report.columns, rtol=1e-9)


@pytest.mark.parametrize(
    ("design", "words"), [("clinic", "were to be had, on purpose"), ("case-control", "on purpose")]
)
def test_a_design_that_selects_says_that_it_means_to(tmp_path: Path, design: str, words: str) -> None:
    from fitss_abm.presentation.cohort_report_page import report_words

    found = report_on(made(tmp_path / design, design=design, case="chronic_pain", visits=("0", "6m")))
    assert words in " ".join(report_words(found))
    assert not found.columns["beyond_chance"].any()


# Disclosure


def test_classes_by_hand(tmp_path: Path) -> None:
    """Seven people: two pairs, three alone; of the diagnosis one pair agrees and one does not."""
    folder = made(tmp_path / "hand", visits=("0",), truth=False, people=300, participants=7)
    persons, visits = (pd.read_parquet(folder / f"data/{name}.parquet") for name in ("persons", "visits"))
    persons["sex"] = ["female", "female", "male", "male", "male", "female", "male"]
    persons["birth_year"] = np.array([1970, 1970, 1980, 1980, 1981, 1981, 1990], np.int16)
    visits = visits.set_index("person_id").loc[persons["person_id"]].reset_index()
    visits["cwp"] = pd.array([True, True, True, False, None, True, False], dtype="boolean")
    persons.to_parquet(folder / "data/persons.parquet")
    visits.to_parquet(folder / "data/visits.parquet")
    found = report_on(folder, sensitive="cwp").disclosure
    assert found.sizes.to_dict("list") == {"size": [1, 2], "classes": [3, 2], "people": [3, 4]}
    assert (found.people, found.classes, found.smallest) == (7, 5, 1)
    assert found.below(2) == pytest.approx(3 / 7)
    assert found.least_values == 0  # of one nothing is known
    assert found.told == pytest.approx(2 / 7)
    alone = report_on(folder, quasi=("sex",), sensitive="cwp").disclosure
    assert (alone.smallest, alone.least_values, alone.told) == (3, 1, pytest.approx(3 / 7))


def test_generated_people_are_nobody_and_it_is_said_first(whole: Path, tmp_path: Path) -> None:
    done = fitss(str(whole), "--out", str(tmp_path / "report"))
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert page.splitlines()[2].startswith("- **These people are nobody.**")
    assert "without meaning for anybody's privacy" in page.replace("\n", " ")
    assert "exactly the simulation's" in page
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names >= {
        "columns.csv", "correlations.csv", "survival.csv", "classes.csv", "differences.png", "correlations.png",
        "survival.png", "classes.png", "provenance.json",
    }  # fmt: skip


@pytest.fixture(scope="module")
def survey(folder: Path) -> Path:
    rng = np.random.default_rng(3)
    people = 400
    pain = rng.integers(0, 8, people)
    table = pd.DataFrame(
        {"sex": rng.choice(["female", "male"], people), "age": rng.integers(20, 70, people), "pain": pain}
    )
    path = folder / "survey.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def from_records(survey: Path, folder: Path) -> Path:
    records = {"file": str(survey), "columns": {name: name for name in ("sex", "age", "pain")}, "donors": 3}
    return made(folder / "from_records", people=400, visits=("0",), scenario={"records": records})


def test_people_from_records_are_compared_with_them(from_records: Path, survey: Path, tmp_path: Path) -> None:
    near = report_on(from_records).disclosure.survey
    assert near is not None
    records = pd.read_csv(survey)
    visits = pd.read_parquet(from_records / "data/visits.parquet")
    persons = pd.read_parquet(from_records / "data/persons.parquet")
    rows = visits.merge(persons, on="person_id")
    keys = list(zip(rows["sex"], np.floor(rows["age"]).astype(int), rows["pain_average"].astype(int), strict=True))
    counts = records.value_counts(["sex", "age", "pain"]).to_dict()
    assert near["columns"] == ["sex", "age", "pain"]
    assert near["records"] == near["complete"] == 400
    assert near["equal"] == sum(key in counts for key in keys) > 20
    assert near["equal_to_one"] == sum(counts.get(key) == 1 for key in keys)
    assert 0 <= near["nearest"] < 0.5
    done = fitss(str(from_records), "--out", str(tmp_path / "report"))
    assert done.exit_code == 0, done.output
    assert "These people began from the records of a survey (survey.csv)" in done.output.replace("\n", "")
    assert "nobody" not in done.output


def test_a_survey_that_is_gone_is_told(from_records: Path, survey: Path, tmp_path: Path) -> None:
    away = survey.rename(tmp_path / "elsewhere.csv")
    try:
        near = report_on(from_records).disclosure.survey
    finally:
        away.rename(survey)
    assert near is not None
    assert "cannot be read" in near["problem"]


# What cannot be


def test_without_the_truth_it_says_what_it_cannot_do(tmp_path: Path) -> None:
    folder = made(tmp_path / "plain", truth=False, people=300)
    done = fitss(str(folder))
    assert done.exit_code == 0, done.output
    assert "cannot be compared with the simulation" in done.output.replace("\n", "")
    assert (folder / "report" / "survival.png").is_file()
    assert not (folder / "report" / "differences.png").exists()


def test_faults_are_told_together_and_nothing_is_written(whole: Path, tmp_path: Path) -> None:
    done = fitss(str(whole), "--quasi", "sex,birthyear,sex", "--sensitive", "cwpp", "--out", str(tmp_path / "report"))
    assert done.exit_code == 2
    for words in ("Did you mean 'birth_year'?", "is named twice", "Did you mean 'cwp'?"):
        assert words in done.output
    assert not (tmp_path / "report").exists()
    with pytest.raises(InputError, match="is one of the quasi-identifiers"):
        report_on(whole, quasi=("sex",), sensitive="sex")


def test_a_folder_that_is_no_cohort_is_told(tmp_path: Path, lossy: Path) -> None:
    for folder, words in ((tmp_path, "is no folder of a cohort"), (tmp_path / "none", "is not there")):
        done = fitss(str(folder))
        assert done.exit_code == 2
        assert words in done.output
    assert not list(tmp_path.iterdir())
    (lossy / "data/persons.parquet").rename(tmp_path / "persons.parquet")
    try:
        done = fitss(str(lossy))
    finally:
        (tmp_path / "persons.parquet").rename(lossy / "data/persons.parquet")
    assert done.exit_code == 2
    assert "is missing" in done.output


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; from fitss_abm.cli import app; from fitss_abm.cli.cohort_report import cohort_report; "
        "print([name for name in ('duckdb', 'pandas', 'statsmodels', 'matplotlib') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.strip() == "[]"

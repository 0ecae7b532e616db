"""What is wrong with a cohort is told at once, whole and by name, and nothing is half-written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_run import export


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fitss(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["cohort", "--people", "300", *arguments])


def told(*arguments: str) -> str:
    """What is said of a wrong input, after which there is nothing."""
    before = sorted(path.as_posix() for path in Path().rglob("*"))
    done = fitss(*arguments)
    assert done.exit_code == 2, done.output
    assert sorted(path.as_posix() for path in Path().rglob("*")) == before
    return done.output


def test_everything_wrong_is_told_together() -> None:
    said = told(
        "--visits", "0,2025-02-30,1y,1y", "--design", "panle", "--missing", "mra:0.2,dropout=mcar:2,0.1", "--format", "cvs",
        "--participants", "9999", "--part-people", "many", "--location", "Germny", "--workers", "-1",
    )  # fmt: skip
    for words in (
        "visits = '2025-02-30': is no date (day is out of range for month)", "visits = '1y': is the date of another visit",
        "Did you mean 'panel'?", "Did you mean 'mar'?", "missing[1].share = 2.0", "missing = '0.1'", "Did you mean 'csv'?",
        "part_people = 'many'", "Did you mean 'Germany'?", "workers = -1",
    ):  # fmt: skip
        assert words in said, words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--participants", "500"], "are more than live in the population, 300"),
        (["--visits", "0,2024-06-01"], "lies before the start, 2025-01-01"),
        (["--visits", ""], "there must be at least one"),
        (["--visits", "1y,6m"], "visits are given in order"),
        (["--diary", "10", "--visits", "0,7d"], "is longer than the 7 days from the first visit to the last"),
        (["--diary-days", "7"], "nobody keeps one"),
        (["--counterfactual", "none.toml"], "none.toml"),
        (["--scenario", "none.toml"], "cannot be read"),
        (["--persons", "none.csv"], "cannot be read"),
    ],
)
def test_what_does_not_fit(arguments: list[str], words: str) -> None:
    assert words in told(*arguments)


def test_a_visit_after_the_horizon() -> None:
    Path("short.toml").write_text("years = 1.0\n", encoding="utf-8")
    said = told("--scenario", "short.toml", "--visits", "0,1y,2y")
    assert "visits = '2027-01-01': is after the horizon, 2026-01-01" in said
    Path("whole.toml").write_text('visits = ["0", "2y"]\nscenario = { years = 1.0 }\n', encoding="utf-8")
    assert "whole.toml: visits = '2027-01-01': is after the horizon" in told("whole.toml")


@pytest.mark.parametrize("new", [True, False])
def test_no_case_in_a_case_control_design(new: bool) -> None:
    """It is found only when people live, and leaves nothing either way."""
    if not new:
        Path("mine").mkdir()
    said = told("--people", "120", "--design", "case-control", "--visits", "0", "--out", "mine")
    assert "case = 'fibromyalgia_diagnosed': nobody for the group 'case' (ages 18 to 120)" in said


def test_too_few_take_part() -> None:
    said = told("--participants", "290", "--visits", "0", "--missing", "participation=mcar:0.5")
    assert "participants = 290: more than there are" in said
    assert "would take part" in said


def test_a_person_named_twice_or_unknown() -> None:
    Path("ids.csv").write_text("person_id,sex\n65536,female\n131072,male\n65536,female\nx,male\n", encoding="utf-8")
    said = told("--persons", "ids.csv", "--visits", "0")
    assert "ids.csv: line 4 = 65536: is named before, in line 2" in said
    assert "ids.csv: line 5 = 'x': is no person_id" in said
    Path("column.csv").write_text("person\n65536\n", encoding="utf-8")
    assert "person_id = None: is no column of the table" in told("--persons", "column.csv")
    Path("far.csv").write_text(f"person_id\n{300 * 65536}\n", encoding="utf-8")
    assert "lives nowhere in a population of 300" in told("--persons", "far.csv", "--visits", "0")


def test_a_folder_that_holds_something_else_is_left_alone() -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work", encoding="utf-8")
    for more in ([], ["--overwrite"]):
        assert "mine" in told("--out", "mine", "--visits", "0", *more)
    assert Path("mine/thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_overwriting_leaves_nothing_of_the_cohort_before() -> None:
    asked = ["--out", "mine", "--visits", "0", "--quiet"]
    assert fitss(*asked, "--truth").exit_code == 0
    assert Path("mine/truth/visits.csv").is_file()
    assert fitss(*asked).exit_code == 2
    assert fitss(*asked, "--overwrite", "--format", "parquet").exit_code == 0
    assert not Path("mine/truth").exists()
    assert {path.suffix for path in Path("mine/data").iterdir()} == {".parquet", ".json"}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"scenario": {"peple": 3}}, "scenario.peple"),
        ({"truth": True, "counterfactual": {"seed": 2}}, "counterfactual.seed"),
        ({"truth": True, "counterfactual": {"people": 5}}, "counterfactual.people"),
        ({"counterfactual": {"draw": 1}}, "counterfactual"),
        ({"controls": 2}, "controls"),
        ({"exposed_share": 0.2}, "exposed_share"),
        ({"age_from": 40, "age_to": 30}, "age_to"),
        ({"instruments": ("wpi", "wpi")}, "instruments"),
        ({"missing": ({"share": 0.1, "items": ["sss"]},), "instruments": ("wpi",)}, "missing[0].items"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_wrong_values(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        Cohort(**values)
    assert field in [fault.field for fault in caught.value.faults]


def test_a_full_disk_is_foretold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fitss_abm.study.cohort_files.free_bytes", lambda folder: 1000)
    with pytest.raises(InputError, match="would write about"):
        export(Cohort(scenario={"people": 300}), tmp_path / "it")
    assert not (tmp_path / "it").exists()

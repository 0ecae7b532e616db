"""The experiments of the package: they can be read, differ from their baseline, and run."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fitss_abm import InputError
from fitss_abm.cli import app
from fitss_abm.cli.comparing import FIGURES
from fitss_abm.study import experiments
from fitss_abm.study.what_if import check

NAMES = experiments.names()


def test_there_are_eleven() -> None:
    assert len(NAMES) == 11


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_asks_expects_and_says_what_it_may_not_claim(name: str) -> None:
    one = experiments.read(name)
    assert one.question.endswith("?")
    assert one.expected
    assert one.limits
    assert one.main in FIGURES
    check(one.arms, replicates=one.replicates, draws=None, discount=0.03)
    assert all(arm.differences(one.arms[0]).keys() - {"name"} for arm in one.arms[1:])
    readme = Path(__file__).parents[2] / "experiments" / name / "README.md"
    assert one.question in readme.read_text(encoding="utf-8")


def test_capacities_grow_with_the_people() -> None:
    few, many = (experiments.read("whom_to_support", people=people) for people in (2_000, 40_000))
    assert (few.arms[1].programmes[0]["capacity"], many.arms[1].programmes[0]["capacity"]) == (40, 800)


def test_a_misspelt_experiment_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'recession'"):
        experiments.read("reccesion")


def test_the_command_lists_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = CliRunner().invoke(app, ["experiment", "--list"])
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in NAMES)
    small = ["--people", "200", "--replicates", "2", "--workers", "0", "--out", "o", "--years", "1"]
    done = CliRunner().invoke(app, ["experiment", "loneliness_screening", *small, "--quiet"])
    assert done.exit_code == 0, done.output
    assert "What it may not claim" in Path("o/effects.md").read_text(encoding="utf-8")

"""Comparisons and trials give the same numbers on a Dask cluster as here; scripts that would start themselves again are told so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from fitss_abm import Scenario, Trial, compare
from fitss_abm.cli import app

USUAL = Scenario(name="usual", people=400, years=0.5, seed=3)
HELPED = USUAL.replace(name="befriending", programmes=[{"kind": "befriending", "target": {"isolated": 0.3}}])
TRIAL = Trial(
    name="drug", treatment={"kind": "snri"}, control="placebo", weeks=4, eligible={"pain": {"from": 3}}, least_pain=3.0,
    dropout=0.2, error_sd=1.0, scenario={"people": 600, "seed": 2},
)  # fmt: skip


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        local_directory=tmp_path_factory.mktemp("dask"),
        silence_logs="CRITICAL",
    ) as made:
        yield made.scheduler_address


def test_a_comparison_is_the_same_on_a_cluster(cluster: str) -> None:
    here = compare(USUAL, [HELPED], replicates=3, workers=0)
    there = compare(USUAL, [HELPED], replicates=3, cluster=cluster)
    assert (here.effects["value"].abs() > 0).any()
    pd.testing.assert_frame_equal(here.effects, there.effects, check_exact=True)
    pd.testing.assert_frame_equal(here.people_effects, there.people_effects, check_exact=True)
    pd.testing.assert_frame_equal(here.programmes, there.programmes, check_exact=True)


def test_trials_are_the_same_on_a_cluster(cluster: str) -> None:
    here = TRIAL.run(replicates=2, workers=0)
    there = TRIAL.run(replicates=2, cluster=cluster)
    assert here.table["estimate"].notna().any()
    pd.testing.assert_frame_equal(here.table, there.table, check_exact=True)
    pd.testing.assert_frame_equal(here.about, there.about, check_exact=True)


def test_the_command_compares_on_a_cluster(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("help.toml").write_text(HELPED.replace(people=200).to_toml(), encoding="utf-8")
    common = ["compare", "help.toml", "--replicates", "2", "--quiet"]
    for where in (["--out", "there", "--cluster", cluster], ["--out", "here", "--workers", "0"]):
        done = CliRunner().invoke(app, [*common, *where])
        assert done.exit_code == 0, done.output
    assert Path("there/effects.csv").read_bytes() == Path("here/effects.csv").read_bytes()


def test_trial_run_is_once_or_many_times_or_by_size() -> None:
    once = TRIAL.run()
    assert once.people is not None
    assert set(once.table["replicate"]) == {0}
    sized = TRIAL.run(sizes=[20, 10], replicates=2, workers=0)
    assert sorted(sized.power()["size"].unique()) == [10, 20]
    assert (sized.power()["trials"] == 2).all()


SCRIPT = """from fitss_abm import Scenario, compare
usual = Scenario(people=100, years=0.1)
compare(usual, [usual.replace(name="other", seed=2)], replicates=2, workers=2)
"""


def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode != 0
    assert 'if __name__ == "__main__"' in ended.stderr.splitlines()[-1]

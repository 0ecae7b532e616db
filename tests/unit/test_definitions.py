"""Several definitions in the same people: tables from counts by hand, words, figures, and a small run from end to end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.presentation.definitions_page import definition_words, definitions_page
from fitss_abm.presentation.definitions_plot import draw_definitions
from fitss_abm.study.definitions import assembled, scenarios
from fitss_abm.study.definitions_runs import DEFINITIONS, judged
from fitss_abm.study.intervals import wilson
from fitss_abm.study.scenario import Scenario

CASES = {
    ("acr_1990", "truth"): (36, 4),
    ("modified_2010", "truth"): (40, 20),
    ("acr_2016", "truth"): (38, 19),
    ("diagnosed", "truth"): (24, 4),
    ("diagnosed", "clinic"): (18, 2),
}
BASE = Scenario(name="by hand", people=4000)


def sums(**other: Any) -> dict[str, Any]:
    """What a run of 2000 women and 2000 men might find; overlaps as if the smaller set lay within the larger."""
    sizes = [sum(pair) for pair in CASES.values()]
    return {
        "adults": [2000, 2000],
        "cases": [[*key, *pair] for key, pair in CASES.items()],
        "both": [[min(a, b) for b in sizes] for a in sizes],
        "steps": [[40, 20], [30, 10], [20, 4], [13, 2]],
        "waited": [1.0, 2.0, 3.0, 4.0, 5.0],
    } | other


def test_counts_of_runs_are_added_and_tell_prevalence_ratio_and_share() -> None:
    found = assembled([sums(), sums()], BASE)
    row = found.row("acr_1990", "truth")
    assert row is not None
    assert (row["women"], row["men"], row["adults"]) == (72, 8, 8000)
    value, low, high = (100 * float(x) for x in wilson(80, 8000))
    assert (row["prevalence"], row["low"], row["high"]) == pytest.approx((value, low, high))
    assert row["ratio"] == pytest.approx(9.0)
    spread = np.exp(1.959964 * np.sqrt(1 / 72 + 1 / 8 - 2 / 4000))
    assert (row["ratio_low"], row["ratio_high"]) == pytest.approx((9 / spread, 9 * spread), rel=1e-6)
    assert row["share"] == pytest.approx(90.0)
    assert found.row("acr_1990", "clinic") is None


def test_intervals_are_as_wide_as_runs_differ() -> None:
    alike = assembled([sums()] * 6, BASE).row("acr_1990", "truth")
    moved = {"cases": [["acr_1990", "truth", 76, 4], *sums()["cases"][1:]]}
    unlike = assembled([sums(), sums(**moved)] * 3, BASE).row("acr_1990", "truth")
    assert alike is not None
    assert unlike is not None
    assert unlike["high"] - unlike["low"] > 1.5 * (alike["high"] - alike["low"])


def test_overlap_is_a_share_of_the_first() -> None:
    overlap = assembled([sums()], BASE).overlap.set_index(["definition", "seen_as", "other", "other_seen_as"])
    assert overlap.loc[("modified_2010", "truth", "acr_1990", "truth"), "share"] == pytest.approx(100 * 40 / 60)
    assert overlap.loc[("acr_1990", "truth", "modified_2010", "truth"), "share"] == pytest.approx(100.0)
    assert len(overlap) == len(CASES) * (len(CASES) - 1)


def test_published_ranges_stand_beside_what_their_sources_saw() -> None:
    published = assembled([sums()], BASE).published.set_index("id")
    clinic = published.loc["fm_female_share_clinic"]
    assert (clinic["seen_as"], clinic["origin"], clinic["measure"]) == ("clinic", "informed", "share")
    assert clinic["simulated"] == pytest.approx(90.0)
    assert bool(clinic["within"])
    assert published.loc["fm_prev_2016_gps", "origin"] == "fitted"
    assert not bool(published.loc["fm_prev_mod2010", "within"])  # 1.5 % beside 4.7 to 6.1


def test_words_come_first(tmp_path: Path) -> None:
    found = assembled([sums(), sums()], BASE)
    words = " ".join(definition_words(found))
    for said in (
        "The same 8,000 adults", "1.00", "by ACR 1990", "Women to a man: 9.00", "25.0", "one in 4.0",
        "for 3.0 years or more before (quartiles 2.0 and 4.0)", "are cases by ACR 2016",
    ):  # fmt: skip
        assert said in words, said
    page = definitions_page(found, drawn=("definitions.png",))
    assert page.index("one in 4.0") < page.index("| definition |")
    assert "| meets criteria | 80 | 40 | 100 | 66.7 (" in page
    assert "fitted" in page
    for name in draw_definitions(found, tmp_path):
        assert (tmp_path / name).stat().st_size > 10_000


def test_nothing_found_is_said_without_a_number(tmp_path: Path) -> None:
    none = sums(
        cases=[[*key, 0, 0] for key in CASES], both=np.zeros((5, 5), dtype=int).tolist(), steps=[[0, 0]] * 4, waited=[]
    )
    found = assembled([none], BASE)
    assert "years or more before" not in " ".join(definition_words(found))
    assert "–" in definitions_page(found)
    draw_definitions(found, tmp_path)


def test_runs_differ_in_people_or_in_draws() -> None:
    assert [each.replicate for each in scenarios(BASE, replicates=3)] == [0, 1, 2]
    drawn = scenarios(BASE, draws=4)
    assert len({each.draw for each in drawn}) == 4
    with pytest.raises(InputError, match="replicates = 0"):
        scenarios(BASE, replicates=0)


def test_a_run_judges_all_adults_by_every_definition() -> None:
    small = Scenario(name="small", people=3000, years=0.05)
    found = judged(scenario=small.to_toml())
    keys = [(one, seen_as) for one, seen_as, *_ in found["cases"]]
    assert {one for one, _ in keys} == {each.id for each in DEFINITIONS}
    assert ("diagnosed", "clinic") in keys
    assert ("ibs_rome_3", "survey") in keys
    assert ("ibs_rome_3", "truth") not in keys
    both = np.array(found["both"])
    assert np.array_equal(both, both.T)
    for k, (*_, women, men) in enumerate(found["cases"]):
        assert both[k, k] == women + men
        assert (both[k] <= both[k, k]).all()
    at = {key: k for k, key in enumerate(keys)}
    widespread = at["widespread_pain", "truth"]
    assert both[at["acr_1990", "truth"], widespread] > 0.9 * both[at["acr_1990", "truth"], at["acr_1990", "truth"]]
    assert both[at["ibs_rome_4", "survey"], at["ibs_rome_3", "survey"]] == both[at["ibs_rome_4", "survey"]].max()
    women, men = np.array(found["steps"]).T
    assert (np.diff(women) <= 0).all()
    assert (np.diff(men) <= 0).all()
    assert found == judged(scenario=small.to_toml())


def test_the_command_writes_page_tables_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["definitions", "--people", "500", "--years", "0.02", "--replicates", "1", "--out", "mine"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "Prevalence and sex ratio" in done.stdout
    names = {path.name for path in (tmp_path / "mine").iterdir()}
    assert {
        "definitions.md",
        "definitions.parquet",
        "definitions.png",
        "population_to_clinic.png",
        "overlap.csv",
    } <= names
    again = CliRunner().invoke(app, asked)
    assert again.exit_code == 2
    assert "exists already" in again.stderr


def test_the_command_tells_all_faults_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.toml").write_text('seen_as = ["clinc"]\n', encoding="utf-8")
    done = CliRunner().invoke(
        app, ["definitions", "file.toml", "--people", "3k", "--workers", "-1", "--replicates", "0"]
    )
    assert done.exit_code == 2
    for said in ("seen_as", "Did you mean 'clinic'", "people = '3k'", "workers = -1", "replicates = 0"):
        assert said in done.stderr, said
    assert not (tmp_path / "runs").exists()


def test_a_run_that_is_seen_by_a_mistyped_name_ends_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["run", "--seen-as", "clinc", "--people", "100"])
    assert done.exit_code == 2
    assert "Did you mean 'clinic'" in done.stderr
    assert not (tmp_path / "runs").exists()

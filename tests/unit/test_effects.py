"""Estimators of effects by hand, extending scenario files, grids of scenarios: each with numbers that can be reckoned on paper."""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fitss_abm import InputError, Scenario
from fitss_abm.study.effects import (
    Estimate,
    advice,
    group_mean_of,
    jackknife_of,
    log_ratio_of,
    mean_of,
    needed_to_treat,
    ratio_of,
    student,
)
from fitss_abm.study.numbers import ensemble
from fitss_abm.study.what_if import check, jobs_of, without_intervention
from fitss_abm.study.what_if_run import paired, stops

T3 = 3.182446305284263  # Student's t with 3 degrees of freedom, two-sided 95 %


def test_a_mean_has_students_interval() -> None:
    made = mean_of([1.0, 2.0, 3.0, 6.0])
    sd = math.sqrt((4 + 1 + 0 + 9) / 3)
    assert made.value == 3.0
    assert made.monte_carlo_error == pytest.approx(sd / 2)
    assert made.high - made.value == pytest.approx(T3 * sd / 2)


def test_draws_widen_the_interval_and_not_the_monte_carlo_error() -> None:
    luck, drawn = mean_of([1.0, 2.0, 3.0, 6.0]), mean_of([1.0, 2.0, 3.0, 6.0], drawn=True)
    assert drawn.monte_carlo_error == luck.monte_carlo_error
    assert (drawn.high - drawn.value) / (luck.high - luck.value) == pytest.approx(math.sqrt(5))


def test_a_single_run_has_no_interval() -> None:
    made = mean_of([4.0])
    assert made.value == 4.0
    assert math.isnan(made.low)
    assert not made.sure


def test_fieller_without_noise_below_is_the_plain_interval() -> None:
    made, plain = ratio_of([2.0, 4.0, 6.0], [2.0, 2.0, 2.0]), mean_of([1.0, 2.0, 3.0])
    assert (made.value, made.low, made.high) == pytest.approx((plain.value, plain.low, plain.high))
    assert made.monte_carlo_error == pytest.approx(plain.monte_carlo_error)


def test_a_ratio_to_what_may_be_nothing_has_no_bounds() -> None:
    made = ratio_of([10.0, 11.0, 9.0], [1.0, -1.0, 0.5])
    assert (made.low, made.high) == (-math.inf, math.inf)
    assert made.value == pytest.approx(10 / (0.5 / 3))


def test_ratios_that_are_always_the_same_are_certain() -> None:
    made = log_ratio_of([2.0, 4.0, 8.0], [1.0, 2.0, 4.0])
    assert (made.value, made.low, made.high) == pytest.approx((2.0, 2.0, 2.0))
    grouped = group_mean_of([2.0, 4.0, 8.0], [1.0, 2.0, 4.0])
    assert (grouped.value, grouped.monte_carlo_error) == pytest.approx((2.0, 0.0))


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = [1.0, 2.0, 3.0, 6.0]
    assert jackknife_of(lambda mean: mean, values).monte_carlo_error == pytest.approx(mean_of(values).monte_carlo_error)


def test_number_needed_to_treat_is_people_over_cases_and_turns_its_interval_round() -> None:
    made, fewer = needed_to_treat([100.0] * 4, [4.0, 5.0, 5.0, 6.0]), mean_of([4.0, 5.0, 5.0, 6.0])
    assert made.value == pytest.approx(20.0)
    assert (made.low, made.high) == pytest.approx((100 / fewer.high, 100 / fewer.low))


def test_number_needed_to_treat_is_not_told_where_nothing_may_be_gained() -> None:
    gains = [-3.0, 4.0, 1.0, 0.0]
    made, fewer = needed_to_treat([100.0] * 4, gains), mean_of(gains)
    assert math.isnan(made.value)
    assert (made.low, made.high) == pytest.approx((100 / fewer.low, 100 / fewer.high))
    assert made.low < 0 < made.high
    never = needed_to_treat([100.0] * 4, [0.0] * 4)
    assert math.isnan(never.value)
    assert never.high == math.inf


def test_harm_is_a_number_below_zero() -> None:
    assert needed_to_treat([100.0] * 4, [-4.0, -5.0, -5.0, -6.0]).value == pytest.approx(-20.0)


@pytest.mark.parametrize("half_width", [0.2, 0.5, 1.0, 3.0])
def test_advice_is_the_fewest_runs_that_reach_the_width(half_width: float) -> None:
    made = mean_of([1.0, 2.0, 3.0, 6.0])
    sd = made.monte_carlo_error * 2
    runs = advice(made, half_width)
    assert runs is not None
    assert student(runs) * sd / math.sqrt(runs) <= half_width
    assert runs == 2 or student(runs - 1) * sd / math.sqrt(runs - 1) > half_width


def test_advice_needs_two_runs_and_a_width() -> None:
    assert advice(Estimate(1.0, math.nan, math.nan, math.nan, 1), 0.5) is None
    with pytest.raises(ValueError, match="half_width"):
        advice(mean_of([1.0, 2.0]), 0.0)


# Scenario files that extend others


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_file_extends_another_key_by_key_and_programmes_by_name(tmp_path: Path) -> None:
    written(
        tmp_path,
        usual='name = "usual"\npeople = 300\nseed = 4\n[parameters]\nsupport_weight = 0.3\nhelping_cost = 0.1\n'
        '[[programmes]]\nkind = "befriending"\ncoverage = 0.5\nuptake = 0.4\n'
        "[[changes]]\ndate = 2026-01-01\nparameters = { hassle_rate = 0.6 }\n",
        more='extends = "usual.toml"\npeople = 400\n[parameters]\nhelping_cost = 0.2\n'
        '[[programmes]]\nkind = "befriending"\nuptake = 0.9\n'
        '[[programmes]]\nkind = "cbt"\n[[changes]]\ndate = 2025-06-01\nparameters = { hassle_rate = 0.7 }\n',
    )
    made = Scenario.read(tmp_path / "more.toml")
    assert (made.name, made.people, made.seed) == ("more", 400, 4)
    assert made.parameters == {"support_weight": 0.3, "helping_cost": 0.2}
    assert made.programmes == ({"kind": "befriending", "coverage": 0.5, "uptake": 0.9}, {"kind": "cbt"})
    assert [str(change["date"]) for change in made.changes] == ["2025-06-01", "2026-01-01"]
    assert made.differences(Scenario.read(tmp_path / "usual.toml")).keys() == {
        "name",
        "people",
        "parameters",
        "changes",
        "programmes",
    }


def test_paths_of_an_extended_file_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", base='people = 2\n[network]\nedges = "ties.csv"\n')
    (tmp_path / "inner" / "ties.csv").write_text("source,target\n0,1\n", encoding="utf-8")
    written(tmp_path, top='extends = "inner/base.toml"\n')
    assert Scenario.read(tmp_path / "top.toml").network["edges"] == str(tmp_path / "inner" / "ties.csv")


def test_what_cannot_be_extended_is_told_with_the_file(tmp_path: Path) -> None:
    written(
        tmp_path,
        a='extends = "b.toml"\n',
        b='extends = "a.toml"\n',
        c='extends = "gone.toml"\n',
        d="extends = 3\n",
        e='extends = "f.toml"\n',
        f="people = \n",
    )
    with pytest.raises(InputError, match=r"b\.toml.*extends.*comes round to itself \(a\.toml -> b\.toml -> a\.toml\)"):
        Scenario.read(tmp_path / "a.toml")
    with pytest.raises(InputError, match=r"c\.toml.*gone\.toml.*no such file"):
        Scenario.read(tmp_path / "c.toml")
    with pytest.raises(InputError, match="must be the path of another scenario"):
        Scenario.read(tmp_path / "d.toml")
    with pytest.raises(InputError, match=r"f\.toml: line 1.*is not TOML"):
        Scenario.read(tmp_path / "e.toml")


# Grids and designs


def test_vary_makes_every_combination_and_names_say_what_varies() -> None:
    base = Scenario(name="base", programmes=[{"kind": "cbt", "name": "talk 1.5"}])
    made = base.vary(**{"programmes.talk 1.5.coverage": [0.1, 0.2], "parameters.support_weight": [0.3], "seed": [1, 2]})
    assert [one.name for one in made] == [
        f"base, coverage={c}, support_weight=0.3, seed={s}" for c in (0.1, 0.2) for s in (1, 2)
    ]
    assert [one.programmes[0]["coverage"] for one in made] == [0.1, 0.1, 0.2, 0.2]
    assert {one.parameters["support_weight"] for one in made} == {0.3}


def test_vary_tells_every_fault_with_the_nearest_name() -> None:
    base = Scenario(programmes=[{"kind": "cbt"}])
    with pytest.raises(InputError) as caught:
        base.vary(**{"programmes.cbd.coverage": [0.1], "parameters.suport_weight": [1], "peopel": [3]})
    told = str(caught.value)
    for words in ("Did you mean 'cbt'", "Did you mean 'support_weight'", "Did you mean 'people'"):
        assert words in told


def test_a_design_is_a_data_frame_with_a_row_a_scenario() -> None:
    frame = pd.DataFrame({"name": ["x", "y"], "people": [10, 20], "parameters.support_weight": [0.2, np.nan]})
    x, y = Scenario(seed=3).design(frame)
    assert (x.name, x.people, x.parameters) == ("x", 10, {"support_weight": 0.2})
    assert (y.name, y.people, y.parameters, y.seed) == ("y", 20, {}, 3)


# Plans


def test_what_cannot_be_compared_is_told_at_once() -> None:
    base = Scenario()
    with pytest.raises(InputError) as caught:
        check([base, base.replace(years=3.0), base.replace(name="b", draw=1)], replicates=0, draws=5, discount=2.0)
    told = str(caught.value)
    for words in (
        "two arms have this name",
        "must be the baseline's, 10",
        "replicates = 0",
        "is one draw",
        "discount = 2",
    ):
        assert words in told


def test_a_run_is_the_same_whatever_else_runs() -> None:
    arms = [Scenario(), Scenario(name="b", people=5)]
    few, many = (jobs_of(arms, replicates=r, draws=d, discount=0.03) for r, d in ((2, 3), (4, 6)))
    by_key = {job.key: dict(job.arguments) for job in many}
    assert all(by_key[job.key] == dict(job.arguments) for job in few)
    assert len({job.arguments["replicate"] for job in many}) == 24


def test_arms_of_other_people_are_not_paired() -> None:
    base = Scenario()
    assert paired(base, base.replace(name="b", parameters={"support_weight": 0.1}))
    for other in ({"people": 5}, {"seed": 2}, {"location": "Japan"}, {"seeds": {"life": 3}}):
        assert not paired(base, base.replace(**other))


def test_without_an_intervention_the_rest_stays() -> None:
    one = Scenario(programmes=[{"kind": "cbt"}], parameters={"support_weight": 0.1})
    assert without_intervention(one).differences(one) == {"name": "usual", "programmes": ()}


@pytest.mark.parametrize("days", [1, 40, 365, 1826, 3652, 10957])
def test_stops_hold_the_first_and_the_last_day(days: int) -> None:
    looked, kept = stops(days)
    assert looked[0] == kept[0] == 0
    assert looked[-1] == kept[-1] == days
    assert set(kept) <= set(looked)
    assert max(np.diff(looked), default=0) <= 92 or days < 92


def test_a_change_may_say_how_many_times_the_usual() -> None:
    dates = [datetime.date(2026, 1, 1), datetime.date(2027, 1, 1)]
    twice = [{"date": day, "times": {"hassle_rate": by}} for day, by in zip(dates, (2.0, 1.0), strict=True)]
    one = Scenario(parameters={"hassle_rate": 0.4}, changes=twice)
    assert [change.parameters["hassle_rate"] for change in one.dated_changes()] == pytest.approx([0.8, 0.4])
    drawn = Scenario(draw=3, changes=[{"date": dates[0], "times": {"support_weight": 0.5}}])
    usual = ensemble()[3]["support_weight"]
    assert drawn.dated_changes()[0].parameters["support_weight"] == pytest.approx(usual / 2)
    with pytest.raises(InputError, match=r"changes\[0\]\.times\.hassle_rate"):
        Scenario(changes=[{"date": dates[0], "times": {"hassle_rate": 100.0}}])
    with pytest.raises(InputError, match="must be a table of parameters"):
        Scenario(changes=[{"date": dates[0]}])

"""Virtual trials: who is randomised to what, the truth beside the estimate, drop-out, error, analysis by hand, bad input."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Simulation
from fitss_abm.study import trial_design as design
from fitss_abm.study.arms import Arms
from fitss_abm.study.trial import Trial
from fitss_abm.study.trial_analysis import analyse, ancova, clustered, risk_difference
from fitss_abm.study.trial_run import Happened, enrol, run_trial
from fitss_abm.study.trial_runs import Trials, power, replicated

PEOPLE = 1500
SIMPLE: dict[str, Any] = {
    "scenario": {"people": PEOPLE, "threads": 1}, "eligible": {"age": {"from": 18}}, "least_pain": 2.0, "weeks": 6,
    "treatment": {"kind": "tramadol", "sizes": {"central_gain": -4.0}, "adherence": 1.0, "dropout_per_year": 0.0},
}  # fmt: skip
NOTHING = {"treatment": {"kind": "strong_opioid"}}


def of(**changed: Any) -> Trial:
    return Trial(**(SIMPLE | changed))


@pytest.fixture(scope="module")
def world() -> Simulation:
    simulation = of().world().simulation()
    simulation.prepare()
    return simulation


@pytest.fixture(scope="module")
def arms(world: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Arms:
    return Arms(world, tmp_path_factory.mktemp("state"))


def happened(arms: Arms, trial: Trial, *, truth: bool = True) -> Happened:
    (found,) = run_trial(trial, arms.begin(), truth=truth)
    return found


def primary(found: Happened) -> pd.DataFrame:
    return analyse(found).drop_duplicates("outcome").set_index("outcome")


# Randomisation


def test_arms_are_balanced_and_hang_on_nobody_else(arms: Arms) -> None:
    everybody = enrol(of(), arms)
    many = everybody.slots.size
    assert many > 150
    assert abs(everybody.treated.mean() - 0.5) < 4 * 0.5 / math.sqrt(many)
    for values in (everybody.true, arms.simulation.population["age"][everybody.slots]):
        one, two = values[everybody.treated], values[~everybody.treated]
        assert abs(one.mean() - two.mean()) < 4 * values.std() / math.sqrt(many / 4)
    few = enrol(of(wanted=40), arms)
    assert few.slots.size == 40
    assert few.slots.max() > 3 * PEOPLE // 4, "enrolled by luck, not in order"
    assert np.array_equal(few.step, everybody.step[np.isin(everybody.slots, few.slots)])
    assert not np.array_equal(enrol(of(name="another"), arms).step, everybody.step)


def test_luck_is_that_of_the_person_in_whatever_order(world: Simulation) -> None:
    persons = np.array([5, 900, 17]) * 65536
    luck = design.uniforms(world, Stream.DELIVERY, "arm", persons)
    assert np.array_equal(design.uniforms(world, Stream.DELIVERY, "arm", persons[::-1]), luck[::-1])
    many = design.uniforms(world, Stream.DELIVERY, "arm", np.arange(PEOPLE) * 65536)
    assert abs(many.mean() - 0.5) < 4 * math.sqrt(1 / 12 / PEOPLE)


@pytest.mark.parametrize("clusters", design.CLUSTERS)
def test_whole_clusters_are_randomised(arms: Arms, clusters: str) -> None:
    found = enrol(of(design="cluster", clusters=clusters, cluster_people=50), arms)
    steps = pd.DataFrame({"cluster": found.cluster, "step": found.step}).groupby("cluster")["step"]
    assert (steps.nunique() == 1).all()
    assert (steps.first() == 0).sum() == steps.ngroups // 2
    if clusters == "neighbours":
        assert np.array_equal(np.unique(found.slots // 50, return_inverse=True)[1], found.cluster)
        alone = enrol(of(), arms)
        assert found.crossing < alone.crossing, "fewer ties join the arms than among people randomised one by one"


def test_clusters_cross_over_in_turn_and_stay(arms: Arms) -> None:
    trial = of(design="stepped_wedge", cluster_people=50, steps=3, weeks=2)
    table = happened(arms, trial, truth=False).table
    assert sorted(table["week"].unique()) == [2, 4, 6, 8]
    per_cluster = table.drop_duplicates("cluster")["step"].value_counts()
    assert set(per_cluster.index) == {1, 2, 3}
    assert per_cluster.max() - per_cluster.min() <= 1
    assert (table["treated"] == (table["period"] >= table["step"])).all()
    assert (table.groupby(["cluster", "period"])["treated"].nunique() == 1).all()


# Truth and estimate


@pytest.mark.parametrize("how", ["individual", "cluster", "stepped_wedge", "waiting_list"])
def test_what_does_nothing_has_a_truth_of_0(arms: Arms, how: str) -> None:
    found = primary(happened(arms, of(design=how, cluster_people=50, steps=2, **NOTHING)))
    assert (found.loc[["pain", "smd", "half"], ["truth", "contamination", "own"]] == 0).all(axis=None)
    row = found.loc["pain"]
    assert row["low"] - 0.5 * (row["high"] - row["low"]) < 0 < row["high"] + 0.5 * (row["high"] - row["low"])


def test_a_strong_effect_is_recovered(arms: Arms) -> None:
    for how in ("individual", "cluster"):
        found = primary(happened(arms, of(design=how, cluster_people=50)))
        pain, half = found.loc["pain"], found.loc["half"]
        assert pain["truth"] < -1
        assert pain["low"] < pain["truth"] < pain["high"] < 0
        assert half["low"] < half["truth"] < half["high"]
        assert pain["p"] < 0.01


def test_what_acts_through_ties_reaches_the_untreated(arms: Arms) -> None:
    support = {"kind": "partner_support_training", "sizes": {"giving": 5.0}, "adherence": 1.0, "onset_weeks": 0}
    one, many = (
        primary(happened(arms, of(design=how, treatment=support, cluster_people=50, weeks=20))).loc["pain"]
        for how in ("individual", "cluster")
    )
    assert one["contamination"] != 0
    assert one["truth"] < 0
    assert one["contamination"] < 0, "they are helped too"
    assert abs(many["contamination"]) < abs(one["contamination"]), "less where whole blocks of neighbours are treated"


def test_those_who_wait_are_treated_after_the_primary_visit(arms: Arms) -> None:
    table = happened(arms, of(design="waiting_list", follow_up=6)).table
    waits = table[~table["treated"] & table["alive"]]
    less = (waits["pain_true"] - waits["pain_none"]).groupby(waits["week"]).mean()
    assert abs(less[6]) < 0.01
    assert less[12] < -0.5


# Drop-out and instruments


def test_drop_out_is_of_its_size_and_apart_from_treatment(arms: Arms) -> None:
    whole, some = (happened(arms, of(dropout=share, follow_up=6), truth=False).table for share in (0.0, 0.3))
    assert whole["seen"].equals(whole["alive"])
    assert np.array_equal(whole["pain_true"], some["pain_true"], equal_nan=True)
    for week, expected in ((6, 0.3), (12, 1 - 0.7**2)):
        now = some[(some["week"] == week) & some["alive"]]
        assert abs((~now["seen"]).mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / len(now))
    first, last = (some[some["week"] == week]["seen"].to_numpy() for week in (6, 12))
    assert not (last & ~first).any(), "who is lost stays lost"


def test_drop_out_can_hang_on_pain_at_baseline() -> None:
    luck, pain = np.random.default_rng(1).random(20_000), np.repeat([3.0, 7.0], 10_000)
    gone = design.lost(luck, 0.2, 0.5, pain, 1.0)
    odds = [gone[pain == level].mean() / (1 - gone[pain == level].mean()) for level in (3.0, 7.0)]
    assert odds[1] / odds[0] == pytest.approx(math.exp(2), rel=0.1)


def test_an_instrument_errs_as_much_as_it_says() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(5, 1, 40_000)
    one, two = (design.rated(true, rng.random(true.size), design.error_of(0.8, 1.0)) for _ in range(2))
    assert np.corrcoef(one, two)[0, 1] == pytest.approx(0.8, abs=0.02)
    assert (one - true).std() == pytest.approx(0.5, rel=0.02)
    assert design.rated(np.array([9.9]), np.array([0.99]), 2.0)[0] == 10


def test_measured_pain_errs_and_lets_in_other_people(arms: Arms) -> None:
    exact, noisy = enrol(of(), arms), enrol(of(reliability=0.7), arms)
    assert np.array_equal(exact.baseline, exact.true)
    assert exact.true.min() >= 2
    assert noisy.true.min() < 2 <= noisy.baseline.min(), "who is let in was measured"
    assert noisy.error > 0.5
    assert noisy.baseline.mean() > noisy.true.mean(), "which is regression to the mean to come"


# Analysis by hand


def test_analysis_of_covariance_by_hand() -> None:
    baseline = np.array([4.0, 5, 6, 7, 4, 5, 6, 7])
    treated = np.repeat([True, False], 4)
    after = 1 + 0.5 * baseline - 2.0 * treated + np.tile([0.1, -0.1, -0.1, 0.1], 2)
    found = ancova(after, treated, baseline)
    assert found.value == pytest.approx(-2)
    error = math.sqrt(
        2 * 4 * 0.01 / (4 * 3)
    )  # of a difference of means, HC2; baseline is balanced and explains nothing more
    assert found.high - found.value == pytest.approx(2.571 * error, rel=0.25)
    assert found.p < 0.001


def test_risk_difference_by_hand() -> None:
    treated = np.repeat([True, False], 50)
    cases = np.concatenate([np.arange(50) < 20, np.arange(50) < 10]).astype(float)
    found = risk_difference(cases, treated)
    assert found.value == pytest.approx(0.2)
    wald = 1.96 * math.sqrt(0.4 * 0.6 / 50 + 0.2 * 0.8 / 50)
    assert (found.low, found.high) == (pytest.approx(0.2 - wald, abs=0.02), pytest.approx(0.2 + wald, abs=0.02))
    pooled = 0.3 * 0.7 * 2 / 50
    assert found.p == pytest.approx(math.erfc(0.2 / math.sqrt(pooled) / math.sqrt(2)), abs=0.005)
    none = risk_difference(np.zeros(100), treated)
    assert (none.value, none.p) == (0, 1)
    assert none.low < 0 < none.high


def test_clusters_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(20), 15)
    treated = cluster % 2 == 0
    values = rng.normal(0, 1, 20)[cluster] + rng.normal(0, 1, 300) - 1.5 * treated
    found = clustered(values, treated, cluster, np.zeros((300, 0)))
    means = np.array([values[cluster == k].mean() for k in range(20)])
    by_cluster = means[::2].mean() - means[1::2].mean()
    error = math.sqrt(means[::2].var(ddof=1) / 10 + means[1::2].var(ddof=1) / 10)
    assert found.value == pytest.approx(by_cluster)  # clusters are of one size
    assert found.high - found.value == pytest.approx(2.101 * error, rel=0.1)
    alone = ancova(values, treated, rng.normal(0, 1, 300))
    assert found.high - found.low > 2 * (alone.high - alone.low), "15 people of a cluster are not 15 people"


def test_the_last_value_seen_stands_in_for_what_is_lost(arms: Arms) -> None:
    trial = of(dropout=0.4, missing="carried_forward")
    whole, seen = (primary(happened(arms, t)).loc["pain"] for t in (trial, trial.replace(missing="complete")))
    assert whole["treated"] + whole["untreated"] > seen["treated"] + seen["untreated"]
    assert abs(whole["estimate"]) < abs(seen["estimate"]), "who is lost counts as unchanged"


# Many trials


def test_power_rises_with_size_where_the_effect_is_strong() -> None:
    found = power(of(), [8, 100], 4, workers=0)
    table = found.power().set_index(["size", "outcome"])
    assert table.loc[(100, "pain"), "power"] == 1
    assert table.loc[(8, "pain"), "power"] <= table.loc[(100, "pain"), "power"]
    assert table.loc[(100, "pain"), "low"] == pytest.approx(4 / (4 + 1.96**2), rel=1e-3), "Wilson"
    assert (found.about["participants"] == found.about["size"]).all()


def test_replicates_have_people_of_their_own_and_a_bias() -> None:
    found = replicated(of(wanted=60, **NOTHING), 2, workers=0)
    assert isinstance(found, Trials)
    row = found.summary().set_index("outcome").loc["pain"]
    pain = found.table[found.table["outcome"] == "pain"]
    assert row["bias"] == pytest.approx(pain["estimate"].mean())
    assert (row["truth"], row["trials"]) == (0, 2)
    assert pain["estimate"].nunique() == 2


# Bad input


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"treatment": {"kind": "tramadoll"}}, ["treatment.kind", "tramadol"]),
        ({"control": "placbo"}, ["control", "placebo"]),
        ({"wanted": -3}, ["wanted"]),
        ({"weeks": 0, "dropout": 1.5}, ["weeks", "dropout"]),
        ({"eligible": {"holds": "fibromyalgiaa"}}, ["eligible", "fibromyalgia"]),
        ({"scenario": {"poeple": 3}}, ["scenario.poeple", "people"]),
        ({"scenario": {"programmes": []}}, ["scenario.programmes"]),
        ({"reliability": 0.8, "error_sd": 1.0}, ["either"]),
        ({"treatment": {"kind": "adversity_prevention"}}, ["still to come"]),
        ({"treatment": {"kind": "snri", "target": "all"}}, ["treatment.target"]),
        ({"desing": "cluster"}, ["desing", "design", "trial"]),
    ],
)
def test_what_is_wrong_is_told_at_once(values: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(InputError) as error:
        of(**values)
    for word in words:
        assert word in str(error.value)


def test_too_few_people_or_clusters_are_counted(arms: Arms) -> None:
    there = enrol(of(), arms).slots.size
    with pytest.raises(InputError, match=rf"of 1,500 people {there} are eligible and {there} of them consent"):
        enrol(of(wanted=1000), arms)
    with pytest.raises(InputError, match="give 2 clusters"):
        enrol(of(design="cluster", cluster_people=800), arms)


def test_the_command_end_to_end(tmp_path: Path) -> None:
    file, out = tmp_path / "mine.toml", tmp_path / "o"
    file.write_text(of(wanted=50).replace(name="mine").to_toml())
    done = CliRunner().invoke(app, ["trial", str(file), "--out", str(out)])
    assert done.exit_code == 0, done.output
    for word in ("mine: tramadol against usual care", "50 took part", "the truth is", "contamination"):
        assert word in done.stdout
    for name in ("trial.parquet", "trial.csv", "trial.md", "trial.png", "participants.parquet", "provenance.json"):
        assert (out / name).stat().st_size > 0
    assert Trial.read(out / "trial.toml") == Trial.read(file)
    arguments = ["trial", str(file), "--power", "10,40", "--replicates", "2", "--workers", "0", "--people", "1200"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "p")])
    assert done.exit_code == 0, done.output
    assert "of trials of 40 people" in done.stdout
    wrong = CliRunner().invoke(app, ["trial", str(file), "--power", "10,-2", "--replicates", "0", "--out", str(out)])
    assert wrong.exit_code == 2
    for word in ("power", "replicates", "out"):
        assert word in wrong.stderr
    assert CliRunner().invoke(app, ["trial"]).exit_code == 2

"""Rows that are asked: estimators by hand, what a followed cohort says, and where its rows are used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitss_abm.model.demography import load
from fitss_abm.model.simulation import Seeds, Simulation
from fitss_abm.study import estimators, survey_answers
from fitss_abm.study.follow_up import SURVEY, Cohort, seen
from fitss_abm.study.knockout_facts import facts
from fitss_abm.study.validation_instruments import ASKED, SET
from fitss_abm.study.validation_rows import INFORMED, estimands

EVERYBODY = np.ones(400, dtype=bool)


def test_mean_percentile_and_correlation_by_hand() -> None:
    x = np.arange(400.0)
    found = estimators.mean(x, x < 11)
    assert found.value == 5
    assert found.high - found.value == pytest.approx(1.96 * np.sqrt(11 / 11), rel=1e-3), "variance 11 in 11 people"
    assert estimators.percentile(x, EVERYBODY, 75).value == pytest.approx(299.25)
    assert estimators.correlation(x, np.exp(x / 40), EVERYBODY, ranks=True).value == pytest.approx(1.0)
    noisy = x + 400 * np.random.default_rng(1).standard_normal(400)
    found = estimators.correlation(x, noisy, EVERYBODY)
    assert found.value == pytest.approx(np.corrcoef(x, noisy)[0, 1])
    assert np.arctanh(found.high) - np.arctanh(found.value) == pytest.approx(1.96 / np.sqrt(397), rel=1e-3)


def test_variance_within_people_is_pooled_over_them() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((300, 40))
    y = 0.5 * x + rng.standard_normal((300, 40)) + 10 * rng.standard_normal((300, 1))
    x, y = (v - v.mean(axis=1, keepdims=True) for v in (x, y))
    sums = [(x * y).sum(axis=1), (x * x).sum(axis=1), (y * y).sum(axis=1)]
    found = estimators.explained_within(*sums)
    assert found.value == pytest.approx(np.corrcoef(x.ravel(), y.ravel())[0, 1] ** 2)
    assert found.low < 0.2 < found.high
    assert found.high - found.low < 0.05
    not_asked = [np.append(each, np.nan) for each in sums]
    assert estimators.explained_within(*not_asked) == found


def test_an_interaction_is_found_where_it_is() -> None:
    rng = np.random.default_rng(3)
    a, b, noise = rng.standard_normal((3, 4000))
    among = np.ones(4000, dtype=bool)
    there = estimators.interaction(a - b + 0.5 * a * b + noise, a, b, among)
    assert there.value == pytest.approx(0.5 / np.sqrt(3.25), abs=0.04)
    assert there.low < there.value < there.high
    nowhere = estimators.interaction(a - b + noise, 3 * a + 1, b, among)
    assert nowhere.low < 0 < nowhere.high


@pytest.fixture(scope="module")
def asked() -> tuple[Cohort, dict[str, np.ndarray], Simulation]:
    simulation = Simulation(people=6_000, demography=load("Germany"), seeds=Seeds(3))
    simulation.prepare()
    visit = seen(simulation, full=True)
    columns = survey_answers.told(simulation)
    columns |= survey_answers.kept(simulation)
    visit = replace(visit, columns={**visit.columns, **columns})
    return Cohort({SURVEY: visit}, np.zeros(simulation.people, dtype=np.int64)), columns, simulation


def test_every_asked_row_is_estimated(asked: tuple) -> None:
    cohort, _, _ = asked
    for id in ASKED:
        found = estimands()[id].estimator(cohort)
        assert np.isfinite([found.value, found.low, found.high]).all(), id
        assert found.low <= found.value <= found.high, id
    rome3, rome4 = (estimands()[id].estimator(cohort).value for id in ("ibs_prev_rome3", "ibs_prev_rome4_meta"))
    assert 1.5 * rome4 < rome3 < 2.5 * rome4
    assert estimands()["csi_cut"].estimator(cohort).value == pytest.approx(40, abs=1.5), "what the CSI was set from"


def test_some_adults_keep_a_diary_and_nobody_s_life_is_changed(asked: tuple) -> None:
    _, columns, simulation = asked
    keepers = np.isfinite(columns["hassles_affect"])
    assert keepers.sum() == survey_answers.DIARY_PEOPLE
    assert simulation.day == survey_answers.DIARY_DAYS
    inertia = columns["inertia"][np.isfinite(columns["inertia"])]
    assert inertia.size > 0.8 * survey_answers.DIARY_PEOPLE
    assert np.abs(inertia).max() <= 2
    without = Simulation(people=6_000, demography=load("Germany"), seeds=Seeds(3))
    without.prepare()
    without.advance(survey_answers.DIARY_DAYS)
    for name in without.population:
        assert (without.population[name] == simulation.population[name]).all(), name


def test_rulers_set_in_the_whole_theory_judge_no_other(asked: tuple) -> None:
    assert not {row.id for _, row in facts()} & set(ASKED)
    assert set(SET) <= set(INFORMED)

"""Estimates against numbers worked out by hand, and intervals against scipy."""

import datetime
import math
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fitss_abm.measurement.observers import ADULTS_BY_SEX_AND_AGE, AGE_GROUPS, Counts
from fitss_abm.model.conditions import Catalogue, Condition
from fitss_abm.study import estimands
from fitss_abm.study.intervals import bivariate_normal, odds_ratio, poisson_rate, tetrachoric, wilson

RUN = {"scenario": "test", "replicate": 3}
JANUARY, FEBRUARY, NEXT = datetime.date(2025, 1, 1), datetime.date(2025, 2, 1), datetime.date(2026, 1, 1)
YOUNG, OLD = AGE_GROUPS.index("20-24"), AGE_GROUPS.index("70-74")
CATALOGUE = Catalogue([Condition("a", "A"), Condition("b", "B", sex="female"), Condition("c", "C", family=False)])


def cell_counts(**cells: Any) -> Counts:
    """Three dates, the last two pairs of dates a year; 100 young and 50 old women, 80 young and 60 old men."""
    people = np.zeros((3, 2, 15), dtype=np.int64)
    people[:, 0, YOUNG], people[:, 0, OLD], people[:, 1, YOUNG], people[:, 1, OLD] = 100, 50, 80, 60
    eligible = np.repeat(people[..., None], 3, axis=3)
    eligible[:, 1, :, 1] = 0
    arrays = {name: np.zeros_like(eligible) for name in ("cases", "recent", "ever", "first_onsets", "episodes")}
    for name, entries in cells.items():
        for (date, sex, band, condition), number in entries.items():
            arrays[name][date, sex, band, condition] = number
    numbers = np.zeros((3, 2, 15, 33), dtype=np.int64)
    numbers[..., 0] = people
    numbers[:, 0, YOUNG, 0], numbers[:, 0, YOUNG, 2] = 90, 10
    pairs = np.zeros((2, 3, 3, 3), dtype=np.int64)
    pairs[1] = [
        [[0, 150, 0], [150, 0, 0], [0, 0, 0]],
        [[0, 30, 0], [40, 0, 0], [0, 0, 0]],
        [[0, 20, 0], [20, 0, 0], [0, 0, 0]],
    ]
    return Counts(
        strata=ADULTS_BY_SEX_AND_AGE, conditions=CATALOGUE.ids, dates=(JANUARY, FEBRUARY, NEXT), people=people,
        eligible=eligible, numbers=numbers, pair_dates=(JANUARY, NEXT), pairs=pairs, **arrays,
    )  # fmt: skip


def one(frame: pd.DataFrame, **where: Any) -> Any:
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, where
    return frame.iloc[0]


@pytest.mark.parametrize(("cases", "people"), [(0, 10), (3, 10), (10, 10), (1, 1), (17, 90_000)])
def test_wilson_is_scipys(cases: int, people: int) -> None:
    wanted = stats.binomtest(cases, people).proportion_ci(method="wilson")
    assert np.allclose(wilson(cases, people), (cases / people, wanted.low, wanted.high), atol=1e-12)


def test_nobody_has_no_prevalence() -> None:
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize(
    ("events", "low", "high"), [(0, 0.0, 3.688879), (1, 0.0253178, 5.571643), (10, 4.795389, 18.390356)]
)
def test_poisson_interval_is_garwoods(events: int, low: float, high: float) -> None:
    assert np.allclose(poisson_rate(events, 2.0), (events / 2, low / 2, high / 2), rtol=1e-6)


def test_odds_ratio_by_hand() -> None:
    # 20 both, 10 and 20 one only, 100 neither: odds ratio 20 * 100 / (10 * 20) = 10
    ratio, low, high = odds_ratio(20, 30, 40, 150)
    half = 1.959964 * math.sqrt(1 / 20 + 1 / 10 + 1 / 20 + 1 / 100)
    assert np.allclose((ratio, low, high), (10, 10 * math.exp(-half), 10 * math.exp(half)), rtol=1e-6)


def test_an_empty_cell_gets_a_half_and_an_empty_margin_no_ratio() -> None:
    assert odds_ratio(0, 5, 5, 100)[0] == pytest.approx(0.5 * 90.5 / (5.5 * 5.5))
    assert np.isnan(odds_ratio(0, 0, 5, 100)).all()
    assert np.isnan(tetrachoric(5, 100, 5, 100))


@pytest.mark.parametrize("r", [-0.95, -0.3, 0.0, 0.5, 0.99])
@pytest.mark.parametrize(("h", "k"), [(0.0, 0.0), (0.0, 1.0), (-2.0, 0.0), (-1.3, -2.1), (0.7, -0.4), (2.5, 1.5)])
def test_bivariate_normal_is_scipys(h: float, k: float, r: float) -> None:
    wanted = stats.multivariate_normal([0, 0], [[1, r], [r, 1]]).cdf([h, k])
    assert bivariate_normal(h, k, r) == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("r", [-0.6, 0.0, 0.41, 0.9])
def test_tetrachoric_finds_the_correlation_of_simulated_liabilities(r: float) -> None:
    people = 400_000
    x, y = np.random.default_rng(11).multivariate_normal([0, 0], [[1, r], [r, 1]], people).T
    first, second = x > 1.0, y > 0.3
    found = tetrachoric((first & second).sum(), first.sum(), second.sum(), people)
    assert found == pytest.approx(r, abs=0.012)  # four standard errors


def test_all_pairs_at_many_dates_take_little_time() -> None:
    both = np.tile(np.arange(1, 154), 20)
    begin = time.perf_counter()
    assert np.isfinite(tetrachoric(both, 300, 400, 90_000)).all()
    assert time.perf_counter() - begin < 3.0


def test_prevalence_by_hand() -> None:
    cases = {(0, 0, YOUNG, 0): 10, (0, 0, OLD, 0): 20, (0, 1, OLD, 0): 6, (0, 0, YOUNG, 1): 5}
    frame = estimands.prevalence(cell_counts(cases=cases), CATALOGUE, run=RUN)
    assert list(frame.columns) == [
        "scenario", "replicate", "date", "condition", "sex", "age_group", "people", "cases", "prevalence",
        "low", "high",
    ]  # fmt: skip
    day = frame[frame["date"] == pd.Timestamp(JANUARY)]
    assert one(day, condition="a", sex="female", age_group="20-24")[["people", "cases"]].tolist() == [100, 10]
    assert one(day, condition="a", sex="female", age_group="all")[["people", "cases"]].tolist() == [150, 30]
    assert one(day, condition="a", sex="all", age_group="70-74")[["people", "cases"]].tolist() == [110, 26]
    everybody = one(day, condition="a", sex="all", age_group="all")
    assert everybody[["people", "cases"]].tolist() == [290, 36]
    wanted = stats.binomtest(36, 290).proportion_ci(method="wilson")
    assert everybody[["prevalence", "low", "high"]].tolist() == pytest.approx([36 / 290, wanted.low, wanted.high])
    assert frame[["scenario", "replicate"]].drop_duplicates().to_numpy().tolist() == [["test", 3]]


def test_people_are_those_eligible_and_the_other_sex_has_no_rows() -> None:
    frame = estimands.prevalence(cell_counts(), CATALOGUE, run=RUN)
    b = frame[(frame["condition"] == "b") & (frame["date"] == pd.Timestamp(JANUARY))]
    assert set(b["sex"]) == {"female", "all"}
    assert one(b, sex="all", age_group="all")["people"] == 150
    assert np.isnan(one(b, sex="all", age_group="85+")["prevalence"])


def test_period_prevalence_by_hand() -> None:
    counts = cell_counts(ever={(2, 0, YOUNG, 0): 40}, recent={(2, 0, YOUNG, 0): 20})
    frame = estimands.period_prevalence(counts, CATALOGUE, run=RUN)
    for period in ("12 months", "ever"):
        assert set(frame.loc[frame["period"] == period, "date"]) == {pd.Timestamp(JANUARY), pd.Timestamp(NEXT)}
    last = frame[(frame["date"] == pd.Timestamp(NEXT)) & (frame["condition"] == "a") & (frame["sex"] == "all")]
    assert one(last, period="ever", age_group="all")["cases"] == 40
    assert one(last, period="12 months", age_group="all")["cases"] == 20


def test_sex_ratio_crude_and_standardised_by_hand() -> None:
    cases = {(0, 0, YOUNG, 0): 10, (0, 0, OLD, 0): 20, (0, 1, YOUNG, 0): 4, (0, 1, OLD, 0): 12}
    frame = estimands.sex_ratio(cell_counts(cases=cases), CATALOGUE, run=RUN)
    assert set(frame["condition"]) == {"a", "c"}  # b is of women alone
    day = frame[(frame["date"] == pd.Timestamp(JANUARY)) & (frame["condition"] == "a")]
    crude, standardised = one(day, standardised=False), one(day, standardised=True)
    assert crude["ratio"] == pytest.approx((30 / 150) / (16 / 140))
    half = 1.959964 * math.sqrt(1 / 30 - 1 / 150 + 1 / 16 - 1 / 140)
    assert math.log(crude["high"] / crude["ratio"]) == pytest.approx(half, rel=1e-6)
    # weights 180 young, 110 old: women 0.1 and 0.4, men 0.05 and 0.2
    women, men = (180 * 0.1 + 110 * 0.4) / 290, (180 * 0.05 + 110 * 0.2) / 290
    assert standardised[["women", "men", "ratio"]].tolist() == pytest.approx([women, men, women / men])
    w = np.array([180, 110]) / 290
    of_women = (w**2 * np.array([0.1 * 0.9 / 100, 0.4 * 0.6 / 50])).sum() / women**2
    of_men = (w**2 * np.array([0.05 * 0.95 / 80, 0.2 * 0.8 / 60])).sum() / men**2
    assert math.log(standardised["ratio"] / standardised["low"]) == pytest.approx(
        1.959964 * math.sqrt(of_women + of_men), rel=1e-6
    )


def test_the_ratio_stays_standardised_to_the_first_day_when_people_age() -> None:
    counts = cell_counts(
        cases={(2, 0, YOUNG, 0): 10, (2, 0, OLD, 0): 200, (2, 1, YOUNG, 0): 4, (2, 1, OLD, 0): 12},
    )
    counts.eligible[2, :, OLD] *= 10
    frame = estimands.sex_ratio(counts, CATALOGUE, run=RUN)
    row = one(frame, date=pd.Timestamp(NEXT), condition="a", standardised=True)
    assert row["women"] == pytest.approx((180 * 0.1 + 110 * 0.4) / 290)
    assert row["men"] == pytest.approx((180 * 0.05 + 110 * 0.02) / 290)


def test_without_cases_there_is_no_ratio() -> None:
    frame = estimands.sex_ratio(cell_counts(cases={(0, 0, YOUNG, 0): 10}), CATALOGUE, run=RUN)
    assert frame.loc[frame["condition"] == "a", ["ratio", "low", "high"]].isna().all(axis=None)


def test_incidence_by_hand() -> None:
    counts = cell_counts(
        ever={(0, 0, YOUNG, 0): 20, (1, 0, YOUNG, 0): 24, (2, 0, YOUNG, 0): 30},
        cases={(0, 0, YOUNG, 0): 10, (1, 0, YOUNG, 0): 10, (2, 0, YOUNG, 0): 10},
        first_onsets={(0, 0, YOUNG, 0): 99, (1, 0, YOUNG, 0): 4, (2, 0, YOUNG, 0): 6},
        episodes={(1, 0, YOUNG, 0): 7, (2, 0, YOUNG, 0): 9},
    )
    frame = estimands.incidence(counts, CATALOGUE, run=RUN)
    row = one(frame, condition="a", sex="female", age_group="20-24", onset="first")
    assert (row["start"], row["date"], row["new_cases"]) == (pd.Timestamp(JANUARY), pd.Timestamp(NEXT), 10)
    years = (31 * (80 + 76) / 2 + 334 * (76 + 70) / 2) / 365.25
    assert row["person_years"] == pytest.approx(years)
    assert row[["rate", "low", "high"]].tolist() == pytest.approx([1000 * n / years for n in (10, 4.795389, 18.390356)])
    again = one(frame, condition="a", sex="female", age_group="20-24", onset="any")
    assert again[["new_cases", "person_years"]].tolist() == pytest.approx([16, 90 * 365 / 365.25])
    assert "male" not in set(frame.loc[frame["condition"] == "b", "sex"])


def test_comorbidity_by_hand() -> None:
    frame = estimands.comorbidity(cell_counts(), CATALOGUE, run=RUN)
    assert set(zip(frame["condition_a"], frame["condition_b"], strict=True)) == {("a", "b")}  # c is not of the family
    row = one(frame, date=pd.Timestamp(NEXT))
    assert row[["people", "cases_a", "cases_b", "both"]].tolist() == [150, 30, 40, 20]
    assert row["odds_ratio"] == pytest.approx(10.0)
    assert 0.6 < row["tetrachoric"] < 0.8
    assert math.isnan(one(frame, date=pd.Timestamp(JANUARY))["odds_ratio"])


def test_numbers_of_conditions_by_hand() -> None:
    frame = estimands.condition_numbers(cell_counts(), run=RUN)
    assert frame["conditions"].max() == 2
    row = one(frame, date=pd.Timestamp(JANUARY), sex="female", age_group="all", conditions=2)
    assert row[["people", "adults", "share"]].tolist() == pytest.approx([10, 150, 10 / 150])
    together = frame.groupby(["date", "sex", "age_group"])["people"].sum()
    assert (together == frame.groupby(["date", "sex", "age_group"])["adults"].first()).all()


def test_standardised_to_its_own_structure_prevalence_stays() -> None:
    counts = cell_counts(cases={(0, 0, YOUNG, 0): 10, (0, 1, OLD, 0): 30})
    table = estimands.prevalence(counts, CATALOGUE, run=RUN)
    structure = estimands.structure_on(estimands.condition_numbers(counts, run=RUN))
    assert structure["people"].sum() == 290
    result = estimands.standardise(table, structure=structure)
    assert one(result, date=pd.Timestamp(JANUARY), condition="a")["prevalence"] == pytest.approx(40 / 290)


def test_standardised_to_another_structure_by_hand() -> None:
    counts = cell_counts(cases={(0, 0, YOUNG, 0): 10, (0, 0, OLD, 0): 20, (0, 1, YOUNG, 0): 4, (0, 1, OLD, 0): 12})
    table = estimands.prevalence(counts, CATALOGUE, run=RUN)
    structure = pd.DataFrame({"sex": ["female", "male"], "age_group": ["20-24", "70-74"], "people": [3.0, 1.0]})
    row = one(estimands.standardise(table, structure=structure), date=pd.Timestamp(JANUARY), condition="a")
    assert row["prevalence"] == pytest.approx(0.75 * 0.1 + 0.25 * 0.2)
    variance = 0.75**2 * 0.1 * 0.9 / 100 + 0.25**2 * 0.2 * 0.8 / 60
    effective = 0.125 * 0.875 / variance
    assert row[["low", "high"]].tolist() == pytest.approx([float(x) for x in wilson(0.125 * effective, effective)[1:]])

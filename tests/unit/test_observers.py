"""Streamed counts: who is counted where, by hand and against a slow recount."""

import datetime
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest

from fitss_abm.measurement.observers import AGE_GROUPS, SEXES, Observer, observation_days
from fitss_abm.model.conditions import Catalogue, Condition, shipped

START = datetime.date(2025, 1, 1)
YEAR = 365.25
WORDS = ("conditions", "ever", "first_onsets", "episodes", *(f"held_quarter{n}" for n in ("", "_1", "_2", "_3")))


def stub(catalogue: Catalogue, ages: Any, female: Any, *, day: int = 0, **words: Any) -> Any:
    """What an observer sees of a simulation: people of given ages (years) on `day`."""
    people = len(ages)
    population = {name: np.array(words.get(name, [0] * people), dtype=np.uint32) for name in WORDS}
    population["birth_day"] = (day - np.ceil(np.asarray(ages) * YEAR)).astype(np.int32)
    population["female"] = np.array(female, dtype=np.uint8)
    population["menopause_age"] = np.array(words.get("menopause_age", [51] * people), dtype=np.uint8)
    return SimpleNamespace(people=people, population=population, day=day, catalogue=catalogue)


def observed(simulation: Any, *, pairs: bool = True) -> Any:
    observer = Observer(simulation, start=START)
    observer.observe(pairs=pairs)
    return observer.counts()


SMALL = Catalogue(
    [
        Condition("fibromyalgia", "FM"),
        Condition("chronic_widespread_pain", "CWP"),
        Condition("women", "W", sex="female"),
        Condition("period", "P", sex="female", until_menopause=True),
        Condition("late", "L", age_from=60.0, counted=False),
    ]
)
FM, CWP, WOMEN, PERIOD, LATE = (1 << k for k in range(5))


def test_age_groups_are_the_fifteen_five_year_bands_of_adults() -> None:
    assert AGE_GROUPS[:3] == ("18-19", "20-24", "25-29")
    assert AGE_GROUPS[-2:] == ("80-84", "85+")
    assert len(AGE_GROUPS) == 15


def test_ages_at_the_edges_fall_where_they_belong() -> None:
    ages = [17.99, 18.0, 19.99, 20.0, 24.99, 25.0, 84.99, 85.0, 104.0]
    counts = observed(stub(SMALL, ages, [1] * 9))
    assert counts.people[0, 0].tolist() == [2, 2, 1, *[0] * 10, 1, 2]
    assert counts.people[0, 1].sum() == 0


def test_eligible_are_those_of_sex_age_and_before_menopause() -> None:
    ages, female = [30, 30, 50, 52, 70, 70], [1, 0, 1, 1, 1, 0]
    held = [PERIOD | WOMEN, PERIOD | WOMEN, PERIOD, PERIOD, LATE, LATE]
    counts = observed(stub(SMALL, ages, female, conditions=held))
    eligible, cases = (x[0].sum(axis=1) for x in (counts.eligible, counts.cases))
    assert eligible.tolist() == [[4, 4, 4, 2, 1], [2, 2, 0, 0, 1]]
    assert cases.tolist() == [[0, 0, 1, 2, 1], [0, 0, 0, 0, 1]]


def test_fibromyalgia_and_widespread_pain_count_once_and_uncounted_conditions_never() -> None:
    held = [0, FM, CWP, FM | CWP, FM | CWP | WOMEN, LATE]
    counts = observed(stub(SMALL, [70] * 6, [1] * 6, conditions=held))
    assert counts.numbers[0, 0].sum(axis=0)[:4].tolist() == [2, 3, 1, 0]


def test_a_pair_is_counted_among_those_eligible_for_both() -> None:
    counts = observed(stub(SMALL, [30] * 4, [1, 1, 1, 0], conditions=[FM | WOMEN, FM, WOMEN, FM]))
    people, cases, both = counts.pairs[0]
    assert (people[0, 2], cases[0, 2], cases[2, 0], both[0, 2]) == (3, 2, 2, 1)
    assert (people[0, 1], cases[0, 1], cases[1, 0], both[0, 1]) == (4, 3, 0, 0)


def test_new_cases_are_counted_once() -> None:
    simulation = stub(SMALL, [30, 30], [1, 0], first_onsets=[FM, 0], episodes=[FM, FM])
    observer = Observer(simulation, start=START)
    observer.observe(pairs=False)
    observer.observe(pairs=False)
    counts = observer.counts()
    assert counts.first_onsets[:, :, :, 0].sum(axis=2).tolist() == [[1, 0], [0, 0]]
    assert counts.episodes[:, :, :, 0].sum(axis=2).tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize("day", [0, 500])
def test_twelve_months_take_in_four_quarters_of_the_record(day: int) -> None:
    words = {"held_quarter": [FM, 0, 0, 0], "held_quarter_3": [0, CWP, 0, 0], "conditions": [0, 0, FM, 0]}
    counts = observed(stub(SMALL, [30] * 4, [1] * 4, day=day, **words))
    found = counts.recent[0, 0, AGE_GROUPS.index("30-34"), :2].tolist()
    assert found == [2, 1]


@pytest.fixture(scope="module")
def crowd() -> Any:
    random = np.random.default_rng(3)
    people = 7001
    words = {name: random.integers(0, 2**24, people) & random.integers(0, 2**24, people) for name in WORDS}
    ages, female = random.uniform(12, 100, people), random.integers(0, 2, people)
    return stub(shipped(), ages, female, day=400, menopause_age=random.integers(44, 58, people), **words)


def test_counts_agree_with_a_recount_person_by_person(crowd: Any) -> None:
    who, catalogue = {name: values.copy() for name, values in crowd.population.items()}, crowd.catalogue
    counts = observed(crowd)
    crowd.population.update(who)
    cells = (len(SEXES), len(AGE_GROUPS), len(catalogue))
    eligible, cases, ever, first = (np.zeros(cells, dtype=int) for _ in range(4))
    both = np.zeros((len(catalogue), len(catalogue)), dtype=int)
    for i in range(crowd.people):
        age = (400 - int(who["birth_day"][i])) / YEAR
        if age < 18:
            continue
        cell = (0 if who["female"][i] else 1), max(0, min(14, int(age / 5) - 3))
        held = []
        for k, c in enumerate(catalogue.conditions):
            if (c.sex == "female" and not who["female"][i]) or (c.until_menopause and age >= who["menopause_age"][i]):
                continue
            eligible[*cell, k] += 1
            cases[*cell, k] += int(who["conditions"][i]) >> k & 1
            ever[*cell, k] += int(who["ever"][i]) >> k & 1
            first[*cell, k] += int(who["first_onsets"][i]) >> k & 1
            held += [k] if int(who["conditions"][i]) >> k & 1 else []
        both[np.ix_(held, held)] += 1
    assert np.array_equal(counts.eligible[0], eligible)
    assert np.array_equal(counts.cases[0], cases)
    assert np.array_equal(counts.ever[0], ever)
    assert np.array_equal(counts.first_onsets[0], first)
    assert np.array_equal(counts.pairs[0, 2], both)
    assert counts.numbers[0].sum() == counts.people.sum()


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two threads")
def test_threads_change_no_count(crowd: Any) -> None:
    who = {name: values.copy() for name, values in crowd.population.items()}
    found = []
    for threads in (1, 2):
        numba.set_num_threads(threads)
        crowd.population.update({name: values.copy() for name, values in who.items()})
        found.append(observed(crowd))
    one, two = found
    for name in ("people", "eligible", "cases", "recent", "ever", "first_onsets", "episodes", "numbers", "pairs"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_days_of_observation_are_the_first_the_first_of_months_and_the_last() -> None:
    days = observation_days(datetime.date(2024, 1, 15), 60)  # over 29 February
    dates = {datetime.date(2024, 1, 15) + datetime.timedelta(days=day): pairs for day, pairs in days.items()}
    assert list(dates) == [datetime.date(2024, *at) for at in ((1, 15), (2, 1), (3, 1), (3, 15))]
    assert list(dates.values()) == [True, False, False, True]


def test_pairs_are_counted_each_first_of_january() -> None:
    days = observation_days(START, 730)
    assert len(days) == 25
    assert [day for day, pairs in days.items() if pairs] == [0, 365, 730]


def test_a_run_of_one_day_is_seen_at_both_ends() -> None:
    assert observation_days(datetime.date(2025, 3, 9), 1) == {0: True, 1: True}

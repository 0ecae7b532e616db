"""The daily diary: no life is changed, what is written down is what happened, missed prompts are empty."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.measurement.diary import SCHEMA, diary
from fitss_abm.measurement.instruments import administer
from fitss_abm.model.demography import load
from fitss_abm.model.simulation import Seeds, Simulation

PEOPLE, DAYS = 3_000, 21
TOLD = ["hassle", "hassles", "severity", "stress", "negative_affect", "positive_affect", "pain"]


def made() -> Simulation:
    simulation = Simulation(people=PEOPLE, demography=load("Germany"), seeds=Seeds(7))
    simulation.prepare()
    return simulation


@pytest.fixture(scope="module")
def kept() -> tuple[Simulation, pd.DataFrame, dict[int, np.ndarray], Simulation]:
    """A simulation with a diary, the diary, who was hassled on each day, and the same simulation without."""
    with_diary, without = made(), made()
    chosen = np.arange(0, PEOPLE, 3)
    told = diary(with_diary, chosen, days=DAYS)
    hassled = {}
    for day in range(DAYS):
        without.advance(1)
        hassled[day] = (without.population["stressors"][chosen] & 128) > 0
    assert told.schema == SCHEMA
    return with_diary, told.to_pandas(), hassled, without


def test_no_life_is_changed(kept: tuple) -> None:
    with_diary, _, _, without = kept
    for name in without.population:
        assert (with_diary.population[name] == without.population[name]).all(), name


def test_rows_and_ranges(kept: tuple) -> None:
    _, table, _, _ = kept
    assert not table.duplicated(["person_id", "day", "prompt"]).any()
    assert set(table["day"]) == set(range(DAYS))
    assert 0.99 * PEOPLE / 3 * DAYS < len(table) <= PEOPLE / 3 * DAYS
    for name, high in {"stress": 100, "negative_affect": 100, "positive_affect": 100, "pain": 10, "sleep": 10}.items():
        assert table[name].dropna().between(0, high).all(), name
    assert table.loc[~table["answered"], [*TOLD, "sleep"]].isna().all().all()
    assert table.loc[table["answered"], [*TOLD, "sleep"]].notna().all().all()
    assert 0.7 < table["answered"].mean() < 0.85


def test_hassles_are_those_that_happened(kept: tuple) -> None:
    _, table, hassled, _ = kept
    chosen = np.arange(0, PEOPLE, 3) * 65536
    for day in (0, 6, DAYS - 1):
        today = table[(table["day"] == day) & table["answered"]].set_index("person_id")
        happened = pd.Series(hassled[day], chosen)[today.index]
        assert (today["hassle"].astype(bool) == happened).all()
    answered = table[table["answered"]]
    assert ((answered["hassles"] > 0) == answered["hassle"].astype(bool)).all()
    assert ((answered["severity"] > 0) == answered["hassle"].astype(bool)).all()


def test_stress_moves_affect_within_a_person(kept: tuple) -> None:
    _, table, _, _ = kept
    answered = table[table["answered"]]
    own = answered.groupby("person_id")[["severity", "negative_affect", "positive_affect"]].transform("mean")
    within = answered[["severity", "negative_affect", "positive_affect"]].astype(float) - own
    correlation = within.corr()
    assert correlation.loc["severity", "negative_affect"] > 0.2
    assert correlation.loc["negative_affect", "positive_affect"] < -0.1


def test_prompts_share_out_the_hassles_of_the_day() -> None:
    chosen = np.arange(0, PEOPLE, 2)
    once = diary(made(), chosen, days=2).to_pandas()
    often = diary(made(), chosen, days=2, prompts=4).to_pandas()
    assert len(often) == 4 * len(once)
    assert often.loc[often["prompt"] > 0, "sleep"].isna().all()
    complete = often.groupby(["person_id", "day"])["answered"].transform("all")
    summed = often[complete].groupby(["person_id", "day"])[["hassles", "severity"]].sum()
    day = once[once["answered"]].set_index(["person_id", "day"])[["hassles", "severity"]].astype(float)
    both = day.join(summed.astype(float).add_suffix("_often"), how="inner")
    assert len(both) > 500
    assert (both["hassles"] == both["hassles_often"]).all()
    assert np.allclose(both["severity"], both["severity_often"], atol=1e-4)


def test_a_diary_is_the_person_s_own_and_the_weekly_rating_is_of_its_days() -> None:
    simulation, alone = made(), made()
    everybody = diary(simulation, np.arange(PEOPLE), days=7).to_pandas()
    few = diary(alone, np.array([2000, 17]), days=7).to_pandas()
    same = everybody.merge(few, on=["person_id", "day", "prompt"], suffixes=("", "_few"))
    assert len(same) == 14
    for name in (*TOLD, "sleep", "answered"):
        first, second = same[name], same[f"{name}_few"]
        assert ((first == second) | (first.isna() & second.isna())).all(), name
    pain = everybody.groupby("person_id")["pain"].mean()
    slots = (pain.index.to_numpy() // 65536).astype(np.int64)
    rated = administer(simulation, slots, scores=["pain_average"])["pain_average"]
    assert np.corrcoef(pain.fillna(0), rated)[0, 1] > 0.9


def test_bad_input_is_told() -> None:
    simulation = Simulation(people=50, demography=load("Germany"))
    with pytest.raises(InputError) as told:
        diary(simulation, np.array([50]), days=-1, prompts=0)
    assert [fault.field for fault in told.value.faults] == ["days", "prompts", "slots"]
    assert simulation.day == 0

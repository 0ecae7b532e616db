"""Instruments: ranges, reliability, norms, whose luck it is, criteria as measured against true ones, what is remembered."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.measurement.groups import GROUPS, group
from fitss_abm.measurement.instrument_table import FEATURES, features, numbers
from fitss_abm.measurement.instruments import Answers, administer, catalogue, names
from fitss_abm.model.demography import load
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.simulation import Seeds, Simulation

PEOPLE, SEED = 12_000, 5  # another seed than that of the norms
TRUE = {
    "fm_acr1990": "fibromyalgia_acr_1990",
    "fm_acr2010": "fibromyalgia_acr_2010",
    "fm_mod2010": "fibromyalgia_modified_2010",
    "fm_acr2016": "fibromyalgia",
    "cwp": "chronic_widespread_pain",
    "ibs_rome4": "irritable_bowel_syndrome",
}


def made(people: int = PEOPLE, **changes: object) -> Simulation:
    simulation = Simulation(people=people, demography=load("Germany"), seeds=Seeds(SEED), **changes)  # type: ignore[arg-type]
    simulation.prepare()
    return simulation


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return made()


@pytest.fixture(scope="module")
def adults(simulation: Simulation) -> np.ndarray:
    return np.flatnonzero(simulation.population["age"] >= 18)


@pytest.fixture(scope="module")
def scores(simulation: Simulation, adults: np.ndarray) -> dict[str, np.ndarray]:
    return administer(simulation, adults)


def bits(simulation: Simulation) -> bytes:
    return b"".join(simulation.population[name].tobytes() for name in simulation.population)


def test_every_instrument_says_what_it_is() -> None:
    for id, instrument in catalogue().items():
        for field in ("title", "unit", "items", "period", "scoring", "from_state", "role", "source"):
            assert getattr(instrument, field), (id, field)
        assert instrument.low < instrument.high
        assert instrument.doi == "" or re.match(r"10\.\d{4,}/\S+$", instrument.doi), id
        assert {instrument.among, instrument.reliability_in} <= set(GROUPS)
        assert instrument.reliability is None or instrument.reliability_source
        if instrument.scale:
            assert instrument.norm_source
            assert set(instrument.scale.weights) <= set(FEATURES)
            assert instrument.scale.state + instrument.scale.style < 1
    assert all(number.source and number.meaning and number.unit for number in numbers().values())
    assert all(feature.spread > 0 for feature in features().values())


def test_scores_lie_within_their_range(scores: dict[str, np.ndarray], adults: np.ndarray) -> None:
    assert tuple(scores) == names()
    for id, values in scores.items():
        instrument = catalogue()[id]
        assert values.shape == adults.shape
        assert values.min() >= instrument.low
        assert values.max() <= instrument.high
        assert np.unique(values).size >= 2, id
        expected = bool if instrument.is_criterion else np.float32 if id == "fiqr" else np.int16
        assert values.dtype == expected
    assert (scores["psd"] == scores["wpi"] + scores["sss"]).all()
    assert (scores["pain_worst"] >= scores["pain_average"]).all()
    assert ((scores["tender_points"] >= 11) >= scores["fm_acr1990"]).all()


def test_two_occasions_agree_as_much_as_the_stated_reliability(
    simulation: Simulation, adults: np.ndarray, scores: dict[str, np.ndarray]
) -> None:
    again = administer(simulation, adults, occasion=12_345)
    for id, instrument in catalogue().items():
        if instrument.reliability is None:
            continue
        among = group(simulation, adults, instrument.reliability_in)
        found = np.corrcoef(scores[id][among].astype(float), again[id][among].astype(float))[0, 1]
        # error of a correlation, twice as large for skewed scores; and another population than that of the norms
        error = 2 * (1 - instrument.reliability**2) / np.sqrt(among.sum())
        assert found == pytest.approx(instrument.reliability, abs=0.015 + 3 * error), id


def test_norms_hold_with_another_seed(
    simulation: Simulation, adults: np.ndarray, scores: dict[str, np.ndarray]
) -> None:
    for id, instrument in catalogue().items():
        if not instrument.norm:
            continue
        values = scores[id][group(simulation, adults, instrument.among)].astype(float)
        norm = instrument.norm
        assert values.std() == pytest.approx(norm["sd"], rel=0.06), id
        if "mean" in norm:
            assert values.mean() == pytest.approx(norm["mean"], abs=0.06 * norm["sd"]), id
        if "share_below_40" in norm:
            assert (values < 40).mean() == pytest.approx(norm["share_below_40"], abs=0.03), id


def test_answers_are_the_person_s_own_whoever_else_is_asked(
    simulation: Simulation, adults: np.ndarray, scores: dict[str, np.ndarray]
) -> None:
    few = adults[[700, 3, 41]]
    alone = administer(simulation, few)
    for id in names():
        assert (alone[id] == scores[id][[700, 3, 41]]).all(), id
        assert (administer(simulation, few, scores=[id])[id] == alone[id]).all(), id
    assert administer(simulation, adults[:0])["phq9"].shape == (0,)


def test_measuring_changes_no_life_and_hangs_on_its_own_stream(simulation: Simulation, adults: np.ndarray) -> None:
    before = bits(simulation)
    first = administer(simulation, adults, scores=["gad7"])["gad7"]
    assert bits(simulation) == before
    seeds, simulation.seeds = simulation.seeds, Seeds(SEED, {"measurement": 99})
    other = administer(simulation, adults, scores=["gad7"])["gad7"]
    simulation.seeds = seeds
    assert 0.3 < np.corrcoef(first.astype(float), other.astype(float))[0, 1] < 0.75, "what the state explains"


def test_criteria_as_measured_follow_the_true_ones(
    simulation: Simulation, adults: np.ndarray, scores: dict[str, np.ndarray]
) -> None:
    held = simulation.population["conditions"][adults]
    for id, condition in TRUE.items():
        true = (held & np.uint32(simulation.catalogue.mask([condition]))) != 0
        assert true.sum() > 80
        assert scores[id][true].mean() > 0.65, id
        assert (~scores[id][~true]).mean() > 0.96, id
        assert 0.8 < scores[id].mean() / true.mean() < 2.0, id


def test_rome_iii_holds_more_people_than_rome_iv(scores: dict[str, np.ndarray]) -> None:
    milder, strict = scores["ibs_rome3"], scores["ibs_rome4"]
    assert (milder >= strict).all()
    error = 3 * np.sqrt(1 / milder.sum() + 1 / strict.sum())
    assert np.log(milder.mean() / strict.mean()) == pytest.approx(np.log(9.0 / 4.6), abs=error)


def test_error_shows_in_those_without_symptoms(simulation: Simulation, adults: np.ndarray) -> None:
    exact = Answers(simulation, adults, known={"site_missed": 0.0, "site_added": 0.0})
    assert (exact["wpi"] == np.bitwise_count(simulation.population["body_map"][adults])).all()
    told = Answers(simulation, adults, known={"site_missed": 1.0, "site_added": 0.0})
    assert not told["wpi"].any()


def test_floor_effects(scores: dict[str, np.ndarray]) -> None:
    floor = {id: (scores[id] == catalogue()[id].low).mean() for id in ("phq9", "ucla3", "csi", "pain_average")}
    assert 0.05 < floor["phq9"] < 0.3
    assert 0.4 < floor["ucla3"] < 0.65
    assert floor["csi"] < 0.01
    assert floor["pain_average"] > 0.5


def test_instruments_go_together_as_they_should(scores: dict[str, np.ndarray]) -> None:
    def r(a: str, b: str) -> float:
        return float(np.corrcoef(scores[a].astype(float), scores[b].astype(float))[0, 1])

    assert 0.5 < r("phq9", "gad7") < 0.8, "0.64 in the German general population (Löwe 2008)"
    assert r("phq9", "gad7") > r("phq9", "ucla3") > 0.1
    assert r("csi", "psd") > 0.3
    assert r("pain_average", "wpi") > 0.7


def test_true_life_events_are_those_that_happened() -> None:
    lived = made(3_000, parameters=Parameters(bereavement_severity=0.0))
    who = lived.population
    weeks = np.zeros(lived.people, dtype=int)
    person, before = who.person(), who["event_load"].copy()
    weekly = np.exp(-7 * lived.parameters["life_event_decay"])
    for _ in range(364):
        lived.advance(1)
        changed = who["event_load"] != before
        weeks += changed & (who["event_load"] > 1.0001 * weekly * before)
        before = who["event_load"].copy()
    stayed = np.flatnonzero((who.person() == person) & (who["age"] > 14))
    true = Answers(lived, stayed).events()["true"]
    assert ((weeks[stayed] > 0) == (true > 0)).all()
    assert (weeks[stayed] <= true).all()
    assert true.sum() < 1.1 * weeks[stayed].sum(), "two in a week are rare"


def test_life_events_of_the_pre_history_are_found_too(simulation: Simulation, adults: np.ndarray) -> None:
    assert simulation.day == 0
    true = Answers(simulation, adults).events()["true"]
    load = simulation.population["event_load"][adults]
    assert np.corrcoef(true, load)[0, 1] > 0.5, "read on wrong days they would share proneness alone: 0.2"


def test_life_events_are_forgotten_and_added(simulation: Simulation, adults: np.ndarray) -> None:
    told = Answers(simulation, adults).events()
    exact = Answers(simulation, adults, known={"event_fading": 0.0, "event_false": 0.0}).events()
    assert (exact["true"] == told["true"]).all()
    assert (exact["events_year"] == np.minimum(told["true"], 20)).all()
    forgotten = Answers(simulation, adults, known={"event_false": 0.0}).events()["events_year"]
    assert (forgotten <= told["true"]).all()
    kept = forgotten.sum() / told["true"].sum()
    fading = numbers()["event_fading"].value * 12
    assert kept == pytest.approx((1 - np.exp(-fading)) / fading, abs=0.02)
    distressed = Answers(simulation, adults).distress > 1
    false = Answers(simulation, adults, known={"event_fading": 30.0}).events()["events_year"]
    assert false[distressed].mean() > 1.3 * false[~distressed].mean()


def test_childhood_told_and_true_hardly_agree(
    simulation: Simulation, adults: np.ndarray, scores: dict[str, np.ndarray]
) -> None:
    true, told = simulation.population["adversity"][adults] > 0, scores["adversity_reported"] > 0
    chance = true.mean() * told.mean() + (1 - true.mean()) * (1 - told.mean())
    kappa = ((true == told).mean() - chance) / (1 - chance)
    assert 0.14 < kappa < 0.28, "0.19 (Baldwin 2019), and what distress has in common with the true number"
    assert told.mean() == pytest.approx(true.mean(), abs=0.03)


def test_bad_input_is_told() -> None:
    small = made(200)
    with pytest.raises(InputError, match="phq9"):
        administer(small, np.arange(3), scores=["phq"])
    with pytest.raises(InputError, match="between 0 and 199"):
        administer(small, np.array([5, 200]))

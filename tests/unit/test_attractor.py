"""Steady states of alert: the reduced equations against themselves, against the rules, and against the whole engine.

Little here depends on the shipped values: where feedback must be weak or strong the test says how strong.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fitss_abm.model.columns import COLUMNS
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.rules import DAY
from fitss_abm.model.simulation import Simulation
from fitss_abm.study.attractor import FACTORS, SYSTEMS, TOLERANCE, Balance, adults, attractor, mean_load, nearest
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.stress_pulse import pulse, recovery

PEOPLE = 2000
NONE = {
    "alert_blunts_soothing": 0.0,
    "threat_sensitization_gain": 0.0,
    "sensory_weight": 0.0,
    "sleep_recovery_effect": 0.0,
}
STRONG = {"alert_blunts_soothing": 3.0, "threat_sensitization_gain": 3.0}
KNOWN = {
    "threat_recovery": 0.4, "sleep_recovery_effect": 0.0, "soothing_rate": 0.1, "soothing_floor": 0.05, "alert_rate": 0.1,
    "alert_steepness": 4.0, "alert_threshold": 30.0, "sensitization_rate": 0.001, "sensitization_decay": 0.001,
    "gain_per_decade": 0.0, "peripheral_weight": 0.1, "sensory_weight": 0.0,
}  # fmt: skip
CALM = {
    "hassle_weight": 0.0, "life_event_rate": 0.0, "bereavement_severity": 0.0, "job_strain_level": 0.0, "bullying_level": 0.0,
    "caregiving_level": 0.0, "poverty_level": 0.0, "burden_weight": 0.0,
}  # fmt: skip
Floats = NDArray[np.float64]
ALL_SYSTEMS = pytest.mark.parametrize("system", list(SYSTEMS))


def scenario(people: int = PEOPLE, **parameters: float) -> Scenario:
    return Scenario(people=people, seed=3, threads=1, parameters=parameters)


def lived(people: int = PEOPLE, **parameters: float) -> Simulation:
    made = scenario(people, **parameters).simulation()
    made.prepare()
    return made


@pytest.fixture(scope="module")
def usual() -> Simulation:
    return lived(people=10_000)


@pytest.fixture(scope="module")
def strong() -> Simulation:
    return lived(**STRONG)


def known(**values: float) -> pd.DataFrame:
    """A person of whom everything is known."""
    person = {
        "female": 1.0, "age": 45.0, "threat_reactivity": 1.0, "sensory_sensitivity": 1.0, "peripheral": 1.0, "gain": 1.0,
        "sensitization": 0.2, "alert": 0.0, "alert_mean": 0.0, "poor_sleep": 0.25, "helping": 0.0, "source": 1.0, "load": 5.0,
    }  # fmt: skip
    return pd.DataFrame([person | values])


def test_without_feedback_a_known_person_settles_at_the_closed_form() -> None:
    threat = 5.0 / (1 - np.exp(-0.4))
    expected = threat**4 / (threat**4 + 30.0**4)
    balance = Balance.of(known(), Parameters(**KNOWN | NONE))
    for start in (0.0, 1.0):
        assert balance.settle(start, 5.0) == pytest.approx([expected], abs=1e-5)


@ALL_SYSTEMS
def test_without_feedback_nobody_has_hysteresis(usual: Simulation, system: str) -> None:
    balance = Balance.of(adults(usual).iloc[:500], dict(usual.parameters) | NONE, system)
    rising, falling = balance.sweep_load(np.linspace(0.0, 60.0, 31))
    assert rising[0].max() < 0.01
    assert np.median(rising[-1]) > 0.99
    assert np.abs(rising - falling).max() < 1e-4
    assert np.isnan(balance.jumps()[0]).all()
    for branch, other in [balance.sweep_soothing()]:
        assert np.abs(branch - other).max() < 1e-4


@ALL_SYSTEMS
def test_with_strong_feedback_a_known_person_has_two_branches_between_the_jumps(system: str) -> None:
    balance = Balance.of(known(), Parameters(**KNOWN | STRONG), system)
    loads = np.linspace(0.0, 12.0, 241)
    rising, falling = (branch[:, 0] for branch in balance.sweep_load(loads))
    up, down = (float(jump[0]) for jump in balance.jumps())
    assert 0.0 < down < up - 1.0 < 11.0
    inside = (loads > down) & (loads < up)
    near = np.minimum(abs(loads - up), abs(loads - down)) < 0.06
    assert ((falling - rising)[inside & ~near] > TOLERANCE).all()
    assert np.abs(falling - rising)[~inside & ~near].max() < 1e-3
    assert loads[np.argmax(np.diff(rising))] == pytest.approx(up, abs=0.06)
    assert loads[np.argmax(np.diff(falling))] == pytest.approx(down, abs=0.06)


@ALL_SYSTEMS
def test_branches_are_ordered_and_solve_the_equations(strong: Simulation, system: str) -> None:
    people = adults(strong)
    balance = Balance.of(people, strong.parameters, system)
    loads = np.linspace(0.0, 15.0, 16)
    rising, falling = balance.sweep_load(loads)
    assert (falling - rising).min() > -1e-4
    assert (falling - rising).max() > TOLERANCE
    assert min(np.diff(branch, axis=0).min() for branch in (rising, falling)) > -1e-4  # more load, more alert
    for branch in (rising, falling):
        for load, alert in zip(loads, branch, strict=True):
            assert np.abs(balance.next_alert(alert, load) - alert).max() < 1e-6
    soothed_less, soothed_again = balance.sweep_soothing(FACTORS[::6])
    assert (soothed_again - soothed_less).min() > -1e-4
    assert (soothed_again - soothed_less).max() > TOLERANCE
    assert min(-np.diff(branch, axis=0).max() for branch in (soothed_less, soothed_again)) > -1e-4


def test_the_way_of_a_sweep_does_not_matter_only_its_direction(strong: Simulation) -> None:
    balance = Balance.of(adults(strong).iloc[:300], strong.parameters, "slow")
    own = balance.people["load"]
    rising = balance.sweep([own * k for k in np.linspace(0.0, 1.0, 21)], [1.0] * 21)[-1]
    falling = balance.sweep([own + extra for extra in np.linspace(200.0, 0.0, 21)], [1.0] * 21)[-1]
    assert np.quantile(np.abs(rising - balance.settle(0.0, own)), 0.99) < 1e-4
    assert np.quantile(np.abs(falling - balance.settle(1.0, own)), 0.99) < 1e-4
    assert (falling - rising > TOLERANCE).any()


# Against the model


def by_rules(
    balance: Balance, names: tuple[str, ...], parameters: Parameters, *, load: Floats, start: Floats, days: int
) -> dict[str, Floats]:
    """Where people stand after so many days of the model's own rules under a constant stress, without luck."""
    begin = {
        "alert": start, "sensitization": balance.sensitization(start), "soothing": balance.soothing(start)[1], "stress": load,
        "threat": balance.threat_per_stress(start) * load, "felt_support": 0 * load, "birth_day": 0 * load - 16_000,
        "soothing_capacity": balance.people["source"], "central_gain": balance.people["gain"],
    }  # fmt: skip
    state: dict[str, NDArray[Any]] = {
        c.name: np.full(load.size, c.newborn, c.dtype) for c in COLUMNS if c.width == "one"
    }
    for name, values in (dict(balance.people) | begin).items():
        state[name] = values.astype(state[name].dtype if name in state else np.float32)
    words = {"pace_from": np.float32(-1e9), "pace_span": np.float32(1), "pace_days": np.float32(1)}
    given = state | words | {name: np.float32(value) for name, value in parameters.items()}
    rules = [rule for rule in DAY if rule.name in names]
    assert [rule.name for rule in rules] == list(names)
    for _ in range(days):
        for rule in rules:
            rule.function(*(given[name] for name in rule.arguments))
    return {name: column.astype(np.float64) for name, column in state.items()}


@pytest.mark.parametrize(("system", "days"), [("fast", 600), ("slow", 12_000)])
def test_the_rules_settle_on_the_predicted_branches(system: str, days: int) -> None:
    parameters = Parameters(**KNOWN | STRONG | {"sleep_recovery_effect": 0.5, "sleep_reference": 0.2})
    names = ("threat", "soothing", "alert") + (("sensitization",) if system == "slow" else ())
    three = pd.concat([known(), known(source=0.7, threat_reactivity=1.4), known(gain=1.3, poor_sleep=0.6)])
    # each under a load below, between and above the jumps, from calm and from full alert
    up, down = Balance.of(three, parameters, system).jumps()
    load = np.array([0.6 * down, (up + down) / 2, 1.4 * up]).repeat(2, axis=0).ravel()
    start = np.tile([0.0, 1.0], 3).repeat(3)
    balance = Balance.of(pd.concat([three] * 6), parameters, system)
    after = by_rules(balance, names, parameters, load=load, start=start, days=days)
    alert = balance.settle(start, load)
    assert after["alert"] == pytest.approx(alert, abs=2e-3)
    assert after["soothing"] == pytest.approx(balance.soothing(alert)[1], rel=5e-3)
    assert after["threat"] == pytest.approx(balance.threat_per_stress(alert) * load, rel=5e-3)
    assert after["sensitization"] == pytest.approx(balance.sensitization(alert), abs=2e-3)
    apart = np.diff(after["alert"].reshape(3, 2, 3), axis=1)[:, 0] > TOLERANCE
    assert apart.tolist() == [[False] * 3, [True] * 3, [False] * 3]


def test_the_whole_engine_stays_on_both_branches_under_a_constant_load() -> None:
    """Everything else goes on as shipped: support from others, what helping costs, withdrawal, conditions, deaths."""
    fixed = {
        "life_event_decay": 0.0005,
        "sensitization_rate": 0.0,
        "sensitization_decay": 0.00005,
        "sleep_recovery_effect": 0.0,
    }
    load, ends = None, []
    for start in (0.0, 1.0):
        made = lived(**CALM | STRONG | fixed)
        made.population["sensitization"][:] = 0.3
        for name, low, high in (("alert", 0.0, 1.0), ("threat", 1.0, 100.0), ("soothing", 1.0, 0.3)):
            made.population[name][:] = high if start else low
        if load is None:
            load = np.zeros(PEOPLE, dtype=np.float32)
            people = adults(made)
            up, down = Balance.of(people, made.parameters).jumps()
            load[people.index] = np.nan_to_num((up + down) / 2)
        lives = made.population["generation"].copy()
        for _ in range(160):
            made.population["event_load"][:] = load
            made.advance(1)
        made.population["event_load"][:] = load
        here = adults(made)
        here = here[(made.population["generation"] == lives)[here.index]]
        assert np.allclose(here["load"], load[here.index], rtol=1e-6)
        balance = Balance.of(here, made.parameters)
        off = np.abs(balance.settle(here["alert"], here["load"]) - here["alert"])
        assert np.quantile(off, 0.99) < 0.01
        # in alert everybody's ties are in distress, and what helping them costs is much of what soothing is left
        off = np.abs(balance.soothing(here["alert"].to_numpy())[1] - made.population["soothing"][here.index])
        assert np.quantile(off, 0.95) < 0.01
        assert np.median(here["helping"]) > (0.05 if start else -1.0)
        ends.append(here["alert"])
    low, high = ends
    assert (high - low > TOLERANCE).mean() > 0.95


def test_the_mean_load_is_that_of_the_rules(usual: Simulation) -> None:
    made = scenario(people=10_000).simulation()
    made.prepare()
    who = made.population
    who["stress_relief"][::2] = 0.9
    made.advance(1)
    sensory = made.parameters["sensory_weight"] * who["sensory_sensitivity"] * who["sensitization"]
    off = who["stress"].astype(np.float64) - sensory - mean_load(made)
    # hassles are chance; what life events and burden changed in a week's step of today is a fraction of a per cent
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(off.size) + 0.005
    hassled = np.corrcoef(mean_load(made), who["stress"])[0, 1]
    assert hassled > 0.7


# The population


def test_shares_count_everybody_once(strong: Simulation) -> None:
    found = attractor(strong)
    people = found.shares.drop_duplicates(["system", "group"]).set_index(["system", "group"])["people"]
    value = found.shares.set_index(["system", "group", "what"])["value"]
    for system in SYSTEMS:
        assert people[system, "women"] + people[system, "men"] == people[system, "all"]
        assert 0 < value[system, "all", "now"] <= value[system, "all", "any_load"] + 1
        assert value[system, "all", "upper"] <= value[system, "all", "now"]
    assert value["fast", "all", "now"] < value["slow", "all", "now"]
    states = found.states
    between = (states["load"] > states["jump_down"]) & (states["load"] < states["jump_up"])
    assert (between == states["now"]).mean() > 0.995


def test_a_person_is_found_by_ranks(usual: Simulation) -> None:
    people = adults(usual)
    place = nearest(people, source=0.1, threat_reactivity=0.9)
    ranks = people[["source", "threat_reactivity"]].rank(pct=True).loc[place]
    assert ranks.to_numpy() == pytest.approx([0.1, 0.9], abs=0.03)


def test_a_pulse_of_nothing_changes_nothing_and_one_of_stress_raises_alert() -> None:
    asked, least = scenario(people=1000), 0.01
    everybody = {"all": np.ones(1000, dtype=bool)}
    nothing, much = (pulse(asked, lived(people=1000), everybody, load=load, days=28, years=1) for load in (0.0, 4.0))
    assert (nothing.excess["value"] == 0.0).all()
    alert = much.excess[much.excess["variable"] == "alert"].set_index("day")["value"]
    assert alert[0] == 0.0
    assert alert[28] > least
    assert alert[28] > alert[378] >= 0.0
    assert alert.diff().loc[7:28].min() > 0


def test_recovery_of_an_exponential_has_its_half_time() -> None:
    day = np.arange(0, 1500, 7)
    value = np.where(day < 182, 10.0 * day / 182, 10.0 * 0.5 ** ((day - 182) / 200))
    row = recovery(("alert", "all"), pd.DataFrame({"day": day, "value": value, "people": 1}), 182, 2)
    assert row["peak"] == pytest.approx(10.0)
    assert row["half_time"] == pytest.approx(200, abs=1)
    assert row["left_1"] == pytest.approx(100 * 0.5 ** (365.25 / 200), abs=0.1)

"""Programmes change what they act on, in those whom they reach, while they do, and nothing else: same people, same luck.

Arms of one world go on from one state, so they differ by their programmes alone. Tolerances of shares are four standard errors.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fitss_abm.errors import Faults, InputError
from fitss_abm.model.delivery_log import Event
from fitss_abm.model.demography import load
from fitss_abm.model.network import Layer, Network
from fitss_abm.model.pain import pain_intensity
from fitss_abm.model.programme_tables import read_programme, shipped_kinds
from fitss_abm.model.programmes import ACTS, Act, Programme, Screening
from fitss_abm.model.simulation import Seeds, Simulation
from fitss_abm.model.targeting import Everyone, Holds, Persons, Position, Random, Sex, TiesOf, Within

PEOPLE = 1500
GERMANY = load("Germany")
DEADLY = dataclasses.replace(GERMANY, death_rate=GERMANY.death_rate * 20)
GAIN = Act("central_gain", -0.4)
HELP = Act("support", 5.0, level=4.0)
Arm = Callable[..., Simulation]


def world(*programmes: Programme, **changed: Any) -> Simulation:
    arguments: dict[str, Any] = {"people": PEOPLE, "demography": GERMANY, "seeds": Seeds(5), "threads": 1}
    return Simulation(**(arguments | changed), programmes=programmes)


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Arm:
    """Arms of one world after so many days, without living through its pre-history again."""
    folder = tmp_path_factory.mktemp("worlds")
    known: list[tuple[dict[str, Any], Path]] = []

    def state_of(same: dict[str, Any]) -> Path:
        for others, path in known:
            if others.keys() == same.keys() and all(others[name] is same[name] for name in same):
                return path
        first = world(**same)
        first.prepare()
        known.append((same, first.save(folder / f"{len(known)}.npz")))
        return known[-1][1]

    def go_on(days: int, *programmes: Programme, **changed: Any) -> Simulation:
        state = state_of({name: value for name, value in changed.items() if name not in ("threads", "block")})
        made = world(*programmes, **changed)
        made.restore(state)
        made.advance(days)
        return made

    return go_on


@pytest.fixture(scope="module")
def usual(arm: Arm) -> Simulation:
    return arm(120)


def differing(one: Simulation, other: Simulation) -> list[str]:
    return [name for name in one.population if not np.array_equal(one.population[name], other.population[name])]


def who_differ(one: Simulation, other: Simulation) -> NDArray[np.bool_]:
    """People any of whose columns, or whose word to others, differ in any bit."""
    differ = (one.offers != other.offers).any(axis=0)
    for name in one.population:
        unequal = one.population[name] != other.population[name]
        differ |= unequal if unequal.ndim == 1 else unequal.any(axis=0)
    return differ


def slots(simulation: Simulation, event: Event, programme: str | None = None) -> NDArray[np.int64]:
    return np.unique(simulation.delivery_log.persons(event, programme) // 65536)


def ties(simulation: Simulation) -> dict[str, NDArray[Any]]:
    """Every tie's ends, strength and layer, those of programmes apart."""
    return simulation.network.to_edges()


def ordinary(simulation: Simulation) -> set[tuple[int, int, float, int]]:
    each = ties(simulation)
    rows = zip(*(each[name].tolist() for name in ("source", "target", "weight", "layer")), strict=True)
    return {row for row in rows if row[3] != Layer.PROGRAMME}


def made_by_programmes(simulation: Simulation) -> set[tuple[int, int]]:
    each = ties(simulation)
    chosen = each["layer"] == Layer.PROGRAMME
    return set(zip(each["source"][chosen].tolist(), each["target"][chosen].tolist(), strict=True))


def near(share: float, expected: float, people: int) -> bool:
    return abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / people)


# What changes nothing


def test_a_programme_that_changes_nothing_leaves_every_bit(arm: Arm, usual: Simulation) -> None:
    acts = tuple(Act(on, 0.0) for on in ACTS if on != "adversity")
    idle = (
        Programme(name="no effect", acts=acts, uptake=0.7, adherence=0.8, dropout_per_year=1.0, side_effects=0.1),
        Programme(name="prevents nothing", acts=(Act("adversity", 0.0),)),
        Programme(name="offered to nobody", acts=(GAIN,), coverage=0.0),
        Programme(name="accepted by nobody", acts=(GAIN, Act("ties", 1.0)), uptake=0.0),
        Programme(name="for nobody", acts=(GAIN,), target=Sex("female") & Sex("male")),
        Programme(name="full", acts=(GAIN,), capacity=0),
        Programme(name="later", acts=(GAIN,), start=120),
    )
    treated = arm(120, *idle)
    assert slots(treated, Event.STARTED, "no effect").size > 500
    assert slots(treated, Event.WAITING, "full").size > 1000
    assert differing(usual, treated) == []
    assert np.array_equal(usual.network.neighbour, treated.network.neighbour)
    assert np.array_equal(usual.network.weight, treated.network.weight)


def test_an_arm_that_goes_on_equals_one_lived_from_the_start(arm: Arm) -> None:
    programme = Programme(name="drug", acts=(GAIN,), start=10, target=Sex("female"), uptake=0.5, onset_weeks=4)
    straight = world(programme)
    straight.prepare()
    straight.advance(60)
    assert differing(straight, arm(60, programme)) == []


@pytest.mark.parametrize("changed", [{"threads": 2}, {"block": 64}], ids=["two threads", "small blocks"])
def test_threads_and_blocks_change_no_bit(arm: Arm, changed: dict[str, int]) -> None:
    import numba

    if changed.get("threads", 1) > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("this machine has one core")
    one, other = arm(100, *everything()), arm(100, *everything(), **changed)
    assert differing(one, other) == []
    assert np.array_equal(one.delivery_log.person, other.delivery_log.person)


def everything() -> tuple[Programme, ...]:
    """Programmes that use all there is: every act, waiting, screening, drop-out, waning, positions."""
    busy = {"uptake": 0.8, "adherence": 0.7, "dropout_per_year": 2.0, "side_effects": 0.3, "waning_weeks": 6.0}
    return (
        Programme(name="all", acts=tuple(Act(on, 0.3) for on in ACTS if on not in ("adversity", "ties")), **busy),
        Programme(name="queue", acts=(GAIN,), capacity=30, course_weeks=4, target=Position("isolated", 0.3), **busy),
        Programme(name="peers", acts=(Act("ties", 0.5, group=6),), target=Position("bridges", 0.2), **busy),
        Programme(name="found", acts=(HELP,), screening=Screening(Within("loneliness", 0.0), 0.8, 0.9, 5.0), start=21),
        Programme(name="young", acts=(Act("adversity", 0.8),), uptake=0.5, onset_weeks=10),
    )


def test_a_resumed_run_equals_a_straight_one(arm: Arm, tmp_path: Path) -> None:
    straight = arm(150, *everything())
    first = arm(30, *everything())  # in the middle of a week and of a quarter, and some have died since the last step
    assert not np.array_equal(first.interventions._generation, first.population["generation"])
    first.save(tmp_path / "state.npz")
    second = world(*everything())
    second.restore(tmp_path / "state.npz")
    second.advance(150 - 30)
    assert differing(straight, second) == []
    assert np.array_equal(straight.network.weight, second.network.weight)
    for name in ("day", "person", "programme", "event"):
        assert np.array_equal(getattr(straight.delivery_log, name), getattr(second.delivery_log, name))
    assert straight.interventions.accounts == second.interventions.accounts


def test_programmes_that_have_begun_must_be_the_same(arm: Arm, tmp_path: Path) -> None:
    begun, later = Programme(name="drug", acts=(GAIN,)), Programme(name="later", acts=(GAIN,), start=50)
    arm(20, begun).save(tmp_path / "state.npz")
    with pytest.raises(InputError, match=r"checkpoint\.programmes"):
        world().restore(tmp_path / "state.npz")
    world(begun, later).restore(tmp_path / "state.npz")


# Only those whom it can reach


def distances(network: Network, slot: int) -> NDArray[np.float64]:
    """Ties to go from one person to everybody else, in whichever direction they give support."""
    reached = np.full(network.people, np.inf)
    reached[slot], front, far = 0, {slot}, 0
    ego = np.repeat(np.arange(network.people), np.diff(network.start))
    held = network.weight > 0
    ends = np.concatenate([ego[held], network.neighbour[held]]), np.concatenate([network.neighbour[held], ego[held]])
    while front:
        far += 1
        front = {int(k) for k in ends[1][np.isin(ends[0], list(front))] if np.isinf(reached[k])}
        reached[list(front)] = far
    return reached


def ring() -> Network:
    """Everybody is tied to the next two on either side: people are far apart."""
    here = np.arange(PEOPLE)
    pairs = {tuple(sorted((int(i), int((i + step) % PEOPLE)))) for i in here for step in (1, 2)}
    low, high = (np.array(side) for side in zip(*sorted(pairs), strict=True))
    return Network.from_edges(people=PEOPLE, source=low, target=high)


RING = ring()


@pytest.mark.parametrize("network", [RING, None], ids=["on a ring", "in the generated network"])
def test_treating_one_person_reaches_others_one_tie_a_day(arm: Arm, network: Network | None) -> None:
    slot = 700
    changed = {} if network is None else {"network": network}
    programme = Programme(name="a friend", acts=(HELP,), target=Persons((slot * 65536,)))
    without, treated = arm(0, **changed), arm(0, programme, **changed)
    far = distances(without.network, slot)
    assert np.isinf(far).any() or far.max() > 12
    seen = set()
    for day in range(1, 15 if network is not None else 7):
        without.advance(1)
        treated.advance(1)
        differ = who_differ(without, treated)
        # on the day of treatment only the person; from the next day on who hears of it, one tie a day
        assert far[differ].max(initial=0) <= day - 1, f"after {day} days"
        assert differ[slot]
        seen |= set(far[differ].tolist())
    assert {0.0, 1.0, 2.0} <= seen


def test_a_drug_for_one_person_never_reaches_those_without_ties_to_them(arm: Arm) -> None:
    split = Network.from_edges(people=PEOPLE, source=[0, 1, 3], target=[1, 2, 4])
    treated = Programme(name="drug", acts=(GAIN,), target=Persons((0,)))
    differ = who_differ(arm(150, network=split), arm(150, treated, network=split))
    assert set(np.flatnonzero(differ).tolist()) <= {0, 1, 2}
    assert differ[0]


# What it changes, and back


def test_traits_change_by_dose_and_come_back_exactly(arm: Arm, usual: Simulation) -> None:
    sizes = {"central_gain": -0.4, "giving": 0.3, "threat_reactivity": -1.0}
    acts = tuple(Act(on, size) for on, size in sizes.items())
    programme = Programme(name="mixed", acts=acts, target=Sex("female"), adherence=0.6, end=98)
    early, late = arm(90, programme), arm(120, programme)
    treated = early.interventions.each[0].treated
    adherence = early.interventions.each[0].adherence[treated]  # type: ignore[union-attr]
    assert treated.size > 500
    for name, size in sizes.items():
        before, now = usual.population[name], early.population[name]
        assert np.allclose(now[treated], before[treated] * np.exp(adherence * size), rtol=1e-6)
        others = np.delete(np.arange(PEOPLE), treated)
        others = others[usual.population["generation"][others] == early.population["generation"][others]]
        assert np.array_equal(now[others], before[others])
        assert np.array_equal(late.population[name], before), "exactly as if it had never been"
    assert not np.array_equal(late.population["alert_mean"], usual.population["alert_mean"]), "what it did lasts"


def test_columns_that_only_programmes_write_come_back_to_zero(arm: Arm) -> None:
    acts = (
        Act("sleep_relief", 0.5),
        Act("reported_relief", 0.2),
        Act("stress_relief", 0.4),
        Act("peripheral_relief", 0.4),
        HELP,
    )
    programme = Programme(name="all", acts=acts, end=70)
    early, late = arm(60, programme).population, arm(80, programme).population
    assert np.all(early["sleep_relief"][early["generation"] == 0] == np.float32(0.5))
    assert np.allclose(early["added_support"], 4 * early["added_weight"])
    for name in (
        "sleep_relief",
        "reported_relief",
        "stress_relief",
        "peripheral_relief",
        "added_support",
        "added_weight",
    ):
        assert early[name].max() > 0, name
        assert late[name].max() == 0, name


def test_effects_grow_fade_and_wane(arm: Arm) -> None:
    programme = Programme(
        name="drug", acts=(Act("sleep_relief", 1.0),), onset_weeks=4, fading_weeks=20, waning_weeks=3, end=56,
        target=Persons((700 * 65536,)),
    )  # fmt: skip
    made, doses = arm(0, programme), []
    for week in range(13):
        made.advance(7 * week + 1 - made.day)
        doses.append(float(made.population["sleep_relief"][700]))
    middle = np.arange(13) + 0.5
    grown = np.minimum(1, middle / 4) * (1 - middle / 20)
    waned = np.maximum(0, 1 - (middle - 8) / 3) * (1 - middle / 20)
    assert np.allclose(doses, np.where(np.arange(13) < 8, grown, waned), atol=1e-6)


def test_doses_of_several_programmes_add_up_on_the_log_scale_and_shares_multiply(arm: Arm, usual: Simulation) -> None:
    one = Programme(name="one", acts=(GAIN, Act("stress_relief", 0.5)))
    other = Programme(name="other", acts=(Act("central_gain", -0.2), Act("stress_relief", 0.2)), target=Sex("male"))
    made = arm(30, one, other)
    men = np.intersect1d(*(each.treated for each in made.interventions.each))
    assert men.size > 500
    assert not made.population["female"][men].any()
    men = men[usual.population["generation"][men] == 0]
    gain = usual.population["central_gain"]
    assert np.allclose(made.population["central_gain"][men], gain[men] * np.exp(-0.6), rtol=1e-6)
    assert np.allclose(made.population["stress_relief"][men], 0.6)


def test_each_act_does_something_of_its_own(arm: Arm, usual: Simulation) -> None:
    moved = {
        "support": ("felt_support", 1), "stress_relief": ("stress", -1), "sleep_relief": ("poor_sleep", -1),
        "peripheral_relief": ("peripheral", -1), "soothing_capacity": ("soothing", 1), "threat_reactivity": ("threat", 1),
        "support_uptake": ("felt_support", 1), "giving": ("felt_support", 1), "central_gain": ("sensitization", 1),
        "sensory_sensitivity": ("stress", 1),
    }  # fmt: skip
    for on, (column, sign) in moved.items():
        act = Act(on, 0.5, level=4.0)
        made = arm(120, Programme(name="one", acts=(act,)))
        shift = made.population[column].astype(float) - usual.population[column]
        assert sign * shift.mean() > 0, on
        assert sign * shift.mean() / (shift.std() / math.sqrt(PEOPLE)) > 4, on


def test_a_placebo_changes_what_is_rated_and_nothing_else(arm: Arm, usual: Simulation) -> None:
    made = arm(120, Programme(name="placebo", acts=(Act("reported_relief", 0.5),)))
    assert differing(usual, made) == ["reported_relief"]
    who, gain = made.population, np.float32(made.parameters["pain_gain"])
    person = int(np.argmax(who["body_map"] > 0))
    state = [who[name][person] for name in ("body_map", "sensitization", "variation", "central_gain")]
    felt, rated = (float(pain_intensity(*state, gain, np.float32(relief))) for relief in (0.0, 0.5))
    assert pytest.approx(math.log(felt / (10 - felt)) - math.log(rated / (10 - rated)), abs=1e-5) == 0.5


def test_support_joins_the_mean_with_its_weight(arm: Arm) -> None:
    alone = Network.empty(people=PEOPLE)
    made = arm(30, Programme(name="friend", acts=(Act("support", 2.0, level=1.5),)), network=alone)
    p, who = made.parameters, made.population
    founders = who["generation"] == 0
    baseline = p["support_baseline_weight"]
    felt = (baseline * p["support_baseline"] + 2.0 * 1.5) / (baseline + 2.0)
    assert np.allclose(who["felt_support"][founders], (who["support_uptake"] * felt)[founders], rtol=1e-5)


# Who is reached


def test_shares_are_what_was_asked_for(arm: Arm) -> None:
    programme = Programme(name="drug", acts=(GAIN,), coverage=0.7, uptake=0.6, adherence=0.8, recruit_weeks=1)
    made = arm(1, programme)
    offered, started = slots(made, Event.OFFERED), slots(made, Event.STARTED)
    assert near(offered.size / PEOPLE, 0.7, PEOPLE)
    assert near(started.size / offered.size, 0.6, offered.size)
    assert slots(made, Event.DECLINED).size == offered.size - started.size
    adherence = made.interventions.each[0].adherence[started]  # type: ignore[union-attr]
    assert abs(adherence.mean() - 0.8) < 4 * 0.16 / math.sqrt(started.size)  # sd of Beta(4, 1)
    assert adherence.min() < 0.6
    assert adherence.max() <= 1


def test_people_drop_out_and_stop_for_side_effects_at_their_rates(arm: Arm) -> None:
    leaves = Programme(name="leaves", acts=(GAIN,), dropout_per_year=1.0, recruit_weeks=1)
    suffers = Programme(name="suffers", acts=(GAIN,), side_effects=0.2, side_effect_weeks=6, recruit_weeks=1)
    made = arm(183, leaves, suffers)
    began = slots(made, Event.STARTED, "leaves").size
    assert near(slots(made, Event.DROPPED, "leaves").size / began, 1 - math.exp(-182 / 365.25), began)
    stopped = made.delivery_log.event == Event.STOPPED_SIDE_EFFECTS
    assert near(stopped.sum() / began, 0.2, began)
    assert made.delivery_log.day[stopped].min() >= 7
    assert made.delivery_log.day[stopped].max() <= 42
    assert slots(made, Event.STOPPED_SIDE_EFFECTS, "leaves").size == 0


def test_capacity_is_never_exceeded_and_the_queue_moves(arm: Arm) -> None:
    programme = Programme(name="clinic", acts=(GAIN,), capacity=25, course_weeks=3, target=Sex("female"))
    made = arm(0, programme)
    for week in range(16):
        made.advance(7 * week + 1 - made.day)
        assert made.interventions.each[0].treated.size == 25, f"in week {week}"
    log = made.delivery_log
    started, day = log.persons(Event.STARTED), log.day[log.event == Event.STARTED]
    assert started.size == 25 * 6
    assert np.unique(started).size == started.size
    assert set(day.tolist()) <= {*range(0, 112, 21)} | set(log.day[log.event == Event.DIED].tolist())
    queue = log.persons(Event.WAITING)[log.day[log.event == Event.WAITING] == 0]
    assert np.isin(started[day > 0], queue).all(), "first come, first served"
    assert not np.array_equal(np.sort(started[:25]), started[:25]) or started[:25].max() > 65536 * 100, (
        "luck, not order"
    )


def test_who_joined_the_queue_earlier_is_served_earlier(arm: Arm) -> None:
    made = arm(
        200, Programme(name="clinic", acts=(GAIN,), capacity=5, course_weeks=2, target=Within("alert_mean", 0.3))
    )
    log = made.delivery_log
    joined = dict(zip(log.persons(Event.WAITING).tolist(), log.day[log.event == Event.WAITING].tolist(), strict=True))
    died = dict(zip(log.persons(Event.DIED).tolist(), log.day[log.event == Event.DIED].tolist(), strict=True))
    started = log.persons(Event.STARTED).tolist()
    assert sum(day > 0 for day in joined.values()) > 50, "some join later"
    for person, day in zip(started, log.day[log.event == Event.STARTED].tolist(), strict=True):
        earlier = [other for other in joined if joined[other] < joined.get(person, day) and other not in started]
        assert all(died.get(other, 999) <= day for other in earlier)


def test_who_moves_in_has_nothing_of_what_the_dead_had(arm: Arm) -> None:
    programme = Programme(name="drug", acts=(GAIN, Act("sleep_relief", 0.5)), recruit_weeks=1)
    without, made = arm(120, demography=DEADLY), arm(120, programme, demography=DEADLY)
    new = made.population["generation"] > 0
    assert new.sum() > 50
    assert made.population["sleep_relief"][new].max() == 0
    assert np.array_equal(made.population["central_gain"][new], without.population["central_gain"][new])
    known_by_now = made.population["generation"] == made.interventions.each[0].generation
    assert slots(made, Event.DIED).size == (new & known_by_now).sum()


def test_a_simulation_can_be_taken_back(arm: Arm, tmp_path: Path) -> None:
    made = arm(30, *everything())
    state = made.save(tmp_path / "state.npz")
    made.advance(70)
    before = {name: column.copy() for name, column in made.population.items()}
    started = made.delivery_log.persons(Event.STARTED)
    made.restore(state)
    made.advance(70)
    assert all(np.array_equal(before[name], made.population[name]) for name in before)
    assert np.array_equal(started, made.delivery_log.persons(Event.STARTED))


def test_who_waits_when_it_ends_was_never_served(arm: Arm) -> None:
    made = arm(60, Programme(name="clinic", acts=(GAIN,), capacity=5, end=28, target=Random(0.1)))
    log = made.delivery_log
    assert log.persons(Event.STARTED).size >= 5
    assert np.isin(log.persons(Event.UNSERVED), log.persons(Event.WAITING)).all()
    assert set(log.day[log.event == Event.UNSERVED].tolist()) == {28}
    assert not made.interventions.each[0].treated.size


def test_the_log_proves_who_was_reached(arm: Arm) -> None:
    cases = Holds(("chronic_widespread_pain",))
    target = Sex("female") & Within("age", 40, 60) & (cases | TiesOf(cases))
    start = arm(14)
    view_of = arm(14, Programme(name="idle", target=Everyone()))
    who = start.population
    held = (who["conditions"] & np.uint32(start.catalogue.mask(["chronic_widespread_pain"]))) != 0
    network, tied = start.network, np.zeros(PEOPLE, np.bool_)
    ego = np.repeat(np.arange(PEOPLE), np.diff(network.start))
    tied[ego[(network.weight > 0) & held[network.neighbour]]] = True
    age = (14 - who["birth_day"]) / 365.25
    meant = np.flatnonzero((who["female"] == 1) & (age >= 40) & (age <= 60) & (held | tied))
    made = arm(15, Programme(name="drug", acts=(GAIN,), target=target, start=14))
    assert meant.size > 100
    assert np.array_equal(slots(made, Event.STARTED), meant)
    assert differing(start, view_of) == []
    differ = np.flatnonzero(made.population["central_gain"] != arm(15).population["central_gain"])
    assert np.array_equal(differ, meant), "and nobody else's gain was changed"


def test_who_becomes_eligible_later_is_offered_it_then_unless_recruiting_is_over(arm: Arm) -> None:
    target = Within("alert_mean", 0.3)
    open_, closed = (Programme(name="drug", target=target, recruit_weeks=weeks) for weeks in (None, 1))
    later, once = (arm(200, programme).delivery_log for programme in (open_, closed))
    assert later.day.max() > 100
    assert set(once.day[once.event == Event.OFFERED].tolist()) == {0}
    assert once.persons(Event.STARTED).size < later.persons(Event.STARTED).size


def test_screening_finds_with_sensitivity_and_clears_with_specificity(arm: Arm, usual: Simulation) -> None:
    screening = Screening(Within("loneliness", 0.0), sensitivity=0.8, specificity=0.9, cost=15.0)
    programme = Programme(
        name="screen", acts=(HELP,), screening=screening, uptake=0.9, recruit_weeks=1, cost_per_start=100
    )
    made = arm(1, programme)
    screened, positive = slots(made, Event.SCREENED), slots(made, Event.POSITIVE)
    lonely = arm(0).population["loneliness"][screened] >= 0
    found = np.isin(screened, positive)
    assert near(found[lonely].mean(), 0.8, int(lonely.sum()))
    assert near(found[~lonely].mean(), 0.1, int((~lonely).sum()))
    assert np.array_equal(slots(made, Event.STARTED), positive)
    assert made.interventions.accounts[0]["cost"] == 15 * screened.size + 100 * positive.size


def test_another_programme_and_more_people_change_nobodys_luck(arm: Arm) -> None:
    north, south = (
        Programme(
            name=name,
            kind="befriending",
            acts=(Act("support", 0.9),),
            target=Random(0.5),
            uptake=0.6,
            dropout_per_year=2.0,
        )
        for name in ("north", "south")
    )
    alone, both = arm(100, north), arm(100, south, north)
    assert alone.delivery_log.names == ("north",)
    for event in (Event.STARTED, Event.DROPPED):
        assert np.array_equal(alone.delivery_log.persons(event), both.delivery_log.persons(event, "north"))
    assert not np.array_equal(slots(both, Event.STARTED, "north"), slots(both, Event.STARTED, "south"))
    twice = np.intersect1d(both.interventions.each[0].treated, both.interventions.each[1].treated)
    assert twice.size > 20
    assert both.population["added_weight"][twice].min() > 0.9 * 1.9


def test_nobody_has_two_programmes_that_exclude_each_other(arm: Arm) -> None:
    young, old = Within("age", 0, 50), Within("age", 50.001, 120)
    one = Programme(name="one", kind="tramadol", acts=(GAIN,), target=young, exclusive_with=("snri",))
    made = arm(200, one, Programme(name="two", kind="snri", acts=(GAIN,), target=old))
    turned = slots(made, Event.STARTED, "one")
    turned = turned[made.population["age"][turned] > 50.1]
    assert turned.size > 0, "some turn 50 under the first"
    assert not np.isin(turned, slots(made, Event.STARTED, "two")).any()


# Ties


@pytest.fixture(scope="module")
def peers() -> Programme:
    return Programme(
        name="peers", acts=(Act("ties", 0.5, group=8),), target=Random(0.3), dropout_per_year=1.0, end=140, start=7
    )


def test_peer_groups_are_whole_of_their_size_and_end(arm: Arm, peers: Programme) -> None:
    without, made = arm(0), arm(0, peers)
    for day in (8, 60, 92, 139, 141):  # the network is renewed on day 91
        without.advance(day - without.day)
        made.advance(day - made.day)
        assert ordinary(made) == ordinary(without), f"on day {day}"
        tied = made_by_programmes(made)
        if day > 140:
            assert not tied
            continue
        group = made.interventions._groups[0].group
        members = made.interventions.each[0].treated
        assert np.array_equal(np.flatnonzero(group >= 0), members)
        sizes = np.bincount(group[members])
        assert sizes.max() <= 8
        if day == 8:
            assert set(sizes.tolist()) <= {7, 8}
        ordinarily = {(a, b) for a, b, _, _ in ordinary(made)}
        died = {int(i) for i in np.flatnonzero(made.population["generation"] != made.interventions._generation)}
        expected = {
            (int(a), int(b))
            for g in range(sizes.size)
            for a in np.flatnonzero(group == g)
            for b in np.flatnonzero(group == g)
            if a != b and not {int(a), int(b)} & died
        }
        assert tied - ordinarily == expected - ordinarily
    assert slots(made, Event.DROPPED).size > 50


def test_ties_of_a_group_that_nobody_leaves_outlast_the_renewal_of_the_network(arm: Arm) -> None:
    few = Persons(tuple(65536 * slot for slot in range(0, PEOPLE, 200)))
    made = arm(0, Programme(name="peers", acts=(Act("ties", 0.5),), target=few))
    made.advance(85)
    before = made_by_programmes(made)
    assert len(before) > 40
    made.advance(20)
    assert made_by_programmes(made) == before


def test_ties_that_programmes_make_carry_support(arm: Arm, peers: Programme) -> None:
    alone = Network.empty(people=PEOPLE)
    members = arm(30, peers, network=alone)
    before, after = arm(30, network=alone).population["felt_support"], members.population["felt_support"]
    treated = members.interventions.each[0].treated
    assert (after[treated] != before[treated]).mean() > 0.95
    outside = np.delete(np.arange(PEOPLE), slots(members, Event.STARTED))
    assert np.array_equal(after[outside], before[outside])


def test_a_given_network_keeps_its_ties_under_those_of_programmes(arm: Arm, peers: Programme) -> None:
    deadly = {"network": RING, "demography": DEADLY}
    without, made = arm(200, **deadly), arm(200, peers, **deadly)
    assert without.population["generation"].sum() > 50
    assert ordinary(made) == ordinary(without)
    assert np.array_equal(without.network.neighbour, made.network.neighbour)


def test_pairs_are_tied_across_the_population(arm: Arm) -> None:
    bridging = Programme(name="bridges", acts=(Act("ties", 0.4, group=2),), target=Random(0.2), recruit_weeks=1)
    made = arm(5, bridging)
    tied = made_by_programmes(made)
    assert 200 < len(tied) < 400
    assert len({a for a, _ in tied}) == len(tied), "each has one"
    assert np.mean([abs(a - b) for a, b in tied]) > PEOPLE / 5, "and seldom a neighbour"


# Those still to come


def test_prevention_reaches_newcomers_and_nobody_who_lives(arm: Arm) -> None:
    prevention = Programme(name="home visits", acts=(Act("adversity", 0.8),), coverage=0.6, start=14)
    without, made = arm(0, demography=DEADLY), arm(0, prevention, demography=DEADLY)
    traits = ("adversity", "threat_reactivity", "soothing_capacity", "central_gain", "giving")
    for day in (14, 200, 400):
        without.advance(day - without.day)
        made.advance(day - made.day)
        before, now = without.population, made.population
        assert np.array_equal(before["generation"], now["generation"]), "deaths are the same"
        living = now["generation"] == 0
        assert all(np.array_equal(before[name][living], now[name][living]) for name in traits)
    new = now["generation"] > 0
    assert new.sum() > 200
    assert np.all(now["adversity"] <= before["adversity"])
    assert now["adversity"][new].mean() < 0.75 * before["adversity"][new].mean()
    reached = np.isin(made.population.person(), made.delivery_log.persons(Event.STARTED))
    assert near(reached[new].mean(), 0.6, int(new.sum()))
    changed = now["adversity"] < before["adversity"]
    assert not (changed & ~reached).any(), "and the log has everybody whom it changed"


def test_prevention_takes_childhood_to_reach_its_full_effect(arm: Arm) -> None:
    slow = Programme(name="slow", acts=(Act("adversity", 0.5),), onset_weeks=20, end=140, waning_weeks=10)
    made = arm(0, slow)
    for day, expected in ((1, 0.0), (71, 0.25), (139, 0.475), (141, 0.5), (176, 0.25), (211, 0.0)):
        made.advance(day - made.day)
        assert np.allclose(made.prevention, expected, atol=1e-6), f"on day {day}"


# The kinds of the package


@pytest.mark.parametrize("kind", shipped_kinds())
def test_every_kind_of_the_package_runs_and_has_a_source_for_every_number(
    arm: Arm, usual: Simulation, kind: str
) -> None:
    entry, faults = shipped_kinds()[kind], Faults()
    told = {"kind": kind, "name": kind} | ({} if kind == "adversity_prevention" else {"eligible": "all"})
    programme = read_programme(told, shipped_kinds(), kind, faults)
    assert not faults.found
    assert set(entry) - {"label", "role", "rows", "source", "note", "eligible"} <= set(entry["source"])
    assert all(entry["source"].values())
    assert (entry["role"] == "input") == ("rows" in entry)
    made = arm(120, programme)
    if kind == "strong_opioid":
        assert differing(usual, made) == [], "no effect is known"
    elif kind != "adversity_prevention":
        assert differing(usual, made)


def test_kinds_name_rows_that_set_sizes_and_never_rows_that_check() -> None:
    from fitss_abm.study.targets import load_targets

    role = load_targets().set_index("id")["role"]
    for kind in shipped_kinds().values():
        assert all(role[row] == "input" for row in kind.get("rows", ()))

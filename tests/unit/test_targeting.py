"""Targets: conditions on people, positions in small networks whose answer is known, composition, and tables that files hold."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import networkx
import numpy as np
import pytest
from scipy import stats

from fitss_abm.errors import Faults
from fitss_abm.model import positions
from fitss_abm.model.demography import load
from fitss_abm.model.network import Layer, Network
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Seeds, Simulation
from fitss_abm.model.target_tables import apart, check_conditions, read_target
from fitss_abm.model.targeting import (
    All,
    AnyOf,
    Everyone,
    Groups,
    Holds,
    Not,
    Persons,
    Position,
    Random,
    Sex,
    Target,
    TiesOf,
    Within,
)
from fitss_abm.model.view import View

GERMANY = load("Germany")
STAR = [(0, k) for k in range(1, 5)]
TRIANGLE = [(5, 6), (6, 7), (5, 7)]
PEOPLE = 9  # a star of five, a triangle, and somebody alone


def network(edges: Iterable[tuple[int, int]], people: int = PEOPLE, **more: Any) -> Network:
    pairs = np.array(list(edges)).reshape(-1, 2)
    return Network.from_edges(people=people, source=pairs[:, 0], target=pairs[:, 1], **more)


def view(ties: Network, name: str = "a programme", day: int = 0) -> View:
    made = Simulation(people=ties.people, demography=GERMANY, network=ties, seeds=Seeds(4), threads=1)
    return View(made.population, made.network, made.catalogue, 0.6, day, made.seeds.key(Stream.DELIVERY), name)


def whom(target: Target, seen: View) -> list[int]:
    return np.flatnonzero(target.reaches(seen)).tolist()


@pytest.fixture
def small() -> View:
    return view(network(STAR + TRIANGLE))


# Positions


def test_isolated_hubs_and_bridges(small: View) -> None:
    assert whom(Position("isolated", 1 / 9), small) == [8]
    assert whom(Position("isolated", 5 / 9), small) == [1, 2, 3, 4, 8]  # one tie each
    assert whom(Position("hubs", 1 / 9), small) == [0]
    assert whom(Position("bridges", 1 / 9), small) == [0]
    assert positions.bridging(small.network).tolist() == [6, 0, 0, 0, 0, 0, 0, 0, 0]
    assert whom(Position("hubs", 0.0), small) == []
    assert whom(Position("hubs", 1.0), small) == list(range(9))


def test_strength_counts_not_the_number_of_ties() -> None:
    seen = view(network([(0, 1), (0, 2), (3, 4)], people=6, weight=[0.1, 0.1, 2.0]))
    assert positions.received(seen.network).tolist() == [820, 410, 410, 8192, 8192, 0]
    assert whom(Position("hubs", 2 / 6), seen) == [3, 4]


def test_giving_and_receiving_are_told_apart() -> None:
    one_way = network([(0, 1), (0, 2)], people=3, directed=True)  # 0 supports, and nobody supports 0
    assert positions.given(one_way).tolist() == [8192, 0, 0]
    assert positions.received(one_way).tolist() == [0, 4096, 4096]


def test_bridging_is_the_number_of_alters_who_are_apart() -> None:
    graph = networkx.gnp_random_graph(60, 0.15, seed=2)
    expected = [
        sum(1 for a in graph[i] for b in graph[i] if a < b and not graph.has_edge(a, b)) for i in range(len(graph))
    ]
    assert positions.bridging(network(graph.edges, people=60)).tolist() == expected


def test_bridging_is_estimated_for_people_of_many_ties() -> None:
    many = positions.MOST_ALTERS * 3
    star = network([(0, k) for k in range(1, many + 1)], people=many + 1)
    assert positions.bridging(star)[0] == many * (many - 1) / 2
    full = network(networkx.complete_graph(many + 1).edges, people=many + 1)
    assert positions.bridging(full).max() == 0


def test_bridging_goes_with_betweenness_in_a_generated_network() -> None:
    made = Simulation(people=600, demography=GERMANY, seeds=Seeds(1), threads=1).network
    between = networkx.betweenness_centrality(made.to_networkx().to_undirected())
    found = stats.spearmanr(positions.bridging(made), [between[i] for i in range(600)]).statistic
    assert found > 0.75


def test_equals_are_ordered_by_luck() -> None:
    nobody_tied = Network.empty(people=200)
    one, same, other = (view(nobody_tied, name) for name in ("x", "x", "y"))
    chosen = [whom(Position("isolated", 0.1), seen) for seen in (one, same, other)]
    assert len(chosen[0]) == 20
    assert chosen[0] == chosen[1] != chosen[2]


def test_who_has_moved_in_since_the_quarter_began_has_no_position_yet(small: View) -> None:
    assert whom(Position("hubs", 1 / 9), small) == [0]
    small.population["generation"][0] = 1
    assert whom(Position("hubs", 1 / 9), small) == []
    assert whom(Position("hubs", 3 / 9), small) == [5, 6, 7]


def test_ties_of_cases() -> None:
    seen = view(network([*STAR, (5, 6)], layer=[0, 1, 2, 3, 0], directed=True))
    assert whom(TiesOf(Persons((1,))), seen) == []  # persons are numbers, not slots
    at = [k * 65536 for k in range(PEOPLE)]
    assert whom(TiesOf(Persons((at[0],))), seen) == [1, 2, 3, 4]
    assert whom(TiesOf(Persons((at[3],))), seen) == [0], "a tie counts in whichever direction it gives support"
    assert whom(TiesOf(Persons((at[0], at[5])), partners=True), seen) == [1, 6]
    seen.network.set_programme_ties([7], [8], [4096])
    assert whom(TiesOf(Persons((at[7],))), seen) == [], "ties that programmes made are no position"


def test_whole_groups() -> None:
    layer = [Layer.WORK] * 4 + [Layer.PARTNER, Layer.KIN, Layer.FRIEND]
    seen = view(network([*STAR, (5, 6), (6, 7), (7, 8)], layer=layer))
    assert positions.groups(seen.network, "work").tolist() == [0, 0, 0, 0, 0, 5, 6, 7, 8]
    assert positions.groups(seen.network, "family").tolist() == [0, 1, 2, 3, 4, 5, 5, 5, 8]
    assert whom(Groups("work"), seen) == [0, 1, 2, 3, 4]
    assert whom(Groups("family", of=Persons((7 * 65536,))), seen) == [5, 6, 7]
    assert whom(Groups("family", of=Persons((0,))), seen) == []


def test_groups_are_the_connected_components() -> None:
    graph = networkx.gnp_random_graph(300, 0.004, seed=3)
    label = positions.groups(network(graph.edges, people=300), "given")
    for members in networkx.connected_components(graph):
        assert {int(label[i]) for i in members} == {min(members)}


def test_a_share_of_groups_is_reached_whole() -> None:
    pairs = [(2 * k, 2 * k + 1) for k in range(2000)]
    seen = view(network(pairs, people=4000))
    chosen = Groups("given", 0.3).reaches(seen)
    assert np.array_equal(chosen[::2], chosen[1::2])
    assert abs(chosen.mean() - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 2000)


# Luck


def test_random_shares_are_of_their_size_nested_and_named() -> None:
    seen, other = view(Network.empty(people=4000)), view(Network.empty(people=4000), "another")
    few, many = (Random(share).reaches(seen) for share in (0.2, 0.5))
    for share, chosen in ((0.2, few), (0.5, many)):
        assert abs(chosen.mean() - share) < 4 * math.sqrt(share * (1 - share) / 4000)
    assert not (few & ~many).any()
    assert not np.array_equal(few, Random(0.2).reaches(other))
    named = Random(0.5, "trial")
    assert np.array_equal(named.reaches(seen), named.reaches(other))
    assert np.array_equal(Not(named).reaches(seen), ~named.reaches(other))
    assert not Random(0.0).reaches(seen).any()
    assert Random(1.0).reaches(seen).all()


# Conditions on people


def test_conditions_on_people(small: View) -> None:
    who = small.population
    who["female"][:] = [1, 1, 1, 1, 1, 0, 0, 0, 0]
    who["birth_day"][:] = [-365 * years for years in range(10, 100, 10)]
    who["adversity"][:] = range(9)
    who["loneliness"][:] = np.linspace(-0.4, 0.4, 9)
    who["conditions"][3:5] = small.catalogue.mask(["fibromyalgia"])
    who["ever"][4:6] = small.catalogue.mask(["ptsd"])
    who["body_map"][:] = [2**k - 1 for k in range(9)]
    assert whom(Everyone(), small) == list(range(9))
    assert whom(Sex("female"), small) == [0, 1, 2, 3, 4]
    assert whom(Within("age", 25, 55), small) == [2, 3, 4]
    assert whom(Within("adversity", low=7), small) == [7, 8]
    assert whom(Within("loneliness", low=0.15), small) == [6, 7, 8]
    assert whom(Within("wpi", 3, 4), small) == [3, 4]
    assert whom(Within("pain", high=0.0), small) == [0]
    assert whom(Holds(("fibromyalgia", "ptsd")), small) == [3, 4]
    assert whom(Holds(("ptsd",), ever=True), small) == [4, 5]
    assert whom(Persons((2 * 65536, 3 * 65536 + 1)), small) == [2]
    both = Sex("female") & Holds(("fibromyalgia",))
    assert whom(both | Within("adversity", low=8), small) == [3, 4, 8]
    assert whom(~both & Sex("female"), small) == [0, 1, 2]


# Tables


@pytest.mark.parametrize(
    ("table", "target"),
    [
        ("all", Everyone()),
        ({"sex": "male"}, Sex("male")),
        ({"age": {"from": 18, "to": 65}}, Within("age", 18, 65)),
        ({"wpi": [7, 19]}, Within("wpi", 7, 19)),
        ({"loneliness": {"from": 0.3}}, Within("loneliness", 0.3)),
        ({"holds": "fibromyalgia"}, Holds(("fibromyalgia",))),
        ({"ever": ["ptsd", "fibromyalgia"]}, Holds(("ptsd", "fibromyalgia"), ever=True)),
        ({"random": 0.2}, Random(0.2)),
        ({"random": {"share": 0.5, "draw": "trial"}}, Random(0.5, "trial")),
        ({"isolated": 0.1}, Position("isolated", 0.1)),
        ({"ties_of": {"holds": "fibromyalgia"}}, TiesOf(Holds(("fibromyalgia",)))),
        ({"partners_of": {"sex": "female"}}, TiesOf(Sex("female"), partners=True)),
        ({"groups": {"kind": "work", "share": 0.1, "of": {"sex": "male"}}}, Groups("work", 0.1, Sex("male"))),
        ({"persons": [65536, 3]}, Persons((65536, 3))),
        ({"not": {"sex": "male"}}, Not(Sex("male"))),
        ({"any": [{"sex": "male"}, "all"]}, AnyOf((Sex("male"), Everyone()))),
        ({"all": [{"hubs": 0.1}, {"bridges": 0.2}]}, All((Position("hubs", 0.1), Position("bridges", 0.2)))),
        ({"sex": "female", "random": 0.5}, All((Sex("female"), Random(0.5)))),
    ],
)
def test_tables_say_what_targets_say(table: object, target: Target) -> None:
    faults = Faults()
    assert read_target(table, "target", faults) == target
    assert not faults.found


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("everybody", "must be 'all' or a table"),
        ({}, "must be 'all' or a table"),
        ({"isolate": 0.1}, "no such target. Did you mean 'isolated'?"),
        ({"isolated": 1.5}, "must be a share between 0 and 1"),
        ({"sex": "woman"}, "must be 'female' or 'male'"),
        ({"age": 18}, "must be a table such as"),
        ({"age": {"above": 18}}, "no such key of a range"),
        ({"age": {"from": 60, "to": 18}}, "ends before it begins"),
        ({"wpi": {"from": 25}}, "must lie between 0 and 19 painful sites"),
        ({"random": "half"}, "must be a share"),
        ({"groups": {"kind": "friends"}}, "no such kind of group"),
        ({"any": {"sex": "male"}}, "must be a list of targets"),
        ({"not": {"any": [{"hub": 0.1}]}}, "target.not.any[0].hub = 0.1: no such target. Did you mean 'hubs'?"),
        ({"persons": ["me"]}, "must be a list of people's numbers"),
    ],
)
def test_a_faulty_table_is_told(table: object, told: str) -> None:
    faults = Faults()
    read_target(table, "target", faults)
    assert len(faults.found) == 1
    assert told in str(faults.found[0])


def test_conditions_that_nobody_knows_are_told_wherever_they_stand(small: View) -> None:
    faults = Faults()
    hidden = Sex("male") | TiesOf(~Groups("work", of=Holds(("fibromyalgie",))))
    check_conditions(hidden, small.catalogue, "target", faults)
    assert "no such condition. Did you mean 'fibromyalgia'?" in str(faults.found[0])


def test_what_plainly_shares_nobody_is_known() -> None:
    half = Random(0.5, "trial")
    for one, other in (
        (Sex("female"), Sex("male")),
        (half, ~half),
        (Within("age", 18, 40), Within("age", 41, 60)),
        (Holds(("ptsd",)) & (Everyone() & half), ~half & Sex("female")),
    ):
        assert apart(one, other)
        assert apart(other, one)
    assert not apart(Sex("female"), Within("age", 18, 40))
    assert not apart(Sex("female") | Sex("male"), Sex("male"))

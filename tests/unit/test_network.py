"""The support network as arrays: shape of the topology, equal bits, given ties, networkx there and back."""

from __future__ import annotations

from typing import Any

import networkx
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitss_abm.errors import Faults, InputError
from fitss_abm.model.circles import Circles, generate
from fitss_abm.model.network import LARGEST_WEIGHT, Layer, Network
from fitss_abm.model.network_parameters import NetworkParameters
from fitss_abm.model.randomness import Stream, stream_key

K0, K1 = stream_key(11, Stream.NETWORK)
SMALL = NetworkParameters(local_community=64, wide_community=256)


def people(n: int) -> dict[str, Any]:
    """Everybody's age and sex; the first m of n people are the same for every n."""
    ages = np.random.default_rng(1).uniform(12, 90, n)
    female = np.random.default_rng(2).random(n) < 0.5
    birth_day = (-ages * 365.25).astype(np.int32)
    return {"birth_day": birth_day, "day": 0, "female": female, "generation": np.zeros(n, np.uint16)}


def made(n: int, parameters: NetworkParameters = SMALL) -> Network:
    return generate(**people(n), k0=K0, k1=K1, parameters=parameters)


def some_die(who: dict[str, Any], day: int) -> dict[str, Any]:
    dead = np.random.default_rng(day).random(len(who["female"])) < 0.02
    birth_day = np.where(dead, np.int32(day - 12 * 366), who["birth_day"])
    return {**who, "day": day, "birth_day": birth_day, "generation": who["generation"] + dead.astype(np.uint16)}


def arrays(network: Network) -> list[np.ndarray]:
    return [network.start, network.neighbour, network.weight, network.layer]


def directed_pairs(network: Network) -> dict[tuple[int, int], tuple[int, int]]:
    ego = np.repeat(np.arange(network.people), np.diff(network.start))
    rows = zip(ego.tolist(), network.neighbour.tolist(), network.weight.tolist(), network.layer.tolist(), strict=True)
    return {(i, j): (weight, layer) for i, j, weight, layer in rows}


@pytest.fixture(scope="module")
def renewed() -> Network:
    """Generated, then renewed over three years of many deaths."""
    who = people(1500)
    network = generate(**who, k0=K0, k1=K1, parameters=SMALL)
    for quarter in range(1, 13):
        who = some_die(who, 91 * quarter)
        network.renew(quarter=who["day"] // 91, **who, k0=K0, k1=K1)
    return network


@pytest.mark.parametrize("stage", ["founded", "renewed"])
def test_ties_are_mutual_single_and_never_to_oneself(stage: str, renewed: Network) -> None:
    network = made(1500) if stage == "founded" else renewed
    pairs = directed_pairs(network)
    assert len(pairs) == len(network.neighbour), "a pair stands twice in a row"
    assert len(pairs) > 10_000
    assert all(i != j for i, j in pairs)
    assert all(pairs.get((j, i)) == held for (i, j), held in pairs.items())
    assert network.weight.min() > 0
    assert network.ties * 2 == len(pairs)
    dtypes = [array.dtype for array in arrays(network)]
    assert dtypes == [np.int64, np.int32, np.uint16, np.uint8]
    assert all(array.flags.c_contiguous for array in arrays(network))


def test_a_pair_that_meets_twice_keeps_its_closest_layer() -> None:
    network = made(80, NetworkParameters(local_community=400, wide_community=400))
    assert isinstance(network.circles, Circles)
    cells = network.circles.cells
    pairs = directed_pairs(network)
    everybody = range(80)  # one community of each kind holds all 80, so a circle's number says who belongs together
    meet = [[(c[i] == c[j]) and c[i] != 65535 for c in cells] for i in everybody for j in everybody if i != j]
    layers = [pairs.get((i, j), (0, -1))[1] for i in everybody for j in everybody if i != j]
    assert len({sum(each) for each in meet}) > 2, "nobody meets twice: the test says nothing"
    for together, layer in zip(meet, layers, strict=True):
        closest = together.index(True) if any(together) else -1
        wanted = {-1: (-1,), 0: (Layer.PARTNER, Layer.KIN), 4: (Layer.WORK,)}.get(closest, (Layer.FRIEND,))
        assert layer in wanted


def test_partners_are_one_each_of_two_sexes_grown_up_and_near_in_age(renewed: Network) -> None:
    who = people(1500)
    network = made(1500)
    couples = [pair for pair, (_, layer) in directed_pairs(network).items() if layer == Layer.PARTNER]
    assert len(couples) > 300
    assert len({i for i, _ in couples}) == len(couples)
    ages = -who["birth_day"] / 365.25
    for i, j in couples:
        assert who["female"][i] != who["female"][j]
        assert min(ages[i], ages[j]) >= 19.99
        assert abs(ages[i] - ages[j]) < 10


def test_threads_do_not_matter() -> None:
    before = numba.get_num_threads()
    found = []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            network, who = made(3000), people(3000)
            for quarter in (1, 2):
                who = some_die(who, 91 * quarter)
                network.renew(quarter=who["day"] // 91, **who, k0=K0, k1=K1)
            found.append(arrays(network))
    finally:
        numba.set_num_threads(before)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [1100, 1151, 1280])
def test_one_more_person_changes_only_the_last_communities(n: int) -> None:
    fewer, more = directed_pairs(made(n)), directed_pairs(made(n + 1))
    # A last community reaches back over at most one and a half sizes (the remainder joins the one before it).
    untouched = n - 1.5 * SMALL.wide_community
    assert {p: held for p, held in fewer.items() if p[0] < untouched} == {
        p: held for p, held in more.items() if p[0] < untouched
    }
    assert any(n in pair for pair in more), "the newcomer has no ties: the test says nothing"


def test_another_seed_makes_another_network() -> None:
    k0, k1 = stream_key(12, Stream.NETWORK)
    assert directed_pairs(generate(**people(500), k0=k0, k1=k1, parameters=SMALL)) != directed_pairs(made(500))


def test_renewal_without_deaths_or_turnover_holds_every_tie() -> None:
    still = NetworkParameters(friend_turnover=0, work_turnover=0, separation=0, leave_home=0, work_from_age=12)
    network = generate(**people(1000), k0=K0, k1=K1, parameters=still)
    before = directed_pairs(network)
    network.renew(quarter=1, **people(1000), k0=K0, k1=K1)
    after = directed_pairs(network)
    assert {p: weight for p, (weight, _) in before.items()}.items() <= {p: w for p, (w, _) in after.items()}.items()


def test_a_newcomer_has_parents_and_keeps_none_of_the_ties_of_the_dead() -> None:
    who = people(4000)
    network = made(4000)
    before = directed_pairs(network)
    who = some_die(who, 91)
    network.renew(quarter=who["day"] // 91, **who, k0=K0, k1=K1)
    after = directed_pairs(network)
    newcomers = np.flatnonzero(who["generation"])
    with_parent = [
        any(18 <= (who["birth_day"][i] - who["birth_day"][j]) / 365.25 <= 45 for j in kin_of(network, int(i)))
        for i in newcomers
    ]
    assert np.mean(with_parent) > 0.9
    inherited = [pair for pair in after if pair[0] in set(newcomers.tolist()) and before.get(pair) == after[pair]]
    assert not inherited


def kin_of(network: Network, person: int) -> list[int]:
    row = slice(network.start[person], network.start[person + 1])
    return [int(j) for j in network.neighbour[row][network.layer[row] == Layer.KIN]]


def test_a_restored_state_renews_alike() -> None:
    network, other = made(600), Circles(600, SMALL)
    assert isinstance(network.circles, Circles)
    other.restore({name: array.copy() for name, array in network.circles.arrays().items()})
    who = some_die(people(600), 91)
    network.renew(quarter=who["day"] // 91, **who, k0=K0, k1=K1)
    rows = other.renew(1, who["birth_day"], 91, who["female"], who["generation"], K0, K1)
    for one, two in zip(arrays(network), [rows.start, rows.neighbour, rows.weight, rows.layer], strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_few_people_are_no_trouble(n: int) -> None:
    assert made(n).people == n


def test_given_ties_support_both_ways_or_one() -> None:
    both = Network.from_edges(people=3, source=[0], target=[2], weight=[0.5])
    assert directed_pairs(both) == {(0, 2): (2048, 4), (2, 0): (2048, 4)}
    one_way = Network.from_edges(people=3, source=[0], target=[2], weight=[0.5], layer=[2], directed=True)
    assert directed_pairs(one_way) == {(2, 0): (2048, 2), (0, 2): (0, 2)}, "source gives, target's row holds the weight"
    two_rows = Network.from_edges(people=3, source=[0, 2], target=[2, 0], weight=[0.5, 1], directed=True)
    assert directed_pairs(two_rows) == {(2, 0): (2048, 4), (0, 2): (4096, 4)}
    assert both.ties == one_way.ties == two_rows.ties == 1


def test_strengths_are_fixed_point_within_bounds() -> None:
    network = Network.from_edges(people=4, source=[0, 0, 0], target=[1, 2, 3], weight=[1e-9, 16, 0])
    assert network.weight[:3].tolist() == [1, 65535, 0]
    assert pytest.approx(16, abs=1e-3) == LARGEST_WEIGHT


def test_severed_given_ties_come_back_and_live_ones_are_left_alone() -> None:
    network = Network.from_edges(people=3, source=[0, 1], target=[1, 2], weight=[1, 2], directed=True)
    given_weight = network.weight.copy()
    network.weight[:] = np.where(network.weight == 4096, 0, network.weight // 2)
    network.renew(quarter=1, **people(3), k0=K0, k1=K1)
    assert network.weight.tolist() == [w // 2 if w == 8192 else w for w in given_weight.tolist()]


def test_empty() -> None:
    network = Network.empty(people=7)
    assert (network.people, network.ties, len(network.start)) == (7, 0, 8)


@settings(max_examples=50)
@given(st.integers(2, 12), st.booleans(), st.randoms(use_true_random=False))
def test_networkx_there_and_back(n: int, directed: bool, random: Any) -> None:
    graph = networkx.gnp_random_graph(n, 0.4, seed=random.randint(0, 10**6), directed=directed)
    for _, _, data in graph.edges(data=True):
        data["weight"], data["layer"] = random.randint(1, 16000) / 1024, random.choice(["kin", "work"])
    network = Network.from_networkx(graph)
    back = network.to_networkx()
    wanted = graph if directed else graph.to_directed()
    assert dict(back.edges) == dict(wanted.edges)
    assert set(back.nodes) == set(graph.nodes)
    again = Network.from_edges(people=n, directed=True, **network.to_edges())
    assert directed_pairs(again) == directed_pairs(network)


def test_networkx_faults_are_told_together() -> None:
    graph = networkx.Graph([("anna", 1, {"weight": "much"}), (1, 2, {"layer": "frend"})])
    with pytest.raises(InputError) as caught:
        Network.from_networkx(graph)
    text = str(caught.value)
    assert len(caught.value.faults) == 3
    assert "anna" in text
    assert "much" in text
    assert "Did you mean 'friend'?" in text
    slots = {"anna": 0, 1: 1, 2: 2}
    fine = networkx.relabel_nodes(networkx.Graph([("anna", 1), (1, 2)]), {})
    assert Network.from_networkx(fine, people=5, slots=slots).people == 5


def test_network_parameters_tell_every_fault() -> None:
    faults = Faults()
    assert NetworkParameters.from_mapping({"kin_factor": 2, "family_size_low": 5}, faults).kin_factor == 2
    assert not faults.found
    wrong = {"kin_facter": 2, "kinless": 2, "family_size_high": 7.5, "friends_any": "most", "local_community": True}
    NetworkParameters.from_mapping(wrong, faults)
    assert len(faults.found) == len(wrong)
    assert faults.found[0].nearest == "kin_factor"
    upside_down = Faults()
    NetworkParameters.from_mapping({"work_size_low": 30}, upside_down)
    assert "work_size_high" in str(upside_down.found[0])

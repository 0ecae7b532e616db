"""Luck belongs to the person: what changes nothing, or nobody near, leaves every bit as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.simulation import Change, Seeds, Simulation

PEOPLE = 3000
DAYS = 200  # passes two renewals of the network and many deaths


def simulation(**changed: object) -> Simulation:
    arguments: dict[str, object] = {"people": PEOPLE, "demography": load("Germany"), "seeds": Seeds(5)}
    return Simulation(**(arguments | changed))  # type: ignore[arg-type]


def lived(**changed: object) -> Simulation:
    made = simulation(**changed)
    made.prepare()
    made.advance(DAYS)
    return made


@pytest.fixture(scope="module")
def usual() -> Simulation:
    return lived()


def differing(one: Simulation, other: Simulation, people: slice = slice(None)) -> list[str]:
    return [
        name
        for name in one.population
        if not np.array_equal(one.population[name][..., people], other.population[name][..., people], equal_nan=True)
    ]


def test_people_die_and_are_replaced(usual: Simulation) -> None:
    # Otherwise the tests below would say nothing about deaths. Germany: about 1.2 % a year.
    assert 5 < int(usual.population["generation"].sum()) < 60


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("block", [64, 4096])
def test_threads_and_blocks_change_no_bit(usual: Simulation, threads: int, block: int) -> None:
    import numba

    if threads > numba.config.NUMBA_NUM_THREADS:
        pytest.skip("this machine has one core")
    assert differing(usual, lived(threads=threads, block=block)) == []


def test_a_change_that_changes_nothing_leaves_every_bit(usual: Simulation) -> None:
    assert differing(usual, lived(changes=[Change(day=50, parameters=Parameters())])) == []


def test_a_change_acts_from_its_day_and_not_before(usual: Simulation) -> None:
    less_support = Change(day=150, parameters=Parameters(support_weight=0.1))
    changed = simulation(changes=[less_support])
    changed.prepare()
    changed.advance(150)
    before = simulation()
    before.prepare()
    before.advance(150)
    assert differing(before, changed) == []
    changed.advance(DAYS - 150)
    assert "soothing" in differing(usual, changed)
    # Deaths depend on age and sex alone: the same people die in every arm.
    assert np.array_equal(usual.population["generation"], changed.population["generation"])


def test_another_seed_makes_another_world(usual: Simulation) -> None:
    assert {"threat", "conditions", "birth_day"} <= set(differing(usual, lived(seeds=Seeds(6))))


def test_a_pinned_stream_holds_what_it_decides() -> None:
    one = simulation(seeds=Seeds(5))
    other = simulation(seeds=Seeds(6, pinned={"population": 5, "network": 5}))
    assert np.array_equal(one.population["birth_day"], other.population["birth_day"])
    assert np.array_equal(one.network.neighbour, other.network.neighbour)
    one.prepare()
    other.prepare()
    assert np.array_equal(one.population["central_gain"], other.population["central_gain"])
    assert not np.array_equal(one.population["threat"], other.population["threat"])


def test_one_more_person_without_ties_leaves_all_lives_equal() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.integers(0, PEOPLE, size=(2, 4 * PEOPLE))
    pairs = {(min(a, b), max(a, b)) for a, b in zip(source.tolist(), target.tolist(), strict=True) if a != b}
    low, high = (np.array(side) for side in zip(*sorted(pairs), strict=True))

    def with_people(people: int) -> Simulation:
        return lived(people=people, network=Network.from_edges(people=people, source=low, target=high))

    fewer, more = with_people(PEOPLE), with_people(PEOPLE + 1)
    assert differing(fewer, more, slice(0, PEOPLE)) == []


def test_one_more_person_leaves_all_draws_equal() -> None:
    fewer, more = simulation(), simulation(people=PEOPLE + 1)
    for made in (fewer, more):
        made.prepare()
    for name in ("birth_day", "female", "central_gain", "adversity", "susceptibility", "site_trait", "personal"):
        assert np.array_equal(fewer.population[name], more.population[name][..., :PEOPLE]), name


def test_a_resumed_run_equals_a_straight_one(usual: Simulation, tmp_path: Path) -> None:
    first = simulation()
    first.prepare()
    first.advance(120)
    first.save(tmp_path / "state.npz")
    second = simulation()
    second.restore(tmp_path / "state.npz")
    assert second.day == 120
    second.advance(DAYS - 120)
    assert differing(usual, second) == []
    assert np.array_equal(usual.network.weight, second.network.weight)


def test_a_state_of_another_world_is_refused(tmp_path: Path) -> None:
    made = simulation(people=100)
    made.save(tmp_path / "state.npz")
    with pytest.raises(InputError, match=r"checkpoint\.people[\s\S]*checkpoint\.seed"):
        simulation(people=200, seeds=Seeds(9)).restore(tmp_path / "state.npz")
    (tmp_path / "torn.npz").write_bytes((tmp_path / "state.npz").read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        simulation(people=100).restore(tmp_path / "torn.npz")


SCRIPT = """
import hashlib, sys
from fitss_abm.model.demography import load
from fitss_abm.model.simulation import Seeds, Simulation
made = Simulation(people=500, demography=load("Germany"), seeds=Seeds(5), threads=1)
made.prepare()
made.advance(100)
print(hashlib.sha256(b"".join(made.population[name].tobytes() for name in sorted(made.population))).hexdigest())
"""


def test_the_hash_seed_and_the_process_change_no_bit() -> None:
    import os

    prints = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4242")
    ]
    assert prints[0] == prints[1]
    assert len(prints[0].strip()) == 64

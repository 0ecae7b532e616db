"""Keyed luck: known answers, what a word becomes, independence of what is keyed apart, and no number used for two things."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.registry import CPUDispatcher as Dispatcher
from numpy.typing import NDArray
from scipy import stats

from fitss_abm.model.columns import PERSONAL
from fitss_abm.model.conditions import MOST_CONDITIONS, REGIONS, SITES, body_map, shipped
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.parameters import declared
from fitss_abm.model.randomness import (
    Decision,
    Stream,
    draw,
    draw_pair,
    exponential,
    happens,
    normal,
    small_noise,
    stream_key,
    uniform,
)
from fitss_abm.model.rules import DAY
from fitss_abm.model.simulation import Seeds, Simulation

F, U = np.float32, np.uint32
LAST = 2**32 - 1


def words(*counter_and_key: int) -> tuple[int, ...]:
    return tuple(int(word) for word in draw(*map(U, counter_and_key)))


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((LAST, LAST, LAST, LAST), (LAST, LAST), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers_of_random123(counter: tuple[int, ...], key: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert words(*counter, *key) == expected


# What a word becomes


@given(st.one_of(st.integers(0, LAST), st.integers(0, 600), st.integers(LAST - 600, LAST)))
def test_a_uniform_is_never_0_or_1_and_all_that_is_made_of_it_is_finite(word: int) -> None:
    u = uniform(U(word))
    assert 0.0 < u < 1.0
    assert u == F(((word >> 9) + 0.5) / 2**23)
    assert abs(normal(U(word))) < 5.4
    assert 0.0 < exponential(U(word)) < 17.0


@pytest.mark.parametrize(
    ("probability", "events"),
    [(0.0, 0), (2.0**-32, 1), (1e-9, 4), (1e-6, 4294), (0.25, 2**30), (0.5, 2**31), (1.0, 2**32), (1.5, 2**32)],
)
def test_happens_counts_words(probability: float, events: int) -> None:
    """An event of probability p happens for the `events` lowest of 2^32 words: 1e-9 is still told from 0 and from 2e-9."""
    if events > 0:
        assert happens(U(0), F(probability))
        assert happens(U(events - 1), F(probability))
    if events < 2**32:
        assert not happens(U(events), F(probability))
        assert not happens(U(LAST), F(probability))


def test_small_noise_has_mean_0_and_sd_1() -> None:
    # The sum of two independent halves: each half alone runs through all its values, so this is exact.
    halves = np.arange(65536, dtype=np.float64)
    low = np.array([small_noise(U(word)) for word in range(0, 65536, 97)], dtype=np.float64)
    unit = 6**0.5 / 65536
    assert np.allclose(low, (halves[::97] - 65535) * unit, atol=1e-6)
    assert np.isclose(2 * halves.var() * unit**2, 1.0, atol=1e-6)
    assert small_noise(U(0)) == -small_noise(U(LAST))


# Independence

N = 2**15


@numba.njit
def _two(n, a, b, moves, k, other):  # type: ignore[no-untyped-def]
    """First words of a counter that runs through n people, and of the same counter moved by `moves`, under two keys."""
    x = np.empty(n, np.uint32)
    y = np.empty(n, np.uint32)
    for i in range(n):
        x[i] = draw(np.uint32(i), a, b, np.uint32(40), k[0], k[1])[0]
        y[i] = draw(
            np.uint32(i + moves[0]),
            np.uint32(a + moves[1]),
            np.uint32(b + moves[2]),
            np.uint32(40 + moves[3]),
            other[0],
            other[1],
        )[0]
    return x, y


def assert_independent(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> None:
    """Chi-square of a 16 by 16 table of their highest, and of their lowest, four bits; fixed keys, so this never changes."""
    for shift in (28, 0):
        table = np.histogram2d((x >> U(shift)) & U(15), (y >> U(shift)) & U(15), bins=16, range=[[-0.5, 15.5]] * 2)[0]
        chi = float(((table - x.size / 256) ** 2 / (x.size / 256)).sum())
        assert stats.chi2.ppf(1e-4, 255) < chi < stats.chi2.ppf(1 - 1e-4, 255)


@pytest.mark.parametrize(
    "moves",
    [
        (1, 0, 0, 0),
        (64, 0, 0, 0),
        (0, 1, 0, 0),
        (0, 0, 1, 0),
        (0, 0, 7, 0),
        (0, 0, 91, 0),
        (0, 0, 0, 1),
        (0, 0, 0, 2),
        (0, 0, 0, 4),
    ],
    ids=[
        "next",
        "next unit",
        "next life",
        "next day",
        "next week",
        "next quarter",
        "next decision",
        "two on",
        "four on",
    ],
)
def test_luck_keyed_apart_is_independent(moves: tuple[int, ...]) -> None:
    key = stream_key(1, Stream.LIFE)
    assert_independent(*_two(N, U(0), U(1000), np.array(moves), key, key))


@pytest.mark.parametrize(
    "other", [stream_key(1, Stream.POPULATION), stream_key(2, Stream.LIFE), stream_key(1, Stream.MEASUREMENT)]
)
def test_streams_and_seeds_are_independent(other: tuple[np.uint32, np.uint32]) -> None:
    assert_independent(*_two(N, U(0), U(1000), np.zeros(4, np.int64), stream_key(1, Stream.LIFE), other))


def test_the_four_words_of_a_draw_are_independent() -> None:
    drawn = np.array([words(i, 0, 5, 50, 1, 2) for i in range(N)], dtype=np.uint32)
    for first in range(4):
        for second in range(first):
            assert_independent(drawn[:, first], drawn[:, second])


def test_the_chi_square_notices() -> None:
    key = stream_key(1, Stream.LIFE)
    same, copy = _two(N, U(0), U(1000), np.zeros(4, np.int64), key, key)
    with pytest.raises(AssertionError):
        assert_independent(same, copy)
    with pytest.raises(AssertionError):  # a correlation of a few per cent is seen as well
        assert_independent(same, np.where(np.arange(N) % 25 == 0, same, np.roll(same, 1)))


def test_keys_of_streams_and_seeds_are_all_different() -> None:
    keys = {stream_key(seed, stream) for seed in range(-3, 2000) for stream in Stream}
    assert len(keys) == 2003 * len(Stream)


# Pairs

person = st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 65535))


@given(person, person)
def test_a_pair_has_one_luck_whoever_is_named_first(one: tuple[int, int], other: tuple[int, int]) -> None:
    key = (U(3), U(4))
    there = draw_pair(*map(U, (*one, *other)), U(100), *key)
    back = draw_pair(*map(U, (*other, *one)), U(100), *key)
    assert there == back


def test_pairs_and_lives_have_luck_of_their_own() -> None:
    people = [(founder, generation) for founder in range(30) for generation in range(3)]
    drawn = {draw_pair(*map(U, (*a, *b)), U(100), U(3), U(4)) for k, a in enumerate(people) for b in people[:k]}
    assert len(drawn) == len(people) * (len(people) - 1) // 2


# No number for two things


def taken(hazards: int) -> dict[str, tuple[Stream, range]]:
    """Every decision number, by what it decides: as docs/model.md lists them."""

    def draws(words: int) -> int:
        return -(-words // 4)

    return {
        "demography": (Stream.POPULATION, range(1, 2)),
        "traits": (Stream.POPULATION, range(2, 4)),
        "regional factors": (Stream.POPULATION, range(8, 8 + draws(len(REGIONS)))),
        "susceptibility": (Stream.POPULATION, range(10, 10 + draws(hazards))),
        "sites and personal differences": (Stream.POPULATION, range(32, 32 + draws(len(SITES) + len(PERSONAL)))),
        "newcomer": (Stream.POPULATION, range(81, 82)),
        "hassles": (Stream.LIFE, range(40, 42)),
        "interpersonal hassles": (Stream.LIFE, range(42, 44)),
        "whether there are life events": (Stream.LIFE, range(50, 51)),
        "stressors": (Stream.LIFE, range(52, 53)),
        "bereavement": (Stream.LIFE, range(53, 54)),
        "noise of symptoms": (Stream.LIFE, range(54, 56)),
        "body map": (Stream.LIFE, range(56, 56 + draws(len(SITES)))),
        "care": (Stream.LIFE, range(62, 63)),
        "onset and remission": (Stream.LIFE, range(64, 64 + draws(hazards))),
        "life events, one each": (Stream.LIFE, range(72, 80)),
        "death": (Stream.LIFE, range(80, 81)),
    }


@pytest.mark.parametrize("hazards", [sum(condition.has_hazard for condition in shipped().conditions), MOST_CONDITIONS])
def test_ranges_of_decisions_do_not_overlap(hazards: int) -> None:
    ranges = taken(hazards)
    numbers = [number for _stream, numbers in ranges.values() for number in numbers]
    assert len(numbers) == len(set(numbers))
    assert {int(d) for d in Decision if d < Decision.TIE_STRENGTH} <= set(numbers)


def test_rules_draw_what_is_listed_and_no_two_rules_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules themselves, in plain Python, with an ear at `draw`."""
    drawn: dict[tuple[int, int], set[str]] = defaultdict(set)
    now: list[str] = []

    def heard(a: Any, b: Any, c: Any, decision: Any, k0: Any, k1: Any) -> Any:
        drawn[int(k0), int(decision)].add(now[-1])
        return draw(a, b, c, decision, k0, k1)

    for rule in DAY:
        module = rule.function.py_func.__globals__  # type: ignore[attr-defined]
        for name, helper in list(module.items()):
            if name == "draw":
                monkeypatch.setitem(module, name, heard)
            elif isinstance(helper, Dispatcher) and "draw" in helper.py_func.__code__.co_names:
                monkeypatch.setitem(module, name, helper.py_func)  # a helper that draws, like the load of hassles

    seeds, people = Seeds(5), 64
    simulation = Simulation(
        people=people, demography=load("Germany"), seeds=seeds, network=Network.empty(people=people), threads=1
    )
    population, network = simulation.population, simulation.network
    population["conditions"][:] = simulation.catalogue.mask(["fibromyalgia_modified_2010"])  # so that care is sought
    population["weeks_met"][:] = 0x1FFF
    known: dict[str, Any] = {
        **population, **simulation.catalogue.arrays(), **body_map(),
        **dict(zip(declared(), simulation.parameters.as_array(), strict=True)),
        "first": U(0), "slow_days": F(7), "death_rate": np.full((2, 22), F(1e-4)),
        "tie_start": network.start, "tie_neighbour": network.neighbour, "tie_weight": network.weight, "tie_layer": network.layer,
        "all_birth_day": population["birth_day"], "all_female": population["female"], "all_prevention": simulation.prevention,
        "words_before": simulation.offers[0], "words": simulation.offers[1],
    }  # fmt: skip
    for name, stream in (("life", Stream.LIFE), ("population", Stream.POPULATION)):
        known[f"{name}_0"], known[f"{name}_1"] = seeds.key(stream)
    prehistory = {"today": np.int32(-1), "pace_from": F(0.0), "pace_span": F(1e9), "pace_days": F(490.0)}
    run = {"today": np.int32(0), "pace_from": F(-1e9), "pace_span": F(1.0), "pace_days": F(1.0)}
    for today in (prehistory, run):
        for rule in DAY:
            now.append(rule.name)
            given = {**known, **today, "day": U(int(today["today"]) % 2**31)}
            rule.function.py_func(**{name: given[name] for name in rule.arguments})  # type: ignore[attr-defined]

    streams = {int(Seeds(5).key(stream)[0]): stream for stream in Stream}
    listed = {
        (stream, number) for stream, numbers in taken(len(population["susceptibility"])).values() for number in numbers
    }
    found = {(streams[k0], decision) for k0, decision in drawn}
    assert found <= listed
    # Newcomers and demography are the engine's, and few steps have eight life events.
    unheard = {(Stream.POPULATION, Decision.NEWCOMER), (Stream.POPULATION, Decision.DEMOGRAPHY)}
    assert listed - found <= unheard | {(Stream.LIFE, Decision.EVENT + k) for k in range(1, 8)}
    shared = {decision: rules for (_k0, decision), rules in drawn.items() if len(rules) > 1}
    # Sleep takes the first two words of 54, the severity scale the other two.
    assert shared == {Decision.SYMPTOM_NOISE: {"sleep", "somatic_severity"}}

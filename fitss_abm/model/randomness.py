"""Luck that belongs to the person: every draw is a pure function of its key.

A draw is Philox4x32-10 (Salmon et al., SC'11, doi:10.1145/2063384.2063405) of a counter that says whose luck it is
(founder, generation), when (day) and what it decides (`Decision`), under a key that says which stream of which seed. It depends
on nobody else, on no order and on no generator's state, so two scenarios with one seed differ only where the scenario reached.

A person's counter is (founder, generation, day, decision); an unordered pair's is (founder a, founder b, generations, decision).
One draw gives four 32-bit words; a decision that needs more takes consecutive numbers (decision, decision + 1, ...).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from fitss_abm.model.arithmetic import F, jit, log, normal_quantile


class Stream(IntEnum):
    """Separate kinds of luck. Each has its own key, derived from the master seed unless it is pinned."""

    POPULATION = 1
    NETWORK = 2
    LIFE = 3
    DELIVERY = 4
    MEASUREMENT = 5


class Decision(IntEnum):
    """What a draw decides. Numbers are part of the results: never change one, only add."""

    DEMOGRAPHY = 1
    TRAITS = 2  # and 3
    SUSCEPTIBILITY = 8  # to 31: regional factors, then conditions, four words a draw
    SITE_TRAITS = 32  # to 38
    HASSLES = 40  # to 43
    EVENTS = 50
    STRESSORS = 52
    BEREAVEMENT = 53
    SYMPTOM_NOISE = 54  # and 55
    BODY_MAP = 56  # to 60
    CARE = 62
    CONDITION_EVENTS = 64  # to 71, a word a condition
    EVENT = 72  # to 79, one a life event of the step
    DEATH = 80
    NEWCOMER = 81
    TIE_STRENGTH = 100
    CIRCLE = 101  # to 119, by layer
    TURNOVER = 120  # to 139, by layer
    OFFER = 140  # words: covered, accepts, adherence, place in the queue
    SCREENING = 141
    STOPPING = 142  # by day; words: dropped out, side effects
    TARGET = 143  # words: chosen at random, order among equals
    GROUP = 144  # a whole group chosen at random
    HABIT = 150  # measurement, lasting (day 0): how a person always answers
    ANSWER = 151  # to 159, measurement, of the day asked: errors of a report
    DIARY = 160  # to 169, measurement, of the day or prompt
    SELF_REPORT = 180  # of a condition in a survey, by condition (key_of)
    DIAGNOSIS = 181  # words, by condition (key_of): recognised, how late, under which name, falsely
    RECORD = 200  # of a survey; words: place (two), day within a year of age, sex where it is missing
    RECORD_AGE = 201  # where it is missing


_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_UNIT = F(2.0**-23)
_TO_32 = F(2.0**32)
_JUST_BELOW = F(4294967040.0)  # the largest float32 below 2**32
_TRIANGULAR = F(6.0**0.5 / 65536.0)


@jit
def _round(a: int, b: int, c: int, d: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    p0 = a * _M0
    p1 = c * _M1
    return (p1 >> _SHIFT) ^ b ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ d ^ k1, p0 & _LOW


@jit
def draw(a: int, b: int, c: int, d: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Four random words (uint32) of the counter (a, b, c, d) under the key (k0, k1); all arguments are uint32.

    Written out round by round, in 64-bit lanes: a loop would be left rolled (nine times as slow), and narrowing between the
    rounds costs threefold.
    """
    a, b, c, d = np.uint64(a), np.uint64(b), np.uint64(c), np.uint64(d)
    k0, k1 = np.uint64(k0), np.uint64(k1)
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    k0 = (k0 + _W0) & _LOW
    k1 = (k1 + _W1) & _LOW
    a, b, c, d = _round(a, b, c, d, k0, k1)
    return np.uint32(a), np.uint32(b), np.uint32(c), np.uint32(d)


@jit
def draw_pair(
    founder_a: int, generation_a: int, founder_b: int, generation_b: int, decision: int, k0: int, k1: int
) -> tuple[int, int, int, int]:
    """Four words that belong to an unordered pair of people: the same whichever is named first."""
    first_is_a = founder_a < founder_b or (founder_a == founder_b and generation_a <= generation_b)
    low, low_g = (founder_a, generation_a) if first_is_a else (founder_b, generation_b)
    high, high_g = (founder_b, generation_b) if first_is_a else (founder_a, generation_a)
    generations = (np.uint32(low_g) << np.uint32(16)) | np.uint32(high_g)
    return draw(np.uint32(low), np.uint32(high), generations, np.uint32(decision), k0, k1)


@jit
def uniform(word: int) -> float:
    """A float32 strictly between 0 and 1 from the upper 23 bits of a word. Not for rare events: see `happens`.

    With 24 bits the half that keeps it off 0 and 1 would round away, and a normal variate could be infinite.
    """
    return (F(np.int32(word >> np.uint32(9))) + F(0.5)) * _UNIT


@jit
def happens(word: int, probability: float) -> bool:
    """Whether an event of this probability (float32) happens: compares all 32 bits, so 1e-9 is still resolved to a quarter."""
    return (F(1.0) <= probability) | (word < np.uint32(min(probability * _TO_32, _JUST_BELOW)))


@jit
def small_noise(word: int) -> float:
    """A triangular variate with mean 0 and sd 1 from the halves of a word (float32): noise of a questionnaire item, cheaply."""
    halves = np.int32(word & np.uint32(0xFFFF)) + np.int32(word >> np.uint32(16))
    return F(np.int32(halves - 65535)) * _TRIANGULAR


@jit
def exponential(word: int) -> float:
    """A unit exponential variate (float32)."""
    return -log(uniform(word))


@jit
def normal(word: int) -> float:
    """A standard normal variate (float32)."""
    return normal_quantile(uniform(word))


def stream_key(seed: int, stream: Stream) -> tuple[np.uint32, np.uint32]:
    """The 64-bit key of one stream of a master seed, as two words (SplitMix64 finaliser, Steele et al. 2014)."""
    mask = (1 << 64) - 1
    z = (seed * 0x9E3779B97F4A7C15 + int(stream) * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    z ^= z >> 31
    return np.uint32(z & 0xFFFFFFFF), np.uint32(z >> 32)

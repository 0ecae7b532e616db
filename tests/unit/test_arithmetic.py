"""exp, log and the like against float64: the errors that docs and module state, at the edges as well as between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from fitss_abm.model.arithmetic import (
    bits_float,
    count_bits,
    exp,
    float_bits,
    log,
    logistic,
    normal_quantile,
    one_minus_exp,
)

F = np.float32
Floats = NDArray[np.float32]


def over(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """The compiled function over an array."""

    @numba.njit(error_model="numpy")
    def loop(x, out):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            out[i] = function(x[i])

    def call(x: NDArray[Any], dtype: Any = np.float32) -> NDArray[Any]:
        out = np.empty(x.size, dtype=dtype)
        loop(x, out)
        return out

    return call


def relative_error(found: Floats, expected: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(found.astype(np.float64) / expected - 1.0)))


def test_exp_is_right_to_2e_7() -> None:
    x = np.concatenate([np.linspace(-87, 88, 400_001), np.linspace(-1, 1, 100_001)]).astype(F)
    assert relative_error(over(exp)(x), np.exp(x.astype(np.float64))) < 2e-7
    assert exp(F(0.0)) == 1.0


def test_exp_is_held_where_float32_ends() -> None:
    far = over(exp)(np.array([-1e30, -200, -87, 88, 200, 1e30, -np.inf, np.inf], dtype=F))
    assert np.all(np.isfinite(far))
    assert np.all(far > 0)
    assert far[0] == far[1] == far[2] == far[6]
    assert far[3] == far[4] == far[5] == far[7]


def test_exp_never_falls() -> None:
    # Compared between all neighbouring float32 numbers around the steps of k, where two polynomials meet.
    for k in range(-20, 21):
        middle = F((k + 0.5) * np.log(2.0))
        x = middle + np.arange(-300, 300, dtype=F) * np.spacing(middle)
        assert np.min(np.diff(over(exp)(np.sort(x))) / np.exp(float(middle))) > -2e-7


def test_log_is_right_to_2e_7() -> None:
    bits = (
        np.random.default_rng(1).integers(0x00800000, 0x7F800000, 400_000).astype(np.uint32)
    )  # every normal positive float32
    x = np.concatenate([bits.view(F), np.linspace(0.5, 2.0, 100_001, dtype=F)])
    x = x[x != 1]
    assert relative_error(over(log)(x), np.log(x.astype(np.float64))) < 2e-7
    assert log(F(1.0)) == 0.0


def test_log_undoes_exp() -> None:
    x = np.linspace(-80, 80, 10_001, dtype=F)
    assert np.max(np.abs(over(log)(over(exp)(x)) - x)) < 1e-5


def test_one_minus_exp_loses_nothing_near_zero() -> None:
    x = np.concatenate([np.geomspace(1e-30, 80.0, 300_001), np.linspace(0.04, 0.06, 20_001)]).astype(F)
    found = over(one_minus_exp)(x)
    # Just above 0.05 the difference 1 - exp(-x) costs four bits: 2e-6. Below, the series is as good as float32 can be.
    assert relative_error(found, -np.expm1(-x.astype(np.float64))) < 2e-6
    small = x < 0.05
    assert relative_error(found[small], -np.expm1(-x[small].astype(np.float64))) < 3e-7
    assert one_minus_exp(F(0.0)) == 0.0
    assert one_minus_exp(F(1e9)) == 1.0


def test_logistic_is_right_to_3e_7() -> None:
    x = np.linspace(-80, 80, 100_001, dtype=F)
    assert relative_error(over(logistic)(x), special.expit(x.astype(np.float64))) < 3e-7


def test_normal_quantile_is_right_to_a_millionth() -> None:
    # The grid of `uniform`: its first and last points, and a sample of those between.
    words = np.concatenate(
        [np.arange(2000), 2**23 - 1 - np.arange(2000), np.random.default_rng(2).integers(0, 2**23, 300_000)]
    )
    p = ((words + 0.5) * 2.0**-23).astype(F)
    found, expected = over(normal_quantile)(p), special.ndtri(p.astype(np.float64))
    assert np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))) < 2e-6
    assert normal_quantile(F(0.5)) == 0.0
    assert np.all(np.isfinite(found))


def test_normal_quantile_is_odd() -> None:
    p = ((np.arange(0, 2**22, 37) + 0.5) * 2.0**-23).astype(F)
    assert np.array_equal(over(normal_quantile)(p), -over(normal_quantile)(F(1.0) - p))


@pytest.mark.parametrize("word", [0, 1, 2**31, 2**32 - 1, 0x55555555, 0xAAAAAAAA, 0x01010101, 0x80000001])
def test_count_bits_at_the_edges(word: int) -> None:
    assert count_bits(np.uint32(word)) == word.bit_count()


def test_count_bits() -> None:
    words = np.random.default_rng(3).integers(0, 2**32, 20_000, dtype=np.uint64).astype(np.uint32)
    assert over(count_bits)(words, np.int64).tolist() == [word.bit_count() for word in words.tolist()]


def test_bits_of_a_float_there_and_back() -> None:
    for x in (0.0, -1.5, 3.4e38, 1e-38):
        assert over(float_bits)(np.array([x], F), np.uint32)[0] == F(x).view(np.uint32)
        assert over(bits_float)(np.array([F(x).view(np.uint32)]))[0] == F(x)

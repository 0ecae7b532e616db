"""Arithmetic with equal bits on every machine.

Library versions of exp and log differ in the last bit between platforms, and a simulation whose luck compares
probabilities with random words would then differ too. These are polynomials in plain float32 operations, compiled without
reassociation or contraction, so every IEEE machine gives the same bits. Coefficients: Cephes `expf`, `logf`
(S. L. Moshier, 1992); relative error below 2e-7 over the range that the model uses. The normal quantile is Wichura's AS 241
(PPND7, Applied Statistics 1988;37:477-484).
"""

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import intrinsic

F = np.float32

# Division by zero gives inf, as in NumPy, and helpers are always inlined: the check that Python's rule asks for, or a call,
# would keep a loop over people from being vectorised.
jit = functools.partial(numba.njit, error_model="numpy", forceinline=True)

_LOG2E = F(1.44269504088896341)
_LN2_HIGH = F(0.693359375)
_LN2_LOW = F(-2.12194440e-4)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_EXP_MAX = F(88.0)
_EXP_MIN = F(-87.0)


@intrinsic
def float_bits(typing_context: Any, x: Any) -> Any:
    """The 32 bits of a float32 as a uint32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.uint32))

    return types.uint32(types.float32), generate


@intrinsic
def bits_float(typing_context: Any, x: Any) -> Any:
    """The float32 whose 32 bits are a uint32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.uint32), generate


@jit
def exp(x: float) -> float:
    """e**x for float32 x; x is held within [-87, 88], where float32 neither vanishes nor overflows."""
    x = min(max(x, _EXP_MIN), _EXP_MAX)
    shifted = x * _LOG2E
    k = np.int32(shifted + F(0.5)) if shifted >= F(0.0) else np.int32(shifted - F(0.5))
    r = (x - F(k) * _LN2_HIGH) - F(k) * _LN2_LOW
    y = F(1.9875691500e-4)
    y = y * r + F(1.3981999507e-3)
    y = y * r + F(8.3334519073e-3)
    y = y * r + F(4.1665795894e-2)
    y = y * r + F(1.6666665459e-1)
    y = y * r + F(5.0000001201e-1)
    y = y * r * r + r + F(1.0)
    return y * bits_float(np.uint32((k + np.int32(127)) << np.int32(23)))


@jit
def log(x: float) -> float:
    """Natural logarithm of a positive, normal float32."""
    bits = np.int32(float_bits(x))
    exponent = np.int32(np.int32(bits - _SQRT_HALF_BITS) >> np.int32(23))
    m = bits_float(np.uint32(np.int32(bits - np.int32(exponent << np.int32(23)))))  # within [sqrt(1/2), sqrt(2))
    k = F(exponent)
    f = m - F(1.0)
    z = f * f
    y = F(7.0376836292e-2)
    y = y * f + F(-1.1514610310e-1)
    y = y * f + F(1.1676998740e-1)
    y = y * f + F(-1.2420140846e-1)
    y = y * f + F(1.4249322787e-1)
    y = y * f + F(-1.6668057665e-1)
    y = y * f + F(2.0000714765e-1)
    y = y * f + F(-2.4999993993e-1)
    y = y * f + F(3.3333331174e-1)
    y = y * f * z
    y += k * _LN2_LOW
    y -= F(0.5) * z
    return (f + y) + k * _LN2_HIGH


@jit
def one_minus_exp(x: float) -> float:
    """1 - e**(-x) for x >= 0 without loss for small x (float32 `1 - exp(-x)` is 0 at 2e-8 and 19 % off at 1e-7)."""
    series = x * (F(1.0) - x * (F(0.5) - x * (F(1.0 / 6.0) - x * F(1.0 / 24.0))))
    return series if x < F(0.05) else F(1.0) - exp(-x)


@jit
def logistic(x: float) -> float:
    """1 / (1 + e**-x)."""
    return F(1.0) / (F(1.0) + exp(-x))


@jit
def count_bits(word: int) -> int:
    """Number of set bits of a uint32."""
    word = word - ((word >> np.uint32(1)) & np.uint32(0x55555555))
    word = (word & np.uint32(0x33333333)) + ((word >> np.uint32(2)) & np.uint32(0x33333333))
    word = (word + (word >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return np.int64(np.uint32(word * np.uint32(0x01010101)) >> np.uint32(24))


@jit
def normal_quantile(p: float) -> float:
    """Standard normal quantile of 0 < p < 1 in float32 (AS 241, PPND7; about seven figures)."""
    q = p - F(0.5)
    if abs(q) <= F(0.425):
        r = F(0.180625) - q * q
        top = ((F(59.109374720) * r + F(159.29113202)) * r + F(50.434271938)) * r + F(3.3871327179)
        bottom = ((F(67.187563600) * r + F(78.757757664)) * r + F(17.895169469)) * r + F(1.0)
        return q * top / bottom
    tail = p if q < F(0.0) else F(1.0) - p
    r = np.sqrt(-log(tail))
    if r <= F(5.0):
        r -= F(1.6)
        top = ((F(0.17023821103) * r + F(1.3067284816)) * r + F(2.7568153900)) * r + F(1.4234372777)
        bottom = (F(0.12021132975) * r + F(0.73700164250)) * r + F(1.0)
    else:
        r -= F(5.0)
        top = ((F(0.017337203997) * r + F(0.42868294337)) * r + F(3.0812263860)) * r + F(6.6579051150)
        bottom = (F(0.012258202635) * r + F(0.24197894225)) * r + F(1.0)
    z = top / bottom
    return -z if q < F(0.0) else z

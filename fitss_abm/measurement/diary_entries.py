"""Compiled: what a person writes into a diary about one day."""

from __future__ import annotations

import numpy as np
from numba import prange

from fitss_abm.model.arithmetic import F, exp, jit, log, logistic
from fitss_abm.model.caching import compiled
from fitss_abm.model.columns import NORMAL_UNIT, PERSONAL
from fitss_abm.model.pain import pain_intensity
from fitss_abm.model.randomness import Decision, draw, normal, uniform

_HASSLES = np.uint32(Decision.HASSLES)
_HABIT = np.uint32(Decision.HABIT)
_PAIN_OF_DAY = np.uint32(Decision.DIARY)
_PROMPT_OF_HASSLE = np.uint32(Decision.DIARY + 1)
_ERRORS = np.uint32(Decision.DIARY + 2)
_PRESENT = np.uint32(Decision.DIARY + 3)
_PRONENESS = PERSONAL.index("hassles")
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_MOST_HASSLES = 7
_REFERENCE_AGE, _DECADE, _HALF = F(45.0), F(0.1), F(0.5)
_TOP, _TEN = F(100.0), F(10.0)


@jit
def pain_of_day(week, deviation, sd):  # type: ignore[no-untyped-def]
    """Pain of one day (0 to 10) of a week rated `week`: its logit and a normal deviation of this sd; 0 if nothing hurts."""
    if week <= F(0.0):
        return F(0.0)
    held = min(max(week, F(0.01)), F(9.99))
    return _TEN * logistic(log(held / (_TEN - held)) + sd * deviation)


@jit
def _bounded(value, most):  # type: ignore[no-untyped-def]
    return F(np.int32(min(max(value, F(0.0)), most) + _HALF))


@compiled(parallel=True)
def pain_ratings(  # type: ignore[no-untyped-def]
    slots, generation, today, occasion, k0, k1, pain, day_sd, error, average, worst
) -> None:
    """Average and worst pain of the seven days before `today`, whole numbers 0 to 10: of the days' own pain, as a diary would
    have it, with error of recall.
    """
    for k in prange(slots.shape[0]):
        founder, lived = np.uint32(slots[k]), np.uint32(generation[slots[k]])
        average[k] = 0
        worst[k] = 0
        if pain[k] > F(0.0):
            total, most = F(0.0), F(0.0)
            for back in range(1, 8):
                word, _b, _c, _d = draw(founder, lived, np.uint32(today - back), _PAIN_OF_DAY, k0, k1)
                felt = pain_of_day(pain[k], normal(word), day_sd)
                total += felt
                most = max(most, felt)
            a, b, _c, _d = draw(founder, lived, occasion, _ERRORS, k0, k1)
            average[k] = np.int32(_bounded(total / F(7.0) + error * normal(a), _TEN))
            worst[k] = max(np.int32(_bounded(most + error * normal(b), _TEN)), average[k])


@compiled(parallel=True)
def hassles_of_day(  # type: ignore[no-untyped-def]
    slots, generation, female, age, personal, day, life_0, life_1, rates, prompts, k0, k1, count, severity
) -> None:
    """Hassles of the day by prompt since which they happened, (prompts, slots): how many, and the sum of their severities.

    Read again from the luck of life by the rule of exposure (at most seven interpersonal ones and seven others); an
    interpersonal one weighs `hassle_interpersonal_severity`. When in the day each falls is luck of measurement.
    """
    rate, sd, of_women, per_decade, share, interpersonal = rates
    for k in prange(slots.shape[0]):
        i = slots[k]
        founder, lived = np.uint32(i), np.uint32(generation[i])
        for p in range(prompts):
            count[p, k] = 0
            severity[p, k] = F(0.0)
        expected = rate * exp(
            sd * (F(personal[_PRONENESS, i]) * _PER_UNIT - _HALF * sd)
            + of_women * (F(female[i]) - _HALF)
            + per_decade * (age[i] - _REFERENCE_AGE) * _DECADE
        )
        when = draw(founder, lived, day, _PROMPT_OF_HASSLE, k0, k1)
        for kind in range(2):
            mean = expected * (F(1.0) - share if kind == 0 else share)
            first = draw(founder, lived, day, np.uint32(_HASSLES + np.uint32(2 * kind)), life_0, life_1)
            second = draw(founder, lived, day, np.uint32(_HASSLES + np.uint32(2 * kind + 1)), life_0, life_1)
            u, term = uniform(first[0]), exp(-mean)
            below = term
            for number in range(_MOST_HASSLES):
                if u <= below:
                    break
                word = first[number + 1] if number < 3 else second[number - 3]
                place = _MOST_HASSLES * kind + number
                at = (
                    ((when[place // 4] >> np.uint32(8 * (place % 4))) & np.uint32(0xFF)) * np.uint32(prompts)
                ) >> np.uint32(8)
                count[at, k] += 1
                severity[at, k] -= log(uniform(word)) * (interpersonal if kind == 1 else F(1.0))
                term *= mean / F(number + 1)
                below += term


@compiled(parallel=True)
def entries(  # type: ignore[no-untyped-def]
    slots, generation, day, stress, threat, soothing, body_map, sensitization, variation, central_gain, reported_relief,
    poor_sleep, numbers, diary_0, diary_1, pain_0, pain_1, prompt_0, prompt_1, present, rated, negative, positive, pain, sleep,
) -> None:  # fmt: skip
    """One prompt of one day of each person; see `diary.diary` for what the columns are."""
    (
        pain_gain, day_sd, error, stress_half, positive_half, positive_weight, sleep_error, usual, usual_sd
    ) = numbers  # fmt: skip
    for k in prange(slots.shape[0]):
        i = slots[k]
        founder, lived = np.uint32(i), np.uint32(generation[i])
        diligence, _b, _c, _d = draw(founder, lived, np.uint32(0), _HABIT, diary_0, diary_1)
        luck, at_night, _c, _d = draw(founder, lived, day, _PRESENT, prompt_0, prompt_1)
        present[k] = uniform(luck) < logistic(usual + usual_sd * normal(diligence))
        a, b, c, _d = draw(founder, lived, day, _ERRORS, prompt_0, prompt_1)
        true = stress[i] + threat[i]
        calm = _TOP * soothing[i] / (soothing[i] + positive_half) * (F(1.0) - positive_weight * min(true, _TOP) / _TOP)
        negative[k] = _bounded(true + error * normal(a), _TOP)
        positive[k] = _bounded(calm + error * normal(b), _TOP)
        rated[k] = _bounded(_TOP * stress[i] / (stress[i] + stress_half) + error * normal(c), _TOP)
        week = pain_intensity(
            body_map[i], sensitization[i], variation[i], central_gain[i], pain_gain, reported_relief[i]
        )
        word, _b, _c, _d = draw(founder, lived, day, _PAIN_OF_DAY, pain_0, pain_1)
        pain[k] = _bounded(pain_of_day(week, normal(word), day_sd), _TEN)
        sleep[k] = _bounded(_TEN * (F(1.0) - poor_sleep[i]) + sleep_error * normal(at_night), _TEN)


COMPILED = (pain_ratings, hassles_of_day, entries)
"""Every compiled entry point of this file."""

"""What happens to people: life events, traumas, infections, injuries; chronic stressors that begin and end."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, exp, jit, one_minus_exp
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.randomness import Decision, draw, happens, normal, uniform
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_EVENTS = np.uint32(Decision.EVENTS)
_STRESSORS = np.uint32(Decision.STRESSORS)
_EVENT = np.uint32(Decision.EVENT)
_MOST_EVENTS = 8
_YEAR = F(365.25)
_HALF = F(0.5)
_LONG_AGO = F(255.0)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_LIFE_EVENTS = 4  # column of `personal`


@jit
def poisson(word: int, term: float, mean: float, least: int) -> int:
    """A Poisson count of this mean that is `least` or more (8 at most), from one word; `term` is the probability of `least`."""
    below = term
    count = least
    while count < _MOST_EVENTS and uniform(word) > below:
        count += 1
        term *= mean / F(count)
        below += term
    return count


@jit
def events_of_week(a: int, b: int, expected: float) -> int:
    """How many life events a step brings where so many are expected, from two words: whether any, and how many more."""
    some = one_minus_exp(expected)
    return poisson(b, expected * exp(-expected) / some, expected, 1) if happens(a, some) else 0


@jit
def _switched(on: bool, eligible: bool, begin: float, end: float, days: float, word: int) -> bool:
    """State of a stressor after `days`, exact for a two-state process with yearly rates `begin` and `end`."""
    if not eligible:
        return False
    total = begin + end
    changed = one_minus_exp(total * days / _YEAR)
    if on:
        return not happens(word, changed * end / total)
    return happens(word, changed * begin / total)


@rule(every="week")
def chronic_stressors(  # type: ignore[no-untyped-def]
    stressors, age, generation, birth_day, day, first, life_0, life_1, pace_from, pace_span, pace_days,
    job_strain_onset, job_strain_end, bullying_onset, bullying_end,
    caregiving_onset, caregiving_end, poverty_onset, poverty_end,
) -> None:  # fmt: skip
    """Four chronic stressors begin and end at constant rates; exact transition probabilities for the step.

    Job strain at 18-66 years, bullying (work or school) at 12-66, caring for a dependent at 35-79, poverty at any age.
    """
    for i in range(stressors.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        days = F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days)
        a, b, c, d = draw(founder, np.uint32(generation[i]), day, _STRESSORS, life_0, life_1)
        old = stressors[i]
        years = age[i]
        working = F(18.0) <= years < F(67.0)
        new = old & np.uint8(128)
        if _switched((old & np.uint8(1)) != 0, working, job_strain_onset, job_strain_end, days, a):
            new |= np.uint8(1)
        if _switched((old & np.uint8(2)) != 0, years < F(67.0), bullying_onset, bullying_end, days, b):
            new |= np.uint8(2)
        caring_age = F(35.0) <= years < F(80.0)
        if _switched((old & np.uint8(4)) != 0, caring_age, caregiving_onset, caregiving_end, days, c):
            new |= np.uint8(4)
        if _switched((old & np.uint8(8)) != 0, True, poverty_onset, poverty_end, days, d):
            new |= np.uint8(8)
        stressors[i] = new


@rule(every="week")
def life_events(  # type: ignore[no-untyped-def]
    event_load, weeks_since, personal, adversity, generation, birth_day, day, first, life_0, life_1,
    pace_from, pace_span, pace_days,
    life_event_rate, life_event_per_adversity, event_proneness_sd, life_event_severity, life_event_severity_sd,
    life_event_decay, trauma_share, trauma_severity, infection_rate, injury_rate,
) -> None:  # fmt: skip
    """Life events: rate_i = rate exp(sd z_i + slope adversity_i) a year; log-normal severity; the load L fades by exp(-decay t).

    L' = L exp(-decay t) + severity (1 - exp(-decay t)) / (decay t), the mean over the step of an event at a uniform moment in it.
    Their number in a step is Poisson (eight at most). Some are traumatic: heavier, and they set the clock that PTSD
    reads; infections and injuries
    set theirs.
    """
    for i in range(event_load.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        lived = np.uint32(generation[i])
        weeks = pace(birth_day[i], pace_from, pace_span, pace_days)
        days = F(7.0) * weeks
        fading = life_event_decay * days
        lost = one_minus_exp(fading)
        mean_left = lost / fading if fading > F(0.0) else F(1.0)
        load = event_load[i] * (F(1.0) - lost)
        for k in range(3):
            weeks_since[k, i] = np.uint8(min(F(weeks_since[k, i]) + max(weeks + _HALF, F(1.0)), _LONG_AGO))
        z = F(personal[_LIFE_EVENTS, i]) * _PER_UNIT
        expected = (
            life_event_rate * exp(event_proneness_sd * z + life_event_per_adversity * F(adversity[i])) * days / _YEAR
        )
        a, b, c, d = draw(founder, lived, day, _EVENTS, life_0, life_1)
        events = events_of_week(a, b, expected)
        if events > 0:
            for k in range(events):
                size, kind, _g, _h = draw(founder, lived, day, _EVENT + np.uint32(k), life_0, life_1)
                spread = life_event_severity_sd
                severity = life_event_severity * exp(spread * normal(size) - _HALF * spread * spread)
                if uniform(kind) < trauma_share:
                    severity *= trauma_severity
                    weeks_since[0, i] = 0
                load += severity * mean_left
        if happens(c, one_minus_exp(injury_rate * days / _YEAR)):
            weeks_since[1, i] = 0
        if happens(d, one_minus_exp(infection_rate * days / _YEAR)):
            weeks_since[2, i] = 0
        event_load[i] = load

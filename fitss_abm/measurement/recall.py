"""Compiled: what people remember. Life events of the last year, childhood adversity, gut symptoms below a diagnosis."""

from __future__ import annotations

import numpy as np
from numba import prange

from fitss_abm.model.arithmetic import F, exp, log, logistic, one_minus_exp
from fitss_abm.model.caching import compiled
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.randomness import Decision, draw, happens, uniform
from fitss_abm.model.rules.events import events_of_week, poisson

_EVENTS = np.uint32(Decision.EVENTS)
_HABIT = np.uint32(Decision.HABIT)
_ANSWER = np.uint32(Decision.ANSWER)
_REMEMBERED = np.uint32(Decision.ANSWER + 1)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_LIFE_EVENTS = 4  # column of `personal`
_WEEKS = 52
_MOST_ADVERSITY = 10
_YEAR = F(365.25)
_MONTH = F(365.25 / 12.0)
_ENTRY_DAYS = 4383  # 12 years
_PEOPLE_PER_UNIT = 64


@compiled(parallel=True)
def life_events(  # type: ignore[no-untyped-def]
    slots, generation, birth_day, personal, adversity, distress, day, occasion, history_days, history_key, recent_pace,
    life_0, life_1, rate, proneness_sd, per_adversity, k0, k1, fading, false_rate, tilt, true, told,
) -> None:  # fmt: skip
    """Life events of the last 52 weeks: how many there were (`true`) and how many are told (`told`), at most 20.

    What happened is read again from the luck of life, by the rule of life events. Each is told with probability
    exp(-fading x months ago), by one word of luck for good, so what is forgotten stays so; a Poisson number of others
    with mean `false_rate` exp(tilt distress) is told besides, by luck of the occasion. Days before 0 are those of the
    pre-history, `history_key` + `history_days` + day, at the pace of its last stage.
    """
    for k in prange(slots.shape[0]):
        i = slots[k]
        founder, lived = np.uint32(i), np.uint32(generation[i])
        z = F(personal[_LIFE_EVENTS, i]) * _PER_UNIT
        weekly = rate * exp(proneness_sd * z + per_adversity * F(adversity[i])) * F(7.0) / _YEAR
        happened, remembered = 0, 0
        unit = i // _PEOPLE_PER_UNIT
        for back in range(7 * _WEEKS):
            then = day - 1 - back  # `day` itself is still to be lived
            number = then if then >= 0 else history_key + history_days + then
            if (unit + number) % 7 != 0 or then < birth_day[i] + _ENTRY_DAYS:
                continue
            expected = weekly if then >= 0 else weekly * recent_pace
            a, b, _c, _d = draw(founder, lived, np.uint32(number), _EVENTS, life_0, life_1)
            events = events_of_week(a, b, expected)
            if events > 0:
                kept = exp(-fading * F(back) / _MONTH)
                w0, w1, w2, w3 = draw(founder, lived, np.uint32(number), _REMEMBERED, k0, k1)
                happened += events
                remembered += 1 if happens(w0, kept) else 0
                remembered += 1 if events > 1 and happens(w1, kept) else 0
                remembered += 1 if events > 2 and happens(w2, kept) else 0
                remembered += events - 3 if events > 3 and happens(w3, kept) else 0
        a, _b, _c, _d = draw(founder, lived, occasion, _ANSWER, k0, k1)
        mean = false_rate * exp(tilt * min(max(distress[k], F(-3.0)), F(3.0)))
        false = poisson(a, exp(-mean), mean, 0)
        true[k] = happened
        told[k] = min(remembered + false, 20)


@compiled(parallel=True)
def childhood(  # type: ignore[no-untyped-def]
    slots, generation, adversity, female, distress, k0, k1, agreement, go_on, go_on_female, tilt, told
) -> None:
    """Childhood adversities as told by the adult, 0 to 10: the true count with probability `agreement`, else a count of the
    same geometric distribution, drawn once for life, whose log odds of going on rise by `tilt` x distress of today.
    """
    for k in prange(slots.shape[0]):
        i = slots[k]
        a, b, _c, _d = draw(np.uint32(i), np.uint32(generation[i]), np.uint32(0), _HABIT, k0, k1)
        if happens(a, agreement):
            told[k] = adversity[i]
        else:
            p = min(max(go_on + go_on_female * F(female[i]), F(0.001)), F(0.999))
            p = logistic(log(p / (F(1.0) - p)) + tilt * min(max(distress[k], F(-3.0)), F(3.0)))
            count, left, u = 0, p, uniform(b)
            while count < _MOST_ADVERSITY and u < left:
                count += 1
                left *= p
            told[k] = count


@compiled(parallel=True)
def bowel(  # type: ignore[no-untyped-def]
    slots, generation, day, k0, k1, held, age, female, sensitization, alert_mean, susceptibility, loading_sensitization,
    loading_alert, per_decade, female_onset, onset_sensitization, onset_alert, susceptibility_sd, age_from, milder, missed,
    added, rome3, rome4,
) -> None:  # fmt: skip
    """IBS by questionnaire: Rome IV is the condition, overlooked or said by mistake now and then; Rome III holds besides who
    has symptoms that are milder or rarer, with probability 1 - exp(-milder x hazard ratio of onset), by lasting luck.
    """
    for k in prange(slots.shape[0]):
        i = slots[k]
        founder, lived = np.uint32(i), np.uint32(generation[i])
        a, b, _c, _d = draw(founder, lived, day, _ANSWER, k0, k1)
        strict = not happens(a, missed) if held[k] else happens(b, added)
        hazard = exp(
            onset_sensitization * loading_sensitization * sensitization[i]
            + onset_alert * loading_alert * alert_mean[i]
            + per_decade * (age[i] - F(45.0)) * F(0.1)
            + female_onset * F(female[i])
            + susceptibility_sd * F(susceptibility[i]) * _PER_UNIT
        )
        c, _f, _g, _h = draw(founder, lived, np.uint32(0), _HABIT, k0, k1)
        mild = age[i] >= age_from and happens(c, one_minus_exp(milder * hazard))
        rome4[k] = strict
        rome3[k] = strict or mild or (held[k] and not happens(a, missed * missed))


COMPILED = (life_events, childhood, bowel)
"""Every compiled entry point of this file."""

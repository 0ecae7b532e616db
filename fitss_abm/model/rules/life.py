"""Birth into the model at 12, ageing, and death by age and sex alone."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, exp, jit, one_minus_exp
from fitss_abm.model.columns import NORMAL_UNIT, PERSONAL
from fitss_abm.model.conditions import REGIONS, SITES
from fitss_abm.model.randomness import Decision, draw, happens, normal, uniform
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_TRAITS = np.uint32(Decision.TRAITS)
_SUSCEPTIBILITY = np.uint32(Decision.SUSCEPTIBILITY)
_SITE_TRAITS = np.uint32(Decision.SITE_TRAITS)
_DEATH = np.uint32(Decision.DEATH)
_YEAR = F(365.25)
_BAND_YEARS = F(5.0)
_HALF = F(0.5)
_MOST_ADVERSITY = 10
_REGIONS = len(REGIONS)
_REGION_DRAWS = np.uint32(2)  # six regional factors need two draws of four words
_SITES = len(SITES)
_PERSONAL = len(PERSONAL)
# Natural menopause: mean 51 years, sd 4, between 40 and 60 (assumed from the usual 45-55).
_MENOPAUSE_MEAN, _MENOPAUSE_SD, _MENOPAUSE_LOW, _MENOPAUSE_HIGH = F(51.0), F(4.0), F(40.0), F(60.0)
_UNIT = F(NORMAL_UNIT)
_BYTE_MAX = F(127.0)


@jit
def _byte(z: float) -> int:
    """A normal variate as a signed byte, unit 1/24."""
    return np.int8(np.floor(min(max(z * _UNIT, -_BYTE_MAX), _BYTE_MAX) + _HALF))


@jit
def _spread(word: int, sd: float, shift: float) -> float:
    """exp(sd z + shift): a log-normal trait."""
    return exp(sd * normal(word) + shift)


@rule(every="birth")
def traits(  # type: ignore[no-untyped-def]
    adversity, menopause_age, central_gain, threat_reactivity, soothing_capacity, support_uptake, giving,
    sensory_sensitivity, female, generation, all_prevention, first, population_0, population_1,
    adversity_continuation, adversity_continuation_female, reactivity_sd, reactivity_per_adversity, reactivity_female,
    soothing_capacity_median, soothing_capacity_sd, soothing_capacity_per_adversity, gain_sd, gain_female,
    uptake_sd, uptake_female, giving_sd, giving_female, sensory_sensitivity_sd,
) -> None:  # fmt: skip
    """Traits, each an independent draw by key: log-normal about a median that adversity and sex shift; adversity geometric, 0-10.

    Prevention takes a proportion off the probability that one adversity is followed by another.

    Sex terms of support are split evenly between the sexes (women +, men -); others are added for women.
    """
    for i in range(adversity.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        lived = np.uint32(generation[i])
        woman = F(female[i])
        half_sex = woman - _HALF
        a, b, c, d = draw(founder, lived, np.uint32(0), _TRAITS, population_0, population_1)
        e, f, g, h = draw(founder, lived, np.uint32(0), _TRAITS + np.uint32(1), population_0, population_1)
        go_on = min(max(adversity_continuation + adversity_continuation_female * woman, F(0.0)), F(0.95))
        go_on *= F(1.0) - all_prevention[founder]
        count = 0
        reached = go_on
        u = uniform(a)
        while count < _MOST_ADVERSITY and u < reached:
            count += 1
            reached *= go_on
        adversity[i] = np.uint8(count)
        hurt = F(count)
        threat_reactivity[i] = _spread(b, reactivity_sd, reactivity_per_adversity * hurt + reactivity_female * woman)
        soothing_capacity[i] = soothing_capacity_median * _spread(
            c, soothing_capacity_sd, soothing_capacity_per_adversity * hurt
        )
        central_gain[i] = _spread(d, gain_sd, gain_female * woman)
        support_uptake[i] = _spread(e, uptake_sd, uptake_female * half_sex)
        giving[i] = _spread(f, giving_sd, giving_female * half_sex)
        sensory_sensitivity[i] = _spread(g, sensory_sensitivity_sd, F(0.0))
        years = _MENOPAUSE_MEAN + _MENOPAUSE_SD * normal(h) + _HALF
        menopause_age[i] = np.uint8(min(max(years, _MENOPAUSE_LOW), _MENOPAUSE_HIGH))


@rule(every="birth")
def susceptibilities(  # type: ignore[no-untyped-def]
    susceptibility,
    site_trait,
    personal,
    generation,
    first,
    population_0,
    population_1,
    condition_regions,
    condition_own,
) -> None:
    """Susceptibility z_ic = sum_r l_cr Z_ir + sqrt(1 - sum l^2) Z_ic; lasting differences of sites, pain, somatic symptoms, sleep.

    Standard normal variates, held in one byte each (unit 1/24).
    """
    hazards = condition_own.shape[0]
    for i in range(generation.shape[0]):
        founder = np.uint32(first + np.uint32(i))
        lived = np.uint32(generation[i])
        for h in range(hazards):
            w = draw(
                founder,
                lived,
                np.uint32(0),
                _SUSCEPTIBILITY + _REGION_DRAWS + np.uint32(h // 4),
                population_0,
                population_1,
            )
            k = h % 4
            z = condition_own[h] * normal(w[0] if k == 0 else (w[1] if k == 1 else (w[2] if k == 2 else w[3])))
            for r in range(_REGIONS):
                loading = condition_regions[h, r]
                if loading != F(0.0):
                    w = draw(
                        founder, lived, np.uint32(0), _SUSCEPTIBILITY + np.uint32(r // 4), population_0, population_1
                    )
                    k = r % 4
                    z += loading * normal(w[0] if k == 0 else (w[1] if k == 1 else (w[2] if k == 2 else w[3])))
            susceptibility[h, i] = _byte(z)
        for s in range(_SITES + _PERSONAL):
            w = draw(founder, lived, np.uint32(0), _SITE_TRAITS + np.uint32(s // 4), population_0, population_1)
            k = s % 4
            z = normal(w[0] if k == 0 else (w[1] if k == 1 else (w[2] if k == 2 else w[3])))
            if s < _SITES:
                site_trait[s, i] = _byte(z)
            else:
                personal[s - _SITES, i] = _byte(z)


@rule(every="week")
def ageing(age, birth_day, today, pace_from, pace_span, pace_days) -> None:  # type: ignore[no-untyped-def]
    """Age in years from the date of birth; in the pre-history it grows by the stage's pace."""
    for i in range(age.shape[0]):
        if today >= 0:
            age[i] = F(today - birth_day[i]) / _YEAR
        else:
            age[i] += F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days) / _YEAR


@rule(every="week")
def mortality(  # type: ignore[no-untyped-def]
    died, age, female, generation, day, today, first, life_0, life_1, death_rate
) -> None:
    """Death with probability 1 - exp(-rate(sex, age) x 7): the same in every arm, since nothing else enters. None in
    the pre-history."""
    last = death_rate.shape[1] - 1
    for i in range(died.shape[0]):
        if today >= 0:
            band = min(int(age[i] / _BAND_YEARS), last)
            rate = death_rate[0 if female[i] else 1, band]
            a, _b, _c, _d = draw(np.uint32(first + np.uint32(i)), np.uint32(generation[i]), day, _DEATH, life_0, life_1)
            died[i] = np.uint8(1 if happens(a, one_minus_exp(rate * F(7.0))) else 0)

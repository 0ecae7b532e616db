"""Conditions with a hazard: onset, remission, and the burden and peripheral pain that follow."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, exp, jit, one_minus_exp
from fitss_abm.model.columns import NORMAL_UNIT
from fitss_abm.model.randomness import Decision, draw, happens
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_EVENTS = np.uint32(Decision.CONDITION_EVENTS)
_PER_UNIT = F(1.0 / NORMAL_UNIT)
_REFERENCE_AGE = F(45.0)
_DECADE = F(0.1)
_COMPLEMENT = np.uint32(0xFFFFFFFF)
_LEAST = F(1e-30)  # keeps 0/0 away
_FEMALE, _MALE, _UNTIL_MENOPAUSE = np.uint8(1), np.uint8(2), np.uint8(4)


@jit
def _only(lane: int, wanted: int) -> int:
    return np.uint32(0xFFFFFFFF) if lane == wanted else np.uint32(0)


@rule(every="slow")
def onset_and_remission(  # type: ignore[no-untyped-def]
    conditions, susceptibility, sensitization, alert_mean, sensory_sensitivity,
    age, female, menopause_age, weeks_since, generation, birth_day,
    day, first, life_0, life_1, slow_days, pace_from, pace_span, pace_days,
    condition_bit, condition_onset, condition_remission, condition_loading_sensitization, condition_loading_alert,
    condition_per_decade, condition_female_onset, condition_female_remission, condition_age_from, condition_eligible,
    condition_trigger, condition_trigger_days, condition_without_trigger, condition_in_trigger, condition_sensory,
    onset_sensitization, onset_alert, remission_sensitization, susceptibility_sd,
) -> None:  # fmt: skip
    """Onset hazard h_c = base_c exp(b_C l_c C + b_A m_c A + slope_c (age - 45)/10 + sex_c + sd z_ic) x trigger;
    remission r_c exp(-b l_c C + sex_c).

    A is the slow mean of alert. Over a step of t days the state changes with the exact probability of a two-state
    process, h/(h+r) (1 - exp(-(h+r) t)). Each condition has its own word of
    luck, so a change in one leaves the luck of the others alone. Dysmenorrhoea ends at menopause.
    """
    for h in range(condition_bit.shape[0]):
        bit = condition_bit[h]
        decision = np.uint32(_EVENTS + np.uint32(h // 4))
        # which of a draw's four words is this condition's: masks, since a branch would keep the loop from being vectorised
        word_a, word_b, word_c, word_d = _only(h % 4, 0), _only(h % 4, 1), _only(h % 4, 2), _only(h % 4, 3)
        clock = weeks_since[max(condition_trigger[h], 0)]
        trigger_days = condition_trigger_days[h] if condition_trigger[h] >= 0 else F(-1.0)
        women_only_until = condition_eligible[h] & _UNTIL_MENOPAUSE != 0
        for_women = condition_eligible[h] & _FEMALE != 0
        for_men = condition_eligible[h] & _MALE != 0
        of_c = onset_sensitization * condition_loading_sensitization[h]
        held_by_c = remission_sensitization * condition_loading_sensitization[h]
        of_a = onset_alert * condition_loading_alert[h]
        of_senses = F(1.0) if condition_sensory[h] else F(0.0)
        for i in range(conditions.shape[0]):
            founder = np.uint32(first + np.uint32(i))
            days = slow_days * pace(birth_day[i], pace_from, pace_span, pace_days)
            a, b, c, d = draw(founder, np.uint32(generation[i]), day, decision, life_0, life_1)
            word = np.uint32((a & word_a) | (b & word_b) | (c & word_c) | (d & word_d))
            is_woman = female[i] != 0
            woman = F(female[i])
            years = age[i]
            old = conditions[i]
            held = (old & bit) != 0
            fertile = years < F(menopause_age[i])
            eligible = (for_women if is_woman else for_men) & (fertile | (not women_only_until))
            may_begin = eligible & (years >= condition_age_from[h])
            # the part of the step that lies within the trigger's window
            within = min(max((trigger_days - F(7.0) * F(clock[i])) / max(days, F(1e-3)), F(0.0)), F(1.0))
            by_trigger = condition_without_trigger[h] + within * (
                condition_in_trigger[h] - condition_without_trigger[h]
            )
            by_senses = F(1.0) + of_senses * (sensory_sensitivity[i] - F(1.0))
            log_onset = (
                of_c * sensitization[i]
                + of_a * alert_mean[i]
                + condition_per_decade[h] * (years - _REFERENCE_AGE) * _DECADE
                + condition_female_onset[h] * woman
                + susceptibility_sd * F(susceptibility[h, i]) * _PER_UNIT
            )
            log_remission = condition_female_remission[h] * woman - held_by_c * sensitization[i]
            onset = condition_onset[h] * by_trigger * by_senses * exp(log_onset) if may_begin else F(0.0)
            remission = condition_remission[h] * exp(log_remission)
            both = onset + remission
            # Low words bring a condition and high ones end it, so that with the same luck more hazard never leaves one better off.
            luck = np.uint32(word ^ _COMPLEMENT) if held else word
            changes = happens(luck, one_minus_exp(both * days) * (remission if held else onset) / max(both, _LEAST))
            ends = changes | (not eligible)
            begins = changes & may_begin
            now = (not ends) if held else begins
            conditions[i] = (old & ~bit) | (bit if now else np.uint32(0))


@rule(every="week")
def record(conditions, conditions_before, ever, first_onsets, episodes, held_quarter) -> None:  # type: ignore[no-untyped-def]
    """What began since the last record: every episode, the first of a life, and what was held in this quarter of a year."""
    for i in range(conditions.shape[0]):
        begun = conditions[i] & ~conditions_before[i]
        first_onsets[i] |= begun & ~ever[i]
        episodes[i] |= begun
        ever[i] |= begun
        held_quarter[i] |= conditions[i]
        conditions_before[i] = conditions[i]


@rule(every="slow")
def burden(  # type: ignore[no-untyped-def]
    burden, peripheral, conditions, peripheral_relief, condition_bit, condition_burden, condition_peripheral,
    definition_bit, definition_burden, burden_greatest,
) -> None:  # fmt: skip
    """Symptom burden B = b_max (1 - prod(1 - b_c)), bounded so that feedback cannot run away; peripheral sources
    N = (1 - relief) sum n_c, relief by programmes.

    Fibromyalgia and chronic widespread pain count once: the heavier of those held.
    """
    for i in range(burden.shape[0]):
        held = conditions[i]
        free = F(1.0)
        sources = F(0.0)
        if held != np.uint32(0):
            heaviest = F(0.0)
            for k in range(definition_bit.shape[0]):
                if held & definition_bit[k]:
                    heaviest = max(heaviest, definition_burden[k])
            free = F(1.0) - heaviest
            for h in range(condition_bit.shape[0]):
                if held & condition_bit[h]:
                    free *= F(1.0) - condition_burden[h]
                    sources += condition_peripheral[h]
        burden[i] = burden_greatest * (F(1.0) - free)
        peripheral[i] = sources * (F(1.0) - peripheral_relief[i])

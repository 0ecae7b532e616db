"""What a medical record could be made from: who sought care, and how long each condition has been there.

These rules are in no day as shipped. They are added (`watched`) where somebody wants to see people as a clinic does; they read
the state and write columns of their own, so that lives stay the same to the bit.
"""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, count_bits, exp
from fitss_abm.model.columns import Column
from fitss_abm.model.conditions import DEFINITIONS
from fitss_abm.model.randomness import Decision, draw, happens
from fitss_abm.model.rules import Day
from fitss_abm.model.rules.care import visit_probability
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

USUAL_DISTRESS = 8.0
"""WPI + SSS at which a year with a condition counts as a year: about the mean of people who have one (assumed)."""
_USUAL = F(USUAL_DISTRESS)
_CARE = np.uint32(Decision.CARE)
_D_MODIFIED = DEFINITIONS.index("fibromyalgia_modified_2010")
_D_DIAGNOSED = DEFINITIONS.index("fibromyalgia_diagnosed")
_WEEK_IN_YEARS = F(7.0 / 365.25)

COLUMNS = (
    Column("care_sought", np.uint8, "0 or 1", "has ever seen a doctor about fibromyalgia", "record"),
    Column("care_waited", np.float32, "years", "with the criteria of fibromyalgia and without the diagnosis", "record"),
    Column(
        "care_time", np.float32, "years", "with each condition, weighted by how severity drives to a doctor", "record",
        "hazards",
    ),
)  # fmt: skip


@rule(every="week")
def care_sought(  # type: ignore[no-untyped-def]
    care_sought, care_waited, conditions, female, body_map, somatic_severity, generation, birth_day, day, first, life_0,
    life_1, pace_from, pace_span, pace_days, definition_bit, care_rate, care_female, care_distress,
) -> None:  # fmt: skip
    """The visits of the rule `care`, recognised or not: its own draw against the probability of the visit alone. And for
    how long criteria were met before the diagnosis.
    """
    diagnosed = definition_bit[_D_DIAGNOSED]
    for i in range(conditions.shape[0]):
        if conditions[i] & diagnosed:
            care_sought[i] = 1
        elif conditions[i] & definition_bit[_D_MODIFIED]:
            paced = pace(birth_day[i], pace_from, pace_span, pace_days)
            care_waited[i] += _WEEK_IN_YEARS * paced
            visit = visit_probability(
                F(female[i]), count_bits(body_map[i]), somatic_severity[i], F(7.0) * paced,
                care_rate, care_female, care_distress,
            )  # fmt: skip
            founder = np.uint32(first + np.uint32(i))
            a, _b, _c, _d = draw(founder, np.uint32(generation[i]), day, _CARE, life_0, life_1)
            if happens(a, visit):
                care_sought[i] = 1


@rule(every="week")
def care_time(  # type: ignore[no-untyped-def]
    care_time, conditions, body_map, somatic_severity, birth_day, pace_from, pace_span, pace_days, condition_bit,
    care_distress,
) -> None:  # fmt: skip
    """Years with each condition (all episodes), each weighted by exp(c (WPI + SSS - 8)): who is worse sees a doctor sooner."""
    for i in range(conditions.shape[0]):
        held = conditions[i]
        if held != np.uint32(0):
            distress = F(count_bits(body_map[i])) + F(somatic_severity[i]) - _USUAL
            years = _WEEK_IN_YEARS * pace(birth_day[i], pace_from, pace_span, pace_days) * exp(care_distress * distress)
            for h in range(condition_bit.shape[0]):
                if held & condition_bit[h]:
                    care_time[h, i] += years


def watched(day: Day) -> Day:
    """The same day with these rules in it; it needs `COLUMNS`."""
    return day.after("care", care_sought).after("record", care_time)

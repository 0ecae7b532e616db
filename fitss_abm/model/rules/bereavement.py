"""Bereavements of the pre-history, in which nobody dies: as many as the deaths of partners and close friends will bring."""

from __future__ import annotations

import numpy as np

from fitss_abm.model.arithmetic import F, one_minus_exp
from fitss_abm.model.randomness import Decision, draw, happens
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_BEREAVEMENT = np.uint32(Decision.BEREAVEMENT)
_YEAR = F(365.25)
_BAND_YEARS = F(5.0)
_HALF = F(0.5)
_PARTNER = np.uint8(0)
_WEIGHT = F(4096.0)


@rule(every="week")
def past_bereavements(  # type: ignore[no-untyped-def]
    event_load, age, generation, birth_day, tie_start, tie_neighbour, tie_weight, tie_layer, all_birth_day, all_female,
    death_rate, day, today, first, life_0, life_1, pace_from, pace_span, pace_days,
    bereavement_severity, close_tie_strength, life_event_decay,
) -> None:  # fmt: skip
    """Pre-history only: bereaved at the rate at which one's partner and close friends, as old as they then were, would die.

    Severity as in a run: full for a partner, half for a close tie. In a run bereavement comes with the deaths themselves.
    """
    for i in range(event_load.shape[0]):
        if today < 0:
            days = F(7.0) * pace(birth_day[i], pace_from, pace_span, pace_days)
            still_to_live = F(-birth_day[i]) / _YEAR - age[i]
            partner = F(0.0)
            close = F(0.0)
            for k in range(tie_start[i], tie_start[i + 1]):
                other = tie_neighbour[k]
                years = F(-all_birth_day[other]) / _YEAR - still_to_live
                if years > F(0.0) and tie_weight[k] > 0:
                    band = min(int(years / _BAND_YEARS), death_rate.shape[1] - 1)
                    rate = death_rate[0 if all_female[other] else 1, band]
                    if tie_layer[k] == _PARTNER:
                        partner += rate
                    elif F(tie_weight[k]) >= _WEIGHT * close_tie_strength:
                        close += rate
            fading = life_event_decay * days
            mean_left = one_minus_exp(fading) / fading if fading > F(0.0) else F(1.0)
            a, b, _c, _d = draw(
                np.uint32(first + np.uint32(i)), np.uint32(generation[i]), day, _BEREAVEMENT, life_0, life_1
            )
            if happens(a, one_minus_exp(partner * days)):
                event_load[i] += bereavement_severity * mean_left
            if happens(b, one_minus_exp(close * days)):
                event_load[i] += _HALF * bereavement_severity * mean_left

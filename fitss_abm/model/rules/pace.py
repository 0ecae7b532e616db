"""How many days of life pass in a simulated day: 1 in a run, more in the pre-history."""

from __future__ import annotations

from fitss_abm.model.arithmetic import F, jit

_FASTEST = F(0.8)  # beyond it a rate would overshoot
ENTRY_DAYS = F(12 * 365.25)  # lives run from age 12


@jit
def pace(birth_day: int, pace_from: float, pace_span: float, pace_days: float) -> float:
    """Days of life of a person per simulated day of a stage that covers `pace_span` days of life after `pace_from`.

    A run is the stage with pace_from = -1e9, pace_span = pace_days = 1, whose pace is 1 for everybody.
    """
    lived = F(-birth_day) - ENTRY_DAYS
    return min(max(lived - pace_from, F(0.0)), pace_span) / pace_days


@jit
def quickened(rate: float, paced: float) -> float:
    """The rate per simulated day at which alert and soothing follow their sources when a day stands for `paced` days of life.

    Life events fade `paced` times faster in simulated days; were alert not to follow as fast, it would miss their peaks, and
    sensitization would start a tenth too low. In a run, and for those younger than the stage, the rate is unchanged.
    """
    return min(rate * max(paced, F(1.0)), max(rate, _FASTEST))

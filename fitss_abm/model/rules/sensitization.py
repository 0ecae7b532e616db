"""Central sensitization: months to years of alert and peripheral pain, weighed by central gain."""

from __future__ import annotations

from fitss_abm.model.arithmetic import F, exp
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.rules.rule import rule

_REFERENCE_AGE = F(45.0)
_DECADE = F(0.1)


@rule(every="day")
def sensitization(  # type: ignore[no-untyped-def]
    sensitization, alert, peripheral, central_gain, age, birth_day, pace_from, pace_span, pace_days,
    sensitization_rate, sensitization_decay, peripheral_weight, gain_per_decade,
) -> None:  # fmt: skip
    """C' = C + k0 g (1 - C)(A + q N) - k_dn C, with g = g_i exp(slope (age - 45)/10) and N sources of peripheral pain.

    In the pre-history a simulated day stands for `pace` days, and the step is implicit (backward Euler), which stays
    within 0 and 1 however long it is.
    """
    for i in range(sensitization.shape[0]):
        gain = central_gain[i] * exp(gain_per_decade * (age[i] - _REFERENCE_AGE) * _DECADE)
        up = sensitization_rate * gain * (alert[i] + peripheral_weight * peripheral[i])
        total = up + sensitization_decay
        step = total * pace(birth_day[i], pace_from, pace_span, pace_days)
        # the backward step stays within [0, 1] however long the stage makes a day
        sensitization[i] += step / (F(1.0) + step) * (up / total - sensitization[i])

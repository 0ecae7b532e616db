"""Emotion regulation: the threat system, the soothing system, and the salience network that weighs one against the other."""

from __future__ import annotations

from fitss_abm.model.arithmetic import F, exp, log
from fitss_abm.model.rules.pace import pace, quickened
from fitss_abm.model.rules.rule import rule


@rule(every="day")
def threat(  # type: ignore[no-untyped-def]
    threat, soothing, stress, sensitization, threat_reactivity, poor_sleep,
    threat_recovery, threat_sensitization_gain, sleep_recovery_effect, sleep_reference,
) -> None:  # fmt: skip
    """Threat T' = T exp(-k_T S q) + rho_i (1 + gamma C) x, with sleep q = 1 - effect (poor sleep - reference).

    Soothing is what lets threat recover (FITSS); sleep slows or speeds it.
    """
    for i in range(threat.shape[0]):
        sleep = F(1.0) - sleep_recovery_effect * (poor_sleep[i] - sleep_reference)
        kept = exp(-threat_recovery * soothing[i] * max(sleep, F(0.0)))
        made = threat_reactivity[i] * (F(1.0) + threat_sensitization_gain * sensitization[i]) * stress[i]
        threat[i] = threat[i] * kept + made


@rule(every="day")
def soothing(  # type: ignore[no-untyped-def]
    soothing, soothing_capacity, felt_support, alert, birth_day, pace_from, pace_span, pace_days,
    soothing_rate, support_weight, alert_blunts_soothing, soothing_floor,
) -> None:  # fmt: skip
    """Soothing S' = S + k_S ((s0_i + w_H u_i H) / (1 + chi A) - S), never below its floor. Continuous alert blunts soothing.

    In the pre-history k_S, and the rates of alert, are quickened (see pace.py).
    """
    for i in range(soothing.shape[0]):
        source = soothing_capacity[i] + support_weight * felt_support[i]
        aim = source / (F(1.0) + alert_blunts_soothing * alert[i])
        rate = quickened(soothing_rate, pace(birth_day[i], pace_from, pace_span, pace_days))
        soothing[i] = max(soothing[i] + rate * (aim - soothing[i]), soothing_floor)


@rule(every="day")
def alert(  # type: ignore[no-untyped-def]
    alert, alert_mean, threat, soothing, birth_day, pace_from, pace_span, pace_days,
    alert_rate, alert_steepness, alert_threshold, alert_memory_days,
) -> None:  # fmt: skip
    """Salience alert A' = A + k_A (T^n / (T^n + (kappa S)^n) - A); its slow mean follows A with a time constant in days."""
    for i in range(alert.shape[0]):
        ratio = max(threat[i], F(1e-6)) / (alert_threshold * soothing[i])
        power = exp(alert_steepness * log(ratio))
        paced = pace(birth_day[i], pace_from, pace_span, pace_days)
        alert[i] += quickened(alert_rate, paced) * (power / (F(1.0) + power) - alert[i])
        alert_mean[i] += quickened(F(1.0) / alert_memory_days, paced) * (alert[i] - alert_mean[i])

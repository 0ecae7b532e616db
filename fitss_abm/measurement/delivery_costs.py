"""What programmes cost, from the log of deliveries, discounted to the first day."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.delivery import WEEK
from fitss_abm.model.delivery_log import DeliveryLog, Event
from fitss_abm.model.population import DAYS_IN_YEAR
from fitss_abm.model.programmes import Programme
from fitss_abm.model.simulation import Simulation

_GONE = (Event.DROPPED, Event.STOPPED_SIDE_EFFECTS, Event.ENDED, Event.DIED)


def costs(simulation: Simulation, *, discount: float) -> list[dict[str, Any]]:
    """For each programme: name, offered, screened and started (people), person_weeks, cost and discounted (int. dollars).

    `discount`: rate per year; what falls due on day t counts (1 + rate)^(-t / 365.25).
    """
    if not simulation.interventions:
        return []
    log, until = simulation.delivery_log, simulation.day
    return [
        _of(one, k, log, until, account, discount)
        for k, (one, account) in enumerate(
            zip(simulation.interventions.programmes, simulation.interventions.accounts, strict=True)
        )
    ]


def _of(
    one: Programme, number: int, log: DeliveryLog, until: int, account: dict[str, Any], discount: float
) -> dict[str, Any]:
    mine = log.programme == number
    started, screened = (mine & (log.event == event) for event in (Event.STARTED, Event.SCREENED))
    worth = (1.0 + discount) ** (-log.day[started] / DAYS_IN_YEAR)
    paid = one.cost_per_start * float(worth.sum())
    if one.screening is not None:
        paid += one.screening.cost * float(((1.0 + discount) ** (-log.day[screened] / DAYS_IN_YEAR)).sum())
    weeks = weeks_treated(log, number, until)
    per_week = (1.0 + discount) ** (-WEEK / DAYS_IN_YEAR)
    lasting = weeks if discount == 0 else (1.0 - per_week**weeks) / (1.0 - per_week)
    if not one.prevents:
        paid += one.cost_per_week * float((worth * lasting).sum())
    return {
        "programme": one.name, "offered": account["offered"], "screened": account["screened"],
        "started": account["started"], "person_weeks": account["person_weeks"], "cost": float(account["cost"]),
        "discounted": paid,
    }  # fmt: skip


def weeks_treated(log: DeliveryLog, number: int, until: int) -> NDArray[np.float64]:
    """Weeks of treatment of everybody who started a programme, in order of their starts; a person starts it once."""
    mine = log.programme == number
    started = mine & (log.event == Event.STARTED)
    gone = mine & np.isin(log.event, _GONE)
    left = dict(
        zip(log.person[gone].tolist(), log.day[gone].tolist(), strict=True)
    )  # the last: who died waiting never began
    still = until + (-until) % WEEK
    ends = np.array([left.get(person, still) for person in log.person[started].tolist()], np.float64)
    return np.asarray((ends - log.day[started]) / WEEK)

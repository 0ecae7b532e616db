"""What programmes did in a run, as tables: who was reached when, and counts and costs of each."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation


def delivery(simulation: Simulation, start: datetime.date, run: Mapping[str, Any]) -> pd.DataFrame:
    """One row an event, in order of days: date, person (never reused), programme, event (see `Event`)."""
    from fitss_abm.model.delivery_log import Event

    log = simulation.delivery_log
    first = np.datetime64(start, "D")
    table = pd.DataFrame(
        {
            "date": (first + log.day.astype("timedelta64[D]")).astype("datetime64[ms]"),
            "person": log.person,
            "programme": pd.Categorical.from_codes(log.programme, pd.Index(log.names)),
            "event": pd.Categorical.from_codes(log.event, pd.Index([event.name.lower() for event in Event])),
        }
    )
    for number, (name, value) in enumerate(run.items()):
        table.insert(number, name, value)
    return table


def programmes(simulation: Simulation, run: Mapping[str, Any]) -> pd.DataFrame:
    """One row a programme: how many of each event, who waits and is treated at the end, person-weeks, cost (int. dollars)."""
    return pd.DataFrame([{**run, **account} for account in simulation.interventions.accounts])

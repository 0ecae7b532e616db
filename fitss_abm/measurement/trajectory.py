"""Persons seen close: one person's course week by week, and a sample of adults on the plane of threat and soothing."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model.conditions import Catalogue
from fitss_abm.model.simulation import Simulation

ADULT_AGE = 18.0
PLANE_PEOPLE = 5000
_CHOSEN_AGES = (30.0, 50.0)
_SENSITIZED = 0.75  # the person followed is more sensitized at the start than this share of those who might be chosen
_STATES = (
    "stress", "event_load", "threat", "soothing", "alert", "alert_mean", "sensitization", "felt_support", "loneliness",
)  # fmt: skip


def sample_plane(simulation: Simulation, *, people: int = PLANE_PEOPLE) -> pd.DataFrame:
    """At most `people` adults as they are now, one row each: threat, soothing, alert, sensitization, fibromyalgia,
    any_condition (one of those that the catalogue counts), sex. Evenly spaced places, whose people are drawn
    independently of each other: a random sample that costs no luck."""
    who = simulation.population
    adults = np.flatnonzero(who["age"] >= ADULT_AGE)
    if adults.size > people:
        adults = adults[np.linspace(0, adults.size - 1, people).astype(np.int64)]
    held = who["conditions"][adults]
    catalogue = simulation.catalogue
    return pd.DataFrame(
        {name: who[name][adults] for name in ("threat", "soothing", "alert", "sensitization")}
        | {
            "fibromyalgia": (held & np.uint32(catalogue.mask(["fibromyalgia"]))) != 0,
            "any_condition": (held & np.uint32(catalogue.mask(catalogue.counted))) != 0,
            "sex": _sex(who["female"][adults]),
        }
    )


class Trajectory:
    """Follows the person who lives in one place at the start, for as long as that person lives.

    Without `slot`, somebody of 30 to 50 years without fibromyalgia who is more sensitized than most and whose alert is
    nearest to half: it may go either way. Chosen by what is known at the start, never for what came of it.
    """

    def __init__(self, simulation: Simulation, *, slot: int | None = None) -> None:
        if slot is not None and not 0 <= slot < simulation.people:
            faults = Faults()
            faults.add("slot", slot, f"must be between 0 and {simulation.people - 1}")
            faults.raise_if_any()
        self._simulation = simulation
        self.slot = _chosen(simulation) if slot is None else slot
        self.person = self._lives_there_now()
        self._rows: list[dict[str, Any]] = []

    def record(self, date: datetime.date) -> None:
        """Append the person's state on `date`; nothing once the person has died and another lives in the place."""
        if self._lives_there_now() != self.person:
            return
        who, slot = self._simulation.population, self.slot
        row: dict[str, Any] = {"date": date, "person": self.person, "sex": str(_sex(who["female"][[slot]])[0])}
        row |= {name: float(who[name][slot]) for name in ("age", *_STATES)}
        row |= {
            "wpi": int(who["body_map"][slot]).bit_count(),
            "sss": int(who["somatic_severity"][slot]),
            "conditions": ",".join(_held(self._simulation.catalogue, int(who["conditions"][slot]))),
        }
        self._rows.append(row)

    def frame(self) -> pd.DataFrame:
        """What was recorded, a row a date; `conditions` are the ids of those held, joined by commas."""
        columns = ["date", "person", "sex", "age", *_STATES, "wpi", "sss", "conditions"]
        frame = pd.DataFrame(self._rows, columns=columns)
        return frame.assign(date=pd.to_datetime(frame["date"]))

    def _lives_there_now(self) -> int:
        return int(self._simulation.population.person(np.array([self.slot], dtype=np.int64))[0])


def _chosen(simulation: Simulation) -> int:
    """The place of the person to follow; where nobody fits, whoever is nearest to 40 years old."""
    who = simulation.population
    age = who["age"]
    ill = (who["conditions"] & np.uint32(simulation.catalogue.mask(["fibromyalgia"]))) != 0
    fit = np.flatnonzero((age >= _CHOSEN_AGES[0]) & (age < _CHOSEN_AGES[1]) & ~ill)
    if fit.size == 0:
        return int(np.argmin(np.abs(age - np.mean(_CHOSEN_AGES))))
    ranked = fit[np.argsort(who["sensitization"][fit], kind="stable")]
    sensitized = ranked[int(_SENSITIZED * (ranked.size - 1)) :]
    return int(sensitized[np.argmin(np.abs(who["alert_mean"][sensitized] - 0.5))])


def _sex(female: NDArray[Any]) -> NDArray[Any]:
    return np.where(female != 0, "female", "male")


def _held(catalogue: Catalogue, word: int) -> list[str]:
    return [id for id, bit in catalogue.bit.items() if word >> bit & 1]

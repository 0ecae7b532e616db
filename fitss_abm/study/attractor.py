"""Alert as an attractor: where threat, soothing and alert settle under a constant load, and whether that depends on the past.

The mean-field reduction takes the model's own equations at rest, with a person's load of stress x, felt support, peripheral
pain and helpers' cost held as they are, and the day-to-day chance in hassles replaced by its mean:

    T* = rho (1 + gamma C) (x + w v C) / (1 - exp(-k_T S q))     threat; v sensory sensitivity, q sleep
    S* = (s0 + w_H u H) / (1 + chi A)                            soothing, less what helping others costs
    A* = T^n / (T^n + (kappa S)^n)                               alert, 0 to 1
    C* = k0 g (A + p N) / (k0 g (A + p N) + k_dn)                sensitization, where it follows
    sleep* = logistic(own + b A)                                 poor sleep, where it follows

Everything but A is a function of A, so a steady state is a root of A = F(A), and F rises with A and with x. Iterating F is
therefore a quasi-static sweep: rising from no load it ends in the lowest steady state, falling from an overwhelming load
in the highest one, and a person is bistable where the two differ.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from fitss_abm.model.columns import NORMAL_UNIT, PERSONAL
from fitss_abm.model.network import WEIGHT_UNIT
from fitss_abm.study.intervals import wilson
from fitss_abm.study.targets import ADULT_AGE

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

Floats = NDArray[np.float64]

SYSTEMS: Mapping[str, frozenset[str]] = {
    "fast": frozenset(),
    "slow": frozenset({"sensitization"}),
    "slow with sleep": frozenset({"sensitization", "sleep"}),
}
"""What follows alert, besides threat and soothing; the rest is held at its present value."""
TOLERANCE = 0.05
"""Of full alert: two branches that differ by more are two."""
FACTORS = np.linspace(0.4, 1.6, 61)
"""Of a person's sources of soothing, from which a sweep of soothing begins and to which it returns."""
_CHRONIC = ("job_strain", "bullying", "caregiving", "poverty")  # bits 0 to 3 of `stressors`
_HASSLES = PERSONAL.index("hassles")
_REFERENCE_AGE, _DECADE = 45.0, 10.0
_STILL, _MOST_STEPS = 1e-7, 100_000
_CURVE = expit(np.linspace(-9.0, 9.0, 361))  # alert at which the load that keeps it is looked at


def mean_load(simulation: Simulation) -> Floats:
    """Expected stress of a day without sensory stimuli, given today's stressors, life-event load and burden (stress units)."""
    p, who = simulation.parameters, simulation.population
    sd, share = p["hassle_rate_sd"], p["hassle_interpersonal_share"]
    rate = p["hassle_rate"] * np.exp(
        sd * (who["personal"][_HASSLES] / NORMAL_UNIT - sd / 2)
        + p["hassle_rate_female"] * (who["female"] - 0.5)
        + p["hassle_rate_per_decade"] * (who["age"] - _REFERENCE_AGE) / _DECADE
    )
    unhabituated = 1 - p["hassle_habituation"] * -np.expm1(-rate)  # any hassle yesterday
    hassles = rate * ((1 - share) * unhabituated + share * p["hassle_interpersonal_severity"])
    chronic = [(who["stressors"] >> bit & 1) * p[f"{name}_level"] for bit, name in enumerate(_CHRONIC)]
    lasting = (chronic[0] + chronic[1]) * (1 - who["stress_relief"]) + chronic[2] + chronic[3]
    load = p["hassle_weight"] * hassles + lasting + who["event_load"] + p["burden_weight"] * who["burden"]
    return np.asarray(load, dtype=np.float64)


def _helping(simulation: Simulation) -> Floats:
    """What ties in distress cost everybody's soothing, if it fell on it in full (soothing units); see rules/support.py."""
    p, who, ties = simulation.parameters, simulation.population, simulation.network
    ego = np.repeat(np.arange(ties.people), np.diff(ties.start))
    weight = who["openness"][ego] * ties.weight / WEIGHT_UNIT * who["openness"][ties.neighbour]
    distress = np.bincount(ego, weight * who["alert"][ties.neighbour], minlength=ties.people)
    weights = p["support_baseline_weight"] + np.bincount(ego, weight, minlength=ties.people) + who["added_weight"]
    return np.asarray(p["helping_cost"] * distress / weights, dtype=np.float64)


def adults(simulation: Simulation) -> pd.DataFrame:
    """What the reduction needs of every adult, a row a place: traits, present state, `load`, `source` of soothing, `gain`."""
    p, who = simulation.parameters, simulation.population
    names = (
        "female", "age", "threat_reactivity", "sensory_sensitivity", "peripheral", "sensitization", "alert", "alert_mean",
        "poor_sleep",
    )  # fmt: skip
    people = pd.DataFrame({name: who[name].astype(np.float64) for name in names})
    people["load"], people["helping"] = mean_load(simulation), _helping(simulation)
    people["source"] = who["soothing_capacity"] + p["support_weight"] * who["felt_support"].astype(np.float64)
    people["gain"] = who["central_gain"] * np.exp(p["gain_per_decade"] * (people["age"] - _REFERENCE_AGE) / _DECADE)
    return people[people["age"] >= ADULT_AGE].rename_axis("place")


def nearest(people: pd.DataFrame, **ranks: float) -> int:
    """The place of the person nearest to these ranks (0 to 1) in these columns: `nearest(people, source=0.1, load=0.5)`."""
    near = people[list(ranks)].rank(pct=True) - pd.Series(ranks)
    return int(people.index.to_numpy()[(near.to_numpy() ** 2).sum(axis=1).argmin()])


@dataclass(frozen=True, eq=False)
class Balance:
    """The reduced equations of some people. Arrays are (people,); `factor` multiplies the sources of soothing."""

    people: Mapping[str, Floats]
    parameters: Mapping[str, float]
    follows: frozenset[str]

    @classmethod
    def of(cls, people: pd.DataFrame, parameters: Mapping[str, float], system: str = "fast") -> Balance:
        """`people`: rows of `adults`; `system`: one of SYSTEMS."""
        columns = {str(name): people[name].to_numpy(dtype=np.float64) for name in people.columns}
        return cls(columns, parameters, SYSTEMS[system])

    def some(self, chosen: NDArray[Any]) -> Balance:
        """The same of some of the people."""
        return dataclasses.replace(self, people={name: column[chosen] for name, column in self.people.items()})

    def sensitization(self, alert: Floats) -> Floats:
        """C at rest, 0 to 1."""
        who, p = self.people, self.parameters
        if "sensitization" not in self.follows:
            return who["sensitization"]
        up = p["sensitization_rate"] * who["gain"] * (alert + p["peripheral_weight"] * who["peripheral"])
        return up / (up + p["sensitization_decay"])

    def soothing(self, alert: Floats, factor: ArrayLike = 1.0) -> tuple[Floats, Floats]:
        """S at rest, soothing units: after helping others, as threat reads it, and at the end of a day, as alert reads it."""
        p = self.parameters
        aim = np.asarray(factor) * self.people["source"] / (1 + p["alert_blunts_soothing"] * alert)
        helped = np.maximum(aim - self.people["helping"], p["soothing_floor"])
        return helped, np.maximum(helped + p["soothing_rate"] * (aim - helped), p["soothing_floor"])

    def threat_per_stress(self, alert: Floats, factor: ArrayLike = 1.0) -> Floats:
        """T at rest for each unit of stress, threat units."""
        who, p = self.people, self.parameters
        sleep = who["poor_sleep"]
        if "sleep" in self.follows:
            sleep = expit(logit(np.clip(sleep, 1e-6, 1 - 1e-6)) + p["sleep_alert"] * (alert - who["alert_mean"]))
        quality = np.maximum(1 - p["sleep_recovery_effect"] * (sleep - p["sleep_reference"]), 0)
        lost = -np.expm1(-p["threat_recovery"] * self.soothing(alert, factor)[0] * quality)
        made = who["threat_reactivity"] * (1 + p["threat_sensitization_gain"] * self.sensitization(alert))
        return np.asarray(made / np.maximum(lost, 1e-12), dtype=np.float64)

    def sensory(self, alert: Floats) -> Floats:
        """Stress of everyday sensory stimuli, stress units."""
        return self.parameters["sensory_weight"] * self.people["sensory_sensitivity"] * self.sensitization(alert)

    def next_alert(self, alert: Floats, load: ArrayLike, factor: ArrayLike = 1.0) -> Floats:
        """F(A): the alert to which threat and soothing lead that are at rest at alert A."""
        threat = self.threat_per_stress(alert, factor) * (np.asarray(load) + self.sensory(alert))
        balance = self.parameters["alert_threshold"] * self.soothing(alert, factor)[1] / np.maximum(threat, 1e-6)
        return np.asarray(1 / (1 + balance ** self.parameters["alert_steepness"]), dtype=np.float64)

    def settle(self, start: ArrayLike, load: ArrayLike, factor: ArrayLike = 1.0) -> Floats:
        """The steady state of alert that is reached from `start` (0 to 1) under a constant load (stress units)."""
        size = self.people["load"].size
        alert, load, factor = (np.broadcast_to(np.asarray(x, np.float64), size).copy() for x in (start, load, factor))
        rest, some = np.arange(size), self
        for _ in range(_MOST_STEPS):
            after = some.next_alert(alert[rest], load[rest], factor[rest])
            moving = np.abs(after - alert[rest]) > _STILL
            alert[rest] = after
            if not moving.any():
                return alert
            if 2 * moving.sum() < moving.size:
                rest, some = rest[moving], some.some(moving)
        raise ArithmeticError(f"alert of {rest.size} people does not settle in {_MOST_STEPS} steps")

    def sweep(self, loads: Sequence[ArrayLike], factors: Sequence[ArrayLike]) -> Floats:
        """Alert at rest along a path of loads and factors, (steps, people): each step begins where the last one ended."""
        alert, path = np.zeros(self.people["load"].size), []
        for load, factor in zip(loads, factors, strict=True):
            path.append(alert := self.settle(alert, load, factor))
        return np.array(path)

    def sweep_load(self, loads: Floats) -> tuple[Floats, Floats]:
        """Branches of alert under rising `loads` and as they fall again, both (loads, people) in the order of `loads`."""
        path = self.sweep([*loads, *loads[::-1]], [1.0] * (2 * len(loads)))
        return path[: len(loads)], path[len(loads) :][::-1]

    def sweep_soothing(self, factors: Floats = FACTORS) -> tuple[Floats, Floats]:
        """Branches of alert at everybody's own load while soothing falls, and as it rises again, in the order of `factors`."""
        path = self.sweep([self.people["load"]] * (2 * len(factors)), [*factors[::-1], *factors])
        return path[: len(factors)][::-1], path[len(factors) :]

    def jumps(self) -> tuple[Floats, Floats]:
        """Loads at which alert jumps up as load rises, and down as it falls (stress units); NaN where it never jumps.

        The load that keeps alert at A is explicit, x(A) = T(A) / (T per stress) - sensory stimuli; where it falls with A no
        state is stable, and the jumps are at the two ends. A negative load down means: alert stays without any load.
        """
        size = self.people["load"].size
        highest, drop, top = np.full(size, -np.inf), np.zeros(size), np.zeros(size)
        up, down, wide = np.zeros(size), np.zeros(size), np.zeros(size)
        for level in _CURVE:
            alert = np.full(size, level)
            odds = (level / (1 - level)) ** (1 / self.parameters["alert_steepness"])
            threat = odds * self.parameters["alert_threshold"] * self.soothing(alert)[1]
            load = threat / self.threat_per_stress(alert) - self.sensory(alert)
            top = np.where(load > highest, level, top)
            highest = np.maximum(load, highest)
            deeper = highest - load > drop
            for kept, value in ((up, highest), (down, load), (wide, level - top), (drop, highest - load)):
                kept[deeper] = value[deeper]
        return np.where(wide > TOLERANCE, up, np.nan), np.where(wide > TOLERANCE, down, np.nan)


@dataclass(frozen=True, eq=False)
class Attractor:
    """`states`: a row a person and system: place, female, load, low and high alert at that load, `now` (they differ),
    `upper` (nearer to the high one), jump_up and jump_down (loads), `any_load`, `any_soothing`, `locked` (stays without load).
    `shares`: of adults, by system and group, each of these in per cent with a 95 % interval. `most_load`: bound of `any_load`.
    """

    states: pd.DataFrame
    shares: pd.DataFrame
    most_load: float


def attractor(simulation: Simulation, *, most_load: float | None = None) -> Attractor:
    """Who of the adults of a prepared simulation is bistable. `most_load`: by default that of one adult in a hundred."""
    people = adults(simulation)
    most = float(people["load"].quantile(0.99)) if most_load is None else most_load
    tables = []
    for system in SYSTEMS:
        balance = Balance.of(people, simulation.parameters, system)
        low, high = (balance.settle(start, people["load"]) for start in (0.0, 1.0))
        falling, rising = balance.sweep_soothing()
        up, down = balance.jumps()
        table = people[["female", "load"]].assign(system=system, low=low, high=high, now=high - low > TOLERANCE)
        table["upper"] = table["now"] & (people["alert_mean"] > (low + high) / 2)
        table["jump_up"], table["jump_down"] = up, down
        table["any_load"] = (down < most) & (up > 0)
        table["any_soothing"] = (np.abs(rising - falling) > TOLERANCE).any(axis=0)
        table["locked"] = down <= 0
        tables.append(table.reset_index())
    states = pd.concat(tables, ignore_index=True)
    return Attractor(states, _shares(states), most)


def _shares(states: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for system, table in states.groupby("system", sort=False):
        for group, some in (
            ("all", table),
            ("women", table[table["female"] > 0]),
            ("men", table[table["female"] == 0]),
        ):
            for what in ("now", "any_load", "any_soothing", "upper", "locked"):
                share, low, high = (100 * float(x) for x in wilson(some[what].sum(), len(some)))
                rows.append((system, group, len(some), what, share, low, high))
    return pd.DataFrame(rows, columns=["system", "group", "people", "what", "value", "low", "high"])

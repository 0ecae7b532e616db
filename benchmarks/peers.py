"""The engine against the same rules as plain Mesa agents and as NumPy columns, in one run.

    python benchmarks/peers.py [--large]

The rules: exposure, support, threat, soothing, alert, sensitization and offer daily, onset and remission weekly. All
three start from the same people, ties and state, and differ in luck alone (the engine's is keyed by person; the peers
take numbers from one generator). So that the comparison is fair, means after half a year must agree within Monte Carlo
error, or the run fails.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import mesa
import numba
import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from fitss_abm.model.demography import load
from fitss_abm.model.network import WEIGHT_UNIT
from fitss_abm.model.rules import DAY, Day
from fitss_abm.model.simulation import Simulation

RULES = ("exposure", "support", "threat", "soothing", "alert", "sensitization")
HALF_A_YEAR = 182
CHECKED = {"mesa agents": 2000, "numpy columns": 50_000}
MOST_Z = 4.0  # six comparisons: by chance alone one run in 2,600 fails
COPIED = (
    "stress", "stressors", "age", "female", "event_load", "burden", "felt_support", "loneliness", "openness", "threat",
    "soothing", "alert", "alert_mean", "sensitization", "poor_sleep", "peripheral", "central_gain", "threat_reactivity",
    "soothing_capacity", "support_uptake", "giving", "sensory_sensitivity", "menopause_age", "conditions",
)  # fmt: skip


def main() -> None:
    """Check that the three agree, time them, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="a million people as well, where that is bearable")
    large = parser.parse_args().large
    _say_what_runs()
    checks = [_agree(name, people) for name, people in CHECKED.items()]

    sizes = (10_000, 100_000, 1_000_000) if large else (10_000, 100_000)
    speed: dict[tuple[str, int], float] = {}
    for people in sizes:
        for threads in {1, min(2, numba.config.NUMBA_NUM_THREADS)}:
            engine, days = _engine(people, threads=threads), 28 if people < 100_000 else 7
            speed[f"engine, {threads} thread{'s' if threads > 1 else ''}", people] = _speed(
                engine.advance, people, days, 20
            )
        speed["numpy columns", people] = _speed(Columns(engine).advance, people, 7, 10)
        if people == sizes[0]:
            speed["mesa agents", people] = _speed(Agents(engine).advance, people, 7, 2)

    print(f"\n{'':>20}" + "".join(f"{people:>24,}" for people in sizes) + "  people")
    for name in dict.fromkeys(name for name, _ in speed):
        cells = []
        for people in sizes:
            rate, single = speed.get((name, people)), speed["engine, 1 thread", people]
            cells.append(f"{'':>24}" if rate is None else f"{rate / 1e6:>12.3f} M/s, 1/{single / rate:<7.3g}")
        print(f"{name:>20}" + "".join(cells))
    print("M/s: million person-days a second, the best stretch; 1/x: x times slower than the engine on one thread")
    if not all(checks):
        sys.exit("the peers do not compute the same thing: the ratios mean nothing")


def _say_what_runs() -> None:
    load_average = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"{os.cpu_count()} cores, load average before this began: {load_average} (above 0.5 something else runs)")


def _engine(people: int, *, threads: int | None = None) -> Simulation:
    """The rules above on the engine. No conditions at first, so that half a year shows onsets."""
    named = {rule.name: rule for rule in DAY}
    day = Day(named[name] for name in (*RULES, "onset_and_remission", "offer"))
    simulation = Simulation(people=people, demography=load("Germany"), day=day, threads=threads)
    who, luck = simulation.population, np.random.default_rng(1)
    for name in ("central_gain", "threat_reactivity", "soothing_capacity", "support_uptake", "giving"):
        who[name][:] = np.exp(0.4 * luck.standard_normal(people))
    who["susceptibility"][...] = np.clip(24 * luck.standard_normal(who["susceptibility"].shape), -127, 127)
    who["sensory_sensitivity"][:], who["sensitization"][:], who["menopause_age"][:] = 1.0, 0.3, 51
    who["event_load"][:] = luck.exponential(1.5, people)
    who["stressors"][:] = luck.random(people) < 0.2
    simulation.advance(1)  # so that there are offers to meet
    return simulation


def _speed(advance: Callable[[int], None], people: int, days: int, repeats: int) -> float:
    advance(1)
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        advance(days)
        seconds.append(time.perf_counter() - begun)
    return people * days / min(seconds)


def _agree(name: str, people: int) -> bool:
    """Whether means over people agree after half a year; the error is that of paired differences between persons."""
    engine = _engine(people)
    peer = (Agents if name == "mesa agents" else Columns)(engine)
    engine.advance(HALF_A_YEAR)
    peer.advance(HALF_A_YEAR)
    conditions = peer.column("conditions").astype(np.uint32)
    common = max(
        (c.id for c in engine.catalogue.conditions if c.has_hazard),
        key=lambda id: int((engine.population["conditions"] & np.uint32(engine.catalogue.mask([id])) > 0).sum()),
    )
    bit = np.uint32(engine.catalogue.mask([common]))
    pairs = {
        "mean alert": (engine.population["alert"], peer.column("alert")),
        "mean sensitization": (engine.population["sensitization"], peer.column("sensitization")),
        f"prevalence of {common}": (engine.population["conditions"] & bit > 0, conditions & bit > 0),
    }
    fair = True
    for what, (one, other) in pairs.items():
        apart = one.astype(np.float64) - other.astype(np.float64)
        z = apart.mean() / (apart.std() / math.sqrt(people))
        fair &= abs(z) < MOST_Z
        print(
            f"{name}, {people:,} people: {what} {one.mean():.4f} in the engine, {other.mean():.4f} here, z = {z:+.1f}"
        )
    return fair


def _parameters(engine: Simulation) -> Any:
    return type("P", (), {name: float(value) for name, value in engine.parameters.items()})


class Columns:
    """The rules over whole columns of NumPy, neighbours summed by SciPy's sparse rows."""

    def __init__(self, engine: Simulation) -> None:
        who, network, self.people = engine.population, engine.network, engine.people
        self.p, self.day, self.rng = _parameters(engine), engine.day, np.random.default_rng(1)
        for name in COPIED:
            setattr(self, name, who[name].copy())
        self.z = who["susceptibility"].astype(np.float32) / np.float32(24)
        self.prone = who["personal"][5].astype(np.float32) / np.float32(24)
        self.since = who["weeks_since"].copy()
        self.c = engine.catalogue.arrays()
        shape = (self.people, self.people)
        weights = network.weight.astype(np.float32) / np.float32(WEIGHT_UNIT)
        self.ties = scipy.sparse.csr_array((weights, network.neighbour, network.start), shape=shape)
        self.offer()

    def column(self, name: str) -> NDArray[Any]:
        """A column as it is now."""
        return np.asarray(getattr(self, name))

    def advance(self, days: int) -> None:
        """So many days."""
        for _ in range(days):
            self.exposure()
            self.support()
            self.regulation()
            self.onset_and_remission()
            self.offer()
            self.day += 1

    def exposure(self) -> None:
        """Hassles of two kinds, chronic stressors, events, senses, burden."""
        p, rng = self.p, self.rng
        rate = p.hassle_rate * np.exp(
            p.hassle_rate_sd * (self.prone - 0.5 * p.hassle_rate_sd)
            + p.hassle_rate_female * (self.female - np.float32(0.5))
            + p.hassle_rate_per_decade * (self.age - 45) / 10
        )
        share = p.hassle_interpersonal_share
        other = rng.standard_gamma(rng.poisson(rate * (1 - share)), dtype=np.float64).astype(np.float32)
        personal = rng.standard_gamma(rng.poisson(rate * share), dtype=np.float64).astype(np.float32)
        on = self.stressors
        felt = np.where(on & 128, other * (1 - p.hassle_habituation), other)
        levels = (p.job_strain_level, p.bullying_level, p.caregiving_level, p.poverty_level)
        chronic = sum((on >> k & 1) * np.float32(level) for k, level in enumerate(levels))
        self.stress = p.hassle_weight * (felt + p.hassle_interpersonal_severity * personal) + chronic + self.event_load
        self.stress += p.sensory_weight * self.sensory_sensitivity * self.sensitization + p.burden_weight * self.burden
        self.stressors = on & 15 | ((other + personal > 0) * np.uint8(128))

    def support(self) -> None:
        """What neighbours offered yesterday."""
        p = self.p
        total, offered, distress = (self.ties @ self.words).T
        weight = self.openness * total
        share = 1 / (p.support_baseline_weight + weight)
        received = (p.support_baseline_weight * p.support_baseline + self.openness * offered) * share
        self.felt_support = self.support_uptake * received
        self.loneliness += p.loneliness_rate * (p.support_need - self.felt_support - self.loneliness)
        self.soothing -= p.soothing_rate * p.helping_cost * self.openness * distress * share

    def regulation(self) -> None:
        """Threat, soothing, alert, sensitization."""
        p = self.p
        sleep = np.maximum(1 - p.sleep_recovery_effect * (self.poor_sleep - p.sleep_reference), 0)
        made = self.threat_reactivity * (1 + p.threat_sensitization_gain * self.sensitization) * self.stress
        self.threat = self.threat * np.exp(-p.threat_recovery * self.soothing * sleep) + made
        aim = (self.soothing_capacity + p.support_weight * self.felt_support) / (
            1 + p.alert_blunts_soothing * self.alert
        )
        self.soothing = np.maximum(self.soothing + p.soothing_rate * (aim - self.soothing), p.soothing_floor)
        power = (np.maximum(self.threat, 1e-6) / (p.alert_threshold * self.soothing)) ** p.alert_steepness
        self.alert += p.alert_rate * (power / (1 + power) - self.alert)
        self.alert_mean += (self.alert - self.alert_mean) / p.alert_memory_days
        gain = self.central_gain * np.exp(p.gain_per_decade * (self.age - 45) / 10)
        up = p.sensitization_rate * gain * (self.alert + p.peripheral_weight * self.peripheral)
        total = up + p.sensitization_decay
        self.sensitization += total / (1 + total) * (up / total - self.sensitization)

    def onset_and_remission(self) -> None:
        """Conditions of the seventh of the people whose day of the week it is."""
        p, c = self.p, self.c
        due = np.flatnonzero((np.arange(self.people) // 64 + self.day) % 7 == 0)
        age, female = self.age[due], self.female[due]
        fertile = age < self.menopause_age[due]
        held_all = self.conditions[due]
        for h, bit in enumerate(c["condition_bit"]):
            held = held_all & bit > 0
            eligible = np.where(female > 0, bool(c["condition_eligible"][h] & 1), bool(c["condition_eligible"][h] & 2))
            if c["condition_eligible"][h] & 4:
                eligible &= fertile
            clock = self.since[max(c["condition_trigger"][h], 0), due]
            days = c["condition_trigger_days"][h] if c["condition_trigger"][h] >= 0 else -1.0
            by_trigger = np.where(7.0 * clock < days, c["condition_in_trigger"][h], c["condition_without_trigger"][h])
            senses = self.sensory_sensitivity[due] if c["condition_sensory"][h] else np.float32(1)
            onset = np.exp(
                p.onset_sensitization * c["condition_loading_sensitization"][h] * self.sensitization[due]
                + p.onset_alert * c["condition_loading_alert"][h] * self.alert_mean[due]
                + c["condition_per_decade"][h] * (age - 45) / 10
                + c["condition_female_onset"][h] * female
                + p.susceptibility_sd * self.z[h, due]
            )
            ending = c["condition_female_remission"][h] * female - p.remission_sensitization * self.sensitization[due]
            hazard = np.where(
                held,
                c["condition_remission"][h] * np.exp(ending),
                c["condition_onset"][h] * by_trigger * senses * onset,
            )
            changes = self.rng.random(len(due)) < -np.expm1(-7 * hazard.astype(np.float64))
            begins = changes & eligible & (age >= c["condition_age_from"][h])
            now = np.where(held, ~(changes | ~eligible), begins)
            held_all = held_all & ~bit | np.where(now, bit, np.uint32(0))
        self.conditions[due] = held_all

    def offer(self) -> None:
        """What others meet tomorrow: openness, and offer and distress weighed by it."""
        given = np.minimum(self.giving * (1 - self.alert) * 2 * self.soothing / (1 + self.soothing), 4)
        self.words = np.stack([self.openness, self.openness * given, self.openness * self.alert], axis=1)


class Agent(mesa.Agent):  # type: ignore[misc, unused-ignore]
    """A person as a plain Mesa agent: attributes, and a step in Python floats."""

    ties: list[tuple[Agent, float]]

    def step(self) -> None:
        """The day's rules in order."""
        p, luck, exp = self.model.p, self.model.luck, math.exp
        rate = p.hassle_rate * exp(
            p.hassle_rate_sd * (self.prone - 0.5 * p.hassle_rate_sd)
            + p.hassle_rate_female * (self.female - 0.5)
            + p.hassle_rate_per_decade * (self.age - 45) / 10
        )
        share = p.hassle_interpersonal_share
        other, personal = self.hassles(rate * (1 - share)), self.hassles(rate * share)
        on = self.stressors
        felt = other * (1 - p.hassle_habituation) if on & 128 else other
        chronic = (on & 1) * p.job_strain_level + (on >> 1 & 1) * p.bullying_level
        chronic += (on >> 2 & 1) * p.caregiving_level + (on >> 3 & 1) * p.poverty_level
        stress = p.hassle_weight * (felt + p.hassle_interpersonal_severity * personal) + chronic + self.event_load
        stress += p.sensory_weight * self.sensory_sensitivity * self.sensitization + p.burden_weight * self.burden
        self.stressors = on & 15 | (128 if other + personal > 0 else 0)

        total = offered = distress = 0.0
        for neighbour, weight in self.ties:
            openness, offer, alert = neighbour.word
            reaches = weight * openness
            total += reaches
            offered += reaches * offer
            distress += reaches * alert
        share = 1 / (p.support_baseline_weight + self.openness * total)
        received = (p.support_baseline_weight * p.support_baseline + self.openness * offered) * share
        self.felt_support = self.support_uptake * received
        self.loneliness += p.loneliness_rate * (p.support_need - self.felt_support - self.loneliness)
        self.soothing -= p.soothing_rate * p.helping_cost * self.openness * distress * share

        sleep = max(1 - p.sleep_recovery_effect * (self.poor_sleep - p.sleep_reference), 0.0)
        made = self.threat_reactivity * (1 + p.threat_sensitization_gain * self.sensitization) * stress
        self.threat = self.threat * exp(-p.threat_recovery * self.soothing * sleep) + made
        aim = (self.soothing_capacity + p.support_weight * self.felt_support) / (
            1 + p.alert_blunts_soothing * self.alert
        )
        self.soothing = max(self.soothing + p.soothing_rate * (aim - self.soothing), p.soothing_floor)
        power = (max(self.threat, 1e-6) / (p.alert_threshold * self.soothing)) ** p.alert_steepness
        self.alert += p.alert_rate * (power / (1 + power) - self.alert)
        self.alert_mean += (self.alert - self.alert_mean) / p.alert_memory_days
        gain = self.central_gain * exp(p.gain_per_decade * (self.age - 45) / 10)
        up = p.sensitization_rate * gain * (self.alert + p.peripheral_weight * self.peripheral)
        rise = up + p.sensitization_decay
        self.sensitization += rise / (1 + rise) * (up / rise - self.sensitization)

        if (self.row // 64 + self.model.day) % 7 == 0:
            self.onset_and_remission(p, luck)

    def hassles(self, rate: float) -> float:
        """Sum of a Poisson number of unit exponential severities."""
        luck = self.model.luck.random
        load, left = 0.0, luck() - math.exp(-rate)
        term, k = math.exp(-rate), 0
        while left > 0 and k < 7:
            k += 1
            term *= rate / k
            left -= term
            load -= math.log(1.0 - luck())
        return load

    def onset_and_remission(self, p: Any, luck: Any) -> None:
        """Each condition may begin or end."""
        for c, z in zip(self.model.hazards, self.z, strict=True):
            eligible = bool(c["eligible"] & (1 if self.female else 2)) and (
                not c["eligible"] & 4 or self.age < self.menopause_age
            )
            if self.conditions & c["bit"]:
                ending = c["female_remission"] * self.female - p.remission_sensitization * self.sensitization
                if not eligible or luck.random() < -math.expm1(-7 * c["remission"] * math.exp(ending)):
                    self.conditions &= ~c["bit"]
            elif eligible and self.age >= c["age_from"]:
                days = c["trigger_days"] if c["trigger"] >= 0 else -1.0
                triggered = 7.0 * self.since[max(c["trigger"], 0)] < days
                hazard = c["onset"] * (c["in_trigger"] if triggered else c["without_trigger"]) * math.exp(
                    p.onset_sensitization * c["loading_sensitization"] * self.sensitization
                    + p.onset_alert * c["loading_alert"] * self.alert_mean
                    + c["per_decade"] * (self.age - 45) / 10
                    + c["female_onset"] * self.female
                    + p.susceptibility_sd * z
                )  # fmt: skip
                hazard *= self.sensory_sensitivity if c["sensory"] else 1.0
                if luck.random() < -math.expm1(-7 * hazard):
                    self.conditions |= c["bit"]

    def speak(self) -> None:
        """What others meet tomorrow."""
        given = min(self.giving * (1 - self.alert) * 2 * self.soothing / (1 + self.soothing), 4.0)
        self.word = (self.openness, given, self.alert)


class Agents(mesa.Model):  # type: ignore[misc, unused-ignore]
    """The rules as one does it in Mesa: every agent steps, then every agent speaks."""

    def __init__(self, engine: Simulation) -> None:
        super().__init__(rng=1)
        who, network = engine.population, engine.network
        self.p, self.day, self.luck = _parameters(engine), engine.day, self.random
        arrays = {
            n.removeprefix("condition_"): a for n, a in engine.catalogue.arrays().items() if n.startswith("condition_")
        }
        one_each = {n: a.tolist() for n, a in arrays.items() if a.ndim == 1 and n != "masks"}
        self.hazards = [{name: values[h] for name, values in one_each.items()} for h in range(len(one_each["bit"]))]
        columns = {name: who[name].tolist() for name in COPIED}
        z, since = (who["susceptibility"] / 24.0).T.tolist(), who["weeks_since"].T.tolist()
        self.everybody = [Agent(self) for _ in range(engine.people)]
        for row, agent in enumerate(self.everybody):
            agent.row, agent.z, agent.since = row, z[row], since[row]
            agent.prone = float(who["personal"][5, row]) / 24.0
            for name, values in columns.items():
                setattr(agent, name, values[row])
            mine = slice(network.start[row], network.start[row + 1])
            others, weights = network.neighbour[mine].tolist(), network.weight[mine].tolist()
            agent.ties = [(self.everybody[k], w / WEIGHT_UNIT) for k, w in zip(others, weights, strict=True)]
            agent.speak()

    def step(self) -> None:
        """A day."""
        self.agents.do("step")
        self.agents.do("speak")
        self.day += 1

    def advance(self, days: int) -> None:
        """So many days."""
        for _ in range(days):
            self.step()

    def column(self, name: str) -> NDArray[Any]:
        """An attribute of everybody."""
        return np.array(self.agents.get(name))


if __name__ == "__main__":
    main()

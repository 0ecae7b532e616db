"""The day written a second time, from docs/model.md alone: plain Python, one person after the other, float32 scalars.

Nothing of the rules is used: of the package only declared parameters, the catalogue, the body map's data and a
simulation's starting state. exp and log are NumPy's, so the last bits differ from the engine's.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.conditions import Condition
from fitss_abm.model.simulation import Simulation

F = np.float32
Words = tuple[int, int, int, int]
YEAR = F(365.25)
ENTRY_DAYS = 4383
FULL = (1 << 13) - 1
POPULATION, LIFE = 1, 3  # streams
REGIONS = ("head", "pelvis", "gut", "musculoskeletal", "sleep", "trauma")
TRIGGERS = ("trauma", "injury", "infection")
PAIN, SOMATIC, SLEEP, TENDERNESS, LIFE_EVENTS, HASSLES = range(6)
ACR_2016, WIDESPREAD, MODIFIED_2010, ANY_PAIN, ACR_1990 = range(5)
SITES: dict[str, dict[str, Any]] = tomllib.loads(
    files("fitss_abm.data").joinpath("body_map.toml").read_text(encoding="utf-8")
)
NAMES = tuple(SITES)


# --- functions and luck ---------------------------------------------------------------------------------------------


def exp(x: Any) -> Any:
    return np.exp(F(min(max(x, F(-87)), F(88))))


def log(x: Any) -> Any:
    return np.log(F(x))


def one_minus_exp(x: Any) -> Any:
    return F(-np.expm1(-np.float64(x)))


def logistic(x: Any) -> Any:
    return F(1) / (F(1) + exp(-x))


def key_of(seed: int, stream: int) -> tuple[int, int]:
    mask = (1 << 64) - 1
    z = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & mask
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    z ^= z >> 31
    return z & 0xFFFFFFFF, z >> 32


def philox(a: int, b: int, c: int, d: int, key: tuple[int, int]) -> Words:
    k0, k1 = key
    for _ in range(10):
        first, third = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (third >> 32) ^ b ^ k0, third & 0xFFFFFFFF, (first >> 32) ^ d ^ k1, first & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def uniform(word: int) -> Any:
    return F(((word >> 9) + 0.5) * 2.0**-23)


def triangular(word: int) -> Any:
    return F(((word & 0xFFFF) + (word >> 16) - 65535) * math.sqrt(6) / 65536)


def happens(word: int, p: Any) -> bool:
    return bool(p >= 1) or word < math.floor(min(float(p) * 2.0**32, 4294967040.0))


def ratio(r: float, top: tuple[float, ...], bottom: tuple[float, ...]) -> float:
    return float(np.polyval(top[::-1], r) / np.polyval(bottom[::-1], r))


def normal(word: int) -> Any:
    """Quantile of the word's uniform: Wichura, AS 241, PPND7."""
    p = float(uniform(word))
    q = p - 0.5
    if abs(q) <= 0.425:
        top = (3.3871327179, 50.434271938, 159.29113202, 59.109374720)
        return F(q * ratio(0.180625 - q * q, top, (1.0, 17.895169469, 78.757757664, 67.187563600)))
    r = math.sqrt(-math.log(min(p, 1 - p)))
    if r <= 5:
        top = (1.4234372777, 2.7568153900, 1.3067284816, 0.17023821103)
        z = ratio(r - 1.6, top, (1.0, 0.73700164250, 0.12021132975))
    else:
        top = (6.6579051150, 3.0812263860, 0.42868294337, 0.017337203997)
        z = ratio(r - 5, top, (1.0, 0.24197894225, 0.012258202635))
    return F(math.copysign(z, q))


def byte(z: Any) -> int:
    return math.floor(min(max(F(24) * z, F(-127)), F(127)) + F(0.5))


# --- people ---------------------------------------------------------------------------------------------------------

# What a person of 12 begins with; all else that is neither identity nor trait begins at 0.
NEWBORN = {
    "threat": 2.0, "soothing": 1.2, "felt_support": 1.0, "openness": 1.0, "poor_sleep": 0.2, "age": 12.0,
    "stress": 0.0, "event_load": 0.0, "alert": 0.0, "alert_mean": 0.0, "sensitization": 0.0, "loneliness": 0.0,
    "variation": 0.0, "burden": 0.0, "peripheral": 0.0, "added_support": 0.0, "added_weight": 0.0, "stress_relief": 0.0,
    "sleep_relief": 0.0, "peripheral_relief": 0.0, "reported_relief": 0.0,
}  # fmt: skip
COUNTERS = (
    "died", "stressors", "body_map", "somatic_severity", "conditions", "conditions_before", "ever", "first_onsets",
    "episodes", "held_quarter", "held_quarter_1", "held_quarter_2", "held_quarter_3",
)  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """Days of life `span`, those before the last `later`, in `days` simulated days. A run is the default one."""

    later: float = -1e9
    span: float = 1.0
    days: float = 1.0


RUN = Stage()


class Person:
    """A place and who lives in it: the columns as attributes, floats as np.float32, whole numbers as int."""

    def __init__(self, place: int, columns: dict[str, NDArray[Any]]) -> None:
        self.place = place
        for name, column in columns.items():
            value = column[..., place]
            whole = column.dtype.kind in "iu"
            setattr(self, name, value.tolist() if whole else F(value))

    def __getattr__(self, name: str) -> Any:  # for type checkers: attributes are columns
        raise AttributeError(name)


class Twin:
    """A simulation's people, walked by hand from its present state. Ties must be given, not generated."""

    def __init__(self, simulation: Simulation, *, slow_days: int = 7) -> None:
        self.p = SimpleNamespace(**{name: F(value) for name, value in simulation.parameters.items()})
        seed = simulation.seeds.master
        self.keys = {stream: key_of(seed, stream) for stream in (POPULATION, LIFE)}
        self.day = simulation.day
        self.slow_days = slow_days
        self._catalogue(simulation.catalogue.conditions)
        columns = {name: np.array(column) for name, column in simulation.population.items()}
        self.dtypes = {name: (column.dtype, column.shape) for name, column in columns.items()}
        self.people = [Person(i, columns) for i in range(simulation.people)]
        self.words = [int(word) for word in simulation.offers[simulation.day % 2]]
        self.prevention = [F(share) for share in simulation.prevention]
        demography = simulation.demography
        bands = [demography.band_of([5 * k + 2.5])[0] for k in range(22)]
        self.death_rate = [[F(demography.death_rate[row, band] / 365.25) for band in bands] for row in (0, 1)]
        women, men = demography.people[:, demography.band_of([12.0])[0]]
        self.girls = F(women / (women + men))
        network = simulation.network
        self.ties: list[dict[int, int]] = []  # strength of the support that i gets from j, in 1/4096
        self.layer: list[dict[int, int]] = []
        for i in range(simulation.people):
            row = slice(network.start[i], network.start[i + 1])
            others = network.neighbour[row].tolist()
            self.ties.append(dict(zip(others, network.weight[row].tolist(), strict=True)))
            self.layer.append(dict(zip(others, network.layer[row].tolist(), strict=True)))
        self.given = [dict(row) for row in self.ties]
        self.deaths = 0

    def _catalogue(self, conditions: Iterable[Condition]) -> None:
        """Bits and sites of each entry; `hazards` in catalogue order."""
        self.bit = {c.id: 1 << number for number, c in enumerate(conditions)}
        self.hazards = [c for c in conditions if c.definition is None]
        self.definitions = [c for c in conditions if c.definition is not None]
        self.definition_bit = {c.definition: self.bit[c.id] for c in self.definitions}
        self.sites: list[tuple[set[str], set[str]]] = []
        for c in self.hazards:
            other = {n.replace("left", "*").replace("right", "left").replace("*", "right") for n in c.sites}
            self.sites.append((set(c.sites), other))

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns as the engine has them."""
        made = {}
        for name, (dtype, shape) in self.dtypes.items():
            made[name] = np.array([getattr(person, name) for person in self.people]).T.astype(dtype).reshape(shape)
        return made

    def draw(self, who: Person, decision: int, *, day: int | None = None, stream: int = LIFE) -> Words:
        return philox(who.place, who.generation, self.luck_day if day is None else day, decision, self.keys[stream])

    def word(self, who: Person, decision: int, number: int) -> int:
        """Word `number` of a row of draws of the population stream that begins with this decision."""
        return self.draw(who, decision + number // 4, day=0, stream=POPULATION)[number % 4]

    # --- time -------------------------------------------------------------------------------------------------------

    def advance(self, days: int) -> None:
        for _ in range(days):
            if self.day > 0 and self.day % 91 == 0:
                for row, given in zip(self.ties, self.given, strict=True):
                    row.update({j: given[j] for j, weight in row.items() if weight == 0})
                self.turn_record()
            self.walk(self.day, self.day, RUN)
            self.night()
            self.day += 1

    def prepare(self, stages: Iterable[Stage]) -> None:
        """Traits and the pre-history, of everybody as just made."""
        for who in self.people:
            self.born(who)
        step = 0
        for stage in stages:
            for walked in range(1, int(stage.days) + 1):
                self.walk(2**31 + step, None, stage)
                step += 1
                if walked % 91 == 0 or walked == stage.days:
                    self.turn_record()
        for who in self.people:
            who.age = F(-who.birth_day / 365.25)
            who.first_onsets = who.episodes = 0

    def turn_record(self) -> None:
        for who in self.people:
            who.held_quarter_3, who.held_quarter_2 = who.held_quarter_2, who.held_quarter_1
            who.held_quarter_1, who.held_quarter = who.held_quarter, who.conditions

    def walk(self, luck_day: int, today: int | None, stage: Stage) -> None:
        self.luck_day, self.today = luck_day, today
        before, self.words = self.words, [0] * len(self.words)
        for who in self.people:
            lived = F(-who.birth_day - ENTRY_DAYS)
            self.pace = min(max(lived - F(stage.later), F(0)), F(stage.span)) / F(stage.days)
            weekly = (who.place // 64 + luck_day) % 7 == 0
            if weekly:
                self.weekly_before(who, F(7) * self.pace)
            self.exposure(who)
            self.support(who, before)
            self.balance(who)
            if weekly:
                days = F(7) * self.pace
                self.sleep(who, days)
                drive = self.drive(who)
                self.body_map(who, drive)
                self.somatic_severity(who)
                self.case_definitions(who, drive)
                self.care(who, drive, days)
            if weekly or self.slow_days == 1:
                self.onset_and_remission(who, F(self.slow_days) * self.pace)
            if weekly:
                begun = who.conditions & ~who.conditions_before
                who.first_onsets |= begun & ~who.ever
                who.episodes |= begun
                who.ever |= begun
                who.held_quarter |= who.conditions
                who.conditions_before = who.conditions
            if weekly or self.slow_days == 1:
                self.burden(who)
            if weekly:
                aim = F(1) - self.p.withdrawal_depth * who.alert_mean
                who.openness += one_minus_exp(self.p.withdrawal_rate * F(7) * self.pace) * (aim - who.openness)
            self.offer(who)
            if weekly and today is not None:
                rate = self.death_rate[1 - who.female][min(int(who.age / F(5)), 21)]
                who.died = int(happens(self.draw(who, 80)[0], one_minus_exp(F(7) * rate)))

    def quickened(self, rate: Any) -> Any:
        return min(rate * max(self.pace, F(1)), max(rate, F(0.8)))

    # --- what happens to a person -----------------------------------------------------------------------------------

    def weekly_before(self, who: Person, days: Any) -> None:
        if self.today is None:
            who.age += days / YEAR
        else:
            who.age = F(self.today - who.birth_day) / YEAR
        self.stressors(who, days)
        fading = self.p.life_event_decay * days
        left = one_minus_exp(fading) / fading if fading > 0 else F(1)
        self.life_events(who, days, left)
        if self.today is None:
            self.past_bereavements(who, days, left)

    def stressors(self, who: Person, days: Any) -> None:
        p = self.p
        kinds = (
            (18 <= who.age < 67, p.job_strain_onset, p.job_strain_end),
            (who.age < 67, p.bullying_onset, p.bullying_end),
            (35 <= who.age < 80, p.caregiving_onset, p.caregiving_end),
            (True, p.poverty_onset, p.poverty_end),
        )
        state = who.stressors & 128
        for k, (word, (of_age, on, off)) in enumerate(zip(self.draw(who, 52), kinds, strict=True)):
            changed = one_minus_exp((on + off) * days / YEAR)
            if who.stressors >> k & 1:
                stays = not happens(word, changed * off / (on + off))
            else:
                stays = happens(word, changed * on / (on + off))
            state |= int(of_age and stays) << k
        who.stressors = state

    def life_events(self, who: Person, days: Any, left: Any) -> None:
        p = self.p
        load = who.event_load * exp(-p.life_event_decay * days)
        more = max(self.pace + F(0.5), F(1))
        who.weeks_since = [math.floor(min(weeks + more, F(255))) for weeks in who.weeks_since]
        z = F(who.personal[LIFE_EVENTS] / 24)
        rate = p.life_event_rate * exp(p.event_proneness_sd * z + p.life_event_per_adversity * F(who.adversity))
        m = rate * days / YEAR
        a, b, c, d = self.draw(who, 50)
        if happens(a, one_minus_exp(m)):
            mass = [F(math.exp(-m) * float(m) ** k / math.factorial(k)) for k in range(1, 8)]
            reached = np.cumsum(mass, dtype=np.float32) / one_minus_exp(m)
            for k in range(1 + sum(bool(uniform(b) > below) for below in reached)):
                size, kind, _, _ = self.draw(who, 72 + k)
                sd = p.life_event_severity_sd
                severity = p.life_event_severity * exp(sd * normal(size) - sd * sd / F(2))
                if uniform(kind) < p.trauma_share:
                    severity *= p.trauma_severity
                    who.weeks_since[0] = 0
                load += severity * left
        if happens(c, one_minus_exp(p.injury_rate * days / YEAR)):
            who.weeks_since[1] = 0
        if happens(d, one_minus_exp(p.infection_rate * days / YEAR)):
            who.weeks_since[2] = 0
        who.event_load = load

    def past_bereavements(self, who: Person, days: Any, left: Any) -> None:
        partner = close = F(0)
        for j, weight in self.ties[who.place].items():
            other = self.people[j]
            age = F(-other.birth_day) / YEAR - (F(-who.birth_day) / YEAR - who.age)
            if age > 0 and weight > 0:
                rate = self.death_rate[1 - other.female][min(int(age / F(5)), 21)]
                if self.layer[who.place][j] == 0:
                    partner += rate
                elif F(weight) / F(4096) >= self.p.close_tie_strength:
                    close += rate
        w0, w1, _, _ = self.draw(who, 53)
        if happens(w0, one_minus_exp(partner * days)):
            who.event_load += self.p.bereavement_severity * left
        if happens(w1, one_minus_exp(close * days)):
            who.event_load += self.p.bereavement_severity * left / F(2)

    def hassles(self, who: Person, rate: Any, decision: int) -> Any:
        words = self.draw(who, decision) + self.draw(who, decision + 1)
        u, load = uniform(words[0]), F(0)
        term = below = exp(-rate)
        for k in range(1, 8):
            if u > below:
                load -= log(uniform(words[k]))
            term *= rate / F(k)
            below += term
        return load

    def exposure(self, who: Person) -> None:
        p = self.p
        sd = p.hassle_rate_sd
        rate = p.hassle_rate * exp(
            sd * (F(who.personal[HASSLES] / 24) - sd / F(2))
            + p.hassle_rate_female * F(who.female - 0.5)
            + p.hassle_rate_per_decade * (who.age - F(45)) / F(10)
        )
        other = self.hassles(who, rate * (F(1) - p.hassle_interpersonal_share), 40)
        interpersonal = self.hassles(who, rate * p.hassle_interpersonal_share, 42)
        felt = other * (F(1) - p.hassle_habituation) if who.stressors & 128 else other
        levels = (p.job_strain_level, p.bullying_level, p.caregiving_level, p.poverty_level)
        on = [level if who.stressors >> k & 1 else F(0) for k, level in enumerate(levels)]
        chronic = (on[0] + on[1]) * (F(1) - who.stress_relief) + on[2] + on[3]
        who.stress = (
            p.hassle_weight * (felt + p.hassle_interpersonal_severity * interpersonal)
            + chronic
            + who.event_load
            + p.sensory_weight * who.sensory_sensitivity * who.sensitization
            + p.burden_weight * who.burden
        )
        who.stressors = who.stressors & 15 | (128 if other + interpersonal > 0 else 0)

    # --- support and the balance of threat and soothing -------------------------------------------------------------

    def support(self, who: Person, before: list[int]) -> None:
        p = self.p
        total = offered = distress = 0
        for j, weight in self.ties[who.place].items():
            word = before[j]
            of_j = weight * (word >> 8 & 255)
            total += of_j
            offered += of_j * (word >> 16)
            distress += of_j * (word & 255)
        o = who.openness / F(4096) / F(255)
        share = F(1) / (p.support_baseline_weight + o * F(total) + who.added_weight)
        sources = p.support_baseline_weight * p.support_baseline + o * F(offered) / F(16384) + who.added_support
        received = sources * share
        who.felt_support = who.support_uptake * received
        who.loneliness += p.loneliness_rate * (p.support_need - who.felt_support - who.loneliness)
        cost = self.quickened(p.soothing_rate) * p.helping_cost * o * F(distress) / F(255) * share
        who.soothing = max(who.soothing - cost, p.soothing_floor)

    def offer(self, who: Person) -> None:
        s = who.soothing
        given = who.giving * (F(1) - who.alert) * F(2) * s / (F(1) + s)
        fixed = math.floor(min(F(16384) * given + F(0.5), F(65535)))
        openness = math.floor(F(255) * who.openness + F(0.5))
        distress = math.floor(F(255) * min(max(who.alert, F(0)), F(1)) + F(0.5))
        self.words[who.place] = fixed << 16 | openness << 8 | distress

    def balance(self, who: Person) -> None:
        """Threat, soothing, alert, sensitization."""
        p = self.p
        q = max(F(1) - p.sleep_recovery_effect * (who.poor_sleep - p.sleep_reference), F(0))
        made = who.threat_reactivity * (F(1) + p.threat_sensitization_gain * who.sensitization) * who.stress
        who.threat = who.threat * exp(-p.threat_recovery * who.soothing * q) + made

        aim = who.soothing_capacity + p.support_weight * who.felt_support
        aim /= F(1) + p.alert_blunts_soothing * who.alert
        moved = who.soothing + self.quickened(p.soothing_rate) * (aim - who.soothing)
        who.soothing = max(moved, p.soothing_floor)

        relative = max(who.threat, F(1e-6)) / (p.alert_threshold * who.soothing)
        power = exp(p.alert_steepness * log(relative))
        who.alert += self.quickened(p.alert_rate) * (power / (F(1) + power) - who.alert)
        who.alert_mean += self.quickened(F(1) / p.alert_memory_days) * (who.alert - who.alert_mean)

        gain = who.central_gain * exp(p.gain_per_decade * (who.age - F(45)) / F(10))
        up = p.sensitization_rate * gain * (who.alert + p.peripheral_weight * who.peripheral)
        step = (up + p.sensitization_decay) * self.pace
        aim = up / (up + p.sensitization_decay)
        who.sensitization += step / (F(1) + step) * (aim - who.sensitization)

    # --- symptoms ---------------------------------------------------------------------------------------------------

    def sleep(self, who: Person, days: Any) -> None:
        p = self.p
        a, b, _, _ = self.draw(who, 54)
        phi = exp(-days / p.variation_days)
        who.variation = phi * who.variation + np.sqrt(F(1) - phi * phi) * normal(a)
        disturbed = sum(1 for c in self.hazards if c.disturbs_sleep and who.conditions & self.bit[c.id])
        who.poor_sleep = logistic(
            p.sleep_intercept
            + p.sleep_alert * who.alert_mean
            + p.sleep_person_sd * F(who.personal[SLEEP] / 24)
            + p.sleep_condition * F(disturbed)
            + F(0.5) * normal(b)
            - who.sleep_relief
        )

    def drive(self, who: Person) -> Any:
        p = self.p
        return (
            p.pain_intercept
            + p.pain_sensitization * who.sensitization
            + p.pain_alert * who.alert_mean
            + p.pain_person_sd * F(who.personal[PAIN] / 24)
            + p.variation_weight * who.variation
            + p.pain_gain * log(who.central_gain)
        )

    def body_map(self, who: Person, drive: Any) -> None:
        p = self.p
        sore: set[str] = set()
        for h, c in enumerate(self.hazards):
            if who.conditions & self.bit[c.id]:
                sore |= self.sites[h][who.susceptibility[h] & 1]
        words = sum((self.draw(who, 56 + group) for group in range(5)), ())
        who.body_map = 0
        for s, name in enumerate(NAMES):
            x = drive + F(SITES[name]["term"]) + p.site_sd * F(who.site_trait[s] / 24)
            x += p.local_pain * (F(1) - who.peripheral_relief) if name in sore else F(0)
            if x > F(-9.2) * p.site_noise and uniform(words[s]) < logistic(x / p.site_noise):
                who.body_map |= 1 << s

    def somatic_severity(self, who: Person) -> None:
        p = self.p
        rho = p.somatic_pain_correlation
        own = rho * F(who.personal[PAIN] / 24) + np.sqrt(F(1) - rho * rho) * F(who.personal[SOMATIC] / 24)
        n = sum(1 for c in self.hazards if c.family and c.spills_over and who.conditions & self.bit[c.id])
        x = (
            p.somatic_intercept
            + p.somatic_sensitization * who.sensitization
            + p.somatic_alert * who.alert_mean
            + p.somatic_person_sd * own
            + p.somatic_variation * who.variation
            + p.somatic_per_site * F(who.body_map.bit_count())
            + p.somatic_per_condition * F(n)
            + p.pain_gain * log(who.central_gain)
        )
        poor = min(max(who.poor_sleep, F(0.001)), F(0.999))
        m = (log(poor / (F(1) - poor)) - log(p.sleep_reference / (F(1) - p.sleep_reference))) / F(2)
        _, _, c, d = (triangular(word) / F(2) for word in self.draw(who, 54))
        e, f, g, k = (triangular(word) / F(2) for word in self.draw(who, 55))

        def level(y: Any) -> int:
            return int(y > F(-3.5)) + int(y > F(1.5)) + int(y > F(3))

        severity = level(x + c) + level(x + m + d) + level(x - F(0.5) + e)
        severity += int(x + f > F(2.5))
        severity += int(bool(who.body_map >> NAMES.index("abdomen") & 1) or x + g > F(2.5))
        severity += int(x + F(2) * who.alert_mean + k > F(2.5))
        who.somatic_severity = severity

    def tender(self, who: Person, drive: Any) -> bool:
        p = self.p
        x = p.tender_point_drive * drive + p.tender_point_female * F(who.female) + F(who.personal[TENDERNESS] / 24)
        return bool(x > p.tender_point_threshold)

    def case_definitions(self, who: Person, drive: Any) -> None:
        p = self.p
        hurting = [SITES[name] for s, name in enumerate(NAMES) if who.body_map >> s & 1]
        wpi, severity = len(hurting), who.somatic_severity

        def enough(few: int) -> bool:
            return bool((wpi >= 7 and severity >= 5) or (few <= wpi <= 6 and severity >= 9))

        regions = {site["region"] for site in hurting} - {"none"}
        both_sides = {"left", "right"} <= {site["side"] for site in hurting}
        both_halves = {"upper", "lower"} <= {site["half"] for site in hurting}
        widespread = both_sides and both_halves and any(site["axial"] for site in hurting)
        met = (enough(4) and len(regions) >= 4, widespread, enough(3), wpi > 0, widespread and self.tender(who, drive))
        n = math.floor(min(max(self.pace + F(0.5), F(1)), F(13)))
        for k, now in enumerate(met):
            who.weeks_met[k] = (who.weeks_met[k] << n | ((1 << n) - 1 if now else 0)) & FULL
        weeks = [history.bit_count() for history in who.weeks_met]
        explained = any(c.explains_pain and who.conditions & self.bit[c.id] for c in self.hazards)
        held = {
            "fibromyalgia_acr_2016": weeks[ACR_2016] >= p.weeks_held,
            "chronic_widespread_pain": weeks[WIDESPREAD] >= p.weeks_held,
            "chronic_pain_item": weeks[ANY_PAIN] >= p.pain_weeks_chronic,
            "fibromyalgia_acr_1990": weeks[ACR_1990] >= p.weeks_held,
            "fibromyalgia_acr_2010": weeks[MODIFIED_2010] >= p.weeks_held and not explained,
            "fibromyalgia_modified_2010": weeks[MODIFIED_2010] >= p.weeks_held,
        }
        for name, now in held.items():
            bit = self.definition_bit[name]
            who.conditions = who.conditions | bit if now else who.conditions & ~bit

    def care(self, who: Person, drive: Any, days: Any) -> None:
        p = self.p
        diagnosed = self.definition_bit["fibromyalgia_diagnosed"]
        if not who.conditions & self.definition_bit["fibromyalgia_modified_2010"] or who.conditions & diagnosed:
            return
        distress = F(who.body_map.bit_count()) + F(who.somatic_severity) - F(12)
        seeks = p.care_rate * exp(p.care_female * F(who.female) + p.care_distress * distress)
        visit = one_minus_exp(seeks * days / YEAR)
        odds = log(p.recognition / (F(1) - p.recognition)) + p.recognition_female * F(who.female)
        odds += p.recognition_tender_points if self.tender(who, drive) else F(0)
        if happens(self.draw(who, 62)[0], visit * logistic(odds)):
            who.conditions |= diagnosed

    # --- conditions -------------------------------------------------------------------------------------------------

    def onset_and_remission(self, who: Person, days: Any) -> None:
        p = self.p
        woman = F(who.female)
        words: Words = (0, 0, 0, 0)
        for h, c in enumerate(self.hazards):
            if h % 4 == 0:
                words = self.draw(who, 64 + h // 4)
            eligible = c.sex is None or (c.sex == "female") == bool(who.female)
            eligible = eligible and (not c.until_menopause or who.age < who.menopause_age)
            trigger = F(1)
            if c.trigger:
                within = (F(c.trigger_days) - F(7 * who.weeks_since[TRIGGERS.index(c.trigger)])) / max(days, F(0.001))
                within = min(max(within, F(0)), F(1))
                trigger = within if c.trigger_only else F(1) + within * (F(c.trigger_ratio) - F(1))
            onset = F(0)
            if eligible and who.age >= F(c.age_from):
                onset = F(c.onset_per_1000_person_years / 365.25 / 1000) * trigger
                onset *= who.sensory_sensitivity if c.sensory else F(1)
                onset *= exp(
                    p.onset_sensitization * F(c.loading_sensitization) * who.sensitization
                    + p.onset_alert * F(c.loading_alert) * who.alert_mean
                    + F(c.onset_per_decade) * (who.age - F(45)) / F(10)
                    + F(c.female_onset) * woman
                    + p.susceptibility_sd * F(who.susceptibility[h] / 24)
                )
            remission = F(c.remission_per_year / 365.25) * exp(
                F(c.female_remission) * woman
                - p.remission_sensitization * F(c.loading_sensitization) * who.sensitization
            )
            both = onset + remission
            changed = one_minus_exp(both * days)
            bit = self.bit[c.id]
            if who.conditions & bit:
                if not eligible or (both > 0 and happens(0xFFFFFFFF - int(words[h % 4]), changed * remission / both)):
                    who.conditions &= ~bit
            elif both > 0 and happens(words[h % 4], changed * onset / both):
                who.conditions |= bit

    def burden(self, who: Person) -> None:
        free = F(1) - max((F(c.burden) for c in self.definitions if who.conditions & self.bit[c.id]), default=F(0))
        who.peripheral = F(0)
        for c in self.hazards:
            if who.conditions & self.bit[c.id]:
                free *= F(1) - F(c.burden)
                who.peripheral += F(c.peripheral)
        who.peripheral *= F(1) - who.peripheral_relief
        who.burden = self.p.burden_greatest * (F(1) - free)

    # --- the night --------------------------------------------------------------------------------------------------

    def night(self) -> None:
        dead = [who for who in self.people if who.died]
        for who in dead:
            i = who.place
            for j in self.ties[i]:
                weight = self.ties[j][i]
                if weight > 0:
                    if self.layer[j][i] == 0:
                        self.people[j].event_load += self.p.bereavement_severity
                    elif F(weight) / F(4096) >= self.p.close_tie_strength:
                        self.people[j].event_load += self.p.bereavement_severity / F(2)
                self.ties[i][j] = self.ties[j][i] = 0
        for who in dead:
            who.generation += 1
            who.birth_day = self.day - ENTRY_DAYS
            who.female = int(uniform(self.word(who, 81, 0)) < self.girls)
            self.words[who.place] = 0
            self.born(who)
            self.deaths += 1

    def born(self, who: Person) -> None:
        for name, value in NEWBORN.items():
            setattr(who, name, F(value))
        for name in COUNTERS:
            setattr(who, name, 0)
        who.weeks_since, who.weeks_met = [255] * 3, [0] * 5
        self.traits(who)
        for h, c in enumerate(self.hazards):
            z = np.sqrt(F(1 - sum(loading * loading for loading in c.regions.values()))) * normal(self.word(who, 10, h))
            for region, loading in c.regions.items():
                z += F(loading) * normal(self.word(who, 8, REGIONS.index(region)))
            who.susceptibility[h] = byte(z)
        for s in range(25):
            z = normal(self.word(who, 32, s))
            if s < 19:
                who.site_trait[s] = byte(z)
            else:
                who.personal[s - 19] = byte(z)

    def traits(self, who: Person) -> None:
        p = self.p
        woman, half = F(who.female), F(who.female - 0.5)
        a, b, c, d, e, f, g, h = (self.word(who, 2, k) for k in range(8))
        go_on = min(max(p.adversity_continuation + p.adversity_continuation_female * woman, F(0)), F(0.95))
        go_on *= F(1) - self.prevention[who.place]
        who.adversity = sum(1 for k in range(1, 11) if uniform(a) < go_on**k)
        hurt = F(who.adversity)
        who.threat_reactivity = exp(
            p.reactivity_sd * normal(b) + p.reactivity_per_adversity * hurt + p.reactivity_female * woman
        )
        who.soothing_capacity = p.soothing_capacity_median * exp(
            p.soothing_capacity_sd * normal(c) + p.soothing_capacity_per_adversity * hurt
        )
        who.central_gain = exp(p.gain_sd * normal(d) + p.gain_female * woman)
        who.support_uptake = exp(p.uptake_sd * normal(e) + p.uptake_female * half)
        who.giving = exp(p.giving_sd * normal(f) + p.giving_female * half)
        who.sensory_sensitivity = exp(p.sensory_sensitivity_sd * normal(g))
        who.menopause_age = math.floor(min(max(F(51) + F(4) * normal(h) + F(0.5), F(40)), F(60)))

"""What a programme may see of a simulation on a day: people, ties, measures of both, and luck by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.arithmetic import count_bits
from fitss_abm.model.caching import compiled
from fitss_abm.model.conditions import Catalogue
from fitss_abm.model.network import Network
from fitss_abm.model.pain import pain_intensity
from fitss_abm.model.population import DAYS_IN_YEAR, Population
from fitss_abm.model.positions import MEASURES as MEASURES_OF_TIES
from fitss_abm.model.positions import groups
from fitss_abm.model.randomness import Decision, draw

Key = tuple[np.uint32, np.uint32]
Who = NDArray[np.bool_]
MEASURES: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "age": ("years", 0, 130),
        "adversity": ("count", 0, 10),
        "loneliness": ("support units", -10, 10),
        "felt_support": ("support units", 0, 100),
        "pain": ("0 to 10, as rated", 0, 10),
        "wpi": ("painful sites", 0, 19),
        "sss": ("points of the symptom severity scale", 0, 12),
        "poor_sleep": ("proportion", 0, 1),
        "alert_mean": ("proportion", 0, 1),
        "sensitization": ("proportion", 0, 1),
    }
)
"""What `Within` can ask about, with unit and bounds."""


@compiled()
def draws(slots, generation, day, decision, k0, k1):  # type: ignore[no-untyped-def]
    """The four words of a decision of the people in `slots`, whose generations are given; shape (slots, 4)."""
    words = np.empty((slots.shape[0], 4), np.uint32)
    for k in range(slots.shape[0]):
        a, b, c, d = draw(np.uint32(slots[k]), np.uint32(generation[k]), np.uint32(day), np.uint32(decision), k0, k1)
        words[k, 0], words[k, 1], words[k, 2], words[k, 3] = a, b, c, d
    return words


@compiled()
def _rated(body_map, sensitization, variation, central_gain, pain_gain, relief, pain):  # type: ignore[no-untyped-def]
    for i in range(pain.shape[0]):
        pain[i] = pain_intensity(body_map[i], sensitization[i], variation[i], central_gain[i], pain_gain, relief[i])


@compiled()
def _sites(body_map, wpi):  # type: ignore[no-untyped-def]
    for i in range(wpi.shape[0]):
        wpi[i] = count_bits(body_map[i])


COMPILED = (draws, _rated, _sites)
"""Every compiled entry point of this file, for the engine's cache."""


def key_of(key: Key, name: str) -> Key:
    """The key of the delivery stream for what bears this name: so each programme has luck of its own, whatever else runs."""
    digest = hashlib.sha256(name.encode()).digest()
    first, second = (np.uint32(int.from_bytes(digest[k : k + 4], "little")) for k in (0, 4))
    return key[0] ^ first, key[1] ^ second


def chance(words: NDArray[np.uint32], probability: float) -> Who:
    """Which words are below a probability: all for 1. Rounded to float32, where the last bit of a library's exp is lost."""
    below: Who = words < np.uint64(float(np.float32(probability)) * 2.0**32)
    return below


@dataclass
class View:
    """What a target may see: people, ties, catalogue on a day; the delivery stream's key; whose luck `Random` draws."""

    population: Population
    network: Network
    catalogue: Catalogue
    pain_gain: float
    day: int
    key: Key
    name: str = ""
    measured: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What was measured of the ties of this quarter, by name; `generation`: of whom."""

    def words(self, decision: Decision, *, name: str | None = None, day: int = 0) -> NDArray[np.uint32]:
        """Four words for everybody, of the luck that bears this name (this programme's, if none)."""
        who = self.population
        key = key_of(self.key, self.name if name is None else name)
        words: NDArray[np.uint32] = draws(np.arange(who.people), who["generation"], day, int(decision), *key)
        return words

    @property
    def settled(self) -> Who:
        """Who lived here when the ties of this quarter were first measured."""
        now = self.population["generation"]
        settled: Who = self.measured.setdefault("generation", now.copy()) == now
        return settled

    def position(self, what: str) -> NDArray[Any]:
        """One of `positions.MEASURES` for everybody, as the quarter began; 0 for who has moved in since."""
        if what not in self.measured:
            self.measured[what] = MEASURES_OF_TIES[what](self.network)
        return np.where(self.settled, self.measured[what], 0.0)

    def groups(self, kind: str) -> NDArray[np.int64]:
        """The group of everybody, as the quarter began; see `positions.groups`."""
        name = f"group_{kind}"
        if name not in self.measured:
            self.measured[name] = groups(self.network, kind)
        return self.measured[name]

    def measure(self, what: str) -> NDArray[Any]:
        """One of `MEASURES` for everybody."""
        who = self.population
        if what == "age":
            return (self.day - who["birth_day"]) / DAYS_IN_YEAR
        if what == "pain":
            pain = np.empty(who.people, np.float32)
            states = (who[name] for name in ("body_map", "sensitization", "variation", "central_gain"))
            _rated(*states, np.float32(self.pain_gain), who["reported_relief"], pain)
            return pain
        if what == "wpi":
            wpi = np.empty(who.people, np.uint8)
            _sites(who["body_map"], wpi)
            return wpi
        return who["somatic_severity" if what == "sss" else what]

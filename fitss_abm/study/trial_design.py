"""Who takes part in a virtual trial, in which cluster, in which arm, and who is lost: all by luck that belongs to the person.

Luck is that of a name: the trial's and what is decided, under the delivery stream for what is done to people and the measurement
stream for what is seen of them. So who else takes part, and in which order people are enrolled, changes nobody's arm in an
individually randomised trial; clusters are put in order of their luck, and the first half of them is treated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

if TYPE_CHECKING:
    from fitss_abm.model.randomness import Stream
    from fitss_abm.model.simulation import Simulation

Slots = NDArray[np.int64]
Floats = NDArray[np.float64]
CLUSTERS = ("neighbours", "family", "work")
"""Blocks of neighbouring places, within which most ties lie; those who hang together as a family; as colleagues."""
_GENERATION_BITS = 16
_MOST_POINTS = 10.0


def uniforms(simulation: Simulation, stream: Stream, name: str, persons: NDArray[Any], day: int = 0) -> Floats:
    """A number between 0 and 1 for each of these people (founder x 65536 + generation), of the luck that bears this name."""
    from fitss_abm.model.randomness import Decision
    from fitss_abm.model.view import draws, key_of

    numbers = np.asarray(persons, dtype=np.int64)
    slots, generation = numbers >> _GENERATION_BITS, (numbers & 0xFFFF).astype(np.uint16)
    words = draws(slots, generation, day, int(Decision.TARGET), *key_of(simulation.seeds.key(stream), name))
    numbered: Floats = (words[:, 0].astype(np.float64) + 0.5) / 2.0**32
    return numbered


def chosen(luck: Floats, wanted: int | None) -> NDArray[np.int64]:
    """Places, in the list, of the `wanted` with the smallest luck (None: all), in the list's order."""
    order = np.lexsort((np.arange(luck.size), luck))
    return np.sort(order[: luck.size if wanted is None else wanted])


def cluster_labels(simulation: Simulation, kind: str, people: int) -> NDArray[np.int64]:
    """The cluster of everybody in the population. `people`: how many neighbouring places make a block of neighbours; a family or
    a workplace is all who hang together by such ties, and is named by its lowest place.
    """
    if kind == "neighbours":
        return np.arange(simulation.people) // people
    from fitss_abm.model.positions import groups

    return groups(simulation.network, kind)


def halves(luck: Floats) -> NDArray[np.bool_]:
    """Which clusters are treated: the half with the smallest luck (of an odd number, one fewer is treated)."""
    treated = np.zeros(luck.size, dtype=np.bool_)
    treated[chosen(luck, luck.size // 2)] = True
    return treated


def waves(luck: Floats, steps: int) -> NDArray[np.int64]:
    """At which step (1 to `steps`) each cluster crosses over to the treatment: as evenly as may be, in order of luck."""
    rank = np.empty(luck.size, dtype=np.int64)
    rank[np.lexsort((np.arange(luck.size), luck))] = np.arange(luck.size)
    return rank * steps // max(luck.size, 1) + 1


def crossing_ties(simulation: Simulation, slots: Slots, treated: NDArray[np.bool_]) -> float:
    """Share of the ties between participants that join somebody treated with somebody who is not; NaN without ties."""
    network = simulation.network
    arm = np.full(network.people, -1, dtype=np.int64)
    arm[slots] = treated
    one = np.repeat(arm, np.diff(network.start))
    other = arm[network.neighbour]
    counted = (network.weight > 0) & (one >= 0) & (other >= 0)
    return float((one[counted] != other[counted]).mean()) if counted.any() else float("nan")


def error_of(reliability: float, spread: float) -> float:
    """The standard deviation of an instrument's error that gives this test-retest correlation among people whose true values
    have the standard deviation `spread`: spread x sqrt(1/r - 1).
    """
    return spread * float(np.sqrt(1.0 / reliability - 1.0))


def rated(true: Floats, luck: Floats, error: float) -> Floats:
    """What an instrument of 0 to 10 points shows: the true value and a normal error of this standard deviation, cut at its ends.
    Without error exactly the true value.
    """
    if error == 0:
        return true.copy()
    shown: Floats = np.clip(true + error * ndtri(luck), 0.0, _MOST_POINTS)
    return shown


def lost(luck: Floats, share: float, by_pain: float, baseline: Floats, time: float) -> NDArray[np.bool_]:
    """Who is lost to follow-up by a time (1: the end of treatment): 1 - (1 - p)^time, where p is `share`, its odds multiplied by
    exp(by_pain) for each point of measured pain at baseline above the mean. So data are missing at random given the baseline.
    """
    if share == 0:
        return np.zeros(luck.size, dtype=np.bool_)
    p = expit(logit(share) + by_pain * (baseline - baseline.mean())) if luck.size else luck
    gone: NDArray[np.bool_] = luck < 1.0 - (1.0 - p) ** time
    return gone

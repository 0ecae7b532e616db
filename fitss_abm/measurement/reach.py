"""How far people are from those whom a programme reached: steps along ties, counted over the whole network at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.delivery_log import Event
from fitss_abm.model.network import Network
from fitss_abm.model.simulation import Simulation

UNREACHABLE = -1


def distances(
    one: NDArray[np.int64], other: NDArray[np.int64], sources: NDArray[np.int64], people: int
) -> NDArray[np.int64]:
    """Steps from the nearest source along ties (`one`, `other`: places, in any order); UNREACHABLE where no way leads.

    Breadth first: each tie is looked at once from each end.
    """
    ego, alter = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.argsort(ego, kind="stable")
    alter = alter[order]
    start = np.searchsorted(ego[order], np.arange(people + 1))
    steps = np.full(people, UNREACHABLE, np.int64)
    front, step = np.unique(sources), 0
    steps[front] = 0
    while front.size:
        step += 1
        length = start[front + 1] - start[front]
        begins = np.repeat(start[front] - (np.cumsum(length) - length), length)
        near = alter[begins + np.arange(begins.size)]
        front = np.unique(near[steps[near] == UNREACHABLE])
        steps[front] = step
    return steps


def ordinary_ties(network: Network) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ends of every tie with support in this direction."""
    held = network.weight > 0
    ego = np.repeat(np.arange(network.people, dtype=np.int64), np.diff(network.start))
    return ego[held], network.neighbour[held].astype(np.int64)


def reached_by(arm: Simulation, other: Simulation | None) -> NDArray[np.int64]:
    """Numbers of those who started a programme in one arm and not in the other. A programme is the same if it has the name and
    does the same in both.
    """
    ours = _started(arm)
    theirs = _started(other) if other is not None else set()
    return np.array(sorted({person for person, _ in ours ^ theirs}), np.int64)


def _started(simulation: Simulation) -> set[tuple[int, str]]:
    if not simulation.interventions:
        return set()
    log = simulation.delivery_log
    what = [f"{one.name} {one.acts!r}" for one in simulation.interventions.programmes]
    chosen = log.event == Event.STARTED
    return {(p, what[k]) for p, k in zip(log.person[chosen].tolist(), log.programme[chosen].tolist(), strict=True)}

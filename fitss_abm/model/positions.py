"""Where people stand in the support network, from its rows: how much they receive and give, what they bridge, their group.

Programme ties do not count: a position is that among ordinary ties. All are linear in ties where nobody has more than
`MOST_ALTERS` of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.caching import compiled
from fitss_abm.model.network import Layer, Network

MOST_ALTERS = 64
"""Of somebody with more ties so many, evenly spaced in order of slots, stand for all when bridging is counted."""

_PROGRAMME = int(Layer.PROGRAMME)
GROUPS: Mapping[str, tuple[Layer, ...]] = MappingProxyType(
    {"family": (Layer.PARTNER, Layer.KIN), "work": (Layer.WORK,), "given": (Layer.GIVEN,)}
)
"""Layers whose ties hold a group together. Circles of friends overlap, so they are no groups."""


@compiled()
def _tied(start, neighbour, weight, layer, one, other):  # type: ignore[no-untyped-def]
    """Whether two people are tied in either direction: bisection, since rows rise."""
    for a, b in ((one, other), (other, one)):
        low, high = start[a], start[a + 1]
        while low < high:
            middle = (low + high) // 2
            if neighbour[middle] < b:
                low = middle + 1
            else:
                high = middle
        if low < start[a + 1] and neighbour[low] == b and weight[low] > 0 and layer[low] != _PROGRAMME:
            return True
    return False


@compiled()
def _bridged(start, neighbour, weight, layer, bridged):  # type: ignore[no-untyped-def]
    alters = np.empty(MOST_ALTERS, np.int64)
    for i in range(start.shape[0] - 1):
        ties = 0
        for k in range(start[i], start[i + 1]):
            ties += 1 if weight[k] > 0 and layer[k] != _PROGRAMME else 0
        taken, seen = 0, 0
        for k in range(start[i], start[i + 1]):
            if weight[k] > 0 and layer[k] != _PROGRAMME:
                if taken < MOST_ALTERS and seen * min(ties, MOST_ALTERS) >= taken * ties:
                    alters[taken] = neighbour[k]
                    taken += 1
                seen += 1
        apart = 0
        for a in range(taken):
            for b in range(a):
                apart += 0 if _tied(start, neighbour, weight, layer, alters[a], alters[b]) else 1
        bridged[i] = apart if taken == ties else apart * (ties * (ties - 1)) / (taken * (taken - 1))


def received(network: Network) -> NDArray[np.float64]:
    """Strength of all support that each person gets through ties (tie-strength units in 1/4096)."""
    return _summed(network, np.repeat(np.arange(network.people), np.diff(network.start)))


def given(network: Network) -> NDArray[np.float64]:
    """Strength of all support that each person gives through ties (1/4096)."""
    return _summed(network, network.neighbour)


def _summed(network: Network, whose: NDArray[Any]) -> NDArray[np.float64]:
    counted = np.where(network.layer == _PROGRAMME, 0, network.weight)
    return np.bincount(whose, weights=counted, minlength=network.people)


def bridging(network: Network) -> NDArray[np.float64]:
    """Pairs of a person's alters who are not tied to one another: whom only this person connects, at two steps.

    That is ego betweenness without the paths through a third alter (Everett and Borgatti 2005,
    doi:10.1016/j.socnet.2004.11.007, who found it close to betweenness in the whole network).
    """
    bridged = np.zeros(network.people)
    _bridged(network.start, network.neighbour, network.weight, network.layer, bridged)
    return bridged


@compiled()
def _joined(start, neighbour, weight, layer, wanted, label):  # type: ignore[no-untyped-def]
    for i in range(start.shape[0] - 1):
        for k in range(start[i], start[i + 1]):
            if weight[k] > 0 and wanted[layer[k]]:
                a, b = i, np.int64(neighbour[k])
                while label[a] != a:
                    label[a] = label[label[a]]
                    a = label[a]
                while label[b] != b:
                    label[b] = label[label[b]]
                    b = label[b]
                label[max(a, b)] = min(a, b)
    for i in range(start.shape[0] - 1):
        label[i] = label[label[i]]  # roots lie below their members, so each is settled when it is read


def groups(network: Network, kind: str) -> NDArray[np.int64]:
    """The group of each person: all who hang together by ties of that kind (`GROUPS`), named by its lowest slot.

    Who has no such tie is a group of one.
    """
    label = np.arange(network.people)
    wanted = np.zeros(len(Layer), np.bool_)
    wanted[list(GROUPS[kind])] = True
    _joined(network.start, network.neighbour, network.weight, network.layer, wanted, label)
    return label


def tied_to(network: Network, people: NDArray[np.bool_], *, partners: bool = False) -> NDArray[np.bool_]:
    """Who gives support to, or gets it from, one of these people through an ordinary tie; with `partners` as a partner."""
    counted = (network.weight > 0) & (network.layer != _PROGRAMME)
    if partners:
        counted &= network.layer == Layer.PARTNER
    ego = np.repeat(np.arange(network.people, dtype=np.int32), np.diff(network.start))[counted]
    alter = network.neighbour[counted]
    reached = np.zeros(network.people, np.bool_)
    reached[alter[people[ego]]] = True
    reached[ego[people[alter]]] = True
    return reached


MEASURES: Mapping[str, Callable[[Network], NDArray[Any]]] = MappingProxyType(
    {"isolated": received, "hubs": given, "bridges": bridging}
)
COMPILED = (_tied, _bridged, _joined)
"""Every compiled entry point of this file, for the engine's cache."""

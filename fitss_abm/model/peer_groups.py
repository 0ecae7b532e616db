"""Groups of people whom a programme brings together: all members of one are tied to each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.network import WEIGHT_UNIT
from fitss_abm.model.programmes import Programme
from fitss_abm.model.randomness import Decision
from fitss_abm.model.view import View, draws, key_of

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
_NONE = -1


class PeerGroups:
    """The groups of one programme. Members are drawn by luck and stay together until they leave."""

    def __init__(self, programme: Programme, people: int) -> None:
        self._name = programme.name
        act = next(act for act in programme.acts if act.on == "ties")
        self._size = act.group
        self._weight = round(act.size * WEIGHT_UNIT)
        self.group = np.full(people, _NONE, np.int32)

    def pairs(self, members: NDArray[np.int64], view: View) -> Pairs:
        """Bring the groups up to date with who is in treatment; pairs of members of one group, and their weight in 1/4096.

        In order of luck newcomers fill the places that others have left; the rest found as few new groups as hold them, of
        sizes that differ by one at most.
        """
        staying = np.zeros(self.group.size, np.bool_)
        staying[members] = True
        self.group[~staying] = _NONE
        generation = view.population["generation"]
        new = members[self.group[members] == _NONE]
        if new.size:
            words = draws(new, generation[new], 0, int(Decision.OFFER), *key_of(view.key, self._name))
            new = new[np.lexsort((new, words[:, 3]))]
            settled = self.group[self.group != _NONE]
            sizes = np.bincount(settled) if settled.size else np.zeros(0, np.int64)
            room = np.where(sizes > 0, np.maximum(self._size - sizes, 0), 0)
            places = np.repeat(np.arange(sizes.size), room)[: new.size]
            rest = new.size - places.size
            founded = -(-rest // self._size)
            self.group[new] = np.concatenate([places, sizes.size + np.arange(rest) % max(founded, 1)])
        if self._weight == 0:
            members = members[:0]
        ordered = members[np.argsort(self.group[members], kind="stable")]
        label = self.group[ordered]
        one, other = [ordered[:0]], [ordered[:0]]
        for apart in range(1, self._size):
            same = label[apart:] == label[:-apart]
            one.append(ordered[:-apart][same])
            other.append(ordered[apart:][same])
        low, high = np.concatenate(one), np.concatenate(other)
        return low, high, np.full(low.size, self._weight)


def together(parts: Iterable[Pairs]) -> Pairs:
    """Pairs of several programmes, each pair once; the strongest tie counts."""
    one, other, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((-weight, other, one))
    one, other, weight = one[order], other[order], weight[order]
    first = np.ones(one.size, np.bool_)
    first[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return one[first], other[first], weight[first]

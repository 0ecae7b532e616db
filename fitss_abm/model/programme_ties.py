"""Ties that programmes make, put into the rows of a network and taken out again; all other ties stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.caching import compiled
from fitss_abm.model.network import Layer, Rows

_PROGRAMME = int(Layer.PROGRAMME)


@compiled()
def _merge(start, neighbour, weight, layer, given, more_start, more_neighbour, more_weight, made, fill):  # type: ignore[no-untyped-def]
    """Row by row, own ties and more ones in rising order of the alter. With `fill` 0 only the ends of rows are written.

    made: start (n + 1,), neighbour, weight, layer, given of the rows that result.
    """
    new_start, new_neighbour, new_weight, new_layer, new_given = made
    at = 0
    for i in range(start.shape[0] - 1):
        more, more_end = more_start[i], more_start[i + 1]
        for k in range(start[i], start[i + 1]):
            if layer[k] == _PROGRAMME:
                continue
            while more < more_end and more_neighbour[more] < neighbour[k]:
                if fill:
                    new_neighbour[at], new_weight[at], new_layer[at] = (
                        more_neighbour[more],
                        more_weight[more],
                        _PROGRAMME,
                    )
                    new_given[at] = 0
                at += 1
                more += 1
            if more < more_end and more_neighbour[more] == neighbour[k]:
                more += 1
            if fill:
                new_neighbour[at], new_weight[at], new_layer[at] = neighbour[k], weight[k], layer[k]
                new_given[at] = given[k]
            at += 1
        while more < more_end:
            if fill:
                new_neighbour[at], new_weight[at], new_layer[at] = more_neighbour[more], more_weight[more], _PROGRAMME
                new_given[at] = 0
            at += 1
            more += 1
        new_start[i + 1] = at


def merged(
    rows: Rows,
    given: NDArray[np.uint16],
    one: NDArray[np.integer[Any]],
    other: NDArray[np.integer[Any]],
    weight: NDArray[np.integer[Any]],
) -> tuple[Rows, NDArray[np.uint16]]:
    """The rows without the programme ties they have and with these pairs (one < other, each once) in both directions.

    `given` (m,) goes along with the rows: 0 for programme ties. A pair that has a row already gets no second tie. Linear.
    """
    people = len(rows.start) - 1
    ego, alter = np.concatenate([one, other]).astype(np.int64), np.concatenate([other, one]).astype(np.int64)
    order = np.argsort(ego * people + alter)
    more_start = np.zeros(people + 1, np.int64)
    np.cumsum(np.bincount(ego, minlength=people), out=more_start[1:])
    more = (more_start, alter[order].astype(np.int32), np.concatenate([weight, weight])[order].astype(np.uint16))
    old = (rows.start, rows.neighbour, rows.weight, rows.layer, given)
    start = np.zeros(people + 1, np.int64)

    def room(ties: int) -> tuple[NDArray[Any], ...]:
        halves = np.empty(ties, np.uint16), np.empty(ties, np.uint8), np.empty(ties, np.uint16)
        return (start, np.empty(ties, np.int32), *halves)

    _merge(*old, *more, room(0), False)
    made = room(int(start[-1]))
    _merge(*old, *more, made, True)
    return Rows(*made[:4]), made[4]

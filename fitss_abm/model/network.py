"""The support network: who is tied to whom, and how strongly, as compressed rows.

Row i lists everyone tied to person i. `weight` in row i at alter j is w_ij, how strongly i is supported by j, in fixed
point (1/4096), so that sums of offers are exact in any order. Every tie is mirrored: j stands in row i if and only if
i stands in row j; a one-way tie has weight 0 in the row of the one who only gives. A weight of 0 is no tie for all
purposes.

A network is generated (`fitss_abm.model.circles.generate`) or given by the user (edge list, arrays or networkx graph).
A generated one is renewed as people die and move on; of a given one the topology is held: it is the user's statement
of who is tied to whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import networkx

WEIGHT_UNIT = 4096
"""Fixed-point units in a tie strength of 1."""

LARGEST_WEIGHT = 65535 / WEIGHT_UNIT
"""The strongest tie that fixed point can hold, just below 16."""

Days = NDArray[np.int32]
Flags = NDArray[np.bool_]
Counts = NDArray[np.uint16]


class Layer(IntEnum):
    """What kind of relation a tie is, the closest first; GIVEN is a tie of a user's graph that names no layer.

    PROGRAMME is a tie that a programme makes and ends; no graph may name it.
    """

    PARTNER = 0
    KIN = 1
    FRIEND = 2
    WORK = 3
    GIVEN = 4
    PROGRAMME = 5


class Renewable(Protocol):
    """What can make a network's rows anew as people die, age and move on (`fitss_abm.model.circles.Circles`)."""

    def renew(
        self, quarter: int, birth: Days, day: int, female: Flags, generation: Counts, k0: Any, k1: Any
    ) -> Rows: ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a checkpoint needs."""
        ...

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take back what `arrays` gave."""
        ...


@dataclass(eq=False)
class Rows:
    """A network's arrays: n people, m directed ties (twice the number of ties)."""

    start: NDArray[np.int64]
    """(n + 1,) where each person's row begins."""
    neighbour: NDArray[np.int32]
    """(m,) slot of the alter; rising within a row."""
    weight: NDArray[np.uint16]
    """(m,) strength of the support that the row's person gets from the alter, in units of 1/4096."""
    layer: NDArray[np.uint8]
    """(m,) a `Layer`."""


class Network(Rows):
    """Ties among the people in slots 0 to n-1. The arrays are the network's own: whoever ends a tie sets its weight
    0."""

    def __init__(self, rows: Rows, circles: Renewable | None = None) -> None:
        super().__init__(
            start=np.ascontiguousarray(rows.start, np.int64),
            neighbour=np.ascontiguousarray(rows.neighbour, np.int32),
            weight=np.ascontiguousarray(rows.weight, np.uint16),
            layer=np.ascontiguousarray(rows.layer, np.uint8),
        )
        self.circles = circles
        self._given = None if circles is not None else self.weight.copy()

    def __repr__(self) -> str:
        kind = "given" if self.circles is None else "generated"
        return f"<Network: {self.people:,} people, {self.ties:,} ties, {kind}>"

    @property
    def people(self) -> int:
        return len(self.start) - 1

    @property
    def ties(self) -> int:
        """Pairs with support in at least one direction."""
        edges = self.to_edges()
        low, high = np.minimum(edges["source"], edges["target"]), np.maximum(edges["source"], edges["target"])
        return len(np.unique(low.astype(np.int64) * max(self.people, 1) + high))

    @classmethod
    def empty(cls, *, people: int) -> Network:
        """Nobody is tied to anybody."""
        none = np.zeros(0, np.int32)
        rows = Rows(np.zeros(people + 1, np.int64), none, none.astype(np.uint16), none.astype(np.uint8))
        return cls(rows)

    @classmethod
    def from_edges(
        cls,
        *,
        people: int,
        source: ArrayLike,
        target: ArrayLike,
        weight: ArrayLike | None = None,
        layer: ArrayLike | None = None,
        directed: bool = False,
    ) -> Network:
        """A given network from arrays of equal length: slots, slots, strengths (default 1) and `Layer` numbers.

        `directed`: source gives support to target, not the other way round unless a row says so. Otherwise both give.
        Raises InputError with every faulty edge by its position: unknown person, tie to oneself, duplicate, strength
        that is not a number or outside 0 to 16.
        """
        from fitss_abm.model.network_io import rows_from_edges

        return cls(rows_from_edges(people, source, target, weight, layer, directed))

    @classmethod
    def from_networkx(
        cls,
        graph: networkx.Graph[Any],
        *,
        people: int | None = None,
        weight: str = "weight",
        slots: Mapping[Any, int] | None = None,
    ) -> Network:
        """A given network from a networkx Graph (both give support) or DiGraph (an edge's tail supports its head).

        Nodes are the slots 0 to n-1, or whatever `slots` maps to them. Edge attributes: `weight` (1 where absent) and
        "layer" (a `Layer`, its number or its name). Raises InputError.
        """
        from fitss_abm.model.network_io import network_from_networkx

        return network_from_networkx(graph, people=people, weight=weight, slots=slots)

    def to_networkx(self) -> networkx.DiGraph[Any]:
        """A DiGraph over all slots: an edge from giver to receiver with `weight` (strength) and `layer` (name)."""
        from fitss_abm.model.network_io import network_to_networkx

        return network_to_networkx(self)

    def to_edges(self) -> dict[str, NDArray[Any]]:
        """Every direction of support with weight above 0, ready for `from_edges(directed=True)`.

        Keys: source (giver), target (receiver) int32; weight float64 (strength); layer uint8.
        """
        receiver = np.repeat(np.arange(self.people, dtype=np.int32), np.diff(self.start))
        held = self.weight > 0
        return {
            "source": self.neighbour[held],
            "target": receiver[held],
            "weight": self.weight[held] / WEIGHT_UNIT,
            "layer": self.layer[held],
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that a checkpoint needs: the rows, and the circles or the given weights behind them."""
        rows: dict[str, NDArray[Any]] = {
            "start": self.start,
            "neighbour": self.neighbour,
            "weight": self.weight,
            "layer": self.layer,
        }
        if self.circles is not None:
            return rows | {f"circles_{name}": array for name, array in self.circles.arrays().items()}
        assert self._given is not None
        return rows | {"given": self._given}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `arrays` gave, into a network made the same way."""
        for name in ("start", "neighbour", "weight", "layer"):
            setattr(self, name, np.ascontiguousarray(arrays[name]))
        if self.circles is not None:
            prefix = "circles_"
            self.circles.restore({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})
        else:
            self._given = np.ascontiguousarray(arrays["given"])

    def set_programme_ties(self, one: ArrayLike, other: ArrayLike, weight: ArrayLike) -> None:
        """Replace the ties that programmes have made by these pairs of slots, weight in 1/4096 in both directions.

        A pair that stands in the rows anyway is left as it is, and no other tie is touched. The next `renew` of a
        generated network drops them, so set them again. Pairs must differ, and each must have one < other.
        """
        from fitss_abm.model.programme_ties import merged

        given = self.weight if self._given is None else self._given
        rows, kept = merged(self, given, np.asarray(one), np.asarray(other), np.asarray(weight))
        self.start, self.neighbour, self.weight, self.layer = rows.start, rows.neighbour, rows.weight, rows.layer
        if self._given is not None:
            self._given = kept

    def renew(
        self,
        *,
        quarter: int,
        birth_day: Days,
        day: int,
        female: Flags,
        generation: Counts,
        k0: np.uint32,
        k1: np.uint32,
    ) -> None:
        """Bring ties up to date; call once a quarter (91 days), after deaths and newcomers.

        `quarter` counts from 1 (0 is the founding); each has its own luck. birth_day, female, generation: (n,).
        Generated: all four arrays are replaced (people leave and join circles by age and luck; health plays no part).
        Given: ties that death had severed (weight 0) return with their given weight, so a newcomer takes the dead
        person's place; the user's topology is the question asked, and without this it would wear away.
        """
        if self.circles is None:
            assert self._given is not None
            np.copyto(self.weight, self._given, where=self.weight == 0)
            return
        rows = self.circles.renew(quarter, birth_day, day, female, generation, k0, k1)
        self.start, self.neighbour, self.weight, self.layer = rows.start, rows.neighbour, rows.weight, rows.layer

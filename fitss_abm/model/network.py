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
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.arithmetic import F
from fitss_abm.model.randomness import Decision

if TYPE_CHECKING:
    import networkx

WEIGHT_UNIT = 4096
"""Fixed-point units in a tie strength of 1."""

LARGEST_WEIGHT = 65535 / WEIGHT_UNIT
"""The strongest tie that fixed point can hold, just below 16."""


Days = NDArray[np.int32]
Flags = NDArray[np.bool_]
Counts = NDArray[np.uint16]

YEAR = 365.25
"""Days."""

QUARTERS = 4
"""Renewals in a year."""


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


class Kind(NamedTuple):
    """How circles of one kind work. Ages and spreads in days; shares and probabilities per quarter as float32."""

    number: int
    belongs: int  # decision of the trait: one for all friends, so that circles of friends are nested
    share: Any
    youngest: int
    oldest: int
    leave: Any
    single_sex: Any
    spread: Any
    size_low: int
    size_high: int
    tolerance: int
    generation: int  # days between generations; 0 but for families
    partnering: Any
    partner_from: int
    partner_difference: int
    leave_home: Any


def _number(default: float, low: float, high: float, unit: str, source: str) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "unit": unit, "source": source})


@dataclass(frozen=True, kw_only=True)
class NetworkParameters:
    """How the generated network is made. Each field's metadata hold bounds, unit and source; `fit` means fitted to the
    network rows of the targets (core discussion network, support clique, sympathy group, density, homophily)."""

    local_community: int = _number(512, 64, 32768, "people", "assumed: slots whose families and closest friends mix")
    wide_community: int = _number(
        32768, 64, 40000, "people", "assumed: slots among whom wider friends and colleagues are found"
    )

    family_size_low: int = _number(3, 2, 40, "people", "assumed: smallest family circle, oneself included")
    family_size_high: int = _number(9, 2, 40, "people", "assumed: largest family circle")
    kinless: float = _number(0.04, 0, 1, "share", "Verdery & Margolis, PNAS 2017, doi:10.1073/pnas.1710341114; rounded")
    generation_years: float = _number(28, 18, 45, "years", "assumed: mean age of parents at birth")
    family_spread: float = _number(3, 0, 12, "years", "assumed: sd of birth within a generation of a family")
    partnering: float = _number(0.80, 0, 1, "share", "fit: 60-65 % of adults of 25-75 live with a partner")
    partner_from_age: float = _number(20, 12, 60, "years", "assumed")
    partner_difference: float = _number(10, 0, 40, "years", "assumed: largest age difference of partners")
    separation: float = _number(0.012, 0, 1, "per year", "assumed: each partner's probability of leaving the family")
    leave_home: float = _number(0.08, 0, 1, "per year", "assumed: single adults up to 60 who move to another family")

    friends_any: float = _number(0.80, 0, 1, "share", "assumed: belong to a circle of friends")
    friends_two: float = _number(0.30, 0, 1, "share", "assumed: belong to two circles of friends or more")
    friends_three: float = _number(0.08, 0, 1, "share", "assumed: belong to three circles of friends")
    friend_size_low: int = _number(3, 2, 40, "people", "assumed")
    friend_size_high: int = _number(7, 2, 40, "people", "assumed")
    friend_single_sex: float = _number(0.75, 0, 1, "share", "fit: same-sex share of confidants")
    friend_age_spread: float = _number(4, 0, 40, "years", "fit: age correlation of confidants")
    friend_turnover: float = _number(0.08, 0, 1, "per year", "assumed: probability of leaving a circle")

    work_share: float = _number(0.70, 0, 1, "share", "assumed: people of working age with colleagues")
    work_from_age: float = _number(20, 12, 100, "years", "assumed")
    work_to_age: float = _number(67, 12, 121, "years", "assumed")
    work_size_low: int = _number(3, 2, 40, "people", "assumed")
    work_size_high: int = _number(7, 2, 40, "people", "assumed")
    work_single_sex: float = _number(0.40, 0, 1, "share", "assumed: occupational segregation")
    work_age_spread: float = _number(8, 0, 40, "years", "assumed")
    work_turnover: float = _number(0.12, 0, 1, "per year", "assumed: probability of leaving a circle")

    age_tolerance: float = _number(8, 1, 60, "years", "assumed: how far from a circle's mean age one may join it")
    strength_scale: float = _number(
        0.4, 0.01, 2, "strength", "assumed: tie strength is Gamma(1, 0.4) times the factors below"
    )
    partner_factor: float = _number(3.4, 0, 8, "ratio", "fit")
    kin_factor: float = _number(1.4, 0, 8, "ratio", "fit")
    friend_factor: float = _number(1.0, 0, 8, "ratio", "fit")
    work_factor: float = _number(0.35, 0, 8, "ratio", "fit")
    same_sex_factor: float = _number(1.2, 0.1, 8, "ratio", "fit: ties other than partners', within one sex")
    confidant_strength: float = _number(0.89, 0, 16, "strength", "fit: from here on a tie is a confidant's")
    clique_strength: float = _number(0.45, 0, 16, "strength", "fit: from here on a tie is of the support clique")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object], faults: Faults) -> NetworkParameters:
        """Defaults with the numbers of `mapping` (a scenario's [network] table) put in.

        Whatever cannot be used is added to `faults`: an unknown name with the nearest valid one, not a number, out of
        bounds, a range upside down.
        """
        known = {each.name: each for each in fields(cls)}
        values: dict[str, Any] = {}
        before = len(faults.found)
        for name, value in mapping.items():
            if name not in known:
                faults.add(f"network.{name}", value, "no such network parameter", nearest_name(name, known))
                continue
            whole = known[name].type == "int"
            low, high, unit = (known[name].metadata[what] for what in ("low", "high", "unit"))
            if isinstance(value, bool) or not isinstance(value, int | float):
                faults.add(f"network.{name}", value, "a number is wanted")
            elif not low <= value <= high:
                faults.add(f"network.{name}", value, f"not within {low} to {high} {unit}")
            elif whole and value != int(value):
                faults.add(f"network.{name}", value, "a whole number is wanted")
            else:
                values[name] = int(value) if whole else float(value)
        made = cls(**values)
        for lesser, greater in _ORDERED:
            if len(faults.found) == before and getattr(made, lesser) > getattr(made, greater):
                faults.add(f"network.{lesser}", getattr(made, lesser), f"above {greater} = {getattr(made, greater)}")
        return made

    def communities(self, people: int) -> list[NDArray[np.int64]]:
        """For each kind of circle, where its communities begin, and the end. They are shifted so that kinds overlap.

        A last community of less than half the size joins the one before it.
        """
        local, wide = self.local_community, self.wide_community
        made = []
        for size, shift in (
            (local, 0),
            (local, local // 2),
            (wide, wide // 4),
            (wide, wide // 2),
            (wide, wide * 3 // 4),
        ):
            starts = [0, *range(size - shift, people, size)]
            if len(starts) > 1 and people - starts[-1] < size // 2:
                starts.pop()
            made.append(np.array([*starts, people], np.int64))
        return made

    def kinds(self) -> list[Kind]:
        """How the five kinds of circle work, in the generator's units."""

        def days(years: float) -> int:
            return round(years * YEAR)

        def quarterly(yearly: float) -> Any:
            return F(1.0 - (1.0 - yearly) ** (1 / QUARTERS))

        belongs = int(Decision.CIRCLE)
        family = Kind(
            number=0,
            belongs=belongs,
            share=F(1 - self.kinless),
            youngest=0,
            oldest=days(200),
            leave=quarterly(self.separation),
            single_sex=F(0),
            spread=F(days(self.family_spread)),
            size_low=self.family_size_low,
            size_high=self.family_size_high,
            tolerance=0,
            generation=days(self.generation_years),
            partnering=F(self.partnering),
            partner_from=days(self.partner_from_age),
            partner_difference=days(self.partner_difference),
            leave_home=quarterly(self.leave_home),
        )
        friends = family._replace(
            belongs=belongs + 1,
            leave=quarterly(self.friend_turnover),
            single_sex=F(self.friend_single_sex),
            spread=F(days(self.friend_age_spread)),
            size_low=self.friend_size_low,
            size_high=self.friend_size_high,
            tolerance=days(self.age_tolerance),
            generation=0,
        )
        work = friends._replace(
            number=4,
            belongs=belongs + 4,
            share=F(self.work_share),
            youngest=days(self.work_from_age),
            oldest=days(self.work_to_age),
            leave=quarterly(self.work_turnover),
            single_sex=F(self.work_single_sex),
            spread=F(days(self.work_age_spread)),
            size_low=self.work_size_low,
            size_high=self.work_size_high,
        )
        shares = (self.friends_any, self.friends_two, self.friends_three)
        return [family, *(friends._replace(number=i + 1, share=F(share)) for i, share in enumerate(shares)), work]


_ORDERED = (
    ("family_size_low", "family_size_high"),
    ("friend_size_low", "friend_size_high"),
    ("work_size_low", "work_size_high"),
    ("work_from_age", "work_to_age"),
    ("friends_two", "friends_any"),
    ("friends_three", "friends_two"),
    ("clique_strength", "confidant_strength"),
)


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

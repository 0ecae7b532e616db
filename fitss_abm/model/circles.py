"""The generator of the support network: families, friends and work as circles of people who all know each other.

People live in communities, blocks of neighbouring slots. In a community everybody holds at most one membership of each
kind (`KINDS`: family, three circles of friends, colleagues); all members of a circle are tied. One function founds
circles and renews them: whoever has no membership and wants one joins the circle with a vacancy that suits best by age
and sex, and those left over, in order of age, found new circles. Families suit by age modulo a generation, so that
members are siblings or partners (0 years apart), parents and children (28) or grandparents (56). So building ties is
one pass over circles, linear in people, with the clustering of real personal networks, and stays so as people die and
newcomers of 12 take their slots.

Circles depend on luck keyed by person and on age and sex, never on health. Communities are independent: they run in
parallel, and one more person changes only the last community of each kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.circle_membership import NONE, OPEN, Who, settle
from fitss_abm.model.network import Counts, Days, Flags, Network, Rows
from fitss_abm.model.network_io import rows_from_circles
from fitss_abm.model.network_parameters import NetworkParameters

KINDS = ("family", "first friends", "second friends", "third friends", "work")


class Circles:
    """Who belongs to which circle: 16 bytes a person. `arrays` is the whole state, for a checkpoint; `restore` takes
    it back."""

    def __init__(self, people: int, parameters: NetworkParameters) -> None:
        self.parameters = parameters
        self.cells = np.full((len(KINDS), people), OPEN, np.uint16)
        self.partner = np.full(people, NONE, np.int32)
        self.seen = np.zeros(people, np.uint16)
        self.founded = False
        self._bounds = parameters.communities(people)

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"cells": self.cells, "partner": self.partner, "seen": self.seen}

    def restore(self, arrays: dict[str, NDArray[Any]]) -> None:
        self.cells, self.partner, self.seen = (arrays[name].copy() for name in ("cells", "partner", "seen"))
        self.founded = True

    def renew(self, quarter: int, birth: Days, day: int, female: Flags, generation: Counts, k0: Any, k1: Any) -> Rows:
        """Let people leave and join circles, and return the rows that follow. The first call founds all circles."""
        new = generation != self.seen if self.founded else np.ones(len(self.seen), np.bool_)
        self.seen[:] = generation
        self.founded = True
        who = Who(birth, day, quarter, female, generation, new, k0, k1)
        for kind in self.parameters.kinds():
            settle(self._bounds[kind.number], self.cells[kind.number], self.partner, who, kind)
        return rows_from_circles(self.cells, self.partner, self._bounds, female, generation, k0, k1, self.parameters)


def generate(
    *,
    birth_day: Days,
    day: int,
    female: Flags,
    generation: Counts,
    k0: np.uint32,
    k1: np.uint32,
    parameters: NetworkParameters | None = None,
) -> Network:
    """A generated network on a day. By slot: birth_day (n,) days on the calendar of `day`, female (n,), generation
    (n,) of the person who lives there; k0, k1 are the key of Stream.NETWORK."""
    circles = Circles(len(birth_day), parameters or NetworkParameters())
    return Network(circles.renew(0, birth_day, day, female, generation, k0, k1), circles)

"""What programmes change in people and ties, each seventh day: doses of all programmes together, and back to exactly what was.

Traits are multiplied by exp(sum of dose x size) in place; what they were is kept for as long as a programme acts on them. Columns
that only programmes write (`added_support`, `sleep_relief`, ...) are written anew. Ties of groups are put into the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.arithmetic import F, exp
from fitss_abm.model.caching import compiled
from fitss_abm.model.delivery import Delivery, Slots
from fitss_abm.model.delivery_log import DeliveryLog, account
from fitss_abm.model.network import Layer, Network
from fitss_abm.model.peer_groups import PeerGroups, together
from fitss_abm.model.population import Population
from fitss_abm.model.prevention import Prevention
from fitss_abm.model.programmes import TRAITS, Programme
from fitss_abm.model.randomness import Stream
from fitss_abm.model.view import View

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

_SHARES = ("stress_relief", "peripheral_relief")
_SUMS = ("sleep_relief", "reported_relief")


@compiled()
def _multiply(trait, untreated, before, total):  # type: ignore[no-untyped-def]
    """trait = untreated x exp(total); where total is 0, exactly untreated. `before` is the total that acts now."""
    for i in range(trait.shape[0]):
        if total[i] != before[i]:
            if before[i] == F(0.0):
                untreated[i] = trait[i]
            trait[i] = untreated[i] * exp(total[i]) if total[i] != F(0.0) else untreated[i]
            before[i] = total[i]


COMPILED = (_multiply,)
"""Every compiled entry point of this file, for the engine's cache."""


class Interventions:
    """All programmes of a simulation."""

    def __init__(self, programmes: Iterable[Programme], people: int) -> None:
        self.programmes = tuple(programmes)
        self.each = [(Prevention if one.prevents else Delivery)(one, people) for one in self.programmes]
        acted = {act.on for one in self.programmes for act in one.acts}
        self._acted = acted
        self._traits = {
            name: (np.zeros(people, np.float32), np.zeros(people, np.float32)) for name in TRAITS if name in acted
        }
        self._groups = {
            k: PeerGroups(one, people) for k, one in enumerate(self.programmes) if "ties" in self._acts(one)
        }
        self._generation = np.zeros(people, np.uint16)
        self._tied: tuple[NDArray[Any], ...] | None = None
        self._measured: dict[str, NDArray[Any]] = {}

    def __bool__(self) -> bool:
        return bool(self.programmes)

    @staticmethod
    def _acts(programme: Programme) -> set[str]:
        return {act.on for act in programme.acts}

    @property
    def log(self) -> DeliveryLog:
        """Everything that was delivered so far."""
        return DeliveryLog.of((one.record for one in self.each), (one.name for one in self.programmes))

    @property
    def accounts(self) -> list[dict[str, Any]]:
        """Counts of events, person-weeks and cost of each programme so far."""
        return [account(one.programme, one.record, one.person_weeks) for one in self.each]

    def renewed(self) -> None:
        """The network was renewed: positions are measured anew, and ties of programmes must be put back."""
        self._measured = {}
        self._tied = None

    def step(self, simulation: Simulation) -> bool:
        """What is due on the simulation's day; whether ties were changed."""
        who = simulation.population
        if simulation.day < min(one.start for one in self.programmes):
            return False
        moved = np.flatnonzero(self._generation != who["generation"])
        self._generation[moved] = who["generation"][moved]
        for _, before in self._traits.values():
            before[moved] = 0  # newcomers have traits of their own
        view = View(
            who, simulation.network, simulation.catalogue, simulation.parameters["pain_gain"], simulation.day,
            simulation.seeds.key(Stream.DELIVERY), measured=self._measured,
        )  # fmt: skip
        for one, programme in zip(self.each, self.programmes, strict=True):
            one.step(replace(view, name=programme.name), self._taken(programme))
        self._change_people(who, simulation.day)
        if "adversity" in self._acted:
            kept = np.ones(who.people, np.float32)
            for one in self.each:
                if isinstance(one, Prevention):
                    kept *= F(1.0) - one.next
            simulation.prevention[:] = F(1.0) - kept
        return bool(self._groups) and self._change_ties(simulation.network, view)

    def _taken(self, programme: Programme) -> NDArray[np.bool_] | None:
        """Who waits for or has what excludes this programme."""
        rivals = [one.busy for one in self.each if isinstance(one, Delivery) and programme.excludes(one.programme)]
        return np.logical_or.reduce(rivals) if rivals else None

    def _doses(self, today: int, on: str) -> Iterable[tuple[Slots, NDArray[np.float32], Any]]:
        for one in self.each:
            for act in one.programme.acts:
                if act.on == on and isinstance(one, Delivery):
                    slots, dose = one.doses(today)
                    yield slots, dose, act

    def _change_people(self, who: Population, today: int) -> None:
        for name, (untreated, before) in self._traits.items():
            total = np.zeros(who.people, np.float32)
            for slots, dose, act in self._doses(today, name):
                total[slots] += dose * F(act.size)
            _multiply(who[name], untreated, before, total)
        for name in _SUMS:
            if name in self._acted:
                who[name][:] = 0
                for slots, dose, act in self._doses(today, name):
                    who[name][slots] += dose * F(act.size)
        for name in _SHARES:
            if name in self._acted:
                kept = np.ones(who.people, np.float32)
                for slots, dose, act in self._doses(today, name):
                    kept[slots] *= F(1.0) - dose * F(act.size)
                who[name][:] = F(1.0) - kept
        if "support" in self._acted:
            who["added_weight"][:] = who["added_support"][:] = 0
            for slots, dose, act in self._doses(today, "support"):
                weight = dose * F(act.size)
                who["added_weight"][slots] += weight
                who["added_support"][slots] += weight * F(act.level)

    def _change_ties(self, network: Network, view: View) -> bool:
        tied = together(groups.pairs(self.each[k].treated, view) for k, groups in self._groups.items())
        if self._tied is not None and all(np.array_equal(a, b) for a, b in zip(tied, self._tied, strict=True)):
            return False
        if not tied[0].size and not (network.layer == Layer.PROGRAMME).any():
            return False
        network.set_programme_ties(*tied)
        self._tied = tied
        return True

    def begun(self, day: int) -> list[str]:
        """Names by content of the programmes that may have done something before the morning of `day`."""
        return sorted(_digest(one) for one in self.programmes if one.start < day)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The whole state, for a checkpoint: programmes by content, so that others may be added before they begin."""
        arrays = {f"measured_{name}": array for name, array in self._measured.items()}
        arrays["generation"] = self._generation  # as at the last step: who has died since is still to be noticed
        for name, (untreated, before) in self._traits.items():
            arrays |= {f"untreated_{name}": untreated, f"before_{name}": before}
        for k, one in enumerate(self.each):
            own = one.arrays() | ({"group": self._groups[k].group} if k in self._groups else {})
            arrays |= {f"{_digest(one.programme)}_{name}": array for name, array in own.items()}
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]], who: Population) -> None:
        """Take back what `arrays` gave, as just made; what was not there when it was saved has done nothing yet."""
        self._generation[:] = arrays.get("generation", who["generation"])
        self._measured = {
            name.removeprefix("measured_"): a for name, a in arrays.items() if name.startswith("measured_")
        }
        for name, (untreated, before) in self._traits.items():
            if f"untreated_{name}" in arrays:
                untreated[:], before[:] = arrays[f"untreated_{name}"], arrays[f"before_{name}"]
        for k, one in enumerate(self.each):
            prefix = f"{_digest(one.programme)}_"
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            if own:
                one.restore(own)
                if k in self._groups:
                    self._groups[k].group[:] = own["group"]


def _digest(programme: Programme) -> str:
    return hashlib.sha256(repr(programme).encode()).hexdigest()[:16]

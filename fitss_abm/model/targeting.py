"""Whom a programme is meant for: conditions on people that can be put together with `&`, `|` and `~`.

>>> women = Sex("female") & Within("age", 18, 65)
>>> women & ~Holds(("fibromyalgia",)) & Position("isolated", 0.1)  # doctest: +SKIP

A scenario writes them as tables: `fitss_abm.model.target_tables` reads those.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fitss_abm.model import positions
from fitss_abm.model.randomness import Decision
from fitss_abm.model.view import View, Who, chance, draws, key_of


@dataclass(frozen=True)
class Target(ABC):
    """A condition on people."""

    @abstractmethod
    def reaches(self, view: View) -> Who:
        """Who meets it now, a boolean a person."""

    def parts(self) -> Iterator[Target]:
        """The conditions within, this one first."""
        yield self

    def __and__(self, other: Target) -> Target:
        return All((self, other))

    def __or__(self, other: Target) -> Target:
        return AnyOf((self, other))

    def __invert__(self) -> Target:
        return Not(self)


@dataclass(frozen=True)
class Everyone(Target):
    """All people."""

    def reaches(self, view: View) -> Who:
        return np.ones(view.population.people, np.bool_)


@dataclass(frozen=True)
class All(Target):
    """Who meets every one of these."""

    of: tuple[Target, ...]

    def reaches(self, view: View) -> Who:
        each: Who = np.logical_and.reduce([part.reaches(view) for part in self.of])
        return each

    def parts(self) -> Iterator[Target]:
        yield self
        for part in self.of:
            yield from part.parts()


@dataclass(frozen=True)
class AnyOf(Target):
    """Who meets at least one of these."""

    of: tuple[Target, ...]

    def reaches(self, view: View) -> Who:
        some: Who = np.logical_or.reduce([part.reaches(view) for part in self.of])
        return some

    parts = All.parts


@dataclass(frozen=True)
class Not(Target):
    """Who does not meet it."""

    of: Target

    def reaches(self, view: View) -> Who:
        return ~self.of.reaches(view)

    def parts(self) -> Iterator[Target]:
        yield self
        yield from self.of.parts()


@dataclass(frozen=True)
class Persons(Target):
    """These people, by their numbers (founder x 65536 + generation)."""

    persons: tuple[int, ...]

    def reaches(self, view: View) -> Who:
        return np.isin(view.population.person(), self.persons)


@dataclass(frozen=True)
class Random(Target):
    """A share of people by luck that lasts a life. Conditions of one draw share their luck: 0.2 lies within 0.5.

    `draw` names the luck; None: the programme's own.
    """

    share: float
    draw: str | None = None

    def reaches(self, view: View) -> Who:
        return chance(view.words(Decision.TARGET, name=self.draw)[:, 0], self.share)


@dataclass(frozen=True)
class Sex(Target):
    """Women or men."""

    sex: Literal["female", "male"]

    def reaches(self, view: View) -> Who:
        chosen: Who = view.population["female"] == (1 if self.sex == "female" else 0)
        return chosen


@dataclass(frozen=True)
class Within(Target):
    """Who has a measure (`MEASURES`) of at least `low` and at most `high`."""

    what: str
    low: float = -np.inf
    high: float = np.inf

    def reaches(self, view: View) -> Who:
        values = view.measure(self.what)
        within: Who = (values >= self.low) & (values <= self.high)
        return within


@dataclass(frozen=True)
class Holds(Target):
    """Who holds one of these conditions; with `ever`, has held one."""

    conditions: tuple[str, ...]
    ever: bool = False

    def reaches(self, view: View) -> Who:
        mask = np.uint32(view.catalogue.mask(self.conditions))
        holds: Who = (view.population["ever" if self.ever else "conditions"] & mask) != 0
        return holds


@dataclass(frozen=True)
class Position(Target):
    """The share of all people who are most so: isolated (least support received), hubs (most given), bridges.

    Counted from the ties of the quarter (`fitss_abm.model.positions`); equals are ordered by luck. Who has moved in since has
    no position yet.
    """

    what: str
    share: float

    def reaches(self, view: View) -> Who:
        name = f"{self.what} {self.share} of {view.name}"  # kept for the quarter: to put people in order takes a while
        if name not in view.measured:
            values = view.position(self.what) * (1 if self.what == "isolated" else -1)
            order = np.lexsort((view.words(Decision.TARGET)[:, 1], values))
            chosen = np.zeros(values.size, np.bool_)
            chosen[order[: round(self.share * values.size)]] = True
            view.measured[name] = chosen
        return view.measured[name] & view.settled


@dataclass(frozen=True)
class TiesOf(Target):
    """Who is tied to somebody of `of`; with `partners`, as a partner. Those of `of` only if they have such a tie too."""

    of: Target
    partners: bool = False

    def reaches(self, view: View) -> Who:
        return positions.tied_to(view.network, self.of.reaches(view), partners=self.partners)

    parts = Not.parts


@dataclass(frozen=True)
class Groups(Target):
    """Whole groups: families, colleagues, or those who hang together in a given network; a share of them by luck.

    `of`: only groups that somebody of it belongs to. Who has no such tie is in no group.
    """

    kind: str
    share: float = 1.0
    of: Target | None = None
    draw: str | None = None

    def reaches(self, view: View) -> Who:
        label = view.groups(self.kind)
        size = np.bincount(label, minlength=label.size)
        chosen = size > 1
        if self.share < 1:
            nobody = np.zeros(label.size, np.uint16)  # the luck of a group is that of its place, whoever lives there
            key = key_of(view.key, view.name if self.draw is None else self.draw)
            words = draws(np.arange(label.size), nobody, 0, int(Decision.GROUP), *key)
            chosen &= chance(words[:, 0], self.share)
        if self.of is not None:
            held = np.zeros(label.size, np.bool_)
            held[label[self.of.reaches(view)]] = True
            chosen &= held
        whole: Who = chosen[label]
        return whole

    def parts(self) -> Iterator[Target]:
        yield self
        if self.of is not None:
            yield from self.of.parts()

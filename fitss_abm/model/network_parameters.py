"""The numbers of the generated network, and how each kind of circle works by them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.arithmetic import F
from fitss_abm.model.randomness import Decision

YEAR = 365.25
"""Days."""

QUARTERS = 4
"""Renewals in a year."""


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

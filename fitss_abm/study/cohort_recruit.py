"""Who comes into a cohort: the sampling frame of each design, whom it invites, who takes part, whom they stand for.

Everybody in the frame has one place in the order of invitation and one answer to it, both by luck of their own, so a study that
wants more participants has all those of a smaller one. Probability samples: within a stratum (and, of controls, a band of matching)
everybody is equally likely to be invited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, InputError
from fitss_abm.study import cohort_missing as missing
from fitss_abm.study.cohort_fields import GROUPS

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_measures import Records

_BAND = 10  # years, of the adjustment of weights
_SEXES = 2
Slots = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """From whom a study may draw on a day; arrays over its people."""

    slots: Slots
    persons: NDArray[np.int64]
    female: NDArray[np.bool_]
    age: Floats
    stratum: NDArray[np.int64]
    """Position in the design's groups."""

    def cells(self, years: int) -> NDArray[np.int64]:
        """A number for each sex and band of age within each stratum."""
        band = (self.age // years).astype(np.int64)
        return (self.stratum * _SEXES + self.female) * 256 + band

    def __getitem__(self, chosen: NDArray[Any]) -> Frame:
        parts = (self.slots, self.persons, self.female, self.age, self.stratum)
        return Frame(*(part[chosen] for part in parts))


@dataclass(frozen=True, eq=False)
class Recruited:
    """Who was invited on a day, arrays over them; `takes_part` of them are participants."""

    people: Frame
    invitation: Floats
    """Share of the stratum (of controls: of the band of matching) that was invited."""
    participation: Floats
    """Probability of taking part if invited."""
    takes_part: NDArray[np.bool_]
    weight: Floats
    """Of participants: people of the frame that each stands for; 0 of others."""
    frame: int
    short: int = 0
    """Controls that were wanted and could not be had."""


def frame_of(
    cohort: Cohort,
    simulation: Simulation,
    *,
    records: Records,
    only: NDArray[np.int64] | None,
    without: NDArray[np.int64] | None = None,
) -> Frame:
    """The frame of today. `only`: persons who alone can be in it; `without`: who cannot (they were invited before)."""
    from fitss_abm.model.population import DAYS_IN_YEAR

    who = simulation.population
    low, high = cohort.ages
    age = (simulation.day - who["birth_day"]) / DAYS_IN_YEAR
    able = (age >= low) & (age < high + 1)
    case = (who["conditions"] & np.uint32(simulation.catalogue.mask([cohort.case]))) != 0
    if cohort.design == "clinic":
        able &= records.shown(cohort.case) if cohort.case in records.conditions else case
    slots = np.flatnonzero(able)
    persons = who.person(slots)
    if only is not None:
        kept = np.isin(persons, only)
        slots, persons = slots[kept], persons[kept]
    if without is not None and without.size:
        kept = ~np.isin(persons, without)
        slots, persons = slots[kept], persons[kept]
    stratum = np.zeros(slots.size, np.int64)
    if cohort.design == "case-control":
        stratum = np.where(case[slots], 0, 1)
    elif cohort.design == "birth-adversity":
        stratum = np.where(who["adversity"][slots] >= cohort.exposed_from, 0, 1)
    return Frame(slots, persons, who["female"][slots] == 1, age[slots].astype(np.float64), stratum)


def recruit(
    cohort: Cohort,
    simulation: Simulation,
    frame: Frame,
    wanted: int | None,
    pain: NDArray[Any],
    *,
    refresh: bool = False,
) -> Recruited:
    """Invite people of the frame until `wanted` take part (None: all who can be had). `pain`: of the frame, which non-response
    that is not at random hangs on. Raises InputError where a group is empty or fewer than wanted take part; to `refresh` a
    panel, as many are had as there are.
    """
    seed = cohort.missing_seed
    if not refresh and (cohort.persons_file is None or cohort.parts == 1):
        _check_there(cohort, frame)
    probability = _participation(cohort, frame, pain)
    answers = missing.luck(simulation, seed, "answer to the invitation", frame.persons, simulation.day) < probability
    order = missing.luck(simulation, seed, "order of invitation", frame.persons)
    if refresh and wanted is not None:
        wanted = min(wanted, int(answers.sum()))
    quotas = _quotas(cohort, frame, answers, wanted)
    invited, short = _in_order(frame.stratum, answers, order, quotas), 0
    if cohort.design == "case-control":
        takes = invited & answers
        cells = frame.cells(cohort.match_years) - frame.stratum * _SEXES * 256
        number, each = np.unique(cells[takes & (frame.stratum == 0)], return_counts=True)
        room = dict(zip(number.tolist(), (each * cohort.controls).tolist(), strict=True))
        controls = frame.stratum == 1
        labels = np.where(controls, cells, -1)
        invited |= _in_order(labels, answers & controls, order, room) & controls
        short = sum(room.values()) - int((invited & answers & controls).sum())
    cells = frame.cells(cohort.match_years) if cohort.design == "case-control" else frame.stratum
    chance = _share_of(cells, invited)
    chosen = np.flatnonzero(invited)
    takes_part = answers[chosen]
    weight = np.zeros(chosen.size)
    weight[takes_part] = adjusted(frame, chosen[takes_part])
    return Recruited(frame[chosen], chance[chosen], probability[chosen], takes_part, weight, frame.slots.size, short)


def adjusted(frame: Frame, seen: NDArray[np.int64]) -> Floats:
    """How many of the frame each of `seen` (places in the frame) stands for: alike in a sex and ten-year band of a stratum.

    Who is in a cell where nobody was seen is spread over the stratum's others, so that weights of a stratum sum to its people.
    """
    weight = np.zeros(seen.size)
    cells, among = np.unique(frame.cells(_BAND), return_inverse=True)
    people = np.bincount(among, minlength=cells.size)
    had = np.bincount(among[seen], minlength=cells.size)
    weight = people[among[seen]] / had[among[seen]]
    for stratum in np.unique(frame.stratum[seen]):
        own = frame.stratum[seen] == stratum
        weight[own] *= (frame.stratum == stratum).sum() / weight[own].sum()
    return weight


def _check_there(cohort: Cohort, frame: Frame) -> None:
    """Raise InputError where nobody, or no case, or no exposed, is there to be recruited."""
    low, high = cohort.ages
    said = f"in {cohort.world().people:,} people, {cohort.part_people:,} at a time"
    groups = GROUPS[cohort.design]
    for number, group in enumerate(groups):
        if not (frame.stratum == number).any():
            what = cohort.case if cohort.design in ("clinic", "case-control") else cohort.design
            problem = f"nobody for the group '{group}' (ages {low} to {high}) {said}: simulate more people, or change the design"
            raise InputError([Fault("case" if what == cohort.case else "design", what, problem)])


def _participation(cohort: Cohort, frame: Frame, pain: NDArray[Any]) -> Floats:
    """The probability of taking part if invited: of no rule of participation saying no."""
    probability = np.ones(frame.slots.size)
    values = {"age": frame.age, "female": frame.female}
    for rule in cohort.rules():
        if rule.of == "participation":
            probability *= 1.0 - missing.probabilities(rule, rule.share, values, pain)
    return probability


def _quotas(cohort: Cohort, frame: Frame, answers: NDArray[np.bool_], wanted: int | None) -> dict[int, int]:
    """Participants wanted of each stratum, controls aside. Raises InputError where fewer are to be had."""
    there = np.bincount(frame.stratum[answers], minlength=2)
    if cohort.design == "case-control":
        quotas = {0: int(there[0]) if wanted is None else max(1, round(wanted / (1 + cohort.controls)))}
    elif cohort.design == "birth-adversity":
        share = cohort.exposed_share
        if wanted is None:
            wanted = int(min(there[0] / share, there[1] / (1 - share)))
        exposed = round(wanted * share)
        quotas = {0: exposed, 1: wanted - exposed}
    else:
        quotas = {0: int(there[0]) if wanted is None else wanted}
    groups = GROUPS[cohort.design]
    faults = [
        Fault("participants", cohort.participants, f"more than there are: {there[k]:,} of the group '{groups[k]}' would take part "
              f"where {quota:,} are wanted of a population of {min(cohort.part_people, cohort.world().people):,}")
        for k, quota in quotas.items() if quota > there[k]
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return quotas


def _in_order(
    labels: NDArray[np.int64], answers: NDArray[np.bool_], order: Floats, room: dict[int, int]
) -> NDArray[np.bool_]:
    """Who is invited: of each label in order, until so many have said yes; the last invited is one who did."""
    invited = np.zeros(labels.size, np.bool_)
    for label, wanted in room.items():
        own = np.flatnonzero(labels == label)
        own = own[np.lexsort((own, order[own]))]
        taken = np.cumsum(answers[own])
        last = np.searchsorted(taken, wanted) if wanted < (taken[-1] if own.size else 0) else own.size - 1
        invited[own[: last + 1] if wanted else own[:0]] = True
    return invited


def _share_of(cells: NDArray[np.int64], invited: NDArray[np.bool_]) -> Floats:
    """Of everybody, the share of their cell that was invited."""
    _, among = np.unique(cells, return_inverse=True)
    share: Floats = (np.bincount(among, weights=invited) / np.bincount(among))[among]
    return share

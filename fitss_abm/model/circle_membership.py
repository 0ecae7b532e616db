"""Who leaves, joins and founds circles in a quarter: the compiled passes over communities (`fitss_abm.model.circles`).

All of them are in this one file, whose text the cache of compiled code looks at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange

from fitss_abm.model.arithmetic import F
from fitss_abm.model.caching import compiled
from fitss_abm.model.network_parameters import YEAR, Kind
from fitss_abm.model.randomness import Decision, draw, happens, normal

ADULT, LEAVES_HOME_UNTIL = 18, 60  # years
PARENT_YOUNGEST, PARENT_OLDEST = 18, 45  # years of age at birth
PARTNER_WINDOW = 40  # people ahead, in order of age within a generation, among whom a partner is looked for at founding

OPEN, NONE = np.uint16(65535), np.int32(-1)  # no membership, no partner
_PLACE = 17  # bits of a sort key that hold the place in the community; above them 32 of age, then the sort of circle
_SORT_ZERO = 1 << 24  # days: keeps sort keys positive
_SORT, _CIRCLE, _TURNOVER = int(Decision.CIRCLE) + 5, int(Decision.CIRCLE) + 10, int(Decision.TURNOVER)  # + kind


class Who(NamedTuple):
    """The people, by slot, on a day; `new`: lives there since the last time. k0, k1: the network stream's key."""

    birth: Any
    day: int
    quarter: int
    female: Any
    generation: Any
    new: Any
    k0: Any
    k1: Any


class Here(NamedTuple):
    """One community of p people from slot `low`. By circle (p + 1,): count, total of days from the first member's
    birth, first member. By place (p,): the circle just left, the wish for a partner."""

    low: int
    people: int
    cell: Any
    partner: Any
    count: Any
    total: Any
    member: Any
    left: Any
    wishes: Any


@njit
def _draw(slot: int, quarter: int, decision: int, who: Who) -> Any:
    """A person's words for a decision in a quarter; 0 for traits, which last."""
    return draw(
        np.uint32(slot), np.uint32(who.generation[slot]), np.uint32(quarter), np.uint32(decision), who.k0, who.k1
    )


@njit
def _belongs(slot: int, who: Who, kind: Kind) -> Any:
    age = who.day - who.birth[slot]
    return kind.youngest <= age < kind.oldest and happens(_draw(slot, 0, kind.belongs, who)[0], kind.share)


@njit
def _taste(slot: int, who: Who, kind: Kind) -> Any:
    """Lasting traits: sort of circle (0 mixed, 1 men, 2 women), displacement of age (days), wish for a partner."""
    words = _draw(slot, 0, _SORT + kind.number, who)
    sort = np.int64(0)
    if happens(words[0], kind.single_sex):
        sort = np.int64(2 if who.female[slot] else 1)
    return sort, np.int64(normal(words[1]) * kind.spread), happens(words[2], kind.partnering)


@njit
def _size(low: int, circle: int, who: Who, kind: Kind) -> Any:
    """How many members a circle is for: belongs to the circle's place in the community, so it lasts."""
    words = draw(np.uint32(low), np.uint32(circle), np.uint32(0), np.uint32(_CIRCLE + kind.number), who.k0, who.k1)
    sizes = np.uint64(kind.size_high - kind.size_low + 1)
    return kind.size_low + np.int64((np.uint64(words[0]) * sizes) >> np.uint64(32))


@njit
def _between(days: int, generation: int) -> Any:
    """Days between two births, modulo a generation where there is one: from -half to +half of it."""
    if generation == 0:
        return days
    return (days + generation // 2) % generation - generation // 2


@njit
def _apart(slot: int, circle: int, here: Here, who: Who, kind: Kind) -> Any:
    """Days between a birth and the mean of a circle's."""
    mean = who.birth[here.member[circle]] + here.total[circle] // here.count[circle]
    return abs(_between(who.birth[slot] - mean, kind.generation))


@njit
def _enter(slot: int, circle: int, here: Here, who: Who, kind: Kind) -> None:
    here.cell[slot] = circle
    if here.count[circle] == 0:
        here.member[circle] = slot
    here.count[circle] += 1
    here.total[circle] += _between(who.birth[slot] - who.birth[here.member[circle]], kind.generation)


@njit
def _found(pool: Any, waiting: int, here: Here, who: Who, kind: Kind) -> None:
    """Cut the pool, in order, into new circles: of one sort and within the tolerance of age, families aside."""
    circle = at = np.int64(0)
    while at < waiting:
        while here.count[circle] > 0:
            circle += 1
        size = _size(here.low, circle, who, kind)
        key = pool[at] >> _PLACE
        end = at + 1
        while end < waiting and end - at < size:
            other = pool[end] >> _PLACE
            if kind.generation == 0 and (other >> 32 != key >> 32 or other - key > 2 * kind.tolerance):
                break
            end += 1
        if end - at > 1:
            for i in range(at, end):
                _enter(here.low + (pool[i] & ((1 << _PLACE) - 1)), circle, here, who, kind)
        at = end


@njit
def _join(pool: Any, waiting: int, here: Here, who: Who, kind: Kind) -> Any:
    """In order, everybody joins the nearest in age of the circles of their sort with a vacancy; the rest stay in the
    pool."""
    vacant, free = np.empty(here.people, np.int32), np.empty(here.people, np.int32)
    sorts = np.empty(here.people, np.int8)
    vacancies = 0
    for circle in range(here.people):
        if here.count[circle] > 0:
            room = _size(here.low, circle, who, kind) - here.count[circle]
            if room > 0:
                vacant[vacancies], free[vacancies] = circle, room
                sorts[vacancies] = _taste(np.int64(here.member[circle]), who, kind)[0]
                vacancies += 1
    rest = np.int64(0)
    for at in range(waiting):
        i = pool[at] & ((1 << _PLACE) - 1)
        best, nearest = -1, np.int64(kind.tolerance) + 1
        for v in range(vacancies):
            if free[v] > 0 and sorts[v] == pool[at] >> (_PLACE + 32) and vacant[v] != here.left[i]:
                apart = _apart(here.low + i, vacant[v], here, who, kind)
                if apart < nearest:
                    best, nearest = v, apart
        if best >= 0:
            _enter(here.low + i, vacant[best], here, who, kind)
            free[best] -= 1
        else:
            pool[rest] = pool[at]
            rest += 1
    return rest


@njit
def _couples_side_by_side(pool: Any, waiting: int, here: Here, who: Who, kind: Kind) -> Any:
    """The pool in its order, but with each adult who wishes it next to the nearest possible partner."""
    birth, female = who.birth[here.low :], who.female[here.low :]
    ordered, used = np.empty(waiting, np.int64), np.zeros(waiting, np.bool_)
    filled = 0
    for at in range(waiting):
        if used[at]:
            continue
        ordered[filled] = pool[at]
        filled += 1
        i = pool[at] & ((1 << _PLACE) - 1)
        if not here.wishes[i] or who.day - birth[i] < kind.partner_from:
            continue
        for ahead in range(at + 1, min(at + 1 + PARTNER_WINDOW, waiting)):
            j = pool[ahead] & ((1 << _PLACE) - 1)
            free = here.wishes[j] and not used[ahead] and who.day - birth[j] >= kind.partner_from
            if free and female[i] != female[j] and abs(birth[i] - birth[j]) < kind.partner_difference:
                ordered[filled] = pool[ahead]
                filled += 1
                used[ahead] = True
                break
    return ordered


@njit
def _take_in(pool: Any, waiting: int, here: Here, who: Who, kind: Kind) -> None:
    """Everybody joins the family that suits best. Families over their size are crowded, but nobody is left out."""
    low, people = here.low, here.people
    size = np.zeros(people + 1, np.int64)
    for circle in range(people):
        if here.count[circle] > 0:
            size[circle] = _size(low, circle, who, kind)
    parent, match = np.empty(people + 1, np.bool_), np.empty(people + 1, np.bool_)
    for at in range(waiting):
        i = pool[at] & ((1 << _PLACE) - 1)
        slot = low + i
        age = who.day - who.birth[slot]
        seeks = here.wishes[i] and age >= kind.partner_from
        parent.fill(False)
        match.fill(False)
        for j in range(people):  # a child wants a parent in the family, a single adult somebody to meet
            circle = here.cell[low + j]
            if circle == OPEN:
                continue
            older = who.birth[slot] - who.birth[low + j]
            if PARENT_YOUNGEST * YEAR <= older <= PARENT_OLDEST * YEAR:
                parent[circle] = True
            single = here.wishes[j] and here.partner[low + j] == NONE and age + older >= kind.partner_from
            if single and who.female[slot] != who.female[low + j] and abs(older) < kind.partner_difference:
                match[circle] = True
        best, least = np.int64(-1), np.int64(0)
        for circle in range(people):
            count = here.count[circle]
            if count == 0 or circle == here.left[i] or count >= 2 * kind.size_high:
                continue
            cost = _apart(slot, circle, here, who, kind)
            cost += max(0, count + 1 - size[circle]) * kind.generation // 2
            cost -= kind.generation if age < ADULT * YEAR and parent[circle] else 0
            cost -= kind.generation // 2 if seeks and match[circle] else 0
            if best < 0 or cost < least:
                best, least = np.int64(circle), cost
        if best >= 0:
            _enter(slot, best, here, who, kind)


@njit
def _part(here: Here, who: Who, kind: Kind) -> None:
    """Who is new, too old or moves on leaves; who stays is counted; who stays alone in a circle leaves too."""
    partner = here.partner
    if kind.generation > 0:
        for i in range(here.people):
            slot = here.low + i
            here.wishes[i] = _taste(slot, who, kind)[2]
            if partner[slot] != NONE and (who.new[slot] or who.new[partner[slot]]):
                partner[slot] = NONE
    for i in range(here.people):
        slot = here.low + i
        circle = here.cell[slot]
        if circle == OPEN:
            continue
        here.cell[slot] = OPEN
        age = who.day - who.birth[slot]
        if who.new[slot] or age >= kind.oldest:
            continue
        goes = kind.leave
        if kind.generation > 0 and partner[slot] == NONE:
            settles = here.wishes[i] and kind.partner_from <= age < LEAVES_HOME_UNTIL * YEAR
            goes = kind.leave_home if settles else F(0.0)
        if not happens(_draw(slot, who.quarter, _TURNOVER + kind.number, who)[0], goes):
            _enter(slot, circle, here, who, kind)
            continue
        here.left[i] = circle
        if kind.generation > 0 and partner[slot] != NONE:
            partner[partner[slot]] = NONE
            partner[slot] = NONE
    for i in range(here.people):
        circle = here.cell[here.low + i]
        if circle != OPEN and here.count[circle] == 1:
            here.count[circle] = here.total[circle] = 0
            here.cell[here.low + i] = OPEN


@njit
def _settle(low: int, high: int, cell: Any, partner: Any, who: Who, kind: Kind) -> None:
    """One community: part, then join or take in, then found."""
    people = high - low
    count, total = np.zeros(people + 1, np.int32), np.zeros(people + 1, np.int64)
    member, left = np.zeros(people + 1, np.int32), np.full(people, OPEN, np.uint16)
    here = Here(low, people, cell, partner, count, total, member, left, np.zeros(people, np.bool_))
    _part(here, who, kind)
    pool = np.empty(people, np.int64)
    waiting, settled = np.int64(0), np.int64(0)
    for i in range(people):
        if cell[low + i] != OPEN:
            settled += 1
        elif _belongs(low + i, who, kind):
            sort, shift, _ = _taste(low + i, who, kind)
            age = who.birth[low + i] + shift
            age = age % kind.generation if kind.generation > 0 else age + _SORT_ZERO
            pool[waiting] = (((sort << 32) + age) << _PLACE) | i
            waiting += 1
    pool = np.sort(pool[:waiting])
    if kind.generation == 0:
        waiting = _join(pool, waiting, here, who, kind)
    elif settled == 0:
        pool = _couples_side_by_side(pool, waiting, here, who, kind)
    else:
        _take_in(pool, waiting, here, who, kind)
        waiting = np.int64(0)
    _found(pool, waiting, here, who, kind)
    if kind.generation > 0:
        _partner_up(here, who, kind)


@njit
def _partner_up(here: Here, who: Who, kind: Kind) -> None:
    """Within a family the single man and woman nearest in age become partners, again and again while there are such
    two."""
    partner = here.partner
    found = np.zeros(here.people + 1, np.int32)
    single = np.empty((here.people + 1, 2 * kind.size_high), np.int32)
    for i in range(here.people):
        slot = here.low + i
        circle = here.cell[slot]
        if (
            circle != OPEN
            and partner[slot] == NONE
            and who.day - who.birth[slot] >= kind.partner_from
            and here.wishes[i]
        ):
            single[circle, found[circle]] = slot
            found[circle] += 1
    for circle in range(here.people):
        while found[circle] > 1:
            nearest, a, b = np.int64(kind.partner_difference), NONE, NONE
            for i in range(found[circle]):
                for j in range(i):
                    one, other = single[circle, i], single[circle, j]
                    apart = abs(np.int64(who.birth[one]) - who.birth[other])
                    both = partner[one] == NONE and partner[other] == NONE
                    if both and who.female[one] != who.female[other] and apart < nearest:
                        nearest, a, b = apart, one, other
            if a == NONE:
                break
            partner[a], partner[b] = b, a


@compiled(parallel=True)
def settle(bounds: Any, cell: Any, partner: Any, who: Who, kind: Kind) -> None:
    """All communities of one kind; bounds (communities + 1,) are the slots where each begins, cell (n,) is who
    belongs where."""
    for c in prange(len(bounds) - 1):
        _settle(bounds[c], bounds[c + 1], cell, partner, who, kind)


COMPILED = (settle,)
"""Every compiled entry point of this file, for the engine's cache; see also those of network_io and
network_statistics."""

"""Statistical matching: for each person of the records the simulated life that is most like what the record says.

Within sex and among people of nearly the same age, the donors are assigned so that the sum of distances is least, each to one
person (D'Orazio, Di Zio and Scanu 2006, Statistical Matching, doi:10.1002/0470023554, the constrained distance hot deck). What a
record does not say adds no distance, so gaps are filled by a donor who is alike in all that it does say.
Where that leaves a contradiction, a donor who holds the very conditions is taken although others have it too.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Slots = NDArray[np.int64]

# All assumed: they order donors and set no number of the model. Distances are squared, in standard deviations of the donors.
CONTRADICTION = 100.0  # of a condition: as much as ten standard deviations of a score
_AGE = 10.0  # years that weigh as much as a standard deviation
_TIES = 0.5  # weight of the strength of the place's ties
_AGAIN = 1.0  # for each further use of a donor
_BAND = 10.0  # years; a donor who is taken again is of the same band of age or of the next
_USES = 4  # of a donor in one part, at the least
_LEVEL, _LEVELS = 50, 40  # people at a level of a score at the least; levels at the most
_BLOCK, _AGAIN_BLOCK, _WINDOW = (
    1024,
    256,
    1024,
)  # people, people, donors: what keeps the work in proportion to the people
_STEP = 1024.0  # distances are rounded to 1/1024, so that no last bit of a sum decides


@dataclass(frozen=True, eq=False)
class Side:
    """People, or donors. Arrays of shape (people,), and `scores` (scores, people); NaN: not said."""

    female: NDArray[np.uint8]
    age: Floats
    held: NDArray[np.uint32]
    """Conditions, a bit each."""
    known: NDArray[np.uint32]
    """Which bits are said."""
    scores: Floats
    """In standard deviations of the donors."""
    ties: Floats
    """Summed strength of ties, in standard deviations of the donors."""


def contradictions(people: Side, donors: Side, donor: Slots) -> NDArray[np.uint32]:
    """Conditions, as bits, in which the donor of each person differs from what is said."""
    differs: NDArray[np.uint32] = (people.held ^ donors.held[donor]) & people.known
    return differs


def match(people: Side, donors: Side, *, definitions: int = 0) -> Slots:
    """The donor of each person. `donors`: a whole number of copies of the people's sexes and ages, at least one.

    `definitions`: the bits of cases by definition, which count twice, since they cannot be imposed for long.
    Nearest donors lean towards where donors are many, so a second matching aims as far beyond as the first fell short.
    """
    heavy = np.uint32(definitions)
    pool = _Patterns(donors, heavy)
    first = _matched(people, donors, pool)
    return _matched(_aimed(people, donors, first), donors, pool)


def _matched(people: Side, donors: Side, pool: _Patterns) -> Slots:
    """A donor each; then, of donors whom others may have too, one who contradicts less for those whom their donor contradicts, and
    one who fits for those with gaps, who were left what others' conditions did not claim.
    """
    donor = _by_blocks(people, donors, pool.heavy)
    contradicted = _weighed(contradictions(people, donors, donor), pool.heavy)
    asked = np.bitwise_or.reduce(people.known)
    gaps = ((asked & ~people.known) != 0) | np.isnan(people.scores).any(axis=0)
    for group in _alike(people, np.flatnonzero((contradicted > 0) | gaps)):
        # 2 k + 1 with a gap, 2 k without: more than 2 least where there is something to gain
        _match_again(people, group, donors, donor, pool, 2 * contradicted.astype(np.int64) + gaps)
    return donor


def _aimed(people: Side, donors: Side, donor: Slots) -> Side:
    """People whose scores are moved by the mean error of a matching at their level."""
    scores = people.scores.copy()
    for said, simulated, aim in zip(people.scores, donors.scores[:, donor], scores, strict=True):
        some = np.flatnonzero(np.isfinite(said))
        if some.size == 0:
            continue
        _levels, which = np.unique(said[some], return_inverse=True)
        upto = np.cumsum(np.bincount(which)) - 1
        level = upto // max(_LEVEL, some.size // _LEVELS)
        level = np.unique(level[which], return_inverse=True)[1]
        error = np.bincount(level, (simulated - said)[some]) / np.bincount(level)
        aim[some] -= error[level]
    return dataclasses.replace(people, scores=scores)


def _by_blocks(people: Side, donors: Side, heavy: np.uint32) -> Slots:
    """Each person a donor of their own: nearest in all, within sex and among people of nearly the same age."""
    donor = np.empty(people.age.size, np.int64)
    copies = donors.age.size // people.age.size
    rows, columns = (np.lexsort((side.age, side.female)) for side in (people, donors))
    for low, high in _blocks(people.female[rows]):
        here, there = rows[low:high], columns[low * copies : high * copies]
        donor[here] = there[_assigned(_distance(people, here, donors, there, heavy))]
    return donor


def _blocks(female: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Runs of one sex, cut into nearly equal parts of at most so many people."""
    edges = [0, int(np.count_nonzero(female == 0)), female.size]
    found = []
    for low, high in itertools.pairwise(edges):
        cuts = np.linspace(low, high, -(-(high - low) // _BLOCK) + 1).round().astype(int) if high > low else [low]
        found += list(itertools.pairwise(cuts))
    return found


def _assigned(distance: Floats) -> Slots:
    column: Slots = linear_sum_assignment(np.rint(distance * _STEP))[1]
    return column


def _weighed(differs: NDArray[np.uint32], heavy: np.uint32) -> NDArray[np.uint8]:
    """How many conditions differ; cases by definition count twice."""
    weighed: NDArray[np.uint8] = np.bitwise_count(differs) + np.bitwise_count(differs & heavy)
    return weighed


def _distance(people: Side, here: Slots, donors: Side, there: Slots, heavy: np.uint32) -> Floats:
    """Squared distances, shape (here, there)."""
    differs = (people.held[here, None] ^ donors.held[None, there]) & people.known[here, None]
    distance = CONTRADICTION * _weighed(differs, heavy).astype(np.float64)
    distance += ((people.age[here, None] - donors.age[None, there]) / _AGE) ** 2
    distance += _TIES * (people.ties[here, None] - donors.ties[None, there]) ** 2
    for said, simulated in zip(people.scores[:, here], donors.scores[:, there], strict=True):
        apart = said[:, None] - simulated[None, :]
        distance += np.where(np.isnan(apart), 0.0, apart**2)
    return distance


def _alike(people: Side, which: Slots) -> list[Slots]:
    """These people, grouped by sex, band of age and all that is said of their conditions."""
    if which.size == 0:
        return []
    told = (people.female[which], _band(people.age[which]), people.known[which], (people.held & people.known)[which])
    said = np.stack([each.astype(np.int64) for each in told])
    _unique, group = np.unique(said, axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    edges = np.flatnonzero(np.diff(group.ravel()[order])) + 1
    return np.split(which[order], edges)


def _band(age: Floats) -> Slots:
    return (age / _BAND).astype(np.int64)


class _Patterns:
    """Donors by band of age, sex and all conditions that they hold."""

    def __init__(self, donors: Side, heavy: np.uint32) -> None:
        self.heavy = heavy
        whole = _band(donors.age) << 33 | donors.female.astype(np.int64) << 32 | donors.held.astype(np.int64)
        patterns, which = np.unique(whole, return_inverse=True)
        self.band, self.female = patterns >> 33, patterns >> 32 & 1
        self.held = (patterns & 0xFFFFFFFF).astype(np.uint32)
        self.order = np.argsort(which, kind="stable")
        self.start = np.concatenate([[0], np.cumsum(np.bincount(which, minlength=patterns.size))])

    def nearest(self, people: Side, one: int) -> tuple[Slots, int]:
        """The donors of about the age and of the sex of a person who have the fewest contradictions, and how many those are."""
        here = np.flatnonzero((self.female == people.female[one]) & (np.abs(self.band - _band(people.age[[one]])) <= 1))
        weighed = _weighed((self.held[here] ^ people.held[one]) & people.known[one], self.heavy)
        parts = [self.order[self.start[k] : self.start[k + 1]] for k in here[weighed == weighed.min()]]
        return np.concatenate(parts), int(weighed.min())


def _match_again(people: Side, group: Slots, donors: Side, donor: Slots, pool: _Patterns, before: Slots) -> None:
    """Give people who say the same of their conditions donors who contradict it less, although others have these donors too."""
    chosen, least = pool.nearest(people, group[0])
    group = group[before[group] > 2 * least]
    if group.size == 0:
        return
    chosen = chosen[np.argsort(donors.age[chosen], kind="stable")]
    group = group[np.argsort(people.age[group], kind="stable")]
    parts = -(-group.size // _AGAIN_BLOCK)
    for k, here in enumerate(np.array_split(group, parts)):
        # as many donors as can be compared, spread over all; another share of them for each part
        step = -(-chosen.size // _WINDOW)
        there = chosen[k % step :: step]
        uses = max(_USES, -(-2 * here.size // there.size))
        distance = _distance(people, here, donors, there, pool.heavy)
        again = np.concatenate([distance + _AGAIN * use for use in range(uses)], axis=1)
        donor[here] = there[_assigned(again) % there.size]

"""Who is drawn from the records: which record lives in each place, with what sex and date of birth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.population import DAYS_IN_YEAR, Founders
from fitss_abm.model.randomness import Decision
from fitss_abm.model.view import draws
from fitss_abm.study.records import Floats, Records

_WORD = 2.0**-32
_BAND = 10.0  # years of age within which a missing sex is drawn


@dataclass(frozen=True, eq=False)
class Drawn:
    """Arrays of shape (people,)."""

    record: NDArray[np.int64]
    """Which record each person is: its place in the survey."""
    founders: Founders
    sex_drawn: NDArray[np.bool_]
    age_drawn: NDArray[np.bool_]


def draw_people(records: Records, *, people: int, key: tuple[np.uint32, np.uint32]) -> Drawn:
    """So many people from the records, each as often as its weight says, by systematic sampling: n w / sum w times, rounded up or
    down (Madow 1949, doi:10.1214/aoms/1177729988), along sex and age, whose shares are so kept. As many people as records without
    weights: each record once.

    Places are shuffled, because neighbouring places are neighbours in the model. `key`: of the population stream.
    """
    places = np.arange(people)
    words = draws(places, np.zeros(people, np.uint16), 0, int(Decision.RECORD), *key).astype(np.uint64)
    more = draws(places, np.zeros(people, np.uint16), 0, int(Decision.RECORD_AGE), *key)
    order = np.argsort((words[:, 0] << np.uint64(32)) | words[:, 1], kind="stable")
    record = np.empty(people, np.int64)
    along = np.lexsort((records.age, records.female))
    record[order] = along[_systematic(records.weight[along], people, (float(more[0, 1]) + 0.5) * _WORD)]
    within, luck_sex, luck_age = words[:, 2] * _WORD, words[:, 3] * _WORD, more[:, 0] * _WORD

    sex_drawn, age_drawn = np.isnan(records.female)[record], np.isnan(records.age)[record]
    female = records.female[record]
    female[sex_drawn] = luck_sex[sex_drawn] < _share_of_women(records, records.age[record[sex_drawn]])
    age = records.age[record]
    for sex in (0.0, 1.0):
        here = age_drawn & (female == sex)
        age[here] = _quantiles_of_age(records, sex, luck_age[here])
    birthday = np.ceil(age * DAYS_IN_YEAR)  # days of life on it: never younger than is said
    if records.whole_years:
        birthday += np.floor(within * (np.ceil((age + 1.0) * DAYS_IN_YEAR) - birthday))
    birth_day = -birthday.astype(np.int32)
    return Drawn(record, Founders(female.astype(np.uint8), birth_day), sex_drawn, age_drawn)


def _systematic(weight: Floats, people: int, start: float) -> NDArray[np.int64]:
    """Records at equal steps of the cumulated weight, from a start within the first step (0 to 1)."""
    cumulated = np.cumsum(weight)
    cumulated *= people / cumulated[-1]
    found = np.searchsorted(cumulated, np.arange(people) + start, side="right")
    chosen: NDArray[np.int64] = np.minimum(found, np.flatnonzero(weight)[-1])
    return chosen


def _share_of_women(records: Records, age: Floats) -> Floats:
    """The weighted share of women among records of about this age; among all, where the age is missing too or nobody is near."""
    known = np.isfinite(records.female)
    overall = np.average(records.female[known], weights=records.weight[known]) if records.weight[known].any() else 0.5
    both = known & np.isfinite(records.age)
    bands = int(120 / _BAND) + 1
    band = (records.age[both] / _BAND).astype(int)
    total = np.bincount(band, records.weight[both], bands)
    women = np.bincount(band, records.weight[both] * records.female[both], bands)
    shares = np.append(np.divide(women, total, out=np.full(bands, overall), where=total > 0), overall)
    found: Floats = shares[np.where(np.isfinite(age), np.nan_to_num(age) / _BAND, bands).astype(int)]
    return found


def _quantiles_of_age(records: Records, sex: float, luck: Floats) -> Floats:
    """Ages of records of this sex (of all, where none has one) at these quantiles of their weighted distribution."""
    known = np.isfinite(records.age) & (records.weight > 0)
    of_sex = known & (records.female == sex)
    chosen = np.flatnonzero(of_sex if of_sex.any() else known)
    ordered = chosen[np.argsort(records.age[chosen], kind="stable")]
    cumulated = np.cumsum(records.weight[ordered])
    found = np.searchsorted(cumulated, luck * cumulated[-1], side="right")
    ages: Floats = records.age[ordered[np.minimum(found, ordered.size - 1)]]
    return ages

"""Sex acts through named mechanisms only: with all of them off, women and men fare alike.

The ratio is standardised by age (five-year bands of adults, weights of both sexes together). Its error is binomial within
each band. People of three seeds are pooled, 60,000 in all on the first day: a condition that a tenth of adults have then has
a log ratio with a standard error of 0.025, so that a true ratio of 1.15 is seen with a probability of 98 % at the limit used
here (3.5 standard errors, a chance of 1 in 2,000 for each of some fifteen conditions), and of the mean number of conditions
with certainty. `test_the_ratio_would_notice` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model.conditions import Catalogue, shipped
from fitss_abm.model.demography import load
from fitss_abm.model.parameters import Parameters, sex_mechanisms
from fitss_abm.model.simulation import Seeds, Simulation

SEEDS = (1, 2, 3)
PEOPLE = 20_000
LIMIT = 3.5
MECHANISMS = sex_mechanisms()
BOTH_SEXES = tuple(condition.id for condition in shipped().conditions if condition.sex is None)


def people(
    off: Sequence[str], seeds: Sequence[int] = SEEDS, size: int = PEOPLE, catalogue: Catalogue | None = None
) -> People:
    """Adults of the first day with the named mechanisms off, seeds pooled."""
    worlds = []
    for seed in seeds:
        made = Simulation(
            people=size, demography=load("Germany"), seeds=Seeds(seed), threads=1,
            parameters=Parameters().without_sex_mechanisms(off), catalogue=(catalogue or shipped()).without_sex_mechanisms(off),
        )  # fmt: skip
        made.prepare()
        worlds.append(made)
    pooled = {
        name: np.concatenate([world.population[name] for world in worlds])
        for name in ("age", "female", "conditions", "sensitization", "alert_mean")
    }
    adult = pooled["age"] >= 18
    return People(**{name: values[adult] for name, values in pooled.items()}, catalogue=worlds[0].catalogue)


@dataclass(frozen=True)
class People:
    """Adults and what they have."""

    age: NDArray[np.float32]
    female: NDArray[np.uint8]
    conditions: NDArray[np.uint32]
    sensitization: NDArray[np.float32]
    alert_mean: NDArray[np.float32]
    catalogue: Catalogue

    def holds(self, condition: str) -> NDArray[np.float64]:
        return (self.conditions >> np.uint32(self.catalogue.bit[condition]) & 1).astype(np.float64)


def log_ratio(who: People, value: NDArray[np.float64]) -> tuple[float, float]:
    """Logarithm of the age-standardised mean of women over that of men, and its standard error."""
    band = np.minimum(who.age // 5, 18).astype(np.int64)
    weight = np.bincount(band, minlength=19) / band.size
    means, errors = [], []
    for woman in (1, 0):
        chosen = who.female == woman
        n = np.maximum(np.bincount(band[chosen], minlength=19), 1)
        mean = np.bincount(band[chosen], value[chosen], minlength=19) / n
        square = np.bincount(band[chosen], value[chosen] ** 2, minlength=19) / n
        means.append((weight * mean).sum())
        errors.append(np.sqrt((weight**2 * (square - mean**2) / n).sum()))
    if min(means) == 0:
        return 0.0, np.inf
    return float(np.log(means[0] / means[1])), float(np.hypot(errors[0] / means[0], errors[1] / means[1]))


def z(who: People, value: NDArray[np.float64]) -> float:
    ratio, error = log_ratio(who, value)
    return ratio / error


def number(who: People) -> NDArray[np.float64]:
    """How many conditions open to both sexes each has."""
    return np.sum([who.holds(id) for id in BOTH_SEXES if who.catalogue[id].family], axis=0)


@pytest.fixture(scope="module")
def alike() -> People:
    """A world with all sex mechanisms off."""
    return people(MECHANISMS)


@pytest.fixture(scope="module")
def usual() -> People:
    """The shipped world."""
    return people([], seeds=SEEDS[:1])


@pytest.mark.parametrize("condition", BOTH_SEXES)
def test_with_all_mechanisms_off_the_ratio_is_1(alike: People, condition: str) -> None:
    ratio, error = log_ratio(alike, alike.holds(condition))
    assert abs(ratio) < LIMIT * error, f"{np.exp(ratio):.3f}, standard error of the logarithm {error:.3f}"


def test_with_all_mechanisms_off_women_and_men_are_as_sensitized(alike: People) -> None:
    assert abs(z(alike, alike.sensitization.astype(np.float64))) < LIMIT
    assert abs(z(alike, alike.alert_mean.astype(np.float64))) < LIMIT
    assert abs(z(alike, number(alike))) < LIMIT


def test_the_ratio_would_notice(alike: People) -> None:
    """Power: fifteen per cent more in women of the commonest conditions lies well beyond the limit."""
    common = sorted(BOTH_SEXES, key=lambda id: -alike.holds(id).mean())[:3]
    for id in common:
        _ratio, error = log_ratio(alike, alike.holds(id))
        assert np.log(1.15) > (LIMIT + 1) * error  # a power of 84 % at least
    _ratio, error = log_ratio(alike, number(alike))
    assert np.log(1.15) > (LIMIT + 3) * error


def test_a_hidden_difference_of_fifteen_per_cent_is_seen() -> None:
    # The same world but for one mechanism that the switch does not know: an onset 15 % higher in women, in one condition.
    faults = Faults()
    common = {"onset_per_1000_person_years": 60.0, "remission_per_year": 0.3, "label": "Common", "family": False}
    catalogue = (
        shipped().without_sex_mechanisms(MECHANISMS).with_entries({"common": {**common, "female_onset": 0.2}}, faults)
    )
    off = [name for name in MECHANISMS if name != "condition_onset"]
    made = people(off, seeds=SEEDS[:1], catalogue=catalogue)
    assert faults.found == []
    assert z(made, made.holds("common")) > LIMIT


def test_with_the_mechanisms_on_women_have_more(usual: People) -> None:
    assert z(usual, number(usual)) > 2 * LIMIT
    assert z(usual, usual.sensitization.astype(np.float64)) > LIMIT
    for id in ("fibromyalgia_acr_1990", "chronic_migraine"):
        assert z(usual, usual.holds(id)) > LIMIT, id


@pytest.fixture(scope="module")
def few() -> People:
    """The shipped world, small."""
    return people([], seeds=[1], size=3000)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_mechanism_switches_something(few: People, mechanism: str) -> None:
    """Off alone, it changes numbers and what somebody has, but not who there is."""
    parameters = Parameters().without_sex_mechanisms([mechanism])
    catalogue = shipped().without_sex_mechanisms([mechanism])
    assert parameters != Parameters() or catalogue.conditions != shipped().conditions
    without = people([mechanism], seeds=[1], size=3000)
    assert np.array_equal(few.age, without.age)
    assert np.array_equal(few.female, without.female)
    assert not np.array_equal(few.conditions, without.conditions)


def test_mechanisms_are_named_once_and_what_is_unknown_switches_nothing() -> None:
    assert len(set(MECHANISMS)) == len(MECHANISMS)
    assert Parameters().without_sex_mechanisms(["no such thing"]) == Parameters()

"""Populations: the UN table's numbers, shares, bounds, and the user's own tables and marginals."""

import math
from pathlib import Path

import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.model import demography
from fitss_abm.model.demography import Demography, from_marginals, load, locations, read_table

TABLE = """location,sex,age_from,age_to,population,death_rate_per_person_year,remark
Atlantis,female,0,17,200,0.001,a
Atlantis,male,0,17,220,0.002,b
Atlantis,female,18,64,600,0.003,c
Atlantis,male,18,64,580,0.005,d
Atlantis,female,65,,150,0.04,e
Atlantis,male,65,,100,1.5,f
"""


@pytest.fixture(scope="module")
def germany() -> Demography:
    return load("Germany")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "atlantis.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def life_expectancy(death_rate: np.ndarray) -> float:
    """Years at birth, with the rate constant within each five-year band."""
    survival, years = 1.0, 0.0
    for rate in death_rate[:-1]:
        years += survival * -math.expm1(-5 * rate) / rate
        survival *= math.exp(-5 * rate)
    return years + survival / death_rate[-1]


def test_packaged_table_is_whole() -> None:
    assert len(locations()) == 187
    assert list(locations()) == sorted(locations())
    for name in locations():
        population = load(name)
        assert population.location == name
        assert population.age_from.tolist() == list(range(0, 101, 5))
        assert population.people.shape == population.death_rate.shape == (2, 21)
        assert (population.people >= 0).all()
        assert (population.death_rate > 0).all()
        assert population.share().sum() == pytest.approx(1.0, abs=1e-12)
        female, male = (life_expectancy(rates) for rates in population.death_rate)
        assert 45 < male < female < 90, name


def test_known_values_of_the_un_table() -> None:
    afghanistan = load("Afghanistan")
    assert afghanistan.people[0, :2].tolist() == [3166634, 2805476]
    assert afghanistan.death_rate[1, 3] == 0.00289678
    assert load("Japan").death_rate[0].argmin() in (1, 2)
    assert life_expectancy(load("Japan").death_rate[0]) == pytest.approx(87.6, abs=0.2)
    assert load("Qatar").female_share() == pytest.approx(0.248, abs=0.001)
    assert load("Latvia").female_share() == pytest.approx(0.546, abs=0.001)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("USA", "United States"),
        ("u.s.a.", "United States"),
        ("united states of america", "United States"),
        ("UK", "United Kingdom"),
        ("germany", "Germany"),
        (" Côte d’Ivoire ", "Cote dIvoire"),
        ("Türkiye", "Turkey"),
        ("Viet Nam", "Vietnam"),
        ("Congo", "Congo"),
        ("czechia", "Czech Republic"),
    ],
)
def test_other_names(asked: str, name: str) -> None:
    assert load(asked) is load(name)


def test_aliases_point_at_locations_and_hide_none() -> None:
    assert set(demography.ALIASES) <= set(locations())
    keys = [demography._key(alias) for aliases in demography.ALIASES.values() for alias in aliases]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {demography._key(name) for name in locations()}


def test_unknown_location_names_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'Germany'") as told:
        load("Grmany")
    assert told.value.faults[0].field == "location"


def test_arrays_are_read_only(germany: Demography) -> None:
    for array in (germany.age_from, germany.people, germany.death_rate):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_share_cuts_the_band_of_the_minimum_age(germany: Demography) -> None:
    people = germany.people.copy()
    people[:, :2] = 0
    people[:, 2] *= 3 / 5
    np.testing.assert_allclose(germany.share(12), people / people.sum(), rtol=1e-13)
    assert germany.female_share(12) == pytest.approx(people[0].sum() / people.sum())
    np.testing.assert_allclose(germany.share(0), germany.people / germany.people.sum(), rtol=1e-13)
    assert np.flatnonzero(germany.share(102).sum(axis=0)).tolist() == [20]


def test_age_bounds(germany: Demography) -> None:
    low, high = germany.age_bounds(12)
    assert low.tolist() == [12, 12, 12, *range(15, 101, 5)]
    assert high.tolist() == [12, 12, *range(15, 106, 5)]
    assert germany.age_bounds(101.5)[0][-1] == 101.5
    for bad in (-1, 105, math.nan, math.inf):
        with pytest.raises(InputError, match="from 0 to less than 105"):
            germany.age_bounds(bad)


@pytest.mark.parametrize("start", range(60, 101, 5))
def test_end_of_an_open_band_keeps_its_mean_age(start: int) -> None:
    people = sum(load(name).people.sum(axis=0) for name in locations())
    band = start // 5
    fine = np.average(np.arange(start, 101, 5) + 2.5, weights=people[band:])
    coarse = Demography("coarse", np.array([0, start]), np.ones((2, 2)), np.ones((2, 2)))
    low, high = coarse.age_bounds(0)
    assert (low[1] + high[1]) / 2 == pytest.approx(fine, abs=0.9)


def test_cumulative_draws_the_shares_and_never_an_empty_cell(germany: Demography) -> None:
    running = germany.cumulative(12)
    assert running.shape == (42,)
    np.testing.assert_allclose(np.diff(running, prepend=0), germany.share(12).ravel(), atol=1e-12)
    drawn = np.searchsorted(running, (np.arange(200_000) + 0.5) / 200_000, side="right")
    np.testing.assert_allclose(np.bincount(drawn, minlength=42) / 200_000, germany.share(12).ravel(), atol=1e-5)
    for name in ("Yemen", "Antigua and Barbuda"):  # nobody is 100 or more
        population = load(name)
        last = np.searchsorted(population.cumulative(), np.nextafter(1.0, 0.0), side="right")
        assert population.share().ravel()[last] > 0
        assert population.cumulative()[-1] == 1.0


def test_band_of(germany: Demography) -> None:
    assert germany.band_of([0, 4.99, 5, 99.9, 100, 130]).tolist() == [0, 0, 1, 19, 20, 20]
    adults = Demography("adults", np.array([18, 65]), np.ones((2, 2)), np.ones((2, 2)))
    assert adults.band_of([12, 18, 70]).tolist() == [0, 0, 1]


def test_read_table(table: Path) -> None:
    read = read_table(table)
    assert read.location == "Atlantis"
    assert read.age_from.tolist() == [0, 18, 65]
    assert read.people.tolist() == [[200, 600, 150], [220, 580, 100]]
    assert read.death_rate.tolist() == [[0.001, 0.003, 0.04], [0.002, 0.005, 1.5]]
    assert read.age_bounds(12)[1].tolist() == [18, 65, 85]


def test_read_table_in_any_row_order_and_without_location(table: Path) -> None:
    lines = [line.split(",", 1)[1] for line in TABLE.splitlines()]
    table.write_text("\r\n".join(["\ufeff" + lines[0], "", *reversed(lines[1:]), ",,,,,"]), encoding="utf-8")
    read = read_table(table)
    assert read.location == "atlantis"
    assert read.people.tolist() == [[200, 600, 150], [220, 580, 100]]


def test_marginals_are_met_and_ages_within_them_follow_the_base(germany: Demography) -> None:
    shares = {"65+": 0.25, "18-29": 0.15, "30-64": 0.60}
    built = from_marginals(female_share=0.7, age_shares=shares, base=germany)
    share = built.share(18)
    assert built.female_share(18) == pytest.approx(0.7)
    np.testing.assert_allclose(share[0] / 0.7, share[1] / 0.3)  # sex and age are independent
    by_age = share.sum(axis=0)
    starts = built.age_from
    assert by_age[starts < 18].sum() == 0
    assert by_age[(starts >= 18) & (starts < 30)].sum() == pytest.approx(0.15)
    assert by_age[(starts >= 30) & (starts < 65)].sum() == pytest.approx(0.60)
    assert by_age[starts >= 65].sum() == pytest.approx(0.25)
    base = germany.people.sum(axis=0)
    young = [base[3] * 2 / 5, base[4], base[5]]  # 18-19, 20-24, 25-29
    np.testing.assert_allclose(by_age[(starts >= 18) & (starts < 30)], 0.15 * np.array(young) / sum(young))
    assert built.people.sum() == pytest.approx(germany.people.sum())
    np.testing.assert_array_equal(built.death_rate, germany.death_rate[:, germany.band_of(starts)])


def test_marginals_of_the_base_itself_give_its_ages_back(germany: Demography) -> None:
    share = germany.share(0)
    labels = [f"{start}-{start + 4}" for start in range(0, 100, 5)] + ["100+"]
    ages = dict(zip(labels, share.sum(axis=0), strict=True))
    built = from_marginals(female_share=germany.female_share(0), age_shares=ages, base=germany)
    assert built.age_from.tolist() == germany.age_from.tolist()
    np.testing.assert_allclose(built.share(0).sum(axis=0), share.sum(axis=0), rtol=1e-12)


def test_marginals_are_divided_by_their_sum_within_the_tolerance(germany: Demography) -> None:
    built = from_marginals(female_share=0.5, age_shares={"18–39": 0.333, "40-59": 0.333, "60 +": 0.333}, base=germany)
    assert built.share(18).sum(axis=0)[built.age_from >= 60].sum() == pytest.approx(1 / 3)


def test_marginals_where_the_base_has_nobody_are_even() -> None:
    adults = Demography("adults", np.array([18, 65]), np.full((2, 2), 10.0), np.array([[0.1, 0.2], [0.3, 0.4]]))
    built = from_marginals(female_share=0.5, age_shares={"12-17": 0.2, "18-59": 0.5, "60+": 0.3}, base=adults)
    assert built.age_from.tolist() == [12, 18, 60, 65]
    assert built.share(12).sum(axis=0)[:2] == pytest.approx([0.2, 0.5])
    assert built.death_rate[0].tolist() == [0.1, 0.1, 0.1, 0.2]
    across = from_marginals(female_share=0.5, age_shares={"12-64": 0.7, "65+": 0.3}, base=adults)
    assert across.share(12).sum(axis=0)[:2] == pytest.approx([0.0, 0.7])  # the base knows where they are: none below 18

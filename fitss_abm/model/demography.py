"""Who there is: people and death rates by age and sex, from the UN's table or the user's own.

Source of the packaged table: United Nations, DESA, Population Division (2024), World Population Prospects 2024, year
2020, CC BY 3.0 IGO. An age is in years and exact: the band 10-14 holds the ages from 10 up to, but not including, 15.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fitss_abm.errors import Fault, Faults, InputError, nearest_name
from fitss_abm.model.demography_table import SEXES, check_bands, is_share, read_age_shares, read_rows

MINIMUM_AGE = 12.0
"""Years. The youngest person who is simulated."""
OLDEST_AGE = 105.0
"""Years. Where the open band 100+ is taken to end."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALIASES: dict[str, tuple[str, ...]] = {
    "Bahamas": ("The Bahamas",),
    "Bolivia": ("Bolivia (Plurinational State of)",),
    "Brunei": ("Brunei Darussalam",),
    "Cabo Verde": ("Cape Verde",),
    "China": ("People's Republic of China", "PRC"),
    "Congo": ("Republic of the Congo", "Congo-Brazzaville"),
    "Cote dIvoire": ("Ivory Coast",),
    "Czech Republic": ("Czechia",),
    "Democratic Republic of the Congo": ("DR Congo", "DRC", "Congo-Kinshasa"),
    "Eswatini": ("Swaziland",),
    "Gambia": ("The Gambia",),
    "Hong Kong": ("China, Hong Kong SAR", "Hong Kong SAR"),
    "Iran": ("Iran (Islamic Republic of)",),
    "Laos": ("Lao People's Democratic Republic", "Lao PDR"),
    "Macao": ("Macau", "China, Macao SAR", "Macao SAR"),
    "Moldova": ("Republic of Moldova",),
    "Myanmar": ("Burma",),
    "Netherlands": ("The Netherlands", "Holland"),
    "North Korea": ("Dem. People's Republic of Korea", "Democratic People's Republic of Korea", "DPRK"),
    "North Macedonia": ("Macedonia",),
    "Palestine": ("State of Palestine",),
    "Russia": ("Russian Federation",),
    "South Korea": ("Republic of Korea", "Korea"),
    "Syrian Arab Republic": ("Syria",),
    "Taiwan": ("China, Taiwan Province of China",),
    "Tanzania": ("United Republic of Tanzania",),
    "Timor-Leste": ("East Timor",),
    "Turkey": ("Türkiye",),
    "United Arab Emirates": ("UAE",),
    "United Kingdom": ("UK", "Great Britain", "Britain", "GB"),
    "United States": ("USA", "US", "United States of America", "America"),
    "Venezuela": ("Venezuela (Bolivarian Republic of)",),
}
"""Other names of a location, by what the table calls it. Case, accents, spaces and punctuation do not count."""


@dataclass(frozen=True, eq=False)
class Demography:
    """Age-sex structure and mortality of one population. The arrays are read-only; row 0 is female, row 1 male."""

    location: str
    age_from: Ints
    """(bands,) years: where each band starts. It ends where the next one starts; the last band is open."""
    people: Floats
    """(2, bands) persons."""
    death_rate: Floats
    """(2, bands) deaths per person-year."""

    def __post_init__(self) -> None:
        for name, dtype in (("age_from", np.int64), ("people", np.float64), ("death_rate", np.float64)):
            array = np.array(getattr(self, name), dtype=dtype)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def age_bounds(self, minimum_age: float = MINIMUM_AGE) -> tuple[Floats, Floats]:
        """(low, high), each (bands,) in years: the ages of a band's people aged `minimum_age` or more; equal if none.

        The open band has an end, so that ages can be drawn evenly within it: 105 when it starts at 100, like the UN's.
        One that starts at `s` < 95 ends at s + (105 - s)/2: over all locations together, for `s` from 60 on, this
        puts the mean age of its people within 0.9 year of what the UN's finer bands give.
        """
        start = float(self.age_from[-1])
        end = start + max(5.0, (OLDEST_AGE - start) / 2)
        if not 0 <= minimum_age < end:
            raise InputError([Fault("minimum_age", minimum_age, f"must be from 0 to less than {end:g} years")])
        low = np.maximum(self.age_from.astype(np.float64), minimum_age)
        return low, np.maximum(np.append(self.age_from[1:], end), low)

    def share(self, minimum_age: float = MINIMUM_AGE) -> Floats:
        """(2, bands): each cell's share of the people aged `minimum_age` (years) or more; sums to 1.

        Of the band that `minimum_age` cuts, people count in proportion. Raises InputError when nobody is that old.
        """
        low, high = self.age_bounds(minimum_age)
        full_low, full_high = self.age_bounds(0.0)
        people = self.people * ((high - low) / (full_high - full_low))
        total = math.fsum(people.ravel())  # exactly rounded: the same bits on every machine
        if not total > 0:
            raise InputError(
                [Fault("population", total, f"nobody in '{self.location}' is aged {minimum_age:g} or more")]
            )
        return np.asarray(people / total)

    def cumulative(self, minimum_age: float = MINIMUM_AGE) -> Floats:
        """(2 * bands,): running sum of `share`, women's bands first; exactly 1 from the last cell that has anybody.

        For a uniform u in [0, 1), `numpy.searchsorted(cumulative, u, side="right")` is sex * bands + band.
        """
        share = self.share(minimum_age).ravel()
        running = np.cumsum(share)
        running[np.flatnonzero(share)[-1] :] = 1.0
        return np.minimum(running, 1.0)

    def female_share(self, minimum_age: float = MINIMUM_AGE) -> float:
        """Share of women and girls among the people aged `minimum_age` or more."""
        return math.fsum(self.share(minimum_age)[0])

    def band_of(self, ages: npt.ArrayLike) -> Ints:
        """The band of each age (years), shaped as `ages`; an age below the first band counts to it."""
        return np.asarray(np.maximum(np.searchsorted(self.age_from, ages, side="right") - 1, 0), dtype=np.int64)


def locations() -> tuple[str, ...]:
    """The 187 locations of the packaged table, in alphabetical order."""
    return tuple(_packaged())


def load(location: str, *, minimum_age: float = MINIMUM_AGE) -> Demography:
    """The packaged population called `location` or one of its ALIASES. Raises InputError for an unknown name."""
    name = _by_key().get(_key(str(location)))
    if name is None:
        nearest = nearest_name(str(location), locations())
        raise InputError([Fault("location", location, "no such location in the UN table", nearest=nearest)])
    return _with_people(_packaged()[name], minimum_age)


def read_table(path: str | Path, *, minimum_age: float = MINIMUM_AGE) -> Demography:
    """The population in the user's CSV: one row a sex and age band, in any order, bands of any width.

    Columns: sex (female, male), age_from and age_to (years, both included; age_to empty in the last band), population
    (persons), death_rate_per_person_year, and if wanted location. Other columns are left unread.
    Raises InputError with everything that is wrong with the table, by line.
    """
    path = Path(path)
    faults = Faults(file=str(path))
    rows, location = read_rows(path, faults)
    if rows:
        check_bands(rows, faults)
    faults.raise_if_any()
    starts = sorted({int(row.age_from or 0) for row in rows})
    people, death_rate = np.zeros((2, len(starts))), np.zeros((2, len(starts)))
    for row in rows:
        cell = SEXES.index(str(row.sex)), starts.index(int(row.age_from or 0))
        people[cell], death_rate[cell] = row.people, row.death_rate
    return _with_people(Demography(location, np.array(starts), people, death_rate), minimum_age, str(path))


def from_marginals(
    *,
    female_share: float,
    age_shares: Mapping[str, float],
    base: Demography,
    minimum_age: float = MINIMUM_AGE,
    file: str | None = None,
) -> Demography:
    """A population from a share of women and shares by age, such as {"18-29": 0.2, "30-64": 0.6, "65+": 0.2}.

    Sex and age are taken as independent. Within a band the ages are spread as in `base` (evenly where it has nobody);
    there is nobody outside the bands. Death rates are those of `base`, by sex and age, and so is the number of people.
    Bands must not overlap or leave gaps, and shares must sum to 1 within 0.005; they are then divided by their sum.
    Raises InputError with every fault, naming `file` where one is given.
    """
    faults = Faults(file=file)
    if not is_share(female_share):
        faults.add("female_share", female_share, "must be a number from 0 to 1")
    bands = read_age_shares(age_shares, faults)
    low, high = base.age_bounds(0.0)
    for start, _, share in bands:
        if start >= high[-1] and share > 0:
            faults.add("age_shares", f"{start:g}", f"starts after the oldest age in '{base.location}', {high[-1]:g}")
    faults.raise_if_any()

    edges = {edge for band in bands for edge in band[:2] if edge < high[-1]}
    starts = np.array(sorted(edges.union(low.tolist())))
    ends = np.append(starts[1:], high[-1])
    source = base.band_of(starts)
    by_age = base.people.sum(axis=0)
    density = np.where(starts < low[0], 0.0, by_age[source] / (high - low)[source])
    people = np.zeros(len(starts))
    for start, end, share in bands:
        inside = (starts >= start) & (starts < end)
        weights = np.where(inside, density * (ends - starts), 0.0)
        if not weights.any():
            weights = np.where(inside, ends - starts, 0.0)
        people += share * weights / max(math.fsum(weights), np.finfo(np.float64).tiny)
    people *= math.fsum(by_age) / math.fsum(people)
    both = np.outer([female_share, 1.0 - female_share], people)
    built = Demography(f"{base.location}, own age and sex shares", starts, both, base.death_rate[:, source])
    return _with_people(built, minimum_age, file)


def _with_people(demography: Demography, minimum_age: float, file: str | None = None) -> Demography:
    """`demography`, once it is known that somebody in it is old enough to be simulated."""
    try:
        demography.share(minimum_age)
    except InputError as error:
        raise InputError(replace(fault, file=file) for fault in error.faults) from None
    return demography


@functools.cache
def _packaged() -> dict[str, Demography]:
    """The UN table by location; it is read once, and its shape is assured by the tests, not here."""
    cells: dict[str, dict[str, list[tuple[int, float, float]]]] = {}
    source = importlib.resources.files("fitss_abm") / "data" / "demography.csv"
    with source.open(encoding="utf-8") as file:
        for location, sex, age_from, _, people, rate in islice(csv.reader(file), 1, None):
            by_sex = cells.setdefault(location, {name: [] for name in SEXES})
            by_sex[sex].append((int(age_from), float(people), float(rate)))
    tables = {}
    for location, by_sex in cells.items():
        grid = np.array([by_sex[sex] for sex in SEXES])
        tables[location] = Demography(location, grid[0, :, 0], grid[:, :, 1], grid[:, :, 2])
    return tables


@functools.cache
def _by_key() -> dict[str, str]:
    keys = {_key(alias): name for name, aliases in ALIASES.items() for alias in aliases}
    return keys | {_key(name): name for name in _packaged()}


def _key(name: str) -> str:
    """The letters and digits of `name` in lower case and without accents."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())

"""What a run estimates: prevalence, sex ratio, incidence, comorbidity, numbers of conditions, standardised prevalence.

Each is a tidy table with a 95 % interval that says how far chance in a population of this size reaches. It does not say
how far the model is from the world. In `sex` and `age_group` "all" marks totals; every other row is a stratum of its
own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.measurement.observers import AGE_GROUPS, SEXES, Counts
from fitss_abm.model.conditions import Catalogue
from fitss_abm.study.intervals import log_normal_ratio, odds_ratio, poisson_rate, tetrachoric, wilson

ALL = "all"
_SEXES, _AGES = (*SEXES, ALL), (*AGE_GROUPS, ALL)
_PER_1000 = 1000.0
_DAYS_IN_YEAR = 365.25

Run = Mapping[str, Any]
"""What marks every row of a run's tables: its `scenario` (name) and `replicate`."""


def prevalence(counts: Counts, catalogue: Catalogue, *, run: Run) -> pd.DataFrame:
    """Point prevalence: scenario, replicate, date, condition, sex, age_group, people, cases, prevalence, low, high.

    `people` are those eligible: of the condition's sex and age, and before menopause where it ends there, so that "all"
    is all women for a condition of women alone. Wilson intervals; NaN where nobody is eligible.
    """
    people, cases = _totals(counts.eligible), _totals(counts.cases)
    frame = _grid(run, counts, counts.dates, people, cases)
    return _proportions(_possible(frame, catalogue))


def period_prevalence(counts: Counts, catalogue: Catalogue, *, run: Run) -> pd.DataFrame:
    """As `prevalence`, with a column `period`: "12 months" (held at some time in the last nine to twelve) or "ever".

    For the dates that have pairs (the first, each 1 January, the last).
    """
    chosen = [counts.dates.index(date) for date in counts.pair_dates]
    people = _totals(counts.eligible[chosen])
    frames = []
    for period, cases in (("12 months", counts.recent[chosen]), ("ever", counts.ever[chosen])):
        frame = _grid(run, counts, counts.pair_dates, people, _totals(cases))
        frame.insert(list(frame.columns).index("condition"), "period", period)
        frames.append(frame)
    return _proportions(_possible(pd.concat(frames, ignore_index=True), catalogue))


def sex_ratio(counts: Counts, catalogue: Catalogue, *, run: Run) -> pd.DataFrame:
    """Female-to-male prevalence ratio, crude (`standardised` False) and standardised for age to the adults of the first
    day.

    scenario, replicate, date, condition, standardised, women, men, ratio, low, high; `women` and `men` are the
    prevalences. Log-normal intervals; NaN where a sex has no cases. Conditions of one sex are left out.
    """
    shared = [
        k for k, id in enumerate(counts.conditions) if catalogue[id].sex is None and not catalogue[id].until_menopause
    ]
    n, x = (values[..., shared].astype(np.float64) for values in (counts.eligible, counts.cases))  # (T, 2, ages, C)
    first_day = np.where((n > 0).all(axis=1, keepdims=True), n[:1].sum(axis=1, keepdims=True), 0.0)
    frames = []
    for standardised in (False, True):
        if standardised:
            p, variance = _weighted(x, n, first_day)
        else:
            p, variance = _weighted(x.sum(axis=2, keepdims=True), n.sum(axis=2, keepdims=True), np.ones((1, 1, 1, 1)))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio, low, high = log_normal_ratio(p[:, 0], p[:, 1], (variance / p**2).sum(axis=1))
        ids = [counts.conditions[k] for k in shared]
        frame = _marked(run, date=_dates(counts.dates), condition=ids)
        numbers = {"women": p[:, 0], "men": p[:, 1], "ratio": ratio, "low": low, "high": high}
        frames.append(frame.assign(standardised=standardised, **{name: v.ravel() for name, v in numbers.items()}))
    return pd.concat(frames, ignore_index=True)


def incidence(counts: Counts, catalogue: Catalogue, *, run: Run) -> pd.DataFrame:
    """New cases by calendar year of the run.

    scenario, replicate, start, date, condition, sex, age_group, onset, new_cases, person_years, rate, low, high. From
    `start` up to, not including, `date`. `onset` is "first" (of a life, among those who never had the condition) or
    "any" (among those without it now). Rates are per 1000 person-years, with exact Poisson intervals. Person-years are
    the mean of the numbers at risk at the two ends of each month times its length.
    """
    edges = [k for k, date in enumerate(counts.dates) if date in counts.pair_dates]
    days = np.diff([date.toordinal() for date in counts.dates])
    frames = []
    for onset, events, had in (("first", counts.first_onsets, counts.ever), ("any", counts.episodes, counts.cases)):
        at_risk = _totals(counts.eligible - had)
        person_days = (at_risk[1:] + at_risk[:-1]) / 2 * days[:, None, None, None]
        new, years = _totals(events)[1:], person_days / _DAYS_IN_YEAR
        spans = list(pairwise(edges))
        sums = [np.stack([part[a:b].sum(axis=0) for a, b in spans]) if spans else part[:0] for part in (new, years)]
        ends = [counts.dates[k] for k in edges[1:]]
        frame = _grid(run, counts, ends, sums[1], sums[0]).rename(
            columns={"people": "person_years", "cases": "new_cases"}
        )
        starts = _dates([counts.dates[k] for k in edges[:-1]])
        frame.insert(list(frame.columns).index("date"), "start", np.repeat(starts, len(frame) // max(len(starts), 1)))
        frame.insert(list(frame.columns).index("person_years"), "onset", onset)
        frames.append(frame)
    frame = _possible(pd.concat(frames, ignore_index=True), catalogue)
    rate, low, high = poisson_rate(frame["new_cases"], frame["person_years"] / _PER_1000)
    last = ["new_cases", "person_years"]
    return frame[[*(c for c in frame.columns if c not in last), *last]].assign(rate=rate, low=low, high=high)


def comorbidity(counts: Counts, catalogue: Catalogue, *, run: Run) -> pd.DataFrame:
    """Pairs of the family's conditions, as far as they go together.

    scenario, replicate, date, condition_a, condition_b, people, cases_a, cases_b, both, odds_ratio, low, high,
    tetrachoric. Among adults eligible for both. Woolf intervals, with a half in each cell where one is empty; NaN where
    nobody has one.
    """
    members = [k for k, id in enumerate(counts.conditions) if catalogue[id].family]
    above = np.triu_indices(len(members), 1)
    a, b = np.array(members, dtype=np.int64)[above[0]], np.array(members, dtype=np.int64)[above[1]]
    ids = np.array(counts.conditions, dtype=object)
    people, held, both = (counts.pairs[:, part] for part in range(3))
    table = {"people": people[:, a, b], "cases_a": held[:, a, b], "cases_b": held[:, b, a], "both": both[:, a, b]}
    numbers = {name: values.ravel() for name, values in table.items()}
    odds, low, high = odds_ratio(numbers["both"], numbers["cases_a"], numbers["cases_b"], numbers["people"])
    correlation = tetrachoric(numbers["both"], numbers["cases_a"], numbers["cases_b"], numbers["people"])
    dates, first, second = (
        np.repeat(_dates(counts.pair_dates), len(a)),
        np.tile(ids[a], len(people)),
        np.tile(ids[b], len(people)),
    )
    frame = pd.DataFrame({"date": dates, "condition_a": first, "condition_b": second} | numbers)
    return _with_run(run, frame).assign(odds_ratio=odds, low=low, high=high, tetrachoric=correlation)


def condition_numbers(counts: Counts, *, run: Run) -> pd.DataFrame:
    """Adults by number of conditions: scenario, replicate, date, sex, age_group, conditions, people, adults, share,
    low, high.

    Counted are those of the catalogue's `counted`, fibromyalgia and chronic widespread pain as one; rows end at the
    greatest number that anybody has.
    """
    by_number = _totals(counts.numbers)
    most = int(np.flatnonzero(by_number.any(axis=(0, 1, 2))).max(initial=0))
    by_number = by_number[..., : most + 1]
    frame = _marked(run, date=_dates(counts.dates), sex=_SEXES, age_group=_AGES, conditions=range(most + 1))
    frame = frame.assign(people=by_number.ravel(), adults=np.repeat(by_number.sum(axis=-1).ravel(), most + 1))
    share, low, high = wilson(frame["people"], frame["adults"])
    return frame.assign(share=share, low=low, high=high)


def standardise(table: pd.DataFrame, *, structure: pd.DataFrame) -> pd.DataFrame:
    """Prevalence as it would be in a population of the given age and sex: the direct method.

    `table`: rows of `prevalence`. `structure`: sex, age_group, people (or any weight), as `structure_on` gives. The
    result has one row for every scenario, replicate, date, condition (and period) of the table, with prevalence, low,
    high: Wilson's interval for as many people as would give the estimate's variance. Cells in which nobody is eligible
    are left out.
    """
    keys = [name for name in ("scenario", "replicate", "date", "period", "condition") if name in table.columns]
    cells = table[(table["sex"] != ALL) & (table["age_group"] != ALL) & (table["people"] > 0)]
    weight = structure[["sex", "age_group", "people"]].rename(columns={"people": "weight"})
    cells = cells.merge(weight, on=["sex", "age_group"], validate="m:1")
    share = cells["weight"] / cells.groupby(keys, sort=False)["weight"].transform("sum")
    p = cells["cases"] / cells["people"]
    parts = {"prevalence": share * p, "variance": share**2 * p * (1 - p) / cells["people"]}
    sums = (
        cells[keys]
        .assign(people=cells["people"], cases=cells["cases"], **parts)
        .groupby(keys, sort=False)
        .sum()
        .reset_index()
    )
    mean = sums["prevalence"]
    effective = np.where(
        sums["variance"] > 0, mean * (1 - mean) / sums["variance"].where(sums["variance"] > 0), sums["people"]
    )
    _, low, high = wilson(mean * effective, effective)
    return sums[[*keys, "people", "cases", "prevalence"]].assign(low=low, high=high)


def structure_on(counts: pd.DataFrame, *, date: Any = None) -> pd.DataFrame:
    """Adults by sex and age_group on a date (the first if none is given), from the table of `condition_numbers`."""
    dates = pd.to_datetime(counts["date"])
    rows = counts[(dates == (dates.min() if date is None else pd.Timestamp(date))) & (counts["conditions"] == 0)]
    rows = rows[(rows["sex"] != ALL) & (rows["age_group"] != ALL)]
    return rows[["sex", "age_group", "adults"]].rename(columns={"adults": "people"}).reset_index(drop=True)


def _weighted(x: NDArray[Any], n: NDArray[Any], weights: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Weighted mean over ages (axis 2) of the proportions x / n, and its binomial variance; NaN where no weight is."""
    p = np.divide(x, n, out=np.zeros_like(n), where=n > 0)
    variance = np.divide(p * (1 - p), n, out=np.zeros_like(n), where=n > 0)
    weights = np.where(n > 0, weights, 0.0)
    total = weights.sum(axis=2)
    total = np.where(total > 0, total, np.nan)
    return (weights * p).sum(axis=2) / total, (weights**2 * variance).sum(axis=2) / total**2


def _totals(values: NDArray[Any]) -> NDArray[Any]:
    """(T, 2, 15, C) with a last entry for all added to sexes and ages: (T, 3, 16, C). Unknown (-1) stays so."""
    unknown = values.shape[0] and (values < 0).any(axis=(1, 2, 3))
    for axis in (1, 2):
        values = np.concatenate([values, values.sum(axis=axis, keepdims=True)], axis=axis)
    if np.any(unknown):
        values[unknown] = -1
    return values


def _dates(dates: Sequence[Any]) -> NDArray[np.datetime64]:
    return np.array(dates, dtype="datetime64[s]")


def _marked(run: Run, **levels: Sequence[Any] | NDArray[Any]) -> pd.DataFrame:
    """A row for each combination of levels, the last varying fastest, after the run's own columns."""
    index = pd.MultiIndex.from_product(list(levels.values()), names=list(levels))
    return _with_run(run, index.to_frame(index=False))


def _with_run(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    frame.insert(0, "scenario", run["scenario"])
    frame.insert(1, "replicate", run["replicate"])
    return frame


def _grid(run: Run, counts: Counts, dates: Sequence[Any], people: NDArray[Any], cases: NDArray[Any]) -> pd.DataFrame:
    """Rows by date, condition, sex and age_group of arrays (T, 3, 16, C)."""
    frame = _marked(run, date=_dates(dates), condition=counts.conditions, sex=_SEXES, age_group=_AGES)
    return frame.assign(people=np.moveaxis(people, -1, 1).ravel(), cases=np.moveaxis(cases, -1, 1).ravel())


def _possible(frame: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """Without the rows of the sex that cannot have a condition."""
    only = frame["condition"].map({c.id: c.sex for c in catalogue.conditions if c.sex is not None})
    return frame[only.isna() | (frame["sex"] == ALL) | (frame["sex"] == only)].reset_index(drop=True)


def _proportions(frame: pd.DataFrame) -> pd.DataFrame:
    share, low, high = wilson(frame["cases"], frame["people"])
    return frame.assign(prevalence=share, low=low, high=high)

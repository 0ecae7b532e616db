"""The table of effects: prevalence of each arm, what an alternative changes and averts, for whom, through whom, at what cost.

One row an estimate: scenario, estimand, condition, sex, age_group, subgroup, date, value, low, high, monte_carlo_error, runs, unit.
What is averted is above 0 when the alternative is better. Years, incidence and costs count from the first day to `date`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.measurement.arm_tally import AGES, ANY
from fitss_abm.measurement.observers import SEXES
from fitss_abm.study.effect_people import people_rows, people_table
from fitss_abm.study.effect_runs import ALL, COLUMNS, PER, Arm, Floats, Rows, arms_of, share
from fitss_abm.study.effects import jackknife_of, log_ratio_of, needed_to_treat
from fitss_abm.study.scenario import Scenario

_SEXES = {ALL: slice(None), SEXES[0]: slice(0, 1), SEXES[1]: slice(1, 2)}


def tables(
    scenarios: Sequence[Scenario], results: Sequence[Mapping[str, Any]], replicates: int, draws: int | None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Effects, effects on people, and programmes, from the results of all runs in order."""
    arms, rows = arms_of(results, replicates, draws), Rows(draws is not None)
    dates = [np.datetime64(date, "s") for date in results[0]["dates"]]
    baseline = arms[0]
    for arm in arms:
        _prevalences(rows, arm, baseline, dates)
        if arm is not baseline:
            _averted(rows, arm, baseline, dates)
            _sexes(rows, arm, baseline, dates[-1])
            _standardised(rows, arm, baseline, dates[-1])
            _costs(rows, arm, baseline, dates[-1])
            people_rows(rows, arm, dates[-1])
    effects = pd.DataFrame(rows.found, columns=pd.Index(COLUMNS))
    return effects, people_table(arms), _programmes(arms)


def _prevalence(arm: Arm, condition: str, sex: str, date: int | None = None) -> Floats:
    """Cases per 1000 of those who can have it: (runs, dates) or (runs,)."""
    which = _SEXES[sex]
    parts = [arm.at(name, condition)[:, :, which].sum(axis=(2, 3)) for name in ("cases", "eligible")]
    p = share(parts[0], parts[1]) * PER
    return p if date is None else np.asarray(p[:, date])


def _prevalences(rows: Rows, arm: Arm, baseline: Arm, dates: Sequence[Any]) -> None:
    name = arm.name
    for condition in (one for one in arm.conditions if one in baseline.conditions):
        for sex in _SEXES:
            here, there = (_prevalence(one, condition, sex) for one in (arm, baseline))
            where = {"condition": condition, "sex": sex}
            for k, date in enumerate(dates):
                if np.isnan(here[:, k]).any():
                    continue
                rows.add(name, "prevalence", rows.mean(here[:, k]), "per 1000 adults", date, **where)
                if arm is baseline:
                    continue
                rows.add(name, "risk_difference", rows.mean(here[:, k] - there[:, k]), "per 1000 adults", date, **where)
            if arm is not baseline and not np.isnan(here[:, -1]).any():
                ratio = log_ratio_of(here[:, -1], there[:, -1], drawn=rows.drawn)
                rows.add(name, "risk_ratio", ratio, "ratio", dates[-1], **where)
        if arm is not baseline:
            for band, age in enumerate(AGES):
                parts = [
                    share(*(one.at(what, condition)[:, -1, :, band].sum(axis=1) for what in ("cases", "eligible")))
                    * PER
                    for one in (arm, baseline)
                ]
                if not np.isnan(parts[0]).any():
                    made = rows.mean(parts[0] - parts[1])
                    rows.add(
                        name, "risk_difference", made, "per 1000 adults", dates[-1], condition=condition, age_group=age
                    )


def _averted(rows: Rows, arm: Arm, baseline: Arm, dates: Sequence[Any]) -> None:
    """Incidence, years with a condition and years of disability that are averted from the first day to each date."""
    name = arm.name
    for condition in (one for one in arm.conditions if one in baseline.conditions):
        for sex, which in _SEXES.items():
            sums = [
                {
                    what: one.at(what, condition)[:, :, which].sum(axis=(2, 3)).cumsum(axis=1)
                    for what in ("onsets", "risk_years", "case_years")
                }
                for one in (arm, baseline)
            ]
            rates = [share(each["onsets"], each["risk_years"]) * PER for each in sums]
            years = [
                each["case_years"] / one.adults[:, None] * PER for each, one in zip(sums, (arm, baseline), strict=True)
            ]
            where = {"condition": condition, "sex": sex}
            shown = range(1, len(dates)) if condition == ANY else range(len(dates) - 1, len(dates))
            for k in shown:
                if not np.isnan(rates[0][:, k]).any():
                    made = rows.mean(rates[1][:, k] - rates[0][:, k])
                    rows.add(name, "incidence_averted", made, "first onsets per 1000 person-years", dates[k], **where)
                made = rows.mean(years[1][:, k] - years[0][:, k])
                rows.add(name, "case_years_averted", made, "person-years per 1000 adults", dates[k], **where)
    for sex, which in _SEXES.items():
        lost = [_disability(one, which) for one in (arm, baseline)]
        for k in range(1, len(dates)):
            made = rows.mean(lost[1][:, k] - lost[0][:, k])
            rows.add(name, "yld_averted", made, "years lived with disability per 1000 adults", dates[k], sex=sex)


def _disability(arm: Arm, which: slice = _SEXES[ALL]) -> Floats:
    """Years lived with disability from the first day on per 1000 adults of it: (runs, dates)."""
    years = arm.table["disability_years"][:, :, which].sum(axis=(2, 3)).cumsum(axis=1)
    return np.asarray(years / arm.adults[:, None] * PER)


def _sexes(rows: Rows, arm: Arm, baseline: Arm, date: Any) -> None:
    """Women's prevalence over men's in each arm, and how much it changes."""
    for condition in (one for one in arm.conditions if one in baseline.conditions):
        each = [_prevalence(one, condition, sex, -1) for one in (arm, baseline) for sex in SEXES]
        if any(np.isnan(one).any() or not one.any() for one in each):
            continue
        for one, parts in ((arm, each[:2]), (baseline, each[2:])):
            known = any(
                row["scenario"] == one.name and row["estimand"] == "sex_ratio" and row["condition"] == condition
                for row in rows.found
            )
            if not known:
                ratio = log_ratio_of(*parts, drawn=rows.drawn)
                rows.add(one.name, "sex_ratio", ratio, "women : men", date, condition=condition)
        change = jackknife_of(_change, *each, drawn=rows.drawn)
        rows.add(arm.name, "sex_ratio_change", change, "difference of ratios", date, condition=condition)


def _change(women: float, men: float, women_before: float, men_before: float) -> float:
    return women / men - women_before / men_before if men and men_before else float("nan")


def _standardised(rows: Rows, arm: Arm, baseline: Arm, date: Any) -> None:
    """Risk differences in a population of the sexes and ages that the baseline arm has on its first day."""
    for condition in (one for one in arm.conditions if one in baseline.conditions):
        eligible = [one.at("eligible", condition)[:, -1] for one in (arm, baseline)]
        weight = np.where((eligible[0] > 0) & (eligible[1] > 0), baseline.at("eligible", condition)[:, 0], 0.0)
        if not weight.sum(axis=(1, 2)).all():
            continue
        p = [
            np.nan_to_num(share(one.at("cases", condition)[:, -1], n))
            for one, n in zip((arm, baseline), eligible, strict=True)
        ]
        made = rows.mean(((p[0] - p[1]) * weight).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)) * PER)
        rows.add(arm.name, "risk_difference_standardised", made, "per 1000 adults", date, condition=condition)


def _costs(rows: Rows, arm: Arm, baseline: Arm, date: Any) -> None:
    """People started, costs, and what they buy; nothing where neither arm has a programme."""
    if not any(run for one in (arm, baseline) for run in one.programmes):
        return
    name = arm.name
    started, cost = (arm.summed(what) - baseline.summed(what) for what in ("started", "discounted"))
    rows.add(name, "started", rows.mean(started), "people per 1000 adults", date)
    spent = rows.mean(cost)
    if not baseline.summed("discounted").any():
        spent = replace(spent, low=max(spent.low, 0.0))  # what is given costs no less than nothing
    rows.add(name, "cost", spent, "int. dollars per 1000 adults, discounted", date)
    years = _disability(baseline)[:, -1] - _disability(arm)[:, -1]
    rows.add(name, "cost_per_yld_averted", rows.ratio(cost, years), "int. dollars per year", date)
    cases = [one.at("case_years", ANY).sum(axis=(1, 2, 3)) / one.adults * PER for one in (baseline, arm)]
    made = rows.ratio(cost, cases[0] - cases[1])
    rows.add(name, "cost_per_case_year_averted", made, "int. dollars per person-year", date, condition=ANY)
    if started.mean() > 0:
        for condition in (one for one in arm.conditions if one in baseline.conditions):
            held = [one.at("cases", condition)[:, -1].sum(axis=(1, 2)) / one.adults * PER for one in (baseline, arm)]
            made = needed_to_treat(started, held[0] - held[1], drawn=rows.drawn)
            rows.add(name, "number_needed_to_treat", made, "people started per case fewer", date, condition=condition)


def _programmes(arms: Sequence[Arm]) -> pd.DataFrame:
    """Each programme of each arm: means over runs."""
    rows = [{"scenario": arm.name, **dict(one)} for arm in arms for run in arm.programmes for one in run]
    names = ["scenario", "programme", "offered", "screened", "started", "person_weeks", "cost", "discounted"]
    table = pd.DataFrame(rows, columns=pd.Index(names))
    return table.groupby(names[:2], sort=False, as_index=False).mean()

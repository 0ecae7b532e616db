"""What an alternative does, in plain sentences with numbers and intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from fitss_abm.model.conditions import shipped
from fitss_abm.study.effects import Estimate, advice
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.what_if import Comparison

SPOKEN = ("any", "fibromyalgia", "chronic_widespread_pain", "chronic_pain")
"""Conditions of which sentences speak."""
GROUPS_SPOKEN = ("sex", "age", "adversity", "loneliness", "symptoms", "conditions")


def name_of(condition: str) -> str:
    """A condition as a sentence says it."""
    if condition == "any":
        return "any condition of the family"
    catalogue = shipped()
    label = catalogue[condition].label if condition in catalogue.bit else condition.replace("_", " ")
    label = label.split(" (")[0].split(" / ")[0]
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def said(value: float) -> str:
    """Three figures, thousands apart."""
    size = abs(value)
    if not math.isfinite(value):
        return "–"
    if size >= 1000:
        digits = -max(int(math.log10(size)) - 2, 0)
        return f"{round(value, digits):,.0f}"
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    return f"{value:.{digits}f}" if size else "0"


def between(row: Any) -> str:
    """The interval in words."""
    low, high = float(row["low"]), float(row["high"])
    if math.isnan(low) or math.isnan(high):
        return "no interval from a single run"
    if math.isinf(low) or math.isinf(high):
        return "95 %: without bounds, since the benefit cannot be told from none"
    return f"95 % {said(low)} to {said(high)}"


def estimate_of(row: Any) -> Estimate:
    """A row of the table as an estimate."""
    return Estimate(
        float(row["value"]), float(row["low"]), float(row["high"]), float(row["monte_carlo_error"]), int(row["runs"])
    )


def differences(scenario: Scenario, base: Scenario) -> str:
    """What of a scenario differs from another, as the file says it."""
    from fitss_abm.study.toml_text import toml_value

    other = base.model_dump()
    changed = {name: value for name, value in scenario.differences(base).items() if name != "name"}
    parts = []
    for name, value in changed.items():
        if value in ((), {}, None):
            parts.append(f"no {name}")
        elif isinstance(value, dict) and isinstance(other[name], dict):
            new = {key: one for key, one in value.items() if other[name].get(key) != one}
            gone = [f"{name}.{key} as shipped" for key in other[name] if key not in value]
            parts += [*(f"{name}.{key} = {toml_value(one)}" for key, one in new.items()), *gone]
        else:
            parts.append(f"{name} = {toml_value(value)}")
    return "; ".join(parts) or "nothing"


def head(found: Comparison) -> str:
    """What was done."""
    how = f"{found.replicates} run{'s' if found.replicates > 1 else ''}"
    if found.draws:
        how += f" at each of {found.draws} draws of the posterior (intervals hold 95 % of draws)"
    base = found.baseline
    pair = "each with all arms in the same people with the same luck" if not found.unpaired else "arms as told below"
    return f"{how} of {base.people:,} people for {years_said(base)} from {base.start}, {pair}; seed {base.seed}"


def years_said(scenario: Scenario) -> str:
    """How long a scenario lasts."""
    return "1 year" if scenario.years == 1 else f"{scenario.years:g} years"


def sentences(found: Comparison, name: str) -> Iterator[str]:
    """What the alternative of this name does, against the baseline."""
    years = years_said(found.baseline)
    if name in found.unpaired:
        yield "This arm does not hold the same people as the baseline, so chance between populations is in every number"
    yield from (f"After {years} {line}" for line in _prevalences(found, name))
    lost = found.row("yld_averted", name, condition="all")
    if lost is not None:
        yield f"In {years} {_lost(found, lost)}"
    yield from _peak(found, name)
    yield from _sexes(found, name)
    yield from _treated(found, name)
    yield from _cost(found, name)
    yield from _through_whom(found, name)
    yield from _for_whom(found, name)
    yield from _luck(found, name)


def _unsure(found: Comparison, what: str, value: str, row: pd.Series) -> str:
    """A difference whose interval holds 0: chance alone may do that, and draws of the posterior that differ much."""
    if found.draws:
        return f"the difference in {what} is {value}, but over the draws its interval holds 0 ({between(row)})"
    return f"no difference in {what} can be told from chance: {value} ({between(row)})"


def _lost(found: Comparison, row: pd.Series) -> str:
    what = "years lived with disability per 1000 adults"
    if row["value"] == row["low"] == row["high"] == 0:
        return f"as many {what} were lost"
    if not estimate_of(row).sure:
        return _unsure(found, what, f"{said(row['value'])} averted", row)
    turned = row if row["value"] >= 0 else _turned(row)
    return f"it {'averted' if row['value'] >= 0 else 'added'} {said(turned['value'])} {what} ({between(turned)})"


def _prevalences(found: Comparison, name: str) -> Iterator[str]:
    for condition in SPOKEN:
        row = found.row("risk_difference", name, condition=condition)
        if row is None:
            continue
        here = found.row("prevalence", name, condition=condition)
        there = found.row("prevalence", found.baseline.name, condition=condition)
        assert here is not None
        assert there is not None
        what = f"{name_of(condition)} ({said(here['value'])} of 1000 instead of {said(there['value'])})"
        if not estimate_of(row).sure:
            if row["value"] == row["low"] == row["high"] == 0:
                yield f"as many adults had {what}"
            else:
                yield _unsure(found, what, f"{_signed(row['value'])} per 1000", row)
            continue
        turned = _turned(row) if row["value"] < 0 else row
        yield f"{said(turned['value'])} of 1000 adults {'fewer' if row['value'] < 0 else 'more'} had {what}; {between(turned)}"


def _peak(found: Comparison, name: str) -> Iterator[str]:
    """When the difference in chronic pain was largest, if that was not on the last day and can be told from chance."""
    table = found.effects
    mine = table[
        (table["scenario"] == name) & (table["estimand"] == "risk_difference") & (table["condition"] == "chronic_pain")
    ]
    mine = mine[(mine["sex"] == "all") & (mine["age_group"] == "all")]
    if len(mine) < 3:
        return
    row = mine.iloc[int(mine["value"].abs().to_numpy().argmax())]
    if row["date"] != mine["date"].max() and estimate_of(row).sure:
        yield (
            f"Of the {len(mine)} dates looked at, the difference in chronic pain was largest on "
            f"{pd.Timestamp(row['date']).date()}: {_signed(row['value'])} per 1000 ({between(row)})"
        )


def _sexes(found: Comparison, name: str) -> Iterator[str]:
    for condition in ("any", "chronic_widespread_pain"):
        change = found.row("sex_ratio_change", name, condition=condition)
        here, there = (found.row("sex_ratio", arm, condition=condition) for arm in (name, found.baseline.name))
        if change is None or here is None or there is None or not estimate_of(change).sure:
            continue
        yield (
            f"For each man with {name_of(condition)} there are {said(here['value'])} women, as shares of either, instead of "
            f"{said(there['value'])} (change {_signed(change['value'])}, {between(change)})"
        )


def _treated(found: Comparison, name: str) -> Iterator[str]:
    started = found.row("started", name, condition="all")
    if started is None or not started["value"]:
        return
    row = found.row("number_needed_to_treat", name, condition="any")
    line = f"{said(started['value'])} programme starts per 1000 adults"
    if row is None:
        yield line
    elif math.isfinite(row["value"]) and row["value"] > 0:
        yield f"{line}; {said(row['value'])} for one person less with any condition ({between(row)})"
    elif math.isfinite(row["value"]):
        yield f"{line}; one person more with a condition for every {said(-row['value'])}"
    elif math.isfinite(row["low"]) and math.isfinite(row["high"]):
        yield (
            f"{line}; how many must be treated for one person less with any condition cannot be told: the interval runs from one "
            f"less for every {said(row['high'])} through none, however many, to one more for every {said(-row['low'])}"
        )
    else:
        yield f"{line}; how many must be treated for one person less with any condition cannot be told"


def _cost(found: Comparison, name: str) -> Iterator[str]:
    cost = found.row("cost", name, condition="all")
    if cost is None or not cost["value"]:
        return
    per = found.row("cost_per_yld_averted", name, condition="all")
    assert per is not None
    line = f"It cost {said(cost['value'])} international dollars per 1000 adults (discounted at {found.discount:.1%} a year)"
    years = found.row("yld_averted", name, condition="all")
    if years is not None and not estimate_of(years).sure:
        line += "; what a year lived with disability averted costs cannot be told, since none may be averted"
    elif per["value"] > 0:
        line += f", {said(per['value'])} for each year lived with disability that it averted ({between(per)})"
    elif cost["value"] > 0:
        line += " and averted no years lived with disability"
    yield line


def _through_whom(found: Comparison, name: str) -> Iterator[str]:
    row = found.row("benefit_share_yld", name, condition="all", subgroup="reached: not treated")
    people = found.row("people_share", name, condition="all", subgroup="reached: not treated")
    if row is None or people is None:
        return
    total = found.row("yld_averted_in_people", name, condition="all")
    if total is None or not estimate_of(total).sure:
        yield "What part of the benefit came to people who were not treated cannot be told: the whole cannot be told from none"
        return
    yield (
        f"{row['value']:.0%} of the benefit (in years lived with disability) came to people who were not treated, who are "
        f"{people['value']:.0%} of adults ({_per_cent(row)})"
    )


def _for_whom(found: Comparison, name: str) -> Iterator[str]:
    """The group that gains most and the one that gains least, where their intervals lie apart."""
    table = found.effects
    rows = table[(table["scenario"] == name) & (table["estimand"] == "yld_averted_in_people")]
    for group in GROUPS_SPOKEN:
        mine = rows[rows["subgroup"].str.startswith(f"{group}: ")].sort_values("value")
        mine = mine[~mine["subgroup"].str.endswith("entered later")]
        if len(mine) < 2:
            continue
        least, most = mine.iloc[0], mine.iloc[-1]
        if most["low"] > least["high"]:
            first, last, verb = (most, least, "gained") if most["value"] > 0 else (least, most, "lost")
            levels = [one["subgroup"].partition(": ")[2] for one in (first, last)]
            turned = [one if most["value"] > 0 else _turned(one) for one in (first, last)]
            yield (
                f"By {group}, those of '{levels[0]}' {verb} most, {said(turned[0]['value'])} years lived with disability per 1000 "
                f"({between(turned[0])}), those of '{levels[1]}' least, {said(turned[1]['value'])} ({between(turned[1])})"
            )


def _luck(found: Comparison, name: str) -> Iterator[str]:
    row = found.row("risk_difference", name, condition="any")
    if row is None or row["runs"] < 2 or not row["monte_carlo_error"] > 0:
        return
    made = estimate_of(row)
    half = (made.high - made.low) / 2 if not found.draws else made.monte_carlo_error * 2
    wanted = advice(made, half / 2)
    if wanted is not None:
        of = "draws" if found.draws else "runs"
        yield (
            f"Finitely many {of} leave a Monte Carlo error of {said(made.monte_carlo_error)} per 1000 in the difference of any "
            f"condition; about {wanted:,} {of} would give a half-width of {said(half / 2)}"
        )


def _turned(row: pd.Series) -> dict[str, float]:
    return {"value": -row["value"], "low": -row["high"], "high": -row["low"]}


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + said(value)


def _per_cent(row: pd.Series) -> str:
    low, high = row["low"], row["high"]
    return f"95 % {low:.0%} to {high:.0%}" if math.isfinite(low) and math.isfinite(high) else between(row)

"""A run in words and one table: how common each condition is, in whom, and what has been published."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.measurement.results import Results
from fitss_abm.model.conditions import Catalogue, shipped
from fitss_abm.presentation import style
from fitss_abm.study.intervals import wilson
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.seen_tables import SEEN, first_seen
from fitss_abm.study.targets import ADULT_AGE, OPEN_AGE, load_targets, published_prevalence

BESIDE = ("chronic_pain", "fibromyalgia_acr_1990", "fibromyalgia_acr_2010", "fibromyalgia_modified_2010")
"""Shown below the family: not conditions of their own, but published under these names."""
Row = dict[Hashable, Any]
_PERIODS = ("12-month", "1-year")
_THREE_MONTHS = "(3-mo)"


def against_published(results: Results) -> pd.DataFrame:
    """Published prevalence beside the simulated one of the same sex and ages on the last date, one row a condition.

    condition, sex, age_low, age_high, period ("now" or "12 months", as published), prevalence (of these people), low,
    high (published), within (the simulation's 95 % interval overlaps the range), verified. Shares, not per cent.
    """
    now, over_time = first_seen(results.prevalence), first_seen(results.period_prevalence)
    facts = published_prevalence()
    quantity = load_targets().set_index("id")["quantity"]
    rows = []
    for fact in facts.itertuples(index=False):
        if _THREE_MONTHS in str(quantity[str(fact.id)]):
            continue  # a run keeps no record of three months; `fitss validate` does
        period = "12 months" if str(quantity[str(fact.id)]).startswith(_PERIODS) else "now"
        table = now if period == "now" else over_time.query("period == '12 months'")
        same = table[
            (table["condition"] == fact.condition) & (table["sex"] == fact.sex) & (table["age_group"] != "all")
        ]
        if same.empty or same["date"].max() != now["date"].max():
            continue
        same = same[same["date"] == same["date"].max()]
        ages = same["age_group"].str.extract(r"(\d+)")[0].astype(int)
        same = same[(ages >= fact.age_low) & (ages < fact.age_high)]
        if same["people"].sum() == 0:
            continue
        share, least, most = (float(part) for part in wilson(same["cases"].sum(), same["people"].sum()))
        low, high = float(fact.low) / 100, float(fact.high) / 100  # type: ignore[arg-type]
        row = {name: getattr(fact, name) for name in ("condition", "sex", "age_low", "age_high", "verified")}
        rows.append(
            row
            | {"period": period, "prevalence": share, "low": low, "high": high, "within": least <= high and most >= low}
        )
    columns = ["condition", "sex", "age_low", "age_high", "period", "prevalence", "low", "high", "within", "verified"]
    return pd.DataFrame(rows, columns=columns)


def show_summary(results: Results, console: Console) -> None:
    """Print what came of a run: words, a table of conditions (with others where people were also seen otherwise), and how fast
    it went.
    """
    every, results = results, _seen_once(results)
    scenario, provenance = results.scenario, results.provenance
    last = results.prevalence[results.prevalence["date"] == results.prevalence["date"].max()]
    start, end = (_day(date) for date in _span(results.prevalence))
    replicate = f", replicate {scenario['replicate']}" if scenario["replicate"] else ""
    console.print(f"{scenario['name']}{replicate}: {scenario['people']:,} people, {_place(scenario)}, {start} to {end}")
    seen = style.said_seen(results.prevalence)
    heading = f"How common each condition is among adults on {end}{seen}, in per cent, with 95 % intervals"
    console.print(heading, style="bold")
    console.print(_conditions(results, last))
    if SEEN in every.prevalence and every.prevalence[SEEN].nunique() > 1:
        console.print("The same people as others see them: per cent of adults, and women to a man", style="bold")
        console.print(_seen_otherwise(every))
    for line in _notes(results):
        console.print(line)
    seconds = sum(provenance["seconds"].values())
    speed = provenance["person_days_per_second"] / 1e6
    memory = f", {provenance['peak_memory_bytes'] / 1e9:.1f} GB of memory" if provenance["peak_memory_bytes"] else ""
    threads = f"{provenance['threads']} thread{'s' if provenance['threads'] > 1 else ''}"
    console.print(f"{seconds:.0f} s in all; {speed:.1f} million person-days a second on {threads}{memory}")


def _conditions(results: Results, last: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", min_width=16, overflow="fold")
    for heading in ("all", "women", "men", "women : men", "published"):
        table.add_column(heading, justify="right")
    table.add_column("within")
    catalogue = catalogue_of(results)
    rows = last[last["age_group"] == "all"].to_dict("records")
    adults = {(str(row["condition"]), str(row["sex"])): row for row in rows}
    ratio = results.sex_ratio[(results.sex_ratio["date"] == last["date"].max()) & results.sex_ratio["standardised"]]
    ratios = {str(row["condition"]): row for row in ratio.to_dict("records")}
    facts = {str(row["condition"]): row for row in against_published(results).to_dict("records")}
    present = [id for id in catalogue.ids if (id, "all") in adults]
    for group in (
        [id for id in present if catalogue[id].family],
        [id for id in present if id in BESIDE],
    ):
        for id in sorted(group, key=lambda id: -float(adults[id, "all"]["prevalence"])):
            only = catalogue[id].sex
            cells = ["" if only == "female" else _share(adults[id, "all"])]
            cells += [_share(adults[id, sex]) if only in (None, sex) else "" for sex in ("female", "male")]
            cells += [_ratio(ratios.get(id)), *_published(facts.get(id))]
            table.add_row(_name(catalogue, id), *cells)
        table.add_section()
    return table


def _seen_once(results: Results) -> Results:
    """The results as people were seen in one way."""
    return dataclasses.replace(
        results,
        prevalence=first_seen(results.prevalence),
        period_prevalence=first_seen(results.period_prevalence),
        sex_ratio=first_seen(results.sex_ratio),
        counts=first_seen(results.counts),
    )


def _seen_otherwise(results: Results) -> Table:
    """A row a condition, two columns a way to see people."""
    catalogue = catalogue_of(results)
    ways = list(results.prevalence[SEEN].unique())
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("", min_width=16, overflow="fold")
    for way in ways:
        table.add_column(way, justify="right")
        table.add_column("women : men", justify="right")
    last = results.prevalence[results.prevalence["date"] == results.prevalence["date"].max()]
    adults = last[(last["age_group"] == "all") & (last["sex"] == "all")].to_dict("records")
    ratio = results.sex_ratio[(results.sex_ratio["date"] == last["date"].max()) & results.sex_ratio["standardised"]]
    shares = {(str(row["condition"]), str(row[SEEN])): row for row in adults}
    ratios = {(str(row["condition"]), str(row[SEEN])): row for row in ratio.to_dict("records")}
    for id in catalogue.ids:
        cells = []
        for way in ways:
            row = shares.get((id, way))
            cells += ["" if row is None else _share(row), _ratio(ratios.get((id, way)))]
        if any(cells):
            table.add_row(_name(catalogue, id), *cells)
    return table


def _notes(results: Results) -> Iterator[str]:
    counts = results.counts
    now = counts[(counts["date"] == counts["date"].max()) & (counts["sex"] == "all") & (counts["age_group"] == "all")]
    adults = int(now["people"].sum())
    if adults:
        one, two = (now.loc[now["conditions"] >= least, "people"].sum() / adults for least in (1, 2))
        yield (
            f"{adults:,} adults: {one:.1%} have a condition of the family, {two:.1%} two or more "
            "(fibromyalgia and widespread pain count once; none without a published figure counts)"
        )
    yield "women : men is standardised for age; (?) marks a published range that is not verified"


def _share(row: Row) -> str:
    if not row["people"]:
        return "–"
    value, low, high = (100 * float(row[name]) for name in ("prevalence", "low", "high"))
    return f"{_figures(value)} ({_figures(low)}–{_figures(high)})"


def _ratio(row: Row | None) -> str:
    if row is None or not row["ratio"] > 0:
        return ""
    return f"{row['ratio']:.1f} ({row['low']:.1f}–{row['high']:.1f})"


def _published(fact: Row | None) -> tuple[str, str]:
    """The published range and whether the simulated share lies in it; who was asked, where not all adults as they are
    now.
    """
    if fact is None:
        return "", ""
    low, high = (_figures(100 * float(fact[name])) for name in ("low", "high"))
    whom = "women" if fact["sex"] == "female" else ""
    if fact["age_low"] > ADULT_AGE or fact["age_high"] != OPEN_AGE:
        end = "+" if fact["age_high"] == OPEN_AGE else f"–{fact['age_high'] - 1}"
        whom += f" {max(fact['age_low'], ADULT_AGE)}{end}"
    if fact["period"] != "now":
        whom += " in 12 months"
    said = f": {_figures(100 * float(fact['prevalence']))} {whom.strip()}" if whom else ""
    return f"{low}–{high}{'' if fact['verified'] else ' (?)'}", ("yes" if fact["within"] else "no") + said


def _figures(per_cent: float) -> str:
    return f"{per_cent:.1f}" if per_cent >= 0.95 or per_cent == 0 else f"{per_cent:.2f}"


def _name(catalogue: Catalogue, id: str) -> str:
    label = catalogue[id].label
    return label if id in BESIDE[1:] else label.split(" (")[0].split(" / ")[0]


def catalogue_of(results: Results) -> Catalogue:
    """The catalogue of the run, or the shipped one where the run's own is no longer to be had."""
    try:
        return Scenario(**results.scenario).catalogue()
    except ValueError:
        return shipped()


def _span(prevalence: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    return prevalence["date"].min(), prevalence["date"].max()


def _day(date: pd.Timestamp) -> str:
    return f"{date.day} {date.month_name()} {date.year}"


def _place(scenario: dict[str, Any]) -> str:
    population = scenario.get("population")
    if isinstance(population, str):
        return f"population of {population}"
    return str(scenario["location"]) + (" with shares of its own" if population else "")

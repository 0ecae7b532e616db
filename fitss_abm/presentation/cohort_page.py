"""A cohort in words: the README of its folder, with the data dictionary, and what the screen says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fitss_abm.study.cohort_fields import STATUSES, Field, Table, tables
from fitss_abm.study.cohort_files import DATA, TRUTH, truth_suffix
from fitss_abm.study.cohort_package import DISCLAIMER, PACKAGE
from fitss_abm.study.cohort_run import COHORT, EFFECTS
from fitss_abm.study.omop_load import LOAD

if TYPE_CHECKING:
    from rich.console import Console

    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_missing import Rule
    from fitss_abm.study.cohort_run import Exported
    from fitss_abm.study.cohort_summary import Summary

_OF = {
    "participation": "taking part",
    "dropout": "dropping out, a year",
    "visits": "missing a visit",
    "items": "answers missing",
}


def page(cohort: Cohort, summary: Summary, format: str) -> str:
    """The README of the folder, as Markdown."""
    return "\n".join([*_head(cohort, summary), *_files(cohort, format), *_missing(cohort), *_dictionary(cohort), ""])


def _head(cohort: Cohort, summary: Summary) -> Iterator[str]:
    world = cohort.world()
    yield f"# {cohort.name}"
    yield ""
    yield f"**{DISCLAIMER}**"
    yield ""
    low, high = cohort.ages
    yield (
        f"{_total(summary):,} participants of {summary.invited:,} invited, from a sampling frame of {summary.frame:,} among "
        f"{summary.people:,} simulated people aged 12 or more ({world.location}). Design: {cohort.design}; aged {low} to {high} at "
        f"recruitment. " + ", ".join(f"{group}: {count:,}" for group, count in summary.participants.items()) + "."
    )
    if summary.short:
        yield f"{summary.short:,} controls that were wanted could not be had: too few of the same sex and age took part."
    yield ""
    yield f"| visit | date | {' | '.join(STATUSES)} |"
    yield "|---|---|" + "---|" * len(STATUSES)
    for row in summary.visits:
        yield f"| {row['visit']} | {row['date']} | {' | '.join(format_(row[name]) for name in STATUSES)} |"
    yield ""


def _files(cohort: Cohort, format: str) -> Iterator[str]:
    yield "## Files"
    yield ""
    known = tables(cohort, cohort.world().catalogue()).values()
    for table in known:
        if table.truth or format != "omop":
            suffix = truth_suffix(format) if table.truth else format
            yield f"- `{TRUTH if table.truth else DATA}/{table.file}.{suffix}`: {table.title}."
    if format == "omop":
        yield f"- `{DATA}/*.csv`: the OMOP Common Data Model 5.4; person_source_value is `person_id`, ages at visits are left out."
        yield f"- `{DATA}/{LOAD}`: loads them into DuckDB with their keys (`cd {DATA}; duckdb cohort.duckdb -c '.read {LOAD}'`)."
    else:
        yield f"- `{DATA}/{PACKAGE}`: types, units, levels, missing codes (Frictionless data package)."
    if cohort.truth:
        yield f"- `{TRUTH}/{PACKAGE}`, and with a counterfactual `{TRUTH}/{EFFECTS}`: mean true effects by visit and group."
    yield f"- `{COHORT}`: the cohort as run; `provenance.json`: program, version, command, hashes; `summary.json`: counts."
    yield ""
    if cohort.truth:
        yield (
            f"To give the data out blind, give `{DATA}/` alone: `{COHORT}` says how data were lost and what programmes do. "
            f"`{TRUTH}/` has everybody invited, participants or not."
        )
        yield ""
    if format == "omop":
        yield "Dates are ISO. A visit that was missed is none, and what was not answered has no row."
    else:
        yield "Dates are ISO, levels text; what is missing is an empty cell (Parquet: null); `status` says why a visit has none."
    yield ""


def _missing(cohort: Cohort) -> Iterator[str]:
    yield "## What is missing"
    yield ""
    rules = cohort.rules()
    if not rules:
        yield "Nothing but what the dead would have said."
    for rule in rules:
        yield f"- {_OF[rule.of]}: {rule.share:g}, {_why(rule)}"
    yield ""


def _why(rule: Rule) -> str:
    if rule.mechanism == "mcar":
        return "completely at random"
    if rule.mechanism == "mar":
        return "at random given " + ", ".join(f"{name} (log odds {slope:+g} per sd)" for name, slope in rule.on)
    what = "the value itself" if rule.of == "items" else "pain that day"
    return f"not at random: on {what} (log odds {rule.slope:+g} per sd)"


def _dictionary(cohort: Cohort) -> Iterator[str]:
    yield "## Columns"
    for table in tables(cohort, cohort.world().catalogue()).values():
        yield ""
        yield f"### {_called(table)}"
        yield ""
        yield "| column | type | unit | levels or range | what | source |"
        yield "|---|---|---|---|---|---|"
        for one in table.fields:
            yield f"| `{one.name}` | {one.type} | {one.unit} | {_range(one)} | {one.title} | {one.source} |"


def _called(table: Table) -> str:
    return f"{TRUTH}/{table.file}" if table.truth else table.file


def _range(one: Field) -> str:
    if one.levels:
        return ", ".join(one.levels) if len(one.levels) <= 8 else f"{len(one.levels)} levels, see {PACKAGE}"
    low, high = one.low, one.high
    if low is None and high is None:
        return ""
    return f"{low:g} or more" if high is None and low is not None else f"{low:g} to {high:g}"


def format_(count: int) -> str:
    """A count."""
    return f"{count:,}"


def _total(summary: Summary) -> int:
    return sum(summary.participants.values())


def show(found: Exported, screen: Console) -> None:
    """Print what the cohort came to."""
    from rich.table import Table as Rows

    cohort, summary = found.cohort, found.summary
    groups = ", ".join(f"{group} {count:,}" for group, count in summary.participants.items())
    screen.print(
        f"{cohort.name}: {_total(summary):,} participants of {summary.invited:,} invited ({groups})", markup=False
    )
    rows = Rows(box=None, pad_edge=False)
    for name in ("visit", "date", *STATUSES):
        rows.add_column(name, justify="right")
    for row in summary.visits:
        rows.add_row(str(row["visit"]), row["date"], *(format_(row[name]) for name in STATUSES))
    screen.print(rows)
    last = [row for row in summary.effects if row["visit"] == len(summary.visits) - 1 and row["outcome"] == "pain"]
    for row in last:
        if row["effect"] is not None:
            screen.print(
                f"mean true effect on rated pain at the last visit, {row['among']}: {row['effect']:+.3f} points",
                markup=False,
            )
    screen.print(f"Cohort: {folder_text(found.folder)} (README.md, {DATA}/{PACKAGE})", soft_wrap=True, markup=False)


def folder_text(folder: Path) -> str:
    """A folder as a user would type it."""
    try:
        return str(folder.relative_to(Path.cwd()))
    except ValueError:
        return str(folder)

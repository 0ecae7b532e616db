"""The README of a cohort's folder: what it is, what is missing and why, and the data dictionary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fitss_abm.study.cohort_columns import Field, Table
from fitss_abm.study.cohort_fields import STATUSES, tables
from fitss_abm.study.cohort_files import COHORT, DATA, EFFECTS, TRUTH, truth_suffix
from fitss_abm.study.cohort_package import DISCLAIMER, PACKAGE
from fitss_abm.study.omop_load import LOAD

if TYPE_CHECKING:
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_missing import Rule
    from fitss_abm.study.cohort_summary import Summary

_OF = {
    "participation": "not taking part",
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
        f"{summary.total:,} participants of {summary.invited:,} invited, from a sampling frame of {summary.frame:,} among "
        f"{summary.people:,} simulated people aged 12 or more ({world.location}). Design: {cohort.design}; aged {low} to {high} at "
        f"recruitment. " + ", ".join(f"{group}: {count:,}" for group, count in summary.participants.items()) + "."
    )
    if summary.short:
        yield f"{summary.short:,} controls that were wanted could not be had: too few of the same sex and age took part."
    yield ""
    yield f"| visit | date | {' | '.join(STATUSES)} |"
    yield "|---|---|" + "---|" * len(STATUSES)
    for row in summary.visits:
        yield f"| {row['visit']} | {row['date']} | {' | '.join(f'{row[name]:,}' for name in STATUSES)} |"
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

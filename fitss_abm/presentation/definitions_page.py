"""The same people by several definitions: words first, then tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from fitss_abm.measurement.diagnosis import CLINIC, TRUTH
from fitss_abm.presentation.knockout_page import markdown
from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.definitions import Definitions, of
from fitss_abm.study.definitions_runs import DEFINITIONS, RECORDED

FIBROMYALGIA = ("acr_1990", "acr_2010", "modified_2010", "acr_2016")
_HEADS = (
    "definition", "seen as", "per cent of adults", "women : men", "women, % of cases", "published", "origin", "within",
)  # fmt: skip
_STEP_HEADS = ("step", "women", "men", "% of those who meet criteria", "women, %")
_UNITS = {"prevalence": "%", "ratio": "women : men", "share": "% women"}
_READ = (
    "truth: the state of the model; survey: what people say when asked, with error; clinic: what records hold, after care was "
    "sought, the condition recognised and a name written down (`fitss_abm/data/diagnosis.toml`, docs/definitions.md)",
    "adults of 18 or more on the last day; sources have ages and countries of their own. Women : men: ratio of prevalences, crude; "
    "a published odds ratio of a rare condition is near it",
    "fitted: numbers of the model were chosen with this row in view; emergent: they were not; informed: nor were they, but a "
    "number from another source about nearly the same was put in; (?): not verified at the source",
    "intervals are 95 %: how far chance in so many people and runs reaches, not how far the model is from the world",
)


def definition_words(found: Definitions) -> list[str]:
    """What is to be said before any table."""
    runs = f"{found.runs} run{'s' if found.runs > 1 else ''} of {found.scenario.people:,} people"
    runs += (
        ", each at a draw of the posterior (medians, and intervals that hold 95 % of the runs)" if found.drawn else ""
    )
    adults = int(found.table["adults"].max())
    lines = [f"The same {adults:,} adults by several definitions ({runs}, seed {found.scenario.seed})"]
    criteria = [row for id in FIBROMYALGIA if (row := found.row(id, TRUTH)) is not None]
    low, high = (pick(criteria, key=lambda row: row["prevalence"]) for pick in (min, max))
    lines.append(
        f"Fibromyalgia by criteria: from {_of(low)} of adults by {_brief(low)} to {_of(high)} by {_brief(high)}"
        + (f"; diagnosed {_of(told)}" if (told := found.row("diagnosed", TRUTH)) else "")
        + (f"; on record {_of(record)}" if (record := found.row("diagnosed", CLINIC)) else "")
    )
    lines.append(
        "Women to a man: "
        + "; ".join(f"{_plain(row['ratio'], row['ratio_low'], row['ratio_high'])} by {_brief(row)}" for row in criteria)
    )
    first, *_, last = found.steps.to_dict("records")
    if first["women"] + first["men"] and last["of_first"] > 0:
        lines.append(
            f"From the population to the clinic: of those who meet the modified 2010 criteria "
            f"{_plain(last['of_first'], last['low'], last['high'])} % have fibromyalgia on record, one in "
            f"{100 / last['of_first']:.1f}; women are {_plain(first['share'], first['share_low'], first['share_high'])} % of "
            f"those who meet criteria and {_plain(last['share'], last['share_low'], last['share_high'])} % of those on record"
        )
    early, half, late = found.waited
    if np.isfinite(half):
        lines.append(
            f"Half of the diagnosed had met the criteria for {half:.1f} years or more before (quartiles {early:.1f} and "
            f"{late:.1f})"
        )
    lines += _overlaps(found)
    return lines


def _overlaps(found: Definitions) -> list[str]:
    pairs = {(row["definition"], row["other"]): row for row in _truth(found)}
    there, back = pairs.get(("acr_1990", "acr_2016")), pairs.get(("acr_2016", "acr_1990"))
    if there is None or back is None or not (there["cases"] and back["cases"]):
        return []
    return [
        f"Different people: of the cases by ACR 1990 {_plain(there['share'], there['low'], there['high'])} % are cases by ACR "
        f"2016, of the cases by ACR 2016 {_plain(back['share'], back['low'], back['high'])} % by ACR 1990"
    ]


def _truth(found: Definitions) -> list[dict[Any, Any]]:
    rows = found.overlap[(found.overlap["seen_as"] == TRUTH) & (found.overlap["other_seen_as"] == TRUTH)]
    return list(rows.to_dict("records"))


def show_definitions(found: Definitions, console: Console) -> None:
    """Print words and tables."""
    first, *rest = definition_words(found)
    console.print(first, style="bold")
    for line in rest:
        console.print(line)
    for title, heads, rows in _tables(found):
        console.print(f"\n{title}", style="bold")
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for k, head in enumerate(heads):
            table.add_column(head, justify="right" if k else "left", overflow="fold")
        for cells in rows:
            table.add_row(*cells)
        console.print(table)
    console.print()
    for line in _READ:
        console.print(line)


def definitions_page(found: Definitions, *, drawn: tuple[str, ...] = ()) -> str:
    """The same as Markdown."""
    first, *rest = definition_words(found)
    parts = ["# The same people, several definitions", "", f"{first}.", "", *(f"- {line}." for line in rest), ""]
    parts += [f"![{name.removesuffix('.png').replace('_', ' ')}]({name})" for name in drawn] + ([""] if drawn else [])
    for title, heads, rows in _tables(found):
        parts += [f"## {title}", "", *markdown(heads, rows), ""]
    return "\n".join([*parts, "## How to read this", "", *(f"- {line}." for line in _READ)]) + "\n"


def _tables(found: Definitions) -> Iterator[tuple[str, tuple[str, ...], Iterator[tuple[str, ...]]]]:
    yield "Prevalence and sex ratio", _HEADS, _rows(found)
    present = [each.id for each in DEFINITIONS if found.row(each.id, TRUTH) is not None]
    yield (
        "Overlap, in truth: of the cases by a row's definition, per cent who are cases by a column's",
        ("", *(of(id).label for id in present)),
        _crossed(found, present),
    )
    yield "From the population to the clinic: fibromyalgia, modified 2010 criteria", _STEP_HEADS, _steps(found)


def _rows(found: Definitions) -> Iterator[tuple[str, ...]]:
    facts = found.published.groupby(["definition", "seen_as"])
    for row in found.table.to_dict("records"):
        key = (row["definition"], row["seen_as"])
        known = facts.get_group(key).to_dict("records") if key in facts.groups else []
        said = "; ".join(
            f"{figures(fact['published_low'])} to {figures(fact['published_high'])} {_UNITS[fact['measure']]}"
            + ("" if fact["verified"] else " (?)")
            for fact in known
        )
        inside = ["yes" if fact["within"] else "NO" for fact in known]
        yield (
            str(row["label"]), str(row["seen_as"]), _plain(row["prevalence"], row["low"], row["high"]),
            _plain(row["ratio"], row["ratio_low"], row["ratio_high"]),
            _plain(row["share"], row["share_low"], row["share_high"]), said,
            "; ".join(str(fact["origin"]) for fact in known), "; ".join(inside),
        )  # fmt: skip


def _crossed(found: Definitions, ids: list[str]) -> Iterator[tuple[str, ...]]:
    pairs = {(row["definition"], row["other"]): row for row in _truth(found)}
    for one in ids:
        cells = ["" if one == other else figures(float(pairs[one, other]["share"])) for other in ids]
        yield (of(one).label, *cells)


def _steps(found: Definitions) -> Iterator[tuple[str, ...]]:
    for k, row in enumerate(found.steps.to_dict("records")):
        of_first = "100" if k == 0 else _plain(row["of_first"], row["low"], row["high"])
        share = _plain(row["share"], row["share_low"], row["share_high"])
        name = f"{row['step']} as fibromyalgia" if row["step"] == RECORDED else str(row["step"])
        yield name, f"{row['women']:,}", f"{row['men']:,}", of_first, share


def _plain(value: float, low: float, high: float) -> str:
    return f"{figures(value)} ({figures(low)} to {figures(high)})" if np.isfinite(value) else "–"


def _brief(row: dict[str, Any]) -> str:
    return str(row["label"]).split(" (", maxsplit=1)[0]


def _of(row: dict[str, Any]) -> str:
    return f"{_plain(row['prevalence'], row['low'], row['high'])} %"

"""The model described from its own declarations: the day in order, parameters, conditions, columns, network.

As tables for the terminal, or as Markdown: the tables of an ODD description (Grimm et al. 2020).
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_MOST_COLUMNS = 6  # of a table on a terminal; a row with more is shown as an entry of its own
_EVERY = {
    "day": "every day",
    "week": "each person on one fixed day of the week",
    "slow": "the slow step: a week as shipped",
    "birth": "when a person is made",
}


@dataclass(frozen=True)
class Section:
    """A headed table, after words about it."""

    title: str
    words: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def rules() -> Section:
    """DAY in order: how often each rule is applied, what it reads and writes, its equation."""
    from fitss_abm.model.parameters import declared
    from fitss_abm.model.rules import DAY

    rows = []
    for number, rule in enumerate(DAY, start=1):
        written = _written(rule.function)
        numbers = [name for name in rule.arguments if name in declared()]
        read = [name for name in rule.arguments if name not in (*written, *numbers)]
        lists = (", ".join(names) for names in (written, read, numbers))
        rows.append((str(number), rule.name, rule.every, *lists, _prose(rule.equation)))
    often = "; ".join(f"{word}: {meaning}" for word, meaning in _EVERY.items())
    words = (
        f"In this order for each person; of others only yesterday is read. What a rule writes it may read too. {often}."
    )
    return Section("The day", words, ("", "rule", "every", "writes", "reads", "parameters", "equation"), tuple(rows))


def parameters() -> Section:
    """Every number of the model that is not a condition's own."""
    from fitss_abm.model.parameters import declared

    rows = tuple(
        (p.name, f"{p.value:g}", p.unit, f"{p.low:g} to {p.high:g}", p.role, p.meaning, p.source, p.sex_mechanism or "")
        for p in declared().values()
    )
    words = (
        "Roles: measured (read off a source), fit (by calibration), assumed (judgement), scenario (yours to choose)."
    )
    headings = ("parameter", "value", "unit", "bounds", "role", "meaning", "source", "sex mechanism")
    return Section("Parameters", words, headings, rows)


def conditions() -> Section:
    """The catalogue: rates per 1000 person-years (onset) and per year (remission), loadings, sex terms, who is
    eligible.
    """
    from fitss_abm.model.conditions import shipped

    rows = []
    for c in shipped().conditions:
        whom = [
            c.sex or "",
            f"from {c.age_from:g}" if c.age_from else "",
            "until menopause" if c.until_menopause else "",
        ]
        numbers = [c.onset_per_1000_person_years, c.remission_per_year, c.loading_sensitization, c.loading_alert]
        numbers += [c.onset_per_decade, c.female_onset, c.female_remission]
        shown = [f"{value:g}" for value in numbers] if c.has_hazard else [f"by definition: {c.definition}", *[""] * 6]
        trigger = (
            f"{c.trigger}{' only' if c.trigger_only else f' x {c.trigger_ratio:g}'}, {c.trigger_days:g} days"
            if c.trigger
            else ""
        )
        source = "; ".join(f"{name}: {value}" for name, value in c.source.items())
        kind = "family" if c.family and c.counted else "family, not counted" if c.family else "outside the family"
        regions = ", ".join(f"{name} {value:g}" for name, value in c.regions.items())
        others = [f"{c.burden:g}", f"{c.peripheral:g}", f"{c.disability:g}", regions, ", ".join(c.sites)]
        eligible = " ".join(word for word in whom if word) or "all"
        rows.append((c.id, c.label, kind, eligible, *shown, trigger, *others, source, c.note))
    headings = (
        "condition", "label", "kind", "eligible", "onset", "remission", "by sensitization", "by alert", "by decade",
        "women's onset", "women's remission", "trigger", "burden", "peripheral", "disability", "regions",
        "sites", "source", "note",
    )  # fmt: skip
    words = (
        "Onset per 1000 person-years at 45 without sensitization, alert or susceptibility; remission per year; "
        "what multiplies them in log units."
    )
    return Section("Conditions", words, headings, tuple(rows))


def columns() -> Section:
    """What a person is made of."""
    from fitss_abm.model.columns import COLUMNS

    rows = tuple(
        (c.name, np.dtype(c.dtype).name, c.unit, c.kind, "" if c.width == "one" else str(c.width), c.label)
        for c in COLUMNS
    )
    return Section("Columns", "What a person is.", ("column", "type", "unit", "kind", "several", "meaning"), rows)


def network() -> Section:
    """Numbers of the generated support network."""
    from fitss_abm.model.network_parameters import NetworkParameters

    rows = []
    for each in fields(NetworkParameters):
        about = each.metadata
        bounds = f"{about['low']:g} to {about['high']:g}"
        rows.append((each.name, f"{each.default:g}", about["unit"], bounds, about["source"]))
    words = "How the generated network is made; for a scenario's table [network]."
    return Section("Support network", words, ("parameter", "value", "unit", "bounds", "source"), tuple(rows))


def programmes() -> Section:
    """The kinds of programme: what each acts on, whom it is for, its delivery, cost and sources."""
    from fitss_abm.model.programme_tables import ABOUT, shipped_kinds
    from fitss_abm.model.programmes import ACTS
    from fitss_abm.study.toml_text import toml_value

    rows = []
    for id, kind in shipped_kinds().items():
        acts = []
        for act in kind["acts"]:
            more = ", ".join(f"{name} {value:g}" for name, value in act.items() if name not in ("on", "size"))
            acts.append(f"{act['on']} {act['size']:g} ({ACTS[act['on']][0]}){f', {more}' if more else ''}")
        shown = {name: value for name, value in kind.items() if name not in (*ABOUT, "acts", "eligible")}
        delivery = ", ".join(f"{name} {toml_value(value)}" for name, value in shown.items())
        source = "; ".join(f"{name}: {value}" for name, value in kind["source"].items())
        eligible = toml_value(kind["eligible"]) if "eligible" in kind else "all"
        rows.append(
            (id, kind["label"], "; ".join(acts), eligible, delivery, kind["role"], source, kind.get("note", ""))
        )
    headings = ("kind", "label", "acts on", "eligible", "delivery and cost", "role", "source", "note")
    words = (
        "For a scenario's [[programmes]]: kind, name, dates start and end, target, and whatever differs. Roles: input "
        "(sized by a trial in the model to a row of targets.csv), assumed. Costs in international dollars."
    )
    return Section("Programmes", words, headings, tuple(rows))


def diagnosis() -> Section:
    """How well conditions are reported, how often and how late recognised, and under which name recorded."""
    from fitss_abm.presentation.describe_diagnosis import diagnosis

    return diagnosis()


def instruments() -> Section:
    """What is measured of a person, with range, scoring, reliability, norm and source."""
    from fitss_abm.presentation.describe_instruments import instruments

    return instruments()


def reports() -> Section:
    """The other numbers of measurement: errors of reports, recall, the diary."""
    from fitss_abm.presentation.describe_instruments import reports

    return reports()


SECTIONS: dict[str, Callable[[], Section]] = {
    "rules": rules, "parameters": parameters, "conditions": conditions, "columns": columns, "network": network,
    "programmes": programmes, "diagnosis": diagnosis, "instruments": instruments, "reports": reports,
}  # fmt: skip


def markdown(sections: Iterable[Section]) -> str:
    """The sections as a Markdown document."""
    lines: list[str] = []
    for section in sections:
        lines += [
            f"## {section.title}",
            "",
            section.words,
            "",
            _row(section.headings),
            _row(["---"] * len(section.headings)),
        ]
        lines += [*(_row(row) for row in section.rows), ""]
    return "\n".join(lines)


def show(sections: Iterable[Section], console: Console) -> None:
    """Print the sections for a reader at a terminal: long ones as entries, others as tables."""
    for section in sections:
        console.print(f"[bold]{section.title}[/bold]\n{escape(section.words)}\n")
        if len(section.headings) > _MOST_COLUMNS:
            _show_entries(section, console)
        else:
            table = Table(*section.headings, box=box.SIMPLE_HEAD, pad_edge=False)
            for row in section.rows:
                table.add_row(*(escape(cell) for cell in row))
            console.print(table)


def _show_entries(section: Section, console: Console) -> None:
    """One entry a row: its name, then a line for each thing said of it."""
    numbered = section.headings[0] == ""
    for row in section.rows:
        cells = dict(zip(section.headings, row, strict=True))
        number = f"{cells.pop('')}. " if numbered else ""
        name = cells.pop(section.headings[1 if numbered else 0])
        console.print(f"{number}[bold]{escape(name)}[/bold]")
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for heading, cell in cells.items():
            if cell:
                table.add_row(f"   {heading}", escape(cell))
        console.print(table)
    console.print()


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _prose(docstring: str) -> str:
    """A docstring's lines joined to paragraphs."""
    return "\n".join(" ".join(part.split()) for part in docstring.split("\n\n"))


def _written(function: Any) -> list[str]:
    """Arguments whose elements a rule assigns, as its source says."""
    plain = getattr(function, "py_func", function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(plain)))
    assigned = set()
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                assigned.add(target.value.id)
    return [name for name in inspect.signature(plain).parameters if name in assigned]

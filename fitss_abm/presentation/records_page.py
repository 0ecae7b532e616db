"""A population from records as words and tables: what was asked, what came of it, what was filled in, where it drifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.style import plain_name
from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.records_report import StartingPopulation

FAR = 1.5
"""Times, or the same part, of the model's own: from there on a share or a mean is called far from the model."""
MANY = 10
"""People with one simulated life: from there on more donors are advised."""
_MORE = "; with more `donors` in `records` there would be more to choose from"
_NORMAL = 1.96
_HEADS = ("", "asked", "obtained", "everybody", "the model alone", "outside")
_READ = (
    "Asked: the weighted share or mean of the records that answer, with its 95 % interval of sampling (Kish's effective number of "
    "records). Obtained: in the people whose record answers. Everybody: with those whose value was filled in.",
    "The model alone: simulated people of the same sexes and ages of whom the records were not asked. Loneliness is on the model's "
    "scale: the survey's order of people at the quantiles of the simulated ones.",
    "Outside: what was obtained lies outside the interval of what was asked.",
)


def sentences(found: StartingPopulation) -> list[str]:
    """What came of it, in words."""
    counts = found.counts
    weighed = (
        f" (weighted; they tell as much as {counts['effective_records']:,.0f} without weights)"
        if counts["weighted"]
        else ""
    )
    survey = Path(found.scenario.records["file"]).name
    lines = [f"{counts['people']:,} people from the {counts['records']:,} records of {survey}{weighed}"]
    if counts["most_people_from_a_record"] > 1 or counts["records_never_drawn"]:
        lines.append(
            f"a record stands for up to {counts['most_people_from_a_record']} people, each with a life of their own; "
            f"{counts['records_never_drawn']:,} records for nobody"
        )
    lines.append(_agreement(found))
    gaps = [f"{name} {_part(n, counts)}" for name, n in counts["imputed"].items() if n]
    drawn = [
        f"{name} of {_part(counts[f'{name}_drawn'], counts)}" for name in ("sex", "age") if counts[f"{name}_drawn"]
    ]
    if drawn:
        lines.append(f"missing and drawn from the other records: {', '.join(drawn)}")
    if gaps:
        lines.append(f"missing and taken from a simulated life that fits the rest of the record: {', '.join(gaps)}")
    imposed = [f"{called(name)} {_part(n, counts)}" for name, n in counts["imposed"].items() if n]
    if imposed:
        lines.append(f"imposed against the simulated life, which will not long hold on to it: {', '.join(imposed)}")
    if counts["most_people_from_a_donor"] > 1:
        lines.append(
            f"{counts['donors_used_again']:,} simulated lives were given to more than one person, one of them to "
            f"{counts['most_people_from_a_donor']}" + (_MORE if counts["most_people_from_a_donor"] > MANY else "")
        )
    return [*lines, *_far(found)]


def page(found: StartingPopulation, *, scenario: str, figure: str | None) -> str:
    """The whole as Markdown. `scenario`, `figure`: names of files beside it."""
    parts = ["# A population from records", "", *(f"- {line}." for line in sentences(found)), ""]
    parts += [f"![asked and obtained]({figure})", ""] if figure else []
    for title, heads, rows in tables(found):
        parts += [f"## {title}", "", _row(heads), _row(["---"] * len(heads)), *(_row(row) for row in rows), ""]
    parts += ["## How to read this", "", *(f"- {line}" for line in _READ), ""]
    return "\n".join([*parts, f'Go on with `fitss run {scenario}`; in a what-if, `extends = "{scenario}"`.']) + "\n"


def show(found: StartingPopulation, console: Console) -> None:
    """Print the words and the table of everybody."""
    for line in sentences(found):
        console.print(f"- {line}", markup=False)
    for title, heads, rows in list(tables(found))[:1]:
        console.print(f"\n{title}", style="bold")
        drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for k, name in enumerate(heads):
            drawn.add_column(name, justify="right" if k else "left")
        for row in rows:
            drawn.add_row(*row)
        console.print(drawn)


def tables(found: StartingPopulation) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, heads and rows of each table."""
    made = []
    later = found.drift[found.drift["year"] > 0]
    years = sorted(later["year"].unique())
    for title, sex in (("Everybody", "all"), ("Women", "women"), ("Men", "men")):
        rows = found.marginals[found.marginals["sex"] == sex]
        heads = [*_HEADS, *(f"after {_years(year)}" for year in years if sex == "all")]
        cells = [_cells(row, later if sex == "all" else None) for row in rows.to_dict("records")]
        made.append((title, heads, cells))
    if len(found.correlations):
        pairs = [
            [called(row["one"]), called(row["other"]), f"{row['asked']:.2f}", f"{row['obtained']:.2f}"]
            for row in found.correlations.to_dict("records")
        ]
        made.append(("Correlations of what is mapped", ["", "", "asked", "obtained"], pairs))
    return made


def outside(rows: pd.DataFrame) -> pd.Series:
    """Which rows of the marginals were obtained outside the interval of what was asked."""
    reach = np.maximum(_NORMAL * rows["standard_error"], 1e-9)
    return (rows["obtained"] - rows["asked"]).abs() > reach


def _agreement(found: StartingPopulation) -> str:
    every = found.marginals[found.marginals["sex"] == "all"]
    missed = every[outside(every)]
    if missed.empty:
        return f"all {len(every)} marginals asked of everybody are obtained within their sampling error"
    told = ", ".join(
        f"{called(row['measure'])} {_said(row, 'asked')} asked, {_said(row, 'obtained')} obtained"
        for row in missed.to_dict("records")
    )
    inside = f"{len(every) - len(missed)} of {len(every)} marginals asked of everybody"
    return f"{inside} are obtained within their sampling error; not: {told}"


def _far(found: StartingPopulation) -> list[str]:
    """Sentences on what lies far from the model, and how fast it goes back."""
    lines = []
    rows = found.marginals[(found.marginals["sex"] == "all") & found.marginals["own"].notna()]
    for row in rows.to_dict("records"):
        own, asked = row["own"], row["asked"]
        if abs(asked - own) <= 3 * row["standard_error"] or row["measure"] == "loneliness":
            continue
        if own > 0 and 1 / FAR < asked / own < FAR:
            continue
        levels = f"{_said(row, 'asked')} asked where the model alone has {_said(row, 'own')}"
        line = f"{called(row['measure'])} is far from the model: {levels}"
        after = found.drift[found.drift["measure"] == row["measure"]].sort_values("year")
        if len(after) > 1:
            value = {"kind": row["kind"], "value": float(after["value"].iloc[-1])}
            line += f"; left to itself it is {_said(value, 'value')} after {_years(int(after['year'].iloc[-1]))}"
        lines.append(line)
    if lines:
        lines.append(
            "what is far from the model moves back towards it, some fast, some slowly: read a what-if against its baseline, "
            "not against day 0"
        )
    return lines


def _cells(row: dict[Any, Any], later: pd.DataFrame | None) -> list[str]:
    reach = _NORMAL * row["standard_error"]
    low, high = ({**row, "asked": row["asked"] + sign * reach} for sign in (-1, 1))
    interval = f" ({_said(low, 'asked', floor=row['kind'] == 'share')} to {_said(high, 'asked')})"
    cells = [called(row["measure"]), _said(row, "asked") + interval]
    cells += [_said(row, name) for name in ("obtained", "everybody", "own")]
    cells.append("outside" if outside(pd.DataFrame([row])).iloc[0] else "")
    if later is not None:
        mine = later[later["measure"] == row["measure"]].sort_values("year")
        values = [_said({**row, "value": value}, "value") for value in mine["value"]]
        cells += values or [""] * later["year"].nunique()
    return cells


def _said(row: dict[Any, Any], name: str, *, floor: bool = False) -> str:
    """A share in per cent, a mean as it is; nothing where there is none."""
    value = float(row[name])
    if np.isnan(value):
        return ""
    value = max(value, 0.0) if floor else value
    return f"{figures(100 * value)} %" if row["kind"] == "share" else figures(value)


def called(name: str) -> str:
    """What a mapped name is called in words."""
    if name in ("wpi", "sss"):
        return name.upper()
    return name if name.startswith(("age ", "women")) else plain_name(name)


def _years(number: int) -> str:
    return f"{number} year{'s' if number != 1 else ''}"


def _part(number: int, counts: Any) -> str:
    return f"{number:,} ({figures(100 * number / counts['people'])} %)"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"

"""A virtual trial in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.trial import USUAL_CARE, Trial
from fitss_abm.study.trial_analysis import OUTCOMES
from fitss_abm.study.trial_runs import Trials

SHARES = ("half", "criteria_lost")
_DESIGNS = {
    "individual": "individually randomised",
    "cluster": "cluster randomised",
    "waiting_list": "individually randomised, the others wait for the treatment",
    "stepped_wedge": "stepped wedge",
}
_CLUSTERS = {"neighbours": "blocks of neighbours", "family": "families", "work": "workplaces"}
_LEGEND = (
    "estimate: as a trialist has it, from measured values of those who were seen; (a to b): 95 % interval",
    "truth: the same people with the same luck and no error of measurement, had everybody in the trial been treated, less had "
    "nobody been (of a stepped wedge: the treated as they were, less had nobody been treated)",
    "contamination: what the untreated gained or lost because others were treated, which reaches them through ties; known exactly. "
    "An estimate misses the truth by it, by luck of randomisation, by error of measurement, and by who is lost",
)


def show(found: Trials, console: Console) -> None:
    """Print what was found."""
    for line in words(found):
        console.print(line)
    head, rows = _table(found)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for k, name in enumerate(head):
        table.add_column(name, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table)
    console.print()
    for line in _LEGEND if not found.sizes else ():
        console.print(line)


def page(found: Trials) -> str:
    """The same as Markdown."""
    head, rows = _table(found)
    parts = [f"# {found.trial.name}", "", *(f"- {line}" for line in words(found)), ""]
    parts += [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows), ""]
    parts += [
        *(f"- {line}" for line in _LEGEND if not found.sizes),
        "",
        "```toml",
        found.trial.to_toml().strip(),
        "```",
    ]
    return "\n".join(parts) + "\n"


def words(found: Trials) -> Iterator[str]:
    """What was done and what came of the primary outcome, in sentences."""
    trial, about = found.trial, found.about
    against = trial.control if trial.control == USUAL_CARE else f"{trial.control} (which both arms get)"
    yield f"{trial.name}: {trial.treatment['kind']} against {against}, {_DESIGNS[trial.design]}, {_span(trial)}"
    if found.sizes:
        yield f"{found.table['replicate'].nunique()} trials of each size, each in people of its own"
        for row in found.power().to_dict("records"):
            if row["outcome"] == "pain":
                yield f"of trials of {row['size']} people {_percent(row, 'power')} found a difference in pain (p < 0.05)"
        return
    if len(about) == 1:
        one = about.iloc[0]
        said = f"{int(one['eligible']):,} eligible, {int(one['consented']):,} consented, {int(one['participants']):,} took part"
        if trial.clustered:
            said += f", in {int(one['clusters']):,} {_CLUSTERS[trial.clusters]}"
        if np.isfinite(crossing := float(one["crossing_ties"] if one["crossing_ties"] is not None else np.nan)):
            said += f"; {100 * crossing:.0f} % of the ties among them join the treated with the untreated"
        yield said
        yield from _said(found.primary.iloc[0])
        return
    yield f"{len(about)} trials, each in people of its own, of {about['participants'].mean():,.0f} people on average"
    mean = found.summary().iloc[0]
    error = f" (standard error {figures(mean['bias_se'])})" if np.isfinite(mean["bias_se"]) else ""
    yield f"{OUTCOMES['pain']}: mean estimate {figures(mean['estimate'])}, mean truth {figures(mean['truth'])}"
    yield f"bias {figures(mean['bias'])}{error}, contamination of the untreated {figures(mean['contamination'])}"
    yield f"{100 * mean['holds_truth']:.0f} % of the intervals hold the truth"


def _said(row: pd.Series) -> Iterator[str]:
    estimate = interval(row, 1.0)
    yield f"{OUTCOMES['pain']}, week {row['week']}: {estimate}, p = {row['p']:.2g}; the truth is {figures(row['truth'])}"
    held = row["low"] <= row["truth"] <= row["high"]
    yield f"the interval {'holds' if held else 'does NOT hold'} the truth; {row['lost']} were not seen at that visit"


def _span(trial: Trial) -> str:
    if trial.design == "stepped_wedge":
        return f"{trial.steps + 1} periods of {trial.weeks} weeks"
    return f"{trial.weeks} weeks" + (f" and {trial.follow_up} of follow-up" if trial.follow_up else "")


def interval(row: Any, factor: float) -> str:
    """Estimate (low to high)."""
    value, low, high = (figures(factor * float(row[name])) for name in ("estimate", "low", "high"))
    return f"{value} ({low} to {high})"


def _percent(row: Any, name: str) -> str:
    return f"{100 * row[name]:.0f} % ({100 * row['low']:.0f} to {100 * row['high']:.0f})"


def _name(outcome: str) -> str:
    return OUTCOMES[outcome] + (" (points of %)" if outcome in SHARES else "")


def _table(found: Trials) -> tuple[list[str], list[list[str]]]:
    if found.sizes:
        rows = found.power().to_dict("records")
        head = ["outcome", "people", "trials", "power (95 %)"]
        return head, [[_name(r["outcome"]), str(r["size"]), str(r["trials"]), _percent(r, "power")] for r in rows]
    if len(found.about) == 1:
        head = ["outcome", "week", "treated", "untreated", "estimate (95 %)", "p", "truth", "contamination"]
        return head, [_single(row) for row in found.table.to_dict("records")]
    head = [
        "outcome",
        "week",
        "trials",
        "mean estimate",
        "mean truth",
        "bias",
        "contamination",
        "intervals that hold it",
    ]
    return head, [_mean(row) for row in found.summary().to_dict("records")]


def _single(row: dict[Any, Any]) -> list[str]:
    factor = 100.0 if row["outcome"] in SHARES else 1.0
    cells = [_name(row["outcome"]), str(row["week"]), str(row["treated"]), str(row["untreated"]), interval(row, factor)]
    return [*cells, f"{row['p']:.2g}", figures(factor * row["truth"]), figures(factor * row["contamination"])]


def _mean(row: dict[Any, Any]) -> list[str]:
    factor = 100.0 if row["outcome"] in SHARES else 1.0
    numbers = [figures(factor * row[name]) for name in ("estimate", "truth", "bias", "contamination")]
    held = f"{100 * row['holds_truth']:.0f} %" if np.isfinite(row["holds_truth"]) else "–"
    return [_name(row["outcome"]), str(row["week"]), str(row["trials"]), *numbers, held]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

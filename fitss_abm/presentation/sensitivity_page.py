"""A sensitivity analysis in words and tables, for the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.sensitivity import MORRIS, SOBOL, ranked, shares
from fitss_abm.study.sensitivity_plan import CHANCE_RUNS, Plan
from fitss_abm.study.sensitivity_runs import Index, Sensitivity

ONE_WAY = 0.8
"""Of mu_star that mu must be for a parameter to be said to raise or lower an output."""
_LITTLE = 0.01  # of all effects on an output
_PLAIN = ("ratio", "proportion")
_SAID = 3  # parameters named for each output
_READ = (
    "mu\\*: mean size of the change in the output, in its unit, when a parameter goes through its whole range, from many "
    "places in the others' ranges; (a to b): 95 % interval by the bootstrap over trajectories",
    "↑ raises, ↓ lowers the output nearly everywhere, ↕ the one here and the other there; ~: the size differs so much between "
    "places (sigma above mu\\*) that the effect is strongly curved or depends on other parameters",
    "S1: share of the output's variance that a parameter explains by itself; ST: with its interactions, so ST less S1 is "
    "interaction; (a to b): 95 % interval by the bootstrap over samples. They sum to 1 only without interactions, and "
    "estimates near 0 may fall below it",
    "all of it is about these ranges: a parameter with a wide range moves more than one with a narrow range",
    "what is not varied stays at its default, also the base rates and intercepts that a calibration would solve anew for each "
    "point, so prevalences are not held where they are published",
    "all runs have the same luck, so a parameter that does nothing moves nothing; what else is left of chance is smaller than "
    "the spread of runs that differ in luck alone, which is given beside the value at the defaults",
)


def cost(plan: Plan) -> list[str]:
    """What will be run, in words."""
    runs = plan.runs
    many = f", {plan.replicates} runs a point" if plan.replicates > 1 else ""
    lines = [
        f"{_count(len(plan.ranges), 'parameter')}, {_count(len(plan.outputs), 'output')}; {sum(runs.values()):,} runs of "
        f"{plan.people:,} people for {plan.years:.1f} years after the pre-history, all with the luck of seed {plan.seed}",
        f"screening (Morris): {_count(plan.trajectories, 'trajectory', 'trajectories')}, {runs[MORRIS]:,} runs{many}",
    ]
    if runs[SOBOL]:
        lines.append(
            f"decomposition (Sobol) of the {plan.decomposed} most influential: {plan.samples} samples, {runs[SOBOL]:,} "
            f"runs{many}; the others stay at their defaults"
        )
    return [*lines, f"runs at the defaults: {runs['chance']}"]


def command(plan: Plan) -> str:
    """The command that gives these numbers again."""
    parameters = ",".join(
        f"{range.name}={range.low:g}:{range.high:g}" if range.basis == "given" else range.name for range in plan.ranges
    )
    said = f"fitss sensitivity --parameters {parameters} --outputs {','.join(plan.outputs)} --people {plan.people}"
    said += f" --trajectories {plan.trajectories} --samples {plan.samples} --top {plan.top} --seed {plan.seed}"
    said += f" --years {plan.asked_years:g}" if plan.asked_years is not None else ""
    return said + (f" --replicates {plan.replicates}" if plan.replicates > 1 else "")


def show(found: Sensitivity, console: Console) -> None:
    """Print what moves what."""
    for line in _words(found):
        console.print(line.replace("`", "").replace("**", "").replace("\\*", "*"))


def page(found: Sensitivity) -> str:
    """The same as Markdown, with all indices, the ranges, and how to read them."""
    plan = found.plan
    parts = ["# Sensitivity", "", f"Made by `{command(plan)}`; do not edit.", ""]
    parts += [f"- {line}" for line in cost(plan)]
    parts += ["", "## In words", "", *(f"- {line}" for line in _words(found))]
    parts += ["", "## How to read the numbers", "", *(f"- {line}" for line in _READ)]
    parts += ["", "## Screening: mu\\* in the unit of the output", "", *_screening(found)]
    if found.decomposed:
        parts += ["", "## Decomposition: shares of variance", "", *_decomposition(found)]
    parts += ["", "## Ranges", "", *_ranges(plan)]
    return "\n".join(parts) + "\n"


def direction(effect: Mapping[str, Index]) -> str:
    """↑, ↓ or ↕; nothing where there is no effect."""
    mu, star = effect["mu"].value, effect["mu_star"].value
    if star == 0:
        return ""
    return "↑" if mu >= ONE_WAY * star else "↓" if mu <= -ONE_WAY * star else "↕"


def in_unit(unit: str) -> str:
    """What a difference of the output is measured in."""
    return "percentage points" if unit == "%" else unit


def measured(value: float, unit: str) -> str:
    """A value with its unit, as far as that says more than the output's name."""
    return f"{figures(value)} {unit}" if unit not in _PLAIN else figures(value)


def order(found: Sensitivity) -> list[str]:
    """The parameters, first those that were decomposed, the others as they follow in the screening."""
    return list(dict.fromkeys([*found.decomposed, *ranked(found.table[found.table["method"] == MORRIS])]))


def _words(found: Sensitivity) -> Iterator[str]:
    for row in found.reference.to_dict("records"):
        output, label = str(row["output"]), str(row["label"])
        reasons = {method: why for method, name, why in found.left_out if name == output}
        if MORRIS in reasons:
            yield f"**{label}** is left out: it {reasons[MORRIS]}."
        else:
            rest = f" Not decomposed: it {reasons[SOBOL]}." if SOBOL in reasons else ""
            yield _output_in_words(found, output, label, row) + rest
    parts = shares(found.table[found.table["method"] == MORRIS]).max(axis=1)
    little = [f"`{name}`" for name, part in parts.items() if part < _LITTLE]
    if little:
        yield f"Less than {100 * _LITTLE:g} % of the effects on any output: {', '.join(little)}."


def _output_in_words(found: Sensitivity, output: str, label: str, row: Mapping[Any, Any]) -> str:
    unit = str(row["unit"])
    of = f", in {in_unit(unit)}" if unit not in _PLAIN else ""
    effects = found.indices(MORRIS, output)
    first = sorted(effects, key=lambda name: -effects[name]["mu_star"].value)[:_SAID]
    said = f"**{label}**, {measured(row['value'], unit)} at the defaults ({figures(row['low'])} to {figures(row['high'])} in "
    said += f"{CHANCE_RUNS} runs that differ in luck alone): "
    total = sum(effect["mu_star"].value for effect in effects.values())
    if total == 0:
        return said + "nothing moves it."
    named = []
    for name in first:
        star, way = effects[name]["mu_star"], direction(effects[name])
        if star.value > 0:
            named.append(f"`{name}` ({way} {figures(star.value)}, {figures(star.low)} to {figures(star.high)})")
    part = 100 * sum(effects[name]["mu_star"].value for name in first) / total
    said += f"{'most ' if len(effects) > _SAID else ''}moved by {', '.join(named)}{of}"
    said += f"; these make {part:.0f} % of all effects." if len(effects) > _SAID else "."
    explained = found.indices(SOBOL, output)
    if explained:
        name = max(explained, key=lambda name: explained[name]["ST"].value)
        alone, all_in = (_per_cent(explained[name][index]) for index in ("S1", "ST"))
        said += f" Of its variance `{name}` explains {alone} by itself and {all_in} with interactions."
    return said


def _screening(found: Sensitivity) -> Iterator[str]:
    reference = [row for row in found.reference.to_dict("records") if found.indices(MORRIS, row["output"])]
    yield _row(["", *(f"{row['label']} ({in_unit(row['unit'])})" for row in reference)])
    yield _row(["---"] * (len(reference) + 1))
    tables = [found.indices(MORRIS, row["output"]) for row in reference]
    for name in order(found):
        yield _row([f"`{name}`", *(_effect(table[name]) for table in tables)])


def _effect(effect: Mapping[str, Index]) -> str:
    star = effect["mu_star"]
    curved = " ~" if effect["sigma"].value > star.value else ""
    return f"{direction(effect)} {figures(star.value)} ({figures(star.low)} to {figures(star.high)}){curved}".strip()


def _decomposition(found: Sensitivity) -> Iterator[str]:
    for row in found.reference.to_dict("records"):
        explained = found.indices(SOBOL, row["output"])
        if not explained:
            continue
        yield from (f"### {row['label']}", "", _row(["", "S1", "ST"]), _row(["---"] * 3))
        for name in sorted(explained, key=lambda name: -explained[name]["ST"].value):
            yield _row([f"`{name}`", *(_share(explained[name][index]) for index in ("S1", "ST"))])
        yield ""


def _ranges(plan: Plan) -> Iterator[str]:
    yield _row(["parameter", "low", "high", "default", "unit", "range from"])
    yield _row(["---"] * 6)
    for range in plan.ranges:
        yield _row(
            [f"`{range.name}`", *(f"{v:g}" for v in (range.low, range.high, range.default)), range.unit, range.basis]
        )


def _share(index: Index) -> str:
    return f"{index.value:.2f} ({index.low:.2f} to {index.high:.2f})"


def _per_cent(index: Index) -> str:
    return f"{100 * index.value:.0f} % ({100 * index.low:.0f} to {100 * index.high:.0f})"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

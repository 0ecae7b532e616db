"""Writes the source of the compiled driver from an ordered list of rules.

The source has three entry points. `drive` walks a range of blocks through some days; `night` ends the ties of the dead and
puts newcomers in their places; `born` draws the traits of a range of blocks. All take the same arrays and numbers after their
own. Threads are the engine's: a parallel loop of Numba's over so many arrays takes longer to compile than all the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fitss_abm.model.columns import Column
from fitss_abm.model.randomness import Decision
from fitss_abm.model.rules import Rule

UNIT = 64  # people who share their day of the week; fixed, so that results do not depend on the block size

_COMPUTED = {"day", "today", "first", "words_before", "words"}
_ALWAYS = (
    "offers", "parameters", "tie_start", "tie_neighbour", "tie_weight", "tie_layer", "died", "generation", "female", "birth_day",
    "event_load", "female_share", "population_0", "population_1", "slow_days",
)  # fmt: skip

_HEAD = """# Written by fitss_abm.model.driver: one day of the model as one compiled function.
import numpy as np
from fitss_abm.model.randomness import draw, uniform
"""


@dataclass(frozen=True)
class Driver:
    """The source, the rules it calls as rule_0, rule_1, ..., and the names of what its functions take."""

    source: str
    rules: tuple[Rule, ...]
    needs: tuple[str, ...]


def write_driver(
    walked: Sequence[Rule], births: Sequence[Rule], columns: Mapping[str, Column], parameters: Sequence[str]
) -> Driver:
    """The driver of these rules. `parameters`: names in the order of the parameter array."""
    rules = (*walked, *births)
    number = {rule.name: k for k, rule in enumerate(rules)}
    index = {name: k for k, name in enumerate(parameters)}
    asked = dict.fromkeys(name for rule in rules for name in rule.arguments)
    named = [name for name in asked if name not in _COMPUTED and name not in index]
    needs = tuple(dict.fromkeys([*_ALWAYS, *columns, *named]))
    taken = ", ".join(needs)

    def argument(name: str, prefix: str) -> str:
        if name in index:
            return f"parameters[{index[name]}]"
        if name in columns or name in ("words", "tie_start"):
            return f"{prefix}{name}"
        return "first" if name == "first" else name

    def call(rule: Rule, prefix: str) -> str:
        return (
            f"rule_{number[rule.name]}({', '.join(argument(name, prefix) for name in rule.arguments)})  # {rule.name}"
        )

    def cuts(group: Iterable[Rule], prefix: str, low: str, high: str) -> list[str]:
        names = dict.fromkeys(name for rule in group for name in rule.arguments)
        lines = [
            f"{prefix}{name} = {name}[{'' if columns[name].width == 'one' else ':, '}{low}:{high}]"
            for name in names
            if name in columns
        ]
        lines += [f"{prefix}words = words_after[{low}:{high}]"] if "words" in names else []
        lines += [f"{prefix}tie_start = tie_start[{low}:{high} + 1]"] if "tie_start" in names else []
        return lines

    body: list[str] = []
    for daily, group in _groups(walked):
        if daily:
            body += ["first = np.uint32(low)", *cuts(group, "b_", "low", "high"), *(call(rule, "b_") for rule in group)]
            continue
        body += [
            f"for unit in range(low // {UNIT}, (high + {UNIT - 1}) // {UNIT}):",
            "    this_week = (unit + weekday) % 7 == 0",
            "    if this_week or slow_days == 1:",
            f"        a = unit * {UNIT}",
            f"        z = min(a + {UNIT}, high)",
            "        first = np.uint32(a)",
            *(f"        {line}" for line in cuts(group, "u_", "a", "z")),
        ]
        for rule in group:
            when = "True" if rule.every == "slow" else "this_week"
            body += [f"        if {when}:", f"            {call(rule, 'u_')}"]
    newborn = [
        f"{name}[{':, ' if column.width != 'one' else ''}i] = {_literal(column)}"
        for name, column in columns.items()
        if name not in ("generation", "female", "birth_day")
    ]
    birth_calls = [*cuts(births, "n_", "low", "high"), *(call(rule, "n_") for rule in births)] or ["pass"]
    source = _TEMPLATE.format(
        head=_HEAD,
        taken=taken,
        body=_indent(body or ["pass"], 4),
        births=_indent(birth_calls, 4),
        newborn=_indent(newborn, 20),
        bereavement=index["bereavement_severity"],
        close=index["close_tie_strength"],
        newcomer=int(Decision.NEWCOMER),
    )
    return Driver(source, rules, needs)


def _groups(walked: Sequence[Rule]) -> list[tuple[bool, list[Rule]]]:
    """Neighbouring rules that are walked together: daily ones, or those of the week and the slow step."""
    groups: list[tuple[bool, list[Rule]]] = []
    for rule in walked:
        daily = rule.every == "day"
        if not groups or groups[-1][0] != daily:
            groups.append((daily, []))
        groups[-1][1].append(rule)
    return groups


def _literal(column: Column) -> str:
    return f"np.{np.dtype(column.dtype).name}({column.newborn!r})"


def _indent(lines: Iterable[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines)


_TEMPLATE = """{head}

def walk_block(low, high, day, weekday, today, words_before, words_after, {taken}):
{body}


def born_block(low, high, {taken}):
    first = np.uint32(low)
{births}


def born(from_block, to_block, people, block, {taken}):
    born_block(from_block * block, min(people, to_block * block), {taken})


def drive(
    days, first_day, first_today, from_block, to_block, people, block, wait_at_death, with_night, deaths, {taken}
):
    for step in range(days):
        number = first_day + step
        day = np.uint32(number)
        weekday = number % 7
        today = np.int32(first_today + step) if first_today >= 0 else np.int32(-1)
        parity = number % 2
        total = 0
        for b in range(from_block, to_block):
            low = b * block
            high = min(people, low + block)
            walk_block(low, high, day, weekday, today, offers[parity], offers[1 - parity], {taken})
            count = 0
            for i in range(low, high):
                count += died[i]
            deaths[b] = count
            total += count
        if total > 0 and with_night:
            if wait_at_death:
                return step + 1, total
            night(today, people, block, deaths, {taken})
    return days, 0


def night(today, people, block, deaths, {taken}):
    for b in range(deaths.shape[0]):
        if deaths[b] > 0:
            for i in range(b * block, min(people, (b + 1) * block)):
                if died[i]:
                    for k in range(tie_start[i], tie_start[i + 1]):
                        other = tie_neighbour[k]
                        tie_weight[k] = 0
                        for back in range(tie_start[other], tie_start[other + 1]):
                            if tie_neighbour[back] == i:
                                if tie_weight[back] > 0 and tie_layer[back] == 0:
                                    event_load[other] += parameters[{bereavement}]
                                elif tie_weight[back] > 0 and tie_weight[back] >= np.float32(4096.0) * parameters[{close}]:
                                    event_load[other] += np.float32(0.5) * parameters[{bereavement}]
                                tie_weight[back] = 0
    for b in range(deaths.shape[0]):
        if deaths[b] > 0:
            for i in range(b * block, min(people, (b + 1) * block)):
                if died[i]:
{newborn}
                    generation[i] += np.uint16(1)
                    word, _b, _c, _d = draw(
                        np.uint32(i), np.uint32(generation[i]), np.uint32(0), np.uint32({newcomer}), population_0, population_1
                    )
                    female[i] = np.uint8(1 if uniform(word) < female_share else 0)
                    birth_day[i] = today - np.int32(4383)
                    offers[0, i] = 0
                    offers[1, i] = 0
                    born_block(i, i + 1, {taken})
            deaths[b] = 0
"""

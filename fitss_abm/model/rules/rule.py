"""What a rule is, and the words that a rule may ask for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numba

Every = Literal["day", "week", "slow", "birth"]

# Words a rule may name as arguments besides columns, parameters and the catalogue's arrays.
ENGINE_WORDS = {
    "day": "uint32: days since the start, or 2**31 + step in the pre-history; the day's part of a draw's key",
    "today": "int32: days since the start, or -1 in the pre-history",
    "first": "uint32: founder of the block's first person",
    "slow_days": "float32: days between two slow steps",
    "pace_from": "float32: pre-history, days of life that earlier stages cover",
    "pace_span": "float32: pre-history, days of life that this stage covers",
    "pace_days": "float32: pre-history, simulated days of this stage",
    "life_0": "uint32: key of the stream of life",
    "life_1": "uint32: key of the stream of life",
    "population_0": "uint32: key of the stream of population",
    "population_1": "uint32: key of the stream of population",
    "words_before": "uint32[people]: everybody's offer, openness and distress of yesterday",
    "words": "uint32[block]: the same for tomorrow, of this block",
    "tie_start": "int64[block + 1]: where each person's ties begin",
    "tie_neighbour": "int32[ties]: whom each tie leads to",
    "tie_weight": "uint16[ties]: strength of each tie, unit 1/4096",
    "tie_layer": "uint8[ties]: what kind of relation each tie is, 0 a partner",
    "all_birth_day": "int32[people]: everybody's date of birth, days from the start",
    "all_female": "uint8[people]: everybody's sex",
    "all_prevention": "float32[people]: what programmes take off the continuation of adversity of who is born there next",
    "site_term": "float32[19]: how much more often a site hurts than another",
    "site_masks": "uint32[10]: left, right, upper, lower, axial sites; the five regions of ACR 2016",
    "death_rate": "float32[2, bands]: death rate per day by sex (female, male) and five-year age band",
    "female_share": "float32: share of newcomers who are women",
}


@dataclass(frozen=True)
class Rule:
    """One mechanism: a function over a block of people and how often it is applied.

    `function` names what it reads and writes by its arguments. With `compiled` it must be understood by Numba and joins the
    fused driver; otherwise it is plain Python and is called with the arrays of all people, once a day or step.
    """

    name: str
    function: Callable[..., None]
    every: Every
    compiled: bool = True

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of what the rule reads and writes."""
        plain = getattr(self.function, "py_func", self.function)
        return tuple(inspect.signature(plain).parameters)

    @property
    def equation(self) -> str:
        """The rule's docstring: equation, units, source."""
        return inspect.getdoc(getattr(self.function, "py_func", self.function)) or ""


def rule(*, every: Every, compiled: bool = True, name: str | None = None) -> Callable[[Callable[..., None]], Rule]:
    """Make a rule of a function over a block of people.

    `every` is "day"; "week" (each person on one fixed day of the week); "slow" (the engine's slow step, a week as shipped);
    or "birth" (when a person is made).
    """

    def make(function: Callable[..., None]) -> Rule:
        chosen: Any = numba.njit(error_model="numpy")(function) if compiled else function
        return Rule(name or function.__name__, chosen, every, compiled)

    return make

"""Who holds a condition by decree: what a record of a survey says where the life that was simulated says otherwise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.conditions import Catalogue
from fitss_abm.model.population import Population

_HELD = ("conditions", "conditions_before", "ever", "held_quarter")
_HELD_BEFORE = ("held_quarter_1", "held_quarter_2", "held_quarter_3")
# Rows of `weeks_met` by definition (see rules/case_definitions.py); two definitions rest on the modified 2010 criteria.
_WEEKS = {
    "fibromyalgia_acr_2016": 0,
    "chronic_widespread_pain": 1,
    "fibromyalgia_acr_2010": 2,
    "fibromyalgia_modified_2010": 2,
    "chronic_pain_item": 3,
    "fibromyalgia_acr_1990": 4,
}
_THIRTEEN = np.uint16(0x1FFF)


def impose(population: Population, catalogue: Catalogue, id: str, slots: NDArray[np.int64], *, held: bool) -> None:
    """Let the people in `slots` hold a condition, or be free of it and never have had it, without counting an onset.

    A case by definition is given 13 weeks in which the criteria were met, or none: from then on its own weeks decide.
    """
    bit = np.uint32(1 << catalogue.bit[id])
    for name in _HELD if held else (*_HELD, *_HELD_BEFORE):
        population[name][slots] = population[name][slots] | bit if held else population[name][slots] & ~bit
    definition = catalogue[id].definition
    if definition in _WEEKS:
        population["weeks_met"][_WEEKS[definition], slots] = _THIRTEEN if held else np.uint16(0)

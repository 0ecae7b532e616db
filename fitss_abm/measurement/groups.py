"""Groups of people in whom norms and reliabilities are stated."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitss_abm.model.simulation import Simulation

GROUPS = ("adults", "controls", "fibromyalgia")


def group(simulation: Simulation, adults: NDArray[np.int64], name: str) -> NDArray[np.bool_]:
    """Who of `adults` (slots) belongs to one of GROUPS: all; those without chronic pain and any condition that the catalogue
    counts; those who meet the ACR 2016 criteria now.
    """
    catalogue, held = simulation.catalogue, simulation.population["conditions"][adults]
    if name == "adults":
        return np.ones(adults.size, dtype=bool)
    if name == "fibromyalgia":
        return np.asarray((held & np.uint32(catalogue.mask(["fibromyalgia"]))) != 0)
    return np.asarray((held & np.uint32(catalogue.mask(["chronic_pain", *catalogue.counted]))) == 0)

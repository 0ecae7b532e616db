"""A simulation on disk: enough to go on from the same day with the same bits."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model.caching import sources_hash

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation


def save(simulation: Simulation, path: str | os.PathLike[str]) -> Path:
    """Write the state of a simulation to a `.npz` file: first beside it, then renamed, so that a broken write leaves
    the old one."""
    target = Path(path)
    arrays: dict[str, Any] = {f"column_{name}": array for name, array in simulation.population.items()}
    arrays |= {f"network_{name}": array for name, array in simulation.network.arrays().items()}
    arrays |= {f"programmes_{name}": array for name, array in simulation.interventions.arrays().items()}
    arrays["offers"], arrays["prevention"] = simulation.offers, simulation.prevention
    arrays["signature"] = np.array(json.dumps(_signature(simulation, simulation.day)))
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(scratch, target)
    finally:
        scratch.unlink(missing_ok=True)
    return target


def restore(simulation: Simulation, path: str | os.PathLike[str]) -> int:
    """Put a saved state into a simulation built with the same arguments; returns its day.

    Programmes that begin on that day or later may differ: arms of one world can go on from one state.
    Raises InputError when the file cannot be read or was saved by other code, for other seeds or another number of people.
    """
    faults = Faults(str(path))
    try:
        with np.load(path, allow_pickle=False) as file:
            stored: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
        signature = json.loads(str(stored["signature"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        faults.add("checkpoint", str(path), f"cannot be read: {error}")
        faults.raise_if_any()
        raise
    for name, value in _signature(simulation, int(signature.get("day", 0))).items():
        if name != "day" and signature.get(name) != value:
            faults.add(f"checkpoint.{name}", signature.get(name), f"differs from this simulation's, {value!r}")
    faults.raise_if_any()
    for name, array in simulation.population.items():
        array[...] = stored[f"column_{name}"]
    simulation.offers[...], simulation.prevention[...] = stored["offers"], stored["prevention"]
    simulation.network.restore(
        {name.removeprefix("network_"): a for name, a in stored.items() if name.startswith("network_")}
    )
    simulation.interventions.restore(
        {name.removeprefix("programmes_"): a for name, a in stored.items() if name.startswith("programmes_")},
        simulation.population,
    )
    return int(signature["day"])


def _signature(simulation: Simulation, day: int) -> dict[str, Any]:
    return {
        "day": simulation.day,
        "people": simulation.people,
        "seed": simulation.seeds.master,
        "pinned": dict(simulation.seeds.pinned),
        "parameters": dict(simulation.parameters),
        "catalogue": hashlib.sha256(repr(simulation.catalogue.conditions).encode()).hexdigest(),
        "location": simulation.demography.location,
        "programmes": simulation.interventions.begun(day),
        "columns": sorted(simulation.population),
        "code": sources_hash(),
    }

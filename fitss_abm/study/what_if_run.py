"""One run of a comparison: all arms in the same people with the same luck, as sums from which every effect is made."""

from __future__ import annotations

import datetime
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitss_abm.study.scenario import Scenario

if TYPE_CHECKING:
    from fitss_abm.measurement.arm_tally import Tally
    from fitss_abm.measurement.contrasts import Start
    from fitss_abm.model.simulation import Simulation

_QUARTER = 365.25 / 4
_QUARTERLY_YEARS = 5
"""In longer runs dates of the tables are a year apart; years of disability are summed from quarters all the same."""
_WORLD = ("people", "location", "seed", "start", "population", "records", "seeds", "replicate")
"""What must be equal for arms to hold the same people with the same luck,"""
_STATE = (
    *_WORLD, "network", "draw", "parameters", "conditions_file", "conditions", "sex_mechanisms_off", "slow_days",
)  # fmt: skip
"""and for them to go on from one saved state of the first day."""


def stops(days: int) -> tuple[list[int], list[int]]:
    """Days on which to look: quarters of a year, evenly, the first and the last day among them; and those that tables show."""
    quarters = max(1, round(days / _QUARTER))
    every = 1 if quarters <= 4 * _QUARTERLY_YEARS else 4
    looked = [round(days * k / quarters) for k in range(quarters + 1)]
    return looked, [day for k, day in enumerate(looked) if k % every == 0 or k == quarters]


def paired(one: Scenario, other: Scenario) -> bool:
    """Whether arms of the two hold the same people with the same luck."""
    return all(getattr(one, name) == getattr(other, name) for name in _WORLD)


def run(*, scenarios: Sequence[str], replicate: int, draw: int | None, discount: float) -> dict[str, Any]:
    """What a worker does: the arms of these scenario texts (TOML), the first the baseline, with the luck of one replicate.

    dates, conditions; for each arm the table of `Tally`, programmes and their costs (`discount`: per year), and against the
    baseline, where paired, `contrasts`.
    """
    arms = [Scenario(**tomllib.loads(text)) for text in scenarios]
    own: dict[str, Any] = {"replicate": replicate, "threads": 1, "snapshot_every": None, "seen_as": ("truth",)}
    arms = [arm.replace(**own, **({"draw": draw} if draw is not None else {})) for arm in arms]
    made: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        states: dict[int, tuple[Path, Simulation]] = {}
        first: tuple[Simulation, Tally, Start] | None = None
        for k, arm in enumerate(arms):
            simulation = _begun(k, arms, states, Path(folder))
            tally, start = _lived(simulation, arm.days)
            first = first or (simulation, tally, start)
            made.append(_told(arm, simulation, tally, discount))
            if k > 0 and paired(arms[0], arm):
                made[-1]["contrasts"] = _contrasted(first, simulation, tally)
    dates = [(arms[0].start + datetime.timedelta(days=day)).isoformat() for day in stops(arms[0].days)[1]]
    return {"dates": dates, "arms": made}


def _begun(k: int, arms: Sequence[Scenario], states: dict[int, tuple[Path, Simulation]], folder: Path) -> Simulation:
    """The simulation of an arm on its first day; arms that differ later only share one pre-history."""
    alike = [i for i, other in enumerate(arms) if all(getattr(other, f) == getattr(arms[k], f) for f in _STATE)]
    if alike[0] in states:
        path, network_of = states[alike[0]]
        simulation = arms[k].simulation(network=network_of.network)
        simulation.restore(path)
        return simulation
    simulation = arms[k].simulation()
    simulation.prepare()
    if len(alike) > 1:
        path = simulation.save(folder / f"{k}.npz")
        states[k] = (path, simulation)
    return simulation


def _lived(simulation: Simulation, days: int) -> tuple[Tally, Start]:
    from fitss_abm.measurement.arm_tally import Tally
    from fitss_abm.measurement.contrasts import start_of

    looked, kept = stops(days)
    tally, start = Tally(simulation, kept), start_of(simulation)
    for day in looked:
        simulation.advance(day - simulation.day)
        tally.observe()
    return tally, start


def _told(arm: Scenario, simulation: Simulation, tally: Tally, discount: float) -> dict[str, Any]:
    from fitss_abm.measurement.delivery_costs import costs

    table = {
        name: np.round(values, 6) if values.dtype.kind == "f" else values for name, values in tally.table().items()
    }
    programmes = costs(simulation, discount=discount)
    return {"name": arm.name, "conditions": list(tally.conditions), "programmes": programmes, "table": table}


def _contrasted(first: tuple[Simulation, Tally, Start], simulation: Simulation, tally: Tally) -> dict[str, Any]:
    from fitss_abm.measurement.contrasts import contrasts
    from fitss_abm.measurement.reach import distances, reached_by

    baseline, watched, start = first
    reached = reached_by(simulation, baseline)
    pairs = tally.programme_ties
    one, other = start.ties
    one, other = np.concatenate([one, pairs[:, 0]]), np.concatenate([other, pairs[:, 1]])
    steps = distances(one, other, np.unique(reached // 65536), simulation.people)
    found = contrasts(start, watched.people(), tally.people(), simulation, reached=reached, steps=steps)
    return found | {"started": int(reached.size)}

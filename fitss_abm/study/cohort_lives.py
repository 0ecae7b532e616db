"""A part of a cohort as it happens: one world is lived and studied; with the truth, the same people then live in the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.study.cohort_follow import Study
from fitss_abm.study.cohort_part import threads_here, walk
from fitss_abm.study.cohort_truth import Burden, Truth

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_part import Files
    from fitss_abm.study.scenario import Scenario

_HISTORY = 0.45
"""Share of one world's work that the people, their ties and the pre-history are, about."""
_SAME_START = ("network", "draw", "parameters", "conditions_file", "conditions", "sex_mechanisms_off", "slow_days")
"""What two worlds of the same people must share to begin in the same state."""


def live(cohort: Cohort, part: int, files: Files, *, tell: Callable[[float], None]) -> dict[str, Any]:
    """Live through one part, write its rows, and return counts and sums. Raises InputError where nobody can be recruited."""
    world, other = _worlds(cohort, part)
    days = [visit.day for visit in cohort.visited()]
    worlds = 2 if other is not None else 1
    saved = files.folder / ".start.npz"
    simulation = _prepared(world, lambda done: tell(done * _HISTORY / worlds))
    shared = other is not None and all(getattr(world, name) == getattr(other, name) for name in _SAME_START)
    if shared:
        simulation.save(saved)
    study = Study(cohort, part, simulation, files)
    truth = Truth(cohort, study, files) if cohort.truth else None
    burden = Burden(simulation)
    number = 0
    lived = walk(
        simulation, days, lambda done: tell((_HISTORY + (1 - _HISTORY) * done) / worlds), diary=cohort.diary_window
    )
    for day in lived:
        if day - 1 not in cohort.diary_window or day in days:
            burden.look()
        study.people.notice_deaths(simulation)
        study.keep_diary()
        if day in days:
            study.visit(number)
            if truth is not None:
                truth.factual(number, simulation, burden)
            number += 1
    told = study.end()
    if truth is not None:
        truth.persons()
    if other is not None and truth is not None:
        network = simulation.network if shared else None
        study.let_go()
        del simulation, burden
        _live_again(other, network, saved if shared else None, days, truth, lambda done: tell(0.5 + done / 2))
        told["effects"] = truth.sums()
    saved.unlink(missing_ok=True)
    tell(1.0)
    return told


def _worlds(cohort: Cohort, part: int) -> tuple[Scenario, Scenario | None]:
    own = {"threads": threads_here(), "snapshot_every": None, "seen_as": ("clinic",)}
    world = cohort.part(part, cohort.world())
    other = cohort.other() if cohort.truth else None
    return world.replace(**own), None if other is None else cohort.part(part, other).replace(**own)


def _prepared(scenario: Scenario, tell: Callable[[float], None]) -> Simulation:
    simulation = scenario.simulation()
    simulation.prepare(lambda done, days: tell(done / days))
    return simulation


def _live_again(
    scenario: Scenario, network: Any, saved: Path | None, days: list[int], truth: Truth, tell: Callable[[float], None]
) -> None:
    if saved is not None:
        simulation = scenario.simulation(network=network)
        simulation.restore(saved)
    else:
        simulation = _prepared(scenario, lambda done: tell(done * _HISTORY))
    burden, number = Burden(simulation), 0
    for day in walk(simulation, days, lambda done: tell(_HISTORY + (1 - _HISTORY) * done)):
        burden.look()
        if day in days:
            truth.counterfactual(number, simulation, burden)
            number += 1

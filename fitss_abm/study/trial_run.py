"""A virtual trial as it happens: recruitment, randomisation, arms, visits; and beside it what nobody could know.

The same people with the same luck live through three worlds: nobody is treated, everybody in the trial is, and the trial itself.
The truth of a parallel trial is the mean difference between the first two. What the trial's untreated have beyond the first world
is contamination, which reached them through ties; a trial's estimate is too small by so much.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Fault, InputError
from fitss_abm.study import trial_design as design
from fitss_abm.study.arms import WEEK, Arms, parting, view_of

if TYPE_CHECKING:
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.trial import Trial

FEWEST_CLUSTERS = 4
HALF = 0.5
Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Enrolled:
    """Who takes part, each an array over participants."""

    slots: NDArray[np.int64]
    persons: NDArray[np.int64]
    baseline: NDArray[np.float64]
    """Measured pain at the first visit (0 to 10)."""
    true: NDArray[np.float64]
    """True pain then."""
    held: NDArray[np.bool_]
    """Who met the criteria then."""
    cluster: NDArray[np.int64]
    """Numbered from 0."""
    step: NDArray[np.int64]
    """0: treated from the start; in a stepped wedge the step at which the cluster crosses over; -1: control."""
    error: float
    """Standard deviation of the instrument's error (points)."""
    eligible: int
    consented: int
    crossing: float
    """Share of the ties between participants that join treated and untreated (stepped wedge: halfway)."""

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Who is randomised to the treatment in a parallel trial."""
        return np.asarray(self.step == 0)


def run_trial(
    trial: Trial, simulation: Simulation, *, truth: bool = True, sizes: tuple[int, ...] = ()
) -> list[Happened]:
    """The trial in a prepared simulation of its world; with `sizes` once with each so many people, in the same world.

    Without `truth` the worlds in which nobody and everybody is treated are left out.
    """
    made = []
    with parting(simulation) as arms:
        for wanted in sizes or (trial.wanted,):
            one = trial if wanted == trial.wanted else trial.replace(wanted=wanted)
            enrolled = enrol(one, arms)
            made.append(Happened(one, enrolled, _rows(one, arms, enrolled, truth=truth)))
    return made


@dataclass(frozen=True)
class Happened:
    """`table`: one row a participant and visit.

    person, cluster, step; week; period (of a stepped wedge, from 0); treated (now); baseline, pain (measured), baseline_true,
    pain_true; held (criteria at baseline), holds; alive; seen (alive and not lost); pain_none, pain_all, holds_none, holds_all
    (had nobody, had everybody in the trial been treated; NaN where that was not simulated).
    """

    trial: Trial
    enrolled: Enrolled
    table: pd.DataFrame


def enrol(trial: Trial, arms: Arms) -> Enrolled:
    """Screen, ask and randomise. Raises InputError where there are too few people, or clusters, and says how many there are."""
    simulation = arms.begin()
    view = view_of(simulation)
    able = np.flatnonzero(trial.target().reaches(view))
    true = view.measure("pain")[able].astype(np.float64)
    error = trial.error_sd
    if trial.reliability is not None and able.size > 1:
        error = design.error_of(trial.reliability, float(true.std(ddof=1)))
    persons = simulation.population.person(able)
    shown = design.rated(true, _seen_luck(trial, simulation, persons, 0), error)
    let_in = shown >= trial.least_pain
    consents = _luck(trial, simulation, persons, "consent") < trial.consent
    kept = np.flatnonzero(let_in & consents)
    if kept.size < (trial.wanted or 2):
        eligible = int(let_in.sum())
        said = f"more than there are: of {simulation.people:,} people {eligible:,} are eligible and {kept.size:,} of them consent"
        said += "; simulate more people, or want fewer"
        raise InputError([Fault("wanted", trial.wanted, said)])
    kept = kept[design.chosen(_luck(trial, simulation, persons[kept], "order of enrolment"), trial.wanted)]
    slots, persons = able[kept], persons[kept]
    labels = design.cluster_labels(simulation, trial.clusters, trial.cluster_people)[slots]
    names, cluster = np.unique(labels if trial.clustered else slots, return_inverse=True)
    step = _randomised(trial, simulation, persons, names, cluster)
    treated = step == 0 if trial.design != "stepped_wedge" else step <= trial.steps // 2
    return Enrolled(
        slots, persons, shown[kept], true[kept], _holds(trial, simulation, slots), cluster, step, error,
        int(let_in.sum()), int((let_in & consents).sum()), design.crossing_ties(simulation, slots, treated),
    )  # fmt: skip


def _randomised(
    trial: Trial, simulation: Simulation, persons: NDArray[Any], names: NDArray[Any], cluster: NDArray[Any]
) -> NDArray[np.int64]:
    if not trial.clustered:
        return np.where(_luck(trial, simulation, persons, "arm") < HALF, 0, -1)
    fewest = max(FEWEST_CLUSTERS, trial.steps if trial.design == "stepped_wedge" else 0)
    if names.size < fewest:
        said = f"give {names.size} clusters with participants, and {fewest} are needed at least"
        raise InputError([Fault("clusters", trial.clusters, said)])
    places = names * (trial.cluster_people if trial.clusters == "neighbours" else 1)
    luck = _luck(
        trial, simulation, places << 16, "arm"
    )  # a cluster has the luck of its lowest place, whoever lives there
    of_cluster = design.waves(luck, trial.steps) if trial.design == "stepped_wedge" else design.halves(luck) - 1
    step: NDArray[np.int64] = np.asarray(of_cluster, dtype=np.int64)[cluster]
    return step


def _rows(trial: Trial, arms: Arms, enrolled: Enrolled, *, truth: bool) -> pd.DataFrame:
    wedge = trial.design == "stepped_wedge"
    begins = np.where(enrolled.step >= 0, enrolled.step * trial.weeks, _never(trial))
    seen = _lived(trial, arms, enrolled, begins)
    none = _lived(trial, arms, enrolled, np.full(begins.size, _never(trial))) if truth else None
    everybody = _lived(trial, arms, enrolled, np.zeros(begins.size, dtype=np.int64)) if truth and not wedge else None
    parts = []
    for number, week in enumerate(trial.visits):
        pain, holds = seen[number]
        measured = design.rated(
            np.nan_to_num(pain), _seen_luck(trial, arms.simulation, enrolled.persons, week), enrolled.error
        )
        time = week / (trial.visits[-1] if wedge else trial.weeks)
        luck = _luck(trial, arms.simulation, enrolled.persons, "lost")
        gone = design.lost(luck, trial.dropout, trial.dropout_by_pain, enrolled.baseline, time)
        alive = np.isfinite(pain)
        nothing = (np.full(pain.size, np.nan),) * 2
        without, with_all = (nothing if of is None else of[number] for of in (none, everybody))
        parts.append(
            pd.DataFrame(
                {
                    "person": enrolled.persons, "cluster": enrolled.cluster, "step": enrolled.step, "week": week,
                    "period": number if wedge else 0, "treated": begins < week, "baseline": enrolled.baseline,
                    "pain": np.where(alive, measured, np.nan), "baseline_true": enrolled.true, "pain_true": pain,
                    "held": enrolled.held, "holds": holds, "alive": alive, "seen": alive & ~gone,
                    "pain_none": without[0], "holds_none": without[1], "pain_all": with_all[0], "holds_all": with_all[1],
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _never(trial: Trial) -> int:
    return trial.visits[-1] + 1


def _lived(
    trial: Trial, arms: Arms, enrolled: Enrolled, begins: NDArray[np.int64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """True pain and whether the criteria are met at each visit, NaN of the dead, when each is treated from week `begins` on."""
    from fitss_abm.model.targeting import Persons

    treatment, control = trial.programmes()
    given: list[Programme] = []
    if control is not None:
        given.append(dataclasses.replace(control, target=Persons(tuple(int(p) for p in enrolled.persons))))
    for week in np.unique(begins[begins < trial.visits[-1]]):
        some = Persons(tuple(int(p) for p in enrolled.persons[begins == week]))
        given.append(dataclasses.replace(treatment, target=some, start=int(week) * WEEK))
    if trial.design == "waiting_list" and trial.follow_up and (begins == 0).any() and (begins > 0).any():
        waited = Persons(tuple(int(p) for p in enrolled.persons[begins > 0]))
        given.append(dataclasses.replace(treatment, target=waited, start=trial.weeks * WEEK))
    simulation, found = arms.begin(given), []
    for week in trial.visits:
        simulation.advance(arms.day + week * WEEK - simulation.day)
        holds = _holds(trial, simulation, enrolled.slots).astype(np.float64)
        found.append((arms.pain(enrolled.slots), np.where(arms.alive(enrolled.slots), holds, np.nan)))
    return found


def _holds(trial: Trial, simulation: Simulation, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.uint32(simulation.catalogue.mask([trial.criteria]))
    return np.asarray((simulation.population["conditions"][slots] & mask) != 0)


def _luck(trial: Trial, simulation: Simulation, persons: NDArray[Any], what: str) -> NDArray[np.float64]:
    from fitss_abm.model.randomness import Stream

    return design.uniforms(simulation, Stream.DELIVERY, f"{trial.name}: {what}", persons)


def _seen_luck(trial: Trial, simulation: Simulation, persons: NDArray[Any], week: int) -> NDArray[np.float64]:
    from fitss_abm.model.randomness import Stream

    return design.uniforms(simulation, Stream.MEASUREMENT, f"{trial.name}: rated pain", persons, day=week * WEEK)

"""What nobody could know: true states of everybody invited, and what would have become of them in the other world.

The two worlds have the same people with the same luck, so the effect on a person is exactly the difference between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.measurement.arm_tally import disability_weight
from fitss_abm.study.cohort_care import started_by
from fitss_abm.study.cohort_columns import level_codes
from fitss_abm.study.cohort_fields import GROUPS, LATENT, OUTCOMES
from fitss_abm.study.cohort_part import date_of

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_follow import Study
    from fitss_abm.study.cohort_part import Files

AMONG = ("invited", "participants", "seen", "treated")
"""Of whom mean effects are told: everybody invited, who takes part, who is seen at the visit, who has begun a programme by then."""
_YEAR = 365.25


class Burden:
    """Years lived with disability of whoever lives in each place, since the first look: what holds at both ends of the time between
    two looks counts half each (as in effects of `fitss compare`)."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._day, self._person = simulation.day, simulation.population.person()
        self._weight = disability_weight(simulation.population["conditions"], simulation.catalogue)
        self.years = np.zeros(simulation.people)

    def look(self) -> None:
        """Add the time since the last look."""
        simulation = self._simulation
        person = simulation.population.person()
        weight = disability_weight(simulation.population["conditions"], simulation.catalogue)
        same, years = person == self._person, (simulation.day - self._day) / _YEAR
        lived = (np.where(same, self._weight, weight) + weight) / 2 * years
        self.years = np.where(same, self.years, 0.0) + lived
        self._day, self._person, self._weight = simulation.day, person, weight


class Truth:
    """Writes the tables of the truth of a part."""

    def __init__(self, cohort: Cohort, study: Study, files: Files) -> None:
        self._cohort, self._study, self._files = cohort, study, files
        self._compared = cohort.compared
        self._start = cohort.world().start
        self._sums: list[dict[str, Any]] = []

    def factual(self, number: int, simulation: Simulation, burden: Burden) -> None:
        """Note the states of everybody invited so far who lives, at a visit."""
        persons = np.concatenate([found.people.persons for _, found in self._study.recruitments])
        takes = np.concatenate([found.takes_part for _, found in self._study.recruitments])
        slots = persons >> 16
        alive = simulation.population.person(slots) == persons
        persons, takes, slots = persons[alive], takes[alive], slots[alive]
        who, visit = simulation.population, self._study.visits[number]
        states = outcomes(simulation, slots, burden)
        columns: dict[str, Any] = {
            "person_id": self._study.ids(persons), "visit": np.full(slots.size, number, np.int16),
            "date": date_of(self._start, np.full(slots.size, visit.day)), "participates": takes,
            "seen": np.isin(persons, self._study.seen_now),
            **{name: who[name][slots] for name in LATENT},
            "pain": states["pain"], "wpi": np.bitwise_count(who["body_map"][slots]).astype(np.int16),
            "sss": who["somatic_severity"][slots].astype(np.int16),
        }  # fmt: skip
        held = who["conditions"][slots]
        for id, bit in simulation.catalogue.bit.items():
            columns[f"has_{id}"] = (held >> np.uint32(bit) & np.uint32(1)).astype(bool)
        if not self._compared:
            self._files.write("truth_visits", columns)
            return
        columns |= {f"{name}_factual": values for name, values in states.items()}
        kept = {"person": persons, "treated": started_by(simulation, persons)}
        np.savez(self._kept(number), **kept, **columns)

    def counterfactual(self, number: int, simulation: Simulation, burden: Burden) -> None:
        """Beside what was noted at a visit, the same people in the other world; write both."""
        with np.load(self._kept(number), allow_pickle=False) as file:
            columns: dict[str, Any] = {name: file[name] for name in file.files}
        self._kept(number).unlink()
        persons, treated = columns.pop("person"), columns.pop("treated")
        slots = persons >> 16
        there = simulation.population.person(slots) == persons
        among = (np.ones(slots.size, bool), columns["participates"], columns["seen"], treated)
        sums: dict[str, Any] = {"people": [int((group & there).sum()) for group in among]}
        for name, values in outcomes(simulation, slots, burden).items():
            factual, other = columns[f"{name}_factual"], np.where(there, values, np.float32(np.nan))
            columns[f"{name}_counterfactual"], columns[f"{name}_effect"] = other, factual - other
            sums[name] = [_sums(factual[group & there], other[group & there]) for group in among]
        self._files.write("truth_visits", columns)
        self._sums.append(sums)

    def sums(self) -> list[dict[str, Any]]:
        """By visit: `people` of each of AMONG, and of each outcome sums of factual, counterfactual, effect and its square."""
        return self._sums

    def persons(self) -> None:
        """Write everybody invited, with the traits of the day of invitation."""
        for visit, found in self._study.recruitments:
            people, days = found.people, self._study.visits[visit].day
            self._files.write(
                "truth_persons",
                {
                    "person_id": self._study.ids(people.persons),
                    "sex": level_codes(("male", "female"), people.female.astype(np.int8)),
                    "group": level_codes(GROUPS[self._cohort.design], people.stratum),
                    "invited": date_of(self._start, np.full(people.slots.size, days)),
                    "invitation_probability": found.invitation, "participation_probability": found.participation,
                    "participates": found.takes_part, **self._study.traits[visit],
                },
            )  # fmt: skip

    def _kept(self, number: int) -> Any:
        return self._files.folder / f".visit-{number}.npz"


def outcomes(simulation: Simulation, slots: NDArray[np.int64], burden: Burden) -> dict[str, NDArray[np.float32]]:
    """OUTCOMES of these people today."""
    from fitss_abm.study.arms import view_of

    catalogue, held = simulation.catalogue, simulation.population["conditions"][slots]
    found = {
        "pain": view_of(simulation).measure("pain")[slots],
        "fibromyalgia": (held & np.uint32(catalogue.mask(["fibromyalgia"]))) != 0,
        "any_condition": (held & np.uint32(catalogue.mask(catalogue.counted))) != 0,
        "disability_years": burden.years[slots],
    }
    return {name: found[name].astype(np.float32) for name in OUTCOMES}


def _sums(factual: NDArray[np.float32], other: NDArray[np.float32]) -> list[float]:
    one, two = factual.astype(np.float64), other.astype(np.float64)
    return [float(one.sum()), float(two.sum()), float((one - two).sum()), float(((one - two) ** 2).sum())]

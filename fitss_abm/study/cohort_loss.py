"""Whom and what a study loses: drop-out, missed visits and answers that are left out, drawn by the rules of a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study import cohort_measures as measures
from fitss_abm.study import cohort_missing as missing
from fitss_abm.study.cohort_people import NEVER, YEAR, People

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort


class Losses:
    """Draws what is missing of a part's participants."""

    def __init__(self, cohort: Cohort, simulation: Simulation, people: People) -> None:
        self._simulation, self._people = simulation, people
        self._seed, self._asked = cohort.missing_seed, measures.asked_alone(cohort.instruments)
        self._days = [visit.day for visit in cohort.visited()]
        self._rules = cohort.rules()
        firsts = dict.fromkeys(name for rule in self._rules for name in rule.firsts)
        self._kept = {*firsts, *(part for name in firsts for part in measures.INGREDIENTS.get(name, ()))}
        people.first = {name: np.zeros(0) for name in firsts}

    @property
    def refusal_hangs_on_pain(self) -> bool:
        """Whether taking part hangs on pain that nobody has asked for yet."""
        return any(rule.of == "participation" and rule.mechanism == "mnar" for rule in self._rules)

    def pain(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """What these people would say of their pain today."""
        return measures.administer(self._simulation, slots, [measures.PAIN])[measures.PAIN].astype(np.float64)

    def note_first(self, number: int, asked: NDArray[np.int64], given: Mapping[str, NDArray[Any]]) -> None:
        """Keep the first answers that rules hang on."""
        new = self._people.entered[asked] == number
        for name, values in self._people.first.items():
            values[asked[new]] = given[name][new]

    def drop_out(self, number: int) -> None:
        """Who drops out between the visit before and this one."""
        people = self._people
        rules = [rule for rule in self._rules if rule.of == "dropout"]
        who = np.flatnonzero(people.followed)
        if not rules or not who.size:
            return
        years = (self._days[number] - self._days[number - 1]) / YEAR
        gone = np.zeros(who.size, np.bool_)
        for k, rule in enumerate(rules):
            gone |= self._drawn(rule, missing.over(rule.share, years), f"lost {k}", who, self._pain_if(rule, who))
        people.lost[who[gone]] = number

    def missed(self, number: int, asked: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Who is not seen this time."""
        people = self._people
        missed = np.zeros(len(people), np.bool_)
        who = asked[(people.lost[asked] == NEVER) & (people.entered[asked] < number)]
        for k, rule in enumerate(rule for rule in self._rules if rule.of == "visits"):
            missed[who] |= self._drawn(rule, rule.share, f"visit {k}", who, self._pain_if(rule, who))
        return missed

    def _pain_if(self, rule: missing.Rule, who: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pain today of these participants where a rule hangs on it."""
        return self.pain(self._people.slot[who]) if rule.mechanism == "mnar" else np.zeros(who.size)

    def hidden(
        self, number: int, seen: NDArray[np.int64], shown: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.bool_]]:
        """Of those seen, who leaves which question out."""
        hidden = {name: np.zeros(seen.size, np.bool_) for name in shown}
        at_first = self._people.entered[seen] == number
        for k, rule in enumerate(rule for rule in self._rules if rule.of == "items"):
            for name in rule.items or self._asked:
                among = ~at_first if name in self._kept else np.ones(seen.size, np.bool_)
                drawn = self._drawn(rule, rule.share, f"item {k} {name}", seen[among], shown[name][among])
                hidden[name][among] |= drawn
        for name, parts in measures.INGREDIENTS.items():
            for part in parts:
                if name in hidden and part in hidden:
                    hidden[name] |= hidden[part]
        return hidden

    def _drawn(
        self, rule: missing.Rule, share: float, what: str, who: NDArray[np.int64], itself: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Which of these participants a rule strikes today."""
        people, day = self._people, self._simulation.day
        values: dict[str, NDArray[Any]] = {"age": day - people.birth_day[who], "female": people.female[who]}
        values |= {f"{missing.FIRST}{name}": first[who] for name, first in people.first.items()}
        probability = missing.probabilities(rule, share, values, itself)
        luck = missing.luck(self._simulation, self._seed, what, people.person[who], day)
        return np.asarray(luck < probability)

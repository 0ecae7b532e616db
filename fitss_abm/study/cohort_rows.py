"""The rows of a cohort: what a visit saw, episodes of conditions between visits, and who took part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study import cohort_measures as measures
from fitss_abm.study.cohort_columns import level_codes
from fitss_abm.study.cohort_fields import END_REASONS, GROUPS, SEEN_AS, STATUSES, answers
from fitss_abm.study.cohort_part import date_of
from fitss_abm.study.cohort_people import NEVER, YEAR, People

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_part import Files

SEXES = ("male", "female")
SEEN, MISSED, LOST, DEAD = (STATUSES.index(name) for name in ("seen", "missed", "lost", "dead"))
Ids = Callable[[NDArray[np.int64]], NDArray[np.int64]]


class Rows:
    """Writes what a study saw of a part's participants. `ids`: their numbers, unique over all parts."""

    def __init__(self, cohort: Cohort, simulation: Simulation, people: People, ids: Ids, files: Files) -> None:
        self._simulation, self._people, self.ids, self._files = simulation, people, ids, files
        self._visits, self._start, self._design = cohort.visited(), cohort.world().start, cohort.design
        self._instruments = cohort.instruments
        self._names = [one.name for one in answers(cohort)]
        self._open: dict[tuple[str, str], NDArray[np.int64]] = {}

    def conditions(
        self,
        number: int,
        seen: NDArray[np.int64],
        shown: Mapping[str, NDArray[Any]],
        hidden: Mapping[str, NDArray[np.bool_]],
        records: measures.Records,
    ) -> None:
        """Begin and end episodes of what this visit records of conditions."""
        recorded = measures.recorded(shown, hidden, records, self._people.slot[seen])
        for key, (holds, known) in recorded.items():
            opened = self._open.get(key, np.zeros(0, np.int64))
            opened = np.concatenate([opened, np.full(len(self._people) - opened.size, NEVER)])
            begins = seen[known & holds & (opened[seen] == NEVER)]
            ends = seen[known & ~holds & (opened[seen] != NEVER)]
            self._episodes(key, ends, opened[ends], self._visits[number].day)
            opened[begins], opened[ends] = self._visits[number].day, NEVER
            self._open[key] = opened

    def last_conditions(self) -> None:
        """The episodes that were never seen to end."""
        for key, opened in self._open.items():
            still = np.flatnonzero(opened != NEVER)
            self._episodes(key, still, opened[still], None)

    def _episodes(
        self, key: tuple[str, str], who: NDArray[np.int64], began: NDArray[np.int64], ended: int | None
    ) -> None:
        ids = self._simulation.catalogue.ids
        last = (
            np.full(who.size, np.datetime64("NaT", "D"), "datetime64[D]")
            if ended is None
            else date_of(self._start, np.full(who.size, ended))
        )
        self._files.write(
            "conditions",
            {
                "person_id": self.ids(self._people.person[who]),
                "condition": level_codes(ids, np.full(who.size, ids.index(key[0]))),
                "started": date_of(self._start, began), "ended": last,
                "seen_as": level_codes(SEEN_AS, np.full(who.size, SEEN_AS.index(key[1]))),
            },
        )  # fmt: skip

    def _visit_columns(self, number: int, who: NDArray[np.int64]) -> dict[str, Any]:
        return {
            "person_id": self.ids(self._people.person[who]), "visit": np.full(who.size, number, np.int16),
            "date": date_of(self._start, np.full(who.size, self._visits[number].day)),
        }  # fmt: skip

    def complete(self, number: int, asked: NDArray[np.int64], given: Mapping[str, NDArray[Any]]) -> None:
        """What everybody asked would have answered."""
        self._files.write("truth_complete", {**self._visit_columns(number, asked), **given})

    def visit(
        self, number: int, status: NDArray[Any], seen: NDArray[np.int64], shown: Mapping[str, NDArray[Any]],
        hidden: Mapping[str, NDArray[np.bool_]], weights: NDArray[np.float64],
    ) -> dict[str, Any]:  # fmt: skip
        """A row for everybody recruited so far; how many were seen, missed, lost, dead, and left which question out."""
        import pyarrow as pa

        people, everybody = self._people, np.arange(len(self._people))
        age = (self._simulation.day - people.birth_day) / YEAR
        weight = np.zeros(len(people))
        weight[seen] = weights
        columns: dict[str, Any] = self._visit_columns(number, everybody)
        columns["age"] = pa.array(np.floor(age * 100) / 100, mask=status == DEAD)
        columns["status"] = level_codes(STATUSES, status)
        columns["weight"] = pa.array(weight, mask=weight == 0)
        for name in self._names:
            whole = np.zeros(len(people), shown[name].dtype)
            unknown = np.ones(len(people), np.bool_)
            whole[seen], unknown[seen] = shown[name], hidden[name]
            columns[name] = pa.array(whole, mask=unknown)
        self._files.write("visits", columns)
        return {name: int((status == k).sum()) for k, name in enumerate(STATUSES)} | {
            "missing": {name: int(hidden[name].sum()) for name in self._instruments}
        }

    def persons(self) -> None:
        """A row for each who ever took part."""
        people = self._people
        last = self._visits[-1].day
        lost, dead = people.lost != NEVER, people.died != NEVER
        ended = np.select([lost, dead], [people.last_seen, people.died], last)
        reason = np.select([lost, dead], [END_REASONS.index("lost"), END_REASONS.index("death")], 0)
        days = np.array([visit.day for visit in self._visits])
        self._files.write(
            "persons",
            {
                "person_id": self.ids(people.person), "sex": level_codes(SEXES, people.female.astype(np.int8)),
                "birth_year": date_of(self._start, people.birth_day).astype("datetime64[Y]").astype(int) + 1970,
                "group": level_codes(GROUPS[self._design], people.group),
                "recruited": date_of(self._start, days[people.entered]), "weight": people.weight,
                "ended": date_of(self._start, ended), "end_reason": level_codes(END_REASONS, reason),
            },
        )  # fmt: skip

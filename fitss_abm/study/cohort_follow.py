"""The study itself: participants are asked at each visit; who dies, is lost, misses a visit or skips a question is not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, InputError
from fitss_abm.study import cohort_measures as measures
from fitss_abm.study import cohort_missing as missing
from fitss_abm.study.cohort_care import offers, treatments
from fitss_abm.study.cohort_fields import GROUPS
from fitss_abm.study.cohort_loss import Losses
from fitss_abm.study.cohort_part import date_of
from fitss_abm.study.cohort_people import NEVER, People, traits_of
from fitss_abm.study.cohort_persons import read_persons
from fitss_abm.study.cohort_recruit import Frame, Recruited, adjusted, frame_of, recruit
from fitss_abm.study.cohort_rows import DEAD, LOST, MISSED, SEEN, Rows

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_part import Files


class Study:
    """Follows a part's participants through its one life."""

    def __init__(self, cohort: Cohort, part: int, simulation: Simulation, files: Files) -> None:
        self.cohort, self.simulation, self.files = cohort, simulation, files
        self.visits = cohort.visited()
        self.start = cohort.world().start
        self.people = People()
        self.recruitments: list[tuple[int, Recruited]] = []
        """By visit: who was invited."""
        self.traits: dict[int, dict[str, NDArray[Any]]] = {}
        """By visit: lasting traits of who was invited, with --truth."""
        self.seen_now = np.zeros(0, np.int64)
        """Numbers of those seen at the present visit, sorted."""
        self._frame: Frame | None = None
        self._part = part
        self._offset = cohort.first_place(part) * 65536
        self._only = self._named(part)
        self._diarists = np.zeros(0, np.int64)
        self._records = measures.Records(cohort.world(), simulation)
        self._losses = Losses(cohort, simulation, self.people)
        self._rows = Rows(cohort, simulation, self.people, self.ids, files)
        self._counts: list[dict[str, Any]] = []

    def ids(self, persons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers that are unique over all parts: founders are numbered through."""
        return persons + self._offset

    def visit(self, number: int) -> None:
        """Recruit if it is time to, see who can be seen, and write what was seen."""
        self._losses.drop_out(number)
        self._recruit(number)
        people, alive = self.people, self.people.alive
        asked = np.flatnonzero(alive)
        given = self._asked(people.slot[asked])
        self._losses.note_first(number, asked, given)
        if self.cohort.truth:
            self._rows.complete(number, asked, given)
        missed = self._losses.missed(number, asked)
        status = np.select([people.lost != NEVER, ~alive, missed], [LOST, DEAD, MISSED], SEEN)
        people.last_seen[status == SEEN] = self.simulation.day
        among = status[asked] == SEEN
        seen = asked[among]
        shown = {name: values[among] for name, values in given.items()}
        hidden = self._losses.hidden(number, seen, shown)
        self.seen_now = np.sort(people.person[seen])
        self._rows.conditions(number, seen, shown, hidden, self._records)
        self._counts.append(self._rows.visit(number, status, seen, shown, hidden, self._weights_now(seen)))

    def end(self) -> dict[str, Any]:
        """Write the tables that are known at the end only; what the summary needs."""
        self._rows.persons()
        self._rows.last_conditions()
        if "treatments" in self.files:
            wanted, ids = np.sort(self.people.person), self.ids
            log, programmes = self.simulation.delivery_log, self.cohort.world().delivered()
            self.files.write("treatments", treatments(log, programmes, wanted, ids, self.start))
            self.files.write("offers", offers(log, programmes, wanted, ids, self.start))
        groups = GROUPS[self.cohort.design]
        return {
            "frame": self.recruitments[0][1].frame,
            "invited": sum(found.people.slots.size for _, found in self.recruitments),
            "participants": {group: int((self.people.group == k).sum()) for k, group in enumerate(groups)},
            "short": sum(found.short for _, found in self.recruitments),
            "visits": self._counts,
        }

    def keep_diary(self) -> None:
        """Write the entries of the day that was lived last, if it is one of the diary's."""
        day = self.simulation.day - 1
        if day not in self.cohort.diary_window:
            return
        from fitss_abm.measurement.diary import day_of_diary

        people = self.people
        here = people.alive[self._diarists]
        slots = people.slot[self._diarists[here]]
        entries = day_of_diary(self.simulation, slots, prompts=self.cohort.diary_prompts)
        columns = {name: entries[name].combine_chunks() for name in entries.column_names if name != "day"}
        columns["person_id"] = self.ids(entries["person_id"].to_numpy())
        columns["date"] = date_of(self.start, np.full(entries.num_rows, day))
        self.files.write("diary", columns)

    def _choose_diarists(self) -> None:
        """Those asked to keep a diary, by luck."""
        wanted = self.cohort.quota(self._part, self.cohort.diary)
        if not wanted:
            return
        if wanted > len(self.people):
            said = f"are more than take part: {len(self.people):,} do of a population of {self.simulation.people:,}"
            raise InputError([Fault("diary", self.cohort.diary, said)])
        luck = missing.luck(self.simulation, self.cohort.missing_seed, "diary", self.people.person)
        self._diarists = np.sort(np.argsort(luck, kind="stable")[:wanted])

    def _named(self, part: int) -> NDArray[np.int64] | None:
        """Persons of this part who alone are in the frame, where a file names them."""
        if self.cohort.persons_file is None:
            return None
        ids = read_persons(self.cohort.persons_file)
        low, high = (self.cohort.first_place(k) * 65536 for k in (part, part + 1))
        return np.asarray(ids[(ids >= low) & (ids < high)] - low)

    def let_go(self) -> None:
        """Forget the simulation, so that its memory can be used again."""
        del self.simulation, self._records, self._losses, self._rows

    def _asked(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Every answer of these people today, as the instruments give it."""
        given = measures.administer(self.simulation, slots, self.cohort.instruments)
        return {**given, **measures.survey(self.simulation, slots, self._records)}

    def _recruit(self, number: int) -> None:
        cohort = self.cohort
        if number and cohort.design != "panel":
            return
        without = np.concatenate([found.people.persons for _, found in self.recruitments]) if number else None
        frame = frame_of(cohort, self.simulation, records=self._records, only=self._only, without=without)
        hangs = self._losses.refusal_hangs_on_pain
        pain = self._losses.pain(frame.slots) if hangs else np.zeros(frame.slots.size)
        wanted = cohort.quota(self._part, cohort.participants)
        if number and wanted is not None:  # as many as there were at first
            wanted -= int(self.people.followed.sum())
        found = recruit(cohort, self.simulation, frame, wanted, pain, refresh=number > 0)
        self.people.add(found, self.simulation.population["birth_day"], number, self.simulation.day)
        self.recruitments.append((number, found))
        if cohort.truth:
            self.traits[number] = traits_of(self.simulation, found.people.slots)
        if not number:
            self._frame = frame
            self._choose_diarists()

    def _weights_now(self, seen: NDArray[np.int64]) -> NDArray[np.float64]:
        """What each person seen now stands for: of the frame's living; of a panel, of today's frame."""
        if self.cohort.design == "panel":
            frame = frame_of(self.cohort, self.simulation, records=self._records, only=self._only)
        else:
            assert self._frame is not None
            frame = self._frame[self.simulation.population.person(self._frame.slots) == self._frame.persons]
        place = np.searchsorted(frame.slots, self.people.slot[seen])
        place = np.minimum(place, max(frame.slots.size - 1, 0))
        within = frame.persons[place] == self.people.person[seen] if frame.slots.size else np.zeros(seen.size, bool)
        weight = np.zeros(seen.size)
        weight[within] = adjusted(frame, place[within])
        return weight

"""The study itself: participants are asked at each visit; who dies, is lost, misses a visit or skips a question is not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, InputError
from fitss_abm.study import cohort_measures as measures
from fitss_abm.study import cohort_missing as missing
from fitss_abm.study.cohort_care import offers, treatments
from fitss_abm.study.cohort_checks import read_persons
from fitss_abm.study.cohort_fields import END_REASONS, GROUPS, SEEN_AS, STATUSES, TRAITS, answers, level_codes
from fitss_abm.study.cohort_part import date_of
from fitss_abm.study.cohort_recruit import Frame, Recruited, adjusted, frame_of, recruit

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.cohort import Cohort
    from fitss_abm.study.cohort_part import Files

SEXES = ("male", "female")
SEEN, MISSED, LOST, DEAD = range(4)
_NEWCOMER_DAYS = 4383  # whoever takes a place over is 12 years old that day (model/driver.py)
_NEVER = -1
_YEAR = 365.25


def traits_of(simulation: Simulation, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Lasting traits of people on this day, by name (with whatever a programme has added to them)."""
    return {name: simulation.population[name][slots].astype(np.float32) for name in TRAITS}


class People:
    """Those who took part so far; arrays that grow with each recruitment."""

    def __init__(self) -> None:
        nobody = np.zeros(0, np.int64)
        self.person, self.slot, self.group, self.entered = nobody, nobody, nobody, nobody
        """Number in this population, place, position in the design's groups, visit of recruitment."""
        self.birth_day, self.last_seen, self.died, self.lost = nobody, nobody, nobody, nobody
        """Days of birth, of the last visit seen, of death, of the visit by which they were lost (-1: not)."""
        self.female = np.zeros(0, np.bool_)
        self.weight = np.zeros(0)
        self.first: dict[str, NDArray[np.float64]] = {}
        """Scores at the first visit that rules hang on."""

    def __len__(self) -> int:
        return self.person.size

    def add(self, found: Recruited, birth_day: NDArray[Any], visit: int, day: int) -> None:
        """Take in the participants of a recruitment."""
        new = found.people[found.takes_part]
        count = new.slots.size
        grown = {
            "person": new.persons, "slot": new.slots, "group": new.stratum, "entered": np.full(count, visit),
            "birth_day": birth_day[new.slots].astype(np.int64), "last_seen": np.full(count, day),
            "died": np.full(count, _NEVER), "lost": np.full(count, _NEVER), "female": new.female,
            "weight": found.weight[found.takes_part],
        }  # fmt: skip
        for name, values in grown.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        self.first = {name: np.concatenate([values, np.full(count, np.nan)]) for name, values in self.first.items()}


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
        self._rules = cohort.rules()
        self._names = [one.name for one in answers(cohort)]
        self._firsts = tuple(dict.fromkeys(name for rule in self._rules for name in rule.firsts))
        self._kept = {*self._firsts, *(part for name in self._firsts for part in measures.INGREDIENTS.get(name, ()))}
        self.people.first = {name: np.zeros(0) for name in self._firsts}
        self._open: dict[tuple[str, str], NDArray[np.int64]] = {}
        self._counts: list[dict[str, Any]] = []

    def ids(self, persons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers that are unique over all parts: founders are numbered through."""
        return persons + self._offset

    def alive(self) -> NDArray[np.bool_]:
        """Which participants live."""
        return np.asarray(self.people.died == _NEVER)

    def notice_deaths(self) -> None:
        """Note the day of death of whose place has been taken over since the last look."""
        people, who = self.people, self.simulation.population
        gone = self.alive() & (who.person(people.slot) != people.person)
        people.died[gone] = who["birth_day"][people.slot[gone]] + _NEWCOMER_DAYS

    def visit(self, number: int) -> None:
        """Recruit if it is time to, see who can be seen, and write what was seen."""
        self._lose(number)
        self._recruit(number)
        people, day = self.people, self.simulation.day
        alive = self.alive()
        asked = np.flatnonzero(alive)
        given = self._asked(people.slot[asked])
        self._note_first(number, asked, given)
        if self.cohort.truth:
            self._write_complete(number, asked, given)
        missed = self._missed(number, asked)
        status = np.select([~alive, people.lost != _NEVER, missed], [DEAD, LOST, MISSED], SEEN)
        people.last_seen[status == SEEN] = day
        among = status[asked] == SEEN
        seen = asked[among]
        shown = {name: values[among] for name, values in given.items()}
        hidden = self._hidden(number, seen, shown)
        self.seen_now = np.sort(people.person[seen])
        self._note_conditions(number, seen, shown, hidden)
        self._write_visit(number, status, seen, shown, hidden)

    def end(self) -> dict[str, Any]:
        """Write the tables that are known at the end only; what the summary needs."""
        self._write_persons()
        self._write_conditions()
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
        here = people.died[self._diarists] == _NEVER
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
        del self.simulation, self._records

    def _asked(self, slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Every answer of these people today, as the instruments give it."""
        given = measures.administer(self.simulation, slots, self.cohort.instruments)
        return {**given, **measures.survey(self.simulation, slots, self._records)}

    def _pain(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        return measures.administer(self.simulation, slots, [measures.PAIN])[measures.PAIN].astype(np.float64)

    def _recruit(self, number: int) -> None:
        cohort = self.cohort
        if number and cohort.design != "panel":
            return
        without = np.concatenate([found.people.persons for _, found in self.recruitments]) if number else None
        frame = frame_of(cohort, self.simulation, records=self._records, only=self._only, without=without)
        by_pain = any(rule.of == "participation" and rule.mechanism == "mnar" for rule in self._rules)
        pain = self._pain(frame.slots) if by_pain else np.zeros(frame.slots.size)
        wanted = cohort.quota(self._part, cohort.participants)
        if number and wanted is not None:  # as many as there were at first
            wanted -= int((self.alive() & (self.people.lost == _NEVER)).sum())
        found = recruit(cohort, self.simulation, frame, wanted, pain, refresh=number > 0)
        self.people.add(found, self.simulation.population["birth_day"], number, self.simulation.day)
        self.recruitments.append((number, found))
        if cohort.truth:
            self.traits[number] = traits_of(self.simulation, found.people.slots)
        if not number:
            self._frame = frame
            self._choose_diarists()

    def _lose(self, number: int) -> None:
        """Who drops out between the visit before and this one."""
        people = self.people
        rules = [rule for rule in self._rules if rule.of == "dropout"]
        who = np.flatnonzero(self.alive() & (people.lost == _NEVER))
        if not rules or not who.size:
            return
        years = (self.visits[number].day - self.visits[number - 1].day) / _YEAR
        gone = np.zeros(who.size, np.bool_)
        for k, rule in enumerate(rules):
            gone |= self._drawn(rule, missing.over(rule.share, years), f"lost {k}", who, self._pain_if(rule, who))
        people.lost[who[gone]] = number

    def _missed(self, number: int, asked: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Who is not seen this time."""
        people = self.people
        missed = np.zeros(len(people), np.bool_)
        who = asked[(people.lost[asked] == _NEVER) & (people.entered[asked] < number)]
        for k, rule in enumerate(rule for rule in self._rules if rule.of == "visits"):
            missed[who] |= self._drawn(rule, rule.share, f"visit {k}", who, self._pain_if(rule, who))
        return missed

    def _pain_if(self, rule: missing.Rule, who: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pain today of these participants where a rule hangs on it."""
        return self._pain(self.people.slot[who]) if rule.mechanism == "mnar" else np.zeros(who.size)

    def _hidden(
        self, number: int, seen: NDArray[np.int64], shown: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.bool_]]:
        """Of those seen, who leaves which question out."""
        hidden = {name: np.zeros(seen.size, np.bool_) for name in shown}
        at_first = self.people.entered[seen] == number
        for k, rule in enumerate(rule for rule in self._rules if rule.of == "items"):
            for name in rule.items or measures.asked_alone(self.cohort.instruments):
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
        people, day = self.people, self.simulation.day
        values: dict[str, NDArray[Any]] = {"age": day - people.birth_day[who], "female": people.female[who]}
        values |= {f"{missing.FIRST}{name}": first[who] for name, first in people.first.items()}
        probability = missing.probabilities(rule, share, values, itself)
        luck = missing.luck(self.simulation, self.cohort.missing_seed, what, people.person[who], day)
        return np.asarray(luck < probability)

    def _note_first(self, number: int, asked: NDArray[np.int64], given: Mapping[str, NDArray[Any]]) -> None:
        new = self.people.entered[asked] == number
        for name, values in self.people.first.items():
            values[asked[new]] = given[name][new]

    def _note_conditions(
        self,
        number: int,
        seen: NDArray[np.int64],
        shown: Mapping[str, NDArray[Any]],
        hidden: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        """Begin and end episodes of what this visit records of conditions."""
        recorded = measures.recorded(shown, hidden, self._records, self.people.slot[seen])
        for key, (holds, known) in recorded.items():
            opened = self._open.get(key, np.zeros(0, np.int64))
            opened = np.concatenate([opened, np.full(len(self.people) - opened.size, _NEVER)])
            begins = seen[known & holds & (opened[seen] == _NEVER)]
            ends = seen[known & ~holds & (opened[seen] != _NEVER)]
            self._episodes(key, ends, opened[ends], self.visits[number].day)
            opened[begins], opened[ends] = self.visits[number].day, _NEVER
            self._open[key] = opened

    def _write_conditions(self) -> None:
        for key, opened in self._open.items():
            still = np.flatnonzero(opened != _NEVER)
            self._episodes(key, still, opened[still], None)

    def _episodes(
        self, key: tuple[str, str], who: NDArray[np.int64], began: NDArray[np.int64], ended: int | None
    ) -> None:
        ids = self.simulation.catalogue.ids
        last = (
            np.full(who.size, np.datetime64("NaT", "D"), "datetime64[D]")
            if ended is None
            else date_of(self.start, np.full(who.size, ended))
        )
        self.files.write(
            "conditions",
            {
                "person_id": self.ids(self.people.person[who]),
                "condition": level_codes(ids, np.full(who.size, ids.index(key[0]))),
                "started": date_of(self.start, began), "ended": last,
                "seen_as": level_codes(SEEN_AS, np.full(who.size, SEEN_AS.index(key[1]))),
            },
        )  # fmt: skip

    def _visit_columns(self, number: int, who: NDArray[np.int64]) -> dict[str, Any]:
        return {
            "person_id": self.ids(self.people.person[who]), "visit": np.full(who.size, number, np.int16),
            "date": date_of(self.start, np.full(who.size, self.visits[number].day)),
        }  # fmt: skip

    def _write_complete(self, number: int, asked: NDArray[np.int64], given: Mapping[str, NDArray[Any]]) -> None:
        self.files.write("truth_complete", {**self._visit_columns(number, asked), **given})

    def _write_visit(
        self, number: int, status: NDArray[Any], seen: NDArray[np.int64], shown: Mapping[str, NDArray[Any]],
        hidden: Mapping[str, NDArray[np.bool_]],
    ) -> None:  # fmt: skip
        import pyarrow as pa

        people, everybody = self.people, np.arange(len(self.people))
        age = (self.simulation.day - people.birth_day) / _YEAR
        weight = np.zeros(len(people))
        weight[seen] = self._weights_now(seen)
        columns: dict[str, Any] = self._visit_columns(number, everybody)
        columns["age"] = pa.array(np.floor(age * 100) / 100, mask=status == DEAD)
        columns["status"] = level_codes(STATUSES, status)
        columns["weight"] = pa.array(weight, mask=weight == 0)
        for name in self._names:
            whole = np.zeros(len(people), shown[name].dtype)
            unknown = np.ones(len(people), np.bool_)
            whole[seen], unknown[seen] = shown[name], hidden[name]
            columns[name] = pa.array(whole, mask=unknown)
        self.files.write("visits", columns)
        self._counts.append(
            {name: int((status == k).sum()) for k, name in enumerate(STATUSES)}
            | {"missing": {name: int(hidden[name].sum()) for name in self.cohort.instruments}}
        )

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

    def _write_persons(self) -> None:
        people = self.people
        last = self.visits[-1].day
        lost, dead = people.lost != _NEVER, people.died != _NEVER
        ended = np.select([lost, dead], [people.last_seen, people.died], last)
        reason = np.select([lost, dead], [END_REASONS.index("lost"), END_REASONS.index("death")], 0)
        days = np.array([visit.day for visit in self.visits])
        self.files.write(
            "persons",
            {
                "person_id": self.ids(people.person), "sex": level_codes(SEXES, people.female.astype(np.int8)),
                "birth_year": date_of(self.start, people.birth_day).astype("datetime64[Y]").astype(int) + 1970,
                "group": level_codes(GROUPS[self.cohort.design], people.group),
                "recruited": date_of(self.start, days[people.entered]), "weight": people.weight,
                "ended": date_of(self.start, ended), "end_reason": level_codes(END_REASONS, reason),
            },
        )  # fmt: skip

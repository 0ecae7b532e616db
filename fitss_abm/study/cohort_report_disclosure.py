"""Could somebody be found in an export? Uniqueness, k-anonymity and l-diversity of quasi-identifiers; and, where the population was
built from a user's own records, how near exported rows come to records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.errors import Faults, InputError, nearest_name
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_fields import answers, tables
from fitss_abm.study.cohort_report_folder import CohortFolder, Opened, quoted_name

QUASI = ("sex", "birth_year")
"""Quasi-identifiers, if no others are named: what a neighbour knows."""
SMALL = (5, 11)
"""Class sizes below which is counted: 5 is the usual least k (El Emam and Dankar 2008, doi:10.1197/jamia.M2716), 11 that of cells
that the US Centers for Medicare & Medicaid Services let out."""
_NOT = ("person_id", "visit", "date", "status", "weight")
Floats = np.ndarray[Any, np.dtype[np.float64]]
_MOST = 20_000
"""Exported people of whom the closest record is looked for; of more, every so many-th."""


@dataclass(frozen=True, eq=False)
class Disclosure:
    """What an intruder would find who knows the quasi-identifiers of somebody."""

    quasi: tuple[str, ...]
    sensitive: str | None
    people: int
    sizes: pd.DataFrame
    """size, classes, people: how many classes of people alike in all quasi-identifiers have so many people."""
    least_values: int
    """l-diversity: the least number of distinct known values of the sensitive answer in a class (Machanavajjhala and colleagues
    2007, doi:10.1145/1217299.1217302)."""
    told: float
    """Share of people in classes of two or more who all answer the sensitive question alike."""
    survey: Mapping[str, Any] | None = None
    """Where people came from records: what came of the comparison with them (`near_records`)."""

    @property
    def smallest(self) -> int:
        """k: people in the smallest class (Sweeney 2002, doi:10.1142/S0218488502001648)."""
        return int(self.sizes["size"].min()) if len(self.sizes) else 0

    @property
    def classes(self) -> int:
        """How many."""
        return int(self.sizes["classes"].sum())

    def below(self, size: int) -> float:
        """Share of people in classes smaller than this; `below(2)`: unique."""
        few: float = self.sizes.loc[self.sizes["size"] < size, "people"].sum() / max(1, self.people)
        return float(few)


def usable(cohort: Cohort) -> tuple[str, ...]:
    """Columns that can be quasi-identifiers: of persons, and answers of the first visit."""
    persons = tables(cohort, cohort.world().catalogue())["persons"].fields
    return tuple(one.name for one in (*persons, *answers(cohort)) if one.name not in _NOT)


def check(cohort: Cohort, quasi: Sequence[str], sensitive: str | None, faults: Faults) -> None:
    """Add a fault for every column that does not exist or cannot be used."""
    known = usable(cohort)
    if not quasi:
        faults.add("quasi", "", "must name at least one column")
    for k, name in enumerate(quasi):
        if name not in known:
            faults.add("quasi", name, "no such column of persons or of a visit's answers", nearest_name(name, known))
        elif name in quasi[:k]:
            faults.add("quasi", name, "is named twice")
    if sensitive is not None and sensitive not in known:
        faults.add(
            "sensitive", sensitive, "no such column of persons or of a visit's answers", nearest_name(sensitive, known)
        )
    elif sensitive is not None and sensitive in quasi:
        faults.add("sensitive", sensitive, "is one of the quasi-identifiers; name another")


def usual_sensitive(cohort: Cohort, quasi: Sequence[str]) -> str | None:
    """The sensitive answer, if none is named: the diagnosis of the study's case, else the first yes-or-no answer there is."""
    there = [one.name for one in answers(cohort) if one.type == "bool" and one.name not in quasi]
    wanted = (f"diagnosed_{cohort.case}", "diagnosed_fibromyalgia", "fm_mod2010")
    return next((name for name in (*wanted, *there) if name in there), None)


def disclose(
    cohort: CohortFolder, opened: Opened, *, quasi: Sequence[str] = QUASI, sensitive: str | None = None
) -> Disclosure:
    """Classes of participants who are alike in the quasi-identifiers. A missing answer is a value like any other; of the sensitive
    answer it is none.
    """
    told = _people(cohort, (*quasi, *([sensitive] if sensitive else [])))
    group = ", ".join(quoted_name(name) for name in quasi)
    values = f"count(distinct {quoted_name(sensitive)})" if sensitive else "0"
    classes = (
        f"with people as ({told}), classes as (select count(*) as size, {values} as many from people group by {group})"
    )
    sizes = opened.table(
        f"{classes} select size, count(*) as classes, sum(size)::bigint as people from classes group by size order by size"
    )
    found = opened.table(
        f"{classes} select min(many) as least, coalesce(sum(size) filter (size > 1 and many = 1), 0)::double as told from classes"
    ).iloc[0]
    people = int(sizes["people"].sum())
    return Disclosure(
        tuple(quasi), sensitive, people, sizes, int(found["least"]), float(found["told"]) / max(1, people),
        near_records(cohort, opened) if cohort.survey else None,
    )  # fmt: skip


def near_records(cohort: CohortFolder, opened: Opened) -> dict[str, Any]:
    """How near the exported people come to the records that they began from, in what both say: sex, age in completed years, and
    the scores and conditions that are mapped and asked, at the first visit.

    `columns` compared; `records`, of which `complete` say all of them; `people`, of whom `known` answered all; `equal`: people
    equal to a record in all of them; `equal_to_one`: of these, to one record that no other equals; `nearest`, `among_records`:
    median distance from a person to the closest complete record, and from such a record to the closest other (Euclidean, columns in
    standard deviations of the records); `nearer`: share of people nearer to a record than half of the records are to one another.
    Only `problem` where the survey cannot be read.
    """
    from scipy.spatial import KDTree

    assert cohort.survey is not None
    try:
        columns, records = _records_of(cohort, cohort.survey)
    except InputError as error:
        return {"problem": "; ".join(str(one) for one in error.faults)}
    complete = records[np.isfinite(records).all(axis=1)]
    people = _exported(cohort, opened, columns)
    known = people[np.isfinite(people).all(axis=1)]
    _, place, copies = np.unique(complete, axis=0, return_inverse=True, return_counts=True)
    there = {row.tobytes(): int(copies[k]) for row, k in zip(complete, place.ravel(), strict=True)}
    hits = np.array([there.get(row.tobytes(), 0) for row in np.ascontiguousarray(known)], np.int64)
    found: dict[str, Any] = {
        "columns": list(columns), "records": len(records), "complete": len(complete), "people": len(people), "known": len(known),
        "equal": int((hits > 0).sum()), "equal_to_one": int((hits == 1).sum()),
    }  # fmt: skip
    if len(complete) > 1 and len(known):
        spread = complete.std(axis=0)
        spread[spread == 0] = 1.0
        tree = KDTree(complete / spread)
        sample = known[:: -(-len(known) // _MOST)]
        own = tree.query(complete[:: -(-len(complete) // _MOST)] / spread, k=2)[0][:, 1]
        nearest = tree.query(sample / spread)[0]
        middle = float(np.median(own))
        found |= {
            "nearest": float(np.median(nearest)),
            "among_records": middle,
            "nearer": float(np.mean(nearest < middle)),
        }
    return found


_SAID = {"pain": "pain_average", "wpi": "wpi", "sss": "sss", "adversity": "adversity_reported"}
"""Mapped scores, and the answers that tell the same on the same scale. Loneliness has a scale of its own in every survey."""


def _records_of(cohort: CohortFolder, survey: Mapping[str, Any]) -> tuple[dict[str, str], Floats]:
    """What is compared, as mapped name -> column of the export, and the records as rows of numbers."""
    from fitss_abm.study.records import read_records

    world = cohort.cohort.world()
    records = read_records(survey, world.catalogue(), start=world.start)
    there = {one.name for one in answers(cohort.cohort)}
    said = {**_SAID, **{id: f"diagnosed_{id}" for id in records.conditions}}
    if "fibromyalgia" not in records.conditions:
        said["fibromyalgia_diagnosed"] = "diagnosed_fibromyalgia"
    columns = {"sex": "sex", "age": "age"} | {
        name: said[name] for name in (*records.scores, *records.conditions) if said.get(name) in there
    }
    values = {"sex": records.female, "age": np.floor(records.age), **records.scores, **records.conditions}
    return columns, np.column_stack([values[name] for name in columns]).astype(np.float64)


def _exported(cohort: CohortFolder, opened: Opened, columns: Mapping[str, str]) -> Floats:
    asked = {"sex": "(sex = 'female')::double", "age": "floor(age)::double"}
    chosen = ", ".join(f"{asked.get(name, quoted_name(column) + '::double')} as {quoted_name(name)}"
                       for name, column in columns.items())  # fmt: skip
    told = _people(cohort, ("sex", "age", *(column for name, column in columns.items() if name not in asked)))
    parts = [
        np.column_stack(list(batch.values()))
        for batch in opened.batches(f"with people as ({told}) select {chosen} from people")
    ]
    made: Floats = np.concatenate([np.zeros((0, len(columns))), *parts])
    return made


def _people(cohort: CohortFolder, columns: Sequence[str]) -> str:
    """One row a participant: columns of persons, and answers of the first visit."""
    of_persons = {one.name for one in tables(cohort.cohort, cohort.cohort.world().catalogue())["persons"].fields}
    chosen = ", ".join(f"{'p' if name in of_persons else 'v'}.{quoted_name(name)}" for name in dict.fromkeys(columns))
    return f"select {chosen} from persons p left join visits v on v.person_id = p.person_id and v.date = p.recruited"

"""Columns of a cohort's tables as rows: scores of visits as measurements, answers as observations.

A row of many columns becomes a row a column by unfolding lists, which keeps the order of rows; a join would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fitss_abm.study.omop_concepts import standard_id
from fitss_abm.study.omop_tables import identifier, literal, select

_EXACT_IN_32_BITS = frozenset({"TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "FLOAT"})
_ANSWERS = {"held": "BOOLEAN", "amount": "DOUBLE", "words": "VARCHAR"}
"""What the answer to a question is: yes or no, a number, or words."""


@dataclass(frozen=True)
class Named:
    """One column of the cohort's tables that becomes rows: its type in DuckDB, and what the rows say it is.

    `source`: the concept of our own; `how`: the type concept, how it was recorded; low and high: the range of the score.
    """

    type: str
    source_value: str
    source: int
    how: int
    unit: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Shape:
    """How large the cohort is: people, visits a person at most, courses of treatment; and which columns become rows."""

    people: int
    visits: int
    treatments: int
    about: Mapping[str, Named]
    """Columns of people, as observations."""
    scores: Mapping[str, Named]
    """Columns of visits, as measurements."""
    answers: Mapping[str, Named]
    """Columns of visits, as observations."""

    def firsts(self) -> tuple[int, int, int]:
        """Ids of observation before the first: of people, of visits, of courses."""
        people = self.people * len(self.about)
        return 0, people, people + self.people * self.visits * len(self.answers)

    def largest(self) -> dict[str, int]:
        """The largest id that a table may hold."""
        seen = self.people * self.visits
        return {
            "visit_occurrence": seen,
            "measurement": seen * len(self.scores),
            "observation": self.firsts()[2] + 2 * self.treatments,
        }

    @property
    def visit(self) -> str:
        """SQL of visit_occurrence_id."""
        return f"((number - 1) * {self.visits} + visit + 1)"


def _long(source: str, kept: str, columns: Mapping[str, Named], values: Mapping[str, Iterable[str]]) -> str:
    """One row a row of `source` and column: what is `kept`, `k` from 1, the column's names, its value under each of `values`."""
    names = columns.values()
    lists = {name: "[" + ", ".join(each) + "]" for name, each in values.items()}
    for name, type_ in {"source_value": "VARCHAR", "source": "BIGINT", "how": "BIGINT", "unit": "VARCHAR"}.items():
        lists[name] = "[" + ", ".join(literal(getattr(one, name)) for one in names) + f"]::{type_}[]"
    for name in ("low", "high"):
        lists[name] = "[" + ", ".join(literal(getattr(one, name)) for one in names) + "]::DOUBLE[]"
    unfolded = "".join(f",\n    unnest({each}) AS {name}" for name, each in lists.items())
    return f"FROM (SELECT {kept}, unnest(range(1, {len(columns) + 1})) AS k{unfolded}\n    FROM {source})"


def measurements(shape: Shape) -> str:
    """The query of measurement: each score of each visit seen that is not null."""
    scores = shape.scores
    values = {
        "measurement_id": f"(visit_id - 1) * {len(scores)} + k",
        "person_id": "number",
        "measurement_concept_id": "0",
        "measurement_date": "date",
        "measurement_type_concept_id": "how",
        "value_as_number": "value",
        "unit_concept_id": "CASE WHEN unit IS NOT NULL THEN 0 END",
        "range_low": "low",
        "range_high": "high",
        "visit_occurrence_id": "visit_id",
        "measurement_source_value": "source_value",
        "measurement_source_concept_id": "source",
        "unit_source_value": "unit",
    }
    narrow = all(one.type in _EXACT_IN_32_BITS for one in scores.values())
    value = [_number(name, one.type, narrow) for name, one in scores.items()]
    rows = _long("seen", f"number, date, {shape.visit} AS visit_id", scores, {"value": value})
    return select("measurement", values, f"{rows} WHERE value IS NOT NULL")


def _number(name: str, type_: str, narrow: bool) -> str:
    """A column as a number of 32 bits, or of 64 that are written as briefly: 3.1 and not 3.0999999046."""
    if narrow:
        return f"CAST({identifier(name)} AS FLOAT)"
    return (
        f"CAST(CAST({identifier(name)} AS VARCHAR) AS DOUBLE)"
        if type_ == "FLOAT"
        else f"CAST({identifier(name)} AS DOUBLE)"
    )


def _answer(name: str, type_: str, wanted: str) -> str:
    """A column's value if answers of its type are of the kind that is wanted, else null."""
    kind = type_ if type_ in ("BOOLEAN", "VARCHAR") else "DOUBLE"
    if kind != wanted:
        return f"CAST(NULL AS {wanted})"
    return _number(name, type_, False) if kind == "DOUBLE" else identifier(name)


def questions(source: str, kept: str, columns: Mapping[str, Named], own: Mapping[str, str]) -> str:
    """Answers as observations: yes and no as concepts and words, numbers, and words."""
    yes, no = standard_id("answer:yes"), standard_id("answer:no")
    values = dict(own) | {
        "person_id": "number",
        "observation_concept_id": "0",
        "observation_type_concept_id": "how",
        "value_as_number": "amount",
        "value_as_string": "coalesce(words, CASE WHEN held THEN 'yes' WHEN NOT held THEN 'no' END)",
        "value_as_concept_id": f"CASE WHEN held THEN {yes} WHEN NOT held THEN {no} END",
        "unit_source_value": "unit",
        "observation_source_value": "source_value",
        "observation_source_concept_id": "source",
    }
    each = {kind: [_answer(name, one.type, type_) for name, one in columns.items()] for kind, type_ in _ANSWERS.items()}
    given = " OR ".join(f"{name} IS NOT NULL" for name in _ANSWERS)
    return select("observation", values, f"{_long(source, kept, columns, each)} WHERE {given}")

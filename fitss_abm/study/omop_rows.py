"""What goes where: each OMOP table as one query over a cohort's tables, with ids that depend on nothing but those tables.

The queries read what `omop_source.py` opens, and two small tables of names, `condition_names` and `kind_names`. Ids of what a visit
gives are reckoned from the person's number, visit and column, so no row needs to know of another. Rows come in the order of ids
within each query.
"""

from __future__ import annotations

from fitss_abm.study.omop_answers import Shape, measurements, questions
from fitss_abm.study.omop_concepts import standard_id
from fitss_abm.study.omop_tables import select


def queries(shape: Shape) -> dict[str, str]:
    """The query of each table that rows of people fill."""
    made = {
        "person": _person(),
        "observation_period": _observation_period(),
        "visit_occurrence": _visit_occurrence(shape),
        "condition_occurrence": _condition_occurrence(),
        "drug_exposure": _drug_exposure(),
        "observation": "\nUNION ALL\n".join(_observations(shape)),
        "death": _death(),
    }
    return made | ({"measurement": measurements(shape)} if shape.scores else {})


def _person() -> str:
    female, male = standard_id("sex:female"), standard_id("sex:male")
    values = {
        "person_id": "number",
        "gender_concept_id": f"CASE sex WHEN 'female' THEN {female} WHEN 'male' THEN {male} END",
        "year_of_birth": "birth_year",
        "race_concept_id": "0",
        "ethnicity_concept_id": "0",
        "person_source_value": "person_id",
        "gender_source_value": "sex",
        "gender_source_concept_id": "0",
    }
    return select("person", values, "FROM people")


def _observation_period() -> str:
    values = {
        "observation_period_id": "number",
        "person_id": "number",
        "observation_period_start_date": "recruited",
        "observation_period_end_date": "ended",
        "period_type_concept_id": str(standard_id("type:study")),
    }
    return select("observation_period", values, "FROM people")


def _visit_occurrence(shape: Shape) -> str:
    values = {
        "visit_occurrence_id": shape.visit,
        "person_id": "number",
        "visit_concept_id": str(standard_id("visit")),
        "visit_start_date": "date",
        "visit_end_date": "date",
        "visit_type_concept_id": str(standard_id("type:study")),
        "visit_source_value": "'visit ' || visit",
        "visit_source_concept_id": "0",
    }
    return select("visit_occurrence", values, "FROM seen")


def _condition_occurrence() -> str:
    clinic, criteria = standard_id("type:clinic"), standard_id("type:criteria")
    values = {
        "condition_occurrence_id": "row",
        "person_id": "number",
        "condition_concept_id": "concept",
        "condition_start_date": "started",
        "condition_end_date": "ended",
        "condition_type_concept_id": f"CASE seen_as WHEN 'clinic' THEN {clinic} ELSE {criteria} END",
        "condition_source_value": "source_value",
        "condition_source_concept_id": "source",
        "condition_status_source_value": "seen_as",
    }
    rows = (
        "FROM (SELECT conditions.*, number, condition_names.* EXCLUDE (condition),\n"
        "    row_number() OVER (ORDER BY number, condition, seen_as, started, conditions.ended) AS row\n"
        "    FROM conditions JOIN people USING (person_id) JOIN condition_names USING (condition)) ORDER BY row"
    )
    return select("condition_occurrence", values, rows)


def _courses(wanted: str) -> str:
    """Courses of treatment that are `wanted`, numbered in one order whether drugs or not."""
    return (
        "FROM (SELECT treatments.*, number, (SELECT max(date) FROM visits) AS last, kind_names.* EXCLUDE (kind),\n"
        "    row_number() OVER (ORDER BY number, started, programme, treatments.ended, reason) AS row\n"
        "    FROM treatments JOIN people USING (person_id) JOIN kind_names USING (kind))\n"
        f"WHERE {wanted} ORDER BY row"
    )


def _drug_exposure() -> str:
    values = {
        "drug_exposure_id": "row",
        "person_id": "number",
        "drug_concept_id": "concept",
        "drug_exposure_start_date": "started",
        "drug_exposure_end_date": "coalesce(ended, greatest(started, last))",
        "verbatim_end_date": "ended",
        "drug_type_concept_id": str(standard_id("type:study")),
        "stop_reason": "CASE WHEN ended IS NOT NULL THEN reason END",
        "sig": "programme",
        "drug_source_value": "source_value",
        "drug_source_concept_id": "source",
    }
    return select("drug_exposure", values, _courses("drug"))


def _observations(shape: Shape) -> list[str]:
    """About people, at visits, and programmes that are no drugs: three blocks of ids."""
    people, visits, courses = shape.firsts()
    found = []
    if shape.about:
        kept, id, date = "number, recruited", f"{people} + (number - 1) * {len(shape.about)} + k", "recruited"
        found.append(questions("people", kept, shape.about, {"observation_id": id, "observation_date": date}))
    if shape.answers:
        kept, id = f"number, date, {shape.visit} AS visit_id", f"{visits} + (visit_id - 1) * {len(shape.answers)} + k"
        own = {"observation_id": id, "observation_date": "date", "visit_occurrence_id": "visit_id"}
        found.append(questions("seen", kept, shape.answers, own))
    for step, (date, word) in enumerate((("started", "'started'"), ("ended", "coalesce(reason, 'ended')")), 1):
        values = {
            "observation_id": f"{courses} + (row - 1) * 2 + {step}",
            "person_id": "number",
            "observation_concept_id": "0",
            "observation_date": date,
            "observation_type_concept_id": str(standard_id("type:study")),
            "value_as_string": word,
            "observation_source_value": "source_value",
            "observation_source_concept_id": "source",
            "qualifier_source_value": "programme",
        }
        rows = select("observation", values, _courses(f"NOT drug AND {date} IS NOT NULL"))
        found.append(f"SELECT * FROM ({rows})")
    return found


def _death() -> str:
    values = {
        "person_id": "number",
        "death_date": "ended",
        "death_type_concept_id": str(standard_id("type:study")),
    }
    return select("death", values, "FROM people WHERE end_reason = 'death'")

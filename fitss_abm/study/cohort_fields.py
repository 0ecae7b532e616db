"""The tables of a cohort: what each column holds, with type, unit, levels, source. One place for Parquet, CSV and dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fitss_abm.study.cohort_columns import Field, Table
from fitss_abm.study.cohort_measures import score_fields, survey_fields

if TYPE_CHECKING:
    from fitss_abm.model.conditions import Catalogue
    from fitss_abm.study.cohort import Cohort

STATUSES = ("seen", "missed", "lost", "dead")
END_REASONS = ("end of study", "death", "lost")
LEFT = ("completed", "dropped out", "side effects", "died", "still treated")
ANSWERS = ("started", "declined", "cleared by screening", "waiting", "unserved", "died")
SEEN_AS = ("clinic", "criteria")
LATENT = ("threat", "soothing", "alert", "sensitization", "felt_support", "loneliness")
OUTCOMES = ("pain", "fibromyalgia", "any_condition", "disability_years")
"""Outcomes of the truth: rated pain (0 to 10), meeting the criteria (0 or 1), at least one of the conditions that count (0 or 1),
years lived with disability since the start."""
TRAITS = (
    "adversity", "threat_reactivity", "central_gain", "soothing_capacity", "support_uptake", "giving", "sensory_sensitivity",
)  # fmt: skip
GROUPS = {
    "population": ("population",), "clinic": ("clinic",), "case-control": ("case", "control"), "panel": ("panel",),
    "birth-adversity": ("birth-adversity: exposed", "birth-adversity: unexposed"),
}  # fmt: skip


_PERSON = Field("person_id", "id", "person; never reused, the same in every table", required=True)


def tables(cohort: Cohort, catalogue: Catalogue) -> dict[str, Table]:
    """The tables of this cohort by name, those of the truth last."""
    programmes = bool(cohort.world().programmes)
    made = [_persons(cohort), _visits(cohort), _conditions(catalogue)]
    if programmes:
        made += [_treatments(cohort), _offers(cohort)]
    if cohort.diary:
        made.append(_diary())
    if cohort.truth:
        made += [_truth_persons(cohort), _truth_visits(cohort, catalogue), _truth_complete(cohort)]
    return {one.name: one for one in made}


def _persons(cohort: Cohort) -> Table:
    return Table(
        "persons", "People who took part, one row each",
        (
            _PERSON,
            Field("sex", "level", "sex", levels=("female", "male"), required=True),
            Field("birth_year", "int", "year of birth", "year", required=True),
            Field("group", "level", "how they came into the study", levels=GROUPS[cohort.design], required=True),
            Field("recruited", "date", "date of recruitment, which is that of their first visit", required=True),
            Field("weight", "float", "sampling weight: people of the sampling frame that this one stands for, after adjustment to "
                  "the frame's sex and age within the group", "people", low=0, required=True),
            Field("ended", "date", "date of death, of the last visit seen of who was lost, else of the last visit", required=True),
            Field("end_reason", "level", "why the follow-up ended", levels=END_REASONS, required=True),
        ),
        ("person_id",), refers=False,
    )  # fmt: skip


def _visit_columns() -> tuple[Field, ...]:
    return (
        _PERSON,
        Field("visit", "int", "number of the visit, from 0", low=0, required=True),
        Field("date", "date", "date of the visit", required=True),
    )


def _visits(cohort: Cohort) -> Table:
    status = Field(
        "status", "level", "seen; missed: not seen this time; lost: dropped out before; dead",
        levels=STATUSES, required=True,
    )  # fmt: skip
    weight = Field(
        "weight", "float", "cross-sectional weight of who was seen: to the frame's living, by sex and age within the group",
        "people", low=0,
    )  # fmt: skip
    return Table(
        "visits", "What was seen at each visit, one row a person and visit since recruitment",
        (*_visit_columns(), Field("age", "float", "age at the visit", "years", low=0), status, weight, *answers(cohort)),
        ("person_id", "visit"),
    )  # fmt: skip


def answers(cohort: Cohort) -> tuple[Field, ...]:
    """The columns that a visit fills: scores, and what a survey asks."""
    return (*score_fields(cohort.instruments), *survey_fields(cohort.world()))


def _conditions(catalogue: Catalogue) -> Table:
    return Table(
        "conditions", "What the study recorded of conditions, one row an episode between visits",
        (
            _PERSON,
            Field("condition", "level", "condition of the catalogue", levels=catalogue.ids, required=True),
            Field("started", "date", "visit at which it was first seen", required=True),
            Field("ended", "date", "first visit at which it was seen no more; empty: seen to the last"),
            Field("seen_as", "level", "clinic: present in medical records; criteria: by the study's own criteria",
                  levels=SEEN_AS, required=True),
        ),
    )  # fmt: skip


def _programme_columns(cohort: Cohort) -> tuple[Field, ...]:
    programmes = cohort.world().delivered()
    names = tuple(one.name for one in programmes)
    kinds = tuple(dict.fromkeys(one.kind for one in programmes))
    return (
        _PERSON,
        Field("programme", "level", "name of the programme", levels=names, required=True),
        Field("kind", "level", "kind of programme (fitss describe programmes)", levels=kinds, required=True),
    )


def _treatments(cohort: Cohort) -> Table:
    return Table(
        "treatments", "Who got which programme, one row a course, as a register would have it",
        (
            *_programme_columns(cohort), Field("started", "date", "first day of treatment", required=True),
            Field("ended", "date", "last day of treatment; empty: still treated at the last visit"),
            Field("left", "level", "why treatment ended", levels=LEFT, required=True),
        ),
    )  # fmt: skip


def _offers(cohort: Cohort) -> Table:
    return Table(
        "offers", "Who was offered which programme, one row an offer",
        (
            *_programme_columns(cohort), Field("offered", "date", "date of the offer", required=True),
            Field("answer", "level", "what became of it by the last visit", levels=ANSWERS, required=True),
        ),
    )  # fmt: skip


def _diary() -> Table:
    about = "instruments.toml: a daily diary"
    told = (
        ("hassle", "bool", "any hassle since the last prompt", "", None), ("hassles", "int", "how many", "hassles", None),
        ("severity", "float", "their severities, summed", "unit exponential each", None),
        ("stress", "float", "stress of the day", "0-100", 100), ("negative_affect", "float", "negative affect", "0-100", 100),
        ("positive_affect", "float", "positive affect", "0-100", 100), ("pain", "float", "pain of the day", "points", 10),
        ("sleep", "float", "quality of last night's sleep, at the first prompt", "points", 10),
    )  # fmt: skip
    return Table(
        "diary", "A daily diary of some participants, one row a person, day and prompt",
        (
            _PERSON, Field("date", "date", "day that the entry is about", required=True),
            Field("prompt", "int", "prompt of the day, from 0", low=0, required=True),
            Field("answered", "bool", "whether it was answered", required=True),
            *(
                Field(name, type, title, unit, low=None if type == "bool" else 0, high=high, source=about)
                for name, type, title, unit, high in told
            ),
        ),
        ("person_id", "date", "prompt"),
    )  # fmt: skip


def _truth_persons(cohort: Cohort) -> Table:
    from fitss_abm.model.columns import COLUMNS

    columns = {one.name: one for one in COLUMNS}
    return Table(
        "truth_persons", "Everybody invited, participants or not: lasting traits and how they were chosen",
        (
            _PERSON, Field("sex", "level", "sex", levels=("female", "male"), required=True),
            Field("group", "level", "stratum of the design", levels=GROUPS[cohort.design], required=True),
            Field("invited", "date", "date of the invitation", required=True),
            Field("invitation_probability", "float", "share of the frame's stratum that was invited", low=0, high=1, required=True),
            Field("participation_probability", "float", "probability of taking part if invited", low=0, high=1, required=True),
            Field("participates", "bool", "whether they took part", required=True),
            *(Field(name, "float", columns[name].label, columns[name].unit, required=True) for name in TRAITS),
        ),
        ("person_id",), truth=True, refers=False,
    )  # fmt: skip


def _truth_visits(cohort: Cohort, catalogue: Catalogue) -> Table:
    from fitss_abm.model.columns import COLUMNS

    columns = {one.name: one for one in COLUMNS}
    fields = [
        *_visit_columns(),
        Field("participates", "bool", "whether they took part", required=True),
        Field("seen", "bool", "whether the study saw them at this visit", required=True),
        *(Field(name, "float", columns[name].label, columns[name].unit) for name in LATENT),
        Field("pain", "float", "rated pain without the instrument's error", "points", low=0, high=10),
        Field("wpi", "int", "painful sites of this week", "sites", low=0, high=19),
        Field("sss", "int", "symptom severity scale of this week", "points", low=0, high=12),
        *(Field(f"has_{id}", "bool", f"{catalogue[id].label}: has it") for id in catalogue.ids),
    ]
    words = {
        "pain": ("rated pain", "points"), "fibromyalgia": ("fibromyalgia by the criteria, 0 or 1", ""),
        "any_condition": ("at least one condition that counts, 0 or 1", ""),
        "disability_years": ("years lived with disability since the start", "years"),
    }  # fmt: skip
    for name in OUTCOMES if cohort.compared else ():
        said, unit = words[name]
        fields += [
            Field(f"{name}_factual", "float", f"{said}: in the scenario", unit),
            Field(f"{name}_counterfactual", "float", f"{said}: in the counterfactual world, with the same luck", unit),
            Field(f"{name}_effect", "float", f"{said}: factual less counterfactual", unit),
        ]
    return Table(
        "truth_visits", "The state of everybody invited at each visit since, and what it would have been",
        tuple(fields), ("person_id", "visit"), truth=True, refers=False,
    )  # fmt: skip


def _truth_complete(cohort: Cohort) -> Table:
    return Table(
        "truth_complete", "The answers of every living participant at each visit, before anything was lost",
        (*_visit_columns(), *answers(cohort)), ("person_id", "visit"), truth=True, refers=False,
    )  # fmt: skip

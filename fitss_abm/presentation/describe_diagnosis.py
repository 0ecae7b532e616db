"""The numbers of surveys and clinics, as a section of `fitss describe`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitss_abm.measurement.diagnosis import ClinicOf, SurveyOf, shipped
from fitss_abm.presentation.describe import Section


def diagnosis() -> Section:
    """A row a condition and way to see it: its numbers, and where each comes from."""
    numbers = shipped()
    rows = [(id, "survey", _survey(one), _source(one.source)) for id, one in numbers.survey.items()]
    rows += [(id, "clinic", _clinic(one), _source(one.source)) for id, one in numbers.clinic.items()]
    words = (
        "How conditions are seen by others than the model itself (docs/definitions.md). Survey: who has it says so with the "
        "sensitivity, who has not says so with 1 less the specificity. Clinic: recognised in this share of men, in women at so "
        "many log odds more, once the years with the condition exceed a delay of this mean (women sooner, the worse off sooner); "
        "then recorded, in some under another name, and kept. `[diagnosis]` of a scenario replaces numbers."
    )
    return Section("How conditions are seen", words, ("condition", "seen as", "numbers", "source"), tuple(rows))


def _survey(one: SurveyOf) -> str:
    if one.instrument is not None:
        return f"criterion {one.instrument} of `fitss describe instruments`"
    return f"sensitivity {one.sensitivity:g}, specificity {one.specificity:g}"


def _clinic(one: ClinicOf) -> str:
    parts = ["recognised by the model's own rule of care"] if one.rule else []
    if not one.rule:
        parts.append(f"recognised {one.recognised:g}" + (f" (women {one.female:+g} log odds)" if one.female else ""))
        parts.append(f"delay {one.delay:g} years")
    parts += [f"{share:g} as {name.replace('_', ' ')}" for name, share in one.miscoded.items() if share]
    if one.false_per_1000_years:
        parts.append(f"falsely {one.false_per_1000_years:g} per 1000 person-years")
    return ", ".join(parts)


def _source(source: Any) -> str:
    if not isinstance(source, Mapping):
        return str(source)
    return "; ".join(f"{name}: {said}" for name, said in source.items())

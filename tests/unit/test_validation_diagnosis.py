"""Published facts about diagnoses are asked of medical records, and of nothing else."""

import numpy as np

from fitss_abm.measurement.diagnosis import SEEN_AS
from fitss_abm.presentation.describe import SECTIONS
from fitss_abm.study.follow_up import LAST, SURVEY, follow
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.validation_diagnosis import DIAGNOSIS, seen_for
from fitss_abm.study.validation_reasons import REASONS
from fitss_abm.study.validation_rows import estimands

IBS = "irritable_bowel_syndrome"


def test_facts_about_diagnoses_have_an_answer_where_records_are_kept() -> None:
    assert seen_for([*DIAGNOSIS, "mean.alert"]) == SEEN_AS
    assert seen_for(["mcs_prev_dk"]) == ("truth",)
    assert not set(DIAGNOSIS) & set(REASONS)
    cohort = follow(Scenario(people=2500, threads=1, seen_as=seen_for(DIAGNOSIS)).simulation())
    found = {name: estimands()[name].estimator(cohort) for name in DIAGNOSIS}
    assert all(0 < estimate.low < estimate.value < estimate.high for estimate in found.values())
    alive = cohort.alive(SURVEY) & cohort.alive(LAST)
    early, late = (cohort.visits[day].has(IBS, column="on_record")[alive] for day in (SURVEY, LAST))
    assert (late >= early).all()
    for visit in cohort.visits.values():
        del visit.columns["on_record"]  # type: ignore[attr-defined]
    assert all(np.isnan(estimands()[name].estimator(cohort).value) for name in DIAGNOSIS)


def test_numbers_of_surveys_and_clinics_are_described_with_sources() -> None:
    rows = {(row[0], row[1]): row for row in SECTIONS["diagnosis"]().rows}
    assert "1.93" in rows["chronic_migraine", "clinic"][3]
    assert "women +0.658 log odds" in rows["chronic_migraine", "clinic"][2]
    assert "fm_acr2016" in rows["fibromyalgia", "survey"][2]
    assert all(row[3] for row in rows.values())

"""People seen as truth, by a survey and by a clinic: what each sees, whose luck it is, and that nobody is changed by it."""

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from fitss_abm.errors import Faults, InputError
from fitss_abm.measurement.diagnosis import SEEN_AS, ClinicOf, SurveyOf, made_of, shipped
from fitss_abm.measurement.instruments import administer
from fitss_abm.measurement.observers import Observer, observation_days
from fitss_abm.measurement.seen import Clinic, Survey, look
from fitss_abm.model.simulation import Simulation
from fitss_abm.study import estimands
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.simulate import simulate

TABLES = ("prevalence", "period_prevalence", "sex_ratio", "incidence", "comorbidity", "counts")
IBS, BACK = "irritable_bowel_syndrome", "chronic_low_back_pain"
MODIFIED, DIAGNOSED = "fibromyalgia_modified_2010", "fibromyalgia_diagnosed"
LATER = 200
RUN = {"scenario": "baseline", "replicate": 0}


class Watched:
    """A prepared simulation that keeps time with conditions; what its records held at first, and later."""

    def __init__(self) -> None:
        self.scenario = Scenario(people=20_000, years=1, threads=1, seen_as=SEEN_AS)
        self.simulation = self.scenario.simulation()
        self.simulation.prepare()
        self.first = Clinic(self.simulation).records()[1]
        self.living = self.simulation.population["generation"].copy()
        self.said = Survey(self.simulation).words()
        self.held = self.simulation.population["conditions"].copy()
        self.simulation.advance(LATER)

    def has(self, words: NDArray[np.uint32], id: str) -> NDArray[np.bool_]:
        return np.asarray((words >> np.uint32(self.simulation.catalogue.bit[id]) & np.uint32(1)) > 0)

    def truth(self, id: str) -> NDArray[np.bool_]:
        return self.has(self.simulation.population["conditions"], id)

    def records(self, **numbers: ClinicOf) -> NDArray[np.uint32]:
        return Clinic(self.simulation, numbers).records()[1]


@pytest.fixture(scope="module")
def watched() -> Watched:
    return Watched()


@pytest.fixture(scope="module")
def both() -> tuple[Any, Any]:
    few = Scenario(people=2000, years=1.2, threads=1)
    return simulate(few), simulate(few.replace(seen_as=("survey", "truth", "clinic")))


def test_lives_are_the_same_whoever_looks() -> None:
    plain, seen = (Scenario(people=2000, threads=1, seen_as=how).simulation() for how in (("truth",), SEEN_AS))
    for simulation in (plain, seen):
        simulation.prepare()
    for name in SEEN_AS:
        look(seen, name).words()
    for simulation in (plain, seen):
        simulation.advance(100)
    for name in plain.population:
        assert np.array_equal(plain.population[name], seen.population[name]), name


def test_seen_as_truth_the_tables_are_those_of_an_observer_of_the_state(both: tuple[Any, Any]) -> None:
    scenario = Scenario(people=2000, years=1.2, threads=1)
    simulation = scenario.simulation()
    simulation.prepare()
    observer = Observer(simulation, start=scenario.start)

    for day, pairs in observation_days(scenario.start, scenario.days).items():
        simulation.advance(day - simulation.day)
        observer.observe(pairs=pairs)
    counts = observer.counts()
    makers = {"counts": "condition_numbers"}
    for name in TABLES:
        maker = getattr(estimands, makers.get(name, name))
        known = {} if name == "counts" else {"catalogue": simulation.catalogue}
        expected = maker(counts, *known.values(), run=RUN)
        table = getattr(both[0], name)
        assert list(table["seen_as"].unique()) == ["truth"]
        pd.testing.assert_frame_equal(table.drop(columns="seen_as"), expected, check_exact=True)


@pytest.mark.parametrize("name", TABLES)
def test_who_else_looks_moves_no_number_of_truth(name: str, both: tuple[Any, Any]) -> None:
    alone, among = (getattr(results, name) for results in both)
    of_truth = among[among["seen_as"] == "truth"].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_truth, alone, check_exact=True)


def test_tables_leave_out_what_cannot_be_seen(both: tuple[Any, Any]) -> None:
    seen = both[1]
    clinic, survey = (seen.prevalence[seen.prevalence["seen_as"] == way] for way in ("clinic", "survey"))
    assert "chronic_widespread_pain" in set(survey["condition"])
    assert "chronic_widespread_pain" not in set(clinic["condition"])
    assert "survey" not in set(seen.incidence["seen_as"])
    assert set(seen.incidence.loc[seen.incidence["seen_as"] == "clinic", "onset"]) == {"first"}
    assert set(seen.period_prevalence.loc[seen.period_prevalence["seen_as"] == "clinic", "period"]) == {"ever"}
    new = seen.incidence[(seen.incidence["seen_as"] == "clinic") & (seen.incidence["condition"] == BACK)]
    assert new["new_cases"].max() > 0


def test_a_perfect_survey_sees_the_truth(watched: Watched) -> None:
    numbers = {id: SurveyOf(1.0, 1.0) for id in watched.simulation.catalogue.ids}
    assert np.array_equal(Survey(watched.simulation, numbers).words(), watched.simulation.population["conditions"])


def test_a_survey_errs_as_often_as_its_numbers_say(watched: Watched) -> None:
    numbers = {BACK: SurveyOf(0.7, 0.9)}
    said, truth = watched.has(Survey(watched.simulation, numbers).words(), BACK), watched.truth(BACK)
    for share, among, probability in ((said, truth, 0.7), (said, ~truth, 0.1)):
        n = int(among.sum())
        error = 4 * (probability * (1 - probability) / n) ** 0.5
        assert share[among].mean() == pytest.approx(probability, abs=error)


def test_answers_last_and_are_a_matter_of_person_and_condition(watched: Watched) -> None:
    now = Survey(watched.simulation).words()
    same = watched.living == watched.simulation.population["generation"]
    unchanged = same & (watched.held == watched.simulation.population["conditions"])
    lasting = np.uint32(watched.simulation.catalogue.mask([BACK, "ptsd", "vulvodynia"]))
    assert np.array_equal(now[unchanged] & lasting, watched.said[unchanged] & lasting)
    alone = Survey(watched.simulation, {"ptsd": shipped().survey["ptsd"]}).words()
    assert np.array_equal(watched.has(alone, "ptsd"), watched.has(now, "ptsd"))


def test_criteria_are_computed_from_what_is_reported_today(watched: Watched) -> None:
    slots = np.arange(watched.simulation.people)
    told = administer(watched.simulation, slots, scores=("fm_acr2016", "cwp"))
    said = Survey(watched.simulation).words()
    assert np.array_equal(watched.has(said, "fibromyalgia"), told["fm_acr2016"])
    assert np.array_equal(watched.has(said, "chronic_widespread_pain"), told["cwp"])
    own = made_of({"fibromyalgia": {"survey": {"sensitivity": 1.0, "specificity": 1.0}}}, Faults()).survey
    by_numbers = Survey(watched.simulation, own).words()
    assert np.array_equal(watched.has(by_numbers, "fibromyalgia"), watched.truth("fibromyalgia"))


def test_no_man_reports_or_is_given_a_condition_of_women(watched: Watched) -> None:
    men = watched.simulation.population["female"] == 0
    said = Survey(watched.simulation, {"vulvodynia": SurveyOf(1.0, 0.5)}).words()
    given = watched.records(vulvodynia=ClinicOf(false_per_1000_years=100.0))
    for words in (said, given):
        assert not watched.has(words, "vulvodynia")[men].any()
        assert watched.has(words, "vulvodynia")[~men].any()


def test_what_is_on_record_stays_there(watched: Watched) -> None:
    same = watched.living == watched.simulation.population["generation"]
    present, now = Clinic(watched.simulation).records()
    assert not (watched.first & ~now)[same].any()
    assert np.bitwise_count(now[same]).sum() > np.bitwise_count(watched.first[same]).sum()
    assert not (present & ~now).any()


def test_nobody_is_recognised_before_their_delay_has_passed(watched: Watched) -> None:
    simulation = watched.simulation
    hazards = [c.id for c in simulation.catalogue.conditions if c.has_hazard]
    time = simulation.population["care_time"][hazards.index(IBS)]
    had = time > 0
    at_once, soon, late = (
        watched.has(watched.records(**{IBS: ClinicOf(recognised=1.0, delay=delay)}), IBS) for delay in (0.0, 2.0, 20.0)
    )
    assert np.array_equal(at_once, had)
    assert not (late & ~soon).any()
    assert late.sum() < soon.sum() < had.sum()
    women = simulation.population["female"] > 0
    sooner = np.where(women, np.exp(simulation.parameters["care_female"]), 1.0)
    expected = 1 - np.exp(-time[had] * sooner[had] / 2.0)
    error = 4 * np.sqrt((expected * (1 - expected)).sum())
    assert soon.sum() == pytest.approx(expected.sum(), abs=error)


def test_recognition_and_its_women(watched: Watched) -> None:
    had = watched.has(watched.records(**{BACK: ClinicOf(recognised=1.0)}), BACK)
    women = watched.simulation.population["female"] > 0
    some = watched.has(watched.records(**{BACK: ClinicOf(recognised=0.2, female=1.0)}), BACK)
    odds = 0.25 * np.e
    for who, share in ((~women, 0.2), (women, odds / (1 + odds))):
        n = int((had & who).sum())
        assert some[had & who].mean() == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)


def test_a_miscoded_diagnosis_stands_under_another_name(watched: Watched) -> None:
    plain = watched.has(watched.records(**{IBS: ClinicOf(recognised=1.0)}), IBS)
    numbers = {IBS: ClinicOf(recognised=1.0, miscoded={"elsewhere": 0.3, "ptsd": 0.5}), "ptsd": ClinicOf()}
    words = watched.records(**numbers)
    own, other = watched.has(words, IBS), watched.has(words, "ptsd")
    assert not (own & ~plain).any()
    assert not (own & other).any()
    for found, share in ((own, 0.2), (other, 0.5)):
        assert found.sum() / plain.sum() == pytest.approx(share, abs=4 * (share * (1 - share) / plain.sum()) ** 0.5)


def test_fewer_at_each_step_into_the_clinic_and_more_of_them_women(watched: Watched) -> None:
    population = watched.simulation.population
    meets = watched.truth(MODIFIED) & (population["age"] >= 18)
    record = watched.has(Clinic(watched.simulation).words(), "fibromyalgia")
    steps = [meets, meets & (population["care_sought"] > 0), meets & watched.truth(DIAGNOSED), meets & record]
    assert not (watched.truth(DIAGNOSED) & (population["care_sought"] == 0)).any()
    assert not (record & ~watched.truth(DIAGNOSED)).any()
    counts = [int(step.sum()) for step in steps]
    assert counts == sorted(counts, reverse=True)
    error = 3 * (0.2 * 0.8 / counts[0]) ** 0.5
    assert 1 / 6 - error < counts[3] / counts[0] < 1 / 4 + error
    women = [float((population["female"][step] > 0).mean()) for step in steps]
    assert women[0] + 0.1 < women[2]
    assert women[0] < 0.75
    assert women[3] > 0.8


def test_the_wait_ends_with_the_diagnosis(watched: Watched) -> None:
    fresh = watched.scenario.replace(people=3000).simulation()
    fresh.prepare()
    told = (fresh.population["conditions"] >> np.uint32(fresh.catalogue.bit[DIAGNOSED]) & 1) > 0
    before, living = fresh.population["care_waited"].copy(), fresh.population["generation"].copy()
    assert before[told].max() > 1
    fresh.advance(70)
    still = told & (fresh.population["generation"] == living)
    assert np.array_equal(fresh.population["care_waited"][still], before[still])


def test_a_clinic_needs_records() -> None:
    plain = Scenario(people=100, threads=1).simulation()
    with pytest.raises(InputError, match="care_records"):
        look(plain, "clinic")
    with pytest.raises(InputError, match="Did you mean 'survey'"):
        look(plain, "surve")


def test_every_number_has_a_source() -> None:
    text = files("fitss_abm.data").joinpath("diagnosis.toml").read_text(encoding="utf-8")
    for id, views in tomllib.loads(text).items():
        for view, numbers in views.items():
            assert numbers["source"], (id, view)
            if view == "clinic":
                assert {"recognised", "delay", "miscoded", "false"} <= set(numbers["source"]), id
    assert set(shipped().clinic) <= set(Scenario().catalogue().ids)


def test_a_scenario_has_numbers_of_its_own() -> None:
    asked = Scenario(people=100, seen_as="clinic,truth", diagnosis={"vulvodynia": {"clinic": {"recognised": 0.9}}})
    assert asked.seen_as == ("clinic", "truth")
    again = Scenario(**tomllib.loads(asked.to_toml()))
    assert again.seen_as == asked.seen_as
    faults = Faults()
    assert made_of(again.diagnosis, faults).clinic["vulvodynia"].recognised == 0.9
    assert (
        dataclasses.replace(shipped().clinic["vulvodynia"], recognised=0.9)
        == made_of(again.diagnosis, faults).clinic["vulvodynia"]
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong: dict[str, Any] = {
        "vulvodinia": {"clinic": {"recognised": 0.2}},
        "ptsd": {"clinik": {}, "survey": {"sensitivty": 0.5, "specificity": 2}},
        IBS: {"clinic": {"miscoded": {"back": 0.9, "elsewhere": 0.4}}},
    }
    with pytest.raises(InputError) as told:
        Scenario(people=100, seen_as=("truth", "clinc", "truth"), diagnosis=wrong)
    said = str(told.value)
    for words in (
        "Did you mean 'clinic'", "twice", "Did you mean 'vulvodynia'", "diagnosis.ptsd.clinik", "Did you mean 'sensitivity'",
        "between 0 and 1", "no such condition", "add up to 1",
    ):  # fmt: skip
        assert words in said, words


def test_records_survive_saving(watched: Watched, tmp_path: Path) -> None:
    small = watched.scenario.replace(people=500)
    one: Simulation = small.simulation()
    one.prepare()
    path = one.save(tmp_path / "state.npz")
    two = small.simulation()
    two.restore(path)
    assert np.array_equal(Clinic(one).records()[1], Clinic(two).records()[1])

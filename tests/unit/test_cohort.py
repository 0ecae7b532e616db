"""Cohorts: who is recruited by each design, what weights stand for, the truth, parts, and what is kept."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_part import TELL, run
from fitss_abm.study.cohort_run import Exported, export
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import MissingRuns

PEOPLE = 4000
SCORES = ("pain_average", "wpi", "sss", "fm_acr2016")
BEFRIENDED = [{"kind": "befriending", "start": datetime.date(2025, 1, 8)}]


def of(**changed: Any) -> Cohort:
    values: dict[str, Any] = {"scenario": {"people": PEOPLE}, "visits": ("0", "1y"), "instruments": SCORES}
    return Cohort(**(values | changed))


def made(cohort: Cohort, folder: Path, **how: Any) -> Exported:
    return export(cohort, folder, format="parquet", **how)


def table(found: Exported | Path, name: str, *, truth: bool = False) -> pd.DataFrame:
    folder = found if isinstance(found, Path) else found.folder
    return pd.read_parquet(folder / ("truth" if truth else "data") / f"{name}.parquet")


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """All adults of a world with a programme, nothing missing, and the truth."""
    world = {"people": PEOPLE, "programmes": BEFRIENDED}
    return made(of(scenario=world, truth=True, visits=("0", "6m", "1y")), tmp_path_factory.mktemp("all") / "it")


def test_nothing_is_missing_where_nothing_was_asked_to_be(everybody: Exported) -> None:
    persons, visits = table(everybody, "persons"), table(everybody, "visits")
    assert persons.person_id.is_unique
    assert len(visits) == 3 * len(persons)
    seen = visits[visits.status == "seen"]
    assert not seen[[*SCORES, "age", "weight", "job_strain"]].isna().any().any()
    unseen = visits[visits.status != "seen"]
    assert (unseen.status == "dead").all()
    assert unseen[[*SCORES, "weight"]].isna().all().all()
    assert (persons.end_reason == "death").sum() == (visits[visits.visit == 2].status == "dead").sum() > 5
    assert np.allclose(persons.weight, 1.0)


def test_people_age_and_die_on_the_days_they_do(everybody: Exported) -> None:
    world = everybody.cohort.world().replace(threads=1)
    simulation = world.simulation()
    simulation.prepare()
    died: dict[int, int] = {}

    def on_death(slots: Any) -> None:
        died.update(dict.fromkeys(simulation.population.person(slots).tolist(), simulation.day - 1))

    born = dict(zip(simulation.population.person().tolist(), simulation.population["birth_day"].tolist(), strict=True))
    simulation.advance(everybody.cohort.visited()[-1].day, on_death=on_death)
    persons = table(everybody, "persons").set_index("person_id")
    dead = persons[persons.end_reason == "death"]
    assert set(dead.index) == {person for person in died if person in persons.index}
    ended = pd.to_datetime(dead.ended) - pd.Timestamp(world.start)
    assert ended.dt.days.to_dict() == {person: died[person] for person in dead.index}
    birth = pd.Timestamp(world.start) + pd.to_timedelta([born[person] for person in persons.index], "D")
    assert np.array_equal(birth.year, persons.birth_year)


def test_a_study_changes_nobodys_life(everybody: Exported) -> None:
    world = everybody.cohort.world()
    simulation = world.simulation()
    simulation.prepare()
    simulation.advance(everybody.cohort.visited()[-1].day)
    last = table(everybody, "visits", truth=True)
    last = last[last.visit == 2].set_index("person_id")
    slots = last.index.to_numpy() >> 16
    for name in ("threat", "soothing", "alert", "sensitization", "loneliness"):
        assert np.array_equal(last[name].to_numpy(), simulation.population[name][slots]), name


def test_an_effect_is_factual_less_counterfactual_and_begins_with_the_programme(everybody: Exported) -> None:
    truth = table(everybody, "visits", truth=True)
    for outcome in ("pain", "fibromyalgia", "any_condition", "disability_years"):
        factual, other = truth[f"{outcome}_factual"], truth[f"{outcome}_counterfactual"]
        assert np.array_equal(truth[f"{outcome}_effect"], factual - other), outcome
    assert (truth[truth.visit == 0].filter(like="_effect") == 0).all().all()
    assert (truth[truth.visit == 2].pain_effect != 0).mean() > 0.1
    assert np.array_equal(truth.pain, truth.pain_factual)
    assert np.array_equal(truth.has_fibromyalgia, truth.fibromyalgia_factual == 1)
    effects = pd.read_csv(everybody.folder / "truth" / "effects.csv")
    row = effects[(effects.visit == 2) & (effects.outcome == "pain") & (effects.among == "invited")].iloc[0]
    assert row.effect == pytest.approx(truth[truth.visit == 2].pain_effect.mean(), abs=1e-6)
    assert row.effect_sd == pytest.approx(truth[truth.visit == 2].pain_effect.std(ddof=0), abs=1e-6)


def test_the_other_world_is_the_scenario_without_its_programmes(everybody: Exported, tmp_path: Path) -> None:
    bare = made(of(truth=True, visits=("0", "6m", "1y")), tmp_path / "bare")
    alone = table(bare, "visits", truth=True)
    assert not any(name.endswith("_effect") for name in alone.columns)
    both = table(everybody, "visits", truth=True)
    assert np.array_equal(alone.person_id, both.person_id)
    assert np.array_equal(alone.pain, both.pain_counterfactual)


@pytest.mark.parametrize("changed", [{}, {"parameters": {"support_weight": 0.5}}])
def test_there_is_no_effect_where_the_worlds_are_equal(changed: dict[str, Any], tmp_path: Path) -> None:
    world = {"people": 600, **changed}
    found = made(of(scenario=world, truth=True, counterfactual=changed), tmp_path / "it")
    truth = table(found, "visits", truth=True)
    assert (truth.filter(like="_effect") == 0).all().all()
    differs = made(
        of(scenario=world, truth=True, counterfactual={"parameters": {"support_weight": 0.2}}), tmp_path / "on"
    )
    assert (table(differs, "visits", truth=True).filter(like="_effect") != 0).any().any()


def test_treatments_and_offers_are_those_of_the_log(everybody: Exported) -> None:
    simulation = everybody.cohort.world().simulation()
    simulation.prepare()
    simulation.advance(everybody.cohort.visited()[-1].day)
    from fitss_abm.model.delivery_log import Event

    log = simulation.delivery_log
    persons = set(table(everybody, "persons").person_id)
    courses, offers = table(everybody, "treatments"), table(everybody, "offers")
    started = [person for person in log.persons(Event.STARTED).tolist() if person in persons]
    assert sorted(started) == sorted(courses.person_id)
    assert sorted(p for p in log.persons(Event.OFFERED).tolist() if p in persons) == sorted(offers.person_id)
    assert set(offers[offers.answer == "started"].person_id) == set(started)
    ways = {"dropped out": Event.DROPPED, "died": Event.DIED, "completed": Event.ENDED}
    for said, event in ways.items():
        assert (courses.left == said).sum() == sum(p in set(started) for p in log.persons(event).tolist()), said
    still = courses.left == "still treated"
    assert courses[still].ended.isna().all()
    assert (pd.to_datetime(courses[~still].ended) > pd.to_datetime(courses[~still].started)).all()


# Designs


def test_a_clinic_has_its_patients_and_nobody_else(everybody: Exported, tmp_path: Path) -> None:
    found = made(
        of(scenario={"people": PEOPLE, "programmes": BEFRIENDED}, design="clinic", truth=True), tmp_path / "it"
    )
    states = table(everybody, "visits", truth=True)
    patients = states[(states.visit == 0) & states.has_fibromyalgia_diagnosed].person_id
    assert set(table(found, "persons").person_id) == set(patients)
    assert len(patients) > 10


def test_controls_are_alike_in_sex_and_age_and_are_no_cases(everybody: Exported, tmp_path: Path) -> None:
    world = {"people": PEOPLE, "programmes": BEFRIENDED}
    found = made(of(scenario=world, design="case-control", controls=3), tmp_path / "it")
    persons = table(found, "persons").merge(
        table(everybody, "visits", truth=True).query("visit == 0")[["person_id", "has_fibromyalgia_diagnosed"]]
    )
    assert np.array_equal(persons.group == "case", persons.has_fibromyalgia_diagnosed)
    ages = table(found, "visits").query("visit == 0").set_index("person_id").age.loc[persons.person_id].to_numpy()
    cells = pd.crosstab([persons.sex, ages // 5], persons.group)
    assert (cells.control <= 3 * cells.case).all()
    assert cells.control.sum() + found.summary.short == 3 * cells.case.sum()
    assert found.summary.short == 0, "in so many people there are controls enough"
    adults = (table(everybody, "visits").visit == 0).sum()
    assert persons.weight.sum() == pytest.approx(adults, rel=1e-5)
    assert persons[persons.group == "case"].weight.to_numpy() == pytest.approx(1.0)


def test_the_exposed_are_oversampled_from_the_young_and_weighted_back(tmp_path: Path) -> None:
    found = made(of(design="birth-adversity", participants=60, truth=True), tmp_path / "it")
    persons = table(found, "persons").merge(table(found, "persons", truth=True)[["person_id", "adversity"]])
    assert (persons.group.value_counts() == 30).all()
    assert np.array_equal(persons.group == "birth-adversity: exposed", persons.adversity >= 4)
    visits = table(found, "visits")
    assert visits[visits.visit == 0].age.between(12, 26).all()
    frame = persons.weight.sum()
    exposed = persons[persons.group == "birth-adversity: exposed"].weight.sum()
    assert frame == pytest.approx(found.summary.frame, rel=1e-5)
    assert 0.02 < exposed / frame < 0.2 < len(persons[persons.adversity >= 4]) / len(persons)


def test_a_panel_is_brought_back_to_its_size(tmp_path: Path) -> None:
    lost = {"of": "dropout", "share": 0.3}
    found = made(of(design="panel", participants=300, visits=("0", "1y", "2y"), missing=(lost,)), tmp_path / "it")
    persons, visits = table(found, "persons"), table(found, "visits")
    followed = visits[visits.status.isin(["seen", "missed"])].groupby("visit").size()
    assert followed.to_list() == [300, 300, 300]
    assert len(persons) > 400
    assert set(pd.to_datetime(persons.recruited).dt.year) == {2025, 2026, 2027}
    assert persons.person_id.is_unique
    for number in (0, 1, 2):
        now = visits[(visits.visit == number) & visits.weight.notna()]
        assert now.weight.sum() == pytest.approx(PEOPLE * 0.94, rel=0.02), "weights stand for the adults of the day"


def test_weights_undo_non_response_by_age(everybody: Exported, tmp_path: Path) -> None:
    rule = {"of": "participation", "mechanism": "mar", "share": 0.4, "on": {"age": 1.5, "female": 0.5}}
    world = {"people": PEOPLE, "programmes": BEFRIENDED}
    found = made(of(scenario=world, missing=(rule,), truth=True), tmp_path / "it")
    first = table(found, "visits").query("visit == 0")
    truth = table(everybody, "visits").query("visit == 0").age
    invited = table(found, "persons", truth=True)
    assert len(invited) == len(truth)
    assert invited.participates.mean() == pytest.approx(0.6, abs=4 * (0.24 / len(truth)) ** 0.5)
    assert invited.participation_probability.mean() == pytest.approx(0.6, abs=1e-5)
    plain, weighted = first.age.mean(), np.average(first.age, weights=first.weight)
    assert plain < truth.mean() - 5
    assert weighted == pytest.approx(truth.mean(), abs=0.6)


def test_what_doctors_have_diagnosed_is_what_records_hold(everybody: Exported, tmp_path: Path) -> None:
    world = everybody.cohort.world().replace(seen_as=("clinic",))
    simulation = world.simulation()
    simulation.prepare()
    (clinic,) = world.looks(simulation)
    held = clinic.records()[1]  # type: ignore[attr-defined]
    first = table(everybody, "visits").query("visit == 0")
    slots = first.person_id.to_numpy() >> 16
    asked = [name.removeprefix("diagnosed_") for name in first.columns if name.startswith("diagnosed_")]
    assert tuple(asked) == clinic.conditions
    for id in asked:
        assert np.array_equal(first[f"diagnosed_{id}"], (held[slots] >> simulation.catalogue.bit[id]) & 1), id
    patients = clinic.words()[slots] >> simulation.catalogue.bit["irritable_bowel_syndrome"] & 1 == 1
    found = made(
        of(scenario={"people": PEOPLE, "programmes": BEFRIENDED}, design="clinic", case="irritable_bowel_syndrome"),
        tmp_path / "it",
    )
    assert set(table(found, "persons").person_id) == set(first.person_id[patients])
    episodes = table(found, "conditions").query("condition == 'irritable_bowel_syndrome' and seen_as == 'clinic'")
    assert set(episodes.person_id) == set(first.person_id[patients])
    assert (pd.to_datetime(episodes.started) == "2025-01-01").all()


# What is missing


def test_answers_that_are_missing_are_among_those_that_were_given(tmp_path: Path) -> None:
    rules = (
        {"mechanism": "mnar", "share": 0.3, "items": ["pain_average"], "slope": 2.0}, {"share": 0.2, "items": ["wpi"]},
        {"of": "visits", "share": 0.1},
    )  # fmt: skip
    found = made(of(missing=rules, truth=True), tmp_path / "it")
    seen = table(found, "visits").query("status == 'seen'").set_index(["person_id", "visit"])
    whole = table(found, "complete", truth=True).set_index(["person_id", "visit"]).loc[seen.index]
    for name in SCORES:
        there = seen[name].notna()
        assert (seen[name][there] == whole[name][there]).all()
    gone = seen.pain_average.isna()
    error = 4 * (0.21 / len(seen)) ** 0.5
    assert gone.mean() == pytest.approx(0.3, abs=error)
    assert whole.pain_average[gone].mean() > whole.pain_average[~gone].mean() + 1
    assert seen.wpi.isna().mean() == pytest.approx(0.2, abs=error)
    assert abs(whole.wpi[seen.wpi.isna()].mean() - whole.wpi[seen.wpi.notna()].mean()) < 4 * whole.wpi.std() / 500**0.5
    assert seen.fm_acr2016[seen.wpi.isna()].isna().all(), "a criterion cannot be known without what it is made from"
    later = table(found, "visits").query("visit == 1")
    assert (later.status == "missed").mean() == pytest.approx(0.1, abs=4 * (0.09 / len(later)) ** 0.5)


def test_what_mar_hangs_on_is_seen(tmp_path: Path) -> None:
    rules = ({"mechanism": "mar", "share": 0.4, "on": {"first_pain_average": 2.0}}, {"share": 0.2})
    found = made(of(missing=rules), tmp_path / "it")
    visits = table(found, "visits").query("status == 'seen'")
    first = visits[visits.visit == 0].set_index("person_id")
    assert first.pain_average.notna().all()
    assert first.sss.isna().mean() > 0.4
    gone = visits[visits.visit == 1].set_index("person_id").sss.isna()
    before = first.pain_average.loc[gone.index].astype(float)
    assert before[gone].mean() > before[~gone].mean() + 0.8


def test_who_drops_out_never_comes_back(tmp_path: Path) -> None:
    found = made(
        of(visits=("0", "1y", "2y"), missing=({"of": "dropout", "mechanism": "mnar", "share": 0.2, "slope": 2.0},)),
        tmp_path / "it",
    )
    visits = table(found, "visits").pivot(index="person_id", columns="visit", values="status")
    lost = visits[1] == "lost"
    assert visits[2][lost].isin(["lost", "dead"]).all()
    alive = visits[1] != "dead"
    assert lost[alive].mean() == pytest.approx(0.2, abs=4 * (0.16 / alive.sum()) ** 0.5)
    persons = table(found, "persons").set_index("person_id").loc[visits.index]
    assert (persons.end_reason[lost] == "lost").all()
    assert (pd.to_datetime(persons.ended[lost]) == "2025-01-01").all()


# Parts


def in_parts(**changed: Any) -> Cohort:
    rules = ({"mechanism": "mar", "share": 0.2}, {"of": "dropout", "share": 0.1})
    values: dict[str, Any] = {
        "scenario": {"people": 900, "programmes": [{**BEFRIENDED[0], "capacity": 90}]},
        "part_people": 300,
    }
    return of(
        **(values | {"missing": rules, "truth": True, "participants": 500, "diary": 6, "diary_days": 3} | changed)
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_parts_done_by_workers_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    def backwards(jobs: list[Job], **how: Any) -> Outcome:
        return run_many(jobs[::-1], **how)

    one = made(in_parts(), tmp_path / "one")
    two = made(in_parts(), tmp_path / "two", workers=2, run=backwards)
    assert bytes_of(one.folder) == bytes_of(two.folder)
    assert one.summary == two.summary
    persons = table(one, "persons")
    assert persons.person_id.is_unique
    assert len(persons) == 500
    assert sorted(persons.person_id // 65536 // 300).count(1) in (166, 167)
    assert table(one, "diary").groupby("person_id").ngroups == 6
    courses = table(one, "treatments")
    most = max(
        int(((courses.person_id // 65536 // 300 == part) & (pd.to_datetime(courses.started) == day)).sum())
        for part in range(3) for day in pd.to_datetime(courses.started).unique()
    )  # fmt: skip
    assert 0 < most <= 30, "each part has its share of the places"
    assert not (one.folder / "runs").exists()


def test_parts_are_people_of_their_own(tmp_path: Path) -> None:
    found = made(in_parts(participants=None, diary=None, diary_days=28), tmp_path / "it")
    first = table(found, "visits", truth=True).query("visit == 0")
    part = first.person_id // 65536 // 300
    age = [first.threat[part == k].to_numpy()[:200] for k in range(3)]
    assert abs(np.corrcoef(age)[np.triu_indices(3, 1)]).max() < 4 / 200**0.5


def test_an_interrupted_export_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(in_parts(), tmp_path / "whole")
    lived: list[int] = []

    def stopped(jobs: list[Job], **how: Any) -> Outcome:
        run_many(jobs[:2], **how)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(in_parts(), tmp_path / "it", run=stopped)
    assert sorted(path.name for path in (tmp_path / "it").iterdir()) == ["runs"]
    (tmp_path / "it" / "runs" / "part-1" / "visits.parquet").write_bytes(b"broken")
    (tmp_path / "it" / "runs" / ".part-2-torn").mkdir()

    def counted(jobs: list[Job], **how: Any) -> Outcome:
        held = {path.stem for path in how["folder"].glob("part-*.json")}
        lived.extend(int(job.key.removeprefix("part-")) for job in jobs if job.key not in held)
        return run_many(jobs, **how)

    again = made(in_parts(), tmp_path / "it", run=counted)
    assert lived == [1, 2], "a part whose rows are broken is done again"
    assert bytes_of(again.folder) == bytes_of(whole.folder)


def test_a_part_that_fails_leaves_no_cohort(tmp_path: Path) -> None:
    def failing(jobs: list[Job], **how: Any) -> Outcome:
        return Outcome({}, {job.key: "its worker process died" for job in jobs})

    with pytest.raises(MissingRuns):
        made(in_parts(), tmp_path / "it", run=failing)
    assert not list((tmp_path / "it").glob("*.json"))


def test_progress_is_told_within_a_part(tmp_path: Path) -> None:
    told: list[float] = []
    token = TELL.set(told.append)
    run(cohort=of(scenario={"people": 300}, truth=True).to_toml(), part=0, folder=str(tmp_path))
    TELL.reset(token)
    assert told == sorted(told)
    assert len(told) > 20
    assert told[-1] == 1.0


# Persons by name


def test_people_named_in_a_file_are_seen_again(tmp_path: Path) -> None:
    first = export(of(scenario={"people": 900}, participants=50, part_people=300), tmp_path / "first", format="csv")
    named = tmp_path / "first" / "data" / "persons.csv"
    later = made(
        of(scenario={"people": 900}, part_people=300, persons_file=str(named), visits=("6m",)), tmp_path / "later"
    )
    before = pd.read_csv(named)
    assert set(table(later, "persons").person_id) <= set(before.person_id)
    assert len(table(later, "persons")) > 45
    assert first.summary.people == later.summary.people


def test_a_cohort_is_its_text() -> None:
    one = in_parts(design="case-control", case="fibromyalgia", counterfactual={"parameters": {"support_weight": 0.2}},
                   persons_file=None)  # fmt: skip
    assert Cohort.from_toml(one.to_toml()) == one
    assert Cohort.from_toml(one.to_toml()).other() == one.other()
    with pytest.raises(InputError):
        one.replace(design="clinc")

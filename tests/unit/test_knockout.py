"""Knock-outs: what is taken out is really out, the better version scores better, and a refit goes from end to end."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from fitss_abm.cli import app
from fitss_abm.errors import InputError
from fitss_abm.model.simulation import Simulation
from fitss_abm.presentation.knockout_page import MOST_DIFFERENT, page, words
from fitss_abm.presentation.knockout_plot import draw_knockout, knockout_sheet
from fitss_abm.study import knockout, knockout_score
from fitss_abm.study.calibration_plan import Free, Plan, Row, Solved, shipped_plan
from fitss_abm.study.calibration_runs import candidate
from fitss_abm.study.calibrator import Settings
from fitss_abm.study.knockout import (
    BUDGET,
    FULL,
    VARIANTS,
    Record,
    Variant,
    chosen,
    plan_of,
    read_records,
    refit,
    write_records,
)
from fitss_abm.study.knockout_facts import combined, distance, facts
from fitss_abm.study.knockout_score import ALIKE, BETTER, CAP, LARGE, UNCLEAR, WORSE, Knockout, score
from fitss_abm.study.many import Job, Outcome
from fitss_abm.study.missing_runs import MissingRuns
from fitss_abm.study.numbers import as_scenario
from fitss_abm.study.scenario import Scenario

SETTINGS = json.loads(json.dumps(dataclasses.asdict(BUDGET)))


def record(name: str, **changes: Any) -> Record:
    fixed = dict(VARIANTS[name].fixed)
    values = {**fixed, **{number: prior.low for number, prior in VARIANTS[name].freed.items()}}
    return dataclasses.replace(
        Record(name, fixed, values, 12.0, SETTINGS, 230, 0, "code", {"arguments": {}, "estimates": {}}), **changes
    )


def lived(name: str, people: int = 600, **more: float) -> Simulation:
    made = Scenario(people=people, threads=1, **as_scenario({**VARIANTS[name].fixed, **more})).simulation()
    made.prepare()
    return made


# What is taken out


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_name_numbers_that_exist_within_their_bounds(name: str) -> None:
    variant, plan = VARIANTS[name], plan_of(VARIANTS[name])
    assert not set(variant.fixed) & {*plan.free, *plan.solved}
    assert set(variant.freed) <= set(plan.free)
    assert set(plan.free) <= set(shipped_plan().free) | set(variant.freed)
    assert {**plan.rows} == {id: row for id, row in shipped_plan().rows.items() if id not in variant.left_out}
    assert variant.out
    # as many numbers to fit with, but for the two that the feedback and the memory never had, and what liability swaps
    assert len(plan.free) >= len(shipped_plan().free) - 1


def test_the_full_model_is_the_shipped_plan_and_only_liability_frees_its_two_numbers() -> None:
    assert dict(plan_of(VARIANTS[FULL]).free) == dict(shipped_plan().free)
    for name, variant in VARIANTS.items():
        assert ("susceptibility_sd" in variant.freed) == (name == "liability_only")
        assert ("somatic_pain_correlation" in variant.freed) == (name == "liability_only")
    assert plan_of(VARIANTS["liability_only"]).free["susceptibility_sd"] == Free(0.3, 2.0)


def test_a_variant_with_wrong_numbers_is_told_with_all_its_faults() -> None:
    wrong = Variant("x", "X", "", {"support_wieght": 0.0, "alert_memory_days": 0.5}, {"gain_sd": Free(0.0, 9.0)})
    with pytest.raises(InputError) as caught:
        plan_of(wrong)
    assert "support_weight" in str(caught.value)
    assert len(caught.value.faults) == 3


def test_without_soothing_it_is_one_constant_for_everybody() -> None:
    soothing = lived("no_soothing").population["soothing"]
    assert np.ptp(soothing) < 1e-5
    assert np.ptp(lived(FULL).population["soothing"]) > 0.5


def test_without_support_what_is_felt_does_not_reach_soothing() -> None:
    little, much = (lived("no_support", support_baseline=baseline).population for baseline in (0.1, 3.0))
    assert much["felt_support"].mean() > little["felt_support"].mean() + 0.3
    for column in ("soothing", "alert", "sensitization", "conditions"):
        assert np.array_equal(little[column], much[column]), column


def test_without_memory_the_mean_of_alert_is_alert() -> None:
    who = lived("no_alert_memory").population
    assert np.allclose(who["alert_mean"], who["alert"], atol=1e-6)
    assert not np.allclose(lived(FULL).population["alert_mean"], lived(FULL).population["alert"], atol=1e-2)


def test_without_feedback_sensitization_does_not_reach_threat() -> None:
    # what else comes back from it, by symptoms and by sleep, is shut too
    rest = {"burden_weight": 0.0, "sleep_recovery_effect": 0.0}
    slow, fast = (
        lived("no_sensitization_feedback", sensitization_rate=rate, **rest).population for rate in (1e-4, 2e-3)
    )
    assert fast["sensitization"].mean() > 2 * slow["sensitization"].mean()
    assert np.array_equal(slow["threat"], fast["threat"])
    assert np.array_equal(slow["alert"], fast["alert"])


def test_with_liability_alone_stress_reaches_neither_conditions_nor_pain() -> None:
    calm, tense = (lived("liability_only", hassle_rate=rate) for rate in (0.0, 2.0))
    assert tense.population["alert"].mean() > calm.population["alert"].mean() + 0.1
    hazards = np.uint32(calm.catalogue.mask([c.id for c in calm.catalogue.conditions if c.has_hazard]))
    assert np.array_equal(calm.population["conditions"] & hazards, tense.population["conditions"] & hazards)
    assert (calm.population["conditions"] & hazards).any()
    for column in ("body_map", "poor_sleep"):
        assert np.array_equal(calm.population[column], tense.population[column]), column


# Scores


def runner(shifts: Mapping[str, float], spread: float = 0.02, **answers: Any) -> Any:
    """A runner in whose worlds every fact lies so many standard deviations above the middle of its range, give or take luck."""

    def run(jobs: Sequence[Job], **_: object) -> Outcome:
        results = {}
        for job in jobs:
            name, _ = job.key.rsplit("-", 1)
            luck = np.random.default_rng([job.arguments["replicate"], len(name)])
            found = {}
            for _, row in facts():
                middle = row.centre + (shifts[name] + luck.normal(0.0, spread)) * row.sd
                found[row.id] = [float(row.unscaled(middle + end * row.sd)) for end in (0.0, -0.05, 0.05)]
            results[job.key] = found | answers.get(name, {})
        return Outcome(results, {})

    return run


def scored(shifts: Mapping[str, float], **more: Any) -> Knockout:
    replicates = more.pop("replicates", 5)
    return score(
        {name: record(name) for name in shifts}, people=1000, replicates=replicates, run=runner(shifts, **more)
    )


def test_a_version_that_is_nearer_scores_better_and_the_model_can_lose() -> None:
    found = scored({FULL: 1.5, "no_support": 0.2, "no_soothing": 3.0, "no_alert_memory": 1.52})
    for role in ("fit", "check"):
        full, better, worse, alike = (found.of(name, role) for name in found.records)
        assert better["rms"] < full["rms"] < worse["rms"]
        assert full["rms"] == pytest.approx(1.5, abs=0.05)
        assert full["within"] == full["rows"] == better["within"]
        assert worse["within"] == 0
        assert (full["verdict"], better["verdict"], worse["verdict"], alike["verdict"]) == ("", BETTER, WORSE, ALIKE)
        assert better["low"] < better["rms_more"] < better["high"] < 0
    said = "\n".join(words(found))
    assert "so that the facts speak against what they lack: no support." in said
    assert "so that the facts need what they lack: no soothing." in said
    assert "so that these facts do not need what they lack: no alert memory." in said


def test_what_chance_leaves_open_is_not_called_equal() -> None:
    found = scored({FULL: 1.0, "no_support": 1.0}, spread=3.0, replicates=3)
    row = found.of("no_support", "check")
    assert row["low"] < 0 < row["high"]
    assert row["high"] - row["low"] > LARGE
    assert row["verdict"] == UNCLEAR
    assert scored({FULL: 1.0, "no_support": 3.0}, replicates=1).of("no_support", "fit")["verdict"] == UNCLEAR


def test_one_row_that_is_far_off_does_not_decide() -> None:
    id = next(row.id for fact, row in facts() if fact["role"] == "fit")
    wild = scored({FULL: 0.0, "no_support": 0.0}, spread=0.0, no_support={id: [1e9, 0.9e9, 1.1e9]})
    row = wild.of("no_support", "fit")
    assert row["rms"] == pytest.approx(CAP / math.sqrt(row["rows"]))
    assert row["within"] == row["rows"] - 1
    table = wild.rows.set_index(["variant", "id"])
    assert table.loc[("no_support", id), "distance"] > CAP


def test_rows_that_a_variant_cannot_answer_leave_the_comparison_for_all() -> None:
    gone, none = [row.id for fact, row in facts() if fact["role"] == "check" and row.log][:2]
    nan = math.nan
    found = scored({FULL: 0.0, "no_support": 0.0}, no_support={gone: [nan, nan, nan], none: [0.0, 0.0, 3.0]})
    assert found.left_out == [gone]
    counts = found.scores.groupby("role")["rows"].agg(["min", "max"])
    assert (counts["min"] == counts["max"]).all()
    assert counts.loc["check", "max"] == sum(fact["role"] == "check" for fact, _ in facts()) - 1
    table = found.rows.set_index(["variant", "id"])
    assert table.loc[("no_support", none), "distance"] == -math.inf  # none at all is an answer, and as bad as it gets
    assert table.loc[("no_support", none), "low"] == 0.0
    assert math.isfinite(found.of("no_support", "check")["rms"])


def test_replicates_count_the_same_on_the_scale_of_the_row() -> None:
    row = Row("x", 1.0, 4.0, log=True)
    both = combined(row, [[1.0, 0.5, 2.0], [4.0, 2.0, 8.0], [math.nan] * 3])
    assert both.value == pytest.approx(2.0)
    assert (both.low, both.high) == pytest.approx((2 * 2 ** -math.sqrt(0.5), 2 * 2 ** math.sqrt(0.5)))
    assert distance(row, 4.0) == pytest.approx(1.96, abs=1e-3)
    some = combined(row, [[0.0, 0.0, 0.4], [2.0, 1.0, 3.0]])
    assert some.value == pytest.approx(1.0)
    assert 0.0 <= some.low < 1.0 < some.high


def test_a_run_that_fails_is_told_and_nothing_is_compared() -> None:
    def broken(jobs: Sequence[Job], **_: object) -> Outcome:
        return Outcome({}, {job.key: "killed" for job in jobs})

    with pytest.raises(MissingRuns, match="full-0: killed"):
        score({FULL: record(FULL)}, people=100, replicates=1, run=broken)
    with pytest.raises(InputError, match="must hold 'full'"):
        score({"no_support": record("no_support")}, run=broken)


def test_page_and_figure_hold_every_fact_and_variant(tmp_path: Path) -> None:
    found = scored({FULL: 1.5, **{name: 2.5 * k - 6 for k, name in enumerate(VARIANTS) if name != FULL}})
    text, figure = page(found), knockout_sheet(found)
    for _, row in facts():
        assert row.id in text
    for variant in VARIANTS.values():
        assert variant.label in text
        assert variant.out in text
    assert figure is not None
    cells = [patch.get_gid() for axes in figure.axes for patch in axes.patches if patch.get_gid()]
    assert len(cells) == len(facts()) * len(VARIANTS)
    assert len(text.split("## Every fact")[1].splitlines()) > MOST_DIFFERENT
    assert draw_knockout(found, tmp_path / "knockout.png")
    assert (tmp_path / "knockout.png").stat().st_size > 10_000


# Refits, and what is kept of them


def small_plan() -> Plan:
    """Two free numbers, one solved, three facts."""
    whole = shipped_plan()
    rows = {id: whole.rows[id] for id in ("cwp_prev_meta", "ace_or_chronicpain", "cp_persistence")}
    free = {"support_weight": Free(0.0, 1.0), "pain_sensitization": Free(3.0, 14.0)}
    solved = {"pain_intercept": Solved("cp_baseline", "shift", 20.8)}
    return Plan(*(MappingProxyType(part) for part in (free, solved, rows, {})))  # type: ignore[arg-type]


def test_a_toy_refit_goes_from_end_to_end(tmp_path: Path) -> None:
    settings = Settings(
        people=300, replicates=1, first=8, later=(), checks=0, draws=0, polish=1, polish_people=600, polish_runs=1, rounds=2
    )  # fmt: skip
    taken = refit(VARIANTS["no_support"], settings, plan=small_plan(), folder=tmp_path / "runs", workers=0)
    assert (
        taken.runs == len(list((tmp_path / "runs").iterdir())) == 8 + 3
    )  # the point, the defaults beside it, the point moved
    assert taken.values["support_weight"] == taken.values["helping_cost"] == 0.0
    assert 0.7 <= taken.values["soothing_capacity_median"] <= 1.8
    assert set(taken.values) == {
        "support_weight", "helping_cost", "soothing_capacity_median", "pain_sensitization", "pain_intercept"
    }  # fmt: skip
    full = dataclasses.replace(record(FULL), settings=taken.settings)
    write_records({FULL: full, "no_support": taken}, tmp_path / "knockouts.json")
    again = read_records(tmp_path / "knockouts.json")
    assert again["no_support"].values == taken.values
    assert_sample(again["no_support"])  # made anew from what is kept beside the refit
    found = score(again, people=300, replicates=2, folder=tmp_path / "score", workers=0)
    assert set(found.scores["variant"]) == {FULL, "no_support"}
    assert found.scores["rows"].min() >= 8


def assert_sample(one: Record) -> None:
    made = candidate(**one.sample["arguments"])["estimates"]
    assert set(made) == set(one.sample["estimates"])
    for id, numbers in one.sample["estimates"].items():
        kept = [math.nan if number is None else number for number in numbers]
        assert made[id] == pytest.approx(kept, rel=1e-6, nan_ok=True), (
            f"{id}: the model has changed, refit the knock-outs"
        )


def test_a_sample_of_the_shipped_refits_is_found_again() -> None:
    records = read_records()
    assert list(records) == list(VARIANTS), "every variant is shipped"
    assert_sample(records["no_support"])


def test_refits_that_cannot_be_compared_are_told(tmp_path: Path) -> None:
    path = tmp_path / "refits.json"
    with pytest.raises(InputError, match="no such file"):
        read_records(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        read_records(path)
    other = record("no_soothing", settings=SETTINGS | {"people": 9})
    stale = record("no_support", fixed={"support_weight": 0.0}, values={"gain_sd": 99.0, "gain_fmale": 0.1})
    write_records({"no_soothing": other, "no_support": stale}, path)
    with pytest.raises(InputError) as caught:
        read_records(path)
    for said in ("same budget", "refit it", "must be a number from", "gain_female", "must hold 'full'"):
        assert said in str(caught.value), said
    whole = {FULL: json.loads(path.read_text(encoding="utf-8"))["no_support"]}
    path.write_text(json.dumps({"no_suport": whole[FULL]}), encoding="utf-8")
    with pytest.raises(InputError, match="Did you mean 'no_support'"):
        read_records(path)


def test_variants_are_chosen_by_name() -> None:
    assert [variant.name for variant in chosen("no_support, full")] == [FULL, "no_support"]
    assert [variant.name for variant in chosen("all")] == list(VARIANTS)
    with pytest.raises(InputError, match="names no variant"):
        chosen(" , ")


# The command


def fitss(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["knockout", *arguments])


def test_a_typo_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    done = fitss("--refit", "no_suport,liability_onli", "--people", "12", "--budget", "0", "--out", str(tmp_path / "x"))
    assert done.exit_code == 2
    for words_ in ("Did you mean 'no_support'", "Did you mean 'liability_only'", "people", "budget"):
        assert words_ in done.stderr, words_
    assert not (tmp_path / "x").exists()


def test_options_that_do_not_go_together_are_told(tmp_path: Path) -> None:
    file = tmp_path / "refits.json"
    write_records({FULL: record(FULL)}, file)
    for options in (
        ["--refit", "all", "--refits", str(file)],
        ["--sex-only", "--no-sex"],
        ["--budget", "2", "--sex-only"],
    ):
        assert fitss(*options, "--out", str(tmp_path / "x")).exit_code == 2


def test_the_command_scores_refits_and_writes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (FULL, "no_support")
    write_records({name: record(name) for name in names}, tmp_path / "refits.json")

    def scoring(records: Mapping[str, Record], **asked: Any) -> Knockout:
        kept = {name: asked[name] for name in ("people", "replicates", "seed")}
        return score(records, run=runner({FULL: 1.0, "no_support": 2.5}), **kept)

    monkeypatch.setattr(knockout_score, "score", scoring)
    out = tmp_path / "out"
    done = fitss(
        "--refits",
        str(tmp_path / "refits.json"),
        "--people",
        "300",
        "--replicates",
        "2",
        "--workers",
        "0",
        "--out",
        str(out),
    )
    assert done.exit_code == 0, done.output
    assert "What the epidemiology needs" in done.stdout
    assert "Where the sex ratio comes from" in done.stdout
    made = {path.name for path in out.iterdir()}
    assert {
        "knockout.md", "knockout.png", "sex_decomposition.png", "knockout_rows.parquet", "knockout_scores.csv",
        "sex_decomposition.parquet", "sex_ratios.csv", "provenance.json", "runs",
    } <= made  # fmt: skip
    again = fitss("--refits", str(tmp_path / "refits.json"), "--no-sex", "--out", str(out))
    assert again.exit_code == 2


def test_the_command_refits_and_writes_what_it_can_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def fitting(variant: Variant, settings: Settings, *, folder: Path, **_: Any) -> Record:
        asked[variant.name] = (settings.people, settings.polish_people, settings.seed, folder.name)
        return record(variant.name, settings=json.loads(json.dumps(dataclasses.asdict(settings))))

    monkeypatch.setattr(knockout, "refit", fitting)
    out = tmp_path / "out"
    done = fitss("--refit", "no_support,full", "--budget", "0.1", "--seed", "7", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert asked == {name: (BUDGET.people // 10, BUDGET.polish_people // 10, 7, name) for name in (FULL, "no_support")}
    assert f"{BUDGET.first} + {BUDGET.later[0]} candidates in 2 runs of {BUDGET.people // 10} people" in done.stdout
    assert list(read_records(out / "knockouts.json")) == [FULL, "no_support"]
    assert json.loads((out / "provenance.json").read_text(encoding="utf-8"))["seed"] == 7
    assert fitss("--refit", "full", "--out", str(out)).exit_code == 2  # done already
    assert fitss("--refit", "full", "--out", str(out), "--overwrite").exit_code == 0

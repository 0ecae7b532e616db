from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.study.calibration_plan import read_plan, shipped_plan
from fitss_abm.study.numbers import as_scenario, bounds_of, default_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.targets import load_targets


def test_the_packaged_plan_uses_every_fact_of_role_fit_or_says_why_not() -> None:
    plan = shipped_plan()
    facts = load_targets()
    fit = set(facts.loc[facts["role"] == "fit", "id"])
    assert set(plan.rows) | {s.row for s in plan.solved.values()} | set(plan.left_out) == fit
    assert 10 <= len(plan.free) <= 20
    checks = set(facts.loc[facts["role"] == "check", "id"])
    assert not checks & (set(plan.rows) | {s.row for s in plan.solved.values()}), "a check row must decide nothing"


def test_defaults_lie_within_their_priors() -> None:
    for name, prior in shipped_plan().free.items():
        low, high = bounds_of(name)
        assert low <= prior.low < prior.high <= high
        assert prior.low < default_of(name) < prior.high, name


def test_values_and_points_are_inverse_and_make_a_scenario() -> None:
    plan = shipped_plan()
    point = np.linspace(0.1, 0.9, len(plan.free))
    assert plan.unit(plan.values(point)) == pytest.approx(point)
    made = Scenario(people=100, **as_scenario(plan.values(point)))
    assert made.parameters["gain_female"] == plan.values(point)["gain_female"]
    assert set(made.conditions) == {"temporomandibular_disorder"}


def test_a_range_becomes_a_centre_and_a_spread() -> None:
    row = shipped_plan().rows["ibs_fm_or_2024"]
    assert row.unscaled(row.centre) == pytest.approx(np.sqrt(1.24 * 1.79))
    assert row.unscaled(row.centre + 1.959964 * row.sd) == pytest.approx(1.79)
    correlation = shipped_plan().rows["d_equicorr_4synd"]
    assert not correlation.log
    assert correlation.centre == pytest.approx(0.41)


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(
        """
        [free.gain_femal]
        low = 0.0
        high = 0.5
        [free.gain_sd]
        low = 0.3
        [free.support_weight]
        low = 0.9
        high = 0.1
        [free.alert_threshold]
        low = 0.0
        high = 500.0
        [free.pain_person_sd]
        low = 0.3
        hihg = 2.0
        [solved.pain_intercept]
        row = "cp_baselin"
        step = "shift"
        [solved.somatic_intercept]
        row = "fm_prev_2016_gps"
        step = "leap"
        [fre]
        """,
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        read_plan(path)
    said = str(caught.value)
    for words in (
        "Did you mean 'gain_female'", "has no prior", "must be below high", "must lie between", "Did you mean 'cp_baseline'",
        "no such step", "no such section of a plan", str(path),
    ):  # fmt: skip
        assert words in said, words


def changed(id: str, **values: object) -> pd.DataFrame:
    facts = load_targets()
    facts.loc[facts["id"] == id, list(values)] = list(values.values())
    return facts


def test_an_aim_outside_a_users_range_gives_way_to_the_users_value() -> None:
    plan = read_plan(targets=changed("tmd_prev_nhis", value=2.0, low=1.5, high=2.5))
    name = "conditions.temporomandibular_disorder.onset_per_1000_person_years"
    assert plan.solved[name].aim == 2.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"low": np.nan}, "has no range to be met"),
        ({"low": 0.0}, "must be above 0"),
        ({"low": 12.9, "high": 12.9}, "has no range to be met"),
    ],
)
def test_a_fact_that_cannot_decide_is_named(values: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_plan(targets=changed("cwp_prev_meta", **values))
    assert "cwp_prev_meta" in str(caught.value)


def test_a_fact_that_no_run_can_estimate_is_named() -> None:
    facts = load_targets()
    facts["role"] = facts["role"].where(facts["id"] != "twin_h2_latent", "fit")
    with pytest.raises(InputError, match="twin_h2_latent"):
        read_plan(targets=facts)

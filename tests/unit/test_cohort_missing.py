"""What a study does not get to see: how much, on what it hangs, and by whose luck."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitss_abm.errors import Faults, InputError
from fitss_abm.study.cohort_missing import FIRST, Rule, luck, over, parse, probabilities, read_rule
from fitss_abm.study.cohort_visits import visits_of
from fitss_abm.study.scenario import Scenario

SCORES = ("pain_average", "wpi", "sss")
PEOPLE = 20_000


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    drawn = np.random.default_rng(3)
    age = drawn.uniform(18, 90, PEOPLE)
    return {"age": age, "female": drawn.random(PEOPLE) < 0.5, "value": drawn.gamma(1.0, 2.0, PEOPLE)}


def drawn(probability: Any, seed: int = 5) -> Any:
    return np.random.default_rng(seed).random(PEOPLE) < probability


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
@pytest.mark.parametrize("mechanism", ["mcar", "mar", "mnar"])
def test_the_share_asked_for_is_expected_exactly(mechanism: str, share: float, values: dict[str, Any]) -> None:
    rule = Rule("items", mechanism, share, on=(("age", 1.5), ("female", -0.5)), slope=2.0)
    made = probabilities(rule, share, values, values["value"])
    assert made.mean() == pytest.approx(share, rel=1e-9)
    assert made.min() > 0
    assert made.max() < 1


def test_what_is_missing_hangs_on_what_was_asked_for(values: dict[str, Any]) -> None:
    share, error = 0.3, 4 * math.sqrt(0.3 * 0.7 / (PEOPLE / 2))
    old, high = values["age"] > 54, values["value"] > np.median(values["value"])
    gone = {
        mechanism: drawn(probabilities(Rule("items", mechanism, share, on=(("age", 1.0),)), share, values, values["value"]))
        for mechanism in ("mcar", "mar", "mnar")
    }  # fmt: skip
    by_age = {name: gone[name][old].mean() - gone[name][~old].mean() for name in gone}
    by_value = {name: gone[name][high].mean() - gone[name][~high].mean() for name in gone}
    assert abs(by_age["mcar"]) < error
    assert abs(by_value["mcar"]) < error
    assert by_age["mar"] > 0.2
    assert abs(by_value["mar"]) < error, "given age, which does not hang on the value here, nothing else counts"
    assert by_value["mnar"] > 0.2
    assert abs(by_age["mnar"]) < error


def test_a_slope_is_log_odds_per_standard_deviation(values: dict[str, Any]) -> None:
    made = probabilities(Rule("items", "mnar", 0.2, slope=0.7), 0.2, {}, values["value"])
    odds = np.log(made / (1 - made))
    slope = np.polyfit(values["value"] / values["value"].std(), odds, 1)[0]
    assert slope == pytest.approx(0.7, rel=1e-6)


def test_luck_is_the_persons_whoever_else_is_asked() -> None:
    world = Scenario(people=500).simulation()
    everybody = np.arange(500) * 65536
    all_of_them = luck(world, 0, "item pain", everybody, 7)
    assert np.array_equal(luck(world, 0, "item pain", everybody[::-1][:100], 7), all_of_them[::-1][:100])
    for other in (luck(world, 1, "item pain", everybody, 7), luck(world, 0, "item wpi", everybody, 7)):
        assert abs(np.corrcoef(all_of_them, other)[0, 1]) < 4 / math.sqrt(500)


def test_loss_at_a_rate_per_year() -> None:
    assert over(0.1, 2.0) == pytest.approx(1 - 0.9**2)
    assert over(0.0, 5.0) == 0


@given(st.lists(st.sampled_from(["mcar:0.1", "dropout=mar:0.2", "participation=mnar:0.5", "none"]), max_size=5))
def test_rules_as_typed(parts: list[str]) -> None:
    faults = Faults()
    made = parse(",".join(parts), "missing", faults)
    assert not faults.found
    assert len(made) == len([part for part in parts if part != "none"])
    for table in made:
        assert read_rule(table, SCORES, "missing[0]", faults) is not None
    assert not faults.found


def test_wrong_rules_are_told_with_the_nearest_name() -> None:
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "of": ({"of": "item", "share": 0.1}, "items"), "mechanism": ({"mechanism": "mnr", "share": 0.1}, "mnar"),
        "items": ({"items": ["pain_averge"], "share": 0.1}, "pain_average"), "shares": ({"shares": 0.1, "share": 0.1}, "share"),
        "on.agee": ({"mechanism": "mar", "share": 0.1, "on": {"agee": 1}}, "age"),
        "on.frist_wpi": ({"mechanism": "mar", "share": 0.1, "on": {"frist_wpi": 1}}, f"{FIRST}wpi"),
    }  # fmt: skip
    for field, (table, nearest) in wrong.items():
        faults = Faults()
        assert read_rule(table, SCORES, "missing[0]", faults) is None
        assert [(one.field, one.nearest) for one in faults.found] == [(f"missing[0].{field}", nearest)]
    for table in ({}, {"share": 1.0}, {"share": -0.1}, {"share": "0.1"}, {"share": 0.1, "on": {"age": 1.0}},
                  {"share": 0.1, "slope": 2.0}, {"of": "dropout", "share": 0.1, "items": ["wpi"]},
                  {"mechanism": "mar", "share": 0.1, "on": {"age": float("nan")}}):  # fmt: skip
        faults = Faults()
        assert read_rule(table, SCORES, "missing[0]", faults) is None
        assert faults.found


def test_visits_are_times_after_the_start_or_dates() -> None:
    import datetime

    start, faults = datetime.date(2024, 1, 31), Faults()
    visits = visits_of(["0", "1m", "90d", "1y", "2025-06-30", datetime.date(2026, 1, 1)], start, faults)
    assert not faults.found
    assert [visit.date.isoformat() for visit in visits] == [
        "2024-01-31", "2024-02-29", "2024-04-30", "2025-01-31", "2025-06-30", "2026-01-01",
    ]  # fmt: skip
    assert visits[2].day == 90
    leap = visits_of(["1y"], datetime.date(2024, 2, 29), faults)
    assert leap[0].date == datetime.date(2025, 3, 1), "as a scenario's years count"
    wrong = ["1", "2025-02-30", "1q", "0", "0", "2023-01-01", "9999y"]
    visits_of(wrong, start, faults)
    assert len(faults.found) == 6
    assert "day is out of range" in str(InputError(faults.found))

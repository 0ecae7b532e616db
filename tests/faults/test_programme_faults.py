"""Programmes that cannot be: every fault is told at once, with the nearest valid name, before anything runs."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from fitss_abm import InputError, Scenario
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.programmes import Act, Programme
from fitss_abm.model.simulation import Simulation
from fitss_abm.model.targeting import Holds, Sex

START = datetime.date(2025, 1, 1)
CARE = {"kind": "snri", "name": "care"}


def told(*programmes: dict[str, Any], **scenario: Any) -> list[str]:
    with pytest.raises(InputError) as raised:
        Scenario(people=100, years=2, programmes=list(programmes), **scenario)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "snry"}, "programmes[0].kind = 'snry': no such kind of programme. Did you mean 'snri'?"),
        ({"kind": None}, "programmes[0].kind = None: no such kind of programme."),
        ({"coverage": 1.2}, "programmes[0].coverage = 1.2: must be a number between 0 and 1"),
        ({"uptake": -0.1}, "programmes[0].uptake = -0.1: must be a number between 0 and 1"),
        ({"adherence": "good"}, "programmes[0].adherence = 'good': must be a number between 0 and 1"),
        ({"capacity": 2.5}, "programmes[0].capacity = 2.5: must be a whole number"),
        ({"capacity": True}, "programmes[0].capacity = True: must be a number"),
        ({"dropout_per_year": -1}, "programmes[0].dropout_per_year = -1: must be a number between 0 and 100 (per year)"),
        ({"course_weeks": 0}, "programmes[0].course_weeks = 0: must be a number between 1 and"),
        ({"covrage": 0.5}, "programmes[0].covrage = 0.5: no such key of a programme. Did you mean 'coverage'?"),
        ({"target": {"diagnosis": "ptsd"}}, "programmes[0].target.diagnosis = 'ptsd': no such target"),
        ({"target": {"holds": "fibromyalgie"}}, "no such condition. Did you mean 'fibromyalgia'?"),
        ({"target": {"not": {"hub": 0.1}}}, "programmes[0].target.not.hub = 0.1: no such target. Did you mean 'hubs'?"),
        ({"screening": {"finds": {"ever": "adhd"}}}, "programmes[0] = 'adhd': no such condition"),
        ({"screening": {"finds": "all", "specificity": 2}}, "programmes[0].screening.specificity = 2: must be a number"),
        ({"screening": {"sensitivity": 1}}, "programmes[0].screening = {'sensitivity': 1}: must be a table of finds"),
        ({"start": datetime.date(2024, 12, 31)}, "must be within the run of 2 years from 2025-01-01"),
        ({"start": datetime.date(2027, 1, 2)}, "must be within the run of 2 years from 2025-01-01"),
        ({"start": "2025-02-01"}, "programmes[0].start = '2025-02-01': must be a date such as 2030-01-01"),
        ({"start": START.replace(month=3), "end": START.replace(month=2)}, "must be after the start, 2025-03-01"),
        ({"end": START}, "must be after the start, 2025-01-01"),
        ({"sizes": {"giving": 0.3}}, "programmes[0].sizes = 'giving': no such act of this programme"),
        ({"sizes": {"central_gain": -9}}, "programmes[0].sizes.central_gain.size = -9: must lie between -5 and 5"),
        ({"sizes": 0.3}, "programmes[0].sizes = 0.3: must be a table"),
        ({"acts": [{"on": "gain", "size": 1}]}, "programmes[0].acts.on = 'gain': no such input"),
        ({"acts": [{"on": "giving"}]}, "programmes[0].acts.giving.size = None: must be a number"),
        ({"acts": [{"on": "ties", "size": 1, "group": 1}]}, "programmes[0].acts.ties.group = 1: must lie between 2 and 40"),
        ({"acts": "more support"}, "programmes[0].acts = 'more support': must be a list of acts"),
        ({"name": ""}, "programmes[0].name = '': must be a name"),
        (
            {"acts": [{"on": "adversity", "size": 0.5}], "eligible": "all", "target": {"sex": "male"}},
            "programmes[0].target = {'sex': 'male'}: nothing is known of those still to come",
        ),
    ],
)  # fmt: skip
def test_one_fault_is_told_as_one(change: dict[str, Any], expected: str) -> None:
    faults = told(CARE | change)
    assert len(faults) == 1
    assert expected in faults[0]


def test_every_fault_of_every_programme_and_of_the_rest_is_told_at_once() -> None:
    faults = told(
        {"kind": "exercize", "coverage": 3},
        CARE | {"start": datetime.date(2026, 1, 1), "end": datetime.date(2025, 1, 1)},
        {"kind": "cbt", "target": {"isolated": 2, "sex": "none"}},
        parameters={"care_rate": -1.0},
    )
    for number, part in enumerate(
        ("care_rate", "'exercise'", "[0].coverage", "[1].end", "[2].target.isolated", "[2].target.sex")
    ):
        assert any(part in fault for fault in faults), number
    assert len(faults) == 6


def test_two_programmes_need_two_names() -> None:
    assert "programmes[1].name = 'cbt': two programmes have this name" in told({"kind": "cbt"}, {"kind": "cbt"})[0]
    both = Scenario(people=100, programmes=[{"kind": "cbt"}, {"kind": "cbt", "name": "more"}])
    assert [one.name for one in both.delivered()] == ["cbt", "more"]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ({}, {}, True),
        ({"target": {"isolated": 0.1}}, {"target": {"hubs": 0.1}}, True),
        ({"target": {"sex": "female"}}, {"target": {"sex": "male"}}, False),
        ({"target": {"random": {"share": 0.5, "draw": "x"}}}, {"target": {"not": {"random": {"share": 0.5, "draw": "x"}}}}, False),
        ({"end": START.replace(month=6)}, {"start": START.replace(month=6)}, False),
        ({"end": START.replace(month=6)}, {"start": START.replace(month=5)}, True),
    ],
    ids=["everybody", "perhaps the same", "women and men", "one half and the other", "one after the other", "overlapping"],
)  # fmt: skip
def test_exclusive_programmes_may_not_treat_the_same_people_at_the_same_time(
    one: dict[str, Any], other: dict[str, Any], clash: bool
) -> None:
    programmes = [{"kind": "snri"} | one, {"kind": "tramadol"} | other]
    if not clash:
        assert len(Scenario(people=100, programmes=programmes).delivered()) == 2
        return
    (fault,) = told(*programmes)
    assert "nobody may have tramadol and snri ('snri') at once: part their dates or targets" in fault


def test_kinds_of_ones_own_are_checked_too(tmp_path: Path) -> None:
    kinds = {
        "snri": {"uptake": 2.0},
        "walks": {"cost_per_week": 1},
        "yoga": {"acts": [{"on": "giving", "size": 0.1}], "start": START, "exclusive_with": ["joga"]},
        "nothing": 3,
    }
    faults = told(programme_kinds=kinds)
    for part in (
        "programme_kinds.snri.uptake = 2.0: must be a number between 0 and 1",
        "programme_kinds.walks = 'walks': no such kind of programme (a new one needs acts)",
        "programme_kinds.yoga.start",
        "programme_kinds.yoga.exclusive_with = 'joga': no such kind of programme. Did you mean 'yoga'?",
        "programme_kinds.nothing = 3: must be a table",
    ):
        assert any(part in fault for fault in faults), part
    file = tmp_path / "kinds.toml"
    file.write_text('[cbt]\nlabel = "x"\ncoverage = 7\n', encoding="utf-8")
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        'people = 100\nprogrammes_file = "kinds.toml"\n[[programmes]]\nkind = "cbd"\n', encoding="utf-8"
    )
    with pytest.raises(InputError) as raised:  # contents of files that a scenario names are told before it runs
        Scenario.read(scenario).simulation()
    found = [str(fault) for fault in raised.value.faults]
    assert any(fault.startswith(f"{file}: programmes.cbt.coverage = 7") for fault in found)
    assert any("'cbd': no such kind of programme. Did you mean 'cbt'?" in fault for fault in found)
    scenario.write_text('people = 100\nprogrammes_file = "gone.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"programmes_file = .*gone\.toml.*: no such file"):
        Scenario.read(scenario)


def test_a_programme_made_in_python_is_checked_too() -> None:
    with pytest.raises(InputError, match=r"coverage = 1.5[\s\S]*acts = 'gain'[\s\S]*end = 3"):
        Programme(name="x", coverage=1.5, acts=(Act("gain", 1.0),), start=5, end=3)
    cases = Programme(name="x", acts=(Act("giving", 1.0),), target=Sex("male") & Holds(("fibromyalgie",)))
    with pytest.raises(InputError, match=r"people = 0[\s\S]*Did you mean 'fibromyalgia'[\s\S]*") as raised:
        Simulation(people=0, demography=load("Germany"), programmes=[cases, cases])
    assert any("two programmes have this name" in str(fault) for fault in raised.value.faults)


def test_no_graph_may_name_the_ties_of_programmes() -> None:
    with pytest.raises(InputError, match="no such layer"):
        Network.from_edges(people=2, source=[0], target=[1], layer=[5])

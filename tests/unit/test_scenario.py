"""Scenarios: files and objects, round trips, dates, seeds, and what the model is given."""

import datetime
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fitss_abm.errors import InputError
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.toml_text import toml_document

RICH = """
people = 1500
years = 1.5
start = 2024-02-29
seed = 7
sex_mechanisms_off = ["condition_onset"]

[population]
female_share = 0.6
age_shares = { "18-64" = 0.7, "65+" = 0.3 }

[network]
friends_any = 0.5

[parameters]
support_weight = 0.3

[conditions.chronic_migraine]
remission_per_year = 1.0

[seeds]
network = 99

[[changes]]
date = 2024-06-01
parameters = { hassle_rate = 0.4 }

[[changes]]
date = 2025-01-01
[changes.parameters]
support_weight = 0.9
"""


@pytest.fixture
def rich(tmp_path: Path) -> Scenario:
    path = tmp_path / "lonely.toml"
    path.write_text(RICH, encoding="utf-8")
    return Scenario.read(path)


def test_nothing_said_is_germany_for_ten_years() -> None:
    plain = Scenario()
    assert (plain.people, plain.years, plain.location, plain.seed) == (100_000, 10, "Germany", 1)
    assert (plain.start, plain.end) == (datetime.date(2025, 1, 1), datetime.date(2035, 1, 1))
    assert plain.differences() == {}


def test_a_file_names_its_scenario(rich: Scenario) -> None:
    assert rich.name == "lonely"
    assert set(rich.differences()) == {
        "name", "people", "years", "start", "seed", "sex_mechanisms_off", "population", "network", "parameters",
        "conditions", "seeds", "changes",
    }  # fmt: skip


def test_what_is_written_is_read_again(rich: Scenario, tmp_path: Path) -> None:
    path = tmp_path / "again.toml"
    path.write_text(rich.to_toml(), encoding="utf-8")
    assert Scenario.read(path) == rich
    assert Scenario(**tomllib.loads(rich.to_toml())) == rich


def test_a_scenario_cannot_be_changed_but_replaced(rich: Scenario) -> None:
    with pytest.raises(ValidationError):
        rich.people = 3  # type: ignore[misc]
    assert rich.replace(people=3).people == 3
    assert rich.replace(people=3).parameters == rich.parameters


def test_what_is_said_beside_the_file_has_the_last_word(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("people = 5\nyears = 2", encoding="utf-8")
    both = Scenario.read(path, people=6)
    assert (both.people, both.years) == (6, 2)


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "ties.csv").write_text("source,target\n0,1\n", encoding="utf-8")
    path = tmp_path / "s.toml"
    path.write_text("people = 3\n[network]\nedges = 'inputs/ties.csv'\n", encoding="utf-8")
    monkeypatch.chdir("/")
    read = Scenario.read(path)
    assert read.network["edges"] == str(tmp_path / "inputs" / "ties.csv")
    assert read.simulation().network.ties == 1
    assert tomllib.loads(read.to_toml())["network"]["edges"] == str(tmp_path / "inputs" / "ties.csv")


@pytest.mark.parametrize(
    ("start", "years", "end", "days"),
    [
        ("2025-01-01", 10, "2035-01-01", 3652),
        ("2024-02-29", 1, "2025-03-01", 366),
        ("2024-02-29", 4, "2028-02-29", 1461),
        ("2025-01-01", 0.5, "2025-07-03", 183),
        ("2025-01-01", 0.0001, "2025-01-01", 1),
    ],
)
def test_years_end_on_their_anniversary(start: str, years: float, end: str, days: int) -> None:
    scenario = Scenario(start=datetime.date.fromisoformat(start), years=years)
    assert (scenario.end.isoformat(), scenario.days) == (end, days)


def test_replicates_have_luck_of_their_own_and_the_first_that_of_the_seed() -> None:
    seeds = [Scenario(seed=5, replicate=r).master_seed for r in range(100)]
    assert seeds[0] == 5
    assert len(set(seeds)) == 100
    assert Scenario(seed=6, replicate=1).master_seed != seeds[1]


def test_numpys_numbers_and_texts_of_dates_are_welcome() -> None:
    made = Scenario(people=np.int64(50), years=np.float32(2), start="2030-05-01", threads=1)  # type: ignore[arg-type]
    assert (made.people, made.years, made.start) == (50, 2.0, datetime.date(2030, 5, 1))


def test_the_model_is_given_what_the_scenario_says(rich: Scenario) -> None:
    simulation = rich.simulation()
    assert simulation.people == 1500
    assert simulation.parameters["support_weight"] == 0.3
    assert simulation.seeds.master == 7
    assert simulation.seeds.pinned == {"network": 99}
    assert simulation.demography.female_share() == pytest.approx(0.6)
    assert (simulation.population["age"] >= 17.9).all()
    migraine = simulation.catalogue["chronic_migraine"]
    assert (migraine.remission_per_year, migraine.female_onset) == (1.0, 0.0)
    assert simulation.network.ties < Scenario(people=1500).simulation().network.ties


def test_changes_add_up(rich: Scenario) -> None:
    first, second = rich.dated_changes()
    assert (first.day, second.day) == (93, 307)
    assert (first.parameters["hassle_rate"], first.parameters["support_weight"]) == (0.4, 0.3)
    assert (second.parameters["hassle_rate"], second.parameters["support_weight"]) == (0.4, 0.9)


def test_a_mechanism_that_is_off_stays_off_in_every_change() -> None:
    scenario = Scenario(
        sex_mechanisms_off=("gain",) if "gain" in _mechanisms() else (_mechanisms()[0],),
        changes=({"date": datetime.date(2026, 1, 1), "parameters": {"hassle_rate": 0.4}},),
    )
    off = scenario.dated_changes()[0].parameters
    from fitss_abm.model.parameters import declared

    switched = [name for name, entry in declared().items() if entry.sex_mechanism == scenario.sex_mechanisms_off[0]]
    assert switched
    assert all(off[name] == 0.0 for name in switched)


def _mechanisms() -> tuple[str, ...]:
    from fitss_abm.model.parameters import sex_mechanisms

    return sex_mechanisms()


def test_inline_conditions_have_the_last_word_over_their_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "[me_cfs]\nburden = 0.1\nremission_per_year = 2.0\n"
        "[long_covid]\nlabel = 'Long COVID'\nonset_per_1000_person_years = 2.0\n",
        encoding="utf-8",
    )
    catalogue = Scenario(conditions_file=str(path), conditions={"me_cfs": {"burden": 0.2}}).catalogue()
    assert (catalogue["me_cfs"].burden, catalogue["me_cfs"].remission_per_year) == (0.2, 2.0)
    assert catalogue["long_covid"].label == "Long COVID"


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        Scenario(
            people=0, yeers=3, years=True, location="Germny", threads=10_000, slow_days=3, start="2025-13-01",  # type: ignore[call-arg,arg-type]
            parameters={"support_wieght": 1, "support_weight": 99}, conditions={"fibromyalgi": {"burden": 0.1}},
            sex_mechanisms_off=["nothing"], seeds={"lief": 1}, network={"edges": "nowhere.csv", "friends_any": 1.0},
            population={"female_share": 2.0}, changes=[{"date": "soon", "parameters": {"hassle_rate": -1}}],
        )  # fmt: skip
    fields = {fault.field for fault in caught.value.faults}
    assert fields == {
        "people", "yeers", "years", "location", "threads", "slow_days", "start", "parameters.support_wieght",
        "parameters.support_weight", "conditions.fibromyalgi", "sex_mechanisms_off", "seeds.lief", "network.edges",
        "network.friends_any", "population.female_share", "population.age_shares", "changes[0].date",
        "changes[0].parameters.hassle_rate",
    }  # fmt: skip
    nearest = {fault.field: fault.nearest for fault in caught.value.faults if fault.nearest}
    assert nearest["yeers"] == "years"
    assert nearest["location"] == "Germany"
    assert nearest["parameters.support_wieght"] == "support_weight"
    assert nearest["conditions.fibromyalgi"] == "fibromyalgia"
    assert nearest["seeds.lief"] == "life"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"people": "1000"}, "people"),
        ({"people": 10.5}, "people"),
        ({"people": True}, "people"),
        ({"years": float("nan")}, "years"),
        ({"years": float("inf")}, "years"),
        ({"years": "ten"}, "years"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"replicate": -1}, "replicate"),
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"start": datetime.datetime(2025, 1, 1, 12)}, "start"),
        ({"start": datetime.date(9990, 1, 1), "years": 20}, "start"),
        ({"snapshot_every": 0}, "snapshot_every"),
        ({"population": 3}, "population"),
        ({"population": "nowhere.csv"}, "population"),
        ({"population": {"female_shar": 0.5, "age_shares": {"0+": 1}}}, "population.female_shar"),
        ({"network": {"directed": True}}, "network.directed"),
        ({"network": {"friends_any": "many"}}, "network.friends_any"),
        ({"network": 3}, "network"),
        ({"conditions_file": "nowhere.toml"}, "conditions_file"),
        ({"parameters": {"support_weight": float("nan")}}, "parameters.support_weight"),
        ({"seeds": {"life": 1.5}}, "seeds.life"),
        ({"changes": [{"parameters": {"hassle_rate": 0.1}}]}, "changes[0].date"),
        ({"changes": [{"date": datetime.date(2026, 1, 1)}]}, "changes[0].parameters"),
        ({"changes": [{"date": datetime.date(2045, 1, 1), "parameters": {"hassle_rate": 0.1}}]}, "changes[0].date"),
        ({"changes": [{"date": datetime.date(2026, 1, 1), "parameters": {"hassle_rate": 0.1}}] * 2}, "changes[1].date"),
        ({"changes": [3]}, "changes[0]"),
    ],
)
def test_what_cannot_be_is_told_by_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        Scenario(**values)  # type: ignore[arg-type]
    assert field in [fault.field for fault in caught.value.faults]


def test_faults_of_a_file_and_of_the_files_that_it_names_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "ties.csv").write_text("source,target\n0,0\n", encoding="utf-8")
    path = tmp_path / "s.toml"
    path.write_text("people = 10\nlocation = 'Germny'\n[network]\nedges = 'ties.csv'\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Scenario.read(path, threads=0)
    files = {fault.field: fault.file for fault in caught.value.faults}
    assert files == {"location": str(path), "threads": None, "line 2: target": str(tmp_path / "ties.csv")}


_KEYS = st.text(min_size=1, max_size=8)
_VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(max_size=12),
    st.dates(),
    st.lists(st.integers(0, 9), max_size=3),
)


@given(st.dictionaries(_KEYS, st.one_of(_VALUES, st.dictionaries(_KEYS, _VALUES, max_size=3)), max_size=6))
def test_whatever_is_written_as_toml_is_read_again(values: dict[str, object]) -> None:
    assert tomllib.loads(toml_document(values)) == values

"""A bad population table or bad marginals: every fault at once, each at its place."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitss_abm.errors import InputError
from fitss_abm.model.demography import from_marginals, load, read_table

HEADER = "sex,age_from,age_to,population,death_rate_per_person_year"
GOOD = ["female,0,17,10,0.1", "female,18,,20,0.2", "male,0,17,30,0.3", "male,18,,40,0.4"]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "people.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    return write


def faults_of(path: Path) -> dict[str, str]:
    with pytest.raises(InputError) as told:
        read_table(path)
    assert all(fault.file == str(path) for fault in told.value.faults)
    return {fault.field: fault.problem for fault in told.value.faults}


def test_every_cell_is_told_at_once(write: Write) -> None:
    found = faults_of(write("femal,0,17,10,0.1", "female,x,,nan,-0.2", "male,20,10,-3,inf", "male,18,,,0.4", "male,1"))
    assert set(found) == {
        "line 2, sex",
        "line 3, age_from",
        "line 3, population",
        "line 3, death_rate_per_person_year",
        "line 4, age_to",
        "line 4, population",
        "line 4, death_rate_per_person_year",
        "line 5, population",
        "line 6",
    }


def test_nearest_sex_is_named(write: Write) -> None:
    with pytest.raises(InputError, match="Did you mean 'female'"):
        read_table(write("femal,0,17,10,0.1", *GOOD[1:]))


def test_missing_and_doubled_columns(write: Write) -> None:
    with pytest.raises(InputError) as told:
        read_table(write("female,0,1,1", header="sex,age_from,poplation,sex"))
    assert {(fault.value, fault.problem) for fault in told.value.faults} == {
        ("age_to", "this column is missing"),
        ("population", "this column is missing (there is 'poplation')"),
        ("death_rate_per_person_year", "this column is missing"),
        ("sex", "this column comes more than once"),
    }


@pytest.mark.parametrize(
    ("lines", "field", "problem"),
    [
        (["female,0,18,10,0.1", *GOOD[1:]], "line 3, age_from", "overlaps the female band of line 2"),
        ([*GOOD, GOOD[3]], "line 6, age_from", "overlaps the male band of line 5"),
        (["female,0,15,10,0.1", *GOOD[1:]], "line 3, age_from", "no female band holds the ages 16-17"),
        ([GOOD[0], "female,18,90,20,0.2", *GOOD[2:]], "line 3, age_to", "must be open"),
        (GOOD[:2], "sex", "has no rows"),
        ([*GOOD[:2], "male,0,,3,0.3"], "sex", "has no band"),
        ([*GOOD[:3], "male,18,,40,12.5"], "line 5, death_rate_per_person_year", "from 0 to 10"),
        ([*GOOD[:3], "male,18.5,,40,0.4"], "line 5, age_from", "whole number"),
        ([line.rsplit(",", 2)[0] + ",0,0.1" for line in GOOD], "population", "nobody"),
        ([*GOOD[:3], 'male,18,,"40,0.4'], "line 5", "is not CSV"),
        ([], "file", "holds no rows"),
    ],
)
def test_structure(write: Write, lines: list[str], field: str, problem: str) -> None:
    found = faults_of(write(*lines))
    assert field in found
    assert problem in found[field]


def test_nobody_old_enough(write: Write) -> None:
    path = write("female,0,11,10,0.1", "female,12,,0,0.2", "male,0,11,30,0.3", "male,12,,0,0.4")
    assert "aged 12 or more" in faults_of(path)["population"]
    assert read_table(path, minimum_age=5).female_share(5) == pytest.approx(0.25)


def test_two_locations(write: Write) -> None:
    path = write(*(f"{name},{line}" for name, line in zip("AABA", GOOD, strict=True)), header=f"location,{HEADER}")
    assert set(faults_of(path)) == {"line 4, location"}


def test_lines_are_counted_past_blank_lines_and_long_cells(write: Write) -> None:
    path = write(
        '"a\nb",' + GOOD[0], "", "c," + GOOD[1], "d," + GOOD[2], "e,male,18,,many,0.4", header=f"remark,{HEADER}"
    )
    assert set(faults_of(path)) == {"line 7, population"}


def test_unreadable_files(tmp_path: Path) -> None:
    assert "cannot be read" in faults_of(tmp_path / "none.csv")["file"]
    assert "cannot be read" in faults_of(tmp_path)["file"]
    path = tmp_path / "bad.csv"
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in faults_of(path)["file"]
    path.write_bytes(b"")
    assert "is empty" in faults_of(path)["file"]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], np.ndarray, np.ndarray]:
    starts = sorted(draw(st.sets(st.integers(1, 100), max_size=6)) | {0})
    cells = 2 * len(starts)
    people = draw(st.lists(st.floats(0.1, 1e9), min_size=cells, max_size=cells))
    rates = draw(st.lists(st.floats(0, 10), min_size=cells, max_size=cells))
    return starts, np.array(people).reshape(2, -1), np.array(rates).reshape(2, -1)


def lines_of(starts: list[int], people: np.ndarray, rates: np.ndarray) -> list[str]:
    ends = [str(start - 1) for start in starts[1:]] + [""]
    return [
        f"{sex},{start},{end},{people[row, band]!r},{rates[row, band]!r}".replace("np.float64(", "").replace(")", "")
        for row, sex in enumerate(("female", "male"))
        for band, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@same_folder
@given(table=tables(), shuffler=st.randoms(use_true_random=False))
def test_any_sound_table_is_read_back(write: Write, table, shuffler) -> None:
    starts, people, rates = table
    lines = lines_of(*table)
    shuffler.shuffle(lines)
    read = read_table(write(*lines))
    assert read.age_from.tolist() == starts
    np.testing.assert_array_equal(read.people, people)
    np.testing.assert_array_equal(read.death_rate, rates)
    assert math.fsum(read.share(12).ravel()) == pytest.approx(1.0)
    low, high = read.age_bounds(12)
    assert (low <= high).all()
    assert not read.share(12)[:, low == high].any()
    assert read.cumulative(12)[-1] == 1.0


@same_folder
@given(table=tables(), data=st.data())
def test_any_one_broken_number_is_told_by_its_line(write: Write, table, data: st.DataObject) -> None:
    lines = lines_of(*table)
    line = data.draw(st.integers(0, len(lines) - 1))
    column = data.draw(st.sampled_from([1, 3, 4]))
    cells = lines[line].split(",")
    cells[column] = data.draw(st.sampled_from(["", "nan", "-1", "inf", "1e400", "ten", "1.000.000"]))
    lines[line] = ",".join(cells)
    assert set(faults_of(write(*lines))) == {f"line {line + 2}, {HEADER.split(',')[column]}"}


@same_folder
@given(content=st.binary(max_size=200) | st.text(alphabet='female,0178-\n"é\x00', max_size=120).map(str.encode))
def test_whatever_the_bytes_the_fault_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "noise.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    with pytest.raises(InputError):
        read_table(path)


@pytest.mark.parametrize(
    ("female_share", "age_shares", "problems"),
    [
        (1.2, {"18+": 1.0}, ["from 0 to 1"]),
        (math.nan, {"18+": 0.99}, ["from 0 to 1", "must sum to 1"]),
        (True, {"18+": 1}, ["from 0 to 1"]),
        (0.5, {}, ["must sum to 1"]),
        (0.5, {"18-40": 0.5, "40+": 0.5}, ["overlaps"]),
        (0.5, {"18-99": 0.5, "20-29": 0.25, "40-49": 0.25}, ["overlaps", "overlaps"]),
        (0.5, {"18-39": 0.5, "50+": 0.5}, ["no band holds the ages 40-49"]),
        (0.5, {"adults": 0.5, "50+": 0.5}, ["must be written like"]),
        (0.5, {"29-18": 0.5, "50+": "half"}, ["must rise", "from 0 to 1"]),
        (0.5, {"18-104": 0.5, "105+": 0.5}, ["starts after the oldest age"]),
        (0.5, {"0-11": 1.0}, ["nobody"]),
    ],
)
def test_marginals(female_share: float, age_shares: dict[str, float], problems: list[str]) -> None:
    with pytest.raises(InputError) as told:
        from_marginals(female_share=female_share, age_shares=age_shares, base=load("Germany"), file="plan.toml")
    assert len(told.value.faults) == len(problems)
    for fault, problem in zip(told.value.faults, problems, strict=True):
        assert problem in fault.problem
        assert fault.file == "plan.toml"

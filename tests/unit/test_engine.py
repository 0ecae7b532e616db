"""The engine: rules of a user's own, plain and compiled, refusals, and the cache of compiled code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.model.columns import Column
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.rules import DAY, Day, Rule, rule
from fitss_abm.model.simulation import Seeds, Simulation

PEOPLE = 200  # three units and a part of one
HOURS = Column("hours_outside", np.float32, "hours", "hours outside so far", "state", newborn=1.0)
WEEKS = Column("weeks_counted", np.uint16, "weeks", "how many weeks passed", "record")


@rule(every="day")
def walks(hours_outside, alert, giving, support_need) -> None:  # type: ignore[no-untyped-def]
    """Hours outside grow by (1 - alert) giving need a day. Reads columns, a parameter and one column of its own."""
    for i in range(hours_outside.shape[0]):
        hours_outside[i] += (np.float32(1.0) - alert[i]) * giving[i] * support_need


@rule(every="week")
def counts(weeks_counted, threat, day) -> None:  # type: ignore[no-untyped-def]
    """Counts weeks; in even ones it also halves threat, so that other rules see what it wrote."""
    for i in range(weeks_counted.shape[0]):
        weeks_counted[i] += 1
        if (day // 7) % 2 == 0:
            threat[i] = threat[i] * np.float32(0.5)


def plain(compiled: Rule) -> Rule:
    """The same rule in plain Python."""
    return Rule(compiled.name, compiled.function.py_func, compiled.every, compiled=False)  # type: ignore[attr-defined]


def only(*names: str) -> Day:
    """A short day, which compiles in a moment."""
    return Day(known for known in DAY if known.name in names)


SHORT = only("traits", "ageing", "exposure", "threat", "mortality")


def simulation(day: Day, *columns: Column, **more: Any) -> Simulation:
    arguments: dict[str, Any] = {"people": PEOPLE, "demography": load("Germany"), "seeds": Seeds(5), "threads": 1}
    arguments["network"] = Network.empty(people=more.get("people", PEOPLE))
    made = Simulation(day=day, columns=columns, **(arguments | more))
    for trait in ("threat_reactivity", "giving"):
        made.population[trait][:] = 1.0
    return made


def lived(day: Day, *columns: Column, days: int = 30, **more: Any) -> Simulation:
    made = simulation(day, *columns, **more)
    made.advance(days)
    return made


def differing(one: Simulation, other: Simulation) -> list[str]:
    return [
        name
        for name in one.population
        if not np.array_equal(one.population[name], other.population[name], equal_nan=True)
    ]


# The list of rules


def test_after_replace_and_without_give_new_days() -> None:
    names = [known.name for known in DAY]
    assert [known.name for known in DAY.after("threat", walks)] == [
        *names[: names.index("soothing")],
        "walks",
        *names[names.index("soothing") :],
    ]
    assert [known.name for known in DAY.replace("threat", walks)] == [
        "walks" if name == "threat" else name for name in names
    ]
    assert [known.name for known in DAY.without("threat")] == [name for name in names if name != "threat"]
    assert [known.name for known in DAY] == names
    assert len(DAY.after("offer", walks)) == len(DAY) + 1


@pytest.mark.parametrize(
    "change", [lambda: DAY.after("thret", walks), lambda: DAY.replace("thret", walks), lambda: DAY.without("thret")]
)
def test_an_unknown_rule_gets_the_nearest(change: Any) -> None:
    with pytest.raises(InputError, match=r"no such rule.*Did you mean 'threat'\?"):
        change()


def test_an_unknown_argument_gets_the_nearest() -> None:
    @rule(every="day", compiled=False)
    def mistyped(thraet, soothing_capcity) -> None:  # type: ignore[no-untyped-def]
        """Asks for nothing that there is."""

    with pytest.raises(InputError) as refused:
        simulation(DAY.after("threat", mistyped))
    assert [(fault.field, fault.value, fault.nearest) for fault in refused.value.faults] == [
        ("rule mistyped, argument", "thraet", "threat"),
        ("rule mistyped, argument", "soothing_capcity", "soothing_capacity"),
    ]


def test_a_rule_of_birth_must_be_compiled() -> None:
    @rule(every="birth", compiled=False)
    def born_plain(threat) -> None:  # type: ignore[no-untyped-def]
        """A rule of birth in plain Python."""

    with pytest.raises(InputError, match=r"born_plain.*must be compiled"):
        simulation(DAY.after("traits", born_plain))


@pytest.mark.parametrize("block", [0, 1, 63, 100, -64])
def test_a_block_that_is_no_multiple_of_64_is_refused(block: int) -> None:
    with pytest.raises(InputError, match="must be a multiple of 64"):
        lived(SHORT, block=block)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"people": 0}, "people"),
        ({"slow_days": 2}, "slow_days"),
        ({"threads": 0}, "threads"),
        ({"threads": 10**6}, "threads"),
    ],
)
def test_what_a_simulation_cannot_be_is_refused(more: dict[str, int], field: str) -> None:
    with pytest.raises(InputError) as refused:
        Simulation(**({"people": PEOPLE, "demography": load("Germany")} | more))  # type: ignore[arg-type]
    assert [fault.field for fault in refused.value.faults] == [field]


# A user's rules at work


@pytest.fixture(scope="module")
def with_rules() -> Simulation:
    """Compiled user rules, with columns of their own, among shipped ones."""
    return lived(SHORT.after("exposure", walks).after("threat", counts), HOURS, WEEKS)


def test_a_compiled_rule_with_its_own_column_joins_the_driver(with_rules: Simulation) -> None:
    assert with_rules.engine.unfused == ()
    population = with_rules.population
    there = population["generation"] == 0
    assert np.array_equal(population["hours_outside"][there], np.full(there.sum(), 31, np.float32))  # nobody was alert
    assert np.all(population["hours_outside"][~there] < 31)
    for unit in range(
        0, PEOPLE, 64
    ):  # 64 people share their day of the week: 30 days hold four for some and five for others
        weeks = set(population["weeks_counted"][unit : unit + 64][there[unit : unit + 64]].tolist())
        assert weeks in ({4}, {5})


def test_what_a_rule_writes_others_read(with_rules: Simulation) -> None:
    without = lived(SHORT)
    ratio = with_rules.population["threat"].mean() / without.population["threat"].mean()
    assert 0.1 < ratio < 0.95


def test_plain_and_compiled_rules_give_the_same_bits(with_rules: Simulation) -> None:
    day = SHORT.after("exposure", plain(walks)).after("threat", plain(counts))
    split = lived(day, HOURS, WEEKS)
    assert split.engine.unfused == ("walks", "counts")
    assert differing(with_rules, split) == []


@pytest.fixture(scope="module")
def whole_day() -> Simulation:
    """The shipped day, lived for two weeks by people who had time to fall ill."""
    made = Simulation(people=PEOPLE, demography=load("Germany"), seeds=Seeds(5), threads=1)
    made.prepare()
    return made


def test_the_whole_day_in_plain_python_gives_the_same_bits(whole_day: Simulation, tmp_path: Path) -> None:
    # Every shipped rule but those of birth, called as plain Python on the same state.
    whole_day.save(tmp_path / "state.npz")
    slow = Simulation(
        people=PEOPLE, demography=load("Germany"), seeds=Seeds(5), threads=1,
        day=Day(known if known.every == "birth" else plain(known) for known in DAY),
    )  # fmt: skip
    slow.restore(tmp_path / "state.npz")
    slow.advance(9)
    whole_day.advance(9)
    assert len(slow.engine.unfused) == len(DAY) - 2
    assert differing(whole_day, slow) == []
    assert np.array_equal(whole_day.offers, slow.offers)


def test_a_newcomer_begins_with_a_columns_value(with_rules: Simulation) -> None:
    # Everybody of this world is 95 or more, so that many die within the year.
    made = simulation(SHORT.after("exposure", walks), HOURS)
    made.population["birth_day"][:] = -98 * 365
    made.advance(365)
    new = made.population["generation"] > 0
    assert 20 < new.sum() < PEOPLE
    assert made.population["hours_outside"][~new].min() == 366  # one at the start and one a day
    assert made.population["hours_outside"][new].min() < 300


# The cache of compiled code

SCRIPT = """
import sys
from fitss_abm.model.demography import load
from fitss_abm.model.network import Network
from fitss_abm.model.rules import DAY, Day
from fitss_abm.model.simulation import Seeds, Simulation
day = Day(rule for rule in DAY if rule.name in ("ageing", "exposure", "threat"))
made = Simulation(people=70, demography=load("Germany"), seeds=Seeds(5), day=day, network=Network.empty(people=70), threads=1)
print(made.engine.must_compile)
made.advance(8)
print(made.population["threat"].tobytes().hex())
"""


def run_with_cache(folder: Path) -> tuple[str, str]:
    """Whether it had to compile, and the bits of what it computed."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "FITSS_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    must_compile, bits = done.stdout.split()
    return must_compile, bits


def test_the_cache_is_filled_once_then_used(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet" / "there"
    cold = run_with_cache(folder)
    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")}
    assert kept
    warm = run_with_cache(folder)
    assert (cold[0], warm[0]) == ("True", "False")
    assert cold[1] == warm[1]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.nbc")} == kept


def test_where_no_cache_can_be_written_a_temporary_one_serves(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    here, bits = run_with_cache(tmp_path / "file" / "cache")
    assert here == "True"
    assert len(bits) == 70 * 8
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

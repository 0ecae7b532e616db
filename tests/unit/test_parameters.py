"""Parameters: every number declared in full, refused outside its bounds by name, and used."""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fitss_abm.errors import Faults, InputError
from fitss_abm.model.columns import COLUMNS
from fitss_abm.model.conditions import body_map, shipped
from fitss_abm.model.driver import write_driver
from fitss_abm.model.parameters import Parameter, Parameters, check, declared, sex_mechanisms
from fitss_abm.model.rules import DAY, ENGINE_WORDS, Rule

names = st.sampled_from(sorted(declared()))
each = pytest.mark.parametrize("entry", list(declared().values()), ids=lambda entry: entry.name)
rules = pytest.mark.parametrize("rule", DAY.rules, ids=lambda rule: rule.name)


@st.composite
def values_within(draw: st.DrawFn) -> tuple[str, float]:
    entry = declared()[draw(names)]
    return entry.name, draw(st.floats(entry.low, entry.high) | st.sampled_from([entry.low, entry.high]))


@st.composite
def values_outside(draw: st.DrawFn) -> tuple[Parameter, float]:
    entry = declared()[draw(names)]
    below = st.floats(max_value=entry.low, exclude_max=True)
    above = st.floats(min_value=entry.high, exclude_min=True)
    return entry, draw(below | above | st.sampled_from([math.nan, math.inf, -math.inf]))


# What is accepted


@given(values_within())
def test_a_value_within_its_bounds_is_taken_and_given_back(given: tuple[str, float]) -> None:
    name, value = given
    made = Parameters(**{name: value})
    assert made[name] == value
    assert made.as_array()[list(declared()).index(name)] == np.float32(value)
    assert made.changed() == ({} if value == declared()[name].value else {name: value})
    assert Parameters(**made.changed()) == made
    assert {other: made[other] for other in made if other != name} == {
        other: entry.value for other, entry in declared().items() if other != name
    }


@given(st.lists(values_within(), max_size=6), values_within())
def test_replacing_keeps_what_was_changed_before(first: list[tuple[str, float]], then: tuple[str, float]) -> None:
    before = Parameters(**dict(first))
    kept = dict(before)
    after = before.replace(**dict([then]))
    assert dict(after) == kept | dict([then])
    assert dict(before) == kept


def test_whole_numbers_and_numpy_numbers_are_numbers() -> None:
    for value in (1, np.int64(1), np.float32(1.0), 1.0):
        assert Parameters(support_need=value)["support_need"] == 1.0


# What is refused


@given(values_outside())
def test_a_value_outside_is_refused_with_name_value_bounds_and_unit(given: tuple[Parameter, float]) -> None:
    entry, value = given
    with pytest.raises(InputError) as refused:
        Parameters(**{entry.name: value})
    (fault,) = refused.value.faults
    assert fault.field == f"parameters.{entry.name}"
    assert fault.value is value
    for part in (f"{entry.low:g}", f"{entry.high:g}", entry.unit):
        assert part in fault.problem


@given(names, st.sampled_from([True, False, None, "1", [1.0], {}, 1j]))
def test_what_is_no_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"parameters\.{name} = .*must be a number"):
        Parameters(**{name: value})  # type: ignore[arg-type]


@given(names, st.data())
def test_an_unknown_name_gets_the_nearest(name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    kind = data.draw(st.sampled_from(["left out", "doubled", "upper case"]))
    middle = {"left out": "", "doubled": 2 * name[place], "upper case": name[place].upper()}[kind]
    mistyped = name[:place] + middle + name[place + 1 :]
    assume(mistyped not in declared())
    with pytest.raises(InputError) as refused:
        Parameters(**{mistyped: 0.0})
    (fault,) = refused.value.faults
    assert fault.field == f"parameters.{mistyped}"
    assert fault.nearest == name
    assert f"Did you mean '{name}'?" in str(refused.value)


def test_a_name_near_nothing_gets_no_hint() -> None:
    with pytest.raises(InputError) as refused:
        Parameters(zzzzqqqq=1.0)
    assert refused.value.faults[0].nearest is None


@given(st.lists(values_outside(), min_size=2, max_size=5, unique_by=lambda pair: pair[0].name))
def test_all_faults_are_told_together(wrong: list[tuple[Parameter, float]]) -> None:
    faults = Faults("mine.toml")
    good = check({entry.name: value for entry, value in wrong} | {"support_need": 0.5}, faults)
    asked = [f"parameters.{entry.name}" for entry, _value in wrong if entry.name != "support_need"]
    assert [fault.field for fault in faults.found if fault.field != "parameters.support_need"] == asked
    assert all(str(fault).startswith("mine.toml: ") for fault in faults.found)
    assert set(good) <= {"support_need"}


# What is declared


@each
def test_each_is_declared_in_full(entry: Parameter) -> None:
    assert entry.unit.strip()
    assert entry.source.strip()
    assert entry.source != "none" or entry.role == "assumed", "a number that is not assumed comes from somewhere"
    assert len(entry.meaning) > 10
    assert entry.role in ("measured", "fit", "assumed", "scenario")
    assert math.isfinite(entry.low)
    assert math.isfinite(entry.high)
    assert entry.low < entry.high
    assert entry.low <= entry.value <= entry.high
    assert entry.name.isidentifier()
    # Fitted and measured numbers must not be stuck at the edge of what is allowed.
    if entry.role in ("fit", "measured") and entry.value != 0.0:
        assert entry.low < entry.value < entry.high


@each
def test_what_sex_does_can_be_switched_off(entry: Parameter) -> None:
    if entry.sex_mechanism is not None:
        assert entry.low <= 0.0 <= entry.high
        assert entry.value != 0.0, "a sex mechanism that does nothing"
        assert Parameters().without_sex_mechanisms([entry.sex_mechanism])[entry.name] == 0.0
    else:
        assert Parameters().without_sex_mechanisms(sex_mechanisms())[entry.name] == entry.value
        assert not entry.name.endswith("_female"), "sex acts through it, but nothing switches it off"


def driver_source() -> str:
    """The driver that the engine compiles for the shipped day."""
    walked = [rule for rule in DAY if rule.every != "birth"]
    births = [rule for rule in DAY if rule.every == "birth"]
    return write_driver(walked, births, {column.name: column for column in COLUMNS}, tuple(declared())).source


@each
def test_each_is_read_by_a_rule_or_the_driver(entry: Parameter) -> None:
    number = list(declared()).index(entry.name)
    assert re.search(rf"\bparameters\[{number}\]", driver_source())


# What rules ask for


@rules
def test_what_a_rule_asks_for_is_declared(rule: Rule) -> None:
    kinds = ({column.name for column in COLUMNS}, set(declared()), {*shipped().arrays(), *body_map(), *ENGINE_WORDS})
    for name in rule.arguments:
        assert any(name in kind for kind in kinds), name


@rules
def test_a_rule_uses_what_it_asks_for(rule: Rule) -> None:
    plain = rule.function.py_func  # type: ignore[attr-defined]
    tree = ast.parse(textwrap.dedent(inspect.getsource(plain)))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert set(rule.arguments) <= used


@rules
def test_a_rule_says_its_equation(rule: Rule) -> None:
    assert len(rule.equation) > 40


def test_no_name_means_two_things() -> None:
    kinds = [
        {column.name for column in COLUMNS},
        set(declared()),
        set(shipped().arrays()),
        set(ENGINE_WORDS) - set(body_map()),
    ]
    assert len(set().union(*kinds)) == sum(map(len, kinds))


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_each_column_is_read_or_written(column: object) -> None:
    asked = {name for rule in DAY for name in rule.arguments}
    elsewhere = {"held_quarter_1", "held_quarter_2", "held_quarter_3"}  # turned by the simulation, four times a year
    elsewhere |= {"reported_relief"}  # what tables show as rated pain
    assert column.name in asked | elsewhere  # type: ignore[attr-defined]

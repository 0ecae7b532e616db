"""Faults are gathered, and told once."""

import pytest

from fitss_abm.errors import Fault, Faults, InputError


def fails(*faults: Fault) -> None:
    raise InputError(faults)


def test_faults_of_several_attempts_are_told_together_and_each_once() -> None:
    one, two = Fault("people", 0, "must be 1 or more"), Fault("years", [0.0], "must be above 0")
    faults = Faults()
    assert faults.gather(lambda: 7) == 7
    faults.raise_if_any()
    assert faults.gather(lambda: fails(one)) is None
    assert faults.gather(lambda: fails(one, two)) is None
    with pytest.raises(InputError, match="2 faults in the input") as error:
        faults.raise_if_any()
    assert error.value.faults == (one, two)


@pytest.mark.parametrize(
    ("value", "right"), [(1, True), (5, True), (0, False), (6, False), (2.0, False), (True, False), ("two", False)]
)
def test_a_whole_number_within_bounds(value: object, right: bool) -> None:
    faults = Faults()
    faults.whole("workers", value, 1, 5)
    assert [str(fault) for fault in faults.found] == (
        [] if right else [f"workers = {value!r}: must be a whole number between 1 and 5."]
    )


def test_a_whole_number_without_an_upper_bound() -> None:
    faults = Faults()
    faults.whole("workers", 10**9, 0)
    faults.whole("workers", -1, 0)
    assert [fault.problem for fault in faults.found] == ["must be a whole number, 0 or more"]

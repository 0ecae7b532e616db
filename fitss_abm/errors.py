"""Errors that a user can mend: every fault at once, each naming field, value, bound, file and nearest valid name."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One thing wrong with an input: which field, what it held, what was expected, in which file."""

    field: str
    value: object
    problem: str
    file: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}: " if self.file else ""
        hint = f" Did you mean '{self.nearest}'?" if self.nearest else ""
        return f"{place}{self.field} = {self.value!r}: {self.problem}.{hint}"


class InputError(ValueError):
    """What the user gave cannot be used. `faults` lists everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults]
        head = "1 fault in the input" if len(lines) == 1 else f"{len(lines)} faults in the input"
        super().__init__("\n  ".join([head + ":", *lines]))


@dataclass
class Faults:
    """Collects faults while an input is read, so that all are told together."""

    file: str | None = None
    found: list[Fault] = field(default_factory=list)

    def add(self, field: str, value: object, problem: str, nearest: str | None = None) -> None:
        self.found.append(Fault(field, value, problem, self.file, nearest))

    def unknown(self, field: str, value: object, what: str, valid: Iterable[str]) -> None:
        """Add a fault for a name that is not among `valid`, with the nearest one that is."""
        self.add(field, value, f"no such {what}", nearest_name(str(value), valid))

    def needs(self, *modules: str, extra: str) -> None:
        """Add a fault for each module that is not installed, with the extra that brings it."""
        for module in modules:
            if importlib.util.find_spec(module) is None:
                self.add(module, None, f"is not installed; pip install 'fitss_abm[{extra}]' brings it")

    def whole(self, field: str, value: object, least: int, most: int | None = None) -> None:
        """Add a fault unless `value` is a whole number from `least` to `most`."""
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or value < least
            or (most is not None and value > most)
        ):
            bounds = f", {least} or more" if most is None else f" between {least} and {most}"
            self.add(field, value, f"must be a whole number{bounds}")

    def gather[T](self, attempt: Callable[[], T]) -> T | None:
        """What `attempt` gives; None when it raises InputError, whose faults are added unless they are told already."""
        try:
            return attempt()
        except InputError as error:
            self.found += [fault for fault in error.faults if str(fault) not in map(str, self.found)]
            return None

    def raise_if_any(self) -> None:
        if self.found:
            raise InputError(self.found)


def nearest_name(name: str, valid: Iterable[str]) -> str | None:
    """The valid name closest to `name`, or None when none is near."""
    by_lower = {option.lower(): option for option in valid}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[close[0]] if close else None

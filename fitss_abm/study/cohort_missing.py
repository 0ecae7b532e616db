"""What a study does not get to see: who does not take part, who is lost, who misses a visit, which questions stay unanswered.

A rule says what is missing (`of`), how much (`share`), and on what that hangs (`mechanism`; Rubin, Biometrika 1976,
doi:10.1093/biomet/63.3.581): mcar, on nothing; mar, on what the study has seen; mnar, on what it would have seen.
The log odds of being missing are a + sum of slope x standardised value; `a` is solved so that the expected share is the one
asked for. Luck is that of the person, the day and the question, of the measurement stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.study.cohort_measures import PAIN

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

OF = ("participation", "dropout", "visits", "items")
MECHANISMS = ("mcar", "mar", "mnar")
FIRST = "first_"
"""Before the name of a score: its value at the first visit, which a rule that uses it leaves to be seen."""
ALWAYS_SEEN = ("age", "female")
_KEYS = ("of", "mechanism", "share", "items", "on", "slope")
_MOST_SLOPE = 10.0
_HALVINGS = 200
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rule:
    """One way in which data get lost."""

    of: str
    mechanism: str
    share: float
    """Expected share missing; of drop-out: per year."""
    items: tuple[str, ...] = ()
    """Scores that it is about; none: all."""
    on: tuple[tuple[str, float], ...] = ()
    """Of mar: names of what it hangs on, and log odds per standard deviation."""
    slope: float = 1.0
    """Of mnar: log odds per standard deviation of the value itself; of participation, drop-out and visits: of pain that day."""

    @property
    def firsts(self) -> tuple[str, ...]:
        """Scores whose value at the first visit it hangs on."""
        return tuple(name.removeprefix(FIRST) for name, _ in self.on if name.startswith(FIRST))

    def table(self) -> dict[str, Any]:
        """As in a file."""
        told: dict[str, Any] = {"of": self.of, "mechanism": self.mechanism, "share": self.share}
        if self.items:
            told["items"] = list(self.items)
        if self.mechanism == "mar":
            told["on"] = dict(self.on)
        if self.mechanism == "mnar":
            told["slope"] = self.slope
        return told


def default_on(of: str, scores: Sequence[str]) -> dict[str, float]:
    """What mar hangs on where nothing is said: age, sex and, once it has been asked, pain at the first visit (assumed)."""
    known = {"age": 0.3, "female": 0.3}
    return known if of == "participation" or PAIN not in scores else known | {f"{FIRST}{PAIN}": 0.6}


def read_rule(table: Mapping[str, Any], scores: Sequence[str], place: str, faults: Faults) -> Rule | None:
    """The rule of a table; what is wrong with it is added to `faults`. `scores`: those that are asked."""
    before = len(faults.found)
    for name in table:
        if name not in _KEYS:
            faults.add(f"{place}.{name}", table[name], "no such key of a rule", nearest_name(str(name), _KEYS))
    of, mechanism = table.get("of", "items"), table.get("mechanism", "mcar")
    if of not in OF:
        faults.unknown(f"{place}.of", of, "thing that can be missing", OF)
    if mechanism not in MECHANISMS:
        faults.unknown(f"{place}.mechanism", mechanism, "mechanism", MECHANISMS)
    share = table.get("share")
    if not _number(share) or not 0 <= float(share or 0) < 1:
        faults.add(f"{place}.share", share, "must be a share, 0 or more and below 1")
    items = table.get("items", ())
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        faults.add(f"{place}.items", items, "must be a list of scores")
        items = ()
    for item in items:
        if item not in scores:
            faults.unknown(f"{place}.items", item, "score of this cohort", scores)
    if items and of != "items":
        faults.add(f"{place}.items", list(items), f"is about items, and this is about {of}")
    if len(set(items)) < len(items):
        faults.add(f"{place}.items", list(items), "names one of them twice")
    on = _checked_on(table, of, mechanism, scores, place, faults)
    slope = table.get("slope", 1.0)
    if "slope" in table and mechanism != "mnar":
        faults.add(f"{place}.slope", slope, "is only for mnar; mar has a slope for each name in `on`")
    if not _number(slope) or not abs(slope) <= _MOST_SLOPE:
        faults.add(f"{place}.slope", slope, f"must be a number between -{_MOST_SLOPE:g} and {_MOST_SLOPE:g}")
    if len(faults.found) > before or share is None:
        return None
    return Rule(str(of), str(mechanism), float(share), tuple(items), tuple(on.items()), float(slope))


def _checked_on(
    table: Mapping[str, Any], of: Any, mechanism: Any, scores: Sequence[str], place: str, faults: Faults
) -> dict[str, float]:
    if mechanism != "mar":
        if "on" in table:
            faults.add(f"{place}.on", table["on"], "is only for mar")
        return {}
    on = table.get("on", default_on(str(of), scores))
    if not isinstance(on, Mapping) or not on:
        faults.add(f"{place}.on", on, "must be a table of names and slopes such as { age = 0.5 }")
        return {}
    known = [*ALWAYS_SEEN, *(f"{FIRST}{score}" for score in scores if of != "participation")]
    for name, slope in on.items():
        if name not in known:
            nearest = nearest_name(str(name), known)
            faults.add(f"{place}.on.{name}", slope, "no such thing that the study has seen", nearest)
        elif not _number(slope) or not abs(slope) <= _MOST_SLOPE:
            faults.add(f"{place}.on.{name}", slope, f"must be a number between -{_MOST_SLOPE:g} and {_MOST_SLOPE:g}")
    return {str(name): float(slope) for name, slope in on.items() if _number(slope)}


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def probabilities(rule: Rule, share: float, values: Mapping[str, NDArray[Any]], itself: NDArray[Any]) -> Floats:
    """Of being missing, each person's: expit(a + sum of slope x standardised value), with mean `share`.

    `values`: by name what mar may hang on; `itself`: what mnar hangs on; arrays over the people concerned.
    """
    count = itself.shape[0]
    if share <= 0 or count == 0:
        return np.zeros(count)
    parts: Iterable[tuple[NDArray[Any], float]] = ()
    if rule.mechanism == "mar":
        parts = [(values[name], slope) for name, slope in rule.on]
    elif rule.mechanism == "mnar":
        parts = [(itself, rule.slope)]
    leaning = np.zeros(count)
    for value, slope in parts:
        leaning += slope * _standardised(value)
    if not leaning.any():
        return np.full(count, share)
    low, high = logit(share) - leaning.max(), logit(share) - leaning.min()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if expit(middle + leaning).mean() < share else (low, middle)
    made: Floats = expit((low + high) / 2 + leaning)
    return made


def _standardised(value: NDArray[Any]) -> Floats:
    """Less its mean, over its standard deviation; 0 where nothing is known or all are alike."""
    plain = value.astype(np.float64)
    known = np.isfinite(plain)
    if not known.any():
        return np.zeros(plain.size)
    spread = float(plain[known].std())
    if spread == 0:
        return np.zeros(plain.size)
    return np.where(known, (plain - plain[known].mean()) / spread, 0.0)


def luck(simulation: Simulation, seed: int, what: str, persons: NDArray[np.int64], day: int = 0) -> Floats:
    """A number between 0 and 1 for each of these people, of the measurement stream, for this decision on this day."""
    from fitss_abm.model.randomness import Stream
    from fitss_abm.study.trial_design import uniforms

    return uniforms(simulation, Stream.MEASUREMENT, f"cohort {seed}: {what}", persons, day)


def over(share_per_year: float, years: float) -> float:
    """The share lost over some years at a share per year."""
    return float(1.0 - (1.0 - share_per_year) ** years)


def parse(text: str, place: str, faults: Faults) -> list[dict[str, Any]]:
    """Rules as typed: `mnar:0.2`, `dropout=mar:0.1`, several with commas; `none` for none."""
    made: list[dict[str, Any]] = []
    for part in (one.strip() for one in text.split(",")):
        if part in ("", "none"):
            continue
        of, equals, rest = part.rpartition("=")
        mechanism, colon, share = rest.partition(":")
        try:
            made.append({"of": of if equals else "items", "mechanism": mechanism.lower(), "share": float(share)})
        except ValueError:
            faults.add(
                place, part, "must look like mcar:0.1, mar:0.2 or dropout=mnar:0.05" if not colon else "has no share"
            )
    return made

"""What each treatment does in a trial within the model: paired arms against placebo, in diagnosed patients with pain of 4 or more.

Every arm has the same people and the same luck, and the placebo; a treatment's arm has the treatment beside it. Nobody is
randomised and nothing is measured with error, so a difference is exact for these people, and its interval is that of which people
there are. `sized` looks for the size of a kind that gives the published contrast that sets it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.study.arms import WEEK, Arms, in_trial, parting, view_of
from fitss_abm.study.estimators import Estimate
from fitss_abm.study.intervals import CONFIDENCE

if TYPE_CHECKING:
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.model.targeting import Target

LEAST_PAIN = 4.0
WEEKS = 12
PLACEBO, NOTHING = "placebo", ""
"""Kinds of arms: every other kind has the placebo beside it."""
HALF = 0.5
_NO_TRIAL = ("adversity_prevention", "loneliness_screening")
_STEPS = 7  # of the search for a size
_ACCURATE = 0.02
Floats = NDArray[np.float64]


def kinds() -> list[str]:
    """Every kind that a trial in patients can have, the placebo first."""
    from fitss_abm.model.programme_tables import shipped_kinds

    return sorted((kind for kind in shipped_kinds() if kind not in _NO_TRIAL), key=lambda kind: kind != PLACEBO)


def patients() -> Target:
    """Diagnosed adults with rated pain of 4 or more."""
    from fitss_abm.model.targeting import Holds, Within

    return Holds(("fibromyalgia_diagnosed",)) & Within("age", 18) & Within("pain", LEAST_PAIN)


def programme(kind: str, size: float | None = None) -> Programme:
    """A kind as in a trial: everybody is offered it in the first week and accepts; adherence and drop-out as shipped. `size`: of
    its first act, instead of the shipped one.
    """
    from fitss_abm.model.programme_tables import shipped_kinds
    from fitss_abm.model.targeting import TiesOf

    faults = Faults()
    target = TiesOf(patients(), partners=True) if kind == "partner_support_training" else patients()
    made = in_trial({"kind": kind, "target": target}, shipped_kinds(), kind, faults)
    faults.raise_if_any()
    if size is None:
        return made
    return dataclasses.replace(made, acts=(dataclasses.replace(made.acts[0], size=size), *made.acts[1:]))


@dataclass(frozen=True)
class Measured:
    """Rated pain of the patients: before, and after each arm by kind (NaN of the dead). `NOTHING`: without any treatment."""

    before: Floats
    after: Mapping[str, Floats]

    @property
    def patients(self) -> int:
        return self.before.size


def measure(simulation: Simulation, of: Iterable[str], *, weeks: int = WEEKS) -> Measured:
    """Arms of these kinds, and the placebo, from the day of a prepared simulation on; it is left at the end of one of them."""
    with parting(simulation) as arms:
        who = _patients(arms)
        before = arms.pain(who)
        wanted = dict.fromkeys([PLACEBO, *of])
        return Measured(before, {kind: _after(arms, who, weeks, kind) for kind in wanted})


def pooled(parts: Sequence[Measured]) -> Measured:
    """Patients of several worlds as one."""
    after = {kind: np.concatenate([part.after[kind] for part in parts]) for kind in parts[0].after}
    return Measured(np.concatenate([part.before for part in parts]), after)


def _patients(arms: Arms) -> NDArray[np.int64]:
    return np.flatnonzero(patients().reaches(view_of(arms.begin())))


def _after(
    arms: Arms,
    who: NDArray[np.int64],
    weeks: int,
    kind: str,
    size: float | None = None,
    placebo: float | None = None,
) -> Floats:
    given = [] if kind == NOTHING else [programme(PLACEBO, size if kind == PLACEBO else placebo)]
    if kind not in (NOTHING, PLACEBO):
        given.append(programme(kind, size))
    arms.begin(given).advance(weeks * WEEK)
    return arms.pain(who)


def contrast(measured: Measured, kind: str) -> dict[str, Estimate]:
    """Of one kind against placebo (of the placebo against nothing, if that was measured): `smd` of pain; `half`, per cent of the
    arm with half the pain or less; `difference` of that against the control (points). `cases`: patients alive in both arms.
    """
    control = measured.after.get(NOTHING if kind == PLACEBO else PLACEBO)
    active = measured.after[kind]
    missing = Estimate(float("nan"), float("nan"), float("nan"), 0)
    alive = np.isfinite(active) if control is None else np.isfinite(active) & np.isfinite(control)
    many = int(alive.sum())
    if many < 2:
        return dict.fromkeys(("smd", "half", "difference"), missing)
    relieved = active[alive] <= HALF * measured.before[alive]
    found = {"half": _mean(100.0 * relieved), "smd": missing, "difference": missing}
    if control is not None:
        spread = float(np.sqrt((active[alive].var() + control[alive].var()) / 2))
        found["smd"] = _mean((active[alive] - control[alive]) / spread) if spread > 0 else missing
        before = control[alive] <= HALF * measured.before[alive]
        found["difference"] = _mean(100.0 * (relieved.astype(float) - before))
    return found


def _mean(values: NDArray[Any]) -> Estimate:
    from scipy.special import ndtri

    reach = float(ndtri(0.5 + CONFIDENCE / 2)) * float(values.std()) / np.sqrt(values.size)
    value = float(values.mean())
    return Estimate(value, value - reach, value + reach, int(values.size))


class Sizing:
    """Worlds in which arms are lived through again and again with other sizes. `placebo_size`: instead of the shipped one."""

    def __init__(self, worlds: Sequence[Arms], *, weeks: int = WEEKS) -> None:
        self.worlds = list(worlds)
        self.weeks = weeks
        self._who = [_patients(arms) for arms in self.worlds]
        self.before = np.concatenate([arms.pain(who) for arms, who in zip(self.worlds, self._who, strict=True)])
        self.placebo_size: float | None = None
        self._kept: dict[str, Floats] = {}

    def _arm(self, kind: str, size: float | None = None) -> Floats:
        each = zip(self.worlds, self._who, strict=True)
        return np.concatenate([_after(arms, who, self.weeks, kind, size, self.placebo_size) for arms, who in each])

    def contrast(self, kind: str, size: float | None = None) -> dict[str, Estimate]:
        """`contrast` of a kind whose first act has this size."""
        control = NOTHING if kind == PLACEBO else PLACEBO
        if control not in self._kept:
            self._kept[control] = self._arm(control, self.placebo_size)
        return contrast(Measured(self.before, {control: self._kept[control], kind: self._arm(kind, size)}), kind)

    def sized(self, kind: str) -> tuple[float, dict[str, Estimate]]:
        """The size of the first act that gives the wanted contrast: by false position on the size, from nothing upwards."""
        from fitss_abm.model.programme_tables import shipped_kinds
        from fitss_abm.model.programmes import ACTS
        from fitss_abm.study.treatment_rows import wanted

        act = shipped_kinds()[kind]["acts"][0]
        found, start = wanted(kind), float(act["size"])
        if found is None or found[2] == 0 or start == 0:
            return start, self.contrast(kind)
        _, number, value = found
        low, at_low = 0.0, (self.contrast(kind, 0.0)[number].value if number == "half" else 0.0)
        high, most = start, None
        limit = float(ACTS[act["on"]][2 if start > 0 else 1])
        for _ in range(_STEPS):
            made = self.contrast(kind, high)
            at = made[number].value
            if abs(at - value) <= _ACCURATE * abs(value):
                return high, made
            if abs(at) < abs(value):
                low, at_low = high, at
            else:
                most = (high, at)
            if most is None and high == limit:
                break  # it cannot be reached by this act
            high = low + (most[0] - low) * (value - at_low) / (most[1] - at_low) if most else 2 * high
            high = min(high, limit) if limit > 0 else max(high, limit)
        return high, self.contrast(kind, high)


def table(found: Mapping[str, tuple[float, Mapping[str, Estimate]]]) -> pd.DataFrame:
    """One row a kind: kind, on (what its first act acts on), size; patients; smd, half (% of the arm), difference (points), each
    with _low and _high; then, a row a published contrast of the kind: row (id), role, number (which of the three), published,
    published_low, published_high, within (<NA> without a published range).
    """
    from fitss_abm.model.programme_tables import shipped_kinds
    from fitss_abm.study.treatment_rows import published
    from fitss_abm.study.validation import within

    rows: list[dict[str, Any]] = []
    for kind, (size, numbers) in found.items():
        row: dict[str, Any] = {"kind": kind, "on": shipped_kinds()[kind]["acts"][0]["on"], "size": size}
        row["patients"] = numbers["half"].cases
        for name, number in numbers.items():
            row |= {name: number.value, f"{name}_low": number.low, f"{name}_high": number.high}
        facts = published(kind)
        for fact in facts or [{}]:
            said = within(numbers[fact["number"]], fact["published_low"], fact["published_high"]) if fact else None
            rows.append(row | fact | {"within": said})
    columns = ["row", "role", "number", "published", "published_low", "published_high", "within"]
    made = pd.DataFrame(rows)
    for name in columns:
        if name not in made:
            made[name] = np.nan if name.startswith("published") else None
    return made.astype({"within": "boolean"})

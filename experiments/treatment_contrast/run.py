"""What each treatment does in a trial within the model: paired arms against placebo, in diagnosed patients with pain of 4 or more.

Every arm has the same people and the same luck, and the placebo; a treatment's arm has the treatment beside it. With --size the
size of each kind of role `input` is sought that gives the row of targets.csv that it names; nothing is written but what is printed.
Usage: python experiments/treatment_contrast/run.py [--people 40000] [--seeds 1 2] [--weeks 12] [--size] [--kinds snri ...]
[--out CSV]
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm import Simulation
from fitss_abm.errors import Faults
from fitss_abm.model.demography import load
from fitss_abm.model.programme_tables import read_programme, shipped_kinds
from fitss_abm.model.programmes import ACTS, Programme
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Seeds
from fitss_abm.model.targeting import Everyone, Holds, TiesOf, Within
from fitss_abm.model.view import View
from fitss_abm.study.targets import load_targets

LEAST_PAIN = 4.0
PATIENTS = Holds(("fibromyalgia_diagnosed",)) & Within("age", 18) & Within("pain", LEAST_PAIN)
STEPS = 7  # of the search for a size
ACCURATE = 0.02


def programme(kind: str, size: float | None = None) -> Programme:
    """A kind as in a trial: everybody is offered it in the first week and accepts; adherence and drop-out as shipped."""
    faults = Faults()
    target = TiesOf(PATIENTS, partners=True) if kind == "partner_support_training" else PATIENTS
    made = read_programme({"kind": kind, "target": target}, shipped_kinds(), kind, faults)
    faults.raise_if_any()
    acts = made.acts if size is None else (dataclasses.replace(made.acts[0], size=size), *made.acts[1:])
    return dataclasses.replace(
        made, acts=acts, eligible=Everyone(), screening=None, coverage=1.0, uptake=1.0, capacity=None, recruit_weeks=1
    )


class World:
    """One world at the start of the trial, from which arms go on."""

    def __init__(self, people: int, seed: int, weeks: int, folder: Path) -> None:
        self.arguments: dict[str, Any] = {"people": people, "demography": load("Germany"), "seeds": Seeds(seed)}
        self.state = folder / f"{seed}.npz"
        self.days = 7 * weeks
        first = Simulation(**self.arguments)
        first.prepare()
        first.save(self.state)
        self.patients = np.flatnonzero(PATIENTS.reaches(_view(first)))
        self.before = _view(first).measure("pain")[self.patients]

    def after(self, arm: Iterable[Programme]) -> np.ndarray:
        """Rated pain of each patient at the end of an arm; NaN of those who have died."""
        made = Simulation(**self.arguments, programmes=arm)
        made.restore(self.state)
        made.advance(self.days)
        pain = _view(made).measure("pain")[self.patients].astype(float)
        return np.where(made.population["generation"][self.patients] == 0, pain, np.nan)


def _view(made: Simulation) -> View:
    key = made.seeds.key(Stream.DELIVERY)
    return View(made.population, made.network, made.catalogue, made.parameters["pain_gain"], made.day, key)


class Trial:
    """Arms over several worlds, put together."""

    def __init__(self, worlds: list[World]) -> None:
        self.worlds = worlds
        self.before = np.concatenate([world.before for world in worlds])
        self.placebo_size: float | None = None
        self._placebo: np.ndarray | None = None

    def arm(self, *programmes: Programme) -> np.ndarray:
        return np.concatenate([world.after(programmes) for world in self.worlds])

    @property
    def placebo(self) -> np.ndarray:
        """The placebo arm."""
        if self._placebo is None:
            self._placebo = self.arm(programme("placebo", self.placebo_size))
        return self._placebo

    def relieved(self, after: np.ndarray) -> np.ndarray:
        """Who has half the pain of before or less; NaN of the dead."""
        return np.where(np.isnan(after), np.nan, after <= 0.5 * self.before)

    def contrast(self, kind: str, size: float | None = None) -> dict[str, float]:
        """SMD of pain and difference in the share with half the pain or less, against placebo (placebo: against nothing)."""
        if kind == "placebo":
            control, active = self.arm(), self.arm(programme("placebo", size))
        else:
            control, active = self.placebo, self.arm(programme("placebo", self.placebo_size), programme(kind, size))
        alive = ~np.isnan(control) & ~np.isnan(active)
        less, spread = active[alive] - control[alive], np.sqrt((active[alive].var() + control[alive].var()) / 2)
        more = self.relieved(active)[alive] - self.relieved(control)[alive]
        error = np.sqrt(alive.sum())
        return {
            "patients": int(alive.sum()),
            "smd": less.mean() / spread, "smd_se": less.std() / spread / error,
            "half_%": 100 * self.relieved(active)[alive].mean(), "control_half_%": 100 * self.relieved(control)[alive].mean(),
            "difference": 100 * more.mean(), "difference_se": 100 * more.std() / error,
        }  # fmt: skip


def wanted(kind: str) -> tuple[str, str, float] | None:
    """The row that sets a kind's size: its id, which number of a contrast it is, and the value it should have."""
    rows: Mapping[str, Any] = load_targets().set_index("id").to_dict("index")
    for row in shipped_kinds()[kind].get("rows", ()):
        about = rows[row]
        if about["role"] != "input":
            raise ValueError(f"{row} is no row of role input")
        placebo = re.search(r"placebo (\d+)", about["unit"])
        if kind == "placebo":
            return row, "half_%", about["value"]
        if placebo:
            return row, "difference", about["value"] - float(placebo[1])
        return row, "smd", -abs(about["value"])
    return None


def sized(trial: Trial, kind: str) -> tuple[float, dict[str, float]]:
    """The size of the first act that gives the wanted contrast: by false position on the size, from nothing upwards."""
    found = wanted(kind)
    start = shipped_kinds()[kind]["acts"][0]["size"]
    if found is None or found[2] == 0 or start == 0:
        return start, trial.contrast(kind)
    _, number, value = found
    low, at_low = 0.0, (trial.contrast(kind, 0.0)[number] if number == "half_%" else 0.0)
    high, most = start, None
    limit = ACTS[shipped_kinds()[kind]["acts"][0]["on"]][2 if start > 0 else 1]
    for _ in range(STEPS):
        contrast = trial.contrast(kind, high)
        if abs(contrast[number] - value) <= ACCURATE * abs(value):
            return high, contrast
        if abs(contrast[number]) < abs(value):
            low, at_low = high, contrast[number]
        else:
            most = (high, contrast[number])
        if most is None and high == limit:
            break  # it cannot be reached by this act
        high = low + (most[0] - low) * (value - at_low) / (most[1] - at_low) if most else 2 * high
        high = min(high, limit) if limit > 0 else max(high, limit)
    return high, trial.contrast(kind, high)


def main() -> None:
    """Run the arms and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=40_000)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    options.add_argument("--weeks", type=int, default=12)
    options.add_argument("--size", action="store_true")
    options.add_argument("--kinds", nargs="+", choices=list(shipped_kinds()), default=None)
    options.add_argument("--out", type=Path, default=None)
    asked = options.parse_args()
    chosen = asked.kinds or [kind for kind in shipped_kinds() if kind != "adversity_prevention"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial([World(asked.people, seed, asked.weeks, Path(folder)) for seed in asked.seeds])
        if asked.size:
            trial.placebo_size = sized(trial, "placebo")[0]
        for kind in sorted(chosen, key=lambda kind: kind != "placebo"):
            act = shipped_kinds()[kind]["acts"][0]
            size, contrast = sized(trial, kind) if asked.size else (act["size"], trial.contrast(kind))
            row, number, value = wanted(kind) or ("", "", float("nan"))
            rows.append(
                {
                    "kind": kind,
                    "acts on": act["on"],
                    "size": size,
                    **contrast,
                    "row": row,
                    "wanted": value,
                    "of": number,
                }
            )
    places = dict.fromkeys(("size", "smd", "smd_se"), 3) | dict.fromkeys(
        ("half_%", "control_half_%", "difference", "difference_se"), 1
    )
    table = pd.DataFrame(rows).round(places)
    print(table.to_string(index=False))
    if asked.out:
        table.to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()

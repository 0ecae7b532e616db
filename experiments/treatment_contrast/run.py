"""What each treatment does in a trial within the model: paired arms against placebo, in diagnosed patients with pain of 4 or more.

Every arm has the same people and the same luck, and the placebo; a treatment's arm has the treatment beside it
(`fitss_abm.study.treatment_contrast`). With --size the size of each kind of role `input` is sought that gives the row of
targets.csv that it names; nothing is written but what is printed.
Usage: python experiments/treatment_contrast/run.py [--people 40000] [--seeds 1 2] [--weeks 12] [--size] [--kinds snri ...]
[--out CSV]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from fitss_abm import Scenario
from fitss_abm.model.programme_tables import shipped_kinds
from fitss_abm.study.arms import Arms
from fitss_abm.study.treatment_contrast import PLACEBO, WEEKS, Sizing, kinds
from fitss_abm.study.treatment_rows import wanted

_PLACES = {"size": 3, "smd": 3, "smd_se": 3, "half_%": 1, "difference": 1, "difference_se": 1}
_STANDARD_ERRORS = 2 * 1.959964  # in a 95 % interval


def world(people: int, seed: int, folder: str) -> Arms:
    """A world at the start of the trial, from which arms go on."""
    simulation = Scenario(people=people, seed=seed).simulation()
    simulation.prepare()
    within = Path(folder) / str(seed)
    within.mkdir()
    return Arms(simulation, within)


def row_of(sizing: Sizing, kind: str, *, size: bool) -> dict[str, object]:
    """One row of the table."""
    act = shipped_kinds()[kind]["acts"][0]
    found, contrast = sizing.sized(kind) if size else (act["size"], sizing.contrast(kind))
    if size and kind == PLACEBO:
        sizing.placebo_size = found
    row, number, value = wanted(kind) or ("", "", float("nan"))
    errors = {name: (contrast[name].high - contrast[name].low) / _STANDARD_ERRORS for name in ("smd", "difference")}
    return {
        "kind": kind, "acts on": act["on"], "size": found, "patients": contrast["half"].cases, "smd": contrast["smd"].value,
        "smd_se": errors["smd"], "half_%": contrast["half"].value, "difference": contrast["difference"].value,
        "difference_se": errors["difference"], "row": row, "wanted": value, "of": number,
    }  # fmt: skip


def main() -> None:
    """Run the arms and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=40_000)
    options.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    options.add_argument("--weeks", type=int, default=WEEKS)
    options.add_argument("--size", action="store_true")
    options.add_argument("--kinds", nargs="+", choices=kinds(), default=None)
    options.add_argument("--out", type=Path, default=None)
    asked = options.parse_args()
    chosen = [kind for kind in kinds() if kind in (asked.kinds or kinds())]
    with tempfile.TemporaryDirectory() as folder:
        sizing = Sizing([world(asked.people, seed, folder) for seed in asked.seeds], weeks=asked.weeks)
        if asked.size and PLACEBO not in chosen:
            sizing.placebo_size = sizing.sized(PLACEBO)[0]
        table = pd.DataFrame([row_of(sizing, kind, size=asked.size) for kind in chosen]).round(_PLACES)
    print(table.to_string(index=False))
    if asked.out:
        table.to_csv(asked.out, index=False)


if __name__ == "__main__":
    main()

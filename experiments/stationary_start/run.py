"""Does a run begin where it would be after decades? Three starts of the same people, thirty years, one figure and one table.

usual: the pre-history as shipped. low: nobody sensitized, in alert or ill on the first day. high: everybody sensitized and in
alert. Usage: python experiments/stationary_start/run.py [--people 20000] [--years 30] [--seed 1] [--out FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from fitss_abm import Simulation
from fitss_abm.model.demography import load
from fitss_abm.model.simulation import Seeds

SHOWN = {
    "chronic_widespread_pain": "Chronic widespread pain (%)",
    "fibromyalgia": "Fibromyalgia (%)",
    "irritable_bowel_syndrome": "Irritable bowel syndrome (%)",
    "chronic_low_back_pain": "Chronic low back pain (%)",
    "ptsd": "Post-traumatic stress disorder (%)",
}
COLOURS = {"usual": "#000000", "low": "#0072B2", "high": "#D55E00"}
HIGH_SENSITIZATION, HIGH_ALERT, HIGH_THREAT, HIGH_SOOTHING = 0.5, 1.0, 60.0, 0.5


def begin(simulation: Simulation, start: str) -> None:
    """Put everybody's state low or high; traits, ties and life events stay as they are."""
    who = simulation.population
    if start == "low":
        for name in ("sensitization", "alert", "alert_mean", "conditions", "conditions_before", "burden", "peripheral"):
            who[name][...] = 0
        who["weeks_met"][...] = 0
        who["openness"][...] = 1
    if start == "high":
        who["sensitization"][...] = HIGH_SENSITIZATION
        who["alert"][...] = HIGH_ALERT
        who["alert_mean"][...] = HIGH_ALERT
        who["threat"][...] = HIGH_THREAT
        who["soothing"][...] = HIGH_SOOTHING


def cells(simulation: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Ten-year age and sex cell of everybody, and who is an adult."""
    who = simulation.population
    band = np.clip((who["age"] - 20) // 10, 0, 6).astype(int)
    return band * 2 + who["female"], who["age"] >= 20


def main() -> None:
    """Run the three starts, draw the figure, print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--years", type=int, default=30)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = options.parse_args()
    rows = []
    weights = None
    for start in COLOURS:
        simulation = Simulation(people=asked.people, demography=load("Germany"), seeds=Seeds(asked.seed))
        simulation.prepare()
        begin(simulation, start)
        for quarter in range(4 * asked.years + 1):
            cell, adult = cells(simulation)
            size = np.bincount(cell[adult], minlength=14)
            weights = size / size.sum() if weights is None else weights
            values = {"Central sensitization (mean)": simulation.population["sensitization"]}
            for id, label in SHOWN.items():
                bit = np.uint32(simulation.catalogue.bit[id])
                values[label] = 100.0 * ((simulation.population["conditions"] >> bit) & np.uint32(1))
            for label, value in values.items():
                mean = np.bincount(cell[adult], value[adult].astype(float), minlength=14) / np.maximum(size, 1)
                rows.append({"start": start, "years": quarter / 4, "what": label, "value": float(mean @ weights)})
            if quarter < 4 * asked.years:
                simulation.advance(91)
    table = pd.DataFrame(rows)
    asked.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(asked.out / "stationary_start.csv", index=False, float_format="%.5g")
    figure, axes = plt.subplots(2, 3, figsize=(12, 7), layout="constrained")
    for axis, (label, part) in zip(axes.flat, table.groupby("what", sort=False), strict=True):
        for start, line in part.groupby("start", sort=False):
            axis.plot(line["years"], line["value"], color=COLOURS[str(start)], lw=1.8, label=start)
        axis.set_title(str(label), loc="left", fontsize=11)
        axis.set_xlabel("years")
        axis.set_ylim(bottom=0)
        axis.spines[["top", "right"]].set_visible(False)
    axes.flat[0].legend(frameon=False, title="start")
    figure.suptitle(
        "Low and high starts meet where the usual start begins (adults, standardised for age and sex)",
        x=0.01,
        ha="left",
    )
    figure.savefig(asked.out / "stationary_start.png", dpi=100)
    usual = table[table["start"] == "usual"].pivot(index="years", columns="what", values="value")
    print((usual.loc[[0, 5, 10, asked.years]]).round(3).T.to_string())
    last = table[table["years"] >= asked.years - 5].pivot_table(index="what", columns="start", values="value")
    print("\nMean of the last five years, by start:\n" + last.round(3).to_string())


if __name__ == "__main__":
    main()

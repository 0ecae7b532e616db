"""The figure of a calibration: what the data did to each free number, and each fact before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from fitss_abm.presentation import style
from fitss_abm.presentation.validation_page import figures
from fitss_abm.study.calibration import Calibration

_ROW = 0.3  # inches
_MOST = 3.0  # times the middle of the published range


def draw_calibration(found: Calibration, path: str | Path) -> None:
    """Draw to a PNG."""
    with style.house_style():
        rows = max(len(found.numbers), len(found.rows))
        figure = style.sheet(
            "What calibration found",
            f"{len(found.runs):,} runs; posterior on the emulator, checked by fresh runs; {found.settings.location}",
            width=12.5,
            height=2.4 + _ROW * rows,
        )
        left, right = figure.subplots(1, 2)
        _numbers(left, found)
        _facts(right, found)
        style.legend_below(
            figure,
            [
                Patch(color=style.PALE, label="prior, or published range"),
                Line2D(
                    [],
                    [],
                    color=style.MEN,
                    linewidth=2,
                    marker="o",
                    label="posterior: median, 90 % (numbers), 95 % (facts)",
                ),
                Line2D([], [], color=style.ORANGE, linewidth=0, marker="D", label="calibrated point"),
                Line2D([], [], color=style.GREY, linewidth=1, label="runs over the prior, 95 %"),
            ],
        )
        figure.savefig(path)


def _numbers(axes: Axes, found: Calibration) -> None:
    table = found.numbers
    width = table["prior_high"] - table["prior_low"]
    scaled = {name: (table[name] - table["prior_low"]) / width for name in ("low", "median", "high", "point")}
    y = np.arange(len(table))
    axes.barh(y, 1.0, color=style.PALE, height=0.55)
    axes.hlines(y, scaled["low"], scaled["high"], color=style.MEN, linewidth=2)
    axes.plot(scaled["median"], y, "o", color=style.MEN, markersize=5)
    axes.plot(scaled["point"], y, "D", color=style.ORANGE, markersize=5)
    for k, (low, high) in enumerate(zip(table["prior_low"], table["prior_high"], strict=True)):
        axes.text(1.02, k, f"{figures(low)} to {figures(high)}", va="center", fontsize=7, color=style.GREY)
    axes.set_yticks(y, [_short(name) for name in table["name"]], fontsize=8)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["lowest", "", "highest"])
    axes.set_xlabel("Within the prior")
    axes.set_title("Free numbers", loc="left", fontsize=10)


def _facts(axes: Axes, found: Calibration) -> None:
    table = found.rows
    middle = np.sqrt(table["published_low"] * table["published_high"])
    y = np.arange(len(table))

    def share(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.clip((table[name] / middle).to_numpy(dtype=float), 1 / _MOST, _MOST)

    axes.barh(
        y, share("published_high") - share("published_low"), left=share("published_low"), color=style.PALE, height=0.55
    )
    axes.hlines(y + 0.2, share("prior_low"), share("prior_high"), color=style.GREY, linewidth=1)
    axes.hlines(y, share("posterior_low"), share("posterior_high"), color=style.MEN, linewidth=2)
    axes.plot(share("posterior"), y, "o", color=style.MEN, markersize=5)
    axes.plot(share("emulated"), y, "D", color=style.ORANGE, markersize=5)
    axes.set_xscale("log")
    ticks = (0.5, 0.7, 1, 1.5, 2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(y, list(table["id"]), fontsize=8)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlabel("Simulated / middle of published range")
    axes.set_title("Facts", loc="left", fontsize=10)


def _short(name: str) -> str:
    return name.removeprefix("conditions.").replace("temporomandibular_disorder", "TMD")

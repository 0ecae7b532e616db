"""The figure of the knock-outs: each fact a row, each variant a column, how far the one is from the other."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from fitss_abm.presentation import style
from fitss_abm.presentation.knockout_page import most_different
from fitss_abm.presentation.validation_page import names as row_names
from fitss_abm.study.knockout import VARIANTS
from fitss_abm.study.knockout_facts import ROLES
from fitss_abm.study.knockout_score import CAP, Knockout, capped

_ROW = 0.235  # inches
_NEAR = 1.96  # standard deviations: the published range
_DARK = 3.0  # beyond it the ground is so dark that numbers are white
_BANDS = (-CAP, -4.0, -3.0, -_NEAR, _NEAR, 3.0, 4.0, CAP)
_SHADES = (0.02, 0.14, 0.26, None, 0.74, 0.86, 0.98)  # of purple to orange; told apart with any kind of colour vision
_HEADS = {"fit": "Facts that may decide in the refits", "check": "Facts that decide nothing"}


def draw_knockout(found: Knockout, path: str | Path) -> bool:
    """Draw to a PNG; False where no fact can be compared."""
    with style.house_style():
        figure = knockout_sheet(found)
        if figure is None:
            return False
        figure.savefig(path)
    return True


def knockout_sheet(found: Knockout) -> Figure | None:
    """Distances of every compared fact, those first in which the variants differ most; the scores above."""
    facts = most_different(found, None)
    names = list(found.records)
    counts = [int((facts["role"] == role).sum()) for role in ROLES]
    roles = [role for role, count in zip(ROLES, counts, strict=True) if count]
    if not roles:
        return None
    heights = [count + 1.0 for count in counts if count]
    figure = style.sheet(
        "Which part of the theory the epidemiology needs",
        f"Full FITSS and versions with a part taken out, each fitted anew with the same budget; {found.replicates} "
        f"run{'s' if found.replicates > 1 else ''} of {found.people:,} people each\n"
        "Distance of each fact from the middle of its published range, in standard deviations of the range (range: −1.96 to "
        "+1.96)\nIn brackets: outside, but the 95 % interval of chance in the runs reaches the range; 5…: 5 or more, of which the "
        "scores count 5",
        width=4.6 + 1.15 * len(names),
        height=2.5 + _ROW * (sum(heights) + 3 * len(roles)),
    )
    axes = figure.subplots(len(roles), 1, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel()
    for each, role in zip(axes, roles, strict=True):
        _cells(each, found, role, list(facts.loc[facts["role"] == role, "id"]), names)
    style.legend_below(figure, list(_keys()))
    return figure


def _cells(axes: Axes, found: Knockout, role: str, ids: list[str], names: list[str]) -> None:
    by = {(row["id"], row["variant"]): row for row in found.rows.to_dict("records")}
    for y, id in enumerate(ids):
        for x, name in enumerate(names):
            distance = float(by[(id, name)]["distance"])
            ground, ink = _ground(distance)
            axes.add_patch(
                Rectangle(
                    (x - 0.5, y - 0.5), 1, 1, facecolor=ground, edgecolor="white", linewidth=1.2, gid=f"{id} {name}"
                )
            )
            said = _said(distance, within=bool(by[(id, name)]["within"]))
            axes.text(x, y, said, ha="center", va="center", fontsize=7.5, color=ink)
    facts = found.rows.drop_duplicates("id")
    says = facts.assign(name=row_names(facts)).set_index("id").loc[ids, "name"]
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(ids) - 0.5, -0.5)
    axes.set_yticks(range(len(ids)), [_brief(name) for name in says], fontsize=7.5)
    axes.set_xticks(range(len(names)), [_head(found, name, role) for name in names], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(axis="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(_HEADS[role], loc="left", fontsize=9.5, fontweight="bold", x=-0.02, ha="right", y=1.0, pad=14)


def _ground(distance: float) -> tuple[str, str]:
    """Colours of a cell and of the number in it."""
    held = min(max(distance, -CAP), CAP)
    band = int(np.clip(np.searchsorted(_BANDS, held, side="right") - 1, 0, len(_SHADES) - 1))
    shade = _SHADES[band]
    ground = "#F1F1F1" if shade is None else to_hex(mpl.colormaps["PuOr_r"](shade))
    return ground, "white" if abs(held) > _DARK else style.BLACK


def _head(found: Knockout, name: str, role: str) -> str:
    score = found.of(name, role)
    return f"{VARIANTS[name].label}\nwithin {score['within']} of {score['rows']}\nrms {score['rms']:.2f}"


def _said(distance: float, *, within: bool) -> str:
    held = float(capped(np.float64(distance)))
    size = f"{abs(held):.1f}" if abs(distance) <= CAP else f"{CAP:g}…"
    said = size if size == "0.0" else f"{'+' if held > 0 else '−'}{size}"
    return f"({said})" if within and abs(distance) > _NEAR else said


def _brief(name: str, most: int = 66) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _keys() -> list[Patch]:
    says = ("below by more than 4", "3 to 4", "2 to 3", "in the range", "above by 2 to 3", "3 to 4", "more than 4")
    grounds = (-4.5, -3.5, -2.5, 0.0, 2.5, 3.5, 4.5)
    return [Patch(facecolor=_ground(d)[0], label=label) for d, label in zip(grounds, says, strict=True)]

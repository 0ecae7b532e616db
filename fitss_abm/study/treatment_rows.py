"""Published facts about treatments as contrasts of arms within the model (`treatment_contrast`), in the unit they are scored in.

Trials give shares with half the pain or less in either arm; what is scored is their difference in points, since the placebo arm is
an input of its own. tx_nsaid_50: the review's pooled risk difference, -0.07 (-0.18 to 0.04; 2 studies, 146 participants: Derry,
Cochrane Database Syst Rev 2017, summary of findings), so not above 0 beyond the error of those trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from fitss_abm.study.estimators import NOTHING, Estimate
from fitss_abm.study.targets import load_targets
from fitss_abm.study.treatment_contrast import WEEKS, Measured, contrast

_IN = f"diagnosed adults with rated pain of 4 or more, {WEEKS} weeks, the same people with the same luck in both arms"
_DIFFERENCE = (
    f"{_IN}: points more with half the pain or less than under placebo; the published range is that of this difference"
)
_SMD = f"{_IN}: difference in pain over its standard deviation, treatment beside placebo against placebo alone"


@dataclass(frozen=True)
class Fact:
    """Which number of the contrast of which kind a row is; `published`: value, low and high of that number where the row gives
    those of something else; `sign`: -1 where relief counts as positive.
    """

    kind: str
    number: str
    words: str
    published: tuple[float, float, float] | None = None
    sign: int = 1


FACTS: Mapping[str, Fact] = MappingProxyType(
    {
        "tx_placebo_50": Fact("placebo", "half", f"{_IN}: share of the placebo arm with half the pain or less"),
        "tx_dlx120_smd": Fact("snri", "smd", _SMD),
        "tx_snri_50": Fact("snri", "difference", _DIFFERENCE, (10.0, 6.0, 14.0)),
        "tx_pgb_50": Fact("gabapentinoid", "difference", _DIFFERENCE, (10.0, 6.0, 14.0)),
        "tx_ami_50": Fact("amitriptyline", "difference", _DIFFERENCE, (25.0, 17.0, 34.0)),
        "tx_tramadol": Fact("tramadol", "smd", f"{_SMD}; relief counts as positive", sign=-1),
        "tx_opioid": Fact("strong_opioid", "smd", _SMD),
        "tx_exercise_pain": Fact("exercise", "smd", _SMD),
        "tx_cbt_pain": Fact("cbt", "smd", _SMD),
        "tx_nsaid_50": Fact("nsaid", "difference", _DIFFERENCE, (-7.0, -18.0, 4.0)),
        "tx_mbsr_pain": Fact("mindfulness", "smd", f"{_SMD} (source: against usual care)"),
    }
)
"""By target id."""
KINDS = tuple(dict.fromkeys(fact.kind for fact in FACTS.values()))
"""Whose arms answer all of them."""


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    rows: Mapping[str, Mapping[str, Any]] = load_targets().set_index("id").to_dict("index")  # type: ignore[assignment]
    return rows


def scored(id: str) -> tuple[float, float, float]:
    """Published value, low and high, as they are scored, in the row's sign."""
    row = _rows()[id]
    return FACTS[id].published or (float(row["value"]), float(row["low"]), float(row["high"]))


def estimate(id: str, measured: Measured) -> Estimate:
    """What the model has for a row, in the row's sign. `cases`: patients."""
    fact = FACTS[id]
    if fact.kind not in measured.after:
        return NOTHING
    found = contrast(measured, fact.kind)[fact.number]
    return found if fact.sign > 0 else replace(found, value=-found.value, low=-found.high, high=-found.low)


def published(kind: str) -> Sequence[dict[str, Any]]:
    """Every published contrast of a kind, in the sign of the contrast: row, role, number, published, published_low,
    published_high.
    """
    found = []
    for id, fact in FACTS.items():
        if fact.kind == kind:
            value, low, high = scored(id)
            if fact.sign < 0:
                value, low, high = -value, -high, -low
            found.append(
                {"row": id, "role": str(_rows()[id]["role"]), "number": fact.number}
                | {"published": value, "published_low": low, "published_high": high}
            )
    return found


def wanted(kind: str) -> tuple[str, str, float] | None:
    """The row that sets a kind's size: its id, which number of a contrast it is, and the value it should have."""
    from fitss_abm.model.programme_tables import shipped_kinds

    for id in shipped_kinds()[kind].get("rows", ()):
        if _rows()[id]["role"] != "input":
            raise ValueError(f"{id} is no row of role input")
        return id, FACTS[id].number, FACTS[id].sign * scored(id)[0]
    return None

"""What a person is: the columns of arrays in which people live, each with its type, unit, label and value at birth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike


@dataclass(frozen=True)
class Column:
    """One column. `width` is a number, or what it counts; `newborn` is the value a newcomer has before traits are drawn."""

    name: str
    dtype: DTypeLike
    unit: str
    label: str
    kind: Literal["identity", "trait", "state", "record"]
    width: int | Literal["one", "hazards", "sites", "triggers"] = "one"
    newborn: float = 0.0


def _trait(name: str, unit: str, label: str, dtype: DTypeLike = np.float32) -> Column:
    return Column(name, dtype, unit, label, "trait")


def _state(name: str, unit: str, label: str, newborn: float = 0.0, dtype: DTypeLike = np.float32) -> Column:
    return Column(name, dtype, unit, label, "state", newborn=newborn)


def _record(name: str, label: str) -> Column:
    return Column(name, np.uint32, "bits, a condition each", label, "record")


# Lasting personal differences and susceptibilities are standard normal variates held in one byte: value = byte / NORMAL_UNIT.
NORMAL_UNIT = 24.0
PERSONAL = ("pain", "somatic symptoms", "sleep", "tenderness", "life events", "hassles")

COLUMNS: tuple[Column, ...] = (
    Column("birth_day", np.int32, "day", "date of birth, days from the start of the run", "identity"),
    Column("generation", np.uint16, "count", "how many lived in this place before", "identity"),
    Column("female", np.uint8, "0 or 1", "sex: 1 female, 0 male", "identity"),
    Column("age", np.float32, "years", "age, brought up to date weekly", "identity", newborn=12.0),
    Column("died", np.uint8, "0 or 1", "died today; the place is taken over in the night", "identity"),
    _trait("adversity", "count", "childhood adversity, 0 to 10", np.uint8),
    _trait("menopause_age", "years", "age at menopause", np.uint8),
    _trait("central_gain", "ratio", "central gain g against a median man"),
    _trait("threat_reactivity", "ratio", "threat made by a unit of stress"),
    _trait("soothing_capacity", "soothing units", "a person's own capacity to soothe"),
    _trait("support_uptake", "ratio", "how much offered support is felt"),
    _trait("giving", "ratio", "how much support is given"),
    _trait("sensory_sensitivity", "ratio", "sensitivity to everyday sensory stimuli"),
    Column("susceptibility", np.int8, "1/24 normal variate", "susceptibility to each condition", "trait", "hazards"),
    Column(
        "site_trait",
        np.int8,
        "1/24 normal variate",
        "lasting difference of each site of the body map",
        "trait",
        "sites",
    ),
    Column(
        "personal",
        np.int8,
        "1/24 normal variate",
        "lasting differences: " + ", ".join(PERSONAL),
        "trait",
        len(PERSONAL),
    ),
    _state("stress", "stress units", "exposure to stressors today"),
    _state("stressors", "bits", "chronic stressors on (bits 0-3); a hassle yesterday (bit 7)", dtype=np.uint8),
    _state("event_load", "stress units", "what is left of life events"),
    Column(
        "weeks_since",
        np.uint8,
        "weeks",
        "since the last trauma, injury, infection (255: long ago)",
        "state",
        "triggers",
        255,
    ),
    _state("felt_support", "support units", "support received today, as felt", 1.0),
    _state("loneliness", "support units", "slow mean of need less felt support"),
    _state("openness", "proportion", "strength of own ties after withdrawal", 1.0),
    _state("threat", "threat units", "activity of the threat system", 2.0),
    _state("soothing", "soothing units", "activity of the soothing system", 1.2),
    _state("alert", "proportion", "salience network in alert"),
    _state("alert_mean", "proportion", "slow mean of alert"),
    _state("sensitization", "proportion", "central sensitization"),
    _state("poor_sleep", "proportion", "unrefreshing sleep", 0.2),
    _state("variation", "normal variate", "slow ups and downs of symptoms"),
    _state("body_map", "bits, a site each", "painful sites of this week", dtype=np.uint32),
    _state("somatic_severity", "points", "symptom severity scale of this week, 0 to 12", dtype=np.uint8),
    Column(
        "weeks_met",
        np.uint16,
        "bits, a week each",
        "last 13 weeks: ACR 2016, CWP, modified 2010, pain, ACR 1990",
        "state",
        5,
    ),
    _state("burden", "burden units", "symptom burden of the conditions"),
    _state("peripheral", "sources", "sources of peripheral pain"),
    _state("added_support", "strength x support units", "support that programmes add, times its weight"),
    _state("added_weight", "tie-strength units", "weight of the support that programmes add, beside that of ties"),
    _state("stress_relief", "proportion", "stress of job strain and bullying that programmes take off"),
    _state("sleep_relief", "logits", "poor sleep that programmes take off"),
    _state("peripheral_relief", "proportion", "local and peripheral pain that programmes take off"),
    _state("reported_relief", "logits", "pain that programmes take off what is rated, and off nothing else"),
    _record("conditions", "conditions held now"),
    _record("conditions_before", "conditions held at the last weekly record"),
    _record("ever", "conditions held at any time"),
    _record("first_onsets", "first onsets since the last observation"),
    _record("episodes", "onsets of any kind since the last observation"),
    _record("held_quarter", "conditions held at some time in this quarter of a year"),
    _record("held_quarter_1", "the same, one quarter ago"),
    _record("held_quarter_2", "the same, two quarters ago"),
    _record("held_quarter_3", "the same, three quarters ago"),
)


def column_shape(column: Column, people: int, hazards: int, sites: int = 19, triggers: int = 3) -> tuple[int, ...]:
    """The shape of a column's array for so many people: (people,), or (width, people) so that each row is contiguous."""
    if column.width == "one":
        return (people,)
    width = {"hazards": hazards, "sites": sites, "triggers": triggers}.get(str(column.width), column.width)
    return (int(width), people)

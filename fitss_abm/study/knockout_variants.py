"""The versions of the theory that compete, as data: what each takes out, and what it gets in exchange.

A part is taken out by fixing the numbers that carry it. Where that would take away more than the part (the level of soothing that
support gives, all differences between people), another number is freed in exchange, so that the fight is fair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fitss_abm.errors import Faults
from fitss_abm.model.parameters import declared
from fitss_abm.study.calibration_plan import Free, Plan, shipped_plan
from fitss_abm.study.numbers import bounds_of, known_names

FULL = "full"
"""The variant with which the others are compared."""
ALL = "all"


@dataclass(frozen=True)
class Variant:
    """The theory with a part taken out: `fixed` numbers that take it out, and those `freed` for this variant alone."""

    name: str
    label: str
    out: str
    """What is taken out, and what stands in its place."""
    fixed: Mapping[str, float] = field(default_factory=dict)
    freed: Mapping[str, Free] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    """Rows that its fit does without, since runs of the budget's size hardly ever have anybody to estimate them from."""


# With support_weight from 0 to 1 the full model's mean level of soothing goes from 0.7 to 1.8: what takes support out keeps that.
_LEVEL = {"soothing_capacity_median": Free(0.7, 1.8)}
_VARIANTS = (
    Variant(FULL, "Full FITSS", "nothing"),
    Variant(
        "no_soothing",
        "No soothing",
        "differences in soothing, between people and over time: it is one constant for everybody, so threat recovers at one "
        "rate (but for poor sleep); how much it is, is freed in exchange",
        {
            "soothing_capacity_sd": 0.0, "soothing_capacity_per_adversity": 0.0, "support_weight": 0.0,
            "alert_blunts_soothing": 0.0, "helping_cost": 0.0,
        },
        _LEVEL,
    ),
    Variant(
        "no_support",
        "No support",
        "what others do to soothing, and what helping them costs; the level of one's own capacity is freed in exchange",
        {"support_weight": 0.0, "helping_cost": 0.0},
        _LEVEL,
    ),
    Variant(
        "no_alert_memory",
        "No alert memory",
        "the memory of alert: conditions and symptoms read the alert of the day",
        {"alert_memory_days": declared()["alert_memory_days"].low},
    ),
    Variant(
        "no_sensitization_feedback",
        "No feedback",
        "what sensitization does to threat: stress threatens the sensitized as it does others, and senses add no "
        "stress (symptoms still burden)",
        {"threat_sensitization_gain": 0.0, "sensory_weight": 0.0},
    ),
    Variant(
        "liability_only",
        "Liability only",
        "all that alert and sensitization do to conditions, pain, symptoms and sleep (but for one item of the severity scale, "
        "depressed mood, which still reads alert); two numbers are freed in exchange that no other variant may move: how "
        "far people differ in their liability to conditions, and how far liabilities to pain and to symptoms go together",
        dict.fromkeys(
            (
                "onset_sensitization", "onset_alert", "remission_sensitization", "pain_sensitization", "pain_alert",
                "somatic_sensitization", "somatic_alert", "sleep_alert",
            ),
            0.0,
        ),
        {"susceptibility_sd": Free(0.3, 2.0), "somatic_pain_correlation": Free(-0.5, 0.95)},
        ("fm_loss_of_criteria",),
    ),
)  # fmt: skip
VARIANTS: Mapping[str, Variant] = MappingProxyType({variant.name: variant for variant in _VARIANTS})


def plan_of(variant: Variant, plan: Plan | None = None) -> Plan:
    """The shipped plan (or another) for a variant: without its fixed numbers, with those freed.

    Raises InputError where a number is unknown or out of its bounds.
    """
    faults = Faults()
    for name, value in variant.fixed.items():
        check_number(variant, name, (value,), faults)
    for name, prior in variant.freed.items():
        check_number(variant, name, (prior.low, prior.high), faults)
    faults.raise_if_any()
    base = (plan or shipped_plan()).without(dict(variant.fixed))
    rows = {id: row for id, row in base.rows.items() if id not in variant.left_out}
    return replace(base, free=MappingProxyType({**base.free, **variant.freed}), rows=MappingProxyType(rows))


def chosen(text: str) -> list[Variant]:
    """The variants that a text names, with commas between them, or all. Raises InputError with the nearest names."""
    faults = Faults()
    names = [name for name in (part.strip() for part in text.split(",")) if name]
    for name in names:
        if name not in (*VARIANTS, ALL):
            faults.unknown("refit", name, "variant", (*VARIANTS, ALL))
    if not names:
        faults.add("refit", text, f"names no variant: {', '.join(VARIANTS)}, or {ALL}")
    faults.raise_if_any()
    return [variant for variant in VARIANTS.values() if ALL in names or variant.name in names]


def check_number(variant: Variant, name: str, values: Sequence[object], faults: Faults) -> None:
    """Faults of a number's name and values."""
    try:
        low, high = bounds_of(name)
    except (KeyError, ValueError):
        faults.unknown(f"{variant.name}.{name}", name, "parameter or number of a condition", known_names())
        return
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            faults.add(f"{variant.name}.{name}", value, f"must be a number from {low:g} to {high:g}")

"""What a programme is: what it acts on, whom it is for, how it is delivered, what it costs. Data: `data/programmes.toml`.

A kind is a table of that file or of a user's own; a programme is a kind with a name, dates and whatever it changes of the kind:
`fitss_abm.model.programme_tables` reads both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fitss_abm.errors import Faults
from fitss_abm.model.targeting import Everyone, Target

TRAITS = ("central_gain", "threat_reactivity", "soothing_capacity", "support_uptake", "giving", "sensory_sensitivity")
ACTS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    dict.fromkeys(TRAITS, ("log units, added to the trait's logarithm", -5.0, 5.0))
    | {
        "support": ("tie-strength units: the weight of the support added, at `level`", 0.0, 15.9),
        "ties": ("tie-strength units of ties among groups of `group` people", 0.0, 15.9),
        "stress_relief": ("proportion off job strain and bullying", 0.0, 1.0),
        "sleep_relief": ("logits off poor sleep", -10.0, 10.0),
        "peripheral_relief": ("proportion off local and peripheral pain", 0.0, 1.0),
        "reported_relief": ("logits off rated pain, and off nothing else", -10.0, 10.0),
        "adversity": ("proportion off the continuation of adversity of those still to come", 0.0, 1.0),
    }
)
"""What a programme can act on, the unit of the size, and its bounds."""

NUMBERS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {
        "coverage": ("share of those it is for who are offered it", 0, 1),
        "uptake": ("share of those offered who accept", 0, 1),
        "adherence": ("mean share of the effect that adherence leaves", 0, 1),
        "capacity": ("people in treatment at a time", 0, 2**31),
        "recruit_weeks": ("weeks", 1, 10_000),
        "course_weeks": ("weeks", 1, 10_000),
        "onset_weeks": ("weeks", 0, 10_000),
        "fading_weeks": ("weeks", 1, 10_000),
        "waning_weeks": ("weeks", 0, 10_000),
        "dropout_per_year": ("per year", 0, 100),
        "side_effects": ("probability", 0, 1),
        "side_effect_weeks": ("weeks", 1, 1000),
        "cost_per_start": ("international dollars", 0, 1e9),
        "cost_per_week": ("international dollars", 0, 1e9),
    }
)
"""Numbers of delivery and cost, each with its unit and bounds."""

ACT_NUMBERS: Mapping[str, tuple[str, float, float]] = MappingProxyType(
    {"level": ("support units", 0.0, 4.0), "group": ("people", 2, 40)}
)


@dataclass(frozen=True)
class Act:
    """One thing that a programme changes: `on` and its unit are in `ACTS`."""

    on: str
    size: float
    level: float = 1.0
    """Of `support`: support units that are offered (what people offer one another is about 1, at most 4)."""
    group: int = 8
    """Of `ties`: how many people make a group."""

    def problems(self) -> Iterator[tuple[str, object, str]]:
        """Name, value and what is wrong of each number out of bounds."""
        for name, (unit, low, high) in {"size": ACTS[self.on], **ACT_NUMBERS}.items():
            value = getattr(self, name)
            if not low <= value <= high:
                yield name, value, f"must lie between {low:g} and {high:g} ({unit})"


@dataclass(frozen=True)
class Screening:
    """A test before treatment: who of `finds` has it is found with `sensitivity`, who has not is cleared with `specificity`."""

    finds: Target
    sensitivity: float = 1.0
    specificity: float = 1.0
    cost: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Programme:
    """One programme in one world. Days count from the start of the run; what happens does so on days divisible by 7."""

    name: str
    kind: str = ""
    acts: tuple[Act, ...] = ()
    start: int = 0
    end: int | None = None
    """From this day on nobody is treated; None: never."""
    eligible: Target = Everyone()  # noqa: RUF009 - immutable
    """Who may have it at all; whoever starts it must meet this and `target`."""
    target: Target = Everyone()  # noqa: RUF009
    screening: Screening | None = None
    coverage: float = 1.0
    uptake: float = 1.0
    adherence: float = 1.0
    """A person's own is u^(1/mean - 1), u uniform: between 0 and 1 with this mean. It multiplies every effect."""
    capacity: int | None = None
    """Who finds no place waits: first come, first served, and by luck within a week. None: room for all."""
    recruit_weeks: int | None = None
    """For so long it is offered to whoever has become eligible; None: while it runs."""
    course_weeks: int | None = None
    """For so long one person is treated; None: while it runs."""
    onset_weeks: float = 0.0
    """The effect grows evenly over so many weeks,"""
    fading_weeks: float | None = None
    """fades in treatment over so many from the start (None: it does not),"""
    waning_weeks: float = 0.0
    """and is lost over so many after treatment (0: at once). What it changed is then exactly as without it."""
    dropout_per_year: float = 0.0
    side_effects: float = 0.0
    """Probability of stopping because of side effects within the first `side_effect_weeks`."""
    side_effect_weeks: int = 6
    cost_per_start: float = 0.0
    cost_per_week: float = 0.0
    exclusive_with: tuple[str, ...] = ()
    """Kinds that nobody may have at the same time."""

    def __post_init__(self) -> None:
        faults = Faults()
        place = f"programme '{self.name}'"
        for name, (unit, low, high) in NUMBERS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                faults.add(f"{place}.{name}", value, f"must lie between {low:g} and {high:g} ({unit})")
        for act in self.acts:
            if act.on not in ACTS:
                faults.unknown(f"{place}.acts", act.on, "input that a programme can act on", ACTS)
                continue
            for name, value, problem in act.problems():
                faults.add(f"{place}.acts.{act.on}.{name}", value, problem)
        if self.end is not None and self.end <= self.start:
            faults.add(f"{place}.end", self.end, f"must be after the start, {self.start}")
        faults.raise_if_any()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every condition on people that it names."""
        return (self.eligible, self.target, *((self.screening.finds,) if self.screening else ()))

    @property
    def prevents(self) -> bool:
        """Whether it acts on people still to come, and so on nobody who lives."""
        return any(act.on == "adversity" for act in self.acts)

    def excludes(self, other: Programme) -> bool:
        """Whether nobody may have both at a time."""
        return other.kind in self.exclusive_with or self.kind in other.exclusive_with

"""A cohort as a file and an object: whom a study recruits, when it sees them, what it asks, what it does not get to see."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study import cohort_measures as measures
from fitss_abm.study import cohort_worlds as worlds
from fitss_abm.study.cohort_checks import OLDEST, YOUNGEST, ages_of, check_asked, check_design, check_world
from fitss_abm.study.cohort_missing import Rule, read_rule
from fitss_abm.study.cohort_visits import Visit, visits_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.scenario_checks import read_toml, told
from fitss_abm.study.scenario_extends import from_folder
from fitss_abm.study.toml_text import toml_document

if TYPE_CHECKING:
    from fitss_abm.study.cohort_run import Exported

_PARTS = 10_000
"""Replicate numbers of the parts of one replicate."""


class Cohort(BaseModel):
    """One cohort. Immutable. Wrong values raise InputError, with every fault at once.

    >>> Cohort(scenario={"people": 10_000}, visits=("0", "1y")).design
    'population'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field("cohort", min_length=1, max_length=100, pattern=r"^[^/\\\x00-\x1f]+$")
    scenario: dict[str, Any] | str = {}
    """The world in which the study takes place: values of a scenario, or the path of its file. `people` is how many live in it,
    not how many take part."""
    design: Literal["population", "clinic", "case-control", "panel", "birth-adversity"] = "population"
    visits: tuple[Any, ...] = ("0", "1y", "2y")
    """Times after the start, or dates. Who takes part is recruited at the first; a panel is refreshed at the others."""
    participants: int | None = Field(None, ge=1)
    """How many take part, of all parts together; None: all who can be had."""
    age_from: int | None = Field(None, ge=YOUNGEST, le=OLDEST)
    """Youngest at recruitment (18; of birth-adversity 12, since nobody in the model is younger)."""
    age_to: int | None = Field(None, ge=YOUNGEST, le=OLDEST)
    """Oldest at recruitment (none; of birth-adversity 25)."""
    case: str = "fibromyalgia_diagnosed"
    """Whom a clinic has in care, as medical records show it, and who is a case: a condition of the catalogue."""
    controls: int = Field(1, ge=1, le=20)
    """Controls a case, of the same sex and age."""
    match_years: int = Field(5, ge=1, le=50)
    """Width of the bands of age within which controls are matched."""
    exposed_from: int = Field(4, ge=1, le=10)
    """Childhood adversities from which on somebody counts as exposed."""
    exposed_share: float = Field(0.5, gt=0, lt=1)
    """Share of the exposed among participants of birth-adversity."""
    instruments: tuple[str, ...] = ()
    """Scores that each visit asks for; none named: all."""
    persons_file: str | None = None
    """Path of a CSV table with a column person_id: nobody else is in the frame. `data/persons.csv` of another cohort of the
    same people is one."""
    diary: int | None = Field(None, ge=1)
    """How many participants keep a diary from the first visit on; None: nobody."""
    diary_days: int = Field(28, ge=1, le=366)
    diary_prompts: int = Field(1, ge=1, le=24)
    """Entries a day."""
    missing: tuple[dict[str, Any], ...] = ()
    """Rules of what is missing: each has `of` (participation, dropout, visits, items), `mechanism` (mcar, mar, mnar), `share`,
    and perhaps `items`, `on`, `slope`."""
    missing_seed: int = Field(0, ge=0, lt=2**31)
    """Another number chooses others to take part and loses other data, in the same lives."""
    truth: bool = False
    """Whether what nobody could know is written too, apart."""
    counterfactual: dict[str, Any] | str | None = None
    """The other world: values that differ from the scenario's, or the path of a scenario's file. None: the scenario without
    programmes and dated changes, if it has any."""
    part_people: int = Field(1_000_000, ge=100)
    """A larger population is made of several of this size, each with ties and luck of its own."""

    if not TYPE_CHECKING:

        def __init__(self, **values):
            values = _prepared(values)
            faults = _faults_in(values)
            if faults:
                raise InputError(faults)
            super().__init__(**_settled(values))

    @classmethod
    def read(cls, path: str | Path, **overrides: Any) -> Self:
        """The cohort of a TOML file, with some values replaced. Paths in it are relative to the file."""
        path = Path(path)
        values = {"name": path.stem} | read_toml(path, "cohort")
        for name in ("scenario", "counterfactual", "persons_file"):
            if isinstance(values.get(name), str):
                values[name] = str(path.parent / values[name])
        try:
            return cls(**(values | overrides))
        except InputError as error:
            faults = error.faults
            raise InputError(
                [one if one.file else dataclasses.replace(one, file=str(path)) for one in faults]
            ) from None

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """What `to_toml` wrote."""
        return cls(**tomllib.loads(text))

    def replace(self, **changes: Any) -> Self:
        """A copy with some values replaced."""
        return type(self)(**(self.model_dump() | changes))

    def to_toml(self) -> str:
        """The whole cohort as a TOML file."""
        values = self.model_dump()
        written = {name: value for name, value in values.items() if value not in (None, {}, ())}
        if self.counterfactual == {}:  # the same world again, which is something else than none
            written["counterfactual"] = {}
        for name in ("scenario", "counterfactual"):
            if isinstance(written.get(name), dict):
                written[name] = from_folder(Path.cwd(), written[name])
        if self.persons_file is not None:
            written["persons_file"] = os.path.normpath(Path.cwd() / self.persons_file)
        return toml_document(written)

    def export(self, folder: str | Path, *, format: str = "csv", **how: Any) -> Exported:
        """Simulate it and write its folder, README and all, whole or not at all. `how`: as `cohort_run.export`."""
        from fitss_abm.study.cohort_run import export

        return export(self, folder, format=format, **how)

    def world(self) -> Scenario:
        """The scenario, of all its people. Its horizon is the last visit."""
        assert isinstance(self.scenario, dict)
        return worlds.world_of(self.scenario)

    def other(self) -> Scenario | None:
        """The counterfactual scenario; None where there is none."""
        assert not isinstance(self.counterfactual, str)
        return worlds.other_of(self.world(), self.counterfactual)

    @property
    def compared(self) -> bool:
        """Whether the truth holds a counterfactual."""
        return self.truth and self.other() is not None

    def visited(self) -> list[Visit]:
        """The visits, with dates and days."""
        return visits_of(self.visits, self.world().start, Faults())

    def rules(self) -> list[Rule]:
        """The rules of what is missing, in order."""
        faults = Faults()
        made = [read_rule(table, self.instruments, f"missing[{k}]", faults) for k, table in enumerate(self.missing)]
        faults.raise_if_any()
        return [rule for rule in made if rule is not None]

    @property
    def ages(self) -> tuple[int, int]:
        """Youngest and oldest at recruitment, in completed years."""
        low, high = ages_of(self.design)
        return self.age_from if self.age_from is not None else low, self.age_to if self.age_to is not None else high

    @property
    def parts(self) -> int:
        """Of how many populations it is made."""
        return -(-self.world().people // self.part_people)

    def first_place(self, number: int) -> int:
        """How many people live in the parts before this one; parts are as even as may be."""
        return self.world().people * number // self.parts

    def part(self, number: int, scenario: Scenario) -> Scenario:
        """One part of a world: its people, luck, and share of each programme's capacity. The only part of one is the world."""
        world, many = scenario, self.parts
        if many == 1:
            return world
        before, after = self.first_place(number), self.first_place(number + 1)
        people = after - before
        own: dict[str, Any] = {"people": people}
        if number:
            own["replicate"] = (world.replicate + 1) * _PARTS + number
            own["seeds"] = {name: (seed + number * 0x9E3779B97F4A7C15) % 2**63 for name, seed in world.seeds.items()}
        capacities = [one.capacity for one in world.delivered()]
        if any(capacity is not None for capacity in capacities):
            own["programmes"] = tuple(
                table
                if room is None
                else {**table, "capacity": room * after // world.people - room * before // world.people}
                for table, room in zip(world.programmes, capacities, strict=True)
            )
        return world.replace(**own)

    def quota(self, number: int, wanted: int | None) -> int | None:
        """How many of `wanted` people a part gives; None: all who can be had."""
        if wanted is None:
            return None
        people, before, after = self.world().people, self.first_place(number), self.first_place(number + 1)
        return wanted * after // people - wanted * before // people

    @property
    def diary_window(self) -> range:
        """Days of the run that a diary tells of; empty without one."""
        first = self.visited()[0].day
        return range(first, first + self.diary_days) if self.diary else range(0)


def _prepared(values: dict[str, Any]) -> dict[str, Any]:
    """Values in the types that fields have."""
    made = {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}
    for name in ("visits", "instruments", "missing"):
        if isinstance(made.get(name), list):
            made[name] = tuple(made[name])
    for name in ("scenario", "counterfactual", "persons_file"):
        if isinstance(made.get(name), Scenario):
            made[name] = made[name].differences()
        elif isinstance(made.get(name), Path):
            made[name] = str(made[name])
    return made


def _settled(values: dict[str, Any]) -> dict[str, Any]:
    """Values, checked before, with files read into tables and all instruments named, so that a copy needs nothing beside it."""
    world = worlds.world_of(values.get("scenario", {}))
    asked = tuple(values.get("instruments") or measures.scores())
    made = values | {"scenario": world.differences(), "instruments": asked}
    if isinstance(values.get("counterfactual"), str):
        made["counterfactual"] = worlds.read_other(values["counterfactual"], world)
    return made


def _faults_in(values: dict[str, Any]) -> list[Fault]:
    """Everything that is wrong with the values of a cohort."""
    faults = Faults()
    try:
        Cohort.__pydantic_validator__.validate_python(values, self_instance=Cohort.model_construct())
    except ValidationError as error:
        told(error, Cohort.model_fields, faults, what="a cohort")
    defaults = {name: field.default for name, field in Cohort.model_fields.items()}
    check_design(values, defaults, faults)
    check_asked(values, faults)
    check_world(values, defaults, faults)
    return faults.found

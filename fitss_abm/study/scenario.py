"""A what-if as a file and an object: whom to simulate, for how long, and what differs from the model as shipped."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study.numbers import as_scenario, default_of, ensemble
from fitss_abm.study.programme_checks import programmes_of
from fitss_abm.study.scenario_checks import PATHS, check_contents, check_files, demography_of, read_toml, told
from fitss_abm.study.scenario_extends import from_folder, read_extended
from fitss_abm.study.toml_text import toml_document

if TYPE_CHECKING:
    import pandas as pd

    from fitss_abm.measurement.seen import Look
    from fitss_abm.model.conditions import Catalogue
    from fitss_abm.model.network import Network
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.simulation import Change, Seeds, Simulation
    from fitss_abm.study.records_start import RecordsBeginning

MOST_PEOPLE = 2**31 - 1
_SEEDS = 2**63  # TOML's whole numbers end here


class Scenario(BaseModel):
    """What to simulate. Immutable; `replace` gives another. Wrong values raise InputError, with every fault at once.

    >>> Scenario(people=10_000, years=5, location="Japan").replace(seed=2).seed
    2
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=False)

    name: str = Field("baseline", min_length=1, max_length=100, pattern=r"^[^/\\\x00-\x1f]+$")
    """What its rows are called in tables, and its folder."""
    people: int = Field(100_000, ge=1, le=MOST_PEOPLE)
    """People aged 12 or more."""
    years: float = Field(10.0, gt=0, le=200, allow_inf_nan=False)
    location: str = "Germany"
    """Whose age-sex structure and death rates: one of the UN's table (`fitss locations`)."""
    seed: int = Field(1, ge=0, lt=_SEEDS)
    start: datetime.date = datetime.date(2025, 1, 1)
    replicate: int = Field(0, ge=0, lt=_SEEDS)
    """Which of many runs of one scenario: each has luck of its own, derived from `seed`; number 0 has that of `seed`
    itself.
    """
    threads: int | None = Field(None, ge=1)
    """None: all cores. The results do not depend on it."""
    snapshot_every: int | None = Field(None, ge=1)
    """Days between person-level rows of everybody; None: none."""
    slow_days: int = 7
    """Days between draws of onset and remission: 7, or 1 (slower, to show that it makes no difference)."""
    population: str | dict[str, Any] | None = None
    """People and death rates instead of the location's: the path of a CSV table, or a table of `female_share` and
    `age_shares`.
    """
    records: dict[str, Any] = {}
    """People who are those of a survey: its `file`, what its `columns` mean, `levels`, `missing`, `donors` (docs/records.md)."""
    network: dict[str, Any] = {}
    """Numbers of the generated network (`fitss describe network`), or `edges`, the path of an edge list, and
    `directed`.
    """
    draw: int | None = Field(None, ge=0)
    """Which draw of the calibration's posterior the fitted numbers come from; None: the calibrated point. Numbers that the
    scenario gives itself have the last word.
    """
    parameters: dict[str, Any] = {}
    """Numbers of the model that differ (`fitss describe parameters`)."""
    conditions_file: str | None = None
    """Path of a TOML file of conditions that differ from the catalogue or are new."""
    conditions: dict[str, Any] = {}
    """The same within the scenario; it has the last word."""
    sex_mechanisms_off: tuple[str, ...] = ()
    """Mechanisms through which sex shall not act."""
    seeds: dict[str, Any] = {}
    """Streams of luck with a seed of their own: population, network, life, delivery, measurement."""
    changes: tuple[dict[str, Any], ...] = ()
    """Later changes, in order: each has `date` and a table `parameters` whose numbers hold from that date on, or `times`: so many
    times what they were on the first day.
    """
    programmes: tuple[dict[str, Any], ...] = ()
    """Interventions and treatments: each has `kind` (`fitss describe programmes`), `name`, dates `start` and `end`, a
    `target`, and whatever differs from the kind.
    """
    programmes_file: str | None = None
    """Path of a TOML file of kinds of programme that differ from those of the package or are new."""
    programme_kinds: dict[str, Any] = {}
    """The same within the scenario; it has the last word."""
    seen_as: tuple[str, ...] = ("truth",)
    """How people are seen in tables: truth (the state), survey (what they say when asked), clinic (what records hold); several
    are allowed. Lives are the same whoever looks.
    """
    diagnosis: dict[str, Any] = {}
    """Numbers of surveys and clinics that differ from `data/diagnosis.toml`: `[diagnosis.vulvodynia.clinic] recognised = 0.2`."""

    if not TYPE_CHECKING:  # mypy is told the fields' types by pydantic

        def __init__(self, **values):
            faults = _faults_in(values)
            if faults:
                raise InputError(faults)
            super().__init__(**_prepared(values))

    @classmethod
    def read(cls, path: str | Path, **overrides: Any) -> Self:
        """The scenario in a TOML file, with some of its values replaced. Paths in it are relative to the file.

        `extends = "other.toml"` starts from another file: tables are merged key by key, programmes by name, changes by date.

        Raises InputError with everything that is wrong with the file, with the files it names and with the overrides.
        """
        path = Path(path)
        try:
            values = {"name": path.stem} | read_extended(path) | overrides
        except InputError as error:
            raise InputError([*error.faults, *_faults_in(overrides)]) from None
        faults = _faults_in(values)
        if faults:
            faults += check_files(_prepared(values), default_people=cls.model_fields["people"].default)
        if faults:
            for k, fault in enumerate(faults):
                if fault.file is None and _key(fault.field) not in overrides:
                    faults[k] = dataclasses.replace(fault, file=str(path))
            raise InputError(faults)
        return cls(**values)

    def replace(self, **changes: Any) -> Self:
        """A copy with some values replaced."""
        return type(self)(**(self.model_dump() | changes))

    def vary(self, **lists: Sequence[Any]) -> list[Scenario]:
        """A scenario for each combination of values: `vary(seed=[1, 2], **{"parameters.support_weight": [0.2, 0.4]})`.

        Names with dots reach into tables, also `programmes.<name>.coverage`; names of the scenarios say what varies.
        """
        from fitss_abm.study.scenario_design import vary

        return vary(self, lists)

    def design(self, frame: pd.DataFrame) -> list[Scenario]:
        """A scenario for each row of a data frame: columns are names as in `vary`, and `name`; empty cells change nothing."""
        from fitss_abm.study.scenario_design import design

        return design(self, frame)

    def differences(self, base: Scenario | None = None) -> dict[str, Any]:
        """The values that differ from those of another scenario; if none is given, of one of which nothing was said."""
        default = (base or Scenario()).model_dump()
        return {name: value for name, value in self.model_dump().items() if value != default[name]}

    def to_toml(self) -> str:
        """The whole scenario as a TOML file, defaults and all; paths in it are absolute."""
        written = {name: value for name, value in self.model_dump().items() if value not in ({}, ())}
        return toml_document(from_folder(Path.cwd(), written))

    @property
    def end(self) -> datetime.date:
        """The last day: that many years after `start`; what is left of a year counts 365.25 days."""
        whole = int(self.years)
        year = self.start.year + whole
        try:
            anniversary = self.start.replace(year=year)
        except ValueError:  # 29 February
            anniversary = datetime.date(year, 3, 1)
        return anniversary + datetime.timedelta(days=round((self.years - whole) * 365.25))

    @property
    def days(self) -> int:
        """Days from `start` to `end`; at least one."""
        return max(1, (self.end - self.start).days)

    @property
    def master_seed(self) -> int:
        """The seed of this replicate: that of the scenario for number 0, one derived from it for the others."""
        if self.replicate == 0:
            return self.seed
        digest = hashlib.sha256(f"fitss_abm {self.seed} {self.replicate}".encode()).digest()
        return int.from_bytes(digest[:8], "little") % _SEEDS

    def catalogue(self) -> Catalogue:
        """The conditions of this scenario."""
        from fitss_abm.model.conditions import shipped

        faults = Faults(file=self.conditions_file)
        entries = read_toml(Path(self.conditions_file), "conditions") if self.conditions_file else {}
        catalogue = shipped().with_entries(self._drawn()["conditions"], faults).with_entries(entries, faults)
        faults.file = None
        catalogue = catalogue.with_entries(self.conditions, faults)
        faults.raise_if_any()
        return catalogue.without_sex_mechanisms(self.sex_mechanisms_off)

    def dated_changes(self) -> list[Change]:
        """The parameters from each date of `changes` on; what an earlier change set stays unless it is set again."""
        from fitss_abm.model.parameters import Parameters
        from fitss_abm.model.simulation import Change

        usual = self._drawn()["parameters"] | self.parameters
        values, dated = dict(usual), []
        for change in self.changes:
            values |= change.get("parameters", {})
            values |= {name: usual.get(name, default_of(name)) * by for name, by in change.get("times", {}).items()}
            parameters = Parameters(**values).without_sex_mechanisms(self.sex_mechanisms_off)
            dated.append(Change((change["date"] - self.start).days, parameters))
        return dated

    def delivered(self) -> list[Programme]:
        """The programmes of this scenario."""
        faults = Faults()
        made = programmes_of(self.model_dump(), self.catalogue(), faults)
        faults.raise_if_any()
        return made

    def _drawn(self) -> dict[str, Any]:
        """Numbers of the draw, as `parameters` and `conditions`."""
        return as_scenario(ensemble()[self.draw] if self.draw is not None else {})

    def simulation(self, *, network: Network | None = None) -> Simulation:
        """The model of this scenario, ready to be prepared. `network`: ties made in Python, instead of the scenario's.

        Raises InputError with everything that is wrong with the files that the scenario names.
        """
        from fitss_abm.model.network_io import read_edge_list
        from fitss_abm.model.network_parameters import NetworkParameters
        from fitss_abm.model.parameters import Parameters
        from fitss_abm.model.simulation import Seeds, Simulation

        faults = check_files(self.model_dump(), edges=False)
        edges = self.network.get("edges")
        try:
            if network is None and edges is not None:
                network = read_edge_list(edges, people=self.people, directed=self.network.get("directed", False))
        except InputError as error:
            faults += error.faults
        if faults:
            raise InputError(faults)
        numbers = {} if edges is not None else self.network
        catalogue, seeds = self.catalogue(), Seeds(self.master_seed, self.seeds)
        beginning = self._from_records(catalogue, seeds) if self.records else None
        return Simulation(
            people=self.people,
            demography=demography_of(self.location, self.population),
            network=network,
            network_parameters=NetworkParameters.from_mapping(numbers, Faults()),
            parameters=Parameters(**(self._drawn()["parameters"] | self.parameters)).without_sex_mechanisms(
                self.sex_mechanisms_off
            ),
            catalogue=catalogue,
            changes=self.dated_changes(),
            programmes=self.delivered(),
            seeds=seeds,
            threads=self.threads,
            slow_days=self.slow_days,
            founders=beginning.drawn.founders if beginning else None,
            beginning=beginning,
            **self._records(),
        )

    def looks(self, simulation: Simulation) -> list[Look]:
        """The ways in which a simulation of this scenario is seen."""
        from fitss_abm.measurement.diagnosis import made_of
        from fitss_abm.measurement.seen import look

        faults = Faults()
        numbers = made_of(self.diagnosis, faults, catalogue=simulation.catalogue)
        faults.raise_if_any()
        return [look(simulation, name, numbers=numbers) for name in self.seen_as]

    def _records(self) -> dict[str, Any]:
        """What a simulation needs besides, to be seen as a clinic does."""
        if "clinic" not in self.seen_as:
            return {}
        from fitss_abm.model.rules import DAY
        from fitss_abm.model.rules.care_records import COLUMNS, watched

        return {"day": watched(DAY), "columns": COLUMNS}

    def _from_records(self, catalogue: Catalogue, seeds: Seeds) -> RecordsBeginning:
        """The people of the records, and how they begin."""
        from fitss_abm.model.randomness import Stream
        from fitss_abm.study.records import read_records
        from fitss_abm.study.records_people import draw_people
        from fitss_abm.study.records_start import RecordsBeginning

        records = read_records(self.records, catalogue, start=self.start)
        return RecordsBeginning(records, draw_people(records, people=self.people, key=seeds.key(Stream.POPULATION)))


def _key(field: str) -> str:
    return field.partition(".")[0].partition("[")[0].partition(",")[0]


def _prepared(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values in the types that fields have: NumPy's numbers, lists and texts of dates are welcome."""
    whole = {name: value.item() if hasattr(value, "item") else value for name, value in values.items()}
    for name in PATHS:
        if isinstance(whole.get(name), Path):
            whole[name] = str(whole[name])
    records = whole.get("records")
    if isinstance(records, Mapping) and isinstance(records.get("file"), Path):
        whole["records"] = {**records, "file": str(records["file"])}
    if isinstance(whole.get("seen_as"), str):
        whole["seen_as"] = tuple(part.strip() for part in whole["seen_as"].split(","))
    for name in ("sex_mechanisms_off", "changes", "programmes", "seen_as"):
        if isinstance(whole.get(name), list):
            whole[name] = tuple(whole[name])
    if isinstance(whole.get("start"), str):
        with suppress(ValueError):  # told as a fault of its type
            whole["start"] = datetime.date.fromisoformat(whole["start"])
    return whole


def _faults_in(values: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong with the values of a scenario, but not with the contents of the files that it names."""
    values = _prepared(values)
    faults = Faults()
    try:
        Scenario.__pydantic_validator__.validate_python(values, self_instance=Scenario.model_construct())
    except ValidationError as error:
        told(error, Scenario.model_fields, faults)
    check_contents(values, faults)
    return faults.found

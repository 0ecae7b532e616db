"""A virtual trial as a file and an object: whom it recruits, how they are randomised, what they get, what is seen of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fitss_abm.errors import Fault, Faults, InputError
from fitss_abm.study.arms import in_trial
from fitss_abm.study.programme_checks import kinds_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.scenario_checks import read_toml, told
from fitss_abm.study.toml_text import toml_document

if TYPE_CHECKING:
    from fitss_abm.model.programmes import Programme
    from fitss_abm.model.targeting import Target
    from fitss_abm.study.trial_runs import Trials

USUAL_CARE = "usual care"
_OWN = ("programmes", "changes", "years", "replicate")
"""Of a scenario: what a trial's population may not say."""


class Trial(BaseModel):
    """One trial. Immutable. Wrong values raise InputError, with every fault at once.

    >>> Trial(treatment={"kind": "snri"}, control="placebo", wanted=100).design
    'individual'

    `run` carries it out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field("trial", min_length=1, max_length=100, pattern=r"^[^/\\\x00-\x1f]+$")
    """Its luck hangs on it: another name randomises anew."""
    scenario: dict[str, Any] = {}
    """Where it takes place: values of a scenario, such as `people`, `location` and `seed`."""
    eligible: dict[str, Any] = {"holds": "fibromyalgia_diagnosed", "age": {"from": 18}}
    """Who may take part, in the words of a programme's target: the diagnosed come from the clinic; with
    `all = [{ holds = "fibromyalgia_diagnosed" }, { holds = "fibromyalgia" }]` they also meet the criteria."""
    least_pain: float = Field(4.0, ge=0, le=10)
    """Measured pain at the first visit (0 to 10) with which they are let in."""
    consent: float = Field(1.0, gt=0, le=1)
    """Share of the eligible who consent."""
    wanted: int | None = Field(None, ge=2)
    """How many are enrolled, by luck among those who consent; None: all of them."""
    design: Literal["individual", "cluster", "waiting_list", "stepped_wedge"] = "individual"
    """waiting_list: individually, and the others get the treatment after `weeks`; stepped_wedge: clusters cross over in turn."""
    clusters: Literal["neighbours", "family", "work"] = "neighbours"
    """neighbours: blocks of `cluster_people` neighbouring places, within which most ties lie; family, work: all who hang together
    by such ties."""
    cluster_people: int = Field(250, ge=2)
    """People of the population, participants or not, in a block of neighbours."""
    steps: int = Field(4, ge=2, le=50)
    """Of a stepped wedge: how many waves of clusters cross over, one every `weeks`, after `weeks` in which none is treated."""
    treatment: dict[str, Any]
    """A programme: `kind`, and whatever differs from it. All who are given it start; adherence and stopping are the kind's."""
    control: str = USUAL_CARE
    """'usual care': nothing; or a kind of programme such as 'placebo', which then both arms get."""
    weeks: int = Field(12, ge=1, le=520)
    """Of treatment, until the primary outcome; of a stepped wedge, of each period."""
    follow_up: int = Field(0, ge=0, le=520)
    """Weeks after that until a second visit; treatment goes on for as long as the course of its kind."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share lost to follow-up by `weeks`. It is apart from stopping the treatment, which those lost need not do."""
    dropout_by_pain: float = Field(0.0, ge=-5, le=5)
    """How much a point of measured pain at baseline adds to the log odds of being lost."""
    error_sd: float = Field(0.0, ge=0, le=10)
    """Standard deviation of the error of rated pain (points)."""
    reliability: float | None = Field(None, gt=0, le=1)
    """Instead: the test-retest correlation of rated pain among the eligible."""
    criteria: str = "fibromyalgia"
    """The condition whose loss is an outcome."""
    missing: Literal["complete", "carried_forward"] = "complete"
    """Who is lost is left out, or counts with the last value that was seen."""

    if not TYPE_CHECKING:

        def __init__(self, **values):
            faults = _faults_in(values)
            if faults:
                raise InputError(faults)
            super().__init__(**values)

    @classmethod
    def read(cls, path: str | Path, **overrides: Any) -> Self:
        """The trial of a TOML file, with some values replaced. Paths in its scenario are relative to the present folder."""
        path = Path(path)
        values = {"name": path.stem} | read_toml(path, "trial") | overrides
        faults = _faults_in(values)
        if faults:
            raise InputError([fault if fault.file else dataclasses.replace(fault, file=str(path)) for fault in faults])
        return cls(**values)

    def replace(self, **changes: Any) -> Self:
        """A copy with some values replaced."""
        return type(self)(**(self.model_dump() | changes))

    def to_toml(self) -> str:
        """The whole trial as a TOML file."""
        return toml_document({name: value for name, value in self.model_dump().items() if value not in (None, {})})

    @property
    def clustered(self) -> bool:
        """Whether whole clusters are randomised."""
        return self.design in ("cluster", "stepped_wedge")

    @property
    def visits(self) -> tuple[int, ...]:
        """Weeks after the start at which outcomes are seen; the first of a parallel trial is the primary one."""
        if self.design == "stepped_wedge":
            return tuple(self.weeks * (period + 1) for period in range(self.steps + 1))
        return (self.weeks, self.weeks + self.follow_up) if self.follow_up else (self.weeks,)

    def run(
        self,
        *,
        replicates: int | None = None,
        sizes: Sequence[int] = (),
        folder: Path | None = None,
        workers: int | None = None,
        cluster: str | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> Trials:
        """Carry it out and analyse it: once, or in so many worlds, each with people and luck of its own.

        `sizes`: numbers of participants; each is tried in every world (100 if not said), and `Trials.power()` says how often a
        trial of that size finds something. `folder`, `workers`, `cluster`: as in `fitss_abm.study.many.run_many`; a single trial
        is done in this process. Needs the extra `trials`. Raises InputError where there are too few people to recruit, MissingRuns
        where that is so in some of many worlds.
        """
        from fitss_abm.study import trial_runs

        how: dict[str, Any] = {"folder": folder, "workers": workers, "cluster": cluster, "progress": progress}
        if sizes:
            return trial_runs.power(self, sizes, 100 if replicates is None else replicates, **how)
        if replicates is None or replicates == 1:
            return trial_runs.single(self, progress=progress)
        return trial_runs.replicated(self, replicates, **how)

    def world(self, replicate: int = 0, *, threads: int | None = None) -> Scenario:
        """The scenario in which it takes place; each replicate has people and luck of its own."""
        own = {"threads": threads} if threads is not None else {}
        return Scenario(**({"name": self.name} | self.scenario | own | {"replicate": replicate, "years": 1.0}))

    def target(self) -> Target:
        """Who may take part."""
        from fitss_abm.model.target_tables import read_target

        faults = Faults()
        target = read_target(self.eligible, "eligible", faults)
        faults.raise_if_any()
        return target

    def programmes(self) -> tuple[Programme, Programme | None]:
        """The treatment and, unless control is usual care, what everybody gets."""
        faults = Faults()
        made = _programmes(self.model_dump(), faults)
        faults.raise_if_any()
        assert made[0] is not None
        return made[0], made[1]


def _programmes(values: dict[str, Any], faults: Faults) -> tuple[Programme | None, Programme | None]:
    scenario = values.get("scenario")
    kinds = kinds_of(scenario if isinstance(scenario, dict) else {}, faults)
    made: list[Programme | None] = []
    control = values.get("control", USUAL_CARE)
    for place, table in (("treatment", values.get("treatment")), ("control", {"kind": control})):
        if not isinstance(table, dict) or (
            place == "control" and (control == USUAL_CARE or not isinstance(control, str))
        ):
            made.append(None)
            continue
        for name in ("target", "start", "end", "name"):
            if name in table:
                faults.add(f"{place}.{name}", table[name], "is the trial's to say")
        if table.get("kind") not in kinds:
            known = [*kinds, USUAL_CARE] if place == "control" else kinds
            field = place if place == "control" else "treatment.kind"
            faults.unknown(field, table.get("kind"), "kind of programme", known)
            made.append(None)
            continue
        try:
            one = in_trial(table, kinds, place, faults)
        except InputError as error:
            faults.found += error.faults
            made.append(None)
            continue
        if one.prevents:
            faults.add(f"{place}.kind", one.kind, "acts on people still to come, whom no trial can enrol")
        made.append(one)
    return made[0], made[1]


def _faults_in(values: dict[str, Any]) -> list[Fault]:
    """Everything that is wrong with the values of a trial."""
    from fitss_abm.model.target_tables import check_conditions, read_target
    from fitss_abm.model.targeting import Holds

    faults = Faults()
    try:
        Trial.__pydantic_validator__.validate_python(values, self_instance=Trial.model_construct(treatment={}))
    except ValidationError as error:
        told(error, Trial.model_fields, faults)
        faults.found = [
            dataclasses.replace(one, problem=one.problem.replace("a scenario", "a trial")) for one in faults.found
        ]
    catalogue = None
    scenario = values.get("scenario", {})
    if isinstance(scenario, dict):
        for name in _OWN:
            if name in scenario:
                faults.add(f"scenario.{name}", scenario[name], "a trial's population cannot have it")
        try:
            catalogue = Scenario(**{name: value for name, value in scenario.items() if name not in _OWN}).catalogue()
        except InputError as error:
            faults.found += [dataclasses.replace(one, field=f"scenario.{one.field}") for one in error.faults]
    _programmes(values, faults)
    eligible = values.get("eligible", {"holds": "fibromyalgia_diagnosed"})
    target = read_target(eligible, "eligible", faults) if isinstance(eligible, dict) else Holds(())
    criteria = values.get("criteria", "fibromyalgia")
    if catalogue is not None:
        check_conditions(target, catalogue, "eligible", faults)
        if isinstance(criteria, str):
            check_conditions(Holds((criteria,)), catalogue, "criteria", faults)
    if values.get("reliability") is not None and values.get("error_sd"):
        faults.add("reliability", values["reliability"], "give either this or error_sd")
    return faults.found

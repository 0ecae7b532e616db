"""What came of a population from records: asked against obtained, what was filled in, and how it moves on by itself."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.model.conditions import shipped
from fitss_abm.study.records import file_faults, names_of, read_records
from fitss_abm.study.records_mapping import PEOPLE, SCORES
from fitss_abm.study.records_start import Matched, RecordsBeginning, values_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.scenario_checks import read_toml
from fitss_abm.study.toml_text import toml_document

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation
    from fitss_abm.study.records import Floats, Records

YEARS, MOST_YEARS = 2, 50
"""For so long it is watched how far the population moves from what was asked."""
_DAYS_IN_YEAR = 365.25
_BANDS = (12, 18, 25, 35, 45, 55, 65, 75, 85)
_SEXES = (("all", None), ("women", 1.0), ("men", 0.0))
_LEAST = 30  # people, fewer of whom have no correlation worth showing
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class StartingPopulation:
    """A population made from records, and how near it came to them."""

    scenario: Scenario
    marginals: pd.DataFrame
    """measure, kind (share, mean), sex, asked (weighted, of the records that answer), standard_error (Kish's effective number of
    records), records (that answer), obtained (in the people whose record answers), everybody (in all people), own (the model's
    without the records' word), apart (mean absolute difference between a person and the record).
    """
    correlations: pd.DataFrame
    """one, other, asked (among people drawn from the records), obtained."""
    drift: pd.DataFrame
    """measure, year, value: of everybody, year by year; own: the model's without the records' word."""
    people: pd.DataFrame
    """One row a person: person, sex, age and all that is mapped, and of each whether it is record, drawn, imputed, imposed."""
    counts: Mapping[str, Any]
    """records, effective_records, people, drawn, imputed, imposed, donors_used_again, ..."""
    link: pd.DataFrame
    """person, record: the survey's own id (its row, if none is mapped). It is written only where it is asked for."""

    def write(self, folder: Path, *, link: bool = False) -> None:
        """Tables, the scenario ready to be run, provenance; with `link` also `link.csv`."""
        from fitss_abm.measurement.results import write_provenance

        for name in ("marginals", "correlations", "drift"):
            getattr(self, name).to_csv(folder / f"{name}.csv", index=False)
        self.people.to_parquet(folder / "people.parquet", index=False)
        if link:
            self.link.to_csv(folder / "link.csv", index=False)
        write_provenance(folder, dict(self.counts))

    def scenario_text(self, folder: Path) -> str:
        """The scenario as a file in `folder`: what differs from the defaults, the survey by its relative path."""
        values: dict[str, Any] = {
            "name": self.scenario.name,
            "people": self.scenario.people,
        } | self.scenario.differences()
        values.pop("threads", None)
        values["records"] = {**values["records"], "file": _relative(values["records"]["file"], folder)}
        return toml_document(values)


def scenario_of(
    survey: str | Path, mapping: str | Path | None = None, values: Mapping[str, Any] | None = None
) -> Scenario:
    """The scenario whose people are the records of a survey, as many as records unless `values` says how many.

    `mapping`: a TOML file with the keys of `records` (its `file` is not needed); without one, columns that bear our names are
    mapped. Raises InputError with everything that is wrong with mapping, survey and values.
    """
    faults = Faults()
    said = faults.gather(lambda: read_toml(Path(mapping), "map")) if mapping is not None else {}
    table = (
        dict(said.get("records", said)) if said is not None and isinstance(said.get("records", said), Mapping) else {}
    )
    table["file"] = str(Path(survey).absolute())
    names = faults.gather(lambda: names_of(Path(survey)))
    if mapping is None and names is not None:
        valid = (*PEOPLE, *SCORES, *shipped().ids)
        table["columns"] = {name: name for name in names if name in valid}
    if names is None or said is None:
        table = {}
    given: dict[str, Any] = {"name": Path(survey).stem} | dict(values or {}) | ({"records": table} if table else {})
    asked = faults.gather(lambda: Scenario(**given))
    if table and asked is None:  # the survey's own faults, beside those of the mapping
        faults.found += file_faults(table, shipped(), start=Scenario().start)
    records = (
        faults.gather(lambda: read_records(table, asked.catalogue(), start=asked.start)) if asked and table else None
    )
    if mapping is not None:
        faults.found = [
            dataclasses.replace(one, file=str(mapping)) if one.file is None and one.field.startswith("records") else one
            for one in faults.found
        ]
    faults.raise_if_any()
    assert asked is not None
    assert records is not None
    return asked if "people" in given else asked.replace(people=len(records))


def population_from_records(
    scenario: Scenario, *, years: int = YEARS, progress: Progress | None = None
) -> StartingPopulation:
    """Make the people of a scenario with `records`, compare them with the records, and watch them for `years` (0: not).

    Raises InputError for a scenario without records, and for whatever is wrong with them.
    """
    faults = Faults()
    if not scenario.records:
        faults.add("records", None, "the scenario has none")
    if not 0 <= years <= MOST_YEARS:
        faults.add("years", years, f"must be a whole number from 0 to {MOST_YEARS}")
    faults.raise_if_any()
    tell = progress or (lambda phase, fraction: None)
    tell("network", 0.0)
    simulation = scenario.replace(programmes=(), changes=()).simulation()
    tell("network", 1.0)
    simulation.prepare(lambda done, days: tell("pre-history", done / days))
    beginning = simulation.beginning
    assert isinstance(beginning, RecordsBeginning)
    assert beginning.matched is not None
    matched, records = beginning.matched, beginning.records
    now = {name: values_of(simulation, name) for name in matched.said}
    sides = _Sides(simulation, beginning)
    counts = _counts(scenario, beginning, matched)
    return StartingPopulation(
        scenario=scenario,
        marginals=pd.DataFrame([*_who(records, sides), *_measures(records, matched, now, sides)]),
        correlations=_correlations(matched, now),
        people=_people(simulation, beginning, matched, now),
        counts=counts,
        link=_link(simulation, beginning),
        drift=_drift(simulation, matched, years, tell),
    )


class _Sides:
    """Sex and age, of records and of people."""

    def __init__(self, simulation: Simulation, beginning: RecordsBeginning) -> None:
        self.female: Floats = simulation.population["female"].astype(np.float64)
        self.age: Floats = -simulation.population["birth_day"] / _DAYS_IN_YEAR
        self.weight: Floats = beginning.records.weight


def _who(records: Records, sides: _Sides) -> list[dict[str, Any]]:
    """Rows of sex and of bands of age."""
    rows = [_row("women", "share", "all", records.female, sides.weight, sides.female, None)]
    edges = [*_BANDS, 999]
    for sex, code in _SEXES:
        asked_of, here = _of_sex(records.female, code), _of_sex(sides.female, code)
        for low, high in itertools.pairwise(edges):
            asked = np.where(np.isfinite(records.age), (records.age >= low) & (records.age < high), np.nan)
            obtained = ((sides.age >= low) & (sides.age < high)).astype(np.float64)
            name = f"age {low}+" if high == 999 else f"age {low}-{high - 1}"
            if np.nansum(asked) + obtained.sum() > 0:
                rows.append(_row(name, "share", sex, asked[asked_of], sides.weight[asked_of], obtained[here], None))
    return rows


def _measures(records: Records, matched: Matched, now: Mapping[str, Floats], sides: _Sides) -> list[dict[str, Any]]:
    rows = []
    for name, said in matched.said.items():
        kind = "share" if name in records.conditions else "mean"
        for place, (sex, code) in enumerate(_SEXES):
            here = _of_sex(sides.female, code)
            if name == "loneliness":  # its scale is the model's, known only of people
                asked, weight = said[here], np.ones(int(here.sum()))
            else:
                asked_of = _of_sex(records.female, code)
                asked, weight = {**records.conditions, **records.scores}[name][asked_of], sides.weight[asked_of]
            if np.isfinite(asked).any() and here.any():
                rows.append(_row(name, kind, sex, asked, weight, now[name][here], said[here], matched.own[name][place]))
    return rows


def _of_sex(female: Floats, code: float | None) -> NDArray[np.bool_]:
    return np.ones(female.size, bool) if code is None else female == code


def _row(
    name: str,
    kind: str,
    sex: str,
    asked: Floats,
    weight: Floats,
    obtained: Floats,
    said: Floats | None,
    own: float = np.nan,
) -> dict[str, Any]:
    """`obtained`: of everybody; `said`: what the record of each says, None where all is as said."""
    some = np.isfinite(asked) & (weight > 0)
    values, counted = asked[some], weight[some]
    mean = float(np.average(values, weights=counted)) if counted.size else np.nan
    spread = float(np.average((values - mean) ** 2, weights=counted)) if counted.size else np.nan
    effective = counted.sum() ** 2 / (counted**2).sum() if counted.size else np.nan
    answered = np.isfinite(said) if said is not None else np.ones(obtained.size, bool)
    compared = obtained[answered]
    return {
        "measure": name, "kind": kind, "sex": sex, "asked": mean, "standard_error": float(np.sqrt(spread / effective)),
        "records": int(some.sum()), "obtained": float(compared.mean()) if compared.size else np.nan,
        "everybody": float(obtained.mean()) if obtained.size else np.nan, "own": own,
        "apart": 0.0 if said is None else float(np.abs(compared - said[answered]).mean()) if compared.size else np.nan,
    }  # fmt: skip


def _correlations(matched: Matched, now: Mapping[str, Floats]) -> pd.DataFrame:
    rows = []
    for one, other in itertools.combinations(matched.said, 2):
        a, b = matched.said[one], matched.said[other]
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= _LEAST and a[both].std() > 0 and b[both].std() > 0:
            rows.append(
                {
                    "one": one,
                    "other": other,
                    "asked": float(np.corrcoef(a[both], b[both])[0, 1]),
                    "obtained": _correlation(now[one][both], now[other][both]),
                }
            )
    return pd.DataFrame(rows, columns=["one", "other", "asked", "obtained"])


def _correlation(one: Floats, other: Floats) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else np.nan


def _people(
    simulation: Simulation, beginning: RecordsBeginning, matched: Matched, now: Mapping[str, Floats]
) -> pd.DataFrame:
    who, drawn = simulation.population, beginning.drawn
    table: dict[str, Any] = {
        "person": who.person(),
        "sex": np.where(who["female"] == 1, "female", "male"),
        "sex_from": np.where(drawn.sex_drawn, "drawn", "record"),
        "age": (-who["birth_day"] / _DAYS_IN_YEAR).astype(np.float32),
        "age_from": np.where(drawn.age_drawn, "drawn", "record"),
    }
    for name, said in matched.said.items():
        values = now[name]
        table[name] = values.astype(bool) if name in matched.imposed else values.astype(np.float32)
        source = np.where(np.isnan(said), "imputed", "record")
        table[f"{name}_from"] = (
            np.where(matched.imposed[name], "imposed", source) if name in matched.imposed else source
        )
    return pd.DataFrame(table)


def _counts(scenario: Scenario, beginning: RecordsBeginning, matched: Matched) -> dict[str, Any]:
    records, drawn = beginning.records, beginning.drawn
    copies, uses = np.bincount(drawn.record, minlength=len(records)), np.bincount(matched.donor)
    return {
        "people": scenario.people,
        "seed": scenario.seed,
        "records": len(records),
        "weighted": records.weighted,
        "effective_records": round(records.effective, 1),
        "records_never_drawn": int((copies == 0).sum()),
        "most_people_from_a_record": int(copies.max()),
        "sex_drawn": int(drawn.sex_drawn.sum()),
        "age_drawn": int(drawn.age_drawn.sum()),
        "imputed": {name: int(np.isnan(said).sum()) for name, said in matched.said.items()},
        "imposed": {name: int(which.sum()) for name, which in matched.imposed.items()},
        "donors_used_again": int((uses > 1).sum()),
        "most_people_from_a_donor": int(uses.max()),
    }


def _link(simulation: Simulation, beginning: RecordsBeginning) -> pd.DataFrame:
    records, record = beginning.records, beginning.drawn.record
    said = records.person[record] if records.person is not None else record + 1
    return pd.DataFrame({"person": simulation.population.person(), "record": said})


def _drift(simulation: Simulation, matched: Matched, years: int, tell: Progress) -> pd.DataFrame:
    rows = []
    for year in range(years + 1):
        simulation.advance(round(year * _DAYS_IN_YEAR) - simulation.day)
        tell("years", year / max(years, 1))
        rows += [
            {
                "measure": name,
                "year": year,
                "value": float(values_of(simulation, name).mean()),
                "own": matched.own[name][0],
            }
            for name in matched.said
        ]
    return pd.DataFrame(rows, columns=["measure", "year", "value", "own"])


def _relative(path: str, folder: Path) -> str:
    """The path as seen from a folder, with slashes; as it is where there is no way between them (another drive)."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path

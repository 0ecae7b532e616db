"""What a sensitivity analysis may ask of a run, and the run itself: one point in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.study import estimators
from fitss_abm.study.numbers import as_scenario
from fitss_abm.study.targets import ADULT_AGE, load_targets
from fitss_abm.study.validation_diagnosis import seen_for
from fitss_abm.study.validation_rows import estimands

if TYPE_CHECKING:
    from fitss_abm.model.simulation import Simulation

DEFAULT = (
    "prevalence.fibromyalgia",
    "sex_ratio.fibromyalgia",
    "prevalence.any",
    "prevalence.chronic_pain",
    "mean.alert",
    "mean.sensitization",
)
_MEANS = {
    "stress": "Stress", "loneliness": "Loneliness", "felt_support": "Felt support", "threat": "Threat",
    "soothing": "Soothing", "alert": "Alert", "sensitization": "Central sensitization", "poor_sleep": "Poor sleep",
    "burden": "Symptom burden",
}  # fmt: skip
_YEAR = 365.25


@dataclass(frozen=True)
class Output:
    """One number of a run: what figures call it, its unit; `read` takes it from the last day, without one it is a
    published fact and read off a followed cohort.
    """

    name: str
    label: str
    unit: str
    read: Callable[[Simulation], float] | None = None


@cache
def outputs() -> Mapping[str, Output]:
    """Everything that can be asked for, by name; all in adults.

    prevalence.<condition> and prevalence.any (%), sex_ratio.<condition> (women against men), mean.<state>,
    mean.conditions, and every published fact that can be estimated, by its id in targets.csv.
    """
    from fitss_abm.model.columns import COLUMNS
    from fitss_abm.model.conditions import shipped

    unit = {column.name: column.unit for column in COLUMNS}
    made = [Output("prevalence.any", "Any condition, prevalence", "%", _any)]
    made += [Output("mean.conditions", "Conditions, mean number", "conditions", _number)]
    made += [Output(f"mean.{name}", f"{says}, mean", unit[name], partial(_mean, name)) for name, says in _MEANS.items()]
    for condition in shipped().conditions:
        id, label = condition.id, condition.label.split(" (")[0]
        made.append(Output(f"prevalence.{id}", f"{label}, prevalence", "%", partial(_prevalence, id)))
        if condition.sex is None and not condition.until_menopause:
            made.append(Output(f"sex_ratio.{id}", f"{label}, women : men", "ratio", partial(_sex_ratio, id)))
    facts = load_targets().set_index("id")
    for id in estimands():
        fact = facts.loc[id]
        made.append(Output(id, f"{id} ({fact['condition']}: {fact['quantity']})", str(fact["unit"])))
    return MappingProxyType({output.name: output for output in made})


def outcome(
    *,
    people: int,
    day: int,
    seed: int,
    replicate: int,
    values: Mapping[str, float],
    outputs: Sequence[str],
) -> dict[str, float | None]:
    """One run and its outputs, on one thread; None where there is nothing to estimate from.

    `values`: numbers of the model that differ, by name. `day`: the last one; where a published fact is among the outputs the
    last one of the follow-up instead.
    """
    from fitss_abm.study.follow_up import follow
    from fitss_abm.study.scenario import Scenario

    scenario = Scenario(
        people=people, seed=seed, replicate=replicate, threads=1, seen_as=seen_for(outputs), **as_scenario(values)
    )
    simulation = scenario.simulation()
    cohort = None
    if followed(outputs):
        cohort = follow(simulation)
    else:
        simulation.prepare()
        simulation.advance(day)
    found: dict[str, float | None] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in outputs:
            read = _known(name).read
            value = read(simulation) if read else estimands()[name].estimator(cohort).value if cohort else math.nan
            found[name] = float(value) if math.isfinite(value) else None
    return found


def followed(names: Sequence[str]) -> bool:
    """Whether a cohort must be followed, because a published fact is among the outputs."""
    return any(_known(name).read is None for name in names)


def _known(name: str) -> Output:
    return outputs()[name]


def _adults(simulation: Simulation) -> NDArray[np.bool_]:
    age = (simulation.day - simulation.population["birth_day"]) / _YEAR
    return np.asarray(age >= ADULT_AGE)


def _has(simulation: Simulation, *ids: str) -> NDArray[np.bool_]:
    return np.asarray((simulation.population["conditions"] & np.uint32(simulation.catalogue.mask(ids))) != 0)


def _prevalence(id: str, simulation: Simulation) -> float:
    return estimators.share(_has(simulation, id), _adults(simulation)).value


def _sex_ratio(id: str, simulation: Simulation) -> float:
    women = np.asarray(simulation.population["female"] > 0)
    return estimators.share_ratio(_has(simulation, id), women, _adults(simulation)).value


def _any(simulation: Simulation) -> float:
    return estimators.share(_has(simulation, *simulation.catalogue.counted), _adults(simulation)).value


def _number(simulation: Simulation) -> float:
    """Mean number of counted conditions; fibromyalgia and chronic widespread pain are one."""
    from fitss_abm.measurement.observers import COUNTED_ONCE

    counted = simulation.catalogue.counted
    rest = np.uint32(simulation.catalogue.mask([id for id in counted if id not in COUNTED_ONCE]))
    once = _has(simulation, *(id for id in COUNTED_ONCE if id in counted))
    number = np.bitwise_count(simulation.population["conditions"] & rest) + once
    return float(number[_adults(simulation)].mean())


def _mean(name: str, simulation: Simulation) -> float:
    return float(simulation.population[name][_adults(simulation)].mean(dtype=np.float64))


def plain(values: Mapping[str, Any]) -> dict[str, float]:
    """What `outcome` gave, with NaN where it gave None."""
    return {name: math.nan if value is None else float(value) for name, value in values.items()}

"""An export against the simulation that it came from: marginals, missingness, correlations.

Answers are compared with what the same participants would have answered had nothing been lost; true states of those seen with the
true states of everybody invited.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.study.cohort_columns import Field
from fitss_abm.study.cohort_fields import LATENT, TRAITS, answers
from fitss_abm.study.cohort_report_folder import CohortFolder, Opened, quoted_name, stacked
from fitss_abm.study.cohort_report_sums import Floats, Sums

ANSWERS, STATES = "answers", "states"
COLUMNS = (
    "of", "visit", "column", "kind", "values", "of_values", "missing", "export", "export_sd", "simulation", "simulation_sd",
    "unweighted", "difference", "smd", "chance", "distance", "distance_is", "beyond_chance",
)  # fmt: skip
PAIRS = ("visit", "one", "other", "export", "simulation", "difference")
BEYOND = 3.0
"""Standard errors from which on a difference is called more than chance."""
_ROUNDING = 1e-6
_EXPORT, _REFERENCE = "e_", "r_"
_WEIGHTS = """
with recruits as (
  select p.person_id, p."group", p.sex, first.age from persons p
    join visits first on first.person_id = p.person_id and first.date = p.recruited
), alive as (
  select c.person_id, c.visit, r."group", r.sex, floor({age} / 10) as band, coalesce(v.weight, 0)::double as weight
  from truth_complete c join visits v using (person_id, visit) join recruits r using (person_id)
), cells as (
  select visit, "group", sex, band, sum(weight) as total, count(*) as people from alive group by all
), spread as (
  select *, sum(total) over stratum / sum(people) over stratum as usual from cells window stratum as (partition by visit, "group")
)
"""
"""What everybody who lives stands for: the people whom those seen of their sex, ten-year age and group stand for at a visit, spread
over all of them. So weights of export and reference add up to the same sexes and ages. Where nobody was seen of a cell, the
group's mean. Ages are those by which the study weighs: at recruitment, of a panel today's."""

Pair = tuple[Sums, Sums]


def compare_answers(cohort: CohortFolder, opened: Opened) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Marginals and correlations of what visits ask, by visit."""
    fields = answers(cohort.cohort)
    names = [one.name for one in fields]
    columns = ", ".join(f"{side}.{quoted_name(name)}::float as {prefix}{name}"
                        for side, prefix in (("v", _EXPORT), ("c", _REFERENCE)) for name in names)  # fmt: skip
    sql = f"""{_WEIGHTS.format(age="v.age" if cohort.panel else "r.age")}
    select c.visit, a.weight as export_weight,
      coalesce(nullif(case when s.total > 0 then s.total / s.people else s.usual end, 0), 1) as reference_weight, {columns}
    from truth_complete c join visits v using (person_id, visit) join alive a using (person_id, visit)
      join spread s on s.visit = a.visit and s."group" = a."group" and s.sex = a.sex and s.band = a.band
    """
    whole = [one.type != "float" for one in fields]
    found: dict[int, Pair] = {}
    for visit, batch in _by_visit(opened.batches(sql)):
        export, reference = found.setdefault(visit, (Sums(names, whole=whole), Sums(names, whole=whole)))
        export.add(stacked(batch, _EXPORT, names), batch["export_weight"])
        reference.add(stacked(batch, _REFERENCE, names), batch["reference_weight"])
    rows = [row for visit, pair in sorted(found.items()) for row in _rows(ANSWERS, visit, pair, fields, None)]
    return pd.DataFrame(rows, columns=COLUMNS), pd.DataFrame(_pairs(found, names), columns=PAIRS)


def compare_states(cohort: CohortFolder, opened: Opened) -> pd.DataFrame:
    """Marginals of true states and traits, of those seen (with the study's weights) and of everybody invited (with the inverse
    of the probability of invitation; of a panel, counting alike).
    """
    catalogue = cohort.cohort.world().catalogue()
    titles = [
        ("female", "bool"),
        *((name, "float") for name in (*TRAITS, *LATENT, "pain")),
        ("wpi", "int"),
        ("sss", "int"),
    ]
    titles += [(f"has_{id}", "bool") for id in catalogue.ids]
    fields = [Field(name, type, name) for name, type in titles]
    names = [one.name for one in fields]
    places = {"female": "(q.sex = 'female')"} | {name: f"q.{quoted_name(name)}" for name in TRAITS}
    columns = ", ".join(f"{places.get(name, f't.{quoted_name(name)}')}::float as {_REFERENCE}{name}" for name in names)
    invited = "1" if cohort.panel else "1 / q.invitation_probability::double"
    sql = f"""
    select t.visit, t.seen, coalesce(v.weight, 0)::double as export_weight, {invited} as reference_weight, {columns}
    from truth_visits t join truth_persons q using (person_id)
      left join visits v on v.person_id = t.person_id and v.visit = t.visit
    """
    whole = [one.type != "float" for one in fields]
    found: dict[int, Pair] = {}
    for visit, batch in _by_visit(opened.batches(sql)):
        export, reference = found.setdefault(visit, (Sums(names, whole=whole), Sums(names, whole=whole)))
        values = stacked(batch, _REFERENCE, names)
        reference.add(values, batch["reference_weight"].astype(np.float64))
        export.add(np.where(batch["seen"][:, None], values, np.nan), batch["export_weight"])
    rows = []
    for visit, pair in sorted(found.items()):
        frame = np.inf if cohort.panel else pair[1].weight
        rows += list(_rows(STATES, visit, pair, fields, frame))
    return pd.DataFrame(rows, columns=COLUMNS)


def standardized_difference(one: Floats, other: Floats, sd: Floats, other_sd: Floats) -> Floats:
    """Difference of means over the square root of the mean of both variances (Austin 2009, doi:10.1002/sim.3697); 0 where nothing
    varies and nothing differs, infinite where something does.
    """
    spread, apart = np.sqrt((sd**2 + other_sd**2) / 2), one - other
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(apart == 0, 0.0, apart / spread)
    return found


def _by_visit(batches: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for batch in batches:
        for visit in np.unique(batch["visit"]):
            chosen = batch["visit"] == visit
            yield int(visit), {name: values[chosen] for name, values in batch.items()}


def _rows(table: str, visit: int, pair: Pair, fields: Iterable[Field], frame: float | None) -> Iterator[dict[str, Any]]:
    """A row a column. Chance: the standard error of the standardised difference, had what is lost been lost by chance: the export
    is then a sample without replacement from the reference, or from a frame of so many people (Cochran 1977, Sampling
    Techniques, section 2.6), with Kish's effective numbers.
    """
    export, reference = pair
    sd, other = export.sd, reference.sd
    smd = standardized_difference(export.mean, reference.mean, sd, other)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = reference.effective if frame is None else np.full(smd.shape, frame)
        chance = np.sqrt(np.maximum(1 / export.effective - 1 / whole, 0.0))
    distance = export.distance(reference)
    for k, one in enumerate(fields):
        yield {
            "of": table, "visit": visit, "column": one.name, "kind": "share" if one.type == "bool" else "mean",
            "values": int(export.count[k]), "of_values": int(reference.count[k]),
            "missing": 1 - export.count[k] / reference.count[k] if reference.count[k] else np.nan,
            "export": export.mean[k], "export_sd": sd[k], "simulation": reference.mean[k], "simulation_sd": other[k],
            "unweighted": export.plain_mean[k], "difference": export.mean[k] - reference.mean[k], "smd": smd[k],
            "chance": chance[k], "distance": distance[k],
            "distance_is": "total variation" if one.type == "bool" else "Kolmogorov-Smirnov",
            "beyond_chance": bool(abs(smd[k]) > BEYOND * chance[k] + _ROUNDING),
        }  # fmt: skip


def _pairs(found: dict[int, Pair], names: list[str]) -> Iterator[dict[str, Any]]:
    for visit, (export, reference) in sorted(found.items()):
        one, other = export.correlation, reference.correlation
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            yield {
                "visit": visit, "one": names[i], "other": names[j], "export": one[i, j], "simulation": other[i, j],
                "difference": one[i, j] - other[i, j],
            }  # fmt: skip

"""Survival in an export against the simulation: death, loss, and first answers that meet criteria or tell of a diagnosis.

Times are those of visits: an event is dated to the visit by which it had happened, in both.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.study.cohort_fields import answers
from fitss_abm.study.cohort_report_folder import CohortFolder, Opened, quoted_name

EXPORT, SIMULATION = "export", "simulation"
DEATH, LOSS = "death", "loss to follow-up"
FIRST = ("fm_mod2010", "cwp", "ibs_rome4")
"""Answers whose first yes is looked for, besides the diagnosis of the study's case."""
_DAYS, _NORMAL = 365.25, 1.96


def compare_survival(cohort: CohortFolder, opened: Opened) -> pd.DataFrame:
    """Kaplan-Meier estimates: event, side (export, simulation), years, surviving, low, high (95 %, normal), people, events.

    `people`, `events`: of whom the whole curve is made. A row at 0 and one at each visit at which something happened; the last row
    is where the curve ends. The simulation's side needs the truth, and has nobody lost.
    """
    weight = "1" if cohort.panel else "p.weight"
    made = [_curve(DEATH, EXPORT, opened.table(_ended(weight, "dead"))),
            _curve(LOSS, EXPORT, opened.table(_ended(weight, "lost")))]  # fmt: skip
    if cohort.truth:
        made.append(_curve(DEATH, SIMULATION, opened.table(_died(weight))))
    there = {one.name for one in answers(cohort.cohort)}
    for name in (*FIRST, f"diagnosed_{cohort.cohort.case}"):
        if name in there:
            made.append(_curve(name, EXPORT, opened.table(_first(weight, name, "visits"))))
            if cohort.truth:
                made.append(_curve(name, SIMULATION, opened.table(_first(weight, name, "truth_complete"))))
    return pd.concat(made, ignore_index=True)


def _summed(people: str, weight: str) -> str:
    """Of a table of person_id, last and whether it happened: weights by time."""
    return f"""with people as ({people})
    select date_diff('day', p.recruited, last) / {_DAYS} as years, happened, count(*) as people, sum({weight})::double as weight,
      sum({weight}::double ** 2) as squares
    from people join persons p using (person_id) group by all order by all"""


def _ended(weight: str, status: str) -> str:
    """Death or loss as the export tells it; whoever is lost is followed to the last visit before."""
    people = f"""
    select v.person_id, bool_or(v.status = '{status}') as happened,
      coalesce(min(case when v.status = '{status}' then v.date end),
               max(case when v.status not in ('lost', 'dead') then v.date end)) as last
    from visits v group by all"""
    return _summed(people, weight)


def _died(weight: str) -> str:
    """Death as it was: no row in the truth."""
    people = """
    select v.person_id, bool_or(t.person_id is null) as happened,
      coalesce(min(case when t.person_id is null then v.date end), max(v.date)) as last
    from visits v left join truth_visits t on t.person_id = v.person_id and t.visit = v.visit group by all"""
    return _summed(people, weight)


def _first(weight: str, name: str, table: str) -> str:
    """The first yes of those whose first known answer is no; else followed to the last known answer."""
    column = quoted_name(name)
    people = f"""
    select person_id, bool_or({column}) as happened, coalesce(min(case when {column} then date end), max(date)) as last
    from {table} where {column} is not null group by all having not arg_min({column}, visit)"""
    return _summed(people, weight)


def _curve(event: str, side: str, table: pd.DataFrame) -> pd.DataFrame:
    """From weights by time to a curve. Weights are scaled to sum to Kish's effective number of people, whom intervals are of."""
    from statsmodels.duration.survfunc import SurvfuncRight

    happened = table["happened"].to_numpy(bool)
    people, events = int(table["people"].sum()), int(table["people"][happened].sum())
    columns: dict[str, Any] = {"years": np.zeros(1), "surviving": np.ones(1), "error": np.zeros(1)}
    if people:
        scale = table["weight"].sum() / table["squares"].sum()
        years = table["years"].to_numpy(float)
        found = SurvfuncRight(years, happened.astype(float), freq_weights=table["weight"].to_numpy(float) * scale)
        columns = {
            "years": np.concatenate([[0.0], found.surv_times]),
            "surviving": np.concatenate([[1.0], found.surv_prob]),
            "error": np.concatenate([[0.0], found.surv_prob_se]),
        }
        if columns["years"][-1] < years.max():
            columns = {name: np.append(values, values[-1]) for name, values in columns.items()}
            columns["years"][-1] = years.max()
    reach = _NORMAL * columns.pop("error")
    columns |= {"low": np.clip(columns["surviving"] - reach, 0, 1), "high": np.clip(columns["surviving"] + reach, 0, 1)}
    made = pd.DataFrame(columns).assign(event=event, side=side, people=people, events=events)
    return made[["event", "side", "years", "surviving", "low", "high", "people", "events"]]

"""Effects on people: by groups of the first day, by distance from the treated, and how they are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm.measurement.contrasts import GROUPS, NUMBER_EDGES, OUTCOMES, PAIN_EDGES
from fitss_abm.study.effect_runs import PER, Arm, Floats, Rows
from fitss_abm.study.effects import group_mean_of

ESTIMANDS = {
    "number": ("conditions_averted", PER, "conditions per 1000 people"),
    "any": ("any_averted", PER, "people with any condition, per 1000"),
    "pain": ("pain_averted", 1.0, "points of rated pain (0 to 10) a person"),
    "severity": ("severity_averted", 1.0, "points of symptom severity (0 to 12) a person"),
    "disability": ("yld_averted_in_people", PER, "years lived with disability per 1000 people"),
}
"""By outcome: name, scale and unit. Above 0: better in the alternative."""
SHARES = {"number": "benefit_share_conditions", "disability": "benefit_share_yld"}
ONE_LIFE, KIND = "one life", "kind of person"
_FEWEST = 20
"""People of one kind, over all runs; rarer kinds are left out."""


def people_rows(rows: Rows, arm: Arm, date: Any) -> None:
    """Mean effect in each group of people, the share of people in it, and its share of the whole benefit."""
    if not arm.contrasts:
        return
    programmes = any(int(run["started"]) for run in arm.contrasts)
    outcomes = list(OUTCOMES)
    for group, levels in GROUPS.items():
        if group in ("reached", "distance") and not programmes:
            continue
        n, total = arm.contrast(group, "n"), -arm.contrast(group, "sum")
        whole, everybody = total.sum(axis=1), n.sum(axis=1)
        for k, level in enumerate(levels):
            if not n[:, k].any():
                continue
            where = {} if group == "everybody" else {"subgroup": f"{group}: {level}"}
            for outcome, (estimand, scale, unit) in ESTIMANDS.items():
                made = group_mean_of(total[:, k, outcomes.index(outcome)] * scale, n[:, k], drawn=rows.drawn)
                rows.add(arm.name, estimand, made, unit, date, **where)
            if group not in ("everybody",):
                rows.add(arm.name, "people_share", rows.mean(n[:, k] / everybody), "share of adults", date, **where)
            if group in ("reached", "distance"):
                for outcome, estimand in SHARES.items():
                    at = outcomes.index(outcome)
                    made = rows.ratio(total[:, k, at], whole[:, at])
                    rows.add(arm.name, estimand, made, "share of the whole benefit", date, **where)


def people_table(arms: Sequence[Arm]) -> pd.DataFrame:
    """scenario, view, outcome, low, high, share: single lives in classes; means of kinds of people (low = high).

    A single life's effect is one throw of luck. A kind is all people alike in sex, age, adversity, loneliness and symptoms of the
    first day: their mean over all runs, drawn towards the mean of all by as much as chance alone would spread such means.
    """
    frames = []
    for arm in (one for one in arms if one.contrasts):
        for outcome, edges in (("number", NUMBER_EDGES), ("pain", PAIN_EDGES)):
            counts = np.sum([run["histograms"][outcome] for run in arm.contrasts], axis=0)
            lives = {"low": edges[:-1], "high": edges[1:], "share": counts / max(counts.sum(), 1)}
            frames.append(pd.DataFrame(lives).assign(scenario=arm.name, view=ONE_LIFE, outcome=outcome))
        for k, outcome in enumerate(OUTCOMES):
            mean, weight = _kinds(arm, k)
            kinds = {"low": mean, "high": mean, "share": weight}
            frames.append(pd.DataFrame(kinds).assign(scenario=arm.name, view=KIND, outcome=outcome))
    names = ["scenario", "view", "outcome", "low", "high", "share"]
    return pd.concat(frames, ignore_index=True)[names] if frames else pd.DataFrame(columns=pd.Index(names))


def _kinds(arm: Arm, outcome: int) -> tuple[Floats, Floats]:
    """Mean change of each kind of person, drawn towards the common mean, and its share of people."""
    n = np.sum([run["kinds"]["n"] for run in arm.contrasts], axis=0).astype(np.float64)
    total, square = (
        np.sum([np.asarray(run["kinds"][what])[:, outcome] for run in arm.contrasts], axis=0)
        for what in ("sum", "square")
    )
    chosen = n >= _FEWEST
    n, total, square = n[chosen], total[chosen], square[chosen]
    if not n.size:
        return n, n
    mean, weight = total / n, n / n.sum()
    within = float((square - n * mean**2).sum()) / max(float((n - 1).sum()), 1.0)
    chance = max(within, 0.0) / n
    common = float((weight * mean).sum())
    spread = max(float((weight * ((mean - common) ** 2 - chance)).sum()), 0.0)
    kept = np.divide(spread, spread + chance, out=np.ones_like(chance), where=spread + chance > 0)
    return common + kept * (mean - common), weight

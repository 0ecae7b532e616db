"""A trial analysed as a trialist would, with statsmodels, who sees measured values of those still in the trial alone.

Change of pain: analysis of covariance with the first visit's pain, robust standard errors (HC2). Shares (half the pain or less,
criteria lost): risk difference with the score interval of Miettinen and Nurminen (1985). Where clusters are randomised both by
generalised estimating equations with exchangeable correlation, the bias-reduced variance of Mancl and DeRouen (2001) and a t
distribution with two degrees of freedom fewer than clusters; in a stepped wedge with an effect of each period.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.study.intervals import CONFIDENCE

if TYPE_CHECKING:
    from fitss_abm.study.trial_run import Happened

OUTCOMES = {
    "pain": "pain, difference of means (points of 10)",
    "smd": "pain, standardised difference of means",
    "half": "half the pain or less, difference of shares",
    "criteria_lost": "criteria no longer met, difference of shares",
}
HALF = 0.5
_TAIL = (1 - CONFIDENCE) / 2
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """An estimate of treated less untreated with its 95 % interval and two-sided p; NaN where there is too little."""

    value: float
    low: float
    high: float
    p: float

    def times(self, factor: float) -> Finding:
        """In another unit."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Finding(self.value * factor, low, high, self.p)


NOTHING = Finding(*(float("nan"),) * 4)


def check_statsmodels() -> None:
    """Raise InputError that names the extra, if statsmodels is not installed."""
    faults = Faults()
    faults.needs("statsmodels", extra="trials")
    faults.raise_if_any()


def ancova(after: Floats, treated: NDArray[Any], baseline: Floats) -> Finding:
    """Difference of means given the baseline, by least squares with HC2 errors."""
    if min(treated.sum(), (~treated).sum()) < 3:
        return NOTHING
    import statsmodels.api as sm

    x = np.column_stack([treated.astype(float), baseline - baseline.mean(), np.ones(after.size)])
    fitted = sm.OLS(after, x).fit(cov_type="HC2", use_t=True)
    low, high = fitted.conf_int(alpha=2 * _TAIL)[0]
    return Finding(float(fitted.params[0]), float(low), float(high), float(fitted.pvalues[0]))


def risk_difference(cases: NDArray[Any], treated: NDArray[Any]) -> Finding:
    """Share of cases among the treated less that among the others; score interval and test."""
    n1, n0 = int(treated.sum()), int((~treated).sum())
    if min(n1, n0) < 2:
        return NOTHING
    from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

    x1, x0 = int(cases[treated].sum()), int(cases[~treated].sum())
    counts = (x1, n1, x0, n0)
    value = x1 / n1 - x0 / n0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=2 * _TAIL)
        if x1 + x0 in (0, n1 + n0):  # nothing varies, and the score has no variance
            return Finding(value, float(low), float(high), 1.0)
        with suppress(ValueError):  # where the score has no root within bounds, Newcombe's interval stays
            low, high = confint_proportions_2indep(*counts, method="score", compare="diff", alpha=2 * _TAIL)
        p = test_proportions_2indep(*counts, method="score", compare="diff", correction=False).pvalue
    return Finding(value, float(low), float(high), float(p))


def clustered(values: Floats, treated: NDArray[Any], cluster: NDArray[Any], others: Floats) -> Finding:
    """Difference of means by generalised estimating equations; `others`: covariates, a column each."""
    clusters = np.unique(cluster).size
    if clusters < 4 or min(treated.sum(), (~treated).sum()) < 3:
        return NOTHING
    if values.std() == 0:
        return Finding(0.0, 0.0, 0.0, 1.0)
    import statsmodels.api as sm
    from scipy.stats import t

    order = np.argsort(cluster, kind="stable")
    x = np.column_stack([treated.astype(float), others, np.ones(values.size)])[order]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GEE(values[order], x, groups=cluster[order], cov_struct=sm.cov_struct.Exchangeable())
        try:
            fitted = model.fit(cov_type="bias_reduced")
        except (np.linalg.LinAlgError, ValueError):
            return NOTHING
    value, error = float(fitted.params[0]), float(fitted.bse[0])
    if not np.isfinite(error) or error <= 0:
        return NOTHING
    reach = float(t.ppf(1 - _TAIL, clusters - 2)) * error
    return Finding(value, value - reach, value + reach, float(2 * t.sf(abs(value / error), clusters - 2)))


def analyse(happened: Happened) -> pd.DataFrame:
    """One row an outcome and visit (of a stepped wedge: over all visits), those of the primary visit first.

    outcome, week, treated, untreated (how many were analysed), lost; estimate, low, high, p; truth (of true values, had everybody
    in the trial been treated less had nobody; of a stepped wedge: the treated as they were less had nobody been treated);
    bias (estimate less truth); contamination (of the untreated: true values as they were less had nobody been treated), own (the
    same of the treated).
    """
    check_statsmodels()
    table, wedge = happened.table, happened.trial.design == "stepped_wedge"
    visits = (
        [(happened.trial.visits[-1], table)]
        if wedge
        else [(w, table[table["week"] == w]) for w in happened.trial.visits]
    )
    rows = []
    for week, visit in visits:
        told = _told(happened, visit)
        counts = {
            "treated": int(told["treated"].sum()),
            "untreated": int((~told["treated"]).sum()),
            "lost": int((~visit["seen"]).sum()),
        }
        for outcome, found in _findings(happened, told):
            known = _known(visit, outcome, wedge=wedge)
            if happened.trial.design == "waiting_list" and week > happened.trial.weeks:
                known["contamination"] = float("nan")  # by now they are treated themselves
            rows.append(
                {
                    "outcome": outcome,
                    "week": week,
                    **counts,
                    "estimate": found.value,
                    "low": found.low,
                    "high": found.high,
                }
                | {"p": found.p, "truth": known["truth"], "bias": found.value - known["truth"]}
                | {name: known[name] for name in ("contamination", "own")}
            )
    return pd.DataFrame(rows)


def _told(happened: Happened, visit: pd.DataFrame) -> pd.DataFrame:
    """What the trialist has: who is lost is left out, or counts with the last value seen."""
    if happened.trial.missing == "complete":
        seen: pd.DataFrame = visit[visit["seen"]]
        return seen
    if happened.trial.design == "stepped_wedge" or visit["week"].iloc[0] == happened.trial.visits[0]:
        before = visit[["baseline", "held"]].set_axis(["pain", "holds"], axis=1)
    else:
        first = (
            happened.table[happened.table["week"] == happened.trial.visits[0]].set_index("person").loc[visit["person"]]
        )
        pain = np.where(first["seen"], first["pain"], first["baseline"])
        holds = np.where(first["seen"], first["holds"], first["held"])
        before = pd.DataFrame({"pain": pain, "holds": holds}, index=visit.index)
    return visit.assign(**{n: visit[n].where(visit["seen"], before[n].astype(float)) for n in ("pain", "holds")})


def _findings(happened: Happened, told: pd.DataFrame) -> Iterator[tuple[str, Finding]]:
    treated = told["treated"].to_numpy(dtype=bool)
    pain, baseline = (told[name].to_numpy(dtype=float) for name in ("pain", "baseline"))
    half = (pain <= HALF * baseline).astype(float)
    held = told["held"].to_numpy(dtype=bool)
    gone = (told["holds"].to_numpy(dtype=float) == 0).astype(float)
    if happened.trial.clustered:
        cluster = told["cluster"].to_numpy()
        period = told["period"].to_numpy()
        periods = np.column_stack([np.zeros(len(told)), *((period == k).astype(float) for k in np.unique(period)[1:])])[
            :, 1:
        ]
        change = clustered(pain, treated, cluster, np.column_stack([baseline - baseline.mean(), periods]))
        shares = [clustered(v[m], treated[m], cluster[m], periods[m]) for v, m in ((half, held | True), (gone, held))]
    else:
        change = ancova(pain, treated, baseline)
        shares = [risk_difference(half, treated), risk_difference(gone[held], treated[held])]
    yield "pain", change
    yield "smd", change.times(1 / spread) if (spread := _spread(pain, treated)) > 0 else NOTHING
    yield "half", shares[0]
    yield "criteria_lost", shares[1]


def _spread(values: Floats, treated: NDArray[Any]) -> float:
    """The pooled standard deviation within arms."""
    one, two = values[treated], values[~treated]
    if min(one.size, two.size) < 2:
        return 0.0
    return float(np.sqrt(((one.size - 1) * one.var(ddof=1) + (two.size - 1) * two.var(ddof=1)) / (values.size - 2)))


def _known(visit: pd.DataFrame, outcome: str, *, wedge: bool) -> dict[str, float]:
    """Truth, contamination of the untreated and effect on the treated, from true values of those alive in every world."""
    alive = visit[visit["alive"] & visit["pain_none"].notna()]
    if outcome == "criteria_lost":
        alive = alive[alive["held"]]

    def value(which: str) -> Floats:
        if outcome == "criteria_lost":
            lost: Floats = (alive[f"holds{which}"].to_numpy(dtype=float) == 0).astype(float)
            return lost
        pain = alive["pain_true" if not which else f"pain{which}"].to_numpy(dtype=float)
        half: Floats = (pain <= HALF * alive["baseline_true"].to_numpy(dtype=float)).astype(float)
        return half if outcome == "half" else pain

    treated = alive["treated"].to_numpy(dtype=bool)
    less = value("") - value("_none")
    scale = 1.0
    if outcome == "smd":
        spread = np.sqrt((value("_none").var() + value("" if wedge else "_all").var()) / 2) if len(alive) else 0.0
        scale = 1 / spread if spread > 0 else float("nan")

    def mean(values: Floats) -> float:
        return float(values.mean()) * scale if values.size else float("nan")

    own = mean(less[treated])
    whole = own if wedge else mean(value("_all") - value("_none"))
    return {"truth": whole, "contamination": mean(less[~treated]), "own": own}

"""Calibration: history matching on an emulator in waves, a posterior on the emulator, and fresh runs that check it.

Waves: candidates are run with common luck (the same seeds for all), an emulator is fitted to every row, and the next
candidates come from where the emulator does not rule them out (implausibility: Craig 1997; Andrianakis 2015). The posterior is
sampled on the emulator, with its own variance and that of chance in the runs added to the published range. Fresh runs at
draws of the posterior, with luck of their own, then say how far the emulator, and the common luck under it, were off; these
offsets are taken into account and the posterior is sampled again. Its draws, each run once more, are the ensemble.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit
from scipy.stats import qmc

from fitss_abm.measurement.results import write_provenance
from fitss_abm.study.calibration_plan import Plan, Solved
from fitss_abm.study.calibrator import FRESH, Calibrator, Density, Floats, Settings
from fitss_abm.study.emulator import Emulator
from fitss_abm.study.numbers import as_scenario, default_of
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.toml_text import toml_document

POINT = "point.toml"
"""The calibrated point, as a scenario file."""
IMPLAUSIBLE = 3.0
"""Standard deviations from a row's centre beyond which a candidate is ruled out (Pukelsheim's three sigma)."""
_REACH = 0.12  # of the prior's width: how far a polish may move the point, since offsets hold only near where they were found
_TEMPERATURE = 4.0  # of the posterior from which later waves are drawn: wider than itself
_SPACE = 4096  # points by which the share of the prior that is left is counted
_EDGE = (
    0.1  # of the prior's width: the point is sought no nearer to a bound, since in flat directions a mode runs there
)

__all__ = ["Calibration", "Calibrator", "Settings", "calibrate", "write"]


@dataclass
class Calibration:
    """What was found. `runs`: every run (wave, candidate, replicate, numbers, solved numbers, estimates); `draws`: posterior
    draws with the numbers solved in a fresh run and its estimates; `rows`: row by row; `numbers`: prior and posterior of each
    free number; `space`: share of the prior not ruled out, by wave; `point`: values by name; `failed`: runs that never came.
    """

    runs: pd.DataFrame
    draws: pd.DataFrame
    rows: pd.DataFrame
    numbers: pd.DataFrame
    space: list[float]
    point: dict[str, float]
    failed: dict[str, str]
    settings: Settings
    misfit: float
    """-2 log likelihood of the point on the emulator, up to a constant: the sum of squared standardised distances."""


def calibrate(calibrator: Calibrator) -> Calibration:
    """Waves, posterior, fresh runs, offsets, posterior again, ensemble: see the top of the file."""
    c, s = calibrator, calibrator.settings
    tell = c.progress or (lambda phase, fraction: None)
    numbers = len(c.plan.free)
    in_waves = lambda wave: isinstance(wave, int)  # noqa: E731
    c.wave(1, qmc.LatinHypercube(numbers, rng=np.random.default_rng([s.seed, 1])).random(s.first))
    space = []
    everywhere = qmc.LatinHypercube(numbers, rng=np.random.default_rng([s.seed, 2])).random(_SPACE)
    nothing = np.zeros(len(c.plan.rows))
    for number, count in enumerate((*s.later, 0), 2):
        tell("emulator", number / (len(s.later) + 3))
        x, y, v = c.table(in_waves)
        emulator, chance = Emulator(x, y, names=list(c.plan.rows), seed=s.seed), np.nanmean(v, axis=0)
        space.append(float((c.implausibility(emulator, everywhere, chance) < IMPLAUSIBLE).mean()))
        if count:
            density = _density(c, emulator, chance, nothing, nothing)
            c.wave(number, c.sampled(density, count, seed=s.seed + number, temperature=_TEMPERATURE))
    # how far emulator and common luck are off, where the posterior is
    offset, spare, chance_fresh = nothing, nothing, nothing
    if s.checks:
        c.fresh("check", c.sampled(_density(c, emulator, chance, nothing, nothing), s.checks, seed=s.seed + 100))
        x, y, chance_of_check = c.table(lambda wave: wave == "check")
        mean, _ = emulator.predict(x)
        offset = np.nanmean(y - mean, axis=0)
        spare = np.nanvar(y - mean, axis=0) / np.maximum(np.isfinite(y).sum(axis=0), 1)
        chance_fresh = np.nanmean(chance_of_check, axis=0)
    # offsets hold the common luck: its variance need not be added again
    density = _density(c, emulator, nothing if s.checks else chance, offset, spare)
    points = c.sampled(density, max(s.draws, 400), seed=s.seed + 200)
    inner = np.clip(points, _EDGE, 1 - _EDGE)
    best = _mode(density, inner[int(np.argmax(density(inner)))])
    chosen = points[np.linspace(0, len(points) - 1, s.draws).astype(int)] if s.draws else points[:0]
    if s.draws:
        c.fresh("draw", chosen, first=2 * FRESH)
    best, solved, offset = _polished(c, emulator, best, offset) if s.polish else (best, c.guess(best), offset)
    tell("emulator", 1.0)
    return _found(c, emulator, points, best, solved, offset, chance_fresh, space)


def _polished(
    c: Calibrator, emulator: Emulator, best: Floats, offset: Floats
) -> tuple[Floats, dict[str, float], Floats]:
    """The point moved by what large fresh runs find at it; the numbers solved there; the rows' offsets there.

    The present defaults compete with the emulator's best: where facts leave much open, points far apart do equally well.
    """
    s = c.settings
    nothing, off = np.zeros(len(c.plan.rows)), list[Floats]()

    def tried(name: str, here: Floats, first: int, start: dict[str, float]) -> tuple[Floats, dict[str, float]]:
        points = np.repeat(here[None], s.polish_runs, axis=0)
        c.fresh(name, points, first=first, people=s.polish_people, start=start, rounds=3)
        found = [record for record in c.records if record["wave"] == name]
        solved = {key: _mended(each, key, found) for key, each in c.plan.solved.items()}
        return np.nanmean(c.table(partial(operator.eq, name))[1], axis=0), solved

    defaults = np.clip(c.plan.unit({name: default_of(name) for name in c.plan.free}), _EDGE, 1 - _EDGE)
    contenders = [(best, *tried("point1", best, 3 * FRESH, c.guess(best)))]
    contenders.append((defaults, *tried("defaults", defaults, 3 * FRESH, c.start)))

    def misfit(contender: tuple[Floats, Floats, dict[str, float]]) -> float:
        return float(np.nansum(((contender[1] - c.centre) / c.sd) ** 2))

    best, y, solved = min(contenders, key=misfit)
    for number in range(2, s.polish + 2):
        off.append(y - emulator.predict(best[None])[0][0])
        offset = np.mean(
            off, axis=0
        )  # points are near one another, so what is off at one holds for the others: less chance
        moved = _mode(_density(c, emulator, nothing, offset, nothing), best, reach=_REACH)
        old, new = c.guess(best), c.guess(moved)
        solved = dict(solved)
        for key, each in c.plan.solved.items():
            solved[key] += new[key] - old[key] if each.step == "shift" else solved[key] * (new[key] / old[key] - 1.0)
        best = moved
        y, solved = tried(f"point{number}", best, (2 + number) * FRESH, dict(solved))
        contenders.append((best, y, solved))
    best, y, solved = min(contenders, key=misfit)
    return best, solved, y - emulator.predict(best[None])[0][0]


def _mended(each: Solved, name: str, found: Sequence[Mapping[str, Any]]) -> float:
    """The mean of a solved number over runs, moved by how far prevalence two years on is from its aim."""
    x = np.array([record["solved"][name] for record in found], dtype=float)
    prevalence = float(np.mean([record["prevalence"][each.row] for record in found])) / 100.0
    move = logit(each.aim / 100.0) - logit(prevalence)
    return float(np.exp(np.log(x).mean() + move)) if each.step == "factor" else float(x.mean() + move)


def _density(c: Calibrator, emulator: Emulator, chance: Floats, offset: Floats, spare: Floats) -> Density:
    return lambda x: c.log_likelihood(emulator, x, chance, offset, spare)


def _mode(density: Density, start: Floats, *, reach: float = 1.0) -> Floats:
    """The point of highest density near `start`, no further from it than `reach` of a prior's width."""
    from scipy.optimize import minimize

    def misfit(x: Floats) -> float:
        return -float(density(x[None])[0])

    bounds = list(zip(np.maximum(_EDGE, start - reach), np.minimum(1 - _EDGE, start + reach), strict=True))
    return np.asarray(minimize(misfit, start, method="L-BFGS-B", bounds=bounds).x, dtype=float)


def _found(
    c: Calibrator,
    emulator: Emulator,
    points: Floats,
    best: Floats,
    solved: dict[str, float],
    offset: Floats,
    chance: Floats,
    space: list[float],
) -> Calibration:
    mean, _ = emulator.predict(best[None])
    distance = (mean[0] + offset - c.centre) / c.sd
    rows: list[dict[str, Any]] = []
    fresh = [r for r in c.records if r["wave"] == "draw"]
    prior = [r for r in c.records if r["wave"] == 1]
    for k, (id, row) in enumerate(c.plan.rows.items()):
        drawn = np.array([r["estimates"][id][0] for r in fresh], dtype=float)
        first = np.array([r["estimates"][id][0] for r in prior], dtype=float)
        low, high = _central(drawn)
        before = _central(first)
        rows.append(
            {
                "id": id, "published_low": row.low, "published_high": row.high,
                "prior_low": before[0], "prior_high": before[1],
                "emulated": float(row.unscaled(mean[0, k] + offset[k])), "distance": float(distance[k]),
                "offset": float(offset[k]), "posterior": float(np.nanmedian(drawn)) if fresh else np.nan,
                "posterior_low": low, "posterior_high": high,
                "of_chance": float(np.sqrt(chance[k])),
            }
        )  # fmt: skip
    lows = np.array([prior.low for prior in c.plan.free.values()])
    widths = np.array([prior.high - prior.low for prior in c.plan.free.values()])
    values = lows + points * widths
    correlation: Floats = np.atleast_2d(np.corrcoef(points.T))
    names = list(c.plan.free)
    numbers: list[dict[str, Any]] = []
    for k, name in enumerate(names):
        others = np.abs(correlation[k])
        others[k] = 0.0
        most = int(others.argmax())
        q = [float(x) for x in np.percentile(values[:, k], [5, 50, 95])]
        held = 1.0 - float(points[:, k].var()) * 12.0  # the variance of a uniform prior is 1/12
        numbers.append(
            {
                "name": name, "prior_low": lows[k], "prior_high": lows[k] + widths[k], "median": q[1], "low": q[0],
                "high": q[2], "point": float(lows[k] + best[k] * widths[k]), "held_by_data": held,
                "moves_with": names[most] if len(names) > 1 else "",
                "correlation": float(correlation[k, most]) if len(names) > 1 else 0.0,
                "at_bound": bool(not _EDGE / 2 < best[k] < 1 - _EDGE / 2),
            }
        )  # fmt: skip
    return Calibration(
        runs=_flat(c.records), draws=_flat(fresh), rows=pd.DataFrame(rows), numbers=pd.DataFrame(numbers), space=space,
        point=c.plan.values(best) | solved, failed=c.failed, settings=c.settings,
        misfit=float((distance**2).sum()),
    )  # fmt: skip


def _central(values: Floats) -> tuple[float, float]:
    """The central 95 % of what there is."""
    there = values[np.isfinite(values)]
    if not there.size:
        return float("nan"), float("nan")
    return float(np.percentile(there, 2.5)), float(np.percentile(there, 97.5))


def _flat(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a run: wave, candidate, replicate, people, number:<name>, solved:<name>, row:<id>."""
    rows = []
    for record in records:
        row = {name: record[name] for name in ("wave", "candidate", "replicate", "people")}
        row["wave"] = str(row["wave"])
        row |= {f"unit:{k}": float(u) for k, u in enumerate(record["point"])}
        row |= {f"solved:{name}": value for name, value in record["solved"].items()}
        row |= {f"row:{id}": found[0] for id, found in record["estimates"].items()}
        row |= {f"prevalence:{id}": value for id, value in record["prevalence"].items()}
        rows.append(row)
    return pd.DataFrame(rows)


def write(found: Calibration, plan: Plan, folder: Path) -> None:
    """Tables of a calibration, the point as a scenario, and provenance into an existing folder."""
    names = {f"unit:{k}": f"number:{name}" for k, name in enumerate(plan.free)}
    for name, runs in (("runs", found.runs), ("draws", found.draws)):
        table = runs.rename(columns=names)
        for k, prior in enumerate(plan.free.values()):
            column = names[f"unit:{k}"]
            if column in table:
                table[column] = prior.low + table[column] * (prior.high - prior.low)
        table.to_parquet(folder / f"{name}.parquet", index=False)
    for name, table in (("rows", found.rows), ("numbers", found.numbers)):
        table.to_csv(folder / f"{name}.csv", index=False)
    text = Scenario(name="calibrated", location=found.settings.location, **as_scenario(found.point)).differences()
    (folder / POINT).write_text(toml_document(text), encoding="utf-8")
    (folder / "failed.json").write_text(json.dumps(found.failed, indent=2) + "\n", encoding="utf-8")
    settings = vars(found.settings) | {"space_left": found.space, "misfit": found.misfit}
    write_provenance(folder, settings | {"free": {name: vars(prior) for name, prior in plan.free.items()}})

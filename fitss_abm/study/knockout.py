"""Knock-outs: the theory with a part taken out, each version fitted anew with the same budget, so that each may win or lose.

The fits are made once and shipped (`data/knockouts.json`) with their seeds; `knockout_score` holds them against the published
facts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults
from fitss_abm.model.caching import sources_hash
from fitss_abm.study.calibration import Calibrator, Settings, calibrate
from fitss_abm.study.calibration_plan import Plan
from fitss_abm.study.calibrator import Progress
from fitss_abm.study.knockout_variants import ALL, FULL, VARIANTS, Variant, check_number, chosen, plan_of
from fitss_abm.study.many import Job, Outcome, run_many

RECORDS = "knockouts.json"
BUDGET = Settings(
    people=3000, replicates=2, first=60, later=(24,), checks=12, draws=0, polish=1, polish_people=12_000, polish_runs=4
)
"""Of each refit."""


@dataclass(frozen=True)
class Record:
    """A variant as fitted: `values` are all numbers that differ from the defaults, those fixed included."""

    variant: str
    fixed: Mapping[str, float]
    values: Mapping[str, float]
    misfit: float
    """Sum of squared standardised distances of the fitted rows, by the emulator, at the best point."""
    settings: Mapping[str, Any]
    runs: int
    failed: int
    code: str
    """Hash of the package that fitted it."""
    sample: Mapping[str, Any]
    """The first run: its `arguments` and the `estimates` that it gave, so that anybody can see whether it gives them still."""


def refit(
    variant: Variant,
    settings: Settings = BUDGET,
    *,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    plan: Plan | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Record:
    """Fit a variant; `folder`: where its runs are kept. `plan`: another than the shipped one."""
    own, samples = plan_of(variant, plan), list[dict[str, Any]]()

    def noted(jobs: Sequence[Job], **how: Any) -> Outcome:
        outcome = run(jobs, **how)
        for job in jobs:
            if not samples and job.key in outcome.results:
                estimates = outcome.results[job.key]["estimates"]
                samples.append({"arguments": dict(job.arguments), "estimates": estimates})
        return outcome

    calibrator = Calibrator(
        own, settings, folder=folder, workers=workers, cluster=cluster, progress=progress, fixed=dict(variant.fixed), run=noted
    )  # fmt: skip
    found = calibrate(calibrator)
    return Record(
        variant=variant.name,
        fixed=dict(variant.fixed),
        values={name: float(value) for name, value in {**variant.fixed, **found.point}.items()},
        misfit=found.misfit,
        settings=_plain(asdict(settings)),
        runs=len(calibrator.records),
        failed=len(found.failed),
        code=sources_hash(),
        sample=samples[0],
    )


def write_records(records: Mapping[str, Record], path: str | Path) -> None:
    """Write refits as JSON."""
    whole = {name: {k: v for k, v in asdict(record).items() if k != "variant"} for name, record in records.items()}
    Path(path).write_text(json.dumps(_plain(whole), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_records(path: str | Path | None = None) -> dict[str, Record]:
    """Refits from a file that `fitss knockout --refit` wrote, or the shipped ones, in the order of VARIANTS.

    Raises InputError where there are none, where they were made with other variants or budgets, or without the full model.
    """
    source = files("fitss_abm.data").joinpath(RECORDS) if path is None else Path(path)
    place = RECORDS if path is None else str(path)
    faults = Faults(file=place)
    whole: Any = None
    try:
        whole = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        faults.add("refits", place, "there is no such file: make one with `fitss knockout --refit all`")
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        faults.add("refits", place, f"cannot be read ({error})")
    faults.raise_if_any()
    if not isinstance(whole, dict) or not whole:
        faults.add("refits", type(whole).__name__, "must be a table of variants")
        faults.raise_if_any()
    found = {str(name): _record(str(name), entry, faults) for name, entry in whole.items()}
    records = {name: record for name in VARIANTS if (record := found.get(name)) is not None}
    if FULL not in found:
        faults.add("refits", ", ".join(found), f"must hold '{FULL}', with which the others are compared")
    if len({json.dumps(dict(record.settings), sort_keys=True) for record in records.values()}) > 1:
        faults.add("settings", "differ", "all variants must be fitted with the same budget: refit them together")
    faults.raise_if_any()
    return records


def _record(name: str, entry: object, faults: Faults) -> Record | None:
    if name not in VARIANTS:
        faults.unknown("refits", name, "variant", VARIANTS)
        return None
    names = ("fixed", "values", "misfit", "settings", "runs", "failed", "code", "sample")
    if not isinstance(entry, Mapping) or set(entry) != set(names):
        faults.add(name, entry, f"must hold {', '.join(names)}")
        return None
    record = Record(name, **entry)
    if dict(record.fixed) != dict(VARIANTS[name].fixed):
        faults.add(f"{name}.fixed", dict(record.fixed), "is not what this version takes out: refit it")
    for number, value in record.values.items():
        check_number(VARIANTS[name], number, (value,), faults)
    return record


def _plain(value: Any) -> Any:
    """As JSON holds it: numbers that are none are null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


__all__ = [
    "ALL", "BUDGET", "FULL", "RECORDS", "VARIANTS", "Record", "Variant", "chosen", "plan_of", "read_records", "refit",
    "write_records",
]  # fmt: skip

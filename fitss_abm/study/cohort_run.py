"""A cohort from its file to its folder: parts lived one after the other or by workers, kept as they end, then put together."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults, InputError
from fitss_abm.measurement.results import PROVENANCE, write_provenance
from fitss_abm.study import cohort_files as files
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_fields import tables
from fitss_abm.study.cohort_files import COHORT, EFFECTS, SUMMARY
from fitss_abm.study.cohort_package import write_package
from fitss_abm.study.cohort_part import TELL, faults_of, folder_name, sha256_of
from fitss_abm.study.cohort_readme import page
from fitss_abm.study.cohort_summary import Summary, summed, write_effects
from fitss_abm.study.kept_folder import RUNS, check_kept, make_kept, results_into
from fitss_abm.study.many import Job, Outcome, run_many
from fitss_abm.study.missing_runs import all_of
from fitss_abm.study.simulate import check_memory

_CALL = "fitss_abm.study.cohort_part:run"
Progress = Callable[[str, float], None]
_SUFFIXED = ("csv", "parquet")


@dataclass(frozen=True)
class Exported:
    """A finished cohort."""

    cohort: Cohort
    folder: Path
    format: str
    summary: Summary


def check(cohort: Cohort | None, folder: Path, *, format: str, overwrite: bool = False) -> None:
    """Raise InputError with everything for which this cohort (None: one that is wrong itself) could not be exported there."""
    faults = Faults()
    faults.gather(lambda: files.check_format(format, cohort, faults))
    faults.gather(lambda: check_kept(folder, result=COHORT, overwrite=overwrite))
    if cohort is not None:
        faults.gather(lambda: check_memory(cohort.part(0, cohort.world())))
        files.check_room(folder, cohort, format, faults)
    faults.raise_if_any()


def export(
    cohort: Cohort,
    folder: str | Path,
    *,
    format: str = "csv",
    overwrite: bool = False,
    workers: int | None = 0,
    cluster: str | None = None,
    progress: Progress | None = None,
    run: Callable[..., Outcome] = run_many,
) -> Exported:
    """Simulate the cohort and write its folder, whole or not at all. Memory is that of one part for each worker.

    `workers`: parts at a time, each a process with one thread; 0: one after the other, in this process, with all cores. The files
    are the same. Parts are kept in `<folder>/runs` until all are done, so the same call goes on where it was stopped.
    Raises InputError (nobody to recruit, no room, a folder that holds something else), MissingRuns.
    """
    folder = Path(folder).absolute()
    check(cohort, folder, format=format, overwrite=overwrite)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    kept = make_kept(folder)
    results = _lived(cohort, kept, workers=workers, cluster=cluster, progress=progress, run=run)
    wrong = [fault for result in results for fault in faults_of(result)]
    if wrong:
        _undo(kept, new)
        raise InputError(list(dict.fromkeys(wrong)))
    summary = summed(cohort, results)
    if progress:
        progress("files", 0.0)
    with results_into(folder) as scratch:
        _write(cohort, [kept / folder_name(k) for k in range(cohort.parts)], scratch, format, results)
        (scratch / SUMMARY).write_text(json.dumps(summary.told(), indent=2) + "\n", encoding="utf-8")
        if summary.effects:
            write_effects(summary, scratch / files.TRUTH / EFFECTS)
        (scratch / files.README).write_text(page(cohort, summary, format), encoding="utf-8")
        (scratch / COHORT).write_text(cohort.to_toml(), encoding="utf-8")
        _provenance(cohort, scratch, format, results)
        _clear(folder)
    shutil.rmtree(kept, ignore_errors=True)
    if progress:
        progress("files", 1.0)
    return Exported(cohort, folder, format, summary)


def _lived(
    cohort: Cohort, kept: Path, *, workers: int | None, cluster: str | None, progress: Progress | None, run: Callable[..., Outcome]
) -> list[dict[str, Any]]:  # fmt: skip
    """The reports of all parts, in order; those whose files are there and whole are not done again."""
    text = cohort.to_toml()
    reads = {"reads": sha256_of(Path(cohort.persons_file))} if cohort.persons_file is not None else {}
    jobs = [
        Job(f"part-{k}", _CALL, {"cohort": text, "part": k, "folder": str(kept), **reads}) for k in range(cohort.parts)
    ]
    for job in jobs:
        _drop_unless_whole(kept, job.key)
    done = 0.0

    def ended(phase: str, fraction: float) -> None:
        nonlocal done
        done = fraction
        if progress:
            progress("people and their years", fraction)

    def within(fraction: float) -> None:
        if progress:
            progress("people and their years", min(1.0, done + fraction / len(jobs)))

    token = TELL.set(within)
    try:
        found = all_of(jobs, run, folder=kept, workers=workers, cluster=cluster, progress=ended)
    finally:
        TELL.reset(token)
    return [found[job.key] for job in jobs]


def _drop_unless_whole(kept: Path, key: str) -> None:
    """Forget the report of a part whose rows are not there as they were written."""
    report = kept / f"{key}.json"
    try:
        told: Mapping[str, Any] = json.loads(report.read_text(encoding="utf-8"))["result"]["files"]
        whole = all(sha256_of(kept / key / f"{name}.parquet") == one["sha256"] for name, one in told.items())
    except (OSError, ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        report.unlink(missing_ok=True)


def _undo(kept: Path, new: Sequence[Path]) -> None:
    """Leave nothing of a cohort that cannot be. `new`: folders that were made for it, innermost first."""
    shutil.rmtree(kept, ignore_errors=True)
    for path in new:
        if any(path.iterdir()):
            return
        path.rmdir()


def _write(
    cohort: Cohort, parts: Sequence[Path], scratch: Path, format: str, results: Sequence[Mapping[str, Any]]
) -> None:
    files.formats()[format].write(cohort, parts, scratch)
    known = list(tables(cohort, cohort.world().catalogue()).values())
    rows = {table.name: sum(one["files"][table.name]["rows"] for one in results) for table in known}
    for name, suffix in ((files.DATA, format), (files.TRUTH, files.truth_suffix(format))):
        if (scratch / name).is_dir() and suffix in _SUFFIXED:
            write_package(cohort, known, rows, scratch / name, suffix, truth=name == files.TRUTH)


def _provenance(cohort: Cohort, scratch: Path, format: str, results: Sequence[Mapping[str, Any]]) -> None:
    world = cohort.world()
    written = {
        path.relative_to(scratch).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(scratch.rglob("*")) if path.is_file()
    }  # fmt: skip
    write_provenance(
        scratch,
        {
            "cohort": cohort.name, "design": cohort.design, "format": format, "people": world.people, "parts": cohort.parts,
            "seed": world.seed, "replicate": world.replicate, "missing_seed": cohort.missing_seed, "files": written,
        },
    )  # fmt: skip


def _clear(folder: Path) -> None:
    """Remove what an earlier export left, its provenance first, so that what is there is never taken for whole."""
    (folder / PROVENANCE).unlink(missing_ok=True)
    for path in folder.iterdir():
        if path.name != RUNS and not path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

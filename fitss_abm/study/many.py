"""Many independent jobs: on this machine's cores or on a Dask cluster, kept as they end, whatever happens to a worker."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from fitss_abm.study.many_workers import Cluster, Hands, Here, Processes, death, plain, usable_cores

_KEY = re.compile(r"\w[\w.+=,-]{0,149}", re.ASCII)
_CALL = re.compile(r"\w+(\.\w+)*:\w+")


@dataclass(frozen=True)
class Job:
    """One call of a function."""

    key: str
    """Unique, and fit for a file's name; says what the job is."""
    call: str
    """`package.module:function`, as a worker can import it."""
    arguments: Mapping[str, Any]
    """Keyword arguments: texts, numbers, and lists and tables of them, never live objects."""


@dataclass(frozen=True)
class Outcome:
    """What came of the jobs, in their order."""

    results: dict[str, Any]
    """By key, what the function returned, as JSON holds it: arrays are lists, tuples too, keys of tables are texts."""
    failed: dict[str, str]
    """By key, why there is no result, after all attempts."""


@dataclass
class _Task:
    """A job on its way. `text` is all that a worker is sent, `digest` what its result depends on."""

    key: str
    text: str
    digest: str = ""
    tried: int = 0
    alone: bool = False


def run_many(
    jobs: Iterable[Job],
    *,
    folder: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    attempts: int = 2,
    progress: Callable[[str, float], None] | None = None,
    phase: str = "runs",
) -> Outcome:
    """Do the jobs, in whatever order; results do not depend on where, with how many workers, or in which order.

    `workers`: processes of this machine, one a usable core if not given. A single job, or `workers=0`, is done in this
    process. Processes are spawned, so a script must call this under `if __name__ == "__main__":`.

    `cluster`: address of a running Dask scheduler (`tcp://host:port`), used instead; its workers need this package and
    should have one thread each. For SLURM: make dask_jobqueue's `SLURMCluster(cores=1, processes=1, ...)`, `scale` it, and
    give its `scheduler_address`.

    `folder`: each result is written there as it comes, as `<key>.json`, and not computed again while call, arguments and
    this package's sources stay the same (sources of other packages are not looked at). Interrupting loses what is in
    flight, no more. A failure leaves `<key>.failed.json` until the job succeeds.

    A job that raises, or whose worker dies, is tried `attempts` times in all; one that raises InputError once. The others
    go on. `progress` is told `phase` and the fraction ended, those found in the folder included.
    """
    tell = progress or (lambda phase, fraction: None)
    tasks = _tasks(list(jobs))
    if attempts < 1 or (workers is not None and workers < 0):
        raise ValueError(f"attempts = {attempts} must be 1 or more, workers = {workers} 0 or more")
    results: dict[str, Any] = {}
    failed: dict[str, str] = {}
    if folder is not None:
        _mark(tasks)
        folder.mkdir(parents=True, exist_ok=True)
        results = {task.key: kept["result"] for task in tasks if (kept := _kept(folder, task))}
    missing = [task for task in tasks if task.key not in results]
    if missing:
        tell(phase, len(results) / len(tasks))
        alone = len(tasks) == 1 or workers == 0
        count = min(usable_cores() if workers is None else workers, len(missing))
        with Cluster(cluster) if cluster is not None else Here() if alone else Processes(count) as hands:
            for task, report in _done(missing, hands, attempts):
                if "result" in report:
                    results[task.key] = report["result"]
                else:
                    failed[task.key] = report["reason"]
                if folder is not None:
                    _keep(folder, task, report)
                tell(phase, (len(results) + len(failed)) / len(tasks))
    elif tasks:
        tell(phase, 1.0)
    return Outcome(*({task.key: told[task.key] for task in tasks if task.key in told} for told in (results, failed)))


def _tasks(jobs: Sequence[Job]) -> list[_Task]:
    """The jobs as texts; ValueError or TypeError where one cannot be done by anybody."""
    seen: set[str] = set()
    for job in jobs:
        if not _KEY.fullmatch(job.key) or job.key.endswith(".failed"):
            raise ValueError(f"a job's key must be fit for a file's name, and may not end in .failed: {job.key!r}")
        if job.key.lower() in seen:  # some file systems do not tell a from A
            raise ValueError(f"two jobs have the key {job.key!r}")
        if not _CALL.fullmatch(job.call):
            raise ValueError(f"a job's call must be package.module:function: {job.call!r}")
        seen.add(job.key.lower())
    return [_Task(job.key, json.dumps([job.call, dict(job.arguments)], default=plain, sort_keys=True)) for job in jobs]


def _done(tasks: Sequence[_Task], hands: Hands, attempts: int) -> Iterator[tuple[_Task, dict[str, Any]]]:
    """Each task with its last report, as they end."""
    waiting, alone, running = deque(tasks), deque[_Task](), dict[Future[str], _Task]()
    endings = SimpleQueue[Future[str]]()
    while waiting or alone or running:
        while (waiting and len(running) < hands.room) or (alone and not running):
            task = (waiting or alone).popleft()
            future = hands.start(task.text)
            running[future] = task
            future.add_done_callback(endings.put)
        try:
            future = endings.get(timeout=1)  # returns now and then, for Windows tells of Ctrl-C only between waits
        except Empty:
            continue
        task = running.pop(future)
        hands.ended(future)
        task.tried += 1
        died = future.cancelled() or future.exception() is not None
        report = {"reason": death(future), "final": False} if died else json.loads(future.result())
        suspect = died and not future.cancelled() and not hands.blames_the_right_one
        if "result" in report or report["final"] or (task.tried >= attempts and (task.alone or not suspect)):
            yield task, report
        elif suspect:
            task.alone = True  # it may have suffered for a neighbour: once more, with nobody beside it
            alone.append(task)
        else:
            waiting.append(task)


def _mark(tasks: Iterable[_Task]) -> None:
    from fitss_abm.model.caching import sources_hash

    for task in tasks:
        task.digest = hashlib.sha256(f"{sources_hash()} {task.text}".encode()).hexdigest()


def _kept(folder: Path, task: _Task) -> dict[str, Any] | None:
    """What is in the folder for this task, unless it was made from something else or is not whole."""
    try:
        kept = json.loads((folder / f"{task.key}.json").read_text(encoding="utf-8"))
        return kept if kept["hash"] == task.digest and "result" in kept else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _keep(folder: Path, task: _Task, report: Mapping[str, Any]) -> None:
    """Write the result or the failure, whole or not at all, in place of what an earlier call left for this key."""
    path, other = folder / f"{task.key}.json", folder / f"{task.key}.failed.json"
    if "result" in report:
        call, arguments = json.loads(task.text)
        content = {"hash": task.digest, "call": call, "arguments": arguments, "result": report["result"]}
    else:
        content = {"reason": report["reason"], "attempts": task.tried}
        path, other = other, path
    temporary = folder / f".{task.key}.{uuid.uuid4().hex}.tmp"
    try:
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    other.unlink(missing_ok=True)

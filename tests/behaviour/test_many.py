"""Many jobs: the same results however they are done, and none lost for what befalls another."""

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest

from fitss_abm.errors import InputError
from fitss_abm.study import many_workers
from fitss_abm.study.many import Job, run_many

# Workers are new processes: what they call must be a module that they can import.
WORK = '''
import math, os, signal, sys, time
import numpy as np
from pathlib import Path
from fitss_abm.errors import Fault, InputError


def numbers(seed, seconds=0.0):
    time.sleep(seconds)
    draws = np.random.default_rng(seed).normal(size=3)
    return {"draws": draws, "single": np.float32(0.1), "whole": np.int64(7), "yes": np.bool_(True), "pair": (1, "two"),
            "none": math.nan, "most": math.inf}


def process():
    return os.getpid()


def note(log, name, seconds=0.0):
    """Leave a trace of having been called; which call it was, counted from 1."""
    with open(log, "a") as file:
        file.write(f"{name} {os.getpid()}\\n")
    time.sleep(seconds)
    return sum(line.split()[0] == name for line in Path(log).read_text().splitlines())


def fail(log, name, times):
    if (call := note(log, name)) <= times:
        raise RuntimeError(f"no luck the {call}. time")
    return call


def die(log, name, times, way):
    if (call := note(log, name, 0.2)) <= times:
        os._exit(3) if way == "exit" else os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return call


def refuse(log):
    note(log, "refused")
    raise InputError([Fault("people", -1, "must be 1 or more")])


class Stuck(Exception):
    def __init__(self, one, two):
        super().__init__("cannot be pickled", lambda: None)


def odd(way):
    if way == "raise":
        raise Stuck(1, 2)
    if way == "leave":
        sys.exit("enough")
    return object()
'''

SCRIPT = """
import sys
from pathlib import Path
from fitss_abm.study.many import Job, run_many

if __name__ == "__main__":
    log, folder = sys.argv[1:]
    seconds = [0, 0, 0, 300, 300]
    jobs = [Job(f"job{i}", "many_work:note", {"log": log, "name": f"job{i}", "seconds": s}) for i, s in enumerate(seconds)]
    run_many(jobs, folder=Path(folder), workers=3)
"""


@pytest.fixture(scope="module", autouse=True)
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "many_work.py").write_text(WORK)
    (folder / "script.py").write_text(SCRIPT)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield folder


def cluster_of(workers, folder):
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        local_directory=folder,
        silence_logs="CRITICAL",
    )


@pytest.fixture(scope="module")
def cluster(work):
    with cluster_of(2, work) as made:
        yield made.scheduler_address


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


def calls(log):
    """How often each job was begun."""
    return Counter(line.split()[0] for line in Path(log).read_text().splitlines()) if Path(log).exists() else Counter()


def number_jobs():
    """The first takes longest, so with two workers the others end before it."""
    return [Job(f"seed{seed}", "many_work:numbers", {"seed": seed, "seconds": 0.4 * (seed == 0)}) for seed in range(5)]


def notes(log, count=3, seconds=0.0):
    return [
        Job(f"note{i}", "many_work:note", {"log": log, "name": f"note{i}", "seconds": seconds}) for i in range(count)
    ]


def deaths(log, times, way):
    """Nine jobs of which one kills its worker."""
    jobs = [Job(f"j{i}", "many_work:note", {"log": log, "name": f"j{i}", "seconds": 0.05}) for i in range(8)]
    jobs.insert(2, Job("deadly", "many_work:die", {"log": log, "name": "deadly", "times": times, "way": way}))
    return jobs


def test_results_are_the_same_for_any_workers_and_any_order():
    jobs = number_jobs()
    here = run_many(jobs, workers=0)
    assert list(here.results) == [job.key for job in jobs]
    assert not here.failed
    for jobs_done, workers in ((jobs, 1), (jobs, 2), (jobs[::-1], 2)):
        there = run_many(jobs_done, workers=workers)
        assert list(there.results) == [job.key for job in jobs_done]
        assert {key: repr(there.results[key]) for key in here.results} == {
            key: repr(value) for key, value in here.results.items()
        }


def test_numbers_of_every_kind_come_back_exactly(tmp_path):
    jobs = number_jobs()[1:3]
    for outcome in (run_many(jobs, folder=tmp_path, workers=1), run_many(jobs, folder=tmp_path, workers=1)):
        found = outcome.results["seed1"]
        assert found["draws"] == np.random.default_rng(1).normal(size=3).tolist()
        assert found["single"] == float(np.float32(0.1))
        assert found["whole"] == 7
        assert found["yes"] is True
        assert found["pair"] == [1, "two"]
        assert math.isnan(found["none"])
        assert found["most"] == math.inf


def test_only_a_single_job_or_no_workers_stay_in_this_process():
    pair = [Job("a", "many_work:process", {}), Job("b", "many_work:process", {})]
    assert set(run_many(pair, workers=0).results.values()) == {os.getpid()}
    assert run_many(pair[:1], workers=2).results == {"a": os.getpid()}
    assert os.getpid() not in run_many(pair, workers=1).results.values()


def test_what_is_in_the_folder_is_not_done_again(tmp_path, log, monkeypatch):
    folder, told = tmp_path / "new" / "runs", []
    jobs = notes(log)
    first = run_many(jobs[:2], folder=folder, workers=0)
    again = run_many(
        jobs, folder=folder, workers=0, progress=lambda phase, done: told.append((phase, done)), phase="rows"
    )
    assert first.results == {"note0": 1, "note1": 1}
    assert again.results == {"note0": 1, "note1": 1, "note2": 1}
    assert calls(log) == {"note0": 1, "note1": 1, "note2": 1}
    assert told == [("rows", pytest.approx(2 / 3)), ("rows", 1.0)]

    jobs[1] = Job("note1", "many_work:note", {**jobs[1].arguments, "seconds": 0.001})
    (folder / "note2.json").write_text((folder / "note2.json").read_text()[:-9])  # cut off
    assert run_many(jobs, folder=folder, workers=0).results == {"note0": 1, "note1": 2, "note2": 2}

    monkeypatch.setattr("fitss_abm.model.caching.sources_hash", lambda: "another version")
    assert run_many(jobs, folder=folder, workers=0).results == {"note0": 2, "note1": 3, "note2": 3}
    assert sorted(path.name for path in folder.iterdir()) == ["note0.json", "note1.json", "note2.json"]


def test_a_full_disk_leaves_no_half_file(tmp_path, log, monkeypatch):
    def half(path, text, **_):
        path.write_bytes(text[:5].encode())
        raise OSError("no space left on device")

    run_many(notes(log, 1), folder=tmp_path / "runs")
    before = (tmp_path / "runs" / "note0.json").read_bytes()
    changed = [Job(job.key, job.call, {**job.arguments, "seconds": 0.001}) for job in notes(log)]
    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="no space"):
        run_many(changed, folder=tmp_path / "runs", workers=0)
    monkeypatch.undo()
    assert [path.read_bytes() for path in (tmp_path / "runs").iterdir()] == [before]


def test_a_job_that_raises_is_tried_again_and_then_listed(tmp_path, log):
    jobs = [
        Job("always", "many_work:fail", {"log": log, "name": "always", "times": 99}),
        Job("once", "many_work:fail", {"log": log, "name": "once", "times": 1}),
        *notes(log),
    ]
    told = []
    outcome = run_many(jobs, folder=tmp_path, workers=2, progress=lambda phase, done: told.append(done))
    assert outcome.failed == {"always": "RuntimeError: no luck the 2. time"}
    assert outcome.results == {"once": 2, "note0": 1, "note1": 1, "note2": 1}
    assert calls(log) == {"always": 2, "once": 2, "note0": 1, "note1": 1, "note2": 1}
    assert told == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    failure = tmp_path / "always.failed.json"
    assert json.loads(failure.read_text()) == {"reason": "RuntimeError: no luck the 2. time", "attempts": 2}
    assert not (tmp_path / "once.failed.json").exists()

    jobs[0] = Job("always", "many_work:fail", {"log": log, "name": "always", "times": 2})
    assert run_many(jobs, folder=tmp_path, workers=2).results["always"] == 3
    assert not failure.exists()


def test_what_cannot_travel_is_told_all_the_same():
    ways = ("raise", "leave", "return")
    jobs = [Job(way, "many_work:odd", {"way": way}) for way in ways]
    jobs += [Job("nowhere", "many_work:nobody", {}), Job("fine", "many_work:process", {})]
    outcome = run_many(jobs, workers=1, attempts=1)
    assert list(outcome.results) == ["fine"]
    assert outcome.failed["raise"].startswith("Stuck: ")
    assert outcome.failed["leave"] == "SystemExit: enough"
    assert outcome.failed["return"] == "TypeError: neither text nor number: a object"
    assert outcome.failed["nowhere"].startswith("AttributeError: ")


@pytest.mark.parametrize("way", ["exit", "kill"])
def test_a_job_whose_worker_dies_once_is_done_again(log, way):
    outcome = run_many(deaths(log, 1, way), workers=2)
    assert not outcome.failed
    assert outcome.results == {job.key: 2 if job.key == "deadly" else 1 for job in deaths(log, 1, way)}


def test_a_job_that_always_kills_its_worker_costs_no_other(log, tmp_path):
    outcome = run_many(deaths(log, 99, "kill"), folder=tmp_path / "runs", workers=2, attempts=3)
    assert list(outcome.failed) == ["deadly"]
    assert "died" in outcome.failed["deadly"]
    assert calls(log) == {**dict.fromkeys(outcome.results, 1), "deadly": 3}
    assert len(outcome.results) == 8
    assert (tmp_path / "runs" / "deadly.failed.json").exists()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_input_error_is_told_with_its_text_and_not_tried_again(log, workers):
    outcome = run_many([Job("refused", "many_work:refuse", {"log": log}), *notes(log)], workers=workers, attempts=3)
    assert "people = -1: must be 1 or more" in outcome.failed["refused"]
    assert calls(log)["refused"] == 1
    assert len(outcome.results) == 3


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_ending_early_leaves_no_workers_and_keeps_what_is_done(tmp_path, work, log, how):
    folder = tmp_path / "runs"
    command = [sys.executable, work / "script.py", log, folder]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    limit = time.monotonic() + 60
    while (calls(log).total() < 5 or len(list(folder.glob("*.json"))) < 3) and time.monotonic() < limit:
        time.sleep(0.05)
    begun = dict(line.split() for line in Path(log).read_text().splitlines())
    workers = {int(begun["job3"]), int(begun["job4"])}  # and a third has nothing to do
    assert len(workers) == 2
    assert all(is_alive(worker) for worker in workers)
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # as a terminal does
    else:
        parent.send_signal(how)
    told = parent.communicate(timeout=120)[1]
    if how == signal.SIGINT:
        assert "KeyboardInterrupt" in told
        assert told.count("Traceback") == 1
        assert not any(is_alive(worker) for worker in workers)
    while any(is_alive(worker) for worker in workers) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not any(is_alive(worker) for worker in workers)
    assert sorted(path.name for path in folder.iterdir()) == ["job0.json", "job1.json", "job2.json"]


def test_a_cluster_gives_the_same_results(cluster):
    jobs = number_jobs()
    here, there = run_many(jobs, workers=0), run_many(jobs, cluster=cluster)
    assert repr(there) == repr(here)
    single = run_many([Job("a", "many_work:process", {})], cluster=cluster)
    assert single.results["a"] != os.getpid()


def test_a_cluster_may_lose_a_worker(cluster, log, tmp_path):
    jobs = [
        Job("refused", "many_work:refuse", {"log": log}),
        Job("always", "many_work:fail", {"log": log, "name": "always", "times": 99}),
        Job("once", "many_work:fail", {"log": log, "name": "once", "times": 1}),
        *deaths(log, 1, "kill"),
    ]
    outcome = run_many(jobs, folder=tmp_path, cluster=cluster)
    assert sorted(path.name for path in tmp_path.glob("*.failed.json")) == ["always.failed.json", "refused.failed.json"]
    assert list(outcome.failed) == ["refused", "always"]
    assert list(outcome.results) == [job.key for job in jobs[2:]]
    assert outcome.results["deadly"] == outcome.results["once"] == 2
    assert calls(log)["refused"] == 1
    assert calls(log)["always"] == 2


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_job_that_always_kills_its_worker_costs_no_other_on_a_cluster(work, log, attempts):
    deadly = Job("deadly", "many_work:die", {"log": log, "name": "deadly", "times": 99, "way": "exit"})
    with cluster_of(1, work) as cluster:  # all that there is: what waits in it goes down with it
        outcome = run_many([deadly, *notes(log, seconds=0.2)], cluster=cluster.scheduler_address, attempts=attempts)
    assert list(outcome.failed) == ["deadly"]
    assert "died" in outcome.failed["deadly"]
    assert list(outcome.results) == ["note0", "note1", "note2"]


@pytest.fixture
def silent():
    """A server that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "address", ["nonsense", "", "127.0.0.1:8786", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", None]
)
def test_a_cluster_that_is_not_there_is_an_input_error(address, silent, log, tmp_path, monkeypatch):
    monkeypatch.setattr(many_workers, "_ANSWER_SECONDS", 1)
    address = silent if address is None else address
    began = time.monotonic()
    with pytest.raises(InputError, match="Dask scheduler") as caught:
        run_many(notes(log), folder=tmp_path, cluster=address)
    assert time.monotonic() - began < 10
    assert [(fault.field, fault.value) for fault in caught.value.faults] == [("cluster", address)]
    assert not calls(log)


def test_a_port_where_nobody_listens_is_an_input_error(silent, log, monkeypatch):
    monkeypatch.setattr(many_workers, "_ANSWER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        run_many(notes(log), cluster=address)
    assert not calls(log)


def test_without_dask_the_extra_is_named(log, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"fitss_abm\[distributed\]"):
        run_many(notes(log), cluster="tcp://127.0.0.1:8786")
    assert not calls(log)


@pytest.mark.parametrize("key", ["", "a/b", "..", "a b", "-a", "é", "a.failed", "x" * 151])
def test_a_key_must_be_fit_for_a_file(key):
    with pytest.raises(ValueError, match="key"):
        run_many([Job(key, "many_work:process", {})])


def test_jobs_that_nobody_can_do_are_refused():
    job = Job("a", "many_work:process", {})
    with pytest.raises(ValueError, match="two jobs"):
        run_many([job, Job("A", "many_work:process", {})])
    with pytest.raises(ValueError, match="call"):
        run_many([Job("a", "many_work.process", {})])
    with pytest.raises(TypeError, match="neither text nor number"):
        run_many([Job("a", "many_work:process", {"live": object()})])
    with pytest.raises(ValueError, match="attempts"):
        run_many([job], attempts=0)
    with pytest.raises(ValueError, match="workers"):
        run_many([job], workers=-1)
    assert run_many([]).results == {}

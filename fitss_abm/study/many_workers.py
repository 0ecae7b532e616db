"""Who does the jobs of `many`: this process, processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any, Protocol

from fitss_abm.errors import Fault, InputError

DIED = "its worker process died: killed, out of memory, or crashed"
"""The reason of a job whose worker never came back."""
_ANSWER_SECONDS = 10
_ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


class Hands(Protocol):
    """Whoever does the jobs."""

    room: int  # how many jobs at once
    blames_the_right_one: bool  # whether a job that ends with a dead worker is for certain the one that was in it

    def start(self, text: str) -> Future[str]: ...
    def ended(self, future: Future[str]) -> None: ...


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(text: str) -> str:
    """Do a job, here. Tells what came of it as JSON, for not every exception and object survives the way back."""
    try:
        call, arguments = json.loads(text)
        module, name = call.split(":")
        report = {"result": getattr(import_module(module), name)(**arguments)}
        return json.dumps(report, default=plain)
    except InputError as error:
        return json.dumps({"reason": str(error), "final": True})
    except (Exception, SystemExit) as error:
        return json.dumps({"reason": f"{type(error).__name__}: {error}", "final": False})


def plain(value: Any) -> Any:
    """NumPy's arrays and scalars as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"neither text nor number: a {type(value).__name__}")


def death(future: Future[str]) -> str:
    """Why a future came back without a report."""
    error = None if future.cancelled() else future.exception()
    if isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker":
        return DIED
    return f"{type(error).__name__}: {error}" if error else "the Dask scheduler went away"


class Here(AbstractContextManager["Here"]):
    """This process."""

    room, blames_the_right_one = 1, True

    def start(self, text: str) -> Future[str]:
        future: Future[str] = Future()
        future.set_result(run(text))
        return future

    def ended(self, future: Future[str]) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


class Processes(AbstractContextManager["Processes"]):
    """Worker processes. Each is a pool by itself, so one that dies takes no other job with it."""

    blames_the_right_one = True

    def __init__(self, workers: int) -> None:
        self.room = workers
        self._context = multiprocessing.get_context("spawn")
        self._collar, self._leash = self._context.Pipe(duplex=False)
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: dict[Future[str], ProcessPoolExecutor] = {}

    def start(self, text: str) -> Future[str]:
        if not self._idle:
            self._idle.append(ProcessPoolExecutor(1, self._context, _follow, (self._collar,)))
        pool = self._idle.pop()
        try:
            future = pool.submit(run, text)
        except BrokenProcessPool:  # it died in its last job, or idle
            pool.shutdown()
            return self.start(text)
        self._busy[future] = pool
        return future

    def ended(self, future: Future[str]) -> None:
        self._idle.append(self._busy.pop(future))

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._leash.close()  # interrupted: nobody waits for what still runs
        for pool in (*self._idle, *self._busy.values()):
            pool.shutdown()
        self._leash.close()
        self._collar.close()


def _follow(collar: Connection) -> None:
    """Make this worker end when the process that began it lets go or ends, however it ends, and not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(EOFError, OSError):
            collar.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class Cluster(AbstractContextManager["Cluster"]):
    """The workers of a Dask cluster. All jobs are handed over at once: the scheduler queues them, and may add workers."""

    room, blames_the_right_one = sys.maxsize, False

    def __init__(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None or not 1 <= int(match["port"]) <= 65535:
            raise _fault(address, "must be the address of a running Dask scheduler, such as tcp://127.0.0.1:8786")
        try:
            import distributed
        except ImportError:
            raise _fault(address, "needs Dask: pip install 'fitss_abm[distributed]', or leave cluster out") from None
        try:
            _ask(address)
            self._client = distributed.Client(address, timeout=_ANSWER_SECONDS, set_as_default=False)
        except Exception as error:
            why = f"no Dask scheduler answers there ({type(error).__name__}): start one (`dask scheduler`) or mend the address"
            raise _fault(address, why) from error
        self._executor = self._client.get_executor(pure=False, retries=0)

    def start(self, text: str) -> Future[str]:
        while self._client.status == "connecting":  # what is sent now would never come back if that fails
            time.sleep(0.1)
        if self._client.status == "running":
            future: Future[str] = self._executor.submit(run, text)
        else:
            future = Future()
            future.set_exception(ConnectionError("the Dask scheduler went away"))
        return future

    def ended(self, future: Future[str]) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._client.close()  # which makes the scheduler forget what has not begun


def _fault(address: str, problem: str) -> InputError:
    return InputError([Fault("cluster", address, problem)])


def _ask(address: str) -> None:
    """Raise unless a scheduler answers in time. A Dask client by itself waits for ever where something else listens."""
    import asyncio

    from distributed import Security, rpc

    async def ask() -> None:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as there:
            if (await there.identity())["type"] != "Scheduler":
                raise TypeError("not a scheduler")

    async def ask_in_time() -> None:
        await asyncio.wait_for(ask(), _ANSWER_SECONDS)

    with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own in this one
        thread.submit(asyncio.run, ask_in_time()).result()

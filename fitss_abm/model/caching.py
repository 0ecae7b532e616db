"""Where compiled code is kept, and when it is stale.

Numba's cache looks at the file of the function alone and does not notice a changed callee in another file. So compiled code
lives in a folder named by a hash of the function's own file and of every file whose functions others call, of Numba's version
and of Python's. Where no folder can be written, a temporary one serves for the life of the process.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import platformdirs

# Threads that wait at the end of a day should sleep, not spin: spinning starves other runs on the same machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_PACKAGE = Path(__file__).resolve().parent.parent
# What compiled functions call or read when they are compiled, besides their own file.
_KERNELS = (
    "model/arithmetic.py",
    "model/randomness.py",
    "model/columns.py",
    "model/conditions.py",
    "model/pain.py",
    "model/rules",
)


def _hash(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(paths):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@cache
def sources_hash() -> str:
    """A hash of the whole package's code and data: what a result or a saved state was made with."""
    return _hash(path for path in _PACKAGE.rglob("*") if path.suffix in (".py", ".toml", ".csv"))


@cache
def _compiled_hash(own: Path) -> str:
    kernels = [
        path
        for name in _KERNELS
        for path in ([_PACKAGE / name] if name.endswith(".py") else (_PACKAGE / name).glob("*.py"))
    ]
    return _hash({own.resolve(), *kernels})


@cache
def _base_folder() -> Path:
    asked = os.environ.get("FITSS_CACHE_DIR")
    base = Path(asked) if asked else platformdirs.user_cache_path("fitss_abm")
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            pass
    except OSError:
        base = Path(tempfile.mkdtemp(prefix="fitss_abm_"))
        atexit.register(shutil.rmtree, base, ignore_errors=True)
    return base


def cache_folder(own: Path) -> Path:
    """Where code compiled from the file `own` is kept: in `FITSS_CACHE_DIR`, the user's cache folder, or a temporary one."""
    folder = _base_folder() / _compiled_hash(own)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compiled(*, parallel: bool = False, keep: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """Compile an entry point with Numba; with `keep`, kept on disk under the hash of all that goes into it."""

    def make(function: Callable[..., Any]) -> Any:
        before = numba.config.CACHE_DIR
        if keep:
            numba.config.CACHE_DIR = str(cache_folder(Path(function.__code__.co_filename)))
        try:
            return numba.njit(parallel=parallel, cache=keep, error_model="numpy", nogil=True)(function)
        finally:
            numba.config.CACHE_DIR = before

    return make

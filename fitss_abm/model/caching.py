"""Where compiled code is kept, and when it is stale.

Numba's cache looks at the file of the function alone and does not notice a changed callee in another file. So compiled code
lives in a folder named by a hash of every source in this package that is compiled, of Numba's version and of Python's. Where
no folder can be written, a temporary one serves for the life of the process.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import platformdirs

_PACKAGE = Path(__file__).resolve().parent.parent
_COMPILED = ("model", "measurement")


@cache
def sources_hash() -> str:
    """A hash of everything that compiled code is made from."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for part in _COMPILED:
        for path in sorted((_PACKAGE / part).rglob("*.py")):
            digest.update(path.relative_to(_PACKAGE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@cache
def cache_folder() -> Path:
    """A writable folder for compiled code of these sources: `FITSS_CACHE_DIR`, the user's cache folder, or a temporary one."""
    asked = os.environ.get("FITSS_CACHE_DIR")
    base = Path(asked) if asked else platformdirs.user_cache_path("fitss_abm")
    folder = base / sources_hash()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="fitss_abm_"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def compiled(*, parallel: bool = False, keep: bool = True) -> Callable[[Callable[..., Any]], Any]:
    """Compile an entry point with Numba; with `keep`, cached in `cache_folder`."""

    def make(function: Callable[..., Any]) -> Any:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(cache_folder()) if keep else before
        try:
            return numba.njit(parallel=parallel, cache=keep, error_model="numpy")(function)
        finally:
            numba.config.CACHE_DIR = before

    return make

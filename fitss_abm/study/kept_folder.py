"""The folder of long work that can be stopped: runs are kept in it as they end, results come into it when all are done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import PROVENANCE, check_folder

RUNS = "runs"
"""The folder within it with one file a run."""
_SCRATCH = ".new-"


def check_kept(folder: str | Path, *, result: str, overwrite: bool = False, field: str = "out") -> None:
    """Raise InputError where such work can neither begin nor go on: something else is there, or it is done already.

    `result`: a file that done work of this kind has. With `overwrite` its results may be replaced.
    """
    folder = Path(folder).absolute()
    if folder.is_dir() and not folder.is_symlink():
        begun = all(path.name == RUNS or path.name.startswith(_SCRATCH) for path in folder.iterdir())
        done = (folder / result).is_file() and (folder / PROVENANCE).is_file()
        if begun or (done and overwrite):
            return
        if overwrite:
            faults = Faults()
            faults.add(field, str(folder), "holds something else, so it is not overwritten")
            faults.raise_if_any()
    check_folder(folder, field=field)


def make_kept(folder: str | Path) -> Path:
    """The folder for the runs, made if need be."""
    runs = Path(folder).absolute() / RUNS
    runs.mkdir(parents=True, exist_ok=True)
    return runs


@contextmanager
def results_into(folder: str | Path) -> Iterator[Path]:
    """A hidden folder; when the block ends well its files come into `folder`, provenance last, else it is removed."""
    folder = Path(folder).absolute()
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder))
    try:
        yield scratch
        for path in sorted(scratch.iterdir(), key=lambda path: path.name == PROVENANCE):
            os.replace(path, folder / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

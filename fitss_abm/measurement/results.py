"""What a run leaves: tables, the scenario that was run, provenance; and the folder that holds them."""

from __future__ import annotations

import json
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from fitss_abm.errors import Faults

PROGRAMME_TABLES = ("delivery", "programmes")
SCENARIO, PROVENANCE, PEOPLE = "scenario.toml", "provenance.json", "people.parquet"
TABLES = (
    "prevalence", "period_prevalence", "sex_ratio", "incidence", "comorbidity", "counts", "plane", "trajectory",
)  # fmt: skip


@dataclass(eq=False, kw_only=True)
class Results:
    """The tables of one run. Each is tidy: one row an estimate, columns as in `fitss_abm.study.estimands`, with `seen_as`: truth,
    survey or clinic, as the scenario asks.
    """

    prevalence: pd.DataFrame
    """By date (the first day, each first of the month, the last), condition, sex and age group."""
    period_prevalence: pd.DataFrame
    """12-month and lifetime prevalence on the first day, each 1 January and the last day."""
    sex_ratio: pd.DataFrame
    incidence: pd.DataFrame
    comorbidity: pd.DataFrame
    counts: pd.DataFrame
    """People by number of conditions."""
    plane: pd.DataFrame
    """A sample of adults on the last day: threat, soothing, alert, sensitization."""
    trajectory: pd.DataFrame
    """One person, week by week."""
    scenario_text: str
    """The scenario as it was run, as TOML."""
    provenance: Mapping[str, Any]
    delivery: pd.DataFrame | None = None
    """Whom each programme was offered to, who waited, started and left, when; None without programmes."""
    programmes: pd.DataFrame | None = None
    """Counts, person-weeks and cost of each programme."""
    people_file: Path | None = None
    """Where the person-level rows are, if any were asked for."""
    folder: Path | None = None
    """Where the run was saved, if it was."""
    kept: Any = field(default=None, repr=False)
    """Whatever must live as long as these results: the temporary folder of `people_file`."""

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario as it was run: keys and tables of its file."""
        return tomllib.loads(self.scenario_text)

    @property
    def people(self) -> pd.DataFrame | None:
        """One row a person and snapshot, read from `people_file` anew each time; None when no snapshots were asked
        for.
        """
        return None if self.people_file is None else pd.read_parquet(self.people_file)

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything into a fresh folder, whole or not at all; its path. Raises InputError where that cannot be.

        With `overwrite`, the folder of an earlier run is replaced.
        """
        with fresh_folder(folder, overwrite=overwrite) as scratch:
            self.write(scratch.path)
        self.folder = scratch.target
        return scratch.target

    def write(self, folder: Path) -> None:
        """Write the files into an existing folder."""
        for name in TABLES:
            getattr(self, name).to_parquet(folder / f"{name}.parquet", index=False)
        for name in PROGRAMME_TABLES:
            if getattr(self, name) is not None:
                getattr(self, name).to_parquet(folder / f"{name}.parquet", index=False)
        if self.people_file is not None and self.people_file.parent != folder:
            shutil.copyfile(self.people_file, folder / PEOPLE)
        (folder / SCENARIO).write_text(self.scenario_text, encoding="utf-8")
        (folder / PROVENANCE).write_text(json.dumps(self.provenance, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> Results:
        """The results that were saved in `folder`. Raises InputError naming every file that is missing or cannot be
        read.
        """
        folder = Path(folder)
        faults = Faults(file=str(folder))
        found: dict[str, Any] = {}
        for name in TABLES:
            found[name] = _read(folder / f"{name}.parquet", pd.read_parquet, faults)
        for name in PROGRAMME_TABLES:
            if (folder / f"{name}.parquet").exists():
                found[name] = _read(folder / f"{name}.parquet", pd.read_parquet, faults)
        found["scenario_text"] = _read(folder / SCENARIO, lambda path: path.read_text(encoding="utf-8"), faults)
        found["provenance"] = _read(
            folder / PROVENANCE, lambda path: json.loads(path.read_text(encoding="utf-8")), faults
        )
        faults.raise_if_any()
        people = folder / PEOPLE
        return cls(**found, people_file=people if people.exists() else None, folder=folder)


def _read(path: Path, reader: Any, faults: Faults) -> Any:
    try:
        return reader(path)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        faults.add("file", path.name, "is not there" if missing else f"cannot be read ({error})")
        return None


@dataclass
class Scratch:
    """A folder being filled: `path` while it is, `target` when it is done."""

    path: Path
    target: Path


def check_folder(folder: str | Path, *, overwrite: bool = False, field: str = "out") -> None:
    """Raise InputError if a run could not be saved as `folder`: it exists, or nothing can be written beside it.

    With `overwrite` the folder of an earlier run may exist, but nothing else: what this program did not write it
    leaves.
    """
    folder = Path(folder).absolute()
    faults = Faults()
    if folder.is_symlink() or folder.exists():
        if not overwrite:
            faults.add(field, str(folder), "exists already; choose another, or ask for it to be overwritten")
        elif folder.is_symlink() or not folder.is_dir() or not (_is_run(folder) or not any(folder.iterdir())):
            faults.add(field, str(folder), "is not the folder of a run, so it is not overwritten")
    above = next(parent for parent in folder.parents if parent.exists())
    try:
        with tempfile.TemporaryDirectory(dir=above, prefix=".fitss-"):
            pass
    except OSError as error:
        faults.add(field, str(folder), f"cannot be written in '{above}' ({error.strerror})")
    faults.raise_if_any()


def _is_run(folder: Path) -> bool:
    return (folder / PROVENANCE).is_file()


def write_provenance(folder: Path, made: Mapping[str, Any]) -> None:
    """Write what a study's tables were made with: `made`, beside the program, its version and code, and the command."""
    import sys

    from fitss_abm.model.caching import sources_hash

    try:
        installed = version("fitss_abm")
    except PackageNotFoundError:
        installed = "0+uninstalled"
    head = {"program": "fitss_abm", "version": installed, "code": sources_hash(), "command": sys.argv}
    (folder / PROVENANCE).write_text(json.dumps(head | dict(made), indent=2) + "\n", encoding="utf-8")


@contextmanager
def fresh_folder(folder: str | Path, *, overwrite: bool = False, field: str = "out") -> Iterator[Scratch]:
    """A hidden folder beside `folder`, renamed to it when the block ends well and removed when it does not.

    Should `folder` have come into being meanwhile, a number is added to its name rather than losing what was written.
    """
    check_folder(folder, overwrite=overwrite, field=field)
    target = Path(folder).absolute()
    made = _make_parents(target.parent)
    scratch = Scratch(Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent)), target)
    try:
        yield scratch
        scratch.path.chmod(0o755)  # a temporary folder is its owner's alone
        _put_in_place(scratch, overwrite)
    except BaseException:
        shutil.rmtree(scratch.path, ignore_errors=True)
        for parent in reversed(made):
            with_nothing_in_it = not any(parent.iterdir())
            if with_nothing_in_it:
                parent.rmdir()
        raise


def _make_parents(folder: Path) -> list[Path]:
    """Make `folder`; the folders that had to be made, outermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _put_in_place(scratch: Scratch, overwrite: bool) -> None:
    target = scratch.target
    if overwrite and target.is_dir() and (_is_run(target) or not any(target.iterdir())):
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        target.rename(old / "old")
        scratch.path.rename(target)
        shutil.rmtree(old, ignore_errors=True)
        return
    number = 2
    while scratch.target.exists():
        scratch.target = target.with_name(f"{target.name}-{number}")
        number += 1
    scratch.path.rename(scratch.target)


def free_bytes(folder: str | Path) -> int:
    """Free disk where `folder` is or would be made."""
    folder = Path(folder).absolute()
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free

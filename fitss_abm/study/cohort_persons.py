"""People named in a file, who alone are in a cohort's sampling frame."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Fault, Faults, nearest_name
from fitss_abm.study.scenario import Scenario

_MOST_TOLD = 10


def check_persons(path: Any, world: Scenario, faults: Faults) -> None:
    """A file of persons can be read, names each once, and nobody who could never live in this population."""
    if not isinstance(path, str):
        return
    ids = faults.gather(lambda: read_persons(path))
    for one in () if ids is None else ids[ids >= world.people << 16][:_MOST_TOLD]:
        said = f"lives nowhere in a population of {world.people:,}"
        faults.found.append(Fault("person_id", int(one), said, path))


def read_persons(path: str) -> NDArray[np.int64]:
    """The person_id column of a CSV table, sorted. Raises InputError for every line that has none, and for each named twice."""
    faults = Faults(file=path)
    found: dict[int, int] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "person_id" not in (rows.fieldnames or ()):
                faults.add(
                    "person_id", None, "is no column of the table", nearest_name("person_id", rows.fieldnames or ())
                )
                faults.raise_if_any()
            for row in rows:
                text = (row["person_id"] or "").strip()
                if not text.isascii() or not text.isdigit():
                    faults.add(f"line {rows.line_num}", text, "is no person_id")
                elif int(text) in found:
                    faults.add(f"line {rows.line_num}", int(text), f"is named before, in line {found[int(text)]}")
                else:
                    found[int(text)] = rows.line_num
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.add("persons_file", path, f"cannot be read ({error})")
    if not found and not faults.found:
        faults.add("persons_file", path, "names nobody")
    if len(faults.found) > _MOST_TOLD:
        more = len(faults.found) - _MOST_TOLD
        faults.found = faults.found[:_MOST_TOLD]
        faults.add("persons_file", path, f"has {more} more such lines")
    faults.raise_if_any()
    return np.array(sorted(found), np.int64)

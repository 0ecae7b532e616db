"""Scenario files that extend others: tables are merged key by key, programmes by name, dated changes by date."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fitss_abm.errors import Faults
from fitss_abm.study.scenario_checks import PATHS, read_toml

EXTENDS = "extends"
"""The key that names the file from which another starts; the path is relative to the file that says so."""


def read_extended(path: Path) -> dict[str, Any]:
    """The values of a scenario file laid over those of the file that it extends, and so on; paths in them are absolute.

    Raises InputError that names the file that is missing, is not TOML, or comes round to itself. A name is not handed down.
    """
    return _read(path, ())


def from_folder(folder: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the paths in them, relative to `folder`, made absolute."""
    whole = dict(values)

    def found(path: object) -> object:
        return os.path.normpath(folder.absolute() / path) if isinstance(path, str) and path else path

    for name in PATHS:
        if name in whole:
            whole[name] = found(whole[name])
    for name, key in (("network", "edges"), ("records", "file")):
        if isinstance(whole.get(name), Mapping) and key in whole[name]:
            whole[name] = {**whole[name], key: found(whole[name][key])}
    return whole


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Values with others laid over them: tables key by key, `programmes` by name, `changes` by date; the rest is replaced."""
    whole = dict(under)
    for name, value in over.items():
        before = whole.get(name)
        if name == "programmes" and _tables(before) and _tables(value):
            whole[name] = _by(before, value, lambda table: table.get("name", table.get("kind")))
        elif name == "changes" and _tables(before) and _tables(value):
            changes = _by(before, value, lambda table: table.get("date"))
            whole[name] = sorted(changes, key=lambda table: str(table.get("date")))
        elif isinstance(before, Mapping) and isinstance(value, Mapping):
            whole[name] = merged(before, value)
        else:
            whole[name] = value
    return whole


def _read(path: Path, chain: tuple[Path, ...]) -> dict[str, Any]:
    whole = path.absolute().resolve()
    faults = Faults(file=str(chain[-1]) if chain else str(path))
    if whole in chain:
        round_trip = " -> ".join(each.name for each in (*chain[chain.index(whole) :], whole))
        faults.add(EXTENDS, str(path), f"comes round to itself ({round_trip})")
    elif chain and not path.is_file():
        faults.add(EXTENDS, str(path), "no such file")
    faults.raise_if_any()
    values = read_toml(path, "scenario")
    base = values.pop(EXTENDS, None)
    values = from_folder(path.parent, values)
    if base is None:
        return values
    if not isinstance(base, str) or not base:
        faults.file = str(path)
        faults.add(EXTENDS, base, "must be the path of another scenario file")
        faults.raise_if_any()
    under = _read(Path(os.path.normpath(path.parent / str(base))), (*chain, whole))
    under.pop("name", None)
    return merged(under, values)


def _tables(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, Mapping) for each in value)


def _by(before: Any, after: Sequence[Mapping[str, Any]], key: Any) -> list[dict[str, Any]]:
    """Tables in order; one whose key was there before is laid over it, the others are appended."""
    known = [dict(table) for table in before]
    keys = [key(table) for table in known]
    for table in after:
        if key(table) is not None and key(table) in keys:
            place = keys.index(key(table))
            known[place] = merged(known[place], table)
        else:
            known.append(dict(table))
    return known

"""The data dictionary as a Frictionless tabular data package (specs.frictionlessdata.io): types, units, levels, missing codes.

Small enough to be written here; the tests have it validated by the `frictionless` library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.study.cohort_columns import Field, Table
from fitss_abm.study.cohort_part import sha256_of

if TYPE_CHECKING:
    from fitss_abm.study.cohort import Cohort

PACKAGE = "datapackage.json"
MISSING = [""]
_TYPES = {
    "id": "integer", "int": "integer", "float": "number", "bool": "boolean", "date": "date", "level": "string",
    "text": "string",
}  # fmt: skip
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
DISCLAIMER = (
    "Synthetic: nobody's data. Simulated people of a research model; no medical device, no basis for treating anybody."
)


def write_package(
    cohort: Cohort, tables: Sequence[Table], rows: Mapping[str, int], folder: Path, suffix: str, *, truth: bool
) -> Path:
    """Write the package of one folder of tables (`rows`: of each by name) and return its path."""
    title = "what nobody could know" if truth else "what an analyst gets"
    package = {
        "profile": "tabular-data-package",
        "name": _slug(f"{cohort.name}-{'truth' if truth else 'data'}"),
        "title": f"{cohort.name}: {title}",
        "description": f"{DISCLAIMER} Design: {cohort.design}.",
        "version": version(),
        "keywords": ["synthetic", "fibromyalgia", "cohort", cohort.design],
        "licenses": [{"name": "CC0-1.0", "title": "Creative Commons Zero 1.0", "path": "https://creativecommons.org/publicdomain/zero/1.0/"}],
        "sources": [{"title": "fitss_abm, an agent-based population simulator of central sensitivity syndromes"}],
        "resources": [resource(table, rows[table.name], folder, suffix) for table in tables if table.truth == truth],
    }  # fmt: skip
    path = folder / PACKAGE
    path.write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def resource(table: Table, rows: int, folder: Path, suffix: str) -> dict[str, Any]:
    """One table of a package."""
    file = folder / f"{table.file}.{suffix}"
    schema: dict[str, Any] = {"fields": [described(one, suffix) for one in table.fields], "missingValues": MISSING}
    if table.key:
        schema["primaryKey"] = list(table.key)
    if table.refers and not table.truth:
        schema["foreignKeys"] = [
            {"fields": ["person_id"], "reference": {"resource": "persons", "fields": ["person_id"]}}
        ]
    told = {
        "name": table.file.replace("_", "-"), "title": table.title, "path": file.name, "profile": "tabular-data-resource",
        "format": suffix, "mediatype": _MEDIA[suffix], "rows": rows, "schema": schema,
    }  # fmt: skip
    if suffix == "csv":
        told |= {"encoding": "utf-8", "dialect": {"delimiter": ",", "header": True}}
        told |= {
            "bytes": file.stat().st_size,
            "hash": f"sha256:{sha256_of(file)}",
        }  # the library counts text bytes only
    return told


def described(one: Field, suffix: str) -> dict[str, Any]:
    """One column of a table schema."""
    told: dict[str, Any] = {"name": one.name, "type": _TYPES[one.type], "title": one.title, "source": one.source}
    if one.unit:
        told["unit"] = one.unit
    limits: dict[str, Any] = {"required": True} if one.required else {}
    if one.levels:
        limits["enum"] = list(one.levels)
    bounds = {"minimum": one.low, "maximum": one.high}
    told_bounds = {
        name: int(value) if one.type in ("int", "id") else value for name, value in bounds.items() if value is not None
    }
    if suffix == "csv" or one.type != "float":
        limits |= told_bounds
    elif told_bounds:  # the library takes an empty cell of Parquet for a number out of bounds
        told["bounds"] = told_bounds
    if limits:
        told["constraints"] = limits
    return told


def _slug(text: str) -> str:
    made = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return "-".join(part for part in made.split("-") if part) or "cohort"


def version() -> str:
    """Of the program, as a package has it."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("fitss_abm")
    except PackageNotFoundError:
        return "0+uninstalled"

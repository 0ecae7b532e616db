"""Concepts of a cohort's OMOP tables: standard ids where they are sure, ids of our own for everything else, codes that are sure.

A condition or programme without a sure standard concept has concept 0, `No matching concept`, as OHDSI asks. Its own concept (ids
from 2,000,000,000, which OHDSI keeps free for local concepts; vocabulary `FITSS`) is the source concept.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

FIRST_LOCAL = 2_000_000_000
VOCABULARY = "FITSS"
NOTHING = 0
DRUG_KINDS = ("snri", "gabapentinoid", "amitriptyline", "tramadol", "strong_opioid", "nsaid", "placebo")
"""Kinds of `data/programmes.toml` that are drugs; the other kinds become observations."""
SYSTEMS = {"icd10cm": "ICD10CM", "snomed": "SNOMED", "icd11": "ICD11"}
"""Systems of codes by their name in `data/conditions.toml`; the first that is sure becomes the source value."""
_COLUMNS = {"icd10cm": ("icd10cm", "icd10"), "snomed": ("snomed_ct", "snomed"), "icd11": ("icd11", "icd11")}
_LAST_DAY = "2099-12-31"
# What a vocabulary or class is called where it is not by its own id.
_NAMES = {"None": "OMOP Standardized Vocabularies", VOCABULARY: "fitss_abm: own names, no published vocabulary"}


@dataclass(frozen=True)
class Concept:
    """One row of the table `concept`."""

    id: int
    name: str
    domain: str
    vocabulary: str
    kind: str
    code: str
    standard: str | None = None
    since: str = "1970-01-01"

    def row(self) -> dict[str, object]:
        """As columns of the table."""
        return {
            "concept_id": self.id,
            "concept_name": self.name[:255],
            "domain_id": self.domain,
            "vocabulary_id": self.vocabulary,
            "concept_class_id": self.kind,
            "standard_concept": self.standard,
            "concept_code": self.code,
            "valid_start_date": self.since,
            "valid_end_date": _LAST_DAY,
        }


@cache
def standard() -> Mapping[str, Concept]:
    """The standard concepts of `data/omop_concepts.csv`, by what they are used for: 'sex:female', 'kind:snri', ..."""
    text = files("fitss_abm.data").joinpath("omop_concepts.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["use"]: Concept(
                int(row["concept_id"]),
                row["concept_name"],
                row["domain_id"],
                row["vocabulary_id"],
                row["concept_class_id"],
                row["concept_code"],
                row["standard_concept"] or None,
                row["valid_start_date"],
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


def standard_id(use: str) -> int:
    """The id of a standard concept; 0 where none is sure."""
    return standard()[use].id if use in standard() else NOTHING


@cache
def _sure() -> frozenset[tuple[str, str]]:
    """(system, code) of every code that `data/codes.csv` is sure of.

    Sure is what stands outside brackets in a row whose column `verified` says that codes of that system were corroborated.
    """
    found = set()
    text = files("fitss_abm.data").joinpath("codes.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        said = row["verified"]
        for system, (column, word) in _COLUMNS.items():
            for code in re.split(r"[;,\s]+", re.sub(r"\([^)]*\)?", "", row[column])):
                named = said.startswith("all ") or word in said or f" {code} " in f" {said} "
                if code and "corroborated" in said and named and "unverified" not in row[column].split("(")[0]:
                    found.add((system, code))
    return frozenset(found)


def sure_codes(codes: Mapping[str, str]) -> dict[str, str]:
    """Of a condition's codes those that are sure, by vocabulary: {'ICD10CM': 'M79.7', ...}."""
    return {name: codes[key] for key, name in SYSTEMS.items() if key in codes and (key, codes[key]) in _sure()}


class Concepts:
    """The concepts that one set of tables uses."""

    def __init__(self) -> None:
        self._used: dict[int, Concept] = {concept.id: concept for concept in standard().values()}
        self._local: dict[str, Concept] = {}

    def local(self, code: str, name: str, domain: str) -> int:
        """The id of a concept of our own. It depends on the code alone, save that of two that would have one id the later
        moves up.
        """
        if code not in self._local:
            id = FIRST_LOCAL + zlib.crc32(code.encode()) % (2**31 - FIRST_LOCAL)
            while id in self._used:
                id = FIRST_LOCAL + (id + 1 - FIRST_LOCAL) % (2**31 - FIRST_LOCAL)
            self._local[code] = Concept(id, name, domain, VOCABULARY, "Undefined", code[:50])
            self._used[id] = self._local[code]
        return self._local[code].id

    def rows(self) -> dict[str, list[dict[str, object]]]:
        """Rows of concept, vocabulary, domain and concept_class: those used, no more."""
        used = [self._used[id] for id in sorted(self._used)]
        return {
            "domain": _named("domain", (one.domain for one in used)),
            "vocabulary": [
                row | {"vocabulary_reference": "fitss_abm" if row["vocabulary_id"] == VOCABULARY else None}
                for row in _named("vocabulary", (one.vocabulary for one in used))
            ],
            "concept_class": _named("concept_class", (one.kind for one in used)),
            "concept": [one.row() for one in used],
        }


def _named(table: str, ids: Iterable[str]) -> list[dict[str, object]]:
    return [
        {f"{table}_id": id, f"{table}_name": _NAMES.get(id, id), f"{table}_concept_id": NOTHING}
        for id in sorted(set(ids))
    ]

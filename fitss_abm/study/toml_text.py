"""Values as TOML text. Python reads TOML but does not write it."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_document(values: Mapping[str, object]) -> str:
    """A TOML document: plain keys first, then a table for each mapping and for each mapping in a list of them.

    What is None is left out, since TOML has no word for it. Within tables everything stands inline.
    """
    plain, tables = [], []
    for key, value in values.items():
        if isinstance(value, Mapping):
            tables.append("\n".join([f"\n[{_key(key)}]", *_lines(value)]))
        elif isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
            tables += ["\n".join([f"\n[[{_key(key)}]]", *_lines(item)]) for item in value]
        elif value is not None:
            plain.append(f"{_key(key)} = {toml_value(value)}")
    return "\n".join([*plain, *tables]) + "\n"


def toml_value(value: object) -> str:
    """One value. Raises TypeError for what TOML cannot hold."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case datetime.date():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(_lines(value)) + " }" if value else "{}"
        case list() | tuple():
            return "[" + ", ".join(toml_value(item) for item in value) + "]"
    raise TypeError(f"TOML has no value like {value!r}")


def _lines(table: Mapping[str, object]) -> list[str]:
    return [f"{_key(key)} = {toml_value(value)}" for key, value in table.items() if value is not None]


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """In quotes, as in JSON; TOML wants the delete character escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

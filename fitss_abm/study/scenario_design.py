"""Many scenarios from one: a grid of values, or a data frame with a row for each. Numbers are named with dots.

`people`, `parameters.support_weight`, `network.friends_any`, `conditions.fibromyalgia.disability`, `seeds.life`,
`programmes.<name>.coverage`, `programmes.<name>.target`, `changes.<date>.parameters.support_weight`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Fault, Faults, InputError, nearest_name
from fitss_abm.study.toml_text import toml_value

if TYPE_CHECKING:
    import pandas as pd

    from fitss_abm.study.scenario import Scenario

_LONGEST = 100  # characters of a scenario's name
_LISTS = {"programmes": ("name", "kind"), "changes": ("date",)}
"""Fields that are lists of tables, and what names a table in them."""


def vary(scenario: Scenario, lists: Mapping[str, Sequence[Any]]) -> list[Scenario]:
    """A scenario for each combination of the values, the last number varying fastest; their names say what varies."""
    rows = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    return _made(scenario, [(_named(scenario.name, row), row) for row in rows])


def design(scenario: Scenario, frame: pd.DataFrame) -> list[Scenario]:
    """A scenario for each row of a data frame; a column is a number's name with dots, and `name`, if there is one, the name.

    Where a cell is empty (NaN, None) the scenario's own value stays.
    """
    rows = []
    for record in frame.to_dict("records"):
        row = {str(name): _plain(value) for name, value in record.items() if not _empty(value)}
        name = row.pop("name", None)
        rows.append((str(name) if name is not None else _named(scenario.name, row), row))
    return _made(scenario, rows)


def with_value(values: Mapping[str, Any], name: str, value: Any, faults: Faults) -> dict[str, Any]:
    """The values of a scenario with one more set; what cannot be found is added to `faults`."""
    from fitss_abm.study.scenario import Scenario

    field, _, rest = name.partition(".")
    if field not in Scenario.model_fields or field == EXCLUDED:
        faults.add(name, value, "no such key of a scenario", nearest_name(field, Scenario.model_fields))
        return dict(values)
    if not rest:
        return {**values, field: value}
    if field in _LISTS:
        return {**values, field: _in_list(field, values.get(field, ()), rest, name, value, faults)}
    if isinstance(values.get(field), Mapping):
        return {**values, field: _nested(values[field], rest.split("."), value)}
    faults.add(name, value, f"'{field}' is no table")
    return dict(values)


EXCLUDED = "replicate"
"""A run's own number, which a comparison sets."""


def _made(scenario: Scenario, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Scenario]:
    made, wrong = [], list[Fault]()
    for called, row in rows:
        faults = Faults()
        values = scenario.model_dump() | {"name": called}
        for name, value in row.items():
            values = with_value(values, name, _plain(value), faults)
        wrong += [fault for fault in faults.found if fault not in wrong]
        try:
            made.append(type(scenario)(**values))
        except InputError as error:
            wrong += [fault for fault in error.faults if fault not in wrong]
    if wrong:
        raise InputError(wrong)
    return made


def _in_list(field: str, tables: Any, rest: str, name: str, value: Any, faults: Faults) -> list[dict[str, Any]]:
    """The tables with a value set in the one whose name begins `rest`; names may hold dots."""
    names = []
    changed = [dict(table) for table in tables]
    for table in changed:
        called = next((str(table[key]) for key in _LISTS[field] if table.get(key) is not None), "")
        names.append(called)
        if called and rest.startswith(f"{called}.") and len(rest) > len(called) + 1:
            path = rest[len(called) + 1 :].split(".")
            table.update(_nested(table, path, value))
            return changed
    what = {"programmes": "programme", "changes": "change"}[field]
    faults.add(name, value, f"no such {what} of the scenario", nearest_name(rest.partition(".")[0], names))
    return changed


def _nested(table: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**table, path[0]: value}
    inner = table.get(path[0])
    return {**table, path[0]: _nested(inner if isinstance(inner, Mapping) else {}, path[1:], value)}


def _named(name: str, row: Mapping[str, Any]) -> str:
    said = ", ".join([name, *(f"{key.rpartition('.')[2]}={_said(value)}" for key, value in row.items())])
    said = said.replace("/", "-").replace("\\", "-")
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def _said(value: Any) -> str:
    value = _plain(value)
    return value if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else toml_value(value)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NaTType"

"""What can be wrong with a scenario, said so that it can be mended: every fault, with bounds and the nearest valid
name.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitss_abm.errors import Fault, Faults, nearest_name
from fitss_abm.study.change_checks import check_changes
from fitss_abm.study.numbers import ensemble
from fitss_abm.study.programme_checks import programmes_of

if TYPE_CHECKING:
    from pydantic import ValidationError

    from fitss_abm.model.conditions import Catalogue
    from fitss_abm.model.demography import Demography

PATHS = ("population", "conditions_file", "programmes_file")
"""Fields that may name a file."""
STREAMS = ("population", "network", "life", "delivery", "measurement")
_MARGINALS = ("female_share", "age_shares")
_GIVEN = ("edges", "directed")
_LARGEST_SEED = 2**63 - 1
_WANTED = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must hold no slash and no control character",
    "date_type": "must be a date such as 2025-01-01",
    "dict_type": "must be a table",
    "tuple_type": "must be a list",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be {le} or less",
}


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The values of a TOML file. Raises InputError that names the line when it is not TOML."""
    faults = Faults(file=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n"))
    except OSError as error:
        faults.add(what, str(path), f"cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        faults.add(what, str(path), f"is not UTF-8 text (byte {error.start})")
    except tomllib.TOMLDecodeError as error:
        line = getattr(error, "lineno", None) or _line_of(str(error), text)
        lines = text.splitlines()
        faults.add(f"line {line}", lines[line - 1] if line <= len(lines) else "", f"is not TOML ({error})")
    faults.raise_if_any()
    raise AssertionError


def _line_of(message: str, text: str) -> int:
    """The line that tomllib's message names (as an attribute only from Python 3.14 on)."""
    number = message.partition("at line ")[2].partition(",")[0]
    return int(number) if number.isdigit() else max(1, len(text.splitlines()))


def told(error: ValidationError, known: Iterable[str], faults: Faults, *, what: str = "a scenario") -> None:
    """Pydantic's findings in our words. `what`: of which they are."""
    seen = set()
    for each in error.errors(include_url=False):
        place = each["loc"][0]
        field = str(place) + "".join(f"[{part}]" for part in each["loc"][1:] if isinstance(part, int))
        if each["type"] == "extra_forbidden":
            faults.add(field, each["input"], f"no such key of {what}", nearest_name(field, known))
        elif place == "population":
            if place not in seen:
                faults.add(
                    field, each["input"], "must be the path of a table, or a table of female_share and age_shares"
                )
        else:
            wanted = _WANTED.get(each["type"])
            bounds = {name: _plain(bound) for name, bound in each.get("ctx", {}).items()}
            problem = wanted.format(**bounds) if wanted else each["msg"].lower()
            faults.add(field, each["input"], problem)
        seen.add(place)


def _plain(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def check_contents(values: Mapping[str, Any], faults: Faults) -> None:
    """Faults that need the model's own lists: locations, parameters, conditions, mechanisms, streams, dates."""
    from fitss_abm.model.conditions import shipped
    from fitss_abm.model.parameters import sex_mechanisms

    location = values.get("location", "Germany")
    if isinstance(location, str):
        faults.gather(lambda: _located(location))
    if values.get("slow_days", 7) not in (1, 7) and isinstance(values["slow_days"], int):
        faults.add("slow_days", values["slow_days"], "must be 1 or 7")
    _check_draw(values.get("draw"), faults)
    _check_threads(values.get("threads"), faults)
    _check_population(values.get("population"), faults)
    _check_network(values.get("network"), faults)
    _check_parameters("parameters", values.get("parameters"), faults)
    catalogue = shipped()
    if isinstance(values.get("conditions"), Mapping) and not values.get("conditions_file"):
        catalogue = catalogue.with_entries(values["conditions"], faults)
    if not values.get("conditions_file") and not values.get("programmes_file"):
        programmes_of(values, catalogue, faults)
    _check_records(values, None if values.get("conditions_file") else catalogue, faults)
    for name in _listed(values.get("sex_mechanisms_off")):
        if name not in sex_mechanisms():
            faults.unknown("sex_mechanisms_off", name, "sex mechanism", sex_mechanisms())
    if isinstance(values.get("seeds"), Mapping):
        for name, seed in values["seeds"].items():
            if name not in STREAMS:
                faults.add(f"seeds.{name}", seed, "no such stream of luck", nearest_name(str(name), STREAMS))
            elif isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _LARGEST_SEED:
                faults.add(f"seeds.{name}", seed, f"must be a whole number from 0 to {_LARGEST_SEED}")
    _check_seen(values.get("seen_as", ()), values.get("diagnosis"), catalogue, faults)
    check_changes(values, faults)
    for name in PATHS:
        _check_exists(name, values.get(name), faults)


def _located(location: str) -> Demography:
    from fitss_abm.model.demography import load

    return load(location)


def _listed(value: object) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _check_exists(field: str, path: object, faults: Faults) -> None:
    if isinstance(path, str) and not Path(path).is_file():
        faults.add(field, path, "is a folder, not a file" if Path(path).is_dir() else "no such file")


def _check_draw(draw: object, faults: Faults) -> None:
    if isinstance(draw, int) and not isinstance(draw, bool) and draw >= len(ensemble()):
        faults.add("draw", draw, f"must be between 0 and {len(ensemble()) - 1}: so many draws are shipped")


def _check_threads(threads: object, faults: Faults) -> None:
    from numba import config

    if isinstance(threads, int) and threads > config.NUMBA_NUM_THREADS:
        faults.add("threads", threads, f"must be {config.NUMBA_NUM_THREADS} or less, the cores of this machine")


def _check_population(population: object, faults: Faults) -> None:
    from fitss_abm.model.demography import from_marginals, load

    if not isinstance(population, Mapping):
        return
    for name, value in population.items():
        if name not in _MARGINALS:
            faults.add(f"population.{name}", value, "no such key of a population", nearest_name(str(name), _MARGINALS))
    for name in _MARGINALS:
        if name not in population:
            faults.add(f"population.{name}", None, "is missing")
    if "age_shares" in population and not isinstance(population["age_shares"], Mapping):
        faults.add(
            "population.age_shares", population["age_shares"], "must be a table such as { '18-64' = 0.8, '65+' = 0.2 }"
        )
    else:
        given = Faults()
        marginals: dict[str, Any] = {"female_share": 0.5, "age_shares": {"0+": 1.0}}
        marginals |= {name: value for name, value in population.items() if name in _MARGINALS}
        given.gather(lambda: from_marginals(**marginals, base=load("Germany")))
        faults.found += [Fault(f"population.{f.field}", f.value, f.problem, f.file, f.nearest) for f in given.found]


def _check_seen(seen_as: object, diagnosis: object, catalogue: Catalogue, faults: Faults) -> None:
    from fitss_abm.measurement.diagnosis import SEEN_AS, made_of

    asked = _listed(seen_as)
    for name in asked:
        if name not in SEEN_AS:
            faults.unknown("seen_as", name, "way to see people (truth, survey or clinic)", SEEN_AS)
    if isinstance(seen_as, tuple | list) and len(set(map(str, asked))) < len(asked):
        faults.add("seen_as", list(asked), "names a way to see people twice")
    if isinstance(diagnosis, Mapping):
        made_of(diagnosis, faults, catalogue=catalogue)


def _check_network(network: object, faults: Faults) -> None:
    from fitss_abm.model.network_parameters import NetworkParameters

    if not isinstance(network, Mapping):
        return
    numbers = {name: value for name, value in network.items() if name not in _GIVEN}
    if "edges" in network:
        if not isinstance(network["edges"], str):
            faults.add("network.edges", network["edges"], "must be the path of an edge list")
        _check_exists("network.edges", network["edges"], faults)
        for name, value in numbers.items():
            faults.add(f"network.{name}", value, "is of the generated network, but edges are given")
        numbers = {}
    elif "directed" in network:
        faults.add("network.directed", network["directed"], "is about an edge list; give its path as network.edges")
    if not isinstance(network.get("directed", False), bool):
        faults.add("network.directed", network["directed"], "must be true or false")
    NetworkParameters.from_mapping(numbers, faults)


def _check_records(values: Mapping[str, Any], catalogue: Catalogue | None, faults: Faults) -> None:
    from fitss_abm.study.records_mapping import check_mapping

    records, network = values.get("records"), values.get("network")
    if not isinstance(records, Mapping) or not records:
        return
    check_mapping(records, catalogue, faults)
    _check_exists("records.file", records.get("file"), faults)
    if isinstance(network, Mapping) and "edges" in network:
        faults.add(
            "network.edges", network["edges"], "cannot be given beside records: ties are generated for their people"
        )


def _check_parameters(prefix: str, parameters: object, faults: Faults) -> None:
    from fitss_abm.model.parameters import check

    if isinstance(parameters, Mapping):
        check(parameters, faults, prefix=prefix)


def demography_of(location: str, population: str | Mapping[str, Any] | None) -> Demography:
    """People and death rates: the user's table or marginals, or those of the location."""
    from fitss_abm.model.demography import from_marginals, load, read_table

    if isinstance(population, str):
        return read_table(population)
    if isinstance(population, Mapping):
        return from_marginals(**population, base=load(location))
    return load(location)


def check_files(values: Mapping[str, Any], *, default_people: int = 0, edges: bool = True) -> list[Fault]:
    """Everything that is wrong with the contents of the files that a scenario names, as far as they are there."""
    from fitss_abm.model.conditions import shipped
    from fitss_abm.model.demography import read_table
    from fitss_abm.model.network_io import read_edge_list

    faults, catalogue = Faults(), shipped()
    population, network, conditions = (values.get(name) for name in ("population", "network", "conditions_file"))
    if isinstance(population, str) and Path(population).is_file():
        faults.gather(lambda: read_table(population))
    if isinstance(conditions, str) and Path(conditions).is_file():
        entries = faults.gather(lambda: read_toml(Path(conditions), "conditions"))
        faults.file = conditions
        catalogue = catalogue.with_entries(entries or {}, faults)
        faults.file = None
        if entries is not None and isinstance(values.get("conditions"), Mapping):
            catalogue = catalogue.with_entries(values["conditions"], faults)
    if isinstance(conditions, str) or isinstance(values.get("programmes_file"), str):
        programmes_of(values, catalogue, faults)
    _read_records(values, catalogue, faults)
    given = network if isinstance(network, Mapping) else {}
    people = values.get("people", default_people)
    countable = (
        isinstance(people, int) and people >= 1
    )  # otherwise that is told, and nobody in the edge list is unknown
    if edges and isinstance(given.get("edges"), str) and Path(given["edges"]).is_file() and countable:
        faults.gather(lambda: read_edge_list(given["edges"], people=people, directed=given.get("directed") is True))
    return faults.found


def _read_records(values: Mapping[str, Any], catalogue: Catalogue, faults: Faults) -> None:
    """Faults of the survey that a scenario's people come from."""
    from fitss_abm.study.records import file_faults
    from fitss_abm.study.records_mapping import check_mapping

    records, start = values.get("records"), values.get("start", datetime.date(2025, 1, 1))
    if not isinstance(records, Mapping) or not records:
        return
    if values.get("conditions_file"):  # its conditions were not known before
        check_mapping(records, catalogue, faults)
    elif isinstance(values.get("conditions"), Mapping):
        catalogue = catalogue.with_entries(values["conditions"], Faults())
    file = records.get("file")
    if isinstance(file, str) and Path(file).is_file() and isinstance(start, datetime.date):
        faults.found += [one for one in file_faults(records, catalogue, start=start) if one not in faults.found]

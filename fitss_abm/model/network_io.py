"""Rows of a network from what says who is tied to whom: circles, edges, a CSV edge list or a networkx graph; and
back."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.arithmetic import F
from fitss_abm.model.caching import compiled
from fitss_abm.model.network import WEIGHT_UNIT, Layer, Network, Rows
from fitss_abm.model.network_parameters import NetworkParameters
from fitss_abm.model.randomness import Decision, draw_pair, exponential

if TYPE_CHECKING:
    import networkx

MOST_FAULTS = 100
"""Faulty edges of one sort that are told one by one; the rest are counted."""
_OPEN = np.uint16(65535)  # no membership
_CHUNK = 1024
_ROOM = 1024  # alters that a person's circles can hold together, before doubles are dropped
_COLUMNS = ("source", "target", "weight", "layer")
_LAYERS = {layer.name.lower(): int(layer) for layer in Layer if layer != Layer.PROGRAMME}


class Places(NamedTuple):
    """Circles by kind: who belongs where (kinds, n), in which community (kinds, 3: size, shift, last), and their
    members."""

    cells: Any
    partner: Any
    begin: Any
    order: Any
    blocks: Any
    layers: Any


class Ties(NamedTuple):
    """What the strength of ties depends on."""

    female: Any
    generation: Any
    factors: Any
    same_sex: Any
    k0: Any
    k1: Any


@compiled(parallel=True)
def index_circles(bounds: Any, cell: Any, begin: Any, order: Any) -> None:
    """Members of circle c of the community from slot low: order[begin[low + c] : begin[low + c + 1]], by slot.

    A community has at most half as many circles as people, so the end of its last one stands in the community's own
    part.
    """
    for community in prange(len(bounds) - 1):
        low, high = bounds[community], bounds[community + 1]
        count = np.zeros(high - low + 2, np.int32)
        for slot in range(low, high):
            if cell[slot] != _OPEN:
                count[cell[slot] + 1] += 1
        for circle in range(high - low):
            begin[low + circle] = low + count[circle]
            count[circle + 1] += count[circle]
        for slot in range(low, high):
            if cell[slot] != _OPEN:
                order[low + count[cell[slot]]] = slot
                count[cell[slot]] += 1


@njit
def _alters(slot: int, places: Places, codes: Any) -> Any:
    """Put (alter, layer) of all circles of a person into `codes`, rising and without doubles (the closest layer
    stays)."""
    found = 0
    for kind in range(places.cells.shape[0]):
        circle = places.cells[kind, slot]
        if circle == _OPEN:
            continue
        size, shift, last = places.blocks[kind, 0], places.blocks[kind, 1], places.blocks[kind, 2]
        first = max(0, min((slot + shift) // size, last) * size - shift) + np.int64(circle)
        for at in range(places.begin[kind, first], places.begin[kind, first + 1]):
            alter = np.int64(places.order[kind, at])
            if alter == slot:
                continue
            layer = np.int64(0) if kind == 0 and places.partner[slot] == alter else places.layers[kind]
            place = found
            while place > 0 and codes[place - 1] >> 3 > alter:
                place -= 1
            if place > 0 and codes[place - 1] >> 3 == alter:  # kinds come closest layer first, so the earlier one stays
                continue
            for i in range(found, place, -1):
                codes[i] = codes[i - 1]
            codes[place] = (alter << 3) | layer
            found += 1
    return found


@njit
def _strength(a: int, b: int, layer: int, ties: Ties) -> Any:
    """Gamma(1, scale) x the layer's factor x that of one sex, in 1/4096 and at least one unit. Belongs to the pair
    for life."""
    decision = np.uint32(Decision.TIE_STRENGTH)
    words = draw_pair(a, ties.generation[a], b, ties.generation[b], decision, ties.k0, ties.k1)
    strength = exponential(words[0]) * ties.factors[layer]
    if layer != 0 and ties.female[a] == ties.female[b]:
        strength = strength * ties.same_sex
    return min(max(np.int64(strength * F(WEIGHT_UNIT) + F(0.5)), 1), 65535)


@compiled(parallel=True)
def count_ties(places: Places, degree: Any) -> None:
    """Degree (n,) of everybody, a pair that meets in two circles counted once."""
    people = len(degree)
    for chunk in prange((people + _CHUNK - 1) // _CHUNK):
        codes = np.empty(_ROOM, np.int64)
        for slot in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, people)):
            degree[slot] = _alters(slot, places, codes)


@compiled(parallel=True)
def fill_ties(places: Places, ties: Ties, start: Any, neighbour: Any, weight: Any, layer: Any) -> None:
    """The network's arrays, row by row."""
    people = len(start) - 1
    for chunk in prange((people + _CHUNK - 1) // _CHUNK):
        codes = np.empty(_ROOM, np.int64)
        for slot in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, people)):
            for i in range(_alters(slot, places, codes)):
                alter, kind = codes[i] >> 3, codes[i] & 7
                at = start[slot] + i
                neighbour[at], layer[at] = alter, kind
                weight[at] = _strength(slot, alter, kind, ties)


COMPILED = (index_circles, count_ties, fill_ties)
"""Every compiled entry point of this file, for the engine's cache."""


def rows_from_circles(
    cells: NDArray[np.uint16],
    partner: NDArray[np.int32],
    bounds: list[NDArray[np.int64]],
    female: NDArray[np.bool_],
    generation: NDArray[np.uint16],
    k0: np.uint32,
    k1: np.uint32,
    parameters: NetworkParameters,
) -> Rows:
    """Ties among all members of each circle: cells (kinds, n) says who belongs where, bounds where each kind's
    communities are."""
    kinds, people = cells.shape
    p = parameters
    begin, order = np.zeros((kinds, people + 1), np.int32), np.zeros((kinds, people), np.int32)
    blocks = np.zeros((kinds, 3), np.int64)
    for kind in range(kinds):
        index_circles(bounds[kind], cells[kind], begin[kind], order[kind])
        size = p.local_community if kind < 2 else p.wide_community
        first = bounds[kind][1] if len(bounds[kind]) > 2 else size
        blocks[kind] = size, size - first, len(bounds[kind]) - 2
    layers = np.array([Layer.KIN, Layer.FRIEND, Layer.FRIEND, Layer.FRIEND, Layer.WORK], np.int64)
    places = Places(cells, partner, begin, order, blocks, layers)
    factors = np.array([p.partner_factor, p.kin_factor, p.friend_factor, p.work_factor], np.float32) * F(
        p.strength_scale
    )
    ties = Ties(female, generation, factors, F(p.same_sex_factor), k0, k1)
    start = np.zeros(people + 1, np.int64)
    count_ties(places, start[1:])
    np.cumsum(start, out=start)
    neighbour, weight = np.empty(start[-1], np.int32), np.empty(start[-1], np.uint16)
    layer = np.empty(start[-1], np.uint8)
    fill_ties(places, ties, start, neighbour, weight, layer)
    return Rows(start, neighbour, weight, layer)


def rows_from_edges(
    people: int,
    source: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None,
    layer: ArrayLike | None,
    directed: bool,
    *,
    lines: NDArray[np.int64] | None = None,
    faults: Faults | None = None,
) -> Rows:
    """Rows of given edges; see `Network.from_edges`. `lines`: where each stands in its file; `faults`: found so far."""
    faults = Faults() if faults is None else faults
    before = len(faults.found)
    whole = {"source": np.asarray(source), "target": np.asarray(target)}
    count = len(np.atleast_1d(whole["source"]))
    whole["layer"] = np.full(count, int(Layer.GIVEN)) if layer is None else np.asarray(layer)
    strength = np.ones(count) if weight is None else np.asarray(weight)
    for name, values in {**whole, "weight": strength}.items():
        if values.ndim != 1 or len(values) != count:
            faults.add(name, values.shape, f"one number an edge is wanted, that is shape ({count},)")
        elif values.dtype.kind not in ("biuf" if name == "weight" else "iu") and count > 0:
            faults.add(
                name, str(values.dtype), "numbers are wanted" if name == "weight" else "whole numbers are wanted"
            )
    if len(faults.found) > before:
        faults.raise_if_any()
    a, b = (whole[name].astype(np.int64) for name in ("source", "target"))
    strength = strength.astype(np.float64)

    def tell(wrong: NDArray[np.bool_], name: str, values: NDArray[Any], problem: str) -> None:
        found = np.flatnonzero(wrong)
        for i in found[:MOST_FAULTS]:
            where = f"edge {i}" if lines is None else f"line {lines[i]}"
            faults.add(f"{where}: {name}", values[i].item(), problem)
        if len(found) > MOST_FAULTS:
            faults.add(name, len(found) - MOST_FAULTS, f"as many more: {problem}")

    known = np.ones(count, np.bool_)
    for name, person in (("source", a), ("target", b)):
        known &= (person >= 0) & (person < people)
        tell((person < 0) | (person >= people), name, person, f"no such person: slots are 0 to {people - 1}")
    tell(a == b, "target", b, "a person cannot be tied to themselves")
    tell(~((strength >= 0) & (strength <= 16)), "weight", strength, "not a number from 0 to 16")
    tell((whole["layer"] < 0) | (whole["layer"] > Layer.GIVEN), "layer", whole["layer"], "no such layer: 0 to 4")
    first, second = (a, b) if directed else (np.minimum(a, b), np.maximum(a, b))
    pair = np.where(known, first * people + second, -1 - np.arange(count))
    order = np.argsort(pair, kind="stable")
    again = np.zeros(count, np.bool_)
    again[order[1:]] = pair[order[1:]] == pair[order[:-1]]
    tell(again & (a != b), "target", b, "this tie was given before")
    faults.raise_if_any()
    return _mirrored(people, a, b, strength, whole["layer"].astype(np.uint8), directed)


def _mirrored(
    people: int,
    a: NDArray[np.int64],
    b: NDArray[np.int64],
    strength: NDArray[np.float64],
    layer: NDArray[np.uint8],
    directed: bool,
) -> Rows:
    """Rows in which every alter stands on both sides; a direction that was not given has weight 0."""
    units = np.where(strength > 0, np.clip(np.rint(strength * WEIGHT_UNIT), 1, 65535), 0).astype(np.uint16)
    back = np.zeros_like(units) if directed else units
    ego, alter = np.concatenate([b, a]), np.concatenate([a, b])
    weight, kind = np.concatenate([units, back]), np.concatenate([layer, layer])
    key = ego * people + alter
    order = np.argsort(key, kind="stable")  # given directions come before mirrored ones and are kept
    key = key[order]
    order = order[np.concatenate([[True], key[1:] != key[:-1]])] if len(key) else order
    start = np.zeros(people + 1, np.int64)
    np.cumsum(np.bincount(ego[order], minlength=people), out=start[1:])
    return Rows(start, alter[order].astype(np.int32), weight[order], kind[order])


def read_edge_list(path: str | Path, *, people: int, directed: bool = False) -> Network:
    """A given network from a CSV file with the header source,target[,weight[,layer]].

    source, target: slots, 0 to people - 1; weight: strength, 0 to 16 (1 where the column is absent); layer: a `Layer`
    by name or number. For `directed` see `Network.from_edges`. Raises InputError with every fault and the line it
    stands in.
    """
    path = Path(path)
    faults = Faults(file=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.add("edge list", str(path), f"cannot be read as UTF-8 text ({error})")
        faults.raise_if_any()
        raise
    names = [name.strip() for name in text.partition("\n")[0].split(",")]
    for name in names:
        if name not in _COLUMNS:
            faults.add(
                "header", name, f"no such column; wanted are {', '.join(_COLUMNS)}", nearest_name(name, _COLUMNS)
            )
    for name in _COLUMNS:
        if names.count(name) > 1 or (name in _COLUMNS[:2] and name not in names):
            faults.add("header", name, "this column stands there twice" if name in names else "this column is missing")
    faults.raise_if_any()
    columns, lines = _fast_columns(text, names) or _columns(text, names, faults)
    a, b, weight, layer = columns["source"], columns["target"], columns.get("weight"), columns.get("layer")
    return Network(rows_from_edges(people, a, b, weight, layer, directed, lines=lines, faults=faults))


def _fast_columns(text: str, names: list[str]) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]] | None:
    """Columns of a file of plain numbers, about 5 million values a second; None where anything is out of the
    ordinary."""
    body = text.partition("\n")[2]
    if not body.strip() or not set(body) <= set("0123456789.,+-eE\r\n") or "\n\n" in body or "\r\n\r\n" in body:
        return None
    try:
        table = np.loadtxt(io.StringIO(body), np.float64, delimiter=",", ndmin=2, comments=None)
    except ValueError:
        return None
    if table.shape[1] != len(names):
        return None
    columns: dict[str, NDArray[Any]] = {name: table[:, i] for i, name in enumerate(names)}
    for name in names:
        if name != "weight":
            if not np.all((np.abs(columns[name]) < 2**53) & (columns[name] == np.floor(columns[name]))):
                return None
            columns[name] = columns[name].astype(np.int64)
    return columns, np.arange(2, 2 + len(table))


def _columns(text: str, names: list[str], faults: Faults) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Columns read value by value, every fault told by its line."""
    rows: list[list[float | None]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        next(reader)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                faults.add(f"line {reader.line_num}", ",".join(row), f"{len(names)} values are wanted, not {len(row)}")
                continue
            read = [_value(name, cell.strip(), reader.line_num, faults) for name, cell in zip(names, row, strict=True)]
            if None not in read:
                rows.append(read)
                lines.append(reader.line_num)
    except csv.Error as error:
        faults.add(f"line {reader.line_num}", "", f"not CSV ({error})")
    values = np.array(rows, np.float64).reshape(-1, len(names)).T  # whole numbers below 2**53 are exact
    dtypes = [np.float64 if name == "weight" else np.int64 for name in names]
    columns: dict[str, NDArray[Any]] = {
        name: column.astype(dtype) for name, column, dtype in zip(names, values, dtypes, strict=True)
    }
    return columns, np.array(lines, np.int64)


def _value(name: str, cell: str, line: int, faults: Faults) -> float | None:
    if name == "layer" and cell.lower() in _LAYERS:
        return _LAYERS[cell.lower()]
    try:
        value = float(cell) if name == "weight" else int(cell)
    except ValueError:
        wanted = {"weight": "a number is wanted", "layer": "no such layer"}.get(name, "a whole number is wanted")
        faults.add(f"line {line}: {name}", cell, wanted, nearest_name(cell, _LAYERS) if name == "layer" else None)
        return None
    if name != "weight" and abs(value) >= 2**53:
        faults.add(f"line {line}: {name}", cell, "no such person" if name != "layer" else "no such layer")
        return None
    return value


def network_from_networkx(
    graph: networkx.Graph[Any], *, people: int | None, weight: str, slots: Mapping[Any, int] | None
) -> Network:
    """See `Network.from_networkx`."""
    faults = Faults()
    if graph.is_multigraph():
        faults.add("graph", type(graph).__name__, "a Graph or DiGraph is wanted: two people have one tie")
    where = dict(slots) if slots is not None else {node: node for node in graph}
    size = graph.number_of_nodes() if people is None else people
    for node in graph:
        slot = where.get(node)
        if isinstance(slot, bool) or not isinstance(slot, int | np.integer) or not 0 <= slot < size:
            faults.add("node", node, f"no slot from 0 to {size - 1}; map your own nodes to slots with `slots`")
    if len({where.get(node) for node in graph}) < graph.number_of_nodes():
        faults.add("slots", len(where), "two nodes have the same slot")
    edges = list(graph.edges(data=True))
    strength, layer = [], []
    for a, b, data in edges:
        value, kind = data.get(weight, 1.0), data.get("layer", Layer.GIVEN)
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            faults.add(f"edge {a!r}-{b!r}: {weight}", value, "a number is wanted")
        if isinstance(kind, str) and kind.lower() not in _LAYERS:
            faults.unknown(f"edge {a!r}-{b!r}: layer", kind, "layer", _LAYERS)
        strength.append(value)
        layer.append(_LAYERS.get(kind.lower(), 0) if isinstance(kind, str) else int(kind))
    faults.raise_if_any()
    ends = np.array([(where[a], where[b]) for a, b, _ in edges], np.int64).reshape(-1, 2)
    kinds = np.array(layer, np.int64)
    return Network(rows_from_edges(size, ends[:, 0], ends[:, 1], np.array(strength, float), kinds, graph.is_directed()))


def network_to_networkx(network: Network) -> networkx.DiGraph[Any]:
    """See `Network.to_networkx`."""
    import networkx

    graph: networkx.DiGraph[Any] = networkx.DiGraph()
    graph.add_nodes_from(range(network.people))
    edges = network.to_edges()
    for a, b, strength, layer in zip(*(edges[name].tolist() for name in _COLUMNS), strict=True):
        graph.add_edge(a, b, weight=strength, layer=Layer(layer).name.lower())
    return graph

"""A user's edge list: read as it is meant, or refused with every fault and its line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitss_abm.errors import InputError
from fitss_abm.model.network import Network
from fitss_abm.model.network_io import read_edge_list

PEOPLE = 10


def read(folder: Path, text: str, directed: bool = False) -> Network:
    path = folder / "ties.csv"
    path.write_bytes(text.encode())
    return read_edge_list(path, people=PEOPLE, directed=directed)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    assert all("ties.csv" in str(fault) for fault in caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


edges = st.lists(
    st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1), st.integers(0, 16 * 4096)).filter(
        lambda edge: edge[0] != edge[1]
    ),
    unique_by=lambda edge: (min(edge[:2]), max(edge[:2])),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", " "]), st.booleans(), st.booleans())
def test_what_is_written_is_read(
    tmp_path: Path, rows: list[tuple[int, int, int]], end: str, blank: str, mark: bool, directed: bool
) -> None:
    lines = ["source,target,weight", *(f"{a},{blank}{b},{w / 4096}" for a, b, w in rows), ""]
    network = read(tmp_path, ("\ufeff" if mark else "") + end.join(lines), directed)
    wanted = Network.from_edges(
        people=PEOPLE,
        source=np.array([row[0] for row in rows], int),
        target=np.array([row[1] for row in rows], int),
        weight=[row[2] / 4096 for row in rows],
        directed=directed,
    )
    for name in ("start", "neighbour", "weight", "layer"):
        np.testing.assert_array_equal(getattr(network, name), getattr(wanted, name))
    total = sum(min(row[2], 65535) for row in rows) * (1 if directed else 2)
    assert int(network.weight.sum(dtype=np.int64)) == total


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from('0123456789.,-+eE"\n\r abnif\x00;'), max_size=60), st.booleans())
def test_any_text_is_read_or_refused(tmp_path: Path, text: str, header: bool) -> None:
    with contextlib.suppress(InputError):  # and no other error
        network = read(tmp_path, ("source,target,weight\n" if header else "") + text)
        assert network.people == PEOPLE


def test_columns_may_come_in_any_order_and_layers_by_name(tmp_path: Path) -> None:
    network = read(tmp_path, "layer,target,source\nkin,1,0\nWork,2,0\n3,3,0\n\n")
    assert network.layer[:3].tolist() == [1, 3, 3]
    assert set(network.weight.tolist()) == {4096}


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "source,target,weight,layer\n0,1,1,kin\n0,10,1,kin\n2,2,1,kin\n1,0,1,kin\n3,4,nan,kin\n"
        "3,5,-1,kin\n3,6,17,kin\n3.5,7,1,kin\n\n3,8,1,kinn\n3,9\n-1,9,1,kin\n"
    )
    found = faults(tmp_path, text)
    wanted = {
        "line 3: target = 10": "no such person",
        "line 4: target = 2": "themselves",
        "line 5: target = 0": "given before",
        "line 6: weight = nan": "from 0 to 16",
        "line 7: weight = -1.0": "from 0 to 16",
        "line 8: weight = 17.0": "from 0 to 16",
        "line 9: source = '3.5'": "whole number",
        "line 11: layer = 'kinn'": "Did you mean 'kin'?",
        "line 12 = '3,9'": "4 values are wanted, not 2",
        "line 13: source = -1": "no such person",
    }
    for place, problem in wanted.items():
        assert any(place in each and problem in each for each in found), (place, found)
    assert len(found) == len(wanted)


def test_plain_numbers_tell_their_line_too(tmp_path: Path) -> None:
    assert "line 3: target = 10" in faults(tmp_path, "source,target\n0,1\n0,10\n")[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("from,target\n0,1\n", "no such column"),
        ("sorce,target\n0,1\n", "Did you mean 'source'?"),
        ("source,weight\n0,1\n", "missing"),
        ("source,target,target\n0,1,1\n", "twice"),
        ("0,1\n", "no such column"),
        ("", "missing"),
        ('source,target\n0,"1\n', "not CSV"),
        ("source,target\n0,99999999999999999999\n", "no such person"),
        ("source,target\n0x1,2\n", "whole number"),
        ("source;target\n0;1\n", "no such column"),
    ],
)
def test_a_file_that_is_no_edge_list_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    assert any(problem in each for each in faults(tmp_path, text))


def test_a_missing_file_and_a_binary_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_edge_list(tmp_path / "none.csv", people=3)
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_edge_list(tmp_path / "image.csv", people=3)


def test_a_thousand_faults_are_counted_not_listed(tmp_path: Path) -> None:
    found = faults(tmp_path, "source,target\n" + "".join(f"0,{i + 10}\n" for i in range(1000)))
    assert len(found) == 101
    assert "900" in found[-1]


@pytest.mark.parametrize("wrong", [{"source": [0.5]}, {"weight": ["x"]}, {"target": [1, 2]}, {"layer": [9]}])
def test_faulty_arrays_are_refused(wrong: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"people": 3, "source": [0], "target": [1]} | wrong
    with pytest.raises(InputError):
        Network.from_edges(**arguments)

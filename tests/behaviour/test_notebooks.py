"""Every notebook runs from beginning to end in a new kernel of this interpreter, and shows something."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "notebooks.py"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("notebooks_tool", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


tool = _tool()
NOTEBOOKS = tool.paths()


@pytest.fixture(autouse=True)
def _no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel leaves in the user's folders lands here, and nothing tells it how to draw."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("MPLBACKEND", raising=False)


def test_there_are_some() -> None:
    assert {"first_population", "support_what_if"} <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_leaves_a_figure(path: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    shown = tool.executed(path, work)
    assert tool.pictures(shown), f"{path.name} shows no figure"
    said = [output for cell in shown.cells for output in cell.get("outputs", ())]
    warned = [output.text for output in said if output.output_type == "stream" and output.name == "stderr"]
    assert not warned, warned


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.suffix == ".ipynb"], ids=lambda path: path.stem)
def test_a_notebook_is_kept_with_what_it_shows(path: Path) -> None:
    kept = tool.read(path)
    assert tool.pictures(kept), f"{path.name} is kept without its figures: python tools/notebooks.py {path.stem}"
    cells = [cell for cell in kept.cells if cell.cell_type == "code" and cell.source.strip()]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert path.stat().st_size < 1_500_000


def test_a_cell_that_raises_is_told(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError

    broken = tmp_path / "broken.py"
    broken.write_text("# %%\n1 / 0\n", encoding="utf-8")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        tool.executed(broken, tmp_path)

"""Execute the notebooks and keep what they show: `python tools/notebooks.py`, or with the names of some of them.

Each runs from beginning to end in a new kernel of this interpreter, whatever kernels the user has installed, in an empty folder.
Pictures are kept with 256 colours, which makes them a third as large.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
CELL_SECONDS = 300
PICTURE = "image/png"


def paths() -> list[Path]:
    """Every notebook: `.ipynb`, and `.py` in jupytext's percent format where no `.ipynb` of the name stands beside it."""
    found = {path.stem: path for ending in ("py", "ipynb") for path in sorted(FOLDER.glob(f"*.{ending}"))}
    return sorted(found.values())


def read(path: Path) -> NotebookNode:
    """The notebook as it stands in its file."""
    import jupytext

    return jupytext.read(path)


def executed(path: Path, folder: Path) -> NotebookNode:
    """The notebook with what its cells show when they run in `folder`. Raises nbclient's CellExecutionError if one raises."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient

    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # Where no kernel is installed, "python3" is ipykernel in this interpreter.
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, km=kernel, timeout=CELL_SECONDS, resources=place, record_timing=False).execute()
    return notebook


def pictures(notebook: NotebookNode) -> list[str]:
    """Every picture that the cells show, as base64 text."""
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return [output.data[PICTURE] for output in shown if PICTURE in output.get("data", {})]


def smaller(picture: str) -> str:
    """A PNG with at most 256 colours; both as base64 text."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def main(names: list[str]) -> None:
    """Execute the notebooks of these names, or all, and write what they show into them."""
    import nbformat

    for path in paths():
        if path.suffix != ".ipynb" or (names and path.stem not in names):
            continue
        with tempfile.TemporaryDirectory() as folder:
            notebook = executed(path, Path(folder))
        for cell in notebook.cells:
            for output in cell.get("outputs", ()):
                if PICTURE in output.get("data", {}):
                    output.data[PICTURE] = smaller(output.data[PICTURE])
        nbformat.write(notebook, path)
        print(f"{path.name}: {len(pictures(notebook))} pictures, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])

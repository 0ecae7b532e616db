"""Run the experiments of the package, one after another, and put what came out into their READMEs: numbers and main figure.

python experiments/run_all.py [--only NAME ...] [--out FOLDER] [--people N] [--replicates R] [--draws D] [--workers N]

What is done already is kept in the folder: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from fitss_abm.errors import InputError
from fitss_abm.presentation.effects_page import page, tables
from fitss_abm.presentation.effects_plot import draw_comparison
from fitss_abm.presentation.effects_words import differences, head, sentences
from fitss_abm.study import experiments
from fitss_abm.study.what_if import Comparison, compare

HERE = Path(__file__).parent
BEGIN, END = "<!-- numbers: written by experiments/run_all.py -->", "<!-- end of numbers -->"


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=list(experiments.names()), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("runs") / "experiments")
    for name in ("people", "replicates", "draws", "workers"):
        parser.add_argument(f"--{name}", type=int)
    parser.add_argument("--cluster")
    asked = parser.parse_args()
    for name in asked.only:
        try:
            _run(name, asked)
        except InputError as error:
            sys.exit(str(error))


def _run(name: str, asked: argparse.Namespace) -> None:
    overrides: dict[str, Any] = {"people": asked.people} if asked.people else {}
    one = experiments.read(name, **overrides)
    folder = asked.out / name
    replicates = asked.replicates or (None if asked.draws else one.replicates)
    found = compare(
        one.arms[0], one.arms[1:], replicates=replicates, draws=asked.draws, folder=folder / "runs", workers=asked.workers,
        cluster=asked.cluster, progress=lambda phase, done: print(f"\r{name}: {phase} {done:.0%}", end="", flush=True),
    )  # fmt: skip
    print()
    found.write(folder)
    figures = draw_comparison(found, folder)
    (folder / "effects.md").write_text(page(found, tuple(path.name for path in figures)), encoding="utf-8")
    answering = next((path for path in figures if path.stem == one.main), figures[0])
    shutil.copyfile(answering, HERE / name / answering.name)
    put(HERE / name / "README.md", block(found, answering.name))


def block(found: Comparison, figure: str) -> str:
    """The words, the table of conditions of each arm, and the figure, as Markdown."""
    parts = [f"{head(found)}.", "", f"![{figure.removesuffix('.png').replace('_', ' ')}]({figure})", ""]
    for one in found.alternatives:
        parts += [f"### {one.name}", "", f"Against {found.baseline.name}: {differences(one, found.baseline)}.", ""]
        parts += [f"- {line}." for line in sentences(found, one.name)] + [""]
    for one in found.alternatives:
        title, heads, rows = next(tables(found, one.name))
        chosen = [
            row
            for row in rows
            if row[0] in ("any condition of the family", "fibromyalgia", "chronic widespread pain", "chronic pain")
        ]
        lines = [
            f"{one.name}: {title.lower()}",
            "",
            *(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *chosen)),
            "",
        ]
        parts += lines
    return "\n".join(parts)


def put(readme: Path, text: str) -> None:
    """Replace what stands between the markers."""
    whole = readme.read_text(encoding="utf-8")
    before, rest = whole.split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n\n{text.strip()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

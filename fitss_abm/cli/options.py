"""Options that mean the same in several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Seed = Annotated[str | None, typer.Option(help="The same seed gives the same numbers. [1]", metavar="N")]
SeedOfFile = Annotated[
    str | None, typer.Option(help="The same seed gives the same numbers. [the file's; 1]", metavar="N")
]
Location = Annotated[
    str | None, typer.Option(help="Whose ages and death rates; `fitss locations` lists them. [Germany]", metavar="NAME")
]
Draws = Annotated[
    str | None,
    typer.Option(
        help="Runs at each of so many draws of the calibration's posterior: intervals then hold what it left open.",
        metavar="D",
    ),
]
Discount = Annotated[
    str | None, typer.Option(help="Rate per year at which costs are discounted. [0.03]", metavar="RATE")
]
Threads = Annotated[str | None, typer.Option(help="At most so many cores; changes no number. [all]", metavar="N")]
Workers = Annotated[
    str | None,
    typer.Option(help="How many runs at a time; 0: in this process. Changes no number. [a run a core]", metavar="N"),
]
Cluster = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler that hands the runs out.", metavar="ADDRESS")
]
Out = Annotated[Path | None, typer.Option(help="Folder for what comes out. [a fresh one in runs/]", metavar="FOLDER")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the results that are in the folder.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what is wrong.")]

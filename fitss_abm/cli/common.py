"""What every command needs: what was typed as numbers, faults and exit codes, runs that are kept, progress, where results go."""

from __future__ import annotations

import datetime
import errno
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fitss_abm.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

FAILED, BAD_INPUT, STOPPED, TERMINATED = 1, 2, 130, 143
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_WIDE = 150  # characters, where nobody's screen says how wide a line may be
_PHASES = {
    "compiling": "compiling the model, once on this machine, about half a minute",
    "network": "people and their ties",
    "pre-history": "their lives before the first day",
    "years": "the years of the run",
}


def fresh_name(name: str) -> Path:
    """runs/<name>-<date>-<n>, the first that is not there yet."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "run"
    today = datetime.date.today().isoformat()
    number = 1
    while (folder := Path("runs") / f"{plain}-{today}-{number}").exists():
        number += 1
    return folder


def number(text: str) -> int | float | str:
    """The number that a text says; the text itself where it says none, so that it is told with all other faults."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number  # 1e6 people are welcome


def numbers(given: Mapping[str, str | None]) -> dict[str, Any]:
    """What was typed, as numbers; what was not typed is left out."""
    return {name: number(text) for name, text in given.items() if text is not None}


def console() -> Console:
    """Where results are printed."""
    from rich.console import Console

    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=_WIDE)


@contextmanager
def told() -> Iterator[None]:
    """Say what is wrong with an input, or that the run was stopped, and leave with the right exit code."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except InputError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_INPUT) from None
    except MemoryError:
        typer.echo("not enough memory for so many people; nothing was written", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        typer.echo(f"the disk is full ({error.strerror}); nothing was written", err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        typer.echo("stopped; nothing was written", err=True)
        raise typer.Exit(STOPPED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: object) -> None:
    raise SystemExit(TERMINATED)


def begin_kept(folder: Path, *, quiet: bool) -> Path:
    """Say where runs are kept, and make that folder."""
    from fitss_abm.study.kept_folder import make_kept

    if not quiet:
        typer.echo(f"Runs are kept in {folder}; with --out {folder} the same command goes on where it was stopped.")
    return make_kept(folder)


@contextmanager
def kept_runs(folder: Path) -> Iterator[None]:
    """Within `told`, around runs kept in `folder`: say which failed, or how to go on after a stop."""
    from fitss_abm.study.missing_runs import MissingRuns

    try:
        yield
    except MissingRuns as error:
        typer.echo(str(error), err=True)
        typer.echo(f"the others are kept; with --out {folder} the same command tries these again", err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        if not folder.exists():
            raise
        typer.echo(f"stopped; with --out {folder} the same command goes on from here", err=True)
        raise typer.Exit(STOPPED) from None


@contextmanager
def progress(quiet: bool) -> Iterator[Any]:
    """Shows on a terminal which phase the run is in and how long it still takes; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("left:"),
        TimeRemainingColumn(),
    )  # fmt: skip
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bars:

        def tell(phase: str, fraction: float) -> None:
            if phase not in tasks:
                for name, task in tasks.items():
                    bars.update(task, total=1.0, completed=1.0, visible=name != "compiling")
                tasks[phase] = bars.add_task(_PHASES.get(phase, phase), total=None if phase == "compiling" else 1.0)
            if phase != "compiling":
                bars.update(tasks[phase], completed=fraction)

        yield tell

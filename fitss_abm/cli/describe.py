"""`fitss describe` and `fitss locations`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from fitss_abm.cli.common import console, told
from fitss_abm.errors import Fault, InputError, nearest_name


class Format(StrEnum):
    """How `describe` answers."""

    TEXT = "text"
    MD = "md"


def describe(
    what: Annotated[
        str | None,
        typer.Argument(
            help="rules, parameters, conditions, programmes, diagnosis, columns, network, instruments or reports. [all]",
            metavar="[WHAT]",
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="For the terminal, or as Markdown.")] = Format.TEXT,
) -> None:
    """Print the model as it is declared: the rules of a day in order, every number with unit and source, the
    conditions.

    Example: `fitss describe parameters --format md > parameters.md`
    """
    from fitss_abm.presentation.describe import SECTIONS, markdown, show

    with told():
        if what is not None and what not in SECTIONS:
            problem = f"can be described are {', '.join(SECTIONS)}"
            raise InputError([Fault("describe", what, problem, nearest=nearest_name(what, SECTIONS))])
        sections = [section() for name, section in SECTIONS.items() if what in (None, name)]
    if format is Format.MD:
        typer.echo(markdown(sections))
    else:
        show(sections, console())


def locations(
    text: Annotated[str | None, typer.Argument(help="Only those whose name holds this.", metavar="[TEXT]")] = None,
) -> None:
    """List the locations of the UN table, or those whose name, or another name of theirs, holds TEXT.

    Example: `fitss locations korea`
    """
    from fitss_abm.model.demography import ALIASES, locations

    wanted = (text or "").lower()
    found = [name for name in locations() if any(wanted in each.lower() for each in (name, *ALIASES.get(name, ())))]
    with told():
        if not found:
            raise InputError([Fault("locations", text, "no such location", nearest=nearest_name(wanted, locations()))])
    for name in found:
        typer.echo(name)

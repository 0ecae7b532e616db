"""`fitss knockout`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fitss_abm.cli.common import begin_kept, console, fresh_name, kept_runs, numbers, progress, told
from fitss_abm.cli.knockout_input import checked, settings_of
from fitss_abm.cli.options import Cluster, Out, Overwrite, Quiet, Seed, Workers

if TYPE_CHECKING:
    from fitss_abm.study.knockout import Record, Variant
    from fitss_abm.study.knockout_score import Knockout
    from fitss_abm.study.sex_decomposition import Decomposition

_SEX_PEOPLE = 5_000  # in a run of the decomposition: many small ones tell better how much they differ


def knockout(
    people: Annotated[str | None, typer.Option(help="How many people in each run. [20000]", metavar="N")] = None,
    replicates: Annotated[
        str | None, typer.Option(help="Runs of each variant, each with its own luck. [5]", metavar="R")
    ] = None,
    seed: Seed = None,
    refits: Annotated[
        Path | None, typer.Option(help="Score these refits, made with --refit. [the shipped ones]", metavar="FILE")
    ] = None,
    refit: Annotated[
        str | None,
        typer.Option(
            help="Fit these variants anew (names with commas, or all), write knockouts.json, and score nothing: hours.",
            metavar="NAMES",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(help="Of a refit: so many times the usual number of people in its runs. [1]", metavar="SHARE"),
    ] = None,
    no_sex: Annotated[bool, typer.Option("--no-sex", help="Leave out where the sex ratio comes from.")] = False,
    sex_only: Annotated[bool, typer.Option("--sex-only", help="Only say where the sex ratio comes from.")] = False,
    workers: Workers = None,
    cluster: Cluster = None,
    out: Out = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Find out which parts of the theory the epidemiology needs.

    The full model and versions with a part taken out (soothing, support, the memory of alert, the feedback of sensitization; all
    but liability), each fitted anew with the same budget, are held against the published facts: those that may decide in a fit,
    and those that never do. The refits were made once and are shipped with their seeds; this command scores them. Then each
    mechanism through which sex acts is switched off in turn, in the same people, to say where the sex ratio comes from.

    The numbers of each run are kept in FOLDER/runs as it ends: the same command with the same --out goes on where it was stopped.

    Examples:

    `fitss knockout --out runs/knockout`

    `fitss knockout --refit no_support,full --out runs/refits` and then `fitss knockout --refits runs/refits/knockouts.json`
    """
    given = numbers({"people": people, "replicates": replicates, "seed": seed, "workers": workers, "budget": budget})
    folder = out if out is not None else fresh_name("refits" if refit is not None else "knockout")
    with told():
        variants, records = checked(
            given, folder, refit=refit, refits=refits, no_sex=no_sex, sex_only=sex_only, overwrite=overwrite
        )
        hands = {"workers": given.pop("workers", None), "cluster": cluster}
        kept = begin_kept(folder, quiet=quiet)
        with kept_runs(folder):
            if variants:
                _refit(variants, given, folder, kept, hands, quiet=quiet)
            else:
                _score(records, given, folder, kept, hands, sex=not no_sex, quiet=quiet)


def _refit(
    variants: list[Variant], given: dict[str, Any], folder: Path, kept: Path, hands: dict[str, Any], *, quiet: bool
) -> None:
    from fitss_abm.measurement.results import write_provenance
    from fitss_abm.presentation.knockout_page import budget_words, refit_words
    from fitss_abm.study import knockout as study
    from fitss_abm.study.kept_folder import results_into

    settings = settings_of(given)
    if not quiet:
        typer.echo(f"{len(variants)} to fit, each with {budget_words(vars(settings))}")
    records = {}
    for variant in variants:
        with progress(quiet) as tell:
            records[variant.name] = study.refit(
                variant,
                settings,
                folder=kept / variant.name,
                progress=partial(_within, tell, variant.label),
                **hands,
            )
        if not quiet:
            typer.echo(refit_words(records[variant.name]))
    with results_into(folder) as scratch:
        study.write_records(records, scratch / study.RECORDS)
        write_provenance(scratch, {"refits": list(records), **vars(settings)})
    if not quiet:
        typer.echo(f"Refits: {folder / study.RECORDS}; score them with --refits")


def _within(tell: Any, label: str, phase: str, fraction: float) -> None:
    tell(f"{label}: {phase}", fraction)


def _score(
    records: dict[str, Record] | None,
    given: dict[str, Any],
    folder: Path,
    kept: Path,
    hands: dict[str, Any],
    *,
    sex: bool,
    quiet: bool,
) -> None:
    from fitss_abm.presentation.knockout_page import show
    from fitss_abm.presentation.sex_decomposition_page import show_sex
    from fitss_abm.study.kept_folder import results_into
    from fitss_abm.study.knockout_score import PEOPLE, REPLICATES, score
    from fitss_abm.study.sex_decomposition import decompose

    size = {"people": PEOPLE, "replicates": REPLICATES, "seed": 1} | given
    found = parts = None
    with progress(quiet) as tell:
        if records is not None:
            found = score(records, folder=kept / "score", progress=tell, **size, **hands)
        if sex:
            pieces = max(size["people"] // _SEX_PEOPLE, 1)
            small = {
                "people": size["people"] // pieces,
                "replicates": size["replicates"] * pieces,
                "seed": size["seed"],
            }
            parts = decompose(folder=kept / "sex", progress=tell, **small, **hands)
    with results_into(folder) as scratch:
        _write(found, parts, scratch)
    if quiet:
        return
    screen = console()
    if found is not None:
        show(found, screen)
    if parts is not None:
        show_sex(parts, screen)
    screen.print(f"\nTables, page and figures: {folder}", soft_wrap=True)


def _write(found: Knockout | None, parts: Decomposition | None, scratch: Path) -> None:
    from fitss_abm.presentation.knockout_page import page
    from fitss_abm.presentation.knockout_plot import draw_knockout
    from fitss_abm.presentation.sex_decomposition_page import sex_page
    from fitss_abm.presentation.sex_decomposition_plot import draw_sex_decomposition

    text = ""
    if parts is not None:
        parts.write(scratch)
        text = sex_page(parts, head="##" if found is not None else "#")
        draw_sex_decomposition(parts, scratch / "sex_decomposition.png")
        parts.write_provenance(scratch)
    if found is not None:
        found.write(scratch)
        text = page(found) + (f"\n{text}" if text else "")
        draw_knockout(found, scratch / "knockout.png")
    (scratch / "knockout.md").write_text(text, encoding="utf-8")

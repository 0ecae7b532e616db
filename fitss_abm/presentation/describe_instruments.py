"""The instruments and the numbers of reports, as sections of `fitss describe`."""

from __future__ import annotations

from fitss_abm.measurement.instrument_table import Instrument, catalogue, features, numbers
from fitss_abm.presentation.describe import Section


def instruments() -> Section:
    """Every score: title, items, range, period asked, scoring, how it comes from the state, reliability, norm, source."""
    rows = tuple(
        (
            one.id, one.title, one.items, _range(one), one.period, one.scoring, _made(one), one.role,
            _reliability(one), _norm(one), f"{one.source}{f', doi:{one.doi}' if one.doi else ''}",
        )
        for one in catalogue().values()
    )  # fmt: skip
    headings = (
        "instrument", "title", "items", "range", "period", "scoring", "from the state", "role", "reliability", "norm", "source",
    )  # fmt: skip
    words = (
        "What a person would score on a day. Of a scale: latent = sqrt(share of state) x (sum of weight x feature, in sd) + "
        "sqrt(share of style) x style (the person's, common to all scales) + the rest x own (the person's on this scale); "
        "answer = low + (high - low) logistic(location + slope (latent + error N)), rounded. Location, slope and error are "
        "fixed numbers that give norm and reliability in the default population "
        "(experiments/instrument_norms); other populations and subgroups are findings."
    )
    return Section("Instruments", words, headings, rows)


def _range(one: Instrument) -> str:
    return one.unit if one.unit == "yes or no" else f"{one.low:g} to {one.high:g} {one.unit}"


def reports() -> Section:
    """What scales are made from, and the numbers of errors, recall and the diary."""
    rows = [
        (
            name,
            f"{one.centre:g}, {one.spread:g}",
            "centre, spread",
            "derived",
            one.meaning,
            "adults of the default population",
        )
        for name, one in features().items()
    ]
    rows += [(name, f"{one.value:g}", one.unit, one.role, one.meaning, one.source) for name, one in numbers().items()]
    words = "Roles: sourced, derived (from a norm, a reliability or a row of targets.csv that is not of role check), assumed."
    return Section("Numbers of reports", words, ("number", "value", "unit", "role", "meaning", "source"), tuple(rows))


def _made(one: Instrument) -> str:
    if one.scale is None:
        return one.from_state
    scale = one.scale
    weights = ", ".join(f"{name} {weight:g}" for name, weight in scale.weights.items())
    shares = f"state {scale.state:g}, style {scale.style:g}, own {1 - scale.state - scale.style:g}"
    constants = f"location {scale.location:g}, slope {scale.slope:g}, error {scale.error:g}"
    return f"{one.from_state}. Weights: {weights}. Shares of variance: {shares}. {constants}"


def _reliability(one: Instrument) -> str:
    if one.reliability is None:
        return ""
    return f"{one.reliability:g} in {one.reliability_in}: {one.reliability_source}"


def _norm(one: Instrument) -> str:
    if not one.norm:
        return ""
    told = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in one.norm.items())
    return f"{told} in {one.among}: {one.norm_source}"

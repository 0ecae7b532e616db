"""Derives the numbers of data/instruments.toml that are marked derived, from norms and reliabilities, in a default population.

Usage: python experiments/instrument_norms/run.py [--people 60000] [--seed 1] [--days 364] [--write | --table]

Prints them beside what is in the file; with --write, puts them there. Only the file's own norms are read, none from rows of
role `check`. Needed again when the model's default numbers have changed.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
from pathlib import Path

import numpy as np
from scipy.optimize import brentq, least_squares

import fitss_abm.measurement
from fitss_abm.measurement.groups import group
from fitss_abm.measurement.instrument_table import FEATURES, FILE, catalogue, features
from fitss_abm.measurement.instruments import Answers, administer
from fitss_abm.study.scenario import Scenario

DATA = Path(fitss_abm.measurement.__file__).parents[1] / "data" / FILE
AGAIN = 1_000_000  # another occasion, far from any day
RATIO_ROME = 9.0 / 4.6  # Palsson 2020, rows ibs_prev_rome3_us_ca_uk and ibs_prev_rome4_us_ca_uk (context)
FIGURES = 4
RELIABLE = 0.75


def scales(simulation, adults):
    """state_sd, location, slope and error of each scale: its norm and reliability hold in the people of its norm."""
    found = {}
    rng = np.random.default_rng(1)
    for id, instrument in catalogue().items():
        if instrument.scale is None:
            continue
        answers = Answers(simulation, adults)
        weights, centre = answers.state_part(instrument)
        state_sd = float((answers.features @ weights - centre).std())
        scale = dataclasses.replace(instrument.scale, state_sd=state_sd)
        table = dict(catalogue()) | {id: dataclasses.replace(instrument, scale=scale)}
        among = group(simulation, adults, instrument.among)
        latent = Answers(simulation, adults, instruments=table).latent(id)[among].astype(float)
        luck = rng.standard_normal((2, latent.size))
        span, low, norm = instrument.high - instrument.low, instrument.low, instrument.norm

        def off(x, latent=latent, luck=luck, span=span, low=low, norm=norm, wanted=instrument.reliability):
            once, twice = (low + span / (1 + np.exp(-x[0] - x[1] * (latent + x[2] * each))) for each in luck)
            once, twice = np.floor(once + 0.5), np.floor(twice + 0.5)
            level = once.mean() - norm["mean"] if "mean" in norm else 10 * ((once < 40).mean() - norm["share_below_40"])
            return [level / norm["sd"], once.std() / norm["sd"] - 1, np.corrcoef(once, twice)[0, 1] - wanted]

        start = (scale.location, scale.slope, scale.error)
        solved = least_squares(off, start, diff_step=0.02, x_scale=(1, 1, 0.5), bounds=([-8, 0.05, 0.02], [4, 5, 3]))
        found[id] = {"state_sd": state_sd} | dict(zip(("location", "slope", "error"), solved.x, strict=True))
        print(f"{id}: residuals {np.round(solved.fun, 4)}")
    return found


def retest(simulation, adults, score, among, **known):
    """Correlation of two occasions with the same state."""
    once, twice = (
        Answers(simulation, adults, occasion=day, known=known)[score][among].astype(float) for day in (None, AGAIN)
    )
    return np.corrcoef(once, twice)[0, 1]


def errors(simulation, adults):
    """Errors of what is not a scale: their stated reliability holds."""
    found = {}
    for name, score, low, high in (
        ("item_noise", "sss", 0.1, 5.0), ("point_error", "tender_points", 0.05, 3.0), ("fiqr_error", "fiqr", 0.5, 30.0),
    ):  # fmt: skip
        instrument = catalogue()[score]
        among = group(simulation, adults, instrument.reliability_in)
        found[name] = brentq(
            lambda x, name=name, score=score, among=among, wanted=instrument.reliability: (
                retest(simulation, adults, score, among, **{name: x}) - wanted
            ),
            low, high, xtol=1e-3,
        )  # fmt: skip

    def ratio(milder):
        answers = Answers(simulation, adults, known={"ibs_milder": milder})
        return answers["ibs_rome3"].mean() / answers["ibs_rome4"].mean() - RATIO_ROME

    found["ibs_milder"] = brentq(ratio, 1e-4, 0.5, xtol=1e-5)
    return found


def affect(simulation, adults, *, days=28):
    """Error of a rating of affect: of the variance of its changes from day to day about a person's mean, 75 % is true."""
    who, told = simulation.population, []
    person = who.person(adults)
    for _ in range(days):
        simulation.advance(1)
        told.append(np.minimum(who["stress"] + who["threat"], 100.0)[adults])
    alive = who.person(adults) == person
    within = np.var(np.array(told)[:, alive], axis=0, ddof=1).mean()
    return {"affect_error": float(np.sqrt(within * (1 - RELIABLE) / RELIABLE))}


def show_table(simulation, adults):
    """Means, spread, floor and retest of every score, in adults and in diagnosed patients; correlations. Printed as Markdown."""
    held, catalogue_of = simulation.population["conditions"][adults], simulation.catalogue
    has = [
        (held & np.uint32(catalogue_of.mask([id]))) != 0
        for id in ("fibromyalgia_diagnosed", "fibromyalgia_modified_2010")
    ]
    patients = has[0] & has[1]
    scores, again = administer(simulation, adults), administer(simulation, adults, occasion=AGAIN)
    print(f"{adults.size} adults, {patients.sum()} patients (diagnosed, modified 2010 criteria met)\n")
    print(
        "| score | adults: mean | sd | at the floor | asked twice, r | patients: mean | sd |\n| --- "
        + "| --- " * 6
        + "|"
    )
    for id, values in scores.items():
        x, twice = values.astype(float), again[id].astype(float)
        if catalogue()[id].is_criterion:
            print(f"| {id} | {100 * x.mean():.1f} % | | | | {100 * x[patients].mean():.0f} % | |")
            continue
        floor = 100 * (x == catalogue()[id].low).mean()
        numbers = f"{x.mean():.2f} | {x.std():.2f} | {floor:.0f} % | {np.corrcoef(x, twice)[0, 1]:.2f}"
        print(f"| {id} | {numbers} | {x[patients].mean():.1f} | {x[patients].std():.1f} |")
    ids = [id for id in scores if not catalogue()[id].is_criterion]
    print("\n|  | " + " | ".join(ids) + " |\n| --- " + "| --- " * len(ids) + "|")
    for id, row in zip(ids, np.corrcoef([scores[id] for id in ids]), strict=True):
        print(f"| {id} | " + " | ".join(f"{r:.2f}" for r in row) + " |")


def main() -> None:
    """Derive, print, and write if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=60_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--days", type=int, default=364)
    options.add_argument("--write", action="store_true")
    options.add_argument("--table", action="store_true", help="print what the instruments say of these people instead")
    asked = options.parse_args()
    simulation = Scenario(people=asked.people, seed=asked.seed).simulation()
    simulation.prepare()
    simulation.advance(asked.days)
    adults = np.flatnonzero(simulation.population["age"] >= 18)
    if asked.table:
        show_table(simulation, adults)
        return
    text = DATA.read_text(encoding="utf-8")
    seen = Answers(simulation, adults).features
    centred = {
        name: {"centre": float(seen[:, k].mean(dtype=float)), "spread": float(seen[:, k].std(dtype=float))}
        for k, name in enumerate(FEATURES)
    }
    for name, told in centred.items():
        was = features()[name]
        print(f"{name}: {was.centre:g}, {was.spread:g} -> {told['centre']:.{FIGURES}g}, {told['spread']:.{FIGURES}g}")
        line = re.compile(rf"^({name} = {{ meaning = .*, )centre = .*, spread = .* }}$", re.MULTILINE)
        text = line.sub(rf"\g<1>centre = {told['centre']:.{FIGURES}g}, spread = {told['spread']:.{FIGURES}g} }}", text)
    if asked.write:
        DATA.write_text(text, encoding="utf-8")
        catalogue.cache_clear()
        features.cache_clear()
        fitss_abm.measurement.instrument_table._file.cache_clear()
    for id, told in scales(simulation, adults).items():
        print(id, {name: f"{value:.{FIGURES}g}" for name, value in told.items()})
        head, table, rest = text.partition(f"[instruments.{id}.scale]\n")
        for name, value in told.items():
            rest = re.sub(rf"^{name} = .*$", f"{name} = {value:.{FIGURES}g}", rest, count=1, flags=re.MULTILINE)
        text = head + table + rest
    if asked.write:
        DATA.write_text(text, encoding="utf-8")
        catalogue.cache_clear()
        fitss_abm.measurement.instrument_table._file.cache_clear()
    for name, value in (errors(simulation, adults) | affect(simulation, adults)).items():
        print(f"{name} {value:.{FIGURES}g}")
        text = re.sub(rf"^({name} = {{ value = )[^,]*,", rf"\g<1>{value:.{FIGURES}g},", text, flags=re.MULTILINE)
    if asked.write:
        DATA.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

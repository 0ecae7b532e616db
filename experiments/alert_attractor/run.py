"""Can a person lock into alert? Hysteresis of alert under load and soothing, who is bistable, and recovery after a pulse.

Draws three figures and writes the numbers between the markers of README.md.
Usage: python experiments/alert_attractor/run.py [--people 20000] [--seed 1] [--out FOLDER]
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fitss_abm import Scenario
from fitss_abm.model.parameters import Parameters
from fitss_abm.presentation.attractor_plot import draw_loops, draw_pulse, draw_shares, save
from fitss_abm.study.attractor import FACTORS, SYSTEMS, TOLERANCE, Balance, adults, attractor, nearest
from fitss_abm.study.stress_pulse import pulse
from fitss_abm.study.targets import ADULT_AGE

BLUNTING, GAIN = "alert_blunts_soothing", "threat_sensitization_gain"
FEEDBACK = ((0.3, 0.3), (0.8, 1.0), (1.5, 1.5))  # chi and gamma of the worlds beside the one as shipped
CUT = {"as shipped, but chi 0": {BLUNTING: 0.0}, "as shipped, but gamma 0": {GAIN: 0.0}}  # for the pulse alone
PULSE_LOAD, PULSE_DAYS, YEARS = 3.0, 182, 4
MIDDLE = {"gain": 0.5, "sensitization": 0.5, "load": 0.5}
PERSONS = {
    "Median": MIDDLE | {"source": 0.5, "threat_reactivity": 0.5},
    "Little soothing, high reactivity": MIDDLE | {"source": 0.1, "threat_reactivity": 0.9},
    "The same, and sensitized": MIDDLE | {"source": 0.1, "threat_reactivity": 0.9, "sensitization": 0.95},
}  # ranks among adults; whoever comes nearest is shown
BEGIN, END = "<!-- numbers: written by run.py -->", "<!-- end of numbers -->"


def worlds() -> dict[str, dict[str, float]]:
    """What differs from the model as shipped, by the name of the world."""
    shipped = Parameters()
    default = (shipped[BLUNTING], shipped[GAIN])
    named: dict[str, dict[str, float]] = {f"as shipped: chi {default[0]:g}, gamma {default[1]:g}": {}}
    for chi, gamma in FEEDBACK:
        if not np.allclose((chi, gamma), default):
            named[f"chi {chi:g}, gamma {gamma:g}"] = {BLUNTING: chi, GAIN: gamma}
    return named


def examples(people: pd.DataFrame, parameters: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three people, with the loads at which each jumps, and their loops."""
    rows, loops = [], []
    for name, ranks in PERSONS.items():
        one = people.loc[[nearest(people, **ranks)]]
        row = {"person": name} | one.iloc[0].to_dict()
        jumps = {system: Balance.of(one, parameters, system).jumps() for system in SYSTEMS}
        for system, (up, down) in jumps.items():
            row |= {f"{system} up": float(up[0]), f"{system} down": float(down[0])}
        far = np.nanmax([row["load"], *(float(up[0]) for up, _ in jumps.values())])
        loads = np.linspace(0.0, 1.4 * far, 400)
        for system in SYSTEMS:
            balance = Balance.of(one, parameters, system)
            fine = np.linspace(FACTORS[0], FACTORS[-1], 400)
            for sweep, values, branches in (
                ("load", loads, balance.sweep_load(loads)),
                ("soothing", 100 * fine, balance.sweep_soothing(fine)[::-1]),
            ):
                first, second = (branch[:, 0] for branch in branches)
                up, down = (first, second) if sweep == "load" else (second, first)
                table = pd.DataFrame({"value": values, "up": np.minimum(up, down), "down": np.maximum(up, down)})
                loops.append(table.assign(person=name, sweep=sweep, system=system))
        rows.append(row)
    return pd.DataFrame(rows), pd.concat(loops, ignore_index=True)


def table(rows: list[list[str]], head: list[str]) -> str:
    """A table in Markdown, numbers to the right."""
    rule = "|".join(["---", *["---:"] * (len(head) - 1)])
    return "\n".join([f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)])


def say(value: float, digits: int = 1) -> str:
    """A number, or a dash where there is none."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def main() -> None:
    """Simulate the worlds, look for steady states, strike everybody, draw, and write the numbers."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = options.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    shares, excesses, recoveries, notes = [], [], [], []
    persons = loops = None
    for world, changed in worlds().items():
        scenario = Scenario(people=asked.people, seed=asked.seed, threads=1, parameters=changed)
        simulation = scenario.simulation()
        simulation.prepare()
        people = adults(simulation)
        if persons is None:
            persons, loops = examples(people, simulation.parameters)
        found = attractor(simulation)
        shares.append(found.shares.assign(world=world))
        states = found.states
        width = 100 * (1 - states["jump_down"] / states["jump_up"])
        settled = states.groupby("system", sort=False)[["low", "high"]].mean()
        notes.append({
            "world": world, "most_load": found.most_load, "alert": 100 * people["alert"].mean(),
            "sensitization": 100 * people["sensitization"].mean(), "width": width.groupby(states["system"]).median(),
            "low": 100 * settled["low"], "high": 100 * settled["high"],
        })  # fmt: skip
        slow = states[(states["system"] == "slow with sleep")].set_index("place")
        places = np.arange(asked.people)
        groups = {
            "all": np.isin(places, slow.index),
            "women": np.isin(places, slow.index[slow["female"] > 0]),
            "men": np.isin(places, slow.index[slow["female"] == 0]),
            "bistable": np.isin(places, slow.index[slow["now"]]),
        }
        after = pulse(scenario, simulation, groups, load=PULSE_LOAD, days=PULSE_DAYS, years=YEARS)
        excesses.append(after.excess.assign(world=world))
        recoveries.append(after.recovery.assign(world=world))
    for world, changed in CUT.items():
        scenario = Scenario(people=asked.people, seed=asked.seed, threads=1, parameters=changed)
        simulation = scenario.simulation()
        simulation.prepare()
        groups = {"all": simulation.population["age"] >= ADULT_AGE}
        after = pulse(scenario, simulation, groups, load=PULSE_LOAD, days=PULSE_DAYS, years=YEARS)
        recoveries.append(after.recovery.assign(world=world))
    share, excess, back = (pd.concat(parts, ignore_index=True) for parts in (shares, excesses, recoveries))
    assert persons is not None
    assert loops is not None
    save(partial(draw_loops, loops[loops["system"] != "slow"], persons), asked.out / "hysteresis.png")
    save(partial(draw_shares, share), asked.out / "bistable.png")
    save(partial(draw_pulse, excess, days=PULSE_DAYS, load=PULSE_LOAD), asked.out / "pulse.png")
    told = numbers(asked, persons, share, notes, back)
    readme = asked.out / "README.md"
    if readme.exists():
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        readme.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(told)


def numbers(
    asked: argparse.Namespace,
    persons: pd.DataFrame,
    share: pd.DataFrame,
    notes: list[dict[str, Any]],
    back: pd.DataFrame,
) -> str:
    """The results as the README shows them."""
    value, low, high = (
        share.set_index(["world", "system", "group", "what"])[name].to_dict() for name in ("value", "low", "high")
    )
    bistable, context = [], []
    for note in notes:
        world = note["world"]
        for system in SYSTEMS:
            key = {group: (world, system, group, "now") for group in ("all", "women", "men")}
            cells = [f"{value[k]:.1f} ({low[k]:.1f}–{high[k]:.1f})" for k in key.values()]
            some = value[key["all"]]
            upper = 100 * value[world, system, "all", "upper"] / some if some else np.nan
            any_load, soothing, locked = (
                value[world, system, "all", what] for what in ("any_load", "any_soothing", "locked")
            )
            more = [say(upper, 0), say(any_load), say(soothing), say(note["width"][system]), say(locked, 2)]
            bistable.append([world, system, *cells, *more])
        ends = [f"{note['low'][system]:.1f}–{note['high'][system]:.1f}" for system in SYSTEMS]
        context.append([world, say(note["alert"]), say(note["sensitization"]), *ends, say(note["most_load"])])
    example = [
        [row["person"], *(say(row[name], 2) for name in ("threat_reactivity", "source", "sensitization", "load")),
         *(f"{say(row[f'{system} up'], 2)} / {say(row[f'{system} down'], 2)}" for system in SYSTEMS)]
        for row in persons.to_dict("records")
    ]  # fmt: skip
    recovered = [
        [row["world"], row["variable"], row["group"], f"{row['people']:,}", say(row["peak"]), say(row["half_time"], 0),
         *(say(row[f"left_{k}"], 0) for k in range(1, YEARS + 1))]
        for row in back[(back["variable"] == "alert") | (back["group"] == "all")].to_dict("records")
    ]  # fmt: skip
    world = notes[0]["world"]
    of = back[(back["world"] == world) & (back["variable"] == "alert") & (back["group"] == "all")].iloc[0]
    fast, slow = value[world, "fast", "all", "now"], value[world, "slow with sleep", "all", "now"]
    half = "not within the time followed" if np.isnan(of["half_time"]) else f"after {of['half_time']:.0f} days"
    locked = value[world, "slow with sleep", "all", "locked"]
    head = ["world", "follows", "now: all", "women", "men", "in alert", "any load", "any soothing", "width", "locked"]
    return "\n\n".join([
        f"{asked.people:,} people (seed {asked.seed}), of whom {int(share['people'].max()):,} are adults. "
        f"**As shipped, {slow:.1f} % of adults are bistable at their own present load** if sensitization and sleep follow "
        f"alert, {fast:.1f} % if both are held; {locked:.2f} % would stay in alert without any load. After a pulse of "
        f"{PULSE_LOAD:g} stress units a day for {PULSE_DAYS} days half of the excess alert is gone {half}, and "
        f"{of['left_1']:.1f} % of it is left after a year, {of['left_3']:.1f} % after three.",
        "### Bistable adults",
        table(bistable, head),
        "*Now*: at their own present load, % of adults (95 % interval). *In alert*: of these, % nearer to the alert state. "
        "*Any load*: % of adults bistable at some load up to that of one adult in a hundred. *Any soothing*: % bistable at "
        f"their own load and some multiple from {FACTORS[0]:g} to {FACTORS[-1]:g}, in steps of {FACTORS[1] - FACTORS[0]:.2g}, "
        "of their sources of soothing. *Width*: median distance from the load at which alert jumps up to that at which it "
        "jumps back, % of the first: where it is small, hysteresis at some load means little. *Locked*: % whose alert would "
        f"stay without any load. Two states count as two if they differ by more than {100 * TOLERANCE:g} points of 100.",
        "### The worlds",
        table(context, ["world", "alert", "sensitization", *SYSTEMS, "high load"]),
        "Mean alert and sensitization of adults as simulated; mean alert by the reduced equations if everybody were in the "
        "calm – and if everybody were in the alert – of their steady states (all points of 100); the load of one adult in a "
        "hundred (stress units a day).",
        "### Three people of the world as shipped",
        table(example, ["person", "reactivity", "soothing sources", "sensitization", "own load", *SYSTEMS]),
        "The loads at which alert jumps up / back (stress units a day); – where it does not jump.",
        "### After the pulse",
        table(recovered, ["world", "excess", "group", "people", "at the end", "half-time",
                          *(f"{k} y" for k in range(1, YEARS + 1))]),
        "*At the end* of the pulse: points of 100. *Half-time*: days from then until half of it is gone; – if it is not within "
        "the time followed. Then what is left after whole years, % of the excess at the end. *Bistable*: who is so before the "
        "pulse, sensitization and sleep following.",
    ])  # fmt: skip


if __name__ == "__main__":
    main()

"""A daily diary of chosen people, as a diary study would have it: hassles, stress, affect, pain, sleep, missed prompts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fitss_abm.errors import Faults
from fitss_abm.measurement import diary_entries
from fitss_abm.measurement.instrument_table import numbers
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Simulation
from fitss_abm.model.view import key_of

MOST_DAYS, MOST_PROMPTS = 3653, 24
SCHEMA = pa.schema(
    [
        ("person_id", pa.int64()), ("day", pa.int32()), ("prompt", pa.int8()), ("answered", pa.bool_()),
        ("hassle", pa.bool_()), ("hassles", pa.int8()), ("severity", pa.float32()), ("stress", pa.float32()),
        ("negative_affect", pa.float32()), ("positive_affect", pa.float32()), ("pain", pa.float32()), ("sleep", pa.float32()),
    ]
)  # fmt: skip
"""Columns of the table of `diary`."""
_RATES = (
    "hassle_rate", "hassle_rate_sd", "hassle_rate_female", "hassle_rate_per_decade", "hassle_interpersonal_share",
    "hassle_interpersonal_severity",
)  # fmt: skip
_NUMBERS = (
    "pain_day_sd", "affect_error", "stress_half", "positive_half", "positive_weight", "sleep_error",
)  # fmt: skip
_STATES = (
    "stress", "threat", "soothing", "body_map", "sensitization", "variation", "central_gain", "reported_relief", "poor_sleep",
)  # fmt: skip


def diary(
    simulation: Simulation,
    slots: NDArray[np.int64],
    *,
    days: int,
    prompts: int = 1,
    on_death: Callable[[NDArray[np.int64]], None] | None = None,
) -> pa.Table:
    """Live through `days` more days and have the people who live in `slots` now keep a diary. No life is changed by it.

    One row a person, day and prompt, by day, prompt and person, up to the day before a person's death: person_id; day (of
    the simulation, 0 the first); prompt (0 ..; of equal stretches of the day); answered; where it was answered (else null)
    hassle (any since the last prompt), hassles (how many), severity (sum, unit exponential each, interpersonal ones heavier),
    stress, negative_affect, positive_affect (0 to 100), pain (0 to 10), sleep (last night's quality, 0 to 10; at the first
    prompt). The model has one state a day, so prompts of a day differ by hassles and error alone. Negative affect is
    stress of the day + threat + error, a point each, held within the scale. `on_death` is handed to `advance`.
    """
    slots = checked(simulation, slots, days=days, prompts=prompts)
    person = simulation.population.person(slots)
    parts = []
    for _ in range(days):
        simulation.advance(1, on_death=on_death)
        here = simulation.population.person(slots) == person
        parts.append(day_of_diary(simulation, slots[here], prompts=prompts))
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def checked(simulation: Simulation, slots: NDArray[np.int64], *, days: int, prompts: int) -> NDArray[np.int64]:
    """The slots as an array of int64. Raises InputError with everything that cannot be used."""
    faults = Faults()
    bounds: dict[str, tuple[Any, int, int]] = {"days": (days, 0, MOST_DAYS), "prompts": (prompts, 1, MOST_PROMPTS)}
    for name, (value, low, high) in bounds.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
            faults.add(name, value, f"must be a whole number between {low} and {high}")
    chosen = np.ascontiguousarray(slots, dtype=np.int64)
    outside = (chosen < 0) | (chosen >= simulation.people)
    if outside.any():
        faults.add("slots", int(chosen[outside][0]), f"must be between 0 and {simulation.people - 1}")
    faults.raise_if_any()
    return chosen


def day_of_diary(simulation: Simulation, slots: NDArray[np.int64], *, prompts: int = 1) -> pa.Table:
    """The entries about the day that was lived last, of the people who live in `slots` now; columns as in `diary`."""
    who = simulation.population
    simulation.use_threads()
    number = simulation.day - 1
    day = np.uint32(number & 0xFFFFFFFF)
    key = simulation.seeds.key(Stream.MEASUREMENT)
    generation = who["generation"]
    rates = tuple(np.float32(simulation.parameters[name]) for name in _RATES)
    count = np.empty((prompts, slots.size), np.int8)
    severity = np.empty((prompts, slots.size), np.float32)
    diary_entries.hassles_of_day(
        slots, generation, who["female"], who["age"], who["personal"], day, *simulation.seeds.key(Stream.LIFE),
        rates, prompts, *key_of(key, "diary"), count, severity,
    )  # fmt: skip
    known = numbers()
    compliance = known["diary_compliance"].value
    given = (
        np.float32(simulation.parameters["pain_gain"]),
        *(np.float32(known[name].value) for name in _NUMBERS),
        np.float32(np.log(compliance / (1 - compliance))),
        np.float32(known["diary_compliance_sd"].value),
    )
    parts = []
    for prompt in range(prompts):
        present = np.empty(slots.size, np.bool_)
        stress, negative, positive, pain, sleep = (np.empty(slots.size, np.float32) for _ in range(5))
        diary_entries.entries(
            slots, generation, day, *(who[name] for name in _STATES), given, *key_of(key, "diary"), *key_of(key, "pain"),
            *key_of(key, f"diary prompt {prompt}"), present, stress, negative, positive, pain, sleep,
        )  # fmt: skip
        missed = ~present
        columns: dict[str, Any] = {
            "person_id": who.person(slots),
            "day": np.full(slots.size, number, np.int32),
            "prompt": np.full(slots.size, prompt, np.int8),
            "answered": present,
        }
        told = {
            "hassle": count[prompt] > 0, "hassles": count[prompt], "severity": severity[prompt], "stress": stress,
            "negative_affect": negative, "positive_affect": positive, "pain": pain,
        }  # fmt: skip
        columns |= {name: pa.array(values, mask=missed) for name, values in told.items()}
        columns["sleep"] = pa.array(sleep, mask=missed if prompt == 0 else np.ones_like(missed))
        parts.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(parts)

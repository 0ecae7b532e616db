"""Instruments administered: scores of chosen people on a day, with the error that each instrument has.

The state is only read. Luck is keyed by the measurement stream, person, instrument and day, so that whoever else is asked,
and how often, changes no answer and no life. `fitss describe instruments` has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from fitss_abm.errors import Faults
from fitss_abm.measurement import diary_entries, recall, scales, symptom_reports
from fitss_abm.measurement.instrument_table import FEATURES, Instrument, Number, catalogue, features, names, numbers
from fitss_abm.model.conditions import EXPLAINS_PAIN, body_map
from fitss_abm.model.engine import IN_PREHISTORY
from fitss_abm.model.history import DAYS, STAGES
from fitss_abm.model.randomness import Stream
from fitss_abm.model.simulation import Simulation
from fitss_abm.model.view import key_of

__all__ = ["Answers", "Instrument", "Number", "administer", "catalogue", "names", "numbers"]

Scores = dict[str, NDArray[Any]]
_POINTS = 18
_ELEVENTH = 10.5
_IBS = "irritable_bowel_syndrome"
_PAIN_WEEKS = 3  # the row of `weeks_met` with the weeks in which something hurt
_FEATURE_NUMBERS = (
    "pain_intercept", "pain_sensitization", "pain_alert", "pain_person_sd", "variation_weight", "pain_gain",
    "somatic_intercept", "somatic_sensitization", "somatic_alert", "somatic_person_sd", "somatic_pain_correlation",
    "somatic_per_site", "somatic_per_condition", "somatic_variation",
    "tender_point_drive", "tender_point_female", "tender_point_threshold",
)  # fmt: skip
_LEVELS = ("job_strain_level", "bullying_level", "caregiving_level", "poverty_level")


def administer(
    simulation: Simulation,
    slots: NDArray[np.int64],
    *,
    scores: Sequence[str] | None = None,
    occasion: int | None = None,
) -> Scores:
    """What the people who live in `slots` answer today: an array (slots,) for each of `scores` (all, if None).

    Whole numbers in int16, FIQR in float32 (a decimal), criteria in bool, each within the range of `catalogue()`. The state
    is that of today; `occasion` is the day that keys the error (today, if None): another one asks again with fresh error.
    Raises InputError for a score that is not in `names()` or a slot that does not exist.
    """
    asked = tuple(names() if scores is None else scores)
    answers = Answers(simulation, slots, occasion=occasion)
    faults = Faults()
    for score in asked:
        if score not in catalogue():
            faults.unknown("scores", score, "score", names())
    faults.raise_if_any()
    return {score: answers[score] for score in asked}


class Answers(Mapping[str, NDArray[Any]]):
    """Scores of some people on a day, each worked out when it is asked for. `known` are numbers that replace the file's."""

    def __init__(
        self,
        simulation: Simulation,
        slots: NDArray[np.int64],
        *,
        occasion: int | None = None,
        instruments: Mapping[str, Instrument] | None = None,
        known: Mapping[str, float] | None = None,
    ) -> None:
        self.slots = np.ascontiguousarray(slots, dtype=np.int64)
        faults = Faults()
        outside = (self.slots < 0) | (self.slots >= simulation.people)
        if outside.any():
            worst = int(self.slots[outside][0])
            faults.add("slots", worst, f"must be between 0 and {simulation.people - 1}")
        faults.raise_if_any()
        self._simulation = simulation
        self._who = simulation.population
        self._day = simulation.day if occasion is None else occasion
        self._instruments = catalogue() if instruments is None else instruments
        self._numbers = {name: number.value for name, number in numbers().items()} | dict(known or {})
        self._made: dict[str, NDArray[Any]] = {}
        self._latents: dict[str, NDArray[np.float32]] = {}

    def __getitem__(self, score: str) -> NDArray[Any]:
        if score not in self._made:
            instrument = self._instruments[score]
            if instrument.scale is not None:
                self._made[score] = self._scale(instrument)
            else:
                self._made.update(_MAKERS[score](self))
        return self._made[score]

    def __iter__(self) -> Any:
        return iter(self._instruments)

    def __len__(self) -> int:
        return len(self._instruments)

    @property
    def _occasion(self) -> np.uint32:
        return np.uint32(self._day & 0xFFFFFFFF)

    def _key(self, name: str) -> tuple[np.uint32, np.uint32]:
        return key_of(self._simulation.seeds.key(Stream.MEASUREMENT), name)

    def _number(self, name: str) -> np.float32:
        return np.float32(self._numbers[name])

    def _parameter(self, name: str) -> np.float32:
        return np.float32(self._simulation.parameters[name])

    def _empty(self, dtype: Any) -> NDArray[Any]:
        return np.empty(self.slots.size, dtype)

    @property
    def _people(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        return self.slots, self._who["generation"]

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """What scales are made from, (slots, FEATURES), not centred."""
        self._simulation.use_threads()
        out = np.empty((self.slots.size, len(FEATURES)), np.float32)
        states = (
            "threat", "soothing", "alert_mean", "sensitization", "personal", "variation", "body_map", "conditions",
            "central_gain", "poor_sleep", "loneliness", "sensory_sensitivity", "event_load", "stressors", "stress_relief",
            "reported_relief", "female",
        )  # fmt: skip
        given = tuple(self._parameter(name) for name in _FEATURE_NUMBERS)
        levels = np.array([self._parameter(name) for name in _LEVELS], np.float32)
        masks = self._simulation.catalogue.arrays()["condition_masks"]
        scales.features(self.slots, *(self._who[name] for name in states), masks, given, levels, out)
        return out

    def feature(self, name: str) -> NDArray[np.float32]:
        """One column of `features`, contiguous."""
        return np.ascontiguousarray(self.features[:, FEATURES.index(name)])

    @cached_property
    def distress(self) -> NDArray[np.float32]:
        """Today's balance of threat and soothing in spreads of the default population: what colours recall."""
        about = features()["balance"]
        return (self.feature("balance") - np.float32(about.centre)) / np.float32(about.spread)

    @cached_property
    def _style(self) -> NDArray[np.float32]:
        style = self._empty(np.float32)
        scales.habits(*self._people, *self._key("style"), style)
        return style

    def state_part(self, instrument: Instrument) -> tuple[NDArray[np.float32], np.float32]:
        """Weights of the raw features, and what to take off, for the state's part of a scale before its share is applied."""
        weights = np.zeros(len(FEATURES), np.float32)
        centre = 0.0
        assert instrument.scale is not None
        for name, weight in instrument.scale.weights.items():
            about = features()[name]
            weights[FEATURES.index(name)] = weight / about.spread
            centre += weight * about.centre / about.spread
        return weights, np.float32(centre)

    def latent(self, score: str) -> NDArray[np.float32]:
        """The true value behind a scale, mean about 0 and sd about 1 in adults of the default population."""
        if score not in self._latents:
            instrument = self._instruments[score]
            scale = instrument.scale
            assert scale is not None
            weights, centre = self.state_part(instrument)
            by_state = np.float32(np.sqrt(scale.state) / scale.state_sd)
            by_own = np.float32(np.sqrt(1.0 - scale.state - scale.style))
            out = self._empty(np.float32)
            slots, generation = self._people
            scales.latents(
                self.features, weights * by_state, centre * by_state, self._style, np.float32(np.sqrt(scale.style)),
                slots, generation, by_own, *self._key(score), out,
            )  # fmt: skip
            self._latents[score] = out
        return self._latents[score]

    def true_share(self, score: str) -> NDArray[np.float32]:
        """The answer without error as a share of the scale's range."""
        scale = self._instruments[score].scale
        assert scale is not None
        shares = self._empty(np.float32)
        scales.shares(self.latent(score), np.float32(scale.location), np.float32(scale.slope), shares)
        return shares

    def _scale(self, instrument: Instrument) -> NDArray[Any]:
        scale = instrument.scale
        assert scale is not None
        out = self._empty(np.int16)
        given = (np.float32(x) for x in (scale.location, scale.slope, scale.error, instrument.low, instrument.high))
        scales.answers(
            self.latent(instrument.id), *given, *self._people, self._occasion, *self._key(instrument.id), out
        )
        return out

    @cached_property
    def _point_thresholds(self) -> NDArray[np.float32]:
        quantiles = norm.ppf((np.arange(_POINTS) + 0.5) / _POINTS)
        eleventh = float(quantiles[10])
        thresholds: NDArray[np.float32] = ((quantiles - eleventh) * self._numbers["point_spread"]).astype(np.float32)
        return thresholds

    def _reports(self) -> Scores:
        simulation, who = self._simulation, self._who
        hurt = np.bitwise_count(who["weeks_met"][_PAIN_WEEKS][self.slots])
        long_pain = hurt >= self._parameter("pain_weeks_chronic")
        explains = simulation.catalogue.arrays()["condition_masks"][EXPLAINS_PAIN]
        explained = (who["conditions"][self.slots] & explains) != 0
        wpi, sss, points = (self._empty(np.int16) for _ in range(3))
        met = self._empty(np.uint8)
        symptom_reports.reports(
            *self._people, self._occasion, *self._key("symptoms"), who["body_map"], self.feature("somatic"),
            self.feature("tenderness"), who["poor_sleep"], who["alert_mean"], long_pain, explained,
            body_map()["site_masks"], self._number("site_missed"), self._number("site_added"), self._number("item_noise"),
            self._parameter("sleep_reference"), self._number("point_error"), self._point_thresholds, wpi, sss, points, met,
        )  # fmt: skip
        bits = {
            "fm_acr1990": symptom_reports.ACR_1990, "fm_acr2010": symptom_reports.ACR_2010,
            "fm_mod2010": symptom_reports.MODIFIED_2010, "fm_acr2016": symptom_reports.ACR_2016, "cwp": symptom_reports.CWP,
        }  # fmt: skip
        criteria = {name: (met >> np.uint8(bit) & np.uint8(1)).astype(bool) for name, bit in bits.items()}
        return {"wpi": wpi, "sss": sss, "psd": wpi + sss, "tender_points": points} | criteria

    def _pain(self) -> Scores:
        average, worst = self._empty(np.int16), self._empty(np.int16)
        diary_entries.pain_ratings(
            *self._people, self._simulation.day, self._occasion, *self._key("pain"), self.feature("pain"),
            self._number("pain_day_sd"), self._number("pain_recall_error"), average, worst,
        )  # fmt: skip
        return {"pain_average": average, "pain_worst": worst}

    def _impact(self) -> Scores:
        who, out = self._who, self._empty(np.float32)
        symptom_reports.impact(
            *self._people, self._occasion, *self._key("fiqr"), self.feature("pain"), self.feature("somatic"),
            self.feature("tenderness"), self._point_thresholds, who["poor_sleep"], self._parameter("sleep_reference"),
            who["sensitization"], who["sensory_sensitivity"], self.true_share("phq9"), self.true_share("gad7"),
            self._number("fiqr_error"), out,
        )  # fmt: skip
        return {"fiqr": out}

    def _bowel(self) -> Scores:
        simulation, who = self._simulation, self._who
        condition = simulation.catalogue[_IBS]
        bit = np.uint32(simulation.catalogue.mask([_IBS]))
        hazard = int(np.flatnonzero(simulation.catalogue.arrays()["condition_bit"] == bit)[0])
        rome3, rome4 = self._empty(np.bool_), self._empty(np.bool_)
        loadings = (
            condition.loading_sensitization,
            condition.loading_alert,
            condition.onset_per_decade,
            condition.female_onset,
        )
        recall.bowel(
            *self._people, self._occasion, *self._key("bowel"), (who["conditions"][self.slots] & bit) != 0, who["age"],
            who["female"], who["sensitization"], who["alert_mean"], who["susceptibility"][hazard],
            *(np.float32(x) for x in loadings), self._parameter("onset_sensitization"), self._parameter("onset_alert"),
            self._parameter("susceptibility_sd"), np.float32(condition.age_from), self._number("ibs_milder"),
            self._number("ibs_missed"), self._number("ibs_added"), rome3, rome4,
        )  # fmt: skip
        return {"ibs_rome3": rome3, "ibs_rome4": rome4}

    def events(self) -> Scores:
        """`true`: life events of the last 52 weeks as they were; `events_year`: as told."""
        simulation, who = self._simulation, self._who
        true, told = self._empty(np.int16), self._empty(np.int16)
        last = STAGES[-1]
        rates = ("life_event_rate", "event_proneness_sd", "life_event_per_adversity")
        recalled = ("event_fading", "event_false", "event_tilt")
        recall.life_events(
            *self._people, who["birth_day"], who["personal"], who["adversity"], self.distress, simulation.day,
            self._occasion, DAYS, IN_PREHISTORY,
            np.float32(last.span / last.days), *simulation.seeds.key(Stream.LIFE),
            *(self._parameter(name) for name in rates), *self._key("events"), *(self._number(name) for name in recalled),
            true, told,
        )  # fmt: skip
        return {"true": true, "events_year": told}

    def _childhood(self) -> Scores:
        who, told = self._who, self._empty(np.int16)
        recall.childhood(
            *self._people, who["adversity"], who["female"], self.distress, *self._key("childhood"),
            self._number("adversity_agreement"), self._parameter("adversity_continuation"),
            self._parameter("adversity_continuation_female"), self._number("adversity_tilt"), told,
        )  # fmt: skip
        return {"adversity_reported": told}


_MAKERS: Mapping[str, Callable[[Answers], Scores]] = {
    **dict.fromkeys(
        ("wpi", "sss", "psd", "tender_points", "fm_acr1990", "fm_acr2010", "fm_mod2010", "fm_acr2016", "cwp"),
        Answers._reports,
    ),
    **dict.fromkeys(("pain_average", "pain_worst"), Answers._pain),
    "fiqr": Answers._impact,
    **dict.fromkeys(("ibs_rome3", "ibs_rome4"), Answers._bowel),
    "events_year": Answers.events,
    "adversity_reported": Answers._childhood,
}

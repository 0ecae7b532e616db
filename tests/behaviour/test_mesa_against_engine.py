"""The Mesa model gives the engine's bits, and an overridden mechanism acts, in the same luck."""

from __future__ import annotations

import multiprocessing
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import mesa
import numpy as np
import pytest

from fitss_abm.model import history
from fitss_abm.model.arithmetic import F, exp
from fitss_abm.model.demography import load
from fitss_abm.model.mesa_model import FitssModel, Person
from fitss_abm.model.randomness import Decision, Stream, draw, stream_key, uniform
from fitss_abm.model.rules import DAY, Day
from fitss_abm.model.simulation import Seeds, Simulation

PEOPLE = 500
DAYS = 60


def engine(people: int = PEOPLE, **arguments: Any) -> Simulation:
    simulation = Simulation(people=people, demography=load("Germany"), seeds=Seeds(master=3), **arguments)
    simulation.prepare()
    return simulation


def assert_same(one: Simulation, other: Simulation) -> None:
    for name, column in one.population.items():
        np.testing.assert_array_equal(column, other.population[name], err_msg=name)
    for name in ("start", "neighbour", "weight", "layer"):
        np.testing.assert_array_equal(getattr(one.network, name), getattr(other.network, name), err_msg=name)


@pytest.fixture(scope="module")
def straight() -> Simulation:
    simulation = engine()
    simulation.advance(DAYS)
    return simulation


@pytest.fixture
def short_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overrides run in Python, in the pre-history too: ten days of it are enough here."""
    stages = (history.Stage(later=0.0, span=1e9, days=10),)
    monkeypatch.setattr(history, "STAGES", stages)
    monkeypatch.setattr(history, "DAYS", 10)


def test_stepping_gives_the_engines_bits_through_deaths(straight: Simulation) -> None:
    model = FitssModel(people=PEOPLE, location="Germany", seed=3)
    for _ in range(20):
        model.step()
    model.run_for(DAYS - 20)
    assert (model.steps, model.time, model.day) == (DAYS, DAYS, DAYS)
    assert straight.population["generation"].sum() > 0, "somebody must have died for this to say much"
    assert_same(model.simulation, straight)
    assert model.agents.get("threat") == straight.population["threat"].tolist()
    assert model.agents.get("unique_id") == straight.population.person().tolist()


def test_a_simulation_made_before_and_what_mesa_draws_change_no_bit(straight: Simulation) -> None:
    model = FitssModel(simulation=engine(), rng=77, days=DAYS)
    while model.running:
        model.agents.shuffle().select(lambda person: person.age < 50, at_most=5).do(lambda person: person.ties)
        model.step()
    assert_same(model.simulation, straight)


class SameThreat(Person):
    """Threat by the shipped equation, in float32."""

    def threat(self) -> None:
        p = self.parameters
        sleep = F(1) - p.sleep_recovery_effect * (self.poor_sleep - p.sleep_reference)
        kept = F(exp(-p.threat_recovery * self.soothing * max(sleep, F(0))))
        made = self.threat_reactivity * (F(1) + p.threat_sensitization_gain * self.sensitization) * self.stress
        self.threat = self.threat * kept + made


class AsItWas(Person):
    """Threat by the mechanism that is overridden."""

    def threat(self) -> None:
        super().threat()


class MoreThreat(Person):
    """Half as much threat again."""

    def threat(self) -> None:
        super().threat()
        self.threat = self.threat * 1.5


@pytest.mark.usefixtures("short_history")
def test_an_override_with_the_same_equation_gives_the_same_bits_and_another_does_not() -> None:
    plain = engine(100)
    plain.advance(30)
    for person_class in (SameThreat, AsItWas):
        model = FitssModel(people=100, seed=3, person_class=person_class)
        assert model.simulation.engine.unfused == ("threat",)
        model.run_for(30)
        assert_same(model.simulation, plain)
    changed = FitssModel(people=100, seed=3, person_class=MoreThreat)
    changed.run_for(30)
    assert changed.agents.agg("threat", np.mean) > 1.2 * plain.population["threat"].mean()
    np.testing.assert_array_equal(changed.simulation.population["birth_day"], plain.population["birth_day"])


class Watched(Person):
    """Says what mechanisms see: weekly ones are called on the people due, luck is the person's own."""

    weekly: ClassVar[Counter[int]] = Counter()
    luck: ClassVar[list[Any]] = []

    def withdrawal(self) -> None:
        super().withdrawal()
        if self._now["today"] >= 0:
            self.weekly[self.unique_id] += 1

    def offer(self) -> None:
        if self._now["today"] == 3:
            drawn, sure = self.draw("hassles"), self.happens(1000, 1.0)
            self.luck.append((self._row, self._now["day"], drawn, sure, self.yesterday))
        given = self.giving * (F(1) - self.alert) * F(2) * self.soothing / (F(1) + self.soothing)
        self.give(given)


@pytest.mark.usefixtures("short_history")
def test_weekly_mechanisms_luck_and_offers() -> None:
    named = {rule.name: rule for rule in DAY}
    names = ("traits", "susceptibilities", "ageing", "support", "soothing", "withdrawal", "offer")
    some = Day(named[name] for name in names)
    Watched.weekly.clear()
    Watched.luck.clear()
    model = FitssModel(people=200, seed=3, day=some, person_class=Watched)
    model.run_for(14)
    plain = engine(200, day=some)
    plain.advance(14)
    assert_same(model.simulation, plain)
    assert set(Watched.weekly.values()) == {2}
    assert len(Watched.weekly) == 200
    k0, k1 = stream_key(3, Stream.LIFE)
    row, day, drawn, sure, yesterday = Watched.luck[17]
    words = draw(np.uint32(row), np.uint32(0), np.uint32(day), np.uint32(Decision.HASSLES), k0, k1)
    assert list(drawn) == [np.float32(uniform(np.uint32(word))) for word in words]
    assert sure
    assert 0 < yesterday.offer < 4
    assert 0 <= yesterday.distress <= 1


class Collecting(FitssModel):
    """As a Mesa user writes it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.datacollector = mesa.DataCollector(
            {"alert": lambda m: m.agents.agg("alert", np.mean)}, {"threat": "threat"}
        )

    def step(self) -> None:
        super().step()
        self.datacollector.collect(self)


@pytest.fixture
def start_method() -> Iterator[None]:
    before = multiprocessing.get_start_method(allow_none=True)
    yield
    multiprocessing.set_start_method(before, force=True)  # batch_run sets it for the whole process


@pytest.mark.usefixtures("short_history", "start_method")
def test_batch_run_and_run_model() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = mesa.batch_run(
            Collecting,
            {"people": 50, "support_weight": [0.0, 0.6], "days": 3},
            rng=[3, 4],
            display_progress=False,
            data_collection_period=1,
        )
    assert len(rows) == 2 * 2 * 3 * 50
    alert = {(row["support_weight"], row["iteration"]): row["alert"] for row in rows}
    assert len(set(alert.values())) == 4, "each seed and each parameter value is a world of its own"
    model = Collecting(people=50, days=3, seed=3, support_weight=0.6)
    model.run_model()
    assert model.day == 3
    assert model.datacollector.model_vars["alert"][-1] == alert[0.6, 0]

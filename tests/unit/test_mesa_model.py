"""People as Mesa agents: flyweights over rows, sets of them, and every mistake told with the nearest valid name."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import mesa
import numpy as np
import pytest

from fitss_abm.errors import InputError
from fitss_abm.model.columns import Column
from fitss_abm.model.mesa_model import FitssModel, Person
from fitss_abm.model.randomness import Stream, stream_key

PEOPLE = 300


def made(**arguments: Any) -> FitssModel:
    """People who have not lived yet, with threat and conditions as if they had."""
    model = FitssModel(**{"people": PEOPLE, "seed": 5, "prepare": False, **arguments})
    luck = np.random.default_rng(1)
    population = model.simulation.population
    population["threat"][:] = luck.random(PEOPLE)
    for id in ("fibromyalgia", "ptsd"):
        population["conditions"][luck.random(PEOPLE) < 0.3] |= np.uint32(model.simulation.catalogue.mask([id]))
    return model


@pytest.fixture
def model() -> FitssModel:
    return made()


def test_a_person_reads_and_writes_the_columns(model: FitssModel) -> None:
    population, person = model.simulation.population, model.agents[7]
    assert person.unique_id == 7 * 65536 == population.person()[7]
    assert isinstance(person.threat, np.float32)
    assert isinstance(person.adversity, int)
    assert person.threat == population["threat"][7]
    person.threat = 2.5
    person.conditions = {"chronic_migraine", "ptsd"}
    assert population["threat"][7] == 2.5
    assert person.conditions == {"chronic_migraine", "ptsd"}
    assert person.ptsd
    assert not person.fibromyalgia
    person.ptsd = False
    person.fibromyalgia = True
    assert person.conditions == {"chronic_migraine", "fibromyalgia"}
    assert population["personal"][:, 7] is not None
    person.personal = np.arange(6)
    assert person.personal.tolist() == list(range(6))


def test_an_undeclared_attribute_names_the_nearest(model: FitssModel) -> None:
    person = model.agents[0]
    with pytest.raises(AttributeError, match=r"'treat'.*'threat'"):
        person.treat = 1.0
    with pytest.raises(AttributeError, match=r"'sensitisation'.*'sensitization'"):
        _ = person.sensitisation
    with pytest.raises(AttributeError, match=r"'threat_recovry'.*'threat_recovery'"):
        _ = person.parameters.threat_recovry
    with pytest.raises(InputError, match=r"fibromialgia.*fibromyalgia"):
        person.conditions = {"fibromialgia"}
    with pytest.raises(AttributeError):
        model.agents.agg("treat", np.mean)
    assert person.parameters.support_weight == np.float32(model.simulation.parameters["support_weight"])


def test_people_are_themselves_whichever_object_shows_them(model: FitssModel) -> None:
    person, again = model.agents[3], model.agents[3]
    assert person == again
    assert len({person, again, model.agents[4]}) == 2
    assert copy.deepcopy(person) is person
    assert copy.copy(person) == person
    assert person != made().agents[3]


def test_the_dead_drop_out_and_cannot_be_read(model: FitssModel) -> None:
    person, everybody = model.agents[3], model.agents
    some = model.agents.select(lambda p: p.unique_id < 10 * 65536)
    assert person in some
    model.simulation.population["generation"][3] += 1
    assert not person.alive
    assert person not in everybody
    assert person not in some
    assert len(some) == 9
    assert len(everybody) == PEOPLE
    assert model.agents[3].unique_id == 3 * 65536 + 1
    with pytest.raises(AttributeError, match="has died"):
        _ = person.threat
    assert model.agents.get("threat", handle_missing="default") == model.agents.get("threat")


def test_ties_are_the_network(model: FitssModel) -> None:
    network = model.simulation.network
    person = next(person for person in model.agents if person.ties)
    tie = person.ties[0]
    assert isinstance(tie.person, Person)
    assert tie.layer in {"partner", "kin", "friend", "work", "given"}
    row = person.unique_id // 65536
    mine = slice(network.start[row], network.start[row + 1])
    assert sum(t.strength for t in person.ties) == network.weight[mine].sum() / 4096
    assert any(back.person == person for back in tie.person.ties)


class Plain(mesa.Agent):
    """The same people as ordinary Mesa agents, to compare sets with."""

    def __init__(self, model: mesa.Model, person: Person) -> None:
        super().__init__(model)
        self.row, self.threat, self.female, self.ptsd = person._row, float(person.threat), person.female, person.ptsd


@pytest.fixture
def ordinary(model: FitssModel) -> mesa.agentset.AgentSet:
    other = mesa.Model(rng=1)
    for person in model.agents:
        Plain(other, person)
    return other.agents.copy()


def rows(agents: Any) -> list[int]:
    return [getattr(agent, "row", None) if isinstance(agent, Plain) else agent._row for agent in agents]


@pytest.mark.parametrize(
    "what",
    [
        lambda a: rows(copy.copy(a)),
        lambda a: rows(a.select(lambda p: p.threat > 0.5)),
        lambda a: rows(a.select(lambda p: p.ptsd, at_most=3)),
        lambda a: rows(a.select(at_most=0.1)),
        lambda a: len(a.select(agent_type=mesa.Agent)),
        lambda a: len(a.select(agent_type=int)),
        lambda a: rows(a.sort("threat")),
        lambda a: rows(a.sort("female", ascending=True)),
        lambda a: rows(a.sort("ptsd")),
        lambda a: rows(a.sort(lambda p: -p.threat)),
        lambda a: rows(a.sort("threat").select(lambda p: p.female)),
        lambda a: rows(a.to_list()[5:9]),
        lambda a: a.agg("threat", [min, max]),
        lambda a: round(a.agg("threat", np.mean), 12),
        lambda a: a.agg("ptsd", sum),
        lambda a: a.get("threat"),
        lambda a: a.get(["female", "ptsd"]),
        lambda a: a.get("nothing", handle_missing="default", default_value=1),
        lambda a: list(a.groupby("female").count().items()),
        lambda a: {key: rows(group) for key, group in a.groupby(lambda p: p.threat > 0.3)},
        lambda a: {key: rows(group) for key, group in a.groupby("ptsd", result_type="list")},
        lambda a: {k: round(v, 12) for k, v in a.groupby("female").agg("threat", np.mean).items()},
        lambda a: a.groupby("female").agg("threat", max),
        lambda a: a.groupby("female").map(len),
        lambda a: a.map(lambda p, by: p.female * by, 3),
        lambda a: a.map("__ne__", None)[:0],
        lambda a: sorted(rows(a.shuffle())),
        lambda a: len(a.select(lambda p: p.ptsd) & a.select(lambda p: p.female)),
        lambda a: len(a.select(lambda p: p.ptsd) | a.select(lambda p: p.female)),
        lambda a: a.set("threat", 1.5).agg("threat", np.mean),
        lambda a: a.do(lambda p: setattr(p, "threat", p.female * 2.0)).get("threat"),
        lambda a: sum(1 for p in a if p in a.select(lambda q: q.female)) // 1,
    ],
)  # fmt: skip
def test_a_set_of_people_answers_as_mesas_own(model: FitssModel, ordinary: Any, what: Any) -> None:
    assert what(model.agents) == what(ordinary)


def test_what_sets_of_people_do_besides(model: FitssModel) -> None:
    everybody = model.agents
    anxious = everybody.select(model.simulation.population["threat"] > 0.5)
    assert rows(anxious) == rows(everybody.select(lambda p: p.threat > 0.5))
    assert everybody.agg("fibromyalgia", np.mean) == np.mean([p.fibromyalgia for p in everybody])
    assert set(everybody.groupby("conditions").groups) == {p.conditions for p in everybody}
    assert everybody.agg("unique_id", max) == (PEOPLE - 1) * 65536
    assert rows(everybody.shuffle()) != rows(everybody)
    assert rows(made().agents.shuffle()) == rows(made().agents.shuffle())
    first = anxious[0]
    anxious.remove(first)
    assert first not in anxious
    with pytest.raises(KeyError):
        anxious.remove(first)
    anxious.add(first)
    assert rows(anxious)[-1] == first._row
    assert len(anxious.shuffle(inplace=True)) == len(anxious)
    assert model.agent_types == [Person]
    assert len(model.agents_by_type[Person]) == PEOPLE


def test_agents_of_other_classes_may_live_beside(model: FitssModel) -> None:
    clinic = mesa.Agent(model)
    assert model.agents_by_type[mesa.Agent].to_list() == [clinic]
    assert clinic.unique_id >= 2**31 * 65536
    assert len(model.agents) == PEOPLE


def test_a_data_collector_reads_people(model: FitssModel) -> None:
    collector = mesa.DataCollector(
        model_reporters={"alert": lambda m: m.agents.agg("alert", np.mean), "day": "day"},
        agent_reporters={"threat": "threat", "ill": lambda p: len(p.conditions), "ties": lambda p: len(p.ties)},
        agenttype_reporters={Person: {"age": "age"}},
    )
    collector.collect(model)
    people = collector.get_agent_vars_dataframe()
    assert people.shape == (PEOPLE, 3)
    assert people["threat"].to_numpy(dtype=float).tolist() == model.agents.get("threat")
    assert collector.get_model_vars_dataframe()["day"].tolist() == [0]
    assert len(collector.get_agenttype_vars_dataframe(Person)) == PEOPLE


def test_columns_of_ones_own(model: FitssModel) -> None:
    column = Column("exercise", np.float32, "hours a week", "exercise", "state", newborn=1.5)
    own = made(columns=(column,))
    own.agents[2].exercise = 3.0
    assert own.agents.agg("exercise", max) == 3.0
    with pytest.raises(AttributeError):
        model.agents[2].exercise = 3.0


def test_one_parameter_by_name_and_seeds() -> None:
    model = made(support_weight=0.25, parameters={"hassle_rate": 0.5}, location="Japan", rng=99)
    assert model.simulation.parameters["support_weight"] == 0.25
    assert model.simulation.parameters["hassle_rate"] == 0.5
    assert model.simulation.demography.location == "Japan"
    assert model.simulation.seeds.key(Stream.LIFE) == stream_key(5, Stream.LIFE)
    assert model.random.random() == mesa.Model(rng=99).random.random()


def test_all_faults_of_the_arguments_together() -> None:
    with pytest.raises(InputError) as told:
        FitssModel(suport_weight=1.0, seed="a", location="Japan", demography=object())
    assert [fault.field for fault in told.value.faults] == ["suport_weight", "people", "seed", "location"]
    assert "support_weight" in str(told.value)
    with pytest.raises(InputError, match="beside a simulation"):
        FitssModel(simulation=made().simulation, people=10)


def test_what_a_subclass_cannot_be() -> None:
    with pytest.raises(TypeError, match="would never be called"):
        type("Stepping", (Person,), {"step": lambda self: None})
    with pytest.raises(TypeError, match="columns="):
        type("Made", (Person,), {"__init__": lambda self, model: None})
    with pytest.raises(TypeError, match=r"age is a column, not a rule.*ageing"):
        type("Old", (Person,), {"age": lambda self: None})
    with pytest.warns(UserWarning, match="did you mean sensitization"):
        type("British", (Person,), {"sensitisation": lambda self: None})
    with pytest.raises(TypeError, match="made by its model"):
        Person(made())
    traits = type("Born", (Person,), {"traits": lambda self: None})
    with pytest.raises(InputError, match=r"Born\.traits"):
        made(person_class=traits)
    calm = type("Calm", (Person,), {"threat": lambda self: None})
    with pytest.raises(InputError, match="overrides threat"):
        FitssModel(simulation=made().simulation, person_class=calm)
    assert made(person_class=calm).overridden == ("threat",)
    assert "T exp" in (Person.threat.__doc__ or "")


def test_a_mechanism_is_not_called_from_outside(model: FitssModel) -> None:
    for call in (lambda p: p.support(), lambda p: p.draw("hassles"), lambda p: p.yesterday, lambda p: p.pace):
        with pytest.raises(RuntimeError, match="only within a mechanism"):
            call(model.agents[0])


def test_it_costs_nothing_when_not_used() -> None:
    code = "import sys, fitss_abm, fitss_abm.model.simulation; sys.exit('mesa' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

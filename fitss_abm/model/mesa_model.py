"""The simulator as a Mesa model: `FitssModel` steps a day, `model.agents` are people, `Person` may be subclassed.

People live in the engine's columns. A `Person` is a flyweight: a row and a generation, made when asked for, whose
attributes read and write the columns; a set of people is an array of rows. So people cost nothing until looked at.

A method of a subclass of `Person` that is named as a rule replaces that mechanism for everybody:

>>> class Unsoothed(Person):
...     def soothing(self):
...         super().soothing()            # the mechanism as it was, for this person
...         self.soothing = 0.5 * self.soothing

On a person `self.soothing` is always the column; the mechanism of that name is looked up on the class
(`Person.soothing`, `super().soothing()`). Floats are float32, integers Python's, records of conditions frozensets of
ids. Arithmetic between float32 and Python's literals stays float32, so an override that states a rule's equation gives
the engine's bits (with `exp` and `log` of `fitss_abm.model.arithmetic`, each result wrapped in `np.float32`). Of others
read only `yesterday`: today's values are half done. Overrides run person by person in Python, in the pre-history too:
for small populations (a warning says so above 20,000 people); write compiled rules for large ones.
"""

from __future__ import annotations

import difflib
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from mesa import Agent, Model
from mesa.agentset import AbstractAgentSet, GroupBy
from numpy.typing import NDArray

from fitss_abm.errors import Faults, nearest_name
from fitss_abm.model.columns import COLUMNS
from fitss_abm.model.demography import load
from fitss_abm.model.network import WEIGHT_UNIT, Layer
from fitss_abm.model.parameters import Parameters, declared
from fitss_abm.model.randomness import Decision, Stream, draw, happens, uniform
from fitss_abm.model.rules import DAY, Rule
from fitss_abm.model.rules.pace import pace
from fitss_abm.model.simulation import Seeds, Simulation

MANY = 20_000  # people from which overrides in Python are warned about
_IDS = 65536  # ids of people: founder x 65536 + generation, all below _OTHER_IDS
_OTHER_IDS = 2**47
_OFFER_UNIT, _BYTE, _OFFER_MOST = np.float32(16384.0), np.float32(255.0), np.float32(65535.0)  # see rules/support.py
_PACE = ("birth_day", "pace_from", "pace_span", "pace_days")
_WORDS = ("first", "generation", "day", "today", *_PACE, "words_before", "words")
_FASTER: dict[Any, Callable[..., Any]] = {min: np.min, max: np.max, sum: np.sum}


class Yesterday(NamedTuple):
    """What others could notice of a person yesterday: support offered, openness of ties, distress (alert)."""

    offer: np.float32
    openness: np.float32
    distress: np.float32


class Tie(NamedTuple):
    """A tie as its owner sees it: to whom, how strongly they support one, and the layer (partner, kin, friend, ...)."""

    person: Person
    strength: float
    layer: str


class Values:
    """Parameters by attribute, as float32: `self.parameters.threat_recovery`."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self.__dict__.update({name: np.float32(value) for name, value in values.items()})

    def __getattr__(self, name: str) -> np.float32:
        raise AttributeError(_unknown("parameter", name, self.__dict__))


class Person(Agent):  # type: ignore[misc, unused-ignore]
    """A person: one row of the columns. Made by the model, never by hand; two objects of one person are equal.

    Attributes are the declared columns (`person.threat`, `person.age`, ...); records of conditions are frozensets of
    ids (`person.conditions`, `person.ever`), and each condition's id is an attribute, True while it is held. Assigning
    writes through to the column.
    """

    model: FitssModel
    pos = None

    def __init__(self, *_: Any, **__: Any) -> None:
        raise TypeError(
            "a Person is made by its model (FitssModel.agents); people come and go by birth and death alone"
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        rules = [rule.name for rule in DAY]
        for name, value in vars(cls).items():
            if name in ("__init__", "step", "advance", "remove"):
                raise TypeError(
                    f"{cls.__name__}.{name} would never be called: the engine drives people's days. Name a method as "
                    f"the rule it replaces ({', '.join(rules)}); columns=(...) of FitssModel declare attributes"
                )
            if name in _SHIPPED_COLUMNS and name not in rules:
                raise TypeError(f"{cls.__name__}.{name}: {name} is a column, not a rule{_hint(name, rules)}")
            near = difflib.get_close_matches(name, rules, n=1, cutoff=0.8)
            if callable(value) and near and name not in rules:
                warnings.warn(f"{cls.__name__}.{name} replaces no rule; did you mean {near[0]}?", stacklevel=2)

    @classmethod
    def _at(cls, model: FitssModel, row: int) -> Person:
        person = object.__new__(cls)
        object.__setattr__(person, "model", model)
        object.__setattr__(person, "_row", row)
        object.__setattr__(person, "_generation", int(model.simulation.population["generation"][row]))
        return person

    def __getattribute__(self, name: str) -> Any:
        if name in object.__getattribute__(self, "model")._columns:
            return self.model._read(name, self._living())
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        model = object.__getattribute__(self, "model")
        if not self.alive:  # Python comes here whenever an attribute could not be read
            raise AttributeError(f"{self!r} has died")
        if name in model._bits:
            return bool(int(model.simulation.population["conditions"][self._living()]) & model._bits[name])
        raise AttributeError(_unknown("attribute", name, dir(self)))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.model._columns and name not in self.model._bits:
            valid = [*self.model._columns, *self.model._bits]
            raise AttributeError(_unknown("column (declare your own with FitssModel(columns=...))", name, valid))
        self.model._write(name, self._living(), value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.model._columns, *self.model._bits})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Person) and other.model is self.model and other.unique_id == self.unique_id

    def __hash__(self) -> int:
        return hash((id(self.model), self.unique_id))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.unique_id}>"

    def __copy__(self) -> Person:
        return self

    def __deepcopy__(self, memo: Any) -> Person:
        return self  # a flyweight holds nothing of its own; a copy of its model is never meant

    @property
    def unique_id(self) -> int:
        """Id of the person, never reused: place x 65536 + how many lived there before (`Population.person`)."""
        return int(self._row * _IDS + self._generation)

    @property
    def alive(self) -> bool:
        """Whether the person still lives; of the dead no attribute can be read."""
        return bool(self.model.simulation.population["generation"][self._row] == self._generation)

    def _living(self) -> int:
        """The row, if the person still lives in it."""
        if not self.alive:
            raise AttributeError(f"{self!r} has died")
        return int(self._row)

    @property
    def ties(self) -> list[Tie]:
        """Everybody the person is tied to."""
        network, row = self.model.simulation.network, self._living()
        mine = slice(network.start[row], network.start[row + 1])
        rows = zip(network.neighbour[mine].tolist(), network.weight[mine].tolist(), network.layer[mine], strict=True)
        return [
            Tie(self.model._person(other), weight / WEIGHT_UNIT, Layer(layer).name.lower())
            for other, weight, layer in rows
            if weight > 0
        ]

    @property
    def parameters(self) -> Values:
        """Today's parameters, each as float32."""
        return self.model._values()

    # What follows is for mechanisms: it needs a day.

    @property
    def _now(self) -> dict[str, Any]:
        if self.model._moment is None:
            raise RuntimeError("only within a mechanism, while model.step() runs")
        return self.model._moment

    @property
    def pace(self) -> np.float32:
        """Days of life in a simulated day: 1, or more in the pre-history. Slow mechanisms advance by so much."""
        now = self._now
        return np.float32(pace(np.int32(self.birth_day), now["pace_from"], now["pace_span"], now["pace_days"]))

    @property
    def yesterday(self) -> Yesterday:
        """What others could notice of this person yesterday. The only thing to be read of a tie within a mechanism."""
        word = int(self._now["words_before"][self._living()])
        offer, openness, distress = np.float32(word >> 16), np.float32(word >> 8 & 255), np.float32(word & 255)
        return Yesterday(offer / _OFFER_UNIT, openness / _BYTE, distress / _BYTE)

    def give(self, offer: float) -> None:
        """State the support offered for tomorrow, with own openness and alert beside it: for overrides of `offer`."""
        half, alert = np.float32(0.5), min(max(self.alert, np.float32(0.0)), np.float32(1.0))
        fixed = np.uint32(min(max(np.float32(offer), np.float32(0.0)) * _OFFER_UNIT + half, _OFFER_MOST))
        low = np.uint32(self.openness * _BYTE + half) << np.uint32(8) | np.uint32(alert * _BYTE + half)
        self._now["words"][self._row - int(self._now["first"])] = fixed << np.uint32(16) | low

    def draw(self, decision: str | int) -> tuple[np.float32, np.float32, np.float32, np.float32]:
        """Four uniforms in (0, 1) that belong to this person, today and this decision, whatever else happens.

        `decision`: a name of `randomness.Decision` ("hassles") or a number; take numbers from 1000 on for your own.
        Not for rare events, for which a float32 is too coarse: see `happens`.
        """
        a, b, c, d = self._luck(decision)
        return np.float32(uniform(a)), np.float32(uniform(b)), np.float32(uniform(c)), np.float32(uniform(d))

    def happens(self, decision: str | int, probability: float, *, word: int = 0) -> bool:
        """Whether an event of this probability happens today, by one (0 to 3) of the decision's four words."""
        return bool(happens(self._luck(decision)[word], np.float32(probability)))

    def _luck(self, decision: str | int) -> tuple[Any, ...]:
        if isinstance(decision, str):
            if decision.upper() not in Decision.__members__:
                raise ValueError(_unknown("decision", decision, [name.lower() for name in Decision.__members__]))
            decision = Decision[decision.upper()]
        k0, k1 = self.model.simulation.seeds.key(Stream.LIFE)
        counter = (np.uint32(x) for x in (self._row, self._generation, self._now["day"], int(decision)))
        return tuple(np.uint32(x) for x in draw(*counter, k0, k1))


def _as_shipped(rule: Rule) -> Callable[[Person], None]:
    def mechanism(self: Person) -> None:
        now = self._now
        if rule.name != now["rule"].name:
            raise RuntimeError(f"{rule.name} is not the mechanism of this moment, which is {now['rule'].name}")
        self.model._as_it_was(self._row)

    mechanism.__name__, mechanism.__doc__ = rule.name, rule.equation
    mechanism.shipped = True  # type: ignore[attr-defined]
    return mechanism


_SHIPPED_COLUMNS = frozenset(column.name for column in COLUMNS)
for _rule in DAY:
    if _rule.every != "birth":
        setattr(Person, _rule.name, _as_shipped(_rule))


class Groups(GroupBy):  # type: ignore[misc, unused-ignore]
    """People by the value of an attribute."""

    def agg(self, attr_name: str, func: Any) -> dict[Any, Any]:
        """Aggregate a column within each group."""
        return {key: People.of(group).agg(attr_name, func) for key, group in self.groups.items()}


class People(AbstractAgentSet[Person]):  # type: ignore[misc, unused-ignore]
    """An ordered set of people, as Mesa's AgentSet: rows of the columns. Those who die drop out.

    Columns are handled whole: functions of `agg` get an array (float64 or int64), `select` also takes a boolean one.
    """

    def __init__(self, model: FitssModel, rows: NDArray[np.int64] | None = None) -> None:
        """`rows`: of whom; None for everybody."""
        self.model = model
        self.random = model.random
        self._take(rows)

    def _take(self, rows: NDArray[np.int64] | None) -> People:
        self._chosen = rows
        self._generations = None if rows is None else self.model.simulation.population["generation"][rows]
        self._member: NDArray[np.bool_] | None = None
        return self

    @classmethod
    def of(cls, people: Iterable[Person]) -> People:
        """The set of these people, of whom there must be one at least."""
        if isinstance(people, People):
            return people
        listed = list(people)
        return cls(listed[0].model, _rows_of(listed))

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of those who live, in order."""
        if self._chosen is None:
            return np.arange(self.model.simulation.people)
        living = self.model.simulation.population["generation"][self._chosen] == self._generations
        if not living.all():
            self._take(self._chosen[living])
        return self._chosen

    def __len__(self) -> int:
        return self.model.simulation.people if self._chosen is None else len(self.rows)

    def __iter__(self) -> Iterator[Person]:
        return map(self.model._person, self.rows.tolist())

    def __contains__(self, agent: object) -> bool:
        if not isinstance(agent, Person) or agent.model is not self.model or not agent.alive:
            return False
        if self._chosen is None:
            return True
        if self._member is None:
            self._member = np.zeros(self.model.simulation.people, dtype=bool)
            self._member[self.rows] = True
        return bool(self._member[agent._row])

    def __getitem__(self, item: int | slice) -> Any:
        if isinstance(item, slice):
            return [self.model._person(row) for row in self.rows[item].tolist()]
        return self.model._person(int(self.rows[item]))

    def __copy__(self) -> People:
        return People(self.model, self.rows.copy())

    copy = __copy__

    def __deepcopy__(self, memo: Any) -> People:
        return self.copy()

    def __repr__(self) -> str:
        return f"<{len(self)} people>"

    def _from_iterable(self, agents: Iterable[Person]) -> People:  # type: ignore[override, unused-ignore]
        return People(self.model, _rows_of(agents))

    def _update(self, agents: Iterable[Person]) -> People:
        return self._take(_rows_of(agents))

    def _with(self, rows: NDArray[np.int64], inplace: bool) -> People:
        return self._take(rows) if inplace else People(self.model, rows)

    def to_list(self) -> list[Person]:
        """Everybody in the set."""
        return list(self)

    def add(self, agent: Person) -> None:
        """Put a person in, at the end."""
        if agent not in self:
            self._take(np.append(self.rows, agent._living()))

    def discard(self, agent: Person) -> None:
        """Leave a person out."""
        if agent in self:
            self._take(self.rows[self.rows != agent._row])

    def remove(self, agent: Person) -> None:
        """Leave a person out of this set; KeyError if not in it."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)

    def select(
        self,
        filter_func: Callable[[Person], bool] | NDArray[np.bool_] | None = None,
        at_most: Any = float("inf"),
        inplace: bool = False,
        agent_type: type | None = None,
    ) -> People:
        """Those for whom `filter_func` holds (a function of a person, or a boolean array over this set)."""
        rows = self.rows
        most = int(len(rows) * at_most) if isinstance(at_most, float) and at_most <= 1.0 else at_most
        if agent_type is not None and not issubclass(self.model.person_class, agent_type):
            rows = rows[:0]
        elif isinstance(filter_func, np.ndarray):
            rows = rows[filter_func]
        elif filter_func is not None:
            kept: list[int] = []
            for row in rows.tolist():
                if len(kept) >= most:
                    break
                if filter_func(self.model._person(row)):
                    kept.append(row)
            rows = np.array(kept, dtype=np.int64)
        return self._with(rows if len(rows) <= most else rows[: int(most)], inplace)

    def shuffle(self, inplace: bool = False) -> People:
        """The same people in random order, by the model's `random` (never the people's own luck)."""
        return self._with(np.random.default_rng(self.random.getrandbits(64)).permutation(self.rows), inplace)

    def sort(self, key: Callable[[Person], Any] | str, ascending: bool = False, inplace: bool = False) -> People:
        """The same people by a column or a function, the largest first unless `ascending`; equals keep their order."""
        values = self.model._vector(key, self.rows) if isinstance(key, str) else None
        if values is not None and values.ndim == 1:
            values = values.astype(np.int64) if values.dtype == bool else values
            return self._with(self.rows[np.argsort(values if ascending else -values, kind="stable")], inplace)
        function = (lambda person: getattr(person, key)) if isinstance(key, str) else key
        return self._with(_rows_of(sorted(self, key=function, reverse=not ascending)), inplace)

    def get(self, attr_names: Any, handle_missing: str = "error", default_value: Any = None) -> list[Any]:
        """An attribute of everybody as a list, or several as a list of lists."""
        if handle_missing not in ("error", "default"):
            raise ValueError(f"Unknown handle_missing option: {handle_missing}, should be one of 'error' or 'default'")
        if not isinstance(attr_names, str):
            columns = (self.get(name, handle_missing, default_value) for name in attr_names)
            return [list(row) for row in zip(*columns, strict=True)]
        values = self.model._vector(attr_names, self.rows)
        if values is not None:
            return list(values.tolist() if values.ndim == 1 else values.T)
        if handle_missing == "error":
            return [getattr(person, attr_names) for person in self]
        return [getattr(person, attr_names, default_value) for person in self]

    def agg(self, attribute: str, func: Any) -> Any:
        """One or several functions of an attribute of everybody."""
        values = self.model._vector(attribute, slice(None) if self._chosen is None else self.rows)
        if values is None:
            return super().agg(attribute, func)
        return _FASTER.get(func, func)(values) if callable(func) else [_FASTER.get(f, f)(values) for f in func]

    def set(self, attr_name: str, value: Any) -> People:
        """Give everybody in the set the same value of a column."""
        if attr_name in self.model._columns or attr_name in self.model._bits:
            self.model._write(attr_name, self.rows, value)
            return self
        for person in self:
            setattr(person, attr_name, value)
        return self

    def groupby(
        self, by: Callable[[Person], Any] | str, result_type: Literal["agentset", "list"] = "agentset"
    ) -> Groups:
        """People by a column or a function, groups in order of first appearance."""
        values = self.get(by) if isinstance(by, str) else [by(person) for person in self]
        codes: dict[Any, int] = {}
        code = np.array([codes.setdefault(value, len(codes)) for value in values], dtype=np.int64)
        ends = np.cumsum(np.bincount(code, minlength=len(codes)))[:-1]
        parts = np.split(self.rows[np.argsort(code, kind="stable")], ends)
        groups = {value: People(self.model, part) for value, part in zip(codes, parts, strict=False)}
        return Groups(groups if result_type == "agentset" else {value: list(part) for value, part in groups.items()})

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> People:
        """Call a method or function on everybody."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> People:
        """Call a method or function on everybody, in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Call a method or function on everybody; what they return."""
        if isinstance(method, str):
            return [getattr(person, method)(*args, **kwargs) for person in self]
        return [method(person, *args, **kwargs) for person in self]


class FitssModel(Model):  # type: ignore[misc, unused-ignore]
    """A Mesa model of one world; a step is a day.

    >>> model = FitssModel(people=1000, location="Germany", seed=1)
    >>> model.run_for(365)
    >>> model.agents.select(lambda person: person.age >= 18).agg("fibromyalgia", np.mean)  # doctest: +SKIP

    `agents` are the people alone; agents of other classes that you make are found by `agents_by_type`. Only `step` (and
    Mesa's `run_for`, `run_until`, `run_model`, which call it) drives: never the simulation beneath.
    """

    def __init__(
        self,
        *,
        people: int | None = None,
        location: str | None = None,
        seed: int | None = None,
        parameters: Mapping[str, float] | None = None,
        person_class: type[Person] = Person,
        simulation: Simulation | None = None,
        prepare: bool = True,
        days: int | None = None,
        rng: Any = None,
        **world: Any,
    ) -> None:
        """`seed`: the master seed of all luck, 1 if none is given. `location`: Germany if none is given.

        `world`: what else `Simulation` takes (demography, network, catalogue, day, columns, changes, seeds, threads),
        and single parameters by name (`support_weight=0.2`), which suits Mesa's sliders and `batch_run`. Or an existing
        `simulation`, alone. `prepare`: live through the pre-history now. `days`: `running` turns False after so many.

        `rng`: Mesa's own random numbers (`model.random`, `shuffle`), from which people's luck never comes. A whole
        number is the master seed as well where none is given, since so `batch_run` numbers replicates: give it numbers,
        for with None all replicates are alike.
        """
        given = {"people": people, "location": location, "seed": seed, "parameters": parameters, **world}
        given = {name: value for name, value in given.items() if value is not None}
        if simulation is None and isinstance(rng, int | np.integer) and not {"seed", "seeds"} & {*given}:
            given["seed"] = rng
        self._check(given, simulation)
        seed = int(given.pop("seed", 1))
        seeds = simulation.seeds if simulation else given.pop("seeds", Seeds(master=seed))
        super().__init__(rng=seeds.master if rng is None else rng)
        self.agent_id_counter = _OTHER_IDS
        self.person_class = person_class
        self._moment: dict[str, Any] | None = None
        day = given.pop("day", DAY)
        replaced = self._replacements(day if simulation is None else simulation.engine.day, simulation is not None)
        if simulation is None:
            single = {name: given.pop(name) for name in list(given) if name in declared()}
            given["parameters"] = Parameters(**{**_changed(given.get("parameters", {})), **single})
            if "demography" not in given:
                given["demography"] = load(given.pop("location", "Germany"))
            for rule in replaced:
                day = day.replace(rule.name, rule)
            if replaced and given["people"] > MANY:
                names = ", ".join(rule.name for rule in replaced)
                message = f"{names}: overrides run in Python for each of {given['people']} people; use compiled rules"
                warnings.warn(message, stacklevel=2)
        self.simulation = simulation or Simulation(**given, day=day, seeds=seeds)
        self.overridden = tuple(rule.name for rule in replaced)
        self._columns = self.simulation.population.declared
        self._bits = {id: 1 << bit for id, bit in self.simulation.catalogue.bit.items()}
        self._named: dict[int, frozenset[str]] = {}
        self._known: tuple[Any, Values] | None = None
        self._last = None if days is None else self.simulation.day + days
        if simulation is None and prepare:
            self.simulation.prepare()

    @staticmethod
    def _check(given: Mapping[str, Any], simulation: Simulation | None) -> None:
        faults = Faults()
        taken = {*inspect.signature(Simulation.__init__).parameters} - {"self"}
        own = {*inspect.signature(FitssModel.__init__).parameters} - {"self", "world"}
        for name, value in given.items():
            if name not in {*taken, *own, *declared()}:
                faults.add(
                    name, value, "no such argument or parameter", nearest_name(name, [*taken, *own, *declared()])
                )
            elif simulation is not None:
                faults.add(name, value, "cannot be given beside a simulation, which has its own")
        if simulation is None and "people" not in given:
            faults.add("people", None, "must be given, or a simulation")
        seed = given.get("seed", 1)
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            faults.add("seed", seed, "must be a whole number")
        for one, other in (("seed", "seeds"), ("location", "demography")):
            if one in given and other in given:
                faults.add(one, given[one], f"cannot be given beside {other}")
        faults.raise_if_any()

    def _replacements(self, day: Iterable[Rule], fixed: bool) -> list[Rule]:
        """The rules that the class of people overrides, as plain rules."""
        found, faults, name = [], Faults(), self.person_class.__name__
        for rule in day:
            method = getattr(self.person_class, rule.name, None)
            if not inspect.isfunction(method) or hasattr(method, "shipped") or hasattr(Agent, rule.name):
                continue
            if rule.every == "birth":
                faults.add(f"{name}.{rule.name}", "override", "traits are drawn by compiled rules; give day=...")
            elif fixed:
                faults.add("person_class", name, f"overrides {rule.name}: too late for a simulation made before")
            else:
                found.append(self._plain(rule, method))
        faults.raise_if_any()
        return found

    def _plain(self, rule: Rule, method: Callable[[Person], object]) -> Rule:
        """`method` as a rule over a block of people; it asks the engine for all that the rule it replaces asked for."""

        def function(**given: Any) -> None:
            self._moment = {**given, "rule": rule}
            first = int(given["first"])
            try:
                for row in range(first, first + len(given["generation"])):
                    if method(self._person(row)) is not None:
                        raise TypeError(f"{method.__qualname__} must assign what it finds to columns, not return it")
            finally:
                self._moment = None

        asked = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY) for n in dict.fromkeys([*_WORDS, *rule.arguments])
        ]
        function.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]
        function.__doc__ = method.__doc__ or rule.equation
        return Rule(rule.name, function, rule.every, compiled=False)

    def _as_it_was(self, row: int) -> None:
        """Apply the rule that is overridden at this moment to one person: a block of one."""
        now = self._moment or {}
        k = row - int(now["first"])
        one: dict[str, Any] = {}
        for name in now["rule"].arguments:
            if name == "tie_start":
                one[name] = now[name][k : k + 2]
            elif name == "first":
                one[name] = np.uint32(row)
            else:
                one[name] = now[name][..., k : k + 1] if name in self._columns or name == "words" else now[name]
        now["rule"].function(*one.values())

    def step(self) -> None:
        """One day for everybody."""
        self.simulation.advance(1)
        if self._last is not None and self.simulation.day >= self._last:
            self.running = False

    @property
    def day(self) -> int:
        """Days since the start of the simulation (`steps` and `time` count from when this model was made)."""
        return self.simulation.day

    @property
    def agents(self) -> People:
        """Everybody who lives now: a set of its own each time, so that ordering it in place changes nothing else."""
        return People(self)

    @property
    def agents_by_type(self) -> dict[type, Any]:
        """The people by their class, and agents of other classes that you made."""
        return {self.person_class: self.agents, **self._agents_by_type}

    @property
    def agent_types(self) -> list[type]:
        """The class of people, and those of other agents."""
        return list(self.agents_by_type)

    def _person(self, row: int) -> Person:
        return self.person_class._at(self, row)

    def _values(self) -> Values:
        if self._known is None or self._known[0] is not self.simulation.parameters:
            self._known = (self.simulation.parameters, Values(self.simulation.parameters))
        return self._known[1]

    def _names(self, word: int) -> frozenset[str]:
        if word not in self._named:
            self._named[word] = frozenset(id for id, bit in self._bits.items() if word & bit)
        return self._named[word]

    def _read(self, name: str, row: int) -> Any:
        value = self.simulation.population[name][..., row]
        if value.ndim or value.dtype.kind == "f":
            return value if value.ndim else value[()]
        return self._names(int(value)) if self._columns[name].kind == "record" else int(value)

    def _write(self, name: str, rows: Any, value: Any) -> None:
        population = self.simulation.population
        if name in self._columns:
            if self._columns[name].kind == "record" and not isinstance(value, int | np.integer):
                faults = Faults()
                for id in set(value) - set(self._bits):
                    faults.unknown(name, id, "condition", self._bits)
                faults.raise_if_any()
                value = self.simulation.catalogue.mask(set(value))
            wide = population[name].ndim > 1 and np.ndim(rows) and np.ndim(value)
            population[name][..., rows] = np.reshape(value, (-1, 1)) if wide else value
        else:
            bit = np.uint32(self._bits[name])
            held = population["conditions"][rows]
            population["conditions"][rows] = held | bit if value else held & ~bit

    def _vector(self, name: str, rows: Any) -> NDArray[Any] | None:
        """An attribute of many people as one array, where it is a column, a condition or the id; else None."""
        population = self.simulation.population
        if name in self._columns:
            values = population[name][..., rows]
            if self._columns[name].kind == "record":
                words, place = np.unique(values, return_inverse=True)
                named = np.empty(len(words), dtype=object)
                named[:] = [self._names(int(word)) for word in words]
                return np.asarray(named[place])
            return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
        if name == "unique_id":
            return population.person(rows)
        if name in self._bits and not hasattr(self.person_class, name):
            return np.asarray(population["conditions"][rows] & np.uint32(self._bits[name]) != 0)
        return None


def _rows_of(agents: Iterable[Person]) -> NDArray[np.int64]:
    """Rows of these people in order, each once."""
    return np.array(list(dict.fromkeys(person._living() for person in agents)), dtype=np.int64)


def _changed(parameters: Mapping[str, float]) -> Mapping[str, float]:
    return parameters.changed() if isinstance(parameters, Parameters) else parameters


def _hint(name: str, valid: Iterable[str]) -> str:
    near = nearest_name(name, valid)
    return f". Did you mean '{near}'?" if near else ""


def _unknown(what: str, name: str, valid: Iterable[str]) -> str:
    return f"no such {what}: '{name}'{_hint(name, valid)}"

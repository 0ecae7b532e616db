"""The catalogue of conditions: data, not code. A user's TOML file adds a condition or changes one."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

from fitss_abm.errors import Faults, nearest_name

# The 19 areas of the widespread pain index (Wolfe 2016), in the order of the bits of the body map.
SITES = (
    "jaw_left", "shoulder_left", "arm_upper_left", "arm_lower_left",
    "jaw_right", "shoulder_right", "arm_upper_right", "arm_lower_right",
    "hip_left", "leg_upper_left", "leg_lower_left",
    "hip_right", "leg_upper_right", "leg_lower_right",
    "neck", "back_upper", "back_lower", "chest", "abdomen",
)  # fmt: skip
REGIONS = ("head", "pelvis", "gut", "musculoskeletal", "sleep", "trauma")
TRIGGERS = ("trauma", "injury", "infection")
# Case definitions computed by model/rules/case_definitions.py and care.py, not drawn from a hazard.
DEFINITIONS = (
    "fibromyalgia_acr_2016",
    "chronic_widespread_pain",
    "chronic_pain_item",
    "fibromyalgia_acr_1990",
    "fibromyalgia_acr_2010",
    "fibromyalgia_modified_2010",
    "fibromyalgia_diagnosed",
)
# Positions in `condition_masks`: adds to the somatic drive; disturbs sleep; is nociceptive pain that explains pain elsewhere.
SOMATIC, DISTURBS_SLEEP, EXPLAINS_PAIN = 0, 1, 2
MOST_CONDITIONS = 32  # a person's conditions are the bits of one 32-bit word
_AGE_MAX = 120.0


@dataclass(frozen=True)
class Condition:
    """One entry of the catalogue. `data/conditions.toml` says what each field means, with units."""

    id: str
    label: str
    definition: str | None = None
    family: bool = True
    counted: bool = True
    sex: str | None = None
    age_from: float = 0.0
    until_menopause: bool = False
    icd11_chronic_primary_pain: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    onset_per_1000_person_years: float = 0.0
    remission_per_year: float = 0.0
    loading_sensitization: float = 0.0
    loading_alert: float = 0.0
    onset_per_decade: float = 0.0
    female_onset: float = 0.0
    female_remission: float = 0.0
    regions: Mapping[str, float] = field(default_factory=dict)
    sites: tuple[str, ...] = ()
    trigger: str | None = None
    trigger_days: float = 0.0
    trigger_only: bool = False
    trigger_ratio: float = 1.0
    sensory: bool = False
    disturbs_sleep: bool = False
    explains_pain: bool = False
    peripheral: float = 0.0
    burden: float = 0.0
    disability: float = 0.0
    spills_over: bool = True
    source: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def has_hazard(self) -> bool:
        """Whether it begins by a hazard (True) or is a case definition on the symptom layer (False)."""
        return self.definition is None


BOUNDS: Mapping[str, tuple[float, float]] = {
    "age_from": (0.0, _AGE_MAX),
    "onset_per_1000_person_years": (0.0, 5000.0),
    "remission_per_year": (0.0, 50.0),
    "loading_sensitization": (-3.0, 3.0),
    "loading_alert": (-3.0, 3.0),
    "onset_per_decade": (-2.0, 2.0),
    "female_onset": (-3.0, 3.0),
    "female_remission": (-3.0, 3.0),
    "trigger_days": (0.0, 1750.0),
    "trigger_ratio": (0.0, 100.0),
    "peripheral": (0.0, 5.0),
    "burden": (0.0, 1.0),
    "disability": (0.0, 1.0),
}


def _checked_entry(id: str, entry: Mapping[str, object], faults: Faults) -> dict[str, Any]:
    """The fields of one entry with the right types; every fault is added under `conditions.<id>.<field>`."""
    hints = get_type_hints(Condition)
    good: dict[str, Any] = {}
    for name, value in entry.items():
        place = f"conditions.{id}.{name}"
        if name not in hints or name == "id":
            faults.add(place, value, "no such field of a condition", nearest_name(name, hints))
        elif name in BOUNDS:
            low, high = BOUNDS[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                faults.add(place, value, f"must be a number between {low:g} and {high:g}")
            else:
                good[name] = float(value)
        elif hints[name] is bool and not isinstance(value, bool):
            faults.add(place, value, "must be true or false")
        elif name in ("codes", "source", "regions") and not isinstance(value, Mapping):
            faults.add(place, value, "must be a table")
        elif name == "sites" and not (isinstance(value, list) and all(isinstance(site, str) for site in value)):
            faults.add(place, value, "must be a list of site names")
        elif hints[name] in (str, str | None) and not isinstance(value, str):
            faults.add(place, value, "must be text")
        else:
            good[name] = tuple(value) if name == "sites" else value  # type: ignore[arg-type]
    _check_names(id, good, faults)
    return good


def _check_names(id: str, entry: dict[str, Any], faults: Faults) -> None:
    place = f"conditions.{id}"
    if entry.get("sex") not in (None, "female", "male"):
        faults.add(f"{place}.sex", entry["sex"], "must be 'female' or 'male', or be left out")
    for name, valid in (("trigger", TRIGGERS), ("definition", DEFINITIONS)):
        if entry.get(name) is not None and entry[name] not in valid:
            faults.unknown(f"{place}.{name}", entry[name], name, valid)
    for site in entry.get("sites", ()):
        if site not in SITES:
            faults.unknown(f"{place}.sites", site, "site of the body map", SITES)
    loadings = entry.get("regions", {})
    for region, loading in loadings.items():
        if region not in REGIONS:
            faults.unknown(f"{place}.regions", region, "region", REGIONS)
        elif isinstance(loading, bool) or not isinstance(loading, int | float) or not -1.0 <= loading <= 1.0:
            faults.add(f"{place}.regions.{region}", loading, "must be a number between -1 and 1")
    if all(isinstance(x, int | float) for x in loadings.values()) and sum(x * x for x in loadings.values()) > 1.0:
        faults.add(f"{place}.regions", dict(loadings), "the squares of the loadings must add up to 1 at most")
    if entry.get("trigger_only") and not entry.get("trigger"):
        faults.add(f"{place}.trigger_only", True, "needs a trigger")


def _mirrored(sites: Iterable[str]) -> int:
    """The sites of the other side as bits."""
    swap = {"left": "right", "right": "left"}
    return sum(1 << SITES.index("_".join(swap.get(word, word) for word in site.split("_"))) for site in sites)


class Catalogue:
    """The conditions of one world, in bit order."""

    def __init__(self, conditions: Iterable[Condition]) -> None:
        self.conditions = tuple(conditions)
        self.ids = tuple(condition.id for condition in self.conditions)
        self.bit = MappingProxyType({id: bit for bit, id in enumerate(self.ids)})

    def __len__(self) -> int:
        return len(self.conditions)

    def __getitem__(self, id: str) -> Condition:
        return self.conditions[self.bit[id]]

    def mask(self, ids: Iterable[str]) -> int:
        """The bits of some conditions as one word."""
        return sum(1 << self.bit[id] for id in ids)

    @property
    def family(self) -> tuple[str, ...]:
        """Ids of the central sensitivity syndromes (18 as shipped)."""
        return tuple(condition.id for condition in self.conditions if condition.family)

    @property
    def counted(self) -> tuple[str, ...]:
        """Ids that enter numbers of conditions and unions: those of the family with a usable published definition."""
        return tuple(condition.id for condition in self.conditions if condition.family and condition.counted)

    def with_entries(self, entries: Mapping[str, object], faults: Faults) -> Catalogue:
        """A copy with conditions added or some of their numbers replaced; `entries` maps id to fields."""
        by_id = {condition.id: condition for condition in self.conditions}
        for id, entry in entries.items():
            if not isinstance(entry, Mapping):
                faults.add(f"conditions.{id}", entry, "must be a table of fields")
                continue
            fields = _checked_entry(id, entry, faults)
            if id in by_id:
                if "definition" in fields and fields["definition"] != by_id[id].definition:
                    faults.add(f"conditions.{id}.definition", fields["definition"], "cannot be changed")
                by_id[id] = dataclasses.replace(by_id[id], **fields)
            elif "label" not in entry or "onset_per_1000_person_years" not in entry:
                faults.unknown(
                    f"conditions.{id}", id, "condition (a new one needs label and onset_per_1000_person_years)", by_id
                )
            elif "definition" in fields:
                faults.add(
                    f"conditions.{id}.definition",
                    fields["definition"],
                    "a new condition needs a hazard; definitions are rules",
                )
            elif "label" in fields:
                by_id[id] = Condition(id=id, **fields)
        if len(by_id) > MOST_CONDITIONS:
            faults.add("conditions", len(by_id), f"at most {MOST_CONDITIONS} fit in a person's word")
        return Catalogue(by_id.values())

    def without_sex_mechanisms(self, mechanisms: Iterable[str]) -> Catalogue:
        """A copy in which the catalogue's own sex mechanisms, as far as named, no longer act."""
        off = set(mechanisms)
        changed = []
        for condition in self.conditions:
            new = condition
            if "condition_onset" in off:
                new = dataclasses.replace(new, female_onset=0.0)
            if "condition_remission" in off:
                new = dataclasses.replace(new, female_remission=0.0)
            if "female_only_spillover" in off and condition.sex is not None:
                new = dataclasses.replace(
                    new, peripheral=0.0, burden=0.0, sites=(), disturbs_sleep=False, spills_over=False
                )
            changed.append(new)
        return Catalogue(changed)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The catalogue as compiled rules read it: arrays over conditions with a hazard, keyed by argument name.

        `condition_regions` has shape (hazards, 6), `condition_masks` (3,): see SOMATIC, DISTURBS_SLEEP,
        EXPLAINS_PAIN; rates are per day.
        """
        hazards = [condition for condition in self.conditions if condition.has_hazard]

        def column(name: str, scale: float = 1.0) -> NDArray[np.float32]:
            return np.array([getattr(condition, name) * scale for condition in hazards], dtype=np.float32)

        regions = np.array([[c.regions.get(region, 0.0) for region in REGIONS] for c in hazards], dtype=np.float32)
        own = np.sqrt(np.maximum(0.0, 1.0 - (regions.astype(np.float64) ** 2).sum(axis=1))).astype(np.float32)
        eligible = [{None: 3, "female": 1, "male": 2}[c.sex] + (4 if c.until_menopause else 0) for c in hazards]
        trigger = [TRIGGERS.index(c.trigger) if c.trigger else -1 for c in hazards]
        without = [0.0 if c.trigger_only else 1.0 for c in hazards]
        in_trigger = [1.0 if c.trigger_only else c.trigger_ratio for c in hazards]
        masks: list[Callable[[Condition], bool]] = [
            lambda c: c.family and c.spills_over,
            lambda c: c.disturbs_sleep,
            lambda c: c.explains_pain,
        ]
        by_definition = {c.definition: (1 << self.bit[c.id], c.burden) for c in self.conditions if c.definition}
        return {
            "condition_bit": np.array([1 << self.bit[c.id] for c in hazards], dtype=np.uint32),
            "condition_onset": column("onset_per_1000_person_years", 1.0 / 365.25 / 1000.0),
            "condition_remission": column("remission_per_year", 1.0 / 365.25),
            "condition_loading_sensitization": column("loading_sensitization"),
            "condition_loading_alert": column("loading_alert"),
            "condition_per_decade": column("onset_per_decade"),
            "condition_female_onset": column("female_onset"),
            "condition_female_remission": column("female_remission"),
            "condition_age_from": column("age_from"),
            "condition_eligible": np.array(eligible, dtype=np.uint8),
            "condition_regions": regions,
            "condition_own": own,
            "condition_sites": np.array([sum(1 << SITES.index(s) for s in c.sites) for c in hazards], dtype=np.uint32),
            "condition_sites_mirrored": np.array([_mirrored(c.sites) for c in hazards], dtype=np.uint32),
            "condition_masks": np.array(
                [self.mask(c.id for c in hazards if chosen(c)) for chosen in masks], dtype=np.uint32
            ),
            "condition_trigger": np.array(trigger, dtype=np.int8),
            "condition_trigger_days": column("trigger_days"),
            "condition_without_trigger": np.array(without, dtype=np.float32),
            "condition_in_trigger": np.array(in_trigger, dtype=np.float32),
            "condition_sensory": np.array([c.sensory for c in hazards], dtype=np.uint8),
            "condition_peripheral": column("peripheral"),
            "condition_burden": column("burden"),
            "definition_bit": np.array([by_definition.get(d, (0, 0.0))[0] for d in DEFINITIONS], dtype=np.uint32),
            "definition_burden": np.array([by_definition.get(d, (0, 0.0))[1] for d in DEFINITIONS], dtype=np.float32),
        }


@cache
def shipped() -> Catalogue:
    """The catalogue of `data/conditions.toml`."""
    text = files("fitss_abm.data").joinpath("conditions.toml").read_text(encoding="utf-8")
    faults = Faults("conditions.toml")
    entries = {id: _checked_entry(id, entry, faults) for id, entry in tomllib.loads(text).items()}
    faults.raise_if_any()
    return Catalogue(Condition(id=id, **entry) for id, entry in entries.items())


@cache
def body_map() -> Mapping[str, NDArray[Any]]:
    """The 19 sites as rules read them: `site_term` float32 (19,), `site_masks` uint32 (10,), from `data/body_map.toml`."""
    sites = tomllib.loads(files("fitss_abm.data").joinpath("body_map.toml").read_text(encoding="utf-8"))

    def mask(name: str, value: object) -> int:
        return sum(1 << bit for bit, site in enumerate(SITES) if sites[site][name] == value)

    regions = ("upper_left", "upper_right", "lower_left", "lower_right", "axial")
    masks = [
        mask("side", "left"),
        mask("side", "right"),
        mask("half", "upper"),
        mask("half", "lower"),
        mask("axial", True),
    ]
    return MappingProxyType(
        {
            "site_term": np.array([sites[site]["term"] for site in SITES], dtype=np.float32),
            "site_masks": np.array(masks + [mask("region", region) for region in regions], dtype=np.uint32),
        }
    )

"""The catalogue: what is shipped, what is refused, and a user's own condition that leaves everybody else's luck alone."""

from __future__ import annotations

import csv
import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitss_abm.errors import Faults, InputError
from fitss_abm.model import conditions
from fitss_abm.model.conditions import DEFINITIONS, REGIONS, SITES, TRIGGERS, Catalogue, Condition, shipped
from fitss_abm.model.demography import load
from fitss_abm.model.parameters import sex_mechanisms
from fitss_abm.model.simulation import Seeds, Simulation

FAMILY = {
    "fibromyalgia", "chronic_widespread_pain", "irritable_bowel_syndrome", "temporomandibular_disorder",
    "chronic_tension_type_headache", "chronic_migraine", "me_cfs", "interstitial_cystitis", "female_urethral_syndrome",
    "vulvodynia", "primary_dysmenorrhoea", "crps", "chronic_low_back_pain", "myofascial_pain_syndrome",
    "multiple_chemical_sensitivity", "ptsd", "restless_legs_syndrome", "periodic_limb_movements",
}  # fmt: skip
# What the rows of codes.csv are called in the catalogue.
ROWS = {
    "fibromyalgia": "Chronic widespread pain / fibromyalgia",
    "chronic_widespread_pain": "Chronic widespread pain / fibromyalgia",
    "irritable_bowel_syndrome": "Irritable bowel syndrome",
    "temporomandibular_disorder": "Temporomandibular disorder",
    "chronic_tension_type_headache": "Chronic tension-type headache",
    "chronic_migraine": "Migraine / chronic migraine",
    "me_cfs": "ME/CFS",
    "interstitial_cystitis": "Interstitial cystitis / bladder pain syndrome",
    "female_urethral_syndrome": "Female urethral syndrome",
    "primary_dysmenorrhoea": "Primary dysmenorrhoea",
    "vulvodynia": "Vulvodynia",
    "crps": "Complex regional pain syndrome",
    "chronic_low_back_pain": "Chronic primary musculoskeletal pain / low back",
    "multiple_chemical_sensitivity": "Multiple chemical sensitivity",
    "ptsd": "PTSD",
    "restless_legs_syndrome": "Restless legs syndrome",
    "periodic_limb_movements": "Periodic limb movements in sleep",
    "myofascial_pain_syndrome": "Myofascial pain syndrome",
}
each = pytest.mark.parametrize("condition", shipped().conditions, ids=lambda condition: condition.id)
hazards = st.sampled_from([condition.id for condition in shipped().conditions if condition.has_hazard])


# What is shipped


def test_the_family_has_18_members() -> None:
    assert set(shipped().family) == FAMILY
    assert len(shipped().family) == len(FAMILY) == 18
    assert set(shipped().counted) < FAMILY


def test_bits_are_in_file_order_and_definitions_are_all_there() -> None:
    catalogue = shipped()
    assert [catalogue.bit[id] for id in catalogue.ids] == list(range(len(catalogue)))
    assert catalogue.mask(catalogue.ids) == 2 ** len(catalogue) - 1
    assert sorted(c.definition for c in catalogue.conditions if c.definition) == sorted(DEFINITIONS)


def trusted(cell: str) -> str:
    """A cell of codes.csv without what it calls unverified."""
    return re.sub(r"\([^)]*unverified[^)]*\)", "", cell)


@each
def test_codes_are_those_of_the_table_and_none_is_unverified(condition: Condition) -> None:
    text = files("fitss_abm.data").joinpath("codes.csv").read_text(encoding="utf-8")
    table = {row["condition"]: row for row in csv.DictReader(text.splitlines())}
    columns = {"icd11": "icd11", "icd10cm": "icd10cm", "snomed": "snomed_ct"}
    assert set(condition.codes) <= set(columns)
    if condition.codes:
        row = table[ROWS[condition.id]]
        for system, code in condition.codes.items():
            assert re.search(rf"(?<![\w.]){re.escape(code)}(?![\w])", trusted(row[columns[system]])), (system, code)
        assert row["verified"] not in ("no", "weak")


def test_rows_of_the_table_are_those_that_this_test_knows() -> None:
    text = files("fitss_abm.data").joinpath("codes.csv").read_text(encoding="utf-8")
    known = {row["condition"] for row in csv.DictReader(text.splitlines())}
    assert set(ROWS.values()) <= known
    assert set(ROWS) == FAMILY


@each
def test_each_says_where_its_numbers_come_from(condition: Condition) -> None:
    assert condition.label
    if condition.has_hazard:
        assert condition.onset_per_1000_person_years > 0
        assert condition.remission_per_year > 0
        assert {"onset", "remission"} <= set(condition.source)
        if condition.onset_per_decade:
            assert condition.source["age"]
        if condition.female_onset or condition.female_remission:
            assert condition.source["sex"]
        if condition.trigger:
            assert condition.source["trigger"]
    if condition.disability:
        assert condition.source["disability"]


def test_arrays_are_in_the_order_of_hazards() -> None:
    arrays = shipped().arrays()
    with_hazard = [condition for condition in shipped().conditions if condition.has_hazard]
    for h, condition in enumerate(with_hazard):
        assert arrays["condition_bit"][h] == 1 << shipped().bit[condition.id]
        assert arrays["condition_onset"][h] == np.float32(condition.onset_per_1000_person_years / 365250)
        assert np.isclose(arrays["condition_own"][h] ** 2 + (arrays["condition_regions"][h] ** 2).sum(), 1, atol=1e-6)
        sites = {site for bit, site in enumerate(SITES) if arrays["condition_sites"][h] >> bit & 1}
        assert sites == set(condition.sites)
        mirrored = {site for bit, site in enumerate(SITES) if arrays["condition_sites_mirrored"][h] >> bit & 1}
        other_side = {"left": "right", "right": "left"}
        assert mirrored == {"_".join(other_side.get(word, word) for word in site.split("_")) for site in sites}


# What a user changes


def changed(entries: dict[str, object]) -> Catalogue:
    faults = Faults()
    catalogue = shipped().with_entries(entries, faults)
    faults.raise_if_any()
    return catalogue


numbers = st.sampled_from(sorted(conditions.BOUNDS.items()))


@given(hazards, numbers, st.data())
def test_a_number_within_its_bounds_is_taken_and_nothing_else_changes(
    id: str, field: tuple[str, tuple[float, float]], data: st.DataObject
) -> None:
    name, (low, high) = field
    value = data.draw(st.floats(low, high) | st.sampled_from([low, high]))
    catalogue = changed({id: {name: value}})
    assert getattr(catalogue[id], name) == value
    assert catalogue.ids == shipped().ids
    for other in shipped().ids:
        if other != id:
            assert catalogue[other] is shipped()[other]


@given(hazards, numbers, st.data())
def test_a_number_outside_is_refused_with_place_and_bounds(
    id: str, field: tuple[str, tuple[float, float]], data: st.DataObject
) -> None:
    name, (low, high) = field
    outside = st.floats(max_value=low, exclude_max=True) | st.floats(min_value=high, exclude_min=True)
    value = data.draw(outside | st.sampled_from([float("nan"), True, "1"]))
    with pytest.raises(InputError) as refused:
        changed({id: {name: value}})
    (fault,) = refused.value.faults
    assert fault.field == f"conditions.{id}.{name}"
    assert f"{low:g}" in fault.problem
    assert f"{high:g}" in fault.problem


@pytest.mark.parametrize(
    ("entries", "field", "nearest"),
    [
        ({"fibromyalgya": {"burden": 0.1}}, "conditions.fibromyalgya", "fibromyalgia"),
        ({"ptsd": {"remision_per_year": 0.1}}, "conditions.ptsd.remision_per_year", "remission_per_year"),
        ({"ptsd": {"trigger": "truma"}}, "conditions.ptsd.trigger", "trauma"),
        ({"crps": {"sites": ["arm_lower_lft"]}}, "conditions.crps.sites", "arm_lower_left"),
        ({"crps": {"regions": {"pelvic": 0.2}}}, "conditions.crps.regions", "pelvis"),
    ],
)
def test_unknown_names_get_the_nearest(entries: dict[str, object], field: str, nearest: str) -> None:
    with pytest.raises(InputError) as refused:
        changed(entries)
    assert (refused.value.faults[0].field, refused.value.faults[0].nearest) == (field, nearest)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"sex": "woman"}, "must be 'female' or 'male'"),
        ({"sensory": 1}, "must be true or false"),
        ({"sites": "abdomen"}, "must be a list"),
        ({"regions": {"gut": 0.9, "head": 0.9}}, "add up to 1 at most"),
        ({"regions": {"gut": 2.0}}, "must be a number between -1 and 1"),
        ({"trigger_only": True}, "needs a trigger"),
        ({"definition": "chronic_pain_item"}, "cannot be changed"),
        ({"id": "other"}, "no such field"),
        ("0.3", "must be a table"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: object, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        changed({"me_cfs": fields, "irritable_bowel_syndrome": {}} if fields != {"trigger_only": True} else {"mine": {
            "label": "Mine", "onset_per_1000_person_years": 1.0, "trigger_only": True}})  # fmt: skip


def test_all_faults_of_all_entries_are_told_together() -> None:
    faults = Faults("mine.toml")
    shipped().with_entries({"ptsd": {"burden": 2.0, "siets": []}, "nothing": {}, "crps": {"sex": "x"}}, faults)
    assert [fault.field for fault in faults.found] == [
        "conditions.ptsd.burden", "conditions.ptsd.siets", "conditions.nothing", "conditions.crps.sex",
    ]  # fmt: skip
    assert all(fault.file == "mine.toml" for fault in faults.found)


def test_no_more_than_a_word_holds() -> None:
    few = {f"mine_{k}": {"label": "Mine", "onset_per_1000_person_years": 1.0} for k in range(32 - len(shipped()))}
    assert len(changed(few)) == 32
    with pytest.raises(InputError, match="at most 32"):
        changed({**few, "one_more": {"label": "Mine", "onset_per_1000_person_years": 1.0}})


def test_names_that_a_condition_may_use_are_those_of_the_shipped_ones() -> None:
    assert {region for c in shipped().conditions for region in c.regions} == set(REGIONS)
    assert {c.trigger for c in shipped().conditions if c.trigger} == set(TRIGGERS)


# What sex does through the catalogue


def test_without_sex_mechanisms_nothing_in_the_catalogue_tells_the_sexes_apart() -> None:
    off = shipped().without_sex_mechanisms(sex_mechanisms())
    for condition in off.conditions:
        assert condition.female_onset == condition.female_remission == 0.0
        if condition.sex is not None:
            assert condition.burden == condition.peripheral == 0.0
            assert condition.sites == ()
            assert not condition.disturbs_sleep
            assert not condition.spills_over
            assert not off.arrays()["condition_masks"][0] >> off.bit[condition.id] & 1
    assert shipped().without_sex_mechanisms([]).conditions == shipped().conditions


# Another condition in a world

NEUTRAL = {
    "label": "Hot ear", "family": False, "counted": False, "spills_over": False, "onset_per_1000_person_years": 30.0,
    "remission_per_year": 0.3, "loading_sensitization": 0.5, "loading_alert": 0.5, "regions": {"head": 0.5},
}  # fmt: skip


def lived(catalogue: Catalogue) -> Simulation:
    made = Simulation(people=1000, demography=load("Germany"), seeds=Seeds(5), catalogue=catalogue, threads=1)
    made.prepare()
    made.advance(200)
    return made


@pytest.fixture(scope="module")
def usual() -> Simulation:
    return lived(shipped())


def differing(one: Simulation, other: Simulation, ids: tuple[str, ...]) -> set[str]:
    """Columns that differ in anything but the conditions that only one of them has."""
    mask = np.uint32(one.catalogue.mask(ids))
    words = {"conditions", "conditions_before", "ever", "first_onsets", "episodes"}
    words |= {name for name in one.population if name.startswith("held_quarter")}
    found = set()
    for name in one.population:
        a, b = one.population[name], other.population[name]
        if name in words:
            a, b = a & mask, b & mask
        elif name == "susceptibility":
            a, b = a[: min(len(a), len(b))], b[: min(len(a), len(b))]
        if not np.array_equal(a, b, equal_nan=True):
            found.add(name)
    return found


def test_a_users_condition_gets_cases_and_leaves_all_other_luck_alone(usual: Simulation) -> None:
    with_one_more = lived(changed({"hot_ear": NEUTRAL}))
    bit = with_one_more.catalogue.bit["hot_ear"]
    assert bit == len(shipped())
    share = float((with_one_more.population["conditions"] >> np.uint32(bit) & 1).mean())
    assert 0.03 < share < 0.5  # onset over remission is 1/10 before any loading
    assert differing(usual, with_one_more, shipped().ids) == set()


@pytest.mark.parametrize(
    ("field", "value"), [("burden", 0.3), ("peripheral", 1.0), ("sites", ["chest"]), ("disturbs_sleep", True)]
)
def test_a_users_condition_acts_by_what_its_entry_says(usual: Simulation, field: str, value: object) -> None:
    acting = lived(changed({"hot_ear": NEUTRAL | {field: value}}))
    reached = {"burden": "burden", "peripheral": "peripheral", "sites": "body_map", "disturbs_sleep": "poor_sleep"}[
        field
    ]
    assert reached in differing(usual, acting, shipped().ids)


def test_a_change_of_one_condition_leaves_the_luck_of_the_others_alone() -> None:
    quiet = {"burden": 0.0, "spills_over": False}
    few, many = (
        lived(changed({"multiple_chemical_sensitivity": {**quiet, "onset_per_1000_person_years": onset}}))
        for onset in (0.1, 20.0)
    )
    others = tuple(id for id in shipped().ids if id != "multiple_chemical_sensitivity")
    assert differing(few, many, others) == set()
    assert differing(few, many, shipped().ids) >= {"conditions", "ever"}

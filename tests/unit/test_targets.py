"""Published facts: typed and whole, and what is compared with a simulation says what it is."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from fitss_abm.errors import InputError
from fitss_abm.study import targets
from fitss_abm.study.targets import CONDITION_IDS, load_targets, published_prevalence, published_sex_ratio

ROW = "{id},{role},point prevalence,IBS,{value},{low},{high},{unit},adults,,Someone,{year},,published,{verified},"
HEADER = "id,role,quantity,condition,value,low,high,unit,population,criterion,source,year,doi,range_basis,verified,note"
GOOD = {"role": "fit", "value": "2", "low": "1", "high": "3", "unit": "%", "year": "2020", "verified": "yes"}


def write(path: Path, *rows: dict[str, str]) -> Path:
    path.write_text("\n".join([HEADER, *(ROW.format(**(GOOD | row)) for row in rows)]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def facts() -> pd.DataFrame:
    return load_targets()


def test_packaged_facts_are_typed(facts: pd.DataFrame) -> None:
    assert len(facts) == 135
    assert facts["id"].is_unique
    assert facts["role"].value_counts().to_dict() == {"context": 47, "check": 37, "fit": 26, "input": 25}
    assert facts.dtypes[["value", "low", "high"]].eq("float64").all()
    assert facts["verified"].dtype == bool
    assert (~facts["verified"]).sum() == 26
    assert facts["year"].dtype == "Int64"
    row = facts.set_index("id").loc["vulv_prev"]
    assert (row["low"], row["value"], row["high"], row["year"]) == (7.0, 8.3, 9.8, 2012)
    assert facts.set_index("id").loc["dysmen_prev", ["value", "low"]].isna().tolist() == [True, False]


def test_conditions_are_in_the_facts_and_in_the_catalogue(facts: pd.DataFrame) -> None:
    catalogue = tomllib.loads((files("fitss_abm") / "data" / "conditions.toml").read_text(encoding="utf-8"))
    assert set(CONDITION_IDS) <= set(facts["condition"])
    assert set(CONDITION_IDS.values()) <= set(catalogue)
    for table in (published_prevalence(), published_sex_ratio()):
        assert set(table["condition"]) <= set(catalogue)
    assert set(facts["condition"]) - set(CONDITION_IDS) >= {"FSS", "migraine", "dysmenorrhoea (any)", "network"}


@pytest.mark.parametrize(
    ("table", "about"),
    [(published_prevalence, targets._PREVALENCE), (published_sex_ratio, targets._SEX_RATIO)],
)
def test_one_row_a_condition_and_all_of_them_found(table, about, facts: pd.DataFrame) -> None:
    shown = table()
    assert shown["id"].tolist() == list(about)
    assert shown["condition"].is_unique
    assert shown[["low", "value", "high"]].notna().all(axis=None)
    assert (shown["low"] <= shown["value"]).all()
    assert (shown["value"] <= shown["high"]).all()
    assert (shown["age_low"] < shown["age_high"]).all()
    named = shown.merge(facts[["id", "condition"]], on="id", suffixes=("", "_text"))
    for row in named.itertuples():  # the row compared is of the condition that it is compared with
        assert row.condition.startswith(CONDITION_IDS[row.condition_text])


def test_what_is_called_prevalence_is_a_per_cent_prevalence(facts: pd.DataFrame) -> None:
    used = facts[facts["id"].isin(published_prevalence()["id"])]
    assert used["quantity"].str.contains("prevalence").all()
    assert (used["unit"] == "%").all()
    shown = published_prevalence().set_index("condition")
    assert set(shown.index[shown["sex"] == "female"]) == {"interstitial_cystitis", "vulvodynia"}
    assert shown.loc["periodic_limb_movements", ["age_low", "age_high"]].tolist() == [40, 80]
    assert shown.loc["fibromyalgia", ["age_low", "age_high"]].tolist() == [18, 150]
    women = facts["id"][facts["quantity"].str.contains("women")]
    assert (published_prevalence().set_index("id")["sex"].reindex(women).dropna() == "female").all()


def test_female_share_becomes_a_ratio() -> None:
    ratio = published_sex_ratio().set_index("condition")
    assert ratio.loc["fibromyalgia", "value"] == pytest.approx(59.2 / 40.8)
    assert ratio.loc["fibromyalgia_diagnosed", "value"] == pytest.approx(9.0)
    assert ratio.loc["temporomandibular_disorder", "value"] == 2.25
    assert ratio.loc["crps", "measure"] == "incidence ratio"
    assert not ratio.loc["ptsd", "verified"]


def test_own_facts(tmp_path: Path) -> None:
    own = load_targets(write(tmp_path / "own.csv", {"id": "a"}, {"id": "ibs_prev_rome4_meta", "value": "", "year": ""}))
    assert own["id"].tolist() == ["a", "ibs_prev_rome4_meta"]
    assert own["year"].isna().tolist() == [False, True]
    assert published_prevalence(targets=own)["condition"].tolist() == ["irritable_bowel_syndrome"]
    assert published_sex_ratio(targets=own).empty


def test_every_fault_at_once(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "low": "4", "high": "3"},
        {"id": ""},
        {"id": "a"},
        {"id": "b", "role": "chek"},
        {"id": "c", "value": "9"},
        {"id": "d", "value": "two", "year": "2020.5"},
        {"id": "e", "verified": "perhaps", "unit": ""},
        {"id": "f", "low": "inf", "year": "1e300"},
    ]
    with pytest.raises(InputError) as told:
        load_targets(write(tmp_path / "own.csv", *rows))
    assert {fault.field for fault in told.value.faults} == {
        "line 2 (a), low",
        "line 3, id",
        "line 4 (a), id",
        "line 5 (b), role",
        "line 6 (c), value",
        "line 7 (d), value",
        "line 7 (d), year",
        "line 8 (e), verified",
        "line 8 (e), unit",
        "line 9 (f), low",
        "line 9 (f), year",
    }
    assert next(fault for fault in told.value.faults if fault.field.endswith("role")).nearest == "check"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty"),
        (HEADER + "\n", "holds no rows"),
        (HEADER.replace("verified", "verifed") + "\na" + "," * 15, "missing .there is 'verifed'"),
        (HEADER + "\na,b\n", "has 2 cells where the header has 16"),
        (HEADER + '\n"a', "is not CSV"),
    ],
)
def test_unreadable_file(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        load_targets(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_targets(tmp_path / "none.csv")

"""Published facts with their sources, and those of them that can be drawn beside what is simulated."""

from __future__ import annotations

import importlib.resources
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from fitss_abm.errors import Faults
from fitss_abm.model.demography_table import read_cells

ROLES = ("fit", "check", "input", "context")
"""May be used in calibration; shown but never fitted; set in the model and not scored; background."""
OPEN_AGE = 150
"""Years. The upper end of "and over"."""
ADULT_AGE = 18

_YEARS = (1800, 2100)
_NUMBERS = ("value", "low", "high")
_FILLED = ("id", "role", "quantity", "condition", "verified")
COLUMNS = (*_FILLED, *_NUMBERS, "unit", "population", "criterion", "source", "year", "doi", "range_basis", "note")

CONDITION_IDS: dict[str, str] = {
    "fibromyalgia": "fibromyalgia",
    "chronic widespread pain": "chronic_widespread_pain",
    "CWP": "chronic_widespread_pain",
    "IBS": "irritable_bowel_syndrome",
    "TMD": "temporomandibular_disorder",
    "chronic tension-type headache": "chronic_tension_type_headache",
    "chronic migraine": "chronic_migraine",
    "ME/CFS": "me_cfs",
    "IC/BPS": "interstitial_cystitis",
    "female urethral syndrome": "female_urethral_syndrome",
    "vulvodynia": "vulvodynia",
    "CRPS": "crps",
    "chronic low back pain": "chronic_low_back_pain",
    "myofascial pain syndrome": "myofascial_pain_syndrome",
    "multiple chemical sensitivity": "multiple_chemical_sensitivity",
    "PTSD": "ptsd",
    "RLS": "restless_legs_syndrome",
    "PLMS": "periodic_limb_movements",
    "chronic pain": "chronic_pain",
}
"""The catalogue's condition by what targets.csv calls it. "dysmenorrhoea (any)" is wider than the catalogue's severe
primary dysmenorrhoea, "migraine" than chronic migraine, and "FSS" is any of several: they have none."""

_ADULTS = ("all", ADULT_AGE, OPEN_AGE)
# One row a condition, on the criterion that the model uses, with the sex and ages that the source saw.
# Left out: CRPS (a period prevalence from medical records), myofascial pain and female urethral syndrome (no usable
# number), dysmenorrhoea (any, where the model's is severe).
_PREVALENCE: dict[str, tuple[str, str, int, int]] = {
    "fm_prev_2016_gps": ("fibromyalgia", *_ADULTS),
    "cwp_prev_meta": ("chronic_widespread_pain", *_ADULTS),
    "ibs_prev_rome4_meta": ("irritable_bowel_syndrome", *_ADULTS),
    "tmd_prev_nhis": ("temporomandibular_disorder", *_ADULTS),
    "ctth_prev": ("chronic_tension_type_headache", *_ADULTS),
    "cm_prev_us": ("chronic_migraine", "all", 12, OPEN_AGE),
    "mecfs_prev_cdc94": ("me_cfs", *_ADULTS),
    "ic_prev_f_spec": ("interstitial_cystitis", "female", ADULT_AGE, OPEN_AGE),
    "vulv_prev": ("vulvodynia", "female", ADULT_AGE, OPEN_AGE),
    "clbp_prev": ("chronic_low_back_pain", *_ADULTS),
    "mcs_prev_dk": ("multiple_chemical_sensitivity", *_ADULTS),
    "ptsd_12mo": ("ptsd", *_ADULTS),
    "rls_prev_meta": ("restless_legs_syndrome", *_ADULTS),
    "plms_prev": ("periodic_limb_movements", "all", 40, 80),
    "cp_baseline": ("chronic_pain", *_ADULTS),
    "fm_prev_acr1990": ("fibromyalgia_acr_1990", "all", 25, OPEN_AGE),
    "fm_prev_acr2010": ("fibromyalgia_acr_2010", "all", 25, OPEN_AGE),
    "fm_prev_mod2010": ("fibromyalgia_modified_2010", "all", 25, OPEN_AGE),
}
_SEX_RATIO: dict[str, tuple[str, str, int, int]] = {
    "fm_female_share_gps": ("fibromyalgia", "case ratio", ADULT_AGE, OPEN_AGE),
    "ibs_fm_or_2024": ("irritable_bowel_syndrome", "odds ratio", ADULT_AGE, OPEN_AGE),
    "tmd_fm_ratio": ("temporomandibular_disorder", "prevalence ratio", ADULT_AGE, OPEN_AGE),
    "ctth_fm_ratio": ("chronic_tension_type_headache", "prevalence ratio", ADULT_AGE, OPEN_AGE),
    "cm_fm_ratio": ("chronic_migraine", "prevalence ratio", 12, OPEN_AGE),
    "crps_fm_ratio": ("crps", "incidence ratio", ADULT_AGE, OPEN_AGE),
    "ptsd_fm_ratio": ("ptsd", "prevalence ratio", ADULT_AGE, OPEN_AGE),
    "rls_fm_ratio": ("restless_legs_syndrome", "prevalence ratio", ADULT_AGE, OPEN_AGE),
    "plms_fm_ratio": ("periodic_limb_movements", "prevalence ratio", 40, 80),
    "fm_fm_ratio_acr1990": ("fibromyalgia_acr_1990", "prevalence ratio", 25, OPEN_AGE),
    "fm_fm_ratio_acr2010": ("fibromyalgia_acr_2010", "prevalence ratio", 25, OPEN_AGE),
    "fm_fm_ratio_mod2010": ("fibromyalgia_modified_2010", "prevalence ratio", 25, OPEN_AGE),
    "fm_female_share_clinic": ("fibromyalgia_diagnosed", "case ratio", ADULT_AGE, OPEN_AGE),
}
_CITED = ["role", "verified", "range_basis", "criterion", "source", "year", "id"]


def load_targets(path: str | Path | None = None) -> pd.DataFrame:
    """The facts in the CSV at `path`, or the packaged ones: one row a fact, in the file's order.

    Columns: `value`, `low`, `high` (float64 in `unit`, NaN where there is none), `year` (Int64, <NA> where there is
    none), `verified` (bool; False means provisional, and must be said wherever it is shown), `role` (categorical of
    ROLES); the others are text, empty where there is none. Raises InputError with everything that is wrong, by line.
    """
    with ExitStack() as stack:
        packaged = importlib.resources.files("fitss_abm") / "data" / "targets.csv"
        file = stack.enter_context(importlib.resources.as_file(packaged)) if path is None else Path(path)
        faults = Faults(file=str(path) if path is not None else "targets.csv")
        rows = read_cells(file, COLUMNS, faults)
    if not rows or not set(COLUMNS) <= set(next(iter(rows.values()))):
        faults.raise_if_any()
    text = pd.DataFrame.from_dict(rows, orient="index", dtype=str)
    _check_text(text, faults)
    numbers = {column: _numbers(text, column, faults) for column in (*_NUMBERS, "year")}
    value, low, high = (numbers[column] for column in _NUMBERS)
    for line in text.index[low > high]:
        faults.add(f"{_place(text, line)}, low", float(low[line]), f"is above high, {high[line]:g}")
    for line in text.index[((value < low) | (value > high)) & ~(low > high)]:
        faults.add(f"{_place(text, line)}, value", float(value[line]), f"is outside {low[line]:g} to {high[line]:g}")
    faults.raise_if_any()

    typed = text.assign(
        **{column: numbers[column] for column in _NUMBERS},
        year=numbers["year"].astype("Int64"),
        verified=text["verified"] == "yes",
        role=pd.Categorical(text["role"], categories=list(ROLES)),
    )
    return typed.reset_index(drop=True)


def published_prevalence(*, targets: pd.DataFrame | None = None) -> pd.DataFrame:
    """Point and 12-month prevalences that a simulated population can be compared with, one row a condition.

    Columns: condition (the catalogue's id), sex (female, all), age_low and age_high (years: from age_low up to, not
    including, age_high; 150 is open), low, value and high (per cent of the people of that sex and age), role, verified,
    range_basis, criterion, source, year, id. Ages are the source's where targets.csv gives them, and 18 and over
    otherwise. Facts that `targets` does not hold are left out.
    """
    about = pd.DataFrame.from_dict(_PREVALENCE, orient="index", columns=["condition", "sex", "age_low", "age_high"])
    return _joined(about, targets)[[*about.columns, "low", "value", "high", *_CITED]]


def published_sex_ratio(*, targets: pd.DataFrame | None = None) -> pd.DataFrame:
    """Female:male ratios by condition, one row a condition; columns as in `published_prevalence`, `measure` for `sex`.

    `measure` says of what the ratio is: prevalence ratio, odds ratio (near the prevalence ratio while the condition is
    rare), incidence ratio, or case ratio (women against men among the cases; s / (100 - s) from a female share of s %).
    """
    about = pd.DataFrame.from_dict(_SEX_RATIO, orient="index", columns=["condition", "measure", "age_low", "age_high"])
    joined = _joined(about, targets)
    shares = joined["quantity"] == "female share of cases"
    for column in _NUMBERS:
        joined[column] = np.where(shares, joined[column] / (100.0 - joined[column]), joined[column])
    return joined[[*about.columns, "low", "value", "high", *_CITED]]


def _joined(about: pd.DataFrame, targets: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of `about` (indexed by target id) with their facts, in the order of `about`."""
    facts = (load_targets() if targets is None else targets).drop(columns="condition")
    return about.rename_axis("id").reset_index().merge(facts, on="id", how="inner", validate="1:1")


def _check_text(text: pd.DataFrame, faults: Faults) -> None:
    for column in _FILLED:
        for line in text.index[text[column] == ""]:
            faults.add(f"{_place(text, line)}, {column}", "", "must not be empty")
    for line in text.index[(text["unit"] == "") & (text[list(_NUMBERS)] != "").any(axis="columns")]:
        faults.add(f"{_place(text, line)}, unit", "", "must not be empty where there is a number")
    for line in text.index[text["id"].duplicated() & (text["id"] != "")]:
        first = text.index[text["id"] == text.at[line, "id"]][0]
        faults.add(f"{_place(text, line)}, id", text.at[line, "id"], f"is on line {first} already")
    for column, valid in (("role", ROLES), ("verified", ("yes", "no"))):
        for line in text.index[~text[column].isin([*valid, ""])]:
            faults.unknown(
                f"{_place(text, line)}, {column}", text.at[line, column], f"{column} ({', '.join(valid)})", valid
            )


def _numbers(text: pd.DataFrame, column: str, faults: Faults) -> pd.Series[float]:
    """The column as float64, NaN where empty; a cell that holds no finite number is a fault."""
    numbers = pd.to_numeric(text[column], errors="coerce").astype(np.float64)
    bad = ~np.isfinite(numbers) & (text[column] != "")
    if column == "year":
        bad |= numbers.notna() & ~((numbers % 1 == 0) & numbers.between(*_YEARS))
    for line in text.index[bad]:
        kind = "whole number from {} to {}".format(*_YEARS) if column == "year" else "number"
        faults.add(f"{_place(text, line)}, {column}", text.at[line, column], f"must be a {kind}, or empty")
    return numbers.where(~bad)


def _place(text: pd.DataFrame, line: int) -> str:
    """Where a row is (the index holds line numbers): its line and, where it has one, its id."""
    name = str(text.at[line, "id"])
    return f"line {line} ({name})" if name else f"line {line}"

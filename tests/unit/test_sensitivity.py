"""Sensitivity: indices as scipy and the formula give them, what cannot be analysed is said, and the command."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner, Result

from fitss_abm.cli import app
from fitss_abm.errors import Faults, InputError
from fitss_abm.model.parameters import declared
from fitss_abm.presentation.sensitivity_page import page
from fitss_abm.presentation.sensitivity_plot import sensitivity_sheet
from fitss_abm.study import sensitivity, sensitivity_outputs
from fitss_abm.study.calibration_plan import shipped_plan
from fitss_abm.study.sensitivity import Range, decompose, ranges_of, ranked, screen, shares
from fitss_abm.study.sensitivity_plan import Plan, planned
from fitss_abm.study.sensitivity_runs import Sensitivity

CUBE = tuple(Range(f"x{k}", -math.pi, math.pi) for k in (1, 2, 3))
IDLE = Range("idle", 0.0, 9.0, default=4.0)
# Of Ishigami's function with a = 7 and b = 0.1: V1 = (1 + b pi^4 / 5)^2 / 2, V2 = a^2 / 8, V13 = 8 b^2 pi^8 / 225.
PARTS = {"x1": (1 + 0.1 * math.pi**4 / 5) ** 2 / 2, "x2": 49 / 8, "x1 x3": 8 * 0.01 * math.pi**8 / 225}
FIRST = np.array([PARTS["x1"], PARTS["x2"], 0.0]) / sum(PARTS.values())
TOTAL = FIRST + np.array([PARTS["x1 x3"], 0.0, PARTS["x1 x3"]]) / sum(PARTS.values())


def ishigami(x: np.ndarray) -> np.ndarray:
    """`x`: (3, points)."""
    return np.asarray(np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0]))


def of_points(points: pd.DataFrame) -> pd.DataFrame:
    value = ishigami(points[["x1", "x2", "x3"]].to_numpy().T)
    gaps = np.where(np.arange(len(points)) == 1, np.nan, value)
    return pd.DataFrame({"ishigami": value, "always 1": 1.0, "gaps": gaps})


def column(table: pd.DataFrame, index: str, of: str = "value") -> pd.Series:
    rows = table[(table["output"] == "ishigami") & (table["index"] == index)]
    return rows.set_index("parameter")[of]


def test_decomposition_agrees_with_the_formula_and_with_scipy() -> None:
    found = decompose(CUBE, of_points, samples=2048, seed=1)
    other = stats.sobol_indices(func=ishigami, n=2048, dists=[stats.uniform(-math.pi, 2 * math.pi)] * 3, rng=1)
    for index, exact, scipys in (("S1", FIRST, other.first_order), ("ST", TOTAL, other.total_order)):
        ours = column(found.table, index).to_numpy()
        assert ours == pytest.approx(exact, abs=0.03)
        assert ours == pytest.approx(scipys, abs=0.04)
        low, high = (column(found.table, index, of=end).to_numpy() for end in ("low", "high"))
        assert (low - 0.01 <= exact).all()
        assert (exact <= high + 0.01).all()
        assert (high - low < 0.3).all()


def test_screening_finds_what_is_inert_and_which_way_the_others_go() -> None:
    def evaluate(points: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"ishigami": 3.0 * points["up"] - points["down"] * 0.5})

    ranges = (Range("up", 0.0, 2.0), IDLE, Range("down", 10.0, 20.0))
    table = screen(ranges, evaluate, trajectories=5, seed=3).table
    # Linear: the effect over the whole range is slope times width, everywhere.
    assert column(table, "mu_star").to_dict() == pytest.approx({"up": 6.0, "idle": 0.0, "down": 5.0})
    assert column(table, "mu").to_dict() == pytest.approx({"up": 6.0, "idle": 0.0, "down": -5.0})
    assert column(table, "sigma").to_numpy() == pytest.approx(np.zeros(3), abs=1e-9)
    assert ranked(table) == ["up", "down", "idle"]
    assert shares(table).loc["up", "ishigami"] == pytest.approx(6 / 11)


def test_intervals_of_the_screening_cover_the_mean_of_many_trajectories() -> None:
    """In most of 60 screenings; the bootstrap over 20 trajectories is a little too narrow."""
    ranges = (*CUBE, IDLE)
    many = column(screen(ranges, of_points, trajectories=2000, seed=99).table, "mu_star")
    assert many["idle"] == 0.0
    inside = []
    for seed in range(60):
        few = screen(ranges, of_points, trajectories=20, seed=seed).table
        low, high = (column(few, "mu_star", of=end) for end in ("low", "high"))
        inside.append(((low <= many) & (many <= high)).to_numpy()[:3])
    assert (np.mean(inside, axis=0) > 0.8).all()


def test_the_same_seed_gives_the_same_design_and_intervals() -> None:
    one, same, other = (decompose(CUBE, of_points, samples=16, seed=seed) for seed in (0, 0, 2))
    pd.testing.assert_frame_equal(one.table, same.table)
    pd.testing.assert_frame_equal(one.points, same.points)
    assert not one.points[["x1", "x2", "x3"]].equals(other.points[["x1", "x2", "x3"]])


def test_outputs_that_cannot_be_analysed_are_left_out_and_named() -> None:
    found = decompose(CUBE, of_points, samples=8, seed=1)
    assert set(found.table["output"]) == {"ishigami"}
    assert found.left_out == {"always 1": "is the same at all points", "gaps": "has no value at 1 of 40 points"}


def test_page_and_figure_hold_every_output_and_parameter() -> None:
    """More outputs than fit side by side; one that is not decomposed; one left out."""
    names = tuple(f"output {k}" for k in range(8))

    def evaluate(points: pd.DataFrame) -> pd.DataFrame:
        made = pd.DataFrame({name: of_points(points)["ishigami"] * k for k, name in enumerate(names)})
        return made.assign(**{"output 7": np.nan})

    screening = screen((*CUBE, IDLE), evaluate, trajectories=4, seed=1)
    decomposition = decompose(CUBE[:2], lambda points: evaluate(points.assign(x3=1.0)), samples=8, seed=1)
    reference = pd.DataFrame({"output": names, "label": names, "unit": "%", "value": 1.0, "low": 0.9, "high": 1.1})
    left_out = [(m, *x) for m, a in (("morris", screening), ("sobol", decomposition)) for x in a.left_out.items()]
    table = pd.concat([screening.table, decomposition.table])
    found = Sensitivity(
        Plan((*CUBE, IDLE), names, top=2), table, screening.points, reference, ("x1", "x2"), tuple(left_out)
    )
    text, figure = page(found), sensitivity_sheet(found)
    for name in (*names, "`x1`", "`idle`"):
        assert name in text
    assert "**output 0**" in text
    assert "nothing moves it. Not decomposed: it is the same at all points" in text
    assert "**output 7** is left out: it has no value at 20 of 20 points" in text
    assert len(figure.axes) == 14
    assert sum(bool(axes.get_title(loc="left")) for axes in figure.axes) == 7
    assert all(axes.get_xlabel() for axes in figure.axes)


def test_ranges_are_those_given_or_priors_or_a_quarter_of_the_default_within_bounds() -> None:
    faults = Faults()
    free = shipped_plan().free
    assert {r.name: (r.low, r.high) for r in ranges_of(faults=faults)} == {n: (f.low, f.high) for n, f in free.items()}
    prior = next(name for name in free if name in declared())
    chosen = {"hassle_weight": None, "adversity_continuation": (0.1, 0.2), prior: None, "conditions.crps.burden": None}
    hassles, adversity, first, crps = ranges_of(chosen, faults=faults)
    default = declared()["hassle_weight"].value
    assert (hassles.low, hassles.high) == pytest.approx((0.75 * default, 1.25 * default))
    assert (adversity.low, adversity.high, adversity.basis) == (0.1, 0.2, "given")
    assert (first.low, first.high) == (free[prior].low, free[prior].high)
    assert crps.low < crps.default < crps.high
    assert not faults.found
    for entry in declared().values():
        if entry.value != 0:
            (made,) = ranges_of({entry.name: None}, faults=faults)
            assert entry.low <= made.low < made.high <= entry.high, entry.name


def test_a_run_answers_published_facts_too() -> None:
    found = sensitivity_outputs.outcome(
        people=400, day=10, seed=1, replicate=0, values={}, outputs=["cwp_prev_meta", "mean.alert", "mean.conditions"]
    )
    assert 2 < (found["cwp_prev_meta"] or 0) < 30
    assert 0 < (found["mean.alert"] or 0) < 1
    assert 0 < (found["mean.conditions"] or 0) < 5
    plan = planned(outputs="cwp_prev_meta,mean.alert", people=100)
    assert plan.years == pytest.approx(4, abs=0.1)
    with pytest.raises(InputError, match="cannot be chosen"):
        planned(outputs="cwp_prev_meta", years=3)


def test_numbers_of_a_condition_reach_the_run_and_outputs_agree() -> None:
    values = {"conditions.crps.onset_per_1000_person_years": 5000.0}
    wanted = ["prevalence.crps", "prevalence.any", "sex_ratio.crps", "mean.conditions"]
    usual, more = (
        sensitivity_outputs.outcome(people=300, day=5, seed=1, replicate=0, values=changed, outputs=wanted)
        for changed in ({}, values)
    )
    assert (usual["prevalence.crps"] or 0) < 5
    assert (more["prevalence.crps"] or 0) > 10
    assert (more["prevalence.crps"] or 0) <= (more["prevalence.any"] or 0) <= 100
    assert (more["mean.conditions"] or 0) >= (more["prevalence.any"] or 0) / 100


def command(out: Path, *more: str) -> Result:
    small = [
        "--people",
        "300",
        "--years",
        "0.1",
        "--trajectories",
        "2",
        "--samples",
        "2",
        "--top",
        "1",
        "--workers",
        "0",
    ]
    ranges = "support_weight=0.1:0.9,hassle_weight"
    seen = "mean.alert,mean.sensitization,prevalence.chronic_pain"
    return CliRunner().invoke(
        app, ["sensitivity", "--parameters", ranges, "--outputs", seen, *small, "--out", str(out), *more]
    )


def test_the_command_writes_everything_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, real, made = tmp_path / "s", sensitivity_outputs.outcome, []

    def fails_above_half(**arguments: object) -> object:
        values = arguments["values"]
        assert isinstance(values, dict)
        if values.get("support_weight", 0) > 0.5:
            raise RuntimeError("no luck")
        made.append(values)
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sensitivity_outputs, "outcome", fails_above_half)
    failed = command(out)
    assert failed.exit_code == 1, failed.output
    assert "runs failed" in failed.stderr
    assert "support_weight = 0." in failed.stderr
    assert "no luck" in failed.stderr
    assert [path.name for path in out.iterdir()] == ["runs"]

    def counted(**arguments: object) -> object:
        made.append(arguments["values"])
        return real(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sensitivity_outputs, "outcome", counted)
    done = command(out)
    assert done.exit_code == 0, done.output
    points = pd.read_parquet(out / "points.parquet")
    assert list(points.columns[:4]) == ["method", "point", "support_weight", "hassle_weight"]
    assert len(points) == 2 * 3 + 2 * 3
    assert points.notna().all(axis=None)
    different = len(points[["support_weight", "hassle_weight"]].drop_duplicates())
    assert len(made) == 5 + different, "each point is run once, over both commands"
    table = pd.read_parquet(out / "sensitivity.parquet")
    assert tuple(table.columns) == sensitivity.COLUMNS
    assert set(table["index"]) == {"mu_star", "mu", "sigma", "S1", "ST"}
    assert set(table["method"]) == {"morris", "sobol"}
    names = ("sensitivity.csv", "sensitivity.md", "sensitivity.png", "reference.csv", "ranges.csv", "points.csv")
    for name in names:
        assert (out / name).stat().st_size > 0, name
    assert json.loads((out / "provenance.json").read_text())["ranges"]["support_weight"] == [0.1, 0.9]
    assert not [path for path in out.iterdir() if path.name.startswith(".")]

    again = command(out)
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    before = len(made)
    assert command(out, "--overwrite", "--quiet").exit_code == 0
    assert len(made) == before, "nothing is run again"
    pd.testing.assert_frame_equal(pd.read_parquet(out / "sensitivity.parquet"), table)


def test_bad_input_is_told_at_once_before_anything_is_made(tmp_path: Path) -> None:
    out = tmp_path / "s"
    given = {
        "--parameters": "suport_weight,hassle_rate=5:1,alert_threshold=-9:1e9,hassle_weight=low:high,gain_sd",
        "--outputs": "prevalence.fibromyalga,mean.alert,tx_snri_50", "--samples": "100", "--trajectories": "1",
        "--people": "0", "--workers": "-1", "--out": str(out),
    }  # fmt: skip
    done = CliRunner().invoke(app, ["sensitivity", *(text for pair in given.items() for text in pair)])
    assert done.exit_code == 2, done.output
    for said in (
        "Did you mean 'support_weight'?", "Did you mean 'prevalence.fibromyalgia'?", "power of two", "such as 64 or 128",
        "hassle_rate=5:1", "alert_threshold=-9:1e+09", "hassle_weight=low:high", "tx_snri_50", "trajectories", "people",
        "workers",
    ):  # fmt: skip
        assert said in done.stderr, said
    assert not out.exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for more in ((), ("--overwrite",)):
        done = command(tmp_path, *more)
        assert done.exit_code == 2, done.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "SALib" else real(name))
    with pytest.raises(InputError, match=r"SALib.*fitss_abm\[sensitivity\]"):
        planned()

"""Figures show the tables' own numbers and nothing else, for big, tiny and empty runs; matplotlib stays as it was."""

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fitss_abm.errors import InputError
from fitss_abm.measurement.trajectory import Trajectory, sample_plane
from fitss_abm.model.demography import load
from fitss_abm.model.parameters import Parameters
from fitss_abm.model.simulation import Seeds, Simulation
from fitss_abm.presentation import plots, style, trajectory
from fitss_abm.study.targets import published_prevalence, published_sex_ratio

AGES = ["18-19", *(f"{low}-{low + 4}" for low in range(20, 85, 5)), "85+"]
IDS = ["fibromyalgia", "irritable_bowel_syndrome", "vulvodynia", "periodic_limb_movements", "crps", "chronic_pain"]
DATES = pd.to_datetime(["2025-01-01", "2030-01-01", "2035-01-01"])
RUN = {"scenario": "as is", "replicate": 0}


def prevalence_table(people: int = 1000) -> pd.DataFrame:
    """Cases differ in every cell; nobody has crps; vulvodynia is women's alone."""
    rows = []
    for d, date in enumerate(DATES):
        for c, condition in enumerate(IDS):
            sexes = ["female"] if condition == "vulvodynia" else ["female", "male"]
            for s, sex in enumerate(sexes):
                for a, age in enumerate(AGES):
                    cases = 0 if condition == "crps" else min(people, people * (c + 1) * (10 + d + a - 4 * s) // 300)
                    rows.append([date, condition, sex, age, people, cases])
    cells = pd.DataFrame(rows, columns=["date", "condition", "sex", "age_group", "people", "cases"])
    keys = ["date", "condition", "sex", "age_group"]
    for name in ("age_group", "sex"):
        cells = pd.concat(
            [cells, cells.assign(**{name: "all"}).groupby(keys, as_index=False)[["people", "cases"]].sum()]
        )
    share = cells["cases"] / cells["people"]
    half = 1.96 * np.sqrt((share * (1 - share) + 0.01) / cells["people"])
    low, high = (share - half).clip(lower=0.0), (share + half).clip(upper=1.0)
    return cells.assign(**RUN, prevalence=share, low=low, high=high).reset_index(drop=True)


def ratio_table() -> pd.DataFrame:
    rows = [
        (id, flag, ratio + flag) for id, ratio in (("fibromyalgia", 1.5), ("crps", np.nan)) for flag in (False, True)
    ]
    table = pd.DataFrame(rows, columns=["condition", "standardised", "ratio"]).assign(**RUN, date=DATES[-1])
    return table.assign(low=table["ratio"] * 0.8, high=table["ratio"] * 1.25)


def comorbidity_table() -> pd.DataFrame:
    rows = [
        ("fibromyalgia", "irritable_bowel_syndrome", 4.0, 3.0, 5.0, 0.5),
        ("fibromyalgia", "vulvodynia", 1.5, 0.5, 4.5, 0.1),
        ("fibromyalgia", "crps", np.nan, np.nan, np.nan, np.nan),
    ]
    names = ["condition_a", "condition_b", "odds_ratio", "low", "high", "tetrachoric"]
    return pd.DataFrame(rows, columns=names).assign(**RUN, date=DATES[-1])


def plane_table(people: int = 200) -> pd.DataFrame:
    k = np.arange(people)
    soothing, threat = 0.2 + k / people, 1.0 + (k * 37) % people / 10
    numbers = {"threat": threat, "soothing": soothing, "alert": k / people, "sensitization": k / people}
    return pd.DataFrame(numbers | {"fibromyalgia": k % 10 == 0, "any_condition": k % 2 == 0, "sex": "female"})


def trajectory_table() -> pd.DataFrame:
    weeks = np.arange(30)
    held = np.where(weeks < 10, "", np.where(weeks < 20, "fibromyalgia,crps", "crps"))
    names = (
        "stress",
        "event_load",
        "threat",
        "soothing",
        "alert",
        "alert_mean",
        "sensitization",
        "felt_support",
        "loneliness",
    )
    numbers = {name: weeks * 0.1 + k + 1 for k, name in enumerate(names)}
    dates = pd.date_range("2025-01-01", periods=30, freq="7D")
    about = {
        "date": dates,
        "person": 65536,
        "sex": "male",
        "age": 40 + weeks / 52,
        "wpi": 3,
        "sss": 4,
        "conditions": held,
    }
    return pd.DataFrame(about | numbers)


def results(**changed: Any) -> Any:
    tables = {
        "prevalence": prevalence_table(), "sex_ratio": ratio_table(), "comorbidity": comorbidity_table(),
        "plane": plane_table(), "trajectory": trajectory_table(),
    }  # fmt: skip
    return SimpleNamespace(**(tables | {"scenario": SimpleNamespace(parameters={"alert_threshold": 20.0})} | changed))


def only_axes(figure: Figure | None) -> Axes:
    assert figure is not None
    return figure.axes[0]


def points(axes: Axes, gid: str) -> dict[str, tuple[float, float, float]]:
    """Value and bounds drawn under `gid`, by the label of their row."""
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    drawn = {}
    for container in axes.containers:
        line, _caps, (bars,) = container.lines
        if line.get_gid() == gid:
            for x, y, (begin, end) in zip(line.get_xdata(), line.get_ydata(), bars.get_segments(), strict=True):
                drawn[labels[round(float(y))]] = (float(x), float(begin[0]), float(end[0]))
    return drawn


def last_row(table: pd.DataFrame, condition: str, sex: str) -> pd.Series:
    last = table[(table["date"] == DATES[-1]) & (table["age_group"] == "all")]
    return last[(last["condition"] == condition) & (last["sex"] == sex)].iloc[0]


def test_prevalence_drawn_is_the_tables() -> None:
    table = prevalence_table()
    axes = only_axes(plots.draw_prevalence(results()))
    for sex in ("female", "male"):
        drawn = points(axes, sex)
        assert set(drawn) == {
            style.plain_name(id) for id in IDS if id != "crps" and (sex, id) != ("male", "vulvodynia")
        }
        for id in ("fibromyalgia", "periodic_limb_movements"):
            row = last_row(table, id, sex)
            assert drawn[style.plain_name(id)] == pytest.approx(
                (100 * row["prevalence"], 100 * row["low"], 100 * row["high"])
            )


def test_a_published_range_stands_beside_the_same_sex_and_ages() -> None:
    table, facts = prevalence_table(), published_prevalence().set_index("condition")
    axes = only_axes(plots.draw_prevalence(results()))
    bands = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_gid() == "published"]
    expected = facts.loc[facts.index.isin(IDS), ["low", "high"]].to_numpy()
    np.testing.assert_allclose([(band.get_x(), band.get_x() + band.get_width()) for band in bands], expected)
    rows = table[
        (table["date"] == DATES[-1]) & (table["condition"] == "periodic_limb_movements") & (table["sex"] == "all")
    ]
    rows = rows[rows["age_group"].isin([f"{low}-{low + 4}" for low in range(40, 80, 5)])]
    alike = points(axes, "as published")
    assert alike["Periodic limb movements in sleep"][0] == pytest.approx(
        100 * rows["cases"].sum() / rows["people"].sum()
    )
    assert alike["Fibromyalgia"][0] == pytest.approx(100 * last_row(table, "fibromyalgia", "all")["prevalence"])


def test_no_cases_are_an_interval_that_runs_off_the_axis_and_no_point() -> None:
    axes = only_axes(plots.draw_prevalence(results()))
    row = [tick.get_text() for tick in axes.get_yticklabels()].index(style.plain_name("crps"))
    ends = {
        line.get_gid(): line.get_xdata()
        for line in axes.lines
        if abs(np.mean(line.get_ydata()) - row) < 0.4 and line.get_gid()
    }
    assert set(ends) == {"female none", "male none"}


def test_ratios_drawn_are_the_crude_ones_and_a_missing_one_is_not_drawn() -> None:
    axes = only_axes(plots.draw_sex_ratio(results()))
    assert points(axes, "ratio") == {"Fibromyalgia": pytest.approx((1.5, 1.2, 1.875))}
    assert axes.get_xscale() == "log"
    fact = published_sex_ratio().set_index("condition").loc["fibromyalgia"]
    (band,) = (patch for patch in axes.patches if patch.get_gid() == "published")
    assert isinstance(band, Rectangle)
    assert (band.get_x(), band.get_width()) == pytest.approx((fact["low"], fact["high"] - fact["low"]))
    assert "case ratio" in {text.get_text() for text in axes.texts}


def test_a_provisional_figure_is_said_to_be_so() -> None:
    table = ratio_table().replace("fibromyalgia", "ptsd")
    axes = only_axes(plots.draw_sex_ratio(results(sex_ratio=table)))
    assert "provisional" in {text.get_text() for text in axes.texts}


def test_ages_show_first_and_last_date() -> None:
    table = prevalence_table()
    figure = plots.draw_ages(results())
    assert figure is not None
    assert [axes.get_title(loc="left") for axes in figure.axes] == [style.plain_name(id) for id in IDS if id != "crps"]
    for when, date in (("first", DATES[0]), ("last", DATES[-1])):
        (line,) = (line for line in figure.axes[0].lines if line.get_label() == f"male {when}")
        rows = table[(table["date"] == date) & (table["condition"] == "fibromyalgia") & (table["sex"] == "male")]
        expected = 100 * rows.set_index("age_group").loc[AGES, "prevalence"].to_numpy()
        np.testing.assert_allclose(line.get_ydata(), expected)
    vulvodynia = figure.axes[2]
    assert {str(line.get_label()) for line in vulvodynia.lines} == {"female first", "female last"}


def test_comorbidity_leaves_undefined_pairs_blank_and_marks_uncertain_ones() -> None:
    figure = trajectory.draw_comorbidity(results())
    axes = only_axes(figure)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [style.plain_name(id) for id in IDS[:3]]
    assert {text.get_text() for text in axes.texts} == {".50", "4.0"}
    squares = {c.get_gid(): np.asarray(c.get_array()) for c in axes.collections if c.get_gid()}
    np.testing.assert_allclose(squares["Tetrachoric correlation"], [0.1])
    np.testing.assert_allclose(squares["Odds ratio"], [np.log2(1.5)])


def test_the_plane_has_the_runs_own_balance_and_marks_cases() -> None:
    plane = plane_table()
    axes = only_axes(trajectory.draw_plane(results()))
    (balance,) = (line for line in axes.lines if line.get_gid() == "balance")
    np.testing.assert_allclose(np.asarray(balance.get_ydata()) / np.asarray(balance.get_xdata()), 20.0)
    marks = {c.get_gid(): c for c in axes.collections if c.get_gid()}
    cases = plane[plane["fibromyalgia"]]
    np.testing.assert_allclose(marks["cases"].get_offsets(), cases[["soothing", "threat"]])
    assert sorted(np.asarray(marks["people"].get_array())) == pytest.approx(sorted(plane["alert"]))


@pytest.mark.parametrize("scenario", [{}, {"parameters": {"support_weight": 0.1}}, SimpleNamespace(parameters={})])
def test_without_a_change_the_balance_is_the_declared_one(scenario: object) -> None:
    assert trajectory.balance(results(scenario=scenario)) == Parameters()["alert_threshold"]
    assert trajectory.balance(results(scenario={"parameters": {"alert_threshold": 9.0}})) == 9.0


def test_one_persons_lines_and_spells() -> None:
    rows = trajectory_table()
    figure = trajectory.draw_one_person(results())
    assert figure is not None
    lines = {line.get_gid(): line.get_ydata() for axes in figure.axes for line in axes.lines}
    for name in (
        "stress",
        "event_load",
        "threat",
        "alert",
        "sensitization",
        "felt_support",
        "loneliness",
        "wpi",
        "sss",
    ):
        np.testing.assert_allclose(lines[name], rows[name])
    np.testing.assert_allclose(lines["soothing"], 20.0 * rows["soothing"])
    spells = {c.get_gid(): [path.get_extents().width for path in c.get_paths()] for c in figure.axes[-1].collections}
    assert spells == {"fibromyalgia": [70.0], "crps": [140.0]}


def test_drift_is_standardised() -> None:
    """The same prevalence in every age and sex, in a population that grows old: a flat line."""
    table = prevalence_table()
    table = table[table["condition"] == "fibromyalgia"].copy()
    old = table["date"].eq(DATES[-1]) & table["age_group"].eq("85+")
    same = table["age_group"].map({age: k for k, age in enumerate(AGES)}).fillna(0).astype(int) * 10 + 10
    table = table.assign(cases=same, people=1000)
    table.loc[old, ["cases", "people"]] *= 7
    figure = plots.draw_over_time(results(prevalence=table))
    (line,) = (line for line in only_axes(figure).lines if line.get_gid() == "fibromyalgia")
    np.testing.assert_allclose(line.get_ydata(), 8.0)


def test_files_are_made_and_the_users_matplotlib_is_untouched(tmp_path: Path) -> None:
    with mpl.rc_context({"font.size": 21.0, "axes.facecolor": "pink"}):
        mine = plt.figure()
        before = (dict(mpl.rcParams), plt.get_backend(), plt.get_fignums())
        drawn = plots.draw_all(results(), tmp_path / "new" / "figures")
        assert (dict(mpl.rcParams), plt.get_backend(), plt.get_fignums()) == before
        plt.close(mine)
    assert [path.stem for path in drawn] == list(plots.FIGURES)
    assert sorted(drawn) == sorted((tmp_path / "new" / "figures").iterdir())
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_nothing_is_drawn_from_nothing(tmp_path: Path) -> None:
    tables = {"prevalence": prevalence_table(), "sex_ratio": ratio_table(), "comorbidity": comorbidity_table()}
    tables |= {"plane": plane_table(), "trajectory": trajectory_table()}
    empty = results(**{name: table.iloc[:0] for name, table in tables.items()})
    assert plots.draw_all(empty, tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_handful_of_people_without_cases_can_be_drawn(tmp_path: Path) -> None:
    nobody = prevalence_table(1).assign(cases=0, prevalence=0.0, low=0.0, high=0.9)
    tiny = results(
        prevalence=nobody, sex_ratio=ratio_table().assign(ratio=np.nan),
        comorbidity=comorbidity_table().assign(odds_ratio=np.nan, tetrachoric=np.nan),
        plane=plane_table(1).assign(fibromyalgia=False), trajectory=trajectory_table().iloc[:1],
    )  # fmt: skip
    stems = [path.stem for path in plots.draw_all(tiny, tmp_path)]
    assert stems == ["prevalence_by_sex", "threat_soothing_plane", "one_person"]


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    """People as they are created, not prepared: who is sampled and followed does not need a stationary start."""
    simulation = Simulation(people=400, demography=load("Germany"), seeds=Seeds(3))
    simulation.population["sensitization"][:] = np.linspace(0, 1, 400)
    simulation.population["alert_mean"][:] = np.linspace(1, 0, 400)
    return simulation


def test_the_plane_samples_adults(simulation: Simulation) -> None:
    who = simulation.population
    adults = np.flatnonzero(who["age"] >= 18)
    who["conditions"][adults[:3]] = simulation.catalogue.mask(["fibromyalgia"])
    everybody, some = sample_plane(simulation), sample_plane(simulation, people=50)
    who["conditions"][:] = 0
    assert len(everybody) == adults.size
    assert everybody["fibromyalgia"].sum() == everybody["any_condition"].sum() == 3
    assert len(some) == 50
    assert set(some["sensitization"]) <= set(everybody["sensitization"])


def test_the_person_followed_is_a_sensitized_adult_in_the_balance(simulation: Simulation) -> None:
    who = simulation.population
    slot = Trajectory(simulation).slot
    assert slot == Trajectory(simulation).slot
    fit = (who["age"] >= 30) & (who["age"] < 50)
    assert fit[slot]
    assert who["sensitization"][slot] >= np.quantile(who["sensitization"][fit], 0.7)
    who["conditions"][slot] = simulation.catalogue.mask(["fibromyalgia"])
    assert Trajectory(simulation).slot != slot
    who["conditions"][slot] = 0


def test_a_person_is_followed_until_death(simulation: Simulation) -> None:
    who = simulation.population
    followed = Trajectory(simulation, slot=7)
    who["conditions"][7] = simulation.catalogue.mask(["fibromyalgia", "crps"])
    who["body_map"][7] = 0b1011
    followed.record(datetime.date(2025, 1, 1))
    who["generation"][7] += 1
    followed.record(datetime.date(2025, 1, 8))
    who["generation"][7] -= 1
    frame = followed.frame()
    assert frame["date"].tolist() == [pd.Timestamp("2025-01-01")]
    row = frame.iloc[0]
    assert (row["person"], row["wpi"], row["conditions"]) == (7 * 65536, 3, "fibromyalgia,crps")
    assert row["sensitization"] == who["sensitization"][7]
    assert Trajectory(simulation).frame().empty


def test_nobody_lives_outside_the_population(simulation: Simulation) -> None:
    with pytest.raises(InputError, match="slot = 400: must be between 0 and 399"):
        Trajectory(simulation, slot=400)

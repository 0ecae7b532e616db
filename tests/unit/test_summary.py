"""The summary of a run: published ranges beside the same sex and ages, and words that fit any terminal."""

import io
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from fitss_abm.presentation.summary import against_published, show_summary
from fitss_abm.study.scenario import Scenario
from fitss_abm.study.simulate import simulate

LAST = pd.Timestamp("2030-01-01")


def rows(condition: str, sex: str, ages: dict[str, tuple[int, int]], **more: Any) -> list[dict[str, Any]]:
    return [
        {"date": LAST, "condition": condition, "sex": sex, "age_group": age, "people": people, "cases": cases, **more}
        for age, (people, cases) in ages.items()
    ]


def test_a_published_range_is_held_against_the_same_people() -> None:
    now = rows(
        "periodic_limb_movements",
        "all",
        {"35-39": (100, 90), "40-44": (100, 20), "75-79": (100, 34), "80-84": (100, 90)},
    )
    now += rows("vulvodynia", "female", {"20-24": (100, 30), "all": (100, 30)})
    now += rows("chronic_migraine", "all", {"20-24": (1000, 5)})
    year = rows("chronic_migraine", "all", {"20-24": (1000, 12)}, period="12 months")
    year += rows("chronic_migraine", "all", {"20-24": (1000, 500)}, period="ever")
    results: Any = SimpleNamespace(prevalence=pd.DataFrame(now), period_prevalence=pd.DataFrame(year))
    found = against_published(results).set_index("condition")
    assert found.loc["periodic_limb_movements", "prevalence"] == pytest.approx(0.27)  # of those of 40 to 79 years
    assert found.loc["vulvodynia", "prevalence"] == pytest.approx(0.30)
    assert found.loc["chronic_migraine", "prevalence"] == pytest.approx(0.012)
    assert found["within"].to_dict() == {"periodic_limb_movements": True, "vulvodynia": False, "chronic_migraine": True}


def test_a_twelve_month_figure_is_not_held_against_a_younger_run() -> None:
    now = rows("chronic_migraine", "all", {"20-24": (1000, 12)})
    results: Any = SimpleNamespace(
        prevalence=pd.DataFrame(now),
        period_prevalence=pd.DataFrame(rows("chronic_migraine", "all", {"20-24": (1000, 12)}, period="ever")),
    )
    assert against_published(results).empty


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(people=400, years=0.1),
        Scenario(people=1, years=0.01),
        Scenario(
            people=30, years=0.1, location="Japan", population={"female_share": 0.0, "age_shares": {"12-17": 1.0}}
        ),
    ],
)
def test_any_run_can_be_summed_up(scenario: Scenario) -> None:
    for width in (40, 150):
        paper = io.StringIO()
        show_summary(simulate(scenario), Console(file=paper, width=width))
        said = paper.getvalue()
        assert "baseline" in said
        assert "nan" not in said
        assert max(len(line) for line in said.splitlines()) <= width

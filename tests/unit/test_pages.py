"""Pages of the documentation that a command makes are as the command makes them now (`make pages`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitss_abm.presentation.describe import SECTIONS, markdown
from fitss_abm.presentation.validation_page import page
from fitss_abm.study.validation import scenarios, validate

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "sections"),
    [("parameters.md", ("parameters", "conditions")), ("instruments.md", ("instruments", "reports"))],
)
def test_the_pages_of_numbers(page: str, sections: tuple[str, ...]) -> None:
    made = "".join(markdown([SECTIONS[name]()]) + "\n" for name in sections)
    assert (DOCS / page).read_text(encoding="utf-8").split() == made.split(), "run `make pages`"


@pytest.mark.slow
def test_the_page_of_published_facts() -> None:
    made = page(validate(scenarios()))
    assert (DOCS / "published_facts.md").read_text(encoding="utf-8") == made, "run `make pages`"

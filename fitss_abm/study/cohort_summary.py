"""What a cohort came to: who was invited, took part and was seen, what is missing, and the mean true effects."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_fields import OUTCOMES, STATUSES
from fitss_abm.study.cohort_truth import AMONG


@dataclass(frozen=True)
class Summary:
    """Counts over all parts. Rows are tables as they stand in summary.json."""

    people: int
    frame: int
    invited: int
    participants: dict[str, int]
    short: int
    """Controls that were wanted and could not be had."""
    visits: list[dict[str, Any]]
    """By visit: date, and how many were seen, missed, lost, dead; `missing` answers by score."""
    effects: list[dict[str, Any]]
    """With a counterfactual, by visit, outcome and group: people, mean factual, counterfactual and effect, and the standard
    deviation of the effect."""

    @property
    def total(self) -> int:
        """Participants of all groups."""
        return sum(self.participants.values())

    def told(self) -> dict[str, Any]:
        """As JSON; effects are the truth's, and stand apart."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "effects"}


def summed(cohort: Cohort, results: Sequence[Mapping[str, Any]]) -> Summary:
    """The reports of all parts as one."""
    visits = []
    for number, visit in enumerate(cohort.visited()):
        each = [one["visits"][number] for one in results]
        row: dict[str, Any] = {"visit": number, "date": visit.date.isoformat()}
        row |= {status: sum(one[status] for one in each) for status in STATUSES}
        row["missing"] = {score: sum(one["missing"][score] for one in each) for score in cohort.instruments}
        visits.append(row)
    return Summary(
        people=cohort.world().people,
        frame=sum(one["frame"] for one in results),
        invited=sum(one["invited"] for one in results),
        participants={
            group: sum(one["participants"][group] for one in results) for group in results[0]["participants"]
        },
        short=sum(one["short"] for one in results),
        visits=visits,
        effects=_effects(results),
    )


def _effects(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for number, _ in enumerate(results[0].get("effects", ())):
        each = [one["effects"][number] for one in results]
        people = np.sum([one["people"] for one in each], axis=0)
        for outcome in OUTCOMES:
            sums = np.sum([one[outcome] for one in each], axis=0)
            for k, group in enumerate(AMONG):
                count = int(people[k])
                means = [float(value) / count if count else None for value in sums[k]]
                spread = None
                if means[2] is not None and means[3] is not None:
                    spread = math.sqrt(max(0.0, means[3] - means[2] ** 2))
                rows.append(
                    {
                        "visit": number, "outcome": outcome, "among": group, "people": count, "factual": means[0],
                        "counterfactual": means[1], "effect": means[2], "effect_sd": spread,
                    }
                )  # fmt: skip
    return rows


def write_effects(summary: Summary, path: Path) -> None:
    """The mean true effects as CSV."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(summary.effects[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(summary.effects)

"""The report on an exported cohort: how true it is to the simulation it came from, and whether anybody could be found in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fitss_abm.errors import Faults
from fitss_abm.measurement.results import write_provenance
from fitss_abm.study import cohort_report_disclosure as disclosure
from fitss_abm.study.cohort_report_disclosure import QUASI, Disclosure
from fitss_abm.study.cohort_report_fidelity import COLUMNS, PAIRS, compare_answers, compare_states
from fitss_abm.study.cohort_report_folder import CohortFolder
from fitss_abm.study.cohort_report_survival import compare_survival

TABLES = ("columns", "correlations", "survival", "classes")
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class CohortReport:
    """Fidelity and disclosure of one exported cohort. Without the truth, `columns` and `correlations` are empty, and `survival` has
    the export alone.
    """

    cohort: CohortFolder
    columns: pd.DataFrame
    """of (answers, states), visit, column, kind (mean, share), values and of_values (known in export and simulation),
    missing (share of the simulation's that the export lacks), export, export_sd, simulation, simulation_sd, unweighted (the
    export's without weights), difference, smd (standardised), chance (its standard error, had values been lost by chance),
    distance, distance_is (Kolmogorov-Smirnov, total variation), beyond_chance.
    """
    correlations: pd.DataFrame
    """visit, one, other, export, simulation, difference: of answers."""
    survival: pd.DataFrame
    """As `compare_survival`."""
    disclosure: Disclosure

    def write(self, folder: Path) -> None:
        """The tables as CSV, and provenance, into an existing folder."""
        for name in TABLES:
            table = self.disclosure.sizes if name == "classes" else getattr(self, name)
            table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.9g")
        told: dict[str, Any] = {
            "cohort": self.cohort.cohort.name, "folder": str(self.cohort.folder), "truth": self.cohort.truth,
            "quasi": list(self.disclosure.quasi), "sensitive": self.disclosure.sensitive,
            "records": self.disclosure.survey,
        }  # fmt: skip
        write_provenance(folder, told)


def report_on(
    folder: str | Path,
    *,
    quasi: Sequence[str] = QUASI,
    sensitive: str | None = None,
    progress: Progress | None = None,
) -> CohortReport:
    """Read an exported cohort (CSV or Parquet) and report on it. Memory is bounded: tables are joined by DuckDB, which goes on on
    disk beyond 1 GB, and summed batch by batch.

    `quasi`: columns of persons, or answers of the first visit, that somebody else may know. `sensitive`: what they would like to
    know; None: the diagnosis of the study's case. Raises InputError with every fault.
    """
    tell = progress or (lambda phase, fraction: None)
    cohort = checked(folder, quasi=quasi, sensitive=sensitive)
    wanted = sensitive if sensitive is not None else disclosure.usual_sensitive(cohort.cohort, quasi)
    columns, correlations = pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=PAIRS)
    with cohort.opened() as opened:
        if cohort.truth:
            tell("answers", 0.0)
            marginals, correlations = compare_answers(cohort, opened)
            tell("states", 0.0)
            columns = pd.concat([marginals, compare_states(cohort, opened)], ignore_index=True)
        tell("survival", 0.0)
        survival = compare_survival(cohort, opened)
        tell("disclosure", 0.0)
        found = disclosure.disclose(cohort, opened, quasi=quasi, sensitive=wanted)
    return CohortReport(cohort, columns, correlations, survival, found)


def checked(folder: str | Path, *, quasi: Sequence[str] = QUASI, sensitive: str | None = None) -> CohortFolder:
    """The cohort of a folder that can be reported on so. Raises InputError with everything for which it cannot."""
    cohort = CohortFolder.read(folder)
    faults = Faults()
    disclosure.check(cohort.cohort, quasi, sensitive, faults)
    faults.raise_if_any()
    return cohort

"""A cohort exported, validated by others' tools, and analysed as an analyst would."""

from __future__ import annotations

import datetime
import gc
import json
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from typer.testing import CliRunner

from fitss_abm.cli import app
from fitss_abm.model.simulation import Simulation
from fitss_abm.study import cohort_part
from fitss_abm.study.cohort import Cohort
from fitss_abm.study.cohort_run import Exported, export
from fitss_abm.study.omop_load import load_omop

SMALL: dict[str, Any] = {
    "scenario": {"people": 300, "programmes": [{"kind": "befriending", "start": datetime.date(2025, 1, 8)}]},
    "visits": ("0", "6m", "1y"), "truth": True,
    "missing": (
        {"of": "participation", "mechanism": "mar", "share": 0.3}, {"of": "dropout", "mechanism": "mnar", "share": 0.1},
        {"of": "visits", "share": 0.05}, {"mechanism": "mar", "share": 0.1},
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["csv", "parquet"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("cohort") / request.param
    return export(Cohort(**SMALL), folder, format=request.param)


@pytest.mark.parametrize("part", ["data", "truth"])
def test_a_package_is_valid_and_opens_in_duckdb_and_pandas(exported: Exported, part: str) -> None:
    folder = exported.folder / part
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "note", "fieldName"])[:5]
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for one in package["resources"]:
        path = folder / one["path"]
        read = pd.read_csv if exported.format == "csv" else pd.read_parquet
        table = read(path)
        ((counted,),) = duckdb.sql(f"select count(*) from '{path.as_posix()}'").fetchall()
        assert len(table) == one["rows"] == counted
        assert list(table.columns) == [field["name"] for field in one["schema"]["fields"]]
    if exported.format == "parquet":
        return  # the library takes seconds for some hundred rows
    spoilt = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    spoilt["resources"][0]["schema"]["fields"][1]["constraints"] = {"enum": ["neither"]}
    (folder / "spoilt.json").write_text(json.dumps(spoilt), encoding="utf-8")
    assert not frictionless.validate(str(folder / "spoilt.json")).valid
    (folder / "spoilt.json").unlink()


# A known effect, found again by who knows nothing but what the study saw


DRUG = {
    "kind": "tramadol", "sizes": {"central_gain": -1.5}, "eligible": "all", "adherence": 1.0, "dropout_per_year": 0.0,
    "side_effects": 0.0, "uptake": 1.0, "start": datetime.date(2025, 1, 8),
}  # fmt: skip
ADULT = {"age": {"from": 18}}
WORLDS = {
    "randomised": [{**DRUG, "coverage": 0.5, "target": ADULT}],
    "confounded": [
        {**DRUG, "name": "women", "coverage": 0.85, "target": {"sex": "female", **ADULT}},
        {**DRUG, "name": "men", "coverage": 0.15, "target": {"sex": "male", **ADULT}},
    ],
}  # fmt: skip


def analysed(world: str, folder: Path) -> tuple[Any, Any, float]:
    """Plain and adjusted regressions of pain at six months on treatment, and the true difference of mean effects."""
    programmes = WORLDS[world]
    asked = ("pain_average", "sss")
    cohort = Cohort(
        scenario={"people": 6000, "programmes": programmes}, visits=("0", "6m"), truth=True, instruments=asked
    )
    found = export(cohort, folder / world, format="csv")
    data = found.folder / "data"
    visits, persons, courses = (pd.read_csv(data / f"{name}.csv") for name in ("visits", "persons", "treatments"))
    last = visits[(visits.visit == 1) & (visits.status == "seen")].merge(persons[["person_id", "sex"]])
    last["treated"] = last.person_id.isin(courses.person_id).astype(float)
    last["female"] = (last.sex == "female").astype(float)
    plain = smf.ols("pain_average ~ treated", last).fit(cov_type="HC1")
    adjusted = smf.ols("pain_average ~ treated + female", last).fit(cov_type="HC1")
    truth = pd.read_csv(found.folder / "truth" / "visits.csv").query("visit == 1").set_index("person_id")
    effect = truth.pain_effect.loc[last.person_id].to_numpy()
    return plain, adjusted, float(effect[last.treated == 1].mean() - effect[last.treated == 0].mean())


def test_a_plain_regression_recovers_the_effect_of_what_was_randomised(tmp_path: Path) -> None:
    plain, _, truth = analysed("randomised", tmp_path)
    low, high = plain.conf_int().loc["treated"]
    assert low <= truth <= high
    assert high < 0
    assert truth < -0.5


def test_confounding_biases_and_adjustment_removes_it(tmp_path: Path) -> None:
    plain, adjusted, truth = analysed("confounded", tmp_path)
    assert abs(plain.params["treated"] - truth) > 4 * plain.bse["treated"]
    low, high = adjusted.conf_int().loc["treated"]
    assert low <= truth <= high
    assert high < 0


def test_the_command_line_writes_a_cohort_that_explains_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    typed = ["cohort", "--people", "800", "--visits", "0,90d", "--missing", "mnar:0.2", "--out", "mine"]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    found = {
        path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*") if path.is_file()
    }
    assert found == {
        "README.md", "cohort.toml", "provenance.json", "summary.json", "data/datapackage.json", "data/persons.csv",
        "data/visits.csv", "data/conditions.csv",
    }  # fmt: skip
    words = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    for said in ("Synthetic: nobody's data", "no medical device", "| `person_id` |", "not at random"):
        assert said in words
    again = CliRunner().invoke(app, ["cohort", "mine/cohort.toml", "--out", "again", "--quiet"])
    assert (again.exit_code, again.output) == (0, "")
    for name in ("persons", "visits", "conditions"):
        one, two = (tmp_path / folder / "data" / f"{name}.csv" for folder in ("mine", "again"))
        assert one.read_bytes() == two.read_bytes()


def test_omop_holds_what_the_tables_hold(exported: Exported, tmp_path: Path) -> None:
    if exported.format == "parquet":
        return
    made = export(Cohort(**SMALL), tmp_path / "omop", format="omop")
    data, folder = exported.folder / "data", made.folder
    visits, persons = pd.read_csv(data / "visits.csv"), pd.read_csv(data / "persons.csv")
    seen = visits[visits["status"] == "seen"]
    with load_omop(folder / "data") as database:

        def counted(query: str) -> Any:
            return database.execute(query).fetchall()[0][0]

        assert counted("select count(*) from person") == len(persons)
        assert counted("select count(*) from visit_occurrence") == len(seen)
        assert counted("select count(*) from death") == (persons["end_reason"] == "death").sum()
        assert counted("select count(*) from condition_occurrence") == len(pd.read_csv(data / "conditions.csv"))
        for score in ("wpi", "sss"):
            found = database.execute(
                "select person_source_value::bigint, visit_start_date, value_as_number, range_high from measurement"
                " join visit_occurrence using (visit_occurrence_id) join person on person.person_id = measurement.person_id"
                f" where measurement_source_value = 'FITSS:{score}' order by 1, 2"
            ).fetchall()
            wanted = seen.dropna(subset=[score]).sort_values(["person_id", "date"])
            assert [(one[0], str(one[1]), one[2]) for one in found] == list(
                wanted[["person_id", "date", score]].itertuples(index=False, name=None)
            )
            assert {one[3] for one in found} == {19.0 if score == "wpi" else 12.0}
        courses = pd.read_csv(data / "treatments.csv")
        assert len(courses) > 0
        talks = "select count(*) from observation where observation_source_value = 'FITSS:programme:befriending'"
        assert counted(talks) == len(courses) + courses["ended"].notna().sum()
        weights = "select concept_name from concept where concept_code = 'weight' and vocabulary_id = 'FITSS'"
        assert "cross-sectional weight" in counted(weights)
    truth = pd.read_parquet(folder / "truth" / "persons.parquet")
    assert set(persons["person_id"]) <= set(truth["person_id"])
    assert frictionless.validate(str(folder / "truth" / "datapackage.json")).valid
    words = (folder / "README.md").read_text(encoding="utf-8")
    assert "data/load.sql" in words
    assert ".omop" not in words
    listed = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["files"]
    assert {"data/person.csv", "data/load.sql", "truth/visits.parquet"} <= set(listed)


def test_a_part_gives_its_memory_back(tmp_path: Path) -> None:
    def living() -> int:
        return sum(type(one) is Simulation for one in gc.get_objects())

    gc.collect()
    before = living()
    gc.disable()  # as if no collection came by chance
    try:
        cohort_part.run(cohort=Cohort(scenario={"people": 500}, visits=("0",)).to_toml(), part=0, folder=str(tmp_path))
    finally:
        gc.enable()
    assert living() == before

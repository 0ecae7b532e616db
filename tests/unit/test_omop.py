"""A cohort as an OMOP database: what is mapped where, and that others' tables, with keys on, take every row."""

import csv
import datetime
import re
import sqlite3
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest
from omop_cdm.regular.cdm54 import tables as theirs
from sqlalchemy import BLANK_SCHEMA, MetaData, create_engine, event

from fitss_abm.errors import InputError
from fitss_abm.model.conditions import shipped
from fitss_abm.model.programme_tables import shipped_kinds
from fitss_abm.study import omop_concepts
from fitss_abm.study.omop import Asked, write_omop
from fitss_abm.study.omop_answers import Named, Shape
from fitss_abm.study.omop_concepts import DRUG_KINDS, FIRST_LOCAL, Concepts, standard, sure_codes
from fitss_abm.study.omop_load import load_omop, load_script
from fitss_abm.study.omop_tables import MOST_INTEGER, select, tables

duckdb = pytest.importorskip("duckdb")

ASKED = {
    "wpi": Asked("Widespread pain index", "sites", 0, 19),
    "pain_average": Asked("Average pain", "points", 0, 10),
    "fm_acr2016": Asked("Fibromyalgia, ACR 2016"),
    "job_strain": Asked("High strain at work", by="question"),
}
START = np.datetime64("2026-01-01")


def levels(names: list[str], codes: list[int] | np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.asarray(codes), pa.int8()), pa.array(names))


def days(values: Iterable[int | None]) -> pa.Array:
    start = datetime.date(2026, 1, 1)
    dates = [None if value is None else start + datetime.timedelta(days=int(value)) for value in values]
    return pa.array(dates, pa.date32())


def small() -> dict[str, pa.Table]:
    """Three people, two visits: 70 (seen once, dies), 5 (seen twice), 9 * 10^12 (never seen again)."""
    ids = [70, 5, 9 * 10**12]
    return {
        "persons": pa.table(
            {
                "person_id": ids,
                "sex": levels(["female", "male"], [0, 1, 0]),
                "birth_year": pa.array([1950, 1980, 2001], pa.int16()),
                "group": levels(["case", "control"], [0, 1, 1]),
                "recruited": days([0, 0, 0]),
                "weight": pa.array([3.1, 1.0, 2.5], pa.float32()),
                "ended": days([100, 365, 0]),
                "end_reason": levels(["end of study", "death", "lost"], [1, 0, 2]),
            }
        ),
        "visits": pa.table(
            {
                "person_id": [70, 5, 9 * 10**12, 70, 5, 9 * 10**12],
                "visit": pa.array([0, 0, 0, 1, 1, 1], pa.int16()),
                "date": days([0, 0, 0, 365, 365, 365]),
                "age": pa.array([75.5, 45.5, 24.5, None, 46.5, None], pa.float32()),
                "status": levels(["seen", "missed", "lost", "dead"], [0, 0, 0, 3, 0, 2]),
                "wpi": pa.array([12, 0, None, None, 3, None], pa.int16()),
                "pain_average": pa.array([3.1, 0.0, 2.2, None, 1.5, None], pa.float32()),
                "fm_acr2016": pa.array([True, False, None, None, False, None]),
                "diagnosed_fibromyalgia": pa.array([True, False, False, None, False, None]),
                "job_strain": pa.array([False, True, None, None, None, None]),
            }
        ),
        "conditions": pa.table(
            {
                "person_id": [70, 5, 5],
                "condition": levels(["fibromyalgia", "multiple_chemical_sensitivity", "own"], [0, 1, 2]),
                "started": days([0, 0, 0]),
                "ended": days([None, 365, None]),
                "seen_as": levels(["clinic", "criteria"], [0, 1, 0]),
            }
        ),
        "treatments": pa.table(
            {
                "person_id": [70, 70, 5, 5],
                "programme": levels(["tablets", "talks", "opioids"], [0, 1, 2, 1]),
                "kind": levels(["snri", "cbt", "strong_opioid"], [0, 1, 2, 1]),
                "started": days([10, 20, 30, 40]),
                "ended": days([60, 80, None, None]),
                "left": levels(["side effects", "completed", "still treated"], [0, 1, 2, 2]),
            }
        ),
    }


def larger(people: int = 300, visits: int = 3) -> dict[str, pa.Table]:
    """People in no order, with everything that may be missing missing now and then."""
    draw = np.random.default_rng(1)
    ids = draw.permutation(people).astype(np.int64) * 1_000_003
    many = people * visits
    number = np.repeat(np.arange(visits), people)
    seen = draw.random(many) < 0.8
    courses = draw.integers(0, 3, people)
    began = draw.integers(0, 300, people)
    return {
        "persons": pa.table(
            {
                "person_id": ids,
                "sex": levels(["female", "male"], draw.integers(0, 2, people)),
                "birth_year": pa.array(draw.integers(1930, 2008, people), pa.int16()),
                "group": levels(["population"], np.zeros(people)),
                "recruited": days(np.zeros(people)),
                "weight": pa.array(draw.uniform(1, 9, people), pa.float32()),
                "ended": days(draw.integers(0, 700, people)),
                "end_reason": levels(["end of study", "death", "lost"], draw.integers(0, 3, people)),
            }
        ),
        "visits": pa.table(
            {
                "person_id": np.tile(ids, visits),
                "visit": pa.array(number, pa.int8()),
                "date": days(number * 365),
                "status": levels(["seen", "missed"], ~seen),
                "wpi": pa.array(draw.integers(0, 20, many), pa.int16(), mask=~seen | (draw.random(many) < 0.1)),
                "pain_average": pa.array(draw.integers(0, 101, many) / 10, pa.float32(), mask=~seen),
                "fm_acr2016": pa.array(draw.random(many) < 0.2, mask=~seen),
                "diagnosed_fibromyalgia": pa.array(draw.random(many) < 0.2, mask=~seen),
            }
        ),
        "conditions": pa.table(
            {
                "person_id": draw.choice(ids, people),
                "condition": levels(list(shipped().ids), draw.integers(0, len(shipped().ids), people)),
                "started": days(began),
                "ended": pa.array(START + (began + 90).astype("timedelta64[D]"), mask=draw.random(people) < 0.5),
                "seen_as": levels(["clinic", "criteria"], draw.integers(0, 2, people)),
            }
        ),
        "treatments": pa.table(
            {
                "person_id": draw.choice(ids, people),
                "programme": levels(["a", "b", "c"], courses),
                "kind": levels(["snri", "cbt", "nsaid"], courses),
                "started": days(began),
                "ended": pa.array(START + (began + 50).astype("timedelta64[D]"), mask=draw.random(people) < 0.5),
            }
        ),
    }


def put(folder: Path, given: dict[str, pa.Table]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in given.items():
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def given(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    return write_omop(put(folder / "it's [a] cohort", small()), folder / "it's [an] omop", asked=ASKED)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("larger")
    return write_omop(put(folder / "cohort", larger()), folder / "omop", asked=ASKED)


def test_every_file_has_the_columns_of_its_table(written: Path) -> None:
    assert {path.stem for path in written.glob("*.csv")} == set(tables())
    assert {path.name for path in written.iterdir()} == {f"{table}.csv" for table in tables()} | {"load.sql"}
    for table, columns in tables().items():
        with (written / f"{table}.csv").open(encoding="utf-8") as file:
            assert file.readline().rstrip("\n").split(",") == [column.name for column in columns]


def test_people(written: Path) -> None:
    first, second, third = rows(written, "person")  # in the order of person_id: 5, 70, 9 * 10^12
    assert given(first) == {
        "person_id": "1", "gender_concept_id": "8507", "year_of_birth": "1980", "race_concept_id": "0",
        "ethnicity_concept_id": "0", "person_source_value": "5", "gender_source_value": "male",
        "gender_source_concept_id": "0",
    }  # fmt: skip
    assert (second["gender_concept_id"], second["person_source_value"]) == ("8532", "70")
    assert third["person_source_value"] == "9000000000000"
    periods = {row["person_id"]: list(row.values())[2:] for row in rows(written, "observation_period")}
    assert periods["2"] == ["2026-01-01", "2026-04-11", "32809"]
    assert [given(row) for row in rows(written, "death")] == [
        {"person_id": "2", "death_date": "2026-04-11", "death_type_concept_id": "32809"}
    ]


def test_visits_that_were_seen_and_their_scores(written: Path) -> None:
    seen = rows(written, "visit_occurrence")
    keys = [(row["visit_occurrence_id"], row["person_id"], row["visit_start_date"]) for row in seen]
    assert keys == [
        ("1", "1", "2026-01-01"),
        ("2", "1", "2027-01-01"),
        ("3", "2", "2026-01-01"),
        ("5", "3", "2026-01-01"),
    ]
    assert {row["visit_concept_id"] for row in seen} == {"9202"}
    scores = rows(written, "measurement")
    found = {(row["measurement_source_value"], row["visit_occurrence_id"]): row for row in scores}
    values = {key: float(row["value_as_number"]) for key, row in found.items()}
    assert values == {
        ("FITSS:wpi", "1"): 0, ("FITSS:pain_average", "1"): 0, ("FITSS:wpi", "2"): 3, ("FITSS:pain_average", "2"): 1.5,
        ("FITSS:wpi", "3"): 12, ("FITSS:pain_average", "3"): 3.1, ("FITSS:pain_average", "5"): 2.2,
    }  # fmt: skip
    row = found["FITSS:pain_average", "3"]
    assert (row["value_as_number"], row["measurement_concept_id"], row["unit_source_value"]) == ("3.1", "0", "points")
    assert (float(row["range_low"]), float(row["range_high"])) == (0.0, 10.0)
    assert row["person_id"] == "2"
    assert int(row["measurement_source_concept_id"]) >= FIRST_LOCAL


def test_conditions_have_sure_codes_or_their_own_names(written: Path) -> None:
    found = {row["condition_source_value"]: row for row in rows(written, "condition_occurrence")}
    assert set(found) == {"ICD10CM:M79.7", "FITSS:condition:multiple_chemical_sensitivity", "FITSS:condition:own"}
    sure, own = found["ICD10CM:M79.7"], found["FITSS:condition:multiple_chemical_sensitivity"]
    assert (sure["condition_concept_id"], sure["condition_type_concept_id"]) == ("40405599", "32817")
    assert (sure["condition_start_date"], sure["condition_end_date"]) == ("2026-01-01", "")
    assert (own["condition_concept_id"], own["condition_type_concept_id"]) == ("0", "32880")
    assert own["condition_end_date"] == "2027-01-01"
    names = {row["concept_id"]: row["concept_name"] for row in rows(written, "concept")}
    assert names[own["condition_source_concept_id"]] == shipped()["multiple_chemical_sensitivity"].label


def test_drugs_are_exposures_and_other_programmes_observations(written: Path) -> None:
    drugs = {row["drug_source_value"]: row for row in rows(written, "drug_exposure")}
    assert set(drugs) == {"FITSS:programme:snri", "FITSS:programme:strong_opioid"}
    snri, opioid = drugs["FITSS:programme:snri"], drugs["FITSS:programme:strong_opioid"]
    assert (snri["drug_concept_id"], snri["sig"], snri["stop_reason"]) == ("715259", "tablets", "side effects")
    assert snri["drug_exposure_end_date"] == snri["verbatim_end_date"] == "2026-03-02"
    assert (opioid["drug_concept_id"], opioid["stop_reason"], opioid["verbatim_end_date"]) == ("0", "", "")
    assert opioid["drug_exposure_end_date"] == "2027-01-01"  # required: the last day of the study
    talks = [
        (row["person_id"], row["observation_date"], row["value_as_string"], row["qualifier_source_value"])
        for row in rows(written, "observation")
        if row["observation_source_value"] == "FITSS:programme:cbt"
    ]
    assert sorted(talks) == [
        ("1", "2026-02-10", "started", "talks"),
        ("2", "2026-01-21", "started", "talks"),
        ("2", "2026-03-22", "completed", "talks"),
    ]


def test_answers_are_observations(written: Path) -> None:
    found = {
        (row["observation_source_value"], row["person_id"], row["visit_occurrence_id"]): row
        for row in rows(written, "observation")
    }
    answers = {key: (row["value_as_string"], row["value_as_concept_id"]) for key, row in found.items()}
    yes, no = ("yes", "4188539"), ("no", "4188540")
    assert answers["FITSS:diagnosed_fibromyalgia", "2", "3"] == answers["FITSS:fm_acr2016", "2", "3"] == yes
    assert answers["FITSS:job_strain", "1", "1"] == yes
    assert answers["FITSS:job_strain", "2", "3"] == no
    assert ("FITSS:job_strain", "1", "2") not in answers  # null
    how = {key[0]: row["observation_type_concept_id"] for key, row in found.items()}
    assert (how["FITSS:job_strain"], how["FITSS:diagnosed_fibromyalgia"], how["FITSS:fm_acr2016"]) == (
        "32865", "32865", "32880",
    )  # fmt: skip
    assert found["FITSS:person:group", "2", ""]["value_as_string"] == "case"
    assert found["FITSS:person:weight", "2", ""]["value_as_number"] == "3.1"


def test_ids_are_unique_and_the_same_whatever_the_threads_and_parts(many: Path, tmp_path: Path) -> None:
    for table, columns in tables().items():
        key = next((column.name for column in columns if column.primary), None)
        ids = [row[key] for row in rows(many, table)] if key else []
        assert len(ids) == len(set(ids)), table
    whole = larger()
    again = write_omop(put(tmp_path / "cohort", whole), tmp_path / "again", asked=ASKED, threads=3, memory="300MB")
    first = pa.array(whole["persons"]["person_id"].to_numpy()[:111])
    parts = []
    for number, wanted in enumerate((True, False)):
        kept = {
            name: table.filter(pa.compute.equal(pa.compute.is_in(table["person_id"], first), wanted))
            for name, table in whole.items()
        }
        parts.append(put(tmp_path / f"part {number}", kept))
    split = write_omop(parts, tmp_path / "split", asked=ASKED)
    for path in many.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
        assert (split / path.name).read_bytes() == path.read_bytes(), path.name


# ---- other people's tables ------------------------------------------------------------------------------------------------


def test_columns_are_those_of_omop_cdm() -> None:
    official = {table.name: table for table in theirs.Base.metadata.tables.values()}
    for name, columns in tables().items():
        assert [column.name for column in columns] == [column.name for column in official[name].columns]
        for ours, their in zip(columns, official[name].columns, strict=True):
            assert ours.required == (not their.nullable), (name, ours.name)
            assert ours.type == str(their.type).lower().replace("datetime", "timestamp"), (name, ours.name)
            keys = [tuple(key.target_fullname.split(".")[-2:]) for key in their.foreign_keys]
            assert [ours.references] == (keys or [None]), (name, ours.name)


@pytest.fixture
def sqlite(tmp_path: Path):
    """The tables of `omop-cdm` in SQLite, keys on, and deferred, since concept and vocabulary refer to each other."""
    plain = MetaData()
    for table in theirs.Base.metadata.tables.values():
        table.to_metadata(plain, schema=None, referred_schema_fn=lambda *_: BLANK_SCHEMA)
    engine = create_engine(f"sqlite:///{tmp_path / 'omop.sqlite'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    plain.create_all(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        yield plain, connection
    engine.dispose()


def fill(plain: MetaData, connection, folder: Path) -> None:
    kinds = {"DATE": datetime.date.fromisoformat, "INTEGER": int, "BIGINT": int, "NUMERIC": float}
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for name in tables():
        columns = plain.tables[name].columns
        read = {column.name: kinds.get(str(column.type), str) for column in columns}
        made = [{key: read[key](text) if text else None for key, text in row.items()} for row in rows(folder, name)]
        if made:
            connection.execute(plain.tables[name].insert(), made)


def test_omop_cdm_takes_every_row_with_foreign_keys_on(sqlite, many: Path) -> None:
    plain, connection = sqlite
    keys = connection.exec_driver_sql("PRAGMA foreign_key_list(measurement)").fetchall()
    assert len(keys) > 5  # the keys are there to be broken
    fill(plain, connection, many)
    assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
    connection.commit()
    for name in tables():
        count = connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar()
        assert count == len(rows(many, name)) > 0, name


@pytest.mark.parametrize(
    ("table", "column", "value", "refusal"),
    [
        ("measurement", "visit_occurrence_id", "999999", "FOREIGN KEY"),
        ("condition_occurrence", "condition_source_concept_id", "2147483647", "FOREIGN KEY"),
        ("drug_exposure", "drug_exposure_end_date", "", "NOT NULL"),
        ("person", "person_id", "2", "UNIQUE"),
    ],
)
def test_what_is_broken_is_refused(sqlite, many: Path, tmp_path: Path, table, column, value, refusal) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in many.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    with (broken / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        header, first, *rest = csv.reader(file)
    first[header.index(column)] = value
    with (broken / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, first, *rest])
    plain, connection = sqlite

    def load() -> None:
        fill(plain, connection, broken)
        connection.commit()

    with pytest.raises(Exception, match=refusal) as told:
        load()
    assert isinstance(told.value.__cause__ or told.value, sqlite3.IntegrityError) or "IntegrityError" in str(told.value)
    with pytest.raises(duckdb.ConstraintException):
        load_omop(broken)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_duckdb_takes_every_row(many: Path, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = many
    if suffix == "parquet":
        folder = write_omop(put(tmp_path / "cohort", larger()), tmp_path / "omop", asked=ASKED, suffix="parquet")
    database = tmp_path / "cohort.duckdb"
    with load_omop(folder, database) as connection:
        for name in tables():
            (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
            assert count == len(rows(many, name)) > 0, name
        keys = connection.execute(
            "SELECT count(*) FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND table_name = 'measurement'"
        ).fetchall()[0][0]
        assert keys > 5
        total = connection.execute("SELECT sum(value_as_number) FROM measurement").fetchall()[0][0]
    assert total == pytest.approx(sum(float(row["value_as_number"]) for row in rows(many, "measurement")), rel=1e-6)
    with pytest.raises(InputError, match="exists already"):
        load_omop(folder, database)
    # The script by itself, in its folder, as the command line would have it.
    monkeypatch.chdir(folder)
    with duckdb.connect() as connection:
        connection.execute(Path("load.sql").read_text(encoding="utf-8"))
        assert connection.execute("SELECT count(*) FROM person").fetchall() == [(300,)]


def test_the_script_checks_what_duckdb_has_no_key_for(many: Path, tmp_path: Path) -> None:
    for path in many.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    domain = tmp_path / "domain.csv"
    domain.write_text(domain.read_text(encoding="utf-8").replace("Drug,Drug,0", "Drug,Drug,12345"), encoding="utf-8")
    with pytest.raises(duckdb.Error, match=r"domain.domain_concept_id refers to no concept"):
        load_omop(tmp_path)


def test_ids_beyond_an_integer_get_a_wider_type() -> None:
    column = {"a": Named("SMALLINT", "FITSS:a", FIRST_LOCAL, 32809)}
    assert Shape(10_000_000, 3, 0, {}, column, {}).largest()["measurement"] == 30_000_000
    wide = Shape(30_000_000, 100, 0, {}, column, {}).largest()
    assert [name for name, largest in wide.items() if largest > MOST_INTEGER] == ["visit_occurrence", "measurement"]
    script = load_script(suffix="csv", wide=("visit_occurrence", "measurement"))
    with duckdb.connect() as connection:
        connection.execute(script.split("COPY ")[0] + "COMMIT;")
        types = connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE data_type = 'BIGINT' AND table_name = 'measurement'"
        ).fetchall()
    assert {"measurement_id", "visit_occurrence_id"} <= {name for (name,) in types}


# ---- names and codes ------------------------------------------------------------------------------------------------------


def test_only_sure_codes_are_shown() -> None:
    def codes(id: str) -> dict[str, str]:
        return sure_codes(shipped()[id].codes)

    assert codes("fibromyalgia") == {"ICD10CM": "M79.7", "SNOMED": "203082005", "ICD11": "MG30.01"}
    assert codes("interstitial_cystitis") == {"SNOMED": "197834003"}  # MG30.00 was inferred, not seen
    assert codes("me_cfs") == {"ICD10CM": "G93.3", "SNOMED": "52702003", "ICD11": "8E49"}
    assert codes("ptsd") == {"ICD10CM": "F43.10", "SNOMED": "47505003"}
    assert codes("chronic_low_back_pain") == {"ICD11": "MG30.02"}
    assert codes("multiple_chemical_sensitivity") == codes("female_urethral_syndrome") == {}
    for made_up in ({"icd10cm": "M54.5"}, {"icd11": "GC00.3"}, {"icd10cm": "M79.1"}, {"icd11": "MG30.00"}):
        assert sure_codes(made_up) == {}
    text = (files("fitss_abm.data") / "codes.csv").read_text(encoding="utf-8")
    unsure = set(re.findall(r"[(\s]([A-Z0-9.]+x?)[^(),;]{0,12} unverified", text))
    assert {"GC00.3", "N34.3", "6B40"} <= unsure
    for condition in shipped().conditions:
        assert not unsure & set(codes(condition.id).values())


def test_standard_concepts_name_what_the_project_names() -> None:
    for use, concept in standard().items():
        kind, _, id = use.partition(":")
        if kind == "condition":
            assert shipped()[id].codes["snomed"] == concept.code
        if kind == "kind":
            assert concept.name in shipped_kinds()[id]["label"].lower()
            assert id in DRUG_KINDS
    ids = [concept.id for concept in standard().values()]
    assert len(ids) == len(set(ids))
    assert max(ids) < FIRST_LOCAL


def test_drugs_are_the_kinds_of_the_section_on_drugs() -> None:
    text = (files("fitss_abm.data") / "programmes.toml").read_text(encoding="utf-8")
    section = re.split(r"^# ---- ", text, flags=re.MULTILINE)
    (drugs,) = [part for part in section if part.startswith("drugs ")]
    assert set(re.findall(r"^\[(\w+)\]", drugs, flags=re.MULTILINE)) == set(DRUG_KINDS)


def test_own_ids_depend_on_the_name_alone_and_never_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Concepts(), Concepts()
    other.local("something else", "", "Observation")
    assert one.local("wpi", "a", "Measurement") == other.local("wpi", "b", "Measurement") >= FIRST_LOCAL
    monkeypatch.setattr(omop_concepts.zlib, "crc32", lambda _: 2**32 - 1)
    found = [one.local(code, code, "Observation") for code in "abc"]
    assert len(set(found)) == 3
    assert all(FIRST_LOCAL <= id < 2**31 for id in found)


def test_a_query_lacks_no_required_column() -> None:
    with pytest.raises(ValueError, match="death_date"):
        select("death", {"person_id": "1"}, "")
    with pytest.raises(ValueError, match="birthday"):
        select("death", {"person_id": "1", "death_date": "1", "birthday": "1"}, "")


# ---- odd and bad cohorts --------------------------------------------------------------------------------------------------


def test_without_scores_programmes_and_conditions(tmp_path: Path) -> None:
    cohort = small()
    del cohort["treatments"]
    cohort["conditions"] = cohort["conditions"].slice(0, 0)
    cohort["visits"] = cohort["visits"].select(["person_id", "visit", "date", "status"])
    out = write_omop(put(tmp_path / "cohort", cohort), tmp_path / "omop", asked=ASKED)
    assert rows(out, "measurement") == rows(out, "drug_exposure") == rows(out, "condition_occurrence") == []
    assert len(rows(out, "observation")) == 6
    load_omop(out).close()


def test_long_and_odd_words_fit(tmp_path: Path) -> None:
    cohort = small()
    name = 'a "programme", with ' + "long words " * 20
    cohort["treatments"] = cohort["treatments"].set_column(1, "programme", pa.array([name] * 4))
    cohort["visits"] = cohort["visits"].append_column("an 'odd' \"column\"", pa.array([1.5, None, 2.0, 3.0, 4.0, 5.0]))
    out = write_omop(put(tmp_path / "cohort", cohort), tmp_path / "omop", asked=ASKED)
    for table, columns in tables().items():
        for column in columns:
            if column.type.startswith("varchar"):
                longest = max((len(row[column.name]) for row in rows(out, table)), default=0)
                assert longest <= int(column.type[8:-1]), (table, column.name)
    assert rows(out, "drug_exposure")[0]["sig"] == name
    odd = [row for row in rows(out, "observation") if "odd" in row["observation_source_value"]]
    assert [row["value_as_number"] for row in odd] == ["4.0", "1.5", "2.0"]
    load_omop(out).close()


def test_every_fault_at_once_and_nothing_written(tmp_path: Path) -> None:
    cohort = small()
    cohort["persons"] = cohort["persons"].set_column(1, "sex", pa.array(["femal", "male", None]))
    cohort["visits"] = cohort["visits"].drop_columns(["date"])
    del cohort["conditions"]
    with pytest.raises(InputError) as told:
        write_omop(put(tmp_path / "cohort", cohort), tmp_path / "omop", asked=ASKED)
    assert {(fault.field, fault.nearest) for fault in told.value.faults} == {
        ("file", None), ("visits.date", None), ("persons.sex", "female"), ("persons.sex", None),
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["cohort"]


@pytest.mark.parametrize(
    ("table", "change", "problem"),
    [
        (
            "persons",
            lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]),
            "persons.person_id = '70': is there more than once",
        ),
        (
            "visits",
            lambda rows: pa.concat_tables([rows, rows.slice(0, 1)]),
            "visits.person_id and visit = '70, 0': is there more",
        ),
        (
            "conditions",
            lambda rows: rows.set_column(0, "person_id", pa.array([70, 5, 6])),
            "person_id = 6: is nobody in persons",
        ),
        (
            "treatments",
            lambda rows: rows.set_column(4, "ended", days([0, 80, None, None])),
            "comes before started in 1 rows",
        ),
        ("visits", lambda rows: rows.set_column(1, "visit", pa.array([0, 0, 0, 1, -1, 1])), "must be 0 or more"),
    ],
)
def test_rows_that_do_not_fit_together(tmp_path: Path, table: str, change, problem: str) -> None:
    cohort = small()
    cohort[table] = change(cohort[table])
    with pytest.raises(InputError, match=problem):
        write_omop(put(tmp_path / "cohort", cohort), tmp_path / "omop", asked=ASKED)
    assert not (tmp_path / "omop").exists()


def test_unreadable_file(tmp_path: Path) -> None:
    put(tmp_path / "cohort", small())
    (tmp_path / "cohort" / "visits.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"visits.parquet': cannot be read"):
        write_omop(tmp_path / "cohort", tmp_path / "omop", asked=ASKED)
    with pytest.raises(InputError, match=r"has no load.sql"):
        load_omop(tmp_path)

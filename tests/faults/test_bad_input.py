"""Whatever is wrong with the input: one message with all of it, exit code 2, and nothing written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fitss_abm.cli import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(folder: Path, *arguments: str) -> str:
    """What the command says when it refuses; it must leave the folder as it is."""
    before = sorted(path for path in folder.rglob("*"))
    done = CliRunner().invoke(app, ["run", *arguments])
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert sorted(path for path in folder.rglob("*")) == before
    return done.stderr


def scenario(folder: Path, text: str) -> str:
    (folder / "s.toml").write_text(text, encoding="utf-8")
    return refused(folder, "s.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("peopel = 5", ["s.toml: peopel = 5: no such key of a scenario.", "'people'"]),
        ("[sex]", ["s.toml: sex = {}: no such key of a scenario.", "'seed'"]),
        ("people = 'many'", ["s.toml: people = 'many': must be a whole number"]),
        ("people = 0", ["s.toml: people = 0: must be 1 or more"]),
        ("years = nan", ["s.toml: years = nan: must be"]),
        ("years = 1e9", ["s.toml: years = 1000000000.0: must be 200 or less"]),
        ("location = 'Germny'", ["location = 'Germny': no such location", "'Germany'"]),
        ("[parameters]\nsupport_wieght = 1", ["parameters.support_wieght", "'support_weight'"]),
        (
            "[parameters]\nsupport_weight = 99",
            ["parameters.support_weight = 99: must lie between 0 and 3 soothing units"],
        ),
        ("[parameters]\nsupport_weight = nan", ["parameters.support_weight = nan: must lie between 0 and 3"]),
        ("[conditions.fibromyalgi]\nburden = 0.1", ["conditions.fibromyalgi", "'fibromyalgia'"]),
        ("[conditions.me_cfs]\nburdn = 0.1", ["conditions.me_cfs.burdn", "'burden'"]),
        ("[conditions.me_cfs]\nburden = 2", ["conditions.me_cfs.burden = 2: must be a number between 0 and 1"]),
        ("[network]\nfriends_anyy = 1", ["network.friends_anyy = 1", "'friends_any'"]),
        ("[network]\nfriends_any = -0.5", ["network.friends_any = -0.5: not within 0 to 1"]),
        ("sex_mechanisms_off = ['condition_onst']", ["sex_mechanisms_off = 'condition_onst'", "'condition_onset'"]),
        ("[seeds]\nlief = 1", ["seeds.lief = 1: no such stream of luck", "'life'"]),
        (
            "[[changes]]\ndate = 2020-01-01\nparameters = { hassle_rate = 0.1 }",
            ["changes[0].date", "must be within the run"],
        ),
        ("people = 10\nyears == 3", ["s.toml: line 2 = 'years == 3': is not TOML"]),
        ("people = 10\npeople = 11", ["s.toml: line 2", "is not TOML"]),
        ("population = 'nowhere.csv'", ["population", "nowhere.csv", "no such file"]),
        ("[network]\nedges = 'nowhere.csv'", ["network.edges", "nowhere.csv", "no such file"]),
        ("conditions_file = 'nowhere.toml'", ["conditions_file", "nowhere.toml", "no such file"]),
    ],
)
def test_a_scenario_file(folder: Path, text: str, said: list[str]) -> None:
    message = scenario(folder, text)
    for part in said:
        assert part in message, message


def test_all_faults_are_told_together(folder: Path) -> None:
    (folder / "s.toml").write_text(
        "peopel = 5\nlocation = 'Germny'\n[parameters]\nsupport_weight = 99\n[network]\nedges = 'ties.csv'\n",
        encoding="utf-8",
    )
    (folder / "ties.csv").write_text("source,target\n1,1\n", encoding="utf-8")
    (folder / "mine").mkdir()
    message = refused(folder, "s.toml", "--years", "ten", "--threads", "0", "--out", "mine")
    assert message.startswith("7 faults in the input:")
    for part in (
        "peopel",
        "Germny",
        "support_weight",
        "ties.csv: line 2",
        "years = 'ten'",
        "threads = 0",
        "mine' exists",
    ):
        assert part.replace("' exists", "") in message, part
    assert message.count("s.toml:") == 3  # what was said on the command line is not blamed on the file


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--people", "0"], "people = 0: must be 1 or more"),
        (["--people", "many"], "people = 'many': must be a whole number"),
        (["--people", "1e20"], "people = 1e+20: must be a whole number"),
        (["--years", "-1"], "years = -1: must be above 0"),
        (["--seed", "1.5"], "seed = 1.5: must be a whole number"),
        (["--start", "soon"], "start = 'soon': must be a date"),
        (["--threads", "100000"], "the cores of this machine"),
        (["--location", "Utopia"], "no such location"),
        (["--snapshot-every", "0"], "snapshot_every = 0: must be 1 or more"),
        (["nowhere.toml"], "cannot be read (No such file or directory)"),
    ],
)
def test_the_command_line(folder: Path, arguments: list[str], said: str) -> None:
    assert said in refused(folder, *arguments)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("source,target\n0,1\n7,99\n", ["line 3: target = 99: no such person: slots are 0 to 9"]),
        ("source,target\n3,3\n", ["line 2: target = 3: a person cannot be tied to themselves"]),
        ("source,target\n0,1\n1,0\n", ["line 3: target = 0: this tie was given before"]),
        ("source,target,weight\n0,1,nan\n1,2,-1\n", ["line 2: weight = nan", "line 3: weight = -1.0", "from 0 to 16"]),
        ("source,target\n0,1,2\n", ["line 2", "2 values are wanted, not 3"]),
        ("source,targt\n0,1\n", ["targt", "'target'"]),
        ('source,target\n0,"1\n', ["not CSV"]),
        ("source,target\n0,one\n", ["line 2: target = 'one': a whole number is wanted"]),
    ],
)
def test_an_edge_list(folder: Path, table: str, said: list[str]) -> None:
    (folder / "ties.csv").write_text(table, encoding="utf-8")
    message = scenario(folder, "people = 10\nyears = 0.1\n[network]\nedges = 'ties.csv'\n")
    for part in ("ties.csv", *said):
        assert part in message, message


def test_a_population_and_an_edge_list_are_told_together(folder: Path) -> None:
    (folder / "ties.csv").write_text("source,target\n0,0\n", encoding="utf-8")
    (folder / "people.csv").write_text(
        "sex,age_from,age_to,population,death_rate_per_person_year\nfemale,0,,-5,0.01\nmale,0,,nan,0.01\n",
        encoding="utf-8",
    )
    (folder / "more.toml").write_text("[me_cfs]\nburden = 7\n", encoding="utf-8")
    message = scenario(
        folder, "people = 9\npopulation = 'people.csv'\nconditions_file = 'more.toml'\n[network]\nedges = 'ties.csv'\n"
    )
    for part in (
        "people.csv: line 2, population = '-5'",
        "people.csv: line 3",
        "ties.csv: line 2",
        "more.toml: conditions.me_cfs",
    ):
        assert part in message, message


def test_more_people_than_memory_holds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fitss_abm.study.simulate._BYTES_PER_PERSON", 10**13)
    assert "people = 100: need 1,000,000.0 GB of memory or more" in refused(folder, "--people", "100")


def test_a_folder_that_exists(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.tex").write_text("", encoding="utf-8")
    assert "exists already" in refused(folder, "--out", "mine")
    assert "is not the folder of a run, so it is not overwritten" in refused(folder, "--out", "mine", "--overwrite")


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / "file").write_text("", encoding="utf-8")
    assert "cannot be written" in refused(folder, "--out", "file/run")


def test_a_scenario_that_is_no_text(folder: Path) -> None:
    (folder / "s.toml").write_bytes(b"people = 5\n\xff\xfe")
    assert "is not UTF-8 text" in refused(folder, "s.toml")

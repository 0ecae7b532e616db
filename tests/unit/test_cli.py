"""The command line: what it prints, where it writes, how it stops."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fitss_abm.cli import app
from fitss_abm.cli.common import begin_kept, kept_runs, told
from fitss_abm.measurement.observers import Observer
from fitss_abm.study.missing_runs import MissingRuns

SMALL = ["--people", "300", "--years", "0.1"]


def fitss(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_says_how_common_conditions_are_and_where_its_files_lie(elsewhere: Path) -> None:
    done = fitss("run", *SMALL)
    assert done.exit_code == 0, done.output
    for words in ("Fibromyalgia", "women", "published", "person-days a second", "Tables: ", "Figures: ", "300 people"):
        assert words in done.stdout, words
    (folder,) = (elsewhere / "runs").iterdir()
    assert folder.name.startswith("baseline-2")
    assert (folder / "prevalence.parquet").exists()
    assert list((folder / "figures").glob("*.png"))
    assert str(folder) in done.stdout.replace("\n", "")


def test_each_run_has_a_fresh_folder(elsewhere: Path) -> None:
    for _ in range(2):
        assert fitss("run", *SMALL, "--quiet", "--no-figures").exit_code == 0
    assert sorted(path.name[-2:] for path in (elsewhere / "runs").iterdir()) == ["-1", "-2"]


def test_quiet_says_nothing(elsewhere: Path) -> None:
    done = fitss("run", *SMALL, "--quiet", "--no-figures", "--out", "mine")
    assert (done.exit_code, done.output) == (0, "")
    assert not (elsewhere / "mine" / "figures").exists()


def test_options_have_the_last_word_over_the_file(elsewhere: Path) -> None:
    (elsewhere / "few.toml").write_text("people = 200\nyears = 0.1\nseed = 3\n", encoding="utf-8")
    done = fitss("run", "few.toml", "--seed", "4", "--start", "2030-06-01", "--no-figures", "--out", "mine")
    assert done.exit_code == 0, done.output
    said = (elsewhere / "mine" / "scenario.toml").read_text(encoding="utf-8")
    assert 'name = "few"' in said
    assert "people = 200" in said
    assert "seed = 4" in said
    assert "start = 2030-06-01" in said


def test_snapshots_write_people(elsewhere: Path) -> None:
    assert fitss("run", *SMALL, "--snapshot-every", "20", "--no-figures", "--out", "mine").exit_code == 0
    assert (elsewhere / "mine" / "people.parquet").exists()


def test_ctrl_c_leaves_nothing_and_says_so(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: Observer, *, pairs: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Observer, "observe", stop)
    done = fitss("run", *SMALL)
    assert done.exit_code == 130
    assert done.stderr == "stopped; nothing was written\n"
    assert not list(elsewhere.iterdir())


def test_ctrl_c_while_drawing_keeps_the_tables_and_no_half_figures(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(results: object, folder: Path) -> list[Path]:
        (folder / "half.png").write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr("fitss_abm.presentation.plots.draw_all", stop)
    done = fitss("run", *SMALL, "--out", "mine")
    assert done.exit_code == 130
    assert "the tables are complete" in done.stderr
    assert (elsewhere / "mine" / "prevalence.parquet").exists()
    assert not [path for path in (elsewhere / "mine").iterdir() if path.is_dir()]


def test_kept_runs_say_how_to_go_on_and_which_failed(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, code, words in (
        (KeyboardInterrupt(), 130, "stopped; with --out kept the same command goes on from here"),
        (
            MissingRuns({"one-3": "no luck"}, 8),
            1,
            "1 of 8 runs failed, so nothing is compared:\n  one-3: no luck\nthe others",
        ),
    ):
        begin_kept(Path("kept"), quiet=True)
        with pytest.raises(typer.Exit) as left, told(), kept_runs(Path("kept")):
            raise error
        assert left.value.exit_code == code
        assert words in capsys.readouterr().err
    with pytest.raises(typer.Exit), told(), kept_runs(Path("nothing kept yet")):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "stopped; nothing was written\n"


def test_workers_are_told_with_all_other_faults(elsewhere: Path) -> None:
    (elsewhere / "few.toml").write_text("people = 200\n", encoding="utf-8")
    (elsewhere / "trial.toml").write_text('treatment = { kind = "snri" }\n', encoding="utf-8")
    for command in (
        ("compare", "few.toml"), ("experiment", "nowhere"), ("sensitivity",), ("knockout", "--no-sex"), ("calibrate",),
        ("trial", "trial.toml"),
    ):  # fmt: skip
        done = fitss(*command, "--workers", "-1", "--replicates", "0", "--out", "o")
        assert done.exit_code == 2, done.output
        assert "workers = -1: must be a whole number, 0 or more." in done.stderr
        assert "replicates = 0: must be a whole number" in done.stderr
        assert not (elsewhere / "o").exists()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("rules", ["1. traits", "23. mortality", "every", "writes", "equation"]),
        ("parameters", ["support_weight", "measured", "assumed", "soothing units per support unit"]),
        ("conditions", ["irritable_bowel_syndrome", "infection x 4.2, 182 days", "by definition"]),
        ("columns", ["sensitization", "float32", "proportion"]),
        ("network", ["friends_any", "share"]),
    ],
)
def test_the_model_is_described_from_its_declarations(what: str, words: list[str]) -> None:
    done = fitss("describe", what)
    assert done.exit_code == 0
    for word in words:
        assert word in done.stdout, word


def test_a_description_in_markdown_has_a_row_for_everything() -> None:
    from fitss_abm.model.conditions import shipped
    from fitss_abm.model.parameters import declared
    from fitss_abm.model.rules import DAY
    from fitss_abm.presentation.describe import SECTIONS

    done = fitss("describe", "--format", "md")
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    names = {cell.strip("| ") for row in rows for cell in row[:2]}
    assert {rule.name for rule in DAY} | set(declared()) | set(shipped().ids) <= names
    widths = [line.count(" | ") - line.count("\\|") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert {width + 1 for width in widths} == {len(section().headings) for section in SECTIONS.values()}


def test_locations_are_found_by_any_of_their_names() -> None:
    assert fitss("locations").stdout.count("\n") == 187
    assert fitss("locations", "holland").stdout == "Netherlands\n"
    nobody = fitss("locations", "Atlantis")
    assert nobody.exit_code == 2


def test_help_and_version_load_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "pandas", "pydantic", "scipy", "mesa", "matplotlib"}
    script = f"import sys, fitss_abm.cli; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
    assert fitss("--version").stdout.startswith("fitss_abm ")
    assert "fitss run --people 10000" in fitss("--help").stdout
    assert "Examples" in fitss("run", "--help").stdout

"""docs/what_if.md is true: its files can be read, its tables name what there is, its scripts run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fitss_abm import InputError, Scenario, Trial, compare
from fitss_abm.model.positions import MEASURES as POSITIONS
from fitss_abm.model.programmes import ACT_NUMBERS, ACTS, NUMBERS
from fitss_abm.model.target_tables import _READERS
from fitss_abm.model.view import MEASURES

PAGE = (Path(__file__).parents[2] / "docs" / "what_if.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Every TOML file of the page, by its name, as a reader would copy them into one folder."""
    made = {}
    for text in blocks("toml"):
        name = re.match(r"# (\w+\.toml)", text)
        assert name, f"a file without a name: {text}"
        made[name[1]] = tmp_path / name[1]
        made[name[1]].write_text(text, encoding="utf-8")
    return made


def test_its_files_can_be_read(files: dict[str, Path]) -> None:
    assert len(files) >= 10
    for name, path in files.items():
        if name == "typo.toml":
            continue
        trial = "treatment =" in path.read_text(encoding="utf-8")
        assert (Trial if trial else Scenario).read(path).name
    twice = Scenario.read(files["twice.toml"])
    assert twice.programmes[0]["sizes"] == {"support": 1.8}
    assert twice.programmes[0]["coverage"] == 0.8


def test_its_mistakes_are_told_as_it_says(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files["typo.toml"].parent)
    with pytest.raises(InputError) as caught:
        Scenario.read("typo.toml")
    assert str(caught.value).strip() == blocks("text")[-1].strip()


def test_its_tables_name_what_there_is() -> None:
    named = set(re.findall(r"`(\w+)", PAGE))
    for known in (ACTS, ACT_NUMBERS, NUMBERS, MEASURES, POSITIONS, _READERS):
        assert set(known) <= named
    one = Scenario(name="a", people=150, years=0.25)
    two = one.replace(name="b", programmes=[{"kind": "cbt", "target": {"pain": {"from": 1}}}])
    made = set(compare(one, [two], replicates=1, workers=0).effects["estimand"])
    table = PAGE.split("| estimand |")[1].split("\n\n")[0]
    told = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert told == made


SCRIPTS = [
    pytest.param(one, marks=[pytest.mark.slow] if "__main__" in one else [])  # it starts workers
    for one in blocks("python")
    if "dask_jobqueue" not in one
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_its_scripts_run(text: str, files: dict[str, Path]) -> None:
    folder = next(iter(files.values())).parent
    (folder / "script.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "script.py"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout


def test_its_script_for_slurm_is_python() -> None:
    (text,) = (one for one in blocks("python") if "dask_jobqueue" in one)
    compile(text, "slurm.py", "exec")

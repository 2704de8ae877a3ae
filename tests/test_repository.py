"""What can be checked of the repository itself: the checkers pass, and the architecture is drawn as it is."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from w365.store.tables import Base

ROOT = Path(__file__).resolve().parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TOOL_SECONDS = 300


# --- the checkers ---


def passes(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TOOL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.tools
def test_ruff_finds_nothing() -> None:
    passes("-m", "ruff", "check", ".")


@pytest.mark.tools
def test_every_file_is_formatted() -> None:
    passes("-m", "ruff", "format", "--check", ".")


@pytest.mark.tools
def test_mypy_finds_nothing() -> None:
    passes("-m", "mypy")


@pytest.mark.tools
def test_imports_point_down() -> None:
    passes("-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache")


@pytest.mark.tools
def test_the_program_imports_what_it_requires_and_requires_what_it_imports() -> None:
    passes("-m", "deptry", ".")


@pytest.mark.tools
def test_the_tests_import_what_is_required_for_them(tmp_path: Path) -> None:
    """The names are used by the tools, hence no DEP002; requirements-dev.txt may be used here, hence no DEP004.

    deptry reads that file only where no project is described.
    """
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    config = tmp_path / "pyproject.toml"
    config.write_text(project[project.index("[tool.deptry]") :], encoding="utf-8")
    own = ["w365", "bench", "supply", "tests", *sorted({path.stem for path in (ROOT / "tests").rglob("*.py")})]
    flags = [flag for name in own for flag in ("--known-first-party", name)]
    # What stands in the environments of these is not in ours.
    everywhere = ("--exclude", "^$", "--extend-exclude", "tests/proof/clients")
    folders = ("tests", "bench", "supply", "--config", str(config))
    passes("-m", "deptry", *folders, *everywhere, "--ignore", "DEP002,DEP004", *flags)


# --- the architecture ---


def contracts() -> list[dict[str, Any]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(project["tool"]["importlinter"]["contracts"])


@pytest.mark.parametrize("floor", ["w365", "w365.ui", "w365.service", "w365.store"])
def test_the_layers_are_drawn_as_they_are_held(floor: str) -> None:
    (layers,) = (one["layers"] for one in contracts() if one.get("containers") == [floor])
    assert " → ".join(layers) in " ".join(ARCHITECTURE.split())


def test_the_rooms_are_drawn_as_they_are() -> None:
    drawn = {
        word: set(names.split()) for word, names in re.findall(r"^(core|extras) {2,}(.+)$", ARCHITECTURE, re.MULTILINE)
    }
    (held,) = (one for one in contracts() if one["name"] == "The core knows nothing of the extras")
    named = {word: {name.split(".")[2] for name in held[f"{word}_modules"]} for word in ("source", "forbidden")}
    assert drawn == {"core": named["source"], "extras": named["forbidden"]}
    apart = {"service": set[str](), "store": {"db", "tables", "migrations"}, "ui": {"frame", "server"}}
    for floor, others in apart.items():
        rooms = {path.parent.name for path in (ROOT / "w365" / floor).glob("*/__init__.py")}
        assert rooms - others <= drawn["core"] | drawn["extras"] | {"insight"}, floor


def test_every_table_has_its_writer_named() -> None:
    rows = [line for line in ARCHITECTURE.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(Base.metadata.tables)


def test_no_file_of_the_package_is_longer_than_500_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "w365").rglob("*.py")}
    assert {str(path): length for path, length in lengths.items() if length > 500} == {}


# --- the rest ---


def test_every_requirement_is_pinned_and_says_why() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line and not line.startswith("#")):
        assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+ +# \S.*", line), line


def test_every_requirement_of_the_tests_is_pinned() -> None:
    lines = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line and not line.startswith(("#", "-r "))):
        assert re.match(r"[\w.-]+(\[[\w-]+\])?==[\w.]+( +# \S|$)", line), line


def test_the_changelog_has_room_for_what_is_next() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def texts() -> Iterator[Path]:
    kinds = {".py", ".md", ".toml", ".txt", ".js", ".css", ".mako"}
    folders = (".ci", ".streamlit", "bench", "deploy", "docs", "pages", "supply", "tests", "w365")
    within = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*ROOT.iterdir(), *within]:
        if path.is_file() and (path.suffix in kinds or path.name == "run") and path.name != "secrets.toml":
            yield path


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    machine = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users|tmp/v)/")
    found = [str(path) for path in texts() if machine.search(path.read_text(encoding="utf-8"))]
    assert found == []

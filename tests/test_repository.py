"""What can be checked of the repository itself: the checkers pass, and README and documents say what is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import typer

from w365.cli.main import app
from w365.config import DEMO_SERVED, load_settings
from w365.store.tables import Base

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TOOL_SECONDS = 300


def section(title: str) -> str:
    """The text of a README section down to the next of its rank."""
    return re.split(r"^## ", README.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def table(title: str) -> list[list[str]]:
    """The rows of a section's first table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def name_of(cell: str) -> str:
    found = re.match(r"`([^`]+)`", cell)
    assert found, cell
    return found[1]


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
def test_the_tests_import_what_is_required_for_them() -> None:
    """The names are used by the tools, hence no DEP002; requirements-dev.txt may be used here, hence no DEP004."""
    own = ["w365", "bench", "tests", *sorted({path.stem for path in (ROOT / "tests").rglob("*.py")})]
    flags = [flag for name in own for flag in ("--known-first-party", name)]
    everywhere = ("--exclude", "^$", "--extend-exclude", "^$")
    passes("-m", "deptry", "tests", "bench", *everywhere, "--ignore", "DEP002,DEP004", *flags)


# --- the README ---


class Recorder(Mapping[str, str]):
    """An environment that notes what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@pytest.fixture
def settings_read(tmp_path: Path) -> set[str]:
    """The names the program asks the environment for when every connection is set."""
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    parts = {"URL": "https://service.example", "TENANT_ID": "tenant.example", "CLIENT_ID": "id", "CLIENT_SECRET": "s"}
    values = {f"W365_{one}_{part}": text for one in ("PARTNER_CENTER", "DATAVERSE") for part, text in parts.items()}
    values |= {"W365_PAX8_CLIENT_ID": "id", "W365_PAX8_CLIENT_SECRET": "s"}
    environment = Recorder({**values, "W365_HOME": str(tmp_path), "W365_CA_BUNDLE": str(bundle)})
    load_settings(environment, tmp_path / "no-secrets.toml")
    return environment.asked - {DEMO_SERVED}


def test_the_settings_table_names_exactly_what_is_read(settings_read: set[str]) -> None:
    names = [name_of(row[0]) for row in table("Settings")]
    assert sorted(names) == sorted(settings_read)


def test_every_setting_has_a_default_and_a_meaning() -> None:
    assert all(len(row) == 3 and all(row) for row in table("Settings"))


def commands(typer_app: typer.Typer, prefix: str = "") -> Iterator[str]:
    for one in typer_app.registered_commands:
        assert one.callback
        yield prefix + (one.name or one.callback.__name__)
    for group in typer_app.registered_groups:
        assert group.typer_instance
        yield from commands(group.typer_instance, f"{prefix}{group.name} ")


def test_the_command_table_names_exactly_the_commands() -> None:
    assert sorted(name_of(row[0]) for row in table("Commands")) == sorted(commands(app))


def test_every_promise_names_a_test_that_exists() -> None:
    promises = re.split(r"^\d\. ", section("What it promises"), flags=re.MULTILINE)[1:]
    assert len(promises) == 8
    for promise in promises:
        named = re.findall(r"`tests/([\w/]+\.py)::(test_\w+)`", promise)
        assert named, promise
        for file, test in named:
            assert re.search(rf"def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8")), f"{file}::{test}"


def test_the_two_commands_stand_in_the_readme() -> None:
    lines = README.splitlines()
    assert "pip install -r requirements.txt && streamlit run app.py" in lines
    assert "pip install -r requirements-dev.txt && pytest" in lines


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    files = [link.partition("#")[0] for link in links if not link.startswith(("http", "#"))]
    assert [link for link in files if not (document.parent / link).exists()] == []


# --- the architecture ---


def test_the_layers_are_drawn_as_they_are_held() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    assert " → ".join(contract["layers"]) in " ".join(ARCHITECTURE.split())


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
        assert re.match(r"[\w.-]+(\[\w+\])?==[\w.]+( +# \S|$)", line), line


def test_the_changelog_has_room_for_what_is_next() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def texts() -> Iterator[Path]:
    kinds = {".py", ".md", ".toml", ".txt", ".js", ".css", ".mako"}
    folders = (".ci", ".streamlit", "bench", "docs", "pages", "tests", "w365")
    within = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*ROOT.iterdir(), *within]:
        if path.is_file() and (path.suffix in kinds or path.name == "run") and path.name != "secrets.toml":
            yield path


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    machine = re.compile(r"(?<![\w.:/])/(?:work|root|home|Users|tmp/v)/")
    found = [str(path) for path in texts() if machine.search(path.read_text(encoding="utf-8"))]
    assert found == []

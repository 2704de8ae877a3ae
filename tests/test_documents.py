"""README and documents say what is so: settings, commands, columns, promises; and every link leads somewhere."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

import pytest
import typer

from w365.cli.main import app
from w365.config import DEMO_SERVED, load_settings
from w365.demo.world.folder import REQUIRED_FILES, read_folder
from w365.errors import InputError
from w365.service.exporting import Format, Subject
from w365.service.importing import mapping_plan
from w365.service.syncing import manual_rows
from w365.sheets import Field, guess_columns
from w365.store import tables
from w365.store.configuring.settings import KEPT_FOR

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
README_LINES = 120


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of the first table of a text, without its head."""
    head = re.search(r"^\|[ :|-]+\|\n", text, flags=re.MULTILINE)
    assert head, text
    lines = [line for line in text[head.end() :].partition("\n\n")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def section(document: str, title: str) -> str:
    """What stands under a heading of a document, down to the next heading."""
    return re.split(r"^#", read(DOCS / document).split(f"# {title}\n")[1], flags=re.MULTILINE)[0]


def name_of(cell: str) -> str:
    name = re.match(r"`([^`]+)`", cell)
    assert name, cell
    return name[1]


# --- README ---


def test_the_readme_is_short() -> None:
    assert len(read(ROOT / "README.md").splitlines()) <= README_LINES


def test_the_two_commands_stand_in_the_readme() -> None:
    lines = read(ROOT / "README.md").splitlines()
    assert "pip install -r requirements.txt && streamlit run app.py" in lines
    assert "pip install -r requirements-dev.txt && pytest" in lines


# --- settings ---


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
    values = {f"W365_{word}_{part}": text for word in ("PARTNER_CENTER", "DATAVERSE") for part, text in parts.items()}
    values |= {"W365_PAX8_CLIENT_ID": "id", "W365_PAX8_CLIENT_SECRET": "s"}
    environment = Recorder({**values, "W365_HOME": str(tmp_path), "W365_CA_BUNDLE": str(bundle)})
    load_settings(environment, tmp_path / "no-secrets.toml")
    return environment.asked - {DEMO_SERVED}


def test_the_settings_table_names_exactly_what_is_read(settings_read: set[str]) -> None:
    names = [name_of(row[0]) for row in rows(read(DOCS / "settings.md"))]
    assert sorted(names) == sorted(settings_read)


def test_every_setting_has_a_default_and_a_meaning() -> None:
    assert all(len(row) == 3 and all(row) for row in rows(read(DOCS / "settings.md")))


# --- commands ---


def options_of(command: typer.core.TyperCommand) -> set[str]:
    """What `--help` lists beside what every command has."""
    shown = [option for option in command.params if not getattr(option, "hidden", False)]
    return {name for option in shown for name in option.opts if name.startswith("--")} - {"--json"}


def commands(group: typer.core.TyperGroup, prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every command with its options."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, f"{prefix}{name} ")
            if command.invoke_without_command:
                yield prefix + name, options_of(command)
        else:
            yield prefix + name, options_of(command)


def test_the_command_table_names_exactly_the_commands_and_their_options() -> None:
    table = rows(read(DOCS / "commands.md"))
    named = {name_of(name): set(re.findall(r"--[a-z-]+", does)) for name, does in table}
    assert len(named) == len(table)
    assert named == dict(commands(typer.main.get_command(app)))


def test_the_command_table_names_what_can_be_exported_and_as_what() -> None:
    does = next(does for name, does in rows(read(DOCS / "commands.md")) if name == "`export`")
    words = re.findall(r"`([a-z][a-z-]*)`", does)
    assert set(words) == {*Subject, *Format}


# --- files ---

IMPORTS = (("Provider accounts", manual_rows.FIELDS), ("Mappings", mapping_plan.FIELDS))


@pytest.mark.parametrize(("title", "fields"), IMPORTS)
def test_the_columns_of_an_import_are_those_that_it_reads(title: str, fields: Sequence[Field]) -> None:
    table = rows(section("files.md", title))
    named = [(name_of(label), name_of(name), about.endswith("; needed.")) for label, name, about in table]
    assert named == [(field.label, field.name, field.is_needed) for field in fields]


@pytest.mark.parametrize(("title", "fields"), IMPORTS)
def test_the_example_of_an_import_is_understood_as_it_stands(title: str, fields: Sequence[Field]) -> None:
    block = section("files.md", title).partition("```csv\n")[2].partition("```")[0]
    headings, *lines = csv.reader(block.splitlines())
    places = guess_columns(headings, fields)
    assert len(places) == len(headings)
    assert {field.name for field in fields if field.is_needed} <= places.keys()
    assert lines
    assert {len(line) for line in lines} == {len(headings)}


@pytest.fixture
def data_folder(tmp_path: Path) -> dict[Path, list[str]]:
    """The table of a data folder made into files with headings only, each with its columns."""
    table = rows(section("files.md", "A data folder for the demo"))
    columns = {tmp_path / name_of(file): re.findall(r"`(\w+)`", about) for file, about in table}
    for path, names in columns.items():
        path.write_text("[]" if path.suffix == ".json" else ",".join(names), encoding="utf-8")
    return columns


def test_a_data_folder_is_read_as_it_is_described(data_folder: dict[Path, list[str]], tmp_path: Path) -> None:
    assert [path.name for path in data_folder] == [*REQUIRED_FILES, "subscriptions.csv"]
    assert read_folder(tmp_path).customers == ()


def test_each_column_that_is_described_is_needed(data_folder: dict[Path, list[str]], tmp_path: Path) -> None:
    for path, names in data_folder.items():
        whole = path.read_text(encoding="utf-8")
        for name in names if path.suffix == ".csv" else ():
            path.write_text(",".join({*names} - {name}), encoding="utf-8")
            with pytest.raises(InputError, match=rf"{path.name}, line 1, lacks the column {name}\."):
                read_folder(tmp_path)
        path.write_text(whole, encoding="utf-8")


# --- promises ---


def test_every_promise_names_a_test_that_exists() -> None:
    promises = re.split(r"^\d+\. ", read(DOCS / "promises.md"), flags=re.MULTILINE)[1:]
    assert len(promises) == 15
    for promise in promises:
        named = re.findall(r"`tests/([\w/]+\.py)::(test_\w+)`", promise)
        assert named, promise
        for file, test in named:
            assert re.search(rf"def {test}\(", read(ROOT / "tests" / file)), f"{file}::{test}"


# --- security ---

ASVS = (
    "1.1:2 1.2:9 1.3:11 1.4:3 1.5:2 2.1:3 2.2:3 2.3:4 2.4:1 3.2:2 3.3:4 3.4:6 3.5:5 3.7:2 4.1:3 4.2:1 4.3:2 4.4:4 "
    "5.1:1 5.2:3 5.3:2 5.4:3 6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4 7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2 8.1:2 "
    "8.2:3 8.3:1 8.4:1 9.1:3 9.2:4 10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3 11.1:2 11.2:3 11.3:3 11.4:4 "
    "11.5:1 11.6:1 12.1:3 12.2:2 12.3:4 13.1:1 13.2:5 13.3:2 13.4:5 14.1:2 14.2:4 14.3:3 15.1:3 15.2:3 15.3:7 "
    "16.1:1 16.2:5 16.3:4 16.4:3 16.5:3"
)
"""How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has: its first ones."""
STANDS = ("Held", "Outside: ", "Does not apply: ", "Not held: ")


def requirements() -> list[tuple[str, str]]:
    """The numbers of a row, such as 6.2.1–6.2.12, and how it stands with them."""
    lines = [line.strip("| ").split(" | ") for line in read(DOCS / "security.md").splitlines()]
    return [(line[0], line[-1]) for line in lines if re.match(r"\d+\.\d+\.\d", line[0])]


def numbers_of(cell: str) -> Iterator[str]:
    first, _, last = cell.partition("–")
    section, _, number = first.rpartition(".")
    assert not last or last.rpartition(".")[0] == section, cell
    yield from (f"{section}.{each}" for each in range(int(number), int((last or first).rpartition(".")[2]) + 1))


def test_every_requirement_of_the_security_standard_stands_there_once() -> None:
    sections = [part.split(":") for part in ASVS.split()]
    expected = [f"{section}.{number + 1}" for section, most in sections for number in range(int(most))]
    assert [number for cell, _ in requirements() for number in numbers_of(cell)] == expected
    assert len(expected) == 246


def test_what_holds_a_requirement_is_named_and_exists() -> None:
    defined = set(re.findall(r"def (test_\w+)\(", "\n".join(read(path) for path in ROOT.rglob("tests/**/*.py"))))
    for number, stand in requirements():
        assert stand.startswith(STANDS), number
        assert set(re.findall(r"`(test_\w+)`", stand)) <= defined, number
    documented = {name_of(row[0]) for row in rows(read(DOCS / "settings.md"))}
    assert set(re.findall(r"`(W365_\w+)", read(DOCS / "security.md"))) <= documented


# --- links ---


def prose(document: Path) -> str:
    """A document without its code blocks, where brackets and hashes mean other things."""
    return re.sub(r"^( *)```.*?^\1```$", "", read(document), flags=re.MULTILINE | re.DOTALL)


def links(document: Path) -> list[tuple[Path, str]]:
    """The files and anchors that a document leads to, pictures included."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(document))
    parts = [target.partition("#") for target in targets if not target.startswith(("http://", "https://"))]
    return [((document.parent / file).resolve() if file else document, anchor) for file, _, anchor in parts]


def anchors(document: Path) -> set[str]:
    """What a heading is called in an address: lower case, hyphens for spaces, a number where it stands again."""
    titles = re.findall(r"^#+ +(.+?) *$", prose(document), flags=re.MULTILINE)
    found: set[str] = set()
    for title in titles:
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        plain = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(next(name for name in (plain if not at else f"{plain}-{at}" for at in count()) if name not in found))
    return found


THEMES = {"only-light", "only-dark"}
"""How the site shows one of two pictures."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    broken = [
        f"{file.relative_to(ROOT)}#{anchor}"
        for file, anchor in links(document)
        if not file.exists() or (anchor and anchor not in (THEMES if file.suffix == ".webp" else anchors(file)))
    ]
    assert broken == []


def test_every_page_stands_in_an_index() -> None:
    indexes = [DOCS / "README.md", DOCS / "decisions" / "README.md"]
    linked = {file for index in indexes for file, _ in links(index)}
    assert set(DOCS.rglob("*.md")) - linked - {DOCS / "README.md"} == set()


@pytest.mark.tools
def test_the_site_has_every_document_and_each_link_in_it_leads_somewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "DISABLE_MKDOCS_2_WARNING": "true"}
    told = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    beside = {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"}
    assert len(list(tmp_path.rglob("index.html"))) == len(list(DOCS.rglob("*.md"))) + len(beside) - 1
    pages = "".join(page.read_text(encoding="utf-8") for page in tmp_path.rglob("index.html"))
    assert not re.search(r"<(?:script|link|img)[^>]+(?:src|href)=.https?://", pages), (
        "nothing is fetched from elsewhere"
    )


def places(document: Path) -> set[str]:
    """The files, folders and modules that a document names in backticks, as paths; modules as `store.runs`."""
    named = re.findall(r"`([\w./-]+?)/?`", prose(document))
    paths = {name for name in named if name.partition("/")[0] in FOLDERS and "/" in name}
    modules = {name for name in named if re.fullmatch(rf"(w365\.)?({'|'.join(FLOORS)})(\.\w+)+", name)}
    return paths | {f"w365/{name.removeprefix('w365.').replace('.', '/')}" for name in modules if ".py" not in name}


def is_there(place: str) -> bool:
    return any(file.exists() for top in (ROOT, ROOT / "w365") for file in (top / place, top / f"{place}.py"))


FLOORS = ("ui", "api", "service", "store", "portals", "crm", "http", "matching", "demo", "sheets", "cli")
FOLDERS = (*FLOORS, "w365", "tests", "bench", "supply", "docs", "pages")
MAPS = [ROOT / "CONTRIBUTING.md", DOCS / "architecture.md", *(DOCS / "guides").glob("*.md")]


@pytest.mark.parametrize("document", MAPS, ids=lambda path: path.name)
def test_every_place_that_a_map_names_is_there(document: Path) -> None:
    assert places(document)
    assert {place for place in places(document) if not is_there(place)} == set()


@pytest.mark.parametrize("document", MAPS, ids=lambda path: path.name)
def test_every_test_that_a_map_names_is_there(document: Path) -> None:
    tests = "\n".join(read(path) for path in (ROOT / "tests").rglob("test_*.py"))
    named = re.findall(r"\b(test_\w+)(?:`| there)", re.sub(r"[\w/]*/?test_\w+\.py(::)?", "", prose(document)))
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_every_page_that_the_code_names_exists() -> None:
    sources = [
        path for folder in ("w365", "pages", "bench", "supply", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    named = {page for path in sources for page in re.findall(r"docs/[\w/-]+\.md", read(path))}
    assert named
    assert {page for page in named if not (ROOT / page).is_file()} == set()


# --- personal data ---


def test_the_table_of_personal_data_names_exactly_the_columns_that_hold_names() -> None:
    table = rows(read(DOCS / "personal-data.md"))
    named = {(name_of(row[0]), column) for row in table for column in re.findall(r"`(\w+)`", row[1] + row[2])}
    marks = (tables.A_PERSON, tables.WITHIN_TEXT)
    assert named == {(of.name, column.name) for mark in marks for of, column in tables.columns_that_name(mark)}
    limits = {name_of(row[0]) for row in rows(section("personal-data.md", "For how long"))}
    assert limits == set(KEPT_FOR.values())

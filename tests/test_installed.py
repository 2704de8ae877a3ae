"""The wheel: it holds all that the program needs, and runs from anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from w365 import __version__

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "-q", "--disable-pip-version-check")
SECONDS = 120
NOBODY = 65534
PARTS = (
    "w365",
    "pages",
    ".streamlit",
    *("app.py", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"),
)
PARTS += ("requirements.txt", "requirements.lock")


def run(*command: object, check: bool = False, **options: Any) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=check, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built where it leaves nothing behind."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"))
        else:
            shutil.copy(ROOT / name, source / name)
    run(*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, source, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of a new virtual environment that has the wheel, and these packages for the rest."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place, with_pip=False)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", wheel, check=True)
    here = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", check=True).stdout.strip()
    Path(here, "of_the_tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("W365_", "PYTHON"))}
    return {**kept, "W365_HOME": str(tmp_path / "home")}


def test_the_wheel_holds_every_file_of_the_package_and_the_app_with_its_pages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "w365").rglob("*") if path.is_file()}
    pages = {f"w365/app/{path.relative_to(ROOT)}" for path in (ROOT / "pages").glob("*.py")}
    beside = {"w365/app/app.py", "w365/app/.streamlit/config.toml", "w365/app/requirements.lock"}
    held = {name for name in names if ".dist-info/" not in name}
    assert held == {name for name in package if "__pycache__" not in name} | pages | beside


def test_the_command_runs_from_any_folder(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    told = run(installed / "w365", "--version", cwd=tmp_path, env=environment)
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, f"w365 {__version__}"), told.stderr
    stats = run(installed / "w365", "stats", cwd=tmp_path, env=environment)
    assert (stats.returncode, stats.stderr) == (0, "")
    assert "match rate" in stats.stdout
    as_module = run(installed / "python", "-m", "w365", "stats", cwd=tmp_path, env=environment)
    assert as_module.stdout == stats.stdout


def test_a_shell_completes_the_commands(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    asked = {"_W365_COMPLETE": "complete_bash", "COMP_WORDS": "w365 mi", "COMP_CWORD": "1"}
    told = run(installed / "w365", cwd=tmp_path, env=environment | asked)
    assert told.stdout.split() == ["migrate"]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def app(installed: Path, environment: dict[str, str], tmp_path: Path, port: int) -> Iterator[str]:
    command = [str(installed / "w365"), "app", "--server.port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, **quiet)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(SECONDS)


def answer_of(url: str) -> str:
    """Ask until somebody answers."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as refused:
            return f"{refused.code} {refused.read().decode()}"
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_the_app_starts_from_any_folder_with_its_routes(app: str) -> None:
    assert answer_of(f"{app}/_stcore/health") == "ok"
    assert answer_of(f"{app}/api/rows").startswith("401")
    assert "W365" in answer_of(app) or '<div id="root">' in answer_of(app)


def test_its_pages_are_found(installed: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = "from pathlib import Path; from w365.ui.frame.pages import PAGES; "
    code += "print([Path(page.path).is_file() for page in PAGES])"
    told = run(installed / "python", "-c", code, cwd=tmp_path, env=environment)
    assert set(told.stdout.strip(" []\n").split(", ")) == {"True"}, told.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_the_image_s_command_and_its_check_work_for_a_user_who_may_write_to_one_folder_only(
    installed: Path, environment: dict[str, str], tmp_path: Path, port: int
) -> None:
    image = (ROOT / "deploy" / "Containerfile").read_text()
    (home := tmp_path / "home").mkdir()
    os.chown(home, NOBODY, NOBODY)
    _open_to_all(installed, home)
    words = [word.replace("8501", str(port)).replace("0.0.0.0", "127.0.0.1") for word in _words("CMD", image)]
    options = {"cwd": home, "env": environment | {"HOME": str(home)}, "user": NOBODY, "group": NOBODY}
    if _is_closed(installed / "python", options):
        pytest.skip("this Python lies where only its owner comes")
    with subprocess.Popen([str(installed / "w365"), *words], stderr=subprocess.PIPE, **options) as app:
        try:
            assert answer_of(f"http://127.0.0.1:{port}/healthz").startswith("ok")
            check = re.search(r"^HEALTHCHECK .* CMD (.+)$", image, re.MULTILINE)
            assert check
            python, *arguments = json.loads(check[1].replace("8501", str(port)))
            told = run(installed / python, *arguments, **options)
            assert (told.returncode, told.stderr) == (0, "")
        finally:
            app.terminate()


def _words(instruction: str, image: str) -> list[str]:
    (line,) = re.findall(rf"^{instruction} (.+)$", image, re.MULTILINE)
    return list(json.loads(line))


def _open_to_all(*places: Path) -> None:
    """Let others pass through the folders of these tests, which are closed to them."""
    for folder in {folder for place in places for folder in place.parents}:
        if folder.name.startswith(("pytest-", "tmp")) or "pytest-of" in str(folder):
            folder.chmod(folder.stat().st_mode | 0o055)


def _is_closed(python: Path, options: dict[str, Any]) -> bool:
    try:
        return run(python, "-c", "import streamlit", **options).returncode != 0
    except PermissionError:
        return True

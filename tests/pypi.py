"""Programs from PyPI that tests stand against: installed once into an environment of their own in the user's cache."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import pytest
from platformdirs import user_cache_path

_NO_NETWORK = re.compile(r"NameResolutionError|NewConnectionError|ConnectTimeout|ProxyError|Network is unreachable")


def installed_from_pypi(*requirements: str) -> Path:
    """Return the Python of an environment with these. Skips only where the registry cannot be reached."""
    home = user_cache_path("w365-tests", appauthor=False) / re.sub(r"[^\w.-]+", "-", "-".join(requirements))
    python = home / "bin" / "python"
    if not python.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            venv.create(folder, with_pip=False)
            _install(Path(folder) / "bin" / "python", requirements)
            try:
                Path(folder).rename(home)
            except OSError:  # another run was faster
                assert python.exists()
            else:
                Path(folder).mkdir()
    return python


def _install(python: Path, requirements: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-compile"]
    done = subprocess.run([*command, *requirements], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and _NO_NETWORK.search(done.stderr):
        pytest.skip("the registry of PyPI cannot be reached")
    assert done.returncode == 0, done.stderr

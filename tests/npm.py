"""Programs from npm that tests stand against: installed once into the user's cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from platformdirs import user_cache_path

_NO_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED")


def installed_from_npm(package: str, version: str) -> Path:
    """Return the folder with the package's `node_modules`. Skips only where npm or its registry cannot be reached."""
    home = user_cache_path("w365-tests", appauthor=False) / f"{package.rpartition('/')[2]}-{version}"
    if home.exists():
        return home
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        _install(Path(folder), f"{package}@{version}")
        try:
            Path(folder).rename(home)
        except OSError:  # another run was faster
            assert home.exists()
        else:
            Path(folder).mkdir()
    return home


def _install(folder: Path, package: str) -> None:
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save")
    command = ["npm", "install", "--prefix", str(folder), *quiet, package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and _NO_NETWORK.search(done.stderr):
        pytest.skip("the npm registry cannot be reached")
    assert done.returncode == 0, done.stderr

"""Commands typed into a shell, in a folder of their own of which the program knows nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
Ended = subprocess.CompletedProcess[str]
Run = Callable[..., Ended]


@pytest.fixture
def environment(home: Path) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("W365_")}
    return {**kept, "W365_HOME": str(home), "W365_DEMO": "off", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def run(environment: Mapping[str, str], tmp_path: Path) -> Run:
    """Type a command, with more settings if wanted."""
    here = tmp_path / "here"
    here.mkdir()

    def start(*arguments: str, python: tuple[str, ...] = ("-m", "w365"), **more: str) -> Ended:
        command = [sys.executable, *python, *arguments]
        chosen = {**environment, **more}
        return subprocess.run(
            command, cwd=here, env=chosen, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    return start

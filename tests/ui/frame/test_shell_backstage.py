from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from w365.config import Settings
from w365.errors import ConfigurationError, W365Error
from w365.launch import Surroundings
from w365.ui.frame.app_runtime import Backstage, service, use


class Workers:
    """Starts processes that do nothing, and remembers them."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    @contextmanager
    def __call__(self, _surroundings: Surroundings) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)
        self.started.append(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def wait_for(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_worker_that_dies_is_started_again_and_none_is_left_behind(settings: Settings) -> None:
    workers = Workers()
    backstage = Backstage(lambda: settings, workers, look_seconds=0.1)
    backstage.start()
    assert backstage.service().settings is settings
    wait_for(lambda: len(workers.started) == 1)
    workers.started[0].kill()
    wait_for(lambda: len(workers.started) == 2)
    backstage.stop()
    assert all(process.poll() is not None for process in workers.started)


def test_starting_over_opens_what_the_settings_name_now(settings: Settings, tmp_path: Path) -> None:
    other = dataclasses.replace(settings, database_url=f"sqlite:///{tmp_path / 'other.db'}")
    answers = [settings, other]
    workers = Workers()
    backstage = Backstage(lambda: answers.pop(0), workers, look_seconds=0.1)
    backstage.start()
    assert backstage.service().settings is settings
    wait_for(lambda: len(workers.started) == 1)
    backstage.start_over()
    assert backstage.service().settings is other
    wait_for(lambda: len(workers.started) == 2)
    assert workers.started[0].poll() is not None
    backstage.stop()


def test_a_wrong_setting_is_told_until_it_is_corrected(settings: Settings) -> None:
    answers: list[Settings | W365Error] = [ConfigurationError("W365_AUTHORITY is wrong."), settings]

    def read() -> Settings:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, W365Error):
            raise answer
        return answer

    backstage = Backstage(read, Workers(), again_seconds=0.1)
    backstage.start()
    with pytest.raises(ConfigurationError, match="W365_AUTHORITY is wrong"):
        backstage.service()
    wait_for(lambda: _is_ready(backstage))
    backstage.stop()


def _is_ready(backstage: Backstage) -> bool:
    try:
        backstage.service()
    except W365Error:
        return False
    return True


def test_after_the_end_nobody_waits_for_it(settings: Settings) -> None:
    backstage = Backstage(lambda: settings, Workers())
    backstage.start()
    backstage.service()
    backstage.stop()
    with pytest.raises(W365Error, match="stopping"):
        backstage.service()


def test_a_page_without_its_app_says_how_to_start_it() -> None:
    use(None)
    with pytest.raises(W365Error, match="streamlit run"):
        service()

"""A line of the log says of which run and request it tells, as text or as JSON, and what a person reads is brief."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from w365.config import LogFormat, Settings, load_settings
from w365.errors import ConfigurationError
from w365.log import _OF_THE_SERVER, JsonFormatter, RedactingFormatter, logged_as, set_up_logging

SECRET = "a key of these tests"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    loggers = [logging.getLogger(name) for name in ("w365", *_OF_THE_SERVER)]
    kept = [(logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    yield Settings(home, "sqlite://", SECRET, None, None, is_demo=False)
    for logger, (handlers, propagate, level) in zip(loggers, kept, strict=True):
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def break_down(logger: str = "w365.test") -> None:
    try:
        int(f"{SECRET}\nsecond line")
    except ValueError:
        logging.getLogger(logger).exception("it broke: %s", SECRET)


def test_a_line_says_of_which_run_and_request_it_tells() -> None:
    record = logging.LogRecord("w365", logging.INFO, "", 0, "done", (), None)
    with logged_as(request="abcd1234"), logged_as(run=12):
        assert RedactingFormatter([]).format(record).endswith("INFO w365: done [request abcd1234, run 12]")
        entry = json.loads(JsonFormatter([]).format(record))
        assert entry.pop("time").endswith("+00:00")
        about = {"request": "abcd1234", "run": "12"}
        assert entry == {"level": "INFO", "logger": "w365", "message": "done"} | about
    assert RedactingFormatter([]).format(record).endswith("INFO w365: done")


def test_as_json_every_event_is_an_object_on_a_line_without_secrets(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(replace(settings, log_format=LogFormat.JSON))
    break_down()
    break_down("uvicorn.error")
    shown = capsys.readouterr().err
    assert shown == (settings.home / "w365.log").read_text(encoding="utf-8")
    assert SECRET not in shown
    entries = [json.loads(line) for line in shown.splitlines()]
    assert [entry["logger"] for entry in entries] == ["w365.test", "uvicorn.error"]
    assert all(entry["message"] == "it broke: ***" for entry in entries)
    assert all("Traceback" in entry["error"] and "second line" in entry["error"] for entry in entries)


@pytest.mark.parametrize("logger", ["w365.test", "uvicorn.error"])
def test_on_a_terminal_a_person_reads_no_traceback_and_the_file_has_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, logger: str
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    set_up_logging(settings)
    break_down(logger)
    assert terminal.getvalue().count("\n") == 1
    assert "it broke: ***" in terminal.getvalue()
    assert "Traceback" in (settings.home / "w365.log").read_text(encoding="utf-8")


def test_another_format_is_refused(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="W365_LOG_FORMAT is neither text nor json"):
        load_settings({"W365_HOME": str(home), "W365_LOG_FORMAT": "xml"}, home / "none.toml")

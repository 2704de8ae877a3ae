"""Logging: one line an event, as text or JSON, with no secret in it and no way to forge a second line.

A line says of which run and which request it tells, where it was written on behalf of any.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import logging
import logging.handlers
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any

from w365.config import LogFormat, Settings
from w365.own_files import make_folder, opener

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TOKENS = re.compile(
    r"(?i)(bearer\s+|(?:client_secret|refresh_token|access_token|password)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+"
)
_NOT_IN_A_LINE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters, which begin lines, move cursors and colour terminals."""
_BYTES = 5_000_000
_OF_THE_SERVER = ("uvicorn", "uvicorn.error", "uvicorn.asgi")
"""Streamlit gives each of these a handler of its own."""


def set_up_logging(settings: Settings, *, to_stderr: int = logging.WARNING) -> None:
    """Log to `w365.log` in the data folder, and from the level `to_stderr` on to stderr; the page server's lines too.

    What a person reads has no tracebacks: stderr that is a terminal, or with a level of ERROR or more a command's.
    """
    secrets = secrets_of(settings)
    chosen = JsonFormatter if settings.log_format is LogFormat.JSON else RedactingFormatter
    is_read = to_stderr >= logging.ERROR or (chosen is RedactingFormatter and sys.stderr.isatty())
    screen = logging.StreamHandler()
    screen.setLevel(to_stderr)
    screen.setFormatter((_BriefFormatter if is_read else chosen)(secrets))
    file = _file(settings.home)
    file.setFormatter(chosen(secrets))
    root = logging.getLogger("w365")
    for handler in list(root.handlers):
        handler.close()
    for logger in (root, *map(logging.getLogger, _OF_THE_SERVER)):
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.handlers = [screen, file]


class RedactingFormatter(logging.Formatter):
    """Replaces known secrets and whatever looks like a token by `***`, and what no line may hold by `⏎`.

    The lines of an error's traceback are indented, as what an error says can hold line breaks of others.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(_FORMAT)
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's
        """In UTC, so that the lines of several machines can be put in order."""
        return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        about = ", ".join(f"{name} {value}" for name, value in _ABOUT.get().items())
        message = super().formatMessage(record) + (f" [{about}]" if about else "")
        return _NOT_IN_A_LINE.sub("⏎", message)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_NOT_IN_A_LINE.sub('⏎', line)}" for line in lines)

    def format(self, record: logging.LogRecord) -> str:
        return self.redact(super().format(record))

    def redact(self, text: str) -> str:
        for secret in (*self._secrets, *sorted(_HIDDEN.copy(), key=len, reverse=True)):
            text = text.replace(secret, "***")
        return _TOKENS.sub(r"\1***", text)


class JsonFormatter(RedactingFormatter):
    """An event as an object on a line of its own, with a traceback as its ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        entry |= {"message": record.getMessage(), **_ABOUT.get()}
        if record.exc_info:
            entry["error"] = logging.Formatter.formatException(self, record.exc_info)
        return json.dumps({name: self.redact(value) for name, value in entry.items()})


class _BriefFormatter(RedactingFormatter):
    """For a screen that a person reads: where in the code it happened stands in the file."""

    def format(self, record: logging.LogRecord) -> str:
        brief = copy.copy(record)
        brief.exc_info = brief.exc_text = None
        return super().format(brief)


_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def logged_as(**about: object) -> Iterator[None]:
    """Let what is logged in the body say on whose behalf: a `run`, a `request`."""
    token = _ABOUT.set({**_ABOUT.get(), **{name: str(value) for name, value in about.items()}})
    try:
        yield
    finally:
        _ABOUT.reset(token)


_HIDDEN: deque[str] = deque(maxlen=200)
"""The latest secrets that the settings do not hold; refresh tokens come anew with every use."""


def hide_secret(secret: str) -> None:
    """Keep a secret that the settings do not hold out of this process's log."""
    if len(secret) >= 4 and secret not in _HIDDEN:
        _HIDDEN.append(secret)


class Outage:
    """Something that several loops ask for and that is not there: one line when it goes, one when it is back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[str] = set()

    def begins(self, who: str) -> bool:
        """Note who is refused; tell whether nobody was before."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.add(who)
        return is_first

    def ends(self, who: str) -> bool:
        """Note who gets an answer; tell whether this was the last of those that were refused."""
        with self._lock:
            was_waiting = who in self._waiting
            self._waiting.discard(who)
            return was_waiting and not self._waiting


def secrets_of(settings: Settings) -> list[str]:
    keys = (settings.secret_key, *settings.old_secret_keys)
    return [
        *keys,
        *settings.channels.secrets(),
        *(connection.client_secret for connection in settings.connections().values()),
    ]


class _OwnFile(logging.handlers.RotatingFileHandler):
    """Its owner's only, also after it was rotated. What does not fit on a full disk is lost without a word."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(open(self.baseFilename, f"{self.mode}b", opener=opener), "utf-8")


def _file(home: Path) -> logging.Handler:
    make_folder(home)
    path = home / "w365.log"
    if path.is_symlink() or (path.exists() and not os.access(path, os.W_OK)):
        return logging.NullHandler()  # said at the start; a log that cannot be written keeps nobody from working
    return _OwnFile(path, maxBytes=_BYTES, backupCount=3, encoding="utf-8", delay=True)

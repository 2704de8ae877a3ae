"""Settings from the environment and from `.streamlit/secrets.toml`; the environment wins.

Nothing here reads a database: what people change on the Configuration page lives there
(`w365.service.configuring.settings`).
"""

from __future__ import annotations

import enum
import os
import re
import secrets
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from platformdirs import user_data_path

from w365.addresses import ALLOW, AddressRange
from w365.channels import Channels, read_channels
from w365.connection import (
    CLOUDS,
    DATAVERSE,
    MICROSOFT_AUTHORITY,
    MICROSOFT_GRAPH,
    PARTNER_CENTER,
    REACHES,
    Cloud,
    Connection,
    build_connection,
    check_url,
    cloud_of,
    parts_of,
    required_parts,
)
from w365.entrance import Entrance, SignInMode, read_entrance
from w365.errors import ConfigurationError
from w365.own_files import make_folder, opener
from w365.sign_in_settings import SignInSettings, read_sign_in_settings

DEMO_SERVED = "W365_DEMO_SERVED"
"""Set to 1 for our own child processes when the connections they are given are those of the built-in demo."""

_SECRETS_FILE = Path(".streamlit") / "secrets.toml"
_DEMO = "demo"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_OWN_DATA = "own-data"
"""A file of this name in the data folder says that the demo was left: the real database is used."""


class LogFormat(enum.StrEnum):
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides.

    ``is_demo``: no connection is set, so the built-in demo is used, in a folder and database of its own.
    ``further`` are the connections of the providers beside Partner Center. ``authority``, ``ca_bundle`` and what
    addresses may lead to (``allowed``) hold for connections that are stored as well. ``old_secret_keys`` only read what
    was encrypted with them.
    """

    home: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    partner_center: Connection | None
    dataverse: Connection | None
    is_demo: bool
    further: Mapping[str, Connection] = field(default_factory=dict)
    authority: str = MICROSOFT_AUTHORITY
    ca_bundle: str | None = None
    old_secret_keys: Sequence[str] = field(default=(), repr=False)
    entrance: Entrance = field(default_factory=Entrance)
    graph_url: str = MICROSOFT_GRAPH
    channels: Channels = field(default_factory=Channels)
    allowed: AddressRange = AddressRange.PUBLIC
    people: SignInSettings = field(default_factory=SignInSettings)
    starts_worker: bool = True
    cloud: Cloud = Cloud.GLOBAL
    api_calls_per_minute: int = 600
    log_format: LogFormat = LogFormat.TEXT

    @property
    def data_folder(self) -> Path:
        """Where this program keeps everything; the demo's own folder is in it."""
        return self.home.parent if self.is_demo and self.home.name == _DEMO else self.home

    @property
    def sign_in(self) -> SignInMode:
        return self.entrance.sign_in

    @property
    def public_url(self) -> str:
        return self.entrance.public_url

    def connections(self) -> Mapping[str, Connection]:
        """Return every connection that is set, by the word in its settings' names."""
        first = {PARTNER_CENTER: self.partner_center, DATAVERSE: self.dataverse}
        return {name: found for name, found in (first | dict(self.further)).items() if found}


def load_settings(environment: Mapping[str, str] | None = None, secrets_file: Path | None = None) -> Settings:
    """Read all settings.

    Raises ConfigurationError naming the setting that is missing or malformed; secrets never appear in it.
    """
    values = _read_values(environment, secrets_file)
    home = data_folder(values.get("W365_HOME"))
    found = {name: connection for name in REACHES if (connection := _connection(values, name))}
    has_own_data = _has_own_data(values, home)
    is_demo = values.get(DEMO_SERVED) == "1" or not (found or has_own_data)
    if is_demo:
        home /= _DEMO
    own_database = f"sqlite:///{home / 'w365.db'}"
    key, *old_keys = _secret_keys(values, home)
    entrance = read_entrance(values.get)
    return Settings(
        home=home,
        database_url=own_database if is_demo else _database_url(values) or own_database,
        secret_key=key,
        partner_center=found.pop(PARTNER_CENTER, None),
        dataverse=found.pop(DATAVERSE, None),
        is_demo=is_demo,
        further=found,
        authority=_authority(values),
        ca_bundle=_ca_bundle(values),
        old_secret_keys=tuple(old_keys),
        entrance=entrance,
        graph_url=_graph_url(values),
        channels=read_channels(
            values.get, _allowed(values), tells_failures=_is_on(values, "W365_TELL_FAILURES", "off")
        ),
        allowed=_allowed_to_connections(values),
        people=read_sign_in_settings(values.get, entrance),
        starts_worker=_is_on(values, "W365_WORKER", "on") or is_demo,
        cloud=_cloud(values),
        api_calls_per_minute=_calls_per_minute(values),
        log_format=_log_format(values),
    )


def load_entrance(environment: Mapping[str, str] | None = None, secrets_file: Path | None = None) -> Entrance:
    """Read what the app's doors go by, and nothing else: they stand also where another setting is wrong."""
    return read_entrance(_read_values(environment, secrets_file).get)


def _database_url(values: _Values) -> str:
    """The address of the database, with the schema of a PostgreSQL database where one is chosen."""
    url, schema = values.get("W365_DATABASE_URL"), values.get("W365_DATABASE_SCHEMA")
    if not schema:
        return url
    if not _SCHEMA.fullmatch(schema) or not url.startswith("postgres"):
        raise ConfigurationError(
            "W365_DATABASE_SCHEMA is no name of a schema (small letters, digits and _) in a PostgreSQL database.",
            do="Correct the setting, or take it away.",
        )
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"


def _has_own_data(values: _Values, home: Path) -> bool:
    return not _is_on(values, "W365_DEMO", "on") or (home / _OWN_DATA).exists()


def _is_on(values: _Values, name: str, otherwise: str) -> bool:
    choice = values.get(name) or otherwise
    if choice not in ("on", "off"):
        raise ConfigurationError(f"{name} is neither on nor off.", do="Correct the setting.")
    return choice == "on"


def _calls_per_minute(values: _Values) -> int:
    text = values.get("W365_API_CALLS_PER_MINUTE") or "600"
    if not re.fullmatch(r"[0-9]{1,6}", text, re.ASCII):
        raise ConfigurationError(
            "W365_API_CALLS_PER_MINUTE is no whole number up to 999999 (0 for no limit).", do="Correct the setting."
        )
    return int(text)


def _log_format(values: _Values) -> LogFormat:
    try:
        return LogFormat(values.get("W365_LOG_FORMAT") or LogFormat.TEXT)
    except ValueError:
        raise ConfigurationError("W365_LOG_FORMAT is neither text nor json.", do="Correct the setting.") from None


def _allowed(values: _Values) -> AddressRange:
    return AddressRange.PRIVATE if _is_on(values, ALLOW, "off") else AddressRange.PUBLIC


def _allowed_to_connections(values: _Values) -> AddressRange:
    """In the demo connections lead to its own servers on this machine; whom it tells of syncs is not one of them."""
    return max(_allowed(values), AddressRange.LOOPBACK) if values.get(DEMO_SERVED) == "1" else _allowed(values)


def leave_demo(settings: Settings) -> None:
    """From the next start on use the real database, though no connection is set; the demo's stays where it is."""
    if settings.is_demo:
        told = "The demo was left: the real database is used. Without this file and without connections, it returns.\n"
        with open(settings.home.parent / _OWN_DATA, "w", encoding="utf-8", opener=opener) as file:
            file.write(told)


def has_left_demo(settings: Settings) -> bool:
    return not settings.is_demo and (settings.home / _OWN_DATA).exists()


def return_to_demo(settings: Settings) -> None:
    """From the next start on run the demo again, where no connection is set and W365_DEMO does not forbid it."""
    (settings.home / _OWN_DATA).unlink(missing_ok=True)


def _secret_keys(values: _Values, home: Path) -> list[str]:
    """The keys, newest first. The one that was made in the data folder goes on reading what it encrypted."""
    given = [*_listed(values.get("W365_SECRET_KEY")), *_listed(values.get("W365_SECRET_KEY_OLD"))]
    if not values.get("W365_SECRET_KEY") or (home / "secret.key").exists():
        given.insert(0 if not values.get("W365_SECRET_KEY") else len(given), own_secret_key(home))
    return list(dict.fromkeys(given))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def data_folder(chosen: str | None) -> Path:
    """Return the folder for databases, keys and logs: the chosen one, or this user's on this system."""
    return Path(chosen or user_data_path("w365", appauthor=False)).absolute()


def _read_values(environment: Mapping[str, str] | None, secrets_file: Path | None) -> _Values:
    return _Values(os.environ if environment is None else environment, _read_secrets(secrets_file or _SECRETS_FILE))


class _Values:
    def __init__(self, environment: Mapping[str, str], file: Mapping[str, str]) -> None:
        self._sources = (environment, file)

    def get(self, name: str) -> str:
        return next((source[name].strip() for source in self._sources if source.get(name, "").strip()), "")


def _read_secrets(path: Path) -> Mapping[str, str]:
    try:
        if not path.is_file():
            return {}
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = re.search(r"line \d+", str(error))
        where = f" ({place[0]})" if place else ""
        raise ConfigurationError(
            f"The secrets file {path}{where} is not valid TOML.", do="Correct it and start again."
        ) from None
    except OSError:
        raise ConfigurationError(f"The secrets file {path} cannot be read.", do="Check its owner and mode.") from None
    return {
        name: str(value) for name, value in content.items() if name.startswith("W365_") and not isinstance(value, dict)
    }


def _connection(values: _Values, name: str) -> Connection | None:
    asked = {part: values.get(f"W365_{name}_{part}") for part in parts_of(name)}
    if not any(asked[part] for part in required_parts(name)):
        return None
    words = {part: f"W365_{name}_{part}" for part in asked}
    found = build_connection(
        name,
        asked,
        words,
        _authority(values),
        _ca_bundle(values),
        _allowed_to_connections(values),
        cloud=_cloud(values),
    )
    return replace(found, graph_url=_graph_url(values))


def _cloud(values: _Values) -> Cloud:
    """The cloud that is set, else that of the sign-in service, else the global one. The two may not contradict."""
    chosen, theirs = values.get("W365_CLOUD"), cloud_of(values.get("W365_AUTHORITY"))
    if not chosen:
        return theirs or Cloud.GLOBAL
    if chosen not in tuple(Cloud):
        raise ConfigurationError(f"W365_CLOUD is none of {', '.join(Cloud)}.", do="Correct the setting.")
    if theirs and CLOUDS[theirs].authority != CLOUDS[Cloud(chosen)].authority:
        raise ConfigurationError(
            "W365_AUTHORITY is the sign-in service of another cloud than W365_CLOUD.", do="Take one of them away."
        )
    return Cloud(chosen)


def _authority(values: _Values) -> str:
    return _url(values, "W365_AUTHORITY", CLOUDS[_cloud(values)].authority)


def _graph_url(values: _Values) -> str:
    return _url(values, "W365_GRAPH_URL", CLOUDS[_cloud(values)].graph)


def _url(values: _Values, name: str, otherwise: str) -> str:
    url = values.get(name) or otherwise
    check_url(name, url, _allowed_to_connections(values))
    return url.rstrip("/")


def _ca_bundle(values: _Values) -> str | None:
    path = values.get("W365_CA_BUNDLE")
    if path and not Path(path).is_file():
        raise ConfigurationError("W365_CA_BUNDLE names a file that is not there.", do="Give the path of a PEM file.")
    return path or None


def own_secret_key(home: Path, wait: Callable[[float], None] = time.sleep) -> str:
    """The key made once in the data folder, readable by its owner only; it signs the tokens of the grid's routes."""
    path = home / "secret.key"
    try:
        make_folder(home)
        file = open(path, "x", encoding="ascii", opener=opener)  # noqa: SIM115 - closed below
    except FileExistsError:
        return _known_secret_key(path, wait)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {home} cannot be written ({error.strerror}).", do="Set W365_HOME to a folder that can."
        ) from None
    with file:
        file.write(key := secrets.token_urlsafe(32))
    return key


def _known_secret_key(path: Path, wait: Callable[[float], None]) -> str:
    """Read the key; the process that makes it may be between creating and writing the file."""
    try:
        for _ in range(20):
            if key := path.read_text(encoding="ascii").strip():
                return key
            wait(0.05)
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"The key {path} cannot be read.", do="Check W365_HOME and the file's owner and mode."
        ) from None
    raise ConfigurationError(f"The key {path} is empty.", do="Restore it from a backup, or delete the file.")

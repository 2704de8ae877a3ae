"""Settings from the environment and from `.streamlit/secrets.toml`; the environment wins.

Nothing here reads a database: what people change on the Configuration page lives there (`w365.service.configuration`).
"""

from __future__ import annotations

import os
import re
import secrets
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_data_path

from w365.errors import ConfigurationError

MICROSOFT_AUTHORITY = "https://login.microsoftonline.com"
PARTNER_CENTER = "PARTNER_CENTER"
DATAVERSE = "DATAVERSE"
PAX8 = "PAX8"
"""The words for a service in the names of its settings, as in W365_PAX8_URL."""

DEMO_SERVED = "W365_DEMO_SERVED"
"""Set to 1 for our own child processes when the connections they are given are those of the built-in demo."""

_TENANT = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-z0-9][a-z0-9.-]*\.[a-z]{2,}", re.IGNORECASE
)
_SECRETS_FILE = Path(".streamlit") / "secrets.toml"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one service as an application. The secret stays out of ``repr``."""

    url: str
    authority: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    ca_bundle: str | None = None
    calls_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What the settings of a service may leave out, and whether Entra ID signs its application in (``has_tenant``).

    ``calls_per_minute`` is the pace where none is set; None means that the service has no such setting.
    """

    url: str = ""
    has_tenant: bool = True
    calls_per_minute: int | None = None


REACHES: Mapping[str, Reach] = {
    # The documented limit of the Customer and Subscription resources.
    PARTNER_CENTER: Reach("https://api.partnercenter.microsoft.com", calls_per_minute=500),
    DATAVERSE: Reach(),
    # Pax8 publishes no limit; a page holds 200 records, so that 500 pages a minute are enough for anybody.
    PAX8: Reach("https://api.pax8.com", has_tenant=False, calls_per_minute=500),
}
"""Every service that can be connected, by the word in its settings' names."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides.

    ``is_demo``: no connection is set, so the built-in demo is used, in a folder and database of its own.
    ``further`` are the connections of the providers beside Partner Center.
    """

    home: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    partner_center: Connection | None
    dataverse: Connection | None
    is_demo: bool
    further: Mapping[str, Connection] = field(default_factory=dict)

    def connections(self) -> Mapping[str, Connection]:
        """Return every connection that is set, by the word in its settings' names."""
        first = {PARTNER_CENTER: self.partner_center, DATAVERSE: self.dataverse}
        return {name: found for name, found in (first | dict(self.further)).items() if found}


def load_settings(environment: Mapping[str, str] | None = None, secrets_file: Path | None = None) -> Settings:
    """Read all settings.

    Raises ConfigurationError naming the setting that is missing or malformed; secrets never appear in it.
    """
    values = _Values(os.environ if environment is None else environment, _read_secrets(secrets_file or _SECRETS_FILE))
    home = data_folder(values.get("W365_HOME"))
    found = {name: connection for name in REACHES if (connection := _connection(values, name))}
    is_demo = values.get(DEMO_SERVED) == "1" or not found
    if is_demo:
        home /= "demo"
    own_database = f"sqlite:///{home / 'w365.db'}"
    return Settings(
        home=home,
        database_url=own_database if is_demo else values.get("W365_DATABASE_URL") or own_database,
        secret_key=values.get("W365_SECRET_KEY") or own_secret_key(home),
        partner_center=found.pop(PARTNER_CENTER, None),
        dataverse=found.pop(DATAVERSE, None),
        is_demo=is_demo,
        further=found,
    )


def data_folder(chosen: str | None) -> Path:
    """Return the folder for databases, keys and logs: the chosen one, or this user's on this system."""
    return Path(chosen or user_data_path("w365", appauthor=False)).absolute()


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
    reach = REACHES[name]
    parts = {part: values.get(f"W365_{name}_{part}") for part in _parts(reach)}
    if not any(parts.values()):
        return None
    parts["URL"] = parts["URL"] or reach.url
    missing = [f"W365_{name}_{part}" for part, value in parts.items() if not value]
    if missing:
        raise ConfigurationError(
            f"The connection needs {', '.join(missing)} as well.", do="Set it, or unset the others."
        )
    _check_url(f"W365_{name}_URL", parts["URL"])
    return Connection(
        url=parts["URL"].rstrip("/"),
        authority=_authority(values) if reach.has_tenant else parts["URL"].rstrip("/"),
        tenant_id=_tenant(f"W365_{name}_TENANT_ID", parts["TENANT_ID"]) if reach.has_tenant else "",
        client_id=parts["CLIENT_ID"],
        client_secret=parts["CLIENT_SECRET"],
        ca_bundle=_ca_bundle(values),
        calls_per_minute=_calls_per_minute(values, name, reach.calls_per_minute),
    )


def _parts(reach: Reach) -> tuple[str, ...]:
    return ("URL", *(("TENANT_ID",) if reach.has_tenant else ()), "CLIENT_ID", "CLIENT_SECRET")


def _tenant(name: str, value: str) -> str:
    if not _TENANT.fullmatch(value):
        raise ConfigurationError(f"{name} is neither a GUID nor a domain name.", do="Copy it from Entra ID.")
    return value


def _authority(values: _Values) -> str:
    authority = values.get("W365_AUTHORITY") or MICROSOFT_AUTHORITY
    _check_url("W365_AUTHORITY", authority)
    return authority.rstrip("/")


def _check_url(name: str, value: str) -> None:
    if not _is_plain_https(value):
        raise ConfigurationError(
            f"{name} must be a plain https:// address.", do="Nothing was sent. Correct the setting."
        )


def _is_plain_https(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:  # brackets that do not close, a port that is no number
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not (parts.username or parts.query or parts.fragment)


def _ca_bundle(values: _Values) -> str | None:
    path = values.get("W365_CA_BUNDLE")
    if path and not Path(path).is_file():
        raise ConfigurationError("W365_CA_BUNDLE names a file that is not there.", do="Give the path of a PEM file.")
    return path or None


def _calls_per_minute(values: _Values, service: str, otherwise: int | None) -> int | None:
    """The pace as calls a minute; None is unlimited, written as 0."""
    if otherwise is None:
        return None
    name = f"W365_{service}_CALLS_PER_MINUTE"
    text = values.get(name) or str(otherwise)
    if not text.isdecimal():
        raise ConfigurationError(f"{name} must be a whole number (0 for no limit).", do="Correct the setting.")
    return int(text) or None


def own_secret_key(home: Path) -> str:
    """The key made once in the data folder, readable by its owner only; it signs the tokens of the grid's routes."""
    path = home / "secret.key"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _known_secret_key(path)
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {home} cannot be written ({error.strerror}).", do="Set W365_HOME to a folder that can."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key := secrets.token_urlsafe(32))
    return key


def _known_secret_key(path: Path) -> str:
    """Read the key; the process that makes it may be between creating and writing the file."""
    try:
        for _ in range(20):
            if key := path.read_text(encoding="ascii").strip():
                return key
            time.sleep(0.05)
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            f"The key {path} cannot be read.", do="Check W365_HOME and the file's owner and mode."
        ) from None
    raise ConfigurationError(f"The key {path} is empty.", do="Restore it from a backup, or delete the file.")

"""Which connection leads to a provider or to the CRM: that of the environment, else the stored one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from w365.config import Settings
from w365.connection import DATAVERSE, REACHES, Connection, SignIn, build_connection
from w365.errors import ConfigurationError
from w365.log import hide_secret
from w365.portals.connectors import CONNECTORS, connector_of
from w365.service import Service
from w365.service.connecting.consents import KeptConsent, application_of
from w365.service.connecting.fields import SECRET, labels_of
from w365.store.connecting.connection_rows import ConnectionRow, put_row, read_row, read_rows
from w365.store.db.engine import Connection as Database
from w365.store.db.engine import Store
from w365.store.db.sealing import Sealer, Unsealable
from w365.store.runs import CRM, Clock, now
from w365.store.syncing.providers import ProviderRow, list_providers

_LOST = "The stored secret of {name} cannot be read: it was encrypted with another W365_SECRET_KEY, or was changed."
_FIND = (
    "Set the key it was encrypted with as W365_SECRET_KEY, or as W365_SECRET_KEY_OLD beside the new one, or enter "
    "the secret again on the Providers page."
)


@dataclass(frozen=True, slots=True)
class ConnectionFinder:
    """Finds the connection of a provider or of the CRM, with the sign-in of a person where it needs one.

    None where nothing is set. Raises ConfigurationError where a secret is stored that no key opens.
    """

    settings: Settings
    store: Store
    clock: Clock = now

    @property
    def sealer(self) -> Sealer:
        return Sealer((self.settings.secret_key, *self.settings.old_secret_keys))

    def find_for_provider(self, database: Database, provider: ProviderRow) -> Connection | None:
        connector = connector_of(provider.kind)
        return self._find(database, str(provider.id), connector.setting, provider.name) if connector else None

    def find_for_crm(self, database: Database) -> Connection | None:
        return self._find(database, CRM, DATAVERSE, "the CRM")

    def is_environments(self, row: ConnectionRow | None) -> bool:
        return row is not None and row.for_environment and row.setting in self.settings.connections()

    def _find(self, database: Database, target: str, setting: str, name: str) -> Connection | None:
        row = read_row(database, target)
        if row is None:
            return None
        connection = self.settings.connections()[setting] if self.is_environments(row) else self._stored(row, name)
        if connection is None or connection.sign_in is SignIn.APP:
            return connection
        consent = KeptConsent(self.store, self.sealer, target, application_of(connection), name, self.clock)
        return dataclasses.replace(connection, consent=consent)

    def _stored(self, row: ConnectionRow, name: str) -> Connection | None:
        if not row.secret:
            return None
        try:
            secret = self.sealer.unseal(purpose_of(row), row.secret)
        except Unsealable:
            raise ConfigurationError(_LOST.format(name=name), kept="Everything else is kept.", do=_FIND) from None
        hide_secret(secret)
        return build_from_row(self.settings, row, secret)


def finder_of(service: Service) -> ConnectionFinder:
    return ConnectionFinder(service.settings, service.store, service.clock)


def build_from_row(settings: Settings, row: ConnectionRow, secret: str) -> Connection:
    """Check the parts of a row and make a connection of them. Raises ConfigurationError in the words of the form."""
    parts = {**row.parts, SECRET: secret}
    connection = build_connection(
        row.setting,
        parts,
        labels_of(row.setting),
        settings.authority,
        settings.ca_bundle,
        settings.allowed,
        cloud=settings.cloud,
    )
    return dataclasses.replace(connection, graph_url=settings.graph_url)


def purpose_of(row: ConnectionRow) -> str:
    """What a secret is sealed for: the place it is sent to, and the application it belongs to."""
    url = row.parts.get("URL") or REACHES[row.setting].url
    return " ".join((row.setting, url.rstrip("/"), row.parts.get("TENANT_ID", ""), row.parts.get("CLIENT_ID", "")))


def allot_environment(database: Database, settings: Settings) -> list[str]:
    """Note for which target each connection of the environment is; return the words for which there is none yet."""
    rows = read_rows(database)
    connected = settings.connections()
    without = []
    for setting in connected:
        if any(row.setting == setting and row.for_environment for row in rows.values()):
            continue
        target = _target_for(database, setting, connected[setting], rows)
        if target:
            put_row(
                database, dataclasses.replace(rows.get(target, ConnectionRow(target, setting)), for_environment=True)
            )
        else:
            without.append(setting)
    return without


def _target_for(database: Database, setting: str, connection: Connection, rows: dict[str, ConnectionRow]) -> str | None:
    """The target stored with the same application, else the first of its kind without a connection."""
    if setting == DATAVERSE:
        return CRM
    kinds = [connector.kind for connector in CONNECTORS if connector.setting == setting]
    targets = [str(provider.id) for provider in list_providers(database) if provider.kind in kinds]
    same = [target for target in targets if target in rows and _has_application(rows[target], connection)]
    return next(iter(same + [target for target in targets if target not in rows]), None)


def _has_application(row: ConnectionRow, connection: Connection) -> bool:
    stored = (row.parts.get("TENANT_ID", "").lower(), row.parts.get("CLIENT_ID", "").lower())
    return stored == (connection.tenant_id.lower(), connection.client_id.lower())

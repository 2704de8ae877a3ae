"""Put the parts together, once: settings, database, connectors."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, closing

from w365.config import Settings, load_settings
from w365.crm import Crm
from w365.crm.dataverse import connect_dataverse
from w365.errors import ConfigurationError
from w365.portals import Portal
from w365.portals.connectors import connector_of
from w365.service import Check, Service
from w365.service.connecting.finder import ConnectionFinder
from w365.service.deciding.parking import return_parked
from w365.service.own_data import keep_to_owner
from w365.service.syncing.providers import prepare_providers
from w365.store.configuring.settings import read_setting
from w365.store.db.engine import Store, open_store
from w365.store.db.migrate import migrate
from w365.store.syncing.providers import find_provider_named

_log = logging.getLogger(__name__)


def open_service(settings: Settings | None = None, store: Store | None = None) -> Service:
    """Open the database that the settings name, bring it to this code's schema, and return the service on it.

    A `store` that is open already is used instead.

    Raises ConfigurationError and StoreError with everything left as it was.
    """
    chosen = settings or load_settings()
    store = store or open_store(chosen.database_url)
    for sentence in keep_to_owner(chosen, store):
        _log.warning("%s", sentence)
    migrate(store)
    service = Service(store, chosen, _PortalOpener(chosen, store), _CrmOpener(chosen, store))
    prepare_providers(service)
    return_parked(service)
    return service


class _PortalOpener:
    """Opens the connector of a provider by its name."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store

    def __call__(self, name: str, check: Check) -> AbstractContextManager[Portal]:
        with self._store.read() as database:
            provider = find_provider_named(database, name)
            connection = (
                ConnectionFinder(self._settings, self._store).find_for_provider(database, provider)
                if provider
                else None
            )
        connector = connector_of(provider.kind) if provider else None
        if connector is None or connection is None:
            raise ConfigurationError(f"{name} is not connected.", kept="Nothing was read.", do="Set its connection.")
        return closing(connector.connect(connection, check=check))


class _CrmOpener:
    """Opens the connector of the CRM."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store

    def __call__(self, check: Check) -> AbstractContextManager[Crm]:
        with self._store.read() as database:
            connection = ConnectionFinder(self._settings, self._store).find_for_crm(database)
            column = read_setting(database, "tenant_guid_column")
        if connection is None:
            raise ConfigurationError("The CRM is not connected.", kept="Nothing was read.", do="Set its connection.")
        return closing(connect_dataverse(connection, tenant_guid_column=column or None, check=check))

"""Where mappings lie in the CRM: the table and columns that an admin names."""

from __future__ import annotations

from collections.abc import Mapping

from w365.crm.tables import MappingPlace, TableColumns
from w365.errors import ConfigurationError
from w365.http.wait import never_stop
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import (
    MAPPING_ACCOUNT_COLUMN,
    MAPPING_ID_COLUMN,
    MAPPING_PROVIDER_COLUMN,
    MAPPING_TABLE,
    WRITE_BACK,
    put_settings,
    read_setting,
)
from w365.store.db.engine import Connection

_NOWHERE = MappingPlace("", "", "", "")


def read_place(connection: Connection) -> MappingPlace | None:
    """The table that the settings name; None while they name none."""
    names = (MAPPING_TABLE, MAPPING_ID_COLUMN, MAPPING_PROVIDER_COLUMN, MAPPING_ACCOUNT_COLUMN)
    place = MappingPlace(*(read_setting(connection, name) for name in names))
    return place if place.table and place.id_column and place.account_column else None


def read_place_to_write(connection: Connection) -> MappingPlace | None:
    """The table that the settings name; None also while write-back is off."""
    return read_place(connection) if is_on(connection) else None


def need_place(service: Service) -> MappingPlace:
    """Return the table that the settings name; ConfigurationError while they name none."""
    with service.store.read() as connection:
        place = read_place(connection)
    if place is None:
        raise ConfigurationError(
            "No Dataverse table of mappings is named.",
            kept="Nothing was read or written.",
            do="An admin names it on the Configuration page.",
        )
    return place


def is_on(connection: Connection) -> bool:
    return read_setting(connection, WRITE_BACK) == "true"


@needs(Role.ADMIN)
def list_tables(service: Service, actor: Actor) -> tuple[str, ...]:
    """Ask the CRM which tables it has."""
    with service.open_crm(never_stop) as crm:
        return crm.metadata().tables()


@needs(Role.ADMIN)
def list_columns(service: Service, actor: Actor, table: str) -> TableColumns:
    """Ask the CRM which columns of a table can hold what."""
    with service.open_crm(never_stop) as crm:
        return crm.metadata().columns(table)


@needs(Role.ADMIN)
def name_place(service: Service, actor: Actor, place: MappingPlace | None, *, write: bool) -> int:
    """Name the table (None: none) after the CRM said that it is so; return how many settings changed."""
    if place is not None:
        with service.open_crm(never_stop) as crm:
            crm.mappings(place)
    named = place or _NOWHERE
    values: Mapping[str, str] = {
        MAPPING_TABLE: named.table,
        MAPPING_ID_COLUMN: named.id_column,
        MAPPING_PROVIDER_COLUMN: named.provider_column,
        MAPPING_ACCOUNT_COLUMN: named.account_column,
        WRITE_BACK: "true" if write and place else "false",
    }
    with service.store.write() as connection:
        return put_settings(connection, actor, service.clock(), values)

"""Where an account lies in the CRM's own pages."""

from __future__ import annotations

from urllib.parse import quote

from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.store.configuring.settings import CRM_ADDRESS, ID_PLACE, read_setting
from w365.store.syncing.crm_accounts import read_crm_id

_DYNAMICS = "/main.aspx?etn=account&pagetype=entityrecord&id="


@needs(Role.VIEWER)
def crm_address(service: Service, actor: Actor, account_id: int) -> str:
    """Return the address of an account's page in the CRM; empty when nobody said where that is."""
    with service.store.read() as connection:
        pattern = read_setting(connection, CRM_ADDRESS) or default_pattern(service)
        crm_id = read_crm_id(connection, account_id)
    return pattern.replace(ID_PLACE, quote(crm_id, safe="")) if pattern and crm_id else ""


def default_pattern(service: Service) -> str:
    """The address that follows from the Dataverse URL; the built-in demo has no such pages."""
    dataverse = service.settings.dataverse
    if dataverse is None or service.settings.is_demo:
        return ""
    return f"{dataverse.url}{_DYNAMICS}{ID_PLACE}"

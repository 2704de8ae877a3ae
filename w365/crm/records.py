"""Dataverse's records turned into our own words."""

from __future__ import annotations

import re
from typing import Any

from w365.http.fields import FieldError, Record, guid_or_empty, nullable_text, required_guid, required_int
from w365.matching.domains import email_domain
from w365.source_records import CrmAccount, CrmContact

ACCOUNT_COLUMNS = (
    "accountid",
    "name",
    "accountnumber",
    "websiteurl",
    "emailaddress1",
    "address1_city",
    "address1_country",
    "statecode",
)
CONTACT_COLUMNS = ("contactid", "emailaddress1", "_parentcustomerid_value", "statecode")
_PARENT_TABLE = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
_ACTIVE = 0
_KEY = re.compile(r"\(([^()]+)\)\s*$")


def read_account(record: Record, tenant_guid_column: str | None = None) -> CrmAccount:
    """Read an account with all ACCOUNT_COLUMNS. Raises FieldError."""
    return CrmAccount(
        crm_id=required_guid(record, "accountid"),
        name=nullable_text(record, "name"),
        number=nullable_text(record, "accountnumber"),
        website=nullable_text(record, "websiteurl"),
        email=nullable_text(record, "emailaddress1"),
        city=nullable_text(record, "address1_city"),
        country=nullable_text(record, "address1_country"),
        tenant_guid=guid_or_empty(nullable_text(record, tenant_guid_column)) if tenant_guid_column else "",
        is_active=required_int(record, "statecode") == _ACTIVE,
    )


def read_contact(record: Record) -> CrmContact:
    """Read a contact and forget its address at once. Raises FieldError."""
    crm_id = required_guid(record, "contactid")
    parent = nullable_text(record, "_parentcustomerid_value")
    if parent and not guid_or_empty(parent):
        raise FieldError("_parentcustomerid_value is not a GUID.")
    is_account = record.get(_PARENT_TABLE, "account") == "account"
    return CrmContact(
        crm_id=crm_id,
        account_crm_id=guid_or_empty(parent) if is_account else "",
        domain=email_domain(nullable_text(record, "emailaddress1")),
        is_active=record.get("statecode", _ACTIVE) == _ACTIVE,
    )


def is_deleted(record: Any) -> bool:
    """Whether the record stands for a deleted one."""
    if not isinstance(record, dict):
        return False
    context = record.get("@odata.context")
    return "@removed" in record or (isinstance(context, str) and context.endswith("/$deletedEntity"))


def read_deleted(record: Record) -> str:
    """Return the GUID of a deleted record. Raises FieldError."""
    identifier = record.get("id", record.get("@odata.id"))
    if isinstance(identifier, str):
        key = _KEY.search(identifier)
        if guid := guid_or_empty(key[1] if key else identifier):
            return guid
    raise FieldError("the id of a deleted record is not a GUID.")

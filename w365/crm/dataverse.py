"""Dataverse (Dynamics 365): accounts and the e-mail domains of contacts, and new accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from w365.connection import Connection
from w365.crm.changes import Table, TableReader
from w365.crm.mappings import MappingTable
from w365.crm.records import ACCOUNT_COLUMNS, CONTACT_COLUMNS, read_account, read_contact
from w365.crm.refusals import explain_access, is_lasting
from w365.crm.tables import MappingPlace, Metadata
from w365.errors import ConfigurationError, InputError, SourceChanged
from w365.http.client import Answer, ApiClient
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.fields import FieldError, Record, guid_or_empty
from w365.http.refusal import Refusal
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.transport import origin_of
from w365.http.wait import Check, Waiting, never_stop
from w365.source_records import ChangePage, CrmAccount, CrmContact, NewAccount

T = TypeVar("T")

SOURCE = "Dataverse"
_API = "/api/data/v9.2"
# As Microsoft asks of every request; the last keeps answers from coming out of a cache.
_HEADERS = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "If-None-Match": "null"}
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,99}")
_DUPLICATE_CODES = frozenset({"0x80040333", "0x80040237", "0x80060892"})
"""By the rules of detection, by primary key, and by alternate key."""
# How long the columns are in a Dataverse as it comes.
_LIMITS = {"name": 160, "website": 200, "email": 100, "city": 80, "country": 80}
_COLUMN_OF = {
    "name": "name",
    "website": "websiteurl",
    "email": "emailaddress1",
    "city": "address1_city",
    "country": "address1_country",
}


def connect_dataverse(
    connection: Connection,
    *,
    tenant_guid_column: str | None = None,
    check: Check = never_stop,
    conditions: Conditions = REAL_CONDITIONS,
) -> Dataverse:
    """Return the connector for ``connection``. Nothing is sent yet.

    ``tenant_guid_column`` is the logical name of an account column that holds the customer's Microsoft tenant id.
    ``check`` raises Cancelled to stop. Raises ConfigurationError for what cannot be a column.
    """
    tokens = AppTokens(SOURCE, connection, f"{_organisation(connection)}/.default", check=check, conditions=conditions)
    client = ApiClient(SOURCE, connection, tokens, check=check, conditions=conditions, is_lasting=is_lasting)
    return Dataverse(client, tenant_guid_column)


def _organisation(connection: Connection) -> str:
    """Return the audience of a token: the address of the organisation without path or slash."""
    origin = origin_of(connection.url)
    return f"https://{origin}" if origin else connection.url


class Dataverse:
    """The connector; see w365.crm.protocol for what it promises."""

    def __init__(self, client: ApiClient, tenant_guid_column: str | None = None) -> None:
        if tenant_guid_column is not None and not _COLUMN.fullmatch(tenant_guid_column):
            raise ConfigurationError(
                "The column for the tenant id is not a logical name.",
                do="Use the column's logical name: small letters, digits and underscores.",
            )
        self._client = client
        self._tenant_guid_column = tenant_guid_column
        self._accounts = TableReader(client, self._account_table(), _HEADERS)
        self._contacts = TableReader(client, _CONTACTS, _HEADERS)

    def close(self) -> None:
        self._client.close()

    @property
    def waiting(self) -> Waiting | None:
        return self._client.waiting

    def verify(self) -> tuple[str, ...]:
        """Read one account and one contact with the very columns a sync selects."""
        readers = (("Accounts", self._accounts), ("Contacts", self._contacts))
        tables = [self._verify_table(word, reader) for word, reader in readers]
        return (f"{SOURCE} accepts the sign-in.", *tables, *filter(None, (self._client.skew,)))

    def accounts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        return _read(self._accounts, since, cursor)

    def contacts(self, since: str | None = None, *, cursor: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        return _read(self._contacts, since, cursor)

    def create_account(self, account: NewAccount) -> CrmAccount:
        """Create ``account`` with the CRM's own duplicate detection on. It is sent once, whatever happens."""
        answer = self._client.post_json(
            f"{_API}/accounts?$select={','.join(self._columns())}",
            _to_columns(account),
            headers={**_HEADERS, "Prefer": "return=representation", "MSCRM.SuppressDuplicateDetection": "false"},
            explain=lambda refusal: _explain_create(refusal, account.name),
        )
        try:
            return read_account(_created(answer, account), self._tenant_guid_column)
        except FieldError as error:
            raise SourceChanged(
                f"{SOURCE} answers differently than documented after creating the account: {error}",
                kept="The account was created there.",
                do="Sync the CRM, then map to it.",
            ) from None

    def metadata(self) -> Metadata:
        return Metadata(self._client, _HEADERS)

    def mappings(self, place: MappingPlace) -> MappingTable:
        """Look up the table of mappings; raises ConfigurationError naming what of it is missing."""
        return MappingTable(self._client, self.metadata().shape(place), _HEADERS)

    def _verify_table(self, word: str, reader: TableReader[Any]) -> str:
        reader.first_row()
        return f"{word} can be read."

    def _columns(self) -> tuple[str, ...]:
        return (*ACCOUNT_COLUMNS, self._tenant_guid_column) if self._tenant_guid_column else ACCOUNT_COLUMNS

    def _account_table(self) -> Table[CrmAccount]:
        return Table(
            "accounts",
            f"{_API}/accounts",
            "accountid",
            self._columns(),
            lambda record: read_account(record, self._tenant_guid_column),
        )


def _read(reader: TableReader[T], since: str | None, cursor: str | None) -> Iterator[ChangePage[T]]:
    if cursor:
        return reader.rest(cursor)
    return reader.changes(since) if since else reader.everything()


_CONTACTS = Table(
    "contacts",
    f"{_API}/contacts",
    "contactid",
    CONTACT_COLUMNS,
    read_contact,
    # A contact's parent is an account or another contact; only this says which.
    annotations="Microsoft.Dynamics.CRM.lookuplogicalname",
)


def _to_columns(account: NewAccount) -> dict[str, str]:
    values = {name: getattr(account, name).strip() for name in _COLUMN_OF}
    if not values["name"]:
        raise InputError("The account needs a name.", do="Enter one.")
    for name, limit in _LIMITS.items():
        if len(values[name]) > limit:
            raise InputError(f"The {name} of an account has at most {limit} characters.", do="Shorten it.")
    return {column: values[name] for name, column in _COLUMN_OF.items() if values[name]}


def _created(answer: Answer, account: NewAccount) -> Record:
    """Return the row as created; where the CRM sends none back, what was sent with the id it names."""
    if isinstance(answer.body, dict):
        return answer.body
    sent = dict.fromkeys(ACCOUNT_COLUMNS) | _to_columns(account)
    key = re.search(r"\(([^()]+)\)\s*$", answer.headers.get("odata-entityid", ""))
    return {**sent, "accountid": guid_or_empty(key[1]) if key else "", "statecode": 0}


def _explain_create(refusal: Refusal, name: str) -> Exception | None:
    if refusal.status == 412 or refusal.code.lower() in _DUPLICATE_CODES:
        return InputError(
            f"{SOURCE} already has an account like “{name}”; none was created ({refusal.say()}).",
            do="Search for that account and map to it, or give the new one another name.",
            detail=refusal.detail,
        )
    return explain_access(SOURCE, refusal, "create accounts", "creates accounts")

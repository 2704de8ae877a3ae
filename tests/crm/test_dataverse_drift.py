"""Answers of Dataverse of every kind we read, each field drifted, read by the connector over real sockets."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from crm.test_dataverse import account, contact, open_crm
from drifting import drifts
from fault_server import Answer, Bench, sign_in
from http_bench import guid

from w365.crm.dataverse import Dataverse
from w365.crm.records import ACCOUNT_COLUMNS, CONTACT_COLUMNS
from w365.errors import SourceError
from w365.source_records import ChangePage

DELETED = {
    "@odata.context": "https://org/api/data/v9.2/$metadata#accounts/$deletedEntity",
    "id": guid(9),
    "reason": "deleted",
}
TABLES = {
    "accounts": account(1, accountnumber="A-1", emailaddress1="info@contoso.com"),
    "contacts": contact(1, "jane@contoso.com", guid(1)),
}
COLUMNS = {"accounts": ACCOUNT_COLUMNS, "contacts": CONTACT_COLUMNS}
MAY_DIFFER = {"is_active"}
"""Any state but 0 is inactive."""


@pytest.mark.parametrize("table", list(TABLES))
@pytest.mark.parametrize("is_delta", [False, True])
def test_whatever_drifts_no_row_gets_a_wrong_value(place: Bench, table: str, *, is_delta: bool) -> None:
    link = f"/api/data/v9.2/{table}?$select={','.join(COLUMNS[table])}&$deltatoken=1"
    body: dict[str, Any] = {"@odata.context": "x", "value": [TABLES[table], *([DELETED] if is_delta else [])]}
    served = [body]
    server = place.serve(sign_in(lambda _: Answer(served[0])))
    body["@odata.deltaLink"] = server.url + link
    with open_crm(place, server) as crm:
        since = server.url + link if is_delta else None
        (true,) = rows(crm, table, since)
        allowed = {name: {repr(value), repr("")} for name, value in dataclasses.asdict(true).items()}
        changed = list(drifts(body, 3))
        assert len(changed) > 40
        for label, drifted in changed:
            served[0] = drifted
            try:
                found = rows(crm, table, since)
            except SourceError as error:
                assert error.what.endswith("."), label  # noqa: PT017 - both outcomes are right
                continue
            for row in found:
                values = dataclasses.asdict(row).items()
                wrong = {name: one for name, one in values if name not in MAY_DIFFER and repr(one) not in allowed[name]}
                assert not wrong, label


def test_whatever_drifts_a_deleted_row_is_the_true_one_or_none(place: Bench) -> None:
    body: dict[str, Any] = {"@odata.context": "x", "value": [DELETED]}
    served = [body]
    server = place.serve(sign_in(lambda _: Answer(served[0])))
    since = f"{server.url}/api/data/v9.2/accounts?$select={','.join(ACCOUNT_COLUMNS)}&$deltatoken=1"
    body["@odata.deltaLink"] = since
    with open_crm(place, server) as crm:
        assert deleted(crm, since) == {guid(9)}
        for label, drifted in drifts(body, 3):
            served[0] = drifted
            try:
                assert deleted(crm, since) <= {guid(9)}, label
            except SourceError as error:
                assert error.what.endswith("."), label  # noqa: PT017 - both outcomes are right


def rows(crm: Dataverse, table: str, since: str | None) -> list[Any]:
    pages: list[ChangePage[Any]] = list(getattr(crm, table)(since))
    return [row for page in pages for row in page.changed]


def deleted(crm: Dataverse, since: str) -> set[str]:
    return {one for page in crm.accounts(since) for one in page.deleted}

"""Customers who bought nothing but let the partner administer their tenant (GDAP): Microsoft Graph alone lists them.

It needs the permission DelegatedAdminRelationship.Read.All, of the application or of the person who signed in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from w365.connection import Connection, SignIn
from w365.errors import SignInRefused, SourceError
from w365.http.client import ApiClient
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.fields import FieldError, guid_or_empty
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.sign_in.user_tokens import UserTokens
from w365.http.wait import Check, never_stop
from w365.portals.partner_center.graph import SOURCE, read_values

RELATIONSHIP = "delegated administration only (GDAP)"
"""Marks these customers, beside the words that Partner Center has for its own."""

_PATH = "/v1.0/tenantRelationships/delegatedAdminCustomers?$select=id,tenantId,displayName"


@dataclass(frozen=True, slots=True)
class GdapCustomers:
    """Their records by tenant, in the form of Partner Center's list. ``lack`` says why there are none to tell of."""

    records: Mapping[str, Any]
    lack: str = ""

    def unmet(self, met: set[str]) -> list[Any]:
        return [record for tenant, record in self.records.items() if tenant not in met]


NONE_WANTED = GdapCustomers({})


class GdapList:
    """Reads the list with the sign-in of the connection."""

    def __init__(
        self, connection: Connection, *, check: Check = never_stop, conditions: Conditions = REAL_CONDITIONS
    ) -> None:
        self._connection = dataclasses.replace(connection, url=connection.graph_url, calls_per_minute=None)
        self._check = check
        self._conditions = conditions

    def read(self) -> GdapCustomers:
        """Return the customers; of a failure what it means for the list, which it does not cost anything else."""
        kind = UserTokens if self._connection.sign_in is SignIn.APP_USER else AppTokens
        scope = f"{self._connection.graph_audience}/.default"
        tokens = kind(SOURCE, self._connection, scope, check=self._check, conditions=self._conditions)
        client = ApiClient(SOURCE, self._connection, tokens, check=self._check, conditions=self._conditions)
        try:
            return GdapCustomers(dict(_records(read_values(client, _PATH, "customers"))))
        except (SourceError, SignInRefused, FieldError) as error:
            what = error.args[0]
            return GdapCustomers({}, f"{SOURCE} does not tell those with delegated administration only. {what}")
        finally:
            client.close()


def _records(values: list[Any]) -> Iterator[tuple[str, Any]]:
    """What cannot be read goes on as it is, to be rejected as any other record."""
    for place, value in enumerate(values):
        known = value if isinstance(value, dict) else {}
        identifier = known.get("tenantId") or known.get("id")
        profile = {"tenantId": identifier, "companyName": known.get("displayName"), "domain": None}
        record = {"id": identifier, "companyProfile": profile, "relationshipToPartner": RELATIONSHIP}
        yield guid_or_empty(str(identifier)) or f"record {place}", record

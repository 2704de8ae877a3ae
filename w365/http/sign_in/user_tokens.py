"""Access tokens for an application together with a person who signed in once (the Secure Application Model)."""

from __future__ import annotations

from typing import Any

from w365.connection import Connection
from w365.errors import SignInRefused
from w365.http.attempts import KEPT
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.sign_in.app_tokens import EntraTokens
from w365.http.sign_in.claims import has_mfa
from w365.http.sign_in.token_keeper import Grant
from w365.http.wait import Check, never_stop

SIGN_IN_AGAIN = "An admin signs in again on the Providers page."


class UserTokens(EntraTokens):
    """Tokens by refresh token. ``is_own_tenant`` is False where the scope is a customer's."""

    def __init__(
        self,
        source: str,
        connection: Connection,
        scope: str,
        *,
        check: Check = never_stop,
        conditions: Conditions = REAL_CONDITIONS,
        is_own_tenant: bool = True,
    ) -> None:
        super().__init__(source, connection, scope, check=check, conditions=conditions)
        self._is_own_tenant = is_own_tenant
        self._consent = connection.consent
        self._check = check

    def _ask(self) -> Grant:
        if self._consent is None:
            raise nobody_signed_in(self._source)
        grant = self._consent.redeem(self._redeem, self._check, is_own_tenant=self._is_own_tenant)
        if has_mfa(str(grant.get("access_token", ""))) is False:
            raise without_mfa(self._source)
        return grant

    def _redeem(self, refresh_token: str) -> Grant:
        def question(application: Any) -> Grant:
            result: Grant = application.acquire_token_by_refresh_token(refresh_token, [self._scope])
            return result

        return self._entra.ask(question)


def nobody_signed_in(source: str) -> SignInRefused:
    return SignInRefused(
        f"Nobody has signed in to {source} for this application yet.",
        kept=KEPT,
        do="An admin signs in once on the Providers page.",
    )


def without_mfa(source: str) -> SignInRefused:
    return SignInRefused(
        f"The sign-in to {source} was made without multi-factor authentication, and is refused for that.",
        kept=KEPT,
        do=f"Require it of that person in Entra ID. {SIGN_IN_AGAIN}",
    )

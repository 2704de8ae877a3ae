"""Access tokens of Entra ID, and those that an application gets by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from w365.connection import Connection
from w365.errors import SignInRefused
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.sign_in.entra import EntraApplication
from w365.http.sign_in.token_keeper import Grant, TokenKeeper
from w365.http.wait import Check, never_stop


class EntraTokens(ABC):
    """Tokens for one ``scope``. ``source`` is how sentences call the service they are for.

    A refusal is final for this object: the secret is sent once, however many threads ask. Safe to share.
    """

    def __init__(
        self,
        source: str,
        connection: Connection,
        scope: str,
        *,
        check: Check = never_stop,
        conditions: Conditions = REAL_CONDITIONS,
    ) -> None:
        self._source = source
        self._scope = scope
        self._entra = EntraApplication(connection, check, conditions)
        keeper = TokenKeeper(self._ask, self._explain, conditions.clock)
        self.token = keeper.token
        self.renew = keeper.renew

    def close(self) -> None:
        self._entra.close()

    @abstractmethod
    def _ask(self) -> Grant:
        """Ask once for a token."""

    def _explain(self, result: Grant) -> SignInRefused:
        return self._entra.explain(self._source, result)


class AppTokens(EntraTokens):
    """Tokens by client credentials."""

    def _ask(self) -> Grant:
        return self._entra.ask(self._acquire)

    def _acquire(self, application: Any) -> Grant:
        application.remove_tokens_for_client()
        result: Grant = application.acquire_token_for_client([self._scope])
        return result

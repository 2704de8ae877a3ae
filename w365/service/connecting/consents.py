"""Sign-ins of people for an application: begun on the page, finished by the browser's return, kept by every use.

A refresh token changes whenever it is redeemed. One process redeems at a time, and a save names the token it replaces,
so that the newest is never lost.
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from w365.connection import Connection
from w365.errors import ConfigurationError
from w365.http.sign_in.aadsts_messages import explain_sign_in
from w365.http.sign_in.claims import has_mfa
from w365.http.sign_in.user_tokens import nobody_signed_in
from w365.log import hide_secret
from w365.store.connecting.consents import change_consent, read_consent
from w365.store.db.engine import Connection as Database
from w365.store.db.engine import Store
from w365.store.db.sealing import Sealer, Unsealable
from w365.store.runs import Clock

Grant = Mapping[str, Any]

_HELD_SECONDS = 120
_LOOK_SECONDS = 0.1
_LASTING = frozenset({"invalid_grant", "interaction_required", "consent_required"})
"""Errors of a token endpoint that no repeat with this refresh token would change."""


def application_of(connection: Connection) -> str:
    """What a sign-in is good for: another tenant or application needs another one."""
    return f"{connection.tenant_id} {connection.client_id}".lower()


def purpose_of_token(target: str, application: str) -> str:
    return f"consent {target} {application}"


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    version: int
    holder: str


@dataclass(frozen=True, slots=True)
class KeptConsent:
    """The sign-in for one target and application; see `w365.connection.Consent` for what it promises."""

    store: Store
    sealer: Sealer
    target: str
    application: str
    name: str
    clock: Clock
    sleep: Callable[[float], None] = time.sleep

    def redeem(
        self, exchange: Callable[[str], Grant], check: Callable[[], None], *, is_own_tenant: bool = True
    ) -> Grant:
        while True:
            held = self._hold(check)
            try:
                grant = exchange(held.token)
            except BaseException:
                self._write(held, {})
                raise
            if grant.get("access_token"):
                self._write(held, self._renewed(held, grant))
                return grant
            is_lasting = is_own_tenant and grant.get("error") in _LASTING
            if self._write(held, {"refused": self._why(grant)} if is_lasting else {}):
                return grant
            # Somebody signed in anew meanwhile, and this refusal was of the token before.

    def _hold(self, check: Callable[[], None]) -> _Held:
        """Wait until no other process redeems, and keep others from it."""
        holder = secrets.token_hex(8)
        patience = time.monotonic() + _HELD_SECONDS
        while True:
            with self.store.write() as database:
                if held := self._try_to_hold(database, holder, is_impatient=time.monotonic() > patience):
                    return held
            check()
            self.sleep(_LOOK_SECONDS)

    def _try_to_hold(self, database: Database, holder: str, *, is_impatient: bool) -> _Held | None:
        row = read_consent(database, self.target, self.application)
        if row is None:
            raise nobody_signed_in(self.name)
        now = self.clock()
        if row.held_until is not None and row.held_until > now and not is_impatient:
            return None
        try:
            token = self.sealer.unseal(purpose_of_token(self.target, self.application), row.token)
        except Unsealable:
            raise token_lost(self.name) from None
        hide_secret(token)
        until = now + dt.timedelta(seconds=_HELD_SECONDS)
        self._update(database, row.version, {"held_by": holder, "held_until": until})
        return _Held(token, row.version, holder)

    def _write(self, held: _Held, values: Mapping[str, Any]) -> bool:
        """Let go, and store what came of it; False where somebody stored a newer token meanwhile."""
        with self.store.write() as database:
            return self._update(database, held.version, {**values, "held_by": "", "held_until": None})

    def _update(self, database: Database, version: int, values: Mapping[str, Any]) -> bool:
        return change_consent(database, self.target, self.application, version, values)

    def _renewed(self, held: _Held, grant: Grant) -> dict[str, Any]:
        values: dict[str, Any] = {
            "used_at": self.clock(),
            "has_mfa": has_mfa(str(grant["access_token"])),
            "refused": "",
        }
        if token := grant.get("refresh_token"):
            hide_secret(str(token))
            sealed = self.sealer.seal(purpose_of_token(self.target, self.application), str(token))
            values |= {"token": sealed, "version": held.version + 1}
        return values

    def _why(self, grant: Grant) -> str:
        return explain_sign_in(self.name, grant, (), "").what


def token_lost(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"The stored sign-in for {name} cannot be read: it was encrypted with another W365_SECRET_KEY.",
        kept="Everything else is kept.",
        do="Set that key as W365_SECRET_KEY_OLD, or sign in again on the Providers page.",
    )

"""A person signs in for an application: to Microsoft's page and back, with state, PKCE and nonce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from w365.connection import Connection
from w365.errors import SignInRefused
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.refusal import clean
from w365.http.sign_in.claims import claims_of, has_mfa
from w365.http.sign_in.entra import EntraApplication
from w365.http.sign_in.token_keeper import Grant
from w365.http.wait import never_stop

_NAMES = ("upn", "preferred_username", "unique_name", "name")


@dataclass(frozen=True, slots=True)
class Consented:
    """Who signed in, with what comes of it."""

    refresh_token: str = field(repr=False)
    person: str
    has_mfa: bool | None


def begin(
    source: str,
    connection: Connection,
    scope: str,
    redirect_uri: str,
    *,
    conditions: Conditions = REAL_CONDITIONS,
) -> Mapping[str, Any]:
    """Return MSAL's flow: ``auth_uri`` is where the browser goes, ``state`` comes back, the rest is to be kept.

    It holds the verifier of PKCE, which is a secret. Raises SignInRefused where the tenant does not exist.
    """
    entra = EntraApplication(connection, never_stop, conditions)
    try:
        flow = entra.ask(
            lambda application: application.initiate_auth_code_flow(
                [scope],
                redirect_uri=redirect_uri,
                prompt="select_account",
                response_mode="form_post",  # the code stays out of addresses, and so out of histories and logs
            )
        )
        if "auth_uri" not in flow:
            raise entra.explain(source, flow)
        return flow
    finally:
        entra.close()


def finish(
    source: str,
    connection: Connection,
    flow: Mapping[str, Any],
    answer: Mapping[str, str],
    *,
    conditions: Conditions = REAL_CONDITIONS,
) -> Consented:
    """Redeem the code that the browser brought back. Raises SignInRefused and what else a sign-in can."""
    if answer.get("state") != flow["state"]:
        raise _not_ours(source)
    entra = EntraApplication(connection, never_stop, conditions)
    try:
        grant = entra.ask(lambda application: _redeem(application, flow, answer))
        if not grant.get("refresh_token"):
            raise entra.explain(source, grant, answer.get("code", ""))
        return _consented(grant)
    except RuntimeError:  # what MSAL raises for a nonce that is not ours
        raise _not_ours(source) from None
    finally:
        entra.close()


def _redeem(application: Any, flow: Mapping[str, Any], answer: Mapping[str, str]) -> Grant:
    result: Grant = application.acquire_token_by_auth_code_flow(dict(flow), dict(answer))
    return result


def _consented(grant: Grant) -> Consented:
    claims = {**grant.get("id_token_claims", {}), **claims_of(str(grant.get("access_token", "")))}
    person = next((claims[name] for name in _NAMES if isinstance(claims.get(name), str)), "somebody")
    return Consented(str(grant["refresh_token"]), clean(person), has_mfa(str(grant.get("access_token", ""))))


def _not_ours(source: str) -> SignInRefused:
    return SignInRefused(
        f"The answer to the sign-in to {source} is not the one that was asked for.",
        kept="No sign-in was stored.",
        do="Begin again on the Providers page.",
    )

"""Entra's refusals, in its own form: a JSON body for programs, or the words a browser is sent back with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from w365.demo.wire import Reply, json_reply, new_guid

_GRANT = "invalid_grant"
_CLIENT = "invalid_client"

REFUSALS: Mapping[int, tuple[str, int, str]] = {
    50011: ("invalid_request", 400, "The redirect URI '{}' does not match the redirect URIs of the application."),
    50020: (_GRANT, 400, "User account '{}' from another identity provider does not exist in the tenant."),
    50076: ("interaction_required", 400, "You must use multi-factor authentication to access '{}'."),
    50173: (_GRANT, 400, "The provided grant has expired due to it being revoked, a fresh auth token is needed."),
    53003: (_GRANT, 400, "Access has been blocked by Conditional Access policies."),
    54005: (_GRANT, 400, "OAuth2 Authorization code was already redeemed."),
    65001: (_GRANT, 400, "The user or administrator has not consented to use the application with ID '{}'."),
    65004: ("access_denied", 400, "User declined to consent to access the app."),
    70003: ("unsupported_grant_type", 400, "The app requested an unsupported grant type '{}'."),
    70008: (_GRANT, 400, "The provided authorization code or refresh token has expired due to inactivity."),
    70011: ("invalid_scope", 400, "The provided value for the input parameter 'scope' is not valid."),
    90002: ("invalid_tenant", 400, "Tenant '{}' not found. Check to make sure you have the correct tenant ID."),
    500011: ("invalid_resource", 400, "The resource principal named {} was not found in the tenant."),
    501481: (_GRANT, 400, "The Code_Verifier does not match the code_challenge supplied in the request."),
    700016: ("unauthorized_client", 400, "Application with identifier '{}' was not found in the directory."),
    700024: (_CLIENT, 401, "Client assertion is not within its valid time range."),
    700082: (_GRANT, 400, "The refresh token has expired due to inactivity."),
    900561: ("invalid_request", 400, "The endpoint only accepts POST requests."),
    7000112: ("unauthorized_client", 400, "Application '{}' is disabled."),
    7000215: (
        _CLIENT,
        401,
        "Invalid client secret provided. Ensure the client secret value is sent, not its ID, for a secret of app '{}'.",
    ),
    7000222: (_CLIENT, 401, "The provided client secret keys for app '{}' are expired."),
}


def refuse_with_code(code: int, about: str = "") -> Reply:
    """The answer of the token endpoint, and of discovery."""
    error, status, sentence = REFUSALS[code]
    now, trace, correlation = datetime.now(UTC), new_guid(), new_guid()
    stamp = f"{now:%Y-%m-%d %H:%M:%S}Z"
    ids = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
    return json_reply(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{code}: {sentence.format(about)} {ids}",
            "error_codes": [code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
    )


def describe_refusal(code: int, about: str = "") -> tuple[str, str]:
    """Error and description, as a browser brings them back."""
    error, _, sentence = REFUSALS[code]
    return error, f"AADSTS{code}: {sentence.format(about)} Trace ID: {new_guid()}"

"""What Entra ID means when it refuses an application, in sentences that name the thing to mend."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from w365.errors import SignInRefused
from w365.http.refusal import clean

_KEPT = "It was tried once; what was stored before is kept."


@dataclass(frozen=True, slots=True)
class _Meaning:
    what: str
    do: str


_TENANT = _Meaning(
    "The tenant of {source} does not exist or has no directory", "Correct the tenant id of the connection."
)
_SECRET = _Meaning(
    "The client secret for {source} is wrong",
    "Enter the secret's value, not its id, as it was shown once when it was made.",
)
_ROLE = _Meaning(
    "The application may not use {source}: a permission or the consent to it is missing",
    "An administrator of the tenant grants consent to the application in Entra ID.",
)
_CLOCK = _Meaning("The sign-in for {source} carries a wrong time", "Set the clock of this machine.")
_BLOCKED = _Meaning(
    "A conditional access policy of the tenant blocks the application for {source}",
    "An administrator of the tenant excludes the application, or this network, from the policy.",
)

_AGAIN = "An admin signs in again on the Providers page."
_LAPSED = _Meaning("The sign-in of the person for {source} has lapsed", _AGAIN)
_REVOKED = _Meaning("The sign-in of the person for {source} was revoked, as by a new password", _AGAIN)
_MFA = _Meaning("{source} wants the person to prove who they are once more, with multi-factor authentication", _AGAIN)
_GUEST = _Meaning(
    "The person who signed in is a guest, or not a member of the tenant, and may not use {source}",
    "Sign in again with an account of the partner's own tenant.",
)

_SERVICE_ABSENT = _Meaning(
    "The tenant has no {source} that the application could use",
    "Check that {source} is used in this tenant, and that tenant id and address belong together.",
)
_UNASSIGNED = _Meaning(
    "The application for {source} wants people or applications to be assigned to it, and this one is not",
    "An administrator of the tenant assigns it in Entra ID, under Enterprise applications.",
)
_CLOUD = _Meaning(
    "Application and tenant of {source} are in different clouds of Microsoft",
    "Check W365_CLOUD, or W365_AUTHORITY: the global cloud, the US government's and China's have one of their own.",
)
_UNSENT = _Meaning("The client id or the tenant id for {source} is not complete", "Correct it in the connection.")
_SCOPE = _Meaning(
    "The sign-in for {source} asks for what the application may not have at that address",
    "Check the address of the connection.",
)

_MEANINGS = {
    "900382": _CLOUD,
    "900384": _CLOUD,
    "900144": _UNSENT,
    "90013": _UNSENT,
    "70011": _SCOPE,
    "1002012": _SCOPE,
    "50059": _TENANT,
    "50128": _TENANT,
    "90094": _ROLE,
    "90095": _ROLE,
    "7000229": _Meaning(
        "The application for {source} has not been added to this tenant",
        "An administrator of the tenant grants consent to the application in Entra ID, which adds it.",
    ),
    "650052": _SERVICE_ABSENT,
    "650051": _SERVICE_ABSENT,
    "501051": _UNASSIGNED,
    "50105": _UNASSIGNED,
    "65004": _Meaning("The person did not consent to {source}", "Begin again on the Providers page, and accept."),
    "50011": _Meaning(
        "The application does not know the address that the sign-in to {source} returns to",
        "Add the redirect address that the Providers page shows to the application in Entra ID, as type Web.",
    ),
    "700082": _LAPSED,
    "70008": _LAPSED,
    "70043": _LAPSED,
    "50173": _REVOKED,
    "54005": _Meaning("The code of the sign-in to {source} was used before", "Begin again on the Providers page."),
    "50076": _MFA,
    "50079": _MFA,
    "50158": _MFA,
    "50020": _GUEST,
    "50177": _GUEST,
    "50034": _GUEST,
    "50057": _Meaning("The account of the person who signed in to {source} is disabled", _AGAIN),
    "7000215": _SECRET,
    "7000222": _Meaning(
        "The client secret for {source} has expired", "Make a new secret in Entra ID and enter it in the connection."
    ),
    "7000218": _Meaning("No client secret for {source} was sent", "Enter the secret in the connection."),
    "65001": _ROLE,
    "650057": _ROLE,
    "500011": _Meaning(
        "The tenant knows no service at the address of {source}",
        "Check the address of the connection, and that {source} is used in this tenant.",
    ),
    "50072": _MFA,
    "50074": _MFA,
    "50078": _MFA,
    "50132": _REVOKED,
    "50133": _REVOKED,
    "700084": _LAPSED,
    "70044": _LAPSED,
    "90072": _GUEST,
    "53000": _BLOCKED,
    "53001": _BLOCKED,
    "53002": _BLOCKED,
    "530003": _BLOCKED,
    "53011": _BLOCKED,
    "700016": _Meaning(
        "The tenant does not know the application that shall reach {source}",
        "Check client id and tenant id of the connection; they may belong to different tenants.",
    ),
    "7000112": _Meaning("The application for {source} is disabled", "Enable it in Entra ID."),
    "90002": _TENANT,
    "900023": _TENANT,
    "5000224": _TENANT,
    "700024": _CLOCK,
    "500133": _CLOCK,
    "53003": _BLOCKED,
}


def explain_sign_in(source: str, result: Mapping[str, Any], secrets: tuple[str, ...], skew: str) -> SignInRefused:
    """Turn MSAL's error dict, or the parsed body of a refusal, into the sentence for people.

    ``skew`` says how wrong the clock is, or nothing. No secret gets through.
    """
    description = clean(_text(result, "error_description"), secrets, limit=400)
    code = _code(result, description)
    meaning = _MEANINGS.get(code) or (_SECRET if result.get("error") == "invalid_client" and not code else None)
    if meaning is None:
        reason = re.split(r" Trace ID:", description)[0] or clean(_text(result, "error"), secrets) or "no reason given"
        meaning = _Meaning("The sign-in for {source} was refused: “" + _unbraced(reason) + "”", "Look up the code.")
    label = f" (AADSTS{code})." if code else "."
    do = f"{skew} Correct it." if skew and meaning is _CLOCK else " ".join(filter(None, (meaning.do, skew)))
    return SignInRefused(
        meaning.what.format(source=source) + label,
        kept=_KEPT,
        do=do.format(source=source),
        detail=_ids(result, description),
    )


def _code(result: Mapping[str, Any], description: str) -> str:
    if found := re.search(r"AADSTS(\d{4,8})", description):
        return found[1]
    codes = result.get("error_codes")
    return str(codes[0]) if isinstance(codes, list) and codes and isinstance(codes[0], int) else ""


def _ids(result: Mapping[str, Any], description: str) -> str:
    ids = [f"{name} {clean(_text(result, name))}" for name in ("trace_id", "correlation_id") if result.get(name)]
    return ", ".join(ids) or description


def _text(result: Mapping[str, Any], name: str) -> str:
    value = result.get(name)
    return value if isinstance(value, str) else ""


def _unbraced(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")

"""The token a page hands to its grid: who asks, signed, with an age. A header carries it, so no cookie and no CSRF."""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from w365.errors import AccessError
from w365.model import Actor, Role

HEADER = "X-W365-Token"
MAX_AGE = 12 * 3600
"""Seconds; a working day. The page mints a new token when it is opened again."""


def mint(secret_key: str, actor: Actor) -> str:
    """Sign name and role of the actor."""
    return str(_signer(secret_key).dumps([actor.name, actor.role.value]))


def read(secret_key: str, token: str, max_age: int = MAX_AGE) -> Actor:
    """Return the actor a token was minted for; AccessError when it is missing, foreign or older than `max_age`."""
    try:
        name, role = _signer(secret_key).loads(token, max_age=max_age)
        return Actor(str(name), Role(role))
    except SignatureExpired:
        raise _refused("This page was opened too long ago.") from None
    except (BadData, ValueError, TypeError):
        raise _refused("This page is not signed in.") from None


def _signer(secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt="grid", signer_kwargs={"digest_method": hashlib.sha256})


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was changed.", do="Reload the page.")

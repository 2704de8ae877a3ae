"""The token a page hands to its grid: who asks, in which browser, signed, for a quarter of an hour.

A header carries it, so no other page can make a browser send it; and it is worth nothing without the browser's cookie,
which no script reads. What the person may do is not taken from it but from the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence

from itsdangerous import BadData, URLSafeTimedSerializer

from w365.errors import AccessError, Outdated
from w365.model import Actor, Role

HEADER = "X-W365-Token"
MAX_AGE = dt.timedelta(minutes=15)
RENEWABLE = dt.timedelta(hours=12)
"""How old a token may be that is given in for a new one; a session that ended before renews none."""

_LEEWAY = dt.timedelta(minutes=2)
"""How far the clocks of two replicas may be apart."""


def mint_token(secret_key: str, actor: Actor, browser: str) -> str:
    """Sign name, role and session of the actor for a browser, given by the digest of its cookie."""
    return str(_signer(secret_key).dumps([actor.name, actor.role.value, actor.session or 0, browser]))


def read_token(
    secret_key: str,
    token: str,
    browser: str,
    *,
    old_keys: Sequence[str] = (),
    now: dt.datetime | None = None,
    max_age: dt.timedelta = MAX_AGE,
) -> Actor:
    """Return the actor a token was minted for, with the key or an older one.

    Raises Outdated when it is older than `max_age`, AccessError when it is missing, foreign or for another browser.
    """
    try:
        content, signed_at = _signer(secret_key, *old_keys).loads(token, return_timestamp=True)
        name, role, session, bound_to = _typed(content)
        actor = Actor(name, Role(role), session or None)
    except (BadData, ValueError, TypeError):
        raise _refused("This page is not signed in.") from None
    if not browser or not hmac.compare_digest(bound_to, browser):
        raise _refused("This page was opened in another browser.")
    age = (now or dt.datetime.now(dt.UTC)) - signed_at
    if age < -_LEEWAY:
        raise _refused("The clocks of the servers are apart.")
    if age > max_age:
        raise Outdated("This page was opened too long ago.", kept="Nothing was changed.", do="Reload the page.")
    return actor


def _typed(content: object) -> tuple[str, int, int, str]:
    """The parts of a token, if each is exactly of its kind: True and 3.0 are equal to a role's number, and no role."""
    if not isinstance(content, list) or [type(part) for part in content] != [str, int, int, str]:
        raise TypeError
    name, role, session, bound_to = content
    return name, role, session, bound_to


def _signer(*keys: str) -> URLSafeTimedSerializer:
    """Sign with the first of the keys, and read what any of them signed."""
    return URLSafeTimedSerializer(list(reversed(keys)), salt="grid", signer_kwargs={"digest_method": hashlib.sha256})


def browser_of(cookie: str) -> str:
    """The digest that stands for a browser's cookie where it is kept; empty for none."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogateescape")).hexdigest() if cookie else ""


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was changed.", do="Reload the page.")

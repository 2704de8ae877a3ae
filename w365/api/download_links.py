"""Links to files: each is for the browser that asked, works once, and only for a few minutes.

A link says all that is wanted, encrypted with the secret key, so that whichever replica is asked can answer and nobody
else can read it. That it was used stands in the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import NamedTuple

from w365.api.tokens import browser_of
from w365.errors import AccessError, InputError
from w365.model import Actor, Role
from w365.service import Service
from w365.service.exporting import FileRequest
from w365.service.exporting.written_requests import Json, read_request, write_request
from w365.service.shared_files import use_up
from w365.store.db.sealing import Sealer, Unsealable

SECONDS = 300
_PURPOSE = "download"
_UNREADABLE = (Unsealable, InputError, ValueError, TypeError, KeyError, AttributeError)


class _Ticket(NamedTuple):
    """What a link says; ``browser`` is the digest of its cookie, ``until`` in seconds since 1970."""

    name: str
    role: int
    session: int | None
    browser: str
    until: float
    request: Json


def make_link(service: Service, actor: Actor, request: FileRequest, cookie: str) -> str:
    """Return the path that gives the file, to the browser with this cookie alone."""
    until = service.clock().timestamp() + SECONDS
    ticket = _Ticket(actor.name, actor.role.value, actor.session, browser_of(cookie), until, write_request(request))
    return f"/api/downloads/{_sealer(service).seal(_PURPOSE, json.dumps(ticket, default=str))}"


def redeem(service: Service, name: str, cookie: str) -> tuple[Actor, FileRequest]:
    """Take what a link stands for; AccessError when it was used, is too old or somebody else's."""
    try:
        ticket = _Ticket(*json.loads(_sealer(service).unseal(_PURPOSE, name)))
        request = read_request(ticket.request)
        actor = Actor(ticket.name, Role(ticket.role), ticket.session)
    except _UNREADABLE:
        raise _refused("This link is none of this app.") from None
    if not cookie or not hmac.compare_digest(ticket.browser, browser_of(cookie)):
        raise _refused("This link was made for another browser.")
    is_over = ticket.until <= service.clock().timestamp()
    if is_over or not use_up(service, f"link/{hashlib.sha256(name.encode()).hexdigest()}"):
        raise _refused("This link was used already, or is too old.")
    return actor, request


def _sealer(service: Service) -> Sealer:
    # Of every key another is made for this: a short one, with which no secret may be stored, still makes links.
    keys = (service.settings.secret_key, *service.settings.old_secret_keys)
    return Sealer([hmac.digest(key.encode(), b"links to files", "sha256").hex() for key in keys])


def _refused(what: str) -> AccessError:
    return AccessError(what, kept="Nothing was sent.", do="Close this tab and choose Download again.")

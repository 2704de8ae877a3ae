"""The authorize endpoint: a simple page on which a made-up person consents, and the way back with a code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from w365.demo.entra.aadsts import words
from w365.demo.tokens import Person
from w365.demo.wire import Reply, Request

PEOPLE = ("ada.marsh@harbourlight.onmicrosoft.com", "bo.hale@harbourlight.onmicrosoft.com")
_LIVES = 600.0

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}"
    "button{font:inherit;padding:.4rem 1rem;margin-right:.6rem}label{display:block;margin:.6rem 0}"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a code was given for."""

    client_id: str
    redirect_uri: str
    scope: str
    nonce: str
    challenge: str
    person: Person
    until: float


@dataclass(slots=True)
class Codes:
    """Codes in the hands of browsers. Each is good once, and a used one is remembered as used."""

    clock: Callable[[], float] = time.time
    _given: dict[str, Asked] = field(default_factory=dict, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def give(self, asked: Mapping[str, str], person: Person) -> str:
        code = f"0.{secrets.token_urlsafe(40)}"
        self._given[code] = Asked(
            asked["client_id"],
            asked["redirect_uri"],
            asked.get("scope", ""),
            asked.get("nonce", ""),
            asked["code_challenge"],
            person,
            self.clock() + _LIVES,
        )
        return code

    def take(self, code: str, form: Mapping[str, str], client_id: str) -> Asked | int:
        """What the code was given for, or the number of the refusal."""
        if code in self._used:
            return 54005
        asked = self._given.get(code)
        if asked is None or asked.client_id != client_id or asked.until < self.clock():
            return 70008
        if asked.redirect_uri != form.get("redirect_uri"):
            return 50011
        if not hmac.compare_digest(asked.challenge, _challenge(form.get("code_verifier", ""))):
            return 501481
        self._used.add(code)
        return asked


def authorize(request: Request, clients: Mapping[str, str], codes: Codes) -> Reply:
    """Show the page, or, once the person chose, send the browser back."""
    asked = request.parameters()
    if trouble := _trouble(asked, clients):
        return _page(f"<h1>Sign-in</h1><p>{html.escape(trouble)}</p>", 400)
    if request.method != "POST":
        return _page(_form(asked))
    form = request.form()
    if form.get("choice") != "accept":
        error, description = words(65004)
        return _back(asked, {"error": error, "error_description": description})
    person = Person(form.get("person", PEOPLE[0]), has_mfa=form.get("mfa") == "on")
    return _back(asked, {"code": codes.give(asked, person), "session_state": secrets.token_hex(8)})


def _trouble(asked: Mapping[str, str], clients: Mapping[str, str]) -> str:
    if asked.get("client_id") not in clients:
        return words(700016, asked.get("client_id", ""))[1]
    back = urlsplit(asked.get("redirect_uri", ""))
    if back.scheme != "https" and not (back.scheme == "http" and back.hostname in ("localhost", "127.0.0.1")):
        return words(50011, asked.get("redirect_uri", ""))[1]
    is_whole = asked.get("response_type") == "code" and asked.get("code_challenge_method") == "S256"
    return (
        "" if is_whole and asked.get("code_challenge") else "AADSTS900144: A code with PKCE (S256) must be asked for."
    )


def _form(asked: Mapping[str, str]) -> str:
    scopes = "".join(f"<li>{html.escape(one)}</li>" for one in asked.get("scope", "").split())
    people = "".join(f"<option>{html.escape(one)}</option>" for one in PEOPLE)
    return (
        "<h1>Permissions requested</h1><p>The demo's sign-in: nobody here is real.</p>"
        f"<p>The application {html.escape(asked['client_id'])} asks for:</p><ul>{scopes}</ul>"
        f'<form method="post"><label>Person <select name="person">{people}</select></label>'
        '<label><input type="checkbox" name="mfa" checked> with multi-factor authentication</label>'
        '<button name="choice" value="accept">Accept</button>'
        '<button name="choice" value="cancel">Cancel</button></form>'
    )


def _page(body: str, status: int = 200) -> Reply:
    page = f'<!doctype html><html lang="en"><title>Sign-in of the demo</title><style>{_STYLE}</style>{body}</html>'
    headers = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
    return Reply(status, page.encode(), headers)


def _back(asked: Mapping[str, str], answer: Mapping[str, str]) -> Reply:
    """Send the browser back as it was asked for: by a form that posts itself, or in the address."""
    whole = {**answer, **({"state": asked["state"]} if "state" in asked else {})}
    if asked.get("response_mode") == "form_post":
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in whole.items()
        )
        target = html.escape(asked["redirect_uri"])
        script = "<script>document.forms[0].submit()</script>"
        return _page(f'<form method="post" action="{target}">{inputs}<button>Go on</button></form>{script}')
    joint = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return Reply(302, headers=(("location", f"{asked['redirect_uri']}{joint}{urlencode(whole)}"),))


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

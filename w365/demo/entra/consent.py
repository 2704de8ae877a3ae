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

from w365.demo.entra.aadsts import describe_refusal
from w365.demo.tokens import Person
from w365.demo.wire import Reply, Request

PEOPLE = ("ada.marsh@harbourlight.onmicrosoft.com", "bo.hale@harbourlight.onmicrosoft.com")
_LIFETIME = 600.0

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem}"
    "button{font:inherit;padding:.4rem 1rem;margin-right:.6rem}label{display:block;margin:.6rem 0}"
)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What a code was given for."""

    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    person: Person
    until: float


@dataclass(slots=True)
class Codes:
    """Codes in the hands of browsers. Each is good once, and a used one is remembered as used."""

    clock: Callable[[], float] = time.time
    _given: dict[str, CodeRequest] = field(default_factory=dict, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def issue_code(self, parameters: Mapping[str, str], person: Person) -> str:
        code = f"0.{secrets.token_urlsafe(40)}"
        self._given[code] = CodeRequest(
            parameters["client_id"],
            parameters["redirect_uri"],
            parameters.get("nonce", ""),
            parameters["code_challenge"],
            person,
            self.clock() + _LIFETIME,
        )
        return code

    def redeem_code(self, code: str, form: Mapping[str, str], client_id: str) -> CodeRequest | int:
        """What the code was given for, or the number of the refusal."""
        if code in self._used:
            return 54005
        request = self._given.get(code)
        if request is None or request.client_id != client_id or request.until < self.clock():
            return 70008
        if request.redirect_uri != form.get("redirect_uri"):
            return 50011
        if not hmac.compare_digest(request.challenge, _make_challenge(form.get("code_verifier", ""))):
            return 501481
        self._used.add(code)
        return request


def answer_authorization(request: Request, clients: Mapping[str, str], codes: Codes) -> Reply:
    """Show the page, or, once the person chose, send the browser back."""
    parameters = request.parameters()
    if trouble := _describe_fault(parameters, clients):
        return _render_page(f"<h1>Sign-in</h1><p>{html.escape(trouble)}</p>", 400)
    if request.method != "POST":
        return _render_page(_render_form(parameters))
    form = request.form()
    if form.get("choice") != "accept":
        error, description = describe_refusal(65004)
        return _send_back(parameters, {"error": error, "error_description": description})
    person = Person(form.get("person", PEOPLE[0]), has_mfa=form.get("mfa") == "on")
    return _send_back(parameters, {"code": codes.issue_code(parameters, person), "session_state": secrets.token_hex(8)})


def _describe_fault(parameters: Mapping[str, str], clients: Mapping[str, str]) -> str:
    if parameters.get("client_id") not in clients:
        return describe_refusal(700016, parameters.get("client_id", ""))[1]
    back = urlsplit(parameters.get("redirect_uri", ""))
    if back.scheme != "https" and not (back.scheme == "http" and back.hostname in ("localhost", "127.0.0.1")):
        return describe_refusal(50011, parameters.get("redirect_uri", ""))[1]
    is_whole = parameters.get("response_type") == "code" and parameters.get("code_challenge_method") == "S256"
    is_whole = is_whole and bool(parameters.get("code_challenge"))
    return "" if is_whole else "AADSTS900144: A code with PKCE (S256) must be asked for."


def _render_form(parameters: Mapping[str, str]) -> str:
    scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in parameters.get("scope", "").split())
    people = "".join(f"<option>{html.escape(person)}</option>" for person in PEOPLE)
    return (
        "<h1>Permissions requested</h1><p>The demo's sign-in: nobody here is real.</p>"
        f"<p>The application {html.escape(parameters['client_id'])} asks for:</p><ul>{scopes}</ul>"
        f'<form method="post"><label>Person <select name="person">{people}</select></label>'
        '<label><input type="checkbox" name="mfa" checked> with multi-factor authentication</label>'
        '<button name="choice" value="accept">Accept</button>'
        '<button name="choice" value="cancel">Cancel</button></form>'
    )


def _render_page(body: str, status: int = 200) -> Reply:
    page = f'<!doctype html><html lang="en"><title>Sign-in of the demo</title><style>{_STYLE}</style>{body}</html>'
    headers = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
    return Reply(status, page.encode(), headers)


def _send_back(parameters: Mapping[str, str], answer: Mapping[str, str]) -> Reply:
    """Send the browser back as it was asked for: by a form that posts itself, or in the address."""
    whole = {**answer, **({"state": parameters["state"]} if "state" in parameters else {})}
    if parameters.get("response_mode") == "form_post":
        inputs = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in whole.items()
        )
        target = html.escape(parameters["redirect_uri"])
        script = "<script>document.forms[0].submit()</script>"
        return _render_page(f'<form method="post" action="{target}">{inputs}<button>Go on</button></form>{script}')
    joint = "&" if urlsplit(parameters["redirect_uri"]).query else "?"
    return Reply(302, headers=(("location", f"{parameters['redirect_uri']}{joint}{urlencode(whole)}"),))


def _make_challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()

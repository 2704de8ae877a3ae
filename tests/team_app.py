"""The real app as a process where people sign in, its people, and a websocket that says what a browser might not."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from browser.app_process import running_app
from fresh_stores import put_migrated
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value, generate_xsrf_token_string
from websockets.sync.client import connect

from w365.api.browsers import COOKIE, name_browser
from w365.api.tokens import HEADER, browser_of, mint_token
from w365.config import load_settings
from w365.entrance import SignInMode
from w365.jobs import execute_run
from w365.model import Actor
from w365.service import Service
from w365.service.access import local_user
from w365.service.bootstrap import open_service
from w365.service.people.identity import Identity, read_claims, read_proxy_identity
from w365.service.people.sessions import enter
from w365.service.syncing.providers import ManualAccount, add_manual_accounts, add_manual_provider
from w365.service.syncing.runs import request_match
from w365.source_records import CrmAccount
from w365.store.syncing.crm_accounts import store_account

MARKERS = ("Kestrel", "Osprey", "Harbour")
"""Parts of the names of customers, accounts and the provider: where none of them is, no data is told."""

_ISSUER = "http://127.0.0.1:9"
_WAIT = 30.0


@dataclass(frozen=True)
class Person:
    """Somebody in a browser: what it sends, and as whom the service knows them, where they are signed in."""

    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    actor: Actor | None = None

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


@dataclass
class Team:
    """The app at an address, and the service on its database."""

    address: str
    service: Service

    def nobody(self) -> Person:
        """A browser that the app gave its cookie to, and nobody is signed in there."""
        return Person({}, {COOKIE: name_browser([self.service.settings.secret_key])})

    def sign_in(self, name: str, role: str, cookie: str = "", nonce: str = "") -> Person:
        """Somebody with a role of the claims, in the browser of that cookie or one of their own, with a page's token.

        Who signs in again does so with another nonce, by itself where none is named.
        """
        cookie = cookie or self.nobody().cookies[COOKIE]
        claims: dict[str, object] = {"iss": _ISSUER, "sub": name, "name": name, "iat": self._now(), "roles": [role]}
        claims |= {"nonce": nonce or secrets.token_hex(8)}
        identity, further = self._vouch(claims)
        actor = enter(self.service, identity, browser_of(cookie))
        token = mint_token(self.service.settings.secret_key, actor, browser_of(cookie))
        headers = {HEADER: token} | further
        return Person(headers, {COOKIE: cookie, "_streamlit_user": self._sign(claims)}, actor)

    def _vouch(self, claims: Mapping[str, object]) -> tuple[Identity, dict[str, str]]:
        settings, name = self.service.settings, str(claims["name"])
        if settings.people.provider:
            return read_claims(claims, settings.people.provider, self.service.clock()), {}
        role = str(claims["roles"])[2:-2]
        named = dict(zip(settings.entrance.identity_headers, (name, role, name), strict=True))
        return read_proxy_identity(name, name, role, self.service.clock()), named

    def _now(self) -> int:
        return int(self.service.clock().timestamp())

    def _sign(self, claims: Mapping[str, object]) -> str:
        content = json.dumps({**claims, "origin": self.address, "is_logged_in": True})
        secret = hmac.digest(self.service.settings.secret_key.encode(), b"sign-in cookie", "sha256").hex()
        return create_signed_value(secret, "_streamlit_user", content).decode("ascii")

    @contextmanager
    def stream(self, person: Person, resumed: str = "") -> Iterator[Stream]:
        """The websocket of a tab; `resumed` is the id of a Streamlit session that it says to go on with."""
        xsrf = generate_xsrf_token_string()
        cookies = f"{person.cookie_header()}; _streamlit_xsrf={xsrf}"
        with connect(
            f"{self.address.replace('http', 'ws')}/_stcore/stream",
            origin=self.address,  # type: ignore[arg-type] - a name of the type alone
            additional_headers={**person.headers, "Cookie": cookies},
            subprotocols=["streamlit", xsrf, *filter(None, [resumed])],  # type: ignore[list-item] - likewise
            compression=None,
            proxy=None,
            max_size=None,
        ) as opened:
            yield Stream(opened)


class Stream:
    """A tab without a browser: sends what it is told to, keeps what comes."""

    def __init__(self, connection: object) -> None:
        self._connection = connection
        self.session = self.page = ""

    def open(self, page: str) -> list[ForwardMsg]:
        message = BackMsg()
        message.rerun_script.page_name = page
        return self.send(message)

    def run(self, fragment: str = "", **widgets: object) -> list[ForwardMsg]:
        """Run the page or one of its fragments again; a widget's value is a text, or True for one that was pressed."""
        return self.send(self.asking(fragment, **widgets))

    def asking(self, fragment: str = "", **widgets: object) -> BackMsg:
        message = BackMsg()
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.fragment_id = fragment
        for name, value in widgets.items():
            state = message.rerun_script.widget_states.widgets.add(id=name)
            setattr(state, "trigger_value" if value is True else "string_value", value)
        return message

    def tell(self, message: BackMsg) -> None:
        self._connection.send(message.SerializeToString())  # type: ignore[attr-defined]

    def hear(self, text: str) -> list[ForwardMsg]:
        """Give everything that comes until a message has this text; a run that is asked for first could drop it."""
        came: list[ForwardMsg] = []
        while not (came and text.encode() in came[-1].SerializeToString()):
            came.append(ForwardMsg.FromString(self._connection.recv(timeout=_WAIT)))  # type: ignore[attr-defined]
        return came

    def hear_until(self, kind: str) -> None:
        while not ForwardMsg.FromString(self._connection.recv(timeout=_WAIT)).HasField(kind):  # type: ignore[attr-defined]
            pass

    def send(self, message: BackMsg) -> list[ForwardMsg]:
        """Send it and give everything that comes until the run it asks for has ended."""
        self.tell(message)
        return self.hear_end()

    def hear_end(self) -> list[ForwardMsg]:
        came: list[ForwardMsg] = []
        while not (came and _ends(came[-1])):
            came.append(ForwardMsg.FromString(self._connection.recv(timeout=_WAIT)))  # type: ignore[attr-defined]
            if came[-1].HasField("new_session"):
                self.session = came[-1].new_session.initialize.session_id
            if came[-1].HasField("navigation"):
                self.page = came[-1].navigation.page_script_hash
        return came


def _ends(message: ForwardMsg) -> bool:
    return message.HasField("script_finished") and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def told(messages: list[ForwardMsg]) -> list[str]:
    """The markers that stand anywhere in messages."""
    content = b"".join(message.SerializeToString() for message in messages)
    return [marker for marker in MARKERS if marker.encode() in content]


@contextmanager
def running_team(home: Path, mode: SignInMode) -> Iterator[Team]:
    """Run the app, with customers and accounts to keep to itself, where people sign in by `mode`."""
    settings = _SETTINGS | {"W365_SIGN_IN": mode.value}
    put_migrated(home)
    service = open_service(load_settings({**settings, "W365_HOME": str(home)}, home / "none.toml"))
    with closing(service.store):
        furnish(service)
        with running_app(home, settings) as address:
            yield Team(address, service)


def furnish(service: Service) -> None:
    admin = local_user()
    with service.store.write() as connection:
        for number, name in enumerate(("Osprey", "Osprey Holding")):
            store_account(connection, CrmAccount(f"a{number}", name, f"A-{number}", website="https://kestrel.example"))
    provider = add_manual_provider(service, admin, "Harbour")
    customers = [ManualAccount(str(number), f"Kestrel {number}", ("kestrel.example",), "DE") for number in range(3)]
    add_manual_accounts(service, admin, provider, customers)
    execute_run(service, request_match(service, admin))


_SETTINGS = {
    "W365_DEMO": "off",
    "W365_SECRET_KEY": "the key of these tests alone",
    "W365_PUBLIC_URL": "http://127.0.0.1:9",
    "W365_OIDC_ISSUER": _ISSUER,
    "W365_OIDC_CLIENT_ID": "w365",
    "W365_OIDC_CLIENT_SECRET": "a secret of these tests",
    "W365_TRUSTED_PROXIES": "127.0.0.1",
}

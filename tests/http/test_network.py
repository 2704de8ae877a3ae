"""What is connected to is what was checked: names that lead elsewhere the second time, redirects, and proxies."""

from __future__ import annotations

import dataclasses
import errno
import socket
import ssl
from collections.abc import Callable, Sequence

import pytest
from fault_server import Answer, Bench, FaultServer, in_turn, sign_in
from http_bench import QUICK, conditions, connection_to, failing
from smtp_server import SmtpServer

from w365.addresses import AddressRange
from w365.channels import Mail
from w365.connection import Connection
from w365.errors import SourceRefused, W365Error
from w365.http.client import ApiClient
from w365.http.network import Network
from w365.http.sign_in.app_tokens import AppTokens
from w365.http.sign_in.json_tokens import JsonTokens, TokenEndpoint
from w365.http.webhook import post
from w365.service.telling.mailing import send_mail

NAME = "service.example"
PUBLIC = "93.184.215.14"
HERE = "127.0.0.1"
METADATA = "https://169.254.169.254/latest/meta-data/"
GOOD = Answer({"good": True})


class Resolver:
    """Gives one answer after another, the last for ever, and counts how often it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Tokens:
    def token(self) -> str:
        return "token-1"

    def renew(self, stale: str) -> str:
        return stale

    def close(self) -> None: ...


def named(place: Bench, server: FaultServer, allowed: AddressRange) -> Connection:
    """A connection that calls the server by a name that only a resolver of ours knows."""
    url = f"https://{NAME}:{server.port}"
    return dataclasses.replace(connection_to(place, url, authority=url), allowed=allowed)


def client_of(place: Bench, connection: Connection, resolve: Resolver) -> ApiClient:
    around = dataclasses.replace(conditions(place), resolve=resolve)
    return ApiClient("The CRM", connection, Tokens(), conditions=around)


def ask(place: Bench, connection: Connection, resolve: Resolver) -> object:
    client = client_of(place, connection, resolve)
    try:
        return client.get_json("/v1/customers").body
    finally:
        client.close()


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The public addresses that were called; none of them answers."""
    connect = socket.socket.connect
    addresses: list[str] = []

    def noted(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] in (HERE, "::1"):
            return connect(self, address)
        addresses.append(address[0])
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", noted)
    return addresses


def test_a_name_that_turns_to_this_machine_after_it_was_checked_gains_nothing(place: Bench, called: list[str]) -> None:
    server = place.serve(in_turn(GOOD))
    resolve = Resolver([PUBLIC], [HERE])
    client = client_of(place, named(place, server, AddressRange.PUBLIC), resolve)
    error = failing(lambda: client.get_json("/v1/customers"))
    client.close()
    assert called == [PUBLIC]
    assert error.what == f"The CRM cannot be reached: {NAME} leads to 127.0.0.1, this machine itself (tried 2 times)."
    assert "W365_ALLOW_PRIVATE_ADDRESSES=on" in error.do
    assert resolve.asked == [NAME] * 2
    assert server.requests == []


@pytest.mark.parametrize(
    "address", [HERE, "::1", "10.0.0.5", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%lo", "::"]
)
def test_one_forbidden_answer_refuses_the_name(place: Bench, address: str) -> None:
    server = place.serve(in_turn(GOOD))
    error = failing(lambda: ask(place, named(place, server, AddressRange.PUBLIC), Resolver([PUBLIC, address])))
    assert error.what.startswith(f"The CRM cannot be reached: {NAME} leads to ")
    assert place.clock.slept == []
    assert server.requests == []


def test_tls_names_the_host_and_checks_its_certificate_though_its_address_is_called(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = place.serve(in_turn(GOOD))
    wrong = failing(lambda: ask(place, named(place, server, AddressRange.LOOPBACK), Resolver([HERE])))
    assert f"the certificate of {NAME} is not trusted" in wrong.what
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    place.authority.issue_cert(NAME).configure_cert(context)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    monkeypatch.setattr(server, "_context", context)
    assert ask(place, named(place, server, AddressRange.LOOPBACK), Resolver([HERE])) == {"good": True}
    assert names == [NAME]
    assert server.requests[0].headers["host"] == f"{NAME}:{server.port}"


def test_the_next_address_is_called_where_the_first_does_not_take_it(place: Bench) -> None:
    server = place.serve(in_turn(GOOD))
    connection = dataclasses.replace(connection_to(place, server), url=f"https://localhost:{server.port}")
    assert ask(place, connection, Resolver(["::1", HERE])) == {"good": True}


def test_a_name_without_an_address_is_said(place: Bench) -> None:
    class Unknown(Resolver):
        def __call__(self, host: str, port: int) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    server = place.serve(in_turn(GOOD))
    error = failing(lambda: ask(place, named(place, server, AddressRange.PUBLIC), Unknown([])))
    assert f"the host name {NAME} is not known (DNS)" in error.what
    none = failing(lambda: ask(place, named(place, server, AddressRange.PUBLIC), Resolver([])))
    assert f"{NAME} cannot be reached" in none.what


def test_a_label_too_long_for_any_name_is_an_unknown_name() -> None:
    with pytest.raises(socket.gaierror):
        Network().resolve(f"{'a' * 64}.example", 443)


# --- tokens, redirects, webhook, mail, proxy ---


def entra(connection: Connection, place: Bench, resolve: Resolver) -> AppTokens:
    around = dataclasses.replace(conditions(place), resolve=resolve)
    return AppTokens("The CRM", connection, "https://crm/.default", conditions=around)


def json_tokens(connection: Connection, place: Bench, resolve: Resolver) -> JsonTokens:
    around = dataclasses.replace(conditions(place), resolve=resolve)
    endpoint = TokenEndpoint("/v1/token", audience="https://a.example", setting="W365_SERVICE_URL")
    return JsonTokens("The CRM", connection, endpoint, conditions=around)


Made = Callable[[Connection, Bench, Resolver], AppTokens | JsonTokens]


@pytest.mark.parametrize("make", [entra, json_tokens])
def test_the_secret_is_sent_to_no_address_that_was_not_checked(place: Bench, make: Made) -> None:
    server = place.serve(sign_in(in_turn(GOOD)))
    tokens = make(named(place, server, AddressRange.PUBLIC), place, Resolver([HERE]))
    error = failing(tokens.token)
    tokens.close()
    assert f"{NAME} leads to 127.0.0.1, this machine itself" in error.what
    assert server.requests == []


@pytest.mark.parametrize("make", [entra, json_tokens])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_of_the_sign_in_is_not_followed(place: Bench, make: Made, status: int) -> None:
    elsewhere = place.serve(sign_in(in_turn(GOOD)))
    server = place.serve(in_turn(Answer(b"", status, {"Location": f"{elsewhere.url}/tenant/oauth2/v2.0/token"})))
    tokens = make(connection_to(place, server), place, Resolver([HERE]))
    failing(tokens.token)
    tokens.close()
    assert len(server.requests) == 1
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_the_metadata_service_is_named_and_not_followed(place: Bench, status: int) -> None:
    server = place.serve(in_turn(Answer(b"", status, {"Location": METADATA})))
    resolve = Resolver([HERE])
    error = failing(lambda: ask(place, connection_to(place, server), resolve))
    assert error.what.startswith("The CRM redirects to 169.254.169.254 ")
    assert len(server.requests) == 1
    with pytest.raises(SourceRefused, match=f"refused it with status {status}"):
        post(server.url, b"{}", {}, ca_bundle=place.ca_bundle, network=Network(AddressRange.LOOPBACK, resolve))
    assert len(server.requests) == 2


def test_a_webhook_that_leads_into_the_own_network_gets_nothing_and_its_address_is_not_told(place: Bench) -> None:
    server = place.serve(in_turn(Answer(b"", 204)))
    url, resolve = f"https://{NAME}:{server.port}/in?sig=canary", Resolver([HERE])
    with pytest.raises(W365Error) as caught:
        post(url, b"{}", {}, ca_bundle=place.ca_bundle, patience=QUICK, network=Network(resolve=resolve))
    assert caught.value.what == f"The webhook cannot be reached: {NAME} leads to 127.0.0.1, this machine itself."
    assert "canary" not in repr(vars(caught.value))
    assert (server.requests, resolve.asked) == ([], [NAME])


@pytest.mark.parametrize("is_tls", [True, False])
def test_mail_goes_to_the_address_that_was_checked(
    place: Bench,
    is_tls: bool,  # noqa: FBT001 - pytest's
    called: list[str],
) -> None:
    server = SmtpServer(place.authority, is_tls=is_tls)
    mail = Mail("localhost", server.port, is_tls, "", "", "a@example.com", ("b@example.com",))
    try:
        near = dataclasses.replace(mail, host=NAME)
        with pytest.raises(W365Error, match=f"The mail server {NAME} leads to 127.0.0.1, this machine itself"):
            send_mail(near, "s", "t", ca_bundle=place.ca_bundle, network=Network(resolve=Resolver([HERE])))
        with pytest.raises(W365Error, match=f"The mail server {NAME} cannot be reached"):
            send_mail(near, "s", "t", ca_bundle=place.ca_bundle, network=Network(resolve=Resolver([PUBLIC], [HERE])))
        assert called == [PUBLIC]
        here = Network(AddressRange.LOOPBACK, Resolver([HERE]))
        with pytest.raises(W365Error, match="has a certificate that is not trusted"):
            send_mail(near, "s", "t", ca_bundle=place.ca_bundle, network=here)
        assert server.mails == []
        here = Network(AddressRange.LOOPBACK, Resolver(["::1", HERE]))
        send_mail(mail, "s", "t", ca_bundle=place.ca_bundle, network=here)
        assert len(server.mails) == 1
    finally:
        server.close()


def test_behind_a_proxy_names_are_the_proxys_and_spellings_still_checked(
    place: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = place.serve(in_turn(Answer(b"", 403)))
    for name, value in {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": place.ca_bundle, "NO_PROXY": "near.example"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    resolve = Resolver([HERE])
    connection = dataclasses.replace(connection_to(place, proxy), allowed=AddressRange.PUBLIC)
    through = failing(lambda: ask(place, dataclasses.replace(connection, url=f"https://{NAME}"), resolve))
    assert "the proxy refuses the connection" in through.what
    assert {request.target for request in proxy.requests} == {f"{NAME}:443"}
    proxy.requests.clear()
    for url in ("https://169.254.169.254", "https://metadata.google.internal", "https://[::ffff:10.0.0.5]"):
        error = failing(lambda url=url: ask(place, dataclasses.replace(connection, url=url), resolve))
        assert " leads to " in error.what
    assert (proxy.requests, resolve.asked) == ([], [])
    beside = failing(lambda: ask(place, dataclasses.replace(connection, url="https://near.example"), resolve))
    assert "near.example leads to 127.0.0.1" in beside.what

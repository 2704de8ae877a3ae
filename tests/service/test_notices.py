"""Scheduled runs are told by e-mail and webhook: counts and sentences, once, and what cannot be told fails nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email
import email.policy
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from fault_server import Answer, FaultServer, Script, in_turn
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeClock,
    FakePortal,
    account,
    contact,
    customer,
    make_service,
    pages_of,
    rows_of,
)
from service.fakes import FakeCrm as Crm
from smtp_server import SmtpServer

from w365.channels import Channels, Mail
from w365.errors import InputError, NotAllowed, SourceUnreachable
from w365.http.retry import Patience
from w365.http.wait import Clock
from w365.http.webhook import post
from w365.jobs import execute
from w365.model import RunKind, RunState
from w365.service import Service, configuration, providers
from w365.service.due import start_due
from w365.service.notices import list_channels, send_test, signature, tell_ended
from w365.service.schedules import Daily, save_schedules
from w365.store import tables as t
from w365.store.engine import Store

PASSWORD = "canary-p@ss"
KEY = "the key of this test"
PORTAL = pages_of([customer("p1", "one.com"), customer("p2", "two.com")])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_bundle(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def smtp(authority: trustme.CA) -> Iterator[SmtpServer]:
    server = SmtpServer(authority)
    yield server
    server.close()


@pytest.fixture
def hook(authority: trustme.CA) -> Iterator[FaultServer]:
    server = FaultServer(authority, lambda _: Answer())
    yield server
    server.close()


def mail_to(server: SmtpServer) -> Mail:
    recipients = ("ops@example.com", "desk@example.com")
    return Mail("localhost", server.port, server.is_tls, "app", PASSWORD, "app@example.com", recipients)


@dataclasses.dataclass
class Morning:
    """A service with schedules of one provider and the CRM at 6 o'clock, and what is told of them."""

    service: Service
    clock: FakeClock
    portal: FakePortal

    def start(self, day: int = 3) -> list[int]:
        self.clock.at = dt.datetime(2026, 11, day, 6, tzinfo=dt.UTC)
        return start_due(self.service)

    def run(self, day: int = 3) -> None:
        for run_id in self.start(day):
            execute(self.service, run_id)
        self.clock.forward(minutes=1)

    def tell(self, **later: float) -> int:
        self.clock.forward(**later)
        return tell_ended(self.service)


def morning(store: Store, home: Path, ca_bundle: str, channels: Channels) -> Morning:
    clock, portal, crm = FakeClock(), FakePortal(PORTAL), Crm()
    crm.put(account("a1"), contact("c1", "a1", "one.com"))
    made = make_service(store, home, portal=portal, crm=crm, clock=clock)
    address = "https://accounts.example.com"
    settings = dataclasses.replace(
        made.settings, channels=channels, ca_bundle=ca_bundle, secret_key=KEY, public_url=address
    )
    service = dataclasses.replace(made, settings=settings)
    guards = {name: "false" for name in configuration.SPECS if name.startswith("guard_")}
    configuration.set_settings(service, ADMIN, {"schedule_zone": "UTC", "auto_match": "true", **guards})
    six = Daily(is_on=True, at=dt.time(6))
    save_schedules(service, ADMIN, {"1": six, "crm": six})
    return Morning(service, clock, portal)


def read_mail(text: str) -> tuple[str, str]:
    message = email.message_from_string(text, policy=email.policy.default)
    body = message.get_body()
    assert body
    return str(message["Subject"]), body.get_content()


# --- e-mail ---


def test_the_runs_of_a_morning_are_one_mail_with_counts_the_match_and_the_way_to_the_app(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    it.run()
    assert (it.tell(), it.tell(minutes=10)) == (1, 0)
    subject, text = read_mail(smtp.mails[0])
    assert subject == "Provider accounts: 2 new, 0 changed, 1 mapped, 0 in conflict"
    assert text.splitlines() == [
        "CRM: done 2026-11-03 06:00 UTC. accounts 1 new, 0 changed; contacts 1 new, 0 changed.",
        "",
        "Partner Center: done 2026-11-03 06:00 UTC. 2 new, 0 changed.",
        "",
        "Match: 1 mapped, 0 in conflict, 1 unmapped.",
        "",
        "https://accounts.example.com",
    ]
    assert len(smtp.mails) == 1
    assert smtp.recipients == ["ops@example.com", "desk@example.com"]
    assert smtp.sign_ins == [f"\0app\0{PASSWORD}"]
    assert [line.split()[0].upper() for line in smtp.in_the_clear] == ["EHLO", "STARTTLS"]


def test_a_failed_run_is_told_with_its_sentence_and_stands_in_the_subject(
    store: Store, home: Path, ca_bundle: str, authority: trustme.CA
) -> None:
    def fail() -> None:
        raise SourceUnreachable("Partner Center does not answer.", kept="All was kept.", do="Try again later.")

    server = SmtpServer(authority, is_tls=True)
    it = morning(store, home, ca_bundle, Channels(mail_to(server)))
    it.portal.before[0] = fail
    it.run()
    assert it.tell() == 1
    server.close()
    subject, text = read_mail(server.mails[0])
    assert subject == "Provider accounts: Partner Center failed"
    assert "failed 2026-11-03 06:00 UTC. Partner Center does not answer. All was kept. Try again later." in text


def test_nothing_is_told_before_all_is_over_and_of_runs_by_hand_never(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    execute(it.service, providers.request_sync(it.service, ANALYST, providers.PARTNER_CENTER))
    assert it.tell(minutes=5) == 0
    first, second = it.start()
    execute(it.service, first)
    assert it.tell(minutes=5) == 0
    execute(it.service, second)
    assert it.tell() == 0  # the match after it may be about to begin
    assert it.tell(seconds=21) == 1
    assert [row[0] for row in rows_of(store, t.Notice.run_id)] == [first, second]


def test_what_ended_waits_no_longer_than_half_an_hour_for_what_has_not(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    first, _ = it.start()
    execute(it.service, first)
    assert (it.tell(minutes=29), it.tell(minutes=2)) == (0, 1)
    assert "Partner Center" not in smtp.mails[0]


def test_a_channel_that_is_set_anew_does_not_begin_with_the_past(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    it.run()
    assert it.tell(days=2) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"refuse": {"AUTH": f"535 not you, {PASSWORD}"}}, "refuses user or password. Correct W365_SMTP_URL."),
        ({"refuse": {"RCPT": "550 nobody"}}, "refuses the sender or the recipients."),
        ({"refuse": {"MAIL": "451 later"}}, "refuses the sender or the recipients."),
        ({"refuse": {"DATA": "452 full"}}, "answered with 452."),
        ({"offers": ()}, "offers no STARTTLS or no sign-in."),
    ],
)
def test_a_mail_server_that_refuses_is_said_where_the_run_is_seen_and_fails_nothing(
    store: Store,
    home: Path,
    ca_bundle: str,
    smtp: SmtpServer,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, object],
    said: str,
) -> None:
    for name, value in changes.items():
        setattr(smtp, name, value)
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    it.run()
    with caplog.at_level(logging.DEBUG):
        assert it.tell() == 0
    run = providers.list_runs(it.service, ADMIN)[-1]
    assert run.state is RunState.DONE
    assert said in run.message
    assert run.message.startswith("The summary could not be sent by e-mail. The mail server localhost ")
    assert [said in one.problem for one in list_channels(it.service, ADMIN)] == [True]
    assert smtp.mails == []
    assert PASSWORD not in caplog.text + run.message
    assert not any("AUTH" in line for line in smtp.in_the_clear)
    smtp.refuse, smtp.offers = {}, ("STARTTLS", "AUTH PLAIN")
    assert (it.tell(minutes=4), it.tell(minutes=2)) == (0, 1)
    assert providers.list_runs(it.service, ADMIN)[-1].message == ""
    assert [one.problem for one in list_channels(it.service, ADMIN)] == [""]


def test_it_is_tried_three_times_and_no_more(store: Store, home: Path, ca_bundle: str, smtp: SmtpServer) -> None:
    smtp.refuse = {"MAIL": "451 later"}
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    it.run()
    for _ in range(20):
        it.tell(minutes=31)
    assert sum("EHLO" in line.upper() for line in smtp.in_the_clear) == 3
    assert rows_of(store, t.Notice.tries, t.Notice.told_at) == [(3, None), (3, None)]


def test_a_certificate_of_somebody_else_is_refused_before_anything_is_said(
    store: Store, home: Path, tmp_path: Path, smtp: SmtpServer
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    it = morning(store, home, str(other), Channels(mail_to(smtp)))
    assert send_test(it.service, ADMIN) == {
        "e-mail": "The mail server localhost has a certificate that is not trusted. "
        "Set W365_CA_BUNDLE if the network inspects TLS."
    }
    assert smtp.sign_ins == []


# --- the webhook ---


def test_the_webhook_gets_counts_signed_so_that_the_receiver_can_check_it(
    store: Store, home: Path, ca_bundle: str, hook: FaultServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(webhook_url=f"{hook.url}/in?sig=secret"))
    it.run()
    assert (it.tell(), it.tell(minutes=10)) == (1, 0)
    (request,) = hook.requests
    assert (request.method, request.target) == ("POST", "/in?sig=secret")
    body = json.loads(request.body)
    assert {name: body[name] for name in ("version", "event", "at", "app", "failed")} == {
        "version": 1,
        "event": "scheduled_runs",
        "at": "2026-11-03T06:01:00+00:00",
        "app": "https://accounts.example.com",
        "failed": False,
    }
    kinds = [(one["kind"], one["source"], one["state"], one["error"]) for one in body["runs"]]
    assert kinds[:2] == [("crm_sync", "CRM", "done", ""), ("sync", "Partner Center", "done", "")]
    assert kinds[2:] == [("match", "Match", "done", "")] * 2
    assert body["runs"][1]["counts"] == {"new": 2, "gone": 0, "rejected": 0, "incomplete": 0}
    # as docs/notifications.md tells the receiver
    at, signed = (part.partition("=")[2] for part in request.headers["w365-signature"].split(","))
    key = hmac.new(KEY.encode(), b"w365 webhook", hashlib.sha256).hexdigest()
    assert signed == hmac.new(key.encode(), f"{at}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert KEY not in request.body.decode() + str(request.headers)


def test_the_signature_holds_for_one_time_body_and_key_only() -> None:
    kinds = {signature(key, at, body) for key in "ab" for at in (1, 2) for body in (b"x", b"y")}
    assert len({one.partition("v1=")[2] for one in kinds}) == 8


def test_the_name_of_a_customer_is_in_neither_message(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer, hook: FaultServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp), hook.url))
    it.portal.served = pages_of([customer("p1", "canary.com", name="Canary Ltd")])
    it.run()
    assert it.tell() == 2
    assert "canary" not in (smtp.mails[0] + hook.requests[0].body.decode()).lower()


QUICK = Patience(tries=3, first_delay=0.01, connect=2.0, read=0.3, total=0.5)


def tried(hook: FaultServer, script: Script, ca_bundle: str, path: str = "/secret-path") -> str:
    """How posting to this script ends, in words."""
    hook.script = script
    try:
        post(hook.url + path, b"{}", {}, ca_bundle=ca_bundle, patience=QUICK, clock=Clock(sleep=lambda _: None))
    except Exception as error:  # noqa: BLE001 - the test looks at whatever comes
        return str(error)
    return "taken"


def test_what_may_pass_is_tried_three_times_and_what_may_not_once(hook: FaultServer, ca_bundle: str) -> None:
    assert tried(hook, in_turn(Answer(status=503), Answer(status=429), Answer(status=204)), ca_bundle) == "taken"
    hook.requests.clear()
    assert "it answered with status 500 (tried 3 times). Look whether it is up." in tried(
        hook, lambda _: Answer(status=500), ca_bundle
    )
    assert len(hook.requests) == 3
    hook.requests.clear()
    for status in (301, 400, 404):
        said = tried(hook, lambda _, s=status: Answer(status=s, headers={"Location": f"{hook.url}/x"}), ca_bundle)  # type: ignore[misc]
        assert f"refused it with status {status}." in said
        assert "secret-path" not in said
    assert hook.paths() == ["/secret-path"] * 3


def test_a_webhook_that_never_answers_is_given_up(hook: FaultServer, ca_bundle: str) -> None:
    hook.script = in_turn(b"")
    assert "(tried 3 times)" in tried(hook, lambda _: b"", ca_bundle)


def test_one_channel_that_fails_does_not_keep_the_other_or_send_it_twice(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer, hook: FaultServer
) -> None:
    hook.script = lambda _: Answer(status=404)
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp), hook.url))
    it.run()
    assert it.tell() == 1
    hook.script = lambda _: Answer()
    assert it.tell(minutes=6) == 1
    assert (len(smtp.mails), len(hook.requests)) == (1, 2)


# --- once, and the test ---


def check_told_once(store: Store, home: Path, ca_bundle: str, hook: FaultServer) -> None:
    it = morning(store, home, ca_bundle, Channels(webhook_url=hook.url))
    it.run()
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: tell_ended(it.service), range(4))) == [0, 0, 0, 1]
    assert len(hook.requests) == 1


def test_of_several_workers_one_tells_it(store: Store, home: Path, ca_bundle: str, hook: FaultServer) -> None:
    check_told_once(store, home, ca_bundle, hook)


@pytest.mark.postgres
def test_of_several_workers_one_tells_it_on_postgresql(
    fresh_postgres: Store, home: Path, ca_bundle: str, hook: FaultServer
) -> None:
    check_told_once(fresh_postgres, home, ca_bundle, hook)


def test_an_admin_can_send_a_test_and_is_told_how_it_went(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer, hook: FaultServer
) -> None:
    hook.script = lambda _: Answer(status=403)
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp), hook.url))
    assert send_test(it.service, ADMIN) == {
        "e-mail": "",
        "webhook": f"The webhook at localhost:{hook.port} refused it with status 403. Check W365_WEBHOOK_URL.",
    }
    assert read_mail(smtp.mails[0])[0] == "Provider accounts: a test"
    assert json.loads(hook.requests[0].body)["event"] == "test"
    assert [one.leads_to for one in list_channels(it.service, ADMIN)] == ["2 recipients through localhost", "localhost"]
    with pytest.raises(NotAllowed):
        send_test(it.service, ANALYST)
    bare = dataclasses.replace(it.service, settings=dataclasses.replace(it.service.settings, channels=Channels()))
    with pytest.raises(InputError, match="There is nobody to tell yet"):
        send_test(bare, ADMIN)


def test_with_nothing_set_nothing_is_kept_to_be_told(store: Store, home: Path, ca_bundle: str) -> None:
    it = morning(store, home, ca_bundle, Channels())
    it.run()
    assert it.tell() == 0
    assert rows_of(store, t.Notice.run_id) == []
    assert len(rows_of(store, t.Run.id, where=t.Run.kind != RunKind.MATCH)) == 2

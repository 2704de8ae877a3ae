"""The webhook gets counts that are signed; what may pass is tried again, and no name leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from fault_server import Answer, FaultServer, Script, in_turn
from service.fakes import customer, pages_of
from service.notice_steps import KEY, mail_to, morning
from smtp_server import SmtpServer

from w365.addresses import AddressRange
from w365.channels import Channels
from w365.http.network import Network
from w365.http.retry import Patience
from w365.http.wait import Clock
from w365.http.webhook import post
from w365.service.telling.notices import signature
from w365.store.db.engine import Store


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
HERE = Network(AddressRange.LOOPBACK)
CLOCK = Clock(sleep=lambda _: None)


def tried(hook: FaultServer, script: Script, ca_bundle: str, path: str = "/secret-path") -> str:
    """How posting to this script ends, in words."""
    hook.script = script
    try:
        post(hook.url + path, b"{}", {}, ca_bundle=ca_bundle, network=HERE, patience=QUICK, clock=CLOCK)
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

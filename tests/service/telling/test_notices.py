"""Scheduled runs are told by e-mail and webhook: counts and sentences, once, and what cannot be told fails nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme
from fault_server import Answer, FaultServer
from service.fakes import ADMIN, ANALYST, rows_of
from service.notice_steps import PASSWORD, mail_to, morning, read_mail
from smtp_server import SmtpServer

from w365.channels import Channels
from w365.errors import InputError, SourceUnreachable
from w365.jobs import execute_run, sweep
from w365.model import RunKind, RunState
from w365.service.syncing import providers, runs
from w365.service.telling.notices import list_channels, send_test, tell_ended
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import request_run

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


def test_what_the_worker_starts_by_itself_is_to_be_told_over_what_was_set_then(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp), "https://hooks.example.com"))
    it.clock.at = dt.datetime(2026, 11, 3, 6, tzinfo=dt.UTC)
    sweep(it.service)
    assert [channel for _, channel in rows_of(store, t.Notice.run_id, t.Notice.channel)] == ["e-mail", "webhook"] * 2


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
    execute_run(it.service, runs.request_sync(it.service, ANALYST, providers.PARTNER_CENTER))
    assert it.tell(minutes=5) == 0
    first, second = it.start()
    execute_run(it.service, first)
    assert it.tell(minutes=5) == 0
    execute_run(it.service, second)
    assert it.tell() == 0  # the match after it may be about to begin
    assert (it.tell(seconds=19), it.tell(seconds=1)) == (0, 1)
    assert [row[0] for row in rows_of(store, t.Notice.run_id)] == [first, second]


def test_every_failed_run_is_told_where_that_is_wanted_once_and_without_names(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    def fail() -> None:
        raise SourceUnreachable("Partner Center does not answer.")

    it = morning(store, home, ca_bundle, Channels(mail_to(smtp), tells_failures=True))
    execute_run(it.service, runs.request_sync(it.service, ANALYST, providers.PARTNER_CENTER))
    assert it.tell(minutes=5) == 0  # it went well
    it.portal.before[0] = fail
    execute_run(it.service, runs.request_sync(it.service, ANALYST, providers.PARTNER_CENTER))
    with store.write() as connection:
        request_run(connection, RunKind.BULK, "Assign to Contoso #1", "ada", it.clock())
        ended = {"state": RunState.INTERRUPTED, "ended_at": it.clock(), "error": "Contoso was not there."}
        connection.execute(sa.update(t.Run).where(t.Run.kind == RunKind.BULK).values(**ended))
    assert (it.tell(minutes=1), it.tell(minutes=10)) == (1, 0)
    subject, text = read_mail(smtp.mails[0])
    assert subject == "Provider accounts: Partner Center, Bulk action failed"
    assert "Partner Center does not answer." in text
    assert "Activity says why, at run" in text
    assert "Contoso" not in text


def test_a_webhook_learns_whether_what_failed_was_scheduled(
    store: Store, home: Path, ca_bundle: str, hook: FaultServer
) -> None:
    def fail() -> None:
        raise SourceUnreachable("Partner Center does not answer.")

    it = morning(store, home, ca_bundle, Channels(webhook_url=hook.url, tells_failures=True))
    it.portal.before[0] = fail
    execute_run(it.service, runs.request_sync(it.service, ANALYST, providers.PARTNER_CENTER))
    assert it.tell(minutes=1) == 1
    it.run()
    assert it.tell(minutes=1) == 1
    assert [json.loads(one.body)["event"] for one in hook.requests] == ["failed_runs", "scheduled_runs"]


def test_what_ended_waits_no_longer_than_half_an_hour_for_what_has_not(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    first, _ = it.start()
    execute_run(it.service, first)
    assert (it.tell(minutes=29, seconds=59), it.tell(seconds=1)) == (0, 1)
    assert "Partner Center" not in smtp.mails[0]


def test_a_channel_that_is_set_anew_does_not_begin_with_the_past(
    store: Store, home: Path, ca_bundle: str, smtp: SmtpServer
) -> None:
    it = morning(store, home, ca_bundle, Channels(mail_to(smtp)))
    it.run()
    assert it.tell(hours=23, minutes=59) == 0  # a minute after they ended
    assert it.tell(seconds=-1) == 1


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
    run = runs.list_runs(it.service, ADMIN)[-1]
    assert run.state is RunState.DONE
    assert said in run.message
    assert run.message.startswith("The summary could not be sent by e-mail. The mail server localhost ")
    assert [said in one.problem for one in list_channels(it.service, ADMIN)] == [True]
    assert smtp.mails == []
    assert PASSWORD not in caplog.text + run.message
    assert not any("AUTH" in line for line in smtp.in_the_clear)
    smtp.refuse, smtp.offers = {}, ("STARTTLS", "AUTH PLAIN")
    assert (it.tell(minutes=4, seconds=59), it.tell(seconds=1)) == (0, 1)
    assert runs.list_runs(it.service, ADMIN)[-1].message == ""
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
    bare = dataclasses.replace(it.service, settings=dataclasses.replace(it.service.settings, channels=Channels()))
    with pytest.raises(InputError, match="There is nobody to tell yet"):
        send_test(bare, ADMIN)


def test_with_nothing_set_nothing_is_kept_to_be_told(store: Store, home: Path, ca_bundle: str) -> None:
    it = morning(store, home, ca_bundle, Channels())
    it.run()
    assert it.tell() == 0
    assert rows_of(store, t.Notice.run_id) == []
    assert len(rows_of(store, t.Run.id, where=t.Run.kind != RunKind.MATCH)) == 2

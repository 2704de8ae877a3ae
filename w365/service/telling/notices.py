"""Tell how scheduled runs went, and if wanted what else failed. What cannot be told never fails a run."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from w365.config import Settings
from w365.errors import InputError, W365Error
from w365.http.network import Network
from w365.http.webhook import post
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.telling.mailing import send_mail
from w365.service.telling.summary import Summary, body_of, subject_of, text_of
from w365.store.configuring.schedule_times import zone_of
from w365.store.configuring.settings import SCHEDULE_ZONE, read_setting
from w365.store.db.engine import Connection
from w365.store.runs import SCHEDULE, get_run
from w365.store.telling.notices import (
    add_notices,
    count_try,
    get_last_problem,
    list_matches_after,
    list_ready_runs,
    list_untold,
    put_outcome,
)

_log = logging.getLogger(__name__)

MAIL, WEBHOOK = "e-mail", "webhook"


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel that is set: where it leads, without anything secret, and what went wrong the last time."""

    name: str
    leads_to: str
    problem: str


def channels_of(settings: Settings) -> list[str]:
    channels = settings.channels
    return [name for name, is_set in ((MAIL, channels.mail), (WEBHOOK, channels.webhook_url)) if is_set]


@needs(Role.VIEWER)
def list_channels(service: Service, actor: Actor) -> list[ChannelView]:
    with service.store.read() as database:
        return [
            ChannelView(name, _leads_to(service.settings, name), get_last_problem(database, name))
            for name in channels_of(service.settings)
        ]


@needs(Role.ADMIN)
def send_test(service: Service, actor: Actor) -> dict[str, str]:
    """Send a test over every channel; return what went wrong by channel, empty where nothing did."""
    names = channels_of(service.settings)
    if not names:
        raise InputError(
            "There is nobody to tell yet.", kept="Nothing was sent.", do="Set W365_SMTP_URL or W365_WEBHOOK_URL."
        )
    summary = Summary(service.clock(), (), (), service.settings.public_url, is_test=True)
    return {name: _tell(service, name, summary) for name in names}


def note_to_tell(service: Service, connection: Connection, run_id: int) -> None:
    """Note that the end of a run is to be told over every channel that is set now; see `syncing.scheduler.OnStart`."""
    add_notices(connection, run_id, channels_of(service.settings), service.clock())


def tell_ended(service: Service) -> int:
    """Tell what ended and was not told yet, one message a channel; return how many were sent."""
    if service.settings.channels.tells_failures:
        for name in channels_of(service.settings):
            _note_failures(service, name)
    return sum(_tell_over(service, name) for name in channels_of(service.settings))


def signature(secret_key: str, at: int, body: bytes) -> str:
    """The header by which the receiver knows that we sent it, and when; docs/notifications.md says how to check it."""
    key = hmac.new(secret_key.encode(), b"w365 webhook", hashlib.sha256).hexdigest()
    signed = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


# --- behind them ---


def _note_failures(service: Service, channel: str) -> None:
    """Note every failed run, however it ended and whoever started it; a schedule's are noted when they start."""
    at = service.clock()
    with service.store.read() as database:
        if not list_untold(database, channel, SCHEDULE, at):
            return
    with service.store.write() as database:
        for run_id in list_untold(database, channel, SCHEDULE, at):
            add_notices(database, run_id, [channel], at)


def _tell_over(service: Service, channel: str) -> bool:
    at = service.clock()
    with service.store.read() as database:
        if not list_ready_runs(database, channel, SCHEDULE, at):
            return False
    with service.store.write() as database:
        run_ids = list_ready_runs(database, channel, SCHEDULE, at)
        count_try(database, channel, run_ids, at)
    if not run_ids:  # another worker was first
        return False
    problem = _tell(service, channel, _summarise(service, run_ids))
    with service.store.write() as database:
        sentence = f"The summary could not be sent by {channel}. {problem}" if problem else ""
        put_outcome(database, channel, run_ids, service.clock(), sentence)
    return not problem


def _summarise(service: Service, run_ids: Sequence[int]) -> Summary:
    with service.store.read() as database:
        told = tuple(get_run(database, run_id) for run_id in run_ids)
        first = min((run.id for run in told if run.actor == SCHEDULE), default=None)
        matches = () if first is None else tuple(list_matches_after(database, first, SCHEDULE))
    return Summary(service.clock(), told, matches, service.settings.public_url)


def _tell(service: Service, channel: str, summary: Summary) -> str:
    """Send it; return what went wrong, for people."""
    try:
        _SENDERS[channel](service, summary)
    except W365Error as error:
        _log.warning("not told by %s: %s %s", channel, error, error.detail)
        return str(error)
    _log.info("told by %s of %d runs", channel, len(summary.syncs))
    return ""


def _mail(service: Service, summary: Summary) -> None:
    mail = service.settings.channels.mail
    assert mail is not None  # noqa: S101 - only channels that are set are used
    with service.store.read() as database:
        zone = zone_of(read_setting(database, SCHEDULE_ZONE))
    send_mail(
        mail,
        subject_of(summary),
        text_of(summary, zone),
        ca_bundle=service.settings.ca_bundle,
        network=_network(service),
    )


def _post(service: Service, summary: Summary) -> None:
    settings = service.settings
    body = json.dumps(body_of(summary), ensure_ascii=False).encode()
    signed = signature(settings.secret_key, int(summary.at.timestamp()), body)
    headers = {"Content-Type": "application/json", "W365-Signature": signed}
    post(settings.channels.webhook_url, body, headers, ca_bundle=settings.ca_bundle, network=_network(service))


def _network(service: Service) -> Network:
    return Network(service.settings.channels.allowed)


_SENDERS: Mapping[str, Callable[[Service, Summary], None]] = {MAIL: _mail, WEBHOOK: _post}


def _leads_to(settings: Settings, channel: str) -> str:
    mail = settings.channels.mail
    if channel == MAIL and mail:
        amount = len(mail.recipients)
        return f"{amount} recipient{'s' if amount > 1 else ''} through {mail.host}"
    return urlsplit(settings.channels.webhook_url).hostname or ""

"""Tokens of service accounts: what they open, how they end, and what is kept of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import FakeClock, make_service
from typer.testing import CliRunner

from w365.cli.main import app
from w365.errors import AccessError, InputError, NotAllowed, NotFound
from w365.model import AuditKind, Role
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.people.roles import list_audit_log, list_people
from w365.service.people.service_tokens import (
    NewToken,
    enter_program,
    list_tokens,
    make_token,
    read_own_token,
    revoke_token,
)
from w365.service.reading.records import has_any
from w365.store.db.engine import Store
from w365.store.tables import ServiceToken

ROOT = command_line_user()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(store: Store, tmp_path: Path, clock: FakeClock) -> Service:
    return make_service(store, tmp_path, clock=clock)


def make(service: Service, name: str = "billing", role: Role = Role.ANALYST, days: int = 90) -> NewToken:
    return make_token(service, ROOT, name, role, days)


def told(service: Service) -> list[tuple[str, AuditKind, str]]:
    """Who, of what kind and what, the oldest first."""
    return [(row.actor, row.kind, row.about) for row in reversed(list_audit_log(service, ROOT, limit=200))]


def test_a_token_opens_the_service_as_its_account_by_name(service: Service) -> None:
    made = make(service)
    actor = enter_program(service, made.secret)
    assert (actor.name, actor.role) == ("service:billing", Role.ANALYST)
    assert has_any(service, actor) is False
    assert read_own_token(service, actor).id == made.token.id
    with pytest.raises(NotAllowed):
        list_people(service, actor)


def test_the_secret_is_random_long_recognisable_and_stored_as_a_digest_only(service: Service) -> None:
    secrets = {make(service).secret for _ in range(3)}
    assert len(secrets) == 3
    assert all(re.fullmatch(r"w365_[A-Za-z0-9_-]{43}", secret) for secret in secrets)
    with service.store.read() as connection:
        kept = str(connection.execute(sa.select(ServiceToken.__table__)).all())
    assert not any(secret[5:-4] in kept for secret in secrets)
    assert all(secret[-4:] in kept for secret in secrets)


def test_what_is_no_token_opens_nothing(service: Service) -> None:
    secret = make(service).secret
    for brought in ("", "w365_", secret[:-1], secret + "A", secret.swapcase(), "\udcff", "\0"):
        with pytest.raises(AccessError, match="not known"):
            enter_program(service, brought)


def test_a_token_ends_by_itself_to_the_second(service: Service, clock: FakeClock) -> None:
    secret = make(service, days=1).secret
    clock.forward(hours=23, minutes=59, seconds=59)
    actor = enter_program(service, secret)
    clock.forward(seconds=1)
    with pytest.raises(AccessError, match="expired"):
        enter_program(service, secret)
    with pytest.raises(AccessError, match="ended"):
        has_any(service, actor)


def test_a_revoked_token_is_out_at_the_next_call_and_its_sister_stays(service: Service) -> None:
    made, sister = make(service), make(service)
    actor = enter_program(service, made.secret)
    revoke_token(service, ROOT, made.token.id)
    with pytest.raises(AccessError, match="ended"):
        has_any(service, actor)
    with pytest.raises(AccessError, match="revoked"):
        enter_program(service, made.secret)
    assert enter_program(service, sister.secret).name == actor.name


def test_what_cannot_be_revoked_is_said(service: Service) -> None:
    made = make(service)
    revoke_token(service, ROOT, made.token.id)
    with pytest.raises(InputError, match="revoked before"):
        revoke_token(service, ROOT, made.token.id)
    with pytest.raises(NotFound):
        revoke_token(service, ROOT, 99)


@pytest.mark.parametrize(
    ("name", "days"),
    [("", 1), ("Billing", 1), ("a:b", 1), ("-a", 1), ("a" * 41, 1), ("a b", 1), ("a\n", 1), ("a", 0), ("a", 367)],
)
def test_a_name_or_a_time_that_cannot_be_used_is_refused(service: Service, name: str, days: int) -> None:
    with pytest.raises(InputError, match="Nothing was made"):
        make(service, name, days=days)
    assert list_tokens(service, ROOT) == []


def test_no_program_is_an_admin(service: Service) -> None:
    with pytest.raises(InputError, match="viewer or an analyst"):
        make(service, role=Role.ADMIN)
    assert list_tokens(service, ROOT) == []


def test_the_last_use_is_known_to_two_minutes(service: Service, clock: FakeClock) -> None:
    secret = make(service).secret
    assert list_tokens(service, ROOT)[0].used_at is None
    enter_program(service, secret)
    first = clock()
    clock.forward(seconds=119)
    enter_program(service, secret)
    assert list_tokens(service, ROOT)[0].used_at == first
    clock.forward(seconds=1)
    enter_program(service, secret)
    assert list_tokens(service, ROOT)[0].used_at == clock()


def test_the_audit_log_tells_of_tokens_made_used_again_refused_and_revoked(service: Service, clock: FakeClock) -> None:
    made = make(service, role=Role.VIEWER)
    for _ in range(3):
        actor = enter_program(service, made.secret)
        clock.forward(hours=2)
    for _ in range(2):
        with pytest.raises(NotAllowed):
            list_tokens(service, actor)
    revoke_token(service, ROOT, made.token.id)
    for _ in range(2):
        with pytest.raises(AccessError):
            enter_program(service, made.secret)
    token, day = f"oken 1 of billing (…{made.secret[-4:]})", made.token.expires_at.date()
    assert told(service) == [
        (ROOT.name, AuditKind.PROGRAM, f"T{token} was made, as viewer until {day}"),
        ("service:billing", AuditKind.SIGN_IN, f"as viewer, with t{token}"),
        ("service:billing", AuditKind.REFUSAL, "list_tokens needs the role admin, not viewer"),
        (ROOT.name, AuditKind.PROGRAM, f"T{token} was revoked"),
        ("service:billing", AuditKind.REFUSAL, f"T{token} was refused: was revoked"),
    ]


def test_the_commands_make_list_and_revoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W365_HOME", str(tmp_path))
    monkeypatch.setenv("W365_DEMO", "off")

    def run(*words: str) -> str:
        ended = CliRunner().invoke(app, ["tokens", *words], catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    secret = run("add", "billing", "--role", "analyst", "--days", "7").strip()
    (row,) = json.loads(run("list", "--json"))["tokens"]
    assert re.fullmatch(r"w365_[\w-]{43}", secret)
    assert (row["name"], row["role"], row["ending"], row["state"]) == ("billing", "analyst", secret[-4:], "open")
    assert "revoked" in run("revoke", str(row["token"]))
    assert secret not in run("list")
    assert "was revoked" in run("list")

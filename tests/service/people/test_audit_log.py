"""What the audit log tells, who may read it, and what never stands in it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from connection_steps import ADMIN, CANARY, KEY, ONE, PARTS, opened
from service.export_steps import download
from service.people.people_steps import sign_in, team
from typer.testing import CliRunner

from w365.cli.main import app
from w365.errors import NotAllowed
from w365.model import AuditKind, Role, Status
from w365.service import Service
from w365.service.access import command_line_user
from w365.service.configuring.settings import set_setting
from w365.service.connecting.stored_connections import remove_connection, rotate_secrets, save_connection
from w365.service.exporting import FileRequest, Format, Subject, read_records, write_file, write_requested
from w365.service.people.roles import end_sessions, find_person, list_audit_log, list_audit_names
from w365.service.syncing.schedules import Daily, save_schedules
from w365.store.db.engine import Store
from w365.store.reading.worklist import Filter

ROOT = command_line_user()


@pytest.fixture
def service(store: Store, tmp_path: Path) -> Service:
    return opened(tmp_path / "home", store)


def told(service: Service, kind: AuditKind | None = None, name: str = "") -> list[tuple[str, str]]:
    """Who and what, the oldest first."""
    return [(row.actor, row.about) for row in reversed(list_audit_log(service, ROOT, kind, name, limit=200))]


def test_a_changed_setting_is_told_from_what_to_what_once(service: Service) -> None:
    set_setting(service, ADMIN, "auto_match", "true")
    set_setting(service, ADMIN, "auto_match", "true")
    save_schedules(service, ADMIN, {ONE: Daily(True, dt.time(7))})
    assert told(service, AuditKind.SETTING)[0] == ("ada", "auto_match: false → true")
    assert [about.split(":")[0] for _, about in told(service)] == ["auto_match", "daily sync"]


def test_a_connection_and_the_key_are_told_without_their_secrets(tmp_path: Path) -> None:
    service = opened(tmp_path)
    save_connection(service, ADMIN, ONE, PARTS)
    save_connection(service, ADMIN, ONE, PARTS | {"CLIENT_SECRET": f"{CANARY}-2"})
    newer = f"{KEY}-and-newer"
    service.store.close()
    renewed = opened(tmp_path, W365_SECRET_KEY=newer, W365_SECRET_KEY_OLD=KEY)
    rotate_secrets(renewed, ADMIN)
    remove_connection(renewed, ADMIN, ONE)
    abouts = [about for _, about in told(renewed)]
    assert "connection: Partner Center: Client secret: none → changed" in abouts
    assert "connection: Partner Center: Client secret: stored → changed" in abouts
    assert "the secret key was rotated: 1 stored secrets encrypted anew, 0 unreadable" in abouts
    assert abouts[-1] == "connection: Partner Center: stored → removed"
    assert not [about for about in abouts if CANARY in about or KEY in about]
    renewed.store.close()


def test_a_download_is_told_with_its_format_and_filter_before_a_byte_leaves(service: Service) -> None:
    seen: list[list[tuple[str, str]]] = []

    class File(io.BytesIO):
        def write(self, part: object) -> int:
            seen.append(told(service, AuditKind.DOWNLOAD))
            return super().write(part)  # type: ignore[arg-type]

    chosen = Filter(statuses=(Status.UNMAPPED, Status.CONFLICT), text="kestrel")
    write_requested(service, ADMIN, FileRequest((Subject.MAPPINGS,), Format.CSV, chosen), File())
    entry = ("ada", "mappings as csv (statuses: unmapped, conflict; text: kestrel)")
    assert seen[0] == told(service) == [entry]


def test_the_command_line_s_files_are_told_too_and_refused_ones_are_no_downloads(
    service: Service, tmp_path: Path
) -> None:
    write_file(service, ROOT, Subject.DECISIONS, Format.XLSX, tmp_path / "out.xlsx")
    ann = sign_in(team(service), roles=["analyst"])
    with pytest.raises(NotAllowed):
        write_file(team(service), ann, Subject.AUDIT_LOG, Format.CSV, tmp_path / "log.csv")
    assert told(service, AuditKind.DOWNLOAD) == [(ROOT.name, "decisions as xlsx")]
    assert [name for name, _ in told(service, AuditKind.REFUSAL)] == ["Ann Lee"]
    assert not (tmp_path / "log.csv").exists()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_only_an_admin_reads_it_and_is_refused_before_the_first_record(service: Service, role: Role) -> None:
    people = team(service)
    actor = sign_in(people, roles=[role.name.lower()])
    with pytest.raises(NotAllowed):
        read_records(people, actor, Subject.AUDIT_LOG)


def test_all_of_it_comes_as_a_file_in_which_nothing_is_a_formula(service: Service) -> None:
    sign_in(team(service), name="=cmd()")
    lines = list(csv.reader(io.StringIO(download(service, ADMIN, Subject.AUDIT_LOG, Format.CSV).decode("utf-8-sig"))))
    assert [line[2] for line in lines] == ["actor", "'=cmd()", "ada"]
    records = json.loads(download(service, ADMIN, Subject.AUDIT_LOG, Format.JSON))
    assert [record["kind"] for record in records] == ["sign-in", "download", "download"]


def test_it_is_narrowed_by_kind_and_person(service: Service) -> None:
    people = team(service)
    for name in ("Ann", "Ben"):
        sign_in(people, sub=name, name=name)
    set_setting(service, ADMIN, "auto_match", "true")
    end_sessions(people, ROOT, find_person(people, ROOT, "Ben").person.id)
    assert list_audit_names(people, ROOT) == sorted(["Ann", "Ben", "ada", ROOT.name])
    assert [name for name, _ in told(people, AuditKind.SIGN_IN)] == ["Ann", "Ben"]
    assert told(people, name="Ann") == told(people, AuditKind.SIGN_IN, "Ann")
    assert len(told(people, name="Ann")) == 1


def test_a_locked_out_installation_gets_its_admin_back_from_the_command_line(tmp_path: Path) -> None:
    service = opened(tmp_path)
    people = team(service)
    sign_in(people, roles=["viewer"])
    service.store.close()
    shell = {"W365_HOME": str(tmp_path), "W365_DEMO": "off"}

    def run(*arguments: str) -> str:
        outcome = CliRunner().invoke(app, ["people", *arguments], env=shell, catch_exceptions=False)
        assert outcome.exit_code == 0
        return outcome.stdout

    assert run("role", "Ann Lee", "admin") == "Ann Lee: role admin, from admin.\n"
    assert sign_in(people, roles=["viewer"]).role is Role.ADMIN
    sign_in(people, sub="2", name="Zoe", roles=["admin"])
    run("role", "Ann Lee", "analyst")
    run("disable", "https://id.example.com#1")
    listed = json.loads(run("list", "--json"))["people"][0]
    assert (listed["role"], listed["disabled"], listed["open_sessions"]) == (None, True, 0)
    run("enable", "Ann Lee")
    assert find_person(people, ROOT, "Ann Lee").role is Role.ANALYST
    assert {name for name, _ in told(people, AuditKind.PERSON)} == {ROOT.name}
    people.store.close()

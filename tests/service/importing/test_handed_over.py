"""Files that the page hands over: looked at in processes of their own, imported by a worker, and gone after."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from service.fakes import ADMIN, ANALYST, FakeCrm, account, crm_sync, make_service, rows_of
from service.import_files import csv_of
from sheets.hostile_files import CSV, XLSX

from w365 import jobs
from w365.errors import AlreadyRunning, InputError, NotAllowed, NotFound, StoreError
from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.importing.accounts import AccountsChoice
from w365.service.importing.mapping_plan import FIELDS as MAPPING_FIELDS
from w365.service.importing.mappings import MappingChoice
from w365.service.importing.previews import describe_upload, look_at_accounts, look_at_mappings
from w365.service.importing.runs import request_accounts_import, request_mappings_import
from w365.service.importing.uploads import Upload, forget_old_uploads, keep_upload, taken_up
from w365.service.shared_files import IMPORTS, KEPT, forget_old_files, share_file
from w365.service.syncing import providers, runs
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import Places, guess_columns
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.lost_runs import release_lost
from w365.store.runs import RunView

HEAD = ("Customer number", "Company", "Domain")
ANT, BEE = ("1", "Ant", "ant.de"), ("2", "Bee", "bee.de")


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    crm = FakeCrm()
    crm.put(account("a1", name="Ant", number="N-1"))
    service = make_service(store, home, crm=crm)
    providers.add_manual_provider(service, ADMIN, "Harbour")
    crm_sync(service)
    return service


@pytest.fixture
def provider(service: Service) -> int:
    return providers.find_provider(service, ADMIN, "Harbour").id


def hand_in(service: Service, *lines: tuple[str, ...]) -> tuple[Upload, Places]:
    upload = keep_upload(service, ANALYST, "list.csv", csv_of(HEAD, *lines))
    return upload, guess_columns(HEAD, FIELDS)


def kept(service: Service) -> list[str]:
    """What is kept of files anywhere: by this machine, and in the database."""
    here = [path.name for path in (service.settings.home / "uploads").iterdir()]
    return sorted(here + [name for (name,) in rows_of(service.store, t.SharedFile.name)])


def run_of(service: Service, run_id: int) -> RunView:
    return runs.read_run(service, ADMIN, run_id)[0]


def test_a_file_is_its_owners_and_looked_at_by_other_processes(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT, BEE)
    assert upload.path.stat().st_mode & 0o777 == 0o600
    assert upload.path.parent.stat().st_mode & 0o777 == 0o700
    table, guessed = describe_upload(service, ANALYST, upload, FIELDS, "provider 1")
    assert (table.name, table.headings, guessed) == ("list.csv", HEAD, places)
    seen = look_at_accounts(service, ANALYST, provider, upload, places)
    assert (seen.lines, seen.counts) == (2, Counter(new=2))
    assert [change.name for change in seen.shown] == ["Ant", "Bee"]


def test_a_worker_imports_and_matches_and_nothing_of_the_file_stays(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT, BEE)
    run_id = request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    assert kept(service) == [f"import/{run_id}"]
    assert rows_of(service.store, t.ProviderAccount.name) == []
    run = jobs.execute_run(service, run_id)
    assert (run.state, run.result, run.actor) == (RunState.DONE, Counter(new=2), ANALYST.name)
    assert sorted(rows_of(service.store, t.ProviderAccount.name)) == [("Ant",), ("Bee",)]
    assert kept(service) == []
    assert runs.list_runs(service, ADMIN)[0].kind is RunKind.MATCH


def test_mappings_are_looked_at_and_imported_with_what_was_chosen(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    jobs.execute_run(service, request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice()))
    headings = ("Provider specific account id", "Account number")
    content = csv_of(headings, ("1", "N-1"), ("7", "N-1"))
    choice = MappingChoice("Harbour", leave_out_errors=True)
    mappings = keep_upload(service, ANALYST, "m.csv", content), guess_columns(headings, MAPPING_FIELDS)
    seen = look_at_mappings(service, ANALYST, *mappings, choice)
    assert (seen.mapped, seen.bad_lines) == (1, 1)
    run = jobs.execute_run(service, request_mappings_import(service, ANALYST, *mappings, choice))
    assert (run.state, run.result) == (RunState.DONE, Counter(mapped=1, rejected=1))
    assert kept(service) == []


def test_a_refused_import_is_a_failed_run_that_changed_nothing(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT, ("", "nobody", ""))
    run = jobs.execute_run(
        service, request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    )
    assert run.state is RunState.FAILED
    assert "1 line cannot be used" in run.error
    assert "Nothing was imported" in run.error
    assert rows_of(service.store, t.ProviderAccount.name) == []
    assert kept(service) == []


def test_a_cancelled_import_changes_nothing(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    run_id = request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    claimed = jobs._claim(service, run_id)
    assert claimed
    runs.ask_to_cancel(service, ADMIN, run_id)
    jobs._carry_out(service, claimed)
    assert run_of(service, run_id).state is RunState.CANCELLED
    assert "Nothing was imported." in run_of(service, run_id).error
    assert rows_of(service.store, t.ProviderAccount.name) == []


def test_who_may_not_confirm_that_many_left_asks_for_no_run(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    with pytest.raises(NotAllowed):
        request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice(many_gone=True))


def test_a_second_import_waits_for_the_first_and_keeps_its_file(service: Service, provider: int) -> None:
    first, places = hand_in(service, ANT)
    second, _ = hand_in(service, BEE)
    request_accounts_import(service, ANALYST, provider, first, places, AccountsChoice())
    with pytest.raises(AlreadyRunning):
        request_accounts_import(service, ANALYST, provider, second, places, AccountsChoice())
    assert second.path.exists()


def test_a_worker_of_another_machine_imports_the_file(service: Service, provider: int, tmp_path: Path) -> None:
    upload, places = hand_in(service, ANT)
    run_id = request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    elsewhere = make_service(service.store, tmp_path / "elsewhere")
    assert jobs.execute_run(elsewhere, run_id).state is RunState.DONE
    assert rows_of(service.store, t.ProviderAccount.name) == [("Ant",)]
    assert kept(service) == kept(elsewhere) == []


def test_a_file_that_is_gone_asks_for_no_run(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    upload.path.unlink()
    with pytest.raises(NotFound, match=r"list.csv is not kept any more"):
        request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    assert not any(run.kind is RunKind.IMPORT for run in runs.list_runs(service, ADMIN))


def test_what_nobody_imports_is_deleted_and_what_waits_is_kept(service: Service, provider: int) -> None:
    waiting, places = hand_in(service, ANT)
    run_id = request_accounts_import(service, ANALYST, provider, waiting, places, AccountsChoice())
    share_file(service, f"{IMPORTS}{run_id + 1}", b"", {})
    new, _ = hand_in(service, BEE)
    old, _ = hand_in(service, BEE)
    os.utime(old.path, (0, time.time() - KEPT.total_seconds() - 1))
    forget_old_uploads(service)
    later = replace(service, clock=lambda: service.clock() + KEPT + dt.timedelta(seconds=1))
    forget_old_files(later)
    assert kept(service) == sorted([new.path.name, f"import/{run_id}"])


def test_an_import_whose_worker_ended_begins_anew_once(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    run_id = request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    assert jobs._claim(service, run_id)
    with service.store.write() as connection:
        release_lost(connection, [run_id], service.clock())
    assert jobs.execute_run(service, run_id).state is RunState.DONE
    assert kept(service) == []


def test_an_import_that_the_database_stopped_keeps_its_file(service: Service, provider: int) -> None:
    upload, places = hand_in(service, ANT)
    run_id = request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    with pytest.raises(StoreError), taken_up(service, run_id):
        raise StoreError("The database is gone.")
    assert kept(service) == [f"import/{run_id}"]


HOSTILE = {f"{name}.xlsx": case for name, case in XLSX.items()} | {f"{name}.csv": case for name, case in CSV.items()}


@pytest.mark.parametrize("name", list(HOSTILE)[::6])
def test_a_hostile_file_is_a_sentence_on_the_page_and_holds_up_nobody(service: Service, name: str) -> None:
    make, expected = HOSTILE[name]
    upload = keep_upload(service, ANALYST, name, make())
    began = time.thread_time(), time.process_time()
    with pytest.raises(InputError) as raised:
        describe_upload(service, ANALYST, upload, FIELDS, "provider 1")
    assert any(words in raised.value.what for words in expected.split("|"))
    assert raised.value.kept == "Nothing was read."
    assert time.process_time() - began[1] < 0.5  # of this process, in which the pages are


def test_other_threads_go_on_while_a_file_is_looked_at(service: Service, provider: int) -> None:
    upload, places = hand_in(service, *((f"{number}", f"Customer {number}", "") for number in range(20_000)))
    over, longest = threading.Event(), [0.0]

    def watch() -> None:
        before = time.monotonic()
        while not over.wait(0.005):
            longest[0] = max(longest[0], time.monotonic() - before)
            before = time.monotonic()

    watcher = threading.Thread(target=watch)
    watcher.start()
    spent = time.process_time()
    assert look_at_accounts(service, ANALYST, provider, upload, places).lines == 20_000
    over.set()
    watcher.join()
    assert time.process_time() - spent < 1.0
    assert longest[0] < 1.0


@pytest.mark.postgres
def test_a_file_is_looked_at_and_imported_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    service = make_service(fresh_postgres, home)
    provider = providers.add_manual_provider(service, ADMIN, "Harbour")
    upload, places = hand_in(service, ANT, BEE)
    assert look_at_accounts(service, ANALYST, provider, upload, places).counts == Counter(new=2)
    run = jobs.execute_run(
        service, request_accounts_import(service, ANALYST, provider, upload, places, AccountsChoice())
    )
    assert (run.state, run.result, kept(service)) == (RunState.DONE, Counter(new=2), [])

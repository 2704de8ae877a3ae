"""The import of a manual provider's rows: looked at first, whole or nothing, a run like any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    account,
    contact,
    crm_sync,
    make_service,
    match,
    rows_of,
    without_guards,
)
from service.import_files import csv_sheet
from service.sync_steps import empty

from w365.errors import AlreadyRunning, InputError, MassDisappearance, NotAllowed
from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.importing.accounts import AccountsChoice, AccountsPreview, import_accounts, preview_accounts
from w365.service.importing.report import LineError, errors_file
from w365.service.syncing import providers, runs
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import Sheet, guess_columns
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import RunView, request_run

HEAD = ("Customer number", "Company", "Domain", "Country", "Seats")
PA = t.ProviderAccount


def make(store: Store, home: Path, crm: FakeCrm | None = None) -> tuple[Service, int]:
    service = make_service(store, home, crm=crm)
    return service, providers.add_manual_provider(service, ADMIN, "Harbour")


def load(service: Service, provider: int, sheet: Sheet, **choice: bool) -> RunView:
    return import_accounts(
        service, ANALYST, provider, sheet, guess_columns(sheet.headings, FIELDS), AccountsChoice(**choice)
    )


def look(service: Service, provider: int, sheet: Sheet) -> AccountsPreview:
    return preview_accounts(service, ANALYST, provider, sheet, guess_columns(sheet.headings, FIELDS))


def test_what_the_preview_says_is_what_the_import_does_and_again_changes_nothing(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    load(service, provider, csv_sheet(HEAD, ("1", "Ant", "ant.de", "DE", "3"), ("2", "Bee", "bee.de", "", "")))
    sheet = csv_sheet(HEAD, ("1", "Ant GmbH", "ant.de", "DE", "3"), ("2", "Bee", "bee.de", "", ""), ("3", "Cat"))
    preview = look(service, provider, sheet)
    assert preview.counts == Counter(new=1, changed=1, unchanged=1)
    assert [(one.specific_id, one.word, one.change) for one in preview.shown] == [
        ("1", "changed", "renamed: Ant → Ant GmbH"),
        ("3", "new", ""),
    ]
    assert len(rows_of(store, PA.id)) == 2
    run = load(service, provider, sheet)
    assert (run.kind, run.target, run.state, run.done) == (RunKind.IMPORT, "Harbour", RunState.DONE, 3)
    assert run.result == {"new": 1, "changed": 1, "unchanged": 1}
    assert load(service, provider, sheet).result == {"unchanged": 3}
    assert rows_of(store, PA.specific_id, PA.name, PA.country) == [
        ("1", "Ant GmbH", "DE"),
        ("2", "Bee", ""),
        ("3", "Cat", ""),
    ]


def test_every_bad_line_is_named_and_nothing_is_imported_unless_they_are_left_out(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    sheet = csv_sheet(
        HEAD,
        ("1", "Ant", "ant.de, not_a_domain!", "DE", "3"),
        ("2", "", "bee.de", "", "many"),
        ("", "Cat", "", "", ""),
        ("4", "Dog", "dog.de", "", "1,200"),
        ("4", "Dog again", "", "", ""),
        ("6", "Elk", "elk.de", "", "", "more"),
        ("7.12346E+17", "Fox", "", "", ""),
        ("#N/A", "Gnu", "", "", ""),
    )
    wanted = (
        LineError(2, "Domain", "ant.de, not_a_domain!", "“not_a_domain!” is not a domain name"),
        LineError(3, "Company", "", "is missing; every provider account needs a name"),
        LineError(3, "Seats", "many", "is not a whole number"),
        LineError(4, "Customer number", "", "is missing; every provider account needs its id"),
        LineError(6, "Customer number", "4", "stands in line 5 already"),
        LineError(7, "", "", "has 6 cells under 5 headings; quote a cell that holds the separator"),
        LineError(
            8,
            "Customer number",
            "7.12346E+17",
            "is a number that Excel shortened; format the column as text and enter it again",
        ),
        LineError(
            9, "Customer number", "#N/A", "is an error value of a spreadsheet; correct it there, or empty the cell"
        ),
    )
    preview = look(service, provider, sheet)
    assert (preview.errors, preview.bad_lines, preview.counts) == (wanted, 7, Counter(new=1))
    with pytest.raises(InputError, match="7 lines cannot be used") as raised:
        load(service, provider, sheet)
    assert raised.value.kept == "Nothing was imported."
    assert rows_of(store, PA.id) == []
    failed = runs.list_runs(service, ADMIN)[0]
    assert (failed.state, failed.error) == (RunState.FAILED, str(raised.value))
    run = load(service, provider, sheet, leave_out_errors=True)
    assert run.result == {"new": 1, "rejected": 7}
    assert rows_of(store, PA.specific_id, t.Worklist.seats, where=PA.id == t.Worklist.provider_account_id) == [
        ("4", 1200)
    ]
    problems = runs.read_run(service, ADMIN, run.id)[1]
    assert problems[1] == ("line 3, Company", "is missing; every provider account needs a name")
    report = errors_file(wanted).decode("utf-8-sig").splitlines()
    assert report[0] == "line,column,value,what is wrong"
    assert report[3] == "3,Seats,many,is not a whole number"


def test_a_fault_in_the_middle_leaves_nothing_and_says_so(store: Store, home: Path) -> None:
    service, provider = make(store, home)

    def broken_off(done: int) -> None:
        raise KeyboardInterrupt

    sheet = csv_sheet(HEAD, *((str(n), f"Customer {n}") for n in range(3000)))
    with pytest.raises(KeyboardInterrupt):
        import_accounts(service, ANALYST, provider, sheet, guess_columns(sheet.headings, FIELDS), tell=broken_off)
    assert (rows_of(store, PA.id), rows_of(store, t.RunSeen.record_id)) == ([], [])
    run = runs.list_runs(service, ADMIN)[0]
    assert (run.state, run.error) == (RunState.FAILED, "The import was broken off. Nothing was imported.")


def test_what_a_file_has_no_column_for_stays(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    guid = "7B3F1C5E-1111-4222-8333-444455556666"
    head = ("Id", "Name", "Domains", "Country", "Tenant id", "Subscriptions", "Seats")
    load(service, provider, csv_sheet(head, ("1", "Ant", "ant.de; ant.com", "DE", f"{{{guid}}}", "2", "5")))
    run = load(service, provider, csv_sheet(("Id", "Name"), ("1", "Ant AG")))
    assert run.result == {"changed": 1}
    assert rows_of(store, PA.name, PA.country, PA.tenant_guid) == [("Ant AG", "DE", guid.lower())]
    assert rows_of(store, PA.default_domain, PA.change) == [("ant.de", "renamed: Ant → Ant AG")]
    assert rows_of(store, t.ProviderAccountDomain.domain) == [("ant.com",), ("ant.de",)]
    assert rows_of(store, t.ProviderSubscription.quantity) == [(2,), (3,)]
    emptied = load(service, provider, csv_sheet(("Id", "Name", "Domains", "Seats"), ("1", "Ant AG", "", "")))
    assert emptied.result == {"changed": 1}
    assert rows_of(store, t.ProviderAccountDomain.domain) == []
    assert rows_of(store, t.Worklist.seats, t.Worklist.subscriptions) == [(0, 0)]


def test_customers_are_gone_only_when_the_file_is_the_full_list_and_not_too_many(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    load(service, provider, csv_sheet(HEAD, *((str(n), f"Customer {n}") for n in range(20))))
    fewer = csv_sheet(HEAD, *((str(n), f"Customer {n}") for n in range(1, 19)), ("19", ""))
    assert "gone" not in load(service, provider, fewer, leave_out_errors=True).result
    assert look(service, provider, fewer).missing == 1
    run = load(service, provider, fewer, leave_out_errors=True, full_list=True)
    assert (run.result["gone"], run.result["rejected"]) == (1, 1)
    assert rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None)) == [("0",)]
    few = csv_sheet(HEAD, ("0", "Customer 0"), ("1", "Customer 1"))
    assert (look(service, provider, few).missing, look(service, provider, few).too_many) == (18, True)
    with pytest.raises(MassDisappearance, match="18 of 20 customers are missing from the file") as raised:
        load(service, provider, few, full_list=True)
    assert raised.value.kept == "Nothing was imported."
    assert rows_of(store, PA.specific_id, where=PA.gone_at.is_not(None)) == [("0",)]
    with pytest.raises(NotAllowed):
        load(service, provider, few, full_list=True, many_gone=True)
    places = guess_columns(few.headings, FIELDS)
    run = import_accounts(service, ADMIN, provider, few, places, AccountsChoice(full_list=True, many_gone=True))
    assert run.result == {"returned": 1, "unchanged": 1, "gone": 18}


def test_imported_rows_take_part_in_matching(store: Store, home: Path) -> None:
    crm = FakeCrm()
    crm.put(account("a1"), contact("c1", "a1", "ant.de"))
    service, provider = make(store, home, crm)
    without_guards(service)
    settings.set_setting(service, ADMIN, "auto_match", "true")
    crm_sync(service)
    load(service, provider, csv_sheet(HEAD, ("1", "Ant", "www.Ant.de", "", "")))
    match(service)
    assert rows_of(store, t.Worklist.status) == [("mapped",)]


def test_other_providers_and_a_second_import_are_refused(store: Store, home: Path) -> None:
    service, provider = make(store, home)
    sheet = csv_sheet(HEAD, ("1", "Ant"))
    with pytest.raises(InputError, match="manual providers only"):
        load(service, 1, sheet)
    with pytest.raises(InputError, match=r"No column of list\.csv is named as: Provider name"):
        preview_accounts(service, ANALYST, provider, sheet, {"specific_id": 0})
    with pytest.raises(InputError, match="One column cannot be two things"):
        preview_accounts(service, ANALYST, provider, sheet, {"specific_id": 0, "name": 0})
    with store.write() as connection:
        request_run(connection, RunKind.IMPORT, "Harbour", "ben", service.clock())
    with pytest.raises(AlreadyRunning, match="started by ben"):
        load(service, provider, sheet)


@pytest.mark.postgres
def test_an_import_is_the_same_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    for check in (
        test_what_the_preview_says_is_what_the_import_does_and_again_changes_nothing,
        test_what_a_file_has_no_column_for_stays,
    ):
        _empty(fresh_postgres, home, check)


def _empty(store: Store, home: Path, check: Callable[[Store, Path], None]) -> None:
    empty(store)
    with store.write() as connection:
        connection.execute(t.Provider.__table__.delete())
    check(store, home)

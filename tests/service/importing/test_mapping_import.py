"""The import of mappings that exist already: each line judged before and inside it, one run, whole or nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from service.export_steps import download
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    match,
    pages_of,
    rows_of,
    sync,
    without_guards,
)
from service.import_files import csv_of, csv_sheet

from w365.errors import InputError
from w365.jobs import execute_run
from w365.model import Origin, RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.deciding.bulk_run import confirm_plan
from w365.service.deciding.undo import Undoable, preview_undo
from w365.service.exporting import Format, Subject
from w365.service.importing.mapping_plan import FIELDS, USUALLY, Verdict
from w365.service.importing.mappings import MappingChoice, MappingsPreview, import_mappings, preview_mappings
from w365.service.importing.report import LineError
from w365.service.syncing import providers
from w365.sheets import Sheet, guess_columns, open_sheet
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import RunView

HEAD = ("Provider", "Customer id", "Account", "Account name")
PC = providers.PARTNER_CENTER


def make(store: Store, home: Path) -> Service:
    """Customers p0 to p9 with a domain each; accounts a0 to a9, of which a0 to a4 have the contact of p0 to p4."""
    crm = FakeCrm()
    crm.put(*(account(f"a{n}", name=f"Account {n}", number=f"N-{n}") for n in range(10)))
    crm.put(*(contact(f"c{n}", f"a{n}", f"d{n}.com") for n in range(5)))
    crm.put(account("twin-1", name="Twin"), account("twin-2", name="Twin"))
    listed = [customer(f"p{n}", f"d{n}.com") for n in range(10)]
    service = make_service(store, home, portal=FakePortal(pages_of(listed)), crm=crm)
    without_guards(service)
    crm_sync(service)
    sync(service)
    return service


def look(service: Service, sheet: Sheet, **choice: Any) -> MappingsPreview:
    return preview_mappings(service, ANALYST, sheet, guess_columns(sheet.headings, FIELDS), MappingChoice(**choice))


def load(service: Service, sheet: Sheet, **choice: Any) -> RunView:
    return import_mappings(service, ANALYST, sheet, guess_columns(sheet.headings, FIELDS), MappingChoice(**choice))


def mappings(store: Store) -> dict[str, str]:
    where = (t.Mapping.provider_account_id == t.ProviderAccount.id) & (t.Account.id == t.Mapping.account_id)
    return dict(rows_of(store, t.ProviderAccount.specific_id, t.Account.crm_id, where=where))  # type: ignore[arg-type]


def assign(service: Service, row: str, to: str) -> None:
    store = service.store
    mapping.assign_account(service, ANALYST, id_of(store, row), account_id_of(store, to), seen=0)


def test_a_line_may_name_the_account_by_id_number_or_its_own_name(store: Store, home: Path) -> None:
    service = make(store, home)
    sheet = csv_sheet(
        HEAD,
        (PC, "p5", "{A5}", ""),
        (PC.upper(), "P6", "N-6", ""),
        (PC, "p7", "", "account  7"),
        (PC, "p8", "", ""),
    )
    assert look(service, sheet).counts == Counter({Verdict.MAP: 3, Verdict.EMPTY: 1})
    assert mappings(store) == {}
    run = load(service, sheet)
    assert (run.kind, run.result) == (RunKind.MAPPING_IMPORT, {"mapped": 3, "without_account": 1})
    assert mappings(store) == {"p5": "a5", "p6": "a6", "p7": "a7"}
    assert set(rows_of(store, t.Decision.run_id, t.Decision.origin, t.Decision.actor)) == {
        (run.id, Origin.IMPORTED, ANALYST.name)
    }
    assert set(rows_of(store, t.Worklist.status, where=t.Worklist.account_id.is_not(None))) == {("mapped",)}
    again = load(service, sheet)
    assert again.result == {"same": 3, "without_account": 1}
    assert len(rows_of(store, t.Decision.id)) == 3


def test_every_line_that_cannot_be_used_is_named_and_stops_all_unless_left_out(store: Store, home: Path) -> None:
    service = make(store, home)
    providers.add_manual_provider(service, ADMIN, "Harbour")
    sheet = csv_sheet(
        HEAD,
        (PC, "p5", "a5", ""),
        ("Nowhere", "p6", "a6", ""),
        ("", "p6", "a6", ""),
        (PC, "", "a6", ""),
        (PC, "px", "a6", ""),
        (PC, "p6", "ax", ""),
        (PC, "p6", "", "Twin"),
        (PC, "p5", "a6", ""),
        (PC, "p5", "a5", ""),
    )
    errors = look(service, sheet).errors
    assert sorted(errors, key=lambda one: one.line) == [
        LineError(3, "Provider", "Nowhere", "is no provider here"),
        LineError(4, "Provider", "", "is missing; there are several providers"),
        LineError(5, "Customer id", "", "is missing; every line needs it"),
        LineError(6, "Customer id", "px", f"is unknown at {PC}"),
        LineError(7, "Account", "ax", "is no account in the CRM"),
        LineError(8, "Account name", "Twin", "is the number or name of 2 accounts; name the account by its id"),
        LineError(9, "Account", "a6", "line 2 maps this customer to another account"),
    ]
    with pytest.raises(InputError, match="7 lines cannot be used"):
        load(service, sheet)
    assert (mappings(store), rows_of(store, t.Decision.id)) == ({}, [])
    run = load(service, sheet, leave_out_errors=True)
    assert (run.result, mappings(store)) == ({"mapped": 1, "rejected": 7}, {"p5": "a5"})


def test_what_people_decided_is_left_unless_chosen(store: Store, home: Path) -> None:
    service = make(store, home)
    assign(service, "p0", "a0")
    mapping.reject_candidate(service, ANALYST, id_of(store, "p1"), account_id_of(store, "a1"), seen=0)
    mapping.exclude_row(service, ANALYST, id_of(store, "p2"), seen=0, reason="a test tenant")
    sheet = csv_sheet(HEAD, (PC, "p0", "a9", ""), (PC, "p1", "a1", ""), (PC, "p2", "a2", ""), (PC, "p3", "a9", ""))
    preview = look(service, sheet)
    said = {one.verdict: one.other for one in preview.shown}
    assert said == {
        Verdict.DIFFERENT: "Account 0",
        Verdict.REJECTED: ANALYST.name,
        Verdict.SET_ASIDE: "excluded",
        Verdict.AGAINST: said[Verdict.AGAINST],
    }
    assert said[Verdict.AGAINST].startswith("Account 3: ")
    assert "d3.com" in said[Verdict.AGAINST]
    assert preview.mapped == 1
    run = load(service, sheet)
    assert run.result == {"different": 1, "rejected_pair": 1, "set_aside": 1, "mapped": 1}
    assert mappings(store) == {"p0": "a0", "p3": "a9"}
    assert load(service, sheet, take=frozenset()).result["same"] == 1
    taken = load(service, sheet, take=frozenset(Verdict) - {Verdict.EMPTY})
    assert taken.result == {"replaced": 1, "mapped": 2, "same": 1}
    assert mappings(store) == {"p0": "a9", "p1": "a1", "p2": "a2", "p3": "a9"}
    assert rows_of(store, t.StandingOrder.kind) == []
    assert rows_of(store, t.Mapping.against_evidence) == [(False,), (False,), (True,), (True,)]
    assert rows_of(store, t.DecisionEvidence.domain) == [("d0.com",), ("d1.com",), ("d2.com",)]


def test_a_unique_policy_lets_the_first_line_have_the_account_and_names_it_to_the_second(
    store: Store, home: Path
) -> None:
    service = make(store, home)
    settings.set_setting(service, ADMIN, "cardinality", "unique")
    assign(service, "p5", "a5")
    sheet = csv_sheet(HEAD, (PC, "p6", "a5", ""), (PC, "p7", "a7", ""), (PC, "p8", "a7", ""), (PC, "p5", "a8", ""))
    preview = look(service, sheet)
    assert [(one.specific_id, one.verdict, one.other) for one in preview.shown] == [
        ("p6", Verdict.BREACH, "Customer p5"),
        ("p7", Verdict.MAP, ""),
        ("p8", Verdict.BREACH, "Customer p7"),
        ("p5", Verdict.DIFFERENT, "Account 5"),
    ]
    assert load(service, sheet).result == {"breach": 2, "mapped": 1, "different": 1}
    moved = csv_sheet(HEAD, (PC, "p5", "a8", ""), (PC, "p6", "a5", ""))
    assert load(service, moved, take=USUALLY | {Verdict.DIFFERENT}).result == {"replaced": 1, "mapped": 1}
    assert mappings(store) == {"p5": "a8", "p6": "a5", "p7": "a7"}


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_what_export_writes_is_imported_as_it_is(store: Store, home: Path, form: Format) -> None:
    service = make(store, home)
    settings.set_setting(service, ADMIN, "auto_match", "true")
    match(service)
    assign(service, "p7", "a0")
    before = mappings(store)
    assert len(before) == 6
    content = download(service, ADMIN, Subject.MAPPINGS, form)
    settings.set_setting(service, ADMIN, "auto_match", "false")
    for row_id, version in rows_of(store, t.Worklist.provider_account_id, t.Worklist.version):
        if version:
            mapping.clear_mapping(service, ANALYST, row_id, seen=version)
    assert mappings(store) == {}
    run = load(service, open_sheet(f"mappings.{form}", content))
    assert run.result == {"mapped": 6, "without_account": 4}
    assert mappings(store) == before
    assert set(rows_of(store, t.Mapping.origin)) == {(Origin.IMPORTED,)}
    assert rows_of(store, t.Worklist.drift, where=t.Worklist.drift != "") == []
    assert rows_of(store, t.Rejection.account_id) == []


def test_a_file_without_a_provider_is_of_the_one_that_is_said(store: Store, home: Path) -> None:
    service = make(store, home)
    sheet = csv_sheet(("Tenant id", "Account number"), ("p5", "N-5"))
    assert look(service, sheet).mapped == 1
    providers.add_manual_provider(service, ADMIN, "Harbour")
    with pytest.raises(InputError, match="no column that names the provider"):
        look(service, sheet)
    with pytest.raises(InputError, match="There is no provider “Nowhere”"):
        look(service, sheet, provider="Nowhere")
    assert look(service, sheet, provider=PC.lower()).mapped == 1


def test_a_file_must_name_the_account(store: Store, home: Path) -> None:
    service = make(store, home)
    sheet = open_sheet("a.csv", csv_of(HEAD, (PC, "p5", "a5", "")))
    with pytest.raises(InputError, match="names the account"):
        preview_mappings(service, ANALYST, sheet, {"specific_id": 1})


@pytest.mark.postgres
def test_mappings_are_imported_the_same_on_postgresql(fresh_postgres: Store, home: Path) -> None:
    test_what_people_decided_is_left_unless_chosen(fresh_postgres, home)


def test_an_import_is_taken_back_as_a_whole_and_what_people_changed_since_stays(store: Store, home: Path) -> None:
    service = make(store, home)
    assign(service, "p7", "a0")
    lines = [(PC, f"p{n}", f"a{n}", "") for n in range(5, 8)]
    run = load(service, csv_sheet(HEAD, *lines), take=USUALLY | {Verdict.DIFFERENT})
    assert mappings(store) == {"p5": "a5", "p6": "a6", "p7": "a7"}
    mapping.assign_account(service, ANALYST, id_of(store, "p6"), account_id_of(store, "a1"), seen=decided(store, "p6"))
    plan = preview_undo(service, ANALYST, Undoable(run_id=run.id)).plan
    undone = execute_run(service, confirm_plan(service, ANALYST, plan.id))
    assert (undone.state, undone.result) == (RunState.DONE, {"taken_back": 2, "left": 1})
    assert mappings(store) == {"p6": "a1", "p7": "a0"}


def decided(store: Store, specific_id: str) -> int:
    where = t.Decision.provider_account_id == id_of(store, specific_id)
    return max(row[0] for row in rows_of(store, t.Decision.id, where=where))

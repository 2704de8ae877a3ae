"""What a file does not say, or says otherwise than it is meant, changes nothing; how it was read is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import ADMIN, ANALYST, FakeCrm, account, crm_sync, make_service, rows_of
from service.import_files import csv_of, csv_sheet
from sheets.people_files import by_openpyxl, commas, cover

from w365.errors import InputError
from w365.service import Service
from w365.service.importing import mapping_plan
from w365.service.importing.accounts import AccountsChoice, import_accounts, preview_accounts
from w365.service.importing.choices import MAPPINGS, find_accounts_target
from w365.service.importing.mappings import MappingChoice, import_mappings, preview_mappings
from w365.service.importing.previews import describe_upload
from w365.service.importing.reading import find_damage
from w365.service.importing.uploads import Upload, keep_upload
from w365.service.syncing import providers
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import Line, Reading, Sheet, guess_columns, open_sheet
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.runs import RunView

HEAD = ("Customer id", "Customer name", "Domains", "Country", "Tenant id")
GUID = "0d4b545b-3c2b-5c6e-b10b-badcd8b87a45"
PA = t.ProviderAccount


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


def load(service: Service, provider: int, sheet: Sheet, **choice: bool) -> RunView:
    places = guess_columns(sheet.headings, FIELDS)
    return import_accounts(service, ANALYST, provider, sheet, places, AccountsChoice(**choice))


def domains(store: Store) -> list[tuple[object, ...]]:
    return rows_of(store, t.ProviderAccountDomain.domain)


def test_a_formula_that_nobody_computed_removes_no_stored_domain(service: Service, provider: int) -> None:
    load(service, provider, csv_sheet(HEAD, ("1", "Ant", "ant.de"), ("2", "Bee", "bee.de")))
    content = by_openpyxl(lambda *_: None, ("1", "Ant", '=LOWER("ANT.DE")'), ("2", "Bee & Co", "bee.de"))
    sheet = open_sheet("a.xlsx", content, FIELDS)
    with pytest.raises(InputError, match="line 2: cell C2 is a formula whose result is not stored"):
        load(service, provider, sheet)
    assert load(service, provider, sheet, leave_out_errors=True).result == {"changed": 1, "rejected": 1}
    assert domains(service.store) == [("ant.de",), ("bee.de",)]


def test_a_line_that_ends_early_leaves_what_is_stored(service: Service, provider: int) -> None:
    load(service, provider, csv_sheet(HEAD, ("1", "Ant", "ant.de", "DE", GUID), ("2", "Bee", "bee.de", "AT")))
    sheet = csv_sheet(HEAD, ("1", "Ant AG"), ("2", "Bee", ""))
    assert load(service, provider, sheet).result == {"changed": 2}
    assert rows_of(service.store, PA.name, PA.country, PA.tenant_guid, PA.default_domain) == [
        ("Ant AG", "DE", GUID, "ant.de"),
        ("Bee", "AT", "", ""),
    ]
    assert domains(service.store) == [("ant.de",)]


def spell(service: Service, text: str) -> None:
    with service.store.write() as connection:
        connection.execute(sa.update(PA).values(specific_id=text))


@pytest.mark.parametrize("stored", [GUID, GUID.upper(), f"{{{GUID}}}", f"{{{GUID.upper()}}}"])
@pytest.mark.parametrize("written", [GUID, GUID.upper(), f"{{{GUID}}}"])
def test_a_guid_is_one_id_however_it_is_written(service: Service, provider: int, stored: str, written: str) -> None:
    load(service, provider, csv_sheet(HEAD, (GUID, "Ant", "ant.de")))
    spell(service, stored)
    again = csv_sheet(HEAD, (written, "Ant", "ant.de"))
    assert preview_accounts(service, ANALYST, provider, again, guess_columns(HEAD, FIELDS)).missing == 0
    assert load(service, provider, csv_sheet(HEAD, (written, "Ant", "ant.de")), full_list=True).result == {
        "unchanged": 1
    }
    sheet = csv_sheet(("Provider", "Tenant id", "Account number"), ("Harbour", written, "N-1"))
    places = guess_columns(sheet.headings, mapping_plan.FIELDS)
    assert import_mappings(service, ANALYST, sheet, places, MappingChoice()).result == {"mapped": 1}
    twice = csv_sheet(HEAD, (GUID, "Ant", "ant.de"), (f"{{{GUID.upper()}}}", "Ant", "ant.de"))
    errors = preview_accounts(service, ANALYST, provider, twice, guess_columns(HEAD, FIELDS)).errors
    assert [(error.line, error.why) for error in errors] == [(3, "stands in line 2 already")]


@pytest.mark.parametrize(
    "text",
    ["7.12346E+17", "1,2E+05", "1E-05", "1-Feb", "01. Feb", "Mrz 26", "01.02.2026", "2/1/2026", "2026-02-01 00:00:00"],
)
def test_an_id_that_a_spreadsheet_may_have_made_is_known(text: str) -> None:
    assert find_damage(text)


@pytest.mark.parametrize(
    "text", ["00042", "2024/17", "1-2", "12.13", "K-2026-02-01", "E10", "May Ltd", "1.2.3", "1.1.1"]
)
def test_an_id_that_people_give_is_none(text: str) -> None:
    assert not find_damage(text)


def test_such_an_id_is_refused_when_it_is_new_and_passes_when_it_is_stored(service: Service, provider: int) -> None:
    sheet = csv_sheet(HEAD, ("1-Feb", "Ant", "ant.de"))
    with pytest.raises(InputError, match="is a date or time, which a spreadsheet may have made of it"):
        load(service, provider, sheet)
    load(service, provider, csv_sheet(HEAD, ("1", "Ant", "ant.de")))
    spell(service, "1-Feb")
    assert load(service, provider, sheet).result == {"unchanged": 1}


def test_an_error_value_names_no_customer_of_a_mapping(service: Service, provider: int) -> None:
    sheet = csv_sheet(("Customer id", "Account number"), ("#NV", "N-1"), ("1-Feb", "N-1"))
    places = guess_columns(sheet.headings, mapping_plan.FIELDS)
    errors = preview_mappings(service, ANALYST, sheet, places, MappingChoice("Harbour")).errors
    assert [error.why.partition(",")[0] for error in errors] == [
        "is an error value of a spreadsheet; correct it there",
        "is unknown at Harbour; it is a date or time",
    ]


def test_nobody_waits_while_a_file_is_read(service: Service, provider: int) -> None:
    opened = csv_sheet(HEAD, ("1", "Ant", "ant.de"))

    def read() -> Iterator[Line]:
        with service.store.write() as connection:  # would wait for the import if that had begun to write
            connection.execute(sa.update(t.Provider).values(name=t.Provider.name))
        yield from opened._read()

    assert load(service, provider, Sheet(opened.table, read)).result == {"new": 1}
    sheet = csv_sheet(("Customer id", "Account number"), ("1", "N-1"))

    def read_mappings() -> Iterator[Line]:
        with service.store.write():
            yield from sheet._read()

    places = guess_columns(sheet.headings, mapping_plan.FIELDS)
    choice = MappingChoice("Harbour")
    run = import_mappings(service, ANALYST, Sheet(sheet.table, read_mappings), places, choice)
    assert run.result == {"mapped": 1}


def upload(service: Service, name: str, content: bytes) -> Upload:
    return keep_upload(service, ANALYST, name, content)


def test_how_a_file_was_read_is_remembered_for_its_provider(service: Service, provider: int) -> None:
    target = find_accounts_target(provider)
    content = csv_of(("No", "Firm", "Web"), ("1", "Kov\u00e1cs \u0151", "ant.de"), encoding="cp1250", separator="|")
    reading = Reading(encoding="cp1250", separator="|")
    sheet = open_sheet("a.csv", content, FIELDS, reading)
    import_accounts(service, ANALYST, provider, sheet, {"specific_id": 0, "name": 1, "domains": 2})
    again = content.replace(b"1|", b"2|")
    table, places = describe_upload(service, ANALYST, upload(service, "b.csv", again), FIELDS, target)
    assert (table.reading.encoding, table.reading.separator) == ("cp1250", "|")
    assert places == {"specific_id": 0, "name": 1, "domains": 2}
    other, guessed = describe_upload(service, ANALYST, upload(service, "b.csv", again), FIELDS, MAPPINGS)
    assert (other.reading.encoding, guessed) == ("cp1252", {})
    renamed = commas(("1", "Ant", "ant.de"))
    table, places = describe_upload(service, ANALYST, upload(service, "c.csv", renamed), FIELDS, target)
    assert (table.reading.encoding, places) == ("utf-8-sig", {"specific_id": 0, "name": 1, "domains": 2})


def test_a_sheet_that_was_chosen_is_chosen_again_and_hidden_lines_are_not_left_out_again(
    service: Service, provider: int
) -> None:
    content = by_openpyxl(cover, ("1", "Ant", "ant.de"))
    sheet = open_sheet("a.xlsx", content, FIELDS, Reading(leaves_hidden=True))
    load(service, provider, sheet)
    table, _ = describe_upload(
        service, ANALYST, upload(service, "a.xlsx", content), FIELDS, find_accounts_target(provider)
    )
    assert (table.reading.sheet, table.reading.leaves_hidden) == ("Customers", False)

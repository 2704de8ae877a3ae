"""Templates for imports: every heading is understood at once, and what a person fills in is what is stored."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from service.fakes import ADMIN, ANALYST, make_service, rows_of
from service.import_files import csv_of

from w365.service.exporting import Format
from w365.service.importing import mapping_plan
from w365.service.importing.accounts import AccountsChoice, import_accounts
from w365.service.importing.templates import make_template
from w365.service.syncing import providers
from w365.service.syncing.manual_rows import FIELDS, read_row
from w365.sheets import Field, guess_columns, open_sheet
from w365.sheets.columns import letter
from w365.store import tables as t
from w365.store.db.engine import Store

GUID = "0000ABCD-0000-4000-8000-00000000000A"
LINE = ("007", "=Ant & Sons", "ant.de, ant.com", "DE", GUID, "2", "31")


def filled(content: bytes, form: Format, line: Sequence[str]) -> bytes:
    if form is Format.CSV:
        return content + csv_of(line)
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    for place, text in enumerate(line, start=1):
        sheet.cell(2, place, text).data_type = "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
@pytest.mark.parametrize("fields", [FIELDS, mapping_plan.FIELDS])
def test_every_heading_of_a_template_is_understood(fields: Sequence[Field], form: Format) -> None:
    file = make_template("some rows", fields, form)
    sheet = open_sheet(file.name, filled(file.content, form, ["x"] * len(fields)))
    assert guess_columns(sheet.headings, fields) == {one.name: place for place, one in enumerate(fields)}


@pytest.mark.parametrize("form", [Format.CSV, Format.XLSX])
def test_a_template_filled_in_is_imported_as_it_was_typed(store: Store, home: Path, form: Format) -> None:
    service = make_service(store, home)
    provider = providers.add_manual_provider(service, ADMIN, "Harbour")
    file = make_template("provider accounts", FIELDS, form)
    sheet = open_sheet(file.name, filled(file.content, form, LINE))
    run = import_accounts(service, ANALYST, provider, sheet, guess_columns(sheet.headings, FIELDS), AccountsChoice())
    assert run.result == {"new": 1}
    account, work = t.ProviderAccount, t.Worklist
    assert rows_of(store, account.specific_id, account.name, account.default_domain, account.tenant_guid) == [
        ("007", "=Ant & Sons", "ant.de", GUID.lower())
    ]
    assert rows_of(store, work.seats, work.subscriptions) == [(31, 2)]


@pytest.mark.parametrize("fields", [FIELDS, mapping_plan.FIELDS])
def test_excel_checks_every_column_and_shows_examples_that_it_lets_pass(fields: Sequence[Field]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(make_template("some rows", fields, Format.XLSX).content))
    checks = {str(check.sqref).partition(":")[0]: check for check in book.worksheets[0].data_validations.dataValidation}
    assert list(checks) == [f"{letter(place)}2" for place in range(len(fields))]
    shown = {row[0]: row[3:] for row in book["How to fill in"].iter_rows(min_row=2, values_only=True)}
    for check, field in zip(checks.values(), fields, strict=True):
        assert (check.type, check.promptTitle) == ("whole" if field.is_amount else "textLength", field.label)
        assert tuple(each or "" for each in shown[field.label][: len(field.examples)]) == field.examples
        for example in filter(None, field.examples):
            size = int(example) if field.is_amount else len(example)
            assert int(check.formula1) <= size <= int(check.formula2)


def test_the_examples_are_lines_that_can_be_imported() -> None:
    for place in range(2):
        customer, problems = read_row({field.name: field.examples[place] for field in FIELDS})
        assert (problems, bool(customer)) == ((), True)

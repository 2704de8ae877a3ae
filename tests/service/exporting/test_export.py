"""Downloads: no cell is a formula, totals equal the screen's, columns are fixed, and a file is whole or not there."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from fresh_stores import FreshStores
from hypothesis import given
from hypothesis import strategies as st
from service.export_steps import download
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
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
    subscription,
    sync,
)

from w365.errors import InputError
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.exporting import COLUMNS, EVERYTHING, Format, Subject, read_records, write_file
from w365.service.exporting.cells import safe_cell
from w365.service.insight import statistics
from w365.sheets.lines import FORMULA, take_apostrophes
from w365.store.db.engine import Store

EVIL = ("=1+1", "+49 30", "-x", "@sum", "\tx", "＝1", 'a "quote", and\nline')


@pytest.fixture(scope="module")
def service(_stores: FreshStores, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Customers with names that a spreadsheet would run; some mapped by a match, one by hand, two in conflict."""
    store = _stores()
    _stores.taken.remove(store)  # kept for the module
    crm = FakeCrm()
    crm.put(account("a1", name="=cmd()", number="A-1"), account("a2", website="c.com"), account("a3", website="c.com"))
    crm.put(contact("c1", "a1", "one.com"))
    listed = [customer(f"p{place}", f"d{place}.com", name=name) for place, name in enumerate(EVIL)]
    listed.append(customer("q1", "one.com", subscriptions=(subscription(1, 4),)))
    listed += [customer("q2", "c.com"), customer("q3", "c.com", subscriptions=(subscription(1, 2),))]
    made = make_service(store, tmp_path_factory.mktemp("home"), portal=FakePortal(pages_of(listed)), crm=crm)
    crm_sync(made)
    sync(made)
    settings.set_setting(made, ADMIN, "auto_match", "true")
    match(made)
    mapping.assign_account(made, ANALYST, id_of(store, "p0"), account_id_of(store, "a2"), seen=0)
    return made


def content(service: Service, subject: Subject, form: Format) -> bytes:
    return download(service, ADMIN, subject, form)


def table(service: Service, subject: Subject) -> list[dict[str, str]]:
    text = content(service, subject, Format.CSV).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# --- what is in it ---


@pytest.mark.parametrize("subject", Subject)
def test_the_columns_are_fixed_in_every_record(service: Service, subject: Subject) -> None:
    records = list(read_records(service, ADMIN, subject))
    assert records
    assert {tuple(record) for record in records} == {COLUMNS[subject]}


def test_mappings_have_the_columns_that_scripts_rely_on() -> None:
    needed = {"provider", "provider_specific_account_id", "provider_name", "status", "origin"}
    needed |= {"account_id", "account_number", "account_name"}
    assert needed <= set(COLUMNS[Subject.MAPPINGS])


def test_candidates_have_exactly_the_shape_that_scripts_rely_on(service: Service) -> None:
    found = {
        one["provider_specific_account_id"]: one
        for one in json.loads(content(service, Subject.CANDIDATES, Format.JSON))
    }
    keys = [
        "provider",
        "provider_specific_account_id",
        "status",
        "account_id",
        "account_number",
        "origin",
        "candidates",
    ]
    assert all(list(one) == keys for one in found.values())
    assert {tuple(best) for one in found.values() for best in one["candidates"]} == {
        ("account_id", "account_number", "score", "reasons")
    }
    assert {name: found["q1"][name] for name in keys[2:6]} == {
        "status": "mapped",
        "account_id": "a1",
        "account_number": "A-1",
        "origin": "auto",
    }
    assert {best["account_id"] for best in found["q2"]["candidates"][:2]} == {"a2", "a3"}
    assert all(0 < best["score"] <= 1 and best["reasons"] for best in found["q2"]["candidates"])
    assert len(found) == len(EVIL) + 3


def test_the_totals_of_the_files_equal_the_screens(service: Service) -> None:
    shown = statistics.read_statistics(service, VIEWER).totals
    mappings = table(service, Subject.MAPPINGS)
    assert sum(one["status"] == "mapped" for one in mappings) == shown.mapped == 2
    assert len(table(service, Subject.UNMAPPED)) == shown.unmapped
    conflicts = table(service, Subject.CONFLICTS)
    assert len(conflicts) == shown.conflict == 2
    assert sum(int(one["seats"]) for one in conflicts) == shown.blocked_seats == 2
    lines = {(one["section"], one["measure"]): one["value"] for one in table(service, Subject.STATISTICS)}
    assert lines["Total", "mapped"] == str(shown.mapped)
    assert lines["Total", "backlog"] == str(shown.backlog)
    assert float(lines["Total", "match rate"]) == pytest.approx(shown.match_rate)


def test_the_file_says_of_each_mapping_what_the_screen_counts_it_by(service: Service) -> None:
    mapped = [one["why"] for one in table(service, Subject.MAPPINGS) if one["status"] == "mapped"]
    assert sorted(mapped) == ["By hand", "Contact domain"]


def test_whole_numbers_stay_whole_where_others_are_missing(service: Service) -> None:
    runs = [one["run"] for one in table(service, Subject.DECISIONS)]
    assert runs[0] == ""  # by hand
    assert all(run.isdecimal() for run in runs[1:])


def test_times_are_utc_in_one_form(service: Service) -> None:
    assert {one["first_seen"] for one in table(service, Subject.MAPPINGS)} == {"2026-11-02T09:00:00Z"}
    record = json.loads(content(service, Subject.MAPPINGS, Format.JSON))[0]
    assert record["first_seen"] == "2026-11-02T09:00:00Z"


# --- safe to open ---


@given(text=st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("=+-@;\t\r\n'"), max_size=8))
def test_no_text_becomes_a_formula_however_a_spreadsheet_separates_cells(text: str) -> None:
    cell = safe_cell(text)
    assert isinstance(cell, str)
    assert not [part for part in re.split("[;\t\r\n]", cell) if part.startswith(FORMULA)]
    assert take_apostrophes(cell) == text


def test_a_csv_gives_names_back_but_for_the_mark_before_formulas(service: Service) -> None:
    names = {one["provider_name"].removeprefix("'") for one in table(service, Subject.MAPPINGS)}
    assert set(EVIL) <= names
    raw = content(service, Subject.MAPPINGS, Format.CSV).decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(raw, newline="")) for cell in line]
    assert not [cell for cell in cells if cell.startswith(FORMULA)]


@pytest.mark.parametrize("subject", Subject)
def test_an_excel_file_opens_without_formulas_and_with_a_frozen_header(service: Service, subject: Subject) -> None:
    book = openpyxl.load_workbook(io.BytesIO(content(service, subject, Format.XLSX)))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert [str(cell.value).removesuffix(" (UTC)") for cell in sheet[1]] == list(COLUMNS[subject])
    assert sheet.max_row == len(list(read_records(service, ADMIN, subject))) + 1
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert book.sheetnames[1] == "Definitions"


@pytest.mark.parametrize("subject", Subject)
def test_a_parquet_file_gives_the_records_back(service: Service, subject: Subject) -> None:
    frame = pd.read_parquet(io.BytesIO(content(service, subject, Format.PARQUET)))
    records = list(read_records(service, ADMIN, subject))
    assert list(frame.columns) == list(COLUMNS[subject])
    assert len(frame) == len(records)
    for name in set(frame.columns) & {"provider_name", "status", "provider_specific_account_id", "measure"}:
        assert list(frame[name]) == [record[name] for record in records]


# --- nothing, and what cannot be written ---


@pytest.mark.parametrize("subject", [one for one in EVERYTHING if one is not Subject.STATISTICS])
@pytest.mark.parametrize("form", Format)
def test_a_file_without_rows_still_says_its_columns(store: Store, home: Path, subject: Subject, form: Format) -> None:
    empty = content(make_service(store, home), subject, form)
    columns: Any = {
        Format.CSV: lambda: next(csv.reader(io.StringIO(empty.decode("utf-8-sig")))),
        Format.XLSX: lambda: [
            str(cell.value).removesuffix(" (UTC)")
            for cell in openpyxl.load_workbook(io.BytesIO(empty)).worksheets[0][1]
        ],
        Format.PARQUET: lambda: list(pd.read_parquet(io.BytesIO(empty)).columns),
        Format.JSON: lambda: list(COLUMNS[subject]) if json.loads(empty) == [] else [],
    }[form]()
    assert columns == list(COLUMNS[subject])


def test_the_statistics_of_an_empty_database_have_no_rate(store: Store, home: Path) -> None:
    lines = table(make_service(store, home), Subject.STATISTICS)
    assert {one["value"] for one in lines if one["measure"] == "match rate"} == {""}


def test_a_written_file_says_its_rows_and_leaves_nothing_beside_it(service: Service, tmp_path: Path) -> None:
    assert write_file(service, VIEWER, Subject.MAPPINGS, Format.CSV, tmp_path / "out.csv") == len(EVIL) + 3
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("place", ["folder", "file/out.csv", "missing/out.csv", "."])
def test_a_path_that_cannot_be_written_is_said_so_and_nothing_is_left(
    service: Service, tmp_path: Path, place: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine", encoding="ascii")
    with pytest.raises(InputError, match=r"cannot be written .* Nothing was changed\. Choose another path"):
        write_file(service, VIEWER, Subject.MAPPINGS, Format.CSV, tmp_path / place)
    assert {one.name for one in tmp_path.iterdir()} == {"folder", "file"}
    assert (tmp_path / "file").read_text(encoding="ascii") == "mine"

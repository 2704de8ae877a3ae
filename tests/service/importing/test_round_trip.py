"""What is exported imports as it is, whatever its format and whatever stands in it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from service.fakes import ADMIN, ANALYST, make_service, rows_of
from service.import_files import csv_sheet

from w365.service.exporting import Format, Subject, write_file
from w365.service.exporting.parquet_files import write_parquet
from w365.service.exporting.subjects import COLUMNS, Record
from w365.service.exporting.text_files import write_csv, write_json
from w365.service.exporting.workbooks import write_workbook
from w365.service.importing import mapping_plan
from w365.service.importing.accounts import AccountsChoice, import_accounts
from w365.service.importing.reading import read_texts
from w365.service.syncing import providers
from w365.service.syncing.manual_rows import FIELDS
from w365.sheets import guess_columns, open_sheet
from w365.store import tables as t
from w365.store.db.engine import Store

WRITERS: Mapping[Format, Callable[[BinaryIO, Subject, Iterable[Record]], int]] = {
    Format.CSV: write_csv,
    Format.JSON: write_json,
    Format.PARQUET: write_parquet,
    Format.XLSX: lambda file, subject, records: write_workbook(file, [(subject, records)]),
}
ODD = (
    *("00042", "0", "7.12346E+17", "1E5", "2026-02-01", "1-Feb", "01. Feb", "1/2", "123456789012345678901234567890"),
    *("=1+1", "@a", "+49 30", "-5", "'=x", "''", '="00042"', "a,b;c|d", 'say "a"', "sep=;", "#TYPE x", "TRUE"),
    *("_x0041_", "_x005F_", "ООО «Ромашка»", "株式会社", "شركة", "חברה", "Ärzte & Söhne", "👩‍🚀", "é", "1,042", "5 %"),
    *("null", "NaN", "[1]", '{"a": 1}', "<b>", "&amp;", "\\", "%00"),
)
WRITTEN = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" ,;|'\"=\\"), min_size=1, max_size=12)
TEXTS = (WRITTEN.map(str.strip).filter(bool) | st.sampled_from(ODD)).filter(lambda text: text.isprintable())


def export(form: Format, records: Iterable[Record]) -> bytes:
    buffer = io.BytesIO()
    WRITERS[form](buffer, Subject.UNMAPPED, records)
    return buffer.getvalue()


@pytest.mark.parametrize("form", list(Format))
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
@settings(max_examples=40)
def test_every_text_comes_back_from_every_format(form: Format, pairs: list[tuple[str, str]]) -> None:
    records = [
        dict.fromkeys(COLUMNS[Subject.UNMAPPED])
        | {"provider": "P", "provider_specific_account_id": one, "provider_name": other, "domain": "a.de", "seats": 7}
        for one, other in pairs
    ]
    for fields in (FIELDS, mapping_plan.FIELDS):
        sheet = open_sheet(f"a.{form}", export(form, records), fields)
        lines = list(read_texts(sheet, fields, guess_columns(sheet.headings, fields)))
        assert [line.texts["specific_id"] for line in lines] == [one for one, _ in pairs]
        assert not any(line.surplus for line in lines)
    sheet = open_sheet(f"a.{form}", export(form, records), FIELDS)
    lines = list(read_texts(sheet, FIELDS, guess_columns(sheet.headings, FIELDS)))
    assert [(line.texts["name"], line.texts["seats"], dict(line.doubts)) for line in lines] == [
        (other, "7", {}) for _, other in pairs
    ]


@pytest.mark.parametrize("form", list(Format))
def test_an_export_imported_again_changes_nothing(store: Store, home: Path, tmp_path: Path, form: Format) -> None:
    service = make_service(store, home)
    provider = providers.add_manual_provider(service, ADMIN, "Harbour")
    texts = [text for text in ODD if text.isprintable()]
    lines = [(f"{place}x", text, "b.de, a.de, c.de", "DE", "2", "7") for place, text in enumerate(texts)]
    head = ("Id", "Name", "Domains", "Country", "Subscriptions", "Seats")
    first = csv_sheet(head, *lines)
    import_accounts(service, ANALYST, provider, first, guess_columns(first.headings, FIELDS), AccountsChoice())
    account = t.ProviderAccount
    with service.store.write() as connection:  # ids that a spreadsheet could have made, stored by other ways
        for place, text in enumerate(texts):
            connection.execute(
                account.__table__.update().where(account.specific_id == f"{place}x").values(specific_id=text)
            )
            connection.execute(
                t.Worklist.__table__.update().where(t.Worklist.specific_id == f"{place}x").values(specific_id=text)
            )
    path = tmp_path / f"out.{form}"
    write_file(service, ADMIN, Subject.UNMAPPED, form, path)
    sheet = open_sheet(path.name, path, FIELDS)
    run = import_accounts(service, ANALYST, provider, sheet, guess_columns(sheet.headings, FIELDS), AccountsChoice())
    assert run.result == {"unchanged": len(texts)}
    assert len(rows_of(store, account.id)) == len(texts)

"""`import accounts` and `import mappings`: what they print, and their exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from service.fakes import ADMIN, FakeCrm, account, crm_sync, make_service, rows_of
from service.import_files import csv_of, xlsx_of
from sheets.people_files import by_openpyxl, cover, hidden_row
from typer.testing import CliRunner, Result

from w365.cli.importing import import_commands
from w365.errors import InputError
from w365.service import Service
from w365.service.exporting import Format as ExportFormat
from w365.service.exporting import Subject, write_file
from w365.service.syncing import providers
from w365.store import tables as t
from w365.store.db.engine import Store

Run = Callable[..., Result]


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    crm = FakeCrm()
    crm.put(account("a1", name="Ant", number="N-1"), account("a2", name="Bee", number="N-2"))
    service = make_service(store, home, crm=crm)
    providers.add_manual_provider(service, ADMIN, "Harbour")
    crm_sync(service)
    return service


@pytest.fixture
def run(service: Service) -> Run:
    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(
            import_commands, [str(each) for each in arguments], obj=lambda **_: nullcontext(service)
        )

    return invoke


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_accounts_and_then_mappings_come_in_and_back_out(run: Run, service: Service, tmp_path: Path) -> None:
    file = put(tmp_path / "a.xlsx", xlsx_of(("No", "Firma", "Domain"), (1001, "Ant", "ant.de"), (1002, "Bee", "")))
    told = run("accounts", file, "--provider", "harbour", "--column", "specific_id=No")
    assert (told.exit_code, told.stdout) == (0, "Imported: 2 new.\n")
    lines = put(tmp_path / "m.csv", csv_of(("Customer id", "Account number"), ("1001", "N-1"), ("1002", "N-2")))
    dry = run("mappings", lines, "--provider", "Harbour", "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)["mapped"], rows_of(service.store, t.Mapping.origin)) == (0, 2, [])
    done = json.loads(run("mappings", lines, "--provider", "Harbour", "--json").stdout)
    assert (done["imported"], done["mapped"], done["errors"]) == (True, 2, [])
    assert rows_of(service.store, t.Mapping.origin) == [("imported",)] * 2
    assert rows_of(service.store, t.Decision.run_id) == [(done["run"],)] * 2
    write_file(service, ADMIN, Subject.MAPPINGS, ExportFormat.CSV, tmp_path / "out.csv")
    again = run("mappings", tmp_path / "out.csv")
    assert (again.exit_code, again.stdout) == (0, "Imported: 2 same.\n")


def test_bad_lines_are_told_and_end_with_1_unless_left_out(run: Run, service: Service, tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", csv_of(("Id", "Name"), ("1", "Ant"), ("2", "")))
    told = run("accounts", file, "--provider", "Harbour")
    assert told.exit_code == 1
    assert "line 3, Name: is missing" in told.stderr
    assert "Nothing was imported. Correct the lines" in told.stderr
    assert rows_of(service.store, t.ProviderAccount.id) == []
    assert run("accounts", file, "--provider", "Harbour", "--dry-run").exit_code == 1
    assert run("accounts", file, "--provider", "Harbour", "--leave-out-errors").exit_code == 0
    assert rows_of(service.store, t.ProviderAccount.specific_id) == [("1",)]


def test_wrong_usage_ends_with_2_and_a_file_that_is_not_there_is_a_sentence(run: Run, tmp_path: Path) -> None:
    file = put(tmp_path / "a.csv", csv_of(("Id", "Name"), ("1", "Ant")))
    assert run("accounts", file).exit_code == 2
    assert run("mappings", file, "--also", "everything").exit_code == 2
    assert run("accounts", file, "--provider", "Harbour", "--column", "name=Nothing").exit_code == 2
    assert run("accounts", file, "--provider", "Harbour", "--column", "shoe=Name").exit_code == 2
    missing = run("accounts", tmp_path / "none.csv", "--provider", "Harbour")
    assert isinstance(missing.exception, InputError)
    assert "cannot be read (No such file or directory)" in str(missing.exception)


def test_how_a_file_is_read_is_said_and_can_be_chosen(run: Run, service: Service, tmp_path: Path) -> None:
    lines = (("No", "Firma"), ("1", "M\u00fcller"))
    file = put(tmp_path / "a.csv", csv_of(("Customers",), *lines, separator=":", encoding="mac_roman"))
    options = ("--heading-line", "2", "--delimiter", ":", "--encoding", "macintosh", "--column", "specific_id=No")
    told = run("accounts", file, "--provider", "Harbour", *options)
    assert (told.exit_code, told.stdout) == (0, "Imported: 1 new.\n")
    assert "a.csv: CSV, Macintosh, separated by “:”, headings in line 2" in told.stderr
    assert rows_of(service.store, t.ProviderAccount.name) == [("Müller",)]
    again = run("accounts", file, "--provider", "Harbour", "--delimiter", ":", "--dry-run")
    assert (again.exit_code, "1 unchanged" in again.stdout) == (0, True)
    assert run("accounts", file, "--provider", "Harbour", "--encoding", "klingon").exit_code == 2


def test_hidden_lines_and_other_sheets_are_said(run: Run, tmp_path: Path) -> None:
    rows = [("1", "Ant", "ant.de"), ("2", "Bee", "bee.de")]
    file = put(tmp_path / "a.xlsx", by_openpyxl(lambda *of: (cover(*of), hidden_row(*of)), *rows))
    told = run("accounts", file, "--provider", "Harbour", "--dry-run")
    assert "sheet “Customers”, headings in line 1" in told.stderr
    assert "Other sheets, which are not read: “Cover”." in told.stderr
    assert "1 lines are hidden in the workbook; --leave-out-hidden leaves them out." in told.stderr
    assert "2 new" in told.stdout
    assert "1 new" in run("accounts", file, "--provider", "Harbour", "--dry-run", "--leave-out-hidden").stdout
    assert isinstance(run("accounts", file, "--provider", "Harbour", "--sheet", "Gone").exception, InputError)

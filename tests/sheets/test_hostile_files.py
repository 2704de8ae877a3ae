"""Files that were made to hold up whoever reads them are a sentence, in little time and memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from processes import CONTEXT
from sheets.hostile_files import CSV, JSON, ODS, PARQUET, XLSX, package, sheet, with_entity

from w365.errors import InputError
from w365.sheets import limits, open_sheet

ROOT = Path(__file__).parents[2]

SECONDS, MEBIBYTES = 2.0, 100
CASES = [
    (f"{name}.{kind}", *case)
    for kind, cases in (("xlsx", XLSX), ("csv", CSV), ("ods", ODS), ("json", JSON), ("parquet", PARQUET))
    for name, case in cases.items()
]


def measure(path: Path, told: Connection) -> None:
    """Read a file to its end, and tell what was said, seconds of processor time and MiB that it took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, said = time.process_time(), ""
    try:
        for _ in open_sheet(path.name, path).lines():
            pass
    except InputError as error:
        said = f"{error.what}|{error.kept}|{error.do}"
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    told.send((said, time.process_time() - began, taken))


def read_apart(path: Path) -> tuple[str, float, float]:
    here, there = multiprocessing.Pipe(duplex=False)
    process = CONTEXT.Process(target=measure, args=(path, there))
    process.start()
    there.close()
    answer: tuple[str, float, float] = here.recv()
    process.join()
    return answer


@pytest.mark.parametrize(("name", "make", "expected"), CASES, ids=[name for name, _, _ in CASES])
def test_a_hostile_file_is_a_sentence_soon_and_in_little_memory(
    tmp_path: Path, name: str, make: Callable[[], bytes], expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(make())
    said, seconds, mebibytes = read_apart(path)
    what, kept, do = said.split("|")
    assert any(words in what for words in expected.split("|")), what
    assert kept == "Nothing was read."
    assert do
    assert seconds < SECONDS
    assert mebibytes < MEBIBYTES


def command(path: Path, home: Path) -> tuple[int, str, float, float]:
    """Import a file on the command line: its status, what stderr says, seconds of processor time and MiB it took."""
    environment = {**os.environ, "W365_HOME": str(home), "W365_DEMO": "off", "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "w365", "import", "mappings", str(path), "--dry-run"]
    with (home / "told").open("w+b") as told:
        process = subprocess.Popen(line, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        return process.returncode, told.read().decode(), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def test_the_command_line_says_it_too_and_takes_no_more(tmp_path: Path) -> None:
    _, _, usual_seconds, usual_mebibytes = command(tmp_path / "none.csv", tmp_path)
    for name, make, expected in CASES[:: len(CASES) // 7]:
        (tmp_path / name).write_bytes(make())
        status, told, seconds, mebibytes = command(tmp_path / name, tmp_path)
        assert (status, told.count("\n")) == (1, 1)
        assert any(words in told for words in expected.split("|"))
        assert "Nothing was read." in told
        assert seconds - usual_seconds < SECONDS
        assert mebibytes - usual_mebibytes < MEBIBYTES


def test_the_limits_stand_in_the_documents() -> None:
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    told = (limits.MOST_ROWS, limits.MOST_COLUMNS, limits.MOST_CELLS, limits.LONGEST_CELL, limits.LONGEST_LINE)
    told += (limits.MOST_TEXTS, limits.MOST_FORMATS, limits.MOST_PARTS, limits.MOST_MERGED, limits.MOST_CHARACTERS)
    for amount in told:
        assert f"| {amount:,}" in text
    assert f"{limits.MOST_BYTES >> 20:,} MB" in text
    assert f"more than {limits.FREE_BYTES >> 20} MB | {limits.MOST_TIMES} MB" in text


def test_page_server_proxy_and_documents_agree_on_how_large_a_file_may_be() -> None:
    megabytes = limits.MOST_UPLOAD_BYTES >> 20
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["server"]
    assert server["maxUploadSize"] == megabytes
    for place in ("docs/running.md", "deploy/nginx.conf"):
        assert f"client_max_body_size {megabytes + 1}m;" in (ROOT / place).read_text(encoding="utf-8")
    files = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    assert f"has to let as much through) | {megabytes} MB |" in files
    assert f"{limits.MOST_CHARACTERS:,} |" in files


def test_an_entity_from_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("what stands there")
    with pytest.raises(InputError) as raised:
        open_sheet("a.xlsx", with_entity(f'<!ENTITY a SYSTEM "file://{tmp_path / "secret"}">'))
    assert "what stands there" not in str(raised.value) + raised.value.detail


def test_what_is_no_file_is_not_waited_for() -> None:
    with pytest.raises(InputError, match="is no file"):
        open_sheet("zero", Path("/dev/zero"))


def test_odd_but_honest_workbooks_are_read() -> None:
    rows = (
        '<x:row><x:c t="inlineStr"><x:is><x:r><x:t>I</x:t></x:r><x:r><x:t>d</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh>'
        '</x:is></x:c><x:c t="str"><x:f>A1</x:f><x:v>Na_x005F_me</x:v></x:c></x:row>'
        '<x:row r="900000"><x:c r="B900000" t="b"><x:v>1</x:v></x:c><x:c r="XFD900000" s="4"/></x:row>'
    )
    content = package(
        {
            "xl/worksheets/sheet1.xml": sheet(rows)
            .replace("sheetData", "x:sheetData")
            .replace("worksheet", "x:worksheet")
            .replace("xmlns=", "xmlns:x=")
        }
    )
    read = open_sheet("a.xlsx", content)
    assert read.headings == ("Id", "Na_me")
    assert [(line.number, line.cells) for line in read.lines()] == [(900_000, ("", "TRUE"))]

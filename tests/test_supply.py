"""What is installed is what was locked: pins, hashes, licences, the bill of materials, and known weaknesses."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from supply import bom, licences
from supply.packages import (
    LOCK,
    REQUIREMENTS,
    ROOT,
    UNKNOWN,
    is_allowed,
    licence_of,
    needs_of,
    read_lock,
    read_requirements,
)

GUIDE = ROOT / "docs" / "supply-chain.md"
RENEW = "uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes --no-annotate"
AUDIT = "pip-audit -r requirements.lock --require-hashes --disable-pip -s osv"


def pins(text: str) -> list[str]:
    return re.findall(r"^[a-z0-9].*?(?= \\$)", text, flags=re.MULTILINE)


# --- the lock ---


def test_the_lock_holds_every_direct_pin_as_it_is_pinned() -> None:
    lock = read_lock()
    for requirement in read_requirements():
        package = lock[canonicalize_name(requirement.name)]
        assert (str(requirement.specifier), package.marker) == (f"=={package.version}", "")


def test_every_locked_package_has_the_hashes_of_all_its_files() -> None:
    for package in read_lock().values():
        assert len(package.hashes) >= 2  # a wheel and its source
        assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in package.hashes)


def test_the_lock_holds_what_is_installed_here_and_nothing_that_nobody_needs() -> None:
    here = {name for name, package in read_lock().items() if package.is_for_here}
    assert set(needs_of(read_requirements())) == here


def test_compiled_packages_are_locked_for_other_systems_than_this_one() -> None:
    lock = read_lock()
    assert min(len(lock[name].hashes) for name in ("cryptography", "numpy", "pandas", "psycopg-binary", "pyarrow")) > 20
    assert {"colorama", "watchdog"} <= {name for name, package in lock.items() if "sys_platform" in package.marker}


def test_the_lock_names_no_place_to_fetch_from() -> None:
    assert not re.search(r"https?:|--(extra-)?index|--find-links|@ ", LOCK.read_text(encoding="utf-8"))


@pytest.mark.tools
def test_making_the_lock_anew_changes_no_pin(tmp_path: Path) -> None:
    made = tmp_path / LOCK.name
    made.write_bytes(LOCK.read_bytes())
    command = [sys.executable, "-m", *RENEW.split(), "--system-certs", "-q", "-o", str(made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode and re.search(r"[Cc]onnect|dns|network", done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    assert pins(made.read_text(encoding="utf-8")) == pins(LOCK.read_text(encoding="utf-8"))


def test_the_guide_says_how_the_lock_is_made_installed_and_looked_through() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for line in (f"{RENEW} -o {LOCK.name}", f"pip install --require-hashes -r {LOCK.name}", AUDIT):
        assert line in guide.splitlines(), line
    assert f"{RENEW} -o {LOCK.name}" in LOCK.read_text(encoding="utf-8").splitlines()[1]


# --- licences ---


def test_the_program_is_under_the_apache_licence_word_for_word() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"  # as apache.org serves it
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["license"], project["license-files"]) == ("Apache-2.0", ["LICENSE"])


def test_every_licence_is_known_and_fits() -> None:
    assert {name: licence_of(name) for name in read_lock() if not is_allowed(licence_of(name))} == {}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("BSD-3-Clause AND 0BSD AND MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only OR SSPL-1.0", False),
        ("(MIT OR GPL-3.0-only) AND BSD-3-Clause", False),  # nobody needs parentheses yet
        ("Apache-2.0 WITH LLVM-exception", False),
        ("LicenseRef-Own", False),
        (UNKNOWN, False),
        ("", False),
    ],
)
def test_a_licence_that_is_not_listed_does_not_fit(licence: str, expected: bool) -> None:  # noqa: FBT001 - pytest's
    assert is_allowed(licence) is expected


def test_the_page_of_licences_is_as_its_command_makes_it() -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


# --- the bill of materials ---


@pytest.fixture(scope="module")
def made() -> str:
    return bom.as_json(bom.make_bom())


def test_the_bill_of_materials_fits_its_schema(made: str) -> None:
    validator = JsonStrictValidator(bom.VERSION)
    assert validator.validate_str(made) is None
    assert validator.validate_str(made.replace('"library"', '"thing"')) is not None


def test_the_bill_of_materials_holds_every_locked_package_with_version_and_licence(made: str) -> None:
    document = json.loads(made)
    listed = {part["name"]: (part["version"], _licence(part), part["purl"]) for part in document["components"]}
    assert listed == {
        name: (package.version, licence_of(name), f"pkg:pypi/{name}@{package.version}")
        for name, package in read_lock().items()
    }
    program = document["metadata"]["component"]
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert len(needs[program["bom-ref"]]) == len(read_requirements(REQUIREMENTS))
    assert _licence(program) == "Apache-2.0"
    assert "pkg:pypi/httpcore@" in " ".join(needs[listed["httpx"][2]])


def _licence(part: Mapping[str, Any]) -> str:
    (licence,) = part["licenses"]
    return str(licence.get("expression") or licence["license"]["id"])


# --- known weaknesses ---


def audit(folder: Path, *more: str) -> None:
    """Fail where the service knows of a weakness, skip where it does not answer."""
    command = [sys.executable, "-m", "pip_audit", *AUDIT.split()[1:], "-f", "json", "--progress-spinner", "off"]
    command += ["--cache-dir", str(folder), "--timeout", "10", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout and re.search(r"requests\.exceptions\.|ServiceError|ConnectionError", done.stderr):
        pytest.skip("the service that knows the weaknesses of packages cannot be reached")
    assert done.stdout, done.stderr
    audited = json.loads(done.stdout)["dependencies"]
    assert {part["name"]: part.get("vulns", "not audited") for part in audited if part.get("vulns") != []} == {}
    assert done.returncode == 0, done.stderr
    assert {canonicalize_name(part["name"]) for part in audited} == {
        name for name, package in read_lock().items() if package.is_for_here
    }


@pytest.mark.tools
def test_nothing_that_is_locked_has_a_known_weakness(tmp_path: Path) -> None:
    audit(tmp_path)


WEAKNESS = {
    "id": "PYSEC-2026-1",
    "summary": "made up",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}],
        }
    ],
}


@contextmanager
def service(weak: str = "") -> Iterator[str]:
    """A service that knows of one weakness in the package of this name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps({"vulns": [WEAKNESS]} if asked["package"]["name"] == weak else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.mark.tools
def test_a_weakness_fails_the_audit_and_silence_skips_it(tmp_path: Path) -> None:
    with service() as url:
        audit(tmp_path, "--osv-url", url)
    with service("idna") as url, pytest.raises(AssertionError, match="PYSEC-2026-1"):
        audit(tmp_path, "--osv-url", url)
    with pytest.raises(pytest.skip.Exception):
        audit(tmp_path, "--osv-url", url)

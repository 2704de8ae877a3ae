"""The packages that are installed with the program: what the lock says of them, what they need, their licences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements.txt"
LOCK = ROOT / "requirements.lock"
UNKNOWN = "unknown"

ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"),
        *("MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Zlib"),
        # These ask for the source of changes to themselves; they are installed unchanged, beside the program.
        *("LGPL-3.0-only", "MPL-2.0"),
    }
)
"""Licences, by their SPDX names, of what a program under Apache-2.0 may need."""

_READ = {
    "altair": "BSD-3-Clause",  # these three say no more than BSD outside of their licence files
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "colorama": "BSD-3-Clause",  # for Windows only, so not everywhere to be asked
    "watchdog": "Apache-2.0",  # not for macOS
}
_WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache License 2.0": "Apache-2.0",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True, slots=True)
class Package:
    """An entry of the lock. ``marker`` says where it is installed, "" everywhere; ``hashes`` are of all its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def is_for_here(self) -> bool:
        return not self.marker or Marker(self.marker).evaluate()


def read_lock(path: Path = LOCK) -> Mapping[str, Package]:
    """Read the entries, in their order, by name."""
    text = "\n".join(
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
    packages = [_package(entry) for entry in re.split(r"\n(?=\S)", text.strip())]
    return {package.name: package for package in packages}


def _package(entry: str) -> Package:
    pin, *hashes = re.split(r"\s*\\?\s*--hash=sha256:", entry.strip())
    requirement, _, marker = pin.partition(";")
    name, _, version = requirement.strip().partition("==")
    return Package(canonicalize_name(name), version, marker.strip(), tuple(hashes))


def read_requirements(path: Path = REQUIREMENTS) -> list[Requirement]:
    """Read the direct pins."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def needs_of(requirements: Iterable[Requirement]) -> Mapping[str, frozenset[str]]:
    """Walk what is installed here from these requirements on: each package with the names of those it needs."""
    needs: dict[str, frozenset[str]] = {}
    left = list(requirements)
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        further = [need for need in map(Requirement, distribution(name).requires or ()) if _holds(need, requirement)]
        names = frozenset(canonicalize_name(need.name) for need in further)
        if not names <= needs.get(name, frozenset()) or name not in needs:
            needs[name] = needs.get(name, frozenset()) | names
            left += further
    return needs


def _holds(need: Requirement, of: Requirement) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *of.extras))


def licence_of(name: str) -> str:
    """Name the licence as an SPDX expression, as the package states it; UNKNOWN where that cannot be told."""
    if name in _READ:
        return _READ[name]
    metadata = distribution(name).metadata
    stated = [metadata.get("License-Expression", ""), (metadata.get("License", "")).strip()]
    stated += metadata.get_all("Classifier") or []
    return next((licence for text in stated if (licence := _spdx(text))), UNKNOWN)


def _spdx(text: str) -> str:
    try:
        return _WORDS.get(text) or str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""


def is_allowed(licence: str) -> bool:
    """Whether one of the alternatives of an expression is made of allowed licences only; AND binds closer than OR."""
    return any(ALLOWED.issuperset(choice.split(" AND ")) for choice in licence.split(" OR "))

"""The fictional world served when nobody brings data along, out of the data folder ``fiction.zip``.

About 1,200 customers, 3,000 accounts and 8,400 contacts. Most customers find their one account by an exact domain (of a
contact, the account's address or its website); the others do not, each for a reason met in real data: no account, two
accounts, free mail only, no domain of their own, another suffix, a subdomain, an inactive account, the name alone.

The rarest cases come first and are found by their names in the grid: Ledgerquay & Moss advise thirty customers, so that
their domain says nothing about anybody; the subsidiaries of Alderquill Holding write from one domain; Tarnwick Coffee
has two accounts; Sonnental, Söderholm, Großwieden and Lindmère have domains beyond ASCII, written in either form;
Cindervern has left while the list still names it; Birkcrest and Ulvstead are no reseller's customers; then names that
break screens, and Quillhaven with a contact below a contact.
"""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from w365.demo.wire import is_guid
from w365.demo.world import FIRST_DAY, World
from w365.demo.world.csv_lines import Columns, read_lines
from w365.demo.world.folder import read_folder

ARCHIVE = Path(__file__).with_name("fiction.zip")
_SPACE = uuid.UUID("9a1d1b76-23cf-4c0e-8f0a-6a0b6d1f4e10")


@dataclass(frozen=True, slots=True)
class ManualRow:
    """A customer of the manual provider."""

    name: str
    specific_id: str
    domains: tuple[str, ...]
    country: str


def fictional_world() -> World:
    """Read the fictional world. Accounts and contacts came in the order of their rows, one after the other."""
    with _open_archive() as folder:
        world = read_folder(folder, _make_id)
    accounts = (replace(row, created=FIRST_DAY + timedelta(hours=n)) for n, row in enumerate(world.accounts, 1))
    contacts = (replace(row, created=FIRST_DAY + timedelta(minutes=7 * n)) for n, row in enumerate(world.contacts, 1))
    return replace(world, accounts=tuple(accounts), contacts=tuple(contacts), fingerprint="")


def manual_rows() -> tuple[ManualRow, ...]:
    """Customers of the manual provider "Harbour Telecom"; ten of them are customers in Partner Center as well."""
    columns = Columns(("specific_id", "name", "country", "domains"))
    with _open_archive() as folder:
        rows = [row for _, row in read_lines(folder / "manual.csv", columns)]
    return tuple(
        ManualRow(row["name"], row["specific_id"], tuple(row["domains"].split()), row["country"]) for row in rows
    )


@contextmanager
def _open_archive() -> Iterator[zipfile.Path]:
    with zipfile.ZipFile(ARCHIVE) as archive:
        yield zipfile.Path(archive, "fiction/")


def _make_id(kind: str, original: str) -> str:
    """Make a GUID of the row's number, or of the account's; ids of the other provider stand in its files."""
    if is_guid(original):
        return original
    kind = "customer" if kind == "tenant" else kind
    return str(uuid.uuid5(_SPACE, f"{kind}:{int(original.removeprefix('AC-'))}"))

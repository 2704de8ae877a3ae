"""What pages ask of a file that was handed over: each answer is made in a process of its own (`w365.apart`)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from w365.apart import call_apart
from w365.config import Settings
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.importing.accounts import AccountsPreview, preview_accounts
from w365.service.importing.choices import choose_columns, read_remembered
from w365.service.importing.mapping_plan import FIELDS
from w365.service.importing.mappings import MappingChoice, MappingsPreview, preview_mappings
from w365.service.importing.uploads import Upload
from w365.service.syncing.manual_rows import FIELDS as ACCOUNT_FIELDS
from w365.sheets import Field, Places, Sheet, Table, describe_table, open_sheet
from w365.store.db.engine import open_store


@needs(Role.ANALYST)
def describe_upload(
    service: Service, actor: Actor, upload: Upload, fields: Sequence[Field], target: str
) -> tuple[Table, Places]:
    """Say what a file is and which column is which field, as it was for the last one of this target, or guessed.

    What `upload.reading` says is read so. InputError for whatever is no table.
    """
    remembered = read_remembered(service, actor, target)
    known = tuple(fields)
    table = call_apart(describe_table, upload.name, upload.path, known, upload.reading, remembered.reading)
    return table, choose_columns(table.headings, fields, remembered)


@needs(Role.ANALYST)
def look_at_accounts(
    service: Service, actor: Actor, provider_id: int, upload: Upload, places: Places
) -> AccountsPreview:
    """Preview an import of provider accounts, as `preview_accounts` does."""
    return call_apart(_look_at_accounts, _Reach.of(service), actor, provider_id, upload, places)


@needs(Role.ANALYST)
def look_at_mappings(
    service: Service, actor: Actor, upload: Upload, places: Places, choice: MappingChoice
) -> MappingsPreview:
    """Preview an import of mappings, as `preview_mappings` does."""
    return call_apart(_look_at_mappings, _Reach.of(service), actor, upload, places, choice)


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a service on the same database is made of in another process."""

    settings: Settings
    url: str

    @classmethod
    def of(cls, service: Service) -> _Reach:
        return cls(service.settings, service.store.url)

    def service(self) -> Service:
        return Service(open_store(self.url), self.settings, _unconnected, _unconnected)


def _look_at_accounts(reach: _Reach, actor: Actor, provider_id: int, upload: Upload, places: Places) -> AccountsPreview:
    return preview_accounts(reach.service(), actor, provider_id, _open(upload, ACCOUNT_FIELDS), places)


def _look_at_mappings(
    reach: _Reach, actor: Actor, upload: Upload, places: Places, choice: MappingChoice
) -> MappingsPreview:
    return preview_mappings(reach.service(), actor, _open(upload, FIELDS), places, choice)


def _open(upload: Upload, fields: Sequence[Field]) -> Sheet:
    return open_sheet(upload.name, upload.path, fields, upload.reading)


def _unconnected(*_: object) -> AbstractContextManager[Any]:
    return nullcontext()  # a preview asks no other machine

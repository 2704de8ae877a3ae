"""What each line of a file of mappings would do to what stands: the same look before an import and inside it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from w365.errors import InputError
from w365.matching.messages import say_evidence
from w365.model import GUID_LENGTHS, Disposition, Evidence, MatchPolicy, fold_guid
from w365.service.importing.reading import LineTexts, Spool, find_damage, read_texts
from w365.service.importing.report import LineError
from w365.sheets import Field, Places, Sheet
from w365.store.db.bulk_insert import chunks
from w365.store.db.engine import Connection
from w365.store.importing.mapping_lines import (
    Accounts,
    Doubts,
    KnownRow,
    read_doubts,
    read_holding,
    read_known,
    read_providers,
)
from w365.store.syncing.customer_spellings import find_spellings

PROVIDER, SPECIFIC_ID = "provider", "specific_id"
ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME = "account_id", "account_number", "account_name"
_ACCOUNT = (ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME)

FIELDS = (
    Field(
        PROVIDER,
        "Provider",
        "The provider's name; not needed where all lines are of one provider",
        ("provider connection", "source", "portal"),
        examples=("Partner Center", "Harbour Telecom"),
    ),
    Field(
        SPECIFIC_ID,
        "Provider specific account id",
        "The customer's id at the provider (Partner Center: the tenant id); it must be there",
        ("provider specific id", "provider account id", "customer id", "tenant id", "customer tenant id", "tenant"),
        is_needed=True,
        examples=("0d4b545b-3c2b-5c6e-b10b-badcd8b87a45", "00042"),
    ),
    Field(
        ACCOUNT_ID,
        "Account id",
        "The id of the account in the CRM, a GUID",
        ("crm account id", "accountid", "account guid", "account"),
        bounds=GUID_LENGTHS,
        examples=("", "5f1c0a52-7c1e-4d0e-9d0a-1f6c3b2a9e77"),
    ),
    Field(
        ACCOUNT_NUMBER,
        "Account number",
        "The account's number",
        ("accountnumber", "crm account number", "number"),
        examples=("AC-00054", ""),
    ),
    Field(
        ACCOUNT_NAME,
        "Account name",
        "The account's name, where only one has it",
        ("crm account", "crm account name", "mapped account", "name of account"),
    ),
)

_CHUNK = 1_000


class Verdict(enum.StrEnum):
    """What a line means for its provider account. EMPTY names no account."""

    MAP = "map"
    AGAINST = "against_evidence"
    SAME = "same"
    DIFFERENT = "different"
    REJECTED = "rejected_pair"
    SET_ASIDE = "set_aside"
    BREACH = "breach"
    EMPTY = "without_account"


OPTIONAL = (Verdict.AGAINST, Verdict.DIFFERENT, Verdict.REJECTED, Verdict.SET_ASIDE)
"""What a person may choose to map or to leave."""

USUALLY = frozenset({Verdict.AGAINST})
"""Of these, what is mapped unless a person says otherwise: a file of mappings is what people knew."""


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """One line: its provider account and account, what it means, and what speaks against it, in words."""

    line: int
    verdict: Verdict
    provider: str
    account_id: int
    account: str
    row: KnownRow
    other: str = ""

    @property
    def specific_id(self) -> str:
        return self.row.specific_id

    @property
    def provider_account(self) -> str:
        return self.row.name


@dataclass(frozen=True, slots=True)
class _Entry:
    line: int
    provider_id: int
    specific_id: str
    account: str
    field: str


@dataclass(frozen=True, slots=True)
class ReadMappings:
    """A file that was read to its end: the columns by field, their headings, and the lines."""

    places: Places
    headings: Mapping[str, str]
    width: int
    parts: Spool[LineTexts]


def read_lines(sheet: Sheet, places: Places) -> ReadMappings:
    headings = {name: sheet.headings[place] for name, place in places.items()}
    return ReadMappings(places, headings, len(sheet.headings), Spool(chunks(read_texts(sheet, FIELDS, places), _CHUNK)))


class MappingPlan:
    """Reads the lines and judges them in the order of the file; `errors` has the lines that cannot be used.

    `take` names the verdicts that will be mapped: under a unique policy they can keep later lines out.
    """

    def __init__(
        self,
        connection: Connection,
        policy: MatchPolicy,
        read: ReadMappings,
        *,
        provider: str = "",
        take: frozenset[Verdict],
    ) -> None:
        self._connection, self._policy = connection, policy
        self._read, self._take = read, take
        self._providers = read_providers(connection, policy)
        self._otherwise = self._only_provider(provider)
        self._first_lines: dict[int, tuple[int, int]] = {}
        self._holders: dict[int, dict[int, tuple[int, str]]] = {}
        self.errors: list[LineError] = []
        self.lines = self.empty = self.hidden = 0

    def chunks(self) -> Iterator[list[PlannedLine]]:
        for part in chunks(self._lines(), _CHUNK):
            yield self._judge(part)

    def _only_provider(self, name: str) -> int | None:
        """The provider of lines that name none: the one that was said, or the only one there is."""
        ids, names = self._providers.ids, self._providers.names
        if name:
            if name.casefold() not in ids:
                raise InputError(
                    f"There is no provider “{name}”.",
                    kept="Nothing was read.",
                    do=f"Providers: {', '.join(names.values())}.",
                )
            return ids[name.casefold()]
        if PROVIDER not in self._read.places and len(names) > 1:
            raise InputError(
                "The file has no column that names the provider.",
                kept="Nothing was read.",
                do="Choose the column, or say of which provider all lines are.",
            )
        return next(iter(names)) if len(names) == 1 else None

    # --- one line ---

    def _lines(self) -> Iterator[_Entry]:
        for part in self._read.parts:
            for line in part:
                self.lines += 1
                self.hidden += line.is_hidden
                if entry := self._entry_of(line):
                    yield entry

    def _entry_of(self, line: LineTexts) -> _Entry | None:
        if line.surplus:
            why = f"has {line.surplus} cells under {self._read.width} headings; quote a cell that holds the separator"
            self.errors.append(LineError(line.number, "", "", why))
            return None
        for name, why in line.doubts.items():
            self._refuse(line.number, name, line.texts[name], why)
        return None if line.doubts else self._asked(line)

    def _asked(self, line: LineTexts) -> _Entry | None:
        text = line.texts
        field = next((name for name in _ACCOUNT if text.get(name)), "")
        provider_id = self._provider_of(line.number, text.get(PROVIDER, ""))
        if not text.get(SPECIFIC_ID):
            self._refuse(line.number, SPECIFIC_ID, "", "is missing; every line needs it")
        elif not field:
            self.empty += provider_id is not None
        elif provider_id is not None:
            return _Entry(line.number, provider_id, fold_guid(text[SPECIFIC_ID]), text[field], field)
        return None

    def _provider_of(self, line: int, name: str) -> int | None:
        provider_id = self._providers.ids.get(name.casefold()) if name else self._otherwise
        if provider_id is None:
            why = "is no provider here" if name else "is missing; there are several providers"
            self._refuse(line, PROVIDER, name, why)
        return provider_id

    def _refuse(self, line: int, field: str, value: str, why: str) -> None:
        self.errors.append(LineError(line, self._read.headings.get(field, ""), value, why))

    # --- some lines at once ---

    def _judge(self, asked: Sequence[_Entry]) -> list[PlannedLine]:
        matches = list(self._find(asked))
        doubts = read_doubts(self._connection, self._policy, [row.id for _, row, _, _ in matches])
        self._read_holders({account_id for _, _, account_id, _ in matches})
        return [self._planned(entry, row, account_id, name, doubts) for entry, row, account_id, name in matches]

    def _find(self, asked: Sequence[_Entry]) -> Iterator[tuple[_Entry, KnownRow, int, str]]:
        """Find what the lines name, and refuse those that name nothing."""
        rows = self._read_rows(asked)
        accounts = Accounts(self._connection, {entry.account for entry in asked})
        for entry in asked:
            row = rows.get((entry.provider_id, entry.specific_id)) or rows.get(
                (entry.provider_id, entry.specific_id.lower())
            )
            account = accounts.find(entry.account)
            if row is None:
                provider = self._providers.names[entry.provider_id]
                damage = find_damage(entry.specific_id)
                why = f"is unknown at {provider}" + (f"; it {damage}" if damage else "")
                self._refuse(entry.line, SPECIFIC_ID, entry.specific_id, why)
            elif isinstance(account, str):
                self._refuse(entry.line, entry.field, entry.account, account)
            elif self._is_first(entry, row.id, account[0]):
                yield entry, row, *account

    def _read_rows(self, asked: Sequence[_Entry]) -> Mapping[tuple[int, str], KnownRow]:
        """Read provider accounts by provider and id, a GUID by any spelling of it."""
        ids = {text for entry in asked for text in (entry.specific_id, entry.specific_id.lower())}
        provider_ids = {entry.provider_id for entry in asked}
        rows = dict(read_known(self._connection, provider_ids, ids))
        for provider_id in provider_ids:
            missing = [e.specific_id for e in asked if (provider_id, e.specific_id) not in rows]
            spelled = find_spellings(self._connection, provider_id, missing)
            others = read_known(self._connection, [provider_id], spelled.values()) if spelled else {}
            rows |= {(provider_id, text): others[provider_id, stored] for text, stored in spelled.items()}
        return rows

    def _is_first(self, asked: _Entry, row_id: int, account_id: int) -> bool:
        line, account = self._first_lines.setdefault(row_id, (asked.line, account_id))
        if line != asked.line and account != account_id:
            why = f"line {line:,} maps this customer to another account"
            self._refuse(asked.line, asked.field, asked.account, why)
        return line == asked.line

    def _planned(self, asked: _Entry, row: KnownRow, account_id: int, name: str, doubts: Doubts) -> PlannedLine:
        verdict, other = _judge(row, account_id, doubts)
        if verdict in self._take:
            if holder := self._holder_of(account_id, row):
                verdict, other = Verdict.BREACH, holder
            else:
                self._move(row, account_id)
        return PlannedLine(asked.line, verdict, self._providers.names[row.provider_id], account_id, name, row, other)

    # --- who has an account, with the lines judged so far ---

    def _read_holders(self, account_ids: set[int]) -> None:
        if self._providers.apart:
            new = account_ids - self._holders.keys()
            self._holders.update({account_id: {} for account_id in new})
            for account_id, row_id, provider_id, name in read_holding(self._connection, new):
                self._holders[account_id][row_id] = (provider_id, name)

    def _holder_of(self, account_id: int, row: KnownRow) -> str:
        """Name who must not share the account with the row; "" for nobody."""
        holders = self._holders.get(account_id, {}).items()
        others = (held for holder, held in holders if holder != row.id)
        return next((name for provider, name in others if (row.provider_id, provider) in self._providers.apart), "")

    def _move(self, row: KnownRow, account_id: int) -> None:
        if row.account_id is not None:
            self._holders.get(row.account_id, {}).pop(row.id, None)
        self._holders.setdefault(account_id, {})[row.id] = (row.provider_id, row.name)


def _judge(row: KnownRow, account_id: int, doubts: Doubts) -> tuple[Verdict, str]:
    """Say what mapping a row to an account would be, and in words what speaks against it."""
    supported = doubts.evidence.get(row.id, {})
    if row.account_id == account_id:
        return Verdict.SAME, ""
    if row.account_id is not None:
        return Verdict.DIFFERENT, row.account
    if rejected_by := doubts.rejected_by.get((row.id, account_id)):
        return Verdict.REJECTED, rejected_by
    if row.disposition in (Disposition.EXCLUDED, Disposition.PARKED):
        return Verdict.SET_ASIDE, row.disposition
    if supported and account_id not in supported:
        return Verdict.AGAINST, _say_support(supported, doubts.names)
    return Verdict.MAP, ""


def _say_support(supported: Mapping[int, Sequence[Evidence]], names: Mapping[int, str]) -> str:
    return "; ".join(
        f"{names[account_id]}: {', '.join(say_evidence(fact) for fact in facts)}"
        for account_id, facts in supported.items()
    )

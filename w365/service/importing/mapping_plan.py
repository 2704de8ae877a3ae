"""What each line of a file of mappings would do to what stands: the same look before an import and inside it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Cardinality, Disposition, Evidence, MatchPolicy
from w365.service.importing.mapping_facts import (
    Accounts,
    Holders,
    Named,
    Standing,
    names_of,
    read_standings,
    rejected_by_people,
    say_support,
)
from w365.service.importing.report import LineError
from w365.sheets import Field, Line, Places, Sheet
from w365.store import tables as t
from w365.store.matching.evidence import evidence_of

PROVIDER, SPECIFIC_ID = "provider", "specific_id"
ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME = "account_id", "account_number", "account_name"
_ACCOUNT = (ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME)

FIELDS = (
    Field(
        PROVIDER,
        "Provider",
        "The provider's name; not needed where all lines are of one provider",
        ("provider connection", "source", "portal"),
    ),
    Field(
        SPECIFIC_ID,
        "Provider specific account id",
        "The customer's id at the provider (Partner Center: the tenant id); it must be there",
        ("provider specific id", "provider account id", "customer id", "tenant id", "customer tenant id", "tenant"),
        is_needed=True,
    ),
    Field(
        ACCOUNT_ID,
        "Account id",
        "The id of the account in the CRM, a GUID",
        ("crm account id", "accountid", "account guid", "account"),
    ),
    Field(ACCOUNT_NUMBER, "Account number", "The account's number", ("accountnumber", "crm account number", "number")),
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
class Planned:
    """One line: its provider account and account, what it means, and what speaks against it, in words."""

    line: int
    verdict: Verdict
    provider_account_id: int
    provider: str
    specific_id: str
    provider_account: str
    account_id: int
    account: str
    old_account_id: int | None = None
    other: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    line: int
    provider_id: int
    specific_id: str
    account: str
    field: str


class MappingPlan:
    """Reads the lines and judges them in the order of the file; `errors` has the lines that cannot be used.

    `take` names the verdicts that will be mapped: under a unique policy they can keep later lines out.
    """

    def __init__(
        self,
        connection: sa.Connection,
        policy: MatchPolicy,
        sheet: Sheet,
        places: Places,
        *,
        provider: str = "",
        take: frozenset[Verdict],
    ) -> None:
        self._connection, self._policy = connection, policy
        self._sheet, self._places, self._take = sheet, places, take
        rows = connection.execute(sa.select(t.Provider.id, t.Provider.name, t.Provider.cardinality)).all()
        self._providers = {row.name.casefold(): int(row.id) for row in rows}
        self._names = {int(row.id): row.name for row in rows}
        self._rules = {int(row.id): Cardinality(row.cardinality or policy.cardinality) for row in rows}
        self._otherwise = self._only_provider(provider)
        self._said: dict[int, tuple[int, int]] = {}
        self._holders = Holders()
        self.errors: list[LineError] = []
        self.lines = self.empty = 0

    def chunks(self) -> Iterator[list[Planned]]:
        part: list[_Asked] = []
        for line in self._sheet.lines():
            self.lines += 1
            if asked := self._asked(line):
                part.append(asked)
            if len(part) == _CHUNK:
                yield self._judge(part)
                part = []
        if part:
            yield self._judge(part)

    def _only_provider(self, name: str) -> int | None:
        """The provider of lines that name none: the one that was said, or the only one there is."""
        if name:
            found = self._providers.get(name.casefold())
            if found is None:
                names = ", ".join(self._names.values())
                raise InputError(f"There is no provider “{name}”.", kept="Nothing was read.", do=f"Providers: {names}.")
            return found
        if PROVIDER not in self._places and len(self._names) > 1:
            raise InputError(
                "The file has no column that names the provider.",
                kept="Nothing was read.",
                do="Choose the column, or say of which provider all lines are.",
            )
        return next(iter(self._names)) if len(self._names) == 1 else None

    # --- one line ---

    def _asked(self, line: Line) -> _Asked | None:
        text = {name: line.cell(place) for name, place in self._places.items()}
        field = next((name for name in _ACCOUNT if text.get(name)), "")
        provider_id = self._provider_of(line, text.get(PROVIDER, ""))
        if not text[SPECIFIC_ID]:
            self._refuse(line.number, SPECIFIC_ID, "", "is missing; every line needs it")
        elif not field:
            self.empty += provider_id is not None
        elif provider_id is not None:
            return _Asked(line.number, provider_id, text[SPECIFIC_ID], text[field], field)
        return None

    def _provider_of(self, line: Line, name: str) -> int | None:
        found = self._providers.get(name.casefold()) if name else self._otherwise
        if found is None:
            why = "is no provider here" if name else "is missing; there are several providers"
            self._refuse(line.number, PROVIDER, name, why)
        return found

    def _refuse(self, line: int, field: str, value: str, why: str) -> None:
        heading = self._sheet.headings[self._places[field]] if field in self._places else ""
        self.errors.append(LineError(line, heading, value, why))

    # --- some lines at once ---

    def _judge(self, asked: Sequence[_Asked]) -> list[Planned]:
        ids = [text for one in asked for text in (one.specific_id, one.specific_id.lower())]
        rows = read_standings(self._connection, [one.provider_id for one in asked], ids)
        accounts = Accounts(self._connection, {one.account for one in asked})
        found = []
        for one in asked:
            row = rows.get((one.provider_id, one.specific_id)) or rows.get((one.provider_id, one.specific_id.lower()))
            account = accounts.find(one.account)
            if row is None:
                self._refuse(one.line, SPECIFIC_ID, one.specific_id, f"is unknown at {self._names[one.provider_id]}")
            elif not isinstance(account, Named):
                self._refuse(one.line, one.field, one.account, account)
            elif self._is_first(one, row.id, account.id):
                found.append((one, row, account))
        return self._verdicts(found)

    def _is_first(self, asked: _Asked, row_id: int, account_id: int) -> bool:
        line, account = self._said.setdefault(row_id, (asked.line, account_id))
        if line != asked.line and account != account_id:
            why = f"line {line:,} maps this customer to another account"
            self._refuse(asked.line, asked.field, asked.account, why)
        return line == asked.line

    def _verdicts(self, found: Sequence[tuple[_Asked, Standing, Named]]) -> list[Planned]:
        ids = [row.id for _, row, _ in found]
        facts = _Facts(self._connection, self._policy, ids)
        self._holders.read(self._connection, {account.id for _, _, account in found})
        return [self._planned(asked, row, account, facts) for asked, row, account in found]

    def _planned(self, asked: _Asked, row: Standing, account: Named, facts: _Facts) -> Planned:
        verdict, other = facts.judge(row, account.id)
        if verdict in self._take:
            rule = self._rules[row.provider_id]
            if holder := self._holders.holder_of(account.id, row.provider_id, row.id, rule):
                verdict, other = Verdict.BREACH, holder
            else:
                self._holders.move(row, account.id)
        return Planned(
            asked.line,
            verdict,
            row.id,
            self._names[row.provider_id],
            row.specific_id,
            row.name,
            account.id,
            account.name,
            row.account_id,
            other,
            facts.supported(row.id).get(account.id, ()),
        )


class _Facts:
    """What stands and speaks for or against, of some provider accounts."""

    def __init__(self, connection: sa.Connection, policy: MatchPolicy, ids: Sequence[int]) -> None:
        self._evidence = evidence_of(connection, policy, ids)
        self._rejected = rejected_by_people(connection, ids)
        self._names = names_of(connection, {one for supported in self._evidence.values() for one in supported})

    def supported(self, row_id: int) -> Mapping[int, tuple[Evidence, ...]]:
        return self._evidence.get(row_id, {})

    def judge(self, row: Standing, account_id: int) -> tuple[Verdict, str]:
        """Say what mapping a row to an account would be, and in words what speaks against it."""
        if row.account_id == account_id:
            return Verdict.SAME, ""
        if row.account_id is not None:
            return Verdict.DIFFERENT, row.account
        if (row.id, account_id) in self._rejected:
            return Verdict.REJECTED, self._rejected[row.id, account_id]
        if row.disposition in (Disposition.EXCLUDED, Disposition.PARKED):
            return Verdict.SET_ASIDE, row.disposition
        supported = self.supported(row.id)
        if supported and account_id not in supported:
            return Verdict.AGAINST, say_support(supported, self._names)
        return Verdict.MAP, ""

"""Sample audit: automatic mappings, drawn at random and judged blind, tell how precise all of them are.

Who judges sees the customer and the account, not why they were mapped. A verdict changes no mapping.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.errors import InputError, NotFound, StaleEdit
from w365.model import Actor, Origin, Role
from w365.service import Service
from w365.service.access import require
from w365.service.auditing.estimates import Interval, draw, wilson
from w365.store import tables as t
from w365.store.insight.metrics import first_rule

MOST = 1_000
_LARGEST_SEED = 2**31 - 1


class Verdict(enum.StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class AuditView:
    """A sample and what was judged of it. `population` is how many automatic mappings there were."""

    id: int
    at: dt.datetime
    actor: str
    seed: int
    population: int
    is_stratified: bool
    size: int
    right: int
    wrong: int
    unsure: int

    @property
    def judged(self) -> int:
        return self.right + self.wrong + self.unsure

    @property
    def precision(self) -> Interval | None:
        """The share of right ones among right and wrong; who is unsure says nothing about it."""
        return wilson(self.right, self.right + self.wrong)


@dataclass(frozen=True, slots=True)
class AuditItem:
    """A drawn pair, with what is known of both sides and nothing of why they were put together."""

    place: int
    provider_account_id: int
    provider: str
    specific_id: str
    customer: str
    country: str
    domains: tuple[str, ...]
    account: str
    number: str
    website: str
    city: str
    account_country: str
    account_domains: tuple[str, ...]
    verdict: Verdict | None


def draw_sample(service: Service, actor: Actor, size: int, *, seed: int, stratified: bool = True) -> int:
    """Draw a sample of the automatic mappings and return its id; stratified by the rule that mapped them."""
    require(actor, Role.ANALYST)
    if not 1 <= size <= MOST or not 0 <= seed <= _LARGEST_SEED:
        raise InputError(f"A sample has 1 to {MOST:,} rows, and its seed 0 to {_LARGEST_SEED:,}.")
    with service.store.read() as connection:
        strata = _strata(connection, stratified=stratified)
    population = sum(len(ids) for ids in strata.values())
    if not population:
        raise InputError("Nothing is mapped automatically.", kept="No sample was drawn.", do="Run a match first.")
    with service.store.write() as connection:
        values = {"seed": seed, "population": population, "is_stratified": stratified}
        insert = sa.insert(t.Audit).values(at=service.clock(), actor=actor.name, **values)
        audit_id = int(connection.execute(insert.returning(t.Audit.id)).scalar_one())
        _store_items(connection, audit_id, draw(strata, size, seed))
    return audit_id


def _strata(connection: sa.Connection, *, stratified: bool) -> dict[int, list[int]]:
    rank = sa.func.coalesce(first_rule(), -1) if stratified else sa.literal(0)
    query = sa.select(t.Mapping.provider_account_id, rank).where(t.Mapping.origin == Origin.AUTO)
    found: dict[int, list[int]] = {}
    for row_id, place in connection.execute(query):
        found.setdefault(place, []).append(row_id)
    return dict(sorted(found.items()))


def _store_items(connection: sa.Connection, audit_id: int, drawn: Sequence[int]) -> None:
    mapping = t.Mapping
    query = sa.select(mapping.provider_account_id, mapping.account_id).where(mapping.provider_account_id.in_(drawn))
    accounts = {row.provider_account_id: row.account_id for row in connection.execute(query)}
    rows = [
        {"audit_id": audit_id, "place": place, "provider_account_id": row_id, "account_id": accounts[row_id]}
        for place, row_id in enumerate((one for one in drawn if one in accounts), start=1)
    ]
    connection.execute(sa.insert(t.AuditItem).values(verdict="", judged_by="", judged_at=None), rows)


def list_audits(service: Service, actor: Actor, limit: int = 50) -> list[AuditView]:
    """List the samples, the latest first, with the verdicts so far."""
    require(actor, Role.VIEWER)
    audit, item = t.Audit, t.AuditItem
    columns = (audit.id, audit.at, audit.actor, audit.seed, audit.population, audit.is_stratified)
    verdicts = [sa.func.count(sa.case((item.verdict == one, 1))).label(one.value) for one in Verdict]
    query = (
        sa.select(*columns, sa.func.count(item.place).label("size"), *verdicts)
        .outerjoin(item, item.audit_id == audit.id)
        .group_by(*columns)
        .order_by(audit.id.desc())
        .limit(limit)
    )
    with service.store.read() as connection:
        return [AuditView(**row) for row in connection.execute(query).mappings()]


def next_item(service: Service, actor: Actor, audit_id: int) -> AuditItem | None:
    """Read the first pair that nobody judged yet; None when all are."""
    require(actor, Role.VIEWER)
    items = _read(service, audit_id, t.AuditItem.verdict == "", limit=1)
    return items[0] if items else None


def list_judged(service: Service, actor: Actor, audit_id: int, verdict: Verdict) -> list[AuditItem]:
    require(actor, Role.VIEWER)
    return _read(service, audit_id, t.AuditItem.verdict == verdict, limit=MOST)


def judge(service: Service, actor: Actor, audit_id: int, place: int, verdict: Verdict | None) -> None:
    """Keep a verdict on one pair, or take it back (None).

    Raises StaleEdit where the pair is judged already, by somebody else or by a key pressed twice: the first one counts.
    """
    require(actor, Role.ANALYST)
    item = t.AuditItem
    with service.store.write() as connection:
        pair = (item.audit_id == audit_id, item.place == place)
        now = connection.execute(sa.select(item.verdict, item.judged_by).where(*pair)).one_or_none()
        _check(now, verdict)
        judged_by, judged_at = (actor.name, service.clock()) if verdict else ("", None)
        values = {"verdict": verdict or "", "judged_by": judged_by, "judged_at": judged_at}
        connection.execute(sa.update(item).where(*pair).values(**values))


def _check(now: sa.Row[str, str] | None, verdict: Verdict | None) -> None:
    if now is None:
        raise NotFound("This sample has no such row.", kept="Nothing was changed.", do="Reload the page.")
    if now.verdict and verdict:
        raise StaleEdit(
            f"{now.judged_by} had judged this pair as {now.verdict} already.",
            kept="That verdict was kept.",
            do="Judge the pair that is shown now.",
        )


def _read(service: Service, audit_id: int, where: sa.ColumnElement[bool], *, limit: int) -> list[AuditItem]:
    item, pa, account = t.AuditItem, t.ProviderAccount, t.Account
    query = (
        sa.select(
            item.place,
            item.provider_account_id,
            t.Provider.name.label("provider"),
            pa.specific_id,
            pa.name.label("customer"),
            pa.country,
            item.account_id,
            account.name.label("account"),
            account.number,
            account.website,
            account.city,
            account.country.label("account_country"),
            item.verdict,
        )
        .join(pa, pa.id == item.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .join(account, account.id == item.account_id)
        .where(item.audit_id == audit_id, where)
        .order_by(item.place)
        .limit(limit)
    )
    pad, ad = t.ProviderAccountDomain, t.AccountDomain
    with service.store.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        own = _domains(connection, pad.provider_account_id, pad.domain, [row["provider_account_id"] for row in rows])
        theirs = _domains(connection, ad.account_id, ad.domain, [row["account_id"] for row in rows])
    return [_item(row, own, theirs) for row in rows]


_Domains = dict[int, tuple[str, ...]]


def _item(row: dict[str, Any], own: _Domains, theirs: _Domains) -> AuditItem:
    verdict = Verdict(row["verdict"]) if row["verdict"] else None
    domains = own.get(row["provider_account_id"], ()), theirs.get(row.pop("account_id"), ())
    return AuditItem(**row | {"verdict": verdict, "domains": domains[0], "account_domains": domains[1]})


def _domains(
    connection: sa.Connection,
    key: sa.orm.InstrumentedAttribute[int],
    domain: sa.orm.InstrumentedAttribute[str],
    ids: Sequence[int],
) -> _Domains:
    found: _Domains = {}
    for row_id, name in connection.execute(sa.select(key, domain).where(key.in_(ids)).distinct().order_by(domain)):
        found[row_id] = (*found.get(row_id, ()), name)
    return found

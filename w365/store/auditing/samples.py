"""Samples of automatic mappings, and what people think of them."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from w365.model import Origin
from w365.store import tables as t
from w365.store.deciding.supporting_rule import first_rule


class AuditVerdict(enum.StrEnum):
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


@dataclass(frozen=True, slots=True)
class SampledMapping:
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
    verdict: AuditVerdict | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was said of a pair, and by whom; both empty before."""

    verdict: str
    judged_by: str


def read_strata(connection: sa.Connection, *, stratified: bool) -> dict[int, list[int]]:
    """Read the ids of all rows that are mapped automatically, by the rule that mapped them, or all in one stratum."""
    rank = sa.func.coalesce(first_rule(), -1) if stratified else sa.literal(0)
    query = sa.select(t.Mapping.provider_account_id, rank).where(t.Mapping.origin == Origin.AUTO)
    strata: dict[int, list[int]] = {}
    for row_id, place in connection.execute(query):
        strata.setdefault(place, []).append(row_id)
    return dict(sorted(strata.items()))


def put_sample(connection: sa.Connection, values: Mapping[str, Any], drawn: Sequence[int]) -> int:
    """Keep a sample of these rows, each with the account it has now, and return its id.

    One that lost its mapping since it was drawn is left out.
    """
    audit_id = int(connection.execute(sa.insert(t.Audit).values(**values).returning(t.Audit.id)).scalar_one())
    mapping = t.Mapping
    query = sa.select(mapping.provider_account_id, mapping.account_id).where(mapping.provider_account_id.in_(drawn))
    accounts = {row.provider_account_id: row.account_id for row in connection.execute(query)}
    rows = [
        {"audit_id": audit_id, "place": place, "provider_account_id": row_id, "account_id": accounts[row_id]}
        for place, row_id in enumerate((row_id for row_id in drawn if row_id in accounts), start=1)
    ]
    connection.execute(sa.insert(t.AuditItem).values(verdict="", judged_by="", judged_at=None), rows)
    return audit_id


def list_samples(connection: sa.Connection, limit: int) -> list[AuditView]:
    """List the samples, the latest first, with the verdicts so far."""
    audit, item = t.Audit, t.AuditItem
    columns = (audit.id, audit.at, audit.actor, audit.seed, audit.population, audit.is_stratified)
    verdicts = [sa.func.count(sa.case((item.verdict == verdict, 1))).label(verdict.value) for verdict in AuditVerdict]
    query = (
        sa.select(*columns, sa.func.count(item.place).label("size"), *verdicts)
        .outerjoin(item, item.audit_id == audit.id)
        .group_by(*columns)
        .order_by(audit.id.desc())
        .limit(limit)
    )
    return [AuditView(**row) for row in connection.execute(query).mappings()]


def get_judgement(connection: sa.Connection, audit_id: int, place: int) -> Judgement | None:
    """Read what was said of a pair; None where the sample has no such pair."""
    item = t.AuditItem
    query = sa.select(item.verdict, item.judged_by).where(item.audit_id == audit_id, item.place == place)
    row = connection.execute(query).one_or_none()
    return Judgement(*row) if row else None


def put_judgement(
    connection: sa.Connection, audit_id: int, place: int, judgement: Judgement, at: dt.datetime | None
) -> None:
    item = t.AuditItem
    values = {"verdict": judgement.verdict, "judged_by": judgement.judged_by, "judged_at": at}
    connection.execute(sa.update(item).where(item.audit_id == audit_id, item.place == place).values(**values))


def list_items(
    connection: sa.Connection, audit_id: int, verdict: AuditVerdict | None, *, limit: int
) -> list[SampledMapping]:
    """List the pairs with this verdict, or those without any, in the order in which they were drawn."""
    rows = [dict(row) for row in connection.execute(_items(audit_id, verdict).limit(limit)).mappings()]
    pad, ad = t.ProviderAccountDomain, t.AccountDomain
    own = _read_domains(connection, pad.provider_account_id, pad.domain, [row["provider_account_id"] for row in rows])
    account_ids = [row.pop("account_id") for row in rows]
    accounts = _read_domains(connection, ad.account_id, ad.domain, account_ids)
    return [
        SampledMapping(
            **row,
            domains=own.get(row["provider_account_id"], ()),
            account_domains=accounts.get(account_id, ()),
            verdict=verdict,
        )
        for row, account_id in zip(rows, account_ids, strict=True)
    ]


def _items(audit_id: int, verdict: AuditVerdict | None) -> sa.Select[*tuple[Any, ...]]:
    item, pa, account = t.AuditItem, t.ProviderAccount, t.Account
    return (
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
        )
        .join(pa, pa.id == item.provider_account_id)
        .join(t.Provider, t.Provider.id == pa.provider_id)
        .join(account, account.id == item.account_id)
        .where(item.audit_id == audit_id, item.verdict == (verdict or ""))
        .order_by(item.place)
    )


def _read_domains(
    connection: sa.Connection,
    key: sa.orm.InstrumentedAttribute[int],
    domain: sa.orm.InstrumentedAttribute[str],
    ids: Iterable[int],
) -> dict[int, tuple[str, ...]]:
    domains: dict[int, tuple[str, ...]] = {}
    for row_id, name in connection.execute(sa.select(key, domain).where(key.in_(ids)).distinct().order_by(domain)):
        domains[row_id] = (*domains.get(row_id, ()), name)
    return domains

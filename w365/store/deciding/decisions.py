"""The one place where a mapping, a disposition or a rejection changes, always together with its decision.

A decision is appended with the evidence of its moment. The latest decision of a provider account is the version that an
edit must have seen; whoever comes second is told who decided what.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError, NotFound, PolicyBreach, StaleEdit
from w365.model import Cardinality, DecisionKind, Disposition, Evidence, MatchPolicy, Origin
from w365.store import tables as t
from w365.store.deciding import prior_state
from w365.store.matching.dirty_rows import pointing_to_accounts
from w365.store.matching.evidence import Values, evidence_of


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds for a provider account now: its version, mapping and disposition."""

    version: int
    account_id: int | None
    origin: str
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides, when, and in which run (none for a person's own hand)."""

    name: str
    at: dt.datetime
    run_id: int | None = None


def standing(connection: sa.Connection, provider_account_id: int, *, seen: int | None) -> Standing:
    """Read how a provider account stands, for a decision in the same write transaction.

    `seen` is the version the person looked at (None: whatever holds). Raises StaleEdit naming who decided since, and
    NotFound.
    """
    row = connection.execute(_STANDING, {"row": provider_account_id}).one_or_none()
    if row is None:
        raise NotFound("This provider account does not exist.", do="Reload the page.")
    latest = _latest(connection, provider_account_id)
    version = latest.id if latest else 0
    if latest and seen is not None and seen != version:
        raise StaleEdit(
            f"{latest.actor} decided this row at {latest.at:%H:%M} UTC, after you had opened it.",
            kept="Their decision was kept; yours was not saved.",
            do="Look at the row as it is now and choose again.",
        )
    return Standing(version, row.account_id, row.origin or "", Disposition(row.kind or Disposition.OPEN))


def map_account(  # noqa: PLR0913 - one argument a fact of the decision
    connection: sa.Connection,
    policy: MatchPolicy,
    who: Who,
    provider_account_id: int,
    account_id: int,
    *,
    now: Standing,
    origin: Origin,
    reason: str = "",
) -> int:
    """Map to an account and return the decision's id; any exclusion, parking and rejection of the pair ends.

    What supports the link now is kept with it. Raises PolicyBreach, with nothing changed, where a policy forbids it.
    """
    _check_cardinality(connection, policy, provider_account_id, account_id)
    evidence = evidence_of(connection, policy, [provider_account_id]).get(provider_account_id, {}).get(account_id, ())
    kind, old = DecisionKind.MAP, now.account_id
    decision = _append(
        connection, who, provider_account_id, kind, old=old, new=account_id, origin=origin, reason=reason
    )
    _store_evidence(connection, decision, evidence)
    is_against = not evidence and _supports_others(connection, provider_account_id)
    _unmap(connection, provider_account_id)
    _clear_disposition(connection, provider_account_id)
    _end_rejection(connection, provider_account_id, account_id, decision)
    connection.execute(
        sa.insert(t.Mapping).values(
            provider_account_id=provider_account_id,
            account_id=account_id,
            origin=origin,
            decision_id=decision,
            against_evidence=is_against,
        )
    )
    return decision


def unmap(connection: sa.Connection, who: Who, provider_account_id: int, *, now: Standing, reason: str = "") -> int:
    """Clear the mapping.

    Clearing an automatic one rejects the pair, or the next match would write it again (product rule 5).
    """
    decision = _append(
        connection, who, provider_account_id, DecisionKind.UNMAP, old=now.account_id, new=None, reason=reason
    )
    _unmap(connection, provider_account_id)
    if now.origin == Origin.AUTO and now.account_id is not None:
        _insert_rejection(connection, provider_account_id, now.account_id, decision)
    return decision


def reject(connection: sa.Connection, who: Who, provider_account_id: int, account_id: int, *, reason: str = "") -> int:
    """Say that an account is not this customer's: never suggested nor mapped automatically until taken back."""
    decision = _append(
        connection, who, provider_account_id, DecisionKind.REJECT, old=None, new=account_id, reason=reason
    )
    _insert_rejection(connection, provider_account_id, account_id, decision)
    return decision


def take_back_rejection(connection: sa.Connection, who: Who, provider_account_id: int, account_id: int) -> int:
    """Make an account eligible again. Raises InputError when it is not rejected."""
    pair = (t.Rejection.provider_account_id == provider_account_id) & (t.Rejection.account_id == account_id)
    if connection.scalar(sa.select(t.Rejection.decision_id).where(pair)) is None:
        raise InputError("This account is not rejected (any more).", kept="Nothing was changed.", do="Reload the row.")
    decision = _append(connection, who, provider_account_id, DecisionKind.UNREJECT, old=None, new=account_id)
    _end_rejection(connection, provider_account_id, account_id, decision)
    return decision


def set_aside(
    connection: sa.Connection,
    who: Who,
    provider_account_id: int,
    kind: Disposition,
    *,
    reason: str,
    until: dt.date | None = None,
) -> int:
    """Exclude or park a row."""
    decision_kind = DecisionKind.EXCLUDE if kind is Disposition.EXCLUDED else DecisionKind.PARK
    decision = _append(connection, who, provider_account_id, decision_kind, old=None, new=None, reason=reason)
    _clear_disposition(connection, provider_account_id)
    connection.execute(
        sa.insert(t.StandingOrder).values(
            provider_account_id=provider_account_id, kind=kind, reason=reason, until=until, decision_id=decision
        )
    )
    return decision


def reopen(connection: sa.Connection, who: Who, provider_account_id: int) -> int:
    decision = _append(connection, who, provider_account_id, DecisionKind.REOPEN, old=None, new=None)
    _clear_disposition(connection, provider_account_id)
    return decision


def bring_back(connection: sa.Connection, who: Who, today: dt.date, *, limit: int = 500) -> list[int]:
    """Reopen parked rows whose date has come, and return their ids; the reason they were parked for is kept."""
    order = t.StandingOrder
    query = sa.select(order.provider_account_id, order.reason).where(
        order.kind == Disposition.PARKED, order.until <= today
    )
    rows = connection.execute(query.order_by(order.provider_account_id).limit(limit)).all()
    for row in rows:
        _append(connection, who, row.provider_account_id, DecisionKind.RETURN, old=None, new=None, reason=row.reason)
        _clear_disposition(connection, row.provider_account_id)
    return [row.provider_account_id for row in rows]


def switch_sync(connection: sa.Connection, who: Who, provider_account_id: int, *, on: bool, reason: str = "") -> int:
    """Let syncs bring this row up to date, or leave it alone as it is."""
    kind = DecisionKind.SYNC_ON if on else DecisionKind.SYNC_OFF
    row = sa.update(t.ProviderAccount).where(t.ProviderAccount.id == provider_account_id)
    connection.execute(row.values(is_synced=on))
    return _append(connection, who, provider_account_id, kind, old=None, new=None, reason=reason)


def _check_cardinality(
    connection: sa.Connection, policy: MatchPolicy, provider_account_id: int, account_id: int
) -> None:
    pa = t.ProviderAccount
    provider_id = connection.execute(sa.select(pa.provider_id).where(pa.id == provider_account_id)).scalar_one()
    check_room(connection, policy, provider_id, account_id, besides=provider_account_id)


def check_room(
    connection: sa.Connection, policy: MatchPolicy, provider_id: int, account_id: int, *, besides: int | None = None
) -> None:
    """Raise PolicyBreach naming the first holder where a unique policy leaves an account no room (rule 7).

    That is room for a provider account of this provider; `besides` is one whose own link does not count.
    """
    pa, provider, mapping = t.ProviderAccount, t.Provider, t.Mapping
    own = connection.execute(sa.select(provider.cardinality).where(provider.id == provider_id)).scalar_one()
    rule = Cardinality(own or policy.cardinality)
    if rule is Cardinality.MANY:
        return
    holder = (
        sa.select(pa.name, provider.name.label("provider"))
        .join(mapping, mapping.provider_account_id == pa.id)
        .join(provider, provider.id == pa.provider_id)
        .where(mapping.account_id == account_id)
        .order_by(mapping.decision_id)
        .limit(1)
    )
    if besides is not None:
        holder = holder.where(pa.id != besides)
    if rule is Cardinality.UNIQUE_IN_PROVIDER:
        holder = holder.where(pa.provider_id == provider_id)
    first = connection.execute(holder).one_or_none()
    if first:
        raise PolicyBreach(
            f"This CRM account already belongs to {first.name} at {first.provider}; the policy allows one link only.",
            kept="Nothing was changed.",
            do="Choose another account, or clear the other mapping first.",
        )


def affected(provider_account_id: int, *account_ids: int | None) -> tuple[sa.Select[int], Values]:
    """Select the rows whose proposal a decision about this row and these accounts can change; with its values."""
    return _affected(), {"row": provider_account_id, "ids": [one for one in account_ids if one is not None]}


@functools.cache
def _affected() -> sa.Select[int]:
    itself = sa.select(t.ProviderAccount.id).where(t.ProviderAccount.id == sa.bindparam("row", type_=t.Id))
    return sa.select(itself.union(pointing_to_accounts()).subquery().c[0])


def _latest(connection: sa.Connection, provider_account_id: int) -> sa.Row[int, str, dt.datetime] | None:
    return connection.execute(_LATEST, {"row": provider_account_id}).one_or_none()


def _append(  # noqa: PLR0913 - one argument a column
    connection: sa.Connection,
    who: Who,
    provider_account_id: int,
    kind: DecisionKind,
    *,
    old: int | None,
    new: int | None,
    origin: str = "",
    reason: str = "",
) -> int:
    values = {
        "at": who.at,
        "actor": who.name,
        "run_id": who.run_id,
        "provider_account_id": provider_account_id,
        "kind": kind,
        "old_account_id": old,
        "account_id": new,
        "origin": origin,
        "reason": reason,
    }
    decision = int(connection.execute(_APPEND, values).scalar_one())
    prior_state.keep_standing(connection, prior_state.JUST, {"made": decision, "row": provider_account_id})
    return decision


def _store_evidence(connection: sa.Connection, decision_id: int, evidence: Sequence[Evidence]) -> None:
    rows = [
        {
            "decision_id": decision_id,
            "rule": fact.rule,
            "domain": fact.domain,
            "contacts": fact.contacts,
            "example": fact.example,
        }
        for fact in evidence
    ]
    if rows:
        connection.execute(sa.insert(t.DecisionEvidence), rows)


def _supports_others(connection: sa.Connection, provider_account_id: int) -> bool:
    proposal = t.CurrentProposal
    accounts = sa.select(proposal.accounts).where(proposal.provider_account_id == provider_account_id)
    return bool(connection.scalar(accounts))


def _unmap(connection: sa.Connection, provider_account_id: int) -> None:
    connection.execute(sa.delete(t.Mapping).where(t.Mapping.provider_account_id == provider_account_id))


def _clear_disposition(connection: sa.Connection, provider_account_id: int) -> None:
    connection.execute(sa.delete(t.StandingOrder).where(t.StandingOrder.provider_account_id == provider_account_id))


def _end_rejection(connection: sa.Connection, provider_account_id: int, account_id: int, decision_id: int) -> None:
    prior_state.keep_rejection(connection, decision_id, provider_account_id, account_id, is_rejected=False)
    pair = (t.Rejection.provider_account_id == provider_account_id) & (t.Rejection.account_id == account_id)
    connection.execute(sa.delete(t.Rejection).where(pair))


def _insert_rejection(connection: sa.Connection, provider_account_id: int, account_id: int, decision_id: int) -> None:
    prior_state.keep_rejection(connection, decision_id, provider_account_id, account_id, is_rejected=True)
    pair = (t.Rejection.provider_account_id == provider_account_id) & (t.Rejection.account_id == account_id)
    connection.execute(sa.delete(t.Rejection).where(pair))
    connection.execute(
        sa.insert(t.Rejection).values(
            provider_account_id=provider_account_id, account_id=account_id, decision_id=decision_id
        )
    )


_STANDING = (
    sa.select(t.Mapping.account_id, t.Mapping.origin, t.StandingOrder.kind)
    .select_from(t.ProviderAccount)
    .outerjoin(t.Mapping, t.Mapping.provider_account_id == t.ProviderAccount.id)
    .outerjoin(t.StandingOrder, t.StandingOrder.provider_account_id == t.ProviderAccount.id)
    .where(t.ProviderAccount.id == sa.bindparam("row"))
)
_LATEST = (
    sa.select(t.Decision.id, t.Decision.actor, t.Decision.at)
    .where(t.Decision.provider_account_id == sa.bindparam("row"))
    .order_by(t.Decision.id.desc())
    .limit(1)
)
_APPEND = sa.insert(t.Decision).returning(t.Decision.id)

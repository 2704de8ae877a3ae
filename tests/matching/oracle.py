"""The rule at the heart, done slowly and plainly over lists. What the program computes as SQL is compared with this.

Nothing here is clever on purpose: every question is asked of every account again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from w365.matching.domains import normalise_domain
from w365.model import (
    Cardinality,
    Disposition,
    DomainKind,
    DomainList,
    MatchPolicy,
    Proposal,
    Reason,
    Rule,
    Status,
)


@dataclass(frozen=True)
class WorldDomain:
    """A domain of a provider account, normalised. Its kind follows from the name, and from whether it was typed there.

    What was typed is verified where an admin says that it is proof.
    """

    name: str
    is_verified: bool = True
    is_typed: bool = False


@dataclass(frozen=True)
class WorldProviderAccount:
    id: int
    provider_id: int
    domains: tuple[WorldDomain, ...] = ()
    tenant_guid: str = ""
    disposition: Disposition = Disposition.OPEN
    is_gone: bool = False
    name: str = ""
    country: str = ""


@dataclass(frozen=True)
class WorldAccount:
    id: int
    email_domain: str = ""
    website_domain: str = ""
    tenant_guid: str = ""
    is_active: bool = True
    is_deleted: bool = False
    name: str = ""
    country: str = ""
    unread: frozenset[str] = frozenset()  # what its fields may mean that have no one reading


@dataclass(frozen=True)
class WorldContact:
    id: int
    account_id: int
    domain: str


@dataclass(frozen=True)
class World:
    provider_accounts: tuple[WorldProviderAccount, ...] = ()
    accounts: tuple[WorldAccount, ...] = ()
    contacts: tuple[WorldContact, ...] = ()
    mappings: dict[int, int] = field(default_factory=dict)  # provider account to account
    rejections: frozenset[tuple[int, int]] = frozenset()  # provider account, account
    lists: dict[DomainList, frozenset[str]] = field(default_factory=dict)
    policy: MatchPolicy = field(default_factory=MatchPolicy)
    overrides: dict[int, Cardinality] = field(default_factory=dict)  # provider to its own policy


@dataclass(frozen=True)
class Answer:
    """``account_id`` is set for ONE only. ``supporting`` are the supported active accounts, rejected ones included."""

    proposal: Proposal
    reason: Reason
    account_id: int | None = None
    supporting: frozenset[int] = frozenset()


def propose(world: World) -> dict[int, Answer]:
    """Answer for every provider account: rules 1 to 5, then the cardinality policy."""
    first = {row.id: _by_rules(world, row) for row in world.provider_accounts}
    return {row.id: _by_policy(world, row, first) for row in world.provider_accounts}


def auto_match(world: World) -> dict[int, int]:
    """Give the mappings a run would add."""
    if not world.policy.auto_match:
        return {}
    answers = propose(world)
    added: dict[int, int] = {}
    for row in world.provider_accounts:
        account_id = answers[row.id].account_id
        if account_id is None or row.id in world.mappings:
            continue
        if row.disposition is Disposition.OPEN and not row.is_gone:
            added[row.id] = account_id
    return added


def after_auto_match(world: World) -> World:
    """Give the world a run leaves behind."""
    return replace(world, mappings={**world.mappings, **auto_match(world)})


def status(world: World, row: WorldProviderAccount, answer: Answer) -> Status:
    if row.id in world.mappings:
        return Status.MAPPED
    if row.disposition is Disposition.EXCLUDED:
        return Status.EXCLUDED
    if row.disposition is Disposition.PARKED:
        return Status.PARKED
    return Status.CONFLICT if answer.proposal is Proposal.CONFLICT else Status.UNMAPPED


def usable_domains(world: World, row: WorldProviderAccount) -> frozenset[str]:
    """Give the domains of a provider account that may be evidence."""
    return frozenset(domain.name for domain in row.domains if _is_usable(world, domain))


def automatically_shared(world: World, name: str) -> bool:
    """Say whether contacts of so many accounts, active or not, use the domain that it tells them apart no more."""
    holders = {contact.account_id for contact in world.contacts if contact.domain == name}
    return 0 < world.policy.shared_threshold <= len(holders)


def _is_usable(world: World, domain: WorldDomain) -> bool:
    return (
        _is_own_and_verified(domain)
        and not any(domain.name in names for names in world.lists.values())
        and not automatically_shared(world, domain.name)
    )


def _is_own_and_verified(domain: WorldDomain) -> bool:
    return domain.is_verified and normalise_domain(domain.name).kind is DomainKind.OWN_NAME


def _is_typed(domain: WorldDomain) -> bool:
    return domain.is_typed and normalise_domain(domain.name).kind is DomainKind.OWN_NAME


def _is_merely_typed(world: World) -> Callable[[WorldDomain], bool]:
    return lambda domain: not domain.is_verified and not any(domain.name in names for names in world.lists.values())


def _supports(world: World, row: WorldProviderAccount, account: WorldAccount) -> bool:
    """Say whether a domain rule supports the account, whatever its state."""
    rules = world.policy.rules
    names = usable_domains(world, row)
    if Rule.CONTACT_DOMAIN in rules and any(c.account_id == account.id and c.domain in names for c in world.contacts):
        return True
    if Rule.ACCOUNT_EMAIL in rules and account.email_domain in names:
        return True
    return Rule.ACCOUNT_WEBSITE in rules and account.website_domain in names


def _has_tenant(world: World, row: WorldProviderAccount, account: WorldAccount) -> bool:
    same = row.tenant_guid != "" and account.tenant_guid == row.tenant_guid
    return same and Rule.TENANT_GUID in world.policy.rules


def _is_alive(account: WorldAccount) -> bool:
    return account.is_active and not account.is_deleted


def _supporting(world: World, row: WorldProviderAccount) -> frozenset[int]:
    alive = [account for account in world.accounts if _is_alive(account)]
    by_tenant = frozenset(account.id for account in alive if _has_tenant(world, row, account))
    return by_tenant or frozenset(account.id for account in alive if _supports(world, row, account))


def _by_rules(world: World, row: WorldProviderAccount) -> Answer:
    supporting = _supporting(world, row)
    allowed = frozenset(account for account in supporting if (row.id, account) not in world.rejections)
    if not supporting:
        return Answer(Proposal.NONE, _why_none(world, row))
    if not allowed:
        return Answer(Proposal.NONE, Reason.REJECTED, supporting=supporting)
    if len(supporting) > 1:
        return Answer(Proposal.CONFLICT, Reason.SEVERAL_ACCOUNTS, supporting=supporting)
    return Answer(Proposal.ONE, Reason.RULE, next(iter(supporting)), supporting)


def _why_none(world: World, row: WorldProviderAccount) -> Reason:
    for account in world.accounts:
        if _supports(world, row, account) or _has_tenant(world, row, account):
            return Reason.INACTIVE_ACCOUNT  # it would support were it alive: nobody alive does
    if usable := usable_domains(world, row):
        may_mean = (account.unread for account in world.accounts if not account.is_deleted)
        return Reason.UNREAD_FIELD if usable & frozenset().union(*may_mean) else Reason.NO_ACCOUNT
    if not row.domains:
        return Reason.NO_DOMAIN
    named = [domain for domain in row.domains if _is_own_and_verified(domain) or _is_typed(domain)]
    own = [domain.name for domain in named]
    for reason, is_meant in _REASONS:
        counting = (
            own if reason is not Reason.SHARED_DOMAIN else [domain.name for domain in named if domain.is_verified]
        )
        listed = [name for name in own if _is_listed(world, name, DomainList.SHARED)]
        if any(is_meant(world, name) for name in [*counting, *(listed if reason is Reason.SHARED_DOMAIN else ())]):
            return reason
    return Reason.FREE_TEXT if any(map(_is_merely_typed(world), named)) else Reason.SERVICE_DOMAIN


def _is_shared(world: World, name: str) -> bool:
    """A name on another list is there for a reason of its own, however many use it."""
    on_a_list = any(name in names for names in world.lists.values())
    return _is_listed(world, name, DomainList.SHARED) or (automatically_shared(world, name) and not on_a_list)


def _is_blocked(world: World, name: str) -> bool:
    return _is_listed(world, name, DomainList.EXCLUDED) or _is_listed(world, name, DomainList.PARTNER)


def _is_free_mail(world: World, name: str) -> bool:
    return _is_listed(world, name, DomainList.FREE_MAIL)


def _is_listed(world: World, name: str, which: DomainList) -> bool:
    return name in world.lists.get(which, frozenset())


_REASONS = (
    (Reason.SHARED_DOMAIN, _is_shared),
    (Reason.BLOCKED_DOMAIN, _is_blocked),
    (Reason.FREE_MAIL, _is_free_mail),
)


def _by_policy(world: World, row: WorldProviderAccount, first: dict[int, Answer]) -> Answer:
    answer = first[row.id]
    policy = world.overrides.get(row.provider_id, world.policy.cardinality)
    if answer.proposal is not Proposal.ONE or policy is Cardinality.MANY:
        return answer
    others = [
        other
        for other in world.provider_accounts
        if other.id != row.id and (policy is Cardinality.UNIQUE or other.provider_id == row.provider_id)
    ]
    if any(world.mappings.get(other.id) == answer.account_id for other in others):
        return replace(answer, proposal=Proposal.CONFLICT, reason=Reason.ACCOUNT_TAKEN, account_id=None)
    if row.id in world.mappings:
        return answer  # it has its account; whoever else points there finds it taken
    if any(_contests(world, other) and first[other.id].account_id == answer.account_id for other in others):
        return replace(answer, proposal=Proposal.CONFLICT, reason=Reason.CONTESTED, account_id=None)
    return answer


def _contests(world: World, other: WorldProviderAccount) -> bool:
    return other.id not in world.mappings and other.disposition is not Disposition.EXCLUDED and not other.is_gone

"""Small worlds for hypothesis: few names, so that provider accounts and accounts keep meeting on the same ones."""

from __future__ import annotations

import functools

from hypothesis import strategies as st
from oracle import World, WorldAccount, WorldContact, WorldDomain, WorldProviderAccount

from w365.model import Cardinality, Disposition, DomainList, MatchPolicy, Rule

OWN_NAMES = ("contoso.com", "fabrikam.de", "xn--mller-kva.de", "gmail.com")
SERVICE_NAMES = ("contoso.onmicrosoft.com", "co.uk")
GUIDS = ("", "", "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")

# Seldom none, so that a world is about something; smaller is simpler for the shrinker all the same.
_COUNT = st.sampled_from((1, 2, 3, 4, 5, 0))
_crm_domain = st.sampled_from(("", "", *OWN_NAMES))
_domain = st.builds(
    WorldDomain,
    name=st.sampled_from((*OWN_NAMES, *SERVICE_NAMES)),
    is_verified=st.sampled_from((True, True, True, False)),
    is_typed=st.sampled_from((False, False, False, True)),
)
_some_domains = st.lists(_domain, min_size=1, max_size=3, unique_by=lambda domain: domain.name).map(tuple)
_domains = st.sampled_from(range(8)).flatmap(lambda dice: _some_domains if dice else st.just(()))
_policies = st.builds(
    MatchPolicy,
    auto_match=st.sampled_from((True, True, False)),
    rules=st.just(MatchPolicy().rules) | st.just(frozenset(Rule)) | st.frozensets(st.sampled_from(Rule)),
    cardinality=st.sampled_from(Cardinality),
    shared_threshold=st.sampled_from((0, 3, 3, 4, 2, 1)),
)
_listed = st.sampled_from((*[frozenset[str]()] * 9, *(frozenset({name}) for name in OWN_NAMES[:3])))
_lists = st.fixed_dictionaries(
    {
        DomainList.FREE_MAIL: st.sampled_from((frozenset({"gmail.com"}), frozenset())),
        DomainList.EXCLUDED: _listed,
        DomainList.SHARED: _listed,
        DomainList.PARTNER: _listed,
    }
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a world of at most five accounts and five provider accounts at two providers."""
    accounts = tuple(draw(_account(account_id)) for account_id in range(1, draw(_COUNT) + 1))
    rows = tuple(draw(_provider_account(row_id)) for row_id in range(1, draw(_COUNT) + 1))
    account_ids = tuple(account.id for account in accounts)
    row_ids = tuple(row.id for row in rows)
    return World(
        provider_accounts=rows,
        accounts=accounts,
        contacts=draw(_contacts(account_ids)),
        mappings=draw(_mappings(row_ids, account_ids)),
        rejections=frozenset(draw(_pairs(row_ids, account_ids))),
        lists=draw(_lists),
        policy=draw(_policies),
        overrides=draw(st.dictionaries(st.sampled_from((1, 2)), st.sampled_from(Cardinality), max_size=2)),
    )


# Each is made once: hypothesis checks and describes a strategy anew wherever it is made anew.


@functools.cache
def _account(account_id: int) -> st.SearchStrategy[WorldAccount]:
    return st.builds(
        WorldAccount,
        id=st.just(account_id),
        email_domain=_crm_domain,
        website_domain=_crm_domain,
        tenant_guid=st.sampled_from(GUIDS),
        is_active=st.sampled_from((True, True, False)),
        is_deleted=st.sampled_from((False, False, False, True)),
        unread=st.sampled_from((*[frozenset[str]()] * 3, frozenset(OWN_NAMES[:2]))),
    )


@functools.cache
def _provider_account(row_id: int) -> st.SearchStrategy[WorldProviderAccount]:
    return st.builds(
        WorldProviderAccount,
        id=st.just(row_id),
        provider_id=st.sampled_from((1, 1, 2)),
        domains=_domains,
        tenant_guid=st.sampled_from(GUIDS),
        disposition=st.sampled_from((Disposition.OPEN, Disposition.OPEN, *Disposition)),
        is_gone=st.sampled_from((False, False, False, True)),
    )


@functools.cache
def _contacts(account_ids: tuple[int, ...]) -> st.SearchStrategy[tuple[WorldContact, ...]]:
    if not account_ids:
        return st.just(())
    pairs = st.lists(st.tuples(st.sampled_from(account_ids), st.sampled_from(OWN_NAMES)), min_size=1, max_size=6)
    return pairs.map(lambda found: tuple(WorldContact(at, *pair) for at, pair in enumerate(found, start=1)))


@functools.cache
def _mappings(row_ids: tuple[int, ...], account_ids: tuple[int, ...]) -> st.SearchStrategy[dict[int, int]]:
    if not row_ids or not account_ids:
        return st.just({})
    return st.dictionaries(st.sampled_from(row_ids), st.sampled_from(account_ids), max_size=2)


@functools.cache
def _pairs(row_ids: tuple[int, ...], account_ids: tuple[int, ...]) -> st.SearchStrategy[set[tuple[int, int]]]:
    if not row_ids or not account_ids:
        return st.just(set())
    return st.sets(st.tuples(st.sampled_from(row_ids), st.sampled_from(account_ids)), max_size=3)

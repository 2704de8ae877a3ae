"""The oracle itself: the sentences of the rule on worlds small enough to see through."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from oracle import (
    World,
    WorldAccount,
    WorldContact,
    WorldDomain,
    WorldProviderAccount,
    after_auto_match,
    auto_match,
    propose,
    status,
)
from worlds import worlds

from w365.model import Cardinality, Disposition, DomainList, MatchPolicy, Proposal, Reason, Rule, Status

ON = MatchPolicy(auto_match=True)
ROW = WorldProviderAccount(1, 1, (WorldDomain("contoso.com"),))
CONTACT = WorldContact(1, 1, "contoso.com")


def world(**changes: object) -> World:
    start = World(provider_accounts=(ROW,), accounts=(WorldAccount(1),), contacts=(CONTACT,), policy=ON)
    return replace(start, **changes)


def reason(one: World) -> tuple[Proposal, Reason]:
    answer = propose(one)[1]
    return answer.proposal, answer.reason


def test_one_supported_account_is_mapped() -> None:
    assert auto_match(world()) == {1: 1}


def test_nothing_is_mapped_while_auto_match_is_off() -> None:
    assert auto_match(world(policy=MatchPolicy())) == {}


def test_rules_unite_instead_of_outvoting_one_another() -> None:
    accounts = (WorldAccount(1), WorldAccount(2, website_domain="contoso.com"))
    assert reason(world(accounts=accounts)) == (Proposal.CONFLICT, Reason.SEVERAL_ACCOUNTS)


def test_a_rule_that_is_off_supports_nobody() -> None:
    policy = replace(ON, rules=frozenset({Rule.ACCOUNT_WEBSITE}))
    assert reason(world(policy=policy)) == (Proposal.NONE, Reason.NO_ACCOUNT)


def test_a_tenant_guid_decides_alone() -> None:
    accounts = (WorldAccount(1), WorldAccount(2, tenant_guid="g"))
    rows = (replace(ROW, tenant_guid="g"),)
    policy = replace(ON, rules=ON.rules | {Rule.TENANT_GUID})
    assert auto_match(world(provider_accounts=rows, accounts=accounts, policy=policy)) == {1: 2}


def test_a_rejection_never_causes_a_mapping() -> None:
    accounts = (WorldAccount(1), WorldAccount(2, website_domain="contoso.com"))
    rejected = frozenset({(1, 2)})
    assert reason(world(accounts=accounts, rejections=rejected)) == (Proposal.CONFLICT, Reason.SEVERAL_ACCOUNTS)
    assert reason(world(rejections=frozenset({(1, 1)}))) == (Proposal.NONE, Reason.REJECTED)


def test_every_reason_for_none_can_be_reached() -> None:
    inactive = (WorldAccount(1, is_active=False),)
    assert reason(world(accounts=inactive))[1] is Reason.INACTIVE_ACCOUNT
    assert reason(world(contacts=()))[1] is Reason.NO_ACCOUNT
    assert reason(world(policy=replace(ON, shared_threshold=1)))[1] is Reason.SHARED_DOMAIN
    for which, expected in (
        (DomainList.SHARED, Reason.SHARED_DOMAIN),
        (DomainList.EXCLUDED, Reason.BLOCKED_DOMAIN),
        (DomainList.PARTNER, Reason.BLOCKED_DOMAIN),
        (DomainList.FREE_MAIL, Reason.FREE_MAIL),
    ):
        assert reason(world(lists={which: frozenset({"contoso.com"})}))[1] is expected
    for name in ("contoso.onmicrosoft.com", "co.uk", "127.0.0.1", "not a domain"):
        assert (
            reason(world(provider_accounts=(replace(ROW, domains=(WorldDomain(name),)),)))[1] is Reason.SERVICE_DOMAIN
        )
    unverified = replace(ROW, domains=(WorldDomain("contoso.com", is_verified=False),))
    assert reason(world(provider_accounts=(unverified,)))[1] is Reason.SERVICE_DOMAIN
    assert reason(world(provider_accounts=(replace(ROW, domains=()),)))[1] is Reason.NO_DOMAIN


def test_two_customers_of_one_account_contest_it_under_a_unique_policy() -> None:
    twin = replace(ROW, id=2)
    policy = replace(ON, cardinality=Cardinality.UNIQUE_IN_PROVIDER)
    both = world(provider_accounts=(ROW, twin), policy=policy)
    assert {answer.reason for answer in propose(both).values()} == {Reason.CONTESTED}
    assert auto_match(both) == {}
    assert reason(replace(both, mappings={2: 1}))[1] is Reason.ACCOUNT_TAKEN
    elsewhere = replace(both, provider_accounts=(ROW, replace(twin, provider_id=2)))
    assert auto_match(elsewhere) == {1: 1, 2: 1}
    assert auto_match(replace(elsewhere, overrides={1: Cardinality.UNIQUE})) == {2: 1}


def test_an_excluded_or_gone_customer_contests_nothing() -> None:
    policy = replace(ON, cardinality=Cardinality.UNIQUE)
    for twin in (replace(ROW, id=2, disposition=Disposition.EXCLUDED), replace(ROW, id=2, is_gone=True)):
        assert auto_match(world(provider_accounts=(ROW, twin), policy=policy)) == {1: 1}


def test_only_open_rows_still_listed_are_mapped() -> None:
    for disposition in Disposition:
        row = replace(ROW, disposition=disposition)
        assert bool(auto_match(world(provider_accounts=(row,)))) == (disposition is Disposition.OPEN)
    assert auto_match(world(provider_accounts=(replace(ROW, is_gone=True),))) == {}


def test_status_follows_mapping_then_disposition_then_proposal() -> None:
    answer = propose(world())[1]
    parked = replace(ROW, disposition=Disposition.PARKED)
    held = replace(ROW, disposition=Disposition.HELD)
    excluded = replace(ROW, disposition=Disposition.EXCLUDED)
    assert status(world(mappings={1: 1}), parked, answer) is Status.MAPPED
    assert status(world(), parked, answer) is Status.PARKED
    assert status(world(), excluded, answer) is Status.EXCLUDED
    assert status(world(), held, answer) is Status.UNMAPPED
    assert status(world(), ROW, replace(answer, proposal=Proposal.CONFLICT)) is Status.CONFLICT


@given(worlds())
@settings(max_examples=50)
def test_running_twice_maps_nothing_the_second_time(one: World) -> None:
    assert auto_match(after_auto_match(one)) == {}


@given(worlds())
@settings(max_examples=50)
def test_the_order_of_input_does_not_matter(one: World) -> None:
    turned = replace(
        one,
        provider_accounts=one.provider_accounts[::-1],
        accounts=one.accounts[::-1],
        contacts=one.contacts[::-1],
    )
    assert propose(turned) == propose(one)


@given(worlds())
@settings(max_examples=50)
def test_a_human_decision_is_never_overwritten(one: World) -> None:
    added = auto_match(one)
    assert not added.keys() & one.mappings.keys()
    assert not set(added.items()) & one.rejections

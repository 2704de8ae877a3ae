from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from stage import ROW

from w365.model import DecisionKind, Reason, Status
from w365.service.reading.records import AccountView, Record
from w365.store.reading.account_hits import Hit
from w365.store.reading.decision_log import DecisionView
from w365.store.reading.records import DomainView, SubscriptionView
from w365.ui.deciding.record.words import (
    compare_account,
    say_decision,
    say_domain,
    say_state,
    say_subscription,
    say_when,
)

AT = dt.datetime(2026, 3, 4, 9, 5, tzinfo=dt.UTC)
OWN = DomainView("kestrel.de", "own_name", is_default=True, is_verified=True, listed="", accounts=0)
SERVICE = DomainView("kestrel.onmicrosoft.com", "service", is_default=False, is_verified=True, listed="", accounts=0)
HIT = Hit(7, "Kestrel", "A-7", "Bonn", "DE", "kestrel.com", is_active=True, score=0.96, reasons=("same name",))
ACCOUNT = AccountView(HIT, "https://www.kestrel.com/", 3, ("kestrel.com",), (), is_rejected=False)
RECORD = Record(
    "kestrel.de", "profile", "", "DE", "reseller", "", AT, None, "", ROW, (OWN, SERVICE), (), None, (ACCOUNT,), (), ()
)


def differs(record: Record, account: AccountView) -> dict[str, bool | None]:
    return {fact.label: fact.differs for fact in compare_account(record, account)}


def with_hit(**changes: str) -> AccountView:
    return replace(ACCOUNT, hit=replace(HIT, **changes))


def test_a_name_agrees_apart_from_its_legal_form() -> None:
    assert differs(RECORD, ACCOUNT)["Name"] is False
    assert differs(RECORD, with_hit(name="Heron"))["Name"] is True


def test_domains_agree_when_one_of_the_customers_own_is_the_accounts() -> None:
    assert differs(RECORD, ACCOUNT)["Domains"] is True
    assert differs(RECORD, replace(ACCOUNT, domains=("heron.de", "kestrel.de")))["Domains"] is False


@pytest.mark.parametrize("domains", [(SERVICE,), (replace(OWN, listed="free_mail"),), ()])
def test_a_customer_without_a_domain_of_its_own_has_none_to_compare(domains: tuple[DomainView, ...]) -> None:
    assert differs(replace(RECORD, domains=domains), ACCOUNT)["Domains"] is None


def test_what_the_account_shares_is_named_first() -> None:
    names = (*(f"a{number}.de" for number in range(6)), "kestrel.de")
    value = next(
        fact.value for fact in compare_account(RECORD, replace(ACCOUNT, domains=names)) if fact.label == "Domains"
    )
    assert value == "kestrel.de, a0.de, a1.de, a2.de and 3 more"


@pytest.mark.parametrize(
    ("provider", "crm", "expected"),
    [("DE", "de", False), ("DE", "AT", True), ("DE", "Germany", None), ("", "DE", None)],
)
def test_countries_are_compared_where_they_can_be(provider: str, crm: str, *, expected: bool | None) -> None:
    assert differs(replace(RECORD, country=provider), with_hit(country=crm))["Country"] is expected


def test_fields_the_crm_leaves_empty_are_not_shown() -> None:
    assert "City" not in differs(RECORD, with_hit(city=""))


def test_a_domain_says_what_it_is_worth() -> None:
    assert say_domain(replace(OWN, accounts=1)) == "default, on 1 account"
    unverified = replace(SERVICE, is_verified=False, listed="shared", accounts=2)
    assert say_domain(unverified) == "not verified, service domain, listed: shared domains, on 2 accounts"


def test_a_subscription_says_its_seats_and_status() -> None:
    assert say_subscription(SubscriptionView("E3", 1, "active", "", is_live=True)) == "1 seat, active"


def test_an_unmapped_row_says_why_not_and_what_came_closest() -> None:
    said = say_state(RECORD)
    assert said.startswith("kestrel.de is the only usable domain; no contact and no account uses it.")
    assert "Closest: Kestrel, score 0.96; its 3 contacts use kestrel.com." in said


def test_a_row_that_would_map_says_to_what() -> None:
    record = replace(RECORD, row=replace(ROW, reason=Reason.RULE))
    assert say_state(record) == "Kestrel is the only active account the rules support."


@pytest.mark.parametrize("status", [Status.EXCLUDED, Status.PARKED])
def test_a_row_set_aside_says_the_reason_a_person_gave(status: Status) -> None:
    record = replace(RECORD, row=replace(ROW, status=status), disposition_reason="Test tenant")
    assert say_state(record) == "Test tenant"


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("status", [Status.UNMAPPED, Status.CONFLICT])
def test_every_reason_is_said_in_sentences(reason: Reason, status: Status) -> None:
    said = say_state(replace(RECORD, row=replace(ROW, status=status, reason=reason), candidates=()))
    assert said.endswith(".")


DECISION = DecisionView(
    id=5,
    at=AT,
    actor="ana",
    run_id=None,
    kind=DecisionKind.MAP,
    provider_account_id=1,
    provider_account="Kestrel GmbH",
    provider="Partner Center",
    old_account="Heron",
    account="Kestrel",
    origin="manual",
    reason="",
    evidence=(),
)


def test_a_decision_says_from_what_to_what() -> None:
    assert say_decision(DECISION) == "Mapped · Heron → Kestrel · By hand"
    unmapped = replace(DECISION, kind=DecisionKind.UNMAP, account="", origin="", reason="wrong one")
    assert say_decision(unmapped) == "Unmapped · Heron · “wrong one”"


def test_a_decision_says_who_when_and_in_which_run() -> None:
    berlin = dt.timezone(dt.timedelta(hours=1), "CET")
    assert say_when(replace(DECISION, run_id=3), berlin) == "2026-03-04 10:05 CET, ana, run 3"

from __future__ import annotations

from dataclasses import replace

import pytest

from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain, known, look_for
from w365.matching.scores import Facts, collect_signals, log_odds
from w365.model import Evidence, Rule

SUBJECT = ComparedCustomer("Contoso GmbH", ("contoso.de", "contoso.onmicrosoft.com"), "DE")
ACCOUNT = Prospect(1, "Fabrikam", country="DE")
ALIKE = Facts(likeness=0.6)


def on(*names: str) -> tuple[ProspectDomain, ...]:
    return tuple(ProspectDomain(name, Rule.CONTACT_DOMAIN, 1) for name in names)


def texts(
    account: Prospect, facts: Facts = ALIKE, subject: ComparedCustomer = SUBJECT, ignored: frozenset[str] = frozenset()
) -> dict[str, str]:
    return {signal.name: signal.text for signal in collect_signals(look_for(subject, ignored), known(account), facts)}


def score(subject: ComparedCustomer, account: Prospect, facts: Facts) -> float:
    return log_odds(collect_signals(look_for(subject), known(account), facts))


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"name": "Contoso AG"}, ALIKE),
        ({"domains": on("mail.contoso.de")}, ALIKE),
        ({"domains": on("contoso.com")}, ALIKE),
        ({}, Facts(likeness=0.8)),
        ({}, Facts((Evidence(Rule.CONTACT_DOMAIN, "contoso.de", 3, "c1"),), 0.6)),
        ({}, Facts(likeness=0.6, mapped_elsewhere="Pax8")),
    ],
)
def test_every_supporting_signal_raises_the_score(change: dict[str, object], facts: Facts) -> None:
    assert score(SUBJECT, replace(ACCOUNT, **change), facts) > score(SUBJECT, ACCOUNT, ALIKE)


@pytest.mark.parametrize("change", [{"country": "FR"}, {"tenant_guid": "other"}, {"is_active": False}])
def test_every_contradicting_signal_lowers_the_score(change: dict[str, object]) -> None:
    subject = replace(SUBJECT, tenant_guid="mine")
    assert score(subject, replace(ACCOUNT, **change), ALIKE) < score(subject, ACCOUNT, ALIKE)


def test_reasons_are_said_in_words() -> None:
    assert texts(replace(ACCOUNT, name="Contoso AG"))["same_name"].startswith("same name apart from legal form")
    assert texts(replace(ACCOUNT, domains=on("contoso.com")))["same_label"] == (
        "contoso.de and contoso.com share the name contoso"
    )
    assert texts(replace(ACCOUNT, country="FR"))["other_country"] == "country differs: DE, FR"
    fact = Evidence(Rule.CONTACT_DOMAIN, "contoso.de", 3, "c1")
    assert texts(ACCOUNT, Facts((fact,)))["rule_contact_domain"] == "contoso.de is the e-mail domain of 3 contacts"
    assert texts(replace(ACCOUNT, name="Contoso (do not use)"))["same_name"] == (
        "same name apart from what stands in brackets"
    )


def test_what_many_accounts_share_says_little() -> None:
    account = replace(ACCOUNT, domains=on("mail.contoso.de"))
    alone = score(SUBJECT, account, Facts(likeness=0.6, owners={"contoso.de": 1}))
    crowded = score(SUBJECT, account, Facts(likeness=0.6, owners={"contoso.de": 40}))
    assert crowded < alone


def test_ignored_domains_say_nothing() -> None:
    account = replace(ACCOUNT, domains=on("mail.contoso.de"))
    for name in ("mail.contoso.de", "contoso.de"):
        assert "same_registrable" not in texts(account, ignored=frozenset({name}))
    assert "same_registrable" in texts(account)


def test_two_shortened_cloud_names_do_not_make_a_customer() -> None:
    account = replace(ACCOUNT, domains=on("auckland.nz"))
    subject = ComparedCustomer("Wingtip Zoo", ("auckland.onmicrosoft.com",))
    assert "same_label" not in texts(account, subject=subject)


def test_a_domain_that_spells_the_name_or_its_initials_counts() -> None:
    assert "label_is_name" in texts(Prospect(1, "Contoso"), subject=ComparedCustomer("Old Name Ltd", ("contoso.com",)))
    account = Prospect(1, "Northwind Interstate Traders")
    assert "label_is_acronym" in texts(account, subject=ComparedCustomer("Other", ("nit.org",)))


def test_an_acronym_meets_the_words_it_stands_for() -> None:
    account = Prospect(1, "Karlsruher Institut für Technologie")
    assert "acronym" in texts(account, Facts(), ComparedCustomer("KIT"))


def test_the_signals_are_sorted_by_their_weight_and_make_the_odds() -> None:
    signals = collect_signals(
        look_for(SUBJECT), known(replace(ACCOUNT, name="Contoso", domains=on("contoso.com"))), ALIKE
    )
    weights = [signal.weight for signal in signals]
    assert len(weights) > 1
    assert weights == sorted(weights, key=abs, reverse=True)
    assert log_odds(signals) == pytest.approx(sum(weights) + log_odds(()))


def test_the_ending_of_the_domains_speaks_where_the_provider_names_no_country() -> None:
    account = replace(ACCOUNT, country="US")
    subject = replace(SUBJECT, country="")
    assert texts(account, subject=subject)["other_country"] == "its domains belong to DE, the account is in US"
    for names in (("contoso.com",), ("contoso.io",), ("contoso.de", "contoso.fr"), ()):
        assert "other_country" not in texts(account, subject=replace(subject, domains=names))


def test_a_country_s_name_does_not_differ_from_its_code() -> None:
    account = Prospect(1, "Contoso", country="United Kingdom")
    for subject in (ComparedCustomer("Contoso", country="GB"), ComparedCustomer("Contoso", ("contoso.co.uk",))):
        assert "other_country" not in texts(account, Facts(), subject)


@pytest.mark.parametrize(
    ("signal", "domain", "name", "speaks"),
    [
        ("label_is_name", "abc.com", "Abc", True),
        ("label_is_name", "ab.com", "Ab", False),
        ("label_in_name", "fabri.com", "Fabri Nordwind", True),
        ("label_in_name", "fabr.com", "Fabr Nordwind", False),
    ],
)
def test_a_label_speaks_from_so_many_letters_on(signal: str, domain: str, name: str, *, speaks: bool) -> None:
    assert (signal in texts(Prospect(1, name), Facts(), ComparedCustomer("Other", (domain,)))) is speaks


@pytest.mark.parametrize(("ours", "theirs", "speaks"), [("nit.de", "nit.com", True), ("ni.de", "ni.com", False)])
def test_a_shared_label_speaks_from_three_letters_on(ours: str, theirs: str, *, speaks: bool) -> None:
    account = replace(ACCOUNT, domains=on(theirs))
    assert ("same_label" in texts(account, subject=ComparedCustomer("Other", (ours,)))) is speaks


@pytest.mark.parametrize(("likeness", "signal"), [(0.47, "other_name"), (0.48, "similar_name"), (0.46, "other_name")])
def test_names_are_alike_above_what_common_words_reach(likeness: float, signal: str) -> None:
    assert {"similar_name", "other_name"} & texts(ACCOUNT, Facts(likeness=likeness)).keys() == {signal}


@pytest.mark.parametrize(("contacts", "speaks"), [(1, False), (2, True)])
def test_two_contacts_are_several(contacts: int, *, speaks: bool) -> None:
    fact = Evidence(Rule.CONTACT_DOMAIN, "contoso.de", contacts, "c1")
    assert ("several_contacts" in texts(ACCOUNT, Facts((fact,)))) is speaks

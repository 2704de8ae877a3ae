from __future__ import annotations

import pytest

from w365.matching import messages
from w365.matching.messages import Nearest, say_evidence, say_fix, say_reason, why_not
from w365.model import (
    Cardinality,
    DecisionKind,
    Disposition,
    DomainKind,
    DomainList,
    Evidence,
    Origin,
    Reason,
    Rule,
    Status,
)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (Evidence(Rule.CONTACT_DOMAIN, "contoso.de", 3, "c"), "contoso.de is the e-mail domain of 3 contacts"),
        (Evidence(Rule.CONTACT_DOMAIN, "contoso.de", 1, "c"), "contoso.de is the e-mail domain of 1 contact"),
        (Evidence(Rule.ACCOUNT_WEBSITE, "contoso.de"), "contoso.de is the account's website"),
        (Evidence(Rule.ACCOUNT_EMAIL, "contoso.de"), "contoso.de is the account's e-mail domain"),
        (Evidence(Rule.TENANT_GUID, ""), "the account carries the id of this tenant"),
    ],
)
def test_a_fact_is_said_in_words(fact: Evidence, said: str) -> None:
    assert say_evidence(fact) == said


def test_why_not_names_the_nearest_miss_and_the_fix() -> None:
    said = why_not(Reason.NO_ACCOUNT, ["contoso.de"], Nearest("Contoso GmbH", 0.96, 3, ("gmail.com",)))
    assert said == (
        "contoso.de is the only usable domain; no contact and no account uses it. "
        "Closest: Contoso GmbH, score 0.96; its 3 contacts use gmail.com. "
        "Add a contact or a website with the domain in the CRM, choose an account, or create one."
    )


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_a_label_and_a_fix(reason: Reason) -> None:
    said = why_not(reason, ["a.de", "b.de", "c.de", "d.de"], Nearest("Contoso", 0.5))
    assert messages.REASON_WORDS[reason]
    assert "Contoso" in said
    assert said.endswith(say_fix(reason))
    for sentence in (said, why_not(reason, []), say_reason(reason), say_reason(reason, account="A", other="B")):
        assert sentence[0].isalnum()
        assert sentence.endswith(".")
        assert not set(sentence) & set("*_`<>#")


def test_a_conflict_of_customers_names_both_sides() -> None:
    assert "Contoso is mapped to Fabrikam" in say_reason(Reason.ACCOUNT_TAKEN, account="Contoso", other="Fabrikam")
    assert "also what the rules find for Fabrikam" in say_reason(Reason.CONTESTED, account="Contoso", other="Fabrikam")


def test_every_word_of_the_model_can_be_said() -> None:
    assert set(messages.STATUS_WORDS) == set(Status)
    assert set(messages.DISPOSITION_WORDS) == set(Disposition)
    assert set(messages.ORIGIN_WORDS) == set(Origin)
    assert set(messages.RULE_NAMES) == set(Rule)
    assert set(messages.DECISION_WORDS) == set(DecisionKind)
    assert set(messages.CARDINALITY_WORDS) == set(Cardinality)
    assert set(messages.LIST_WORDS) == set(DomainList)
    assert set(messages.DOMAIN_KIND_WORDS) == set(DomainKind)

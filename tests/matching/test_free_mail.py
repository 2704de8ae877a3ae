from __future__ import annotations

from w365.matching.domains import FREE_MAIL, normalise_domain, registrable
from w365.model import DomainKind


def test_every_entry_is_spelled_as_domains_are_stored() -> None:
    assert [name for name in FREE_MAIL if normalise_domain(name).name != name] == []
    assert [name for name in FREE_MAIL if normalise_domain(name).kind is not DomainKind.OWN_NAME] == []


def test_the_great_services_are_listed_and_organisations_are_not() -> None:
    listed = {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "icloud.com",
        "gmx.de",
        "web.de",
        "qq.com",
        "mail.ru",
        "sfr.fr",
    }
    assert listed <= FREE_MAIL
    assert not {"nus.edu.sg", "unican.es", "berlin.de", "test.de", "alibaba.com", "name.com", "cox.com"} & FREE_MAIL


def test_no_public_body_or_university_is_taken_for_free_mail() -> None:
    assert [name for name in FREE_MAIL if ".edu" in name or ".gov" in name or ".ac." in name] == []
    assert all(registrable(name) for name in FREE_MAIL)

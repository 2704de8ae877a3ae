from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w365.matching.domains import (
    Domain,
    country_of,
    email_domain,
    label,
    normalise_domain,
    possible_domains,
    registrable,
    website_domain,
)
from w365.model import DomainKind

_LABELS = ("contoso", "MÜLLER", "faß", "www", "com", "de", "co", "uk", "xn--mller-kva", "-a", "x" * 64, "")
_ENDS = ("", ".", ". .", " ")
_JOINED = st.tuples(st.lists(st.sampled_from(_LABELS), max_size=4).map(".".join), st.sampled_from(_ENDS))
_DOMAIN_LIKE = (
    _JOINED.map("".join)
    | st.text(st.sampled_from("ab.-_ @ßüİ。Kσς\u00ad\u200d1[]:xn公\t"), max_size=24)
    | st.text(max_size=40)
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Contoso.COM", "contoso.com"),
        (" contoso.com. ", "contoso.com"),
        ("MÜLLER.de", "xn--mller-kva.de"),
        ("mu\u0308ller.de", "xn--mller-kva.de"),
        ("contoso。com", "contoso.com"),
        ("a--b.de", "a--b.de"),
    ],
)
def test_one_domain_has_one_spelling(text: str, name: str) -> None:
    assert normalise_domain(text).name == name
    assert normalise_domain(text).kind is DomainKind.OWN_NAME


def test_sharp_s_and_double_s_are_two_customers() -> None:
    assert normalise_domain("faß.de").name == "xn--fa-hia.de"
    assert normalise_domain("faß.de") != normalise_domain("fass.de")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("contoso.onmicrosoft.com", DomainKind.SERVICE),
        ("contoso.mail.onmicrosoft.com", DomainKind.SERVICE),
        ("onmicrosoft.com", DomainKind.SERVICE),
        ("contoso.onmicrosoft.us", DomainKind.SERVICE),
        ("contoso.onmicrosoft.de", DomainKind.SERVICE),
        ("contoso.partner.onmschina.cn", DomainKind.SERVICE),
        ("contoso.sharepoint.com", DomainKind.SERVICE),
        ("contoso.zendesk.com", DomainKind.SERVICE),
        ("zendesk.com", DomainKind.OWN_NAME),
        ("notonmicrosoft.com", DomainKind.OWN_NAME),
        ("co.uk", DomainKind.PUBLIC_SUFFIX),
        ("com", DomainKind.PUBLIC_SUFFIX),
        ("公司.cn", DomainKind.PUBLIC_SUFFIX),
        ("rub.de", DomainKind.OWN_NAME),
        ("127.0.0.1", DomainKind.ADDRESS),
        ("[::1]", DomainKind.ADDRESS),
        ("[IPv6:2001:db8::1]", DomainKind.ADDRESS),
        ("localhost", DomainKind.ADDRESS),
        ("1.2.3", DomainKind.ADDRESS),
        ("", DomainKind.INVALID),
        ("a..b", DomainKind.INVALID),
        ("-a.de", DomainKind.INVALID),
        ("a b.de", DomainKind.INVALID),
        ("_dmarc.contoso.com", DomainKind.INVALID),
        ("xn--zz.de", DomainKind.INVALID),
        ("x" * 64 + ".de", DomainKind.INVALID),
        (".".join(["a" * 60] * 5), DomainKind.INVALID),
    ],
)
def test_a_domain_is_told_by_its_kind(text: str, kind: DomainKind) -> None:
    assert normalise_domain(text).kind is kind


@given(_DOMAIN_LIKE)
def test_normalising_twice_is_normalising_once_and_never_raises(text: str) -> None:
    once = normalise_domain(text)
    assert normalise_domain(once.name) == once


@given(_DOMAIN_LIKE)
def test_whatever_is_read_from_an_address_is_normalised_and_of_its_own(text: str) -> None:
    readings = (email_domain(text), email_domain("a@" + text), website_domain(text), website_domain("https://" + text))
    for found in filter(None, readings):
        assert normalise_domain(found) == Domain(found, DomainKind.OWN_NAME)


def test_what_has_no_one_reading_still_tells_what_it_may_mean() -> None:
    assert possible_domains("www.contoso.com / Contoso.de (neu)") == {"contoso.com", "contoso.de"}
    assert possible_domains("info(at)contoso,de") == {"contoso.de"}
    assert possible_domains("n/a, z.b. facebook.com/contoso") == frozenset()


@given(_DOMAIN_LIKE)
def test_the_registrable_part_ends_the_domain(text: str) -> None:
    name = normalise_domain(text).name
    part = registrable(name)
    assert part == "" or ("." + name).endswith("." + part)
    assert bool(label(name)) <= bool(part)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("mia@contoso.com", "contoso.com"),
        (" Mia@Contoso.COM ", "contoso.com"),
        ("mailto:mia@contoso.com?subject=hello", "contoso.com"),
        ("MAILTO:mia@contoso.com", "contoso.com"),
        ("Mia Ivanov <mia@contoso.com>", "contoso.com"),
        ("Mia <mailto:mia@müller.de>", "xn--mller-kva.de"),
        ("mia@gmail.com", "gmail.com"),
        ("mia@contoso.onmicrosoft.com", ""),
        ("mia@[127.0.0.1]", ""),
        ("mia@localhost", ""),
        ("mia@b@contoso.com", ""),
        ("mia@contoso.com; tom@fabrikam.com", ""),
        ("mia@contoso.com; tom@contoso.com", "contoso.com"),
        ("Mia <mia@contoso.com>, Tom <tom@contoso.com>", "contoso.com"),
        ("Mia <mia@contoso.com>, Tom <tom@fabrikam.com>", ""),
        ("mia@contoso.com / tom@contoso.com;", "contoso.com"),
        ("mia@contoso.com (bis 2027, Dr.Huber)", "contoso.com"),
        ("mia@contoso.com (früher fabrikam.com)", ""),
        ("mia@con\u200btoso.com\ufeff", "contoso.com"),
        ("@contoso.com", ""),
        ("mia@", ""),
        ("mia at contoso.com", ""),
        ("contoso.com", ""),
        ("", ""),
    ],
)
def test_an_address_gives_its_domain_or_nothing(text: str, domain: str) -> None:
    assert email_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("https://www.contoso.com/about?x=1#top", "contoso.com"),
        ("HTTP://WWW2.Contoso.com:8080", "contoso.com"),
        ("contoso.com:443", "contoso.com"),
        ("https://user:secret@www.contoso.com./", "contoso.com"),
        ("//contoso.com", "contoso.com"),
        ("http:\\\\contoso.com", "contoso.com"),
        ("www.müller.de", "xn--mller-kva.de"),
        ("www.com", "www.com"),
        ("www.co.uk", "www.co.uk"),
        ("shop.contoso.com", "shop.contoso.com"),
        ("http://https://www.contoso.com", "contoso.com"),
        ("http//contoso.com", "contoso.com"),
        ("https://contoso.com;", "contoso.com"),
        ("www.contoso.com, contoso.com/de", "contoso.com"),
        ("contoso.com (alt)", "contoso.com"),
        ("\ufeffcontoso.com\u200b", "contoso.com"),
        ("contoso.com, facebook.com/contoso", "contoso.com"),
        ("contoso.com / contoso.de", ""),
        ("contoso.com, shop.contoso.com", ""),
        ("n/a", ""),
        ("-", ""),
        ("none", ""),
        ("https://contoso.sharepoint.com", ""),
        ("http://10.0.0.1/", ""),
        ("https://www.facebook.com/contoso", ""),  # a page of its own on somebody else's site
        ("", ""),
    ],
)
def test_a_web_address_gives_its_domain_or_nothing(text: str, domain: str) -> None:
    assert website_domain(text) == domain


@pytest.mark.parametrize(
    ("name", "part", "chosen"),
    [
        ("mail.contoso.co.uk", "contoso.co.uk", "contoso"),
        ("contoso.com", "contoso.com", "contoso"),
        ("contoso.onmicrosoft.com", "contoso.onmicrosoft.com", "contoso"),
        ("contoso.mail.onmicrosoft.com", "contoso.mail.onmicrosoft.com", "contoso"),
        ("a.b.github.io", "b.github.io", "b"),
        ("shop.xn--mller-kva.de", "xn--mller-kva.de", "müller"),
        ("rub.de", "rub.de", "rub"),
        ("co.uk", "", ""),
        ("onmicrosoft.com", "", ""),
    ],
)
def test_the_registrable_part_and_its_label(name: str, part: str, chosen: str) -> None:
    assert (registrable(name), label(name)) == (part, chosen)


def test_a_domain_tells_its_country_by_its_ending() -> None:
    countries = [country_of(name) for name in ("a.de", "b.co.uk", "c.com", "d.io", "e.eu", "localhost")]
    assert countries == ["DE", "GB", "", "", "", ""]


def test_a_domain_may_have_253_characters() -> None:
    name = ".".join(["a" * 63] * 3 + ["b" * 57, "com"])
    assert (len(name), normalise_domain(name).kind) == (253, DomainKind.OWN_NAME)
    assert normalise_domain(f"b{name[64:]}".rjust(254, "a")).kind is DomainKind.INVALID

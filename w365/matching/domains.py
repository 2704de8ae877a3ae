"""Domains brought to one spelling, and told apart by kind. Free mail is a list, no kind: `store.matching.evidence`."""

from __future__ import annotations

import functools
import ipaddress
import re
from dataclasses import dataclass

import idna
from publicsuffixlist import PublicSuffixList

from w365.matching.word_lists import read_words
from w365.model import DomainKind

SERVICE_SUFFIXES = read_words("service_suffixes")
HOSTED_BELOW = read_words("hosted_below")
FREE_MAIL = frozenset(read_words("free_mail"))
_NETWORKS = frozenset(read_words("networks"))

# Registries' own suffixes can belong to nobody. The list's private section (github.io, but also rub.de) names what
# companies and universities run and use themselves: it separates those below it, yet the bare name is somebody's own.
_REGISTRY_SUFFIXES = PublicSuffixList(only_icann=True)
_ALL_SUFFIXES = PublicSuffixList()
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BELOW_SERVICE = tuple("." + suffix for suffix in SERVICE_SUFFIXES + HOSTED_BELOW)
_SERVICE_NAMES = frozenset(SERVICE_SUFFIXES)
_EXTRA_SUFFIXES = tuple(sorted(SERVICE_SUFFIXES + HOSTED_BELOW, key=len, reverse=True))
# Endings of countries that are sold to everybody.
_SOLD_ENDINGS = frozenset(
    ("ai", "cc", "co", "fm", "gg", "im", "io", "la", "ly", "me", "nu", "sh", "to", "tv", "vc", "ws")
)
_NO_COUNTRY = frozenset(("eu", "su"))
_PLAIN_ADDRESS = re.compile(r"[\w.+-]+@[a-zA-Z0-9.-]+", re.ASCII)
_MAIL_IN_NAME = re.compile(r"<([^<>]*@[^<>]*)>")
_SCHEME = re.compile(r"^(?:(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}|https?:?[/\\]+|https?:)+")
# Marks without a shape, as copying from a page or a table brings along: soft hyphens, zero-width blanks, directions.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_BETWEEN = re.compile(r"[\s;,|]+")
_BETWEEN_ADDRESSES = re.compile(r"[\s;,|/\\]+")
_AROUND = "()[]{}<>'\"“”„‘’,;:!/\\"
_WWW = re.compile(r"^www\d{0,2}\.(?=.*\.)")
_PORT = re.compile(r":\d*$")


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain in the one spelling that is stored and compared, and what it can be evidence for."""

    name: str
    kind: DomainKind


def normalise_domain(text: str) -> Domain:
    """Bring a domain to its A-label spelling in lower case without trailing dot.

    Never raises; what cannot be a domain has the kind INVALID and keeps its cleaned text as name. Normalising the
    name again gives the same domain.
    """
    name = _clean(text)
    if not name.isascii() or "xn--" in name:
        try:
            # Python's own "idna" codec knows IDNA 2003 only, which turns faß.de into another customer's fass.de.
            name = _clean(idna.encode(name, uts46=True).decode("ascii"))
        except (idna.IDNAError, UnicodeError):
            return Domain(name, DomainKind.INVALID)
    return Domain(name, _kind(name))


def email_domain(text: str) -> str:
    """Give the normalised domain of an e-mail address, or "" where it is no evidence of anything.

    Understands ``mailto:``, ``Name <a@b>``, several addresses of one domain and remarks beside them. What could be read
    in two ways gives "".
    """
    if _PLAIN_ADDRESS.fullmatch(text):  # as most are
        return _own_name(text.partition("@")[2])
    hosts = {_host_of_address(part) for part in _addresses(text)}
    return _only(hosts | _named_beside(text)) if hosts else ""


def website_domain(text: str) -> str:
    """Give the normalised domain of a web address without ``www.``, or "" where there is none of one's own.

    Of several addresses, or beside a remark, it is read where all agree; those in a network of others count as none.
    """
    parts = [part for part in _BETWEEN.split(_INVISIBLE.sub("", text).lower()) if part]
    if len(parts) == 1:
        return _site(parts[0]) or ""
    sites = {site for part in parts if "." in part and (site := _site(part)) is not None}
    return _only({site for site in sites if _is_known(site)} or sites)


def possible_domains(text: str) -> frozenset[str]:
    """Give the domains that a field may mean which has no one reading: all it names, however it is written."""
    text = _INVISIBLE.sub("", text).lower().replace("(at)", "@")
    texts = (text, text.replace(",", "."))
    parts = (part.rpartition("@")[2] for each in texts for part in _BETWEEN_ADDRESSES.split(_SCHEME.sub("", each)))
    names = (_own_name(_WWW.sub("", _clean(part.strip(_AROUND)))) for part in parts)
    return frozenset(name for name in names if _is_known(name) and registrable(name) not in _NETWORKS)


def _addresses(text: str) -> list[str]:
    """Give what of a text is written as e-mail addresses; what stands in angle brackets alone, if there is any."""
    text = _INVISIBLE.sub("", text)
    bracketed: list[str] = _MAIL_IN_NAME.findall(text)
    parts = bracketed or _BETWEEN_ADDRESSES.split(re.sub(r"\s*@\s*", "@", text))
    return [part for part in parts if "@" in part]


def _host_of_address(text: str) -> str:
    text = text.strip().strip(_AROUND.replace("[", "").replace("]", ""))
    if text[:7].lower() == "mailto:":
        text = text[7:]
    local, _, host = text.partition("?")[0].partition("@")
    return _own_name(host) if local.strip() and "@" not in host else ""


def _named_beside(text: str) -> set[str]:
    """Give the domains that stand beside addresses without one: a remark that names another domain says two things."""
    if _MAIL_IN_NAME.search(text) or len(text.split()) < 2:
        return set()
    parts = (part.strip(_AROUND) for part in _BETWEEN.split(_INVISIBLE.sub("", text)) if "@" not in part)
    return {name for part in parts if _is_known(name := website_domain(part) if "." in part else "")}


def _site(text: str) -> str | None:
    """Read one web address; None is one in a network of others, "" no domain."""
    host = re.split(r"[/\\?#]", _SCHEME.sub("", text.strip(_AROUND), count=1), maxsplit=1)[0].rpartition("@")[2]
    host = _clean(_PORT.sub("", host))
    if registrable(host) in _NETWORKS:
        return None
    return _own_name(_WWW.sub("", host)) or _own_name(host)


def _only(names: set[str]) -> str:
    return names.pop() if len(names) == 1 else ""


def _is_known(name: str) -> bool:
    """Whether a domain ends as a registry's names do: "z.b" in a remark is none."""
    return bool(name) and bool(_REGISTRY_SUFFIXES.privatesuffix(name, accept_unknown=False))


@functools.lru_cache(maxsize=8_192)
def registrable(domain: str) -> str:
    """Give the part of a normalised domain that somebody registered: ``mail.contoso.co.uk`` to ``contoso.co.uk``.

    Below a service name it is the customer's part (``contoso.onmicrosoft.com``). A bare suffix gives "".
    """
    if domain in _SERVICE_NAMES:
        return ""
    if domain.endswith(_BELOW_SERVICE):  # as few domains do
        suffix = next(ending for ending in _EXTRA_SUFFIXES if domain.endswith("." + ending))
        own = domain[: -len(suffix) - 1]
        return f"{own.rpartition('.')[2]}.{suffix}"
    return _ALL_SUFFIXES.privatesuffix(domain) or _REGISTRY_SUFFIXES.privatesuffix(domain) or ""


def label(domain: str) -> str:
    """Give the label somebody chose, in Unicode: ``contoso`` of ``mail.contoso.co.uk``. A bare suffix gives ""."""
    return chosen_label(registrable(domain))


def chosen_label(name: str) -> str:
    """Do what ``label`` does, for what is registrable of a domain."""
    chosen = name.partition(".")[0]
    if not chosen.startswith("xn--"):
        return chosen
    try:
        return idna.decode(chosen)
    except (idna.IDNAError, UnicodeError):
        return chosen


def country_of(domain: str) -> str:
    """Give the country whose ending a normalised domain has, as two capitals, or "" where it tells none."""
    ending = domain.rpartition(".")[2]
    if len(ending) != 2 or ending in _SOLD_ENDINGS or ending in _NO_COUNTRY:
        return ""
    return "GB" if ending == "uk" else ending.upper()


def _clean(text: str) -> str:
    text = text.strip().lower()
    # Blanks and dots may alternate at the end; strip until nothing changes, so that cleaning twice is cleaning once.
    while (shorter := text.rstrip(".").strip()) != text:
        text = shorter
    return text


def _kind(name: str) -> DomainKind:
    if not _HOST_NAME.fullmatch(name) or len(name) > 253:
        return DomainKind.ADDRESS if _is_ip_literal(name) else DomainKind.INVALID
    if name.endswith(_BELOW_SERVICE) or name in _SERVICE_NAMES:
        return DomainKind.SERVICE
    if name[name.rfind(".") + 1 :].isdigit():
        return DomainKind.ADDRESS
    if _REGISTRY_SUFFIXES.is_public(name, accept_unknown=False):
        return DomainKind.PUBLIC_SUFFIX
    return DomainKind.OWN_NAME if "." in name else DomainKind.ADDRESS


def _is_ip_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def _own_name(text: str) -> str:
    domain = normalise_domain(text)
    return domain.name if domain.kind is DomainKind.OWN_NAME else ""

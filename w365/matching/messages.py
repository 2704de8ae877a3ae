"""Everything the matching says to people, in one place. Plain text; sentences end with a full stop, facts do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from w365.model import (
    Cardinality,
    DecisionKind,
    Disposition,
    DomainKind,
    DomainList,
    Drift,
    Evidence,
    Guard,
    Origin,
    Reason,
    Rule,
    Status,
)

STATUS_WORDS: Mapping[Status, str] = {
    Status.MAPPED: "Mapped",
    Status.CONFLICT: "Conflict",
    Status.UNMAPPED: "Unmapped",
    Status.EXCLUDED: "Excluded",
    Status.PARKED: "Parked",
}
DISPOSITION_WORDS: Mapping[Disposition, str] = {
    Disposition.OPEN: "Open",
    Disposition.EXCLUDED: "Excluded",
    Disposition.PARKED: "Parked",
    Disposition.HELD: "Held back",
}
ORIGIN_WORDS: Mapping[Origin, str] = {
    Origin.AUTO: "Auto-Match",
    Origin.MANUAL: "By hand",
    Origin.PROVISIONED: "Provisioned",
    Origin.IMPORTED: "Imported",
}
RULE_NAMES: Mapping[Rule, str] = {
    Rule.TENANT_GUID: "Tenant id",
    Rule.CONTACT_DOMAIN: "Contact e-mail domain",
    Rule.ACCOUNT_EMAIL: "Account e-mail domain",
    Rule.ACCOUNT_WEBSITE: "Account website",
}
REASON_WORDS: Mapping[Reason, str] = {
    Reason.RULE: "One account supported",
    Reason.SEVERAL_ACCOUNTS: "Several accounts supported",
    Reason.CONTESTED: "Account wanted by several customers",
    Reason.ACCOUNT_TAKEN: "Account already taken",
    Reason.REJECTED: "Supported account rejected",
    Reason.INACTIVE_ACCOUNT: "Only an inactive account",
    Reason.NO_ACCOUNT: "No account with the domain",
    Reason.BLOCKED_DOMAIN: "Excluded domain",
    Reason.SHARED_DOMAIN: "Shared domain",
    Reason.FREE_MAIL: "Free-mail domain only",
    Reason.FREE_TEXT: "Free text only",
    Reason.UNREAD_FIELD: "A field of an account not readable",
    Reason.SERVICE_DOMAIN: "No domain of its own",
    Reason.NO_DOMAIN: "No domain",
    Reason.UNIT_WORDS: "Another firm of the group",
    Reason.NAMESAKE: "Another account has the name",
    Reason.LONE_CONTACT_ABROAD: "One contact, other country",
    Reason.LONE_CONTACT: "One contact, other name",
    Reason.PART_BY_NAME: "Account is a part by its name",
    Reason.SUFFIX_LIKE: "Domain looks like a public suffix",
}
GUARD_MEANINGS: Mapping[Guard, str] = {
    Guard.UNIT_WORDS: (
        "Do not map where the names differ only in words by which firms of one group differ, such as Holding and "
        "Logistics; which words these are is learned from the accounts that share a domain in your CRM"
    ),
    Guard.NAMESAKE: (
        "Do not map where another account has the customer's very name, and the domain does not spell that of the "
        "supported one"
    ),
    Guard.LONE_CONTACT_ABROAD: "Do not map where a single contact is all that supports an account in another country",
    Guard.LONE_CONTACT: (
        "Do not map where a single contact is all that supports an account of another name with domains of its own"
    ),
    Guard.PART_BY_NAME: (
        "Do not map to an account that is by its name an institute, school or other part, "
        "where only addresses of people support it"
    ),
    Guard.SUFFIX_LIKE: "Do not map by a domain that looks like an ending of a registry, such as ac.cd",
}
DECISION_WORDS: Mapping[DecisionKind, str] = {
    DecisionKind.MAP: "Mapped",
    DecisionKind.UNMAP: "Unmapped",
    DecisionKind.REJECT: "Candidate rejected",
    DecisionKind.UNREJECT: "Rejection taken back",
    DecisionKind.EXCLUDE: "Excluded",
    DecisionKind.PARK: "Parked",
    DecisionKind.REOPEN: "Reopened",
    DecisionKind.RETURN: "Back from park",
    DecisionKind.UNDO: "Taken back",
    DecisionKind.SYNC_OFF: "Sync switched off",
    DecisionKind.SYNC_ON: "Sync switched on",
}
SAY_HELD = (
    "An automatic mapping was taken back. Release the row to let the next match map it again, or choose an account."
)
LEFT_WORDS: Mapping[str, str] = {
    "changed": "changed since",
    "returned": "the day they were parked until has come",
    "mapped": "mapped already",
    "not_mapped": "not mapped",
    "set_aside": "excluded or parked",
    "open": "open already",
    "excluded": "excluded already",
    "parked": "parked already",
    "same_owner": "theirs already",
    "no_candidate": "no candidate",
    "below_score": "the best candidate scores less",
    "tied": "two candidates are equally good",
    "rejected": "the account was rejected for them",
    "account_gone": "the account is inactive or deleted",
    "taken": "the account belongs to another provider account, and the policy allows one",
    "contested": "two or more of them would get one account, and the policy allows one",
}
"""Why a bulk action or an undo leaves rows as they are."""
DRIFT_WORDS: Mapping[Drift, str] = {
    Drift.ACCOUNT_GONE: "Drifted: account gone",
    Drift.ELSEWHERE: "Drifted: other account",
    Drift.UNSUPPORTED: "Drifted: no evidence",
}
CARDINALITY_WORDS: Mapping[Cardinality, str] = {
    Cardinality.MANY: "Several provider accounts may share a CRM account",
    Cardinality.UNIQUE_IN_PROVIDER: "One provider account of each provider for a CRM account",
    Cardinality.UNIQUE: "One provider account among all providers for a CRM account",
}
LIST_WORDS: Mapping[DomainList, str] = {
    DomainList.FREE_MAIL: "Free-mail domains",
    DomainList.EXCLUDED: "Excluded domains",
    DomainList.SHARED: "Shared domains",
    DomainList.PARTNER: "The partner's own domains",
}
DOMAIN_KIND_WORDS: Mapping[DomainKind, str] = {
    DomainKind.OWN_NAME: "Own domain",
    DomainKind.TYPED: "Free text",
    DomainKind.SERVICE: "Service domain",
    DomainKind.PUBLIC_SUFFIX: "Public suffix",
    DomainKind.ADDRESS: "Address",
    DomainKind.INVALID: "Not a domain",
}

_SENTENCES: Mapping[Reason, str] = {
    Reason.RULE: "Exactly one active account is supported by the rules.",
    Reason.SEVERAL_ACCOUNTS: "Several accounts are supported equally, so nobody is mapped.",
    Reason.CONTESTED: "Another customer points to the same account, and each needs its own.",
    Reason.ACCOUNT_TAKEN: "The account is mapped to another customer already, and each needs its own.",
    Reason.REJECTED: "The account the rules support was rejected for this customer.",
    Reason.INACTIVE_ACCOUNT: "The only account the rules would support is inactive or deleted.",
    Reason.NO_ACCOUNT: "No contact and no account uses a domain of this customer.",
    Reason.BLOCKED_DOMAIN: "The domain is excluded from matching.",
    Reason.SHARED_DOMAIN: "The domain is shared by many accounts and tells them apart no more.",
    Reason.FREE_MAIL: "The only domain is one at which anybody may have a mailbox.",
    Reason.FREE_TEXT: "The provider knows only a domain that somebody typed there, and free text only suggests.",
    Reason.UNREAD_FIELD: "A field of an account may hold a domain of this customer, and it has no one reading.",
    Reason.SERVICE_DOMAIN: "The customer has no verified domain of its own.",
    Reason.NO_DOMAIN: "The provider lists no domain for this customer.",
    Reason.UNIT_WORDS: "The names differ only in words by which firms of one group differ, so it may be a sister firm.",
    Reason.NAMESAKE: "Another account has this customer's very name; the one the rules support has another.",
    Reason.LONE_CONTACT_ABROAD: "A single contact is all that supports the account, and it is in another country.",
    Reason.LONE_CONTACT: (
        "A single contact is all that supports the account, which has another name and domains of its own."
    ),
    Reason.PART_BY_NAME: (
        "By its name the account is a part of an organisation, and only addresses of people support it."
    ),
    Reason.SUFFIX_LIKE: "The domain looks like an ending under which a registry hands out names.",
}
_FIXES: Mapping[Reason, str] = {
    Reason.RULE: "Switch Auto-Match on, or accept the account.",
    Reason.SEVERAL_ACCOUNTS: "Choose the right account, or merge the duplicates in the CRM.",
    Reason.CONTESTED: "Choose which customer gets the account, or allow several to share it.",
    Reason.ACCOUNT_TAKEN: "Unmap the other customer, choose another account, or allow several to share it.",
    Reason.REJECTED: "Take the rejection back, or choose another account.",
    Reason.INACTIVE_ACCOUNT: "Activate the account in the CRM, or choose another one.",
    Reason.NO_ACCOUNT: "Add a contact or a website with the domain in the CRM, choose an account, or create one.",
    Reason.BLOCKED_DOMAIN: "Take the domain off the list if it belongs to this customer alone, or choose an account.",
    Reason.SHARED_DOMAIN: "Choose the account by hand, or raise the threshold for shared domains.",
    Reason.FREE_MAIL: "Choose the account by hand.",
    Reason.FREE_TEXT: ("Accept a candidate, or say on Configuration that what is typed at this provider is proof."),
    Reason.UNREAD_FIELD: "Write one address into the field in the CRM, or choose the account by hand.",
    Reason.SERVICE_DOMAIN: "Choose the account by hand, or let the customer verify its own domain at Microsoft.",
    Reason.NO_DOMAIN: "Sync the customer's domains again, or choose the account by hand.",
    **dict.fromkeys(
        (
            Reason.UNIT_WORDS,
            Reason.NAMESAKE,
            Reason.LONE_CONTACT_ABROAD,
            Reason.LONE_CONTACT,
            Reason.PART_BY_NAME,
            Reason.SUFFIX_LIKE,
        ),
        "Accept the first candidate if it is the customer, choose another account, or switch this guard off.",
    ),
}

_DRIFT_SENTENCES: Mapping[Drift, str] = {
    Drift.ACCOUNT_GONE: "The mapped account is inactive or deleted in the CRM. Choose another one, or activate it.",
    Drift.ELSEWHERE: "The rules now support another account and no longer the mapped one. Choose it, or keep this one.",
    Drift.UNSUPPORTED: "The rules no longer support the mapped account. Keep it if it is right, or clear it.",
}

_OF_DOMAINS: Mapping[Reason, tuple[str, str]] = {
    Reason.SHARED_DOMAIN: ("is shared by many accounts", "are shared by many accounts"),
    Reason.BLOCKED_DOMAIN: ("is excluded from matching", "are excluded from matching"),
    Reason.FREE_MAIL: ("is a free-mail domain", "are free-mail domains"),
    Reason.FREE_TEXT: ("was typed at the provider, and free text only suggests",) * 2,
    Reason.UNREAD_FIELD: (
        "may stand in the e-mail or website field of the account, which has no one reading",
        "may stand in the e-mail or website fields of accounts, which have no one reading",
    ),
    Reason.SERVICE_DOMAIN: ("is not a verified domain of its own", "are not verified domains of its own"),
}


@dataclass(frozen=True, slots=True)
class Nearest:
    """The account that came closest. ``contact_domains`` are those of its contacts, the most frequent first."""

    name: str
    score: float
    contacts: int = 0
    contact_domains: tuple[str, ...] = ()


def say_evidence(fact: Evidence) -> str:
    """Say one fact that supports a link."""
    if fact.rule is Rule.TENANT_GUID:
        return "the account carries the id of this tenant"
    if fact.rule is Rule.CONTACT_DOMAIN:
        return f"{fact.domain} is the e-mail domain of {counted(fact.contacts, 'contact')}"
    if fact.rule is Rule.ACCOUNT_EMAIL:
        return f"{fact.domain} is the account's e-mail domain"
    return f"{fact.domain} is the account's website"


def say_reason(reason: Reason, *, account: str = "", other: str = "") -> str:
    """Say why a provider account is proposed, in conflict or not matched, with the names where they are known."""
    if reason is Reason.RULE and account:
        return f"{account} is the only active account the rules support."
    if reason is Reason.ACCOUNT_TAKEN and account and other:
        return f"{account} is mapped to {other} already, and each customer needs its own."
    if reason is Reason.CONTESTED and account and other:
        return f"{account} is also what the rules find for {other}, and each customer needs its own."
    if reason in (Reason.REJECTED, Reason.INACTIVE_ACCOUNT) and account:
        what = "was rejected for this customer" if reason is Reason.REJECTED else "is inactive or deleted"
        return f"{account}, which the rules would support, {what}."
    return _SENTENCES[reason]


def say_drift(drift: Drift) -> str:
    """Say how a mapping drifted and what a person can do; nothing for one that did not."""
    return _DRIFT_SENTENCES.get(drift, "")


def say_fix(reason: Reason) -> str:
    """Say what a person can do about it."""
    return _FIXES[reason]


def why_not(reason: Reason, domains: Sequence[str], nearest: Nearest | None = None) -> str:
    """Say why nobody is mapped, what came closest, and the fix. ``domains`` are those the reason is about."""
    return " ".join(part for part in (_about(reason, domains), _closest(nearest), say_fix(reason)) if part)


def _about(reason: Reason, domains: Sequence[str]) -> str:
    if not domains:
        return say_reason(reason)
    named = _list(domains)
    if reason is Reason.NO_ACCOUNT:
        is_only = "is the only usable domain; no contact and no account uses it"
        are_all = "are the usable domains; no contact and no account uses one of them"
        return f"{named} {is_only if len(domains) == 1 else are_all}."
    if reason in _OF_DOMAINS:
        return f"{named} {_OF_DOMAINS[reason][len(domains) > 1]}."
    return f"{say_reason(reason)} Its domains: {named}."


def _closest(nearest: Nearest | None) -> str:
    if nearest is None:
        return ""
    closest = f"Closest: {nearest.name}, score {nearest.score:.2f}"
    if not nearest.contacts:
        return f"{closest}; it has no contacts."
    use = "uses" if nearest.contacts == 1 else "use"
    where = _list(nearest.contact_domains) or "no usable e-mail address"
    return f"{closest}; its {counted(nearest.contacts, 'contact')} {use} {where}."


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _list(names: Sequence[str]) -> str:
    shown, more = list(names[:3]), len(names) - 3
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

"""The words of the field as frozen values. Everything here is plain data; no behaviour beyond naming and comparing."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass
from typing import Final

LOGICAL_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,127}")
"""What Dataverse calls a table or a column."""

GUID: Final = re.compile(r"[{(]?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[)}]?", re.IGNORECASE)

GUID_LENGTHS: Final = (36, 38)
"""Without and with braces."""


def fold_guid(text: str) -> str:
    """Write a GUID in the one way that ids of it are compared: small letters, no braces. Other texts stay."""
    guid = GUID.fullmatch(text)
    return guid[1].lower() if guid else text


class Role(enum.IntEnum):
    """What a person may do; a higher role may do everything a lower one may."""

    VIEWER = 1
    ANALYST = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. Every service call takes one and checks its role.

    ``name`` is unique and stays: it stands for the actor in decisions, notes, owners and visits. ``session`` is the one
    that a person signed in to, ``token`` the one that a service account came with; this program itself, the command
    line and the person at this machine have neither.
    """

    name: str
    role: Role
    session: int | None = None
    token: int | None = None


class SessionEnd(enum.StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed out"
    IDLE = "idle"
    TOO_OLD = "too old"
    DISABLED = "disabled"


class AuditKind(enum.StrEnum):
    """What the audit log tells."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    REFUSAL = "refusal"
    PERSON = "person"
    PROGRAM = "program"
    SETTING = "setting"
    DOWNLOAD = "download"
    REMOVAL = "removal"


class Kept(enum.StrEnum):
    """What is kept for as long as an admin says, see ``w365.store.retention.due_rows``."""

    RUNS = "runs"
    VISITS = "visits"
    NOTICES = "notices"
    AUDIT_LOG = "audit_log"
    DECISIONS = "decisions"


class ProviderKind(enum.StrEnum):
    PARTNER_CENTER = "partner_center"
    PAX8 = "pax8"
    MANUAL = "manual"


FREE_TEXT_KINDS = (ProviderKind.PAX8,)
"""Providers that know no verified domain, only what somebody typed."""


class Status(enum.StrEnum):
    """Of a provider account. Derived from mapping, disposition and proposal; see ``w365.store.tables.Worklist``."""

    MAPPED = "mapped"
    CONFLICT = "conflict"
    UNMAPPED = "unmapped"
    EXCLUDED = "excluded"
    PARKED = "parked"


OPEN = (Status.UNMAPPED, Status.CONFLICT)
"""The statuses of the backlog: such a row waits for a decision."""


class Disposition(enum.StrEnum):
    """What a person ordered for a row apart from its mapping."""

    OPEN = "open"
    EXCLUDED = "excluded"
    PARKED = "parked"
    HELD = "held"


class Origin(enum.StrEnum):
    """How a mapping came to be."""

    AUTO = "auto"
    MANUAL = "manual"
    PROVISIONED = "provisioned"
    IMPORTED = "imported"


class Rule(enum.StrEnum):
    """The deterministic rules that may map, in order of display. TENANT_GUID decides alone; the others unite."""

    TENANT_GUID = "tenant_guid"
    CONTACT_DOMAIN = "contact_domain"
    ACCOUNT_EMAIL = "account_email"
    ACCOUNT_WEBSITE = "account_website"


class Guard(enum.StrEnum):
    """Doubts that leave to a person what a rule would map, in the order in which they are asked.

    The first that applies is the reason of the same name. ``w365.matching.guards`` judges, ``words`` says them.
    """

    UNIT_WORDS = "unit_words"
    NAMESAKE = "namesake"
    LONE_CONTACT_ABROAD = "lone_contact_abroad"
    LONE_CONTACT = "lone_contact"
    PART_BY_NAME = "part_by_name"
    SUFFIX_LIKE = "suffix_like"


class Cardinality(enum.StrEnum):
    """How many provider accounts may share one CRM account."""

    MANY = "many"
    UNIQUE_IN_PROVIDER = "unique_in_provider"
    UNIQUE = "unique"


class Proposal(enum.StrEnum):
    """What the evidence now proposes for a provider account."""

    ONE = "one"
    CONFLICT = "conflict"
    NONE = "none"


class Reason(enum.StrEnum):
    """Why a provider account is proposed, in conflict or not matched. ``w365.matching.messages`` says it to people."""

    RULE = "rule"
    SEVERAL_ACCOUNTS = "several_accounts"
    CONTESTED = "contested"
    ACCOUNT_TAKEN = "account_taken"
    REJECTED = "rejected"
    INACTIVE_ACCOUNT = "inactive_account"
    NO_ACCOUNT = "no_account"
    BLOCKED_DOMAIN = "blocked_domain"
    SHARED_DOMAIN = "shared_domain"
    FREE_MAIL = "free_mail"
    FREE_TEXT = "free_text"
    UNREAD_FIELD = "unread_field"
    SERVICE_DOMAIN = "service_domain"
    NO_DOMAIN = "no_domain"
    UNIT_WORDS = "unit_words"
    NAMESAKE = "namesake"
    LONE_CONTACT_ABROAD = "lone_contact_abroad"
    LONE_CONTACT = "lone_contact"
    PART_BY_NAME = "part_by_name"
    SUFFIX_LIKE = "suffix_like"


class Drift(enum.StrEnum):
    """How a mapping came to differ from what the evidence says. ``w365.store.matching.drift`` derives it."""

    NONE = ""
    ACCOUNT_GONE = "account_gone"
    ELSEWHERE = "elsewhere"
    UNSUPPORTED = "unsupported"


class ScoreBand(enum.StrEnum):
    """The best candidate's score, in bands from the likeliest down; WEAK has the rows without a candidate too."""

    STRONG = "strong"
    LIKELY = "likely"
    WEAK = "weak"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest score of the band, and the one from which a higher band begins."""
        return {"strong": (0.9, 2.0), "likely": (0.5, 0.9), "weak": (0.0, 0.5)}[self.value]


class ListPart(enum.StrEnum):
    """A part of the list of provider accounts that is no status, as addresses and the rows route name it."""

    NEW = "new"
    """First seen since the person was here before."""
    DRIFTED = "drifted"
    """Mapped, and the evidence no longer supports it."""
    UNSYNCED = "unsynced"
    """Syncs leave the row alone."""
    HELD = "held"
    """The automatic mapping was taken back: no match maps the row before somebody releases it."""
    GONE = "gone"
    """The provider lists the customer no more."""
    BACK = "back"
    """Back from being parked, and not decided since."""


class Age(enum.StrEnum):
    """How long a provider account is known, in bands of days."""

    WEEK = "week"
    MONTH = "month"
    OLDER = "older"

    def days(self, today: dt.date) -> tuple[dt.date | None, dt.date | None]:
        """The first day of the band and the first after it; None is unbounded."""
        week, month = today - dt.timedelta(days=7), today - dt.timedelta(days=28)
        return {"week": (week, None), "month": (month, week), "older": (None, month)}[self.value]


class DomainKind(enum.StrEnum):
    """What a domain is worth as evidence. Only OWN_NAME can map, and TYPED where an admin says that it is proof.

    TYPED is a name of one's own in free text that somebody typed at the provider; the others are known from the name.
    """

    OWN_NAME = "own_name"
    TYPED = "typed"
    SERVICE = "service"
    PUBLIC_SUFFIX = "public_suffix"
    ADDRESS = "address"
    INVALID = "invalid"


class DomainList(enum.StrEnum):
    """Lists an admin keeps of domains that are never evidence."""

    FREE_MAIL = "free_mail"
    EXCLUDED = "excluded"
    SHARED = "shared"
    PARTNER = "partner"


class DecisionKind(enum.StrEnum):
    MAP = "map"
    UNMAP = "unmap"
    REJECT = "reject"
    UNREJECT = "unreject"
    EXCLUDE = "exclude"
    PARK = "park"
    REOPEN = "reopen"
    RETURN = "return"
    UNDO = "undo"
    SYNC_OFF = "sync_off"
    SYNC_ON = "sync_on"


class RunKind(enum.StrEnum):
    SYNC = "sync"
    CRM_SYNC = "crm_sync"
    MATCH = "match"
    BULK = "bulk"
    UNDO = "undo"
    IMPORT = "import"
    MAPPING_IMPORT = "mapping_import"
    WRITEBACK = "writeback"
    COMPARE = "compare"
    LEARN = "learn"


class ProcessKind(enum.StrEnum):
    APP = "app"
    WORKER = "worker"


class RunState(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """Everything that decides what the evidence is worth (product rules 1, 4, 6 and 7).

    Without ``guards`` the rules hold as they stand.
    """

    auto_match: bool = False
    rules: frozenset[Rule] = frozenset({Rule.CONTACT_DOMAIN, Rule.ACCOUNT_EMAIL, Rule.ACCOUNT_WEBSITE})
    cardinality: Cardinality = Cardinality.MANY
    shared_threshold: int = 10
    guards: frozenset[Guard] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that supports a link: ``rule`` holds because ``domain`` is on ``contacts`` contacts (or on the account).

    ``example`` is the CRM id of one such contact, or empty when the fact is a field of the account.
    """

    rule: Rule
    domain: str
    contacts: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """One named contribution to a candidate's score; ``weight`` may be negative. ``text`` is for people."""

    name: str
    weight: float
    text: str

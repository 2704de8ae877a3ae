"""What people set: Auto-Match, rules, policy, domain lists. Every change is audited and touches what it affects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from w365.errors import InputError, NotFound
from w365.matching.domains import FREE_MAIL, normalise_domain
from w365.matching.messages import GUARD_MEANINGS
from w365.model import LOGICAL_NAME, Actor, Cardinality, DomainKind, DomainList, Guard, Kept, MatchPolicy, Rule
from w365.store import tables as t
from w365.store.configuring.schedule_times import parse_zone, plan_anew, zone_of
from w365.store.configuring.setting_changes import note_change
from w365.store.db.bulk_insert import chunks, upsert
from w365.store.matching.account_domains import ACTIVE_CONTACTS, fold_all
from w365.store.matching.candidates import order_candidates
from w365.store.matching.change_sequence import note_all_accounts
from w365.store.matching.dirty_rows import all_rows, rows_of_provider, touch_rows, with_domains
from w365.store.matching.learned_weights import USES_LEARNED
from w365.store.matching.unit_words import learn_all_units

CRM_ADDRESS = "crm_account_address"
SCHEDULE_ZONE = "schedule_zone"
ID_PLACE = "{id}"
"""Where the account's id goes in the setting of that name."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A setting: its default and meaning, how text becomes a value, and whether it changes what evidence is worth."""

    default: str
    meaning: str
    parse: Callable[[str], object]
    is_matching: bool = True


def _boolean(text: str) -> bool:
    words = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    if text.lower() not in words:
        raise InputError(f"“{text}” is neither true nor false.")
    return words[text.lower()]


def _whole_number(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_000_000:
        raise InputError(f"“{text}” is not a whole number from 0 to 1,000,000.")
    return int(text)


def _days_kept(text: str) -> int:
    number = _whole_number(text)
    if 0 < number < LEAST_DAYS_KEPT:
        raise InputError(f"“{text}” is neither 0 nor at least {LEAST_DAYS_KEPT} days.")
    return number


def _percent(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 100:
        raise InputError(f"“{text}” is not a percentage from 0 to 100.")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 89:
        raise InputError(f"“{text}” is not a number of days from 1 to 89.", do="Audit records are kept for 90 days.")
    return int(text)


def _cardinality(text: str) -> Cardinality:
    if text not in list(Cardinality):
        raise InputError(f"“{text}” is no policy. Choose {', '.join(Cardinality)}.")
    return Cardinality(text)


def _column(text: str) -> str:
    if text and not (text.isascii() and text.replace("_", "").isalnum()):
        raise InputError(f"“{text}” is not the logical name of a Dataverse column.")
    return text


def _address(text: str) -> str:
    parts = urlsplit(text.replace(ID_PLACE, "id", 1))
    is_plain = parts.scheme == "https" and parts.hostname and not parts.username and text.isprintable()
    if text and (not is_plain or text.count(ID_PLACE) != 1 or " " in text or len(text) > 500):
        raise InputError(f"“{text[:80]}” is no https:// address with {ID_PLACE} in it.")
    if ID_PLACE in text.partition("://")[2].partition("/")[0]:
        raise InputError(f"{ID_PLACE} may not stand in the host's name.")
    return text


def _logical_name(text: str) -> str:
    if text and not LOGICAL_NAME.fullmatch(text):
        raise InputError(f"“{text[:80]}” is not a logical name: small letters, digits and underscores.")
    return text


LEAST_DAYS_KEPT = 30
"""Shorter, and what happened last month could not be looked up."""
KEPT_FOR: Mapping[Kept, str] = {
    Kept.RUNS: "keep_runs_days",
    Kept.VISITS: "keep_visits_days",
    Kept.NOTICES: "keep_notices_days",
    Kept.AUDIT_LOG: "keep_audit_log_days",
    Kept.DECISIONS: "keep_decisions_years",
}
"""The settings that say for how long; 0 is for ever."""

MAPPING_TABLE, MAPPING_ID_COLUMN = "mapping_table", "mapping_id_column"
MAPPING_PROVIDER_COLUMN, MAPPING_ACCOUNT_COLUMN = "mapping_provider_column", "mapping_account_column"
WRITE_BACK = "write_back"

SPECS: Mapping[str, Spec] = {
    "auto_match": Spec("false", "Map automatically where exactly one account is supported", _boolean),
    "rule_contact_domain": Spec("true", "A contact's e-mail domain is evidence", _boolean),
    "rule_account_email": Spec("true", "The account's own e-mail domain is evidence", _boolean),
    "rule_account_website": Spec("true", "The account's website domain is evidence", _boolean),
    ACTIVE_CONTACTS: Spec("true", "A deactivated contact is no evidence", _boolean),
    "tenant_guid_column": Spec("", "Column of the CRM account that holds the tenant GUID; empty: rule off", _column),
    "cardinality": Spec("many", "How many provider accounts may share one CRM account", _cardinality),
    "shared_threshold": Spec(
        "10", "Accounts with a contact on a domain from which it is shared; 0: never", _whole_number
    ),
    **{f"guard_{guard}": Spec("true", meaning, _boolean) for guard, meaning in GUARD_MEANINGS.items()},
    USES_LEARNED: Spec(
        "true", "Weigh the signals of candidates by what was learned from decisions here", _boolean, False
    ),
    "gone_guard_percent": Spec(
        "20", "A sync that would mark more than this share as gone stops and asks", _percent, False
    ),
    "change_feed": Spec(
        "false", "Between two full syncs read only customers that Partner Center's audit records name", _boolean, False
    ),
    "full_sync_days": Spec("7", "After how many days every customer is read whole again", _days, False),
    CRM_ADDRESS: Spec(
        "",
        f"Address of an account's page in the CRM, {ID_PLACE} for its id; empty: made from the Dataverse URL",
        _address,
        False,
    ),
    SCHEDULE_ZONE: Spec("", "Time zone of daily syncs, such as Europe/Berlin; empty: the machine's", parse_zone, False),
    KEPT_FOR[Kept.RUNS]: Spec("0", "Days after which runs are removed; 0: never", _days_kept, False),
    KEPT_FOR[Kept.VISITS]: Spec("0", "Days after which it is forgotten who was here; 0: never", _days_kept, False),
    KEPT_FOR[Kept.NOTICES]: Spec("0", "Days after which told summaries are removed; 0: never", _days_kept, False),
    KEPT_FOR[Kept.AUDIT_LOG]: Spec(
        "0", "Days after which entries of the audit log are removed; 0: never", _days_kept, False
    ),
    KEPT_FOR[Kept.DECISIONS]: Spec(
        "0", "Years after which decisions that no longer hold are removed; 0: never", _whole_number, False
    ),
    MAPPING_TABLE: Spec("", "Dataverse table that holds mappings; empty: none", _logical_name, False),
    MAPPING_ID_COLUMN: Spec("", "Its column of the provider specific account id", _logical_name, False),
    MAPPING_PROVIDER_COLUMN: Spec("", "Its column of the provider's name; may be empty", _logical_name, False),
    MAPPING_ACCOUNT_COLUMN: Spec("", "Its lookup to the account", _logical_name, False),
    WRITE_BACK: Spec("false", "Write every mapping to that table", _boolean, False),
}


def read_policy(connection: sa.Connection) -> MatchPolicy:
    values = _read(connection)
    rules = {
        Rule.TENANT_GUID: bool(values["tenant_guid_column"]),
        Rule.CONTACT_DOMAIN: values["rule_contact_domain"],
        Rule.ACCOUNT_EMAIL: values["rule_account_email"],
        Rule.ACCOUNT_WEBSITE: values["rule_account_website"],
    }
    return MatchPolicy(
        auto_match=bool(values["auto_match"]),
        rules=frozenset(rule for rule, is_on in rules.items() if is_on),
        cardinality=Cardinality(str(values["cardinality"])),
        shared_threshold=int(str(values["shared_threshold"])),
        guards=frozenset(guard for guard in Guard if values[f"guard_{guard}"]),
    )


def read_setting(connection: sa.Connection, name: str) -> str:
    return read_texts(connection)[_known(name)]


def put_settings(connection: sa.Connection, actor: Actor, at: dt.datetime, values: Mapping[str, str]) -> int:
    """Change settings, audit each change and touch what it concerns; return how many differ from before.

    Raises InputError and NotFound naming the setting.
    """
    texts = {_known(name): check_setting(name, value) for name, value in values.items()}
    before = read_texts(connection)
    changes = [(name, before[name], text) for name, text in texts.items() if before[name] != text]
    upsert(connection, t.Setting, ("name", "value"), [(name, text) for name, _, text in changes])
    for name, old, text in changes:
        note_change(connection, actor.name, at, name, old, text)
    if any(SPECS[name].is_matching and name != "auto_match" for name, _, _ in changes):
        touch_rows(connection, all_rows())
    if any(name == ACTIVE_CONTACTS for name, _, _ in changes):
        fold_all(connection)
        learn_all_units(connection)
        note_all_accounts(connection)
    if any(name == USES_LEARNED for name, _, _ in changes):
        order_candidates(connection, all_rows())
    if any(name == SCHEDULE_ZONE for name, _, _ in changes):
        plan_anew(connection, zone_of(texts[SCHEDULE_ZONE]), at)
    if any(name == "tenant_guid_column" for name, _, _ in changes):
        # A change link goes on asking for the columns of its first read.
        connection.execute(sa.delete(t.CrmDelta).where(t.CrmDelta.table_name == "accounts"))
    if any(name.startswith("mapping_") for name, _, _ in changes):
        # What was read is what another table or column said.
        connection.execute(sa.delete(t.RemoteMapping))
    return len(changes)


def put_domains(
    connection: sa.Connection, actor: Actor, at: dt.datetime, which: DomainList, texts: Iterable[str]
) -> None:
    """Make the list hold exactly these domains.

    Raises InputError naming the entries that are no domain names. A domain is on one list only: it moves from another.
    """
    domains = _checked_domains(texts)
    before = set(connection.scalars(sa.select(t.ListedDomain.domain).where(t.ListedDomain.list == which)))
    added, removed = domains - before, before - domains
    for part in chunks(sorted(removed)):
        connection.execute(sa.delete(t.ListedDomain).where(t.ListedDomain.domain.in_(part)))
    upsert(connection, t.ListedDomain, ("domain", "list"), [(domain, which.value) for domain in sorted(added)])
    if added or removed:
        old, new = ", ".join(sorted(removed)), ", ".join(sorted(added))
        note_change(connection, actor.name, at, f"domains: {which}", f"removed: {old}", f"added: {new}")
        for part in chunks(sorted(added | removed)):
            touch_rows(connection, with_domains(), {"names": part})


def put_domain(connection: sa.Connection, actor: Actor, at: dt.datetime, which: DomainList, text: str) -> None:
    """Add one domain to a list, unless it is on it; it leaves any other list. InputError for what is no domain."""
    if not text.strip():
        raise InputError("No domain was named.", kept="The list was not changed.")
    (domain,) = _checked_domains([text])
    before = connection.scalar(sa.select(t.ListedDomain.list).where(t.ListedDomain.domain == domain))
    if before == which:
        return
    upsert(connection, t.ListedDomain, ("domain", "list"), [(domain, which.value)])
    old = f"was on: {before or 'no list'}"
    note_change(connection, actor.name, at, f"domains: {which}", old, f"added: {domain}")
    touch_rows(connection, with_domains(), {"names": [domain]})


def put_provider_cardinality(
    connection: sa.Connection, actor: Actor, at: dt.datetime, provider_id: int, value: Cardinality | None
) -> None:
    """Set a provider's exception from the default policy, or none. Raises NotFound."""
    row = connection.execute(sa.select(t.Provider).where(t.Provider.id == provider_id)).one_or_none()
    if row is None:
        raise NotFound("This provider does not exist.")
    connection.execute(sa.update(t.Provider).where(t.Provider.id == provider_id).values(cardinality=value))
    old, new = row.cardinality or "default", value or "default"
    note_change(connection, actor.name, at, f"cardinality: {row.name}", old, new)
    touch_rows(connection, all_rows())


def put_text_proof(
    connection: sa.Connection, actor: Actor, at: dt.datetime, provider_id: int, *, is_proof: bool
) -> None:
    """Say whether what is typed at a provider counts like a verified domain. Raises NotFound."""
    row = connection.execute(sa.select(t.Provider).where(t.Provider.id == provider_id)).one_or_none()
    if row is None:
        raise NotFound("This provider does not exist.")
    connection.execute(sa.update(t.Provider).where(t.Provider.id == provider_id).values(is_text_proof=is_proof))
    pad = t.ProviderAccountDomain
    typed = sa.update(pad).where(pad.kind == DomainKind.TYPED, pad.provider_account_id.in_(rows_of_provider()))
    connection.execute(typed.values(is_verified=is_proof), {"provider": provider_id})
    old, new = (str(value).lower() for value in (row.is_text_proof, is_proof))
    note_change(connection, actor.name, at, f"free text: {row.name}", old, new)
    touch_rows(connection, rows_of_provider(), {"provider": provider_id})


def seed_lists(connection: sa.Connection) -> None:
    """Fill the free-mail list of a new database with the one that ships."""
    shipped = [(domain, DomainList.FREE_MAIL.value) for domain in sorted(FREE_MAIL)]
    upsert(connection, t.ListedDomain, ("domain", "list"), shipped)


def _read(connection: sa.Connection) -> dict[str, object]:
    return {name: SPECS[name].parse(text) for name, text in read_texts(connection).items()}


_SETTINGS = sa.select(t.Setting.name, t.Setting.value)


def _known(name: str) -> str:
    if name not in SPECS:
        raise NotFound(f"There is no setting “{name}”.", do=f"Settings: {', '.join(SPECS)}.")
    return name


def check_setting(name: str, value: str) -> str:
    """Write a value as it is stored. Raises InputError and NotFound naming the setting."""
    try:
        parsed = SPECS[_known(name)].parse(value.strip())
    except InputError as error:
        raise InputError(f"{name}: {error.what}", kept="The setting was not changed.", do=error.do) from None
    return str(parsed).lower() if isinstance(parsed, bool) else str(parsed)


def _checked_domains(texts: Iterable[str]) -> set[str]:
    domains = {text.strip(): normalise_domain(text) for text in texts if text.strip()}
    wrong = [text for text, domain in domains.items() if domain.kind in (DomainKind.INVALID, DomainKind.ADDRESS)]
    if wrong:
        raise InputError(
            f"Not a domain name: {', '.join(wrong[:5])}.", kept="The list was not changed.", do="Correct it."
        )
    return {domain.name for domain in domains.values()}


def read_texts(connection: sa.Connection) -> dict[str, str]:
    """Read all settings by name, as text; what was never set has its default."""
    stored = {row.name: row.value for row in connection.execute(_SETTINGS)}
    return {name: stored.get(name, spec.default) for name, spec in SPECS.items()}


def read_domains(connection: sa.Connection, which: DomainList) -> list[str]:
    query = sa.select(t.ListedDomain.domain).where(t.ListedDomain.list == which).order_by(t.ListedDomain.domain)
    return list(connection.scalars(query))

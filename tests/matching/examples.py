"""The sentences of the rules, each with a world small enough to see through and what must come of it.

They are held against the oracle, and against the statements on both databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from oracle import World, WorldAccount, WorldContact, WorldDomain, WorldProviderAccount

from w365.model import Cardinality, Disposition, DomainList, Drift, Guard, MatchPolicy, Reason, Rule, Status

ON = MatchPolicy(auto_match=True)
UNIQUE = replace(ON, cardinality=Cardinality.UNIQUE)
IN_PROVIDER = replace(ON, cardinality=Cardinality.UNIQUE_IN_PROVIDER)
WITH_GUID = replace(ON, rules=frozenset(Rule))

ROW = WorldProviderAccount(1, 1, (WorldDomain("contoso.com"),))
TWIN = replace(ROW, id=2)
TWIN_ELSEWHERE = replace(TWIN, provider_id=2)
CONTACT = WorldContact(1, 1, "contoso.com")
RIVAL = WorldAccount(2, website_domain="contoso.com")
INACTIVE = (WorldAccount(2, is_active=False), WorldAccount(3, is_deleted=True))
USERS = tuple(WorldContact(at, at, "contoso.com") for at in (1, 2, 3))


@dataclass(frozen=True)
class Example:
    """What becomes of each row by id: its reason, the account that a match maps it to, its status and drift before."""

    world: World
    reasons: Mapping[int, Reason]
    mapped: Mapping[int, int] = field(default_factory=dict)
    statuses: Mapping[int, Status] = field(default_factory=dict)
    drifts: Mapping[int, Drift] = field(default_factory=dict)


def world(*rows: WorldProviderAccount, **changes: object) -> World:
    """One customer whose domain is that of a contact of one account, but for what is said."""
    start = World(rows or (ROW,), accounts=(WorldAccount(1),), contacts=(CONTACT,), policy=ON)
    return replace(start, **changes)


def example(of: World, *reasons: Reason, mapped: Mapping[int, int] | None = None, **status: Status) -> Example:
    """Give the reasons in the order of the rows, and the statuses as `row_1=…`."""
    statuses = {int(name.removeprefix("row_")): one for name, one in status.items()}
    return Example(of, dict(enumerate(reasons, start=1)), mapped or {}, statuses)


def drifting(of: World, reason: Reason, drift: Drift) -> Example:
    """The same of one row that a person mapped."""
    return Example(of, {1: reason}, statuses={1: Status.MAPPED}, drifts={1: drift})


SUPPORT = {
    "the account of a contact is mapped": example(world(), Reason.RULE, mapped={1: 1}, row_1=Status.UNMAPPED),
    "the account with the e-mail domain is mapped": example(
        world(accounts=(WorldAccount(1, email_domain="contoso.com"),), contacts=()), Reason.RULE, mapped={1: 1}
    ),
    "the account with the website is mapped": example(
        world(accounts=(WorldAccount(1, website_domain="contoso.com"),), contacts=()), Reason.RULE, mapped={1: 1}
    ),
    "nothing is mapped while Auto-Match is off": example(world(policy=MatchPolicy()), Reason.RULE),
    "rules unite instead of outvoting one another": example(
        world(accounts=(WorldAccount(1), RIVAL)), Reason.SEVERAL_ACCOUNTS, row_1=Status.CONFLICT
    ),
    "two rules for one account are one account": example(
        world(accounts=(WorldAccount(1, "contoso.com", "contoso.com"),)), Reason.RULE, mapped={1: 1}
    ),
    "accounts of two domains are two": example(
        world(
            replace(ROW, domains=(WorldDomain("contoso.com"), WorldDomain("fabrikam.de"))),
            accounts=(WorldAccount(1), WorldAccount(2, email_domain="fabrikam.de")),
        ),
        Reason.SEVERAL_ACCOUNTS,
    ),
    **{
        f"{rule} that is off supports nobody": example(
            world(accounts=accounts, contacts=contacts, policy=replace(WITH_GUID, rules=frozenset(Rule) - {rule})),
            Reason.NO_ACCOUNT,
        )
        for rule, accounts, contacts in (
            (Rule.CONTACT_DOMAIN, (WorldAccount(1),), (CONTACT,)),
            (Rule.ACCOUNT_EMAIL, (WorldAccount(1, email_domain="contoso.com"),), ()),
            (Rule.ACCOUNT_WEBSITE, (WorldAccount(1, website_domain="contoso.com"),), ()),
        )
    },
    "an inactive account beside an active one is none": example(
        world(accounts=(WorldAccount(1), replace(RIVAL, is_active=False))), Reason.RULE, mapped={1: 1}
    ),
    "a deleted account beside an active one is none": example(
        world(accounts=(WorldAccount(1), replace(RIVAL, is_deleted=True))), Reason.RULE, mapped={1: 1}
    ),
}

GUID_ROW = replace(ROW, tenant_guid="g")
GUID_ACCOUNT = WorldAccount(2, tenant_guid="g")
TENANT = {
    "a tenant id decides alone": example(
        world(GUID_ROW, accounts=(WorldAccount(1), GUID_ACCOUNT), policy=WITH_GUID), Reason.RULE, mapped={1: 2}
    ),
    "a tenant id says nothing while its rule is off": example(
        world(GUID_ROW, accounts=(WorldAccount(1), GUID_ACCOUNT)), Reason.RULE, mapped={1: 1}
    ),
    "a tenant id of two accounts is a conflict": example(
        world(GUID_ROW, accounts=(replace(GUID_ACCOUNT, id=1), GUID_ACCOUNT), policy=WITH_GUID),
        Reason.SEVERAL_ACCOUNTS,
    ),
    "a tenant id that is empty on both sides is none": example(
        world(accounts=(WorldAccount(1), WorldAccount(2)), policy=WITH_GUID), Reason.RULE, mapped={1: 1}
    ),
    **{
        f"a tenant id decides only while its account is {word}": example(
            world(GUID_ROW, accounts=(WorldAccount(1), account), policy=WITH_GUID), Reason.RULE, mapped={1: 1}
        )
        for word, account in (
            ("active", replace(GUID_ACCOUNT, is_active=False)),
            ("not deleted", replace(GUID_ACCOUNT, is_deleted=True)),
        )
    },
}

REJECTED = {
    "a rejection makes no winner of two": example(
        world(accounts=(WorldAccount(1), RIVAL), rejections=frozenset({(1, 2)})), Reason.SEVERAL_ACCOUNTS
    ),
    "the only account, rejected, is not mapped": example(world(rejections=frozenset({(1, 1)})), Reason.REJECTED),
    "all of several accounts, rejected, are none": example(
        world(accounts=(WorldAccount(1), RIVAL), rejections=frozenset({(1, 1), (1, 2)})), Reason.REJECTED
    ),
    "a rejection is one of the row that it names": example(
        world(rejections=frozenset({(2, 1)})), Reason.RULE, mapped={1: 1}
    ),
    "a rejected inactive account is inactive first": example(
        world(accounts=(WorldAccount(1, is_active=False),), rejections=frozenset({(1, 1)})), Reason.INACTIVE_ACCOUNT
    ),
}

LISTS = (
    (DomainList.SHARED, Reason.SHARED_DOMAIN),
    (DomainList.EXCLUDED, Reason.BLOCKED_DOMAIN),
    (DomainList.PARTNER, Reason.BLOCKED_DOMAIN),
    (DomainList.FREE_MAIL, Reason.FREE_MAIL),
)


def listed(*lists: DomainList) -> dict[DomainList, frozenset[str]]:
    """Put a domain on each list, of which the customer of `of_all` has all."""
    return {which: frozenset({name_on(which)}) for which in lists}


def name_on(which: DomainList) -> str:
    return f"{which.replace('_', '-')}.com"


def of_all(lists: tuple[DomainList, ...]) -> World:
    names = (*(name_on(which) for which in lists), "co.uk")
    return world(replace(ROW, domains=tuple(WorldDomain(name) for name in names)), lists=listed(*lists))


NOTHING = {
    "only an inactive account": example(world(accounts=(WorldAccount(1, is_active=False),)), Reason.INACTIVE_ACCOUNT),
    "only a deleted account": example(world(accounts=(WorldAccount(1, is_deleted=True),)), Reason.INACTIVE_ACCOUNT),
    "no account with the domain": example(world(contacts=()), Reason.NO_ACCOUNT),
    "no domain": example(world(replace(ROW, domains=())), Reason.NO_DOMAIN, row_1=Status.UNMAPPED),
    "an unverified domain is no evidence": example(
        world(replace(ROW, domains=(WorldDomain("contoso.com", is_verified=False),))), Reason.SERVICE_DOMAIN
    ),
    **{
        f"{name} is nobody's own": example(world(replace(ROW, domains=(WorldDomain(name),))), Reason.SERVICE_DOMAIN)
        for name in ("contoso.onmicrosoft.com", "co.uk", "127.0.0.1", "not a domain")
    },
    **{
        f"a domain listed as {which} is no evidence": example(world(lists={which: frozenset({"contoso.com"})}), because)
        for which, because in LISTS
    },
    **{
        f"a domain listed as {which} keeps that reason, however many use it": example(
            world(lists={which: frozenset({"contoso.com"})}, policy=replace(ON, shared_threshold=1)), because
        )
        for which, because in LISTS
    },
    **{
        f"of several domains the best gives the reason, {because}": example(of_all(lists), because)
        for lists, because in (
            ((DomainList.FREE_MAIL, DomainList.EXCLUDED, DomainList.SHARED), Reason.SHARED_DOMAIN),
            ((DomainList.FREE_MAIL, DomainList.PARTNER), Reason.BLOCKED_DOMAIN),
            ((DomainList.FREE_MAIL,), Reason.FREE_MAIL),
            ((), Reason.SERVICE_DOMAIN),
        )
    },
    "a domain that nobody has is better than a listed one": example(
        world(
            replace(ROW, domains=(WorldDomain("contoso.com"), WorldDomain("fabrikam.de"))),
            lists={DomainList.SHARED: frozenset({"contoso.com"})},
        ),
        Reason.NO_ACCOUNT,
    ),
}

SHARED = {
    **{
        f"contacts of 3 accounts, active or not, are {word} at a threshold of {threshold}": example(
            world(
                accounts=(WorldAccount(1), *INACTIVE),
                contacts=USERS,
                policy=replace(ON, shared_threshold=threshold),
            ),
            because,
            mapped=mapped,
        )
        for threshold, word, because, mapped in (
            (2, "too many", Reason.SHARED_DOMAIN, {}),
            (3, "too many", Reason.SHARED_DOMAIN, {}),
            (4, "not too many", Reason.RULE, {1: 1}),
            (0, "never too many", Reason.RULE, {1: 1}),
        )
    },
    "several contacts of an account are one user of the domain": example(
        world(contacts=(CONTACT, WorldContact(2, 1, "contoso.com")), policy=replace(ON, shared_threshold=2)),
        Reason.RULE,
        mapped={1: 1},
    ),
    "the account's own domains count for no user": example(
        world(accounts=(WorldAccount(1, "contoso.com", "contoso.com"),), policy=replace(ON, shared_threshold=2)),
        Reason.RULE,
        mapped={1: 1},
    ),
}

CARDINALITY = {
    "many customers of one account are mapped by default": example(
        world(ROW, TWIN), Reason.RULE, Reason.RULE, mapped={1: 1, 2: 1}
    ),
    "two of a provider contest it where it is unique in the provider": example(
        world(ROW, TWIN, policy=IN_PROVIDER), Reason.CONTESTED, Reason.CONTESTED, row_1=Status.CONFLICT
    ),
    "of two providers they do not": example(
        world(ROW, TWIN_ELSEWHERE, policy=IN_PROVIDER), Reason.RULE, Reason.RULE, mapped={1: 1, 2: 1}
    ),
    "of two providers they do where it is unique": example(
        world(ROW, TWIN_ELSEWHERE, policy=UNIQUE), Reason.CONTESTED, Reason.CONTESTED
    ),
    "a provider's own policy goes before the default": example(
        world(ROW, TWIN_ELSEWHERE, policy=IN_PROVIDER, overrides={1: Cardinality.UNIQUE}),
        Reason.CONTESTED,
        Reason.RULE,
        mapped={2: 1},
    ),
    "a provider may have many of an account where the default is unique": example(
        world(ROW, TWIN, policy=UNIQUE, overrides={1: Cardinality.MANY}), Reason.RULE, Reason.RULE, mapped={1: 1, 2: 1}
    ),
    "an account that another row has is taken": example(
        world(ROW, TWIN, policy=IN_PROVIDER, mappings={2: 1}),
        Reason.ACCOUNT_TAKEN,
        Reason.RULE,
        row_1=Status.CONFLICT,
        row_2=Status.MAPPED,
    ),
    "an account that a gone row has is taken all the same": example(
        world(ROW, replace(TWIN, is_gone=True), policy=UNIQUE, mappings={2: 1}), Reason.ACCOUNT_TAKEN, Reason.RULE
    ),
    "of two that contest an account which another has, to both it is taken": example(
        world(ROW, TWIN, replace(ROW, id=3), policy=UNIQUE, mappings={3: 1}),
        *(Reason.ACCOUNT_TAKEN, Reason.ACCOUNT_TAKEN, Reason.RULE),
    ),
    "a row that is mapped elsewhere contests nothing": example(
        world(ROW, TWIN, accounts=(WorldAccount(1), WorldAccount(2)), policy=UNIQUE, mappings={2: 2}),
        Reason.RULE,
        Reason.RULE,
        mapped={1: 1},
    ),
    "a row that rejected the account contests nothing": example(
        world(ROW, TWIN, policy=UNIQUE, rejections=frozenset({(2, 1)})), Reason.RULE, Reason.REJECTED, mapped={1: 1}
    ),
    "a gone row contests nothing and is not mapped": example(
        world(ROW, replace(TWIN, is_gone=True), policy=UNIQUE), Reason.RULE, Reason.CONTESTED, mapped={1: 1}
    ),
    "an excluded row contests nothing and is not mapped": example(
        world(ROW, replace(TWIN, disposition=Disposition.EXCLUDED), policy=UNIQUE),
        Reason.RULE,
        Reason.CONTESTED,
        mapped={1: 1},
    ),
    **{
        f"a row that is {disposition} contests": example(
            world(ROW, replace(TWIN, disposition=disposition), policy=UNIQUE), Reason.CONTESTED, Reason.CONTESTED
        )
        for disposition in (Disposition.PARKED, Disposition.HELD)
    },
}

STATES = {
    "a gone customer is never mapped": example(world(replace(ROW, is_gone=True)), Reason.RULE, row_1=Status.UNMAPPED),
    "a gone customer beside one that is there": example(
        world(replace(ROW, is_gone=True), TWIN), Reason.RULE, Reason.RULE, mapped={2: 1}
    ),
    **{
        f"a row that is {disposition} is proposed and not mapped": example(
            world(replace(ROW, disposition=disposition)), Reason.RULE, row_1=shown
        )
        for disposition, shown in (
            (Disposition.EXCLUDED, Status.EXCLUDED),
            (Disposition.PARKED, Status.PARKED),
            (Disposition.HELD, Status.UNMAPPED),
        )
    },
    "a mapping goes before a disposition": example(
        world(replace(ROW, disposition=Disposition.PARKED), mappings={1: 1}), Reason.RULE, row_1=Status.MAPPED
    ),
    "a disposition goes before a conflict": example(
        world(replace(ROW, disposition=Disposition.PARKED), accounts=(WorldAccount(1), RIVAL)),
        Reason.SEVERAL_ACCOUNTS,
        row_1=Status.PARKED,
    ),
}

BOTH = replace(ROW, domains=(WorldDomain("contoso.com"), WorldDomain("fabrikam.de")))


def mapped_to_two(*rows: WorldProviderAccount, **changes: object) -> World:
    """A customer whose domains lead to two accounts, mapped to the second by a person."""
    start = world(*(rows or (BOTH,)), accounts=(WorldAccount(1), WorldAccount(2, "fabrikam.de")), mappings={1: 2})
    return replace(start, **changes)


DRIFT = {
    "a mapping that the evidence supports among others is no drift": drifting(
        mapped_to_two(), Reason.SEVERAL_ACCOUNTS, Drift.NONE
    ),
    "a mapping that the evidence contradicts stays and drifts": drifting(
        mapped_to_two(ROW), Reason.RULE, Drift.ELSEWHERE
    ),
    "a mapping whose account is inactive drifts": drifting(
        mapped_to_two(accounts=(WorldAccount(1), WorldAccount(2, "fabrikam.de", is_active=False))),
        Reason.RULE,
        Drift.ACCOUNT_GONE,
    ),
    "a mapping whose account is deleted drifts": drifting(
        mapped_to_two(accounts=(WorldAccount(1), WorldAccount(2, "fabrikam.de", is_deleted=True))),
        Reason.RULE,
        Drift.ACCOUNT_GONE,
    ),
    "a mapping by hand that nothing supports is no drift": drifting(
        mapped_to_two(replace(ROW, domains=())), Reason.NO_DOMAIN, Drift.NONE
    ),
    "a mapping beside a rejected account is no drift": drifting(
        mapped_to_two(ROW, rejections=frozenset({(1, 1)})), Reason.REJECTED, Drift.NONE
    ),
    "a listed domain holds no mapping": drifting(
        mapped_to_two(lists={DomainList.SHARED: frozenset({"fabrikam.de"})}), Reason.RULE, Drift.ELSEWHERE
    ),
    "an unverified domain holds no mapping": drifting(
        mapped_to_two(
            replace(ROW, domains=(WorldDomain("contoso.com"), WorldDomain("fabrikam.de", is_verified=False)))
        ),
        Reason.RULE,
        Drift.ELSEWHERE,
    ),
    "a rule that is off holds no mapping": drifting(
        mapped_to_two(policy=replace(ON, rules=frozenset({Rule.CONTACT_DOMAIN}))), Reason.RULE, Drift.ELSEWHERE
    ),
    **{
        f"a domain of 2 accounts holds {word} at a threshold of {threshold}": drifting(
            mapped_to_two(
                accounts=tuple(WorldAccount(at) for at in (1, 2, 3)),
                contacts=(CONTACT, WorldContact(2, 2, "fabrikam.de"), WorldContact(3, 3, "fabrikam.de")),
                policy=replace(ON, shared_threshold=threshold),
            ),
            because,
            drift,
        )
        for threshold, word, because, drift in (
            (2, "no mapping", Reason.RULE, Drift.ELSEWHERE),
            (3, "a mapping", Reason.SEVERAL_ACCOUNTS, Drift.NONE),
        )
    },
    "the tenant id of another account goes before a domain": drifting(
        mapped_to_two(
            replace(BOTH, tenant_guid="g"),
            accounts=(WorldAccount(1, tenant_guid="g"), WorldAccount(2, "fabrikam.de")),
            policy=WITH_GUID,
        ),
        Reason.RULE,
        Drift.ELSEWHERE,
    ),
    "a tenant id holds a mapping beside another with the same": drifting(
        mapped_to_two(
            replace(ROW, tenant_guid="g"),
            accounts=(WorldAccount(1, tenant_guid="g"), WorldAccount(2, tenant_guid="g")),
            policy=WITH_GUID,
        ),
        Reason.SEVERAL_ACCOUNTS,
        Drift.NONE,
    ),
}

EXAMPLES = SUPPORT | TENANT | REJECTED | NOTHING | SHARED | CARDINALITY | STATES | DRIFT


GUARDED_ROW = replace(ROW, name="Contoso", country="DE")
STRANGER = WorldAccount(1, name="Fabrikam", website_domain="fabrikam.de", country="DE")
AT_HOME = replace(STRANGER, website_domain="contoso.com")
ABROAD = WorldAccount(1, name="Contoso Overseas", country="FR")
NAMESAKE = WorldAccount(2, name="CONTOSO")


def guarded(*accounts: WorldAccount, row: WorldProviderAccount = GUARDED_ROW, **changes: object) -> World:
    """A customer in Germany whose domain is that of one contact of the first of these accounts, with all guards on."""
    start = world(row, accounts=accounts, policy=replace(ON, guards=frozenset(Guard)))
    return replace(start, **changes)


def held(of: World, guard: Guard) -> Example:
    return example(of, Reason(guard.value), row_1=Status.UNMAPPED)


def passing(of: World) -> Example:
    return example(of, Reason.RULE, mapped={1: 1})


GUARDED = {
    "one contact at an account of another name and domain is looked at": held(guarded(STRANGER), Guard.LONE_CONTACT),
    "two contacts are not": passing(guarded(STRANGER, contacts=(CONTACT, WorldContact(2, 1, "contoso.com")))),
    "nor one at an account of the same name": passing(guarded(replace(STRANGER, name="CONTOSO"))),
    "nor one at an account without a domain of its own": passing(guarded(replace(STRANGER, website_domain=""))),
    "nor one where that domain is listed": passing(
        guarded(STRANGER, lists={DomainList.FREE_MAIL: frozenset({"fabrikam.de"})})
    ),
    "nor one at an account with the domain itself": passing(guarded(AT_HOME)),
    "nor one while the guard is off": passing(
        guarded(STRANGER, policy=replace(ON, guards=frozenset(Guard) - {Guard.LONE_CONTACT}))
    ),
    "one contact in another country is looked at": held(guarded(ABROAD), Guard.LONE_CONTACT_ABROAD),
    "nor where the account's country is not known": passing(guarded(replace(ABROAD, country=""))),
    "nor where the customer's country is not known": passing(guarded(ABROAD, row=replace(GUARDED_ROW, country=""))),
    "another account of the customer's name is looked at": held(guarded(AT_HOME, NAMESAKE), Guard.NAMESAKE),
    "but not one that is inactive": passing(guarded(AT_HOME, replace(NAMESAKE, is_active=False))),
    "but not one that is deleted": passing(guarded(AT_HOME, replace(NAMESAKE, is_deleted=True))),
    "but not one without a name where the customer has none": passing(
        guarded(AT_HOME, replace(NAMESAKE, name=""), row=replace(GUARDED_ROW, name=""))
    ),
    "a part of an organisation that people alone speak for is looked at": held(
        guarded(WorldAccount(1, name="Institut für Zoologie")), Guard.PART_BY_NAME
    ),
    "a domain that looks like a suffix is looked at, though it is the account's own": held(
        guarded(
            replace(STRANGER, website_domain="gouv.zz"),
            row=replace(GUARDED_ROW, domains=(WorldDomain("gouv.zz"),)),
            contacts=(),
        ),
        Guard.SUFFIX_LIKE,
    ),
}
"""What guards hold back; the oracle knows none."""

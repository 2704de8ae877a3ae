"""The labelled set as the bench of suggestions sees it, enlarged by invented accounts that lead nobody to the truth."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.domains import email_domain, normalise_domain, website_domain
from w365.matching.names import fold_name, name_forms
from w365.model import DomainKind, Rule

GOLD = Path(__file__).parents[1] / ".." / "shared" / "gold"
_SEED = 365


@dataclass(frozen=True, slots=True)
class Query:
    """A customer that equal domains do not map, and its right accounts."""

    subject: ComparedCustomer
    wanted: frozenset[int]


def read_rows(name: str) -> list[dict[str, str]]:
    with (GOLD / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_prospects() -> list[Prospect]:
    contacts: dict[str, dict[str, int]] = {}
    for row in read_rows("contacts.csv"):
        if name := email_domain(row["email"]):
            counts = contacts.setdefault(row["account_id"], {})
            counts[name] = counts.get(name, 0) + 1
    return [_prospect(row, contacts.get(row["account_id"], {})) for row in read_rows("accounts.csv")]


def read_queries() -> list[Query]:
    """Read the customers of the dev part that have an account which no equal domain leads to alone."""
    truth = {row["tenant_id"]: row for row in read_rows("truth_dev.csv")}
    found = []
    for tenant in json.loads((GOLD / "tenants.json").read_text("utf-8")):
        row = truth.get(tenant["id"])
        if row and row["account_ids"] and row["rule_case"] in ("no_domain", "ambiguous"):
            wanted = frozenset(int(one[1:]) for one in row["account_ids"].split("|"))
            found.append(Query(_subject(tenant), wanted))
    return found


def enlarge(prospects: list[Prospect], size: int) -> Iterator[Prospect]:
    """Give the accounts and invented ones up to a size, always the same.

    An invented name is a real one in which one to three words gave way to words of another real name; its domain is
    that name written together. No invented name equals a real one in the form in which names are compared.
    """
    yield from prospects
    dice = random.Random(_SEED)
    taken = {name_forms(one.name).words for one in prospects}
    number = max(one.account_id for one in prospects)
    made = len(prospects)
    while made < size:
        pattern, other = dice.choice(prospects), dice.choice(prospects)
        name = _mix(dice, pattern.name, other.name, size)
        words = name_forms(name).words
        if words in taken:
            continue
        taken.add(words)
        made += 1
        number += 1
        yield Prospect(number, name, _domain_of(dice, name, pattern), pattern.country, pattern.city)


def _mix(dice: random.Random, pattern: str, other: str, size: int) -> str:
    words, gifts = pattern.split(), other.split()
    for _ in range(dice.randint(1, 3 if size > 200_000 else 2)):
        words[dice.randrange(len(words))] = dice.choice(gifts)
    if len(words) < 3 or dice.random() < 0.2:
        words.append(dice.choice(gifts))
    return " ".join(words)


def _domain_of(dice: random.Random, name: str, pattern: Prospect) -> tuple[ProspectDomain, ...]:
    label = "".join(sign for sign in fold_name(name) if sign.isascii() and sign.isalnum())[:40]
    if not label or not pattern.domains:
        return ()
    suffix = pattern.domains[0].name.partition(".")[2]
    rule = dice.choice((Rule.CONTACT_DOMAIN, Rule.ACCOUNT_WEBSITE))
    return (ProspectDomain(f"{label}.{suffix}", rule, 1),)


def _prospect(row: dict[str, str], contacts: dict[str, int]) -> Prospect:
    own = ((website_domain(row["website"]), Rule.ACCOUNT_WEBSITE), (email_domain(row["email"]), Rule.ACCOUNT_EMAIL))
    domains = [ProspectDomain(name, rule) for name, rule in own if name]
    domains += [ProspectDomain(name, Rule.CONTACT_DOMAIN, count) for name, count in contacts.items()]
    number = row["account_id"]
    return Prospect(int(number[1:]), row["name"], tuple(domains), row["country"], row["city"], number)


def _subject(tenant: dict[str, object]) -> ComparedCustomer:
    domains = [normalise_domain(one["name"]) for one in tenant["domains"] if one["isVerified"]]
    own = tuple(sorted({one.name for one in domains if one.kind is DomainKind.OWN_NAME}))
    return ComparedCustomer(tenant["companyProfile"]["companyName"], own, tenant["country"] or "", tenant["id"])

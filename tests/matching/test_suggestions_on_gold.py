"""Suggestions on real organisations, where the labelled set lies beside the project."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect, ProspectDomain
from w365.matching.domains import FREE_MAIL, email_domain, normalise_domain, website_domain
from w365.model import Rule

GOLD = Path(__file__).parents[3] / "shared" / "gold"
pytestmark = pytest.mark.skipif(not GOLD.is_dir(), reason="the labelled set is not beside the project")


def rows(name: str) -> list[dict[str, str]]:
    with (GOLD / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def suggester() -> Suggester:
    domains: dict[str, list[ProspectDomain]] = {}
    for contact in rows("contacts.csv"):
        if name := email_domain(contact["email"]):
            domains.setdefault(contact["account_id"], []).append(ProspectDomain(name, Rule.CONTACT_DOMAIN, 1))
    return Suggester((prospect(row, domains) for row in rows("accounts.csv")), ignored=FREE_MAIL)


def prospect(row: dict[str, str], domains: dict[str, list[ProspectDomain]]) -> Prospect:
    number = row["account_id"]
    found = [ProspectDomain(name, Rule.ACCOUNT_WEBSITE) for name in [website_domain(row["website"])] if name]
    found += [ProspectDomain(name, Rule.ACCOUNT_EMAIL) for name in [email_domain(row["email"])] if name]
    every = tuple(dict.fromkeys([*found, *domains.get(number, [])]))
    return Prospect(int(number[1:]), row["name"], every, row["country"], row["city"], number)


def test_the_right_account_is_nearly_always_among_five_without_any_equal_domain(suggester: Suggester) -> None:
    truth = {row["tenant_id"]: row for row in rows("truth_dev.csv") if row["rule_case"] == "no_domain"}
    tenants = [row for row in json.loads((GOLD / "tenants.json").read_text("utf-8")) if row["id"] in truth][:300]
    first = among = 0
    for tenant in tenants:
        names = tuple(normalise_domain(one["name"]).name for one in tenant["domains"])
        subject = ComparedCustomer(tenant["companyProfile"]["companyName"], names, tenant["country"] or "")
        given = [f"A{one.account_id}" for one in suggester.suggest(subject, {})]
        wanted = set(truth[tenant["id"]]["account_ids"].split("|"))
        first += given[0] in wanted
        among += bool(wanted & set(given))
    assert among / len(tenants) >= 0.94
    assert first / len(tenants) >= 0.89

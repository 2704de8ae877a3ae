"""Pax8: the companies of a partner, their websites and subscriptions.

The facts are those of Pax8's published OpenAPI. Its lists have page numbers and no snapshot: what is deleted while
they are read moves the rest forward, over the edge of a page. So where the list changed its length meanwhile, or fewer
companies were met than it announces, it is read once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from w365.connection import Connection
from w365.errors import AccessError, SignInRefused, SourceError, SourceRefused
from w365.http.attempts import KEPT
from w365.http.client import ApiClient
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.fields import FieldError, name_record, refuse_pattern
from w365.http.refusal import Refusal
from w365.http.sign_in.json_tokens import JsonTokens, TokenEndpoint
from w365.http.wait import Check, Waiting, never_stop
from w365.portals.completeness import MOST_WALKS, ListPlace, ListTally, refuse_lack
from w365.portals.gaps import NO_SUBSCRIPTIONS, say_why
from w365.portals.numbered import NumberedList, NumberedPage
from w365.portals.pax8_records import read_company, read_subscription, unknown_fields
from w365.source_records import Customer, CustomerPage, Rejected, Subscription

SOURCE = "Pax8"
_TOKEN = TokenEndpoint("/v1/token", audience="https://api.pax8.com", setting="W365_PAX8_URL")
"""The audience is the same whatever the address Pax8 is reached at."""

_COMPANIES = "/v1/companies?sort=name"
_SUBSCRIPTIONS = "/v1/subscriptions?sort=createdDate,asc"
"""With an order of its own a list does not change it between two pages."""

# The most that Pax8 gives a page.
_PAGE_SIZE = 200
_GONE = frozenset({404, 410})


def connect_pax8(
    connection: Connection, *, check: Check = never_stop, conditions: Conditions = REAL_CONDITIONS
) -> Pax8:
    """Return the connector for ``connection``. Nothing is sent yet. ``check`` raises Cancelled to stop."""
    tokens = JsonTokens(SOURCE, connection, _TOKEN, check=check, conditions=conditions)
    return Pax8(ApiClient(SOURCE, connection, tokens, check=check, conditions=conditions), check)


class Pax8:
    """The connector; see w365.portals.protocol for what it promises."""

    def __init__(self, client: ApiClient, check: Check) -> None:
        self._client = client
        self._check = check

    def close(self) -> None:
        self._client.close()

    @property
    def waiting(self) -> Waiting | None:
        return self._client.waiting

    def verify(self) -> tuple[str, ...]:
        """List one company and one subscription: two calls."""
        companies = NumberedList(self._client, _COMPANIES, 1, _explain).read(0)
        sentences = [f"{SOURCE} accepts the sign-in.", f"Companies can be listed ({companies.total:,})."]
        try:
            NumberedList(self._client, _SUBSCRIPTIONS, 1).read(0)
        except SourceRefused as error:
            return (*sentences, f"{NO_SUBSCRIPTIONS}: {say_why(error)}")
        return (*sentences, "Subscriptions can be read.", *filter(None, (self._client.skew,)))

    def pages(self, cursor: str | None = None) -> Iterator[CustomerPage]:
        """Yield the companies 200 at a time. A ``cursor`` that cannot be read starts from the beginning again."""
        bought = self._read_subscriptions()
        place: ListPlace | None = ListPlace.from_cursor(cursor)
        seen: set[str] = set()
        companies = NumberedList(self._client, _COMPANIES, _PAGE_SIZE, _explain)
        while place is not None:
            self._check()
            page = companies.read(place.number)
            read = _read_page(page, seen)
            place, lack = place.after(
                len(page.records),
                page.total,
                fresh=len(read.customers) + len(read.rejected) + read.deleted,
                is_last=page.is_last,
            )
            yield bought.complete(read, page, place, lack)

    def look_again(self, specific_id: str) -> Customer | None:
        """Read one company with its subscriptions; see w365.portals.protocol."""
        path = f"/v1/companies/{quote(specific_id, safe='')}"
        try:
            answer = self._client.get_json(path)
        except SourceRefused as error:
            if error.status in _GONE:
                return None
            raise
        try:
            customer = read_company(answer.body)
        except FieldError as error:
            raise answer.changed(SOURCE, str(error)) from None
        if customer is None:
            return None
        if customer.specific_id != specific_id:
            raise answer.changed(SOURCE, "it sent another company than the one asked for.")
        return self._read_subscriptions(customer.specific_id).complete_one(customer)

    def _read_subscriptions(self, company: str = "") -> _Bought:
        """Read all subscriptions, 200 a call, where asking for each company would be a call for each."""
        path = f"{_SUBSCRIPTIONS}&companyId={quote(company, safe='')}" if company else _SUBSCRIPTIONS
        bought = _Bought()
        try:
            for _ in range(MOST_WALKS):
                tally = ListTally()
                for page in NumberedList(self._client, path, _PAGE_SIZE).pages_backwards():
                    self._check()
                    tally.add(bought.add(page), page.total)
                if not tally.lack:
                    return bought
            refuse_lack(SOURCE, "subscriptions", tally.lack)
        except (SourceError, SignInRefused) as error:
            bought.note = f"{NO_SUBSCRIPTIONS}: {say_why(error)}"
        return bought


@dataclass(frozen=True, slots=True)
class _Read:
    customers: tuple[Customer, ...]
    rejected: tuple[Rejected, ...]
    deleted: int


class _Bought:
    """All subscriptions by company. ``note`` says why there are none to know of."""

    def __init__(self) -> None:
        self.note = ""
        self._by_company: defaultdict[str, list[Subscription]] = defaultdict(list)
        self._ids: set[str] = set()
        self._rejected: list[Rejected] = []

    def add(self, page: NumberedPage) -> list[str]:
        """Keep the subscriptions of a page, each once, and return the ids of its records."""
        rejected, ids = [], []
        for position, record in enumerate(page.records):
            ids.append(name_record(record, "id", page.number * _PAGE_SIZE + position))
            try:
                company, subscription = read_subscription(record)
            except FieldError as error:
                which = f"{_company_of(record)}subscription {name_record(record, 'id', position)}"
                rejected.append(Rejected(which, f"subscription: {error}"))
                continue
            if subscription.subscription_id not in self._ids:
                self._ids.add(subscription.subscription_id)
                self._by_company[company].append(subscription)
        refuse_pattern(SOURCE, rejected, len(page.records))
        self._rejected += (each for each in rejected if each not in self._rejected)
        return ids

    def complete(self, read: _Read, page: NumberedPage, following: ListPlace | None, lack: str) -> CustomerPage:
        """Give each company its subscriptions; the first page also carries those that could not be read."""
        unreadable, self._rejected = self._rejected, []
        return CustomerPage(
            customers=tuple(map(self.complete_one, read.customers)),
            rejected=(*read.rejected, *unreadable),
            cursor=following.to_cursor() if following else None,
            total=page.total,
            lack=lack,
            ignored_fields=frozenset[str]().union(*map(unknown_fields, page.records)),
        )

    def complete_one(self, customer: Customer) -> Customer:
        if self.note:
            return replace(customer, note=" ".join(filter(None, (customer.note, self.note))))
        return replace(customer, subscriptions=tuple(self._by_company.pop(customer.specific_id, ())))


def _read_page(page: NumberedPage, seen: set[str]) -> _Read:
    """Read the companies of a page that were not met before, each once."""
    customers, rejected, deleted = [], [], 0
    for position, record in enumerate(page.records):
        key = name_record(record, "id", page.number * _PAGE_SIZE + position)
        if key in seen:
            continue
        seen.add(key)
        try:
            customer = read_company(record)
        except FieldError as error:
            rejected.append(Rejected(name_record(record, "id", position), str(error)))
        else:
            deleted += customer is None
            customers += [customer] if customer else []
    refuse_pattern(SOURCE, rejected, len(page.records))
    return _Read(tuple(customers), tuple(rejected), deleted)


def _company_of(record: Any) -> str:
    company = record.get("companyId") if isinstance(record, Mapping) else None
    return f"{company[:100]}, " if isinstance(company, str) and company else ""


def _explain(refusal: Refusal) -> AccessError | None:
    if refusal.status != 403:
        return None
    return AccessError(
        f"{SOURCE} does not let the application list companies ({refusal.say()}).",
        kept=KEPT,
        do="Check in Pax8 that the credentials belong to your partner account and may read companies.",
        detail=refusal.detail,
    )

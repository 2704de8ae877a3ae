"""Microsoft Partner Center: the customers of a partner with all their domains and subscriptions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from w365.connection import Connection, SignIn
from w365.errors import SourceChanged, SourceRefused
from w365.http.attempts import KEPT
from w365.http.client import ApiClient, Explain
from w365.http.conditions import REAL_CONDITIONS, Conditions
from w365.http.fields import FieldError, name_record, refuse_pattern
from w365.http.sign_in.app_tokens import AppTokens, EntraTokens
from w365.http.sign_in.user_tokens import UserTokens
from w365.http.wait import REAL_CLOCK, Check, Waiting, never_stop
from w365.portals.onboarding import OnboardingPortal
from w365.portals.partner_center.changes import LONGEST, named_since
from w365.portals.partner_center.collection import Collection, Link, ListPage
from w365.portals.partner_center.details import DetailReader
from w365.portals.partner_center.gdap import NONE_WANTED, GdapCustomers, GdapList
from w365.portals.partner_center.graph import GRAPH_DOMAINS, GraphDomains
from w365.portals.partner_center.onboarding import PartnerCenterOnboarding
from w365.portals.partner_center.record_domains import CUSTOMER_RECORD
from w365.portals.partner_center.records import ALL_DOMAINS, read_customer, unknown_fields
from w365.portals.partner_center.refusals import SOURCE, explain_detail, explain_list, explain_mfa, refuse_without_mfa
from w365.portals.partner_center.resellers import NO_CHANNELS, ResellerChannels, customers_of, id_of, read_channels
from w365.portals.partner_center.stop import StopSignal
from w365.portals.protocol import Choose
from w365.source_records import Customer, CustomerPage, Rejected

_REST = Link("resellers")
"""The cursor of what only resellers' lists name: not a place, but that all of the partner's own list is read."""

# The most customers that Partner Center gives a page.
_PAGE_SIZE = 500
WORKERS = 12
"""Calls under way at once, at the most: enough for 5,000 a minute where each takes a tenth of a second."""

_MOST_REPEATS = 3
_CURSOR_REFUSED = frozenset({400, 404, 410, 412})


def connect_partner_center(
    connection: Connection, *, check: Check = never_stop, conditions: Conditions = REAL_CONDITIONS
) -> PartnerCenter:
    """Return the connector for ``connection``. Nothing is sent yet.

    ``check`` raises Cancelled to stop; only the thread that verifies or pages calls it.
    """
    stop = StopSignal(check)
    has_person = connection.sign_in is SignIn.APP_USER
    if has_person:
        tokens: EntraTokens = UserTokens(SOURCE, connection, user_scope(connection), check=stop, conditions=conditions)
    else:
        scope = f"{connection.partner_center_audience}/.default"
        tokens = AppTokens(SOURCE, connection, scope, check=stop, conditions=conditions)
    client = ApiClient(SOURCE, connection, tokens, check=stop, conditions=conditions)
    graph = GraphDomains(connection, check=stop, conditions=conditions) if has_person else None
    gdap = GdapList(connection, check=stop, conditions=conditions) if connection.lists_gdap else None
    return PartnerCenter(client, stop, graph=graph, gdap=gdap, has_person=has_person, wall=conditions.clock.wall)


def user_scope(connection: Connection) -> str:
    """What a person consents to."""
    return f"{connection.partner_center_audience}/user_impersonation"


class PartnerCenter:
    """The connector; see w365.portals.protocol for what it promises."""

    def __init__(
        self,
        client: ApiClient,
        stop: StopSignal,
        workers: int = WORKERS,
        *,
        graph: GraphDomains | None = None,
        gdap: GdapList | None = None,
        has_person: bool = False,
        wall: Callable[[], float] = REAL_CLOCK.wall,
    ) -> None:
        self._wall = wall
        self._graph = graph
        self._gdap = gdap
        self._has_person = has_person
        self._client = client
        self._stop = stop
        self._workers = workers

    def close(self) -> None:
        self._stop.stop()
        self._client.close()

    @property
    def waiting(self) -> Waiting | None:
        return self._client.waiting or (self._graph.waiting if self._graph else None)

    @property
    def onboarding(self) -> OnboardingPortal:
        return PartnerCenterOnboarding(self._client)

    def verify(self) -> tuple[str, ...]:
        """List one customer and read its details: three calls, one without any customer; one more for a person."""
        self._stop.own()
        first = Link("/v1/customers?size=1")
        if self._has_person:
            asked = {"ValidateMfa": "true", "X-Locale": "en-US"}
            refuse_without_mfa(self._client.get_json(first.uri, headers=asked, explain=explain_list).headers)
        page = next(self._collection().pages(first))
        sentences = [f"{SOURCE} accepts the sign-in.", "Customers can be listed."]
        customers, _ = _read_list(page.items)
        if customers:
            sentences += self._try_details(customers[0])
        else:
            sentences.append("There is no customer yet to try domains and subscriptions on.")
        return (*sentences, *filter(None, (self._client.skew,)))

    def changed_since(self, since: dt.datetime) -> frozenset[str]:
        """Read the audit records; see w365.portals.protocol. Those of more than 89 days ago are refused unasked."""
        self._stop.own()
        now = dt.datetime.fromtimestamp(self._wall(), dt.UTC)
        if now - since > LONGEST:
            raise SourceRefused(f"{SOURCE} keeps audit records for 90 days.", status=400)
        return named_since(self._list(explain_detail), since, now)

    def pages(self, cursor: str | None = None, *, choose: Choose | None = None) -> Iterator[CustomerPage]:
        """Yield the customers 500 at a time. A ``cursor`` that is no longer taken starts from the beginning again."""
        self._stop.own()
        seen = _Seen()
        resumed = Link.from_cursor(cursor) if cursor else None
        channels = self._channels()
        gdap = self._gdap.read() if self._gdap else NONE_WANTED
        rejected = channels.rejected
        with DetailReader(self._client, self._stop, self._workers, self._graph) as details:
            for page in self._all_pages(resumed, channels, gdap, seen):
                completed = self._complete(page, details, seen, channels, choose or _all_of_them)
                yield dataclasses.replace(
                    completed,
                    rejected=(*completed.rejected, *rejected),
                    lack=completed.lack or channels.lack or gdap.lack,
                )
                # Said once, with the first page.
                rejected = ()
                self._stop()

    def _channels(self) -> ResellerChannels:
        return read_channels(self._list(explain_mfa), self._stop) if self._has_person else NO_CHANNELS

    def _all_pages(
        self, resumed: Link | None, channels: ResellerChannels, gdap: GdapCustomers, seen: _Seen
    ) -> Iterator[ListPage]:
        """The partner's own list, then what only the lists of its resellers name, then what only Graph does."""
        rest: Link | None = _REST
        if resumed != _REST:
            for page in self._list_pages(resumed):
                # Of a list that is not whole no later sync may go on behind it: what it lacks would be forgotten.
                rest = None if page.lack else _REST
                met = seen.and_those_of(page)
                is_more = page.following or channels.unmet(met) or gdap.unmet(met)
                yield dataclasses.replace(page, following=page.following or (rest if is_more else None))
        unmet = channels.unmet(seen.ids)
        for reseller in channels.resellers if unmet else ():
            for page in customers_of(self._list(explain_mfa), reseller):
                items = [item for item in page.items if id_of(item) in unmet]
                unmet -= {id_of(item) for item in items}
                if items:
                    yield ListPage(items, None, rest if unmet or gdap.records else None)
        left = gdap.unmet(seen.ids)
        for start in range(0, len(left), _PAGE_SIZE):
            yield ListPage(left[start : start + _PAGE_SIZE], None, rest if left[start + _PAGE_SIZE :] else None)

    def _list_pages(self, resumed: Link | None) -> Iterator[ListPage]:
        if resumed is not None:
            pages = self._collection().pages(resumed)
            try:
                yield next(pages)
            except SourceRefused as error:
                if error.status not in _CURSOR_REFUSED:
                    raise
            else:
                yield from pages
                return
        yield from self._collection().pages(Link(f"/v1/customers?size={_PAGE_SIZE}"))

    def _collection(self) -> Collection:
        return self._list(explain_list)

    def _list(self, explain: Explain | None = None) -> Collection:
        return Collection(self._client, {"MS-CorrelationId": str(uuid.uuid4()), "X-Locale": "en-US"}, explain)

    def _complete(
        self, page: ListPage, details: DetailReader, seen: _Seen, channels: ResellerChannels, choose: Choose
    ) -> CustomerPage:
        """Read the records of a page and the details of the chosen among those not met before."""
        customers, rejected = _read_list(page.items)
        refuse_pattern(SOURCE, rejected, len(page.items))
        completed = details.read(choose(list(map(channels.mark, seen.sift(customers)))))
        return CustomerPage(
            customers=tuple(entry.customer for entry in completed),
            rejected=(*rejected, *(each for entry in completed for each in entry.rejected)),
            cursor=page.following.to_cursor() if page.following else None,
            total=page.total,
            lack=page.lack,
            ignored_fields=frozenset[str]().union(*map(unknown_fields, page.items)),
        )

    def _try_details(self, customer: Customer) -> list[str]:
        with DetailReader(self._client, self._stop, 1, self._graph) as details:
            tried = details.read([customer])[0].customer
        works = [
            "All domains of a customer can be read." if tried.domain_source == ALL_DOMAINS else "",
            "Domains are read from the record of a customer." if tried.domain_source == CUSTOMER_RECORD else "",
            "Domains are read from Microsoft Graph." if tried.domain_source == GRAPH_DOMAINS else "",
            "Subscriptions can be read." if tried.subscriptions is not None else "",
        ]
        return [sentence for sentence in (*works, tried.note) if sentence]


def _all_of_them(customers: Sequence[Customer]) -> Sequence[Customer]:
    return customers


class _Seen:
    """The customers met in this run. A list that only repeats them leads in a circle."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._repeats = 0

    def and_those_of(self, page: ListPage) -> set[str]:
        return self.ids | {id_of(item) for item in page.items}

    def sift(self, customers: Sequence[Customer]) -> list[Customer]:
        """Return those not met before, each once."""
        # From the back, so that of two records with one id the first one stays.
        fresh = {
            customer.specific_id: customer for customer in reversed(customers) if customer.specific_id not in self.ids
        }
        self.ids.update(fresh)
        self._repeats = self._repeats + 1 if customers and not fresh else 0
        if self._repeats >= _MOST_REPEATS:
            raise SourceChanged(
                f"{SOURCE} answers differently than documented: page after page lists the same customers.",
                kept=KEPT,
                do="Try again; report it if it stays.",
            )
        return list(reversed(fresh.values()))


def _read_list(items: Sequence[Any]) -> tuple[list[Customer], list[Rejected]]:
    customers, rejected = [], []
    for position, item in enumerate(items):
        try:
            customers.append(read_customer(item))
        except FieldError as error:
            rejected.append(Rejected(name_record(item, "id", position), str(error)))
    return customers, rejected

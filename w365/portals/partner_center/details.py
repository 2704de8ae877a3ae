"""Domains and subscriptions of many customers, a few at a time. What cannot be read stays with its customer's row."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeVar
from urllib.parse import quote

from w365.errors import SignInRefused, SourceChanged, SourceError, SourceRefused
from w365.http.client import ApiClient
from w365.http.fields import FieldError, find_pattern
from w365.portals.gaps import DEFAULT_ONLY, NO_DOMAINS, NO_RELATIONSHIP, NO_SUBSCRIPTIONS, say_why
from w365.portals.partner_center.collection import Collection, Link
from w365.portals.partner_center.gdap import RELATIONSHIP as GDAP
from w365.portals.partner_center.graph import GRAPH_DOMAINS, GraphDomains
from w365.portals.partner_center.record_domains import CUSTOMER_RECORD, RecordDomains
from w365.portals.partner_center.records import (
    ALL_DOMAINS,
    default_domain_only,
    read_domains,
    read_subscriptions,
)
from w365.portals.partner_center.refusals import explain_detail
from w365.portals.partner_center.stop import StopSignal
from w365.portals.partner_center.trouble import Trouble
from w365.source_records import DEFAULT_DOMAIN, Customer, CustomerDomain, Rejected, Subscription

_log = logging.getLogger(__name__)
_LOOK_AGAIN = 0.5
_FAREWELL = 2.0
"""Seconds between two looks at whether to stop, and seconds given to calls under way when all is over."""

_TENANT_ALONE = "Its domains are told by its own tenant alone, and to a person who signed in."

T_co = TypeVar("T_co", covariant=True)
Domains = tuple[CustomerDomain, ...]
Bought = tuple[tuple[Subscription, ...], tuple[Rejected, ...], int]


class Read(Protocol[T_co]):
    """Reads one kind of detail of a customer. Raises SourceError, SignInRefused, FieldError."""

    def __call__(self, customer: Customer, *, is_tried_once: bool) -> T_co: ...


@dataclass(frozen=True, slots=True)
class Details:
    """A customer with what could be read about it; its note tells what could not, and why."""

    customer: Customer
    rejected: tuple[Rejected, ...]
    subscription_records: int


class DetailReader:
    """A pool of threads for the two calls each customer needs. To be used with ``with``."""

    def __init__(self, client: ApiClient, stop: StopSignal, workers: int, graph: GraphDomains | None = None) -> None:
        self._client = client
        self._stop = stop
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="details")
        self._running: list[Future[Details]] = []
        self._correlation = {"MS-CorrelationId": str(uuid.uuid4())}
        self._elsewhere: dict[str, Read[Domains]] = {CUSTOMER_RECORD: RecordDomains(client, self._correlation).read}
        if graph is not None:
            self._elsewhere[GRAPH_DOMAINS] = graph.read
        self._troubles: defaultdict[str, Trouble] = defaultdict(Trouble)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        # Calls on their way may take as long as the provider likes; their threads end with them.
        wait([future for future in self._running if not future.cancelled()], timeout=_FAREWELL)

    def read(self, customers: Sequence[Customer]) -> list[Details]:
        """Return the customers completed, in order. However details fail, it costs the customers nothing else."""
        for trouble in self._troubles.values():
            trouble.begin_page()
        self._running = [self._pool.submit(self._read_one, customer) for customer in customers]
        self._await(self._running)
        details = [future.result() for future in self._running]
        self._running = []
        return _without_pattern(details)

    def _await(self, futures: Sequence[Future[Details]]) -> None:
        pending = set(futures)
        while pending:
            # Not for ever: a person may cancel while all the threads wait for answers.
            done, pending = wait(pending, timeout=_LOOK_AGAIN, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            self._stop()

    def _read_one(self, customer: Customer) -> Details:
        self._stop()
        if customer.relationship == GDAP:
            return self._read_administered(customer)
        domains, domain_error = self._attempt(ALL_DOMAINS, customer, self._domains)
        source = ALL_DOMAINS
        if domain_error is not None and _may_be_elsewhere(domain_error):
            domains, domain_error, source = self._from_elsewhere(customer, domain_error)
        listed, subscription_error = self._attempt(NO_SUBSCRIPTIONS, customer, self._subscriptions)
        subscriptions, rejected, records = listed or (None, (), 0)
        completed = dataclasses.replace(
            _with_domains(customer, domains, domain_error, source), subscriptions=subscriptions
        )
        if subscription_error is not None:
            completed = _noting(completed, NO_SUBSCRIPTIONS, say_why(subscription_error))
        return Details(completed, rejected, records)

    def _read_administered(self, customer: Customer) -> Details:
        """Who bought nothing is not known to Partner Center: its tenant alone tells its domains, to a person."""
        customer = dataclasses.replace(customer, subscriptions=())
        read = self._elsewhere.get(GRAPH_DOMAINS)
        if read is None:
            return Details(dataclasses.replace(customer, note=_TENANT_ALONE), (), 0)
        domains, error = self._attempt(GRAPH_DOMAINS, customer, read)
        return Details(_with_domains(customer, domains, error, GRAPH_DOMAINS), (), 0)

    def _from_elsewhere(
        self, customer: Customer, refusal: SourceError
    ) -> tuple[Domains | None, SourceError | None, str]:
        """Ask the further sources; where they refuse as well or tell none, the first refusal stays the one to tell."""
        for source, read in self._elsewhere.items():
            domains, error = self._attempt(source, customer, read)
            if domains:
                return domains, None, source
            if error is not None and not _may_be_elsewhere(error):
                return None, error, source
        return None, refusal, ALL_DOMAINS

    def _attempt(self, kind: str, customer: Customer, read: Read[T_co]) -> tuple[T_co | None, SourceError | None]:
        trouble = self._troubles[kind]
        try:
            trouble.refuse()
            answer = read(customer, is_tried_once=trouble.is_tried_once)
        except FieldError as error:
            problem: SourceError = SourceChanged(f"{self._client.source} answers differently than documented: {error}")
        except SignInRefused as error:
            # The list was given with the same sign-in, so that this is a matter of the detail.
            problem = SourceRefused(error.what, status=401, detail=error.detail)
        except SourceError as error:
            problem = error
        else:
            trouble.count(None)
            return answer, None
        trouble.count(problem)
        _log.info("Details of customer %s: %s [%s]", customer.specific_id, problem.what, problem.detail)
        return None, problem

    def _domains(self, customer: Customer, *, is_tried_once: bool) -> Domains:
        answer = self._client.get_json(
            _path(customer, "customDomains"),
            headers=self._headers(),
            explain=explain_detail,
            is_tried_once=is_tried_once,
        )
        return read_domains(answer.body, customer.default_domain)

    def _subscriptions(self, customer: Customer, *, is_tried_once: bool) -> Bought:
        collection = Collection(self._client, self._headers(), explain_detail, is_tried_once=is_tried_once)
        items = collection.read_whole(Link(_path(customer, "subscriptions")), "subscriptions")
        return (*read_subscriptions(items, customer.specific_id), len(items))

    def _headers(self) -> dict[str, str]:
        return {"MS-RequestId": str(uuid.uuid4()), **self._correlation}


def _path(customer: Customer, resource: str) -> str:
    return f"/v1/customers/{quote(customer.specific_id, safe='')}/{resource}"


def _with_domains(customer: Customer, domains: Domains | None, error: SourceError | None, source: str) -> Customer:
    """Choose between all domains, the default one where permission lacks, and None: keep what is stored."""
    if domains:
        return dataclasses.replace(customer, domains=domains, domain_source=source)
    may_fall_back = error is None or (isinstance(error, SourceRefused) and _is_lasting(error))
    fallback = default_domain_only(customer) if may_fall_back else None
    if fallback is None:
        return _noting(customer, NO_DOMAINS, say_why(error)) if error else customer
    known = dataclasses.replace(customer, domains=fallback, domain_source=DEFAULT_DOMAIN)
    return _noting(known, DEFAULT_ONLY, say_why(error)) if error else known


def _noting(customer: Customer, what: str, why: str) -> Customer:
    return dataclasses.replace(customer, note=f"{customer.note} {what}: {why}".strip())


def _may_be_elsewhere(error: SourceError) -> bool:
    if not isinstance(error, SourceRefused) or error.code == NO_RELATIONSHIP:
        return False
    return _is_lasting(error) or error.status == 401


def _is_lasting(error: SourceRefused) -> bool:
    return error.status in {403, 404} or error.code == NO_RELATIONSHIP


def _without_pattern(details: list[Details]) -> list[Details]:
    """Where most subscriptions have one and the same defect, what is stored of them is truer than what is left."""
    rejected = [each for entry in details for each in entry.rejected]
    why, _ = find_pattern(rejected, sum(entry.subscription_records for entry in details))
    return [_unsubscribed(entry, why) if why and entry.rejected else entry for entry in details]


def _unsubscribed(entry: Details, why: str) -> Details:
    customer = _noting(dataclasses.replace(entry.customer, subscriptions=None), NO_SUBSCRIPTIONS, why)
    return dataclasses.replace(entry, customer=customer, rejected=())

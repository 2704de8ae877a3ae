"""Domains and subscriptions of many customers, a few at a time, so that one bad customer does not end the run."""

from __future__ import annotations

import dataclasses
import logging
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from w365.errors import SignInRefused, SourceChanged, SourceError, SourceRefused, SourceUnreachable
from w365.http.client import ApiClient
from w365.http.fields import FieldError, refuse_pattern
from w365.portals.collection import Collection, Link
from w365.portals.graph import GRAPH_DOMAINS, GraphDomains
from w365.portals.partner_center_records import (
    ALL_DOMAINS,
    DEFAULT_ONLY,
    default_domain_only,
    read_domains,
    read_subscriptions,
)
from w365.portals.record_domains import CUSTOMER_RECORD, RecordDomains
from w365.portals.stop import StopSignal
from w365.source_records import Customer, CustomerDomain, Rejected, Subscription

_log = logging.getLogger(__name__)
_LOOK_AGAIN = 0.5
_FAREWELL = 2.0
"""Seconds between two looks at whether to stop, and seconds given to calls under way when all is over."""

_MOST_FAULTS = 5
_FEWEST_FOR_PATTERN = 5
_NO_RELATIONSHIP = "20002"

PASSING = "the provider answered with errors of its own."
"""In the note of a customer whose details a later sync may well get."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Details:
    """A customer with what could be read about it. ``changed`` is set when an answer had not the known shape."""

    customer: Customer
    rejected: tuple[Rejected, ...]
    subscription_records: int
    changed: SourceChanged | None


class _Tolerance:
    """How many customers of a page may end in server errors or without sign-in before the run does."""

    def __init__(self, customers: int) -> None:
        self._most = min(_MOST_FAULTS, (customers + 1) // 2)
        self._lock = threading.Lock()
        self._faults = 0

    def count(self, error: SourceUnreachable | SignInRefused) -> None:
        with self._lock:
            self._faults += 1
            if self._faults >= self._most:
                raise error


class DetailReader:
    """A pool of threads for the two calls each customer needs. To be used with ``with``."""

    def __init__(self, client: ApiClient, stop: StopSignal, workers: int, graph: GraphDomains | None = None) -> None:
        self._client = client
        self._stop = stop
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="details")
        self._running: list[Future[Details]] = []
        self._correlation = {"MS-CorrelationId": str(uuid.uuid4())}
        self._elsewhere = {CUSTOMER_RECORD: RecordDomains(client, self._correlation).read}
        if graph is not None:
            self._elsewhere[GRAPH_DOMAINS] = graph.read

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
        """Return the customers completed, in order. Raises what concerns all of them; refusals stay with their row."""
        tolerance = _Tolerance(len(customers))
        self._running = [self._pool.submit(self._read_one, customer, tolerance) for customer in customers]
        self._await(self._running)
        details = [future.result() for future in self._running]
        self._running = []
        _refuse_changed(self._client.source, details)
        return details

    def _await(self, futures: Sequence[Future[Details]]) -> None:
        pending = set(futures)
        while pending:
            # Not for ever: a person may cancel while all the threads wait for answers.
            done, pending = wait(pending, timeout=_LOOK_AGAIN, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            self._stop()

    def _read_one(self, customer: Customer, tolerance: _Tolerance) -> Details:
        self._stop()
        domains, domain_error = self._attempt(customer, lambda: self._domains(customer), tolerance)
        source = ALL_DOMAINS
        if domain_error is not None and _is_refused_for_good(domain_error):
            domains, domain_error, source = self._from_elsewhere(customer, domain_error, tolerance)
        listed, subscription_error = self._attempt(customer, lambda: self._subscriptions(customer), tolerance)
        subscriptions, rejected, records = listed or (None, (), 0)
        changed = next((e for e in (domain_error, subscription_error) if isinstance(e, SourceChanged)), None)
        completed = _with_domains(customer, domains, domain_error, source)
        notes = [
            completed.note,
            f"Subscriptions were not read: {_say(subscription_error)}" if subscription_error else "",
        ]
        completed = dataclasses.replace(completed, subscriptions=subscriptions, note=" ".join(filter(None, notes)))
        return Details(completed, rejected, records, changed)

    def _from_elsewhere(
        self, customer: Customer, refusal: SourceError, tolerance: _Tolerance
    ) -> tuple[tuple[CustomerDomain, ...] | None, SourceError | None, str]:
        """Ask the further sources; where they refuse as well or tell none, the first refusal stays the one to tell."""
        for source, read in self._elsewhere.items():
            domains, error = self._attempt(customer, partial(read, customer), tolerance)
            if domains:
                return domains, None, source
            if error is not None and not (isinstance(error, SourceRefused) and _is_lasting(error)):
                return None, error, source
        return None, refusal, ALL_DOMAINS

    def _attempt(
        self, customer: Customer, read: Callable[[], T], tolerance: _Tolerance
    ) -> tuple[T | None, SourceError | None]:
        try:
            return read(), None
        except FieldError as error:
            problem: SourceError = SourceChanged(f"{self._client.source} answers differently than documented: {error}")
        except (SourceRefused, SourceChanged) as error:
            problem = error
        except SourceUnreachable as error:
            tolerance.count(error)
            problem = error
        except SignInRefused as error:
            # The list was given with the same sign-in, so that this may be one customer's matter.
            tolerance.count(error)
            problem = SourceRefused(error.what, status=401, detail=error.detail)
        _log.info("Details of customer %s: %s [%s]", customer.specific_id, problem.what, problem.detail)
        return None, problem

    def _domains(self, customer: Customer) -> tuple[CustomerDomain, ...]:
        answer = self._client.get_json(_path(customer, "customDomains"), headers=self._headers())
        return read_domains(answer.body, customer.default_domain)

    def _subscriptions(self, customer: Customer) -> tuple[tuple[Subscription, ...], tuple[Rejected, ...], int]:
        collection = Collection(self._client, self._headers())
        items = [item for page in collection.pages(Link(_path(customer, "subscriptions"))) for item in page.items]
        return (*read_subscriptions(items, customer.specific_id), len(items))

    def _headers(self) -> dict[str, str]:
        return {"MS-RequestId": str(uuid.uuid4()), **self._correlation}


def _path(customer: Customer, resource: str) -> str:
    return f"/v1/customers/{quote(customer.specific_id, safe='')}/{resource}"


def _with_domains(
    customer: Customer, domains: tuple[CustomerDomain, ...] | None, error: SourceError | None, source: str
) -> Customer:
    """Choose between all domains, the default one where permission lacks, and None: keep what is stored."""
    if domains:
        return dataclasses.replace(customer, domains=domains, domain_source=source)
    may_fall_back = error is None or (isinstance(error, SourceRefused) and _is_lasting(error))
    fallback = default_domain_only(customer) if may_fall_back else None
    if fallback is None:
        return dataclasses.replace(customer, note=f"Domains were not read: {_say(error)}" if error else "")
    note = f"Only the default domain is known: {_say(error)}" if error else ""
    return dataclasses.replace(customer, domains=fallback, domain_source=DEFAULT_ONLY, note=note)


def _is_refused_for_good(error: SourceError) -> bool:
    return isinstance(error, SourceRefused) and _is_lasting(error) and error.code != _NO_RELATIONSHIP


def _is_lasting(error: SourceRefused) -> bool:
    return error.status in {403, 404} or error.code == _NO_RELATIONSHIP


def _say(error: SourceError | None) -> str:
    """Put a refusal into words that are the same at every run: without request ids, a second run changes nothing."""
    if isinstance(error, SourceRefused):
        if error.code == _NO_RELATIONSHIP:
            return f"there is no relationship with this customer (any more; code {error.code})."
        code = f", code {error.code}" if error.code else ""
        return f"the provider refuses it ({error.status}{code})."
    if isinstance(error, SourceUnreachable):
        return PASSING
    return f"{error.what}" if error else ""


def _refuse_changed(source: str, details: Sequence[Details]) -> None:
    """Raise when the same thing is wrong with the details of most customers."""
    changed = [entry.changed for entry in details if entry.changed]
    if len(details) >= _FEWEST_FOR_PATTERN and len(changed) * 2 > len(details):
        raise changed[0]
    rejected = [each for entry in details for each in entry.rejected]
    refuse_pattern(source, rejected, sum(entry.subscription_records for entry in details))

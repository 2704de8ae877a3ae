"""Asking once more for whom a list passed over, before anything that is stored is taken for gone.

A list read by place passes a record over, unnoticed, where one before it is taken out and another put in meanwhile.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from w365.errors import SourceError
from w365.portals.gaps import NO_SUBSCRIPTIONS, say_why
from w365.portals.protocol import LooksAgain
from w365.service import Service
from w365.source_records import Customer, CustomerPage, Rejected
from w365.store.run_counts import Counts
from w365.store.syncing.customers import read_bought, store_page
from w365.store.syncing.gone_customers import read_missing


class SecondLook:
    """Asks ``portal``, where it can be asked for single customers, on behalf of the run of a provider."""

    def __init__(self, service: Service, portal: object, provider_id: int, run_id: int) -> None:
        self._service, self._provider_id, self._run_id = service, provider_id, run_id
        self._portal = portal if isinstance(portal, LooksAgain) else None

    def complete(self, page: CustomerPage) -> CustomerPage:
        """Ask once more for those of a page that are listed with fewer subscriptions than are stored."""
        if self._portal is None:
            return page
        names = [customer.specific_id for customer in page.customers]
        with self._service.store.read() as connection:
            stored = read_bought(connection, self._provider_id, names)
        customers = (self._complete(customer, stored.get(customer.specific_id, set())) for customer in page.customers)
        return dataclasses.replace(page, customers=tuple(customers))

    def _complete(self, customer: Customer, stored: set[str]) -> Customer:
        listed = customer.subscriptions
        if self._portal is None or listed is None or stored <= {each.subscription_id for each in listed}:
            return customer
        try:
            return self._portal.look_again(customer.specific_id) or customer
        except SourceError as error:
            note = f"{customer.note} {NO_SUBSCRIPTIONS}: {say_why(error)}".strip()
            return dataclasses.replace(customer, subscriptions=None, note=note)

    def find_missing(self, check: Callable[[], None], counts: Counts) -> None:
        """Ask for each that the list left out; who is there is stored, who is not told of is taken for met."""
        if self._portal is None:
            return
        with self._service.store.read() as connection:
            missing = read_missing(connection, self._provider_id, self._run_id)
        for specific_id in missing:
            check()
            page = self._look_for(self._portal, specific_id)
            if page.customers or page.rejected:
                with self._service.store.write() as connection:
                    store_page(connection, self._provider_id, page, self._run_id, self._service.clock(), counts)

    def _look_for(self, portal: LooksAgain, specific_id: str) -> CustomerPage:
        try:
            customer = portal.look_again(specific_id)
        except SourceError as error:
            why = f"it is listed no more, and whether it is gone is not told: {say_why(error)}"
            return CustomerPage((), rejected=(Rejected(specific_id, why),))
        return CustomerPage((customer,) if customer else ())

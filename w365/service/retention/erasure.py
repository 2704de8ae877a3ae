"""People and customers erased on request, where nothing depends on them any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from w365.errors import InputError, NotFound
from w365.model import Actor, AuditKind, Role
from w365.service import Service
from w365.service.access import needs, role_of
from w365.store.db.engine import Connection
from w365.store.people.audit_log import note_event
from w365.store.people.persons import PersonRow, is_name_known, list_persons
from w365.store.retention import erased_customers, erased_people


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is erased, what stands in its place, and how many rows of which table that concerns."""

    subject: str
    stands_in: str
    rows: Mapping[str, int]


class _TakeBack(Exception):
    """Ends a transaction without a trace."""


@needs(Role.ADMIN)
def preview_person(service: Service, actor: Actor, named: str) -> Erasure:
    """Say what erasing a person would change, and change nothing; raises what `erase_person` raises."""
    return _previewed(service, lambda connection: _erase_person(service, connection, actor, named))


@needs(Role.ADMIN)
def erase_person(service: Service, actor: Actor, named: str) -> Erasure:
    """Put *Former colleague 3* in the place of a person's name, login and subject everywhere; what was done stays.

    The person is named by name or login, and need not have signed in: whoever acted on the command line has a name too.
    Raises NotFound, and InputError with nothing changed while the person may still sign in, owns rows, has a run under
    way or is who a connection is signed in as.
    """
    with service.store.write() as connection:
        return _erase_person(service, connection, actor, named)


@needs(Role.ADMIN)
def preview_customer(service: Service, actor: Actor, specific_id: str, provider: str | None = None) -> Erasure:
    """Say what erasing a customer would delete, and delete nothing; raises what `erase_customer` raises."""
    return _previewed(service, lambda connection: _erase_customer(service, connection, actor, specific_id, provider))


@needs(Role.ADMIN)
def erase_customer(service: Service, actor: Actor, specific_id: str, provider: str | None = None) -> Erasure:
    """Delete a provider account and all that was noted and decided about it.

    Raises NotFound, and InputError with nothing changed where several providers have the id, while the provider still
    lists the customer, while it is mapped, here or in the CRM's own table, while it is expected or a run is under way.
    """
    with service.store.write() as connection:
        return _erase_customer(service, connection, actor, specific_id, provider)


def _previewed(service: Service, erase: Callable[[Connection], Erasure]) -> Erasure:
    previews: list[Erasure] = []
    with suppress(_TakeBack), service.store.write() as connection:
        previews.append(erase(connection))
        raise _TakeBack
    return previews[0]


def _erase_person(service: Service, connection: Connection, actor: Actor, named: str) -> Erasure:
    person = _find_person(connection, named)
    name = person.name if person else named
    if name == actor.name:
        raise InputError("You cannot erase yourself.", kept=_KEPT, do="Let another admin do it.")
    stands_in = erased_people.find_free_name(connection)
    signs = (name, person.login, person.subject) if person else (name,)
    names = {sign: stands_in for sign in signs if sign}
    _refuse_person(service, connection, person, name, names)
    erased_people.forget_person(connection, person.id if person else None, name)
    rows = erased_people.replace_names(connection, names)
    note_event(connection, actor.name, service.clock(), AuditKind.REMOVAL, f"erased a person, now {stands_in}")
    return Erasure(name, stands_in, rows)


def _find_person(connection: Connection, named: str) -> PersonRow | None:
    """Find who signed in under this name or login; None where it is a name that never did. Raises NotFound."""
    fitting = [person for person in list_persons(connection) if named in (person.name, person.login)]
    if len(fitting) > 1:
        names = ", ".join(person.name for person in fitting)
        raise InputError(f"Several people sign in as “{named}”.", kept=_KEPT, do=f"Name one of {names}.")
    if not fitting and not (named and is_name_known(connection, named)):
        raise NotFound(f"Nothing here was done by “{named}”.", kept=_KEPT, do="Write the name as Activity shows it.")
    return fitting[0] if fitting else None


def _refuse_person(
    service: Service, connection: Connection, person: PersonRow | None, name: str, names: Mapping[str, str]
) -> None:
    if person is not None and role_of(person, service.settings.people) is not None:
        raise InputError(
            f"{name} can still sign in.",
            kept=_KEPT,
            do=f"Take the name out of W365_ADMINS if it stands there, then `w365 people disable “{name}”`.",
        )
    if owned := erased_people.count_owned(connection, name):
        raise InputError(
            f"{name} owns {owned:,} provider accounts.", kept=_KEPT, do="Give them to somebody else, or to nobody."
        )
    if runs := erased_people.list_active_runs_of(connection, name):
        raise InputError(f"Run {runs[0]} of {name} is not over.", kept=_KEPT, do="Wait for its end, or cancel it.")
    if erased_people.list_consents_of(connection, names):
        raise InputError(
            f"A connection reads with the sign-in of {name}.",
            kept=_KEPT,
            do="Sign in there as somebody else first, on Providers.",
        )


def _erase_customer(
    service: Service, connection: Connection, actor: Actor, specific_id: str, provider: str | None
) -> Erasure:
    customer = _find_customer(connection, specific_id, provider)
    _refuse_customer(connection, customer)
    rows = erased_customers.delete_customer(connection, customer)
    told = f"erased a customer of {customer.provider}"
    note_event(connection, actor.name, service.clock(), AuditKind.REMOVAL, told)
    return Erasure(f"{customer.name} ({customer.provider})", "", rows)


def _find_customer(connection: Connection, specific_id: str, provider: str | None) -> erased_customers.StandingCustomer:
    customers = erased_customers.list_customers_called(connection, specific_id, provider)
    if not customers:
        raise NotFound(
            f"No customer has the id “{specific_id}”.", kept=_KEPT, do="Take the id from the column Specific id."
        )
    if len(customers) > 1:
        providers = ", ".join(customer.provider for customer in customers)
        raise InputError(f"{providers} each have a customer with this id.", kept=_KEPT, do="Name the provider too.")
    return customers[0]


def _refuse_customer(connection: Connection, customer: erased_customers.StandingCustomer) -> None:
    refusals = (
        (
            not customer.is_gone,
            f"{customer.provider} still lists {customer.name}, and the next sync would bring it back.",
            "End the relationship there first, and sync.",
        ),
        (customer.is_mapped, f"{customer.name} is mapped.", "Unmap it first."),
        (
            customer.is_in_crm_table,
            f"The CRM's own table still maps {customer.name}.",
            "Wait until clearing it has been written there.",
        ),
        (customer.is_expected, f"{customer.name} is being created or expected.", "End that on Onboarding first."),
        (
            erased_customers.is_provider_busy(connection, customer.provider),
            "A run that may read it is not over.",
            "Wait for its end, or cancel it.",
        ),
    )
    for stands, what, do in refusals:
        if stands:
            raise InputError(what, kept=_KEPT, do=do)


_KEPT = "Nothing was erased."

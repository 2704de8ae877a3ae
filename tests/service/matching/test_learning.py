"""Learning from decisions as a run: logged, used only where better, taken back, switched off; it maps nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from service.fakes import (
    ADMIN,
    ANALYST,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    crm_sync,
    customer,
    execute_run,
    id_of,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.errors import AccessError
from w365.matching.weights import DELIVERED
from w365.service import Service
from w365.service.configuring.settings import set_setting
from w365.service.deciding.mapping import assign_account
from w365.service.matching.learning import FEWEST_DECISIONS, read_learning, request_learning, withdraw_weights
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.matching.learned_weights import read_weights

TRADES = ("Malerei", "Gerberei", "Spenglerei", "Kelterei", "Imkerei", "Brennerei", "Weberei", "Drechslerei")
OWNERS = ("Lange", "Stein", "Vogt", "Kraus", "Hahn", "Wolf", "Busch", "Kern")
EXTRA = 1


@pytest.fixture
def service(store: Store, home: Path) -> Service:
    """Customers called by their owner, of whom two accounts exist: the owner's, and the firm that the label names."""
    crm, customers = FakeCrm(), []
    for at in range(FEWEST_DECISIONS + EXTRA):
        owner, trade = f"{OWNERS[at % 8]}{chr(97 + at // 8)} {OWNERS[at // 8]}", TRADES[at % 8]
        firm = f"{trade} {OWNERS[at % 8]}{chr(97 + at // 8)}"
        crm.put(account(f"o{at}", name=owner), account(f"f{at}", name=f"{firm} GmbH"))
        label = firm.lower().replace(" ", "")
        customers.append(customer(f"p{at}", f"{label}.onmicrosoft.com", name=owner))
    made = make_service(store, home, portal=FakePortal(pages_of(customers)), crm=crm)
    crm_sync(made)
    sync(made)
    return made


def decide(service: Service, count: int) -> None:
    for at in range(count):
        assign_account(service, ANALYST, id_of(service.store, f"p{at}"), account_id_of(service.store, f"f{at}"), seen=0)


def first_of_the_open_row(store: Store) -> str:
    candidate, row = t.CurrentCandidate, id_of(store, f"p{FEWEST_DECISIONS}")
    with store.read() as connection:
        query = sa.select(t.Account.crm_id).join(candidate, candidate.account_id == t.Account.id)
        return connection.scalars(query.where(candidate.rank == 1, candidate.provider_account_id == row)).one()


def weights_of(store: Store) -> object:
    with store.read() as connection:
        return read_weights(connection)


def test_what_people_chose_is_learned_used_shown_and_taken_back(service: Service, store: Store) -> None:
    decide(service, FEWEST_DECISIONS)
    assert first_of_the_open_row(store) == f"o{FEWEST_DECISIONS}"
    mapped = rows_of(store, t.Mapping.provider_account_id)
    run = execute_run(service, request_learning(service, ADMIN))
    assert (run.result["decisions"], run.result["learned"]) == (FEWEST_DECISIONS, 1)
    assert rows_of(store, t.Mapping.provider_account_id) == mapped
    learning = read_learning(service, ANALYST)
    assert learning.used
    assert (learning.used.decisions, learning.used.run_id) == (FEWEST_DECISIONS, run.id)
    assert learning.used.right_after > learning.used.right_before
    assert first_of_the_open_row(store) == f"f{FEWEST_DECISIONS}"
    set_setting(service, ADMIN, "learned_weights", "false")
    assert (weights_of(store), read_learning(service, ANALYST).used) == (DELIVERED, None)
    set_setting(service, ADMIN, "learned_weights", "true")
    assert weights_of(store) != DELIVERED
    assert withdraw_weights(service, ADMIN, learning.used.id)
    assert not withdraw_weights(service, ADMIN, learning.used.id)
    assert weights_of(store) == DELIVERED


def test_a_few_decisions_are_not_learned_from(service: Service, store: Store) -> None:
    decide(service, 3)
    run = execute_run(service, request_learning(service, ADMIN))
    assert (run.result["decisions"], run.result["learned"]) == (3, 0)
    assert read_learning(service, ADMIN).history == ()


def test_only_admins_have_weights_learned(service: Service) -> None:
    with pytest.raises(AccessError):
        request_learning(service, ANALYST)
    with pytest.raises(AccessError):
        withdraw_weights(service, ANALYST, 1)

"""Who may call what of the service: each public call is known here with the role it needs."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable
from types import ModuleType

import pytest
from service.decision_steps import everything
from service.fakes import ANALYST, VIEWER

from w365.errors import NotAllowed
from w365.model import NewAccount
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import conflicts, mapping
from w365.service.matching import run
from w365.service.syncing import providers, runs
from w365.store.db.engine import Store

_CHANGE = run.PendingChange(settings={"auto_match": "true"})
ANALYST_CALLS: dict[str, Callable[..., object]] = {
    "map_provisioned": lambda s, who: mapping.map_provisioned(s, who, 1, 1, reason="x"),
    "assign_account": lambda s, who: mapping.assign_account(s, who, 1, 1, seen=0),
    "clear_mapping": lambda s, who: mapping.clear_mapping(s, who, 1, seen=0),
    "reject_candidate": lambda s, who: mapping.reject_candidate(s, who, 1, 1, seen=0),
    "take_back_rejection": lambda s, who: mapping.take_back_rejection(s, who, 1, 1, seen=0),
    "exclude": lambda s, who: mapping.exclude(s, who, 1, seen=0, reason="x"),
    "park": lambda s, who: mapping.park(s, who, 1, seen=0, reason="x", until=dt.date(2027, 1, 1)),
    "switch_sync": lambda s, who: mapping.switch_sync(s, who, 1, on=False, seen=0),
    "reopen": lambda s, who: mapping.reopen(s, who, 1, seen=0),
    "create_account": lambda s, who: mapping.create_account(s, who, 1, NewAccount("x"), seen=0),
    "request_sync": lambda s, who: runs.request_sync(s, who, providers.PARTNER_CENTER),
    "request_crm_sync": runs.request_crm_sync,
    "request_match": runs.request_match,
    "cancel": lambda s, who: runs.cancel(s, who, 1),
    "add_manual_accounts": lambda s, who: providers.add_manual_accounts(s, who, 1, []),
}
ADMIN_CALLS: dict[str, Callable[..., object]] = {
    "verify_provider": lambda s, who: providers.verify_provider(s, who, providers.PARTNER_CENTER),
    "verify_crm": providers.verify_crm,
    "confirm_gone": lambda s, who: runs.confirm_gone(s, who, 1),
    "add_manual_provider": lambda s, who: providers.add_manual_provider(s, who, "x"),
    "set_setting": lambda s, who: settings.set_setting(s, who, "auto_match", "true"),
    "set_settings": lambda s, who: settings.set_settings(s, who, {"auto_match": "true"}),
    "make_change": lambda s, who: run.make_change(s, who, _CHANGE),
    "try_change": lambda s, who: run.try_change(s, who, _CHANGE),
}
READING = {
    *("get_settings", "domains_on", "list_changes", "preview_match", "list_providers", "get_crm", "find_provider"),
    *("read_run", "list_runs", "list_conflicts", "rows_of_domain"),
}


@pytest.mark.parametrize("name", [*ANALYST_CALLS, *ADMIN_CALLS])
def test_a_viewer_can_change_nothing(service: Service, store: Store, name: str) -> None:
    before = everything(store)
    with pytest.raises(NotAllowed, match="you are signed in as viewer"):
        (ANALYST_CALLS | ADMIN_CALLS)[name](service, VIEWER)
    assert everything(store) == before


@pytest.mark.parametrize("name", ADMIN_CALLS)
def test_an_analyst_can_neither_connect_nor_configure(service: Service, name: str) -> None:
    with pytest.raises(NotAllowed, match="This needs the role admin; you are signed in as analyst"):
        ADMIN_CALLS[name](service, ANALYST)


@pytest.mark.parametrize("module", [mapping, providers, settings, run, conflicts])
def test_every_public_call_that_takes_an_actor_is_known_to_these_tests(module: ModuleType) -> None:
    taking = {
        name
        for name, found in inspect.getmembers(module, inspect.isfunction)
        if found.__module__ == module.__name__ and not name.startswith("_")
        if list(inspect.signature(found).parameters)[:2] == ["service", "actor"]
    }
    assert taking <= ANALYST_CALLS.keys() | ADMIN_CALLS.keys() | READING

"""Runs as people ask for them, look at them and end them: a sync of a provider or of the CRM, a match."""

from __future__ import annotations

from w365.errors import InputError
from w365.model import Actor, AuditKind, ProviderKind, Role, RunKind, RunState
from w365.service import Service
from w365.service.access import needs
from w365.service.syncing.providers import ProviderView, find_provider, get_crm, refuse_unconnected
from w365.store.people.audit_log import note_event
from w365.store.run_counts import Count
from w365.store.runs import (
    CRM,
    RunView,
    cancel_run,
    end_run,
    get_run,
    latest_run,
    problems_of,
    recent_runs,
    request_run,
)
from w365.store.syncing.gone_customers import mark_gone
from w365.store.syncing.providers import find_provider_named

MATCH_TARGET = "all"


@needs(Role.ANALYST)
def request_sync(service: Service, actor: Actor, name: str, *, full: bool = False) -> int:
    """Queue a sync of one provider and return the run's id; AlreadyRunning, ConfigurationError when not connected."""
    provider = find_source(service, actor, name)
    refuse_unconnected(provider.missing)
    return _request(service, actor, RunKind.SYNC, provider.name, wants_full=full)


@needs(Role.VIEWER)
def find_source(service: Service, actor: Actor, name: str) -> ProviderView:
    """Find a provider that can be synced; NotFound lists the names, a manual one is refused."""
    provider = find_provider(service, actor, name)
    if provider.kind is ProviderKind.MANUAL:
        raise InputError(f"{provider.name} is a manual provider; there is nothing to sync.", do="Add its rows by hand.")
    return provider


@needs(Role.ANALYST)
def request_crm_sync(service: Service, actor: Actor, *, full: bool = False) -> int:
    """Queue a sync of the CRM, on the terms of `request_sync`."""
    refuse_unconnected(get_crm(service, actor).missing)
    return _request(service, actor, RunKind.CRM_SYNC, CRM, wants_full=full)


@needs(Role.ANALYST)
def request_match(service: Service, actor: Actor, *, full: bool = False) -> int:
    """Queue a match and return the run's id; AlreadyRunning when one is under way.

    A full one makes evidence and proposals anew from what was read, not only for what changed.
    """
    return _request(service, actor, RunKind.MATCH, MATCH_TARGET, wants_full=full)


@needs(Role.ANALYST)
def ask_to_cancel(service: Service, actor: Actor, run_id: int) -> None:
    """End a run that waits or whose process ended, and ask one under way to stop; one that ended stays as it is."""
    with service.store.write() as connection:
        cancel_run(connection, run_id, service.clock(), actor.name)


@needs(Role.ANALYST)
def cancel_active(service: Service, actor: Actor, run_id: int) -> RunView:
    """Do as `ask_to_cancel` and return the run as it is now; InputError when it had ended, NotFound without one."""
    with service.store.write() as connection:
        run = get_run(connection, run_id)
        if not run.is_active:
            raise InputError(f"Run {run_id} is over: {run.state.value}.", kept="Nothing was changed.")
        cancel_run(connection, run_id, service.clock(), actor.name)
        return get_run(connection, run_id)


def say_state(run: RunView) -> str:
    """The state of a run in a word or three, or since when and by whom it is being stopped."""
    if not (run.is_active and run.cancel_at):
        return f"{run.state.value} with gaps" if run.has_gaps else run.state.value
    return f"is being stopped, since {run.cancel_at:%H:%M} UTC, by {run.cancel_by}"


@needs(Role.VIEWER)
def read_run(service: Service, actor: Actor, run_id: int) -> tuple[RunView, list[tuple[str, str]]]:
    """Read a run and its first problems (record id, why); NotFound when there is none."""
    with service.store.read() as connection:
        problems = [(problem.record_id, problem.why) for problem in problems_of(connection, run_id)]
        return get_run(connection, run_id), problems


@needs(Role.VIEWER)
def list_runs(service: Service, actor: Actor, limit: int = 50) -> list[RunView]:
    with service.store.read() as connection:
        return recent_runs(connection, limit)


@needs(Role.ADMIN)
def confirm_gone(service: Service, actor: Actor, run_id: int) -> int:
    """Accept that the customers which a guarded run did not meet are gone; return how many."""
    with service.store.write() as connection:
        run = get_run(connection, run_id)
        provider = find_provider_named(connection, run.target)
        latest = latest_run(connection, RunKind.SYNC, run.target)
        if provider is None or latest is None or latest.id != run_id or not missing_of(run):
            raise InputError(
                "Only the latest sync that stopped for this can be confirmed.", kept="Nothing was changed."
            )
        gone = mark_gone(connection, provider.id, run_id, service.clock(), guard=None)
        result = {count: amount for count, amount in run.result.items() if count is not Count.MISSING}
        result[Count.GONE] = gone
        end_run(connection, run_id, RunState.DONE, service.clock(), was=RunState.FAILED, error="", result=result)
        told = f"{provider.name}: {gone} customers that were missing are gone (run {run_id})"
        note_event(connection, actor.name, service.clock(), AuditKind.SETTING, told)
    return gone


def missing_of(run: RunView) -> int:
    """How many customers a run did not meet that stopped at the guard and waits for `confirm_gone`; else 0."""
    return run.result[Count.MISSING] if run.state is RunState.FAILED else 0


def _request(service: Service, actor: Actor, kind: RunKind, target: str, *, wants_full: bool = False) -> int:
    with service.store.write() as connection:
        return request_run(connection, kind, target, actor.name, service.clock(), wants_full=wants_full)

"""Everything a program can ask: a route, and the service calls that answer it. Pages and grid make the same calls."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from w365.api.programs import customers, figures, sources
from w365.api.programs import questions as ask
from w365.api.programs.problems import ProblemKind
from w365.api.programs.shapes import Field, fields_of
from w365.model import Actor, ListPart, Role, Status
from w365.service import Service
from w365.service.deciding import mapping
from w365.service.insight.activity import list_decisions_after
from w365.service.insight.statistics import read_statistics
from w365.service.people.service_tokens import read_own_token
from w365.service.reading.account_lookup import search_accounts
from w365.service.reading.crm_account import find_account, read_account
from w365.service.reading.records import list_rows_after, read_record, read_row
from w365.service.reading.subscriptions import list_subscriptions
from w365.service.syncing import runs
from w365.service.syncing.providers import get_provider_name, list_providers
from w365.store.reading.subscriptions import Cursor, SubscriptionFilter, SubscriptionState
from w365.store.reading.worklist import Filter

SEEN = "seen"
"""The part of a question that comes as `If-Match`."""


def read_service_account(service: Service, actor: Actor, _asked: ask.Nothing) -> sources.ServiceAccount:
    """Say as whom the token gets in, and until when."""
    return sources.service_account(actor.name, read_own_token(service, actor))


def read_providers(service: Service, actor: Actor, _asked: ask.Nothing) -> sources.Providers:
    """List all providers."""
    return sources.Providers(tuple(map(sources.provider, list_providers(service, actor))))


def read_provider_accounts(service: Service, actor: Actor, asked: ask.ListedAccounts) -> customers.ProviderAccounts:
    """List provider accounts, page by page.

    Gone customers that are not mapped are left out, as in all counts, unless `part` is `gone`.
    """
    part = ListPart(asked.part.value) if asked.part else None
    chosen = Filter(asked.status, asked.provider, asked.reason, asked.text, part)
    rows = list_rows_after(service, actor, chosen, asked.cursor, limit=asked.limit + 1)
    shown, following = rows[: asked.limit], rows[asked.limit - 1].id if len(rows) > asked.limit else None
    return customers.ProviderAccounts(tuple(map(customers.provider_account, shown)), following)


def read_provider_account(service: Service, actor: Actor, asked: ask.OneAccount) -> customers.ProviderAccountRecord:
    """Read one provider account with its domains and rejections."""
    return customers.record(read_record(service, actor, asked.id))


def read_candidates(service: Service, actor: Actor, asked: ask.OneAccount) -> customers.Candidates:
    """List the CRM accounts that a provider account may be mapped to."""
    record = read_record(service, actor, asked.id)
    return customers.Candidates(tuple(map(customers.candidate, record.candidates)), record.row.version)


def read_mapping(service: Service, actor: Actor, asked: ask.OneAccount) -> customers.Mapping:
    """Read what a provider account is mapped to."""
    return customers.mapping(read_row(service, actor, asked.id))


def map_account(service: Service, actor: Actor, asked: ask.ToMap) -> customers.ProviderAccount:
    """Map a provider account to a CRM account, in place of the one it may be mapped to."""
    account_id = find_account(service, actor, asked.account)
    decided = mapping.assign_account(service, actor, asked.id, account_id, seen=asked.seen)
    return customers.provider_account(decided.row)


def unmap_account(service: Service, actor: Actor, asked: ask.ToUnmap) -> customers.ProviderAccount:
    """Clear a mapping. Clearing an automatic one also rejects the account, so that it does not come back."""
    return customers.provider_account(mapping.clear_mapping(service, actor, asked.id, seen=asked.seen).row)


def reject_account(service: Service, actor: Actor, asked: ask.ToReject) -> customers.ProviderAccount:
    """Say that an account is not this customer's: it is neither suggested nor mapped by a match until taken back."""
    account_id = find_account(service, actor, asked.account)
    decided = mapping.reject_candidate(service, actor, asked.id, account_id, seen=asked.seen, reason=asked.reason)
    return customers.provider_account(decided.row)


def take_back_rejection(service: Service, actor: Actor, asked: ask.Rejected) -> customers.ProviderAccount:
    """Let an account be suggested and mapped again."""
    account_id = find_account(service, actor, asked.account)
    decided = mapping.take_back_rejection(service, actor, asked.id, account_id, seen=asked.seen)
    return customers.provider_account(decided.row)


def read_mappings(service: Service, actor: Actor, asked: ask.ListedMappings) -> customers.Mappings:
    """List all mappings, page by page."""
    chosen = Filter((Status.MAPPED,), asked.provider)
    rows = list_rows_after(service, actor, chosen, asked.cursor, limit=asked.limit + 1)
    shown, following = rows[: asked.limit], rows[asked.limit - 1].id if len(rows) > asked.limit else None
    return customers.Mappings(tuple(map(customers.mapping, shown)), following)


def read_accounts(service: Service, actor: Actor, asked: ask.SoughtAccounts) -> sources.AccountHits:
    """Find CRM accounts as the lookup cell of the grid does."""
    hits = search_accounts(service, actor, asked.text, limit=asked.limit)
    return sources.AccountHits(tuple(map(sources.account_hit, hits)))


def read_crm_account(service: Service, actor: Actor, asked: ask.OneCrmAccount) -> sources.Account:
    """Read a CRM account, a deleted one too."""
    return sources.account(read_account(service, actor, asked.crm_id))


def read_subscriptions(service: Service, actor: Actor, asked: ask.ListedSubscriptions) -> customers.Subscriptions:
    """List subscriptions with what they wait for, page by page."""
    chosen = SubscriptionFilter(asked.state, asked.provider, asked.text)
    page = list_subscriptions(service, actor, chosen, after=_cursor(asked.cursor), limit=asked.limit)
    following = _cursor_text(page.following) if page.following else None
    return customers.Subscriptions(tuple(map(customers.subscription, page.rows)), following)


def _cursor_text(cursor: Cursor) -> str:
    plain = quote(cursor.subscription_id, "")
    return f"{cursor.state}~{cursor.seats}~{cursor.provider_account_id}~{plain}"


def _cursor(text: str) -> Cursor | None:
    if not text:
        return None
    state, seats, provider_account_id, subscription_id = text.split("~", 3)
    plain = unquote(subscription_id).replace("\0", "")
    return Cursor(SubscriptionState(state), int(seats), int(provider_account_id), plain)


def read_numbers(service: Service, actor: Actor, _asked: ask.Nothing) -> figures.StatisticsNow:
    """Read the numbers of the Overview and Statistics pages."""
    return figures.statistics(read_statistics(service, actor, history=0))


def read_decisions(service: Service, actor: Actor, asked: ask.FollowedDecisions) -> figures.Decisions:
    """Follow the decisions: read what came after one that is known, and ask again later with `next`."""
    views = list_decisions_after(service, actor, asked.since, limit=asked.limit + 1)
    shown = tuple(map(figures.decision, views[: asked.limit]))
    return figures.Decisions(shown, shown[-1].id if shown else asked.since, len(views) > asked.limit)


def read_runs(service: Service, actor: Actor, asked: ask.ListedRuns) -> sources.Runs:
    """List the latest runs."""
    return sources.Runs(tuple(map(sources.run, runs.list_runs(service, actor, asked.limit))))


def read_run(service: Service, actor: Actor, asked: ask.OneRun) -> sources.RunRecord:
    """Read how a run goes or went."""
    view, problems = runs.read_run(service, actor, asked.id)
    return sources.RunRecord(sources.run(view), tuple(sources.RunProblem(*each) for each in problems))


def start_sync(service: Service, actor: Actor, asked: ask.ToSync) -> sources.Run:
    """Start a sync of a provider, which a match follows. A worker does it; `Location` says where to ask how it goes."""
    return _begun(
        service, actor, runs.request_sync(service, actor, get_provider_name(service, actor, asked.id), full=asked.full)
    )


def start_crm_sync(service: Service, actor: Actor, _asked: ask.Nothing) -> sources.Run:
    """Start a sync of the CRM, which a match follows."""
    return _begun(service, actor, runs.request_crm_sync(service, actor))


def start_match(service: Service, actor: Actor, asked: ask.ToMatch) -> sources.Run:
    """Start a match."""
    return _begun(service, actor, runs.request_match(service, actor, full=asked.full))


def _begun(service: Service, actor: Actor, run_id: int) -> sources.Run:
    return sources.run(runs.read_run(service, actor, run_id)[0])


def cancel_run(service: Service, actor: Actor, asked: ask.OneRun) -> sources.Run:
    """End a run that waits, and ask one under way to stop. What it wrote is kept."""
    return sources.run(runs.cancel_active(service, actor, asked.id))


Handler = Callable[[Service, Actor, Any], Any]
_ANYWHERE = (
    *(ProblemKind.MALFORMED, ProblemKind.NO_TOKEN, ProblemKind.TOO_MANY),
    *(ProblemKind.UNFORESEEN, ProblemKind.UNAVAILABLE),
)


@dataclass(frozen=True)
class Operation:
    """A route below `/api/v1`. What it asks for and answers are the annotations of its handler."""

    method: str
    path: str
    handler: Handler
    role: Role = Role.VIEWER
    status: int = 200
    further: tuple[ProblemKind, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def about(self) -> str:
        return inspect.getdoc(self.handler) or ""

    @cached_property
    def question(self) -> type:
        kinds: list[type] = list(typing.get_type_hints(self.handler).values())
        return kinds[2]

    @cached_property
    def answer(self) -> type:
        return typing.get_type_hints(self.handler)["return"]  # type: ignore[no-any-return]

    @cached_property
    def in_path(self) -> tuple[Field, ...]:
        names = re.findall(r"{(\w+)}", self.path)
        return tuple(each for each in fields_of(self.question) if each.name in names)

    @cached_property
    def in_query(self) -> tuple[Field, ...]:
        return self._rest if self.method in ("GET", "DELETE") else ()

    @cached_property
    def in_body(self) -> tuple[Field, ...]:
        return self._rest if self.method in ("POST", "PUT") else ()

    @cached_property
    def has_version(self) -> bool:
        return any(each.name == SEEN for each in fields_of(self.question))

    @property
    def _rest(self) -> tuple[Field, ...]:
        return tuple(each for each in fields_of(self.question) if each.name != SEEN and each not in self.in_path)

    @cached_property
    def problems(self) -> tuple[ProblemKind, ...]:
        """What may go wrong, by status."""
        kinds = {*_ANYWHERE, *self.further}
        kinds |= {ProblemKind.NOT_FOUND} if self.in_path else set()
        kinds |= {ProblemKind.FORBIDDEN} if self.role > Role.VIEWER else set()
        kinds |= {ProblemKind.CHANGED, ProblemKind.NO_VERSION, ProblemKind.NOT_POSSIBLE} if self.has_version else set()
        kinds |= {ProblemKind.TOO_LARGE, ProblemKind.NO_JSON} if self.in_body else set()
        return tuple(sorted(kinds, key=lambda kind: (kind.status, kind.name)))


_ROW = "/provider-accounts/{id}"
_BUSY = (ProblemKind.ALREADY_RUNNING, ProblemKind.NOT_CONNECTED, ProblemKind.NOT_POSSIBLE)
OPERATIONS = (
    Operation("GET", "/service-account", read_service_account),
    Operation("GET", "/providers", read_providers),
    Operation("POST", "/providers/{id}/syncs", start_sync, Role.ANALYST, 202, _BUSY),
    Operation("POST", "/crm/syncs", start_crm_sync, Role.ANALYST, 202, _BUSY),
    Operation("POST", "/matches", start_match, Role.ANALYST, 202, _BUSY),
    Operation("GET", "/provider-accounts", read_provider_accounts),
    Operation("GET", _ROW, read_provider_account),
    Operation("GET", f"{_ROW}/candidates", read_candidates),
    Operation("GET", f"{_ROW}/mapping", read_mapping),
    Operation("PUT", f"{_ROW}/mapping", map_account, Role.ANALYST, further=(ProblemKind.POLICY,)),
    Operation("DELETE", f"{_ROW}/mapping", unmap_account, Role.ANALYST),
    Operation("POST", f"{_ROW}/rejections", reject_account, Role.ANALYST),
    Operation("DELETE", f"{_ROW}/rejections/{{account}}", take_back_rejection, Role.ANALYST),
    Operation("GET", "/mappings", read_mappings),
    Operation("GET", "/accounts", read_accounts),
    Operation("GET", "/accounts/{crm_id}", read_crm_account),
    Operation("GET", "/subscriptions", read_subscriptions),
    Operation("GET", "/statistics", read_numbers),
    Operation("GET", "/decisions", read_decisions),
    Operation("GET", "/runs", read_runs),
    Operation("GET", "/runs/{id}", read_run),
    Operation("POST", "/runs/{id}/cancel", cancel_run, Role.ANALYST, further=(ProblemKind.NOT_POSSIBLE,)),
)

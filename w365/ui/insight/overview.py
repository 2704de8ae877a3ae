"""The Overview page: the backlog first, then what to do next, then the first steps where something is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from w365.model import Reason, Role, Status
from w365.service.configuring.settings import get_settings
from w365.service.insight.statistics import CurrentStatistics, read_current_statistics
from w365.service.matching.run import MatchPreview, preview_match
from w365.service.reading.records import count
from w365.service.reading.visits import read_visit
from w365.service.syncing.providers import CrmView, ProviderView, get_crm, list_providers
from w365.service.writeback.view import count_troubles
from w365.store.reading.subscriptions import Amount
from w365.store.reading.worklist import Filter
from w365.store.runs import CRM, RunView
from w365.ui.configuring.schedule_words import say_next_times
from w365.ui.deciding.record.subscription_words import say_blocked
from w365.ui.frame import pages
from w365.ui.frame.links import link_to
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.palette import tiles
from w365.ui.frame.runs import is_busy, keep_current, show_run
from w365.ui.frame.wording import ago, clock_time, counted, local_zone, number, percent, plain, short

_POINTS_OF_A_LINE = 3


def show_overview(context: PageContext) -> None:
    keep_current(context)
    statistics = read_current_statistics(context.service, context.actor, history=30)
    providers, crm = list_providers(context.service, context.actor), get_crm(context.service, context.actor)
    _show_first_steps(context, providers, crm)
    _show_numbers(statistics)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_next(context, statistics)
    with right:
        _show_sources(context, providers, crm)


def _show_numbers(statistics: CurrentStatistics) -> None:
    totals = statistics.totals
    rates = [100 * rate for point in statistics.history if (rate := point.totals.match_rate) is not None]
    moved = f"{number(statistics.new_this_week)} new, {number(statistics.changed)} changed"
    cards: tuple[tuple[str, str, str, list[float]], ...] = (
        ("Need a decision", number(totals.backlog), moved, []),
        (
            "Match rate",
            percent(totals.match_rate),
            f"{number(totals.mapped)} of {number(totals.in_scope)} mapped",
            rates,
        ),
        ("Conflicts", number(totals.conflict), "several accounts", []),
        ("Blocked seats", number(totals.blocked_seats), _subscriptions(statistics), []),
    )
    with tiles():
        for column, (label, value, below, line) in zip(st.columns(len(cards)), cards, strict=True):
            chart = line if len(line) >= _POINTS_OF_A_LINE else None
            options: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}
            column.metric(label, value, below, chart_data=chart, **options)


def _subscriptions(statistics: CurrentStatistics) -> str:
    return counted(statistics.blocked_subscriptions, "subscription")


@dataclass(frozen=True, slots=True)
class _Task:
    """One line of what to do next, and where: of the grid, the rows that the query filters."""

    amount: int
    text: str
    link: str
    query: dict[str, str] | None
    page: str = pages.PROVIDER_ACCOUNTS.path


def _show_blocked(statistics: CurrentStatistics) -> None:
    """The first thing to do: what nobody can be billed for."""
    if statistics.blocking:
        amount = Amount(statistics.blocked_subscriptions, statistics.totals.blocked_seats, statistics.blocking)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(say_blocked(amount), width="stretch")
            link_to(pages.REVIEW.path, "Review by impact")


def _tasks(statistics: CurrentStatistics) -> list[_Task]:
    totals = statistics.totals
    by_reason = {share.reason: share.accounts for share in statistics.by_reason}
    without = by_reason.get(Reason.NO_ACCOUNT, 0)
    tasks = [
        _Task(
            totals.conflict,
            "in conflict: several accounts are equally supported",
            "Open conflicts",
            None,
            pages.CONFLICTS.path,
        ),
        _Task(
            totals.unmapped,
            "unmapped: choose an account or create one",
            "Open unmapped",
            {"status": Status.UNMAPPED.value},
        ),
        _Task(
            without,
            "of them have a domain that no CRM account uses",
            "Open these",
            {"status": Status.UNMAPPED.value, "reason": Reason.NO_ACCOUNT.value},
        ),
        _Task(statistics.drifted, "mapped, but the evidence changed since", "Open drifted", {"status": "drifted"}),
        _Task(totals.parked, "parked for later", "Open parked", {"status": Status.PARKED.value}),
    ]
    return [task for task in tasks if task.amount]


def _show_next(context: PageContext, statistics: CurrentStatistics) -> None:
    st.subheader("What to do next", anchor=False)
    _show_new(context)
    _show_unwritten(context)
    tasks = _tasks(statistics)
    if not tasks:
        done = statistics.totals.in_scope
        st.success("Every provider account is decided.") if done else st.info("Nothing is synced yet.")
        return
    _show_blocked(statistics)
    for task in tasks:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{number(task.amount)}** {task.text}", width="stretch")
            link_to(task.page, task.link, task.query)
    if not is_busy(context):
        _show_ready(preview_match(context.service, context.actor, limit=0))
    _show_movement(statistics)


def _show_new(context: PageContext) -> None:
    """Say what came since this person was here."""
    since = read_visit(context.service, context.actor)
    amount = count(context.service, context.actor, Filter(new_since=since)) if since else 0
    if amount:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{number(amount)}** new since your last visit", width="stretch")
            link_to(pages.PROVIDER_ACCOUNTS.path, "Open new", {"status": "new"})


def _show_unwritten(context: PageContext) -> None:
    """Say what Dataverse did not take."""
    if amount := count_troubles(context.service, context.actor):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{number(amount)}** decided, but not written to Dataverse", width="stretch")
            link_to(pages.CONFIGURATION.path, "See why")


def _show_ready(preview: MatchPreview) -> None:
    if preview.total:
        does = "will map them" if preview.auto_match else "is off, so they wait"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{number(preview.total)}** have exactly one account; Auto-Match {does}", width="stretch")
            if preview.auto_match:
                link_to(pages.PROVIDERS.path, "Match now")
            else:
                link_to(pages.CONFIGURATION.path, "Switch it on")


def _show_movement(statistics: CurrentStatistics) -> None:
    parts = []
    if statistics.oldest_open:
        parts.append(f"The oldest open one came {ago(statistics.oldest_open, statistics.at)}.")
    if statistics.gone:
        parts.append(f"{number(statistics.gone)} are gone at their provider.")
    if parts:
        st.caption(" ".join(parts))


def _show_sources(context: PageContext, providers: list[ProviderView], crm: CrmView) -> None:
    st.subheader("Sources", anchor=False)
    next_times = say_next_times(context)
    for provider in providers:
        _show_source(
            context,
            provider.name,
            counted(provider.accounts, "provider account"),
            provider.last,
            next_times.get(str(provider.id)),
        )
    amount = f"{counted(crm.accounts, 'account')}, {counted(crm.contacts, 'contact')}"
    _show_source(context, "CRM", amount, crm.last, next_times.get(CRM))
    link_to(pages.PROVIDERS.path, "Open providers")


def _show_source(context: PageContext, name: str, amount: str, last: RunView | None, next_time: str | None) -> None:
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f"**{plain(short(name))}** · {amount}")
        if last and (last.is_active or last.error):
            show_run(context, last)
        elif last and last.ended_at:
            st.caption(f"Synced {clock_time(last.ended_at, context.service.clock(), local_zone())}")
        if next_time:
            st.caption(plain(next_time))


def _show_first_steps(context: PageContext, providers: list[ProviderView], crm: CrmView) -> None:
    """Three steps until provider accounts and CRM were synced once and Auto-Match was decided about."""
    synced = any(provider.last_done for provider in providers) or any(provider.accounts for provider in providers)
    crm_synced = crm.last_done is not None
    if synced and crm_synced:
        return
    is_on = get_settings(context.service, context.actor)["auto_match"] == "true"
    with st.container(border=True):
        st.subheader("Three steps to the first mappings", anchor=False)
        automatic = [provider for provider in providers if provider.missing or provider.last_done or provider.last]
        _step(
            "Connect a provider and sync its accounts", done=synced, missing=automatic[0].missing if automatic else ""
        )
        _step("Connect the CRM and sync accounts and contacts", done=crm_synced, missing=crm.missing)
        _step("Switch Auto-Match on, or decide everything by hand", done=is_on, missing="")
        if context.actor.role >= Role.ANALYST:
            with st.container(horizontal=True):
                link_to(pages.PROVIDERS.path, "Go to Providers")
                link_to(pages.CONFIGURATION.path, "Go to Configuration")


def _step(text: str, *, done: bool, missing: str) -> None:
    state = ":green-badge[Done]" if done else ":gray-badge[To do]"
    st.markdown(f"{state} {text}")
    if missing and not done:
        st.caption(missing)

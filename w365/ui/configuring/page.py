"""The Configuration page: Auto-Match on top, then rules and policy, the domain lists, and who changed what."""

from __future__ import annotations

import streamlit as st

from w365.matching.messages import LIST_WORDS
from w365.model import DomainList, Role
from w365.service.configuring.settings import domains_on, get_settings, list_changes
from w365.service.matching.run import PendingChange
from w365.service.own_data import narrow_own_files
from w365.service.processes import get_installation
from w365.store.configuring.setting_changes import ChangedSetting
from w365.store.configuring.settings import CRM_ADDRESS, SCHEDULE_ZONE
from w365.ui.configuring.auto_match import show_auto_match
from w365.ui.configuring.change_preview import propose_change, show_pending
from w365.ui.configuring.crm_address import show_crm_address
from w365.ui.configuring.installation import show_installation, warn_of_other_schema
from w365.ui.configuring.learning import show_learning
from w365.ui.configuring.rules import show_rules
from w365.ui.configuring.schedules import show_schedules
from w365.ui.configuring.words import say_setting, say_value
from w365.ui.frame.extras import Slot, show_extras
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.runs import keep_current
from w365.ui.frame.wording import counted, full_time, local_zone, number, plain

_LIST_HELP = {
    DomainList.FREE_MAIL: "Anybody may have a mailbox here, so they say nothing about a customer.",
    DomainList.EXCLUDED: "Never evidence, for whatever reason.",
    DomainList.SHARED: "Used by several customers; seen on many accounts.",
    DomainList.PARTNER: "Your own domains: your staff stand as contacts at customers.",
}


def show_configuration(context: PageContext) -> None:
    keep_current(context)
    installation = get_installation(context.service, context.actor)
    warn_of_other_schema(installation)
    settings = get_settings(context.service, context.actor)
    if context.actor.role < Role.ADMIN:
        st.info("You can look at these settings; changing them needs the role admin.")
    else:
        for sentence in narrow_own_files(context.service, context.actor):
            st.warning(plain(sentence), icon=":material/lock_open:")
    with st.container(border=True):
        show_auto_match(context, is_on=settings["auto_match"] == "true")
    show_pending(context)
    st.subheader("Rules and policy", anchor=False)
    show_rules(context, settings)
    st.subheader("Domains that are never evidence", anchor=False)
    _show_lists(context)
    st.subheader("Learning from decisions", anchor=False)
    show_learning(context)
    st.subheader("Daily syncs", anchor=False)
    show_schedules(context, settings[SCHEDULE_ZONE])
    show_extras(Slot.SCHEDULES, context)
    st.subheader("Open in CRM", anchor=False)
    show_crm_address(context, settings[CRM_ADDRESS])
    show_extras(Slot.CONFIGURATION, context)
    st.subheader("Changes", anchor=False)
    _show_changes(context)
    st.subheader("Program", anchor=False)
    show_installation(installation, context.service.clock())


def _show_lists(context: PageContext) -> None:
    lists = {which: domains_on(context.service, context.actor, which) for which in DomainList}
    _search(lists)
    tabs = st.tabs([f"{words} ({number(len(lists[which]))})" for which, words in LIST_WORDS.items()])
    for tab, which in zip(tabs, LIST_WORDS, strict=True):
        with tab:
            _edit_list(context, which, lists[which])


def _search(lists: dict[DomainList, list[str]]) -> None:
    text = st.text_input("Find a domain", type="search", placeholder="gmail.com", live="300ms", key="find-domain")
    searched = (text or "").strip().lower()
    if not searched:
        return
    hits = [(domain, which) for which, domains in lists.items() for domain in domains if searched in domain]
    if not hits:
        st.caption(plain(f"No list holds “{searched}”."))
        return
    first = ", ".join(f"{domain} ({LIST_WORDS[which].lower()})" for domain, which in hits[:12])
    more = f" and {number(len(hits) - 12)} more" if len(hits) > 12 else ""
    st.caption(plain(f"{first}{more}"))


def _edit_list(context: PageContext, which: DomainList, domains: list[str]) -> None:
    may = context.actor.role >= Role.ADMIN
    st.caption(_LIST_HELP[which])
    with st.form(f"domains-{which}", border=False):
        # the key carries what is stored: after a save the area shows the list as it is, sorted and normalised
        text = st.text_area(
            f"{LIST_WORDS[which]}, one a line",
            "\n".join(domains),
            height=220,
            disabled=not may,
            key=f"area-{which}-{hash(tuple(domains))}",
        )
        if st.form_submit_button("Check the effect", disabled=not may):
            entries = tuple(text.replace(",", "\n").split())
            propose_change(
                context, PendingChange(domains={which: entries}), _say_list_change(which, set(domains), set(entries))
            )


def _say_list_change(which: DomainList, before: set[str], after: set[str]) -> list[str]:
    parts = (("added", sorted(after - before)), ("removed", sorted(before - after)))
    return [
        f"{LIST_WORDS[which]}: {counted(len(some), 'domain')} {word} ({_some(some)})" for word, some in parts if some
    ]


def _some(domains: list[str]) -> str:
    return f"{', '.join(domains[:8])}{', …' if len(domains) > 8 else ''}"


def _values(change: ChangedSetting) -> dict[str, str]:
    return {"Old value": say_value(change.old_value), "New value": say_value(change.value)}


def _show_changes(context: PageContext) -> None:
    changes = list_changes(context.service, context.actor)
    if not changes:
        st.caption("Nothing was changed yet.")
        return
    zone = local_zone()
    rows = [
        {
            "Time": full_time(change.at, zone),
            "Who": change.actor,
            "Setting": say_setting(change.name),
        }
        | (_values(change) if context.actor.role >= Role.ANALYST else {})
        for change in changes
    ]
    st.dataframe(rows, hide_index=True, alt="Changes of the settings")

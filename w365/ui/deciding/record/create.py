"""Quick create: an account for a customer that has none, after a look at similar ones."""

from __future__ import annotations

import streamlit as st

from w365.service.deciding import mapping
from w365.service.reading.account_lookup import search_accounts
from w365.service.reading.records import propose_account
from w365.source_records import NewAccount
from w365.store.reading.account_hits import Hit
from w365.ui.deciding.record.accounts import show_hit
from w365.ui.deciding.record.decide import Decider

_SIMILAR = 5


def show_create(decider: Decider) -> None:
    """Show the form, filled with what the provider says, below the accounts that look like it."""
    if not decider.may or decider.record.row.account_id is not None:
        return
    # Looking for similar accounts is a third of what a record costs: it is done once somebody opens the form.
    form = st.expander("Create an account", key=decider.field_key("create"), on_change="rerun")
    if not form.open:
        return
    with form:
        new = _read_form(decider)
        _show_similar(decider, new.name)
        decider.button(
            "Create in the CRM and map",
            "create",
            lambda seen: mapping.create_account(*decider.whose, new, seen=seen),
            disabled=not new.name,
        )


def _read_form(decider: Decider) -> NewAccount:
    proposed = propose_account(decider.record)
    name = st.text_input("Name", proposed.name, key=decider.field_key("new-name"), max_chars=160)
    left, middle, right = st.columns([3, 3, 2])
    website = left.text_input("Website", proposed.website, key=decider.field_key("new-website"), max_chars=200)
    city = middle.text_input("City", proposed.city, key=decider.field_key("new-city"), max_chars=80)
    country = right.text_input("Country", proposed.country, key=decider.field_key("new-country"), max_chars=80)
    parts = [(text or "").strip() for text in (name, website, city, country)]
    return NewAccount(name=parts[0], website=parts[1], city=parts[2], country=parts[3])


def _show_similar(decider: Decider, name: str) -> None:
    """A customer that has an account already must not get a second one."""
    hits = _similar(decider, name)
    if not hits:
        st.caption("No account with a similar name.")
        return
    st.caption("Similar accounts. Use one of these if it is the customer.")
    for hit in hits:
        show_hit(decider, hit, f"similar-{hit.account_id}", "Use this")


def _similar(decider: Decider, name: str) -> list[Hit]:
    """Accounts that begin like the name: the whole of it, else its first two words, else its first."""
    words = name.split()
    for kept in (len(words), 2, 1):
        text = " ".join(words[:kept])
        row = decider.record.row.id
        hits = search_accounts(decider.context.service, decider.context.actor, text, limit=_SIMILAR, row=row)
        if hits:
            return hits
    return []

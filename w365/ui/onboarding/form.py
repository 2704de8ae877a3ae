"""The form of a new customer in three steps, filled from the CRM account; what is wrong stands below its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from w365.errors import FormRefused, W365Error
from w365.service.onboarding.create import check_domain, onboard_customer
from w365.service.onboarding.form import (
    ADDRESS,
    CITY,
    COUNTRY,
    CULTURE,
    CULTURES,
    EMAIL,
    FIELDS,
    FIRST_NAME,
    LAST_NAME,
    NAME,
    PHONE,
    POSTAL_CODE,
    PREFIX,
    STATE,
    SUFFIX,
    domain_of,
    fill_form,
)
from w365.store.onboarding.accounts import AccountToOnboard
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import show_error
from w365.ui.frame.wording import plain
from w365.ui.onboarding.first_password import Attempt, try_once

_FIELDS = {field.name: field for field in FIELDS}
_CULTURE_WORDS = {
    "en-US": "English (US)",
    "en-GB": "English (UK)",
    "de-DE": "German",
    "fr-FR": "French",
    "nl-NL": "Dutch",
    "es-ES": "Spanish",
    "it-IT": "Italian",
    "pt-PT": "Portuguese",
    "pl-PL": "Polish",
    "da-DK": "Danish",
    "sv-SE": "Swedish",
    "fi-FI": "Finnish",
}
_CHECKED = "onboarding_domain"


def show_new_customer(
    context: PageContext, provider_id: int, provider: str, account: AccountToOnboard, attempt: Attempt | None
) -> None:
    """Show the form, with what was refused the last time; what was typed stays."""
    refused = attempt.error if attempt and attempt.account == account.crm_id else None
    wrong = refused.fields if isinstance(refused, FormRefused) else {}
    form = _Form(account, wrong, attempt.texts if attempt else {})
    _ask_domain(context, provider_id, form)
    _ask_company(form)
    _ask_contact(form)
    if refused is not None and not isinstance(refused, FormRefused):
        show_error(refused)
    elif refused is not None:
        st.error("**Nothing was created yet.** Correct what is marked above.")
    with st.container(horizontal=True, vertical_alignment="center"):
        is_wanted = st.button(f"Create at {provider}", type="primary", key="onboard-create")
        st.caption(
            f"Makes a tenant, which cannot be taken back from here, and maps it to {plain(account.name)}.",
            width="content",
        )
    if is_wanted:
        _create(context, provider_id, account, form.texts)


def _create(context: PageContext, provider_id: int, account: AccountToOnboard, texts: Mapping[str, str]) -> None:
    with st.spinner("Creating the customer. This may take a minute."):
        try_once(
            context.actor,
            account.crm_id,
            texts,
            lambda: onboard_customer(context.service, context.actor, provider_id, account.account_id, texts),
        )
    st.rerun()


class _Form:
    """The fields of one account, each with its own key, and what was entered so far."""

    def __init__(self, account: AccountToOnboard, wrong: Mapping[str, str], asked: Mapping[str, str]) -> None:
        self.account, self._wrong, self._asked = account, wrong, asked
        self.known = fill_form(account.name, account.website, account.city, account.country)
        self.texts: dict[str, str] = {}

    def ask(self, place: Any, name: str, **options: Any) -> None:
        field = _FIELDS[name]
        label = field.label + (" *" if field.is_needed else "")
        value = place.text_input(label, self.known[name], key=self.key(name), max_chars=field.longest, **options)
        self.texts[name] = value or ""
        if refusal := self.wrong(name):
            place.markdown(f":red[:small[{plain(refusal)}]]")

    def wrong(self, name: str) -> str:
        """What was refused of the field, until it is changed."""
        return self._wrong.get(name, "") if self._asked.get(name) == self.texts[name] else ""

    def key(self, name: str) -> str:
        return f"onboard-{self.account.account_id}-{name}"


def _ask_domain(context: PageContext, provider_id: int, form: _Form) -> None:
    st.markdown("**1 · Domain**")
    left, right = st.columns([5, 7], vertical_alignment="bottom")
    left.text_input(
        "Domain *",
        form.known[PREFIX],
        key=form.key(PREFIX),
        max_chars=_FIELDS[PREFIX].longest,
        help=f"The tenant's first domain, below {SUFFIX[1:]}. It cannot be changed later.",
    )
    prefix = form.texts[PREFIX] = str(st.session_state[form.key(PREFIX)] or "").strip().lower()
    refusal = form.wrong(PREFIX) or (_say_domain(context, provider_id, prefix) if prefix else "")
    if refusal:
        right.markdown(f":red[:small[{plain(refusal)}]]")
    elif prefix:
        right.markdown(f"{plain(domain_of(prefix))} :green-badge[free]")


def _say_domain(context: PageContext, provider_id: int, prefix: str) -> str:
    """Ask the provider once for what was typed, not again with every click."""
    asked: tuple[int, str, str] | None = st.session_state.get(_CHECKED)
    if asked is None or asked[:2] != (provider_id, prefix):
        try:
            asked = (provider_id, prefix, check_domain(context.service, context.actor, provider_id, prefix))
        except W365Error as error:
            return f"Whether it is free could not be asked: {error.what}"
        st.session_state[_CHECKED] = asked
    return asked[2]


def _ask_company(form: _Form) -> None:
    st.markdown("**2 · Company and address**")
    left, right = st.columns(2)
    form.ask(left, NAME)
    form.ask(right, ADDRESS)
    widths = st.columns([2, 3, 2, 2, 3])
    form.ask(widths[0], POSTAL_CODE)
    form.ask(widths[1], CITY)
    form.ask(widths[2], STATE, help="Two letters; needed in the US, Canada and Australia.")
    form.ask(widths[3], COUNTRY, help="Two letters, such as GB or US.")
    first = form.known[CULTURE]
    chosen = widths[4].selectbox(
        "Language *",
        CULTURES,
        help="Of the provider's invoices and mail.",
        index=CULTURES.index(first),
        format_func=_CULTURE_WORDS.__getitem__,
        key=form.key(CULTURE),
    )
    form.texts[CULTURE] = chosen or first


def _ask_contact(form: _Form) -> None:
    st.markdown("**3 · First contact**  \n:gray[:small[The provider writes to this person.]]")
    columns = st.columns([3, 3, 4, 3])
    for column, name in zip(columns, (FIRST_NAME, LAST_NAME, EMAIL, PHONE), strict=True):
        form.ask(column, name)

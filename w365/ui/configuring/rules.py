"""The form of rules and policy: one form, checked and saved as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from w365.matching.messages import CARDINALITY_WORDS, GUARD_MEANINGS, REASON_WORDS
from w365.model import FREE_TEXT_KINDS, Cardinality, Reason, Role
from w365.service.matching.run import PendingChange
from w365.service.syncing.providers import ProviderView, list_providers
from w365.store.configuring.settings import SPECS
from w365.ui.configuring.change_preview import propose_change
from w365.ui.configuring.words import EVIDENCE_WORDS, PROOF_WORDS, RULE_WORDS, say_setting, say_value
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.wording import plain, short

_DEFAULT = "As above"
_PROVES = {True: "becomes proof: it may map", False: "only suggests from now on; mappings stay"}


@dataclass(frozen=True, slots=True)
class _Entered:
    """What the form holds when it is sent."""

    settings: Mapping[str, str]
    cardinalities: Mapping[int, Cardinality | None]
    text_proofs: Mapping[int, bool]


def show_rules(context: PageContext, settings: Mapping[str, str]) -> None:
    providers = list_providers(context.service, context.actor)
    may = context.actor.role >= Role.ADMIN
    with st.form("rules"):
        left, right = st.columns(2, gap="large")
        with left:
            rules = _ask_rules(settings, may=may)
            text_proofs = _ask_proofs(providers, may=may)
            rules |= _ask_syncs(settings, may=may)
        with right:
            policy, exceptions = _ask_policy(settings, providers, may=may)
        if st.form_submit_button("Check the effect", disabled=not may):
            _send(context, settings, providers, _Entered(rules | policy, exceptions, text_proofs))


def _ask_rules(settings: Mapping[str, str], *, may: bool) -> dict[str, str]:
    st.markdown("**Rules that may map, in order**")
    column = st.text_input(
        "1. Tenant id on the CRM account: logical name of the column",
        settings["tenant_guid_column"],
        placeholder="empty: rule off",
        help="Where this rule supports an account, it decides alone.",
        disabled=not may,
    )
    values = {"tenant_guid_column": column.strip()}
    for name, words in {**RULE_WORDS, **EVIDENCE_WORDS}.items():
        is_on = st.toggle(words, settings[name] == "true", help=f"{SPECS[name].meaning}.", disabled=not may)
        values[name] = "true" if is_on else "false"
    st.caption(
        "What rules 2 to 4 support is united: exactly one account is mapped, several are a conflict. "
        "Similar names, subdomains and sister domains only suggest."
    )
    return values


def _ask_proofs(providers: list[ProviderView], *, may: bool) -> dict[int, bool]:
    """Say what of each provider counts as proof, and ask where only free text is known."""
    st.markdown("**What counts as a customer's domain, by provider**")
    chosen = {}
    for provider in providers:
        name, words = plain(short(provider.name)), PROOF_WORDS[provider.kind]
        if provider.kind in FREE_TEXT_KINDS:
            chosen[provider.id] = st.toggle(
                f"{name}: what is typed there is proof",
                provider.is_text_proof,
                help=f"{words} Off: it only suggests.",
                disabled=not may,
                key=f"proof-{provider.id}-{provider.is_text_proof}",
            )
        else:
            st.caption(f"{name}: {words}")
    return chosen


def _ask_policy(
    settings: Mapping[str, str], providers: list[ProviderView], *, may: bool
) -> tuple[dict[str, str], dict[int, Cardinality | None]]:
    st.markdown("**Policy and guards**")
    options = list(Cardinality)
    default = st.selectbox(
        "How many may share a CRM account",
        options,
        options.index(Cardinality(settings["cardinality"])),
        format_func=CARDINALITY_WORDS.__getitem__,
        disabled=not may,
    )
    exceptions = _ask_exceptions(providers, may=may)
    threshold = st.number_input(
        "A domain is shared from this many accounts on (0: never)",
        0,
        1_000_000,
        int(settings["shared_threshold"]),
        help=f"{SPECS['shared_threshold'].meaning}.",
        disabled=not may,
    )
    guard = st.number_input(
        "A sync stops and asks when more than this percentage would be gone",
        0,
        100,
        int(settings["gone_guard_percent"]),
        disabled=not may,
    )
    values = _ask_guards(settings, may=may)
    values |= {"cardinality": default.value, "shared_threshold": str(threshold), "gone_guard_percent": str(guard)}
    return values, exceptions


def _ask_guards(settings: Mapping[str, str], *, may: bool) -> dict[str, str]:
    st.markdown("**Guards: what is left to a person though a rule would map it**")
    chosen = {}
    for guard, meaning in GUARD_MEANINGS.items():
        name = f"guard_{guard}"
        is_on = st.toggle(
            REASON_WORDS[Reason(guard.value)], settings[name] == "true", help=f"{meaning}.", disabled=not may
        )
        chosen[name] = "true" if is_on else "false"
    return chosen


def _ask_syncs(settings: Mapping[str, str], *, may: bool) -> dict[str, str]:
    st.markdown("**Syncs of Partner Center**")
    is_on = st.toggle(
        "Between full syncs read only what the audit records name",
        settings["change_feed"] == "true",
        help="Fewer calls. What customers change in their own tenant is then seen at the next full sync only.",
        disabled=not may,
    )
    days = st.number_input("Days between full syncs", 1, 89, int(settings["full_sync_days"]), disabled=not may)
    return {"change_feed": "true" if is_on else "false", "full_sync_days": str(days)}


def _ask_exceptions(providers: list[ProviderView], *, may: bool) -> dict[int, Cardinality | None]:
    options: list[Cardinality | None] = [None, *Cardinality]
    chosen = {}
    for provider in providers:
        chosen[provider.id] = st.selectbox(
            f"Exception for {plain(short(provider.name))}",
            options,
            options.index(Cardinality(provider.cardinality) if provider.cardinality else None),
            format_func=lambda value: CARDINALITY_WORDS[value] if value else _DEFAULT,
            disabled=not may,
            key=f"exception-{provider.id}-{provider.cardinality}",
        )
    return chosen


def _send(context: PageContext, settings: Mapping[str, str], providers: list[ProviderView], entered: _Entered) -> None:
    changed = {name: text for name, text in entered.settings.items() if settings[name] != text}
    known = {provider.id: Cardinality(provider.cardinality) if provider.cardinality else None for provider in providers}
    exceptions = {key: value for key, value in entered.cardinalities.items() if known[key] != value}
    names = {provider.id: provider.name for provider in providers}
    trusted = {provider.id: provider.is_text_proof for provider in providers}
    proofs = {key: value for key, value in entered.text_proofs.items() if trusted[key] != value}
    lines = [f"{say_setting(name)}: {say_value(settings[name])} → {say_value(text)}" for name, text in changed.items()]
    lines += [
        f"Exception for {names[key]}: {_policy(known[key])} → {_policy(value)}" for key, value in exceptions.items()
    ]
    lines += [f"What is typed at {names[key]} {_PROVES[value]}" for key, value in proofs.items()]
    propose_change(context, PendingChange(settings=changed, cardinalities=exceptions, text_proofs=proofs), lines)


def _policy(value: Cardinality | None) -> str:
    return CARDINALITY_WORDS[value] if value else _DEFAULT.lower()

"""The accounts beside a provider account: the mapped one, candidates side by side, lookup results, rejected ones."""

from __future__ import annotations

import streamlit as st

from w365.api.rows import is_offered
from w365.matching.messages import ORIGIN_WORDS, say_drift
from w365.model import Drift, Origin
from w365.service.deciding import mapping
from w365.service.reading.records import AccountView
from w365.store.reading.account_hits import Hit
from w365.ui.deciding.record.decide import Decider, Work
from w365.ui.deciding.record.subscription_words import say_loss
from w365.ui.deciding.record.words import Fact, compare_account
from w365.ui.frame.account_search import search_crm
from w365.ui.frame.links import link_to_account
from w365.ui.frame.wording import plain, short

_BESIDE = 3


def show_mapped(decider: Decider, account: AccountView) -> None:
    row = decider.record.row
    origin = f" ({ORIGIN_WORDS[Origin(row.origin)]})" if row.origin else ""
    st.markdown(f"**Mapped to**{origin}")
    with st.container(border=True):
        _show_account(decider, account)
        if drift := say_drift(row.drift):
            st.warning(drift)
        if decider.may and (loss := say_loss(row.subscriptions, row.seats)):
            st.caption(loss)
        with st.container(horizontal=True):
            if row.drift in (Drift.ELSEWHERE, Drift.UNSUPPORTED):
                decider.button("Keep this mapping", "keep", decider.accept(account.hit.account_id), kind="primary")
            link_to_account(decider.context, account.hit.account_id)
            decider.button("Clear mapping", "clear", lambda seen: mapping.clear_mapping(*decider.whose, seen=seen))


def show_candidates(decider: Decider) -> None:
    """Show the candidates beside each other, the likeliest first; more, and those of a mapped row, on demand."""
    candidates = decider.record.candidates
    if decider.record.mapped is not None:
        _show_more(decider, candidates, "Other candidates")
        return
    st.markdown("**Candidates**")
    if not candidates:
        st.caption("None. Look the account up below, or create it.")
        return
    _show_beside(decider, candidates[:_BESIDE], is_first=True)
    _show_more(decider, candidates[_BESIDE:], "More candidates")


def _show_more(decider: Decider, candidates: tuple[AccountView, ...], label: str) -> None:
    if not candidates:
        return
    with st.expander(f"{label}: {len(candidates)}"):
        for start in range(0, len(candidates), _BESIDE):
            _show_beside(decider, candidates[start : start + _BESIDE], is_first=False)


def show_lookup(decider: Decider) -> None:
    """Search the whole CRM as one types."""
    if not decider.may:
        return
    row = decider.record.row.id
    hits = search_crm(decider.context, "Another account", decider.key("lookup"), row=row)
    if hits == []:
        st.caption("No account found.")
    for hit in hits or ():
        show_hit(decider, hit, f"found-{hit.account_id}", "Accept")


def show_hit(decider: Decider, hit: Hit, key: str, label: str) -> None:
    """Show an account in one line with a button that maps to it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{plain(hit.name)}**{_warning(hit)}  \n:gray[:small[{plain(hit.about)}]]")
        is_mapped = hit.account_id == decider.record.row.account_id
        decider.button("Mapped" if is_mapped else label, key, decider.accept(hit.account_id), disabled=is_mapped)


def show_rejected(decider: Decider) -> None:
    if not decider.record.rejected:
        return
    with st.expander(f"Rejected accounts: {len(decider.record.rejected)}", key=f"rejected-{decider.record.row.id}"):
        for account in decider.record.rejected:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"**{plain(account.hit.name)}**  \n:gray[:small[{plain(account.hit.about)}]]")
                key = f"unreject-{account.hit.account_id}"
                decider.button("Take back", key, _take_back(decider, account.hit.account_id))


def _show_beside(decider: Decider, accounts: tuple[AccountView, ...], *, is_first: bool) -> None:
    for index, (column, account) in enumerate(zip(st.columns(_BESIDE), accounts, strict=False)):
        # The buttons stand side by side at the bottom, however much is said of each account.
        with column, st.container(border=True, height="stretch", vertical_alignment="distribute"):
            with st.container():
                _show_account(decider, account)
            _show_verdicts(
                decider, account.hit.account_id, is_first=is_first and index == 0 and is_offered(account.hit)
            )


def _show_verdicts(decider: Decider, account: int, *, is_first: bool) -> None:
    with st.container(horizontal=True):
        decider.button(
            "Accept", f"accept-{account}", decider.accept(account), kind="primary" if is_first else "secondary"
        )
        decider.button("Not this", f"reject-{account}", decider.reject(account))


def _show_account(decider: Decider, account: AccountView) -> None:
    score = "" if account.hit.score is None else f" · {account.hit.score:.2f}"
    name, *facts = compare_account(decider.record, account)
    differs = " :orange-badge[name differs]" if name.differs else ""
    st.markdown(f"**{plain(short(name.value, 120))}**{score}{differs}{_warning(account.hit)}")
    lines = [_line(fact) for fact in facts]
    reasons = dict.fromkeys((*account.evidence, *account.hit.reasons))
    st.markdown("  \n".join(lines + [f":small[{plain(reason)}]" for reason in reasons]))


def _line(fact: Fact) -> str:
    text = f":gray[{fact.label}] {plain(short(fact.value, 160))}"
    return f"{text} :orange-badge[differs]" if fact.differs else text


def _warning(hit: Hit) -> str:
    if not hit.is_active:
        return " :orange-badge[inactive]"
    return f" :orange-badge[used by {plain(short(hit.used_by))}]" if hit.used_by else ""


def _take_back(decider: Decider, account: int) -> Work:
    return lambda seen: mapping.take_back_rejection(*decider.whose, account, seen=seen)

"""The Sample audit page: draw mappings of Auto-Match, judge them one by one, read how precise all of them are."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.errors import W365Error
from w365.model import Role
from w365.service.auditing.samples import (
    MOST,
    draw_sample,
    estimate_precision,
    judge_pair,
    list_audits,
    list_judged,
    next_item,
)
from w365.store.auditing.samples import AuditVerdict, AuditView, SampledMapping
from w365.ui.frame import pages
from w365.ui.frame.first_steps import is_beginning
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import report_errors, show_refusals
from w365.ui.frame.wording import counted, local_zone, number, percent, plain, short

VERDICT_WORDS: Mapping[AuditVerdict, str] = {
    AuditVerdict.RIGHT: "Right",
    AuditVerdict.WRONG: "Wrong",
    AuditVerdict.UNSURE: "Unsure",
}
_KEYS: Mapping[AuditVerdict, str] = {AuditVerdict.RIGHT: "1", AuditVerdict.WRONG: "2", AuditVerdict.UNSURE: "3"}
_CHOSEN = "audit_chosen"


@st.fragment
def show_audit(context: PageContext) -> None:
    with report_errors():
        if is_beginning(context):
            return
        audits = {audit.id: audit for audit in list_audits(context.service, context.actor)}
        if not audits:
            st.markdown(
                "How many of the automatic mappings are right? Draw some of them at random and judge each without "
                "being told why it was mapped. Judging changes no mapping."
            )
        _show_draw(context, is_first=not audits)
        if not audits:
            return
        chosen = st.selectbox(
            "Sample", list(audits), format_func=lambda audit_id: _say_audit(audits[audit_id]), key=_CHOSEN, width=560
        )
        audit = audits[chosen or next(iter(audits))]
        _show_result(audit)
        with st.container():  # one place for what comes and goes, so that what is below is not drawn twice meanwhile
            _show_item(context, audit)
        _show_wrong(context, audit)


def _show_draw(context: PageContext, *, is_first: bool) -> None:
    if context.actor.role < Role.ANALYST:
        return
    with (
        st.expander("Draw a sample", expanded=is_first),
        st.form("audit-draw", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        size = st.number_input("How many", 1, MOST, 50, width=130)
        seed = st.number_input("Seed", 0, 2**31 - 1, 1, width=160, help="The same seed draws the same sample again.")
        stratified = st.checkbox("From each rule its share", value=True)
        if st.form_submit_button("Draw", type="primary"):
            _draw(context, int(size), int(seed), stratified=stratified)


def _draw(context: PageContext, size: int, seed: int, *, stratified: bool) -> None:
    with show_refusals():
        drawn = draw_sample(context.service, context.actor, size, seed=seed, stratified=stratified)
        st.session_state.pop(_CHOSEN, None)  # the list begins with the new one
        st.toast(f"Sample {drawn} was drawn.")
        st.rerun(scope="fragment")


def _say_audit(audit: AuditView) -> str:
    when = f"{audit.at.astimezone(local_zone()):%Y-%m-%d %H:%M}"
    how = "by rule" if audit.is_stratified else "simple"
    return f"{audit.id} · {when} · {number(audit.size)} of {number(audit.population)}, {how}, seed {audit.seed}"


def _show_result(audit: AuditView) -> None:
    estimate = estimate_precision(audit)
    bounds = f"95 % interval {percent(estimate.low)} to {percent(estimate.high)}" if estimate else "nothing judged yet"
    left, middle, right = st.columns([3, 2, 3])
    left.metric(
        "Precision",
        percent(estimate.share if estimate else None),
        bounds,
        delta_color="off",
        delta_arrow="off",
        border=True,
    )
    middle.metric("Judged", f"{number(audit.judged)} of {number(audit.size)}", border=True, height="stretch")
    verdicts = f"{number(audit.right)} / {number(audit.wrong)} / {number(audit.unsure)}"
    right.metric("Right / wrong / unsure", verdicts, border=True, height="stretch")
    st.caption(
        "Precision is right ÷ (right + wrong); who is unsure is left out. The interval (Wilson) says where the "
        "precision of all automatic mappings lies in 95 of 100 such samples."
    )


def _show_item(context: PageContext, audit: AuditView) -> None:
    item = next_item(context.service, context.actor, audit.id)
    if item is None:
        st.success("Every row of this sample is judged.")
        return
    st.subheader(f"Is this the same company? ({number(item.place)} of {number(audit.size)})", anchor=False)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        _show_side("Customer", item.customer, _customer_facts(item))
    with right, st.container(border=True, height="stretch"):
        _show_side("CRM account", item.account, _account_facts(item))
    if context.actor.role >= Role.ANALYST:
        _show_verdicts(context, audit, item)


def _show_verdicts(context: PageContext, audit: AuditView, item: SampledMapping) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for verdict, words in VERDICT_WORDS.items():
            key = f"audit-{audit.id}-{item.place}-{verdict}"
            if st.button(words, key=key, shortcut=_KEYS[verdict]):
                _keep(context, audit, item.place, verdict)
        if item.place > 1 and st.button("Back to the last one", key=f"audit-back-{item.place}", type="tertiary"):
            _keep(context, audit, item.place - 1, None)


def _keep(context: PageContext, audit: AuditView, place: int, verdict: AuditVerdict | None) -> None:
    try:
        judge_pair(context.service, context.actor, audit.id, place, verdict)
    except W365Error as error:
        st.toast(plain(str(error)))
    st.rerun(scope="fragment")


def _show_side(label: str, name: str, facts: list[tuple[str, str]]) -> None:
    lines = [f":gray[{label}]  \n**{plain(short(name, 200))}**"]
    st.markdown("  \n".join(lines + [f":gray[{label}] {plain(short(value, 300))}" for label, value in facts if value]))


def _customer_facts(item: SampledMapping) -> list[tuple[str, str]]:
    return [
        ("Provider", item.provider),
        ("Id", item.specific_id),
        ("Country", item.country),
        ("Domains", ", ".join(item.domains)),
    ]


def _account_facts(item: SampledMapping) -> list[tuple[str, str]]:
    return [
        ("Account number", item.number),
        ("City", item.city),
        ("Country", item.account_country),
        ("Website", item.website.removeprefix("https://").removeprefix("http://").removeprefix("www.")),
        ("Domains", ", ".join(item.account_domains)),
    ]


def _show_wrong(context: PageContext, audit: AuditView) -> None:
    """What was judged wrong is corrected where mappings are decided."""
    if not audit.wrong:
        return
    with st.expander(f"Judged wrong: {counted(audit.wrong, 'mapping')}"):
        for item in list_judged(context.service, context.actor, audit.id, AuditVerdict.WRONG):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"{plain(short(item.customer, 80))} → {plain(short(item.account, 80))}", width="stretch")
                st.page_link(
                    pages.PROVIDER_ACCOUNTS.path,
                    label=":primary[Open to decide]",
                    query_params={"status": "all", "text": item.specific_id},
                )

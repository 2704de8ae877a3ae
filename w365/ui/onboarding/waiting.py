"""What waits: onboardings that broke off, and tenants that were asked and did not appear yet."""

from __future__ import annotations

import streamlit as st

from w365.model import Role
from w365.service.onboarding.create import finish_onboarding, give_up, list_open
from w365.service.onboarding.relationships import forget_expected, list_awaited
from w365.store.onboarding.created_customers import OnboardingView, State
from w365.store.onboarding.expected_customers import ExpectedView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.page_frame import say_next_time, show_error, show_refusals
from w365.ui.frame.wording import ago, plain, short
from w365.ui.onboarding.first_password import attempt_of, forget_attempt, is_busy, try_once

_STATES = {
    State.ASKED: "Whether it was created is not known",
    State.CREATED: "Created, not mapped",
}


def show_waiting(context: PageContext) -> None:
    attempt = attempt_of(context.actor)
    if attempt and attempt.error and not attempt.texts:  # the form says its own
        show_error(attempt.error)
        forget_attempt()
    if unfinished := list_open(context.service, context.actor):
        st.markdown("**Not finished**")
        for onboarding in unfinished:
            _show_unfinished(context, onboarding)
    if awaited := list_awaited(context.service, context.actor):
        st.markdown("**Awaited: tenants that were asked and did not appear yet**")
        for expected in awaited:
            _show_awaited(context, expected)


def _show_unfinished(context: PageContext, onboarding: OnboardingView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        facts = (
            onboarding.domain,
            onboarding.provider,
            f"for {onboarding.account}",
            f"by {onboarding.actor}",
            ago(onboarding.at, context.service.clock()),
        )
        about = plain(" · ".join(facts))
        state = f"{_STATES[onboarding.state]}. {onboarding.remark}".strip()
        text = f"**{plain(short(onboarding.name, 80))}**  \n:small[{plain(state)}]  \n:gray[:small[{about}]]"
        st.markdown(text, width="stretch")
        if context.actor.role < Role.ANALYST:
            return
        if st.button("Finish", type="primary", key=f"finish-{onboarding.id}", disabled=is_busy(context.actor)):
            _finish(context, onboarding)
        if st.button("Give up", key=f"give-up-{onboarding.id}"):
            _give_up(context, onboarding)


def _finish(context: PageContext, onboarding: OnboardingView) -> None:
    with st.spinner("Looking for the customer"):
        try_once(
            context.actor,
            onboarding.account_crm_id,
            {},
            lambda: finish_onboarding(context.service, context.actor, onboarding.id),
        )
    st.rerun()


def _give_up(context: PageContext, onboarding: OnboardingView) -> None:
    with show_refusals():
        give_up(context.service, context.actor, onboarding.id)
        say_next_time(f"The onboarding of {plain(onboarding.name)} was given up.")
        st.rerun()


def _show_awaited(context: PageContext, expected: ExpectedView) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        facts = (
            expected.tenant,
            expected.provider,
            f"asked by {expected.actor}",
            ago(expected.at, context.service.clock()),
        )
        about = plain(" · ".join(facts))
        waits = f"  \n:small[{plain(expected.remark)}]" if expected.remark else ""
        st.markdown(f"**{plain(short(expected.account, 80))}**{waits}  \n:gray[:small[{about}]]", width="stretch")
        if context.actor.role >= Role.ANALYST and st.button("Forget", key=f"forget-{expected.id}"):
            _forget(context, expected)


def _forget(context: PageContext, expected: ExpectedView) -> None:
    with show_refusals():
        forget_expected(context.service, context.actor, expected.id)
        st.rerun()

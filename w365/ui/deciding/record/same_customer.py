"""Where else the customer of a record is: the rows of other providers, and what they are mapped to."""

from __future__ import annotations

import streamlit as st

from w365.matching.messages import STATUS_WORDS
from w365.service.reading.same_customer import list_twins
from w365.store.reading.same_customer import Twin
from w365.ui.deciding.record.decide import Decider
from w365.ui.frame.wording import plain


def show_twins(decider: Decider) -> None:
    twins = list_twins(*decider.whose)
    if not twins:
        return
    with st.container(gap="xsmall"):
        for twin in twins:
            st.markdown(f"{plain(say_twin(twin))}  \n:gray[:small[{plain(say_why(twin))}]]")


def say_twin(twin: Twin) -> str:
    standing = f"mapped to {twin.account}" if twin.account else STATUS_WORDS[twin.status].lower()
    return f"Also at {twin.provider}, {standing}"


def say_why(twin: Twin) -> str:
    return f"{twin.name} ({twin.specific_id}): " + (f"both have {twin.by}" if twin.by else "the same Microsoft tenant")

"""The half of the Import page for mappings that exist already."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from w365.model import RunKind
from w365.service.importing.choices import MAPPINGS
from w365.service.importing.mapping_plan import FIELDS, PROVIDER, USUALLY, PlannedLine, Verdict
from w365.service.importing.mappings import TARGET, MappingChoice, MappingsPreview
from w365.service.importing.previews import look_at_mappings
from w365.service.importing.runs import request_mappings_import
from w365.service.syncing.providers import list_providers
from w365.store.runs import RunView
from w365.ui.frame.page_context import PageContext
from w365.ui.frame.runs import say_result
from w365.ui.frame.wording import counted, number
from w365.ui.importing.crm import ask_crm, offer_crm
from w365.ui.importing.file import ChosenFile, ask_file, ask_hidden, begin_import, look_at_file, show_errors, show_last

_WORDS: Mapping[Verdict, str] = {
    Verdict.MAP: "to map",
    Verdict.AGAINST: "against the evidence",
    Verdict.SAME: "mapped so already",
    Verdict.DIFFERENT: "mapped to another account",
    Verdict.REJECTED: "rejected",
    Verdict.SET_ASIDE: "excluded or parked",
    Verdict.BREACH: "against the policy",
    Verdict.EMPTY: "without an account",
}
_ALWAYS = (Verdict.MAP, Verdict.SAME)
_SECTIONS: tuple[tuple[Verdict, str, str, str], ...] = (
    (
        Verdict.AGAINST,
        "The evidence supports another account",
        "The evidence supports",
        "Map them as the file says",
    ),
    (
        Verdict.DIFFERENT,
        "Mapped to another account now",
        "Mapped now to",
        "Map them as the file says, in the place of what they are mapped to",
    ),
    (Verdict.REJECTED, "Rejected by a person", "Rejected by", "Map them all the same"),
    (Verdict.SET_ASIDE, "Excluded or parked", "Now", "Map them all the same"),
    (Verdict.BREACH, "The policy allows one link only", "The account belongs to", ""),
)


def show_mapping_import(context: PageContext) -> None:
    st.caption("Which customer is which account, as you know it already: each line maps one provider account.")
    chosen = ask_crm(context) or ask_file(context, "mappings", FIELDS, MAPPINGS)
    if chosen is None:
        offer_crm(context)
        show_last(context, RunKind.MAPPING_IMPORT, TARGET, _say_done)
        return
    choice = MappingChoice(_ask_provider(context, chosen), _chosen_verdicts())
    preview = look_at_file(
        chosen, choice, lambda: look_at_mappings(context.service, context.actor, chosen.upload, chosen.places, choice)
    )
    if preview is not None:
        _show_preview(context, chosen, choice, preview)


def _ask_provider(context: PageContext, chosen: ChosenFile) -> str:
    """Ask of which provider the lines are, where no column says it."""
    names = [provider.name for provider in list_providers(context.service, context.actor)]
    if PROVIDER in chosen.places or len(names) == 1:
        return ""
    return st.selectbox("The file does not name the provider. All lines are of", names, width=320) or ""


def _key(verdict: Verdict) -> str:
    return f"import-take-{verdict}"


def _chosen_verdicts() -> frozenset[Verdict]:
    """What the boxes below say; they are drawn after what depends on them."""
    offered = [verdict for verdict, _, _, label in _SECTIONS if label]
    return frozenset(verdict for verdict in offered if st.session_state.get(_key(verdict), verdict in USUALLY))


def _show_preview(context: PageContext, chosen: ChosenFile, choice: MappingChoice, preview: MappingsPreview) -> None:
    counts = preview.counts
    amounts = [
        f"{number(counts[verdict])} {words}"
        for verdict, words in _WORDS.items()
        if counts[verdict] or verdict in _ALWAYS
    ]
    amounts.append(f"{number(preview.bad_lines)} with errors")
    st.markdown(f"**{counted(preview.lines, 'line')}:** {' · '.join(amounts)}")
    ask_hidden(chosen, preview.hidden)
    if preview.errors:
        show_errors(context, preview.errors)
    for section in _SECTIONS:
        _show_section(preview, *section)
    leave_out = bool(preview.errors) and st.checkbox(f"Leave out {counted(preview.bad_lines, 'line')} with errors")
    stays = not preview.mapped or (bool(preview.errors) and not leave_out)
    if st.button(f"Import {counted(preview.mapped, 'mapping')}", type="primary", disabled=stays):
        _run(context, chosen, MappingChoice(choice.provider, choice.take, leave_out))


def _show_section(preview: MappingsPreview, verdict: Verdict, title: str, against: str, label: str) -> None:
    amount = preview.counts[verdict]
    if not amount:
        return
    st.markdown(f"**{title} ({number(amount)})**")
    rows = [_row(line, against) for line in preview.shown if line.verdict is verdict]
    st.dataframe(rows, hide_index=True, alt=title, height=min(35 * len(rows) + 38, 220))
    if amount > len(rows):
        st.caption(f"The first {number(len(rows))} are shown.")
    if label:
        st.checkbox(label, key=_key(verdict), value=verdict in USUALLY)


def _row(line: PlannedLine, against: str) -> dict[str, str | int]:
    return {
        "Line": line.line,
        "Provider account": line.provider_account,
        "Provider": line.provider,
        "The file says": line.account,
        against: line.other,
    }


def _run(context: PageContext, chosen: ChosenFile, choice: MappingChoice) -> None:
    begin_import(
        context,
        lambda: request_mappings_import(context.service, context.actor, chosen.upload, chosen.places, choice),
    )


def _say_done(run: RunView) -> str:
    return f"{say_result(run).capitalize()}. They are run {run.id} on the Activity page."

"""How a run of a page ends where Streamlit's `stop` and `rerun` would lose what was typed. It knows their insides."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import RerunData, RerunException, StopException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext


def end_emptied() -> NoReturn:
    """End the run of a page that shows next to nothing, so that what was sent from the page before still counts.

    A part of a page that is asked for waits until the page is drawn: `st.stop` would drop it with all that was typed,
    and drawn it would have no place. So the parts that are gone draw the whole page anew.
    """
    run = _run()
    parts = run.fragment_storage
    for gone in parts.ids_registered_after(-1) - run.shared.new_fragment_ids.snapshot():
        parts.register(gone, st.rerun)
    raise StopException


def leave_as_drawn(part: str) -> NoReturn:
    """End the run with nothing taken from the page and nothing more put on it, but for one of its parts, by its key.

    Streamlit takes away what a run did not draw, unless that run ended for another to begin. Its own `rerun` names a
    part in callbacks only, so this asks for the run as that does.
    """
    run = _run()
    raise RerunException(
        RerunData(
            query_string=run.query_string,
            page_script_hash=run.page_script_hash,
            fragment_id_queue=run.fragment_storage.resolve_target(part),
            is_fragment_scoped_rerun=True,
            cached_message_hashes=run.cached_message_hashes,
            context_info=run.context_info,
        )
    )


def _run() -> ScriptRunContext:
    run = get_script_run_ctx()
    if run is None:
        raise RuntimeError("a page is drawn in a run of Streamlit's")
    return run

"""A tab of the app without a browser: Streamlit's websocket, the widgets that a page showed, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

_WIDGET = re.compile(r'"(\$\$ID-[0-9a-f]{32}-([A-Za-z0-9_-]+))"')
_PATIENCE_SECONDS = 120


class Tab:
    """A page that somebody looks at."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._place, self._query = "", ""
        self._states: dict[str, WidgetState] = {}
        self._widgets: dict[str, tuple[str, str]] = {}
        """By their key: the id, and the fragment that it stands in."""
        self._token, self._errors = "", list[str]()

    def open(self, place: str, query: str = "") -> None:
        """Go to a page as by a click in the navigation, and wait until it is drawn."""
        self._place, self._query = place, query
        self._states.clear()
        self._widgets.clear()
        self._run("")

    def set(self, key: str, **value: Any) -> None:
        """Set a widget, and wait until its part of the page is drawn anew."""
        if key not in self._widgets:
            raise SystemExit(f"There is no widget {key} among {sorted(self._widgets)}.")
        widget_id, fragment = self._widgets[key]
        self._states[widget_id] = WidgetState(id=widget_id, **value)
        self._run(fragment)

    def token(self) -> str:
        """The grid's token that the page was given."""
        return self._token

    def refuse_errors(self, place: str) -> None:
        """Raise unless the last run showed no error."""
        if self._errors:
            raise SystemExit(f"{place}: {self._errors[0]}")

    def _run(self, fragment: str) -> None:
        begin = BackMsg()
        asked = begin.rerun_script
        asked.page_name, asked.query_string, asked.fragment_id = self._place, self._query, fragment
        asked.context_info.timezone, asked.context_info.color_scheme = "Europe/Berlin", "light"
        asked.widget_states.widgets.extend(self._states.values())
        self._socket.send(begin.SerializeToString())
        self._errors.clear()
        while True:
            message = self._socket.recv(timeout=_PATIENCE_SECONDS)
            assert isinstance(message, bytes)
            if self._read(message):
                return

    def _read(self, message: bytes) -> bool:
        """Note the widgets of a message; return whether it is the last of a run."""
        forward = ForwardMsg.FromString(message)
        if forward.HasField("delta"):
            for widget_id, key in _WIDGET.findall(str(forward.delta)):
                self._widgets[key] = (widget_id, forward.delta.fragment_id)
            if token := re.search(rb'"token": ?"([^"]+)"', message):
                self._token = token[1].decode()
            if forward.delta.new_element.alert.body:
                self._note(forward.delta.new_element.alert.body)
        if forward.page_info_changed.query_string:
            self._query = forward.page_info_changed.query_string
        return forward.WhichOneof("type") == "script_finished" and forward.script_finished in _LAST

    def _note(self, text: str) -> None:
        if "nobody foresaw" in text or "still starting" in text:
            self._errors.append(text)


_LAST = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


@contextmanager
def opened(url: str, cookie: str) -> Iterator[Tab]:
    """Open a websocket to the app, with the cookie that it gave."""
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(
        address,
        origin=url,  # type: ignore[arg-type] - a name of the type alone
        subprotocols=["streamlit"],  # type: ignore[list-item] - likewise
        additional_headers={"Cookie": cookie},
        compression=None,
        proxy=None,
        max_size=None,
    ) as socket:
        yield Tab(socket)

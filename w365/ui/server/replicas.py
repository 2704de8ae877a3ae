"""Streamlit where several replicas stand behind one address, and a browser's next request may come to another.

A page lives in the replica that holds its websocket. What the page hands out or takes in by requests of their own,
files to download and uploads, is kept in the database too; there any replica answers for it. With SQLite there is one
app, and nothing is shared.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit import config
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryFile, MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.cache_storage_manager_config import create_default_cache_storage_manager

from w365.service import Service
from w365.service.shared_files import fetch_file, forget_shared_file, share_file
from w365.ui.frame import app_runtime


def share_files(app: st.App, script: str, on_error: Callable[[Exception], bool | None]) -> None:
    """Let an app keep its files where every replica finds them; call it before the app is served.

    This makes its runtime, which it would make itself when it is asked for the first time. Components are known from
    the start: by itself a replica knows one when a page there first shows it, and is asked for it by pages elsewhere.
    """
    uploads = _Uploads("/_stcore/upload_file")
    runtime = _Runtime(
        RuntimeConfig(
            script_path=script,
            media_file_storage=_Media("/media"),
            uploaded_file_manager=uploads,
            cache_storage_manager=create_default_cache_storage_manager(),
            is_hello=False,
            session_storage=MemorySessionStorage(ttl_seconds=config.get_option("server.disconnectedSessionTTL")),
            on_script_error=on_error,
        )
    )
    uploads.runtime = app._runtime = runtime  # noqa: SLF001 - it offers no other way, and takes one that is there
    _register_components(runtime)


def _register_components(runtime: Runtime) -> None:
    told = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    level = told.level
    told.setLevel(logging.ERROR)  # or it warns that no page is under way
    try:
        for module in _WITH_COMPONENTS:
            runtime.component_registry.register_component(importlib.import_module(module).COMPONENT)
    finally:
        told.setLevel(level)


_WITH_COMPONENTS = ("w365.ui.reading.grid.component", "w365.ui.frame.keyboard")
"""Modules with a component, as ``COMPONENT``. By itself Streamlit registers one when a page imports it."""


class _Runtime(Runtime):
    def is_active_session(self, session_id: str) -> bool:
        """Take uploads also for pages of other replicas: nothing else asks this."""
        return self.has_session(session_id) or _sharing() is not None

    def has_session(self, session_id: str) -> bool:
        return super().is_active_session(session_id)


class _Media(MemoryMediaFileStorage):
    def load_and_get_id(
        self, path_or_data: str | bytes, mimetype: str, kind: MediaFileKind, filename: str | None = None
    ) -> str:
        file_id = super().load_and_get_id(path_or_data, mimetype, kind, filename)
        if service := _sharing():
            file = super().get_file(file_id)
            share_file(service, _media(file_id), file.content, {"type": mimetype, "kind": kind.value, "name": filename})
        return file_id

    def get_file(self, filename: str) -> MemoryFile:
        try:
            return super().get_file(filename)
        except MediaFileStorageError:
            service = _sharing()
            kept = fetch_file(service, _media(filename.partition(".")[0])) if service else None
            if kept is None:
                raise
            about, content = kept
            return MemoryFile(content, about["type"], MediaFileKind(about["kind"]), about["name"])


class _Uploads(MemoryUploadedFileManager):
    """A file that comes to a replica without its page is kept for that, which takes it at its next run."""

    runtime: _Runtime

    def add_file(self, session_id: str, file: UploadedFileRec) -> None:
        service = _sharing()
        if service is None or self.runtime.has_session(session_id):
            super().add_file(session_id, file)
        else:
            share_file(service, _upload(session_id, file.file_id), file.data, {"name": file.name, "type": file.type})

    def get_files(self, session_id: str, file_ids: Sequence[str]) -> list[UploadedFileRec]:
        here = {file.file_id for file in super().get_files(session_id, file_ids)}
        for file_id in file_ids:
            if file_id not in here and (service := _sharing()):
                self._take(service, session_id, file_id)
        return super().get_files(session_id, file_ids)

    def _take(self, service: Service, session_id: str, file_id: str) -> None:
        name = _upload(session_id, file_id)
        if kept := fetch_file(service, name):
            about, content = kept
            super().add_file(session_id, UploadedFileRec(file_id, about["name"], about["type"], content))
            forget_shared_file(service, name)


def _sharing() -> Service | None:
    """The service, where there may be other replicas."""
    service = app_runtime.opened_service()
    return None if service is None or service.store.is_sqlite else service


def _media(file_id: str) -> str:
    return f"media/{file_id}"


def _upload(session_id: str, file_id: str) -> str:
    return f"upload/{session_id}/{file_id}"

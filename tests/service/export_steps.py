"""Downloads, made in memory."""

from __future__ import annotations

import io

from w365.model import Actor
from w365.service import Service
from w365.service.exporting import FileRequest, Format, Subject, write_requested


def download(service: Service, actor: Actor, subject: Subject, form: Format) -> bytes:
    """Make a file of everything there is about a subject."""
    buffer = io.BytesIO()
    write_requested(service, actor, FileRequest((subject,), form), buffer)
    return buffer.getvalue()

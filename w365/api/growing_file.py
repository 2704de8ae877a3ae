"""A file that one thread writes and another sends while it grows."""

from __future__ import annotations

import io
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO, cast

_log = logging.getLogger(__name__)

_IN_MEMORY = 8 * 2**20
_PART = 256 * 1024
_PATIENCE = 1.0


class Abandoned(OSError):
    """Nobody waits for the file any more; its writer ends with this."""


class GrowingFile(io.RawIOBase):
    """Bytes are only appended and read from the start on. What exceeds some megabytes lies on the disk, without a name.

    The writer never waits for the reader, so that a slow connection holds no state of the database open.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        super().__init__()
        self._file = cast("IO[bytes]", tempfile.SpooledTemporaryFile(in_memory))  # noqa: SIM115 - closed in `discard`
        self._changed = threading.Condition()
        self._size = 0
        self._is_whole = False
        self._is_discarded = False
        self._failure: BaseException | None = None

    # --- the writer's side ---

    def fill(self, write: Callable[[BinaryIO], object]) -> None:
        """Let `write` write the file; what it raises is kept for the reader."""
        try:
            write(cast("BinaryIO", self))
        except Abandoned:
            return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the file is read
            # Whoever reads is told nothing more once something is sent.
            _log.warning("a file broke off after %d bytes", self._size, exc_info=error)
            self._end(error)
        else:
            self._end(None)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, part: object) -> int:
        data = bytes(cast("bytes", part))
        with self._changed:
            if self._is_discarded:
                raise Abandoned
            self._file.seek(self._size)
            self._file.write(data)
            self._size += len(data)
            self._changed.notify_all()
        return len(data)

    def _end(self, failure: BaseException | None) -> None:
        with self._changed:
            self._failure, self._is_whole = failure, failure is None
            self._changed.notify_all()

    # --- the reader's side ---

    def await_start(self, patience: float = _PATIENCE) -> None:
        """Wait for the end, but not longer than some moments once there is something; raise what went wrong.

        Until then nothing was sent, so that it can be said in words.
        """
        with self._changed:
            self._changed.wait_for(self._is_over, patience)
            self._changed.wait_for(lambda: self._size or self._is_over())
            if self._failure is not None:
                raise self._failure

    def parts(self) -> Iterator[bytes]:
        """Give what is there and what comes, to the end; raise what went wrong, so that no part passes for a whole."""
        sent = 0
        while part := self._next(sent):
            sent += len(part)
            yield part

    def _next(self, sent: int) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._size > sent or self._is_over())
            if self._is_discarded:
                raise Abandoned
            if self._size > sent:
                self._file.seek(sent)
                return self._file.read(_PART)
            if self._failure is not None:
                raise self._failure
            return b""

    def _is_over(self) -> bool:
        return self._is_whole or self._is_discarded or self._failure is not None

    def discard(self) -> None:
        """Give the space back; a writer that is still at it ends at its next part."""
        with self._changed:
            self._is_discarded = True
            self._file.close()
            self._changed.notify_all()

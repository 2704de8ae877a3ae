"""A file is sent while it is written, whole or recognisably not, and its space is given back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest

from w365.api.growing_file import Abandoned, GrowingFile
from w365.errors import StoreError


class Writer:
    """Writes what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.steps: list[threading.Event] = [threading.Event(), threading.Event()]
        self.ended: BaseException | None = None

    def __call__(self, file: BinaryIO) -> None:
        try:
            file.write(b"one ")
            self.steps[0].wait(10)
            file.write(b"two ")
            self.steps[1].wait(10)
            file.write(b"three")
        except OSError as error:
            self.ended = error
            raise


@contextmanager
def writing(file: GrowingFile, writer: Writer) -> Iterator[None]:
    thread = threading.Thread(target=file.fill, args=(writer,))
    thread.start()
    yield
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("in_memory", [2, 1_000])
def test_what_is_written_is_read_before_the_rest_is_there(in_memory: int) -> None:
    file, writer = GrowingFile(in_memory), Writer()
    with writing(file, writer):
        file.await_start(0.0)
        parts = file.parts()
        assert next(parts) == b"one "
        writer.steps[0].set()
        assert next(parts) == b"two "
        writer.steps[1].set()
        assert list(parts) == [b"three"]
    file.discard()


def test_a_discarded_file_ends_its_writer() -> None:
    file, writer = GrowingFile(2), Writer()
    with writing(file, writer):
        file.await_start(0.0)
        file.discard()
        writer.steps[0].set()
    assert isinstance(writer.ended, Abandoned)
    with pytest.raises(Abandoned):
        list(file.parts())


@pytest.mark.parametrize("before", [b"", b"some"])
def test_a_failure_is_raised_where_the_file_is_read(before: bytes) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(before)
        raise StoreError("The disk is full.")

    file = GrowingFile()
    file.fill(fail)
    with pytest.raises(StoreError):
        file.await_start()
    with pytest.raises(StoreError, match="The disk is full"):
        list(file.parts())
    file.discard()


def test_a_file_without_content_ends() -> None:
    file = GrowingFile()
    file.fill(lambda _: None)
    file.await_start()
    assert list(file.parts()) == []
    file.discard()

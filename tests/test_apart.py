"""A call in a process of its own: its answer and its refusals come back, and it takes no more than it may."""

from __future__ import annotations

import math
import operator
import os
import time

import pytest

from w365.apart import Bounds, call_apart
from w365.errors import InputError
from w365.sheets import describe_table, open_sheet


def test_the_answer_comes_from_another_process() -> None:
    assert call_apart(operator.add, 2, 3) == 5
    assert call_apart(os.getpid) != os.getpid()


def test_what_else_is_printed_is_no_answer() -> None:
    assert call_apart(print, "a line") is None


def test_a_refusal_comes_back_whole() -> None:
    with pytest.raises(InputError) as here:
        open_sheet("a.csv", b"")
    with pytest.raises(InputError) as there:
        call_apart(describe_table, "a.csv", b"")
    assert (str(there.value), vars(there.value)) == (str(here.value), vars(here.value))


def test_what_takes_too_much_memory_is_a_sentence() -> None:
    assert len(call_apart(bytearray, 1 << 20)) == 1 << 20
    with pytest.raises(InputError, match="more than 512 MB of memory"):
        call_apart(bytearray, 1 << 30, bounds=Bounds(memory=512 << 20))


def test_what_takes_too_much_processor_time_is_a_sentence() -> None:
    with pytest.raises(InputError, match="or 1 seconds"):
        call_apart(math.factorial, 10**9, bounds=Bounds(processor=1))


def test_what_takes_too_long_is_a_sentence() -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match="takes more than"):
        call_apart(time.sleep, 3600, bounds=Bounds(patience=0.2))
    assert time.monotonic() - began < 60


def test_what_breaks_is_told_with_where() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)Traceback.*ZeroDivisionError"):
        call_apart(operator.truediv, 1, 0)

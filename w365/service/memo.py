"""The latest answer to a question that is dear to ask, as long as what it depends on is the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from w365.store.db.engine import Store

T = TypeVar("T")


class Remembered(Generic[T]):
    """One answer a database. It is asked again as soon as the state it was given for is another one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: WeakKeyDictionary[Store, tuple[int, T]] = WeakKeyDictionary()

    def at(self, store: Store, state: int, ask: Callable[[], T]) -> T:
        """Give the answer for this state, where it has to be asked by `ask`."""
        with self._lock:
            known = self._answers.get(store)
        if known is not None and known[0] == state:
            return known[1]
        answer = ask()
        with self._lock:
            self._answers[store] = (state, answer)
        return answer

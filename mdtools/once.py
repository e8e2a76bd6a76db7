"""What several measurements of one run have in common is made once: inside `kept`, under what it depends on. Outside nothing is kept."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

__all__ = ["kept", "made"]

T = TypeVar("T")
_store: contextvars.ContextVar[dict[Hashable, Any] | None] = contextvars.ContextVar("once", default=None)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Inside, what `made` makes is kept until the end.

    >>> with kept():
    ...     first = made("a", lambda: [1])
    ...     first is made("a", lambda: [2])
    True
    """
    token = _store.set({})
    try:
        yield
    finally:
        _store.reset(token)


def made(key: Hashable, make: Callable[[], T], *, enough: Callable[[T], bool] = lambda found: True) -> T:
    """What is kept under a key, where it is enough; else what is made now. Of two threads that want the same the second waits for the first."""
    store = _store.get()
    if store is None:
        return make()
    with store.setdefault((threading.RLock, key), threading.RLock()):
        if key not in store or not enough(store[key]):
            store[key] = make()
        found: T = store[key]
        return found

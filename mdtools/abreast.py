"""Calls that need not wait for each other, two at a time: while one is compiled, or works on a single core, the other has the rest.

Each is made as it would be here: with the same settings of this thread (memory, progress, device). One after the other where there is a
single core, an accelerator, which one measurement fills, or several processes, which must add up their sums in one order.
"""

import contextvars
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from mdtools import memory, progress, shares

__all__ = ["all_of"]

TOGETHER = 2


def all_of(calls: Sequence[Callable[[], None]]) -> None:
    """Make all calls. The first exception is raised, and so is an interrupt: what has not begun is left, what is under way ends where it next
    says how far it has come.

    >>> done = []
    >>> all_of([lambda: done.append(1), lambda: done.append(2)])
    >>> sorted(done)
    [1, 2]
    """
    from mdtools.analyses.devices import chosen, platform

    if len(calls) < 2 or memory.cores() < 2 or shares.count() > 1 or platform() != "cpu":
        for call in calls:
            call()
        return
    stopped = threading.Event()
    pool = ThreadPoolExecutor(TOGETHER)
    try:
        made = [pool.submit(contextvars.copy_context().run, _made, call, stopped, chosen()) for call in calls]
        wait(made, return_when=FIRST_EXCEPTION)
        if stopped.is_set():
            wait(made)  # the one that went wrong may end after those that it stopped
        for one in made:
            if not isinstance(one.exception(), _Stopped):
                one.result()
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


class _Stopped(BaseException):
    """Raised where a call that nobody waits for any more says how far it is."""


def _made(call: Callable[[], None], stopped: threading.Event, device: object) -> None:
    import jax

    def unless_stopped() -> None:
        if stopped.is_set():
            raise _Stopped

    try:
        unless_stopped()
        with progress.watched(unless_stopped), memory.shared(TOGETHER), jax.default_device(device):
            call()
    except BaseException:
        stopped.set()  # here, before this thread takes the next call
        raise

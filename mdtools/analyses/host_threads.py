"""Pieces of one measurement on the cores of the host, one thread each: a scan of XLA runs on a single core."""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import jax

from mdtools.memory import cores

__all__ = ["PIECES", "in_float64", "in_turn", "pieces", "platform"]

PIECES = 16  # into which work is cut, whatever the number of cores, so that sums do not depend on the machine
T = TypeVar("T")
Item = TypeVar("Item")


def platform() -> str:
    """Where JAX computes: "cpu", or an accelerator."""
    device = _device()
    return jax.default_backend() if device is None or isinstance(device, str) else str(device.platform)


def in_turn(items: Iterable[Item], work: Callable[[Item], T]) -> Iterator[tuple[Item, T]]:
    """Each item and what work makes of it with 64-bit JAX, in their order. At most two items a core are under way or waiting."""
    device, number = _device(), cores() if platform() == "cpu" else 1  # both switches are of the thread

    def made(item: Item) -> T:
        with jax.enable_x64(True), jax.default_device(device):
            return work(item)

    if number == 1:
        yield from ((item, made(item)) for item in items)
        return
    waiting: collections.deque[tuple[Item, Future[T]]] = collections.deque()
    with ThreadPoolExecutor(number) as pool:
        for item in items:
            waiting.append((item, pool.submit(made, item)))
            if len(waiting) > 2 * number:
                first, found = waiting.popleft()
                yield first, found.result()
        for first, found in waiting:
            yield first, found.result()


def _device() -> Any:
    """The device that `jax.default_device` has chosen, or None."""
    return getattr(jax.config, "jax_default_device")  # noqa: B009  (jax makes its attributes as it runs)


def in_float64(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each call returns, in order, each made with 64-bit JAX (its switch is one of the thread)."""
    device, number = _device(), min(cores(), len(calls))

    def made(call: Callable[[], T]) -> T:
        with jax.enable_x64(True), jax.default_device(device):
            return jax.block_until_ready(call())

    if number == 1:
        return [made(call) for call in calls]
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(made, calls))


def pieces(n: int) -> tuple[int, int]:
    """Number and size of the equal pieces that n things are cut into on this kind of device: (1, n) on an accelerator.

    >>> pieces(125), pieces(17)
    ((16, 8), (9, 2))
    """
    size = -(-n // PIECES) if jax.default_backend() == "cpu" else n
    return -(-n // size), size

"""Pieces of one measurement go to places: the GPUs of this process, its forced host devices, or the cores of a processor.

A scan of XLA runs on a single core, so a processor is as many places as this process has cores, one thread each; every other device
is one place with two threads: one sends its piece there while that of the other is computed. Pieces are summed on the host, in their
order, whoever made them: within a piece the sums are those of a scan, in place.
"""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import jax

from mdtools import memory, shares

__all__ = ["PIECES", "block_bytes", "chosen", "evenly", "in_turn", "pieces", "places", "platform", "split"]

PIECES = 16  # into which work is cut, whatever the number of cores, so that sums do not depend on the machine
T = TypeVar("T")
Item = TypeVar("Item")


def platform() -> str:
    """Where JAX computes: "cpu", or an accelerator."""
    return str(places(each_core=False)[0].platform)


def chosen() -> Any:
    """What `jax.default_device` has chosen in this thread: a device, the name of a platform, or None."""
    return getattr(jax.config, "jax_default_device")  # noqa: B009  (jax makes its attributes as it runs)


def places(*, each_core: bool = True) -> list[Any]:
    """Devices that pieces go to: the one that `jax.default_device` has chosen, all of the platform that it names, or all of this process.

    A lone processor stands there once for each core, or once where XLA uses all its cores by itself.
    """
    one = chosen()
    found = jax.local_devices() if one is None else jax.local_devices(backend=one) if isinstance(one, str) else [one]
    return found * (memory.cores() if each_core and len(found) == 1 and found[0].platform == "cpu" else 1)


def block_bytes() -> int:
    """Bytes that one block of an analysis may take, copies included: as `memory.block`, less where an accelerator has not four times that free.

    It holds two blocks at once, that which is computed and that which is sent, and leaves half of what is free to results. A power of
    two of what is free is taken, so that blocks seldom change their shape, for which there would be another compilation. Several processes,
    which must cut alike, take no notice of what is free.
    """
    if shares.count() > 1:
        return memory.block()
    told = [one.memory_stats() for one in places(each_core=False) if one.platform != "cpu"]
    free = [max(one["bytes_limit"] - one["bytes_in_use"], memory.SMALLEST) for one in told if one]
    return min([memory.block(), *(2 ** (one.bit_length() - 1) // 4 for one in free)])


def split(block: int, n: int) -> int:
    """Size of blocks of n things, at most `block`, of which every process and device has one."""
    return min(block, -(-n // (shares.count() * len(places(each_core=False)))))


def evenly(n: int, most: int) -> int:
    """Size of the parts, of at most so many, into which n things go with the fewest places left empty.

    >>> evenly(102, 32)
    26
    """
    return -(-n // -(-n // max(1, most)))


def in_turn(items: Iterable[Item], work: Callable[[Item], T], *, each_core: bool = True) -> Iterator[tuple[Item, T]]:
    """Each item and what work makes of it with 64-bit JAX, in their order. At most two items a place, and one, are under way or waiting.

    On processors there is a thread more than places, which makes its item ready while the others wait for theirs to be computed; an
    accelerator has two, of which one sends its item while that of the other is computed.
    """
    there = places(each_core=each_core)

    def made(item: Item, place: Any) -> T:
        with jax.enable_x64(True), jax.default_device(place):  # both switches are of the thread
            return jax.block_until_ready(work(item))

    on_processor = there[0].platform == "cpu"
    if len(there) == 1 and on_processor:
        yield from ((item, made(item, there[0])) for item in items)
        return
    waiting: collections.deque[tuple[Item, Future[T]]] = collections.deque()
    with ThreadPoolExecutor(len(there) + 1 if on_processor else 2 * len(there)) as pool:
        for k, item in enumerate(items):
            waiting.append((item, pool.submit(made, item, there[k % len(there)])))
            if len(waiting) > 2 * len(there):
                first, found = waiting.popleft()
                yield first, found.result()
        for first, found in waiting:
            yield first, found.result()


def pieces(n: int, least: int = 1) -> tuple[int, int]:
    """Number and size of the equal pieces that n things are cut into: 16 on processors, fewer where one would be smaller than `least`, one
    for each accelerator.

    >>> pieces(125), pieces(17), pieces(17, 5)
    ((16, 8), (9, 2), (4, 5))
    """
    most = PIECES if platform() == "cpu" else len(places())
    size = max(-(-n // most), min(least, n))
    return -(-n // size), size

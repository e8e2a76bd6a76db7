"""Pieces of one measurement on the cores of the host, one thread each: a scan of XLA runs on a single core."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import jax

__all__ = ["PIECES", "in_float64", "pieces"]

PIECES = 16  # into which work is cut, whatever the number of cores, so that sums do not depend on the machine
T = TypeVar("T")


def in_float64(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each call returns, in order, each made with 64-bit JAX (its switch is one of the thread)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def made(call: Callable[[], T]) -> T:
        with jax.enable_x64(True):
            return jax.block_until_ready(call())

    if min(cores, len(calls)) == 1:
        return [made(call) for call in calls]
    with ThreadPoolExecutor(min(cores, len(calls))) as pool:
        return list(pool.map(made, calls))


def pieces(n: int) -> tuple[int, int]:
    """Number and size of the equal pieces that n things are cut into on this kind of device: (1, n) on an accelerator.

    >>> pieces(125), pieces(17)
    ((16, 8), (9, 2))
    """
    size = -(-n // PIECES) if jax.default_backend() == "cpu" else n
    return -(-n // size), size

"""Blocks of one shape, put together of pieces as they lie on disk, each read once and while the last is worked on."""

import contextvars
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from mdtools import memory, shares

__all__ = ["blocks_of", "share"]

Piece = tuple[int, tuple[Any, ...]]  # where it begins, and what was read


def share(n: int, block: int) -> tuple[int, int]:
    """First and last (excluded) of n atoms or frames that this process visits: whole blocks."""
    first, last = shares.mine(-(-n // block))
    return min(first * block, n), min(last * block, n)


def blocks_of(
    stored: Sequence[Any], start: int, stop: int, block: int, *, pick: Callable[[np.ndarray], np.ndarray] = lambda values: values
) -> Iterator[tuple[int, int, tuple[np.ndarray, ...]]]:
    """First, last (excluded) and values, of each that is stored, of every block of frames, or of atoms of `Histories`.

    Every block has one shape, so that there is one compilation: the last is padded by repeating its last frame or atom.
    pick : what is wanted of a block, before it is padded.
    """
    cuts = _cuts(start, stop, block, stored)
    pieces = _read_ahead(lambda first, last: tuple(one[first:last] for one in stored), cuts, stored)
    held: list[Piece] = []
    end = start
    for first in range(start, stop, block):
        last = min(first + block, stop)
        while end < last:
            held.append(next(pieces))
            end = held[-1][0] + len(held[-1][1][0])
        held = [one for one in held if one[0] + len(one[1][0]) > first]
        parts = [[values[max(first - begin, 0) : last - begin] for values in all_of] for begin, all_of in held]
        whole = (np.asarray(one[0]) if len(one) == 1 else np.concatenate(one) for one in zip(*parts, strict=True))
        yield first, last, tuple(_padded(pick(one), block) for one in whole)


def _padded(values: np.ndarray, block: int) -> np.ndarray:
    lacking = block - len(values)
    return np.concatenate([values, *[values[-1:]] * lacking]) if lacking else values  # in the order of memory that it has


def _cuts(start: int, stop: int, block: int, stored: Sequence[Any]) -> list[tuple[int, int]]:
    """First and last (excluded) of the pieces that are read at once: whole chunks of what lies on disk, so that none is read twice.

    block : frames or atoms in a block, which may lie in two pieces.
    """
    if all(isinstance(one, np.ndarray) for one in stored):
        return [(start, stop)] if start < stop else []  # nothing is copied
    if start < stop <= start + block:
        return [(start, stop)]  # the only block is handed on as it was read
    each = max(int(np.prod(one.shape[1:])) * np.dtype(one.dtype).itemsize for one in stored)
    # four of them are there: two that a block lies in, one that is read meanwhile, and one that takes its place
    most = max(1, memory.block() // (4 * each))
    chunk = max(1 if isinstance(one, np.ndarray) else one.chunk() for one in stored)
    if chunk > 2 * most:
        chunk = 1  # such chunks are read twice rather than held
    unit = chunk if block % chunk or start % chunk else block  # of blocks of whole chunks, a piece is handed on as it was read
    size = unit * max(1, most // unit)
    first = start // chunk * chunk
    return [(max(start, one), min(one + size, stop)) for one in range(first, stop, size)]


def _read_ahead(read: Callable[[int, int], tuple[Any, ...]], cuts: list[tuple[int, int]], stored: Sequence[Any]) -> Iterator[Piece]:
    """What is read between each two cuts, in order; from disk, the next piece is read while the last is worked on."""
    if all(isinstance(one, np.ndarray) for one in stored) or len(cuts) < 2:
        yield from ((first, read(first, last)) for first, last in cuts)
        return
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(contextvars.copy_context().run, functools.partial(read, *cuts[0]))
        for (begin, _), (first, last) in itertools.pairwise(cuts):
            here = coming.result()
            coming = reader.submit(contextvars.copy_context().run, functools.partial(read, first, last))
            yield begin, here
        del here
        yield cuts[-1][0], coming.result()

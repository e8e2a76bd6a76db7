"""Blocks of one shape, put together of pieces as they lie on disk, each read once and while the last is worked on."""

import contextvars
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from mdtools import memory, shares
from mdtools.lazy import Lazy

__all__ = ["blocks_of", "share"]

Piece = tuple[int, tuple[Any, ...]]  # where it begins, and what was read


def share(n: int, block: int) -> tuple[int, int]:
    """First and last (excluded) of n atoms or frames that this process visits: whole blocks."""
    first, last = shares.mine(-(-n // block))
    return min(first * block, n), min(last * block, n)


def blocks_of(stored: Sequence[Any], start: int, stop: int, block: int, *, axis: int) -> Iterator[tuple[int, int, tuple[np.ndarray, ...]]]:
    """First, last (excluded) and values, of each that is stored, of every block along an axis: 0 for frames, 1 for atoms.

    Every block has one shape, so that there is one compilation: the last is padded by repeating its last frame or atom.
    """
    cuts = _cuts(start, stop, block, stored, axis=axis)
    pieces = _read_ahead(lambda first, last: tuple(_part(one, first, last, axis) for one in stored), cuts, stored)
    held: list[Piece] = []
    end = start
    for first in range(start, stop, block):
        last = min(first + block, stop)
        while end < last:
            held.append(next(pieces))
            end = held[-1][0] + held[-1][1][0].shape[axis]
        held = [one for one in held if one[0] + one[1][0].shape[axis] > first]
        parts = [[_part(values, max(first - begin, 0), last - begin, axis) for values in all_of] for begin, all_of in held]
        whole = (np.asarray(one[0]) if len(one) == 1 else np.concatenate(one, axis=axis) for one in zip(*parts, strict=True))
        yield first, last, tuple(_padded(one, block, axis) for one in whole)


def _part(values: Any, first: int, last: int, axis: int) -> Any:
    return values[first:last] if axis == 0 else values[:, first:last]


def _padded(values: np.ndarray, block: int, axis: int) -> np.ndarray:
    lacking = block - values.shape[axis]
    return np.pad(values, [(0, lacking if one == axis else 0) for one in range(values.ndim)], mode="edge") if lacking else values


def _cuts(start: int, stop: int, block: int, stored: Sequence[Any], *, axis: int) -> list[tuple[int, int]]:
    """First and last (excluded) of the pieces that are read at once: whole chunks of what lies on disk, so that none is read twice.

    block : frames or atoms in a block, which may lie in two pieces.
    """
    if all(isinstance(one, np.ndarray) for one in stored):
        return [(start, stop)] if start < stop else []  # nothing is copied
    each = max(one.shape[1 - axis] * 3 * np.dtype(one.dtype).itemsize for one in stored)
    # four of them are there: two that a block lies in, one that is read meanwhile, and one that takes its place
    most = max(1, memory.block() // (4 * each))
    chunk = max(one.chunk(axis) if isinstance(one, Lazy) else 1 for one in stored)
    if chunk > 2 * most:
        chunk = 1  # such chunks are read twice rather than held
    size = max(1, most // chunk) * chunk if chunk > 1 else block * max(1, most // block)
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

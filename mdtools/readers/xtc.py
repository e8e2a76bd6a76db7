"""The packed positions of an XTC file, compiled. Every read is checked against the end of the frame, so that damage is found, not followed.

Positions are whole numbers of 1/precision nm. An atom is three of them, packed into as few bits as their ranges allow; after it
may come a run of neighbours as small differences, of which the first is exchanged with the atom (good for water). Ranges of the
differences grow and shrink along the file by thirds of a bit. Format: the XDR library of GROMACS.
"""

from typing import Any

import numpy as np

from mdtools.readers.compiled import compiled

__all__ = ["unpack", "width_of"]

_FIRST = 9  # smallest range that is used
# ranges of differences: a third of a bit more each, rounded down; three entries are what the library has, not what they should be
_RANGES = np.array([0] * _FIRST + [int(2 ** (k / 3) + 1e-9) for k in range(_FIRST, 73)], dtype=np.int64)
_RANGES[[37, 57, 69]] = 5060, 524287, 8388607


def width_of(sizes: list[int]) -> tuple[int, np.ndarray]:
    """Bits of three numbers packed together (0 where a range is too wide for that), and of each alone."""
    alone = np.array([size.bit_length() for size in sizes], dtype=np.int64)
    if max(sizes) > 0xFFFFFF:
        return 0, alone
    product = sizes[0] * sizes[1] * sizes[2]
    return product.bit_length(), alone


@compiled
def _bits(data, at, number):
    """An unsigned number of so many bits that begins at a bit; the caller has checked the end."""
    value, have, place = np.int64(0), 8 - (at & 7), at >> 3
    value = np.int64(data[place]) & ((1 << have) - 1)
    while have < number:
        place += 1
        value = (value << 8) | np.int64(data[place])
        have += 8
    return np.uint64(value >> (have - number))


@compiled
def _three(data, at, width, sizes, out, digits):
    """Three numbers that are packed as one: sum of bytes, lowest first, the last of them with the bits that are left."""
    if width <= 63:
        # fits one machine number, which saves the division byte by byte
        value: Any = np.uint64(0)
        shift: Any = np.uint64(0)
        while width > 0:
            taken = min(width, 8)
            value |= _bits(data, at, taken) << shift
            shift += np.uint64(8)
            at += taken
            width -= taken
        for axis in (2, 1):
            size = np.uint64(sizes[axis])
            rest = value // size
            out[axis] = np.int64(value - rest * size)
            value = rest
        out[0] = np.int64(value)
        return
    n_bytes = 0
    while width > 0:
        taken = min(width, 8)
        digits[n_bytes] = np.int64(_bits(data, at, taken))
        at += taken
        width -= taken
        n_bytes += 1
    for axis in (2, 1):
        rest = np.int64(0)
        for place in range(n_bytes - 1, -1, -1):
            rest = (rest << 8) | digits[place]
            digits[place] = rest // sizes[axis]
            rest -= digits[place] * sizes[axis]
        out[axis] = rest
    first = np.int64(0)
    for place in range(min(n_bytes, 4) - 1, -1, -1):
        first = (first << 8) | digits[place]
    out[0] = first


@compiled
def unpack(data, width, alone, sizes, low, step, out):
    """Fill out[atom, 3] with whole numbers; whether the frame could be followed to its last atom.

    data : bytes of the frame. width, alone : from `width_of(sizes)`. sizes, low : range and smallest number of each
    axis. step : index of the first range of differences.
    """
    n_atoms, end = out.shape[0], 8 * len(data)
    now, before = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    near, digits = np.zeros(3, dtype=np.int64), np.zeros(16, dtype=np.int64)
    if step < _FIRST or step >= len(_RANGES):
        return False
    half = _RANGES[step] // 2
    smaller = _RANGES[max(_FIRST, step - 1)] // 2
    at, atom = 0, 0
    run: Any = 0
    full = width if width > 0 else alone[0] + alone[1] + alone[2]
    while atom < n_atoms:
        if at + full + 1 > end:
            return False
        if width > 0:
            _three(data, at, width, sizes, now, digits)
        else:
            begin = at
            for axis in range(3):
                now[axis] = np.int64(_bits(data, begin, alone[axis]))
                begin += alone[axis]
        at += full
        for axis in range(3):
            now[axis] += low[axis]
        change = 0
        changed = _bits(data, at, 1)
        at += 1
        if changed:
            if at + 5 > end:
                return False
            run = np.int64(_bits(data, at, 5))
            at += 5
            change = run % 3 - 1
            run -= run % 3
        near[:] = _RANGES[step]
        before[:] = now
        followers = run // 3
        if atom + 1 + followers > n_atoms or at + followers * step > end:
            return False
        if followers == 0:
            out[atom] = now
            atom += 1
        for follower in range(followers):
            _three(data, at, step, near, now, digits)
            at += step
            for axis in range(3):
                now[axis] += before[axis] - half
            if follower == 0:
                # the first neighbour stands before the atom it belongs to
                out[atom] = now
                out[atom + 1] = before
                atom += 2
                for axis in range(3):
                    now[axis], before[axis] = before[axis], now[axis]
            else:
                before[:] = now
                out[atom] = now
                atom += 1
        step += change
        if step < _FIRST - 1 or step >= len(_RANGES):
            return False
        if change < 0:
            half = smaller
            smaller = _RANGES[step - 1] // 2 if step > _FIRST else 0
        elif change > 0:
            smaller = half
            half = _RANGES[step] // 2
        if atom < n_atoms and step < _FIRST:
            return False
    return True

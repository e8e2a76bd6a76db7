"""The last pass over a block of frames, compiled: unwrapped, thinned, converted and rounded to what is kept, each number touched once."""

import numpy as np

from mdtools.readers.compiled import compiled

__all__ = ["first_beyond", "follow", "settle"]


@compiled
def first_beyond(values, limit):
    """(frame, atom) of the first number that is none, or not smaller than `limit`; (-1, -1) where there is none. values : (frame, atom, any)."""
    for frame in range(values.shape[0]):
        bad = False
        for atom in range(values.shape[1]):
            for axis in range(values.shape[2]):
                bad |= not abs(values[frame, atom, axis]) < limit
        if bad:
            for atom in range(values.shape[1]):
                for axis in range(values.shape[2]):
                    if not abs(values[frame, atom, axis]) < limit:
                        return frame, atom
    return -1, -1


@compiled
def settle(values, shift, factor, start, stride, out):
    """out[k] = (values[start + k stride] - shift) factor. values : (frame, atom, 3). shift : (atom, 3)."""
    for k in range(out.shape[0]):
        frame = start + k * stride
        for atom in range(values.shape[1]):
            for axis in range(3):
                out[k, atom, axis] = (values[frame, atom, axis] - shift[atom, axis]) * factor


@compiled
def follow(scaled, last, images, shift, periodic, start, stride, out):
    """As `settle`, along the images that are nearest to the frame before; returns the largest step.

    last, images : (atom, 3) position in the frame before as it was stored, and the whole cells that are between it and the
    path; both are carried on to the last frame. periodic : (3,) 1 or 0. Whole cells are counted, so no error adds up.
    """
    longest = 0.0
    for frame in range(scaled.shape[0]):
        k = (frame - start) // stride
        kept = frame >= start and (frame - start) % stride == 0
        for atom in range(scaled.shape[1]):
            for axis in range(3):
                here = scaled[frame, atom, axis]
                step = here - last[atom, axis]
                jump = np.rint(step) * periodic[axis]
                longest = max(longest, abs(step - jump))
                images[atom, axis] += jump
                last[atom, axis] = here
                if kept:
                    out[k, atom, axis] = here - images[atom, axis] - shift[atom, axis]
    return longest

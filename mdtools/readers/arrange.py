"""Rows of atoms in any order to arrays in the order of ids, compiled: one pass over memory for each array."""

import numpy as np

from mdtools.readers.compiled import compiled

__all__ = ["DUPLICATE", "FOREIGN", "order_of_rows", "take", "take_scaled"]

FOREIGN, DUPLICATE = 1, 2


@compiled
def order_of_rows(found, ids, order):
    """Fill order[frame, atom] with the row that holds the atom: (0, 0, 0), or (FOREIGN or DUPLICATE, frame, id).

    found : (frame, row) ids as numbers of the file. ids : (atom,) sorted.
    """
    n_atoms = len(ids)
    places = np.arange(n_atoms)
    for frame in range(found.shape[0]):
        order[frame, :] = -1
        for row in range(n_atoms):
            value = found[frame, row]
            # most often where the row before stood one frame ago, or ids without gaps; else by bisection
            place = places[row]
            if ids[place] != value:
                place = int(value) - ids[0]
                if place < 0 or place >= n_atoms or ids[place] != value:
                    place = np.searchsorted(ids, value)
                    if place >= n_atoms or ids[place] != value:
                        return FOREIGN, frame, int(value)
                places[row] = place
            if order[frame, place] >= 0:
                return DUPLICATE, frame, int(value)
            order[frame, place] = row
    return 0, 0, 0


@compiled
def take(table, order, column, out):
    """out[frame, atom, :] = the columns from `column` on, atoms in order."""
    for frame in range(out.shape[0]):
        for atom in range(out.shape[1]):
            row = order[frame, atom]
            for axis in range(out.shape[2]):
                out[frame, atom, axis] = table[frame, row, column + axis]


@compiled
def take_scaled(table, order, column, origin, inverse, out):
    """As `take`, for Cartesian positions r to scaled ones: (r - origin) H^-1."""
    for frame in range(out.shape[0]):
        for atom in range(out.shape[1]):
            row = order[frame, atom]
            x = table[frame, row, column] - origin[frame, 0]
            y = table[frame, row, column + 1] - origin[frame, 1]
            z = table[frame, row, column + 2] - origin[frame, 2]
            for axis in range(3):
                out[frame, atom, axis] = x * inverse[frame, 0, axis] + y * inverse[frame, 1, axis] + z * inverse[frame, 2, axis]

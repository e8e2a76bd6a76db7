"""Rows of atoms in any order to arrays in the order of ids, compiled: one pass over memory for each array."""

import numpy as np

from mdtools.readers.compiled import compiled

__all__ = ["CHANGED", "DUPLICATE", "FOREIGN", "order_of_rows", "take", "take_scaled", "take_sum"]

FOREIGN, DUPLICATE, CHANGED = 1, 2, 3


@compiled
def order_of_rows(table, column, ids, kinds, first, order):
    """Fill order[frame, atom] with the row that holds the atom: (0, 0, 0.0), or (FOREIGN, DUPLICATE or CHANGED, frame, id).

    table : (frame, row, column) numbers of the file, ids in `column`. ids : (atom,) sorted. kinds : columns that must
    be in every frame what they are in `first` (atom, kind).
    """
    n_atoms = len(ids)
    places = np.arange(n_atoms)
    for frame in range(table.shape[0]):
        order[frame, :] = -1
        for row in range(n_atoms):
            value = table[frame, row, column]
            # most often where the row before stood one frame ago, or ids without gaps; else by bisection
            place = places[row]
            if ids[place] != value:
                if not -9e15 < value < 9e15:  # NaN or beyond whole numbers: never made an index
                    return FOREIGN, frame, value
                place = int(value) - ids[0]
                if place < 0 or place >= n_atoms or ids[place] != value:
                    place = np.searchsorted(ids, value)
                    if place >= n_atoms or ids[place] != value:
                        return FOREIGN, frame, value
                places[row] = place
            if order[frame, place] >= 0:
                return DUPLICATE, frame, value
            order[frame, place] = row
            for kind in range(len(kinds)):
                if table[frame, row, kinds[kind]] != first[place, kind]:
                    return CHANGED, frame, value
    return 0, 0, 0.0


@compiled
def take(table, order, columns, out):
    """out[frame, atom, :] = these columns, atoms in order."""
    for frame in range(out.shape[0]):
        for atom in range(out.shape[1]):
            row = order[frame, atom]
            for axis in range(out.shape[2]):
                out[frame, atom, axis] = table[frame, row, columns[axis]]


@compiled
def take_sum(table, order, columns, images, out):
    """As `take`, with the columns of the image flags added."""
    for frame in range(out.shape[0]):
        for atom in range(out.shape[1]):
            row = order[frame, atom]
            for axis in range(out.shape[2]):
                out[frame, atom, axis] = table[frame, row, columns[axis]] + table[frame, row, images[axis]]


@compiled
def take_scaled(table, order, columns, images, origin, inverse, out):
    """As `take`, for Cartesian positions r to scaled ones: (r - origin) H^-1, and the image flags where there are any."""
    for frame in range(out.shape[0]):
        for atom in range(out.shape[1]):
            row = order[frame, atom]
            x = table[frame, row, columns[0]] - origin[frame, 0]
            y = table[frame, row, columns[1]] - origin[frame, 1]
            z = table[frame, row, columns[2]] - origin[frame, 2]
            for axis in range(3):
                out[frame, atom, axis] = x * inverse[frame, 0, axis] + y * inverse[frame, 1, axis] + z * inverse[frame, 2, axis]
            for axis in range(len(images)):
                out[frame, atom, axis] += table[frame, row, images[axis]]

"""Wave vectors that fit into a supercell, in units of the reciprocal vectors of the primitive cell."""

import itertools

import numpy as np

from mdtools.errors import TrajectoryError

__all__ = ["commensurate", "is_half_reciprocal", "nearest_commensurate", "need_commensurate", "on_path"]


def commensurate(matrix: np.ndarray) -> np.ndarray:
    """Every q with `matrix` @ q whole, one of each pair q and -q, (q, 3) within (-1/2, 1/2], shortest components first.

    matrix : whole numbers, rows are the vectors of the supercell in those of the primitive cell.

    >>> commensurate(np.diag([2, 1, 1])).tolist()
    [[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]]
    """
    whole = np.rint(matrix).astype(np.int64)
    size = abs(round(np.linalg.det(whole)))
    adjugate = np.rint(np.linalg.inv(whole) * np.linalg.det(whole)).astype(np.int64) * round(np.sign(np.linalg.det(whole)))
    edges = _triangular_diagonal(whole)
    k = np.stack(np.meshgrid(*(np.arange(edge) for edge in edges), indexing="ij"), axis=-1).reshape(-1, 3)
    numerator = (k @ adjugate.T) % size  # q = numerator / size
    numerator = np.where(2 * numerator > size, numerator - size, numerator)
    opposite = np.where(2 * -numerator <= -size, -numerator + size, -numerator)
    # of q and -q the one whose first nonzero component is positive
    first = np.array([tuple(a) >= tuple(b) for a, b in zip(numerator.tolist(), opposite.tolist(), strict=True)])
    kept = np.unique(numerator[first], axis=0)
    order = np.lexsort((*(-kept.T[::-1]), np.sum(kept**2, axis=1)))
    return np.asarray(kept[order] / size + 0.0)


def _triangular_diagonal(matrix: np.ndarray) -> list[int]:
    """Diagonal of the triangular form that whole-number column operations bring a matrix to."""
    work = matrix.copy()
    for row in range(3):
        while np.count_nonzero(work[row, row:]) > 1 or work[row, row] == 0:
            columns = row + np.flatnonzero(work[row, row:])
            pivot = columns[np.argmin(np.abs(work[row, columns]))]
            work[:, [row, pivot]] = work[:, [pivot, row]]
            for column in range(row + 1, 3):
                work[:, column] -= (work[row, column] // work[row, row]) * work[:, row]
    return [abs(int(work[k, k])) for k in range(3)]


def is_half_reciprocal(q: np.ndarray) -> bool:
    """Whether q and -q differ by a reciprocal vector, so that a mode has one real coordinate and not two."""
    return bool(np.all(np.abs(2 * q - np.rint(2 * q)) < 1e-6))


def nearest_commensurate(q: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The wave vector of the supercell that is nearest in units of its own reciprocal vectors."""
    return np.linalg.solve(matrix, np.rint(matrix @ q)) + 0.0


def need_commensurate(q: np.ndarray, matrix: np.ndarray, *, who: str) -> np.ndarray:
    """q, exactly commensurate. Raises TrajectoryError with the nearest that is."""
    near = nearest_commensurate(q, matrix)
    if np.abs(near - q).max() > 1e-4:
        words = ",".join(f"{x:.6g}" for x in near)
        raise TrajectoryError(
            f"{who}: q = {','.join(f'{x:g}' for x in q)} does not fit into the supercell {matrix.tolist()}; "
            f"the nearest that does is {words} (--q {words})"
        )
    return near


def on_path(corners: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Commensurate q on the straight segments between corners, in order, and how far along each lies (in segments).

    >>> on_path(np.array([[0, 0, 0], [0.5, 0, 0]]), np.diag([4, 1, 1]))[0][:, 0].tolist()
    [0.0, 0.25, 0.5]
    """
    found: list[np.ndarray] = []
    along: list[float] = []
    for number, (start, end) in enumerate(itertools.pairwise(corners)):
        span = matrix @ (end - start)
        steps = np.unique(np.concatenate([[0.0, 1.0], *_whole_crossings(matrix @ start, span)]))
        for t in steps:
            q = start + t * (end - start)
            if np.abs(nearest_commensurate(q, matrix) - q).max() < 1e-6 and not (found and np.abs(found[-1] - q).max() < 1e-6):
                found.append(nearest_commensurate(q, matrix))
                along.append(number + float(t))
    return np.array(found).reshape(-1, 3), np.array(along)


def _whole_crossings(start: np.ndarray, span: np.ndarray) -> list[np.ndarray]:
    """Where along a segment a component of matrix @ q is a whole number."""
    crossings = []
    for a, d in zip(start, span, strict=True):
        if abs(d) > 1e-9:
            low, high = sorted((a, a + d))
            crossings.append((np.arange(np.ceil(low - 1e-9), np.floor(high + 1e-9) + 1) - a) / d)
    return [np.clip(one, 0.0, 1.0) for one in crossings]

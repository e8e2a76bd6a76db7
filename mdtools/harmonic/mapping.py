"""Which site of which primitive cell each atom of a run belongs to, found from its mean positions and checked."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.harmonic.crystal import Crystal

__all__ = ["SiteMap", "mapped"]

STRAIN = 0.06  # by which the cell of the run may differ from that of the file: thermal expansion, another functional
REACH = 0.3  # of the shortest distance between sites, within which the mean position of an atom belongs to a site


@dataclass(frozen=True, eq=False)
class SiteMap:
    """A supercell of a primitive cell.

    matrix : whole numbers; the cell of the run is matrix @ cell of the crystal, strained and turned. rotation : (3, 3), from
    the axes of the crystal's file to those of the run (row vectors: v @ rotation). members : (basis, cell) atoms of the run, a
    row for each site of the primitive cell that is kept. cells : (basis, cell, 3) lattice vector of each in primitive vectors.
    kept : (kept basis,) their numbers in the primitive cell. sites : (atom, 3) perfect positions in vectors of the run's cell,
    in the image in which the atom is; NaN for atoms that are not mapped. dropped : label -> why it was not mapped.
    furthest : angstrom from its site of the mean position of a mapped atom.
    """

    matrix: np.ndarray
    rotation: np.ndarray
    members: np.ndarray
    cells: np.ndarray
    kept: np.ndarray
    sites: np.ndarray
    dropped: dict[str, str]
    furthest: float

    @property
    def n_cells(self) -> int:
        return int(self.members.shape[1])


def mapped(parts: np.ndarray, cell: np.ndarray, species: np.ndarray, symbols: np.ndarray, crystal: Crystal, *, source: str) -> SiteMap:
    """The mapping of a run to a primitive cell.

    parts : (part, atom, 3) mean positions over parts of the run, in vectors of `cell` (its mean), the frame of reference at
    rest. species : (atom,) labels, which are kept or dropped as a whole; symbols : (atom,) of the chemical elements.
    A label is dropped where its atoms do not fill the sites of its element one to one in every part (diffusing ions).
    Raises TrajectoryError where the cell is no supercell, or no label can be mapped.
    """
    shared = sorted(set(symbols.tolist()) & set(crystal.symbols))
    if not shared:
        raise TrajectoryError(
            f"{source} holds {', '.join(sorted(set(symbols.tolist())))}, and {crystal.source} {', '.join(sorted(set(crystal.symbols)))}"
        )
    best: tuple[tuple[int, float], SiteMap] | None = None
    for matrix in _supercells(cell, crystal.cell):
        for shift in _shifts(parts, matrix, cell, species, symbols, crystal):
            found = _assigned(parts, matrix, shift, cell, species, symbols, crystal)
            score = (found.members.size, -found.furthest)
            if best is None or score > best[0]:
                best = (score, found)
            if not found.dropped and found.furthest < 0.25 * REACH * crystal.shortest_distance:
                return found
    if best is None:
        raise TrajectoryError(
            f"the cell of {source} ({_lengths(cell)} angstrom) is no supercell of {crystal.source} ({_lengths(crystal.cell)}) within {STRAIN:.0%}"
        )
    if best[1].members.size == 0:
        why = "; ".join(f"{name}: {reason}" for name, reason in best[1].dropped.items())
        raise TrajectoryError(f"no species of {source} fills the sites of {crystal.source} ({why})")
    return best[1]


def _lengths(cell: np.ndarray) -> str:
    return " x ".join(f"{x:.4g}" for x in np.linalg.norm(cell, axis=1))


def _supercells(cell: np.ndarray, primitive: np.ndarray) -> Iterator[np.ndarray]:
    """Matrices of whole numbers whose lattice has the lengths and angles of the cell: as it lies first, then turned."""
    straight = np.rint(cell @ np.linalg.inv(primitive)).astype(int)
    apart = np.linalg.norm(straight @ primitive - cell, axis=1) / np.linalg.norm(cell, axis=1)
    if apart.max() < STRAIN and round(np.linalg.det(straight)) != 0:
        yield straight
    metric, lengths = cell @ cell.T, np.linalg.norm(cell, axis=1)
    most = np.ceil(1.1 * lengths.max() / _heights(primitive)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), axis=-1).reshape(-1, 3)
    size = np.linalg.norm(grid @ primitive, axis=1)
    near = [grid[np.abs(size / length - 1) < STRAIN] for length in lengths]
    near = [
        one[np.argsort(np.abs(np.linalg.norm(one @ primitive, axis=1) / length - 1), kind="stable")][:200]
        for one, length in zip(near, lengths, strict=True)
    ]
    found: list[tuple[float, np.ndarray]] = []
    for first in near[0][:24]:
        cosine = (near[1] @ primitive) @ (first @ primitive) / (lengths[0] * lengths[1])
        for second in near[1][np.abs(cosine - metric[0, 1] / (lengths[0] * lengths[1])) < STRAIN]:
            ends = near[2] @ primitive
            fits = (np.abs(ends @ (first @ primitive) - metric[0, 2]) < STRAIN * lengths[0] * lengths[2]) & (
                np.abs(ends @ (second @ primitive) - metric[1, 2]) < STRAIN * lengths[1] * lengths[2]
            )
            for third in near[2][fits]:
                matrix = np.array([first, second, third])
                if np.sign(np.linalg.det(matrix @ primitive)) == np.sign(np.linalg.det(cell)):
                    own = matrix @ primitive
                    found.append((float(np.abs(own @ own.T - metric).max()), matrix))
    found.sort(key=lambda one: one[0])
    yield from (matrix for _, matrix in found[:48])


def _heights(cell: np.ndarray) -> np.ndarray:
    """Distance between the two faces of a cell along each vector."""
    return 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def _shifts(parts: np.ndarray, matrix: np.ndarray, cell: np.ndarray, species: np.ndarray, symbols: np.ndarray, crystal: Crystal) -> list[np.ndarray]:
    """Translations (primitive vectors) that bring an atom of the label that moves least onto a site of its element."""
    mean = parts.mean(axis=0) @ matrix
    moved = np.linalg.norm((parts - parts.mean(axis=0)) @ cell, axis=-1).max(axis=0)
    labels = [name for name in dict.fromkeys(species.tolist()) if symbols[np.argmax(species == name)] in crystal.symbols]
    label = min(labels, key=lambda name: float(moved[species == name].max()))
    members = np.flatnonzero(species == label)
    steady = members[np.argmin(moved[members])]
    return [mean[steady] - crystal.scaled[j] for j in range(len(crystal.symbols)) if crystal.symbols[j] == symbols[steady]]


def _nearest(x: np.ndarray, sites: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of positions in primitive vectors: number of the nearest site, its lattice vector, and what is left (primitive vectors)."""
    apart = x[:, None] - sites[None]
    whole = np.rint(apart)
    left = apart - whole
    best = np.argmin(np.linalg.norm(left @ cell, axis=-1), axis=1)
    at = np.arange(len(x))
    return best, whole[at, best].astype(int), left[at, best]


def _assigned(
    parts: np.ndarray, matrix: np.ndarray, shift: np.ndarray, cell: np.ndarray, species: np.ndarray, symbols: np.ndarray, crystal: Crystal
) -> SiteMap:
    primitive = np.linalg.solve(matrix, cell)  # the primitive cell as the run has it
    reach = REACH * crystal.shortest_distance
    mean = parts.mean(axis=0) @ matrix
    n_cells = abs(round(np.linalg.det(matrix)))
    for _ in range(3):  # the first atom is off its site by its own thermal mean; the mean over all that fit is not
        offsets = []
        for symbol in set(symbols.tolist()) & set(crystal.symbols):
            of = np.flatnonzero(symbols == symbol)
            left = _nearest(mean[of] - shift, crystal.scaled[[k for k, s in enumerate(crystal.symbols) if s == symbol]], primitive)[2]
            offsets.append(left[np.linalg.norm(left @ primitive, axis=1) < reach])
        fitting = np.concatenate(offsets)
        if len(fitting):
            shift = shift + fitting.mean(axis=0)
    rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    sites = np.full((len(species), 3), np.nan)
    dropped: dict[str, str] = {}
    furthest = 0.0
    for symbol in dict.fromkeys(symbols.tolist()):
        of = np.flatnonzero(symbols == symbol)
        name = ", ".join(dict.fromkeys(species[of].tolist()))
        basis = np.flatnonzero(np.array(crystal.symbols) == symbol)
        if len(basis) * n_cells != len(of):
            dropped[name] = f"{len(of)} atoms for {len(basis) * n_cells} sites" if len(basis) else "no site in the primitive cell"
            continue
        site, lattice, _ = _nearest(mean[of] - shift, crystal.scaled[basis], primitive)
        perfect = crystal.scaled[basis][site] + lattice + shift
        off = np.linalg.norm((parts[:, of] @ matrix - perfect) @ primitive, axis=-1).max(axis=0)
        if off.max() > reach:
            dropped[name] = (
                f"{np.count_nonzero(off > reach)} of {len(of)} atoms leave their sites ({off.max():.2g} angstrom away, {reach:.2g} allowed)"
            )
            continue
        images = np.rint(lattice @ np.linalg.inv(matrix) * n_cells).astype(int) % n_cells
        if len(np.unique(np.column_stack([site, images]), axis=0)) != len(of):
            dropped[name] = "two atoms share a site"
            continue
        furthest = max(furthest, float(off.max()))
        sites[of] = perfect @ np.linalg.inv(matrix)
        for k, number in enumerate(basis):
            here = site == k
            rows[int(number)] = (of[here], lattice[here])
    kept = np.array(sorted(rows), dtype=int)
    u, _, vt = np.linalg.svd(np.linalg.solve(crystal.cell, primitive))
    return SiteMap(
        matrix=matrix,
        rotation=u @ vt,
        members=np.array([rows[k][0] for k in kept.tolist()], dtype=int).reshape(-1, n_cells),
        cells=np.array([rows[k][1] for k in kept.tolist()], dtype=int).reshape(-1, n_cells, 3),
        kept=kept,
        sites=sites,
        dropped=dropped,
        furthest=furthest,
    )

"""What the usual unwrappers would have made of a run whose cell changes: an estimate, from some atoms, of the MSD they add.

With s the cumulative scaled position, H the cell, <H> its mean, and k(t) the cell in which an atom is:
    scaled   x(t) = s(t) <H>                                            exact for affine breathing
    lattice  x(t) = s(t) H(t)                                           "x + n L(t)": far images scale with the cell
    tor      x(t) = s(t) H(t) - sum over t' < t of k(t') (H(t'+1) - H(t'))     sum of Cartesian nearest-image steps
"""

from typing import Any

import numpy as np

from mdtools import memory

__all__ = ["in_words", "naive_schemes"]

_ATOMS = 200  # of each species, evenly spread over their list
_POINTS = 400  # frames at which paths are compared, evenly spread over the run
_LAG = 0.9  # of the run: the longest lag that still has origins to average over
_BLOCK = 2**18  # atoms x frames at once
_FIXED = 1e-7  # relative change of the cell below which it is fixed


def naive_schemes(
    scaled: Any, cell: np.ndarray, time: np.ndarray, species: np.ndarray, *, weights: np.ndarray | None = None
) -> dict[str, Any] | None:
    """MSD that "lattice" and "tor" unwrapping add to that of "scaled", by species at the longest lag; None where the cell is fixed.

    scaled : (frame, atom, 3) unwrapped, an array or anything that is sliced like one. weights : (atom,) of the mean motion that is
    taken out (masses; 1 for the framework and 0 for the rest); equal if not given. Returns lag (ps), origins, atoms (of each
    species at most), lattice and tor ({species: angstrom^2}).
    """
    n_frames = len(time)
    if scaled is None or n_frames < 10 or np.ptp(cell, axis=0).max() <= _FIXED * np.abs(cell[0]).max():
        return None
    names = list(dict.fromkeys(species.tolist()))
    atoms = np.concatenate([_spread(np.flatnonzero(species == name)) for name in names])
    points = np.unique(np.linspace(0, n_frames - 1, min(n_frames, _POINTS)).round().astype(np.int64))
    paths = _paths(scaled, np.asarray(cell, dtype=np.float64), atoms, points)
    lag = max(1, int(_LAG * (len(points) - 1)))
    share = _shares(species, atoms, np.ones(len(species)) if weights is None else weights)
    msd = {scheme: _msd(path, lag, share) for scheme, path in paths.items()}
    added = {
        scheme: {name: float(f"{(msd[scheme] - msd['scaled'])[species[atoms] == name].mean():.4g}") for name in names}
        for scheme in ("lattice", "tor")
    }
    return {"lag": float(f"{time[points[lag]] - time[0]:.6g}"), "origins": len(points) - lag, "atoms": _ATOMS, **added}


def _spread(indices: np.ndarray) -> np.ndarray:
    return indices[np.unique(np.linspace(0, len(indices) - 1, min(len(indices), _ATOMS)).round().astype(np.int64))]


def _paths(scaled: Any, cell: np.ndarray, atoms: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Cartesian paths of the atoms at the chosen frames by each scheme, (point, atom, 3); every frame is seen once, block by block."""
    mean, shape = cell.mean(axis=0), (len(points), len(atoms), 3)
    out = {scheme: np.empty(shape) for scheme in ("scaled", "lattice", "tor")}
    crossed = np.zeros(shape[1:])
    block = max(1, min(_BLOCK // len(atoms), memory.block() // (12 * scaled.shape[1])))
    for first in range(0, len(cell), block):
        stop = min(first + block, len(cell))
        s = np.asarray(scaled[first:stop])[:, atoms].astype(np.float64)
        change = np.diff(cell[first : min(stop + 1, len(cell))], axis=0, append=cell[-1:] if stop == len(cell) else cell[:0])
        sums = crossed + np.cumsum(np.floor(s) @ change, axis=0)
        before = np.concatenate([crossed[None], sums[:-1]])
        crossed = sums[-1]
        rows = np.flatnonzero((points >= first) & (points < stop))
        which = points[rows] - first
        out["scaled"][rows] = s[which] @ mean
        out["lattice"][rows] = s[which] @ cell[points[rows]]
        out["tor"][rows] = out["lattice"][rows] - before[which]
    return out


def _shares(species: np.ndarray, atoms: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(chosen atom,) its share in the mean motion, standing for the atoms of its species that were not chosen."""
    names, chosen = species[atoms], np.asarray(weights, dtype=np.float64)[atoms]
    many = {name: np.count_nonzero(species == name) / np.count_nonzero(names == name) for name in set(names.tolist())}
    share = chosen * np.array([many[name] for name in names.tolist()])
    return np.asarray(share / share.sum())


def _msd(path: np.ndarray, lag: int, share: np.ndarray) -> np.ndarray:
    """(atom,) mean over origins of the squared displacement over `lag` points, the mean motion taken out."""
    moved = path[lag:] - path[:-lag]
    moved -= np.einsum("tax,a->tx", moved, share)[:, None]
    return np.asarray(np.mean(np.sum(moved**2, axis=-1), axis=0))


def in_words(found: dict[str, Any], *, unit: str = "angstrom^2") -> str:
    """A line for `info`."""
    parts = [f"{scheme} " + ", ".join(f"{name} {value:+.3g}" for name, value in found[scheme].items()) for scheme in ("lattice", "tor")]
    return (
        f"would add to the MSD at lag {found['lag']:g}: {'; '.join(parts)} {unit} "
        f"(estimate: at most {found['atoms']} atoms a species, {found['origins']} origins)"
    )

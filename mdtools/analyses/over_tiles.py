"""Visit tiles of atoms, a few of one group at a time: what is summed over a group, and what each atom keeps."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from mdtools import memory
from mdtools.analyses.over_atoms import frame_of
from mdtools.kernels.grouped import tile_sums
from mdtools.trajectory import Trajectory

__all__ = ["tile_means", "tile_size", "tiles_of"]

Parts = dict[str, Any]
Kernel = Callable[..., tuple[Parts, Parts]]
CACHE = 2**20  # bytes that the float64 paths of a tile may take on a processor, so that they stay in its cache
DEVICE = 2**27  # and on an accelerator, which is slow with small pieces


def tile_means(
    kernel: Kernel,
    traj: Trajectory,
    *,
    groups: np.ndarray,
    reference: Sequence[str] | str | None,
    weights: np.ndarray | None = None,
    arguments: tuple[Any, ...] = (),
    options: dict[str, Any] | None = None,
    also: Callable[..., tuple[Parts, Parts]] | None = None,
    bytes_per_atom: int = 0,
) -> tuple[Parts, Parts, Any]:
    """Means over the atoms of each group (group, ...), what each atom keeps (atom, ...), and the reference that was taken.

    groups : (atom,) number of the group of each atom, from 0. weights : (atom,), in place of one over the size of the
    group. kernel : sees a tile at a time, as `tile_sums` needs it. also : sees a whole block of atoms,
    also(values, cell, shift, weights (atom, group)), and returns the same two. bytes_per_atom : what either takes of one
    atom beyond its path.
    """
    traj.need("scaled_positions", who=getattr(kernel, "__name__", "this analysis"))
    n_groups = int(groups.max()) + 1
    share = 1.0 / np.bincount(groups)[groups] if weights is None else weights
    cell, shift, taken = frame_of(traj, reference, "positions")
    most = int(np.clip(memory.block() // (2 * 3 * 8 * traj.n_frames + bytes_per_atom), 1, traj.n_atoms))
    block = -(-traj.n_atoms // -(-traj.n_atoms // most))  # of equal size, as nearly as can be
    blocks = [groups[first : first + block] for first in range(0, traj.n_atoms, block)]
    size = tile_size(traj.n_frames, blocks)
    n_tiles = max(len(tiles_of(one, size)[0]) for one in blocks)
    total: Parts = {}
    kept: list[Parts] = []
    with jax.enable_x64(True):
        for atoms, values in traj.over_atoms("positions", block=block):
            on_device = jax.device_put(values)
            members, group, real = tiles_of(groups[atoms], size, n_tiles)
            summed, each = tile_sums(
                kernel, on_device, cell, shift, members, np.where(real, share[atoms][members], 0.0), group,
                arguments, options=tuple((options or {}).items()), n_groups=n_groups,
            )  # fmt: skip
            order = np.argsort(members[real])
            parts = {name: np.asarray(part)[real][order] for name, part in each.items()}
            if also is not None:
                alone = np.zeros((values.shape[1], n_groups))
                alone[np.arange(len(order)), groups[atoms]] = share[atoms]
                more, each = also(on_device, cell, shift, alone)
                summed, parts = summed | more, parts | {name: np.asarray(part)[: len(order)] for name, part in each.items()}
            total = {name: np.asarray(part) + total.get(name, 0.0) for name, part in summed.items()}
            kept.append(parts)
    return total, {name: np.concatenate([parts[name] for parts in kept]) for name in kept[0]}, taken


def tile_size(n_frames: int, blocks: Sequence[np.ndarray]) -> int:
    """Atoms in a tile: as many as the cache holds, or up to half as many where that leaves fewer places empty.

    From eight on a multiple of eight, by which kernels sum.
    """
    most = (CACHE if jax.default_backend() == "cpu" else DEVICE) // (3 * 8 * n_frames)
    most = int(np.clip(most, 1, max(len(one) for one in blocks)))
    counts = np.concatenate([np.bincount(one) for one in blocks])
    sizes = range((most + 1) // 2, most + 1) if most < 8 else range(max(8, most // 16 * 8), most + 1, 8)
    return min(sizes, key=lambda size: (int(np.sum(-(-counts // size))) * size, -size))


def tiles_of(groups: np.ndarray, size: int, n_tiles: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Members (tile, member) of tiles of one group each, the group of a tile, and which members are not mere filling.

    At least n_tiles of them; what is added is empty.

    >>> tiles_of(np.array([0, 1, 0, 0]), 2)[0].tolist()
    [[0, 2], [3, 3], [1, 1]]
    """
    members, group, real = [], [], []
    for number in np.unique(groups):
        found = np.flatnonzero(groups == number)
        for first in range(0, len(found), size):
            part = found[first : first + size]
            members.append(np.pad(part, (0, size - len(part)), mode="edge"))
            real.append(np.arange(size) < len(part))
            group.append(number)
    more = max(0, n_tiles - len(members))
    members += [np.zeros(size, dtype=int)] * more
    real += [np.zeros(size, dtype=bool)] * more
    return np.array(members), np.array(group + [0] * more), np.array(real)

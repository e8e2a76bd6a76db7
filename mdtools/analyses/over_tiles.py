"""Visit tiles of atoms, a few of one group at a time: what is summed over a group, and what each atom keeps."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from mdtools import shares
from mdtools.analyses.devices import PIECES, block_bytes, in_turn, pieces, platform
from mdtools.analyses.over_atoms import frame_of
from mdtools.analyses.turning import Rooms, contiguous
from mdtools.errors import TrajectoryError
from mdtools.kernels.grouped import each_atom, tile_sums
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["group_means", "tile_means", "tile_size", "tiles_of"]

Parts = dict[str, Any]
Kernel = Callable[..., tuple[Parts, Parts]]
CACHE = 2**20  # bytes that the float64 paths of a tile may take on a processor, so that they stay in its cache
ROW = 6  # atoms of a piece at least: of a frame so many take a line of the cache, and one that is read for fewer is read again for others
FILLING = 1.1  # times as many tiles at most, where some are empty so that a piece is of one group
DEVICE = 2**27  # and on an accelerator, which is slow with small pieces


def tile_means(
    kernel: Kernel,
    traj: Trajectory,
    quantity: Quantity = "positions",
    *,
    groups: np.ndarray,
    reference: Sequence[str] | str | None,
    weights: np.ndarray | None = None,
    arguments: tuple[Any, ...] = (),
    options: dict[str, Any] | None = None,
    bytes_per_atom: int = 0,
    numbers: int = 0,
    frames: np.ndarray | None = None,
    exact: bool = False,
) -> tuple[Parts, Parts, Any]:
    """Means over the atoms of each group (group, ...), what each atom keeps (atom, ...), and the reference that was taken.

    groups : (atom,) number of the group of each atom, from 0. weights : (atom,), in place of one over the size of the
    group. kernel : sees a tile at a time, as `tile_sums` needs it; velocities as precise as stored, or `exact` in float64.
    bytes_per_atom : what it keeps of one. numbers : that it makes of one beside its path, before they are summed.
    frames : of which the paths are made, if not of all.
    """
    traj.need("scaled_positions" if quantity == "positions" else "velocities", who="this analysis")
    n_groups = int(groups.max()) + 1
    if np.any(np.bincount(groups) == 0):
        raise TrajectoryError(f"{traj.source}: a group of atoms is empty")
    share = 1.0 / np.bincount(groups)[groups] if weights is None else weights
    cell, shift, taken = frame_of(traj, reference, quantity)
    if frames is not None:
        cell, shift = cell if cell.ndim == 2 else cell[frames], shift[frames]
    n_frames = len(shift)
    of_paths = None if quantity == "velocities" and not exact else cell
    block = _block_of_atoms(traj, quantity, n_frames, bytes_per_atom, picked=frames is not None)
    blocks = [groups[first : first + block] for first in range(0, traj.n_atoms, block)]
    size = tile_size(n_frames, blocks, numbers)
    counts = [len(tiles_of(one, size)[0]) for one in blocks]
    at_once = max(1, block_bytes() // (8 * n_groups * numbers + 1))  # sums of pieces that there is room for
    length = pieces(max(counts), max(-(-ROW // size), -(-max(counts) // at_once)))[1]
    # where that leaves few tiles empty, a piece is of one group: sums of the others would be made, and added, for nothing
    alone = sum(len(tiles_of(one, size, length, alone=True)[0]) for one in blocks) <= FILLING * sum(counts)
    rooms = Rooms()
    total: Parts = {}
    kept: Parts = {}
    for atoms, values in traj.over_atoms(quantity, block=block, frames=frames, shared=True):
        members, group, real = tiles_of(groups[atoms], size, length, alone=alone)
        weight = np.zeros(members.shape)
        weight[real] = share[atoms][members[real]]
        shared = {"options": tuple((options or {}).items()), "n_groups": 1 if alone else n_groups}
        cut = [slice(first, first + length) for first in range(0, len(members), length)]
        tiles = [(members[piece], weight[piece], group[piece]) for piece in cut]

        def of(tile: tuple[np.ndarray, ...], values: np.ndarray = values, shared: dict[str, Any] = shared) -> tuple[Parts, Parts]:
            of_group = np.zeros_like(tile[2]) if alone else tile[2]
            return tile_sums(kernel, _along_time(values, tile[0], rooms), of_paths, shift, tile[1], of_group, arguments, **shared)

        each_of: list[Parts] = []
        for tile, (sums, each) in in_turn(tiles, of):
            total = total or jax.tree.map(lambda part: np.zeros((n_groups, *part.shape[1:]), part.dtype), sums)
            jax.tree.map(functools.partial(_add, groups=slice(tile[2][0], tile[2][0] + 1) if alone else slice(None)), total, sums)
            each_of.append(each)
        order = np.argsort(members[real])
        for name in each_of[0]:
            part = np.concatenate([np.asarray(one[name]) for one in each_of])[real][order]
            kept.setdefault(name, np.zeros((traj.n_atoms, *part.shape[1:]), part.dtype))[atoms] = part
    return jax.tree.map(shares.summed, total), {name: shares.summed(one) for name, one in kept.items()}, taken


def _block_of_atoms(traj: Trajectory, quantity: Quantity, n_frames: int, bytes_per_atom: int, *, picked: bool) -> int:
    """Atoms in a block: as few blocks as memory takes, as many for each process, of equal size. picked : whether the paths are made of some
    of the frames only.

    In memory a block takes nothing but what its pieces do, one a thread, and what is picked; the larger it is, the more of a frame is turned
    at a time. From disk two are counted, that which is worked on and the next. There are three while one takes the place of another, but the
    third takes memory only as it is read, and an eighth of the limit is meant for two. A block of what lies together on disk is handed on as it
    was read, others are copied once more; but the last block is padded and computed in full, so that whole chunks may add a sixteenth at most.
    """
    together = traj.atoms_together(quantity)
    if traj.in_memory(quantity):
        each = 2 * 3 * 8 * n_frames // (1 if picked else PIECES // 2)
    else:
        each = 2 * 3 * traj.precision(quantity).itemsize * n_frames
    most = max(1, block_bytes() // (each + bytes_per_atom))
    n_blocks = shares.count() * -(-traj.n_atoms // (shares.count() * most))
    block = -(-traj.n_atoms // n_blocks)
    for whole in (min(together * -(-block // together), traj.n_atoms), together * (block // together)):
        number = -(-traj.n_atoms // max(whole, 1))
        few = number <= n_blocks + n_blocks // 16 and number * whole <= n_blocks * (block + block // 16)
        if 0 < whole <= most and few and number % shares.count() == 0:
            return whole
    return block


def group_means(
    kernel: Callable[..., Any],
    traj: Trajectory,
    quantity: Quantity = "positions",
    *,
    groups: np.ndarray,
    reference: Sequence[str] | str | None,
    windows: int = 1,
    arguments: tuple[Any, ...] = (),
    options: dict[str, Any] | None = None,
    weights: np.ndarray | None = None,
    numbers: int = 0,
    frames: np.ndarray | None = None,
) -> tuple[np.ndarray, Any]:
    """Mean of `kernel` over the atoms of each group: (window, group, ...) float64, and the reference that was taken.

    kernel : of the path (xyz, time) of one atom in one window, float64. groups, weights, numbers, frames : as in `tile_means`; with weights the
    sum of weight times kernel.
    """
    sums, _, taken = tile_means(
        each_atom,
        traj,
        quantity,
        groups=groups,
        reference=reference,
        weights=weights,
        arguments=arguments,
        options={"kernel": kernel, "parts": windows, **(options or {})},
        numbers=numbers,
        frames=frames,
        exact=True,
    )
    return np.moveaxis(sums["mean"], 0, 1), taken


def _add(whole: np.ndarray, part: Any, *, groups: slice) -> None:
    """In place: sums over long histories are large, and memory that is new for each would cost as much as adding."""
    np.add(whole[groups], np.asarray(part), out=whole[groups])


def _along_time(values: np.ndarray, members: np.ndarray, rooms: Rooms) -> Any:
    """(atom, xyz, frame) -> (tile, member, xyz, frame) on the device of a piece, where time is contiguous."""
    wanted = members.ravel()
    low, high = int(wanted.min()), int(wanted.max()) + 1
    shape = (*members.shape, *values.shape[1:])
    if np.array_equal(wanted, np.arange(low, high)):
        return jax.device_put(contiguous(values[low:high], rooms).reshape(shape))
    if platform() == "cpu":
        return jax.device_put(contiguous(values, rooms, wanted).reshape(shape))
    # an accelerator picks atoms faster than the host
    return jnp.take(jax.device_put(contiguous(values[low:high], rooms)), wanted - low, axis=0).reshape(shape)


def tile_size(n_frames: int, blocks: Sequence[np.ndarray], numbers: int = 0) -> int:
    """Atoms in a tile: as many as the cache holds, or up to half as many where that leaves fewer places empty.

    From eight on a multiple of eight, by which kernels sum.
    """
    most = (CACHE if platform() == "cpu" else DEVICE) // (8 * (3 * n_frames + numbers))
    most = int(np.clip(most, 1, max(len(one) for one in blocks)))
    counts = np.concatenate([np.bincount(one) for one in blocks])
    sizes = range((most + 1) // 2, most + 1) if most < 8 else range(max(8, most // 16 * 8), most + 1, 8)
    return min(sizes, key=lambda size: (int(np.sum(-(-counts // size))) * size, -size))


def tiles_of(groups: np.ndarray, size: int, length: int = 1, *, alone: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Members (tile, member) of tiles of one group each, the group of a tile, and which members are not mere filling.

    Their number is a multiple of the length of a piece, with `alone` that of each group; what is added is empty.

    >>> tiles_of(np.array([0, 1, 0, 0]), 2)[0].tolist()
    [[0, 2], [3, 3], [1, 1]]
    >>> [tiles_of(np.array([0, 1]), 2, 2, alone=alone)[1].tolist() for alone in (False, True)]
    [[0, 1], [0, 0, 1, 1]]
    """
    parts = []
    for number in np.unique(groups):
        found = np.flatnonzero(groups == number)
        count = _multiple(-(-len(found) // size), length if alone else 1)
        place = np.arange(count * size).reshape(count, size)
        parts.append((found[np.minimum(place, len(found) - 1)], np.full(count, number), place < len(found)))
    more = _multiple(max(1, sum(len(one) for _, one, _ in parts)), length) - sum(len(one) for _, one, _ in parts)
    last = parts[-1][1][-1] if parts else 0
    parts.append((np.zeros((more, size), dtype=int), np.full(more, last), np.zeros((more, size), dtype=bool)))
    members, group, real = (np.concatenate(one) for one in zip(*parts, strict=True))
    return members, group, real


def _multiple(n: int, of: int) -> int:
    return -(-n // of) * of

"""Files to a store, a row of shards at a time: whatever the length of the run, a few rows are in memory.

Parsing goes on while the row before is written. After each row it is noted how far the work has come, so that a killed job
is taken up where it was; when all is there the store is renamed to its place.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.lazy import Lazy
from mdtools.readers import checkpoint
from mdtools.readers.assemble import with_naive_schemes
from mdtools.readers.checkpoint import Checkpoint
from mdtools.readers.fill import Filled, filled, unwrapper_of
from mdtools.readers.layout import Layout, layout_of
from mdtools.readers.sources import fingerprints, in_short
from mdtools.readers.store import LARGE, check_place, part_of, put_in_place, write_small
from mdtools.readers.understood import Understood
from mdtools.trajectory import Trajectory

__all__ = ["stream"]

STORE = "store"  # within the folder of an attempt, beside the note of how far it has come


def stream(
    run: Understood,
    path: Path,
    *,
    files: Sequence[Any],
    asked: dict[str, Any],
    finish: Callable[[Trajectory], Trajectory],
    overwrite: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Write a run as a store. Raises TrajectoryError for what is wrong in a frame; nothing is left behind then.

    files : what the run was read from. asked : how: an attempt at the same with the same files is taken up. finish : what is
    done to a trajectory that was read, before its small parts are kept. say : told in words when earlier work is used or not.
    """
    check_place(path, overwrite=overwrite)
    beside = part_of(path)
    sources = in_short(fingerprints(files))
    with checkpoint.held(beside, path):
        identity = json.loads(json.dumps({"sources": sources, "asked": asked, "n_frames": len(run.time)}, default=_plain))
        start = _taken_up(beside, identity, run, say if sources else lambda text: None)
        try:
            end = _fill(run, beside, start)
            _finish(run, beside / STORE, end, finish, sources)
        except TrajectoryError:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        put_in_place(beside / STORE, path)
        shutil.rmtree(beside, ignore_errors=True)
        return path


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)


def _taken_up(beside: Path, identity: dict[str, Any], run: Understood, say: Callable[[str], None]) -> Checkpoint:
    """Where an earlier attempt left off, or the very beginning, with the empty arrays made."""
    found = checkpoint.load(beside)
    if found is not None and found.identity == identity and identity["sources"] and (beside / STORE).is_dir():
        for cut in (beside / STORE).rglob("*.partial"):
            cut.unlink()  # what Zarr was writing when the attempt was killed
        say(f"taken up after {found.frames} of {len(run.time)} frames, which an earlier attempt has written")
        return found
    if found is not None:
        changed = [name for name in ("sources", "asked", "n_frames") if found.identity.get(name) != identity[name]]
        words = {"sources": "the files have changed", "asked": "other options are given", "n_frames": "the number of frames has changed"}
        say(f"an earlier attempt is given up ({'; '.join(words[name] for name in changed)}): started again")
    for inside in beside.iterdir():
        shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
    import zarr

    group = zarr.open_group(beside / STORE, mode="w", zarr_format=3)
    layout = layout_of(len(run.time), run.frames.n_atoms, np.dtype(run.options.precision).itemsize)
    for name in _large(run):
        layout.create(group, name, run.options.precision)
    start = Checkpoint(identity=identity, layout=dataclasses.asdict(layout))
    checkpoint.save(start, beside)
    return start


def _large(run: Understood) -> list[str]:
    there = {"scaled_positions": run.frames.placement != "none", "velocities": run.frames.has_velocities}
    return [name for name in LARGE if there[name]]


def _fill(run: Understood, beside: Path, point: Checkpoint) -> Checkpoint:
    import zarr

    group = zarr.open_group(beside / STORE, mode="r+")
    layout = Layout(**{name: tuple(size) for name, size in point.layout.items()})
    for name in _large(run):
        _forget_rows(beside / STORE / name, -(-point.frames // layout.row))  # the last row of all may be short
    unwrapper = unwrapper_of(run)
    unwrapper.state = dict(point.unwrapping)
    row = _Row(run, layout, point.frames)
    with ThreadPoolExecutor(1) as writer:
        written: Future[Checkpoint] | None = None
        for block in filled(run, unwrapper, first=point.frames, row=layout.row):
            row.put(block)
            if block.closes:
                point = point if written is None else written.result()
                written = writer.submit(_write, row, group, beside, point, dict(unwrapper.state))
                row = _Row(run, layout, row.stop)
        return point if written is None else written.result()


def _forget_rows(array: Path, first: int) -> None:
    """Take away shards that were not finished: what is in them is not known."""
    for shard in (array / "c").glob("*"):
        if shard.name.isdigit() and int(shard.name) >= first:
            shutil.rmtree(shard)


class _Row:
    """The frames of one row of shards, in memory."""

    def __init__(self, run: Understood, layout: Layout, first: int) -> None:
        self.first, self.stop = first, min(first + layout.row, len(run.time))
        shape = (self.stop - first, run.frames.n_atoms, 3)
        self.large = {name: np.empty(shape, run.options.precision) for name in _large(run)} if shape[0] else {}
        self.charges: list[np.ndarray] = []
        self.shape = (len(run.time), run.frames.n_atoms)

    def put(self, block: Filled) -> None:
        here = slice(block.goal.start - self.first, block.goal.stop - self.first)
        for name, values in (("scaled_positions", block.scaled), ("velocities", block.velocities)):
            if values is not None:
                self.large[name][here] = values
        if block.charges is not None and len(block.charges):
            self.charges.append(block.charges)


def _write(row: _Row, group: Any, beside: Path, point: Checkpoint, unwrapping: dict[str, np.ndarray]) -> Checkpoint:
    """Put a row on disk, and note that it is there."""
    for name, values in row.large.items():
        group[name][row.first : row.stop] = values
        shard = beside / STORE / name / "c" / str(row.first // group[name].shards[0])
        for file in (*shard.rglob("*"), shard, shard.parent):
            checkpoint.make_sure(file)
    charges, changing = point.charges, point.changing
    if row.charges:
        here = np.concatenate(row.charges)
        charges = here[0] if charges is None else charges
        changing = changing or not np.array_equal(here, np.broadcast_to(charges, here.shape))
        if changing:
            _write_charges(group, row, here, None if point.changing else charges)
    point = dataclasses.replace(point, frames=row.stop, unwrapping=unwrapping, charges=charges, changing=changing)
    checkpoint.save(point, beside)
    return point


def _write_charges(group: Any, row: _Row, here: np.ndarray, before: np.ndarray | None) -> None:
    """Charges of every frame, from the first row on in which one changes; `before` are those of all frames before it."""
    if before is not None:
        group.create_array("charges", shape=row.shape, dtype=np.float64, chunks=(len(here), row.shape[1]), overwrite=True, compressors=None)
        for first in range(0, row.first, len(here)):
            stop = min(first + len(here), row.first)
            group["charges"][first:stop] = np.broadcast_to(before, (stop - first, row.shape[1]))
    group["charges"][row.first : row.stop] = here


def _finish(run: Understood, inside: Path, end: Checkpoint, finish: Callable[[Trajectory], Trajectory], sources: list[dict[str, Any]]) -> None:
    """The small parts, which are known when the large ones are there."""
    import zarr

    group = zarr.open_group(inside, mode="r+")
    large = {name: Lazy(group[name]) if name in _large(run) else None for name in LARGE}
    charges = end.charges if not end.changing else Lazy(group["charges"])
    run = with_naive_schemes(run, large["scaled_positions"])
    traj = finish(run.trajectory(scaled_positions=large["scaled_positions"], velocities=large["velocities"], charges=charges))
    for name in list(group.group_keys()):
        del group[name]  # of an attempt that was killed here
    write_small(group, traj, sources=sources)

"""XTC and TRR files (GROMACS, LAMMPS): nm and ps by definition, both big-endian.

Where the frames lie is found without unpacking them, so that a cut file gives its whole frames and no index file is left beside it.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.dcd import MOVING_CELL
from mdtools.readers.frames import Block, Frames
from mdtools.readers.lammps_columns import inverse_or_nan
from mdtools.readers.lengths_angles import evened
from mdtools.readers.opened import OpenedFile
from mdtools.readers.xtc import unpack, width_of

__all__ = ["read_files"]

_ANGSTROM = 10.0  # per nm
_XTC, _XTC_LARGE, _TRR = 1995, 2023, 1993
_UNPACKED = 9  # up to so many atoms an XTC holds plain numbers


@dataclass(frozen=True)
class _Frame:
    """Where a frame lies, and the small things in it. positions, velocities : bytes of a TRR; 0 where it has none."""

    at: int
    step: int
    time: float
    box: tuple[float, ...]
    n_atoms: int
    real: str = "f"
    positions: int = 0
    velocities: int = 0
    precision: float = 0.0


class _BeyondEnd(Exception):
    """A frame goes on where the file has ended."""


def read_files(files: Sequence[Path], units: str | None) -> list[Frames]:
    """A record of each file."""
    return [_read(file) for file in files]


def _read(path: Path) -> Frames:
    file = OpenedFile(path)
    magic = struct.unpack(">i", bytes(file.bytes[:4]).ljust(4, b"\0"))[0]
    if magic not in (_XTC, _XTC_LARGE, _TRR):
        raise TrajectoryError(
            f"{path}: is not a {path.suffix[1:].upper()} file, its first bytes say otherwise; pass one, or name the file after what it holds"
        )
    frames, notes = _index(file, _trr_frame if magic == _TRR else _xtc_frame)
    return _trr(file, frames, notes) if magic == _TRR else _xtc(file, frames, notes)


def _index(file: OpenedFile, read_frame: Callable[[Any, int], tuple[_Frame, int]]) -> tuple[list[_Frame], list[str]]:
    """All whole frames, and what was dropped at the end of the file."""
    content, at, frames, notes = file.bytes, 0, list[_Frame](), list[str]()
    while at < len(content):
        try:
            frame, after = read_frame(content, at)
            if frames and frame.n_atoms != frames[0].n_atoms:
                raise ValueError(f"{frame.n_atoms} atoms, the first frame {frames[0].n_atoms}")
        except _BeyondEnd:
            notes.append(f"{file.path.name}: frame {len(frames)}, the last, is cut and is dropped")
            break
        except ValueError as reason:
            raise TrajectoryError(
                f"{file.path}: frame {len(frames)} (byte {at}) cannot be understood: {reason}; the file is damaged, read up to it with end=..."
            ) from None
        frames.append(frame)
        at = after
    if file.broken:
        notes.append(f"{file.path.name}: the packed stream breaks off; frames after {len(frames) - 1} are lost")
    if not frames:
        raise TrajectoryError(f"{file.path}: no whole frame is left: pass a file with at least one")
    return frames, notes


def _take(content: Any, form: str, at: int) -> tuple[Any, ...]:
    if at + struct.calcsize(form) > len(content):
        raise _BeyondEnd
    return struct.unpack_from(form, content, at)


def _xtc_frame(content: Any, at: int) -> tuple[_Frame, int]:
    """The frame that begins at a byte, and where it ends."""
    magic, n_atoms, step, time, *box = _take(content, ">3i10f", at)
    if magic not in (_XTC, _XTC_LARGE) or n_atoms < 1:
        raise ValueError(f"it does not begin as a frame does, or has {n_atoms} atoms")
    (again,) = _take(content, ">i", at + 52)
    if again != n_atoms:
        raise ValueError(f"it announces {n_atoms} and {again} atoms")
    if n_atoms <= _UNPACKED:
        _take(content, f">{3 * n_atoms}f", at + 56)
        return _Frame(at, step, time, tuple(box), n_atoms), at + 56 + 12 * n_atoms
    precision = _take(content, ">f", at + 56)[0]
    if not (np.isfinite(precision) and precision > 0):
        raise ValueError(f"its precision is {precision}")
    wide = magic == _XTC_LARGE
    (size,) = _take(content, ">q" if wide else ">i", at + 88)
    end = at + 88 + (8 if wide else 4) + -(-size // 4) * 4
    if size < 0:
        raise ValueError(f"its positions take {size} bytes")
    # packed coordinates take at least a bit each on the average; a count beyond that is damage, and not worth the memory
    if end > len(content):
        raise _BeyondEnd
    if n_atoms > 64 * (size + 8):
        raise ValueError(f"{n_atoms} atoms cannot be in {size} bytes")
    return _Frame(at, step, time, tuple(box), n_atoms, precision=precision), end


def _trr_frame(content: Any, at: int) -> tuple[_Frame, int]:
    """The frame that begins at a byte, and where it ends."""
    magic, _, length = _take(content, ">3i", at)
    if magic != _TRR or not 0 < length <= 64:
        raise ValueError("it does not begin as a frame does")
    at += 12 + -(-length // 4) * 4
    sizes = _take(content, ">10i", at)
    n_atoms, step, _ = _take(content, ">3i", at + 40)
    box, positions, velocities = sizes[2], sizes[7], sizes[8]
    if n_atoms < 1 or min(sizes) < 0:
        raise ValueError(f"it has {n_atoms} atoms, or parts of less than nothing")
    width = box // 9 if box else max(positions, velocities, sizes[9]) // (3 * n_atoms)
    if width not in (4, 8) or box not in (0, 9 * width) or any(size not in (0, 3 * n_atoms * width) for size in sizes[7:]):
        raise ValueError("the sizes of its parts do not fit its number of atoms")
    real = "f" if width == 4 else "d"
    time, _ = _take(content, f">2{real}", at + 52)
    at += 52 + 2 * width
    if at + sum(sizes[:10]) > len(content):
        raise _BeyondEnd
    vectors = _take(content, f">9{real}", at + sizes[0] + sizes[1]) if box else (0.0,) * 9
    first = at + sum(sizes[:7])
    return (
        _Frame(at, step, time, vectors, n_atoms, real, first if positions else 0, first + positions if velocities else 0),
        at + sum(sizes[:10]),
    )


def _trr(file: OpenedFile, found: list[_Frame], notes: list[str]) -> Frames:
    frames = [frame for frame in found if frame.positions] or found
    if len(frames) < len(found):
        notes.append(
            f"{file.path.name}: {len(found) - len(frames)} of {len(found)} frames hold no positions and are left out (GROMACS: nstvout = nstxout)"
        )
    placed, moving = bool(frames[0].positions), all(frame.velocities for frame in frames)
    if not placed and not moving:
        raise TrajectoryError(f"{file.path}: holds neither positions nor velocities; pass a file with positions (nstxout in GROMACS)")
    cell = _cells(file.path, frames)

    def read(which: np.ndarray, name: str) -> np.ndarray:
        shape = (frames[0].n_atoms, 3)
        parts = [np.ndarray(shape, f">{frames[i].real}{4 if frames[i].real == 'f' else 8}", file.bytes, getattr(frames[i], name)) for i in which]
        with np.errstate(invalid="ignore"):  # a NaN of the file, which is refused by the name of its frame
            return np.array(parts, dtype=np.float64) * _ANGSTROM

    def load(which: np.ndarray) -> Block:
        return Block(
            scaled=read(which, "positions") @ inverse_or_nan(cell[which]) if placed else None,
            velocities=read(which, "velocities") if moving else None,
        )

    return _frames(file, frames, notes, cell, load, kind="TRR", moving=moving, placed=placed, single=frames[0].real == "f")


def _xtc(file: OpenedFile, frames: list[_Frame], notes: list[str]) -> Frames:
    if frames[0].precision:
        notes.append(f"positions are rounded to {0.5 * _ANGSTROM / frames[0].precision:.3g} angstrom by the format (XTC)")
    cell = _cells(file.path, frames)

    def load(which: np.ndarray) -> Block:
        positions = np.stack([_xtc_positions(file, frames[i], int(i)) for i in which])
        return Block(scaled=positions * _ANGSTROM @ inverse_or_nan(cell[which]))

    return _frames(file, frames, notes, cell, load, kind="XTC", moving=False, placed=True, single=True)


def _xtc_positions(file: OpenedFile, frame: _Frame, number: int) -> np.ndarray:
    """(atom, 3) positions in nm."""
    content, n_atoms, at = file.bytes, frame.n_atoms, frame.at
    if n_atoms <= _UNPACKED:
        return np.ndarray((n_atoms, 3), ">f4", content, at + 56).astype(np.float64)
    *bounds, step = _take(content, ">7i", at + 60)
    wide = _take(content, ">i", at)[0] == _XTC_LARGE
    (size,), begin = _take(content, ">q" if wide else ">i", at + 88), at + (96 if wide else 92)
    sizes = [high - low + 1 for low, high in zip(bounds[:3], bounds[3:], strict=True)]
    out = np.empty((n_atoms, 3), dtype=np.int64)
    good = min(sizes) > 0
    if good:
        width, alone = width_of(sizes)
        data = file.array[begin : begin + size]
        good = unpack(data, width, alone, np.array(sizes, np.int64), np.array(bounds[:3], np.int64), step, out)
    if not good:
        raise TrajectoryError(f"{file.path}: the positions of frame {number} cannot be unpacked; the file is damaged, read up to it with end=...")
    return out / float(frame.precision)


def _cells(path: Path, frames: list[_Frame]) -> np.ndarray:
    cell = np.array([frame.box for frame in frames], dtype=np.float64).reshape(-1, 3, 3) * _ANGSTROM
    good = (np.abs(cell) < 1e30).all(axis=(1, 2))
    if not good.all():
        raise TrajectoryError(
            f"{path}: frame {int(np.argmin(good))} has a cell that is not of numbers; the file is damaged: read up to it with end=..."
        )
    return cell


def _frames(
    file: OpenedFile,
    frames: list[_Frame],
    notes: list[str],
    cell: np.ndarray,
    load: Callable[[np.ndarray], Block],
    *,
    kind: str,
    moving: bool,
    placed: bool,
    single: bool,
) -> Frames:
    times = np.array([frame.time for frame in frames], dtype=np.float32 if single else np.float64)
    if not np.isfinite(times).all():
        raise TrajectoryError(f"{file.path}: frame {int(np.argmin(np.isfinite(times)))} has a time that is not a number; the file is damaged")
    if len(frames) > 1 and np.ptp(cell, axis=0).max() > 0:
        notes.append(MOVING_CELL)
    return Frames(
        source=str(file.path),
        kind=kind,
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        times=evened(times),
        placement="wrapped" if placed else "none",
        columns="Cartesian" if placed else "",
        ids=np.arange(1, frames[0].n_atoms + 1),
        has_velocities=moving,
        load=load,
        notes=tuple(notes),
        pieces=((0, str(file.path)),),
    )

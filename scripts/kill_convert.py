#!/usr/bin/env python
"""Kill `convert` at random moments, take it up again, and hold the store byte for byte against one that nobody killed.

    python scripts/kill_convert.py                    20 moments
    python scripts/kill_convert.py --points 5 --seed 1

A moment is a number of things done so far (blocks read, files of the store opened, made, renamed or removed), drawn at random
among those of a whole conversion, and up to 2 ms after it; the signal is SIGKILL. Every second time the work that takes it
up is killed as well. Exit code 1 where a store differs.
"""

import argparse
import filecmp
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

from mdtools import memory, progress
from mdtools.readers import convert, read

MEMORY = 2**20  # so that a small run has many rows
COMMON: dict[str, Any] = {"units": "metal", "timestep": 0.001, "species": {1: "Li", 2: "Cl"}}
# positions whose images must be carried on, thinned; image flags; charges that change late in the run
CASES: dict[str, dict[str, Any]] = {"wrapped": {}, "wrapped, every third frame": {"stride": 3}, "images": {}, "charges": {}}
COLUMNS = {
    "wrapped": "id type x y z vx vy vz",
    "wrapped, every third frame": "id type x y z vx vy vz",
    "images": "id type x y z ix iy iz",
    "charges": "id type x y z q",
}


def write_dump(path: Path, columns: str, *, n_atoms: int = 60, n_frames: int = 450) -> None:
    """A random walk in a breathing triclinic cell."""
    dice = np.random.default_rng(7)
    s = dice.random((n_atoms, 3)) + np.cumsum(dice.normal(0, 0.05, (n_frames, n_atoms, 3)), axis=0)
    with open(path, "w") as file:
        for k in range(n_frames):
            size = 12 + 0.2 * np.sin(0.1 * k)
            cell = np.array([[size, 0, 0], [2.0, size, 0], [1.0, -1.0, size]])
            file.write(f"ITEM: TIMESTEP\n{10 * k}\nITEM: NUMBER OF ATOMS\n{n_atoms}\nITEM: BOX BOUNDS xy xz yz pp pp pp\n")
            file.write(f"0 {size + 3:.9g} 2\n-1 {size:.9g} 1\n0 {size:.9g} -1\nITEM: ATOMS {columns}\n")
            inside, images = np.modf(s[k] - np.floor(s[k]))[0] @ cell, np.floor(s[k]).astype(int)
            for i in dice.permutation(n_atoms):
                x, y, z = inside[i]
                ix, iy, iz = images[i]
                vx, vy, vz = dice.normal(0, 5, 3)
                q = (1.0 if i % 2 else -1.0) + (0.01 * k if k > 250 else 0.0)
                value = {"id": i + 1, "type": i % 2 + 1, "x": x, "y": y, "z": z, "ix": ix, "iy": iy, "iz": iz, "vx": vx, "vy": vy, "vz": vz, "q": q}
                file.write(" ".join(f"{value[name]:.7g}" for name in columns.split()) + "\n")


class Doom:
    """Counts what is done, and ends the process when its number is up."""

    def __init__(self, part: Path, last: int | None = None, delay: float = 0.0) -> None:
        self.part, self.last, self.delay, self.count = str(part), last, delay, 0
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir") and arguments and self.part in str(arguments[0]):
            self.step()

    def advance(self, *what: Any) -> None:
        self.step()

    def step(self) -> None:
        self.count += 1
        if self.count == self.last:
            threading.Thread(target=self.end).start()

    def end(self) -> None:
        time.sleep(self.delay)
        os.kill(os.getpid(), signal.SIGKILL)


def attempt(files: Path, out: Path, options: dict[str, Any], last: int | None, delay: float) -> tuple[int, bool]:
    """Convert in a process of its own: how much it did where it came to its end, and whether it was killed."""
    inner, outer = os.pipe()
    child = os.fork()
    if child == 0:
        doom = Doom(out.with_name(f".{out.name}.part"), last, delay)
        with memory.limited(MEMORY), progress.listening(doom.advance):
            convert(files, out, **COMMON, **options)
        os.write(outer, str(doom.count).encode())
        os._exit(0)
    os.close(outer)
    said = os.read(inner, 32)
    os.close(inner)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not killed and not said:
        raise SystemExit(f"convert failed by itself ({status})")
    return int(said or 0), killed


def written(part: Path) -> int:
    """Frames that an attempt has left on disk."""
    from mdtools.readers import checkpoint

    found = checkpoint.load(part)
    return 0 if found is None else found.frames


def different(one: Path, two: Path) -> list[str]:
    """Files that are not the same, byte for byte."""
    names = {str(path.relative_to(root)) for root in (one, two) for path in root.rglob("*") if path.is_file()}
    return sorted(filecmp.cmpfiles(one, two, names, shallow=False)[1] + filecmp.cmpfiles(one, two, names, shallow=False)[2])


def kills(points: int, seed: int, folder: Path, say: Callable[[str], None]) -> Iterator[tuple[str, int, int, list[str]]]:
    """(case, times killed, frames that were there when it was taken up, files that differ) of each moment."""
    dice = random.Random(seed)
    whole: dict[str, tuple[Path, int]] = {}
    for name, options in CASES.items():
        file = folder / f"{name.split(',')[0]}.lammpstrj"
        if not file.exists():
            write_dump(file, COLUMNS[name])
        read(file, **COMMON, **options)  # compiles the parsers before the processes part
        whole[name] = folder / f"{name}.zarr", attempt(file, folder / f"{name}.zarr", options, None, 0.0)[0]
        say(f"{name}: {whole[name][1]} things are done in a whole conversion")
    for k in range(points):
        name = list(CASES)[k % len(CASES)]
        out, part = folder / "killed.zarr", folder / ".killed.zarr.part"
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(part, ignore_errors=True)
        file, times, there = folder / f"{name.split(',')[0]}.lammpstrj", 0, 0
        for last in [dice.randrange(1, whole[name][1]), *([dice.randrange(1, whole[name][1])] if k % 2 else []), None]:
            if out.exists():
                break  # the signal came after the last thing was done
            there = written(part)
            times += attempt(file, out, CASES[name], last, dice.random() * 2e-3)[1]
        yield name, times, there, different(out, whole[name][0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = resumed = killed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, times, there, wrong in kills(options.points, options.seed, Path(folder), print):
            print(f"{name}: killed {times} times, taken up after {there} frames: {'DIFFERS in ' + ', '.join(wrong) if wrong else 'the same'}")
            failed += bool(wrong)
            killed += times
            resumed += there > 0
    print(f"{options.points} moments, {killed} processes killed, {resumed} taken up in the middle, {failed} stores differ")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

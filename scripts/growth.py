#!/usr/bin/env python
"""How time and peak memory grow with atoms and with frames: a table with the slopes of their logarithms, and JSON lines with --json.

    python scripts/growth.py               everything, about two minutes
    python scripts/growth.py msd current   some of it

Each row is a process of its own. Of each size the best of --repeats is taken after a call that compiles; memory is what the process holds at the
most meanwhile beyond what it held before, the run itself not counted (Linux). `scripts/bench_large` has the same for stores beyond memory.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

import mdtools as md
from mdtools import memory, synthetic

Sizes = list[tuple[int, int]]  # atoms, frames
ATOMS = [(1000, 2000), (2000, 2000), (4000, 2000)]
FRAMES = [(500, 4000), (500, 8000), (500, 16000)]
WAVES = {"hkl": [[1, 0, 0], [0, 2, 0], [1, 1, 2], [3, 0, 1]], "shells": 0, "longest": 5.0}
# what is measured, of how many atoms and frames, and the powers that are expected of both
CASES: dict[str, tuple[Callable[[Any], Any], Sizes, Sizes, tuple[int, int]]] = {
    "msd": (lambda run: md.msd(run), ATOMS, FRAMES, (1, 1)),
    "phonons": (lambda run: md.phonon_dos(run), ATOMS, FRAMES, (1, 1)),
    "current": (lambda run: md.charge_current_acf(run), ATOMS, FRAMES, (1, 1)),
    "van-hove": (
        lambda run: md.van_hove_distinct(run, windows=1, lags=[0.0, 0.1], origins="all"),
        [(500, 100), (1000, 100), (2000, 100)],
        [(500, 200), (500, 400), (500, 800)],
        (2, 1),
    ),
    "scattering": (lambda run: md.intermediate_scattering(run, **WAVES), ATOMS, FRAMES, (1, 1)),
}


def measured(name: str, sizes: Sizes, repeats: int) -> dict[str, Any]:
    """In this process: seconds and peak memory (MB) of each size."""
    seconds, peaks = [], []
    for atoms, frames in sizes:
        length = (atoms / 0.05) ** (1 / 3)
        run = synthetic.ornstein_uhlenbeck(n_atoms=atoms, n_frames=frames, length=length, frame_interval=0.02, seed=1)
        run = run.replace(step={"step": "stated"}, temperature=1000.0)
        CASES[name][0](run)
        ctypes.CDLL(None).malloc_trim(0)  # what the call that compiled has given back
        before = _held("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # from here on the largest is counted anew
        times = []
        for _ in range(repeats):
            begun = time.perf_counter()
            CASES[name][0](run)
            times.append(time.perf_counter() - begun)
        seconds.append(min(times))
        peaks.append(max(_held("VmHWM") - before, 1.0))
    return {"seconds": seconds, "peak_MB": peaks}


def _held(what: str) -> float:
    return int(Path("/proc/self/status").read_text().partition(f"{what}:")[2].split()[0]) / 1024


def slope(sizes: list[int], values: list[float]) -> float:
    """Of log value against log size: 1 is linear."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def grown(name: str, against: str, repeats: int, allowed: str) -> dict[str, Any]:
    """The same in a process of its own, where large arrays may take so much, with slopes."""
    words = [sys.executable, __file__, name, "--here", against, "--repeats", str(repeats), "--memory", allowed]
    answer = subprocess.run(words, env=os.environ | {"PYTHONWARNINGS": "ignore"}, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    sizes = [size[against == "frames"] for size in CASES[name][1 + (against == "frames")]]
    expected = CASES[name][3][against == "frames"]
    slopes = {"slope": slope(sizes, found["seconds"]), "slope_of_peak": slope(sizes, found["peak_MB"])}
    return {"case": name, "against": against, "sizes": sizes, **found, **slopes, "expected": expected}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", default="1GiB", help="what large arrays may take (default 1GiB)")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row in place of the table")
    parser.add_argument("--here", choices=["atoms", "frames"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if options.here:
        [name] = options.cases
        with memory.limited(options.memory):
            print(json.dumps(measured(name, CASES[name][1 + (options.here == "frames")], options.repeats)))
        return
    if not options.json:
        print("| case | against | time (s) | slope | expected | peak memory (MB) | slope |\n|---|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        for against in ("atoms", "frames"):
            row = grown(name, against, options.repeats, options.memory)
            if options.json:
                print(json.dumps(row), flush=True)
                continue
            times, peaks = (", ".join(f"{value:.3g}" for value in row[of]) for of in ("seconds", "peak_MB"))
            sizes = ", ".join(map(str, row["sizes"]))
            said = f"{times} | {row['slope']:.2f} | {row['expected']} | {peaks} | {row['slope_of_peak']:.2f}"
            print(f"| {name} | {sizes} {against} | {said} |", flush=True)


if __name__ == "__main__":
    main()

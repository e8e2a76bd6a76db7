#!/usr/bin/env python
"""Timings of mdtools beside installed peers, on the same input in one run: a Markdown table, and JSON with --json FILE.

    python scripts/benchmark.py                 everything
    python scripts/benchmark.py read msd        some of it

Every figure is the median of --repeats runs after one that is not counted (compilation, page cache). A peer that is
not installed is named as missing, never guessed. Peers: MDAnalysis and ase (our dependencies), tidynamics (extra
`test`), freud (extra `bench`).
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np

import mdtools as md
from mdtools import synthetic

Row = tuple[str, str, float, str]


def median_time(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def write_dump(path: Path, *, n_atoms: int, n_frames: int) -> None:
    """A triclinic LAMMPS text dump with image flags and velocities, rows in random order, as LAMMPS writes them."""
    random = np.random.default_rng(0)
    with open(path, "w") as file:
        for k in range(n_frames):
            file.write(f"ITEM: TIMESTEP\n{100 * k}\nITEM: NUMBER OF ATOMS\n{n_atoms}\nITEM: BOX BOUNDS xy xz yz pp pp pp\n")
            file.write("0 48.5 3.5\n0 42 0\n0 40 0\nITEM: ATOMS id type x y z ix iy iz vx vy vz\n")
            order = random.permutation(n_atoms)
            x = random.uniform(0, 40, (n_atoms, 3))
            v = random.normal(0, 5, (n_atoms, 3))
            rows = zip((order + 1).tolist(), (1 + order % 2).tolist(), x.tolist(), v.tolist(), strict=True)
            file.writelines(f"{i} {t} {a:.6g} {b:.6g} {c:.6g} 0 0 0 {p:.6g} {q:.6g} {r:.6g}\n" for i, t, (a, b, c), (p, q, r) in rows)


def read(repeats: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.lammpstrj"
        write_dump(path, n_atoms=5000, n_frames=200)
        size = path.stat().st_size / 1e6
        case = f"LAMMPS text, {size:.0f} MB, 5000 atoms, triclinic"
        options = {"units": "metal", "timestep": 0.001, "species": {1: "Ca", 2: "F"}}
        yield case, "mdtools", size / median_time(lambda: md.read(path, **options), repeats), "MB/s"

        def with_mdanalysis() -> None:
            import MDAnalysis

            universe = MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
            for _ in universe.trajectory:
                pass

        def with_ase() -> None:
            import ase.io

            for _ in ase.io.iread(str(path), index=":", format="lammps-dump-text"):
                pass

        yield case, "MDAnalysis", size / median_time(with_mdanalysis, 1), "MB/s"
        yield case, "ase", size / median_time(with_ase, 1), "MB/s"


def msd(repeats: int) -> Iterator[Row]:
    run = synthetic.brownian(n_atoms=1000, n_frames=5000)
    case = "MSD, all lags and origins, 1000 atoms x 5000 frames"
    yield case, "mdtools", median_time(lambda: md.msd(run, reference="none"), repeats), "s"
    positions = np.asarray(run.scaled_positions, dtype=np.float64) * 20.0
    paths = np.ascontiguousarray(positions.transpose(1, 0, 2))
    try:
        import tidynamics

        yield case, "tidynamics", median_time(lambda: [tidynamics.msd(path) for path in paths], 1), "s"
    except ModuleNotFoundError:
        yield case, "tidynamics (not installed)", float("nan"), "s"
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD

    universe = MDAnalysis.Universe.empty(run.n_atoms, trajectory=True)
    universe.load_new(positions.astype(np.float32))
    yield case, "MDAnalysis", median_time(lambda: EinsteinMSD(universe, fft=True).run(), 1), "s"


def van_hove(repeats: int) -> Iterator[Row]:
    run = synthetic.brownian(n_atoms=500, n_frames=101, length=24.0)
    case = "distinct van Hove, lag 0, 500 atoms x 101 frames, 100 bins"
    pairs = 500 * 499 * 101
    seconds = median_time(lambda: md.van_hove_distinct(run, lags=[0.0], reference="none"), repeats)
    yield case, "mdtools", pairs / seconds / 1e6, "million pairs/s"
    try:
        import freud
    except ModuleNotFoundError:
        yield case, "freud (not installed)", float("nan"), "million pairs/s"
        return
    box = freud.box.Box.cube(24.0)
    frames = [box.wrap(np.asarray(frame) * 24.0) for frame in run.scaled_positions]

    def with_freud() -> None:
        rdf = freud.density.RDF(bins=100, r_max=11.99)
        for frame in frames:
            rdf.compute((box, frame), reset=False)

    yield case, "freud", pairs / median_time(with_freud, repeats) / 1e6, "million pairs/s"


def phonons(repeats: int) -> Iterator[Row]:
    run = synthetic.damped_oscillator(cells=8, n_frames=5000)
    yield "phonon DOS, 8 windows, 512 atoms x 5000 frames", "mdtools", median_time(lambda: md.phonon_dos(run), repeats), "s"


def pipeline(repeats: int) -> Iterator[Row]:
    path = Path(__file__).parents[1] / "data" / "caf2_1600K.lammpstrj.zst"
    with tempfile.TemporaryDirectory() as folder:

        def whole() -> None:
            md.report(md.read(path, framework="Ca", temperature=1600), out=Path(folder) / "report.html")

        yield "dump to report, 324 atoms x 668 frames, compiled", "mdtools", median_time(whole, repeats), "s"


CASES = {"read": read, "msd": msd, "van-hove": van_hove, "phonons": phonons, "pipeline": pipeline}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    import jax

    warnings.simplefilter("ignore")  # the peers' own
    machine = f"{processor()}, {jax.devices()[0].device_kind}, jax {jax.__version__}, python {platform.python_version()}"
    print(f"{time.strftime('%Y-%m-%d')}, {machine}\n\n| case | tool | median | unit |\n|---|---|---|---|")
    rows = []
    for name in options.cases or CASES:
        for row in CASES[name](options.repeats):
            rows.append(dict(zip(("case", "tool", "median", "unit"), row, strict=True)))
            print(f"| {row[0]} | {row[1]} | {row[2]:.3g} | {row[3]} |")
            sys.stdout.flush()
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "date": time.strftime("%Y-%m-%d"), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Timings of mdtools beside installed peers, on the same input in one run: a Markdown table, and JSON with --json FILE.

    python scripts/benchmark.py                 everything but `growth`
    python scripts/benchmark.py read msd        some of it

Every figure is the median of --repeats runs after one that is told apart (compilation, page cache); of reading it is the
best, tools taken in turn, with how many times as fast mdtools is. A peer that is not installed is named as missing, never
guessed. `growth`, of minutes, is how time and memory go with atoms and frames. Peers: MDAnalysis and ase (our dependencies), tidynamics
(extra `test`), freud (extra `bench`), mdtraj, ovito and those of scripts/peers.txt (by hand).
"""

import argparse
import contextlib
import dataclasses
import functools
import importlib
import json
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import numpy as np
import scipy.fft

import mdtools as md
from mdtools import readers, synthetic
from mdtools.analyses import density_modes, wave_vectors
from mdtools.harmonic.crystal import Crystal
from mdtools.statistics.spectral import followed, zero_frequency
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, KINETIC_TO_EV

Row = tuple[Any, ...]  # case, tool, figure, unit, and what only the JSON holds

clock = time.perf_counter


def median_time(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


def own(case: str, call: Callable[[], Any], repeats: int, *, n_bytes: float = 0, operations: float = 0, counted: str = "") -> Iterator[Row]:
    """Our median, the first call apart (it compiles), and the share of what this machine copied or multiplied in this run."""
    start = clock()
    call()
    first = clock() - start
    seconds = median_time(call, repeats)
    yield case, "mdtools", seconds, "s"
    yield case, "mdtools, what the first call takes longer (compilation)", max(first - seconds, 0.0), "s"
    if n_bytes:
        yield case, f"share of the copy bandwidth: {n_bytes / 1e6:.0f} MB, {counted}", n_bytes / seconds / copied(), "1", {"bytes": n_bytes}
    if operations:
        yield _share(case, operations, seconds, counted)


def _share(case: str, operations: float, seconds: float, counted: str) -> Row:
    words = f"share of the multiplication rate: {operations / 1e9:.1f} G operations, {counted}"
    return case, words, operations / seconds / multiplied(), "1", {"operations": operations}


@functools.cache
def copied() -> float:
    """Bytes a second that this device reads and writes, by its best of five copies of 256 MB."""
    import jax
    import jax.numpy as jnp

    values = jnp.zeros(2**26, jnp.float32)
    copy = jax.jit(lambda x: x + 1)
    return 2 * values.nbytes / _best(lambda: jax.block_until_ready(copy(values)), 5)


@functools.cache
def multiplied() -> float:
    """Operations a second of a product of two float64 matrices of 1024 on this device, best of five."""
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        values = jnp.ones((1024, 1024), jnp.float64)
        product = jax.jit(jnp.matmul)
        return 2 * 1024**3 / _best(lambda: jax.block_until_ready(product(values, values)), 5)


def frames_of_rows(n_atoms: int, n_frames: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows (id, type, position, image flags, velocity) in random order, as LAMMPS writes them, and the positions by id in cell vectors."""
    random = np.random.default_rng(0)
    for _ in range(n_frames):
        order = random.permutation(n_atoms)
        s = random.uniform(0, 1, (n_atoms, 3))
        rows = np.zeros((n_atoms, 11))
        rows[:, 0], rows[:, 1], rows[:, 8:] = order + 1, 1 + order % 2, random.normal(0, 5, (n_atoms, 3))
        rows[:, 2:5] = s[order] @ TRICLINIC
        yield rows, s


TRICLINIC = np.array([[45.0, 0, 0], [3.5, 42.0, 0], [0, 0, 40.0]])
COLUMNS = "id type x y z ix iy iz vx vy vz"


def write_dump(path: Path, *, n_atoms: int, n_frames: int) -> None:
    """A triclinic LAMMPS text dump with image flags and velocities."""
    with open(path, "w") as file:
        for k, (rows, _) in enumerate(frames_of_rows(n_atoms, n_frames)):
            file.write(f"ITEM: TIMESTEP\n{100 * k}\nITEM: NUMBER OF ATOMS\n{n_atoms}\nITEM: BOX BOUNDS xy xz yz pp pp pp\n")
            file.write(f"0 48.5 3.5\n0 42 0\n0 40 0\nITEM: ATOMS {COLUMNS}\n")
            file.writelines(
                f"{i:.0f} {t:.0f} {a:.6g} {b:.6g} {c:.6g} 0 0 0 {p:.6g} {q:.6g} {r:.6g}\n" for i, t, a, b, c, _, _, _, p, q, r in rows.tolist()
            )


def write_binary(path: Path, *, n_atoms: int, n_frames: int) -> None:
    """The same as a LAMMPS binary dump of revision 2."""
    columns = COLUMNS.encode()
    with open(path, "wb") as file:
        for k, (rows, _) in enumerate(frames_of_rows(n_atoms, n_frames)):
            file.write(struct.pack("<q10s2i2q", -10, b"DUMPCUSTOM", 1, 2, 100 * k, n_atoms))
            file.write(struct.pack("<7i6d3d", 1, *[0] * 6, 0, 45, 0, 42, 0, 40, 3.5, 0, 0))
            file.write(struct.pack(f"<iibi{len(columns)}si", 11, 0, 0, len(columns), columns, 1))
            file.write(struct.pack("<i", 11 * n_atoms) + rows.tobytes())


def write_xdatcar(path: Path, *, n_atoms: int, n_frames: int) -> None:
    """An XDATCAR of a random walk."""
    random = np.random.default_rng(0)
    s = random.uniform(0, 1, (n_atoms, 3))
    with open(path, "w") as file:
        file.write(f"walk\n1.0\n 20 0 0\n 0 20 0\n 0 0 20\n Li S\n {n_atoms // 2} {n_atoms - n_atoms // 2}\n")
        for k in range(n_frames):
            s += random.normal(0, 0.005, (n_atoms, 3))
            file.write(f"Direct configuration= {k + 1:5d}\n")
            file.writelines(f"  {a:.8f}  {b:.8f}  {c:.8f}\n" for a, b, c in (s % 1.0).tolist())


def with_mdanalysis(path: Path) -> None:
    import MDAnalysis

    for _ in MDAnalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP").trajectory:
        pass


def with_ase(path: Path, kind: str) -> None:
    import ase.io

    for _ in ase.io.iread(str(path), index=":", format=kind):
        pass


def with_ovito(path: Path) -> None:
    from ovito.io import import_file

    pipeline = import_file(str(path))
    for frame in range(pipeline.source.num_frames):
        pipeline.source.compute(frame)


@contextlib.contextmanager
def cores(number: int) -> Iterator[None]:
    """Only so many processor cores for this process."""
    if not hasattr(os, "sched_getaffinity"):
        yield
        return
    there = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(there)[:number]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, there)


def rates(case: str, size: float, tools: dict[str, Callable[[], Any]], repeats: int, unit: str = "MB/s") -> Iterator[Row]:
    """MB/s (or another unit) of each tool that is installed: the best run of each, taken in turn, so that other load meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in tools}
    for turn in range(repeats + 1):
        for name, call in tools.items():
            start = clock()
            try:
                call()
            except ModuleNotFoundError as reason:
                if reason.name is None or reason.name.split(".")[0].lower() != name.split()[0].lower():
                    raise
                times[name] = [float("nan")]
                continue
            if turn:  # the first is compilation and page cache
                times[name].append(clock() - start)
    for name, each in times.items():
        yield case, name, size / min(each), unit, {"median": size / statistics.median(each)}


def read(repeats: int) -> Iterator[Row]:
    options: dict[str, Any] = {"units": "metal", "timestep": 0.001, "species": {1: "Ca", 2: "F"}}
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.lammpstrj"
        write_dump(path, n_atoms=5000, n_frames=200)
        size = path.stat().st_size / 1e6
        peers: dict[str, Callable[[], Any]] = {
            "ovito": lambda: with_ovito(path),
            "ase": lambda: with_ase(path, "lammps-dump-text"),
            "MDAnalysis": lambda: with_mdanalysis(path),
        }
        with cores(1):
            case = f"LAMMPS text, {size:.0f} MB, 5000 atoms, triclinic, one core"
            yield from rates(case, size, {"mdtools": lambda: md.read(path, **options), **peers}, repeats)
        case = f"the same on {n_cores} cores"
        yield from rates(case, size, {"mdtools": lambda: md.read(path, **options), "ovito": peers["ovito"]}, repeats)
        store = Path(folder) / "run.zarr"

        def to_store() -> None:
            readers.convert(path, store, overwrite=True, **options)

        yield from rates(f"LAMMPS text to a store on {n_cores} cores", size, {"mdtools": to_store}, repeats)
        binary = Path(folder) / "run.bin"
        write_binary(binary, n_atoms=5000, n_frames=200)
        size = binary.stat().st_size / 1e6
        tools = {"mdtools": lambda: md.read(binary, **options), "ovito": lambda: with_ovito(binary), "ase": lambda: with_ase_binary(binary)}
        with cores(1):
            yield from rates(f"LAMMPS binary, {size:.0f} MB, one core", size, tools, repeats)
        path_of_vasp = Path(folder) / "XDATCAR"
        write_xdatcar(path_of_vasp, n_atoms=200, n_frames=5000)
        size = path_of_vasp.stat().st_size / 1e6
        tools = {
            "mdtools": lambda: md.read(path_of_vasp, frame_interval=0.002),
            "ovito": lambda: with_ovito(path_of_vasp),
            "ase": lambda: with_ase(path_of_vasp, "vasp-xdatcar"),
        }
        with cores(1):
            yield from rates(f"XDATCAR, {size:.0f} MB, 200 atoms, one core", size, tools, repeats)


def with_ase_binary(path: Path) -> None:
    import ase.io

    ase.io.read(str(path), index=":", format="lammps-dump-binary", colnames=COLUMNS.split())


def msd(repeats: int) -> Iterator[Row]:
    """Every tool gets all lags and origins of the same walk; the last two rows are what the transforms alone cost."""
    run = synthetic.brownian(n_atoms=1000, n_frames=5000)
    positions = np.asarray(run.scaled_positions, dtype=np.float64) * 20.0
    case = "MSD, all lags and origins, 1000 atoms x 5000 frames"
    least = _least_bytes(run.n_atoms, run.n_frames)
    yield from own(case, lambda: md.msd(run, reference="none"), repeats, n_bytes=least, counted="each pass of the transforms once")
    yield case, "mdtools, with the tensor", median_time(lambda: md.msd(run, reference="none", tensor=True), repeats), "s"
    yield case, "MDAnalysis", _peer("MDAnalysis", lambda peer: _by_mdanalysis(peer, positions)), "s"
    paths = np.ascontiguousarray(positions.transpose(1, 0, 2))
    yield case, "tidynamics", _peer("tidynamics", lambda peer: lambda: [peer.msd(path) for path in paths]), "s"
    yield case, "freud (in single precision)", _peer("freud", lambda peer: lambda: peer.msd.MSD(mode="window").compute(positions).msd), "s"
    series = np.ascontiguousarray(positions.transpose(1, 2, 0)).reshape(-1, run.n_frames)
    yield case, "batched rFFT of scipy, the whole MSD of it", median_time(lambda: _by_scipy(series), repeats), "s"
    yield case, "batched rFFT of scipy, forward only", median_time(lambda: scipy.fft.rfft(series, n=2 * run.n_frames), repeats), "s"
    small = synthetic.brownian(n_atoms=200, n_frames=2000)  # kinisi's time goes with the square of the frames
    case = "MSD, all lags and origins, 200 atoms x 2000 frames"
    yield case, "mdtools", median_time(lambda: md.msd(small, reference="none"), repeats), "s"
    yield case, "kinisi", _peer("kinisi", lambda _: lambda: _by_kinisi(small)), "s"


def _by_mdanalysis(peer: Any, positions: np.ndarray) -> Callable[[], Any]:
    from MDAnalysis.analysis.msd import EinsteinMSD

    universe = peer.Universe.empty(positions.shape[1], trajectory=True)
    universe.load_new(positions.astype(np.float32))
    return lambda: EinsteinMSD(universe, fft=True).run()


def _peer(name: str, make: Callable[[Any], Callable[[], Any]]) -> float:
    """Time of what `make(module)` gives; NaN where the peer is not installed."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        return float("nan")
    return median_time(make(module), 1)


def _by_scipy(series: np.ndarray) -> np.ndarray:
    """S1 - 2 S2 of each series (series, frame), as one batch."""
    n = series.shape[1]
    x = series - series.mean(axis=1, keepdims=True)
    spectrum = scipy.fft.rfft(x, n=2 * n)
    product = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2)[:, :n]
    below = np.cumsum(x * x, axis=1)
    ends = below[:, ::-1] + below[:, -1:] - (below - x * x)
    return (ends - 2 * product).sum(axis=0) / np.arange(n, 0, -1)


def _by_kinisi(run: md.Trajectory) -> Any:
    """Displacements of every lag of one species, as kinisi reads them from a Universe."""
    import MDAnalysis
    import scipp
    from kinisi.analyze import DiffusionAnalyzer

    universe = MDAnalysis.Universe.empty(run.n_atoms, trajectory=True)
    universe.add_TopologyAttr("types", run.species.tolist())
    positions = (np.asarray(run.scaled_positions, dtype=np.float64) % 1.0) * 20.0
    universe.load_new(positions.astype(np.float32), dimensions=np.broadcast_to([20.0, 20, 20, 90, 90, 90], (run.n_frames, 6)), dt=0.1)
    step = 0.1 * scipp.Unit("ps")
    return DiffusionAnalyzer.from_universe(universe, specie="A", time_step=step, step_skip=1 * scipp.units.dimensionless, progress=False)


def _least_bytes(n_atoms: int, n_frames: int, *, padded: int = 2) -> int:
    """What an MSD by FFT moves at the least through the memory of a device, each pass once: the limit of a GPU.

    Read the stored positions (float32), write and read the padded series (float64, padded x frames), write and read the
    half spectrum (complex128); sums over atoms are small. A transform of one pass is assumed.
    """
    positions = 3 * n_atoms * n_frames * 4
    series = 3 * n_atoms * padded * n_frames * 8
    spectrum = 3 * n_atoms * (padded * n_frames // 2 + 1) * 16
    return positions + 2 * series + 2 * spectrum


def van_hove(repeats: int) -> Iterator[Row]:
    """Pair distances a second at r_max = L/2, every tool on the same frames, origin to later frame where it can."""
    for n_atoms, n_frames in ((500, 101), (2000, 12)):
        run = synthetic.brownian(n_atoms=n_atoms, n_frames=n_frames, length=24.0)
        pairs = float(n_atoms) * (n_atoms - 1) * n_frames
        case = f"distinct van Hove, lag 0, {n_atoms} atoms x {n_frames} frames, 100 bins"
        tools: dict[str, Callable[[], Any]] = {
            "mdtools": lambda run=run: md.van_hove_distinct(run, windows=1, lags=[0.0], reference="none", origins="all"),
            "freud": lambda run=run: _rdf_by_freud(run),
            "mdtraj": lambda run=run: _rdf_by_mdtraj(run),
        }
        yield from _rates_of_pairs(case, pairs, tools, repeats, computed=pairs / 2)
    run = synthetic.brownian(n_atoms=500, n_frames=121, length=24.0)
    case = "distinct van Hove between two times, 500 atoms, 101 origins, lag 20 frames"
    tools = {
        "mdtools": lambda: md.van_hove_distinct(run, windows=1, lags=[2.0], reference="none", origins="all"),
        "freud": lambda: _rdf_by_freud(run, lag=20),
        "mdtraj (i < j alone, half of them)": lambda: _rdf_by_mdtraj(run, lag=20),
    }
    yield from _rates_of_pairs(case, 500 * 499 * 101, tools, repeats, computed=500 * 499 * 101)
    yield from _across_the_cell()
    case = "the same in space (van_hove_map), 500 atoms, 101 origins, 48 grid points an edge"
    yield case, "mdtools", median_time(lambda: md.van_hove_map(run, lags=[2.0], spacing=0.5, reference="none", origins="all"), repeats), "s"
    for n_atoms in (2000, 8000, 24000):
        yield f"peak memory of {n_atoms} atoms, lag 0, beyond that of 500 atoms", "mdtools", _peak_growth(n_atoms), "MB"


OF_A_PAIR = (
    31  # operations: difference 3, nearest image 6, cell 15, squares and their sum 5, root 1, bin 1; comparisons and the count are not among them
)


def _rates_of_pairs(case: str, pairs: float, tools: dict[str, Callable[[], Any]], repeats: int, *, computed: float) -> Iterator[Row]:
    """Pairs a second, and the share of our best run; computed : pairs whose distance it takes, half of them where i, j and j, i are one."""
    rows = list(rates(case, pairs / 1e6, tools, repeats, unit="million pairs/s"))
    yield from rows
    yield _share(case, OF_A_PAIR * computed, pairs / 1e6 / rows[0][2], f"{OF_A_PAIR} for each distance")


LENGTH = 24.0


def _across_the_cell() -> Iterator[Row]:
    """Two ions go .9 of the cell: where the self part of each tool has its peak. That of mdtraj folds displacements back to the nearest image."""
    start = np.array([[0.1, 0.2, 0.3], [0.1, 0.6, 0.7]])
    still = synthetic.brownian(n_atoms=2, n_frames=2, length=LENGTH)
    run = dataclasses.replace(still, scaled_positions=np.stack([start, start + np.array([0.9, 0.0, 0.0])]).astype(np.float32))
    case = f"self van Hove of ions that go {0.9 * LENGTH:g} angstrom along a cell of {LENGTH:g}: distance of the peak"
    ours = md.van_hove_self(run, windows=1, lags=[run.frame_interval], reference="none", bins=50).van_hove_self.isel(window=0, species=0, lag=0)
    yield case, "mdtools", float(ours.idxmax("r")), "angstrom"
    try:
        yield case, "mdtraj", _self_peak_of_mdtraj(run), "angstrom"
    except ModuleNotFoundError:
        yield case, "mdtraj (not installed)", float("nan"), "angstrom"


def _frames(run: md.Trajectory) -> np.ndarray:
    s = np.asarray(run.scaled_positions, dtype=np.float64)
    return ((s - np.floor(s)) * LENGTH).astype(np.float32)


def _rdf_by_freud(run: md.Trajectory, lag: int = 0) -> None:
    import freud

    box = freud.box.Box.cube(LENGTH)
    frames = _frames(run) - np.float32(LENGTH / 2)
    rdf = freud.density.RDF(bins=100, r_max=LENGTH / 2 - 0.001)
    for first, later in zip(frames, frames[lag:], strict=False):
        rdf.compute((box, first), query_points=later, neighbors={"r_max": LENGTH / 2 - 0.001, "exclude_ii": True}, reset=False)


def _in_mdtraj(run: md.Trajectory) -> Any:
    import mdtraj

    topology = mdtraj.Topology()
    residue = topology.add_residue("A", topology.add_chain())
    for _ in range(run.n_atoms):
        topology.add_atom("Ar", mdtraj.element.argon, residue)
    n = run.n_frames
    lengths = np.full((n, 3), LENGTH / 10, dtype=np.float32)
    return mdtraj.Trajectory(_frames(run) / 10, topology, time=np.arange(n), unitcell_lengths=lengths, unitcell_angles=np.full((n, 3), 90.0))


def _rdf_by_mdtraj(run: md.Trajectory, lag: int = 0) -> None:
    import mdtraj

    traj, n = _in_mdtraj(run), run.n_frames
    pairs = traj.topology.select_pairs("all", "all")
    options = {"r_range": (0.0, LENGTH / 20), "n_bins": 100}
    if lag:
        times = np.stack([np.arange(n - lag), np.arange(lag, n)], axis=1)
        mdtraj.compute_rdf_t(traj, pairs, times, self_correlation=False, n_concurrent_pairs=20000, **options)
    else:
        mdtraj.compute_rdf(traj, pairs, **options)


def _self_peak_of_mdtraj(run: md.Trajectory) -> float:
    import mdtraj

    r, g = mdtraj.compute_rdf_t(
        _in_mdtraj(run), np.array([[0, 1]]), np.array([[0, 1]]), self_correlation=True, r_range=(0.0, LENGTH / 20), n_bins=100
    )
    return 10 * float(r[np.argmax(g[0])])


def _peak_growth(n_atoms: int) -> float:
    """MB by which a fresh process grows while it counts, beyond what it took for a run of 500 atoms."""
    code = (
        "import resource, mdtools as md; from mdtools import synthetic\n"
        "def count(n):\n"
        "    run = synthetic.brownian(n_atoms=n, n_frames=2, length=24.0)\n"
        "    md.van_hove_distinct(run, windows=1, lags=[0.0], reference='none', origins='first')\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3\n"
        f"before = count(500); print(count({n_atoms}) - before)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(answer.stdout)


def scattering(repeats: int) -> Iterator[Row]:
    """Both get the same positions from memory, the same wave vectors, and give every pair of species; dynasor's F has the lags up to W."""
    run = synthetic.brownian(n_atoms=500, n_frames=1000, length=22.0)
    hkl, _ = wave_vectors.chosen(run, hkl=None, path=None, q_max=3.0, n_q=500, who="benchmark")
    grid = np.stack(np.meshgrid(np.arange(9), *[np.arange(-8, 9)] * 2, indexing="ij"), axis=-1).reshape(-1, 3)
    few = dataclasses.replace(run, scaled_positions=run.scaled_positions[:100], cell=run.cell[:100], time=run.time[:100])
    for words, indices in ((f"{len(hkl)} scattered q", hkl), (f"full grid of {len(grid)} q", grid)):
        case = f"rho(q, t), {words}, 500 atoms x 100 frames"
        phases = 500 * 100 * len(indices) / 1e9
        yield (
            case,
            "mdtools",
            phases / _best(lambda h=indices: list(density_modes.DensityModes(few, reference="none").over(h, windows=1, length=100)), repeats),
            "G phases/s",
        )
        yield case, "dynasor", phases / _peer_time("dynasor", lambda h=indices: _rho_of_dynasor(few, h), repeats), "G phases/s"
    options: dict[str, Any] = {"hkl": hkl.tolist(), "shells": 0, "windows": 1, "reference": "none"}
    for width in (250, 999):
        case = f"F(q, t) and S(q, f), {len(hkl)} q, W = {width}, 500 atoms x 1000 frames"
        longest = width * run.frame_interval
        phases = 8.0 * len(hkl) * run.n_atoms * run.n_frames
        call = functools.partial(md.dynamic_structure_factor, run, longest=longest, **options)
        yield from own(case, call, repeats, operations=phases, counted="8 for each atom, q and frame")
        yield case, "dynasor", _peer_time("dynasor", lambda w=width: _functions_of_dynasor(run, hkl, w, self_part=False), 1), "s"
    few_q = hkl[:: len(hkl) // 50]
    case = f"F_s(q, t), {len(few_q)} q, W = 250, 500 atoms x 1000 frames"
    longest = 250 * run.frame_interval
    ours = _best(lambda: md.intermediate_scattering_self(run, hkl=few_q.tolist(), longest=longest, windows=1, reference="none"), repeats)
    yield case, "mdtools", ours, "s"
    yield case, "dynasor", _peer_time("dynasor", lambda: _functions_of_dynasor(run, few_q, 250, self_part=True), 1), "s"


def _best(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(max(repeats, 3)):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times)


def _peer_time(name: str, call: Callable[[], Any], repeats: int) -> float:
    """The best run after one that is not counted; NaN where the peer is not installed."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return float("nan")
    times = []
    for _ in range(repeats + 1):
        start = clock()
        call()
        times.append(clock() - start)
    return min(times[1:])


class _InMemory:
    """What dynasor asks of a trajectory, from arrays: its own reads files, which is not what is timed here."""

    def __init__(self, run: md.Trajectory) -> None:
        self.atomic_indices = {name: run.indices(name) for name in run.species_names}
        self.atom_types, self.n_atoms, self.frame_step, self.cell = sorted(run.species_names), run.n_atoms, 1, run.cell[0]
        self.positions = np.asarray(run.scaled_positions, dtype=np.float64) @ run.cell[0]
        self.number_of_frames_read, self.has_positions, self.has_velocities = 0, True, run.velocities is not None
        self.velocities = None if run.velocities is None else np.asarray(run.velocities, dtype=np.float64) / 1000.0  # angstrom/fs

    def __iter__(self) -> Iterator[Any]:
        from dynasor.trajectory.trajectory_frame import TrajectoryFrame

        for k, x in enumerate(self.positions):
            self.number_of_frames_read += 1
            v = None if self.velocities is None else self.velocities[k].copy()
            yield TrajectoryFrame(self.atomic_indices, k, x.copy(), v, None, properties=("positions", *(("velocities",) if v is not None else ())))


def _rho_of_dynasor(run: md.Trajectory, hkl: np.ndarray) -> None:
    from dynasor.core.reciprocal import calc_rho_q

    q = 2 * np.pi * wave_vectors.in_cycles(hkl, run.mean_cell)
    positions = np.asarray(run.scaled_positions, dtype=np.float64) @ run.cell[0]
    for x in positions:
        for name in run.species_names:
            calc_rho_q(np.ascontiguousarray(x[run.indices(name)]), q)


def _functions_of_dynasor(run: md.Trajectory, hkl: np.ndarray, width: int, *, self_part: bool) -> None:
    import logging

    from dynasor import compute_dynamic_structure_factors

    logging.getLogger("dynasor").setLevel(logging.ERROR)
    q = 2 * np.pi * wave_vectors.in_cycles(hkl, run.mean_cell)
    compute_dynamic_structure_factors(_InMemory(run), q, dt=100.0, window_size=width, calculate_incoherent=self_part)


def mdanse(repeats: int) -> Iterator[Row]:
    """Jobs of MDANSE from its own file, which is written beforehand, beside the same functions, pairs, wave vectors and lags of ours."""
    run = synthetic.brownian(n_atoms=500, n_frames=1000, length=LENGTH)
    short = dataclasses.replace(run, scaled_positions=run.scaled_positions[:102], cell=run.cell[:102], time=run.time[:102])
    hkl = np.stack(np.meshgrid(*[np.arange(7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[1:]
    grid = dict.fromkeys("hkl", (0, 6, 1))
    distinct: dict[str, Any] = {"windows": 1, "lags": [0.0, run.frame_interval], "reference": "none", "origins": "all"}
    coherent: dict[str, Any] = {"hkl": hkl.tolist(), "shells": 0, "windows": 1, "reference": "none", "longest": 250 * run.frame_interval}
    with tempfile.TemporaryDirectory() as folder:
        job = _Mdanse(run, Path(folder))
        pairs = 500 * 499 * 203 / 1e6
        tools: dict[str, Callable[[], Any]] = {
            "mdtools": lambda: md.van_hove_distinct(short, **distinct),
            "MDANSE": lambda: job("VanHoveFunctionDistinct", frames=(0, 101, 1, 2), r_values=(0.0, LENGTH / 20, LENGTH / 2000), weights="equal"),
        }
        yield from rates("distinct van Hove, lags of 0 and 1 frame, 500 atoms x 102 frames", pairs, tools, repeats, unit="million pairs/s")
        case = f"F(q, t) and S(q, f), {len(hkl)} q, W = 250, 500 atoms x 1000 frames"
        yield case, "mdtools", _best(lambda: md.dynamic_structure_factor(run, **coherent), repeats), "s"
        vectors = ("MillerIndicesQVectors", {"shells": (2.5, 27.5, 5.0), "width": 5.0, **grid})
        theirs: dict[str, Any] = {"frames": (0, 999, 1, 251), "instrument_resolution": ("Ideal", {}), "q_vectors": vectors, "weights": "equal"}
        yield case, "MDANSE", _peer_time("MDANSE", lambda: job("DynamicCoherentStructureFactor", **theirs), 1), "s"


class _Mdanse:
    """Runs jobs of MDANSE on a file of the run, written at the first."""

    def __init__(self, run: md.Trajectory, folder: Path) -> None:
        self.run, self.folder = run, folder

    def __call__(self, name: str, **parameters: Any) -> None:
        from MDANSE.Framework.Jobs.IJob import IJob

        if not (self.folder / "run.mdt").exists():
            self._convert()
        options = {"grouping_level": "atom", "atom_selection": None, "atom_transmutation": None, "running_mode": ("single-core",)}
        files = {"trajectory": str(self.folder / "run.mdt"), "output_files": (str(self.folder / name), ["MDAFormat"], "no logs")}
        IJob.create(name).run({**files, **options, **parameters}, status=False)

    def _convert(self) -> None:
        import ase.io
        from MDANSE.Framework.Converters.Converter import Converter

        names = np.where(np.asarray(self.run.species) == self.run.species_names[0], "Ca", "F").tolist()
        positions = np.asarray(self.run.scaled_positions, dtype=np.float64) @ self.run.cell[0]
        ase.io.write(self.folder / "run.traj", [ase.Atoms(names, positions=x, cell=self.run.cell[0], pbc=True) for x in positions])
        times = {"time_step": 1000 * self.run.frame_interval, "time_unit": "fs", "n_steps": 0}
        files = {"trajectory_file": str(self.folder / "run.traj"), "output_files": (str(self.folder / "run"), 64, 128, "none", "no logs")}
        Converter.create("ASE").run({**files, **times, "fold": False, "atom_aliases": "{}"}, status=False)


def phonons(repeats: int) -> Iterator[Row]:
    """All get the same velocities from memory. numpy: the script that people write, with the same taper, in one piece and by window."""
    run = synthetic.damped_oscillator(cells=10, n_frames=5000)
    v = np.asarray(run.velocities)
    for windows in (8, 1):
        case = f"phonon DOS, {windows} windows, 1000 atoms x 5000 frames"

        def plain(windows: int = windows) -> np.ndarray:
            n = 5000 // windows
            taper = np.hanning(n)[:, None, None]
            return sum(
                np.einsum("fax,a->xf", np.abs(np.fft.rfft(taper * v[k * n : (k + 1) * n], axis=0)) ** 2, run.masses) / np.sum(taper**2)
                for k in range(windows)
            )

        moved = v.nbytes + 2 * 2 * v.size * 8
        call = functools.partial(md.phonon_dos, run, windows=windows)
        yield from own(case, call, repeats, n_bytes=moved, counted="velocities once, series and spectrum written and read")
        yield case, "numpy rfft", _best(plain, repeats), "s"
        yield (
            case,
            "pwtools' definition (scipy fft of x(t), zeros as long again)",
            _best(lambda windows=windows: _by_pwtools(v, run.masses, windows), repeats),
            "s",
        )
    spacing = run.cell[0, 0, 0] / 10
    primitive = Crystal(spacing * np.eye(3), np.zeros((1, 3)), ("Ar",), np.array([39.948]))
    named = run.relabel({"Ar": range(run.n_atoms)})
    for path, q in (("0 0 0  0.5 0 0", 6), ("0 0 0  0.5 0 0  0.5 0.5 0  0 0 0  0.5 0.5 0.5", 21)):
        case = f"spectral energy density at {q} wave vectors, 1000 atoms x 5000 frames, one core"
        with cores(1):
            ours = _best(lambda path=path: md.spectral_energy_density(named, primitive=primitive, path=path, windows=1, taper="none"), repeats)
            yield case, "mdtools", ours, "s"
            found = md.spectral_energy_density(named, primitive=primitive, path=path, windows=1, taper="none")
            points = 2 * np.pi * found.q_reduced.values / spacing
            yield case, "dynasor", _peer_time("dynasor", lambda points=points: _density_of_dynasor(named, primitive, points), repeats), "s"
            yield case, "an FFT for each atom and wave vector", _best(lambda points=points: _density_atom_by_atom(named, points), 1), "s"


def _by_pwtools(v: np.ndarray, masses: np.ndarray, windows: int) -> np.ndarray:
    """pwtools.pydos.direct_pdos written out (it is on no package index): Welch taper, zeros as long as the run, complex FFT over axis 0."""
    from scipy.fft import fft

    n = 5000 // windows
    taper = 1 - np.square((np.arange(n) - (n - 1) / 2) / ((n + 1) / 2))
    total = 0.0
    for k in range(windows):
        part = np.zeros((2 * n, *v.shape[1:]))
        part[:n] = v[k * n : (k + 1) * n] * taper[:, None, None]
        total = total + np.sum(np.abs(fft(part, axis=0)) ** 2 * masses[:, None], axis=(1, 2))[:n]
    return np.asarray(total)


def _density_of_dynasor(run: md.Trajectory, primitive: Crystal, q: np.ndarray) -> None:
    import ase
    from dynasor import compute_spectral_energy_density

    x = np.asarray(run.scaled_positions[0], dtype=float)
    cells = np.rint(x * 10 - x[0] * 10)
    ideal = ase.Atoms(["Ar"] * run.n_atoms, positions=cells * primitive.cell[0, 0], cell=run.cell[0], pbc=True)
    unit = ase.Atoms("Ar", cell=primitive.cell, pbc=True)
    compute_spectral_energy_density(_InMemory(run), ideal, unit, q, dt=1000 * run.frame_interval, partial=True)


def _density_atom_by_atom(run: md.Trajectory, q: np.ndarray) -> np.ndarray:
    """As pySED does it: the transform of every atom for every wave vector, then the sum over cells."""
    x = np.asarray(run.scaled_positions[0], dtype=float) @ run.cell[0]
    v = np.ascontiguousarray(np.asarray(run.velocities, dtype=float).transpose(1, 2, 0))
    out = []
    for one in q:
        total = np.zeros((3, run.n_frames), dtype=complex)
        for atom in range(run.n_atoms):
            total += np.fft.fft(v[atom] * np.exp(-1j * x[atom] @ one), axis=-1)
        out.append(np.abs(total) ** 2)
    return np.array(out)


def current(repeats: int) -> Iterator[Row]:
    """The charge current's correlation, its spectrum and the parts by pair; numpy and tidynamics make the total alone."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=1000, n_frames=5000, seed=5)
    v = np.asarray(gas.velocities)
    case = "charge current, all lags and origins, 1000 atoms x 5000 frames"
    read_once = "the velocities once"
    yield from own(case, lambda: md.charge_current_acf(gas, reference="none", windows=1), repeats, n_bytes=v.nbytes, counted=read_once)

    def plain() -> Any:
        total = np.einsum("tax,a->xt", v.astype(np.float64), gas.charges)
        power = np.abs(scipy.fft.rfft(total, n=2 * gas.n_frames)) ** 2
        return scipy.fft.irfft(power)[:, : gas.n_frames].sum(axis=0)

    yield case, "numpy einsum and scipy rfft, total alone", median_time(plain, repeats), "s"
    total = np.einsum("tax,a->tx", v.astype(np.float64), gas.charges)
    yield case, "tidynamics, of the summed current alone", _peer("tidynamics", lambda peer: lambda: peer.acf(total)), "s"


def pipeline(repeats: int) -> Iterator[Row]:
    """Commands in processes of their own, as a user runs them: cold with nothing compiled, then with what the first has kept."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=768, n_frames=1000, frame_interval=0.02, seed=1)
    told = ["--charges", "A=1,B=-1", "--masses", "A=20,B=20", "--temperature", "1000"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gas.lammpstrj"
        _write_gas(gas, path)
        case = f"dump of {path.stat().st_size / 1e6:.0f} MB, 768 atoms x 1000 frames"
        kept = ["--cache", f"{folder}/kept"]
        yield case, "mdtools info (reading alone)", _command(["info", str(path), *told, *kept]), "s"
        page = ["report", str(path), *told, "--out", f"{folder}/report.html"]
        yield f"{case}, report, nothing compiled", "mdtools", _command([*page, *kept]), "s"
        yield f"{case}, report, second time", "mdtools", min(_command([*page, *kept]) for _ in range(repeats)), "s"
        melting = ["detect", "melting", str(path), *told, "--out", f"{folder}/melting.nc", "--cache", f"{folder}/fresh"]
        yield f"{case}, detect melting, nothing compiled", "mdtools", _command(melting), "s"


def _write_gas(gas: Any, path: Path) -> None:
    with open(path, "w") as file:
        for frame in range(gas.n_frames):
            positions = np.asarray(gas.scaled_positions[frame], dtype=np.float64) @ gas.cell[frame]
            file.write(f"ITEM: UNITS\nmetal\nITEM: TIME\n{gas.time[frame]:.9g}\nITEM: TIMESTEP\n{frame}\nITEM: NUMBER OF ATOMS\n{gas.n_atoms}\n")
            file.write("ITEM: BOX BOUNDS pp pp pp\n" + "".join(f"0 {length:.9g}\n" for length in np.diag(gas.cell[frame])))
            file.write("ITEM: ATOMS id element xu yu zu vx vy vz\n")
            rows = zip(gas.species.tolist(), np.concatenate([positions, gas.velocities[frame]], axis=1).tolist(), strict=True)
            file.writelines(f"{k} {name} " + " ".join(f"{x:.6g}" for x in row) + "\n" for k, (name, row) in enumerate(rows, start=1))


def _command(words: list[str]) -> float:
    """Wall or processor time of one command, whose compiled programs are kept where it says."""
    import resource

    settings = {name: value for name, value in os.environ.items() if not name.startswith("JAX_") or name == "JAX_PLATFORMS"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "mdtools", *words], env=settings, check=True, capture_output=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime if clock is time.process_time else wall


def conductivity(repeats: int) -> Iterator[Row]:
    """Zero-frequency limit of the spectrum of one charge current, with what each finds: the time is that of spectrum and limit alone."""
    for n_frames in (4000, 16000):
        gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=n_frames, seed=5)
        current = np.einsum("tax,a->xt", np.asarray(gas.velocities, dtype=np.float64), gas.charges)
        per = CONDUCTIVITY_TO_SI / (gas.volume * BOLTZMANN * 1000.0)  # of the integral of <J_x(0) J_x(t)>
        exact = 32 / gas.volume * CONDUCTIVITY_TO_SI / (20.0 * KINETIC_TO_EV * 5.0)
        windows = 8

        length = n_frames // windows
        f, each = np.fft.rfftfreq(length, 0.02), np.asarray(gas.velocities[: windows * length], dtype=np.float64).T.reshape(96 * windows, length)
        alone = np.square(np.abs(scipy.fft.rfft(each))).mean(axis=0)

        def ours(current: Any = current, windows: int = windows, length: int = length, f: Any = f, alone: Any = alone) -> Any:
            parts = current[:, : windows * length].reshape(3 * windows, length)
            power = np.square(np.abs(scipy.fft.rfft(parts))).mean(axis=0) * 0.02 / length
            return zero_frequency(f, power, series=3 * windows, allowed=followed(f, alone[None], series=3 * windows, n_ions=32))

        both = md.ionic_conductivity(md.charge_displacement_msd(gas, reference="none"), md.charge_current_acf(gas, windows=windows, reference="none"))
        said = f"Green-Kubo {_error(both, 'ionic_conductivity_green_kubo')}, with Einstein-Helfand {_error(both, 'ionic_conductivity')}"
        case = f"conductivity of {n_frames // 10} correlation times: exact {exact:.0f} S/m, mdtools {said}"
        yield case, "mdtools", _best(ours, repeats), "s"
        for name, peer in (("stacie", _with_stacie), ("sportran", _with_sportran)):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                yield case, f"{name} (not installed)", float("nan"), "s"
                continue
            for words, call in peer(current, per, gas):
                value, stderr = call()
                yield case, f"{words}: {value:.0f} +- {stderr:.0f} S/m", _best(call, 1), "s"


def _error(data: Any, name: str) -> str:
    return f"{float(data[name]):.0f} +- {float(data[f'{name}_stderr']):.0f}"


def _with_stacie(current: np.ndarray, per: float, gas: Any) -> Iterator[tuple[str, Callable[[], tuple[float, float]]]]:
    from stacie import ExpPolyModel, LorentzModel, compute_spectrum, estimate_acint

    for words, model in (("stacie, exp(b0 + b1 f^2)", lambda: ExpPolyModel([0, 2])), ("stacie, Lorentz", LorentzModel)):

        def call(model: Any = model) -> tuple[float, float]:
            found = estimate_acint(compute_spectrum(current, prefactors=per, timestep=gas.frame_interval, include_zero_freq=True), model())
            return float(found.acint), float(found.acint_std)

        yield words, call


def _with_sportran(current: np.ndarray, per: float, gas: Any) -> Iterator[tuple[str, Callable[[], tuple[float, float]]]]:
    if not hasattr(np, "trapz"):
        setattr(np, "trapz", np.trapezoid)  # noqa: B010  1.0.0rc4 was written before NumPy 2
    import sportran

    def call() -> tuple[float, float]:
        with contextlib.redirect_stdout(None):
            series = sportran.ElectricCurrent(current.T.copy(), UNITS="metal", DT_FS=1000 * gas.frame_interval, TEMPERATURE=1000.0, VOLUME=gas.volume)
            low = series.resample(fstar_THz=2.0, plot=False)
            low.cepstral_analysis()
        return float(low.kappa), float(low.kappa_std)

    yield "sportran, f* = 2 THz by hand", call


def growth(repeats: int) -> Iterator[Row]:
    """Slopes of log time and log memory against log size (`scripts/growth.py` shows what is behind them)."""
    script = Path(__file__).with_name("growth.py")
    for name in ("msd", "current", "van-hove", "scattering", "phonons"):
        answer = subprocess.run([sys.executable, script, name, "--json", "--repeats", str(repeats)], capture_output=True, text=True, check=True)
        for row in map(json.loads, answer.stdout.splitlines()):
            case = f"growth of {name} with {row['against']} ({', '.join(map(str, row['sizes']))})"
            yield case, f"slope of time, {row['expected']} is expected", row["slope"], "power", row
            yield case, f"slope of peak memory, {row['peak_MB'][-1]:.0f} MB at last", row["slope_of_peak"], "power"


CASES = {
    "read": read,
    "conductivity": conductivity,
    "msd": msd,
    "current": current,
    "van-hove": van_hove,
    "scattering": scattering,
    "mdanse": mdanse,
    "phonons": phonons,
    "pipeline": pipeline,
    "growth": growth,
}


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def as_told(row: dict[str, Any], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """A row for JSON, which has no NaN, with what the table leaves out: names of the row itself win."""
    return {key: None if value != value else value for key, value in ((more or {}) | row).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="default: all but growth")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cpu", action="store_true", help="time that processor cores were at work, for machines that others use as well")
    options = parser.parse_args()
    global clock
    clock = time.process_time if options.cpu else time.perf_counter
    import jax

    warnings.simplefilter("ignore")  # the peers' own
    machine = f"{processor()}, {jax.devices()[0].device_kind}, jax {jax.__version__}, python {platform.python_version()}"
    machine += ", processor time" if options.cpu else ""
    print(f"{time.strftime('%Y-%m-%d')}, {machine}\n\n| case | tool | figure | unit | mdtools is |\n|---|---|---|---|---|")
    rows, mine = [], float("nan")
    for name in options.cases or [name for name in CASES if name != "growth"]:
        for case, tool, figure, unit, *more in CASES[name](options.repeats):
            mine = figure if tool == "mdtools" else mine
            times = float("nan") if unit in ("1", "angstrom", "power") or not mine else mine / figure if "/s" in unit else figure / mine
            said = tool if figure == figure or "(not installed)" in tool else f"{tool} (not installed)"
            rows.append(as_told({"case": case, "tool": said, "figure": figure, "unit": unit, "times_as_fast": times}, *more))
            compared = "" if tool.startswith("mdtools") or times != times else f"{times:.3g} times as fast"
            print(f"| {case} | {said} | {figure:.3g} | {unit} | {compared} |")
            sys.stdout.flush()
    ceilings = {"copied_bytes_per_s": copied(), "float64_matmul_operations_per_s": multiplied()}
    print(f"\nceilings of this run: copies {copied() / 1e9:.1f} GB/s, float64 matrix product {multiplied() / 1e9:.1f} G operations/s")
    if options.json:
        found = {"machine": machine, "date": time.strftime("%Y-%m-%d"), "ceilings": ceilings, "rows": rows}
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

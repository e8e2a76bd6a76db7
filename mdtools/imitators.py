"""Trajectories of a known state of a sublattice, and of what looks like a melted one and is none: for the calibration of verdicts.

Every ion vibrates as a damped oscillator about a centre; what the centres do makes the state. Framework "X" (40 amu, fcc), mobile
"A" (20 amu, on its tetrahedral holes, a simple cubic lattice), 3 % of the neighbour distance and more of thermal displacement, lengths in
angstrom, times in ps. Units are those of the package; `seed` fixes the numbers.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from mdtools import synthetic
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["coexistence", "creep", "crystal", "defect_conductor", "glass", "liquid", "pair_exchange", "superionic", "surface"]

PARAMETER = 5.6  # of the cubic cell
MASS = {"X": 40.0, "A": 20.0}
DAMPING = 3.0  # 1/ps


def crystal(
    *, cells: int = 3, n_frames: int = 700, temperature: float = 1000.0, amplitude: float = 0.08, damping: float = DAMPING,
    frame_interval: float = 0.03, seed: int = 0,
) -> Trajectory:  # fmt: skip
    """Nothing leaves its site. amplitude : <u^2>^(1/2) of A over its neighbour distance; X has 0.7 of it. damping : 1/ps, of every ion, as of a
    Langevin thermostat: above about 40 no vibration is left.

    >>> crystal(n_frames=8).species_names
    ['X', 'A']
    """
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    path = np.broadcast_to(holes, (n_frames, *holes.shape))
    return _made(random, fixed, path, cells, temperature, amplitude, frame_interval, "crystal", damping=damping)


def creep(
    *, speed: float = 0.3, cells: int = 3, n_frames: int = 700, temperature: float = 1000.0, amplitude: float = 0.08, frame_interval: float = 0.03,
    seed: int = 0,
) -> Trajectory:  # fmt: skip
    """A crystal that is sheared: planes normal to z flow along x as speed sin(2 pi z / L), in angstrom/ps; no ion leaves its neighbours."""
    still = crystal(cells=cells, n_frames=n_frames, temperature=temperature, amplitude=amplitude, frame_interval=frame_interval, seed=seed)
    s = np.asarray(still.scaled_positions, dtype=np.float64)
    s[..., 0] += speed / (cells * PARAMETER) * np.sin(2 * np.pi * s[:1, :, 2]) * still.time[:, None]
    return replace(still, scaled_positions=s.astype(np.float32), source="imitators.creep", history=({"step": "synthetic", "model": "creep"},))


def surface(
    *, layers: int = 1, cells: int = 3, n_frames: int = 700, temperature: float = 1300.0, amplitude: float = 0.08, frame_interval: float = 0.03,
    seed: int = 0,
) -> Trajectory:  # fmt: skip
    """A slab of crystal with a vacuum of half its thickness beside it; A of its outermost `layers` on either side goes freely in its plane."""
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    path = _vibration(random, n_frames, len(holes), _rms("A", amplitude), _thermal("A", temperature), frame_interval) + holes
    depth = layers * PARAMETER / 2
    outer = (holes[:, 2] < depth) | (holes[:, 2] > cells * PARAMETER - depth)
    free = _free(random, holes[outer], n_frames, _thermal("A", temperature), 20.0, frame_interval)
    path[:, outer, :2] = free[..., :2]
    rest = _vibration(random, n_frames, len(fixed), _rms("X", amplitude), _thermal("X", temperature), frame_interval) + fixed
    length = cells * PARAMETER * np.array([1.0, 1.0, 1.5])
    return _wrapped_up([rest, path], length, temperature, frame_interval, "surface", framework=("X",))


def defect_conductor(
    *, vacancies: int = 4, rate: float = 1.0, cells: int = 3, n_frames: int = 700, temperature: float = 1300.0, amplitude: float = 0.09,
    frame_interval: float = 0.03, seed: int = 0,
) -> Trajectory:  # fmt: skip
    """Vacancies of A jump to each of six neighbours, `rate` (1/ps) in all: A hops, and its sublattice has no defect but those built in."""
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    size = 2 * cells
    where = np.rint(holes / (PARAMETER / 2) - 0.5).astype(int)
    ion_at = np.full((size,) * 3, -1)
    empty = where[random.permutation(len(where))[:vacancies]]
    taken = np.array([one for one in where.tolist() if one not in empty.tolist()])
    ion_at[tuple(taken.T)] = np.arange(len(taken))
    centre = taken.astype(float) + 0.5
    path = np.empty((n_frames, len(taken), 3))
    steps = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    for frame in range(n_frames):
        path[frame] = centre * (PARAMETER / 2)
        for _ in range(random.poisson(rate * vacancies * frame_interval)):
            k, step = random.integers(vacancies), steps[random.integers(6)]
            here, there = tuple(empty[k]), tuple((empty[k] + step) % size)
            ion = ion_at[there]
            if ion >= 0:
                centre[ion] -= step
                ion_at[here], ion_at[there], empty[k] = ion, -1, there
    return _made(random, fixed, path, cells, temperature, amplitude, frame_interval, "defect_conductor")


def pair_exchange(*, rate: float = 0.05, ring: int = 2, cells: int = 3, n_frames: int = 700, temperature: float = 1300.0, amplitude: float = 0.09,
                  frame_interval: float = 0.03, seed: int = 0) -> Trajectory:  # fmt: skip
    """Neighbouring A change places (ring = 2), or four of a square turn on (ring = 4), `rate` (1/ps) of an ion: D > 0, no charge moves."""
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    size = 2 * cells
    where = np.rint(holes / (PARAMETER / 2) - 0.5).astype(int)
    ion_at = np.full((size,) * 3, -1)
    ion_at[tuple(where.T)] = np.arange(len(where))
    centre, path = where.astype(float) + 0.5, np.empty((n_frames, len(where), 3))
    unit = np.eye(3, dtype=int)
    for frame in range(n_frames):
        path[frame] = centre * (PARAMETER / 2)
        for _ in range(random.poisson(rate * len(where) / ring * frame_interval)):
            first = random.integers(0, size, 3)
            a, b = unit[random.permutation(3)[:2]]
            loop = [first, first + a] if ring == 2 else [first, first + a, first + a + b, first + b]
            ions = [ion_at[tuple(one % size)] for one in loop]
            for k, ion in enumerate(ions):
                following = loop[(k + 1) % len(loop)]
                centre[ion] += following - loop[k]
                ion_at[tuple(following % size)] = ion
    return _made(random, fixed, path, cells, temperature, amplitude, frame_interval, "pair_exchange")


def superionic(*, barrier: float = 1.0, axes: int = 3, cells: int = 3, n_frames: int = 700, temperature: float = 1600.0, amplitude: float = 0.11,
               frame_interval: float = 0.03, seed: int = 0) -> Trajectory:  # fmt: skip
    """A in a periodic potential with saddles of `barrier` k_B T between its sites, each ion for itself: below about 2 it keeps none of them.

    axes : along how many (z, then y, then x) it leaves its sites: 1 makes channels, 2 planes; along the others it vibrates.
    """
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    path = _in_waves(random, holes, n_frames, barrier * BOLTZMANN * temperature, temperature, frame_interval)
    closed = slice(0, 3 - axes)
    wells = _vibration(random, n_frames, len(holes), _rms("A", amplitude), _thermal("A", temperature), frame_interval) if axes < 3 else path
    path[..., closed] = (holes + wells)[..., closed]
    return _made(random, fixed, path, cells, temperature, amplitude, frame_interval, "superionic", shaken=False)


def liquid(
    *, cells: int = 3, n_frames: int = 700, temperature: float = 2200.0, friction: float = 20.0, frame_interval: float = 0.03, seed: int = 0
) -> Trajectory:
    """Both species in Langevin motion, without any force; X has half the diffusion coefficient of A."""
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    return _wrapped_up(
        [_free(random, one, n_frames, _thermal(name, temperature), friction, frame_interval) for name, one in (("X", fixed), ("A", holes))],
        cells * PARAMETER, temperature, frame_interval, "liquid", framework=(),
    )  # fmt: skip


def glass(*, mobile: bool = False, cells: int = 3, n_frames: int = 700, temperature: float = 600.0, amplitude: float = 0.06,
          frame_interval: float = 0.03, seed: int = 0) -> Trajectory:  # fmt: skip
    """X vibrates about random places no nearer than 0.75 of the mean distance; A too, or diffuses freely between them (mobile)."""
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    length = cells * PARAMETER
    places = _apart(random, len(fixed) + len(holes), length)
    fixed, holes = places[: len(fixed)], places[len(fixed) :]
    if mobile:
        path = _free(random, holes, n_frames, _thermal("A", temperature), 20.0, frame_interval)
        return _made(random, fixed, path, cells, temperature, amplitude, frame_interval, "glass", shaken=False)
    return _made(random, fixed, np.broadcast_to(holes, (n_frames, *holes.shape)), cells, temperature, amplitude, frame_interval, "glass")


def coexistence(
    *, share: float = 0.5, cells: int = 4, n_frames: int = 700, temperature: float = 2000.0, amplitude: float = 0.08, frame_interval: float = 0.03,
    seed: int = 0,
) -> Trajectory:  # fmt: skip
    """A crystal in one part of the box, along z, and ions that diffuse between walls in the other: a slab before it has melted, or, where that is
    the smaller `share`, a grain boundary that has.
    """
    random = np.random.default_rng(seed)
    fixed, holes = _sites(cells)
    length = cells * PARAMETER
    parts = []
    for name, one in (("X", fixed), ("A", holes)):
        still = _vibration(random, n_frames, len(one), _rms(name, amplitude), _thermal(name, temperature), frame_interval) + one
        free = _free(random, one, n_frames, _thermal(name, temperature), 20.0, frame_interval)
        wall, thick = length * (1 - share), length * share
        free[..., 2] = wall + thick - np.abs((free[..., 2] - wall) % (2 * thick) - thick)  # mirrors at the wall and at the end
        parts.append(np.where((one[:, 2] > wall)[None, :, None], free, still))
    return _wrapped_up(parts, length, temperature, frame_interval, "coexistence", framework=("X",))


def _sites(cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of X (fcc) and of its tetrahedral holes, angstrom."""
    return synthetic.lattice_sites("fcc", cells)[0] * PARAMETER, (synthetic.lattice_sites("sc", 2 * cells)[0] + 0.5) * (PARAMETER / 2)


def _thermal(name: str, temperature: float) -> float:
    return float(np.sqrt(BOLTZMANN * temperature / (MASS[name] * KINETIC_TO_EV)))


def _rms(name: str, amplitude: float) -> float:
    """Along one axis, in angstrom."""
    return (1.0 if name == "A" else 0.7) * amplitude * (PARAMETER / 2) / np.sqrt(3)


def _vibration(random: np.random.Generator, n_frames: int, n: int, rms: float, speed: float, dt: float, damping: float = DAMPING) -> np.ndarray:
    """Damped oscillators (frame, ion, 3) of this displacement and thermal speed along each axis, by their exact propagator."""
    import scipy.linalg

    w0 = speed / rms
    step = scipy.linalg.expm(np.array([[0.0, 1.0], [-(w0**2), -damping]]) * dt)
    stationary = np.diag([rms**2, speed**2])
    root = np.linalg.cholesky(stationary - step @ stationary @ step.T)
    state = np.sqrt(np.diag(stationary))[:, None, None] * random.normal(size=(2, n, 3))
    out = np.empty((n_frames, n, 3))
    for k in range(n_frames):
        out[k] = state[0]
        state = np.einsum("ij,j...->i...", step, state) + np.einsum("ij,j...->i...", root, random.normal(size=state.shape))
    return out


def _free(random: np.random.Generator, start: np.ndarray, n_frames: int, speed: float, friction: float, dt: float) -> np.ndarray:
    """Langevin motion without a force, v remembered 1 / friction."""
    decay = np.exp(-friction * dt)
    v, x = speed * random.normal(size=start.shape), start.copy()
    out = np.empty((n_frames, *start.shape))
    spread = speed**2 / friction**2 * (2 * friction * dt - 3 + 4 * decay - decay**2)
    for k in range(n_frames):
        out[k] = x
        x = x + v * (1 - decay) / friction + np.sqrt(spread) * random.normal(size=x.shape)
        v = decay * v + speed * np.sqrt(1 - decay**2) * random.normal(size=v.shape)
    return out


def _in_waves(random: np.random.Generator, start: np.ndarray, n_frames: int, barrier: float, temperature: float, dt: float) -> np.ndarray:
    """Langevin motion in U = -(barrier / 2) sum_axes cos(4 pi x / a), minima on the holes, by steps of an eighth of a frame."""
    every, friction = 8, 6.0
    k, h = 4 * np.pi / PARAMETER, dt / every
    speed, mass = _thermal("A", temperature), MASS["A"] * KINETIC_TO_EV
    decay = np.exp(-friction * h)
    x, v = start.copy(), speed * random.normal(size=start.shape)
    origin, out = start[0], np.empty((n_frames, *start.shape))
    for frame in range(n_frames):
        out[frame] = x
        for _ in range(every):
            v = v - h * 0.5 * barrier * k * np.sin(k * (x - origin)) / mass
            x = x + 0.5 * h * v
            v = decay * v + speed * np.sqrt(1 - decay**2) * random.normal(size=v.shape)
            x = x + 0.5 * h * v
    return out


def _apart(random: np.random.Generator, n: int, length: float) -> np.ndarray:
    """Random places (n, 3) in a cube, no two nearer than 0.75 of the mean distance; closest pairs are moved apart until none is."""
    places = random.uniform(0, length, (n, 3))
    least = 0.75 * length / n ** (1 / 3)
    for _ in range(500):
        apart = places[:, None] - places[None]
        apart -= length * np.rint(apart / length)
        distance = np.linalg.norm(apart, axis=-1) + np.eye(n) * length
        if distance.min() >= least:
            break
        push = np.maximum(least * 1.01 - distance, 0.0) / distance
        places = (places + 0.5 * np.einsum("ij,ijx->ix", push, apart)) % length
    return places


def _made(random: np.random.Generator, fixed: np.ndarray, path: np.ndarray, cells: int, temperature: float, amplitude: float, dt: float, source: str,
          *, shaken: bool = True, damping: float = DAMPING) -> Trajectory:  # fmt: skip
    n_frames = len(path)
    rest = _vibration(random, n_frames, len(fixed), _rms("X", amplitude), _thermal("X", temperature), dt, damping) + fixed
    if shaken:
        path = path + _vibration(random, n_frames, path.shape[1], _rms("A", amplitude), _thermal("A", temperature), dt, damping)
    return _wrapped_up([rest, path], cells * PARAMETER, temperature, dt, source, framework=("X",))


def _wrapped_up(parts: list[np.ndarray], length: float | np.ndarray, temperature: float, dt: float, source: str, **more: Any) -> Trajectory:
    counts = [one.shape[1] for one in parts]
    path = np.concatenate(parts, axis=1) / length
    n_frames = len(path)
    return Trajectory(
        scaled_positions=(path - np.floor(path[:1])).astype(np.float32),
        cell=np.broadcast_to(length * np.eye(3), (n_frames, 3, 3)).copy(),
        time=np.arange(n_frames) * dt,
        species=np.repeat(["X", "A"], counts),
        masses=np.repeat([MASS["X"], MASS["A"]], counts),
        charges=np.repeat([counts[1] / counts[0], -1.0], counts),
        temperature=temperature,
        source=f"imitators.{source}",
        history=({"step": "synthetic", "model": source},),
        **more,
    )

"""Coordinates of single modes of a crystal, and their power spectra."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_modes import ChosenModes, asked, listed, patterned, starred
from mdtools.analyses.differenced import differenced
from mdtools.analyses.labels import arithmetic, common, window_starts
from mdtools.analyses.lattice_waves import mass_weighted, projected, waves_at_once, waves_of
from mdtools.analyses.lattice_windows import Lattice, lattice_of, windows_of
from mdtools.analyses.over_frames import in_windows
from mdtools.errors import TrajectoryError
from mdtools.kernels.spectrum import periodogram
from mdtools.trajectory import Quantity, Trajectory

__all__ = ["mode_spectra"]

WHO = "mode_spectra"


@schema.recorded
def mode_spectra(
    traj: Trajectory,
    *,
    phonopy: str | None = None,
    q: Sequence[float] | None = None,
    band: int | Sequence[int] | None = None,
    primitive: str | Any = None,
    pattern: Mapping[str, str] | None = None,
    windows: int = 4,
    taper: Literal["hann", "none"] = "hann",
    reference: Sequence[str] | str | None = None,
    centre: Literal["sites", "mean"] = "sites",
    most_dropped: float = 0.05,
    star: bool = False,
    list: bool = False,
) -> xr.Dataset:
    """Power spectra of the coordinates and velocities of single modes at a wave vector of the supercell.

    Q(t) = sum_lj sqrt(m_j / N) e*_j . u_lj(t) exp(-i q . r_lj) over the atoms j of the N primitive cells l, u the displacement
    from the site; dQ/dt alike of the velocities. The spectrum is S(f) = dt |sum_k w_k Q_k exp(-2 pi i f k dt)|^2 / sum_k w_k^2,
    two-sided, given at f >= 0, there the mean of f and -f: 2 int_0^inf S df = <|Q|^2>, harmonic k_B T / (2 pi f_0)^2, and
    k_B T for dQ/dt. Where q and -q are one, Q is real and `series` is 1: an ordinate at f > 0 scatters exponentially about S;
    elsewhere real and imaginary parts are two series, and it is the sum of two exponentials of mean S/2.

    phonopy : phonopy_params.yaml, phonopy.yaml, band.yaml, qpoints.yaml or mesh.yaml; supercell, sites and axes of the run are found and
        checked. q : in reciprocal vectors of its primitive cell. band : number from 1, upwards in frequency; all if not given.
    primitive, pattern : without eigenvectors, a primitive cell (POSCAR, cif; in Python also ase.Atoms) and how its atoms move along
        x, y, z of that file, in phase within a cell: "Ca=0 0 1,F=0 0 -1", "F1=0 0 1,F2=0 0 -1".
    windows, reference : as in `msd`. taper : as in `phonon_dos`.
    centre : "sites" takes displacements from the perfect sites, so that a condensed mode has its mean; "mean" from the mean over the run.
    most_dropped : share of an eigenvector on atoms that hold no site (diffusing ions) above which it is refused.
    star : the same modes at every wave vector of the supercell that is q by the symmetry of the primitive cell (of q and -q one), in one
        `degenerate_set`: `mode_frequencies` fits them together, with errors smaller by the root of their number.
    list : no spectra, but every wave vector that fits into the supercell with its bands and frequencies.

    Returns `mode_coordinate_periodogram` (window, mode, frequency) in amu angstrom^2 ps, `mode_coordinate_square` (window, mode),
    `mode_coordinate_mean` (window, mode, part), with velocities of the file `mode_velocity_periodogram` and
    `mode_velocity_square`; `unprojected_coordinate_square` and `unprojected_velocity_square`, to which the squares of all
    bands of a q (of a star) sum; `window_length`, `frequency_resolution`; labels `q_reduced`, `band`, `harmonic_frequency` (THz, negative where
    imaginary), `degenerate_set`, `series`, `dropped_weight`.
    Raises TrajectoryError (no positions or masses, no supercell, q that does not fit, too much dropped), NotEnoughData (short windows, frames
    too far apart for the frequency in the file).
    Source: reference/science.md B7; phases as in phonopy (A. Togo, J. Phys. Soc. Jpn. 92, 012001 (2023)).

    >>> import ase
    >>> from mdtools import synthetic
    >>> run = synthetic.harmonic_crystal(cells=4, n_frames=2000, seed=1).relabel({"Na": range(0, 64)})
    >>> out = mode_spectra(run, primitive=ase.Atoms("Na", cell=[3, 3, 3], pbc=True), q=[0.5, 0.5, 0.5], pattern={"Na": "1 0 0"})
    >>> out.mode_coordinate_periodogram.sizes["mode"], int(out.series[0])
    (1, 1)
    """
    traj.need("scaled_positions", "masses", who=WHO)
    lattice = lattice_of(traj, phonopy, primitive, who=WHO)
    modes = _chosen(lattice, q, band, pattern, every=list)
    labels = modes.labels(lattice.mapping)
    if list:
        out: dict[str, Any] = {**common(traj), **labels, "window": window_starts(traj, windows)}
        return schema.resolved(schema.dataset(out, reduced=traj.reduced), **lattice.told)
    if star:
        modes = starred(modes, lattice.mapping, lattice.crystal)
        labels = modes.labels(lattice.mapping)
    modes.need_kept(lattice.mapping, most_dropped, who=WHO)
    of_time, out = windows_of(traj, windows, taper, who=WHO)
    if not traj.reduced:
        modes.need_resolved(of_time.interval, who=WHO)
    window = of_time.length * of_time.interval
    out |= {**labels, "frequency": of_time.frequency, "window_length": window, "part": ["real", "imaginary"]}
    measured, taken = _spectra(traj, "positions", "coordinate", modes, lattice, windows, of_time.weight, reference, centre)
    out |= measured
    told = {**lattice.told, "reference": taken, "frames_unused": of_time.unused}
    if traj.velocities is not None and differenced(traj) is None:
        out |= _spectra(traj, "velocities", "velocity", modes, lattice, windows, of_time.weight, reference, "sites")[0]
        told["arithmetic"] = arithmetic(traj.velocities)
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **told)


def _chosen(lattice: Lattice, q: Any, band: Any, pattern: Any, *, every: bool) -> ChosenModes:
    """The modes that are meant; `every` of the supercell, to be listed."""
    mapping, crystal = lattice.mapping, lattice.crystal
    if lattice.harmonic is None and (every or pattern is None):
        raise TrajectoryError(
            f"{WHO} with primitive= needs pattern= (--pattern '{crystal.symbols[0]}=0 0 1'); bands are listed of a file of phonopy (--phonopy)"
        )
    if every and lattice.harmonic is not None:
        return listed(mapping, lattice.harmonic, who=WHO)
    if pattern is not None or lattice.harmonic is None:
        return patterned(mapping, crystal, q, pattern or {}, who=WHO)
    return asked(mapping, lattice.harmonic, q, band, who=WHO)


def _spectra(
    traj: Trajectory,
    quantity: Quantity,
    word: str,
    modes: ChosenModes,
    lattice: Lattice,
    windows: int,
    weight: np.ndarray,
    reference: Sequence[str] | str | None,
    centre: str,
) -> tuple[dict[str, Any], Any]:
    """Spectra and squares of the coordinates (or velocities) of modes, those of one wave vector behind one another."""
    mapping, found, unprojected = lattice.mapping, [], np.zeros(traj.n_frames)
    starts = np.flatnonzero(np.append(True, np.any(np.diff(modes.q, axis=0) != 0, axis=1)))
    ends = np.append(starts[1:], len(modes.q))
    at_once = waves_at_once(traj, mapping, len(starts))
    for first in range(0, len(starts), at_once):
        some = slice(first, first + at_once)
        waves, taken = waves_of(traj, quantity, mapping, modes.q[starts[some]], reference=reference)
        for wave, start, end in zip(waves, starts[some], ends[some], strict=True):
            weighted = mass_weighted(wave, traj, mapping)
            if centre == "mean":
                weighted -= weighted.mean(axis=-1, keepdims=True)
            found.append(projected(weighted, modes.vectors[start:end], modes.q[start], mapping, lattice.crystal))
            unprojected += np.sum(np.abs(weighted) ** 2, axis=(0, 1))
    series = np.concatenate(found)
    parts = in_windows(np.stack([series.real, series.imag]), windows)  # (window, part, mode, frame)
    with jax.enable_x64(True):
        power = np.asarray(periodogram(parts, weight)).sum(axis=1)
    out: dict[str, Any] = {
        f"mode_{word}_periodogram": (("window", "mode", "frequency"), traj.frame_interval * power),
        f"mode_{word}_square": (("window", "mode"), np.mean(parts**2, axis=-1).sum(axis=1)),
        f"unprojected_{word}_square": ("window", np.mean(in_windows(unprojected, windows), axis=-1)),
    }
    if quantity == "positions":
        out["mode_coordinate_mean"] = (("window", "mode", "part"), parts.mean(axis=-1).transpose(0, 2, 1))
    return out, taken

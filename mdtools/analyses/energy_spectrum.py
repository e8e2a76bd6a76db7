"""Spectral energy density: at which frequencies the kinetic energy of each lattice wave of a crystal lies."""

from typing import Any, Literal

import jax
import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.analyses.chosen_modes import ChosenModes, asked
from mdtools.analyses.differenced import differenced
from mdtools.analyses.labels import arithmetic
from mdtools.analyses.lattice_waves import mass_weighted, projected, waves_at_once, waves_of
from mdtools.analyses.lattice_windows import Lattice, lattice_of, windows_of
from mdtools.analyses.over_frames import in_windows
from mdtools.errors import TrajectoryError
from mdtools.harmonic.wave_vectors import commensurate, on_path
from mdtools.kernels.spectrum import periodogram
from mdtools.trajectory import Trajectory
from mdtools.units import KINETIC_TO_EV

__all__ = ["spectral_energy_density"]

WHO = "spectral_energy_density"


@schema.recorded
def spectral_energy_density(
    traj: Trajectory,
    *,
    phonopy: str | None = None,
    primitive: str | Any = None,
    path: str | None = None,
    by: Literal["atom", "band"] = "atom",
    windows: int = 4,
    taper: Literal["hann", "none"] = "hann",
    most_dropped: float = 0.05,
) -> xr.Dataset:
    """Spectral energy density at the wave vectors of the supercell, by atom of the primitive cell and axis, or by band.

    Phi_ja(q, f) = 2 (m_j / N) dt |sum_k w_k V_k exp(-2 pi i f k dt)|^2 / sum_k w_k^2 at f >= 0, the mean of f and -f, of
    V(t) = sum_l v_lja(t) exp(-i q . R_l) over the N cells l: the sum over cells is made first. Normalised by theory: the integral over f
    is k_B T for each atom and axis, and for each band with V = dQ/dt of `mode_spectra`.

    phonopy, primitive : a file of phonopy, or a primitive cell (POSCAR, cif; in Python also ase.Atoms), as for `mode_spectra`.
    path : corners in reciprocal vectors of the primitive cell, three numbers each ("0 0 0  0.5 0 0.5"); wave vectors of the
        supercell on the straight lines between them are taken; all of the supercell, one of q and -q, if not given.
    by : "atom", or "band": projected on the eigenvectors of phonopy, which lifetimes should be read from. windows, taper : as in `phonon_dos`.
    most_dropped : share of an eigenvector on atoms that hold no site (diffusing ions) above which a band is refused.

    Of velocities made of positions the transfer function is divided out up to four fifths of the Nyquist limit, where the axis ends.

    Returns `spectral_energy_density` (window, q_point, basis_atom, direction, frequency) or `spectral_energy_density_by_band` (window, q_point,
    band, frequency) in eV ps, `q_reduced`, `path_position` (segments from the first corner), `basis_species` or `harmonic_frequency`
    and `dropped_weight`, `frequency_resolution`.
    Raises TrajectoryError (no positions, velocities or masses, no supercell, no wave vector on the path), NotEnoughData.
    Source: J. A. Thomas et al., Phys. Rev. B 81, 081411 (2010); projected: A. J. H. McGaughey, J. M. Larkin, Annu. Rev. Heat Transf. 17, 49 (2014).

    >>> import ase
    >>> from mdtools import synthetic
    >>> run = synthetic.harmonic_crystal(cells=4, n_frames=2000, masses=(20, 20), seed=1).relabel({"Na": range(0, 64)})
    >>> out = spectral_energy_density(run, primitive=ase.Atoms("Na", cell=[3, 3, 3], pbc=True), path="0 0 0  0.5 0 0")
    >>> out.q_reduced.values[:, 0].tolist(), out.spectral_energy_density.dims[1]
    ([0.0, 0.25, 0.5], 'q_point')
    """
    traj.need("scaled_positions", "velocities", "masses", who=WHO)
    made = differenced(traj)
    if made is not None:
        made.need_spectrum(traj.temperature, who=WHO)
    lattice = lattice_of(traj, phonopy, primitive, who=WHO)
    mapping = lattice.mapping
    of_time, out = windows_of(traj, windows, taper, who=WHO)
    q, along = _points(path, mapping.matrix)
    factor = 2.0 * of_time.interval * (1.0 if traj.reduced else KINETIC_TO_EV)
    shown = of_time.frequency if made is None else of_time.frequency[of_time.frequency <= made.band]
    undone = 1.0 if made is None else made.transfer(shown) ** 2
    bands = _bands(traj, lattice, q, most_dropped, of_time.interval) if by == "band" else []
    power = []
    at_once = waves_at_once(traj, mapping, len(q))
    for first in range(0, len(q), at_once):
        waves, _ = waves_of(traj, "velocities", mapping, q[first : first + at_once], reference="none")
        for number, one in enumerate(waves, start=first):
            series = mass_weighted(one, traj, mapping)
            if by == "band":
                series = projected(series, bands[number].vectors, q[number], mapping, lattice.crystal)
            with jax.enable_x64(True):
                parts = np.asarray(periodogram(in_windows(np.stack([series.real, series.imag]), windows), of_time.weight)).sum(axis=1)
            power.append(factor * parts[..., : len(shown)] / undone)
    found = np.stack(power, axis=1)
    out |= {
        "q_point": np.arange(len(q)),
        "reciprocal": ["1", "2", "3"],
        "q_reduced": (("q_point", "reciprocal"), q),
        "path_position": ("q_point", along),
        "frequency": shown,
    }
    if by == "band":
        out["spectral_energy_density_by_band"] = (("window", "q_point", "band", "frequency"), found)
        out |= {"band": np.arange(1, found.shape[2] + 1)}
        out["harmonic_frequency"] = (("q_point", "band"), np.array([one.frequency for one in bands]))
        out["dropped_weight"] = (("q_point", "band"), np.array([one.dropped(mapping) for one in bands]))
    else:
        out["spectral_energy_density"] = (("window", "q_point", "basis_atom", "direction", "frequency"), found)
        out |= {"basis_atom": mapping.kept + 1, "direction": ["x", "y", "z"]}
        out["basis_species"] = ("basis_atom", np.array([lattice.crystal.symbols[k] for k in mapping.kept]))
    more = {"arithmetic": arithmetic(traj.velocities)} | ({} if made is None else made.told)
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), **lattice.told, frames_unused=of_time.unused, **more)


def _points(path: str | None, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors and where they lie along the path; without a path all of them, numbered."""
    if path is None:
        q = commensurate(matrix)
        return q, np.arange(len(q), dtype=np.float64)
    try:
        corners = np.array(str(path).replace(",", " ").split(), dtype=np.float64).reshape(-1, 3)
    except ValueError:
        corners = np.empty((0, 3))
    if len(corners) < 2:
        raise TrajectoryError(f"{WHO}: path={path!r} is not understood; write three numbers for each of two or more corners, as '0 0 0  0.5 0 0.5'")
    q, along = on_path(corners, matrix)
    if len(q) == 0:
        raise TrajectoryError(f"{WHO}: no wave vector of the supercell {matrix.tolist()} lies on the path {path}; leave path out to take all")
    return q, along


def _bands(traj: Trajectory, lattice: Lattice, q: np.ndarray, most: float, interval: float) -> list[ChosenModes]:
    """Every band of each wave vector. Raises TrajectoryError without eigenvectors and where too much of one is dropped, NotEnoughData."""
    if lattice.harmonic is None:
        raise TrajectoryError(f"{WHO} by band needs eigenvectors: pass phonopy='phonopy_params.yaml' (--phonopy)")
    out = [asked(lattice.mapping, lattice.harmonic, point, None, who=WHO) for point in q]
    for one in out:
        one.need_kept(lattice.mapping, most, who=WHO, instead="take by='atom' (--by atom)")
        if not traj.reduced:
            one.need_resolved(interval, who=WHO, instead="take by='atom' (--by atom)")
    return out

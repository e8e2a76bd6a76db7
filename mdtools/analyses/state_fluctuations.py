"""What fluctuates in a run as its ensemble would have it, or not: energies, volume, momentum; and how empty the cell is somewhere."""

from typing import Any

import numpy as np

from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, EV_PER_ANGSTROM3_TO_GPA, KINETIC_TO_EV

__all__ = ["moments_of_log", "momentum_temperature", "widest_gap"]


def moments_of_log(traj: Trajectory, part: np.ndarray, inside: np.ndarray, windows: int) -> dict[str, Any]:
    """Moments by window, about the mean of the run, of H = E + P V with one P (to the fourth) and of V; of the kinetic energy over its
    canonical value.

    P is the stated pressure, else the mean one: with that of the moment, var(H) would be that of another ensemble.
    """
    assert traj.log is not None
    values = {name: rows[inside] for name, rows in traj.log.values.items() if rows.ndim == 1}
    which = part[inside]

    def by_window(product: np.ndarray) -> tuple[str, np.ndarray]:
        return "window", np.array([product[which == k].mean() if np.any(which == k) else np.nan for k in range(windows)])

    out: dict[str, Any] = {}
    if "temperature" in values:
        kelvin = values["temperature"]
        out["temperature_by_window"] = by_window(kelvin)
        canonical = 2 / (3 * traj.n_atoms - 3) * kelvin.mean() ** 2 if len(kelvin) and traj.n_atoms > 1 else np.nan
        out["kinetic_fluctuation"] = by_window(np.square(kelvin - kelvin.mean()) / canonical)
    if "total_energy" in values and "volume" in values:
        stated = traj.pressure if traj.pressure is not None else values["pressure"].mean() if "pressure" in values else 0.0
        pressure = float(stated) / (1.0 if traj.reduced else EV_PER_ANGSTROM3_TO_GPA)
        energy, volume = values["total_energy"] - values["total_energy"].mean(), values["volume"] - values["volume"].mean()
        enthalpy = energy + pressure * volume
        out["enthalpy_by_window"] = by_window(enthalpy)
        out["enthalpy_variance"] = by_window(enthalpy**2)
        out["enthalpy_third_moment"] = by_window(enthalpy**3)
        out["enthalpy_fourth_moment"] = by_window(enthalpy**4)
        out["logged_volume_by_window"] = by_window(volume)
        out["volume_variance"] = by_window(volume**2)
        out["enthalpy_volume_covariance"] = by_window(enthalpy * volume)
    return out


def momentum_temperature(momentum: np.ndarray, mass: float, *, reduced: bool) -> float:
    """Variance of the total momentum (frame, 3), in amu angstrom/ps, as a temperature: var(P) / (3 M k_B).

    0 where a thermostat keeps the momentum; that of the run under Langevin or Andersen dynamics of every atom.
    """
    return float(np.var(momentum, axis=0).sum() / (3 * mass) * (1.0 if reduced else KINETIC_TO_EV / BOLTZMANN))


def widest_gap(traj: Trajectory) -> float:
    """Widest empty layer of the first frame, normal to a cell vector, over (V/N)^(1/3): two or three in a slab with a vacuum, one else."""
    s = np.asarray(traj.scaled_positions[0], dtype=np.float64) % 1.0
    heights = 1 / np.linalg.norm(np.linalg.inv(traj.cell[0]), axis=0)
    ordered = np.sort(s, axis=0)
    gaps = np.diff(np.concatenate([ordered, ordered[:1] + 1.0]), axis=0).max(axis=0)
    return float((gaps * heights).max() / (traj.volume / traj.n_atoms) ** (1 / 3))

"""From Cartesian paths to a Trajectory, and how fast atoms are at a temperature."""

from typing import Any
from zlib import crc32

import numpy as np

from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["thermal_speed", "trajectory_of"]


def trajectory_of(path: np.ndarray, *, length: float | np.ndarray, frame_interval: float, source: str, **more: Any) -> Trajectory:
    """A Trajectory of Cartesian paths (frame, atom, 3) in a fixed orthogonal box; the first frame is brought into it."""
    n_frames, n_atoms, _ = path.shape
    scaled = path / np.asarray(length)
    scaled = scaled - np.floor(scaled[:1])
    velocities = more.pop("velocities", None)
    return Trajectory(
        scaled_positions=scaled.astype(more.pop("precision", np.float32)),
        velocities=None if velocities is None else velocities.astype(np.float32),
        cell=np.broadcast_to(np.diag(np.broadcast_to(length, 3)).astype(np.float64), (n_frames, 3, 3)).copy(),
        time=np.arange(n_frames) * frame_interval,
        masses=more.pop("masses", np.ones(n_atoms)),
        source=f"synthetic.{source}",
        history=({"step": "synthetic", "model": source, "checksum": f"{crc32(path[-1].tobytes()):08x}"},),
        **more,
    )


def thermal_speed(mass: float | np.ndarray, temperature: float) -> Any:
    """sqrt(k_B T / m), angstrom/ps."""
    return np.sqrt(BOLTZMANN * temperature / (np.asarray(mass) * KINETIC_TO_EV))

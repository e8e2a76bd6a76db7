"""What charges must satisfy before a current is made of them, and what they say of it before any motion is seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mdtools.analyses.labels import thermal_energy
from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["change_with_time", "checked_charges", "current_sum_rule", "is_neutral"]

NEUTRAL = 1e-3  # e per square root of the number of atoms: what rounded charges may sum to


def checked_charges(traj: Trajectory, reference: Sequence[str] | str | None, *, who: str) -> dict[str, Any]:
    """What the history says of the charges: their largest sum (e), and how far the frame of reference matters.

    A neutral cell has one current in every frame. One that is not (a file of mobile ions alone) has one where the
    framework is the frame and carries no charge of its own, so that the mobile charges are all there is; else the frame
    must be named. Raises TrajectoryError where it is not.
    """
    sums = _numbers(traj).sum(axis=1)
    net = float(np.abs(sums).max())
    if net <= _tolerance(traj):
        return {"net_charge": net, "frame_error": "none: the charges sum to zero"}
    frame = reference.split(",") if isinstance(reference, str) else list(reference or traj.framework)
    held = np.isin(traj.species, frame)
    if held.any() and not np.any(_numbers(traj)[:, held]):
        return {"net_charge": net, "frame_error": "none: only ions that move in the frame of the framework carry charge"}
    if reference:
        return {"net_charge": net, "frame_error": "unknown: the charges do not sum to zero, and what moves with the frame itself is not seen"}
    tensors = traj.charges is not None and traj.charges.ndim == 3
    cure = "subtract their mean (acoustic sum rule)" if tensors else "pass charges= that sum to zero"
    found = sums.flat[np.abs(sums).argmax()]
    raise TrajectoryError(
        f"{who}: the charges of {traj.source} sum to {found:+.4g} e, and the current of a cell that is not neutral depends on "
        f'the frame of reference; {cure}, or name the frame, for instance reference="none"'
    )


def is_neutral(traj: Trajectory) -> bool:
    """Whether the charges sum to zero in every frame (and tensor element), to rounding."""
    return float(np.abs(_numbers(traj).sum(axis=1)).max()) <= _tolerance(traj)


def change_with_time(traj: Trajectory) -> bool:
    """Whether there are charges of every frame."""
    assert traj.charges is not None
    return traj.charges.shape == (traj.n_frames, traj.n_atoms)


def current_sum_rule(traj: Trajectory) -> float:
    """k_B T [sum_i |Z_i|^2 / m_i - |sum_i Z_i|^2 / M], |Z|^2 the sum of squares of the tensor (3 q^2 of a scalar charge)."""
    assert traj.masses is not None
    charges = _numbers(traj)
    axes = 3.0 if charges.shape[-1] == 1 else 1.0
    ions = np.einsum("tic,i->t", charges**2, 1.0 / traj.masses)
    drift = np.square(charges.sum(axis=1)).sum(axis=-1) / traj.masses.sum()
    return float(axes * thermal_energy(traj) * np.mean(ions - drift))


def _numbers(traj: Trajectory) -> np.ndarray:
    """Charges as (frame or 1, atom, 1 or 9): the numbers whose square counts in the sum rule."""
    charges = np.asarray(traj.charges, dtype=np.float64)
    return charges[:, :, None] if change_with_time(traj) else charges.reshape(1, traj.n_atoms, -1)


def _tolerance(traj: Trajectory) -> float:
    return NEUTRAL * float(np.sqrt(traj.n_atoms))

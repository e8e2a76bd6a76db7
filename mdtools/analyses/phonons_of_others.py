"""The phonon density of states as others define it: GPUMD by way of the velocity correlation, pwtools with the taper of Welch."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from mdtools.analyses.labels import noise_width
from mdtools.analyses.over_atoms import species_groups
from mdtools.analyses.over_tiles import group_means
from mdtools.errors import NotEnoughData
from mdtools.kernels.phonons import half_hann_spectrum, trailing_correlation
from mdtools.trajectory import Trajectory

__all__ = ["dos_of_gpumd", "welch"]


def dos_of_gpumd(
    traj: Trajectory, correlation_time: float | None, *, length: int, interval: float, windows: int, reference: Sequence[str] | str | None, who: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Density of each species and axis (window, species, direction, frequency) in 1/THz, frequencies, sum of m v^2 (window, species), reference.

    D(f) = 2 dt N_s sum_m (2 - delta_m0) h_m C(m) / C(0) cos(2 pi f m dt), C(m) = sum_i m_i v_i(0) v_i(m dt), m < n, h the half of Hann's
    taper; f = j / (2 n dt), j = 0 ... n. Its integral is N_s for each axis whatever the temperature is. n frames are `correlation_time`.
    """
    if correlation_time is None:
        raise ValueError(f'{who} with convention="gpumd" needs the length of its correlation: pass correlation_time=2.0 (--correlation-time), in ps')
    n = round(correlation_time / interval)
    if not 2 <= n <= length:
        raise NotEnoughData(
            f"{who}: a correlation of {correlation_time:g} ps has {n} frames {interval:g} ps apart, and a window has {length}: "
            f"pass correlation_time= between {2 * interval:g} and {length * interval:g} (--correlation-time), or fewer windows"
        )
    groups = species_groups(traj)
    shared: dict[str, Any] = {"groups": groups, "reference": reference, "windows": windows, "weights": traj.masses}
    correlation, taken = group_means(trailing_correlation, traj, "velocities", options={"lags": n}, **shared)
    frequency = np.arange(n + 1) / (2 * n * interval)
    counts = np.bincount(groups)[None, :, None, None]
    with jax.enable_x64(True):
        spectrum = np.asarray(half_hann_spectrum(correlation / correlation[..., :1], frequency, np.float64(interval)))
    return counts * np.moveaxis(spectrum, 0, -1), frequency, correlation[..., 0].sum(axis=-1), taken


def welch(length: int) -> tuple[np.ndarray, float]:
    """Taper (1, frame) of pwtools, a parabola that is zero at the first and the last frame, and its width as in `tapers_of`."""
    weights = 1 - np.square(np.linspace(-1, 1, length))
    return weights[None], noise_width(weights)

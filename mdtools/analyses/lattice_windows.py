"""What analyses of the waves of a crystal begin with: the crystal that a run is a supercell of, and windows of time under a taper."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdtools.analyses.chosen_modes import lattice_source
from mdtools.analyses.labels import common, even_interval, noise_width, taper_weights, window_starts
from mdtools.analyses.lattice_waves import mapping_of, told
from mdtools.analyses.over_atoms import window_length
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.mapping import SiteMap
from mdtools.harmonic.modes import HarmonicCrystal
from mdtools.trajectory import Trajectory

__all__ = ["Lattice", "Windows", "lattice_of", "windows_of"]

SHORTEST = 8  # frames of a window


@dataclass(frozen=True, eq=False)
class Lattice:
    """The primitive cell, its modes where a file of phonopy was given, and the site of every atom of the run."""

    crystal: Crystal
    harmonic: HarmonicCrystal | None
    mapping: SiteMap

    @property
    def told(self) -> dict[str, Any]:
        """What the history says of it."""
        return told(self.mapping, self.crystal)


def lattice_of(traj: Trajectory, phonopy: Any, primitive: Any, *, who: str) -> Lattice:
    """Of the options `phonopy` or `primitive`. Raises TrajectoryError unless just one is given and the run is a supercell of it."""
    crystal, harmonic = lattice_source(phonopy, primitive, who=who)
    return Lattice(crystal, harmonic, mapping_of(traj, crystal))


@dataclass(frozen=True, eq=False)
class Windows:
    """Equal parts of a run, `length` frames `interval` (ps) apart, and the taper of a window (frame,)."""

    length: int
    interval: float
    weight: np.ndarray
    unused: int

    @property
    def frequency(self) -> np.ndarray:
        """THz, up to the Nyquist limit."""
        return np.arange(self.length // 2 + 1) / (self.length * self.interval)


def windows_of(traj: Trajectory, windows: int, taper: str, *, who: str) -> tuple[Windows, dict[str, Any]]:
    """The windows, and what a Dataset of their spectra says of run and windows but for the frequencies.

    Raises TrajectoryError for uneven frames, NotEnoughData for windows below eight frames.
    """
    length = window_length(traj, windows, who=who, shortest=SHORTEST)
    interval, weight = even_interval(traj, who=who), taper_weights(taper, length)
    labels = {**common(traj), "window": window_starts(traj, windows), "frequency_resolution": noise_width(weight) / interval}
    return Windows(length, interval, weight, traj.n_frames - windows * length), labels

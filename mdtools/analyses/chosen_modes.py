"""Which modes a run is projected on: of phonopy's files at a wave vector of the supercell, or a displacement pattern."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.harmonic.crystal import Crystal
from mdtools.harmonic.mapping import SiteMap
from mdtools.harmonic.modes import HarmonicCrystal, degenerate_sets
from mdtools.harmonic.phonopy_files import read_phonopy
from mdtools.harmonic.primitive_cell import crystal_of
from mdtools.harmonic.symmetry import star
from mdtools.harmonic.wave_vectors import commensurate, is_half_reciprocal, need_commensurate

__all__ = ["ChosenModes", "asked", "lattice_source", "listed", "patterned", "starred"]


@dataclass(frozen=True, eq=False)
class ChosenModes:
    """Modes of one or more wave vectors.

    q : (mode, 3) in reciprocal vectors of the primitive cell. vectors : (mode, basis, xyz) complex, normalised, in the axes of
    the crystal's file, with the phase of the atom's position. band : from 1, 0 for a pattern. frequency : THz, NaN for a
    pattern. degenerate : number of the degenerate set.
    """

    q: np.ndarray
    vectors: np.ndarray
    band: np.ndarray
    frequency: np.ndarray
    degenerate: np.ndarray

    def dropped(self, mapping: SiteMap) -> np.ndarray:
        """Share of each eigenvector on sites that are not kept."""
        away = np.setdiff1d(np.arange(self.vectors.shape[1]), mapping.kept)
        return np.asarray(np.sum(np.abs(self.vectors[:, away]) ** 2, axis=(1, 2)))

    def need_kept(self, mapping: SiteMap, most: float, *, who: str, instead: str = "choose other bands") -> None:
        """Raise TrajectoryError where more than `most` of a mode is on atoms that are not mapped. instead : what else the user can do."""
        share = self.dropped(mapping)
        if share.max() > most:
            worst = int(np.argmax(share))
            why = "; ".join(f"{name}: {reason}" for name, reason in mapping.dropped.items())
            raise TrajectoryError(
                f"{who}: {100 * share[worst]:.3g} % of the mode {self.band[worst]} at q = {','.join(f'{x:g}' for x in self.q[worst])} lies on atoms "
                f"that hold no site ({why}); {instead}, or pass most_dropped={share[worst] + 0.01:.2f} (--most-dropped)"
            )

    def need_resolved(self, interval: float, *, who: str, instead: str = "choose lower bands (--band)") -> None:
        """Raise NotEnoughData where a mode lies, by its file, above nine tenths of the Nyquist limit of frames `interval` (ps) apart."""
        highest = float(np.nanmax(np.abs(self.frequency))) if np.any(np.isfinite(self.frequency)) else 0.0
        if highest > 0.9 * 0.5 / interval:
            raise NotEnoughData(
                f"{who} needs frames that resolve the modes: one lies at {highest:.3g} THz by the file, and frames {interval:.3g} ps apart show "
                f"those below {0.45 / interval:.3g} THz; store frames every {0.4 / highest:.2g} ps or less, or {instead}"
            )

    def labels(self, mapping: SiteMap) -> dict[str, Any]:
        """Their labels in a Dataset."""
        return {
            "mode": np.arange(len(self.q)),
            "reciprocal": ["1", "2", "3"],
            "q_reduced": (("mode", "reciprocal"), self.q),
            "band": ("mode", self.band),
            "degenerate_set": ("mode", self.degenerate),
            "harmonic_frequency": ("mode", self.frequency),
            "series": ("mode", np.array([1 if is_half_reciprocal(q) else 2 for q in self.q])),
            "dropped_weight": ("mode", self.dropped(mapping)),
        }


def lattice_source(phonopy: Any, primitive: Any, *, who: str) -> tuple[Crystal, HarmonicCrystal | None]:
    """The primitive cell, and the modes where a file of phonopy was given. Raises TrajectoryError unless just one of both was."""
    if (phonopy is None) == (primitive is None):
        raise TrajectoryError(
            f"{who} needs the primitive cell: pass either phonopy='phonopy_params.yaml' (--phonopy) or primitive='POSCAR' (--primitive)"
        )
    if phonopy is None:
        return crystal_of(primitive), None
    if not Path(phonopy).is_file():
        raise TrajectoryError(f"{who}: there is no file {phonopy}; pass the phonopy_params.yaml or band.yaml of the crystal as phonopy= (--phonopy)")
    harmonic = read_phonopy(Path(phonopy))
    return harmonic.crystal, harmonic


def listed(mapping: SiteMap, harmonic: HarmonicCrystal, *, who: str) -> ChosenModes:
    """Every mode at every wave vector that fits into the supercell and that the file knows."""
    found: list[ChosenModes] = []
    points = commensurate(mapping.matrix)
    for q in points:
        if harmonic.knows(q):
            found.append(_at(harmonic, q, sum(int(np.ptp(one.degenerate)) + 1 for one in found)))
    if not found:
        raise TrajectoryError(
            f"{who}: {harmonic.crystal.source} holds none of the {len(points)} wave vectors of the supercell {mapping.matrix.tolist()}; pass as "
            "phonopy= (--phonopy) a file with force constants, phonopy_params.yaml, or a qpoints.yaml of these"
        )
    return ChosenModes(*(np.concatenate([getattr(one, name) for one in found]) for name in ("q", "vectors", "band", "frequency", "degenerate")))


def asked(mapping: SiteMap, harmonic: HarmonicCrystal, q: Any, band: int | Sequence[int] | None, *, who: str) -> ChosenModes:
    """The bands that are meant at one wave vector; all if none is named."""
    modes = _at(harmonic, _point(mapping, q, who))
    n = len(modes.band)
    wanted = np.arange(1, n + 1) if band is None else np.atleast_1d(np.asarray(band, dtype=int))
    if wanted.size == 0 or wanted.min() < 1 or wanted.max() > n:
        raise TrajectoryError(f"{who}: bands of {harmonic.crystal.source} are 1 to {n}, and {', '.join(map(str, wanted.tolist()))} were asked for")
    return ChosenModes(*(getattr(modes, name)[wanted - 1] for name in ("q", "vectors", "band", "frequency", "degenerate")))


def patterned(mapping: SiteMap, crystal: Crystal, q: Any, pattern: Mapping[str, Any], *, who: str) -> ChosenModes:
    """One mode of displacements p_j exp(i q . R_l), by element ("F") or by element and number in the cell from 1 ("F2"), weighted by mass."""
    if crystal.masses is None:
        raise TrajectoryError(f"{who}: {crystal.source} has no masses; pass primitive='POSCAR' (--primitive), whose elements have them, in its place")
    point = _point(mapping, q, who)
    number = {f"{s}{crystal.symbols[: k + 1].count(s)}": k for k, s in enumerate(crystal.symbols)}
    shape = np.zeros((len(crystal.symbols), 3))
    for name, value in pattern.items():
        sites = [number[name]] if name in number else [k for k, s in enumerate(crystal.symbols) if s == name]
        try:
            along = np.array(value.split() if isinstance(value, str) else value, dtype=np.float64)
        except ValueError:
            along = np.empty(0)
        if not sites or along.shape != (3,):
            raise TrajectoryError(
                f"{who}: the pattern {name}={value!r} is not understood; atoms are {', '.join(number)}, and each has three numbers, 'F=0 0 1'"
            )
        shape[sites] = along
    weighted = np.sqrt(crystal.masses)[:, None] * shape
    if not np.any(weighted):
        raise TrajectoryError(f"{who}: nothing moves in the pattern {dict(pattern)!r}")
    vector = weighted / np.linalg.norm(weighted) * np.exp(-2j * np.pi * crystal.scaled @ point)[:, None]
    return ChosenModes(point[None], vector[None], np.array([0]), np.array([np.nan]), np.array([0]))


def starred(modes: ChosenModes, mapping: SiteMap, crystal: Crystal) -> ChosenModes:
    """The modes of one wave vector at every wave vector that is the same by symmetry, in the sets of the first."""
    members = star(modes.q[0], crystal, mapping.matrix)
    n, times = len(modes.band), len(members)
    return ChosenModes(
        np.repeat(np.array([q for q, _ in members]), n, axis=0),
        np.concatenate([one.of_vectors(modes.vectors, modes.q[0]) for _, one in members]),
        *(np.tile(getattr(modes, name), times) for name in ("band", "frequency", "degenerate")),
    )


def _point(mapping: SiteMap, q: Any, who: str) -> np.ndarray:
    if q is None or np.shape(q) != (3,):
        raise TrajectoryError(
            f"{who} needs a wave vector in reciprocal vectors of the primitive cell: pass q=[0.5, 0.5, 0.5] (--q 0.5,0.5,0.5), or list=True (--list)"
        )
    return need_commensurate(np.asarray(q, dtype=np.float64), mapping.matrix, who=who)


def _at(harmonic: HarmonicCrystal, q: np.ndarray, first_set: int = 0) -> ChosenModes:
    modes = harmonic.at(q)
    n = len(modes.frequency)
    return ChosenModes(np.tile(q, (n, 1)), modes.vectors, np.arange(1, n + 1), modes.frequency, first_set + degenerate_sets(modes.frequency))

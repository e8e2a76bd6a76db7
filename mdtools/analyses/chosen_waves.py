"""The wave vectors and shells that the options of a scattering function mean, correlations of modes there, and conventions of peers."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import numpy as np

from mdtools import once
from mdtools.analyses.density_modes import DensityModes
from mdtools.analyses.labels import species_pairs, window_starts
from mdtools.analyses.scattering_lengths import coherent
from mdtools.analyses.self_scattering import check_convention
from mdtools.analyses.wave_vectors import Shells, chosen, in_reach, lengths, shells_of
from mdtools.trajectory import Trajectory

__all__ = ["Chosen", "Convention", "per_pair"]

Convention = Literal["dynasor", "mdanse"]


class Chosen:
    """The wave vectors and shells that the options of a measurement mean, and correlations of its modes there."""

    def __init__(
        self, traj: Trajectory, who: str, *, hkl: Any, path: Any, q_max: Any, n_q: int, shells: int | None, reference: Any, weights: str | None = None
    ) -> None:
        traj.need("scaled_positions", who=who)
        self.traj, self.reference, self.weights = traj, reference, weights
        self.n_q, self.q_max = n_q, q_max
        self.indices, self.named = chosen(traj, hkl=hkl, path=path, q_max=q_max, n_q=n_q, who=who)
        self.shells: Shells = shells_of(traj, self.indices, shells, named=self.named)
        self.seen: np.ndarray | None = None
        if weights is not None:
            first, second, _ = species_pairs(traj)
            lengths_of = coherent(traj, weights, lengths(traj, self.indices), who=who)
            self.seen = lengths_of[first] * lengths_of[second] / traj.n_atoms  # (pair, q)

    def correlations(
        self,
        correlate: Callable[[Any, Any, Any], Any],
        *,
        windows: int,
        length: int,
        frames: np.ndarray,
        stretch: int | None = None,
        currents: bool = False,
        traj: Trajectory | None = None,
        name: str | None = None,
    ) -> tuple[np.ndarray, Any]:
        """(quantity, window, pair, q, lag) of correlate(modes, pairs, (which q, which frames)), and the reference that was taken.

        With weights one pair more: their total, weighted at each wave vector before shells are averaged. traj : fewer frames of the run.
        stretch : frames that are visited at the start of each window of `length`, by default all.
        name : what is kept for another measurement of this run at the same wave vectors (`once`), whose lags are the first ones of these.
        """
        visited: dict[str, Any] = {"windows": windows, "length": length, "stretch": length if stretch is None else stretch, "traj": traj}
        if name is None:
            return self._correlations(correlate, frames=frames, currents=currents, **visited)
        same = (
            self.traj,
            self.indices.tobytes(),
            self.shells.q.tobytes(),
            self.shells.indices is None,
            str(self.reference),
            self.weights,
            windows,
            length,
            stretch,
        )
        of_every_lag = np.array_equal(frames, np.arange(len(frames)))
        key = ("correlations", name, *same, of_every_lag or frames.tobytes())
        found, taken = once.made(
            key,
            lambda: self._correlations(correlate, frames=frames, currents=currents, **visited),
            enough=lambda kept: kept[0].shape[-1] >= len(frames),
        )
        return found[..., : len(frames)], taken

    def _correlations(
        self,
        correlate: Callable[[Any, Any, Any], Any],
        *,
        windows: int,
        length: int,
        stretch: int,
        frames: np.ndarray,
        currents: bool,
        traj: Trajectory | None,
    ) -> tuple[np.ndarray, Any]:
        first, second, names = species_pairs(self.traj)
        pairs = tuple(zip(first.tolist(), second.tolist(), strict=True))
        modes = DensityModes(self.traj if traj is None else traj, reference=self.reference, currents=currents)
        n_pairs = len(names) + (self.seen is not None)
        out = np.zeros((2 if currents else 1, windows, n_pairs, len(self.shells.q), len(frames)))
        for window, which, values in modes.over(self.indices, windows=windows, length=length, stretch=stretch):
            part = slice(int(which[0]), int(which[-1]) + 1)  # without those that only fill it up
            with jax.enable_x64(True):
                found = np.asarray(correlate(values, pairs, (which, slice(window * length, window * length + stretch))))
            found = found[:, :, : part.stop - part.start, frames]
            if self.seen is not None:
                total = np.einsum("cpql,pq->cql", found, self.seen[:, part])
                found = np.concatenate([found, total[:, None]], axis=1)
            if self.shells.indices is not None:
                out[:, window, :, part] = found
            else:
                out[:, window] += np.einsum("cpql,qs->cpsl", found, self.shells.share[part], optimize=True)
        return out, modes.taken

    def told(self, asked: int | None, usual: int) -> dict[str, int]:
        """For the history: n_q; and where nobody asked for it and a budget has made it fewer, how many a short run has (usual_n_q)."""
        fewer = asked is None and not self.named and self.n_q < usual
        there = min(usual, in_reach(self.traj, self.q_max)) if fewer else 0
        return {"n_q": self.n_q, **({"usual_n_q": there} if there > self.n_q else {})}

    def by_pair(self, values: np.ndarray) -> np.ndarray:
        """Without the weighted total."""
        return values if self.seen is None else values[:, :, :-1]

    def weighted(self, name: str, values: np.ndarray, last: tuple[str, ...]) -> dict[str, Any]:
        """The weighted total under its name, from values (window, pair, q, ...)."""
        return {} if self.seen is None else {f"{self.weights}_{name}": (("window", "q", *last), values[:, -1])}

    def coordinates(self, windows: int, lag: np.ndarray | None) -> dict[str, Any]:
        out = {"window": window_starts(self.traj, windows), "pair": species_pairs(self.traj)[2], **self.shells.described()}
        return out if lag is None else out | {"lag": lag}


def per_pair(traj: Trajectory, convention: str | None) -> np.ndarray:
    """What the products of each pair are divided by."""
    check_convention(convention)
    first, second, _ = species_pairs(traj)
    if convention != "mdanse":
        return np.full(len(first), float(traj.n_atoms))
    sizes = np.array([len(traj.indices(name)) for name in traj.species_names], dtype=np.float64)
    return np.sqrt(sizes[first] * sizes[second]) * np.where(first == second, 1.0, 2.0)

"""Bottlenecks: how wide the windows of ions are that mobile ions must pass, how they breathe, and how wide they are when a hop begins."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from mdtools import memory, schema
from mdtools.analyses.bottleneck_paths import Paths, paths_of
from mdtools.analyses.folded import frames_in_frame, repeats, site_frames
from mdtools.analyses.labels import common, even_interval, noise_width, taper_weights, window_starts
from mdtools.analyses.over_atoms import window_length
from mdtools.errors import TrajectoryError
from mdtools.kernels.bottleneck import sites_of_ions, window_radius
from mdtools.kernels.spectrum import periodogram
from mdtools.trajectory import Trajectory

__all__ = ["bottleneck_radius"]

WHO = "bottleneck_radius"
SHORTEST = 8  # frames of a window of time
MOST_BINS = 10000  # of a distribution
CORE = 0.4  # of the distance between sites: an ion nearer than this to a site is on it (reference/science.md B8)


@schema.recorded
def bottleneck_radius(
    traj: Trajectory,
    *,
    mobile: str | None = None,
    corners: Sequence[str] | None = None,
    number: int = 3,
    repeat: Sequence[int] = (1, 1, 1),
    sites: str | None = None,
    path_length: float | None = None,
    around: float = 1.0,
    bin_width: float = 0.05,
    windows: int = 8,
    reference: Sequence[str] | str | None = None,
) -> xr.Dataset:
    """Radius of the windows between neighbouring sites of a mobile species: its mean, its spectrum, and its course about the start of a hop.

    Between two neighbouring sites of the species lie `number` corners, the nearest ions of the framework to the middle of the path. Their
    window has the radius r: half the distance of two, the circumradius of three, of more the distance of the nearest from their centre;
    to the centres of the ions, whose own radius is not taken off. S(f) is the two-sided power spectrum of r - <r>, tapered as in `mode_spectra`:
    2 int_0^inf S df = <(r - <r>)^2>. An ion is on a site within 0.4 of the distance between sites; a hop is its next stay
    on a neighbouring site, and begins (time 0) with the last frame on the old one, before the ion can push the window open.

    mobile : the species that hops. corners : species of the framework whose ions form the windows. number : corners of a window.
    repeat : how often the unit cell fits along each cell vector: sites are found at the peaks of the density folded into it.
    sites : given instead, in vectors of the unit cell ("0.25 0.25 0.25  0.75 0.75 0.75"), where ions are few or vacancies many.
    path_length : angstrom up to which sites are neighbours; 1.2 times the shortest distance if not given.
    around : ps before and after the start of a hop. bin_width : angstrom, of the distributions, which reach from 0 to twice the mean radius.
    windows (of time), reference : as in `msd`; a hop whose surroundings reach out of its window of time lacks what is outside.

    Returns `bottleneck_mean_radius` (bottleneck), `bottleneck_variance` (window; also `bottleneck_variance_empty`, `bottleneck_radius_empty`
    where no ion is under way), `bottleneck_radius_mean` (window), `bottleneck_periodogram` (window, frequency),
    `bottleneck_opening` (window, lag): sum over hops of r - <r>, and `bottleneck_hops` (window, lag): how many; `bottleneck_distribution`
    (window, r): the probability density of the radius at all times, and `bottleneck_counts_at_hop` (window, r): hops by the radius at their
    start; `hop_starts` (window), `site_crossings` (window): how often a mobile ion crosses the middle of its site along its paths, in 1/ps;
    `n_paths` from a site.
    Raises TrajectoryError (corners that are not clear, sites that are not there, uneven frames), NotEnoughData.
    Source: reference/science.md rows 42, 43, 45, 46, B8.

    >>> from mdtools import synthetic
    >>> run = synthetic.gated_hopper(chains=4, sites=4, n_frames=2000, seed=1)
    >>> out = bottleneck_radius(run, mobile="A", corners=["B"], number=2, repeat=(4, 2, 2), sites="0 0.5 0.5")
    >>> out.sizes["bottleneck"], float(out.bottleneck_mean_radius.mean().round(1))
    (16, 2.0)
    """
    traj.need("scaled_positions", who=WHO)
    length = window_length(traj, windows, who=WHO, shortest=SHORTEST)
    interval, n = even_interval(traj, who=WHO), repeats(repeat)
    mobile, corners = _known(traj, mobile, corners)
    lags = np.arange(-round(around / interval), round(around / interval) + 1)
    if len(lags) > length:
        raise TrajectoryError(f"{WHO}: around={around:g} ps reaches out of windows of {length * interval:g} ps; pass a smaller one, or fewer windows")
    paths = paths_of(traj, mobile, corners, number, n, sites, path_length, reference, who=WHO)
    weight = taper_weights("hann", length)
    mean = _mean_radius(traj, paths, reference, windows * length)
    follow = _Hops(paths, CORE * paths.distance, len(traj.indices(mobile)))
    rows: list[dict[str, Any]] = []
    bins = _bins(2 * float(mean.max()), bin_width)
    for window in range(windows):
        radius, at = _within(traj, paths, mobile, reference, slice(window * length, (window + 1) * length))
        starts = follow.starts(at[0], at[2], window * length)
        rows.append(_of_window(radius - mean, at, follow, paths, weight, lags, starts, first=window * length, interval=interval))
        rows[-1] |= _distributed(radius, starts, bins, bin_width, first=window * length)
    _, taken = traj.reference_path(reference)
    found = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    out = {
        **common(traj),
        "window": window_starts(traj, windows),
        "window_length": length * interval,
        "frequency": np.arange(length // 2 + 1) / (length * interval),
        "frequency_resolution": noise_width(weight) / interval,
        "lag": lags * interval,
        "bottleneck": np.arange(len(paths.ends)),
        "bottleneck_mean_radius": ("bottleneck", mean),
        "bottleneck_radius_mean": ("window", mean.mean() + found["shift"]),
        "bottleneck_variance": ("window", found["variance"]),
        "bottleneck_radius_empty": ("window", mean.mean() + found["shift_empty"]),
        "bottleneck_variance_empty": ("window", found["variance_empty"]),
        "bottleneck_periodogram": (("window", "frequency"), found["power"]),
        "bottleneck_opening": (("window", "lag"), found["opening"]),
        "bottleneck_hops": (("window", "lag"), found["hops"]),
        "r": (np.arange(bins) + 0.5) * bin_width,
        "bottleneck_distribution": (("window", "r"), found["density"]),
        "bottleneck_counts_at_hop": (("window", "r"), found["at_hop"]),
        "hop_starts": ("window", found["starts"]),
        "site_crossings": ("window", found["crossings"]),
        "n_paths": 2 * len(paths.ends) / paths.n_sites,
        "n_mobile": len(traj.indices(mobile)),
        "path_length": paths.distance,
    }
    told = {"reference": taken, "n_sites": paths.n_sites, "n_bottlenecks": len(paths.ends), "next_corner": paths.next_corner}
    told["beyond_twice_the_mean_radius"] = float(found["beyond"].mean())
    if sites is None:
        told["site_frames"] = len(site_frames(traj))
    return schema.resolved(schema.dataset(out, reduced=traj.reduced), frames_unused=traj.n_frames - windows * length, **told)


def _bins(reach: float, width: float) -> int:
    if not reach / MOST_BINS <= width <= reach / 2:
        raise TrajectoryError(
            f"{WHO}: bin_width={width:g} angstrom makes no distribution from 0 to {reach:.3g} angstrom: pass one from {reach / MOST_BINS:.1g} to "
            f"{reach / 2:.3g}, as bin_width=0.05 (--bin-width 0.05)"
        )
    return int(np.ceil(reach / width))


def _known(traj: Trajectory, mobile: str | None, corners: Sequence[str] | None) -> tuple[str, Sequence[str]]:
    if mobile is None or corners is None:
        raise TrajectoryError(
            f"{WHO} needs to know what hops in {traj.source}, and between what: pass mobile='Li', corners=['S'] (--mobile Li --corners S); "
            f"there are {', '.join(traj.species_names)}"
        )
    for name in (mobile, *corners):
        if name not in traj.species_names:
            raise TrajectoryError(f"{WHO}: there is no species {name}; there are {', '.join(traj.species_names)}")
    if len(corners) == 0 or mobile in corners:
        raise TrajectoryError(
            f"{WHO}: corners are species of the framework, other than {mobile}: pass corners=['{_other(traj, mobile)}'] (--corners)"
        )
    return mobile, corners


def _other(traj: Trajectory, mobile: str) -> str:
    return next((name for name in traj.species_names if name != mobile), "...")


def _frames(traj: Trajectory, reference: Any, frames: slice, paths: Paths) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Frames, scaled positions in the frame of reference and cells, in blocks that the pairs of ions and sites fit in."""
    for some, scaled in frames_in_frame(traj, reference, frames, bytes_per_frame=8 * 12 * paths.corners.size):
        yield some, scaled, np.asarray(traj.cell[some[0] : some[-1] + 1], dtype=np.float64)


def _mean_radius(traj: Trajectory, paths: Paths, reference: Any, n_frames: int) -> np.ndarray:
    total = np.zeros(len(paths.ends))
    for _, scaled, cell in _frames(traj, reference, slice(0, n_frames), paths):
        with jax.enable_x64(True):
            total += np.asarray(window_radius(scaled, cell, paths.corners, paths.images)).sum(axis=0)
    return total / n_frames


def _within(traj: Trajectory, paths: Paths, mobile: str, reference: Any, frames: slice) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Radii (frame, bottleneck) of a window of time, and of its mobile ions nearest and next site, distance and vector from it."""
    n_ions = len(traj.indices(mobile))
    needed = (frames.stop - frames.start) * (8 * len(paths.ends) + 48 * n_ions)
    if needed > memory.block_alone():
        raise TrajectoryError(
            f"{WHO}: a window of time takes {memory.in_words(needed)}, and {memory.in_words(memory.block_alone())} may be taken: "
            "pass more windows (--windows), or more memory (--memory)"
        )
    radius, ions = [], []
    for _, scaled, cell in _frames(traj, reference, frames, paths):
        with jax.enable_x64(True):
            radius.append(np.asarray(window_radius(scaled, cell, paths.corners, paths.images)))
            ions.append([np.asarray(one) for one in sites_of_ions(scaled[:, traj.indices(mobile)], paths.sites, cell)])
    return np.concatenate(radius), tuple(np.concatenate(one) for one in zip(*ions, strict=True))


def _of_window(
    deviation: np.ndarray,
    at: tuple[np.ndarray, ...],
    follow: "_Hops",
    paths: Paths,
    weight: np.ndarray,
    lags: np.ndarray,
    starts: list[tuple[int, int]],
    *,
    first: int,
    interval: float,
) -> dict[str, Any]:
    nearest, second, distance, vector = at
    empty = ~follow.under_way(nearest, second, distance)
    with jax.enable_x64(True):
        power = interval * np.asarray(periodogram(deviation.T, weight)).mean(axis=0)
    opening, hops = np.zeros(len(lags)), np.zeros(len(lags))
    for frame, bottleneck in starts:
        inside = (frame - first + lags >= 0) & (frame - first + lags < len(deviation))
        opening[inside] += deviation[frame - first + lags[inside], bottleneck]
        hops += inside
    shift = deviation[empty].mean() if empty.any() else np.nan
    return {
        "shift": deviation.mean(),
        "variance": np.square(deviation).mean(),
        "shift_empty": shift,
        "variance_empty": np.square(deviation[empty] - shift).mean() if empty.any() else np.nan,
        "power": power,
        "opening": opening,
        "hops": hops,
        "starts": len(starts),
        "crossings": _crossings(nearest, vector, paths.axes) / interval,
    }


def _distributed(radius: np.ndarray, starts: list[tuple[int, int]], bins: int, width: float, *, first: int) -> dict[str, Any]:
    """Density of the radii (frame, bottleneck), how many hops began at each, and the share of radii beyond the last bin."""
    place = np.minimum(radius / width, bins).astype(np.int64)
    counts = np.bincount(place.ravel(), minlength=bins + 1)
    frames, of = np.array([(frame - first, bottleneck) for frame, bottleneck in starts], dtype=np.int64).reshape(-1, 2).T
    return {
        "density": counts[:bins] / (radius.size * width),
        "at_hop": np.bincount(place[frames, of], minlength=bins + 1)[:bins],
        "beyond": counts[bins] / radius.size,
    }


def _crossings(nearest: np.ndarray, vector: np.ndarray, axes: np.ndarray) -> float:
    """Changes of sign of the displacement from the site along the paths, for each ion and frame, while it is nearest to that site."""
    along = vector @ axes.T > 0
    stays = nearest[1:] == nearest[:-1]
    return float((along[1:] != along[:-1])[stays].mean()) if stays.any() else np.nan


class _Hops:
    """Follows the ions from window to window: on which site each was last, and until when."""

    def __init__(self, paths: Paths, core: float, n_ions: int) -> None:
        self.core = core
        self.of = paths.numbers()
        self.site, self.until = np.full(n_ions, -1), np.full(n_ions, -1)

    def under_way(self, nearest: np.ndarray, second: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """(frame, bottleneck): an ion is off its site and the other end of the path is the next."""
        frame, ion = np.nonzero(distance > self.core)
        out = np.zeros((len(nearest), self.of.max() + 1), dtype=bool)
        bottleneck = self.of[nearest[frame, ion], second[frame, ion]]
        out[frame[bottleneck >= 0], bottleneck[bottleneck >= 0]] = True
        return out

    def starts(self, nearest: np.ndarray, distance: np.ndarray, first: int) -> list[tuple[int, int]]:
        """(last frame on the old site, bottleneck) of the hops to a neighbouring site; those that began in an earlier window are left out."""
        found = []
        for k in range(len(nearest)):
            on = np.flatnonzero(distance[k] < self.core)
            moved = on[(self.site[on] >= 0) & (self.site[on] != nearest[k, on])]
            for ion in moved:
                bottleneck = self.of[self.site[ion], nearest[k, ion]]
                if bottleneck >= 0 and self.until[ion] >= first:
                    found.append((int(self.until[ion]), int(bottleneck)))
            self.site[on], self.until[on] = nearest[k, on], first + k
        return found

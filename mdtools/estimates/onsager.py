"""Onsager matrix of the charge carried by species, with joint errors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import KNOWN, carried, frame_of_reference, lag_frames, need_same_run, thermal_energy_in_ev, three_jumps
from mdtools.estimates.conductivity import Routes, routes
from mdtools.statistics.collective import slope_matrix, wishart_covariance
from mdtools.statistics.cross_spectral import zero_frequency_matrix
from mdtools.statistics.diffusion import diffusion
from mdtools.units import CONDUCTIVITY_TO_SI

__all__ = ["onsager"]

STILL = 1e-12  # of the total: a species that carries less does not move, or has no charge
LEVEL = 1.96
ROUNDING = 1e-5  # of a share: what numbers of single precision leave of one that is exact


@schema.recorded
def onsager(
    charge_displacement_msd: xr.Dataset,
    charge_current_acf: xr.Dataset | None = None,
    self_diffusivity: xr.Dataset | None = None,
    *,
    temperature: float | None = None,
) -> xr.Dataset:
    """Onsager matrix sigma_ab = q_a q_b L_ab of the species, partial conductivities and distinct parts, with joint errors.

    sigma_ab = S_ab(0) / (6 V k_B T), S the spectral matrix of the currents J_a = sum_{i in a} q_i v_i, by the Wishart likelihood
    (positive semidefinite by construction; of all species together it is the Green-Kubo `ionic_conductivity`); beside it, or alone where there are no
    velocities, the slopes of <dP_a . dP_b> over 6 V k_B T by one linear combination of lags. sigma_a = sum_b sigma_ab, sigma = sum_a sigma_a.
    The matrix depends on the frame of reference, sigma of a neutral cell does not. A partial conductivity may be negative.

    self_diffusivity : gives the part of independent ions, sigma_a^NE = N_a q_a^2 D_a / (V k_B T), and the distinct parts
        sigma_ab - delta_ab sigma_a^NE. temperature : K, where the run does not state it.

    Returns `onsager` (species, species2) in S/m, `onsager_covariance` (pair, pair2) of its elements, `_einstein_helfand` and
    `_green_kubo`, `partial_conductivity` (species), `ionic_conductivity`, `onsager_distinct` and `partial_conductivity_nernst_einstein`,
    each with _stderr; `species_regime`: a species whose dipole is caged carries nothing, its errors are the bound over 1.96;
    `shares_difference` (species): Einstein-Helfand minus Green-Kubo of sigma_a / sigma over the combined stderr; `frame_of_reference`.
    The total has the value and error of `ionic_conductivity`; shares are of the route with the smaller errors, which grow where the routes
    differ by more than they say.
    Raises NotEnoughData where the total is only bounded; TrajectoryError as `ionic_conductivity`, or where the measurements are in
    different frames of reference. Source: reference/science.md A1 rows 3 and 10, B3; reference/transport.md 2.6.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> walk = synthetic.brownian(n_frames=4000, temperature=1000.0, seed=1)
    >>> matrix = onsager(charge_displacement_msd(walk, reference="none"))
    >>> between = matrix.sel(species="A", species2="B")  # ions that move alone: nothing
    >>> bool(abs(between.onsager) < 3 * between.onsager_stderr), round(float(matrix.onsager.sum() / matrix.ionic_conductivity), 6)
    (True, 1.0)
    """
    who = "onsager"
    found = routes(charge_displacement_msd, charge_current_acf, temperature=temperature, who=who)
    frame = _same_frame(charge_displacement_msd, charge_current_acf, who=who)
    if not found.moves:
        raise NotEnoughData(
            f"{who} divides the conductivity among the species, and the dipole of this run is {found.dipole.regime} (sigma below "
            f"{found.both.upper:.3g} S/m at 95 %): give a longer run, or a hotter one"
        )
    names = [str(name) for name in charge_displacement_msd["species"].values]
    pairs = np.triu_indices(len(names))
    dipoles = _matrix(charge_displacement_msd["charge_displacement_msd_by_pair"], len(names))
    regimes, bounds = _regimes(charge_displacement_msd, dipoles, found)
    moving = np.flatnonzero(np.isin(regimes, (*KNOWN, "undecided")))
    by_dipole = _by_dipole(charge_displacement_msd, dipoles, moving, found)
    by_current, why = _by_current(charge_current_acf, by_dipole, moving, len(names))
    best = by_current if by_current is not None and by_current.scatter < by_dipole.scatter else by_dipole
    other = by_dipole if best is by_current else by_current
    difference = _difference(by_dipole, by_current)
    total = found.both
    value, covariance = best.scaled_to(total.value, total.stderr, stretch=_stretch(difference, best, other))
    covariance = covariance + _of_bounds(bounds)
    partial, partial_covariance = value.sum(axis=1), covariance.sum(axis=(1, 3))
    out: dict[str, Any] = {
        **{name: one for name, one in carried(charge_displacement_msd).items() if name != "stated_temperature"},
        "species": names,
        "species2": names,
        "pair": [f"{names[a]}-{names[b]}" for a, b in zip(*pairs, strict=True)],
        "pair2": [f"{names[a]}-{names[b]}" for a, b in zip(*pairs, strict=True)],
        "stated_temperature": found.temperature,
        **_with_errors("onsager", ("species", "species2"), value, np.einsum("abab->ab", covariance)),
        "onsager_covariance": (("pair", "pair2"), covariance[pairs][:, pairs[0], pairs[1]]),
        **_with_errors("partial_conductivity", ("species",), partial, np.diag(partial_covariance)),
        "ionic_conductivity": total.value,
        "ionic_conductivity_stderr": total.stderr,
        "species_regime": ("species", regimes),
        "shares_difference": ("species", difference),
        "frame_of_reference": frame,
        **_of_route("einstein_helfand", by_dipole, found.einstein_helfand.value, found.einstein_helfand.stderr),
        **_of_route("green_kubo", by_current, found.green_kubo.value, found.green_kubo.stderr, n=len(names)),
    }
    if self_diffusivity is not None and "charge" in charge_displacement_msd:
        out |= _distinct(self_diffusivity, charge_displacement_msd, found.temperature, value, covariance, who=who)
    told = {"green_kubo": found.why or why} if found.why or why else {}
    return schema.resolved(
        schema.dataset(out), temperature_used=found.temperature, shares="green_kubo" if best is by_current else "einstein_helfand", **told
    )


@dataclass(frozen=True)
class _Shares:
    """A matrix S (species, species) in any unit with the covariance of its elements (4 indices)."""

    value: np.ndarray
    covariance: np.ndarray

    @property
    def total(self) -> float:
        return float(self.value.sum())

    @property
    def shares(self) -> np.ndarray:
        return np.asarray(self.value.sum(axis=1) / self.total)

    @property
    def shares_covariance(self) -> np.ndarray:
        """t_a = S_a / S: dt_a = (dS_a - t_a dS) / S."""
        of_sums = self.covariance.sum(axis=(1, 3))
        turn = np.eye(len(self.value)) - self.shares[:, None]
        return np.asarray(turn @ of_sums @ turn.T / self.total**2)

    @property
    def scatter(self) -> float:
        return float(np.trace(self.shares_covariance))

    def scaled_to(self, total: float, stderr: float, *, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """The matrix with another total, whose error replaces that of the total of this one; `stretch` is of the variance of the rest.

        S_ab = S t_a t_b + R_ab: the total is independent of shares and rest.
        """
        outer = np.outer(self.shares, self.shares)
        own = self.covariance.sum() / self.total**2
        factor = total / self.total
        rest = self.covariance - own * np.multiply.outer(outer, outer) * self.total**2
        return factor * self.value, stretch * factor**2 * rest + stderr**2 * np.multiply.outer(outer, outer)


def _same_frame(dipole: xr.Dataset, current: xr.Dataset | None, *, who: str) -> str:
    frame = frame_of_reference(dipole)
    if current is not None and frame_of_reference(current) != frame:
        raise TrajectoryError(
            f"{who}: charge_displacement_msd is in the frame of {frame} and charge_current_acf in that of {frame_of_reference(current)}, and "
            "the parts of the species depend on it: measure both with one reference="
        )
    return frame


def _matrix(by_pair: xr.DataArray, n: int) -> np.ndarray:
    """(lag or frequency, species, species), mean over windows; unlike pairs are counted twice in the measurement."""
    along = next(dim for dim in by_pair.dims if dim not in ("window", "pair"))
    mean = by_pair.mean("window").transpose(along, "pair").values
    out = np.zeros((len(mean), n, n))
    for k, (a, b) in enumerate(zip(*np.triu_indices(n), strict=True)):
        out[:, a, b] = out[:, b, a] = mean[:, k] / (1 if a == b else 2)
    return out


def _regimes(data: xr.Dataset, dipoles: np.ndarray, found: Routes) -> tuple[np.ndarray, np.ndarray]:
    """Word for each species' own dipole ("still": it has no charge, or is the frame), and the bound on what it conducts where it is caged, S/m."""
    frames = lag_frames(data, who="onsager")
    windows = data.sizes["window"]
    n = dipoles.shape[-1]
    words, bounds = np.full(n, "still", dtype="<U12"), np.zeros(n)
    unseen = three_jumps(data) * data["n_ions"].values * np.square(data["charge"].values) if "charge" in data else bounds
    own = np.diagonal(dipoles, axis1=1, axis2=2).T
    moves = np.flatnonzero(own.max(axis=1) > STILL * dipoles.sum(axis=(1, 2)).max())
    by_axis = np.broadcast_to(np.maximum(own[moves, None], 0.0) / 3, (len(moves), 3, own.shape[1]))
    one = diffusion(frames, by_axis, n_frames=int(data["n_frames"]) // windows, windows=windows, earliest=found.dipole.lag_first)
    words[moves] = one.regime
    caged = one.regime == "caged"
    bounds[moves[caged]] = np.maximum(one.upper[caged] / (6 * found.interval), unseen[moves[caged]]) * found.per_diffusivity
    return words, bounds


def _of_bounds(bounds: np.ndarray) -> np.ndarray:
    """Variance of sigma_aa of caged species: the bound is taken for 1.96 standard errors."""
    n = len(bounds)
    out = np.zeros((n, n, n, n))
    for a in range(n):
        out[a, a, a, a] = (bounds[a] / LEVEL) ** 2
    return out


def _basis(moving: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """What takes species to (all together, all that move but the last one), and back: those that do not move carry nothing."""
    forth = np.zeros((len(moving), n))
    forth[0] = 1
    back = np.zeros((n, len(moving)))
    for row, a in enumerate(moving[:-1], start=1):
        forth[row, a] = back[a, row] = 1
    back[moving[-1], 0] = 1
    back[moving[-1], 1:] = -1
    return forth, back


def _back(value: np.ndarray, covariance: np.ndarray, back: np.ndarray) -> _Shares:
    return _Shares(back @ value @ back.T, np.einsum("ap,bq,pqrs,cr,ds->abcd", back, back, covariance, back, back, optimize=True))


def _by_dipole(data: xr.Dataset, dipoles: np.ndarray, moving: np.ndarray, found: Routes) -> "_Dipole":
    windows = data.sizes["window"]
    forth, back = _basis(moving, dipoles.shape[-1])
    line = slope_matrix(
        lag_frames(data, who="onsager"),
        forth @ dipoles @ forth.T,
        n_frames=int(data["n_frames"]) // windows,
        windows=windows,
        first=found.dipole.lag_first,
        last=found.dipole.lag_last,
    )
    slope = _positive(line.slope)
    relative = max(line.relative_variance, (found.dipole.stderr / found.dipole.slope) ** 2)
    shares = _back(slope, wishart_covariance(slope, dof=2 / relative), back)
    return _Dipole(shares.value, shares.covariance, line.intercept)


@dataclass(frozen=True)
class _Dipole(_Shares):
    """intercept : of the lines, in the basis of `_basis`."""

    intercept: np.ndarray


def _by_current(data: xr.Dataset | None, dipole: _Dipole, moving: np.ndarray, n: int) -> tuple[_Shares | None, str]:
    """S(0) less what the ends of the windows add to it, and why there is none."""
    if data is None:
        return None, ""
    if "charge_current_periodogram_by_pair" not in data:
        return None, "not taken: this charge_current_acf has no charge_current_periodogram_by_pair; measure it again with this version"
    forth, back = _basis(moving, n)
    power = forth @ _matrix(data["charge_current_periodogram_by_pair"], n) @ forth.T
    windows = data.sizes["window"]
    try:
        limit = zero_frequency_matrix(data["frequency"].values, power, series=3 * windows)
    except NotEnoughData as reason:
        return None, f"not taken: {reason}"
    duration = (int(data["n_frames"]) // windows) * float(data["frame_interval"])
    value = _positive(limit.value - dipole.intercept / duration)
    if value[0, 0] <= 0:
        return None, "not taken: what is left of S(0) without the ends of the windows is negative; pass fewer windows"
    return _back(value, limit.covariance, back), ""


def _positive(matrix: np.ndarray) -> np.ndarray:
    """The first diagonal element and the row beside it as they are, and of the rest what is positive semidefinite."""
    if matrix[0, 0] <= 0:
        return matrix
    shares = matrix[:, 0] / matrix[0, 0]
    rest = matrix - matrix[0, 0] * np.outer(shares, shares)
    values, vectors = np.linalg.eigh((rest + rest.T) / 2)
    return np.asarray(matrix[0, 0] * np.outer(shares, shares) + (vectors * np.maximum(values, 0.0)) @ vectors.T)


def _difference(first: _Shares, second: _Shares | None) -> np.ndarray:
    """Of the shares by two routes, in units of the combined stderr; NaN where one is missing."""
    if second is None:
        return np.full(len(first.value), np.nan)
    variance = np.diag(first.shares_covariance) + np.diag(second.shares_covariance)
    return np.asarray((first.shares - second.shares) / np.sqrt(np.maximum(variance, 0.0) + ROUNDING**2))


def _stretch(difference: np.ndarray, best: _Shares, other: _Shares | None) -> float:
    """Factor of the variance of the shares: of two routes from one run the better one errs by no less than both scatter about their mean."""
    if other is None:
        return 1.0
    weight = 1 / (1 + best.scatter / max(other.scatter, 1e-300))
    apart = np.square(best.shares - other.shares).sum()
    return float(max(1.0, weight * (1 - weight) * apart / max(best.scatter, 1e-300))) if np.nanmax(np.abs(difference)) > LEVEL else 1.0


def _with_errors(name: str, dims: tuple[str, ...], value: Any, variance: Any) -> dict[str, Any]:
    return {name: (dims, value), f"{name}_stderr": (dims, np.sqrt(np.maximum(variance, 0.0)))}


def _of_route(name: str, one: _Shares | None, total: float, stderr: float, *, n: int = 0) -> dict[str, Any]:
    if one is None or not np.isfinite(total):
        nothing = np.full((n, n) if one is None else one.value.shape, np.nan)
        return _with_errors(f"onsager_{name}", ("species", "species2"), nothing, nothing)
    value, covariance = one.scaled_to(total, stderr)
    return _with_errors(f"onsager_{name}", ("species", "species2"), value, np.einsum("abab->ab", covariance))


def _distinct(diffusivity: xr.Dataset, data: xr.Dataset, kelvin: float, value: np.ndarray, covariance: np.ndarray, *, who: str) -> dict[str, Any]:
    """What independent ions would conduct, and what is left of the matrix without it; a bound on D is taken for 1.96 standard errors."""
    names = data["species"].values.tolist()
    need_same_run(diffusivity, data, names=("self_diffusivity", "charge_displacement_msd"), who=who)
    d = diffusivity.sel(species=names)
    strength = data["n_ions"].values * np.square(data["charge"].values) * CONDUCTIVITY_TO_SI
    strength = strength / (float(data["volume"]) * thermal_energy_in_ev(kelvin, reduced=False))
    known = np.isfinite(d["self_diffusivity"].values)
    alone = strength * np.where(known, d["self_diffusivity"].values, 0.0)
    variance = np.square(strength * np.where(known, d["self_diffusivity_stderr"].values, d["self_diffusivity_upper"].values / LEVEL))
    return {
        **_with_errors("partial_conductivity_nernst_einstein", ("species",), alone, variance),
        **_with_errors("onsager_distinct", ("species", "species2"), value - np.diag(alone), np.einsum("abab->ab", covariance) + np.diag(variance)),
    }

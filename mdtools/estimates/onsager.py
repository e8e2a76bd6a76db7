"""Onsager matrix of the charge carried by species, with joint errors."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import KNOWN, carried, frame_of_reference, lag_frames, need_same_run, thermal_energy_in_ev, three_jumps
from mdtools.estimates.conductivity import Routes, routes, single_ions
from mdtools.statistics.conductivity import weight_of_first
from mdtools.statistics.cross_spectral import zero_frequency_matrix
from mdtools.statistics.diffusion import Diffusion, diffusion
from mdtools.statistics.onsager import LEVEL, Shares, basis, by_current, by_dipole, combined, difference, neutral
from mdtools.statistics.spectral import followed
from mdtools.units import CONDUCTIVITY_TO_SI

__all__ = ["onsager"]

STILL = 1e-12  # of the total: a species that carries less does not move, or has no charge


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
    `shares_difference` (species): Einstein-Helfand minus Green-Kubo of sigma_a / sigma over the stderr of that difference; `frame_of_reference`.
    The total has the value and error of `ionic_conductivity`; shares are the mean of both routes with the weights of the total, and their
    errors grow where the routes differ by more than chance allows.
    Where the dipole of all species is caged and those of single species are not (neutral pairs), the matrix is that of their own slopes with rows
    that sum to 0 within the bound of the total, and `ionic_conductivity` is NaN below `_upper`.
    Raises NotEnoughData where no species moves; TrajectoryError as `ionic_conductivity`, or where the measurements are in
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
    names = [str(name) for name in charge_displacement_msd["species"].values]
    pairs = np.triu_indices(len(names))
    dipoles = _matrix(charge_displacement_msd["charge_displacement_msd_by_pair"], len(names))
    regimes, bounds, own = _regimes(charge_displacement_msd, dipoles, found)
    moving = np.flatnonzero(np.isin(regimes, (*KNOWN, "undecided")))
    made = _made(charge_displacement_msd, charge_current_acf, dipoles, moving, own, found) if found.moves or len(moving) > 1 else None
    if made is None:
        raise NotEnoughData(
            f"{who} divides the conductivity among the species, and the dipole of this run is {found.dipole.regime} (sigma below "
            f"{found.both.upper:.3g} S/m at 95 %): give a longer run, or a hotter one"
        )
    value, covariance = made.best.value, made.best.covariance + _of_bounds(bounds)
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
        "ionic_conductivity": found.both.value,
        "ionic_conductivity_stderr": found.both.stderr,
        "ionic_conductivity_lower": found.both.lower,
        "ionic_conductivity_upper": found.both.upper,
        "regime": found.dipole.regime,
        "species_regime": ("species", regimes),
        "shares_difference": ("species", made.difference),
        "frame_of_reference": frame,
        **_of_route("einstein_helfand", made.dipole, n=len(names)),
        **_of_route("green_kubo", made.current, n=len(names)),
    }
    if self_diffusivity is not None and "charge" in charge_displacement_msd:
        out |= _distinct(self_diffusivity, charge_displacement_msd, found.temperature, value, covariance, who=who)
    told = {"green_kubo": found.why or made.why} if found.why or made.why else {}
    return schema.resolved(schema.dataset(out), temperature_used=found.temperature, shares=made.route, **told)


@dataclass(frozen=True)
class _Made:
    """The matrix by each route and by both, in S/m; the difference of the shares, why one route is missing, and how much each counts."""

    best: Shares
    dipole: Shares | None
    current: Shares | None
    difference: np.ndarray
    why: str
    route: str


def _made(
    data: xr.Dataset, current: xr.Dataset | None, dipoles: np.ndarray, moving: np.ndarray, own: dict[int, Diffusion], found: Routes
) -> _Made | None:
    """None where the total does not move, nor do species of which single dipoles have a slope."""
    windows, frames = data.sizes["window"], lag_frames(data, who="onsager")
    n_frames = int(data["n_frames"]) // windows
    if not found.moves:
        line = own[int(moving[0])]
        per_slope = found.per_diffusivity / (6 * found.interval)
        if line.regime not in KNOWN or not np.isfinite(found.both.upper):  # ions that still fly freely bound nothing
            return None
        value = neutral(frames, dipoles, moving, found.both.upper / per_slope, n_frames=n_frames, windows=windows, dipole=line)
        value = Shares(value.value * per_slope, value.covariance * per_slope**2)
        return _Made(value, value, None, difference(value, None, 0.0), "", "einstein_helfand: what species carry, and no net current")
    first = by_dipole(frames, dipoles, moving, found.dipole, n_frames=n_frames, windows=windows)
    second, why = _by_current(data, current, first, moving)
    if np.isnan(found.green_kubo.value):
        second, why = None, why or found.why
    einstein, kubo = found.einstein_helfand, found.green_kubo
    weight = float(weight_of_first(einstein, kubo, found.correlation))
    best = combined(first, second, weight, found.correlation)
    return _Made(
        best=best.scaled_to(found.both.value, found.both.stderr),
        dipole=first.scaled_to(einstein.value, einstein.stderr),
        current=None if second is None else second.scaled_to(kubo.value, kubo.stderr),
        difference=difference(first, second, found.correlation),
        why=why,
        route="einstein_helfand" if second is None else f"einstein_helfand with a weight of {weight:.2f}, green_kubo with the rest",
    )


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


def _regimes(data: xr.Dataset, dipoles: np.ndarray, found: Routes) -> tuple[np.ndarray, np.ndarray, dict[int, Diffusion]]:
    """Word for each species' own dipole ("still": it has no charge, or is the frame), the bound on what it conducts where it is caged, S/m, and
    the lines of those that are not still."""
    frames = lag_frames(data, who="onsager")
    windows = data.sizes["window"]
    n = dipoles.shape[-1]
    words, bounds = np.full(n, "still", dtype="<U12"), np.zeros(n)
    unseen = three_jumps(data) * data["n_ions"].values * np.square(data["charge"].values) if "charge" in data else bounds
    own = np.diagonal(dipoles, axis1=1, axis2=2).T
    moves = np.flatnonzero(own.max(axis=1) > STILL * dipoles.sum(axis=(1, 2)).max())
    by_axis = np.broadcast_to(np.maximum(own[moves, None], 0.0) / 3, (len(moves), 3, own.shape[1]))
    earliest = found.dipole.lag_first if found.moves else 0.0
    one = diffusion(frames, by_axis, n_frames=int(data["n_frames"]) // windows, windows=windows, earliest=earliest)
    words[moves] = one.regime
    caged = one.regime == "caged"
    bounds[moves[caged]] = np.maximum(one.upper[caged] / (6 * found.interval), unseen[moves[caged]]) * found.per_diffusivity
    lines = {int(a): one.of(k) for k, a in enumerate(moves)}
    return words, bounds, lines


def _of_bounds(bounds: np.ndarray) -> np.ndarray:
    """Variance of sigma_aa of caged species: the bound is taken for 1.96 standard errors."""
    n = len(bounds)
    out = np.zeros((n, n, n, n))
    for a in range(n):
        out[a, a, a, a] = (bounds[a] / LEVEL) ** 2
    return out


def _by_current(displacement: xr.Dataset, data: xr.Dataset | None, dipole: Shares, moving: np.ndarray) -> tuple[Shares | None, str]:
    """The matrix from the cross-spectra, and why there is none."""
    if data is None:
        return None, ""
    if "charge_current_periodogram_by_pair" not in data:
        return None, "not taken: this charge_current_acf has no charge_current_periodogram_by_pair; measure it again with this version"
    n = len(dipole.value)
    forth, _ = basis(moving, n)
    power = forth @ _matrix(data["charge_current_periodogram_by_pair"], n) @ forth.T
    frequency, series = data["frequency"].values, 3 * data.sizes["window"]
    alone, n_ions = single_ions(displacement, data)
    try:
        allowed = None if alone is None else followed(frequency, alone[None], series=series, n_ions=n_ions)
        limit = zero_frequency_matrix(frequency, power, series=series, allowed=allowed)
    except NotEnoughData as reason:
        return None, f"not taken: {reason}"
    found = by_current(limit, dipole, moving, duration=1 / float(frequency[1]))
    return found, "" if found else "not taken: what is left of S(0) without the ends of the windows is negative; pass fewer windows"


def _with_errors(name: str, dims: tuple[str, ...], value: Any, variance: Any) -> dict[str, Any]:
    return {name: (dims, value), f"{name}_stderr": (dims, np.sqrt(np.maximum(variance, 0.0)))}


def _of_route(name: str, one: Shares | None, *, n: int) -> dict[str, Any]:
    nothing = np.full((n, n), np.nan)
    value, variance = (nothing, nothing) if one is None else (one.value, np.einsum("abab->ab", one.covariance))
    return _with_errors(f"onsager_{name}", ("species", "species2"), value, variance)


def _distinct(diffusivity: xr.Dataset, data: xr.Dataset, kelvin: float, value: np.ndarray, covariance: np.ndarray, *, who: str) -> dict[str, Any]:
    """What independent ions would conduct, and what is left of the matrix without it; a bound on D is taken for 1.96 standard errors."""
    names = data["species"].values.tolist()
    need_same_run(diffusivity, data, names=("self_diffusivity", "charge_displacement_msd"), who=who)
    d = diffusivity.sel(species=names)
    strength = data["n_ions"].values * np.square(data["charge"].values) * CONDUCTIVITY_TO_SI
    strength = strength / (float(data["volume"]) * thermal_energy_in_ev(kelvin, reduced=False))
    known = np.isfinite(d["self_diffusivity"].values)
    alone = strength * np.where(known, d["self_diffusivity"].values, 0.0)
    stderr = strength * np.where(known, d["self_diffusivity_stderr"].values, d["self_diffusivity_upper"].values / LEVEL)
    spread = np.einsum("abab->ab", covariance).copy()
    # what N ions do alone goes with what they do in sum by 1 / sqrt(N); of a single ion both are the same
    in_common = np.where(known, 2 * stderr * np.sqrt(np.maximum(np.diag(spread), 0.0) / data["n_ions"].values), 0.0)
    spread[np.diag_indices_from(spread)] += stderr**2 - in_common
    return {
        **_with_errors("partial_conductivity_nernst_einstein", ("species",), alone, stderr**2),
        **_with_errors("onsager_distinct", ("species", "species2"), value - np.diag(alone), spread),
    }

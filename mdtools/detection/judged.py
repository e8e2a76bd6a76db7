"""One sublattice judged: its indicators drawn over windows of time and blocks of ions, their log-odds, and probabilities."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from mdtools.detection.indicators import HELD, Cage, bimodality, bragg_amplitudes, cage_of, indicators
from mdtools.detection.shape import sphere_over_well
from mdtools.detection.states import WEIGHT, log_odds, logistic, order_log_odds, species_probabilities
from mdtools.statistics.bootstrap import resampled, two_way_means
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["Judged", "judge_all", "site_evidence"]

FAR = 0.8  # MSD over the neighbour distance squared, beyond which the lengths of displacements show no hops
UNSEEN = 3.0  # jumps in a run, of which none is seen with a probability of 5 %
NEEDED, HOPELESS = 20.0, 5.0  # periods of vibration in half a run: enough, and too few to see a sublattice melt at CaF2's T_c


@dataclass(frozen=True)
class Judged:
    """One species: indicators and log-odds by line (draw,), probabilities (draw, state), of order and of a static wave (draw,).

    share : how much its evidence counts. alone : too few windows and blocks to draw from. rotates : probability (draw,) that what confines
    its ions is a sphere. bound : the largest D for which its displacement leaves room.
    """

    cage: Cage
    share: float
    alone: bool
    evidence: dict[str, np.ndarray]
    odds: dict[str, np.ndarray]
    probability: np.ndarray
    order: tuple[np.ndarray, np.ndarray]
    rotates: np.ndarray
    bound: float


def judge_all(
    data: xr.Dataset,
    occupied: xr.Dataset | None,
    rigidity: xr.Dataset | None,
    vibrations: xr.Dataset | None,
    *,
    worth: float,
    draws: int,
    random: np.random.Generator,
) -> list[Judged]:
    """Every species, from the same draws of windows and blocks; the first draw is the data themselves. worth : what evidence counts at most."""
    n_windows, n_blocks = data.sizes["window"], data.sizes["ion_block"]
    windows = np.concatenate([np.full((1, n_windows), 1 / n_windows), resampled(n_windows, draws, random)])
    blocks = np.concatenate([np.full((1, n_blocks), 1 / n_blocks), resampled(n_blocks, draws, random)])
    parts = data.density_amplitude.transpose("block", "species", "reflection", "part").values
    bragg = bragg_amplitudes(parts[..., 0] + 1j * parts[..., 1], draws, random)
    sites = [site_evidence(occupied, str(name), draws, random) for name in data.species.values]
    stiff = [_rigidity(data.isel(species=k), rigidity, draws, random) for k in range(data.sizes["species"])]
    fluid = [_fluidity(vibrations, str(name), draws, random) for name in data.species.values]
    return [
        _judge(data.isel(species=k), (windows, blocks), bragg[:, k], sites[k] | {"rigidity": stiff[k], "fluidity": fluid[k]}, worth)
        for k in range(data.sizes["species"])
    ]


def _judge(data: xr.Dataset, weights: tuple[np.ndarray, np.ndarray], bragg: np.ndarray, more: dict[str, np.ndarray], worth: float) -> Judged:
    msd = data.msd.transpose("window", "ion_block", "lag").values
    fourth = (data.non_gaussian_parameter.transpose("window", "ion_block", "lag").values + 1) * msd**2 / 0.6
    overlap = data.self_overlap.transpose("window", "ion_block", "lag").values
    never = data.never_moved.transpose("window", "ion_block").values
    square, quartic, overlaps, stayed = (two_way_means(x, (0, 1), weights) for x in (msd, fourth, overlap, never))
    lag, d = data.lag.values, float(data.neighbour_distance)
    cage = cage_of(lag, square[0], speed_squared=_speed_squared(data))
    evidence = indicators(lag, square, quartic, overlaps, stayed, d=d, cage=cage) | {"bragg_amplitude": bragg}
    evidence |= {name: more[name] for name in ("rigidity", "core_fraction", "excess_defects", "fluidity")}
    evidence["bimodality"] = _bimodality(data, weights)
    evidence["jumps_per_vibration"] = more["jump_rate"] * cage.period
    evidence["elastic_shape"] = _shape(data, weights, d)
    odds = log_odds(evidence, bound=cage.bound, followed=cage.followed)
    odds["bragg_amplitude"], wave = order_log_odds(bragg, int(data.n_ions))
    alone = msd.shape[0] * msd.shape[1] < 4
    share = 0.0 if alone else worth * _resolved_share(float(lag[-1]), cage, evidence)
    order = (logistic(WEIGHT["ordered"] * odds["bragg_amplitude"]), logistic(WEIGHT["ordered"] * wave))
    rotates = logistic(WEIGHT["rotates"] * odds["elastic_shape"])
    return Judged(cage, share, alone, evidence, odds, species_probabilities(odds, share=share), order, rotates, _bound(lag, square, evidence, data))


def _bound(lag: np.ndarray, square: np.ndarray, evidence: dict[str, np.ndarray], data: xr.Dataset) -> float:
    """(MSD + 2 sigma - 2 <u^2>) / 6 t at the longest lag, and 3 d^2 / 6 N t_run: what D may be at most.

    However flat the MSD, a run in which none was seen has room for three jumps at 95 % (exp(-3) = 0.05).
    """
    last, d = square[:, -1], float(data.neighbour_distance)
    plateau = np.nan_to_num(2 * (evidence["lindemann"][0] * d) ** 2)
    jumps = UNSEEN * d**2 / (6 * float(data.n_ions) * float(data.n_frames) * float(data.frame_interval))
    return float((max(last[0] - plateau, 0.0) + 2 * last[1:].std(ddof=1)) / (6 * lag[-1]) + jumps)


def _shape(data: xr.Dataset, weights: tuple[np.ndarray, np.ndarray], d: float) -> np.ndarray:
    if "late_overlap" not in data:
        return np.full(len(weights[0]), np.nan)
    late = two_way_means(data.late_overlap.transpose("window", "ion_block", "wave_multiple").values, (0, 1), weights)
    return sphere_over_well(2 * np.pi / d * data.wave_multiple.values, late)


def _bimodality(data: xr.Dataset, weights: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Where displacements of half a neighbour distance were not passed over between two frames."""
    if "distance_share" not in data or float(data.msd.sel(lag=data.distance_lag).mean()) > FAR * float(data.neighbour_distance) ** 2:
        return np.full(len(weights[0]), np.nan)
    share = two_way_means(data.distance_share.transpose("window", "ion_block", "r_reduced").values, (0, 1), weights)
    apart = max(1.0, 2 * float(data.lag[-1]) / float(data.distance_lag))
    return bimodality(share, data.r_reduced.values, float(data.n_ions) * apart)


def _fluidity(vibrations: xr.Dataset | None, name: str, draws: int, random: np.random.Generator) -> np.ndarray:
    """Draws of the fluidity of a species by its density of states; NaN where there was none."""
    if vibrations is None or name not in vibrations.sublattice.values:
        return np.full(draws + 1, np.nan)
    one = vibrations.sel(sublattice=name)
    value, error = float(one.fluidity), float(one.fluidity_stderr)
    return np.concatenate([[value], np.maximum(value + error * random.normal(size=draws), 0.0)])


def _rigidity(data: xr.Dataset, rigidity: xr.Dataset | None, draws: int, random: np.random.Generator) -> np.ndarray:
    """Draws of the shear modulus over n k_B T, of a species of the declared framework; NaN of the others and where it was not measured."""
    if rigidity is None or not int(data.framework) or not np.isfinite(rigidity.rigidity_ratio):
        return np.full(draws + 1, np.nan)
    value, error = float(rigidity.rigidity_ratio), float(rigidity.rigidity_ratio_stderr)
    return np.concatenate([[value], value + error * random.normal(size=draws)])


def site_evidence(occupied: xr.Dataset | None, name: str, draws: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Excess defects, core fraction and jumps of an ion per ps: the estimate and draws of windows and blocks of ions; NaN where not measured."""
    if occupied is None or name not in occupied.species.values:
        return {key: np.full(draws + 1, np.nan) for key in ("excess_defects", "core_fraction", "jump_rate")}
    one = occupied.sel(species=name)
    n_windows, n_blocks = occupied.sizes["window"], occupied.sizes["ion_block"]
    windows = np.concatenate([np.full((1, n_windows), 1 / n_windows), resampled(n_windows, draws, random)])
    blocks = np.concatenate([np.full((1, n_blocks), 1 / n_blocks), resampled(n_blocks, draws, random)])
    built_in = max(0.0, 1 - float(one.n_ions) / float(one.n_sites))
    core = two_way_means(one.core_fraction.transpose("window", "ion_block").values, (0, 1), (windows, blocks))
    count = one.jump_count.transpose("window", "ion_block").values / one.ions_of_block.values[None, :]
    rate = two_way_means(count, (0, 1), (windows, blocks)) * n_windows / float(occupied.observed_time)
    return {"excess_defects": np.maximum(windows @ one.empty_sites.values - built_in, 0.0), "core_fraction": core, "jump_rate": rate}


def _speed_squared(data: xr.Dataset) -> float:
    """3 k_B T / m in angstrom^2/ps^2 (or reduced), NaN where temperature or mass is not known."""
    if "mass" not in data or not np.isfinite(data.stated_temperature):
        return np.nan
    factor = 1.0 if data.attrs.get("unit_system") == "lj" else BOLTZMANN / KINETIC_TO_EV
    return float(3 * factor * data.stated_temperature / data.mass)


def _resolved_share(half_run: float, cage: Cage, evidence: dict[str, np.ndarray]) -> float:
    """How much the evidence of a species counts: half the run against its period, or against its way if it shows no cage."""
    if evidence["displacement"][0] < HELD:
        return 1.0
    if not cage.seen:
        return float(np.clip(evidence["displacement"][0], 0.0, 1.0)) if evidence["log_slope"][0] < 1.3 else 0.0
    periods = half_run / cage.period
    return float(np.clip((periods - HOPELESS) / (NEEDED - HOPELESS), 0.0, 1.0))

"""From estimates at several temperatures to laws of ln y: the points, the fit with honest errors, and its columns of a Dataset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdtools.statistics.laws import LAWS, Law, Points, arrhenius_line, averaged, fit_laws, quantiles
from mdtools.statistics.replicas import Scatter, conditions, replica_scatter
from mdtools.units import BOLTZMANN

__all__ = ["FEWEST", "Fit", "columns", "fit", "grid"]

Floats = NDArray[Any]
FEWEST = 3  # temperatures
GRID = 32  # temperatures of a prediction, even in 1 / T
UNLIKELY = 0.05  # a misfit below it widens the errors
STAGGERED = 0.01  # the same for the scatter of replicas


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Laws fitted to one species or transport quantity; `boltzmann` turns temperatures into energies."""

    points: Points
    laws: list[Law]
    scatter: Scatter
    boltzmann: float

    def law(self, name: str) -> Law | None:
        return next((law for law in self.laws if law.name == name), None)


def fit(kelvin: Floats, value: Floats, stderr: Floats, bound: Floats, *, reduced: bool) -> Fit | None:
    """Laws of ln value; None where fewer than three temperatures have one.

    value, stderr : NaN for runs without; these count by their 95 % bound where it is above zero. Errors are multiplied by the
    scatter of replicas where it is larger than the quoted errors allow, and then by that of the values about the most probable law where it
    does not hold. Temperatures closer than a thousandth are one.
    """
    boltzmann = 1.0 if reduced else BOLTZMANN
    known = (value > 0) & (stderr > 0)
    bounded = ~known & (bound > 0)
    if not known.any() or len(np.unique(conditions(kelvin[known]))) < FEWEST:
        return None
    used = known | bounded
    log_value = np.full(len(kelvin), np.nan)
    log_value[known] = np.log(value[known])
    log_bound = np.full(len(kelvin), np.nan)
    log_bound[bounded] = np.log(bound[bounded])
    error = np.where(known, stderr / np.where(known, value, 1.0), np.nan)
    scatter = replica_scatter(conditions(kelvin[known]), log_value[known], error[known])
    error = error * (max(1.0, scatter.ratio) if scatter.misfit < STAGGERED else 1.0)

    def at(stretch: float) -> tuple[Points, list[Law]]:
        points = Points(beta=1 / (boltzmann * kelvin[used]), log_value=log_value[used], stderr=stretch * error[used], log_bound=log_bound[used])
        return points, fit_laws(points)

    points, laws = at(1.0)
    likely = max(laws, key=lambda law: law.log_evidence)
    if likely.misfit < UNLIKELY:
        points, laws = at(_stretch(likely))
    return Fit(points=points, laws=laws, scatter=scatter, boltzmann=boltzmann)


def _stretch(law: Law) -> float:
    """Scatter about the best curve of a law over the quoted errors, at least 1."""
    return max(1.0, float(np.sqrt(law.best.chi2 / law.free))) if law.free > 0 else 1.0


def grid(kelvin: Floats, wanted: Sequence[float] | None) -> tuple[Floats, Floats]:
    """Temperatures of the predictions, rising, and whether each lies outside the runs. Raises ValueError for those not above 0."""
    if wanted is not None and not np.all(np.asarray(wanted) > 0):
        raise ValueError(f"temperatures={list(wanted)!r}: predictions are made at temperatures above 0 K")
    inner = 1 / np.linspace(1 / kelvin.max(), 1 / kelvin.min(), GRID)
    all_of_them = np.unique(np.concatenate([inner, kelvin, np.asarray(wanted if wanted is not None else [], dtype=np.float64)]))
    return all_of_them, ((all_of_them < kelvin.min() * (1 - 1e-9)) | (all_of_them > kelvin.max() * (1 + 1e-9))).astype(np.int64)


def columns(found: Fit | None, at: Floats) -> dict[str, Any]:
    """Numbers of one fit, by name: scalars, (law,), (branch,) and (predicted_temperature,) arrays; NaN where there is no fit.

    "log_prediction" has the quantiles 2.5, 50 and 97.5 % of ln y.
    """
    out: dict[str, Any] = dict.fromkeys(_SCALARS, np.nan)
    out |= {name: np.full(len(LAWS), np.nan) for name in ("law_log_evidence", "law_probability", "law_misfit")}
    out |= {name: np.full(2, np.nan) for name in ("branch_activation_energy", "branch_activation_energy_stderr")}
    out |= {name: np.full(len(at), np.nan) for name in ("local_activation_energy", "local_activation_energy_stderr")}
    out["log_prediction"] = np.full((3, len(at)), np.nan)
    if found is not None:
        out |= _line(found) | _compared(found) | _branches(found) | _vogel(found) | _predicted(found, at)
        out |= {
            "n_runs": float(found.points.known.sum()),
            "n_bounded": float((~found.points.known).sum()),
            "replica_scatter": found.scatter.ratio,
            "replica_misfit": found.scatter.misfit,
        }
    return out


_SCALARS = (
    "activation_energy",
    "activation_energy_stderr",
    "log_prefactor",
    "log_prefactor_stderr",
    "log_prefactor_covariance",
    "misfit",
    "crossover_temperature",
    "crossover_temperature_stderr",
    "vogel_temperature",
    "vogel_temperature_stderr",
    "n_runs",
    "n_bounded",
    "replica_scatter",
    "replica_misfit",
)


def _line(found: Fit) -> dict[str, float]:
    """Energy and prefactor of the Arrhenius line; where it does not hold, with the scatter about it in their errors."""
    law = found.law("arrhenius")
    assert law is not None
    (prefactor, energy), covariance, chi2 = arrhenius_line(found.points)
    covariance = covariance * (max(1.0, chi2 / law.free) if law.free > 0 else 1.0)
    return {
        "activation_energy": float(energy),
        "activation_energy_stderr": float(np.sqrt(covariance[1, 1])),
        "log_prefactor": float(prefactor),
        "log_prefactor_stderr": float(np.sqrt(covariance[0, 0])),
        "log_prefactor_covariance": float(covariance[0, 1]),
        "misfit": law.misfit,
    }


def _compared(found: Fit) -> dict[str, Floats]:
    there = [LAWS.index(law.name) for law in found.laws]
    evidence, probability, misfit = (np.full(len(LAWS), np.nan) for _ in range(3))
    evidence[there] = [law.log_evidence for law in found.laws]
    share = np.exp(evidence[there] - evidence[there].max())
    probability[there] = share / share.sum()
    misfit[there] = [law.misfit for law in found.laws]
    return {"law_log_evidence": evidence, "law_probability": probability, "law_misfit": misfit}


def _mixture(values: Floats, variances: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a mixture, along the first axis."""
    mean = np.tensordot(shares, values, axes=1)
    return mean, np.sqrt(np.tensordot(shares, variances + np.square(values - mean), axes=1))


def _branches(found: Fit) -> dict[str, Any]:
    law = found.law("two branches")
    if law is None:
        return {}
    to_energies = np.array([[0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]])  # cold, hot
    values = np.array([to_energies @ one.mean for one in law.components])
    variances = np.array([np.diag(to_energies @ one.covariance @ to_energies.T) for one in law.components])
    energy, stderr = _mixture(values, variances, law.shares)
    fixed = np.array([one.fixed for one in law.components]) / found.boltzmann
    # a grid of crossovers: each stands for its neighbourhood
    width = np.gradient(np.sort(fixed)).mean() / np.sqrt(12) if len(fixed) > 1 else 0.0
    crossover, error = _mixture(fixed, np.full(len(fixed), width**2), law.shares)
    return {
        "branch_activation_energy": energy,
        "branch_activation_energy_stderr": stderr,
        "crossover_temperature": float(crossover),
        "crossover_temperature_stderr": float(error),
    }


def _vogel(found: Fit) -> dict[str, float]:
    law = found.law("vogel")
    if law is None:
        return {}
    value, error = _mixture(np.array([one.fixed for one in law.components]) / found.boltzmann, np.zeros(len(law.components)), law.shares)
    return {"vogel_temperature": float(value), "vogel_temperature_stderr": float(error)}


def _predicted(found: Fit, at: Floats) -> dict[str, Floats]:
    """Local energy and quantiles of ln y at temperatures, over all laws."""
    beta = 1 / (found.boltzmann * at)
    parts, shares = averaged(found.laws)
    keep = shares > 1e-5
    parts, shares = [part for part, kept in zip(parts, keep, strict=True) if kept], shares[keep] / shares[keep].sum()
    rows = [part.rows(beta) for part in parts]
    slopes = [part.slopes(beta) for part in parts]
    means = np.array([row @ part.mean for row, part in zip(rows, parts, strict=True)])
    deviations = np.sqrt(np.array([np.einsum("pi,ij,pj->p", row, part.covariance, row) for row, part in zip(rows, parts, strict=True)]))
    local = np.array([slope @ part.mean for slope, part in zip(slopes, parts, strict=True)])
    spread = np.array([np.einsum("pi,ij,pj->p", slope, part.covariance, slope) for slope, part in zip(slopes, parts, strict=True)])
    energy, error = _mixture(local, spread, shares)
    levels = np.array([0.025, 0.5, 0.975])
    log = quantiles(means, deviations, shares, levels)
    return {"local_activation_energy": energy, "local_activation_energy_stderr": error, "log_prediction": log}

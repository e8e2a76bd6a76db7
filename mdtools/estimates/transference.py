"""Transference numbers: which species carries the current."""

from typing import Any

import numpy as np
import xarray as xr

from mdtools import schema
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.common import carried

__all__ = ["transference_number"]

LEVEL = 1.96
TIED = 1e-5  # of sigma_11 sigma_22: a determinant below it is rounding, two species that the frame of reference ties to one another


@schema.recorded
def transference_number(onsager: xr.Dataset, *, electronic_conductivity: float | None = None) -> xr.Dataset:
    """Transference number of each species, and what electrons or counter-ions leave of neutral transport.

    t_a = sigma_a / sigma = sum_b sigma_ab / sum_ab sigma_ab, by the joint covariance of the Onsager matrix. It depends on the frame of
    reference, may be negative or above 1, and in the barycentric frame of two species is only m_- / (m_+ + m_-).
    Of independent ions t_a^NE = sigma_a^NE / sum_b sigma_b^NE, where the matrix was given the diffusivities.

    electronic_conductivity : S/m, from elsewhere (molecular dynamics has no electrons): t_ion = sigma / (sigma + sigma_e), which every t_a is
        multiplied with (t_a^NE is then sigma_a^NE / (sum_b sigma_b^NE + sigma_e)), and the ambipolar conductivity
        sigma sigma_e / (sigma + sigma_e) of a mixed conductor. Without it, of two
        species that move, (sigma_11 sigma_22 - sigma_12^2) / sigma: what moves when no current flows; not given where the two are tied
        to one another, as by the barycentric frame.

    Returns `transference_number` (species) with _stderr, `_lower` and `_upper` (95 %), `transference_number_nernst_einstein`,
    `ionic_transference_number` and `ambipolar_conductivity` (S/m) with _stderr, `frame_of_reference`.
    Raises NotEnoughData where sigma is not known to be above 0 by two standard errors; TrajectoryError for a negative electronic_conductivity.
    Source: reference/science.md A1 rows 10, 11 and 18.

    >>> from mdtools import synthetic
    >>> from mdtools.analyses.current import charge_displacement_msd
    >>> from mdtools.estimates.onsager import onsager
    >>> walk = synthetic.brownian(n_frames=4000, temperature=1000.0, seed=1)
    >>> t = transference_number(onsager(charge_displacement_msd(walk, reference="none")))
    >>> bool(abs(t.transference_number.sel(species="A") - 0.5) < 3 * t.transference_number_stderr.sel(species="A"))
    True
    """
    who = "transference_number"
    matrix, covariance = onsager["onsager"].values, _covariance(onsager)
    total, error = float(onsager["ionic_conductivity"]), float(onsager["ionic_conductivity_stderr"])
    if not np.isfinite(total):
        raise NotEnoughData(
            f"{who} divides by the conductivity, of which this run has only a bound (below {float(onsager['ionic_conductivity_upper']):.3g} S/m): "
            "give a longer run, or a hotter one"
        )
    if not total > 2 * error:
        raise NotEnoughData(f"{who} divides by the conductivity, and {total:.3g} +- {error:.2g} S/m may as well be 0: give a longer run")
    if electronic_conductivity is not None and not electronic_conductivity >= 0:
        raise TrajectoryError(f"{who}: electronic_conductivity={electronic_conductivity:g} S/m is negative")
    share = matrix.sum(axis=1) / total
    turn = np.eye(len(share)) - share[:, None]
    variance = np.diag(turn @ covariance.sum(axis=(1, 3)) @ turn.T) / total**2
    ionic = total / (total + (electronic_conductivity or 0.0))
    ionic_error = (1 - ionic) * ionic * error / total
    share, stderr = share * ionic, np.hypot(ionic * np.sqrt(np.maximum(variance, 0.0)), share * ionic_error)
    out: dict[str, Any] = {
        **carried(onsager),
        "species": onsager["species"].values,
        "transference_number": ("species", share),
        "transference_number_stderr": ("species", stderr),
        "transference_number_lower": ("species", share - LEVEL * stderr),
        "transference_number_upper": ("species", share + LEVEL * stderr),
        "ionic_conductivity": total,
        "ionic_conductivity_stderr": error,
        "frame_of_reference": str(onsager["frame_of_reference"].values),
        **_ambipolar(matrix, covariance, total, error, electronic_conductivity, moving=onsager["species_regime"].values),
    }
    if electronic_conductivity is not None:
        out |= {"ionic_transference_number": ionic, "ionic_transference_number_stderr": ionic_error}
    if "partial_conductivity_nernst_einstein" in onsager:
        alone, alone_error = (onsager[f"partial_conductivity_nernst_einstein{end}"].values for end in ("", "_stderr"))
        if alone.sum() > 0:
            whole = alone.sum() + (electronic_conductivity or 0.0)
            part = alone / whole
            spread = np.square((np.eye(len(part)) - part[:, None]) * alone_error).sum(axis=1)
            out |= {
                "transference_number_nernst_einstein": ("species", part),
                "transference_number_nernst_einstein_stderr": ("species", np.sqrt(spread) / whole),
            }
    return schema.dataset(out)


def _covariance(data: xr.Dataset) -> np.ndarray:
    """Of the elements (a, b) and (c, d): (species, species, species, species)."""
    n = data.sizes["species"]
    number = np.zeros((n, n), dtype=int)
    number[np.triu_indices(n)] = np.arange(n * (n + 1) // 2)
    number = np.maximum(number, number.T)
    return data["onsager_covariance"].values[number[:, :, None, None], number[None, None]]


def _ambipolar(
    matrix: np.ndarray, covariance: np.ndarray, total: float, error: float, electronic: float | None, *, moving: np.ndarray
) -> dict[str, float]:
    if electronic is not None:
        value = total * electronic / (total + electronic) if electronic else 0.0
        slope = (electronic / (total + electronic)) ** 2
        return {"ambipolar_conductivity": value, "ambipolar_conductivity_stderr": slope * error}
    at = [k for k, word in enumerate(moving) if word not in ("still", "caged")]
    if len(at) != 2:
        return {}
    two, spread = matrix[np.ix_(at, at)], covariance[np.ix_(at, at, at, at)]
    value = max(float(np.linalg.det(two)), 0.0) / total
    if value * total < TIED * two[0, 0] * two[1, 1]:
        return {}
    gradient = np.array([[two[1, 1], -two[0, 1]], [-two[0, 1], two[0, 0]]]) / total - value / total
    return {
        "ambipolar_conductivity": value,
        "ambipolar_conductivity_stderr": float(np.sqrt(max(np.einsum("ab,abcd,cd->", gradient, spread, gradient), 0.0))),
    }

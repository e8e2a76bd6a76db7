"""How do ions move together? Haven ratio and correlation factor read as signs of a mechanism."""

import numpy as np
import xarray as xr

from mdtools import schema

__all__ = ["detect_mechanism"]

SURE = 0.8  # probability from which a mechanism is a verdict
MARGIN = 1.1  # factor by which a ratio must differ from 1 to count as different
DRAWS = 20_000
# word -> what it means
MECHANISMS = {
    "independent": "ions carry their charge each for itself",
    "back-jumps": "jumps of an ion are undone, those of the charge are not, as of ions that jump into vacancies (H_R = f)",
    "concerted": "the charge of a jump moves farther than the ion does, as when ions push one another on (interstitialcy, strings)",
    "neutral": "part of the motion carries no charge, as of ions of both signs that travel together, or that change places in closed rings",
    "correlated": "H_R is below 1, by back-jumps or by concerted motion",
}
REASONS = "with the correlation factor f of the jumps (correlation_factor=) back-jumps (H_R = f) and concerted motion (H_R < f) could be told apart"


@schema.recorded
def detect_mechanism(
    haven_ratio: xr.Dataset, *, correlation_factor: float | None = None, correlation_factor_stderr: float = 0.0, seed: int = 0
) -> xr.Dataset:
    """What the Haven ratio and the correlation factor say of how ions move together, with probabilities and the numbers behind them.

    f = D* / D of uncorrelated jumps of the ions, f_I that of the charge: H_R = f / f_I. Back-jumps lower f alone (vacancy: H_R = f < 1); concerted
    motion raises f_I (collinear interstitialcy: f = 2/3, H_R = 1/3; n ions in a row: f / n); neutral motion lowers f_I: H_R > f, and
    above 1 only by it (molten salts 1.2, closed rings). "Back-jumps raise H_R above 1" is a slip found in textbooks.
    Both are drawn from their errors; a ratio is different from 1 beyond a factor of 1.1. Without f a Haven ratio below 1 is "correlated": which
    of the two is then open. `undecided` below a probability of 0.8.

    correlation_factor : f with its standard error, from counted jumps of the run or from the lattice (fcc 0.7815, bcc 0.7272, sc 0.6531).

    Returns `system_verdict`, `system_reason`, `system_probability` (system_state), `haven_ratio` with _stderr, and with f
    `charge_correlation_factor` f_I = f / H_R with _stderr. Never raises for weak data; ValueError for f not in (0, 1.5] or a negative error.
    Source: reference/science.md A1 rows 8 and 9, A5 rows 56 to 58, B11.

    >>> weak = schema.dataset({"haven_ratio": 0.9, "haven_ratio_stderr": 0.3})
    >>> detect_mechanism(weak).system_verdict.item()
    'undecided'
    >>> clear = schema.dataset({"haven_ratio": 0.335, "haven_ratio_stderr": 0.01})
    >>> detect_mechanism(clear, correlation_factor=2 / 3).system_verdict.item()
    'concerted'
    """
    f, error = correlation_factor, correlation_factor_stderr
    if f is not None and not (0 < f <= 1.5 and error >= 0):
        raise ValueError(
            f"detect_mechanism: correlation_factor={f:g} +- {error:g} is none: it lies between 0 and about 1, with an error of 0 or more"
        )
    value, stderr = float(haven_ratio["haven_ratio"]), float(haven_ratio["haven_ratio_stderr"])
    random = np.random.default_rng(seed)
    log_haven = np.log(value) + stderr / value * random.standard_normal(DRAWS)
    log_f = None if f is None else np.log(f) + error / f * random.standard_normal(DRAWS)
    words = _words(log_haven, log_f)
    probability = np.array([np.mean(words == word) for word in MECHANISMS])
    best = int(np.argmax(probability))
    sure = probability[best] >= SURE
    word = list(MECHANISMS)[best]
    numbers = f"H_R = {value:.3g} +- {stderr:.2g}" + ("" if f is None else f", f = {f:.4g} +- {error:.2g}, f_I = f / H_R = {f / value:.3g}")
    reason = f"{numbers}: {MECHANISMS[word]} (probability {probability[best]:.2f})"
    if not sure:
        reason = f"{numbers}: no mechanism has a probability of {SURE:g} (most likely {word}, {probability[best]:.2f}): give a longer run"
    if f is None and word == "correlated":
        reason += f"; {REASONS}"
    out = {
        "system_state": list(MECHANISMS),
        "system_verdict": word if sure else "undecided",
        "system_reason": reason,
        "system_probability": ("system_state", probability),
        "haven_ratio": value,
        "haven_ratio_stderr": stderr,
    }
    if f is not None:
        out |= {"charge_correlation_factor": f / value, "charge_correlation_factor_stderr": f / value * float(np.hypot(stderr / value, error / f))}
    return schema.dataset(out)


def _words(log_haven: np.ndarray, log_f: np.ndarray | None) -> np.ndarray:
    """The mechanism of each draw."""
    step = np.log(MARGIN)
    if log_f is None:
        return np.where(log_haven > step, "neutral", np.where(log_haven < -step, "correlated", "independent"))
    log_charge = log_f - log_haven
    alone = np.where(log_f < -step, "back-jumps", "independent")
    return np.where(log_charge > step, "concerted", np.where(log_charge < -step, "neutral", alone))

"""What was understood of a run, in words: rows of `mdtools info` and of the table in a notebook."""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mdtools.thermo import Thermo

if TYPE_CHECKING:
    from mdtools.statistics.series_mean import SeriesMean

__all__ = ["charges_in_words", "html_table", "thermo_in_words"]


def thermo_in_words(log: Thermo | None, history: Sequence[Mapping[str, Any]], *, reduced: bool) -> dict[str, str]:
    """Means of the log with their error, and what the velocities and paths themselves say (`sanity` of the reader)."""
    found: dict[str, str] = next((step["sanity"] for step in reversed(history) if "sanity" in step), {})
    rows = {f"sanity: {name}": str(value) for name, value in found.items()}
    if log is None:
        return {"thermo": "no"} | rows
    units = {"temperature": "K", "pressure": "GPa", "volume": "angstrom^3"}
    means = {name: value for name, value in log.means().items() if name in units}
    words = ", ".join(f"{name} {_with_error(mean, '' if reduced else f' {units[name]}')}" for name, mean in means.items())
    return {"thermo": f"{len(log)} rows; {words}"} | rows


def _with_error(mean: "SeriesMean", unit: str) -> str:
    """An error that is no more than rounding is left out, and one that the log is too short to tell."""
    if mean.stderr > 1e-9 * abs(mean.value) and not mean.settled:
        return f"{mean.value:.6g}{unit} (drifts or relaxes over a fifth of the log or longer: no error)"
    return f"{mean.value:.6g}" + (f" +- {mean.stderr:.2g}" if mean.stderr > 1e-9 * abs(mean.value) else "") + unit


def charges_in_words(charges: np.ndarray, species: np.ndarray) -> str:
    """Mean of every species and the sum, or of which shape they are."""
    if charges.ndim != 1:
        return "per frame and atom" if charges.ndim == 2 else "tensors"
    means = {name: charges[species == name].mean() for name in dict.fromkeys(species.tolist())}
    return ", ".join(f"{name} {value:+g}" for name, value in means.items()) + f" (sum {charges.sum():+.3g} e)"


def html_table(rows: Mapping[str, str]) -> str:
    cells = "".join(f"<tr><th style='text-align:left'>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in rows.items())
    return f"<table>{cells}</table>"

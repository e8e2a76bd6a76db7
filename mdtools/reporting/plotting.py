"""Any result as a figure for the notebook and the paper: the pictures of the report, one at a time."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from mdtools.chain import stage_of
from mdtools.errors import TrajectoryError
from mdtools.reporting import figures
from mdtools.reporting.figures.general import axis_of
from mdtools.reporting.pictures import Picture, labels_of, on_axes, pictures_of
from mdtools.reporting.style import styled
from mdtools.reporting.tables import CARRIED

__all__ = ["plot"]

Kind = Literal["lines", "map"]
# what several runs make together: stage -> (figure, the fit that is drawn with it)
SERIES = {
    "self_diffusivity": (figures.activation_energy, "activation_energy"),
    "ionic_conductivity": (figures.conduction, "conduction_activation_energy"),
}
CURVES = {"msd": figures.msd_of_runs, "phonon_dos": figures.dos_of_runs}


def plot(
    data: xr.Dataset | Sequence[xr.Dataset],
    *,
    ax: Any = None,
    beside: xr.Dataset | Sequence[xr.Dataset] = (),
    species: str | None = None,
    pair: str | None = None,
    kind: Kind | None = None,
) -> Any:
    """A result drawn with units, error bands and colours that everybody tells apart; returns the Axes.

    data : a Dataset of mdtools, or those of several runs over temperature (MSD, density of states, D, conductivity).
    ax : where to draw; a new figure if not given.
    beside : results that are drawn with it where its figure knows them: D over its MSD, the fit over an Arrhenius plot,
        the charge-current correlation under a conductivity.
    species, pair : which one, of a result with a figure for each; else all of them side by side (an array of Axes).
    kind : "lines" or "map" where a result has both.

    The same figures as on the page of `report`. Bands and bars are two standard errors or the 95 % interval.
    Raises TrajectoryError for a Dataset that mdtools did not make, a label or a kind that it has not.

    >>> from mdtools import msd, self_diffusivity, synthetic
    >>> measured = msd(synthetic.brownian(n_atoms=16, n_frames=60))
    >>> plot(measured, beside=self_diffusivity(measured)).get_xlabel()
    'time (ps)'
    """
    others = [beside] if isinstance(beside, xr.Dataset) else list(beside)
    with styled():
        if not isinstance(data, xr.Dataset):
            if pair is not None:
                raise TrajectoryError("a figure of several runs knows no pairs: leave pair= (--pair) out")
            return _of_several(list(data), others, ax, species)
        result = stage_of(data)
        made = {stage_of(one): one for one in others} | {result: data}
        picture = _picture(made, result, kind)
        labels = _chosen(picture, data, result, {name: of for name, of in (("species", species), ("pair", pair)) if of is not None})
        if ax is not None:
            if len(labels) > 1:
                raise TrajectoryError(
                    f"{result} has a figure for each {picture.over}, and one Axes was given: pass {picture.over}= ({', '.join(labels)})"
                )
            on_axes(picture, made, ax, labels[0])
            return ax
        axes = _axes(len(labels))
        for one, of in zip(axes, labels, strict=True):
            on_axes(picture, made, one, of)
        return axes[0] if len(labels) == 1 else axes


def _picture(made: Mapping[str, xr.Dataset], result: str, kind: str | None) -> Picture:
    """The first picture of a kind; of a result without one its curves, or its numbers."""
    there = [*pictures_of(made, result)]
    if not there:
        there = [_general(made[result], result)]
    found = [one for one in there if kind in (None, one.kind)]
    if not found:
        raise TrajectoryError(f"{result} has no {kind}; its figures are {', '.join(dict.fromkeys(one.kind for one in there))}")
    return found[0]


def _general(data: xr.Dataset, result: str) -> Picture:
    name = _main(data, result)
    draw = figures.curves if axis_of(data[name]) else figures.numbers
    return Picture(id=result, words=name, draw=lambda made, ax, of: draw(made[result], ax, name=name))


def _main(data: xr.Dataset, result: str) -> str:
    """The quantity that a result is about: the one of its name, else the first with an error, else the first number."""
    if result in data:
        return result
    names = [str(name) for name in data.data_vars if data[name].dtype.kind in "fiu" and name not in CARRIED]
    first = [name for name in names if f"{name}_stderr" in data or f"{name}_lower" in data or name == "probability"]
    return (first or names)[0]


def _chosen(picture: Picture, data: xr.Dataset, result: str, asked: Mapping[str, str]) -> list[str]:
    """The figures of a result, or that one which was asked for by species or pair. Raises TrajectoryError where there is none such."""
    labels = labels_of(picture, data)
    for over, label in asked.items():
        if over != picture.over:
            each = f"has one for each {picture.over}" if picture.over else "is one for all"
            raise TrajectoryError(f"the figure of {result} {each}: leave {over}= (--{over}) out")
        if label not in labels:
            raise TrajectoryError(f"{result} has no {over} {label}; it has {', '.join(labels)}")
    return [asked[picture.over]] if asked else labels


def _of_several(members: list[xr.Dataset], others: list[xr.Dataset], ax: Any, species: str | None) -> Any:
    """Runs over temperature in one figure. Raises TrajectoryError for what has none."""
    results = {stage_of(one) for one in members}
    if len(results) != 1 or not results <= {*SERIES, *CURVES}:
        raise TrajectoryError(f"several runs are drawn of one of {', '.join([*SERIES, *CURVES])}; given are {', '.join(sorted(results)) or 'none'}")
    result = results.pop()
    ordered = sorted(members, key=lambda one: float(one.get("stated_temperature", np.nan)))
    if result in SERIES:
        if species is not None:
            raise TrajectoryError(f"the figure of {result} over several runs is one for all species: leave species= (--species) out")
        draw, fitted = SERIES[result]
        fit = next((one for one in others if stage_of(one) == fitted), None)
        shown = [partial(draw, ordered, fit=fit)]
    else:
        names = list(dict.fromkeys(str(name) for one in ordered for name in one.species.values))
        if species is not None and species not in names:
            raise TrajectoryError(f"these runs have no species {species}; they have {', '.join(names)}")
        shown = []
        for name in names if species is None else [species]:
            runs = [(f"{float(one.stated_temperature):g} K" if "stated_temperature" in one else f"run {k + 1}", one) for k, one in enumerate(ordered)]
            shown.append(partial(CURVES[result], [run for run in runs if name in run[1].species.values], species=name))
    if ax is not None and len(shown) > 1:
        raise TrajectoryError(f"{result} has a figure for each species, and one Axes was given: pass species=")
    axes = [ax] if ax is not None else _axes(len(shown))
    for one, drawn in zip(axes, shown, strict=True):
        drawn(one)
    return axes[0] if len(shown) == 1 else axes


def _axes(n: int) -> np.ndarray:
    """Axes of a new figure, side by side."""
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, n, figsize=(3.6 * n, 2.8), layout="constrained", squeeze=False)
    return axes[0]

"""Which figures a page shows: those of one run, and those of a series over temperature."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from mdtools.chain import Chain, Chains
from mdtools.reporting import figures
from mdtools.reporting.numbers import plain
from mdtools.reporting.parts import Drawing, Part, Section, drawing, encoded
from mdtools.reporting.pictures import PICTURES, Picture, labels_of, on_axes, pictures_of
from mdtools.reporting.sections import temperature_of
from mdtools.reporting.style import figure, safe, styled

__all__ = ["Drawn", "Key", "Pictured", "drawn_of", "of_runs", "of_series", "pictured"]

Key = tuple[int, str, str]  # number of a run, id of a picture, label
Drawn = dict[Key, str]

LABELS = 6  # at most so many species or pairs get a figure each
DASHBOARD = {
    "displacement": "MSD / neighbour distance²",
    "lindemann": "vibration / neighbour distance",
    "never_moved": "ions that never moved",
}


@dataclass(frozen=True)
class Pictured:
    """A picture of a result of a run. number : of the run. k : of the label. shows : the results that it is drawn of, as far as they are there."""

    picture: Picture
    result: str
    number: int
    k: int
    of: str
    shows: Mapping[str, xr.Dataset]

    @property
    def key(self) -> Key:
        return self.number, self.picture.id, self.of

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing that would be drawn with it."""
        return all(name in self.shows for name in self.picture.also)

    @property
    def title(self) -> str:
        return self.picture.words.replace("{of}", self.picture.title(self.shows, self.of))


def of_runs(runs: Chains, ready: Drawn | None = None) -> Section:
    """Every figure of every run; open where there is one run. ready : those that have been drawn already."""
    with styled():
        parts = []
        for number, run in enumerate(runs):
            where = "" if len(runs) == 1 else f". {run.name}"
            found = tuple(_of_run(run, number, where, ready or {}))
            parts.append(Part(f"Figures: {run.name}", open=len(runs) <= 2, figures=found))
    if len(parts) == 1:
        return Section("figures", "Figures", figures=parts[0].figures)
    return Section("figures", "Figures of each run", parts=tuple(parts))


def _of_run(run: Chain, number: int, where: str, ready: Drawn) -> Iterator[Drawing]:
    for one in pictured(run.made, number):
        name = f"run{number + 1}-{one.picture.id}" + (f"-{one.k}" if one.picture.over else "")
        yield Drawing(name, one.title + where, ready.get(one.key) or drawn_of(one))


def pictured(made: Mapping[str, xr.Dataset], number: int) -> Iterator[Pictured]:
    """Every picture of the results of a run, in their order."""
    for result in PICTURES:
        if result in made:
            for picture in pictures_of(made, result):
                shows = {name: made[name] for name in (result, *picture.needs, *picture.also) if name in made}
                for k, of in enumerate(labels_of(picture, made[result])[:LABELS]):
                    yield Pictured(picture, result, number, k, of, shows)


def drawn_of(one: Pictured) -> str:
    """A picture as the page holds it; draw in the style of the project."""
    return encoded(_framed(one.picture, one.shows, one.of))


def _framed(picture: Picture, made: Mapping[str, xr.Dataset], of: str) -> Any:
    """A picture on a figure of its own, with title and colour bar."""
    whole, axes = figure()
    on_axes(picture, made, axes[0, 0], of)
    return whole


def _one(draw: Callable[[Any], Any], *, title: str = "") -> Any:
    made, axes = figure()
    draw(axes[0, 0])
    if title:
        axes[0, 0].set_title(safe(title))
    return made


def of_series(runs: Chains) -> Section | None:
    """Arrhenius plot and dashboard over temperature, where there are at least two temperatures."""
    with styled():
        drawn = [*_arrhenius(runs), *_curves(runs), *_of_all(runs), *_dashboard(runs)]
    return Section("temperature", "Over temperature", figures=tuple(drawn), large=False) if drawn else None


def _arrhenius(runs: Chains) -> Iterator[Drawing]:
    members = [run.made["self_diffusivity"] for run in runs if "self_diffusivity" in run.made and np.isfinite(temperature_of(run))]
    if len({float(data.stated_temperature) for data in members}) >= 2:
        drawn = _one(partial(figures.activation_energy, members, fit=runs.made.get("activation_energy")))
        words = "Arrhenius plot; arrows: caged in this run, at the 95 % bound on D; dashed, with its 95 % band: the laws, averaged"
        yield drawing("arrhenius", words, drawn)
    members = [run.made["ionic_conductivity"] for run in runs if "ionic_conductivity" in run.made and np.isfinite(temperature_of(run))]
    if len({float(data.stated_temperature) for data in members}) >= 2:
        drawn = _one(partial(figures.conduction, members, fit=runs.made.get("conduction_activation_energy")))
        yield drawing("arrhenius-conduction", "Conductivity over temperature; arrows: bounds; dashed, with its 95 % band: the laws, averaged", drawn)


def _curves(runs: Chains) -> Iterator[Drawing]:
    """MSD and density of states of each species, all temperatures in one figure."""
    for result, draw, words in (
        ("msd", figures.msd_of_runs, "Mean squared displacement"),
        ("phonon_dos", figures.dos_of_runs, "Phonon density of states"),
    ):
        found = sorted(
            ((temperature_of(run), run.made[result]) for run in runs if result in run.made and np.isfinite(temperature_of(run))),
            key=lambda one: one[0],
        )
        if len(found) < 2:
            continue
        for k, name in enumerate(dict.fromkeys(str(one) for _, data in found for one in data.species.values)):
            members = [(f"{kelvin:g} K", data) for kelvin, data in found if name in data.species.values]
            drawn = _one(partial(draw, members, species=name), title=name)
            yield drawing(f"series-{result.replace('_', '-')}-{k}", f"{words} of {name}, by temperature", drawn)


def _of_all(runs: Chains) -> Iterator[Drawing]:
    for result in ("detect_soft_modes", "quasi_harmonic_thermodynamics"):
        for picture in pictures_of(runs.made, result) if result in runs.made else ():
            for k, of in enumerate(labels_of(picture, runs.made[result])):
                yield drawing(f"{picture.id}-{k}", picture.words.replace("{of}", picture.title(runs.made, of)), _framed(picture, runs.made, of))


def _dashboard(runs: Chains) -> Iterator[Drawing]:
    members = sorted(
        ((temperature_of(run), run.made["detect_melting"]) for run in runs if "detect_melting" in run.made and np.isfinite(temperature_of(run))),
        key=lambda one: one[0],
    )
    temperatures = [one for one, _ in members]
    if len(set(temperatures)) < 2:
        return
    names = {tuple(map(str, data.species.values)) for _, data in members}
    if len(names) > 1:
        return
    datas = [data for _, data in members]
    for name, words in DASHBOARD.items():
        if name in datas[0].indicator.values:
            values = _stacked(temperatures, [data.evidence.sel(indicator=name) for data in datas])
            errors = _stacked(temperatures, [data.evidence_stderr.sel(indicator=name) for data in datas])
            level = float(datas[0].threshold.sel(indicator=name))
            drawn = _one(partial(figures.over_temperature, values, errors=errors, words=words, level=level))
            yield drawing(f"dashboard-{name.replace('_', '-')}", f"{words} over temperature; dashed: threshold {plain(level, 3)}", drawn)
    molten = _stacked(temperatures, [data.probability.sel(state="molten") for data in datas])
    drawn = _one(partial(figures.over_temperature, molten, words="probability of molten", level=0.5))
    yield drawing("dashboard-probability", "Probability that a sublattice is molten", drawn)


def _stacked(temperatures: Sequence[float], values: list[xr.DataArray]) -> xr.DataArray:
    """Numbers by species of several runs, over their temperatures (which may repeat)."""
    whole = xr.concat(values, dim="temperature", join="exact", coords="minimal", compat="override")
    return whole.assign_coords(temperature=list(temperatures))

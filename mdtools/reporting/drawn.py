"""Which figures a page shows: those of one run, and those of a series over temperature."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from mdtools.chain import Chain, Chains
from mdtools.reporting import figures
from mdtools.reporting.numbers import plain
from mdtools.reporting.parts import Drawing, Part, Section, drawing
from mdtools.reporting.pictures import PICTURES, Picture, labels_of, on_axes, pictures_of
from mdtools.reporting.sections import temperature_of
from mdtools.reporting.style import figure, safe, styled

__all__ = ["of_runs", "of_series"]

LABELS = 6  # at most so many species or pairs get a figure each
DASHBOARD = {
    "displacement": "MSD / neighbour distance²",
    "lindemann": "Lindemann ratio",
    "never_moved": "ions that never moved",
}


def of_runs(runs: Chains) -> Section:
    """Every figure of every run; open where there is one run."""
    with styled():
        parts = []
        for k, run in enumerate(runs, start=1):
            where = "" if len(runs) == 1 else f". {run.name}"
            parts.append(Part(f"Figures: {run.name}", open=len(runs) <= 2, figures=tuple(_of_run(run, f"run{k}", where))))
    if len(parts) == 1:
        return Section("figures", "Figures", figures=parts[0].figures)
    return Section("figures", "Figures of each run", parts=tuple(parts))


def _of_run(run: Chain, prefix: str, where: str) -> Iterator[Drawing]:
    for result in PICTURES:
        if result in run.made:
            for picture in pictures_of(run.made, result):
                for k, of in enumerate(labels_of(picture, run.made[result])[:LABELS]):
                    number = f"{prefix}-{picture.id}" + (f"-{k}" if picture.over else "")
                    yield drawing(number, picture.words.replace("{of}", of) + where, _framed(picture, run.made, of))
    made = run.made
    for name, (words, draw) in _SINGLE.items():
        if name in made and (name != "ionic_conductivity" or "charge_current_acf" in made):
            drawn = _one(partial(draw, made))
            yield drawing(f"{prefix}-{name.replace('_', '-')}", f"{words}{where}", drawn)
        if name == "msd" and "van_hove_self" in made:
            yield from _van_hove_self(run, prefix, where)
    yield from _scattering(run, prefix, where)
    if "van_hove_distinct" in made:
        data = made["van_hove_distinct"]
        for k, pair in enumerate(map(str, data.pair.values[:PAIRS])):
            drawn = _one(partial(figures.van_hove_distinct, data, pair=pair), title=pair)
            yield drawing(
                f"{prefix}-van-hove-distinct-{k}", f"Van Hove, distinct part, {pair}: other ions around the place an ion left{where}", drawn
            )
            if data.sizes["lag"] > 2:
                words = f"Van Hove map, {pair}: G_d / ρ; bottom: ions that take the places of others{where}"
                yield _mapped(
                    partial(figures.van_hove_distinct_map, data, pair=pair), pair, "G$_d$ / ρ", f"{prefix}-van-hove-distinct-map-{k}", words
                )
    if "spectral_energy_density" in made:
        fits = [made["mode_frequencies"]] if "mode_frequencies" in made else []
        draw = partial(figures.spectral_energy_density, made["spectral_energy_density"], mode_frequencies=fits)
        words = f"Spectral energy density along its path; circles: fitted modes with their width{where}"
        yield _mapped(draw, "", "log₁₀ of the density", f"{prefix}-spectral-energy-density", words)
    if "density_map" in made:
        data = made["density_map"]
        for k, name in enumerate(map(str, data.species.values)):
            words = f"Mean density of {name} in the plane of its highest peak; crosses: sites{where}"
            yield _mapped(partial(figures.density_slice, data, species=name), name, "log₁₀ of ρ over its maximum", f"{prefix}-density-{k}", words)


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


# result -> (caption, how it is drawn from the results of a run)
_SINGLE: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "msd": (
        "Mean squared displacement; black: the fit, between its marks; dots: separate blocks of time",
        lambda made, ax: figures.msd(made["msd"], ax, self_diffusivity=made.get("self_diffusivity")),
    ),
    "melting_indicators": ("Self-overlap at the neighbour distance", lambda made, ax: figures.self_overlap(made["melting_indicators"], ax)),
    "structure_factor": ("Static structure factor by pair of species", lambda made, ax: figures.structure_factor(made["structure_factor"], ax)),
    "intermediate_scattering": (
        "Coherent intermediate scattering function of equal scatterers",
        lambda made, ax: figures.intermediate_scattering(made["intermediate_scattering"], ax),
    ),
    "quasielastic_width": (
        "Quasielastic width, and the line of the likeliest motion where it has one",
        lambda made, ax: figures.quasielastic_width(made["quasielastic_width"], ax),
    ),
    "phonon_dos": ("Phonon density of states", lambda made, ax: figures.phonon_dos(made["phonon_dos"], ax)),
    "mode_spectra": (
        "Power spectra of modes; dashed: their fits; dotted: frequencies of the static stiffness",
        lambda made, ax: figures.mode_spectra(made["mode_spectra"], ax, mode_frequencies=made.get("mode_frequencies")),
    ),
    "bottleneck_radius": (
        "How wide a window is before and after a hop through it begins; band: two standard errors",
        lambda made, ax: figures.bottleneck_opening(made["bottleneck_radius"], ax),
    ),
    "charge_current_acf": (
        "Charge-current correlation; the mark is what its start must be",
        lambda made, ax: figures.charge_current_acf(made["charge_current_acf"], ax),
    ),
    "ionic_conductivity": (
        "Running Green-Kubo integral, and the estimates",
        lambda made, ax: figures.green_kubo_running(made["charge_current_acf"], ax, ionic_conductivity=made["ionic_conductivity"]),
    ),
    "ionic_conductivity_spectrum": (
        "Conductivity against frequency, means over bands with their 95 % intervals",
        lambda made, ax: figures.ionic_conductivity_spectrum(made["ionic_conductivity_spectrum"], ax),
    ),
    "charge_displacement_by_distance": (
        "Where the Haven ratio H comes from: pairs that start within a distance, relative to ions that move alone",
        lambda made, ax: figures.charge_displacement_by_distance(made["charge_displacement_by_distance"], ax),
    ),
    "proton_displacement": (
        "Protons: motion of their carriers and hand-over",
        lambda made, ax: figures.proton_displacement(made["proton_displacement"], ax),
    ),
}


def of_series(runs: Chains) -> Section | None:
    """Arrhenius plot and dashboard over temperature, where there are at least two temperatures."""
    with styled():
        drawn = [*_arrhenius(runs), *_curves(runs), *_soft_modes(runs), *_dashboard(runs)]
    return Section("temperature", "Over temperature", figures=tuple(drawn), large=False) if drawn else None


def _arrhenius(runs: Chains) -> Iterator[Drawing]:
    members = [run.made["self_diffusivity"] for run in runs if "self_diffusivity" in run.made and np.isfinite(temperature_of(run))]
    if len({float(data.stated_temperature) for data in members}) >= 2:
        drawn = _one(partial(figures.activation_energy, members, fit=runs.made.get("activation_energy")))
        words = "Arrhenius plot; arrows: caged in this run, at the 95 % bound on D; band: 95 %, averaged over laws"
        yield drawing("arrhenius", words, drawn)
    members = [run.made["ionic_conductivity"] for run in runs if "ionic_conductivity" in run.made and np.isfinite(temperature_of(run))]
    if len({float(data.stated_temperature) for data in members}) >= 2:
        drawn = _one(partial(figures.conduction, members, fit=runs.made.get("conduction_activation_energy")))
        yield drawing("arrhenius-conduction", "Conductivity over temperature; arrows: bounds; band: 95 %, averaged over laws", drawn)


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


def _soft_modes(runs: Chains) -> Iterator[Drawing]:
    data = runs.made.get("detect_soft_modes")
    if data is None:
        return
    for k in range(data.sizes["mode"]):
        words = "Stiffness of a mode over temperature, by its spectrum and by its mean square; bands: 95 % intervals of T_c"
        yield drawing(f"soft-mode-{k}", words, _one(partial(figures.soft_mode, data, mode=k)))


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

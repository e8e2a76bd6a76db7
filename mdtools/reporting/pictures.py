"""Which pictures a result has: the one table that the report and `plot` draw from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from mdtools.reporting import figures
from mdtools.reporting.mode_sections import name_of
from mdtools.reporting.style import axis_label, safe

__all__ = ["PICTURES", "Picture", "labels_of", "on_axes", "pictures_of"]

Made = Mapping[str, xr.Dataset]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of a result. id : its name on the page. words : the caption, {of} is the label.

    draw : (the results there are, axes, label) -> what a colour bar is made of, or None. over : dimension with a picture for each label.
    bar : label of the colour bar of a map. needs : other results without which there is nothing to draw. also : those that are drawn with it
    where they are there. sizes : shortest lengths of its axes.
    title : of (the results there are, label), where the label itself says too little.
    """

    id: str
    words: str
    draw: Callable[[Made, Any, str], Any]
    over: str = ""
    bar: Callable[[Made], str] | None = None
    needs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    title: Callable[[Made, str], str] = lambda made, of: of

    @property
    def kind(self) -> str:
        return "map" if self.bar else "lines"


def pictures_of(made: Made, result: str) -> Iterator[Picture]:
    """The pictures that can be drawn of a result with the others that there are."""
    for one in PICTURES.get(result, ()):
        if all(name in made for name in one.needs) and all(made[result].sizes.get(dim, 0) >= n for dim, n in one.sizes.items()):
            yield one


def labels_of(picture: Picture, data: xr.Dataset) -> list[str]:
    """The labels that have a picture each; one empty label where one picture holds all."""
    return [str(name) for name in np.atleast_1d(data[picture.over].values)] if picture.over else [""]


def on_axes(picture: Picture, made: Made, ax: Any, of: str) -> None:
    """Draw a picture of one label, with its title and its colour bar."""
    mesh = picture.draw(made, ax, of)
    if of:
        ax.set_title(safe(picture.title(made, of)))
    if picture.bar:
        ax.figure.colorbar(mesh, ax=ax, label=picture.bar(made))


def _whole(draw: Callable[..., Any], result: str, **beside: str) -> Callable[[Made, Any, str], Any]:
    """A figure of one result as a picture; beside : keyword of the figure -> another result, None where it is not there."""
    return lambda made, ax, of: draw(made[result], ax, **{keyword: made.get(name) for keyword, name in beside.items()})


def _each(draw: Callable[..., Any], result: str, over: str) -> Callable[[Made, Any, str], Any]:
    """A figure of one label of a result as a picture."""
    return lambda made, ax, of: draw(made[result], ax, **{over: of})


def _fixed(words: str) -> Callable[[Made], str]:
    return lambda made: words


def _energy_map(made: Made, ax: Any, of: str) -> Any:
    fits = [made["mode_frequencies"]] if "mode_frequencies" in made else []
    return figures.spectral_energy_density(made["spectral_energy_density"], ax, mode_frequencies=fits)


PICTURES: dict[str, tuple[Picture, ...]] = {
    "mode_spectra": (
        Picture(
            id="mode-spectra",
            words="Power spectra of modes; dashed: their fits; dotted: frequencies of the static stiffness",
            draw=_whole(figures.mode_spectra, "mode_spectra", mode_frequencies="mode_frequencies"),
            also=("mode_frequencies",),
            sizes={"frequency": 2},
        ),
    ),
    "spectral_energy_density": (
        Picture(
            id="spectral-energy-density",
            words="Spectral energy density along its path; circles: fitted modes with their width",
            draw=_energy_map,
            also=("mode_frequencies",),
            bar=_fixed("log₁₀ of the density"),
            sizes={"q_point": 2},
        ),
    ),
    "bottleneck_radius": (
        Picture(
            id="bottleneck-radius",
            words="How wide a window is before and after a hop through it begins; band: two standard errors",
            draw=_whole(figures.bottleneck_opening, "bottleneck_radius"),
        ),
    ),
    "quasi_harmonic_thermodynamics": (
        Picture(
            id="quasi-harmonic",
            words="Free energy over volume at several temperatures; dotted: the volume of equilibrium, with two standard errors",
            draw=_whole(figures.quasi_harmonic_thermodynamics, "quasi_harmonic_thermodynamics"),
        ),
    ),
    "detect_soft_modes": (
        Picture(
            id="soft-mode",
            words="Stiffness of the mode {of} over temperature, by its spectrum and by its mean square; bands: 95 % intervals of T_c",
            draw=lambda made, ax, of: figures.soft_mode(made["detect_soft_modes"], ax, mode=int(of)),
            over="mode",
            title=lambda made, of: name_of(made["detect_soft_modes"], int(of)),
        ),
    ),
    "msd": (
        Picture(
            id="msd",
            words="Mean squared displacement; black: the fit, between its marks; dots: separate blocks of time",
            draw=_whole(figures.msd, "msd", self_diffusivity="self_diffusivity"),
            also=("self_diffusivity",),
        ),
    ),
    "van_hove_self": (
        Picture(
            id="van-hove-self",
            words="Van Hove, self part, {of}: how far ions have moved",
            draw=_each(figures.van_hove_self, "van_hove_self", "species"),
            over="species",
        ),
        Picture(
            id="van-hove-map",
            words="Van Hove map, {of}; each time is scaled to its maximum",
            draw=_each(figures.van_hove_self_map, "van_hove_self", "species"),
            over="species",
            bar=_fixed("4πr² Gₛ / its maximum"),
        ),
    ),
    "melting_indicators": (
        Picture(
            id="melting-indicators",
            words="Self-overlap at the neighbour distance",
            draw=_whole(figures.self_overlap, "melting_indicators"),
        ),
    ),
    "structure_factor": (
        Picture(
            id="structure-factor",
            words="Static structure factor by pair of species",
            draw=_whole(figures.structure_factor, "structure_factor"),
        ),
    ),
    "intermediate_scattering": (
        Picture(
            id="intermediate-scattering",
            words="Coherent intermediate scattering function of equal scatterers",
            draw=_whole(figures.intermediate_scattering, "intermediate_scattering"),
        ),
    ),
    "intermediate_scattering_self": (
        Picture(
            id="intermediate-scattering-self",
            words="Self part of the intermediate scattering function, {of}",
            draw=_each(figures.intermediate_scattering_self, "intermediate_scattering_self", "species"),
            over="species",
        ),
    ),
    "quasielastic_width": (
        Picture(
            id="quasielastic-width",
            words="Quasielastic width, and the line of the likeliest motion where it has one",
            draw=_whole(figures.quasielastic_width, "quasielastic_width"),
        ),
    ),
    "dynamic_structure_factor": (
        Picture(
            id="dynamic-structure-factor",
            words="Dynamic structure factor of equal scatterers, in four decades",
            draw=_whole(figures.dynamic_structure_factor, "dynamic_structure_factor"),
            bar=lambda made: axis_label("S(q, f)", made["dynamic_structure_factor"].dynamic_structure_factor.attrs["units"]),
        ),
    ),
    "phonon_dos": (
        Picture(
            id="phonon-dos",
            words="Phonon density of states",
            draw=_whole(figures.phonon_dos, "phonon_dos"),
        ),
    ),
    "charge_current_acf": (
        Picture(
            id="charge-current-acf",
            words="Charge-current correlation; the mark is what its start must be",
            draw=_whole(figures.charge_current_acf, "charge_current_acf"),
        ),
    ),
    "ionic_conductivity": (
        Picture(
            id="ionic-conductivity",
            words="Running Green-Kubo integral, and the estimates",
            draw=_whole(figures.green_kubo_running, "charge_current_acf", ionic_conductivity="ionic_conductivity"),
            needs=("charge_current_acf",),
        ),
    ),
    "ionic_conductivity_spectrum": (
        Picture(
            id="ionic-conductivity-spectrum",
            words="Conductivity against frequency, means over bands with their 95 % intervals",
            draw=_whole(figures.ionic_conductivity_spectrum, "ionic_conductivity_spectrum"),
        ),
    ),
    "charge_displacement_by_distance": (
        Picture(
            id="charge-displacement-by-distance",
            words="Where the Haven ratio H comes from: pairs that start within a distance, relative to ions that move alone",
            draw=_whole(figures.charge_displacement_by_distance, "charge_displacement_by_distance"),
        ),
    ),
    "charge_displacement_msd": (
        Picture(
            id="charge-displacement-msd",
            words="Squared displacement of the charge dipole; below the line of ions that move alone, they conduct less",
            draw=_whole(figures.charge_displacement_msd, "charge_displacement_msd"),
        ),
    ),
    "dielectric_function": (
        Picture(
            id="dielectric-function",
            words="Dielectric function over frequency",
            draw=_whole(figures.dielectric_function, "dielectric_function"),
            sizes={"frequency": 2},
        ),
    ),
    "velocity_acf": (
        Picture(
            id="velocity-acf",
            words="Velocity correlation by species",
            draw=_whole(figures.velocity_acf, "velocity_acf"),
        ),
    ),
    "current_correlation": (
        Picture(
            id="current-correlation",
            words="Longitudinal and transverse (dashed) current correlation of equal scatterers",
            draw=_whole(figures.current_correlation, "current_correlation"),
        ),
    ),
    "proton_displacement": (
        Picture(
            id="proton-displacement",
            words="Protons: motion of their carriers and hand-over",
            draw=_whole(figures.proton_displacement, "proton_displacement"),
        ),
    ),
    "van_hove_distinct": (
        Picture(
            id="van-hove-distinct",
            words="Van Hove, distinct part, {of}: other ions around the place an ion left",
            draw=_each(figures.van_hove_distinct, "van_hove_distinct", "pair"),
            over="pair",
        ),
        Picture(
            id="van-hove-distinct-map",
            words="Van Hove map, {of}: G_d / ρ; bottom: ions that take the places of others",
            draw=_each(figures.van_hove_distinct_map, "van_hove_distinct", "pair"),
            over="pair",
            bar=_fixed("G$_d$ / ρ"),
            sizes={"lag": 3},
        ),
    ),
    "density_map": (
        Picture(
            id="density",
            words="Mean density of {of} in the plane of its highest peak; crosses: sites",
            draw=_each(figures.density_slice, "density_map", "species"),
            over="species",
            bar=_fixed("log₁₀ of ρ over its maximum"),
        ),
    ),
}

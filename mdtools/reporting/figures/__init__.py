"""One function a quantity: a Dataset is drawn on `ax`, with units in the labels and the spread over windows as a band."""

from mdtools.reporting.figures.charge import (
    charge_current_acf,
    charge_displacement_msd,
    dielectric_function,
    green_kubo_running,
    ionic_conductivity_spectrum,
)
from mdtools.reporting.figures.density import density_slice
from mdtools.reporting.figures.displacement import msd, self_overlap
from mdtools.reporting.figures.general import curves, numbers
from mdtools.reporting.figures.modes import bottleneck_opening, mode_spectra, soft_mode, spectral_energy_density
from mdtools.reporting.figures.parts import charge_displacement_by_distance, proton_displacement
from mdtools.reporting.figures.scattering import (
    current_correlation,
    dynamic_structure_factor,
    intermediate_scattering,
    intermediate_scattering_self,
    quasielastic_width,
    structure_factor,
)
from mdtools.reporting.figures.temperature import activation_energy, conduction, dos_of_runs, msd_of_runs, over_temperature
from mdtools.reporting.figures.van_hove import van_hove_distinct, van_hove_distinct_map, van_hove_self, van_hove_self_map
from mdtools.reporting.figures.vibrations import phonon_dos, quasi_harmonic_thermodynamics, velocity_acf

__all__ = [
    "activation_energy",
    "bottleneck_opening",
    "charge_current_acf",
    "charge_displacement_by_distance",
    "charge_displacement_msd",
    "conduction",
    "current_correlation",
    "curves",
    "density_slice",
    "dielectric_function",
    "dos_of_runs",
    "dynamic_structure_factor",
    "green_kubo_running",
    "intermediate_scattering",
    "intermediate_scattering_self",
    "ionic_conductivity_spectrum",
    "mode_spectra",
    "msd",
    "msd_of_runs",
    "numbers",
    "over_temperature",
    "phonon_dos",
    "proton_displacement",
    "quasi_harmonic_thermodynamics",
    "quasielastic_width",
    "self_overlap",
    "soft_mode",
    "spectral_energy_density",
    "structure_factor",
    "van_hove_distinct",
    "van_hove_distinct_map",
    "van_hove_self",
    "van_hove_self_map",
    "velocity_acf",
]

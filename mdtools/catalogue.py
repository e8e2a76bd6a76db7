"""The public list: every name of the package and the module that holds it. Importing it loads nothing else.

A new analysis, estimate or decision is one row here; the command line, the lazy package and the contract tests read
this table. The positional parameters of a stage are named after what makes them (`def haven_ratio(self_diffusivity,
ionic_conductivity)`), so that a chain from a trajectory to any result can be found by name.
"""

__all__ = ["ANALYSES", "DECISIONS", "ESTIMATES", "ON_REQUEST", "PUBLIC", "VARIES"]

READING = {
    "read": "mdtools.readers",
    "read_series": "mdtools.readers",
    "Trajectory": "mdtools.trajectory",
    "Series": "mdtools.series",
}
ANALYSES = {
    "msd": "mdtools.analyses.displacement",
    "non_gaussian_parameter": "mdtools.analyses.non_gaussian",
    "charge_displacement_msd": "mdtools.analyses.current",
    "charge_current_acf": "mdtools.analyses.current",
    "charge_displacement_by_distance": "mdtools.analyses.pair_displacement",
    "proton_displacement": "mdtools.analyses.grotthuss",
    "overlap_fluctuations": "mdtools.analyses.four_point",
    "replacement_strings": "mdtools.analyses.strings",
    "van_hove_self": "mdtools.analyses.van_hove",
    "van_hove_distinct": "mdtools.analyses.van_hove",
    "structure_factor": "mdtools.analyses.structure_factor",
    "number_fluctuations": "mdtools.analyses.number_fluctuations",
    "intermediate_scattering": "mdtools.analyses.scattering",
    "intermediate_scattering_self": "mdtools.analyses.self_scattering",
    "dynamic_structure_factor": "mdtools.analyses.scattering",
    "current_correlation": "mdtools.analyses.current_correlation",
    "van_hove_map": "mdtools.analyses.van_hove_map",
    "density_map": "mdtools.analyses.density",
    "bragg_reflections": "mdtools.analyses.bragg",
    "velocity_acf": "mdtools.analyses.phonons",
    "phonon_dos": "mdtools.analyses.phonons",
    "spectral_energy_density": "mdtools.analyses.energy_spectrum",
    "mode_spectra": "mdtools.analyses.lattice_modes",
    "site_occupation": "mdtools.analyses.sites",
    "displacement_waves": "mdtools.analyses.rigidity",
    "cell_strain": "mdtools.analyses.strain",
    "stress_fluctuations": "mdtools.analyses.stress",
    "bottleneck_radius": "mdtools.analyses.bottleneck",
    "run_state": "mdtools.analyses.run_state",
    "heating_ramp": "mdtools.analyses.ramp",
    "melting_indicators": "mdtools.analyses.melting",
}
ESTIMATES = {
    "self_diffusivity": "mdtools.estimates.diffusivity",
    "self_diffusivity_tensor": "mdtools.estimates.tensor",
    "ionic_conductivity": "mdtools.estimates.conductivity",
    "haven_ratio": "mdtools.estimates.haven",
    "debye_waller": "mdtools.estimates.bragg",
    "jump_diffusivity": "mdtools.estimates.jumps",
    "shear_modulus": "mdtools.estimates.rigidity",
    "strain_elasticity": "mdtools.estimates.strain",
    "stress_elasticity": "mdtools.estimates.stress",
    "heat_capacity": "mdtools.estimates.fluctuations",
    "enthalpy_bimodality": "mdtools.estimates.bimodal",
    "four_point_susceptibility": "mdtools.estimates.four_point",
    "string_length": "mdtools.estimates.strings",
    "hop_distance": "mdtools.estimates.van_hove",
    "hole_filling": "mdtools.estimates.van_hove",
    "onsager": "mdtools.estimates.onsager",
    "transference_number": "mdtools.estimates.transference",
    "thermodynamic_factor": "mdtools.estimates.thermodynamic_factor",
    "quasielastic_width": "mdtools.estimates.quasielastic",
    "ionic_conductivity_spectrum": "mdtools.estimates.conductivity_spectrum",
    "dielectric_function": "mdtools.estimates.dielectric",
    "vibrational_moments": "mdtools.estimates.phonons",
    "vibrational_thermodynamics": "mdtools.estimates.phonons",
    "quasi_harmonic_thermodynamics": "mdtools.estimates.quasi_harmonic",
    "mode_frequencies": "mdtools.estimates.modes",
    "mode_grueneisen": "mdtools.estimates.quasi_harmonic",
    "bottleneck_barrier": "mdtools.estimates.bottleneck",
    "attempt_frequency": "mdtools.estimates.bottleneck",
    "activation_energy": "mdtools.estimates.arrhenius",
    "conduction_activation_energy": "mdtools.estimates.arrhenius",
    "isotope_exponent": "mdtools.estimates.conditions",
    "activation_volume": "mdtools.estimates.conditions",
}
# what must differ between the runs of a series for a result that takes them all at once
VARIES = {
    "activation_energy": "stated_temperature",
    "conduction_activation_energy": "stated_temperature",
    "isotope_exponent": "mass",
    "activation_volume": "stated_pressure",
    "quasi_harmonic_thermodynamics": "volume",
    "mode_grueneisen": "volume",
    "detect_soft_modes": "stated_temperature",
    "detect_transition": "stated_temperature",
}
# what a report makes only where options for it were given (or its file): too long, or of use in some materials only
ON_REQUEST = {
    "overlap_fluctuations",
    "four_point_susceptibility",
    "replacement_strings",
    "string_length",
    "heating_ramp",
    "detect_ramp",
    "cell_strain",
    "strain_elasticity",
    "stress_fluctuations",
    "stress_elasticity",
    "charge_displacement_by_distance",
    "proton_displacement",
    "van_hove_map",
    "density_map",
    "bragg_reflections",
    "debye_waller",
    "number_fluctuations",
    "thermodynamic_factor",
    "quasi_harmonic_thermodynamics",
    "mode_grueneisen",
    "spectral_energy_density",
    "mode_spectra",
    "bottleneck_radius",
}
DECISIONS = {
    "detect_melting": "mdtools.detection.melting",
    "detect_transition": "mdtools.detection.transition",
    "detect_ramp": "mdtools.detection.ramp",
    "detect_soft_modes": "mdtools.detection.soft_modes",
    "detect_mechanism": "mdtools.detection.mechanism",
}
SHOWING = {
    "report": "mdtools.reporting.page",
    "plot": "mdtools.reporting.plotting",
    "export": "mdtools.reporting.exporting",
    "compare": "mdtools.reporting.comparing",
    "cite": "mdtools.reporting.citing",
}
WRITING = {
    "write_density": "mdtools.reporting.volumetric",
}
REFUSALS = {
    "NotEnoughData": "mdtools.errors",
    "TrajectoryError": "mdtools.errors",
}
PUBLIC = {**READING, **ANALYSES, **ESTIMATES, **DECISIONS, **SHOWING, **WRITING, **REFUSALS, "history": "mdtools.schema"}

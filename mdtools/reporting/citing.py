"""What a paper must say of a result: a methods paragraph with every setting, and the papers behind the estimators."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mdtools import chain, schema

__all__ = ["cite", "literature"]

# what is made -> (what was done, papers it rests on); every stage has a row
METHODS: Mapping[str, tuple[str, Sequence[str]]] = {
    "msd": ("Mean squared displacements were averaged over time origins", ()),
    "non_gaussian_parameter": ("The non-Gaussian parameter was computed", ("rahman1964",)),
    "overlap_fluctuations": ("The share of the ions that stay near where they were, and its fluctuation, were averaged over time origins", ()),
    "four_point_susceptibility": ("Four-point susceptibilities were estimated from them, with errors by a jackknife", ("berthier2007",)),
    "replacement_strings": ("Ions that take one another's places were joined to strings", ("donati1998",)),
    "string_length": ("Mean lengths of these strings were estimated, with errors by a jackknife", ("donati1998",)),
    "charge_displacement_msd": ("The squared displacement of the charge dipole was averaged over time and axes", ()),
    "charge_current_acf": ("Charge-current correlations and periodograms were computed", ()),
    "charge_displacement_by_distance": ("The distinct part of the charge displacement was resolved by the initial distance of the pairs", ()),
    "proton_displacement": ("Proton displacements were parted into vehicular motion and hand-over", ("chandra2007",)),
    "van_hove_self": ("Self van Hove functions were computed", ("vanhove1954",)),
    "van_hove_distinct": ("Distinct van Hove functions were computed", ("vanhove1954",)),
    "van_hove_map": ("Distinct van Hove functions were mapped in space", ("vanhove1954",)),
    "structure_factor": ("Static structure factors were computed", ()),
    "number_fluctuations": ("Covariances of the numbers of ions in parts of the cell were counted", ()),
    "intermediate_scattering": ("Intermediate scattering functions were computed", ("vanhove1954",)),
    "intermediate_scattering_self": ("Self intermediate scattering functions were computed", ("vanhove1954",)),
    "dynamic_structure_factor": ("Dynamic structure factors were computed", ("vanhove1954",)),
    "current_correlation": ("Longitudinal and transverse current correlations were computed", ()),
    "density_map": ("Mean densities were folded into the unit cell", ()),
    "bragg_reflections": ("Bragg and diffuse scattering were separated by the time-averaged amplitudes", ()),
    "velocity_acf": ("Velocity correlations were computed", ()),
    "phonon_dos": ("Phonon densities of states were computed from the velocities", ("lin2003",)),
    "spectral_energy_density": ("Spectral energy densities were computed", ("thomas2010",)),
    "mode_spectra": ("Trajectories were projected on lattice modes", ("togo2023",)),
    "melting_indicators": ("Indicators of sublattice melting were measured by windows of time and blocks of ions", ()),
    "site_occupation": ("Ions were assigned to sites, with the jumps between them", ()),
    "displacement_waves": ("Displacement waves of the framework were computed", ()),
    "bottleneck_radius": ("Radii of the windows between neighbouring sites were followed", ()),
    "run_state": ("Means over equal parts of the run were taken of what must not drift", ()),
    "heating_ramp": ("Displacements, volume and energy of the ramp were mapped by windows", ()),
    "cell_strain": ("Strains of the cell were measured", ()),
    "strain_elasticity": ("Elastic constants were estimated from the fluctuation of the strains of the cell", ()),
    "stress_fluctuations": ("The covariance of the stress was taken from the log", ()),
    "stress_elasticity": (
        "Elastic constants were estimated from a Born term that was given, less the fluctuation of the stress, and the kinetic part",
        ("squire1969",),
    ),
    "heat_capacity": ("Heat capacities were estimated from the fluctuation of the enthalpy", ()),
    "enthalpy_bimodality": ("Whether the enthalpy has two values was read from its first four moments", ("pfister2013",)),
    "detect_ramp": ("Temperatures worth holding were taken from a ramp", ()),
    "jump_diffusivity": ("Diffusion coefficients were estimated from the jumps between sites", ()),
    "shear_modulus": ("Shear moduli of the framework were estimated from its displacement waves by equipartition", ()),
    "self_diffusivity": (
        "Self-diffusion coefficients were estimated by generalised least squares with the covariance of overlapping windows",
        ("bullerjahn2020", "mccluskey2025"),
    ),
    "self_diffusivity_tensor": ("Diffusion tensors were estimated in the same way", ("bullerjahn2020", "anderson1963")),
    "ionic_conductivity": ("Ionic conductivities were estimated by Einstein-Helfand and Green-Kubo together", ("toraman2025",)),
    "haven_ratio": ("Haven ratios were formed of both", ()),
    "onsager": ("Onsager coefficients were estimated from the cross-spectra of the currents of the species", ()),
    "transference_number": ("Transference numbers were formed of them", ()),
    "thermodynamic_factor": (
        "Thermodynamic factors were estimated from the structure factors at small q and the numbers of ions in parts of the cell",
        (),
    ),
    "ionic_conductivity_spectrum": ("Conductivity spectra were averaged over bands of frequency", ()),
    "dielectric_function": ("Dielectric functions were computed", ()),
    "debye_waller": ("Thermal displacements were read from the Debye-Waller line", ()),
    "hop_distance": ("Hop distances were read from the self van Hove functions", ()),
    "hole_filling": ("The filling of left places was read from the distinct van Hove functions", ()),
    "quasielastic_width": ("Quasielastic widths and models of motion were fitted by Whittle likelihood", ("whittle1953", "chudley1961")),
    "vibrational_moments": ("Moments and fluidity were taken of the densities of states", ("lin2003",)),
    "vibrational_thermodynamics": ("Harmonic thermodynamics were computed from the densities of states", ("berens1983",)),
    "quasi_harmonic_thermodynamics": (
        "Free energies of the densities of states at several volumes, and static energies, were fitted by the equation of Birch and Murnaghan",
        ("birch1947", "berens1983"),
    ),
    "mode_grueneisen": ("Grueneisen parameters of modes were fitted over volume", ()),
    "mode_frequencies": ("Frequencies and dampings of modes were fitted by Whittle likelihood", ("whittle1953", "sykulski2019")),
    "bottleneck_barrier": ("Stiffness of the windows between sites, and how much their breathing lowers the barrier, were estimated", ()),
    "attempt_frequency": ("Attempt frequencies were estimated by band centre, by crossings of the middle of sites, and by the rate of hops", ()),
    "activation_energy": ("Activation energies were averaged over laws by their evidence", ()),
    "conduction_activation_energy": ("Activation energies of conduction were averaged over laws by their evidence", ()),
    "isotope_exponent": ("The isotope exponent was fitted", ()),
    "activation_volume": ("The activation volume was fitted", ()),
    "detect_melting": ("Melting of sublattices was decided from the indicators with bootstrap over time and ions", ("owen2007",)),
    "detect_transition": ("The temperature and the type of the transition were decided from the runs of the series", ()),
    "detect_soft_modes": ("Softening of modes was decided from their stiffness over temperature", ()),
    "detect_mechanism": ("The mechanism of conduction was judged from Haven ratio and correlation factor", ()),
}
UNSAID = {"step", "mdtools", "source"}  # settings that stand elsewhere in the paragraph


def cite(source: Any) -> str:
    """A methods paragraph of how results were made, every setting in it, and BibTeX of the papers behind the estimators.

    source : Datasets of mdtools (one, a list), or saved .nc files.

    Settings of several runs that differ are all listed. Raises TrajectoryError for what mdtools did not make.

    >>> from mdtools import msd, synthetic
    >>> cite(msd(synthetic.brownian(n_atoms=16, n_frames=60))).splitlines()[3][:71]
    'Mean squared displacements were averaged over time origins (windows 1; '
    """
    runs = chain.chains_of(source)
    results = [data for run in runs for data in run.made.values()] + [*runs.made.values()]
    order = {name: k for k, name in enumerate(chain.STAGES)}
    steps = sorted(schema.merged_history(results), key=lambda step: order.get(str(step["step"]), -1))
    versions = ", ".join(dict.fromkeys(str(step["mdtools"]) for step in steps if "mdtools" in step))
    keys: dict[str, None] = {}
    said: list[str] = []
    for name in dict.fromkeys(str(step["step"]) for step in steps):
        words, papers = METHODS.get(name, (f"Trajectories: {name}", ()))
        keys |= dict.fromkeys(papers)
        cited = f" [{', '.join(papers)}]" if papers else ""
        said.append(f"{words}{cited}{_settings([step for step in steps if step['step'] == name])}.")
    entries = literature()
    lines = [f"Results were obtained with mdtools {versions}.", "", *said]
    return "\n".join([*lines, "", *(entries[key] for key in keys)]).rstrip()


def literature() -> dict[str, str]:
    """Key -> BibTeX of every paper in literature.bib."""
    entries = (Path(__file__).parent / "literature.bib").read_text(encoding="utf-8").strip().split("\n\n")
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}


def _settings(steps: Sequence[Mapping[str, Any]]) -> str:
    """(name value, name value): settings of a step, of several runs all the values that there are."""
    names = dict.fromkeys(name for step in steps for name in step if name not in UNSAID)
    parts = []
    for name in names:
        values = dict.fromkeys(_words(step[name]) for step in steps if step.get(name) is not None)
        if values:
            parts.append(f"{name.replace('_', ' ')} {' / '.join(values)}")
    return f" ({'; '.join(parts)})" if parts else ""


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        shown = value if len(value) <= 8 else [*value[:3], "...", value[-1]]
        return ", ".join(map(_words, shown))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""The vocabulary of the project (name -> unit, meaning), and the only place that builds a Dataset.

A Dataset is built by `dataset`, which writes the unit and the meaning on every variable from the tables below and
refuses a name that is not in them; a public function that returns one is marked `recorded`, which adds one step
(name, every option, versions) to the history that the Dataset carries from the file to the verdict.
"""

import functools
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any, ParamSpec

import numpy as np
import xarray as xr

__all__ = ["DIMENSIONS", "QUANTITIES", "dataset", "history", "recorded", "to_netcdf", "unit_of"]

# name -> (unit, meaning). A dimension without a unit of its own is a label and has the unit "".
DIMENSIONS: dict[str, tuple[str, str]] = {
    "frame": ("1", "index of a stored frame"),
    "time": ("ps", "time of the run"),
    "face": ("", "axis that the face is normal to, through which momentum flows"),
    "atom": ("1", "index of an atom"),
    "xyz": ("", "Cartesian axis"),
    "xyz2": ("", "second axis of a tensor"),
    "ion": ("1", "index of an atom whose own value is kept"),
    "principal": ("", "a principal axis, by how fast diffusion is along it"),
    "species": ("", "label of a kind of atom, the chemical symbol by default"),
    "species2": ("", "second species of a matrix"),
    "pair": ("", "two species; unordered unless said"),
    "pair2": ("", "a second pair of species, of a covariance"),
    "route_pair": ("", "two of the routes by which charge moves: carriers, hand-over, bonds, other ions"),
    "window": ("ps", "start of an equal part of the run, or of the time origins where said"),
    "lag": ("ps", "time between the two moments of a correlation"),
    "r": ("angstrom", "distance, middle of the bin"),
    "displacement": ("angstrom", "displacement along an axis, with its sign, middle of the bin"),
    "cell_axis": ("", "a vector of the cell"),
    "motion_model": ("", "a model of how an ion moves"),
    "fraction": ("1", "difference along a cell vector, in cell vectors, with its sign, middle of the bin"),
    "q": ("1/angstrom", "length of the wave vector, with the factor 2 pi, in the mean cell; mean over those of a shell"),
    "frequency": ("THz", "frequency in cycles"),
    "direction": ("", "axis or projection of a vibration"),
    "mode": ("1", "index of a mode of a crystal"),
    "q_point": ("1", "index of a wave vector of a crystal"),
    "sublattice": ("", "a species, or all atoms"),
    "bottleneck": ("1", "index of a window between two neighbouring sites"),
    "basis_atom": ("1", "number of an atom of the primitive cell, from 1"),
    "band": ("1", "number of a band from 1, upwards in frequency; 0 for a displacement pattern"),
    "reciprocal": ("", "reciprocal vector of the primitive cell"),
    "temperature": ("K", "temperature of the run"),
    "run": ("", "a member of a series"),
    "block": ("1", "index of a non-overlapping stretch of time"),
    "division": ("1", "into how many pieces each cell vector is cut"),
    "block_lag": ("ps", "length of such a stretch"),
    "ion_block": ("1", "index of a group of ions of one species"),
    "site": ("1", "index of a lattice site of the unit cell"),
    "jump": ("1", "index of a jump of an ion from one site to another, in the order of time"),
    "along_a": ("1", "position or difference along the first vector of the unit cell, in cell vectors"),
    "along_b": ("1", "position along the second"),
    "along_c": ("1", "position along the third"),
    "wave": ("1", "index of a displacement wave of the simulation cell, the longest first"),
    "reflection": ("1", "index of a wave vector of the simulation cell"),
    "part": ("", "real or imaginary"),
    "wave_multiple": ("1", "wave number over 2 pi / neighbour distance"),
    "r_reduced": ("1", "distance over the neighbour distance, middle of the bin"),
    "voigt": ("", "part of a strain or a stress: xx, yy, zz, yz, xz, xy"),
    "voigt2": ("", "second part of a product of strains or stresses, or of a stiffness"),
    "string_ion": ("1", "ions of a string, the last with all longer ones"),
    "suggestion": ("1", "index of a temperature that is worth a run"),
    "sweep": ("", "the way by which a temperature was reached: heating or cooling"),
    "transition_model": ("", "how the enthalpy goes with temperature: smooth, with an excess of finite width, or with a step"),
    "mean_temperature": ("K", "middle of the temperatures of two neighbouring runs"),
    "gate": ("", "what must hold of a run before its evidence counts fully"),
    "line": ("", "a line of evidence: structure, mechanics, dynamics, thermodynamics"),
    "indicator": ("", "name of a piece of evidence"),
    "state": ("", "what a sublattice may be called"),
    "system_state": ("", "what the system may be called"),
    "law": ("", "a law of ln y against inverse temperature"),
    "mode_state": ("", "what a mode may be called"),
    "route": ("", "what T_c is read from"),
    "model": ("", "a model of the spectrum of a mode"),
    "estimator": ("", "what an attempt frequency is read from"),
    "branch": ("", "the cold or the hot side of a crossover"),
    "transport": ("", "what is activated: conductivity times temperature, or the charge diffusivity"),
    "predicted_temperature": ("K", "temperature at which a law averaged over is evaluated"),
    "check": ("", "an identity between two numbers of the report"),
}

QUANTITIES: dict[str, tuple[str, str]] = {
    # what every measurement carries, so that later stages need no trajectory
    "frame_interval": ("ps", "time between stored frames"),
    "n_frames": ("1", "number of stored frames used"),
    "n_ions": ("1", "number of ions of a species"),
    "n_atoms": ("1", "number of atoms of the system"),
    "volume": ("angstrom^3", "mean volume of the cell"),
    "stated_temperature": ("K", "temperature given by the user or by the thermostat's log"),
    "mass": ("amu", "mean mass of an ion of a species"),
    "charge": ("e", "mean charge of an ion of a species"),
    # thermo: what the log of the run says of the whole system
    "step": ("1", "step of the integrator"),
    "potential_energy": ("eV", "potential energy of the system (of VASP the free energy TOTEN, whose derivatives the forces are)"),
    "kinetic_energy": ("eV", "kinetic energy of the system"),
    "total_energy": ("eV", "potential and kinetic energy of the system"),
    "conserved_energy": ("eV", "total energy with that of thermostat and barostat"),
    "enthalpy": ("eV", "total energy plus P V, with the pressure of the moment"),
    "pressure": ("GPa", "pressure of the moment, kinetic part included; positive where the cell wants to expand"),
    "pressure_tensor": ("GPa", "the tensor of which pressure is a third of the trace"),
    # displacement
    "msd": ("angstrom^2", "mean squared displacement"),
    "msd_by_axis": ("angstrom^2", "mean squared displacement along each axis"),
    "msd_tensor": ("angstrom^2", "mean product of the displacements along two axes"),
    "msd_by_ion": ("angstrom^2", "mean squared displacement of one ion along each axis"),
    "collective_msd": ("angstrom^2", "squared displacement of all ions of a species together, |sum dr|^2 / N"),
    "collective_msd_by_axis": ("angstrom^2", "squared displacement of all ions of a species together along each axis"),
    "n_origins": ("1", "number of time origins of a lag"),
    "block_msd": ("angstrom^2", "squared displacement along an axis over one block, mean over the ions"),
    "block_msd_tensor": ("angstrom^2", "product of the displacements along two axes over one block, mean over the ions"),
    "ion_msd": ("angstrom^2", "squared displacement of one ion, mean over the blocks of a length"),
    "ion_species": ("", "species of an ion"),
    "non_gaussian_parameter": ("1", "alpha_2 = 3 <r^4> / (5 <r^2>^2) - 1"),
    "non_gaussian_parameter_by_axis": ("1", "the same along each axis, <x^4> / (3 <x^2>^2) - 1"),
    # charge
    "charge_displacement_msd": ("e^2 angstrom^2", "mean squared displacement of the charge dipole"),
    "charge_displacement_msd_by_axis": ("e^2 angstrom^2", "mean squared displacement of the charge dipole along each axis"),
    "charge_displacement_msd_self_by_axis": ("e^2 angstrom^2", "what it would be along each axis if ions moved independently: sum q^2 dr^2"),
    "independent_charges": ("1", "(sum q^2)^2 / sum q^4: how many ions of equal charge would carry it"),
    "charge_displacement_block_self": ("e^2 angstrom^2", "sum of q^2 dr^2 along an axis over one block of time"),
    "charge_displacement_msd_by_pair": ("e^2 angstrom^2", "the part of it between two species"),
    "charge_displacement_msd_self": ("e^2 angstrom^2", "what the ions of a species would add to it if they moved independently: sum q^2 dr^2"),
    "charge_displacement_msd_distinct": ("e^2 angstrom^2", "the part of a pair of species without that of single ions"),
    "charge_displacement_msd_tensor": ("e^2 angstrom^2", "mean product of the displacements of the charge dipole along two axes"),
    "charge_displacement_msd_self_tensor": ("e^2 angstrom^2", "what it would be if ions moved independently"),
    "charge_displacement_block_by_pair": (
        "e^2 angstrom^2",
        "product of the dipole displacements of two species along an axis over one block of time",
    ),
    "charge_displacement_block_tensor": ("e^2 angstrom^2", "product of the displacements of the charge dipole along two axes over one block of time"),
    "charge_displacement_msd_by_route": ("e^2 angstrom^2", "the part of the charge displacement between two of the routes by which charge moves"),
    "proton_msd": ("angstrom^2", "mean squared displacement of protons"),
    "proton_msd_vehicular": ("angstrom^2", "the part that is the motion of the atoms that carry them"),
    "proton_msd_hopping": ("angstrom^2", "the part that is hand-over from one carrier to the next"),
    "proton_msd_cross": ("angstrom^2", "twice the mean product of the vehicular and the hopping displacement"),
    "carrier_kept": ("1", "share of protons on the carrier that they had a lag ago"),
    "hand_overs": ("1", "number of times that a proton changed its carrier"),
    "forward_hand_overs": ("1", "the same without those that the next one undoes"),
    "charge_displacement_by_distance": ("e^2 angstrom^2", "<q_i dr_i . q_j dr_j> summed over the pairs of ions that start at a distance r"),
    "charge_displacement_beyond": ("e^2 angstrom^2", "the same of all pairs that start beyond the last bin"),
    "pairs_by_distance": ("1", "mean number of ordered pairs of ions that start at a distance r"),
    "charge_current_acf": ("e^2 angstrom^2 / ps^2", "<J(0) . J(t)> of the charge current J"),
    "charge_current_acf_by_pair": ("e^2 angstrom^2 / ps^2", "the part of it between two species"),
    "charge_current_acf_self": ("e^2 angstrom^2 / ps^2", "what the ions of a species would add to it if they moved independently"),
    "charge_current_acf_distinct": ("e^2 angstrom^2 / ps^2", "the part of a pair of species without that of single ions"),
    "charge_current_acf_tensor": ("e^2 angstrom^2 / ps^2", "<J_a(0) J_b(t)> of two axes, symmetrised in time"),
    "charge_current_acf_self_tensor": ("e^2 angstrom^2 / ps^2", "what it would be if ions moved independently"),
    "charge_current_periodogram": ("e^2 angstrom^2 / ps", "|Fourier transform of J|^2 / length of the window, sum of axes"),
    "charge_current_periodogram_by_axis": ("e^2 angstrom^2 / ps", "the part of it along each axis"),
    "charge_current_periodogram_self": ("e^2 angstrom^2 / ps", "what the ions of a species would add to it if they moved independently"),
    "charge_current_periodogram_tensor": ("e^2 angstrom^2 / ps", "co-spectrum of J along two axes"),
    "charge_current_periodogram_by_pair": ("e^2 angstrom^2 / ps", "the part of it between two species: Re of their cross spectrum, twice for unlike"),
    "charge_current_sum_rule": ("e^2 angstrom^2 / ps^2", "3 k_B T sum_i q_i^2 / m_i less the drift: what <J^2> must be"),
    # van Hove
    "van_hove_self": ("1/angstrom", "4 pi r^2 G_s(r, t): probability density of the distance an ion has moved"),
    "van_hove_distinct": ("1", "G_d(r, t) / rho: probability to find another ion, relative to no correlation"),
    "van_hove_self_by_axis": ("1/angstrom", "G_s(x, t): probability density of the displacement of an ion along each axis"),
    "van_hove_distinct_by_axis": ("1", "probability to find another ion at a difference along a cell vector, relative to no correlation"),
    "van_hove_self_map": ("1/angstrom^3", "G_s(d, t): probability density of the displacement d of an ion, in space"),
    "van_hove_distinct_map": ("1", "G_d(d, t) / rho in space, of ordered pairs"),
    "van_hove_count": ("1", "number of counted pairs or displacements"),
    "van_hove_beyond": ("1", "fraction of displacements longer than the last bin"),
    # scattering
    "intermediate_scattering": ("1", "F(q, t): correlation of density modes, both orders of unlike species, per atom of the system"),
    "intermediate_scattering_self": ("1", "F_s(q, t) = <exp(i q . [r(t) - r(0)])> per ion of a species"),
    "structure_factor": ("1", "S(q) = F(q, 0), the part of a pair; the sum over pairs is that of equal scatterers"),
    "dynamic_structure_factor": ("ps", "S(q, f): Fourier transform of F(q, t) over both signs of t, in cycles"),
    "dynamic_structure_factor_self": ("ps", "the same of F_s(q, t)"),
    "neutron_intermediate_scattering": ("fm^2", "F(q, t) of all species as coherent neutron scattering sees it, per atom"),
    "neutron_structure_factor": ("fm^2", "S(q) of all species as coherent neutron scattering sees it, per atom"),
    "neutron_dynamic_structure_factor": ("fm^2 ps", "S(q, f) of all species as coherent neutron scattering sees it, per atom"),
    "neutron_incoherent_structure_factor": ("fm^2 ps", "S(q, f) of the self parts as incoherent neutron scattering sees it, per atom"),
    "xray_intermediate_scattering": ("1", "F(q, t) of all species as X-rays see it, electrons squared per atom"),
    "xray_structure_factor": ("1", "S(q) of all species as X-rays see it, electrons squared per atom"),
    "xray_dynamic_structure_factor": ("ps", "S(q, f) of all species as X-rays see it, electrons squared per atom"),
    "longitudinal_current_acf": ("angstrom^2/ps^2", "correlation of the current along q, both orders of unlike species, per atom of the system"),
    "transverse_current_acf": ("angstrom^2/ps^2", "the same across q, mean of the two directions"),
    "n_wave_vectors": ("1", "number of wave vectors averaged; of q and -q one"),
    "miller_index": ("1", "index of a wave vector along each reciprocal vector of the cell"),
    # vibrations
    "velocity_acf": ("angstrom^2/ps^2", "<v(0) . v(t)> per ion"),
    "phonon_dos": ("1/THz", "phonon density of states; integral 3N over frequency at the stated temperature"),
    "phonon_dos_by_direction": ("1/THz", "the part of it along each axis"),
    "phonon_dos_neutron": ("1/THz", "densities of states of the species weighted with cross section over mass, as neutrons see them; integral 3N"),
    "nyquist_frequency": ("THz", "half the rate of the frames, above which lines are folded back"),
    "frequency_resolution": ("THz", "width of the spectral window"),
    "kinetic_temperature": ("K", "temperature of the velocities in the trajectory"),
    # bottlenecks
    "bottleneck_mean_radius": ("angstrom", "mean radius of one window of ions that a mobile ion must pass, to the centres of its corners"),
    "bottleneck_radius_mean": ("angstrom", "mean radius of the windows"),
    "bottleneck_radius_empty": ("angstrom", "mean radius of the windows that no mobile ion is under way through"),
    "bottleneck_variance": ("angstrom^2", "mean square of the radius of a window less its mean"),
    "bottleneck_variance_empty": ("angstrom^2", "the same of the windows that no mobile ion is under way through"),
    "bottleneck_periodogram": ("angstrom^2 ps", "power spectrum of the radius of a window less its mean; two-sided density, at frequencies >= 0"),
    "bottleneck_opening": ("angstrom", "sum over hops of the radius of the window less its mean, at a time from the last frame on the old site"),
    "bottleneck_hops": ("1", "number of hops in that sum"),
    "hop_starts": ("1", "number of hops to a neighbouring site"),
    "bottleneck_distribution": ("1/angstrom", "probability density of the radius of a window, at all times"),
    "bottleneck_counts_at_hop": ("1", "number of hops that began while their window had that radius"),
    "site_crossings": ("1/ps", "how often a mobile ion crosses the middle of its site along its paths"),
    "n_paths": ("1", "number of paths from a site to its neighbours"),
    "n_mobile": ("1", "number of ions of the mobile species"),
    "path_length": ("angstrom", "mean distance between neighbouring sites of the mobile species"),
    # modes of a crystal
    "mode_coordinate_periodogram": (
        "amu angstrom^2 ps",
        "power spectrum of a mode coordinate Q, mass-weighted; two-sided density, at frequencies >= 0",
    ),
    "mode_velocity_periodogram": ("amu angstrom^2/ps", "power spectrum of dQ/dt; two-sided density, at frequencies >= 0"),
    "mode_coordinate_square": ("amu angstrom^2", "mean of |Q|^2"),
    "mode_velocity_square": ("amu angstrom^2/ps^2", "mean of |dQ/dt|^2; k_B T in equilibrium"),
    "mode_coordinate_mean": ("amu^0.5 angstrom", "mean of Q: the order parameter where a mode has condensed"),
    "unprojected_coordinate_square": ("amu angstrom^2", "what the mean |Q|^2 of all bands of the wave vector sum to"),
    "unprojected_velocity_square": ("amu angstrom^2/ps^2", "what the mean |dQ/dt|^2 of all bands of the wave vector sum to"),
    "q_reduced": ("1", "wave vector in reciprocal vectors of the primitive cell"),
    "harmonic_frequency": ("THz", "frequency of a mode by the file of phonopy, negative where imaginary"),
    "degenerate_set": ("1", "number shared by the modes of one frequency and wave vector"),
    "series": ("1", "number of real series that a mode coordinate is: 1 where q and -q are one, else 2"),
    "dropped_weight": ("1", "share of an eigenvector on atoms that hold no site"),
    "spectral_energy_density": (
        "eV ps",
        "kinetic energy of a lattice wave by frequency, twice; its integral is k_B T for each atom of the primitive cell and axis",
    ),
    "spectral_energy_density_by_band": ("eV ps", "the same along an eigenvector; its integral is k_B T for each band"),
    "path_position": ("1", "where a wave vector lies on the path, in segments from its first corner"),
    "basis_species": ("", "chemical symbol of an atom of the primitive cell"),
    "window_length": ("ps", "length of each window"),
    # melting
    "self_overlap": ("1", "<sin(k r)/(k r)> of the displacements r, at k = 2 pi / neighbour distance"),
    "never_moved": ("1", "fraction of ions whose smoothed position moved less than half the neighbour distance"),
    "overlap": ("1", "share of the ions that are within a radius of where they were, mean over time origins"),
    "overlap_square": ("1", "mean square of that share over time origins"),
    "overlap_radius": ("angstrom", "that radius"),
    "four_point_susceptibility": ("1", "chi_4: number of ions times the variance of the share that is where it was"),
    "correlated_ions": ("1", "largest chi_4 over that of ions which move each for itself, q (1 - q)"),
    "heterogeneity_lag": ("ps", "lag of the largest chi_4"),
    "string_number": ("1", "strings of ions that have taken one another's places, mean of a time origin"),
    "string_ions": ("1", "ions that have moved by more than half the neighbour distance, mean of a time origin"),
    "string_ions_square": ("1", "sum of the squared lengths of the strings, mean of a time origin"),
    "replaced_ions": ("1", "ions that have moved and whose places another has taken, mean of a time origin"),
    "loop_ions": ("1", "ions of strings of which every place was taken, mean of a time origin"),
    "string_number_by_length": ("1", "strings of a number of ions, mean of a time origin"),
    "replaced_by_chance": ("1", "share of the ions that have moved whose places would be taken if these were anywhere"),
    "string_length": ("1", "mean number of ions in a string; 1 of ions that go to empty places"),
    "replaced_share": ("1", "share of the ions that have moved whose places another has taken"),
    "loop_share": ("1", "share of the ions that have moved in strings of which every place was taken"),
    "string_lag": ("ps", "lag at which strings are longest"),
    "string_length_longest": ("1", "mean number of ions in a string there"),
    "late_overlap": ("1", "self-overlap at the longest lags, at a multiple of 2 pi / neighbour distance"),
    "moved_share": ("1", "share of the ions whose mean place moved by more than half the neighbour distance between begin and end of the run"),
    "moved_together": ("1", "Moran's I of having moved, in standard deviations of shuffled ions"),
    "moved_alike": ("1", "correlation of the displacements of neighbouring ions between begin and end of the run"),
    "moved_tensor": ("angstrom^2", "mean product of the displacements of mean places between begin and end of the run along two axes"),
    "distance_share": ("1", "share of the displacements whose length lies in a bin"),
    "distance_lag": ("ps", "lag of these displacements, at which their mean square is nearest to half the neighbour distance squared"),
    "volume_by_window": ("angstrom^3", "mean volume of the cell in a part of the run"),
    "widest_gap": ("1", "widest empty layer normal to a cell vector, over (V/N)^(1/3)"),
    "momentum_temperature": ("K", "variance of the total momentum as a temperature: 0 where it is kept, that of the run where every atom is damped"),
    "temperature_by_window": ("K", "mean temperature of the log in a part of the run"),
    "kinetic_fluctuation": ("1", "mean squared deviation of the kinetic energy from its mean over the run, over that of the canonical ensemble"),
    "enthalpy_by_window": ("eV", "mean of E + P V at one pressure in a part of the run, less that of the run"),
    "enthalpy_variance": ("eV^2", "mean squared deviation of E + P V at one pressure from its mean over the run"),
    "enthalpy_third_moment": ("eV^3", "mean third power of the deviation of E + P V at one pressure from its mean over the run"),
    "enthalpy_fourth_moment": ("eV^4", "mean fourth power of that deviation"),
    "bimodality": ("1", "(skewness^2 + 1) / kurtosis of the enthalpy: 1/3 of one value, 1 of two"),
    "enthalpy_step": ("eV", "distance of the two values of the enthalpy, per ion"),
    "changes": ("1", "how often the enthalpy went from one of them to the other, by windows"),
    "bimodal_temperature": ("K", "temperature of the run at constant pressure whose enthalpy most surely has two values"),
    "logged_volume_by_window": ("angstrom^3", "mean volume of the log in a part of the run, less that of the run"),
    "volume_variance": ("angstrom^6", "mean squared deviation of the volume of the log from its mean over the run"),
    "enthalpy_volume_covariance": ("eV angstrom^3", "mean product of the deviations of E + P V at one pressure and of the volume"),
    "window_msd": ("angstrom^2", "mean squared distance of an ion from where it was at the begin of a part of the run, at its end"),
    "frame_velocity": ("angstrom/ps", "mean velocity of the frame of reference in the frame of the file"),
    "cells_across": ("1", "shortest distance of two faces of the cell over (V/N)^(1/3)"),
    "neighbour_distance": ("angstrom", "first peak of g(r) within a species"),
    "density_amplitude": ("1", "time-averaged density wave exp(i q r), per ion"),
    "wave_vector": ("1/angstrom", "length of the wave vector of a reflection, with the factor 2 pi"),
    "framework": ("1", "1 for a species that was declared framework, else 0"),
    # sites and jumps
    "core_fraction": ("1", "share of the ions that are within the core of a site"),
    "jump_count": ("1", "jumps of the ions of a block, from one site to another"),
    "ions_of_block": ("1", "number of ions in a block of ions"),
    "empty_sites": ("1", "share of the sites that are nearest to no ion"),
    "empty_sites_variance": ("1", "variance of that share over frames"),
    "vacant_sites": ("1", "share of the sites to which no ion belongs"),
    "n_sites": ("1", "number of sites of a species in the simulation cell"),
    "site_distance": ("angstrom", "least distance between two sites of a species"),
    "core_radius": ("angstrom", "radius of the core of a site"),
    "site_occupancy": ("1", "mean number of ions nearest to a site of the unit cell"),
    "jump_time": ("ps", "when a jump ended in the core of the new site"),
    "flight_time": ("ps", "time since the ion was last in the core of the old one"),
    "jump_ion": ("1", "index of the atom that jumped"),
    "jump_species": ("", "species of the atom that jumped"),
    "jump_from": ("1", "site of the unit cell that it left"),
    "jump_to": ("1", "site of the unit cell that it went to"),
    "jump_vector": ("angstrom", "from the one site to the other"),
    "observed_time": ("ps", "time over which jumps were counted"),
    "n_jumps": ("1", "number of jumps between sites"),
    "correlation_factor": ("1", "f: mean squared displacement by jumps over that of jumps in random directions"),
    "back_jump_fraction": ("1", "share of the jumps of an ion that undo the one before"),
    "jump_diffusivity": ("angstrom^2/ps", "self-diffusion coefficient f l^2 / 6 tau by the jumps between sites"),
    "jump_diffusivity_uncorrelated": ("angstrom^2/ps", "the same with f = 1"),
    "excess_defects": ("1", "share of sites nearest to no ion, less that of sites for which there is no ion"),
    "defect_diffusivity": ("angstrom^2/ps", "D by jumps over the share of empty sites"),
    # rigidity
    "displacement_covariance": ("angstrom^2", "real part of <A_a A_b*> of the mean displacement wave A of the framework"),
    "wave_vector_xyz": ("1/angstrom", "wave vector with the factor 2 pi, in the mean cell"),
    "n_framework": ("1", "number of ions of the framework"),
    "still_share": ("1", "share of the squared distance from mean places in the second half of the run; 1/2 of ions that keep their places"),
    "shear_modulus": ("GPa", "shear modulus, Voigt's mean over directions"),
    "elastic_c11": ("GPa", "elastic constant C11 of a cubic crystal"),
    "elastic_c12": ("GPa", "elastic constant C12 of a cubic crystal"),
    "elastic_c44": ("GPa", "elastic constant C44 of a cubic crystal"),
    "bulk_modulus": ("GPa", "isothermal bulk modulus"),
    "strain": ("1", "strain of the cell about the mean cell of the run, shear strains doubled"),
    "strain_product": ("1", "mean product of two parts of that strain"),
    "stress": ("GPa", "stress of the cell, minus the pressure tensor, kinetic part included"),
    "stress_product": ("GPa^2", "mean product of two parts of the stress about its mean of the run"),
    "cell_held": ("1", "1 where the cell does not change"),
    "born_term": ("GPa", "mean second derivative of the potential by strain, over the volume"),
    "stress_fluctuation_term": ("GPa", "V / k_B T times the covariance of the stress, which elastic constants are less by"),
    "kinetic_term": ("GPa", "2 N k_B T / V (d_ik d_jl + d_il d_jk)"),
    "rigidity_ratio": ("1", "shear modulus over n k_B T of the framework"),
    # quasielastic scattering
    "quasielastic_width": ("THz", "half width at half maximum of the quasielastic line of a species, in cycles"),
    "quasielastic_width_seen": ("THz", "half width at half maximum of the line as it is seen through the resolution, in cycles"),
    "predicted_quasielastic_width": ("THz", "the same by the likeliest motion, where that is one Lorentzian"),
    "elastic_incoherent_structure_factor": ("1", "F_s(q, t) at infinite time, corrected for the length of the windows"),
    "motion": ("", "the likeliest motion of a species"),
    "motion_probability": ("1", "probability of a motion, motions equally likely beforehand"),
    "motion_misfit": ("1", "chi^2 of the mean spectra per degree of freedom"),
    "quasielastic_diffusivity": ("angstrom^2/ps", "self-diffusion coefficient by the quasielastic line"),
    "quasielastic_diffusivity_lower": ("angstrom^2/ps", "lower end of its 95 % interval"),
    "quasielastic_diffusivity_upper": ("angstrom^2/ps", "upper end of its 95 % interval"),
    "quasielastic_diffusivity_cm2_per_s": ("cm^2/s", "the same in SI-related units"),
    "jump_length": ("angstrom", "jump length l: of the Chudley-Elliott model, or root mean square of the jumps between sites"),
    "jump_length_lower": ("angstrom", "lower end of its 95 % interval"),
    "jump_length_upper": ("angstrom", "upper end of its 95 % interval"),
    "residence_time": ("ps", "time tau between the jumps of an ion: of the Chudley-Elliott model, or counted between sites"),
    "residence_time_lower": ("ps", "lower end of its 95 % interval"),
    "residence_time_upper": ("ps", "upper end of its 95 % interval"),
    "rotation_radius": ("angstrom", "radius b of the sphere on which an ion turns"),
    "rotational_diffusivity": ("1/ps", "rotational diffusion coefficient D_r"),
    "confinement_size": ("angstrom", "root mean square displacement u from the middle of the well along an axis"),
    "confinement_time": ("ps", "time within which an ion forgets where in the well it was"),
    "hop_distance": ("angstrom", "length of a hop: second peak of 4 pi r^2 G_s"),
    "hop_minimum": ("angstrom", "distance of the minimum between the ions that stayed and those that hopped"),
    "hop_depth": ("1", "depth of that minimum: 1 - P_min / min(P_1, P_2)"),
    "hop_lag": ("ps", "lag at which the hop was read"),
    "hopped_fraction": ("1", "fraction of displacements beyond the minimum at that lag"),
    "hole_filling": ("1", "mean of G_d / rho over the place where an ion was"),
    "hole_filling_lower": ("1", "lower end of the 95 % interval"),
    "hole_filling_upper": ("1", "upper end of the 95 % interval"),
    "hole_occupation": ("1", "mean number of other ions in the place where an ion was"),
    "hole_radius": ("angstrom", "radius of that place"),
    # density and Bragg reflections
    "density_map": ("1/angstrom^3", "mean number of ions per volume, folded into the unit cell"),
    "lattice": ("angstrom", "vectors of the unit cell, in rows; of strains, of the mean cell of the run"),
    "site_position": ("1", "lattice site, at a peak of the density, in vectors of the unit cell"),
    "site_species": ("", "species of a lattice site"),
    "scattered_intensity": ("1", "N <|rho|^2> of the density waves of single frames: Bragg and diffuse scattering together"),
    "lattice_amplitude": ("1", "density wave of ions at rest on the sites, per ion"),
    "miller": ("1", "indices hkl of a reflection of the unit cell"),
    "bragg_amplitude": ("1", "time-averaged density wave over that of ions at rest: exp(-q^2 <u^2> / 6) in a harmonic crystal"),
    "bragg_intensity": ("1", "|<rho>|^2, per ion squared, without the noise of a finite time"),
    "diffuse_intensity": ("1", "scattered intensity that is not Bragg"),
    "bragg_significance": ("1", "probability of such a mean amplitude in a sublattice without order"),
    "thermal_displacement": ("angstrom^2", "<u^2>, mean squared distance of an ion from its site, by the Debye-Waller line"),
    "thermal_displacement_lower": ("angstrom^2", "lower end of the 95 % interval"),
    "thermal_displacement_upper": ("angstrom^2", "upper end of the 95 % interval"),
    "debye_waller_offset": ("1", "ln(I/I_0) at q = 0 by a free line, over its error: beyond 3 the Debye-Waller line does not hold"),
    "n_reflections": ("1", "reflections on the Debye-Waller line"),
    # estimates
    "self_diffusivity": ("angstrom^2/ps", "self-diffusion coefficient D of a species"),
    "self_diffusivity_lower": ("angstrom^2/ps", "lower end of the 95 % interval"),
    "self_diffusivity_upper": ("angstrom^2/ps", "upper end of the 95 % interval; of a caged species the bound on D"),
    "self_diffusivity_lower_68": ("angstrom^2/ps", "lower end of the 68 % interval"),
    "self_diffusivity_upper_68": ("angstrom^2/ps", "upper end of the 68 % interval; of a caged species the bound on D"),
    "self_diffusivity_cm2_per_s": ("cm^2/s", "self-diffusion coefficient in SI-related units"),
    "cage_size": ("angstrom^2", "intercept of the mean squared displacement"),
    "variance_inflation": ("1", "how much ions moving together inflate the variance of D"),
    "self_diffusivity_correlation": ("1", "correlation of the errors of the diffusivities of two species"),
    "effective_ions": ("1", "number of independent ions that would give this error"),
    "few_jumpers": ("1", "share of the squared displacement that the top tenth of the ions carries, over the longest blocks of time"),
    "self_diffusivity_late": ("angstrom^2/ps", "self-diffusion coefficient from the longer half of the lags alone"),
    "late_z_score": ("1", "D of the longer half of the lags less D, over the standard error of the difference"),
    "significance": ("1", "D over the standard error that it would have if it were 0"),
    "run_for_10_percent": ("ps", "length of the whole run at which the standard error of D is 10 %"),
    "run_for_tenth_of_bound": ("ps", "length of the whole run at which the bound on D is ten times smaller, if there is still no diffusion"),
    "self_diffusivity_tensor": ("angstrom^2/ps", "self-diffusion tensor: half the slope of <dr_a dr_b>"),
    "principal_diffusivity": ("angstrom^2/ps", "eigenvalue of the self-diffusion tensor"),
    "principal_diffusivity_lower": ("angstrom^2/ps", "lower end of its 95 % interval"),
    "principal_diffusivity_upper": ("angstrom^2/ps", "upper end of its 95 % interval, or the bound"),
    "principal_axis": ("1", "its eigenvector, along the Cartesian axes"),
    "isotropy": ("1", "probability of a tensor at least as anisotropic if diffusion were isotropic"),
    "dimensionality": ("", "1-D, 2-D, 3-D or undecided"),
    "lag_first": ("ps", "first lag of the fit (mean over admissible fits)"),
    "lag_last": ("ps", "last lag of the fit (mean over admissible fits)"),
    "fit_quality": ("1", "probability of a worse chi^2 if the motion is diffusive"),
    "log_slope": ("1", "d ln MSD / d ln t"),
    "regime": ("", "caged, subdiffusive or diffusive; of a hop resolved or not resolved; of chi_4 and strings peak, rising or no motion"),
    "band_centre": ("THz", "mean frequency of the density of states"),
    "vibrational_displacement": ("angstrom^2", "<u^2> of a harmonic crystal with this density of states; half the plateau of the MSD"),
    "mean_square_frequency": ("THz^2", "<f^2> over the density of states; Tr D / (3 N (2 pi)^2) of a harmonic crystal"),
    "debye_temperature": ("K", "of the Debye spectrum with the same mean square frequency"),
    "modes": ("1", "integral of the density of states over 3 N: 1 where the kinetic temperature is the stated one"),
    "fluidity": ("1", "gas-like share of a species in the two-phase model: 0 solid, 1 gas"),
    "dos_diffusivity": ("angstrom^2/ps", "D from the density of states at zero frequency"),
    "vibrational_free_energy": ("eV", "harmonic free energy per atom, with zero-point energy"),
    "vibrational_energy": ("eV", "harmonic energy per atom, with zero-point energy"),
    "vibrational_entropy": ("1", "harmonic entropy per atom, in k_B"),
    "vibrational_heat_capacity": ("1", "harmonic heat capacity at constant volume per atom, in k_B; classically 3"),
    "vibrational_free_energy_classical": ("eV", "classical harmonic free energy per atom"),
    "vibrational_entropy_classical": ("1", "classical harmonic entropy per atom, in k_B"),
    "potential_energy_by_window": ("eV", "mean potential energy of the log in a part of the run"),
    "volume_per_atom": ("angstrom^3", "mean volume of the cell of a run over its number of atoms"),
    "static_energy": ("eV", "energy per atom of the crystal at rest at the volume of a run"),
    "free_energy": ("eV", "static energy and free energy of the vibrations per atom at the volume of a run"),
    "equilibrium_volume": ("angstrom^3", "volume per atom of least free energy at the pressure"),
    "gibbs_energy": ("eV", "free energy and P V per atom at the volume of equilibrium"),
    "bulk_modulus_adiabatic": ("GPa", "adiabatic bulk modulus"),
    "thermal_grueneisen_parameter": ("1", "3 alpha B_T V / C_V, alpha linear: how the entropy rises with volume"),
    "mode_grueneisen_parameter": ("1", "-d ln f_0 / d ln V of a mode at one temperature"),
    "quantum_correction": ("eV", "harmonic energy per atom less 3 k_B T"),
    "charge_diffusivity": ("e^2 angstrom^2/ps", "slope of charge_displacement_msd over 6"),
    "ionic_conductivity": ("S/m", "ionic conductivity, both routes combined"),
    "ionic_conductivity_lower": ("S/m", "lower end of the 95 % interval"),
    "ionic_conductivity_upper": ("S/m", "upper end of the 95 % interval; where the dipole is caged the bound"),
    "ionic_conductivity_einstein_helfand": ("S/m", "from the displacement of the charge dipole"),
    "ionic_conductivity_green_kubo": ("S/m", "from the zero-frequency limit of the charge-current spectrum"),
    "ionic_conductivity_mS_per_cm": ("mS/cm", "ionic conductivity, both routes combined"),
    "ionic_conductivity_nernst_einstein": ("S/m", "from the self-diffusivities, as if ions moved independently"),
    "self_collective_correlation": ("1", "correlation over stretches of time of sum q^2 dr^2 with the squared displacement of the dipole"),
    "onsager": ("S/m", "q_a q_b L_ab: the part of the conductivity between two species, half of what both orders of an unlike pair add"),
    "onsager_covariance": ("S^2/m^2", "covariance of two elements of the matrix"),
    "onsager_einstein_helfand": ("S/m", "from the displacements of the dipoles of species"),
    "onsager_green_kubo": ("S/m", "from the zero-frequency limit of the cross-spectra of the currents of species"),
    "onsager_distinct": ("S/m", "the matrix without what independent ions would conduct"),
    "partial_conductivity": ("S/m", "conductivity of a species, sum of its row of the matrix; negative where others drag it along"),
    "partial_conductivity_nernst_einstein": ("S/m", "of a species from its self-diffusivity, as if ions moved independently"),
    "species_regime": ("", "caged, subdiffusive, diffusive or undecided of the dipole of a species; still: it carries no charge"),
    "shares_difference": ("1", "share of the current by Einstein-Helfand minus that by Green-Kubo over the standard error of their difference"),
    "frame_of_reference": ("", "species, or barycentre, or none, whose mean motion is subtracted"),
    "transference_number": ("1", "share of the current that a species carries"),
    "transference_number_lower": ("1", "lower end of its 95 % interval"),
    "transference_number_upper": ("1", "upper end of its 95 % interval"),
    "transference_number_nernst_einstein": ("1", "share of the current if ions moved independently"),
    "ionic_transference_number": ("1", "share of the current that ions carry beside the electrons of the given conductivity"),
    "ambipolar_conductivity": ("S/m", "what carries mass when no current flows: of ions and the given electrons, or of two kinds of ions"),
    "charge_correlation_factor": ("1", "f_I = f / H_R: squared displacement of the charge over that of uncorrelated jumps"),
    "ionic_conductivity_spectrum": ("S/m", "real part of the conductivity at a frequency, mean over a band"),
    "ionic_conductivity_spectrum_lower": ("S/m", "lower end of the 95 % interval"),
    "ionic_conductivity_spectrum_upper": ("S/m", "upper end of the 95 % interval"),
    "conductivity_sum": ("1", "integral of the conductivity over frequency, over what it must be in classical mechanics"),
    "infrared_absorption": ("1/cm", "absorption coefficient times refractive index, sigma / (epsilon_0 c)"),
    "static_dielectric_constant": ("1", "dielectric constant at zero frequency, where no ion carries charge across the run"),
    "dielectric_function_real": ("1", "real part of the dielectric function"),
    "dielectric_function_imaginary": ("1", "imaginary part of the dielectric function"),
    "transverse_frequency": ("THz", "maximum of the conductivity"),
    "longitudinal_frequency": ("THz", "maximum of Im(-1 / epsilon)"),
    "lyddane_sachs_teller": ("1", "(f_LO / f_TO)^2 epsilon_inf / epsilon_static, 1 where one infrared branch is all"),
    "green_kubo_running": ("S/m", "running Green-Kubo integral"),
    "routes_difference": ("1", "Einstein-Helfand minus Green-Kubo over the standard error of their difference"),
    "routes_correlation": ("1", "correlation of the errors of Einstein-Helfand and Green-Kubo of one run"),
    "number_covariance": ("1", "covariance of the numbers of ions of two species in one part of the cell"),
    "mean_number": ("1", "mean number of ions of a species in a part of the cell"),
    "thermodynamic_factor": ("1", "d ln a / d ln c of a species, from its structure factor at q -> 0"),
    "thermodynamic_factor_lower": ("1", "lower end of the 95 % interval"),
    "thermodynamic_factor_upper": ("1", "upper end of the 95 % interval"),
    "thermodynamic_factor_sub_volume": ("1", "the same from the numbers of ions in parts of the cell"),
    "thermodynamic_factor_sub_volume_lower": ("1", "lower end of the 95 % interval"),
    "thermodynamic_factor_sub_volume_upper": ("1", "upper end of the 95 % interval"),
    "haven_ratio": ("1", "Nernst-Einstein conductivity over ionic conductivity"),
    "haven_ratio_lower": ("1", "lower end of the 95 % interval"),
    "haven_ratio_upper": ("1", "upper end of the 95 % interval"),
    "activation_energy": ("eV", "-d ln y / d(1 / k_B T) of the Arrhenius line"),
    "log_prefactor": ("1", "ln of y at infinite temperature by the Arrhenius line; D in angstrom^2/ps, sigma T in S K/m"),
    "log_prefactor_covariance": ("eV", "covariance of activation_energy and log_prefactor"),
    "misfit": ("1", "probability of a worse chi^2 if one Arrhenius line held"),
    "law_log_evidence": ("1", "ln of the probability of the data under a law, with its priors"),
    "law_probability": ("1", "probability of a law, laws equally likely beforehand"),
    "law_misfit": ("1", "probability of a worse chi^2 if the law held"),
    "local_activation_energy": ("eV", "-d ln y / d(1 / k_B T), averaged over the laws"),
    "branch_activation_energy": ("eV", "activation energy on one side of the crossover"),
    "crossover_temperature": ("K", "temperature at which two branches meet"),
    "vogel_temperature": ("K", "T_0 of ln y = ln A - B / (T - T_0)"),
    "predicted_diffusivity": ("angstrom^2/ps", "median of D at a temperature, averaged over the laws"),
    "predicted_diffusivity_lower": ("angstrom^2/ps", "lower end of its 95 % band"),
    "predicted_diffusivity_upper": ("angstrom^2/ps", "upper end of its 95 % band"),
    "predicted_conductivity": ("S/m", "median of sigma at a temperature, averaged over the laws"),
    "predicted_conductivity_lower": ("S/m", "lower end of its 95 % band"),
    "predicted_conductivity_upper": ("S/m", "upper end of its 95 % band"),
    "extrapolated": ("1", "1 where no run is that cold or that hot, else 0"),
    "n_runs": ("1", "number of runs with a value"),
    "n_bounded": ("1", "number of runs with a bound only"),
    "replica_scatter": ("1", "scatter of runs at one temperature over their quoted errors"),
    "replica_misfit": ("1", "probability of a larger scatter if the quoted errors are right"),
    "prefactor_ratio": ("1", "prefactor over that of every ion of the sublattice jumping at the attempt frequency"),
    "prefactor_ratio_lower": ("1", "lower end of its 95 % interval"),
    "prefactor_ratio_upper": ("1", "upper end of its 95 % interval"),
    "defect_energy": ("eV", "-d ln x_d / d(1 / k_B T) of the given defect fraction x_d"),
    "mobility_energy": ("eV", "-d ln(D / x_d) / d(1 / k_B T)"),
    "isotope_exponent": ("1", "alpha = -d ln D / d ln m"),
    "activation_volume": ("angstrom^3", "-k_B T d ln D / dP"),
    "stated_pressure": ("GPa", "pressure given by the user"),
    # bottlenecks
    "bottleneck_stiffness": ("eV/angstrom^2", "k_B T over the variance of the radius of windows that no ion is under way through"),
    "bottleneck_frequency": ("THz", "root mean square frequency of the spectrum of their radius"),
    "bottleneck_mass": ("amu", "k_B T over the mean square of d r / dt"),
    "bottleneck_share": ("1", "part of the variance of the radius that lies below a frequency"),
    "bottleneck_opening_at_hop": ("angstrom", "how much wider than on the average a window is when a hop through it begins"),
    "bottleneck_distribution_at_hop": ("1/angstrom", "probability density of the radius of a window when a hop through it begins"),
    "hop_rate_at_radius": ("1/ps", "hops of an ion along one path in a time, while the window has that radius"),
    "bottleneck_coupling": ("eV/angstrom", "g: by how much the barrier falls with the radius"),
    "barrier_drop": ("eV", "by how much the breathing of the windows lowers the barrier: g^2 <Q^2> / 2 k_B T"),
    "steric_barrier": ("eV", "energy to open a window to the critical radius"),
    "n_hops": ("1", "number of hops"),
    "attempt_frequency": ("THz", "how often an ion tries the barrier"),
    "attempt_spread": ("1", "largest attempt frequency over the smallest"),
    "jump_rate": ("1/ps", "hops of an ion along one path in a time"),
    # modes
    "mode_frequency": ("THz", "f_0 = W / 2 pi of the damped oscillator, W^2 its static stiffness"),
    "mode_frequency_lower": ("THz", "lower end of its 95 % interval"),
    "mode_frequency_upper": ("THz", "upper end of its 95 % interval"),
    "mode_damping": ("THz", "G / 2 pi: full width at half maximum of an underdamped mode"),
    "mode_damping_lower": ("THz", "lower end of its 95 % interval"),
    "mode_damping_upper": ("THz", "upper end of its 95 % interval"),
    "mode_lifetime": ("ps", "1 / G: lifetime of the energy of an underdamped mode"),
    "mode_lifetime_lower": ("ps", "lower end of its 95 % interval"),
    "mode_lifetime_upper": ("ps", "upper end of its 95 % interval"),
    "damping_ratio": ("1", "G / 2 W: above 1 a mode is overdamped"),
    "damping_ratio_lower": ("1", "lower end of its 95 % interval"),
    "damping_ratio_upper": ("1", "upper end of its 95 % interval"),
    "static_susceptibility": ("ps^2", "<|Q|^2> / k_B T of a mode by the fit of its spectrum; 1 / W^2 where it is harmonic"),
    "static_susceptibility_lower": ("ps^2", "lower end of its 95 % interval"),
    "static_susceptibility_upper": ("ps^2", "upper end of its 95 % interval"),
    "static_susceptibility_direct": ("ps^2", "the same by the mean square"),
    "relaxation_time_slow": ("ps", "slower of the two relaxation times of an overdamped mode"),
    "relaxation_time_slow_lower": ("ps", "lower end of its 95 % interval"),
    "relaxation_time_slow_upper": ("ps", "upper end of its 95 % interval"),
    "relaxation_time_fast": ("ps", "faster of the two relaxation times of an overdamped mode"),
    "relaxation_time_fast_lower": ("ps", "lower end of its 95 % interval"),
    "relaxation_time_fast_upper": ("ps", "upper end of its 95 % interval"),
    "central_peak_share": ("1", "share of the fast stiffness of a mode that relaxes, the weight of its central peak"),
    "central_peak_share_lower": ("1", "lower end of its 95 % interval"),
    "central_peak_share_upper": ("1", "upper end of its 95 % interval"),
    "central_peak_time": ("ps", "time in which it relaxes"),
    "central_peak_time_lower": ("ps", "lower end of its 95 % interval"),
    "central_peak_time_upper": ("ps", "upper end of its 95 % interval"),
    "mode_model": ("", "oscillator, central peak or lorentzian: the model of the spectrum that is kept"),
    "damping_regime": ("", "underdamped, overdamped, undecided, unresolved or condensed"),
    "fit_inflation": ("1", "how much longer errors are because no model fits the spectrum"),
    "fitted_periodogram": (
        "amu angstrom^2 ps",
        "mean periodogram of the model that is kept, as far as it was fitted",
    ),
    "fitted_to": ("THz", "highest frequency of the spectrum that is fitted"),
    "model_log_evidence": ("1", "ln of the probability of the spectrum under a model, less that of the oscillator"),
    # decisions
    "verdict": ("", "the word"),
    "probability": ("1", "probability of each state"),
    "system_verdict": ("", "the word for the system"),
    "system_reason": ("", "why, in a sentence"),
    "system_probability": ("1", "probability of each state of the system"),
    "evidence": ("1", "value of an indicator"),
    "evidence_log_odds": ("1", "log-odds of an indicator for the likeliest state of the species, within -3 and 3"),
    "threshold": ("1", "value of the indicator that separates the two things it can say"),
    "resolved_share": ("1", "how much the evidence counts, 0 to 1: half the run against the period of vibration"),
    "gate_says": ("", "passed, failed, unclear or no data"),
    "gate_reason": ("", "why a gate is not passed"),
    "suggested_begin": ("ps", "from when on the run has settled, as an offer; NaN where it has from the start, or never"),
    "moving_axes": ("1", "number of axes along which ions went from site to site; -1 where it was not measured"),
    "time_needed": ("ps", "length of a run whose half holds 20 periods of vibration and 3 residence times; NaN where no jump was seen"),
    "diffusivity_bound": (
        "angstrom^2/ps",
        "largest D that this run leaves room for: its displacement at two standard errors, and three unseen jumps",
    ),
    "line_says": ("", "whether a line of evidence is for or against the verdict of the system"),
    "line_log_odds": ("1", "log-odds of a line of evidence for that verdict, within -3 and 3"),
    "lines_available": ("1", "number of lines of evidence with data, of four"),
    "calibration": ("", "version of the calibration that turns indicators into probabilities"),
    "reason": ("", "why, in a sentence"),
    "says": ("", "what the indicator says of the sublattice"),
    "critical_temperature": ("K", "T_c: at which the stiffness of a mode goes to zero, or a sublattice melts, by one route"),
    "transition_type": ("", "I: a step of the enthalpy, II: an excess of finite width, III: smooth"),
    "type_probability": ("1", "probability of a model of H(T), models equally likely beforehand"),
    "heat_capacity": ("1", "heat capacity C_P in k_B per ion: dH/dT between runs, by the fluctuation of H in one, or quasi-harmonic"),
    "thermal_expansion": ("1/K", "linear expansion coefficient, d ln V / 3 dT, between runs, by cov(H, V) in one, or quasi-harmonic"),
    "ramp_says": ("", "how far a species goes in half a window of a ramp: still, moves (0.15 of the squared neighbour distance), far (all of it)"),
    "onset_temperature": ("K", "temperature of a ramp from which on a species moves"),
    "suggested_temperature": ("K", "temperature that is worth a run of its own"),
    "suggestion_reason": ("", "why"),
    "latent_heat": ("eV", "step of the enthalpy per ion between two straight branches"),
    "latent_heat_bound": ("eV", "largest sudden step of the enthalpy per ion that fits between two neighbouring runs, at two standard errors"),
    "size_exponent": ("1", "slope of the logarithm of the largest heat capacity per ion against that of the number of ions"),
    "critical_temperature_of_sweep": ("K", "T_c by the enthalpy of the runs of one sweep, heating or cooling"),
    "hysteresis": ("K", "T_c of heating less T_c of cooling, by the enthalpy"),
    "temperature_gap": ("K", "largest difference of neighbouring temperatures of the series"),
    "critical_temperature_lower": ("K", "lower end of its 95 % interval"),
    "critical_temperature_upper": ("K", "upper end of its 95 % interval"),
    "critical_exponent": ("1", "p of the stiffness a |T - T_c|^p"),
    "stiffness_change": ("1", "ln of the stiffness of a mode at the hottest run less that at the coldest, by a line"),
    "grueneisen_parameter": ("1", "-d ln f / d ln V that would make thermal expansion the cause of it"),
    # closure
    "first": ("", "one side of an identity, in the unit that the check names"),
    "second": ("", "the other side, in the same unit"),
    "difference": ("", "first - second, in the same unit"),
    "difference_stderr": ("", "one standard error of first - second, in the same unit"),
    "unit": ("", "unit of a row of numbers that have not the same"),
    "z_score": ("1", "difference over the combined standard error"),
    "culprit": ("", "what is likely wrong if the two sides disagree"),
}

_P = ParamSpec("_P")


def unit_of(name: str) -> str:
    """Unit of a quantity, of a dimension, or of its `_stderr`; KeyError for a word that is not in the vocabulary."""
    base = name.removesuffix("_stderr")
    return (QUANTITIES.get(name) or QUANTITIES.get(base) or DIMENSIONS[base])[0]


def _meaning(name: str) -> str:
    base = name if name in QUANTITIES else name.removesuffix("_stderr")
    meaning = (QUANTITIES.get(base) or DIMENSIONS[base])[1]
    return meaning if base == name else f"one standard error of {base}"


def dataset(variables: Mapping[str, Any], *, reduced: bool = False) -> xr.Dataset:
    """A Dataset of `variables` (name -> value, or (dims, values)) with unit and meaning written on each.

    Names are words of the vocabulary; a name that is a dimension becomes its coordinate. All data become NumPy.
    `reduced=True` writes the unit "1" on everything: a run in `lj` units is dimensionless, and says so.
    Raises KeyError for a name that is not in the vocabulary.
    """
    data: dict[str, xr.Variable] = {}
    for name, value in variables.items():
        unit = unit_of(name)
        dims, values = value if isinstance(value, tuple) else ((name,) if name in DIMENSIONS and np.ndim(value) else (), value)
        attrs = {"long_name": _meaning(name)}
        if unit:
            attrs["units"] = "1" if reduced else unit
        data[name] = xr.Variable(dims, np.asarray(values), attrs)
    along = {k: v for k, v in data.items() if k in DIMENSIONS and v.dims == (k,)}
    out = xr.Dataset({k: v for k, v in data.items() if k not in along}, coords=along)
    out.attrs["unit_system"] = "lj" if reduced else "angstrom, ps, amu, e, K, eV"
    return out


def history(source: Any) -> list[dict[str, Any]]:
    """The steps that made a Dataset (or a Trajectory), first to last, each with every setting.

    >>> history(dataset({"n_frames": 3}))
    []
    """
    steps = source.attrs.get("history", "[]") if isinstance(source, xr.Dataset) else getattr(source, "history", ())
    return json.loads(steps) if isinstance(steps, str) else list(steps)


def merged_history(sources: Iterable[Any]) -> list[dict[str, Any]]:
    """Histories of several inputs in order, each step once."""
    steps: list[dict[str, Any]] = []
    for source in sources:
        steps += [step for step in history(source) if step not in steps]
    return steps


def _plain(value: Any) -> Any:
    """A setting as JSON can keep it."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def _has_history(value: Any) -> bool:
    return isinstance(value, xr.Dataset) or hasattr(value, "history")


@functools.cache
def _version() -> str:
    """Of this package: to look it up takes milliseconds."""
    return metadata.version("mdtools-jax")


def recorded(function: Callable[_P, xr.Dataset]) -> Callable[_P, xr.Dataset]:
    """Mark a public stage: what it returns carries the history of its inputs and this step with every option."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> xr.Dataset:
        out = function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        inputs = [v for v in bound.arguments.values() if _has_history(v)]
        inputs += [m for v in bound.arguments.values() if isinstance(v, (list, tuple)) for m in v if _has_history(m)]
        options = {
            name: _plain(value)
            for name, value in bound.arguments.items()
            if not _has_history(value) and not (isinstance(value, (list, tuple)) and any(map(_has_history, value)))
        }
        # a function may add what it found out (the reference it took, frames left over) under "resolved"
        resolved = json.loads(out.attrs.pop("resolved", "{}"))
        step = {"step": function.__name__, **options, **resolved, "mdtools": _version()}
        out.attrs["history"] = json.dumps([*merged_history(inputs), step])
        return out

    return wrapper


def resolved(out: xr.Dataset, **settings: Any) -> xr.Dataset:
    """Note settings that were found out on the way (not given), for `recorded` to write into the history."""
    before = json.loads(out.attrs.get("resolved", "{}"))
    out.attrs["resolved"] = json.dumps({**before, **{k: _plain(v) for k, v in settings.items()}})
    return out


def to_netcdf(data: xr.Dataset, path: Any) -> None:
    """Write a Dataset beside its place and rename, so that a killed job leaves no half file."""
    from pathlib import Path

    path = Path(path)
    beside = path.with_name(f".{path.name}.part")
    data.to_netcdf(beside, engine="h5netcdf")
    beside.replace(path)

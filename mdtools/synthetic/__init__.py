"""Trajectories whose answers are known exactly: for tests, examples and checks of other tools.

Units are those of the package (angstrom, ps, amu, e, K). Every docstring states the exact answers; their sources are
in reference/science.md B. `seed` fixes the numbers.
"""

from mdtools.synthetic.hoppers import interstitialcy, vacancy_hopper
from mdtools.synthetic.lattices import lattice_sites
from mdtools.synthetic.oscillators import damped_oscillator, gated_hopper, harmonic_crystal, harmonic_frequencies
from mdtools.synthetic.phi4 import phi4_lattice
from mdtools.synthetic.rotors import rotor
from mdtools.synthetic.walkers import bound_pairs, brownian, grotthuss_chain, grouped_walkers, ornstein_uhlenbeck

__all__ = [
    "bound_pairs",
    "brownian",
    "damped_oscillator",
    "gated_hopper",
    "grotthuss_chain",
    "grouped_walkers",
    "harmonic_crystal",
    "harmonic_frequencies",
    "interstitialcy",
    "lattice_sites",
    "ornstein_uhlenbeck",
    "phi4_lattice",
    "rotor",
    "vacancy_hopper",
]

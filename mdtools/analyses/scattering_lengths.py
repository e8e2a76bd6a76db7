"""What neutrons and X-rays see of an element: scattering lengths and form factors, from the tables of periodictable.

Neutrons: bound coherent lengths of natural elements, real part (fm), and incoherent cross sections (V. F. Sears, Neutron News 3, 26
(1992), and later values); X-rays: form factors f0(q) of the neutral atom in electrons (D. Waasmaier and A. Kirfel, Acta Cryst. A 51,
416 (1995)), without dispersion.
"""

import re
from typing import Any, Literal

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["Weights", "coherent", "incoherent"]

Weights = Literal["neutron", "xray"]
FM2_PER_BARN = 100.0


def coherent(traj: Trajectory, weights: str, q: np.ndarray, *, who: str) -> np.ndarray:
    """b_s in fm, or f_s(q) in electrons: (species, q) at wave numbers q in 1/angstrom. Raises TrajectoryError for what is no element."""
    if weights not in ("neutron", "xray"):
        raise ValueError(f'{who}: weights={weights!r} is not understood; write "neutron" or "xray"')
    elements = _elements(traj, who)
    if weights == "xray":
        return np.array([np.asarray(one.xray.f0(np.asarray(q)), dtype=np.float64) for one in elements])
    return np.array([np.full(len(q), _known(one, one.neutron.b_c, traj, who)) for one in elements])


def incoherent(traj: Trajectory, *, who: str) -> np.ndarray:
    """Incoherent cross section over 4 pi of each species, fm^2."""
    return np.array([FM2_PER_BARN / (4 * np.pi) * _known(one, one.neutron.incoherent, traj, who) for one in _elements(traj, who)])


def _known(element: Any, value: Any, traj: Trajectory, who: str) -> float:
    if value is None:
        raise TrajectoryError(f"{who}: the tables hold no neutron scattering length of {element.symbol}, a species of {traj.source}")
    return float(np.real(value))


def _elements(traj: Trajectory, who: str) -> list[Any]:
    """The element of each species: its label, or what the label starts with ("Li_tet"); D is deuterium."""
    if traj.reduced:
        raise TrajectoryError(
            f"{who}: weights= needs scattering lengths at wave numbers in 1/angstrom, and {traj.source} is in lj units, without a length in "
            "angstrom: leave weights out, or read the run with units that have one (units=, --units)"
        )
    try:
        import periodictable
    except ModuleNotFoundError:
        raise ValueError(f"{who}: weights= needs the tables of periodictable: pip install periodictable") from None
    found = []
    for name in traj.species_names:
        start = re.match(r"([A-Z][a-z]?)(?![A-Za-z])", name)
        element = getattr(periodictable, start[1], None) if start else None
        if element is None or not hasattr(element, "neutron"):
            raise TrajectoryError(
                f"{who}: the species {name} of {traj.source} is no chemical element, so that its scattering length is not known: "
                'name the elements with species= (--species), or relabel it so that it starts with one, as in "Li_tet"'
            )
        found.append(element)
    return found

"""Atoms that an expression means, in the selection language of MDAnalysis."""

import re
import warnings

import numpy as np

__all__ = ["atoms_by_expression"]


def atoms_by_expression(
    text: str, positions: np.ndarray, *, species: np.ndarray, masses: np.ndarray | None, charges: np.ndarray | None
) -> np.ndarray:
    """Indices of the atoms, of one frame, that are meant; labels of species stand for themselves. Raises ValueError where it is not understood.

    positions : (atom, 3) angstrom, in the cell. species, masses, charges : (atom,); charges of another shape cannot be asked for.
    """
    import MDAnalysis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        universe = MDAnalysis.Universe.empty(len(species), trajectory=True)
        universe.add_TopologyAttr("types", species.tolist())
        if masses is not None:
            universe.add_TopologyAttr("masses", masses)
        if charges is not None and charges.ndim == 1:
            universe.add_TopologyAttr("charges", charges)
        universe.atoms.positions = positions
        names = "|".join(re.escape(name) for name in sorted(set(species.tolist()), key=len, reverse=True))
        expression = re.sub(rf"(?<![\w.])(?<!type )({names})(?![\w.])", r"type \1", text)
        try:
            return universe.select_atoms(expression).indices
        except Exception as reason:
            raise ValueError(str(reason)) from reason

"""What every test runs under: no silent promotion of dtype or rank, and the shapes of the kernels checked as they run.

The suite is run twice, with JAX_ENABLE_X64=0 and =1: results must not depend on the user's global setting.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

try:
    from jaxtyping import install_import_hook
except ModuleNotFoundError:  # a machine with a GPU and no more than numpy, jax and xarray: there the shapes are only words
    install_import_hook = None

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
# executes the annotations of kernels/shapes.py; stays installed, because kernels are imported when first used
if install_import_hook is not None:
    install_import_hook("mdtools.kernels", "beartype.beartype")
# what made the vendored files, with programs that the tests do not install
collect_ignore_glob = ["files/*"]


@pytest.fixture(scope="session")
def files() -> Path:
    """The folder of test files."""
    return Path(__file__).parent / "files"


@pytest.fixture(scope="session")
def from_paths() -> Callable[..., Any]:
    """A function that makes a Trajectory of Cartesian paths (frame, atom, 3) in a cell, as a reader would."""
    from mdtools.trajectory import Trajectory

    def make(path: np.ndarray, cell: np.ndarray, *, frame_interval: float = 0.1, dtype: type = np.float32, **more: Any) -> Trajectory:
        n_frames, n_atoms, _ = path.shape
        cells = np.broadcast_to(cell, (n_frames, 3, 3)).copy()
        scaled = np.einsum("tai,tij->taj", path, np.linalg.inv(cells))
        settings: dict[str, Any] = {"species": np.full(n_atoms, "A"), "masses": np.ones(n_atoms), "time": np.arange(n_frames) * frame_interval}
        return Trajectory(**(settings | {"scaled_positions": scaled.astype(dtype), "cell": cells} | more))

    return make


@pytest.fixture(scope="session")
def write_dump() -> Callable[..., Path]:
    """A function that writes a Trajectory as a LAMMPS text dump, for tests that need a file."""

    def write(traj: Any, path: Path, *, header: bool = True, types: bool = False) -> Path:
        """header : with UNITS and TIME. types : numbers in place of species."""
        columns = ("id type" if types else "id element") + " xu yu zu" + (" vx vy vz" if traj.velocities is not None else "")
        lines = []
        for frame in range(traj.n_frames):
            if header:
                lines += [*(["ITEM: UNITS", "metal"] if frame == 0 else []), "ITEM: TIME", f"{traj.time[frame]:.9g}"]
            bounds = [f"0 {length:.9g}" for length in np.diag(traj.cell[frame])]
            lines += ["ITEM: TIMESTEP", str(frame), "ITEM: NUMBER OF ATOMS", str(traj.n_atoms), "ITEM: BOX BOUNDS pp pp pp", *bounds]
            lines.append(f"ITEM: ATOMS {columns}")
            values = np.asarray(traj.scaled_positions[frame], dtype=np.float64) @ traj.cell[frame]
            if traj.velocities is not None:
                values = np.concatenate([values, np.asarray(traj.velocities[frame])], axis=1)
            for atom, row in enumerate(values):
                label = traj.species_names.index(traj.species[atom]) + 1 if types else traj.species[atom]
                lines.append(f"{atom + 1} {label} " + " ".join(f"{value:.6f}" for value in row))
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def blocks_of_atoms(monkeypatch):
    """The blocks of atoms that are visited, as they are: which atoms, and how many bytes."""
    from mdtools.trajectory import Trajectory

    visited, whole = [], Trajectory.over_atoms

    def noted(self, *what, **how):
        for atoms, values in whole(self, *what, **how):
            visited.append((atoms, values.nbytes))
            yield atoms, values

    monkeypatch.setattr(Trajectory, "over_atoms", noted)
    return visited

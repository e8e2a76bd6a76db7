"""What every test runs under: no silent promotion of dtype or rank, and the shapes of the kernels checked as they run.

The suite is run twice, with JAX_ENABLE_X64=0 and =1: results must not depend on the user's global setting.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
# executes the annotations of kernels/shapes.py; stays installed, because kernels are imported when first used
install_import_hook("mdtools.kernels", "beartype.beartype")


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

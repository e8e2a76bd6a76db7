"""Files, and a small writer of dumps, for the tests of the readers."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# the whole collection is not part of this repository: scripts/test-data DIR runs that file
collect_ignore = [] if "MDTOOLS_TEST_DATA" in os.environ else ["test_full_matrix.py", "test_expected.py", "test_agreement.py"]
_AGREEMENT: list[Any] = []


@pytest.fixture(scope="session")
def agreement() -> list[Any]:
    """(file, peer, outcome, reasons) of every comparison, printed when the tests have run."""
    return _AGREEMENT


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if _AGREEMENT:
        from agreement.shown import lines

        terminalreporter.section("agreement with other readers")
        for line in lines(_AGREEMENT):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def files() -> Path:
    """The vendored files."""
    return Path(__file__).parents[1] / "files"


@pytest.fixture(scope="session")
def caf2(files: Path) -> Path:
    return files / "lammps" / "caf2"


@pytest.fixture(scope="session")
def kept_xdatcar() -> Path:
    return Path(__file__).parents[2] / "data" / "Li6PS5Cl_50p_run1_XDATCAR.gz"


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., Path]:
    """Write a small dump: dump(columns, frames) with frames as tables, of an orthogonal box of 10 unless said."""

    def write(
        columns: str,
        frames: Sequence[Any],
        *,
        steps: Sequence[int] | None = None,
        box: str = "pp pp pp\n0 10\n0 10\n0 10",
        boxes: Sequence[str] | None = None,
        head: str = "",
        name: str = "small.lammpstrj",
        form: str = "{:.15g}",
    ) -> Path:
        text = head
        for index, rows in enumerate(frames):
            step = index * 10 if steps is None else steps[index]
            bounds = box if boxes is None else boxes[index]
            text += f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(rows)}\nITEM: BOX BOUNDS {bounds}\nITEM: ATOMS {columns}\n"
            text += "".join(" ".join(v if isinstance(v, str) else form.format(v) for v in row) + "\n" for row in rows)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def metal() -> dict[str, Any]:
    """Options of all dumps of the CaF2 run."""
    return {"units": "metal", "timestep": 0.001, "species": {1: "Ca", 2: "F"}}


@pytest.fixture(scope="session")
def distances() -> Callable[[np.ndarray, Any], np.ndarray]:
    """Largest distance in angstrom between two sets of scaled positions in one cell."""
    return lambda difference, cell: np.linalg.norm(difference.astype(np.float64) @ cell, axis=-1)

"""phonopy's files, written by phonopy, against what phonopy says of them and against the crystal they were made of."""

from pathlib import Path

import lattices
import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.harmonic.modes import degenerate_sets
from mdtools.harmonic.phonopy_files import read_phonopy
from mdtools.harmonic.primitive_cell import crystal_of


@pytest.fixture(scope="module")
def folder(files):
    return files / "phonopy"


def same_up_to_phase(one, other, atol):
    overlap = np.abs(np.einsum("bjx,bjx->b", one.conj(), other))
    np.testing.assert_allclose(overlap, 1.0, atol=atol)


def test_the_cell_is_that_of_the_crystal(folder):
    exact = lattices.crystal()
    for name in ("phonopy_params.yaml", "qpoints.yaml", "band.yaml", "without/phonopy.yaml"):
        found = read_phonopy(folder / name).crystal
        np.testing.assert_allclose(found.cell, exact.cell, atol=1e-9)
        np.testing.assert_allclose(found.scaled, exact.scaled, atol=1e-9)
        np.testing.assert_allclose(found.masses, exact.masses)
        assert found.symbols == exact.symbols
        assert crystal_of(folder / name).symbols == exact.symbols


def test_modes_by_our_dynamical_matrix_are_those_that_phonopy_tabulates(folder):
    """At wave vectors of its supercell and between them, where the shortest images count by their mean."""
    made, beside = read_phonopy(folder / "phonopy_params.yaml"), read_phonopy(folder / "beside/phonopy.yaml")
    table, band = read_phonopy(folder / "qpoints.yaml"), read_phonopy(folder / "band.yaml")
    for q in ([0, 0, 0], [0.5, 0, 0], [0.5, 0.4, 0.2], [0.1, -0.3, 0.37], [-0.1, 0.3, -0.37], [0.25, 0, 0]):
        q = np.array(q, dtype=float)
        tables = [one for one in (table, band) if one.knows(q)]
        assert tables
        for one in tables:
            np.testing.assert_allclose(made.at(q).frequency, one.at(q).frequency, rtol=2e-7, atol=2e-4 if not q.any() else 0)  # CODATA of 2018 there
            np.testing.assert_allclose(
                beside.at(q).frequency, one.at(q).frequency, rtol=2e-7, atol=2e-4 if not q.any() else 0
            )  # CODATA of 2018 there
            start = 3 if not q.any() else 0
            same_up_to_phase(made.at(q).vectors[start:], one.at(q).vectors[start:], 1e-8)


def test_an_imaginary_mode_is_a_negative_frequency_and_all_others_are_as_they_were(folder):
    stable, soft = read_phonopy(folder / "phonopy_params.yaml"), read_phonopy(folder / "imaginary.yaml")
    for q in ([0, 0, 0], [0.5, 0, 0], [0, 0, 0.5], [0.5, 0, 0.5]):
        expected = stable.at(np.array(q)).frequency.copy()
        if q == [0.5, 0, 0.5]:
            expected[0] = -1.5
            overlap = np.abs(np.vdot(stable.at(np.array(q)).vectors[0], soft.at(np.array(q)).vectors[0]))
            assert overlap == pytest.approx(1, abs=1e-9)
        np.testing.assert_allclose(soft.at(np.array(q)).frequency, expected, rtol=1e-6, atol=2e-4 if q == [0, 0, 0] else 0)


def test_where_q_is_minus_q_eigenvectors_are_real_in_phases_of_the_cells(folder):
    for name in ("phonopy_params.yaml", "qpoints.yaml"):
        harmonic = read_phonopy(folder / name)
        for q in (np.zeros(3), np.array([0.5, 0, 0])):
            turned = harmonic.at(q).vectors * np.exp(2j * np.pi * harmonic.crystal.scaled @ q)[:, None]
            assert np.abs(turned.imag).max() < 1e-9
            flat = turned.reshape(9, 9)
            np.testing.assert_allclose(flat @ flat.conj().T, np.eye(9), atol=1e-9)


def test_a_wave_vector_of_another_zone_has_the_phases_of_that_zone(folder):
    table, made = read_phonopy(folder / "qpoints.yaml"), read_phonopy(folder / "phonopy_params.yaml")
    q = np.array([0.1, 0.7, 0.37])
    same_up_to_phase(table.at(q).vectors, made.at(q).vectors, 1e-8)


def test_refusals_say_what_to_write(folder, tmp_path):
    pytest.importorskip("yaml")
    with pytest.raises(TrajectoryError, match=r"holds no modes at q = 0.2,0,0; ask phonopy for it"):
        read_phonopy(folder / "qpoints.yaml").at(np.array([0.2, 0, 0]))
    try:
        import phonopy  # noqa: F401
    except ImportError:
        with pytest.raises(TrajectoryError, match=r"holds no force constants, and there is no FORCE_CONSTANTS .*install phonopy"):
            read_phonopy(folder / "without/phonopy.yaml").at(np.zeros(3))
    for name, text, match in (
        ("a.yaml", "a: [1, 2", "is not a yaml file of phonopy"),
        ("b.yaml", "- 1\n- 2\n", "is not a yaml file of phonopy"),
        ("c.yaml", "nqpoint: 3\n", "holds neither a primitive_cell nor tabulated phonons"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(TrajectoryError, match=match):
            read_phonopy(tmp_path / name)
    text = (folder / "beside/phonopy.yaml").read_text()
    (tmp_path / "phonopy.yaml").write_text(text.replace('length: "angstrom"', 'length: "au"'))
    with pytest.raises(TrajectoryError, match=r"is in other units \(length: au\)"):
        read_phonopy(tmp_path / "phonopy.yaml")
    (tmp_path / "phonopy.yaml").write_text(text)
    (tmp_path / "FORCE_CONSTANTS").write_text((folder / "beside/FORCE_CONSTANTS").read_text()[:5000])
    with pytest.raises(TrajectoryError, match="is not a FORCE_CONSTANTS file of phonopy, or is cut"):
        read_phonopy(tmp_path / "phonopy.yaml").at(np.zeros(3))
    with pytest.raises(TrajectoryError, match="there is no file"):
        crystal_of(Path("none.vasp"))


def test_degenerate_sets_are_numbered():
    assert degenerate_sets(np.array([-1.0, 0.0, 0.0004, 3.0])).tolist() == [0, 1, 1, 2]

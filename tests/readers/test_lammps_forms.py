"""One LAMMPS run in every form it can be written in is one trajectory, to the precision of the form; and damage to any of them.

The run (tests/files/lammps/forms/in.forms) is of 24 ions in a tilted cell that is sheared, stretched and moved, and was written by
two processors, so that rows are unsorted and binary dumps come in chunks.
"""

import gzip
from typing import Any

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read

METAL: dict[str, Any] = {"units": "metal", "timestep": 0.001}
TYPES = {"species": {1: "Ca", 2: "F"}}
# name: options, largest difference of scaled positions and of velocities (angstrom/ps; None where the form has none)
FORMS: dict[str, tuple[dict[str, Any], float, float | None]] = {
    "general.lammpstrj.gz": ({**METAL, **TYPES}, 1e-14, None),
    "forms.yaml.gz": ({}, 1e-14, 1e-13),
    "forms.bin": (TYPES, 1e-14, 1e-13),
    "general.bin": ({**METAL, **TYPES}, 1e-14, None),
    "atom.bin": ({**METAL, **TYPES}, 1e-14, None),
    "atom_unscaled.lammpsbin": (TYPES, 1e-14, None),
    "forms.cdf1.nc": (TYPES, 1e-6, 1e-5),
    "forms.cdf2.nc": (TYPES, 1e-14, 1e-13),
    "forms.cdf5.nc": (TYPES, 1e-6, 1e-5),
    "forms.hdf5.nc": (TYPES, 1e-6, 1e-5),
}


@pytest.fixture(scope="module")
def forms(files):
    return files / "lammps" / "forms"


@pytest.fixture(scope="module")
def run(forms):
    """The text dump with 17 digits."""
    return read(forms / "forms.lammpstrj.gz", precision="float64")


@pytest.fixture(scope="module")
def labels(run):
    return {"species": run.species.tolist()}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_run_is_the_run(name, forms, run):
    options, close, slow = FORMS[name]
    traj = read(forms / name, **options, precision="float64")
    assert traj.species.tolist() == run.species.tolist()
    assert np.array_equal(traj.ids, run.ids)
    assert np.allclose(traj.time, run.time, rtol=1e-12)
    assert np.abs(traj.scaled_positions - run.scaled_positions).max() < close
    # the axes of a general triclinic cell are others; what lies between them is the same
    metric = [t.cell @ t.cell.transpose(0, 2, 1) for t in (traj, run)]
    assert np.allclose(*metric, rtol=2 * close, atol=100 * close)
    if slow is not None:
        assert np.abs(traj.velocities - run.velocities).max() < slow
        assert np.allclose(traj.origin, run.origin, atol=10 * close)
        assert np.allclose(traj.cell, run.cell, atol=20 * close)
        assert np.array_equal(traj.charges, run.charges)
    assert traj.history[0]["unwrapping"] == ("nearest image" if name == "atom_unscaled.lammpsbin" else "by the file")


def test_the_run_crosses_faces_and_its_cell_moves(run):
    # what the comparison above is worth
    assert run.scaled_positions.min() < -0.01
    assert run.scaled_positions.max() > 1.1
    assert not run.fixed_cell
    assert np.count_nonzero(run.cell[0]) == 6
    assert np.ptp(run.origin, axis=0).min() > 0.1


def test_velocities_of_a_general_triclinic_run_are_turned_with_its_cell(forms, run):
    for name in ("general.bin", "general.lammpstrj.gz"):
        traj = read(forms / name, **METAL, **TYPES, precision="float64")
        turn = np.linalg.solve(run.cell[0], traj.cell[0])
        assert np.allclose(turn @ turn.T, np.eye(3))
        assert np.allclose(run.velocities @ turn, traj.velocities, atol=1e-12)


def test_a_yaml_dump_in_two_frames_of_axes_is_refused(forms):
    # LAMMPS 22Jul2025 writes positions in the user's axes, and the cell in its own
    with pytest.raises(TrajectoryError, match=r"general.yaml.gz: frame 0 \(step 1000\) has positions outside its cell"):
        read(forms / "general.yaml.gz", **TYPES)


def test_mass_charge_and_species_come_from_yaml_and_binary_dumps(forms, run):
    for name in ("forms.yaml.gz", "forms.bin"):
        traj = read(forms / name, **({} if "yaml" in name else TYPES))
        assert traj.history[0]["masses"] == traj.history[0]["charges"] == "from the file"
        assert np.allclose(traj.masses, run.masses)
        assert traj.charges.tolist() == run.charges.tolist()
        assert traj.history[0]["units"] == "metal"


def test_binary_dumps_of_a_part_of_the_atoms_one_file_a_frame_make_a_run(forms, run):
    whole = read(forms / "forms.bin", **TYPES, precision="float64")
    fluorine = whole.indices("F")
    by_pattern = read(str(forms / "anions.*.bin"), **METAL, **TYPES, precision="float64")
    backward = read([forms / f"anions.{step}.bin" for step in (1400, 1200, 1000)], **METAL, **TYPES, precision="float64")
    for traj in (by_pattern, backward):
        assert np.allclose(traj.time, [1.0, 1.2, 1.4])
        assert np.array_equal(traj.ids, whole.ids[fluorine])
        assert np.abs(traj.scaled_positions - run.scaled_positions[::5, fluorine]).max() < 1e-14


@pytest.mark.parametrize(("name", "close"), [("forms.dcd", 2e-6), ("forms.xtc", 1e-4)])
def test_forms_without_origin_are_the_run_but_for_it(name, close, forms, run, labels):
    clock = {"timestep": "1 fs"} if name.endswith("dcd") else {}
    traj = read(forms / name, **labels, **clock, precision="float64")
    assert np.allclose(traj.time, run.time, atol=1e-6)
    assert np.allclose(traj.cell, run.cell, atol=1e-5)
    # positions are absolute: the origin, in cell vectors, has to be taken off, and whole cells that the first frame is put back by
    origin = np.einsum("ti,tij->tj", run.origin, np.linalg.inv(run.cell))
    difference = traj.scaled_positions - origin[:, None] - run.scaled_positions
    assert np.abs(difference - np.rint(difference[0])).max() < close
    assert any("does not hold the origin of the cell" in note for note in traj.notes)


def test_amber_files_are_in_angstrom_and_ps_with_a_velocity_of_their_own(forms, run, labels):
    traj = read(forms / "amber.nc", **labels, precision="float64")
    assert traj.history[0]["format"] == "AMBER netCDF"
    # time in single precision, evened out; velocities times 20.455
    assert np.allclose(traj.time, run.time, rtol=1e-7)
    assert traj.frame_interval == pytest.approx(0.04, rel=1e-6)
    assert np.abs(traj.velocities - run.velocities).max() < 1e-5
    assert np.abs(traj.scaled_positions - run.scaled_positions).max() < 1e-6
    with pytest.raises(TrajectoryError, match="neither elements nor types"):
        read(forms / "amber.nc")


def test_what_a_form_lacks_is_asked_for(forms, labels):
    with pytest.raises(TrajectoryError, match=r"pass timestep=0\.001"):
        read(forms / "forms.dcd", **labels)
    with pytest.raises(TrajectoryError, match="pass units='metal'"):
        read(forms / "atom.bin", **TYPES, timestep=0.001)
    with pytest.raises(TrajectoryError, match=r"--species 1=\.\.\.,2=\.\.\."):
        read(forms / "forms.bin")
    with pytest.raises(TrajectoryError, match=r"--species 1=\.\.\.,2=\.\.\."):
        read(forms / "forms.cdf5.nc")


# name: options, and whether the form announces its number of frames, so that it tells when whole ones are missing at the end
DAMAGED = {
    "forms.lammpstrj.gz": ({}, False),
    "forms.yaml.gz": ({}, False),
    "forms.bin": (TYPES, False),
    "general.bin": ({**METAL, **TYPES}, False),
    "atom.bin": ({**METAL, **TYPES}, False),
    "forms.cdf1.nc": (TYPES, True),
    "forms.cdf2.nc": (TYPES, True),
    "forms.cdf5.nc": (TYPES, True),
    "forms.hdf5.nc": (TYPES, True),
    "forms.dcd": ({"timestep": 0.001, "species": "X"}, True),
    "forms.xtc": ({"species": "X"}, False),
    "amber.nc": ({"species": "X"}, True),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_form_cut_anywhere_gives_its_whole_frames_and_says_so(name, forms, tmp_path):
    options, counted = DAMAGED[name]
    content = (forms / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    cut = tmp_path / name.removesuffix(".gz")
    cut.write_bytes(content)
    whole = read(cut, **options, precision="float64")
    rng = np.random.default_rng(len(content))
    found = set()
    for length in [len(content) - 1, *rng.integers(1, len(content), 24).tolist()]:
        cut.write_bytes(content[:length])
        try:
            traj = read(cut, **options, precision="float64")
        except TrajectoryError as refusal:
            said = str(refusal)
            assert cut.name in said and "\n" not in said, said  # noqa: PT018
            continue
        n_frames = traj.n_frames
        found.add(n_frames)
        assert np.array_equal(traj.scaled_positions, whole.scaled_positions[:n_frames])
        assert np.array_equal(traj.time, whole.time[:n_frames]) or np.allclose(traj.time, whole.time[:n_frames], atol=1e-6)
        if n_frames < whole.n_frames and counted:
            assert any("cut" in note and str(n_frames) in note for note in traj.notes)
        elif n_frames < whole.n_frames:
            # a cut between two frames cannot be told; one within a frame is
            assert any("dropped" in note and str(n_frames) in note for note in traj.notes) or len(traj.notes) == len(whole.notes)
    # HDF5 keeps its table of contents at no fixed place, and needs all of the file
    assert (len(found) > 3) == (name != "forms.hdf5.nc")


@pytest.mark.parametrize("name", ["forms.bin", "forms.yaml.gz", "forms.cdf2.nc", "forms.dcd", "forms.xtc"])
def test_packed_or_named_otherwise_a_form_is_known_by_its_content(name, forms, tmp_path):
    options = DAMAGED[name][0]
    content = (forms / name).read_bytes()
    content = gzip.decompress(content) if name.endswith(".gz") else content
    plain = read(forms / name, **options)
    packed = tmp_path / f"{name.removesuffix('.gz')}.gz"
    packed.write_bytes(gzip.compress(content, 1))
    assert np.array_equal(read(packed, **options).scaled_positions, plain.scaled_positions)
    if not name.endswith("xtc"):
        other = tmp_path / "trajectory"
        other.write_bytes(content)
        assert np.array_equal(read(other, **options).scaled_positions, plain.scaled_positions)

"""The files that are bad on purpose, one test each: the intact prefix and a note that counts what was dropped, or the refusal."""

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read


@pytest.fixture
def bad(files):
    return files / "lammps" / "bad"


@pytest.fixture
def bad_xdatcar(files):
    return files / "vasp" / "bad_xdatcar"


@pytest.fixture(scope="module")
def whole(caf2, metal):
    """The run that the cut dumps are the beginning of."""
    return read(caf2 / "wrapped_image.lammpstrj.gz", **metal, precision="float64")


def test_truncated_last_frame(bad, metal, whole):
    traj = read(bad / "truncated_last_frame.lammpstrj.gz", **metal, precision="float64")
    assert traj.n_frames == 31
    assert np.array_equal(traj.scaled_positions, whole.scaled_positions[:31])
    assert np.array_equal(traj.time, whole.time[:31])
    (note,) = (note for note in traj.notes if "dropped" in note)
    assert note.startswith("truncated_last_frame.lammpstrj.gz: frame 31, the last, ends before its last atom")


def test_truncated_stream(bad, metal, caf2):
    whole = read(caf2 / "scaled_image_charge.lammpstrj.gz", **metal, precision="float64")  # the stream is the beginning of this one
    traj = read(bad / "truncated_stream.lammpstrj.gz", **metal, precision="float64")
    assert traj.n_frames == 20
    assert np.array_equal(traj.scaled_positions, whole.scaled_positions[:20])
    assert "frame 20, the last, ends before its last atom" in traj.notes[0]
    assert "the packed stream breaks off; frames after 19 are lost" in traj.notes[1]


def refused(path, why, **options):
    with pytest.raises(TrajectoryError, match=why) as caught:
        read(path, **options)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_atom_duplicated_id(bad, metal):
    refused(bad / "atom-duplicated-id.lammpstrj", r"frame 0 holds atom id 2 twice; write every atom once", **metal)


def test_atom_not_enough_lines(bad, metal):
    refused(bad / "atom-not-enough-lines.lammpstrj", r"frame 0, the last, ends before its last atom .* no whole frame is left", **metal)


def test_cell_wrong(bad_xdatcar):
    refused(bad_xdatcar / "LLZO_cell_wrong_XDATCAR", r"frame 0, line 3: 'cell 0.0  0.0' is not a cell vector of three numbers", frame_interval=1)


def test_composition_wrong(bad_xdatcar):
    refused(bad_xdatcar / "LLZO_composition_wrong_XDATCAR", r"frame 0, line 6: .* is not a row of 4 chemical symbols", frame_interval=1)


def test_positions_wrong(bad_xdatcar):
    refused(bad_xdatcar / "LLZO_pos_wrong_XDATCAR", r"frame 0, line 390: 382 atoms are announced, 381 rows are there", frame_interval=1)


def test_scale_wrong(bad_xdatcar):
    refused(bad_xdatcar / "LLZO_scale_wrong_XDATCAR", r"frame 0, line 2: 'scale' is not a scale", frame_interval=1)


def test_every_bad_file_has_its_test(bad, bad_xdatcar):
    known = {"truncated_last_frame", "truncated_stream", "atom-duplicated-id", "atom-not-enough-lines"}
    assert {path.name.split(".")[0] for path in bad.iterdir()} == known
    assert {path.name.split("_")[1] for path in bad_xdatcar.iterdir()} == {"cell", "composition", "pos", "scale"}

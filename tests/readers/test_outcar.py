"""OUTCAR: against vasprun.xml and XDATCAR of the same run, and every way of being cut."""

import gzip

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.outcar import read_outcar


@pytest.fixture
def outcar(files):
    return files / "vasp" / "restart_chain" / "run1" / "OUTCAR.gz"


@pytest.fixture
def text(outcar):
    return gzip.decompress(outcar.read_bytes())


@pytest.fixture
def written(tmp_path):
    def write(content, name="OUTCAR"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def scaled(path):
    frames = read_outcar(path)
    return frames.load(np.arange(frames.n_frames)).scaled


def test_it_agrees_with_the_other_files_of_the_run(outcar):
    one, two = read(outcar, precision="float64"), read(outcar.parent / "vasprun.xml.gz", precision="float64")
    apart = one.scaled_positions - two.scaled_positions
    assert np.abs((apart - np.rint(apart)) @ one.cell[0]).max() < 1e-5  # five decimals are printed
    assert np.abs(one.cell - two.cell).max() < 1e-8
    assert np.allclose(one.time, two.time)
    assert one.species.tolist() == two.species.tolist()
    assert one.masses.tolist() == two.masses.tolist()
    assert one.temperature == two.temperature == 300


def test_ase_reads_the_same(outcar):
    import ase.io

    theirs = ase.io.read(outcar, index=":", format="vasp-out")
    ours = read_outcar(outcar)
    assert np.abs(scaled(outcar) @ ours.cell - [atoms.positions for atoms in theirs]).max() < 1e-9
    assert ours.labels.tolist() == theirs[0].get_chemical_symbols()


def test_restarts_follow_each_other(outcar):
    traj = read([outcar, outcar.parents[1] / "run2" / "OUTCAR.gz"])
    assert np.allclose(traj.time, np.arange(6) * 0.001)


def test_the_number_of_the_step_gives_the_time(text, written):
    # as a learned force field with NBLOCK = 5 prints it: heads of steps, positions only now and then
    for old, new in ((b"Iteration      3(", b"Iteration     11("), (b"Iteration      2(", b"Iteration      6(")):
        text = text.replace(old, new)
    assert read(written(text)).frame_interval == pytest.approx(0.005)
    uneven = text.replace(b"Iteration     11(", b"Iteration     10(")
    traj = read(written(uneven))
    assert np.allclose(traj.time, [0.001, 0.006, 0.010])
    assert any("not evenly spaced" in note for note in traj.notes)
    back = text.replace(b"Iteration     11(", b"Iteration      4(")
    assert read_outcar(written(back)).interval is None
    assert any("do not grow" in note for note in read_outcar(written(back)).notes)


def test_a_learned_force_field_writes_other_heads_and_may_print_a_step_twice(text, written):
    known = scaled(written(text))
    block = text[text.index(b" POSITION   ") : text.index(b"total drift:")]
    twice = text.replace(block, block + b"\n" + block.replace(b"(eV/Angst)", b"(eV/Angst) (ML)"), 1)
    assert np.array_equal(scaled(written(twice)), known)
    heads = text.replace(b"(eV/Angst)", b"(eV/Angst) (ML)")
    for step in (1, 2, 3):
        heads = heads.replace(f"- Iteration      {step}(".encode(), f"- Ionic step        {step}  (".encode())
    assert np.array_equal(scaled(written(heads)), known)
    assert read(written(heads)).frame_interval == pytest.approx(0.001)


def test_a_file_without_positions_is_refused(text, written):
    with pytest.raises(TrajectoryError, match=r"ends before the first positions.*pass the XDATCAR or vasprun.xml"):
        read(written(text[: text.index(b"TOTAL-FORCE")]))
    silent = text.replace(b"NWRITE =      2", b"NWRITE =      0")
    with pytest.raises(TrajectoryError, match=r"NWRITE = 0 leaves the positions of most steps out.*pass the XDATCAR"):
        read(written(silent))


def test_atoms_that_are_not_announced_are_refused(text, written):
    for old, new in ((b"ions per type", b"ions a type"), (b"ions per type =              48", b"ions per type =              47 1")):
        with pytest.raises(TrajectoryError, match="does not announce its atoms"):
            read(written(text.replace(old, new)))


def test_a_file_cut_anywhere_gives_its_intact_steps(text, written):
    known = scaled(written(text))
    blocks = [i for i in range(len(text)) if text.startswith(b"TOTAL-FORCE", i)]
    ends = []
    for block in blocks:
        end = block
        for _ in range(2 + len(known[0])):
            end = text.index(b"\n", end) + 1
        ends.append(end)
    rng = np.random.default_rng(0)
    near = [end + shift for end in ends for shift in (-100, -30, -1, 0, 1)]
    refused = []
    for cut in [*rng.integers(1, len(text), 40).tolist(), *rng.integers(blocks[1], ends[1], 10).tolist(), *near]:
        path = written(text[:cut])
        try:
            frames = read_outcar(path)
        except TrajectoryError as refusal:
            refused.append((str(path) in str(refusal) or path.name in str(refusal), cut))
            continue
        assert frames.n_frames == sum(end <= cut for end in ends)
        assert np.array_equal(frames.load(np.arange(frames.n_frames)).scaled, known[: frames.n_frames])
        inside = any(block + 22 <= cut < end for block, end in zip(blocks[1:], ends[1:], strict=True))
        assert any("the last, ends after" in note for note in frames.notes) == inside
        assert any("has no end (General timing)" in note for note in frames.notes)
    assert all(named and cut < ends[0] for named, cut in refused)


def test_a_damaged_step_is_refused_with_frame_and_line(text, written):
    at = text.index(b"TOTAL-FORCE", text.index(b"TOTAL-FORCE") + 1)
    row = text.index(b"\n", text.index(b"\n", at) + 1) + 1
    with pytest.raises(TrajectoryError, match=r"frame 1, line \d+: 0 rows of 108 atoms"):
        read(written(text[:row] + b"   nan" + text[row + 6 :]))
    with pytest.raises(TrajectoryError, match=r"frame 1, line \d+: the row of atom 1 is not three coordinates"):
        read(written(text[:row] + b"   0,5" + text[row + 6 :]))
    end = text.index(b"\n", row) + 1
    with pytest.raises(TrajectoryError, match=r"frame 1, line \d+"):
        read(written(text[:row] + text[end:]))


def test_zero_bytes_end_a_file(text, written):
    at = text.index(b"Iteration      3(")
    frames = read_outcar(written(text[:at] + bytes(9999) + text[at + 9999 :]))
    assert frames.n_frames == 2
    assert any("holds zero bytes from line" in note for note in frames.notes)

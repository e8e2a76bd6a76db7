"""vasprun.xml: what is known of real files, what ASE reads, and every way of being cut."""

import bz2
import gzip
import json
import lzma

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read
from mdtools.readers.opened import OpenedFile
from mdtools.readers.vasprun import index_vasprun, read_vasprun


@pytest.fixture
def aimd(files):
    return files / "vasp" / "vasprun" / "vasprun.md.xml.gz"


@pytest.fixture
def learned(files):
    return files / "vasp" / "vasprun" / "vasprun.ml_md.xml.gz"


@pytest.fixture
def restarted(files):
    return [files / "vasp" / "restart_chain" / run / "vasprun.xml.gz" for run in ("run1", "run2")]


@pytest.fixture
def xml(tmp_path):
    def write(text, name="vasprun.xml"):
        path = tmp_path / name
        path.write_bytes(text)
        return path

    return write


def whole(path):
    frames = read_vasprun(path)
    return frames.load(np.arange(frames.n_frames)).scaled


def test_steps_of_a_learned_force_field_lie_beside_the_calculations(learned, files):
    expected = json.loads((files / "EXPECTED.json").read_text())["vasprun.ml_md"]
    import ase.io

    traj = read(learned, precision="float64")
    assert traj.n_frames == expected["md_steps"]
    # VASP prints NBLOCK = 10 there, but vasprun.xml holds every step of POTIM = 1 fs
    assert traj.frame_interval == pytest.approx(0.001)
    assert dict(zip(traj.species.tolist(), traj.masses.tolist(), strict=True)) == {"H": 1.0, "C": 12.011, "O": 16.0}
    # ASE returns only the <calculation> steps: each of them is one of ours, and ours move on between
    theirs = ase.io.read(learned, index=":", format="vasp-xml")
    assert len(theirs) == expected["ab_initio_steps"]
    ours = whole(learned)
    found = [int(np.argmin(np.abs(ours - atoms.get_scaled_positions(wrap=False)).max(axis=(1, 2)))) for atoms in theirs]
    assert found[0] == 0
    assert np.all(np.diff(found) > 0)
    assert max(np.abs(ours[i] - a.get_scaled_positions(wrap=False)).max() for i, a in zip(found, theirs, strict=True)) < 1e-12
    steps = np.diff(ours, axis=0)
    speed = np.sqrt(np.mean((steps - np.rint(steps)) ** 2, axis=(1, 2)))
    assert speed.max() < 4 * speed.min()  # evenly spaced


@pytest.mark.parametrize("name", ["vasprun/vasprun.md.xml.gz", "restart_chain/run1/vasprun.xml.gz", "restart_chain/run2/vasprun.xml.gz"])
def test_ase_reads_the_same_structures(name, files):
    import ase.io

    path = files / "vasp" / name
    theirs = ase.io.read(path, index=":", format="vasp-xml")
    ours = read_vasprun(path)
    assert ours.n_frames == len(theirs)
    assert np.abs(whole(path) - [atoms.get_scaled_positions(wrap=False) for atoms in theirs]).max() < 1e-12
    assert np.allclose(ours.cell, [atoms.cell.array for atoms in theirs], rtol=0, atol=0)
    assert ours.labels.tolist() == theirs[0].get_chemical_symbols()


def test_positions_are_those_of_the_other_files_of_the_run(restarted, files):
    xdatcar = read([path.parent / "XDATCAR" for path in restarted], frame_interval="1 fs", precision="float64")
    traj = read(restarted, precision="float64")
    assert np.allclose(traj.time, np.arange(6) * 0.001)
    assert np.abs(traj.scaled_positions - xdatcar.scaled_positions).max() < 1e-7
    assert traj.species.tolist() == xdatcar.species.tolist()


def test_time_and_temperature_are_those_of_the_tags(aimd, learned):
    traj = read(aimd)
    assert traj.frame_interval == pytest.approx(0.003)
    assert traj.temperature == 2000
    assert any("2000 K is that of the thermostat" in note for note in traj.notes)
    assert read(learned).temperature == 300
    told = read(aimd, temperature=1990, frame_interval="2 fs")
    assert told.temperature == 1990
    assert told.frame_interval == pytest.approx(0.002)
    assert any("frame_interval= was given and beats the times" in note for note in told.notes)


def test_a_ramp_has_no_temperature_and_a_relaxation_no_time(aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    ramp = read(xml(text.replace(b'"TEEND">   2000.0', b'"TEEND">   1000.0')))
    assert ramp.temperature is None
    assert any("from 2000 to 1000 K" in note for note in ramp.notes)
    free = read(xml(text.replace(b'name="SMASS">      1.0', b'name="SMASS">     -3.0')))
    assert free.temperature is None
    with pytest.raises(TrajectoryError, match="how much time lies between frames"):
        read(xml(text.replace(b'name="IBRION">     0', b'name="IBRION">     2')))


@pytest.mark.parametrize(
    ("version", "mode", "interval"), [("6.4.3", "run", 0.03), ("6.4.2", "run", 0.003), ("6.4.3", "train", 0.003), ("6.5.0", "RUN", 0.03)]
)
def test_only_new_versions_write_every_ml_outblock_th_step(version, mode, interval, aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    more = f' <i type="int" name="ML_OUTBLOCK">    10</i>\n  <i type="string" name="ML_MODE">{mode}</i>\n </incar>'.encode()
    text = text.replace(b" </incar>", more, 1).replace(b"6.3.2 ", version.encode() + b" ", 1).replace(b'name="NSW">    10', b'name="NSW">   100')
    assert read(xml(text)).frame_interval == pytest.approx(interval)


def test_more_frames_than_blocks_are_every_step(aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    more = b' <i type="int" name="ML_OUTBLOCK">    10</i>\n  <i type="string" name="ML_MODE">run</i>\n </incar>'
    text = text.replace(b" </incar>", more, 1).replace(b"6.3.2 ", b"6.4.3 ", 1)
    assert read(xml(text)).frame_interval == pytest.approx(0.003)  # 10 frames of NSW = 10


def test_a_changing_cell_is_kept(aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    head, *steps = text.split(b"<calculation>")
    steps = [
        step.replace(b"10.86180000       0.00000000       0.00000000", f"{10.8618 + i / 100:.8f} 0.0 0.0".encode()) for i, step in enumerate(steps)
    ]
    assert np.allclose(read_vasprun(xml(b"<calculation>".join([head, *steps]))).cell[:, 0, 0], 10.8618 + np.arange(10) / 100)


def test_symbols_that_old_versions_cut_are_taken_from_the_potential(aimd, xml):
    text = gzip.decompress(aimd.read_bytes()).replace(b"<c>Si</c>", b"<c>r </c>").replace(b"PAW_PBE Si 05Jan2001", b"PAW_PBE Zr_sv 04Jan2005")
    assert set(read_vasprun(xml(text)).labels.tolist()) == {"Zr"}


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_however_it_is_packed(suffix, pack, aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    assert np.array_equal(whole(xml(pack(text), f"run.xml{suffix}")), whole(aimd))


def test_the_energies_of_a_step_follow_its_structure(learned):
    import re

    run = index_vasprun(OpenedFile(learned))
    content = run.file.bytes
    total = [float(re.search(rb'name="total">\s*([-.\d]+)', bytes(content[start:stop]))[1]) for start, stop in run.tails]
    assert len(total) == 100
    assert total[0] == pytest.approx(-521.89385012)
    assert total[-1] == pytest.approx(-491.51831988)


def test_a_file_cut_anywhere_gives_its_intact_steps(aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    known = whole(aimd)
    ends = [i for i in range(len(text)) if text.startswith(b"</structure>", i)][2:]
    rng = np.random.default_rng(0)
    refused = []
    for cut in [*rng.integers(1, len(text), 60).tolist(), *[end + shift for end in ends[:3] for shift in (-1, 0, 5, 12, 13)]]:
        path = xml(text[:cut])
        try:
            frames = read_vasprun(path)
        except TrajectoryError as refusal:
            refused.append((str(path) in str(refusal), cut))
            continue
        assert frames.n_frames == sum(end + 12 <= cut for end in ends)
        assert np.array_equal(frames.load(np.arange(frames.n_frames)).scaled, known[: frames.n_frames])
        inside = text.rfind(b"<structure>", 0, cut) > text.rfind(b"</structure>", 0, cut)
        assert any("the last, ends within its structure and is dropped" in note for note in frames.notes) == inside
        assert any("has no end (</modeling>)" in note for note in frames.notes)
    assert all(named and cut < ends[0] + 12 for named, cut in refused)
    assert not any("has no end" in note for note in read_vasprun(aimd).notes)


def test_a_packed_stream_that_breaks_off_gives_what_came_before(learned, tmp_path):
    path = tmp_path / "vasprun.xml.gz"
    path.write_bytes(learned.read_bytes()[:150_000])
    frames = read_vasprun(path)
    assert 10 < frames.n_frames < 100
    assert any("the packed stream breaks off" in note for note in frames.notes)
    assert np.array_equal(frames.load(np.arange(frames.n_frames)).scaled, whole(learned)[: frames.n_frames])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"</atominfo>", b"", "ends before its atoms are listed"),
        (b"<atoms>      64 </atoms>", b"<atoms>      63 </atoms>", "the list of atoms .* is damaged"),
        (b"<c>  64</c><c>Si</c><c>     28.08500000</c>", b"<c>  64</c><c>Si</c><c>     nan</c>", "the list of atoms .* is damaged"),
    ],
)
def test_a_damaged_head_is_refused(old, new, message, aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    assert old in text
    with pytest.raises(TrajectoryError, match=message):
        read(xml(text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"</structure>", b"", r"frame 3, line \d+: its structure has no end"),
        (b'<varray name="positions" >', b'<varray name="position" >', r"frame 3, line \d+: its structure lacks its positions"),
        (b"10.86180000", b"1o.86180000", r"frame 3, line \d+: its structure has a basis that is not three vectors"),
        (b"</v>\n    <v>", b"</v>\n    <v>    nan ", r"frame 3, line \d+: the row of atom 2 is not three coordinates of 64 atoms"),
        (b"</v>\n    <v>", b"</v>\n", r"frame 3, line \d+: the row of atom 2"),
    ],
)
def test_a_damaged_step_is_refused_with_frame_and_line(old, new, message, aimd, xml):
    head, *steps = gzip.decompress(aimd.read_bytes()).split(b"<calculation>")
    at = steps[3].index(b"<structure>")
    if old.startswith(b"</v>"):
        at = steps[3].index(b'<varray name="positions"')
    assert old in steps[3][at:]
    steps[3] = steps[3][:at] + steps[3][at:].replace(old, new, 1)
    with pytest.raises(TrajectoryError, match=message):
        read(xml(b"<calculation>".join([head, *steps])))


def test_zero_bytes_end_a_file(aimd, xml):
    text = gzip.decompress(aimd.read_bytes())
    at = [i for i in range(len(text)) if text.startswith(b"</calculation>", i)][4]
    frames = read_vasprun(xml(text[:at] + bytes(5000) + text[at + 5000 :]))
    assert frames.n_frames == 5
    assert any("holds zero bytes from line" in note for note in frames.notes)

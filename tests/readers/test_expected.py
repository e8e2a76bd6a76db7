"""Every known number of the collection that a reader determines, by its key in EXPECTED.json; a key without a test stands here with its reason."""

import gzip
import itertools
import json
import re

import numpy as np
import pytest
from agreement.collection import DATA, READ, given

from mdtools.readers import read
from mdtools.readers.lammps_dump import read_dump
from mdtools.readers.xdatcar import read_xdatcar
from mdtools.units import BOLTZMANN, HARTREE, KINETIC_TO_EV

EXPECTED = json.loads((DATA / "EXPECTED.json").read_text()) if (DATA / "EXPECTED.json").exists() else {}
KEYS = [(section, key) for section, numbers in EXPECTED.items() if isinstance(numbers, dict) for key in numbers]

# keys that no reader determines
NOT_OURS = {
    ("*", "note"): "words, not a number",
    ("*", "D_.*"): "the peers' own estimates of D; ours have error bars of their own, tested in tests/estimates",
    ("Li6PS5Cl_50p_run1", "T_K"): "of the thermostat; XDATCAR does not hold it and the user states it",
    ("vasprun.ml_md", "ab_initio_steps"): "a property of the energies, see test_thermo of the readers; all 100 steps have positions",
    ("cp2k_npt", "units"): "words, not a number",
}
_ARGYRODITE = {"Li6PS5Cl_50p_run1": "P,S,Cl", "Li6PS5Cl_0p_run1": "P,S,Cl", "Li6PS5I_50p_run1": "P,S,I"}
_XDATCARS = {
    "BiMoO_blank_separator": "BiMoO_blank_separator_XDATCAR",
    "XDATCAR_4": "XDATCAR_4",
    "XDATCAR_monatomic": "XDATCAR_monatomic.gz",
    "XDATCAR_traj_combine_test_full": "XDATCAR_traj_combine_test_full",
    "XDATCAR.bad_fmt": "XDATCAR.bad_fmt.gz",
    "FePO4_variable_cell": "FePO4_variable_cell_XDATCAR.gz",
    "CeO2_CO": "CeO2_CO_repeated_species_XDATCAR",
}
_LOADED = {}


def collected(name, **more):
    """A file of the collection, read once; `more` beats the options of the table."""
    key = (name, str(more))
    if key not in _LOADED:
        _LOADED[key] = read(str(DATA / name), precision="float64", **{**given(READ[name][0]), **more})
    return _LOADED[key]


def squared(moved, cell):
    return np.mean(np.sum((moved @ cell) ** 2, axis=-1))


# one function a kind of number -----------------------------------------------------------------------------------------------


def argyrodite(section, key, value):
    traj = collected(f"vasp/xdatcar/{section}_XDATCAR.gz", frame_interval="100 fs", framework=_ARGYRODITE[section])
    if key in ("frames", "natoms"):
        assert (traj.n_frames if key == "frames" else traj.n_atoms) == value
        return
    if key == "frame_spacing_fs":
        steps = np.loadtxt(DATA / f"vasp/xdatcar/{section}_frame_numbers.dat.gz")
        assert set(np.diff(steps) * 2.0) == {value}  # POTIM 2 fs
        assert traj.frame_interval * 1000 == pytest.approx(value)
        return
    path, _ = traj.reference_path()
    moved = (traj.scaled_positions - path[:, None])[:, traj.indices("Li")]
    lags = {"msd_Li_lag_1_5_10_13.9ps_A2": [10, 50, 100, 139], "msd_Li_last_lag_A2": [traj.n_frames - 1]}.get(key)
    lags = lags or [round(float(re.search(r"lag_(\d+)fs", key)[1]) / 100)]
    found = [squared(moved[lag:] - moved[:-lag], traj.cell[0]) for lag in lags]
    assert found == pytest.approx(np.atleast_1d(value).tolist(), rel=2e-5)  # five decimals are printed


def sodium(section, key, value):
    traj = collected("vasp/xdatcar/liquid_Na_671.0K_XDATCAR.gz")
    path = (traj.scaled_positions - traj.scaled_positions.mean(axis=1, keepdims=True))[250:]
    found = {
        "frames": traj.n_frames,
        "natoms": traj.n_atoms,
        "frame_spacing_fs": traj.frame_interval * 1000,
        "msd_lag_1ps_A2": squared(path[500:] - path[:-500], traj.cell[0]),
    }
    assert found[key] == pytest.approx(value, rel=2e-2 if key.startswith("msd") else 1e-9)  # 7.79 is the fit of a peer, read off


def caf2_nvt(section, key, value):
    traj, best = collected("lammps/caf2/wrapped_image.lammpstrj"), collected("lammps/caf2/allcolumns.lammpstrj.gz")
    fluorine = traj.indices("F")
    moved = traj.scaled_positions[-1] - traj.scaled_positions[0]
    if key in ("frame_spacing_ps", "frames"):
        assert {"frame_spacing_ps": traj.frame_interval, "frames": traj.n_frames}[key] == pytest.approx(value)
    elif key.startswith("msd_Ca"):
        assert squared(moved[traj.indices("Ca")], traj.cell[0]) == pytest.approx(value, rel=1e-4)
    elif key == "msd_F_lag_20ps_A2":
        assert squared(moved[fluorine], traj.cell[0]) == pytest.approx(value, rel=5e-6)
    elif key == "msd_F_com_removed_20ps":
        assert squared(moved[fluorine] - moved[fluorine].mean(axis=0), traj.cell[0]) == pytest.approx(value, rel=5e-6)
    elif key.startswith("vacf_F"):
        fast = collected("lammps/caf2/velF_every5.lammpstrj.gz")
        frame = {"vacf_F_t0_A2ps-2": 0, "vacf_F_0.5ps": 100}[key]
        assert np.mean(np.sum(fast.velocities[0] * fast.velocities[frame], axis=-1)) == pytest.approx(value, rel=1e-5, abs=2e-5 * 188)
    elif key == "T_frame_20000_K":
        kinetic = (best.masses[:, None] * best.velocities[-1] ** 2).sum() * KINETIC_TO_EV
        assert kinetic / ((3 * best.n_atoms - 3) * BOLTZMANN) == pytest.approx(value, rel=1e-5)
    else:
        assert key == "charge_current_step1000_eA/ps"
        assert np.allclose(np.einsum("a,ax->x", best.charges, best.velocities[1]), value, atol=2e-4)


def caf2_npt(section, key, value):
    traj = collected("lammps/caf2/npt_unwrapped_element.lammpstrj.gz", unwrap="lattice")
    path = np.einsum("tai,tij->taj", traj.scaled_positions, traj.cell) + traj.origin[:, None]
    moved = (path[-1] - path[0])[traj.indices("F")]
    found = {
        "frames": traj.n_frames,
        "frame_spacing_ps": traj.frame_interval,
        "msd_F_lag_5ps_A2_LAMMPS": np.mean(np.sum(moved**2, axis=-1)),
    }
    assert found[key] == pytest.approx(value, rel=1e-5)


def lennard_jones(section, key, value):
    traj = collected("lammps/caf2/lj_units.lammpstrj.gz")
    found = {
        "frames": traj.n_frames,
        "frame_spacing_tau": traj.frame_interval,
        "msd_last": squared(traj.scaled_positions[-1] - traj.scaled_positions[0], traj.cell[0]),
        "vacf_t0": np.mean(np.sum(traj.velocities[0] ** 2, axis=-1)),
    }
    assert found[key] == pytest.approx(value, rel=1e-4)


def restart(section, key, value):
    path = DATA / "lammps/caf2/restart_overlap.lammpstrj"
    steps = read_dump(path).steps
    values, counts = np.unique(steps, return_counts=True)
    found = {
        "frames_in_file": len(steps),
        "unique_steps": collected("lammps/caf2/restart_overlap.lammpstrj").n_frames,
        "duplicated_steps": values[counts > 1].tolist(),
    }
    assert found[key] == value


def truncated(section, key, value):
    name = {"truncated_last_frame": "truncated_last_frame.lammpstrj", "truncated_stream_gz": "truncated_stream.lammpstrj.gz"}[section]
    traj = collected(f"lammps/bad/{name}")
    assert traj.n_frames == value
    assert any(f"frame {value}, the last, ends" in note and "dropped" in note for note in traj.notes)


def machine_learned(section, key, value):
    assert collected("vasp/vasprun/vasprun.ml_md.xml.gz").n_frames == value


def xdatcar(section, key, value):
    frames = read_xdatcar(DATA / "vasp/xdatcar" / _XDATCARS[section])
    if key.startswith("V_"):
        volume = np.linalg.det(frames.cell)
        assert {"V_first": volume[0], "V_second": volume[1], "V_min": volume.min()}[key] == pytest.approx(value, abs=1e-4)
    elif key == "formula_order":
        edges = [0, *(np.flatnonzero(frames.labels[1:] != frames.labels[:-1]) + 1).tolist(), frames.n_atoms]
        assert " ".join(f"{frames.labels[a]}{b - a}" for a, b in itertools.pairwise(edges)) == value
    else:
        assert {"frames": frames.n_frames, "natoms": frames.n_atoms}[key] == value


def cp2k(section, key, value):
    traj = collected("other/cp2k_npt/PROJECT-pos-1.xyz")
    kinetic = 0.5 * (traj.masses[:, None] * traj.velocities[3] ** 2).sum() * KINETIC_TO_EV / HARTREE
    assert kinetic == pytest.approx(value, rel=3e-5)  # the masses of CP2K differ in their last digits


def ipi(section, key, value):
    traj = collected("other/ipi/ref_simulation.pos_0.xyz")
    assert np.sqrt(squared(traj.scaled_positions[0, 1] - traj.scaled_positions[0, 0], traj.cell[0]) * 1) == pytest.approx(value, abs=1e-4)


def sulfide(section, key, value):
    traj = collected("other/extxyz/LiPS_first16.extxyz.gz")
    kinetic = (traj.masses[:, None] * traj.velocities[0] ** 2).sum() * KINETIC_TO_EV
    assert kinetic / (3 * traj.n_atoms * BOLTZMANN) == pytest.approx(value, rel=2e-3)


def images(section, key, value):
    """x + ix L = xu to the digits that are printed, for every atom of a file that holds both."""
    for path in sorted((DATA / "lammps/wildcard_series").glob("*.gz")):
        text = gzip.decompress(path.read_bytes()).decode().split("\n")
        names = text[8].split()[2:]
        table = np.array([line.split() for line in text[9:] if line])
        low, high = np.array([line.split() for line in text[5:8]], dtype=float).T
        x, ix, xu = (table[:, [names.index(n) for n in which]].astype(float) for which in (("x", "y", "z"), ("ix", "iy", "iz"), ("xu", "yu", "zu")))
        digits = 10.0 ** (np.floor(np.log10(np.abs(xu).max())) - 5)
        assert np.abs(x + ix * (high - low) - xu).max() <= 2 * digits, value


TESTS = {
    **dict.fromkeys(_ARGYRODITE, argyrodite),
    **dict.fromkeys(_XDATCARS, xdatcar),
    "liquid_Na_671K": sodium,
    "caf2_nvt": caf2_nvt,
    "caf2_npt": caf2_npt,
    "lj": lennard_jones,
    "restart_overlap": restart,
    "truncated_last_frame": truncated,
    "truncated_stream_gz": truncated,
    "vasprun.ml_md": machine_learned,
    "cp2k_npt": cp2k,
    "ipi": ipi,
    "LiPS_first16": sulfide,
    "mdproptools_dump": images,
}


def why_not(section, key):
    return next((why for (where, what), why in NOT_OURS.items() if where in ("*", section) and re.fullmatch(what, key)), None)


@pytest.mark.parametrize(("section", "key"), [pair for pair in KEYS if why_not(*pair) is None])
def test_a_known_number_is_reproduced(section, key):
    TESTS[section](section, key, EXPECTED[section][key])


def test_every_reason_for_leaving_a_key_out_is_needed():
    for where, what in NOT_OURS:
        assert any(where in ("*", section) and re.fullmatch(what, key) for section, key in KEYS), (where, what)


def test_there_are_known_numbers():
    assert len(KEYS) > 60

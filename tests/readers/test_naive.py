"""A crystal in a breathing box: our unwrapping is exact for an atom that sits on a face, the usual ones are not; and what they add is said.

The crystal is that of reference/transport.md 1.1: 20 atoms in a line and one that hops, the length of the box fluctuating by 0.3 %.
"""

import numpy as np
import pytest

import mdtools as md
from mdtools.readers.assemble import assemble
from mdtools.readers.frames import Block, Frames
from mdtools.readers.naive import in_words, naive_schemes
from mdtools.readers.understood import Options

FRAMES, ATOMS, SPREAD = 60_000, 20, 0.12  # angstrom, of an atom around its site
LAGS = [10.0, 100.0, 1000.0, 10_000.0]
BAROSTAT = 50  # frames over which the length of the box forgets itself


def breathing(seed: int = 5):
    """Scaled positions in [0, 1) and cells of three such crystals, one along each axis; atom 0 sits on a face, the last one hops."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    keep = np.exp(-1 / BAROSTAT)
    noise = rng.normal(0, np.sqrt(1 - keep**2), (FRAMES, 3))
    length = ATOMS * (1 + 0.003 * lfilter([1], [1, -keep], noise, axis=0))
    site = np.tile(np.arange(ATOMS + 1.0)[:, None], (FRAMES, 1, 3))
    site[:, -1] = 0.5 + np.cumsum(rng.random((FRAMES, 3)) < 0.002, axis=0)
    scaled = site / ATOMS + rng.normal(0, SPREAD, site.shape) / length[:, None]
    return scaled - np.floor(scaled), length[:, :, None] * np.eye(3)


@pytest.fixture(scope="module")
def crystal():
    """The run by each scheme."""
    scaled, cell = breathing()
    frames = Frames(
        source="breathing crystal",
        kind="test",
        units="metal",
        in_angstrom_and_ps=True,
        cell=cell,
        periodic=np.ones(3, dtype=bool),
        ids=np.arange(1, ATOMS + 2),
        placement="wrapped",
        labels=np.array(["face", *["inside"] * (ATOMS - 1), "hopper"]),
        label_kind="label",
        load=lambda which: Block(scaled=scaled[which]),
    )
    return {
        unwrap: assemble(frames, Options(frame_interval=1.0, precision="float64", unwrap=unwrap, framework=["face", "inside"]))
        for unwrap in ("scaled", "tor", "lattice")
    }


@pytest.fixture(scope="module")
def msd(crystal):
    """scheme -> species -> MSD of one direction at each of LAGS."""
    found = {name: md.msd(traj.select(["face", "inside"]), reference="none", lags=LAGS).msd for name, traj in crystal.items()}
    return {name: {species: values.sel(species=species).squeeze().values / 3 for species in ("face", "inside")} for name, values in found.items()}


def test_an_atom_on_the_face_keeps_its_msd(msd):
    assert msd["scaled"]["face"] == pytest.approx(2 * SPREAD**2, rel=0.02)  # 0.029 at every lag
    assert msd["scaled"]["inside"] == pytest.approx(2 * SPREAD**2, rel=0.02)


def test_summed_cartesian_steps_make_it_walk(msd):
    assert msd["tor"]["face"][:3] == pytest.approx([0.029, 0.035, 0.070], rel=0.15)
    assert msd["tor"]["face"][3] == pytest.approx(0.289, rel=0.5)  # three walks of six independent lags each


def test_both_usual_schemes_add_the_breathing_to_atoms_inside(msd):
    # <s^2> 2 sigma_L^2 = 1/3 x 2 x 0.06^2 more: 8 %
    for scheme in ("lattice", "tor"):
        assert msd[scheme]["inside"][1:] == pytest.approx(1.08 * 2 * SPREAD**2, rel=0.015)


def test_what_other_schemes_would_add_is_in_the_history(crystal):
    found = crystal["scaled"].history[0]["naive_unwrapping"]
    assert found["lag"] == pytest.approx(0.9 * FRAMES, rel=0.01)
    assert found["lattice"]["inside"] == pytest.approx(3 * 2 * 0.06**2 / 12, rel=0.6)  # the mean motion of the crystal taken out
    assert found["tor"]["face"] > 0.1
    assert in_words(found).startswith("would add to the MSD at lag 5")


def test_the_estimate_is_the_difference_of_the_trajectories_own_schemes(crystal):
    few = {name: traj.select(["face", "inside"]).replace(step={"step": "free"}, framework=()) for name, traj in crystal.items()}
    found = naive_schemes(few["scaled"].scaled_positions[:3000], few["scaled"].cell[:3000], few["scaled"].time[:3000], few["scaled"].species)
    points = np.unique(np.linspace(0, 2999, 400).round().astype(int))
    lag = int(0.9 * 399)

    def directly(path):
        moved = path[points][lag:] - path[points][:-lag]
        moved -= moved.mean(axis=1, keepdims=True)
        return np.mean(np.sum(moved**2, axis=-1), axis=0)

    part = few["tor"].replace(step={"step": "part"}, **{name: getattr(few["tor"], name)[:3000] for name in ("scaled_positions", "cell", "time")})
    scaled = directly(part.scaled_positions @ part.mean_cell)
    for scheme, path in (("tor", part._tor_positions @ part.mean_cell), ("lattice", part.scaled_positions @ part.cell)):
        added = directly(path) - scaled
        assert found[scheme]["face"] == pytest.approx(added[0], rel=1e-3, abs=1e-6)
        assert found[scheme]["inside"] == pytest.approx(added[1:].mean(), rel=1e-3, abs=1e-6)


def test_a_fixed_cell_needs_no_estimate(caf2, metal):
    assert "naive_unwrapping" not in md.read(caf2 / "wrapped_image.lammpstrj.gz", **metal).history[0]


def test_a_real_run_under_pressure_has_one(caf2, metal):
    traj = md.read(caf2 / "npt_scaled_image.lammpstrj.gz", **metal, precision="float64")
    found = traj.history[0]["naive_unwrapping"]
    assert set(found["lattice"]) == {"Ca", "F"}
    # LAMMPS' own number, by its lattice unwrapping and at the last frame, is 12.389; the estimate is of the same order as the difference to ours
    assert abs(found["lattice"]["F"]) < 1.0

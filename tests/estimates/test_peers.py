"""Published numbers of other packages, made again: kinisi, GPUMD's tutorial, STACIE, and the Arrhenius analysis of Mo's group.

Sources and numbers: reference/transport.md section 4 (A1, A2, A4, A7, A12). Inputs that are too large or under another licence are
looked for in the folder that MDTOOLS_PEER_DATA names; without them these tests say what they need.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import mdtools as md
from mdtools import schema
from mdtools.estimates.arrhenius import activation_energy
from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, CONDUCTIVITY_TO_SI, S_PER_M_TO_MS_PER_CM

DATA = Path(__file__).parents[2] / "data"


def peer_data(name: str, origin: str) -> Path:
    path = Path(os.environ.get("MDTOOLS_PEER_DATA", "")) / name
    if "MDTOOLS_PEER_DATA" not in os.environ or not path.is_file():
        pytest.skip(f"needs {name} ({origin}) in the folder MDTOOLS_PEER_DATA")
    return path


def twice_the_first_frame(traj: Trajectory) -> Trajectory:
    """What kinisi 2.1 and pymatgen's parser analyse: the first frame counted twice."""
    again = np.concatenate([[0], np.arange(traj.n_frames)])
    return traj.replace(
        step={"step": "first frame twice"},
        scaled_positions=np.asarray(traj.scaled_positions)[again],
        cell=traj.cell[again],
        time=np.arange(len(again)) * traj.frame_interval,
        origin=None,
        velocities=None,
    )


def test_a1_msd_of_argyrodite_counts_the_first_frame_once_and_equals_kinisi_where_it_is_counted_twice():
    """A1: kinisi's example_XDATCAR (Li6PS5Cl 50p run1, MIT), framework P S Cl, lags 1, 5, 10 and 13.9 ps."""
    traj = md.read(next(DATA.glob("*XDATCAR*")), frame_interval="100 fs", framework="P,S,Cl", precision="float64")
    lags = [1.0, 5.0, 10.0, 13.9]
    once = md.msd(traj, lags=lags).msd.sel(species="Li").values[0]
    assert once == pytest.approx([1.602820, 5.115378, 8.941853, 11.813706], abs=2e-6)
    twice = md.msd(twice_the_first_frame(traj), lags=lags[:3]).msd.sel(species="Li").values[0]
    assert twice == pytest.approx([1.5993, 5.1108, 8.9372], abs=6e-5)


def test_a2_msd_of_lips_glass_equals_kinisi_frame_by_frame():
    """A2: kinisi's LiPS.exyz (MIT, 84 MB: not vendored), its LiPS_msd.npy to 5e-16 with the first frame twice; triclinic."""
    path = peer_data("LiPS.exyz", "kinisi 2.1.0 wheel, kinisi/tests/inputs")
    theirs = np.load(peer_data("LiPS_msd.npy", "kinisi 2.1.0 wheel, kinisi/tests/inputs"))
    traj = md.read(path, frame_interval="20 fs", precision="float64")
    framework = [name for name in traj.species_names if name != "Li"]
    ours = md.msd(twice_the_first_frame(traj), reference=framework).msd.sel(species="Li").values[0]
    assert ours[1:] == pytest.approx(theirs, rel=1e-9)
    once = md.msd(traj, reference=framework).msd.sel(species="Li").values[0]
    assert once[1:4] == pytest.approx([0.0279449, 0.0882124, 0.1420789], rel=3e-6)


# T (K), volume (angstrom^3), D (1e-6 cm^2/s) and sigma (mS/cm) that the READMEs of the tutorial state
LLZO = [
    ("950K", 950.159, 143358.240, 8.036, 393.1),
    ("1000K", 999.960, 143800.502, 9.667, 448.0),
    ("1100K", 1099.927, 144721.614, 12.93, 541.2),
    ("1200K", None, None, 16.55, None),
]


@pytest.mark.parametrize(("name", "kelvin", "volume", "diffusivity", "conductivity"), LLZO)
def test_a4_ordinary_line_of_llzo_equals_the_tutorial_of_gpumd(name, kelvin, volume, diffusivity, conductivity):
    """A4: GPUMD-Tutorials examples/24_Ionic_Conductivity/*/msd.out (GPL: not vendored), c-LLZO, 3584 Li, line over 10 to 40 % of the lags.

    Columns: lag in ps, msd along x, y, z of the first group. D and the Nernst-Einstein conductivity to the four digits that are quoted.
    """
    table = np.loadtxt(peer_data(f"msd_{name}.out", f"GPUMD-Tutorials, examples/24_Ionic_Conductivity/{name}/msd.out"))
    lag, by_axis = table[:, 0], table[:, 1:4].T
    measured = schema.dataset(
        {
            "species": ["Li"],
            "window": [0.0],
            "xyz": ["x", "y", "z"],
            "lag": lag,
            "msd": (("window", "species", "lag"), by_axis.sum(axis=0)[None, None]),
            "msd_by_axis": (("window", "species", "xyz", "lag"), by_axis[None, None]),
            "frame_interval": 0.1,
            "n_frames": 10 * len(lag),
            "n_ions": (("species",), [3584]),
            "volume": 143358.240 if volume is None else volume,
        }
    )
    first, last = lag[int(0.1 * len(lag))], lag[int(0.4 * len(lag)) - 1]
    found = md.self_diffusivity(measured, lag_first=first, lag_last=last, weights="equal").sel(species="Li")
    assert 1e6 * found.self_diffusivity_cm2_per_s.item() == pytest.approx(diffusivity, abs=0.6 * 10.0 ** (-3 if diffusivity < 10 else -2))
    assert np.isnan(found.self_diffusivity_stderr)
    if kelvin is not None:
        sigma = 3584 * found.self_diffusivity.item() / (volume * BOLTZMANN * kelvin) * CONDUCTIVITY_TO_SI * S_PER_M_TO_MS_PER_CM
        assert sigma == pytest.approx(conductivity, abs=0.06)


def surface_walk(*, n_particles: int = 100, n_steps: int = 20_000, every: int = 60, seed: int = 42) -> Trajectory:
    """Particles of 39.948 amu on U(r) = -A sum_n cos(2 pi r . e_n / l), e_n at 120, 240 and 360 degrees, A = 0.2 eV, l = 5 bohr.

    All start at the origin with 9.7e-4 atomic units of speed in random directions; velocity Verlet with 5 fs, no thermostat.
    """
    bohr, hartree, atomic_time = 0.529177210544, 27.211386245981, 2.4188843265864e-5  # angstrom, eV, ps
    amplitude, wave = 0.2 / hartree, 2 * np.pi / 5.0
    mass, step = 39.948 * 1822.888486, 0.005 / atomic_time
    angle = 2 * np.pi / 3 * np.arange(1, 4)
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def force(r):
        return -amplitude * wave * np.sin(wave * r @ directions.T) @ directions

    velocity = np.random.default_rng(seed).normal(size=(n_particles, 2))
    velocity *= 9.7e-4 / np.linalg.norm(velocity, axis=1, keepdims=True)
    position = np.zeros((n_particles, 2))
    kick = force(position) * step / (2 * mass)
    stored = []
    for number in range(n_steps):
        if number % every == 0:
            stored.append(position.copy())
        velocity += kick
        position += velocity * step
        kick = force(position) * step / (2 * mass)
        velocity += kick
    length = 1e4
    paths = np.zeros((len(stored), n_particles, 3))
    paths[:, :, :2] = np.array(stored) * bohr / length + 0.5
    return Trajectory(
        scaled_positions=paths,
        cell=np.tile(length * np.eye(3), (len(stored), 1, 1)),
        time=np.arange(len(stored)) * every * 0.005,
        species=np.array(["Ar"] * n_particles),
        masses=np.full(n_particles, 39.948),
    )


def test_a7_surface_diffusion_agrees_with_the_spectral_estimate_of_stacie():
    """A7: STACIE's example surface_diffusion, rewritten from its description: D = 5.80(5)e-7 m^2/s = 58.0(5) angstrom^2/ps."""
    found = md.self_diffusivity(md.msd(surface_walk(), reference="none")).sel(species="Ar")
    # the motion is in a plane: D = MSD / 4 t, ours is MSD / 6 t
    value, stderr = 1.5 * float(found.self_diffusivity), 1.5 * float(found.self_diffusivity_stderr)
    assert found.regime.item() == "diffusive"
    assert stderr < 0.12 * value
    assert abs(value - 58.0) < 2 * np.hypot(stderr, 0.5)


# T (K), D and its error (cm^2/s): mogroupumd/aimd, aimd/tests/test_files/arrhenius/D_T.csv (MIT)
AIMD = [
    (600, 1.24e-6, 3.40e-7),
    (650, 1.56e-6, 4.05e-7),
    (700, 2.13e-6, 5.57e-7),
    (720, 1.85e-6, 3.87e-7),
    (800, 3.51e-6, 7.00e-7),
    (900, 4.85e-6, 6.99e-7),
    (1050, 8.24e-6, 1.34e-6),
    (1200, 1.38e-5, 1.49e-6),
    (1500, 1.83e-5, 2.58e-6),
]
PER_CM2 = 1e4  # cm^2/s -> angstrom^2/ps


def test_a12_activation_energy_and_room_temperature_conductivity_of_the_aimd_series():
    """A12: E_a = 0.258128 +- 0.016832 eV, D(300 K) = 6.80754e-9 cm^2/s, sigma(300 K) = 1.08037 mS/cm with 1.587e8 mS/cm per cm^2/s.

    Their range 0.5451 to 2.1413 adds the errors of slope and intercept as if they were independent; with the covariance that
    we keep, the error of ln D at 300 K is about a third smaller.
    """
    runs = [
        schema.dataset(
            {
                "species": ["Li"],
                "self_diffusivity": (("species",), [PER_CM2 * value]),
                "self_diffusivity_stderr": (("species",), [PER_CM2 * error]),
                "self_diffusivity_upper": (("species",), [PER_CM2 * (value + 2 * error)]),
                "stated_temperature": float(kelvin),
            }
        )
        for kelvin, value, error in AIMD
    ]
    fit = activation_energy(runs, temperatures=[300.0]).sel(species="Li")
    theirs = 8.617e-5 / BOLTZMANN  # the constant that they use
    assert theirs * fit.activation_energy.item() == pytest.approx(0.258128283, abs=1e-7)
    assert theirs * fit.activation_energy_stderr.item() == pytest.approx(0.0168320198, abs=1e-7)
    beta = 1 / (BOLTZMANN * 300)
    log_d = float(fit.log_prefactor - beta * fit.activation_energy)
    assert np.exp(log_d) / PER_CM2 == pytest.approx(6.80754024e-9, rel=1e-6)
    per_d = 158701249.73 / PER_CM2
    assert per_d * np.exp(log_d) == pytest.approx(1.08036514, rel=1e-6)
    apart = float(np.hypot(beta * fit.activation_energy_stderr, fit.log_prefactor_stderr))
    assert per_d * np.exp([log_d - apart, log_d + apart]) == pytest.approx([0.54509682, 2.14125047], rel=1e-6)
    together = float(np.sqrt(apart**2 - 2 * beta * fit.log_prefactor_covariance))
    assert 0.5 < together / apart < 0.8
    at = fit.sel(predicted_temperature=300.0)
    assert at.predicted_diffusivity_lower < np.exp(log_d) < at.predicted_diffusivity_upper

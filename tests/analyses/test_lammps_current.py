"""CaF2 at 1500 K: charge current, dipole and velocity correlations that LAMMPS computed during the run (in.prod)."""

import numpy as np
import pytest

import mdtools as md
from mdtools.analyses.over_frames import charge_by_species

MASSES = {"Ca": 40.078, "F": 18.998403}


@pytest.fixture(scope="module")
def folder(files):
    return files / "lammps" / "caf2"


@pytest.fixture(scope="module", params=["header_units_time", "allcolumns"])
def traj(folder, request):
    """Twenty-one frames, 1 ps apart: with six digits, and with ten, charges and masses of its own."""
    path = folder / f"{request.param}.lammpstrj.gz"
    if request.param == "header_units_time":
        return md.read(path, species={1: "Ca", 2: "F"}, charges={"Ca": 2.0, "F": -1.0}, masses=MASSES, temperature=1500.0)
    return md.read(path, units="metal", timestep=0.001, temperature=1500.0)


@pytest.fixture(scope="module")
def reference(folder):
    """Rows of LAMMPS' averages (one step each) at the steps of the dumps."""
    rows = np.loadtxt(folder / "ref_msd_vacf_P_J.dat")
    return rows[rows[:, 0] % 1000 == 0]


def test_the_current_of_each_frame_is_that_of_lammps(traj, reference):
    current, _ = charge_by_species(traj, "velocities", reference="none")
    expected = reference[:, 16:19].T
    np.testing.assert_allclose(current.sum(axis=0), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_the_dipole_moves_as_in_lammps(traj, reference):
    """Displacements only: LAMMPS counts the dipole from its own origin."""
    out = md.charge_displacement_msd(traj, reference="none")
    path = reference[:, 13:16]
    for lag in (1, 5, 20):
        expected = np.mean(np.sum(np.square(path[lag:] - path[:-lag]), axis=1))
        assert float(out.charge_displacement_msd[0, lag]) == pytest.approx(expected, rel=1e-4)


def test_the_current_correlation_is_that_of_the_currents_of_lammps(traj, reference):
    out = md.charge_current_acf(traj, windows=1, reference="none")
    j = reference[:, 16:19]
    expected = np.array([np.mean(np.sum(j[: 21 - m] * j[m:], axis=1)) for m in range(21)])
    np.testing.assert_allclose(out.charge_current_acf[0], expected, rtol=1e-4, atol=1e-5 * expected[0])


def test_the_current_from_positions_is_the_displacement_of_the_dipole_of_lammps(traj, reference):
    """Steps of the dipole over 1 ps, far too coarse for velocities: J is the mean current all the same, and S(0) is exact."""
    out = md.charge_current_acf(traj, windows=1, velocities="positions", reference="none")
    path = reference[:, 13:16]
    j = np.diff(path, axis=0) / 1.0
    assert float(out.charge_current_acf[0, 0]) == pytest.approx(np.mean(np.sum(j**2, axis=1)), rel=1e-4)
    assert float(out.charge_current_periodogram[0, 0]) == pytest.approx(np.sum((path[-1] - path[0]) ** 2) / 20, rel=1e-3)


def test_the_velocity_correlation_is_that_of_lammps(traj, reference):
    """compute vacf: one time origin, no reference."""
    out = md.velocity_acf(traj, windows=1, origins="first").velocity_acf.isel(window=0)
    np.testing.assert_allclose(out.sel(species="Ca"), reference[:, 10], rtol=1e-4)
    np.testing.assert_allclose(out.sel(species="F"), reference[:, 11], rtol=1e-4)


def test_fluoride_alone_carries_the_whole_current_once_momentum_is_conserved(folder):
    """Sundheim: sum m v = 0, so J = J_F (1 + (q_Ca / m_Ca) (m_F / -q_F)); against J of LAMMPS every 5 fs."""
    mobile = md.read(folder / "velF_every5.lammpstrj.gz", units="metal", timestep=0.001, species=["F"] * 250, charges={"F": -1.0}, masses=MASSES)
    out = md.charge_current_acf(mobile, windows=1, reference="none")
    factor = 1 + 2 / MASSES["Ca"] * MASSES["F"]
    j = np.loadtxt(folder / "ref_J_every5.dat")[:401, 1:]
    expected = np.array([np.mean(np.sum(j[: 401 - m] * j[m:], axis=1)) for m in range(401)])
    np.testing.assert_allclose(factor**2 * out.charge_current_acf[0], expected, rtol=1e-4, atol=1e-4 * expected[0])
    spectrum = 0.005 / 401 * np.square(np.abs(np.fft.rfft(j, axis=0))).sum(axis=1)
    np.testing.assert_allclose(factor**2 * out.charge_current_periodogram[0], spectrum, rtol=1e-3, atol=1e-5 * spectrum.max())


def test_the_phonon_spectrum_of_fluoride_holds_its_modes(folder):
    """Frames every 5 fs for 2 ps: the integral is 3 N at the kinetic temperature, and next to nothing lies above 20 THz."""
    mobile = md.read(folder / "velF_every5.lammpstrj.gz", units="metal", timestep=0.001, species=["F"] * 250, masses=MASSES, temperature=1500.0)
    out = md.phonon_dos(mobile, windows=1)
    dos = out.phonon_dos.sel(species="F").isel(window=0)
    plain = md.phonon_dos(mobile, windows=1, taper="none")
    modes = 750 * float(out.kinetic_temperature.squeeze()) / 1500.0
    # velocities of single precision are transformed in it
    assert float(plain.phonon_dos.squeeze().integrate("frequency")) == pytest.approx(modes, rel=1e-7)
    assert float(dos.integrate("frequency")) == pytest.approx(750, rel=0.05)
    assert float(dos.sel(frequency=slice(20.0, None)).integrate("frequency")) < 0.01 * 750

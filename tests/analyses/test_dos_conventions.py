"""Densities of states as other packages define them: GPUMD's and pwtools' definitions written out, and GPUMD's published curve."""

import dataclasses
import os
from pathlib import Path

import jax
import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.phonons import phonon_dos, velocity_acf
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.phonons import vibrational_moments
from mdtools.kernels.phonons import half_hann_spectrum

DT = 0.02


@pytest.fixture(scope="module")
def small():
    """Seven ions of three unequal masses in two species."""
    traj = synthetic.ornstein_uhlenbeck(n_atoms=7, n_frames=90, seed=2)
    double = np.asarray(traj.velocities, dtype=np.float64)
    return dataclasses.replace(traj, masses=np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0]), velocities=double)


def of_gpumd(v, masses, n, frequency):
    """v (frame, atom, xyz): correlation of every frame from n - 1 on with its n - 1 predecessors, half a Hann taper, cosine sum."""
    c = np.array([[np.sum(masses[:, None] * v[k] * v[k - m], axis=0) for m in range(n)] for k in range(n - 1, len(v))]).sum(axis=0)
    c /= c[0]
    m = np.arange(n)
    weight = (np.cos(np.pi * m / n) + 1) / 2 * np.where(m == 0, 1, 2)
    return 2 * DT * len(masses) * np.cos(2 * np.pi * np.outer(frequency, m) * DT) @ (weight[:, None] * c)


def test_gpumd_by_its_definition(small):
    found = phonon_dos(small, windows=2, convention="gpumd", correlation_time=20 * DT)
    np.testing.assert_allclose(found.frequency, np.arange(21) / (40 * DT))
    v = np.asarray(small.velocities, dtype=float).reshape(2, 45, 7, 3)
    for name in small.species_names:
        atoms = small.indices(name)
        for w in range(2):
            expected = of_gpumd(v[w][:, atoms], small.masses[atoms], 20, found.frequency.values)
            np.testing.assert_allclose(found.phonon_dos_by_direction[w].sel(species=name).T, expected, rtol=0, atol=5e-12 * np.abs(expected).max())
    # one more on each axis for each ion, whatever the temperature: exact for the trapezoidal rule on this grid
    np.testing.assert_allclose(found.phonon_dos.integrate("frequency"), np.broadcast_to(3 * found.n_ions, (2, 2)), rtol=1e-12)


def test_gpumd_published_curve():
    """tests/gpumd/graphene_dos of GPUMD: 8640 atoms, 200 correlation steps of 5 fs, up to 400 rad/ps; six digits are printed."""
    folder = Path(os.environ.get("MDTOOLS_PEER_DATA", ""))
    names = ("mvac1.out", "dos1.out")
    if "MDTOOLS_PEER_DATA" not in os.environ or not all((folder / name).is_file() for name in names):
        pytest.skip("needs mvac1.out and dos1.out (GPUMD, tests/gpumd/graphene_dos, GPL) in the folder MDTOOLS_PEER_DATA")
    correlation, published = (np.loadtxt(folder / name) for name in names)
    with jax.enable_x64(True):
        found = 8640 * np.asarray(half_hann_spectrum(correlation[:, 1:].T, published[:, 0] / (2 * np.pi), np.float64(correlation[1, 0])))
    np.testing.assert_allclose(found, published[:, 1:], rtol=0, atol=5e-6 * np.abs(published[:, 1:]).max())


def test_a_line_of_gpumd_is_where_the_other_density_has_it():
    solid = synthetic.damped_oscillator(cells=2, n_frames=4096, frequency=3.0, damping=2.0, seed=1)
    ours, theirs = phonon_dos(solid, windows=4), phonon_dos(solid, windows=4, convention="gpumd", correlation_time=2.0)
    peak = [float(x.frequency[int(x.phonon_dos.mean(["window", "species"]).argmax("frequency"))]) for x in (ours, theirs)]
    assert peak[1] == pytest.approx(peak[0], abs=2 * float(theirs.frequency[1]))
    np.testing.assert_allclose(theirs.kinetic_temperature.mean(), ours.kinetic_temperature.mean(), rtol=0.02)


def welch(n):
    return 1 - ((np.arange(n) - (n - 1) / 2) / ((n - 1) / 2)) ** 2


def shape(density, frequency):
    return density / np.trapezoid(density, frequency)


def test_pwtools_direct_and_by_correlation_have_the_shape_of_the_density_of_states(small):
    """direct: |sum_k v_k exp|^2 of tapered velocities with n - 1 zeros; vacf: the transform of their mirrored correlation. Both written as sums."""
    found = phonon_dos(small, windows=1, convention="pwtools")
    ours = shape(found.phonon_dos.sum("species")[0].values, found.frequency.values)
    n = small.n_frames
    v = np.asarray(small.velocities, dtype=float) * welch(n)[:, None, None]
    frequency = np.arange(n - 1) / ((2 * n - 1) * DT)
    np.testing.assert_allclose(found.frequency[: n - 1], frequency, rtol=1e-12)
    waves = np.exp(-2j * np.pi * np.outer(frequency, np.arange(n)) * DT)
    direct = np.einsum("fax,a->f", np.abs(np.einsum("fk,kax->fax", waves, v)) ** 2, small.masses)
    correlation = np.array([np.einsum("kax,kax,a->", v[: n - m], v[m:], small.masses) for m in range(n)])
    mirrored = np.concatenate([correlation[:0:-1], correlation])
    by_correlation = np.abs(np.fft.fft(mirrored))[: n - 1]
    # pwtools leaves out the last point below the Nyquist limit; the same is done here
    ours = shape(ours[: n - 1], frequency)
    np.testing.assert_allclose(shape(direct, frequency), ours, rtol=0, atol=1e-10 * ours.max())
    np.testing.assert_allclose(shape(by_correlation, frequency), ours, rtol=0, atol=1e-10 * ours.max())


def test_the_velocity_correlation_has_the_same_spectrum_as_pwtools_without_taper(small):
    n = small.n_frames
    acf = velocity_acf(small, windows=1).velocity_acf[0].values  # per ion, over n - m origins
    single = dataclasses.replace(small, masses=np.ones(7))
    total = sum(acf[s] * len(small.indices(name)) for s, name in enumerate(small.species_names)) * (n - np.arange(n))
    by_correlation = np.abs(np.fft.fft(np.concatenate([total[:0:-1], total])))[: n - 1]
    padded = np.zeros((2 * n - 1, 7, 3))
    padded[:n] = np.asarray(single.velocities, dtype=float)
    direct = np.sum(np.abs(np.fft.fft(padded, axis=0)) ** 2, axis=(1, 2))[: n - 1]
    np.testing.assert_allclose(by_correlation, direct, rtol=0, atol=1e-10 * direct.max())


def test_pwtools_itself(small):
    """Where it is installed (github.com/elcorto/pwtools, BSD; needs a Fortran compiler)."""
    pydos = pytest.importorskip("pwtools.pydos", reason="needs pwtools (github.com/elcorto/pwtools)")
    found = phonon_dos(small, windows=1, convention="pwtools")
    for method in (pydos.direct_pdos, pydos.vacf_pdos):
        frequency, density = method(np.array(small.velocities, dtype=float), m=small.masses, dt=DT)
        ours = found.phonon_dos.sum("species")[0].values[: len(frequency)]
        np.testing.assert_allclose(shape(density, frequency), shape(ours, frequency), rtol=0, atol=1e-10 * density.max())


def test_what_a_convention_cannot_do_is_said(small):
    with pytest.raises(ValueError, match="--correlation-time"):
        phonon_dos(small, convention="gpumd")
    with pytest.raises(NotEnoughData, match="a window has 11"):
        phonon_dos(small, convention="gpumd", correlation_time=1.0)
    with pytest.raises(ValueError, match='write "gpumd" or "pwtools"'):
        phonon_dos(small, convention="mdanse")
    for options in ({"convention": "pwtools"}, {"convention": "gpumd", "correlation_time": 0.1}):
        with pytest.raises(TrajectoryError, match="without convention="):
            vibrational_moments(phonon_dos(small, windows=4, **options))


def test_slepian_tapers_scatter_less_and_keep_the_integral():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=2048, friction=5.0, mass=20.0, temperature=1000.0, frame_interval=DT, seed=7)
    one, many = phonon_dos(gas, windows=4), phonon_dos(gas, windows=4, taper="dpss", tapers=7)
    inside = {"frequency": slice(1.0, 8.0)}
    scatter = [float((x.phonon_dos.sel(inside).std("window") / x.phonon_dos.sel(inside).mean("window")).mean()) for x in (one, many)]
    assert scatter[1] == pytest.approx(scatter[0] / np.sqrt(7), rel=0.25)
    assert float(many.phonon_dos.integrate("frequency").mean()) == pytest.approx(48, rel=0.05)
    assert float(many.frequency_resolution) == pytest.approx(8 / (512 * DT))

"""Spectral energy density: the naive sum, equipartition, lines at the frequencies of the dynamical matrix, dynasor's numbers."""

import dataclasses
from pathlib import Path

import lattices
import numpy as np
import pytest

from mdtools.analyses.energy_spectrum import spectral_energy_density
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.harmonic.phonopy_files import read_phonopy
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

MATRIX = np.diag([2, 1, 4])


@pytest.fixture(scope="module")
def phonopy(files):
    """The crystal of springs, by phonopy."""
    return str(files / "phonopy/phonopy_params.yaml")


@pytest.fixture(scope="module")
def run():
    return lattices.sampled(lattices.crystal(), MATRIX, n_frames=1200, frame_interval=0.02, seed=2)[0]


@pytest.mark.parametrize("taper", ["hann", "none"])
def test_it_is_its_definition(run, phonopy, taper):
    out = spectral_energy_density(run, phonopy=phonopy, windows=1, taper=taper)
    _, basis, lattice, _ = lattices.supercell(lattices.crystal(), MATRIX)
    w = np.sin(np.pi * (np.arange(1200) + 0.5) / 1200) ** 2 if taper == "hann" else np.ones(1200)
    v = np.asarray(run.velocities)
    for number, q in enumerate(out.q_reduced.values):
        wave = v * np.exp(-2j * np.pi * lattice @ q)[:, None]
        for j in range(3):
            transform = np.fft.fft(wave[:, basis == j].sum(axis=1) * w[:, None], axis=0)
            both = np.abs(transform) ** 2 + np.abs(np.roll(transform[::-1], 1, axis=0)) ** 2
            mass = lattices.crystal().masses[j]
            naive = mass / 8 * 0.02 * KINETIC_TO_EV / np.sum(w**2) * both[:601].T
            np.testing.assert_allclose(out.spectral_energy_density[0, number, j], naive, rtol=1e-9, atol=1e-12 * naive.max())


def test_the_integral_is_the_kinetic_energy_twice_and_on_average_that_of_equipartition(phonopy):
    ratios = []
    for seed in range(8):
        run = lattices.sampled(lattices.crystal(), MATRIX, n_frames=600, frame_interval=0.02, seed=seed)[0]
        out = spectral_energy_density(run, phonopy=phonopy, taper="none", windows=2)
        total = out.spectral_energy_density.sum(["basis_atom", "direction"]).integrate("frequency")
        ratios.append(float((total.mean("window")[1:] / (9 * BOLTZMANN * 300)).mean()))
        if seed == 0:
            kinetic = KINETIC_TO_EV * np.einsum("tax,a->", np.asarray(run.velocities) ** 2, run.masses) / 600
            of_all = total.mean("window") * [
                2 if q not in ([0, 0, 0], [0.5, 0, 0], [0, 0, 0.5], [0.5, 0, 0.5]) else 1 for q in out.q_reduced.values.tolist()
            ]
            assert float(of_all.sum()) == pytest.approx(kinetic, rel=1e-9)
    assert np.mean(ratios) == pytest.approx(1.0, abs=4 * np.std(ratios) / np.sqrt(8))
    assert np.std(ratios) < 0.2


def test_bands_have_their_lines_and_sum_to_the_atoms(run, phonopy):
    harmonic = read_phonopy(Path(phonopy))
    by_atom = spectral_energy_density(run, phonopy=phonopy, windows=1, path="0 0 0 0.5 0 0.5")
    out = spectral_energy_density(run, phonopy=phonopy, windows=1, path="0 0 0 0.5 0 0.5", by="band")
    assert out.q_reduced.values.tolist() == [[0, 0, 0], [0.5, 0, 0.5]]
    np.testing.assert_allclose(
        out.spectral_energy_density_by_band.sum("band"), by_atom.spectral_energy_density.sum(["basis_atom", "direction"]), rtol=1e-9, atol=1e-15
    )
    exact = lattices.sampled(lattices.crystal(), np.diag([2, 1, 2]), n_frames=2, frame_interval=1)[1]
    for band in range(9):
        # the file's supercell is half of this one: the same bonds, so the same modes at the wave vectors of both
        frequency = harmonic.at(np.array([0.5, 0, 0.5])).frequency[band]
        assert np.abs(exact - frequency).min() < 1e-5
        peak = float(out.frequency[int(out.spectral_energy_density_by_band[0, 1, band].argmax("frequency"))])
        assert abs(peak - frequency) <= float(out.frequency[1])
        assert abs(float(out.harmonic_frequency[1, band]) - frequency) < 1e-9


def test_a_path_holds_the_wave_vectors_of_the_supercell_in_order(run, phonopy):
    out = spectral_energy_density(run, phonopy=phonopy, path="0 0 0  0 0 0.5  0.5 0 0.5  0 0 0")
    assert out.q_reduced.values.tolist() == [[0, 0, 0], [0, 0, 0.25], [0, 0, 0.5], [0.5, 0, 0.5], [0, 0, 0]]
    np.testing.assert_allclose(out.path_position, [0, 0.5, 1, 2, 3])


def test_few_waves_at_a_time_are_the_same(run, phonopy, monkeypatch):
    one = spectral_energy_density(run, phonopy=phonopy)
    monkeypatch.setattr("mdtools.memory.block", lambda: 4 * 16 * 3 * 3 * 1200 * 2)
    other = spectral_energy_density(run, phonopy=phonopy)
    np.testing.assert_allclose(other.spectral_energy_density, one.spectral_energy_density, rtol=1e-10, atol=1e-18)


def test_velocities_made_of_positions_give_the_same_density_below_the_band_edge(phonopy):
    from mdtools.readers.differences import velocities_from_positions

    run = lattices.sampled(lattices.crystal(), MATRIX, n_frames=4002, frame_interval=0.008, seed=2)[0]
    made = velocities_from_positions(run)
    ours = spectral_energy_density(made, phonopy=phonopy, windows=1)
    theirs = spectral_energy_density(dataclasses.replace(run, velocities=run.velocities[:]), phonopy=phonopy, windows=1)
    one, other = (x.spectral_energy_density.sum("frequency") * float(x.frequency[1]) for x in (ours, theirs))
    np.testing.assert_allclose(one, other, rtol=0.02, atol=1e-4)


def test_what_is_missing_is_named_with_its_cure(run, phonopy):
    with pytest.raises(TrajectoryError, match=r"spectral_energy_density needs velocities.*--velocities positions"):
        spectral_energy_density(dataclasses.replace(run, velocities=None), phonopy=phonopy)
    with pytest.raises(TrajectoryError, match=r"needs the primitive cell: pass either phonopy="):
        spectral_energy_density(run)
    with pytest.raises(TrajectoryError, match=r"path='0 0' is not understood"):
        spectral_energy_density(run, phonopy=phonopy, path="0 0")
    with pytest.raises(TrajectoryError, match=r"no wave vector of the supercell .* lies on the path"):
        spectral_energy_density(run, phonopy=phonopy, path="0.1 0.1 0.1 0.2 0.1 0.1")
    with pytest.raises(TrajectoryError, match=r"by band needs eigenvectors"):
        spectral_energy_density(run, primitive=lattices.crystal(), by="band")
    with pytest.raises(NotEnoughData, match="windows=150"):
        spectral_energy_density(run, phonopy=phonopy, windows=300)
    short = {name: getattr(run, name)[:5] for name in ("scaled_positions", "velocities", "time", "cell")}
    with pytest.raises(NotEnoughData, match="give a longer run, of 8 frames or more"):
        spectral_energy_density(dataclasses.replace(run, **short), phonopy=phonopy, windows=1)
    coarse = dataclasses.replace(run, time=np.arange(run.n_frames) * 0.1)
    with pytest.raises(NotEnoughData, match=r"THz by the file, .* store frames every 0\.02\d* ps or less, or take by='atom' \(--by atom\)"):
        spectral_energy_density(coarse, phonopy=phonopy, by="band")
    still = dataclasses.replace(run, species=np.where(run.species == "F", "Cl", run.species))
    with pytest.raises(
        TrajectoryError, match=r"of the mode \d+ at q = .* lies on atoms that hold no site .*by='atom' \(--by atom\), or pass most_dropped"
    ):
        spectral_energy_density(still, phonopy=phonopy, by="band")


@pytest.fixture(scope="module")
def dynasor(files):
    """A small run and what dynasor 2.5 made of it (tests/files/dynasor/make.py)."""
    from mdtools.trajectory import Trajectory

    held = np.load(files / "dynasor/modes.npz")
    n_frames = len(held["velocities"])
    run = Trajectory(
        scaled_positions=held["scaled_positions"],
        cell=np.broadcast_to(held["cell"], (n_frames, 3, 3)),
        time=np.arange(n_frames) * 0.01,
        velocities=held["velocities"],
        species=held["species"],
        masses=held["masses"],
        temperature=300.0,
    )
    return run, held


def test_it_is_what_dynasor_says(dynasor):
    """dynasor keeps one sign of the frequency, so that q and -q are averaged; its integral over angular frequency is half of ours."""
    run, held = dynasor
    unit = 2 * 2 * np.pi * 1e-3 * KINETIC_TO_EV * 1e6 / float(held["mass_unit"])
    theirs = held["spectral_energy_density"].reshape(2, 3, 21, 3, 3).mean(axis=0).transpose(0, 2, 3, 1) * unit
    ours = spectral_energy_density(run, primitive=lattices.crystal(), windows=1, taper="none")
    np.testing.assert_allclose(ours.frequency, held["omega"] * 1000 / (2 * np.pi), rtol=1e-12)
    for number, q in enumerate(held["q"]):
        apart = np.stack([ours.q_reduced.values - q, ours.q_reduced.values + q])
        [row] = np.flatnonzero(np.any(np.all(np.abs(apart - np.rint(apart)) < 1e-9, axis=2), axis=0))
        np.testing.assert_allclose(ours.spectral_energy_density[0, row], theirs[number], rtol=1e-12, atol=1e-12 * theirs.max())


def test_modes_are_those_that_dynasor_projects_on(dynasor, monkeypatch):
    from mdtools.analyses.lattice_modes import mode_spectra
    from mdtools.harmonic.force_constants import ForceConstants
    from mdtools.harmonic.modes import HarmonicCrystal

    run, held = dynasor
    crystal = lattices.crystal()
    positions, basis, _, cell = lattices.supercell(crystal, MATRIX)
    constants = ForceConstants(crystal, cell, positions @ np.linalg.inv(cell), lattices.constants(positions, cell, basis)[:3], np.arange(3))
    monkeypatch.setattr("mdtools.analyses.lattice_windows.lattice_source", lambda *_, who: (crystal, HarmonicCrystal(crystal, constants.at)))
    for number, q in enumerate(held["q"]):
        ours = mode_spectra(run, phonopy="springs", q=q, windows=1, taper="none", reference="none")
        np.testing.assert_allclose(ours.harmonic_frequency, held["frequencies"][number] * 1000 / (2 * np.pi), rtol=1e-6)
        for name, word, unit in (("coordinates", "coordinate", 1.0), ("momenta", "velocity", 1e6)):
            series = held[name][number] * np.sqrt(unit / float(held["mass_unit"]))
            both = np.abs(np.fft.fft(series, axis=0)) ** 2
            folded = (0.01 / len(series) * (both + np.roll(both[::-1], 1, axis=0)) / 2)[: len(series) // 2 + 1].T
            np.testing.assert_allclose(ours[f"mode_{word}_square"][0], np.mean(np.abs(series) ** 2, axis=0), rtol=1e-12)
            np.testing.assert_allclose(ours[f"mode_{word}_periodogram"][0], folded, rtol=1e-11, atol=1e-12 * folded.max())

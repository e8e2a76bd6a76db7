"""Mode coordinates: a crystal of springs sampled from its normal modes, the naive sum, symmetries, refusals."""

import dataclasses

import lattices
import numpy as np
import pytest

from mdtools import schema
from mdtools.analyses import chosen_modes
from mdtools.analyses.lattice_modes import mode_spectra
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.harmonic.force_constants import ForceConstants
from mdtools.harmonic.modes import HarmonicCrystal
from mdtools.harmonic.wave_vectors import commensurate, is_half_reciprocal
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

MATRIX = np.array([[2, 0, 0], [0, 2, 1], [0, -1, 2]])
K = BOLTZMANN / KINETIC_TO_EV
HALF, GENERAL = [0.5, 0.0, 0.0], [0.5, 0.4, 0.2]


@pytest.fixture(scope="module")
def springs():
    """The crystal with its modes, by force constants of the supercell."""
    crystal = lattices.crystal()
    positions, basis, _, cell = lattices.supercell(crystal, MATRIX)
    constants = lattices.constants(positions, cell, basis)[:3]
    return HarmonicCrystal(crystal, ForceConstants(crystal, cell, positions @ np.linalg.inv(cell), constants, np.arange(3)).at)


@pytest.fixture(scope="module")
def run():
    """Thirty atoms for 40 ps in shuffled order."""
    order = np.random.default_rng(3).permutation(30)
    return lattices.sampled(lattices.crystal(), MATRIX, n_frames=2000, frame_interval=0.02, seed=4, order=order)[0]


@pytest.fixture(autouse=True)
def given(monkeypatch, springs):
    """phonopy="springs" means the crystal above."""
    before = chosen_modes.lattice_source

    def source(phonopy, primitive, *, who):
        return (springs.crystal, springs) if phonopy == "springs" else before(phonopy, primitive, who=who)

    monkeypatch.setattr("mdtools.analyses.lattice_windows.lattice_source", source)


@pytest.mark.parametrize("q", [HALF, GENERAL, [0.0, 0.0, 0.0]])
def test_every_mode_has_one_line_where_the_dynamical_matrix_says(run, q):
    out = mode_spectra(run, phonopy="springs", q=q, windows=1, taper="hann")
    resolution = float(out.frequency[1])
    for mode in range(3 if q == [0.0, 0.0, 0.0] else 0, 9):
        for kind in ("coordinate", "velocity"):
            power = out[f"mode_{kind}_periodogram"][0, mode]
            assert abs(float(out.frequency[int(power.argmax("frequency"))]) - float(out.harmonic_frequency[mode])) <= resolution
            far = np.abs(out.frequency - out.harmonic_frequency[mode]) > 6 * resolution
            assert float(power[far].max()) < 1e-3 * float(power.max())


@pytest.mark.parametrize("q", [HALF, GENERAL])
def test_a_mode_coordinate_is_its_definition(run, springs, q):
    """The sum over atoms with the phase of the ideal position of each, up to one phase for all."""
    out = mode_spectra(run, phonopy="springs", q=q, windows=1, taper="none", reference="none")
    positions, basis, _, cell = lattices.supercell(springs.crystal, MATRIX)
    order = np.random.default_rng(3).permutation(30)
    ideal, basis = positions[order], basis[order]
    phase = np.exp(-2j * np.pi * ideal @ np.linalg.inv(springs.crystal.cell) @ q)
    u = (run.scaled_positions - ideal @ np.linalg.inv(cell)) @ cell
    for x, word in ((u, "coordinate"), (np.asarray(run.velocities), "velocity")):
        if word == "coordinate":
            x = x - x.mean(axis=(0, 1))
        weighted = x * (np.sqrt(run.masses / 10) * phase)[:, None]
        naive = np.einsum("tax,max->mt", weighted, springs.at(np.array(q)).vectors[:, basis].conj())
        np.testing.assert_allclose(out[f"mode_{word}_square"][0], np.mean(np.abs(naive) ** 2, axis=-1), rtol=2e-4 if word == "coordinate" else 1e-9)
        two_sided = 0.02 * np.abs(np.fft.fft(naive, axis=-1)) ** 2 / 2000
        folded = (two_sided + np.roll(two_sided[:, ::-1], 1, axis=-1))[:, :1001] / 2
        np.testing.assert_allclose(out[f"mode_{word}_periodogram"][0], folded, rtol=1e-6, atol=2e-4 * folded.max())


def test_squares_are_the_integrals_of_the_spectra_and_sum_to_what_is_not_projected(run):
    for q in (HALF, GENERAL):
        out = mode_spectra(run, phonopy="springs", q=q, windows=2, taper="none")
        for kind in ("coordinate", "velocity"):
            integral = 2 * out[f"mode_{kind}_periodogram"].integrate("frequency")
            np.testing.assert_allclose(integral, out[f"mode_{kind}_square"], rtol=1e-10)
            np.testing.assert_allclose(out[f"mode_{kind}_square"].sum("mode"), out[f"unprojected_{kind}_square"], rtol=1e-10)
        assert out.series.values.tolist() == [1 if q == HALF else 2] * 9


def test_real_coordinates_stay_real(run):
    out = mode_spectra(run, phonopy="springs", q=HALF, windows=1)
    assert float(np.abs(out.mode_coordinate_mean.sel(part="imaginary")).max()) < 1e-9


def test_equipartition_holds_over_draws_of_every_mode():
    """<|dQ/dt|^2> = k_B T and (2 pi f)^2 <|Q|^2> = k_B T: each draw is exponential (one series) or the mean of two."""
    ratios = {1: [], 2: []}
    for seed in range(12):
        run = lattices.sampled(lattices.crystal(), MATRIX, n_frames=400, frame_interval=0.02, seed=seed)[0]
        for q in (HALF, GENERAL):
            out = mode_spectra(run, phonopy="springs", q=q, windows=1)
            ratios[int(out.series[0])].append(out.mode_velocity_square.values / (K * 300.0))
            harmonic = (2 * np.pi * out.harmonic_frequency.values) ** 2 * out.mode_coordinate_square.values / (K * 300.0)
            ratios[int(out.series[0])].append(harmonic)
    for series, found in ratios.items():
        n = np.size(found) / 2 * series  # independent draws: coordinates and velocities of one run share them
        assert np.mean(found) == pytest.approx(1.0, abs=4 / np.sqrt(n))
        assert np.std(found) == pytest.approx(1 / np.sqrt(series), rel=0.3)


def test_a_run_in_turned_axes_gives_the_same_spectra(run, springs):
    random = np.random.default_rng(1)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    turned = dataclasses.replace(run, cell=run.cell @ turn, velocities=run.velocities @ turn)
    one, other = (mode_spectra(x, phonopy="springs", q=GENERAL, reference="none") for x in (run, turned))
    assert schema.history(other)[-1]["turned_by"] > 5
    np.testing.assert_allclose(other.mode_velocity_square, one.mode_velocity_square, rtol=2e-3)
    np.testing.assert_allclose(other.mode_coordinate_square, one.mode_coordinate_square, rtol=2e-3)


def test_the_list_holds_every_wave_vector_once_and_all_frequencies(run):
    out = mode_spectra(run, phonopy="springs", list=True)
    exact = lattices.sampled(lattices.crystal(), MATRIX, n_frames=2, frame_interval=0.02)[1]
    of_all = np.repeat(out.harmonic_frequency.values, out.series.values)
    np.testing.assert_allclose(np.sort(of_all)[3:], exact[3:], rtol=1e-9)
    assert len(out.mode) == 9 * 6
    assert float(out.dropped_weight.max()) == 0


def test_ions_that_leave_their_sites_are_dropped_and_what_they_carry_is_refused(run):
    """F wanders; its part of an eigenvector is missing, Ca alone still gives the right waves."""
    walk = np.cumsum(np.random.default_rng(0).normal(0, 0.004, run.scaled_positions.shape), axis=0)
    wandering = dataclasses.replace(run, scaled_positions=run.scaled_positions + walk * (run.species == "F")[:, None], framework=("Ca",))
    out = mode_spectra(wandering, phonopy="springs", list=True)
    assert 0 < float(out.dropped_weight.min()) < float(out.dropped_weight.max()) <= 1
    assert "leave their sites" in schema.history(out)[-1]["dropped"]["F"]
    with pytest.raises(TrajectoryError, match=r"% of the mode 9 at q = 0.5,0,0 lies on atoms that hold no site .*most_dropped"):
        mode_spectra(wandering, phonopy="springs", q=HALF, band=9)
    some = mode_spectra(wandering, phonopy="springs", q=HALF, band=9, most_dropped=1.0)
    whole = mode_spectra(run, phonopy="springs", q=HALF, band=9)
    assert float(some.mode_velocity_square[0, 0]) < float(whole.mode_velocity_square[0, 0])


def test_a_pattern_needs_no_eigenvectors(run, springs):
    import ase

    primitive = ase.Atoms("CaF2", scaled_positions=springs.crystal.scaled, cell=springs.crystal.cell, pbc=True)
    primitive.set_masses([40.0, 19.0, 19.0])
    out = mode_spectra(run, primitive=primitive, q=GENERAL, pattern={"Ca": "0 0 1"}, taper="none", windows=1, reference="none")
    _, basis, lattice, _ = lattices.supercell(springs.crystal, MATRIX)
    order = np.random.default_rng(3).permutation(30)
    basis, lattice = basis[order], lattice[order]
    v = np.asarray(run.velocities)[:, basis == 0, 2] @ np.exp(-2j * np.pi * lattice[basis == 0] @ np.array(GENERAL))
    assert float(out.mode_velocity_square[0, 0]) == pytest.approx(40 / 10 * float(np.mean(np.abs(v) ** 2)), rel=1e-9)
    every = [{f"{atom}": axis} for atom in ("Ca1", "F1", "F2") for axis in ("1 0 0", "0 1 0", "0 0 1")]
    squares = [float(mode_spectra(run, primitive=primitive, q=GENERAL, pattern=p, windows=1).mode_velocity_square[0, 0]) for p in every]
    assert sum(squares) == pytest.approx(float(out.unprojected_velocity_square[0]), rel=1e-9)


def test_waves_of_a_block_at_a_time_are_the_same(run, monkeypatch):
    one = mode_spectra(run, phonopy="springs", q=GENERAL)
    monkeypatch.setattr("mdtools.memory.block", lambda: 6 * 3 * 8 * 30 * 300)
    other = mode_spectra(run, phonopy="springs", q=GENERAL)
    np.testing.assert_allclose(other.mode_coordinate_periodogram, one.mode_coordinate_periodogram, rtol=1e-9, atol=1e-12)


def test_without_velocities_the_coordinates_remain(run):
    out = mode_spectra(dataclasses.replace(run, velocities=None), phonopy="springs", q=HALF)
    assert "mode_velocity_periodogram" not in out
    assert "mode_coordinate_periodogram" in out


def test_what_is_missing_is_named_with_its_cure(run, springs):
    with pytest.raises(TrajectoryError, match=r"needs the primitive cell: pass either phonopy=.*--primitive"):
        mode_spectra(run)
    with pytest.raises(TrajectoryError, match=r"needs a wave vector.*--q 0.5,0.5,0.5.*--list"):
        mode_spectra(run, phonopy="springs")
    with pytest.raises(TrajectoryError, match=r"q = 0.3,0,0 does not fit into the supercell .*; the nearest that does is 0.5,0,0"):
        mode_spectra(run, phonopy="springs", q=[0.3, 0, 0])
    with pytest.raises(TrajectoryError, match="bands of memory are 1 to 9, and 12 were asked for"):
        mode_spectra(run, phonopy="springs", q=HALF, band=12)
    with pytest.raises(TrajectoryError, match=r"mode_spectra: there is no file none\.yaml; .*--phonopy"):
        mode_spectra(run, phonopy="none.yaml", q=HALF)
    with pytest.raises(TrajectoryError, match="mode_spectra needs masses"):
        mode_spectra(dataclasses.replace(run, masses=None), phonopy="springs", q=HALF)
    with pytest.raises(TrajectoryError, match=r"needs pattern= \(--pattern 'Ca=0 0 1'\)"):
        mode_spectra(run, primitive=springs.crystal, q=HALF)
    with pytest.raises(TrajectoryError, match=r"the pattern Na='0 0 1' is not understood; atoms are Ca1, F1, F2"):
        mode_spectra(run, phonopy="springs", q=HALF, pattern={"Na": "0 0 1"})
    bare = dataclasses.replace(springs, crystal=dataclasses.replace(springs.crystal, masses=None))
    with pytest.raises(TrajectoryError, match=r"has no masses; pass primitive='POSCAR' \(--primitive\)"):
        mode_spectra(run, primitive=bare.crystal, q=HALF, pattern={"Ca": "0 0 1"})
    with pytest.raises(TrajectoryError, match=r"is no supercell of memory"):
        mode_spectra(dataclasses.replace(run, cell=run.cell * np.array([1.0, 1.3, 1.0])), phonopy="springs", q=HALF)
    coarse = dataclasses.replace(run, time=np.arange(run.n_frames) * 0.1)
    with pytest.raises(NotEnoughData, match=r"one lies at 1\d.* THz by the file.* show those below 4.5 THz; store frames every 0.02"):
        mode_spectra(coarse, phonopy="springs", q=HALF)
    with pytest.raises(NotEnoughData, match="windows=250"):
        mode_spectra(run, phonopy="springs", q=HALF, windows=1000)


def test_half_vectors_are_known():
    points = commensurate(MATRIX)
    assert [is_half_reciprocal(q) for q in points].count(True) == 2
    assert len(commensurate(np.diag([4, 4, 4]))) == (64 - 8) / 2 + 8

"""P(H) of runs at constant pressure: one phase, two phases back and forth, one left for the other; what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from mdtools import synthetic
from mdtools.analyses.run_state import run_state
from mdtools.errors import TrajectoryError
from mdtools.estimates.bimodal import enthalpy_bimodality
from mdtools.thermo import Thermo

N, FRAMES = 27, 640


def run(high, *, step=0.02, held=False, seed=0):
    """A crystal whose log has a H of k_B T^2 N 3 k_B, and `step` eV an ion more where it is in the other phase."""
    crystal = synthetic.damped_oscillator(cells=3, n_frames=FRAMES)
    random = np.random.default_rng(seed)
    width = 8.617e-5 * 300 * np.sqrt(3 * N)
    volume = np.full(FRAMES, crystal.volume) if held else crystal.volume * (1 + 0.01 * random.normal(size=FRAMES))
    energy = -3.0 * N + width * random.normal(size=FRAMES) + step * 10 * N * high
    values = {"total_energy": energy, "volume": volume, "temperature": 300 + 10 * random.normal(size=FRAMES)}
    return run_state(replace(crystal, log=Thermo(time=crystal.time, values=values)))


def test_one_phase_has_one_value():
    found = enthalpy_bimodality(run(np.zeros(FRAMES)))
    assert found.says.item() == "one value"
    assert abs(found.bimodality - 1 / 3) < 4 * found.bimodality_stderr
    assert np.isnan(found.enthalpy_step)  # there is none


@pytest.mark.parametrize(("changes", "share"), [(1, 0.5), (1, 0.25), (7, 0.5)])
def test_two_phases_have_two_values_and_changes_are_counted(changes, share):
    phase = np.arange(FRAMES) >= FRAMES * share if changes == 1 else np.arange(FRAMES) * 8 // FRAMES % 2
    found = enthalpy_bimodality(run(phase.astype(float)))
    assert found.says.item() == "two values"
    assert found.changes.item() == changes
    assert found.enthalpy_step.item() == pytest.approx(0.2, rel=0.1)


def test_a_held_cell_and_a_run_without_energies_are_refused():
    with pytest.raises(TrajectoryError, match="barostat"):
        enthalpy_bimodality(run(np.zeros(FRAMES), held=True))
    with pytest.raises(TrajectoryError, match="--log"):
        enthalpy_bimodality(run_state(synthetic.damped_oscillator(cells=3, n_frames=64)))

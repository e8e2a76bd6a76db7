"""Blocks have one shape: whatever the number of blocks and of runs, an analysis compiles each of its programs once."""

import collections

import jax
import pytest

import mdtools as md
from mdtools import memory, synthetic

MEASURES = {  # the program that visits the blocks, how many kernels it is made for, and what is measured
    "msd": ("tile_sums", 1, lambda traj: md.msd(traj)),
    "velocity_acf": ("tile_sums", 1, lambda traj: md.velocity_acf(traj)),
    "phonon_dos": ("tile_sums", 1, lambda traj: md.phonon_dos(traj)),
    "charge_current_acf": ("charge_sums", 1, lambda traj: md.charge_current_acf(traj)),
    "van_hove_self": ("tile_sums", 2, lambda traj: md.van_hove_self(traj, windows=2, r_max=5.0)),
    "van_hove_distinct": ("_slots_by_distance", 2, lambda traj: md.van_hove_distinct(traj, windows=2)),  # lag 0 meets half of the pairs
    "intermediate_scattering": ("modes_by_group", 1, lambda traj: md.intermediate_scattering(traj, hkl=["1 0 0", "0 2 0"])),
    "current_correlation, in parts": ("modes_by_group", 1, lambda traj: md.current_correlation(traj, q_max=1.5, windows=1)),
    "intermediate_scattering_self": ("self_power", 1, lambda traj: md.intermediate_scattering_self(traj, q=[1.0])),
}


@pytest.fixture
def compiled():
    """How often each program was compiled, or taken from the cache of an earlier process, since the list was emptied."""
    made: collections.Counter[str] = collections.Counter()

    def told(event: str, seconds: float, **about) -> None:
        if event.endswith("backend_compile_duration"):
            made[str(about.get("fun_name"))] += 1

    jax.monitoring.register_event_duration_secs_listener(told)
    yield made
    jax.monitoring.unregister_event_duration_listener(told)


@pytest.mark.parametrize("name", MEASURES)
def test_what_visits_the_blocks_is_compiled_once_and_nothing_is_a_second_time(name, compiled):
    program, kernels, measure = MEASURES[name]
    first, second = (synthetic.ornstein_uhlenbeck(n_atoms=46, n_frames=334, frame_interval=0.05, seed=seed) for seed in (1, 2))
    with memory.limited("4 MiB"):  # so that it takes several blocks
        measure(first)
        assert compiled[f"jit({program})"] == kernels, compiled
        compiled.clear()
        measure(second)
        assert not compiled

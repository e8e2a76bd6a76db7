"""Runs that are stored too seldom, too short or without velocities: a right spectrum, or a refusal that says what would do."""

import numpy as np
import pytest

import mdtools as md
from mdtools import synthetic
from mdtools.errors import NotEnoughData, TrajectoryError

LINES = {"cells": 2, "spring": 5.0, "masses": (22.99, 35.45)}


def xdatcar(path, run, block):
    """As VASP writes every NBLOCK-th step: direct coordinates, heads count configurations and not steps."""
    count = len(run.indices("A"))
    order = np.concatenate([run.indices("A"), run.indices("B")])
    out = ["rock salt", "1.0", *(" ".join(f"{x:.8f}" for x in row) for row in run.cell[0]), "Na Cl", f"{count} {run.n_atoms - count}"]
    for number, frame in enumerate(np.asarray(run.scaled_positions[::block], dtype=float)[:, order] % 1.0, start=1):
        out.append(f"Direct configuration= {number:5d}")
        out += [" ".join(f"{x:.8f}" for x in row) for row in frame]
    path.write_text("\n".join(out) + "\n")
    return path


@pytest.fixture(scope="module")
def run():
    """Frames every 4 fs of a crystal whose highest line lies at about 20 THz."""
    return synthetic.harmonic_crystal(**LINES, n_frames=6000, frame_interval=0.004, temperature=300.0, seed=1)


def test_an_xdatcar_of_every_step_or_of_few_has_the_lines_of_the_dynamical_matrix(run, tmp_path):
    lines = synthetic.harmonic_frequencies(**LINES)[0][1:]
    for block in (1, 2):
        read = md.read(xdatcar(tmp_path / "XDATCAR", run, block), frame_interval=0.004 * block, temperature=300, velocities="positions")
        dos = md.phonon_dos(read, windows=1).isel(window=0)
        total = dos.phonon_dos.sum("species")
        near = np.abs(total.frequency.values[:, None] - lines).min(axis=1) < 4 * float(dos.frequency_resolution)
        assert float(total[~near].sum() / total.sum()) < 0.01
        heights = [float(total.sel(frequency=slice(f - 0.1, f + 0.1)).max()) for f in lines]
        assert min(heights) > 20 * float(total[~near].max())


def test_an_xdatcar_of_nblock_10_is_refused_with_the_interval_that_would_do(run, tmp_path):
    read = md.read(xdatcar(tmp_path / "XDATCAR", run, 10), frame_interval=0.04, temperature=300, velocities="positions")
    with pytest.raises(TrajectoryError, match=r"store frames every 0\.0\d+ ps or less"):
        md.phonon_dos(read, windows=1)
    assert md.msd(read).sizes["lag"] > 10  # what needs no velocities is not


def test_a_run_without_velocities_says_how_to_have_them(run, tmp_path):
    read = md.read(xdatcar(tmp_path / "XDATCAR", run, 1), frame_interval=0.004, temperature=300)
    for analysis in (md.phonon_dos, md.velocity_acf):
        with pytest.raises(TrajectoryError, match=r"needs velocities.*--velocities positions"):
            analysis(read)


def test_velocities_stored_too_seldom_fold_lines_back_and_estimates_refuse_them(run):
    coarse = run.replace(
        step={"step": "every 10th"},
        scaled_positions=run.scaled_positions[::10],
        velocities=run.velocities[::10],
        time=run.time[::10],
        cell=run.cell[::10],
    )
    dos = md.phonon_dos(coarse, windows=4)
    assert float(dos.nyquist_frequency) == pytest.approx(12.5)
    with pytest.raises(
        NotEnoughData, match=r"store frames more often, every 0\.02 ps or less"
    ):  # the line at 12.67 THz is seen at 12.33, next to the limit
        md.vibrational_moments(dos)


def test_a_run_too_short_says_how_many_windows_it_has(run):
    short = run.replace(
        step={"step": "three frames"}, scaled_positions=run.scaled_positions[:3], velocities=run.velocities[:3], time=run.time[:3], cell=run.cell[:3]
    )
    with pytest.raises(NotEnoughData, match="pass windows=1 or fewer"):
        md.phonon_dos(short)
    with pytest.raises(NotEnoughData, match=r"windows=4 or more"):
        md.vibrational_moments(md.phonon_dos(short, windows=1))

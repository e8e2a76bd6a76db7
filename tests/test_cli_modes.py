"""mdtools mode-spectra from the shell."""

import ase.io
import lattices
import numpy as np
import pytest

from mdtools.chain import load
from mdtools.cli import main
from mdtools.harmonic.phonopy_files import read_phonopy


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Twelve atoms for 6 ps, as extended xyz."""
    monkeypatch.chdir(tmp_path)
    traj, _ = lattices.sampled(lattices.crystal(), np.diag([2, 1, 2]), n_frames=300, frame_interval=0.02, seed=1)
    with open("run.extxyz", "w") as file:
        for k in range(traj.n_frames):
            lattice = " ".join(f"{x:.10g}" for x in traj.cell[k].ravel())
            file.write(f'{traj.n_atoms}\nLattice="{lattice}" Properties=species:S:1:pos:R:3\n')
            for name, r in zip(traj.species, traj.scaled_positions[k] @ traj.cell[k], strict=True):
                file.write(f"{name} {' '.join(f'{x:.10g}' for x in r)}\n")
    return "run.extxyz"


def test_modes_are_listed_and_one_is_measured(run, files, capsys):
    phonopy = str(files / "phonopy/phonopy_params.yaml")
    assert main(["mode-spectra", run, "--frame-interval", "0.02", "--phonopy", phonopy, "--list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    frequency = read_phonopy(files / "phonopy/phonopy_params.yaml").at(np.array([0.5, 0, 0.5])).frequency[2]
    assert ["0.5,0,0.5", "3", f"{frequency:.4f}", "1", "0.000"] in lines
    assert sum(line[0].count(",") == 2 for line in lines if line) == 36
    assert main(["mode-spectra", run, "--frame-interval", "0.02", "--phonopy", phonopy, "--q", "0.5,0,0.5", "--band", "3", "--windows", "1"]) == 0
    [(_, found)] = load("mode_spectra.nc")
    peak = float(found.frequency[int(found.mode_coordinate_periodogram[0, 0].argmax("frequency"))])
    assert abs(peak - frequency) < float(found.frequency[1])
    pattern = ["--primitive", "POSCAR", "--pattern", "Ca=0 0 1,F1=0 0 -1", "--q", "0.5,0,0.5"]
    primitive = lattices.crystal()
    cell = ase.Atoms(primitive.symbols, cell=primitive.cell, scaled_positions=primitive.scaled, pbc=True)
    ase.io.write("POSCAR", cell, direct=True)
    assert main(["mode-spectra", run, "--frame-interval", "0.02", *pattern]) == 0


def test_other_results_with_frequencies_of_a_file_are_shown(run, files, capsys):
    told = [run, "--frame-interval", "0.02", "--phonopy", str(files / "phonopy/phonopy_params.yaml"), "--windows", "1"]
    assert main(["mode-spectra", *told, "--q", "0.5,0,0.5", "--band", "3"]) == 0
    assert main(["mode-frequencies", "mode_spectra.nc", "--temperature", "300"]) == 0
    assert "q = 0.5, 0, 0.5; band 3" in capsys.readouterr().out
    bands = ["--by", "band", "--velocities", "positions", "--path", "0.5 0 0  0.5 0 0.5"]
    assert main(["spectral-energy-density", *told, *bands]) == 0
    assert "spectral_energy_density_by_band" in capsys.readouterr().out


def test_an_imaginary_mode_is_named_with_the_options_that_measure_it(run, files, capsys):
    phonopy = str(files / "phonopy/imaginary.yaml")
    assert main(["mode-spectra", run, "--frame-interval", "0.02", "--phonopy", phonopy, "--list"]) == 0
    out = capsys.readouterr().out
    assert ["0.5,0,0.5", "1", "1.5000", "imaginary", "1", "0.000"] in [line.split() for line in out.splitlines()]
    [said] = [line for line in out.splitlines() if line.startswith("imaginary at 0 K")]
    assert said.endswith(": --q 0.5,0,0.5 --band 1 (1.5000 imaginary)")
    assert "-0.0000" not in out


def test_what_is_missing_is_one_line(run, capsys):
    assert main(["mode-spectra", run, "--frame-interval", "0.02"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["mode-spectra", run, "--frame-interval", "0.02", "--phonopy", "none.yaml"]) == 2
    assert "there is no file none.yaml" in capsys.readouterr().err


def test_a_verdict_asked_of_trajectories_says_which_command_comes_first(run, capsys):
    assert main(["detect", "soft-modes", run, "--phonopy", "phonopy_params.yaml"]) == 2
    said = "--phonopy is an option of mdtools mode-spectra: give it there, with --out mode_spectra.nc, and then mdtools detect soft-modes mode_spect"
    assert said in capsys.readouterr().err
    assert main(["detect", "soft-modes", run, "--frame-interval", "0.02"]) == 2
    error = capsys.readouterr().err
    assert "do that first, by mdtools mode-spectra run.extxyz ... --out mode_spectra.nc, and then mdtools detect soft-modes mode_spectra.nc" in error
    assert error.count("\n") == 1

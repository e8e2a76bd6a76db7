"""A recipe is checked word by word before anything starts, and then makes everything it names."""

from pathlib import Path

import pytest
import xarray as xr

import mdtools as md
from mdtools import job, recipe, synthetic
from mdtools.chain import load
from mdtools.cli import main

READ = '[read]\npath = "gas.lammpstrj"\ncharges = { A = 1, B = -1 }\nmasses = { A = 20, B = 20 }\ntemperature = 1000\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_dump):
    there = tmp_path_factory.mktemp("recipe")
    write_dump(synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=2), there / "gas.lammpstrj")
    return there


@pytest.fixture
def written(folder):
    def write(text: str) -> Path:
        path = folder / "recipe.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (READ + "[msdd]\n", r"no section \[msdd\]; did you mean msd\?"),
        (READ + "[msd]\nwindow = 2\n", r"\[msd\]: there is no option window; did you mean windows\?"),
        (READ + '[msd]\nwindows = "many"\n', "windows = 'many' is not understood; it takes a whole number"),
        (READ + "[msd]\nwindows = 2.5\n", "windows = 2.5 is not understood"),
        (READ + "[msd]\nwindows = true\n", "windows = True is not understood"),
        (READ + '[msd]\nlags = ["a"]\n', "lags = "),
        (READ.replace("temperature", "temprature"), r"\[read\]: there is no option temprature; did you mean temperature\?"),
        (READ.replace("gas.", "no."), "there is no file .*no.lammpstrj"),
        ("[msd]\n", r"needs one of \[read\] with path = ... and \[series\]"),
        (READ + '[series]\ntable = "x.csv"\n', r"needs one of \[read\] .* it has read and series"),
        ('[read]\ntimestep = "1 fs"\n', r"\[read\] needs path"),
        ("msd = 3\n" + READ, r"msd is not a section; write \[msd\]"),
        ("[read\n", "is not TOML"),
        (READ + '[report]\nouts = "x"\n', "did you mean out"),
    ],
)
def test_a_word_that_is_not_understood_is_refused_before_anything_is_read(text, says, written, monkeypatch):
    monkeypatch.setattr("mdtools.readers.read", lambda *args, **kwargs: pytest.fail("reading was begun"))
    with pytest.raises(ValueError, match=says):
        job.run(written(text))


def test_values_may_be_written_as_on_the_command_line(written):
    asked = recipe.read_recipe(written(READ + '[msd]\nlags = "1,2,5"\nwindows = 2\nreference = ["A"]\n'))
    assert asked.stages == {"msd": {"lags": [1.0, 2.0, 5.0], "windows": 2, "reference": ["A"]}}
    assert asked.reading["charges"] == {"A": 1, "B": -1}


def test_a_recipe_makes_a_file_for_each_section_and_the_report(written, folder, tmp_path, capsys):
    path = written(READ + "[msd]\nwindows = 2\n[self_diffusivity]\n[report]\ntitle = 'A gas'\n")
    assert main(["run", str(path), "--folder", str(tmp_path / "out")]) == 0
    assert "report.html" in capsys.readouterr().out
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"msd.nc", "self_diffusivity.nc", "report.html", "report.nc"}
    traj = md.read(folder / "gas.lammpstrj", charges={"A": 1, "B": -1}, masses={"A": 20, "B": 20}, temperature=1000)
    expected = md.msd(traj, windows=2)
    xr.testing.assert_identical(load(tmp_path / "out" / "msd.nc")[0][1].drop_attrs(), expected.drop_attrs())
    estimate = load(tmp_path / "out" / "self_diffusivity.nc")[0][1]
    assert md.history(estimate)[-2]["windows"] == 2
    assert "A gas" in (tmp_path / "out" / "report.html").read_text()


def test_a_recipe_for_a_series_reads_its_table(written, folder, tmp_path):
    (folder / "series.csv").write_text("path,temperature\ngas.lammpstrj,1000\n")
    path = written('[series]\ntable = "series.csv"\ncharges = { A = 1, B = -1 }\nmasses = { A = 20, B = 20 }\n[charge_displacement_msd]\n')
    job.run(path, folder=str(tmp_path))
    [(name, data)] = load(tmp_path / "charge_displacement_msd.nc")
    assert name == "gas"
    assert float(data.stated_temperature) == 1000


def test_through_the_shell_a_refused_recipe_is_one_line(written, capsys):
    assert main(["run", str(written(READ + "[msdd]\n"))]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_files_named_beside_a_run_are_meant_from_the_folder_of_the_recipe(written, folder):
    path = written('[read]\npath = "gas.lammpstrj"\nlog = ["a.log", "b.log"]\ntopology = "ions.data"\n\n[msd]\n')
    reading = recipe.read_recipe(path).reading
    assert reading["log"] == [str(path.parent / "a.log"), str(path.parent / "b.log")]
    assert reading["topology"] == str(path.parent / "ions.data")
    options = (
        '[mode_spectra]\nphonopy = "phonopy_params.yaml"\n\n[site_occupation]\nsites = "density"\n\n'
        '[quasielastic_width]\nresolution = "vanadium.dat"\n'
    )
    (path.parent / "vanadium.dat").write_text("0 1\n")
    stages = recipe.read_recipe(written('[read]\npath = "gas.lammpstrj"\n\n' + options)).stages
    assert stages["mode_spectra"]["phonopy"] == str(path.parent / "phonopy_params.yaml")
    assert stages["site_occupation"]["sites"] == "density"
    assert stages["quasielastic_width"]["resolution"] == str(path.parent / "vanadium.dat")

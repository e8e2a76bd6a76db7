"""The command line: made from the functions, quick to help, one line when it refuses."""

import inspect
import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import ase
import numpy as np
import pytest
import xarray as xr

import mdtools as md
from mdtools import progress, synthetic
from mdtools.catalogue import ANALYSES, DECISIONS, ESTIMATES, ON_REQUEST, VARIES
from mdtools.chain import Chain, Chains, chains_of, load
from mdtools.cli import main
from mdtools.cli.arguments import COMMANDS, RECIPES, SAVED_ONLY
from mdtools.cli.info import info
from mdtools.signatures import signature
from mdtools.values import parsed

STAGES = {**ANALYSES, **ESTIMATES, **DECISIONS}
MEASURED = ["--charges", "A=1,B=-1", "--masses", "A=20,B=20", "--temperature", "1000"]


@pytest.fixture(scope="module")
def dump(tmp_path_factory, write_dump):
    """A gas of ions that diffuses, with velocities, as a LAMMPS dump that says its units and times."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=1)
    return write_dump(gas, tmp_path_factory.mktemp("cli") / "gas.lammpstrj")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *words: str) -> str:
    """The one line of a refusal."""
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("mdtools: ")
    assert err.count("\n") == 1
    return err


# -- help -----------------------------------------------------------------------------------------------------------


def test_help_loads_nothing_heavy_and_is_quick():
    code = "import sys, time\nfrom mdtools.cli import main\nmain(['--help'])\nprint(time.process_time(), *sys.modules, file=sys.stderr)"
    seconds = []
    for _ in range(3):
        answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        time, *modules = answer.stderr.split()
        seconds.append(float(time))
    loaded = {name.split(".")[0] for name in modules}
    assert not loaded & {"jax", "xarray", "numpy", "scipy", "ase", "MDAnalysis", "matplotlib", "numba", "zarr", "rich"}
    assert min(seconds) <= 0.3  # of the processor, so that a busy machine does not fail it


def test_help_lists_every_command_with_the_first_line_of_its_docstring(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in STAGES:
        command = next(command for command, (_, function) in COMMANDS.items() if function == name)
        assert re.search(rf"^  {command} +{re.escape(inspect.getdoc(getattr(md, name)).splitlines()[0])}$", text, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_names_every_option_of_its_function_and_of_the_reader(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    _, function = COMMANDS[command]
    expected = set(inspect.signature(getattr(md, function)).parameters) if function in STAGES else set()
    expected -= {one.name for one in signature(function).inputs} if function in STAGES else set()
    if function not in (*RECIPES, *SAVED_ONLY):
        expected |= {name for name in inspect.signature(md.read).parameters if name != "path"}
    for option in expected:
        assert f"--{option.replace('_', '-')} " in text, option


@pytest.mark.parametrize("name", ["read", "report", *STAGES])
def test_what_is_read_from_the_source_is_what_python_sees(name):
    seen = inspect.signature(getattr(md, name)).parameters.values()
    found = signature(name)
    assert [one.name for one in found.inputs] == [one.name for one in seen if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert {o.name: o.default for o in found.options} == {one.name: one.default for one in seen if one.kind is one.KEYWORD_ONLY}
    assert all(option.kinds for option in found.options), "an option that cannot be written on a command line"


# -- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "option", "text", "value"),
    [
        ("msd", "windows", "4", 4),
        ("msd", "lags", "log", "log"),
        ("msd", "lags", "1,2,5", [1.0, 2.0, 5.0]),
        ("msd", "lags", "3", [3.0]),
        ("msd", "origins", "10", 10),
        ("msd", "reference", "P,S,Cl", ["P", "S", "Cl"]),
        ("msd", "reference", "none", "none"),
        ("read", "species", "1=Ca,2=F", {"1": "Ca", "2": "F"}),
        ("read", "charges", "Ca=2,F=-1", {"Ca": 2.0, "F": -1.0}),
        ("read", "timestep", "2 fs", "2 fs"),
        ("read", "timestep", "0.002", 0.002),
        ("read", "framework", "Ca", "Ca"),
        ("van_hove_distinct", "ordered", "true", True),
    ],
)
def test_an_option_is_read_as_its_annotation_says(function, option, text, value):
    found = parsed(text, signature(function).option(option))
    assert {str(k): v for k, v in found.items()} == value if isinstance(value, dict) else found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["msdd", "x"], "did you mean mdtools msd?"),
        (["msd"], "FILE"),
        (["msd", "{dump}", "--winows", "3"], "did you mean --windows?"),
        (["msd", "{dump}", "--windows", "many"], "--windows many is not understood; it takes a whole number"),
        (["msd", "{dump}", "--windows", "1000"], "pass windows="),
        (["msd", "{dump}", "--lags", "1000"], "lags must lie between"),
        (["msd", "nowhere.dump"], "there is no file nowhere.dump"),
        (["msd", "{dump}", "--device", "cuda:7"], "there is no device cuda:7"),
        (["msd", "{dump}", "--framework", "Xx"], "Xx"),
        (["charge-current-acf", "{dump}"], "--charges"),
        (["phonon-dos", "{dump}", "--masses", "A=20,B=20"], "--temperature"),
        (["detect"], "mdtools detect melting"),
        (["detect", "freezing", "{dump}"], "mdtools detect melting"),
        (["convert", "{dump}"], "gas.zarr"),
        (["convert", "{dump}", "--out", "store.h5"], "store.zarr"),
        (["run", "nowhere.toml"], "there is no recipe"),
        (["info", "."], "pass a file"),
        (["msd", "{readme}"], "pass a LAMMPS text dump, XDATCAR, extxyz"),
    ],
)
def test_a_refusal_is_one_line_that_says_what_to_write(words, says, dump, capsys):
    assert says in refused(capsys, *[word.format(dump=dump, readme=Path(__file__).parents[1] / "README.md") for word in words])


def test_a_file_without_a_time_step_is_refused_with_the_option_that_gives_it(tmp_path, capsys, write_dump):
    walk = synthetic.brownian(n_atoms=4, n_frames=8)
    path = write_dump(walk, tmp_path / "walk.lammpstrj", header=False, types=True)
    assert "--timestep" in refused(capsys, "msd", str(path), "--species", "1=A,2=B", "--units", "metal")
    assert "--species" in refused(capsys, "msd", str(path), "--units", "metal", "--timestep", "1 fs")
    assert "--units" in refused(capsys, "msd", str(path), "--species", "1=A,2=B", "--timestep", "1 fs")


def test_positions_only_are_refused_where_velocities_are_needed(tmp_path, capsys, write_dump):
    path = write_dump(synthetic.brownian(n_atoms=4, n_frames=40), tmp_path / "walk.lammpstrj")
    assert "velocities" in refused(capsys, "velocity-acf", str(path))


def test_a_bug_keeps_its_traceback(dump, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr("mdtools.cli.commands._make", broken)
    with pytest.raises(ZeroDivisionError):
        main(["msd", str(dump)])


def test_a_value_error_of_somebody_else_is_a_bug(dump, monkeypatch):
    monkeypatch.setattr("mdtools.cli.commands._make", lambda *args: json.loads("{"))
    with pytest.raises(ValueError, match="Expecting"):
        main(["msd", str(dump), *MEASURED])


def test_a_value_error_that_python_raises_in_our_code_is_a_bug(monkeypatch):
    monkeypatch.setattr("mdtools.cli.parse", lambda words: math.sqrt(-1.0))
    with pytest.raises(ValueError, match="math domain"):
        main(["info"])


def test_as_a_module_it_exits_with_the_same_code():
    answer = subprocess.run([sys.executable, "-m", "mdtools", "msdd"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert answer.stderr.count("\n") == 1
    assert not answer.stdout


# -- work -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def log_of_stress(tmp_path):
    """A LAMMPS log with a pressure tensor at every frame of the gas."""
    rows = np.random.default_rng(0).normal(0, 1e3, (200, 6))
    body = "".join(f"{k} 1000 {sum(row[:3]) / 3:.6f} {' '.join(f'{x:.6f}' for x in row)}\n" for k, row in enumerate(rows))
    head = "LAMMPS (29 Aug 2024)\nunits metal\ntimestep 0.05\nthermo 1\nrun 199\nStep Temp Press Pxx Pyy Pzz Pxy Pxz Pyz\n"
    (tmp_path / "log.lammps").write_text(f"{head}{body}Loop time of 1 on 1 procs for 199 steps with 32 atoms\n")
    return tmp_path / "log.lammps"


@pytest.mark.parametrize("name", [name for name in ANALYSES if not signature(name).option("primitive") and not signature(name).option("corners")])
def test_a_measurement_from_the_shell_is_that_of_the_library(name, dump, log_of_stress, capsys):
    command = name.replace("_", "-")
    options = ["--windows", "2"] if signature(name).option("windows") else []
    cannot_guess = {"protons": "A", "carriers": "B"} if name == "proton_displacement" else {}
    options += [part for key, value in cannot_guess.items() for part in (f"--{key}", value)]
    log = log_of_stress if name == "stress_fluctuations" else None
    assert main([command, str(dump), *MEASURED, *options, *(["--log", str(log)] if log else []), "--out", "out.nc"]) == 0
    out = capsys.readouterr().out
    assert "written to out.nc" in out
    traj = md.read(dump, charges={"A": 1, "B": -1}, masses={"A": 20.0, "B": 20.0}, temperature=1000, log=log)
    expected = getattr(md, name)(traj, windows=2, **cannot_guess)
    [(_, found)] = load("out.nc")
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())
    assert md.history(found)[-1] == md.history(expected)[-1]


def test_several_files_are_a_chain_of_restarts(dump, tmp_path):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=1)
    text = dump.read_text()
    at = [match.start() for match in re.finditer("ITEM: TIME\n", text)][100]
    (tmp_path / "1.lammpstrj").write_text(text[:at])
    (tmp_path / "2.lammpstrj").write_text("ITEM: UNITS\nmetal\n" + text[at:])
    assert main(["msd", "1.lammpstrj", "2.lammpstrj", "--reference", "none", "--lags", "2", "--out", "msd.nc"]) == 0
    found = md.msd(gas, reference="none", lags=[2.0]).msd
    assert load("msd.nc")[0][1].msd.values == pytest.approx(found.values, rel=1e-4)


def test_a_run_with_gaps_is_a_series_if_asked_and_every_command_takes_it(tmp_path, capsys, write_dump):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=300, frame_interval=0.05, seed=2)
    text = write_dump(gas, tmp_path / "gas.lammpstrj").read_text()
    head, *frames = text.split("ITEM: TIME\n")
    Path("cut.lammpstrj").write_text(head + "".join("ITEM: TIME\n" + frame for k, frame in enumerate(frames) if not 120 <= k < 150))
    assert "--gaps split" in refused(capsys, "msd", "cut.lammpstrj")
    assert main(["self-diffusivity", "cut.lammpstrj", *MEASURED, "--gaps", "split", "--out", "d.nc"]) == 0
    assert {name for name, _ in load("d.nc")} == {"segment 1", "segment 2"}
    capsys.readouterr()
    assert main(["info", "cut.lammpstrj", "--gaps", "split"]) == 0
    assert capsys.readouterr().out.count("of a run that was split at its gaps") == 2
    assert "--begin and --end" in refused(capsys, "convert", "cut.lammpstrj", "--gaps", "split", "--out", "cut.zarr")
    assert "it takes error, split" in refused(capsys, "msd", "cut.lammpstrj", "--gaps", "ignore")


def test_a_chain_is_audited_by_info_and_said_in_a_line_by_every_command(tmp_path, capsys, write_dump):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=60, frame_interval=0.05, seed=2)
    text = write_dump(gas, tmp_path / "gas.lammpstrj").read_text()
    head, *frames = text.split("ITEM: TIME\n")
    for name, part in (("run1", frames[:20]), ("run2", frames[18:40]), ("run10", frames[40:])):
        (tmp_path / f"{name}.lammpstrj").write_text(head + "".join("ITEM: TIME\n" + frame for frame in part))
    assert main(["info", "run*.lammpstrj"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"run1.lammpstrj +20 +18 +2 +0.05 +- ", shown.out)
    assert re.search(r"run10.lammpstrj +20 +20 +0 +0.05 +0.05 +0\.\d+", shown.out)
    assert main(["msd", "run*.lammpstrj", *MEASURED, "--out", "msd.nc"]) == 0
    assert "3 pieces joined, 2 of 62 frames dropped" in capsys.readouterr().err
    assert md.history(load("msd.nc")[0][1])[0]["pieces"][2]["piece"].endswith("run10.lammpstrj")


def test_estimates_from_a_trajectory_and_from_saved_measurements_are_the_same(dump, capsys):
    assert main(["self-diffusivity", str(dump), *MEASURED, "--out", "direct.nc"]) == 0
    assert "±" in capsys.readouterr().out
    assert main(["msd", str(dump), *MEASURED, "--out", "msd.nc"]) == 0
    assert main(["self-diffusivity", "msd.nc", "--out", "saved.nc"]) == 0
    direct, saved = load("direct.nc")[0][1], load("saved.nc")[0][1]
    xr.testing.assert_identical(direct.drop_attrs(), saved.drop_attrs())
    assert md.history(direct) == md.history(saved)


def test_a_conductivity_makes_what_it_needs(dump):
    assert main(["haven-ratio", str(dump), *MEASURED, "--out", "haven.nc"]) == 0
    steps = [step["step"] for step in md.history(load("haven.nc")[0][1])]
    assert {"msd", "charge_displacement_msd", "self_diffusivity", "ionic_conductivity", "haven_ratio"} <= set(steps)


def test_an_estimate_that_lacks_a_measurement_names_it(dump, capsys):
    assert main(["msd", str(dump), *MEASURED, "--out", "msd.nc"]) == 0
    line = refused(capsys, "ionic-conductivity", "msd.nc")
    assert "charge_displacement_msd.nc" in line
    assert "mdtools charge-displacement-msd" in line
    assert "saved results" in refused(capsys, "self-diffusivity", "msd.nc", "--stride", "2")


def test_detect_melting_gives_a_verdict_of_each_species(dump, capsys):
    assert main(["detect", "melting", str(dump), *MEASURED, "--out", "verdict.nc"]) == 0
    out = capsys.readouterr().out
    rows = out.splitlines()
    assert re.split("  +", rows[0]) == ["T (K)", "species", "state", "probability", "strongest evidence for", "strongest evidence against"]
    assert [row.split()[1] for row in rows[1:4]] == ["system", "A", "B"]
    assert all(row.startswith("1000 ") for row in rows[1:4])
    verdict = load("verdict.nc")[0][1]
    for row, name in zip(rows[2:4], "AB", strict=True):
        odds = verdict.evidence_log_odds.sel(species=name).dropna("indicator")
        assert str(odds.indicator.values[odds.values.argmax()]).replace("_", " ") in row
    assert "system_verdict" in out
    assert set(load("verdict.nc")[0][1].species.values) == {"A", "B"}


def test_a_series_table_gives_a_row_for_each_run_and_a_refused_run_does_not_stop_the_rest(tmp_path, capsys, write_dump):
    for number in (1, 2, 3):
        write_dump(synthetic.brownian(n_atoms=32, n_frames=200, diffusivity=0.2 * number), tmp_path / f"walk{number}.lammpstrj")
    (tmp_path / "broken.lammpstrj").write_text("ITEM: UNITS\nmetal\nITEM: TIMESTEP\n0\n")
    Path("series.csv").write_text("path,temperature\nwalk1.lammpstrj,900\nwalk2.lammpstrj,1100\nwalk3.lammpstrj,1200\nbroken.lammpstrj,1300\n")
    assert main(["self-diffusivity", "series.csv", "--masses", "A=1,B=1", "--out", "d.nc"]) == 0
    out = capsys.readouterr().out
    assert "walk1" in out
    assert "walk2" in out
    assert "not made: read broken.lammpstrj" in out
    assert [name for name, _ in load("d.nc")] == ["walk1", "walk2", "walk3"]
    assert main(["activation-energy", "d.nc", "--out", "e.nc"]) == 0
    assert main(["activation-energy", "series.csv", "--masses", "A=1,B=1", "--out", "e2.nc"]) == 0
    xr.testing.assert_identical(load("e.nc")[0][1].drop_attrs(), load("e2.nc")[0][1].drop_attrs())
    capsys.readouterr()
    assert main(["msd", "series.csv", "--masses", "A=1,B=1", "--out", "m.nc"]) == 0
    assert "not made: read broken.lammpstrj" in capsys.readouterr().out
    assert [name for name, _ in load("m.nc")] == ["walk1", "walk2", "walk3"]
    assert main(["activation-energy", "m.nc", "--out", "e3.nc"]) == 0
    xr.testing.assert_identical(load("e.nc")[0][1].drop_attrs(), load("e3.nc")[0][1].drop_attrs())


def test_results_are_not_measured(tmp_path, capsys, write_dump):
    write_dump(synthetic.brownian(n_atoms=8, n_frames=40), tmp_path / "walk.lammpstrj")
    assert main(["msd", "walk.lammpstrj", "--masses", "A=1,B=1"]) == 0
    capsys.readouterr()
    assert "msd.nc holds results; give the trajectory file, or a series table" in refused(capsys, "msd", "msd.nc")


def test_convert_writes_a_store_that_every_command_reads(dump):
    assert main(["convert", str(dump), *MEASURED, "--out", "gas.zarr"]) == 0
    assert main(["msd", "gas.zarr", "--windows", "2", "--out", "store.nc"]) == 0
    assert main(["msd", str(dump), *MEASURED, "--windows", "2", "--out", "file.nc"]) == 0
    xr.testing.assert_allclose(load("store.nc")[0][1].drop_attrs(), load("file.nc")[0][1].drop_attrs(), rtol=1e-6)


def test_a_killed_write_leaves_no_half_file(dump, monkeypatch):
    assert main(["msd", str(dump), *MEASURED, "--out", "msd.nc"]) == 0
    before = Path("msd.nc").read_bytes()

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "dump_to_store", killed)
    assert main(["msd", str(dump), *MEASURED, "--out", "msd.nc"]) == 130
    assert Path("msd.nc").read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["msd.nc"]


def test_an_out_that_cannot_be_written_is_refused(dump, capsys):
    assert "nowhere" in refused(capsys, "msd", str(dump), *MEASURED, "--out", "nowhere/msd.nc")


# -- info -----------------------------------------------------------------------------------------------------------


def test_info_says_what_was_understood_and_what_is_missing(dump, capsys):
    assert main(["info", str(dump)]) == 0
    out = capsys.readouterr().out
    for words in ("32 (A 16, B 16)", "frame interval 0.05 ps", "velocities", "--charges", "--temperature", "memory"):
        assert words in out
    assert main(["info", str(dump), *MEASURED]) == 0
    assert "--charges" not in capsys.readouterr().out


def test_a_report_makes_what_takes_long_only_where_it_is_asked_for():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=60, seed=1)
    runs = chains_of(gas)
    runs.make_all()
    assert not ON_REQUEST & (set(runs.members[0].made) | set(runs.members[0].refused))
    runs = chains_of(gas, options={"charge_displacement_by_distance": {"bins": 5}})
    runs.make_all()
    assert runs.members[0].made["charge_displacement_by_distance"].sizes["r"] == 5


def test_a_report_goes_on_from_what_was_given_as_a_file_too():
    crystal = synthetic.harmonic_crystal(cells=4, n_frames=400, seed=1).relabel({"Na": range(64)})
    sodium = ase.Atoms("Na", cell=[3, 3, 3], pbc=True)
    spectra = md.mode_spectra(crystal, primitive=sodium, q=[0.5, 0.5, 0.5], pattern={"Na": "1 0 0"})
    run = Chain(made={"mode_spectra": spectra})
    run.make_all()
    assert "mode_frequencies" in {*run.made, *run.refused}
    runs = Chains(members=[Chain(name=f"{one}", made={"msd": md.msd(crystal.replace(step={}, temperature=one))}) for one in (300.0, 600.0)])
    runs.make_all()
    assert not {"mode_frequencies", "detect_soft_modes"} & {*runs.refused, *runs.members[0].refused}


def test_info_says_no_exactly_where_the_functions_refuse():
    whole = synthetic.ornstein_uhlenbeck(n_atoms=32, n_frames=200, frame_interval=0.05, seed=1)
    bare = whole.replace(step={"step": "bare"}, velocities=None, charges=None)
    coarse = {name: {"spacing": 2.0} if name in ("van_hove_map", "density_map") else {} for name in ON_REQUEST}
    for traj in (whole, bare, bare.with_charges({"A": 1, "B": -1}), whole.replace(step={"step": "cold"}, temperature=None)):
        runs = chains_of(traj)
        runs.set_options(coarse)
        runs.make_all()
        for command, answer, missing in info(traj)[1]:
            name = command.replace("-", "_")
            if name in VARIES:
                assert answer == "no"
                continue
            refused_for_lack = name in runs.members[0].refused and " needs " in str(runs.members[0].refused[name])
            assert (answer == "no") == (refused_for_lack and "frames" not in str(runs.members[0].refused[name])), (name, missing)


def test_every_command_doubts_numbers_that_contradict_one_another(dump, capsys):
    """The log of another run gives its temperature to a conductivity that looks as any other."""
    log = Path("other.log")
    log.write_text(
        "units metal\ntimestep 0.001\nrun 100\nStep Temp Volume\n" + "".join(f"{50 * k} 400.0 1.0\n" for k in range(200)) + "Loop time of 1 on\n"
    )
    assert main(["msd", str(dump), *MEASURED, "--log", str(log)]) == 0
    err = capsys.readouterr().err
    assert "is it the log of another run" in err
    assert main(["self-diffusivity", "msd.nc"]) == 0  # and so does a result
    assert "is it the log of another run" in capsys.readouterr().err
    assert main(["convert", str(dump), "gas.zarr", *MEASURED[:4], "--log", str(log)]) == 0  # the store knows it, too
    Path("two.csv").write_text(f"name,path,log\none,{dump},{log.resolve()}\nother,{dump},{log.resolve()}\nsound,{dump},\n")
    capsys.readouterr()
    assert main(["msd", "gas.zarr"]) == 0
    assert capsys.readouterr().err.count("is it the log of another run") == 1
    assert main(["msd", "two.csv", *MEASURED]) == 0
    asked = [line.split(":")[0] for line in capsys.readouterr().err.splitlines() if "is it the log of another run" in line]
    assert asked == ["one", "other"]
    assert main(["msd", str(dump), *MEASURED]) == 0
    assert "?" not in capsys.readouterr().err


def test_a_part_of_a_long_run_is_said_with_the_option_that_takes_all(dump, capsys):
    assert main(["van-hove-self", str(dump), *MEASURED, "--windows", "4", "--displacement-budget", "100"]) == 0
    [said] = [line for line in capsys.readouterr().out.splitlines() if "--origins all" in line]
    stride = md.history(load("van_hove_self.nc")[0][1])[-1]["origin_stride"]
    assert said == f"van-hove-self took one time origin in {stride}, within its budget of work; --origins all takes every one"
    assert stride > 1
    assert main(["hop-distance", "van_hove_self.nc"]) == 0
    said = f"took one time origin in {stride}, within its budget of work; mdtools van-hove-self ... --origins all takes every one"
    assert said in capsys.readouterr().out  # of what an estimate stands on
    assert main(["van-hove-self", str(dump), *MEASURED, "--windows", "4", "--origins", "all"]) == 0
    assert "budget" not in capsys.readouterr().out


def test_a_stretch_of_the_windows_of_a_long_run_is_said(dump, capsys, monkeypatch):
    monkeypatch.setattr("mdtools.analyses.sampled.SHORTEST", 8)
    waves = [*MEASURED, "--windows", "2", "--hkl", "1 0 0"]
    assert main(["intermediate-scattering", str(dump), *waves, "--phase-budget", "1"]) == 0
    [said] = [line for line in capsys.readouterr().out.splitlines() if "--stretch all" in line]
    data = load("intermediate_scattering.nc")[0][1]
    words = f"the first {data.sizes['lag']} of {int(data.n_frames) // 2} frames of each window"
    assert said == f"intermediate-scattering took {words}, within its budget of work; --stretch all takes every one"
    assert main(["intermediate-scattering", str(dump), *waves, "--stretch", "all"]) == 0
    assert "budget" not in capsys.readouterr().out


def test_that_fewer_wave_vectors_were_taken_is_said(dump, capsys):
    waves = [*MEASURED, "--windows", "2", "--q-max", "8"]
    assert main(["current-correlation", str(dump), *waves, "--phase-budget", "1"]) == 0
    [said] = [line for line in capsys.readouterr().out.splitlines() if "--n-q" in line]
    words = "about 40 wave vectors in place of 100, within its budget of work; --n-q 100 takes as many"
    assert said == f"current-correlation took {words}"
    assert main(["current-correlation", str(dump), *waves, "--n-q", "100"]) == 0
    assert "--n-q" not in capsys.readouterr().out


def test_how_many_ions_of_each_species_were_taken_is_said(dump, capsys):
    assert main(["intermediate-scattering-self", str(dump), *MEASURED, "--windows", "2", "--hkl", "1 0 0", "--phase-budget", "1"]) == 0
    [said] = [line for line in capsys.readouterr().out.splitlines() if "--ions all" in line]
    assert md.history(load("intermediate_scattering_self.nc")[0][1])[-1]["ions_taken"] == {"A": 1, "B": 1}
    words = "a part of the ions of A (1 in each window), of B (1 in each window)"
    assert said == f"intermediate-scattering-self took {words}, within its budget of work; --ions all takes every one"
    assert main(["intermediate-scattering-self", str(dump), *MEASURED, "--windows", "2", "--hkl", "1 0 0", "--ions", "A=2,B=1"]) == 0
    assert "budget" not in capsys.readouterr().out
    assert md.history(load("intermediate_scattering_self.nc")[0][1])[-1]["ions"] == {"A": 2, "B": 1}


def test_info_says_in_what_the_runs_of_a_series_must_differ_and_that_two_phases_need_a_barostat():
    lacking = {row[0]: row[2] for row in info(synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=20, frame_interval=0.05, seed=1))[1]}
    assert lacking["activation-energy"].startswith("several temperatures")
    assert lacking["isotope-exponent"].startswith("runs that differ in the mass")
    assert lacking["activation-volume"].startswith("several pressures")
    assert "barostat" in lacking["enthalpy-bimodality"]


# -- progress -------------------------------------------------------------------------------------------------------


def test_a_log_has_one_line_a_minute():
    now = [0.0]
    stream = io.StringIO()
    line = progress.LogLines(stream, clock=lambda: now[0])
    for done in range(1, 361):
        now[0] += 1.0
        line("msd", done, 720, "atoms", 2_000_000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"msd: \d+ of 720 atoms, 2 MB/s, 0:\d\d:\d\d left, peak memory [\d.]+ GB", lines[0])


def test_measuring_says_how_far_it_is():
    said = []
    with progress.listening(lambda *what: said.append(what)):
        chains_of(synthetic.brownian(n_atoms=8, n_frames=50)).members[0].make("msd")
    assert said[-1][:4] == ("msd (synthetic.brownian)", 8, 8, "atoms")
    assert all(what[4] > 0 for what in said)


def test_a_ramp_gets_a_map_and_a_list_of_temperatures(write_dump, tmp_path, capsys):
    """A gas that is heated from 500 to 1600 K, its velocities with it: `detect melting --ramp` is `detect ramp`, without a probability."""
    gas = synthetic.ornstein_uhlenbeck(n_atoms=64, n_frames=320)
    kelvin = np.linspace(500, 1600, gas.n_frames)
    write_dump(
        replace(gas, velocities=gas.velocities * np.sqrt(kelvin / gas.temperature)[:, None, None].astype(np.float32)), tmp_path / "ramp.lammpstrj"
    )
    masses = ",".join(f"{name}={gas.masses[gas.species == name][0]:g}" for name in gas.species_names)
    words = ["ramp.lammpstrj", "--masses", masses, "--out", "map.nc"]
    shown = []
    for command in (["detect", "melting", *words, "--ramp"], ["detect", "ramp", *words]):
        assert main(command) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    rows = shown[0].splitlines()
    assert rows[0].split()[:4] == ["from", "(ps)", "T", "(K)"]
    assert float(rows[1].split()[1]) == pytest.approx(530, abs=60)
    assert float(rows[16].split()[1]) > 2 * float(rows[1].split()[1])
    assert "worth runs at one temperature" in shown[0]
    assert "probability" not in shown[0]
    assert load("map.nc")[0][1].suggested_temperature.size >= 2

"""Logs of LAMMPS: three styles, several runs, whatever is printed in between, cut anywhere; and the commands that they echo."""

import contextlib
import gzip
import re

import numpy as np
import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers.lammps_input import Commands
from mdtools.readers.lammps_log import read_lammps_log


@pytest.fixture
def text(files):
    return lambda name: gzip.decompress((files / "lammps" / name).read_bytes()).decode()


@pytest.fixture
def parsed(tmp_path):
    def parse(content):
        path = tmp_path / "log.lammps"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_lammps_log(path)

    return parse


def naive_rows(content):
    """Rows of one-line tables, by nothing but their look."""
    rows = [line.split() for line in content.splitlines() if re.fullmatch(r"\s+\d+(\s+[-+.\deE]+){19}\s*", line)]
    return np.array(rows, dtype=float)


def test_one_line_tables_are_their_rows(files, text):
    runs = read_lammps_log(files / "lammps" / "caf2" / "log.prod.gz")
    rows = naive_rows(text("caf2/log.prod.gz"))
    assert [len(run.steps) for run in runs] == [11, 91]
    assert [(run.first, run.last) for run in runs] == [(0, 2000), (2000, 20_000)]
    for name, column in {"Temp": 2, "Press": 3, "Volume": 4, "PotEng": 6, "Pxx": 14, "Pyz": 19}.items():
        np.testing.assert_array_equal(np.concatenate([run.columns[name] for run in runs]), rows[:, column])
    assert runs[0].n_atoms == 375
    assert runs[0].per_atom is False
    assert runs[0].thermostats == ((1500.0, 1500.0),)
    assert "scaled_image_charge.lammpstrj.gz" in runs[0].dumps
    assert runs[0].timestep == 0.001


@pytest.mark.parametrize(("name", "columns"), [("real", 13), ("si", 11), ("metal", 14)])
def test_every_style_cut_anywhere_gives_the_rows_before_the_cut(text, parsed, name, columns):
    content = text(f"units/log.{name}.gz")
    (intact,) = parsed(content)
    assert len(intact.steps) == 5
    assert len(intact.columns) >= columns - 2
    start, stop = content.index("Per MPI"), content.index("Loop time")
    lengths = set()
    for end in range(start, stop, 3):
        runs = None
        with contextlib.suppress(TrajectoryError):
            runs = parsed(content[:end])
        if runs is None:  # cut before the first whole row
            assert lengths == set()
            continue
        n = len(runs[0].steps)
        lengths.add(n)
        np.testing.assert_array_equal(runs[0].steps, intact.steps[:n])
        for key, values in runs[0].columns.items():
            np.testing.assert_array_equal(values, intact.columns[key][:n])
        assert runs[0].notes, "a cut is said"
    assert lengths >= {1, 2, 3, 4}


@pytest.mark.parametrize("name", ["real", "si", "metal"])
def test_what_is_printed_between_rows_is_no_row(text, parsed, name):
    content = text(f"units/log.{name}.gz")
    (intact,) = parsed(content)
    head, table = content.split("Per MPI", 1)
    table, tail = table.split("Loop time", 1)
    talk = "WARNING: Shake determinant < 0.0 (src/fix_shake.cpp:123)\nSHAKE stats (type/ave/delta/count) on step 20\n  4  1.0 2e-5\n17 3.0\n"
    lines = table.split("\n")
    # before every step, so never within one of the multi style
    marked = [line if k < 3 or not re.match(r"\s*(\d+ |- \[|-+ Step)", line) else talk + line for k, line in enumerate(lines)]
    (mixed,) = parsed(head + "Per MPI" + "\n".join(marked) + "Loop time" + tail)
    np.testing.assert_array_equal(mixed.steps, intact.steps)
    for key, values in mixed.columns.items():
        np.testing.assert_array_equal(values, intact.columns[key])


def test_rows_that_go_back_or_carry_no_whole_step_were_printed_by_something_else(text, parsed):
    content = text("units/log.metal.gz")
    (intact,) = parsed(content)
    lines = content.split("\n")
    at = next(k for k, line in enumerate(lines) if re.match(r"\s+20 ", line))
    lines.insert(at + 1, re.sub(r"^\s+20 ", " 20.5 ", lines[at]))
    lines.insert(at + 1, re.sub(r"^\s+20 ", " 3 ", lines[at]))
    (mixed,) = parsed("\n".join(lines))
    np.testing.assert_array_equal(mixed.columns["Temp"], intact.columns["Temp"])
    assert "2 rows" in mixed.notes[0]


def test_windows_line_ends_and_an_appended_log_are_the_same(text, parsed):
    content = text("units/log.metal.gz")
    (intact,) = parsed(content)
    (windows,) = parsed(content.replace("\n", "\r\n"))
    np.testing.assert_array_equal(windows.columns["Press"], intact.columns["Press"])
    cut = content[: content.index("Loop time")]
    one, two = parsed(cut + text("units/log.lj.gz"))
    assert (one.units, two.units) == ("metal", "lj")
    assert "did not reach its end" in one.notes[0]
    np.testing.assert_array_equal(one.columns["Temp"], intact.columns["Temp"])


def test_a_minimization_is_no_run(text, parsed):
    content = text("units/log.metal.gz")
    (run,) = parsed(content.replace("run 40", "minimize 1e-6 1e-8 100 1000") + content)
    assert len(run.steps) == 5
    with pytest.raises(TrajectoryError, match="holds no table"):
        parsed(content.replace("Total # of neighbors", "Minimization stats:\nTotal # of neighbors"))


@pytest.mark.parametrize("content", ["", "LAMMPS (2 Aug 2023)\nunits metal\n", "hello\n\x00\xff", "Step Temp\nthese are words\n", "Step\n" * 50])
def test_what_is_no_log_is_refused(parsed, content):
    with pytest.raises(TrajectoryError, match=r"holds no table|is empty"):
        parsed(content)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["fix 1 all nvt temp 300 300 0.1"], [(300, 300)]),
        (["fix 1 all npt temp 300.0 600.0 0.1 iso 0 0 1"], [(300, 600)]),
        (["fix 1 all npt iso 0 0 1 temp 500 500 0.1"], [(500, 500)]),
        (["fix 1 all nvt/kk temp 300 300 $(100*dt)", "fix 1 all nvt/kk temp 300 300 0.1"], [(300, 300)]),
        (["fix l li langevin 900 900 0.1 48279 zero yes", "fix 2 all nve"], [(900, 900)]),
        (["fix b all temp/berendsen 300.0 300.0 100.0"], [(300, 300)]),
        (["fix r all temp/rescale 100 1.0 1.1 0.02 0.5"], [(1.0, 1.1)]),
        (["fix c all temp/csvr 300 300 0.1 54324"], [(300, 300)]),
        (["fix rg all rigid/nvt/small molecule temp 300 300 100"], [(300, 300)]),
        (["fix 1 all nvt temp 300 300 0.1", "unfix 1"], []),
        (["fix 1 all nvt temp 300 300 0.1", "fix 1 all nve"], []),
        (["fix 1 all nvt temp 300 300 0.1", "clear"], []),
        (["fix 1 all nvt &", "  temp 300 310 0.1"], [(300, 310)]),
        (["fix 1 all nph iso 0 0 1", "fix 2 all press/langevin iso 0 0 1 temp 300 300 5", "fix 3 all nve"], []),
        (["# fix 1 all nvt temp 300 300 0.1"], []),
        (["fix 1 all ave/time 1 1 1 c_thermo_temp file temp.dat"], []),
    ],
)
def test_thermostats_that_act(lines, expected):
    commands = Commands()
    for line in lines:
        commands.read(line)
    assert list(commands.thermostats.values()) == expected


def test_a_thermostat_set_by_a_variable_states_nothing():
    commands = Commands()
    commands.read("fix 1 all nvt temp v_ramp v_ramp 0.1")
    assert np.isnan(list(commands.thermostats.values())).all()


def test_units_time_step_norm_and_dumps():
    commands = Commands()
    for line in (
        "units real",
        "timestep 0.5",
        "thermo_modify norm yes flush yes",
        "dump 1 all custom 10 out/run.*.dump id x y z",
        "dump 2 all atom 1 b.dump",
    ):
        commands.read(line)
    assert (commands.units, commands.timestep, commands.norm) == ("real", 0.5, True)
    commands.read("thermo_style custom step temp")
    commands.read("undump 2")
    assert commands.norm is None
    assert list(commands.dumps.values()) == ["run.*.dump"]

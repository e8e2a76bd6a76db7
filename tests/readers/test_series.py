"""Tables of runs."""

import pytest

from mdtools.errors import TrajectoryError
from mdtools.readers import read_series

ROWS = [[1, 1, 1.0, 1.0, 1.0]]
OPTIONS = {"units": "metal", "timestep": 0.1}


@pytest.fixture
def runs(dump, tmp_path):
    for temperature in (300, 600):
        dump("id type x y z", [ROWS] * 5, name=f"run_{temperature}.lammpstrj")
    return tmp_path


def test_a_csv_table_is_read_beside_its_files(runs):
    table = runs / "series.csv"
    table.write_text('name,path,temperature,replica,begin,species\ncold,run_300.lammpstrj,300,1,,"1=Li"\nhot, run_600.lammpstrj, 600,2,1 ps,1=Na\n')
    series = read_series(table, **OPTIONS)
    assert series.names == ("cold", "hot")
    assert series.temperatures == {"cold": 300.0, "hot": 600.0}
    cold, hot = (member for _, member in series)
    assert (cold.n_frames, hot.n_frames) == (5, 4)
    assert (cold.species_names, hot.species_names) == (["Li"], ["Na"])
    assert series.rows[1]["replica"] == 2


def test_a_toml_table_has_common_options_and_runs(runs):
    table = runs / "series.toml"
    table.write_text(
        'units = "metal"\ntimestep = 0.1\nspecies = {1 = "Li"}\n[[run]]\nname = "both"\npaths = ["run_300.lammpstrj"]\ntemperature = 300\n'
        '[[run]]\npath = "run_600.lammpstrj"\nspecies = {1 = "Na"}\nstride = 2\n'
    )
    series = read_series(table)
    assert series.names == ("both", "run_600.lammpstrj")
    assert [member.n_frames for _, member in series] == [5, 3]
    assert [member.species_names for _, member in series] == [["Li"], ["Na"]]


def test_dicts_and_lists_are_tables(runs):
    cold, hot = runs / "run_300.lammpstrj", runs / "run_600.lammpstrj"
    by_name = read_series({"a": cold, "b": {"path": hot, "temperature": 600}}, species={1: "Li"}, **OPTIONS)
    assert by_name.names == ("a", "b")
    assert by_name.temperatures == {"a": None, "b": 600.0}
    listed = read_series([{"path": str(cold), "name": "x"}, str(hot)], species={1: "Li"}, **OPTIONS)
    assert listed.names == ("x", str(hot))
    assert len(list(listed)) == 2


def test_several_files_of_a_run_stand_in_one_cell(runs, dump):
    dump("id type x y z", [ROWS] * 2, steps=[50, 60], name="more.lammpstrj")
    (runs / "series.csv").write_text("name,path\nall,run_300.lammpstrj; more.lammpstrj\n")
    ((_, member),) = read_series(runs / "series.csv", species={1: "Li"}, **OPTIONS)
    assert member.n_frames == 7


def test_a_refused_member_does_not_stop_the_rest(runs):
    table = {"good": runs / "run_300.lammpstrj", "lost": runs / "nothing.lammpstrj"}
    series = read_series(table, species={1: "Li"}, **OPTIONS)
    assert [name for name, _ in series] == ["good"]
    assert "cannot be opened" in str(series.refused["lost"])
    assert series.describe()["lost"].startswith("refused: ")
    with pytest.raises(TrajectoryError, match=r"lost: .*cannot be opened"):
        read_series(table, errors="raise", species={1: "Li"}, **OPTIONS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,temperature\na,300\n", "row 1 of the series has no path"),
        ("name,path,colour\na,b,red\n", "unknown columns colour"),
        ("name,path\na,b\na,c\n", "names a more than once"),
        ("name,path\n", "holds no run"),
        ("name,path,temperature\na,b,hot\n", "temperature is 'hot', which is not a number"),
        ("name,path,species\na,b,1=Ca,2=F\n", "more fields than the head; put values that hold commas in quotes"),
    ],
)
def test_a_table_that_is_not_understood_is_refused(text, message, tmp_path):
    (tmp_path / "series.csv").write_text(text)
    with pytest.raises(TrajectoryError, match=message):
        read_series(tmp_path / "series.csv")


def test_other_things_are_no_table(tmp_path):
    for thing, message in [(tmp_path / "no.csv", "no such table"), (3, "a series is a CSV or TOML file"), ({"a": "x"}, None)]:
        if message:
            with pytest.raises(TrajectoryError, match=message):
                read_series(thing)
    (tmp_path / "bad.toml").write_text("this is no toml")
    with pytest.raises(TrajectoryError, match="is not a TOML file"):
        read_series(tmp_path / "bad.toml")
    (tmp_path / "empty.toml").write_text("units = 'metal'")
    with pytest.raises(TrajectoryError, match=r"write \[\[run\]\] above each"):
        read_series(tmp_path / "empty.toml")
    with pytest.raises(TrajectoryError, match="pass errors='keep' or 'raise'"):
        read_series({"a": "x"}, errors="ignore")

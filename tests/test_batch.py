"""A recipe in parts: runs made one by one, killed, taken up and gathered are the recipe made at once."""

import html
import subprocess
import sys
from pathlib import Path

import pytest
import submitit
import xarray as xr

from mdtools import batch, chain, job, recipe, synthetic
from mdtools.cli import main
from mdtools.errors import NotEnoughData, TrajectoryError

RECIPE = """[series]
table = "series.csv"
charges = {{ A = 1, B = -1 }}
masses = {{ A = 20, B = 20 }}
[msd]
windows = 2
[self_diffusivity]
[hop_distance]
[van_hove_self]
windows = {windows}
[report]
everything = false
[slurm]
device = "cpu"
memory = "3G"
sbatch = "partition=long"
"""


@pytest.fixture
def folder(tmp_path, write_dump, monkeypatch):
    for k in range(2):
        write_dump(synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=100, frame_interval=0.05, seed=k), tmp_path / f"gas{k}.lammpstrj")
    (tmp_path / "series.csv").write_text("path,temperature\n" + "".join(f"gas{k}.lammpstrj,{1000 + 100 * k}\n" for k in range(2)))
    (tmp_path / "recipe.toml").write_text(RECIPE.format(windows=2))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made_by(folder: Path) -> dict[str, xr.Dataset]:
    return {f"{run}/{chain.stage_of(data)}": data.drop_attrs() for run, data in chain.load(folder / "report.nc")}


def test_runs_made_one_by_one_and_gathered_are_the_recipe_made_at_once(folder):
    with pytest.raises(NotEnoughData, match=r"\[hop_distance\] could not be made, everything else was: hop_distance"):
        job.run("recipe.toml", folder="whole")
    for k in range(2):
        job.run("recipe.toml", folder="parts", member=k)
    job.run("recipe.toml", folder="parts", gather=True)
    whole, parts = made_by(folder / "whole"), made_by(folder / "parts")
    assert set(parts) == set(whole)
    for name, data in whole.items():
        xr.testing.assert_allclose(parts[name], data, rtol=1e-12)
    assert {one.name for one in (folder / "parts").iterdir()} == {one.name for one in (folder / "whole").iterdir()} | {"runs"}
    assert "hop distance" in (folder / "parts" / "report.html").read_text().lower()  # what a task could not make is on the page, with its reason


def test_a_killed_task_is_taken_up_after_its_last_result(folder, monkeypatch, capsys):
    asked = recipe.read_recipe(folder / "recipe.toml")
    first = batch.tasks(asked, folder)[0]

    def killed(data, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("mdtools.analyses.van_hove.van_hove_self", killed)
    with pytest.raises(KeyboardInterrupt):
        batch.made(first)
    assert not first.is_finished()
    assert sorted(one.name for one in first.beside.glob("0/*.nc")) == ["msd.nc", "self_diffusivity.nc"]
    monkeypatch.undo()
    monkeypatch.setattr("mdtools.analyses.displacement.msd", lambda *args, **kwargs: pytest.fail("msd was measured again"))
    batch.made(first)
    assert "taken up after 2 results" in capsys.readouterr().out
    assert first.is_finished()
    assert not first.beside.exists()
    batch.made(first)
    assert "finished already" in capsys.readouterr().out


def test_another_recipe_or_another_file_is_made_again(folder, write_dump):
    task = batch.tasks(recipe.read_recipe("recipe.toml"), folder)[0]
    batch.made(task)
    (folder / "recipe.toml").write_text(RECIPE.format(windows=3))
    assert not batch.tasks(recipe.read_recipe("recipe.toml"), folder)[0].is_finished()
    (folder / "recipe.toml").write_text(RECIPE.format(windows=2).replace("[report]", "[report]\ntitle = 'Another'"))
    assert batch.tasks(recipe.read_recipe("recipe.toml"), folder)[0].is_finished()
    write_dump(synthetic.ornstein_uhlenbeck(n_atoms=16, n_frames=100, frame_interval=0.05, seed=9), folder / "gas0.lammpstrj")
    assert not batch.tasks(recipe.read_recipe("recipe.toml"), folder)[0].is_finished()


def test_what_is_missing_is_listed_and_the_rest_is_there(folder, capsys):
    text = (folder / "gas1.lammpstrj").read_text()
    (folder / "gas1.lammpstrj").write_text(text.replace("ITEM: ATOMS id element", "ITEM: ATOMS id elephant"))
    assert main(["run", "recipe.toml", "--member", "0"]) == 0
    assert main(["run", "recipe.toml", "--member", "1"]) == 2
    capsys.readouterr()
    assert main(["run", "recipe.toml", "--gather"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("mdtools: 1 of 2 runs are in ")
    assert "missing: gas0:" not in said.out
    assert "missing: gas1" in said.err
    assert said.err.count("\n") == 1
    page = (folder / "report.html").read_text()
    assert (folder / "runs" / "gas1.failed").read_text().strip() in html.unescape(page)
    assert {name.split("/")[0] for name in made_by(folder)} == {"gas0"}


def test_a_missing_file_stops_everything_before_it_begins(folder):
    (folder / "gas1.lammpstrj").unlink()
    with pytest.raises(TrajectoryError, match=r"there is no file for gas1: .*gas1.lammpstrj; mend the table"):
        job.run("recipe.toml", member=0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--member", "2"], "there is no member 2: the recipe has 2 runs"),
        (["--member", "0", "--gather"], "pass one of them"),
        (["--gather"], "none of the 2 runs is finished"),
    ],
)
def test_parts_that_are_not_there_are_refused(words, says, folder, capsys):
    assert main(["run", "recipe.toml", *words]) == 2
    assert says in capsys.readouterr().err


def test_the_scripts_name_what_is_left(folder, capsys):
    job.run("recipe.toml", member=1)
    assert main(["slurm", "recipe.toml", "--at-once", "2", "--cpus", "3", "--setup", "module load x"]) == 0
    said = capsys.readouterr().out
    assert "2 runs, of which 1 are finished" in said
    assert f"sbatch --dependency=afterany:$(sbatch --parsable {folder}/array.slurm) {folder}/gather.slurm" in said
    array = (folder / "array.slurm").read_text().splitlines()
    for line in ("--array=0%2", "--cpus-per-task=3", "--mem=3G", "--partition=long"):
        assert f"#SBATCH {line}" in array
    assert not any("gpus" in line for line in array)
    assert "module load x" in array
    assert array[-1].endswith('--member "$SLURM_ARRAY_TASK_ID" --device cpu')
    assert main(["slurm", "recipe.toml", "--device", "cuda"]) == 0
    array = (folder / "array.slurm").read_text()
    assert "#SBATCH --gpus-per-task=1\n" in array
    assert "--device cuda:0" in array
    assert "gpus" not in (folder / "gather.slurm").read_text()


def test_without_sbatch_submitting_is_refused_in_a_line(folder, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert main(["slurm", "recipe.toml", "--submit"]) == 2
    assert "there is no sbatch here" in capsys.readouterr().err


def test_the_scripts_are_shell(folder):
    assert main(["slurm", "recipe.toml"]) == 0
    for script in ("array.slurm", "gather.slurm"):
        subprocess.run(["bash", "-n", script], check=True)
    assert sys.executable in (folder / "array.slurm").read_text()
    assert (folder / "logs").is_dir()


def test_a_notebook_hands_tasks_to_submitit(folder):
    """As in notebook 09, whose executor is that of SLURM: the task is sent to a process of its own."""
    executor = submitit.LocalExecutor(folder=folder / "logs")
    executor.update_parameters(timeout_min=5)
    [task] = executor.map_array(lambda member: job.run("recipe.toml", member=member), [1])
    task.result()
    first, second = batch.tasks(recipe.read_recipe("recipe.toml"), folder)
    assert second.is_finished()
    assert not first.is_finished()
    assert "gas1: 3 results, 1 could not be made" in task.stdout()

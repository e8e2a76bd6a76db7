"""A real SLURM of two nodes on this machine: an array that is killed and submitted again, and one run on two nodes.

Where SLURM is not installed, and this is a CI machine on which we are root, it is installed; anywhere else these tests are
skipped, and say what they lack.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr
from debian import lacking

from mdtools import chain

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data"
PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "munged")
RECIPE = """[series]
table = "series.csv"
charges = { Ca = 2, F = -1 }
framework = "Ca"
end = 5.0
[msd]
[self_diffusivity]
[report]
everything = false
[slurm]
device = "cpu"
cpus = 1
memory = "1G"
time = "00:05:00"
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    root = sys.platform == "linux" and os.getuid() == 0
    reason = lacking(PROGRAMS, PACKAGES) if root else "it takes root on Linux"
    if reason:
        pytest.skip(f"SLURM IS NOT TESTED: {reason}")
    folder = tmp_path_factory.mktemp("slurm")
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
    patch.setenv("JAX_PLATFORMS", "cpu")
    try:
        up = subprocess.run([HERE / "up", folder], capture_output=True, text=True, timeout=60)
        if up.returncode:
            pytest.skip(f"SLURM IS NOT TESTED: it does not start on this machine: {up.stderr[-2000:]}")
        yield folder
    finally:
        subprocess.run([HERE / "down", folder], timeout=60)
        patch.undo()


def mdtools(*words: str) -> str:
    answer = subprocess.run([sys.executable, "-m", "mdtools", *words], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def squeue(*words: str) -> list[str]:
    return subprocess.run(["squeue", "--noheader", "--array", *words], capture_output=True, text=True, timeout=20, check=True).stdout.splitlines()


def until(done, folder: Path, seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not done():
        logs = "\n".join(f"{path.name}:\n{path.read_text()[-3000:]}" for path in sorted((folder / "logs").glob("*.log")))
        assert time.monotonic() < end, f"SLURM has not ended:\n{squeue()}\n{logs}"
        time.sleep(0.2)


def test_an_array_is_killed_submitted_again_and_gathered(slurm, tmp_path):
    names = [f"caf2_{kelvin}K" for kelvin in (1000, 1400, 1600, 1800)]
    (tmp_path / "series.csv").write_text("path,temperature\n" + "".join(f"{DATA / name}.lammpstrj.zst,{name[5:9]}\n" for name in names))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    said = mdtools("slurm", str(recipe), "--submit")
    assert "tasks 0-3" in said
    job = said.split("submitted as job ")[1].split(":")[0]
    # one task is killed as soon as it has kept a result, or is still waiting with three others before it
    kept = tmp_path / "runs" / f".{names[2]}.part" / "0"
    until(lambda: list(kept.glob("*.nc")), tmp_path)
    subprocess.run(["scancel", "--signal=KILL", "--full", f"{job}_2"], check=True, timeout=20)
    until(lambda: not squeue(), tmp_path)
    assert {path.stem for path in (tmp_path / "runs").glob("*.nc")} == set(names) - {names[2]}
    log = (tmp_path / "logs" / "gather.log").read_text()
    assert f"mdtools: 3 of 4 runs are in {tmp_path}/report.html; missing: {names[2]}" in log
    assert len(chain.load(tmp_path / "self_diffusivity.nc")) == 3
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*.nc")}

    assert "tasks 2\n" in mdtools("slurm", str(recipe), "--submit")
    until(lambda: not squeue(), tmp_path)
    assert "taken up after" in (tmp_path / "logs" / "2.log").read_text()
    assert [name for name, _ in chain.load(tmp_path / "self_diffusivity.nc")] == names
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert all(name in (tmp_path / "report.html").read_text() for name in names)
    assert "4 runs, of which 4 are finished" in mdtools("slurm", str(recipe))


SHARED = """[read]
path = "{path}"
charges = {{ Ca = 2, F = -1 }}
end = 2.0
[msd]
[charge_displacement_msd]
[van_hove_distinct]
[report]
everything = false
"""


def test_two_nodes_find_what_one_process_finds(slurm, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(SHARED.format(path=DATA / "caf2_1600K.lammpstrj.zst"))
    words = [sys.executable, "-m", "mdtools", "run", str(recipe), "--folder"]
    shared = ["srun", "--nodes=2", "--ntasks=2", "--mem=1G", "--time=5", "--export=ALL", *words, str(tmp_path / "two"), "--distributed"]
    answer = subprocess.run(shared, capture_output=True, text=True, timeout=200)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.count("written to") == 1  # one process writes
    mdtools(*words[3:], str(tmp_path / "one"))
    assert {path.name for path in (tmp_path / "two").iterdir()} == {path.name for path in (tmp_path / "one").iterdir()}
    for name in ("msd", "charge_displacement_msd", "van_hove_distinct"):
        [(_, two)], [(_, one)] = (chain.load(tmp_path / folder / f"{name}.nc") for folder in ("two", "one"))
        xr.testing.assert_allclose(two, one, rtol=1e-10)
    counts = [chain.load(tmp_path / folder / "van_hove_distinct.nc")[0][1].van_hove_count for folder in ("two", "one")]
    assert (counts[0] == counts[1]).all()

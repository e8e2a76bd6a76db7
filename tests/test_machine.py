"""Where a command computes, and where compiled programs are kept, as a shell sees it."""

import functools
import os
import subprocess
import sys

import jax
import pytest

from mdtools import synthetic
from mdtools.cli import main


@pytest.fixture(scope="module")
def dump(tmp_path_factory, write_dump):
    gas = synthetic.ornstein_uhlenbeck(n_atoms=8, n_frames=40, frame_interval=0.05, seed=1)
    return write_dump(gas, tmp_path_factory.mktemp("machine") / "gas.lammpstrj")


def mdtools(*words: str, **settings: str) -> subprocess.CompletedProcess:
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "SLURM_", "MDTOOLS_"))}
    return subprocess.run([sys.executable, "-m", "mdtools", *words], env=outer | {"JAX_PLATFORMS": "cpu"} | settings, capture_output=True, text=True)


def test_compiled_programs_are_kept_for_the_next_command_unless_it_is_told_otherwise(dump, tmp_path):
    words = ["msd", str(dump), "--masses", "A=20,B=20", "--lags", "0.1,0.2", "--out", str(tmp_path / "msd.nc")]
    assert mdtools(*words, XDG_CACHE_HOME=str(tmp_path / "home")).returncode == 0
    kept = list((tmp_path / "home" / "mdtools").glob("jax-*/*"))
    assert kept
    assert mdtools(*words, "--cache", "none", XDG_CACHE_HOME=str(tmp_path / "other")).returncode == 0
    assert not (tmp_path / "other").exists()
    # what is found is not compiled again
    assert mdtools(*words, XDG_CACHE_HOME=str(tmp_path / "home")).returncode == 0
    assert {path.name for path in (tmp_path / "home" / "mdtools").glob("jax-*/*-cache")} == {
        path.name for path in kept if path.name.endswith("-cache")
    }


def test_a_process_that_stands_alone_is_told_how_to_start_several(dump):
    answer = mdtools("msd", str(dump), "--masses", "A=20,B=20", "--distributed")
    assert answer.returncode == 2
    assert answer.stderr.startswith("mdtools: distributed (--distributed) needs processes that were started together, for instance by srun")
    assert answer.stderr.count("\n") == 1


def test_reading_is_the_work_of_one_process(dump, capsys):
    assert main(["info", str(dump), "--distributed"]) == 2
    assert "info is the work of one process" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cuda:7", "cuda", "cpu:1", "cpu:-1", "cpu:", "cpu:a", "abacus"])
def test_a_device_that_is_not_there_is_refused(name, dump, capsys, monkeypatch):
    monkeypatch.setattr(jax, "local_devices", functools.partial(_first, jax.local_devices))
    assert main(["msd", str(dump), "--device", name]) == 2
    assert f"there is no device {name} here; JAX sees cpu:0 (for NVIDIA GPUs install mdtools-jax[cuda])\n" in capsys.readouterr().err


def _first(whole, **options):
    return whole(**options)[:1]


def _places(pretence: str, names: tuple[str | None, ...], *, n_devices: int) -> list[str]:
    """Each name and the devices that it takes, in a process with so many processors, some of which stand for other devices."""
    script = (
        f"import jax\nfrom mdtools.analyses import devices\nfrom mdtools.cli import machine\n{pretence}for name in {names}:\n"
        "    with machine._device(name):\n        print(name, [one.id for one in devices.places(each_core=False)])\n"
    )
    settings = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={n_devices}", "JAX_PLATFORMS": "cpu"}
    return subprocess.run([sys.executable, "-c", script], env=settings, capture_output=True, text=True, check=True).stdout.splitlines()


def test_all_processors_are_meant_where_another_kind_is_taken_by_itself():
    """Two processors, of which a machine with a GPU takes none unless it is told: what stands for the GPU is the last device."""
    pretence = "*there, gpu = jax.local_devices()\njax.local_devices = lambda backend=None: there if backend == 'cpu' else [gpu]\n"
    assert _places(pretence, (None, "cpu", "cpu:1"), n_devices=3) == ["None [2]", "cpu [0, 1]", "cpu:1 [1]"]


def test_a_kind_of_device_means_all_of_it_by_whatever_name_and_a_number_means_one():
    """What JAX calls gpu is asked for as cuda as well; two processors stand here for two of them."""
    pretence = (
        "there, known = jax.local_devices(), jax.local_devices\n"
        "jax.local_devices = lambda backend=None: there if backend in ('cuda', 'gpu') else known(backend=backend)\n"
    )
    found = _places(pretence, ("cpu", "gpu", "cuda", "cuda:1"), n_devices=2)
    assert found == ["cpu [0, 1]", "gpu [0, 1]", "cuda [0, 1]", "cuda:1 [1]"]

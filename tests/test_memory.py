"""One number bounds what large arrays take, and everybody who could say it is heard."""

import pytest

from mdtools import memory
from mdtools.cli import main


@pytest.mark.parametrize(
    ("said", "n_bytes"), [("2 GiB", 2**31), ("500MB", 500_000_000), ("1.5e9", 1_500_000_000), (2**22, 2**22), ("64 mib", 2**26), ("1T", 10**12)]
)
def test_amounts_are_understood(said, n_bytes):
    assert memory.size(said, "memory") == n_bytes


@pytest.mark.parametrize("said", ["much", "", "-1 GB", "1 GB 2", "5 kB", "0"])
def test_what_is_no_amount_is_refused(said):
    with pytest.raises(ValueError, match="write for instance 500MB or 2GiB"):
        memory.size(said, "memory")


def test_who_says_it_last_is_heard(monkeypatch):
    monkeypatch.setenv("MDTOOLS_MEMORY", "300 MB")
    assert memory.limit() == 300_000_000
    with memory.limited("100 MB"):
        assert (memory.limit(), memory.block()) == (100_000_000, 12_500_000)
        with memory.limited("50 MB"):
            assert memory.limit() == 50_000_000
        assert memory.limit() == 100_000_000
    assert memory.limit() == 300_000_000
    monkeypatch.delenv("MDTOOLS_MEMORY")
    assert not memory.is_said()
    assert 2**20 <= memory.limit() <= 2**31


def test_a_batch_job_takes_half_of_what_it_may(monkeypatch):
    monkeypatch.delenv("MDTOOLS_MEMORY", raising=False)
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "600")  # MB
    assert memory._default.__wrapped__() == 300 * 2**20
    monkeypatch.delenv("SLURM_MEM_PER_NODE")
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "100")
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "4")
    assert memory._default.__wrapped__() == 200 * 2**20
    assert memory.available() <= 400 * 2**20


def test_the_command_line_says_it(capsys):
    assert main(["info", "run.lammpstrj", "--memory", "plenty"]) == 2
    assert "memory='plenty' is not an amount of memory" in capsys.readouterr().err


def test_convert_needs_to_know_where_to(capsys, tmp_path):
    assert main(["convert", str(tmp_path / "a.lammpstrj")]) == 2
    assert "write mdtools convert" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "a.lammpstrj"), str(tmp_path / "a.zarr"), "--units", "metal"]) == 2
    assert "a.lammpstrj" in capsys.readouterr().err

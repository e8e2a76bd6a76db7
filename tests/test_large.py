"""A store read block by block: the script that measures it at full size finishes at a small one, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "bench_large"


def test_a_store_is_measured_block_by_block_in_bounded_memory(tmp_path):
    words = ["--frames", "800", "--atoms", "1000", "--memory", "32MB", "--peak", "1.0", "--slope", "0.8", "--only", "msd"]
    answer = subprocess.run(
        [sys.executable, SCRIPT, *words, "--folder", tmp_path, "--json", tmp_path / "found.json"], capture_output=True, text=True, timeout=300
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert [row["analysis"] for row in found["rows"]] == ["msd"]
    assert not list(tmp_path.glob("bench_large-*"))  # the store is removed

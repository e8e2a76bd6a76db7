"""A store read block by block: the script that measures it at full size finishes with a twentieth of it, in bounded memory."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts" / "bench_large"
ANALYSES = ["msd", "phonon_dos", "charge_current_acf", "van_hove_distinct"]


def test_a_store_is_measured_block_by_block_in_bounded_memory(tmp_path):
    # 1.2 GB; a fifth of it allowed, and on top what the interpreter, JAX and the compiled programs take
    words = ["--memory", "256MiB", "--peak", "1.1", "--slope", "0.8", "--repeats", "1", "--only", *ANALYSES]
    answer = subprocess.run(
        [sys.executable, SCRIPT, *words, "--folder", tmp_path, "--json", tmp_path / "found.json"], capture_output=True, text=True, timeout=900
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert [row["analysis"] for row in found["rows"]] == ANALYSES
    assert not list(tmp_path.glob("bench_large-*"))  # the store is removed

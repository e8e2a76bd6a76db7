"""The reference builds without a warning and holds every public name."""

import os
import subprocess
import sys
from pathlib import Path

from mdtools.catalogue import PUBLIC

ROOT = Path(__file__).parents[1]


def test_the_reference_holds_every_public_name_and_what_readme_says(tmp_path):
    answer = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs", tmp_path], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert answer.returncode == 0, answer.stderr
    page = (tmp_path / "mdtools.html").read_text()
    for name in PUBLIC:
        assert f'id="{name}"' in page, name
    assert "What it answers" in page
    assert "<code>lags</code>" in page

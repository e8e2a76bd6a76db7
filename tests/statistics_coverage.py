"""scripts/coverage.py as a module, for tests of what it measures."""

import functools
import importlib.util
import sys
from pathlib import Path


@functools.cache
def script():
    path = Path(__file__).parents[1] / "scripts" / "coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_script", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["coverage_script"] = module
    spec.loader.exec_module(module)
    return module

"""Scripts of coverage tables as modules, for tests of what they measure."""

import functools
import importlib.util
import sys
from pathlib import Path


@functools.cache
def script(file="coverage.py"):
    path = Path(__file__).parents[1] / "scripts" / file
    name = file.replace(".py", "_script")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

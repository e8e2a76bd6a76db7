"""The table of allowed imports is the architecture. A row: layer -> (of mdtools, of others), the standard library apart."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import mdtools

ROOT = Path(__file__).parents[1] / "mdtools"
ANYTHING = None
ALLOWED: dict[str, tuple[set[str] | None, set[str] | None]] = {
    "__init__": ({"catalogue"}, set()),
    "__main__": ({"cli"}, set()),
    "catalogue": (set(), set()),
    "units": (set(), set()),
    "errors": (set(), set()),
    "memory": (set(), set()),
    "lazy": (set(), {"numpy"}),
    "histories": ({"lazy"}, {"numpy"}),
    "once": (set(), set()),
    "progress": (set(), {"rich"}),
    "abreast": ({"analyses", "memory", "progress", "shares"}, {"jax"}),
    "shares": ({"errors"}, {"numpy", "jax"}),
    "vocabulary": (set(), set()),
    "schema": ({"__version__", "vocabulary"}, {"numpy", "xarray"}),
    "thermo": ({"schema", "statistics"}, {"numpy"}),
    "in_words": ({"statistics", "thermo"}, {"numpy"}),
    "selection": (set(), {"numpy", "MDAnalysis"}),
    "visits": ({"memory", "shares"}, {"numpy"}),
    "trajectory": ({"errors", "histories", "in_words", "lazy", "memory", "progress", "selection", "shares", "thermo", "visits"}, {"numpy"}),
    "series": ({"in_words", "trajectory"}, set()),
    "synthetic": ({"synthetic", "trajectory", "units"}, {"numpy", "scipy", "numba"}),
    "imitators": ({"synthetic", "trajectory", "units"}, {"numpy", "scipy"}),
    "readers": (
        {"readers", "series", "trajectory", "thermo", "lazy", "units", "errors", "memory", "progress"},
        {"numpy", "numba", "llvmlite", "ase", "MDAnalysis", "zarr", "google_crc32c", "h5py", "zstandard"},
    ),
    "harmonic": ({"harmonic", "units", "errors"}, {"numpy", "ase", "yaml", "h5py", "phonopy"}),
    "kernels": ({"kernels"}, {"jax", "jaxtyping"}),
    "statistics": ({"statistics", "errors"}, {"numpy", "scipy"}),
    "analyses": (
        {"analyses", "kernels", "harmonic", "trajectory", "schema", "units", "errors", "memory", "once", "progress", "shares"},
        {"numpy", "jax", "xarray", "periodictable", "scipy"},
    ),
    "estimates": ({"estimates", "statistics", "schema", "units", "errors"}, {"numpy", "xarray"}),
    "detection": ({"detection", "statistics", "schema", "units", "errors"}, {"numpy", "xarray"}),
    "reporting": (
        {"__version__", "reporting", "chain", "catalogue", "schema", "trajectory", "readers", "units", "errors", "memory", "shares"},
        {"numpy", "xarray", "matplotlib", "jinja2", "markupsafe", "ase"},
    ),
    "signatures": ({"catalogue"}, set()),
    "values": ({"signatures"}, set()),
    "chain": (ANYTHING, ANYTHING),
    "recipe": (ANYTHING, ANYTHING),
    "batch": (ANYTHING, ANYTHING),
    "job": ({"batch", "recipe", "progress"}, set()),
    "sbatch": ({"batch", "errors", "recipe"}, set()),
    "cli": (ANYTHING, ANYTHING),
}
FILES = sorted(ROOT.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_file_has_a_row_in_the_table():
    assert {layer_of(path) for path in FILES} <= set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    ours, others = ALLOWED[layer_of(path)]
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "mdtools":
            allowed = ours is ANYTHING or rest.split(".")[0] in ours
        else:
            allowed = others is ANYTHING or top in sys.stdlib_module_names or top in others
        assert allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_no_files_import_each_other_in_a_circle():
    names = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}
    waiting = {name: {named for one in imports(path) if (named := named_file(one, names)) not in (None, name)} for name, path in names.items()}
    while free := {name for name, needs in waiting.items() if not needs & set(waiting)}:
        waiting = {name: needs for name, needs in waiting.items() if name not in free}
    assert not waiting, f"each of these waits for another: {sorted(waiting)}"


def named_file(name: str, files: dict) -> str | None:
    """The file of a dotted name: itself, or that of which it is a part."""
    whole = name.rpartition(".")[0]
    return name if name in files else whole if whole in files else None


def loaded_by(code: str) -> set[str]:
    answer = subprocess.run([sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in answer.stdout.split()}


ABSENT = tuple(
    {
        re.split(r"[<>=!~;\[ ]", one)[0].replace("-", "_")
        for one in tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    - {"jax", "numpy", "xarray", "scipy", "pyyaml"}
    | {"yaml"}
)
HEAVY = {"jax", "xarray", "ase", "MDAnalysis", "numba", "matplotlib", "zarr", "scipy"}


def test_importing_mdtools_loads_nothing_heavy():
    assert not loaded_by("import mdtools") & (HEAVY | {"numpy"})


def test_importing_the_readers_loads_no_reader():
    assert not loaded_by("import mdtools.readers") & {"ase", "MDAnalysis", "numba", "matplotlib", "zarr", "jax"}


@pytest.mark.parametrize(
    "use",
    [
        "import mdtools as md\nfrom mdtools import synthetic\nprint(md.msd(synthetic.brownian(n_atoms=4, n_frames=16)).sizes)",
        *(f"import runpy\nrunpy.run_path({str(ROOT.parent / 'scripts' / name)!r})" for name in ("benchmark.py", "device_agreement.py")),
    ],
    ids=["msd", "benchmark.py", "device_agreement.py"],
)
def test_kernels_and_analyses_need_only_numpy_jax_and_xarray(use):
    """As does what `scripts/gpu` runs of them. JAX brings scipy along."""
    block = (  # nor is the package installed: a checkout on a machine with a GPU
        "import importlib.metadata as of\nwhole = of.version\n"
        "def version(name):\n    if name == 'mdtools-jax': raise of.PackageNotFoundError(name)\n    return whole(name)\n"
        "of.version = version\n"
        f"import sys\nsys.path.insert(0, {str(ROOT.parent)!r})\nfor name in {ABSENT}: sys.modules[name] = None\n"
        f"sys.path.insert(0, 'the folder of a script')\n"
    )
    assert "numpy" in loaded_by(block + use + "\nfor name in list(sys.modules):\n    if sys.modules[name] is None: del sys.modules[name]")


def test_the_kernels_are_tested_where_only_numpy_jax_and_xarray_are_installed():
    """Beside pytest: rivals and what checks the shapes are imported where they are there."""
    tests = ROOT.parent / "tests"
    ours = {path.stem for path in tests.glob("*.py")} | {"mdtools", "pytest", "numpy", "jax", "xarray"}
    for path in [*(tests / "kernels").glob("*.py"), ROOT.parent / "scripts" / "device_agreement.py"]:
        others = {name.partition(".")[0] for name in imports(path)} - ours - sys.stdlib_module_names
        assert not others, f"{path.name} imports {others}"


def test_the_two_places_that_say_the_version_agree():
    assert tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]["version"] == mdtools.__version__

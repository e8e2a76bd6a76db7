"""What every public analysis promises, on every kind of input."""

from dataclasses import replace

import ase
import numpy as np
import pint
import pytest
import xarray as xr

import mdtools as md
from mdtools import schema, synthetic
from mdtools.catalogue import ANALYSES
from mdtools.thermo import Thermo

UNITS = pint.UnitRegistry()
FRAMES, ATOMS = 60, 24
SALT = ase.Atoms("LiF", [[0, 0, 0], [3, 0, 0]], cell=[[3, 3, 0], [3, 0, 3], [0, 3, 3]], pbc=True)
# what is measured of a crystal, with the options without which it is refused
OF_CRYSTALS = {
    "spectral_energy_density": {"primitive": SALT},
    "mode_spectra": {"primitive": SALT, "q": [0.5, 0.5, 0.5], "pattern": {"F": "0 0 1"}},
}
OF_CRYSTALS["bottleneck_radius"] = {"mobile": "Li", "corners": ["F"], "number": 2, "repeat": (2, 2, 2), "windows": 4, "around": 0.1}
OPTIONS = {
    "proton_displacement": {"protons": ["Li"], "carriers": ["F"]},
    "heating_ramp": {"windows": 8},
    **OF_CRYSTALS,
}  # what an analysis cannot guess
OF_LOGS = {"stress_fluctuations"}


def logged(traj):
    """A run with a row of the log for each frame, that holds a pressure tensor."""
    tensor = np.random.default_rng(0).normal(size=(FRAMES, 3, 3))
    return replace(traj, log=Thermo(time=traj.time, values={"pressure_tensor": tensor + tensor.transpose(0, 2, 1)}))


@pytest.fixture(scope="module")
def truths():
    gas = synthetic.ornstein_uhlenbeck(n_atoms=ATOMS, n_frames=FRAMES, friction=2.0, length=12.0, frame_interval=0.05, seed=3)
    return {"gas": gas, "crystal": synthetic.harmonic_crystal(cells=4, n_frames=FRAMES, frame_interval=0.05, temperature=1000.0, seed=3)}


def cartesian(truth, frame):
    scaled = np.asarray(truth.scaled_positions[frame], dtype=np.float64)
    return (scaled - np.floor(scaled)) @ truth.cell[frame]


@pytest.fixture(scope="module")
def inputs(truths, tmp_path_factory):
    """A gas and a crystal, each as a list of ase.Atoms, a Universe and a file."""
    return {kind: _in_every_form(truth, tmp_path_factory.mktemp(kind) / "run.lammpstrj") for kind, truth in truths.items()}


def _in_every_form(truth, path):
    import MDAnalysis
    from ase.units import fs

    symbols = [{"A": "Li", "B": "F"}[name] for name in truth.species.tolist()]
    images = [
        ase.Atoms(
            symbols,
            positions=cartesian(truth, k),
            cell=truth.cell[k],
            pbc=True,
            velocities=truth.velocities[k].astype(np.float64) / (1000 * fs),
            charges=truth.charges,
        )
        for k in range(FRAMES)
    ]
    universe = MDAnalysis.Universe.empty(len(symbols), trajectory=True, velocities=True)
    for name, values in (("elements", images[0].get_chemical_symbols()), ("charges", truth.charges), ("masses", truth.masses)):
        universe.add_TopologyAttr(name, values)
    box = np.broadcast_to([12.0, 12.0, 12.0, 90, 90, 90], (FRAMES, 6))
    positions = np.array([image.positions for image in images])
    universe.load_new(positions, dimensions=box, dt=0.05, velocities=np.asarray(truth.velocities))
    with open(path, "w") as file:
        for k in range(FRAMES):
            file.write(
                f"ITEM: UNITS\nmetal\nITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n{len(symbols)}\nITEM: BOX BOUNDS pp pp pp\n0 12\n0 12\n0 12\n"
            )
            file.write("ITEM: ATOMS id element q x y z vx vy vz\n")
            for a, symbol in enumerate(symbols):
                numbers = " ".join(f"{v:.9g}" for v in (*positions[k, a], *truth.velocities[k, a]))
                file.write(f"{a + 1} {symbol} {truth.charges[a]:g} {numbers}\n")
    more = {"frame_interval": 0.05, "masses": {"Li": 20.0, "F": 20.0}, "temperature": 1000.0, "framework": ["F"]}
    return {
        "list of ase.Atoms": md.read(images, **more),
        "Universe": md.read(universe, **more),
        "file": md.read(path, **more),
    }


@pytest.fixture(scope="module")
def results(inputs):
    def of(name):
        runs = inputs["crystal" if name in OF_CRYSTALS else "gas"]
        return {kind: logged(traj) for kind, traj in runs.items()} if name in OF_LOGS else runs

    return {name: {kind: getattr(md, name)(traj, **OPTIONS.get(name, {})) for kind, traj in of(name).items()} for name in ANALYSES}


@pytest.mark.parametrize("name", ANALYSES)
def test_it_keeps_window_and_is_numpy_inside(results, name):
    out = results[name]["file"]
    assert "window" in out.dims
    for variable in out.variables.values():
        assert type(variable.data) is np.ndarray


@pytest.mark.parametrize("name", ANALYSES)
def test_every_variable_has_a_unit_that_pint_reads_and_a_meaning(results, name):
    for label, variable in results[name]["file"].variables.items():
        assert variable.attrs["long_name"], label
        if schema.unit_of(label):
            assert UNITS.parse_units(variable.attrs["units"]) is not None


@pytest.mark.parametrize("name", ANALYSES)
def test_the_result_is_the_same_from_a_list_a_universe_and_a_file(results, name):
    one, *others = results[name].values()
    for other in others:
        for label in one.data_vars:
            a, b = one[label].values, other[label].values
            if a.dtype.kind in "US":
                assert np.array_equal(a, b)
                continue
            if np.isnan(a).all():
                assert np.isnan(b).all()
                continue
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3 * np.nanmax(np.abs(a)), err_msg=f"{name}: {label}")


@pytest.mark.parametrize("name", ANALYSES)
def test_a_lag_is_the_number_that_a_user_would_write(results, name):
    """Three frames of 0.05 ps are 0.15 and not 0.15000000000000002, so that .sel(lag=0.15) finds them everywhere."""
    out = results[name]["file"]
    if "lag" in out.dims:
        lags = out.lag.values
        assert [float(f"{lag:.10g}") for lag in lags] == lags.tolist()


@pytest.mark.parametrize("name", ANALYSES)
def test_its_history_goes_back_to_the_source_with_every_option(results, name):
    read, step = md.history(results[name]["file"])
    assert read["step"] == "read"
    assert "run.lammpstrj" in str(read["source"])
    assert step["step"] == name
    import inspect

    options = [p.name for p in inspect.signature(getattr(md, name)).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert set(options) <= set(step)
    of_velocities = name in ("phonon_dos", "spectral_energy_density", "mode_spectra")
    assert step["arithmetic"] == ("float32 velocities, sums in float64" if of_velocities else "float64")


@pytest.mark.parametrize("name", ANALYSES)
def test_netcdf_gives_it_back_unchanged(results, name, tmp_path):
    out = results[name]["file"]
    schema.to_netcdf(out, tmp_path / "out.nc")
    back = xr.open_dataset(tmp_path / "out.nc", engine="h5netcdf").load()
    xr.testing.assert_identical(out, back)
    assert [path.name for path in tmp_path.iterdir()] == ["out.nc"]


def test_a_word_that_is_not_in_the_vocabulary_is_refused():
    with pytest.raises(KeyError):
        schema.dataset({"mean_square_distance": 1.0})

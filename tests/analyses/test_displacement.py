"""Mean squared displacement: the definition, symmetries, rivals, and what a breathing crystal does to it."""

from dataclasses import replace

import numpy as np
import pytest
import tidynamics
import xarray as xr

from mdtools import memory, schema, synthetic
from mdtools.analyses.blocks import block_lengths
from mdtools.analyses.displacement import msd
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.kernels.grouped import tile_sums
from mdtools.schema import history

CUBE = 20.0 * np.eye(3)
TILTED = np.array([[18.0, 0, 0], [8.0, 17.0, 0], [-7.0, 6.0, 16.0]])


def walks(n_frames=120, n_atoms=6, *, step=0.3, seed=0):
    random = np.random.default_rng(seed)
    return random.uniform(0, 20, (1, n_atoms, 3)) + np.cumsum(random.normal(0, step, (n_frames, n_atoms, 3)), axis=0)


def naive(traj, frame=None):
    """The definition at every lag, in float64, on the positions that are stored."""
    path = np.asarray(traj.scaled_positions, dtype=np.float64) @ traj.cell[0]
    path = path - (0.0 if frame is None else path[:, frame].mean(axis=1, keepdims=True))
    return np.array([np.mean(np.sum((path[m:] - path[: len(path) - m]) ** 2, axis=-1), axis=0) for m in range(len(path))]).T  # (atom, lag)


def values(data, species="A"):
    return data.msd.sel(species=species).values[0]


# -- the definition ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [CUBE, TILTED], ids=["cubic", "tilted"])
def test_float32_positions_1000_angstrom_away_that_drift_by_300_agree_with_the_definition_at_every_lag(from_paths, cell):
    random = np.random.default_rng(0)
    path = random.normal(0, 0.1, (500, 4, 3)) + 1000.0 + np.linspace(0, 300, 500)[:, None, None] * np.array([1.0, 0.3, -0.2])
    traj = from_paths(path, cell)
    assert traj.scaled_positions.dtype == np.float32
    np.testing.assert_allclose(values(msd(traj, reference="none")), naive(traj).mean(axis=0), rtol=1e-8, atol=1e-12)
    # and in the frame that drifts along, where only the vibration is left
    np.testing.assert_allclose(values(msd(traj, reference="A")), naive(traj, slice(None)).mean(axis=0), rtol=1e-8, atol=1e-12)


def test_species_are_averaged_apart_and_axes_sum_to_the_whole(from_paths):
    species = np.array(["A", "B", "A", "B", "B", "A"])
    traj = from_paths(walks(), CUBE, species=species)
    out, each = msd(traj, reference="none"), naive(traj)
    np.testing.assert_allclose(values(out, "A"), each[species == "A"].mean(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(values(out, "B"), each[species == "B"].mean(axis=0), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(out.msd_by_axis.sum("xyz"), out.msd, rtol=1e-13)


def test_windows_are_runs_of_their_own(from_paths):
    path = walks(123)
    out = msd(from_paths(path, CUBE), windows=4, reference="none")
    assert out.sizes["lag"] == 30
    np.testing.assert_allclose(out.window, [0.0, 3.0, 6.0, 9.0])
    for k in range(4):
        alone = msd(from_paths(path[30 * k : 30 * (k + 1)], CUBE), reference="none")
        np.testing.assert_allclose(out.msd[k], alone.msd[0], rtol=1e-4, atol=1e-6)  # float32 of another origin
    assert history(out)[-1]["frames_unused"] == 3


def test_single_and_multi_origin_agree_at_the_last_lag(from_paths):
    traj = from_paths(walks(), TILTED)
    many, single = msd(traj), msd(traj, origins="first")
    np.testing.assert_allclose(many.msd[..., -1], single.msd[..., -1], rtol=1e-11)
    assert abs(many.msd[..., 40] / single.msd[..., 40] - 1).max() > 0.01


def test_chosen_lags_and_origins_are_those_of_the_full_answer(from_paths):
    traj = from_paths(walks(), CUBE)
    every = msd(traj)
    for lags in ("log", [0.5, 3.0], np.array([3.0, 0.5])):
        some = msd(traj, lags=lags)
        np.testing.assert_allclose(some.msd, every.msd.sel(lag=some.lag, method="nearest"), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(msd(traj, origins=1, lags="all").msd, every.msd, rtol=1e-10, atol=1e-12)
    assert abs(msd(traj, origins=50).msd / every.msd - 1).max() > 0.01


def test_logarithmic_lags_start_at_zero_and_one_frame_and_end_with_the_window(from_paths):
    lag = msd(from_paths(walks(1000, 2), CUBE), lags="log").lag.values
    assert lag[0] == 0
    np.testing.assert_allclose(lag[[1, -1]], [0.1, 99.9])
    assert len(lag) < 40


def test_a_lag_that_was_asked_for_is_found_under_its_own_number(from_paths):
    traj = from_paths(walks(), CUBE, time=np.linspace(7.0, 7.0 + 119 * 0.1, 120))
    asked = [0.3, 0.7, 1.0, 11.9]
    np.testing.assert_array_equal(msd(traj, lags=asked).lag, asked)
    msd(traj).sel(lag=asked)


def test_a_rival_gets_the_same(from_paths):
    traj = from_paths(walks(), CUBE)
    path = np.asarray(traj.scaled_positions, dtype=np.float64) @ CUBE
    rival = np.mean([tidynamics.msd(path[:, i]) for i in range(path.shape[1])], axis=0)
    np.testing.assert_allclose(values(msd(traj, reference="none")), rival, rtol=1e-9, atol=1e-11)


def test_blocks_hold_the_displacements_between_their_ends_and_nan_where_there_is_none(from_paths):
    traj = from_paths(walks(), CUBE)
    out = msd(traj, reference="none")
    path = np.asarray(traj.scaled_positions, dtype=np.float64) @ CUBE
    for k, length in enumerate(block_lengths(120)):
        stride = max(length, 119 / 64)  # spread over the whole run, none overlaps
        starts = np.array([int(j * stride) for j in range(64) if int(j * stride) + length < 120])
        expected = np.mean((path[starts + length] - path[starts]) ** 2, axis=1).T
        np.testing.assert_allclose(out.block_msd[0, :, k, : len(starts)], expected, rtol=1e-10)
        assert np.all(np.isnan(out.block_msd[0, :, k, len(starts) :]))
    np.testing.assert_allclose(out.block_lag, 0.1 * np.array(block_lengths(120)))


# -- symmetries -------------------------------------------------------------------------------------------------


def test_symmetries(from_paths):
    def of(path, cell=TILTED):
        return values(msd(from_paths(path, cell, dtype=np.float64), reference="none"))

    path = walks()
    as_it_is = of(path)
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    same = {
        "translation": of(path + np.array([1000.0, -2000.0, 0.5])),
        "permutation": of(path[:, ::-1]),
        "time reversal": of(path[::-1]),
        "rotation": of(path @ rotation, TILTED @ rotation),
        "another cell": of(path, CUBE),
        "scaling": of(2.5 * path, 2.5 * TILTED) / 2.5**2,
        "padding": of(np.concatenate([path] * 3, axis=1)),
    }
    for name, changed in same.items():
        np.testing.assert_allclose(changed, as_it_is, rtol=1e-8, atol=1e-11, err_msg=name)


# -- tensor, ions one by one, species as a whole ------------------------------------------------------------------


MIXED = np.array([[1.0, 0.6, 0.0], [0.0, 1.0, -0.5], [0.3, 0.0, 1.0]])
SPECIES = np.array(["A", "B", "A", "B", "B", "A", "A"])


def anisotropic(n_frames=60):
    """Paths of 7 ions whose axes move together, 1000 angstrom away, and which move together a little."""
    random = np.random.default_rng(11)
    steps = random.normal(0, 0.3, (n_frames, 7, 3)) + random.normal(0, 0.1, (n_frames, 1, 3))
    return 1000.0 + np.cumsum(steps @ MIXED, axis=0)


def stored(traj):
    return np.asarray(traj.scaled_positions, dtype=np.float64) @ traj.cell[0]


@pytest.mark.parametrize(
    ("windows", "origins", "lags"), [(3, "all", "all"), (1, "first", "all"), (3, 4, "all"), (1, "all", [0.7]), (1, "all", "log")]
)
def test_tensor_ions_and_centres_of_mass_equal_the_double_loop(from_paths, windows, origins, lags):
    traj = from_paths(anisotropic(), TILTED, species=SPECIES)
    path, length = stored(traj), 60 // windows
    out = msd(traj, windows=windows, origins=origins, lags=lags, reference="none", tensor=True, ions=True)
    starts = {"all": range(length), "first": range(1), 4: range(0, length, 4)}[origins]
    for w in range(windows):
        for k, m in enumerate(np.rint(out.lag.values / 0.1).astype(int)):
            begin = [w * length + s for s in starts if s + m < length]
            assert out.n_origins[w, k] == len(begin)
            step = np.array([path[s + m] - path[s] for s in begin])  # (origin, atom, xyz)
            for name in "AB":
                of = step[:, name == SPECIES]
                here = out.sel(species=name).isel(window=w, lag=k)
                np.testing.assert_allclose(here.msd_tensor, np.einsum("oax,oay->xy", of, of) / of.shape[0] / of.shape[1], rtol=1e-8, atol=1e-9)
                whole = of.sum(axis=1)
                np.testing.assert_allclose(here.collective_msd_by_axis, np.mean(whole**2, axis=0) / of.shape[1], rtol=1e-8, atol=1e-9)
                np.testing.assert_allclose(here.collective_msd, here.collective_msd_by_axis.sum(), rtol=1e-12)
            np.testing.assert_allclose(out.msd_by_ion[w, :, :, k], np.mean(step**2, axis=0), rtol=1e-8, atol=1e-9)


def test_the_parts_fit_together(from_paths):
    traj = from_paths(anisotropic(), TILTED, species=SPECIES)
    out = msd(traj, tensor=True, ions=True, reference="none")
    trace = sum(out.msd_tensor.sel(xyz=a, xyz2=a) for a in "xyz")
    np.testing.assert_allclose(trace, out.msd, rtol=1e-13)
    np.testing.assert_array_equal(out.msd_tensor, out.msd_tensor.transpose("window", "species", "xyz2", "xyz", "lag"))
    np.testing.assert_allclose(out.msd_by_ion.sel(ion=out.ion_species == "B").mean("ion"), out.msd_by_axis.sel(species="B"), rtol=1e-9, atol=1e-12)
    for name in "AB":
        alone = out.ion_msd.sel(ion=out.ion_species == name).mean("ion")
        np.testing.assert_allclose(alone, out.block_msd.sel(species=name).mean("block").sum("xyz"), rtol=1e-12)
    np.testing.assert_array_equal(out.ion_species, SPECIES)
    for a in "xyz":
        np.testing.assert_allclose(out.block_msd_tensor.sel(xyz=a, xyz2=a), out.block_msd.sel(xyz=a), rtol=1e-13)
    step = stored(traj)[3] - stored(traj)[0]
    lag = float(out.block_lag[2])
    assert lag == 0.3
    expected = np.einsum("ax,ay->xy", step[SPECIES == "B"], step[SPECIES == "B"]) / 3
    np.testing.assert_allclose(out.block_msd_tensor.sel(species="B", block_lag=lag, block=0), expected, rtol=1e-9)
    plain = msd(traj, reference="none")
    assert not {"msd_tensor", "block_msd_tensor", "msd_by_ion"} & set(plain.data_vars)
    np.testing.assert_allclose(plain.msd, out.msd, rtol=1e-12)


def test_the_tensor_turns_with_the_crystal(from_paths):
    rotation, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    path = anisotropic()
    one, other = (
        msd(from_paths(p, c, dtype=np.float64), reference="none", tensor=True) for p, c in ((path, TILTED), (path @ rotation, TILTED @ rotation))
    )
    for name in ("msd_tensor", "block_msd_tensor"):
        turned = np.einsum("...xykl,xi,yj->...ijkl" if "block" in name else "...xyl,xi,yj->...ijl", one[name].values, rotation, rotation)
        np.testing.assert_allclose(other[name], turned, rtol=1e-8, atol=1e-9)
    back = msd(from_paths(path[::-1], TILTED, dtype=np.float64), reference="none", tensor=True)
    np.testing.assert_allclose(back.msd_tensor, one.msd_tensor, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(back.collective_msd, one.collective_msd, rtol=1e-8, atol=1e-9)


def test_the_centre_of_mass_of_one_ion_is_that_ion_and_of_ions_that_move_rigidly_n_times_as_much(from_paths):
    path = walks(80, 1)
    out = msd(from_paths(path, CUBE, dtype=np.float64), reference="none")
    np.testing.assert_allclose(out.collective_msd, out.msd, rtol=1e-9, atol=1e-12)
    rigid = msd(from_paths(np.repeat(path, 5, axis=1), CUBE, dtype=np.float64), reference="none")
    np.testing.assert_allclose(rigid.collective_msd, 5 * rigid.msd, rtol=1e-9, atol=1e-12)
    own = msd(from_paths(walks(80, 5), CUBE, dtype=np.float64), reference="A")
    assert own.collective_msd.max() < 1e-20


def test_all_of_it_goes_to_netcdf_and_back(from_paths, tmp_path):
    out = msd(from_paths(anisotropic(), TILTED, species=SPECIES), tensor=True, ions=True)
    schema.to_netcdf(out, tmp_path / "msd.nc")
    xr.testing.assert_identical(out, xr.open_dataset(tmp_path / "msd.nc", engine="h5netcdf").load())


def test_each_ion_at_every_lag_is_refused_where_it_would_not_fit(from_paths):
    with memory.limited("1 MiB"), pytest.raises(TrajectoryError, match=r"msd of each ion .* is 1\.44 MB .*lags=.log."):
        msd(from_paths(walks(300, 200), CUBE), ions=True)


# -- frame of reference -----------------------------------------------------------------------------------------


def test_the_frame_of_reference_is_what_was_asked_for_and_is_recorded(from_paths):
    species, masses = np.array(["A", "A", "B", "B", "B", "C"]), np.array([1.0, 1, 5, 5, 5, 20])
    traj = from_paths(walks(), CUBE, species=species, masses=masses)
    path = np.asarray(traj.scaled_positions, dtype=np.float64) @ CUBE
    frames = {
        "none": np.zeros((120, 1, 3)),
        "barycentre": np.average(path, axis=1, weights=masses)[:, None],
        "B": path[:, species == "B"].mean(axis=1, keepdims=True),
        "B,C": path[:, 2:].mean(axis=1, keepdims=True),
    }
    for name, shift in frames.items():
        out = msd(traj, reference=name)
        moved = path - shift
        expected = np.mean(np.sum((moved[7:, :2] - moved[:-7, :2]) ** 2, axis=-1))
        np.testing.assert_allclose(out.msd.sel(species="A")[0, 7], expected, rtol=1e-8, err_msg=name)
    assert history(msd(traj, reference=["B", "C"]))[-1]["reference"] == ["B", "C"]
    assert history(msd(traj))[-1]["reference"] == "barycentre"
    assert history(msd(traj.with_framework("C")))[-1]["reference"] == ["C"]
    np.testing.assert_array_equal(msd(traj.with_framework("C")).msd, msd(traj, reference="C").msd)
    assert values(msd(traj, reference="C"), "C").max() < 1e-20


# -- changing cells (reference/transport.md 1.1) ------------------------------------------------------------------


def breathing_crystal(unwrap, *, n_frames=4000):
    """Sites at s = 0, 1/8 ... vibrating by 0.02 angstrom in a box of 20 angstrom that breathes by 0.3 %, stored unwrapped and scaled."""
    random = np.random.default_rng(5)
    lengths = 20.0 * (1 + 0.003 * random.normal(size=n_frames))
    sites = np.arange(8)[None, :, None] / 8 * np.ones(3)
    scaled = sites + random.normal(0, 0.02 / 20, (n_frames, 8, 3))
    from mdtools.trajectory import Trajectory

    return Trajectory(
        scaled_positions=scaled.astype(np.float32),
        cell=lengths[:, None, None] * np.eye(3),
        time=np.arange(n_frames) * 0.1,
        species=np.array(["face"] + ["inside"] * 7),
        masses=np.ones(8),
        unwrap=unwrap,
    )


def test_scaled_displacement_times_the_mean_cell_is_exact_in_a_breathing_crystal():
    traj = breathing_crystal("scaled")
    out = msd(traj, lags=[300.0], reference="none")
    exact = 6 * (0.02 / 20 * traj.mean_cell[0, 0]) ** 2  # 2 <u^2>, three axes
    np.testing.assert_allclose(out.msd.values.ravel(), exact, rtol=0.05)


def test_the_lattice_view_moves_atoms_with_the_box_in_proportion_to_where_they_are():
    traj = breathing_crystal("lattice")
    out = msd(traj, lags=[300.0], reference="none").msd.squeeze()
    exact = 6 * 0.02**2
    sites = np.arange(1, 8) / 8
    breathing = 2 * np.mean(sites**2) * 3 * (20 * 0.003) ** 2
    np.testing.assert_allclose(out.sel(species="inside"), exact + breathing, rtol=0.1)
    np.testing.assert_allclose(out.sel(species="face"), exact, rtol=0.05)
    assert breathing > exact


def test_toroidal_unwrapping_makes_an_atom_that_rattles_across_a_face_walk():
    traj = breathing_crystal("tor")
    out = msd(traj, lags=[0.1, 300.0], reference="none")
    exact = 6 * 0.02**2
    walked = out.msd.sel(species="face")[0]
    assert walked[1] > 5 * walked[0]
    assert walked[1] > 10 * exact
    inside = breathing_crystal("tor").select(np.arange(1, 8))
    assert inside.unwrap == "tor"
    np.testing.assert_allclose(
        msd(inside, lags=[300.0], reference="none").msd.item(),
        values(msd(breathing_crystal("lattice"), lags=[300.0], reference="none"), "inside")[0],
        rtol=1e-3,
    )


def test_toroidal_unwrapping_adds_up_the_nearest_images_in_the_later_cell():
    random = np.random.default_rng(8)
    lengths = 6.0 * (1 + 0.02 * random.normal(size=50))
    path = random.uniform(0, 6, (1, 5, 3)) + np.cumsum(random.normal(0, 0.5, (50, 5, 3)), axis=0)
    traj = replace(
        breathing_crystal("tor", n_frames=50),
        scaled_positions=path / 6,
        cell=lengths[:, None, None] * np.eye(3),
        species=np.full(5, "A"),
        masses=np.ones(5),
    )
    wrapped = (path / 6 % 1.0) * lengths[:, None, None]
    step = np.diff(wrapped, axis=0)
    step -= np.rint(step / lengths[1:, None, None]) * lengths[1:, None, None]  # doi 10.1021/acs.jctc.3c00308
    moved = np.cumsum(step, axis=0)
    expected = np.mean(np.sum(moved**2, axis=-1), axis=1)
    np.testing.assert_allclose(values(msd(traj, origins="first", reference="none"))[1:], expected, rtol=1e-10)


def test_all_unwrappings_agree_in_a_fixed_cell(from_paths):
    traj = from_paths(walks(), TILTED)
    scaled = msd(traj)
    for other in ("tor", "lattice"):
        np.testing.assert_allclose(msd(replace(traj, unwrap=other)).msd, scaled.msd, rtol=1e-6, atol=1e-9)


# -- exact model ------------------------------------------------------------------------------------------------


def test_brownian_ions_move_by_6_D_t_within_the_exact_error_of_the_finite_run():
    walk = synthetic.brownian(n_atoms=60, n_frames=2000, diffusivity=0.7, seed=2)
    for species in walk.species_names:
        out = values(msd(walk, lags=[0.1, 1.0, 10.0], reference="none"), species)
        for found, m in zip(out, (1, 10, 100), strict=True):
            k = 2000 - m
            error = np.sqrt(2 / (3 * 30) * (4 * m * m * k + 2 * k + m - m**3) / (6 * m * k * k))
            assert abs(found / (6 * 0.7 * 0.1 * m) - 1) < 4 * error


# -- how it runs ------------------------------------------------------------------------------------------------


def test_repeated_calls_of_equal_shape_compile_once(from_paths):
    first, second = from_paths(walks(77), CUBE), from_paths(walks(77, seed=1), CUBE)
    msd(first, reference="none")
    before = tile_sums._cache_size()
    msd(second, reference="A")
    assert tile_sums._cache_size() == before
    msd(from_paths(walks(78), CUBE))
    assert tile_sums._cache_size() > before  # the counter counts


def test_blocks_of_atoms_give_what_one_block_gives(from_paths, monkeypatch, blocks_of_atoms):
    traj = from_paths(walks(60, 7), CUBE, species=np.array(list("ABABABA")))
    whole = msd(traj)
    assert [atoms for atoms, _ in blocks_of_atoms] == [slice(0, 7)]
    monkeypatch.setattr("mdtools.memory.block", lambda: 2 * 6 * 60)
    np.testing.assert_allclose(msd(traj).msd, whole.msd, rtol=1e-12, atol=1e-14)
    assert [atoms for atoms, _ in blocks_of_atoms[1:]] == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]


def test_results_are_float64_numpy_arrays(from_paths):
    out = msd(from_paths(walks(20), CUBE))
    for name in ("msd", "msd_by_axis", "block_msd"):
        assert type(out[name].data) is np.ndarray
        assert out[name].dtype == np.float64


# -- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origins", [0, -1, 2.5, "every", True])
def test_origins_that_mean_nothing_are_refused(from_paths, origins):
    with pytest.raises(ValueError, match=r"origins=.*write .all., .first. or a number of frames"):
        msd(from_paths(walks(20), CUBE), origins=origins)


def test_refusals_say_what_to_pass(from_paths):
    traj = from_paths(walks(20), CUBE)
    with pytest.raises(NotEnoughData, match="windows=10 or fewer"):
        msd(traj, windows=11)
    with pytest.raises(ValueError, match=r"between 0 and 1\.9 ps"):
        msd(traj, lags=[2.5])
    with pytest.raises(ValueError, match="linear"):
        msd(traj, lags="linear")
    with pytest.raises(TrajectoryError, match="reference names Zr"):
        msd(traj, reference="Zr")
    with pytest.raises(TrajectoryError, match="masses"):
        msd(replace(traj, masses=None))


def test_uneven_frames_are_averaged_over_all_pairs_an_equal_lag_apart(from_paths):
    """Log-spaced dumps that start again: 0, 1, 2, 4, 8, 16, 17, 18, 20 ... in units of 0.1 ps."""
    frame = np.concatenate([16 * k + np.array([0, 1, 2, 4, 8]) for k in range(6)])
    path = walks(30)
    traj = from_paths(path, CUBE, time=7.0 + 0.1 * frame, dtype=np.float64)
    pairs = {}
    for i, a in enumerate(frame):
        for j in range(i, len(frame)):
            pairs.setdefault(int(frame[j] - a), []).append(np.mean(np.sum((path[j] - path[i]) ** 2, axis=-1)))
    out = msd(traj, reference="none")
    np.testing.assert_allclose(out.lag, 0.1 * np.array(sorted(pairs)), rtol=1e-12)
    np.testing.assert_array_equal(out.n_origins[0], [len(pairs[m]) for m in sorted(pairs)])
    np.testing.assert_allclose(values(out), [np.mean(pairs[m]) for m in sorted(pairs)], rtol=1e-11, atol=1e-14)
    some = msd(traj, lags=[1.6, 0.4], reference="none")
    np.testing.assert_allclose(values(some), [np.mean(pairs[4]), np.mean(pairs[16])], rtol=1e-11)
    assert set(msd(traj, lags="log", reference="none").lag.values) < set(out.lag.values)


def test_windows_of_uneven_frames_are_equal_parts_of_the_time(from_paths):
    frame = np.array([0, 1, 2, 3, 4, 5, 11, 13, 15, 17, 19, 21])
    path = walks(12)
    out = msd(from_paths(path, CUBE, time=5.0 + 0.1 * frame, dtype=np.float64), windows=2, reference="none", tensor=True, ions=True)
    np.testing.assert_allclose(out.window, [5.0, 6.05])
    for w, here in enumerate((frame < 10, frame > 10)):
        at, x = frame[here], path[here]
        for k, m in enumerate(np.rint(out.lag.values / 0.1).astype(int)):
            step = np.array([x[j] - x[i] for i in range(len(at)) for j in range(i, len(at)) if at[j] - at[i] == m])
            assert out.n_origins[w, k] == len(step)
            if len(step) == 0:
                assert np.all(np.isnan(out.msd[w, :, k]))
                assert np.all(np.isnan(out.msd_by_ion[w, :, :, k]))
                continue
            np.testing.assert_allclose(out.msd_by_ion[w, :, :, k], np.mean(step**2, axis=0), rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(out.collective_msd[w, 0, k], np.mean(np.sum(step.sum(axis=1) ** 2, axis=-1)) / 6, rtol=1e-10, atol=1e-13)
    assert np.isnan(out.msd).any()


def test_uneven_frames_refuse_a_lag_that_no_two_of_them_have(from_paths):
    traj = from_paths(walks(6), CUBE, time=0.1 * np.array([0, 1, 2, 4, 8, 16]))
    with pytest.raises(ValueError, match=r"no two .* lie 0\.5 ps apart; the nearest lag is 0\.[46] ps"):
        msd(traj, lags=[0.5], reference="none")
    assert msd(traj, lags=[0.6], reference="none").n_origins.item() == 1


def test_more_pairs_of_uneven_frames_than_can_be_counted_are_refused(from_paths, monkeypatch):
    monkeypatch.setattr("mdtools.analyses.time_pairs.MOST", 100)
    traj = from_paths(walks(30), CUBE, time=np.cumsum(np.geomspace(0.1, 3, 30)))
    with pytest.raises(TrajectoryError, match=r"make 465 pairs; .*origins=6"):
        msd(traj, reference="none")
    assert msd(traj, origins=6, reference="none").n_origins.sum() < 100


def test_unevenly_spaced_frames_from_the_first_origin(from_paths):
    path, time = walks(30), np.cumsum(np.geomspace(0.1, 3, 30))
    traj = from_paths(path, CUBE, time=time)
    out = msd(traj, origins="first", reference="none")
    np.testing.assert_allclose(out.lag, time - time[0])
    np.testing.assert_allclose(values(out), np.mean(np.sum((path - path[0]) ** 2, axis=-1), axis=1), rtol=1e-4, atol=1e-6)

"""Strings of ions that take one another's places: rings, chains and walks whose strings are known, by definition and through the faces of a cell."""

import numpy as np
import pytest

from mdtools import imitators, synthetic
from mdtools.analyses.strings import replacement_strings
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.estimates.strings import string_length

EDGE, D = 16.0, 4.0
SITES = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * D
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * D
CUBE = EDGE * np.eye(3)
TILTED = np.array([[EDGE, 0, 0], [D, EDGE, 0], [0, -D, EDGE]])


def at(place, cell=CUBE):
    """Number of the site at a place, or at an image of it."""
    apart = (SITES - place) @ np.linalg.inv(cell)
    return int(np.argmin(np.linalg.norm(apart - np.rint(apart), axis=1)))


def turned(corner=(0.0, 0.0, 0.0), n_frames=90, turns=1, cell=CUBE):
    """Four ions of a square that begins at `corner` change places, in the middle of a run; others rest."""
    path = np.broadcast_to(SITES, (n_frames, *SITES.shape)).copy()
    ions = [at(np.array(corner) + one, cell) for one in SQUARE]
    for k, ion in enumerate(ions):
        path[n_frames // 2 :, ion] += SQUARE[(k + turns) % 4] - SQUARE[k]
    return path


def chain(length, n_frames=90):
    """A vacancy at the origin walks `length` hops along x, in the middle of a run: each ion goes to where the last one was."""
    keep = np.arange(len(SITES)) != at(np.zeros(3))
    path = np.broadcast_to(SITES, (n_frames, *SITES.shape)).copy()
    for k in range(length):
        path[n_frames // 2 :, at(np.array([(k + 1) * D, 0, 0]))] -= [D, 0, 0]
    return path[:, keep]


def sums(data):
    """Sums over windows and lags."""
    return {name: float(data[name].sum()) for name in ("string_number", "string_ions", "string_ions_square", "replaced_ions", "loop_ions")}


@pytest.mark.parametrize("cell", [CUBE, TILTED])
@pytest.mark.parametrize("corner", [(4.0, 4.0, 4.0), (12.0, 12.0, 0.0)])
def test_a_ring_is_one_closed_string_also_across_the_faces_of_the_cell(from_paths, cell, corner):
    drift = np.arange(90)[:, None, None] * np.array([0.4, 0.0, -0.3])
    for shift in (0.0, drift):
        found = sums(replacement_strings(from_paths(turned(corner, cell=cell) + shift, cell, dtype=np.float64), windows=4))
        assert found["string_number"] > 0
        assert found["string_ions"] == found["replaced_ions"] == found["loop_ions"] == pytest.approx(4 * found["string_number"])
        assert found["string_ions_square"] == pytest.approx(16 * found["string_number"])


def test_exchange_of_two_pairs_is_two_strings_of_two(from_paths):
    """Turned twice, opposite corners of the square have changed places, which are 5.7 angstrom apart."""
    found = replacement_strings(from_paths(turned(turns=2), CUBE, dtype=np.float64), windows=4)
    by_length = found.string_number_by_length.sum(("window", "species", "lag"))
    assert by_length.sel(string_ion=2) == found.string_number.sum() > 0
    assert found.loop_ions.sum() == found.string_ions.sum()


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_vacancy_that_hops_leaves_an_open_chain(from_paths, length):
    found = sums(replacement_strings(from_paths(chain(length), CUBE, dtype=np.float64), windows=4, reference="none"))
    assert found["string_number"] > 0
    assert found["string_ions"] == pytest.approx(length * found["string_number"])
    assert found["replaced_ions"] == pytest.approx((length - 1) * found["string_number"])
    assert found["loop_ions"] == 0


def test_it_is_its_definition(from_paths):
    """Walkers in a small tilted cell, with nearest images by all 27 and strings by joining pairs one after the other."""
    random = np.random.default_rng(0)
    path = SITES[:27] + np.cumsum(random.normal(0, 0.8, (45, 27, 3)), axis=0)
    cell = np.array([[12.0, 0, 0], [3.0, 12.0, 0], [-2.0, 1.0, 12.0]])
    data = replacement_strings(from_paths(path, cell, dtype=np.float64), windows=4, reference="none")
    d = data.neighbour_distance.item()
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    starts = 9 * np.arange(4)[:, None] + np.arange(0, 9, 2)
    for lag in data.lag.values:
        m = round(lag / 0.1)
        for w in range(4):
            strings = ions = 0
            for t in starts[w]:
                moved = np.flatnonzero(np.linalg.norm(path[t + m] - path[t], axis=1) > d / 2)
                apart = (path[t + m][moved][None] - path[t][moved][:, None]) @ np.linalg.inv(cell)
                apart = apart - np.rint(apart)
                near = np.linalg.norm((apart[..., None, :] + images) @ cell, axis=-1).min(axis=-1) < 0.4 * d
                label = np.arange(len(moved))
                for i, j in np.argwhere(near):
                    label[label == label[j]] = label[i]
                strings, ions = strings + len(set(label)), ions + len(moved)
            here = data.sel(lag=lag).isel(window=w, species=0)
            np.testing.assert_allclose([here.string_number, here.string_ions], [strings / 5, ions / 5])


def test_rings_of_a_crystal_that_vibrates_are_strings_of_their_length():
    """Few turns at a time: pairs are strings of two and squares of four at short lags, closed; vacancies leave chains that are open."""
    run = {"n_frames": 640, "frame_interval": 0.06}
    for ring in (2, 4):
        found = string_length(replacement_strings(imitators.pair_exchange(ring=ring, rate=0.02, **run))).sel(species="A")
        first = int(np.flatnonzero(np.isfinite(found.string_length))[0])
        assert abs(found.string_length[first] - ring) < 0.2 * ring
        assert found.loop_share[first] > 0.9
        assert found.replaced_by_chance[first] < 0.1
    vacancies = string_length(replacement_strings(imitators.defect_conductor(rate=1.0, **run)))
    assert (vacancies.sel(species="A").loop_share < 0.15).sum() >= 3
    assert vacancies.sel(species="X").regime == "no motion"


def test_errors_are_those_of_independent_runs(from_paths):
    """Rings of four anywhere on the lattice, a third of a ring a frame: scatter of the mean string length over the error, 30 runs."""
    value, error = [], []
    for seed in range(30):
        random = np.random.default_rng(seed)
        where, path = np.arange(len(SITES)), np.empty((135, len(SITES), 3))
        place = SITES.copy()
        for frame in range(len(path)):
            path[frame] = place
            for _ in range(random.poisson(0.5)):
                corner = SITES[random.integers(len(SITES))]
                ring = [at(corner + one) for one in SQUARE]
                ions = where[ring]
                for k in range(4):
                    place[ions[k]] += SQUARE[(k + 1) % 4] - SQUARE[k]
                where[np.roll(ring, -1)] = ions
        found = string_length(replacement_strings(from_paths(path, CUBE, dtype=np.float64), reference="none")).isel(species=0)
        k = int(np.argmin(np.abs(found.lag.values - 0.4)))
        value.append(found.string_length[k].item())
        error.append(found.string_length_stderr[k].item())
    assert 0.7 < np.mean(error) / np.std(value) < 1.6
    assert 4 < np.mean(value) < 7  # some rings share ions


def test_what_does_not_move_and_too_few_are_told(from_paths):
    crystal = replacement_strings(synthetic.harmonic_crystal(cells=4, n_frames=90, temperature=300))
    assert (crystal.string_ions == 0).all()
    found = string_length(crystal)
    assert set(found.regime.values) == {"no motion"}
    assert np.isnan(found.string_length).all()
    with pytest.raises(NotEnoughData, match="windows=8"):
        string_length(crystal.isel(window=slice(0, 3)))
    with pytest.raises(TrajectoryError, match="has one B only"):
        replacement_strings(from_paths(np.zeros((90, 3, 3)), CUBE, species=np.array(["A", "A", "B"])))

"""Zero-frequency limit of spectral matrices that are known."""

import numpy as np
import pytest

from mdtools.errors import NotEnoughData
from mdtools.statistics.cross_spectral import zero_frequency_matrix
from mdtools.statistics.spectral import zero_frequency


def langevin(f, *, time):
    """First-order autoregression of unit variance and correlation time `time` frames."""
    keep = np.exp(-1 / time)
    return (1 - keep**2) / (1 - 2 * keep * np.cos(2 * np.pi * f) + keep**2)


def optical(f):
    return 12.0 * (0.05 * f) ** 2 / ((0.1**2 - f**2) ** 2 + (0.05 * f) ** 2)


def currents(f):
    """Two species whose currents share two relaxations, and an optical mode that moves them against each other: (frequency, 2, 2)."""
    modes = [((1.0, 0.3), langevin(f, time=10)), ((-0.4, 1.0), langevin(f, time=4)), ((1.0, 1.0), optical(f))]
    return sum(np.einsum("a,b,f->fab", v, v, s) for v, s in modes)


def total_and_first(matrix):
    """In the basis (both together, the first)."""
    basis = np.array([[1.0, 1.0], [1.0, 0.0]])
    return basis @ matrix @ basis.T


def periodograms(*, frames, windows, count, seed=0):
    """(count, frequency, 2, 2) of 3 axes in windows of one run each, and what the mean at f = 0 exceeds S(0) by, both in that basis."""
    circle, length = 4 * frames, frames // windows
    exact = currents(np.fft.rfftfreq(circle))
    root = np.linalg.cholesky(exact + 1e-12 * np.eye(2)) * np.sqrt(circle / 2)
    random = np.random.default_rng(seed)
    ends, lags = np.fft.irfft(exact, axis=0), np.arange(1, length)
    shift = ends[0] + 2 * np.sum((1 - lags / length)[:, None, None] * ends[lags], axis=0) - exact[0]
    found = []
    for _ in range(count):
        waves = random.normal(size=(2, 3, len(exact), 2))
        series = np.fft.irfft(np.einsum("fab,cfb->caf", root, waves[0] + 1j * waves[1]))[..., : windows * length]
        x = np.fft.rfft(series.reshape(3, 2, windows, length))
        found.append(total_and_first(np.einsum("cawf,cbwf->fab", x.conj(), x).real / (3 * windows * length)))
    return np.fft.rfftfreq(length), np.array(found), total_and_first(shift)


def test_one_series_gives_the_scalar_and_so_does_the_first_of_several():
    f, spectra, _ = periodograms(frames=1000, windows=2, count=1)
    scalar = zero_frequency(f, spectra[0, :, 0, 0], series=6)
    for matrix in (zero_frequency_matrix(f, spectra[0, :, :1, :1], series=6), zero_frequency_matrix(f, spectra[0], series=6)):
        assert matrix.value[0, 0] == pytest.approx(scalar.value, rel=1e-12)
        assert matrix.covariance[0, 0, 0, 0] == pytest.approx(scalar.stderr**2, rel=1e-12)
        assert matrix.cutoff[0] == pytest.approx(scalar.cutoff, rel=1e-12)


def test_the_matrix_and_the_shares_are_recovered_within_their_own_errors():
    """200 correlation times in 4 windows, with an optical mode in which both species carry alike."""
    f, spectra, shift = periodograms(frames=2000, windows=4, count=24)
    exact = total_and_first(currents(np.zeros(1))[0])
    found = [zero_frequency_matrix(f, one, series=12) for one in spectra]
    value = np.array([one.value for one in found])
    stderr = np.sqrt([np.einsum("abab->ab", one.covariance) for one in found])
    share = value[:, 1, 0] / value[:, 0, 0]
    gradient = np.stack([-share, np.ones(24)], axis=-1) / value[:, :1, 0]
    spread = np.sqrt(np.einsum("na,nab,nb->n", gradient, [one.covariance[:, 0, :, 0] for one in found], gradient))
    cases = [(value[:, a, b] - shift[a, b], stderr[:, a, b], exact[a, b]) for a, b in ((0, 0), (1, 0), (1, 1))]
    for got, error, truth in [*cases, (share, spread, exact[1, 0] / exact[0, 0])]:
        assert abs(got.mean() - truth) < 0.6 * got.std()
        assert np.mean(np.abs(got - truth) < 1.96 * error) > 0.8
        assert 0.75 < np.sqrt(np.mean(np.square(error))) / got.std() < 1.7
    assert np.median(spread / share) < 0.6 * np.median(stderr[:, 1, 0] / value[:, 1, 0])  # what is common to both cancels


def test_it_is_positive_semidefinite_and_so_is_its_covariance():
    f, spectra, _ = periodograms(frames=1000, windows=2, count=3)
    mixed = np.array([[1.0, 0.5], [0.2, -1.0], [0.7, 0.7]])
    more = np.einsum("ap,nfpq,bq->nfab", mixed, spectra, mixed) + np.diag([0, 0, 3.0])
    for one in more:
        found = zero_frequency_matrix(f, one, series=6)
        assert np.linalg.eigvalsh(found.value).min() > 0
        assert np.linalg.eigvalsh(found.covariance.reshape(9, 9)).min() > -1e-9 * found.value[0, 0] ** 2
        np.testing.assert_allclose(found.value, found.value.T, rtol=1e-12)


def test_a_series_that_is_a_multiple_of_another_has_an_exact_share():
    f, spectra, _ = periodograms(frames=1000, windows=2, count=1)
    tied = spectra[0, :, :1, :1] * np.outer([1.0, 0.4, 0.0], [1.0, 0.4, 0.0])
    found = zero_frequency_matrix(f, tied, series=6)
    np.testing.assert_allclose(found.value, found.value[0, 0] * np.outer([1.0, 0.4, 0.0], [1.0, 0.4, 0.0]), rtol=1e-9)
    relative = found.covariance[0, 0, 0, 0] / found.value[0, 0] ** 2
    assert found.covariance[1, 1, 1, 1] == pytest.approx(relative * found.value[1, 1] ** 2, rel=1e-9)


def test_units_of_the_series_and_of_time_do_not_matter():
    f, spectra, _ = periodograms(frames=1000, windows=2, count=1)
    scale = np.outer([1.0, 1e-3], [1.0, 1e-3])
    one, other = zero_frequency_matrix(f, spectra[0], series=6), zero_frequency_matrix(40 * f, spectra[0] * scale, series=6)
    np.testing.assert_allclose(other.value, one.value * scale, rtol=1e-6)
    np.testing.assert_allclose(other.covariance, np.einsum("abcd,ab,cd->abcd", one.covariance, scale, scale), rtol=1e-4)


def test_shares_with_structure_between_the_lowest_ordinates_are_refused():
    """The total is white, and more than half of it moves from one species to the other between the third and the fourth of 64 ordinates."""
    f = np.arange(65) / 128
    white = np.ones(65)
    share = np.where(np.arange(65) > 3, -0.8, 0.5)
    matrix = np.stack([np.stack([white, share], -1), np.stack([share, share**2 + 0.01], -1)], -1)
    with pytest.raises(NotEnoughData, match="the shares of the series in one another have structure"):
        zero_frequency_matrix(f, matrix, series=48)

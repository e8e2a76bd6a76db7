"""Where a curve measured at several temperatures is steepest, by a Gaussian process: every curve that the points and their errors allow."""

import numpy as np

__all__ = ["steepest_of_process"]

LENGTHS, AMPLITUDES, GRID = 10, 8, 121  # of the search over the process, and points at which slopes are compared
VAGUE = 30.0  # standard deviation of the straight line beneath, in spreads of the points
LEAST = 1e-4  # error of a point in spreads, so that the covariance stays definite
SHORTEST = 0.6  # correlation length over the mean distance of the points, below which nothing between them is known


def steepest_of_process(
    t: np.ndarray, y: np.ndarray, error: np.ndarray, *, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws (draw,) of the t of the largest dy/dt, and the mean and standard deviation of dy/dt (grid,) on a grid over t that is given first.

    y = a + b t + f(t), f a process of covariance s^2 exp(-(t - t')^2 / 2 l^2), a and b free. (l, s) are drawn by their marginal likelihood
    on a grid (l from .6 of the distance of the points to 1.5 times their range, logarithmic), slopes from the joint normal given each. So what
    the distance of the runs leaves open is in the draws. Returns (grid, mean and deviation stacked (2, grid), draws).
    Source: C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning (2006), ch. 2, 5, 9.4.
    """
    scale = float(np.ptp(t))
    x = (t - t[0]) / scale
    spread = max(float(np.ptp(y)), 1e-300)
    z, noise = (y - y.mean()) / spread, np.maximum(error / spread, LEAST)
    line = np.polyfit(x, z, 1)
    left = max(float(np.std(z - np.polyval(line, x))), float(noise.mean()))
    grid = np.linspace(0.0, 1.0, GRID)
    weights, means, roots = [], [], []
    for length in np.geomspace(SHORTEST / (len(t) - 1), 1.5, LENGTHS):
        for amplitude in left * np.geomspace(0.3, 30.0, AMPLITUDES):
            weight, mean, covariance = _slopes(x, z, noise, grid, length, amplitude)
            weights.append(weight)
            means.append(mean)
            roots.append(covariance)
    share = np.exp(np.array(weights) - max(weights))
    share /= share.sum()
    at, first, second = [], np.zeros(GRID), np.zeros(GRID)
    for n, weight, mean, covariance in zip(random.multinomial(draws, share), share, means, roots, strict=True):
        first += weight * mean
        second += weight * (mean**2 + np.diag(covariance))
        if n:
            values, vectors = np.linalg.eigh(covariance)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            at.append(np.argmax(mean + random.normal(size=(n, GRID)) @ root.T, axis=1))
    slopes = np.stack([first, np.sqrt(np.maximum(second - first**2, 0.0))]) * spread / scale
    return t[0] + scale * grid, slopes, t[0] + scale * grid[np.concatenate(at)]


def _slopes(
    x: np.ndarray, z: np.ndarray, noise: np.ndarray, grid: np.ndarray, length: float, amplitude: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log of the marginal likelihood, and mean and covariance of the slope on the grid."""

    def bump(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        apart = (a[:, None] - b[None, :]) / length
        return amplitude**2 * np.exp(-0.5 * apart**2), apart

    same, _ = bump(x, x)
    covariance = same + VAGUE**2 * (1 + np.multiply.outer(x, x)) + np.diag(noise**2)
    low = np.linalg.cholesky(covariance)
    cross, apart = bump(grid, x)
    cross = -cross * apart / length + VAGUE**2 * x[None, :]  # covariance of f'(grid) with f(x)
    own, far = bump(grid, grid)
    own = own * (1 - far**2) / length**2 + VAGUE**2
    half = np.linalg.solve(low, z)
    reach = np.linalg.solve(low, cross.T)
    likelihood = -0.5 * float(half @ half) - float(np.log(np.diag(low)).sum())
    return likelihood, reach.T @ half, own - reach.T @ reach

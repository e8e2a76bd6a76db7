"""From resampled displacements to the indicators of melting. Arrays in, arrays out; `draw` is the first axis throughout."""

from dataclasses import dataclass

import numpy as np

__all__ = ["HELD", "Cage", "bimodality", "bragg_amplitudes", "cage_of", "indicators"]

UNCAGED = 0.85  # least d ln MSD / d ln t from which no plateau is seen; 2 is ballistic, 1 diffusive
FOLLOWED = 1.2  # first d ln MSD / d ln t from which the frames follow the flight of an ion within its cage
RESOLVED = 0.35  # MSD of one frame over the plateau up to which the frames give the period
SHOWN = 0.2  # least overlap that vibration alone leaves, below which a wider one (a gas in a box: 0) hides what hops take from it
HELD = 1e-9  # MSD over d^2 below which ions are held fixed
TINY = 1e-6
BETWEEN, BEYOND = (0.4, 0.75), (0.75, 1.35)  # neighbour distances: where displacements are few, and many, if ions hop
FEWEST_COUNTS = 40  # displacements of that length, ions and origins half a lag apart counted


@dataclass(frozen=True)
class Cage:
    """What vibration a species shows: lags that lie on its plateau (empty if none), its period in ps, whether that is only an
    upper bound, and whether the frames are close enough to follow it."""

    lags: np.ndarray
    period: float = np.nan
    bound: bool = True
    followed: bool = False

    @property
    def seen(self) -> bool:
        return bool(self.lags.any())


def cage_of(lag: np.ndarray, msd: np.ndarray, *, speed_squared: float = np.nan) -> Cage:
    """Plateau and period of vibration from a mean MSD (lag,), the first lag being one frame.

    The plateau is at t_c, the first lag where the log-slope comes within 0.15 of its least value, and 2 u^2 + 6 D t is fitted to
    0.75 t_c ... 6 t_c. The period is 2 pi u / v with the thermal <v^2> = `speed_squared` where it is known (equipartition),
    else from the first frame, MSD(dt) = 2 u^2 (1 - cos(2 pi dt / period)), where that resolves it; else it is at most 4 dt.
    """
    slope = _log_slopes(lag, msd[None])[0]
    none = np.zeros(len(lag), dtype=bool)
    followed = bool(np.log(max(msd[1], TINY) / max(msd[0], TINY)) / np.log(lag[1] / lag[0]) >= FOLLOWED)
    if slope.min() >= UNCAGED:
        return Cage(none, followed=followed)
    begin = lag[1 + int(np.argmax(slope <= slope.min() + 0.15))]
    lags = (lag >= 0.75 * min(begin, lag[-3])) & (lag <= 6 * begin)
    lags = lags if lags.sum() >= 3 else np.arange(len(lag)) >= len(lag) - 3
    plateau = float(_line(lag, lags)[1] @ msd)
    if plateau <= 0:
        return Cage(none, followed=followed)
    if np.isfinite(speed_squared):
        return Cage(lags, 2 * np.pi * np.sqrt(plateau / 2 / speed_squared), False, followed)
    first = msd[0] / plateau
    if first <= RESOLVED:
        return Cage(lags, 2 * np.pi * lag[0] / np.arccos(1 - first), False, followed)
    return Cage(lags, 4 * lag[0], True, followed)


def indicators(
    lag: np.ndarray, msd: np.ndarray, fourth: np.ndarray, overlap: np.ndarray, never: np.ndarray, *, d: float, cage: Cage
) -> dict[str, np.ndarray]:
    """Indicators (draw,) of one species from msd, fourth, overlap (draw, lag), never (draw,) and the neighbour distance d.

    NaN where one does not apply: no plateau, or a vibration so wide that it hides the overlap.
    """
    late, last = lag >= lag[-1] / 5, lag >= lag[-1] / 2
    six_d = msd @ _line(lag, late)[0]
    log_slope = np.log(np.maximum(msd, TINY)) @ _line(np.log(lag), last)[0]
    if cage.seen:
        plateau = np.maximum(msd @ _line(lag, cage.lags)[1], 0.0)
        lindemann = np.sqrt(plateau / 2) / d
        vibration = np.exp(-((2 * np.pi / d) ** 2) * plateau / 6)
    else:
        held = msd[:, -1] < HELD * d**2
        lindemann, vibration = np.where(held, 0.0, np.nan), np.ones(len(msd))
    ratio = overlap / np.where(vibration >= SHOWN, vibration, np.nan)[:, None]
    shown = ratio[:, -1]
    return {
        "displacement": msd[:, -1] / d**2,
        "log_slope": log_slope,
        "growth": np.maximum(six_d * lag[-1] / d**2, 0.0),
        "linear_evidence": _for_a_line(six_d),
        "overlap_ratio": shown,
        "never_moved": never,
        "lindemann": lindemann,
        "hops_per_vibration": np.maximum(six_d / d**2, 0.0) * cage.period,
        "decays_per_vibration": np.where(np.isfinite(shown), _decay_rate(lag, ratio), np.nan) * cage.period,
        "subdiffusion": log_slope,
        "plateau_slope": _log_slopes(lag, msd).min(axis=1),
        "heterogeneity": (0.6 * fourth / np.maximum(msd, TINY) ** 2 - 1.0).max(axis=1),
    }


def bimodality(share: np.ndarray, r: np.ndarray, counts: float) -> np.ndarray:
    """(draw,) least density of displacement lengths between the sites over the largest about the next sites, from shares (draw, bin) at r / d.

    Means over three bins, so that single counts weigh less. Near 0 where hops are resolved, 1 where none are; NaN where fewer than 40 of
    `counts` independent displacements reach the next sites. Source: reference/science.md C3 (bimodality of 4 pi r^2 G_s).
    """
    smooth = (share[:, :-2] + share[:, 1:-1] + share[:, 2:]) / 3
    middle = r[1:-1]
    between, beyond = ((middle >= low) & (middle <= high) for low, high in (BETWEEN, BEYOND))
    top = smooth[:, beyond].max(axis=1)
    reached = share[:, (r >= BEYOND[0]) & (r <= BEYOND[1])].sum(axis=1) * counts
    return np.where((reached >= FEWEST_COUNTS) & (top > 0), np.minimum(smooth[:, between].min(axis=1) / np.maximum(top, 1e-12), 1.0), np.nan)


def bragg_amplitudes(amplitude: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Static amplitude Phi (draw, species) of the strongest reflections, from complex amplitudes (block, species, reflection).

    Phi^2 is the mean of Re A_w A_w'^* over blocks w of the first half of the run, where the reflections were chosen, and w' of
    the second, a quarter of the run or more apart: mean zero where density waves forget themselves within that time.
    The first row is the estimate; the others draw the blocks of either half with replacement.
    """
    n = len(amplitude) // 2
    apart = (np.arange(n)[None, :] + n - np.arange(n)[:, None]) >= n // 2
    product = np.einsum("wsr,vsr->wvs", amplitude[:n], amplitude[n:].conj()).real / amplitude.shape[2]
    first, second = (np.concatenate([np.ones((1, n)), random.multinomial(n, np.full(n, 1 / n), size=draws)]) for _ in range(2))
    weights = first[:, :, None] * second[:, None, :] * apart
    total = weights.sum(axis=(1, 2))
    mean = np.einsum("dwv,wvs->ds", weights, product) / np.maximum(total, TINY)[:, None]
    return np.sqrt(np.maximum(np.where(total[:, None] > 0, mean, mean[:1]), 0.0))


def _for_a_line(slope: np.ndarray) -> np.ndarray:
    """(draw,) gain of AIC by a line of free slope over a plateau: (slope / sigma)^2 - 2, sigma from the draws; negative slopes gain nothing."""
    sigma = slope[1:].std(ddof=1)
    return np.maximum(slope, 0.0) ** 2 / max(sigma**2, 1e-30) - 2.0


def _line(t: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vectors over all t whose products with y are slope and intercept of the straight line through the chosen points."""
    x = np.where(chosen, t - t[chosen].mean(), 0.0)
    slope = x / np.sum(x**2)
    return slope, chosen / chosen.sum() - slope * t[chosen].mean()


def _log_slopes(lag: np.ndarray, msd: np.ndarray) -> np.ndarray:
    """d ln MSD / d ln t (draw, lag) of a MSD (draw, lag), over four neighbouring lags, up to half of the longest."""
    early = max(4, int(np.sum(lag <= lag[-1] / 2)))
    log_t, log_msd = np.log(lag[:early]), np.log(np.maximum(msd[:, :early], TINY))
    return (log_msd[:, 3:] - log_msd[:, :-3]) / (log_t[3:] - log_t[:-3])


def _decay_rate(lag: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """1 / (time at which a ratio (draw, lag) has fallen to 1/e), extrapolated as an exponential from the last lag if it has not."""
    below = ratio < np.exp(-1)
    at = np.argmax(below, axis=1)
    row = np.arange(len(ratio))
    y1, y0 = ratio[row, at], ratio[row, np.maximum(at - 1, 0)]
    share = np.where(at > 0, (y0 - np.exp(-1)) / np.maximum(y0 - y1, TINY), 1.0)
    before = np.where(at > 0, lag[np.maximum(at - 1, 0)], 0.0)
    crossed = before + share * (lag[at] - before)
    slow = np.maximum(-np.log(np.clip(ratio[:, -1], TINY, None)), 0.0) / lag[-1]
    return np.where(below.any(axis=1), 1 / np.maximum(crossed, TINY), slow)

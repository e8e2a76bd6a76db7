#!/usr/bin/env python3
"""Do the intervals of a transition temperature hold? Series of eleven runs, 1000 to 2000 K, whose T_c lies anywhere between 1350 and 1650 K.

    python -P scripts/coverage_transition.py [--series 400] [--seed 71] [--jobs 2]       (.2 s of processor a series)

A row for each route of `detect_transition`, with what it is given: share of the series in which a T_c is told, share of these whose 95 %
interval holds it, quoted error over the true one (root mean square), bias in K; and in how many series of the same noise without a
transition one is told.
"""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from mdtools.statistics.transition import Located, change_point, knee, largest, steepest, two_branches

T = np.arange(1000.0, 2001.0, 100.0)
DRAWS = 400
ROUTES = (
    "heat capacity: excess 60 K wide",
    "heat capacity: excess 120 K wide",
    "fluctuation: peak 120 K wide",
    "probability of a state",
    "knee",
    "two branches",
)


def one(task: tuple[int, int]) -> tuple[int, float, Located, Located]:
    """Route, T_c, what is found, and what is found where there is none."""
    route, seed = task
    random = np.random.default_rng([seed, route])
    centre, noise = float(random.uniform(1350, 1650)), random.normal(size=(2, len(T)))
    smooth = 9e-4 * (T - 1500) + 2e-8 * (T - 1500) ** 2
    if route in (0, 1):
        error = np.full(len(T), 0.003)
        step = 0.08 / (1 + np.exp(-(T - centre) / (60.0, 120.0)[route]))
        found = [steepest(T, smooth + part + error * x, error, draws=DRAWS, random=random)[0] for part, x in zip((step, 0.0), noise, strict=True)]
    elif route == 2:
        error = np.full(len(T), 0.5)
        peak = 4 * np.exp(-(((T - centre) / 120) ** 2))
        found = [
            largest(T, 3 + 1e-3 * (T - 1000) + part + error * x, error, draws=DRAWS, random=random)
            for part, x in zip((peak, 0.0), noise, strict=True)
        ]
    elif route == 3:  # of calibrated log-odds 2 s^2 apart, s^2 = 4
        odds = [np.where(centre < T, 4.0, -4.0) + np.sqrt(8.0) * noise[0], -4.0 + np.sqrt(8.0) * noise[1]]
        found = [change_point(T, 1 / (1 + np.exp(-x))) for x in odds]
    elif route == 4:
        x, error = 1 / T, np.full(len(T), 0.08)
        bent = -8000 * x - 14000 * np.maximum(x - 1 / centre, 0.0)
        found = [knee(T, part + error * n, error, draws=DRAWS, random=random) for part, n in zip((bent, -12000 * x), noise, strict=True)]
    else:
        error = np.full(len(T), 0.003)
        found = [two_branches(T, 9e-4 * T + 0.03 * (centre < T) + error * noise[0], error)[0], Located()]  # asked of a type I alone
    return route, centre, found[0], found[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--series", type=int, default=400)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    tasks = [(route, 10**6 * given.seed + k) for route in range(len(ROUTES)) for k in range(given.series)]
    with ProcessPoolExecutor(given.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        rows = list(pool.map(one, tasks, chunksize=20))
    print("| route | series | T_c told | 95 % interval covers | quoted / true error | bias (K) | told where there is none |")
    print("|---|---|---|---|---|---|---|")
    for k, name in enumerate(ROUTES):
        mine = [row for row in rows if row[0] == k]
        told = [(centre, found) for _, centre, found, _ in mine if np.isfinite(found.value)]
        off = np.array([found.value - centre for centre, found in told])
        covers = np.mean([found.lower <= centre <= found.upper for centre, found in told])
        quoted = np.sqrt(np.mean([found.stderr**2 for _, found in told]) / np.mean(off**2))
        false = np.mean([np.isfinite(none.value) for *_, none in mine])
        numbers = f"{100 * len(told) / len(mine):.0f} % | {100 * covers:.1f} % | {quoted:.2f} | {off.mean():+.0f} | {100 * false:.1f} %"
        print(f"| {name} | {len(mine)} | {numbers} |")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Calibrate the verdicts on melting: weights of the questions fitted on one half of a family of known systems, reliability on the other.

    python -P scripts/calibrate.py [--systems 120] [--seed 1] [--jobs 2] [--write]      (2.4 s of processor a system, then 2 min)

Systems are drawn at random from mdtools.imitators and mdtools.synthetic: class, sizes, rates, amplitudes, length of the run. Each is measured
once; weights of `translates?` and `molten?` that make the log-loss of the system's class least on the first half are taken from a grid, below the
value at which one line alone would decide, and then that of
`ordered?`, which has one line only: it may claim no more than n systems that are all right can show, (n + 1) / (n + 2). Prints markdown tables of
the half that was held back. --write puts the weights, the figures and the next version into mdtools/detection/calibration.json.
"""

import argparse
import itertools
import json
import multiprocessing
import pickle
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

TABLE = Path(__file__).parents[1] / "mdtools" / "detection" / "calibration.json"
GRID = (0.3, 0.4, 0.5, 0.6, 0.7)  # below ln 9 / 3, from which one line at its cap would have the probability of a verdict
ORDERED = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
FRAMES = (350, 700)


def drawn(seed: int) -> tuple[str, Callable[[], Any]]:
    """Class and maker of the system of a seed."""
    from mdtools import imitators, synthetic

    random = np.random.default_rng(seed)
    n = int(random.choice(FRAMES))

    def uniform(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    common = {"n_frames": n, "seed": seed}
    kinds: list[tuple[str, Callable[[], Any]]] = [
        ("crystal", lambda: imitators.crystal(amplitude=uniform(0.03, 0.13), temperature=uniform(300, 1500), **common)),
        (
            "defect conductor",
            lambda: imitators.defect_conductor(vacancies=int(random.integers(2, 9)), rate=uniform(1.0, 4.0), amplitude=uniform(0.05, 0.12), **common),
        ),
        ("defect conductor", lambda: imitators.pair_exchange(rate=uniform(0.03, 0.1), ring=int(random.choice([2, 4])), **common)),
        ("superionic", lambda: imitators.superionic(barrier=uniform(0.3, 2.0), amplitude=uniform(0.05, 0.12), **common)),
        ("liquid", lambda: imitators.liquid(friction=uniform(5.0, 60.0), **common)),
        ("glass", lambda: imitators.glass(amplitude=uniform(0.03, 0.1), **common)),
        ("superionic glass", lambda: imitators.glass(mobile=True, amplitude=uniform(0.03, 0.1), **common)),
        ("coexistence", lambda: imitators.coexistence(cells=3, share=uniform(0.2, 0.6), amplitude=uniform(0.05, 0.1), **common)),
        ("coexistence", lambda: imitators.surface(amplitude=uniform(0.05, 0.1), **common)),
        ("superionic", lambda: imitators.superionic(axes=int(random.choice([1, 2])), barrier=uniform(0.3, 1.5), **common)),
        ("crystal", lambda: imitators.creep(speed=uniform(0.0, 0.5), **common)),
        ("plastic crystal", lambda: synthetic.rotor(cells=4, rattle=uniform(0.05, 0.15), rotational_diffusivity=uniform(0.5, 4.0), **common)),
    ]
    return kinds[seed % len(kinds)]


def measured(seed: int) -> tuple[str, tuple[Any, ...]]:
    import mdtools as md

    warnings.simplefilter("ignore")
    truth, make = drawn(seed)
    traj = make()
    rigid = md.shear_modulus(md.displacement_waves(traj)) if traj.temperature is not None else None
    return truth, (md.melting_indicators(traj), md.site_occupation(traj), rigid, md.run_state(traj))


def of_seeds(seeds: range, jobs: int, kept: Path | None) -> list[tuple[str, tuple[Any, ...]]]:
    """The measured systems of seeds; those that a file keeps are not measured again."""
    if kept is not None and kept.exists():
        known = pickle.loads(kept.read_bytes())
        if known["seeds"] != seeds:
            raise SystemExit(f"{kept} holds the systems {known['seeds']}, and {seeds} were asked for; give another file")
        return list(known["systems"])
    if jobs > 1:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            systems = list(pool.map(measured, seeds, chunksize=4))
    else:
        systems = [measured(seed) for seed in seeds]
    if kept is not None:
        kept.write_bytes(pickle.dumps({"seeds": seeds, "systems": systems}))
    return systems


def probabilities(systems: list[tuple[str, tuple[Any, ...]]]) -> np.ndarray:
    from mdtools import detect_melting

    return np.array([detect_melting(*data, draws=100).system_probability.values for _, data in systems])


def loss(systems: list[tuple[str, tuple[Any, ...]]], probability: np.ndarray) -> float:
    from mdtools.detection.states import SYSTEM_STATES

    right = [probability[k, SYSTEM_STATES.index(truth)] for k, (truth, _) in enumerate(systems)]
    return float(-np.mean(np.log(np.maximum(right, 1e-6))))


def told(systems: list[tuple[str, tuple[Any, ...]]], probability: np.ndarray) -> dict[str, Any]:
    """Tables of the held-back half, printed, and the figures that are kept."""
    from mdtools.detection.melting import SURE
    from mdtools.detection.states import SYSTEM_STATES

    top, said = probability.max(axis=1), np.array(SYSTEM_STATES)[probability.argmax(axis=1)]
    truth = np.array([name for name, _ in systems])
    print("\n| probability of the likeliest class | systems | mean probability | share that is right |\n|---|---|---|---|")
    for low, high in itertools.pairwise(BINS):
        here = (top >= low) & ((top < high) | (high == 1.0))
        if here.any():
            print(f"| {low:g} to {high:g} | {here.sum()} | {top[here].mean():.2f} | {(said == truth)[here].mean():.2f} |")
    print(f"\n| class | systems | called so (p >= {SURE:g}) | undecided | called otherwise |\n|---|---|---|---|---|")
    for name in SYSTEM_STATES:
        here = truth == name
        if here.any():
            sure = top[here] >= SURE
            right = sure & (said[here] == name)
            print(f"| {name} | {here.sum()} | {right.sum()} | {(~sure).sum()} | {(sure & ~right).sum()} |")
    sure = top >= SURE
    figures = {
        "held_back": len(systems),
        "log_loss": round(loss(systems, probability), 3),
        "log_loss_of_guessing": round(float(np.log(len(SYSTEM_STATES))), 3),
        "confident": int(sure.sum()),
        "confident_and_right": int((sure & (said == truth)).sum()),
    }
    print(f"\nheld back: {figures}")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--systems", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--measured", type=Path, help="file in which the measured systems are kept, and from which they are taken where it is there")
    given = parser.parse_args()
    from mdtools.detection.states import CAP, WEIGHT

    systems = of_seeds(range(1000 * given.seed, 1000 * given.seed + given.systems), given.jobs, given.measured)
    mixed = np.random.default_rng(given.seed).permutation(len(systems))
    fitted, held = ([systems[k] for k in half] for half in np.array_split(mixed, 2))
    best = (np.inf, 0.0, 0.0)
    print("\n| translates | molten | log-loss of the fitted half |\n|---|---|---|")
    for translates, molten in itertools.product(GRID, GRID):
        WEIGHT.update(translates=translates, molten=molten)
        one = (loss(fitted, probabilities(fitted)), translates, molten)
        print(f"| {translates} | {molten} | {one[0]:.4f} |", flush=True)
        best = min(best, one)
    WEIGHT.update(translates=best[1], molten=best[2])
    least = (np.inf, 0.0)
    shown = np.log(len(fitted) + 1) / CAP  # log-odds of (n + 1) / (n + 2), of a line at its cap
    for ordered in (one for one in ORDERED if one <= shown):
        WEIGHT.update(ordered=ordered)
        one = (loss(fitted, probabilities(fitted)), ordered)
        print(f"ordered {ordered}: {one[0]:.4f}", flush=True)
        least = min(least, one)
    WEIGHT.update(ordered=least[1])
    print(f"weights: {WEIGHT}; log-loss of the fitted half {least[0]:.3f}")
    figures = told(held, probabilities(held))
    if given.write:
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        table |= {"version": str(int(table["version"]) + 1), "weight": dict(WEIGHT), "systems": given.systems, "seed": given.seed, "figures": figures}
        TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

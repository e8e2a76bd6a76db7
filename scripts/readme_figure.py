#!/usr/bin/env python
"""Draw the figure of README, data/caf2.svg: the shipped CaF2 series from displacement to verdict."""

import sys
from pathlib import Path

sys.path.pop(0)  # this folder: its coverage.py is not the package that numba looks for

import mdtools as md
from mdtools.reporting import figures
from mdtools.reporting.style import figure, styled, svg

DATA = Path(__file__).parents[1] / "data"


def main() -> None:
    series = list(md.read_series(DATA / "caf2.csv", framework="Ca"))
    walks = [md.msd(run) for _, run in series]
    diffusivities = [md.self_diffusivity(walk) for walk in walks]
    verdicts = [md.detect_melting(md.melting_indicators(run)) for _, run in series]
    names = [f"{run.temperature:g} K" for _, run in series]
    with styled():
        made, ((left, middle, right),) = figure(3)
        figures.msd_of_runs(list(zip(names, walks, strict=True)), left, species="F")
        figures.activation_energy(diffusivities, middle)
        for name, tint in (("Ca", "#0072B2"), ("F", "#D55E00")):
            molten = [float(v.probability.sel(species=name, state="molten")) for v in verdicts]
            right.plot([run.temperature for _, run in series], molten, "o-", markersize=4, color=tint, label=name)
        right.set(xlabel="temperature (K)", ylabel="probability of molten", ylim=(-0.03, 1.03))
        right.legend()
        (DATA / "caf2.svg").write_text(svg(made))
    for (_, run), verdict, d in zip(series, verdicts, diffusivities, strict=True):
        print(
            run.temperature,
            verdict.system_verdict.item(),
            float(verdict.system_probability.max()),
            d.self_diffusivity.values,
            d.self_diffusivity_stderr.values,
        )


if __name__ == "__main__":
    main()

"""One style for every figure: publication sizes, units in labels, colours that colour-blind readers tell apart."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["COLOURS", "axis_label", "colour", "decades", "figure", "safe", "shades", "styled", "svg", "thinned"]

# Okabe and Ito, https://jfly.uni-koeln.de/color/ ; yellow last, it is faint on white
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "svg.fonttype": "path",
    "svg.hashsalt": "mdtools",
    "path.simplify": True,
}
_SIGNS = {"angstrom": "Å", "^2": "²", "^3": "³", "^-1": "⁻¹", "1/ps": "ps⁻¹", "1/Å": "Å⁻¹", "1/THz": "THz⁻¹"}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the project; the user's own settings come back afterwards."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        yield


def figure(columns: int = 1, rows: int = 1, *, width: float = 3.6, height: float = 2.8, **more: Any) -> tuple[Any, np.ndarray]:
    """A figure that belongs to no window, and its axes (row, column)."""
    from matplotlib.figure import Figure

    made = Figure(figsize=(width * columns, height * rows), layout="constrained")
    return made, made.subplots(rows, columns, squeeze=False, **more)


def svg(made: Any) -> str:
    """A figure as SVG text, the same bytes each time."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    out = io.StringIO()
    # drawn once: savefig would draw it before, to lay it out, which drawing does by itself
    FigureCanvasSVG(made).print_svg(out, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def colour(label: str, labels: Sequence[Any]) -> str:
    """The colour of a label among all labels, in their order."""
    return COLOURS[[str(one) for one in labels].index(str(label)) % len(COLOURS)]


def shades(n: int) -> list[Any]:
    """`n` colours from dark to light, for something that has an order (lags, temperatures)."""
    import matplotlib as mpl

    return list(mpl.colormaps["viridis"](np.linspace(0.0, 0.88, n)))


def axis_label(words: str, unit: str) -> str:
    """A label with its unit in signs: "MSD (Å²)"; nothing is added for the unit 1."""
    for plain, sign in _SIGNS.items():
        unit = unit.replace(plain, sign)
    return words if unit in ("", "1") else f"{words} ({unit})"


def safe(text: Any) -> str:
    """A user's label for matplotlib, which would set what stands between $ as a formula."""
    return str(text).replace("$", r"\$")


def decades(ax: Any, *, fewest: float = 2.0) -> None:
    """Widen a logarithmic y axis until it spans `fewest` decades, and label powers of ten only."""
    from matplotlib.ticker import NullFormatter

    low, high = np.log10(ax.get_ylim())
    short = max(0.0, fewest - (high - low)) / 2
    ax.set_ylim(10 ** (low - short), 10 ** (high + short))
    ax.yaxis.set_minor_formatter(NullFormatter())


def thinned(n: int, *, first: int = 1, most: int = 240) -> np.ndarray:
    """Indices first ... n - 1, evenly spaced in the logarithm once there are more than a curve can show."""
    if n - first <= most:
        return np.arange(first, n)
    return np.unique(np.rint(np.geomspace(max(first, 1), n - 1, most)).astype(int))

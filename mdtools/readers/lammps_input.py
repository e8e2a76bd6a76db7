"""The commands that a LAMMPS log echoes, as far as they say what its numbers mean: units, time step, thermostats, dumps."""

import re
from itertools import pairwise
from pathlib import PurePath

__all__ = ["Commands", "Thermostat"]

Thermostat = tuple[float, float]  # temperature at the start and at the end of the run; NaN where a variable sets it

# where the two temperatures stand, counted from the style: fix ID group STYLE ...
_AFTER_STYLE = {"langevin": 1, "temp/berendsen": 1, "temp/csvr": 1, "temp/csld": 1, "temp/rescale": 2}
_ACCELERATED = re.compile(r"/(kk|omp|gpu|intel|opt)(/\w+)?$")


class Commands:
    """State of the input script, line by line; `clear` starts it anew."""

    def __init__(self) -> None:
        self.seen = False
        self._unfinished = ""
        self._reset()

    def _reset(self) -> None:
        self.units: str | None = None
        self.timestep: float | None = None
        self.norm: bool | None = None
        self.minimizing = False
        self.thermostats: dict[str, Thermostat] = {}
        self.dumps: dict[str, str] = {}

    def read(self, line: str) -> None:
        """Take one line of the log that belongs to no table; lines that are no command of interest are passed over."""
        if line.rstrip().endswith("&"):
            self._unfinished += line.rstrip()[:-1] + " "
            return
        words = (self._unfinished + line).split("#")[0].split()
        self._unfinished = ""
        if not words:
            return
        command, rest = words[0], words[1:]
        take = getattr(self, f"_take_{command}", None)
        if take is not None and rest == [word for word in rest if "$" not in word]:
            take(rest)
            self.seen = True

    def _take_clear(self, rest: list[str]) -> None:
        if not rest:
            self._reset()

    def _take_units(self, rest: list[str]) -> None:
        if len(rest) == 1:
            self.units = rest[0]

    def _take_timestep(self, rest: list[str]) -> None:
        if len(rest) == 1:
            self.timestep = _number(rest[0])

    def _take_thermo_style(self, rest: list[str]) -> None:
        self.norm = None  # a new style goes back to the default of the units

    def _take_thermo_modify(self, rest: list[str]) -> None:
        for key, value in pairwise(rest):
            if key == "norm" and value in ("yes", "no", "on", "off", "true", "false"):
                self.norm = value in ("yes", "on", "true")

    def _take_run(self, rest: list[str]) -> None:
        self.minimizing = False

    def _take_minimize(self, rest: list[str]) -> None:
        self.minimizing = True

    def _take_dump(self, rest: list[str]) -> None:
        if len(rest) >= 5:
            self.dumps[rest[0]] = PurePath(rest[4]).name

    def _take_undump(self, rest: list[str]) -> None:
        if rest:
            self.dumps.pop(rest[0], None)

    def _take_unfix(self, rest: list[str]) -> None:
        if rest:
            self.thermostats.pop(rest[0], None)

    def _take_fix(self, rest: list[str]) -> None:
        if len(rest) < 3:
            return
        self.thermostats.pop(rest[0], None)
        style, arguments = _ACCELERATED.sub("", rest[2]), rest[3:]
        if style in _AFTER_STYLE:
            at = _AFTER_STYLE[style] - 1
        elif re.match(r"(rigid/(small/)?)?(nvt|npt)", style) and "temp" in arguments:
            at = arguments.index("temp") + 1
        else:
            return
        both = arguments[at : at + 2]
        if len(both) == 2:
            first, last = map(_number, both)
            self.thermostats[rest[0]] = (float("nan") if first is None else first, float("nan") if last is None else last)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None

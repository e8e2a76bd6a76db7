"""When frames were: the time axis, and the part that is wanted."""

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.units import UnitSystem, duration

__all__ = ["part", "time_axis"]


def time_axis(
    frames: Frames, kept: np.ndarray, system: UnitSystem, *, timestep: float | str | None, frame_interval: float | str | None
) -> tuple[np.ndarray, str]:
    """Time of the kept frames in ps (tau in lj units), and in words where it is from.

    frame_interval beats timestep, which beats what the file says. Raises TrajectoryError where none is there.
    """
    if system.name == "lj" and any(isinstance(value, str) and not _is_number(value) for value in (timestep, frame_interval)):
        raise TrajectoryError(f"{frames.source}: in lj units a time is a number of tau; pass timestep=0.005, or --timestep 0.005")
    steps = None if frames.steps is None else frames.steps[kept]
    if frame_interval is not None:
        return _by_interval(frames, steps, kept, _positive(frame_interval, "frame_interval")), "frame_interval"
    if timestep is not None:
        if steps is None:
            raise TrajectoryError(
                f"{frames.source}: frames carry no step numbers, so timestep= does not give their time; pass frame_interval= (ps; timestep x steps "
                f"between stored frames, in VASP POTIM x NBLOCK), or --frame-interval"
            )
        return steps * _positive(timestep, "timestep"), "timestep"
    if frames.times is not None:
        return frames.times[kept] * system.time, "the file"
    if frames.interval is not None:
        return np.arange(len(kept)) * frames.interval * system.time, "the file"
    if len(kept) == 1:
        return np.zeros(1), "a single frame"
    if steps is not None:
        raise TrajectoryError(
            f"{frames.source}: nothing says how long a step is; pass timestep=0.001 (ps; your own), or on the command line --timestep 0.001"
        )
    raise TrajectoryError(
        f"{frames.source}: nothing says how much time lies between frames; pass frame_interval=0.1 (ps; your own, in VASP POTIM x NBLOCK), "
        f"or on the command line --frame-interval 0.1"
    )


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _positive(value: float | str, name: str) -> float:
    try:
        ps = duration(value, name)
    except ValueError as reason:
        raise TrajectoryError(str(reason)) from None
    if not ps > 0:
        raise TrajectoryError(f"{name}={value!r} must be longer than zero; pass it in ps, or with its unit: {name}='2 fs'")
    return ps


def _counted(frames: Frames, kept: np.ndarray) -> np.ndarray:
    """How many usual intervals each kept frame is after the first: one more each, and more where the file's own numbers leave some out.

    Numbers start again with every file and may start again within one; that is no gap.
    """
    even = np.arange(len(kept), dtype=np.float64)
    if frames.counters is None or len(kept) < 2:
        return even
    spacing = np.diff(frames.counters[kept]).astype(np.float64)
    file = np.searchsorted([first for first, _ in frames.pieces], kept, side="right")
    on = (spacing > 0) & (np.diff(file) == 0)
    if not on.any():
        return even
    usual = float(np.median(spacing[on]))
    return np.concatenate([[0.0], np.cumsum(np.where(on & (spacing > usual), spacing / usual, 1.0))])


def _by_interval(frames: Frames, steps: np.ndarray | None, kept: np.ndarray, interval: float) -> np.ndarray:
    number = len(kept)
    if steps is None:
        return _counted(frames, kept) * interval
    if number == 1:
        return np.zeros(1)
    spacing = np.diff(steps)
    usual = float(np.median(spacing))
    if 2 * np.count_nonzero(spacing == usual) <= number - 1:
        raise TrajectoryError(
            f"{frames.source}: frames are {spacing.min()} to {spacing.max()} steps apart, so one frame_interval does not hold for all; "
            f"pass timestep= (ps of one step) instead, or --timestep"
        )
    return steps / usual * interval


def part(time: np.ndarray, source: str, *, begin: float | str | None, end: float | str | None, stride: int, reduced: bool = False) -> slice:
    """The wanted frames: from time `begin` to time `end` (ps, tau where `reduced`; both included), every `stride`-th."""
    if reduced and any(isinstance(value, str) and not _is_number(value) for value in (begin, end)):
        raise TrajectoryError(f"{source}: in lj units a time is a number of tau; pass begin=10, or --begin 10")
    if not (isinstance(stride, (int, np.integer)) and stride >= 1):
        raise TrajectoryError(f"stride={stride!r} must be a whole number of frames, 1 or more; pass for instance stride=10")
    try:
        first, last = (None if value is None else duration(value, name) for value, name in ((begin, "begin"), (end, "end")))
    except ValueError as reason:
        raise TrajectoryError(str(reason)) from None
    # half a frame of a thousandth forgives the rounding of step x timestep
    slack = 1e-3 * float(np.diff(time).min()) if len(time) > 1 else 1e-9
    start = 0 if first is None else int(np.searchsorted(time, first - slack))
    stop = len(time) if last is None else int(np.searchsorted(time, last + slack))
    if start >= stop:
        there = f"{time[0]:g} to {time[-1]:g} {'tau' if reduced else 'ps'}"
        raise TrajectoryError(f"{source}: no frame lies between begin={begin} and end={end}; the frames go from {there}")
    return slice(start, stop, int(stride))

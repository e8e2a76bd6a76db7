"""Steps and times that the comments of an xyz file state: by keys that carry their unit, or whose writer is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mdtools.units import UNIT_SYSTEMS

__all__ = ["Clock", "stated_clock"]

_FS, _PS = UNIT_SYSTEMS["real"].time, 1.0
_WITH_UNIT = {b"time_fs": _FS, b"time(fs)": _FS, b"time_ps": _PS, b"time(ps)": _PS}
_STEP = (b"timestep", b"step", b"md_step")  # LAMMPS calls the number of the step "Timestep"


@dataclass(frozen=True)
class Clock:
    """steps : (frame,). times : (frame,) ps. None where the file does not say."""

    steps: np.ndarray | None = None
    times: np.ndarray | None = None


def stated_clock(headers: Sequence[Mapping[bytes, bytes]], *, gpumd: bool, units: str | None) -> tuple[Clock, tuple[str, ...]]:
    """What the comments say of time, and what to say about it. A key counts where every frame has it and it grows."""
    lower = [{name.lower(): value for name, value in header.items()} for header in headers]
    steps = next((values for key in _STEP if (values := _growing(lower, key)) is not None and (values == np.rint(values)).all()), None)
    steps = None if steps is None else steps.astype(np.int64)
    for key, factor in _WITH_UNIT.items():
        if (times := _growing(lower, key)) is not None:
            return Clock(steps, times * factor), ()
    times = _growing(lower, b"time")
    if times is None:
        return Clock(steps), ("the key Time does not grow from frame to frame and is left out",) if b"time" in lower[0] else ()
    if gpumd:
        return Clock(steps, times * _FS), ("times are in fs, as GPUMD writes them",)
    if units is not None:
        return Clock(steps, times * UNIT_SYSTEMS[units].time), ()
    return Clock(steps), ("the key Time is left out, because nothing says its unit: pass units='metal' (ps) or 'real' (fs), or frame_interval=",)


def _growing(headers: Sequence[Mapping[bytes, bytes]], key: bytes) -> np.ndarray | None:
    """(frame,) the numbers under a key; None where one is missing, is no number, or does not follow the one before."""
    try:
        values = np.array([float(header[key]) for header in headers])
    except (KeyError, ValueError):
        return None
    sound = np.isfinite(values).all() and (np.abs(values) < 2**53).all() and (np.diff(values) > 0).all()
    return values if sound else None

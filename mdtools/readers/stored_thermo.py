"""The rows of a log in a store: a group `thermo` of plain arrays beside the frames."""

from typing import Any

import numpy as np

from mdtools.thermo import Thermo

__all__ = ["read_thermo", "write_thermo"]

_GROUP = "thermo"


def write_thermo(group: Any, log: Thermo | None) -> None:
    """Keep a log in the group of a store; nothing where there is none."""
    if log is None:
        return
    inner = group.create_group(_GROUP)
    parts = {"time": log.time, **({} if log.steps is None else {"step": log.steps}), **log.values}
    for name, values in parts.items():
        inner.create_array(name, data=np.ascontiguousarray(values))
    inner.attrs.update({"source": log.source, "names": list(log.values)})


def read_thermo(group: Any, time: np.ndarray) -> Thermo | None:
    """The rows from the first to the last of the frames at these times; None where the store has none."""
    inner = group.get(_GROUP)
    if inner is None or len(time) == 0:
        return None
    about = inner.attrs.asdict()
    steps = inner.get("step")
    log = Thermo(
        time=np.asarray(inner["time"][:]),
        values={name: np.asarray(inner[name][:]) for name in about["names"]},
        steps=None if steps is None else np.asarray(steps[:]),
        source=about["source"],
    )
    return log.between(float(time[0]), float(time[-1]))

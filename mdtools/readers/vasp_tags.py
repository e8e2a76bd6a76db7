"""What the tags of an INCAR say of a run: time between the stored frames, and the temperature its thermostat held.

Which file is written how often is the table "Output interval options" of the VASP wiki (NBLOCK, ML_OUTBLOCK).
"""

import re
from collections.abc import Mapping
from typing import Literal

from mdtools.units import UNIT_SYSTEMS

__all__ = ["Tags", "frame_interval", "has_thermostat", "number_of", "thermostat_temperature"]

Tags = Mapping[str, str]
_FS = UNIT_SYSTEMS["real"].time
_OUTBLOCK_IN_XML = (6, 4, 3)  # the first version whose vasprun.xml obeys ML_OUTBLOCK


def number_of(tags: Tags, name: str, default: float | None = None) -> float | None:
    """The first number under a tag; the default where the tag is missing or holds none."""
    found = re.match(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d{1,3})?)", tags.get(name, ""))
    return float(re.sub("[dD]", "e", found[1])) if found else default


def _whole(tags: Tags, name: str, default: int) -> int:
    value = number_of(tags, name, default)
    return int(value) if value is not None and abs(value) < 2**31 else default


def _is_dynamics(tags: Tags) -> bool:
    """Whether a run is molecular dynamics: IBRION = 0, which is also the default of a run with steps."""
    return _whole(tags, "IBRION", 0 if _whole(tags, "NSW", 0) > 0 else -1) == 0


def frame_interval(tags: Tags, *, file: Literal["vasprun", "vaspout"], version: str = "", n_frames: int = 0) -> tuple[float | None, tuple[str, ...]]:
    """Time between frames in ps and what to say about it; None where the tags do not settle it.

    vasprun.xml holds every step, and every ML_OUTBLOCK-th one of a run with a finished force field as of VASP 6.4.3;
    vaspout.h5 holds every NBLOCK-th one, where ML_OUTBLOCK raises NBLOCK.
    """
    if not _is_dynamics(tags):
        return None, ("this is no molecular dynamics (IBRION is not 0), so its frames have no times",) if "IBRION" in tags else ()
    potim = number_of(tags, "POTIM")
    if potim is None or not potim > 0:
        return None, ()
    # ML_OUTBLOCK has a say in runs that only predict
    predicts = tags.get("ML_MODE", "").strip().lower().startswith("run") or _whole(tags, "ML_ISTART", 0) == 2
    outblock = _whole(tags, "ML_OUTBLOCK", 1)
    steps = max(_whole(tags, "NBLOCK", 1), outblock if predicts else 1) if file == "vaspout" else 1
    if file == "vasprun" and outblock > 1:
        numbers = tuple(int(word) for word in re.findall(r"\d{1,6}", version)[:3])
        if n_frames <= _whole(tags, "NSW", 0) // outblock + 1 and len(numbers) == 3:
            steps = outblock if predicts and numbers >= _OUTBLOCK_IN_XML else 1
        elif n_frames <= _whole(tags, "NSW", 0) // outblock + 1:
            return None, (f"ML_OUTBLOCK is {outblock}, and nothing says whether this version of VASP heeds it here: pass frame_interval=",)
    return potim * max(steps, 1) * _FS, ()


def thermostat_temperature(tags: Tags) -> tuple[float | None, tuple[str, ...]]:
    """Temperature in K of a run whose thermostat held one, and what to say where it changed; None without a thermostat."""
    start = number_of(tags, "TEBEG")
    if start is None or not start > 0 or not _is_dynamics(tags) or not has_thermostat(tags):
        return None, ()
    stop = number_of(tags, "TEEND", start)
    if stop is not None and abs(stop - start) > 1e-6 * start:
        return None, (f"the thermostat goes from {start:g} to {stop:g} K, so the run has no one temperature: pass temperature=",)
    return start, ()


def has_thermostat(tags: Tags) -> bool:
    """Whether tags set a thermostat: MDALGO = 2 with SMASS = -3, for instance, is NVE."""
    smass = number_of(tags, "SMASS", -3.0) or 0.0
    algorithm = _whole(tags, "MDALGO", 0)
    if algorithm == 1:  # Andersen; without collisions it is NVE
        return (number_of(tags, "ANDERSEN_PROB", 0.0) or 0.0) > 0
    if algorithm == 3:  # Langevin; without friction it is NVE
        return any(float(word) > 0 for word in re.findall(r"\d+\.?\d*", tags.get("LANGEVIN_GAMMA", "")))
    if algorithm in (4, 5):  # Nose-Hoover chains, canonical sampling by velocity rescaling
        return True
    # Nose-Hoover, or for -1 rescaling of the velocities; -2 and -3 leave them to themselves
    return algorithm in (0, 2) and (smass >= 0 or smass == -1)

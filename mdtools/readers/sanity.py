"""Is it physical? What the first frames imply (temperature, frequency, displacement), held against the log and against absurdity.

A slip of units is a factor of a thousand in a time or a length, and of a million in a temperature; the bounds are far from what
any run shows, so that a note means something. Reduced (`lj`) runs have no absolute scale, and are held against themselves.
"""

from dataclasses import dataclass, replace

import numpy as np

from mdtools.trajectory import Trajectory
from mdtools.units import BOLTZMANN, KINETIC_TO_EV

__all__ = ["examined", "sanity"]

_FRAMES, _FEWEST, _ENOUGH = 32, 6, 2**15  # of the start of the run: fewer where so many atoms x frames say as much
_COLD, _HOT = 0.02, 1e5  # K: below what is simulated, above what atoms are
_FAR, _FASTEST = 3.0, 500.0  # times the free flight; THz
_SMOOTH = 0.7  # correlation of a step with the next above which frames resolve the motion
_DENSEST = 1.0  # atoms / angstrom^3; diamond has 0.18
_VOLUME = 1e-3
_SLIPS = ((1e6, "a time 1000 times too short or a length 1000 times too long"), (1e-6, "a time 1000 times too long or a length 1000 times too short"))


@dataclass(frozen=True)
class _Motion:
    """First frames in angstrom and ps, or in reduced units. steps : (frame, atom, 3), without the drift of the whole."""

    velocities: np.ndarray | None
    steps: np.ndarray | None
    interval: float
    masses: np.ndarray | None
    energy: float  # k_B of the unit system in amu angstrom^2/ps^2 per K


def examined(traj: Trajectory) -> Trajectory:
    """The run with what `sanity` found in its history and its notes, of which each is a doubt that every command says."""
    figures, notes = sanity(traj)
    step = {**(traj.history[-1] if traj.history else {"step": "read"}), "sanity": figures}
    new = tuple(note for note in notes if note not in traj.notes)
    if "notes" in step:
        step["notes"] = [*step["notes"], *new]
    if new:
        step["doubts"] = [*step.get("doubts", ()), *new]
    return replace(traj, notes=(*traj.notes, *new), history=(*traj.history[:-1], step))


def sanity(traj: Trajectory) -> tuple[dict[str, str], list[str]]:
    """Figures that the first frames imply (name -> words), and a note for each that is absurd or contradicts another."""
    motion = _first_frames(traj)
    figures: dict[str, str] = {}
    notes: list[str] = []
    unit = "" if traj.reduced else " K"
    kinetic = _temperature(motion.velocities, motion, traj)
    if kinetic is not None:
        figures["temperature of the velocities"] = f"{kinetic:.4g}{unit}"
        notes += _absurd(kinetic, "the velocities imply", traj, "are they in other units (angstrom/fs: units='real')?")
    notes += _of_steps(motion, kinetic, figures, traj)
    notes += _against_log(traj, figures)
    density = traj.n_atoms / traj.volume
    if not traj.reduced and density > _DENSEST:
        notes.append(f"{density:.3g} atoms per angstrom^3 are denser than any solid: are lengths in other units (nm, m)? check units=")
    notes += _of_charges(traj)
    return figures, notes


def _first_frames(traj: Trajectory) -> _Motion:
    n = min(traj.n_frames, _FRAMES, max(_FEWEST, _ENOUGH // traj.n_atoms))
    even = n > 2 and float(np.ptp(np.diff(traj.time[:n]))) <= 1e-3 * float(np.diff(traj.time[:n]).mean())
    steps = None
    if traj.scaled_positions is not None and even:
        path = np.asarray(traj.scaled_positions[:n], dtype=np.float64) @ traj.mean_cell
        steps = np.diff(path, axis=0)
        steps -= steps.mean(axis=1, keepdims=True)
    return _Motion(
        velocities=None if traj.velocities is None else np.asarray(traj.velocities[:n], dtype=np.float64),
        steps=steps,
        interval=float(np.diff(traj.time[:n]).mean()) if n > 1 else 0.0,
        masses=traj.masses,
        energy=1.0 if traj.reduced else BOLTZMANN / KINETIC_TO_EV,
    )


def _temperature(velocities: np.ndarray | None, motion: _Motion, traj: Trajectory) -> float | None:
    """sum m v^2 / (3 N - 3) k_B of the frames, the mean velocity left out."""
    if velocities is None or motion.masses is None or traj.n_atoms < 2:
        return None
    of_centre = np.einsum("tax,a->tx", velocities, motion.masses) / motion.masses.sum()
    square = np.einsum("tax,a->t", np.square(velocities - of_centre[:, None]), motion.masses)
    return float(square.mean() / ((3 * traj.n_atoms - 3) * motion.energy))


def _absurd(temperature: float, what: str, traj: Trajectory, question: str) -> list[str]:
    """A note where a temperature cannot be: against the stated one, else on its own."""
    stated = _known_temperature(traj)
    if temperature == 0.0:
        return []
    if stated and not 1e-3 < temperature / stated < 1e3:
        return [f"{what} {temperature:.3g} {'' if traj.reduced else 'K '}where {stated:.4g} is stated{_slip(temperature / stated)}: {question}"]
    if not traj.reduced and not stated and not _COLD < temperature < _HOT:
        return [f"{what} {temperature:.3g} K, which no run has: {question}"]
    return []


def _known_temperature(traj: Trajectory) -> float | None:
    """The stated one, else the mean of the log."""
    if traj.temperature or traj.log is None or "temperature" not in traj.log.values:
        return traj.temperature
    return float(np.mean(traj.log.values["temperature"]))


def _slip(ratio: float) -> str:
    """In words what a ratio of temperatures looks like."""
    return next((f" ({words})" for factor, words in _SLIPS if 0.1 < ratio / factor < 10), "")


def _of_steps(motion: _Motion, kinetic: float | None, figures: dict[str, str], traj: Trajectory) -> list[str]:
    """What the steps from frame to frame imply: their length against free flight, their correlation as a frequency."""
    steps = motion.steps
    if steps is None or not np.any(steps) or motion.interval == 0.0:
        return []
    length, still = float(np.sqrt(np.square(steps).sum(axis=2).mean())), np.square(steps).sum(axis=(1, 2)) == 0.0
    figures["step from frame to frame"] = f"{length:.3g}{'' if traj.reduced else ' angstrom'} (rms)"
    if still.any():
        return []  # frames written twice, or a relaxation
    smooth = float(np.mean((steps[1:] * steps[:-1]).sum(axis=2)) / np.mean(np.square(steps).sum(axis=2)))
    notes = _against_velocities(motion, length, smooth)
    implied = _temperature(steps / motion.interval, motion, traj)
    question = f"is the time between frames {motion.interval:g} ps? check timestep= and frame_interval= (fs passed as ps?)"
    if smooth > _SMOOTH:
        frequency = np.sqrt(2.0 * max(1.0 - smooth, 0.0)) / (2.0 * np.pi * motion.interval)
        if frequency > 0.0:
            figures["mean frequency of the paths"] = f"{frequency:.3g}" + ("" if traj.reduced else " THz")
        if implied is not None and not notes:
            notes += _absurd(implied, "paths that the frames resolve imply", traj, question)
        if not traj.reduced and frequency > _FASTEST:
            notes.append(f"the paths imply vibrations of {frequency:.3g} THz: {question}")
    elif implied is not None and not notes:
        # whatever the motion, no step is longer than free flight
        limit = _known_temperature(traj) or (None if traj.reduced else _HOT)
        limit = kinetic if limit is None else limit
        if limit and implied > _FAR**2 * limit and (traj.reduced or implied > 1e3):
            notes.append(
                f"atoms move {np.sqrt(implied / limit):.2g} times as far between frames as free flight at {limit:g} carries them: {question}"
            )
    return notes


def _against_velocities(motion: _Motion, length: float, smooth: float) -> list[str]:
    """Steps against velocity times time: never longer, and as long where the frames resolve the motion."""
    if motion.velocities is None:
        return []
    speed = float(np.sqrt(np.square(motion.velocities - motion.velocities.mean(axis=1, keepdims=True)).sum(axis=2).mean()))
    if speed == 0.0:
        return []
    ratio = length / (speed * motion.interval)
    if ratio > _FAR or (smooth > _SMOOTH and ratio < 1.0 / _FAR):
        where = f"atoms move {ratio:.3g} times as far between frames as their velocities say"
        return [f"{where}: velocities or time are in other units (1000: fs and ps mixed); check units=, timestep= and frame_interval="]
    return []


def _against_log(traj: Trajectory, figures: dict[str, str]) -> list[str]:
    """Temperature and volume of frames against the rows of the log that were written with them."""
    if traj.log is None:
        return []
    rows, there = traj.log.at(traj.time)
    if len(there) == 0:
        return []
    notes = []
    if "volume" in rows.values:
        volume = np.abs(np.linalg.det(traj.cell[there]))
        worst = int(np.argmax(np.abs(volume / rows.values["volume"] - 1.0)))
        ratio = float(volume[worst] / rows.values["volume"][worst])
        if abs(ratio - 1.0) > _VOLUME:
            notes.append(
                f"the cell at {traj.time[there[worst]]:g} ps is {ratio:.6g} times as large as the log says: is it the log of another run, "
                f"or are lengths in other units?"
            )
    few = there[np.linspace(0, len(there) - 1, min(len(there), 8)).astype(int)]
    if "temperature" not in rows.values or traj.velocities is None or traj.masses is None or traj.n_atoms < 2:
        return notes
    said = rows.values["temperature"][np.searchsorted(there, few)]
    energy = 1.0 if traj.reduced else BOLTZMANN / KINETIC_TO_EV
    found = np.array([_kinetic(np.asarray(traj.velocities[int(k)], dtype=np.float64), traj.masses, energy) for k in few])
    ratio = float(found.mean() / said.mean()) if said.mean() > 0 else 1.0
    figures["velocities against the log"] = f"{found.mean():.4g} where the log says {said.mean():.4g}"
    # a part of the atoms has its own fluctuation of temperature
    if abs(ratio - 1.0) > 0.05 + 4.0 * np.sqrt(2.0 / (3.0 * traj.n_atoms * len(few))):
        notes.append(
            f"the velocities imply {ratio:.3g} times the temperature of the log at the same moments{_slip(ratio)}: "
            + (
                "check units="
                if not 0.02 < ratio < 50
                else "constraints, atoms that are fixed or not in the file, other masses, or the log of another run?"
            )
        )
    return notes


def _kinetic(velocities: np.ndarray, masses: np.ndarray, energy: float) -> float:
    square = float(np.sum(masses * np.square(velocities).sum(axis=1)) - np.square(masses @ velocities).sum() / masses.sum())
    return square / ((3 * len(masses) - 3) * energy)


def _of_charges(traj: Trajectory) -> list[str]:
    if traj.charges is None or traj.charges.ndim != 1 or traj.reduced:
        return []
    largest = float(np.abs(traj.charges).max(initial=0.0))
    if largest and not 1e-4 < largest < 30.0:
        return [f"the largest charge is {largest:.3g} e, which no ion has: are charges in other units (coulomb: units='si')? pass charges="]
    return []

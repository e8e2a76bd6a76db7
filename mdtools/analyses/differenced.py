"""What analyses of velocities must know of velocities that were made of positions (`read(..., velocities="positions")`)."""

from dataclasses import dataclass

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.trajectory import Trajectory

__all__ = ["Differenced", "differenced"]

RESOLVES_ALL = 0.003  # ps: a Nyquist limit of 167 THz, above every vibration of matter (H2: 132 THz); nothing can be folded back


@dataclass(frozen=True)
class Differenced:
    """Central differences over frames `interval` (ps) apart: amplitudes at frequency f are seen |sin(2 pi f dt) / (2 pi f dt)| times.

    band : THz, up to which that is undone. beyond : share of the power above it. would_do : ps, a frame interval with less.
    temperatures : kinetic ones of the species (K), the transfer function undone. limits : of beyond, and of the stated temperature.
    """

    interval: float
    band: float
    beyond: float
    would_do: float
    temperatures: dict[str, float]
    limits: dict[str, float]
    source: str

    def need_spectrum(self, temperature: float | None, *, who: str) -> None:
        """Raise TrajectoryError where frames are too far apart for the vibrations. temperature : the stated one, if any."""
        if self.beyond > self.limits["power_beyond"]:
            why = f"{100 * self.beyond:.2g} % of the power lies in the last fifth below the Nyquist limit ({0.5 / self.interval:.3g} THz)"
        elif (
            temperature
            and self.interval > RESOLVES_ALL
            and min(self.temperatures.values(), default=temperature) < self.limits["of_the_temperature"] * temperature
        ):
            coldest = min(self.temperatures, key=self.temperatures.__getitem__)
            why = f"{coldest} seems to have {self.temperatures[coldest]:.3g} where {temperature:g} is stated"
        else:
            return
        raise TrajectoryError(
            f"{who} needs frames that resolve the vibrations: with velocities made of the positions of {self.source}, {self.interval:.4g} ps apart, "
            f"{why}, so lines beyond the limit are folded back; store frames every {self.would_do:.2g} ps or less, or store velocities"
        )

    def transfer(self, frequency: np.ndarray) -> np.ndarray:
        """Amplitude that is left at each frequency (THz)."""
        return np.abs(np.sinc(2.0 * frequency * self.interval))

    @property
    def told(self) -> dict[str, object]:
        """What goes into the history of a result."""
        return {"velocities": "central differences of positions", "transfer": "|sin(2 pi f dt) / (2 pi f dt)|", "transfer_interval": self.interval}


def differenced(traj: Trajectory) -> Differenced | None:
    """How the velocities were made of positions; None for velocities of a file."""
    step = next((step for step in traj.history if step["step"] == "velocities_from_positions"), None)
    if step is None:
        return None
    return Differenced(
        interval=step["frame_interval"],
        band=step["band"],
        beyond=step["power_beyond"],
        would_do=step["frame_interval_that_would_do"],
        temperatures=step["temperatures"],
        limits=step["limits"],
        source=traj.source,
    )

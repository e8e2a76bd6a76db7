"""What every reader of logs returns: the table of one run, nothing converted."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Logged"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Logged:
    """The table of one run in a log.

    source : file and number of the run in it, for messages. steps : (row,) of the integrator.
    columns : name as LAMMPS writes it (Temp, Press, Volume, PotEng, Pxx, ...) -> (row,), in the log's own units.
    units : name of the unit system; None where the log does not say. timestep : in units of time of that system.
    counted : steps are the ionic steps of VASP, from 1 in every file. block : rows from one stored frame to the next there
    (NBLOCK).
    n_atoms : of the whole system. per_atom : whether energies were divided by it; None where the log does not say.
    thermostats : temperature at the start and at the end of the run, of each thermostat that acted.
    dumps : names of the files that were written meanwhile. commands : whether the log shows the commands at all.
    """

    source: str
    steps: np.ndarray
    columns: dict[str, np.ndarray]
    units: str | None = None
    timestep: float | None = None
    counted: bool = False
    block: int = 1
    n_atoms: int | None = None
    per_atom: bool | None = None
    thermostats: tuple[tuple[float, float], ...] = ()
    dumps: frozenset[str] = frozenset()
    commands: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def first(self) -> int:
        return int(self.steps[0])

    @property
    def last(self) -> int:
        return int(self.steps[-1])

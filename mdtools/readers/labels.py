"""Who the atoms are: species, masses and charges from the file, a topology, or what the user says (which wins)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from mdtools.errors import TrajectoryError
from mdtools.readers.frames import Frames
from mdtools.units import UnitSystem

__all__ = ["Atoms", "BothCharges", "Topology", "both_charges", "fitting", "pairs", "resolve_charges", "resolve_masses", "resolve_species"]


@dataclass(frozen=True, kw_only=True)
class Atoms:
    """Something found out about the atoms, and in words from where."""

    values: np.ndarray | None
    origin: str


@dataclass(frozen=True, kw_only=True)
class Topology:
    """What a topology file says of each atom: ids, labels, masses in amu, charges in e, all (atom,) and in the order of ids.

    type_of : type number of each atom as text. types : type number -> label, for files whose atoms carry a type but that
    hold other atoms. cell : (3, 3) angstrom, rows are the vectors, for files that leave it out.
    """

    source: str
    ids: np.ndarray
    labels: np.ndarray | None
    types: Mapping[str, str]
    type_of: np.ndarray | None = None
    masses: np.ndarray | None = None
    charges: np.ndarray | None = None
    cell: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def of(self, ids: np.ndarray, values: np.ndarray | None) -> np.ndarray | None:
        """Values of the atoms with these ids; None where the topology lacks one of them."""
        if values is None or not np.isin(ids, self.ids).all():
            return None
        return values[np.searchsorted(self.ids, ids)]


def fitting(topology: Topology | None, frames: Frames) -> tuple[Topology | None, tuple[str, ...]]:
    """What of a topology can be used for these atoms, and notes on the rest. Raises TrajectoryError for one of other atoms.

    What a file and a topology both say of an atom must agree: nothing else would show that they are of two runs.
    """
    if topology is None or len(topology.ids) == 0:
        return topology, ()
    lacking = frames.ids[~np.isin(frames.ids, topology.ids)]
    by_type = frames.types if frames.types is not None else frames.labels if frames.label_kind == "type" else None
    if len(lacking):
        what = f"{topology.source}: lacks {len(lacking)} of the {frames.n_atoms} atoms of {frames.source} (first of them id {lacking[0]})"
        if by_type is None or not set(by_type.tolist()) <= set(topology.types):
            raise TrajectoryError(f"{what}; pass the topology of this run, or species= instead (--species)")
        return topology, (f"{what}: the names of its types are used, and nothing that it says of single atoms",)
    elements = frames.labels if frames.label_kind == "element" else None
    for what, mine, theirs in (("type", by_type, topology.type_of), ("element", elements, topology.labels)):
        theirs = topology.of(frames.ids, theirs)
        if mine is None or theirs is None or not (what == "type" or _are_symbols(mine, theirs)):
            continue
        differ = np.flatnonzero(mine.astype(str) != theirs.astype(str))
        if len(differ) and what == "element" and sorted(mine.tolist()) == sorted(theirs.tolist()):
            bare = replace(topology, labels=None, types={}, type_of=None, masses=None, charges=None)
            return bare, (f"{topology.source}: its atoms are in another order than those of the file, so at most its cell is used",)
        if len(differ):
            at = differ[0]
            raise TrajectoryError(
                f"{frames.source} and {topology.source} contradict each other in the {what} of {len(differ)} atoms (id {frames.ids[at]}: {mine[at]} "
                f"and {theirs[at]}); pass the topology of this run, or species= instead (--species)"
            )
    return topology, ()


def _are_symbols(*labels: np.ndarray) -> bool:
    from ase.data import atomic_numbers

    return all(set(one.tolist()) <= set(atomic_numbers) for one in labels)


def pairs(text: Any) -> Any:
    """{"1": "Ca", "2": "F"} for "1=Ca,2=F", and ["Li", "O"] for "Li,O", as tables and command lines write them; else what was given."""
    if not isinstance(text, str):
        return text
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not any("=" in word for word in words):
        return words if len(words) > 1 else text
    if not all("=" in word for word in words):
        raise TrajectoryError(f"{text!r} mixes words with and without =; write for instance 1=Ca,2=F")
    return {key.strip(): value.strip() for key, _, value in (word.partition("=") for word in words)}


def resolve_species(frames: Frames, species: Any, topology: Topology | None) -> Atoms:
    """Label of each atom. Raises TrajectoryError where neither the user, the topology nor the file gives it."""
    species = pairs(species)
    if isinstance(species, str):
        return Atoms(values=np.full(frames.n_atoms, species), origin="species=")
    if isinstance(species, Mapping):
        return _mapped(frames, {str(k): str(v) for k, v in species.items()}, topology)
    if species is not None:
        return _listed(frames, [str(label) for label in species])
    labels = None if topology is None else topology.of(frames.ids, topology.labels)
    if labels is not None and topology is not None:
        return Atoms(values=labels, origin=f"topology {topology.source}")
    if frames.labels is None and topology is not None and topology.type_of is not None:
        return _mapped(frames, dict(topology.types), topology)
    if frames.labels is None:
        raise TrajectoryError(
            f"{frames.source}: holds neither elements nor types, so the {frames.n_atoms} atoms have no species; "
            "pass topology= (a file that names them), "
            f"species='Al' if all are one, or a list of {frames.n_atoms} labels; on the command line --topology or --species"
        )
    if frames.label_kind == "type":
        return _mapped(frames, dict(topology.types) if topology else {}, None)
    return Atoms(values=frames.labels, origin="the file")


def _mapped(frames: Frames, table: dict[str, str], topology: Topology | None) -> Atoms:
    by_type = frames.types is not None and set(table) <= set(frames.types.tolist())
    labels, numbered = (frames.types if by_type else frames.labels), by_type or frames.label_kind == "type"
    if labels is None and topology is not None:
        numbered = topology.labels is None
        labels = topology.of(frames.ids, topology.type_of if numbered else topology.labels)
    if labels is None:
        raise TrajectoryError(
            f"{frames.source}: has no types or elements that species={table} could name; pass one label for all atoms, or a list of {frames.n_atoms}"
        )
    present = sorted(set(labels.tolist()), key=lambda name: (len(name), name))
    missing = [name for name in present if name not in table]
    if missing and numbered:
        told = {name: table.get(name, "...") for name in present}
        raise TrajectoryError(
            f"{frames.source}: atoms are of types {', '.join(present)}, and nothing says what {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'}; "
            f"pass species={told} with your own labels, or on the command line --species {','.join(f'{k}={v}' for k, v in told.items())}"
        )
    if table and len(missing) == len(present) and set(present) <= set(table.values()):
        return Atoms(values=labels, origin="the file")  # {"1": "Ca"} where the file says Ca already
    if table and len(missing) == len(present):
        raise TrajectoryError(f"{frames.source}: species= names {', '.join(table)}, but the file holds {', '.join(present)}; name those")
    return Atoms(values=np.array([table.get(name, name) for name in labels.tolist()]), origin="species=" if table else "the file")


def _listed(frames: Frames, labels: Sequence[str]) -> Atoms:
    if len(labels) == frames.n_atoms:
        return Atoms(values=np.array(labels), origin="species=")
    if frames.kind == "VASP XDATCAR" and frames.labels is not None:
        # one label a block, as in the line that VASP 4 left out
        blocks = [name for index, name in enumerate(frames.labels.tolist()) if index == 0 or name != frames.labels[index - 1]]
        if len(labels) == len(blocks):
            return _mapped(frames, dict(zip(blocks, labels, strict=True)), None)
    raise TrajectoryError(
        f"{frames.source}: species= lists {len(labels)} labels for {frames.n_atoms} atoms; "
        f"pass one for each, or a table such as species={{'1': 'Ca'}}"
    )


def resolve_masses(frames: Frames, labels: np.ndarray, system: UnitSystem, masses: Any, topology: Topology | None) -> Atoms:
    """Mass of each atom in amu, or None; of a chemical symbol it is the standard mass (never in lj units)."""
    if masses is not None:
        return Atoms(values=_per_atom(frames, labels, masses, "masses"), origin="masses=")
    if frames.masses is not None:
        return Atoms(values=frames.masses * system.mass, origin="the file")
    found = None if topology is None else topology.of(frames.ids, topology.masses)
    if found is not None and topology is not None:
        return Atoms(values=found, origin=f"topology {topology.source}")
    if system.name == "lj":
        return Atoms(values=None, origin="none")
    from ase.data import atomic_masses, atomic_numbers

    if all(label in atomic_numbers and label != "X" for label in set(labels.tolist())):
        values = np.array([atomic_masses[atomic_numbers[label]] for label in labels.tolist()])
        return Atoms(values=values, origin="standard masses of the chemical symbols")
    return Atoms(values=None, origin="none")


def resolve_charges(frames: Frames, labels: np.ndarray, charges: Any, topology: Topology | None, framework: Sequence[str] = ()) -> Atoms:
    """Charge of each atom in e where the user or the topology gives it; None where the file (or nothing) does.

    A framework species that a table leaves out has none: in its frame the mobile charges are all that a current needs.
    """
    if charges is not None:
        given = pairs(charges)
        if isinstance(given, Mapping):
            given = dict.fromkeys(framework, 0.0) | dict(given)
        return Atoms(values=_per_atom(frames, labels, given, "charges"), origin="charges=")
    if frames.charges is None and topology is not None:
        found = topology.of(frames.ids, topology.charges)
        if found is not None:
            return Atoms(values=found, origin=f"topology {topology.source}")
    return Atoms(values=None, origin="none" if frames.charges is None else "the file")


class BothCharges(NamedTuple):
    """What the user and the column of the file say of charges, where they differ."""

    of_the_file: dict[str, float]
    words: str


def both_charges(labels: np.ndarray, given: Atoms, frames: Frames, to_e: float) -> BothCharges | None:
    """Mean charge of every species and the sum, as given and in the first frame of the file; None where there is one or they agree."""
    if given.origin != "charges=" or given.values is None or given.values.ndim != 1 or frames.charges is None:
        return None
    file = np.asarray(frames.charges, dtype=np.float64)
    file = (file[0] if file.ndim == 2 else file) * to_e
    if file.shape != given.values.shape or np.allclose(file, given.values, rtol=0, atol=1e-6):
        return None
    means = [{name: float(values[labels == name].mean()) for name in dict.fromkeys(labels.tolist())} for values in (given.values, file)]
    each = ", ".join(f"{name} {means[0][name]:+g} (file {means[1][name]:+g})" for name in means[0])
    total, of_file = (round(float(values.sum()), 6) + 0.0 for values in (given.values, file))
    return BothCharges(means[1], f": {each}; sum {total:+g} e (file {of_file:+g} e)")


def _per_atom(frames: Frames, labels: np.ndarray, given: Any, name: str) -> np.ndarray:
    given = pairs(given)
    try:
        if isinstance(given, Mapping):
            table = {str(key): float(value) for key, value in given.items()}
            missing = [label for label in dict.fromkeys(labels.tolist()) if label not in table]
            if missing:
                every = list(dict.fromkeys(labels.tolist()))
                told = ", ".join(f"{label!r}: {table.get(label, '...')}" for label in every)
                flag = ",".join(f"{label}={table.get(label, '...')}" for label in every)
                raise TrajectoryError(f"{frames.source}: {name}= has none for {', '.join(missing)}; pass {name}={{{told}}}, or --{name} {flag}")
            return np.array([table[label] for label in labels.tolist()])
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        if isinstance(reason, TrajectoryError):
            raise
        raise TrajectoryError(f"{frames.source}: {name}={given!r} is not understood; pass a table such as {name}={{'{labels[0]}': 1.0}}") from None
    if values.shape[:1] != (frames.n_atoms,) or (name == "masses" and values.ndim != 1):
        raise TrajectoryError(
            f"{frames.source}: {name}= has shape {values.shape} for {frames.n_atoms} atoms; pass one for each, or a table by species"
        )
    return values

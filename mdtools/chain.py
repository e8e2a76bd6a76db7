"""From what is given to what is asked for: the positional parameters of a stage are the names of what makes them.

`Chain(traj).make("haven_ratio")` measures the MSD and the current and estimates from them; `Chain(given=...)` starts
from saved measurements. Everything is made once; what could not be made is kept with its reason.
"""

import contextlib
import functools
import glob
import importlib
import itertools
import json
import os
import platform
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mdtools import abreast, memory, once, progress
from mdtools.catalogue import ANALYSES, DECISIONS, ESTIMATES, ON_REQUEST, PUBLIC, VARIES
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.signatures import Input, signature

__all__ = [
    "STAGES",
    "Chain",
    "Chains",
    "chains_of",
    "doubts",
    "group_name",
    "group_names",
    "groups_of",
    "load",
    "made_for",
    "names_apart",
    "part_of",
    "renamed",
    "run_name",
    "save",
    "stage_of",
    "writing",
]

_FORMATS = {".gz", ".bz2", ".xz", ".zst", ".lammpstrj", ".dump", ".zarr", ".dcd", ".xtc", ".trr", ".xyz", ".extxyz", ".nc", ".csv", ".toml"}
STAGES = {**ANALYSES, **ESTIMATES, **DECISIONS}
# what a stage asks of the measurement it starts from, beyond its defaults; an option that was given wins
ASKS: dict[str, dict[str, dict[str, Any]]] = {"self_diffusivity_tensor": {"msd": {"tensor": True}}}


@dataclass(kw_only=True)
class Chain:
    """What is known of one run: its trajectory or some of its results, and every result made from them so far.

    name : label of the run. options : per stage, the keyword options that it gets. keep : is given every result as it is made.
    """

    name: str = "run"
    traj: Any = None
    made: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Exception] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keep: Callable[[str, Any], None] = lambda name, data: None
    _making: dict[str, threading.RLock] = field(default_factory=dict, repr=False)  # of two threads that want a result the second waits for the first

    def make(self, name: str) -> Any:
        """The result called `name`, made from what is there. Raises TrajectoryError or NotEnoughData where it cannot be."""
        with self._making.setdefault(name, threading.RLock()):
            return self._make(name)

    def _make(self, name: str) -> Any:
        if name in self.made:
            return self.made[name]
        if name in self.refused:
            raise self.refused[name]
        self._ask(name)
        try:
            if name in ANALYSES and self.traj is None:
                raise TrajectoryError(f"there is no {_words(name)} of {self.name}: give the trajectory, or {name}.nc from mdtools {_flag(name)}")
            arguments = [self.traj] if name in ANALYSES else [self._input(name, one) for one in signature(name).inputs]
            with progress.stage(name if not self.name else f"{name} ({self.name})"):
                self.made[name] = _function(name)(*arguments, **self.options.get(name, {}))
        except (TrajectoryError, NotEnoughData) as reason:
            self.refused[name] = reason
            raise
        self.keep(name, self.made[name])
        return self.made[name]

    def _ask(self, name: str) -> None:
        for stage, options in ASKS.get(name, {}).items():
            self.options = {**self.options, stage: {**options, **self.options.get(stage, {})}}

    def _input(self, name: str, wanted: Input) -> Any:
        if wanted.name not in STAGES:
            raise AssertionError(f"{name} takes {wanted.name}, which no stage makes")
        try:
            made = self.make(wanted.name)
        except (TrajectoryError, NotEnoughData) as reason:
            if not wanted.required:
                return None
            if self.traj is None and wanted.name in ANALYSES:
                raise TrajectoryError(
                    f"{_words(name)} needs {_words(wanted.name)}, and what was given of {self.name} does not hold it: "
                    f"give the trajectory, or {wanted.name}.nc from mdtools {_flag(wanted.name)}"
                ) from None
            raise reason from None
        return [made] if wanted.many else made

    def make_all(self, *, only: Collection[str] = STAGES) -> None:
        """Make everything that can be made of one run, or of it `only` some; `refused` holds the reasons of the rest."""
        for name in only:
            self._ask(name)
        given = {*self.options, *self.made}
        wanted = [name for name in only if wanted_of(name, given) and not any(one.many for one in signature(name).inputs)]
        with once.kept(), self._read_once():
            if self.traj is None:  # estimates and verdicts alone need no JAX, which takes a second to load
                for name in wanted:
                    self._try(name)
            else:
                abreast.all_of([functools.partial(self._try, name) for name in _as_they_become_possible(wanted)])
        for kept in (self.made, self.refused):  # in the order of the stages, whichever was ready first
            for name in wanted:
                if name in kept:
                    kept[name] = kept.pop(name)

    def _try(self, name: str) -> None:
        """Make it, or keep the reason why not."""
        with contextlib.suppress(TrajectoryError, NotEnoughData):
            self.make(name)

    @contextlib.contextmanager
    def _read_once(self) -> Iterator[None]:
        """Inside, a trajectory that is on disk and leaves half of the memory free is in memory: every measurement visits it."""
        stored = self.traj
        self.traj = stored if stored is None else stored.held(memory.limit() // 2)
        try:
            yield
        finally:
            self.traj = stored


@dataclass(kw_only=True)
class Chains:
    """The runs of a series, in the order of its table."""

    members: list[Chain]
    made: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, Exception] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Chain]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def set_options(self, options: Mapping[str, Mapping[str, Any]]) -> None:
        """Give every run the same options for each stage."""
        self.options = options
        for member in self.members:
            member.options = options

    def make(self, name: str) -> Any:
        """A result that takes all runs at once, such as the activation energy. Members that refuse an input are left out."""
        if name in self.made:
            return self.made[name]
        arguments = []
        for wanted in signature(name).inputs:
            parts, reasons = [], []
            for member in self.members:
                try:
                    parts.append(member.make(wanted.name))
                except (TrajectoryError, NotEnoughData) as reason:
                    reasons.append(reason)
            if not parts and wanted.required:
                self.refused[name] = reasons[0] if reasons else NotEnoughData(f"{_words(name)} needs several runs")
                raise self.refused[name]
            arguments.append(parts if parts else None)
        try:
            self.made[name] = _function(name)(*arguments, **self.options.get(name, {}))
        except (TrajectoryError, NotEnoughData) as reason:
            self.refused[name] = reason
            raise
        return self.made[name]

    def make_all(self) -> None:
        """Make everything that can be made of each run, and of all together."""
        for member in self.members:
            member.make_all()
        given = set(self.options).union(*(member.made for member in self.members))
        for name in STAGES:
            if len(self.members) > 1 and any(one.many for one in signature(name).inputs) and self._varies(name) and wanted_of(name, given):
                try:
                    self.make(name)
                except (TrajectoryError, NotEnoughData):
                    continue

    def _varies(self, name: str) -> bool:
        """Whether the runs differ in what a result of all of them is a function of; where they do not, it was not asked for."""
        seen = [run.made[first].get(VARIES[name]) for run in self.members for first in run.made if VARIES[name] in run.made[first]]
        values = [np.atleast_1d(one.values) for one in seen]
        return any(one.shape == values[0].shape and not np.allclose(one, values[0], equal_nan=True) for one in values)


def wanted_of(name: str, given: Collection[str]) -> bool:
    """Whether a stage is made unasked, or was given (its options, or its result), and so is everything that it needs."""
    if name in ON_REQUEST and name not in given:
        return False
    return all(wanted_of(one.name, given) for one in signature(name).inputs if one.required and one.name in STAGES)


def _as_they_become_possible(names: Sequence[str]) -> list[str]:
    """Every estimate next after the last measurement that it needs: on a single core, it goes on while another measurement has the rest.

    >>> _as_they_become_possible(["msd", "velocity_acf", "phonon_dos", "self_diffusivity"])
    ['msd', 'velocity_acf', 'self_diffusivity', 'phonon_dos']
    """
    place = {name: k for k, name in enumerate(names)}

    @functools.cache
    def last(name: str) -> int:
        needed = [last(one.name) for one in signature(name).inputs if one.name in STAGES] if name not in ANALYSES else []
        return max(needed, default=place.get(name, -1))

    return sorted(names, key=lambda name: (last(name) + (name not in ANALYSES), place[name]))


def chains_of(source: Any, *, options: Mapping[str, Mapping[str, Any]] | None = None) -> Chains:
    """Runs from a Trajectory, a Series, Datasets (one, a list, a mapping), or paths of saved .nc files.

    Datasets belong to one run when their histories begin with the same step.
    """
    from mdtools.series import Series
    from mdtools.trajectory import Trajectory

    options = options or {}
    if isinstance(source, Chains):
        return source
    if isinstance(source, Chain):
        return Chains(members=[source], options=options)
    if isinstance(source, Trajectory):
        return Chains(members=[Chain(name=run_name(source.source), traj=source, options=options)], options=options)
    if isinstance(source, Series):
        members = [Chain(name=run_name(name), traj=traj, options=options) for name, traj in source]
        _told_apart(members)
        out = Chains(members=members, options=options)
        out.refused.update({f"read {name}": reason for name, reason in source.refused.items()})
        return out
    if isinstance(source, (str, Path)):
        source = [source]
    if hasattr(source, "data_vars"):  # before Mapping, which a Dataset is too
        return _from_datasets([("", source)], options)
    if isinstance(source, Mapping):
        return _from_datasets([("", one) for one in source.values()], options)
    named: list[tuple[str, Any]] = []
    for one in source if isinstance(source, Iterable) else [source]:
        named += load(one) if isinstance(one, (str, Path)) else [("", one)]
    return _from_datasets(named, options)


def doubts(runs: Chains) -> list[str]:
    """What every command asks of runs whose numbers contradict one another, a line each: a slip of units, or the log of another run?"""
    found = [(run.name, doubt) for run in runs for doubt in dict.fromkeys(one for step in _steps(run) for one in step.get("doubts", ()))]
    return [f"{name}: {doubt}" if len(runs) > 1 else doubt for name, doubt in found]


def _steps(run: Chain) -> Sequence[Mapping[str, Any]]:
    """The history of a trajectory, or where it is gone that of a result of it."""
    from mdtools import schema

    if run.traj is not None:
        return list(run.traj.history)
    return schema.history(next(iter(run.made.values()))) if run.made else []


def stage_of(data: Any) -> str:
    """The stage that made a Dataset: the last step of its history. Raises TrajectoryError where there is none."""
    from mdtools import schema

    steps = schema.history(data)
    if not steps or steps[-1]["step"] not in STAGES:
        raise TrajectoryError(f"a Dataset of {sorted(map(str, data.data_vars))[:3]} has no history that mdtools wrote; give one that it made")
    return str(steps[-1]["step"])


def _from_datasets(named: Sequence[tuple[str, Any]], options: Mapping[str, Mapping[str, Any]]) -> Chains:
    from mdtools import schema

    runs: dict[str, Chain] = {}
    whole: dict[str, Any] = {}
    for label, data in named:
        stage = stage_of(data)
        origin = _origin(schema.history(data))
        if any(one.many for one in signature(stage).inputs):
            whole[stage] = data
            continue
        key = json.dumps(origin, sort_keys=True)
        chain = runs.setdefault(key, Chain(name=label or run_name(origin[0].get("source", "run")), options=options))
        if stage in chain.made:
            raise TrajectoryError(f"two {_words(stage)} of the same run {chain.name} were given; give one of them")
        chain.made[stage] = data
    _told_apart(list(runs.values()))
    return Chains(members=list(runs.values()), made=whole, options=options)


def _origin(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps before the first measurement: they say which run it is."""
    first = next((k for k, step in enumerate(steps) if step["step"] in STAGES), len(steps))
    return steps[:first] or [{"step": "memory"}]


def made_for(runs: Chains, name: str) -> Chains:
    """One result of every run that allows it, the reasons of the others in `refused`. Raises the reason if none does."""
    if any(one.many for one in signature(name).inputs):
        return Chains(members=[], made={name: runs.make(name)})
    out = Chains(members=[])
    for member in runs:
        try:
            out.members.append(Chain(name=member.name, made={name: member.make(name)}))
        except (TrajectoryError, NotEnoughData) as reason:
            out.refused[f"{name} of {member.name}"] = reason
    out.refused.update(runs.refused)
    if not out.members:
        raise next(iter(out.refused.values()), TrajectoryError(f"there is no run to make {_words(name)} of"))
    return out


def save(chains: Chains, path: str | Path, *, about: Mapping[str, str] | None = None) -> None:
    """Every result in one netCDF file, in groups <run>/<stage>; written beside its place and renamed. about : attributes of the file."""
    with writing(path, about=about) as put:
        for group, data in groups_of(chains).items():
            put(group, data)


def groups_of(chains: Chains) -> dict[str, Any]:
    """Every result under the name of its group in a file, <run>/<stage>; of all runs together <stage>."""
    names = group_names([member.name for member in chains])
    found = {f"{name}/{stage}": data for name, member in zip(names, chains, strict=True) for stage, data in member.made.items()}
    return found | chains.made


@contextlib.contextmanager
def writing(path: str | Path, *, about: Mapping[str, str] | None = None) -> Iterator[Callable[[str, Any], None]]:
    """Inside, what writes one result as a group of a netCDF file, which takes its place when all are written."""
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    # the file is opened once: each opening walks through all groups that are there
    with renamed(Path(path)) as beside, h5netcdf.File(beside, "w", decode_vlen_strings=True) as file:
        yield lambda group, data: data.dump_to_store(H5NetCDFStore(file.create_group(group)))
        for key, words in (about or {}).items():
            file.attrs[key] = words


def load(path: str | Path) -> list[tuple[str, Any]]:
    """Datasets of a netCDF file, each with the name of its run ("" where it has none). Raises TrajectoryError."""
    import h5netcdf
    import xarray as xr
    from xarray.backends import H5NetCDFStore

    path = Path(path)
    if not path.exists():
        raise TrajectoryError(f"there is no file {path}")
    try:
        file = h5netcdf.File(path, "r", decode_vlen_strings=True)
    except OSError:
        raise TrajectoryError(f"{path} is not a netCDF file that mdtools wrote") from None
    with file:
        made = [(name, group) for name, group in _groups(file) if "history" in group.attrs]
        if not made:
            raise TrajectoryError(f"{path} holds nothing that mdtools made: no history is written in it")
        for _, group in made:
            _tell_dimensions(group)
        return [(name.rpartition("/")[0], xr.open_dataset(H5NetCDFStore(group)).load()) for name, group in made]


def _tell_dimensions(group: Any) -> None:
    """Tell h5netcdf the dimensions of the variables of a group.

    It would ask HDF5 for the name of each, which searches the file from its beginning: minutes, where six runs have all their results in it.
    """
    import h5py

    def place(stored: Any) -> int:
        return int(h5py.h5o.get_info(stored.id).addr)

    stored = group._h5group
    names = {place(one): name for name, one in stored.items() if one.attrs.get("CLASS") == b"DIMENSION_SCALE"}
    for variable in group.variables.values():
        listed = variable._h5ds.attrs.get("DIMENSION_LIST", ())
        found = [names.get(place(stored.file[scales[-1]])) if len(scales) else None for scales in listed]
        if found and None not in found:
            variable._dimensions = tuple(found)


def _groups(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """A group of a file and all that are in it, in the order of their names, each with its path."""
    yield name, group
    for key in sorted(group.groups):
        yield from _groups(group.groups[key], f"{name}/{key}" if name else key)


@contextlib.contextmanager
def renamed(path: Path) -> Iterator[Path]:
    """A name beside a file, under which it is written; it takes its place when it is whole, and is removed where it fails."""
    for left in path.parent.glob(f"{glob.escape(part_of(path, '').stem)}*.part"):
        if not _lives(left.stem.rpartition(".")[2]):
            left.unlink(missing_ok=True)
    beside = part_of(path, os.getpid())
    beside.unlink(missing_ok=True)
    try:
        yield beside
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    beside.replace(path)


def part_of(path: Path, process: int | str) -> Path:
    """Where a process of this machine writes what will take the place of a file: each in its own, if several write the same."""
    return path.with_name(f".{path.name}.{platform.node()}.{process}.part")


def _lives(process: str) -> bool:
    """Whether a process of this machine is there, as far as that can be asked."""
    if os.name != "posix" or not process.isdigit():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of another user
        return True
    return True


def group_name(name: str, number: int) -> str:
    """A run's name as the name of a group."""
    return name.replace("/", "_").strip(". ") or f"run {number}"


def group_names(names: Sequence[str]) -> list[str]:
    """Names of runs as names of groups, of which no two are alike.

    >>> group_names(["a/gas", "a_gas", ""])
    ['a_gas 1', 'a_gas 2', 'run 2']
    """
    return names_apart([group_name(name, k) for k, name in enumerate(names)])


def run_name(source: str) -> str:
    """A short label from where a trajectory came from: the name of its (first) file without what says its format."""
    name = Path(source.split(", ")[0].split(" (")[0]).name or source
    while Path(name).suffix.lower() in _FORMATS:
        name = Path(name).stem
    return name


def _told_apart(runs: list[Chain]) -> None:
    for run, name in zip(runs, names_apart([run.name for run in runs]), strict=True):
        run.name = name


def names_apart(names: Sequence[str]) -> list[str]:
    """Names, with numbers where several are alike: no two of them are then.

    >>> names_apart(["a", "b", "a"])
    ['a 1', 'b', 'a 2']
    >>> names_apart(["a", "a", "a 1"])
    ['a 2', 'a 3', 'a 1']
    """
    many = Counter(names)
    taken = {name for name in names if many[name] == 1}
    out = []
    for name in names:
        if many[name] > 1:
            name = next(one for k in itertools.count(1) if (one := f"{name} {k}") not in taken)
            taken.add(name)
        out.append(name)
    return out


def _function(name: str) -> Any:
    return getattr(importlib.import_module(PUBLIC[name]), name)


def _words(name: str) -> str:
    return name.replace("_", " ") if name not in ("msd",) else "MSD"


def _flag(name: str) -> str:
    return name.replace("_", "-")

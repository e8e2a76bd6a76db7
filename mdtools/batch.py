"""A recipe as tasks that share nothing but a folder: one run of its table each, and one that gathers them.

`mdtools run recipe.toml --member 3` makes everything of one run and keeps it as runs/NAME.nc; `--gather` makes of those files
what the whole recipe makes. A task that was killed is taken up after the last result that it kept; a finished one is known by
its file, in which stands what it was made of. Whatever starts the tasks (`mdtools slurm`, another scheduler, a loop) need not know.
"""

import contextlib
import functools
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdtools import __version__, chain, progress
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.recipe import Recipe, opened, written

__all__ = ["Task", "gathered", "made", "tasks"]

RUNS = "runs"  # folder of the results, a file a run
TASK = "task"  # attribute of that file
KINDS = {kind.__name__: kind for kind in (TrajectoryError, NotEnoughData)}


@dataclass(frozen=True)
class Task:
    """One run of a recipe: its number in the table, its name, the recipe of it alone, and where its results are kept."""

    number: int
    name: str
    asked: Recipe
    files: tuple[Path, ...]
    folder: Path

    @property
    def place(self) -> Path:
        """The file of its results."""
        return self.folder / f"{self.name}.nc"

    @property
    def beside(self) -> Path:
        """The folder of what it has made so far."""
        return self.folder / f".{self.name}.part"

    @property
    def failure(self) -> Path:
        """Why it was given up, in a line."""
        return self.folder / f"{self.name}.failed"

    def identity(self) -> str:
        """A hash of what its results depend on: what is read and how, every option, and the version."""
        from mdtools.readers.sources import fingerprints

        files = [{name: one[name] for name in ("size", "blake2b_of_samples")} for one in fingerprints(self.files)]
        everything = self.asked.report.get("everything", True)
        paths = [str(one) for one in self.asked.paths]
        what = [files, paths, self.asked.row, self.asked.reading, self.asked.stages, everything, __version__]
        return hashlib.blake2b(json.dumps(what, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()

    def is_finished(self) -> bool:
        return _about(self.place).get("identity") == self.identity()


def tasks(asked: Recipe, folder: Path) -> list[Task]:
    """A task for each run of a recipe. Raises TrajectoryError where files are missing: nothing has been started then."""
    members = asked.members()
    names = chain.group_names([name for name, _ in members])
    out = [Task(k, name, one, one.files(), folder / RUNS) for k, (name, (_, one)) in enumerate(zip(names, members, strict=True))]
    lost = [f"{task.name}: {path}" for task in out for path in task.asked.lost()]
    if lost:
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        raise TrajectoryError(f"there is no file for {lost[0]}{more}; mend the table, or take the row out of it")
    return out


def made(task: Task) -> None:
    """Make everything of one run, and keep it. Raises what reading raises; the reason is then kept as well."""
    from mdtools.readers.checkpoint import held

    task.folder.mkdir(parents=True, exist_ok=True)
    if task.is_finished():
        print(f"{task.name}: is finished already, nothing was made; its results are {task.place}")
        return
    with held(task.beside, task.place):
        task.failure.unlink(missing_ok=True)
        try:
            runs = _made(task)
        except (TrajectoryError, NotEnoughData) as reason:
            with chain.renamed(task.failure) as beside:
                beside.write_text(f"{reason}\n", encoding="utf-8")
            raise
        refused = {run.name: {name: [type(why).__name__, str(why)] for name, why in run.refused.items()} for run in runs}
        chain.save(runs, task.place, about={TASK: json.dumps({"identity": task.identity(), "refused": refused})})
        shutil.rmtree(task.beside, ignore_errors=True)
    n_made = sum(len(run.made) for run in runs)
    print(f"{task.name}: {n_made} results, {sum(map(len, refused.values()))} could not be made; written to {task.place}")


def _made(task: Task) -> chain.Chains:
    """The runs of a task (several where one is split at its gaps), with everything that can be made of each."""
    _same_work(task)
    runs = opened(task.asked)
    if not runs.members:
        raise next(iter(runs.refused.values()), TrajectoryError(f"{task.name} holds no run"))
    runs.set_options(task.asked.stages)
    for number, run in enumerate(runs):
        run.name = task.name if len(runs) == 1 else run.name
        kept = task.beside / str(number)
        kept.mkdir(exist_ok=True)
        run.made.update(_kept(kept))
        if run.made:
            print(f"{run.name}: taken up after {len(run.made)} results, which an earlier attempt has made", flush=True)
        run.keep = functools.partial(_keep, kept)
        run.make_all(only=chain.STAGES if task.asked.report.get("everything", True) else task.asked.stages)
        if not run.made:
            raise next(iter(run.refused.values()))
    return runs


def _same_work(task: Task) -> None:
    """Throw away what an earlier attempt has made of other input."""
    note, identity = task.beside / "identity", task.identity()
    if note.is_file() and note.read_text() == identity:
        return
    for inside in task.beside.iterdir():
        shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
    note.write_text(identity)


def _keep(folder: Path, name: str, data: Any) -> None:
    chain.save(chain.Chains(members=[chain.Chain(name="run", made={name: data})]), folder / f"{name}.nc")


def _kept(folder: Path) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for path in folder.glob("*.nc"):
        with contextlib.suppress(TrajectoryError):  # what was being written when the attempt was killed has another name
            out |= {chain.stage_of(data): data for _, data in chain.load(path)}
    return out


def gathered(asked: Recipe, target: Path) -> Path:
    """What a recipe makes, of the runs that are finished; the others are listed on the page, and then raised as one TrajectoryError."""
    runs, missing = chain.Chains(members=[]), {}
    found = tasks(asked, target)
    for task in found:
        if task.is_finished():
            runs.members += _finished(task)
        else:
            missing[task.name] = TrajectoryError(_why(task))
    if not runs.members:
        raise TrajectoryError(f"none of the {len(found)} runs is finished; the first, {found[0].name}: {missing[found[0].name]}")
    runs.refused.update({f"read {name}": reason for name, reason in missing.items()})
    runs.set_options(asked.stages)
    with progress.bar():
        out, refused = written(runs, asked, target)
    for name, reason in missing.items():
        print(f"missing: {name}: {reason}")
    for name, why in refused.items():
        print(f"not made: [{name}]: {why}")
    if missing:
        raise TrajectoryError(
            f"{len(found) - len(missing)} of {len(found)} runs are in {out}; missing: {', '.join(missing)}: "
            "give the same command again, and only what is missing will be made"
        )
    return out


def _finished(task: Task) -> Iterator[chain.Chain]:
    """The runs of a finished task, with what could not be made and why."""
    refused = _about(task.place)["refused"]
    runs: dict[str, chain.Chain] = {name: chain.Chain(name=name) for name in refused}
    for name, data in chain.load(task.place):
        runs.setdefault(name, chain.Chain(name=name)).made[chain.stage_of(data)] = data
    for name, reasons in refused.items():
        runs[name].refused.update({stage: KINDS[kind](words) for stage, (kind, words) in reasons.items()})
    return iter(runs.values())


def _why(task: Task) -> str:
    if task.failure.is_file():
        return task.failure.read_text(encoding="utf-8").strip()
    if task.place.is_file():
        return "its results were made of other files, or by another recipe"
    n_kept = len(list(task.beside.glob("*/*.nc")))
    return f"was not finished; {n_kept} results are kept, and will be taken up" if n_kept else "was not begun, or killed before its first result"


def _about(path: Path) -> dict[str, Any]:
    """What a file of results says of the task that wrote it; nothing where there is none."""
    import h5py

    try:
        with h5py.File(path) as file:
            return dict(json.loads(str(file.attrs.get(TASK, "{}"))))
    except OSError:
        return {}

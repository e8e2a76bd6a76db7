"""Carry out a request: open what was given, make what was asked for, write it, show it."""

import glob
import sys
from pathlib import Path
from typing import Any

from mdtools import chain, progress
from mdtools.catalogue import ANALYSES, ON_REQUEST
from mdtools.cli import machine
from mdtools.cli.arguments import SAVED_ONLY, Refusal, Request, upstream
from mdtools.cli.info import joined
from mdtools.cli.showing import show_saved
from mdtools.cli.shown import show_info, show_results, table
from mdtools.errors import NotEnoughData, TrajectoryError
from mdtools.values import flag

__all__ = ["execute", "sources"]

TABLES = (".csv", ".toml")
HDF5 = b"\x89HDF\r\n\x1a\n"


def execute(request: Request) -> None:
    """Do what was asked for. Raises the refusals of whatever is called."""
    out = request.out or request.options.get("out")
    if out and not Path(out).parent.is_dir():
        raise Refusal(f"there is no folder {Path(out).parent} to write {Path(out).name} in; make it first")
    if request.function == "run":
        from mdtools.job import run

        with machine.chosen(request) as mine:
            run(mine.paths[0], **mine.options)
        return
    if request.function == "slurm":
        from mdtools.recipe import read_recipe
        from mdtools.sbatch import slurm

        slurm(request.paths[0], **{**read_recipe(request.paths[0]).slurm, **request.options})
        return
    if request.distributed and request.stage == "read":
        raise Refusal(f"{request.command} is the work of one process: leave --distributed out")
    with machine.chosen(request) as mine:
        {"read": _read, "measure": _measure, "estimate": _estimate, "decide": _estimate, "show": _show}[mine.stage](mine)


def sources(request: Request) -> chain.Chains:
    """The runs that files hold: one trajectory in one or more files, saved results, or the members of a series table."""
    paths, reading = request.paths, request.reading
    missing = [path for path in paths if not Path(path).exists() and not glob.glob(path)]
    if missing:
        raise Refusal(f"there is no file {missing[0]}")
    saved = [path for path in paths if _is_saved(path)]
    tables = [path for path in paths if Path(path).suffix.lower() in TABLES]
    others = [path for path in paths if path not in saved and path not in tables]
    if tables:
        if len(paths) > 1:
            raise Refusal(f"a series table is given alone; {tables[0]} came with {len(paths) - 1} more files")
        from mdtools.readers import read_series

        return chain.chains_of(read_series(tables[0], **reading))
    if not others:
        idle = [name for name in reading if name not in request.options]
        if idle:
            raise Refusal(f"{flag(idle[0])} says how to read a trajectory, and only saved results were given")
        return chain.chains_of(saved)
    out = chain.chains_of(_trajectory(tuple(others), reading))
    for path in saved:
        for _, data in chain.load(path):
            out.members[0].made[chain.stage_of(data)] = data
    return out


def _doubted(request: Request) -> chain.Chains:
    """The runs that files hold, when what is doubtful about them has been said: numbers that are made of them look as any others."""
    runs = sources(request)
    print("".join(f"{doubt}\n" for doubt in chain.doubts(runs)), end="", file=sys.stderr)
    return runs


def _trajectory(paths: tuple[str, ...], reading: dict[str, Any]) -> Any:
    from mdtools.readers import read

    with progress.stage("read"):
        found = read(paths[0] if len(paths) == 1 else list(paths), **reading)
    for line in joined(_members(found)[0]):
        print(line, file=sys.stderr)
    return found


def _members(found: Any) -> list[Any]:
    """The trajectory that was read, or those of a run that was split at its gaps."""
    from mdtools.series import Series

    return [traj for _, traj in found] if isinstance(found, Series) else [found]


def _is_saved(path: str) -> bool:
    """Whether a file is a netCDF of ours (AMBER's trajectories end in .nc too, but are not HDF5)."""
    if Path(path).suffix != ".nc" or not Path(path).is_file():
        return False
    with Path(path).open("rb") as file:
        return file.read(len(HDF5)) == HDF5


def _read(request: Request) -> None:
    if any(_is_saved(path) for path in request.paths):
        if request.function != "info":
            raise Refusal(f"{request.command} reads a trajectory; {request.paths[0]} holds results")
        show_results(sources(request), list(chain.STAGES))
        return
    if request.function == "info":
        if Path(request.paths[0]).suffix.lower() in TABLES:
            for member in sources(request):
                show_info(member.traj, **request.options)
        else:
            for traj in _members(_trajectory(request.paths, request.reading)):
                show_info(traj, **request.options)
        return
    from mdtools.cli.convert import convert

    if request.reading.get("gaps") == "split":
        raise Refusal("a store holds one run: convert each part with --begin and --end, and without --gaps split")
    written = convert(request.paths, **request.options, **request.reading)
    print(f"written to {written}")


def _measure(request: Request) -> None:
    unfit = next((path for path in request.paths if _is_saved(path)), None)
    if unfit:
        raise Refusal(f"{request.command} measures trajectories, and {unfit} holds results; give the trajectory file, or a series table")
    _make(request, _doubted(request))


def _estimate(request: Request) -> None:
    _make(request, _doubted(request))


def _make(request: Request, runs: chain.Chains) -> None:
    if any(request.function in one.made for one in (runs, *runs)):
        raise Refusal(
            f"{request.command} was given its own result, on which options have no effect: give what it is made from; mdtools info "
            f"{request.paths[0]} shows a result, mdtools plot {request.paths[0]} --result {request.command.replace(' ', '-')} draws it"
        )
    runs.set_options({request.function: request.options})
    wanted = _wanted(request, runs)
    out = Path(request.out or f"{request.function}.nc")
    if _written_as_volumes(request, wanted, out):
        return
    chain.save(wanted, out)
    show_results(wanted, [request.function], refused=wanted.refused)
    print(f"written to {out}")


def _wanted(request: Request, runs: chain.Chains) -> chain.Chains:
    """What was asked for. Where it stands on a measurement that must be told more, the refusal says in which command."""
    try:
        return chain.made_for(runs, request.function)
    except (TrajectoryError, NotEnoughData) as reason:
        first = next((name for name in upstream(request.function) if name in ANALYSES and name in ON_REQUEST), None)
        if first is None or any(first in run.made for run in runs) or all(run.traj is None for run in runs):
            raise
        told = f"mdtools {first.replace('_', '-')} {' '.join(request.paths)} ... --out {first}.nc"
        raise type(reason)(f"{reason}; do that first, by {told}, and then mdtools {request.command} {first}.nc") from None


def _written_as_volumes(request: Request, runs: chain.Chains, out: Path) -> bool:
    """Whether the name asks for a cube or a CHGCAR, which are then written. Raises Refusal for what is no density."""
    from mdtools.reporting.volumetric import is_volumetric, write_density

    if not is_volumetric(out):
        return False
    if request.function not in ("density_map", "van_hove_map"):
        raise Refusal(f"{out.name} holds a density, which {request.command} does not make; give --out NAME.nc")
    for one, name in zip(runs, chain.group_names([one.name for one in runs]), strict=True):
        run = f".{name}" if len(runs) + len(runs.refused) > 1 else ""  # the files of each run have its name
        named = out.with_suffix(f"{run}.cube") if out.suffix.lower() == ".cube" else out.with_name(f"{out.name}{run}")
        for written in write_density(one.made[request.function], out=named):
            print(f"written to {written}")
    print("".join(f"not made: {what}: {reason}\n" for what, reason in runs.refused.items()), end="")
    return True


def _show(request: Request) -> None:
    if request.function in SAVED_ONLY:
        unfit = next((path for path in request.paths if Path(path).exists() and not _is_saved(path)), None)
        if unfit:
            raise Refusal(f"{request.command} takes results that mdtools saved (.nc), and {unfit} is none; mdtools report or mdtools run make them")
        show_saved(request)
    else:
        _report(request)


def _report(request: Request) -> None:
    from mdtools.reporting.page import report
    from mdtools.reporting.sections import verdicts

    runs = _doubted(request)
    path = report(runs, **request.options)
    section = verdicts(runs)
    for shown in section.tables:
        table(shown.header, shown.rows)
    print("".join(f"{line}\n" for line in section.text), end="")
    print(f"written to {path}, and its numbers to {path.with_suffix('.nc')}")

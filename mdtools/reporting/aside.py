"""A second process draws the figures and writes the numbers of a report while the first goes on measuring.

Neither needs JAX, and both are Python from end to end: in one process they would take turns with whatever else is Python there. The second
(`serving`) is told every result as it is made. What it could not do, the first does when all is measured, so that nothing depends on it.
"""

import contextlib
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mdtools import chain, memory, shares
from mdtools.reporting import serving
from mdtools.reporting.drawn import Drawn

__all__ = ["Second", "second_process"]

WORTH = 2**18  # positions of a run from which on to measure it takes longer than to start a process
PATIENCE = 20.0  # seconds that a process which is not wanted any more has to clear up
# both signals go to all processes of a terminal or a job: the first one is ended by them, and the second by the end of the pipe
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@contextlib.contextmanager
def second_process(runs: chain.Chains, path: Path) -> Iterator["Second | None"]:
    """Inside, a second process writes every result that the runs make to a netCDF file, and draws it.

    None where there is no such process: too little to measure, one core, several processes that measure together, or it cannot be started.
    """
    second = _started(runs, path)
    if second is None:
        yield None
        return
    before = [run.keep for run in runs]
    for number, (run, keep) in enumerate(zip(runs, before, strict=True)):
        run.keep = second.told_beside(keep, number)
    try:
        yield second
    finally:
        for run, keep in zip(runs, before, strict=True):
            run.keep = keep
        second.left()


def _started(runs: chain.Chains, path: Path) -> "Second | None":
    if memory.cores() < 2 or shares.count() > 1 or not any(_is_long(run) for run in runs):
        return None
    try:
        return Second(runs, path)
    except Exception:  # whatever keeps a process from starting here
        return None


def _is_long(run: chain.Chain) -> bool:
    return run.traj is not None and run.traj.n_frames * run.traj.n_atoms >= WORTH


class Second:
    """The second process, as the first one sees it. Whatever fails about it fails nothing else: the first does it all then."""

    def __init__(self, runs: chain.Chains, path: Path) -> None:
        self._runs, self._path = runs, path
        self._names = chain.group_names([run.name for run in runs])
        self._told: set[str] = set()
        self._lock = threading.Lock()
        self._has_failed = False
        about = path, _settings()
        code = f"{DEAF}; import sys; sys.path[:] = {sys.path!r}; from {serving.__name__} import serve; serve()"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._say(about)

    def told_beside(self, keep: Callable[[str, Any], None], number: int) -> Callable[[str, Any], None]:
        """What keeps a result of a run as before, and tells it."""

        def both(stage: str, data: Any) -> None:
            keep(stage, data)
            self._tell(f"{self._names[number]}/{stage}", number, stage, data)

        return both

    def _tell(self, group: str, *what: Any) -> None:
        with self._lock:
            if group not in self._told:
                self._told.add(group)
                self._say((group, *what))

    def _say(self, what: Any) -> None:
        if self._has_failed:
            return
        try:
            serving.sent(self._process.stdin, what)  # type: ignore[arg-type]
        except Exception:  # it has gone, or this cannot be told
            self._fail()

    def _answer(self) -> Any:
        if self._has_failed:
            return None
        try:
            return pickle.loads(serving.received(self._process.stdout))  # type: ignore[arg-type]
        except Exception:  # it has gone, or something else was printed
            self._fail()
            return None

    def _fail(self) -> None:
        self._has_failed = True
        self._process.kill()

    def figures(self) -> Drawn | None:
        """The figures, when it has been told what it does not know yet; None where it has failed."""
        for number, (run, name) in enumerate(zip(self._runs, self._names, strict=True)):
            for stage, data in run.made.items():
                self._tell(f"{name}/{stage}", number, stage, data)
        for stage, data in self._runs.made.items():
            self._tell(stage, None, stage, data)
        self._say(serving.DONE)
        found: Drawn | None = self._answer()
        return found

    def has_placed(self) -> bool:
        """Let the file take its place, after `figures`; False where it has failed: then nothing was written."""
        self._say(serving.PLACE)
        return self._answer() is True

    def left(self) -> None:
        """End it; a file that has not taken its place is removed."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._process.stdout.close()  # type: ignore[union-attr]
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            chain.part_of(self._path, self._process.pid).unlink(missing_ok=True)  # it may have been killed


def _settings() -> dict[str, Any]:
    """What the user has told matplotlib in this process, which a new one would not know."""
    mpl = sys.modules.get("matplotlib")
    if mpl is None:
        return {}
    of_a_new_one = mpl.rcParamsDefault, mpl.rcParamsOrig  # as installed, and with the file of settings
    return {
        key: value
        for key, value in dict.items(mpl.rcParams)  # RcParams.items would choose a backend
        if key != "backend" and any(value != dict.get(one, key) for one in of_a_new_one)
    }

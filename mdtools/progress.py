"""How far a long job has come. Silent unless somebody listens; only the standard library until a bar is drawn.

A visitor calls `advance`; whoever runs the job opens `bar()` (a bar on a terminal or in a notebook, one line a
minute in a log) and names its stages with `stage`.
"""

import contextlib
import contextvars
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

__all__ = ["Listener", "advance", "bar", "listening", "peak_memory", "stage", "watched"]


class Listener(Protocol):
    """Who is told: the stage, how much of it is done, of how much, in what unit, and the bytes just read."""

    def __call__(self, stage: str, done: int, total: int, unit: str, n_bytes: int) -> None: ...


_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("listener", default=None)
_stage: contextvars.ContextVar[str] = contextvars.ContextVar("stage", default="")


def advance(done: int, total: int, unit: str, *, n_bytes: int = 0) -> None:
    """Say that `done` of `total` units of the current stage are done, `n_bytes` more having been read.

    >>> said = []
    >>> with listening(lambda *what: said.append(what)), stage("msd"):
    ...     advance(3, 4, "atoms")
    >>> said
    [('msd', 3, 4, 'atoms', 0)]
    """
    listener = _listener.get()
    if listener is not None:
        listener(_stage.get() or unit, done, total, unit, n_bytes)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Tell `listener` of everything that advances inside."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextlib.contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` whenever something advances inside: what it raises ends the job."""
    before = _listener.get()

    def listener(stage: str, done: int, total: int, unit: str, n_bytes: int) -> None:
        look()
        if before is not None:
            before(stage, done, total, unit, n_bytes)

    with listening(listener):
        yield


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Name what is being done inside."""
    token = _stage.set(name)
    try:
        yield
    finally:
        _stage.reset(token)


@contextlib.contextmanager
def bar(stream: TextIO | None = None) -> Iterator[None]:
    """Show progress: a bar with the time left on a terminal and in a notebook, else a line a minute on `stream`.

    A bar inside another bar shows nothing of its own.
    """
    stream = stream or sys.stderr
    if _listener.get() is not None:
        yield
    elif stream.isatty() or _in_notebook():
        with _rich_bar() as listener, listening(listener):
            yield
    else:
        with listening(LogLines(stream)):
            yield


def peak_memory() -> float:
    """Largest resident memory of this process so far, GB; 0 where the system does not say."""
    try:
        # of this process alone; ru_maxrss starts at what the parent had
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e9
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # not on Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


@dataclass
class LogLines:
    """A line a minute: stage, share, MB/s, time left, peak memory."""

    stream: TextIO
    every: float = 60.0
    clock: Any = time.monotonic
    _said: float = field(default=0.0, init=False)
    _began: dict[str, float] = field(default_factory=dict, init=False)  # of each stage: there may be two at a time
    _bytes: dict[str, int] = field(default_factory=dict, init=False)

    def __call__(self, stage: str, done: int, total: int, unit: str, n_bytes: int) -> None:
        now = self.clock()
        self._said = self._said or now
        began = self._began.setdefault(stage, now)
        self._bytes[stage] = self._bytes.get(stage, 0) + n_bytes
        if now - self._said < self.every:
            return
        self._said = now
        spent = max(now - began, 1e-9)
        left = spent * (total - done) / max(done, 1)
        speed = f", {self._bytes[stage] / spent / 1e6:.0f} MB/s" if self._bytes[stage] and spent > 0.1 else ""
        memory = f", peak memory {peak_memory():.1f} GB" if peak_memory() else ""
        print(f"{stage}: {done} of {total} {unit}{speed}, {_time(left)} left{memory}", file=self.stream, flush=True)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{int(seconds):02d}"


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


@contextlib.contextmanager
def _rich_bar() -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, tuple[TaskID, float]] = {}
    read: dict[str, int] = {}
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:

        def listener(stage: str, done: int, total: int, unit: str, n_bytes: int) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total, unit=unit, speed=""), time.monotonic()
            task, began = tasks[stage]
            read[stage] = read.get(stage, 0) + n_bytes
            speed = f" {read[stage] / max(time.monotonic() - began, 1e-9) / 1e6:.0f} MB/s" if read[stage] else ""
            shown.update(task, completed=done, total=total, unit=unit, speed=speed)

        yield listener
